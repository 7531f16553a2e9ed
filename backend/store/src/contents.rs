//! Reading what many messages hold, in chunks of about 256 KiB, while the chunk before is being used.

mod columns;

use std::io::Read;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use relais_model::UidSet;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::io::AsyncRead;
use tokio::task::JoinHandle;
use tokio_util::io::StreamReader;

use crate::Store;
use crate::content::{Place, unpack};
use crate::error::StoreError;
use crate::key::{MailboxKey, MessageKey};
use crate::sql::UidCondition;
use crate::view::Row;
use crate::view::load::unsigned;

/// Octets that one chunk should have.
const CHUNK_OCTETS: usize = 256 * 1024;
/// Rows of the first chunk, before it is known how large they are.
const FIRST_ROWS: usize = 128;
/// Octets of a message that stand in its facts, at most: its header is most of them.
const FACTS_OCTETS: u64 = 64 * 1024;
/// Rows of any chunk.
const MOST_ROWS: usize = 2048;
/// More packed octets than this are unpacked on another thread.
const UNPACKED_HERE_OCTETS: usize = 64 * 1024;
/// Octets of messages that one chunk holds, unless a single one has more.
const HELD_OCTETS: u64 = 8 << 20;
/// A large message is read in pieces of this.
const PIECE_OCTETS: usize = 64 * 1024;

/// What is read of each message. The less, the faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set with names; it has no states")]
pub struct Wanted {
    /// [`ContentRow::envelope`].
    pub envelope: bool,
    /// [`ContentRow::body_structure`].
    pub body_structure: bool,
    /// [`ContentRow::body`].
    pub body: bool,
    /// [`ContentRow::preview`].
    pub preview: bool,
    /// [`ContentRow::thread_id`].
    pub thread_id: bool,
    /// [`ContentRow::head`] and `header_octets`.
    pub head: bool,
    /// [`ContentRow::raw`].
    pub raw: bool,
}

/// One message's facts; what was not wanted is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentRow {
    /// In its mailbox.
    pub uid: u32,
    /// FETCH ENVELOPE's value.
    pub envelope: Bytes,
    /// FETCH BODYSTRUCTURE's value.
    pub body_structure: Bytes,
    /// FETCH BODY's value.
    pub body: Bytes,
    /// PREVIEW's text (RFC 8970).
    pub preview: String,
    /// THREADID (RFC 8474).
    pub thread_id: String,
    /// The raw header with its blank line: the first 64 KiB of it.
    pub head: Bytes,
    /// The whole header's length; larger than `head` for headers over 64 KiB (read `raw` for those).
    pub header_octets: u64,
    /// The whole message.
    pub raw: Vec<u8>,
}

/// Messages on their way from the database, ascending by UID.
#[derive(Debug)]
pub struct Contents {
    reader: Option<Reader>,
    /// The next chunk, being read while the one before is used.
    ahead: Option<JoinHandle<(Chunk, Reader)>>,
}

impl Contents {
    /// The next few; none at the end. A message that was expunged meanwhile is passed over.
    ///
    /// Cancel-safe no more than a file is: a chunk may be lost.
    pub async fn next(&mut self) -> Option<Result<Vec<ContentRow>, StoreError>> {
        loop {
            let (chunk, reader) = match (self.ahead.take(), self.reader.take()) {
                (Some(ahead), _) => match ahead.await {
                    Ok(read) => read,
                    Err(_panicked) => return Some(Err(StoreError::damaged("a chunk that could not be read"))),
                },
                (None, Some(reader)) if !reader.runs.is_empty() => reader.read().await,
                _ => return None,
            };
            let store = reader.store.clone();
            if reader.runs.is_empty() {
                self.reader = Some(reader);
            } else {
                self.ahead = Some(store.inner.tasks.spawn(reader.read()));
            }
            let rows = match chunk {
                Ok((rows, packed)) if packed.is_empty() => Ok(rows),
                Ok((rows, packed)) => unpack_all(&store, rows, packed).await,
                Err(error) => Err(error),
            };
            if !matches!(&rows, Ok(rows) if rows.is_empty()) {
                return Some(rows);
            }
        }
    }
}

/// Rows, and the bodies that are still to be unpacked.
type Chunk = Result<(Vec<ContentRow>, Vec<Packed>), StoreError>;

/// What is still to be read.
#[derive(Debug)]
struct Reader {
    store: Store,
    mailbox: MailboxKey,
    wanted: Wanted,
    runs: Vec<(u32, u32)>,
    rows_at_once: usize,
}

/// A body before it is unpacked, for the row at its place.
#[derive(Debug)]
struct Packed {
    at: usize,
    place: Place,
    octets: Bytes,
    size_octets: u64,
}

impl Reader {
    async fn read(mut self) -> (Chunk, Self) {
        let chunk = self.read_chunk().await;
        if chunk.is_err() {
            self.runs.clear();
        }
        (chunk, self)
    }

    async fn read_chunk(&mut self) -> Chunk {
        let limit = self.rows_that_fit();
        let runs = first_of(&self.runs, limit);
        let condition = UidCondition::of(&runs);
        let text = columns::select(self.wanted, self.store.engine(), &condition.text(3));
        let query = sqlx::query(AssertSqlSafe(text)).bind(self.mailbox.value()).bind(i64::try_from(limit).unwrap_or(1));
        let found = condition.bind(query).fetch_one(&mut *self.store.reader().await?).await?;
        let (rows, packed) = columns::take(self.wanted, &found)?;
        let is_full = rows.len() >= limit;
        let last = if is_full { rows.last().map_or(u32::MAX, |row| row.uid) } else { condition.last() };
        self.runs = after(&self.runs, last);
        self.size_next(&rows, &packed);
        Ok((rows, packed))
    }

    /// So many rows that what they hold may stand in memory together: by their sizes, which the view knows. One, where nobody looks
    /// at the mailbox.
    fn rows_that_fit(&self) -> usize {
        let Some(view) = self.store.inner.views.live(self.mailbox) else { return 1 };
        let most = if self.wanted.raw { u64::MAX } else { FACTS_OCTETS };
        let mut held = 0_u64;
        let mut fits = |row: &&Row| {
            held = held.saturating_add(u64::from(row.size_octets).min(most));
            held <= HELD_OCTETS
        };
        let fitting = view.read(|rows| {
            let wanted = self.runs.iter().flat_map(|(first, last)| rows.range(*first, *last));
            wanted.take(self.rows_at_once).take_while(&mut fits).count()
        });
        fitting.max(1)
    }

    /// So many rows that the next chunk has about [`CHUNK_OCTETS`], at most four times as many as this one.
    fn size_next(&mut self, rows: &[ContentRow], packed: &[Packed]) {
        if rows.is_empty() {
            return; // messages that went meanwhile tell nothing of others
        }
        let facts: usize = rows.iter().map(ContentRow::octets).sum();
        let bodies: u64 = packed.iter().map(|body| body.size_octets).sum();
        let octets = facts.saturating_add(usize::try_from(bodies).unwrap_or(usize::MAX));
        let fitting = rows.len().saturating_mul(CHUNK_OCTETS) / octets.max(1);
        self.rows_at_once = fitting.min(self.rows_at_once.saturating_mul(4)).clamp(1, MOST_ROWS);
    }
}

/// The first `limit` UIDs of `runs`. Where the first run alone has as many it is taken whole, for its statement is prepared once, and its LIMIT ends it.
fn first_of(runs: &[(u32, u32)], limit: usize) -> Vec<(u32, u32)> {
    let mut left = u32::try_from(limit).unwrap_or(u32::MAX);
    let mut first = Vec::new();
    for &(from, to) in runs {
        if first.is_empty() && to - from >= left {
            return vec![(from, to)];
        }
        if left == 0 {
            break;
        }
        let to = to.min(from.saturating_add(left - 1));
        left -= to - from + 1;
        first.push((from, to));
    }
    first
}

/// What is left of `runs` after `last`.
fn after(runs: &[(u32, u32)], last: u32) -> Vec<(u32, u32)> {
    let left = runs.iter().filter(|run| run.1 > last);
    left.map(|(first, end)| ((*first).max(last.saturating_add(1)), *end)).collect()
}

async fn unpack_all(
    store: &Store,
    mut rows: Vec<ContentRow>,
    packed: Vec<Packed>,
) -> Result<Vec<ContentRow>, StoreError> {
    let is_light = packed.iter().all(|body| body.place != Place::Object)
        && packed.iter().map(|body| body.octets.len()).sum::<usize>() <= UNPACKED_HERE_OCTETS;
    let store = store.clone();
    let work = move || -> Result<Vec<ContentRow>, StoreError> {
        for body in packed {
            if let Some(row) = rows.get_mut(body.at) {
                row.raw = whole(&store, &row.head, &body)?;
            }
        }
        Ok(rows)
    };
    if is_light {
        return work();
    }
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::damaged("a chunk that could not be unpacked"))?
}

/// Head and body together; reads the object, where it is one.
fn whole(store: &Store, head: &[u8], body: &Packed) -> Result<Vec<u8>, StoreError> {
    if body.place != Place::Object {
        return unpack(head, body.place, &body.octets, body.size_octets);
    }
    let mut raw = Vec::with_capacity(usize::try_from(body.size_octets).unwrap_or_default());
    raw.extend_from_slice(head);
    store.inner.objects.open_object(&body.octets)?.read_to_end(&mut raw)?;
    if raw.len() as u64 == body.size_octets {
        Ok(raw)
    } else {
        Err(StoreError::damaged(format!("a message of {} octets has {}", body.size_octets, raw.len())))
    }
}

impl ContentRow {
    fn octets(&self) -> usize {
        let facts = self.envelope.len() + self.body_structure.len() + self.body.len() + self.preview.len();
        64 + facts + self.head.len()
    }
}

impl Store {
    /// Reads `wanted` of the messages in `uids` that are there. Ask for a mailbox's own UIDs, not for `1:*`.
    #[expect(clippy::needless_pass_by_value, reason = "its callers have done with the set")]
    pub fn contents(&self, mailbox: MailboxKey, uids: UidSet, wanted: Wanted) -> Contents {
        let runs = uids.runs().to_vec();
        let reader = Reader { store: self.clone(), mailbox, wanted, runs, rows_at_once: FIRST_ROWS };
        Contents { reader: Some(reader), ahead: None }
    }

    /// A whole message in memory; none where it is gone.
    pub async fn raw(&self, message: MessageKey) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((head, body)) = self.find_body(message).await? else { return Ok(None) };
        let row = ContentRow { head, ..ContentRow::default() };
        let rows = unpack_all(self, vec![row], vec![body]).await?;
        Ok(rows.into_iter().next().map(|row| row.raw))
    }

    /// The contents after `after`, in the order of their keys, each with its octets: for who reads all that there is. A content that another
    /// node is about to keep may come later and stand before some of these.
    pub async fn content_keys(&self, after: MessageKey, limit: u32) -> Result<Vec<(MessageKey, u64)>, StoreError> {
        let sql = "SELECT message_key, size_octets FROM message WHERE message_key > $1 ORDER BY message_key LIMIT $2";
        let query = sqlx::query(sql).bind(after.value()).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok((MessageKey::new(row.try_get(0)?), unsigned(row.try_get(1)?)?))).collect()
    }

    /// How many contents there are.
    pub async fn content_count(&self) -> Result<u64, StoreError> {
        let query = sqlx::query("SELECT COUNT(*) FROM message");
        unsigned(query.fetch_one(&mut *self.reader().await?).await?.try_get(0)?)
    }

    /// A whole message, a piece at a time; none where it is gone. Large ones never stand in memory.
    pub async fn open_raw(
        &self,
        message: MessageKey,
    ) -> Result<Option<Pin<Box<dyn AsyncRead + Send + 'static>>>, StoreError> {
        let Some((head, body)) = self.find_body(message).await? else { return Ok(None) };
        if body.place != Place::Object {
            let raw = unpack(&head, body.place, &body.octets, body.size_octets)?;
            return Ok(Some(Box::pin(std::io::Cursor::new(raw))));
        }
        let object = self.inner.objects.open_object(&body.octets)?;
        // A thread is held for a piece only: a reader may be slow.
        let pieces = stream::try_unfold(object, |mut object| async move {
            let (piece, object) = tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; PIECE_OCTETS];
                let octets = object.read(&mut piece)?;
                piece.truncate(octets);
                Ok::<_, std::io::Error>((piece, object))
            })
            .await
            .map_err(std::io::Error::other)??;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), object)))
        });
        let head = stream::iter([Ok::<_, std::io::Error>(head)]);
        Ok(Some(Box::pin(StreamReader::new(Box::pin(head.chain(pieces))))))
    }

    async fn find_body(&self, message: MessageKey) -> Result<Option<(Bytes, Packed)>, StoreError> {
        let row = sqlx::query(
            "SELECT m.head, m.size_octets, b.place, b.octets
             FROM message m JOIN message_body b ON b.message_key = m.message_key WHERE m.message_key = $1",
        )
        .bind(message.value())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let place = Place::from_number(row.try_get(2)?)?;
        let size_octets = unsigned(row.try_get(1)?)?;
        let octets = |column| row.try_get::<Vec<u8>, _>(column).map(Bytes::from);
        Ok(Some((octets(0)?, Packed { at: 0, place, octets: octets(3)?, size_octets })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_uids_are_read_at_once_but_for_a_long_run_that_comes_first() {
        let check = |runs: &[(u32, u32)], expected: &[(u32, u32)]| assert_eq!(first_of(runs, 4), expected, "{runs:?}");
        check(&[(1, 900)], &[(1, 900)]);
        check(&[(1, 4), (7, 7)], &[(1, 4)]);
        check(&[(1, 3), (7, 900)], &[(1, 3), (7, 7)]);
        check(&[(2, 2), (4, 4), (6, 6), (8, 8), (10, 10)], &[(2, 2), (4, 4), (6, 6), (8, 8)]);
        check(&[(2, 2), (u32::MAX - 1, u32::MAX)], &[(2, 2), (u32::MAX - 1, u32::MAX)]);
        check(&[], &[]);
    }
}
