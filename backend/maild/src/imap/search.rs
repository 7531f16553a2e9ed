//! SEARCH (RFC 9051 §6.4.4): each key narrows a set of UIDs. What the view knows costs nothing; of words the index tells; texts are read
//! only of what is left, and where the index can't tell.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use relais_finding::{Finder, Places};
use relais_imap::command::{MailboxFilter, MultiSearch, Search, SearchKey, SearchReturn, Tag};
use relais_imap::date::Day;
use relais_imap::response::{self, Condition, ESearch, Found, ResponseCode};
use relais_imap::sequence::{Bound, SequenceSet};
use relais_imap::sort::SortKey;
use relais_message::{Needle, Structure, matches_body, matches_header, matches_text};
use relais_model::{MailboxName, ModSeq, Rights, Timestamp, Uid, UidSet};
use relais_store::{ContentRow, Field, Row, Store, StoreError, Wanted};

use super::context::{MAX_CONTEXTS, MAX_SORTED, SearchContext};
use super::fuzzy::Scores;
use super::progress::{Progress, Teller};
use super::rights::Shown;
use super::selected::Selected;
use super::{Client, Done, Halt};

/// Mailboxes that one ESEARCH looks into (RFC 7377 §2.4).
const MAX_MAILBOXES: usize = 1000;

/// So few messages are read sooner than the index is asked.
const FEW: u64 = 10;
/// Of so few messages headers are read; of more the store's words are searched, all at once.
const FEW_HEADERS: u64 = 200;

/// What a text is looked for in.
enum Place {
    Header(String),
    Body,
    Everywhere,
}

impl Place {
    /// Where the index knows of it.
    fn in_index(&self) -> Places {
        match self {
            Self::Body => Places::BODY,
            Self::Everywhere => Places::TEXT,
            Self::Header(name) => match name.to_ascii_lowercase().as_str() {
                "subject" => Places::SUBJECT,
                "from" => Places::FROM,
                "to" => Places::TO,
                "cc" => Places::CC,
                _ => Places::FIELDS,
            },
        }
    }
}

/// Carries out a search in one mailbox.
pub(super) struct Searcher<'a> {
    pub(super) store: &'a Store,
    pub(super) finder: &'a Finder,
    pub(super) selected: &'a Selected,
    pub(super) now: Timestamp,
    pub(super) progress: &'a Progress,
    /// How well FUZZY keys were met.
    pub(super) scores: Scores,
}

impl Searcher<'_> {
    /// Those of the client's messages that `key` holds for.
    pub(super) async fn find(&self, key: &SearchKey) -> Result<UidSet, StoreError> {
        self.among(key, self.present()).await
    }

    /// The client's messages, as far as they are still there.
    fn present(&self) -> UidSet {
        self.selected.view.read(|rows| rows.select(&self.selected.known).filter_map(|row| row.uid()).collect())
    }

    /// Those that `key` names by numbers: all others needn't be looked at.
    fn named(&self, key: &SearchKey) -> UidSet {
        let keys = match key {
            SearchKey::And(keys) => keys.as_slice(),
            one => std::slice::from_ref(one),
        };
        keys.iter().fold(self.present(), |left, key| match key {
            SearchKey::Numbers(set) => self.selected.resolve(set, false).intersection(&left),
            SearchKey::Uids(set) => self.selected.resolve(set, true).intersection(&left),
            SearchKey::UidAfter(uid) => self.rows(&left, |row| row.uid > uid.value()),
            SearchKey::UidBefore(uid) => self.rows(&left, |row| row.uid < uid.value()),
            _ => left,
        })
    }

    /// Those of `candidates` that `key` holds for.
    pub(super) fn among<'b>(
        &'b self,
        key: &'b SearchKey,
        candidates: UidSet,
    ) -> BoxFuture<'b, Result<UidSet, StoreError>> {
        async move {
            if candidates.is_empty() {
                return Ok(candidates);
            }
            // Many keys over many rows must not keep a worker to themselves.
            tokio::task::yield_now().await;
            match key {
                SearchKey::All | SearchKey::SaveDateSupported => Ok(candidates),
                SearchKey::And(keys) => {
                    let mut keys: Vec<&SearchKey> = keys.iter().collect();
                    keys.sort_by_key(|key| cost(key));
                    let mut left = candidates;
                    for key in keys {
                        left = self.among(key, left).await?;
                    }
                    Ok(left)
                }
                SearchKey::Or(one, other) => {
                    let mut found = self.among(one, candidates.clone()).await?;
                    let rest = candidates.without(&found);
                    found.extend(&self.among(other, rest).await?);
                    Ok(found)
                }
                SearchKey::Not(key) => {
                    let excluded = self.among(key, candidates.clone()).await?;
                    Ok(candidates.without(&excluded))
                }
                SearchKey::Numbers(set) => Ok(self.selected.resolve(set, false).intersection(&candidates)),
                SearchKey::Uids(set) => Ok(self.selected.resolve(set, true).intersection(&candidates)),
                SearchKey::UidAfter(uid) => Ok(self.rows(&candidates, |row| row.uid > uid.value())),
                SearchKey::UidBefore(uid) => Ok(self.rows(&candidates, |row| row.uid < uid.value())),
                SearchKey::Fuzzy(key) => self.fuzzy(key, candidates).await,
                SearchKey::Recent => Ok(self.selected.recent.intersection(&candidates)),
                SearchKey::Subject(text) => self.words(Field::Subject, "Subject", text, candidates).await,
                SearchKey::From(text) => self.words(Field::From, "From", text, candidates).await,
                SearchKey::To(text) => self.words(Field::To, "To", text, candidates).await,
                SearchKey::Cc(text) => self.words(Field::Cc, "Cc", text, candidates).await,
                SearchKey::Bcc(text) => self.text(Place::Header("Bcc".to_owned()), text, candidates).await,
                SearchKey::Header { name, text } => self.text(Place::Header(name.clone()), text, candidates).await,
                SearchKey::Body(text) => self.text(Place::Body, text, candidates).await,
                SearchKey::Text(text) => self.text(Place::Everywhere, text, candidates).await,
                SearchKey::SentBefore(day) => self.sent(candidates, |sent| sent < *day).await,
                SearchKey::SentOn(day) => self.sent(candidates, |sent| sent == *day).await,
                SearchKey::SentSince(day) => self.sent(candidates, |sent| sent >= *day).await,
                SearchKey::ThreadId(id) => self.thread(candidates, id).await,
                SearchKey::EmailId(id) => Ok(self.rows(&candidates, |row| row.message().email_id() == *id)),
                of_row => Ok(self.by_row(of_row, &candidates)),
            }
        }
        .boxed()
    }

    fn rows(&self, candidates: &UidSet, is_wanted: impl Fn(&Row) -> bool) -> UidSet {
        let wanted = |row: Row| row.uid().filter(|_| is_wanted(&row));
        self.selected.view.read(|rows| rows.select(candidates).filter_map(wanted).collect())
    }

    /// Keys that the view answers.
    fn by_row(&self, key: &SearchKey, candidates: &UidSet) -> UidSet {
        let arrived = |row: &Row| Day::of(row.internal_date());
        let saved = |row: &Row| Day::of(row.saved_at());
        let age = |row: &Row| self.now.since(row.internal_date()).as_secs();
        match key {
            SearchKey::Flag(flag) => match self.selected.view.bit_of(flag) {
                Some(bit) => self.rows(candidates, |row| row.flags & bit != 0),
                None => UidSet::new(),
            },
            SearchKey::Before(day) => self.rows(candidates, |row| arrived(row) < *day),
            SearchKey::On(day) => self.rows(candidates, |row| arrived(row) == *day),
            SearchKey::Since(day) => self.rows(candidates, |row| arrived(row) >= *day),
            SearchKey::SavedBefore(day) => self.rows(candidates, |row| saved(row) < *day),
            SearchKey::SavedOn(day) => self.rows(candidates, |row| saved(row) == *day),
            SearchKey::SavedSince(day) => self.rows(candidates, |row| saved(row) >= *day),
            SearchKey::Larger(octets) => self.rows(candidates, |row| u64::from(row.size_octets) > *octets),
            SearchKey::Smaller(octets) => self.rows(candidates, |row| u64::from(row.size_octets) < *octets),
            SearchKey::Older(seconds) => self.rows(candidates, |row| age(row) >= u64::from(*seconds)),
            SearchKey::Younger(seconds) => self.rows(candidates, |row| age(row) <= u64::from(*seconds)),
            SearchKey::ModSeq(least) => self.rows(candidates, |row| row.mod_seq >= least.map_or(0, ModSeq::value)),
            _ => UidSet::new(),
        }
    }

    /// A field whose words the store keeps, for what the index can't tell: where it is many messages. An empty text asks whether the field is
    /// there: the header knows.
    async fn words(&self, field: Field, name: &str, text: &str, candidates: UidSet) -> Result<UidSet, StoreError> {
        let place = Place::Header(name.to_owned());
        if text.is_empty() || candidates.count() <= FEW {
            return self.read(&place, text, candidates).await;
        }
        let parted = self.finder.narrow(place.in_index(), text).await.part(&self.selected.view, &candidates);
        let mut found = parted.found;
        let rest = if parted.to_read.count() <= FEW_HEADERS {
            self.read(&place, text, parted.to_read).await?
        } else {
            let words = relais_message::fold(text);
            self.store.search_field(self.selected.view.mailbox(), field, &words).await?.intersection(&parted.to_read)
        };
        found.extend(&rest);
        Ok(found)
    }

    async fn text(&self, place: Place, text: &str, candidates: UidSet) -> Result<UidSet, StoreError> {
        if text.is_empty() || candidates.count() <= FEW {
            return self.read(&place, text, candidates).await;
        }
        let parted = self.finder.narrow(place.in_index(), text).await.part(&self.selected.view, &candidates);
        let mut found = parted.found;
        found.extend(&self.read(&place, text, parted.to_read).await?);
        Ok(found)
    }

    /// Those of `candidates` that hold `text`, read one by one.
    async fn read(&self, place: &Place, text: &str, candidates: UidSet) -> Result<UidSet, StoreError> {
        let needle = Needle::new(text);
        let wanted = match place {
            Place::Header(_) => Wanted { head: true, ..Wanted::default() },
            Place::Body | Place::Everywhere => Wanted { raw: true, ..Wanted::default() },
        };
        let matches = |row: &ContentRow| match place {
            Place::Header(name) => matches_header(&row.head, name, &needle),
            Place::Body => matches_body(&row.raw, &Structure::read(&row.raw), &needle),
            Place::Everywhere => matches_text(&row.raw, &Structure::read(&row.raw), &needle),
        };
        let mut found = UidSet::new();
        self.progress.expect(candidates.count());
        let mut contents = self.store.contents(self.selected.view.mailbox(), candidates, wanted);
        while let Some(chunk) = contents.next().await {
            let matching = chunk?;
            self.progress.did(matching.len() as u64);
            matching
                .iter()
                .filter(|row| matches(row))
                .filter_map(|row| Uid::new(row.uid))
                .for_each(|uid| found.insert(uid));
            // A long search must not keep a worker to itself.
            tokio::task::yield_now().await;
        }
        Ok(found)
    }

    /// By the Date: field, disregarding time and zone; a message without one is as old as its arrival.
    async fn sent(&self, candidates: UidSet, is_wanted: impl Fn(Day) -> bool + Send) -> Result<UidSet, StoreError> {
        let days = self.store.sent_days(self.selected.view.mailbox()).await?;
        let wanted = days.into_iter().filter(|(_, day)| is_wanted(Day::from_days(*day)));
        let found: UidSet = wanted.filter_map(|(uid, _)| Uid::new(uid)).collect();
        Ok(found.intersection(&candidates))
    }

    async fn thread(&self, candidates: UidSet, id: &str) -> Result<UidSet, StoreError> {
        let wanted = Wanted { thread_id: true, ..Wanted::default() };
        let mut found = UidSet::new();
        let mut contents = self.store.contents(self.selected.view.mailbox(), candidates, wanted);
        while let Some(chunk) = contents.next().await {
            for row in chunk?.iter().filter(|row| row.thread_id == id) {
                found.extend(&Uid::new(row.uid).into_iter().collect());
            }
        }
        Ok(found)
    }
}

/// What is cheap goes first: it leaves less for the rest.
fn cost(key: &SearchKey) -> u32 {
    match key {
        SearchKey::And(keys) => keys.iter().map(cost).max().unwrap_or(0),
        SearchKey::Or(one, other) => cost(one).max(cost(other)),
        SearchKey::Not(key) | SearchKey::Fuzzy(key) => cost(key),
        SearchKey::Subject(_) | SearchKey::From(_) | SearchKey::To(_) | SearchKey::Cc(_) => 1,
        SearchKey::SentBefore(_) | SearchKey::SentOn(_) | SearchKey::SentSince(_) => 2,
        SearchKey::ThreadId(_) | SearchKey::Bcc(_) | SearchKey::Header { .. } => 3,
        SearchKey::Body(_) | SearchKey::Text(_) => 4,
        _ => 0,
    }
}

/// What is told of what was found.
pub(super) struct Answer<'a> {
    pub(super) tag: &'a Tag,
    pub(super) mailbox: Option<Found<'a>>,
    pub(super) by_uid: bool,
    pub(super) returns: &'a SearchReturn,
    pub(super) mod_seq: Option<ModSeq>,
}

impl Answer<'_> {
    /// Writes the ESEARCH of what a search found: in the mailbox's order, whole runs at once.
    pub(super) fn tell(&self, out: &mut Vec<u8>, found: &UidSet, known: &UidSet, scores: &Scores) {
        let numbers = |uids: &UidSet| if self.by_uid { uids.runs().to_vec() } else { known.positions_of(uids) };
        let all = numbers(found);
        let part = self.returns.partial.map(|range| (range, part_of(found, range)));
        let told = part.as_ref().map_or(found, |(_, part)| part);
        let relevancy: Vec<u8> =
            if self.returns.relevancy { scores.of(told.iter().map(Uid::value)) } else { Vec::new() };
        let part = part.as_ref().map(|(range, part)| (*range, numbers(part)));
        response::esearch(
            out,
            &ESearch {
                tag: self.tag,
                mailbox: self.mailbox,
                by_uid: self.by_uid,
                min: all.first().map(|run| run.0).filter(|_| self.returns.min),
                max: all.last().map(|run| run.1).filter(|_| self.returns.max),
                count: self.returns.count.then(|| u32::try_from(found.count()).unwrap_or(u32::MAX)),
                all: self.returns.all.then_some(all.as_slice()),
                partial: part.as_ref().map(|(range, runs)| (*range, runs.as_slice())),
                relevancy: self.returns.relevancy.then_some(relevancy.as_slice()),
                mod_seq: self.mod_seq,
            },
        );
    }
}

/// Those at these places.
fn part_of(found: &UidSet, range: relais_imap::partial::PartialRange) -> UidSet {
    let places = range.of(usize::try_from(found.count()).unwrap_or(usize::MAX));
    let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    if places.is_empty() {
        return UidSet::new();
    }
    found.at_positions(&[(place(places.start + 1), place(places.end))])
}

impl Client {
    /// SEARCH and UID SEARCH.
    pub(super) async fn search(&mut self, tag: &Tag, search: Search) -> Result<Done, Halt> {
        let Search { by_uid, returns, key } = search;
        self.search_here(tag, by_uid, None, returns, key).await
    }

    /// A search in the mailbox that is open; `name`: it is told, and where nothing was found nothing is (RFC 7377 §2.1).
    async fn search_here(
        &mut self,
        tag: &Tag,
        by_uid: bool,
        name: Option<MailboxName>,
        returns: Option<SearchReturn>,
        key: SearchKey,
    ) -> Result<Done, Halt> {
        if key.asks_mod_seq() {
            self.enable_condstore();
        }
        self.must_be_new(tag, returns.as_ref())?;
        let found = self.find_newest(tag, &key).await;
        let (found, scores, beyond) = match found {
            Ok(found) => found,
            Err(halt) => {
                if returns.is_some_and(|returns| returns.save) {
                    self.forget_saved();
                }
                return Err(halt);
            }
        };
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let mod_seq = key.asks_mod_seq().then(|| highest(selected, &found, returns.as_ref())).flatten();
        // RFC 9051 Appendix E: IMAP4rev2 answers with ESEARCH always.
        let returns = returns.or_else(|| self.session.enabled().imap4rev2.then(SearchReturn::all));
        let Some(returns) = returns else {
            let numbers = if by_uid { found.runs().to_vec() } else { selected.known.positions_of(&found) };
            let numbers = numbers.iter().flat_map(|(first, last)| *first..=*last);
            response::search(&mut self.out, numbers, mod_seq);
            return Ok(Done { code: beyond, text: "Searched" });
        };
        if returns.tells_something() && !(name.is_some() && found.is_empty()) {
            let (uid_validity, utf8) = (selected.view.uid_validity(), self.session.enabled().utf8());
            let mailbox = name.as_ref().map(|name| Found { name, uid_validity, utf8 });
            let answer = Answer { tag, mailbox, by_uid, returns: &returns, mod_seq };
            answer.tell(&mut self.out, &found, &selected.known, &scores);
        }
        if let Some(items) = &returns.update {
            let context = SearchContext {
                tag: tag.clone(),
                by_uid,
                key,
                items: items.clone(),
                found: found.clone(),
                sorted: None,
            };
            self.keep_search(context);
        }
        if returns.save {
            self.save(found, &returns);
        }
        Ok(Done { code: beyond, text: "Searched" })
    }

    /// What `key` holds for in the mailbox that is open, and how well FUZZY was met.
    pub(super) async fn find(&mut self, tag: &Tag, key: &SearchKey) -> Result<(UidSet, Scores), Halt> {
        self.find_among(tag, key, None).await
    }

    /// The same among as many as one command is given (RFC 9738 §3.1), with the code where that isn't all.
    async fn find_newest(
        &mut self,
        tag: &Tag,
        key: &SearchKey,
    ) -> Result<(UidSet, Scores, Option<ResponseCode<'static>>), Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        if selected.known.count() <= u64::from(self.house.limits.imap_messages) {
            let (found, scores) = self.find(tag, key).await?;
            return Ok((found, scores, None));
        }
        let progress = Progress::default();
        let (store, finder, now) = (&self.house.store, &self.house.finder, self.house.clock.now());
        let searcher = Searcher { store, finder, selected, now, progress: &progress, scores: Scores::default() };
        let (newest, beyond) = self.within_limit(searcher.named(key));
        let (found, scores) = self.find_among(tag, key, Some(newest)).await?;
        Ok((found, scores, beyond))
    }

    async fn find_among(
        &mut self,
        tag: &Tag,
        key: &SearchKey,
        candidates: Option<UidSet>,
    ) -> Result<(UidSet, Scores), Halt> {
        let Self { house, selected, wire, out, session, .. } = self;
        let selected = selected.as_deref().ok_or_else(Halt::not_selected)?;
        let progress = Progress::default();
        let (store, finder, now) = (&house.store, &house.finder, house.clock.now());
        let searcher = Searcher { store, finder, selected, now, progress: &progress, scores: Scores::default() };
        let wire = wire.as_mut().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected))?;
        let (stall, every) = (house.limits.write_stall, house.limits.imap_progress);
        let candidates = candidates.unwrap_or_else(|| searcher.present());
        let search = searcher.among(key, candidates);
        let teller = Teller { tag, language: session.language(), out, wire, stall, every };
        let found = teller.watch(&progress, search).await??;
        Ok((found, searcher.scores))
    }

    /// ESEARCH (RFC 7377).
    pub(super) async fn multi_search(&mut self, tag: &Tag, search: MultiSearch) -> Result<Done, Halt> {
        let MultiSearch { mailboxes, returns, key } = search;
        if mailboxes.iter().all(|filter| *filter == MailboxFilter::Selected) {
            let open = self.selected.as_deref().ok_or_else(Halt::not_selected)?.view.mailbox();
            let shown = self.shown().await?.into_iter().find(|shown| shown.status.mailbox.key == open);
            let name = shown.ok_or_else(Halt::no_mailbox)?.status.mailbox.name;
            return self.search_here(tag, true, Some(name), Some(returns), key).await;
        }
        if returns.update.is_some() {
            return Err(Halt::bad("UPDATE is for the selected mailbox alone")); // RFC 7377 §2.2
        }
        let open = self.selected.as_deref().map(|selected| selected.view.mailbox());
        let wants_open = mailboxes.contains(&MailboxFilter::Selected);
        if wants_open && open.is_none() {
            return Err(Halt::not_selected());
        }
        if key.asks_mod_seq() {
            self.enable_condstore();
        }
        let mut shown = self.shown().await?;
        shown.retain(|Shown { status, rights }| {
            let mailbox = &status.mailbox;
            let is_open = wants_open && open == Some(mailbox.key);
            let is_meant = mailboxes.iter().any(|filter| filter.means(&mailbox.name, mailbox.is_subscribed));
            rights.has(Rights::READ) && (is_open || is_meant)
        });
        if shown.len() > MAX_MAILBOXES {
            return Err(Halt::no(ResponseCode::Limit, "Too many mailboxes at once"));
        }
        let progress = Progress::default();
        let account = self.account()?;
        for Shown { status, .. } in shown {
            let name = status.mailbox.name;
            let Some(view) = self.house.store.sight(account, status.mailbox.key).await? else { continue };
            // As it stands, whatever the client knows of it: the answer is in UIDs.
            let selected = Selected::open(&self.house.store, view, true);
            let Self { house, wire, out, session, .. } = &mut *self;
            let (store, finder, now) = (&house.store, &house.finder, house.clock.now());
            let searcher =
                Searcher { store, finder, selected: &selected, now, progress: &progress, scores: Scores::default() };
            let wire = wire.as_mut().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected))?;
            let (stall, every) = (house.limits.write_stall, house.limits.imap_progress);
            let language = session.language();
            let teller = Teller { tag, language, out: &mut *out, wire, stall, every };
            let found = teller.watch(&progress, searcher.find(&key)).await??;
            if found.is_empty() {
                continue;
            }
            let mod_seq = key.asks_mod_seq().then(|| highest(&selected, &found, Some(&returns))).flatten();
            let utf8 = session.enabled().utf8();
            let mailbox = Some(Found { name: &name, uid_validity: selected.view.uid_validity(), utf8 });
            let answer = Answer { tag, mailbox, by_uid: true, returns: &returns, mod_seq };
            answer.tell(out, &found, &selected.known, &searcher.scores);
        }
        Ok(Done::plain("Searched"))
    }

    /// RFC 5267 §4.3: a tag names one search that is kept.
    pub(super) fn must_be_new(&self, tag: &Tag, returns: Option<&SearchReturn>) -> Result<(), Halt> {
        let updates = returns.is_some_and(|returns| returns.update.is_some());
        let is_taken = |selected: &Selected| selected.contexts.iter().any(|context| context.tag == *tag);
        if updates && self.selected.as_deref().is_some_and(is_taken) {
            return Err(Halt::bad("A search of this tag is kept already"));
        }
        Ok(())
    }

    /// Keeps a search, if there is room for it.
    pub(super) fn keep_search(&mut self, mut context: SearchContext) {
        let Some(selected) = self.selected.as_deref_mut() else { return };
        let is_large = context.sorted.as_ref().is_some_and(|(_, order)| order.len() > MAX_SORTED);
        if is_large || selected.contexts.len() >= MAX_CONTEXTS {
            let code = ResponseCode::NoUpdate(&context.tag);
            let text = self.session.say("It is too much to keep");
            return response::condition(&mut self.out, Condition::No, Some(&code), text);
        }
        let freeze = |set: &SequenceSet| {
            let uids = selected.resolve(set, false);
            let bound = |(first, last): &(u32, u32)| (Bound::Number(*first), Bound::Number(*last));
            SequenceSet::Ranges(uids.runs().iter().map(bound).collect())
        };
        context.key = context.key.frozen(&freeze);
        selected.contexts.push(context);
    }

    /// CANCELUPDATE (RFC 5267 §4.3.5).
    pub(super) fn cancel_update(&mut self, tags: &[Tag]) -> Result<Done, Halt> {
        let selected = self.selected.as_deref_mut().ok_or_else(Halt::not_selected)?;
        if !tags.iter().all(|tag| selected.contexts.iter().any(|context| context.tag == *tag)) {
            return Err(Halt::bad("No search of this tag is kept"));
        }
        selected.contexts.retain(|context| !tags.contains(&context.tag));
        Ok(Done::plain("No further updates"))
    }

    /// Looks at what came or changed in the eyes of each search that is kept, and tells what is new.
    pub(super) async fn update_contexts(&mut self, arrived: &UidSet, flagged: &UidSet) -> Result<(), Halt> {
        let mut changed = arrived.clone();
        changed.extend(flagged);
        let Some(selected) = self.selected.as_deref_mut().filter(|_| !changed.is_empty()) else { return Ok(()) };
        let contexts = std::mem::take(&mut selected.contexts);
        for mut context in contexts {
            match self.update_context(&mut context, arrived, &changed).await {
                Ok(()) => {
                    if let Some(selected) = self.selected.as_deref_mut() {
                        selected.contexts.push(context);
                    }
                }
                Err(Halt::Refuse(..)) => {
                    let code = ResponseCode::NoUpdate(&context.tag);
                    let text = self.session.say("It can be kept no longer");
                    response::condition(&mut self.out, Condition::No, Some(&code), text);
                }
                Err(wire) => return Err(wire),
            }
        }
        Ok(())
    }

    async fn update_context(
        &mut self,
        context: &mut SearchContext,
        arrived: &UidSet,
        changed: &UidSet,
    ) -> Result<(), Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let changed = changed.intersection(&selected.known);
        let progress = Progress::default();
        let (store, finder, now) = (&self.house.store, &self.house.finder, self.house.clock.now());
        let searcher = Searcher { store, finder, selected, now, progress: &progress, scores: Scores::default() };
        let found = searcher.among(&context.key, changed.clone()).await?;
        let new = found.without(&context.found);
        let order = match &context.sorted {
            Some((keys, _)) if !new.is_empty() => {
                let mut all = context.found.without(&changed.without(&found));
                all.extend(&new);
                self.order_of(&all, keys).await?
            }
            _ => Vec::new(),
        };
        if order.len() > MAX_SORTED {
            return Err(Halt::no(ResponseCode::Limit, "too much"));
        }
        let fresh = new.intersection(arrived);
        if !context.items.is_empty() && !fresh.is_empty() {
            self.tell_new(&context.items, &fresh).await?;
        }
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        context.remove(&mut self.out, &changed.without(&found), &selected.known);
        context.add(&mut self.out, &new, order, &selected.known);
        Ok(())
    }

    /// UIDs in the order of these keys.
    async fn order_of(&self, uids: &UidSet, keys: &[SortKey]) -> Result<Vec<u32>, Halt> {
        let found = self.gather(uids, &Scores::default()).await?;
        Ok(super::order::in_order(found, keys.to_vec()).await)
    }

    /// RFC 9051 §6.4.4.1: a SEARCH RETURN (SAVE) that ends with NO empties `$`.
    pub(super) fn forget_saved(&mut self) {
        if let Some(selected) = self.selected.as_deref_mut() {
            selected.saved = UidSet::new();
        }
    }

    /// RFC 5182 §2.4, RFC 9394 §3.2: without COUNT and ALL only what is told by PARTIAL, MIN and MAX is kept.
    fn save(&mut self, found: UidSet, returns: &SearchReturn) {
        let Some(selected) = self.selected.as_deref_mut() else { return };
        let tells_part = returns.min || returns.max || returns.partial.is_some();
        if returns.all || returns.count || !tells_part {
            selected.saved = found;
            return;
        }
        let mut saved = returns.partial.map(|range| part_of(&found, range)).unwrap_or_default();
        let first = found.iter().next().filter(|_| returns.min);
        let last = found.last().filter(|_| returns.max);
        saved.extend(&first.into_iter().chain(last).collect());
        selected.saved = saved;
    }
}

/// The MODSEQ that goes with a result (RFC 7162 §3.1.5, §3.1.10): of MIN's or MAX's message where only one of them was asked, else the
/// highest of what is told.
pub(super) fn highest(selected: &Selected, found: &UidSet, returns: Option<&SearchReturn>) -> Option<ModSeq> {
    let tells_part = |returns: &&SearchReturn| {
        (returns.min || returns.max || returns.partial.is_some()) && !returns.all && !returns.count
    };
    let told: UidSet = match returns.filter(tells_part) {
        Some(returns) => {
            let mut told = returns.partial.map(|range| part_of(found, range)).unwrap_or_default();
            let first = found.iter().next().filter(|_| returns.min);
            told.extend(&first.into_iter().chain(found.last().filter(|_| returns.max)).collect());
            told
        }
        None => found.clone(),
    };
    let highest = selected.view.read(|rows| rows.select(&told).map(|row| row.mod_seq).max());
    highest.and_then(ModSeq::new)
}
