//! What is asked of the index, by whoever looks into mailboxes.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use relais_message::fold;
use relais_model::{Uid, UidSet};
use relais_store::{Store, StoreError, View};
use tokio::sync::Notify;
use tracing::error;

use crate::ascending::Ascending;
use crate::index::Snapshot;
use crate::keeper::Keeper;
use crate::letter::{HAS_FILE, Places, each_term};
use crate::likeness::Likeness;
use crate::words::{Piece, Pieces, plain, row, trimmed};

/// A message that holds what was asked for word by word in a row is about it.
const ROW_SCORE: u16 = 30;

/// Looks into the index. A cheap clone: all clones are one.
///
/// Without a [`Keeper`] that runs it knows nothing, and says of each message that it must be read.
#[derive(Debug, Clone)]
pub struct Finder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    snapshot: Arc<RwLock<Arc<Snapshot>>>,
    /// All that the store had at the last look is in the index.
    is_current: AtomicBool,
    /// A keeper has begun.
    is_kept: AtomicBool,
    is_rebuild_asked: AtomicBool,
    asked: Notify,
}

/// How the index stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Contents in the index; some may be gone from the store since.
    pub indexed: u64,
    /// Contents in the store.
    pub contents: u64,
    /// Octets of its files.
    pub octets: u64,
    /// How many files.
    pub files: usize,
    /// All that was there at the last look is in it; else it is being made or brought up to date.
    pub is_current: bool,
    /// Somebody keeps it: else nothing is to be waited for.
    pub is_kept: bool,
}

/// Messages of one mailbox, parted by what the index knows of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parted {
    /// They hold what was asked for.
    pub found: UidSet,
    /// They must be read: the index doesn't have them, or can't tell.
    pub to_read: UidSet,
}

/// What the index knows of a text that is asked for, in all mailboxes.
#[derive(Debug)]
pub struct Narrowed {
    snapshot: Arc<Snapshot>,
    /// Contents that hold it, or may; ascending. None: the index can't tell.
    keys: Option<Vec<i64>>,
    is_enough: bool,
}

/// As [`Narrowed`], for a text that people look for: what is like it, and how much.
#[derive(Debug)]
pub struct Liked {
    snapshot: Arc<Snapshot>,
    keys: Option<Vec<(i64, u16)>>,
    is_enough: bool,
}

impl Finder {
    /// Over what `store` holds.
    pub fn new(store: Store) -> Self {
        let inner = Inner {
            store,
            snapshot: Arc::default(),
            is_current: AtomicBool::new(false),
            is_kept: AtomicBool::new(false),
            is_rebuild_asked: AtomicBool::new(false),
            asked: Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Who keeps the index in `folder`. One a house: another would undo what it does.
    pub fn keeper(&self, folder: PathBuf) -> Keeper {
        Keeper::new(self.clone(), folder)
    }

    /// Asks the keeper to make the index anew; searches read messages meanwhile.
    pub fn rebuild(&self) {
        self.inner.is_current.store(false, Ordering::Relaxed);
        self.inner.is_rebuild_asked.store(true, Ordering::Relaxed);
        self.inner.asked.notify_one();
    }

    /// How the index stands.
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let snapshot = self.snapshot();
        Ok(Standing {
            indexed: snapshot.docs(),
            contents: self.inner.store.content_count().await?,
            octets: snapshot.octets(),
            files: snapshot.segments(),
            is_current: self.inner.is_current.load(Ordering::Relaxed),
            is_kept: self.inner.is_kept.load(Ordering::Relaxed),
        })
    }

    /// Which messages hold `text` in `places`, as IMAP means it: anywhere in the text, in any case, blanks and all. What has several words is
    /// to be read where it may stand: what is between them isn't known.
    pub async fn narrow(&self, places: Places, text: &str) -> Narrowed {
        let snapshot = self.snapshot();
        let folded = fold(text);
        let Pieces { all, is_enough } = Pieces::of(&folded);
        if all.is_empty() {
            return Narrowed { snapshot, keys: None, is_enough: false };
        }
        // Who has a field's words may have them in another one.
        let is_enough = is_enough && places != Places::FIELDS;
        // What goes over a tag's end or that of a field's name has one of these there; anything else stands in one text, or in none.
        let row = if folded.contains(['<', '>', ':']) { None } else { whole_row(&folded) };
        let looked_at = Arc::clone(&snapshot);
        let found = self.look(move || find_words(&looked_at, places, row, &all)).await;
        Narrowed { snapshot, keys: found.map(|(keys, _)| keys), is_enough }
    }

    /// Which messages have a file beside their text.
    pub async fn with_files(&self) -> Narrowed {
        self.narrow(Places::FACT, HAS_FILE).await
    }

    /// Which messages hold something like `text` in `places`: without regard to accents, and a word also by its stem. Several words must stand in
    /// a row.
    pub async fn like(&self, places: Places, text: &str) -> Liked {
        let snapshot = self.snapshot();
        let plain = typed(text);
        let Pieces { all, is_enough } = Pieces::of(&plain);
        let looked_at = Arc::clone(&snapshot);
        if is_enough {
            let keys = self.look(move || looked_at.find_like(places, &Likeness::of(&plain, true))).await;
            return Liked { snapshot, keys, is_enough };
        }
        let found = self.look(move || find_words(&looked_at, places, whole_row(&plain), &all)).await;
        let (keys, is_enough) = found.unzip();
        let keys = keys.map(|keys: Vec<i64>| keys.into_iter().map(|key| (key, ROW_SCORE)).collect());
        Liked { snapshot, keys, is_enough: is_enough.unwrap_or_default() }
    }

    /// Runs `work` off the async threads. What fails is said once here, and the index is made anew; the caller reads messages instead.
    async fn look<T: Send + 'static>(&self, work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Option<T> {
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(found)) => return Some(found),
            Ok(Err(error)) => error!(%error, "the search index can't be read, and is made anew"),
            Err(_panicked) => error!("a look into the search index failed, and it is made anew"),
        }
        self.rebuild();
        None
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn shared_snapshot(&self) -> Arc<RwLock<Arc<Snapshot>>> {
        Arc::clone(&self.inner.snapshot)
    }

    pub(crate) fn begin_keeping(&self) {
        self.inner.is_kept.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set_current(&self, is_current: bool) {
        self.inner.is_current.store(is_current, Ordering::Relaxed);
    }

    /// Shows what there is to who watches the house.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; fifteen digits are enough")]
    pub(crate) fn count(&self) {
        let snapshot = self.snapshot();
        metrics::gauge!("relais_index_contents").set(snapshot.docs() as f64);
        metrics::gauge!("relais_index_octets").set(snapshot.octets() as f64);
        let is_current = self.inner.is_current.load(Ordering::Relaxed);
        metrics::gauge!("relais_index_is_current").set(if is_current { 1.0 } else { 0.0 });
    }

    pub(crate) fn is_rebuild_asked(&self) -> bool {
        self.inner.is_rebuild_asked.load(Ordering::Relaxed)
    }

    pub(crate) fn take_rebuild(&self) -> bool {
        self.inner.is_rebuild_asked.swap(false, Ordering::Relaxed)
    }

    pub(crate) async fn rebuild_asked(&self) {
        self.inner.asked.notified().await;
    }
}

impl Narrowed {
    /// What is known of those of `candidates` that `view` shows.
    pub fn part(&self, view: &View, candidates: &UidSet) -> Parted {
        let mut parted = Parted::default();
        let mut known = self.keys.as_deref().map(Ascending::new);
        let mut covered = self.snapshot.covered();
        view.read(|rows| {
            for row in rows.select(candidates) {
                let (Some(uid), key) = (row.uid(), row.message().value()) else { continue };
                let holds = known.as_mut().is_some_and(|known| known.find(key).is_some());
                let is_unknown = known.is_none() || !covered.holds(key);
                place(&mut parted, uid, holds && self.is_enough, holds || is_unknown);
            }
        });
        parted
    }
}

impl Liked {
    /// As [`Narrowed::part`]. `score` hears how much each that is found is about it.
    pub fn part(&self, view: &View, candidates: &UidSet, score: &mut dyn FnMut(Uid, u16)) -> Parted {
        let mut parted = Parted::default();
        let mut known = self.keys.as_deref().map(Ascending::new);
        let mut covered = self.snapshot.covered();
        view.read(|rows| {
            for row in rows.select(candidates) {
                let (Some(uid), key) = (row.uid(), row.message().value()) else { continue };
                let found = known.as_mut().and_then(|known| known.find(key));
                if let Some((_, much)) = found {
                    score(uid, *much);
                }
                let is_unknown = known.is_none() || !covered.holds(key);
                place(&mut parted, uid, found.is_some() && self.is_enough, found.is_some() || is_unknown);
            }
        });
        parted
    }
}

fn place(parted: &mut Parted, uid: Uid, is_found: bool, is_doubtful: bool) {
    if is_found {
        parted.found.insert(uid);
    } else if is_doubtful {
        parted.to_read.insert(uid);
    }
}

/// What people type, as it is compared, without signs around it: who looks for `word,` looks for the word.
fn typed(text: &str) -> String {
    trimmed(&plain(text)).to_owned()
}

/// The words of a folded text, where the index knows of their row: they are several, and none is so long that a word has it in windows.
fn whole_row(folded: &str) -> Option<Vec<Piece>> {
    Some(row(folded)).filter(|row| row.len() > 1 && row.iter().all(Piece::is_short))
}

/// The keys of those that hold the words of `row` in a row, and that they do; or, where that can't be told, of those that hold all `pieces`.
fn find_words(
    snapshot: &Snapshot,
    places: Places,
    row: Option<Vec<Piece>>,
    pieces: &[Piece],
) -> io::Result<(Vec<i64>, bool)> {
    if let Some(row) = row
        && let Some(keys) = snapshot.find_row(places, &row, pieces)?
    {
        return Ok((keys, true));
    }
    Ok((snapshot.find(places, pieces)?, false))
}

/// What people look for, for messages that the index can't speak of: [`Finder::like`] read from a message itself.
pub struct Sought {
    places: Places,
    row: Vec<Piece>,
    /// Of a single word.
    likeness: Option<Likeness>,
}

impl std::fmt::Debug for Sought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sought").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Sought {
    /// `text` in `places`.
    pub fn new(places: Places, text: &str) -> Self {
        let plain = typed(text);
        let likeness = Pieces::of(&plain).is_enough.then(|| Likeness::of(&plain, true));
        Self { places, row: row(&plain), likeness }
    }

    /// Whether a message holds something like it. A text without words is held by none.
    pub fn is_in(&self, raw: &[u8]) -> bool {
        match &self.likeness {
            Some(likeness) => self.is_like(raw, likeness),
            None => self.is_in_row(raw),
        }
    }

    fn is_like(&self, raw: &[u8], likeness: &Likeness) -> bool {
        let mut term = Vec::new();
        let mut is_found = false;
        each_term(raw, &mut |place, _, word| {
            if !is_found && self.places.hold(place as u8) {
                term.clear();
                term.push(place as u8);
                term.extend_from_slice(word.as_bytes());
                is_found = likeness.score(&term).is_some();
            }
        });
        is_found
    }

    /// Whether the words stand in a row.
    fn is_in_row(&self, raw: &[u8]) -> bool {
        // Which words of the row stand here, behind all those before them; and which stood so at the position before. Positions never fall.
        let (mut here, mut before) = (vec![false; self.row.len()], vec![false; self.row.len()]);
        let (mut at, mut is_found) = (0, false);
        each_term(raw, &mut |place, position, word| {
            let Some(position) = position.filter(|_| !is_found && self.places.hold(place as u8)) else { return };
            if position != at {
                std::mem::swap(&mut here, &mut before);
                here.fill(false);
                if position.checked_sub(1) != Some(at) {
                    before.fill(false);
                }
                at = position;
            }
            let may_stand = std::iter::once(true).chain(before.iter().copied());
            for ((piece, stands), may_stand) in self.row.iter().zip(&mut here).zip(may_stand) {
                *stands |= may_stand && piece.fits(word.as_bytes());
            }
            is_found = here.last() == Some(&true);
        });
        is_found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_look_for_is_read_from_a_message() {
        let raw =
            "Subject: Les caf\u{e9}s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Two\r\n <b>words</b> here</p>";
        let check = |text: &str, places: Places, expected: bool| {
            assert_eq!(Sought::new(places, text).is_in(raw.as_bytes()), expected, "{text}");
        };
        check("cafe", Places::SEEN, true);
        check("cafe", Places::SEEN_BODY, false);
        check("word", Places::SEEN_BODY, true);
        check("wording", Places::SEEN_BODY, true);
        check("two words", Places::SEEN, true);
        check("wo words he", Places::SEEN, true);
        check("words two", Places::SEEN, false);
        check("two here", Places::SEEN, false);
        // A word with an accent is one word; a field doesn't go on in the text.
        check("les cafes", Places::SEEN, true);
        check("cafes two", Places::SEEN, false);
        check("html", Places::SEEN, false);
        check("?!", Places::SEEN, false);
    }

    /// A row may begin within what only looked like one; and however often its words stand there, it is known by two positions.
    #[test]
    fn words_that_repeat_are_rows() {
        let raw = format!("Subject: go go go home\r\n\r\n{}", "go ".repeat(300));
        let check = |text: &str, expected: bool| {
            assert_eq!(Sought::new(Places::SEEN, text).is_in(raw.as_bytes()), expected, "{text}");
        };
        check("go go home", true);
        check("go home go", false);
        check("home home", false);
        check(&"go ".repeat(300), true);
        check(&"go ".repeat(301), false);
    }
}
