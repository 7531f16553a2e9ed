//! From what was said of a recipient to what becomes of it, and to the notices that its sender gets.

use relais_model::{EnhancedCode, Notify, Random, Reply, ReversePath, Timestamp};
use relais_store::{
    Acceptance, Content, NewQueued, NewRecipient, Outcome, QueuedMessage, QueuedRecipient, Settlement, Store, StoreError,
    TraceId,
};

use crate::attempt::{Job, Ports, Said, Verdict};
use crate::config::DeliveryConfig;
use crate::connection::Body;
use crate::local::places;
use crate::notice::{Kind, Notice, Told};

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
            Decision { outcome: Outcome::Delivered { reply: said.reply.to_string(), remote: host_of(said) }, notice }
        }
        Verdict::Failed(said) => {
            let notice = told(Kind::Failed, notify.failure, status_of(&said.reply));
            Decision { outcome: Outcome::Failed { reply: said.reply.to_string(), remote: host_of(said) }, notice }
        }
        Verdict::Deferred(said) if message.expires_at <= now => {
            // RFC 3463 §3.5: X.4.7, delivery time expired.
            let notice = told(Kind::Failed, notify.failure, EnhancedCode::new(4, 4, 7));
            let reply = format!("Given up (4.4.7) after: {}", said.reply);
            Decision { outcome: Outcome::Failed { reply, remote: host_of(said) }, notice }
        }
        Verdict::Deferred(said) => {
            let is_late = config.delay_notice_after <= now.since(message.created_at);
            let is_wanted = is_late && !recipient.delay_told && wants_delay(notify);
            let notice = told(Kind::Delayed, is_wanted, status_of(&said.reply));
            let until = config.backoff.next(recipient.attempts.saturating_add(1), now, random).min(message.expires_at);
            let delay_told = recipient.delay_told || notice.is_some();
            let reply = said.reply.to_string();
            Decision { outcome: Outcome::Deferred { until, reply, remote: host_of(said), delay_told }, notice }
        }
    }
}

fn wants_delay(notify: Notify) -> bool {
    notify.delay
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
        let now = self.ports.clock.now();
        let mut settlements = Vec::with_capacity(verdicts.len());
        let mut due = Vec::new();
        for (recipient, verdict) in job.recipients.iter().zip(verdicts) {
            let decision = decide(&self.config, &job.message, recipient, verdict, now, &*self.ports.random);
            log(job, recipient, verdict, &decision);
            if let (Some((kind, status)), Some(said)) = (decision.notice, said_in(verdict)) {
                due.push((kind, Told { recipient, said, status }));
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
            let notice = Notice { kind, message, to, told, now };
            let raw = body.load().await.unwrap_or_default();
            match notice.build(&self.config, &raw, &*self.ports.random) {
                Ok(built) => notices.extend(self.accept(message, &notice, built).await?),
                Err(error) => tracing::error!(%error, queue.id = %message.trace, "a notice can't be written"),
            }
        }
        Ok(notices)
    }

    /// To the sender's mailbox here, or through the queue to wherever the sender is.
    async fn accept(
        &self,
        message: &QueuedMessage,
        notice: &Notice<'_>,
        built: Vec<u8>,
    ) -> Result<Option<Acceptance>, StoreError> {
        let places = places(&self.store, notice.to).await?;
        if places.is_nowhere() {
            tracing::warn!(queue.id = %message.trace, sender = %notice.to, "a notice has nobody to go to and is dropped");
            return Ok(None);
        }
        let trace = TraceId::make(notice.now, &*self.ports.random);
        tracing::info!(queue.id = %message.trace, notice.id = %trace, sender = %notice.to, kind = ?notice.kind, "the sender is told");
        let recipients: Vec<_> = places.remote.iter().map(|address| quiet(address.clone())).collect();
        let outbound = (!recipients.is_empty()).then(|| NewQueued {
            reverse_path: ReversePath::Null,
            ret: None,
            envelope_id: None,
            body_type: relais_model::BodyType::EightBitMime,
            smtputf8: notice.to.needs_smtputf8(),
            require_tls: message.require_tls,
            submitter: None,
            recipients,
            expires_at: notice.now.plus(self.config.notice_lifetime),
        });
        Ok(Some(Acceptance {
            content: Content::prepare(built),
            reverse_path: ReversePath::Null,
            deliveries: places.deliveries(notice.to),
            outbound,
            trace,
            from_peer: String::new(),
        }))
    }
}

/// A recipient of a notice: nothing more is told of it.
fn quiet(address: relais_model::Address) -> NewRecipient {
    NewRecipient { address, notify: Some(Notify::NEVER), original: None }
}

fn said_in(verdict: &Verdict) -> Option<&Said> {
    match verdict {
        Verdict::Delivered(said) | Verdict::Deferred(said) | Verdict::Failed(said) => Some(said),
        Verdict::Untried => None,
    }
}

fn log(job: &Job, recipient: &QueuedRecipient, verdict: &Verdict, decision: &Decision) {
    let (id, to, hop) = (&job.message.trace, &recipient.address, &job.next_hop);
    match (&decision.outcome, said_in(verdict)) {
        (Outcome::Delivered { remote, reply }, _) => {
            tracing::info!(queue.id = %id, recipient = %to, next_hop = %hop, remote, reply, "delivered");
        }
        (Outcome::Deferred { remote, reply, until, .. }, _) => {
            let next_ms = until.millis();
            tracing::info!(queue.id = %id, recipient = %to, next_hop = %hop, remote, reply, next_ms, "deferred");
        }
        (Outcome::Failed { remote, reply }, _) if job.message.reverse_path == ReversePath::Null => {
            tracing::warn!(queue.id = %id, recipient = %to, next_hop = %hop, remote, reply, "failed, and nobody is to be told: dropped");
        }
        (Outcome::Failed { remote, reply }, _) => {
            tracing::info!(queue.id = %id, recipient = %to, next_hop = %hop, remote, reply, "failed");
        }
        (Outcome::Untried { .. }, _) => tracing::debug!(queue.id = %id, recipient = %to, "given back untried"),
    }
}
