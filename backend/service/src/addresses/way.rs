//! Where an address leads, and what leads to one.

use std::collections::HashSet;

use relais_model::{Address, Domain};
use relais_store::{ALIAS_DEPTH, Route, fold};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Addresses, MAX_STEPS};
use crate::checks;
use crate::directory::{readable, readable_alias};
use crate::people::unknown;
use crate::{Actor, Failure, Role};

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

impl Addresses {
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
                ResolvedStep::of(&address, depth, Leads::Circle)
            } else if depth > ALIAS_DEPTH || seen.len() > MAX_STEPS {
                ResolvedStep::of(&address, depth, Leads::TooFar)
            } else {
                let (step, targets) = self.step(actor, &address, depth, &mut resolved).await?;
                ahead.extend(targets.into_iter().rev().map(|target| (target, depth + 1)));
                step
            };
            resolved.steps.push(step);
        }
        Ok(resolved)
    }

    /// One step, and where it leads on to. Notes what is reached there.
    async fn step(
        &self,
        actor: &Actor,
        address: &Address,
        depth: usize,
        resolved: &mut Resolved,
    ) -> Result<(ResolvedStep, Vec<Address>), Failure> {
        let mut step = ResolvedStep::of(address, depth, Leads::Elsewhere);
        // What another tenant's address is, or whether it is one, is not told.
        if !self.is_shown(actor, &address.domain).await? {
            resolved.elsewhere.push(readable(address));
            return Ok((step, Vec::new()));
        }
        let (leads, targets) = if let Some(domain) = self.store.domain_of_alias(&address.domain).await? {
            (Leads::DomainAlias, vec![Address { domain, ..address.clone() }])
        } else {
            let route = self.store.route(address).await?;
            resolved.reach(address, route, &mut step)
        };
        step.leads = leads;
        step.targets = targets.iter().map(readable).collect();
        Ok((step, targets))
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
}

impl Resolved {
    /// Notes what a route reaches, and gives what is found there, and where it leads on to.
    fn reach(&mut self, address: &Address, route: Route, step: &mut ResolvedStep) -> (Leads, Vec<Address>) {
        match route {
            Route::Account { address: own, detail, is_suspended, .. } => {
                step.detail = detail;
                if is_suspended {
                    return (Leads::Suspended, Vec::new());
                }
                let shown = readable(&own);
                if !self.mailboxes.contains(&shown) {
                    self.mailboxes.push(shown);
                }
                (Leads::Mailbox, Vec::new())
            }
            Route::Alias { name, targets, .. } => {
                step.through = name.filter(|name| name.exact().is_none()).map(|name| readable_alias(&name));
                (if step.through.is_some() { Leads::Pattern } else { Leads::Alias }, targets)
            }
            Route::List { .. } => {
                self.lists.push(readable(address));
                (Leads::List, Vec::new())
            }
            Route::NotLocal => {
                self.elsewhere.push(readable(address));
                (Leads::Elsewhere, Vec::new())
            }
            Route::CatchAll { target } => (Leads::CatchAll, vec![target]),
            Route::Ended { .. } => (Leads::Ended, Vec::new()),
            Route::NoSuchAddress => (Leads::Nobody, Vec::new()),
            Route::Disabled => (Leads::Disabled, Vec::new()),
        }
    }
}

impl ResolvedStep {
    fn of(address: &Address, depth: usize, leads: Leads) -> Self {
        Self { address: readable(address), depth, leads, targets: Vec::new(), detail: None, through: None }
    }
}
