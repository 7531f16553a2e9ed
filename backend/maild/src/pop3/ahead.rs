//! Messages read before they are asked for: most clients take a maildrop from its first message to its last.

use std::collections::VecDeque;

use relais_model::{Uid, UidSet};
use relais_store::{ContentRow, Contents, Row, Store, StoreError, View, Wanted};

/// Messages above this are not read ahead; they go from the store to the wire a piece at a time.
pub(super) const LARGE_OCTETS: u32 = 512 * 1024;

/// What was read of a maildrop and not yet asked for: a few MiB at most.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// The message behind the one that was last asked for: who asks for it next goes through the maildrop in its order.
    expected: Option<Uid>,
    rows: VecDeque<ContentRow>,
    contents: Option<Contents>,
}

impl Ahead {
    /// Message `uid` whole. None where it doesn't come next, is large, or is gone: it is to be read by itself.
    pub(super) async fn take(&mut self, store: &Store, view: &View, uid: Uid) -> Result<Option<Vec<u8>>, StoreError> {
        if view.read(|rows| rows.get(uid).is_none_or(|row| LARGE_OCTETS < row.size_octets)) {
            self.expected = behind(view, uid);
            return Ok(None);
        }
        if let Some(raw) = self.pass_to(uid).await? {
            return Ok(Some(raw));
        }
        let is_expected = self.expected == Some(uid);
        self.expected = behind(view, uid);
        if !is_expected {
            return Ok(None);
        }
        let wanted = Wanted { raw: true, ..Wanted::default() };
        self.contents = Some(store.contents(view.mailbox(), small_from(view, uid), wanted));
        self.pass_to(uid).await
    }

    /// Passes over what was read and isn't asked for, up to `uid`. Where that doesn't come any more, nothing is kept.
    async fn pass_to(&mut self, uid: Uid) -> Result<Option<Vec<u8>>, StoreError> {
        loop {
            match self.rows.front().map(|row| row.uid) {
                Some(front) if front < uid.value() => drop(self.rows.pop_front()),
                Some(front) if front == uid.value() => return Ok(self.rows.pop_front().map(|row| row.raw)),
                Some(_) => break,
                None => match self.next_rows().await? {
                    Some(rows) => self.rows = rows,
                    None => break,
                },
            }
        }
        *self = Self { expected: self.expected, ..Self::default() };
        Ok(None)
    }

    async fn next_rows(&mut self) -> Result<Option<VecDeque<ContentRow>>, StoreError> {
        let Some(contents) = &mut self.contents else { return Ok(None) };
        Ok(contents.next().await.transpose()?.map(VecDeque::from))
    }
}

fn behind(view: &View, uid: Uid) -> Option<Uid> {
    view.read(|rows| rows.range(uid.value().saturating_add(1), u32::MAX).first().and_then(Row::uid))
}

fn small_from(view: &View, uid: Uid) -> UidSet {
    view.read(|rows| {
        let small = rows.range(uid.value(), u32::MAX).iter().filter(|row| row.size_octets <= LARGE_OCTETS);
        small.filter_map(Row::uid).collect()
    })
}
