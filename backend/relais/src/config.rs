//! The bootstrap file, `relais.toml`: what must be known before the database opens. `docs/configuration.md` is its manual;
//! a test keeps the two in step.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use relais_maild::{Binding, Limits, ListenerConfig, Protocol, TlsMode};
use relais_model::{Domain, Secret};
use relais_store::{DatabaseUrl, Settings};
use serde::Deserialize;

/// Where the file is looked for where nothing else is said.
pub(crate) const DEFAULT_PATH: &str = "/etc/relais/relais.toml";

/// Where DNS servers listen that are named without a port (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// The whole file.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The host's own name.
    #[serde(deserialize_with = "domain")]
    pub(crate) hostname: Domain,
    /// Where everything that must be kept is kept.
    pub(crate) data: PathBuf,
    /// `sqlite`, or a `postgres://` URL, with its password.
    #[serde(default = "sqlite", deserialize_with = "database")]
    pub(crate) database: Secret,
    #[serde(default)]
    pub(crate) blobs: Blobs,
    #[serde(default)]
    pub(crate) listen: Vec<Listen>,
    #[serde(default)]
    pub(crate) tls: Tls,
    #[serde(default)]
    pub(crate) resolver: Resolver,
    #[serde(default)]
    pub(crate) operations: Operations,
    #[serde(default)]
    pub(crate) web: WebSection,
    #[serde(default)]
    pub(crate) log: Log,
    #[serde(default)]
    pub(crate) login: LoginSection,
    #[serde(default)]
    pub(crate) limits: LimitsSection,
    #[serde(default)]
    pub(crate) delivery: Delivery,
    #[serde(skip)]
    path: PathBuf,
}

fn sqlite() -> Secret {
    Secret::new("sqlite")
}

fn domain<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Domain, D::Error> {
    let text = String::deserialize(deserializer)?;
    let domain = Domain::parse(&text).map_err(serde::de::Error::custom)?;
    if domain.is_literal() {
        return Err(serde::de::Error::custom("`hostname` must be a name like mx.example.org, not an address"));
    }
    Ok(domain)
}

fn database<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text != "sqlite" && !matches!(DatabaseUrl::parse(&text), Ok(DatabaseUrl::Postgres(_))) {
        return Err(serde::de::Error::custom("`database` is `sqlite` or a URL that begins with postgres://"));
    }
    Ok(Secret::new(text))
}

/// Messages' bodies.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Blobs {
    /// Larger ones are files below `directory`.
    pub(crate) inline_octets: u64,
    /// By default `objects` in the data directory.
    pub(crate) directory: Option<PathBuf>,
}

impl Default for Blobs {
    fn default() -> Self {
        Self { inline_octets: 256 * 1024, directory: None }
    }
}

/// One `[[listen]]`.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(try_from = "ListenKeys")]
pub(crate) struct Listen(ListenerConfig);

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenKeys {
    /// What is spoken.
    pub(crate) protocol: ListenProtocol,
    /// `ADDRESS:PORT`, or `unix:PATH`.
    pub(crate) at: String,
    #[serde(default)]
    pub(crate) proxy: bool,
    #[serde(default)]
    pub(crate) plain_login: bool,
}

impl TryFrom<ListenKeys> for Listen {
    type Error = String;

    fn try_from(keys: ListenKeys) -> Result<Self, String> {
        keys.config().map(Self).map_err(|error| format!("{error:#}"))
    }
}

/// The names that a `[[listen]]` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ListenProtocol {
    Smtp,
    Submission,
    Submissions,
    Lmtp,
    Imap,
    Imaps,
    Pop3,
    Pop3s,
    Sieve,
}

/// `[tls]`.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    /// None: a self-signed one is made in the data directory.
    pub(crate) certificates: Vec<CertificateFiles>,
    /// PEM: CAs to trust beside the public ones: where an ACME directory is asked, where our own doors are looked at, and where mail goes.
    pub(crate) extra_roots: Option<PathBuf>,
}

/// One pair of PEM files.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateFiles {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

/// `[resolver]`.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Resolver {
    /// None: those of the host (`/etc/resolv.conf`).
    pub(crate) servers: Vec<NameServer>,
    /// Where checks find zones' own servers, for labs. None: 53.
    pub(crate) server_port: Option<u16>,
    /// A file of DNSKEY records from which checks and delivery prove answers, for labs; with `servers` alone. None: the internet's root.
    pub(crate) trust_anchor: Option<PathBuf>,
}

/// `ADDRESS`, at DNS's port, or `ADDRESS:PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct NameServer(pub(crate) SocketAddr);

impl TryFrom<String> for NameServer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let at_dns_port = text.parse().map(|address: IpAddr| SocketAddr::new(address, DNS_PORT));
        let server = at_dns_port.or_else(|_| text.parse());
        server.map(Self).map_err(|_| format!("`{text}` is neither ADDRESS nor ADDRESS:PORT"))
    }
}

/// `[operations]`: metrics and health, on loopback only, for nobody logs in there. An empty address: nowhere.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Operations {
    /// Where `/metrics` and `/healthz` answer in the clear.
    #[serde(deserialize_with = "loopback")]
    pub(crate) at: Option<SocketAddr>,
    /// Where they answer over TLS.
    #[serde(deserialize_with = "loopback")]
    pub(crate) tls_at: Option<SocketAddr>,
}

impl Default for Operations {
    fn default() -> Self {
        Self { at: Some(SocketAddr::from(([127, 0, 0, 1], 9025))), tls_at: None }
    }
}

fn loopback<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |why: &str| serde::de::Error::custom(format!("[operations] `{text}` {why}"));
    let address: SocketAddr = text.parse().map_err(|_| wrong("is not ADDRESS:PORT"))?;
    if !address.ip().is_loopback() {
        return Err(wrong("is no loopback address, and nobody logs in there"));
    }
    Ok(Some(address))
}

/// `[web]`: panel and API. Empty lists: nowhere.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebSection {
    /// Where they are served, over TLS.
    pub(crate) at: Vec<SocketAddr>,
    /// Where plain HTTP is answered, by the way to HTTPS.
    pub(crate) plain_at: Vec<SocketAddr>,
    /// Other names and ports that browsers know this host by, as `https://name:port`: passkeys are bound to them.
    pub(crate) origins: Vec<String>,
}

impl Default for WebSection {
    fn default() -> Self {
        Self { at: everywhere(443).to_vec(), plain_at: everywhere(80).to_vec(), origins: Vec::new() }
    }
}

/// All IPv4 and all IPv6 addresses of the host.
fn everywhere(port: u16) -> [SocketAddr; 2] {
    [SocketAddr::from(([0, 0, 0, 0], port)), SocketAddr::from(([0_u16; 8], port))]
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// `info`, or a filter like `info,relais_delivery=debug`.
    #[serde(deserialize_with = "level")]
    pub(crate) level: String,
    /// `text` or `json`.
    pub(crate) format: LogFormat,
}

fn level<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match crate::log::filter(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(serde::de::Error::custom(format!("{error:#}"))),
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// `[login]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LoginSection {
    /// Whether SCRAM is offered, which takes app passwords only.
    pub(crate) scram: bool,
}

impl Default for LoginSection {
    fn default() -> Self {
        Self { scram: true }
    }
}

/// `[limits]`: each absent key keeps its default.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsSection {
    connections: Option<usize>,
    connections_per_address: Option<usize>,
    connections_per_account: Option<usize>,
    message_octets: Option<u64>,
    recipients: Option<usize>,
    transactions: Option<usize>,
    handshake_seconds: Option<u64>,
    smtp_idle_seconds: Option<u64>,
    smtp_session_seconds: Option<u64>,
    login_idle_seconds: Option<u64>,
    imap_idle_seconds: Option<u64>,
    imap_unauthenticate: Option<bool>,
    pop3_idle_seconds: Option<u64>,
    write_stall_seconds: Option<u64>,
    drain_seconds: Option<u64>,
    /// Below so much free space in the data directory new mail is put off (452).
    free_octets: Option<u64>,
}

/// With less free space new mail is put off, where the configuration says nothing else.
const FREE_OCTETS: u64 = 100 * 1024 * 1024;

impl LimitsSection {
    /// Below so much free space in the data directory new mail is put off.
    pub(crate) fn free_octets(&self) -> u64 {
        self.free_octets.unwrap_or(FREE_OCTETS)
    }

    /// With the defaults filled in.
    pub(crate) fn for_doors(&self) -> Limits {
        let default = Limits::default();
        let seconds = |given: Option<u64>, default: Duration| given.map_or(default, Duration::from_secs);
        Limits {
            connections: self.connections.unwrap_or(default.connections),
            connections_per_address: self.connections_per_address.unwrap_or(default.connections_per_address),
            connections_per_account: self.connections_per_account.unwrap_or(default.connections_per_account),
            message_octets: self.message_octets.unwrap_or(default.message_octets),
            recipients: self.recipients.unwrap_or(default.recipients),
            transactions: self.transactions.unwrap_or(default.transactions),
            handshake: seconds(self.handshake_seconds, default.handshake),
            smtp_idle: seconds(self.smtp_idle_seconds, default.smtp_idle),
            smtp_session: seconds(self.smtp_session_seconds, default.smtp_session),
            login_idle: seconds(self.login_idle_seconds, default.login_idle),
            imap_idle: seconds(self.imap_idle_seconds, default.imap_idle),
            imap_unauthenticate: self.imap_unauthenticate.unwrap_or(default.imap_unauthenticate),
            imap_progress: default.imap_progress,
            imap_messages: default.imap_messages,
            pop3_idle: seconds(self.pop3_idle_seconds, default.pop3_idle),
            write_stall: seconds(self.write_stall_seconds, default.write_stall),
            drain: seconds(self.drain_seconds, default.drain),
        }
    }
}

/// `[delivery]`: mail to other hosts.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Delivery {
    /// MX hosts are met at this port.
    pub(crate) port: u16,
    /// Connections out at once.
    pub(crate) connections: Option<usize>,
    /// Connections at once to one destination.
    pub(crate) connections_per_destination: Option<usize>,
    /// How long a message is tried.
    pub(crate) give_up_hours: Option<u64>,
    /// When the sender is first told of a delay.
    pub(crate) delay_notice_hours: Option<u64>,
    /// Source address of connections out.
    pub(crate) source: Option<IpAddr>,
    /// Relays (smart hosts); the first that fits is taken.
    #[serde(rename = "relay")]
    pub(crate) relays: Vec<Relay>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            port: 25,
            connections: None,
            connections_per_destination: None,
            give_up_hours: None,
            delay_notice_hours: None,
            source: None,
            relays: Vec::new(),
        }
    }
}

/// One `[[delivery.relay]]`.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(try_from = "RelayKeys")]
pub(crate) struct Relay {
    pub(crate) host: Domain,
    pub(crate) port: u16,
    pub(crate) sender_domains: Vec<Domain>,
    pub(crate) destinations: Vec<Domain>,
    pub(crate) tls: RelayTls,
    /// With `password_file`, or neither.
    pub(crate) username: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
}

/// Its keys.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayKeys {
    /// `HOST:PORT`.
    pub(crate) host: String,
    /// Only mail of senders in these domains; none: of all.
    #[serde(default)]
    pub(crate) sender_domains: Vec<String>,
    /// Only mail to these domains; none: to all.
    #[serde(default)]
    pub(crate) destinations: Vec<String>,
    #[serde(default)]
    pub(crate) tls: RelayTls,
    pub(crate) username: Option<String>,
    /// A file that holds the password alone, so that it stands in no configuration.
    pub(crate) password_file: Option<PathBuf>,
}

impl TryFrom<RelayKeys> for Relay {
    type Error = String;

    fn try_from(keys: RelayKeys) -> Result<Self, String> {
        keys.relay().map_err(|error| format!("[[delivery.relay]] {error:#}"))
    }
}

impl RelayKeys {
    fn relay(self) -> Result<Relay> {
        let wrong = || format!("host = \"{}\" is not HOST:PORT", self.host);
        let (host, port) = self.host.rsplit_once(':').with_context(wrong)?;
        let host = match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => format!("[{address}]"),
            _ => host.to_owned(),
        };
        let domain = |text: &String| Domain::parse(text).with_context(|| format!("`{text}`"));
        if self.username.is_some() != self.password_file.is_some() {
            bail!("{}: username and password_file go together", self.host);
        }
        Ok(Relay {
            host: Domain::parse(&host).with_context(wrong)?,
            port: port.parse().with_context(wrong)?,
            sender_domains: self.sender_domains.iter().map(domain).collect::<Result<_>>()?,
            destinations: self.destinations.iter().map(domain).collect::<Result<_>>()?,
            tls: self.tls,
            username: self.username,
            password_file: self.password_file,
        })
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("host", &self.host).finish_non_exhaustive()
    }
}

/// TLS towards a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RelayTls {
    /// STARTTLS with a certificate that is checked.
    #[default]
    Starttls,
    /// From the first octet, checked.
    Implicit,
    /// Without: a host of one's own network only.
    None,
}

impl Config {
    /// Reads the file. Errors name file, line and key. Wherever it can be, a value is judged while it is read, for then its line is
    /// known.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let config = Self::parse(&text).with_context(|| format!("{} is not usable", path.display()))?;
        Ok(Self { path: path.to_owned(), ..config })
    }

    /// Where it was read from.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the text of the file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| fault(text, error))
    }

    /// What counts of the settings where nobody has set them: the defaults, but for what stands in this file.
    pub(crate) fn settings(&self) -> Settings {
        let default = Settings::default();
        let hours = |given: Option<u64>, default| {
            given.map_or(default, |hours| Duration::from_secs(hours.saturating_mul(3600)))
        };
        Settings {
            message_octets: self.limits.message_octets.unwrap_or(default.message_octets),
            queue_lifetime: hours(self.delivery.give_up_hours, default.queue_lifetime),
            delay_notice_after: hours(self.delivery.delay_notice_hours, default.delay_notice_after),
            ..default
        }
    }

    /// The sections in which `new` says what only another start can bring about.
    pub(crate) fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let rest = |delivery: &Delivery| Delivery { relays: Vec::new(), ..delivery.clone() };
        let changed = [
            ("hostname", self.hostname != new.hostname),
            ("data", self.data != new.data),
            ("database", self.database != new.database),
            ("[blobs]", self.blobs != new.blobs),
            ("[[listen]]", self.listen != new.listen),
            ("[tls] extra_roots", self.tls.extra_roots != new.tls.extra_roots),
            ("[resolver]", self.resolver != new.resolver),
            ("[operations]", self.operations != new.operations),
            ("[web]", self.web != new.web),
            ("[log] format", self.log.format != new.log.format),
            ("[delivery]", rest(&self.delivery) != rest(&new.delivery)),
        ];
        changed.into_iter().filter(|(_, is_changed)| *is_changed).map(|(section, _)| section).collect()
    }

    /// The doors: those named, else the standard ones.
    pub(crate) fn listeners(&self) -> Vec<ListenerConfig> {
        if !self.listen.is_empty() {
            return self.listen.iter().map(|listen| listen.0.clone()).collect();
        }
        let doors = [
            (25, Protocol::Smtp, TlsMode::StartTls),
            (587, Protocol::Submission, TlsMode::StartTls),
            (465, Protocol::Submission, TlsMode::Implicit),
            (143, Protocol::Imap, TlsMode::StartTls),
            (993, Protocol::Imap, TlsMode::Implicit),
            (110, Protocol::Pop3, TlsMode::StartTls),
            (995, Protocol::Pop3, TlsMode::Implicit),
            (4190, Protocol::Sieve, TlsMode::StartTls),
        ];
        let tcp = doors.into_iter().flat_map(|(port, protocol, tls)| {
            everywhere(port).map(|address| ListenerConfig {
                binding: Binding::Tcp(address),
                protocol,
                tls,
                proxy: false,
                plain_login: false,
            })
        });
        let lmtp = ListenerConfig {
            binding: Binding::Unix(self.data.join("lmtp.sock")),
            protocol: Protocol::Lmtp,
            tls: TlsMode::None,
            proxy: false,
            plain_login: false,
        };
        tcp.chain([lmtp]).collect()
    }

    /// Where the messages lie that are files.
    pub(crate) fn objects(&self) -> PathBuf {
        self.blobs.directory.clone().unwrap_or_else(|| self.data.join("objects"))
    }

    /// Where the command line meets the running server.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.data.join("control.sock")
    }
}

/// What is wrong, and where. The line itself is shown, too, unless a password may stand in it: this goes to the log.
fn fault(text: &str, error: toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let at = before.matches('\n').count();
    let line = text.lines().nth(at).unwrap_or_default();
    if line.contains("database") || line.contains("://") {
        return anyhow::anyhow!("line {}, which is not shown for it may hold a password: {}", at + 1, error.message());
    }
    error.into()
}

impl ListenKeys {
    fn config(&self) -> Result<ListenerConfig> {
        use ListenProtocol as Name;
        let binding = match self.at.strip_prefix("unix:") {
            Some(path) => Binding::Unix(PathBuf::from(path)),
            None => Binding::Tcp(
                self.at
                    .parse()
                    .with_context(|| format!("`at = \"{}\"` is neither ADDRESS:PORT nor unix:PATH", self.at))?,
            ),
        };
        let starttls = if matches!(binding, Binding::Tcp(_)) { TlsMode::StartTls } else { TlsMode::None };
        let (protocol, tls) = match self.protocol {
            Name::Smtp => (Protocol::Smtp, starttls),
            Name::Submission => (Protocol::Submission, starttls),
            Name::Submissions => (Protocol::Submission, TlsMode::Implicit),
            Name::Lmtp => (Protocol::Lmtp, TlsMode::None),
            Name::Imap => (Protocol::Imap, starttls),
            Name::Imaps => (Protocol::Imap, TlsMode::Implicit),
            Name::Pop3 => (Protocol::Pop3, starttls),
            Name::Pop3s => (Protocol::Pop3, TlsMode::Implicit),
            Name::Sieve => (Protocol::Sieve, starttls),
        };
        if protocol == Protocol::Lmtp && matches!(binding, Binding::Tcp(_)) {
            bail!("lmtp at {}: LMTP knows no log-in, so it listens at a unix: path only", self.at);
        }
        if tls == TlsMode::Implicit && matches!(binding, Binding::Unix(_)) {
            bail!("{}: a unix: path has no TLS", self.at);
        }
        Ok(ListenerConfig { binding, protocol, tls, proxy: self.proxy, plain_login: self.plain_login })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "hostname = \"mx.example.org\"\ndata = \"/var/lib/relais\"\n";

    #[track_caller]
    fn refused(more: &str, words: &str) {
        let error = format!("{:#}", Config::parse(&format!("{MINIMAL}{more}")).unwrap_err());
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn two_keys_are_enough() {
        let config = Config::parse(MINIMAL).unwrap();
        assert!(format!("{config:?}").contains("database: …"), "it may hold a password");
        assert_eq!(config.listeners().len(), 17);
        assert!(config.listeners().iter().all(|listener| !listener.plain_login && !listener.proxy));
    }

    #[test]
    fn what_is_wrong_is_named() {
        refused("hostnam = \"x\"", "unknown field `hostnam`");
        refused("\n[[listen]]\nprotocol = \"imap\"\nat = \"143\"", "`at = \"143\"` is neither");
        refused("[[listen]]\nprotocol = \"lmtp\"\nat = \"127.0.0.1:24\"", "LMTP knows no log-in");
        refused("[[listen]]\nprotocol = \"imaps\"\nat = \"unix:/x\"", "a unix: path has no TLS");
        refused("database = \"mysql://x\"", "`database` is `sqlite`");
        refused("[log]\nlevel = \"info,=\"", "[log] level = ");
        refused("[operations]\nat = \"9025\"", "`9025` is not ADDRESS:PORT");
        refused("[operations]\ntls_at = \"192.0.2.1:9026\"", "is no loopback address");
        refused("[resolver]\nservers = [\"ns.example\"]", "`ns.example` is neither ADDRESS nor");
        let parsed = Config::parse("hostname = \"[192.0.2.1]\"\ndata = \"/x\"");
        assert!(format!("{:#}", parsed.unwrap_err()).contains("not an address"));
    }

    #[test]
    fn dns_servers_have_a_port_of_their_own_or_the_usual_one() {
        for (server, expected) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ] {
            let config = Config::parse(&format!("{MINIMAL}[resolver]\nservers = [\"{server}\"]")).unwrap();
            assert_eq!(config.resolver.servers, [NameServer(expected.parse().unwrap())]);
        }
    }

    #[test]
    fn its_line_is_told() {
        for (more, line) in [
            ("hostnam = \"x\"", 3),
            ("database = \"mysql://x\"", 3),
            ("[limits]\nrecipients = -1", 4),
            ("\n[log]\nlevel = \"info,=\"", 5),
            ("\n[[delivery.relay]]\nhost = \"relay.example\"", 4),
            ("\n[[delivery.relay]]\nhost = \"relay.example:25\"\nusername = \"x\"", 4),
            ("\n[operations]\n\ntls_at = \"0.0.0.0:9026\"", 6),
            ("\n[[listen]]\nprotocol = \"imap\"\nat = \"143\"", 4),
            ("[[listen]]\nprotocol = \"smtps\"\nat = \"143\"", 4),
        ] {
            refused(more, &format!("line {line},"));
        }
    }

    /// A key that nobody can look up doesn't exist for people: each stands in the manual.
    #[test]
    fn every_key_is_in_the_manual() {
        let manual = include_str!("../../../docs/configuration.md");
        let source = include_str!("config.rs");
        let fields = source.split("#[cfg(test)]").next().unwrap().lines().filter_map(|line| {
            let declared = line.strip_prefix("    ")?.trim_start_matches("pub(crate) ");
            let (name, _type) = declared.split_once(": ")?;
            let is_field = name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && declared.ends_with(',');
            is_field.then_some(name).filter(|_| line.starts_with("    pub(crate)") || line.contains("Option<"))
        });
        let keys: Vec<&str> = fields.map(|name| if name == "relays" { "relay" } else { name }).collect();
        assert!(keys.len() > 30, "{keys:?}");
        for key in keys {
            assert!(manual.contains(&format!("`{key}`")), "docs/configuration.md does not explain `{key}`");
        }
    }
}
