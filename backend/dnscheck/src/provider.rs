//! Who serves a domain's zone, and lets us write into it.
//!
//! ```text
//! ProviderKind ─ open(what a person filled in) ─> Provider ─> Publisher ─┬─ preview(domain, wishes) ─> Plan ─ push ─> Pushed { receipt, fates }
//!                                                                ├─ undo(receipt) ──────────────────────────> Pushed
//!                                                                └─ publish_txt, remove_txt (ACME's DNS-01)
//! ```
//! A [`Provider`] does three things: it finds a zone, reads record sets, writes changes. All else is one code for all of them: what stands
//! and isn't ours is kept ([`Wish`]), a plan is done as it was shown or not at all, what stood is written down ([`Receipt`]), and after each
//! write the zone is read again, so that what is told is what stands there.
//!
//! Invariants: a credential is a `Secret` and never logged; every request ends within [`REQUEST_TIMEOUT`], and no more than
//! [`ANSWER_OCTETS`] of its answer is read; a list has at most [`MAX_RECORDS`] records; a provider's errors keep its own words.
//!
//! To add one: a file with its `Provider`, a variant of [`ProviderKind`] with its fields, its sentences in `dns-provider.ftl`, a fake of its API in
//! `tests/it/provider/fakes`.

mod cloudflare;
mod desec;
mod digitalocean;
mod form;
mod gandi;
mod hetzner;
mod http;
mod ovh;
mod plan;
mod publisher;
mod record;
mod rfc2136;
mod route53;
mod sigv4;
mod single;

pub use form::{Field, FormError, ProviderKind, Settings};
pub use http::{ANSWER_OCTETS, PATIENCE, REQUEST_TIMEOUT};
pub use plan::{Change, Hindrance, Obstacle, Plan, Wish};
pub use publisher::{Fate, Publisher, Pushed, Receipt};
pub use record::{Attributes, RecordSet, SetKey, bare, txt, txt_octets};

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Records of one zone that are read at most; who has more is told so.
pub const MAX_RECORDS: usize = 20_000;

/// Letters of a provider's own words that are kept.
const SAID_LETTERS: usize = 500;

/// What a provider's answer takes.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// One account at one provider.
pub trait Provider: Send + Sync + fmt::Debug {
    /// Whose it is.
    fn kind(&self) -> ProviderKind;

    /// The zone of exactly this name; none where the account has none.
    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>>;

    /// The sets at these names, of all kinds; others may be among them.
    fn read<'a>(&'a self, zone: &'a Zone, names: &'a BTreeSet<String>) -> Asking<'a, Contents>;

    /// Makes `changes`, in their order. After an error any of them may have been made, or half of one.
    fn write<'a>(&'a self, zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()>;

    /// Whether it has records of this kind at all.
    fn has_kind(&self, kind: &str) -> bool;
}

/// A zone at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name, without the last dot.
    pub name: String,
    /// What the provider calls it.
    pub key: String,
    /// The provider takes no shorter TTL, in seconds.
    pub least_ttl: u32,
}

/// What a provider read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// Plain sets.
    pub sets: Vec<RecordSet>,
    /// Sets that stand, too, but are more than their values, or are locked: nothing is done to them.
    pub fixed: BTreeSet<SetKey>,
}

/// Why a provider did not do it. `said` is in the provider's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The key is wrong, has ended, or may not do this.
    #[error("the provider refuses the key: {said}")]
    Refused {
        /// What it said.
        said: String,
    },
    /// The account has no zone that holds this domain.
    #[error("no zone of this account holds {domain}")]
    NoZone {
        /// The domain.
        domain: String,
    },
    /// Too many requests, and the wait is longer than we wait for.
    #[error("the provider asks to wait {} seconds: {said}", wait.as_secs())]
    Busy {
        /// How long.
        wait: Duration,
        /// What it said.
        said: String,
    },
    /// It has understood, and will not.
    #[error("the provider rejects this: {said}")]
    Rejected {
        /// What it said.
        said: String,
    },
    /// There was no answer in time; what was asked for may have been done.
    #[error("the provider did not answer in time")]
    Timeout,
    /// There is no way to it.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// Its answer is none that its documentation knows, or it has broken down.
    #[error("the provider's answer is broken: {0}")]
    Broken(String),
    /// It says more than we read.
    #[error("the zone has more records than are read")]
    TooMuch,
    /// It would break the zone, or cannot be said there.
    #[error("{} {} cannot be written: {:?}", .0.name, .0.kind, .0.hindrance)]
    Hindered(Obstacle),
    /// Somebody changed these sets (`mail.example.org A`) since they were looked at; nothing was done.
    #[error("changed meanwhile: {}", sets.join(", "))]
    Changed {
        /// Which.
        sets: Vec<String>,
    },
}

impl ProviderError {
    /// Whether the same may be granted later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Timeout | Self::Unreachable(_) | Self::Broken(_))
    }

    /// Its sentence in the catalogue, and what fills its gaps.
    pub fn text(&self) -> (&'static str, Vec<(&'static str, String)>) {
        match self {
            Self::Refused { said } => ("dns-provider-failure-refused", vec![("said", said.clone())]),
            Self::NoZone { domain } => ("dns-provider-failure-no-zone", vec![("domain", domain.clone())]),
            Self::Busy { wait, said } => {
                let minutes = wait.as_secs().div_ceil(60).to_string();
                ("dns-provider-failure-busy", vec![("minutes", minutes), ("said", said.clone())])
            }
            Self::Rejected { said } => ("dns-provider-failure-rejected", vec![("said", said.clone())]),
            Self::Timeout => ("dns-provider-failure-timeout", Vec::new()),
            Self::Unreachable(why) => ("dns-provider-failure-unreachable", vec![("why", why.clone())]),
            Self::Broken(why) => ("dns-provider-failure-broken", vec![("why", why.clone())]),
            Self::TooMuch => ("dns-provider-failure-too-much", Vec::new()),
            Self::Hindered(obstacle) => obstacle.hindrance.text(),
            Self::Changed { sets } => ("dns-provider-failure-changed", vec![("sets", sets.join(", "))]),
        }
    }
}

/// A provider's words, short and without what would spoil a page or a log.
fn said(words: &str) -> String {
    let plain = words.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(SAID_LETTERS).collect::<String>().trim().to_owned()
}

impl Contents {
    /// Looked at after each page: whether there are no more records than we read.
    fn bounded(&self) -> Result<(), ProviderError> {
        let records = self.sets.iter().map(|set| set.values.len()).sum::<usize>() + self.fixed.len();
        if records > MAX_RECORDS { Err(ProviderError::TooMuch) } else { Ok(()) }
    }
}

/// The name, where it is one alone: most providers can be asked for that.
fn only(names: &BTreeSet<String>) -> Option<&String> {
    names.first().filter(|_| names.len() == 1)
}

/// The names of the sets that `changes` are about.
fn names_of(changes: &[Change]) -> BTreeSet<String> {
    changes.iter().map(|change| change.name().to_owned()).collect()
}
