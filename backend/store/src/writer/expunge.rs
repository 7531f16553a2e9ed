//! EXPUNGE: rows go, their UIDs are remembered in runs, and what they held can be taken back.

use relais_model::{Rights, UidSet};

use super::batch::{Batch, DELETED, signed};
use crate::error::StoreError;
use crate::key::MailboxKey;
use crate::message::{ChangeError, Expunged};
use crate::sharing::Reach;
use crate::sql::{self, Statement};
use crate::view::{MailboxChange, Row, What, mod_seq};

impl Batch<'_, '_> {
    pub(super) async fn expunge(
        &mut self,
        reach: Reach,
        only: Option<&UidSet>,
    ) -> Result<Result<Expunged, ChangeError>, StoreError> {
        let mailbox = reach.mailbox;
        let Some(state) = self.state(mailbox) else { return Ok(Err(ChangeError::NoMailbox)) };
        if !reach.rights.has(Rights::EXPUNGE) {
            return Ok(Err(ChangeError::NoRight));
        }
        let (mut uids, mut highest) = (UidSet::new(), state.mod_seq);
        if state.deleted > 0 {
            let mut rows = self.rows(mailbox, only).await?;
            rows.retain(|row| row.flags & DELETED != 0);
            if !rows.is_empty() {
                uids = rows.iter().filter_map(Row::uid).collect();
                self.remember(mailbox, &uids);
                (_, highest) = self.remove(mailbox, &rows)?;
            }
        }
        Ok(Ok(Expunged { uids, mod_seq: mod_seq(highest) }))
    }

    /// Takes rows away: at least one. Gives their UIDs and the MODSEQ of their going.
    pub(super) fn remove(&mut self, mailbox: MailboxKey, rows: &[Row]) -> Result<(UidSet, u64), StoreError> {
        let state = self.state_mut(mailbox)?;
        let (account, removed_at) = (state.account, state.take_mod_seq());
        let (mut uids, mut octets) = (UidSet::new(), 0);
        for row in rows {
            state.count(row.flags, i64::from(row.size_octets), -1);
            octets += i64::from(row.size_octets);
            uids.insert_run(row.uid, row.uid);
        }
        self.give_room(account, octets, signed(rows.len() as u64));
        for condition in sql::uid_conditions(&uids) {
            for table in ["entry", "seen"] {
                let text = format!("DELETE FROM {table} WHERE mailbox_key = $1 AND {}", condition.text(2));
                self.tx.execute(condition.complete(Statement::new(text).bind(mailbox.value())));
            }
        }
        let head = "INSERT INTO expunged (mailbox_key, mod_seq, first_uid, last_uid)";
        self.tx.execute_all(sql::insert(head, 4, "", uids.runs(), |statement, (first, last)| {
            statement.bind(mailbox.value()).bind(signed(removed_at)).bind(i64::from(*first)).bind(i64::from(*last))
        }));
        self.note_changed(mailbox, rows.iter().map(|row| (row.uid, None)))?;
        let what = What::Vanished(uids.clone());
        self.changes.push(MailboxChange { account, mailbox, mod_seq: removed_at, what });
        Ok((uids, removed_at))
    }
}
