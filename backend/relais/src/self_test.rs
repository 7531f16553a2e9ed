//! Every door of the running server, tried as its guests do: a message through each that takes mail, read at each that gives it.
//!
//! The guest is a person of a domain that nobody else can have (`.invalid`, RFC 2606 §2), made for the occasion over the control
//! socket and removed for good with all mail of theirs, also where a door failed. What is left is the note in the activity, and the steps of the
//! messages' way, as of any mail.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use axum::http::Method;
use data_encoding::{BASE64, HEXLOWER};
use relais_delivery::{Stream, any_certificate};
use relais_maild::{Binding, ListenerConfig, Protocol, TlsMode};
use relais_message::format_date;
use relais_model::{Clock as _, Random as _, SystemClock, SystemRandom};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::certificate::fingerprint;
use crate::config::Config;
use crate::control::{Content, Line};
use crate::show;

/// Where the guest lives meanwhile.
const DOMAIN: &str = "self-test.invalid";
/// For one answer of a door.
const PATIENCE: Duration = Duration::from_secs(30);
/// A line of a door's answer, in octets.
const MAX_LINE: u64 = 64 * 1024;
/// More lines than any answer here has.
const MAX_LINES: usize = 10_000;

/// Tries all doors and tells of each. False: one of them isn't as it should be.
///
/// # Errors
/// No server runs, or the guest could not be made or removed.
pub(crate) async fn run(config: &Config) -> Result<bool> {
    let socket = config.control_socket();
    let asked = UnixStream::connect(&socket).await;
    drop(asked.with_context(|| format!("no server answers at {}: start it first", socket.display()))?);
    let mut line = Line::to(config);
    leave(&mut line).await?;
    let guest = Guest::arrive(&mut line).await;
    let tried = match guest {
        Ok(guest) => try_all(config, &guest).await,
        Err(error) => Err(error),
    };
    let left = leave(&mut line).await;
    line.close().await;
    let is_well = tried?;
    left.map(|()| is_well)
}

/// Removes the guest for good, where there is one.
async fn leave(line: &mut Line<'_>) -> Result<()> {
    let path = format!("/domains/{DOMAIN}?for_good=true");
    match line.ask(Method::DELETE, &path, Content::Nothing).await? {
        Err(problem) if problem.0.get("status").is_none_or(|status| status != 404) => {
            Err(problem).context("the guest of the test cannot be removed")
        }
        _ => Ok(()),
    }
}

/// Who tries.
struct Guest {
    address: String,
    password: String,
}

impl Guest {
    async fn arrive(line: &mut Line<'_>) -> Result<Self> {
        let guest = Self { address: format!("guest@{DOMAIN}"), password: token() };
        let person = json!({ "address": guest.address, "name": "Self-test", "password": guest.password });
        for (path, new) in [("/domains", json!({ "domain": DOMAIN })), ("/people", person)] {
            line.ask(Method::POST, path, Content::Json(new)).await?.context("the test's guest cannot be made")?;
        }
        Ok(guest)
    }
}

fn token() -> String {
    let mut octets = [0; 16];
    SystemRandom.fill(&mut octets);
    HEXLOWER.encode(&octets)
}

/// What a door's trial came to.
enum Tried {
    Well(&'static str),
    /// This machine hasn't what the door needs.
    Absent,
}

/// What is told of all doors.
#[derive(Default)]
struct Told {
    well: usize,
    wrong: usize,
}

impl Told {
    fn tell(&mut self, name: &str, at: &str, outcome: &Result<Tried>) -> Result<()> {
        let (mark, words) = match outcome {
            Ok(Tried::Well(words)) => ("ok", (*words).to_owned()),
            Ok(Tried::Absent) => ("skip", "this machine has no IPv6".to_owned()),
            Err(error) => ("FAIL", format!("{error:#}")),
        };
        self.well += usize::from(mark == "ok");
        self.wrong += usize::from(mark == "FAIL");
        show::print(&format!("{mark:4} {name:11} {at:20} {words}\n"))
    }
}

async fn try_all(config: &Config, guest: &Guest) -> Result<bool> {
    let mut trial = Trial::new(config, guest)?;
    let mut told = Told::default();
    let (readers, takers): (Vec<_>, Vec<_>) = config
        .listeners()
        .into_iter()
        .partition(|door| matches!(door.protocol, Protocol::Imap | Protocol::Pop3 | Protocol::Sieve));
    for door in takers.iter().chain(&readers) {
        let name = match (door.protocol, door.tls) {
            (Protocol::Submission, TlsMode::Implicit) => "submissions",
            (Protocol::Imap, TlsMode::Implicit) => "imaps",
            (Protocol::Pop3, TlsMode::Implicit) => "pop3s",
            (protocol, _) => protocol.as_str(),
        };
        told.tell(name, &door.binding.to_string(), &trial.mail(door).await)?;
    }
    let pages = &config.web;
    for (name, doors, is_tls, path, status) in [
        ("https", pages.at.clone(), true, "/api/v1/openapi.json", "200"),
        ("http", pages.plain_at.clone(), false, "/", "308"),
        ("healthz", config.operations.at.into_iter().collect(), false, "/healthz", "200"),
        ("healthz", config.operations.tls_at.into_iter().collect(), true, "/healthz", "200"),
    ] {
        for address in doors {
            told.tell(name, &address.to_string(), &trial.page(address, is_tls, path, status).await)?;
        }
    }
    for certificate in &trial.certificates {
        show::print(&format!("certificate SHA-256 {certificate}\n"))?;
    }
    show::print(&format!("{} doors are well, {} are not\n", told.well, told.wrong))?;
    Ok(told.wrong == 0)
}

/// All doors of one house.
struct Trial<'a> {
    guest: &'a Guest,
    host: String,
    tls: TlsConnector,
    server_name: ServerName<'static>,
    /// Subjects of what was taken; each is to be found at each door that gives mail.
    sent: Vec<String>,
    /// SHA-256 of what was shown.
    certificates: BTreeSet<String>,
}

impl<'a> Trial<'a> {
    fn new(config: &Config, guest: &'a Guest) -> Result<Self> {
        Ok(Self {
            guest,
            host: config.hostname.as_str().to_owned(),
            tls: TlsConnector::from(Arc::new(any_certificate()?)),
            server_name: ServerName::try_from(config.hostname.as_str().to_owned())?,
            sent: Vec::new(),
            certificates: BTreeSet::new(),
        })
    }

    async fn mail(&mut self, door: &ListenerConfig) -> Result<Tried> {
        let stream: Box<dyn Stream> = match &door.binding {
            Binding::Tcp(address) => match connect(*address).await? {
                Some(stream) => Box::new(stream),
                None => return Ok(Tried::Absent),
            },
            Binding::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        let mut talk = Talk::over(stream);
        if door.proxy {
            // The PROXY protocol, version 1: no news of where we come from.
            talk.say("PROXY UNKNOWN").await?;
        }
        if door.tls == TlsMode::Implicit {
            talk = self.secure(talk).await?;
        }
        match door.protocol {
            Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => self.hand_in(talk, door).await,
            Protocol::Imap => self.read_imap(talk, door).await,
            Protocol::Pop3 => self.read_pop3(talk, door).await,
            Protocol::Sieve => self.list_scripts(talk, door).await,
        }
    }

    async fn hand_in(&mut self, mut talk: Talk, door: &ListenerConfig) -> Result<Tried> {
        let hello = if door.protocol == Protocol::Lmtp { "LHLO localhost" } else { "EHLO localhost" };
        talk.reply("220").await?;
        talk.ask(hello, "250").await?;
        if door.tls == TlsMode::StartTls {
            talk.ask("STARTTLS", "220").await?;
            talk = self.secure(talk).await?;
            talk.ask(hello, "250").await?;
        }
        let Guest { address, password } = self.guest;
        if door.protocol == Protocol::Submission {
            let plain = BASE64.encode(format!("\0{address}\0{password}").as_bytes());
            talk.ask(&format!("AUTH PLAIN {plain}"), "235").await?;
        }
        let subject = token();
        talk.ask(&format!("MAIL FROM:<{address}>"), "250").await?;
        talk.ask(&format!("RCPT TO:<{address}>"), "250").await?;
        talk.ask("DATA", "354").await?;
        let date = format_date(SystemClock.now());
        let header = format!("Date: {date}\r\nFrom: <{address}>\r\nTo: <{address}>\r\nSubject: {subject}");
        talk.ask(
            &format!("{header}\r\nMessage-ID: <{subject}@{DOMAIN}>\r\n\r\nA message of the self-test.\r\n."),
            "250",
        )
        .await?;
        talk.ask("QUIT", "221").await?;
        self.sent.push(subject);
        Ok(Tried::Well("took a message"))
    }

    async fn read_imap(&mut self, mut talk: Talk, door: &ListenerConfig) -> Result<Tried> {
        talk.answer("* OK").await?;
        if door.tls == TlsMode::StartTls {
            talk.say("a STARTTLS").await?;
            talk.answer("a OK").await?;
            talk = self.secure(talk).await?;
        }
        talk.say(&format!("a LOGIN {} {}", self.guest.address, self.guest.password)).await?;
        talk.answer("a OK").await?;
        talk.say("a SELECT INBOX").await?;
        talk.answer("a OK").await?;
        talk.say("a FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]").await?;
        let lines = talk.answer("a OK").await?;
        talk.say("a LOGOUT").await?;
        self.find_all(&lines)
    }

    async fn read_pop3(&mut self, mut talk: Talk, door: &ListenerConfig) -> Result<Tried> {
        talk.answer("+OK").await?;
        if door.tls == TlsMode::StartTls {
            talk.ask("STLS", "+OK").await?;
            talk = self.secure(talk).await?;
        }
        talk.ask(&format!("USER {}", self.guest.address), "+OK").await?;
        talk.ask(&format!("PASS {}", self.guest.password), "+OK").await?;
        let mut lines = Vec::new();
        for number in 1..=self.sent.len() {
            talk.ask(&format!("TOP {number} 0"), "+OK").await?;
            lines.extend(talk.lines_until(|line| line == ".").await?);
        }
        talk.ask("QUIT", "+OK").await?;
        self.find_all(&lines)
    }

    async fn list_scripts(&mut self, mut talk: Talk, door: &ListenerConfig) -> Result<Tried> {
        talk.answer("OK").await?;
        if door.tls == TlsMode::StartTls {
            talk.ask("STARTTLS", "OK").await?;
            talk = self.secure(talk).await?;
            talk.answer("OK").await?;
        }
        let plain = format!("\0{}\0{}", self.guest.address, self.guest.password);
        talk.ask(&format!("AUTHENTICATE \"PLAIN\" \"{}\"", BASE64.encode(plain.as_bytes())), "OK").await?;
        talk.ask("LISTSCRIPTS", "OK").await?;
        talk.ask("LOGOUT", "OK").await?;
        Ok(Tried::Well("lists scripts"))
    }

    fn find_all(&self, lines: &[String]) -> Result<Tried> {
        let is_there = |subject: &&String| lines.iter().any(|line| line.contains(subject.as_str()));
        let found = self.sent.iter().filter(is_there).count();
        ensure!(!self.sent.is_empty(), "no door took a message that could be read here");
        ensure!(found == self.sent.len(), "gives {found} of the {} messages that were taken", self.sent.len());
        Ok(Tried::Well("gives all that was taken"))
    }

    async fn page(&mut self, address: SocketAddr, is_tls: bool, path: &str, status: &str) -> Result<Tried> {
        let Some(stream) = connect(address).await? else { return Ok(Tried::Absent) };
        let mut talk = Talk::over(Box::new(stream));
        if is_tls {
            talk = self.secure(talk).await?;
        }
        talk.say(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host)).await?;
        let first = talk.line().await?;
        ensure!(first.split(' ').nth(1) == Some(status), "answers `{first}` to GET {path}");
        Ok(Tried::Well("answers"))
    }

    /// Goes over to TLS. Any certificate will do: which one it was is told.
    async fn secure(&mut self, talk: Talk) -> Result<Talk> {
        let handshake = self.tls.connect(self.server_name.clone(), talk.into_stream()?);
        let stream = timeout(PATIENCE, handshake).await.context("no TLS handshake in time")?.context("TLS")?;
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(<[_]>::first).context("no certificate is shown")?;
        self.certificates.insert(fingerprint(shown));
        Ok(Talk::over(Box::new(stream)))
    }
}

/// None: IPv6, which this machine doesn't have.
async fn connect(address: SocketAddr) -> Result<Option<TcpStream>> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let connected =
        timeout(PATIENCE, TcpStream::connect((ip, address.port()))).await.context("no connection in time")?;
    match connected {
        Ok(stream) => Ok(Some(stream)),
        Err(error)
            if ip.is_ipv6() && matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::NetworkUnreachable) =>
        {
            Ok(None)
        }
        Err(error) => Err(error).context("nobody answers"),
    }
}

/// Lines said and heard.
struct Talk {
    stream: BufReader<Box<dyn Stream>>,
}

impl Talk {
    fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    fn into_stream(self) -> Result<Box<dyn Stream>> {
        ensure!(self.stream.buffer().is_empty(), "octets in the clear stand before the handshake");
        Ok(self.stream.into_inner())
    }

    async fn say(&mut self, words: &str) -> Result<()> {
        let sent = async {
            self.stream.write_all(format!("{words}\r\n").as_bytes()).await?;
            self.stream.flush().await
        };
        Ok(timeout(PATIENCE, sent).await.context("takes nothing more")??)
    }

    async fn line(&mut self) -> Result<String> {
        let mut octets = Vec::new();
        let mut limited = (&mut self.stream).take(MAX_LINE);
        timeout(PATIENCE, limited.read_until(b'\n', &mut octets)).await.context("no answer in time")??;
        ensure!(octets.ends_with(b"\n"), "the connection was closed");
        Ok(String::from_utf8_lossy(&octets).trim_end().to_owned())
    }

    async fn lines_until(&mut self, is_last: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        while lines.len() < MAX_LINES {
            lines.push(self.line().await?);
            if lines.last().is_some_and(|line| is_last(line)) {
                return Ok(lines);
            }
        }
        bail!("the answer has no end")
    }

    /// An SMTP or POP3 answer's last line, which must begin with `expected`; the words that were said stay untold, for they may be a password.
    async fn ask(&mut self, words: &str, expected: &str) -> Result<()> {
        self.say(words).await?;
        let verb = words.split([' ', '\r']).next().unwrap_or_default();
        self.reply(expected).await.with_context(|| verb.to_owned())
    }

    async fn reply(&mut self, expected: &str) -> Result<()> {
        let lines = self.lines_until(|line| line.as_bytes().get(3) != Some(&b'-')).await?;
        let last = lines.last().map(String::as_str).unwrap_or_default();
        ensure!(last.starts_with(expected), "{last}");
        Ok(())
    }

    /// All lines up to the one that begins as `expected` does, which must go on so.
    async fn answer(&mut self, expected: &str) -> Result<Vec<String>> {
        let tag = expected.split_inclusive(' ').next().unwrap_or_default();
        let lines = self.lines_until(|line| line.starts_with(tag) || line.starts_with("* BYE")).await?;
        let last = lines.last().map(String::as_str).unwrap_or_default();
        ensure!(last.starts_with(expected), "{last}");
        Ok(lines)
    }
}
