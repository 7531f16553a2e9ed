//! Certificates: what the doors show, the names that are wanted, the CA's account, and what came of each order.
//!
//! - `kept`: certificates with their private keys. `names`: what they are wanted for, and how far each name is.
//! - `orders`: the history. `account`: ours with a CA, and the hold that keeps other nodes from ordering there.
//!
//! Invariants: a certificate and the end of the one that it replaces are one transaction; a name is in one state; of one CA only
//! one node orders at a time ([`crate::Store::hold_acme`]); the history keeps [`KEPT_ORDERS`] rows, about. What is no longer in use is
//! gone with its private key: the history remembers that it was.

mod account;
mod kept;
mod names;
mod orders;

pub use account::AcmeAccount;
pub use kept::{Certificate, CertificateSource, MAX_OWN_CERTIFICATES, NewCertificate, ServedCertificate};
pub use names::{CertificateName, MAX_CERTIFICATE_NAMES, NameFinding, NameState, WantedName};
pub use orders::{CertificateOrder, EndedOrder, KEPT_ORDERS, OrderOutcome, OrdersMade};

pub(crate) use account::release_all;

use crate::StoreError;
use crate::audit::Deed;

/// Octets of what a CA says that are kept, at most.
const SAYS_OCTETS: usize = 2000;

/// Why names or certificates weren't changed.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// There is none of that name.
    #[error("there is no such certificate or name")]
    Unknown,
    /// There are as many as there may be.
    #[error("there are as many as there may be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for CertificateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// By its first name: that is what people know it by.
fn deed(act: &'static str, names: &[String]) -> Deed {
    Deed { act, subject: names.first().cloned().unwrap_or_default(), ..Deed::default() }
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn split(names: &str) -> Vec<String> {
    names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
