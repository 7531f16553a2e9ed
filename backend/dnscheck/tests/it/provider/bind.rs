//! RFC 2136 against Debian's BIND: a private named that takes updates of one key. What stands afterwards is asked of BIND itself, with dig.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use hickory_proto::op::{Message, MessageType, OpCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use relais_dnscheck::provider::{ProviderError, ProviderKind, Publisher, Settings, Wish};
use relais_model::{Secret, SystemClock, SystemRandom};
use relais_testkit::machine;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::round_trip::{Rows, rows, wishes};
use super::{TTL, push, set, spf};

/// The keys' secret. What a test's own server knows is no secret.
pub(crate) const SECRET: &str = "cGxhbnRlZC1zZWNyZXQta2V5LW9mLTMyLW9jdGV0cyE=";
const OTHER: &str = "YW5vdGhlci1zZWNyZXQta2V5LW9mLTMyLW9jdGV0cyE=";

/// A named of our own; it ends with this value, and with this process however that ends: the shell that waits for it waits at our pipe.
pub(crate) struct Named {
    _folder: tempfile::TempDir,
    port: u16,
    dig: PathBuf,
    shell: Child,
    pipe: Option<ChildStdin>,
}

const KEEPER: &str = r#""$1" -g -c "$2" -n 1 & named=$!; read -r _; kill "$named"; wait "$named""#;

impl Named {
    /// One that serves `zone` (a zone file's lines) as example.org, and the same as closed.example, which nobody may transfer. None where
    /// BIND isn't installed, which is said; on the CI server that fails.
    pub(crate) fn start(zone: &str) -> Option<Self> {
        let (Some(named), Some(dig)) = (machine::find_program("named"), machine::find_program("dig")) else {
            assert!(env::var_os("CI").is_none(), "tests with BIND must run in CI");
            machine::say("\nSKIPPED: RFC 2136 against BIND: not installed (apt-get install bind9 bind9-dnsutils)\n");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = machine::free_port();
        let at = folder.path().display();
        let head =
            "$TTL 3600\n@ SOA ns.example.org. master.example.org. 1 3600 600 86400 60\n@ NS ns.elsewhere.example.\n";
        for name in ["example.org", "closed.example"] {
            fs::write(folder.path().join(name), format!("{head}{}", zone.replace("example.org", name))).unwrap();
        }
        let mut text = format!(
            "options {{ directory \"{at}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; pid-file none;\n\
             session-keyfile none; recursion no; dnssec-validation no; notify no; check-names primary ignore; check-integrity no; allow-transfer {{ key relais; }}; }};\ncontrols {{}};\n"
        );
        for key in ["relais", "powerless"] {
            writeln!(text, "key {key} {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};").unwrap();
        }
        for (name, more) in [("example.org", ""), ("closed.example", "allow-transfer { none; };")] {
            let policy = "update-policy { grant relais zonesub ANY; };";
            writeln!(text, "zone {name} {{ type primary; file \"{name}\"; {policy} {more} }};").unwrap();
        }
        let config = folder.path().join("named.conf");
        fs::write(&config, text).unwrap();
        let mut shell = Command::new("sh")
            .args(["-c", KEEPER, "named-keeper"])
            .args([&named, &config])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = shell.stdin.take();
        let mut log = BufReader::new(shell.stderr.take().unwrap());
        let mut said = String::new();
        while !said.trim_end().ends_with("running") {
            let before = said.len();
            assert_ne!(log.read_line(&mut said).unwrap(), 0, "named did not start:\n{said}");
            assert!(said.len() > before);
        }
        // Who doesn't read lets it wait.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Some(Self { _folder: folder, port, dig, shell, pipe })
    }

    pub(crate) fn publisher(&self, key: &str, secret: &str) -> Publisher {
        publisher_at(&format!("127.0.0.1:{}", self.port), key, secret)
    }

    /// The zone as BIND transfers it, without its SOA, whose serial counts the changes.
    fn dump(&self) -> Vec<String> {
        self.dig(&["example.org", "AXFR", "+onesoa"]).into_iter().filter(|line| !line.contains("\tSOA\t")).collect()
    }

    fn dig(&self, question: &[&str]) -> Vec<String> {
        let key = format!("hmac-sha256:relais:{SECRET}");
        let output = Command::new(&self.dig)
            .args(["@127.0.0.1", "-p", &self.port.to_string(), "-y", &key, "+tcp", "+noall", "+answer", "+nottlunits"])
            .args(question)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("failed"), "{text}");
        let is_record = |line: &&str| !line.is_empty() && !line.starts_with(';') && !line.contains("\tANY\tTSIG\t");
        let mut lines: Vec<String> = text.lines().filter(is_record).map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

fn publisher_at(server: &str, key: &str, secret: &str) -> Publisher {
    let values = [("server", server), ("key_name", key), ("secret", secret)];
    let settings: Settings = values.map(|(id, value)| (id.to_owned(), Secret::new(value))).into();
    ProviderKind::Rfc2136.open(&settings, Arc::new(SystemClock), Arc::new(SystemRandom)).unwrap()
}

impl Drop for Named {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            drop(pipe.write_all(b"\n"));
        }
        drop(self.shell.wait());
    }
}

const ZONE: &str = "\
@ MX 10 mx1.elsewhere.example.
@ TXT \"v=spf1 include:elsewhere.example ~all\"
@ TXT \"site-verification=abc\"
@ CAA 0 issue \"other.example\"
mail 7200 A 198.51.100.1
www CNAME mail
";

#[tokio::test]
async fn bind_takes_a_push_and_its_undo() {
    let Some(named) = Named::start(ZONE) else { return };
    let (publisher, before) = (named.publisher("relais", SECRET), named.dump());
    let mut wishes = super::wishes();
    wishes.push(Wish::Exactly(set("_25._tcp.mail.example.org", "TLSA", &[&format!("3 1 1 {}", "ab".repeat(32))])));
    wishes.push(Wish::Exactly(set("www.example.org", "A", &["192.0.2.7"])));
    let plan = publisher.preview("example.org", &wishes).await.unwrap();
    assert_eq!(plan.obstacles.len(), 1, "an alias stands at www");
    assert_eq!(named.dump(), before, "a preview changes nothing");
    let pushed = publisher.push(&plan).await.unwrap();
    assert!(pushed.is_complete(), "{pushed:?}");
    let after = named.dump().join("\n");
    for line in [
        "\tMX\t10 mail.example.org.",
        "\"v=spf1 mx -all\"",
        "\"site-verification=abc\"",
        "993 mail.example.org.",
        "\tTLSA\t3 1 1 ABAB",
    ] {
        assert!(after.contains(line), "{line} in\n{after}");
    }
    assert!(!after.contains("elsewhere.example ~all") && !after.contains("mx1.elsewhere"));
    assert_eq!(publisher.preview("example.org", &wishes).await.unwrap().changes, []);
    assert!(publisher.undo(&pushed.receipt).await.unwrap().is_complete());
    assert_eq!(named.dump(), before);
}

#[tokio::test]
async fn where_bind_gives_no_transfer_it_is_asked() {
    let Some(named) = Named::start(ZONE) else { return };
    let publisher = named.publisher("relais", SECRET);
    let txt = |name: &str| named.dig(&[name, "TXT"]).concat();
    let before = txt("closed.example");
    let spf = Wish::Among { set: set("closed.example", "TXT", &["\"v=spf1 mx -all\""]), tag: "v=spf1".to_owned() };
    let plan = publisher.preview("mail.closed.example", &[spf]).await.unwrap();
    assert_eq!(plan.changes[0].kept(), ["\"site-verification=abc\""]);
    let pushed = publisher.push(&plan).await.unwrap();
    assert!(pushed.is_complete() && txt("closed.example").contains("v=spf1 mx -all"), "{pushed:?}");
    assert!(publisher.undo(&pushed.receipt).await.unwrap().is_complete());
    assert_eq!(txt("closed.example"), before);
}

#[tokio::test]
async fn bind_refuses_a_wrong_key() {
    let Some(named) = Named::start(ZONE) else { return };
    let zone = async |key: &str, secret: &str| named.publisher(key, secret).zone("example.org").await;
    let refused = |said: &str| Err(ProviderError::Refused { said: said.to_owned() });
    assert_eq!(zone("relais", OTHER).await, refused("NotAuth, BadSig"));
    assert_eq!(zone("nobody", SECRET).await, refused("NotAuth, BadKey"));
    assert_eq!(
        named.publisher("relais", SECRET).zone("x.example.net").await,
        Err(ProviderError::NoZone { domain: "x.example.net".to_owned() })
    );
    // It may ask, but not write.
    let (publisher, before) = (named.publisher("powerless", SECRET), named.dump());
    let plan = publisher.preview("example.org", &[spf("v=spf1 mx -all")]).await.unwrap();
    let pushed = publisher.push(&plan).await.unwrap();
    assert_eq!(pushed.error, Some(ProviderError::Refused { said: "Refused".to_owned() }));
    assert_eq!((pushed.receipt.changes.len(), named.dump()), (0, before));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let publisher = publisher_at(&server, "relais", SECRET);
    tokio::time::pause();
    assert_eq!(publisher.zone("example.org").await.unwrap_err(), ProviderError::Timeout);
}

#[tokio::test]
async fn two_writers_take_nothing_from_each_other() {
    let Some(named) = Named::start(ZONE) else { return };
    let (one, other) = (named.publisher("relais", SECRET), named.publisher("relais", SECRET));
    let name = "_acme-challenge.example.org";
    for round in 0..5 {
        let (first, second) = (format!("first{round}"), format!("second{round}"));
        let (first, second) = tokio::join!(one.publish_txt(name, &first), other.publish_txt(name, &second));
        (first.unwrap(), second.unwrap()) as ((), ());
    }
    assert_eq!(named.dig(&[name, "TXT"]).len(), 10);
    for round in 0..5 {
        one.remove_txt(name, &format!("first{round}")).await.unwrap();
    }
    assert_eq!(named.dig(&[name, "TXT"]).len(), 5);
}

/// The update itself says what must stand: who comes between our look and our write loses nothing.
#[tokio::test]
async fn bind_refuses_an_update_of_what_has_changed() {
    let Some(named) = Named::start(ZONE) else { return };
    let proxy = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = proxy.local_addr().unwrap().to_string();
    let intruder = named.publisher("relais", SECRET);
    let upstream = ("127.0.0.1", named.port);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut client, _) = proxy.accept().await.unwrap();
            let mut question = vec![0; usize::from(client.read_u16().await.unwrap())];
            client.read_exact(&mut question).await.unwrap();
            if Message::from_vec(&question).unwrap().op_code == OpCode::Update {
                intruder.publish_txt("example.org", "theirs").await.unwrap();
            }
            let mut server = tokio::net::TcpStream::connect(upstream).await.unwrap();
            server.write_u16(u16::try_from(question.len()).unwrap()).await.unwrap();
            server.write_all(&question).await.unwrap();
            tokio::io::copy_bidirectional(&mut client, &mut server).await.ok();
        }
    });
    let publisher = publisher_at(&at, "relais", SECRET);
    let pushed = push(&publisher, &[spf("v=spf1 mx -all")]).await;
    assert_eq!(pushed.error, Some(ProviderError::Changed { sets: vec!["example.org TXT".to_owned()] }));
    let apex = named.dig(&["example.org", "TXT"]).concat();
    assert!(apex.contains("theirs") && apex.contains("include:elsewhere.example"), "{apex}");
}

/// As at the fakes: whatever stands and is wished for, an undo gives back what was there.
#[test]
fn bind_is_left_as_it_was() {
    let Some(named) = Named::start("") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let publisher = named.publisher("relais", SECRET);
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let case = |(rows, wishes): (Rows, Vec<Wish>)| {
        runtime.block_on(async {
            let exactly = |((name, kind), (_, values)): (&(String, String), &(u32, Vec<String>))| {
                Wish::Exactly(relais_dnscheck::provider::RecordSet::new(name, kind, TTL, values))
            };
            let fill: Vec<Wish> = rows.iter().map(exactly).collect();
            let filled = push(&publisher, &fill).await;
            prop_assert!(filled.is_complete(), "{:?}", filled);
            let before = named.dump();
            let pushed = push(&publisher, &wishes).await;
            prop_assert!(pushed.is_complete(), "{:?}", pushed);
            prop_assert!(publisher.undo(&pushed.receipt).await.unwrap().is_complete());
            prop_assert_eq!(named.dump(), before);
            prop_assert!(publisher.undo(&filled.receipt).await.unwrap().is_complete());
            Ok(())
        })
    };
    runner.run(&(rows(), wishes()), case).unwrap_or_else(|error| panic!("{error}"));
}

/// Whoever answers in the server's place does not know the key.
#[tokio::test]
async fn an_answer_without_the_key_is_not_believed() {
    let forger = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let server = forger.local_addr().unwrap().to_string();
    let forge = async {
        let (mut stream, _) = forger.accept().await.unwrap();
        let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut question).await.unwrap();
        let mut message = Message::from_vec(&question).unwrap();
        message.take_signature();
        message.metadata.message_type = MessageType::Response;
        message.metadata.authoritative = true;
        let soa =
            RData::try_from_str(RecordType::SOA, "ns.example.org. master.example.org. 1 3600 600 86400 60").unwrap();
        message.add_answer(Record::from_rdata(Name::from_ascii("example.org.").unwrap(), 60, soa));
        let answer = message.to_vec().unwrap();
        stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    };
    let publisher = publisher_at(&server, "relais", SECRET);
    let (answer, ()) = tokio::join!(publisher.zone("example.org"), forge);
    assert!(matches!(&answer, Err(ProviderError::Broken(said)) if said.contains("signature")), "{answer:?}");
}
