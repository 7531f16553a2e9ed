//! What each account has sent of late, against what it may.
//!
//! Counted in memory, begun with what the store counted, where each message is counted in the transaction that accepts it. A message takes its
//! place before it is accepted, under one lock, and gives it back where it isn't: two that come at once never both take the last place.
//! A node believes its own counts for [`FRESH`], then looks what others counted. Time goes in spans of ten minutes: an hour is the span that
//! runs and the five before it, so what was sent is free again after 50 to 60 minutes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relais_model::{EnhancedCode, Reply, Timestamp};
use relais_store::{
    AccountKey, COUNTS_KEPT_FOR, SPAN, SendingLimits, SentCount, Settings, Store, StoreError, Submission, span_of,
};

use crate::login::Bounded;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How long a node's own counts are believed.
const FRESH: Duration = Duration::from_mins(1);
/// Accounts that are counted at a time, about.
const MAX_COUNTED: usize = 10_000;

/// What an account sent in a span, or in several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// Messages.
    pub messages: u64,
    /// Recipients of all of them.
    pub recipients: u64,
    /// Recipients to whom it had never written.
    pub new_recipients: u64,
}

impl Sum {
    fn plus(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_add(other.messages),
            recipients: self.recipients.saturating_add(other.recipients),
            new_recipients: self.new_recipients.saturating_add(other.new_recipients),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(other.messages),
            recipients: self.recipients.saturating_sub(other.recipients),
            new_recipients: self.new_recipients.saturating_sub(other.new_recipients),
        }
    }

    const fn of(submission: &Submission) -> Self {
        Self { messages: 1, recipients: submission.recipients, new_recipients: submission.new_recipients }
    }
}

impl From<&SentCount> for Sum {
    fn from(count: &SentCount) -> Self {
        let SentCount { messages, recipients, new_recipients, .. } = *count;
        Self { messages, recipients, new_recipients }
    }
}

/// What an account has sent, a message that comes in now among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// In the span that runs and the one before it: ten to twenty minutes.
    pub lately: Sum,
    /// In an hour.
    pub hour: Sum,
    /// In a day.
    pub day: Sum,
    /// The most of two spans that follow each other in the two weeks before: what is usual with it.
    pub usual: Sum,
    /// Recipients of a day that were refused as nobody, when the store was last asked.
    pub unknown_recipients: u64,
}

/// What a message took of its account's limits; to be given back where it isn't accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) submission: Submission,
    pub(crate) sent: Sent,
    span_at: Timestamp,
}

#[derive(Debug, Clone, Default)]
struct Window {
    /// Of the last day, by the beginning of the span.
    spans: BTreeMap<Timestamp, Sum>,
    /// Places that were taken, and are neither accepted nor given back.
    pending: u64,
    usual: Sum,
    unknown_recipients: u64,
    read_at: Timestamp,
}

impl Window {
    fn of(counts: &[SentCount], now: Timestamp) -> Self {
        let day = within(now, DAY);
        let lately = span_of(now).minus(SPAN);
        let mut window = Self { read_at: now, ..Self::default() };
        let mut before: Option<&SentCount> = None;
        for count in counts {
            if count.span_at < lately {
                let last = before.filter(|before| before.span_at.plus(SPAN) == count.span_at);
                let two = Sum::from(count).plus(last.map(Sum::from).unwrap_or_default());
                window.usual.messages = window.usual.messages.max(two.messages);
                window.usual.recipients = window.usual.recipients.max(two.recipients);
                window.usual.new_recipients = window.usual.new_recipients.max(two.new_recipients);
            }
            if day <= count.span_at {
                window.spans.insert(count.span_at, count.into());
                window.unknown_recipients += count.unknown_recipients;
            }
            before = Some(count);
        }
        window
    }

    fn since(&self, since: Timestamp) -> Sum {
        self.spans.range(since..).fold(Sum::default(), |sum, (_, span)| sum.plus(*span))
    }

    fn sent(&self, now: Timestamp) -> Sent {
        Sent {
            lately: self.since(span_of(now).minus(SPAN)),
            hour: self.since(within(now, HOUR)),
            day: self.since(within(now, DAY)),
            usual: self.usual,
            unknown_recipients: self.unknown_recipients,
        }
    }

    /// When so many of what `count` tells are free again of what was sent within `time`.
    fn frees(&self, now: Timestamp, time: Duration, mut wanted: u64, count: fn(&Sum) -> u64) -> Timestamp {
        for (span_at, span) in self.spans.range(within(now, time)..) {
            wanted = wanted.saturating_sub(count(span));
            if wanted == 0 {
                return span_at.plus(time);
            }
        }
        now.plus(time)
    }
}

/// The first span that counts within `time`: the one that runs is the last of it.
fn within(now: Timestamp, time: Duration) -> Timestamp {
    span_of(now).plus(SPAN).minus(time)
}

/// All counts.
#[derive(Debug)]
pub(crate) struct Sending {
    windows: Mutex<Bounded<AccountKey, Window>>,
}

impl Default for Sending {
    fn default() -> Self {
        Self { windows: Mutex::new(Bounded::new(MAX_COUNTED)) }
    }
}

/// What holds for an account: its own limits, else the house's.
pub fn limits_of(own: SendingLimits, settings: &Settings) -> SendingLimits {
    let or = |own: Option<u64>, house: u64| own.or(Some(house).filter(|most| *most > 0));
    SendingLimits {
        hourly_messages: or(own.hourly_messages, settings.messages_per_hour),
        hourly_recipients: or(own.hourly_recipients, settings.recipients_per_hour),
        daily_messages: or(own.daily_messages, settings.messages_per_day),
        daily_recipients: or(own.daily_recipients, settings.recipients_per_day),
        daily_new_recipients: or(own.daily_new_recipients, settings.new_recipients_per_day),
    }
}

/// What an account has sent, as the store counted it.
///
/// # Errors
/// [`StoreError`].
pub async fn sent_of(store: &Store, account: AccountKey) -> Result<Sent, StoreError> {
    let now = store.now();
    let counts = store.sent_counts(account, now.minus(COUNTS_KEPT_FOR)).await?;
    Ok(Window::of(&counts, now).sent(now))
}

impl Sending {
    /// Makes sure that an account's counts are known.
    ///
    /// # Errors
    /// [`StoreError`]: nothing may be sent.
    pub(crate) async fn know(&self, store: &Store, account: AccountKey, now: Timestamp) -> Result<(), StoreError> {
        let is_fresh = |window: &Window| window.pending > 0 || now.since(window.read_at) < FRESH;
        if self.windows().look(&account).is_some_and(is_fresh) {
            return Ok(());
        }
        let counts = store.sent_counts(account, now.minus(COUNTS_KEPT_FOR)).await?;
        let mut windows = self.windows();
        // Another message may have taken a place meanwhile: its window knows more.
        if !windows.look(&account).is_some_and(is_fresh) {
            windows.insert(account, Window::of(&counts, now));
        }
        Ok(())
    }

    /// Takes a message's place, unless it is more than the account may send.
    ///
    /// # Errors
    /// The reply that refuses it: for good where no span of time has room for it, else until there is. Nothing was taken.
    pub(crate) fn take(&self, now: Timestamp, submission: Submission, limits: &SendingLimits) -> Result<Place, Reply> {
        let mut windows = self.windows();
        let mut window = windows.look(&submission.account).cloned().unwrap_or_default();
        window.spans = window.spans.split_off(&within(now, DAY));
        let sent = window.sent(now);
        for limit in Limit::all(limits) {
            limit.check(now, &window, &sent, &submission)?;
        }
        let span_at = span_of(now);
        let span = window.spans.entry(span_at).or_default();
        *span = span.plus(Sum::of(&submission));
        window.pending += 1;
        let sent = window.sent(now);
        windows.insert(submission.account, window);
        Ok(Place { submission, sent, span_at })
    }

    /// The message was accepted, and counted by the store.
    pub(crate) fn keep(&self, place: &Place) {
        self.settle(place, |_| {});
    }

    /// Takes back what [`Sending::take`] counted: the message wasn't accepted.
    pub(crate) fn give_back(&self, place: &Place) {
        self.settle(place, |window| {
            if let Some(span) = window.spans.get_mut(&place.span_at) {
                *span = span.minus(Sum::of(&place.submission));
            }
        });
    }

    fn settle(&self, place: &Place, change: impl FnOnce(&mut Window)) {
        let mut windows = self.windows();
        if let Some(mut window) = windows.look(&place.submission.account).cloned() {
            window.pending = window.pending.saturating_sub(1);
            change(&mut window);
            windows.insert(place.submission.account, window);
        }
    }

    // What a panicking holder left is still a map of counts.
    fn windows(&self) -> MutexGuard<'_, Bounded<AccountKey, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of an account's limits.
struct Limit {
    most: u64,
    of: Sort,
    time: Duration,
}

#[derive(Clone, Copy)]
enum Sort {
    Messages,
    Recipients,
    NewRecipients,
}

impl Limit {
    /// Those that are set.
    fn all(limits: &SendingLimits) -> impl Iterator<Item = Self> {
        let limit = |most: Option<u64>, of, time| most.map(|most| Self { most, of, time });
        [
            limit(limits.hourly_messages, Sort::Messages, HOUR),
            limit(limits.hourly_recipients, Sort::Recipients, HOUR),
            limit(limits.daily_messages, Sort::Messages, DAY),
            limit(limits.daily_recipients, Sort::Recipients, DAY),
            limit(limits.daily_new_recipients, Sort::NewRecipients, DAY),
        ]
        .into_iter()
        .flatten()
    }

    fn check(&self, now: Timestamp, window: &Window, sent: &Sent, submission: &Submission) -> Result<(), Reply> {
        let count: fn(&Sum) -> u64 = match self.of {
            Sort::Messages => |sum| sum.messages,
            Sort::Recipients => |sum| sum.recipients,
            Sort::NewRecipients => |sum| sum.new_recipients,
        };
        let wanted = count(&Sum::of(submission));
        let had = count(if self.time == HOUR { &sent.hour } else { &sent.day });
        // What adds nothing to a count breaks no limit of it, however full that is.
        let over = had.saturating_add(wanted).saturating_sub(self.most);
        if over == 0 || wanted == 0 {
            return Ok(());
        }
        if self.most < wanted {
            return Err(never(&format!("{}, and this message has {wanted}", self.says())));
        }
        let frees = window.frees(now, self.time, over, count);
        Err(later(now, frees, &format!("{}, {had} are used", self.says())))
    }

    fn says(&self) -> String {
        let time = if self.time == HOUR { "an hour" } else { "a day" };
        match self.of {
            Sort::Messages => format!("You may send {} messages {time}", self.most),
            Sort::Recipients => format!("You may send to {} recipients {time}", self.most),
            Sort::NewRecipients => format!("You may send to {} recipients {time} whom you never wrote to", self.most),
        }
    }
}

/// RFC 3463 §3.8: X.7.1, the sender isn't authorized to send this. No later time makes it fit: permanent, so that nobody tries for days; RFC 5321
/// §4.2.2's 550 is the reply for policy.
fn never(why: &str) -> Reply {
    Reply::new(550, EnhancedCode::new(5, 7, 1), why)
}

/// RFC 5321 §4.2.2: 450, refused for now; RFC 3463 §3.8: for a policy. Not 452 with X.3.1 or X.2.2: neither system nor mailbox is full, the
/// account has used what it may. The client shows the text, and may try again.
fn later(now: Timestamp, frees: Timestamp, why: &str) -> Reply {
    let minutes = frees.since(now).as_secs().div_ceil(60).max(1);
    let text = match minutes {
        1 => format!("{why}; try again in a minute"),
        ..120 => format!("{why}; try again in {minutes} minutes"),
        _ => format!("{why}; try again in {} hours", minutes.div_ceil(60)),
    };
    Reply::new(450, EnhancedCode::new(4, 7, 1), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountKey = AccountKey::new(1);
    /// The beginning of a span.
    const START: Timestamp = Timestamp::from_seconds(1_200_000);

    fn message(recipients: u64, new_recipients: u64) -> Submission {
        Submission { account: ANN, recipients, new_recipients }
    }

    fn minutes(number: u64) -> Timestamp {
        START.plus(Duration::from_mins(number))
    }

    /// Takes the place for good.
    #[track_caller]
    fn check(sending: &Sending, at: u64, message: Submission, limits: &SendingLimits, expected: Option<&str>) {
        let taken = sending.take(minutes(at), message, limits);
        let said = taken.as_ref().err().map(ToString::to_string);
        assert_eq!(said.as_deref().map(str::trim_end), expected);
        if let Ok(place) = taken {
            sending.keep(&place);
        }
    }

    #[test]
    fn a_day_has_room_for_so_much() {
        let sending = Sending::default();
        let limits = SendingLimits { daily_messages: Some(2), daily_recipients: Some(5), ..SendingLimits::default() };
        check(
            &sending,
            0,
            message(6, 0),
            &limits,
            Some("550 5.7.1 You may send to 5 recipients a day, and this message has 6"),
        );
        check(&sending, 0, message(1, 0), &limits, None);
        check(
            &sending,
            0,
            message(5, 0),
            &limits,
            Some("450 4.7.1 You may send to 5 recipients a day, 1 are used; try again in 24 hours"),
        );
        check(&sending, 60, message(1, 0), &limits, None);
        let last = 24 * 60 - 2;
        check(
            &sending,
            last,
            message(1, 0),
            &limits,
            Some("450 4.7.1 You may send 2 messages a day, 2 are used; try again in 2 minutes"),
        );
        check(&sending, last, message(1, 0), &SendingLimits::default(), None);
        check(
            &sending,
            24 * 60,
            message(1, 0),
            &limits,
            Some("450 4.7.1 You may send 2 messages a day, 2 are used; try again in 60 minutes"),
        );
        check(&sending, 48 * 60, message(5, 0), &limits, None);
    }

    #[test]
    fn an_hour_slides() {
        let sending = Sending::default();
        let limits = SendingLimits { hourly_recipients: Some(10), ..SendingLimits::default() };
        check(&sending, 5, message(4, 0), &limits, None);
        check(&sending, 25, message(6, 0), &limits, None);
        let full =
            |minutes| format!("450 4.7.1 You may send to 10 recipients an hour, 10 are used; try again in {minutes}");
        check(&sending, 30, message(4, 0), &limits, Some(&full("30 minutes")));
        check(&sending, 30, message(5, 0), &limits, Some(&full("50 minutes")));
        check(&sending, 59, message(1, 0), &limits, Some(&full("a minute")));
        check(&sending, 60, message(4, 0), &limits, None);
        check(&sending, 79, message(1, 0), &limits, Some(&full("a minute")));
        check(&sending, 80, message(6, 0), &limits, None);
        let messages = SendingLimits { hourly_messages: Some(2), ..SendingLimits::default() };
        check(
            &sending,
            80,
            message(1, 0),
            &messages,
            Some("450 4.7.1 You may send 2 messages an hour, 2 are used; try again in 40 minutes"),
        );
    }

    #[test]
    fn whom_one_knows_one_may_always_write_to() {
        let sending = Sending::default();
        let limits = SendingLimits { daily_new_recipients: Some(3), ..SendingLimits::default() };
        check(&sending, 0, message(9, 3), &limits, None);
        check(&sending, 1, message(50, 0), &limits, None);
        check(
            &sending,
            1,
            message(2, 1),
            &limits,
            Some(
                "450 4.7.1 You may send to 3 recipients a day whom you never wrote to, 3 are used; try again in 24 hours",
            ),
        );
    }

    #[test]
    fn what_is_not_accepted_is_given_back() {
        let sending = Sending::default();
        let limits = SendingLimits { daily_messages: Some(1), ..SendingLimits::default() };
        let place = sending.take(START, message(1, 0), &limits).unwrap();
        assert!(sending.take(START, message(1, 0), &limits).is_err(), "the place is taken while it is thought about");
        sending.give_back(&place);
        check(&sending, 0, message(1, 0), &limits, None);
        check(&sending, 0, Submission { account: AccountKey::new(2), ..message(1, 0) }, &limits, None);
    }

    #[test]
    fn what_is_usual_is_the_most_of_two_spans() {
        let count = |minutes_ago: u64, messages: u64| SentCount {
            span_at: START.minus(Duration::from_mins(minutes_ago)),
            messages,
            recipients: messages,
            new_recipients: 0,
            unknown_recipients: 1,
        };
        let counts = [count(3000, 4), count(2990, 5), count(2000, 8), count(1000, 1), count(10, 90), count(0, 80)];
        let sent = Window::of(&counts, START).sent(START);
        assert_eq!((sent.usual.messages, sent.lately.messages), (9, 170));
        assert_eq!((sent.hour.messages, sent.day.messages, sent.unknown_recipients), (170, 171, 3));
    }
}
