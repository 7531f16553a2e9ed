//! What strangers bring: it is looked at from all sides, then judged.

use std::panic::resume_unwind;
use std::sync::Arc;

use futures_util::future::join;
use relais_filing::Plan;
use relais_model::{Address, Envelope, Reply, SpecialUse};
use relais_msgauth as msgauth;
use relais_store::{AccountKey, Target, TraceId};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tracing::{error, info};

use super::{Arrival, Checked, Reception, SMALL_OCTETS, is_stranger};
use crate::filters::Filtered;
use crate::judge::{Facts, Fate, Policy, Verdict, judge};
use crate::proof::{InTime, Proof, Trusted};
use crate::spam::{Lists, Looked, Spam, Stranger};

/// What was found of a stranger's message, and what is done with it.
pub(super) struct Weighed {
    /// It, with what was found in its header.
    pub(super) octets: Vec<u8>,
    pub(super) verdict: Verdict,
    pub(super) proof: Option<Proof>,
}

impl Reception {
    /// What a stranger brings: judged, kept from going on where it is junk, sealed where it goes on, and led into Junk where it belongs there.
    ///
    /// # Errors
    /// The reply, where it is refused or put off; the trace says why.
    pub(super) async fn brought(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        plans: &mut Vec<Plan>,
        octets: Vec<u8>,
        added_octets: usize,
    ) -> Result<Checked, Reply> {
        let Weighed { octets, mut verdict, proof } = self.judged(whose, plans, octets, added_octets).await?;
        let message = octets.get(added_octets..).unwrap_or_default();
        let may_go_on = verdict.onward.is_none();
        self.keep_junk_here(whose, plans, &mut verdict, message).await;
        let is_proven = proof.as_ref().is_some_and(Proof::is_proven);
        let is_wanted = is_proven && verdict.fate == Fate::Take && verdict.aside.is_empty();
        let octets = self.sealed(plans, proof.as_ref(), octets).await?;
        let copies = plans.iter_mut().flat_map(|plan| &mut plan.deliveries);
        copies
            .filter(|copy| verdict.is_junk_to(copy.account))
            .for_each(|copy| copy.mailbox = Target::Use(SpecialUse::Junk));
        let judgement = verdict.judgement();
        Ok(Checked { octets, judgement, is_wanted, verdict: Some(verdict), proof, may_go_on })
    }

    /// A stranger's message, what becomes of it, and whose it is: all is found out first, then [`judge`] decides.
    ///
    /// # Errors
    /// The reply, where it is refused or put off; the trace says why.
    pub(super) async fn judged(
        &self,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        plans: &[Plan],
        octets: Vec<u8>,
        added_octets: usize,
    ) -> Result<Weighed, Reply> {
        let weighed = self.weigh((arrival, envelope, trace), plans, octets, added_octets, false).await;
        let (Fate::Defer(reply) | Fate::Refuse(reply)) = weighed.verdict.fate.clone() else { return Ok(weighed) };
        info!(queue.id = %trace, peer.ip = %arrival.visit.peer, reverse_path = %envelope.reverse_path, %reply, "message refused");
        if let Some(judgement) = weighed.verdict.judgement() {
            let message = weighed.octets.get(added_octets..).unwrap_or_default();
            self.note((arrival, envelope, trace), message, &reply, judgement).await;
        }
        Err(reply)
    }

    /// What is found of a stranger's message. One on trial leaves nothing behind: nobody counts it, nobody remembers its sender.
    pub(super) async fn weigh(
        &self,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        plans: &[Plan],
        octets: Vec<u8>,
        added_octets: usize,
        is_trial: bool,
    ) -> Weighed {
        let (octets, found) = self.looked_at((arrival, envelope, is_trial), plans, octets, added_octets).await;
        let (proof, spam) = found.unzip();
        let settings = self.store.settings();
        if let Some(proof) = &proof
            && settings.trust_send_reports
            && !is_trial
        {
            proof.count(&self.tally, self.clock.now(), &envelope.reverse_path, settings.trust_dmarc == "follow");
        }
        let Filtered { octets, counsel } = self.filtering.pass(arrival, envelope, trace, plans, octets).await;
        let facts =
            Facts { proof: proof.as_ref(), spam: spam.as_ref().and_then(Option::as_ref), filters: Some(&counsel) };
        let mut verdict = judge(&facts, &Policy::of(&settings, &self.config.host_name));
        if plans.iter().all(leads_away) {
            verdict.refuse_onward();
        }
        Weighed { octets, verdict, proof }
    }

    /// The message with what was found of it in its header.
    async fn looked_at(
        &self,
        (arrival, envelope, is_trial): (&Arrival, &Envelope, bool),
        plans: &[Plan],
        octets: Vec<u8>,
        added_octets: usize,
    ) -> (Vec<u8>, Option<(Proof, Option<Spam>)>) {
        let visit = &arrival.visit;
        let resolver = match &self.resolver {
            Some(resolver) if is_stranger(visit) => resolver,
            _ => return (octets, None),
        };
        let (peer, helo, now) = (visit.peer, arrival.hello.clone(), self.clock.now());
        let accounts: Vec<AccountKey> =
            plans.iter().flat_map(|plan| &plan.deliveries).map(|copy| copy.account).collect();
        let goes_on = plans.iter().any(leads_away);
        let settings = self.store.settings();
        let lists = visit.lists.clone().unwrap_or_else(|| Lists::ask(Arc::clone(resolver), &settings, peer));
        let (reverse_path, host) = (envelope.reverse_path.clone(), self.config.host_name.to_string());
        let (resolver, filter) = (Arc::clone(resolver), Arc::clone(&self.filter));
        let trusted = Trusted::of(&settings);
        let recipients: Vec<Address> = envelope.recipients.iter().map(|recipient| recipient.address.clone()).collect();
        let is_large = octets.len() > SMALL_OCTETS;
        let checking = async move {
            let message = octets.get(added_octets..).unwrap_or_default();
            let asked = msgauth::Facts { peer, helo: &helo, reverse_path: &reverse_path, message, host: &host, now };
            let in_time = InTime::new(&*resolver);
            let (proof, listings) = join(Proof::of(&asked, &in_time, &trusted), lists.known()).await;
            let stranger = Stranger { peer, proof: &proof, listings: &listings, goes_on, is_trial };
            let looked = Looked { message, sender: reverse_path.address(), recipients: &recipients, arrived_at: now };
            let spam = filter.look(&looked, &accounts, &stranger, &in_time).await;
            // Who can't be asked whether they want it gets it.
            let spam = spam.map_err(|error| error!(%error, "a message wasn't looked at by the filter")).ok();
            (proof.marked(&octets, added_octets, &host), Some((proof, spam)))
        };
        if is_large {
            // Nobody closes it; whoever waits keeps their client waiting.
            let _turn = self.large_checks.acquire().await;
            let checking = move || Handle::current().block_on(checking);
            spawn_blocking(checking).await.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))
        } else {
            checking.await
        }
    }
}

/// Whether all that a recipient gets goes on to other hosts.
pub(super) fn leads_away(plan: &Plan) -> bool {
    plan.deliveries.is_empty() && !plan.forwards.is_empty()
}
