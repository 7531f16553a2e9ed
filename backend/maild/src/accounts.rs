//! How many sessions each account has, over all doors and addresses: whoever has a password has no more of the house than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use relais_store::AccountKey;

/// The sessions that are logged in now.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    sessions: Mutex<HashMap<AccountKey, usize>>,
}

/// One of an account's sessions, until it is dropped.
#[derive(Debug)]
pub(crate) struct AccountSeat {
    accounts: Arc<Accounts>,
    account: AccountKey,
}

impl Accounts {
    /// A seat; none where the account has `limit` already.
    pub(crate) fn seat(self: &Arc<Self>, account: AccountKey, limit: usize) -> Option<AccountSeat> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let here = sessions.entry(account).or_default();
        if *here >= limit {
            if *here == 0 {
                sessions.remove(&account);
            }
            return None;
        }
        *here += 1;
        Some(AccountSeat { accounts: Arc::clone(self), account })
    }
}

impl Drop for AccountSeat {
    fn drop(&mut self) {
        let mut sessions = self.accounts.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = sessions.get_mut(&self.account) {
            *here -= 1;
            if *here == 0 {
                sessions.remove(&self.account);
            }
        }
    }
}
