//! Searches that are kept: what they find is told as it changes (CONTEXT, RFC 5267 §4.3).
//!
//! What was expunged leaves them in the same breath as the client is told; what came or changed is looked at anew, and nothing
//! else is.

use std::collections::HashSet;

use relais_imap::command::{FetchItem, SearchKey, Tag};
use relais_imap::response::{self, Update};
use relais_imap::sort::SortKey;
use relais_model::{SeqNum, Uid, UidSet};

/// Searches that a session may keep. RFC 5267 §4.3.1 wants one at least.
pub(super) const MAX_CONTEXTS: usize = 16;
/// Messages of a sorted one, at most: 4 octets each are kept.
pub(super) const MAX_SORTED: usize = 50_000;

/// A search that is kept.
#[derive(Debug)]
pub(super) struct SearchContext {
    /// Of the command that made it.
    pub(super) tag: Tag,
    pub(super) by_uid: bool,
    /// Its sequence numbers have become UIDs.
    pub(super) key: SearchKey,
    /// What is told of messages that come (RFC 5465 §7).
    pub(super) items: Vec<FetchItem>,
    /// What it has found, as the client was told.
    pub(super) found: UidSet,
    /// For SORT: by what, and the UIDs in that order.
    pub(super) sorted: Option<(Vec<SortKey>, Vec<u32>)>,
}

/// Places in a context, each with what is put there or taken away.
type Sets = Vec<(u32, Vec<(u32, u32)>)>;

impl SearchContext {
    /// Takes `gone` away and tells so. Before EXPUNGE is told: `known` still has them.
    pub(super) fn remove(&mut self, out: &mut Vec<u8>, gone: &UidSet, known: &UidSet) {
        let gone = gone.intersection(&self.found);
        if gone.is_empty() {
            return;
        }
        self.found = self.found.without(&gone);
        let sets = match &mut self.sorted {
            None => vec![(0, numbers(&gone, self.by_uid, known))],
            Some((_, order)) => {
                let mut sets = places(order, &gone, self.by_uid, known);
                // From the last to the first, so that no place shifts before it is told.
                sets.reverse();
                order.retain(|uid| Uid::new(*uid).is_some_and(|uid| !gone.contains(uid)));
                sets
            }
        };
        response::search_update(out, &self.tag, self.by_uid, Update::RemoveFrom, &sets);
    }

    /// Adds what it newly finds and tells so. After EXISTS was told: `known` has them. `order`: all, for SORT.
    pub(super) fn add(&mut self, out: &mut Vec<u8>, new: &UidSet, order: Vec<u32>, known: &UidSet) {
        let new = new.without(&self.found);
        if new.is_empty() {
            return;
        }
        self.found.extend(&new);
        let sets = match &mut self.sorted {
            None => vec![(0, numbers(&new, self.by_uid, known))],
            Some((_, kept)) => {
                *kept = order;
                places(kept, &new, self.by_uid, known)
            }
        };
        response::search_update(out, &self.tag, self.by_uid, Update::AddTo, &sets);
    }
}

/// UIDs, or where they stand.
fn numbers(uids: &UidSet, by_uid: bool, known: &UidSet) -> Vec<(u32, u32)> {
    if by_uid { uids.runs().to_vec() } else { known.positions_of(uids) }
}

/// Those of `order` that are in `wanted`, neighbours together, with the place of the first, from 1.
fn places(order: &[u32], wanted: &UidSet, by_uid: bool, known: &UidSet) -> Sets {
    let wanted: HashSet<u32> = wanted.iter().map(Uid::value).collect();
    let number = |uid: &u32| {
        if by_uid { Some(*uid) } else { Uid::new(*uid).and_then(|uid| known.position(uid)).map(SeqNum::value) }
    };
    let mut sets = Sets::new();
    let mut at = 1_u32;
    for group in order.chunk_by(|one, next| wanted.contains(one) == wanted.contains(next)) {
        if group.first().is_some_and(|uid| wanted.contains(uid)) {
            sets.push((at, response::runs_of(group.iter().filter_map(number))));
        }
        at = at.saturating_add(u32::try_from(group.len()).unwrap_or(u32::MAX));
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(uids: &[u32]) -> UidSet {
        uids.iter().filter_map(|uid| Uid::new(*uid)).collect()
    }

    fn context(by_uid: bool, order: Option<&[u32]>, found: &[u32]) -> SearchContext {
        SearchContext {
            tag: Tag::parse("B01").unwrap(),
            by_uid,
            key: SearchKey::All,
            items: Vec::new(),
            found: set(found),
            sorted: order.map(|order| (Vec::new(), order.to_vec())),
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Vec<u8>), expected: &str) {
        let mut out = Vec::new();
        change(&mut out);
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), expected);
    }

    #[test]
    fn what_changes_is_told_in_mailbox_order() {
        let known = set(&[11, 12, 13, 14]);
        let mut by_number = context(false, None, &[11, 12]);
        check(|out| by_number.remove(out, &set(&[12, 13]), &known), "* ESEARCH (TAG \"B01\") REMOVEFROM (0 2)");
        check(
            |out| by_number.add(out, &set(&[11, 13, 14]), Vec::new(), &known),
            "* ESEARCH (TAG \"B01\") ADDTO (0 3:4)",
        );
        check(|out| by_number.add(out, &set(&[11]), Vec::new(), &known), "");
        let mut by_uid = context(true, None, &[11]);
        check(
            |out| by_uid.add(out, &set(&[12, 14]), Vec::new(), &known),
            "* ESEARCH (TAG \"B01\") UID ADDTO (0 12,14)",
        );
    }

    /// RFC 5267 §4.3.3: each place is right when its turn comes.
    #[test]
    fn what_changes_is_told_in_the_order_of_sort() {
        let known = set(&[1, 2, 3, 4, 5, 6]);
        let mut sorted = context(true, Some(&[5, 1, 4, 2]), &[1, 2, 4, 5]);
        check(|out| sorted.remove(out, &set(&[5, 4, 2]), &known), "* ESEARCH (TAG \"B01\") UID REMOVEFROM (3 4,2 1 5)");
        check(
            |out| sorted.add(out, &set(&[6, 3, 2]), vec![6, 1, 2, 3], &known),
            "* ESEARCH (TAG \"B01\") UID ADDTO (1 6 3 2:3)",
        );
        assert_eq!(sorted.sorted.unwrap().1, [6, 1, 2, 3]);
    }
}
