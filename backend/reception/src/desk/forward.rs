//! What strangers send to an address of ours that leads to other hosts: it is sealed (ARC, RFC 8617), so that they may believe what we
//! found though SPF can't pass any more, and it goes on under a reverse path of ours (SRS).

use relais_filing::Plan;
use relais_message::{delivered_octets, fields};
use relais_model::{Address, Domain, Envelope, Finding, Reply, ReversePath};
use relais_msgauth::arc::{SealError, seal};
use relais_msgauth::dkim::{Algorithm, Signer};
use relais_store::{JudgedAs, Judgement, TraceId};
use tracing::error;

use super::stranger::leads_away;
use super::{Arrival, Reception, aside, unavailable};
use crate::Visit;
use crate::judge::Verdict;
use crate::proof::Proof;
use crate::spam::NotSentOn;

/// A message that came through here so often goes in circles, long before [`MAX_RECEIVED`](super::MAX_RECEIVED): a list that sends us our own mail back is once.
const MAX_ROUNDS: usize = 8;

/// Whether our own Received fields say that the message goes in circles.
pub(super) fn is_round(header: &[u8], host: &Domain) -> bool {
    let ours = format!(" by {host} ");
    let is_ours = |value: &[u8]| {
        let words: Vec<_> = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        String::from_utf8_lossy(&words.join(&b' ')).contains(&ours)
    };
    fields(header).filter(|field| field.is("Received") && is_ours(field.value)).count() > MAX_ROUNDS
}

/// By whose address a message goes on to other hosts: the first's.
fn through(plans: &[Plan]) -> Option<&Domain> {
    plans.iter().find(|plan| !plan.forwards.is_empty()).map(|plan| &plan.recipient.address.domain)
}

/// What is junk to all who have it here doesn't go on from them.
pub(super) fn stay_here(plans: &mut [Plan], verdict: &Verdict) {
    for plan in plans.iter_mut().filter(|plan| !plan.deliveries.is_empty()) {
        if plan.deliveries.iter().all(|copy| verdict.is_junk_to(copy.account)) {
            plan.forwards.clear();
        }
    }
}

impl Reception {
    /// The message with our seal below what delivery added, where it goes on to other hosts, was checked, and our domain has a key. RFC 8617 §4.1.3 names
    /// RSA alone for seals.
    pub(super) async fn sealed(
        &self,
        plans: &[Plan],
        proof: Option<&Proof>,
        octets: Vec<u8>,
    ) -> Result<Vec<u8>, Reply> {
        match through(plans) {
            Some(ours) => self.sealed_for(ours, proof, octets).await,
            None => Ok(octets),
        }
    }

    /// The same for what goes on from an address at `ours`.
    pub(super) async fn sealed_for(
        &self,
        ours: &Domain,
        proof: Option<&Proof>,
        octets: Vec<u8>,
    ) -> Result<Vec<u8>, Reply> {
        let Some(proof) = proof else { return Ok(octets) };
        let now = self.clock.now();
        let signers = self.filing.signing().signers(ours, now).await.map_err(|error| unavailable(&error))?;
        let (chain, results) =
            (proof.authentication.arc.clone(), proof.authentication.results(self.config.host_name.as_str()));
        let sealing = move |mut octets: Vec<u8>| {
            let rsa = |signer: &&Signer| signer.key.algorithm() == Algorithm::RsaSha256;
            let Some(signer) = signers.iter().find(rsa) else { return octets };
            let below = delivered_octets(&octets);
            match seal(octets.get(below..).unwrap_or_default(), &chain, &results, signer, now) {
                Ok(set) => drop(octets.splice(below..below, set)),
                Err(SealError::Ended) => {}
                Err(error) => error!(%error, "a message goes on without a seal"),
            }
            octets
        };
        Ok(aside(octets, sealing).await)
    }

    /// Takes away what isn't to go on: a copy of what is junk to the one who has it sent on, where it stays in their Junk here; and what is too surely junk for those
    /// who have nothing here, while others take it. The latter stands in the trace: nobody else is told, for the sender of junk is mostly somebody else.
    pub(super) async fn keep_junk_here(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        plans: &mut Vec<Plan>,
        verdict: &mut Verdict,
        message: &[u8],
    ) {
        stay_here(plans, verdict);
        let Some(NotSentOn { reply, finding }) = verdict.onward.take() else { return };
        let gone: Vec<Address> =
            plans.extract_if(.., |plan| leads_away(plan)).map(|plan| plan.recipient.address).collect();
        if gone.is_empty() {
            return;
        }
        let findings = vec![finding.clone()];
        let judgement = Judgement { judged_as: JudgedAs::Refused, score: verdict.score, findings };
        self.note_to(whose, gone, message, (&reply, judgement)).await;
        verdict.findings.push(Finding { decides: false, ..finding });
    }

    /// Under which reverse path a message goes on. Our people's own stands for itself.
    pub(super) async fn onward_path(
        &self,
        visit: &Visit,
        from: &ReversePath,
        plans: &[Plan],
    ) -> Result<ReversePath, Reply> {
        match through(plans) {
            Some(ours) if visit.identity.is_none() => {
                self.filing.forwarded_path(from, ours).await.map_err(|error| unavailable(&error))
            }
            _ => Ok(from.clone()),
        }
    }
}
