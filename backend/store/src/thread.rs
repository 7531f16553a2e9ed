//! Threads (RFC 8474 §5.2): messages that name one another and have one base subject share a THREADID, given once.
//!
//! A message looks its own Message-ID and those it refers to up, each hashed together with the base subject. Where several
//! threads are found the oldest wins; they are not joined, for a THREADID never changes.

use std::collections::HashMap;

use relais_message::Facts;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::content::Content;
use crate::error::StoreError;
use crate::key::MessageKey;
use crate::sql;
use crate::transaction::Transaction;

/// References of one message that are looked up: the first and the last ones.
const REFERENCES: usize = 20;
/// References of one batch in one statement.
const LOOKED_UP: usize = 512;

/// The thread of each new message, in order.
pub(crate) async fn assign(
    tx: &mut Transaction<'_>,
    contents: &[(MessageKey, Content)],
) -> Result<Vec<i64>, StoreError> {
    let hashes: Vec<Vec<i64>> = contents.iter().map(|(_, content)| references(content.facts())).collect();
    let wanted: Vec<i64> = hashes.iter().flatten().copied().collect();
    let mut known = look_up(tx.reader().await?, &wanted).await?;
    let mut new = Vec::new();
    let mut threads = Vec::with_capacity(contents.len());
    for ((key, _), hashes) in contents.iter().zip(&hashes) {
        let thread = hashes.iter().filter_map(|hash| known.get(hash)).min().copied().unwrap_or(key.value());
        for hash in hashes {
            known.entry(*hash).or_insert_with(|| {
                new.push((*hash, thread));
                thread
            });
        }
        threads.push(thread);
    }
    let head = "INSERT INTO thread_ref (ref_hash, thread_key)";
    tx.execute_all(sql::insert(head, 2, "ON CONFLICT DO NOTHING", &new, |statement, row| {
        statement.bind(row.0).bind(row.1)
    }));
    Ok(threads)
}

async fn look_up(tx: &mut AnyConnection, wanted: &[i64]) -> Result<HashMap<i64, i64>, StoreError> {
    let mut known = HashMap::new();
    for chunk in wanted.chunks(LOOKED_UP) {
        let count = sql::padded(chunk.len());
        let places = sql::placeholders(count, 1, 0);
        let text = format!("SELECT ref_hash, thread_key FROM thread_ref WHERE ref_hash IN {places}");
        let last = chunk.last().copied().into_iter().cycle();
        let padded = chunk.iter().copied().chain(last).take(count);
        let query = padded.fold(sqlx::query(AssertSqlSafe(text)), sqlx::query::Query::bind);
        for row in query.fetch_all(&mut *tx).await? {
            known.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    Ok(known)
}

/// Its own Message-ID and those it refers to, hashed.
fn references(facts: &Facts) -> Vec<i64> {
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
