//! From what was said of a recipient to what becomes of it, and to the notices that its sender gets.

use std::time::Duration;

use relais_filing::Filing;
use relais_filing::notice::{About, Kind, Notice, RETURNED_OCTETS, Told};
use relais_model::{EnhancedCode, Random, Reply, ReversePath, Timestamp};
use relais_store::{Acceptance, Outcome, QueuedMessage, QueuedRecipient, Settlement, Store, StoreError};

use crate::attempt::{Job, Ports, Said, Verdict};
use crate::bodies::{Body, beginning};
use crate::config::DeliveryConfig;
use crate::unknown::is_unknown;

/// What becomes of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    /// The notice that is due, with the status in it.
    pub(crate) notice: Option<(Kind, EnhancedCode)>,
}

/// Decides, from facts alone.
pub(crate) fn decide(
    config: &DeliveryConfig,
    message: &QueuedMessage,
    recipient: &QueuedRecipient,
    verdict: &Verdict,
    now: Timestamp,
    random: &dyn Random,
    delay_notice_after: Duration,
) -> Decision {
    let notify = recipient.notify.unwrap_or_default();
    let told = |kind: Kind, is_wanted: bool, status: EnhancedCode| {
        // RFC 5321 §4.5.5: nobody is told where nobody sent.
        (is_wanted && message.reverse_path != ReversePath::Null).then_some((kind, status))
    };
    match verdict {
        Verdict::Untried => Decision { outcome: Outcome::Untried { until: now }, notice: None },
        Verdict::Delivered(said) => {
            // RFC 3461 §5.2.2: the duty is ours where the next hop doesn't know it.
            let kind = if said.host.is_some() { Kind::Relayed } else { Kind::Delivered };
            let notice = told(kind, notify.success && !said.hands_on_dsn, status_of(&said.reply));
            let (reply, remote, protection) = (said.reply.to_string(), host_of(said), said.protection);
            Decision { outcome: Outcome::Delivered { reply, remote, protection }, notice }
        }
        Verdict::Failed(said) => {
            let notice = told(Kind::Failed, notify.failure, status_of(&said.reply));
            let (reply, remote, is_unknown) = (said.reply.to_string(), host_of(said), is_unknown(&said.reply));
            Decision { outcome: Outcome::Failed { reply, remote, is_unknown }, notice }
        }
        Verdict::Deferred(said) if message.expires_at <= now => {
            // RFC 3463 §3.5: X.4.7, delivery time expired.
            let notice = told(Kind::Failed, notify.failure, EnhancedCode::new(4, 4, 7));
            let reply = format!("Given up (4.4.7) after: {}", said.reply);
            Decision { outcome: Outcome::Failed { reply, remote: host_of(said), is_unknown: false }, notice }
        }
        Verdict::Deferred(said) => {
            let is_late = delay_notice_after <= now.since(message.created_at);
            let is_wanted = is_late && !recipient.delay_told && notify.delay;
            let notice = told(Kind::Delayed, is_wanted, status_of(&said.reply));
            let until = config.backoff.next(recipient.attempts.saturating_add(1), now, random).min(message.expires_at);
            let delay_told = recipient.delay_told || notice.is_some();
            let reply = said.reply.to_string();
            Decision { outcome: Outcome::Deferred { until, reply, remote: host_of(said), delay_told }, notice }
        }
    }
}

fn host_of(said: &Said) -> String {
    said.host.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// The reply's enhanced code, or the one that says as little (RFC 3463 §3.1).
fn status_of(reply: &Reply) -> EnhancedCode {
    let class = match reply.code {
        0..=399 => 2,
        400..=499 => 4,
        _ => 5,
    };
    reply.enhanced.unwrap_or(EnhancedCode::new(class, 0, 0))
}

/// Notes verdicts in the store, with the notices they cause.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) filing: Filing,
    pub(crate) config: DeliveryConfig,
    pub(crate) ports: Ports,
}

impl Desk {
    /// One transaction: what became of `job`'s recipients, the notices, and `filed`, which was to come in instead of going out.
    pub(crate) async fn settle(
        &self,
        job: &Job,
        verdicts: &[Verdict],
        body: &dyn Body,
        filed: Vec<Acceptance>,
    ) -> Result<(), StoreError> {
        let (now, delay_notice_after) = (self.ports.clock.now(), self.store.settings().delay_notice_after);
        let mut settlements = Vec::with_capacity(verdicts.len());
        let mut due = Vec::new();
        for (recipient, verdict) in job.recipients.iter().zip(verdicts) {
            let decision =
                decide(&self.config, &job.message, recipient, verdict, now, &*self.ports.random, delay_notice_after);
            log(job, recipient, verdict, &decision);
            count(&decision.outcome);
            if let (Some((kind, status)), Some(said)) = (decision.notice, said_in(verdict)) {
                due.push((kind, told(recipient, said, status)));
            }
            settlements.push(Settlement { recipient: recipient.key, outcome: decision.outcome });
        }
        let mut notices = filed;
        notices.extend(self.notices(&job.message, due, body, now).await?);
        self.store.queue_settle(settlements, notices).await
    }

    /// One notice of each kind that is due.
    async fn notices(
        &self,
        message: &QueuedMessage,
        mut due: Vec<(Kind, Told<'_>)>,
        body: &dyn Body,
        now: Timestamp,
    ) -> Result<Vec<Acceptance>, StoreError> {
        let mut notices = Vec::new();
        let Some(to) = message.reverse_path.address() else { return Ok(notices) };
        while let Some(kind) = due.first().map(|(kind, _)| *kind) {
            let (same, others): (Vec<_>, Vec<_>) = due.into_iter().partition(|(other, _)| *other == kind);
            due = others;
            let told = same.into_iter().map(|(_, told)| told).collect();
            let raw = beginning(body, RETURNED_OCTETS.saturating_add(1)).await;
            let about = about(message, &raw);
            let expires_at = now.plus(self.config.notice_lifetime);
            let notice = Notice { kind, about, to, told, now, expires_at };
            notices.extend(self.filing.notice(&notice, &*self.ports.random).await?);
        }
        Ok(notices)
    }
}

fn about<'a>(message: &'a QueuedMessage, raw: &'a [u8]) -> About<'a> {
    About {
        trace: &message.trace,
        envelope_id: message.envelope_id.as_ref(),
        ret: message.ret,
        require_tls: message.require_tls,
        arrived_at: message.created_at,
        expires_at: message.expires_at,
        raw,
    }
}

fn told<'a>(recipient: &'a QueuedRecipient, said: &'a Said, status: EnhancedCode) -> Told<'a> {
    Told {
        recipient: &recipient.address,
        original: recipient.original.as_ref(),
        status,
        reply: &said.reply,
        remote: said.host.as_ref().filter(|_| said.is_remote),
    }
}

fn said_in(verdict: &Verdict) -> Option<&Said> {
    match verdict {
        Verdict::Delivered(said) | Verdict::Deferred(said) | Verdict::Failed(said) => Some(said),
        Verdict::Untried => None,
    }
}

fn count(outcome: &Outcome) {
    let word = match outcome {
        Outcome::Delivered { .. } => "delivered",
        Outcome::Deferred { .. } => "deferred",
        Outcome::Failed { .. } => "failed",
        Outcome::Untried { .. } => return,
    };
    metrics::counter!("relais_deliveries_total", "outcome" => word).increment(1);
}

fn log(job: &Job, recipient: &QueuedRecipient, verdict: &Verdict, decision: &Decision) {
    let (id, to, hop) = (&job.message.trace, &recipient.address, &job.next_hop);
    match (&decision.outcome, said_in(verdict)) {
        (Outcome::Delivered { remote, reply, protection }, _) => {
            let tls = protection.map_or("", relais_store::Protection::as_str);
            tracing::info!(queue.id = %id, recipient = %to, next_hop = %hop, remote, reply, tls, "delivered");
        }
        (Outcome::Deferred { remote, reply, until, .. }, _) => {
            let next_ms = until.millis();
            tracing::info!(queue.id = %id, recipient = %to, next_hop = %hop, remote, reply, next_ms, "deferred");
        }
        (Outcome::Failed { remote, reply, .. }, _) if job.message.reverse_path == ReversePath::Null => {
            tracing::warn!(queue.id = %id, recipient = %to, next_hop = %hop, remote, reply, "failed, and nobody is to be told: dropped");
        }
        (Outcome::Failed { remote, reply, .. }, _) => {
            tracing::info!(queue.id = %id, recipient = %to, next_hop = %hop, remote, reply, "failed");
        }
        (Outcome::Untried { .. }, _) => tracing::debug!(queue.id = %id, recipient = %to, "given back untried"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::tests::{message, recipient};
    use relais_model::{Domain, Notify};
    use relais_testkit::SeededRandom;
    const HOUR: Duration = Duration::from_hours(1);

    fn said(code: u16, subject: u16, detail: u16) -> Said {
        let class = u8::try_from(code / 100).unwrap();
        let reply = Reply::new(code, EnhancedCode::new(class, subject, detail), "words");
        let host = Some(Domain::parse("mx.d.example").unwrap());
        Said { reply, host, is_remote: true, hands_on_dsn: false, protection: None }
    }

    /// `change` makes the case of a message `age` old; expected: outcome, notice and status.
    #[track_caller]
    fn check(
        verdict: &Verdict,
        age: Duration,
        change: impl FnOnce(&mut QueuedMessage, &mut QueuedRecipient),
        expected: (&str, Option<(Kind, &str)>),
    ) -> Decision {
        let (mut message, mut recipient) = (message(), recipient("b@d.example"));
        change(&mut message, &mut recipient);
        let config = DeliveryConfig::new(Domain::parse("us.example").unwrap());
        let now = message.created_at.plus(age);
        let decision =
            decide(&config, &message, &recipient, verdict, now, &SeededRandom::default(), Duration::from_hours(4));
        let outcome = match &decision.outcome {
            Outcome::Delivered { .. } => "delivered",
            Outcome::Deferred { .. } => "deferred",
            Outcome::Failed { .. } => "failed",
            Outcome::Untried { .. } => "untried",
        };
        let notice = decision.notice.map(|(kind, status)| (kind, status.to_string()));
        assert_eq!((outcome, notice), (expected.0, expected.1.map(|(kind, status)| (kind, status.to_owned()))));
        decision
    }

    fn notify(success: bool, failure: bool, delay: bool) -> impl FnOnce(&mut QueuedMessage, &mut QueuedRecipient) {
        move |_, recipient| recipient.notify = Some(Notify { success, failure, delay })
    }

    fn nobody(message: &mut QueuedMessage, _: &mut QueuedRecipient) {
        message.reverse_path = ReversePath::Null;
    }

    /// RFC 3461 §4.1, §5.2.2; RFC 5321 §4.5.5.
    #[test]
    fn senders_are_told_what_they_asked_for_and_nobody_is_never_told() {
        let failed = Verdict::Failed(said(550, 1, 1));
        check(&failed, HOUR, |_, _| {}, ("failed", Some((Kind::Failed, "5.1.1"))));
        check(&failed, HOUR, notify(true, false, true), ("failed", None));
        check(&failed, HOUR, nobody, ("failed", None));
        let delivered = Verdict::Delivered(said(250, 1, 5));
        check(&delivered, HOUR, |_, _| {}, ("delivered", None));
        check(&delivered, HOUR, notify(true, true, true), ("delivered", Some((Kind::Relayed, "2.1.5"))));
        let handed_on = Verdict::Delivered(Said { hands_on_dsn: true, ..said(250, 1, 5) });
        check(&handed_on, HOUR, notify(true, true, true), ("delivered", None));
        let in_mailbox = Verdict::Delivered(Said { host: None, ..said(250, 1, 5) });
        check(&in_mailbox, HOUR, notify(true, true, true), ("delivered", Some((Kind::Delivered, "2.1.5"))));
        check(&Verdict::Untried, HOUR, |_, _| {}, ("untried", None));
    }

    #[test]
    fn a_delay_is_told_once_after_four_hours() {
        let deferred = Verdict::Deferred(said(451, 7, 1));
        check(&deferred, HOUR, |_, _| {}, ("deferred", None));
        let first = check(&deferred, HOUR * 4, |_, _| {}, ("deferred", Some((Kind::Delayed, "4.7.1"))));
        assert!(matches!(first.outcome, Outcome::Deferred { delay_told: true, .. }));
        check(&deferred, HOUR * 5, |_, recipient| recipient.delay_told = true, ("deferred", None));
        check(&deferred, HOUR * 5, notify(true, true, false), ("deferred", None));
        check(&deferred, HOUR * 5, nobody, ("deferred", None));
    }

    /// RFC 5321 §4.5.4.1, RFC 3463 §3.5: X.4.7.
    #[test]
    fn mail_is_given_up_when_its_time_is_over_and_tried_a_last_time_then() {
        let deferred = Verdict::Deferred(said(451, 7, 1));
        check(&deferred, HOUR * 120, |_, _| {}, ("failed", Some((Kind::Failed, "4.4.7"))));
        let last = check(
            &deferred,
            HOUR * 119,
            |_, recipient| {
                recipient.attempts = 30;
                recipient.delay_told = true;
            },
            ("deferred", None),
        );
        let Outcome::Deferred { until, .. } = last.outcome else { panic!() };
        assert_eq!(until, message().expires_at);
    }
}
