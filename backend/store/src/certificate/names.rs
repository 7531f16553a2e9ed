//! Names that certificates are wanted for: the house's service names, and those that people asked for.

use std::collections::{HashMap, HashSet};

use relais_model::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{CertificateError, SAYS_OCTETS, count, deed};
use crate::audit::{Author, Deed};
use crate::page::{Listing, Page};
use crate::sql::{Select, shorten};
use crate::{CertificateKey, DomainKey, Store, StoreError};

/// Names that may be wanted, at most.
pub const MAX_CERTIFICATE_NAMES: i64 = 20_000;

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

const COLUMNS: &str = "name, bundle, domain_key, is_asked, state, says, problem, failures, retry_at, certificate_key";

impl Store {
    /// Names that are wanted, in the order of the alphabet; with `domains` only theirs.
    pub async fn certificate_names(
        &self,
        domains: Option<&[DomainKey]>,
        page: &Page,
    ) -> Result<Listing<CertificateName>, StoreError> {
        let mut select = Select::new(format!("SELECT {COLUMNS} FROM certificate_name WHERE name > "));
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
        let text = format!("SELECT {COLUMNS} FROM certificate_name WHERE name = $1");
        let query = sqlx::query(AssertSqlSafe(text)).bind(name);
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read_name).transpose()
    }

    /// Says which service names the house wants now: new ones come, those that are not named go. Names that people asked for stay.
    pub async fn set_service_names(&self, wanted: Vec<WantedName>) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT name, bundle, domain_key, is_asked FROM certificate_name";
                let known: Vec<(String, String, Option<i64>, i64)> = sqlx::query_as(sql).fetch_all(&mut *tx).await?;
                let known: HashMap<_, _> =
                    known.into_iter().map(|(name, bundle, domain, asked)| (name, (bundle, domain, asked))).collect();
                let names: HashSet<&str> = wanted.iter().map(|wanted| wanted.name.as_str()).collect();
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
                        .bind(shorten(&finding.says, SAYS_OCTETS))
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

fn read_name(row: &AnyRow) -> Result<CertificateName, StoreError> {
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
