//! Domains: what they are, how they are changed, their other names, and their going with grace.

use std::time::Duration;

use relais_model::Domain;
use relais_store::{DomainChange as StoreChange, DomainEntry, DomainFilter, DomainOrder, Order, Removal, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::checks::{self, Checks, MAX_TEXT_OCTETS};
use crate::directory::readable;
use crate::paging::{Rows, page};
use crate::{Actor, Failure, Moment, Role, Text};

/// One domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DomainView {
    /// Its name, as people read it: with U-labels.
    #[schema(example = "example.org")]
    pub domain: String,
    /// Its name as the DNS has it: with A-labels.
    pub ascii: String,
    /// What people say of it; may be empty.
    pub description: String,
    /// Which tenant it is of; empty: of the house itself. Nothing is shared with people of another.
    pub tenant: String,
    /// Where mail for addresses that nobody has goes; none: it is refused.
    pub catch_all: Option<String>,
    /// Where mail for postmaster goes where nobody has that address; none: to the oldest account.
    pub postmaster: Option<String>,
    /// Octets that a new person's mail may take unless it is said otherwise; none: no limit.
    pub default_quota_octets: Option<u64>,
    /// Octets that its people's mail may take together; none: no limit.
    pub quota_octets: Option<u64>,
    /// Messages that its people may have together; none: no limit.
    pub quota_messages: Option<u64>,
    /// People that it may have; none: no limit.
    pub max_people: Option<u64>,
    /// Whether its mail and its people's log-ins are refused.
    pub is_disabled: bool,
    /// Its other names: their addresses lead where its own lead.
    pub other_names: Vec<String>,
    /// How many people it has.
    pub people: u64,
    /// How many aliases and forwards it has.
    pub aliases: u64,
    /// Octets that its people's mail takes.
    pub used_octets: u64,
    /// Messages that its people have.
    pub used_messages: u64,
    /// When it was added.
    pub created_at: Moment,
    /// Since when it is removed; it can be restored until `purged_at`.
    pub removed_at: Option<Moment>,
    /// When what is removed is gone for good.
    pub purged_at: Option<Moment>,
    /// Another one after each change of the domain itself.
    pub version: String,
}

/// Which domains are wanted, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DomainsWanted {
    /// A text in the name, in another name, or in the description.
    pub search: Option<String>,
    /// What they are put in order by.
    #[param(inline)]
    pub sort: DomainSort,
    /// In the other direction.
    pub reversed: bool,
    /// Those that are removed and can be restored, instead of those that are here.
    pub removed: bool,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// What domains are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DomainSort {
    /// Their name, from a.
    #[default]
    Name,
    /// How many people they have, from the most.
    People,
    /// What their mail takes, from the most.
    Size,
}

/// A domain that is to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDomain {
    /// Its name.
    #[schema(example = "example.org")]
    pub domain: String,
    /// What people say of it; up to 1,000 octets.
    #[serde(default)]
    pub description: String,
    /// Which tenant it is of; up to 1,000 octets, empty: of the house itself.
    #[serde(default)]
    pub tenant: String,
    /// Where mail for addresses that nobody has goes; none: it is refused.
    #[serde(default)]
    pub catch_all: Option<String>,
    /// Where mail for postmaster goes; none: to the oldest account.
    #[serde(default)]
    pub postmaster: Option<String>,
    /// Octets that a new person's mail may take; none: no limit.
    #[serde(default)]
    pub default_quota_octets: Option<u64>,
    /// Octets that its people's mail may take together; none: no limit.
    #[serde(default)]
    pub quota_octets: Option<u64>,
    /// Messages that its people may have together; none: no limit.
    #[serde(default)]
    pub quota_messages: Option<u64>,
    /// People that it may have; none: no limit.
    #[serde(default)]
    pub max_people: Option<u64>,
}

/// What is to be different; what isn't named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DomainChange {
    /// What people say of it; up to 1,000 octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which tenant it is of; up to 1,000 octets, empty: of the house itself. Only owners change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Where mail for addresses that nobody has goes; null: it is refused.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub catch_all: Option<Option<String>>,
    /// Where mail for postmaster goes; null: to the oldest account.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub postmaster: Option<Option<String>>,
    /// Octets that a new person's mail may take; null: no limit.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub default_quota_octets: Option<Option<u64>>,
    /// Octets that its people's mail may take together; null: no limit. Only owners change it.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub quota_octets: Option<Option<u64>>,
    /// Messages that its people may have together; null: no limit. Only owners change it.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub quota_messages: Option<Option<u64>>,
    /// People that it may have; null: no limit. Only owners change it.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub max_people: Option<Option<u64>>,
    /// Whether its mail and its people's log-ins are refused. Only owners change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_disabled: Option<bool>,
}

/// What goes with a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DomainGoing {
    /// The domain.
    pub domain: String,
    /// Messages of its people.
    pub messages: u64,
    /// Octets that they take.
    pub octets: u64,
    /// People.
    pub people: u64,
    /// Aliases and forwards.
    pub aliases: u64,
    /// Other names of it.
    pub other_names: u64,
    /// Until then it could be restored, were it removed now.
    pub purged_at: Moment,
}

/// The use-cases of domains.
#[derive(Debug, Clone)]
pub struct Domains {
    store: Store,
}

impl Domains {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Domains, those that the asker sees. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn list(&self, actor: &Actor, wanted: &DomainsWanted) -> Result<Rows<DomainView>, Failure> {
        actor.require(Role::HelpDesk)?;
        let filter = DomainFilter { among: actor.domains(), text: wanted.search.clone(), is_removed: wanted.removed };
        let by = match wanted.sort {
            DomainSort::Name => DomainOrder::Name,
            DomainSort::People => DomainOrder::People,
            DomainSort::Size => DomainOrder::Size,
        };
        let order = Order { by, is_reversed: wanted.reversed };
        let listing = self.store.domains(&filter, order, &page(wanted.after.as_deref(), wanted.limit)).await?;
        let kept = self.store.settings().removed_kept;
        Ok(Rows::of(listing, |entry| view(entry, kept)))
    }

    /// One domain, by its name. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, actor: &Actor, name: &str) -> Result<DomainView, Failure> {
        actor.require(Role::HelpDesk)?;
        let entry = self.entry(actor, name).await?;
        Ok(view(entry, self.store.settings().removed_kept))
    }

    /// Adds a domain. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Unfit`], [`Failure::Clash`] on `domain`.
    pub async fn create(&self, actor: &Actor, new: NewDomain) -> Result<DomainView, Failure> {
        actor.require(Role::Owner)?;
        let mut checks = Checks::default();
        let domain = checks.take(checks::domain("domain", &new.domain));
        checks.note(checks::text("description", &new.description, MAX_TEXT_OCTETS));
        checks.note(checks::text("tenant", &new.tenant, MAX_TEXT_OCTETS));
        checks.note(checks::number("default_quota_octets", new.default_quota_octets));
        checks.note(checks::number("quota_octets", new.quota_octets));
        checks.note(checks::number("quota_messages", new.quota_messages));
        checks.note(checks::number("max_people", new.max_people));
        let start = StoreChange {
            description: Some(new.description),
            tenant: Some(new.tenant),
            catch_all: checks.optional_address("catch_all", new.catch_all.as_deref()).map(Some),
            postmaster: checks.optional_address("postmaster", new.postmaster.as_deref()).map(Some),
            default_quota_octets: Some(new.default_quota_octets),
            quota_octets: Some(new.quota_octets),
            quota_messages: Some(new.quota_messages),
            max_people: Some(new.max_people),
            is_disabled: None,
        };
        let domain = checks.end(domain)?;
        self.store.add_domain(&domain, start, &actor.author()).await?;
        self.show(actor, domain.as_str()).await
    }

    /// Changes a domain. Domain admin; owner for what only owners change.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Unfit`], [`Failure::Stale`]; [`Failure::Clash`] where no owner could log in any more.
    pub async fn change(
        &self,
        actor: &Actor,
        name: &str,
        change: DomainChange,
        if_version: Option<&str>,
    ) -> Result<DomainView, Failure> {
        let has_limits = change.max_people.or(change.quota_octets).or(change.quota_messages).is_some();
        let is_owners = has_limits || change.is_disabled.is_some() || change.tenant.is_some();
        actor.require(if is_owners { Role::Owner } else { Role::DomainAdmin })?;
        let entry = self.entry(actor, name).await?;
        let mut checks = Checks::default();
        checks.note(checks::text("description", change.description.as_deref().unwrap_or_default(), MAX_TEXT_OCTETS));
        checks.note(checks::text("tenant", change.tenant.as_deref().unwrap_or_default(), MAX_TEXT_OCTETS));
        checks.note(checks::number("default_quota_octets", change.default_quota_octets.flatten()));
        checks.note(checks::number("quota_octets", change.quota_octets.flatten()));
        checks.note(checks::number("quota_messages", change.quota_messages.flatten()));
        checks.note(checks::number("max_people", change.max_people.flatten()));
        let target = |checks: &mut Checks, field, wanted: Option<Option<String>>| {
            wanted.map(|wanted| checks.optional_address(field, wanted.as_deref()))
        };
        let change = StoreChange {
            catch_all: target(&mut checks, "catch_all", change.catch_all),
            postmaster: target(&mut checks, "postmaster", change.postmaster),
            description: change.description,
            tenant: change.tenant,
            default_quota_octets: change.default_quota_octets,
            quota_octets: change.quota_octets,
            quota_messages: change.quota_messages,
            max_people: change.max_people,
            is_disabled: change.is_disabled,
        };
        checks.end(Some(()))?;
        self.store.change_domain(&entry.domain, change, checks::version(if_version)?, &actor.author()).await?;
        self.show(actor, name).await
    }

    /// What goes with a domain. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn going(&self, actor: &Actor, name: &str) -> Result<DomainGoing, Failure> {
        actor.require(Role::HelpDesk)?;
        let entry = self.entry(actor, name).await?;
        Ok(DomainGoing {
            domain: entry.domain.to_unicode(),
            messages: entry.used_messages,
            octets: entry.used_octets,
            people: entry.accounts,
            aliases: entry.aliases,
            other_names: u64::try_from(entry.other_names.len()).unwrap_or(u64::MAX),
            purged_at: self.store.now().plus(self.store.settings().removed_kept).into(),
        })
    }

    /// Removes a domain with all that is in it: it is gone for all, but can be restored for as long as the setting `removed.kept` says. Owner, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Unproven`], [`Failure::Absent`], [`Failure::Stale`]; [`Failure::Clash`] where no owner could log in any more.
    pub async fn remove(&self, actor: &Actor, name: &str, if_version: Option<&str>) -> Result<(), Failure> {
        self.go(actor, name, Removal::WithContents, if_version).await
    }

    /// As [`Domains::remove`], but only if neither people nor aliases are in it.
    ///
    /// # Errors
    /// The same; [`Failure::Clash`] where something is in it.
    pub async fn remove_empty(&self, actor: &Actor, name: &str, if_version: Option<&str>) -> Result<(), Failure> {
        self.go(actor, name, Removal::OnlyEmpty, if_version).await
    }

    /// As [`Domains::remove`], and nobody can restore it: neither can a domain that was removed before.
    ///
    /// # Errors
    /// The same.
    pub async fn remove_for_good(&self, actor: &Actor, name: &str, if_version: Option<&str>) -> Result<(), Failure> {
        match self.go(actor, name, Removal::WithContents, if_version).await {
            Ok(()) | Err(Failure::Absent(_)) => {}
            Err(failure) => return Err(failure),
        }
        let domain = checks::domain("domain", name).map_err(|_| unknown(name))?;
        Ok(self.store.purge_domain(&domain).await?)
    }

    async fn go(&self, actor: &Actor, name: &str, how: Removal, if_version: Option<&str>) -> Result<(), Failure> {
        actor.require(Role::Owner)?;
        actor.require_proof()?;
        let entry = self.entry(actor, name).await?;
        let version = checks::version(if_version)?;
        Ok(self.store.remove_domain(&entry.domain, how, version, &actor.author()).await?)
    }

    /// Restores a domain that was removed, with all that was in it. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn restore(&self, actor: &Actor, name: &str) -> Result<DomainView, Failure> {
        actor.require(Role::Owner)?;
        let domain = checks::domain("domain", name).map_err(|_| unknown(name))?;
        self.store.restore_domain(&domain, &actor.author()).await?;
        self.show(actor, name).await
    }

    /// Gives a domain another name. Owner: it takes a name for the whole house.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Unfit`], [`Failure::Clash`] on `domain`.
    pub async fn add_other_name(&self, actor: &Actor, name: &str, other: &str) -> Result<DomainView, Failure> {
        actor.require(Role::Owner)?;
        let entry = self.entry(actor, name).await?;
        let other = checks::domain("domain", other).map_err(|complaint| Failure::Unfit(vec![complaint]))?;
        if entry.other_names.len() >= relais_store::MAX_OTHER_NAMES {
            let why = Text::new("failure-too-many-other-names").with("most", relais_store::MAX_OTHER_NAMES);
            return Err(Failure::unfit("domain", why));
        }
        self.store.add_domain_alias(&other, &entry.domain, &actor.author()).await?;
        self.show(actor, name).await
    }

    /// Takes another name from a domain. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_other_name(&self, actor: &Actor, name: &str, other: &str) -> Result<DomainView, Failure> {
        actor.require(Role::Owner)?;
        let entry = self.entry(actor, name).await?;
        let named = checks::domain("domain", other).ok().filter(|other| entry.other_names.contains(other));
        let named = named.ok_or_else(|| unknown(other))?;
        self.store.remove_domain_alias(&named, &actor.author()).await?;
        self.show(actor, name).await
    }

    /// The domain that a page or path names, in reach of the one who asks.
    async fn entry(&self, actor: &Actor, name: &str) -> Result<DomainEntry, Failure> {
        let domain = checks::domain("domain", name).map_err(|_| unknown(name))?;
        actor.require_reach(&domain)?;
        self.store.domain(&domain).await?.ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &str) -> Failure {
    let shown = Domain::parse(name).map_or_else(|_| name.to_owned(), |domain| domain.to_unicode());
    Failure::Absent(Text::new("failure-unknown-domain").with("domain", shown))
}

/// As people see it; what is removed is `kept` for so long.
fn view(entry: DomainEntry, kept: Duration) -> DomainView {
    DomainView {
        domain: entry.domain.to_unicode(),
        ascii: entry.domain.to_string(),
        description: entry.description,
        tenant: entry.tenant,
        catch_all: entry.catch_all.as_ref().map(readable),
        postmaster: entry.postmaster.as_ref().map(readable),
        default_quota_octets: entry.default_quota_octets,
        quota_octets: entry.quota_octets,
        quota_messages: entry.quota_messages,
        max_people: entry.max_people,
        is_disabled: entry.is_disabled,
        other_names: entry.other_names.iter().map(Domain::to_unicode).collect(),
        people: entry.accounts,
        aliases: entry.aliases,
        used_octets: entry.used_octets,
        used_messages: entry.used_messages,
        created_at: entry.created_at.into(),
        removed_at: entry.removed_at.map(Moment::from),
        purged_at: entry.removed_at.map(|at| at.plus(kept).into()),
        version: entry.version.to_string(),
    }
}
