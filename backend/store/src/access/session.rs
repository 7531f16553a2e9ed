//! Browser sessions.

use std::net::IpAddr;

use relais_model::{Secret, Timestamp};
use serde_json::json;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::standing::{Standing, may_come_in, read_standing, standing_columns};
use super::{TokenHash, note};
use crate::webhook::{self, SignInNews};
use crate::{AccountKey, Author, DomainKey, Role, SessionKey, Store, StoreError};

/// Sessions of one account, at most: the oldest goes, and first of all those whose second factor is still to come, so that
/// who has only the password ends nobody's session.
pub const MAX_SESSIONS: u32 = 50;

/// Octets of what a browser calls itself that are kept.
const MAX_AGENT_OCTETS: usize = 200;

/// A session that begins.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Of the token that the browser gets.
    pub hash: TokenHash,
    /// Whose it is.
    pub account: AccountKey,
    /// From then on it is none.
    pub expires_at: Timestamp,
    /// From where.
    pub peer: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
    /// Else the second factor is still to come.
    pub is_whole: bool,
    /// What webhooks are told of it, where it is whole.
    pub news: Option<SignInNews>,
}

/// What a session becomes, with a new token.
#[derive(Debug, Clone)]
pub struct SessionStep {
    /// Of the new token.
    pub hash: TokenHash,
    /// From then on it is none.
    pub expires_at: Timestamp,
    /// The person has said who they are just now.
    pub is_proof: bool,
    /// What webhooks are told, where the second factor has come.
    pub news: Option<SignInNews>,
}

/// A session, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its row.
    pub key: SessionKey,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// From where, then.
    pub ip: String,
    /// What the browser calls itself, shortened.
    pub agent: String,
}

/// A session that was asked for by its token, with all that a page needs to know of its person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, in a row of facts")]
pub struct Session {
    /// Its row.
    pub key: SessionKey,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// Else the second factor is still to come.
    pub is_whole: bool,
    /// From where it was last used.
    pub ip: String,
    /// What the browser calls itself, shortened.
    pub agent: String,
    /// When the person last said who they are.
    pub proved_at: Timestamp,
    /// Who it is, and what they may.
    pub standing: Standing,
    /// The person's name; may be empty.
    pub name: String,
    /// The language that they chose (RFC 5646); empty: the browser's.
    pub language: String,
    /// The look that they chose; empty: the system's.
    pub theme: String,
    /// They must set another password before they do anything else.
    pub must_change_password: bool,
    /// There is a password that opens the account; without one, passkeys do.
    pub has_password: bool,
    /// An authenticator is confirmed.
    pub has_totp: bool,
    /// How many passkeys they have.
    pub passkeys: u64,
}

impl Store {
    /// Begins a session. Of too many, the oldest ends; expired ones are removed.
    pub async fn add_session(&self, new: NewSession) -> Result<SessionKey, StoreError> {
        let (now, key, keys) = (self.now(), SessionKey::new(self.inner.keys.next(self.now())), self.inner.keys.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let expired = "DELETE FROM session WHERE expires_at <= $1";
                sqlx::query(expired).bind(now.millis()).execute(&mut *tx).await?;
                let sql = "INSERT INTO session (session_key, hash, account_key, created_at, seen_at, expires_at, ip, agent,
                                                is_whole, proved_at, attempts)
                           SELECT $1, $2, account_key, $4, $4, $5, $6, $7, $8, $4, 0 FROM account WHERE account_key = $3";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(new.hash.as_slice())
                    .bind(new.account.value())
                    .bind(now.millis())
                    .bind(new.expires_at.millis())
                    .bind(new.peer.to_canonical().to_string())
                    .bind(shorten(&new.agent))
                    .bind(i64::from(new.is_whole))
                    .execute(&mut *tx)
                    .await?;
                let surplus = "DELETE FROM session WHERE session_key IN
                                   (SELECT session_key FROM session WHERE account_key = $1 AND session_key <> $2
                                    ORDER BY is_whole DESC, seen_at DESC, session_key DESC LIMIT 1000 OFFSET $3)";
                sqlx::query(surplus)
                    .bind(new.account.value())
                    .bind(key.value())
                    .bind(i64::from(MAX_SESSIONS) - 1)
                    .execute(&mut *tx)
                    .await?;
                if let Some(news) = new.news.filter(|_| new.is_whole) {
                    webhook::tell_sign_in(tx, &keys, now, new.account, &news).await?;
                }
                Ok(key)
            })
        })
        .await
    }

    /// The session of a token; none where it is unknown or expired, or its person is suspended.
    pub async fn session(&self, hash: &TokenHash) -> Result<Option<Session>, StoreError> {
        let sql = concat!(
            "SELECT ",
            standing_columns!(),
            ", s.session_key, s.created_at, s.seen_at, s.is_whole, s.proved_at, a.name,
                    a.language, a.theme, a.must_change_password,
                    CASE WHEN a.password_hash = '' THEN CAST(0 AS BIGINT) ELSE 1 END,
                    (SELECT COUNT(*) FROM totp t WHERE t.account_key = a.account_key AND t.is_confirmed = 1),
                    (SELECT COUNT(*) FROM passkey p WHERE p.account_key = a.account_key), s.ip, s.agent
             FROM session s JOIN account a ON a.account_key = s.account_key
             WHERE s.hash = $1 AND s.expires_at > $2 AND ",
            may_come_in!()
        );
        let row = sqlx::query(sql)
            .bind(hash.as_slice())
            .bind(self.now().millis())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        row.as_ref().map(read_session).transpose()
    }

    /// Notes that a session is used.
    pub async fn touch_session(
        &self,
        session: SessionKey,
        peer: IpAddr,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.now().millis();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE session SET seen_at = $2, expires_at = $3, ip = $4 WHERE session_key = $1";
                sqlx::query(sql)
                    .bind(session.value())
                    .bind(now)
                    .bind(expires_at.millis())
                    .bind(peer.to_canonical().to_string())
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Gives a session another token, and makes it whole. Returns false where it has ended meanwhile.
    pub async fn step_session(&self, session: SessionKey, step: SessionStep) -> Result<bool, StoreError> {
        let (now, keys) = (self.now(), self.inner.keys.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let is_here = take_step(tx, session, &step, now).await?;
                if let Some(news) = step.news.filter(|_| is_here) {
                    let sql = "SELECT account_key FROM session WHERE session_key = $1";
                    let account: i64 = sqlx::query_scalar(sql).bind(session.value()).fetch_one(&mut *tx).await?;
                    webhook::tell_sign_in(tx, &keys, now, AccountKey::new(account), &news).await?;
                }
                Ok(is_here)
            })
        })
        .await
    }

    /// Counts an attempt at the second factor before it is looked at. Returns false where the session has had `most`, and ends it.
    pub async fn count_attempt(&self, session: SessionKey, most: u32) -> Result<bool, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE session SET attempts = attempts + 1 WHERE session_key = $1 AND attempts < $2";
                let counted = sqlx::query(sql).bind(session.value()).bind(i64::from(most)).execute(&mut *tx).await?;
                if counted.rows_affected() == 0 {
                    let sql = "DELETE FROM session WHERE session_key = $1";
                    sqlx::query(sql).bind(session.value()).execute(tx).await?;
                }
                Ok(counted.rows_affected() > 0)
            })
        })
        .await
    }

    /// The whole sessions of an account, those seen last first; [`MAX_SESSIONS`] at most.
    pub async fn sessions(&self, account: AccountKey) -> Result<Vec<SessionRow>, StoreError> {
        let sql = "SELECT session_key, created_at, seen_at, ip, agent FROM session
                   WHERE account_key = $1 AND is_whole = 1 AND expires_at > $2
                   ORDER BY seen_at DESC, session_key DESC LIMIT $3";
        let rows: Vec<(i64, i64, i64, String, String)> = sqlx::query_as(sql)
            .bind(account.value())
            .bind(self.now().millis())
            .bind(i64::from(MAX_SESSIONS))
            .fetch_all(&mut *self.reader().await?)
            .await?;
        Ok(rows.into_iter().map(read_row).collect())
    }

    /// From where owners came of late, and when: the sessions that they used since then, 1,000 at most, whole ones alone.
    pub async fn owner_peers(&self, since: Timestamp) -> Result<Vec<(IpAddr, Timestamp)>, StoreError> {
        let sql = "SELECT s.ip, s.seen_at FROM session s JOIN account a ON a.account_key = s.account_key
                   WHERE a.role = $1 AND a.is_suspended = 0 AND a.removed_at IS NULL AND s.is_whole = 1 AND s.seen_at >= $2
                   ORDER BY s.seen_at DESC LIMIT 1000";
        let rows: Vec<(String, i64)> = sqlx::query_as(sql)
            .bind(Role::Owner as i64)
            .bind(since.millis())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        let read = |(ip, at): (String, i64)| Some((ip.parse().ok()?, Timestamp::from_millis(at)));
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// A person leaves: their session is no more.
    pub async fn leave_session(&self, session: SessionKey) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM session WHERE session_key = $1").bind(session.value()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends one session of an account. Returns false where there was none.
    pub async fn end_session(&self, account: AccountKey, session: SessionKey, by: &Author) -> Result<bool, StoreError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM session WHERE session_key = $1 AND account_key = $2 RETURNING agent";
                let ended: Option<String> = sqlx::query_scalar(sql)
                    .bind(session.value())
                    .bind(account.value())
                    .fetch_optional(&mut *tx)
                    .await?;
                let Some(agent) = ended else { return Ok(false) };
                let before = json!({ "session": session.session_id(), "agent": agent });
                note(tx, &scribe, "session.end", account, (Some(before), None)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Ends all sessions of an account but `kept`; tells how many.
    pub async fn end_sessions(
        &self,
        account: AccountKey,
        kept: Option<SessionKey>,
        by: &Author,
    ) -> Result<u64, StoreError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let ended = end_sessions(tx, account, kept).await?;
                if ended > 0 {
                    let before = json!({ "sessions": ended });
                    note(tx, &scribe, "session.end_all", account, (Some(before), None)).await?;
                }
                Ok(ended)
            })
        })
        .await
    }

    /// Sets a password for somebody, and ends all that opens their account. With `must_change` they must set another before they do
    /// anything else.
    pub async fn set_password(
        &self,
        account: AccountKey,
        password_hash: Secret,
        must_change: bool,
        by: &Author,
    ) -> Result<(), StoreError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE account SET password_hash = $2, must_change_password = $3, version = $4
                           WHERE account_key = $1";
                sqlx::query(sql)
                    .bind(account.value())
                    .bind(password_hash.expose())
                    .bind(i64::from(must_change))
                    .bind(scribe.next_key())
                    .execute(&mut *tx)
                    .await?;
                end_openings(tx, account, None).await?;
                Ok(note(tx, &scribe, "person.password", account, (None, None)).await?)
            })
        })
        .await
    }

    /// Sets a person's new password, gives the session they did it in another token, and ends all their others, as well as links
    /// that would set yet another.
    ///
    /// Returns false where the session has ended meanwhile: then nothing was changed.
    pub async fn change_own_password(
        &self,
        account: AccountKey,
        password_hash: Secret,
        session: SessionKey,
        step: SessionStep,
        by: &Author,
    ) -> Result<bool, StoreError> {
        let (now, scribe) = (self.now(), self.scribe(by));
        self.write(move |tx| {
            Box::pin(async move {
                if !take_step(tx, session, &step, now).await? {
                    return Ok(false);
                }
                let sql = "UPDATE account SET password_hash = $2, must_change_password = 0, version = $3
                           WHERE account_key = $1";
                let query = sqlx::query(sql).bind(account.value()).bind(password_hash.expose()).bind(scribe.next_key());
                query.execute(&mut *tx).await?;
                end_openings(tx, account, Some(session)).await?;
                note(tx, &scribe, "person.password", account, (None, None)).await?;
                Ok(true)
            })
        })
        .await
    }
}

async fn take_step(
    tx: &mut AnyConnection,
    session: SessionKey,
    step: &SessionStep,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE session SET hash = $2, expires_at = $3, seen_at = $4, is_whole = 1, attempts = 0,
                                  proved_at = CASE WHEN $5 = 1 THEN $4 ELSE proved_at END
               WHERE session_key = $1 AND expires_at > $4";
    let done = sqlx::query(sql)
        .bind(session.value())
        .bind(step.hash.as_slice())
        .bind(step.expires_at.millis())
        .bind(now.millis())
        .bind(i64::from(step.is_proof))
        .execute(tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn end_sessions(
    tx: &mut AnyConnection,
    account: AccountKey,
    kept: Option<SessionKey>,
) -> Result<u64, sqlx::Error> {
    let sql = "DELETE FROM session WHERE account_key = $1 AND session_key <> $2";
    let kept = kept.map_or(0, SessionKey::value);
    Ok(sqlx::query(sql).bind(account.value()).bind(kept).execute(tx).await?.rows_affected())
}

/// Ends what opens an account to whom had its password: sessions but `kept`, and links. Called where a password is changed or an
/// account is suspended, in the same transaction.
pub(crate) async fn end_openings(
    tx: &mut AnyConnection,
    account: AccountKey,
    kept: Option<SessionKey>,
) -> Result<(), sqlx::Error> {
    end_sessions(tx, account, kept).await?;
    sqlx::query("DELETE FROM one_time_link WHERE account_key = $1").bind(account.value()).execute(tx).await?;
    Ok(())
}

/// As [`end_openings`], for all people of a domain that is disabled or removed.
pub(crate) async fn end_openings_of(tx: &mut AnyConnection, domain: DomainKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM session WHERE account_key IN (SELECT account_key FROM account WHERE domain_key = $1)",
        "DELETE FROM one_time_link WHERE account_key IN (SELECT account_key FROM account WHERE domain_key = $1)",
    ] {
        sqlx::query(sql).bind(domain.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// What a browser calls itself, cut to what is kept, without characters that would trouble a reader or a database.
fn shorten(agent: &str) -> String {
    let mut shown: String = agent.chars().filter(|character| !character.is_control()).collect();
    shown.truncate(shown.floor_char_boundary(MAX_AGENT_OCTETS));
    shown
}

fn read_session(row: &AnyRow) -> Result<Session, StoreError> {
    use sqlx::Row;
    Ok(Session {
        standing: read_standing(row)?,
        key: SessionKey::new(row.try_get(4)?),
        created_at: Timestamp::from_millis(row.try_get(5)?),
        seen_at: Timestamp::from_millis(row.try_get(6)?),
        is_whole: row.try_get::<i64, _>(7)? != 0,
        proved_at: Timestamp::from_millis(row.try_get(8)?),
        name: row.try_get(9)?,
        language: row.try_get(10)?,
        theme: row.try_get(11)?,
        must_change_password: row.try_get::<i64, _>(12)? != 0,
        has_password: row.try_get::<i64, _>(13)? != 0,
        has_totp: row.try_get::<i64, _>(14)? != 0,
        passkeys: row.try_get::<i64, _>(15)?.unsigned_abs(),
        ip: row.try_get(16)?,
        agent: row.try_get(17)?,
    })
}

fn read_row((key, created_at, seen_at, ip, agent): (i64, i64, i64, String, String)) -> SessionRow {
    SessionRow {
        key: SessionKey::new(key),
        created_at: Timestamp::from_millis(created_at),
        seen_at: Timestamp::from_millis(seen_at),
        ip,
        agent,
    }
}
