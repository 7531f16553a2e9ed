//! SEARCH (RFC 9051 §6.4.4 and its extensions), ESEARCH (RFC 7377), SORT and THREAD (RFC 5256, RFC 5957, RFC 5267).

use encoding_rs::Encoding;
use relais_model::{Flag, Keyword, ModSeq, SystemFlag, Uid};

use super::fetch::FetchItem;
use super::filter::MailboxFilter;
use super::reader::{Reader, Reason, Refusal};
use crate::date::Day;
use crate::partial::PartialRange;
use crate::sequence::SequenceSet;
use crate::sort::{SortField, SortKey};

/// SEARCH and UID SEARCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The answer holds UIDs.
    pub by_uid: bool,
    /// RETURN: the answer is an ESEARCH.
    pub returns: Option<SearchReturn>,
    /// Which messages.
    pub key: SearchKey,
}

/// ESEARCH (RFC 7377): a search in several mailboxes, answered in UIDs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiSearch {
    /// IN; empty: the mailbox that is open.
    pub mailboxes: Vec<MailboxFilter>,
    /// RETURN; ALL where it wasn't said.
    pub returns: SearchReturn,
    /// Which messages.
    pub key: SearchKey,
}

/// What SEARCH RETURN tells (RFC 9051 §6.4.4). CONTEXT (RFC 5267 §4.2) is a hint that we need not take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the standard's words, each there or not")]
pub struct SearchReturn {
    /// MIN.
    pub min: bool,
    /// MAX.
    pub max: bool,
    /// ALL; also where no option was named.
    pub all: bool,
    /// COUNT.
    pub count: bool,
    /// SAVE: keep the result for `$`.
    pub save: bool,
    /// PARTIAL (RFC 5267 §4.4, RFC 9394 §3.1): never together with ALL.
    pub partial: Option<PartialRange>,
    /// UPDATE (RFC 5267 §4.3): tell what changes; and these of messages that come (RFC 5465 §7).
    pub update: Option<Vec<FetchItem>>,
    /// RELEVANCY (RFC 6203 §4): only where a FUZZY key is.
    pub relevancy: bool,
}

impl SearchReturn {
    /// ALL alone.
    pub fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Whether an ESEARCH is due: SAVE alone wants none (RFC 9051 §6.4.4.1).
    pub const fn tells_something(&self) -> bool {
        let tells = self.min || self.max || self.all || self.count || self.partial.is_some() || self.relevancy;
        tells || self.update.is_some() || !self.save
    }
}

/// A condition on a message. Texts are decoded, and match as substrings without case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchKey {
    /// ALL.
    All,
    /// All of these; never empty.
    And(Vec<SearchKey>),
    /// OR.
    Or(Box<SearchKey>, Box<SearchKey>),
    /// NOT.
    Not(Box<SearchKey>),
    /// Sequence numbers, or `$`.
    Numbers(SequenceSet),
    /// UID.
    Uids(SequenceSet),
    /// UIDAFTER (RFC 9738 §3.2).
    UidAfter(Uid),
    /// UIDBEFORE.
    UidBefore(Uid),
    /// ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, KEYWORD; UNSEEN is Not of it.
    Flag(Flag),
    /// RECENT (RFC 3501 §6.4.4). NEW is And of it and unseen, OLD Not of it.
    Recent,
    /// BCC.
    Bcc(String),
    /// CC.
    Cc(String),
    /// FROM.
    From(String),
    /// SUBJECT.
    Subject(String),
    /// TO.
    To(String),
    /// HEADER: an empty text asks for the field alone.
    Header {
        /// The field's name.
        name: String,
        /// What it must hold.
        text: String,
    },
    /// BODY.
    Body(String),
    /// TEXT: header or body.
    Text(String),
    /// BEFORE: the internal date's day is earlier.
    Before(Day),
    /// ON.
    On(Day),
    /// SINCE: that day or later.
    Since(Day),
    /// SENTBEFORE: the Date: field's day.
    SentBefore(Day),
    /// SENTON.
    SentOn(Day),
    /// SENTSINCE.
    SentSince(Day),
    /// SAVEDBEFORE (RFC 8514): when it came into the mailbox.
    SavedBefore(Day),
    /// SAVEDON.
    SavedOn(Day),
    /// SAVEDSINCE.
    SavedSince(Day),
    /// SAVEDATESUPPORTED: all, where the mailbox keeps that date.
    SaveDateSupported,
    /// LARGER: more octets than this.
    Larger(u64),
    /// SMALLER.
    Smaller(u64),
    /// OLDER (RFC 5032): internal date at least so many seconds ago.
    Older(u32),
    /// YOUNGER: at most.
    Younger(u32),
    /// MODSEQ (RFC 7162 §3.1.5): at least this; none: 0. Entry names are read and passed over: we have one counter a message.
    ModSeq(Option<ModSeq>),
    /// EMAILID (RFC 8474 §6).
    EmailId(String),
    /// THREADID.
    ThreadId(String),
    /// FUZZY (RFC 6203 §3): what is like it, too.
    Fuzzy(Box<SearchKey>),
}

impl SearchKey {
    /// Whether `is_wanted` holds for this key or one inside it.
    pub fn any(&self, is_wanted: &impl Fn(&Self) -> bool) -> bool {
        is_wanted(self)
            || match self {
                Self::And(keys) => keys.iter().any(|key| key.any(is_wanted)),
                Self::Or(left, right) => left.any(is_wanted) || right.any(is_wanted),
                Self::Not(key) | Self::Fuzzy(key) => key.any(is_wanted),
                _ => false,
            }
    }

    /// Whether MODSEQ is asked: the answer then tells the highest (RFC 7162 §3.1.5), and CONDSTORE is enabled.
    pub fn asks_mod_seq(&self) -> bool {
        self.any(&|key| matches!(key, Self::ModSeq(_)))
    }

    /// Whether FUZZY stands anywhere: without it there is no relevancy (RFC 6203 §4).
    pub fn is_fuzzy(&self) -> bool {
        self.any(&|key| matches!(key, Self::Fuzzy(_)))
    }

    /// The same with each set of sequence numbers, and `$`, as `freeze` says: a search that is kept means the messages that had
    /// those numbers when it was made (RFC 5267 §4.3).
    #[must_use]
    pub fn frozen(self, freeze: &impl Fn(&SequenceSet) -> SequenceSet) -> Self {
        let boxed = |key: Box<Self>| Box::new(key.frozen(freeze));
        match self {
            Self::And(keys) => Self::And(keys.into_iter().map(|key| key.frozen(freeze)).collect()),
            Self::Or(one, other) => Self::Or(boxed(one), boxed(other)),
            Self::Not(key) => Self::Not(boxed(key)),
            Self::Fuzzy(key) => Self::Fuzzy(boxed(key)),
            Self::Numbers(set) | Self::Uids(set @ SequenceSet::Saved) => Self::Uids(freeze(&set)),
            other => other,
        }
    }

    /// Whether sequence numbers are named: they must not change meanwhile (RFC 7162 §3.2.10.2).
    pub fn names_numbers(&self) -> bool {
        self.any(&|key| matches!(key, Self::Numbers(_)))
    }
}

/// SORT and UID SORT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The answer holds UIDs.
    pub by_uid: bool,
    /// RETURN (RFC 5267 §3): the answer is an ESEARCH.
    pub returns: Option<SearchReturn>,
    /// The first counts most; never empty.
    pub keys: Vec<SortKey>,
    /// Which messages.
    pub key: SearchKey,
}

/// THREAD and UID THREAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The answer holds UIDs.
    pub by_uid: bool,
    /// How threads are found.
    pub algorithm: ThreadAlgorithm,
    /// Which messages.
    pub key: SearchKey,
}

/// How threads are found (RFC 5256 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadAlgorithm {
    /// ORDEREDSUBJECT.
    OrderedSubject,
    /// REFERENCES.
    References,
}

/// Reads search keys: knows the charset, and counts.
struct KeyReader<'a, 'b> {
    reader: &'b mut Reader<'a>,
    charset: &'static Encoding,
    left: usize,
}

impl Reader<'_> {
    pub(super) fn search(&mut self, by_uid: bool) -> Result<Search, Refusal> {
        let returns = self.search_returns()?;
        let key = self.search_program(returns.as_ref())?;
        Ok(Search { by_uid, returns, key })
    }

    /// `[SP esearch-source-opts] [SP search-return-opts] SP search-program` (RFC 7377 §4).
    pub(super) fn multi_search(&mut self) -> Result<MultiSearch, Refusal> {
        let before = self.position();
        self.space()?;
        let mut mailboxes = Vec::new();
        if self.skip_word("IN") {
            self.space()?;
            mailboxes = self.source_mailboxes()?;
        } else {
            self.back_to(before);
        }
        let returns = self.search_returns()?.unwrap_or_else(SearchReturn::all);
        let is_elsewhere = mailboxes.iter().any(|filter| *filter != MailboxFilter::Selected);
        if returns.save && is_elsewhere {
            return Err(self.bad("SAVE keeps what is in the selected mailbox alone")); // RFC 7377 §2.2
        }
        let key = self.search_program(Some(&returns))?;
        Ok(MultiSearch { mailboxes, returns, key })
    }

    /// `search-program`, for an answer of this kind.
    fn search_program(&mut self, returns: Option<&SearchReturn>) -> Result<SearchKey, Refusal> {
        let mut charset = encoding_rs::UTF_8;
        if self.skip_word("CHARSET") {
            self.space()?;
            charset = self.charset()?;
            self.space()?;
        }
        let key = self.search_keys(charset)?;
        self.must_be_fuzzy(returns.is_some_and(|returns| returns.relevancy), &key)?;
        Ok(key)
    }

    /// RFC 6203 §4, §6: RELEVANCY only of what was looked for by FUZZY.
    fn must_be_fuzzy(&self, asks_relevancy: bool, key: &SearchKey) -> Result<(), Refusal> {
        if asks_relevancy && !key.is_fuzzy() { Err(self.bad("RELEVANCY goes with FUZZY")) } else { Ok(()) }
    }

    /// RETURN with its options, if there is one, and the space behind it.
    pub(super) fn search_returns(&mut self) -> Result<Option<SearchReturn>, Refusal> {
        self.space()?;
        if !self.skip_word("RETURN") {
            return Ok(None);
        }
        self.space()?;
        let returns = self.search_return_options()?;
        self.space()?;
        Ok(Some(returns))
    }

    fn search_return_options(&mut self) -> Result<SearchReturn, Refusal> {
        let mut returns = SearchReturn::default();
        let options = self.list_or_none(|reader| {
            match reader.word().as_str() {
                "MIN" => returns.min = true,
                "MAX" => returns.max = true,
                "ALL" => returns.all = true,
                "COUNT" => returns.count = true,
                "SAVE" => returns.save = true,
                "CONTEXT" => (),
                "PARTIAL" => {
                    reader.expect(b' ')?;
                    returns.partial = Some(reader.partial_range()?);
                }
                "UPDATE" => returns.update = Some(reader.update_items()?),
                "RELEVANCY" => returns.relevancy = true,
                _ => return Err(reader.bad("Unknown return option")),
            }
            Ok(())
        })?;
        // RFC 9051 §6.4.4: no option at all means ALL; SAVE alone means no answer but OK.
        returns.all |= options.is_empty();
        if returns.all && returns.partial.is_some() {
            return Err(self.bad("PARTIAL and ALL don't go together")); // RFC 9394 §3.1
        }
        Ok(returns)
    }

    /// ` (UID BODY[…])` behind UPDATE, if it is there (RFC 5465 §7).
    fn update_items(&mut self) -> Result<Vec<FetchItem>, Refusal> {
        if self.rest().starts_with(b" (") {
            self.advance();
            return self.list(Self::fetch_item);
        }
        Ok(Vec::new())
    }

    /// `partial-range` (RFC 9394 §4).
    pub(super) fn partial_range(&mut self) -> Result<PartialRange, Refusal> {
        let from_end = self.skip(b'-');
        let from = self.nonzero()?;
        self.expect(b':')?;
        if from_end {
            self.expect(b'-')?;
        }
        Ok(PartialRange::new(from_end, from, self.nonzero()?))
    }

    pub(super) fn sort(&mut self, by_uid: bool) -> Result<Sort, Refusal> {
        let returns = self.search_returns()?;
        if returns.as_ref().is_some_and(|returns| returns.save) {
            return Err(self.bad("SORT saves nothing"));
        }
        let keys = self.list(Self::sort_key)?;
        self.space()?;
        let charset = self.charset()?;
        self.space()?;
        let key = self.search_keys(charset)?;
        let by_relevancy = keys.iter().any(|key| key.field == SortField::Relevancy);
        self.must_be_fuzzy(by_relevancy || returns.as_ref().is_some_and(|returns| returns.relevancy), &key)?;
        Ok(Sort { by_uid, returns, keys, key })
    }

    fn sort_key(&mut self) -> Result<SortKey, Refusal> {
        let is_reversed = self.skip_word("REVERSE");
        if is_reversed {
            self.expect(b' ')?;
        }
        let field = match self.word().as_str() {
            "ARRIVAL" => SortField::Arrival,
            "CC" => SortField::Cc,
            "DATE" => SortField::Date,
            "FROM" => SortField::From,
            "SIZE" => SortField::Size,
            "SUBJECT" => SortField::Subject,
            "TO" => SortField::To,
            "DISPLAYFROM" => SortField::DisplayFrom,
            "DISPLAYTO" => SortField::DisplayTo,
            "RELEVANCY" => SortField::Relevancy,
            _ => return Err(self.bad("Unknown sort criterion")),
        };
        Ok(SortKey { field, is_reversed })
    }

    pub(super) fn thread(&mut self, by_uid: bool) -> Result<Thread, Refusal> {
        self.space()?;
        let algorithm = match self.word().as_str() {
            "ORDEREDSUBJECT" => ThreadAlgorithm::OrderedSubject,
            "REFERENCES" => ThreadAlgorithm::References,
            _ => return Err(self.bad("Unknown way to thread")),
        };
        self.space()?;
        let charset = self.charset()?;
        self.space()?;
        Ok(Thread { by_uid, algorithm, key: self.search_keys(charset)? })
    }

    fn charset(&mut self) -> Result<&'static Encoding, Refusal> {
        let label = self.astring()?;
        // Not the replacement encoding, which stands for charsets that would only give U+FFFD.
        let known = Encoding::for_label_no_replacement(&label);
        known.ok_or_else(|| self.refuse(Reason::Charset, "This charset isn't known here"))
    }

    fn search_keys(&mut self, charset: &'static Encoding) -> Result<SearchKey, Refusal> {
        let left = self.limits.search_keys;
        let depth = self.limits.nesting;
        KeyReader { reader: self, charset, left }.keys(depth)
    }
}

impl KeyReader<'_, '_> {
    /// Keys with spaces between them, up to the end or a closing parenthesis.
    fn keys(&mut self, depth: usize) -> Result<SearchKey, Refusal> {
        let first = self.key(depth)?;
        let mut more = Vec::new();
        while self.reader.skip(b' ') && self.reader.peek().is_some_and(|octet| octet != b' ') {
            more.push(self.key(depth)?);
        }
        if more.is_empty() {
            return Ok(first);
        }
        more.insert(0, first);
        Ok(SearchKey::And(more))
    }

    fn key(&mut self, depth: usize) -> Result<SearchKey, Refusal> {
        let Some(depth) = depth.checked_sub(1) else { return Err(self.reader.too_much("Too many levels in SEARCH")) };
        let Some(left) = self.left.checked_sub(1) else { return Err(self.reader.too_much("Too many keys in SEARCH")) };
        self.left = left;
        match self.reader.peek() {
            Some(b'(') => {
                self.reader.advance();
                let keys = self.keys(depth)?;
                self.reader.expect(b')')?;
                Ok(keys)
            }
            Some(b'0'..=b'9' | b'*') if self.reader.uid_only => Err(self.reader.needs_uid()),
            Some(b'0'..=b'9' | b'*' | b'$') => self.reader.sequence_set().map(SearchKey::Numbers),
            _ => self.named_key(depth),
        }
    }

    fn named_key(&mut self, depth: usize) -> Result<SearchKey, Refusal> {
        let before = self.reader.position();
        let word = self.reader.word();
        if let Some(flag) = system_flag(&word) {
            return Ok(SearchKey::Flag(flag));
        }
        if let Some(flag) = word.strip_prefix("UN").and_then(system_flag) {
            return Ok(not(SearchKey::Flag(flag)));
        }
        Ok(match word.as_str() {
            "ALL" => SearchKey::All,
            "RECENT" => SearchKey::Recent,
            "OLD" => not(SearchKey::Recent),
            "NEW" => {
                let unseen = not(SearchKey::Flag(Flag::System(SystemFlag::Seen)));
                SearchKey::And(vec![SearchKey::Recent, unseen])
            }
            "NOT" => not(self.next_key(depth)?),
            "OR" => SearchKey::Or(Box::new(self.next_key(depth)?), Box::new(self.next_key(depth)?)),
            "KEYWORD" => self.keyword()?,
            "UNKEYWORD" => not(self.keyword()?),
            "UID" => SearchKey::Uids(self.reader.set_argument()?),
            "UIDAFTER" => SearchKey::UidAfter(self.uid()?),
            "UIDBEFORE" => SearchKey::UidBefore(self.uid()?),
            "FUZZY" => SearchKey::Fuzzy(Box::new(self.next_key(depth)?)),
            "BCC" => SearchKey::Bcc(self.text()?),
            "CC" => SearchKey::Cc(self.text()?),
            "FROM" => SearchKey::From(self.text()?),
            "SUBJECT" => SearchKey::Subject(self.text()?),
            "TO" => SearchKey::To(self.text()?),
            "BODY" => SearchKey::Body(self.text()?),
            "TEXT" => SearchKey::Text(self.text()?),
            "HEADER" => SearchKey::Header { name: self.text()?, text: self.text()? },
            "BEFORE" => SearchKey::Before(self.date()?),
            "ON" => SearchKey::On(self.date()?),
            "SINCE" => SearchKey::Since(self.date()?),
            "SENTBEFORE" => SearchKey::SentBefore(self.date()?),
            "SENTON" => SearchKey::SentOn(self.date()?),
            "SENTSINCE" => SearchKey::SentSince(self.date()?),
            "SAVEDBEFORE" => SearchKey::SavedBefore(self.date()?),
            "SAVEDON" => SearchKey::SavedOn(self.date()?),
            "SAVEDSINCE" => SearchKey::SavedSince(self.date()?),
            "SAVEDATESUPPORTED" => SearchKey::SaveDateSupported,
            "LARGER" => SearchKey::Larger(self.number64()?),
            "SMALLER" => SearchKey::Smaller(self.number64()?),
            "OLDER" => SearchKey::Older(self.interval()?),
            "YOUNGER" => SearchKey::Younger(self.interval()?),
            "MODSEQ" => self.mod_seq()?,
            "EMAILID" => SearchKey::EmailId(self.text()?),
            "THREADID" => SearchKey::ThreadId(self.text()?),
            _ => {
                self.reader.back_to(before);
                return Err(self.reader.bad("Unknown search key"));
            }
        })
    }

    fn next_key(&mut self, depth: usize) -> Result<SearchKey, Refusal> {
        self.reader.space()?;
        self.key(depth)
    }

    fn text(&mut self) -> Result<String, Refusal> {
        self.reader.space()?;
        let octets = self.reader.astring()?;
        let (text, is_broken) = self.charset.decode_without_bom_handling(&octets);
        if is_broken {
            return Err(self.reader.bad("The text isn't in the charset of the search"));
        }
        Ok(text.into_owned())
    }

    fn date(&mut self) -> Result<Day, Refusal> {
        self.reader.space()?;
        self.reader.date()
    }

    fn number64(&mut self) -> Result<u64, Refusal> {
        self.reader.space()?;
        self.reader.number64()
    }

    fn uid(&mut self) -> Result<Uid, Refusal> {
        let number = self.interval()?;
        Uid::new(number).ok_or_else(|| self.reader.bad("0 is no UID"))
    }

    fn interval(&mut self) -> Result<u32, Refusal> {
        self.reader.space()?;
        self.reader.nonzero()
    }

    fn keyword(&mut self) -> Result<SearchKey, Refusal> {
        self.reader.space()?;
        let keyword = Keyword::parse(self.reader.atom()?);
        let keyword = keyword.map_err(|_| self.reader.bad("A keyword has 100 octets at most"))?;
        Ok(SearchKey::Flag(Flag::Keyword(keyword)))
    }

    /// `"MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer` (RFC 7162 §7).
    fn mod_seq(&mut self) -> Result<SearchKey, Refusal> {
        self.reader.space()?;
        if self.reader.peek() == Some(b'"') {
            self.reader.string()?;
            self.reader.expect(b' ')?;
            if !["PRIV", "SHARED", "ALL"].contains(&self.reader.word().as_str()) {
                return Err(self.reader.bad("`priv`, `shared` or `all` is expected here"));
            }
            self.reader.expect(b' ')?;
        }
        self.reader.mod_seq().map(SearchKey::ModSeq)
    }
}

fn not(key: SearchKey) -> SearchKey {
    SearchKey::Not(Box::new(key))
}

fn system_flag(word: &str) -> Option<Flag> {
    let is_named = |flag: &SystemFlag| flag.as_str().trim_start_matches('\\').eq_ignore_ascii_case(word);
    SystemFlag::ALL.into_iter().find(is_named).map(Flag::System)
}
