//! Certificates: what the doors show, the names that are wanted, the CA's account, and what came of each order.
//!
//! Invariants: a certificate and the end of the one that it replaces are one transaction; a name is in one state; of one CA only
//! one node orders at a time ([`Store::hold_acme`]); the history keeps [`KEPT_ORDERS`] rows, about. What is no longer in use is
//! gone with its private key: the history remembers that it was.

use std::fmt;
use std::time::Duration;

use relais_model::{Secret, Timestamp};
use serde_json::json;
use sqlx::{AnyConnection, Row as _};

use crate::audit::{Author, Deed, Scribe};
use crate::page::{Listing, Page};
use crate::sql::Select;
use crate::{CertificateKey, DomainKey, OrderKey, Store, StoreError};

/// Names that may be wanted, at most.
pub const MAX_CERTIFICATE_NAMES: i64 = 20_000;

/// Certificates that people may bring, at most.
pub const MAX_OWN_CERTIFICATES: i64 = 1000;

/// Orders that the history keeps.
pub const KEPT_ORDERS: i64 = 2000;

/// Octets of what a CA says that are kept, at most.
const SAYS_OCTETS: usize = 2000;

/// Where a certificate comes from. The numbers stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateSource {
    /// Ordered by us (RFC 8555).
    Acme = 0,
    /// Brought by a person.
    Own = 1,
}

impl CertificateSource {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acme => "acme",
            Self::Own => "own",
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Acme),
            1 => Ok(Self::Own),
            other => Err(StoreError::damaged(format!("certificate source {other}"))),
        }
    }
}

/// A certificate without its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its row.
    pub key: CertificateKey,
    /// Where it comes from.
    pub source: CertificateSource,
    /// Names of one bundle share certificates; empty: brought by a person.
    pub bundle: String,
    /// A-labels in lower case, `*.` before a wildcard.
    pub names: Vec<String>,
    /// Leaf first.
    pub chain_pem: String,
    /// Its first moment.
    pub not_before: Timestamp,
    /// Its last moment.
    pub not_after: Timestamp,
    /// When we got it.
    pub made_at: Timestamp,
    /// Who made it, as its issuer field says.
    pub issuer: String,
    /// When it is to be renewed; none: never by us.
    pub renew_at: Option<Timestamp>,
    /// When the CA is asked again when that should be (RFC 9773); none: it doesn't say.
    pub ask_at: Option<Timestamp>,
}

/// A certificate with its private key, for those who serve it.
#[derive(Clone)]
pub struct ServedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// PKCS #8 or as it was brought, in PEM.
    pub key_pem: Secret,
}

impl fmt::Debug for ServedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedCertificate").field("names", &self.certificate.names).finish_non_exhaustive()
    }
}

/// A certificate that is to be kept.
#[derive(Debug, Clone)]
pub struct NewCertificate {
    /// Where it comes from.
    pub source: CertificateSource,
    /// Names of one bundle share certificates; empty: brought by a person.
    pub bundle: String,
    /// A-labels in lower case, `*.` before a wildcard.
    pub names: Vec<String>,
    /// Leaf first.
    pub chain_pem: String,
    /// In PEM.
    pub key_pem: Secret,
    /// Its first moment.
    pub not_before: Timestamp,
    /// Its last moment.
    pub not_after: Timestamp,
    /// As its issuer field says.
    pub issuer: String,
    /// When it is to be renewed; none: never by us.
    pub renew_at: Option<Timestamp>,
    /// Wanted names that it covers.
    pub covers: Vec<String>,
}

/// How far a name is. The numbers stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameState {
    /// Its DNS doesn't lead here yet.
    Waiting = 0,
    /// It is in the next order.
    Ready = 1,
    /// A certificate covers it.
    Covered = 2,
    /// The CA has refused it; it is tried again later.
    Refused = 3,
}

impl NameState {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Covered => "covered",
            Self::Refused => "refused",
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Waiting),
            1 => Ok(Self::Ready),
            2 => Ok(Self::Covered),
            3 => Ok(Self::Refused),
            other => Err(StoreError::damaged(format!("certificate name state {other}"))),
        }
    }
}

/// A name that a certificate is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateName {
    /// A-labels in lower case, `*.` before a wildcard.
    pub name: String,
    /// Names of one bundle share certificates.
    pub bundle: String,
    /// Whose it is; none: the house's own.
    pub domain: Option<DomainKey>,
    /// A person has asked for it: it isn't one of the house's service names.
    pub is_asked: bool,
    /// How far it is.
    pub state: NameState,
    /// Why it waits or was refused: what was found, or the CA's own words; may be empty.
    pub says: String,
    /// RFC 8555 §6.7's type of the problem, without its prefix; or what the DNS check found; may be empty.
    pub problem: String,
    /// How often in succession it was refused.
    pub failures: u32,
    /// When it is looked at again.
    pub retry_at: Timestamp,
    /// The one that covers it.
    pub certificate: Option<CertificateKey>,
}

/// A name that is to be wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedName {
    /// A-labels in lower case, `*.` before a wildcard.
    pub name: String,
    /// Names of one bundle share certificates.
    pub bundle: String,
    /// Whose it is; none: the house's own.
    pub domain: Option<DomainKey>,
}

/// What was found out about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameFinding {
    /// Which.
    pub name: String,
    /// How far it is.
    pub state: NameState,
    /// Why it waits or was refused; may be empty.
    pub says: String,
    /// The problem's type; may be empty.
    pub problem: String,
    /// How often in succession it was refused.
    pub failures: u32,
    /// When it is looked at again.
    pub retry_at: Timestamp,
}

/// Our account with a CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeAccount {
    /// Whose directory it is.
    pub directory_url: String,
    /// What the CA was told when it was opened; may be empty.
    pub contact: String,
    /// The external account that it was bound to; may be empty.
    pub eab_key_id: String,
    /// As the ACME client writes them; none: not opened yet.
    pub credentials: Option<Secret>,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// How often in succession the CA itself failed.
    pub failures: u32,
    /// Until when the CA is left alone.
    pub rest_until: Option<Timestamp>,
}

/// What came of an order. The numbers stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderOutcome {
    /// There is a certificate.
    Issued = 0,
    /// The CA has refused names, or the order.
    Refused = 1,
    /// The CA couldn't be reached, failed, or told us to wait.
    Postponed = 2,
}

impl OrderOutcome {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Refused => "refused",
            Self::Postponed => "postponed",
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Issued),
            1 => Ok(Self::Refused),
            2 => Ok(Self::Postponed),
            other => Err(StoreError::damaged(format!("certificate order outcome {other}"))),
        }
    }
}

/// An order, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateOrder {
    /// Its row.
    pub key: OrderKey,
    /// When it ended.
    pub at: Timestamp,
    /// At which CA.
    pub directory_url: String,
    /// For which names.
    pub names: Vec<String>,
    /// What came of it.
    pub outcome: OrderOutcome,
    /// RFC 8555 §6.7's type of the problem, without its prefix; may be empty.
    pub problem: String,
    /// The CA's own words, or what failed on the way there; may be empty.
    pub says: String,
    /// What was issued; it may be gone.
    pub certificate: Option<CertificateKey>,
}

/// An order that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedOrder {
    /// At which CA.
    pub directory_url: String,
    /// For which names.
    pub names: Vec<String>,
    /// What came of it.
    pub outcome: OrderOutcome,
    /// The problem's type; may be empty.
    pub problem: String,
    /// The CA's own words; may be empty.
    pub says: String,
}

/// Orders since a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrdersMade {
    /// All of them.
    pub all: u64,
    /// Those that were refused.
    pub refused: u64,
}

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

const COLUMNS: &str = "c.certificate_key, c.source, c.bundle, c.names, c.chain_pem, c.not_before, c.not_after, c.made_at, \
    c.issuer, c.renew_at, c.ask_at";
const NAME_COLUMNS: &str =
    "name, bundle, domain_key, is_asked, state, says, problem, failures, retry_at, certificate_key";

impl Store {
    /// Certificates, the latest first; with `domains` only those that cover a wanted name of theirs.
    pub async fn certificates(
        &self,
        domains: Option<&[DomainKey]>,
        page: &Page,
    ) -> Result<Listing<Certificate>, StoreError> {
        let mut select = Select::new(format!("SELECT {COLUMNS} FROM certificate c WHERE c.certificate_key < "));
        select.value(before(page));
        if let Some(domains) = domains {
            select
                .say(" AND EXISTS (SELECT 1 FROM certificate_name n WHERE n.certificate_key = c.certificate_key AND ");
            select.any(domains, |select, domain| {
                select.say("n.domain_key = ").value(domain.value());
            });
            select.say(")");
        }
        select.say(" ORDER BY c.certificate_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let certificates = rows.iter().map(read_certificate).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(certificates, |certificate| certificate.key.certificate_id()))
    }

    /// Certificates with their private keys, the latest first: for those who serve them.
    pub async fn served_certificates(&self, page: &Page) -> Result<Listing<ServedCertificate>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, c.key_pem FROM certificate c WHERE c.certificate_key < $1
             ORDER BY c.certificate_key DESC LIMIT $2"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(before(page)).bind(page.rows_to_ask());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let served = rows.iter().map(|row| {
            let key_pem = Secret::new(row.try_get::<String, _>(11)?);
            Ok::<_, StoreError>(ServedCertificate { certificate: read_certificate(row)?, key_pem })
        });
        let served = served.collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(served, |served| served.certificate.key.certificate_id()))
    }

    /// The private key (PEM) of one certificate; none: it is gone.
    pub async fn certificate_key(&self, certificate: CertificateKey) -> Result<Option<Secret>, StoreError> {
        let sql = "SELECT key_pem FROM certificate WHERE certificate_key = $1";
        let found: Option<(String,)> =
            sqlx::query_as(sql).bind(certificate.value()).fetch_optional(&mut *self.reader().await?).await?;
        Ok(found.map(|(key_pem,)| Secret::new(key_pem)))
    }

    /// Another number after each certificate that came or went, on whichever node: whoever serves them reads them anew.
    pub async fn certificates_version(&self) -> Result<(i64, i64), StoreError> {
        let sql = "SELECT COUNT(*), COALESCE(MAX(certificate_key), 0) FROM certificate";
        Ok(sqlx::query_as(sql).fetch_one(&mut *self.reader().await?).await?)
    }

    /// Keeps a certificate that was ordered, ends the one that it replaces, and writes the order down: one transaction.
    pub async fn keep_certificate(
        &self,
        new: NewCertificate,
        replaces: Option<CertificateKey>,
        order: EndedOrder,
    ) -> Result<CertificateKey, StoreError> {
        let scribe = self.scribe(&Author::house());
        self.write(move |tx| {
            Box::pin(async move {
                let key = insert(tx, &scribe, &new).await?;
                if let Some(replaced) = replaces {
                    delete(tx, replaced).await?;
                }
                note_order(tx, &scribe, &order, Some(key)).await?;
                Ok(key)
            })
        })
        .await
    }

    /// Keeps a certificate that a person brings; others that they brought for exactly the same names go.
    ///
    /// # Errors
    /// [`CertificateError::TooMany`].
    pub async fn bring_certificate(
        &self,
        by: &Author,
        new: NewCertificate,
    ) -> Result<CertificateKey, CertificateError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let (names, own) = (new.names.join(" "), CertificateSource::Own as i64);
                let sql = "SELECT certificate_key FROM certificate WHERE source = $1 AND names = $2";
                let same: Vec<i64> = sqlx::query_scalar(sql).bind(own).bind(names.as_str()).fetch_all(&mut *tx).await?;
                let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM certificate WHERE source = $1")
                    .bind(own)
                    .fetch_one(&mut *tx)
                    .await?;
                if same.is_empty() && MAX_OWN_CERTIFICATES <= count {
                    return Err(CertificateError::TooMany);
                }
                let key = insert(tx, &scribe, &new).await?;
                for replaced in same {
                    delete(tx, CertificateKey::new(replaced)).await?;
                }
                let told = json!({ "names": names, "issuer": new.issuer, "not_after": new.not_after.millis() });
                scribe.note(tx, deed("certificate.bring", &new.names).between(None, Some(told))).await?;
                Ok(key)
            })
        })
        .await
    }

    /// Removes a certificate with its private key. Its names are looked at again at once.
    ///
    /// # Errors
    /// [`CertificateError::Unknown`].
    pub async fn remove_certificate(&self, by: &Author, key: CertificateKey) -> Result<(), CertificateError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let text = format!("SELECT {COLUMNS} FROM certificate c WHERE c.certificate_key = $1");
                let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(key.value());
                let Some(row) = query.fetch_optional(&mut *tx).await? else { return Err(CertificateError::Unknown) };
                let gone = read_certificate(&row)?;
                delete(tx, key).await?;
                let told = json!({ "names": gone.names.join(" "), "issuer": gone.issuer });
                scribe.note(tx, deed("certificate.remove", &gone.names).between(Some(told), None)).await?;
                Ok(())
            })
        })
        .await
    }

    /// Fixes when a certificate is renewed, and when the CA is asked again when that should be.
    pub async fn schedule_renewal(
        &self,
        key: CertificateKey,
        renew_at: Timestamp,
        ask_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE certificate SET renew_at = $2, ask_at = $3 WHERE certificate_key = $1";
                let query = sqlx::query(sql).bind(key.value()).bind(renew_at.millis());
                query.bind(ask_at.map(Timestamp::millis)).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Names that are wanted, in the order of the alphabet; with `domains` only theirs.
    pub async fn certificate_names(
        &self,
        domains: Option<&[DomainKey]>,
        page: &Page,
    ) -> Result<Listing<CertificateName>, StoreError> {
        let mut select = Select::new(format!("SELECT {NAME_COLUMNS} FROM certificate_name WHERE name > "));
        select.value(page.after.clone().unwrap_or_default());
        if let Some(domains) = domains {
            select.say(" AND ").any(domains, |select, domain| {
                select.say("domain_key = ").value(domain.value());
            });
        }
        select.say(" ORDER BY name LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let names = rows.iter().map(read_name).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(names, |name| name.name.clone()))
    }

    /// One wanted name; none where it isn't.
    pub async fn certificate_name(&self, name: &str) -> Result<Option<CertificateName>, StoreError> {
        let text = format!("SELECT {NAME_COLUMNS} FROM certificate_name WHERE name = $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(name);
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read_name).transpose()
    }

    /// Says which service names the house wants now: new ones come, those that are not named go. Names that people asked for stay.
    pub async fn set_service_names(&self, wanted: Vec<WantedName>) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT name, bundle, domain_key, is_asked FROM certificate_name";
                let known: Vec<(String, String, Option<i64>, i64)> = sqlx::query_as(sql).fetch_all(&mut *tx).await?;
                let known: std::collections::HashMap<_, _> =
                    known.into_iter().map(|(name, bundle, domain, asked)| (name, (bundle, domain, asked))).collect();
                let names: std::collections::HashSet<&str> = wanted.iter().map(|wanted| wanted.name.as_str()).collect();
                for (name, (_, _, is_asked)) in &known {
                    if *is_asked == 0 && !names.contains(name.as_str()) {
                        let sql = "DELETE FROM certificate_name WHERE name = $1";
                        sqlx::query(sql).bind(name.as_str()).execute(&mut *tx).await?;
                    }
                }
                for wanted in &wanted {
                    let domain = wanted.domain.map(DomainKey::value);
                    match known.get(&wanted.name) {
                        Some((bundle, owner, _)) if *bundle == wanted.bundle && *owner == domain => {}
                        _ => upsert_name(tx, wanted, 0, now).await?,
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// Wants a certificate for a name that a person asks for.
    ///
    /// # Errors
    /// [`CertificateError::TooMany`].
    pub async fn want_name(&self, by: &Author, wanted: WantedName) -> Result<(), CertificateError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let count: i64 =
                    sqlx::query_scalar("SELECT COUNT(*) FROM certificate_name").fetch_one(&mut *tx).await?;
                if MAX_CERTIFICATE_NAMES <= count {
                    return Err(CertificateError::TooMany);
                }
                upsert_name(tx, &wanted, 1, scribe.now()).await?;
                let deed = Deed { domain: wanted.domain, ..deed("certificate.want", &[wanted.name]) };
                scribe.note(tx, deed).await?;
                Ok(())
            })
        })
        .await
    }

    /// Wants no certificate any more for a name that a person had asked for.
    ///
    /// # Errors
    /// [`CertificateError::Unknown`], also for a service name of the house's.
    pub async fn unwant_name(&self, by: &Author, name: &str) -> Result<(), CertificateError> {
        let (scribe, name) = (self.scribe(by), name.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM certificate_name WHERE name = $1 AND is_asked = 1 RETURNING domain_key";
                let query = sqlx::query_scalar(sql).bind(name.as_str());
                let gone: Option<Option<i64>> = query.fetch_optional(&mut *tx).await?;
                let Some(domain) = gone else { return Err(CertificateError::Unknown) };
                let deed = Deed { domain: domain.map(DomainKey::new), ..deed("certificate.unwant", &[name]) };
                scribe.note(tx, deed).await?;
                Ok(())
            })
        })
        .await
    }

    /// Writes down what was found out about names; those that are gone meanwhile are passed over.
    pub async fn note_names(&self, findings: Vec<NameFinding>) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                for finding in findings {
                    let sql =
                        "UPDATE certificate_name SET state = $2, says = $3, problem = $4, failures = $5, retry_at = $6,
                                   changed_at = $7 WHERE name = $1";
                    sqlx::query(sql)
                        .bind(finding.name.as_str())
                        .bind(finding.state as i64)
                        .bind(shorten(&finding.says))
                        .bind(finding.problem.as_str())
                        .bind(i64::from(finding.failures))
                        .bind(finding.retry_at.millis())
                        .bind(now.millis())
                        .execute(&mut *tx)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Forgets what names were refused for and until when the CA is left alone: a person wants it tried now.
    pub async fn retry_names(&self, names: Option<Vec<String>>) -> Result<(), StoreError> {
        let now = self.now().millis();
        self.write(move |tx| {
            Box::pin(async move {
                match names {
                    None => {
                        let sql = "UPDATE certificate_name SET retry_at = $1 WHERE state IN (0, 3)";
                        sqlx::query(sql).bind(now).execute(&mut *tx).await?;
                    }
                    Some(names) => {
                        for name in names {
                            let sql = "UPDATE certificate_name SET retry_at = $1 WHERE name = $2 AND state IN (0, 3)";
                            sqlx::query(sql).bind(now).bind(name).execute(&mut *tx).await?;
                        }
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// Our account with this CA; none before the first order there.
    pub async fn acme_account(&self, directory_url: &str) -> Result<Option<AcmeAccount>, StoreError> {
        let sql =
            "SELECT directory_url, contact, eab_key_id, credentials, opened_at, failures, rest_until FROM acme_account
                   WHERE directory_url = $1";
        let row = sqlx::query(sql).bind(directory_url).fetch_optional(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(AcmeAccount {
                directory_url: row.try_get(0)?,
                contact: row.try_get(1)?,
                eab_key_id: row.try_get(2)?,
                credentials: row.try_get::<Option<String>, _>(3)?.map(Secret::new),
                opened_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_millis),
                failures: count(row.try_get(5)?),
                rest_until: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_millis),
            })
        };
        row.as_ref().map(read).transpose()
    }

    /// Takes this CA for so long: no other node orders there meanwhile. Tells whether it was free.
    pub async fn hold_acme(&self, directory_url: &str, lease: Duration) -> Result<bool, StoreError> {
        let (url, now) = (directory_url.to_owned(), self.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO acme_account (directory_url, contact, eab_key_id, failures, held_until)
                           VALUES ($1, '', '', 0, 0) ON CONFLICT (directory_url) DO NOTHING";
                sqlx::query(sql).bind(url.as_str()).execute(&mut *tx).await?;
                let sql = "UPDATE acme_account SET held_until = $3 WHERE directory_url = $1 AND held_until <= $2";
                let query = sqlx::query(sql).bind(url.as_str()).bind(now.millis()).bind(now.plus(lease).millis());
                Ok(query.execute(&mut *tx).await?.rows_affected() > 0)
            })
        })
        .await
    }

    /// Gives this CA back to the other nodes.
    pub async fn release_acme(&self, directory_url: &str) -> Result<(), StoreError> {
        let url = directory_url.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE acme_account SET held_until = 0 WHERE directory_url = $1";
                sqlx::query(sql).bind(url).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Keeps an account that was opened; none of the credentials: it is to be opened anew.
    pub async fn keep_acme_account(
        &self,
        directory_url: &str,
        contact: &str,
        eab_key_id: &str,
        credentials: Option<Secret>,
    ) -> Result<(), StoreError> {
        let (url, contact, eab) = (directory_url.to_owned(), contact.to_owned(), eab_key_id.to_owned());
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE acme_account SET contact = $2, eab_key_id = $3, credentials = $4, opened_at = $5
                           WHERE directory_url = $1";
                let query = sqlx::query(sql).bind(url).bind(contact).bind(eab);
                let query = query.bind(credentials.as_ref().map(Secret::expose)).bind(now.millis());
                query.execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Leaves this CA alone until then; none: it answers.
    pub async fn rest_acme(
        &self,
        directory_url: &str,
        failures: u32,
        rest_until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let url = directory_url.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE acme_account SET failures = $2, rest_until = $3 WHERE directory_url = $1";
                let query = sqlx::query(sql).bind(url).bind(i64::from(failures));
                query.bind(rest_until.map(Timestamp::millis)).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Writes down an order that gave no certificate.
    pub async fn note_order(&self, order: EndedOrder) -> Result<(), StoreError> {
        let scribe = self.scribe(&Author::house());
        self.write(move |tx| Box::pin(async move { Ok(note_order(tx, &scribe, &order, None).await?) })).await
    }

    /// The history, the latest first.
    pub async fn certificate_orders(&self, page: &Page) -> Result<Listing<CertificateOrder>, StoreError> {
        let sql =
            "SELECT order_key, at, directory_url, names, outcome, problem, says, certificate_key FROM certificate_order
                   WHERE order_key < $1 ORDER BY order_key DESC LIMIT $2";
        let query = sqlx::query(sql).bind(before(page)).bind(page.rows_to_ask());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let orders = rows.iter().map(read_order).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(orders, |order| order.key.order_id()))
    }

    /// How many orders ended at this CA since then.
    pub async fn orders_since(&self, directory_url: &str, since: Timestamp) -> Result<OrdersMade, StoreError> {
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN outcome = 1 THEN 1 ELSE 0 END), 0) AS BIGINT)
                   FROM certificate_order WHERE order_key >= $1 AND directory_url = $2";
        let query = sqlx::query_as(sql).bind(crate::key::first_at(since)).bind(directory_url);
        let (all, refused): (i64, i64) = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(OrdersMade { all: u64::try_from(all).unwrap_or(0), refused: u64::try_from(refused).unwrap_or(0) })
    }
}

/// Gives all CAs back: no other process has the store open.
pub(crate) async fn release_all(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE acme_account SET held_until = 0").execute(connection).await?;
    Ok(())
}

fn before(page: &Page) -> i64 {
    page.after.as_deref().and_then(|after| i64::from_str_radix(after, 16).ok()).unwrap_or(i64::MAX)
}

async fn insert(tx: &mut AnyConnection, scribe: &Scribe, new: &NewCertificate) -> Result<CertificateKey, sqlx::Error> {
    let key = CertificateKey::new(scribe.next_key());
    let sql =
        "INSERT INTO certificate (certificate_key, source, bundle, names, chain_pem, key_pem, not_before, not_after,
                   made_at, issuer, renew_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    sqlx::query(sql)
        .bind(key.value())
        .bind(new.source as i64)
        .bind(new.bundle.as_str())
        .bind(new.names.join(" "))
        .bind(new.chain_pem.as_str())
        .bind(new.key_pem.expose())
        .bind(new.not_before.millis())
        .bind(new.not_after.millis())
        .bind(scribe.now().millis())
        .bind(new.issuer.as_str())
        .bind(new.renew_at.map(Timestamp::millis))
        .execute(&mut *tx)
        .await?;
    for name in &new.covers {
        let sql = "UPDATE certificate_name SET certificate_key = $2, state = 2, says = '', problem = '', failures = 0,
                       retry_at = $3, changed_at = $3 WHERE name = $1";
        let query = sqlx::query(sql).bind(name.as_str()).bind(key.value()).bind(scribe.now().millis());
        query.execute(&mut *tx).await?;
    }
    Ok(key)
}

/// Names that it covered, and nothing newer does, are to be looked at again.
async fn delete(tx: &mut AnyConnection, key: CertificateKey) -> Result<(), sqlx::Error> {
    let sql = "UPDATE certificate_name SET certificate_key = NULL, state = 0, retry_at = 0 WHERE certificate_key = $1";
    sqlx::query(sql).bind(key.value()).execute(&mut *tx).await?;
    sqlx::query("DELETE FROM certificate WHERE certificate_key = $1").bind(key.value()).execute(tx).await?;
    Ok(())
}

async fn upsert_name(
    tx: &mut AnyConnection,
    wanted: &WantedName,
    is_asked: i64,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let sql =
        "INSERT INTO certificate_name (name, bundle, domain_key, is_asked, state, says, problem, failures, retry_at,
                   changed_at)
               VALUES ($1, $2, $3, $4, 0, '', '', 0, $5, $5)
               ON CONFLICT (name) DO UPDATE SET bundle = excluded.bundle, domain_key = excluded.domain_key,
                   is_asked = excluded.is_asked";
    sqlx::query(sql)
        .bind(wanted.name.as_str())
        .bind(wanted.bundle.as_str())
        .bind(wanted.domain.map(DomainKey::value))
        .bind(is_asked)
        .bind(now.millis())
        .execute(tx)
        .await?;
    Ok(())
}

async fn note_order(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    order: &EndedOrder,
    certificate: Option<CertificateKey>,
) -> Result<(), sqlx::Error> {
    let sql =
        "INSERT INTO certificate_order (order_key, at, directory_url, names, outcome, problem, says, certificate_key)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(scribe.next_key())
        .bind(scribe.now().millis())
        .bind(order.directory_url.as_str())
        .bind(order.names.join(" "))
        .bind(order.outcome as i64)
        .bind(order.problem.as_str())
        .bind(shorten(&order.says))
        .bind(certificate.map(CertificateKey::value))
        .execute(&mut *tx)
        .await?;
    let sql = "DELETE FROM certificate_order WHERE order_key <=
               (SELECT order_key FROM certificate_order ORDER BY order_key DESC LIMIT 1 OFFSET $1)";
    sqlx::query(sql).bind(KEPT_ORDERS).execute(tx).await?;
    Ok(())
}

/// By its first name: that is what people know it by.
fn deed(act: &'static str, names: &[String]) -> Deed {
    Deed { act, subject: names.first().cloned().unwrap_or_default(), ..Deed::default() }
}

fn shorten(text: &str) -> String {
    text.get(..text.floor_char_boundary(SAYS_OCTETS)).unwrap_or(text).to_owned()
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn split(names: &str) -> Vec<String> {
    names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn read_certificate(row: &sqlx::any::AnyRow) -> Result<Certificate, StoreError> {
    let at = |column| Ok::<_, StoreError>(Timestamp::from_millis(row.try_get(column)?));
    let maybe_at = |column| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis));
    Ok(Certificate {
        key: CertificateKey::new(row.try_get(0)?),
        source: CertificateSource::read(row.try_get(1)?)?,
        bundle: row.try_get(2)?,
        names: split(row.try_get(3)?),
        chain_pem: row.try_get(4)?,
        not_before: at(5)?,
        not_after: at(6)?,
        made_at: at(7)?,
        issuer: row.try_get(8)?,
        renew_at: maybe_at(9)?,
        ask_at: maybe_at(10)?,
    })
}

fn read_name(row: &sqlx::any::AnyRow) -> Result<CertificateName, StoreError> {
    Ok(CertificateName {
        name: row.try_get(0)?,
        bundle: row.try_get(1)?,
        domain: row.try_get::<Option<i64>, _>(2)?.map(DomainKey::new),
        is_asked: row.try_get::<i64, _>(3)? != 0,
        state: NameState::read(row.try_get(4)?)?,
        says: row.try_get(5)?,
        problem: row.try_get(6)?,
        failures: count(row.try_get(7)?),
        retry_at: Timestamp::from_millis(row.try_get(8)?),
        certificate: row.try_get::<Option<i64>, _>(9)?.map(CertificateKey::new),
    })
}

fn read_order(row: &sqlx::any::AnyRow) -> Result<CertificateOrder, StoreError> {
    Ok(CertificateOrder {
        key: OrderKey::new(row.try_get(0)?),
        at: Timestamp::from_millis(row.try_get(1)?),
        directory_url: row.try_get(2)?,
        names: split(row.try_get(3)?),
        outcome: OrderOutcome::read(row.try_get(4)?)?,
        problem: row.try_get(5)?,
        says: row.try_get(6)?,
        certificate: row.try_get::<Option<i64>, _>(7)?.map(CertificateKey::new),
    })
}
