//! Aliases never lead back to themselves.

use std::collections::HashSet;

use relais_model::Address;
use relais_store::{ALIAS_DEPTH, AliasName, Pattern, Route, fold};

use super::{Addresses, MAX_STEPS};
use crate::directory::{readable, readable_alias};
use crate::{Failure, Text};

/// Where targets must not lead back to.
struct Goal<'a> {
    name: &'a AliasName,
    pattern: Pattern,
}

impl Addresses {
    /// Refuses targets that lead back to the alias, and names the way.
    pub(super) async fn refuse_loop(&self, name: &AliasName, targets: &[Address]) -> Result<(), Failure> {
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
        if !self.is_of(address, goal.name.domain()).await? || !goal.pattern.fits(&address.local_part, &address.domain) {
            return Ok(false);
        }
        Ok(goal.name.exact().is_some() || self.is_left_to(address, goal.name).await?)
    }
}
