//! The message is whole: it is checked, scripts run over it, all of it is written at once, and each recipient gets their reply.

use relais_filing::Plan;
use relais_message::header_octets;
use relais_model::{EnhancedCode, Envelope, Reply, Said, Timestamp};
use relais_store::{Acceptance, Accepted, AccountKey, Content, NewQueued, StoreError, TraceId};
use tracing::info;

use super::scripts::{Found, Scripts};
use super::submission::Allowed;
use super::turned_away::said;
use super::{Arrival, Checked, Incoming, Reception, nearly_full, prepare, spool_failed, unavailable};
use crate::Door;
use crate::outcome::Outcome;

/// What a mended header may add to a message, mostly.
const SPARE_OCTETS: usize = 1024;

impl Reception {
    /// The message is whole: takes it for good, and says so for each recipient in RCPT's order. At other doors than LMTP, where one
    /// reply speaks for all, the message is taken where anybody could be served, and the sender gets a notice about the others.
    pub async fn finish(&self, incoming: Incoming) -> Vec<Reply> {
        let (recipients, door) = (incoming.plans.len().max(1), incoming.arrival.visit.door);
        let replies = self.take(incoming).await.unwrap_or_else(|reply| vec![reply; recipients]);
        let is_accepted = replies.iter().any(Reply::is_positive);
        let name = if is_accepted { "relais_messages_accepted_total" } else { "relais_messages_refused_total" };
        metrics::counter!(name, "door" => door.as_str()).increment(1);
        replies
    }

    async fn take(&self, incoming: Incoming) -> Result<Vec<Reply>, Reply> {
        let Incoming { arrival, envelope, mut plans, trace, spool, added_octets } = incoming;
        let whose = (&arrival, &envelope, &trace);
        let mut spooled = spool.finish(SPARE_OCTETS).await.map_err(|error| spool_failed(&error))?;
        let octets = std::mem::take(&mut spooled.octets);
        let checked = self.check(whose, &mut plans, octets, added_octets).await?;
        let Checked { octets, judgement, is_wanted, verdict, proof, may_go_on } = checked;
        let found = Found { verdict: verdict.as_ref(), proof: proof.as_ref(), may_go_on };
        let scripts = self.scripts(whose, &mut plans, &octets, &found).await?;
        let reached = self.reached(whose, &plans, octets.get(added_octets..).unwrap_or_default()).await?;
        spooled.octets = octets;
        let content = prepare(spooled).await;
        let (size_octets, subject) = (content.size_octets(), content.facts().subject.clone());
        let mut acceptance = Acceptance { judgement, ..self.acceptance(whose, &plans, content) };
        if let Some(outbound) = &mut acceptance.outbound {
            outbound.reverse_path = self.onward_path(&arrival.visit, &envelope.reverse_path, &plans).await?;
        }
        let sender = self.admitted(whose, reached, &subject, &acceptance).await?;
        acceptance.submission = sender.as_ref().map(|(_, allowed)| allowed.place.submission);
        let written = self.write(whose, (&plans, &scripts), &found, acceptance).await;
        let (accepted, further) = written.inspect_err(|_| self.settle(sender.as_ref(), false))?;
        let outcomes = outcomes(&plans, &scripts, &accepted, &further);
        let is_served = outcomes.iter().any(Outcome::is_served);
        self.note_unserved(whose, &subject, &outcomes).await;
        self.settle(sender.as_ref(), is_served);
        let has_reply = arrival.visit.door == Door::Lmtp;
        let replies = replies(&outcomes, &trace, has_reply);
        if !is_served {
            return Ok(replies);
        }
        info!(
            queue.id = %trace, size_octets, recipients = plans.len(), reverse_path = %envelope.reverse_path,
            "message accepted"
        );
        let told = self.tell(&envelope, &trace, &outcomes, has_reply, accepted.message).await;
        told.map_err(|error| unavailable(&error))?;
        drop(outcomes);
        self.learn(whose, is_wanted, sender).await;
        if !scripts.is_empty() {
            Box::pin(self.follow(scripts)).await;
        }
        Ok(replies)
    }

    /// What one of our people sends is mended and signed, what a stranger brings is judged; what goes in circles is neither.
    ///
    /// # Errors
    /// The reply, where it is refused or put off; the trace says why.
    async fn check(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        plans: &mut Vec<Plan>,
        octets: Vec<u8>,
        added_octets: usize,
    ) -> Result<Checked, Reply> {
        let message = octets.get(added_octets..).unwrap_or_default();
        let header = message.get(..header_octets(message)).unwrap_or_default();
        if self.goes_in_circles(header) {
            let reply = Reply::new(554, EnhancedCode::new(5, 4, 6), "The message goes in circles");
            return Err(self.turned_away(whose, header, reply, vec![said("loop", Said::new("refused-circles"))]).await);
        }
        match &whose.0.visit.identity {
            Some(identity) => self.submitted(whose, identity, plans, octets, added_octets).await,
            None => self.brought(whose, plans, octets, added_octets).await,
        }
    }

    /// What is written of a message, but for what scripts add.
    pub(super) fn acceptance(
        &self,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        plans: &[Plan],
        content: Content,
    ) -> Acceptance {
        let recipients: Vec<_> = plans.iter().flat_map(|plan| plan.forwards.iter().cloned()).collect();
        let expires_at: Timestamp = self.clock.now().plus(self.store.settings().queue_lifetime);
        let outbound = (!recipients.is_empty()).then(|| NewQueued {
            reverse_path: envelope.reverse_path.clone(),
            ret: envelope.ret,
            envelope_id: envelope.envelope_id.clone(),
            body_type: envelope.body_type,
            smtputf8: envelope.smtputf8,
            require_tls: envelope.require_tls,
            submitter: arrival.visit.identity.as_ref().map(|identity| identity.account),
            recipients,
            expires_at,
        });
        Acceptance {
            content,
            reverse_path: envelope.reverse_path.clone(),
            deliveries: plans.iter().flat_map(Plan::copies).collect(),
            outbound,
            trace: trace.clone(),
            from_peer: arrival.peer_shown(),
            judgement: None,
            submission: None,
        }
    }

    /// Writes the message, and what scripts made of it besides, in one transaction. Gives what became of it, and of each of those.
    ///
    /// # Errors
    /// The store failed: nothing was written.
    async fn write(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        (plans, scripts): (&[Plan], &Scripts),
        found: &Found<'_>,
        mut acceptance: Acceptance,
    ) -> Result<(Accepted, Vec<Accepted>), Reply> {
        let mut all = Box::pin(self.further(scripts, whose, found, acceptance.outbound.is_some())).await?;
        acceptance.deliveries.extend(scripts.copies(plans));
        all.insert(0, acceptance);
        let mut accepted = self.store.accept_all(all).await.map_err(|error| unavailable(&error))?.into_iter();
        let first = accepted.next().ok_or_else(|| unavailable(&StoreError::Closed))?;
        Ok((first, accepted.collect()))
    }

    /// What is learnt of a message that was taken: of the network that brought it, and of whom its account writes to.
    async fn learn(
        &self,
        (arrival, envelope, _): (&Arrival, &Envelope, &TraceId),
        is_wanted: bool,
        sender: Option<(AccountKey, Allowed)>,
    ) {
        if is_wanted {
            self.porter.note_wanted(arrival.visit.peer);
        }
        // To whom held mail goes, the account has written once it is released.
        if let Some((account, _)) = sender.filter(|(_, allowed)| !allowed.is_held) {
            self.filter.note_written(account, envelope.recipients.iter().map(|recipient| &recipient.address)).await;
        }
    }
}

/// What became of each recipient. The plans' copies stand before those of scripts in what was `accepted`.
fn outcomes<'a>(
    plans: &'a [Plan],
    scripts: &'a Scripts,
    accepted: &Accepted,
    further: &[Accepted],
) -> Vec<Outcome<'a>> {
    let planned = plans.iter().map(|plan| plan.deliveries.len()).sum::<usize>();
    let scripted = accepted.deliveries.get(planned..).unwrap_or_default();
    let mut filed = accepted.deliveries.iter();
    let mut outcomes: Vec<Outcome<'a>> =
        plans.iter().map(|plan| Outcome::of(plan, filed.by_ref().take(plan.deliveries.len()))).collect();
    for (index, outcome) in outcomes.iter_mut().enumerate() {
        outcome.hear_scripts(scripts.outcome_of(index, scripted, further));
    }
    outcomes
}

/// A reply for each recipient. Where they have none of their own, all have the same: who was not served is told by a notice.
fn replies(outcomes: &[Outcome<'_>], trace: &TraceId, has_reply: bool) -> Vec<Reply> {
    let taken = Reply::new(250, EnhancedCode::new(2, 0, 0), format!("Taken as {trace}"));
    let each: Vec<Reply> = outcomes.iter().map(|outcome| outcome.reply(&taken)).collect();
    if has_reply {
        return each;
    }
    let one = if outcomes.iter().any(Outcome::is_served) { taken } else { one_of(&each) };
    vec![one; each.len()]
}

/// Where nobody could be served: if only one of them may be later, the sender shall try again.
fn one_of(refusals: &[Reply]) -> Reply {
    let transient = refusals.iter().find(|reply| reply.is_transient());
    transient.or(refusals.first()).cloned().unwrap_or_else(nearly_full)
}
