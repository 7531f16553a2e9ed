//! The connections that read: taken for a few statements, given back as they are.
//!
//! sqlx's own pool speaks to a connection each time that it is given back: on SQLite two switches of threads, as many as the
//! statement itself cost, and the connection is away for so long. What came back is kept here instead, the last one on top, for
//! its pages are warm. Now and then one goes back to the pool, which looks whether it is still good.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::Engine;

/// So often a connection is taken before the pool looks at it. On PostgreSQL each time: a server may restart.
const TAKEN_AT_MOST: u32 = 512;

/// Who has waited so long for a connection is told that there is none.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Readers {
    pool: AnyPool,
    taken_at_most: u32,
    /// One for each connection that the pool may make.
    permits: Semaphore,
    idle: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Any>,
    taken: u32,
}

/// A connection for reading. Dropped, it is given back, whatever its last statement came to.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    readers: &'a Readers,
    kept: Option<Kept>,
    _permit: SemaphorePermit<'a>,
}

impl Readers {
    /// Of a pool of so many connections.
    pub(super) fn new(pool: AnyPool, connections: u32, engine: Engine) -> Self {
        let taken_at_most = match engine {
            Engine::Sqlite => TAKEN_AT_MOST,
            Engine::Postgres => 1,
        };
        let permits = Semaphore::new(usize::try_from(connections).unwrap_or(1));
        Self { pool, taken_at_most, permits, idle: Mutex::default() }
    }

    /// A connection, as soon as one is free.
    pub(crate) async fn acquire(&self) -> Result<Reader<'_>, sqlx::Error> {
        let permit = timeout(PATIENCE, self.permits.acquire()).await.map_err(|_elapsed| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_closed| sqlx::Error::PoolClosed)?;
        let kept = self.idle().pop();
        let kept = match kept {
            Some(Kept { connection, taken }) => Kept { connection, taken: taken + 1 },
            None => Kept { connection: self.pool.acquire().await?, taken: 1 },
        };
        Ok(Reader { readers: self, kept: Some(kept), _permit: permit })
    }

    /// Waits for those that are out.
    pub(crate) async fn close(&self) {
        self.permits.close();
        self.idle().clear();
        self.pool.close().await;
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Reader<'_> {
    type Target = AnyConnection;

    #[expect(clippy::expect_used, reason = "it goes when the reader is dropped, and no sooner")]
    fn deref(&self) -> &AnyConnection {
        &self.kept.as_ref().expect("a reader has its connection").connection
    }
}

impl DerefMut for Reader<'_> {
    #[expect(clippy::expect_used, reason = "it goes when the reader is dropped, and no sooner")]
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.kept.as_mut().expect("a reader has its connection").connection
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let is_young = |kept: &Kept| kept.taken < self.readers.taken_at_most;
        let kept = self.kept.take().filter(is_young);
        // Kept before the permit is free, for whoever gets that one. After the end nobody would take it: looked at under the
        // lock, so that none is kept after the last were let go.
        let mut idle = self.readers.idle();
        if !self.readers.permits.is_closed() {
            idle.extend(kept);
        }
    }
}
