//! Finds what a search asks for: each key narrows a set of UIDs. What the view knows costs nothing; of words the index tells; texts are read
//! only of what is left, and where the index can't tell.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use relais_finding::{Finder, Places};
use relais_imap::command::SearchKey;
use relais_imap::date::Day;
use relais_message::{Needle, Structure, matches_body, matches_header, matches_text};
use relais_model::{ModSeq, Timestamp, Uid, UidSet};
use relais_store::{ContentRow, Field, Row, Store, StoreError, Wanted};

use super::fuzzy::Scores;
use super::progress::Progress;
use super::selected::Selected;
use crate::House;

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
    store: &'a Store,
    pub(super) finder: &'a Finder,
    pub(super) selected: &'a Selected,
    now: Timestamp,
    progress: &'a Progress,
    /// How well FUZZY keys were met.
    pub(super) scores: Scores,
}

impl<'a> Searcher<'a> {
    pub(super) fn new(house: &'a House, selected: &'a Selected, progress: &'a Progress) -> Self {
        let (store, finder, now) = (&house.store, &house.finder, house.clock.now());
        Self { store, finder, selected, now, progress, scores: Scores::default() }
    }
}

impl Searcher<'_> {
    /// Those of the client's messages that `key` holds for.
    pub(super) async fn find(&self, key: &SearchKey) -> Result<UidSet, StoreError> {
        self.among(key, self.present()).await
    }

    /// The client's messages, as far as they are still there.
    pub(super) fn present(&self) -> UidSet {
        self.selected.view.read(|rows| rows.select(&self.selected.known).filter_map(|row| row.uid()).collect())
    }

    /// Those that `key` names by numbers: all others needn't be looked at.
    pub(super) fn named(&self, key: &SearchKey) -> UidSet {
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
