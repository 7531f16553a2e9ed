//! Programs that aren't ours are asked about what comes in and what goes out. They stand here as sockets that answer by rote; the real
//! ones are driven by `cargo xtask peers`: `--only` knows them as clamav, rspamd and opendkim.

use relais_store::{Author, RuleScope};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::desk::{Desk, by_ann, from_outside};

const BEN: &[&str] = &["ben@example.org"];
const AWAY: &[&str] = &["away@example.org"];
const PLAIN: &str =
    "From: Ann <ann@example.org>\r\nX-Relais-Filters: clamav=clean\r\nSubject: hello\r\n\r\nThe body.\r\n";

/// Serves until it is dropped.
struct Peer {
    at: String,
    _serving: JoinSet<()>,
}

impl Peer {
    fn new(at: String, serves: impl Future<Output = ()> + Send + 'static) -> Self {
        let mut serving = JoinSet::new();
        serving.spawn(serves);
        Self { at, _serving: serving }
    }
}

/// A filter that hears until `ends` comes, says `answer`, and hangs up; for as many as come.
async fn filter(ends: &'static [u8], answer: &'static [u8]) -> Peer {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = door.local_addr().unwrap().to_string();
    Peer::new(at, async move {
        while let Ok((mut stream, _)) = door.accept().await {
            let mut heard = Vec::new();
            while !heard.ends_with(ends) && stream.read_buf(&mut heard).await.unwrap() > 0 {}
            stream.write_all(answer).await.unwrap();
        }
    })
}

/// Where nobody listens.
async fn nowhere() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

async fn clamd(answer: &'static [u8]) -> Peer {
    filter(&[0; 4], answer).await
}

async fn rspamd(answer: &'static [u8]) -> Peer {
    filter(b"The body.\r\n", answer).await
}

/// A milter that hears of the end alone, and answers it so.
async fn milter(answer: &'static [u8]) -> Peer {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = door.local_addr().unwrap().to_string();
    Peer::new(at, async move {
        while let Ok((mut stream, _)) = door.accept().await {
            let mut heard = vec![0; 17];
            stream.read_exact(&mut heard).await.unwrap();
            stream.write_all(b"\0\0\0\x0dO\0\0\0\x06\0\0\0\x31\0\0\x02\x7f").await.unwrap();
            heard.clear();
            while !heard.ends_with(b"\0\0\0\x01E") && stream.read_buf(&mut heard).await.unwrap() > 0 {}
            stream.write_all(answer).await.unwrap();
        }
    })
}

async fn desk(settings: &[(&str, &str)]) -> Desk {
    let desk = Desk::open().await;
    set(&desk, settings).await;
    desk
}

async fn set(desk: &Desk, settings: &[(&str, &str)]) {
    for (name, value) in settings {
        desk.house.store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
    }
}

/// What came to Ben: in INBOX, in Junk.
async fn came(desk: &Desk) -> (Vec<String>, Vec<String>) {
    (desk.mail("ben@example.org", "INBOX").await, desk.mail("ben@example.org", "Junk").await)
}

#[tokio::test]
async fn a_virus_is_refused_or_put_aside_and_never_passed_on() {
    let peer = clamd(b"stream: Eicar FOUND\0").await;
    let desk = desk(&[("filters.clamd", &peer.at)]).await;
    let stranger = from_outside("x@elsewhere.example", BEN);
    assert_eq!(desk.send(&stranger, PLAIN).await, ["554 5.7.1"]);
    assert_eq!(desk.send(&by_ann("ann@example.org", BEN), PLAIN).await, ["554 5.7.1"]);
    // In force at once.
    set(&desk, &[("filters.virus", "junk")]).await;
    assert_eq!(desk.send(&stranger, PLAIN).await, ["250 2.0.0"]);
    assert_eq!(desk.send(&by_ann("ann@example.org", BEN), PLAIN).await, ["554 5.7.1"]);
    assert_eq!(desk.send(&from_outside("x@elsewhere.example", AWAY), PLAIN).await, ["554 5.7.1"]);
    let (inbox, junk) = came(&desk).await;
    assert_eq!((inbox.len(), junk.len()), (0, 1));
    assert!(junk[0].contains("\r\nX-Relais-Filters: clamav=virus name=\"Eicar\"\r\nFrom: "), "{}", junk[0]);
    set(&desk, &[("filters.clamd", "")]).await;
    assert_eq!(desk.send(&by_ann("ann@example.org", BEN), PLAIN).await, ["250 2.0.0"]);
}

/// RFC 5235 §3.2: a script hears of a virus what ClamAV found, and nothing where it didn't look.
#[tokio::test]
async fn scripts_know_what_was_found_of_viruses() {
    let text = "require [\"virustest\", \"fileinto\", \"relational\", \"comparator-i;ascii-numeric\"];\r\n\
        if virustest :value \"eq\" :comparator \"i;ascii-numeric\" \"1\" { fileinto \"Archive\"; }\r\n\
        elsif virustest :value \"eq\" :comparator \"i;ascii-numeric\" \"5\" { fileinto \"Trash\"; }";
    let stranger = from_outside("x@elsewhere.example", BEN);
    for (answer, filed) in
        [(Some(&b"stream: OK\0"[..]), "Archive"), (Some(b"stream: Eicar FOUND\0"), "Trash"), (None, "INBOX")]
    {
        let peer = clamd(answer.unwrap_or_default()).await;
        let at = if answer.is_some() { peer.at.as_str() } else { "" };
        let desk = desk(&[("filters.clamd", at), ("filters.virus", "junk")]).await;
        let (store, account) = (&desk.house.store, desk.identity("ben@example.org").await.account);
        store.put_sieve_script(&Author::house(), RuleScope::Account(account), "own", text).await.unwrap();
        store.activate_sieve_script(&Author::house(), account, Some("own")).await.unwrap();
        assert_eq!(desk.send(&stranger, PLAIN).await, ["250 2.0.0"], "{filed}");
        assert_eq!(desk.mail("ben@example.org", filed).await.len(), 1, "{filed}");
    }
}

#[tokio::test]
async fn what_is_down_defers_or_is_passed_by_with_a_mark() {
    let at = nowhere().await;
    let desk = desk(&[("filters.clamd", &at), ("filters.milters", &at), ("filters.clamd_down", "pass")]).await;
    let stranger = from_outside("x@elsewhere.example", BEN);
    assert_eq!(desk.send(&stranger, PLAIN).await, ["451 4.7.1"]);
    set(&desk, &[("filters.milters_down", "pass")]).await;
    assert_eq!(desk.send(&stranger, PLAIN).await, ["250 2.0.0"]);
    let (inbox, _) = came(&desk).await;
    assert!(inbox[0].contains("X-Relais-Filters: clamav=unanswered;\r\n\tmilter=unanswered\r\nFrom: "), "{}", inbox[0]);
    // Too large is no fault of theirs.
    set(&desk, &[("filters.milters_down", "defer"), ("filters.message_octets", "64 KiB")]).await;
    let large = format!("{PLAIN}{}", "A line of the body.\r\n".repeat(4000));
    assert_eq!(desk.send(&stranger, &large).await, ["250 2.0.0"]);
    let found = came(&desk).await.0.pop().unwrap();
    assert!(found.contains("X-Relais-Filters: clamav=too-large;\r\n\tmilter=too-large\r\n"), "{}", &found[..600]);
}

#[tokio::test]
async fn rspamd_speaks_of_what_comes_in() {
    let clean = clamd(b"stream: OK\0").await;
    for (body, reply, inbox, junk) in [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{\"action\":\"no action\",\"score\":0.5}".as_slice(),
            "250 2.0.0",
            1,
            0,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\n{\"action\":\"add header\",\"score\":7.5}", "250 2.0.0", 0, 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n{\"action\":\"greylist\",\"score\":4.5}", "451 4.7.1", 0, 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"action\":\"reject\",\"score\":20}", "554 5.7.1", 0, 0),
        // What can't be understood is no answer, and by default none is needed.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "250 2.0.0", 1, 0),
    ] {
        let peer = rspamd(body).await;
        let desk = desk(&[("filters.clamd", &clean.at), ("filters.rspamd", &peer.at)]).await;
        assert_eq!(
            desk.send(&from_outside("x@elsewhere.example", BEN), PLAIN).await,
            [reply],
            "{}",
            body.escape_ascii()
        );
        let (in_inbox, in_junk) = came(&desk).await;
        assert_eq!((in_inbox.len(), in_junk.len()), (inbox, junk), "{}", body.escape_ascii());
        // It isn't asked about our people's.
        assert_eq!(desk.send(&by_ann("ann@example.org", BEN), PLAIN).await, ["250 2.0.0"]);
    }
}

#[tokio::test]
async fn milters_refuse_put_aside_and_change() {
    for (answer, reply, from_ann, inbox, junk) in [
        (b"\0\0\0\x01c".as_slice(), "250 2.0.0", "250 2.0.0", 2, 0),
        (b"\0\0\0\x01r", "550 5.7.1", "550 5.7.1", 0, 0),
        (b"\0\0\0\x01t", "451 4.7.1", "451 4.7.1", 0, 0),
        (b"\0\0\0\x01d", "250 2.0.0", "554 5.7.1", 0, 1),
        (b"\0\0\0\x05qodd\0\0\0\0\x01c", "250 2.0.0", "554 5.7.1", 0, 1),
        (b"\0\0\0\x10y452 4.2.2 Full\0", "452 4.2.2", "452 4.2.2", 0, 0),
    ] {
        let peer = milter(answer).await;
        let desk = desk(&[("filters.milters", &peer.at)]).await;
        let says = answer.escape_ascii();
        assert_eq!(desk.send(&from_outside("x@elsewhere.example", BEN), PLAIN).await, [reply], "{says}");
        assert_eq!(desk.send(&by_ann("ann@example.org", BEN), PLAIN).await, [from_ann], "{says}");
        let (in_inbox, in_junk) = came(&desk).await;
        assert_eq!((in_inbox.len(), in_junk.len()), (inbox, junk), "{says}");
    }
    let peer = milter(b"\0\0\0\x07hX-A\0b\0\0\0\0\x0fm\0\0\0\x01Subject\0x\0\0\0\0\x01c").await;
    let desk = desk(&[("filters.milters", &peer.at)]).await;
    assert_eq!(desk.send(&from_outside("x@elsewhere.example", BEN), PLAIN).await, ["250 2.0.0"]);
    let found = came(&desk).await.0.pop().unwrap();
    let expected =
        "\r\nX-Relais-Filters: milter=pass\r\nFrom: Ann <ann@example.org>\r\nSubject: x\r\nX-A: b\r\n\r\nThe body.\r\n";
    assert!(
        found.ends_with(expected)
            && found.starts_with("Return-Path: <x@elsewhere.example>\r\nDelivered-To: ben@example.org\r\nReceived: "),
        "{found}"
    );
}
