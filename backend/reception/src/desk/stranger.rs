//! What strangers bring: it is looked at from all sides, then judged.

use std::panic::resume_unwind;
use std::sync::Arc;

use relais_message::{Facts as MessageFacts, header_octets};
use relais_model::{Envelope, Reply};
use relais_msgauth as msgauth;
use relais_store::{Refused, TraceId};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::{Arrival, Reception, SMALL_OCTETS};
use crate::judge::{Facts, Fate, Policy, Verdict, judge};
use crate::proof::{Proof, Trusted};
use crate::visit::Door;

impl Reception {
    /// A stranger's message, what becomes of it, and whose it is: all is found out first, then [`judge`] decides.
    ///
    /// # Errors
    /// The reply, where it is refused or put off; the trace says why.
    pub(super) async fn judged(
        &self,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        octets: Vec<u8>,
        added_octets: usize,
    ) -> Result<(Vec<u8>, Verdict, Option<Proof>), Reply> {
        let (octets, proof) = self.proved(arrival, envelope, octets, added_octets).await;
        let verdict = judge(&Facts { proof: proof.as_ref() }, &Policy::of(&self.store.settings()));
        let (Fate::Defer(reply) | Fate::Refuse(reply)) = verdict.fate.clone() else {
            return Ok((octets, verdict, proof));
        };
        info!(queue.id = %trace, peer.ip = %arrival.visit.peer, reverse_path = %envelope.reverse_path, %reply, "message refused");
        if let Some(judgement) = verdict.judgement() {
            let message = octets.get(added_octets..).unwrap_or_default();
            let header = message.get(..header_octets(message)).unwrap_or_default();
            let refused = Refused {
                trace: trace.clone(),
                reverse_path: envelope.reverse_path.clone(),
                recipients: envelope.recipients.iter().map(|recipient| recipient.address.clone()).collect(),
                from_peer: arrival.peer_shown(),
                subject: MessageFacts::read(header).subject,
                reply: reply.to_string().trim_end().to_owned(),
                judgement,
            };
            // It is refused all the same.
            if let Err(error) = self.store.note_refused(refused).await {
                warn!(%error, queue.id = %trace, "the trace doesn't tell of a refused message");
            }
        }
        Err(reply)
    }

    /// The message with what was found of it in its header. The machine's own programs are no strangers.
    async fn proved(
        &self,
        arrival: &Arrival,
        envelope: &Envelope,
        octets: Vec<u8>,
        added_octets: usize,
    ) -> (Vec<u8>, Option<Proof>) {
        let visit = &arrival.visit;
        let resolver = match &self.resolver {
            Some(resolver) if visit.door == Door::Relay && !visit.peer.to_canonical().is_loopback() => resolver,
            _ => return (octets, None),
        };
        let (peer, helo, now) = (visit.peer, arrival.hello.clone(), self.clock.now());
        let (reverse_path, host) = (envelope.reverse_path.clone(), self.config.host_name.to_string());
        let (resolver, trusted) = (Arc::clone(resolver), Trusted::of(&self.store.settings()));
        let is_large = octets.len() > SMALL_OCTETS;
        let checking = async move {
            let message = octets.get(added_octets..).unwrap_or_default();
            let asked = msgauth::Facts { peer, helo: &helo, reverse_path: &reverse_path, message, host: &host, now };
            let proof = Proof::of(&asked, &*resolver, &trusted).await;
            (proof.marked(&octets, added_octets, &host), Some(proof))
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
