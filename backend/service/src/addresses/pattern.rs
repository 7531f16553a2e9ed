//! Aliases whose name is a pattern: what fits it, and what is left to it.

use relais_model::{Address, Domain};
use relais_store::{AliasName, Pattern, Route};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::alias::{alias_name, no_alias};
use super::{AddressKind, Addresses, kind_of};
use crate::checks::{self, Checks};
use crate::{Actor, Failure, Role};

/// A pattern that is tried before it is saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PatternTrial {
    /// As an alias is named.
    pub address: String,
    /// An address, or what stands before its @.
    pub sample: String,
}

/// What a pattern says of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PatternTried {
    /// What kind the alias would be of: `alias`, `wildcard` or `expression`.
    pub kind: AddressKind,
    /// Whether the sample's mail would fit it.
    pub fits: bool,
    /// Whether it would come to it: where not, something that goes first has the sample.
    pub is_free: bool,
}

impl Addresses {
    /// Tries a pattern on a sample before it is saved. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Unfit`] on `address` or `sample`; [`Failure::Absent`] for a domain that isn't there.
    pub async fn try_pattern(&self, actor: &Actor, trial: &PatternTrial) -> Result<PatternTried, Failure> {
        actor.require(Role::DomainAdmin)?;
        let mut checks = Checks::default();
        let name = checks.take(alias_name("address", &trial.address));
        let text = trial.sample.trim();
        let whole = match (&name, text.contains('@')) {
            (Some(name), false) => format!("{text}@{}", name.domain()),
            _ => text.to_owned(),
        };
        // Of a pattern that can't be read, only that is told.
        let sample = match (&name, text.contains('@')) {
            (None, false) => None,
            _ => checks.take(checks::address("sample", &whole)),
        };
        let (name, sample) = checks.end(name.zip(sample))?;
        actor.require_reach(name.domain())?;
        let pattern = Pattern::of(&name).map_err(|error| no_alias("address", &trial.address, &error))?;
        let kind = kind_of(&name);
        // Of another domain there is nothing to say: whether somebody has the address is not told.
        if !self.is_of(&sample, name.domain()).await? {
            return Ok(PatternTried { kind, fits: false, is_free: true });
        }
        let fits = pattern.fits(&sample.local_part, &sample.domain);
        Ok(PatternTried { kind, fits, is_free: self.is_left_to(&sample, &name).await? })
    }

    /// Whether an address is of a domain, by the domain's own name or another one.
    pub(super) async fn is_of(&self, address: &Address, domain: &Domain) -> Result<bool, Failure> {
        let own = self.store.domain_of_alias(&address.domain).await?;
        Ok(own.as_ref().unwrap_or(&address.domain) == domain)
    }

    /// Whether mail for an address that fits a pattern comes to it: a pattern has what nothing has that goes before it.
    pub(super) async fn is_left_to(&self, address: &Address, name: &AliasName) -> Result<bool, Failure> {
        Ok(match self.store.route(address).await? {
            Route::NoSuchAddress | Route::CatchAll { .. } => true,
            Route::Alias { name: Some(found), .. } => found == *name,
            _ => false,
        })
    }
}
