//! A DNS in a table, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use relais_model::Domain;

use crate::look::{Answer, Answering, Lack, Look, Proof, ServerAnswer};
use crate::record::{Data, Kind, Record, Target};

pub(crate) fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// What stands in the DNS, in lines: `NAME [TTL] TYPE DATA`. A name that stands nowhere doesn't exist; `*` answers for what stands nowhere below it.
#[derive(Debug, Clone)]
pub(crate) struct FakeLook {
    records: Vec<Record>,
    lacks: BTreeMap<Domain, Lack>,
    proof: Proof,
    took: Duration,
    /// What one of the servers says instead.
    servers: Option<Vec<FakeLook>>,
}

impl Default for FakeLook {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            lacks: BTreeMap::new(),
            proof: Proof::Insecure,
            took: Duration::from_millis(20),
            servers: None,
        }
    }
}

impl FakeLook {
    pub(crate) fn with(mut self, line: &str) -> Self {
        self.records.push(record(line));
        self
    }

    /// Many lines at once; blanks around them don't count.
    pub(crate) fn zone(self, lines: &str) -> Self {
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).fold(self, Self::with)
    }

    /// All records of that name and type are gone.
    pub(crate) fn without(mut self, name: &str, kind: Kind) -> Self {
        self.records.retain(|record| !(record.owner.as_str() == name && record.data.kind() == kind));
        self
    }

    /// Every question for that name, of any type, is answered so.
    pub(crate) fn lack(mut self, name: &str, lack: Lack) -> Self {
        self.lacks.insert(domain(name), lack);
        self
    }

    pub(crate) fn proven(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    pub(crate) fn slow(self, took: Duration) -> Self {
        Self { took, ..self }
    }

    /// The zone's own servers say something else than the public view.
    pub(crate) fn servers(self, servers: Vec<Self>) -> Self {
        Self { servers: Some(servers), ..self }
    }

    fn answer(&self, name: &Domain, kind: Kind) -> Answer {
        let mut aliases = Vec::new();
        let mut at = Target::from(name);
        let answer = |records, aliases| Answer { records, aliases, proof: self.proof, took: self.took };
        for _ in 0..8 {
            if let Some(lack) = at.host().and_then(|host| self.lacks.get(&host)) {
                return answer(Err(*lack), aliases);
            }
            let there = self.at(&at);
            let found: Vec<Record> = there.iter().filter(|record| record.data.kind() == kind).cloned().collect();
            if !found.is_empty() {
                return answer(Ok(found), aliases);
            }
            let alias = there.iter().find(|record| record.data.kind() == Kind::Cname);
            let Some((alias, Data::Cname(to))) = alias.map(|alias| (alias, &alias.data)) else {
                let is_below = |owner: &Target| owner.as_str().ends_with(&format!(".{at}"));
                let exists = !there.is_empty() || self.records.iter().any(|record| is_below(&record.owner));
                return answer(Err(if exists { Lack::NoData } else { Lack::NoSuchName }), aliases);
            };
            at = to.clone();
            aliases.push(alias.clone());
        }
        answer(Err(Lack::Broken), aliases)
    }

    /// As a zone's server gives it: an alias isn't followed to another zone (here: to other last two labels).
    fn own_answer(&self, name: &Domain, kind: Kind) -> Answer {
        let zone = |name: &str| name.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
        let answer = Answer { proof: Proof::Indeterminate, ..self.answer(name, kind) };
        match answer.alias() {
            Some(target) if zone(target.as_str()) != zone(name.as_str()) => {
                Answer { records: Err(Lack::NoData), ..answer }
            }
            _ => answer,
        }
    }

    fn at(&self, name: &Target) -> Vec<Record> {
        let named: Vec<Record> = self.records.iter().filter(|record| record.owner == *name).cloned().collect();
        if !named.is_empty() {
            return named;
        }
        let mut above = name.as_str();
        while let Some((_, parent)) = above.split_once('.') {
            let wild: Vec<Record> =
                self.records.iter().filter(|record| record.owner.as_str() == format!("*.{parent}")).cloned().collect();
            if !wild.is_empty() {
                return wild.into_iter().map(|record| Record { owner: name.clone(), ..record }).collect();
            }
            if self
                .records
                .iter()
                .any(|record| record.owner.as_str() == parent || record.owner.as_str().ends_with(&format!(".{parent}")))
            {
                break;
            }
            above = parent;
        }
        Vec::new()
    }
}

impl Look for FakeLook {
    fn public<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Answer> {
        Box::pin(async move { self.answer(name, kind) })
    }

    fn authoritative<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Vec<ServerAnswer>> {
        let servers = self.servers.clone().unwrap_or_else(|| vec![self.clone()]);
        let said = servers.iter().zip(1..).map(|(server, number)| ServerAnswer {
            server: Target::new(&format!("ns{number}.dns.example")),
            answer: server.own_answer(name, kind),
        });
        let said = said.collect();
        Box::pin(async move { said })
    }
}

fn record(line: &str) -> Record {
    let words: Vec<&str> = line.split(' ').collect();
    let (ttl, at) = words[1].parse().map_or((3600, 1), |ttl| (ttl, 2));
    let rest = words[at + 1..].join(" ");
    Record { owner: Target::new(words[0]), ttl, data: data(words[at], &rest) }
}

fn data(kind: &str, rest: &str) -> Data {
    let word = |at: usize| rest.split(' ').nth(at).unwrap();
    match kind {
        "A" => Data::A(rest.parse().unwrap()),
        "AAAA" => Data::Aaaa(rest.parse().unwrap()),
        "CNAME" => Data::Cname(Target::new(rest)),
        "PTR" => Data::Ptr(Target::new(rest)),
        "NS" => Data::Ns(Target::new(rest)),
        "MX" => Data::Mx { preference: word(0).parse().unwrap(), exchange: Target::new(word(1)) },
        "TXT" => Data::Txt(rest.to_owned()),
        "SRV" => Data::Srv {
            priority: word(0).parse().unwrap(),
            weight: word(1).parse().unwrap(),
            port: word(2).parse().unwrap(),
            target: Target::new(word(3)),
        },
        "CAA" => Data::Caa {
            is_critical: word(0) == "128",
            tag: word(1).to_owned(),
            value: word(2).trim_matches('"').to_owned(),
        },
        "TLSA" => Data::Tlsa {
            usage: word(0).parse().unwrap(),
            selector: word(1).parse().unwrap(),
            matching: word(2).parse().unwrap(),
            digest: data_encoding::HEXLOWER_PERMISSIVE.decode(word(3).as_bytes()).unwrap(),
        },
        other => panic!("no such type: {other}"),
    }
}

#[test]
fn wildcards_answer_for_what_stands_nowhere() {
    let dns = FakeLook::default().zone("*.d.example A 192.0.2.9\nwww.d.example TXT here\nd.example TXT top");
    let said = |name: &str| dns.answer(&domain(name), Kind::A).records.map(|records| records.len());
    assert_eq!(said("any.d.example"), Ok(1));
    assert_eq!(said("www.d.example"), Err(Lack::NoData));
    assert_eq!(said("below.www.d.example"), Err(Lack::NoSuchName));
    assert_eq!(BTreeSet::from([said("other.example")]), BTreeSet::from([Err(Lack::NoSuchName)]));
}

/// A domain with everything.
pub(crate) fn facts() -> crate::wanted::Facts {
    use crate::wanted::{DkimKey, DmarcWish, Facts, Service, StsWish};
    let ports = [465, 587, 993, 143, 995, 110, 4190];
    let key = |selector: &str, algorithm, public_key: &str| DkimKey {
        selector: selector.into(),
        algorithm,
        public_key: public_key.into(),
        waits: false,
    };
    Facts {
        host: domain("mx.example.org"),
        addresses: vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
        domain: domain("example.org"),
        services: Service::ALL.into_iter().zip(ports).collect(),
        dkim: vec![
            key("r1", crate::dkim::Algorithm::Rsa, RSA_KEY),
            key("e1", crate::dkim::Algorithm::Ed25519, ED25519_KEY),
        ],
        dmarc: DmarcWish {
            policy: crate::dmarc::DmarcPolicy::Quarantine,
            reports: relais_model::Address::parse("dmarc@example.org").ok(),
        },
        mta_sts: Some(StsWish { id: "20260101".into(), mode: relais_smtp::sts::StsMode::Enforce, max_age: 604_800 }),
        tls_reports: relais_model::Address::parse("tls@example.org").ok(),
        issuers: vec!["letsencrypt.org".into()],
        tls_keys: vec![[0xab; 32]],
        is_host_signed: true,
    }
}

/// 2,048 bits; made for these tests, its private half thrown away.
pub(crate) const RSA_KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvJFz6HDX8KCVPaNkG4yO0vMyWsw9qzSYsLgOYVRC2H9qFEiNVpfjxBaRagb9ftYPuBQgTD+Dt6QrXZLEg3Qt2+QeonawbXm62Ols9xFAPPwuMeV3zvDgpZ2T3jEOi8MGpKZteSLYz6oKbrQoW1wiPpRCcFOSj8xOjoZwdQB5wLkQDvZ+gAq39QJHnstdz1GSWvobEaT93FyH5h1xtspI7oRRQrKuELi1mE6UOAVyH8YJU+6Z6VMF2ARo2GTK1OzinZju/pqicQVE1pCrAppvsM8rBAA2bJ3+URsBSXdnzibDYRFTEkQWhsKBqoTw7SASnd5JRz8WY7X3aKaibu0tEQIDAQAB";
/// RFC 8463 §A.2.
pub(crate) const ED25519_KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A finding as both languages read it.
#[track_caller]
pub(crate) fn read(finding: &crate::judge::Finding) -> String {
    use relais_model::Gap;
    use relais_words::{Filling, Language};
    let said = finding.reason.said();
    let gaps = || {
        said.gaps.iter().map(|(name, gap)| {
            let filling = match gap {
                Gap::Number(number) => Filling::from(*number),
                Gap::Words(words) => Filling::from(words.clone()),
            };
            (&**name, filling)
        })
    };
    let mut lines = vec![format!("  {}", finding.verdict.name())];
    for language in Language::ALL {
        for id in [said.id.to_string(), format!("{}-advice", said.id)] {
            assert!(language.knows(&id), "{id}");
            lines.push(format!("  {}: {}", language.code(), language.say(&id, gaps())));
        }
    }
    lines.extend(
        finding
            .surplus
            .iter()
            .map(|record| format!("  surplus: {} {} {}", record.owner, record.data.kind(), record.data)),
    );
    lines.join("\n")
}

/// A DNS in which all that `facts()` wants stands, proven, and mail can be sent.
pub(crate) fn good() -> FakeLook {
    let wanted = crate::wanted::wanted(&facts(), &crate::wanted::There::default());
    let records = wanted.iter().map(|wanted| Record {
        owner: Target::from(&wanted.owner),
        ttl: wanted.ttl,
        data: wanted.data.clone(),
    });
    let mut dns = FakeLook::default().proven(Proof::Secure);
    dns.records = records.collect();
    dns.zone("gmail.com MX 5 in.gmail.com\nin.gmail.com A 198.51.100.25\n2.0.0.127.list.example A 127.0.0.2")
}

/// A network in which everybody answers as they should.
#[derive(Debug, Clone)]
pub(crate) struct FakeReach {
    pub(crate) smtp: Result<crate::reach::SmtpFace, crate::reach::Unreached>,
    pub(crate) policy: Result<crate::reach::WebAnswer, crate::reach::WebFailure>,
    pub(crate) greets: Result<(), crate::reach::Unreached>,
}

impl Default for FakeReach {
    fn default() -> Self {
        use crate::reach::{CertificateFace, SmtpFace, TlsFace, WebAnswer};
        let face = CertificateFace { names: vec!["mx.example.org".into()], distrust: None, key: [0xab; 32] };
        let body = crate::wanted::sts_policy(&facts()).unwrap().to_string();
        Self {
            smtp: Ok(SmtpFace { name: "mx.example.org".into(), tls: TlsFace::Shown(face) }),
            policy: Ok(WebAnswer { status: 200, body }),
            greets: Ok(()),
        }
    }
}

impl crate::reach::Reach for FakeReach {
    fn smtp<'a>(
        &'a self,
        _remote: std::net::SocketAddr,
        _host: &'a Domain,
    ) -> Answering<'a, Result<crate::reach::SmtpFace, crate::reach::Unreached>> {
        Box::pin(async { self.smtp.clone() })
    }

    fn policy<'a>(
        &'a self,
        _host: &'a Domain,
        _addresses: &'a [std::net::IpAddr],
    ) -> Answering<'a, Result<crate::reach::WebAnswer, crate::reach::WebFailure>> {
        Box::pin(async { self.policy.clone() })
    }

    fn greets(&self, _remote: std::net::SocketAddr) -> Answering<'_, Result<(), crate::reach::Unreached>> {
        Box::pin(async { self.greets.clone() })
    }
}
