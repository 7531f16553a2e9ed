//! COPY and MOVE: one INSERT … SELECT, whatever the number.

use relais_model::{Uid, UidSet};
use sqlx::AssertSqlSafe;

use super::batch::{Batch, OverQuota, signed};
use crate::error::StoreError;
use crate::junk::Teaching;
use crate::key::MailboxKey;
use crate::message::{ChangeError, Copied};
use crate::sql;
use crate::view::{MailboxChange, Row, What, mod_seq, row_seconds};

/// Where a keyword's bit stands in the source, and where in the target.
type BitPairs = Vec<(u64, u64)>;

impl Batch<'_, '_> {
    pub(super) async fn copy(
        &mut self,
        from: MailboxKey,
        uids: &UidSet,
        to: MailboxKey,
        removes: bool,
    ) -> Result<Result<Copied, ChangeError>, StoreError> {
        let (Some(source), Some(target)) = (self.state(from), self.state(to)) else {
            return Ok(Err(ChangeError::NoMailbox));
        };
        let (account, uid_validity) = (target.account, target.uid_validity);
        let stays_in_account = source.account == account;
        let source_mod_seq = source.mod_seq;
        let rows = self.rows(from, Some(uids)).await?;
        if rows.is_empty() {
            let (from, to) = (Vec::new(), Vec::new());
            return Ok(Ok(Copied { uid_validity, from, to, mod_seq: mod_seq(source_mod_seq) }));
        }
        let used = rows.iter().fold(0, |used, row| used | row.flags);
        let Some(pairs) = self.pair_keywords(from, to, used).await? else {
            return Ok(Err(ChangeError::TooManyKeywords));
        };
        let octets: i64 = rows.iter().map(|row| i64::from(row.size_octets)).sum();
        let count = signed(rows.len() as u64);
        if removes && stays_in_account {
            // What a move takes it gives back at once: it needs no room.
            self.give_room(account, -octets, -count);
        } else if let Err(OverQuota) = self.take_room(account, octets, count) {
            return Ok(Err(ChangeError::OverQuota));
        }
        let state = self.state_mut(to)?;
        let Some(first) = state.take_uids(rows.len()) else { return Ok(Err(ChangeError::NoMoreUids)) };
        let copied_at = state.take_mod_seq();
        let saved_at = row_seconds(self.now);
        let copies = rows.iter().zip(first..).map(|(row, uid)| {
            let flags = (row.flags & SYSTEM) | map_bits(row.flags, &pairs);
            Row { uid, flags, mod_seq: copied_at, saved_at, ..*row }
        });
        let copies: Vec<Row> = copies.collect();
        self.write_copies(from, &rows, to, &pairs, (first, copied_at, saved_at)).await?;
        self.note_arrived(to, &copies)?;
        self.teach_by_copy(from, to, &rows);
        let told = (uids_of(&rows), uids_of(&copies));
        self.changes.push(MailboxChange { account, mailbox: to, mod_seq: copied_at, what: What::Arrived(copies) });
        if removes {
            self.remove(from, &rows)?;
        }
        let highest = self.state(from).map_or(source_mod_seq, |state| state.mod_seq);
        Ok(Ok(Copied { uid_validity, from: told.0, to: told.1, mod_seq: mod_seq(highest) }))
    }

    /// Who moves a message into Junk, or out of it, says what it is.
    fn teach_by_copy(&mut self, from: MailboxKey, to: MailboxKey, rows: &[Row]) {
        let (Some(source), Some(target)) = (self.state(from), self.state(to)) else { return };
        if let Some(teaching) = Teaching::of_copy(source.special_use, target.special_use) {
            self.teach(target.account, teaching, rows.iter());
        }
    }

    /// Where the keywords that `used` names stand in both mailboxes; none where the target has no room for them.
    async fn pair_keywords(
        &mut self,
        from: MailboxKey,
        to: MailboxKey,
        used: u64,
    ) -> Result<Option<BitPairs>, StoreError> {
        let mut pairs = Vec::new();
        if used & !SYSTEM == 0 {
            return Ok(Some(pairs));
        }
        let (source, _) = self.keywords(from).await?.clone();
        let (target, _) = self.keywords(to).await?;
        for keyword in source.names() {
            let Some(bit) = source.bit(keyword).filter(|bit| used & bit != 0) else { continue };
            let Some(new) = target.take(keyword) else { return Ok(None) };
            pairs.push((bit, new));
        }
        self.keep_keywords(to);
        Ok(Some(pairs))
    }

    async fn write_copies(
        &mut self,
        from: MailboxKey,
        rows: &[Row],
        to: MailboxKey,
        pairs: &BitPairs,
        (first, mod_seq, saved_at): (u32, u64, u32),
    ) -> Result<(), StoreError> {
        let flags = flags_expression(pairs);
        let set: UidSet = rows.iter().filter_map(Row::uid).collect();
        let mut before = i64::from(first) - 1;
        for condition in sql::uid_conditions(&set) {
            let text = format!(
                "INSERT INTO entry (mailbox_key, uid, message_key, flags, mod_seq, size_octets, internal_date, saved_at)
                 SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT) + row_number() OVER (ORDER BY uid), message_key, {flags},
                        CAST($3 AS BIGINT), size_octets, internal_date, CAST($4 AS BIGINT)
                 FROM entry WHERE mailbox_key = $5 AND {}",
                condition.text(6)
            );
            let query = sqlx::query(AssertSqlSafe(text))
                .bind(to.value())
                .bind(before)
                .bind(signed(mod_seq))
                .bind(i64::from(saved_at))
                .bind(from.value());
            let done = condition.bind(query).execute(self.tx.writer().await?).await?;
            if done.rows_affected() != condition.count() {
                return Err(StoreError::damaged("a mailbox whose view is not its rows"));
            }
            before += signed(condition.count());
        }
        Ok(())
    }
}

const SYSTEM: u64 = 31;

fn uids_of(rows: &[Row]) -> Vec<Uid> {
    rows.iter().filter_map(Row::uid).collect()
}

fn map_bits(flags: u64, pairs: &BitPairs) -> u64 {
    pairs.iter().filter(|(old, _)| flags & old != 0).fold(0, |mapped, (_, new)| mapped | new)
}

fn flags_expression(pairs: &BitPairs) -> String {
    if pairs.iter().all(|(old, new)| old == new) {
        return "flags".to_owned();
    }
    let keywords = pairs.iter().map(|(old, new)| format!("CASE WHEN flags & {old} <> 0 THEN {new} ELSE 0 END"));
    std::iter::once(format!("(flags & {SYSTEM})")).chain(keywords).collect::<Vec<_>>().join(" | ")
}
