//! Gathers facts, orders what the plan says, keeps what comes, and sleeps until something is due.
//!
//! Several nodes may run one worker each: [`Store::hold_acme`] lets one of them order at a CA; all put in use what any of them got.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_model::{Clock, Domain, Random, Secret, Timestamp};
use relais_store::{
    AcmeAccount, Certificate, CertificateName, CertificateSource, DomainFilter, DomainKey, DomainOrder, EndedOrder,
    NameFinding, NameState, NewCertificate, Order, OrderOutcome, Page, Settings, Store, StoreError,
};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::acme::ORDER_LIMIT;
use crate::plan::{backoff, longest_wait, renew_at};
use crate::{
    AccountWanted, AuthorityError, CertificateAuthority, ChallengeKind, Checked, Doing, Facts, Issued, OrderWanted,
    Plan, PlannedOrder, Problem, Served, TxtPublisher, covers, service_names,
};

/// The worker looks around this often, whatever is due: another node, or a clock that jumps, says nothing.
const LONGEST_SLEEP: Duration = Duration::from_mins(5);
/// And this rarely, whatever is due.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);
/// One node has the CA for so long, lest its death stop the others for ever: longer than a turn, which is one order and a few questions.
const LEASE: Duration = Duration::from_secs(ORDER_LIMIT.as_secs() + 30 * 60);
/// A name whose DNS doesn't lead here is looked up again after this, doubled up to an hour.
const FIRST_LOOK: Duration = Duration::from_mins(2);
const LONGEST_LOOK: Duration = Duration::from_hours(1);
/// A name that was refused is tried again after this, doubled up to a day.
const FIRST_RETRY: Duration = Duration::from_mins(15);
/// A CA that failed is asked again after this, doubled up to a day.
const FIRST_REST: Duration = Duration::from_mins(1);
/// A CA that says to wait and not how long, or that refuses our account.
const UNTOLD_WAIT: Duration = Duration::from_hours(1);
/// A CA that couldn't say when a certificate is to be renewed is asked again after this (RFC 9773 §4.3).
const ASK_AGAIN: Duration = Duration::from_hours(6);
/// A certificate is not renewed before it is so old, or a tenth of its life, whatever the CA says.
const YOUNG: Duration = Duration::from_hours(24);
/// What one turn asks the CA and the DNS, at most: what is left comes with the next.
const QUESTIONS_A_TURN: usize = 5;
const LOOKS_A_TURN: usize = 100;

/// Where a name's DNS leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// Here.
    Here,
    /// Nowhere: it has no address.
    Nowhere,
    /// To other addresses than ours.
    Elsewhere(Vec<IpAddr>),
    /// The DNS didn't answer.
    Unknown(String),
}

/// Looks where names lead: a port, for tests have no DNS.
pub trait NameCheck: Send + Sync + fmt::Debug {
    /// Where this name leads; `host` is the house's own name.
    fn lead<'a>(&'a self, name: &'a str, host: &'a str) -> Doing<'a, Lead>;
}

/// Orders and renews certificates, and puts them in use.
#[derive(Debug)]
pub struct CertificateWorker {
    host: Domain,
    store: Store,
    served: Arc<Served>,
    authority: Arc<dyn CertificateAuthority>,
    names: Arc<dyn NameCheck>,
    publisher: Option<Arc<dyn TxtPublisher>>,
    first_key: Option<Secret>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    wake: Arc<Notify>,
    /// What was put in use: the store's version, and until when.
    used: Mutex<Option<((i64, i64), Timestamp)>>,
}

impl CertificateWorker {
    /// For the house `host`.
    pub fn new(
        host: Domain,
        store: Store,
        served: Arc<Served>,
        authority: Arc<dyn CertificateAuthority>,
        names: Arc<dyn NameCheck>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let (publisher, first_key, wake, used) = (None, None, Arc::default(), Mutex::new(None));
        Self { host, store, served, authority, names, publisher, first_key, clock, random, wake, used }
    }

    /// With a DNS provider: names in its zones can be proved before they lead here.
    #[must_use]
    pub fn with_publisher(self, publisher: Arc<dyn TxtPublisher>) -> Self {
        Self { publisher: Some(publisher), ..self }
    }

    /// With the key (PKCS #8, PEM) that the host shows before it has a certificate from a CA: the first one is for this key.
    #[must_use]
    pub fn with_first_key(self, first_key: Secret) -> Self {
        Self { first_key: Some(first_key), ..self }
    }

    /// Wakes the worker: there may be something to do at once.
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Works until `stop`. An order that is under way then is given up: the CA forgets it, and the next start makes it anew.
    pub async fn run(self, stop: CancellationToken) {
        let mut settings = self.store.settings_changes();
        loop {
            let next = tokio::select! {
                // What an order has changed stands in the store, or has not happened.
                () = stop.cancelled() => return,
                next = self.turn() => next,
            };
            let now = self.clock.now();
            let wait = match next {
                Ok(at) => at.since(now).clamp(SHORTEST_SLEEP, LONGEST_SLEEP),
                Err(error) => {
                    warn!(%error, "certificates wait: the store failed");
                    LONGEST_SLEEP
                }
            };
            tokio::select! {
                // All cancel-safe: what is missed is seen at the next turn.
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                outcome = settings.changed() => {
                    if outcome.is_err() {
                        return;
                    }
                }
                () = sleep(wait) => {}
            }
        }
    }

    /// Does what is due, once; gives when there may be more.
    ///
    /// # Errors
    /// The database's: what was done until then stays done.
    pub async fn turn(&self) -> Result<Timestamp, StoreError> {
        self.put_in_use().await?;
        let settings = self.store.settings();
        self.store.set_service_names(self.wanted_names(&settings).await?).await?;
        if !settings.acme_enabled {
            return Ok(self.clock.now().plus(LONGEST_SLEEP));
        }
        self.look_up_names(&settings).await?;
        let url = settings.acme_directory_url.as_str();
        let resting = self.store.acme_account(url).await?.and_then(|account| account.rest_until);
        if let Some(until) = resting.filter(|until| self.clock.now() < *until) {
            return Ok(until);
        }
        if !self.store.hold_acme(url, LEASE).await? {
            return Ok(self.clock.now().plus(LONGEST_SLEEP));
        }
        let worked = self.work_at(&settings).await;
        self.store.release_acme(url).await?;
        worked
    }

    /// Shows what the store has, where that has changed or something of it has ended.
    ///
    /// # Errors
    /// The database's: what is shown stays.
    pub async fn put_in_use(&self) -> Result<(), StoreError> {
        let (version, now) = (self.store.certificates_version().await?, self.clock.now());
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.is_some_and(|(known, until)| known == version && now < until) {
            return Ok(());
        }
        let mut stored = Vec::new();
        let mut page = Page::first();
        loop {
            let listing = self.store.served_certificates(&page).await?;
            stored.extend(listing.rows);
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        let ends = stored.iter().map(|stored| stored.certificate.not_after).filter(|end| now < *end).min();
        self.served.replace_stored(&stored, now);
        info!(certificates = stored.len(), "the certificates in use were read anew");
        let until = ends.unwrap_or(Timestamp::from_millis(i64::MAX));
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, until));
        Ok(())
    }

    async fn wanted_names(&self, settings: &Settings) -> Result<Vec<relais_store::WantedName>, StoreError> {
        let mut domains: Vec<(DomainKey, Vec<Domain>)> = Vec::new();
        if settings.acme_service_names {
            let (filter, order) = (DomainFilter::default(), Order { by: DomainOrder::Name, is_reversed: false });
            let mut page = Page::first();
            loop {
                let listing = self.store.domains(&filter, order, &page).await?;
                domains.extend(listing.rows.into_iter().filter(|entry| !entry.is_disabled).map(|entry| {
                    let names = std::iter::once(entry.domain).chain(entry.other_names).collect();
                    (entry.key, names)
                }));
                let Some(next) = listing.next else { break };
                page.after = Some(next);
            }
        }
        Ok(service_names(&self.host, &domains))
    }

    async fn all_names(&self) -> Result<Vec<CertificateName>, StoreError> {
        let (mut names, mut page) = (Vec::new(), Page::first());
        loop {
            let listing = self.store.certificate_names(None, &page).await?;
            names.extend(listing.rows);
            let Some(next) = listing.next else { return Ok(names) };
            page.after = Some(next);
        }
    }

    async fn all_certificates(&self) -> Result<Vec<Certificate>, StoreError> {
        let (mut certificates, mut page) = (Vec::new(), Page::first());
        loop {
            let listing = self.store.certificates(None, &page).await?;
            certificates.extend(listing.rows);
            let Some(next) = listing.next else { return Ok(certificates) };
            page.after = Some(next);
        }
    }

    /// Looks where the names lead that wait, as far as their time has come.
    async fn look_up_names(&self, settings: &Settings) -> Result<(), StoreError> {
        let now = self.clock.now();
        let names = self.all_names().await?;
        let due = names.iter().filter(|name| name.state == NameState::Waiting && name.retry_at <= now);
        let mut findings = Vec::new();
        for name in due.take(LOOKS_A_TURN) {
            findings.push(self.finding(name, settings).await);
        }
        if findings.is_empty() { Ok(()) } else { self.store.note_names(findings).await }
    }

    async fn finding(&self, name: &CertificateName, settings: &Settings) -> NameFinding {
        let now = self.clock.now();
        let ready = NameFinding {
            name: name.name.clone(),
            state: NameState::Ready,
            says: String::new(),
            problem: String::new(),
            failures: 0,
            retry_at: now,
        };
        let failures = name.failures.saturating_add(1);
        let waits = |problem: &str, says: String| NameFinding {
            state: NameState::Waiting,
            problem: problem.to_owned(),
            says,
            failures,
            retry_at: now.plus(backoff(failures, FIRST_LOOK, LONGEST_LOOK, &*self.random)),
            ..ready.clone()
        };
        if kind(settings).for_name(&name.name) == ChallengeKind::Dns01 {
            let serves = match &self.publisher {
                Some(publisher) => publisher.serves(&name.name).await,
                None => false,
            };
            return if serves { ready } else { waits("noProvider", String::new()) };
        }
        match self.names.lead(&name.name, self.host.as_str()).await {
            Lead::Here => ready,
            Lead::Nowhere => waits("noAddress", String::new()),
            Lead::Elsewhere(found) => {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                waits("otherAddress", found.join(", "))
            }
            Lead::Unknown(why) => waits("noAnswer", why),
        }
    }

    /// Orders what is due, at the CA that this node has.
    async fn work_at(&self, settings: &Settings) -> Result<Timestamp, StoreError> {
        let Some(credentials) = self.credentials(settings).await? else {
            return self.rests_until(settings).await;
        };
        self.ask_for_renewals(&credentials).await?;
        let (names, certificates) = (self.all_names().await?, self.all_certificates().await?);
        let plan = self.plan(settings, &names, &certificates).await?;
        let now = self.clock.now();
        let Some(order) = plan.orders.first() else {
            let latest = now.plus(LONGEST_SLEEP);
            return Ok(plan.next_at.map_or(latest, |at| at.min(latest)));
        };
        // One order a turn: the next turn comes soon, and sees what has changed meanwhile.
        if self.order(settings, &credentials, order, &certificates).await? {
            return Ok(now);
        }
        self.rests_until(settings).await
    }

    async fn plan(
        &self,
        settings: &Settings,
        names: &[CertificateName],
        certificates: &[Certificate],
    ) -> Result<Plan, StoreError> {
        let (now, url) = (self.clock.now(), settings.acme_directory_url.as_str());
        let facts = Facts {
            now,
            names,
            certificates,
            files: &self.served.names_of_files(),
            last_hour: self.store.orders_since(url, now.minus(Duration::from_hours(1))).await?,
            last_three_hours: self.store.orders_since(url, now.minus(Duration::from_hours(3))).await?,
        };
        Ok(Plan::of(&facts))
    }

    async fn rests_until(&self, settings: &Settings) -> Result<Timestamp, StoreError> {
        let account = self.store.acme_account(&settings.acme_directory_url).await?;
        let latest = self.clock.now().plus(LONGEST_SLEEP);
        Ok(account.and_then(|account| account.rest_until).unwrap_or(latest))
    }

    /// Our account's credentials; it is opened where there is none, or where the external account is another. None: it wasn't.
    async fn credentials(&self, settings: &Settings) -> Result<Option<Secret>, StoreError> {
        let url = settings.acme_directory_url.as_str();
        let contact = settings.acme_contact.as_ref().map(ToString::to_string);
        let external = (!settings.acme_eab_key_id.is_empty())
            .then(|| (settings.acme_eab_key_id.clone(), settings.acme_eab_key.clone()));
        let known = self.store.acme_account(url).await?;
        if let Some(AcmeAccount { credentials: Some(credentials), eab_key_id, .. }) = known
            && eab_key_id == settings.acme_eab_key_id
        {
            return Ok(Some(credentials));
        }
        let wanted = AccountWanted { directory_url: url.to_owned(), contact: contact.clone(), external };
        match self.authority.open_account(&wanted).await {
            Ok(credentials) => {
                let (contact, id) = (contact.unwrap_or_default(), settings.acme_eab_key_id.as_str());
                self.store.keep_acme_account(url, &contact, id, Some(credentials.clone())).await?;
                self.store.rest_acme(url, 0, None).await?;
                info!(directory = url, "an account with the CA was opened");
                Ok(Some(credentials))
            }
            Err(error) => {
                self.fail(settings, &[], &error).await?;
                Ok(None)
            }
        }
    }

    /// Asks the CA when certificates are to be renewed, as far as it is time to ask.
    async fn ask_for_renewals(&self, credentials: &Secret) -> Result<(), StoreError> {
        let now = self.clock.now();
        let certificates = self.all_certificates().await?;
        let due = |found: &&Certificate| found.ask_at.is_some_and(|at| at <= now) && now < found.not_after;
        for found in certificates.iter().filter(due).take(QUESTIONS_A_TURN) {
            self.ask_for_renewal(credentials, found).await?;
        }
        Ok(())
    }

    /// RFC 9773 §4.2: a moment within the CA's window, chosen by chance, and kept while it stays within.
    async fn ask_for_renewal(&self, credentials: &Secret, found: &Certificate) -> Result<(), StoreError> {
        let now = self.clock.now();
        let planned = found.renew_at.unwrap_or_else(|| renew_at(found.not_before, found.not_after, &*self.random));
        let (at, ask_at) = match self.authority.renewal(credentials, &found.chain_pem).await {
            Ok(Some(window)) => {
                let length = u64::try_from(window.end.since(window.start).as_millis()).unwrap_or(u64::MAX);
                let chosen = window.start.plus(Duration::from_millis(self.random.below(length)));
                let is_within = window.start <= planned && planned <= window.end;
                // A CA that wants a new one renewed at once, each time, would have us order for ever.
                let earliest = found.made_at.plus((found.not_after.since(found.not_before) / 10).min(YOUNG));
                (
                    if is_within { planned } else { chosen }.max(earliest),
                    Some(now.plus(window.ask_again_in.max(SHORTEST_SLEEP))),
                )
            }
            Ok(None) => (planned, None),
            Err(error) => {
                debug!(%error, names = found.names.join(" "), "the CA didn't say when to renew");
                (planned, Some(now.plus(ASK_AGAIN)))
            }
        };
        self.store.schedule_renewal(found.key, at, ask_at).await
    }

    /// Makes one order; tells whether the CA may be asked for more.
    async fn order(
        &self,
        settings: &Settings,
        credentials: &Secret,
        planned: &PlannedOrder,
        certificates: &[Certificate],
    ) -> Result<bool, StoreError> {
        let replaced = certificates.iter().find(|found| Some(found.key) == planned.renews);
        let wanted = OrderWanted {
            credentials: credentials.clone(),
            names: planned.names.clone(),
            challenge: kind(settings),
            replaces: replaced.map(|found| found.chain_pem.clone()),
            key_pem: self.key_for(planned).await?,
        };
        info!(names = planned.names.join(" "), directory = settings.acme_directory_url, "a certificate is ordered");
        match self.authority.order(&wanted).await {
            Ok(issued) => self.keep(settings, credentials, planned, issued).await,
            Err(error) => self.fail(settings, &planned.names, &error).await,
        }
    }

    /// A key stays while certificates come and go, and so do the TLSA records that name it (RFC 7671 §5.1: "3 1 1"). None: a new one.
    async fn key_for(&self, planned: &PlannedOrder) -> Result<Option<Secret>, StoreError> {
        match planned.renews {
            Some(renewed) => self.store.certificate_key(renewed).await,
            None if planned.names.iter().any(|name| name == self.host.as_str()) => Ok(self.first_key.clone()),
            None => Ok(None),
        }
    }

    /// Keeps what was issued, and puts it in use.
    async fn keep(
        &self,
        settings: &Settings,
        credentials: &Secret,
        planned: &PlannedOrder,
        issued: Issued,
    ) -> Result<bool, StoreError> {
        let checked = match Checked::read(&issued.chain_pem, issued.key_pem.expose(), self.clock.now()) {
            Ok(checked) if planned.names.iter().all(|name| covers(&checked.names, name)) => checked,
            judged => {
                let says = judged.map_or_else(|fault| fault.to_string(), |_| "it leaves names out".to_owned());
                let refused = AuthorityError::Refused(Problem::ours("unusable", says));
                return self.fail(settings, &planned.names, &refused).await;
            }
        };
        let new = NewCertificate {
            source: CertificateSource::Acme,
            bundle: planned.bundle.clone(),
            names: checked.names.clone(),
            chain_pem: checked.chain_pem.clone(),
            key_pem: issued.key_pem,
            not_before: checked.not_before,
            not_after: checked.not_after,
            issuer: checked.issuer,
            renew_at: Some(renew_at(checked.not_before, checked.not_after, &*self.random)),
            covers: planned.names.clone(),
        };
        let url = settings.acme_directory_url.clone();
        let ended = EndedOrder {
            directory_url: url.clone(),
            names: planned.names.clone(),
            outcome: OrderOutcome::Issued,
            problem: String::new(),
            says: String::new(),
        };
        let replaces = planned.renews.filter(|_| planned.ends_it);
        let key = self.store.keep_certificate(new, replaces, ended).await?;
        self.store.rest_acme(&url, 0, None).await?;
        info!(names = planned.names.join(" "), "a certificate was issued");
        self.put_in_use().await?;
        if let Some(found) = self.all_certificates().await?.into_iter().find(|found| found.key == key) {
            self.ask_for_renewal(credentials, &found).await?;
        }
        Ok(true)
    }

    /// Notes why there is no certificate, and when it is tried again; tells whether the CA may be asked for more now.
    async fn fail(&self, settings: &Settings, names: &[String], error: &AuthorityError) -> Result<bool, StoreError> {
        let url = settings.acme_directory_url.as_str();
        let Some(ended) = ended(url, names, error) else { return Ok(false) };
        warn!(names = names.join(" "), directory = url, problem = ended.problem, says = ended.says, "no certificate");
        self.store.note_order(ended).await?;
        match error {
            AuthorityError::Names(refused) => {
                self.refuse_names(&meant(names, refused)).await?;
                Ok(true)
            }
            AuthorityError::Refused(problem) => {
                self.refuse_names(&all_refused(names, problem)).await?;
                Ok(true)
            }
            AuthorityError::Account(problem) => self.refuse_account(url, problem).await,
            AuthorityError::Wait { retry_after, .. } => self.rest(url, retry_after.unwrap_or(UNTOLD_WAIT)).await,
            AuthorityError::Failed(_) => {
                let failures = self.store.acme_account(url).await?.map_or(0, |account| account.failures);
                let left = longest_wait(self.time_left().await?);
                self.rest(url, backoff(failures.saturating_add(1), FIRST_REST, left, &*self.random)).await
            }
        }
    }

    async fn refuse_account(&self, url: &str, problem: &Problem) -> Result<bool, StoreError> {
        error!(
            directory = url,
            problem = problem.kind,
            says = problem.says,
            "the CA refuses our account: look at the settings of certificates"
        );
        if problem.kind == "accountDoesNotExist" {
            // It has forgotten us, so another account is opened; not at once, for it may do so again.
            self.store.keep_acme_account(url, "", "", None).await?;
            return self.rest(url, FIRST_REST).await;
        }
        self.rest(url, UNTOLD_WAIT).await
    }

    async fn rest(&self, url: &str, wait: Duration) -> Result<bool, StoreError> {
        let failures = self.store.acme_account(url).await?.map_or(0, |account| account.failures).saturating_add(1);
        self.store.rest_acme(url, failures, Some(self.clock.now().plus(wait))).await?;
        Ok(false)
    }

    /// Until the first of the ordered certificates ends; none where there is none.
    async fn time_left(&self) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now();
        let certificates = self.all_certificates().await?;
        let ours = certificates.iter().filter(|found| found.source == CertificateSource::Acme);
        Ok(ours.map(|found| found.not_after.since(now)).min())
    }

    async fn refuse_names(&self, refused: &[(String, Problem)]) -> Result<(), StoreError> {
        let (now, known) = (self.clock.now(), self.all_names().await?);
        let longest = longest_wait(self.time_left().await?);
        let finding = |(name, problem): &(String, Problem)| {
            let found = known.iter().find(|known| known.name == *name)?;
            // What waited for its DNS before is no failure at the CA.
            let failures = if found.state == NameState::Refused { found.failures.saturating_add(1) } else { 1 };
            Some(NameFinding {
                name: name.clone(),
                state: NameState::Refused,
                says: problem.says.clone(),
                problem: problem.kind.clone(),
                failures,
                retry_at: now.plus(backoff(failures, FIRST_RETRY, longest, &*self.random)),
            })
        };
        self.store.note_names(refused.iter().filter_map(finding).collect()).await
    }
}

/// How an order ended that failed; none where the CA refused no name at all.
fn ended(url: &str, names: &[String], error: &AuthorityError) -> Option<EndedOrder> {
    let (outcome, problem) = match error {
        AuthorityError::Failed(problem) | AuthorityError::Wait { problem, .. } => (OrderOutcome::Postponed, problem),
        AuthorityError::Account(problem) | AuthorityError::Refused(problem) => (OrderOutcome::Refused, problem),
        AuthorityError::Names(refused) => (OrderOutcome::Refused, &refused.first()?.1),
    };
    let says = match error {
        AuthorityError::Names(refused) => {
            refused.iter().map(|(name, problem)| format!("{name}: {}", problem.says)).collect::<Vec<_>>().join("\n")
        }
        _ => problem.says.clone(),
    };
    let (directory_url, names) = (url.to_owned(), names.to_vec());
    Some(EndedOrder { directory_url, names, outcome, problem: problem.kind.clone(), says })
}

/// Those of `names` that a CA means which refused some: it may name a wildcard by its parent. All, where none is to be told.
fn meant(names: &[String], refused: &[(String, Problem)]) -> Vec<(String, Problem)> {
    let is_meant = |name: &str, by: &str| name == by || name.strip_prefix("*.") == Some(by);
    let of = |name: &String| {
        refused.iter().find(|(by, _)| is_meant(name, by)).map(|(_, problem)| (name.clone(), problem.clone()))
    };
    let meant: Vec<_> = names.iter().filter_map(of).collect();
    match refused.first() {
        Some((_, problem)) if meant.is_empty() => all_refused(names, problem),
        _ => meant,
    }
}

fn all_refused(names: &[String], problem: &Problem) -> Vec<(String, Problem)> {
    names.iter().map(|name| (name.clone(), problem.clone())).collect()
}

fn kind(settings: &Settings) -> ChallengeKind {
    ChallengeKind::parse(&settings.acme_challenge).unwrap_or(ChallengeKind::Auto)
}
