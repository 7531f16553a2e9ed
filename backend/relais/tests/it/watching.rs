//! Metrics and health.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use relais_testkit::wire::Wire;

use crate::house::House;

impl House {
    /// `GET path` at the watchers' door: status line and body.
    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.server.port("http"))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }
}

/// Each name in docs/metrics.md, and none that isn't there.
#[test]
fn metrics_are_those_of_the_manual() {
    let house = House::open();
    assert_eq!(house.get("/healthz"), ("HTTP/1.1 200 OK".to_owned(), "ok\n".to_owned()));
    let message = b"From: ann@relais.test\r\n\r\nx\r\n";
    let mut ann = house.submitter("ann@relais.test");
    ann.deliver("ann@relais.test", &["ben@relais.test", "x@elsewhere.example"], message).unwrap().must(250).unwrap();
    let mut stranger = house.stranger();
    stranger.command("MAIL FROM:<>").unwrap().must(250).unwrap();
    stranger.command("RCPT TO:<nobody@relais.test>").unwrap().must(550).unwrap();

    let (_, told) = house.get("/metrics");
    for line in [
        "relais_messages_accepted_total{door=\"submission\"} 1",
        "relais_recipients_refused_total{door=\"smtp\"} 1",
        "relais_logins_total{protocol=\"smtp\",outcome=\"granted\"} 1",
        "relais_connections{protocol=\"smtp\"} 1",
        "relais_queue_recipients{state=\"waiting\"} 1",
        "relais_store_commit_seconds_count",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    let manual = include_str!("../../../../docs/metrics.md");
    for line in told.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(manual.contains(&format!("`{name}`")), "docs/metrics.md does not explain {name}");
    }
    assert!(house.get("/").0.contains("404"));
}

/// The same over TLS, under the server's own certificate, and nothing in the clear there.
#[test]
fn health_and_metrics_are_told_over_tls() {
    let house = House::open();
    let ask = |path: &str| {
        let mut wire = Wire::connect(house.server.port("https")).unwrap().into_tls(&house.trust).unwrap();
        wire.send(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let lines = std::iter::from_fn(|| wire.line().ok());
        lines.map(|line| String::from_utf8(line).unwrap() + "\n").collect::<String>()
    };
    let health = ask("/healthz");
    assert!(health.starts_with("HTTP/1.0 200 OK\n") && health.ends_with("\n\nok\n"), "{health}");
    assert!(ask("/metrics").contains("relais_queue_recipients{state=\"waiting\"} 0\n"));
    let mut clear = Wire::connect(house.server.port("https")).unwrap();
    clear.send(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
    assert!(clear.line().is_err());
}

/// Who never shakes hands, and who says half a request, holds up neither others nor the end.
#[test]
fn a_slow_watcher_holds_nobody_up() {
    let house = House::with("\n[limits]\ndrain_seconds = 1\n");
    let door = |name| TcpStream::connect(("127.0.0.1", house.server.port(name))).unwrap();
    let _silent: Vec<TcpStream> = (0..20).map(|_| door("https")).collect();
    let mut half = door("http");
    half.write_all(b"GET /healthz HTT").unwrap();
    let mut https = Wire::connect(house.server.port("https")).unwrap().into_tls(&house.trust).unwrap();
    https.send(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(https.line().unwrap(), b"HTTP/1.0 200 OK");
    let began_at = Instant::now();
    drop(house);
    assert!(began_at.elapsed() < Duration::from_secs(20), "it was waited for");
}
