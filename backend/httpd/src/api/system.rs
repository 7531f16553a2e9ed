//! The house as a machine.

use relais_service::{IndexView, LogLevel, LogLine, Rows, SystemView};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::kit::{Answer, Caller, Many, Operations, Query, Read, Seen, ShownOnce, Write, group, least};
use super::people::LinkView;

type Look = Caller<least::Owner, Read<group::System>>;
type Change = Caller<least::Owner, Write<group::System>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/system", show, "Version, health, listeners, certificates, disk")
        .get("/system/log", log, "The last lines of the log, the latest first")
        .get("/system/index", index, "How the search index stands, and how far it is where it is being made")
        .post("/system/index/rebuild", rebuild_index, "Make the search index anew; searches read messages meanwhile")
        .long_post("/system/check-store", check_store, "Check the database: counts, quota, dangling rows")
        .post(
            "/system/setup-link",
            set_up_link,
            "Make the link that sets up a house without an owner, once, within an hour; so only the control socket meets it",
        )
}

/// What the check of the database found.
#[derive(Debug, Serialize, ToSchema)]
struct StoreFindings {
    /// One line each, in English, as in the log; empty: the database is clean.
    findings: Vec<String>,
}

async fn check_store(caller: Change) -> Answer<Seen<StoreFindings>> {
    let findings = caller.web.service().check_store(&caller.actor).await?;
    Ok(Seen(StoreFindings { findings }))
}

async fn index(caller: Look) -> Answer<Seen<IndexView>> {
    Ok(Seen(caller.web.service().index(&caller.actor).await?))
}

async fn rebuild_index(caller: Change) -> Answer<Seen<IndexView>> {
    Ok(Seen(caller.web.service().rebuild_index(&caller.actor).await?))
}

async fn set_up_link(caller: Change) -> Answer<ShownOnce<LinkView>> {
    let token = caller.web.access().set_up_link(&caller.actor).await?;
    let link = caller.web.link(&format!("/setup/{}", token.expose()));
    let hours = relais_service::SET_UP_LINK_LASTS.as_secs() / 3600;
    Ok(ShownOnce { secret: "link", body: LinkView { link: Some(link), hours } })
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
