//! Threads (RFC 8474 §5.2): messages that name one another and have one base subject share a THREADID, given once.
//!
//! A message looks its own Message-ID and those it refers to up, each hashed together with the base subject. Where several
//! threads are found the oldest wins; they are not joined, for a THREADID never changes.

use std::collections::HashMap;

use relais_message::Facts;

use crate::content::Content;
use crate::key::MessageKey;
use crate::sql;
use crate::transaction::Transaction;

/// References of one message that are looked up: the first and the last ones.
const REFERENCES: usize = 20;

/// The thread of each new message, in order. `known` has what the database knows of their [`references`], and learns what is new.
pub(crate) fn assign(
    tx: &mut Transaction<'_>,
    contents: &[(MessageKey, Content)],
    known: &mut HashMap<i64, i64>,
) -> Vec<i64> {
    let mut new = Vec::new();
    let mut threads = Vec::with_capacity(contents.len());
    for (key, content) in contents {
        let hashes = references(content.facts());
        let thread = hashes.iter().filter_map(|hash| known.get(hash)).min().copied().unwrap_or(key.value());
        for hash in hashes {
            known.entry(hash).or_insert_with(|| {
                new.push((hash, thread));
                thread
            });
        }
        threads.push(thread);
    }
    let head = "INSERT INTO thread_ref (ref_hash, thread_key)";
    tx.execute_all(sql::insert(head, 2, "ON CONFLICT DO NOTHING", &new, |statement, row| {
        statement.bind(row.0).bind(row.1)
    }));
    threads
}

/// Its own Message-ID and those it refers to, hashed.
pub(crate) fn references(facts: &Facts) -> Vec<i64> {
    let others = if facts.references.is_empty() { &facts.in_reply_to } else { &facts.references };
    let skipped = others.len().saturating_sub(REFERENCES).max(1);
    let others = others.iter().enumerate().filter(|(at, _)| *at == 0 || *at >= skipped).map(|(_, id)| id);
    let mut hashes: Vec<i64> = facts.message_id.iter().chain(others).map(|id| hash(id, &facts.base_subject)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn hash(message_id: &str, base_subject: &str) -> i64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(message_id.as_bytes()).update(b"\0").update(base_subject.as_bytes());
    let mut octets = [0; 8];
    hasher.finalize_xof().fill(&mut octets);
    i64::from_le_bytes(octets)
}
