//! Who has a run under way: one an account, few in the house.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use relais_model::Secret;
use relais_store::{AccountKey, ImportRun, Store, StoreError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dial::{Dialer, Reach, Target};
use crate::parcel::MESSAGE_OCTETS;
use crate::progress::{Board, Halt, Progress, RunState, Trouble};
use crate::run::{Errand, note};

/// Runs at once.
const MAX_RUNS: usize = 4;

/// Why a run was not begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The account has one under way.
    #[error("a run is under way")]
    UnderWay,
    /// The house has as many as it takes; later there is room.
    #[error("too many runs are under way")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// Whether there is room on the disk, as the doors for mail ask it.
#[derive(Clone)]
pub struct Room(Arc<dyn Fn() -> bool + Send + Sync>);

impl Room {
    /// `is_nearly_gone` is asked before each batch.
    pub fn new(is_nearly_gone: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_nearly_gone))
    }

    pub(crate) fn is_nearly_gone(&self) -> bool {
        (self.0)()
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Room")
    }
}

/// Runs the imports. A cheap clone: all clones are one.
#[derive(Debug, Clone)]
pub struct Movers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    dialer: Dialer,
    room: Room,
    runs: Mutex<HashMap<AccountKey, Arc<Board>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Movers {
    /// Its runs are tasks of `tasks`, and end when `stop` says so.
    pub fn new(store: Store, dialer: Dialer, room: Room, tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { inner: Arc::new(Inner { store, dialer, room, runs: Mutex::default(), tasks, stop }) }
    }

    /// Begins to bring an account's mail. `sealed` says which addresses may be reached, `plain` which of them without TLS.
    ///
    /// # Errors
    /// [`StartError`]: nothing was begun.
    pub async fn start(
        &self,
        account: AccountKey,
        target: Target,
        password: Secret,
        sealed: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
        plain: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    ) -> Result<(), StartError> {
        let inner = &self.inner;
        let now = inner.store.now();
        let run = ImportRun { source: target.source(), started_at: now, changed_at: now, progress: String::new() };
        let board = Arc::new(Board::new(run, inner.stop.child_token()));
        {
            let mut runs = inner.runs.lock().unwrap_or_else(PoisonError::into_inner);
            if runs.contains_key(&account) {
                return Err(StartError::UnderWay);
            }
            if runs.len() >= MAX_RUNS {
                return Err(StartError::Busy);
            }
            runs.insert(account, Arc::clone(&board));
        }
        let errand = Errand {
            store: inner.store.clone(),
            account,
            dialer: inner.dialer.clone(),
            reach: Reach { sealed, plain },
            target,
            password,
            message_octets: MESSAGE_OCTETS,
            room: inner.room.clone(),
            board: Arc::clone(&board),
        };
        if let Err(error) = note(&inner.store, account, &board).await {
            self.forget(account);
            return Err(error.into());
        }
        let movers = self.clone();
        inner.tasks.spawn(async move {
            movers.see_through(&errand).await;
            movers.forget(account);
        });
        Ok(())
    }

    /// Stops an account's run; whether there was one. What was brought stays.
    pub fn stop(&self, account: AccountKey) -> bool {
        let runs = self.inner.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let board = runs.get(&account);
        board.inspect(|board| board.stop.cancel()).is_some()
    }

    /// How an account's run stands, or how its last one ended.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn standing(&self, account: AccountKey) -> Result<Option<(ImportRun, Progress)>, StoreError> {
        let board = self.inner.runs.lock().unwrap_or_else(PoisonError::into_inner).get(&account).cloned();
        if let Some(board) = board {
            return Ok(Some(board.shown()));
        }
        Self::noted(&self.inner.store, account).await
    }

    /// How an account's last run ended, as it is noted, where none can be under way.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn noted(store: &Store, account: AccountKey) -> Result<Option<(ImportRun, Progress)>, StoreError> {
        let Some(run) = store.import_run(account).await? else { return Ok(None) };
        let mut progress: Progress = serde_json::from_str(&run.progress).unwrap_or_default();
        // It ended with its process, before it could say so.
        if progress.state == RunState::Running {
            progress.state = RunState::Stopped;
        }
        Ok(Some((run, progress)))
    }

    fn forget(&self, account: AccountKey) {
        self.inner.runs.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
    }

    async fn see_through(&self, errand: &Errand) {
        let board = &errand.board;
        let ended = tokio::select! {
            // Whatever it was about: what was filed and not noted is found by its content.
            () = board.stop.cancelled() => None,
            ended = errand.run() => Some(ended),
        };
        let account = errand.account.value();
        board.change(|progress| {
            (progress.state, progress.trouble) = match &ended {
                None => (RunState::Stopped, None),
                Some(Ok(())) => (RunState::Done, None),
                Some(Err(halt)) => (RunState::Failed, Some(Trouble::from(halt))),
            };
            progress.folder.clear();
        });
        let brought = board.shown().1.brought;
        match &ended {
            Some(Err(Halt::Store(error))) => {
                tracing::error!(%error, account.key = account, "an import failed at the store");
            }
            Some(Err(halt)) => tracing::info!(%halt, account.key = account, brought, "an import ended early"),
            Some(Ok(())) => tracing::info!(account.key = account, brought, "an import is done"),
            None => tracing::info!(account.key = account, brought, "an import was stopped"),
        }
        if let Err(error) = errand.note().await {
            tracing::error!(%error, account.key = account, "how an import ended could not be noted");
        }
    }
}
