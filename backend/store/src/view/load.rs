//! Loading a view: a few aggregated reads, for a row through the driver costs 3 µs and a number in a long text 0.05.

use std::sync::{Arc, RwLock};

use relais_model::{Keyword, UidValidity};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use tokio::sync::{OwnedMutexGuard, watch};

use super::{Keywords, Row, Rows, Slot, State, View, Views, mod_seq};
use crate::Store;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey};

/// Rows in one aggregated read: a text of about 600 KiB.
const ROWS_AT_ONCE: i64 = 10_000;

impl Store {
    /// Lets go of the views at which nobody looks: whoever looks next has the mailbox read anew.
    pub fn forget_views(&self) {
        self.inner.views.forget();
    }

    /// The view of a mailbox, shared by all who look; none where the mailbox is gone. Hold it for as long as you look.
    pub async fn view(&self, mailbox: MailboxKey) -> Result<Option<Arc<View>>, StoreError> {
        loop {
            let loading = match self.inner.views.enter(mailbox) {
                Entrance::Ready(view) => {
                    self.inner.views.keep(&view);
                    return Ok(Some(view));
                }
                Entrance::Load(loading) => loading,
                Entrance::Wait(gate) => {
                    // Whoever loads holds it; then look again.
                    let _waited = gate.lock().await;
                    continue;
                }
            };
            let mut connection = self.reader().await?;
            // Before the row is read: between the two the mark may go from here to there.
            let recent = self.inner.writer.waiting_recent(mailbox);
            let Some(view) = load(&mut connection, mailbox).await? else { return Ok(None) };
            drop(connection);
            view.raise_recent(recent.unwrap_or(0));
            let view = loading.finish(view);
            if view.is_overtaken() {
                // Another node changed the mailbox while it was read, and after that it was changed here.
                continue;
            }
            self.inner.views.keep(&view);
            return Ok(Some(view));
        }
    }

    /// The old mark of recency (RFC 3501 §2.3.2): messages from this UID on are recent for the caller, and for nobody after.
    /// Kept in the database soon, not at once: a crash shows messages as recent twice.
    pub fn claim_recent(&self, view: &View) -> u32 {
        let (from, next) = view.take_recent();
        if from < next {
            self.inner.writer.note_recent(view.mailbox(), next);
        }
        from
    }
}

enum Entrance {
    Ready(Arc<View>),
    Wait(Arc<tokio::sync::Mutex<()>>),
    Load(Loading),
}

/// The right to load one view. Dropped before its end (the caller was cancelled), it frees the slot.
struct Loading {
    views: Arc<Views>,
    mailbox: MailboxKey,
    _gate: OwnedMutexGuard<()>,
}

impl Views {
    fn enter(self: &Arc<Self>, mailbox: MailboxKey) -> Entrance {
        let mut slots = self.slots();
        match slots.get(&mailbox) {
            Some(Slot::Loading { gate, .. }) => return Entrance::Wait(Arc::clone(gate)),
            Some(Slot::Ready(view)) => {
                if let Some(view) = view.upgrade().filter(|view| !view.is_overtaken()) {
                    return Entrance::Ready(view);
                }
            }
            None => {}
        }
        let gate = Arc::new(tokio::sync::Mutex::new(()));
        let Ok(held) = Arc::clone(&gate).try_lock_owned() else { return Entrance::Wait(gate) };
        slots.insert(mailbox, Slot::Loading { gate, waiting: Vec::new() });
        // Views that nobody holds any more leave their slot when others come.
        slots.retain(|_, slot| !matches!(slot, Slot::Ready(view) if view.strong_count() == 0));
        Entrance::Load(Loading { views: Arc::clone(self), mailbox, _gate: held })
    }
}

impl Loading {
    /// Applies what was committed meanwhile and shows the view to all.
    fn finish(self, view: View) -> Arc<View> {
        let view = Arc::new(view);
        let mut slots = self.views.slots();
        if let Some(Slot::Loading { waiting, .. }) = slots.insert(self.mailbox, Slot::Ready(Arc::downgrade(&view))) {
            // Under the lock, so that the writer's next change comes after these.
            for change in &waiting {
                view.apply(change);
            }
        }
        drop(slots);
        view
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        let mut slots = self.views.slots();
        if matches!(slots.get(&self.mailbox), Some(Slot::Loading { .. })) {
            slots.remove(&self.mailbox);
        }
    }
}

async fn load(connection: &mut AnyConnection, mailbox: MailboxKey) -> Result<Option<View>, StoreError> {
    let header = sqlx::query(
        "SELECT account_key, uid_validity, uid_next, highest_mod_seq, recent_from FROM mailbox WHERE mailbox_key = $1",
    )
    .bind(mailbox.value())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(header) = header else { return Ok(None) };
    let number = |column: usize| -> Result<u64, StoreError> { unsigned(header.try_get::<i64, _>(column)?) };
    let highest = number(3)?;
    let view = View {
        mailbox,
        account: AccountKey::new(header.try_get(0)?),
        uid_validity: uid_validity(header.try_get(1)?)?,
        state: RwLock::new(State {
            keywords: keywords(&mut *connection, mailbox).await?,
            rows: Rows::new(rows(&mut *connection, mailbox).await?),
            uid_next: narrow(number(2)?)?,
            mod_seq: highest,
            recent_from: narrow(number(4)?)?,
            is_gone: false,
            loaded_at: highest,
            is_overtaken: false,
            remembered: std::collections::VecDeque::new(),
            remembered_from: highest,
            readers: std::collections::HashMap::new(),
            granted: 0,
        }),
        told: watch::Sender::new(mod_seq(highest)),
        loads_reader: tokio::sync::Mutex::new(()),
    };
    Ok(Some(view))
}

/// All rows of a mailbox, ascending.
pub(crate) async fn rows(connection: &mut AnyConnection, mailbox: MailboxKey) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    let mut after = 0_i64;
    loop {
        // A text a column: half the work of one text with all of a row's numbers side by side.
        let columns = COLUMNS.map(|name| format!("string_agg(CAST({name} AS TEXT), ' ')")).join(", ");
        let text = format!(
            "SELECT {columns} FROM (SELECT * FROM entry WHERE mailbox_key = $1 AND uid > $2 ORDER BY uid LIMIT $3) AS chunk"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(mailbox.value()).bind(after).bind(ROWS_AT_ONCE);
        let chunk = query.fetch_one(&mut *connection).await?;
        let mut texts = [""; COLUMNS.len()];
        for (column, text) in texts.iter_mut().enumerate() {
            *text = chunk.try_get::<Option<&str>, _>(column)?.unwrap_or_default();
        }
        let before = rows.len();
        parse_rows(texts, &mut rows)?;
        let Some(last) = rows.last() else { break };
        after = last.uid.into();
        if rows.len() - before < usize::try_from(ROWS_AT_ONCE).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(rows)
}

const COLUMNS: [&str; 7] = ["uid", "message_key", "flags", "mod_seq", "size_octets", "internal_date", "saved_at"];

/// A text for each of [`COLUMNS`], its numbers parted by single spaces.
fn parse_rows(texts: [&str; COLUMNS.len()], rows: &mut Vec<Row>) -> Result<(), StoreError> {
    let bad = || StoreError::damaged("a row of entry that is no row");
    let from = rows.len();
    let [uids, messages, flags, mod_seqs, sizes, internal_dates, saved] = texts;
    let mut others = [messages, flags, mod_seqs, sizes, internal_dates, saved].map(numbers);
    for uid in numbers(uids) {
        let [message, flags, mod_seq, size_octets, internal_date, saved_at] =
            others.each_mut().map(|column| column.next().flatten());
        rows.push(Row {
            uid: uid.and_then(|uid| u32::try_from(uid).ok()).ok_or_else(bad)?,
            message: message.ok_or_else(bad)?,
            flags: unsigned(flags.ok_or_else(bad)?)?,
            mod_seq: unsigned(mod_seq.ok_or_else(bad)?)?,
            size_octets: u32::try_from(size_octets.ok_or_else(bad)?).unwrap_or(u32::MAX),
            internal_date: seconds(internal_date.ok_or_else(bad)?),
            saved_at: seconds(saved_at.ok_or_else(bad)?),
        });
    }
    // Neither engine promises the order of an aggregate's input, though both keep it.
    if let Some(chunk) = rows.get_mut(from..)
        && !chunk.is_sorted_by_key(|row| row.uid)
    {
        chunk.sort_unstable_by_key(|row| row.uid);
    }
    Ok(())
}

/// Numbers parted by single spaces; none in place of what is no number.
pub(crate) fn numbers(text: &str) -> impl Iterator<Item = Option<i64>> {
    text.split_ascii_whitespace().map(|number| number.parse().ok())
}

fn seconds(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

/// A mailbox's keywords.
pub(crate) async fn keywords(connection: &mut AnyConnection, mailbox: MailboxKey) -> Result<Keywords, StoreError> {
    let rows = sqlx::query("SELECT name FROM mailbox_keyword WHERE mailbox_key = $1 ORDER BY bit")
        .bind(mailbox.value())
        .fetch_all(&mut *connection)
        .await?;
    let names = rows.iter().map(|row| {
        let name: String = row.try_get(0)?;
        Keyword::parse(&name).map_err(|error| StoreError::damaged(error.to_string()))
    });
    Ok(Keywords::from_names(names.collect::<Result<_, StoreError>>()?))
}

pub(crate) fn uid_validity(number: i64) -> Result<UidValidity, StoreError> {
    let fits = u32::try_from(number).ok().and_then(UidValidity::new);
    fits.ok_or_else(|| StoreError::damaged(format!("a mailbox with UIDVALIDITY {number}")))
}

pub(crate) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::damaged(format!("{number} where only a positive number may stand")))
}

pub(crate) fn narrow(number: u64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::damaged(format!("{number} where a UID should stand")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_from_long_texts() {
        let mut rows = Vec::new();
        parse_rows(["2 1", "77 78", "3 0", "9 8", "4096 10", "100 200", "-5 201"], &mut rows).unwrap();
        let uids: Vec<u32> = rows.iter().map(|row| row.uid).collect();
        assert_eq!(uids, [1, 2]);
        assert_eq!(rows.first().map(|row| (row.message, row.internal_date, row.saved_at)), Some((78, 200, 201)));
        assert!(parse_rows(["1 2", "7", "3", "9", "1", "1", "1"], &mut Vec::new()).is_err());
        assert!(parse_rows(["1", "x", "3", "9", "1", "1", "1"], &mut Vec::new()).is_err());
    }
}
