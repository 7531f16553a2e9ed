//! Domains, accounts, aliases.

use relais_model::{Address, Domain};
use relais_store::{AccountFilter, Author, DomainChange, DomainFilter, NewAccount, Order, Removal};
use serde::{Deserialize, Serialize};

use crate::{ActFailure, Actor, Answer, Paging, Password, Rows, Service};

/// One domain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DomainRow {
    /// As people read it: U-labels.
    pub domain: String,
    /// Where mail to unknown addresses goes.
    pub catch_all: Option<String>,
    /// Who reads postmaster@ of it.
    pub postmaster: Option<String>,
    /// People in it.
    pub accounts: u64,
    /// Aliases in it.
    pub aliases: u64,
}

/// One person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountRow {
    /// Their address.
    pub address: String,
    /// Their name.
    pub name: String,
    /// Octets they may hold; none: no limit.
    pub quota_octets: Option<u64>,
    /// Octets they hold.
    pub used_octets: u64,
    /// Messages they hold.
    pub used_messages: u64,
    /// They can't log in, and their mail is refused.
    pub is_suspended: bool,
}

/// One alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AliasRow {
    /// The alias.
    pub address: String,
    /// Where it leads.
    pub targets: Vec<String>,
}

/// With the domain as people read it.
pub fn readable(address: &Address) -> String {
    format!("{}@{}", address.local_part, address.domain.to_unicode())
}

pub(crate) fn address(text: &str) -> Result<Address, ActFailure> {
    Address::parse(text).map_err(|error| ActFailure::Bad(format!("`{text}` is no address: {error}")))
}

pub(crate) fn domain(text: &str) -> Result<Domain, ActFailure> {
    Domain::parse(text).map_err(|error| ActFailure::Bad(error.to_string()))
}

/// Acts are asked for at the command line.
pub(crate) fn author() -> Author {
    Actor::command_line().author()
}

impl Service {
    pub(crate) async fn add_domain(
        &self,
        name: &str,
        catch_all: Option<String>,
        postmaster: Option<String>,
    ) -> Result<Answer, ActFailure> {
        let domain = domain(name)?;
        let catch_all = catch_all.as_deref().map(address).transpose()?;
        let postmaster = postmaster.as_deref().map(address).transpose()?;
        let start =
            DomainChange { catch_all: Some(catch_all), postmaster: Some(postmaster), ..DomainChange::default() };
        self.store.add_domain(&domain, start, &author()).await?;
        Ok(Answer::Done(format!("{} is here", domain.to_unicode())))
    }

    pub(crate) async fn domains(&self, paging: Paging) -> Result<Answer, ActFailure> {
        let listing = self.store.domains(&DomainFilter::default(), Order::default(), &paging.page()).await?;
        Ok(Answer::Domains(Rows::of(listing, |entry| DomainRow {
            domain: entry.domain.to_unicode(),
            catch_all: entry.catch_all.as_ref().map(readable),
            postmaster: entry.postmaster.as_ref().map(readable),
            accounts: entry.accounts,
            aliases: entry.aliases,
        })))
    }

    pub(crate) async fn remove_domain(&self, name: &str) -> Result<Answer, ActFailure> {
        let domain = domain(name)?;
        self.store.remove_domain(&domain, Removal::OnlyEmpty, None, &author()).await?;
        Ok(Answer::Done(format!("{} is gone", domain.to_unicode())))
    }

    pub(crate) async fn add_account(
        &self,
        text: &str,
        name: String,
        password: Password,
        quota_octets: Option<u64>,
    ) -> Result<Answer, ActFailure> {
        let address = address(text)?;
        let password_hash = self.hash(password).await?;
        let new = NewAccount { name, password_hash: Some(password_hash), quota_octets, ..NewAccount::user(address) };
        let account = self.store.add_account(new, &author()).await?;
        Ok(Answer::Done(format!("{} is here", readable(&account.address))))
    }

    pub(crate) async fn accounts(&self, paging: Paging) -> Result<Answer, ActFailure> {
        let listing = self.store.accounts(&AccountFilter::default(), Order::default(), &paging.page()).await?;
        Ok(Answer::Accounts(Rows::of(listing, |account| AccountRow {
            address: readable(&account.address),
            name: account.name,
            quota_octets: account.quota_octets,
            used_octets: account.used_octets,
            used_messages: account.used_messages,
            is_suspended: account.is_suspended,
        })))
    }

    pub(crate) async fn set_password(&self, text: &str, password: Password) -> Result<Answer, ActFailure> {
        let address = address(text)?;
        let hash = self.hash(password).await?;
        self.store.set_password_hash(&address, hash, &author()).await?;
        Ok(Answer::Done(format!("{} has a new password", readable(&address))))
    }

    pub(crate) async fn remove_account(&self, text: &str) -> Result<Answer, ActFailure> {
        let address = address(text)?;
        let Some(account) = self.store.account(&address).await? else {
            return Err(ActFailure::Absent(format!("{} is not here", readable(&address))));
        };
        self.store.remove_account(&address, None, &author()).await?;
        let gone = format!("{} is gone, with {} messages", readable(&account.address), account.used_messages);
        Ok(Answer::Done(gone))
    }

    pub(crate) async fn add_alias(&self, text: &str, targets: &[String]) -> Result<Answer, ActFailure> {
        let alias = address(text)?;
        let targets = targets.iter().map(|target| address(target)).collect::<Result<Vec<_>, _>>()?;
        let added = self.store.add_alias(&alias, targets, &author()).await?;
        Ok(Answer::Done(format!("{} leads to {}", readable(&alias), list(&added.targets))))
    }

    pub(crate) async fn aliases(&self, paging: Paging) -> Result<Answer, ActFailure> {
        let listing = self.store.aliases(&paging.page()).await?;
        Ok(Answer::Aliases(Rows::of(listing, |alias| AliasRow {
            address: readable(&alias.address),
            targets: alias.targets.iter().map(readable).collect(),
        })))
    }

    pub(crate) async fn remove_alias(&self, text: &str) -> Result<Answer, ActFailure> {
        let alias = address(text)?;
        self.store.remove_alias(&alias, None, &author()).await?;
        Ok(Answer::Done(format!("{} is gone", readable(&alias))))
    }

    /// An empty password would let everybody in, and a short one soon will.
    async fn hash(&self, password: Password) -> Result<relais_model::Secret, ActFailure> {
        const SHORTEST: usize = 8;
        let secret = password.secret();
        if secret.expose().chars().count() < SHORTEST {
            return Err(ActFailure::Bad(format!("the password is too short: {SHORTEST} characters at least")));
        }
        self.login.hash(secret).await.map_err(|error| ActFailure::Failed(error.to_string()))
    }
}

fn list(addresses: &[Address]) -> String {
    addresses.iter().map(readable).collect::<Vec<_>>().join(", ")
}
