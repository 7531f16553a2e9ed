//! SQLite: a file, its write-ahead log, and the lock that keeps a second server away.
//!
//! A commit is an append to the log and an fdatasync. Overwriting a log of full length costs 0.1 ms, growing it 1 to 4 ms:
//! so the log is never cut short, and it is moved into the file (a checkpoint) often enough that it is used again from its
//! start. Checkpoints run on a connection of their own, beside the writer; only where the log has grown past
//! [`WAL_FRAMES_AT_MOST`] does the writer wait for one.

use std::fs::{File, TryLockError};
use std::path::Path;

use sqlx::{AnyConnection, AnyPool, Executor, Row};

use super::{Engine, Pools, Readers, migrations, pool_options};
use crate::error::{OpenError, StoreError};

/// Past this the writer waits until the log is moved, so that it starts again from its beginning.
const WAL_FRAMES_AT_MOST: i64 = 8_000;

/// Opens the lock file beside the database, and makes the directory where it is missing.
pub(super) fn lock(database: &Path) -> Result<File, OpenError> {
    let path = database.with_extension("lock");
    let named = |source| OpenError::File { path: path.display().to_string(), source };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(named)?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(named)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.display().to_string())),
        Err(TryLockError::Error(source)) => Err(named(source)),
    }
}

pub(super) async fn open(path: &Path, readers: u32) -> Result<Pools, OpenError> {
    let url = format!("sqlite://{}?mode=rwc", escape(path));
    let writer = connect(&url, 1, WRITER_PRAGMAS).await?;
    migrations::run(&writer, Engine::Sqlite).await?;
    let readers = Readers::new(connect(&url, readers, READER_PRAGMAS).await?, readers, Engine::Sqlite);
    let checkpoints = Checkpoints { pool: connect(&url, 1, CHECKPOINT_PRAGMAS).await? };
    Ok(Pools { writer, readers, checkpoints: Some(checkpoints) })
}

// The page size is given before the file exists. An unset journal_size_limit leaves the log at its full length.
const WRITER_PRAGMAS: &str = "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = OFF; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -4096; PRAGMA busy_timeout = 10000;
    PRAGMA temp_store = MEMORY;";
const READER_PRAGMAS: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -1024; PRAGMA busy_timeout = 10000;
    PRAGMA temp_store = MEMORY;";
const CHECKPOINT_PRAGMAS: &str = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -64;
    PRAGMA busy_timeout = 0;";

async fn connect(url: &str, connections: u32, pragmas: &'static str) -> Result<AnyPool, sqlx::Error> {
    pool_options(connections)
        .after_connect(move |connection: &mut AnyConnection, _| {
            Box::pin(async move { connection.execute(pragmas).await.map(|_| ()) })
        })
        .idle_timeout(None)
        .max_lifetime(None)
        .connect(url)
        .await
}

/// A path as it stands in a URL.
fn escape(path: &Path) -> String {
    let octets = path.as_os_str().as_encoded_bytes().iter();
    octets
        .map(|octet| match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                char::from(*octet).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// Moves the log into the file.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    pool: AnyPool,
}

/// What a checkpoint left: pages in the log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Log {
    frames: i64,
}

impl Log {
    /// Whether the log is so long that the writer must let a checkpoint run to its end.
    pub(crate) const fn is_overlong(self) -> bool {
        self.frames > WAL_FRAMES_AT_MOST
    }
}

impl Checkpoints {
    /// Moves what no reader still needs in the log; waits for nobody.
    pub(crate) async fn run(&self) -> Result<Log, StoreError> {
        let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&self.pool).await?;
        Ok(Log { frames: row.try_get::<i32, _>(1)?.into() })
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
