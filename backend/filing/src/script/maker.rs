//! Makes of an outcome what is to be done.

use std::sync::Arc;

use relais_model::{Address, Random, SpecialUse};
use relais_sieve::{Acting, Facts, Filing as Wanted, Outcome, Recipient, Redirection, redirect};
use relais_store::{StoreError, Target, is_reserved};
use tracing::warn;

use super::mailboxes::Mailboxes;
use super::{Remembered, Scripted, ScriptedCopy, ScriptedRedirect, read_flags};
use crate::{Filing, PlannedDelivery};

/// Makes it for one account and one message; `letters` writes what people are told.
pub(super) struct Maker<'a> {
    pub(super) filing: &'a Filing,
    mailboxes: Mailboxes<'a>,
    pub(super) facts: &'a Facts,
    pub(super) delivery: &'a PlannedDelivery,
    pub(super) random: &'a dyn Random,
    /// All addresses of the account, its own first, once somebody asked.
    addresses: Option<Vec<Address>>,
    /// What was made.
    pub(super) made: Scripted,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        filing: &'a Filing,
        mailboxes: Mailboxes<'a>,
        facts: &'a Facts,
        delivery: &'a PlannedDelivery,
        random: &'a dyn Random,
    ) -> Self {
        Self { filing, mailboxes, facts, delivery, random, addresses: None, made: Scripted::default() }
    }

    /// Whether something was to be sent on that can't be.
    pub(super) async fn make(&mut self, outcome: Outcome) -> Result<bool, StoreError> {
        let is_junk = self.delivery.mailbox == Target::Use(SpecialUse::Junk);
        self.made.seen.extend(outcome.seen.iter().map(Remembered::seen));
        let mut stays = false;
        for action in outcome.actions {
            let edited = action.edited;
            match action.act {
                Acting::Keep { flags, is_explicit } => {
                    let mailbox = if is_junk && is_explicit { Target::Inbox } else { self.delivery.mailbox.clone() };
                    self.made.copies.push(ScriptedCopy { mailbox, shared: None, flags: read_flags(&flags), edited });
                }
                Acting::FileInto(wanted) => {
                    let copy = self.copy(&wanted, edited).await?;
                    self.made.copies.push(copy);
                }
                Acting::Reject { reason, .. } => self.made.refusal = Some(reason),
                // What is junk is neither sent on nor answered; it stays where junk is.
                Acting::Redirect(_) if is_junk => stays = true,
                Acting::Vacation(_) | Acting::Notify(_) if is_junk => {}
                Acting::Redirect(redirection) => stays |= !self.redirect(redirection, edited).await?,
                Acting::Vacation(vacation) => self.answer(*vacation).await?,
                Acting::Notify(notice) => self.notify(&notice).await?,
            }
        }
        Ok(stays)
    }

    /// A copy where a script wants it; notes the mailbox that is to be made for it.
    pub(super) async fn copy(
        &mut self,
        wanted: &Wanted,
        edited: Option<Arc<[u8]>>,
    ) -> Result<ScriptedCopy, StoreError> {
        let flags = read_flags(&wanted.flags);
        if let Some((name, reach)) = self.mailboxes.shared(wanted).await? {
            return Ok(ScriptedCopy { mailbox: Target::Name(name), shared: Some(reach), flags, edited });
        }
        let here = self.mailboxes.own().await?;
        let by_id = wanted.mailbox_id.as_ref().and_then(|id| here.iter().find(|one| one.mailbox.mailbox_id == *id));
        let has_use = |used: &SpecialUse| here.iter().any(|one| one.mailbox.special_use == Some(*used));
        let mailbox = match (by_id, wanted.special_use.filter(has_use)) {
            (Some(found), _) => Target::Name(found.mailbox.name.clone()),
            (None, Some(used)) => Target::Use(used),
            (None, None) => {
                // Nobody makes mailboxes of their own where those of others stand.
                let is_absent = !here.iter().any(|one| one.mailbox.name == wanted.mailbox);
                if wanted.create && is_absent && !is_reserved(&wanted.mailbox) {
                    self.made.creates.push((wanted.mailbox.clone(), wanted.special_use));
                }
                Target::Name(wanted.mailbox.clone())
            }
        };
        Ok(ScriptedCopy { mailbox, shared: None, flags, edited })
    }

    /// Whether it goes on; else it came from here before.
    async fn redirect(&mut self, redirection: Redirection, edited: Option<Arc<[u8]>>) -> Result<bool, StoreError> {
        let octets = edited.unwrap_or_else(|| Arc::clone(&self.facts.message));
        let header = octets.get(..relais_message::header_octets(&octets)).unwrap_or_default();
        if redirect::has_passed(header, self.addresses().await?) {
            warn!(recipient = %self.delivery.address, "a script sends on what came back: it is kept");
            return Ok(false);
        }
        let Redirection { to, notify, ret, .. } = redirection;
        let Recipient::Address(to) = to else {
            warn!(recipient = %self.delivery.address, "a script sends on to a list that isn't here: the message is kept");
            return Ok(false);
        };
        let (first, rest) = octets.split_at_checked(return_path_octets(header)).unwrap_or((&[], &octets));
        let message = [first, redirect::mark(&self.delivery.address).as_bytes(), rest].concat().into();
        self.made.redirects.push(ScriptedRedirect { to, notify, ret, message });
        Ok(true)
    }

    pub(super) async fn addresses(&mut self) -> Result<&[Address], StoreError> {
        if self.addresses.is_none() {
            let mut all = vec![self.delivery.address.clone()];
            all.extend(self.filing.store.aliases_to(&self.delivery.address).await?);
            self.addresses = Some(all);
        }
        Ok(self.addresses.as_deref().unwrap_or_default())
    }
}

/// Octets of the Return-Path that a header begins with, which stays before all other fields.
fn return_path_octets(header: &[u8]) -> usize {
    if header.starts_with(b"Return-Path:") {
        header.iter().position(|octet| *octet == b'\n').map_or(0, |at| at + 1)
    } else {
        0
    }
}
