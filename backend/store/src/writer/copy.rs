//! COPY and MOVE: one INSERT … SELECT, whatever the number.

use relais_model::{Rights, Uid, UidSet};
use sqlx::AssertSqlSafe;

use super::batch::{Batch, OverQuota, SEEN, signed};
use crate::error::StoreError;
use crate::junk::Teaching;
use crate::key::MailboxKey;
use crate::message::{ChangeError, Copied};
use crate::sharing::Reach;
use crate::sql::{self, Statement};
use crate::view::{MailboxChange, Row, What, mod_seq, row_seconds};

/// Where a keyword's bit stands in the source, and where in the target.
type BitPairs = Vec<(u64, u64)>;

/// What becomes of a row's flags.
struct Mapping {
    /// System flags that come along.
    system: u64,
    pairs: BitPairs,
}

impl Batch<'_, '_> {
    pub(super) async fn copy(
        &mut self,
        source: Reach,
        uids: &UidSet,
        target: Reach,
        removes: bool,
    ) -> Result<Result<Copied, ChangeError>, StoreError> {
        let (from, to) = (source.mailbox, target.mailbox);
        let (Some(source_state), Some(target_state)) = (self.state(from), self.state(to)) else {
            return Ok(Err(ChangeError::NoMailbox));
        };
        let may_copy = source.rights.has(Rights::READ) && target.rights.has(Rights::INSERT);
        if !may_copy || (removes && !Self::may_remove(source)) {
            return Ok(Err(ChangeError::NoRight));
        }
        let (account, uid_validity) = (target_state.account, target_state.uid_validity);
        let stays_in_account = source_state.account == account;
        let source_mod_seq = source_state.mod_seq;
        let rows = self.rows(from, Some(uids)).await?;
        if rows.is_empty() {
            let (from, to) = (Vec::new(), Vec::new());
            return Ok(Ok(Copied { uid_validity, from, to, mod_seq: mod_seq(source_mod_seq) }));
        }
        // RFC 4314 §4: flags that may not be set in the target stay behind.
        let used = if target.rights.has(Rights::WRITE) { rows.iter().fold(0, |used, row| used | row.flags) } else { 0 };
        let Some(pairs) = self.pair_keywords(from, to, used).await? else {
            return Ok(Err(ChangeError::TooManyKeywords));
        };
        let mapping = Mapping { system: Self::copied_flags(source, target), pairs };
        let seen = self.seen_by_mover(source, target, &rows).await?;
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
            let flags = mapping.of(row.flags);
            Row { uid, flags, mod_seq: copied_at, saved_at, ..*row }
        });
        let mut copies: Vec<Row> = copies.collect();
        self.write_copies(from, &rows, to, &mapping, (first, copied_at, saved_at)).await?;
        self.keep_seen(target, (&rows, &seen), &mut copies)?;
        self.note_arrived(to, &copies)?;
        self.teach_by_copy(from, to, &rows);
        let told = (uids_of(&rows), uids_of(&copies));
        self.changes.push(MailboxChange { account, mailbox: to, mod_seq: copied_at, what: What::Arrived(copies) });
        if removes {
            if !stays_in_account {
                // To the account that it leaves it is deleted.
                self.remember(from, &rows.iter().filter_map(Row::uid).collect());
            }
            self.remove(from, &rows)?;
        }
        let highest = self.state(from).map_or(source_mod_seq, |state| state.mod_seq);
        Ok(Ok(Copied { uid_validity, from: told.0, to: told.1, mod_seq: mod_seq(highest) }))
    }

    /// The system flags that rows bring along. Where one of the mailboxes is another's, `\Seen` goes its own way.
    fn copied_flags(source: Reach, target: Reach) -> u64 {
        let is_own = source.reader.is_none() && target.reader.is_none();
        target.flags() & if is_own { SYSTEM } else { SYSTEM & !SEEN }
    }

    /// Those of `rows` that who acts has seen, where that doesn't stand in the rows' flags and may be set in the target.
    async fn seen_by_mover(&mut self, source: Reach, target: Reach, rows: &[Row]) -> Result<UidSet, StoreError> {
        let is_own = source.reader.is_none() && target.reader.is_none();
        if is_own || !target.rights.has(Rights::SEEN) {
            return Ok(UidSet::new());
        }
        let shown = self.seen_rows(source, rows.to_vec()).await?;
        Ok(shown.iter().filter(|row| row.flags & SEEN != 0).filter_map(Row::uid).collect())
    }

    /// Copies of what who acts had `seen` are seen in the target, too: by the owner in the row, by others beside it.
    fn keep_seen(
        &mut self,
        target: Reach,
        (rows, seen): (&[Row], &UidSet),
        copies: &mut [Row],
    ) -> Result<(), StoreError> {
        let mut new = UidSet::new();
        for (_, copy) in rows.iter().zip(copies).filter(|(row, _)| row.uid().is_some_and(|uid| seen.contains(uid))) {
            new.insert_run(copy.uid, copy.uid);
            if target.reader.is_none() {
                copy.flags |= SEEN;
            }
        }
        if let Some(reader) = target.reader {
            self.insert_seen(target.mailbox, reader, &new);
            return self.tell_seen(target.mailbox, reader, &new, true);
        }
        for condition in sql::uid_conditions(&new) {
            let text =
                format!("UPDATE entry SET flags = flags | {SEEN} WHERE mailbox_key = $1 AND {}", condition.text(2));
            let statement = Statement::new(text).bind(target.mailbox.value());
            self.tx.execute(condition.complete(statement));
        }
        Ok(())
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
        mapping: &Mapping,
        (first, mod_seq, saved_at): (u32, u64, u32),
    ) -> Result<(), StoreError> {
        let flags = mapping.expression();
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

impl Mapping {
    fn of(&self, flags: u64) -> u64 {
        let keywords = self.pairs.iter().filter(|(old, _)| flags & old != 0);
        keywords.fold(flags & self.system, |mapped, (_, new)| mapped | new)
    }

    /// The same, as the database says it.
    fn expression(&self) -> String {
        if self.system == SYSTEM && self.pairs.iter().all(|(old, new)| old == new) {
            return "flags".to_owned();
        }
        let keywords =
            self.pairs.iter().map(|(old, new)| format!("CASE WHEN flags & {old} <> 0 THEN {new} ELSE 0 END"));
        std::iter::once(format!("(flags & {})", self.system)).chain(keywords).collect::<Vec<_>>().join(" | ")
    }
}
