//! What is kept of messages for threading them again, and who has to do with whom.

use std::collections::{HashMap, HashSet};

use relais_imap::thread::ThreadRow;
use relais_model::{Timestamp, Uid, UidSet};
use relais_store::ThreadFacts;

use super::{Conversation, holds, place};

/// Letters of an identifier's hash: 66 bits.
const ID_LETTERS: usize = 11;
/// A message without identifier, or without subject.
const NONE: Id = [0; ID_LETTERS];

/// An identifier or a subject, hashed, as letters, so that what threads identifiers threads these.
type Id = [u8; ID_LETTERS];

/// What is kept of one message: 48 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fact {
    header_date: Timestamp,
    pub(super) uid: u32,
    pub(super) arrived: u32,
    /// The first UID of the messages that it has to do with, itself among them.
    group: u32,
    /// Behind its last reference in [`Facts::references`].
    references_end: u32,
    id: Id,
    base_subject: Id,
    is_reply: bool,
}

/// What is kept of messages: 48 octets each, and 11 for each that one refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Ascending by UID.
    rows: Vec<Fact>,
    references: Vec<Id>,
}

impl Facts {
    /// Of the messages of `arrived` (UID and seconds, ascending). Of whom `read` tells nothing stands alone: nobody is hidden.
    pub(super) fn of(arrived: &[(u32, u32)], read: Vec<ThreadFacts>) -> Self {
        let mut facts = Self { rows: Vec::with_capacity(arrived.len()), references: Vec::new() };
        let mut read = read.into_iter().peekable();
        let mut references = Vec::new();
        for (uid, arrived) in arrived {
            while read.next_if(|known| known.uid < *uid).is_some() {}
            let known = read.next_if(|known| known.uid == *uid);
            references.clear();
            if let Some(known) = &known {
                references.extend(known.references.split_ascii_whitespace().map(hashed));
            }
            facts.push(Fact::of(*uid, *arrived, known.as_ref()), &references);
        }
        facts.references.shrink_to_fit();
        facts
    }

    fn push(&mut self, fact: Fact, references: &[Id]) {
        self.references.extend_from_slice(references);
        let references_end = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        self.rows.push(Fact { references_end, ..fact });
    }

    /// Each message and those that it refers to.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Fact, &[Id])> {
        let mut start = 0;
        self.rows.iter().map(move |fact| {
            let end = place(fact.references_end);
            let references = self.references.get(start..end).unwrap_or_default();
            start = end;
            (fact, references)
        })
    }

    pub(super) fn uids(&self) -> impl Iterator<Item = Uid> {
        self.rows.iter().filter_map(|fact| Uid::new(fact.uid))
    }

    pub(super) fn get(&self, uid: u32) -> Option<&Fact> {
        self.rows.get(self.rows.binary_search_by_key(&uid, |fact| fact.uid).ok()?)
    }

    /// Who must be threaded anew where those `gone` are no more and the `new` ones come: their UIDs, with those gone, and what is kept of
    /// them, in groups.
    ///
    /// A group are messages that name one another or the same message, or that have one base subject, and all that are joined with one of
    /// these in turn. No step of RFC 5256 §3 (REFERENCES) reaches beyond one: the first links along identifiers, the fifth joins
    /// threads of one subject, and the others look at one thread, or keep the order of all. So a group that nobody joins or leaves stays as
    /// it is, and one that is touched is threaded as if there were no other message.
    pub(super) fn regroup(&self, new: Self, gone: &UidSet) -> (UidSet, Self) {
        let sought = Sought::of(&new);
        let is_touched = |(fact, references): &(&Fact, &[Id])| {
            holds(gone, fact.uid) || fact.keys(references).any(|key| sought.holds(key))
        };
        let groups: HashSet<u32> = self.iter().filter(is_touched).map(|(fact, _)| fact.group).collect();
        let mut uids = UidSet::new();
        let mut again = Self::default();
        for (fact, references) in self.iter().filter(|(fact, _)| groups.contains(&fact.group)) {
            if let Some(uid) = Uid::new(fact.uid) {
                uids.insert(uid);
            }
            if !holds(gone, fact.uid) {
                again.push(*fact, references);
            }
        }
        let mut again = if again.rows.is_empty() { new } else { again.merged(&UidSet::new(), &new) };
        again.group();
        (uids, again)
    }

    /// These but for those of `left_out`, and `others` put between.
    pub(super) fn merged(&self, left_out: &UidSet, others: &Self) -> Self {
        let (rows, references) = (self.rows.len() + others.rows.len(), self.references.len() + others.references.len());
        let mut merged = Self { rows: Vec::with_capacity(rows), references: Vec::with_capacity(references) };
        let mut ours = self.iter().filter(|(fact, _)| !holds(left_out, fact.uid)).peekable();
        for (other, named) in others.iter() {
            while let Some((fact, references)) = ours.next_if(|(fact, _)| fact.uid < other.uid) {
                merged.push(*fact, references);
            }
            merged.push(*other, named);
        }
        ours.for_each(|(fact, references)| merged.push(*fact, references));
        merged
    }

    /// Finds the groups, of all messages that are here.
    fn group(&mut self) {
        let mut groups = Groups((0..self.rows.len()).collect());
        let mut first_with: HashMap<&Id, usize> = HashMap::with_capacity(self.rows.len());
        for (at, (fact, references)) in self.iter().enumerate() {
            for key in fact.keys(references) {
                let other = *first_with.entry(key).or_insert(at);
                groups.join(other, at);
            }
        }
        let firsts: Vec<usize> = (0..self.rows.len()).map(|at| groups.first(at)).collect();
        let uids: Vec<u32> = firsts.iter().filter_map(|first| self.rows.get(*first)).map(|fact| fact.uid).collect();
        self.rows.iter_mut().zip(uids).for_each(|(fact, uid)| fact.group = uid);
    }

    pub(super) fn octets(&self) -> usize {
        self.rows.capacity() * size_of::<Fact>() + self.references.capacity() * ID_LETTERS
    }
}

impl Fact {
    fn of(uid: u32, arrived: u32, known: Option<&ThreadFacts>) -> Self {
        let arrived_at = Timestamp::from_seconds(i64::from(arrived));
        Self {
            // RFC 5256 §2.2: where Date says nothing, INTERNALDATE stands for it.
            header_date: known.and_then(|known| known.header_date).unwrap_or(arrived_at),
            uid,
            arrived,
            group: uid,
            references_end: 0,
            id: known.and_then(|known| known.message_id.as_deref()).map_or(NONE, hashed),
            // An empty subject joins nobody (RFC 5256 §3, step 5), so it stays empty.
            base_subject: known
                .filter(|known| !known.base_subject.is_empty())
                .map_or(NONE, |known| hashed(&known.base_subject)),
            is_reply: known.is_some_and(|known| known.is_reply),
        }
    }

    /// It, where it stands alone.
    pub(super) fn alone(&self) -> Conversation<'_> {
        Conversation { uids: std::slice::from_ref(&self.uid), latest: (self.arrived, self.uid) }
    }

    /// What it has in common with those of its group.
    fn keys<'a>(&'a self, references: &'a [Id]) -> impl Iterator<Item = &'a Id> {
        [&self.id, &self.base_subject].into_iter().chain(references).filter(|key| **key != NONE)
    }

    pub(super) fn row<'a>(&'a self, references: &'a [Id]) -> ThreadRow<'a> {
        ThreadRow {
            number: self.uid,
            internal_date: Timestamp::from_seconds(i64::from(self.arrived)),
            header_date: Some(self.header_date),
            message_id: (self.id != NONE).then(|| letters(&self.id)),
            references: references.iter().map(letters).collect(),
            base_subject: if self.base_subject == NONE { "" } else { letters(&self.base_subject) },
            is_reply: self.is_reply,
        }
    }
}

/// The keys of new messages. Most of the many that are compared with them are told apart by their first two letters.
struct Sought {
    beginnings: Vec<bool>,
    keys: HashSet<Id>,
}

impl Sought {
    fn of(facts: &Facts) -> Self {
        let mut sought = Self { beginnings: vec![false; 1 << 14], keys: HashSet::new() };
        for (fact, references) in facts.iter() {
            for key in fact.keys(references) {
                sought.keys.insert(*key);
                if let Some(beginning) = sought.beginnings.get_mut(beginning(key)) {
                    *beginning = true;
                }
            }
        }
        sought
    }

    fn holds(&self, key: &Id) -> bool {
        self.beginnings.get(beginning(key)).is_some_and(|beginning| *beginning) && self.keys.contains(key)
    }
}

/// Both letters are ASCII.
fn beginning(key: &Id) -> usize {
    let [first, second, ..] = *key;
    (usize::from(first) << 7) | usize::from(second)
}

/// Sets that are joined; each is known by its first member.
struct Groups(Vec<usize>);

impl Groups {
    fn first(&mut self, mut at: usize) -> usize {
        while let Some(above) = self.0.get(at).copied().filter(|above| *above != at) {
            // Whoever is passed is put nearer to the first.
            let next = self.0.get(above).copied().unwrap_or(above);
            if let Some(link) = self.0.get_mut(at) {
                *link = next;
            }
            at = next;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        if let Some(link) = self.0.get_mut(one.max(other)) {
            *link = one.min(other);
        }
    }
}

fn hashed(text: &str) -> Id {
    let mut hash = [0; 16];
    blake3::Hasher::new().update(text.as_bytes()).finalize_xof().fill(&mut hash);
    let encoded = data_encoding::BASE64URL_NOPAD.encode(&hash);
    let mut id = [b'A'; ID_LETTERS];
    id.iter_mut().zip(encoded.bytes()).for_each(|(place, letter)| *place = letter);
    id
}

fn letters(id: &Id) -> &str {
    // They are of base64.
    std::str::from_utf8(id).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_small() {
        assert_eq!(size_of::<Fact>(), 48);
    }

    /// Hashed as they are, identifiers thread as the identifiers do.
    #[test]
    fn hashes_are_letters_and_differ() {
        assert_ne!(hashed("a@x"), hashed("b@x"));
        assert!(letters(&hashed("a@x")).len() == ID_LETTERS);
    }

    /// What is told apart is threaded apart: one arrival touches its own group, and no other.
    #[test]
    fn an_arrival_touches_its_group_alone() {
        let read = |uid: u32, id: &str, references: &str, subject: &str| ThreadFacts {
            uid,
            header_date: None,
            base_subject: subject.to_owned(),
            is_reply: false,
            message_id: Some(id.to_owned()),
            references: references.to_owned(),
        };
        let old = vec![read(1, "a", "", "X"), read(2, "b", "a", "Y"), read(3, "c", "", "Z"), read(4, "d", "", "Y")];
        let rows: Vec<_> = (1..=4).map(|uid| (uid, uid)).collect();
        let (_, facts) = Facts::default().regroup(Facts::of(&rows, old), &UidSet::new());
        assert_eq!(facts.rows.iter().map(|fact| fact.group).collect::<Vec<_>>(), [1, 1, 3, 1], "by name, by subject");
        let touched = |new: ThreadFacts| {
            let (uids, again) = facts.regroup(Facts::of(&[(5, 5)], vec![new]), &UidSet::new());
            (uids.to_string(), again.uids().collect::<UidSet>().to_string())
        };
        assert_eq!(touched(read(5, "e", "c", "")), ("3".to_owned(), "3,5".to_owned()));
        assert_eq!(touched(read(5, "e", "d", "")), ("1:2,4".to_owned(), "1:2,4:5".to_owned()));
        assert_eq!(touched(read(5, "e", "f", "W")), (String::new(), "5".to_owned()));
    }
}
