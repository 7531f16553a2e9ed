//! Views that other nodes have overtaken: such a view stays as it was, and who looks at it looks again at a new one (decision 63).
//!
//! A view learns it from a change that isn't the next, from the writer, which finds the database further than the view, or because the
//! mailboxes that somebody looks at here are asked how far they are.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Row as _};

use super::load::unsigned;
use super::{MailboxChange, Slot, View, Views, What, mod_seq};
use crate::key::MailboxKey;
use crate::{Store, StoreError, sql};

/// Mailboxes that are asked about in one statement.
const AT_ONCE: usize = 500;

impl Store {
    /// Looks for mailboxes that other nodes have changed, and has those who look at them here look again. With SQLite there is no other node.
    pub async fn hear_mail(&self) -> Result<(), StoreError> {
        if self.engine().is_ours_alone() {
            return Ok(());
        }
        for mailboxes in self.inner.views.mailboxes().chunks(AT_ONCE) {
            let keys = sql::placeholders(mailboxes.len(), 1, 0);
            let text = format!("SELECT mailbox_key, highest_mod_seq FROM mailbox WHERE mailbox_key IN {keys}");
            let query = sqlx::query(AssertSqlSafe(text));
            let query = mailboxes.iter().fold(query, |query, mailbox| query.bind(mailbox.value()));
            let rows = query.fetch_all(&mut *self.reader().await?).await?;
            let mut found = HashMap::with_capacity(rows.len());
            for row in &rows {
                found.insert(MailboxKey::new(row.try_get(0)?), unsigned(row.try_get(1)?)?);
            }
            for mailbox in mailboxes {
                self.inner.views.overtake(*mailbox, found.get(mailbox).copied());
            }
        }
        Ok(())
    }
}

impl View {
    /// Another node has changed the mailbox. No change comes here any more: look again, at another view ([`Store::look_again`](crate::Store::look_again)).
    pub fn is_overtaken(&self) -> bool {
        self.state().is_overtaken
    }

    /// Whether it has all that the database has, where that has this MODSEQ: another node may have changed the mailbox.
    pub(crate) fn is_as_of(&self, mod_seq: u64) -> bool {
        let state = self.state();
        !state.is_overtaken && mod_seq <= state.mod_seq
    }

    /// Has all who look at it look again.
    fn overtake(&self) {
        let mut state = self.state_mut();
        state.is_overtaken = true;
        let mod_seq = mod_seq(state.mod_seq);
        drop(state);
        self.told.send_replace(mod_seq);
    }
}

impl Views {
    /// Mailboxes of which there are views.
    fn mailboxes(&self) -> Vec<MailboxKey> {
        let slots = self.slots();
        let held = slots.iter().filter(|(_, slot)| matches!(slot, Slot::Ready(view) if view.strong_count() > 0));
        held.map(|(mailbox, _)| *mailbox).collect()
    }

    /// The database has a mailbox with this MODSEQ, or has it no more. Where the view here is behind, for another node changed the mailbox, all who look
    /// at it look again, at a new one: so nobody is told of a later change before they are told of what was missed.
    pub(crate) fn overtake(&self, mailbox: MailboxKey, mod_seq: Option<u64>) {
        let Some(view) = self.live(mailbox).filter(|view| !view.is_gone()) else { return };
        match mod_seq {
            Some(mod_seq) if view.is_as_of(mod_seq) => return,
            Some(_) => view.overtake(),
            None => {
                let (account, mod_seq) = (view.account(), view.highest_mod_seq().value().saturating_add(1));
                view.apply(&MailboxChange { account, mailbox, mod_seq, what: What::Gone });
            }
        }
        self.kept.invalidate(&mailbox);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::view;
    use super::super::{Keywords, Row, Rows};
    use super::*;

    /// Several nodes: a view that didn't hear of a change says so from then on, whatever it hears later.
    #[test]
    fn a_view_knows_that_it_has_missed_something() {
        let flagged = What::Flagged(vec![(1, 1)]);
        let keywords = What::Keywords(Keywords::default());
        let check = |changes: &[(u64, &What)], mod_seq: u64, is_whole: bool| {
            let view = view(1, 3);
            for (mod_seq, what) in changes {
                let (account, mailbox) = (view.account(), view.mailbox());
                view.apply(&MailboxChange { account, mailbox, mod_seq: *mod_seq, what: (*what).clone() });
            }
            assert_eq!(view.is_as_of(mod_seq), is_whole, "{changes:?}");
        };
        check(&[], 1, true);
        check(&[], 2, false);
        check(&[(2, &flagged), (0, &What::Granted), (2, &keywords), (3, &flagged)], 3, true);
        check(&[(2, &flagged), (2, &flagged)], 2, true);
        check(&[(3, &flagged)], 3, false);
        check(&[(2, &keywords), (3, &flagged)], 3, false);
        check(&[(3, &flagged), (4, &flagged)], 4, false);
    }

    /// Several nodes: what was read isn't undone by an older change that is told late, and who looks is told to look again where the database is further.
    #[test]
    fn a_view_is_overtaken_where_the_database_is_further() {
        let (views, held) = (Views::default(), view(1, 3));
        let key = held.mailbox();
        views.slots().insert(key, Slot::Ready(Arc::downgrade(&held)));
        let gone = Row { message: 0, flags: 0, mod_seq: 1, uid: 9, size_octets: 1, internal_date: 0, saved_at: 0 };
        let change = |mod_seq, what| MailboxChange { account: held.account(), mailbox: key, mod_seq, what };
        views.publish(vec![change(1, What::Arrived(vec![gone]))]);
        assert_eq!(held.read(Rows::len), 3, "it was here and is gone");
        let told = held.subscribe();
        views.overtake(key, Some(1));
        assert!(!held.is_overtaken() && views.live(key).is_some() && !told.has_changed().unwrap());
        views.overtake(key, Some(2));
        assert!(held.is_overtaken() && views.live(key).is_none() && told.has_changed().unwrap());
        views.publish(vec![change(2, What::Flagged(vec![(1, 1)]))]);
        assert_eq!((held.highest_mod_seq().value(), held.read(flagged)), (1, 0), "the new view's alone");
        assert_eq!(views.mailboxes(), [key]);
    }

    /// Several nodes: where what is done here is the first that tells of what was missed, it isn't told before that either.
    #[test]
    fn a_later_change_is_not_applied_before_a_missed_one() {
        let (views, held) = (Views::default(), view(1, 3));
        let (account, key) = (held.account(), held.mailbox());
        views.slots().insert(key, Slot::Ready(Arc::downgrade(&held)));
        let told = held.subscribe();
        let change = |mod_seq, what| MailboxChange { account, mailbox: key, mod_seq, what };
        views.publish(vec![change(3, What::Flagged(vec![(1, 1)]))]);
        assert!(held.is_overtaken() && views.live(key).is_none() && told.has_changed().unwrap());
        assert_eq!((held.highest_mod_seq().value(), held.read(flagged)), (1, 0));
        views.publish(vec![change(4, What::Gone)]);
        assert!(held.is_gone(), "that is true whatever was missed");
    }

    /// Several nodes: a mailbox that another node has deleted is gone here, as if it had been deleted here.
    #[test]
    fn a_view_is_gone_where_the_database_has_it_no_more() {
        let (views, held) = (Views::default(), view(1, 3));
        views.slots().insert(held.mailbox(), Slot::Ready(Arc::downgrade(&held)));
        let told = held.subscribe();
        views.overtake(held.mailbox(), None);
        assert!(held.is_gone() && told.has_changed().unwrap());
    }

    /// How many have a flag.
    fn flagged(rows: &Rows) -> usize {
        rows.iter().filter(|row| row.flags != 0).count()
    }
}
