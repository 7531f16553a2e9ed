//! The house as a machine.

use relais_service::{LogLevel, LogLine, Rows, SystemView};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::kit::{Answer, Caller, Many, Operations, Query, Read, Seen, group, least};

type Look = Caller<least::Owner, Read<group::System>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations.get("/system", show, "Version, health, listeners, certificates, disk").get(
        "/system/log",
        log,
        "The last lines of the log, the latest first",
    )
}

/// Which lines are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct LogWanted {
    /// Lines that matter as much as this, or more.
    #[param(inline)]
    least: Least,
}

impl Default for LogWanted {
    fn default() -> Self {
        Self { least: Least::Info }
    }
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Least {
    /// For who looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What is odd.
    Warn,
    /// A person must act.
    Error,
}

impl From<Least> for LogLevel {
    fn from(least: Least) -> Self {
        match least {
            Least::Debug => Self::Debug,
            Least::Info => Self::Info,
            Least::Warn => Self::Warn,
            Least::Error => Self::Error,
        }
    }
}

async fn show(caller: Look) -> Answer<Seen<SystemView>> {
    Ok(Seen(caller.web.service().system(&caller.actor).await?))
}

async fn log(caller: Look, Query(wanted): Query<LogWanted>) -> Answer<Many<LogLine>> {
    let rows = caller.web.service().log(&caller.actor, wanted.least.into())?;
    Ok(Many(Rows { rows, next: None }))
}
