//! Searches that are kept: what they find is told as it changes (CONTEXT, RFC 5267 §4.3).
//!
//! What was expunged leaves them in the same breath as the client is told; what came or changed is looked at anew, and nothing
//! else is.

use std::collections::HashSet;

use relais_imap::command::{FetchItem, SearchKey, SearchReturn, Tag};
use relais_imap::response::{self, Condition, ResponseCode, Update};
use relais_imap::sequence::{Bound, SequenceSet};
use relais_imap::sort::SortKey;
use relais_model::{SeqNum, Uid, UidSet};

use super::fuzzy::Scores;
use super::order::in_order;
use super::progress::Progress;
use super::searcher::Searcher;
use super::selected::Selected;
use super::{Client, Done, Halt};

/// Searches that a session may keep. RFC 5267 §4.3.1 wants one at least.
const MAX_CONTEXTS: usize = 16;
/// Messages of a sorted one, at most: 4 octets each are kept.
const MAX_SORTED: usize = 50_000;

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

impl Client {
    /// RFC 5267 §4.3: a tag names one search that is kept.
    pub(super) fn must_be_new(&self, tag: &Tag, returns: Option<&SearchReturn>) -> Result<(), Halt> {
        let updates = returns.is_some_and(|returns| returns.update.is_some());
        let is_taken = |selected: &Selected| selected.contexts.iter().any(|context| context.tag == *tag);
        if updates && self.selected.as_deref().is_some_and(is_taken) {
            return Err(Halt::bad("A search of this tag is kept already"));
        }
        Ok(())
    }

    /// Keeps a search, if there is room for it.
    pub(super) fn keep_search(&mut self, mut context: SearchContext) {
        let Some(selected) = self.selected.as_deref_mut() else { return };
        let is_large = context.sorted.as_ref().is_some_and(|(_, order)| order.len() > MAX_SORTED);
        if is_large || selected.contexts.len() >= MAX_CONTEXTS {
            let code = ResponseCode::NoUpdate(&context.tag);
            let text = self.session.say("It is too much to keep");
            return response::condition(&mut self.out, Condition::No, Some(&code), text);
        }
        let freeze = |set: &SequenceSet| {
            let uids = selected.resolve(set, false);
            let bound = |(first, last): &(u32, u32)| (Bound::Number(*first), Bound::Number(*last));
            SequenceSet::Ranges(uids.runs().iter().map(bound).collect())
        };
        context.key = context.key.frozen(&freeze);
        selected.contexts.push(context);
    }

    /// CANCELUPDATE (RFC 5267 §4.3.5).
    pub(super) fn cancel_update(&mut self, tags: &[Tag]) -> Result<Done, Halt> {
        let selected = self.selected.as_deref_mut().ok_or_else(Halt::not_selected)?;
        if !tags.iter().all(|tag| selected.contexts.iter().any(|context| context.tag == *tag)) {
            return Err(Halt::bad("No search of this tag is kept"));
        }
        selected.contexts.retain(|context| !tags.contains(&context.tag));
        Ok(Done::plain("No further updates"))
    }

    /// Looks at what came or changed in the eyes of each search that is kept, and tells what is new.
    pub(super) async fn update_contexts(&mut self, arrived: &UidSet, flagged: &UidSet) -> Result<(), Halt> {
        let mut changed = arrived.clone();
        changed.extend(flagged);
        let Some(selected) = self.selected.as_deref_mut().filter(|_| !changed.is_empty()) else { return Ok(()) };
        let contexts = std::mem::take(&mut selected.contexts);
        for mut context in contexts {
            match self.update_context(&mut context, arrived, &changed).await {
                Ok(()) => {
                    if let Some(selected) = self.selected.as_deref_mut() {
                        selected.contexts.push(context);
                    }
                }
                Err(Halt::Refuse(..)) => {
                    let code = ResponseCode::NoUpdate(&context.tag);
                    let text = self.session.say("It can be kept no longer");
                    response::condition(&mut self.out, Condition::No, Some(&code), text);
                }
                Err(wire) => return Err(wire),
            }
        }
        Ok(())
    }

    async fn update_context(
        &mut self,
        context: &mut SearchContext,
        arrived: &UidSet,
        changed: &UidSet,
    ) -> Result<(), Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let changed = changed.intersection(&selected.known);
        let progress = Progress::default();
        let found = Searcher::new(&self.house, selected, &progress).among(&context.key, changed.clone()).await?;
        let new = found.without(&context.found);
        let order = match &context.sorted {
            Some((keys, _)) if !new.is_empty() => {
                let mut all = context.found.without(&changed.without(&found));
                all.extend(&new);
                self.order_of(&all, keys).await?
            }
            _ => Vec::new(),
        };
        if order.len() > MAX_SORTED {
            return Err(Halt::no(ResponseCode::Limit, "too much"));
        }
        let fresh = new.intersection(arrived);
        if !context.items.is_empty() && !fresh.is_empty() {
            self.tell_new(&context.items, &fresh).await?;
        }
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        context.remove(&mut self.out, &changed.without(&found), &selected.known);
        context.add(&mut self.out, &new, order, &selected.known);
        Ok(())
    }

    /// UIDs in the order of these keys.
    async fn order_of(&self, uids: &UidSet, keys: &[SortKey]) -> Result<Vec<u32>, Halt> {
        let found = self.gather(uids, &Scores::default()).await?;
        Ok(in_order(found, keys.to_vec()).await)
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
