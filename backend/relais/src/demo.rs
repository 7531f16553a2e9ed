//! `relais demo`: the whole server on loopback, with people and mail in it.

mod dns;
mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use relais_message::format_date;
use relais_model::{Address, Clock as _, Flag, MailboxName, Random as _, SystemClock, SystemFlag, SystemRandom};
use relais_service::{
    Actor, ApiKeyForm, Failure, NewAlias, NewDomain, NewList, NewPerson, Password, Role, Scopes, Via,
};
use relais_store::{Append, Content, Store};
use serde::{Deserialize, Serialize};

use crate::arguments::DemoArguments;
use crate::config::Config;
use crate::dns::quiet_house;
use crate::server::{Alone, Server};
use crate::{certificate, log, private, show};
use dns::SampleDns;
use sample::DemoClock;

/// The demo's domain, of a top level that never leads anywhere (RFC 6761 §6.2).
const DOMAIN: &str = "relais.test";
/// Local part, name, and what they may.
const PEOPLE: [(&str, &str, Role); 4] = [
    ("ann", "Ann Lee", Role::Owner),
    ("ben", "Ben Okafor", Role::DomainAdmin),
    ("chloe", "Chloé Martin", Role::HelpDesk),
    ("david", "David Osei", Role::User),
];
/// A message, how many hours ago it came, and whether it has been read.
const MAIL: [(&str, u64, bool); 5] = [
    (include_str!("demo/newsletter.eml"), 49, true),
    (include_str!("demo/conversation-1.eml"), 26, true),
    (include_str!("demo/conversation-2.eml"), 25, true),
    (include_str!("demo/report.eml"), 3, false),
    (include_str!("demo/welcome.eml"), 0, false),
];
/// Protocols, in the order of their ports.
const PROTOCOLS: [&str; 8] = ["smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "sieve"];

/// What a script learns of a demo.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    accounts: &'a [Person],
    ports: BTreeMap<&'static str, u16>,
    /// Where the panel is.
    panel: String,
    /// Opens the API, as the owner.
    key: String,
    /// LMTP's socket.
    lmtp: PathBuf,
    ca: PathBuf,
    dir: &'a Path,
    config: PathBuf,
}

/// One of the people, with the password made for them; kept, so that a demo goes on where it was left.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Person {
    address: String,
    password: String,
    role: Role,
}

/// Runs it until SIGTERM or Ctrl-C.
pub(crate) async fn run(arguments: DemoArguments) -> Result<()> {
    let (directory, _kept_until_the_end) = directory(arguments.dir.as_deref())?;
    let more = arguments.with.as_deref().map(fs::read_to_string).transpose().context("cannot read --with's file")?;
    let text = configuration(&directory, &arguments, more.as_deref())?;
    let path = directory.join("relais.toml");
    private::write(&path, &text)?;
    let config = Config::load(&path)?;
    let logging = log::start(&config.log)?;
    let (pair, ca) = certificate::demo(&directory)?;
    let clock = Arc::new(DemoClock::default());
    let dns = Arc::<SampleDns>::default();
    let alone = Alone { pairs: vec![pair], resolver: Arc::<SampleDns>::clone(&dns) };
    let mut server = Server::open(&config, Some(alone), Arc::<DemoClock>::clone(&clock)).await?;
    if config.delivery.relays.is_empty() && config.resolver.servers.is_empty() {
        server.keep_mail_here();
    }
    let people = furnish(&server, &directory, (!arguments.bare).then_some(&*clock)).await?;
    let key = own_key(&server, &directory).await?;
    let ready = Ready {
        accounts: &people,
        key,
        panel: format!("https://localhost:{}", ports(arguments.port_base)?.get("panel").copied().unwrap_or_default()),
        ports: ports(arguments.port_base)?,
        lmtp: config.data.join("lmtp.sock"),
        ca,
        dir: &directory,
        config: path,
    };
    let words = if arguments.json { serde_json::to_string(&ready)? + "\n" } else { table(&ready) };
    let sample = (!arguments.bare && config.resolver.servers.is_empty()).then_some(dns);
    if let Some(house) = sample.as_ref().and_then(|sample| sample.house(quiet_house(&config))) {
        server.look_at(house);
    }
    let service = server.service();
    let mut serving = pin!(server.serve(logging, || show::print(&words)));
    if let Some(sample) = sample {
        tokio::select! {
            // What is furnished when the demo ends is furnished anew at its next start.
            ended = &mut serving => return ended,
            furnished = sample.furnish(&service, &[DOMAIN, sample::OTHER_DOMAIN]) => {
                if let Err(failure) = furnished {
                    tracing::warn!(%failure, "the demo's DNS pages stay empty");
                }
            }
        }
    }
    serving.await
}

/// The one that was named, or a temporary one that goes away with the demo.
fn directory(named: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    if let Some(named) = named {
        fs::create_dir_all(named).with_context(|| format!("cannot make {}", named.display()))?;
        return Ok((named.canonicalize()?, None));
    }
    let temporary = tempfile::Builder::new().prefix("relais-demo-").tempdir()?;
    Ok((temporary.path().to_owned(), Some(temporary)))
}

fn ports(base: u16) -> Result<BTreeMap<&'static str, u16>> {
    let names = PROTOCOLS.into_iter().chain(["http", "https", "panel", "panel_plain"]);
    let ports = names.zip(0_u16..).map(|(name, at)| Some((name, base.checked_add(at)?)));
    ports.collect::<Option<_>>().context("--port-base is too high: eleven ports are needed from there on")
}

fn configuration(directory: &Path, arguments: &DemoArguments, more: Option<&str>) -> Result<String> {
    let ports = ports(arguments.port_base)?;
    let data = directory.join("data");
    let level = arguments.log.as_deref().unwrap_or(if arguments.json { "info" } else { "warn" });
    let database = match &arguments.database_from {
        Some(variable) => std::env::var(variable).with_context(|| format!("the environment has no {variable}"))?,
        None => "sqlite".to_owned(),
    };
    let port = |name: &str| ports.get(name).copied().unwrap_or_default();
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let (lmtp, home) = (data.join("lmtp.sock"), quoted(&data.to_string_lossy()));
    let mut pieces = vec![format!("hostname = \"localhost\"\ndata = {home}\ndatabase = {}\n", quoted(&database))];
    let mut listen = |protocol: &str, at: String| {
        pieces.push(format!("\n[[listen]]\nprotocol = \"{protocol}\"\nat = {}\n", quoted(&at)));
    };
    for protocol in PROTOCOLS {
        listen(protocol, format!("127.0.0.1:{}", port(protocol)));
        if has_ipv6() {
            listen(protocol, format!("[::1]:{}", port(protocol)));
        }
    }
    listen("lmtp", format!("unix:{}", lmtp.display()));
    let (http, https) = (port("http"), port("https"));
    pieces.push(format!("\n[operations]\nat = \"127.0.0.1:{http}\"\ntls_at = \"127.0.0.1:{https}\"\n"));
    let (panel, plain) = (port("panel"), port("panel_plain"));
    pieces.push(format!(
        "\n[web]\nat = [{}]\nplain_at = [{}]\norigins = [\"https://localhost:{panel}\"]\n",
        on_loopback(panel),
        on_loopback(plain)
    ));
    pieces.push(format!("\n[log]\nlevel = {}\n", quoted(level)));
    pieces.extend(more.map(str::to_owned));
    Ok(pieces.concat())
}

/// The addresses of this machine alone, as a list of TOML without its brackets.
fn on_loopback(port: u16) -> String {
    let six = if has_ipv6() { format!(", \"[::1]:{port}\"") } else { String::new() };
    format!("\"127.0.0.1:{port}\"{six}")
}

fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

/// Domain, people and mail, where they aren't there yet; with a `clock`, the sample data of every page, too.
async fn furnish(server: &Server, directory: &Path, clock: Option<&DemoClock>) -> Result<Vec<Person>> {
    let path = directory.join("people.json");
    if let Ok(text) = fs::read_to_string(&path) {
        return serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()));
    }
    let (service, owner) = (server.service(), Actor::command_line());
    if let Some(clock) = clock {
        clock.go_back(sample::BEGINS);
    }
    let domain = NewDomain { domain: DOMAIN.to_owned(), ..NewDomain::default() };
    sample::done(service.domains.create(&owner, domain).await)?;
    let mut people = Vec::new();
    for (local_part, name, role) in PEOPLE {
        let person = Person { address: format!("{local_part}@{DOMAIN}"), password: password(), role };
        let domains = matches!(role, Role::HelpDesk | Role::DomainAdmin).then(|| DOMAIN.to_owned());
        let new = NewPerson {
            address: person.address.clone(),
            name: name.to_owned(),
            password: Some(Password::new(person.password.clone())),
            role,
            domains: domains.into_iter().collect(),
            ..NewPerson::default()
        };
        sample::done(service.people.create(&owner, new).await)?;
        send_sample_mail(server.store(), &person.address, name).await?;
        people.push(person);
    }
    let targets = people.iter().map(|person| person.address.clone()).collect();
    sample::done(
        service
            .addresses
            .create(&owner, NewAlias { address: format!("team@{DOMAIN}"), targets, ..NewAlias::default() })
            .await,
    )?;
    let owners = people.iter().take(1).map(|person| person.address.clone()).collect();
    let list = NewList {
        address: format!("news@{DOMAIN}"),
        title: "News of the house".to_owned(),
        owners,
        ..NewList::default()
    };
    sample::done(service.lists.create(&owner, list).await)?;
    if let Some(clock) = clock {
        sample::furnish(&service, server.store(), clock).await?;
    }
    private::write(&path, &serde_json::to_string_pretty(&people)?)?;
    Ok(people)
}

/// The owner's key of the API, made at the first start as if they had asked for it in the panel.
async fn own_key(server: &Server, directory: &Path) -> Result<String> {
    let path = directory.join("api.key");
    if let Ok(key) = fs::read_to_string(&path) {
        return Ok(key);
    }
    let failed = |failure: Failure| anyhow!("the demo's key of the API: {failure}");
    let [(owner, ..), ..] = PEOPLE;
    let address = Address::parse(&format!("{owner}@{DOMAIN}"))?;
    let account = server.store().account(&address).await?.context("the owner was just made")?;
    let owner = Actor { account: Some((account.key, address)), via: Via::Panel, ..Actor::command_line() };
    let scopes = Scopes::parse(["*"]).map_err(failed)?;
    let form = ApiKeyForm { name: "demo".to_owned(), role: Role::Owner, scopes, expires_at: None };
    let key = server.access().create_api_key(&owner, None, form).await.map_err(failed)?.expose().to_owned();
    private::write(&path, &key)?;
    Ok(key)
}

async fn send_sample_mail(store: &Store, to: &str, name: &str) -> Result<()> {
    let address = Address::parse(to)?;
    let account = store.account(&address).await?.context("the account was just made")?;
    let inbox = store.mailbox(account.key, &MailboxName::inbox()).await?.context("each account has an INBOX")?;
    if inbox.messages > 0 {
        return Ok(());
    }
    let now = SystemClock.now();
    let message = |(template, hours_ago, is_seen): (&str, u64, bool)| {
        let at = now.minus(Duration::from_secs(hours_ago * 3600));
        let text = template
            .replace("{domain}", DOMAIN)
            .replace("{name}", name)
            .replace("{to}", to)
            .replace("{n}", address.local_part.as_str())
            .replace("{date}", &format_date(at))
            .replace('\n', "\r\n");
        let flags = is_seen.then_some(Flag::System(SystemFlag::Seen)).into_iter().collect();
        Append { content: Content::prepare(text.into_bytes()), flags, internal_date: Some(at) }
    };
    store.append(inbox.mailbox.key, MAIL.into_iter().map(message).collect()).await?;
    Ok(())
}

/// Sixteen letters that nobody confuses: 80 bits of chance.
fn password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut chance = [0; 16];
    SystemRandom.fill(&mut chance);
    chance.iter().filter_map(|octet| LETTERS.get(usize::from(octet % 32)).copied().map(char::from)).collect()
}

fn table(ready: &Ready<'_>) -> String {
    let port = |name: &str| ready.ports.get(name).copied().unwrap_or_default();
    let people = ready
        .accounts
        .iter()
        .map(|person| vec![person.address.clone(), person.password.clone(), person.role.as_str().replace('_', " ")]);
    let people = show::columns(
        &[["ADDRESS", "PASSWORD", "ROLE"].map(str::to_owned).to_vec()].into_iter().chain(people).collect::<Vec<_>>(),
    );
    let rows = [
        ("IMAP", "imaps", "TLS", "imap", "STARTTLS"),
        ("POP3", "pop3s", "TLS", "pop3", "STLS"),
        ("Submission", "submissions", "TLS", "submission", "STARTTLS"),
    ];
    let mut doors = vec![["FOR", "HOST", "PORT", "OR"].map(str::to_owned).to_vec()];
    for (what, one, how, other, other_how) in rows {
        let (one, other) = (format!("{} ({how})", port(one)), format!("{} ({other_how})", port(other)));
        doors.push(vec![what.to_owned(), "localhost".to_owned(), one, other]);
    }
    let sieve = format!("{} (STARTTLS)", port("sieve"));
    doors.push(vec!["ManageSieve".to_owned(), "localhost".to_owned(), sieve, String::new()]);
    let smtp = format!("{} (STARTTLS)", port("smtp"));
    doors.push(vec!["SMTP, from other hosts".to_owned(), "localhost".to_owned(), smtp, String::new()]);
    let (https, http) = (format!("{} (TLS)", port("https")), port("http").to_string());
    doors.push(vec!["HTTP: /metrics, /healthz".to_owned(), "localhost".to_owned(), https, http]);
    let first = ready.accounts.first();
    let (address, password) = first.map_or(("", ""), |person| (&person.address, &person.password));
    format!(
        "A whole mail server, on this machine only. Its panel: {}\n\nThe people of {DOMAIN}:\n\n{people}\n\
         The log-in name is the address. Mail to team@{DOMAIN} reaches all four.\n\n{}\n\
         Let your mail program trust {}, or try:\n\n  \
         curl --cacert {} --user {address}:{password} imaps://localhost:{}/INBOX?ALL\n\n\
         Ask it with `relais --config {} queue list` (or account list, message trace …). Ctrl-C ends it.\n",
        ready.panel,
        show::columns(&doors),
        ready.ca.display(),
        ready.ca.display(),
        port("imaps"),
        ready.config.display(),
    )
}
