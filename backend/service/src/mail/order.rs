//! Which message stands where: newest first, each alone, or in conversations by THREAD=REFERENCES (RFC 5256).
//!
//! An order is made once and kept. Flags don't change it; who goes is taken out of it; who comes is put in. Where conversations are wanted,
//! only those messages are threaded anew that have to do with who comes or goes ([`facts::Facts::regroup`]): the outcome is the same as if
//! all were.

mod facts;

use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use relais_imap::thread::references;
use relais_model::{ModSeq, Timestamp, Uid, UidSet};
use relais_store::{MailboxKey, Store, View};

use self::facts::Facts;
use crate::Failure;

/// Octets of all orders that are kept, at most: of some four million messages, or half as many in conversations.
const MAX_KEPT_OCTETS: u64 = 256 << 20;
/// Mailboxes whose orders are made at once.
const MAX_MAKING: u64 = 10_000;
/// An order that nobody asked for is forgotten after this.
const KEPT_FOR: Duration = Duration::from_mins(30);
/// More messages than this are put in order beside the async threads.
const FEW: usize = 1000;

/// Messages that stand on one line of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conversation<'a> {
    /// In the order of the answers; never empty.
    pub(super) uids: &'a [u32],
    /// When the last of them arrived, in seconds; and its UID.
    latest: (u32, u32),
}

impl Conversation<'_> {
    /// The message that arrived last.
    pub(super) const fn newest(&self) -> u32 {
        self.latest.1
    }

    /// When that was, in seconds.
    pub(super) const fn arrived(&self) -> u32 {
        self.latest.0
    }
}

/// Lines one behind the other, the newest first: 4 octets a message, and 12 a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    uids: Vec<u32>,
    lines: Vec<Line>,
}

#[derive(Debug, PartialEq, Eq)]
struct Line {
    /// Behind its last message in [`Lines::uids`].
    end: u32,
    latest: (u32, u32),
}

impl Lines {
    /// How many lines.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The line at this place.
    pub(super) fn get(&self, at: usize) -> Option<Conversation<'_>> {
        let before = at.checked_sub(1).and_then(|before| self.lines.get(before));
        let start = before.map_or(0, |line| place(line.end));
        let line = self.lines.get(at)?;
        Some(Conversation { uids: self.uids.get(start..place(line.end))?, latest: line.latest })
    }

    /// All, the newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Conversation<'_>> {
        let mut start = 0;
        self.lines.iter().map(move |line| {
            let end = place(line.end);
            let uids = self.uids.get(start..end).unwrap_or_default();
            start = end;
            Conversation { uids, latest: line.latest }
        })
    }

    fn push(&mut self, line: Conversation<'_>) {
        self.uids.extend_from_slice(line.uids);
        self.lines.push(Line { end: u32::try_from(self.uids.len()).unwrap_or(u32::MAX), latest: line.latest });
    }

    /// Those of `lines`, in whatever order they are.
    fn sorted(&self) -> Self {
        let mut lines: Vec<_> = self.iter().collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.latest));
        lines.into_iter().collect()
    }

    /// These but for lines of the messages `left_out`, and those of `others` put between.
    fn merged(&self, left_out: &UidSet, others: &Self) -> Self {
        let is_kept = |line: &Conversation<'_>| !line.uids.first().is_some_and(|uid| holds(left_out, *uid));
        let mut ours = self.iter().filter(is_kept).peekable();
        let mut merged = Self { uids: Vec::with_capacity(self.uids.len() + others.uids.len()), lines: Vec::new() };
        for other in others.iter() {
            while let Some(line) = ours.next_if(|line| line.latest > other.latest) {
                merged.push(line);
            }
            merged.push(other);
        }
        ours.for_each(|line| merged.push(line));
        merged
    }

    fn octets(&self) -> usize {
        self.uids.capacity() * size_of::<u32>() + self.lines.capacity() * size_of::<Line>()
    }
}

impl<'a> FromIterator<Conversation<'a>> for Lines {
    fn from_iter<T: IntoIterator<Item = Conversation<'a>>>(lines: T) -> Self {
        let mut all = Self::default();
        lines.into_iter().for_each(|line| all.push(line));
        all
    }
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn holds(uids: &UidSet, uid: u32) -> bool {
    Uid::new(uid).is_some_and(|uid| uids.contains(uid))
}

/// A mailbox's order, true up to `mod_seq`.
#[derive(Debug)]
pub(super) struct Order {
    mod_seq: ModSeq,
    known: UidSet,
    by_conversation: bool,
    /// The newest first.
    pub(super) lines: Lines,
    /// Of all messages; empty where each stands alone.
    facts: Facts,
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
        let weigh = |_: &(MailboxKey, bool), order: &Arc<Order>| u32::try_from(order.octets()).unwrap_or(u32::MAX);
        // Whoever came last is let in, however large: made anew for each page, an order would cost far more than its room.
        let by_age = EvictionPolicy::lru();
        let kept = Cache::builder().max_capacity(MAX_KEPT_OCTETS).weigher(weigh).eviction_policy(by_age);
        let kept = kept.time_to_idle(KEPT_FOR).build();
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
            None => Arc::new(Order::empty(by_conversation)).after(store, view).await?,
        };
        let order = Arc::new(order);
        self.kept.insert(place, Arc::clone(&order));
        Ok(order)
    }
}

impl Order {
    /// Of no message.
    fn empty(by_conversation: bool) -> Self {
        Self {
            mod_seq: ModSeq::FIRST,
            known: UidSet::new(),
            by_conversation,
            lines: Lines::default(),
            facts: Facts::default(),
        }
    }

    /// This order with what came and went since.
    async fn after(self: Arc<Self>, store: &Store, view: &View) -> Result<Self, Failure> {
        // Before the rows are looked at: what comes between is new to the next, too, and known to it.
        let mod_seq = view.highest_mod_seq();
        let (arrived, gone) = if self.known.is_empty() {
            (arrivals(view, None), UidSet::new())
        } else {
            let changes = view.changes_since(self.mod_seq, &self.known);
            (arrivals(view, Some(&changes.arrived)), changes.vanished)
        };
        let new = if self.by_conversation {
            Facts::of(&arrived, read_facts(store, view.mailbox(), &arrived).await?)
        } else {
            Facts::of(&arrived, Vec::new())
        };
        let messages = arrived.len() + self.lines.uids.len();
        aside(messages, move || self.with(mod_seq, new, &gone)).await
    }

    /// This order without those that are `gone`, and with the `new` ones, of which it knows none.
    fn with(&self, mod_seq: ModSeq, new: Facts, gone: &UidSet) -> Self {
        let mut known = self.known.without(gone);
        new.uids().for_each(|uid| known.insert(uid));
        let (left_out, others, facts) = if self.by_conversation {
            let (left_out, again) = self.facts.regroup(new, gone);
            let facts = self.facts.merged(&left_out, &again);
            (left_out, thread(&again), facts)
        } else {
            (gone.clone(), new.iter().map(|(fact, _)| fact.alone()).collect(), Facts::default())
        };
        let lines = self.lines.merged(&left_out, &others.sorted());
        Self { mod_seq, known, by_conversation: self.by_conversation, lines, facts }
    }

    /// The line that `uid` stands on, and its place.
    pub(super) fn line_of(&self, uid: u32) -> Option<(usize, Conversation<'_>)> {
        // The numbers stand in one row: what is sought is found there first, and its line by where that ends.
        let at = u32::try_from(self.lines.uids.iter().position(|other| *other == uid)?).ok()?;
        let line = self.lines.lines.partition_point(|line| line.end <= at);
        Some((line, self.lines.get(line)?))
    }

    fn octets(&self) -> usize {
        size_of::<Self>() + self.lines.octets() + self.facts.octets() + size_of_val(self.known.runs())
    }
}

/// UID and arrival of each message, or of each of `uids`; ascending.
fn arrivals(view: &View, uids: Option<&UidSet>) -> Vec<(u32, u32)> {
    let seconds = |at: Timestamp| u32::try_from(at.seconds().max(0)).unwrap_or(u32::MAX);
    let pair = |row: &relais_store::Row| (row.uid, seconds(row.internal_date()));
    view.read(|rows| match uids {
        Some(uids) => rows.select(uids).map(pair).collect(),
        None => rows.iter().map(pair).collect(),
    })
}

/// What is known of the messages of `arrived`, and maybe of some that came later.
async fn read_facts(
    store: &Store,
    mailbox: MailboxKey,
    arrived: &[(u32, u32)],
) -> Result<Vec<relais_store::ThreadFacts>, Failure> {
    match arrived.first() {
        Some((first, _)) => Ok(store.thread_facts(mailbox, first.saturating_sub(1)).await?),
        None => Ok(Vec::new()),
    }
}

/// The conversations of these messages, as if there were no others; in no order.
fn thread(facts: &Facts) -> Lines {
    let rows: Vec<_> = facts.iter().map(|(fact, references)| fact.row(references)).collect();
    let threads = references(&rows);
    let mut lines = Lines::default();
    let (mut uids, mut ahead) = (Vec::new(), Vec::new());
    for root in &threads.roots {
        uids.clear();
        ahead.push(*root);
        while let Some(node) = ahead.pop().and_then(|at| threads.nodes.get(at)) {
            uids.extend(node.number);
            ahead.extend(node.children.iter().rev());
        }
        let latest = uids.iter().filter_map(|uid| Some((facts.get(*uid)?.arrived, *uid))).max();
        if let Some(latest) = latest {
            lines.push(Conversation { uids: &uids, latest });
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
    use proptest::prelude::*;
    use relais_store::ThreadFacts;

    use super::*;

    fn read(uid: u32, id: &str, references: &str, subject: &str) -> ThreadFacts {
        ThreadFacts {
            uid,
            header_date: None,
            base_subject: subject.to_owned(),
            is_reply: !references.is_empty(),
            message_id: Some(id.to_owned()),
            references: references.to_owned(),
        }
    }

    fn order(rows: &[(u32, u32)], read: Vec<ThreadFacts>, by_conversation: bool) -> Order {
        Order::empty(by_conversation).with(ModSeq::FIRST, Facts::of(rows, read), &UidSet::new())
    }

    fn uids(order: &Order) -> Vec<Vec<u32>> {
        order.lines.iter().map(|line| line.uids.to_vec()).collect()
    }

    fn set(uids: &[u32]) -> UidSet {
        uids.iter().filter_map(|uid| Uid::new(*uid)).collect()
    }

    #[test]
    fn conversations_stand_by_their_newest_message() {
        let facts = vec![
            read(1, "a", "", "LUNCH"),
            read(2, "b", "", "OTHER"),
            read(3, "c", "a", "LUNCH"),
            read(4, "d", "", ""),
        ];
        let rows: Vec<_> = [1, 2, 3, 4, 5].map(|uid| (uid, uid * 10)).to_vec();
        let order = order(&rows, facts, true);
        assert_eq!(uids(&order), [vec![5], vec![4], vec![1, 3], vec![2]], "one without facts stands alone");
        assert_eq!(order.line_of(1).map(|(at, line)| (at, line.newest())), Some((2, 3)));
        assert_eq!(order.line_of(3).map(|(at, line)| (at, line.arrived())), Some((2, 30)));
        assert_eq!(order.line_of(9), None);
        let order = order.with(ModSeq::FIRST, Facts::default(), &set(&[3, 4]));
        assert_eq!(uids(&order), [[5], [2], [1]], "a line stands where what is left of it belongs");
    }

    #[test]
    fn alone_they_stand_by_their_arrival() {
        let order = order(&[(1, 50), (2, 20), (3, 50)], Vec::new(), false);
        assert_eq!(uids(&order), [[3], [1], [2]]);
        let order = order.with(ModSeq::FIRST, Facts::of(&[(4, 30)], Vec::new()), &set(&[1]));
        assert_eq!(uids(&order), [[3], [4], [2]]);
        assert_eq!(order.known, set(&[2, 3, 4]));
        assert_eq!(order.facts.uids().count(), 0, "nothing is kept for threads that nobody wants");
    }

    /// Twenty mailboxes of 100,000 messages in conversations are kept: what the bound on octets rests on.
    #[test]
    fn an_order_is_small() {
        let rows: Vec<(u32, u32)> = (1..=1000).map(|uid| (uid, uid)).collect();
        let two =
            |uid: u32| read(uid, &format!("{uid}"), &format!("{} {}", uid / 2, uid / 4), &format!("S{}", uid / 3));
        let order = order(&rows, rows.iter().map(|(uid, _)| two(*uid)).collect(), true);
        assert!(order.octets() < 110 * 1000, "{} octets for 1,000 messages", order.octets());
        assert!(20 * 100 * u64::try_from(order.octets()).unwrap() < MAX_KEPT_OCTETS);
    }

    /// What happens to a mailbox.
    #[derive(Debug, Clone)]
    enum Step {
        /// Message-ID, References, subject and day of sending of each new message: small numbers, so that they meet.
        Arrive(Vec<(u8, Vec<u8>, u8, u8)>),
        /// Those whose UIDs leave this rest on division by 7.
        Vanish(u32),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let message = (0_u8..40, prop::collection::vec(0_u8..40, 0..3), 0_u8..12, 0_u8..6);
        let arrive = prop::collection::vec(message, 1..6).prop_map(Step::Arrive);
        prop::collection::vec(prop_oneof![4 => arrive, 1 => (0_u32..7).prop_map(Step::Vanish)], 1..14)
    }

    proptest! {
        /// Whatever comes and goes, in whatever steps: the lines are those that threading all at once makes.
        #[test]
        fn in_steps_or_at_once_the_lines_are_the_same(steps in steps()) {
            let (mut rows, mut facts) = (Vec::<(u32, u32)>::new(), Vec::<ThreadFacts>::new());
            let mut stepwise = Order::empty(true);
            let mut next = 1;
            for step in steps {
                match step {
                    Step::Arrive(messages) => {
                        let first = next;
                        for (id, references, subject, day) in messages {
                            let references: Vec<String> = references.iter().map(|id| format!("m{id}")).collect();
                            // Some have no identifier or no subject, and of some nothing could be read.
                            let subject = if subject < 3 { String::new() } else { format!("S{subject}") };
                            let known = ThreadFacts {
                                header_date: (day > 0).then(|| Timestamp::from_seconds(i64::from(day))),
                                message_id: (id > 1).then(|| format!("m{id}")),
                                is_reply: id % 2 == 0,
                                ..read(next, "", &references.join(" "), &subject)
                            };
                            if id != 1 {
                                facts.push(known);
                            }
                            rows.push((next, 1000 + next / 3));
                            next += 1;
                        }
                        let new = facts.iter().filter(|known| known.uid >= first).cloned().collect();
                        let at = rows.partition_point(|(uid, _)| *uid < first);
                        stepwise = stepwise.with(ModSeq::FIRST, Facts::of(&rows[at..], new), &UidSet::new());
                    }
                    Step::Vanish(rest) => {
                        let gone: Vec<u32> = rows.iter().map(|(uid, _)| *uid).filter(|uid| uid % 7 == rest).collect();
                        rows.retain(|(uid, _)| !gone.contains(uid));
                        facts.retain(|known| !gone.contains(&known.uid));
                        stepwise = stepwise.with(ModSeq::FIRST, Facts::default(), &set(&gone));
                    }
                }
                let at_once = order(&rows, facts.clone(), true);
                prop_assert_eq!(uids(&stepwise), uids(&at_once));
                prop_assert_eq!(&stepwise.lines, &at_once.lines);
                prop_assert_eq!(&stepwise.facts, &at_once.facts, "what is kept is the same, groups and all");
                prop_assert_eq!(&stepwise.known, &at_once.known);
            }
        }
    }
}
