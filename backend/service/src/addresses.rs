//! All addresses: people's own, aliases, forwards, catch-alls, other names of domains; and where one leads.

mod alias;
mod circle;
mod pattern;
mod way;

use std::time::Duration;

use relais_store::{AddressEntry, AddressFilter, AddressKind as StoreKind, AddressOrder, AliasName, Order, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::checks;
use crate::directory::{readable, readable_alias};
use crate::paging::{Rows, page};
use crate::{Actor, Failure, Moment, Role, Text};

pub use alias::{AliasChange, AliasSenders, AliasView, NewAlias};
pub use pattern::{PatternTrial, PatternTried};
pub use way::{Leads, LeadsTo, Resolved, ResolvedStep};

/// Addresses that one question looks at, at most.
const MAX_STEPS: usize = 1000;

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// A person's own.
    Person,
    /// Leads to addresses of this house.
    Alias,
    /// Leads to another host's address, at least one.
    Forward,
    /// All addresses of a domain that nobody has.
    CatchAll,
    /// All addresses of another name of a domain.
    DomainAlias,
    /// All addresses that nobody has and that fit a wildcard, such as `sales-*@example.org`; leads wherever.
    Wildcard,
    /// All addresses that nobody has and whose whole local part a regular expression matches, such as `/sales-[0-9]+/@example.org`; leads wherever.
    Expression,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AddressView {
    /// What it is.
    pub kind: AddressKind,
    /// The address; with `*` for any local part.
    #[schema(example = "sales@example.org")]
    pub address: String,
    /// Its domain.
    pub domain: String,
    /// Where it leads, in order; of a person's own address, nowhere; of another name of a domain, `*@` the domain.
    pub targets: Vec<String>,
    /// A person's name.
    pub name: String,
    /// Whether it takes no mail: its person is suspended, or its time as an alias is over.
    pub is_suspended: bool,
    /// Of an alias, from when on mail for it is refused; none: it doesn't end. It can be moved until `kept_until`.
    pub ends_at: Option<Moment>,
    /// Of an alias that has an end, until when it is kept after that.
    pub kept_until: Option<Moment>,
    /// What people note on an alias.
    pub note: String,
    /// When it was added; of a catch-all, its domain.
    pub created_at: Moment,
    /// Another one after each change of the alias; else of its person or domain.
    pub version: String,
}

/// Which addresses are wanted, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AddressesWanted {
    /// A text in the address, in a target, or in a person's name.
    pub search: Option<String>,
    /// Those of this domain.
    pub domain: Option<String>,
    /// Those of these kinds; of all, where none is named. Stands once for each.
    #[param(inline)]
    pub kind: Vec<AddressKind>,
    /// What they are put in order by.
    #[param(inline)]
    pub sort: AddressSort,
    /// In the other direction.
    pub reversed: bool,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// What addresses are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressSort {
    /// The address, from a.
    #[default]
    Address,
    /// When it was added, the latest first.
    Created,
}

/// The use-cases of addresses.
#[derive(Debug, Clone)]
pub struct Addresses {
    store: Store,
}

impl Addresses {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Addresses, those that the asker sees. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`] for a domain that isn't there.
    pub async fn list(&self, actor: &Actor, wanted: &AddressesWanted) -> Result<Rows<AddressView>, Failure> {
        actor.require(Role::HelpDesk)?;
        let domains = match wanted.domain.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => {
                let unknown = || Failure::Absent(Text::new("failure-unknown-domain").with("domain", name));
                let domain = checks::domain("domain", name).map_err(|_| unknown())?;
                actor.require_reach(&domain)?;
                Some(vec![self.store.domain_key(&domain).await?.ok_or_else(unknown)?])
            }
            None => actor.domains(),
        };
        let filter = AddressFilter {
            domains,
            text: wanted.search.clone(),
            kinds: wanted.kind.iter().copied().map(StoreKind::from).collect(),
        };
        let by = match wanted.sort {
            AddressSort::Address => AddressOrder::Address,
            AddressSort::Created => AddressOrder::Created,
        };
        let order = Order { by, is_reversed: wanted.reversed };
        let listing = self.store.addresses(&filter, order, &page(wanted.after.as_deref(), wanted.limit)).await?;
        let kept = self.store.settings().removed_kept;
        Ok(Rows::of(listing, |entry| view(entry, kept)))
    }
}

fn kind_of(name: &AliasName) -> AddressKind {
    match name {
        AliasName::Exact(_) => AddressKind::Alias,
        AliasName::Wildcard(_) => AddressKind::Wildcard,
        AliasName::Expression { .. } => AddressKind::Expression,
    }
}

impl From<AddressKind> for StoreKind {
    fn from(kind: AddressKind) -> Self {
        match kind {
            AddressKind::Person => Self::Person,
            AddressKind::Alias => Self::Alias,
            AddressKind::Forward => Self::Forward,
            AddressKind::CatchAll => Self::CatchAll,
            AddressKind::DomainAlias => Self::DomainAlias,
            AddressKind::Wildcard => Self::Wildcard,
            AddressKind::Expression => Self::Expression,
        }
    }
}

impl From<StoreKind> for AddressKind {
    fn from(kind: StoreKind) -> Self {
        match kind {
            StoreKind::Person => Self::Person,
            StoreKind::Alias => Self::Alias,
            StoreKind::Forward => Self::Forward,
            StoreKind::CatchAll => Self::CatchAll,
            StoreKind::DomainAlias => Self::DomainAlias,
            StoreKind::Wildcard => Self::Wildcard,
            StoreKind::Expression => Self::Expression,
        }
    }
}

fn view(entry: AddressEntry, kept: Duration) -> AddressView {
    let domain = entry.domain.to_unicode();
    let of = entry.of.map(|of| format!("*@{}", of.to_unicode()));
    let own = entry.alias.as_ref().map(readable_alias).or_else(|| entry.address.as_ref().map(readable));
    AddressView {
        kind: entry.kind.into(),
        address: own.unwrap_or_else(|| format!("*@{domain}")),
        domain,
        targets: entry.targets.iter().map(readable).chain(of).collect(),
        name: entry.name,
        is_suspended: entry.is_suspended,
        ends_at: entry.ends_at.map(Moment),
        kept_until: entry.ends_at.map(|end| end.plus(kept).into()),
        note: entry.note,
        created_at: entry.created_at.into(),
        version: entry.version.to_string(),
    }
}
