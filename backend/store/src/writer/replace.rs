//! REPLACE (RFC 8508): a message comes and another goes, or neither.

use relais_model::Uid;

use super::batch::Batch;
use crate::error::StoreError;
use crate::message::{Append, ChangeError, Replaced};
use crate::sharing::Reach;
use crate::view::mod_seq;

impl Batch<'_, '_> {
    pub(super) async fn replace(
        &mut self,
        reach: Reach,
        uid: Uid,
        to: Reach,
        message: &Append,
    ) -> Result<Result<Replaced, ChangeError>, StoreError> {
        let from = reach.mailbox;
        let Some(account) = self.state(from).map(|state| state.account) else { return Ok(Err(ChangeError::NoMailbox)) };
        if !Self::may_remove(reach) {
            return Ok(Err(ChangeError::NoRight));
        }
        let rows = self.rows(from, Some(&std::iter::once(uid).collect())).await?;
        let Some(row) = rows.first() else { return Ok(Err(ChangeError::NoMessage)) };
        // RFC 8508 §3.4: what goes makes room for what comes.
        let octets = i64::from(row.size_octets);
        self.give_room(account, octets, 1);
        let appended = self.append(to, std::slice::from_ref(message)).await?;
        self.give_room(account, -octets, -1);
        let appended = match appended {
            Ok(appended) => appended,
            Err(error) => return Ok(Err(error)),
        };
        self.flush()?;
        let (_, removed_at) = self.remove(from, &rows)?;
        Ok(Ok(Replaced { appended, mod_seq: mod_seq(removed_at) }))
    }
}
