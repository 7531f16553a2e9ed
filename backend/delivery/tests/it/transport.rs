//! From the queue to Postfix, by a DNS that is signed here and not there: what goes, what is held, and what is said of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use relais_delivery::{Delivery, DeliveryConfig, DnsResolver, PlannedPolicy, Ports, TcpDialer};
use relais_model::{Address, BodyType, Clock, Domain, ReversePath};
use relais_store::{
    Acceptance, Content, DatabaseUrl, NewQueued, NewRecipient, Page, Protection, Store, StoreConfig, StsEntry,
    TraceEvent, TraceFilter, TraceId, TraceKind,
};
use relais_testkit::named::{Keys, Named, Zone};
use relais_testkit::{ManualClock, SeededRandom};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::postfix::{Postfix, STRIPPED, WITH_TLS};

/// What stands where the server of policies is.
const WEB: &str = "127.0.0.73";
const PATIENCE: Duration = Duration::from_mins(1);

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// A domain, its zone's state, where its host is, which TLSA record its host has, and its MTA-STS policy's id.
struct Scene {
    name: &'static str,
    keys: Keys,
    host: std::net::IpAddr,
    tlsa: Option<&'static str>,
    sts: Option<&'static str>,
}

const RIGHT: &str = "right";
const WRONG: &str = "3 1 1 0707070707070707070707070707070707070707070707070707070707070707";

const fn scene(
    name: &'static str,
    keys: Keys,
    host: std::net::IpAddr,
    tlsa: Option<&'static str>,
    sts: Option<&'static str>,
) -> Scene {
    Scene { name, keys, host, tlsa, sts }
}

const SCENES: &[Scene] = &[
    scene("right.test", Keys::Signed, WITH_TLS, Some(RIGHT), None),
    scene("wrong.test", Keys::Signed, WITH_TLS, Some(WRONG), None),
    scene("unusable.test", Keys::Signed, WITH_TLS, Some("1 1 1 00"), None),
    scene("stripped.test", Keys::Signed, STRIPPED, Some(RIGHT), None),
    scene("bogus.test", Keys::WrongDs, WITH_TLS, Some(RIGHT), None),
    scene("unsigned.test", Keys::Unsigned, WITH_TLS, Some(WRONG), None),
    scene("clear.test", Keys::Unsigned, STRIPPED, None, None),
    scene("sts.test", Keys::Unsigned, WITH_TLS, None, Some("1")),
    scene("sts-other.test", Keys::Unsigned, WITH_TLS, None, Some("1")),
    scene("sts-stripped.test", Keys::Unsigned, STRIPPED, None, Some("1")),
    // The policy's server shows a certificate for other names; what was fetched before is kept, and ends one day.
    scene("sts-kept.test", Keys::Unsigned, STRIPPED, None, Some("2")),
    scene("sts-ended.test", Keys::Unsigned, STRIPPED, None, Some("2")),
    scene("sts-testing.test", Keys::Unsigned, STRIPPED, None, Some("1")),
];

/// For the mail hosts, and for most servers of policies.
struct Certificate {
    der: CertificateDer<'static>,
    key: Vec<u8>,
    pem: String,
    /// Its TLSA record, `3 1 1`.
    record: String,
}

fn certificate() -> Certificate {
    let mut names: Vec<String> = SCENES.iter().map(|scene| format!("mx.{}", scene.name)).collect();
    let served = SCENES.iter().filter(|scene| scene.sts == Some("1"));
    names.extend(served.map(|scene| format!("mta-sts.{}", scene.name)));
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let digest =
        ring::digest::digest(&ring::digest::SHA256, &rcgen::PublicKeyData::subject_public_key_info(&made.signing_key));
    let digest = digest.as_ref().iter().fold(String::new(), |mut hex, octet| {
        write!(hex, "{octet:02x}").unwrap();
        hex
    });
    Certificate {
        der: made.cert.der().clone(),
        key: made.signing_key.serialize_der(),
        pem: format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem()),
        record: format!("3 1 1 {digest}"),
    }
}

fn zones(port: u16, right: &str) -> Vec<Zone> {
    let zone = |scene: &Scene| {
        let mut records = format!("@ MX 10 mx\nmx A {}\n", scene.host);
        if let Some(tlsa) = scene.tlsa {
            let tlsa = if tlsa == RIGHT { right } else { tlsa };
            writeln!(records, "_{port}._tcp.mx TLSA {tlsa}").unwrap();
        }
        if let Some(id) = scene.sts {
            writeln!(records, "_mta-sts TXT \"v=STSv1; id={id}\"\nmta-sts A {WEB}").unwrap();
        }
        Zone { name: scene.name, records, keys: scene.keys }
    };
    let ns = Zone { name: "dns.test", records: "ns A 127.0.0.1\n".to_owned(), keys: Keys::Unsigned };
    std::iter::once(ns).chain(SCENES.iter().map(zone)).collect()
}

/// Serves each domain's policy over HTTPS, with a certificate that isn't good for all of them.
async fn serve(certificate: &Certificate, tasks: &TaskTracker) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivatePkcs8KeyDer::from(certificate.key.clone());
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der.clone()], key.into()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((WEB, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tasks.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut tls) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && tls.read_buf(&mut request).await.is_ok_and(|octets| octets > 0) {}
            let request = String::from_utf8_lossy(&request).into_owned();
            let policy = match request.lines().find_map(|line| line.strip_prefix("host: mta-sts.")) {
                Some("sts-other.test") => "mode: enforce\nmx: mail.sts-other.test",
                Some("sts-testing.test") => "mode: testing\nmx: mx.sts-testing.test",
                Some("sts-stripped.test") => "mode: enforce\nmx: *.sts-stripped.test",
                _ => "mode: enforce\nmx: mx.sts.test",
            };
            let policy = format!("version: STSv1\n{policy}\nmax_age: 86400\n");
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", policy.len());
            tls.write_all(format!("{head}{policy}").as_bytes()).await.unwrap();
            tls.shutdown().await.unwrap();
        }
    });
    port
}

struct House {
    store: Store,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            database: DatabaseUrl::Sqlite(folder.path().join("store.db")),
            objects: folder.path().join("objects"),
            inline_octets: 100_000,
            readers: 2,
        };
        let clock = Arc::new(ManualClock::default());
        let store = Store::open(config, clock.clone(), Arc::new(SeededRandom::new(7))).await.unwrap();
        Self { store, clock, _folder: folder }
    }

    /// A policy that was fetched earlier, and asks for what the host no longer offers.
    async fn keep(&self, name: &str, lives: Duration) {
        let now = self.clock.now();
        let policy = format!("version: STSv1\r\nmode: enforce\r\nmx: mx.{name}\r\nmax_age: 86400\r\n");
        let (domain, id) = (domain(name), "1".to_owned());
        let entry = StsEntry { domain, id, policy, fetched_at: now, expires_at: now.plus(lives), used_at: now };
        self.store.keep_sts_policies(vec![entry]).await.unwrap();
    }

    async fn queue(&self, name: &str) {
        let sender = ReversePath::Address(Address::parse("ann@us.test").unwrap());
        let address = Address::parse(&format!("bob@{name}")).unwrap();
        let outbound = NewQueued {
            reverse_path: sender.clone(),
            ret: None,
            envelope_id: None,
            body_type: BodyType::SevenBit,
            smtputf8: false,
            require_tls: false,
            submitter: None,
            recipients: vec![NewRecipient { address, notify: None, original: None }],
            expires_at: self.clock.now().plus(Duration::from_hours(120)),
        };
        let acceptance = Acceptance {
            content: Content::prepare(format!("Subject: to {name}\r\n\r\nhi\r\n").into_bytes()),
            reverse_path: sender,
            deliveries: Vec::new(),
            outbound: Some(outbound),
            trace: TraceId::parse(&name.replace('.', "-")).unwrap(),
            from_peer: String::new(),
            judgement: None,
            submission: None,
        };
        self.store.accept(acceptance).await.unwrap();
    }

    /// The first thing that happened to each recipient, once it happened to all.
    async fn fates(&self) -> BTreeMap<String, TraceEvent> {
        let wait = async {
            loop {
                let events = self.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows;
                let events = events.into_iter().filter(|event| event.kind != TraceKind::Queued);
                let fates: BTreeMap<_, _> = events.map(|event| (event.recipient.clone(), event)).collect();
                if fates.len() == SCENES.len() {
                    return fates;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("all mail is tried")
    }
}

#[tokio::test]
async fn what_goes_and_what_is_held() {
    let certificate = certificate();
    let Some(postfix) = Postfix::start(&certificate.pem) else { return };
    let Some(named) = Named::start(&zones(postfix.port, &certificate.record)) else { return };
    let tasks = TaskTracker::new();
    let house = House::open().await;
    house.keep("sts-ended.test", Duration::from_secs(1)).await;
    house.keep("sts-kept.test", Duration::from_hours(1)).await;
    house.clock.advance(Duration::from_secs(1));
    let mut config = DeliveryConfig::new(domain("us.test"));
    config.mx_port = postfix.port;
    config.sts_port = serve(&certificate, &tasks).await;
    config.extra_roots = vec![certificate.der.clone()];
    let resolver = DnsResolver::with_servers(&[named.address()], Some(&named.anchor())).unwrap();
    let ports = Ports {
        resolver: Arc::new(resolver),
        dialer: Arc::new(TcpDialer),
        clock: house.clock.clone(),
        random: Arc::new(SeededRandom::default()),
    };
    for scene in SCENES {
        house.queue(scene.name).await;
    }
    let delivery = Delivery::start(house.store.clone(), config, ports).unwrap();
    let fates = house.fates().await;
    for (name, expected) in [
        ("right.test", Ok(Protection::Dane)),
        ("wrong.test", Err("454 4.7.5 DANE: wrong certificate")),
        ("unusable.test", Ok(Protection::Encrypted)),
        ("stripped.test", Err("454 4.7.5 DANE: no TLS: mx.stripped.test has TLSA records")),
        ("bogus.test", Err("451 4.4.3 Looking up bogus.test failed: the DNS's answer fails its DNSSEC proof")),
        ("unsigned.test", Ok(Protection::Encrypted)),
        ("clear.test", Ok(Protection::Clear)),
        ("sts.test", Ok(Protection::Sts)),
        (
            "sts-other.test",
            Err("454 4.7.5 MTA-STS: not named: the policy of sts-other.test doesn't list mx.sts-other.test"),
        ),
        ("sts-stripped.test", Err("454 4.7.5 MTA-STS: no TLS")),
        ("sts-kept.test", Err("454 4.7.5 MTA-STS: no TLS")),
        // RFC 8461 §5.1: where nothing valid is kept and nothing can be fetched, mail goes as if there were no policy.
        ("sts-ended.test", Ok(Protection::Clear)),
        ("sts-testing.test", Ok(Protection::Clear)),
    ] {
        let fate = &fates[&format!("bob@{name}")];
        match expected {
            Ok(protection) => {
                assert_eq!((fate.kind, fate.protection), (TraceKind::Delivered, Some(protection)), "{fate:?}");
            }
            Err(text) => {
                assert_eq!((fate.kind, fate.protection), (TraceKind::Deferred, None), "{fate:?}");
                assert!(fate.text.starts_with(text), "{fate:?}");
            }
        }
    }
    // The same eyes, without sending.
    for (name, expected) in [
        ("right.test", PlannedPolicy::Dane { base: domain("mx.right.test") }),
        ("unusable.test", PlannedPolicy::DaneUnusable { base: domain("mx.unusable.test") }),
        ("sts.test", PlannedPolicy::Sts),
        ("sts-testing.test", PlannedPolicy::StsTesting { is_named: true }),
        ("clear.test", PlannedPolicy::Opportunistic),
    ] {
        let plan = delivery.planner().plan(&domain(name)).await;
        let policies: Vec<_> = plan.hosts.iter().map(|host| host.policy.clone()).collect();
        assert_eq!(policies, [expected], "{name}");
    }
    delivery.stop().await;
    // What was learnt is kept.
    let kept: Vec<_> = house.store.sts_policies().await.unwrap().into_iter().map(|entry| entry.domain).collect();
    for name in ["sts.test", "sts-other.test", "sts-stripped.test", "sts-kept.test", "sts-testing.test"] {
        assert!(kept.contains(&domain(name)), "{name}: {kept:?}");
    }
    let day = house.clock.now();
    let day = relais_model::Timestamp::from_millis(day.millis() - day.millis().rem_euclid(86_400_000));
    let counted = house.store.tls_results(day, &Page::first()).await.unwrap().rows;
    let counted: Vec<_> = counted
        .iter()
        .map(|count| {
            format!("{} {} {}", count.key.policy_domain, count.key.policy_type.as_str(), count.key.result.as_str())
        })
        .collect();
    for expected in [
        "mx.right.test tlsa success",
        "mx.wrong.test tlsa tlsa-invalid",
        "mx.stripped.test tlsa starttls-not-supported",
        "unsigned.test no-policy-found success",
        "sts.test sts success",
        "sts-other.test sts validation-failure",
        "sts-ended.test sts sts-webpki-invalid",
        "sts-testing.test sts starttls-not-supported",
    ] {
        assert!(counted.iter().any(|line| line == expected), "{expected}: {counted:?}");
    }
    assert!(postfix.log().contains("TLS connection established"), "{}", postfix.log());
}
