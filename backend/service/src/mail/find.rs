//! What is looked for: words and operators, as people type them, and which messages they find, how well.
//!
//! The index tells which messages hold a word, or one like it, or words in a row. Where it can't tell (what came a moment ago) messages are
//! read: the newest [`MAX_READ`] of those that the other terms leave.

use std::collections::HashMap;

use relais_finding::{Marker, Places, Sought};
use relais_model::{Flag, Keyword, SystemFlag, Timestamp, Uid, UidSet};
use relais_store::{Row, Sight, Wanted};

use super::Mail;
use crate::{Failure, Text};

/// Terms of one search.
pub const MAX_TERMS: usize = 20;
/// Characters of one search.
const MAX_CHARACTERS: usize = 500;
/// Messages that are read for one term, at most.
const MAX_READ: usize = 3000;
/// What stands before a colon, and means something.
const OPERATORS: [&str; 18] = [
    "from", "to", "cc", "subject", "body", "text", "before", "after", "since", "label", "tag", "larger", "smaller",
    "filename", "file", "has", "is", "in",
];

/// What is looked for: all of the terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// In the order in which they were typed.
    pub terms: Vec<Term>,
    /// `in:sent`, `in:all`: where, if it was said.
    pub within: Option<Within>,
}

/// Where something is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// In all mailboxes.
    All,
    /// In the one with this name or use, as it was typed.
    Named(String),
}

/// What a search found in one mailbox.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) uids: UidSet,
    /// How much each is about the words, where words were looked for.
    pub(super) scores: HashMap<u32, u32>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// Anywhere: people, subject, text.
    Anywhere(String),
    /// In From.
    From(String),
    /// In To.
    To(String),
    /// In Cc.
    Cc(String),
    /// In Subject.
    Subject(String),
    /// In the text.
    Body(String),
    /// Arrived before this day, in days since 1970-01-01.
    Before(i64),
    /// Arrived on this day or later.
    After(i64),
    /// `unread`, `read`, `starred`, `answered`, `draft`.
    Is(State),
    /// Has a file beside its text.
    HasAttachment,
    /// Has a file of this name.
    FileName(String),
    /// Larger than so many octets.
    Larger(u64),
    /// Smaller.
    Smaller(u64),
    /// Has this keyword.
    Label(String),
    /// Not that.
    Not(Box<Term>),
}

/// How a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// `\Seen` isn't set.
    Unread,
    /// It is.
    Read,
    /// `\Flagged`.
    Starred,
    /// `\Answered`.
    Answered,
    /// `\Draft`.
    Draft,
}

impl Search {
    /// Reads `from:ann is:unread "two words" -subject:x`; none where nothing was typed. Whatever is no operator is looked for as it stands.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().take(MAX_CHARACTERS).collect();
        let mut search = Self::default();
        for word in words(&text).into_iter().take(MAX_TERMS) {
            match Within::parse(&word) {
                Some(within) => search.within = Some(within),
                None => search.terms.extend(Term::parse(&word)),
            }
        }
        (!search.terms.is_empty() || search.within.is_some()).then_some(search)
    }

    /// As [`Search::parse`], for programs, which don't see what was made of their words: what can't be read, or is too much, is refused.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `q`.
    pub fn read(text: &str) -> Result<Option<Self>, Failure> {
        let typed = words(text);
        if text.chars().count() > MAX_CHARACTERS || typed.len() > MAX_TERMS {
            let most = Text::new("mail-search-too-long").with("words", MAX_TERMS).with("characters", MAX_CHARACTERS);
            return Err(Failure::unfit("q", most));
        }
        match typed.iter().find(|word| Within::parse(word).is_none() && is_misread(word)) {
            Some(word) => Err(Failure::unfit("q", Text::new("mail-search-misread").with("word", word.as_str()))),
            None => Ok(Self::parse(text)),
        }
    }

    /// What is to be marked in the texts that were found; none: nothing.
    pub(super) fn marker(&self) -> Option<Marker> {
        let text = |term: &'_ Term| match term {
            Term::Anywhere(text) | Term::Body(text) | Term::Subject(text) => Some(text.clone()),
            _ => None,
        };
        let texts: Vec<String> = self.terms.iter().filter_map(text).collect();
        (!texts.is_empty()).then(|| Marker::new(texts.iter().map(String::as_str)))
    }
}

impl Within {
    fn parse(word: &str) -> Option<Self> {
        let (name, value) = word.split_once(':')?;
        let value = value.trim_matches('"').trim();
        if !name.eq_ignore_ascii_case("in") || value.is_empty() {
            return None;
        }
        let is_all = ["all", "anywhere", "tout"].iter().any(|word| value.eq_ignore_ascii_case(word));
        Some(if is_all { Self::All } else { Self::Named(value.to_owned()) })
    }
}

impl Term {
    fn parse(word: &str) -> Option<Self> {
        if let Some(rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            return Self::parse(rest).map(|term| Self::Not(Box::new(term)));
        }
        let bare = word.trim_matches('"');
        let Some((name, value)) = word.split_once(':') else {
            return (!bare.is_empty()).then(|| Self::Anywhere(bare.to_owned()));
        };
        let value = value.trim_matches('"').trim();
        let known = match name.to_ascii_lowercase().as_str() {
            _ if value.is_empty() => None,
            "from" => Some(Self::From(value.to_owned())),
            "to" => Some(Self::To(value.to_owned())),
            "cc" => Some(Self::Cc(value.to_owned())),
            "subject" => Some(Self::Subject(value.to_owned())),
            "body" | "text" => Some(Self::Body(value.to_owned())),
            "before" => day(value).map(Self::Before),
            "after" | "since" => day(value).map(Self::After),
            "label" | "tag" => Keyword::parse(value).ok().map(|_| Self::Label(value.to_owned())),
            "larger" => size(value).map(Self::Larger),
            "smaller" => size(value).map(Self::Smaller),
            "filename" | "file" => Some(Self::FileName(value.to_owned())),
            "has" if matches!(value, "attachment" | "file") => Some(Self::HasAttachment),
            "is" => match value {
                "unread" | "unseen" => Some(Self::Is(State::Unread)),
                "read" | "seen" => Some(Self::Is(State::Read)),
                "starred" | "flagged" => Some(Self::Is(State::Starred)),
                "answered" => Some(Self::Is(State::Answered)),
                "draft" => Some(Self::Is(State::Draft)),
                _ => None,
            },
            _ => None,
        };
        Some(known.unwrap_or_else(|| Self::Anywhere(bare.to_owned())))
    }

    /// What is cheap goes first: it leaves less for the rest.
    fn cost(&self) -> u8 {
        match self {
            Self::Not(term) => term.cost(),
            Self::Anywhere(_) | Self::Body(_) => 3,
            Self::From(_) | Self::To(_) | Self::Cc(_) | Self::Subject(_) => 1,
            Self::HasAttachment | Self::FileName(_) => 2,
            _ => 0,
        }
    }
}

/// Whether a word begins as an operator does, and goes on with what that can't be.
fn is_misread(word: &str) -> bool {
    let term = word.trim_start_matches('-');
    let name = term.split_once(':').map(|(name, _)| name.to_ascii_lowercase());
    name.is_some_and(|name| OPERATORS.contains(&name.as_str())) && matches!(Term::parse(term), Some(Term::Anywhere(_)))
}

/// Parted by blanks, but for those in quotes.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => {
                is_quoted = !is_quoted;
                word.push(character);
            }
            blank if blank.is_whitespace() && !is_quoted => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// `2026-11-27`, `2026-11` or `2026`, in days since 1970-01-01.
fn day(text: &str) -> Option<i64> {
    let mut numbers = text.split(['-', '/']).map(|number| number.parse::<i16>().ok());
    let year = numbers.next()??;
    let mut next = || numbers.next().map_or(Some(1), |number| number.and_then(|number| i8::try_from(number).ok()));
    let date = jiff::civil::Date::new(year, next()?, next()?).ok()?;
    let first = jiff::civil::Date::new(1970, 1, 1).ok()?;
    date.since(first).ok().map(|span| i64::from(span.get_days()))
}

/// `2M`, `500k`, `1000`.
fn size(text: &str) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "ko" => 1000,
        "m" | "mb" | "mo" => 1_000_000,
        "g" | "gb" | "go" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

impl Mail {
    /// The messages that all terms hold for.
    pub(super) async fn find(&self, view: &Sight, search: &Search) -> Result<Found, Failure> {
        let mut terms: Vec<&Term> = search.terms.iter().collect();
        terms.sort_by_key(|term| term.cost());
        let mut left: UidSet = view.uids();
        let mut scores = HashMap::new();
        for term in terms {
            if left.is_empty() {
                break;
            }
            left = match term {
                Term::Not(term) => left.without(&self.among(view, term, &left, &mut HashMap::new()).await?),
                term => self.among(view, term, &left, &mut scores).await?,
            };
        }
        Ok(Found { uids: left, scores })
    }

    async fn among(
        &self,
        view: &Sight,
        term: &Term,
        left: &UidSet,
        scores: &mut HashMap<u32, u32>,
    ) -> Result<UidSet, Failure> {
        let (places, text) = match term {
            Term::From(text) => (Places::SEEN_FROM, text),
            Term::To(text) => (Places::SEEN_TO, text),
            Term::Cc(text) => (Places::SEEN_CC, text),
            Term::Subject(text) => (Places::SEEN_SUBJECT, text),
            Term::Body(text) => (Places::SEEN_BODY, text),
            Term::Anywhere(text) => (Places::SEEN, text),
            Term::FileName(text) => (Places::FILE_NAME, text),
            Term::HasAttachment => return self.with_files(view, left).await,
            of_row => return Ok(by_row(view, of_row, left)),
        };
        let liked = self.finder.like(places, text).await;
        let parted = liked.part(view, left, &mut |uid, score| {
            *scores.entry(uid.value()).or_default() += u32::from(score);
        });
        let mut found = parted.found;
        found.extend(&self.read(view, &parted.to_read, &Sought::new(places, text)).await?);
        Ok(found)
    }

    /// Those of the newest of `left` that hold what is sought.
    async fn read(&self, view: &Sight, left: &UidSet, sought: &Sought) -> Result<UidSet, Failure> {
        let wanted = Wanted { raw: true, ..Wanted::default() };
        let mut found = UidSet::new();
        let mut contents = self.store.contents(view.mailbox(), newest(left), wanted);
        while let Some(chunk) = contents.next().await {
            for row in chunk? {
                if sought.is_in(&row.raw)
                    && let Some(uid) = Uid::new(row.uid)
                {
                    found.insert(uid);
                }
            }
            // A long search must not keep a worker to itself.
            tokio::task::yield_now().await;
        }
        Ok(found)
    }

    async fn with_files(&self, view: &Sight, left: &UidSet) -> Result<UidSet, Failure> {
        let parted = self.finder.with_files().await.part(view, left);
        let wanted = Wanted { body_structure: true, ..Wanted::default() };
        let mut found = parted.found;
        let mut contents = self.store.contents(view.mailbox(), newest(&parted.to_read), wanted);
        while let Some(chunk) = contents.next().await {
            for row in chunk?.iter().filter(|row| super::list::names_a_file(row)) {
                if let Some(uid) = Uid::new(row.uid) {
                    found.insert(uid);
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(found)
    }
}

/// The newest [`MAX_READ`].
fn newest(left: &UidSet) -> UidSet {
    left.iter().rev().take(MAX_READ).collect::<Vec<_>>().into_iter().rev().collect()
}

fn by_row(view: &Sight, term: &Term, left: &UidSet) -> UidSet {
    let bit = |flag: SystemFlag| view.bit_of(&Flag::System(flag)).unwrap_or(0);
    let day_of = |at: Timestamp| at.seconds().div_euclid(86_400);
    let select = |is_wanted: &dyn Fn(&Row) -> bool| -> UidSet {
        view.read(|rows| rows.select(left).filter(|row| is_wanted(row)).filter_map(|row| row.uid()).collect())
    };
    match term {
        Term::Before(day) => select(&|row| day_of(row.internal_date()) < *day),
        Term::After(day) => select(&|row| day_of(row.internal_date()) >= *day),
        Term::Larger(octets) => select(&|row| u64::from(row.size_octets) > *octets),
        Term::Smaller(octets) => select(&|row| u64::from(row.size_octets) < *octets),
        Term::Is(State::Unread) => select(&|row| row.flags & bit(SystemFlag::Seen) == 0),
        Term::Is(State::Read) => select(&|row| row.flags & bit(SystemFlag::Seen) != 0),
        Term::Is(State::Starred) => select(&|row| row.flags & bit(SystemFlag::Flagged) != 0),
        Term::Is(State::Answered) => select(&|row| row.flags & bit(SystemFlag::Answered) != 0),
        Term::Is(State::Draft) => select(&|row| row.flags & bit(SystemFlag::Draft) != 0),
        Term::Label(name) => {
            let bit = Keyword::parse(name).ok().and_then(|keyword| view.bit_of(&Flag::Keyword(keyword)));
            bit.map_or_else(UidSet::new, |bit| select(&|row| row.flags & bit != 0))
        }
        _ => UidSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_read_as_they_are_typed() {
        let check = |text: &str, expected: &[Term]| {
            assert_eq!(Search::parse(text).map(|search| search.terms).unwrap_or_default(), expected, "{text}");
        };
        let text = |text: &str| Term::Anywhere(text.to_owned());
        check("", &[]);
        check("  lunch  ", &[text("lunch")]);
        check("\"two words\" from:ann", &[text("two words"), Term::From("ann".to_owned())]);
        check(
            "subject:\"two words\" -is:read",
            &[Term::Subject("two words".to_owned()), Term::Not(Box::new(Term::Is(State::Read)))],
        );
        check(
            "is:unread has:attachment larger:2M",
            &[Term::Is(State::Unread), Term::HasAttachment, Term::Larger(2_000_000)],
        );
        check("after:1970-01-02 before:1971", &[Term::After(1), Term::Before(365)]);
        // What is no operator is looked for as it stands.
        check(
            "is:blue http://x from: - after:never",
            &[text("is:blue"), text("http://x"), text("from:"), text("-"), text("after:never")],
        );
        assert_eq!(Search::parse(&"a ".repeat(200)).unwrap().terms.len(), MAX_TERMS);
        check("filename:plan", &[Term::FileName("plan".to_owned())]);
        let within = |text: &str| Search::parse(text).and_then(|search| search.within);
        assert_eq!(within("in:all lunch"), Some(Within::All));
        assert_eq!(within("in:\"My mail\""), Some(Within::Named("My mail".to_owned())));
        assert_eq!(within("lunch"), None);
    }

    #[test]
    fn a_program_is_told_of_what_cannot_be_read() {
        let refused = |text: &str| match Search::read(text) {
            Err(Failure::Unfit(complaints)) => complaints.into_iter().map(|complaint| complaint.why).next(),
            _ => None,
        };
        let misread = |word: &str| Some(Text::new("mail-search-misread").with("word", word));
        for word in ["is:blue", "before:yesterday", "-larger:huge", "from:", "has:wings", "IN:", "-in:sent"] {
            assert_eq!(refused(&format!("lunch {word}")), misread(word), "{word}");
        }
        for text in ["", "lunch", "is:unread -from:ann", "\"is:blue\"", "http://x 12:30", "in:sent lunch"] {
            assert_eq!(Search::read(text), Ok(Search::parse(text)), "{text}");
        }
        for name in OPERATORS.into_iter().filter(|name| *name != "in") {
            let value = match name {
                "before" | "after" | "since" => "2026",
                "larger" | "smaller" => "2M",
                "has" => "file",
                "is" => "read",
                _ => "ann",
            };
            assert!(!is_misread(&format!("{name}:{value}")), "{name} is an operator");
        }
        let many = "a ".repeat(MAX_TERMS);
        assert_eq!(refused(&many), None);
        let too_long = Text::new("mail-search-too-long").with("words", MAX_TERMS).with("characters", MAX_CHARACTERS);
        for text in [format!("{many} a"), "a".repeat(MAX_CHARACTERS + 1)] {
            assert_eq!(refused(&text), Some(too_long.clone()), "{text}");
        }
    }
}
