//! All checks of a host or of a domain, one after the other where one needs the other's answer: asks, and has what came judged.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::{join, join_all, join4};
use futures_util::stream::{self, StreamExt as _};
use relais_model::{Domain, Random};

use crate::blocklist::{self, BLOCKLISTS, Blocklist};
use crate::judge::{AllSeen, Check, Finding, Seen, judge, policy_file, port_in, questions, replaced, silence};
use crate::look::{Answer, Lack, Look, Proof};
use crate::reach::Reach;
use crate::reason::{Reason, Verdict};
use crate::record::{Data, Kind, Record, Target, parent, reverse_name};
use crate::spf::{self, Evaluation, MOST_LOOKUPS, MOST_VOID_LOOKUPS, SpfResult};
use crate::wanted::{Facts, Purpose, There, Wanted, wanted};

/// Questions of one inspection that are open at once.
const MOST_OPEN: usize = 8;
/// Names of one address that are followed back.
const MOST_NAMES: usize = 10;
/// Whose mail hosts are tried to see whether port 25 is open outward: any one that greets is enough.
const NEIGHBOURS: [&str; 3] = ["gmail.com", "outlook.com", "yahoo.com"];

/// What an inspection brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The records that are wanted, given what was found.
    pub wanted: Vec<Wanted>,
    /// Each check, in the order in which a person would mend them.
    pub findings: Vec<Finding>,
}

/// Inspects hosts and domains. Keeps nothing.
pub struct Inspector {
    look: Arc<dyn Look>,
    reach: Arc<dyn Reach>,
    random: Arc<dyn Random>,
    ports: MailPorts,
    blocklists: Vec<Blocklist>,
    neighbours: Vec<Domain>,
}

/// Where port 25 is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailPorts {
    /// Ours, as others see it.
    pub ours: u16,
    /// Others'.
    pub theirs: u16,
}

impl Default for MailPorts {
    fn default() -> Self {
        Self { ours: 25, theirs: 25 }
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspector").field("look", &self.look).field("reach", &self.reach).finish_non_exhaustive()
    }
}

/// Public answers that have come already.
type Known = BTreeMap<(Domain, Kind), Answer>;

impl Inspector {
    /// Asks `look`, tries `reach`, and draws names that don't exist from `random`.
    pub fn new(look: Arc<dyn Look>, reach: Arc<dyn Reach>, random: Arc<dyn Random>) -> Self {
        let neighbours = NEIGHBOURS.into_iter().filter_map(|name| Domain::parse(name).ok()).collect();
        Self { look, reach, random, ports: MailPorts::default(), blocklists: BLOCKLISTS.to_vec(), neighbours }
    }

    /// Other domains whose mail hosts are tried to see whether port 25 is open outward, for labs.
    #[must_use]
    pub fn with_neighbours(self, neighbours: Vec<Domain>) -> Self {
        Self { neighbours, ..self }
    }

    /// Other ports than 25, for labs.
    #[must_use]
    pub fn with_ports(self, ports: MailPorts) -> Self {
        Self { ports, ..self }
    }

    /// Other lists than [`BLOCKLISTS`].
    #[must_use]
    pub fn with_blocklists(self, blocklists: Vec<Blocklist>) -> Self {
        Self { blocklists, ..self }
    }

    /// What concerns the host, whatever domains it has: its addresses and their names, port 25 both ways, TLSA, blocklists. `facts.is_host_signed` is seen anew;
    /// of the domain nothing is looked at.
    pub async fn host(&self, facts: &Facts) -> Report {
        let first = self.look.public(&facts.host, Kind::A).await;
        let proof = first.proof;
        let facts = &Facts { is_host_signed: proof == Proof::Secure, ..facts.clone() };
        let wanted: Vec<Wanted> =
            wanted(facts, &There::default()).into_iter().filter(|wanted| is_of_host(wanted.purpose)).collect();
        if is_dead(&first) {
            return silent(facts, wanted, &first);
        }
        let seen = self.see(&wanted, &Known::from([((facts.host.clone(), Kind::A), first)])).await;
        let mut findings = judge(facts, &wanted, &seen);
        let reverse = join_all(facts.addresses.iter().map(|address| self.reverse_confirmed(facts, *address)));
        let doors = join_all(facts.addresses.iter().map(|address| self.port_in(facts, *address)));
        let lists =
            self.blocklists.iter().flat_map(|list| facts.addresses.iter().map(move |address| (*list, *address)));
        let lists = join_all(lists.map(|(list, address)| blocklist::ask(&*self.look, list, address)));
        let (reverse, doors, way_out, lists) = join4(reverse, doors, self.port_out(), lists).await;
        findings.extend(reverse);
        findings.extend(doors);
        findings.push(way_out);
        findings.push(signed(&facts.host, proof));
        findings.extend(lists.into_iter().flatten());
        Report { wanted, findings }
    }

    /// What concerns the domain: its records, what receivers make of its SPF record, its policy, wildcards, DNSSEC.
    pub async fn domain(&self, facts: &Facts) -> Report {
        let first = self.look.public(&facts.domain, Kind::Txt).await;
        let of_domain =
            |there| wanted(facts, &there).into_iter().filter(|wanted| !is_of_host(wanted.purpose)).collect::<Vec<_>>();
        if is_dead(&first) {
            return silent(facts, of_domain(There::default()), &first);
        }
        let (there, known) = self.there(&facts.domain, &first).await;
        let wanted = of_domain(there);
        let seen = self.see(&wanted, &known).await;
        let mut findings = judge(facts, &wanted, &seen);
        findings.extend(self.spf_results(facts, &wanted, &first).await);
        findings.extend(self.policy_file(facts, &seen).await);
        findings.push(self.wildcards(&facts.domain).await);
        findings.push(signed(&facts.domain, first.proof));
        Report { wanted, findings }
    }

    /// Both views of each question; what is known of the public one isn't asked again.
    async fn see(&self, wanted: &[Wanted], known: &Known) -> AllSeen {
        let asked = questions(wanted).into_iter().map(|(name, kind)| async move {
            let public = async {
                match known.get(&(name.clone(), kind)) {
                    Some(answer) => answer.clone(),
                    None => self.look.public(&name, kind).await,
                }
            };
            let (public, servers) = join(public, self.look.authoritative(&name, kind)).await;
            let inherited = if kind == Kind::Caa && is_absent(&public) { self.inherited(&name).await } else { None };
            let seen = inherited.unwrap_or(Seen { public, servers });
            ((name, kind), seen)
        });
        stream::iter(asked).buffer_unordered(MOST_OPEN).collect().await
    }

    /// A CAA record above the domain counts for it, where none stands nearer (RFC 8659 §3).
    async fn inherited(&self, name: &Domain) -> Option<Seen> {
        let mut above = parent(name);
        while let Some(name) = above {
            let public = self.look.public(&name, Kind::Caa).await;
            if !is_absent(&public) {
                // The domain's own servers have no say in it.
                return Some(Seen { public, servers: Vec::new() });
            }
            above = parent(&name);
        }
        None
    }

    /// What must be kept, and the answers that tell it: by these same answers it is judged. Of one that is owed nothing is known, and its finding offers nothing.
    async fn there(&self, domain: &Domain, first: &Answer) -> (There, Known) {
        let texts = |answer: &Answer| answer.texts().map(str::to_owned).collect();
        let mut there = There { texts: texts(first), ..There::default() };
        let mut known = Known::from([((domain.clone(), Kind::Txt), first.clone())]);
        if let Ok(name) = Domain::parse(&format!("_dmarc.{domain}")) {
            let answer = self.look.public(&name, Kind::Txt).await;
            there.dmarc = texts(&answer);
            known.insert((name, Kind::Txt), answer);
        }
        (there, known)
    }

    /// RFC 8601 §2.7.3: what `iprev` asks for.
    async fn reverse_confirmed(&self, facts: &Facts, address: IpAddr) -> Finding {
        let (verdict, reason, found) = match reverse_name(address) {
            Ok(reverse) => self.leads_back(&reverse, address).await,
            Err(_) => (Verdict::Wrong, Reason::ReverseMissing, Vec::new()),
        };
        Finding {
            detail: address.to_string(),
            found,
            ..Finding::new(Check::ReverseConfirmed, &facts.host, verdict, reason)
        }
    }

    async fn leads_back(&self, reverse: &Domain, address: IpAddr) -> (Verdict, Reason, Vec<Record>) {
        let answer = self.look.public(reverse, Kind::Ptr).await;
        if let Some(lack) = answer.silence() {
            let (verdict, reason) = silence(lack);
            return (verdict, reason, Vec::new());
        }
        let names = answer.data().filter_map(|data| if let Data::Ptr(name) = data { Some(name) } else { None });
        let (mut owed, mut open) = (None, None);
        for name in names.take(MOST_NAMES) {
            let Some(host) = name.host() else { continue };
            let found = self.look.public(&host, Data::address(address).kind()).await;
            if found.data().any(|data| data.ip() == Some(address)) {
                return (Verdict::Good, Reason::Good, answer.records().to_vec());
            }
            match found.silence() {
                Some(lack) => owed = Some(lack),
                None => open = Some(name),
            }
        }
        let (verdict, reason) = match (owed, open) {
            (Some(lack), _) => silence(lack),
            (None, Some(name)) => (Verdict::Wrong, Reason::ReverseOpen(name.clone())),
            (None, None) => (Verdict::Wrong, Reason::ReverseMissing),
        };
        (verdict, reason, answer.records().to_vec())
    }

    async fn port_in(&self, facts: &Facts, address: IpAddr) -> Finding {
        let met = self.reach.smtp(SocketAddr::new(address, self.ports.ours), &facts.host).await;
        port_in(facts, address, &met)
    }

    async fn port_out(&self) -> Finding {
        let mut found_any = false;
        for neighbour in &self.neighbours {
            let Some(remote) = self.mail_host(neighbour).await else { continue };
            found_any = true;
            if self.reach.greets(remote).await.is_ok() {
                return Finding::good(Check::PortOut, &"");
            }
        }
        let (verdict, reason) = if found_any {
            (Verdict::Wrong, Reason::OutboundBlocked)
        } else {
            (Verdict::CantTellYet, Reason::OutboundUnknown)
        };
        Finding::new(Check::PortOut, &"", verdict, reason)
    }

    /// One will do: this asks whether the way is open, not whether the neighbour is well.
    async fn mail_host(&self, neighbour: &Domain) -> Option<SocketAddr> {
        let answer = self.look.public(neighbour, Kind::Mx).await;
        let host =
            answer.data().find_map(|data| if let Data::Mx { exchange, .. } = data { exchange.host() } else { None })?;
        let address = self.look.public(&host, Kind::A).await.data().find_map(Data::ip)?;
        Some(SocketAddr::new(address, self.ports.theirs))
    }

    /// For each address of ours; and what the record costs at worst.
    async fn spf_results(&self, facts: &Facts, wanted: &[Wanted], texts: &Answer) -> Vec<Finding> {
        let look = &*self.look;
        let record: Vec<Wanted> = wanted.iter().filter(|wanted| wanted.purpose == Purpose::Spf).cloned().collect();
        let old: Vec<Record> = record.iter().flat_map(|wanted| replaced(facts, wanted, texts)).collect();
        let cost = spf::cost(look, &facts.domain, &facts.host).await;
        let results = facts.addresses.iter().map(|address| async {
            let result = spf::check_host(look, *address, &facts.domain, &facts.host).await;
            let (verdict, reason) = spf_opinion(*address, &result, &cost);
            let finding = Finding::new(Check::SpfResult, &facts.domain, verdict, reason);
            let finding = Finding { detail: address.to_string(), ..finding };
            // Only where the record that is wanted would mend it; what it keeps of theirs may be at fault, too.
            match finding.reason {
                Reason::SpfFails(..) => {
                    Finding { wanted: record.clone(), found: old.clone(), surplus: old.clone(), ..finding }
                }
                _ => finding,
            }
        });
        join_all(results).await
    }

    /// Fetched only from our own addresses: a name that leads elsewhere is a finding of its own, and no reason to knock at strangers' doors.
    async fn policy_file(&self, facts: &Facts, seen: &AllSeen) -> Option<Finding> {
        facts.mta_sts.as_ref()?;
        let host = Domain::parse(&format!("mta-sts.{}", facts.domain)).ok()?;
        let answers = [Kind::A, Kind::Aaaa].map(|kind| seen.get(&(host.clone(), kind)));
        let found = answers.into_iter().flatten().flat_map(|seen| seen.public.data().filter_map(Data::ip));
        let ours: Vec<IpAddr> = found.filter(|address| facts.addresses.contains(address)).collect();
        if ours.is_empty() {
            return Some(Finding::new(Check::PolicyFile, &host, Verdict::CantTellYet, Reason::PolicyElsewhere));
        }
        let fetched = self.reach.policy(&host, &ours).await;
        Some(policy_file(facts, &host, &fetched))
    }

    /// Asks for names that nobody has: what answers is a wildcard.
    async fn wildcards(&self, domain: &Domain) -> Finding {
        let mut drawn = [0; 8];
        self.random.fill(&mut drawn);
        let label = data_encoding::HEXLOWER.encode(&drawn);
        let probes = [
            (format!("{label}.{domain}"), Kind::A),
            (format!("{label}.{domain}"), Kind::Mx),
            (format!("{label}.{domain}"), Kind::Txt),
            (format!("{label}._domainkey.{domain}"), Kind::Txt),
        ];
        let mut found: Vec<Record> = Vec::new();
        for (name, kind) in probes {
            let Ok(name) = Domain::parse(&name) else { continue };
            let answer = self.look.public(&name, kind).await;
            if let Some(lack) = answer.silence() {
                let (verdict, reason) = silence(lack);
                return Finding::new(Check::Wildcards, domain, verdict, reason);
            }
            let wild = |record: &Record| Record {
                owner: Target::new(&record.owner.as_str().replace(&label, "*")),
                ..record.clone()
            };
            let all = answer.aliases.iter().chain(answer.records()).map(wild);
            for record in all {
                if !found.contains(&record) {
                    found.push(record);
                }
            }
        }
        let Some(first) = found.first() else { return Finding::good(Check::Wildcards, domain) };
        let shown = format!("{} {} {}", first.owner, first.data.kind(), first.data);
        let finding = Finding::new(Check::Wildcards, domain, Verdict::CouldBeBetter, Reason::Wildcard(shown));
        let surplus = found.iter().filter(|record| record.owner.as_str().starts_with('*')).cloned().collect();
        Finding { found, surplus, ..finding }
    }
}

/// Whether the resolver itself seems to be gone: each further question would be waited for as long.
fn is_dead(answer: &Answer) -> bool {
    matches!(answer.silence(), Some(Lack::Timeout | Lack::Broken))
}

/// Nothing more is asked: of each place the same is said.
fn silent(facts: &Facts, wanted: Vec<Wanted>, answer: &Answer) -> Report {
    let seen =
        questions(&wanted).into_iter().map(|question| (question, Seen { public: answer.clone(), servers: Vec::new() }));
    let findings = judge(facts, &wanted, &seen.collect());
    Report { wanted, findings }
}

/// The others concern the domain.
const fn is_of_host(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::HostAddress | Purpose::ReverseName | Purpose::HostSpf | Purpose::Dane)
}

fn is_absent(answer: &Answer) -> bool {
    answer.records.as_ref().is_err_and(|lack| lack.is_answer())
}

fn signed(name: &Domain, proof: Proof) -> Finding {
    let (verdict, reason) = match proof {
        Proof::Secure => (Verdict::Good, Reason::Good),
        Proof::Insecure => (Verdict::CouldBeBetter, Reason::Unsigned),
        Proof::Bogus => (Verdict::Wrong, Reason::Silence(Lack::Bogus)),
        Proof::Indeterminate => (Verdict::CantTellYet, Reason::UnprovenHere),
    };
    Finding { proof, ..Finding::new(Check::Dnssec, name, verdict, reason) }
}

fn spf_opinion(address: IpAddr, found: &Evaluation, cost: &Evaluation) -> (Verdict, Reason) {
    let culprit = || found.culprit.clone().unwrap_or_default();
    match found.result {
        SpfResult::TempError => (Verdict::CantTellYet, Reason::SpfLater(culprit())),
        SpfResult::PermError if found.lookups > MOST_LOOKUPS => {
            (Verdict::Wrong, Reason::SpfLookups(cost.lookups.max(found.lookups)))
        }
        SpfResult::PermError if found.voids > MOST_VOID_LOOKUPS => (Verdict::Wrong, Reason::SpfVoids(found.voids)),
        SpfResult::PermError => (Verdict::Wrong, Reason::SpfBroken(culprit())),
        // We pass early in the record; for others, whose mail the record is for as well, it is void.
        SpfResult::Pass if cost.lookups > MOST_LOOKUPS => (Verdict::CouldBeBetter, Reason::SpfLookups(cost.lookups)),
        SpfResult::Pass if cost.voids > MOST_VOID_LOOKUPS => (Verdict::CouldBeBetter, Reason::SpfVoids(cost.voids)),
        SpfResult::Pass if cost.result == SpfResult::PermError => {
            (Verdict::CouldBeBetter, Reason::SpfBroken(cost.culprit.clone().unwrap_or_default()))
        }
        SpfResult::Pass => (Verdict::Good, Reason::Good),
        other => (Verdict::Wrong, Reason::SpfFails(address, other)),
    }
}

#[cfg(test)]
mod cases;
