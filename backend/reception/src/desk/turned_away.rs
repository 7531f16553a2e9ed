//! What isn't taken: the trace tells it, and why, whoever turned it away.

use relais_message::{Facts, header_octets};
use relais_model::{Address, Envelope, Finding, ForwardPath, Reply, Said};
use relais_store::{JudgedAs, Judgement, Refused, TraceId};
use tracing::warn;

use super::{Arrival, Incoming, Reception};
use crate::outcome::Outcome;
use crate::visit::Visit;

/// A header of a message that isn't taken is looked for in so many octets.
const HEADER_OCTETS: usize = 64 * 1024;

/// The one reason that a message isn't taken for.
pub(super) fn said(part: &'static str, why: Said) -> Finding {
    Finding::new(part, why).deciding()
}

impl Reception {
    /// A message whose octets can't be taken: it is too large, or no text of lines. `reply` is what its sender will be told.
    pub async fn refuse_unfit(&self, incoming: Incoming, reply: &Reply) {
        let Incoming { arrival, envelope, trace, spool, added_octets, .. } = incoming;
        let is_large = reply.enhanced.is_some_and(|code| (code.subject, code.detail) == (3, 4));
        let why =
            if is_large { said("size", Said::new("refused-size")) } else { said("form", Said::new("refused-form")) };
        let beginning = spool.beginning(added_octets + HEADER_OCTETS).await.unwrap_or_default();
        let message = beginning.get(added_octets..).unwrap_or_default();
        self.note((&arrival, &envelope, &trace), message, reply, judgement(reply, vec![why])).await;
    }

    /// Notes it, and gives the reply back. What only failed here is nothing that anybody decided: the log tells that.
    pub(super) async fn turned_away(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        message: &[u8],
        reply: Reply,
        findings: Vec<Finding>,
    ) -> Reply {
        if !is_failure(&reply) {
            self.note(whose, message, &reply, judgement(&reply, findings)).await;
        }
        reply
    }

    /// Notes a message that its account may not send, or not now, and gives the reply back.
    pub(super) async fn not_allowed(
        &self,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        subject: String,
        reply: Reply,
    ) -> Reply {
        if is_failure(&reply) {
            return reply;
        }
        let why = if reply.code == 530 { "refused-closed" } else { "refused-limits" };
        let refused = Refused {
            trace: trace.clone(),
            reverse_path: envelope.reverse_path.clone(),
            recipients: envelope.recipients.iter().map(|recipient| recipient.address.clone()).collect(),
            from_peer: arrival.peer_shown(),
            subject,
            reply: line(&reply),
            judgement: Some(judgement(&reply, vec![said("limits", Said::new(why))])),
        };
        self.write_down(refused).await;
        reply
    }

    /// Notes a message that isn't taken, with what was found of it.
    pub(super) async fn note(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        message: &[u8],
        reply: &Reply,
        judgement: Judgement,
    ) {
        let recipients = whose.1.recipients.iter().map(|recipient| recipient.address.clone()).collect();
        self.note_to(whose, recipients, message, (reply, judgement)).await;
    }

    /// The same of some of its recipients.
    pub(super) async fn note_to(
        &self,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        recipients: Vec<Address>,
        message: &[u8],
        (reply, judgement): (&Reply, Judgement),
    ) {
        let header = message.get(..header_octets(message)).unwrap_or_default();
        let subject = Facts::read(header).subject;
        let (from_peer, judgement) = (arrival.peer_shown(), Some(judgement));
        let (trace, reverse_path, reply) = (trace.clone(), envelope.reverse_path.clone(), line(reply));
        self.write_down(Refused { trace, reverse_path, recipients, from_peer, subject, reply, judgement }).await;
    }

    /// A message that was announced too large: it never came, and whom it was for wasn't said.
    pub async fn refuse_announced(&self, visit: &Visit, envelope: &Envelope, reply: &Reply) {
        let refused = Refused {
            trace: TraceId::make(self.clock.now(), &*self.random),
            reverse_path: envelope.reverse_path.clone(),
            recipients: Vec::new(),
            from_peer: visit.peer.to_string(),
            subject: String::new(),
            reply: line(reply),
            judgement: Some(judgement(reply, vec![said("size", Said::new("refused-size"))])),
        };
        self.write_down(refused).await;
    }

    /// A recipient whose mailbox has no room. Others who aren't let in by their address alone leave no line: guessers would fill the trace.
    pub(super) async fn note_full(&self, visit: &Visit, envelope: &Envelope, path: &ForwardPath, reply: &Reply) {
        let why = match reply.enhanced.map(|code| (code.class, code.subject, code.detail)) {
            Some((4, 2, 2)) => "refused-full",
            Some((5, 2, 2)) => "refused-larger",
            _ => return,
        };
        let refused = Refused {
            trace: TraceId::make(self.clock.now(), &*self.random),
            reverse_path: envelope.reverse_path.clone(),
            recipients: vec![path.address.clone()],
            from_peer: visit.peer.to_string(),
            subject: String::new(),
            reply: line(reply),
            judgement: Some(judgement(reply, vec![said("mailbox", Said::new(why))])),
        };
        self.write_down(refused).await;
    }

    /// Recipients who got nothing of a message that was good: their mailboxes filled up while it came. Others may have got it, for its own reasons.
    pub(super) async fn note_unserved(
        &self,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        subject: &str,
        outcomes: &[Outcome<'_>],
    ) {
        let is_served = outcomes.iter().any(Outcome::is_served);
        let is_full = |reply: &Reply| reply.enhanced.is_some_and(|code| (code.subject, code.detail) == (2, 2));
        for (recipient, reply) in outcomes.iter().filter_map(Outcome::refusal) {
            let why = if is_full(reply) { "refused-full" } else { "refused-unserved" };
            let refused = Refused {
                trace: trace.clone(),
                reverse_path: envelope.reverse_path.clone(),
                recipients: vec![recipient.clone()],
                from_peer: arrival.peer_shown(),
                subject: subject.to_owned(),
                reply: line(reply),
                judgement: (!is_served).then(|| judgement(reply, vec![said("mailbox", Said::new(why))])),
            };
            self.write_down(refused).await;
        }
    }

    /// Where the trace can't tell, the message is refused all the same.
    async fn write_down(&self, refused: Refused) {
        let trace = refused.trace.clone();
        if let Err(error) = self.store.note_refused(refused).await {
            warn!(%error, queue.id = %trace, "the trace doesn't tell of a refused message");
        }
    }
}

/// Something failed here: nothing that anybody decided.
fn is_failure(reply: &Reply) -> bool {
    reply.enhanced.is_some_and(|code| (code.class, code.subject) == (4, 3))
}

fn judgement(reply: &Reply, findings: Vec<Finding>) -> Judgement {
    let judged_as = if reply.is_transient() { JudgedAs::PutOff } else { JudgedAs::Refused };
    Judgement { judged_as, score: None, findings }
}

/// As it is said.
fn line(reply: &Reply) -> String {
    reply.to_string().trim_end().to_owned()
}
