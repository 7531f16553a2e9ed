//! All addresses: people's own, aliases, forwards, catch-alls, other names of domains; and where one leads.

use std::collections::HashSet;

use relais_model::{Address, Domain};
use relais_store::{
    ALIAS_DEPTH, AddressEntry, AddressFilter, AddressKind as StoreKind, AddressOrder, Alias, MAX_TARGETS, Order, Route,
    Store, fold,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::checks::{self, Checks};
use crate::directory::readable;
use crate::paging::{Rows, page};
use crate::people::unknown;
use crate::{Actor, Complaint, Failure, Moment, Role, Text};

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
    /// Whether it takes no mail.
    pub is_suspended: bool,
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

/// An alias that is to be added, or a forward: that is one that leads to another host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAlias {
    /// Its address, in a domain of ours.
    #[schema(example = "sales@example.org")]
    pub address: String,
    /// Where it leads: 1 to 500 addresses, here or elsewhere.
    pub targets: Vec<String>,
}

/// What is to be different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasChange {
    /// Where it leads: 1 to 500 addresses, here or elsewhere.
    pub targets: Vec<String>,
}

/// What leads to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LeadsTo {
    /// Aliases, by however many steps; those a step away first; 500 at most.
    pub aliases: Vec<String>,
    /// Domains whose catch-all or postmaster the address is.
    pub catch_alls: Vec<String>,
    /// Other names of its domain: the same local part there leads here, too.
    pub other_names: Vec<String>,
}

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Resolved {
    /// As it was typed.
    pub address: String,
    /// Step by step, each address once: the first is the one that was typed.
    pub steps: Vec<ResolvedStep>,
    /// The people whose mailboxes it reaches.
    pub mailboxes: Vec<String>,
    /// The addresses at other hosts that it reaches.
    pub elsewhere: Vec<String>,
}

/// One address on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ResolvedStep {
    /// The address.
    pub address: String,
    /// Steps from the one that was typed.
    pub depth: usize,
    /// What it is.
    pub leads: Leads,
    /// Where it leads on to.
    pub targets: Vec<String>,
    /// The part after `+`, where there is one and a person's address takes it.
    pub detail: Option<String>,
}

/// What is found at one address on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leads {
    /// A person's mailboxes.
    Mailbox,
    /// A person who is suspended: their mail is refused.
    Suspended,
    /// An alias, or postmaster.
    Alias,
    /// The domain's catch-all.
    CatchAll,
    /// Another name of a domain.
    DomainAlias,
    /// Another host, or a domain of this house that the asker doesn't see.
    Elsewhere,
    /// Nobody has it: mail is refused.
    Nobody,
    /// Its domain takes no mail.
    Disabled,
    /// An address that was met before: a circle, which reaches nobody new.
    Circle,
    /// Too many steps: mail is refused.
    TooFar,
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
        Ok(Rows::of(listing, view))
    }

    /// One alias or forward. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, actor: &Actor, address: &str) -> Result<AddressView, Failure> {
        actor.require(Role::HelpDesk)?;
        let alias = self.find(actor, address).await?;
        self.alias_view(alias).await
    }

    /// Adds an alias. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Unfit`], also where it would lead back to itself; [`Failure::Absent`] for a domain that isn't there;
    /// [`Failure::Clash`] on `address`.
    pub async fn create(&self, actor: &Actor, new: NewAlias) -> Result<AddressView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let mut checks = Checks::default();
        let address = checks.take(checks::address("address", &new.address));
        let targets = take_targets(&mut checks, &new.targets);
        let (address, targets) = checks.end(address.zip(targets))?;
        actor.require_reach(&address.domain)?;
        self.refuse_loop(&address, &targets).await?;
        let alias = self.store.add_alias(&address, targets, &actor.author()).await?;
        self.alias_view(alias).await
    }

    /// Gives an alias other targets. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Stale`]; [`Failure::Unfit`] as for [`Addresses::create`].
    pub async fn change(
        &self,
        actor: &Actor,
        address: &str,
        change: AliasChange,
        if_version: Option<&str>,
    ) -> Result<AddressView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let alias = self.find(actor, address).await?;
        let mut checks = Checks::default();
        let targets = take_targets(&mut checks, &change.targets);
        let targets = checks.end(targets)?;
        self.refuse_loop(&alias.address, &targets).await?;
        let version = checks::version(if_version)?;
        self.store.change_alias(&alias.address, targets, version, &actor.author()).await?;
        self.show(actor, address).await
    }

    /// Removes an alias. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Stale`].
    pub async fn remove(&self, actor: &Actor, address: &str, if_version: Option<&str>) -> Result<(), Failure> {
        actor.require(Role::DomainAdmin)?;
        let alias = self.find(actor, address).await?;
        Ok(self.store.remove_alias(&alias.address, checks::version(if_version)?, &actor.author()).await?)
    }

    /// What leads to an address of ours, as far as the asker sees it. Help desk; and who asks for themselves.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn leads_to(&self, actor: &Actor, address: &str) -> Result<LeadsTo, Failure> {
        let parsed = Address::parse(address.trim()).map_err(|_| unknown(address))?;
        let is_own = actor.account.as_ref().is_some_and(|(_, own)| fold(own) == fold(&parsed));
        if !is_own {
            actor.require(Role::HelpDesk)?;
            actor.require_reach(&parsed.domain).map_err(|_| unknown(address))?;
        }
        let sees = |domain: &Domain| *domain == parsed.domain || actor.require_reach(domain).is_ok();
        let aliases = self.store.aliases_to(&parsed).await?;
        let catch_alls = self.store.domains_to(&parsed).await?;
        let entry = self.store.domain(&parsed.domain).await?.ok_or_else(|| unknown(address))?;
        Ok(LeadsTo {
            aliases: aliases.iter().filter(|alias| sees(&alias.domain)).map(readable).collect(),
            catch_alls: catch_alls.iter().filter(|domain| sees(domain)).map(Domain::to_unicode).collect(),
            other_names: entry.other_names.iter().map(Domain::to_unicode).collect(),
        })
    }

    /// Where an address leads, step by step. Help desk. Of a domain that the asker doesn't see it tells no more than that it is of this house.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Unfit`] on `address`.
    pub async fn resolve(&self, actor: &Actor, text: &str) -> Result<Resolved, Failure> {
        actor.require(Role::HelpDesk)?;
        let address = checks::address("address", text).map_err(|complaint| Failure::Unfit(vec![complaint]))?;
        let mut resolved =
            Resolved { address: readable(&address), steps: Vec::new(), mailboxes: Vec::new(), elsewhere: Vec::new() };
        if !self.is_shown(actor, &address.domain).await? {
            return Err(unknown(text));
        }
        let mut seen = HashSet::new();
        // The first that is met is looked at first, so that the steps read as a tree.
        let mut ahead = vec![(address, 0)];
        while let Some((address, depth)) = ahead.pop() {
            let step = if !seen.insert(fold(&address)) {
                step(&address, depth, Leads::Circle)
            } else if depth > ALIAS_DEPTH || seen.len() > MAX_STEPS {
                step(&address, depth, Leads::TooFar)
            } else {
                let (step, targets) = self.step(actor, address, depth, &mut resolved).await?;
                ahead.extend(targets.into_iter().rev().map(|target| (target, depth + 1)));
                step
            };
            resolved.steps.push(step);
        }
        Ok(resolved)
    }

    async fn step(
        &self,
        actor: &Actor,
        address: Address,
        depth: usize,
        resolved: &mut Resolved,
    ) -> Result<(ResolvedStep, Vec<Address>), Failure> {
        // What another tenant's address is, or whether it is one, is not told.
        if !self.is_shown(actor, &address.domain).await? {
            resolved.elsewhere.push(readable(&address));
            return Ok((step(&address, depth, Leads::Elsewhere), Vec::new()));
        }
        if let Some(domain) = self.store.domain_of_alias(&address.domain).await? {
            let target = Address { domain, ..address.clone() };
            return Ok((on(&address, depth, Leads::DomainAlias, std::slice::from_ref(&target)), vec![target]));
        }
        Ok(match self.store.route(&address).await? {
            Route::Account { address: own, detail, is_suspended, .. } => {
                let leads = if is_suspended { Leads::Suspended } else { Leads::Mailbox };
                let shown = readable(&own);
                if !is_suspended && !resolved.mailboxes.contains(&shown) {
                    resolved.mailboxes.push(shown);
                }
                (ResolvedStep { detail, ..step(&address, depth, leads) }, Vec::new())
            }
            Route::Alias { targets } => (on(&address, depth, Leads::Alias, &targets), targets),
            Route::CatchAll { target } => {
                (on(&address, depth, Leads::CatchAll, std::slice::from_ref(&target)), vec![target])
            }
            Route::NoSuchAddress => (step(&address, depth, Leads::Nobody), Vec::new()),
            Route::Disabled => (step(&address, depth, Leads::Disabled), Vec::new()),
            Route::NotLocal => {
                resolved.elsewhere.push(readable(&address));
                (step(&address, depth, Leads::Elsewhere), Vec::new())
            }
        })
    }

    /// A domain in reach, by any of its names, or one that isn't of this house: about that there is nothing to hide.
    async fn is_shown(&self, actor: &Actor, domain: &Domain) -> Result<bool, Failure> {
        if actor.require_reach(domain).is_ok() {
            return Ok(true);
        }
        if let Some(of) = self.store.domain_of_alias(domain).await? {
            return Ok(actor.require_reach(&of).is_ok());
        }
        Ok(self.store.domain_key(domain).await?.is_none())
    }

    /// Refuses targets that lead back to the alias, and names the way.
    async fn refuse_loop(&self, address: &Address, targets: &[Address]) -> Result<(), Failure> {
        let goal = fold(address);
        let mut seen = HashSet::new();
        let mut ahead: Vec<Vec<Address>> = targets.iter().map(|target| vec![target.clone()]).collect();
        while let Some(way) = ahead.pop() {
            let Some(last) = way.last() else { continue };
            if self.is_same(last, &goal).await? {
                let way = [address].into_iter().chain(&way).map(readable).collect::<Vec<_>>().join(" → ");
                return Err(Failure::unfit("targets", Text::new("failure-alias-loop").with("way", way)));
            }
            if way.len() > ALIAS_DEPTH || seen.len() >= MAX_STEPS || !seen.insert(fold(last)) {
                continue;
            }
            let next = match self.store.route(last).await? {
                Route::Alias { targets } => targets,
                Route::CatchAll { target } => vec![target],
                _ => continue,
            };
            for target in next {
                ahead.push(way.iter().cloned().chain([target]).collect());
            }
        }
        Ok(())
    }

    /// Whether `address` is the one that folds to `goal`, by its own domain or another name of it.
    async fn is_same(&self, address: &Address, goal: &str) -> Result<bool, Failure> {
        if fold(address) == goal {
            return Ok(true);
        }
        let of = self.store.domain_of_alias(&address.domain).await?;
        Ok(of.is_some_and(|domain| fold(&Address { domain, ..address.clone() }) == goal))
    }

    async fn find(&self, actor: &Actor, address: &str) -> Result<Alias, Failure> {
        let parsed = Address::parse(address.trim()).map_err(|_| unknown(address))?;
        actor.require_reach(&parsed.domain).map_err(|_| unknown(address))?;
        self.store.alias(&parsed).await?.ok_or_else(|| unknown(address))
    }

    async fn alias_view(&self, alias: Alias) -> Result<AddressView, Failure> {
        let mut kind = AddressKind::Alias;
        for target in &alias.targets {
            let is_ours = self.store.domain_key(&target.domain).await?.is_some()
                || self.store.domain_of_alias(&target.domain).await?.is_some();
            if !is_ours {
                kind = AddressKind::Forward;
                break;
            }
        }
        Ok(AddressView {
            kind,
            address: readable(&alias.address),
            domain: alias.address.domain.to_unicode(),
            targets: alias.targets.iter().map(readable).collect(),
            name: String::new(),
            is_suspended: false,
            created_at: alias.created_at.into(),
            version: alias.version.to_string(),
        })
    }
}

fn take_targets(checks: &mut Checks, texts: &[String]) -> Option<Vec<Address>> {
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    if texts.is_empty() || texts.len() > MAX_TARGETS {
        let why = Text::new("failure-targets").with("most", MAX_TARGETS);
        return checks.take(Err(Complaint { field: "targets", why }));
    }
    let mut targets: Vec<Address> = Vec::new();
    for text in texts {
        let target = checks.take(checks::address("targets", text))?;
        if targets.iter().all(|known| fold(known) != fold(&target)) {
            targets.push(target);
        }
    }
    Some(targets)
}

fn step(address: &Address, depth: usize, leads: Leads) -> ResolvedStep {
    ResolvedStep { address: readable(address), depth, leads, targets: Vec::new(), detail: None }
}

fn on(address: &Address, depth: usize, leads: Leads, targets: &[Address]) -> ResolvedStep {
    ResolvedStep { targets: targets.iter().map(readable).collect(), ..step(address, depth, leads) }
}

impl From<AddressKind> for StoreKind {
    fn from(kind: AddressKind) -> Self {
        match kind {
            AddressKind::Person => Self::Person,
            AddressKind::Alias => Self::Alias,
            AddressKind::Forward => Self::Forward,
            AddressKind::CatchAll => Self::CatchAll,
            AddressKind::DomainAlias => Self::DomainAlias,
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
        }
    }
}

fn view(entry: AddressEntry) -> AddressView {
    let domain = entry.domain.to_unicode();
    let of = entry.of.map(|of| format!("*@{}", of.to_unicode()));
    AddressView {
        kind: entry.kind.into(),
        address: entry.address.as_ref().map_or_else(|| format!("*@{domain}"), readable),
        domain,
        targets: entry.targets.iter().map(readable).chain(of).collect(),
        name: entry.name,
        is_suspended: entry.is_suspended,
        created_at: entry.created_at.into(),
        version: entry.version.to_string(),
    }
}
