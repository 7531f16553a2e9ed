//! A mailbox as one person sees it: the view that all share, with what they have seen laid over it.
//!
//! What readers have seen stands in the view, a set of UIDs each; it is loaded when the first session of theirs looks, and kept true by
//! the writer's changes, as the rows are.

use std::ops::Deref;
use std::sync::Arc;

use relais_model::{Rights, SystemFlag, Uid, UidSet};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::load::{narrow, numbers, unsigned};
use super::{Row, Rows, State, View, add, subtract};
use crate::Store;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey};
use crate::sharing::Reach;
use crate::sql::UidCondition;

/// The owner's `\Seen` among a row's flags.
const SEEN: u64 = SystemFlag::Seen.bit() as u64;

/// What one reader has seen.
#[derive(Debug)]
pub(super) enum Reader {
    /// Being loaded; what is committed meanwhile waits here, in order.
    Loading(Vec<(UidSet, bool)>),
    /// Known.
    Known(UidSet),
}

/// A view through somebody's eyes, with what they may do there. Hold it for as long as you look.
///
/// [`Sight::read`] stands before [`View::read`], and shows their own `\Seen`; all else is the view's.
#[derive(Debug, Clone)]
pub struct Sight {
    view: Arc<View>,
    /// None: the owner.
    reader: Option<AccountKey>,
    rights: Rights,
    /// The view's count of changed rights when `rights` was asked for.
    granted: u64,
}

impl Deref for Sight {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl From<Arc<View>> for Sight {
    /// As its owner sees it.
    fn from(view: Arc<View>) -> Self {
        Self { granted: 0, reader: None, rights: Rights::ALL, view }
    }
}

impl Sight {
    /// The view itself, whose rows have the owner's `\Seen`.
    pub const fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// What they may do, as of the last look ([`Store::look_again`]).
    pub const fn rights(&self) -> Rights {
        self.rights
    }

    /// Whether it is another's mailbox.
    pub const fn is_anothers(&self) -> bool {
        self.reader.is_some()
    }

    /// For the writer.
    pub fn reach(&self) -> Reach {
        Reach { mailbox: self.view.mailbox(), reader: self.reader, rights: self.rights }
    }

    /// Rights were changed since they were asked for, or another node has changed the mailbox.
    pub fn is_stale(&self) -> bool {
        self.view.is_overtaken() || (self.reader.is_some() && self.view.granted() != self.granted)
    }

    /// The UIDs of all that is there.
    pub fn uids(&self) -> UidSet {
        self.view.state().rows.iter().filter_map(Row::uid).collect()
    }

    /// Looks at the rows. A short lock: compute, don't wait, inside.
    pub fn read<T>(&self, look: impl FnOnce(SeenRows<'_>) -> T) -> T {
        let state = self.view.state();
        let nothing = UidSet::new();
        let seen = self.reader.map(|reader| match state.readers.get(&reader) {
            Some(Reader::Known(seen)) => seen,
            _ => &nothing,
        });
        look(SeenRows { rows: &state.rows, seen })
    }
}

/// Rows with the `\Seen` of who looks, ascending by UID.
#[derive(Debug, Clone, Copy)]
pub struct SeenRows<'a> {
    rows: &'a Rows,
    /// None: the owner's, which stands in the rows.
    seen: Option<&'a UidSet>,
}

impl<'a> SeenRows<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.rows.is_empty()
    }

    /// All.
    pub fn iter(self) -> impl Iterator<Item = Row> + 'a {
        self.rows.iter().map(move |row| self.show(row))
    }

    /// The one with this UID.
    pub fn get(self, uid: Uid) -> Option<Row> {
        self.rows.get(uid).map(|row| self.show(row))
    }

    /// Those from `first` to `last`, both inside.
    pub fn range(self, first: u32, last: u32) -> impl ExactSizeIterator<Item = Row> + 'a {
        self.rows.range(first, last).iter().map(move |row| self.show(row))
    }

    /// Those of `uids` that are there.
    pub fn select(self, uids: &'a UidSet) -> impl Iterator<Item = Row> + 'a {
        self.rows.select(uids).map(move |row| self.show(row))
    }

    fn show(self, row: &Row) -> Row {
        match self.seen {
            None => *row,
            Some(seen) => show(*row, row.uid().is_some_and(|uid| seen.contains(uid))),
        }
    }
}

/// A row with this `\Seen` in the place of its owner's.
pub(crate) fn show(row: Row, is_seen: bool) -> Row {
    Row { flags: (row.flags & !SEEN) | if is_seen { SEEN } else { 0 }, ..row }
}

impl View {
    /// How often its rights were changed since it was loaded.
    fn granted(&self) -> u64 {
        self.state().granted
    }
}

impl State {
    /// What a reader has seen, or no longer. Told nobody: the rows' new MODSEQs follow.
    pub(super) fn see(&mut self, reader: AccountKey, uids: &UidSet, is_seen: bool) {
        match self.readers.get_mut(&reader) {
            Some(Reader::Loading(waiting)) => waiting.push((uids.clone(), is_seen)),
            Some(Reader::Known(seen)) => mark(seen, uids, is_seen),
            None => {}
        }
    }

    /// Messages are gone, for readers, too.
    pub(super) fn unsee(&mut self, uids: &UidSet) {
        for reader in self.readers.values_mut() {
            match reader {
                Reader::Loading(waiting) => waiting.push((uids.clone(), false)),
                Reader::Known(seen) => subtract(seen, uids),
            }
        }
    }
}

fn mark(seen: &mut UidSet, uids: &UidSet, is_seen: bool) {
    if is_seen { add(seen, uids) } else { subtract(seen, uids) }
}

impl Store {
    /// The mailbox as an account sees it; none where it is gone, or the account has no right on it.
    pub async fn sight(&self, account: AccountKey, mailbox: MailboxKey) -> Result<Option<Sight>, StoreError> {
        let Some(view) = self.view(mailbox).await? else { return Ok(None) };
        if view.account() == account {
            return Ok(Some(view.into()));
        }
        let granted = view.granted();
        let rights = self.rights(account, mailbox).await?;
        if rights == Rights::NONE {
            return Ok(None);
        }
        self.load_reader(&view, account).await?;
        Ok(Some(Sight { view, reader: Some(account), rights, granted }))
    }

    /// Asks anew what they may do, where that may have changed; where another node has changed the mailbox, looks at it anew: who waits for changes
    /// subscribes again.
    pub async fn look_again(&self, sight: &mut Sight) -> Result<(), StoreError> {
        if sight.view.is_overtaken() {
            let (account, mailbox) = (sight.reader.unwrap_or_else(|| sight.view.account()), sight.view.mailbox());
            match self.sight(account, mailbox).await? {
                Some(fresh) => *sight = fresh,
                // It is gone, or is theirs to see no longer.
                None => sight.rights = Rights::NONE,
            }
            return Ok(());
        }
        if let Some(reader) = sight.reader.filter(|_| sight.is_stale()) {
            // The count first: what changes between the two is asked for again.
            let granted = sight.view.granted();
            sight.rights = self.rights(reader, sight.view.mailbox()).await?;
            sight.granted = granted;
        }
        Ok(())
    }

    /// Has the view know what a reader has seen.
    async fn load_reader(&self, view: &View, reader: AccountKey) -> Result<(), StoreError> {
        // One at a time. Who is cut off while they load leaves what the next one begins anew.
        let _turn = view.loads_reader.lock().await;
        if matches!(view.state().readers.get(&reader), Some(Reader::Known(_))) {
            return Ok(());
        }
        view.state_mut().readers.insert(reader, Reader::Loading(Vec::new()));
        let mut seen = seen_by(&mut *self.reader().await?, view.mailbox(), reader, None).await?;
        let mut state = view.state_mut();
        if let Some(Reader::Loading(waiting)) = state.readers.remove(&reader) {
            // In order, and each absolute: it doesn't matter which of them were read.
            for (uids, is_seen) in &waiting {
                mark(&mut seen, uids, *is_seen);
            }
        }
        state.readers.insert(reader, Reader::Known(seen));
        Ok(())
    }
}

/// What a reader has seen of a mailbox, or of those that `only` selects.
pub(crate) async fn seen_by(
    connection: &mut AnyConnection,
    mailbox: MailboxKey,
    reader: AccountKey,
    only: Option<UidCondition<'_>>,
) -> Result<UidSet, StoreError> {
    let only_text = only.map_or_else(String::new, |only| format!(" AND {}", only.text(3)));
    let text = format!(
        "SELECT string_agg(CAST(uid AS TEXT), ' ') FROM
             (SELECT uid FROM seen WHERE account_key = $1 AND mailbox_key = $2{only_text} ORDER BY uid) AS ordered"
    );
    let query = sqlx::query(AssertSqlSafe(text)).bind(reader.value()).bind(mailbox.value());
    let query = match only {
        Some(only) => only.bind(query),
        None => query,
    };
    let row = query.fetch_one(connection).await?;
    let text: Option<&str> = row.try_get(0)?;
    let bad = || StoreError::damaged("a UID that is none");
    let uids = numbers(text.unwrap_or_default()).map(|uid| narrow(unsigned(uid.ok_or_else(bad)?)?));
    let mut uids = uids.collect::<Result<Vec<_>, _>>()?;
    uids.sort_unstable();
    Ok(uids.into_iter().filter_map(Uid::new).collect())
}
