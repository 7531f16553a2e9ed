//! All addresses: people's own, aliases, forwards, catch-alls, other names of domains; and where one leads.

use std::collections::HashSet;
use std::time::Duration;

use relais_model::{Address, Domain};
use relais_store::{
    ALIAS_DEPTH, AddressEntry, AddressFilter, AddressKind as StoreKind, AddressOrder, Alias, AliasName, AliasNameError,
    AliasTerms, MAX_ALIAS_TEXT_OCTETS, MAX_SENDERS, MAX_TARGETS, Order, Pattern, Route, Senders, Store, fold,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::checks::{self, Checks};
use crate::directory::{readable, readable_alias};
use crate::paging::{Rows, page};
use crate::people::unknown;
use crate::{Actor, Complaint, Failure, Moment, Role, Text};

/// Addresses that one question looks at, at most.
const MAX_STEPS: usize = 1000;

/// The greatest turn of a regular expression.
const MAX_TURN: u32 = 9999;

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

/// Who may send under an alias's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AliasSenders {
    /// Everybody here whom it leads to.
    #[default]
    Targets,
    /// Those who are named, and nobody else.
    People,
    /// Nobody.
    Nobody,
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

/// One alias, with all that is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AliasView {
    #[serde(flatten)]
    #[expect(missing_docs, reason = "it is the same view, and would be told twice")]
    pub address: AddressView,
    /// Who may send under its name.
    pub senders: AliasSenders,
    /// The people who may, where they are named.
    pub sender_people: Vec<String>,
    /// Of regular expressions, those with smaller numbers are asked first; of the same number, by name.
    pub turn: u32,
    /// What is said to who still writes to it after its end; empty: the house's own words.
    pub ended_text: String,
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
    /// Its address, in a domain of ours; or a wildcard, `sales-*@example.org`; or a regular expression between slashes, `/sales-[0-9]+/@example.org`,
    /// which the whole local part must match.
    #[schema(example = "sales@example.org")]
    pub address: String,
    /// Where it leads: 1 to 500 addresses, here or elsewhere.
    pub targets: Vec<String>,
    /// Who may send under its name; where it isn't said: of one address those whom it leads to, of a pattern nobody.
    #[serde(default)]
    pub senders: Option<AliasSenders>,
    /// The people who may, where they are named: 1 to 100.
    #[serde(default)]
    pub sender_people: Vec<String>,
    /// Of regular expressions, those with smaller numbers are asked first: 0 to 9999.
    #[serde(default)]
    pub turn: u32,
    /// From when on mail for it is refused; none: it doesn't end.
    #[serde(default)]
    pub ends_at: Option<Moment>,
    /// What people note on it.
    #[serde(default)]
    pub note: String,
    /// What is said to who still writes to it after its end, in plain letters (ASCII): SMTP has no others.
    #[serde(default)]
    pub ended_text: String,
}

/// What is to be different; what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AliasChange {
    /// Where it leads: 1 to 500 addresses, here or elsewhere.
    pub targets: Option<Vec<String>>,
    /// Who may send under its name.
    pub senders: Option<AliasSenders>,
    /// The people who may, where they are named: 1 to 100.
    pub sender_people: Option<Vec<String>>,
    /// Of regular expressions, those with smaller numbers are asked first: 0 to 9999.
    pub turn: Option<u32>,
    /// From when on mail for it is refused; null: it doesn't end. To move the end of one that has ended brings it back.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Moment>)]
    pub ends_at: Option<Option<Moment>>,
    /// What people note on it.
    pub note: Option<String>,
    /// What is said to who still writes to it after its end, in plain letters (ASCII).
    pub ended_text: Option<String>,
}

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
    /// The mailing lists that it reaches.
    pub lists: Vec<String>,
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
    /// The wildcard or regular expression that it fits.
    pub through: Option<String>,
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
    /// A wildcard or a regular expression that it fits.
    Pattern,
    /// An alias whose time is over: mail is refused.
    Ended,
    /// A mailing list: it goes to who subscribed.
    List,
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
        let kept = self.store.settings().removed_kept;
        Ok(Rows::of(listing, |entry| view(entry, kept)))
    }

    /// One alias or forward. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, actor: &Actor, address: &str) -> Result<AliasView, Failure> {
        actor.require(Role::HelpDesk)?;
        let alias = self.find(actor, address).await?;
        self.alias_view(alias).await
    }

    /// Adds an alias. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Unfit`], also where it would lead back to itself; [`Failure::Absent`] for a domain that isn't there;
    /// [`Failure::Clash`] on `address`.
    pub async fn create(&self, actor: &Actor, new: NewAlias) -> Result<AliasView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let mut checks = Checks::default();
        let name = checks.take(alias_name("address", &new.address));
        let is_pattern = name.as_ref().is_some_and(|name| name.exact().is_none());
        let senders = new.senders.unwrap_or(if is_pattern { AliasSenders::Nobody } else { AliasSenders::Targets });
        let targets = take_targets(&mut checks, &new.targets);
        let senders = take_senders(&mut checks, senders, &new.sender_people);
        check_texts(&mut checks, new.turn, &new.note, &new.ended_text);
        let ends_at = new.ends_at.map(|end| end.0);
        if ends_at.is_some_and(|end| end <= self.store.now()) {
            checks.note(Err(Complaint { field: "ends_at", why: Text::new("failure-alias-ended") }));
        }
        let ((name, targets), senders) = checks.end(name.zip(targets).zip(senders))?;
        actor.require_reach(name.domain())?;
        self.refuse_loop(&name, &targets).await?;
        let (note, ended_text) = (new.note.trim().to_owned(), new.ended_text.trim().to_owned());
        let terms = AliasTerms { targets, senders, turn: new.turn, ends_at, note, ended_text };
        let alias = self.store.add_alias_on(name, terms, &actor.author()).await?;
        self.alias_view(alias).await
    }

    /// Changes what is said of an alias; also brings one back that has ended. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Stale`]; [`Failure::Unfit`] as for [`Addresses::create`].
    pub async fn change(
        &self,
        actor: &Actor,
        address: &str,
        change: AliasChange,
        if_version: Option<&str>,
    ) -> Result<AliasView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let alias = self.find(actor, address).await?;
        let name = alias.address.clone();
        let (kind, people) = told_senders(&alias.senders);
        let mut terms = AliasTerms::from(alias);
        let mut checks = Checks::default();
        let targets = match &change.targets {
            Some(texts) => take_targets(&mut checks, texts),
            None => Some(std::mem::take(&mut terms.targets)),
        };
        let people = change.sender_people.unwrap_or(people);
        let senders = take_senders(&mut checks, change.senders.unwrap_or(kind), &people);
        terms.turn = change.turn.unwrap_or(terms.turn);
        terms.note = change.note.map_or(terms.note, |note| note.trim().to_owned());
        terms.ended_text = change.ended_text.map_or(terms.ended_text, |text| text.trim().to_owned());
        check_texts(&mut checks, terms.turn, &terms.note, &terms.ended_text);
        // An end in the past is one that it has now: to end an alias at once is a wish like another.
        terms.ends_at = change.ends_at.map_or(terms.ends_at, |end| end.map(|end| end.0));
        (terms.targets, terms.senders) = checks.end(targets.zip(senders))?;
        self.refuse_loop(&name, &terms.targets).await?;
        let version = checks::version(if_version)?;
        self.store.change_alias(&name, terms, version, &actor.author()).await?;
        self.show(actor, address).await
    }

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
        let of = self.store.domain_of_alias(&sample.domain).await?.unwrap_or_else(|| sample.domain.clone());
        let pattern = Pattern::of(&name).map_err(|error| no_alias("address", &trial.address, &error))?;
        // Of another domain there is nothing to say: whether somebody has the address is not told.
        if of != *name.domain() {
            return Ok(PatternTried { kind: kind_of(&name), fits: false, is_free: true });
        }
        let fits = pattern.fits(&sample.local_part, &sample.domain);
        let is_free = match self.store.route(&sample).await? {
            Route::NoSuchAddress | Route::CatchAll { .. } => true,
            Route::Alias { name: Some(found), .. } => found == name,
            _ => false,
        };
        Ok(PatternTried { kind: kind_of(&name), fits, is_free })
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
        let mut resolved = Resolved {
            address: readable(&address),
            steps: Vec::new(),
            mailboxes: Vec::new(),
            elsewhere: Vec::new(),
            lists: Vec::new(),
        };
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
            Route::Alias { name, targets, .. } => {
                let through = name.filter(|name| name.exact().is_none()).map(|name| readable_alias(&name));
                let leads = if through.is_some() { Leads::Pattern } else { Leads::Alias };
                (ResolvedStep { through, ..on(&address, depth, leads, &targets) }, targets)
            }
            Route::List { .. } => {
                resolved.lists.push(readable(&address));
                (step(&address, depth, Leads::List), Vec::new())
            }
            Route::Ended { .. } => (step(&address, depth, Leads::Ended), Vec::new()),
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
    async fn refuse_loop(&self, name: &AliasName, targets: &[Address]) -> Result<(), Failure> {
        let goal = Goal { name, pattern: Pattern::of(name).map_err(|_| Failure::Failed)? };
        let mut seen = HashSet::new();
        let mut ahead: Vec<Vec<Address>> = targets.iter().map(|target| vec![target.clone()]).collect();
        while let Some(way) = ahead.pop() {
            let Some(last) = way.last() else { continue };
            if self.leads_back(last, &goal).await? {
                let way = [readable_alias(name)].into_iter().chain(way.iter().map(readable));
                let way = way.collect::<Vec<_>>().join(" → ");
                return Err(Failure::unfit("targets", Text::new("failure-alias-loop").with("way", way)));
            }
            if way.len() > ALIAS_DEPTH || seen.len() >= MAX_STEPS || !seen.insert(fold(last)) {
                continue;
            }
            let next = match self.store.route(last).await? {
                Route::Alias { targets, .. } => targets,
                Route::CatchAll { target } => vec![target],
                _ => continue,
            };
            for target in next {
                ahead.push(way.iter().cloned().chain([target]).collect());
            }
        }
        Ok(())
    }

    /// Whether mail for `address` would come to the alias, by its own domain or another name of it.
    async fn leads_back(&self, address: &Address, goal: &Goal<'_>) -> Result<bool, Failure> {
        let of = self.store.domain_of_alias(&address.domain).await?.unwrap_or_else(|| address.domain.clone());
        if of != *goal.name.domain() || !goal.pattern.fits(&address.local_part, &address.domain) {
            return Ok(false);
        }
        if goal.name.exact().is_some() {
            return Ok(true);
        }
        // A pattern has what nothing has that goes before it.
        Ok(match self.store.route(address).await? {
            Route::NoSuchAddress | Route::CatchAll { .. } => true,
            Route::Alias { name: Some(found), .. } => found == *goal.name,
            _ => false,
        })
    }

    async fn find(&self, actor: &Actor, address: &str) -> Result<Alias, Failure> {
        let name = AliasName::parse(address).map_err(|_| unknown(address))?;
        actor.require_reach(name.domain()).map_err(|_| unknown(address))?;
        self.store.alias(name).await?.ok_or_else(|| unknown(address))
    }

    async fn alias_view(&self, alias: Alias) -> Result<AliasView, Failure> {
        let mut kind = kind_of(&alias.address);
        for target in &alias.targets {
            let is_ours = self.store.domain_key(&target.domain).await?.is_some()
                || self.store.domain_of_alias(&target.domain).await?.is_some();
            if !is_ours && kind == AddressKind::Alias {
                kind = AddressKind::Forward;
            }
        }
        let (senders, sender_people) = told_senders(&alias.senders);
        let kept = self.store.settings().removed_kept;
        Ok(AliasView {
            address: AddressView {
                kind,
                address: readable_alias(&alias.address),
                domain: alias.address.domain().to_unicode(),
                targets: alias.targets.iter().map(readable).collect(),
                name: String::new(),
                is_suspended: alias.ends_at.is_some_and(|end| end <= self.store.now()),
                ends_at: alias.ends_at.map(Moment),
                kept_until: alias.ends_at.map(|end| end.plus(kept).into()),
                note: alias.note,
                created_at: alias.created_at.into(),
                version: alias.version.to_string(),
            },
            senders,
            sender_people,
            turn: alias.turn,
            ended_text: alias.ended_text,
        })
    }
}

/// Where targets must not lead back to.
struct Goal<'a> {
    name: &'a AliasName,
    pattern: Pattern,
}

fn kind_of(name: &AliasName) -> AddressKind {
    match name {
        AliasName::Exact(_) => AddressKind::Alias,
        AliasName::Wildcard(_) => AddressKind::Wildcard,
        AliasName::Expression { .. } => AddressKind::Expression,
    }
}

/// An alias's name as people type it.
fn alias_name(field: &'static str, text: &str) -> Result<AliasName, Complaint> {
    AliasName::parse(text).map_err(|error| no_alias(field, text, &error))
}

fn no_alias(field: &'static str, text: &str, error: &AliasNameError) -> Complaint {
    match error {
        AliasNameError::Address(_) => match checks::address(field, text) {
            Err(complaint) => complaint,
            Ok(_) => Complaint { field, why: Text::new("failure-address-form").with("text", text) },
        },
        AliasNameError::Expression(why) => {
            Complaint { field, why: Text::new("failure-alias-expression").with("why", why.as_str()) }
        }
    }
}

fn told_senders(senders: &Senders) -> (AliasSenders, Vec<String>) {
    match senders {
        Senders::Targets => (AliasSenders::Targets, Vec::new()),
        Senders::People(people) => (AliasSenders::People, people.iter().map(readable).collect()),
        Senders::Nobody => (AliasSenders::Nobody, Vec::new()),
    }
}

fn take_senders(checks: &mut Checks, senders: AliasSenders, people: &[String]) -> Option<Senders> {
    match senders {
        AliasSenders::Targets => return Some(Senders::Targets),
        AliasSenders::Nobody => return Some(Senders::Nobody),
        AliasSenders::People => {}
    }
    let texts: Vec<&str> = people.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    if texts.is_empty() || texts.len() > MAX_SENDERS {
        let why = Text::new("failure-alias-senders").with("most", MAX_SENDERS);
        return checks.take(Err(Complaint { field: "sender_people", why }));
    }
    texts
        .into_iter()
        .map(|text| checks.take(checks::address("sender_people", text)))
        .collect::<Option<_>>()
        .map(Senders::People)
}

fn check_texts(checks: &mut Checks, turn: u32, note: &str, ended_text: &str) {
    checks.note(checks::text("note", note.trim(), MAX_ALIAS_TEXT_OCTETS));
    checks.note(checks::text("ended_text", ended_text.trim(), MAX_ALIAS_TEXT_OCTETS));
    if !ended_text.is_ascii() {
        checks.note(Err(Complaint { field: "ended_text", why: Text::new("failure-alias-ended-text") }));
    }
    if turn > MAX_TURN {
        checks.note(Err(Complaint {
            field: "turn",
            why: Text::new("failure-number-large").with("most", u64::from(MAX_TURN)),
        }));
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
    ResolvedStep { address: readable(address), depth, leads, targets: Vec::new(), detail: None, through: None }
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
