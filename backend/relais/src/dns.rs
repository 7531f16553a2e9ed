//! The DNS, wired: how the house looks at it, what it knows of itself, how it writes proofs for certificates and mail to its owners.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use relais_certs::{Doing, Served, TxtError, TxtPublisher, TxtWatch};
use relais_dnscheck::{DnsLook, Inspector, Kind, Look, Service as MailService, TcpReach, TrustAnchor};
use relais_maild::{Binding, ListenerConfig, Protocol, TlsMode};
use relais_model::{Address, Domain, Random, SystemRandom};
use relais_service::{Dns, DnsAlert, DnsHouse, DnsLetter, may_reach};
use relais_store::{Networks, Store};
use relais_words::{Filling, Language};
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::config::Config;
use crate::letter::{Letter, say};
use crate::server::servers;

/// Zones' own servers are found there.
const DNS_PORT: u16 = 53;
/// Policies are fetched there.
const WEB_PORT: u16 = 443;
/// Of no host that could be met (addresses for documents): nothing is sent there, the machine only says from where it would be.
const FAR: [(IpAddr, IpAddr); 2] = [
    (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
];

/// The house of a server: it looks at the DNS, by the resolver that the configuration names.
pub(crate) fn house(config: &Config, store: &Store, served: &Arc<Served>) -> Result<DnsHouse> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let look = look(config, &random)?;
    let reach = Arc::new(TcpReach::new(&extra_roots(config)?, WEB_PORT).context("[tls] extra_roots")?);
    let mut addresses: Vec<IpAddr> = config.delivery.source.into_iter().chain(listening(config)).collect();
    addresses.extend(FAR.iter().filter_map(|(any, far)| outgoing(*any, *far)));
    let mut seen = Vec::new();
    for address in addresses.into_iter().filter(|address| may_reach(*address, &Networks::default())) {
        if !seen.contains(&address) {
            seen.push(address);
        }
    }
    let (shown, name) = (Arc::clone(served), config.hostname.clone());
    Ok(DnsHouse {
        addresses: seen,
        tls_keys: Arc::new(move || shown_key(&shown, &name).into_iter().collect()),
        inspector: Some(Inspector::new(look.clone(), reach, Arc::clone(&random))),
        look: Some(look),
        letter: Some(letter(config, store)),
        ..quiet_house(config)
    })
}

/// Whose certificates are good here beside the public authorities': a private CA's.
pub(crate) fn extra_roots(config: &Config) -> Result<Vec<CertificateDer<'static>>> {
    let Some(path) = &config.tls.extra_roots else { return Ok(Vec::new()) };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.with_context(|| format!("[tls] extra_roots: {}", path.display()))
}

/// A house that looks at nothing.
pub(crate) fn quiet_house(config: &Config) -> DnsHouse {
    DnsHouse { services: services(&config.listeners()), ..DnsHouse::quiet(config.hostname.clone()) }
}

/// Asks the DNS as the configuration says.
pub(crate) fn look(config: &Config, random: &Arc<dyn Random>) -> Result<Arc<dyn Look>> {
    let servers = servers(config);
    let anchor = match &config.resolver.trust_anchor {
        Some(path) => TrustAnchor::from_file(path).context("[resolver] trust_anchor")?,
        None => TrustAnchor::default(),
    };
    let port = config.resolver.server_port.unwrap_or(DNS_PORT);
    let look = if servers.is_empty() {
        DnsLook::system(Arc::clone(random))?
    } else {
        DnsLook::with_servers(&servers, &anchor, port, Arc::clone(random))?
    };
    Ok(Arc::new(look))
}

/// Addresses that doors are bound to by name.
fn listening(config: &Config) -> Vec<IpAddr> {
    let tcp = |door: ListenerConfig| match door.binding {
        Binding::Tcp(address) => Some(address.ip()),
        Binding::Unix(_) => None,
    };
    config.listeners().into_iter().filter_map(tcp).collect()
}

/// The address that the machine would send from, to the world.
fn outgoing(any: IpAddr, far: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((far, 25)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The doors for mail programs, as SRV records name them.
fn services(listeners: &[ListenerConfig]) -> Vec<(MailService, u16)> {
    let of = |protocol, tls| match (protocol, tls) {
        (Protocol::Submission, TlsMode::Implicit) => Some(MailService::Submissions),
        (Protocol::Submission, _) => Some(MailService::Submission),
        (Protocol::Imap, TlsMode::Implicit) => Some(MailService::Imaps),
        (Protocol::Imap, _) => Some(MailService::Imap),
        (Protocol::Pop3, TlsMode::Implicit) => Some(MailService::Pop3s),
        (Protocol::Pop3, _) => Some(MailService::Pop3),
        // RFC 5804 §1.8 knows one name, whichever way TLS begins; STARTTLS is what its clients speak.
        (Protocol::Sieve, TlsMode::StartTls) => Some(MailService::Sieve),
        _ => None,
    };
    let mut found: Vec<(MailService, u16)> = Vec::new();
    for door in listeners {
        if let (Binding::Tcp(address), Some(service)) = (&door.binding, of(door.protocol, door.tls))
            && !found.iter().any(|(known, _)| *known == service)
        {
            found.push((service, address.port()));
        }
    }
    found
}

/// SHA-256 of the public key that port 25 shows: what a TLSA record `3 1 1` says.
fn shown_key(served: &Served, host: &Domain) -> Option<[u8; 32]> {
    let shown = served.for_name(host.as_str())?;
    let (_, leaf) = x509_parser::parse_x509_certificate(&shown.leaf).ok()?;
    Some(Sha256::digest(leaf.public_key().raw).into())
}

/// Proofs of names for certificates (DNS-01, RFC 8555 §8.4) go into zones through the accounts at DNS providers.
#[derive(Debug)]
pub(crate) struct OwnZones(pub(crate) Dns);

impl TxtPublisher for OwnZones {
    fn serves<'a>(&'a self, name: &'a str) -> Doing<'a, bool> {
        // A name with a star is proved at its parent.
        Box::pin(self.0.serves_txt(name.strip_prefix("*.").unwrap_or(name)))
    }

    fn publish<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, Result<(), TxtError>> {
        Box::pin(async move { self.0.publish_txt(name, value).await.map_err(|error| TxtError(error.to_string())) })
    }

    fn remove<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, Result<(), TxtError>> {
        Box::pin(async move { self.0.remove_txt(name, value).await.map_err(|error| TxtError(error.to_string())) })
    }
}

/// Asks the servers of a zone themselves: a resolver would remember that nothing was there.
#[derive(Debug)]
pub(crate) struct OwnServers(pub(crate) Arc<dyn Look>);

impl TxtWatch for OwnServers {
    fn shows<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            let Ok(domain) = Domain::parse(name) else { return false };
            let answers = self.0.authoritative(&domain, Kind::Txt).await;
            // The CA asks any of them.
            !answers.is_empty() && answers.iter().all(|one| one.answer.texts().any(|text| text == value))
        })
    }
}

/// The mail that tells an owner of an alert, in the house's language.
fn letter(config: &Config, store: &Store) -> DnsLetter {
    let (host, store) = (config.hostname.clone(), store.clone());
    let origin = config.web.origins.first().cloned().unwrap_or_else(|| format!("https://{host}"));
    Arc::new(move |alert: &DnsAlert, to: &Address| {
        let settings = store.settings();
        let language = Language::parse(&settings.language).unwrap_or_default();
        write(alert, to, &host, &settings.house_name, &origin, language, &SystemRandom)
    })
}

fn write(
    alert: &DnsAlert,
    to: &Address,
    host: &Domain,
    house: &str,
    origin: &str,
    language: Language,
    random: &dyn Random,
) -> Vec<u8> {
    let name = alert.name.to_unicode();
    let page = if alert.name == *host { "host" } else { alert.name.as_str() };
    let link = format!("{origin}/panel/dns/{page}");
    let mut lines = vec![language.say("dns-mail-begin", []), String::new()];
    for (title, about, why) in &alert.findings {
        lines.push(format!("- {} ({about}): {}", say(language, title), say(language, why)));
    }
    lines.extend([String::new(), language.say("dns-mail-end", [("link", Filling::from(link))])]);
    let subject = language.say("dns-mail-subject", [("name", Filling::from(name))]);
    Letter { at: alert.at, to, host, house, subject: &subject, lines: &lines }.write(random)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use relais_dnscheck::{Answer, Answering, Data, Lack, Proof, Record, ServerAnswer, Target};
    use relais_message::Facts;
    use relais_model::Timestamp;
    use relais_service::Text;

    use super::*;

    #[test]
    fn owners_read_what_turned_in_the_language_of_the_house() {
        let alert = DnsAlert {
            name: Domain::parse("example.org").unwrap(),
            at: Timestamp::from_seconds(1_767_225_600),
            findings: vec![(Text::new("dns-purpose-mx"), "example.org".to_owned(), Text::new("dns-missing"))],
        };
        let (to, host) = (Address::parse("ann@example.org").unwrap(), Domain::parse("mx.example.org").unwrap());
        let letter = |language| {
            let raw = write(&alert, &to, &host, "Relais", "https://mx.example.org", language, &SystemRandom);
            let facts = Facts::read(&raw);
            (facts.subject.clone(), String::from_utf8(raw).unwrap())
        };
        let (subject, text) = letter(Language::parse("en").unwrap());
        assert_eq!(subject, "The DNS of example.org has turned for the worse");
        assert!(text.contains("https://mx.example.org/panel/dns/example.org"), "{text}");
        let (subject, _) = letter(Language::parse("fr").unwrap());
        assert_eq!(subject, "Le DNS de example.org a empiré");
    }

    /// Servers, each with the texts that it shows; none: it is silent.
    #[derive(Debug)]
    struct Servers(Vec<Option<Vec<&'static str>>>);

    impl Look for Servers {
        fn public<'a>(&'a self, _name: &'a Domain, _kind: Kind) -> Answering<'a, Answer> {
            unreachable!("a resolver remembers")
        }

        fn authoritative<'a>(&'a self, name: &'a Domain, _kind: Kind) -> Answering<'a, Vec<ServerAnswer>> {
            let answer = |texts: &Option<Vec<&str>>| ServerAnswer {
                server: Target::new("ns.example.org"),
                answer: Answer {
                    records: texts.as_ref().ok_or(Lack::Timeout).map(|texts| {
                        let record = |text: &&str| Record {
                            owner: Target::new(name.as_str()),
                            ttl: 60,
                            data: Data::Txt((*text).to_owned()),
                        };
                        texts.iter().map(record).collect()
                    }),
                    aliases: Vec::new(),
                    proof: Proof::Indeterminate,
                    took: Duration::ZERO,
                },
            };
            let answers = self.0.iter().map(answer).collect();
            Box::pin(async move { answers })
        }
    }

    #[tokio::test]
    async fn a_proof_is_there_once_all_servers_show_it() {
        for (servers, expected) in [
            (vec![], false),
            (vec![Some(vec!["other", "value"])], true),
            (vec![Some(vec!["value"]), Some(vec!["other"])], false),
            (vec![Some(vec!["value"]), None], false),
            (vec![Some(vec!["value"]), Some(vec!["value"])], true),
        ] {
            let shown = format!("{servers:?}");
            let watch = OwnServers(Arc::new(Servers(servers)));
            assert_eq!(watch.shows("_acme-challenge.example.org", "value").await, expected, "{shown}");
        }
    }
}
