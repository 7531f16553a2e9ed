//! THREAD: REFERENCES and ORDEREDSUBJECT (RFC 5256 §3, BASE.6.4.THREAD).
//!
//! Whoever sends mail chooses what the threads look like: a chain of 100,000 messages, loops, one identifier for all. So
//! nothing here calls itself, and each step takes about linear time whatever the shape.
#![expect(
    clippy::indexing_slicing,
    reason = "each container is an index into tables of one length, and never leaves this file"
)]

mod forest;

use std::collections::HashMap;
use std::io::Write;

use relais_model::Timestamp;

use forest::Forest;

/// What is known of a message to be threaded.
#[derive(Debug, Clone, Default)]
pub struct ThreadRow<'a> {
    /// What it is called in the answer: sequence number or UID.
    pub number: u32,
    /// INTERNALDATE.
    pub internal_date: Timestamp,
    /// From the Date field; none where it is missing or cannot be read.
    pub header_date: Option<Timestamp>,
    /// Message-ID without its angle brackets, unquoted.
    pub message_id: Option<&'a str>,
    /// Those of References; where there is none, the first of In-Reply-To.
    pub references: Vec<&'a str>,
    /// The base subject in the form of `relais_message::fold` (RFC 5256 §2.1).
    pub base_subject: &'a str,
    /// Finding the base subject took away a sign of reply or forward.
    pub is_reply: bool,
}

impl ThreadRow<'_> {
    /// RFC 5256 §2.2: where Date says nothing, INTERNALDATE stands for it.
    fn sent_date(&self) -> Timestamp {
        self.header_date.unwrap_or(self.internal_date)
    }
}

/// A message of [`Threads`], or the place of one that isn't there, which only a thread's root may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadNode {
    /// The message's number.
    pub number: Option<u32>,
    /// Its replies, as indices into [`Threads::nodes`].
    pub children: Vec<usize>,
}

/// Threads as a table of nodes: a tree of boxes as deep as threads may be could not even be dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Threads {
    /// All nodes; some may belong to no thread.
    pub nodes: Vec<ThreadNode>,
    /// The threads' roots in order, as indices into `nodes`.
    pub roots: Vec<usize>,
}

impl Threads {
    /// Appends `*(thread-list)` (RFC 5256 §5): `(2)(3 6 (4 23)(44 7 96))`. Nothing where there is no thread.
    pub fn write(&self, output: &mut Vec<u8>) {
        enum Act {
            Open(usize),
            Close,
        }
        let mut acts: Vec<_> = self.roots.iter().rev().map(|root| Act::Open(*root)).collect();
        while let Some(act) = acts.pop() {
            let Act::Open(mut at) = act else {
                output.push(b')');
                continue;
            };
            output.push(b'(');
            // Down to where the thread ends or parts.
            while let Some(node) = self.nodes.get(at) {
                if let Some(number) = node.number {
                    // A Vec takes all that is written to it.
                    let _written = write!(output, "{number}");
                    if !node.children.is_empty() {
                        output.push(b' ');
                    }
                }
                match node.children.as_slice() {
                    [only] => at = *only,
                    children => {
                        acts.push(Act::Close);
                        acts.extend(children.iter().rev().map(|child| Act::Open(*child)));
                        break;
                    }
                }
            }
        }
    }
}

/// ORDEREDSUBJECT: threads of one base subject, the first message sent being the parent of all others. `rows` in the
/// mailbox's order.
pub fn ordered_subject(rows: &[ThreadRow<'_>]) -> Threads {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|at| (rows[*at].base_subject, rows[*at].sent_date()));
    let mut nodes: Vec<_> =
        rows.iter().map(|row| ThreadNode { number: Some(row.number), children: Vec::new() }).collect();
    let mut roots = Vec::new();
    for thread in order.chunk_by(|one, other| rows[*one].base_subject == rows[*other].base_subject) {
        if let [root, replies @ ..] = thread {
            nodes[*root].children = replies.to_vec();
            roots.push(*root);
        }
    }
    roots.sort_by_key(|root| (rows[*root].sent_date(), *root));
    Threads { nodes, roots }
}

/// REFERENCES, by the six steps of RFC 5256. `rows` in the mailbox's order.
pub fn references(rows: &[ThreadRow<'_>]) -> Threads {
    let mut threading = Threading::link(rows);
    let roots = threading.gather();
    let roots = threading.prune(roots);
    let roots = threading.sort_roots(roots);
    let roots = threading.join_subjects(roots);
    threading.finish(roots)
}

/// The containers of RFC 5256: messages, and places of messages that are only spoken of (dummies).
struct Threading<'a, 'r> {
    rows: &'r [ThreadRow<'a>],
    /// Which message stands in each container.
    row_of: Vec<Option<usize>>,
    forest: Forest,
    children: Vec<Vec<usize>>,
}

impl<'a, 'r> Threading<'a, 'r> {
    /// Step 1.
    fn link(rows: &'r [ThreadRow<'a>]) -> Self {
        let mut threading = Self { rows, row_of: Vec::new(), forest: Forest::default(), children: Vec::new() };
        let mut by_id: HashMap<&'a str, usize> = HashMap::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            // (A) Parents of what is spoken of stay as they are, and no link closes a loop.
            let mut parent = None;
            for id in &row.references {
                let child = *by_id.entry(id).or_insert_with(|| threading.add(None));
                if let Some(parent) = parent
                    && threading.forest.parent(child).is_none()
                {
                    threading.forest.link(parent, child);
                }
                parent = Some(child);
            }
            // A message without identifier, or with another's, is known by none.
            let known = row.message_id.map(|id| *by_id.entry(id).or_insert_with(|| threading.add(None)));
            let container = known.filter(|known| threading.row_of[*known].is_none());
            let container = container.unwrap_or_else(|| threading.add(None));
            threading.row_of[container] = Some(at);
            // (B) What the message itself says of its parent counts for more than what others said.
            threading.forest.cut(container);
            if let Some(parent) = parent {
                threading.forest.link(parent, container);
            }
        }
        threading
    }

    fn add(&mut self, row: Option<usize>) -> usize {
        self.row_of.push(row);
        self.forest.add();
        self.row_of.len() - 1
    }

    /// Step 2, and each container's children.
    fn gather(&mut self) -> Vec<usize> {
        self.children = vec![Vec::new(); self.row_of.len()];
        let mut roots = Vec::new();
        for container in 0..self.row_of.len() {
            match self.forest.parent(container) {
                Some(parent) => self.children[parent].push(container),
                None => roots.push(container),
            }
        }
        roots
    }

    /// Step 3: dummies give way to their children, but for roots with several.
    fn prune(&mut self, roots: Vec<usize>) -> Vec<usize> {
        let mut top_down = roots.clone();
        let mut next = 0;
        while let Some(container) = top_down.get(next) {
            top_down.extend_from_slice(&self.children[*container]);
            next += 1;
        }
        for container in top_down.into_iter().rev() {
            let mut kept: Vec<usize> = Vec::new();
            for child in std::mem::take(&mut self.children[container]) {
                if self.is_dummy(child) {
                    let mut promoted = std::mem::take(&mut self.children[child]);
                    // Always the fewer to the more: a child moves a few times, however many dummies are above it.
                    if promoted.len() > kept.len() {
                        std::mem::swap(&mut promoted, &mut kept);
                    }
                    kept.append(&mut promoted);
                } else {
                    kept.push(child);
                }
            }
            self.children[container] = kept;
        }
        roots.into_iter().filter_map(|root| self.pruned_root(root)).collect()
    }

    fn pruned_root(&self, root: usize) -> Option<usize> {
        match (self.is_dummy(root), self.children[root].as_slice()) {
            (true, []) => None,
            (true, [only]) => Some(*only),
            _ => Some(root),
        }
    }

    fn is_dummy(&self, container: usize) -> bool {
        self.row_of[container].is_none()
    }

    /// The index of the message that a container is sorted and named by: its own, or a dummy's first child's.
    fn leading(&self, container: usize) -> Option<usize> {
        let first =
            || self.children[container].iter().filter_map(|child| self.row_of[*child]).min_by_key(|at| self.age(*at));
        self.row_of[container].or_else(first)
    }

    /// Sent date, and among equals the mailbox's order.
    fn age(&self, at: usize) -> (Timestamp, usize) {
        (self.rows[at].sent_date(), at)
    }

    /// Step 4.
    fn sort_roots(&self, mut roots: Vec<usize>) -> Vec<usize> {
        roots.sort_by_cached_key(|root| self.leading(*root).map(|at| self.age(at)));
        roots
    }

    /// Step 5: threads of one base subject are joined.
    fn join_subjects(&mut self, roots: Vec<usize>) -> Vec<usize> {
        let mut table = self.subject_table(&roots);
        let mut is_joined = vec![false; self.row_of.len()];
        let mut dummies = Vec::new();
        for current in &roots {
            let subject = self.leading(*current).map_or("", |at| self.rows[at].base_subject);
            let Some(found) = table.get_mut(subject).filter(|found| *found != current && !is_joined[*current]) else {
                continue;
            };
            is_joined[*current] = true;
            if let Some(dummy) = self.join(*found, *current) {
                is_joined[*found] = true;
                is_joined.push(false);
                dummies.push(dummy);
                *found = dummy;
            }
        }
        roots.into_iter().chain(dummies).filter(|root| !is_joined[*root]).collect()
    }

    /// Step 5 (B): which thread of each base subject takes the others. A dummy first, then what is no reply.
    fn subject_table(&self, roots: &[usize]) -> HashMap<&'a str, usize> {
        let mut table = HashMap::new();
        for root in roots {
            let Some(row) = self.leading(*root).map(|at| &self.rows[at]).filter(|row| !row.base_subject.is_empty())
            else {
                continue;
            };
            let found = table.entry(row.base_subject).or_insert(*root);
            let is_found_reply = self.row_of[*found].is_some_and(|at| self.rows[at].is_reply);
            if !self.is_dummy(*found) && (self.is_dummy(*root) || (is_found_reply && !row.is_reply)) {
                *found = *root;
            }
        }
        table
    }

    /// Step 5 (C): puts `current` into the thread of `found`; the new root where neither may be the other's parent.
    fn join(&mut self, found: usize, current: usize) -> Option<usize> {
        let is_reply = |container: usize| self.row_of[container].is_some_and(|at| self.rows[at].is_reply);
        if self.is_dummy(found) && self.is_dummy(current) {
            let mut children = std::mem::take(&mut self.children[current]);
            self.children[found].append(&mut children);
            return None;
        }
        if self.is_dummy(found) || (is_reply(current) && !is_reply(found)) {
            self.children[found].push(current);
            return None;
        }
        let dummy = self.add(None);
        self.children.push(vec![found, current]);
        Some(dummy)
    }

    /// Step 6.
    fn finish(mut self, roots: Vec<usize>) -> Threads {
        let roots = self.sort_roots(roots);
        let mut children = std::mem::take(&mut self.children);
        for siblings in &mut children {
            siblings.sort_by_cached_key(|child| self.row_of[*child].map(|at| self.age(at)));
        }
        let number = |row: Option<usize>| row.map(|at| self.rows[at].number);
        let nodes = self.row_of.iter().zip(children);
        Threads { nodes: nodes.map(|(row, children)| ThreadNode { number: number(*row), children }).collect(), roots }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(threads: &Threads) -> String {
        let mut output = Vec::new();
        threads.write(&mut output);
        String::from_utf8(output).unwrap()
    }

    /// Identifier (`-` for none), references, subject, and seconds of the sent date.
    type Message = (&'static str, &'static str, &'static str, i64);

    fn rows(messages: &[Message]) -> Vec<ThreadRow<'static>> {
        let row = |(message, number): (&Message, u32)| {
            let (id, references, subject, sent) = *message;
            let base_subject = subject.trim_start_matches("Re: ");
            ThreadRow {
                number,
                internal_date: Timestamp::default(),
                header_date: Some(Timestamp::from_seconds(sent)),
                message_id: (id != "-").then_some(id),
                references: references.split_whitespace().collect(),
                base_subject,
                is_reply: base_subject.len() < subject.len(),
            }
        };
        messages.iter().zip(1..).map(row).collect()
    }

    #[track_caller]
    fn check(messages: &[Message], expected: &str) {
        assert_eq!(write(&references(&rows(messages))), expected, "{messages:?}");
    }

    /// The facts of imaptest's scripts `thread`, `thread2` … `thread8`.
    #[test]
    fn imaptest_references() {
        let (b, c) = (("b", "a c", "", 15), ("c", "b", "", 16));
        check(&[("a", "", "", 17), b, c], "(3 2)(1)");
        check(&[b, c], "(2 1)");
        check(&[("a", "", "", 15), ("a", "", "", 15)], "(1)(2)");
        check(&[("a", "", "foo", 23), ("a", "", "Re: foo", 24)], "(1 2)");
        check(&[("a", "", "foo", 23), ("b", "c", "Re: foo", 24)], "(1 2)");
        let five = [("1", "", "", 17), ("2", "1", "", 15), ("3", "1", "", 15), ("4", "2", "", 15), ("5", "2", "", 15)];
        check(&five[..4], "(1 (2 4)(3))");
        check(&five[2..4], "(1)(2)");
        check(&five[2..], "(1)((2)(3))");
        check(&[("-", "a", "", 23), ("-", "a", "", 24)], "((1)(2))");
        let seven = [("a", "", "", 23), ("b", "a", "", 23), ("c", "b", "", 23), ("b", "a", "", 23)];
        check(&seven, "(1 (2 3)(4))");
        check(&[seven[0], seven[2], seven[3]], "(1 3 2)");
        check(&seven[..2], "(1 2)");
    }

    /// RFC 5256, BASE.7.2.THREAD: a message that isn't there, and its replies.
    #[test]
    fn dummies_give_way_to_their_children() {
        check(&[("x", "a b c", "", 1)], "(1)");
        check(&[("x", "a b c", "", 2), ("y", "a b", "", 1)], "((2)(1))");
        check(&[("r", "", "", 0), ("x", "r b c", "", 2), ("y", "r b", "", 1)], "(1 (3)(2))");
    }

    #[test]
    fn loops_are_not_closed() {
        check(&[("a", "a", "", 1)], "(1)");
        check(&[("a", "b", "", 1), ("b", "a", "", 2)], "(2 1)");
        check(&[("a", "b c a", "", 1), ("b", "c a", "", 2), ("c", "a", "", 3)], "(2)(3 1)");
    }

    /// Step 5 (B) and (C), each of its cases.
    #[test]
    fn threads_of_one_subject_are_joined() {
        // Neither is a reply, or both are: siblings below a dummy.
        check(&[("a", "", "s", 1), ("b", "", "s", 2)], "((1)(2))");
        check(&[("a", "", "Re: s", 1), ("b", "", "Re: s", 2), ("c", "", "Re: s", 3)], "((1)(2)(3))");
        // What is no reply takes the replies, also those sent before it.
        check(&[("a", "", "Re: s", 1), ("b", "", "s", 2), ("c", "", "Re: s", 3)], "(2 (1)(3))");
        // A dummy takes all.
        check(&[("a", "x", "Re: s", 2), ("b", "x", "Re: s", 3), ("c", "", "s", 1)], "((3)(1)(2))");
        check(&[("a", "x", "s", 2), ("b", "x", "s", 3), ("c", "y", "s", 4), ("d", "y", "s", 1)], "((4)(1)(2)(3))");
        // The one in the table comes later than the one that it is joined with.
        check(&[("a", "", "Re: s", 2), ("b", "", "s", 3), ("c", "", "s", 1)], "((3 1)(2))");
        check(&[("a", "", "", 1), ("b", "", "", 2)], "(1)(2)");
    }

    #[test]
    fn imaptest_ordered_subject() {
        let subjects = ["A", "C", "B", "_", "B", "B (A)", "C", "[XYZ]", "", "", "B", "C", "C", "AD: X", "BABYLON"];
        let messages: Vec<Message> = subjects.iter().map(|subject| ("-", "", *subject, 0)).collect();
        let expected = "(1)(2 (7)(12)(13))(3 (5)(11))(4)(6)(8)(9 10)(14)(15)";
        assert_eq!(write(&ordered_subject(&rows(&messages))), expected);

        let messages = [10, 9, 8, 7, 30, 29, 28, 27].iter().zip(["A", "B"].iter().cycle());
        let messages: Vec<Message> = messages.map(|(sent, subject)| ("-", "", *subject, *sent)).collect();
        assert_eq!(write(&ordered_subject(&rows(&messages))), "(4 (2)(8)(6))(3 (1)(7)(5))");
    }

    /// RFC 5256 §4: the form of the THREAD response.
    #[test]
    fn the_written_form_parts_where_threads_part() {
        let thread = [("3", "", "", 3), ("6", "3", "", 6), ("4", "6", "", 8), ("23", "4", "", 23), ("44", "6", "", 44)];
        check(&thread, "(1 2 (3 4)(5))");
    }

    fn ids(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("{at}@example.org")).collect()
    }

    /// Chains of 100,000 messages in each order, and one answer to all: no recursion, and no time that grows as the square.
    #[test]
    fn a_hundred_thousand_messages_are_threaded() {
        let count = 100_000;
        let ids = ids(count);
        let chain = |at: usize| ThreadRow {
            number: u32::try_from(at + 1).unwrap(),
            message_id: Some(&ids[at]),
            references: at.checked_sub(1).map(|before| ids[before].as_str()).into_iter().collect(),
            base_subject: "S",
            ..ThreadRow::default()
        };
        let inward = (0..count / 2).flat_map(|at| [at, count - 1 - at]);
        let deep_then_pairs = (0..count).step_by(2).chain((1..count).step_by(2));
        let orders: [Vec<usize>; 4] =
            [(0..count).collect(), (0..count).rev().collect(), inward.collect(), deep_then_pairs.collect()];
        for order in orders {
            let rows: Vec<_> = order.into_iter().map(chain).collect();
            let threads = references(&rows);
            assert_eq!(threads.roots.len(), 1);
            assert!(write(&threads).starts_with("(1 2 3 4 5 "), "the chain is whole");
        }
    }

    /// The worst for those who walk up to find loops: parents, seen after their children, put below the end of a chain.
    #[test]
    fn deep_threads_cost_no_more() {
        let count = 30_000;
        let ids = ids(3 * count);
        let message = |at: usize, parent: usize| ThreadRow {
            message_id: Some(&ids[at]),
            references: vec![&ids[parent]],
            ..ThreadRow::default()
        };
        let chain = (1..count).map(|at| message(at, at - 1));
        let children = (count..2 * count).map(|at| message(at + count, at));
        let parents = (count..2 * count).map(|at| message(at, count - 1));
        let rows: Vec<_> = chain.chain(children).chain(parents).collect();
        assert_eq!(references(&rows).roots.len(), 1);
    }

    proptest! {
        /// Whatever the messages say, each is told once.
        #[test]
        fn each_message_is_told_once(
            messages in prop::collection::vec((0_usize..8, prop::collection::vec(0_usize..8, 0..4), 0_usize..4, 0_i64..4), 0..12),
        ) {
            let ids = ids(8);
            let subjects = ["", "a", "b", "c"];
            let rows: Vec<_> = messages.iter().zip(1..).map(|((id, references, subject, sent), number)| ThreadRow {
                number,
                header_date: Some(Timestamp::from_seconds(*sent)),
                message_id: Some(&ids[*id]),
                references: references.iter().map(|id| ids[*id].as_str()).collect(),
                base_subject: subjects[*subject],
                is_reply: sent % 2 == 0,
                ..ThreadRow::default()
            }).collect();
            for threads in [references(&rows), ordered_subject(&rows)] {
                let text = write(&threads);
                let mut numbers: Vec<usize> = text.split(|one: char| !one.is_ascii_digit()).filter_map(|one| one.parse().ok()).collect();
                numbers.sort_unstable();
                prop_assert_eq!(numbers, (1..=rows.len()).collect::<Vec<_>>(), "{}", text);
                prop_assert_eq!(text.matches('(').count(), text.matches(')').count());
            }
        }
    }
}
