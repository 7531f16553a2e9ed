//! Which message stands where: newest first, each alone, or in conversations by THREAD=REFERENCES (RFC 5256).
//!
//! An order is made once and kept. Flags don't change it; who goes is taken out of it; who comes is put in, and where conversations are
//! wanted, they are threaded anew from what is kept of each message: some 100 octets.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use relais_imap::thread::{ThreadRow, references};
use relais_model::{ModSeq, Timestamp, Uid, UidSet};
use relais_store::{MailboxKey, Store, ThreadFacts, View};

use crate::Failure;

/// Messages of all orders that are kept, at most: some 30 MiB.
const MAX_KEPT: u64 = 300_000;
/// Mailboxes whose orders are made at once.
const MAX_MAKING: u64 = 10_000;
/// An order that nobody asked for is forgotten after this.
const KEPT_FOR: Duration = Duration::from_mins(30);
/// Letters of an identifier's hash: 66 bits.
const ID_LETTERS: usize = 11;
/// More messages than this are put in order beside the async threads.
const FEW: usize = 1000;

/// An identifier or a subject, hashed: its letters take no room of their own.
type Id = [u8; ID_LETTERS];

/// Messages that stand on one line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conversation {
    /// In the order of the answers; never empty.
    pub(super) uids: Box<[u32]>,
    /// When the last of them arrived, in seconds; and its UID.
    latest: (u32, u32),
}

impl Conversation {
    /// The message that arrived last.
    pub(super) const fn newest(&self) -> u32 {
        self.latest.1
    }

    /// When that was, in seconds.
    pub(super) const fn arrived(&self) -> u32 {
        self.latest.0
    }
}

/// What is kept of a message for threading it again.
#[derive(Debug, Clone)]
struct Fact {
    uid: u32,
    arrived: u32,
    header_date: Option<Timestamp>,
    id: Option<Id>,
    references: Box<[Id]>,
    base_subject: Id,
    is_reply: bool,
}

/// A mailbox's order, true up to `mod_seq`.
#[derive(Debug)]
pub(super) struct Order {
    mod_seq: ModSeq,
    known: UidSet,
    by_conversation: bool,
    /// The newest first.
    pub(super) lines: Arc<Vec<Conversation>>,
    /// Ascending by UID; empty where each message stands alone.
    facts: Arc<Vec<Fact>>,
}

/// All that are kept.
#[derive(Debug)]
pub(super) struct Orders {
    kept: Cache<(MailboxKey, bool), Arc<Order>>,
    /// Whoever makes one: others wait for theirs.
    making: Cache<(MailboxKey, bool), Arc<tokio::sync::Mutex<()>>>,
}

impl Default for Orders {
    fn default() -> Self {
        let weigh =
            |_: &(MailboxKey, bool), order: &Arc<Order>| u32::try_from(order.lines.len().max(1)).unwrap_or(u32::MAX);
        let kept = Cache::builder().max_capacity(MAX_KEPT).weigher(weigh).time_to_idle(KEPT_FOR).build();
        Self { kept, making: Cache::builder().max_capacity(MAX_MAKING).time_to_idle(KEPT_FOR).build() }
    }
}

impl Orders {
    /// The order of what `view` shows now.
    pub(super) async fn of(&self, store: &Store, view: &View, by_conversation: bool) -> Result<Arc<Order>, Failure> {
        let place = (view.mailbox(), by_conversation);
        let current = |order: &Arc<Order>| order.mod_seq == view.highest_mod_seq();
        if let Some(order) = self.kept.get(&place).filter(current) {
            return Ok(order);
        }
        // Many readers of one mailbox: one makes its order, the others find it made.
        let gate = self.making.get_with(place, Arc::default);
        let _made_alone = gate.lock().await;
        let known = self.kept.get(&place);
        let order = match known {
            Some(order) if order.mod_seq == view.highest_mod_seq() => return Ok(order),
            Some(order) => order.after(store, view).await?,
            None => Order::make(store, view, by_conversation).await?,
        };
        let order = Arc::new(order);
        self.kept.insert(place, Arc::clone(&order));
        Ok(order)
    }
}

impl Order {
    async fn make(store: &Store, view: &View, by_conversation: bool) -> Result<Self, Failure> {
        let (mod_seq, rows) = (view.highest_mod_seq(), arrivals(view, 0));
        let facts = if by_conversation { facts(store, view.mailbox(), 0, &rows).await? } else { Vec::new() };
        aside(rows.len(), move || Self::build(mod_seq, &rows, facts, by_conversation)).await
    }

    /// This order with what came and went since.
    async fn after(&self, store: &Store, view: &View) -> Result<Self, Failure> {
        let mod_seq = view.highest_mod_seq();
        let changes = view.changes_since(self.mod_seq, &self.known);
        if changes.arrived.is_empty() {
            let known = self.known.without(&changes.vanished);
            let gone = |uid: u32| Uid::new(uid).is_some_and(|uid| changes.vanished.contains(uid));
            let lines = if changes.vanished.is_empty() {
                Arc::clone(&self.lines)
            } else {
                Arc::new(self.lines.iter().filter_map(|line| line.without(&gone)).collect())
            };
            let mut facts = Arc::clone(&self.facts);
            if !changes.vanished.is_empty() && self.by_conversation {
                facts = Arc::new(facts.iter().filter(|fact| !gone(fact.uid)).cloned().collect());
            }
            return Ok(Self { mod_seq, known, by_conversation: self.by_conversation, lines, facts });
        }
        let last = self.known.last().map_or(0, Uid::value);
        let rows = arrivals(view, 0);
        if !self.by_conversation {
            return aside(rows.len(), move || Self::build(mod_seq, &rows, Vec::new(), false)).await;
        }
        let new = facts(store, view.mailbox(), last, &rows).await?;
        let gone = |uid: u32| Uid::new(uid).is_some_and(|uid| changes.vanished.contains(uid));
        let mut all: Vec<Fact> = self.facts.iter().filter(|fact| !gone(fact.uid)).cloned().collect();
        all.extend(new);
        aside(rows.len(), move || Self::build(mod_seq, &rows, all, true)).await
    }

    /// `rows`: UID and arrival of each message, ascending.
    fn build(mod_seq: ModSeq, rows: &[(u32, u32)], facts: Vec<Fact>, by_conversation: bool) -> Self {
        let alone = |(uid, arrived): (u32, u32)| Conversation { uids: Box::new([uid]), latest: (arrived, uid) };
        let mut lines: Vec<Conversation> = if by_conversation {
            let mut lines = thread(&facts);
            // Whose facts could not be read stands alone: nobody is hidden.
            if facts.len() < rows.len() {
                let told: HashSet<u32> = facts.iter().map(|fact| fact.uid).collect();
                lines.extend(rows.iter().filter(|(uid, _)| !told.contains(uid)).copied().map(alone));
            }
            lines
        } else {
            rows.iter().copied().map(alone).collect()
        };
        lines.sort_unstable_by_key(|line| std::cmp::Reverse(line.latest));
        let known = rows.iter().filter_map(|(uid, _)| Uid::new(*uid)).collect();
        Self { mod_seq, known, by_conversation, lines: Arc::new(lines), facts: Arc::new(facts) }
    }

    /// The line that `uid` stands on, and its place.
    pub(super) fn line_of(&self, uid: u32) -> Option<(usize, &Conversation)> {
        self.lines.iter().enumerate().find(|(_, line)| line.uids.contains(&uid))
    }
}

impl Conversation {
    /// What is left of it.
    fn without(&self, gone: &impl Fn(u32) -> bool) -> Option<Self> {
        let left: Box<[u32]> = self.uids.iter().copied().filter(|uid| !gone(*uid)).collect();
        let latest = if gone(self.latest.1) {
            // UIDs ascend as messages arrive, but for what was put in later.
            (self.latest.0, *left.iter().max()?)
        } else {
            self.latest
        };
        (!left.is_empty()).then_some(Self { uids: left, latest })
    }
}

/// UID and arrival of each message above `after`.
fn arrivals(view: &View, after: u32) -> Vec<(u32, u32)> {
    let seconds = |at: Timestamp| u32::try_from(at.seconds().max(0)).unwrap_or(u32::MAX);
    view.read(|rows| {
        rows.range(after.saturating_add(1), u32::MAX)
            .iter()
            .map(|row| (row.uid, seconds(row.internal_date())))
            .collect()
    })
}

/// What is kept of the messages of `rows` above `after`.
async fn facts(store: &Store, mailbox: MailboxKey, after: u32, rows: &[(u32, u32)]) -> Result<Vec<Fact>, Failure> {
    let read = store.thread_facts(mailbox, after).await?;
    let mut rows = rows.iter().copied().peekable();
    let mut facts = Vec::with_capacity(read.len());
    for fact in read {
        while rows.next_if(|(uid, _)| *uid < fact.uid).is_some() {}
        if let Some((_, arrived)) = rows.next_if(|(uid, _)| *uid == fact.uid) {
            facts.push(Fact::of(&fact, arrived));
        }
    }
    Ok(facts)
}

impl Fact {
    fn of(facts: &ThreadFacts, arrived: u32) -> Self {
        Self {
            uid: facts.uid,
            arrived,
            header_date: facts.header_date,
            id: facts.message_id.as_deref().map(hashed),
            references: facts.references.split_ascii_whitespace().map(hashed).collect(),
            // An empty subject joins nobody (RFC 5256 §3, step 5), so it stays empty.
            base_subject: if facts.base_subject.is_empty() { [0; ID_LETTERS] } else { hashed(&facts.base_subject) },
            is_reply: facts.is_reply,
        }
    }

    fn row(&self) -> ThreadRow<'_> {
        let has_subject = self.base_subject != [0; ID_LETTERS];
        ThreadRow {
            number: self.uid,
            internal_date: Timestamp::from_seconds(i64::from(self.arrived)),
            header_date: self.header_date,
            message_id: self.id.as_ref().map(letters),
            references: self.references.iter().map(letters).collect(),
            base_subject: if has_subject { letters(&self.base_subject) } else { "" },
            is_reply: self.is_reply,
        }
    }
}

/// As letters, so that what threads identifiers threads these.
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

fn thread(facts: &[Fact]) -> Vec<Conversation> {
    let rows: Vec<ThreadRow<'_>> = facts.iter().map(Fact::row).collect();
    let arrived = |uid: u32| {
        let at = facts.binary_search_by_key(&uid, |fact| fact.uid).ok()?;
        facts.get(at).map(|fact| fact.arrived)
    };
    let threads = references(&rows);
    let mut lines = Vec::with_capacity(threads.roots.len());
    for root in &threads.roots {
        let (mut uids, mut ahead) = (Vec::new(), vec![*root]);
        while let Some(node) = ahead.pop().and_then(|at| threads.nodes.get(at)) {
            uids.extend(node.number);
            ahead.extend(node.children.iter().rev());
        }
        let latest = uids.iter().filter_map(|uid| arrived(*uid).map(|arrived| (arrived, *uid))).max();
        if let Some(latest) = latest {
            lines.push(Conversation { uids: uids.into(), latest });
        }
    }
    lines
}

/// Runs `work` on so many messages: on a thread of its own where they are many.
async fn aside<T: Send + 'static>(messages: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    if messages <= FEW {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|_panicked| Failure::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(uid: u32, id: &str, references: &str, subject: &str) -> Fact {
        let facts = ThreadFacts {
            uid,
            header_date: None,
            base_subject: subject.to_owned(),
            is_reply: !references.is_empty(),
            message_id: Some(id.to_owned()),
            references: references.to_owned(),
        };
        Fact::of(&facts, uid * 10)
    }

    fn uids(order: &Order) -> Vec<Vec<u32>> {
        order.lines.iter().map(|line| line.uids.to_vec()).collect()
    }

    #[test]
    fn conversations_stand_by_their_newest_message() {
        let facts = vec![
            fact(1, "a", "", "LUNCH"),
            fact(2, "b", "", "OTHER"),
            fact(3, "c", "a", "LUNCH"),
            fact(4, "d", "", ""),
        ];
        let rows: Vec<_> = [1, 2, 3, 4, 5].map(|uid| (uid, uid * 10)).to_vec();
        let order = Order::build(ModSeq::FIRST, &rows, facts, true);
        assert_eq!(uids(&order), [vec![5], vec![4], vec![1, 3], vec![2]], "one without facts stands alone");
        assert_eq!(order.line_of(1).map(|(at, line)| (at, line.newest())), Some((2, 3)));
        let left = order.lines[2].without(&|uid| uid == 3).unwrap();
        assert_eq!((left.uids.to_vec(), left.newest()), (vec![1], 1));
        assert_eq!(order.lines[3].without(&|uid| uid == 2), None);
    }

    #[test]
    fn alone_they_stand_by_their_arrival() {
        let order = Order::build(ModSeq::FIRST, &[(1, 50), (2, 20), (3, 50)], Vec::new(), false);
        assert_eq!(uids(&order), [[3], [1], [2]]);
    }

    /// Hashed as they are, identifiers thread as the identifiers do.
    #[test]
    fn hashes_are_letters_and_differ() {
        assert_ne!(hashed("a@x"), hashed("b@x"));
        assert!(letters(&hashed("a@x")).len() == ID_LETTERS);
    }
}
