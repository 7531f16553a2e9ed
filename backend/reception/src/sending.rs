//! What each account has sent of late, against what it may send in a day.
//!
//! Counted in memory: a restart forgets, and each node counts its own. The limits stand between a stolen password and a flood; they are no
//! bill. A day begins with an account's first message and lasts 24 hours.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relais_model::{EnhancedCode, Reply, Timestamp};
use relais_store::{AccountKey, DailyLimits};

use crate::login::Bounded;

const DAY: Duration = Duration::from_hours(24);

/// Accounts that are counted at a time, about; only those that have a limit are.
const MAX_COUNTED: usize = 50_000;

#[derive(Debug, Clone, Copy)]
struct Sent {
    since: Timestamp,
    messages: u64,
    recipients: u64,
}

/// All counts.
#[derive(Debug)]
pub(crate) struct Sending {
    sent: Mutex<Bounded<AccountKey, Sent>>,
}

impl Default for Sending {
    fn default() -> Self {
        Self { sent: Mutex::new(Bounded::new(MAX_COUNTED)) }
    }
}

impl Sending {
    /// Counts one message to so many recipients, unless it is more than the account may send.
    ///
    /// # Errors
    /// The reply that refuses it: for good where no day has room for it, else until the day is over. Nothing was counted.
    pub(crate) fn take(
        &self,
        now: Timestamp,
        account: AccountKey,
        recipients: u64,
        limits: DailyLimits,
    ) -> Result<(), Reply> {
        if limits == DailyLimits::default() {
            return Ok(());
        }
        if let Some(most) = limits.recipients.filter(|most| recipients > *most) {
            let text = format!("You may send to {most} recipients a day, and this message has {recipients}");
            return Err(Reply::new(550, EnhancedCode::new(5, 7, 1), text));
        }
        let mut counts = self.counts();
        let fresh = Sent { since: now, messages: 0, recipients: 0 };
        let sent = counts.look(&account).copied().filter(|sent| now < sent.since.plus(DAY)).unwrap_or(fresh);
        let Sent { since, .. } = sent;
        let sent = Sent { since, messages: sent.messages + 1, recipients: sent.recipients.saturating_add(recipients) };
        if let Some(most) = limits.messages.filter(|most| sent.messages > *most) {
            return Err(later(now, since, &format!("You may send {most} messages a day, and have")));
        }
        if let Some(most) = limits.recipients.filter(|most| sent.recipients > *most) {
            return Err(later(now, since, &format!("You may send to {most} recipients a day, and this would be more")));
        }
        counts.insert(account, sent);
        Ok(())
    }

    /// Takes back what [`Sending::take`] counted: the message wasn't taken.
    pub(crate) fn give_back(&self, account: AccountKey, recipients: u64) {
        let mut counts = self.counts();
        if let Some(sent) = counts.look(&account).copied() {
            let messages = sent.messages.saturating_sub(1);
            counts.insert(account, Sent { messages, recipients: sent.recipients.saturating_sub(recipients), ..sent });
        }
    }

    // What a panicking holder left is still a map of counts.
    fn counts(&self) -> MutexGuard<'_, Bounded<AccountKey, Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RFC 5321 §4.2.2: refused for now, for policy reasons; the client says it, and may try again.
fn later(now: Timestamp, since: Timestamp, why: &str) -> Reply {
    let minutes = since.plus(DAY).since(now).as_secs().div_ceil(60);
    let text = match minutes {
        ..120 => format!("{why}; try again in {minutes} minutes"),
        _ => format!("{why}; try again in {} hours", minutes.div_ceil(60)),
    };
    Reply::new(450, EnhancedCode::new(4, 7, 1), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountKey = AccountKey::new(1);

    #[track_caller]
    fn check(taken: Result<(), Reply>, expected: Option<&str>) {
        assert_eq!(taken.err().map(|reply| reply.to_string()).as_deref().map(str::trim_end), expected);
    }

    #[test]
    fn a_day_has_room_for_so_much() {
        let (sending, start) = (Sending::default(), Timestamp::from_seconds(1_000_000));
        let limits = DailyLimits { messages: Some(2), recipients: Some(5) };
        check(
            sending.take(start, ANN, 6, limits),
            Some("550 5.7.1 You may send to 5 recipients a day, and this message has 6"),
        );
        check(sending.take(start, ANN, 1, limits), None);
        check(
            sending.take(start, ANN, 5, limits),
            Some("450 4.7.1 You may send to 5 recipients a day, and this would be more; try again in 24 hours"),
        );
        check(sending.take(start.plus(Duration::from_hours(1)), ANN, 1, limits), None);
        let late = start.plus(DAY).minus(Duration::from_secs(90));
        check(
            sending.take(late, ANN, 1, limits),
            Some("450 4.7.1 You may send 2 messages a day, and have; try again in 2 minutes"),
        );
        check(sending.take(late, AccountKey::new(2), 1, limits), None);
        check(sending.take(late, ANN, 1, DailyLimits::default()), None);
        sending.give_back(ANN, 1);
        check(sending.take(late, ANN, 1, limits), None);
        check(sending.take(start.plus(DAY), ANN, 5, limits), None);
    }
}
