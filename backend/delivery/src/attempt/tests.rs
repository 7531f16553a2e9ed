use relais_model::{Address, BodyType, EnvelopeId, Notify, Ret, ReversePath, Secret};
use relais_store::{MessageKey, QueueKey, QueueState, RecipientKey, TraceId};
use relais_testkit::{ManualClock, SeededRandom};
use rustls::pki_types::PrivatePkcs8KeyDer;

use super::*;
use crate::bodies::Octets;
use crate::ports::Answer;
use crate::route::{RelayHost, RelayLogin};
use crate::testing::{FakeDns, Remotes};

const MX1: &str = "192.0.2.1:25";
const MX2: &str = "192.0.2.2:25";
const MESSAGE: &[u8] = b"Subject: hello\r\n\r\nhi\r\n.dot\r\n";
const HELLO: &str = "S: 220 mx ESMTP\nC: EHLO us.example\nS: 250-mx\nS: 250 ENHANCEDSTATUSCODES\n";
const MAIL: &str = "C: MAIL FROM:<ann@us.example>\nS: 250 2.1.0 Ok\n";
const DATA: &str = "C: DATA\nS: 354 Go on\nC: .\nS: 250 2.0.0 Queued as 1\n";

struct Fixed;

impl Body for Fixed {
    fn open(&self) -> Answer<'_, Option<Octets>> {
        Box::pin(async { Some(Box::pin(MESSAGE) as Octets) })
    }
}

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn two_hosts() -> FakeDns {
    FakeDns::default()
        .mx("d.example", &[(10, "mx1.d.example"), (20, "mx2.d.example")])
        .host("mx1.d.example", &["192.0.2.1"])
        .host("mx2.d.example", &["192.0.2.2"])
}

pub(crate) fn recipient(text: &str) -> QueuedRecipient {
    QueuedRecipient {
        key: RecipientKey::new(1),
        queued: QueueKey::new(1),
        address: Address::parse(text).unwrap(),
        notify: None,
        original: None,
        state: QueueState::Claimed,
        attempts: 0,
        next_attempt_at: Timestamp::from_seconds(0),
        last_attempt_at: None,
        last_reply: None,
        last_remote: None,
        delay_told: false,
    }
}

pub(crate) fn message() -> QueuedMessage {
    let now = ManualClock::default().now();
    QueuedMessage {
        key: QueueKey::new(1),
        trace: TraceId::parse("trace1").unwrap(),
        message: MessageKey::new(1),
        size_octets: MESSAGE.len() as u64,
        reverse_path: ReversePath::Address(Address::parse("ann@us.example").unwrap()),
        ret: None,
        envelope_id: None,
        body_type: BodyType::SevenBit,
        smtputf8: false,
        require_tls: false,
        submitter: None,
        created_at: now,
        expires_at: now.plus(Duration::from_hours(120)),
    }
}

pub(crate) fn job(recipients: &[&str]) -> Job {
    Job {
        message: message(),
        recipients: recipients.iter().map(|text| recipient(text)).collect(),
        next_hop: NextHop::Mx(domain("d.example")),
        claimed_at: ManualClock::default().now(),
    }
}

fn courier(dns: FakeDns, remotes: &Arc<Remotes>) -> Courier {
    courier_with(dns, remotes, |_| {})
}

fn courier_with(dns: FakeDns, remotes: &Arc<Remotes>, change: impl FnOnce(&mut DeliveryConfig)) -> Courier {
    let mut config = DeliveryConfig::new(domain("us.example"));
    change(&mut config);
    let ports = Ports {
        resolver: Arc::new(dns),
        dialer: Arc::clone(remotes) as Arc<dyn Dialer>,
        clock: Arc::new(ManualClock::default()),
        random: Arc::new(SeededRandom::default()),
    };
    let tls = Tls::new(&config.extra_roots).unwrap();
    Courier::new(config, ports, tls, CancellationToken::new())
}

/// As `verb code enhanced host`.
fn told(report: &Report) -> Vec<String> {
    let said = |verb: &str, said: &Said| {
        let host = said.host.as_ref().map_or("-", Domain::as_str);
        let enhanced = said.reply.enhanced.map(|code| code.to_string()).unwrap_or_default();
        format!("{verb} {} {enhanced} {host}", said.reply.code)
    };
    let verdict = |verdict: &Verdict| match verdict {
        Verdict::Delivered(by) => said("delivered", by),
        Verdict::Deferred(by) => said("deferred", by),
        Verdict::Failed(by) => said("failed", by),
        Verdict::Untried => "untried".to_owned(),
    };
    report.verdicts.iter().map(verdict).collect()
}

async fn check(dns: FakeDns, remotes: Remotes, job: &Job, expected: &[&str]) {
    let remotes = Arc::new(remotes);
    let courier = courier(dns, &remotes);
    let report = courier.attempt(job, &Fixed, &mut None).await;
    assert_eq!(told(&report), expected);
    tokio::task::yield_now().await;
    remotes.assert_played();
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_the_best_host_with_dots_stuffed() {
    let script = format!("{HELLO}{MAIL}C: RCPT TO:<bob@d.example>\nS: 250 2.1.5 Ok\n{DATA}");
    let remotes = Arc::new(Remotes::default().script(MX1, &script));
    let courier = courier(two_hosts(), &remotes);
    let report = courier.attempt(&job(&["bob@d.example"]), &Fixed, &mut None).await;
    assert_eq!(told(&report), ["delivered 250 2.0.0 mx1.d.example"]);
    assert_eq!(*remotes.messages.lock().unwrap(), ["Subject: hello\r\n\r\nhi\r\n..dot\r\n.\r\n"]);
}

/// RFC 5321 §3.3: each RCPT has its own reply.
#[tokio::test(start_paused = true)]
async fn each_recipient_has_its_own_verdict() {
    let script = format!(
        "{HELLO}{MAIL}C: RCPT TO:<a@d.example>\nS: 550 5.1.1 No\nC: RCPT TO:<b@d.example>\nS: 250 Ok\n\
         C: RCPT TO:<c@d.example>\nS: 451 4.7.1 Greylisted\n{DATA}"
    );
    check(
        two_hosts(),
        Remotes::default().script(MX1, &script),
        &job(&["a@d.example", "b@d.example", "c@d.example"]),
        &["failed 550 5.1.1 mx1.d.example", "delivered 250 2.0.0 mx1.d.example", "deferred 451 4.7.1 mx1.d.example"],
    )
    .await;
}

/// RFC 5321 §5.1: other hosts are tried when one can't be reached or refuses the session.
#[tokio::test(start_paused = true)]
async fn the_next_host_is_tried_where_one_is_of_no_use() {
    let good = format!("{HELLO}{MAIL}C: RCPT TO:<b@d.example>\nS: 250 Ok\n{DATA}");
    let first = [
        "",
        "S: 554 5.3.2 No service here\n",
        "S: 421 4.3.2 Too many\n",
        "nonsense\n",
        "SILENCE",
        "S: 220 mx\nC: EHLO\nS: 500 What?\nC: HELO\nS: 421 bye",
        &format!("{HELLO}C: MAIL\nS: 421 4.3.2 Closing\n"),
        &format!("{HELLO}{MAIL}C: RCPT\nS: 421 4.3.2 Closing\n"),
        &format!("{HELLO}{MAIL}"),
    ];
    for script in first {
        let script = script.replace("nonsense", "S: what is this?");
        let remotes = Remotes::default().script(MX1, &script).script(MX2, &good);
        let remotes = Arc::new(remotes);
        let courier = courier(two_hosts(), &remotes);
        let report = courier.attempt(&job(&["b@d.example"]), &Fixed, &mut None).await;
        assert_eq!(told(&report), ["delivered 250 2.0.0 mx2.d.example"], "{script}");
        // The dead first host is passed over the next time.
        assert!(courier.memory.rests(MX1.parse().unwrap(), courier.ports.clock.now()), "{script}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_all_refuse_for_good_the_mail_fails_and_else_it_waits() {
    let no = "S: 554 5.7.1 Blocked\n";
    let refused = || Remotes::default().script(MX1, no).script(MX2, no);
    check(two_hosts(), refused(), &job(&["b@d.example"]), &["failed 554 5.7.1 mx2.d.example"]).await;
    let one = Remotes::default().script(MX1, no);
    check(two_hosts(), one, &job(&["b@d.example"]), &["deferred 451 4.4.1 -"]).await;
    let null = FakeDns::default().mx("d.example", &[(0, ".")]);
    check(null, Remotes::default(), &job(&["b@d.example"]), &["failed 556 5.1.10 -"]).await;
    let circle = FakeDns::default().mx("d.example", &[(5, "us.example")]).host("us.example", &["192.0.2.9"]);
    check(circle, Remotes::default(), &job(&["b@d.example"]), &["failed 554 5.4.6 -"]).await;
}

/// RFC 5321 §4.5.3.2.6: what broke off after the final dot may have been taken; no other host gets it.
#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_arrived_is_not_sent_elsewhere() {
    let start = format!("{HELLO}{MAIL}C: RCPT\nS: 250 Ok\nC: DATA\nS: 354 Go on\nC: .\n");
    for end in ["", "SILENCE"] {
        let remotes = Remotes::default().script(MX1, &format!("{start}{end}"));
        check(two_hosts(), remotes, &job(&["b@d.example"]), &["deferred 421 4.4.2 mx1.d.example"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_found_dead_since_the_claim_is_not_dialed_again() {
    let remotes = Arc::new(Remotes::default());
    let courier = courier(two_hosts(), &remotes);
    for host in [MX1, MX2] {
        courier.memory.failed(host.parse().unwrap(), courier.ports.clock.now().plus(Duration::from_millis(1)));
    }
    let report = courier.attempt(&job(&["b@d.example"]), &Fixed, &mut None).await;
    assert_eq!(told(&report), ["deferred 451 4.4.1 -"]);
    assert!(!report.was_heard);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_used_again_and_a_stale_one_is_replaced() {
    let one = format!("{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let remotes = Remotes::default().script(MX1, &format!("{HELLO}{one}{one}")).script(MX1, &format!("{HELLO}{one}"));
    let remotes = Arc::new(remotes);
    let courier = courier(two_hosts(), &remotes);
    let mut connection = None;
    for _ in 0..3 {
        let report = courier.attempt(&job(&["b@d.example"]), &Fixed, &mut connection).await;
        assert_eq!(told(&report), ["delivered 250 2.0.0 mx1.d.example"]);
        assert!(connection.is_some());
        tokio::task::yield_now().await;
    }
    remotes.assert_played();
}

/// RFC 3461 §5.2.2.
#[tokio::test(start_paused = true)]
async fn dsn_parameters_go_where_they_are_understood() {
    let mut job = job(&["b@d.example"]);
    job.message.ret = Some(Ret::Headers);
    job.message.envelope_id = EnvelopeId::parse("id1");
    job.recipients[0].notify = Some(Notify { success: true, failure: false, delay: false });
    let script = "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 DSN\nC: MAIL FROM:<ann@us.example> RET=HDRS ENVID=id1\nS: 250 Ok\n\
                  C: RCPT TO:<b@d.example> NOTIFY=SUCCESS\nS: 250 Ok\n";
    for (script, hands_on) in [
        (format!("{script}{DATA}"), true),
        (format!("{HELLO}{MAIL}C: RCPT TO:<b@d.example>\r\nS: 250 Ok\n{DATA}"), false),
    ] {
        let remotes = Arc::new(Remotes::default().script(MX1, &script));
        let report = courier(two_hosts(), &remotes).attempt(&job, &Fixed, &mut None).await;
        let [Verdict::Delivered(said)] = report.verdicts.as_slice() else { panic!("{report:?}") };
        assert_eq!(said.hands_on_dsn, hands_on);
    }
}

fn certificate() -> (Arc<rustls::ServerConfig>, rustls::pki_types::CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["mx1.d.example".to_owned(), "relay.example".to_owned()]).unwrap();
    let der = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![der.clone()], key.into()).unwrap();
    (Arc::new(config), der)
}

const STARTTLS: &str = "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 2.0.0 Go\n";
const UNDER_TLS: &str = "TLS\nC: EHLO us.example\nS: 250-mx\nS: 250 REQUIRETLS\n";

/// RFC 3207, RFC 7435: any certificate, and clear text where the handshake fails.
#[tokio::test(start_paused = true)]
async fn opportunistic_tls_takes_any_certificate_and_falls_back() {
    let (server, _) = certificate();
    let rest = format!("{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let expected = &["delivered 250 2.0.0 mx1.d.example"];
    let script = format!("{STARTTLS}{UNDER_TLS}{rest}");
    let remotes = Remotes::with_certificate(Arc::clone(&server)).script(MX1, &script);
    check(two_hosts(), remotes, &job(&["b@d.example"]), expected).await;
    let plain = format!("S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 STARTTLS\n{rest}");
    let remotes = Remotes::default().script(MX1, STARTTLS).script(MX1, &plain);
    check(two_hosts(), remotes, &job(&["b@d.example"]), expected).await;
}

/// RFC 3207 §5: what was put behind the reply to STARTTLS is no answer.
#[tokio::test(start_paused = true)]
async fn replies_injected_before_the_handshake_end_the_session() {
    let script = STARTTLS.replace("S: 220 2.0.0 Go", "S: 220 2.0.0 Go/250-mx/250 SIZE");
    let good = format!("{HELLO}{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let remotes = Remotes::default().script(MX1, &script).script(MX2, &good);
    check(two_hosts(), remotes, &job(&["b@d.example"]), &["delivered 250 2.0.0 mx2.d.example"]).await;
}

/// RFC 8689 §4.2.1.
#[tokio::test(start_paused = true)]
async fn requiretls_needs_a_proven_host_a_good_certificate_and_the_keyword() {
    let (server, root) = certificate();
    let mut job = job(&["b@d.example"]);
    job.message.require_tls = true;
    let one = || FakeDns::default().mx("d.example", &[(10, "mx1.d.example")]).host("mx1.d.example", &["192.0.2.1"]);
    let proven = || one().proven();
    let good = format!("{STARTTLS}{UNDER_TLS}{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let without = format!("{STARTTLS}TLS\nC: EHLO\nS: 250 mx\n");
    for (dns, script, trusts, expected) in [
        (proven(), good.as_str(), true, "delivered 250 2.0.0 mx1.d.example"),
        (one(), "", true, "failed 550 5.7.30 -"),
        (proven(), &format!("{STARTTLS}TLS"), false, "failed 550 5.7.10 mx1.d.example"),
        (proven(), HELLO, true, "failed 550 5.7.10 mx1.d.example"),
        (proven(), &without, true, "failed 550 5.7.30 mx1.d.example"),
    ] {
        let remotes = Arc::new(Remotes::with_certificate(Arc::clone(&server)).script(MX1, script));
        let courier = courier_with(dns, &remotes, |config| {
            config.extra_roots = trusts.then(|| root.clone()).into_iter().collect();
        });
        let report = courier.attempt(&job, &Fixed, &mut None).await;
        assert_eq!(told(&report), [expected], "{script}");
    }
}

/// RFC 8689 §5.
#[tokio::test(start_paused = true)]
async fn requiretls_loses_no_notice() {
    let mut job = job(&["b@d.example"]);
    job.message.require_tls = true;
    job.message.reverse_path = ReversePath::Null;
    let dns = FakeDns::default().mx("d.example", &[(10, "mx1.d.example")]).host("mx1.d.example", &["192.0.2.1"]);
    let remotes =
        Remotes::default().script(MX1, &format!("{HELLO}C: MAIL FROM:<>\nS: 250 Ok\nC: RCPT\nS: 250 Ok\n{DATA}"));
    check(dns, remotes, &job, &["delivered 250 2.0.0 mx1.d.example"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_relay_host_gets_its_log_in_only_under_verified_tls() {
    let (server, root) = certificate();
    let login = Some(RelayLogin { name: "us".into(), password: Secret::new("pw") });
    let relay = |tls, port| {
        NextHop::Relay(Arc::new(RelayHost { host: domain("relay.example"), port, tls, login: login.clone() }))
    };
    let hello = "C: EHLO us.example\nS: 250-relay\nS: 250 AUTH PLAIN\nC: AUTH PLAIN AHVzAHB3\nS: 235 Ok\n";
    let rest = format!("{hello}{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let refused = hello.replace("235 Ok", "535 5.7.8 Wrong password");
    let clear = "S: 220 relay\nC: EHLO us.example\nS: 250-relay\nS: 250 AUTH PLAIN\n";
    for (tls, port, script, trusts, expected) in [
        (RelayTls::StartTls, 587, format!("{STARTTLS}TLS\n{rest}"), true, "delivered 250 2.0.0 relay.example"),
        (RelayTls::Implicit, 465, format!("TLS\nS: 220 relay\n{rest}"), true, "delivered 250 2.0.0 relay.example"),
        (RelayTls::StartTls, 587, format!("{STARTTLS}TLS"), false, "deferred 454 4.7.5 relay.example"),
        (RelayTls::Implicit, 465, "TLS".to_owned(), false, "deferred 454 4.7.5 relay.example"),
        (RelayTls::StartTls, 587, clear.to_owned(), true, "deferred 454 4.7.5 relay.example"),
        (RelayTls::None, 25, clear.to_owned(), true, "deferred 454 4.7.0 relay.example"),
        // The administrator's fault, not the sender's: nothing bounces.
        (RelayTls::Implicit, 465, format!("TLS\nS: 220 relay\n{refused}"), true, "deferred 451 4.3.0 relay.example"),
    ] {
        let remote = format!("192.0.2.7:{port}");
        let remotes = Arc::new(Remotes::with_certificate(Arc::clone(&server)).script(&remote, &script));
        let dns = FakeDns::default().host("relay.example", &["192.0.2.7"]);
        let courier = courier_with(dns, &remotes, |config| {
            config.extra_roots = trusts.then(|| root.clone()).into_iter().collect();
        });
        let job = Job { next_hop: relay(tls, port), ..job(&["b@d.example"]) };
        let report = courier.attempt(&job, &Fixed, &mut None).await;
        assert_eq!(told(&report), [expected], "{tls:?} {script}");
    }
}

/// What may have been taken is waited for; everything else is broken off and given back.
#[tokio::test(start_paused = true)]
async fn stopping_breaks_off_all_but_a_message_that_was_sent() {
    let before = format!("{HELLO}{MAIL}SILENCE");
    let after = format!("{HELLO}{MAIL}C: RCPT\nS: 250 Ok\nC: DATA\nS: 354 Go on\nC: .\nSILENCE");
    for (script, expected) in [(before, "untried"), (after, "deferred 421 4.4.2 mx1.d.example")] {
        let remotes = Arc::new(Remotes::default().script(MX1, &script));
        let courier = courier(two_hosts(), &remotes);
        let (cut, job) = (courier.cut.clone(), job(&["b@d.example"]));
        let stop = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            cut.cancel();
        };
        let mut connection = None;
        let (report, ()) = tokio::join!(courier.attempt(&job, &Fixed, &mut connection), stop);
        assert_eq!(told(&report), [expected], "{script}");
    }
}

/// RFC 9422 §4: a peer that takes few recipients at a time gets several transactions.
#[tokio::test(start_paused = true)]
async fn recipients_beyond_the_limit_go_in_another_transaction() {
    let hello = "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 LIMITS RCPTMAX=1\n";
    let part = |name: &str| format!("{MAIL}C: RCPT TO:<{name}@d.example>\nS: 250 Ok\n{DATA}");
    let script = format!("{hello}{}{}", part("a"), part("b"));
    let expected = ["delivered 250 2.0.0 mx1.d.example"; 2];
    check(two_hosts(), Remotes::default().script(MX1, &script), &job(&["a@d.example", "b@d.example"]), &expected).await;
}

fn record(usage: u8, certificate: &rustls::pki_types::CertificateDer<'_>) -> crate::ports::TlsaRecord {
    let data = ring::digest::digest(&ring::digest::SHA256, certificate).as_ref().to_vec();
    crate::ports::TlsaRecord { usage, selector: 0, matching: 1, data }
}

/// What was counted for the TLS reports, as `type host result`.
fn counted(courier: &Courier) -> Vec<String> {
    let line = |count: relais_store::TlsResultCount| {
        let key = count.key;
        let host = key.mx_host.map_or("-".to_owned(), |host| host.to_string());
        format!("{} {} {host} {} {}", key.policy_type.as_str(), key.policy_domain, key.result.as_str(), count.sessions)
    };
    let mut lines: Vec<_> = courier.tally.take().into_iter().map(line).collect();
    lines.sort();
    lines
}

fn one_host() -> FakeDns {
    FakeDns::default().mx("d.example", &[(10, "mx1.d.example")]).host("mx1.d.example", &["192.0.2.1"])
}

/// RFC 7672: the certificate that is named, or nothing is sent; the next host may be better.
#[tokio::test(start_paused = true)]
async fn with_dane_mail_goes_only_under_the_certificate_that_is_named() {
    let (server, shown) = certificate();
    let (_, other) = certificate();
    let good = format!("{STARTTLS}TLS\nC: EHLO us.example\nS: 250 mx\n{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let handshake = format!("{STARTTLS}TLS");
    let unusable = crate::ports::TlsaRecord { usage: 1, ..record(3, &other) };
    let refused = STARTTLS.replace("S: 220 2.0.0 Go", "S: 454 4.7.0 Not now");
    let tlsa = "tlsa mx1.d.example mx1.d.example";
    let held = "deferred 454 4.7.5 mx1.d.example";
    for (records, script, expected, protection, count) in [
        (vec![record(3, &shown)], &good, "delivered 250 2.0.0 mx1.d.example", Some(Protection::Dane), "success"),
        (vec![unusable], &good, "delivered 250 2.0.0 mx1.d.example", Some(Protection::Encrypted), "success"),
        (vec![record(3, &other)], &handshake, held, None, "tlsa-invalid"),
        // STARTTLS was taken out on the way, or is refused.
        (vec![record(3, &shown)], &HELLO.to_owned(), held, None, "starttls-not-supported"),
        (vec![record(3, &shown)], &refused, held, None, "starttls-not-supported"),
    ] {
        let dns = one_host().tlsa("_25._tcp.mx1.d.example", &records).proven();
        let remotes = Arc::new(Remotes::with_certificate(Arc::clone(&server)).script(MX1, script));
        let courier = courier(dns, &remotes);
        let report = courier.attempt(&job(&["b@d.example"]), &Fixed, &mut None).await;
        assert_eq!(told(&report), [expected], "{records:?} {script}");
        if let [Verdict::Delivered(said)] = report.verdicts.as_slice() {
            assert_eq!(said.protection, protection);
        } else {
            let [Verdict::Deferred(said)] = report.verdicts.as_slice() else { panic!("{report:?}") };
            assert!(said.reply.text.starts_with("DANE: "), "{}", said.reply);
            assert!(
                !courier.memory.rests(MX1.parse().unwrap(), courier.ports.clock.now()),
                "of others it may take mail"
            );
        }
        assert_eq!(counted(&courier), [format!("{tlsa} {count} 1")]);
        tokio::task::yield_now().await;
        remotes.assert_played();
    }
}

/// RFC 7672 §2.1: another host of the same domain takes its mail where one can't be used.
#[tokio::test(start_paused = true)]
async fn a_host_that_dane_forbids_makes_way_for_the_next() {
    let dns = || two_hosts().proven();
    let good = format!("{HELLO}{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let bogus = dns().bogus("_25._tcp.mx1.d.example");
    let expected = &["delivered 250 2.0.0 mx2.d.example"];
    check(bogus, Remotes::default().script(MX2, &good), &job(&["b@d.example"]), expected).await;
    let none = dns().bogus("_25._tcp.mx1.d.example").broken("_25._tcp.mx2.d.example");
    check(none, Remotes::default(), &job(&["b@d.example"]), &["deferred 454 4.7.5 mx2.d.example"]).await;
}

/// RFC 8461 §5: hosts that the policy names, under a good certificate; what is in its testing goes on.
#[tokio::test(start_paused = true)]
async fn with_mta_sts_mail_goes_only_to_named_hosts_under_a_good_certificate() {
    let (server, root) = certificate();
    let rest = format!("{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let good = format!("{STARTTLS}TLS\nC: EHLO us.example\nS: 250 mx\n{rest}");
    let (handshake, clear) = (format!("{STARTTLS}TLS"), format!("{HELLO}{rest}"));
    let delivered = "delivered 250 2.0.0 mx1.d.example";
    let held = "deferred 454 4.7.5 mx1.d.example";
    for (mode, mx, script, trusts, expected, protection, count) in [
        ("enforce", "mx1.d.example", good.as_str(), true, delivered, Some(Protection::Sts), "success"),
        ("enforce", "*.d.example", &handshake, false, held, None, "certificate-not-trusted"),
        ("enforce", "*.d.example", HELLO, true, held, None, "starttls-not-supported"),
        ("enforce", "mx2.d.example", "", true, held, None, "validation-failure"),
        ("testing", "mx1.d.example", &good, true, delivered, Some(Protection::Encrypted), "success"),
        ("testing", "mx2.d.example", &good, true, delivered, Some(Protection::Encrypted), "validation-failure"),
        ("testing", "mx1.d.example", &good, false, delivered, Some(Protection::Encrypted), "certificate-not-trusted"),
        ("testing", "mx1.d.example", &clear, true, delivered, Some(Protection::Clear), "starttls-not-supported"),
    ] {
        let remotes = Remotes::with_certificate(Arc::clone(&server));
        let remotes = Arc::new(if script.is_empty() { remotes } else { remotes.script(MX1, script) });
        let courier = courier_with(one_host(), &remotes, |config| {
            config.extra_roots = trusts.then(|| root.clone()).into_iter().collect();
        });
        let now = courier.ports.clock.now();
        courier.policies.load(vec![relais_store::StsEntry {
            domain: domain("d.example"),
            id: "1".into(),
            policy: format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 60\n"),
            fetched_at: now,
            expires_at: now.plus(Duration::from_mins(1)),
            used_at: now,
        }]);
        let report = courier.attempt(&job(&["b@d.example"]), &Fixed, &mut None).await;
        assert_eq!(told(&report), [expected], "{mode} {mx} {script}");
        match report.verdicts.as_slice() {
            [Verdict::Delivered(said)] => assert_eq!(said.protection, protection, "{mode} {mx} {script}"),
            [Verdict::Deferred(said)] => assert!(said.reply.text.starts_with("MTA-STS: "), "{}", said.reply),
            other => panic!("{other:?}"),
        }
        assert_eq!(counted(&courier), [format!("sts d.example mx1.d.example {count} 1")], "{mode} {mx} {script}");
        tokio::task::yield_now().await;
        remotes.assert_played();
    }
}

/// RFC 8689 §4.2.1: a policy that proves the host is as good as DNSSEC.
#[tokio::test(start_paused = true)]
async fn requiretls_is_content_with_dane() {
    let (server, shown) = certificate();
    let mut job = job(&["b@d.example"]);
    job.message.require_tls = true;
    let script = format!("{STARTTLS}{UNDER_TLS}{MAIL}C: RCPT\nS: 250 Ok\n{DATA}");
    let dns = one_host().tlsa("_25._tcp.mx1.d.example", &[record(3, &shown)]).proven();
    let remotes = Remotes::with_certificate(server).script(MX1, &script);
    check(dns, remotes, &job, &["delivered 250 2.0.0 mx1.d.example"]).await;
}

/// The same eyes that send look before.
#[tokio::test]
async fn a_plan_tells_what_would_be_done() {
    let (_, shown) = certificate();
    let dns = two_hosts().tlsa("_25._tcp.mx1.d.example", &[record(3, &shown)]).bogus("_25._tcp.mx2.d.example").proven();
    let courier = courier(dns, &Arc::new(Remotes::default()));
    let plan = courier.plan(&NextHop::Mx(domain("d.example")), &domain("d.example")).await;
    let policies: Vec<_> = plan.hosts.iter().map(|host| (host.name.as_str(), host.policy.clone())).collect();
    let [(first, dane), (second, crate::PlannedPolicy::Refused(reply))] = policies.as_slice() else {
        panic!("{policies:?}")
    };
    assert_eq!((*first, *second), ("mx1.d.example", "mx2.d.example"));
    assert_eq!(*dane, crate::PlannedPolicy::Dane { base: domain("mx1.d.example") });
    assert!(reply.text.starts_with("DANE: looking up"), "{reply}");
    let nobody = courier.plan(&NextHop::Mx(domain("gone.example")), &domain("gone.example")).await;
    assert_eq!(nobody.refusal.unwrap().code, 550);
}
