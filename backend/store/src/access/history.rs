//! Who logged in, and who tried.
//!
//! ```text
//! note_login ──> queue (bounded) ──> batch: one row for attempts of one kind ──> one transaction every few seconds
//! ```
//! Invariants: no log-in waits for its note, and none fails with it: where the queue or the batch is full, notes are lost and
//! counted. Whoever lists sees all that was noted before. [`Store::close`] writes what waits.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use relais_model::{Address, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::LoginProtocol;
use crate::key::{AccountKey, AppPasswordKey, DomainKey};
use crate::page::{Listing, Page};
use crate::{Inner, Store, StoreError};

/// Notes that wait to be taken into a batch.
const QUEUED: usize = 1024;
/// Rows that one transaction writes, at most; what a flood brings above it within [`BATCH_TIME`] is lost.
const BATCH_ROWS: usize = 500;
/// How long a note waits for others.
const BATCH_TIME: Duration = Duration::from_secs(2);
/// Rows that further attempts of their kind may still join.
const OPEN_ROWS: usize = 20_000;
/// Successes of one kind within this are one row.
const GRANTED_TOGETHER: Duration = Duration::from_mins(10);
/// Failures of one kind within this are one row.
const REFUSED_TOGETHER: Duration = Duration::from_mins(1);
/// Rows that are kept, at most: about 30 MB.
const MAX_ROWS: i64 = 200_000;
/// Octets of a name; of one that nobody here has, no more than tells what was tried.
const NAME_OCTETS: usize = 320;
const UNKNOWN_NAME_OCTETS: usize = 80;
/// An app password's use is written down not more often than this.
const USE_TOLD_EVERY: Duration = Duration::from_mins(1);

/// One attempt that was looked at.
#[derive(Debug, Clone)]
pub struct LoginNote {
    /// The account; none: nobody here has this name.
    pub account: Option<AccountKey>,
    /// As it was typed.
    pub name: String,
    /// How it came.
    pub protocol: LoginProtocol,
    /// From where.
    pub ip: IpAddr,
    /// Whether it was let in.
    pub is_granted: bool,
    /// With which app password; none: the account's own, or a wrong one.
    pub app_password: Option<UsedAppPassword>,
    /// With what else.
    pub way: LoginWay,
    /// When.
    pub at: Timestamp,
}

/// With what someone came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LoginWay {
    /// With a password: their own, or an app password.
    #[default]
    Password,
    /// With their own password, and a second factor is still to come: they are not in.
    FirstFactor,
    /// With their own password and a second factor.
    SecondFactor,
    /// With a passkey.
    Passkey,
}

impl LoginWay {
    const ALL: [Self; 4] = [Self::Password, Self::FirstFactor, Self::SecondFactor, Self::Passkey];

    /// Its name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::FirstFactor => "first_factor",
            Self::SecondFactor => "second_factor",
            Self::Passkey => "passkey",
        }
    }

    /// As the database has it.
    const fn word(self) -> &'static str {
        match self {
            Self::Password => "",
            other => other.as_str(),
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|way| way.word() == word);
        found.ok_or_else(|| StoreError::damaged(format!("the way in {word}")))
    }
}

/// An app password that was right.
#[derive(Debug, Clone)]
pub struct UsedAppPassword {
    /// Which.
    pub key: AppPasswordKey,
    /// As the person named the device.
    pub name: String,
    /// When it was last used, as [`crate::ScramKeys::last_used_at`] says.
    pub last_used_at: Option<Timestamp>,
}

/// Attempts of one kind, as a person sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRow {
    /// The account; none: nobody here has this name.
    pub account: Option<AccountKey>,
    /// As it was typed, shortened.
    pub name: String,
    /// How they came.
    pub protocol: LoginProtocol,
    /// From where the last one came.
    pub ip: String,
    /// Whether they were let in.
    pub is_granted: bool,
    /// The app password's name; none: the account's own, or a wrong one.
    pub app_password: Option<String>,
    /// With what.
    pub way: LoginWay,
    /// When the first one came.
    pub first_at: Timestamp,
    /// When the last one came.
    pub last_at: Timestamp,
    /// How many they are.
    pub attempts: u64,
}

/// Whose failures are wanted.
#[derive(Debug, Clone, Copy)]
pub enum LoginScope<'a> {
    /// Everybody's, also those of names in no domain of ours.
    All,
    /// Those of names in these domains.
    Domains(&'a [DomainKey]),
}

/// What is refused attempts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginsBy {
    /// From where they came.
    Ip,
    /// As it was typed, in lower case.
    Name,
}

/// The way to the task that writes.
#[derive(Debug)]
pub(crate) struct History {
    notes: mpsc::Sender<Note>,
    stop: CancellationToken,
    task: TaskTracker,
}

#[derive(Debug)]
enum Note {
    Login(LoginNote),
    /// Write what waits, and say so.
    Write(oneshot::Sender<()>),
}

/// The receiving end, until the task has it.
pub(crate) struct Starting(mpsc::Receiver<Note>);

impl History {
    pub(crate) fn new() -> (Self, Starting) {
        let (notes, waiting) = mpsc::channel(QUEUED);
        (Self { notes, stop: CancellationToken::new(), task: TaskTracker::new() }, Starting(waiting))
    }

    /// Writes what waits; the writer must still be there.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.task.close();
        self.task.wait().await;
    }
}

/// Starts the task that writes.
pub(crate) fn start(inner: &Arc<Inner>, Starting(mut notes): Starting) {
    // Only a weak hold: the task must not keep a forgotten store open.
    let (weak, stop) = (Arc::downgrade(inner), inner.history.stop.clone());
    inner.history.task.spawn(async move {
        let mut batch = Batch::default();
        let mut due = Instant::now();
        loop {
            // All cancel-safe: nothing has begun.
            tokio::select! {
                note = notes.recv() => match note {
                    Some(Note::Login(note)) => {
                        if batch.is_empty() {
                            due = Instant::now() + BATCH_TIME;
                        }
                        let Some(inner) = weak.upgrade() else { return };
                        batch.add(note, || inner.keys.next(inner.clock.now()));
                    }
                    Some(Note::Write(told)) => {
                        write(&weak, &mut batch).await;
                        // Nobody may listen any more.
                        let _is_heard = told.send(());
                    }
                    None => return,
                },
                () = sleep_until(due), if !batch.is_empty() => write(&weak, &mut batch).await,
                () = stop.cancelled() => break,
            }
        }
        notes.close();
        while let Some(note) = notes.recv().await {
            // Whoever waits for a write is told by the end of the channel.
            if let (Note::Login(note), Some(inner)) = (note, weak.upgrade()) {
                batch.add(note, || inner.keys.next(inner.clock.now()));
            }
        }
        write(&weak, &mut batch).await;
    });
}

async fn write(inner: &Weak<Inner>, batch: &mut Batch) {
    let Some(inner) = inner.upgrade() else { return };
    let (rows, uses) = batch.take();
    if rows.is_empty() && uses.is_empty() {
        return;
    }
    let lost = rows.len();
    if let Err(error) = (Store { inner }).write_history((rows, uses)).await {
        tracing::warn!(%error, lost, "the history of log-ins could not be written");
        count_lost(lost as u64);
    }
}

fn count_lost(notes: u64) {
    metrics::counter!("relais_login_notes_lost_total").increment(notes);
}

/// What makes attempts one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    account: Option<AccountKey>,
    /// Of an unknown name.
    name: Option<String>,
    protocol: LoginProtocol,
    network: IpAddr,
    is_granted: bool,
    app_password: Option<AppPasswordKey>,
    way: LoginWay,
}

/// A row to be written, or to be added to one that is.
#[derive(Debug)]
struct Pending {
    note: LoginNote,
    first_at: Timestamp,
    attempts: i64,
}

/// The last use of an app password.
#[derive(Debug, Clone, Copy)]
struct Use {
    at: Timestamp,
    ip: IpAddr,
    protocol: LoginProtocol,
}

/// Rows by their keys, and the last uses of app passwords.
type Taken = (Vec<(i64, Pending)>, Vec<(AppPasswordKey, Use)>);

#[derive(Debug, Default)]
struct Batch {
    /// Rows that further attempts may join, and until when.
    open: HashMap<Kind, (i64, Timestamp)>,
    rows: HashMap<i64, Pending>,
    uses: HashMap<AppPasswordKey, Use>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.uses.is_empty()
    }

    fn take(&mut self) -> Taken {
        let mut rows: Vec<_> = self.rows.drain().collect();
        rows.sort_by_key(|(key, _)| *key);
        (rows, self.uses.drain().collect())
    }

    fn add(&mut self, note: LoginNote, next_key: impl FnOnce() -> i64) {
        if let Some(used) = &note.app_password {
            let is_due = used.last_used_at.is_none_or(|last| last.plus(USE_TOLD_EVERY) <= note.at);
            if is_due && (self.uses.len() < BATCH_ROWS || self.uses.contains_key(&used.key)) {
                self.uses.insert(used.key, Use { at: note.at, ip: note.ip, protocol: note.protocol });
            }
        }
        let kind = Kind {
            account: note.account,
            name: note.account.is_none().then(|| note.name.to_lowercase()),
            protocol: note.protocol,
            network: network(note.ip),
            is_granted: note.is_granted,
            app_password: note.app_password.as_ref().map(|used| used.key),
            way: note.way,
        };
        let joined = self.open.get(&kind).filter(|(_, until)| note.at < *until).map(|(key, _)| *key);
        let is_full = BATCH_ROWS <= self.rows.len() && joined.is_none_or(|key| !self.rows.contains_key(&key));
        if is_full {
            return count_lost(1);
        }
        let key = joined.unwrap_or_else(|| {
            let (key, now) = (next_key(), note.at);
            if OPEN_ROWS <= self.open.len() {
                self.open.retain(|_, (_, until)| now < *until);
            }
            if OPEN_ROWS <= self.open.len() {
                self.open.clear();
            }
            let together = if note.is_granted { GRANTED_TOGETHER } else { REFUSED_TOGETHER };
            self.open.insert(kind, (key, now.plus(together)));
            key
        });
        let first_at = note.at;
        match self.rows.get_mut(&key) {
            Some(pending) => {
                pending.attempts += 1;
                pending.note = note;
            }
            None => drop(self.rows.insert(key, Pending { note, first_at, attempts: 1 })),
        }
    }
}

/// An IPv4 address, also where it came mapped into IPv6; of an IPv6 address the /64 that one host has.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// The first that a row of `at` could have (`crate::key`).
const fn first_key(at: Timestamp) -> i64 {
    at.millis().saturating_mul(1 << 16)
}

/// What a scope means; none: nothing.
fn refused(scope: LoginScope<'_>) -> Option<String> {
    match scope {
        LoginScope::All => Some("is_granted = 0".to_owned()),
        LoginScope::Domains([]) => None,
        LoginScope::Domains(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| key.value().to_string()).collect();
            Some(format!("is_granted = 0 AND domain_key IN ({})", keys.join(",")))
        }
    }
}

fn shorten(name: &str, octets: usize) -> String {
    let clean = name.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter });
    let mut short: String = clean.take(octets).collect();
    short.truncate(short.floor_char_boundary(octets));
    short
}

impl Store {
    /// Notes an attempt, soon: see the module's words. An app password that was right is marked as used with it.
    pub fn note_login(&self, mut note: LoginNote) {
        let limit = if note.account.is_some() { NAME_OCTETS } else { UNKNOWN_NAME_OCTETS };
        note.name = shorten(&note.name, limit);
        if self.inner.history.notes.try_send(Note::Login(note)).is_err() {
            count_lost(1);
        }
    }

    /// One account's attempts, granted and refused, newest first.
    pub async fn logins(&self, account: AccountKey, page: &Page) -> Result<Listing<LoginRow>, StoreError> {
        let condition = format!("account_key = {}", account.value());
        self.list_logins(&condition, page).await
    }

    /// What was refused, newest first.
    pub async fn failed_logins(&self, scope: LoginScope<'_>, page: &Page) -> Result<Listing<LoginRow>, StoreError> {
        match refused(scope) {
            Some(condition) => self.list_logins(&condition, page).await,
            None => Ok(Listing { rows: Vec::new(), next: None }),
        }
    }

    /// How many attempts were refused since `since`, to the minute: attempts of one kind within a minute are one row.
    pub async fn count_failed_logins(&self, scope: LoginScope<'_>, since: Timestamp) -> Result<u64, StoreError> {
        let Some(condition) = refused(scope) else { return Ok(0) };
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) FROM login_history WHERE {condition} AND login_key >= $1"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(first_key(since));
        let row = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(row.try_get::<i64, _>(0)?.unsigned_abs())
    }

    /// Who was refused the most since `since`, and how often; at most `limit`.
    pub async fn most_failed_logins(
        &self,
        scope: LoginScope<'_>,
        by: LoginsBy,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let Some(condition) = refused(scope) else { return Ok(Vec::new()) };
        let whom = match by {
            LoginsBy::Ip => "ip",
            LoginsBy::Name => "LOWER(name)",
        };
        let sql = format!(
            "SELECT {whom} AS whom, CAST(SUM(attempts) AS BIGINT) AS times FROM login_history
             WHERE {condition} AND login_key >= $1 GROUP BY {whom} ORDER BY times DESC, whom LIMIT $2"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        let query = query.bind(first_key(since)).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.unsigned_abs()))).collect()
    }

    async fn list_logins(&self, condition: &str, page: &Page) -> Result<Listing<LoginRow>, StoreError> {
        let (told, written) = oneshot::channel();
        if self.inner.history.notes.send(Note::Write(told)).await.is_ok() {
            // An error says that the store is closing: what waits is written then.
            let _is_written = written.await;
        }
        let text = format!(
            "SELECT account_key, name, protocol, ip, is_granted, app_password, first_at, last_at, attempts, login_key, way
             FROM login_history WHERE {condition} AND login_key < $1 ORDER BY login_key DESC LIMIT $2"
        );
        let before = page.after.as_deref().map_or(Some(i64::MAX), |after| after.parse().ok()).unwrap_or(0);
        let rows = sqlx::query(AssertSqlSafe(text))
            .persistent(false)
            .bind(before)
            .bind(page.rows_to_ask())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        let rows = rows.iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
        let Listing { rows, next } = page.cut(rows, |(key, _)| key.to_string());
        Ok(Listing { rows: rows.into_iter().map(|(_, row)| row).collect(), next })
    }

    async fn write_history(&self, (rows, uses): Taken) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                for (key, pending) in rows {
                    write_row(tx, key, pending).await?;
                }
                for (key, Use { at, ip, protocol }) in uses {
                    // Another session, or another node, may have told of its own.
                    let sql = "UPDATE app_password SET last_used_at = $2, last_used_ip = $3, last_used_protocol = $4
                               WHERE app_password_key = $1 AND (last_used_at IS NULL OR last_used_at <= $5)";
                    sqlx::query(sql)
                        .bind(key.value())
                        .bind(at.millis())
                        .bind(ip.to_canonical().to_string())
                        .bind(protocol.as_str())
                        .bind(at.minus(USE_TOLD_EVERY).millis())
                        .execute(&mut *tx)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Forgets what is older than the settings say, and of the rest all but the newest rows.
    pub(crate) async fn prune_logins(&self) -> Result<(), StoreError> {
        let oldest = self.now().minus(self.settings().login_history_kept);
        self.write(move |tx| {
            Box::pin(async move {
                // Keys rise with the time: see `Keys`.
                let sql = "DELETE FROM login_history WHERE login_key < $1 OR login_key <=
                           (SELECT login_key FROM login_history ORDER BY login_key DESC LIMIT 1 OFFSET $2)";
                let oldest = oldest.millis().saturating_mul(1 << 16);
                sqlx::query(sql).bind(oldest).bind(MAX_ROWS).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

async fn write_row(tx: &mut AnyConnection, key: i64, pending: Pending) -> Result<(), sqlx::Error> {
    let Pending { note, first_at, attempts } = pending;
    let domain = Address::parse(&note.name).map_or_else(|_| String::new(), |address| address.domain.to_string());
    // The account may have gone since.
    let sql = "INSERT INTO login_history (login_key, account_key, domain_key, name, protocol, ip, is_granted,
                                          app_password, first_at, last_at, attempts, way)
               SELECT $1, $2, (SELECT domain_key FROM domain WHERE name = $3), $4, $5, $6, $7, $8, $9, $10, $11, $12
               WHERE CAST($2 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM account WHERE account_key = $2)
               ON CONFLICT (login_key) DO UPDATE SET ip = excluded.ip, last_at = excluded.last_at,
                   attempts = login_history.attempts + excluded.attempts";
    if let (Some(account), true) = (note.account, note.is_granted && note.way != LoginWay::FirstFactor) {
        let sql = "UPDATE account SET last_seen_at = $2 WHERE account_key = $1 AND (last_seen_at IS NULL OR last_seen_at < $2)";
        sqlx::query(sql).bind(account.value()).bind(note.at.millis()).execute(&mut *tx).await?;
    }
    sqlx::query(sql)
        .bind(key)
        .bind(note.account.map(AccountKey::value))
        .bind(domain)
        .bind(note.name)
        .bind(note.protocol.as_str())
        .bind(note.ip.to_canonical().to_string())
        .bind(i64::from(note.is_granted))
        .bind(note.app_password.map(|used| used.name))
        .bind(first_at.millis())
        .bind(note.at.millis())
        .bind(attempts)
        .bind(note.way.word())
        .execute(tx)
        .await?;
    Ok(())
}

fn read_row(row: &sqlx::any::AnyRow) -> Result<(i64, LoginRow), StoreError> {
    let word: String = row.try_get(2)?;
    let protocol = LoginProtocol::parse(&word);
    let read = LoginRow {
        account: row.try_get::<Option<i64>, _>(0)?.map(AccountKey::new),
        name: row.try_get(1)?,
        protocol: protocol.ok_or_else(|| StoreError::damaged(format!("the protocol {word}")))?,
        ip: row.try_get(3)?,
        is_granted: row.try_get::<i64, _>(4)? != 0,
        app_password: row.try_get(5)?,
        way: LoginWay::read(row.try_get(10)?)?,
        first_at: Timestamp::from_millis(row.try_get(6)?),
        last_at: Timestamp::from_millis(row.try_get(7)?),
        attempts: row.try_get::<i64, _>(8)?.unsigned_abs(),
    };
    Ok((row.try_get(9)?, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &str, ip: &str, is_granted: bool, at: u64) -> LoginNote {
        LoginNote {
            account: is_granted.then_some(AccountKey::new(1)),
            name: name.to_owned(),
            protocol: LoginProtocol::Imap,
            ip: ip.parse().unwrap(),
            is_granted,
            app_password: None,
            way: LoginWay::Password,
            at: Timestamp::from_seconds(1_000_000).plus(Duration::from_secs(at)),
        }
    }

    /// The attempts of each row that is written.
    fn counts(notes: Vec<LoginNote>) -> Vec<i64> {
        let (mut batch, mut key) = (Batch::default(), 0);
        for note in notes {
            batch.add(note, || {
                key += 1;
                key
            });
        }
        batch.take().0.iter().map(|(_, pending)| pending.attempts).collect()
    }

    #[test]
    fn attempts_of_one_kind_are_one_row() {
        let granted = |ip, at| note("ann@example.org", ip, true, at);
        let refused = |name, ip, at| note(name, ip, false, at);
        assert_eq!(counts(vec![granted("192.0.2.1", 0), granted("192.0.2.1", 599), granted("192.0.2.1", 600)]), [2, 1]);
        assert_eq!(counts(vec![granted("192.0.2.1", 0), granted("192.0.2.2", 0)]), [1, 1]);
        assert_eq!(counts(vec![granted("2001:db8::1", 0), granted("2001:db8::2", 0)]), [2]);
        assert_eq!(counts(vec![refused("a", "192.0.2.1", 0), refused("A", "::ffff:192.0.2.1", 59)]), [2]);
        assert_eq!(counts(vec![refused("a", "192.0.2.1", 0), refused("a", "192.0.2.1", 60)]), [1, 1]);
        assert_eq!(counts(vec![refused("a", "192.0.2.1", 0), refused("b", "192.0.2.1", 0)]), [1, 1]);
    }

    #[test]
    fn a_flood_is_no_flood_of_rows() {
        let flood = (0..BATCH_ROWS * 3).map(|number| note(&number.to_string(), "192.0.2.1", false, 0));
        assert_eq!(counts(flood.collect()).len(), BATCH_ROWS);
    }

    #[test]
    fn names_are_shortened_between_characters() {
        assert_eq!(shorten("a\r\nb", 80), "a\u{fffd}\u{fffd}b");
        assert_eq!(shorten(&"é".repeat(100), 81).len(), 80);
    }
}
