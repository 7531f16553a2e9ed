//! The API's keys. A key makes none that may more than itself, or that outlives it.

use axum::extract::Path;
use relais_service::{ApiKeyForm, ApiKeyRow, Moment, Role, Scopes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::kit::{Answer, Caller, Done, Json, Many, Operations, Query, Read, ShownOnce, Write, group, least};

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/keys", list, "One's own keys; for owners, everybody's if asked for")
        .post("/keys", create, "Make a key that may no more than the one it is made with; it is shown once")
        .delete("/keys/{id}", revoke, "Revoke a key of one's own; for owners, anybody's")
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
    Ok(Many(keys.map(KeyView::from)))
}

/// A key that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// Of the program that will use it; up to 100 characters.
    #[schema(example = "Backup", min_length = 1, max_length = 100)]
    name: String,
    /// The most that it may; `user` where it isn't said.
    #[serde(default)]
    role: Role,
    /// What it may be used for: `domains:read`, `people:write`; `*` for all.
    #[schema(example = json!(["people:read"]))]
    scopes: Vec<String>,
    /// From then on it opens nothing; left out: for good.
    expires_at: Option<Moment>,
    /// Whose it shall be: said on the machine itself, where nobody is signed in.
    owner: Option<String>,
}

impl NewKey {
    fn form(&self) -> Answer<ApiKeyForm> {
        Ok(ApiKeyForm {
            name: self.name.clone(),
            role: self.role,
            scopes: Scopes::parse(self.scopes.iter().map(String::as_str))?,
            expires_at: self.expires_at.map(|Moment(at)| at),
        })
    }
}

/// A key, shown once.
#[derive(Debug, Serialize, ToSchema)]
struct MadeKey {
    /// As it was named.
    name: String,
    /// The key; null where the answer is repeated.
    key: Option<String>,
}

async fn create(
    caller: Caller<least::User, Write<group::Account>>,
    Json(new): Json<NewKey>,
) -> Answer<ShownOnce<MadeKey>> {
    let form = new.form()?;
    let access = caller.web.access();
    let made = match &new.owner {
        Some(owner) => access.create_api_key_of(&caller.actor, owner, form).await?,
        None => access.create_api_key(&caller.actor, caller.reach.as_ref(), form).await?,
    };
    Ok(ShownOnce { secret: "key", body: MadeKey { name: new.name, key: Some(made.expose().to_owned()) } })
}

async fn revoke(caller: Caller<least::User, Write<group::Account>>, Path(id): Path<String>) -> Answer<Done> {
    caller.web.access().revoke_api_key(&caller.actor, &id).await?;
    Ok(Done)
}
