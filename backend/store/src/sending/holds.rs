//! Accounts whose mail to other hosts is held: raised by the house, ended by somebody who has looked.
//!
//! A hold stops what waits when it is raised, and what is accepted while it stands ([`hold_queued`], in the accepting transaction). It ends
//! in one of two ways: released, and what was seen is usual from then on; or dropped, and nobody who was in is in any more.

use std::net::IpAddr;
use std::time::Duration;

use relais_model::{Address, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::counts::SPAN;
use crate::access::end_openings;
use crate::audit::{Author, Deed};
use crate::directory::read_address;
use crate::page::{Listing, Page};
use crate::queue::{QueueFilter, QueueState};
use crate::sql::{Select, Statement};
use crate::{AccountKey, DomainKey, HoldKey, QueueKey, Store, StoreError, webhook};

/// Held messages that are shown before they are dropped.
pub const MAX_SAMPLES: u32 = 10;
/// A hold that is dropped takes along what was counted from so long before it was raised: it wasn't the account's owner who sent it.
const DOUBTED: Duration = Duration::from_hours(24);

/// Why an account's mail is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldReason {
    /// Many recipients to whom it had never written, within minutes.
    NewRecipients,
    /// Many messages within minutes.
    Messages,
    /// From a network that it never logged in from, to people to whom it had never written.
    Network,
    /// Many recipients were refused as nobody.
    Unknown,
    /// Many messages were complained of.
    Complaints,
}

impl HoldReason {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::NewRecipients, Self::Messages, Self::Network, Self::Unknown, Self::Complaints];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewRecipients => "new_recipients",
            Self::Messages => "messages",
            Self::Network => "network",
            Self::Unknown => "unknown",
            Self::Complaints => "complaints",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|reason| reason.as_str() == word);
        found.ok_or_else(|| StoreError::damaged(format!("a hold because of {word}")))
    }
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HoldFacts {
    /// Messages within the last ten to twenty minutes.
    pub messages: u64,
    /// Recipients in that time to whom the account had never written; of [`HoldReason::Network`], in an hour.
    pub new_recipients: u64,
    /// Recipients that were refused as nobody, of the last day.
    pub unknown_recipients: u64,
    /// Messages that were complained of in the last day.
    pub complaints: u64,
}

/// What is told to webhooks, in the transaction that notes that all were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldNews {
    /// The same through all attempts.
    pub event_id: String,
    /// JSON.
    pub payload: String,
}

/// A hold that is to be raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Whose mail.
    pub account: AccountKey,
    /// Why.
    pub reason: HoldReason,
    /// What was seen.
    pub facts: HoldFacts,
    /// From where it was sent; none where nothing was sent just now.
    pub peer: Option<IpAddr>,
}

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldEnd {
    /// The mail went on.
    Released,
    /// The mail was taken away, and all who were in were shut out.
    Dropped,
}

impl HoldEnd {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Dropped => "dropped",
        }
    }
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its row.
    pub key: HoldKey,
    /// Whose mail.
    pub account: AccountKey,
    /// The account's address.
    pub address: Address,
    /// Why.
    pub reason: HoldReason,
    /// What was seen.
    pub facts: HoldFacts,
    /// From where it was sent.
    pub peer: Option<IpAddr>,
    /// Since when.
    pub raised_at: Timestamp,
    /// When it ended, and how; none: it stands.
    pub ended: Option<(Timestamp, HoldEnd)>,
}

/// Which holds are wanted; none of a thing wants any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoldFilter {
    /// Of this account.
    pub account: Option<AccountKey>,
    /// Of accounts in these domains.
    pub domains: Option<Vec<DomainKey>>,
    /// Those that stand, and no others.
    pub is_standing: bool,
    /// Those that nobody was written to of.
    pub is_untold: bool,
}

/// How much a hold stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeldSum {
    /// Messages.
    pub messages: u64,
    /// Recipients of all of them.
    pub recipients: u64,
}

/// A message that a hold stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldMessage {
    /// When it was submitted.
    pub at: Timestamp,
    /// Its subject, shortened; none where the trace has forgotten it.
    pub subject: Option<String>,
    /// One of its recipients.
    pub recipient: String,
    /// How many it has that are held.
    pub recipients: u64,
}

/// What is usual with an account since holds of it were released.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Released {
    /// Messages within ten to twenty minutes.
    pub messages: u64,
    /// Recipients in that time to whom it had never written.
    pub new_recipients: u64,
    /// From where.
    pub peers: Vec<IpAddr>,
    /// When the last one ended, however.
    pub last_at: Option<Timestamp>,
}

/// Holds what was just queued of accounts whose mail is held: rows from `first` on.
pub(crate) fn hold_queued(first: QueueKey) -> Statement {
    Statement::new(
        "UPDATE queued_recipient SET state = 1, hold_key =
             (SELECT h.hold_key FROM queued AS q JOIN sending_hold AS h ON h.account_key = q.submitter
              WHERE q.queue_key = queued_recipient.queue_key AND h.ended_at IS NULL)
         WHERE state = 0 AND queue_key IN
             (SELECT q.queue_key FROM queued AS q JOIN sending_hold AS h ON h.account_key = q.submitter
              WHERE q.queue_key >= $1 AND h.ended_at IS NULL)",
    )
    .bind(first.value())
}

const COLUMNS: &str =
    "h.hold_key, h.account_key, a.address, h.reason, h.messages, h.new_recipients, h.unknown_recipients,
    h.complaints, h.peer, h.raised_at, h.ended_at, h.outcome
    FROM sending_hold AS h JOIN account AS a ON a.account_key = h.account_key";

impl Store {
    /// Holds an account's mail to other hosts, what waits and what comes. False where it is held already, or the account is gone.
    pub async fn raise_hold(&self, new: NewHold) -> Result<bool, StoreError> {
        let scribe = self.scribe(&Author::house());
        let raised = self
            .write(move |tx| {
                Box::pin(async move {
                    let sql = "SELECT address, domain_key FROM account WHERE account_key = $1";
                    let query = sqlx::query_as(sql).bind(new.account.value());
                    let Some((address, domain)) = query.fetch_optional(&mut *tx).await? else { return Ok(false) };
                    let (address, domain): (String, i64) = (address, domain);
                    let key = scribe.next_key();
                    let sql = "INSERT INTO sending_hold (hold_key, account_key, reason, messages, new_recipients,
                               unknown_recipients, complaints, peer, raised_at)
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                           ON CONFLICT (account_key) WHERE ended_at IS NULL DO NOTHING";
                    let peer = new.peer.map(|peer| peer.to_canonical().to_string()).unwrap_or_default();
                    let done = sqlx::query(sql)
                        .bind(key)
                        .bind(new.account.value())
                        .bind(new.reason.as_str())
                        .bind(signed(new.facts.messages))
                        .bind(signed(new.facts.new_recipients))
                        .bind(signed(new.facts.unknown_recipients))
                        .bind(signed(new.facts.complaints))
                        .bind(peer.as_str())
                        .bind(scribe.now().millis())
                        .execute(&mut *tx)
                        .await?;
                    if done.rows_affected() == 0 {
                        return Ok(false);
                    }
                    let sql = "UPDATE queued_recipient SET state = 1, hold_key = $2 WHERE state = 0 AND queue_key IN
                               (SELECT queue_key FROM queued WHERE submitter = $1)";
                    sqlx::query(sql).bind(new.account.value()).bind(key).execute(&mut *tx).await?;
                    let domain = DomainKey::new(domain);
                    let after = json!({ "reason": new.reason.as_str(), "peer": peer });
                    let deed = Deed { act: "hold.raise", after: Some(after), ..deed(address, new.account, domain) };
                    scribe.note(tx, deed).await?;
                    Ok::<_, StoreError>(true)
                })
            })
            .await?;
        self.inner.hold_woken.notify_one();
        Ok(raised)
    }

    /// Rings after each hold that was raised.
    pub fn hold_wake(&self) -> std::sync::Arc<tokio::sync::Notify> {
        std::sync::Arc::clone(&self.inner.hold_woken)
    }

    /// Holds, the latest first.
    pub async fn holds(&self, filter: &HoldFilter, page: &Page) -> Result<Listing<Hold>, StoreError> {
        let mut select = Select::new(format!("SELECT {COLUMNS} WHERE h.hold_key < "));
        select.value(page.before_key());
        meant(&mut select, filter);
        select.say(" ORDER BY h.hold_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let holds = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(holds, |hold| hold.key.value()))
    }

    /// How many holds there are.
    pub async fn count_holds(&self, filter: &HoldFilter) -> Result<u64, StoreError> {
        let mut select = Select::new(
            "SELECT COUNT(*) FROM sending_hold AS h JOIN account AS a ON a.account_key = h.account_key WHERE 1 = 1",
        );
        meant(&mut select, filter);
        let row = select.query(self.engine())?.fetch_one(&mut *self.reader().await?).await?;
        Ok(row.try_get::<i64, _>(0)?.unsigned_abs())
    }

    /// The hold of an account that stands.
    pub async fn standing_hold(&self, account: AccountKey) -> Result<Option<Hold>, StoreError> {
        let filter = HoldFilter { account: Some(account), is_standing: true, ..HoldFilter::default() };
        Ok(self.holds(&filter, &Page { after: None, limit: 1 }).await?.rows.pop())
    }

    /// Account and owners were written to: so webhooks are told, too, and nobody again.
    pub async fn note_hold_told(&self, hold: &Hold, news: HoldNews) -> Result<(), StoreError> {
        let (now, key, account) = (self.now(), hold.key, hold.account);
        let inner = std::sync::Arc::clone(&self.inner);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE sending_hold SET told_at = $2 WHERE hold_key = $1 AND told_at IS NULL";
                let query = sqlx::query(sql).bind(key.value()).bind(now.millis());
                if query.execute(&mut *tx).await?.rows_affected() > 0 {
                    let sql = "SELECT domain_key FROM account WHERE account_key = $1";
                    let domain: Option<i64> =
                        sqlx::query_scalar(sql).bind(account.value()).fetch_optional(&mut *tx).await?;
                    webhook::tell_hold(tx, &inner.keys, now, domain.map(DomainKey::new), &news).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// How much a hold stops.
    pub async fn held_sum(&self, hold: HoldKey) -> Result<HeldSum, StoreError> {
        let sql = "SELECT COUNT(DISTINCT queue_key), COUNT(*) FROM queued_recipient WHERE hold_key = $1 AND state = 1";
        let row = sqlx::query(sql).bind(hold.value()).fetch_one(&mut *self.reader().await?).await?;
        let count = |column: usize| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
        Ok(HeldSum { messages: count(0)?, recipients: count(1)? })
    }

    /// The latest messages that a hold stops: [`MAX_SAMPLES`] at most.
    pub async fn held_samples(&self, hold: HoldKey) -> Result<Vec<HeldMessage>, StoreError> {
        let sql = "SELECT s.at, s.recipient, s.recipients,
                          (SELECT MAX(t.subject) FROM message_trace AS t WHERE t.trace = s.trace AND t.kind = 0)
                   FROM (SELECT q.queue_key, q.trace, q.created_at AS at, MIN(r.address) AS recipient, COUNT(*) AS recipients
                         FROM queued_recipient AS r JOIN queued AS q ON q.queue_key = r.queue_key
                         WHERE r.hold_key = $1 AND r.state = 1
                         GROUP BY q.queue_key, q.trace, q.created_at ORDER BY q.queue_key DESC LIMIT $2) AS s
                   ORDER BY s.queue_key DESC";
        let query = sqlx::query(sql).bind(hold.value()).bind(i64::from(MAX_SAMPLES));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &AnyRow| {
            Ok(HeldMessage {
                at: Timestamp::from_millis(row.try_get(0)?),
                recipient: row.try_get(1)?,
                recipients: row.try_get::<i64, _>(2)?.unsigned_abs(),
                subject: row.try_get(3)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Lets an account's mail go on: what was seen is usual from now on, and to whom the held mail goes, the account has written. Tells how
    /// many recipients go on; none where nothing is held.
    pub async fn release_hold(&self, by: &Author, account: AccountKey) -> Result<Option<u64>, StoreError> {
        let Some(hold) = self.standing_hold(account).await? else { return Ok(None) };
        self.note_held_as_written(&hold).await?;
        let scribe = self.scribe(by);
        let released = self
            .write(move |tx| {
                Box::pin(async move {
                    let Some((address, domain)) = end(tx, &hold, HoldEnd::Released, scribe.now()).await? else {
                        return Ok(None);
                    };
                    // It has as long to arrive as if it had never been held.
                    let sql = "UPDATE queued SET expires_at = expires_at + $2 WHERE queue_key IN
                                   (SELECT queue_key FROM queued_recipient WHERE hold_key = $1 AND state = 1)";
                    let held_for = i64::try_from(scribe.now().since(hold.raised_at).as_millis()).unwrap_or(0);
                    sqlx::query(sql).bind(hold.key.value()).bind(held_for).execute(&mut *tx).await?;
                    let sql = "UPDATE queued_recipient SET state = 0, hold_key = NULL, next_attempt_at = $2
                               WHERE hold_key = $1 AND state = 1";
                    let query = sqlx::query(sql).bind(hold.key.value()).bind(scribe.now().millis());
                    let recipients = query.execute(&mut *tx).await?.rows_affected();
                    let after = json!({ "recipients": recipients });
                    let deed = Deed { act: "hold.release", after: Some(after), ..deed(address, account, domain) };
                    scribe.note(tx, deed).await?;
                    Ok::<_, StoreError>(Some(recipients))
                })
            })
            .await?;
        self.inner.queue_woken.notify_one();
        Ok(released)
    }

    /// Shuts out whoever is in an account (its password, app passwords, API keys, sessions and links end) and takes its held mail away, without
    /// telling anybody. Tells how many recipients; none where nothing is held.
    pub async fn drop_hold(&self, by: &Author, account: AccountKey) -> Result<Option<u64>, StoreError> {
        let Some(hold) = self.standing_hold(account).await? else { return Ok(None) };
        let sum = self.held_sum(hold.key).await?;
        let (scribe, raised_at) = (self.scribe(by), hold.raised_at);
        let closed_at = scribe.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE account SET password_hash = '', closed_at = $2, version = $3 WHERE account_key = $1
                           RETURNING address, domain_key";
                let query = sqlx::query_as(sql).bind(account.value()).bind(closed_at.millis());
                let found: Option<(String, i64)> = query.bind(scribe.next_key()).fetch_optional(&mut *tx).await?;
                let Some((address, domain)) = found else { return Ok(()) };
                end_openings(tx, account, None).await?;
                for sql in
                    ["DELETE FROM app_password WHERE account_key = $1", "DELETE FROM api_key WHERE account_key = $1"]
                {
                    sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
                }
                let sql = "DELETE FROM sent_count WHERE account_key = $1 AND span_at >= $2";
                let since = raised_at.minus(DOUBTED);
                sqlx::query(sql).bind(account.value()).bind(since.millis()).execute(&mut *tx).await?;
                let before = json!({ "messages": sum.messages, "recipients": sum.recipients });
                let deed =
                    Deed { act: "hold.drop", before: Some(before), ..deed(address, account, DomainKey::new(domain)) };
                scribe.note(tx, deed).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await?;
        self.inner.shut_out.tell(account, closed_at, self.now());
        // Whoever was in is out, so nothing comes any more; where this breaks off, the hold stands, and is dropped again.
        let filter = QueueFilter { hold: Some(hold.key), state: Some(QueueState::Held), ..QueueFilter::default() };
        let mut removed = 0;
        loop {
            match self.remove_some(&filter, self.scribe(by), None).await? {
                0 => break,
                some => removed += some,
            }
        }
        let now = self.now();
        self.write(move |tx| Box::pin(async move { end(tx, &hold, HoldEnd::Dropped, now).await.map(drop) })).await?;
        Ok(Some(removed))
    }

    /// What is usual with an account since holds of it were released.
    pub async fn released_holds(&self, account: AccountKey) -> Result<Released, StoreError> {
        let sql = "SELECT messages, new_recipients, peer, ended_at, outcome FROM sending_hold
                   WHERE account_key = $1 AND ended_at IS NOT NULL ORDER BY hold_key DESC LIMIT 50";
        let rows = sqlx::query(sql).bind(account.value()).fetch_all(&mut *self.reader().await?).await?;
        let mut released = Released::default();
        for row in &rows {
            released.last_at = released.last_at.max(Some(Timestamp::from_millis(row.try_get(3)?)));
            if row.try_get::<String, _>(4)? == HoldEnd::Released.as_str() {
                released.messages = released.messages.max(row.try_get::<i64, _>(0)?.unsigned_abs());
                released.new_recipients = released.new_recipients.max(row.try_get::<i64, _>(1)?.unsigned_abs());
                released.peers.extend(row.try_get::<String, _>(2)?.parse::<IpAddr>().ok());
            }
        }
        Ok(released)
    }

    async fn note_held_as_written(&self, hold: &Hold) -> Result<(), StoreError> {
        let filter = QueueFilter { hold: Some(hold.key), ..QueueFilter::default() };
        let mut page = Page::first();
        loop {
            let listing = self.queue_list(&filter, &page).await?;
            let to: Vec<Address> = listing.rows.into_iter().map(|entry| entry.recipient.address).collect();
            self.note_written(hold.account, &to).await?;
            if listing.next.is_none() {
                return Ok(());
            }
            page.after = listing.next;
        }
    }
}

/// Goes on with the conditions of `filter`, each after an AND.
fn meant(select: &mut Select, filter: &HoldFilter) {
    if let Some(account) = filter.account {
        select.say(" AND h.account_key = ").value(account.value());
    }
    if let Some(domains) = &filter.domains {
        select.say(" AND ").any(domains, |select, domain| {
            select.say("a.domain_key = ").value(domain.value());
        });
    }
    if filter.is_standing {
        select.say(" AND h.ended_at IS NULL");
    }
    if filter.is_untold {
        select.say(" AND h.told_at IS NULL");
    }
}

/// Ends a hold that stands, and gives address and domain of its account.
async fn end(
    tx: &mut AnyConnection,
    hold: &Hold,
    end: HoldEnd,
    now: Timestamp,
) -> Result<Option<(String, DomainKey)>, StoreError> {
    // What came in after it was raised was seen, too; a window is two spans.
    let sql = "SELECT COALESCE(MAX(messages), 0), COALESCE(MAX(new_recipients), 0) FROM sent_count
               WHERE account_key = $1 AND span_at >= $2";
    let since = hold.raised_at.minus(SPAN * 2);
    let row = sqlx::query(sql).bind(hold.account.value()).bind(since.millis()).fetch_one(&mut *tx).await?;
    let most =
        |column: usize, seen: u64| row.try_get::<i64, _>(column).map(|most| signed(seen).max(most.saturating_mul(2)));
    let sql = "UPDATE sending_hold SET ended_at = $2, outcome = $3, messages = $4, new_recipients = $5
               WHERE hold_key = $1 AND ended_at IS NULL";
    let done = sqlx::query(sql)
        .bind(hold.key.value())
        .bind(now.millis())
        .bind(end.as_str())
        .bind(most(0, hold.facts.messages)?)
        .bind(most(1, hold.facts.new_recipients)?)
        .execute(&mut *tx)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    let sql = "SELECT address, domain_key FROM account WHERE account_key = $1";
    let found: Option<(String, i64)> = sqlx::query_as(sql).bind(hold.account.value()).fetch_optional(&mut *tx).await?;
    Ok(found.map(|(address, domain)| (address, DomainKey::new(domain))))
}

fn deed(address: String, account: AccountKey, domain: DomainKey) -> Deed {
    Deed { subject: address, about: Some(account.value()), domain: Some(domain), ..Deed::default() }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn read(row: &AnyRow) -> Result<Hold, StoreError> {
    let count = |column: usize| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    let ended_at: Option<i64> = row.try_get(10)?;
    let outcome: Option<String> = row.try_get(11)?;
    let outcome = match outcome.as_deref() {
        Some("released") => Some(HoldEnd::Released),
        Some(_) => Some(HoldEnd::Dropped),
        None => None,
    };
    Ok(Hold {
        key: HoldKey::new(row.try_get(0)?),
        account: AccountKey::new(row.try_get(1)?),
        address: read_address(row.try_get(2)?)?,
        reason: HoldReason::read(row.try_get(3)?)?,
        facts: HoldFacts {
            messages: count(4)?,
            new_recipients: count(5)?,
            unknown_recipients: count(6)?,
            complaints: count(7)?,
        },
        peer: row.try_get::<String, _>(8)?.parse().ok(),
        raised_at: Timestamp::from_millis(row.try_get(9)?),
        ended: ended_at.map(Timestamp::from_millis).zip(outcome),
    })
}
