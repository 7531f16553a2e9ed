//! Meetings to which people were invited by mail: what is known of each beside its messages.
//!
//! Invariants: an account knows [`MAX_MEETINGS`]; those that weren't seen for longest are forgotten first.

use relais_model::Timestamp;
use sqlx::{AnyConnection, Row as _};

use crate::{AccountKey, Store, StoreError};

/// Meetings of one account that are known.
pub const MAX_MEETINGS: i64 = 5000;

/// What names a meeting for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingName {
    /// Who is invited.
    pub account: AccountKey,
    /// UID (RFC 5545 §3.8.4.7).
    pub uid: String,
    /// Whoever invites, in lower case: another's meeting of the same UID is another.
    pub organizer: String,
    /// RECURRENCE-ID; empty: all of it.
    pub instance: String,
}

/// What is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meeting {
    /// The highest SEQUENCE that was seen.
    pub sequence: u32,
    /// It was called off.
    pub is_cancelled: bool,
    /// PARTSTAT of the last answer; empty: none was given.
    pub answer: String,
    /// To which SEQUENCE.
    pub answered_sequence: u32,
    /// When.
    pub answered_at: Timestamp,
}

impl Store {
    /// What is known of a meeting.
    pub async fn meeting(&self, name: &MeetingName) -> Result<Option<Meeting>, StoreError> {
        let sql = "SELECT sequence, is_cancelled, answer, answered_sequence, answered_at FROM meeting
                   WHERE account_key = $1 AND uid = $2 AND organizer = $3 AND instance = $4";
        let query = sqlx::query(sql).bind(name.account.value()).bind(&name.uid).bind(&name.organizer);
        let row = query.bind(&name.instance).fetch_optional(&mut *self.reader().await?).await?;
        let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
        row.map(|row| {
            Ok(Meeting {
                sequence: number(row.try_get(0)?),
                is_cancelled: row.try_get::<i64, _>(1)? != 0,
                answer: row.try_get(2)?,
                answered_sequence: number(row.try_get(3)?),
                answered_at: Timestamp::from_millis(row.try_get(4)?),
            })
        })
        .transpose()
    }

    /// Keeps what is known of a meeting, in the place of what was.
    pub async fn keep_meeting(&self, name: MeetingName, meeting: Meeting) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO meeting (account_key, uid, organizer, instance, sequence, is_cancelled, answer,
                               answered_sequence, answered_at, seen_at)
                           SELECT account_key, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM account WHERE account_key = $1
                           ON CONFLICT (account_key, uid, organizer, instance) DO UPDATE SET sequence = excluded.sequence,
                               is_cancelled = excluded.is_cancelled, answer = excluded.answer,
                               answered_sequence = excluded.answered_sequence, answered_at = excluded.answered_at,
                               seen_at = excluded.seen_at";
                sqlx::query(sql)
                    .bind(name.account.value())
                    .bind(name.uid)
                    .bind(name.organizer)
                    .bind(name.instance)
                    .bind(i64::from(meeting.sequence))
                    .bind(i64::from(meeting.is_cancelled))
                    .bind(meeting.answer)
                    .bind(i64::from(meeting.answered_sequence))
                    .bind(meeting.answered_at.millis())
                    .bind(now.millis())
                    .execute(&mut *tx)
                    .await?;
                let sql = "DELETE FROM meeting WHERE account_key = $1 AND seen_at <
                               (SELECT seen_at FROM meeting WHERE account_key = $1 ORDER BY seen_at DESC LIMIT 1 OFFSET $2)";
                sqlx::query(sql).bind(name.account.value()).bind(MAX_MEETINGS - 1).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Takes away all that is an account's own.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM meeting WHERE account_key = $1").bind(account.value()).execute(tx).await?;
    Ok(())
}
