//! How mail travels to other hosts: the MTA-STS policies that were fetched, and how TLS came out, by day.
//!
//! Invariants: no more than [`MAX_STS_POLICIES`] and [`MAX_TLS_RESULTS`] rows; a result that is there already is always counted.

use std::time::Duration;

use relais_model::{Domain, Timestamp};
use sqlx::Row as _;

use crate::page::{Listing, Page};
use crate::{Store, StoreError};

/// MTA-STS policies that are kept, at most.
pub const MAX_STS_POLICIES: i64 = 20_000;
/// Rows of TLS results that are kept, at most.
pub const MAX_TLS_RESULTS: i64 = 100_000;
/// How long TLS results are kept: a report tells of one day, and is tried for another.
pub const TLS_RESULTS_KEPT_FOR: Duration = Duration::from_hours(24 * 8);

/// Declares an enum whose values are words in the database and on the wire.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// By its word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }
    };
}

words! {
    /// How a delivery was protected on its way.
    Protection {
        /// In the clear.
        Clear = "clear",
        /// TLS, with a certificate that nobody checked, or that wouldn't have passed.
        Encrypted = "encrypted",
        /// TLS, with a certificate that a known authority gave for the host's name.
        Verified = "verified",
        /// The same, and the domain's MTA-STS policy names the host (RFC 8461).
        Sts = "mta-sts",
        /// TLS, with a certificate that the host's TLSA records name (RFC 7672).
        Dane = "dane",
    }
}

words! {
    /// Which kind of policy held (RFC 8460 §4.4 `policy-type`).
    TlsPolicyType {
        /// DANE.
        Tlsa = "tlsa",
        /// MTA-STS.
        Sts = "sts",
        /// None.
        NoPolicyFound = "no-policy-found",
    }
}

words! {
    /// How a session came out (RFC 8460 §4.3 `result-type`).
    TlsResult {
        /// As the policy asks, or with TLS where there is none.
        Success = "success",
        /// The host offers no STARTTLS.
        StartTlsNotSupported = "starttls-not-supported",
        /// The certificate is for other names.
        CertificateHostMismatch = "certificate-host-mismatch",
        /// The certificate has ended.
        CertificateExpired = "certificate-expired",
        /// Nobody whom we know vouches for the certificate.
        CertificateNotTrusted = "certificate-not-trusted",
        /// TLS failed for another reason.
        ValidationFailure = "validation-failure",
        /// No TLSA record names the certificate, or none can be used.
        TlsaInvalid = "tlsa-invalid",
        /// The DNSSEC proof fails.
        DnssecInvalid = "dnssec-invalid",
        /// The policy couldn't be fetched.
        StsPolicyFetchError = "sts-policy-fetch-error",
        /// What was fetched is no policy.
        StsPolicyInvalid = "sts-policy-invalid",
        /// The policy's server shows a certificate that isn't good.
        StsWebpkiInvalid = "sts-webpki-invalid",
    }
}

/// A fetched MTA-STS policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsEntry {
    /// Whose.
    pub domain: Domain,
    /// The id of its record when it was fetched.
    pub id: String,
    /// As it was served.
    pub policy: String,
    /// When.
    pub fetched_at: Timestamp,
    /// From then on it means nothing.
    pub expires_at: Timestamp,
    /// When mail last asked for it.
    pub used_at: Timestamp,
}

/// What sessions are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TlsResultKey {
    /// The day's beginning, UTC.
    pub day: Timestamp,
    /// The domain whose policy held: of MTA-STS and without a policy the mail's, of DANE the one below which the TLSA records stand (RFC 8460 §3).
    pub policy_domain: Domain,
    /// Which kind.
    pub policy_type: TlsPolicyType,
    /// The host; none where none was chosen.
    pub mx_host: Option<Domain>,
    /// How it came out.
    pub result: TlsResult,
}

/// How often something came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsResultCount {
    /// What.
    pub key: TlsResultKey,
    /// How often.
    pub sessions: u64,
}

impl Store {
    /// The policies that still mean something, those used last first: [`MAX_STS_POLICIES`] at most.
    pub async fn sts_policies(&self) -> Result<Vec<StsEntry>, StoreError> {
        let sql = "SELECT domain, id, policy, fetched_at, expires_at, used_at FROM sts_policy
                   WHERE expires_at > $1 ORDER BY used_at DESC, domain LIMIT $2";
        let query = sqlx::query(sql).bind(self.now().millis()).bind(MAX_STS_POLICIES);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let entry = |row: &sqlx::any::AnyRow| {
            Ok(StsEntry {
                domain: domain(&row.try_get::<String, _>(0)?)?,
                id: row.try_get(1)?,
                policy: row.try_get(2)?,
                fetched_at: Timestamp::from_millis(row.try_get(3)?),
                expires_at: Timestamp::from_millis(row.try_get(4)?),
                used_at: Timestamp::from_millis(row.try_get(5)?),
            })
        };
        rows.iter().map(entry).collect()
    }

    /// Keeps policies, each in place of the one of its domain; drops those that have ended, and past [`MAX_STS_POLICIES`] those that were used longest ago.
    pub async fn keep_sts_policies(&self, entries: Vec<StsEntry>) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let kept = "INSERT INTO sts_policy (domain, id, policy, fetched_at, expires_at, used_at)
                            VALUES ($1, $2, $3, $4, $5, $6)
                            ON CONFLICT (domain) DO UPDATE SET id = excluded.id, policy = excluded.policy,
                                fetched_at = excluded.fetched_at, expires_at = excluded.expires_at, used_at = excluded.used_at";
                for entry in entries {
                    let query = sqlx::query(kept).bind(entry.domain.as_str().to_owned()).bind(entry.id).bind(entry.policy);
                    let query = query.bind(entry.fetched_at.millis()).bind(entry.expires_at.millis());
                    query.bind(entry.used_at.millis()).execute(&mut *tx).await?;
                }
                let ended = "DELETE FROM sts_policy WHERE expires_at <= $1";
                sqlx::query(ended).bind(now.millis()).execute(&mut *tx).await?;
                // No LIMIT -1 and no LIMIT ALL: both engines take a number.
                let many = "DELETE FROM sts_policy WHERE domain IN
                                (SELECT domain FROM sts_policy ORDER BY used_at DESC, domain LIMIT $1 OFFSET $2)";
                sqlx::query(many).bind(MAX_STS_POLICIES).bind(MAX_STS_POLICIES).execute(&mut *tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Adds to what was counted, and drops what is older than [`TLS_RESULTS_KEPT_FOR`]. Where [`MAX_TLS_RESULTS`] rows stand, nothing new is begun.
    pub async fn count_tls_results(&self, counts: Vec<TlsResultCount>) -> Result<(), StoreError> {
        let before = self.now().minus(TLS_RESULTS_KEPT_FOR);
        self.write(move |tx| {
            Box::pin(async move {
                let old = "DELETE FROM tls_result WHERE day < $1";
                sqlx::query(old).bind(before.millis()).execute(&mut *tx).await?;
                let rows: i64 = sqlx::query("SELECT COUNT(*) FROM tls_result").fetch_one(&mut *tx).await?.try_get(0)?;
                let mut room = MAX_TLS_RESULTS.saturating_sub(rows);
                for TlsResultCount { key, sessions } in counts {
                    let (kind, result) = (key.policy_type.as_str(), key.result.as_str());
                    let host = key.mx_host.as_ref().map_or("", Domain::as_str);
                    let sessions = i64::try_from(sessions).unwrap_or(i64::MAX);
                    let more = "UPDATE tls_result SET sessions = sessions + $6
                                WHERE day = $1 AND policy_domain = $2 AND policy_type = $3 AND mx_host = $4 AND result = $5";
                    let first = "INSERT INTO tls_result (day, policy_domain, policy_type, mx_host, result, sessions)
                                 VALUES ($1, $2, $3, $4, $5, $6)";
                    for sql in [more, first] {
                        if sql == first && room == 0 {
                            break;
                        }
                        let query = sqlx::query(sql).bind(key.day.millis()).bind(key.policy_domain.as_str().to_owned());
                        let query = query.bind(kind).bind(host.to_owned()).bind(result).bind(sessions);
                        if query.execute(&mut *tx).await?.rows_affected() > 0 {
                            room -= i64::from(sql == first);
                            break;
                        }
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// What was counted on `day` (its beginning, UTC), by policy domain.
    pub async fn tls_results(&self, day: Timestamp, page: &Page) -> Result<Listing<TlsResultCount>, StoreError> {
        let sql = "SELECT policy_domain, policy_type, mx_host, result, sessions FROM tls_result WHERE day = $1
                   AND policy_domain || ' ' || policy_type || ' ' || mx_host || ' ' || result > $2
                   ORDER BY policy_domain || ' ' || policy_type || ' ' || mx_host || ' ' || result LIMIT $3";
        let after = page.after.clone().unwrap_or_default();
        let query = sqlx::query(sql).bind(day.millis()).bind(after).bind(page.rows_to_ask());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let mut counts = Vec::with_capacity(rows.len());
        for row in rows {
            let (kind, host, result): (String, String, String) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            let unknown = || StoreError::damaged(format!("TLS result {kind} {result}"));
            let key = TlsResultKey {
                day,
                policy_domain: domain(&row.try_get::<String, _>(0)?)?,
                policy_type: TlsPolicyType::parse(&kind).ok_or_else(unknown)?,
                mx_host: if host.is_empty() { None } else { Some(domain(&host)?) },
                result: TlsResult::parse(&result).ok_or_else(unknown)?,
            };
            counts.push(TlsResultCount { key, sessions: row.try_get::<i64, _>(4)?.unsigned_abs() });
        }
        Ok(page.cut(counts, |count| {
            let key = &count.key;
            let host = key.mx_host.as_ref().map_or("", Domain::as_str);
            format!("{} {} {host} {}", key.policy_domain, key.policy_type.as_str(), key.result.as_str())
        }))
    }
}

fn domain(text: &str) -> Result<Domain, StoreError> {
    Domain::parse(text).map_err(|_| StoreError::damaged(format!("domain {text}")))
}
