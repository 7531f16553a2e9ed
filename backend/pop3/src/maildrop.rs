//! The maildrop as it was when it was opened (RFC 1939 §5), and what is marked as deleted in it.

use relais_model::{Uid, UidSet, UidValidity};

/// The messages of a session: 16 octets each, numbered from 1 in the order they were added. Numbers don't change while the
/// session lasts, whatever happens to the mailbox.
#[derive(Debug, Clone)]
pub struct Maildrop {
    uid_validity: UidValidity,
    messages: Vec<Message>,
    deleted: UidSet,
    /// Of those that aren't deleted.
    count: usize,
    octets: u64,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    uid: Uid,
    octets: u64,
}

impl Maildrop {
    /// An empty one. UIDVALIDITY and UID together are a message's unique-id: as stable as IMAP makes them (RFC 1939 §7, UIDL).
    pub fn new(uid_validity: UidValidity, messages: impl IntoIterator<Item = (Uid, u64)>) -> Self {
        let messages: Vec<_> = messages.into_iter().map(|(uid, octets)| Message { uid, octets }).collect();
        let mut maildrop = Self { uid_validity, messages, deleted: UidSet::new(), count: 0, octets: 0 };
        maildrop.restore();
        maildrop
    }

    /// How many there are, and their octets, without the deleted ones.
    pub(crate) const fn totals(&self) -> (usize, u64) {
        (self.count, self.octets)
    }

    /// The largest number.
    pub(crate) fn last(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    /// UID and octets; none where there is no such message, or it is marked as deleted.
    pub(crate) fn message(&self, number: u32) -> Option<(Uid, u64)> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        let message = self.messages.get(at)?;
        (!self.deleted.contains(message.uid)).then_some((message.uid, message.octets))
    }

    /// 3 to 21 characters of printing ASCII (RFC 1939 §7 allows 1 to 70).
    pub(crate) fn unique_id(&self, uid: Uid) -> impl std::fmt::Display {
        let validity = self.uid_validity;
        std::fmt::from_fn(move |f| write!(f, "{validity}.{uid}"))
    }

    /// Marks as deleted; false where [`Self::message`] has none.
    pub(crate) fn delete(&mut self, number: u32) -> bool {
        let Some((uid, octets)) = self.message(number) else { return false };
        self.deleted.insert(uid);
        self.count -= 1;
        self.octets -= octets;
        true
    }

    /// Takes all marks back.
    pub(crate) fn restore(&mut self) {
        self.deleted = UidSet::new();
        self.count = self.messages.len();
        self.octets = self.messages.iter().map(|message| message.octets).sum();
    }

    /// Those marked.
    pub(crate) const fn deleted(&self) -> &UidSet {
        &self.deleted
    }
}
