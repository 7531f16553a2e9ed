//! SORT and THREAD (RFC 5256, RFC 5957): what search finds, in an order.

use relais_imap::command::{SearchKey, Sort, Thread, ThreadAlgorithm};
use relais_imap::response;
use relais_imap::sort::{SortField, SortRow, sort};
use relais_imap::thread::{ThreadRow, ordered_subject, references};
use relais_message::fold;
use relais_model::{ModSeq, SeqNum, Timestamp, Uid, UidSet};
use relais_store::{Row, SortFacts};

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
struct Found {
    number: SeqNum,
    uid: Uid,
    internal_date: Timestamp,
    size_octets: u64,
    facts: SortFacts,
}

impl Client {
    /// SORT and UID SORT.
    pub(super) async fn sort(&mut self, command: Sort) -> Result<Done, Halt> {
        if command.key.asks_mod_seq() {
            self.enable_condstore();
        }
        let (mut found, mod_seq) = self.found(&command.key).await?;
        let numbers = aside(found.len(), move || {
            if command.keys.iter().any(|key| matches!(key.field, SortField::DisplayFrom | SortField::DisplayTo)) {
                found.iter_mut().for_each(Found::fold_display);
            }
            let mut rows: Vec<SortRow<'_>> = found.iter().map(Found::sort_row).collect();
            sort(&mut rows, &command.keys);
            // What was found is in the order of the numbers.
            let uid = |number: SeqNum| {
                let at = found.binary_search_by_key(&number, |found| found.number).ok()?;
                found.get(at).map(|found| found.uid.value())
            };
            let number = |row: &SortRow<'_>| if command.by_uid { uid(row.seq_num) } else { Some(row.seq_num.value()) };
            rows.iter().filter_map(number).collect::<Vec<u32>>()
        })
        .await;
        response::sort(&mut self.out, numbers, mod_seq);
        Ok(Done::plain("Sorted"))
    }

    /// THREAD and UID THREAD.
    pub(super) async fn thread(&mut self, command: Thread) -> Result<Done, Halt> {
        if command.key.asks_mod_seq() {
            self.enable_condstore();
        }
        let (found, _) = self.found(&command.key).await?;
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

    /// What was found, in the order of the numbers; and the highest MODSEQ of it, if `key` asks for one (RFC 7162 §3.1.6).
    async fn found(&self, key: &SearchKey) -> Result<(Vec<Found>, Option<ModSeq>), Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let uids: UidSet = self.searcher(selected).find(key).await?;
        let mod_seq = key.asks_mod_seq().then(|| highest(selected, &uids, None)).flatten();
        let facts = self.house.store.sort_facts(selected.view.mailbox()).await?;
        let rows: Vec<Row> = selected.view.read(|rows| rows.select(&uids).copied().collect());
        let mut facts = facts.into_iter().peekable();
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            while facts.next_if(|facts| facts.uid < row.uid).is_some() {}
            let Some(facts) = facts.next_if(|facts| facts.uid == row.uid) else { continue };
            let Some((uid, number)) = row.uid().and_then(|uid| Some((uid, selected.known.position(uid)?))) else {
                continue;
            };
            let (internal_date, size_octets) = (row.internal_date(), row.size_octets.into());
            found.push(Found { number, uid, internal_date, size_octets, facts });
        }
        Ok((found, mod_seq))
    }
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
