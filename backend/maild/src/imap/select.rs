//! SELECT, EXAMINE, UNSELECT (RFC 9051 §6.3.2, RFC 7162).

use relais_imap::command::{QResync, Select};
use relais_imap::response::{self, Condition, ResponseCode};
use relais_imap::sequence::SequenceSet;
use relais_model::{Rights, SystemFlag, Uid, UidSet};

use super::selected::{Selected, Told};
use super::{Client, Done, Halt};

impl Client {
    /// SELECT and EXAMINE.
    pub(super) async fn select(&mut self, select: Select) -> Result<Done, Halt> {
        if select.qresync.is_some() && !self.session.enabled().qresync {
            return Err(Halt::bad("QRESYNC needs ENABLE QRESYNC first"));
        }
        if self.selected.is_some() {
            self.leave();
            // RFC 7162 §3.2.11, RFC 9051 §6.3.2: what follows is about the next mailbox.
            let text = self.session.say("The mailbox before is closed");
            response::condition(&mut self.out, Condition::Ok, Some(&ResponseCode::Closed), text);
        }
        if select.condstore {
            self.session.enable(relais_imap::command::Extension::CondStore);
        }
        let account = self.account()?;
        let reach = self.reach(&select.mailbox, Rights::READ).await?.ok_or_else(Halt::no_mailbox)?;
        let view = self.house.store.sight(account, reach.mailbox).await?.ok_or_else(Halt::no_mailbox)?;
        let mut selected = Box::new(Selected::open(&self.house.store, view, select.read_only));
        self.tell_selected(&mut selected);
        // RFC 9051 §6.3.2: the mailbox's name, and the client's where it is another.
        if self.session.enabled().imap4rev2 {
            self.tell_name(&select.mailbox, select.old_name.as_deref(), Vec::new());
        }
        if let Some(known) = &select.qresync {
            self.resync(&selected, known).await?;
        }
        let code = if selected.tells_read_write() { ResponseCode::ReadWrite } else { ResponseCode::ReadOnly };
        let text = if select.read_only { "Examined" } else { "Selected" };
        self.selected = Some(selected);
        self.session.selected();
        self.listen_to_selected();
        Ok(Done { code: Some(code), text })
    }

    /// The untagged responses of RFC 9051 §6.3.2; for IMAP4rev1 also RECENT and UNSEEN (RFC 3501 §6.3.1).
    fn tell_selected(&mut self, selected: &mut Selected) {
        let enabled = self.session.enabled();
        let language = self.session.language();
        let is_rev1 = !enabled.imap4rev2;
        let out = &mut self.out;
        selected.tell_flags(out, language);
        response::exists(out, selected.exists());
        if is_rev1 {
            response::recent(out, selected.recent_count());
            let seen = u64::from(SystemFlag::Seen.bit());
            let unseen =
                selected.view.read(|rows| rows.iter().find(|row| row.flags & seen == 0).and_then(|row| row.uid()));
            // UNSEEN is a sequence number, which UIDONLY has given up.
            let unseen = unseen.filter(|_| !enabled.uid_only);
            if let Some(number) = unseen.and_then(|uid| selected.known.position(uid)) {
                let text = language.say("The first unseen message");
                response::condition(out, Condition::Ok, Some(&ResponseCode::Unseen(number)), text);
            }
        }
        let uid_validity = ResponseCode::UidValidity(selected.view.uid_validity());
        response::condition(out, Condition::Ok, Some(&uid_validity), language.say("UIDs are valid"));
        if let Some(uid_next) = Uid::new(selected.view.uid_next()) {
            let code = ResponseCode::UidNext(uid_next);
            response::condition(out, Condition::Ok, Some(&code), language.say("The next UID"));
        }
        let highest = ResponseCode::HighestModSeq(selected.view.highest_mod_seq());
        response::condition(out, Condition::Ok, Some(&highest), language.say("The highest MODSEQ"));
        let id = ResponseCode::MailboxId(selected.view.mailbox().mailbox_id().into());
        response::condition(out, Condition::Ok, Some(&id), language.say("The mailbox's lasting id"));
    }

    /// What has happened since the client last saw the mailbox (RFC 7162 §3.2.5).
    async fn resync(&mut self, selected: &Selected, known: &QResync) -> Result<(), Halt> {
        if known.uid_validity != selected.view.uid_validity() {
            return Ok(());
        }
        let mut of_interest = UidSet::new();
        match &known.known_uids {
            Some(set) => of_interest = set.resolve_uids(None).unwrap_or_default(),
            None => of_interest.insert_run(1, u32::MAX),
        }
        let vanished = self.house.store.vanished_since(selected.view.mailbox(), known.mod_seq).await?;
        let mut vanished = vanished.intersection(&of_interest).without(&selected.known);
        if let Some(untouched) = untouched_up_to(selected, known) {
            let mut spared = UidSet::new();
            spared.insert_run(1, untouched);
            vanished = vanished.without(&spared);
        }
        response::vanished(&mut self.out, &vanished, true);
        let changed: UidSet = selected.view.read(|rows| {
            let changed = rows.select(&of_interest).filter(|row| row.mod_seq > known.mod_seq.value());
            changed.filter_map(|row| row.uid()).collect()
        });
        selected.tell_rows(&mut self.out, &changed, self.session.enabled(), true, &Told::default());
        Ok(())
    }

    /// UNSELECT.
    pub(super) fn unselect(&mut self) -> Done {
        self.leave();
        Done::plain("Unselected")
    }

    /// No mailbox is open any more.
    pub(super) fn leave(&mut self) {
        self.selected = None;
        self.changes = None;
        self.session.unselected();
    }
}

/// RFC 7162 §3.2.5.2: the client says which UIDs it believes at some positions. Up to the last pair that is still right nothing below was
/// expunged that it doesn't know of.
fn untouched_up_to(selected: &Selected, known: &QResync) -> Option<u32> {
    let (numbers, uids) = known.matches.as_ref()?;
    let numbers = expand(numbers)?;
    let uids = expand(uids)?;
    let is_right = |(number, uid): &(u32, u32)| {
        relais_model::SeqNum::new(*number).and_then(|number| selected.known.at(number)).map(Uid::value) == Some(*uid)
    };
    numbers.into_iter().zip(uids).take_while(is_right).last().map(|(_, uid)| uid)
}

/// The numbers of a set without `*`, one by one, up to as many as a client sensibly sends.
fn expand(set: &SequenceSet) -> Option<Vec<u32>> {
    const AT_MOST: usize = 10_000;
    let runs = set.resolve(u32::MAX)?;
    Some(runs.into_iter().flat_map(|(first, last)| first..=last).take(AT_MOST).collect())
}
