//! SEARCH (RFC 9051 §6.4.4): each key narrows a set of UIDs. What the view knows costs nothing; the store's words cost a query;
//! texts are read only of what is left.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use relais_imap::command::{Search, SearchKey, SearchReturn, Tag};
use relais_imap::date::Day;
use relais_imap::response::{self, ESearch};
use relais_message::{Needle, Structure, matches_body, matches_header, matches_text};
use relais_model::{ModSeq, Timestamp, Uid, UidSet};
use relais_store::{ContentRow, Field, Row, Store, StoreError, Wanted};

use super::selected::Selected;
use super::{Client, Done, Halt};

/// What a text is looked for in.
enum Place {
    Header(String),
    Body,
    Everywhere,
}

/// Carries out a search in one mailbox.
pub(super) struct Searcher<'a> {
    pub(super) store: &'a Store,
    pub(super) selected: &'a Selected,
    pub(super) now: Timestamp,
}

impl Searcher<'_> {
    /// Those of the client's messages that `key` holds for.
    pub(super) async fn find(&self, key: &SearchKey) -> Result<UidSet, StoreError> {
        let present: UidSet =
            self.selected.view.read(|rows| rows.select(&self.selected.known).filter_map(Row::uid).collect());
        self.among(key, present).await
    }

    /// Those of `candidates` that `key` holds for.
    fn among<'b>(&'b self, key: &'b SearchKey, candidates: UidSet) -> BoxFuture<'b, Result<UidSet, StoreError>> {
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
        let wanted = |row: &&Row| is_wanted(row);
        self.selected.view.read(|rows| rows.select(candidates).filter(wanted).filter_map(Row::uid).collect())
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

    /// A field whose words the store keeps. What the words cannot decide (an empty text asks whether the field is there) the
    /// header does.
    async fn words(&self, field: Field, name: &str, text: &str, candidates: UidSet) -> Result<UidSet, StoreError> {
        if text.is_empty() {
            return self.text(Place::Header(name.to_owned()), text, candidates).await;
        }
        let found = self.store.search_field(self.selected.view.mailbox(), field, &relais_message::fold(text)).await?;
        Ok(found.intersection(&candidates))
    }

    async fn text(&self, place: Place, text: &str, candidates: UidSet) -> Result<UidSet, StoreError> {
        let needle = Needle::new(text);
        let wanted = match place {
            Place::Header(_) => Wanted { head: true, ..Wanted::default() },
            Place::Body | Place::Everywhere => Wanted { raw: true, ..Wanted::default() },
        };
        let matches = |row: &ContentRow| match &place {
            Place::Header(name) => matches_header(&row.head, name, &needle),
            Place::Body => matches_body(&row.raw, &Structure::read(&row.raw), &needle),
            Place::Everywhere => matches_text(&row.raw, &Structure::read(&row.raw), &needle),
        };
        let mut found = UidSet::new();
        let mut contents = self.store.contents(self.selected.view.mailbox(), candidates, wanted);
        while let Some(chunk) = contents.next().await {
            let matching = chunk?;
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
        SearchKey::Not(key) => cost(key),
        SearchKey::Subject(_) | SearchKey::From(_) | SearchKey::To(_) | SearchKey::Cc(_) => 1,
        SearchKey::SentBefore(_) | SearchKey::SentOn(_) | SearchKey::SentSince(_) => 2,
        SearchKey::ThreadId(_) | SearchKey::Bcc(_) | SearchKey::Header { .. } => 3,
        SearchKey::Body(_) | SearchKey::Text(_) => 4,
        _ => 0,
    }
}

impl Client {
    /// SEARCH and UID SEARCH.
    pub(super) async fn search(&mut self, tag: &Tag, search: Search) -> Result<Done, Halt> {
        if search.key.asks_mod_seq() {
            self.enable_condstore();
        }
        let enabled = self.session.enabled();
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let found = self.searcher(selected).find(&search.key).await;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                if search.returns.is_some_and(|returns| returns.save) {
                    self.forget_saved();
                }
                return Err(error.into());
            }
        };
        let mod_seq = search.key.asks_mod_seq().then(|| highest(selected, &found, search.returns)).flatten();
        let numbers = if search.by_uid { found.runs().to_vec() } else { selected.known.positions_of(&found) };
        // RFC 9051 Appendix E: IMAP4rev2 answers with ESEARCH always.
        let returns = search
            .returns
            .or_else(|| enabled.imap4rev2.then_some(SearchReturn { all: true, ..SearchReturn::default() }));
        match returns {
            Some(returns) => {
                let says_something = returns.min || returns.max || returns.all || returns.count;
                if says_something {
                    let found = ESearch {
                        tag,
                        by_uid: search.by_uid,
                        min: numbers.first().map(|run| run.0).filter(|_| returns.min),
                        max: numbers.last().map(|run| run.1).filter(|_| returns.max),
                        count: returns.count.then(|| u32::try_from(found.count()).unwrap_or(u32::MAX)),
                        all: returns.all.then_some(numbers.as_slice()),
                        mod_seq,
                    };
                    response::esearch(&mut self.out, &found);
                }
                if returns.save {
                    self.save(found, returns);
                }
            }
            None => response::search(&mut self.out, numbers.iter().flat_map(|(first, last)| *first..=*last), mod_seq),
        }
        Ok(Done::plain("Searched"))
    }

    /// RFC 9051 §6.4.4.1: a SEARCH RETURN (SAVE) that ends with NO empties `$`.
    pub(super) fn forget_saved(&mut self) {
        if let Some(selected) = self.selected.as_deref_mut() {
            selected.saved = UidSet::new();
        }
    }

    /// RFC 5182 §2.4: with MIN or MAX alone only those are kept.
    fn save(&mut self, found: UidSet, returns: SearchReturn) {
        let Some(selected) = self.selected.as_deref_mut() else { return };
        if returns.all || returns.count || !(returns.min || returns.max) {
            selected.saved = found;
            return;
        }
        let first = found.iter().next().filter(|_| returns.min);
        let last = found.last().filter(|_| returns.max);
        selected.saved = first.into_iter().chain(last).collect();
    }

    pub(super) fn searcher<'a>(&'a self, selected: &'a Selected) -> Searcher<'a> {
        Searcher { store: &self.house.store, selected, now: self.house.clock.now() }
    }
}

/// The MODSEQ that goes with a result (RFC 7162 §3.1.5, §3.1.10): of MIN's or MAX's message where only one of them was asked, else the
/// highest of what is told.
pub(super) fn highest(selected: &Selected, found: &UidSet, returns: Option<SearchReturn>) -> Option<ModSeq> {
    let ends_only = returns.filter(|returns| (returns.min || returns.max) && !returns.all && !returns.count);
    let told: UidSet = match ends_only {
        Some(returns) => {
            let first = found.iter().next().filter(|_| returns.min);
            first.into_iter().chain(found.last().filter(|_| returns.max)).collect()
        }
        None => found.clone(),
    };
    let highest = selected.view.read(|rows| rows.select(&told).map(|row| row.mod_seq).max());
    highest.and_then(ModSeq::new)
}
