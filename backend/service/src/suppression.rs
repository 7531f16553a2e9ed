//! Addresses elsewhere that other hosts refused as nobody, again and again: mail to them is refused here, for a time.

use relais_model::Address;
use relais_store::Suppressed;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::directory::readable;
use crate::{Actor, Failure, Moment, Role, Rows, Service, Text};

/// An address that mail is refused for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SuppressedView {
    /// The address.
    #[schema(example = "nobody@else.example")]
    pub address: String,
    /// Since when mail to it is refused.
    pub since: Moment,
    /// Until when; a success before ends it, too.
    pub until: Moment,
    /// How often it was refused as nobody.
    pub refusals: u64,
    /// When it was refused last.
    pub last_at: Moment,
    /// By which host; empty where the DNS knows no host.
    pub remote: String,
    /// What was said.
    pub reply: String,
}

/// Which addresses are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuppressedWanted {
    /// A text in the address.
    pub search: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

impl Service {
    /// Addresses that mail is refused for, in their order. Owner: they tell whom everybody here writes to.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn suppressed(&self, by: &Actor, wanted: &SuppressedWanted) -> Result<Rows<SuppressedView>, Failure> {
        by.require(Role::Owner)?;
        let base = self.store.settings().suppression;
        let page = crate::paging::page(wanted.after.as_deref(), wanted.limit);
        let text = wanted.search.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let view = |found: Suppressed| SuppressedView {
            address: readable(&found.address),
            since: found.since.into(),
            until: found.until(base).into(),
            refusals: found.refusals,
            last_at: found.last_at.into(),
            remote: found.remote,
            reply: found.reply,
        };
        Ok(Rows::of(self.store.suppressed_addresses(text, &page).await?, view))
    }

    /// Lets mail go to an address again, as if it had never been refused. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`].
    pub async fn remove_suppressed(&self, by: &Actor, address: &str) -> Result<(), Failure> {
        by.require(Role::Owner)?;
        let absent = || Failure::Absent(Text::new("suppression-absent").with("address", address));
        let parsed = Address::parse(address.trim()).map_err(|_| absent())?;
        let was_there = self.store.remove_suppressed(&by.author(), &parsed).await?;
        if was_there { Ok(()) } else { Err(absent()) }
    }
}
