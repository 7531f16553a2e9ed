//! Certificates: which names need one, how they are ordered by ACME (RFC 8555), and what each name is served with.
//!
//! ```text
//! names wanted ── NameCheck: does its DNS lead here? ──> plan ──> CertificateAuthority ── proofs ──> the CA looks at our doors
//!    (store)                                             pure         order                              │ Challenges, TxtPublisher
//!                                                                       └──> store ──> Served ──> all doors at once
//! ```
//! - `plan`: which names go into which order, and when next: from facts alone.
//! - `worker`: gathers the facts, orders, keeps what comes; sleeps until something is due.
//! - `authority`: the CA as a port; `acme`: the CA as instant-acme speaks with it, whose types stop there.
//! - `challenge`: how a name is proved to be ours: a token at port 80, a certificate at port 443 (RFC 8737), a TXT record.
//! - `served`: what the doors show, by the name that is asked for; `end_point`: what a log-in can be bound to of it.
//! - `pem`: a chain and a key in PEM, judged.
//!
//! # Invariants
//! - Files that `relais.toml` names win over what a person brought, that over what was ordered, that over the self-signed one.
//! - What is served is swapped whole; a connection keeps what it began with.
//! - A name that the CA refuses, or whose DNS doesn't lead here, holds up no other.
//! - The CA is never hammered: refused orders an hour and orders in three hours are limited, its Retry-After is kept, failures
//!   wait for longer each time.
//! - No clock, DNS or CA is asked by `plan`.
//!
//! To add a way to prove a name: a variant of [`ChallengeKind`], and what it shows in `challenge`.

mod acme;
mod authority;
mod challenge;
mod end_point;
mod pem;
mod plan;
mod served;
mod worker;

use std::pin::Pin;

pub use acme::{AcmeAuthority, AcmeError};
pub use authority::{
    AccountWanted, AuthorityError, CertificateAuthority, ChallengeKind, Issued, OrderWanted, Problem, RenewalWindow,
};
pub use challenge::{ACME_TLS, Challenges, Proofs, TxtError, TxtPublisher, TxtWatch};
pub use pem::{Checked, PemFault};
pub use plan::{Facts, Plan, PlannedOrder, covers, is_servable_name, service_names};
pub use served::{InUse, Rank, Served, Shown, TlsError};
pub use worker::{CertificateWorker, Lead, NameCheck};

/// What a port promises.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
