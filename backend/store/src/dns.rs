//! The DNS of domains and of the host, as far as it is kept: keys that sign, what checks found and how it turned, who serves the zones,
//! what was written into them.
//!
//! Invariants: a private key and a provider's key are `Secret`s and stand in no activity; a report is written with the turns that led to it,
//! and only over the report that they were seen from; of a domain no more than [`KEPT_TURNS`] and [`KEPT_PUSHES`] are kept.

use relais_model::{Address, Domain, Secret, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::audit::{Author, Deed, Scribe};
use crate::key::Keys;
use crate::page::{Listing, Page};
use crate::sql::{self, Select, Selected};
use crate::{AccountKey, DkimKeyKey, DnsAccountKey, DnsPushKey, DnsTurnKey, DomainKey, Store, StoreError, webhook};

/// Turns that are kept of a domain.
pub const KEPT_TURNS: i64 = 200;
/// Pushes that are kept of a domain.
pub const KEPT_PUSHES: i64 = 200;
/// Accounts at providers, at most.
pub const MAX_DNS_ACCOUNTS: i64 = 50;
/// Keys of one domain, at most: the retired ones, too.
pub const MAX_DKIM_KEYS: i64 = 20;

/// Whose DNS: a domain's, or the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DnsSubject {
    /// The host's.
    Host,
    /// A domain's.
    Domain(DomainKey),
}

impl DnsSubject {
    const fn value(self) -> i64 {
        match self {
            Self::Host => 0,
            Self::Domain(key) => key.value(),
        }
    }

    const fn read(number: i64) -> Self {
        if number == 0 { Self::Host } else { Self::Domain(DomainKey::new(number)) }
    }

    const fn domain(self) -> Option<DomainKey> {
        match self {
            Self::Host => None,
            Self::Domain(key) => Some(key),
        }
    }
}

/// A key that signs a domain's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKeyEntry {
    /// Its row.
    pub key: DkimKeyKey,
    /// Its name, below `_domainkey`.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: String,
    /// PKCS#8 in PEM.
    pub private_key: Secret,
    /// The `p=` of its record.
    pub public_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it signs no more.
    pub retired_at: Option<Timestamp>,
}

/// A key that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDkimKey {
    /// Its name, below `_domainkey`.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: &'static str,
    /// PKCS#8 in PEM.
    pub private_key: Secret,
    /// The `p=` of its record.
    pub public_key: String,
}

/// How many findings came out how, from the best to the worst.
pub type DnsTally = [u32; 4];

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsReportEntry {
    /// The worst verdict: 0 good, 1 could be better, 2 can't tell yet, 3 wrong.
    pub verdict: u8,
    /// How many findings came out how.
    pub tally: DnsTally,
    /// JSON.
    pub report: String,
    /// When it was looked.
    pub checked_at: Timestamp,
    /// When it is looked at again.
    pub next_check_at: Timestamp,
}

/// A finding that turned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsTurnEntry {
    /// Its row.
    pub key: DnsTurnKey,
    /// The finding's key.
    pub finding: String,
    /// The verdict before; none where it is new.
    pub before: Option<u8>,
    /// The verdict since.
    pub after: u8,
    /// It is one for the worse.
    pub is_alert: bool,
    /// JSON: its words.
    pub words: String,
    /// When it was seen.
    pub at: Timestamp,
}

/// A turn that is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDnsTurn {
    /// The finding's key.
    pub finding: String,
    /// The verdict before; none where it is new.
    pub before: Option<u8>,
    /// The verdict since.
    pub after: u8,
    /// It is one for the worse.
    pub is_alert: bool,
    /// JSON: its words.
    pub words: String,
}

/// What all are told where something turned for the worse: in the transaction that notes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsNews {
    /// What it is about: the domain, or the host's name.
    pub name: Domain,
    /// The findings' keys.
    pub findings: Vec<String>,
    /// Of the webhooks' event: the same through all attempts.
    pub event_id: String,
    /// Of the webhooks' event: JSON.
    pub payload: String,
}

/// A domain in the list of checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsRowEntry {
    /// Its row.
    pub key: DomainKey,
    /// Its name.
    pub domain: Domain,
    /// The worst verdict, how many came out how, and when; none where it was never checked.
    pub last: Option<(u8, DnsTally, Timestamp)>,
}

/// An account at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAccountEntry {
    /// Its row.
    pub key: DnsAccountKey,
    /// The provider's id.
    pub provider: String,
    /// What people call it.
    pub name: String,
    /// JSON; secrets stand in it.
    pub settings: Secret,
    /// The zones that it was seen to have.
    pub zones: Vec<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What an account is, or is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAccountState {
    /// The provider's id.
    pub provider: String,
    /// What people call it.
    pub name: String,
    /// JSON; secrets stand in it.
    pub settings: Secret,
    /// The zones that it was seen to have.
    pub zones: Vec<String>,
}

/// What was written into a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsPushEntry {
    /// Its row.
    pub key: DnsPushKey,
    /// For whom.
    pub subject: DnsSubject,
    /// By which account; it may be gone.
    pub account: DnsAccountKey,
    /// Into which zone.
    pub zone: String,
    /// JSON.
    pub record: String,
    /// All of it stood.
    pub is_complete: bool,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When it was undone, and by whom.
    pub undone: Option<(Timestamp, String)>,
}

/// A push that is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDnsPush {
    /// For whom.
    pub subject: DnsSubject,
    /// By which account.
    pub account: DnsAccountKey,
    /// Into which zone.
    pub zone: String,
    /// JSON.
    pub record: String,
    /// All of it stands.
    pub is_complete: bool,
    /// The sets that were changed, for the activity: `mail.example.org A`.
    pub sets: Vec<String>,
}

/// Why an account wasn't added or changed.
#[derive(Debug, thiserror::Error)]
pub enum DnsAccountError {
    /// It isn't there.
    #[error("there is no such account")]
    Unknown,
    /// There are [`MAX_DNS_ACCOUNTS`].
    #[error("there are as many accounts as there may be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for DnsAccountError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

const REPORT: &str = "verdict, good, better, unknown, wrong, report, checked_at, next_check_at";
const ACCOUNT: &str = "account_key, provider, name, settings, zones, created_at";
const PUSH: &str =
    "push_key, domain_key, account_key, zone, record, is_complete, pushed_by, pushed_at, undone_at, undone_by";

impl Store {
    /// A domain's keys, the latest first: at most [`MAX_DKIM_KEYS`].
    pub async fn dkim_keys(&self, domain: DomainKey) -> Result<Vec<DkimKeyEntry>, StoreError> {
        let sql = "SELECT dkim_key, selector, algorithm, private_key, public_key, created_at, retired_at FROM dkim_key
                   WHERE domain_key = $1 ORDER BY dkim_key DESC";
        let rows = sqlx::query(sql).bind(domain.value()).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(read_dkim_key).collect()
    }

    /// Keeps keys of a domain that has none of their algorithms yet; of others nothing is kept, and nothing of a domain that is gone.
    pub async fn add_dkim_keys(&self, domain: DomainKey, new: Vec<NewDkimKey>) -> Result<(), StoreError> {
        let scribe = self.scribe(&Author::house());
        self.write(move |tx| {
            Box::pin(async move {
                // The domain's row is taken, so that two who make keys at once don't both keep theirs.
                let sql = "UPDATE domain SET changed_at = changed_at WHERE domain_key = $1 AND removed_at IS NULL RETURNING name";
                let name: Option<String> = sqlx::query_scalar(sql).bind(domain.value()).fetch_optional(&mut *tx).await?;
                let Some(name) = name else { return Ok(()) };
                for key in new {
                    insert_dkim_key(tx, &scribe, domain, &name, key).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// What the last check found.
    pub async fn dns_report(&self, of: DnsSubject) -> Result<Option<DnsReportEntry>, StoreError> {
        read_report(&mut *self.reader().await?, of).await
    }

    /// Writes what a check found, with what turned since the report that was looked at `before`; and where there is news, tells it in the activity and to
    /// webhooks. Tells whether it did: not where another check has come between, nor for a domain that is gone.
    pub async fn put_dns_report(
        &self,
        of: DnsSubject,
        before: Option<Timestamp>,
        report: DnsReportEntry,
        turns: Vec<NewDnsTurn>,
        news: Option<DnsNews>,
    ) -> Result<bool, StoreError> {
        let scribe = self.scribe(&Author::house());
        let inner = std::sync::Arc::clone(&self.inner);
        self.write(move |tx| {
            Box::pin(async move {
                if !is_there(tx, of).await? || !write_report(tx, of, before, &report).await? {
                    return Ok(false);
                }
                for turn in &turns {
                    insert_turn(tx, &scribe, of, turn).await?;
                }
                prune(tx, "dns_turn", "turn_key", of, KEPT_TURNS).await?;
                if let Some(news) = news {
                    tell(tx, &scribe, &inner.keys, of, &news).await?;
                }
                Ok(true)
            })
        })
        .await
    }

    /// Our domains with what their last checks found, by name.
    pub async fn dns_rows(
        &self,
        among: Option<&[DomainKey]>,
        text: Option<&str>,
        verdict: Option<u8>,
        page: &Page,
    ) -> Result<Listing<DnsRowEntry>, StoreError> {
        if among.is_some_and(<[DomainKey]>::is_empty) {
            return Ok(Listing { rows: Vec::new(), next: None });
        }
        let mut listed = Selected::new(
            "SELECT d.domain_key, d.name, r.verdict, r.good, r.better, r.unknown, r.wrong, r.checked_at
             FROM domain d LEFT JOIN dns_report r ON r.domain_key = d.domain_key",
        );
        listed.and_as_is("d.removed_at IS NULL");
        if let Some(among) = among {
            listed.and_among("d.domain_key", among.iter().map(|key| key.value()));
        }
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            listed.and("d.name LIKE $ ESCAPE '\\'", sql::containing(&text.to_lowercase()));
        }
        if let Some(verdict) = verdict {
            listed.and("r.verdict = $", i64::from(verdict));
        }
        if let Some(after) = &page.after {
            listed.and("d.name > $", after.as_str());
        }
        let statement = listed.ordered("d.name", page.rows_to_ask());
        let rows = sql::query(self.engine(), &[statement])?.fetch_all(&mut *self.reader().await?).await?;
        let rows = rows.iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(rows, |row| row.domain.to_string()))
    }

    /// Who is to be checked now, at most `limit`: whose time has come, and domains that never were.
    pub async fn dns_due(&self, limit: u32) -> Result<Vec<(DnsSubject, Option<Domain>)>, StoreError> {
        let sql = "SELECT d.domain_key, d.name FROM domain d LEFT JOIN dns_report r ON r.domain_key = d.domain_key
                   WHERE d.removed_at IS NULL AND (r.domain_key IS NULL OR r.next_check_at <= $1)
                   ORDER BY d.domain_key LIMIT $2";
        let now = self.now().millis();
        let mut reader = self.reader().await?;
        let rows: Vec<(i64, String)> =
            sqlx::query_as(sql).bind(now).bind(i64::from(limit)).fetch_all(&mut *reader).await?;
        let host = read_report(&mut reader, DnsSubject::Host).await?;
        let host = host.is_none_or(|report| report.next_check_at.millis() <= now).then_some((DnsSubject::Host, None));
        let named = rows.into_iter().map(|(key, name)| {
            let domain = read_name(&name)?;
            Ok((DnsSubject::Domain(DomainKey::new(key)), Some(domain)))
        });
        host.into_iter().map(Ok).chain(named).collect()
    }

    /// Has the next check at `at`, where there was one.
    pub async fn put_off_dns_check(&self, of: DnsSubject, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE dns_report SET next_check_at = $2 WHERE domain_key = $1";
                sqlx::query(sql).bind(of.value()).bind(at.millis()).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
    }

    /// Makes all checks due at once.
    pub async fn hasten_dns_checks(&self) -> Result<(), StoreError> {
        let now = self.now().millis();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE dns_report SET next_check_at = $1 WHERE next_check_at > $1";
                sqlx::query(sql).bind(now).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
    }

    /// The owners who can log in, by address, at most `limit`.
    pub async fn owner_addresses(&self, limit: u32) -> Result<Vec<(AccountKey, Address)>, StoreError> {
        let sql = "SELECT a.account_key, a.address FROM account a JOIN domain d ON d.domain_key = a.domain_key
                   WHERE a.role = $1 AND a.is_suspended = 0 AND a.removed_at IS NULL AND d.is_disabled = 0 AND d.removed_at IS NULL
                   ORDER BY a.account_key LIMIT $2";
        let query = sqlx::query_as(sql).bind(crate::Role::Owner as i64).bind(i64::from(limit));
        let rows: Vec<(i64, String)> = query.fetch_all(&mut *self.reader().await?).await?;
        let read =
            |(key, address): (i64, String)| Ok((AccountKey::new(key), crate::directory::read_address(&address)?));
        rows.into_iter().map(read).collect()
    }

    /// Our domains with a wrong finding, at most `limit`; and whether the host has one.
    pub async fn dns_wrong(&self, among: Option<&[DomainKey]>, limit: u32) -> Result<(Vec<Domain>, bool), StoreError> {
        let page = Page { after: None, limit };
        let rows = self.dns_rows(among, None, Some(3), &page).await?.rows;
        let host = self.dns_report(DnsSubject::Host).await?;
        Ok((rows.into_iter().map(|row| row.domain).collect(), host.is_some_and(|report| report.verdict == 3)))
    }

    /// What turned, the latest first.
    pub async fn dns_turns(&self, of: DnsSubject, page: &Page) -> Result<Listing<DnsTurnEntry>, StoreError> {
        let mut select = Select::new(
            "SELECT turn_key, finding, verdict_before, verdict_after, is_alert, words, at FROM dns_turn WHERE domain_key = ",
        );
        select.value(of.value()).say(" AND turn_key < ").value(before(page));
        select.say(" ORDER BY turn_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let turns = rows.iter().map(read_turn).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(turns, |turn| format!("{:x}", turn.key.value())))
    }

    /// The accounts at providers, the oldest first: at most [`MAX_DNS_ACCOUNTS`].
    pub async fn dns_accounts(&self) -> Result<Vec<DnsAccountEntry>, StoreError> {
        let text = AssertSqlSafe(format!("SELECT {ACCOUNT} FROM dns_account ORDER BY account_key"));
        let rows = sqlx::query(text).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(read_account).collect()
    }

    /// One account.
    pub async fn dns_account(&self, key: DnsAccountKey) -> Result<Option<DnsAccountEntry>, StoreError> {
        find_account(&mut *self.reader().await?, key).await
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`DnsAccountError::TooMany`].
    pub async fn add_dns_account(&self, by: &Author, new: DnsAccountState) -> Result<DnsAccountKey, DnsAccountError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM dns_account").fetch_one(&mut *tx).await?;
                if MAX_DNS_ACCOUNTS <= count {
                    return Err(DnsAccountError::TooMany);
                }
                let key = DnsAccountKey::new(scribe.next_key());
                let sql = "INSERT INTO dns_account (account_key, provider, name, settings, zones, created_at)
                           VALUES ($1, $2, $3, $4, $5, $6)";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(new.provider.as_str())
                    .bind(new.name.as_str())
                    .bind(new.settings.expose())
                    .bind(new.zones.join(" "))
                    .bind(scribe.now().millis())
                    .execute(&mut *tx)
                    .await?;
                let deed = account_deed("dns.account_add", &new.name).between(None, Some(told(&new)));
                scribe.note(tx, deed).await?;
                Ok(key)
            })
        })
        .await
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`DnsAccountError::Unknown`].
    pub async fn change_dns_account(
        &self,
        by: &Author,
        key: DnsAccountKey,
        after: DnsAccountState,
    ) -> Result<(), DnsAccountError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let before = find_account(tx, key).await?.ok_or(DnsAccountError::Unknown)?;
                let is_new_key = before.settings != after.settings;
                let before = DnsAccountState {
                    provider: before.provider,
                    name: before.name,
                    settings: before.settings,
                    zones: before.zones,
                };
                let sql = "UPDATE dns_account SET name = $2, settings = $3, zones = $4 WHERE account_key = $1";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(after.name.as_str())
                    .bind(after.settings.expose())
                    .bind(after.zones.join(" "))
                    .execute(&mut *tx)
                    .await?;
                let mut is = told(&after);
                if let Some(is) = is.as_object_mut().filter(|_| is_new_key) {
                    is.insert("key".to_owned(), json!("changed"));
                }
                let deed = account_deed("dns.account_change", &after.name).between(Some(told(&before)), Some(is));
                scribe.note(tx, deed).await?;
                Ok(())
            })
        })
        .await
    }

    /// Remembers that an account has a zone.
    pub async fn note_dns_zone(&self, key: DnsAccountKey, zone: &str) -> Result<(), StoreError> {
        let zone = zone.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let Some(account) = find_account(tx, key).await? else { return Ok(()) };
                if account.zones.contains(&zone) {
                    return Ok(());
                }
                let zones = [account.zones, vec![zone]].concat().join(" ");
                let sql = "UPDATE dns_account SET zones = $2 WHERE account_key = $1";
                sqlx::query(sql).bind(key.value()).bind(zones).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
    }

    /// Forgets an account; its pushes stay.
    ///
    /// # Errors
    /// [`DnsAccountError::Unknown`].
    pub async fn remove_dns_account(&self, by: &Author, key: DnsAccountKey) -> Result<(), DnsAccountError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let account = find_account(tx, key).await?.ok_or(DnsAccountError::Unknown)?;
                sqlx::query("DELETE FROM dns_account WHERE account_key = $1")
                    .bind(key.value())
                    .execute(&mut *tx)
                    .await?;
                scribe.note(tx, account_deed("dns.account_remove", &account.name)).await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes a push. Nothing of a domain that is gone.
    pub async fn note_dns_push(&self, by: &Author, new: NewDnsPush) -> Result<DnsPushKey, StoreError> {
        let (scribe, by) = (self.scribe(by), by.name.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let key = DnsPushKey::new(scribe.next_key());
                if !is_there(tx, new.subject).await? {
                    return Ok(key);
                }
                let sql = "INSERT INTO dns_push (push_key, domain_key, account_key, zone, record, is_complete, pushed_by, pushed_at)
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(new.subject.value())
                    .bind(new.account.value())
                    .bind(new.zone.as_str())
                    .bind(new.record)
                    .bind(i64::from(new.is_complete))
                    .bind(by)
                    .bind(scribe.now().millis())
                    .execute(&mut *tx)
                    .await?;
                prune(tx, "dns_push", "push_key", new.subject, KEPT_PUSHES).await?;
                let after = Some(json!({ "sets": new.sets, "complete": new.is_complete }));
                let domain = new.subject.domain();
                scribe.note(tx, Deed { act: "dns.push", subject: new.zone, domain, after, ..Deed::default() }).await?;
                Ok(key)
            })
        })
        .await
    }

    /// One push.
    pub async fn dns_push(&self, key: DnsPushKey) -> Result<Option<DnsPushEntry>, StoreError> {
        let text = AssertSqlSafe(format!("SELECT {PUSH} FROM dns_push WHERE push_key = $1"));
        let row = sqlx::query(text).bind(key.value()).fetch_optional(&mut *self.reader().await?).await?;
        row.as_ref().map(read_push).transpose()
    }

    /// The pushes for a domain or the host, or, with none, all; the latest first.
    pub async fn dns_pushes(&self, of: Option<DnsSubject>, page: &Page) -> Result<Listing<DnsPushEntry>, StoreError> {
        let mut select = Select::new(format!("SELECT {PUSH} FROM dns_push WHERE push_key < "));
        select.value(before(page));
        if let Some(of) = of {
            select.say(" AND domain_key = ").value(of.value());
        }
        select.say(" ORDER BY push_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let pushes = rows.iter().map(read_push).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(pushes, |push| format!("{:x}", push.key.value())))
    }

    /// Marks a push as undone. Tells whether it did: not where somebody was quicker.
    pub async fn mark_dns_undone(&self, by: &Author, key: DnsPushKey) -> Result<bool, StoreError> {
        let (scribe, by) = (self.scribe(by), by.name.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE dns_push SET undone_at = $2, undone_by = $3 WHERE push_key = $1 AND undone_at IS NULL
                           RETURNING domain_key, zone";
                let query = sqlx::query_as(sql).bind(key.value()).bind(scribe.now().millis()).bind(by);
                let undone: Option<(i64, String)> = query.fetch_optional(&mut *tx).await?;
                let Some((domain, subject)) = undone else { return Ok(false) };
                let domain = DnsSubject::read(domain).domain();
                scribe.note(tx, Deed { act: "dns.undo", subject, domain, ..Deed::default() }).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// What goes with a domain.
pub(crate) async fn remove_of(tx: &mut AnyConnection, domain: i64) -> Result<(), sqlx::Error> {
    for table in ["dkim_key", "dns_report", "dns_turn", "dns_push"] {
        let text = AssertSqlSafe(format!("DELETE FROM {table} WHERE domain_key = $1"));
        sqlx::query(text).bind(domain).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn is_there(tx: &mut AnyConnection, of: DnsSubject) -> Result<bool, sqlx::Error> {
    let DnsSubject::Domain(key) = of else { return Ok(true) };
    let sql = "SELECT COUNT(*) FROM domain WHERE domain_key = $1";
    let count: i64 = sqlx::query_scalar(sql).bind(key.value()).fetch_one(tx).await?;
    Ok(count > 0)
}

async fn insert_dkim_key(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    domain: DomainKey,
    name: &str,
    new: NewDkimKey,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM dkim_key WHERE domain_key = $1 AND (algorithm = $2 AND retired_at IS NULL OR selector = $3)";
    let query = sqlx::query_scalar(sql).bind(domain.value()).bind(new.algorithm).bind(new.selector.as_str());
    let others: i64 = query.fetch_one(&mut *tx).await?;
    let sql = "SELECT COUNT(*) FROM dkim_key WHERE domain_key = $1";
    let all: i64 = sqlx::query_scalar(sql).bind(domain.value()).fetch_one(&mut *tx).await?;
    if others > 0 || MAX_DKIM_KEYS <= all {
        return Ok(());
    }
    let sql = "INSERT INTO dkim_key (dkim_key, domain_key, selector, algorithm, private_key, public_key, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(sql)
        .bind(scribe.next_key())
        .bind(domain.value())
        .bind(new.selector.as_str())
        .bind(new.algorithm)
        .bind(new.private_key.expose())
        .bind(new.public_key)
        .bind(scribe.now().millis())
        .execute(&mut *tx)
        .await?;
    let after = Some(json!({ "selector": new.selector, "algorithm": new.algorithm }));
    let deed = Deed { act: "dkim.create", subject: name.to_owned(), domain: Some(domain), after, ..Deed::default() };
    scribe.note(tx, deed).await.map(drop)
}

/// Over the report that was looked at `before`, and no other.
async fn write_report(
    tx: &mut AnyConnection,
    of: DnsSubject,
    before: Option<Timestamp>,
    report: &DnsReportEntry,
) -> Result<bool, sqlx::Error> {
    let sql = match before {
        Some(_) => {
            "UPDATE dns_report SET verdict = $2, good = $3, better = $4, unknown = $5, wrong = $6, report = $7, checked_at = $8,
                 next_check_at = $9 WHERE domain_key = $1 AND checked_at = $10"
        }
        None => {
            "INSERT INTO dns_report (domain_key, verdict, good, better, unknown, wrong, report, checked_at, next_check_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (domain_key) DO NOTHING"
        }
    };
    let [good, better, unknown, wrong] = report.tally.map(i64::from);
    let mut query = sqlx::query(sql)
        .bind(of.value())
        .bind(i64::from(report.verdict))
        .bind(good)
        .bind(better)
        .bind(unknown)
        .bind(wrong)
        .bind(report.report.as_str())
        .bind(report.checked_at.millis())
        .bind(report.next_check_at.millis());
    if let Some(before) = before {
        query = query.bind(before.millis());
    }
    Ok(query.execute(tx).await?.rows_affected() > 0)
}

async fn insert_turn(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    of: DnsSubject,
    turn: &NewDnsTurn,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO dns_turn (turn_key, domain_key, finding, verdict_before, verdict_after, is_alert, words, at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(scribe.next_key())
        .bind(of.value())
        .bind(turn.finding.as_str())
        .bind(turn.before.map(i64::from))
        .bind(i64::from(turn.after))
        .bind(i64::from(turn.is_alert))
        .bind(turn.words.as_str())
        .bind(scribe.now().millis())
        .execute(tx)
        .await
        .map(drop)
}

/// Keeps the latest `kept` rows of a domain.
async fn prune(
    tx: &mut AnyConnection,
    table: &str,
    column: &str,
    of: DnsSubject,
    kept: i64,
) -> Result<(), sqlx::Error> {
    let text = AssertSqlSafe(format!(
        "DELETE FROM {table} WHERE domain_key = $1 AND {column} <=
             (SELECT {column} FROM {table} WHERE domain_key = $1 ORDER BY {column} DESC LIMIT 1 OFFSET $2)"
    ));
    sqlx::query(text).bind(of.value()).bind(kept).execute(tx).await.map(drop)
}

async fn tell(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    keys: &Keys,
    of: DnsSubject,
    news: &DnsNews,
) -> Result<(), sqlx::Error> {
    let after = Some(json!({ "findings": news.findings }));
    let (subject, domain) = (news.name.to_string(), of.domain());
    scribe.note(tx, Deed { act: "dns.worse", subject, domain, after, ..Deed::default() }).await?;
    webhook::tell_dns(tx, keys, scribe.now(), domain, &news.event_id, &news.payload).await
}

async fn read_report(reader: &mut AnyConnection, of: DnsSubject) -> Result<Option<DnsReportEntry>, StoreError> {
    let text = AssertSqlSafe(format!("SELECT {REPORT} FROM dns_report WHERE domain_key = $1"));
    let row = sqlx::query(text).bind(of.value()).fetch_optional(reader).await?;
    let read = |row: &AnyRow| {
        Ok(DnsReportEntry {
            verdict: verdict(row.try_get(0)?)?,
            tally: tally(row, 1)?,
            report: row.try_get(5)?,
            checked_at: Timestamp::from_millis(row.try_get(6)?),
            next_check_at: Timestamp::from_millis(row.try_get(7)?),
        })
    };
    row.as_ref().map(read).transpose()
}

async fn find_account(
    connection: &mut AnyConnection,
    key: DnsAccountKey,
) -> Result<Option<DnsAccountEntry>, StoreError> {
    let text = AssertSqlSafe(format!("SELECT {ACCOUNT} FROM dns_account WHERE account_key = $1"));
    let row = sqlx::query(text).bind(key.value()).fetch_optional(connection).await?;
    row.as_ref().map(read_account).transpose()
}

fn account_deed(act: &'static str, name: &str) -> Deed {
    Deed { act, subject: name.to_owned(), ..Deed::default() }
}

/// What the activity tells of an account: nothing of what was filled in.
fn told(account: &DnsAccountState) -> serde_json::Value {
    json!({ "provider": account.provider, "name": account.name, "zones": account.zones })
}

fn before(page: &Page) -> i64 {
    page.after.as_deref().and_then(|after| i64::from_str_radix(after, 16).ok()).unwrap_or(i64::MAX)
}

fn read_name(name: &str) -> Result<Domain, StoreError> {
    Domain::parse(name).map_err(|error| StoreError::damaged(format!("domain {name}: {error}")))
}

fn verdict(number: i64) -> Result<u8, StoreError> {
    u8::try_from(number)
        .ok()
        .filter(|verdict| *verdict <= 3)
        .ok_or_else(|| StoreError::damaged(format!("DNS verdict {number}")))
}

fn tally(row: &AnyRow, first: usize) -> Result<DnsTally, StoreError> {
    let mut tally = DnsTally::default();
    for (place, count) in tally.iter_mut().enumerate() {
        *count = u32::try_from(row.try_get::<i64, _>(first + place)?).unwrap_or(u32::MAX);
    }
    Ok(tally)
}

fn read_dkim_key(row: &AnyRow) -> Result<DkimKeyEntry, StoreError> {
    Ok(DkimKeyEntry {
        key: DkimKeyKey::new(row.try_get(0)?),
        selector: row.try_get(1)?,
        algorithm: row.try_get(2)?,
        private_key: Secret::new(row.try_get::<String, _>(3)?),
        public_key: row.try_get(4)?,
        created_at: Timestamp::from_millis(row.try_get(5)?),
        retired_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_millis),
    })
}

fn read_row(row: &AnyRow) -> Result<DnsRowEntry, StoreError> {
    let last = match row.try_get::<Option<i64>, _>(2)? {
        Some(number) => Some((verdict(number)?, tally(row, 3)?, Timestamp::from_millis(row.try_get(7)?))),
        None => None,
    };
    Ok(DnsRowEntry { key: DomainKey::new(row.try_get(0)?), domain: read_name(row.try_get(1)?)?, last })
}

fn read_turn(row: &AnyRow) -> Result<DnsTurnEntry, StoreError> {
    Ok(DnsTurnEntry {
        key: DnsTurnKey::new(row.try_get(0)?),
        finding: row.try_get(1)?,
        before: row.try_get::<Option<i64>, _>(2)?.map(verdict).transpose()?,
        after: verdict(row.try_get(3)?)?,
        is_alert: row.try_get::<i64, _>(4)? != 0,
        words: row.try_get(5)?,
        at: Timestamp::from_millis(row.try_get(6)?),
    })
}

fn read_account(row: &AnyRow) -> Result<DnsAccountEntry, StoreError> {
    Ok(DnsAccountEntry {
        key: DnsAccountKey::new(row.try_get(0)?),
        provider: row.try_get(1)?,
        name: row.try_get(2)?,
        settings: Secret::new(row.try_get::<String, _>(3)?),
        zones: row.try_get::<&str, _>(4)?.split_whitespace().map(str::to_owned).collect(),
        created_at: Timestamp::from_millis(row.try_get(5)?),
    })
}

fn read_push(row: &AnyRow) -> Result<DnsPushEntry, StoreError> {
    let undone_at: Option<i64> = row.try_get(8)?;
    let undone_by: Option<String> = row.try_get(9)?;
    Ok(DnsPushEntry {
        key: DnsPushKey::new(row.try_get(0)?),
        subject: DnsSubject::read(row.try_get(1)?),
        account: DnsAccountKey::new(row.try_get(2)?),
        zone: row.try_get(3)?,
        record: row.try_get(4)?,
        is_complete: row.try_get::<i64, _>(5)? != 0,
        by: row.try_get(6)?,
        at: Timestamp::from_millis(row.try_get(7)?),
        undone: undone_at.map(|at| (Timestamp::from_millis(at), undone_by.unwrap_or_default())),
    })
}
