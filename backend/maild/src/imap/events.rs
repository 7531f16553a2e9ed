//! What a mailbox's script makes of what was done there (RFC 6785): it runs when the change is durable, before the command is answered, so that the
//! sync which ends the command tells of what it changed. Whatever becomes of it, the command is done.

use relais_imap::response::{self, Condition, ResponseCode};
use relais_model::{Flag, UidSet};
use relais_reception::{ImapAct, ImapCause};
use relais_store::{FlagsStored, Reach};
use tracing::error;

use super::Client;

impl Client {
    /// Messages came to `to` by this command.
    pub(super) async fn did_put(&mut self, to: Reach, cause: ImapCause, uids: UidSet) {
        self.run_script(to, cause, vec![(uids, Vec::new())]).await;
    }

    /// Flags were changed in the open mailbox. What a reader has seen of another's is no flag of the mailbox.
    pub(super) async fn did_flag(&mut self, stored: &FlagsStored) {
        let Some(selected) = self.selected.as_deref().filter(|_| !stored.flipped.is_empty()) else { return };
        let flipped = stored.flipped.iter().map(|(bits, uids)| (uids.clone(), selected.view.flags_of(*bits)));
        let (mailbox, touched) = (selected.reach(), flipped.collect());
        self.run_script(mailbox, ImapCause::Flag, touched).await;
    }

    /// What follows is done in the name of the mailbox's owner; who did this is only told to the script.
    async fn run_script(&mut self, to: Reach, cause: ImapCause, touched: Vec<(UidSet, Vec<Flag>)>) {
        let Some(identity) = &self.identity else { return };
        let owner =
            if to.reader.is_none() { Ok(Some(identity.account)) } else { self.house.store.owner_of(to.mailbox).await };
        let owner = match owner {
            Ok(Some(owner)) => owner,
            Ok(None) => return,
            Err(error) => return error!(%error, "whose script is to run at IMAP isn't known"),
        };
        let act = ImapAct { by: identity, peer: self.guest.peer(), owner, mailbox: to.mailbox, cause, touched };
        let missed = Box::pin(self.house.reception.run_at_imap(&act)).await;
        if missed > 0 {
            // RFC 9051 §7.1.2: a warning; the command itself is done.
            let missed = missed.to_string();
            let text =
                self.session.say("The script of this mailbox did not run over {} of these messages").about(&missed);
            response::condition(&mut self.out, Condition::No, Some(&ResponseCode::Limit), text);
        }
    }
}
