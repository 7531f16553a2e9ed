//! Mailboxes as a whole: CREATE, DELETE, RENAME, SUBSCRIBE, LIST, LSUB, STATUS, NAMESPACE, quota.

use relais_imap::command::{Create, List, StatusItem};
use relais_imap::list::{ListAttribute, ListMailbox, ListRow, list};
use relais_imap::response::{self, Condition, ResponseCode};
use relais_model::{MailboxName, Rights, SpecialUse, SystemFlag, Uid};
use relais_store::{Annotation, Happened, MailboxKey, MailboxStatus, Rows};

use super::rights::Shown;
use super::{Client, Done, Halt};

/// The one quota root of an account (RFC 9208 §3.2): its name says nothing.
const QUOTA_ROOT: &str = "";

impl Client {
    /// CREATE. RFC 8474 §4.2: the answer tells the mailbox's lasting id.
    pub(super) async fn create(&mut self, create: Create) -> Result<Done, Halt> {
        let special_use = match create.special_uses.as_slice() {
            [] => None,
            // RFC 6154 §2: these show other mailboxes' messages, which none of ours does.
            [SpecialUse::All | SpecialUse::Flagged] => {
                return Err(Halt::no(ResponseCode::UseAttr, "No mailbox here can have this use"));
            }
            [special_use] => Some(*special_use),
            _ => return Err(Halt::no(ResponseCode::UseAttr, "A mailbox has one use here")),
        };
        let (owner, own_name) = self.new_name(&create.mailbox).await?;
        let status = if owner == self.account()? {
            self.house.store.create_mailbox(owner, &own_name, special_use).await?
        } else if special_use.is_some() {
            return Err(Halt::no(ResponseCode::UseAttr, "What a mailbox is for is its owner's to say"));
        } else {
            self.house.store.create_shared_mailbox(owner, &own_name).await?
        };
        self.did(|| Happened::Created(create.mailbox.clone()));
        self.tell_old_name(&create.mailbox, create.old_name.as_deref(), Vec::new());
        Ok(Done { code: Some(ResponseCode::MailboxId(status.mailbox.mailbox_id.into())), text: "Created" })
    }

    /// DELETE. The mailbox that is open here is closed by it; sessions elsewhere hear BYE (RFC 2180 §3.3).
    pub(super) async fn delete(&mut self, name: &MailboxName, old_name: Option<&str>) -> Result<Done, Halt> {
        let (owner, own_name, _) = self.managed(name, Rights::REMOVE).await?;
        self.house.store.delete_mailbox(owner, &own_name).await?;
        self.did(|| Happened::Deleted(name.clone()));
        self.tell_old_name(name, old_name, vec![ListAttribute::NonExistent]);
        if self.selected.as_deref().is_some_and(|selected| selected.view.is_gone()) {
            self.leave();
            let text = self.session.say("The mailbox was deleted");
            response::condition(&mut self.out, Condition::Ok, Some(&ResponseCode::Closed), text);
        }
        Ok(Done::plain("Deleted"))
    }

    /// RENAME; INBOX's messages move to the new mailbox, INBOX stays (RFC 9051 §6.3.6).
    pub(super) async fn rename(
        &mut self,
        from: &MailboxName,
        to: &MailboxName,
        old_name: Option<&str>,
    ) -> Result<Done, Halt> {
        let (owner, own_from, _) = self.managed(from, Rights::REMOVE).await?;
        let (new_owner, own_to) = self.new_name(to).await?;
        if owner != new_owner || (own_from.is_inbox() && owner != self.account()?) {
            return Err(Halt::no(ResponseCode::Cannot, "A mailbox stays with its owner: copy its messages instead"));
        }
        self.house.store.rename_mailbox(owner, &own_from, &own_to).await?;
        self.did(|| {
            if from.is_inbox() {
                Happened::Created(to.clone())
            } else {
                Happened::Renamed { from: from.clone(), to: to.clone() }
            }
        });
        self.tell_old_name(to, old_name, Vec::new());
        Ok(Done::plain("Renamed"))
    }

    /// SUBSCRIBE: also to what doesn't exist, or no more (RFC 9051 §6.3.7).
    pub(super) async fn subscribe(&mut self, name: &MailboxName) -> Result<Done, Halt> {
        let account = self.account()?;
        self.house.store.subscribe(account, name).await?;
        self.did(|| Happened::Subscribed(name.clone()));
        Ok(Done::plain("Subscribed"))
    }

    /// UNSUBSCRIBE.
    pub(super) async fn unsubscribe(&mut self, name: &MailboxName) -> Result<Done, Halt> {
        let account = self.account()?;
        self.house.store.unsubscribe(account, name).await?;
        self.did(|| Happened::Unsubscribed(name.clone()));
        Ok(Done::plain("Unsubscribed"))
    }

    /// LIST and LSUB.
    pub(super) async fn list(&mut self, command: List) -> Result<Done, Halt> {
        if command.status.contains(&StatusItem::HighestModSeq) {
            self.enable_condstore();
        }
        let account = self.account()?;
        let all = self.shown().await?;
        let subscriptions = self.house.store.subscriptions(account).await?;
        let existing = all.iter().map(|Shown { status, .. }| ListMailbox {
            name: &status.mailbox.name,
            exists: true,
            is_subscribed: status.mailbox.is_subscribed,
            special_use: status.mailbox.special_use,
        });
        let is_here = |name: &MailboxName| all.iter().any(|shown| shown.status.mailbox.name == *name);
        let gone = subscriptions.iter().filter(|name| !is_here(name)).map(|name| ListMailbox {
            name,
            exists: false,
            is_subscribed: true,
            special_use: None,
        });
        let mailboxes: Vec<ListMailbox<'_>> = existing.chain(gone).collect();
        let utf8 = self.session.enabled().utf8();
        let entries: Vec<String> = command.metadata.iter().map(ToString::to_string).collect();
        let notes = if entries.is_empty() { Vec::new() } else { self.notes_named(&entries, &all).await? };
        for row in list(&mailboxes, &command.query) {
            if command.query.is_lsub {
                response::lsub(&mut self.out, &row, utf8);
            } else {
                response::list(&mut self.out, &row, None, utf8);
            }
            let shown = all.iter().find(|shown| shown.status.mailbox.name.as_str() == row.name);
            if let Some(Shown { status, rights }) = shown.filter(|_| row.has_status()) {
                if !command.status.is_empty() && rights.has(Rights::READ) {
                    self.tell_status(status, &command.status).await?;
                }
                if command.my_rights {
                    response::my_rights(&mut self.out, &status.mailbox.name, *rights, utf8);
                }
                // RFC 9590 §3: NIL for what isn't noted.
                let value = |entry: &String| {
                    let is_it =
                        |(key, note): &&(MailboxKey, Annotation)| *key == status.mailbox.key && note.name == *entry;
                    notes.iter().find(is_it).map(|(_, note)| note.value.as_slice())
                };
                let values = entries.iter().map(|entry| (entry.as_str(), value(entry)));
                response::metadata(&mut self.out, Some(&status.mailbox.name), values, utf8);
            }
            self.flush_if_full().await?;
        }
        Ok(Done::plain("Listed"))
    }

    /// RFC 9051 §6.3.9.7: who called the mailbox by another name is told ours. Only who has enabled IMAP4rev2: nobody else has
    /// said that they can read extended responses (RFC 5258 §3).
    fn tell_old_name(&mut self, name: &MailboxName, old_name: Option<&str>, attributes: Vec<ListAttribute>) {
        if old_name.is_some() && self.session.enabled().imap4rev2 {
            self.tell_name(name, old_name, attributes);
        }
    }

    /// `* LIST (attributes) "/" name`, with the name that the client used where that isn't ours.
    pub(super) fn tell_name(&mut self, name: &MailboxName, old_name: Option<&str>, attributes: Vec<ListAttribute>) {
        let row = ListRow { name: name.as_str(), attributes, has_child_info: false, is_selected: true };
        response::list(&mut self.out, &row, old_name, self.session.enabled().utf8());
    }

    /// STATUS.
    pub(super) async fn status(&mut self, name: &MailboxName, items: &[StatusItem]) -> Result<Done, Halt> {
        if items.contains(&StatusItem::HighestModSeq) {
            self.enable_condstore();
        }
        let status = self.mailbox(name, Rights::READ).await?.status;
        self.tell_status(&status, items).await?;
        Ok(Done::plain("Status told"))
    }

    pub(super) async fn tell_status(&mut self, status: &MailboxStatus, items: &[StatusItem]) -> Result<(), Halt> {
        let deleted_octets = if items.contains(&StatusItem::DeletedStorage) {
            self.deleted_octets(status.mailbox.key).await?
        } else {
            0
        };
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let values = response::MailboxStatus {
            messages: narrow(status.messages),
            recent: status.recent,
            uid_next: Uid::new(status.uid_next).unwrap_or(Uid::FIRST),
            uid_validity: status.mailbox.uid_validity,
            unseen: narrow(status.unseen),
            deleted: narrow(status.deleted),
            size_octets: status.size_octets,
            deleted_octets,
            highest_mod_seq: status.highest_mod_seq,
            append_limit: self.house.limits.message_octets,
            mailbox_id: &status.mailbox.mailbox_id,
        };
        response::status(&mut self.out, &status.mailbox.name, &values, items, self.session.enabled().utf8());
        Ok(())
    }

    /// What EXPUNGE would free (RFC 9208 §4.2.2).
    async fn deleted_octets(&self, mailbox: MailboxKey) -> Result<u64, Halt> {
        let view = self.house.store.view(mailbox).await?.ok_or_else(Halt::no_mailbox)?;
        let deleted = u64::from(SystemFlag::Deleted.bit());
        let octets = |rows: &Rows| {
            rows.iter().filter(|row| row.flags & deleted != 0).map(|row| u64::from(row.size_octets)).sum()
        };
        Ok(view.read(octets))
    }

    /// GETQUOTAROOT.
    pub(super) async fn quota_root(&mut self, name: &MailboxName) -> Result<Done, Halt> {
        let shown = self.mailbox(name, Rights::READ).await?;
        let is_own = shown.status.mailbox.account == self.account()?;
        // How much room others have is told to them alone.
        let root = is_own.then_some(QUOTA_ROOT);
        response::quota_root(&mut self.out, name, root, self.session.enabled().utf8());
        if is_own { self.quota(QUOTA_ROOT).await } else { Ok(Done::plain("Another's room isn't told")) }
    }

    /// GETQUOTA.
    pub(super) async fn quota(&mut self, root: &str) -> Result<Done, Halt> {
        if root != QUOTA_ROOT {
            return Err(Halt::no(ResponseCode::NonExistent, "There is no such quota root"));
        }
        let account = self.account()?;
        let quota = self.house.store.quota(account).await?.ok_or_else(Halt::account_gone)?;
        let storage =
            quota.limit_octets.map(|limit| ("STORAGE", quota.used_octets.div_ceil(1024), limit.div_ceil(1024)));
        let messages = quota.limit_messages.map(|limit| ("MESSAGE", quota.used_messages, limit));
        let resources: Vec<_> = storage.into_iter().chain(messages).collect();
        response::quota(&mut self.out, root, &resources, self.session.enabled().utf8());
        Ok(Done::plain("Quota told"))
    }
}
