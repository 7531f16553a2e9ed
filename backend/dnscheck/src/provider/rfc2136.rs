//! A DNS server of one's own that takes dynamic updates (RFC 2136) signed with a shared key (TSIG, RFC 8945): BIND, Knot DNS, `PowerDNS`.
//!
//! What stands is read by zone transfer (RFC 5936), or, where the key may not, by a question for each kind; then a wildcard may be taken
//! for a record. An update carries what we believe to stand as its prerequisite (RFC 2136 §2.4), so the server itself refuses where
//! somebody was faster, and does all or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode, UpdateMessage as _};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, TSigVerifier, TSigner};
use relais_model::{Clock, Random};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::record::{RecordSet, SetKey, bare, dotted, txt};
use super::{Asking, Change, Contents, MAX_RECORDS, Provider, ProviderError, ProviderKind, Zone, said};

/// A question or an update and its answer.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(15);

/// A whole zone.
const TRANSFER_TIMEOUT: Duration = Duration::from_mins(1);

/// Octets of a whole zone's transfer.
const TRANSFER_OCTETS: usize = 16 * 1024 * 1024;

/// Seconds that the clocks may differ (RFC 8945 §10).
const FUDGE: u16 = 300;

/// What we ask for where there is no transfer, and what we write.
const KINDS: [RecordType; 9] = [
    RecordType::A,
    RecordType::AAAA,
    RecordType::CAA,
    RecordType::CNAME,
    RecordType::MX,
    RecordType::NS,
    RecordType::SRV,
    RecordType::TLSA,
    RecordType::TXT,
];

/// Algorithms that a form offers, the best first; what a key has is in the server's configuration.
pub(super) const ALGORITHMS: [&str; 3] = ["hmac-sha256", "hmac-sha512", "hmac-sha384"];

pub(super) struct Rfc2136 {
    server: String,
    signer: TSigner,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Rfc2136 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rfc2136").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What answers a question for a zone.
enum Transfer {
    Whole(Vec<Record>),
    /// The key may not.
    Refused,
}

impl Rfc2136 {
    /// `server` is `host`, `host:port` or `[address]:port`. None where the key's name, algorithm or secret is none.
    pub(super) fn new(
        server: &str,
        key_name: &str,
        algorithm: &str,
        secret: Vec<u8>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Option<Self> {
        let algorithm = match algorithm {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha384" => TsigAlgorithm::HmacSha384,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            _ => return None,
        };
        let name = Name::from_ascii(dotted(key_name)).ok()?;
        let signer = TSigner::new(secret, algorithm, name, FUDGE).ok()?;
        Some(Self { server: with_port(server), signer, clock, random })
    }

    async fn connect(&self) -> Result<TcpStream, ProviderError> {
        let unreachable =
            |error: &std::io::Error| ProviderError::Unreachable(said(&format!("{}: {error}", self.server)));
        let found = tokio::net::lookup_host(&self.server).await.map_err(|error| unreachable(&error))?;
        let addresses: Vec<SocketAddr> = found.collect();
        TcpStream::connect(addresses.as_slice()).await.map_err(|error| unreachable(&error))
    }

    fn message(&self, op_code: OpCode, zone_or_name: Name, kind: RecordType) -> Message {
        let mut id = [0; 2];
        self.random.fill(&mut id);
        let mut message = Message::new(u16::from_be_bytes(id), MessageType::Query, op_code);
        message.metadata.recursion_desired = false;
        message.add_query(Query::query(zone_or_name, kind));
        message
    }

    /// Signs and sends.
    async fn send(&self, stream: &mut TcpStream, mut message: Message) -> Result<TSigVerifier, ProviderError> {
        let now = u64::try_from(self.clock.now().seconds()).unwrap_or_default();
        let broken = |error: &dyn fmt::Display| ProviderError::Rejected { said: said(&error.to_string()) };
        let verifier = message.finalize(&self.signer, now).map_err(|error| broken(&error))?;
        let verifier = verifier.ok_or_else(|| broken(&"the message was not signed"))?;
        let octets = message.to_vec().map_err(|error| broken(&error))?;
        let length = u16::try_from(octets.len()).map_err(|_| broken(&"too many changes for one message"))?;
        let mut framed = length.to_be_bytes().to_vec(); // RFC 1035 §4.2.2
        framed.extend(octets);
        stream.write_all(&framed).await.map_err(|error| ProviderError::Unreachable(said(&error.to_string())))?;
        Ok(verifier)
    }

    async fn receive(stream: &mut TcpStream, verifier: &mut TSigVerifier) -> Result<(Message, usize), ProviderError> {
        let gone = |error: std::io::Error| ProviderError::Unreachable(said(&error.to_string()));
        let length = usize::from(stream.read_u16().await.map_err(gone)?);
        let mut octets = vec![0; length];
        stream.read_exact(&mut octets).await.map_err(gone)?;
        let message = Message::from_vec(&octets).map_err(|error| ProviderError::Broken(said(&error.to_string())))?;
        // A refusal may be unsigned: a server that doesn't know the key cannot sign (RFC 8945 §5.2). A success may not.
        if let Err(error) = verifier.verify(&octets)
            && message.response_code == ResponseCode::NoError
        {
            return Err(ProviderError::Broken(said(&format!("its signature is wrong: {error}"))));
        }
        Ok((message, length))
    }

    /// One question or update, one answer, whatever it says.
    async fn exchange(&self, stream: &mut TcpStream, message: Message) -> Result<Message, ProviderError> {
        let exchange = async {
            let id = message.id;
            let mut verifier = self.send(stream, message).await?;
            let (answer, _) = Self::receive(stream, &mut verifier).await?;
            if answer.id == id { Ok(answer) } else { Err(ProviderError::Broken("an answer to nothing".to_owned())) }
        };
        timeout(EXCHANGE_TIMEOUT, exchange).await.unwrap_or(Err(ProviderError::Timeout))
    }

    async fn open(&self) -> Result<TcpStream, ProviderError> {
        timeout(EXCHANGE_TIMEOUT, self.connect()).await.unwrap_or(Err(ProviderError::Timeout))
    }

    async fn find_zone(&self, name: &str) -> Result<Option<Zone>, ProviderError> {
        let origin = parse_name(name)?;
        let mut stream = self.open().await?;
        let answer = self.exchange(&mut stream, self.message(OpCode::Query, origin.clone(), RecordType::SOA)).await?;
        match answer.response_code {
            ResponseCode::NoError => {}
            // It isn't authoritative for it.
            ResponseCode::Refused | ResponseCode::NXDomain => return Ok(None),
            _ => return Err(failure(&answer)),
        }
        let is_soa = |record: &Record| record.record_type() == RecordType::SOA && record.name == origin;
        let is_here = answer.authoritative && answer.answers.iter().any(is_soa);
        Ok(is_here.then(|| Zone { name: name.to_owned(), key: name.to_owned(), least_ttl: 0 }))
    }

    async fn transfer(&self, zone: &Zone) -> Result<Transfer, ProviderError> {
        let mut stream = self.open().await?;
        let message = self.message(OpCode::Query, parse_name(&zone.name)?, RecordType::AXFR);
        let mut verifier = self.send(&mut stream, message).await?;
        let (mut records, mut octets, mut soas) = (Vec::new(), 0, 0);
        // RFC 5936 §2.2: from one SOA to the next, in as many messages as it takes.
        while soas < 2 {
            let (answer, length) = Self::receive(&mut stream, &mut verifier).await?;
            octets += length;
            match answer.response_code {
                ResponseCode::NoError => {}
                ResponseCode::Refused | ResponseCode::NotImp => return Ok(Transfer::Refused),
                _ => return Err(failure(&answer)),
            }
            if answer.answers.is_empty() {
                return Err(ProviderError::Broken("an empty transfer".to_owned()));
            }
            soas += answer.answers.iter().filter(|record| record.record_type() == RecordType::SOA).count();
            records.extend(answer.answers.iter().cloned());
            if octets > TRANSFER_OCTETS || records.len() > MAX_RECORDS {
                return Err(ProviderError::TooMuch);
            }
        }
        Ok(Transfer::Whole(records))
    }

    async fn questions(&self, names: &BTreeSet<String>) -> Result<Vec<Record>, ProviderError> {
        let mut records = Vec::new();
        let mut stream = self.open().await?;
        for name in names {
            let name = parse_name(name)?;
            for kind in KINDS {
                let answer = self.exchange(&mut stream, self.message(OpCode::Query, name.clone(), kind)).await?;
                match answer.response_code {
                    ResponseCode::NoError => {}
                    ResponseCode::NXDomain => break,
                    _ => return Err(failure(&answer)),
                }
                // What an alias leads to is not what stands here.
                let is_asked = |record: &&Record| record.name == name && record.record_type() == kind;
                records.extend(answer.answers.iter().filter(is_asked).cloned());
            }
        }
        Ok(records)
    }

    async fn update(&self, zone: &Zone, changes: &[Change]) -> Result<(), ProviderError> {
        let mut message = self.message(OpCode::Update, parse_name(&zone.name)?, RecordType::SOA);
        for change in changes {
            require(&mut message, change)?;
        }
        for change in changes {
            replace(&mut message, change)?;
        }
        let mut stream = self.open().await?;
        let answer = self.exchange(&mut stream, message).await?;
        match answer.response_code {
            ResponseCode::NoError => Ok(()),
            // A prerequisite does not hold.
            ResponseCode::NXRRSet | ResponseCode::YXRRSet | ResponseCode::NXDomain | ResponseCode::YXDomain => {
                let sets = changes.iter().map(|change| format!("{} {}", change.name(), change.kind()));
                Err(ProviderError::Changed { sets: sets.collect() })
            }
            _ => Err(failure(&answer)),
        }
    }
}

fn with_port(server: &str) -> String {
    let is_bare_v6 = server.matches(':').count() > 1 && !server.starts_with('[');
    match server {
        _ if is_bare_v6 => format!("[{server}]:53"),
        _ if server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => server.to_owned(),
        _ => format!("{server}:53"),
    }
}

fn parse_name(name: &str) -> Result<Name, ProviderError> {
    Name::from_ascii(dotted(name)).map_err(|error| ProviderError::Rejected { said: said(&format!("{name}: {error}")) })
}

/// What a refusal means; a wrong key is told in the TSIG record (RFC 8945 §5.2).
fn failure(answer: &Message) -> ProviderError {
    let detail = answer.signature().and_then(|record| record.data.error.as_ref());
    let detail = detail.map(|error| format!(", {error:?}")).unwrap_or_default();
    let said = said(&format!("{:?}{detail}", answer.response_code));
    match answer.response_code {
        ResponseCode::Refused
        | ResponseCode::NotAuth
        | ResponseCode::BADKEY
        | ResponseCode::BADSIG
        | ResponseCode::BADTIME => ProviderError::Refused { said },
        ResponseCode::ServFail => ProviderError::Broken(said),
        _ => ProviderError::Rejected { said },
    }
}

/// RFC 2136 §2.4.2 and §2.4.3: the set stands exactly as we saw it, or there is none.
fn require(message: &mut Message, change: &Change) -> Result<(), ProviderError> {
    let Some(before) = &change.before else {
        let mut none = nothing(change)?;
        none.dns_class = DNSClass::NONE;
        message.add_pre_requisite(none);
        return Ok(());
    };
    for value in &before.values {
        message.add_pre_requisite(Record::from_rdata(parse_name(&before.name)?, 0, rdata(&before.kind, value)?));
    }
    Ok(())
}

/// RFC 2136 §2.5.2 and §2.5.1: the set goes, and comes as it shall be.
fn replace(message: &mut Message, change: &Change) -> Result<(), ProviderError> {
    if change.before.is_some() {
        let mut all = nothing(change)?;
        all.dns_class = DNSClass::ANY;
        message.add_update(all);
    }
    if let Some(after) = &change.after {
        for value in &after.values {
            let data = rdata(&after.kind, value)?;
            message.add_update(Record::from_rdata(parse_name(&after.name)?, after.ttl, data));
        }
    }
    Ok(())
}

/// A record without data, which stands for a set.
fn nothing(change: &Change) -> Result<Record, ProviderError> {
    let kind = change.kind();
    let parsed = kind.parse().map_err(|_| ProviderError::Rejected { said: format!("{kind} is no kind of record") })?;
    Ok(Record::<RData>::update0(parse_name(change.name())?, 0, parsed).into_record_of_rdata())
}

fn rdata(kind: &str, value: &str) -> Result<RData, ProviderError> {
    let unreadable = || ProviderError::Rejected { said: said(&format!("{kind} {value}")) };
    if kind == "TXT" {
        let strings = super::record::strings(value);
        return Ok(RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect())));
    }
    RData::try_from_str(kind.parse().map_err(|_| unreadable())?, value).map_err(|_| unreadable())
}

fn presented(data: &RData) -> String {
    match data {
        RData::TXT(text) => text.txt_data.iter().map(|string| txt(string)).collect::<Vec<_>>().join(" "),
        RData::CAA(caa) => format!("{} {} {}", caa.flags(), caa.tag, txt(&caa.value)),
        other => other.to_string(),
    }
}

/// Without what a signed zone has of its own.
fn sets(records: &[Record], names: &BTreeSet<String>) -> Contents {
    let mut groups: BTreeMap<SetKey, Vec<&Record>> = BTreeMap::new();
    for record in records {
        let kind = record.record_type();
        let name = bare(&record.name.to_ascii());
        if names.contains(&name) && kind != RecordType::SOA && !kind.is_dnssec() {
            groups.entry((name, kind.to_string())).or_default().push(record);
        }
    }
    let sets = groups.into_iter().map(|((name, kind), records)| {
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
        RecordSet::new(&name, &kind, ttl, records.iter().map(|record| presented(&record.data)))
    });
    Contents { sets: sets.collect(), fixed: BTreeSet::new() }
}

impl Provider for Rfc2136 {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Rfc2136
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        Box::pin(self.find_zone(name))
    }

    fn read<'a>(&'a self, zone: &'a Zone, names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        Box::pin(async move {
            let transfer = timeout(TRANSFER_TIMEOUT, self.transfer(zone)).await;
            let records = match transfer.unwrap_or(Err(ProviderError::Timeout))? {
                Transfer::Whole(records) => records,
                Transfer::Refused => self.questions(names).await?,
            };
            Ok(sets(&records, names))
        })
    }

    fn write<'a>(&'a self, zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
        Box::pin(self.update(zone, changes))
    }

    fn has_kind(&self, kind: &str) -> bool {
        KINDS.iter().any(|known| known.to_string() == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_port() {
        let check = |server: &str, expected: &str| assert_eq!(with_port(server), expected);
        check("ns1.example.org", "ns1.example.org:53");
        check("192.0.2.1:5353", "192.0.2.1:5353");
        check("2001:db8::1", "[2001:db8::1]:53");
        check("[2001:db8::1]:5353", "[2001:db8::1]:5353");
        check("[2001:db8::1]", "[2001:db8::1]:53");
    }

    #[test]
    fn values_come_back_from_the_wire() {
        let check = |kind: &str, value: &str| {
            let data = rdata(kind, value).unwrap();
            assert_eq!(super::super::record::canonical(kind, &presented(&data)), value);
        };
        check("A", "192.0.2.1");
        check("MX", "10 mail.example.org.");
        check("SRV", "0 1 465 mail.example.org.");
        check("CAA", "0 issue \"ca.example; accounturi=x\"");
        check("TLSA", "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        check("TXT", r#""v=spf1 \"x\"" "\233;""#);
        check("CNAME", "elsewhere.example.");
    }
}
