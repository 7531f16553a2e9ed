//! Keeps the index true: reads what the store has and the index hasn't, beside the traffic.
//!
//! The words are taken on a thread of their own, at the lowest priority that the system knows: where mail wants the processor, mail gets
//! it, and the index is late meanwhile. Nobody is told less for that: whoever searches reads what the index doesn't cover.
//!
//! Memory: four messages on their way to the thread, the words of [`Limits::held_octets`] and of one message more, and what a merge needs.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use relais_store::{Engine, MessageKey, StoreError};
use tokio::select;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::Finder;
use crate::builder::Builder;
use crate::index::{Index, Merge, Snapshot};

/// Keys that are listed at once.
const LISTED: u32 = 2000;
/// Larger messages are looked at themselves by who searches.
const LARGEST_OCTETS: u64 = 32 << 20;
/// Messages on their way to the thread.
const ON_THE_WAY: usize = 4;
/// Between two looks, however much arrives.
const PAUSE: Duration = Duration::from_secs(10);
/// What failed is tried again after this.
const FAILED_PAUSE: Duration = Duration::from_mins(1);
/// A content whose key is so old may yet be committed,
const LATE: Duration = Duration::from_mins(1);
/// and where several nodes write, whose clocks differ.
const LATE_OF_NODES: Duration = Duration::from_mins(10);
/// As nice as can be.
const NICEST: i32 = 19;

/// Who keeps the index.
#[derive(Debug)]
pub struct Keeper {
    finder: Finder,
    folder: PathBuf,
    limits: Limits,
}

/// How much is taken in before it is kept.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Messages between two times that the index is kept.
    batch: usize,
    /// Words that are held in memory before they are written: about so many octets.
    held_octets: usize,
}

impl Limits {
    const HOUSE: Self = Self { batch: 5000, held_octets: 48 << 20 };
}

/// What the thread is asked to do.
enum Work {
    Take(i64, Option<Vec<u8>>),
    Keep { complete_to: i64, done: oneshot::Sender<io::Result<Option<Merge>>> },
    Merge { merge: Merge, gone: HashSet<i64>, done: oneshot::Sender<io::Result<Option<Merge>>> },
    Clear { done: oneshot::Sender<io::Result<Option<Merge>>> },
}

/// Why the index isn't kept.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error("the store could not be read: {0}")]
    Store(#[from] StoreError),
    #[error("the index could not be written: {0}")]
    Index(#[from] io::Error),
    /// The thread is gone.
    #[error("the index's thread has ended")]
    Ended,
}

/// The thread, from the async side. It ends when nobody holds this any more.
struct Scribe {
    work: mpsc::Sender<Work>,
    thread: std::thread::JoinHandle<()>,
}

impl Keeper {
    pub(crate) const fn new(finder: Finder, folder: PathBuf) -> Self {
        Self { finder, folder, limits: Limits::HOUSE }
    }

    /// Brings the index up to date and keeps it so, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.finder.store().changes();
        self.finder.begin_keeping();
        let mut scribe = None;
        loop {
            let kept = select! {
                // Cancel-safe: what isn't kept yet is read again after the next start.
                () = stop.cancelled() => return,
                kept = self.keep_up(&mut scribe) => kept,
            };
            let pause = match kept {
                Ok(()) => PAUSE,
                Err(error) => {
                    error!(%error, "the search index is behind; searches read the messages themselves meanwhile");
                    // The files are read anew, when nobody writes them any more.
                    if let Some(scribe) = scribe.take() {
                        scribe.end().await;
                    }
                    FAILED_PAUSE
                }
            };
            let rest = async {
                sleep(pause).await;
                // Who is late has heard that there were changes.
                matches!(changes.recv().await, Ok(_) | Err(RecvError::Lagged(_)))
            };
            select! {
                () = stop.cancelled() => return,
                () = self.finder.rebuild_asked() => {}
                goes_on = rest => if !goes_on { return },
            }
        }
    }

    /// Takes in all that is there now.
    ///
    /// # Errors
    /// The index is as it was after some step before.
    pub async fn catch_up(&self) -> Result<(), io::Error> {
        let mut scribe = None;
        let kept = self.keep_up(&mut scribe).await.map_err(io::Error::other);
        if let Some(scribe) = scribe {
            scribe.end().await;
        }
        kept
    }

    async fn scribe(&self) -> Result<Scribe, KeepError> {
        Scribe::start(&self.folder, self.finder.shared_snapshot(), self.limits.held_octets).await
    }

    async fn keep_up(&self, scribe: &mut Option<Scribe>) -> Result<(), KeepError> {
        let scribe = match scribe {
            Some(scribe) => scribe,
            None => scribe.insert(self.scribe().await?),
        };
        if self.finder.take_rebuild() {
            info!("the search index is made anew");
            self.finder.set_current(false);
            scribe.ask(|done| Work::Clear { done }).await?;
        }
        while self.take_some(scribe).await? {
            self.finder.count();
            if self.finder.is_rebuild_asked() {
                return Ok(()); // all of it is begun anew
            }
        }
        self.finder.set_current(!self.finder.is_rebuild_asked());
        self.finder.count();
        Ok(())
    }

    /// Takes in some of what isn't there; whether there may be more.
    async fn take_some(&self, scribe: &Scribe) -> Result<bool, KeepError> {
        let (store, snapshot) = (self.finder.store(), self.finder.snapshot());
        let (mut after, mut taken) = (snapshot.complete_to, 0);
        let is_more = 'all: loop {
            let keys = store.content_keys(MessageKey::new(after), LISTED).await?;
            if keys.is_empty() {
                break false;
            }
            for (key, octets) in keys {
                if taken >= self.limits.batch || self.finder.is_rebuild_asked() {
                    break 'all true;
                }
                after = key.value();
                if !snapshot.has(after) {
                    taken += usize::from(self.take(scribe, key, octets).await?);
                }
            }
            if taken == 0 {
                // Many keys that are known already must not keep a worker to themselves.
                tokio::task::yield_now().await;
            }
        };
        let lateness = match store.engine() {
            Engine::Sqlite => LATE,
            Engine::Postgres => LATE_OF_NODES,
        };
        let late = MessageKey::at(store.now().minus(lateness)).value();
        let complete_to = after.min(late).max(snapshot.complete_to);
        if taken == 0 && complete_to == snapshot.complete_to {
            return Ok(is_more);
        }
        let mut merge = scribe.ask(|done| Work::Keep { complete_to, done }).await?;
        while let Some(due) = merge {
            let gone = self.gone(due.keys()?).await?;
            merge = scribe.ask(|done| Work::Merge { merge: due, gone, done }).await?;
        }
        Ok(is_more)
    }

    /// Hands a message to the thread; false where it is gone.
    async fn take(&self, scribe: &Scribe, key: MessageKey, octets: u64) -> Result<bool, KeepError> {
        let raw = if octets > LARGEST_OCTETS {
            None
        } else {
            match self.finder.store().raw(key).await {
                Ok(Some(raw)) => Some(raw),
                Ok(None) => return Ok(false),
                // One that can't be read must not hide the others.
                Err(StoreError::Damaged(error)) => {
                    warn!(message.key = key.value(), %error, "a message could not be read for the search index");
                    None
                }
                Err(error) => return Err(error.into()),
            }
        };
        scribe.work.send(Work::Take(key.value(), raw)).await.map_err(|_gone| KeepError::Ended)?;
        Ok(true)
    }

    /// Those of `keys`, which ascend, that the store no longer has.
    async fn gone(&self, keys: Vec<i64>) -> Result<HashSet<i64>, KeepError> {
        let (Some(first), Some(last)) = (keys.first().copied(), keys.last().copied()) else {
            return Ok(HashSet::new());
        };
        let mut gone: HashSet<i64> = keys.into_iter().collect();
        let mut after = first.saturating_sub(1);
        while after < last {
            let there = self.finder.store().content_keys(MessageKey::new(after), LISTED).await?;
            let Some((end, _)) = there.last().copied() else { break };
            for (key, _) in there {
                gone.remove(&key.value());
            }
            after = end.value();
        }
        Ok(gone)
    }
}

impl Scribe {
    /// Starts the thread; returns when the files are read.
    async fn start(folder: &Path, snapshot: Arc<RwLock<Arc<Snapshot>>>, held_octets: usize) -> Result<Self, KeepError> {
        let (work, mut asked) = mpsc::channel(ON_THE_WAY);
        let (opened, is_open) = oneshot::channel();
        let folder = folder.to_owned();
        let thread = std::thread::Builder::new().name("index".to_owned()).spawn(move || {
            // Of this thread alone, on Linux.
            if let Err(error) = rustix::process::nice(NICEST) {
                warn!(%error, "the index's thread keeps its priority");
            }
            match Index::open(&folder, snapshot) {
                Ok(index) => {
                    let _unheard = opened.send(Ok(()));
                    Pen { index, builder: Builder::default(), held_octets }.write(&mut asked);
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        })?;
        is_open.await.map_err(|_ended| KeepError::Ended)??;
        Ok(Self { work, thread })
    }

    /// Waits until the thread has ended.
    async fn end(self) {
        drop(self.work);
        let ended = tokio::task::spawn_blocking(|| self.thread.join().is_ok()).await;
        if !ended.unwrap_or_default() {
            error!("the index's thread has panicked");
        }
    }

    async fn ask(
        &self,
        work: impl FnOnce(oneshot::Sender<io::Result<Option<Merge>>>) -> Work,
    ) -> Result<Option<Merge>, KeepError> {
        let (done, is_done) = oneshot::channel();
        self.work.send(work(done)).await.map_err(|_ended| KeepError::Ended)?;
        Ok(is_done.await.map_err(|_ended| KeepError::Ended)??)
    }
}

/// What the thread writes with.
struct Pen {
    index: Index,
    /// What isn't written yet.
    builder: Builder,
    /// As [`Limits::held_octets`].
    held_octets: usize,
}

impl Pen {
    /// Does what is asked until nobody asks any more.
    fn write(mut self, asked: &mut mpsc::Receiver<Work>) {
        while let Some(work) = asked.blocking_recv() {
            let (outcome, done) = match work {
                Work::Take(key, raw) => {
                    if let Err(error) = self.take(key, raw.as_deref()) {
                        // Who asks next hears that the thread is gone, and begins anew with what is on the disk.
                        error!(%error, "the search index could not be written");
                        return;
                    }
                    continue;
                }
                Work::Keep { complete_to, done } => (self.keep(complete_to), done),
                Work::Merge { merge, gone, done } => (self.index.merge(&merge, &gone), done),
                Work::Clear { done } => {
                    self.builder = Builder::default();
                    (self.index.clear(), done)
                }
            };
            let _unheard = done.send(outcome.map(|()| self.index.to_merge()));
        }
    }

    /// Takes a message in. What is held is written before it is too much.
    fn take(&mut self, key: i64, raw: Option<&[u8]>) -> io::Result<()> {
        self.builder.add(key, raw);
        if self.builder.held_octets() < self.held_octets {
            return Ok(());
        }
        let complete_to = self.index.snapshot().complete_to;
        self.keep(complete_to)
    }

    fn keep(&mut self, complete_to: i64) -> io::Result<()> {
        self.index.add(std::mem::take(&mut self.builder), complete_to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::House;

    /// However much is taken in, no more words are held than may be, and each message is in the index once.
    #[test]
    fn words_are_written_before_they_are_too_many() {
        const HELD: usize = 256 * 1024;
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), Arc::default()).unwrap();
        let mut pen = Pen { index, builder: Builder::default(), held_octets: HELD };
        let mut most = 0;
        for key in 1..=400_i64 {
            let words: Vec<String> = (0..100).map(|number| format!("word{key}x{number}")).collect();
            pen.take(key, Some(format!("Subject: {key}\r\n\r\n{}", words.join(" ")).as_bytes())).unwrap();
            most = most.max(pen.builder.held_octets());
            assert!(pen.builder.held_octets() < HELD, "{key}");
        }
        assert!(most > HELD / 2, "{most} octets at most");
        // 40,000 words of 200 octets or so.
        let files = pen.index.snapshot().segments();
        assert!((20..60).contains(&files), "{files} files");
        pen.keep(400).unwrap();
        let snapshot = pen.index.snapshot();
        assert_eq!((snapshot.docs(), snapshot.complete_to, pen.builder.is_empty()), (400, 400, true));
    }

    /// While it is being made it is told how far it is; who stops it begins again where it was kept last.
    #[test]
    fn it_is_seen_how_far_it_is_and_goes_on_after_a_stop() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::open(None).await;
            house.append(&(0..25).map(|number| format!("Subject: {number}\r\n\r\nword")).collect::<Vec<_>>()).await;
            let keeper_of = |finder: &Finder| Keeper {
                limits: Limits { batch: 10, ..Limits::HOUSE },
                ..finder.keeper(house.folder())
            };
            let standing = async |finder: &Finder| {
                let standing = finder.standing().await.unwrap();
                (standing.indexed, standing.contents, standing.is_current)
            };
            let finder = Finder::new(house.store.clone());
            assert_eq!(standing(&finder).await, (0, 25, false));
            let keeper = keeper_of(&finder);
            let scribe = keeper.scribe().await.unwrap();
            assert!(keeper.take_some(&scribe).await.unwrap(), "there is more");
            assert_eq!(standing(&finder).await, (10, 25, false));
            // It is stopped with a message in hand.
            scribe.work.send(Work::Take(i64::MAX, None)).await.unwrap();
            scribe.end().await;

            let finder = Finder::new(house.store.clone());
            let keeper = keeper_of(&finder);
            let scribe = keeper.scribe().await.unwrap();
            assert_eq!(standing(&finder).await, (10, 25, false));
            assert!(keeper.take_some(&scribe).await.unwrap(), "there is more");
            assert_eq!(standing(&finder).await, (20, 25, false));
            assert!(!keeper.take_some(&scribe).await.unwrap(), "that was all");
            scribe.end().await;
            keeper.catch_up().await.unwrap();
            assert_eq!(standing(&finder).await, (25, 25, true));
        });
    }
}
