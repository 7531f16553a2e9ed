//! NOTIFY (RFC 5465): what a client wants to be told unasked, and of which mailboxes.

use super::fetch::FetchItem;
use super::filter::MailboxFilter;
use super::reader::{Reader, Refusal};

/// NOTIFY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notify {
    /// NONE: nothing at all.
    None,
    /// SET: these events, instead of those before.
    Set {
        /// STATUS: how the mailboxes stand is told at once.
        status: bool,
        /// Several may mean one mailbox.
        groups: Vec<EventGroup>,
    },
}

/// Events of some mailboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGroup {
    /// Which mailboxes.
    pub mailboxes: MailboxFilter,
    /// Which events; none for NONE.
    pub events: Events,
}

/// Events (RFC 5465 §5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the standard's words, each there or not")]
pub struct Events {
    /// `MessageNew`, and what is told of each new message in the mailbox that is open.
    pub message_new: Option<Vec<FetchItem>>,
    /// `MessageExpunge`: together with `MessageNew`, or neither.
    pub message_expunge: bool,
    /// `FlagChange`: with both of them.
    pub flag_change: bool,
    /// `MailboxName`: created, deleted, renamed.
    pub mailbox_name: bool,
    /// `SubscriptionChange`.
    pub subscription_change: bool,
    /// `MailboxMetadataChange`.
    pub mailbox_metadata_change: bool,
    /// `ServerMetadataChange`.
    pub server_metadata_change: bool,
    /// `AnnotationChange`, or one that isn't known: the answer is NO \[BADEVENT\].
    pub unsupported: bool,
}

/// The events that we know.
pub const EVENTS: [&str; 7] = [
    "MessageNew",
    "MessageExpunge",
    "FlagChange",
    "MailboxName",
    "SubscriptionChange",
    "MailboxMetadataChange",
    "ServerMetadataChange",
];

impl Events {
    /// Whether messages are meant at all.
    pub const fn tells_messages(&self) -> bool {
        self.message_new.is_some()
    }

    const fn tells_mailboxes(&self) -> bool {
        self.mailbox_name || self.subscription_change || self.mailbox_metadata_change || self.server_metadata_change
    }
}

impl Reader<'_> {
    pub(super) fn notify(&mut self) -> Result<Notify, Refusal> {
        self.space()?;
        if self.skip_word("NONE") {
            return Ok(Notify::None);
        }
        if !self.skip_word("SET") {
            return Err(self.bad("SET or NONE is expected here"));
        }
        self.space()?;
        let status = self.skip_word("STATUS");
        if status {
            self.space()?;
        }
        let mut groups: Vec<EventGroup> = Vec::new();
        loop {
            let group = self.event_group()?;
            if group.mailboxes.is_selected() && groups.iter().any(|group| group.mailboxes.is_selected()) {
                return Err(self.bad("The selected mailbox can be meant once")); // RFC 5465 §6.1
            }
            if groups.len() == self.limits.event_groups {
                return Err(self.too_much("Too many groups of events"));
            }
            groups.push(group);
            if !self.skip(b' ') || self.peek().is_none() {
                return Ok(Notify::Set { status, groups });
            }
        }
    }

    fn event_group(&mut self) -> Result<EventGroup, Refusal> {
        self.expect(b'(')?;
        let mailboxes = self.mailbox_filter()?;
        if matches!(mailboxes, MailboxFilter::SubtreeOne(_)) {
            return Err(self.bad("SUBTREE-ONE belongs to ESEARCH"));
        }
        self.expect(b' ')?;
        let mut events = Events::default();
        if !self.skip_word("NONE") {
            let is_selected = mailboxes.is_selected();
            self.list(|reader| reader.event(&mut events, is_selected))?;
            // RFC 5465 §5.
            if events.message_new.is_some() != events.message_expunge {
                return Err(self.bad("MessageNew and MessageExpunge go together"));
            }
            if events.flag_change && !events.message_expunge {
                return Err(self.bad("FlagChange goes with MessageNew and MessageExpunge"));
            }
            if is_selected && events.tells_mailboxes() {
                return Err(self.bad("Of the selected mailbox only messages are told")); // RFC 5465 §6.1
            }
        }
        self.expect(b')')?;
        Ok(EventGroup { mailboxes, events })
    }

    fn event(&mut self, events: &mut Events, is_selected: bool) -> Result<(), Refusal> {
        match self.word().as_str() {
            "MESSAGENEW" => {
                let mut items = Vec::new();
                if self.rest().starts_with(b" (") {
                    if !is_selected {
                        return Err(self.bad("Only new messages of the selected mailbox can be fetched"));
                    }
                    self.advance();
                    items = self.list(Self::fetch_item)?;
                }
                events.message_new = Some(items);
            }
            "MESSAGEEXPUNGE" => events.message_expunge = true,
            "FLAGCHANGE" => events.flag_change = true,
            "MAILBOXNAME" => events.mailbox_name = true,
            "SUBSCRIPTIONCHANGE" => events.subscription_change = true,
            "MAILBOXMETADATACHANGE" => events.mailbox_metadata_change = true,
            "SERVERMETADATACHANGE" => events.server_metadata_change = true,
            "" => return Err(self.bad("An event is expected here")),
            _ => events.unsupported = true,
        }
        Ok(())
    }
}
