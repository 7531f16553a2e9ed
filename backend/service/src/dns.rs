//! The DNS of the domains and of the host: what is wanted, what stands, how to mend it, and pushing it to who serves the zones.
//!
//! ```text
//! look_after_dns ─ who is due ─┐
//! a person: check ─────────────┴─> begin ─> facts ─> Inspector ─> KeptReport ─ compared with the last ─> store (report, turns, news)
//!                                                                                          └─ for the worse: a mail to the owners
//! preview ─ wishes of findings ─> Publisher ─> plan, and its fingerprint ─> push: the same fingerprint, or nothing
//! ```
//! `view`: what is seen of it. `facts`: what is known of house and domain. `check`: checks, one a domain, few at once. `kept`: what stays of
//! them. `keys`: from one key that signs to the next. `asked`: what other pages ask in passing. `accounts`, `push`: who serves the zones, and writing into them.
//!
//! Invariants: the network is behind ports; a check ends in [`check::PATIENCE`]; what is unknown is never told as worse; a push goes to its end
//! and is written down, whoever has left meanwhile.

mod accounts;
mod asked;
mod check;
mod facts;
mod kept;
mod keys;
mod push;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_dnscheck::provider::{FormError, ProviderKind, Publisher, Settings};
use relais_dnscheck::{DkimKeyMaker, Inspector, Look, Service as MailService, Wanted, zone_file};
use relais_model::{Clock, Domain, Random, Secret, SystemClock, SystemRandom, Timestamp};
use relais_store::{DnsAccountKey, DnsReportEntry, DnsSubject, Store};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::kept::{KeptReport, forms};
use crate::{Actor, Failure, Moment, Paging, Role, Rows, Text, checks, paging};

pub use check::{DnsAlert, DnsLetter};
pub use view::*;

/// Checks that run at once.
const AT_ONCE: usize = 3;
/// Before the same is checked again because a person asks.
const REST: Duration = Duration::from_secs(10);
/// A request waits so long for a check.
const WAITED: Duration = Duration::from_mins(2);

/// What the DNS needs beside the store: the house's own facts, and the ports to the network.
pub struct DnsHouse {
    /// The host's name.
    pub host: Domain,
    /// The machine's own public addresses; empty: the name's are taken.
    pub addresses: Vec<IpAddr>,
    /// What mail programs may use, and at which port.
    pub services: Vec<(MailService, u16)>,
    /// SHA-256 of the public keys that the doors show.
    pub tls_keys: Arc<dyn Fn() -> Vec<[u8; 32]> + Send + Sync>,
    /// Looks at the DNS and the network; none: nothing is checked here.
    pub inspector: Option<Inspector>,
    /// Finds the host's addresses.
    pub look: Option<Arc<dyn Look>>,
    /// Opens accounts at providers.
    pub open: OpenAccount,
    /// Writes the mail to the owners; none: no mail.
    pub letter: Option<DnsLetter>,
    /// Makes keys, and spreads checks.
    pub random: Arc<dyn Random>,
}

/// An account at a provider, from what a person filled in.
pub type OpenAccount = Arc<dyn Fn(ProviderKind, &Settings) -> Result<Publisher, FormError> + Send + Sync>;

impl DnsHouse {
    /// A house of this name that looks at nothing: what was found is shown, and what is wanted.
    pub fn quiet(host: Domain) -> Self {
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let with = Arc::clone(&random);
        Self {
            host,
            addresses: Vec::new(),
            services: Vec::new(),
            tls_keys: Arc::new(Vec::new),
            inspector: None,
            look: None,
            open: Arc::new(move |kind, settings| kind.open(settings, Arc::clone(&clock), Arc::clone(&with))),
            letter: None,
            random,
        }
    }
}

impl fmt::Debug for DnsHouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsHouse").field("host", &self.host).field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// The use-cases of the DNS. `domain` is a domain of ours as people or the DNS write it; where it may be none, none is the host.
#[derive(Debug, Clone)]
pub struct Dns {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    house: Option<DnsHouse>,
    keys: DkimKeyMaker,
    random: Arc<dyn Random>,
    /// Who is being checked, or waits for a turn.
    running: Mutex<BTreeSet<DnsSubject>>,
    progress: watch::Sender<u64>,
    /// The host's addresses as its name last told them, and when.
    addresses: tokio::sync::Mutex<Option<(Timestamp, Vec<IpAddr>)>>,
    turns: Arc<Semaphore>,
    /// Checks and pushes under way.
    tasks: TaskTracker,
    /// Ends checks; pushes don't hear it.
    stop: CancellationToken,
    /// One for each account: two at once would take each other's records away. With it, what it was opened with.
    publishers: Mutex<BTreeMap<DnsAccountKey, (Secret, Arc<Publisher>)>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("house", &self.house).finish_non_exhaustive()
    }
}

/// Whose DNS is asked for.
#[derive(Debug, Clone)]
struct Place {
    subject: DnsSubject,
    /// The domain, or the host's name.
    name: Domain,
}

impl Dns {
    /// Over `store`; without a `house` nothing is checked, and what was is shown.
    pub(crate) fn new(store: Store, house: Option<DnsHouse>) -> Self {
        let random =
            house.as_ref().map_or_else(|| Arc::new(SystemRandom) as Arc<dyn Random>, |house| Arc::clone(&house.random));
        let inner = Inner {
            store,
            house,
            keys: DkimKeyMaker::new(Arc::clone(&random)),
            random,
            running: Mutex::default(),
            progress: watch::Sender::new(0),
            addresses: tokio::sync::Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            publishers: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Grows whenever a check begins or ends: who shows them looks again.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.inner.progress.subscribe()
    }

    /// The domains that the asker sees, with what the last checks found. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn list(&self, by: &Actor, wanted: &DnsWanted) -> Result<Rows<DnsRow>, Failure> {
        by.require(Role::DomainAdmin)?;
        let page = paging::page(wanted.after.as_deref(), wanted.limit);
        let verdict = wanted.verdict.map(DnsVerdict::rank);
        let listing =
            self.inner.store.dns_rows(by.domains().as_deref(), wanted.search.as_deref(), verdict, &page).await?;
        Ok(Rows::of(listing, |row| DnsRow {
            domain: row.domain.to_unicode(),
            ascii: row.domain.to_string(),
            verdict: row.last.map(|(verdict, ..)| DnsVerdict::of_rank(verdict)),
            counts: row.last.map(|(_, tally, _)| DnsCounts::of(tally)).unwrap_or_default(),
            checked_at: row.last.map(|(.., at)| at.into()),
            is_running: self.is_running(DnsSubject::Domain(row.key)),
        }))
    }

    /// A domain's DNS, as it was last seen. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, by: &Actor, domain: &str) -> Result<DnsReport, Failure> {
        by.require(Role::DomainAdmin)?;
        let place = self.domain_place(by, domain).await?;
        self.report(by, &place).await
    }

    /// The host's. Domain admin: their domains' mail depends on it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn host(&self, by: &Actor) -> Result<DnsReport, Failure> {
        by.require(Role::DomainAdmin)?;
        self.report(by, &self.host_place()?).await
    }

    /// Begins a check of a domain, where none runs already; doesn't wait for its end. Domain admin; none, the host: owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Clash`] where none can be made (see [`DnsReport::hindrance`]); [`Failure::TooMany`] within
    /// ten seconds after the last.
    pub async fn check(&self, by: &Actor, domain: Option<&str>) -> Result<(), Failure> {
        let place = self.checked_place(by, domain).await?;
        self.ask_for_check(place).await
    }

    /// As [`Dns::check`], and waits for its end, two minutes at most. Gives what is known then.
    ///
    /// # Errors
    /// As [`Dns::check`].
    pub async fn check_and_wait(&self, by: &Actor, domain: Option<&str>) -> Result<DnsReport, Failure> {
        let place = self.checked_place(by, domain).await?;
        let mut progress = self.progress();
        self.ask_for_check(place.clone()).await?;
        let ended = async { while self.is_running(place.subject) && progress.changed().await.is_ok() {} };
        // Past it the report says that the check still runs.
        let _in_time = timeout(WAITED, ended).await;
        self.report(by, &place).await
    }

    /// Has the host and all domains checked, each when its turn comes. Owner.
    ///
    /// # Errors
    /// As [`Dns::check`].
    pub async fn check_all(&self, by: &Actor) -> Result<(), Failure> {
        by.require(Role::Owner)?;
        if let Some(why) = self.hindrance().await {
            return Err(Failure::clash("", why));
        }
        Ok(self.inner.store.hasten_dns_checks().await?)
    }

    /// The records that a domain wants, with those of the host that stand in its zone, as a zone file (RFC 1035 §5); none, those of
    /// the host's own zone. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn zone_file(&self, by: &Actor, domain: Option<&str>) -> Result<String, Failure> {
        by.require(Role::DomainAdmin)?;
        let place = self.place(by, domain).await?;
        let mut wanted = self.known(&place).await?.1.wanted();
        if domain.is_none() {
            return Ok(zone_file(&wanted, &above(&place.name)));
        }
        if let Ok(host) = self.host_place() {
            wanted.extend(self.known(&host).await?.1.wanted());
        }
        Ok(zone_file(&wanted, &place.name))
    }

    /// The records that are wanted, as they were last said to be; none, the host's. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn wanted(&self, by: &Actor, domain: Option<&str>) -> Result<Vec<Wanted>, Failure> {
        by.require(Role::DomainAdmin)?;
        let place = self.place(by, domain).await?;
        Ok(self.known(&place).await?.1.wanted())
    }

    /// What turned of late, the latest first. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn turns(&self, by: &Actor, domain: Option<&str>, paging: Paging) -> Result<Rows<DnsTurn>, Failure> {
        by.require(Role::DomainAdmin)?;
        let place = self.place(by, domain).await?;
        let listing = self.inner.store.dns_turns(place.subject, &paging.page()).await?;
        Ok(Rows::of(listing, check::turn_view))
    }

    /// Ends when nothing is under way any more: pushes go to their end, checks are broken off. No check is begun after this.
    pub async fn finish(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// What is known: the report as it was written, or, where there is none, what is wanted as far as it can be said without looking.
    async fn known(&self, place: &Place) -> Result<(Option<DnsReportEntry>, KeptReport), Failure> {
        let entry = self.inner.store.dns_report(place.subject).await?;
        let read = entry.as_ref().and_then(|entry| serde_json::from_str(&entry.report).ok());
        let kept = match read {
            Some(kept) => kept,
            None => self.unseen(place).await?,
        };
        Ok((entry, kept))
    }

    async fn report(&self, by: &Actor, place: &Place) -> Result<DnsReport, Failure> {
        let (entry, kept) = self.known(place).await?;
        let zone = if place.subject == DnsSubject::Host { above(&place.name) } else { place.name.clone() };
        let account = if by.role == Role::Owner { self.account_known_for(&place.name).await? } else { None };
        let addresses = self.addresses().await;
        let keys = match place.subject {
            DnsSubject::Domain(domain) => self.keys_of(domain).await?,
            DnsSubject::Host => Vec::new(),
        };
        Ok(DnsReport {
            name: place.name.to_unicode(),
            ascii: place.name.to_string(),
            zone: zone.to_string(),
            is_host: place.subject == DnsSubject::Host,
            verdict: entry.as_ref().map(|entry| DnsVerdict::of_rank(entry.verdict)),
            counts: entry.as_ref().map(|entry| DnsCounts::of(entry.tally)).unwrap_or_default(),
            checked_at: entry.as_ref().map(|entry| Moment(entry.checked_at)),
            is_running: self.is_running(place.subject),
            hindrance: self.hindrance_of(&addresses),
            addresses: addresses.iter().map(IpAddr::to_string).collect(),
            findings: kept.findings.iter().map(|finding| finding.view(&zone)).collect(),
            records: kept.wanted().iter().map(|wanted| forms(wanted, &zone)).collect(),
            account: account.map(accounts::view),
            keys,
        })
    }

    fn is_running(&self, subject: DnsSubject) -> bool {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).contains(&subject)
    }

    async fn checked_place(&self, by: &Actor, domain: Option<&str>) -> Result<Place, Failure> {
        by.require(if domain.is_some() { Role::DomainAdmin } else { Role::Owner })?;
        self.place(by, domain).await
    }

    async fn place(&self, by: &Actor, domain: Option<&str>) -> Result<Place, Failure> {
        match domain {
            Some(domain) => self.domain_place(by, domain).await,
            None => self.host_place(),
        }
    }

    async fn domain_place(&self, by: &Actor, text: &str) -> Result<Place, Failure> {
        let unknown = || Failure::Absent(Text::new("failure-unknown-domain").with("domain", text));
        let domain = checks::domain("domain", text).map_err(|_| unknown())?;
        by.require_reach(&domain)?;
        let entry = self.inner.store.domain(&domain).await?.ok_or_else(unknown)?;
        Ok(Place { subject: DnsSubject::Domain(entry.key), name: entry.domain })
    }

    fn host_place(&self) -> Result<Place, Failure> {
        let house = self.inner.house.as_ref().ok_or_else(|| Failure::Absent(Text::new("dns-hindrance-no-network")))?;
        Ok(Place { subject: DnsSubject::Host, name: house.host.clone() })
    }
}

/// Where a host's name most likely stands: in the zone above it, where that is no top-level domain.
fn above(host: &Domain) -> Domain {
    let parent = host.as_str().split_once('.').map(|(_, parent)| parent).filter(|parent| parent.contains('.'));
    parent.and_then(|parent| Domain::parse(parent).ok()).unwrap_or_else(|| host.clone())
}
