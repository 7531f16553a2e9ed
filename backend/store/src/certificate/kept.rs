//! Certificates that the doors show, with their private keys: ordered by us, or brought by a person.

use std::fmt;

use relais_model::{Secret, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::orders::note_order;
use super::{CertificateError, EndedOrder, deed, split};
use crate::audit::{Author, Scribe};
use crate::page::{Listing, Page};
use crate::sql::Select;
use crate::{CertificateKey, DomainKey, Store, StoreError};

/// Certificates that people may bring, at most.
pub const MAX_OWN_CERTIFICATES: i64 = 1000;

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

const COLUMNS: &str = "c.certificate_key, c.source, c.bundle, c.names, c.chain_pem, c.not_before, c.not_after, c.made_at, \
    c.issuer, c.renew_at, c.ask_at";

impl Store {
    /// Certificates, the latest first; with `domains` only those that cover a wanted name of theirs.
    pub async fn certificates(
        &self,
        domains: Option<&[DomainKey]>,
        page: &Page,
    ) -> Result<Listing<Certificate>, StoreError> {
        let mut select = Select::new(format!("SELECT {COLUMNS} FROM certificate c WHERE c.certificate_key < "));
        select.value(page.before_key());
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
        Ok(page.cut_by_key(certificates, |certificate| certificate.key.value()))
    }

    /// Certificates with their private keys, the latest first: for those who serve them.
    pub async fn served_certificates(&self, page: &Page) -> Result<Listing<ServedCertificate>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, c.key_pem FROM certificate c WHERE c.certificate_key < $1
             ORDER BY c.certificate_key DESC LIMIT $2"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(page.before_key()).bind(page.rows_to_ask());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let served = rows.iter().map(|row| {
            let key_pem = Secret::new(row.try_get::<String, _>(11)?);
            Ok::<_, StoreError>(ServedCertificate { certificate: read_certificate(row)?, key_pem })
        });
        let served = served.collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(served, |served| served.certificate.key.value()))
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
                let query = sqlx::query(AssertSqlSafe(text)).bind(key.value());
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

fn read_certificate(row: &AnyRow) -> Result<Certificate, StoreError> {
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
