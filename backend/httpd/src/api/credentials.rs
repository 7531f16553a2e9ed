//! How one signs in oneself: password, second factor, passkeys. A passkey is added in the panel alone: it is made by a browser, for a place.

use axum::extract::Path;
use relais_model::Secret;
use relais_service::{Moment, PasskeyRow, Password, Rows, SecondFactor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::kit::{Answer, Caller, Done, Json, Many, Operations, Read, Seen, ShownOnce, Write, group, least};

type Look = Caller<least::User, Read<group::Account>>;
type Change = Caller<least::User, Write<group::Account>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .put("/me/password", change_password, "Change one's own password; all panel sessions end")
        .get("/me/second-factor", second_factor, "How one's own second factor stands")
        .post("/me/second-factor", offer, "Get a new secret for an authenticator, which waits for its first code")
        .put("/me/second-factor", confirm, "Turn the second factor on, with the authenticator's first code")
        .delete("/me/second-factor", remove, "Turn one's own second factor off")
        .post("/me/second-factor/recovery-codes", renew, "New recovery codes in the place of all old ones")
        .get("/me/passkeys", passkeys, "One's own passkeys")
        .patch("/me/passkeys/{id}", rename_passkey, "Give a passkey another name")
        .delete("/me/passkeys/{id}", remove_passkey, "Remove a passkey")
}

/// One's own new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    /// The one that is right now; left out where there is none.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    old_password: Option<Password>,
    /// The new one: 8 characters or more, none of the common ones.
    #[schema(value_type = String, format = Password, write_only, min_length = 8)]
    password: Password,
}

async fn change_password(caller: Change, Json(new): Json<OwnPassword>) -> Answer<Done> {
    let old = new.old_password.map_or_else(|| Secret::new(""), Password::secret);
    caller.web.access().change_password_of_self(&caller.actor, old, new.password.secret()).await?;
    Ok(Done)
}

/// How a second factor stands.
#[derive(Debug, Serialize, ToSchema)]
struct SecondFactorView {
    /// When it was turned on; null: it is off.
    on_since: Option<Moment>,
    /// Recovery codes that are left.
    recovery_codes: u64,
}

impl From<SecondFactor> for SecondFactorView {
    fn from(state: SecondFactor) -> Self {
        Self { on_since: state.since.map(Moment::from), recovery_codes: state.recovery_codes }
    }
}

async fn second_factor(caller: Look) -> Answer<Seen<SecondFactorView>> {
    Ok(Seen(caller.web.access().second_factor(&caller.actor).await?.into()))
}

/// An authenticator's secret.
#[derive(Debug, Serialize, ToSchema)]
struct OfferView {
    /// As authenticators take it: `otpauth://totp/…`; null where the answer is repeated.
    uri: Option<String>,
}

async fn offer(caller: Change) -> Answer<ShownOnce<OfferView>> {
    let offer = caller.web.access().offer_totp(&caller.actor).await?;
    Ok(ShownOnce { secret: "uri", body: OfferView { uri: Some(offer.uri.expose().to_owned()) } })
}

/// A code of an authenticator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    /// Its six digits.
    code: String,
}

/// Codes for the day on which the authenticator is lost.
#[derive(Debug, Serialize, ToSchema)]
struct RecoveryCodes {
    /// Each opens the account once; null where the answer is repeated.
    codes: Option<Vec<String>>,
}

impl RecoveryCodes {
    fn of(codes: &[Secret]) -> Self {
        Self { codes: Some(codes.iter().map(|code| code.expose().to_owned()).collect()) }
    }
}

async fn confirm(caller: Change, Json(given): Json<Code>) -> Answer<Seen<RecoveryCodes>> {
    let codes = caller.web.access().confirm_totp(&caller.actor, &given.code).await?;
    Ok(Seen(RecoveryCodes::of(&codes)))
}

async fn remove(caller: Change) -> Answer<Done> {
    caller.web.access().remove_second_factor(&caller.actor).await?;
    Ok(Done)
}

async fn renew(caller: Change) -> Answer<ShownOnce<RecoveryCodes>> {
    let codes = caller.web.access().renew_recovery_codes(&caller.actor).await?;
    Ok(ShownOnce { secret: "codes", body: RecoveryCodes::of(&codes) })
}

/// A passkey.
#[derive(Debug, Serialize, ToSchema)]
struct PasskeyView {
    /// Names it.
    id: String,
    /// As its person calls it.
    name: String,
    /// When it was registered.
    created_at: Moment,
    /// When it was last used.
    last_used_at: Option<Moment>,
}

impl From<PasskeyRow> for PasskeyView {
    fn from(row: PasskeyRow) -> Self {
        let PasskeyRow { id, name, created_at, last_used_at } = row;
        Self { id, name, created_at: created_at.into(), last_used_at: last_used_at.map(Moment::from) }
    }
}

async fn passkeys(caller: Look) -> Answer<Many<PasskeyView>> {
    let rows = caller.web.access().own_passkeys(&caller.actor).await?;
    Ok(Many(Rows { rows: rows.into_iter().map(PasskeyView::from).collect(), next: None }))
}

/// Another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewName {
    /// Up to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

async fn rename_passkey(caller: Change, Path(id): Path<String>, Json(new): Json<NewName>) -> Answer<Done> {
    caller.web.access().rename_passkey(&caller.actor, &id, &new.name).await?;
    Ok(Done)
}

async fn remove_passkey(caller: Change, Path(id): Path<String>) -> Answer<Done> {
    caller.web.access().remove_passkey(&caller.actor, &id).await?;
    Ok(Done)
}
