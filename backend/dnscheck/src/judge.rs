//! Wanted beside found: a verdict, the reason, and what is to be done. Facts in, findings out: no DNS, no clock.

mod content;
mod face;

use std::collections::BTreeMap;
use std::time::Duration;

use relais_model::Domain;

use crate::look::{Answer, Lack, Proof, ServerAnswer};
use crate::reason::{Reason, Verdict};
use crate::record::{Kind, Record, Target};
use crate::wanted::{Facts, Need, Purpose, Wanted};

pub(crate) use face::{policy_file, port_in};

/// A record that others keep for longer makes each later change slow.
const LONG_TTL: u32 = 86_400;
/// Receivers wait a few seconds for a look-up, and a message takes ten of them.
const SLOW: Duration = Duration::from_secs(2);

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// The records of that purpose.
    Record(Purpose),
    /// The address's name leads back to the address (RFC 8601 §2.7.3: `iprev`).
    ReverseConfirmed,
    /// Receivers let our addresses pass (RFC 7208).
    SpfResult,
    /// Names that don't exist stay without records.
    Wildcards,
    /// DNSSEC protects the zone.
    Dnssec,
    /// We answer at port 25, with the right certificate.
    PortIn,
    /// We reach others at port 25.
    PortOut,
    /// The MTA-STS policy is fetched as others fetch it.
    PolicyFile,
    /// Nobody warns of our addresses.
    Blocklist,
}

impl Check {
    /// The name of its title in the catalogue.
    pub fn title_id(self) -> String {
        match self {
            Self::Record(purpose) => format!("dns-purpose-{}", purpose.name()),
            check => format!("dns-check-{}", check.name()),
        }
    }

    /// Its name, for storing.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record(purpose) => purpose.name(),
            Self::ReverseConfirmed => "reverse-confirmed",
            Self::SpfResult => "spf-result",
            Self::Wildcards => "wildcards",
            Self::Dnssec => "dnssec",
            Self::PortIn => "port-in",
            Self::PortOut => "port-out",
            Self::PolicyFile => "policy-file",
            Self::Blocklist => "blocklist",
        }
    }
}

/// How one check came out. `check`, `about` and `detail` together name it: the same from day to day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// The name or address that it is about.
    pub about: String,
    /// What else tells it from others: a record's type, a list's name; may be empty.
    pub detail: String,
    /// How it came out.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The records that should stand there; empty where none is, or where what they would have to hold of what stands there isn't known.
    pub wanted: Vec<Wanted>,
    /// What stands there.
    pub found: Vec<Record>,
    /// What of it must go before it can be good.
    pub surplus: Vec<Record>,
    /// Whether DNSSEC proves what was found.
    pub proof: Proof,
}

impl Finding {
    pub(crate) fn new(check: Check, about: &impl ToString, verdict: Verdict, reason: Reason) -> Self {
        Self {
            check,
            about: about.to_string(),
            detail: String::new(),
            verdict,
            reason,
            wanted: Vec::new(),
            found: Vec::new(),
            surplus: Vec::new(),
            proof: Proof::Indeterminate,
        }
    }

    pub(crate) fn good(check: Check, about: &impl ToString) -> Self {
        Self::new(check, about, Verdict::Good, Reason::Good)
    }
}

/// What was found for one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What the world sees.
    pub public: Answer,
    /// What the zone's own servers say.
    pub servers: Vec<ServerAnswer>,
}

/// All questions, and what was found.
pub type AllSeen = BTreeMap<(Domain, Kind), Seen>;

/// The questions that [`judge`] needs answers to: each once.
pub fn questions(wanted: &[Wanted]) -> Vec<(Domain, Kind)> {
    let mut questions: Vec<_> = wanted
        .iter()
        .flat_map(|wanted| match wanted.purpose {
            // The host also in the family in which we have no address, for nothing must stand there. The others may lead to us as an alias, or by addresses of
            // their own: what counts is where they lead.
            Purpose::HostAddress | Purpose::MtaStsHost | Purpose::Autoconfig | Purpose::Autodiscover => {
                vec![(wanted.owner.clone(), Kind::A), (wanted.owner.clone(), Kind::Aaaa)]
            }
            _ => vec![wanted.question()],
        })
        .collect();
    questions.sort();
    questions.dedup();
    questions
}

/// A finding for each place where records are wanted, in the order of `wanted`. What was never asked is passed over.
pub fn judge(facts: &Facts, wanted: &[Wanted], seen: &AllSeen) -> Vec<Finding> {
    let mut places: Vec<(Purpose, Domain, Kind)> = Vec::new();
    for record in wanted {
        let place = (record.purpose, record.owner.clone(), record.data.kind());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let findings = places.into_iter().filter_map(|(purpose, owner, kind)| {
        let here = |record: &&Wanted| record.purpose == purpose && record.owner == owner && record.data.kind() == kind;
        let wanted: Vec<Wanted> = wanted.iter().filter(here).cloned().collect();
        place(facts, purpose, &owner, kind, wanted, seen)
    });
    findings.chain(strange_addresses(facts, wanted, seen)).collect()
}

/// Addresses of the host in a family in which it has none: others would try them.
fn strange_addresses(facts: &Facts, wanted: &[Wanted], seen: &AllSeen) -> Option<Finding> {
    let kinds =
        || wanted.iter().filter(|record| record.purpose == Purpose::HostAddress).map(|record| record.data.kind());
    let empty = [Kind::A, Kind::Aaaa].into_iter().find(|kind| !kinds().any(|wanted| wanted == *kind));
    let kind = empty.filter(|_| kinds().next().is_some())?;
    let finding = place(facts, Purpose::HostAddress, &facts.host, kind, Vec::new(), seen)?;
    (!finding.surplus.is_empty()).then_some(finding)
}

/// What of `answer` gives way to `wanted`.
pub(crate) fn replaced(facts: &Facts, wanted: &Wanted, answer: &Answer) -> Vec<Record> {
    let case =
        content::Case { facts, purpose: wanted.purpose, need: wanted.need(), wanted: std::slice::from_ref(wanted) };
    case.replaced(answer)
}

fn place(
    facts: &Facts,
    purpose: Purpose,
    owner: &Domain,
    kind: Kind,
    wanted: Vec<Wanted>,
    seen: &AllSeen,
) -> Option<Finding> {
    let seen = match kind {
        Kind::Cname => content::leading(owner, seen)?,
        _ => seen.get(&(owner.clone(), kind))?.clone(),
    };
    let need = wanted.iter().map(Wanted::need).min().unwrap_or(Need::Nice);
    let case = content::Case { facts, purpose, need, wanted: &wanted };
    let opinion = weigh(&case, &seen);
    // A record that holds what stands there can't be offered where that isn't known, or is another by now.
    let is_unknown = matches!(opinion.reason, Reason::Silence(_) | Reason::Spreading { .. });
    let holds_theirs = matches!(purpose, Purpose::Spf | Purpose::Dmarc);
    Some(Finding {
        detail: kind.as_str().to_owned(),
        found: seen.public.aliases.iter().chain(seen.public.records()).cloned().collect(),
        surplus: opinion.surplus,
        proof: seen.public.proof,
        wanted: if is_unknown && holds_theirs { Vec::new() } else { wanted },
        ..Finding::new(Check::Record(purpose), owner, opinion.verdict, opinion.reason)
    })
}

/// What is thought of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opinion {
    pub(crate) verdict: Verdict,
    pub(crate) reason: Reason,
    pub(crate) surplus: Vec<Record>,
}

impl Opinion {
    pub(crate) const fn new(verdict: Verdict, reason: Reason) -> Self {
        Self { verdict, reason, surplus: Vec::new() }
    }

    pub(crate) const fn good() -> Self {
        Self::new(Verdict::Good, Reason::Good)
    }

    pub(crate) const fn wrong(reason: Reason) -> Self {
        Self::new(Verdict::Wrong, reason)
    }

    pub(crate) const fn better(reason: Reason) -> Self {
        Self::new(Verdict::CouldBeBetter, reason)
    }

    pub(crate) fn without(self, surplus: Vec<Record>) -> Self {
        Self { surplus, ..self }
    }
}

/// First what the world sees; then what the zone's servers say to that; last what could be smoother.
fn weigh(case: &content::Case<'_>, seen: &Seen) -> Opinion {
    if let Some(lack) = seen.public.silence() {
        let (verdict, reason) = silence(lack);
        return Opinion::new(verdict, reason);
    }
    let public = case.opinion(&seen.public);
    let is_good = |answer: &Answer| case.opinion(answer).verdict == Verdict::Good;
    // An alias that leads out of the zone leaves its servers nothing more to say.
    let leads_out = |answer: &Answer| answer.records.is_err() && !answer.aliases.is_empty() && !is_good(answer);
    let speaks = |said: &&ServerAnswer| said.answer.silence().is_none() && !leads_out(&said.answer);
    let own: Vec<(&Target, &Answer)> =
        seen.servers.iter().filter(speaks).map(|said| (&said.server, &said.answer)).collect();
    let seconds = seen.public.ttl();
    if let Some((server, _)) = dissenter(&own) {
        let verdict = public.verdict.max(Verdict::CouldBeBetter);
        return Opinion { verdict, reason: Reason::ServersDiffer(server.clone()), surplus: public.surplus };
    }
    if let Some((_, answer)) = own.first() {
        if public.verdict != Verdict::Good && is_good(answer) {
            return Opinion::new(Verdict::CantTellYet, Reason::Spreading { seconds });
        }
        if public.verdict == Verdict::Good && !is_good(answer) {
            return Opinion::new(Verdict::Wrong, Reason::Fading { seconds });
        }
    }
    if public.verdict != Verdict::Good {
        return public;
    }
    if own.is_empty()
        && seen.servers.iter().any(|said| matches!(said.answer.silence(), Some(Lack::Refused | Lack::ServFail)))
    {
        return Opinion::new(Verdict::Wrong, Reason::Fading { seconds });
    }
    comfort(seen, &own).unwrap_or(public)
}

/// What is thought of an answer that is owed, or can't be trusted.
pub(crate) fn silence(lack: Lack) -> (Verdict, Reason) {
    let verdict = if lack == Lack::Bogus { Verdict::Wrong } else { Verdict::CantTellYet };
    (verdict, Reason::Silence(lack))
}

/// A server that says something else than the first.
fn dissenter<'a>(own: &[(&'a Target, &'a Answer)]) -> Option<(&'a Target, &'a Answer)> {
    let (_, first) = own.first()?;
    own.iter().find(|(_, answer)| answer.said() != first.said()).copied()
}

/// What could be smoother, though all is right.
fn comfort(seen: &Seen, own: &[(&Target, &Answer)]) -> Option<Opinion> {
    // Where none of them answers, it is most likely this machine that may not ask them: nothing can be said.
    let silent = seen.servers.iter().find(|said| said.answer.silence().is_some() && !own.is_empty());
    // What the servers give counts; a resolver shows what is left of it.
    let seconds = own.iter().map(|(_, answer)| answer.ttl()).max().unwrap_or_else(|| seen.public.ttl());
    if let Some(silent) = silent {
        Some(Opinion::better(Reason::ServerSilent(silent.server.clone())))
    } else if seconds > LONG_TTL {
        Some(Opinion::better(Reason::TtlLong { seconds }))
    } else if seen.public.took > SLOW {
        Some(Opinion::better(Reason::Slow { millis: seen.public.took.as_millis() }))
    } else {
        None
    }
}
