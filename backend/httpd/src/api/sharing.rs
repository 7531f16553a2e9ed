//! With whom mailboxes are shared, what others share, and who writes from whose address.

use axum::extract::Path;
use relais_service::{MailboxOf, Rows, SenderLent, Share, SharedMailboxView};
use serde::Deserialize;
use utoipa::IntoParams;

use super::kit::{Answer, Caller, Json, Many, Operations, Query, Read, Write, group, least};

type Look = Caller<least::User, Read<group::Account>>;
type Change = Caller<least::User, Write<group::Account>>;
type OthersLook = Caller<least::Owner, Read<group::People>>;
type OthersChange = Caller<least::Owner, Write<group::People>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/me/shared-mailboxes", shared_with_me, "Mailboxes that others share")
        .get("/me/shares", shares, "With whom one of one's own mailboxes is shared, or one that one manages")
        .put("/me/shares", share, "Share a mailbox with somebody, or no longer")
        .get("/me/senders", senders, "Who may write from one's own address")
        .put("/me/senders", lend, "Let somebody write from one's own address, or no longer")
        .get("/people/{address}/shares", persons_shares, "With whom a mailbox of a person or a team is shared")
        .put("/people/{address}/shares", persons_share, "Share a mailbox of a person or a team, or no longer")
        .get("/people/{address}/senders", persons_senders, "Who may write from the address of a person or a team")
        .put(
            "/people/{address}/senders",
            persons_lend,
            "Let somebody write from the address of a person or a team, or no longer",
        )
}

/// Which mailbox.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct MailboxWanted {
    /// Its full name: one's own name for it below `/me`, else its owner's.
    #[param(example = "Projects/2026")]
    mailbox: String,
}

fn all<T>(rows: Vec<T>) -> Many<T> {
    Many(Rows { rows, next: None })
}

async fn shared_with_me(caller: Look) -> Answer<Many<SharedMailboxView>> {
    Ok(all(caller.web.service().shared_with_me(&caller.actor).await?))
}

async fn shares(caller: Look, Query(wanted): Query<MailboxWanted>) -> Answer<Many<Share>> {
    Ok(all(caller.web.service().shares(&caller.actor, MailboxOf::Mine, &wanted.mailbox).await?))
}

async fn share(caller: Change, Query(wanted): Query<MailboxWanted>, Json(share): Json<Share>) -> Answer<Many<Share>> {
    Ok(all(caller.web.service().share(&caller.actor, MailboxOf::Mine, &wanted.mailbox, &share).await?))
}

async fn senders(caller: Look) -> Answer<Many<SenderLent>> {
    Ok(all(caller.web.service().senders(&caller.actor, MailboxOf::Mine).await?))
}

async fn lend(caller: Change, Json(wanted): Json<SenderLent>) -> Answer<Many<SenderLent>> {
    Ok(all(caller.web.service().lend(&caller.actor, MailboxOf::Mine, &wanted).await?))
}

async fn persons_shares(
    caller: OthersLook,
    Path(address): Path<String>,
    Query(wanted): Query<MailboxWanted>,
) -> Answer<Many<Share>> {
    let of = MailboxOf::Account(&address);
    Ok(all(caller.web.service().shares(&caller.actor, of, &wanted.mailbox).await?))
}

async fn persons_share(
    caller: OthersChange,
    Path(address): Path<String>,
    Query(wanted): Query<MailboxWanted>,
    Json(share): Json<Share>,
) -> Answer<Many<Share>> {
    let of = MailboxOf::Account(&address);
    Ok(all(caller.web.service().share(&caller.actor, of, &wanted.mailbox, &share).await?))
}

async fn persons_senders(caller: OthersLook, Path(address): Path<String>) -> Answer<Many<SenderLent>> {
    Ok(all(caller.web.service().senders(&caller.actor, MailboxOf::Account(&address)).await?))
}

async fn persons_lend(
    caller: OthersChange,
    Path(address): Path<String>,
    Json(wanted): Json<SenderLent>,
) -> Answer<Many<SenderLent>> {
    Ok(all(caller.web.service().lend(&caller.actor, MailboxOf::Account(&address), &wanted).await?))
}
