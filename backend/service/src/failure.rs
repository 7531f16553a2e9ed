//! Why a use-case wasn't done: one variant for each thing that the asker can do about it.

use std::time::Duration;

use relais_store::{DirectoryError, StoreError};

use crate::Text;
use crate::directory::readable;

/// Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Some of what was typed doesn't do: each complaint is about one field. Mend it and ask again.
    #[error("refused: {0:?}")]
    Unfit(Vec<Complaint>),
    /// It clashes with what is there.
    #[error("clash: {0:?}")]
    Clash(Complaint),
    /// It isn't there, or not for the one who asks: nobody learns which of the two.
    #[error("absent: {0:?}")]
    Absent(Text),
    /// The one who asks may not.
    #[error("forbidden: {0:?}")]
    Forbidden(Text),
    /// It has been changed since it was read, or since what is to be undone: the text says more. Read it again.
    #[error("changed meanwhile: {0:?}")]
    Stale(Text),
    /// The one who asks must say again who they are: it is too dangerous for a session that was left open.
    #[error("to be confirmed by signing in again")]
    Unproven,
    /// Too often, or too much at once.
    #[error("too many")]
    TooMany {
        /// From then on it may be asked again.
        retry_after: Duration,
    },
    /// The house failed; asking again later may help. The log says more.
    #[error("the house failed")]
    Failed,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The field's name, as form and API call it; empty where it is about none.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub why: Text,
}

impl Failure {
    /// One complaint about `field`.
    pub fn unfit(field: &'static str, why: Text) -> Self {
        Self::Unfit(vec![Complaint { field, why }])
    }

    /// What a failure says about one line of many.
    pub(crate) fn complaints(self) -> Vec<Complaint> {
        match self {
            Self::Unfit(complaints) => complaints,
            Self::Clash(complaint) => vec![complaint],
            Self::Absent(why) | Self::Forbidden(why) | Self::Stale(why) => vec![Complaint { field: "", why }],
            Self::Unproven => vec![Complaint { field: "", why: Text::new("failure-unproven") }],
            Self::TooMany { .. } | Self::Failed => vec![Complaint { field: "", why: Text::new("failure-failed") }],
        }
    }

    /// It has been changed since it was read.
    pub const fn stale() -> Self {
        Self::Stale(Text::new("failure-stale"))
    }

    /// A clash over `field`.
    pub const fn clash(field: &'static str, why: Text) -> Self {
        Self::Clash(Complaint { field, why })
    }
}

impl From<Complaint> for Failure {
    fn from(complaint: Complaint) -> Self {
        Self::Unfit(vec![complaint])
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a use-case failed at the store");
        Self::Failed
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::DomainTaken(domain) => {
                Self::clash("domain", Text::new("failure-domain-taken").with("domain", domain.to_unicode()))
            }
            DirectoryError::AddressTaken(address) => {
                Self::clash("address", Text::new("failure-address-taken").with("address", readable(&address)))
            }
            DirectoryError::NotEmpty { accounts, aliases } => Self::clash(
                "",
                Text::new("failure-domain-not-empty").with("accounts", accounts).with("aliases", aliases),
            ),
            DirectoryError::UnknownDomain(domain) => {
                Self::Absent(Text::new("failure-unknown-domain").with("domain", domain.to_unicode()))
            }
            DirectoryError::UnknownAddress(address) => {
                Self::Absent(Text::new("failure-unknown-address").with("address", readable(&address)))
            }
            DirectoryError::UnknownAlias(name) => {
                Self::Absent(Text::new("failure-unknown-address").with("address", name.to_string()))
            }
            DirectoryError::AliasTaken(name) => {
                Self::clash("address", Text::new("failure-address-taken").with("address", name.to_string()))
            }
            DirectoryError::TooManyPatterns => {
                Self::clash("address", Text::new("failure-too-many-patterns").with("most", relais_store::MAX_PATTERNS))
            }
            DirectoryError::DomainRemoved(domain) => {
                Self::clash("domain", Text::new("failure-domain-removed").with("domain", domain.to_unicode()))
            }
            DirectoryError::AddressRemoved(address) => {
                Self::clash("address", Text::new("failure-address-removed").with("address", readable(&address)))
            }
            DirectoryError::TooManyPeople(most) => {
                Self::clash("address", Text::new("failure-too-many-people").with("most", most))
            }
            DirectoryError::LastOwner => Self::clash("", Text::new("failure-last-owner")),
            DirectoryError::Stale => Self::stale(),
            DirectoryError::ChangedSince(members) => {
                Self::Stale(Text::new("failure-changed-since").with("subject", "").with("members", members.join(", ")))
            }
            DirectoryError::NotUndoable => Self::clash("", Text::new("failure-not-undoable")),
            DirectoryError::Unfit(why) => Self::unfit("", Text::new("failure-unfit").with("why", why)),
            DirectoryError::Failed(error) => error.into(),
        }
    }
}
