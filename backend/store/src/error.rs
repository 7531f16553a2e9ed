//! What can go wrong with the database itself. What callers may do wrong stands beside the functions they call.

use std::sync::Arc;

/// The database or the object directory didn't do its part: full disk, lost connection, damage. Nothing was changed, but
/// where a server broke off at COMMIT and did not come back for a minute: then nobody knows.
///
/// Say "try again later" to the peer. Clones share their cause, for one failed batch answers many callers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the database failed: {0}")]
    Database(Arc<sqlx::Error>),
    /// A file of the object directory.
    #[error("the object directory failed: {0}")]
    Object(Arc<std::io::Error>),
    /// A row holds what we never wrote.
    #[error("the store holds what it must not: {0}")]
    Damaged(String),
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same may work later: true but for damage.
    pub const fn is_transient(&self) -> bool {
        !matches!(self, Self::Damaged(_))
    }

    /// Whether there was no room on the disk.
    pub fn is_full(&self) -> bool {
        match self {
            // SQLITE_FULL; PostgreSQL's disk_full.
            Self::Database(error) => {
                let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
                code.is_some_and(|code| code == "13" || code == "53100")
            }
            Self::Object(error) => error.kind() == std::io::ErrorKind::StorageFull,
            Self::Damaged(_) | Self::Closed => false,
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Object(Arc::new(error))
    }
}

/// Why the store doesn't open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither `sqlite:PATH` nor `postgres://…`.
    #[error("`{0}` is no database URL: write sqlite:PATH or postgres://user@host/name")]
    Url(String),
    /// PostgreSQL is too old.
    #[error("PostgreSQL {version} is too old: {oldest} or newer is needed")]
    OldServer {
        /// The server's.
        version: i64,
        /// The first that will do.
        oldest: i64,
    },
    /// Another server holds the SQLite store.
    #[error("another server uses the store at {0}")]
    InUse(String),
    /// The schema was made by a newer version of Relais.
    #[error("the database was written by a newer version of Relais (step {0})")]
    Newer(i64),
    /// A step of the schema failed.
    #[error("the database could not be brought up to date: {0}")]
    Migration(sqlx::migrate::MigrateError),
    /// A directory or file cannot be made or read.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The database doesn't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
