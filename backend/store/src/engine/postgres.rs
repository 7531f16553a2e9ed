//! PostgreSQL: a server, by URL.

use sqlx::AnyPool;

use super::{Engine, Pools, Readers, migrate, pool_options};
use crate::error::OpenError;

pub(super) async fn open(url: &str, readers: u32) -> Result<Pools, OpenError> {
    let writer: AnyPool = pool_options(1).connect(url).await?;
    migrate(&writer, sqlx::migrate!("../../migrations/postgres")).await?;
    let readers = Readers::new(pool_options(readers).connect(url).await?, readers, Engine::Postgres);
    Ok(Pools { writer, readers, checkpoints: None })
}
