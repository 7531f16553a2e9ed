//! The people, and what opens their accounts.

use axum::extract::Path;
use relais_service::{
    AppPasswordForm, AppPasswordView, DeletedMail, DeletedWanted, MailRestored, NewPerson, Password, PeopleImported,
    PeopleWanted, PersonChange, PersonGoing, PersonView, Rows, Text,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::kit::{
    Answer, Caller, Csv, Done, IfMatch, Json, Made, Many, One, Operations, PREFIX, Query, Read, Seen, ShownOnce, Write,
    group, least,
};
use super::me::{MadeAppPassword, SessionView};
use super::{Touched, segment};

type Look = Caller<least::HelpDesk, Read<group::People>>;
type Help = Caller<least::HelpDesk, Write<group::People>>;
type Change = Caller<least::DomainAdmin, Write<group::People>>;
type Own = Caller<least::Owner, Write<group::People>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/people", list, "People, those that the asker sees")
        .post("/people", create, "Add a person")
        .long_post("/people/import", import, "Add many people from CSV, or only look at the lines")
        .get("/people/{address}", show, "One person")
        .patch("/people/{address}", change, "Change a person: name, role, quota, limits, suspension")
        .delete("/people/{address}", remove, "Remove a person with their mail; for 30 days they can be restored")
        .get("/people/{address}/going", going, "What goes with a person, were they removed")
        .post("/people/{address}/restore", restore, "Restore a person who was removed")
        .get("/people/{address}/deleted-mail", deleted_mail, "How much mail a person deleted and can have back")
        .post(
            "/people/{address}/deleted-mail/restore",
            restore_mail,
            "Bring mail back that a person deleted, each message to where it stood",
        )
        .put("/people/{address}/password", set_password, "Set a person's password: sessions and keys of theirs end")
        .post(
            "/people/{address}/password-link",
            password_link,
            "Make a link by which a person sets a new password, once, within a day",
        )
        .get("/people/{address}/sessions", sessions, "The panel sessions of a person")
        .delete("/people/{address}/sessions", end_sessions, "End all panel sessions of a person")
        .get("/people/{address}/app-passwords", app_passwords, "The app passwords of a person")
        .post(
            "/people/{address}/app-passwords",
            add_app_password,
            "Make an app password or a token for a person; it opens their mail, and is shown once",
        )
        .delete("/people/{address}/app-passwords/{name}", remove_app_password, "Take an app password of a person back")
        .delete(
            "/people/{address}/second-factor",
            remove_second_factor,
            "Take a person's second factor away, who has lost it",
        )
}

async fn list(caller: Look, Query(wanted): Query<PeopleWanted>) -> Answer<Many<PersonView>> {
    Ok(Many(caller.web.service().people.list(&caller.actor, &wanted).await?))
}

async fn create(caller: Change, Json(new): Json<NewPerson>) -> Answer<Made<PersonView>> {
    let body = caller.web.service().people.create(&caller.actor, new).await?;
    Ok(Made { at: format!("{PREFIX}/people/{}", segment(&body.address)), body })
}

/// How an import is done.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct ImportWanted {
    /// Only looks at the lines, and tells what would be done.
    dry_run: bool,
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
struct ImportView {
    /// The lines were only looked at.
    is_dry_run: bool,
    /// The addresses that are here now, or would be.
    added: Vec<String>,
    /// Lines that weren't taken, and why. The others are in.
    refused: Vec<LineView>,
}

/// A line that wasn't taken.
#[derive(Debug, Serialize, ToSchema)]
struct LineView {
    /// Counted from 1; the header is line 1.
    line: u64,
    /// The address that stands in it; empty where none can be read.
    address: String,
    /// What is wrong with each column.
    errors: Vec<ColumnError>,
}

/// What is wrong with a column of a line.
#[derive(Debug, Serialize, ToSchema)]
struct ColumnError {
    /// Its name; empty where it is about the whole line.
    field: &'static str,
    /// What is wrong and what to do.
    detail: Text,
}

impl From<PeopleImported> for ImportView {
    fn from(imported: PeopleImported) -> Self {
        let refused = imported.refused.into_iter().map(|refused| LineView {
            line: refused.line,
            address: refused.address,
            errors: refused
                .complaints
                .into_iter()
                .map(|complaint| ColumnError { field: complaint.field, detail: complaint.why })
                .collect(),
        });
        Self { is_dry_run: imported.is_dry_run, added: imported.added, refused: refused.collect() }
    }
}

async fn import(caller: Change, Query(wanted): Query<ImportWanted>, Csv(csv): Csv) -> Answer<Seen<ImportView>> {
    let imported = caller.web.service().people.import(&caller.actor, Password::new(csv), wanted.dry_run).await?;
    Ok(Seen(imported.into()))
}

async fn show(caller: Look, Path(address): Path<String>) -> Answer<One<PersonView>> {
    Ok(One(caller.web.service().people.show(&caller.actor, &address).await?))
}

async fn change(
    caller: Change,
    Path(address): Path<String>,
    read: IfMatch,
    Json(change): Json<PersonChange>,
) -> Answer<One<PersonView>> {
    Ok(One(caller.web.service().people.change(&caller.actor, &address, change, read.version()).await?))
}

async fn deleted_mail(
    caller: Look,
    Path(address): Path<String>,
    Query(wanted): Query<DeletedWanted>,
) -> Answer<Seen<DeletedMail>> {
    Ok(Seen(caller.web.service().deleted_mail(&caller.actor, &address, &wanted).await?))
}

async fn restore_mail(
    caller: Help,
    Path(address): Path<String>,
    Json(wanted): Json<DeletedWanted>,
) -> Answer<Seen<MailRestored>> {
    Ok(Seen(caller.web.service().restore_mail(&caller.actor, &address, &wanted).await?))
}

async fn remove(caller: Change, Path(address): Path<String>, read: IfMatch) -> Answer<Done> {
    caller.web.service().people.remove(&caller.actor, &address, read.version()).await?;
    Ok(Done)
}

async fn going(
    caller: Caller<least::DomainAdmin, Read<group::People>>,
    Path(address): Path<String>,
) -> Answer<Seen<PersonGoing>> {
    Ok(Seen(caller.web.service().people.going(&caller.actor, &address).await?))
}

async fn restore(caller: Change, Path(address): Path<String>) -> Answer<One<PersonView>> {
    Ok(One(caller.web.service().people.restore(&caller.actor, &address).await?))
}

/// A password that someone else sets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The new one: 8 characters or more, none of the common ones.
    #[schema(value_type = String, format = Password, write_only, min_length = 8)]
    password: Password,
    /// They must set another when they next sign in to the panel.
    #[serde(default)]
    must_change: bool,
}

async fn set_password(caller: Change, Path(address): Path<String>, Json(new): Json<NewPassword>) -> Answer<Done> {
    let access = caller.web.access();
    access.set_password(&caller.actor, &address, new.password.secret(), new.must_change).await?;
    Ok(Done)
}

/// A link that opens something once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkView {
    /// The page that it opens; null where the answer is repeated.
    pub(super) link: Option<String>,
    /// Hours that it lasts.
    pub(super) hours: u64,
}

async fn password_link(caller: Help, Path(address): Path<String>) -> Answer<ShownOnce<LinkView>> {
    let token = caller.web.access().password_link(&caller.actor, &address).await?;
    let link = caller.web.link(&format!("/link/{}", token.expose()));
    let hours = relais_service::PASSWORD_LINK_LASTS.as_secs() / 3600;
    Ok(ShownOnce { secret: "link", body: LinkView { link: Some(link), hours } })
}

async fn sessions(caller: Look, Path(address): Path<String>) -> Answer<Many<SessionView>> {
    let sessions = caller.web.access().sessions_of(&caller.actor, &address).await?;
    Ok(Many(Rows { rows: sessions.into_iter().map(SessionView::from).collect(), next: None }))
}

async fn end_sessions(caller: Help, Path(address): Path<String>) -> Answer<Seen<Touched>> {
    let count = caller.web.access().end_sessions_of(&caller.actor, &address).await?;
    Ok(Seen(Touched { count }))
}

async fn remove_second_factor(caller: Change, Path(address): Path<String>) -> Answer<Done> {
    caller.web.access().remove_second_factor_of(&caller.actor, &address).await?;
    Ok(Done)
}

async fn app_passwords(caller: Look, Path(address): Path<String>) -> Answer<Many<AppPasswordView>> {
    let rows = caller.web.access().app_passwords_of(&caller.actor, &address).await?;
    Ok(Many(Rows { rows, next: None }))
}

async fn add_app_password(
    caller: Own,
    Path(address): Path<String>,
    Json(new): Json<AppPasswordForm>,
) -> Answer<ShownOnce<MadeAppPassword>> {
    let access = caller.web.access();
    let made = access.add_app_password_of(&caller.actor, &address, &new).await?;
    let body = MadeAppPassword { name: new.name, password: Some(made.expose().to_owned()) };
    Ok(ShownOnce { secret: "password", body })
}

async fn remove_app_password(caller: Help, Path((address, name)): Path<(String, String)>) -> Answer<Done> {
    caller.web.access().remove_app_password_of(&caller.actor, &address, &name).await?;
    Ok(Done)
}
