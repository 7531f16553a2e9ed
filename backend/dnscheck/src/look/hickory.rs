//! The DNS that hickory asks. Its types stop here.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::dnssec::{Proof as HickoryProof, TrustAnchors};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record as HickoryRecord, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use relais_model::{Domain, Random};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::direct::{self, Missed, Question};
use super::{Answer, Answering, Lack, Look, Proof, ServerAnswer};
use crate::record::{Data, Kind, Record, Target, parent};

/// Questions that are open at once; others wait for their turn.
const MOST_OPEN: usize = 16;
/// One round to the resolver's servers.
const ROUND_TIMEOUT: Duration = Duration::from_secs(3);
/// One of the ways to ask a resolver, with its rounds and, where signatures are checked, all keys.
const WAY_TIMEOUT: Duration = Duration::from_secs(6);
/// Servers of a zone that are asked.
const MOST_SERVERS: usize = 4;
/// CNAMEs that are followed in one answer.
const MOST_ALIASES: usize = 8;

/// Why the DNS can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// No resolver is configured, or it can't be started.
    #[error("the DNS resolver cannot start")]
    Resolver(#[source] NetError),
    /// The file holds no DNSKEY records.
    #[error("the trust anchor cannot be read: {0}")]
    TrustAnchor(String),
}

/// Where proof begins: the root's keys (RFC 4035 §4.4). The default are those of the internet's root.
#[derive(Clone, Default)]
pub struct TrustAnchor(Option<Arc<TrustAnchors>>);

impl fmt::Debug for TrustAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "TrustAnchor(own)" } else { "TrustAnchor(internet)" })
    }
}

impl TrustAnchor {
    /// From a file of DNSKEY records, as for a lab with a root of its own.
    ///
    /// # Errors
    /// [`LookError::TrustAnchor`].
    pub fn from_file(path: &Path) -> Result<Self, LookError> {
        let anchors = TrustAnchors::from_file(path).map_err(|error| LookError::TrustAnchor(error.to_string()))?;
        Ok(Self(Some(Arc::new(anchors))))
    }
}

/// Asks resolvers and zones' own servers over UDP and TCP. Keeps nothing: each question is asked anew, for a person waits for the DNS to change.
pub struct DnsLook {
    validating: TokioResolver,
    plain: TokioResolver,
    resolvers: Vec<SocketAddr>,
    /// 53, but in tests and labs.
    server_port: u16,
    random: Arc<dyn Random>,
    turns: Semaphore,
}

impl fmt::Debug for DnsLook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsLook").field("resolvers", &self.resolvers).finish_non_exhaustive()
    }
}

impl DnsLook {
    /// Asks the resolvers of `/etc/resolv.conf`.
    ///
    /// # Errors
    /// [`LookError::Resolver`].
    pub fn system(random: Arc<dyn Random>) -> Result<Self, LookError> {
        let (config, _) = read_system_conf().map_err(LookError::Resolver)?;
        let servers: Vec<_> = config.name_servers().iter().map(|server| SocketAddr::new(server.ip, 53)).collect();
        Self::with_servers(&servers, &TrustAnchor::default(), 53, random)
    }

    /// Asks these resolvers, trusts `anchor`, and finds zones' own servers at `server_port`.
    ///
    /// # Errors
    /// [`LookError::Resolver`].
    pub fn with_servers(
        resolvers: &[SocketAddr],
        anchor: &TrustAnchor,
        server_port: u16,
        random: Arc<dyn Random>,
    ) -> Result<Self, LookError> {
        let servers = resolvers.iter().map(|server| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = server.port();
            }
            NameServerConfig::new(server.ip(), true, connections)
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        let build = |validate: bool| {
            let provider = TokioRuntimeProvider::default();
            let mut builder =
                TokioResolver::builder_with_config(config.clone(), provider).with_options(options(validate));
            if let Some(anchors) = anchor.0.as_ref().filter(|_| validate) {
                builder = builder.with_trust_anchor(Arc::clone(anchors));
            }
            builder.build().map_err(LookError::Resolver)
        };
        let (validating, plain) = (build(true)?, build(false)?);
        let (resolvers, turns) = (resolvers.to_vec(), Semaphore::new(MOST_OPEN));
        Ok(Self { validating, plain, resolvers, server_port, random, turns })
    }

    /// The resolver's answer; its proof, where signatures could be checked.
    async fn resolve(&self, name: &Domain, kind: Kind) -> (Result<Vec<Record>, Lack>, Vec<Record>, Proof) {
        let proven = ask(&self.validating, &rooted(name), record_type(kind)).await;
        match heard(proven, kind) {
            (Err(Lack::Bogus), ..) if self.carries_signatures().await && !self.is_from_wildcard(name, kind).await => {
                (Err(Lack::Bogus), Vec::new(), Proof::Bogus)
            }
            (records, aliases, proof) if records.as_ref().err().is_none_or(|lack| lack.is_answer()) => {
                (records, aliases, proof)
            }
            // A resolver that doesn't know DNSSEC makes every proof fail: what it says is still what the world sees.
            _ => self.resolve_unproven(name, kind).await,
        }
    }

    async fn resolve_unproven(&self, name: &Domain, kind: Kind) -> (Result<Vec<Record>, Lack>, Vec<Record>, Proof) {
        let plain = ask(&self.plain, &rooted(name), record_type(kind)).await;
        match heard(plain, kind) {
            (Err(Lack::ServFail), aliases, _) if self.answers_unchecked(name, kind).await => {
                (Err(Lack::Bogus), aliases, Proof::Bogus)
            }
            (records, aliases, _) => (records, aliases, Proof::Indeterminate),
        }
    }

    /// Whether the resolver gives signatures: the root's keys are signed, whatever else is not.
    async fn carries_signatures(&self) -> bool {
        let keys = ask(&self.validating, ".", RecordType::DNSKEY).await;
        keys.is_ok_and(|keys| keys.answers().iter().any(|record| record.proof == HickoryProof::Secure))
    }

    /// Whether a wildcard answers for `name`: its signature is for fewer labels (RFC 4035 §5.3.4). hickory 0.26 calls such answers bogus in zones with NSEC (hickory-dns
    /// pull request 3812), so its word doesn't count there.
    async fn is_from_wildcard(&self, name: &Domain, kind: Kind) -> bool {
        let answer = self.ask_unchecked(name, kind, true).await;
        answer.is_some_and(|answer| {
            answer.answers.iter().any(|record| match &record.data {
                RData::DNSSEC(DNSSECRData::RRSIG(signature)) => signature.input().num_labels < record.name.num_labels(),
                _ => false,
            })
        })
    }

    /// Whether a resolver that said SERVFAIL has an answer when it is told not to check signatures (RFC 4035 §3.2.2): then a signature is wrong.
    async fn answers_unchecked(&self, name: &Domain, kind: Kind) -> bool {
        let answer = self.ask_unchecked(name, kind, false).await;
        answer.is_some_and(|answer| matches!(answer.response_code, ResponseCode::NoError | ResponseCode::NXDomain))
    }

    async fn ask_unchecked(&self, name: &Domain, kind: Kind, with_signatures: bool) -> Option<Message> {
        let (resolver, name) = (self.resolvers.first()?, Name::from_ascii(rooted(name)).ok()?);
        let question = Question { name: &name, kind: record_type(kind), is_for_resolver: true, with_signatures };
        direct::ask(*resolver, &question, &*self.random).await.ok()
    }

    /// The servers of the zone in which `name` stands: going up until a name has NS records of its own.
    async fn servers(&self, name: &Domain) -> Vec<(Target, SocketAddr)> {
        let mut zone = Some(name.clone());
        while let Some(candidate) = zone {
            let asked = ask(&self.plain, &rooted(&candidate), RecordType::NS).await;
            match heard(asked, Kind::Ns) {
                // An alias shows its target's servers: not ours.
                (Ok(records), aliases, _) if aliases.is_empty() => return self.addresses(&records).await,
                (Err(Lack::Timeout | Lack::Broken), ..) => return Vec::new(),
                _ => {}
            }
            zone = parent(&candidate);
        }
        Vec::new()
    }

    async fn addresses(&self, records: &[Record]) -> Vec<(Target, SocketAddr)> {
        let mut names: Vec<&Target> = records
            .iter()
            .filter_map(|record| if let Data::Ns(name) = &record.data { Some(name) } else { None })
            .collect();
        names.sort();
        let found = names.into_iter().take(MOST_SERVERS).map(|name| async move {
            let host = name.host()?;
            // One address each: this asks whether the server has the zone, not whether all its ways are open.
            for kind in [Kind::A, Kind::Aaaa] {
                if let (Ok(found), ..) = heard(ask(&self.plain, &rooted(&host), record_type(kind)).await, kind)
                    && let Some(address) = found.iter().find_map(|record| record.data.ip())
                {
                    return Some((name.clone(), address));
                }
            }
            None
        });
        let found: Vec<Option<(Target, IpAddr)>> = futures_util::future::join_all(found).await;
        let at_port = |(name, address)| (name, SocketAddr::new(address, self.server_port));
        found.into_iter().flatten().map(at_port).collect()
    }

    async fn ask_server(&self, server: SocketAddr, name: &Name, kind: Kind) -> Answer {
        let asked_at = Instant::now();
        let question = Question { name, kind: record_type(kind), is_for_resolver: false, with_signatures: false };
        let (records, aliases) = match direct::ask(server, &question, &*self.random).await {
            Ok(message) => said(&message, name, kind),
            Err(Missed::Timeout) => (Err(Lack::Timeout), Vec::new()),
            Err(Missed::Broken) => (Err(Lack::Broken), Vec::new()),
        };
        Answer { records, aliases, proof: Proof::Indeterminate, took: asked_at.elapsed() }
    }
}

impl Look for DnsLook {
    fn public<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Answer> {
        Box::pin(async move {
            let _turn = self.turns.acquire().await;
            let asked_at = Instant::now();
            let (records, aliases, proof) = self.resolve(name, kind).await;
            Answer { records, aliases, proof, took: asked_at.elapsed() }
        })
    }

    fn authoritative<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Vec<ServerAnswer>> {
        Box::pin(async move {
            let _turn = self.turns.acquire().await;
            let Ok(rooted) = Name::from_ascii(rooted(name)) else { return Vec::new() };
            let servers = self.servers(name).await;
            let asked = servers.into_iter().map(|(server, address)| {
                let rooted = &rooted;
                async move { ServerAnswer { server, answer: self.ask_server(address, rooted, kind).await } }
            });
            futures_util::future::join_all(asked).await
        })
    }
}

fn options(validate: bool) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.validate = validate;
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    options.preserve_intermediates = true;
    options.timeout = ROUND_TIMEOUT;
    // One server after the other: asked at once, hickory 0.26 loses answers that are too large for UDP (hickory-dns issue 3963).
    options.num_concurrent_reqs = 1;
    options
}

async fn ask(resolver: &TokioResolver, name: &str, kind: RecordType) -> Result<Lookup, NetError> {
    timeout(WAY_TIMEOUT, resolver.lookup(name, kind)).await.unwrap_or(Err(NetError::Timeout))
}

/// With the last dot, so that no search list of the machine is tried.
fn rooted(domain: &Domain) -> String {
    format!("{domain}.")
}

fn heard(asked: Result<Lookup, NetError>, kind: Kind) -> (Result<Vec<Record>, Lack>, Vec<Record>, Proof) {
    match asked {
        Ok(lookup) => {
            let proof = proof(lookup.answers());
            if proof == Proof::Bogus {
                return (Err(Lack::Bogus), Vec::new(), proof);
            }
            let (records, aliases) = sorted(lookup.answers().iter().filter_map(record), kind);
            (if records.is_empty() { Err(Lack::NoData) } else { Ok(records) }, aliases, proof)
        }
        Err(NetError::Dns(DnsError::DnssecBogus)) => (Err(Lack::Bogus), Vec::new(), Proof::Bogus),
        Err(NetError::Dns(DnsError::NoRecordsFound(lack))) => {
            let proof = lack.authorities.as_deref().map_or(Proof::Indeterminate, proof);
            (Err(absence(lack.response_code)), Vec::new(), proof)
        }
        // Nothing there, without proof of it, in a zone that promises none.
        Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => {
            (Err(absence(response.response_code)), Vec::new(), proof_of_ours(proof))
        }
        Err(NetError::Dns(DnsError::ResponseCode(code))) => (Err(refusal(code)), Vec::new(), Proof::Indeterminate),
        Err(NetError::Timeout) => (Err(Lack::Timeout), Vec::new(), Proof::Indeterminate),
        Err(_) => (Err(Lack::Broken), Vec::new(), Proof::Indeterminate),
    }
}

const fn absence(code: ResponseCode) -> Lack {
    if matches!(code, ResponseCode::NXDomain) { Lack::NoSuchName } else { Lack::NoData }
}

const fn refusal(code: ResponseCode) -> Lack {
    match code {
        ResponseCode::ServFail => Lack::ServFail,
        ResponseCode::Refused | ResponseCode::NotAuth => Lack::Refused,
        _ => Lack::Broken,
    }
}

/// The weakest of its records' proofs; of none, nothing is known.
fn proof(records: &[HickoryRecord]) -> Proof {
    let proofs = records.iter().filter(|record| record.record_type() != RecordType::RRSIG).map(|record| record.proof);
    let weight = |proof: HickoryProof| match proof {
        HickoryProof::Bogus => 3,
        HickoryProof::Indeterminate => 2,
        HickoryProof::Insecure => 1,
        HickoryProof::Secure => 0,
    };
    proofs.max_by_key(|proof| weight(*proof)).map_or(Proof::Indeterminate, proof_of_ours)
}

const fn proof_of_ours(proof: HickoryProof) -> Proof {
    match proof {
        HickoryProof::Secure => Proof::Secure,
        HickoryProof::Insecure => Proof::Insecure,
        HickoryProof::Bogus => Proof::Bogus,
        HickoryProof::Indeterminate => Proof::Indeterminate,
    }
}

/// Those of the type asked for, and the aliases on the way.
fn sorted(records: impl Iterator<Item = Record>, kind: Kind) -> (Vec<Record>, Vec<Record>) {
    let (mut wanted, mut aliases) = (Vec::new(), Vec::new());
    for record in records {
        if record.data.kind() == kind {
            wanted.push(record);
        } else if record.data.kind() == Kind::Cname && aliases.len() < MOST_ALIASES {
            aliases.push(record);
        }
    }
    (wanted, aliases)
}

/// What a zone's own server says.
fn said(message: &Message, name: &Name, kind: Kind) -> (Result<Vec<Record>, Lack>, Vec<Record>) {
    match message.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        code => return (Err(refusal(code)), Vec::new()),
    }
    // A referral, or an answer out of a cache: not the zone's own word.
    if !message.authoritative {
        return (Err(Lack::Refused), Vec::new());
    }
    let mut at = Target::new(&name.to_ascii());
    let all: Vec<Record> = message.answers.iter().filter_map(record).collect();
    let mut aliases: Vec<Record> = Vec::new();
    while kind != Kind::Cname && aliases.len() < MOST_ALIASES {
        let alias = all.iter().find(|record| record.owner == at && record.data.kind() == Kind::Cname);
        let Some((alias, Data::Cname(to))) = alias.map(|alias| (alias, &alias.data)) else { break };
        at = to.clone();
        aliases.push(alias.clone());
    }
    let found: Vec<Record> =
        all.into_iter().filter(|record| record.owner == at && record.data.kind() == kind).collect();
    // Behind an alias, NXDOMAIN speaks of its target (RFC 6604 §3).
    (if found.is_empty() { Err(absence(message.response_code)) } else { Ok(found) }, aliases)
}

const fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Caa => RecordType::CAA,
        Kind::Cname => RecordType::CNAME,
        Kind::Mx => RecordType::MX,
        Kind::Ns => RecordType::NS,
        Kind::Ptr => RecordType::PTR,
        Kind::Srv => RecordType::SRV,
        Kind::Tlsa => RecordType::TLSA,
        Kind::Txt => RecordType::TXT,
    }
}

/// Types that mail doesn't ask for are passed over.
fn record(record: &HickoryRecord) -> Option<Record> {
    let target = |name: &Name| Target::new(&name.to_ascii());
    let data = match &record.data {
        RData::A(address) => Data::A(address.0),
        RData::AAAA(address) => Data::Aaaa(address.0),
        RData::CAA(caa) => Data::Caa {
            is_critical: caa.issuer_critical,
            tag: caa.tag.to_ascii_lowercase(),
            value: String::from_utf8_lossy(&caa.value).into_owned(),
        },
        RData::CNAME(name) => Data::Cname(target(&name.0)),
        RData::MX(mx) => Data::Mx { preference: mx.preference, exchange: target(&mx.exchange) },
        RData::NS(name) => Data::Ns(target(&name.0)),
        RData::PTR(name) => Data::Ptr(target(&name.0)),
        RData::SRV(srv) => {
            Data::Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target: target(&srv.target) }
        }
        RData::TLSA(tlsa) => Data::Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            digest: tlsa.cert_data.clone(),
        },
        RData::TXT(txt) => Data::Txt(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
        _ => return None,
    };
    Some(Record { owner: target(&record.name), ttl: record.ttl, data })
}
