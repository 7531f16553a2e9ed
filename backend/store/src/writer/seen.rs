//! `\Seen` of who isn't the owner: rows beside the mailbox's, changed in the same breath as the message's MODSEQ.

use relais_model::{Rights, UidSet};

use super::batch::{Batch, SEEN};
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey};
use crate::sharing::Reach;
use crate::sql::{self, Statement};
use crate::view::sight::{seen_by, show};
use crate::view::{MailboxChange, Row, What};

impl Batch<'_, '_> {
    /// Rows with the `\Seen` of who acts.
    pub(super) async fn seen_rows(&mut self, reach: Reach, rows: Vec<Row>) -> Result<Vec<Row>, StoreError> {
        let Some(reader) = reach.reader.filter(|_| !rows.is_empty()) else { return Ok(rows) };
        let uids: UidSet = rows.iter().filter_map(Row::uid).collect();
        let mut seen = UidSet::new();
        for condition in sql::uid_conditions(&uids) {
            seen.extend(&seen_by(self.tx.reader().await?, reach.mailbox, reader, Some(condition)).await?);
        }
        Ok(rows.into_iter().map(|row| show(row, row.uid().is_some_and(|uid| seen.contains(uid)))).collect())
    }

    /// Notes what of these changes is a reader's own `\Seen`. Gives the rows with what stands in them, each with what becomes of that,
    /// and which bits of a row may change.
    pub(super) async fn write_seen(
        &mut self,
        reach: Reach,
        changed: Vec<(Row, u64)>,
    ) -> Result<(Vec<(Row, u64)>, u64), StoreError> {
        let Some(reader) = reach.reader else { return Ok((changed, reach.flags())) };
        let (mut seen, mut unseen) = (UidSet::new(), UidSet::new());
        for (row, flags) in changed.iter().filter(|(row, flags)| (row.flags ^ flags) & SEEN != 0) {
            let set = if flags & SEEN == 0 { &mut unseen } else { &mut seen };
            set.insert_run(row.uid, row.uid);
        }
        self.insert_seen(reach.mailbox, reader, &seen);
        self.tell_seen(reach.mailbox, reader, &seen, true)?;
        self.delete_seen(reach.mailbox, reader, &unseen);
        self.tell_seen(reach.mailbox, reader, &unseen, false)?;
        let uids: UidSet = changed.iter().filter_map(|(row, _)| row.uid()).collect();
        let owners = self.rows(reach.mailbox, Some(&uids)).await?;
        // Both are what this transaction sees, in the same order.
        let rows = owners.into_iter().zip(changed).map(|(row, (_, flags))| {
            let flags = (flags & !SEEN) | (row.flags & SEEN);
            (row, flags)
        });
        Ok((rows.collect(), reach.flags() & !SEEN))
    }

    /// These have been seen. Their rows are written, or wait to be.
    pub(super) fn insert_seen(&mut self, mailbox: MailboxKey, reader: AccountKey, uids: &UidSet) {
        for condition in sql::uid_conditions(uids) {
            let text = format!(
                "INSERT INTO seen (mailbox_key, uid, account_key)
                 SELECT mailbox_key, uid, CAST($1 AS BIGINT) FROM entry WHERE mailbox_key = $2 AND {}
                 ON CONFLICT DO NOTHING",
                condition.text(3)
            );
            let statement = Statement::new(text).bind(reader.value()).bind(mailbox.value());
            self.tx.execute(condition.complete(statement));
        }
    }

    fn delete_seen(&mut self, mailbox: MailboxKey, reader: AccountKey, uids: &UidSet) {
        for condition in sql::uid_conditions(uids) {
            let text =
                format!("DELETE FROM seen WHERE account_key = $1 AND mailbox_key = $2 AND {}", condition.text(3));
            let statement = Statement::new(text).bind(reader.value()).bind(mailbox.value());
            self.tx.execute(condition.complete(statement));
        }
    }

    /// Before the change that raises the messages' MODSEQ, so that nobody is told of that one alone.
    pub(super) fn tell_seen(
        &mut self,
        mailbox: MailboxKey,
        reader: AccountKey,
        uids: &UidSet,
        is_seen: bool,
    ) -> Result<(), StoreError> {
        if uids.is_empty() {
            return Ok(());
        }
        let account = self.state_mut(mailbox)?.account;
        let what = What::Seen { reader, uids: uids.clone(), is_seen };
        self.changes.push(MailboxChange { account, mailbox, mod_seq: 0, what });
        Ok(())
    }

    /// Flags of a new message as they stand in its row, and whether who brings it has seen it: theirs stands beside it.
    pub(super) fn new_flags(reach: Reach, flags: u64) -> (u64, bool) {
        let allowed = flags & reach.flags();
        if reach.reader.is_some() { (allowed & !SEEN, allowed & SEEN != 0) } else { (allowed, false) }
    }

    /// Whether who acts may take messages away.
    pub(super) fn may_remove(reach: Reach) -> bool {
        reach.rights.has(Rights::MARK_DELETED.with(Rights::EXPUNGE))
    }
}
