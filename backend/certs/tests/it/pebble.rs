//! The real client with a real CA: Debian's pebble, and its challtestsrv as the DNS. Skipped, loudly, where they aren't installed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use relais_certs::{
    ACME_TLS, AccountWanted, AcmeAuthority, AuthorityError, CertificateAuthority as _, ChallengeKind, Challenges,
    Checked, Doing, OrderWanted, Proofs, Rank, Served, TxtError, TxtPublisher, TxtWatch,
};
use relais_model::{Clock as _, Secret, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::house::self_signed;

const EXTERNAL_KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// How pebble is to behave.
#[derive(Default)]
struct Behaviour {
    /// Percent of good nonces that it refuses.
    bad_nonces: u8,
    /// Accounts must be bound.
    external: bool,
}

/// pebble, its DNS, and doors where it finds our proofs.
struct Lab {
    folder: tempfile::TempDir,
    directory: String,
    authority: AcmeAuthority,
    dns: Arc<Dns>,
    programs: Vec<Child>,
    doors: Vec<JoinHandle<()>>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        for program in &mut self.programs {
            program.kill().unwrap();
            program.wait().unwrap();
        }
        for door in &self.doors {
            door.abort();
        }
    }
}

fn free_port() -> u16 {
    StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn start(program: &str, arguments: &[&str], environment: &[(&str, String)], log: &Path) -> io::Result<Child> {
    let log = fs::File::create(log).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn()
}

/// Waits until `program` listens at `address`; false: it ended, for somebody else had the port by then.
async fn listens(program: &mut Child, address: SocketAddr) -> bool {
    for _ in 0..1200 {
        if TcpStream::connect(address).await.is_ok() {
            return true;
        }
        if program.try_wait().unwrap().is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nobody listens at {address}");
}

/// A CA for pebble's own directory, and its certificate.
fn directory_certificate(folder: &Path) -> [PathBuf; 3] {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let root = ca.self_signed(&ca_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let files = ["root.pem", "pebble.pem", "pebble.key"].map(|name| folder.join(name));
    for (file, text) in files.iter().zip([root.pem(), leaf.pem(), key.serialize_pem()]) {
        fs::write(file, text).unwrap();
    }
    files
}

impl Lab {
    /// None: pebble isn't installed, which is said.
    async fn start(behaviour: Behaviour) -> Option<Self> {
        for _ in 0..5 {
            match Self::start_at_free_ports(&behaviour).await {
                Ok(Some(lab)) => return Some(lab),
                Ok(None) => {}
                Err(_) => {
                    eprintln!("\nSKIPPED: pebble is not installed (apt-get install pebble)\n");
                    return None;
                }
            }
        }
        panic!("pebble ends at once");
    }

    /// None: one of the ports was free no longer.
    async fn start_at_free_ports(behaviour: &Behaviour) -> io::Result<Option<Self>> {
        let folder = tempfile::tempdir().unwrap();
        let [root, chain, key] = directory_certificate(folder.path());
        let [ca, dns, management] = [free_port(), free_port(), free_port()];
        let challenges = Arc::<Challenges>::default();
        let (http, tls) = (listen().await, listen().await);
        let (http_port, tls_port) = (http.local_addr().unwrap().port(), tls.local_addr().unwrap().port());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{ca}"),
            "managementListenAddress": format!("127.0.0.1:{}", free_port()),
            "certificate": chain, "privateKey": key, "httpPort": http_port, "tlsPort": tls_port,
            "externalAccountBindingRequired": behaviour.external,
            "externalAccountMACKeys": { "kid-1": EXTERNAL_KEY },
        }});
        let config_file = folder.path().join("pebble.json");
        fs::write(&config_file, config.to_string()).unwrap();
        let [at_dns, at_management] = [dns, management].map(|port| format!("127.0.0.1:{port}"));
        let arguments = [
            "-dns01",
            &at_dns,
            "-management",
            &at_management,
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-defaultIPv6",
            "",
        ];
        let mut servers = start("pebble-challtestsrv", &arguments, &[], &folder.path().join("dns.log"))?;
        let environment = [
            ("PEBBLE_VA_NOSLEEP", "1".to_owned()),
            ("PEBBLE_AUTHZREUSE", "0".to_owned()),
            ("PEBBLE_WFE_NONCEREJECT", behaviour.bad_nonces.to_string()),
        ];
        let config_file = config_file.display().to_string();
        let arguments = ["-config", &config_file, "-dnsserver", &at_dns, "-strict"];
        let mut pebble = start("pebble", &arguments, &environment, &folder.path().join("pebble.log"))?;
        let management = SocketAddr::from(([127, 0, 0, 1], management));
        if !listens(&mut servers, management).await
            || !listens(&mut pebble, SocketAddr::from(([127, 0, 0, 1], ca))).await
        {
            for program in [&mut servers, &mut pebble] {
                program.kill().unwrap();
                program.wait().unwrap();
            }
            return Ok(None);
        }
        let pair = self_signed(folder.path(), "mx.house.example");
        let served = Served::load("mx.house.example", &[pair], Rank::SelfSigned, Arc::clone(&challenges)).unwrap();
        let tasks = TaskTracker::new();
        let doors = vec![
            tasks.spawn(answer_http(http, Arc::clone(&challenges))),
            tasks.spawn(answer_tls(tls, Arc::new(served))),
        ];
        let dns = Arc::new(Dns { management, published: Mutex::default() });
        let proofs = Proofs { challenges, dns: Some((dns.clone(), dns.clone())) };
        let authority = AcmeAuthority::new(proofs, Some(&root)).unwrap();
        let directory = format!("https://localhost:{ca}/dir");
        Ok(Some(Self { folder, directory, authority, dns, programs: vec![servers, pebble], doors }))
    }

    fn account(&self, external: Option<(&str, &str)>) -> AccountWanted {
        AccountWanted {
            directory_url: self.directory.clone(),
            contact: Some("ann@house.example".to_owned()),
            external: external.map(|(id, key)| (id.to_owned(), Secret::new(key))),
        }
    }

    async fn open(&self) -> Secret {
        self.authority.open_account(&self.account(None)).await.unwrap()
    }

    async fn order(
        &self,
        credentials: &Secret,
        challenge: ChallengeKind,
        names: &[&str],
    ) -> Result<Checked, AuthorityError> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let wanted = OrderWanted { credentials: credentials.clone(), names, challenge, replaces: None, key_pem: None };
        let issued = self.authority.order(&wanted).await?;
        Ok(Checked::read(&issued.chain_pem, issued.key_pem.expose(), SystemClock.now()).unwrap())
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

/// Port 80, as far as a CA sees it.
async fn answer_http(listener: TcpListener, challenges: Arc<Challenges>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let read = stream.read(&mut head).await.unwrap();
        let head = String::from_utf8_lossy(&head[..read]).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let token = path.strip_prefix("/.well-known/acme-challenge/").unwrap_or_default();
        let answer = match challenges.answer(token) {
            Some(proof) => {
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{proof}", proof.len())
            }
            None => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// Port 443, as far as a CA sees it.
async fn answer_tls(listener: TcpListener, served: Arc<Served>) {
    let mut config = served.live_config();
    config.alpn_protocols = vec![b"http/1.1".to_vec(), ACME_TLS.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        if let Err(error) = acceptor.accept(stream).await {
            tracing::debug!(%error, "a handshake failed");
        }
    }
}

/// challtestsrv, as a DNS provider.
#[derive(Debug)]
struct Dns {
    management: SocketAddr,
    /// Names and values that are there.
    published: Mutex<Vec<(String, String)>>,
}

impl Dns {
    async fn tell(&self, act: &str, what: serde_json::Value) {
        let body = what.to_string();
        let mut stream = TcpStream::connect(self.management).await.unwrap();
        let request = format!(
            "POST /{act} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{act}: {answer}");
    }
}

impl TxtPublisher for Dns {
    fn serves<'a>(&'a self, _name: &'a str) -> Doing<'a, bool> {
        Box::pin(async { true })
    }

    fn publish<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, Result<(), TxtError>> {
        Box::pin(async move {
            self.published.lock().unwrap().push((name.to_owned(), value.to_owned()));
            self.tell("set-txt", serde_json::json!({ "host": format!("{name}."), "value": value })).await;
            Ok(())
        })
    }

    fn remove<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, Result<(), TxtError>> {
        Box::pin(async move {
            self.published.lock().unwrap().retain(|known| *known != (name.to_owned(), value.to_owned()));
            self.tell("clear-txt", serde_json::json!({ "host": format!("{name}.") })).await;
            Ok(())
        })
    }
}

impl TxtWatch for Dns {
    fn shows<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, bool> {
        let is_there = self.published.lock().unwrap().contains(&(name.to_owned(), value.to_owned()));
        Box::pin(async move { is_there })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_proved_by_each_challenge() {
    let Some(lab) = Lab::start(Behaviour::default()).await else { return };
    let credentials = lab.open().await;
    for challenge in [ChallengeKind::Auto, ChallengeKind::Http01, ChallengeKind::TlsAlpn01, ChallengeKind::Dns01] {
        let names = ["mx.house.example", "mta-sts.house.example"];
        let checked = lab.order(&credentials, challenge, &names).await.unwrap();
        let mut found = checked.names.clone();
        found.sort_unstable();
        assert_eq!(found, ["mta-sts.house.example", "mx.house.example"], "{challenge:?}");
        assert!(checked.issuer.contains("Pebble"), "{}", checked.issuer);
        assert!(checked.chain_pem.matches("BEGIN CERTIFICATE").count() >= 2, "the intermediate is in it");
    }
    assert!(lab.dns.published.lock().unwrap().is_empty(), "the proofs were taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wildcard_is_proved_by_dns_beside_its_parent() {
    let Some(lab) = Lab::start(Behaviour::default()).await else { return };
    let credentials = lab.open().await;
    let checked = lab.order(&credentials, ChallengeKind::Auto, &["house.example", "*.house.example"]).await.unwrap();
    assert!(checked.names.contains(&"*.house.example".to_owned()));
    assert!(checked.names.contains(&"house.example".to_owned()));
}

/// RFC 8555 §6.5: half of all nonces are refused, and no order fails for it.
#[tokio::test(flavor = "multi_thread")]
async fn bad_nonces_are_borne() {
    let Some(lab) = Lab::start(Behaviour { bad_nonces: 50, ..Behaviour::default() }).await else { return };
    let credentials = lab.open().await;
    for round in 0..5 {
        let names = ["a.house.example", "b.house.example", "c.house.example"];
        lab.order(&credentials, ChallengeKind::Http01, &names)
            .await
            .unwrap_or_else(|error| panic!("{round}: {error:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_name_is_told_apart_in_the_cas_own_words() {
    let Some(lab) = Lab::start(Behaviour::default()).await else { return };
    let credentials = lab.open().await;
    // Nobody listens there.
    let elsewhere = serde_json::json!({ "host": "bad.house.example.", "addresses": ["127.0.0.99"] });
    lab.dns.tell("add-a", elsewhere).await;
    for (challenge, kind) in [(ChallengeKind::Http01, "connection"), (ChallengeKind::TlsAlpn01, "unauthorized")] {
        let outcome = lab.order(&credentials, challenge, &["good.house.example", "bad.house.example"]).await;
        let Err(AuthorityError::Names(refused)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!((refused[0].0.as_str(), refused[0].1.kind.as_str()), ("bad.house.example", kind), "{refused:?}");
        assert!(refused[0].1.says.contains("127.0.0.99"), "{}", refused[0].1.says);
        lab.order(&credentials, challenge, &["good.house.example"]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_ca_takes_is_refused_with_its_name() {
    let Some(lab) = Lab::start(Behaviour::default()).await else { return };
    let credentials = lab.open().await;
    let outcome = lab.order(&credentials, ChallengeKind::Http01, &["no_such_name.house.example"]).await;
    let problem = match outcome {
        Err(AuthorityError::Refused(problem)) => problem,
        Err(AuthorityError::Names(mut refused)) => refused.remove(0).1,
        other => panic!("{other:?}"),
    };
    assert!(matches!(problem.kind.as_str(), "malformed" | "rejectedIdentifier"), "{problem:?}");
    assert!(!problem.says.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn external_accounts() {
    let Some(lab) = Lab::start(Behaviour { external: true, ..Behaviour::default() }).await else { return };
    let open = |external| lab.account(external);
    let unbound = lab.authority.open_account(&open(None)).await;
    let Err(AuthorityError::Account(problem)) = unbound else { panic!("{unbound:?}") };
    assert_eq!(problem.kind, "externalAccountRequired");
    let unknown = lab.authority.open_account(&open(Some(("kid-9", EXTERNAL_KEY)))).await;
    assert!(matches!(unknown, Err(AuthorityError::Account(_))), "{unknown:?}");
    let no_key = lab.authority.open_account(&open(Some(("kid-1", "no base64!")))).await;
    assert!(matches!(no_key, Err(AuthorityError::Account(_))), "{no_key:?}");
    let credentials = lab.authority.open_account(&open(Some(("kid-1", EXTERNAL_KEY)))).await.unwrap();
    lab.order(&credentials, ChallengeKind::Http01, &["mx.house.example"]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_that_is_down_is_said_to_be() {
    let Some(mut lab) = Lab::start(Behaviour::default()).await else { return };
    let credentials = lab.open().await;
    for program in &mut lab.programs {
        program.kill().unwrap();
    }
    let outcome = lab.order(&credentials, ChallengeKind::Http01, &["mx.house.example"]).await;
    let Err(AuthorityError::Failed(problem)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(problem.kind, "unreachable");
    assert!(problem.says.contains("refused") || problem.says.contains("reset"), "{}", problem.says);
}

/// A directory that isn't served by a CA that we trust: nothing is told to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_trusted_by_its_certificate() {
    let Some(lab) = Lab::start(Behaviour::default()).await else { return };
    let proofs = Proofs { challenges: Arc::default(), dns: None };
    let stranger = AcmeAuthority::new(proofs, None).unwrap();
    let outcome = stranger.open_account(&lab.account(None)).await;
    let Err(AuthorityError::Failed(problem)) = outcome else { panic!("{outcome:?}") };
    assert!(problem.says.contains("UnknownIssuer"), "{}", problem.says);
}

/// pebble 2.4 knows no renewal information (RFC 9773): then we say ourselves when.
#[tokio::test(flavor = "multi_thread")]
async fn a_ca_without_renewal_information_is_no_fault() {
    let Some(lab) = Lab::start(Behaviour::default()).await else { return };
    let credentials = lab.open().await;
    let wanted = OrderWanted {
        credentials: credentials.clone(),
        names: vec!["mx.house.example".to_owned()],
        challenge: ChallengeKind::Http01,
        replaces: None,
        key_pem: None,
    };
    let issued = lab.authority.order(&wanted).await.unwrap();
    let renewal = lab.authority.renewal(&credentials, &issued.chain_pem).await;
    assert_eq!(renewal, Ok(None));
    let again = OrderWanted { replaces: Some(issued.chain_pem), key_pem: Some(issued.key_pem.clone()), ..wanted };
    lab.authority.order(&again).await.unwrap();
    assert!(lab.folder.path().exists());
}
