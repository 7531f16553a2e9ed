//! SORT and THREAD (RFC 5256, RFC 5957): what search finds, in an order.

use relais_imap::command::{SearchReturn, Sort, Tag, Thread, ThreadAlgorithm};
use relais_imap::response::{self, ESearch};
use relais_imap::sort::{SortField, SortKey, SortRow, sort};
use relais_imap::thread::{ThreadRow, ordered_subject, references};
use relais_message::fold;
use relais_model::{ModSeq, SeqNum, Timestamp, Uid, UidSet};
use relais_store::{Row, SortFacts};

use super::context::SearchContext;
use super::fuzzy::Scores;
use super::search::highest;
use super::{Client, Done, Halt};

/// So many messages are put in order while others wait.
const FEW: usize = 1000;

/// Runs `work` on so many messages: on a thread of its own where they are many.
async fn aside<T: Send + 'static>(messages: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if messages <= FEW {
        return work();
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// A message that was found, with what orders it.
pub(super) struct Found {
    number: SeqNum,
    uid: Uid,
    internal_date: Timestamp,
    size_octets: u64,
    facts: SortFacts,
    relevancy: u8,
}

/// The UIDs of `found`, in the order of these keys.
pub(super) async fn in_order(mut found: Vec<Found>, keys: Vec<SortKey>) -> Vec<u32> {
    aside(found.len(), move || {
        if keys.iter().any(|key| matches!(key.field, SortField::DisplayFrom | SortField::DisplayTo)) {
            found.iter_mut().for_each(Found::fold_display);
        }
        let mut rows: Vec<SortRow<'_>> = found.iter().map(Found::sort_row).collect();
        sort(&mut rows, &keys);
        // What was found is in the order of the numbers.
        let uid = |row: &SortRow<'_>| {
            let at = found.binary_search_by_key(&row.seq_num, |found| found.number).ok()?;
            found.get(at).map(|found| found.uid.value())
        };
        rows.iter().filter_map(uid).collect()
    })
    .await
}

impl Client {
    /// SORT and UID SORT.
    pub(super) async fn sort(&mut self, tag: &Tag, command: Sort) -> Result<Done, Halt> {
        let Sort { by_uid, returns, keys, key } = command;
        if key.asks_mod_seq() {
            self.enable_condstore();
        }
        self.must_be_new(tag, returns.as_ref())?;
        let (uids, scores) = self.find(tag, &key).await?;
        let found = self.gather(&uids, &scores).await?;
        let order = in_order(found, keys.clone()).await;
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let mod_seq = key.asks_mod_seq().then(|| highest(selected, &uids, None)).flatten();
        let number = |uid: &u32| {
            if by_uid {
                Some(*uid)
            } else {
                Uid::new(*uid).and_then(|uid| selected.known.position(uid)).map(SeqNum::value)
            }
        };
        let Some(returns) = returns else {
            response::sort(&mut self.out, order.iter().filter_map(number), mod_seq);
            return Ok(Done::plain("Sorted"));
        };
        if returns.tells_something() {
            tell_order(&mut self.out, (tag, by_uid), &returns, &order, number, (&scores, mod_seq));
        }
        if let Some(items) = returns.update {
            let found = order.iter().filter_map(|uid| Uid::new(*uid)).collect();
            let sorted = Some((keys, order));
            self.keep_search(SearchContext { tag: tag.clone(), by_uid, key, items, found, sorted });
        }
        Ok(Done::plain("Sorted"))
    }

    /// THREAD and UID THREAD.
    pub(super) async fn thread(&mut self, tag: &Tag, command: Thread) -> Result<Done, Halt> {
        if command.key.asks_mod_seq() {
            self.enable_condstore();
        }
        let (uids, scores) = self.find(tag, &command.key).await?;
        let found = self.gather(&uids, &scores).await?;
        let threads = aside(found.len(), move || {
            let rows: Vec<ThreadRow<'_>> = found.iter().map(|found| found.thread_row(command.by_uid)).collect();
            match command.algorithm {
                ThreadAlgorithm::OrderedSubject => ordered_subject(&rows),
                ThreadAlgorithm::References => references(&rows),
            }
        })
        .await;
        response::thread(&mut self.out, &threads);
        Ok(Done::plain("Threaded"))
    }

    /// What orders these messages, in the order of their numbers.
    pub(super) async fn gather(&self, uids: &UidSet, scores: &Scores) -> Result<Vec<Found>, Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let facts = self.house.store.sort_facts(selected.view.mailbox()).await?;
        let rows: Vec<Row> = selected.view.read(|rows| rows.select(uids).collect());
        let mut facts = facts.into_iter().peekable();
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            while facts.next_if(|facts| facts.uid < row.uid).is_some() {}
            let Some(facts) = facts.next_if(|facts| facts.uid == row.uid) else { continue };
            let Some((uid, number)) = row.uid().and_then(|uid| Some((uid, selected.known.position(uid)?))) else {
                continue;
            };
            let (internal_date, size_octets) = (row.internal_date(), row.size_octets.into());
            let relevancy = scores.one(uid.value());
            found.push(Found { number, uid, internal_date, size_octets, facts, relevancy });
        }
        Ok(found)
    }
}

/// Writes the ESEARCH of what SORT found: first and last are those of its order (RFC 5267 §3.1).
fn tell_order(
    out: &mut Vec<u8>,
    (tag, by_uid): (&Tag, bool),
    returns: &SearchReturn,
    order: &[u32],
    number: impl Fn(&u32) -> Option<u32>,
    (scores, mod_seq): (&Scores, Option<ModSeq>),
) {
    let all = if returns.all { response::runs_of(order.iter().filter_map(&number)) } else { Vec::new() };
    let part = returns.partial.map(|range| (range, order.get(range.of(order.len())).unwrap_or_default()));
    let told = part.map_or(order, |(_, part)| part);
    let relevancy = if returns.relevancy { scores.of(told.iter().copied()) } else { Vec::new() };
    let part = part.map(|(range, part)| (range, response::runs_of(part.iter().filter_map(&number))));
    response::esearch(
        out,
        &ESearch {
            tag,
            mailbox: None,
            by_uid,
            min: order.first().and_then(&number).filter(|_| returns.min),
            max: order.last().and_then(&number).filter(|_| returns.max),
            count: returns.count.then(|| u32::try_from(order.len()).unwrap_or(u32::MAX)),
            all: returns.all.then_some(all.as_slice()),
            partial: part.as_ref().map(|(range, runs)| (*range, runs.as_slice())),
            relevancy: returns.relevancy.then_some(relevancy.as_slice()),
            mod_seq,
        },
    );
}

impl Found {
    /// What is shown is kept as it is written, and compared without regard to case (RFC 5957 §3, RFC 5256 §7).
    fn fold_display(&mut self) {
        let SortFacts { display_from, display_to, .. } = &mut self.facts;
        for text in [display_from, display_to] {
            *text = fold(text);
        }
    }

    fn sort_row(&self) -> SortRow<'_> {
        SortRow {
            seq_num: self.number,
            internal_date: self.internal_date,
            header_date: self.facts.header_date,
            size_octets: self.size_octets,
            base_subject: &self.facts.base_subject,
            from: &self.facts.sort_from,
            to: &self.facts.sort_to,
            cc: &self.facts.sort_cc,
            display_from: &self.facts.display_from,
            display_to: &self.facts.display_to,
            relevancy: self.relevancy,
        }
    }

    fn thread_row(&self, by_uid: bool) -> ThreadRow<'_> {
        ThreadRow {
            number: if by_uid { self.uid.value() } else { self.number.value() },
            internal_date: self.internal_date,
            header_date: self.facts.header_date,
            message_id: self.facts.message_id.as_deref(),
            references: self.facts.references.iter().map(String::as_str).collect(),
            base_subject: &self.facts.base_subject,
            is_reply: self.facts.is_reply,
        }
    }
}
