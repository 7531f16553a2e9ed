//! PostgreSQL: a server, by URL.

use std::time::Duration;

use sqlx::{AnyConnection, AnyPool, Connection as _};

use super::{Engine, Pools, Readers, migrations, pool_options};
use crate::error::OpenError;

/// The oldest that its makers looked after when this was written. What is used (`pg_xact_status` of an `xid8`) came with 13.
const OLDEST: i64 = 140_000;

/// A connection that was idle for longer is asked whether it still is one: the server may have been started anew.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

pub(super) async fn open(url: &str, readers: u32) -> Result<Pools, OpenError> {
    let writer: AnyPool = pool_options(1).connect(url).await?;
    let version: i64 =
        sqlx::query_scalar("SELECT CAST(current_setting('server_version_num') AS BIGINT)").fetch_one(&writer).await?;
    if version < OLDEST {
        return Err(OpenError::OldServer { version: version / 10_000, oldest: OLDEST / 10_000 });
    }
    migrations::run(&writer, Engine::Postgres).await?;
    let pool = pool_options(readers).before_acquire(|connection: &mut AnyConnection, metadata| {
        Box::pin(async move {
            if metadata.idle_for > TRUSTED_FOR {
                connection.ping().await?;
            }
            Ok(true)
        })
    });
    let readers = Readers::new(pool.connect(url).await?, readers, Engine::Postgres);
    Ok(Pools { writer, readers, checkpoints: None })
}

/// The number of the transaction under way, by which [`was_committed`] knows it; none where it has written nothing.
pub(crate) async fn transaction_number(connection: &mut AnyConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT CAST(pg_current_xact_id_if_assigned() AS TEXT)").fetch_one(connection).await
}

/// What became of a transaction whose COMMIT had no answer; `None` while it isn't decided.
pub(crate) async fn was_committed(connection: &mut AnyConnection, number: &str) -> Result<Option<bool>, sqlx::Error> {
    let status: Option<String> = sqlx::query_scalar("SELECT pg_xact_status(CAST(CAST($1 AS TEXT) AS XID8))")
        .bind(number)
        .fetch_one(connection)
        .await?;
    Ok(match status.as_deref() {
        Some("committed") => Some(true),
        Some("aborted") => Some(false),
        _ => None,
    })
}
