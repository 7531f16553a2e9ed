//! Mail that is brought along and taken out: imports from other servers, and messages in a row.

use axum::extract::Path;
use relais_service::{ImportForm, ImportView, MailFiled};
use serde::Deserialize;
use utoipa::IntoParams;

use super::kit::{Answer, Caller, Done, Json, Operations, Parcels, Query, Read, Row, Seen, Write, group, least};

type Own = Caller<least::User, Read<group::Account>>;
type OwnChange = Caller<least::User, Write<group::Account>>;
type Look = Caller<least::DomainAdmin, Read<group::People>>;
type Change = Caller<least::DomainAdmin, Write<group::People>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/me/import", own, "How the import of one's own mail stands, or how the last one ended")
        .post(
            "/me/import",
            start_own,
            "Bring one's own mail from another IMAP server; what was brought before isn't brought again",
        )
        .delete("/me/import", stop_own, "Stop the import of one's own mail; what was brought stays")
        .get("/me/mail", take_own, "A piece of one's own mail, to be kept elsewhere; nothing follows an empty one")
        .get("/people/{address}/import", show, "How the import of a person's mail stands, or how the last one ended")
        .post(
            "/people/{address}/import",
            start,
            "Bring a person's mail from another IMAP server; what was brought before isn't brought again",
        )
        .delete("/people/{address}/import", stop, "Stop the import of a person's mail; what was brought stays")
        .get(
            "/people/{address}/mail",
            take,
            "A piece of a person's mail, to be kept elsewhere; nothing follows an empty one",
        )
        .long_post("/people/{address}/mail", file, "File messages for a person, with their folders, flags and dates")
}

/// Where a piece begins.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct PieceWanted {
    /// The mailbox of the last message that is known; without it, the mail begins at its start.
    mailbox: Option<String>,
    /// That message's UID.
    uid: u32,
}

impl PieceWanted {
    fn after(&self) -> Option<(&str, u32)> {
        self.mailbox.as_deref().map(|mailbox| (mailbox, self.uid))
    }
}

async fn own(caller: Own) -> Answer<Seen<ImportView>> {
    Ok(Seen(caller.web.service().import(&caller.actor, None).await?))
}

async fn start_own(caller: OwnChange, Json(form): Json<ImportForm>) -> Answer<Seen<ImportView>> {
    Ok(Seen(caller.web.service().start_import(&caller.actor, None, form).await?))
}

async fn stop_own(caller: OwnChange) -> Answer<Done> {
    caller.web.service().stop_import(&caller.actor, None).await?;
    Ok(Done)
}

/// A key that only reads an account's settings doesn't take its mail.
async fn take_own(caller: OwnChange, Query(wanted): Query<PieceWanted>) -> Answer<Row> {
    Ok(Row(caller.web.service().take_mail(&caller.actor, None, wanted.after()).await?))
}

async fn show(caller: Look, Path(address): Path<String>) -> Answer<Seen<ImportView>> {
    Ok(Seen(caller.web.service().import(&caller.actor, Some(&address)).await?))
}

async fn start(caller: Change, Path(address): Path<String>, Json(form): Json<ImportForm>) -> Answer<Seen<ImportView>> {
    Ok(Seen(caller.web.service().start_import(&caller.actor, Some(&address), form).await?))
}

async fn stop(caller: Change, Path(address): Path<String>) -> Answer<Done> {
    caller.web.service().stop_import(&caller.actor, Some(&address)).await?;
    Ok(Done)
}

async fn take(
    caller: Caller<least::Owner, Write<group::People>>,
    Path(address): Path<String>,
    Query(wanted): Query<PieceWanted>,
) -> Answer<Row> {
    Ok(Row(caller.web.service().take_mail(&caller.actor, Some(&address), wanted.after()).await?))
}

async fn file(caller: Change, Path(address): Path<String>, Parcels(octets): Parcels) -> Answer<Seen<MailFiled>> {
    Ok(Seen(caller.web.service().file_mail(&caller.actor, &address, &octets).await?))
}
