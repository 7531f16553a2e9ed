//! Which records a mail domain and its host want: facts in, records out.

use std::net::IpAddr;

use relais_model::{Address, Domain};

use crate::dkim::Algorithm;
use crate::dmarc::{Dmarc, DmarcPolicy};
use crate::record::{Data, Kind, Target, reverse_name};
use crate::spf;
use relais_smtp::sts::{StsMode, StsPolicy};

/// Seconds that others may keep a record: long enough to spare the servers, short enough to change one's mind within a morning.
pub const WANTED_TTL: u32 = 3600;

/// What is known of a domain and of the host that takes its mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The host's name, which it says in EHLO and which its certificate bears.
    pub host: Domain,
    /// Its public addresses; at least one.
    pub addresses: Vec<IpAddr>,
    /// The mail domain.
    pub domain: Domain,
    /// What mail programs may use, and at which TCP port.
    pub services: Vec<(Service, u16)>,
    /// The keys that sign the domain's mail.
    pub dkim: Vec<DkimKey>,
    /// What others are to do with mail that isn't ours.
    pub dmarc: DmarcWish,
    /// None: no policy is served.
    pub mta_sts: Option<StsWish>,
    /// Who gets reports on TLS (RFC 8460); none: nobody.
    pub tls_reports: Option<Address>,
    /// The domains of the authorities that we get certificates from, as their CAA records want them (`letsencrypt.org`).
    pub issuers: Vec<String>,
    /// SHA-256 of the public keys that the host shows on port 25, the coming one included. Empty: no TLSA record is wanted.
    pub tls_keys: Vec<[u8; 32]>,
    /// Whether DNSSEC proves the host's name: only then TLSA records are worth anything (RFC 7672 §2.2).
    pub is_host_signed: bool,
}

/// A service that mail programs look for by SRV records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Submission with TLS from the start (RFC 8314).
    Submissions,
    /// Submission with STARTTLS (RFC 6186).
    Submission,
    /// IMAP with TLS from the start (RFC 6186).
    Imaps,
    /// IMAP with STARTTLS (RFC 6186).
    Imap,
    /// POP3 with TLS from the start (RFC 6186).
    Pop3s,
    /// POP3 with STLS (RFC 6186).
    Pop3,
    /// `ManageSieve` (RFC 5804 §1.8).
    Sieve,
}

impl Service {
    /// All of them, the ones to prefer first.
    pub const ALL: [Self; 7] =
        [Self::Submissions, Self::Submission, Self::Imaps, Self::Imap, Self::Pop3s, Self::Pop3, Self::Sieve];

    /// As SRV names have it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Submissions => "_submissions",
            Self::Submission => "_submission",
            Self::Imaps => "_imaps",
            Self::Imap => "_imap",
            Self::Pop3s => "_pop3s",
            Self::Pop3 => "_pop3",
            Self::Sieve => "_sieve",
        }
    }

    /// RFC 8314 §5.1: TLS from the start comes first; RFC 6186 §3.3: POP3 behind IMAP.
    const fn priority(self) -> u16 {
        match self {
            Self::Submissions | Self::Imaps | Self::Sieve => 0,
            Self::Submission | Self::Imap => 10,
            Self::Pop3s => 20,
            Self::Pop3 => 30,
        }
    }
}

/// A key that signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKey {
    /// Its name, below `_domainkey`.
    pub selector: String,
    /// Its type.
    pub algorithm: Algorithm,
    /// The value of `p=`.
    pub public_key: String,
    /// It doesn't sign yet: it waits until its record is seen.
    pub waits: bool,
}

/// What others are asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmarcWish {
    /// With mail that fails.
    pub policy: DmarcPolicy,
    /// Who gets their daily reports.
    pub reports: Option<Address>,
}

/// The policy that we serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsWish {
    /// Another one after each change: 1 to 32 letters and digits (RFC 8461 §3.1).
    pub id: String,
    /// What a sender does that can't keep it.
    pub mode: StsMode,
    /// Seconds that senders keep it.
    pub max_age: u32,
}

/// What stands in the DNS already and must be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct There {
    /// The domain's TXT records.
    pub texts: Vec<String>,
    /// The TXT records at `_dmarc` of the domain.
    pub dmarc: Vec<String>,
}

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// The host is found.
    HostAddress,
    /// The host's address has the host's name.
    ReverseName,
    /// The domain's mail comes to us.
    Mx,
    /// We may send the domain's mail.
    Spf,
    /// The host may send in its own name, as with notices.
    HostSpf,
    /// Others can check our signatures.
    Dkim,
    /// What others do with forged mail.
    Dmarc,
    /// Others send to us over checked TLS alone: that there is a policy.
    MtaSts,
    /// The name at which that policy is fetched.
    MtaStsHost,
    /// Others tell us where TLS failed.
    TlsReports,
    /// The certificate of port 25, proven by DNSSEC.
    Dane,
    /// Mail programs find the servers.
    Service,
    /// Mozilla's and others' programs fetch their settings.
    Autoconfig,
    /// Microsoft's programs fetch theirs.
    Autodiscover,
    /// Which authority may certify the domain's names.
    Issuer,
}

impl Purpose {
    /// Its name, in URLs and in the catalogue (`dns-purpose-NAME`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::HostAddress => "host-address",
            Self::ReverseName => "reverse-name",
            Self::Mx => "mx",
            Self::Spf => "spf",
            Self::HostSpf => "host-spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::MtaSts => "mta-sts",
            Self::MtaStsHost => "mta-sts-host",
            Self::TlsReports => "tls-reports",
            Self::Dane => "dane",
            Self::Service => "service",
            Self::Autoconfig => "autoconfig",
            Self::Autodiscover => "autodiscover",
            Self::Issuer => "issuer",
        }
    }

    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::HostAddress,
        Self::ReverseName,
        Self::Mx,
        Self::Spf,
        Self::HostSpf,
        Self::Dkim,
        Self::Dmarc,
        Self::MtaSts,
        Self::MtaStsHost,
        Self::TlsReports,
        Self::Dane,
        Self::Service,
        Self::Autoconfig,
        Self::Autodiscover,
        Self::Issuer,
    ];

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// How much mail suffers without it.
    pub const fn need(self) -> Need {
        match self {
            Self::HostAddress | Self::ReverseName | Self::Mx | Self::Spf | Self::Dkim => Need::Must,
            Self::Dmarc | Self::MtaSts | Self::MtaStsHost | Self::Dane | Self::Service | Self::Autoconfig => {
                Need::Should
            }
            Self::HostSpf | Self::TlsReports | Self::Autodiscover | Self::Issuer => Need::Nice,
        }
    }
}

/// How much a record is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// Without it mail fails, or is taken for junk.
    Must,
    /// Without it mail is less safe, or people have more to type.
    Should,
    /// Some gain from it.
    Nice,
}

impl Need {
    /// Its name in the catalogue: `dns-need-NAME`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Nice => "nice",
        }
    }
}

/// A record that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What for, and by that how much.
    pub purpose: Purpose,
    /// Where it stands.
    pub owner: Domain,
    /// What it says.
    pub data: Data,
    /// Seconds that others may keep it.
    pub ttl: u32,
}

impl Wanted {
    fn new(purpose: Purpose, owner: Domain, data: Data) -> Self {
        Self { purpose, owner, data, ttl: WANTED_TTL }
    }

    /// How much it is needed. The key that only some can check is not needed as much as the other.
    pub fn need(&self) -> Need {
        let is_ed25519 = self.data.text().is_some_and(|text| text.contains("k=ed25519"));
        if self.purpose == Purpose::Dkim && is_ed25519 { Need::Nice } else { self.purpose.need() }
    }

    /// Name and type: what one asks for.
    pub fn question(&self) -> (Domain, Kind) {
        (self.owner.clone(), self.data.kind())
    }
}

/// The records wanted, those that are needed most first. Names that would be too long for the DNS are left out.
pub fn wanted(facts: &Facts, there: &There) -> Vec<Wanted> {
    let host = Target::from(&facts.host);
    let mut records = Records { facts, wanted: Vec::new() };
    for address in &facts.addresses {
        records.put(Purpose::HostAddress, facts.host.clone(), Data::address(*address));
    }
    for reverse in facts.addresses.iter().filter_map(|address| reverse_name(*address).ok()) {
        records.put(Purpose::ReverseName, reverse, Data::Ptr(host.clone()));
    }
    let exchange = host.clone();
    records.put(Purpose::Mx, facts.domain.clone(), Data::Mx { preference: 10, exchange });
    let spf = spf::wanted(&there.texts, &facts.host, &facts.addresses);
    records.put(Purpose::Spf, facts.domain.clone(), Data::Txt(spf));
    for key in &facts.dkim {
        let text = format!("v=DKIM1; k={}; p={}", key.algorithm.as_str(), key.public_key);
        records.below(Purpose::Dkim, &format!("{}._domainkey", key.selector), Data::Txt(text));
    }
    records.below(Purpose::Dmarc, "_dmarc", Data::Txt(Dmarc::wanted(&there.dmarc, &facts.dmarc)));
    if let Some(policy) = &facts.mta_sts {
        records.below(Purpose::MtaSts, "_mta-sts", Data::Txt(format!("v=STSv1; id={}", policy.id)));
        records.below(Purpose::MtaStsHost, "mta-sts", Data::Cname(host.clone()));
    }
    records.services(&host);
    records.below(Purpose::Autoconfig, "autoconfig", Data::Cname(host.clone()));
    records.below(Purpose::Autodiscover, "autodiscover", Data::Cname(host));
    records.dane();
    if let Some(reports) = &facts.tls_reports {
        let text = format!("v=TLSRPTv1; rua={}", mailto(reports));
        records.below(Purpose::TlsReports, "_smtp._tls", Data::Txt(text));
    }
    if facts.host != facts.domain {
        records.put(Purpose::HostSpf, facts.host.clone(), Data::Txt("v=spf1 a -all".to_owned()));
    }
    for issuer in &facts.issuers {
        let data = Data::Caa { is_critical: false, tag: "issue".to_owned(), value: issuer.clone() };
        records.put(Purpose::Issuer, facts.domain.clone(), data);
    }
    records.wanted
}

/// The policy that is served at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`; none where none is wished.
pub fn sts_policy(facts: &Facts) -> Option<StsPolicy> {
    let wish = facts.mta_sts.as_ref()?;
    Some(StsPolicy { mode: wish.mode, mx: vec![facts.host.to_string()], max_age: wish.max_age })
}

/// `mailto:`, with what has a meaning in these lists percent-encoded (RFC 7489 §6.2, RFC 8460 §3).
pub(crate) fn mailto(address: &Address) -> String {
    let address = address.to_string();
    let encoded = address.chars().map(|letter| match letter {
        '!' | ',' | ';' | '%' | ' ' | '"' | '?' | '#' => format!("%{:02X}", u32::from(letter)),
        plain => plain.to_string(),
    });
    format!("mailto:{}", encoded.collect::<Vec<_>>().concat())
}

struct Records<'a> {
    facts: &'a Facts,
    wanted: Vec<Wanted>,
}

impl Records<'_> {
    fn put(&mut self, purpose: Purpose, owner: Domain, data: Data) {
        self.wanted.push(Wanted::new(purpose, owner, data));
    }

    /// At a name below the domain. The host's own name is no alias of itself.
    fn below(&mut self, purpose: Purpose, label: &str, data: Data) {
        let owner = Domain::parse(&format!("{label}.{}", self.facts.domain));
        if let Some(owner) = owner.ok().filter(|owner| *owner != self.facts.host) {
            self.put(purpose, owner, data);
        }
    }

    fn services(&mut self, host: &Target) {
        for (service, port) in &self.facts.services {
            let data = Data::Srv { priority: service.priority(), weight: 1, port: *port, target: host.clone() };
            self.below(Purpose::Service, &format!("{}._tcp", service.label()), data);
        }
    }

    /// RFC 7672 §3.1: DANE-EE, the public key, SHA-256: it outlives the renewal of a certificate.
    fn dane(&mut self) {
        let owner = Domain::parse(&format!("_25._tcp.{}", self.facts.host));
        let Some(owner) = owner.ok().filter(|_| self.facts.is_host_signed) else { return };
        for key in &self.facts.tls_keys {
            let data = Data::Tlsa { usage: 3, selector: 1, matching: 1, digest: key.to_vec() };
            self.put(Purpose::Dane, owner.clone(), data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{domain, facts};

    fn shown(facts: &Facts, there: &There) -> String {
        let line = |wanted: &Wanted| {
            let need = wanted.need().name();
            format!("{:14} {need:6} {} {} {}", wanted.purpose.name(), wanted.owner, wanted.data.kind(), wanted.data)
        };
        wanted(facts, there).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn all_that_a_domain_wants() {
        insta::assert_snapshot!(shown(&facts(), &There::default()));
    }

    #[test]
    fn what_is_not_offered_is_not_wanted() {
        let bare = Facts {
            host: domain("example.org"),
            addresses: vec!["192.0.2.7".parse().unwrap()],
            services: Vec::new(),
            dkim: Vec::new(),
            mta_sts: None,
            tls_reports: None,
            issuers: Vec::new(),
            is_host_signed: false,
            ..facts()
        };
        let there = There {
            texts: vec!["v=spf1 include:_spf.example.net -all".into()],
            dmarc: vec!["v=DMARC1; p=reject".into()],
        };
        insta::assert_snapshot!(shown(&bare, &there));
    }

    #[test]
    fn addresses_in_lists_are_encoded() {
        assert_eq!(mailto(&Address::parse("a!b@d.example").unwrap()), "mailto:a%21b@d.example");
    }
}
