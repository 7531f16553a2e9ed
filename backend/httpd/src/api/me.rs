//! One's own account.

use axum::extract::Path;
use relais_service::{AppPasswordForm, AppPasswordView, LogInView, Moment, OpenSession, OwnChange, PersonView, Rows};
use serde::Serialize;
use utoipa::ToSchema;

use super::PageWanted;
use super::kit::{
    Answer, Caller, Done, IfMatch, Json, Many, One, Operations, Query, Read, ShownOnce, Write, group, least,
};

type Look = Caller<least::User, Read<group::Account>>;
type Change = Caller<least::User, Write<group::Account>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/me", show, "One's own account")
        .patch("/me", change, "Change one's own name, language or look")
        .get("/me/sessions", sessions, "One's own panel sessions")
        .delete("/me/sessions/{id}", end_session, "End one of one's own panel sessions")
        .get("/me/app-passwords", app_passwords, "One's own app passwords, for mail programs")
        .post(
            "/me/app-passwords",
            add_app_password,
            "Make an app password, or a token for programs that speak OAUTHBEARER or XOAUTH2; it is shown once",
        )
        .delete("/me/app-passwords/{name}", remove_app_password, "Take an app password back")
        .get("/me/log-ins", log_ins, "One's own log-ins on all doors, the latest first")
}

/// A session of the panel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionView {
    /// Names it.
    id: String,
    /// When the person signed in.
    created_at: Moment,
    /// When it was last used, to the minute.
    seen_at: Moment,
    /// From where, then.
    ip: String,
    /// What the browser calls itself, shortened.
    agent: String,
}

impl From<OpenSession> for SessionView {
    fn from(session: OpenSession) -> Self {
        let OpenSession { id, created_at, seen_at, ip, agent, is_this: _ } = session;
        Self { id, created_at: created_at.into(), seen_at: seen_at.into(), ip, agent }
    }
}

async fn show(caller: Look) -> Answer<One<PersonView>> {
    Ok(One(caller.web.service().people.show(&caller.actor, &caller.actor.own()?.1.to_string()).await?))
}

async fn change(caller: Change, read: IfMatch, Json(change): Json<OwnChange>) -> Answer<One<PersonView>> {
    caller.actor.own()?;
    Ok(One(caller.web.service().people.change_own(&caller.actor, change, read.version()).await?))
}

async fn sessions(caller: Look) -> Answer<Many<SessionView>> {
    let sessions = caller.web.access().sessions_of_self(&caller.actor).await?;
    Ok(Many(Rows { rows: sessions.into_iter().map(SessionView::from).collect(), next: None }))
}

async fn end_session(caller: Change, Path(id): Path<String>) -> Answer<Done> {
    caller.web.access().end_session_of_self(&caller.actor, &id).await?;
    Ok(Done)
}

/// An app password, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeAppPassword {
    /// As it was named.
    pub(super) name: String,
    /// The password or the token; null where the answer is repeated.
    pub(super) password: Option<String>,
}

async fn app_passwords(caller: Look) -> Answer<Many<AppPasswordView>> {
    let rows = caller.web.access().own_app_passwords(&caller.actor).await?;
    Ok(Many(Rows { rows, next: None }))
}

async fn add_app_password(caller: Change, Json(new): Json<AppPasswordForm>) -> Answer<ShownOnce<MadeAppPassword>> {
    let made = caller.web.access().add_own_app_password(&caller.actor, &new).await?;
    let body = MadeAppPassword { name: new.name, password: Some(made.expose().to_owned()) };
    Ok(ShownOnce { secret: "password", body })
}

async fn remove_app_password(caller: Change, Path(name): Path<String>) -> Answer<Done> {
    caller.web.access().remove_own_app_password(&caller.actor, &name).await?;
    Ok(Done)
}

async fn log_ins(caller: Look, Query(wanted): Query<PageWanted>) -> Answer<Many<LogInView>> {
    Ok(Many(caller.web.access().own_log_ins(&caller.actor, wanted.paging()).await?))
}
