//! STORE, EXPUNGE, COPY, MOVE, CLOSE: what changes messages.

use relais_imap::command::{Store as StoreCommand, StoreAct, Transfer};
use relais_imap::response::{self, Condition, ResponseCode};
use relais_imap::sequence::SequenceSet;
use relais_model::{Rights, UidSet};
use relais_reception::ImapCause;
use relais_store::{Copied, FlagChange, FlagOp};

use super::selected::Told;
use super::{Client, Done, Halt};

impl Client {
    /// STORE and UID STORE.
    pub(super) async fn store(&mut self, store: StoreCommand) -> Result<Done, Halt> {
        if store.unchanged_since.is_some() {
            self.enable_condstore();
        }
        let enabled = self.session.enabled();
        let selected = self.writable()?;
        let uids = selected.named(&store.set, store.by_uid)?;
        let (uids, beyond) = self.within_limit(uids);
        let selected = self.writable()?;
        let misses_some = !store.by_uid && selected.misses(&uids);
        let mailbox = selected.reach();
        let op = match store.act {
            StoreAct::Replace => FlagOp::Replace,
            StoreAct::Add => FlagOp::Add,
            StoreAct::Remove => FlagOp::Remove,
        };
        let change = FlagChange { op, flags: store.flags };
        // RFC 7162 §3.1.3: UNCHANGEDSINCE 0 fails for all that is there.
        let fails_for_all = matches!(store.unchanged_since, Some(None));
        let (to_change, mut modified) =
            if fails_for_all { (UidSet::new(), uids.clone()) } else { (uids.clone(), UidSet::new()) };
        let unchanged_since = store.unchanged_since.flatten();
        let stored = if to_change.is_empty() {
            None
        } else {
            Some(self.house.store.store_flags(mailbox, to_change, change, unchanged_since).await?)
        };
        self.catch_up().await?;
        if let Some(stored) = &stored {
            self.did_flag(stored).await;
            modified.extend(&stored.modified);
        }
        let changed = stored.as_ref().map(|stored| stored.changed.clone()).unwrap_or_default();
        if store.is_silent {
            let mod_seq = stored.map(|stored| stored.mod_seq);
            self.told = Told { mod_seq, uids: changed, owes_mod_seq: enabled.condstore };
        } else {
            // RFC 9051 §6.4.6: the new flags of all that were named; those that changed are told by the sync that follows.
            self.tell_flags_of(&uids.without(&changed).without(&modified), store.by_uid).await?;
        }
        self.say_stored(&modified, store.by_uid, misses_some, beyond)
    }

    /// What STORE came to: what was `modified` before it and left alone (RFC 7162 §3.1.3), and whether it misses some.
    fn say_stored(
        &mut self,
        modified: &UidSet,
        by_uid: bool,
        misses_some: bool,
        beyond: Option<ResponseCode<'static>>,
    ) -> Result<Done, Halt> {
        if modified.is_empty() && !misses_some {
            return Ok(Done { code: beyond, text: "Stored" });
        }
        self.tell_beyond(beyond.as_ref());
        if modified.is_empty() {
            return Err(Halt::expunged());
        }
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let numbers = if by_uid { modified.runs().to_vec() } else { selected.known.positions_of(modified) };
        let code = ResponseCode::Modified(numbers);
        if misses_some {
            return Err(Halt::no(code, "Some messages are gone, and others had changed since"));
        }
        Ok(Done { code: Some(code), text: "Some messages had changed since" })
    }

    /// EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.9). The sync that follows tells which.
    pub(super) async fn expunge(&mut self, only: Option<SequenceSet>) -> Result<Done, Halt> {
        let selected = self.writable()?;
        let (mailbox, mut beyond) = (selected.reach(), None);
        let only = only.map(|set| selected.resolve(&set, true)).map(|uids| {
            // Others than those with `\Deleted` are named, and not processed.
            let (uids, code) = self.within_limit(if self.is_beyond(&uids) { selected.deleted(&uids) } else { uids });
            beyond = code;
            uids
        });
        let expunged = self.house.store.expunge(mailbox, only).await?;
        let condstore = self.session.enabled().condstore && !expunged.uids.is_empty();
        let highest = condstore.then_some(ResponseCode::HighestModSeq(expunged.mod_seq));
        Ok(Done { code: self.one_code(beyond, highest), text: "Expunged" })
    }

    /// CLOSE: what is deleted goes, in silence.
    pub(super) async fn close(&mut self) -> Result<Done, Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        // RFC 4314 §4: without `e` it is only closed.
        if !selected.read_only && selected.view.rights().has(Rights::EXPUNGE) {
            self.house.store.expunge(selected.reach(), None).await?;
        }
        self.leave();
        Ok(Done::plain("Closed"))
    }

    /// COPY and UID COPY.
    pub(super) async fn copy(&mut self, transfer: Transfer) -> Result<Done, Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let (from, uids) = (selected.reach(), self.named(&transfer)?);
        let to = self.target(&transfer.mailbox).await?;
        if uids.is_empty() {
            return Ok(Done::plain("Nothing to copy"));
        }
        let limit = self.house.limits.imap_messages;
        if let Some(beyond) = uids.count().checked_sub(u64::from(limit)).filter(|beyond| *beyond > 0) {
            // RFC 9738 §3.1: from which UID on it would be few enough.
            let lowest = uids.iter().nth(usize::try_from(beyond).unwrap_or(usize::MAX));
            return Err(Halt::no(ResponseCode::MessageLimit { limit, lowest }, "Too many messages at once"));
        }
        let copied = self.house.store.copy(from, uids, to).await?;
        self.did_put(to, ImapCause::Copy, copied.to.iter().copied().collect()).await;
        Ok(Done { code: copy_uid(copied), text: "Copied" })
    }

    /// MOVE and UID MOVE (RFC 6851): COPYUID comes before the EXPUNGEs, so untagged.
    pub(super) async fn move_messages(&mut self, transfer: Transfer) -> Result<Done, Halt> {
        let selected = self.writable()?;
        let (from, uids) = (selected.reach(), self.named(&transfer)?);
        let to = self.target(&transfer.mailbox).await?;
        if uids.is_empty() {
            return Ok(Done::plain("Nothing to move"));
        }
        let (uids, beyond) = self.within_limit(uids);
        let moved = self.house.store.move_messages(from, uids, to).await?;
        self.did_put(to, ImapCause::Copy, moved.to.iter().copied().collect()).await;
        let mod_seq = moved.mod_seq;
        if let Some(code) = copy_uid(moved) {
            response::condition(&mut self.out, Condition::Ok, Some(&code), self.session.say("Moved"));
        }
        let highest = self.session.enabled().condstore.then_some(ResponseCode::HighestModSeq(mod_seq));
        Ok(Done { code: self.one_code(beyond, highest), text: "Moved" })
    }

    /// Whether these are more than one command is given.
    fn is_beyond(&self, uids: &UidSet) -> bool {
        uids.count() > u64::from(self.house.limits.imap_messages)
    }

    /// RFC 9738 §3.1: an answer has one code, and where that is another, MESSAGELIMIT stands in an untagged NO before it.
    pub(super) fn tell_beyond(&mut self, beyond: Option<&ResponseCode<'_>>) {
        if beyond.is_some() {
            let text = self.session.say("Only the newest messages were taken");
            response::condition(&mut self.out, Condition::No, beyond, text);
        }
    }

    /// The one code of a command's OK: MESSAGELIMIT, if nothing else is to be said.
    fn one_code(
        &mut self,
        beyond: Option<ResponseCode<'static>>,
        other: Option<ResponseCode<'static>>,
    ) -> Option<ResponseCode<'static>> {
        if other.is_some() {
            self.tell_beyond(beyond.as_ref());
        }
        other.or(beyond)
    }

    /// RFC 9738 §3.1: of the messages that a command names, the newest, as many as one command is given; where that isn't all, the code that
    /// says from which UID on.
    pub(super) fn within_limit(&self, uids: UidSet) -> (UidSet, Option<ResponseCode<'static>>) {
        let limit = self.house.limits.imap_messages;
        let Some(beyond) = uids.count().checked_sub(u64::from(limit)).filter(|beyond| *beyond > 0) else {
            return (uids, None);
        };
        let newest: UidSet = uids.iter().skip(usize::try_from(beyond).unwrap_or(usize::MAX)).collect();
        let code = ResponseCode::MessageLimit { limit, lowest: newest.iter().next() };
        (newest, Some(code))
    }

    fn named(&self, transfer: &Transfer) -> Result<UidSet, Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let named = selected.named(&transfer.set, transfer.by_uid)?;
        // All or nothing (RFC 9051 §6.4.7); UIDs that don't exist are no fault.
        if !transfer.by_uid && selected.misses(&named) {
            return Err(Halt::expunged());
        }
        Ok(selected.view.read(|rows| rows.select(&named).filter_map(|row| row.uid()).collect()))
    }
}

fn copy_uid(copied: Copied) -> Option<ResponseCode<'static>> {
    let code = ResponseCode::CopyUid { uid_validity: copied.uid_validity, from: copied.from, to: copied.to };
    match &code {
        ResponseCode::CopyUid { from, .. } if from.is_empty() => None,
        _ => Some(code),
    }
}
