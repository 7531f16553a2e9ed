//! A message that nobody brought, judged as if somebody did now.
//!
//! Invariant: nothing stays of it: no copy, no line in the trace, no count for reports, no visitor to remember, no acquaintance. Programs that
//! aren't ours are asked as with any mail, and may remember what they like.

use std::net::IpAddr;

use relais_filing::Plan;
use relais_filing::script::Scripted;
use relais_model::{
    Address, BodyType, EnhancedCode, Envelope, Finding, Flag, ForwardPath, Reply, ReversePath, Said, SpecialUse,
};
use relais_store::{JudgedAs, Judgement, StoreError, Target, TraceId};
use tracing::error;

use super::forward::stay_here;
use super::scripts::Found;
use super::stranger::Weighed;
use super::{Arrival, Reception};
use crate::judge::Fate;
use crate::visit::{Door, Visit};

/// A message, and how it is to have come.
#[derive(Debug, Clone)]
pub struct Trial {
    /// From which address.
    pub peer: IpAddr,
    /// What the host there calls itself.
    pub hello: String,
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// RCPT TO.
    pub recipient: Address,
    /// Header and body as they came, with CRLF.
    pub message: Vec<u8>,
}

/// What would become of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// What was found, and what is done for that.
    pub judgement: Judgement,
    /// What whoever brings it is told, where it isn't taken.
    pub reply: Option<Reply>,
    /// Copies in mailboxes here.
    pub copies: usize,
    /// Those of them in Junk.
    pub in_junk: usize,
    /// Copies for other hosts.
    pub forwards: usize,
    /// What the scripts would do of those whom it would reach here and who have some.
    pub scripts: Vec<TriedScripts>,
    /// Nobody looked whose mail it is: this house asks no DNS, or the message comes from this machine.
    pub is_unseen: bool,
}

/// What an account's scripts would do with a message: nothing is done, and nothing remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TriedScripts {
    /// Whose.
    pub address: String,
    /// Where copies would go, by the mailbox's name; with which flags.
    pub copies: Vec<(String, Vec<Flag>)>,
    /// To whom it would be sent on.
    pub redirects: Vec<Address>,
    /// It would be refused with these words.
    pub refusal: Option<String>,
    /// Who would be written to: answers and notices.
    pub letters: Vec<Address>,
    /// A script would fail, for this reason.
    pub failure: Option<String>,
}

impl TriedScripts {
    fn of(address: &Address, scripted: Scripted) -> Self {
        let name = |target: Target| match target {
            // What is another's a copy names as the script does.
            Target::Inbox | Target::Shared(_) => "INBOX".to_owned(),
            Target::Name(name) => name.as_str().to_owned(),
            Target::Use(used) => used.as_str().trim_start_matches('\\').to_owned(),
        };
        Self {
            address: address.to_string(),
            copies: scripted.copies.into_iter().map(|copy| (name(copy.mailbox), copy.flags)).collect(),
            redirects: scripted.redirects.into_iter().map(|redirect| redirect.to).collect(),
            refusal: scripted.refusal,
            letters: scripted.letters.into_iter().flat_map(|letter| letter.to).collect(),
            failure: scripted.failure.map(|failure| failure.why.why.to_string()),
        }
    }
}

impl Tried {
    fn turned_away(reply: Reply, part: &'static str, why: &'static str) -> Self {
        let judged_as = if reply.is_transient() { JudgedAs::PutOff } else { JudgedAs::Refused };
        let findings = vec![Finding::new(part, Said::new(why)).deciding()];
        let judgement = Judgement { judged_as, score: None, findings };
        let scripts = Vec::new();
        Self { judgement, reply: Some(reply), copies: 0, in_junk: 0, forwards: 0, scripts, is_unseen: true }
    }
}

impl Reception {
    /// Judges a message as port 25 would now.
    pub async fn try_out(&self, trial: Trial) -> Tried {
        let Trial { peer, hello, reverse_path, recipient, message } = trial;
        let visit = Visit { is_watched: false, ..Visit::new(Door::Relay, peer) };
        let now = self.clock.now();
        let mut envelope = Envelope {
            body_type: BodyType::EightBitMime,
            declared_octets: u64::try_from(message.len()).ok(),
            ..Envelope::new(reverse_path, now)
        };
        let path = ForwardPath::new(recipient);
        let answer = crate::recipient(&self.filing, self.disk.is_nearly_full(), &visit, &envelope, &path).await;
        let mut plans = match answer {
            Ok(plan) => vec![plan],
            Err(reply) => return Tried::turned_away(reply, "recipient", "refused-recipient"),
        };
        envelope.recipients.push(path);
        let header = message.get(..relais_message::header_octets(&message)).unwrap_or_default();
        if self.goes_in_circles(header) {
            let reply = Reply::new(554, EnhancedCode::new(5, 4, 6), "The message goes in circles");
            return Tried::turned_away(reply, "loop", "refused-circles");
        }
        let trace = TraceId::make(now, &*self.random);
        let arrival = Arrival::new(visit, &hello, "ESMTP");
        let head = self.head((&arrival, &envelope, &trace), &plans, now);
        let octets = [head.as_bytes(), &message].concat();
        let Weighed { octets, verdict, proof } =
            self.weigh((&arrival, &envelope, &trace), &plans, octets, head.len(), true).await;
        stay_here(&mut plans, &verdict);
        let is_taken = matches!(verdict.fate, Fate::Take | Fate::Junk);
        let may_go_on = verdict.onward.is_none();
        let found = Found { verdict: Some(&verdict), proof: proof.as_ref(), may_go_on };
        let scripts = if is_taken {
            self.try_scripts((&arrival, &envelope, &trace), &plans, &octets, &found).await
        } else {
            Ok(Vec::new())
        };
        let scripts = scripts.unwrap_or_else(|error| {
            error!(%error, "what scripts would do with a message can't be found out");
            Vec::new()
        });
        let copies: Vec<_> = plans.iter().flat_map(|plan| &plan.deliveries).collect();
        let in_junk = copies.iter().filter(|copy| verdict.is_junk_to(copy.account)).count();
        let nothing = Judgement { judged_as: JudgedAs::Taken, score: None, findings: Vec::new() };
        let judgement = verdict.judgement().unwrap_or(nothing);
        Tried {
            judgement,
            copies: copies.len(),
            in_junk,
            forwards: plans.iter().map(|plan| plan.forwards.len()).sum(),
            scripts,
            is_unseen: proof.is_none(),
            reply: match verdict.fate {
                Fate::Defer(reply) | Fate::Refuse(reply) => Some(reply),
                Fate::Take | Fate::Junk => None,
            },
        }
    }

    async fn try_scripts(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        plans: &[Plan],
        octets: &[u8],
        found: &Found<'_>,
    ) -> Result<Vec<TriedScripts>, StoreError> {
        let mut tried = Vec::new();
        for plan in plans {
            for delivery in &plan.deliveries {
                let Some(running) = self.store.sieve_at_delivery(delivery.account).await? else { continue };
                let arriving = self.arriving(whose, octets, found);
                let is_junk = found.verdict.is_some_and(|verdict| verdict.is_junk_to(delivery.account));
                let mut delivery = delivery.clone();
                if is_junk {
                    delivery.mailbox = Target::Use(SpecialUse::Junk);
                }
                let mut scripted =
                    self.filing.script(&running, &delivery, &plan.recipient, &arriving, &*self.random).await?;
                if !found.may_go_on {
                    scripted.redirects.clear();
                }
                tried.push(TriedScripts::of(&delivery.address, scripted));
            }
        }
        Ok(tried)
    }
}
