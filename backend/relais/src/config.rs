//! The bootstrap file, `relais.toml`: what must be known before the database opens. `docs/configuration.md` is its manual;
//! a test keeps the two in step.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use relais_maild::{Binding, Limits, ListenerConfig, Protocol, TlsMode};
use relais_model::Domain;
use serde::Deserialize;

/// Where the file is looked for where nothing else is said.
pub(crate) const DEFAULT_PATH: &str = "/etc/relais/relais.toml";

/// Where DNS servers listen that are named without a port (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The host's own name.
    #[serde(deserialize_with = "domain")]
    pub(crate) hostname: Domain,
    /// Where everything that must be kept is kept.
    pub(crate) data: PathBuf,
    /// `sqlite`, or a `postgres://` URL.
    #[serde(default = "sqlite", deserialize_with = "database")]
    pub(crate) database: String,
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
    pub(crate) log: Log,
    #[serde(default)]
    pub(crate) limits: LimitsSection,
    #[serde(default)]
    pub(crate) delivery: Delivery,
    #[serde(skip)]
    path: PathBuf,
}

fn sqlite() -> String {
    "sqlite".to_owned()
}

fn domain<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Domain, D::Error> {
    let text = String::deserialize(deserializer)?;
    let domain = Domain::parse(&text).map_err(serde::de::Error::custom)?;
    if domain.is_literal() {
        return Err(serde::de::Error::custom("`hostname` must be a name like mx.example.org, not an address"));
    }
    Ok(domain)
}

fn database<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text != "sqlite" && !text.starts_with("postgres") {
        return Err(serde::de::Error::custom("`database` is `sqlite` or a URL that begins with postgres://"));
    }
    Ok(text)
}

/// Messages' bodies.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
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
}

/// `[tls]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    /// None: a self-signed one is made in the data directory.
    pub(crate) certificates: Vec<CertificateFiles>,
}

/// One pair of PEM files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateFiles {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

/// `[resolver]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Resolver {
    /// None: those of the host (`/etc/resolv.conf`).
    pub(crate) servers: Vec<NameServer>,
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

/// `[operations]`: metrics and health.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Operations {
    /// Where `/metrics` and `/healthz` answer, in the clear: loopback only. Empty: nowhere.
    pub(crate) at: String,
}

impl Default for Operations {
    fn default() -> Self {
        Self { at: "127.0.0.1:9025".to_owned() }
    }
}

/// `[log]`.
#[derive(Debug, Clone, Deserialize)]
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

/// `[limits]`: each absent key keeps its default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsSection {
    connections: Option<usize>,
    connections_per_address: Option<usize>,
    message_octets: Option<u64>,
    recipients: Option<usize>,
    transactions: Option<usize>,
    handshake_seconds: Option<u64>,
    smtp_idle_seconds: Option<u64>,
    smtp_session_seconds: Option<u64>,
    login_idle_seconds: Option<u64>,
    imap_idle_seconds: Option<u64>,
    pop3_idle_seconds: Option<u64>,
    write_stall_seconds: Option<u64>,
    drain_seconds: Option<u64>,
    /// Below so much free space in the data directory new mail is put off (452).
    pub(crate) free_octets: Option<u64>,
}

impl LimitsSection {
    /// With the defaults filled in.
    pub(crate) fn for_doors(&self) -> Limits {
        let default = Limits::default();
        let seconds = |given: Option<u64>, default: Duration| given.map_or(default, Duration::from_secs);
        Limits {
            connections: self.connections.unwrap_or(default.connections),
            connections_per_address: self.connections_per_address.unwrap_or(default.connections_per_address),
            message_octets: self.message_octets.unwrap_or(default.message_octets),
            recipients: self.recipients.unwrap_or(default.recipients),
            transactions: self.transactions.unwrap_or(default.transactions),
            handshake: seconds(self.handshake_seconds, default.handshake),
            smtp_idle: seconds(self.smtp_idle_seconds, default.smtp_idle),
            smtp_session: seconds(self.smtp_session_seconds, default.smtp_session),
            login_idle: seconds(self.login_idle_seconds, default.login_idle),
            imap_idle: seconds(self.imap_idle_seconds, default.imap_idle),
            pop3_idle: seconds(self.pop3_idle_seconds, default.pop3_idle),
            write_stall: seconds(self.write_stall_seconds, default.write_stall),
            drain: seconds(self.drain_seconds, default.drain),
        }
    }
}

/// `[delivery]`: mail to other hosts.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relay {
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
        Ok(toml::from_str(text)?)
    }

    /// The doors: those named, else the standard ones.
    pub(crate) fn listeners(&self) -> Vec<ListenerConfig> {
        if !self.listen.is_empty() {
            return self.listen.iter().map(|listen| listen.0.clone()).collect();
        }
        let both = |port: u16| [SocketAddr::from(([0, 0, 0, 0], port)), SocketAddr::from(([0_u16; 8], port))];
        let doors = [
            (25, Protocol::Smtp, TlsMode::StartTls),
            (587, Protocol::Submission, TlsMode::StartTls),
            (465, Protocol::Submission, TlsMode::Implicit),
            (143, Protocol::Imap, TlsMode::StartTls),
            (993, Protocol::Imap, TlsMode::Implicit),
            (110, Protocol::Pop3, TlsMode::StartTls),
            (995, Protocol::Pop3, TlsMode::Implicit),
        ];
        let tcp = doors.into_iter().flat_map(|(port, protocol, tls)| {
            both(port).map(|address| ListenerConfig {
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

    /// Where the command line meets the running server.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.data.join("control.sock")
    }
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
        assert_eq!(config.listeners().len(), 15);
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
