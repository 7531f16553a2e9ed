//! The writer: the one task that changes mail.
//!
//! It takes all that waits, runs it as one transaction of few multi-row statements, commits once, brings the views up to date
//! and answers all. Idle, it commits at once; under load many share one disk flush. What cannot be done (no quota, no
//! mailbox) is found before anything is written and answered alone. Where the transaction itself fails, its items are run
//! one by one, so that a failing item never fails its neighbours. Where a server broke off before it answered COMMIT, it is
//! asked what became of the transaction: what was committed must not be done twice.

mod arrive;
mod batch;
mod copy;
mod expunge;
mod flags;
mod replace;
mod restore;
mod seen;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use relais_model::{Clock, ModSeq, Uid, UidSet};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Executor};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::engine::{self, Checkpoints, Engine, Log};
use crate::error::StoreError;
use crate::key::{Keys, MailboxKey, MessageKey};
use crate::message::{
    Acceptance, Accepted, Append, Appended, ChangeError, Copied, Expunged, FlagChange, FlagsStored, Replaced, Settling,
};
use crate::names::Names;
use crate::queue::Refused;
use crate::sharing::Reach;
use crate::transaction::Transaction;
use crate::view::{MailboxChange, Views};

use batch::{Answer, Batch, Known};

/// Pieces of work that may wait; who comes later waits before them.
const QUEUE_LENGTH: usize = 1024;
/// Pieces of work in one transaction.
const BATCH_LENGTH: usize = 256;
/// How long marks of recency wait for company.
const RECENT_PATIENCE: Duration = Duration::from_secs(1);
/// How long a server that broke off at COMMIT is waited for.
const DOUBT_PATIENCE: Duration = Duration::from_mins(1);
/// Between two questions to it.
const DOUBT_PAUSE: Duration = Duration::from_millis(50);
/// Transactions between two looks at the length of SQLite's log.
const CHECKPOINT_EVERY: u32 = 64;

type Reply<T> = oneshot::Sender<T>;

/// One piece of work.
pub(crate) enum Op {
    Accept(Vec<Acceptance>, Reply<Result<Vec<Accepted>, StoreError>>),
    Append {
        mailbox: Reach,
        messages: Vec<Append>,
        reply: Reply<Result<Appended, ChangeError>>,
    },
    Flags {
        mailbox: Reach,
        uids: UidSet,
        change: FlagChange,
        unchanged_since: Option<ModSeq>,
        reply: Reply<Result<FlagsStored, ChangeError>>,
    },
    Expunge {
        mailbox: Reach,
        only: Option<UidSet>,
        reply: Reply<Result<Expunged, ChangeError>>,
    },
    Copy {
        from: Reach,
        uids: UidSet,
        to: Reach,
        removes: bool,
        reply: Reply<Result<Copied, ChangeError>>,
    },
    Replace {
        from: Reach,
        uid: Uid,
        to: Reach,
        message: Box<Append>,
        reply: Reply<Result<Replaced, ChangeError>>,
    },
    Restore {
        messages: Vec<MessageKey>,
        to: MailboxKey,
        reply: Reply<Result<u64, ChangeError>>,
    },
    Settle(Box<Settling>, Reply<Result<(), StoreError>>),
    Refused(Box<Refused>, Reply<Result<(), StoreError>>),
    /// The marks of recency that wait in the handle are to be written.
    Recent,
}

/// What may be sent to the writer.
enum Task {
    /// Shares its transaction with others.
    Mail(Op),
    /// Anything else that writes, in a transaction of its own.
    Act(Act),
    /// What came before is done; nothing comes after.
    Close,
}

/// Work that writes by itself; it gets its transaction, or hears why that could not begin.
type Act = Box<dyn for<'c> FnOnce(Result<&'c mut AnyConnection, StoreError>) -> BoxFuture<'c, Acted> + Send>;

/// What such work came to.
pub(crate) struct Acted {
    /// Else it is rolled back.
    commits: bool,
    changes: Vec<MailboxChange>,
    /// Answers the caller, once it is known whether the commit went well.
    answer: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

/// How others reach the writer.
#[derive(Debug)]
pub(crate) struct WriterHandle {
    work: mpsc::Sender<Task>,
    /// Marks of recency that wait for the writer's next transaction.
    recent: Arc<Mutex<HashMap<MailboxKey, u32>>>,
}

/// What the writer works with.
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) pool: AnyPool,
    pub(crate) checkpoints: Option<Checkpoints>,
    pub(crate) views: Arc<Views>,
    pub(crate) names: Arc<Names>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue_woken: Arc<Notify>,
}

pub(crate) fn start(parts: Parts, tasks: &TaskTracker) -> WriterHandle {
    let (work, waiting) = mpsc::channel(QUEUE_LENGTH);
    let recent = Arc::default();
    let writer = Writer {
        parts,
        waiting,
        recent: Arc::clone(&recent),
        tasks: tasks.clone(),
        log: Arc::default(),
        commits: 0,
        connection: None,
        known: Known::default(),
    };
    tasks.spawn(writer.run());
    WriterHandle { work, recent }
}

impl WriterHandle {
    pub(crate) async fn send(&self, op: Op) -> Result<(), StoreError> {
        self.work.send(Task::Mail(op)).await.map_err(|_closed| StoreError::Closed)
    }

    /// Runs `act` in a transaction of its own; `split` tells its value from the news that it makes.
    pub(crate) async fn act<R, T, E>(
        &self,
        act: impl for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<R, E>> + Send + 'static,
        split: fn(R) -> (T, Vec<MailboxChange>),
    ) -> Result<T, E>
    where
        R: Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answered) = oneshot::channel::<Result<T, E>>();
        let act: Act = Box::new(move |begun| {
            Box::pin(async move {
                let done = match begun {
                    Ok(tx) => act(tx).await,
                    Err(error) => Err(error.into()),
                };
                let (done, changes) = match done {
                    Ok(value) => {
                        let (value, changes) = split(value);
                        (Ok(value), changes)
                    }
                    Err(error) => (Err(error), Vec::new()),
                };
                let commits = done.is_ok();
                let answer = move |committed: Result<(), StoreError>| {
                    let told = done.and_then(|value| committed.map(|()| value).map_err(E::from));
                    // Whoever asked may have gone; the work is done all the same.
                    let _gone = reply.send(told);
                };
                Acted { commits, changes, answer: Box::new(answer) }
            })
        });
        self.work.send(Task::Act(act)).await.map_err(|_closed| E::from(StoreError::Closed))?;
        answered.await.map_err(|_closed| E::from(StoreError::Closed))?
    }

    /// Leaves a mark of recency for the writer's next transaction, whatever that is for.
    pub(crate) fn note_recent(&self, mailbox: MailboxKey, from: u32) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.insert(mailbox, from);
        drop(recent);
        // A full queue has transactions enough to take it along.
        let _taken_along = self.work.try_send(Task::Mail(Op::Recent));
    }

    /// The mark of recency that the database doesn't have yet.
    pub(crate) fn waiting_recent(&self, mailbox: MailboxKey) -> Option<u32> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).get(&mailbox).copied()
    }

    pub(crate) async fn close(&self) {
        // Closed twice: the second finds nobody.
        let _gone = self.work.send(Task::Close).await;
    }
}

/// Why a transaction failed.
struct Failed {
    error: StoreError,
    /// It may have been committed all the same: done again, it might be done twice.
    is_in_doubt: bool,
}

impl<E: Into<StoreError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: error.into(), is_in_doubt: false }
    }
}

struct Writer {
    parts: Parts,
    waiting: mpsc::Receiver<Task>,
    recent: Arc<Mutex<HashMap<MailboxKey, u32>>>,
    tasks: TaskTracker,
    /// As the last checkpoint left it.
    log: Arc<Mutex<Log>>,
    commits: u32,
    connection: Option<PoolConnection<Any>>,
    /// What the last transaction left; on PostgreSQL nothing, for other nodes write, too.
    known: Known,
}

impl Writer {
    async fn run(mut self) {
        let mut tasks = Vec::with_capacity(BATCH_LENGTH);
        while self.waiting.recv_many(&mut tasks, BATCH_LENGTH).await > 0 {
            if tasks.iter().all(|task| matches!(task, Task::Mail(Op::Recent))) {
                // Not worth a transaction of their own, if anything else comes soon.
                let _came = timeout(RECENT_PATIENCE, self.waiting.recv_many(&mut tasks, BATCH_LENGTH)).await;
            }
            let mut mail = Vec::with_capacity(tasks.len());
            for task in tasks.drain(..) {
                match task {
                    Task::Mail(op) => mail.push(op),
                    Task::Act(act) => {
                        self.run_mail(std::mem::take(&mut mail)).await;
                        self.run_act(act).await;
                    }
                    Task::Close => self.waiting.close(),
                }
            }
            self.run_mail(mail).await;
            self.checkpoint().await;
        }
        self.run_mail(vec![Op::Recent]).await;
        self.connection = None;
        self.parts.pool.close().await;
        if let Some(checkpoints) = &self.parts.checkpoints {
            checkpoints.close().await;
        }
    }

    /// All in one transaction; if that fails, one by one.
    async fn run_mail(&mut self, ops: Vec<Op>) {
        if ops.is_empty() {
            return;
        }
        match self.transact(&ops).await {
            Ok(answers) => ops.into_iter().zip(answers).for_each(|(op, answer)| op.answer(Ok(answer))),
            Err(Failed { error, is_in_doubt }) if is_in_doubt || ops.len() == 1 => self.fail(ops, &error),
            Err(Failed { error, .. }) => {
                tracing::warn!(%error, items = ops.len(), "a batch failed; its items are tried one by one");
                for op in ops {
                    match self.transact(std::slice::from_ref(&op)).await {
                        Ok(answers) => {
                            if let Some(answer) = answers.into_iter().next() {
                                op.answer(Ok(answer));
                            }
                        }
                        Err(Failed { error, .. }) => self.fail(vec![op], &error),
                    }
                }
            }
        }
    }

    fn fail(&self, ops: Vec<Op>, error: &StoreError) {
        tracing::error!(%error, engine = ?self.parts.engine, "the store could not write");
        for op in ops {
            op.answer(Err(error.clone()));
        }
    }

    async fn transact(&mut self, ops: &[Op]) -> Result<Vec<Answer>, Failed> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let begun_at = tokio::time::Instant::now();
        // Whatever fails below leaves nothing known.
        let known = std::mem::take(&mut self.known);
        let mut connection = self.connection().await?;
        let mut tx = Transaction::new(&mut connection, self.parts.engine);
        let done = async {
            let mut batch = Batch::new(&mut tx, &self.parts, known);
            let answers = batch.run(ops, &recent).await?;
            let finished = batch.finish();
            let number = tx.number().await?;
            Ok::<_, StoreError>((answers, finished, number, tx.commit().await))
        };
        let done = done.await;
        let is_done = matches!(done, Ok((.., Ok(()))));
        if !is_done && tx.is_begun() && roll_back(self.parts.engine, &mut connection).await.is_err() {
            // A connection that cannot even do that is of no use.
            drop(connection.close().await);
        } else {
            self.connection = Some(connection);
        }
        let (answers, finished, number, committed) = done?;
        if let Err(error) = committed {
            self.resolve_doubt(number, error, &finished.changes).await?;
        }
        metrics::histogram!("relais_store_commit_seconds").record(begun_at.elapsed());
        metrics::histogram!("relais_store_batch_size").record(u32::try_from(ops.len()).unwrap_or(u32::MAX));
        self.commits += 1;
        let mut waiting = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|mailbox, from| recent.get(mailbox) != Some(from));
        drop(waiting);
        if self.parts.engine.is_ours_alone() {
            self.known = finished.known;
        }
        self.parts.views.publish(finished.changes);
        if finished.is_queued {
            self.parts.queue_woken.notify_one();
        }
        Ok(answers)
    }

    /// After a COMMIT that failed: fine where the transaction was committed all the same, and only its answer was lost. Where that
    /// isn't to be learnt, nobody goes on with a view of what it would have changed.
    async fn resolve_doubt(
        &mut self,
        number: Option<String>,
        error: sqlx::Error,
        changes: &[MailboxChange],
    ) -> Result<(), Failed> {
        let Some(number) = number else { return Err(error.into()) };
        let give_up_at = tokio::time::Instant::now() + DOUBT_PATIENCE;
        while tokio::time::Instant::now() < give_up_at {
            match self.was_committed(&number).await {
                Ok(Some(true)) => {
                    tracing::warn!(%error, "the answer to COMMIT was lost; the transaction was committed");
                    return Ok(());
                }
                Ok(Some(false)) => return Err(error.into()),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "the database doesn't say yet what became of a transaction"),
            }
            tokio::time::sleep(DOUBT_PAUSE).await;
        }
        self.parts.views.let_go(changes);
        Err(Failed { error: error.into(), is_in_doubt: true })
    }

    async fn was_committed(&mut self, number: &str) -> Result<Option<bool>, sqlx::Error> {
        let mut connection = self.connection().await?;
        let answer = engine::was_committed(&mut connection, number).await;
        if answer.is_ok() {
            self.connection = Some(connection);
        } else {
            drop(connection.close().await);
        }
        answer
    }

    /// The one connection that writes. Kept: the pool looks at a connection each time it is given back, which takes as long
    /// as a statement.
    async fn connection(&mut self) -> Result<PoolConnection<Any>, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.parts.pool.acquire().await,
        }
    }

    async fn run_act(&mut self, act: Act) {
        // It may change what is known here.
        self.known = Known::default();
        let (acted, number, committed) = self.carry_out(act).await;
        // Nor may a name stay what it was; before anybody hears of the act.
        self.parts.names.forget();
        self.commits += 1;
        let ended = match committed {
            Ok(()) => Ok(()),
            Err(error) => self.resolve_doubt(number, error, &acted.changes).await,
        };
        if ended.is_ok() {
            self.parts.views.publish(acted.changes);
        }
        (acted.answer)(ended.map_err(|failed| failed.error));
    }

    /// What an act came to, what PostgreSQL calls its transaction, and how its COMMIT went.
    async fn carry_out(&mut self, act: Act) -> (Acted, Option<String>, Result<(), sqlx::Error>) {
        let engine = self.parts.engine;
        let mut connection = match self.begun().await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::error!(%error, ?engine, "the store could not begin to write");
                return (act(Err(error.into())).await, None, Ok(()));
            }
        };
        let acted = act(Ok(&mut connection)).await;
        let (mut number, mut committed) = (None, Ok(()));
        if acted.commits {
            let mut tx = Transaction::within(&mut connection, engine);
            committed = match tx.number().await {
                Ok(told) => {
                    number = told;
                    tx.commit().await
                }
                Err(error) => Err(error),
            };
        }
        if (committed.is_err() || !acted.commits) && roll_back(engine, &mut connection).await.is_err() {
            drop(connection.close().await);
        } else {
            self.connection = Some(connection);
        }
        (acted, number, committed)
    }

    /// The connection, with a transaction that is begun.
    async fn begun(&mut self) -> Result<PoolConnection<Any>, sqlx::Error> {
        let mut connection = self.connection().await?;
        connection.execute(self.parts.engine.begin()).await?;
        Ok(connection)
    }

    /// Now and then moves SQLite's log into the file, beside the writer; waits for it only where the log grows too long.
    async fn checkpoint(&mut self) {
        let Some(checkpoints) = self.parts.checkpoints.clone() else { return };
        let log = *self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if self.commits < CHECKPOINT_EVERY && !log.is_overlong() {
            return;
        }
        self.commits = 0;
        let last = Arc::clone(&self.log);
        let moving = async move {
            match checkpoints.run().await {
                Ok(log) => *last.lock().unwrap_or_else(PoisonError::into_inner) = log,
                Err(error) => tracing::warn!(%error, "SQLite's log could not be moved into the file"),
            }
        };
        if log.is_overlong() {
            moving.await;
        } else {
            drop(self.tasks.spawn(moving));
        }
    }
}

/// SQLite has rolled back by itself where the disk was full or failed; then there is nothing to do.
async fn roll_back(engine: Engine, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    match connection.execute("ROLLBACK").await {
        Err(sqlx::Error::Database(error)) if engine == Engine::Sqlite => {
            tracing::debug!(%error, "there was nothing left to roll back");
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

impl Op {
    /// Tells the caller. Whoever asked may have gone; the work is done all the same.
    fn answer(self, answer: Result<Answer, StoreError>) {
        match (self, answer) {
            (Self::Accept(_, reply), Ok(Answer::Accepted(accepted))) => drop(reply.send(Ok(accepted))),
            (Self::Accept(_, reply), Err(error)) => drop(reply.send(Err(error))),
            (Self::Append { reply, .. }, Ok(Answer::Appended(appended))) => drop(reply.send(appended)),
            (Self::Append { reply, .. }, Err(error)) => drop(reply.send(Err(error.into()))),
            (Self::Flags { reply, .. }, Ok(Answer::Flags(stored))) => drop(reply.send(stored)),
            (Self::Flags { reply, .. }, Err(error)) => drop(reply.send(Err(error.into()))),
            (Self::Expunge { reply, .. }, Ok(Answer::Expunged(expunged))) => drop(reply.send(expunged)),
            (Self::Expunge { reply, .. }, Err(error)) => drop(reply.send(Err(error.into()))),
            (Self::Copy { reply, .. }, Ok(Answer::Copied(copied))) => drop(reply.send(copied)),
            (Self::Copy { reply, .. }, Err(error)) => drop(reply.send(Err(error.into()))),
            (Self::Replace { reply, .. }, Ok(Answer::Replaced(replaced))) => drop(reply.send(replaced)),
            (Self::Replace { reply, .. }, Err(error)) => drop(reply.send(Err(error.into()))),
            (Self::Restore { reply, .. }, Ok(Answer::Restored(restored))) => drop(reply.send(restored)),
            (Self::Restore { reply, .. }, Err(error)) => drop(reply.send(Err(error.into()))),
            (Self::Settle(_, reply) | Self::Refused(_, reply), done) => drop(reply.send(done.map(|_done| ()))),
            // Nobody waits for these; an answer of another kind drops the reply, and the caller hears of it.
            _ => {}
        }
    }
}
