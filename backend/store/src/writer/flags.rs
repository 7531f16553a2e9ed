//! STORE: one UPDATE for all that change, whatever their number.

use std::collections::BTreeMap;

use relais_model::{Flag, ModSeq, Rights, SystemFlag, UidSet};

use super::batch::{Batch, signed};
use crate::error::StoreError;
use crate::junk::{Teaching, note_read};
use crate::key::MailboxKey;
use crate::message::{ChangeError, FlagChange, FlagOp, FlagsStored};
use crate::sharing::Reach;
use crate::sql::{self, Statement};
use crate::view::{MailboxChange, Row, What, mod_seq};

impl Batch<'_, '_> {
    pub(super) async fn store_flags(
        &mut self,
        reach: Reach,
        uids: &UidSet,
        change: &FlagChange,
        unchanged_since: Option<ModSeq>,
    ) -> Result<Result<FlagsStored, ChangeError>, StoreError> {
        let mailbox = reach.mailbox;
        if self.state(mailbox).is_none() {
            return Ok(Err(ChangeError::NoMailbox));
        }
        if !may_change(reach, change) {
            return Ok(Err(ChangeError::NoRight));
        }
        let makes = change.op != FlagOp::Remove && reach.rights.has(Rights::WRITE);
        let Ok(bits) = self.bits(mailbox, &change.flags, makes).await? else {
            return Ok(Err(ChangeError::TooManyKeywords));
        };
        let rows = self.rows(mailbox, Some(uids)).await?;
        let rows = self.seen_rows(reach, rows).await?;
        let may = reach.flags();
        let (mut changed, mut modified) = (Vec::new(), UidSet::new());
        for row in rows {
            if unchanged_since.is_some_and(|since| row.mod_seq > since.value()) {
                modified.insert_run(row.uid, row.uid);
                continue;
            }
            let flags = (apply(row.flags, change.op, bits) & may) | (row.flags & !may);
            if flags != row.flags {
                changed.push((row, flags));
            }
        }
        if change.op != FlagOp::Remove
            && let Some(state) = self.state(mailbox)
            && let Some(teaching) = Teaching::of_flags(&change.flags, state.special_use)
        {
            self.teach(state.account, teaching, changed.iter().map(|(row, _)| row));
        }
        let marks_seen = change.op != FlagOp::Remove && change.flags.contains(&Flag::System(SystemFlag::Seen));
        if marks_seen && reach.reader.is_none() {
            self.note_reading(mailbox, &changed);
        }
        let (set, flipped) = self.write_flags(reach, changed, change.op, bits).await?;
        let highest = self.state(mailbox).map_or(0, |state| state.mod_seq);
        Ok(Ok(FlagsStored { changed: set, flipped, modified, mod_seq: mod_seq(highest) }))
    }

    /// Who marks many messages at once has read none of them.
    fn note_reading(&mut self, mailbox: MailboxKey, changed: &[(Row, u64)]) {
        let Some(state) = self.state(mailbox).filter(|state| state.special_use.is_none()) else { return };
        let seen = u64::from(SystemFlag::Seen.bit());
        let read: Vec<_> =
            changed.iter().filter(|(row, _)| row.flags & seen == 0).map(|(row, _)| row.message()).collect();
        self.tx.execute_all(note_read(state.account, &read, self.now));
    }

    async fn write_flags(
        &mut self,
        reach: Reach,
        changed: Vec<(Row, u64)>,
        op: FlagOp,
        bits: u64,
    ) -> Result<(UidSet, BTreeMap<u64, UidSet>), StoreError> {
        let (mut set, mut flipped) = (UidSet::new(), BTreeMap::<u64, UidSet>::new());
        if changed.is_empty() {
            return Ok((set, flipped));
        }
        let mailbox = reach.mailbox;
        // What is in the row is changed; what a reader has seen stands beside it.
        let (changed, may) = self.write_seen(reach, changed).await?;
        let state = self.state_mut(mailbox)?;
        let (account, changed_at) = (state.account, state.take_mod_seq());
        for (row, flags) in &changed {
            state.count_flags(row.flags, -1);
            state.count_flags(*flags, 1);
            set.insert_run(row.uid, row.uid);
            if row.flags != *flags {
                flipped.entry(row.flags ^ flags).or_default().insert_run(row.uid, row.uid);
            }
        }
        let bits = bits & may;
        let kept = !may & ALL_FLAGS;
        let expression = match op {
            FlagOp::Add => "flags | $1".to_owned(),
            FlagOp::Remove => "flags & $1".to_owned(),
            FlagOp::Replace if kept == 0 => "$1".to_owned(),
            FlagOp::Replace => format!("(flags & {kept}) | $1"),
        };
        let operand = signed(if op == FlagOp::Remove { !bits & ALL_FLAGS } else { bits });
        for condition in sql::uid_conditions(&set) {
            let text = format!(
                "UPDATE entry SET flags = {expression}, mod_seq = $2 WHERE mailbox_key = $3 AND {}",
                condition.text(4)
            );
            let statement = Statement::new(text).bind(operand).bind(signed(changed_at)).bind(mailbox.value());
            self.tx.execute(condition.complete(statement));
        }
        let after =
            changed.iter().map(|(row, flags)| (row.uid, Some(Row { flags: *flags, mod_seq: changed_at, ..*row })));
        self.note_changed(mailbox, after)?;
        let what = What::Flagged(changed.into_iter().map(|(row, flags)| (row.uid, flags)).collect());
        self.changes.push(MailboxChange { account, mailbox, mod_seq: changed_at, what });
        Ok((set, flipped))
    }
}

/// All bits that the database holds.
const ALL_FLAGS: u64 = i64::MAX as u64;

/// RFC 4314 §4: refused where no flag that is named may be changed; FLAGS names them all.
fn may_change(reach: Reach, change: &FlagChange) -> bool {
    let rights = Rights::SEEN.with(Rights::WRITE).with(Rights::MARK_DELETED);
    if change.op == FlagOp::Replace {
        return reach.rights.has_some(rights);
    }
    let right = |flag: &Flag| match flag {
        Flag::System(SystemFlag::Seen) => Rights::SEEN,
        Flag::System(SystemFlag::Deleted) => Rights::MARK_DELETED,
        _ => Rights::WRITE,
    };
    change.flags.iter().any(|flag| reach.rights.has(right(flag)))
        || (change.flags.is_empty() && reach.rights.has_some(rights))
}

fn apply(flags: u64, op: FlagOp, bits: u64) -> u64 {
    match op {
        FlagOp::Add => flags | bits,
        FlagOp::Remove => flags & !bits,
        FlagOp::Replace => bits,
    }
}
