//! What those who run the house have set.

use axum::extract::Path;
use relais_service::{Rows, SettingSectionView, SettingView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::kit::{Answer, Caller, Json, Many, Operations, Read, Seen, Write, group, least};

type Look = Caller<least::Owner, Read<group::Settings>>;
type Change = Caller<least::Owner, Write<group::Settings>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/settings", list, "All settings, by section")
        .get("/settings/{setting}", show, "One setting, with its range and default")
        .put("/settings/{setting}", set, "Set a setting, or give it its default again; it is in force at once")
}

/// A setting's new value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewValue {
    /// As the panel takes it: `true`, `25 MiB`, `15 min`, words. Null: its default again.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    value: Option<String>,
}

async fn list(caller: Look) -> Answer<Many<SettingSectionView>> {
    let rows = caller.web.service().setting_sections(&caller.actor).await?;
    Ok(Many(Rows { rows, next: None }))
}

async fn show(caller: Look, Path(setting): Path<String>) -> Answer<Seen<SettingView>> {
    Ok(Seen(caller.web.service().setting(&caller.actor, &setting).await?))
}

async fn set(caller: Change, Path(setting): Path<String>, Json(new): Json<NewValue>) -> Answer<Seen<SettingView>> {
    Ok(Seen(caller.web.service().change_setting(&caller.actor, &setting, new.value.as_deref()).await?))
}
