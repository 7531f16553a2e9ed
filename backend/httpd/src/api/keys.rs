//! The API's keys. A key makes no key: that is done in the panel, where the person has said who they are.

use axum::extract::Path;
use relais_service::{ApiKeyRow, Moment, Role, Rows};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::kit::{Answer, Caller, Done, Many, Operations, Query, Read, Write, group, least};

pub(super) fn operations(operations: Operations) -> Operations {
    operations.get("/keys", list, "One's own keys; for owners, everybody's if asked for").delete(
        "/keys/{id}",
        revoke,
        "Revoke a key of one's own; for owners, anybody's",
    )
}

/// A key. What it opens the API with is shown when it is made, and never again.
#[derive(Debug, Serialize, ToSchema)]
struct KeyView {
    /// Names it.
    id: String,
    /// Whose it is.
    owner: String,
    /// What its owner calls it.
    name: String,
    /// The most that it may.
    role: Role,
    /// What it may be used for: `domains:read`, `people:write`; `*` for all.
    scopes: Vec<String>,
    /// When it was made.
    created_at: Moment,
    /// From then on it opens nothing; null: for good.
    expires_at: Option<Moment>,
    /// When it was last used, to the minute.
    last_used_at: Option<Moment>,
    /// From where.
    last_used_ip: Option<String>,
}

impl From<ApiKeyRow> for KeyView {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.id,
            owner: format!("{}@{}", row.owner.local_part, row.owner.domain.to_unicode()),
            name: row.name,
            role: row.role,
            scopes: row.scopes.iter().map(|scope| scope.to_string()).collect(),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Moment::from),
            last_used_at: row.last_used.as_ref().map(|(at, _)| (*at).into()),
            last_used_ip: row.last_used.map(|(_, ip)| ip),
        }
    }
}

/// Which keys are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct KeysWanted {
    /// Those of everybody. Owners only.
    everybody: bool,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows wanted; 50 where it isn't said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

async fn list(
    caller: Caller<least::User, Read<group::Account>>,
    Query(wanted): Query<KeysWanted>,
) -> Answer<Many<KeyView>> {
    let (everybody, after) = (wanted.everybody, wanted.after.as_deref());
    let keys = caller.web.access().api_keys(&caller.actor, everybody, after, wanted.limit).await?;
    Ok(Many(Rows { rows: keys.rows.into_iter().map(KeyView::from).collect(), next: keys.next }))
}

async fn revoke(caller: Caller<least::User, Write<group::Account>>, Path(id): Path<String>) -> Answer<Done> {
    caller.web.access().revoke_api_key(&caller.actor, &id).await?;
    Ok(Done)
}
