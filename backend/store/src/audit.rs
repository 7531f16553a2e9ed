//! Who changed what: one row for each change that a person made, written in the transaction that makes it.
//!
//! Invariants: a row tells what was and what is, read inside that transaction, as JSON of the things that differ; no secret ever stands in
//! it; rows are never changed, but for the mark that they were undone. Old ones are pruned ([`AUDIT_KEPT_FOR`]); rows outlive what they
//! are about.
//!
//! To note a change: `let scribe = store.scribe(by)` before the transaction, `scribe.note(tx, deed)` within.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use relais_model::Timestamp;
use serde_json::{Map, Value};
use sqlx::{AnyConnection, Row as _};

use crate::key::Keys;
use crate::page::{Listing, Page};
use crate::sql::{self, Selected};
use crate::{AccountKey, AuditKey, DomainKey, ListKey, Store, StoreError};

/// How long a change is remembered.
pub const AUDIT_KEPT_FOR: Duration = Duration::from_hours(24 * 400);

/// Rows that one transaction prunes.
const PRUNED_AT_ONCE: i64 = 1000;

/// The way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// A browser.
    Panel,
    /// A bearer key.
    Api,
    /// The command line, on this host.
    CommandLine,
    /// A mail program, by a protocol of mail.
    MailProgram,
    /// Nobody asked: the house did it by itself.
    House,
}

impl Via {
    const ALL: [Self; 5] = [Self::Panel, Self::Api, Self::CommandLine, Self::MailProgram, Self::House];

    /// Its name in rows and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Panel => "panel",
            Self::Api => "api",
            Self::CommandLine => "command_line",
            Self::MailProgram => "mail_program",
            Self::House => "house",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|via| via.as_str() == name);
        found.ok_or_else(|| StoreError::damaged(format!("a change came by {name}")))
    }
}

/// Who makes a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// How they are named: an address, a key's name with its owner, the command line.
    pub name: String,
    /// Their account; the command line has none.
    pub account: Option<AccountKey>,
    /// How they came.
    pub via: Via,
    /// From where.
    pub peer: Option<IpAddr>,
}

impl Author {
    /// The house itself: what it does at its set-up and on its rounds.
    pub fn house() -> Self {
        Self { name: "relais".to_owned(), account: None, via: Via::House, peer: None }
    }
}

/// One change, as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its row.
    pub key: AuditKey,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub author: Author,
    /// What was done, `domain.create`.
    pub act: String,
    /// To what: an address, a domain, a setting's name.
    pub subject: String,
    /// The subject's row in its table; it may be gone.
    pub about: Option<i64>,
    /// Whose administrators see it; none: only owners do.
    pub domain: Option<DomainKey>,
    /// What it was, only what differs; none where there was nothing, or nothing that is told.
    pub before: Option<Value>,
    /// What it became; none where nothing is left, or nothing that is told.
    pub after: Option<Value>,
    /// When it was undone, and by whom.
    pub undone: Option<(Timestamp, String)>,
    /// The change that this one undid.
    pub undoes: Option<AuditKey>,
}

impl AuditEntry {
    /// A text of what it was.
    pub(crate) fn was(&self, member: &str) -> Option<&str> {
        self.before.as_ref()?.get(member)?.as_str()
    }

    /// The same of what it became.
    pub(crate) fn became(&self, member: &str) -> Option<&str> {
        self.after.as_ref()?.get(member)?.as_str()
    }
}

/// Which changes are wanted; none of a thing wants any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those that concern one of these domains.
    pub domains: Option<Vec<DomainKey>>,
    /// Those about this account, whoever made them.
    pub about: Option<AccountKey>,
    /// Those about this mailing list.
    pub about_list: Option<ListKey>,
    /// By an author of exactly this name.
    pub author: Option<String>,
    /// To exactly this subject.
    pub subject: Option<String>,
    /// Of this act, `person.suspend`, or of all acts that begin so, `person.`.
    pub act: Option<String>,
    /// Made at this time or later.
    pub since: Option<Timestamp>,
    /// Made before this time.
    pub until: Option<Timestamp>,
}

/// One change, as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deed {
    pub(crate) act: &'static str,
    pub(crate) subject: String,
    pub(crate) about: Option<i64>,
    pub(crate) domain: Option<DomainKey>,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

impl Deed {
    /// Of two states of a thing, what differs; of one that came or went, all.
    pub(crate) fn between(mut self, before: Option<Value>, after: Option<Value>) -> Self {
        (self.before, self.after) = match (before, after) {
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                let (before, after) = differing(before, after);
                (Some(before.into()), Some(after.into()))
            }
            other => other,
        };
        self
    }
}

/// The members that differ, of each side its own.
fn differing(before: Map<String, Value>, mut after: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let mut changed = Map::new();
    for (name, value) in before {
        if after.get(&name) == Some(&value) {
            after.remove(&name);
        } else {
            changed.insert(name, value);
        }
    }
    (changed, after)
}

/// Writes down what one author does, in whatever transaction it is done.
#[derive(Debug, Clone)]
pub(crate) struct Scribe {
    keys: Arc<Keys>,
    now: Timestamp,
    by: Author,
    /// The change that is being undone.
    undoes: Option<AuditKey>,
}

impl Scribe {
    /// When it is done.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The same scribe, for what undoes a change.
    pub(crate) const fn undoing(mut self, undone: AuditKey) -> Self {
        self.undoes = Some(undone);
        self
    }

    /// A new row key.
    pub(crate) fn next_key(&self) -> i64 {
        self.keys.next(self.now)
    }

    /// Writes a row in the transaction under way.
    pub(crate) async fn note(&self, tx: &mut AnyConnection, deed: Deed) -> Result<AuditKey, sqlx::Error> {
        let sql = "INSERT INTO audit (audit_key, at, author, author_key, via, peer, act, subject, about, domain_key,
                                      before_json, after_json, undoes)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let key = AuditKey::new(self.next_key());
        sqlx::query(sql)
            .bind(key.value())
            .bind(self.now.millis())
            .bind(self.by.name.as_str())
            .bind(self.by.account.map(AccountKey::value))
            .bind(self.by.via.as_str())
            .bind(self.by.peer.map(|peer| peer.to_canonical().to_string()))
            .bind(deed.act)
            .bind(deed.subject)
            .bind(deed.about)
            .bind(deed.domain.map(DomainKey::value))
            .bind(deed.before.map(|state| state.to_string()))
            .bind(deed.after.map(|state| state.to_string()))
            .bind(self.undoes.map(AuditKey::value))
            .execute(tx)
            .await?;
        Ok(key)
    }
}

const COLUMNS: &str = "audit_key, at, author, author_key, via, peer, act, subject, about, domain_key, before_json, after_json, undone_at, undone_by, undoes";

impl Store {
    /// For what `by` does now.
    pub(crate) fn scribe(&self, by: &Author) -> Scribe {
        Scribe { keys: Arc::clone(&self.inner.keys), now: self.now(), by: by.clone(), undoes: None }
    }

    /// Changes, the latest first.
    pub async fn audit(&self, filter: &AuditFilter, page: &Page) -> Result<Listing<AuditEntry>, StoreError> {
        if filter.domains.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Listing { rows: Vec::new(), next: None });
        }
        let before = page.after.as_deref().and_then(AuditKey::parse).map_or(i64::MAX, AuditKey::value);
        let mut listed = Selected::new(format!("SELECT {COLUMNS} FROM audit"));
        listed.and("audit_key < $", before);
        if let Some(domains) = &filter.domains {
            listed.and_among("domain_key", domains.iter().map(|key| key.value()));
        }
        // Keys of different tables are different numbers.
        for about in [filter.about.map(AccountKey::value), filter.about_list.map(ListKey::value)].into_iter().flatten()
        {
            listed.and("about = $", about);
        }
        if let Some(author) = &filter.author {
            listed.and("author = $", author.as_str());
        }
        if let Some(subject) = &filter.subject {
            listed.and("subject = $", subject.as_str());
        }
        match filter.act.as_deref() {
            Some(family) if family.ends_with('.') => {
                listed.and("act >= $", family);
                // `/` is what follows the dot.
                listed.and("act < $", format!("{}/", family.trim_end_matches('.')));
            }
            Some(act) => listed.and("act = $", act),
            None => {}
        }
        if let Some(since) = filter.since {
            listed.and("at >= $", since.millis());
        }
        if let Some(until) = filter.until {
            listed.and("at < $", until.millis());
        }
        let statement = listed.ordered("audit_key DESC", page.rows_to_ask());
        let query = sql::query(self.inner.engine, &[statement])?;
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let entries = rows.iter().map(read_entry).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(entries, |entry| entry.key.entry_id()))
    }

    /// One change.
    pub async fn audit_entry(&self, key: AuditKey) -> Result<Option<AuditEntry>, StoreError> {
        read_audit(&mut *self.reader().await?, key).await
    }

    /// Forgets what was done before `before`, a part at a time. Tells how many changes; see [`AUDIT_KEPT_FOR`].
    pub async fn prune_audit(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM audit WHERE audit_key IN
                   (SELECT audit_key FROM audit WHERE at < $1 ORDER BY audit_key LIMIT $2)";
        self.prune_in_parts(sql, before.millis(), PRUNED_AT_ONCE).await
    }
}

/// One change, for who holds a connection.
pub(crate) async fn read_audit(tx: &mut AnyConnection, key: AuditKey) -> Result<Option<AuditEntry>, StoreError> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM audit WHERE audit_key = $1"));
    let row = sqlx::query(statement).bind(key.value()).fetch_optional(tx).await?;
    row.as_ref().map(read_entry).transpose()
}

/// Marks a change as undone.
pub(crate) async fn mark_undone(tx: &mut AnyConnection, key: AuditKey, scribe: &Scribe) -> Result<(), sqlx::Error> {
    let sql = "UPDATE audit SET undone_at = $2, undone_by = $3 WHERE audit_key = $1";
    let query = sqlx::query(sql).bind(key.value()).bind(scribe.now.millis()).bind(scribe.by.name.as_str());
    query.execute(tx).await.map(drop)
}

fn read_entry(row: &sqlx::any::AnyRow) -> Result<AuditEntry, StoreError> {
    let json = |text: Option<String>| {
        let read = |text: String| serde_json::from_str(&text).map_err(|error| StoreError::damaged(error.to_string()));
        text.map(read).transpose()
    };
    let undone_at: Option<i64> = row.try_get(12)?;
    let undone_by: Option<String> = row.try_get(13)?;
    let author = Author {
        name: row.try_get(2)?,
        account: row.try_get::<Option<i64>, _>(3)?.map(AccountKey::new),
        via: Via::read(row.try_get(4)?)?,
        peer: row.try_get::<Option<&str>, _>(5)?.and_then(|peer| peer.parse().ok()),
    };
    Ok(AuditEntry {
        key: AuditKey::new(row.try_get(0)?),
        at: Timestamp::from_millis(row.try_get(1)?),
        author,
        act: row.try_get(6)?,
        subject: row.try_get(7)?,
        about: row.try_get(8)?,
        domain: row.try_get::<Option<i64>, _>(9)?.map(DomainKey::new),
        before: json(row.try_get(10)?)?,
        after: json(row.try_get(11)?)?,
        undone: undone_at.map(|at| (Timestamp::from_millis(at), undone_by.unwrap_or_default())),
        undoes: row.try_get::<Option<i64>, _>(14)?.map(AuditKey::new),
    })
}
