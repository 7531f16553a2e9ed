//! Keeps the index true: reads what the store has and the index hasn't, beside the traffic.
//!
//! The words are taken on a thread of their own, at the lowest priority that the system knows: where mail wants the processor, mail gets
//! it, and the index is late meanwhile. Nobody is told less for that: whoever searches reads what the index doesn't cover.
//!
//! Memory: four messages on their way to the thread, the words of [`HELD_OCTETS`], and what a merge needs.

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

/// Messages that are taken in between two times that the index is kept.
const BATCH: usize = 5000;
/// Keys that are listed at once.
const LISTED: u32 = 2000;
/// Larger messages are looked at themselves by who searches.
const LARGEST_OCTETS: u64 = 32 << 20;
/// Words that are held in memory before they are written: about so many octets.
const HELD_OCTETS: usize = 48 << 20;
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
        Self { finder, folder }
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

    async fn keep_up(&self, scribe: &mut Option<Scribe>) -> Result<(), KeepError> {
        let scribe = match scribe {
            Some(scribe) => scribe,
            None => scribe.insert(Scribe::start(&self.folder, self.finder.shared_snapshot()).await?),
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
                if taken >= BATCH || self.finder.is_rebuild_asked() {
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
    async fn start(folder: &Path, snapshot: Arc<RwLock<Arc<Snapshot>>>) -> Result<Self, KeepError> {
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
                    write(index, &mut asked);
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

/// Does what is asked until nobody asks any more.
fn write(mut index: Index, asked: &mut mpsc::Receiver<Work>) {
    let mut builder = Builder::default();
    while let Some(work) = asked.blocking_recv() {
        let (outcome, done) = match work {
            Work::Take(key, raw) => {
                builder.add(key, raw.as_deref());
                if builder.held_octets() < HELD_OCTETS {
                    continue;
                }
                let complete_to = index.snapshot().complete_to;
                if let Err(error) = index.add(std::mem::take(&mut builder), complete_to) {
                    // Who asks next hears that the thread is gone, and begins anew with what is on the disk.
                    error!(%error, "the search index could not be written");
                    return;
                }
                continue;
            }
            Work::Keep { complete_to, done } => (index.add(std::mem::take(&mut builder), complete_to), done),
            Work::Merge { merge, gone, done } => (index.merge(&merge, &gone), done),
            Work::Clear { done } => {
                builder = Builder::default();
                (index.clear(), done)
            }
        };
        let _unheard = done.send(outcome.map(|()| index.to_merge()));
    }
}
