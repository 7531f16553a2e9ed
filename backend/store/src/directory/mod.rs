//! Who lives here: domains, accounts, aliases, and where an address leads.
//!
//! Invariants: an address names an account or an alias, never both (each change of a domain's addresses first writes to the domain's row,
//! so that two of them wait for each other); addresses are compared folded ([`fold`]) and kept as they were spelled;
//! [`Store::route`] answers with one step, and who follows aliases counts the steps ([`ALIAS_DEPTH`]); what it remembers is forgotten
//! with each change.

mod account;
mod alias;
mod domain;
mod fold;
mod route;

use futures_util::future::BoxFuture;
use relais_model::{Address, Domain};
use sqlx::AnyConnection;

pub use account::{Account, AccountChange, AccountFilter, Credential, NewAccount};
pub use alias::{Alias, MAX_TARGETS};
pub use domain::{DomainEntry, Removal};
pub use fold::fold;
pub use route::{ALIAS_DEPTH, Route};

pub(crate) use account::take_account;
pub(crate) use domain::read_address;
pub(crate) use route::Routes;

use crate::{Store, StoreError};

/// Why the directory wasn't changed.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The domain is here already.
    #[error("the domain {0} is already here")]
    DomainTaken(Domain),
    /// The address is an account or an alias already.
    #[error("the address {0} is already here")]
    AddressTaken(Address),
    /// No such domain of ours.
    #[error("the domain {0} is not here")]
    UnknownDomain(Domain),
    /// No such account, or no such alias.
    #[error("the address {0} is not here")]
    UnknownAddress(Address),
    /// The domain holds something, and [`Removal::OnlyEmpty`] was asked.
    #[error("the domain still has {accounts} accounts and {aliases} aliases")]
    NotEmpty {
        /// How many accounts.
        accounts: u64,
        /// How many aliases.
        aliases: u64,
    },
    /// It cannot be as it was asked; the text says why.
    #[error("{0}")]
    Unfit(&'static str),
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for DirectoryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Store {
    /// Changes where addresses lead: all of the directory that [`Store::route`] reads is written through this.
    async fn change_routes<T, F>(&self, act: F) -> Result<T, DirectoryError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, DirectoryError>> + Send + 'static,
    {
        let done = self.write(act).await;
        self.inner.routes.forget();
        done
    }
}
