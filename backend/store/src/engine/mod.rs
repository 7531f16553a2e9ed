//! All that SQLite and PostgreSQL do not share: opening, the way to begin, what became of a COMMIT, checkpoints, octets end to end. Everywhere else is one SQL text.

mod migrations;
mod postgres;
mod readers;
mod sqlite;

use std::fmt;
use std::fs::File;
use std::path::PathBuf;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Row};

use crate::error::{OpenError, StoreError};

pub(crate) use postgres::{transaction_number, was_committed};
pub(crate) use readers::{Reader, Readers};
pub(crate) use sqlite::{Checkpoints, Log};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// In this process, in one file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// Begins a transaction that will write.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            // Not DEFERRED: a transaction that begins with reading must not find itself too old to write.
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Nobody else writes: what was read once is true until we change it ourselves.
    pub(crate) const fn is_ours_alone(self) -> bool {
        matches!(self, Self::Sqlite)
    }

    /// The octets of `column` in all rows, end to end.
    pub(crate) fn joined_octets(self, column: &str) -> String {
        match self {
            // It joins octets as it joins texts, and calls what comes of it a text.
            Self::Sqlite => format!("CAST(string_agg({column}, '') AS BLOB)"),
            Self::Postgres => format!("string_agg({column}, ''::bytea)"),
        }
    }

    /// What stands behind a SELECT whose rows will be changed: other nodes must wait.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`: a file; made where it is missing.
    Sqlite(PathBuf),
    /// `postgres://user:password@host/name?…`, as libpq knows it.
    Postgres(String),
}

impl DatabaseUrl {
    /// Takes `sqlite:PATH`, `sqlite://PATH` or `postgres://…`.
    pub fn parse(text: &str) -> Result<Self, OpenError> {
        if let Some(path) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"))
            && !path.is_empty()
        {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        let is_postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
        if is_postgres { Ok(Self::Postgres(text.to_owned())) } else { Err(OpenError::Url(text.to_owned())) }
    }

    /// Which database it names.
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Takes the lock that keeps a second server away. PostgreSQL may have several nodes.
    pub(crate) fn lock(&self) -> Result<Option<File>, OpenError> {
        match self {
            Self::Sqlite(path) => sqlite::lock(path).map(Some),
            Self::Postgres(_) => Ok(None),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => match url.rsplit_once('@') {
                // A query may hold a password, too.
                Some((_credentials, place)) => {
                    write!(f, "postgres://…@{}", place.split('?').next().unwrap_or_default())
                }
                None => f.write_str("postgres://…"),
            },
        }
    }
}

/// The connections: one that writes, some that read, and on SQLite one that moves the log into the file.
#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) writer: AnyPool,
    pub(crate) readers: Readers,
    pub(crate) checkpoints: Option<Checkpoints>,
}

impl Pools {
    /// Connects, and brings the schema up to date.
    pub(crate) async fn open(database: &DatabaseUrl, readers: u32) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let readers = readers.clamp(1, 64);
        match database {
            DatabaseUrl::Sqlite(path) => sqlite::open(path, readers).await,
            DatabaseUrl::Postgres(url) => postgres::open(url, readers).await,
        }
    }
}

/// One connection more often than not: no health check before each use, for a broken one is told by its first statement.
fn pool_options(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(connections).test_before_acquire(false)
}

/// The largest key given so far in the tables that grow: where the clock has gone back, keys go on from here.
pub(crate) async fn last_key(readers: &Readers) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "SELECT CAST(MAX(last) AS BIGINT) FROM (SELECT MAX(message_key) AS last FROM message
         UNION ALL SELECT MAX(mailbox_key) FROM mailbox UNION ALL SELECT MAX(account_key) FROM account
         UNION ALL SELECT MAX(audit_key) FROM audit
         UNION ALL SELECT MAX(member_key) FROM list_member UNION ALL SELECT MAX(post_key) FROM list_post
         UNION ALL SELECT MAX(app_password_key) FROM app_password
         UNION ALL SELECT MAX(login_key) FROM login_history UNION ALL SELECT MAX(trace_key) FROM message_trace
         UNION ALL SELECT MAX(verdict_key) FROM message_verdict
         UNION ALL SELECT MAX(delivery_key) FROM webhook_delivery
         UNION ALL SELECT MAX(hold_key) FROM sending_hold
         UNION ALL SELECT MAX(script_key) FROM sieve_script
         UNION ALL SELECT MAX(dkim_key) FROM dkim_key
         UNION ALL SELECT MAX(turn_key) FROM dns_turn
         UNION ALL SELECT MAX(account_key) FROM dns_account
         UNION ALL SELECT MAX(push_key) FROM dns_push
         UNION ALL SELECT MAX(certificate_key) FROM certificate UNION ALL SELECT MAX(order_key) FROM certificate_order
         UNION ALL SELECT MAX(session_key) FROM session UNION ALL SELECT MAX(passkey_key) FROM passkey
         UNION ALL SELECT MAX(api_key_key) FROM api_key) AS keys",
    )
    .fetch_one(&mut *readers.acquire().await?)
    .await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(DatabaseUrl::parse(text).ok().map(|url| format!("{url:?}")).as_deref(), expected, "{text}");
        };
        check("sqlite:/var/lib/relais/store.db", Some("sqlite:/var/lib/relais/store.db"));
        check("sqlite:///var/lib/x.db", Some("sqlite:/var/lib/x.db"));
        check("postgres://relais:hunter2@db.example/relais", Some("postgres://…@db.example/relais"));
        check("postgres://relais@db.example/relais?password=hunter2", Some("postgres://…@db.example/relais"));
        check("mysql://db.example/relais", None);
        check("sqlite:", None);
    }
}
