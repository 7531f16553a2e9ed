//! What each account has of the house, over all doors and addresses: whoever has a password has no more than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use relais_store::AccountKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Commands of one account that go through a whole mailbox (SEARCH, SORT, THREAD) at once. Further ones wait for their turn: what
/// they compute would fill the memory and keep the cores from everybody else.
const LONG_COMMANDS: usize = 2;

/// The accounts that are logged in now.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    present: Mutex<HashMap<AccountKey, Present>>,
}

#[derive(Debug)]
struct Present {
    sessions: usize,
    turns: Arc<Semaphore>,
    /// Cancelled where the account is closed to all who are in.
    closing: CancellationToken,
}

impl Default for Present {
    fn default() -> Self {
        Self { sessions: 0, turns: Arc::new(Semaphore::new(LONG_COMMANDS)), closing: CancellationToken::new() }
    }
}

/// One of an account's sessions, until it is dropped.
#[derive(Debug)]
pub(crate) struct AccountSeat {
    accounts: Arc<Accounts>,
    account: AccountKey,
    turns: Arc<Semaphore>,
    closing: CancellationToken,
}

impl Accounts {
    /// A seat; none where the account has `limit` already.
    pub(crate) fn seat(self: &Arc<Self>, account: AccountKey, limit: usize) -> Option<AccountSeat> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = present.get(&account).map_or(0, |present| present.sessions);
        if sessions >= limit {
            return None;
        }
        let here = present.entry(account).or_default();
        here.sessions += 1;
        let (turns, closing) = (Arc::clone(&here.turns), here.closing.clone());
        Some(AccountSeat { accounts: Arc::clone(self), account, turns, closing })
    }

    /// Ends an account's sessions; who logs in from now on isn't meant.
    pub(crate) fn close(&self, account: AccountKey) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = present.get_mut(&account) {
            std::mem::take(&mut here.closing).cancel();
        }
    }
}

impl AccountSeat {
    /// Waits until the account is closed to all who are in; without a seat, for ever.
    pub(crate) fn closing(seat: Option<&Self>) -> impl Future<Output = ()> + use<> {
        let closing = seat.map(|seat| seat.closing.clone());
        async move {
            match closing {
                Some(closing) => closing.cancelled().await,
                None => std::future::pending().await,
            }
        }
    }

    /// Waits for the turn of a long command, which lasts until it is dropped. Whoever has it must not wait for a peer.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }
}

impl Drop for AccountSeat {
    fn drop(&mut self) {
        let mut present = self.accounts.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = present.get_mut(&self.account) {
            here.sessions -= 1;
            if here.sessions == 0 {
                present.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn an_account_has_so_many_seats_and_leaves_nothing_behind() {
        let accounts = Arc::new(Accounts::default());
        let (ann, ben) = (AccountKey::new(1), AccountKey::new(2));
        assert!(accounts.seat(ann, 0).is_none());
        let seats = [accounts.seat(ann, 2), accounts.seat(ann, 2), accounts.seat(ben, 2)];
        assert!(seats.iter().all(Option::is_some));
        assert!(accounts.seat(ann, 2).is_none());
        drop(seats);
        assert!(accounts.present.lock().unwrap().is_empty());
    }

    #[test]
    fn who_is_in_hears_that_the_account_is_closed() {
        let accounts = Arc::new(Accounts::default());
        let seat = |account| accounts.seat(AccountKey::new(account), 9).unwrap();
        let is_closed = |seat: &AccountSeat| AccountSeat::closing(Some(seat)).now_or_never().is_some();
        let (old, stranger) = (seat(1), seat(2));
        accounts.close(AccountKey::new(1));
        accounts.close(AccountKey::new(3));
        let new = seat(1);
        assert_eq!((is_closed(&old), is_closed(&new), is_closed(&stranger)), (true, false, false));
        assert!(AccountSeat::closing(None).now_or_never().is_none());
    }

    /// The sessions of one account wait for each other, and for nobody else.
    #[test]
    fn long_commands_take_turns() {
        let accounts = Arc::new(Accounts::default());
        let seat = |account| accounts.seat(AccountKey::new(account), 9).unwrap();
        let (one, other, stranger) = (seat(1), seat(1), seat(2));
        let turns = [&one, &other].map(|seat| seat.turn().now_or_never().unwrap());
        assert!(one.turn().now_or_never().is_none());
        assert!(stranger.turn().now_or_never().is_some());
        drop(turns);
        assert!(one.turn().now_or_never().is_some());
    }
}
