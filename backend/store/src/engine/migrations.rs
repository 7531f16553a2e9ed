//! The schema's steps, which are part of the program (see `build.rs`).

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyPool, SqlSafeStr as _};

use super::Engine;
use crate::error::OpenError;

/// A file below `migrations/`.
struct Step {
    /// Where it stands in the order of all.
    version: i64,
    words: &'static str,
    sql: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

impl Step {
    fn migration(&self) -> Migration {
        Migration::new(self.version, self.words.into(), MigrationType::Simple, self.sql.into_sql_str(), false)
    }
}

/// Brings the schema up to date.
///
/// # Errors
/// Also where a later release has been here.
pub(super) async fn run(pool: &AnyPool, engine: Engine) -> Result<(), OpenError> {
    let steps = match engine {
        Engine::Sqlite => SQLITE,
        Engine::Postgres => POSTGRES,
    };
    let migrator = Migrator::with_migrations(steps.iter().map(Step::migration).collect());
    migrator.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(step) => OpenError::Newer(step),
        other => OpenError::Migration(other),
    })
}
