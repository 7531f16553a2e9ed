//! Who lives here: domains, accounts, aliases, and where an address leads.
//!
//! Invariants: an address names an account or an alias, never both (each change of a domain's addresses first writes to the domain's row,
//! so that two of them wait for each other); addresses are compared folded ([`fold`]) and kept as they were spelled;
//! [`Store::route`] answers with one step, and who follows aliases counts the steps ([`ALIAS_DEPTH`]); what it remembers is forgotten
//! with each change; what is removed with grace keeps its row, and is found by nobody but those who bring it back or purge it; each change is
//! noted in its own transaction (`crate::audit`).
//!
//! What people change of a thing is one state (`DomainState`, `AccountState`): read, changed, written, and noted as what differs. To undo is
//! to write the noted members back ([`Store::undo`]).

mod account;
mod addresses;
mod alias;
mod domain;
mod fold;
mod list;
mod order;
mod pattern;
mod route;
mod undo;

use futures_util::future::BoxFuture;
use relais_model::{Address, Domain};
use sqlx::AnyConnection;

pub use account::{Account, AccountChange, AccountFilter, AccountOrder, Credential, NewAccount, Purged, Role};
pub use addresses::{AddressEntry, AddressFilter, AddressKind, AddressOrder};
pub use alias::{Alias, AliasTerms, MAX_ALIAS_TEXT_OCTETS, MAX_PATTERNS, MAX_SENDERS, MAX_TARGETS, Senders};
pub use domain::{DomainChange, DomainEntry, DomainFilter, DomainOrder, MAX_OTHER_NAMES, Removal};
pub use fold::fold;
pub use list::*;
pub use order::Order;
pub use pattern::{AliasName, AliasNameError, MAX_EXPRESSION_OCTETS, Pattern};
pub use route::{ALIAS_DEPTH, ListAct, Route};
pub use undo::is_undoable_act;

pub(crate) use account::{add_account_in, take_account};
pub(crate) use domain::{add_domain_in, read_address, read_name};
pub(crate) use route::Routes;

use crate::{Store, StoreError, Version};

/// Why the directory wasn't changed.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The domain is here already.
    #[error("the domain {0} is already here")]
    DomainTaken(Domain),
    /// The address is an account or an alias already.
    #[error("the address {0} is already here")]
    AddressTaken(Address),
    /// The regular expression is an alias already.
    #[error("the alias {0} is already here")]
    AliasTaken(AliasName),
    /// The domain has [`MAX_PATTERNS`].
    #[error("the domain has as many wildcards and regular expressions as it may")]
    TooManyPatterns,
    /// The domain was removed of late: it can be brought back, or be added once it is purged.
    #[error("the domain {0} was removed of late and is kept for a while")]
    DomainRemoved(Domain),
    /// The address was an account's that was removed of late: it can be brought back, or be added once it is purged.
    #[error("the address {0} was removed of late and is kept for a while")]
    AddressRemoved(Address),
    /// No such domain of ours.
    #[error("the domain {0} is not here")]
    UnknownDomain(Domain),
    /// No such account.
    #[error("the address {0} is not here")]
    UnknownAddress(Address),
    /// No such alias.
    #[error("the alias {0} is not here")]
    UnknownAlias(AliasName),
    /// The domain holds something, and [`Removal::OnlyEmpty`] was asked.
    #[error("the domain still has {accounts} accounts and {aliases} aliases")]
    NotEmpty {
        /// How many accounts.
        accounts: u64,
        /// How many aliases.
        aliases: u64,
    },
    /// The domain has as many accounts as it may.
    #[error("the domain has {0} accounts, and may have no more")]
    TooManyPeople(u64),
    /// It would leave the house without an owner who can log in.
    #[error("the house would be without an owner")]
    LastOwner,
    /// It isn't of the version that was read any more.
    #[error("it was changed meanwhile")]
    Stale,
    /// What is to be undone has been changed again since: the members that differ now.
    #[error("changed since: {0:?}")]
    ChangedSince(Vec<String>),
    /// There is no such change, or it is undone already, or of a kind that can't be.
    #[error("it cannot be undone")]
    NotUndoable,
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

/// What was there a moment ago, with its row taken, still is.
fn present<T>(found: Option<T>) -> Result<T, DirectoryError> {
    found.ok_or_else(|| StoreError::damaged("a row is gone that was just taken").into())
}

/// Refuses a change of what isn't any more as it was read.
fn check_version(wanted: Option<Version>, has: Version) -> Result<(), DirectoryError> {
    if wanted.is_none_or(|wanted| wanted == has) { Ok(()) } else { Err(DirectoryError::Stale) }
}
