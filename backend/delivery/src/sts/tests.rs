use relais_model::Clock as _;
use relais_testkit::{ManualClock, SeededRandom};

use super::*;
use crate::testing::{FakeDns, Remotes};

const WEB: &str = "192.0.2.9:443";
const POLICY: &str = "version: STSv1|mode: enforce|mx: mx.d.example|max_age: 86400|";

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// A house that asks `dns` and meets `remotes`, whose certificate is good for `name`.
struct Scene {
    policies: Policies,
    ports: Ports,
    tls: Tls,
    clock: Arc<ManualClock>,
    remotes: Arc<Remotes>,
}

impl Scene {
    fn new(dns: FakeDns, name: &str, answers: &[String]) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let server = server.unwrap().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key.into());
        let remotes = Remotes::with_certificate(Arc::new(server.unwrap()));
        let remotes =
            answers.iter().fold(remotes, |remotes, answer| remotes.script(WEB, &format!("TLS\nWEB: {answer}")));
        let (remotes, clock) = (Arc::new(remotes), Arc::new(ManualClock::default()));
        let ports = Ports {
            resolver: Arc::new(dns),
            dialer: Arc::clone(&remotes) as Arc<dyn crate::ports::Dialer>,
            clock: Arc::clone(&clock) as Arc<dyn relais_model::Clock>,
            random: Arc::new(SeededRandom::default()),
        };
        let tls = Tls::new(&[made.cert.der().clone()]).unwrap();
        Self { policies: Policies::new(443, Sources::default()), ports, tls, clock, remotes }
    }

    async fn known(&self) -> Known {
        let known = self.policies.policy(&domain("d.example"), &self.ports, &self.tls).await;
        tokio::task::yield_now().await;
        known
    }

    /// As `mode id` and the failure's word.
    async fn told(&self) -> String {
        let known = self.known().await;
        let policy = known.policy().map_or("-", |policy| policy.mode.as_str());
        let id = known.kept.as_ref().map_or("-", |kept| kept.id.as_str());
        format!("{policy} {id} {}", known.failure.map_or("-", |failure| failure.result.as_str()))
    }

    /// The same, in a house that asks another DNS.
    fn asking(self, dns: FakeDns) -> Self {
        Self { ports: Ports { resolver: Arc::new(dns), ..self.ports.clone() }, ..self }
    }
}

fn dns(id: &str) -> FakeDns {
    FakeDns::default()
        .host("mta-sts.d.example", &["192.0.2.9"])
        .txt("_mta-sts.d.example", &format!("v=STSv1; id={id};"))
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let octets = body.replace('|', "\r\n").len();
    format!("HTTP/1.1 {status}|Content-Type: {kind}|Content-Length: {octets}||{body}")
}

fn good(body: &str) -> String {
    answer("200 OK", "text/plain; charset=utf-8", body)
}

async fn check(dns: FakeDns, name: &str, answers: &[String], expected: &str) {
    let scene = Scene::new(dns, name, answers);
    assert_eq!(scene.told().await, expected, "{answers:?}");
    scene.remotes.assert_played();
}

/// RFC 8461 §3.
#[tokio::test(start_paused = true)]
async fn a_policy_that_is_announced_is_fetched() {
    let ours = "mta-sts.d.example";
    check(dns("1"), ours, &[good(POLICY)], "enforce 1 -").await;
    check(dns("1"), ours, &[good(&POLICY.replace("enforce", "none"))], "- 1 -").await;
    // Nothing is announced, twice, or not as it should be.
    check(FakeDns::default(), ours, &[], "- - -").await;
    check(dns("1").txt("_mta-sts.d.example", "v=STSv1; id=2"), ours, &[], "- - -").await;
    check(dns("1").txt("_mta-sts.d.example", "other text"), ours, &[good(POLICY)], "enforce 1 -").await;
    check(dns("no-good"), ours, &[], "- - -").await;
    check(dns("1").broken("_mta-sts.d.example"), ours, &[], "- - -").await;
}

/// RFC 8461 §3.3.
#[tokio::test(start_paused = true)]
async fn what_is_no_good_answer() {
    let ours = "mta-sts.d.example";
    let fetch = "- - sts-policy-fetch-error";
    check(dns("1"), "other.example", &["-".to_owned()], "- - sts-webpki-invalid").await;
    check(dns("1"), ours, &[], fetch).await;
    check(FakeDns::default().txt("_mta-sts.d.example", "v=STSv1; id=1"), ours, &[], fetch).await;
    check(dns("1"), ours, &[answer("404 Not Found", "text/plain", "")], fetch).await;
    let redirect = answer("301 Moved", "text/plain", POLICY).replace("||", "|Location: https://x.example/||");
    check(dns("1"), ours, &[redirect], fetch).await;
    check(dns("1"), ours, &[answer("200 OK", "text/html", POLICY)], fetch).await;
    let long = format!("{POLICY}{}", "x: y|".repeat(POLICY_OCTETS));
    check(dns("1"), ours, &[good(&long)], fetch).await;
    check(dns("1"), ours, &[good("version: STSv1|mode: strict|")], "- - sts-policy-invalid").await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_not_waited_for() {
    let scene = Scene::new(dns("1"), "mta-sts.d.example", &[]);
    let remotes = Arc::new(Remotes::default().script(WEB, "SILENCE"));
    let ports = Ports { dialer: remotes, ..scene.ports.clone() };
    let known = scene.policies.policy(&domain("d.example"), &ports, &scene.tls).await;
    assert_eq!(known.failure.unwrap().result, TlsResult::StsPolicyFetchError);
}

/// RFC 8461 §3.1, §5.1: a kept policy holds until it ends, whatever the DNS and the server say meanwhile.
#[tokio::test(start_paused = true)]
async fn a_policy_is_kept_until_it_ends() {
    let changed = POLICY.replace("enforce", "testing");
    let scene = Scene::new(dns("1"), "mta-sts.d.example", &[good(POLICY), good(&changed)]);
    assert_eq!(scene.told().await, "enforce 1 -");
    assert_eq!(scene.told().await, "enforce 1 -", "asked once");
    // The record goes, or the DNS is ill: the policy stays.
    let scene = scene.asking(FakeDns::default());
    assert_eq!(scene.told().await, "enforce 1 -");
    // A new id whose policy can't be had; nobody asks again at once.
    let no_host = || FakeDns::default().txt("_mta-sts.d.example", "v=STSv1; id=2");
    let scene = scene.asking(no_host());
    assert_eq!(scene.told().await, "enforce 1 sts-policy-fetch-error");
    let scene = scene.asking(dns("2"));
    assert_eq!(scene.told().await, "enforce 1 sts-policy-fetch-error", "it rests");
    scene.clock.advance(REST);
    assert_eq!(scene.told().await, "testing 2 -");
    scene.remotes.assert_played();
    // Its end.
    let scene = scene.asking(no_host());
    scene.clock.advance(Duration::from_secs(86_399));
    assert_eq!(scene.told().await, "testing 2 -");
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.told().await, "- - sts-policy-fetch-error");
}

/// RFC 8461 §10.2.
#[tokio::test(start_paused = true)]
async fn a_policy_is_fetched_anew_before_it_ends_as_long_as_mail_asks_for_it() {
    let scene = Scene::new(dns("1"), "mta-sts.d.example", &[good(POLICY), good(POLICY)]);
    scene.known().await;
    let began = scene.clock.now();
    scene.policies.refresh(&scene.ports, &scene.tls).await;
    scene.clock.advance(Duration::from_hours(12));
    scene.policies.refresh(&scene.ports, &scene.tls).await;
    let kept = scene.known().await.kept.unwrap();
    assert_eq!(kept.expires_at, began.plus(Duration::from_hours(36)));
    scene.remotes.assert_played();
    // It goes to the store once, and comes back from it as it was.
    let entries = scene.policies.take_new();
    assert_eq!((entries.len(), scene.policies.take_new().len()), (1, 0));
    let other = Policies::new(443, Sources::default());
    other.load(entries);
    let again = other.use_kept(&domain("d.example"), scene.clock.now()).unwrap();
    assert_eq!(again, Kept { is_new: false, ..kept });
    // The next server is silent: the fetch fails, the policy stays.
    scene.clock.advance(Duration::from_hours(12));
    scene.policies.refresh(&scene.ports, &scene.tls).await;
    assert_eq!(scene.told().await, "enforce 1 -");
}

#[test]
fn what_is_kept_is_bounded() {
    let policies = Policies::new(443, Sources::default());
    let known = |at: i64| {
        let policy = StsPolicy::parse("version: STSv1\nmode: none\nmax_age: 9\n").unwrap();
        let kept = Known::of("1", policy, Timestamp::from_seconds(1_000_000)).kept.unwrap();
        Kept { used_at: Timestamp::from_seconds(at), ..kept }
    };
    for number in 0..=MOST_POLICIES {
        let at = i64::try_from(number).unwrap();
        policies.keep(&domain(&format!("d{number}.example")), known(at), Timestamp::from_seconds(at));
    }
    let now = Timestamp::from_seconds(20_000);
    assert!(policies.use_kept(&domain("d0.example"), now).is_none(), "used longest ago");
    assert!(policies.use_kept(&domain("d1.example"), now).is_some());
    assert_eq!(policies.kept.lock().unwrap().len(), MOST_POLICIES);
}
