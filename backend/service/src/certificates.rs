//! Certificates: which there are, which names wait for one and why, what came of the orders, and what the doors really show.
//!
//! Owners see and do all; a domain admin sees the names of their domains, asks for more of them, and has them tried again.

use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;
use relais_certs::{Checked, Doing, PemFault, Rank, Served, covers, is_servable_name};
use relais_model::{Domain, Secret, Timestamp};
use relais_store::{
    Certificate, CertificateError, CertificateKey, CertificateName, CertificateOrder, CertificateSource, NameState,
    NewCertificate, OrderOutcome, Page, WantedName,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use utoipa::ToSchema;

use crate::{Actor, Failure, ListenerView, Moment, Paging, Reach, Role, Rows, Service, Text};

/// What the use-cases of certificates need of a house that serves.
#[derive(Debug, Clone)]
pub struct CertificateDesk {
    /// What the doors show.
    pub served: Arc<Served>,
    /// Wakes the worker.
    pub wake: Arc<Notify>,
    /// The doors with TLS.
    pub doors: Vec<ListenerView>,
    /// Knocks at them.
    pub knocker: Arc<dyn Knocker>,
}

/// Looks what a door of ours really shows, from outside: a port, for tests have no doors.
pub trait Knocker: Send + Sync + fmt::Debug {
    /// Shakes hands at this door, asking for `name`; waits some seconds at most.
    fn knock<'a>(&'a self, door: &'a ListenerView, name: &'a str) -> Doing<'a, Result<SeenLeaf, String>>;
}

/// What a door showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenLeaf {
    /// The leaf (DER).
    pub leaf: Vec<u8>,
    /// The names that it is made out for.
    pub names: Vec<String>,
    /// As its issuer field says.
    pub issuer: String,
    /// Its last moment.
    pub not_after: Timestamp,
    /// `TLS1.3`.
    pub version: String,
}

/// A certificate that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CertificateRow {
    /// Names it.
    pub id: String,
    /// `acme` or `own`.
    pub source: &'static str,
    /// The names that it is made out for.
    pub names: Vec<String>,
    /// Who made it.
    pub issuer: String,
    /// Its first moment.
    pub not_before: Moment,
    /// Its last moment.
    pub not_after: Moment,
    /// Days until then; 0 where it is past.
    pub days_left: u64,
    /// It ends soon, or it has ended.
    pub is_ending: bool,
    /// When it is renewed by itself; none: never.
    pub renews_at: Option<Moment>,
    /// Some door shows it.
    pub is_in_use: bool,
}

/// A name that a certificate is wanted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CertificateNameRow {
    /// The name, as people read it.
    pub name: String,
    /// With A-labels.
    pub ascii: String,
    /// `waiting`, `ready`, `covered` or `refused`.
    pub state: &'static str,
    /// A person has asked for it; else it is one of the house's service names.
    pub is_asked: bool,
    /// Whence what it is served with comes: `file`, `own`, `acme`, `self_signed`.
    pub served_by: &'static str,
    /// The names of what it is served with hold it: programs of people take it, unless it is self-signed.
    pub is_served_well: bool,
    /// Until when it is served so.
    pub served_until: Option<Moment>,
    /// How far it is and what to do, in a sentence or two.
    pub says: Text,
    /// The CA's own words, where it refused.
    pub ca_says: Option<String>,
    /// How often in succession it was refused.
    pub failures: u32,
    /// When it is looked at again, where it waits or was refused.
    pub retry_at: Option<Moment>,
}

/// An order, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CertificateOrderRow {
    /// Names it.
    pub id: String,
    /// When it ended.
    pub at: Moment,
    /// At which CA.
    pub directory_url: String,
    /// For which names.
    pub names: Vec<String>,
    /// `issued`, `refused` or `postponed`.
    pub outcome: &'static str,
    /// What that means and what to do.
    pub says: Text,
    /// The CA's own words, where it gave none.
    pub ca_says: Option<String>,
}

/// The CA, and how we stand with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaView {
    /// Certificates are ordered.
    pub is_enabled: bool,
    /// Its directory.
    pub directory_url: String,
    /// Where its terms of service stand, where that is known without asking it.
    pub terms_url: Option<&'static str>,
    /// Where it writes to.
    pub contact: Option<String>,
    /// When our account was opened; none: not yet.
    pub account_since: Option<Moment>,
    /// Until when it is left alone; none: it isn't.
    pub rests_until: Option<Moment>,
    /// How we stand with it, in a sentence.
    pub says: Text,
}

/// What a door shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DoorView {
    /// Which.
    pub door: ListenerView,
    /// The name that was asked for.
    pub name: String,
    /// The names of what it shows.
    pub names: Vec<String>,
    /// Who made that.
    pub issuer: String,
    /// Its last moment.
    pub not_after: Option<Moment>,
    /// `TLS1.3`.
    pub version: Option<String>,
    /// It shows what it should.
    pub is_right: bool,
    /// What was seen, in a sentence.
    pub says: Text,
}

/// A certificate that a person brings.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnCertificateForm {
    /// The certificate and those that certify it, in any order: PEM.
    pub chain: String,
    /// Its private key: PEM. Empty: it stands among the certificates.
    #[serde(default)]
    #[schema(write_only)]
    pub key: String,
}

impl fmt::Debug for OwnCertificateForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnCertificateForm").finish_non_exhaustive()
    }
}

/// A name that a certificate is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedNameForm {
    /// `mail.example.org`, or `*.example.org`.
    pub name: String,
    /// The domain that it goes with; none: the house itself.
    #[serde(default)]
    pub domain: Option<String>,
}

impl Service {
    /// The certificates that are kept, the latest first.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no domain admin.
    pub async fn stored_certificates(&self, by: &Actor, paging: Paging) -> Result<Rows<CertificateRow>, Failure> {
        by.require(Role::DomainAdmin)?;
        let listing = self.store.certificates(by.domains().as_deref(), &paging.page()).await?;
        Ok(Rows::of(listing, |certificate| self.certificate_row(certificate)))
    }

    /// One certificate that is kept.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no owner; [`Failure::Absent`].
    pub async fn certificate(&self, by: &Actor, id: &str) -> Result<CertificateRow, Failure> {
        by.require(Role::Owner)?;
        Ok(self.certificate_row(self.found(id).await?))
    }

    /// The names that certificates are wanted for, in the order of the alphabet.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no domain admin.
    pub async fn certificate_names(&self, by: &Actor, paging: Paging) -> Result<Rows<CertificateNameRow>, Failure> {
        by.require(Role::DomainAdmin)?;
        let listing = self.store.certificate_names(by.domains().as_deref(), &paging.page()).await?;
        Ok(Rows::of(listing, |name| self.name_row(name)))
    }

    /// What came of the orders, the latest first.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no owner.
    pub async fn certificate_orders(&self, by: &Actor, paging: Paging) -> Result<Rows<CertificateOrderRow>, Failure> {
        by.require(Role::Owner)?;
        Ok(Rows::of(self.store.certificate_orders(&paging.page()).await?, order_row))
    }

    /// The CA, and how we stand with it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no owner.
    pub async fn certificate_authority(&self, by: &Actor) -> Result<CaView, Failure> {
        by.require(Role::Owner)?;
        let settings = self.store.settings();
        let account = self.store.acme_account(&settings.acme_directory_url).await?;
        let now = self.store.now();
        let rests_until = account.as_ref().and_then(|account| account.rest_until).filter(|until| now < *until);
        let account_since = account.as_ref().filter(|account| account.credentials.is_some());
        let account_since = account_since.and_then(|account| account.opened_at);
        let says = match (settings.acme_enabled, rests_until, account_since) {
            (false, ..) => "certificate-ca-off",
            (true, Some(_), _) => "certificate-ca-rests",
            (true, None, Some(_)) => "certificate-ca-well",
            (true, None, None) => "certificate-ca-new",
        };
        Ok(CaView {
            is_enabled: settings.acme_enabled,
            terms_url: terms_url(&settings.acme_directory_url),
            directory_url: settings.acme_directory_url.clone(),
            contact: settings.acme_contact.as_ref().map(ToString::to_string),
            account_since: account_since.map(Into::into),
            rests_until: rests_until.map(Into::into),
            says: Text::new(says),
        })
    }

    /// Whether certificates are ordered at all.
    pub fn orders_certificates(&self) -> bool {
        self.store.settings().acme_enabled
    }

    /// Switches ordering on, and with it agrees to the CA's terms of service; the worker begins at once.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no owner.
    pub async fn begin_ordering(&self, by: &Actor) -> Result<(), Failure> {
        self.change_setting(by, "acme.enabled", Some("true")).await?;
        self.wake_certificates();
        Ok(())
    }

    /// Has names looked at and ordered now; with none, all that wait or were refused. Where the CA said to wait, that is kept.
    ///
    /// # Errors
    /// [`Failure::Absent`] for a name that isn't wanted, or isn't theirs; [`Failure::Clash`] while ordering is switched off, or
    /// while the CA is left alone.
    pub async fn order_certificates(&self, by: &Actor, names: Option<&[String]>) -> Result<(), Failure> {
        by.require(if names.is_some() { Role::DomainAdmin } else { Role::Owner })?;
        for name in names.unwrap_or_default() {
            self.own_name(by, name).await?;
        }
        self.expect_ca_to_be_asked().await?;
        self.retry_names(names).await
    }

    async fn retry_names(&self, names: Option<&[String]>) -> Result<(), Failure> {
        self.store.retry_names(names.map(<[String]>::to_vec)).await?;
        self.wake_certificates();
        Ok(())
    }

    /// [`Failure::Clash`] while ordering is switched off, or while the CA is left alone.
    async fn expect_ca_to_be_asked(&self) -> Result<(), Failure> {
        let settings = self.store.settings();
        if !settings.acme_enabled {
            return Err(Failure::clash("", Text::new("certificate-ca-off")));
        }
        let account = self.store.acme_account(&settings.acme_directory_url).await?;
        let rests_until = account.and_then(|account| account.rest_until).filter(|until| self.store.now() < *until);
        if let Some(until) = rests_until {
            let until = Moment::from(until).to_string();
            return Err(Failure::clash("", Text::new("certificate-ca-rests-until").with("until", until)));
        }
        Ok(())
    }

    /// Renews a certificate now, whenever it would have been.
    ///
    /// # Errors
    /// [`Failure::Absent`]; [`Failure::Clash`] for one that a person brought (a new one must be brought), and where
    /// [`order_certificates`](Self::order_certificates) clashes. Then it is renewed when it would have been.
    pub async fn renew_certificate(&self, by: &Actor, id: &str) -> Result<(), Failure> {
        by.require(Role::Owner)?;
        let certificate = self.found(id).await?;
        if certificate.source == CertificateSource::Own {
            return Err(Failure::clash("", Text::new("certificate-own-never-renewed")));
        }
        self.expect_ca_to_be_asked().await?;
        self.store.schedule_renewal(certificate.key, self.store.now(), None).await?;
        self.retry_names(None).await
    }

    /// Keeps a certificate that a person brings, and shows it at once at all doors; one that they brought for the same names goes.
    ///
    /// # Errors
    /// [`Failure::Unfit`] about `chain` or `key`; [`Failure::Unproven`].
    pub async fn bring_certificate(&self, by: &Actor, form: &OwnCertificateForm) -> Result<CertificateRow, Failure> {
        by.require(Role::Owner)?;
        by.require_proof()?;
        let checked = Checked::read(&form.chain, &form.key, self.store.now()).map_err(|fault| complaint(&fault))?;
        let covers = self.covered_names(&checked.names).await?;
        let new = NewCertificate {
            source: CertificateSource::Own,
            bundle: String::new(),
            names: checked.names,
            chain_pem: checked.chain_pem,
            key_pem: Secret::clone(&checked.key_pem),
            not_before: checked.not_before,
            not_after: checked.not_after,
            issuer: checked.issuer,
            renew_at: None,
            covers,
        };
        let key = self.store.bring_certificate(&by.author(), new).await.map_err(certificate_failure)?;
        self.wake_certificates();
        Ok(self.certificate_row(self.found(&key.certificate_id()).await?))
    }

    /// Removes a certificate with its private key: what its names are shown then is the next best. An ordered one comes again by
    /// itself where its names are still wanted.
    ///
    /// # Errors
    /// [`Failure::Absent`]; [`Failure::Unproven`].
    pub async fn remove_certificate(&self, by: &Actor, id: &str) -> Result<(), Failure> {
        by.require(Role::Owner)?;
        by.require_proof()?;
        let key = self.found(id).await?.key;
        self.store.remove_certificate(&by.author(), key).await.map_err(certificate_failure)?;
        self.wake_certificates();
        Ok(())
    }

    /// Asks for a certificate for one more name. Names of one domain share certificates, and none with other domains' names.
    ///
    /// # Errors
    /// [`Failure::Unfit`] about `name` or `domain`.
    pub async fn want_certificate(&self, by: &Actor, form: &WantedNameForm) -> Result<CertificateNameRow, Failure> {
        by.require(Role::DomainAdmin)?;
        let name = parse_name(&form.name).ok_or_else(|| Failure::unfit("name", Text::new("certificate-no-name")))?;
        let domain = match form.domain.as_deref().map(str::trim).filter(|domain| !domain.is_empty()) {
            Some(text) => {
                let no_domain = || Failure::unfit("domain", Text::new("failure-unknown-domain").with("domain", text));
                let domain = Domain::parse(text).map_err(|_| no_domain())?;
                by.require_reach(&domain)?;
                Some(self.store.domain(&domain).await?.ok_or_else(no_domain)?)
            }
            None => None,
        };
        match (&domain, &by.reach) {
            // Who serves some domains asks for names below them, and not for other people's.
            (Some(entry), Reach::Domains(_)) if !is_below(&name, entry.domain.as_str()) => {
                return Err(Failure::unfit("name", Text::new("certificate-name-elsewhere")));
            }
            (None, Reach::Domains(_)) => {
                return Err(Failure::unfit("domain", Text::new("certificate-domain-missing")));
            }
            _ => {}
        }
        if let Some(known) = self.store.certificate_name(&name).await? {
            self.own_name(by, &known.name).await?;
            return Err(Failure::clash("name", Text::new("certificate-name-known")));
        }
        let bundle = domain.as_ref().map_or_else(|| name.clone(), |entry| entry.domain.as_str().to_owned());
        let wanted = WantedName { name: name.clone(), bundle, domain: domain.map(|entry| entry.key) };
        self.store.want_name(&by.author(), wanted).await.map_err(certificate_failure)?;
        self.wake_certificates();
        Ok(self.name_row(self.own_name(by, &name).await?))
    }

    /// Asks no longer for a certificate for this name. What there is stays until its end.
    ///
    /// # Errors
    /// [`Failure::Absent`], also for a service name of the house's: those come with their domains.
    pub async fn unwant_certificate(&self, by: &Actor, name: &str) -> Result<(), Failure> {
        by.require(Role::DomainAdmin)?;
        let known = self.own_name(by, name).await?;
        self.store.unwant_name(&by.author(), &known.name).await.map_err(certificate_failure)
    }

    /// Knocks at each door with TLS, and tells what it shows to who asks for `name`; with none, for the house's own.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no owner.
    pub async fn look_at_doors(&self, by: &Actor, name: Option<&str>) -> Result<Vec<DoorView>, Failure> {
        by.require(Role::Owner)?;
        let Some(desk) = &self.operations.certificates else { return Ok(Vec::new()) };
        let host = self.host().map(crate::Host::name).unwrap_or_default();
        let asked = match name {
            // No CA need know it: a demo's host is localhost.
            None => host,
            Some(name) if name == host => host,
            Some(name) => parse_name(name).ok_or_else(|| Failure::unfit("name", Text::new("certificate-no-name")))?,
        };
        let expected = desk.served.for_name(&asked).map(|found| found.leaf.to_vec());
        // All at once: each may take its seconds, and someone waits.
        let look = async |door| door_view(door, &asked, expected.as_deref(), desk.knocker.knock(door, &asked).await);
        Ok(join_all(desk.doors.iter().map(look)).await)
    }

    fn wake_certificates(&self) {
        if let Some(desk) = &self.operations.certificates {
            desk.wake.notify_one();
        }
    }

    async fn found(&self, id: &str) -> Result<Certificate, Failure> {
        let absent = || Failure::Absent(Text::new("certificate-absent").with("id", id));
        let key = CertificateKey::parse(id).ok_or_else(absent)?;
        // The one before it in the list's order is the page's cursor.
        let after = CertificateKey::new(key.value().saturating_add(1)).certificate_id();
        let listing = self.store.certificates(None, &Page { after: Some(after), limit: 1 }).await?;
        listing.rows.into_iter().find(|found| found.key == key).ok_or_else(absent)
    }

    async fn own_name(&self, by: &Actor, name: &str) -> Result<CertificateName, Failure> {
        let absent = || Failure::Absent(Text::new("certificate-name-absent").with("name", name));
        let name = parse_name(name).ok_or_else(absent)?;
        let known = self.store.certificate_name(&name).await?.ok_or_else(absent)?;
        match by.domains() {
            None => Ok(known),
            Some(domains) if known.domain.is_some_and(|domain| domains.contains(&domain)) => Ok(known),
            Some(_) => Err(absent()),
        }
    }

    async fn covered_names(&self, by: &[String]) -> Result<Vec<String>, Failure> {
        let (mut covered, mut page) = (Vec::new(), Page::first());
        loop {
            let listing = self.store.certificate_names(None, &page).await?;
            covered.extend(listing.rows.into_iter().map(|known| known.name).filter(|name| covers(by, name)));
            let Some(next) = listing.next else { return Ok(covered) };
            page.after = Some(next);
        }
    }

    fn certificate_row(&self, certificate: Certificate) -> CertificateRow {
        let left = certificate.not_after.since(self.store.now());
        let desk = self.operations.certificates.as_ref();
        let is_its = |name: &String| {
            desk.and_then(|desk| desk.served.for_name(name)).is_some_and(|found| found.key == Some(certificate.key))
        };
        CertificateRow {
            id: certificate.key.certificate_id(),
            source: certificate.source.as_str(),
            is_in_use: certificate.names.iter().any(is_its),
            names: certificate.names,
            issuer: certificate.issuer,
            not_before: certificate.not_before.into(),
            not_after: certificate.not_after.into(),
            days_left: left.as_secs() / 86_400,
            is_ending: left < self.store.settings().certificate_alarm,
            renews_at: certificate.renew_at.map(Into::into),
        }
    }

    fn name_row(&self, name: CertificateName) -> CertificateNameRow {
        let served = self.operations.certificates.as_ref().and_then(|desk| desk.served.for_name(&name.name));
        let is_put_off = matches!(name.state, NameState::Waiting | NameState::Refused);
        let says = match name.state {
            NameState::Covered => Text::new("certificate-name-covered"),
            NameState::Ready => Text::new("certificate-name-ready"),
            NameState::Waiting if name.problem.is_empty() && !self.orders_certificates() => {
                Text::new("certificate-name-off")
            }
            NameState::Waiting if name.problem.is_empty() => Text::new("certificate-name-new"),
            NameState::Waiting | NameState::Refused => problem(&name.problem, &name.says),
        };
        CertificateNameRow {
            ascii: name.name.clone(),
            name: readable(&name.name),
            state: name.state.as_str(),
            is_asked: name.is_asked,
            served_by: served.as_ref().map_or(Rank::SelfSigned, |found| found.rank).as_str(),
            is_served_well: served.as_ref().is_some_and(|found| covers(&found.names, &name.name)),
            served_until: served.and_then(|found| found.not_after()).map(Into::into),
            says,
            ca_says: Some(name.says).filter(|says| name.state == NameState::Refused && !says.is_empty()),
            failures: name.failures,
            retry_at: is_put_off.then(|| name.retry_at.into()),
        }
    }
}

/// Where a CA's terms of service stand, of those that most people take.
fn terms_url(directory_url: &str) -> Option<&'static str> {
    let host = directory_url.strip_prefix("https://")?.split('/').next()?;
    match host {
        "acme-v02.api.letsencrypt.org" | "acme-staging-v02.api.letsencrypt.org" => {
            Some("https://letsencrypt.org/repository/")
        }
        _ => None,
    }
}

fn order_row(order: CertificateOrder) -> CertificateOrderRow {
    let says = match order.outcome {
        OrderOutcome::Issued => Text::new("certificate-order-issued"),
        OrderOutcome::Refused | OrderOutcome::Postponed => problem(&order.problem, &order.says),
    };
    CertificateOrderRow {
        id: order.key.order_id(),
        at: order.at.into(),
        directory_url: order.directory_url,
        names: order.names,
        outcome: order.outcome.as_str(),
        says,
        ca_says: Some(order.says).filter(|says| !says.is_empty()),
    }
}

fn door_view(door: &ListenerView, name: &str, expected: Option<&[u8]>, seen: Result<SeenLeaf, String>) -> DoorView {
    let view = DoorView {
        door: door.clone(),
        name: name.to_owned(),
        names: Vec::new(),
        issuer: String::new(),
        not_after: None,
        version: None,
        is_right: false,
        says: Text::new("certificate-door-right"),
    };
    match seen {
        Ok(seen) => {
            let is_right = expected == Some(seen.leaf.as_slice());
            let says = if is_right { "certificate-door-right" } else { "certificate-door-other" };
            DoorView {
                names: seen.names,
                issuer: seen.issuer,
                not_after: Some(seen.not_after.into()),
                version: Some(seen.version),
                is_right,
                says: Text::new(says),
                ..view
            }
        }
        Err(why) => DoorView { says: Text::new("certificate-door-silent").with("why", why), ..view },
    }
}

/// What went wrong with a name or an order, and what to do: a sentence for each kind of problem that we know (RFC 8555 §6.7, and
/// our own).
fn problem(kind: &str, says: &str) -> Text {
    let known = match kind {
        "noAddress" => "certificate-problem-no-address",
        "otherAddress" => return Text::new("certificate-problem-other-address").with("found", says),
        "noAnswer" => "certificate-problem-no-answer",
        "noProvider" => "certificate-problem-no-provider",
        "dnsProvider" => "certificate-problem-dns-provider",
        "connection" => "certificate-problem-connection",
        "dns" => "certificate-problem-dns",
        "unauthorized" | "incorrectResponse" => "certificate-problem-unauthorized",
        "tls" => "certificate-problem-tls",
        "caa" => "certificate-problem-caa",
        "rejectedIdentifier" | "unsupportedIdentifier" => "certificate-problem-rejected",
        "rateLimited" => "certificate-problem-rate-limited",
        "unreachable" | "timeout" => "certificate-problem-unreachable",
        "serverInternal" | "badNonce" => "certificate-problem-ca-failed",
        "externalAccountRequired" | "externalAccountKey" => "certificate-problem-external-account",
        "invalidContact" | "unsupportedContact" => "certificate-problem-contact",
        "userActionRequired" => "certificate-problem-terms",
        "accountDoesNotExist" | "credentials" => "certificate-problem-account",
        "unsupportedChallenge" => "certificate-problem-challenge",
        _ => "certificate-problem-other",
    };
    Text::new(known)
}

/// What is wrong with what was brought.
fn complaint(fault: &PemFault) -> Failure {
    let day = |at: &Timestamp| Moment::from(*at).to_string();
    let (field, why) = match fault {
        PemFault::TooLong => ("chain", Text::new("certificate-pem-too-long")),
        PemFault::NoCertificate => ("chain", Text::new("certificate-pem-none")),
        PemFault::NoKey => ("key", Text::new("certificate-pem-no-key")),
        PemFault::EncryptedKey => ("key", Text::new("certificate-pem-encrypted-key")),
        PemFault::UnknownKey(_) => ("key", Text::new("certificate-pem-unknown-key")),
        PemFault::OtherKey => ("key", Text::new("certificate-pem-other-key")),
        PemFault::WeakKey(bits) => ("key", Text::new("certificate-pem-weak-key").with("bits", *bits)),
        PemFault::WeakSignature => ("chain", Text::new("certificate-pem-weak-signature")),
        PemFault::NoNames => ("chain", Text::new("certificate-pem-no-names")),
        PemFault::Ended(at) => ("chain", Text::new("certificate-pem-ended").with("at", day(at))),
        PemFault::NotBegun(at) => ("chain", Text::new("certificate-pem-not-begun").with("at", day(at))),
        PemFault::IsCa => ("chain", Text::new("certificate-pem-ca")),
        PemFault::NotForServers => ("chain", Text::new("certificate-pem-not-for-servers")),
    };
    Failure::unfit(field, why)
}

fn certificate_failure(error: CertificateError) -> Failure {
    match error {
        CertificateError::Unknown => Failure::Absent(Text::new("certificate-gone")),
        CertificateError::TooMany => Failure::clash("", Text::new("certificate-too-many")),
        CertificateError::Failed(error) => error.into(),
    }
}

/// A-labels in lower case; none where it is no name that a CA knows.
fn parse_name(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    let (star, host) = text.strip_prefix("*.").map_or(("", text), |host| ("*.", host));
    let host = Domain::parse(host).ok()?;
    let name = format!("{star}{}", host.as_str().to_ascii_lowercase());
    (is_servable_name(&name) && host.as_str().contains('.')).then_some(name)
}

fn readable(name: &str) -> String {
    let (star, host) = name.strip_prefix("*.").map_or(("", name), |host| ("*.", host));
    Domain::parse(host).map_or_else(|_| name.to_owned(), |host| format!("{star}{}", host.to_unicode()))
}

fn is_below(name: &str, domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    name == domain || name.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}
