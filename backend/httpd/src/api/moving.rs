//! Mail that is brought along and taken out: imports from other servers, messages in a row, contacts as vCards.

use axum::extract::Path;
use relais_reading::CardVersion;
use relais_service::{CardsImported, Failure, ImportForm, ImportView, MailFiled, Text};
use serde::Deserialize;
use utoipa::IntoParams;

use super::kit::{
    Answer, Caller, CardFile, Cards, Done, Json, Operations, Parcels, Query, Read, Row, Seen, Write, group, least,
};

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
        .get("/me/contacts", take_own_contacts, "One's own contacts, all as one file of vCards")
        .post(
            "/me/contacts",
            file_own_contacts,
            "Bring vCards into one's own contacts; one that is here takes the new one's place",
        )
        .get("/people/{address}/contacts", take_contacts, "A person's contacts, all as one file of vCards")
        .post(
            "/people/{address}/contacts",
            file_contacts,
            "Bring vCards into a person's contacts; one that is here takes the new one's place",
        )
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

/// How contacts are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct CardsWanted {
    /// vCard's version: 4 (RFC 6350), or 3 for older programs; 4 where it isn't said.
    version: Option<u8>,
}

impl CardsWanted {
    fn version(&self) -> Result<CardVersion, Failure> {
        match self.version {
            None | Some(4) => Ok(CardVersion::Four),
            Some(3) => Ok(CardVersion::Three),
            Some(_) => Err(Failure::unfit("version", Text::new("moving-cards-version"))),
        }
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

/// A key that only reads an account's settings doesn't take its contacts, as it doesn't take its mail.
async fn take_own_contacts(caller: OwnChange, Query(wanted): Query<CardsWanted>) -> Answer<CardFile> {
    let version = wanted.version()?;
    Ok(CardFile(caller.web.service().mail.export_contacts(&caller.actor, version).await?))
}

async fn file_own_contacts(caller: OwnChange, Cards(cards): Cards) -> Answer<Seen<CardsImported>> {
    Ok(Seen(caller.web.service().mail.import_contacts(&caller.actor, &cards).await?))
}

async fn take_contacts(
    caller: Caller<least::Owner, Write<group::People>>,
    Path(address): Path<String>,
    Query(wanted): Query<CardsWanted>,
) -> Answer<CardFile> {
    let version = wanted.version()?;
    Ok(CardFile(caller.web.service().take_contacts(&caller.actor, &address, version).await?))
}

async fn file_contacts(
    caller: Change,
    Path(address): Path<String>,
    Cards(cards): Cards,
) -> Answer<Seen<CardsImported>> {
    Ok(Seen(caller.web.service().file_contacts(&caller.actor, &address, &cards).await?))
}
