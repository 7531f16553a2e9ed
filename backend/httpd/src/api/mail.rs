//! One's own mail: looked for, read as it is, and brought back after it was deleted.

use axum::extract::Path;
use relais_service::{
    Failure, MailParty, MailRestored, MailRow, MailWanted, Moment, OwnDeletedWanted, RemovedEntry, RemovedFolder, Text,
    WhichRemoved,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::kit::{Answer, Caller, Done, Json, Many, Operations, Query, Seen, Whole, Write, group, least};
use super::{PageWanted, Touched, paging};

/// A key that only reads an account's settings doesn't see its mail.
type Own = Caller<least::User, Write<group::Account>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/me/messages", messages, "One's own mail, or what a search finds in it")
        .get("/me/messages/{id}", message, "One message of one's own mail, as it is")
        .get("/me/deleted-mail", deleted_mail, "What one deleted and can have back, the latest first")
        .get(
            "/me/deleted-mailboxes",
            deleted_mailboxes,
            "Mailboxes that one deleted and can have back, the latest first",
        )
        .post("/me/deleted-mail/restore", restore_mail, "Bring deleted mail back, each message to where it stood")
        .delete("/me/deleted-mail/{id}", forget_mail, "Delete a deleted message for good")
        .delete("/me/deleted-mail", forget_all_mail, "Delete all deleted mail for good")
}

/// In which order messages stand, in each mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MailOrder {
    /// What is most about the words that are looked for; without any, the newest.
    #[default]
    Best,
    /// The newest.
    Newest,
}

/// Which messages are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct OwnMessagesWanted {
    /// Words and operators, as in the webmail: `from:` `to:` `subject:` `is:unread` `has:attachment` `before:` `in:` and more (docs/webmail.md).
    /// What can't be read is refused.
    #[param(example = "invoice from:ann is:unread")]
    q: String,
    /// A mailbox's full name, or its id. Without it, and without `in:`, all but Junk and Trash, one after the other; others' that are shared
    /// come last.
    #[param(example = "INBOX")]
    mailbox: Option<String>,
    /// What stands first in each mailbox.
    #[param(inline)]
    order: MailOrder,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows wanted; 50 where it isn't said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

async fn messages(caller: Own, Query(wanted): Query<OwnMessagesWanted>) -> Answer<Many<MailRow>> {
    let OwnMessagesWanted { q, mailbox, order, after, limit } = wanted;
    let mailbox = mailbox.filter(|mailbox| !mailbox.is_empty());
    let wanted = MailWanted { q, mailbox, by_time: order == MailOrder::Newest };
    Ok(Many(caller.web.service().mail.search(&caller.actor, &wanted, &paging(after, limit)).await?))
}

async fn message(caller: Own, Path(id): Path<String>) -> Answer<Whole> {
    Ok(Whole(caller.web.service().mail.raw_of(&caller.actor, &id).await?.octets))
}

/// A message that was deleted.
#[derive(Debug, Serialize, ToSchema)]
struct DeletedMessage {
    /// Names it: EMAILID (RFC 8474).
    #[schema(example = "M1f")]
    id: String,
    /// When it was deleted.
    deleted_at: Moment,
    /// When it is gone for good.
    kept_until: Moment,
    /// The full name of the mailbox where it stood.
    #[schema(example = "INBOX")]
    mailbox: String,
    /// Who wrote it.
    from: MailParty,
    /// May be empty.
    subject: String,
    /// Its first words.
    preview: String,
    /// RFC822.SIZE.
    size_octets: u64,
}

impl From<RemovedEntry> for DeletedMessage {
    fn from(entry: RemovedEntry) -> Self {
        let RemovedEntry { id, author, subject, preview, mailbox, size_octets, removed_at, until } = entry;
        let from = author.into();
        Self { id, deleted_at: removed_at, kept_until: until, mailbox, from, subject, preview, size_octets }
    }
}

async fn deleted_mail(caller: Own, Query(wanted): Query<PageWanted>) -> Answer<Many<DeletedMessage>> {
    let paging = wanted.paging();
    let mail = &caller.web.service().mail;
    let page = mail.removed(&caller.actor, paging.after.as_deref(), Some(paging.limit)).await?;
    Ok(Many(page.map(DeletedMessage::from)))
}

/// A mailbox that was deleted. It comes back by its id, as messages do.
#[derive(Debug, Serialize, ToSchema)]
struct DeletedMailbox {
    /// Names it: MAILBOXID (RFC 8474).
    #[schema(example = "F1f")]
    id: String,
    /// Its full name.
    #[schema(example = "Offers/2026")]
    name: String,
    /// Messages that come back with it.
    messages: u64,
    /// When it was deleted.
    deleted_at: Moment,
    /// When it is gone for good.
    kept_until: Moment,
}

impl From<RemovedFolder> for DeletedMailbox {
    fn from(folder: RemovedFolder) -> Self {
        let RemovedFolder { id, name, messages, removed_at, until } = folder;
        Self { id, name, messages, deleted_at: removed_at, kept_until: until }
    }
}

async fn deleted_mailboxes(caller: Own, Query(wanted): Query<PageWanted>) -> Answer<Many<DeletedMailbox>> {
    let paging = wanted.paging();
    let mail = &caller.web.service().mail;
    let page = mail.removed_folders(&caller.actor, paging.after.as_deref(), Some(paging.limit)).await?;
    Ok(Many(page.map(DeletedMailbox::from)))
}

async fn restore_mail(caller: Own, Json(wanted): Json<OwnDeletedWanted>) -> Answer<Seen<MailRestored>> {
    Ok(Seen(caller.web.service().restore_own_mail(&caller.actor, wanted).await?))
}

async fn forget_mail(caller: Own, Path(id): Path<String>) -> Answer<Done> {
    let forgotten = caller.web.service().mail.forget(&caller.actor, &WhichRemoved::These(vec![id])).await?;
    if forgotten.count == 0 {
        return Err(Failure::Absent(Text::new("mail-not-deleted")).into());
    }
    Ok(Done)
}

async fn forget_all_mail(caller: Own) -> Answer<Seen<Touched>> {
    let forgotten = caller.web.service().mail.forget(&caller.actor, &WhichRemoved::ALL).await?;
    Ok(Seen(Touched { count: forgotten.count }))
}
