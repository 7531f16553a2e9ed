//! The wiring: everything is made here, once, and handed to whom it concerns.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use relais_delivery::{
    Delivery, DeliveryConfig, DnsResolver, Ports, RelayHost, RelayLogin, RelayTls, Routes, Sources, TcpDialer, Via,
};
use relais_maild::{Binding, Certificates, Doors, House, server_config};
use relais_model::{Clock, Domain, Random, Secret, SystemClock, SystemRandom};
use relais_reception::{Disk, Login, Reception, ReceptionConfig};
use relais_service::Service;
use relais_store::{DatabaseUrl, Store, StoreConfig};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::certificate::{self, Pair};
use crate::config::{Config, Relay, RelayTls as RelayTlsName};
use crate::log::SetLevel;
use crate::{control, operations};

/// Connections that read the database, beside the one that writes.
const READERS: u32 = 3;
/// With less free space new mail is put off, where the configuration says nothing else.
const FREE_OCTETS: u64 = 100 * 1024 * 1024;
/// How long a message for another host is tried (RFC 5321 §4.5.4.1).
const QUEUE_LIFETIME_HOURS: u64 = 120;

/// A server that is ready to serve: everything is open and bound.
pub(crate) struct Server {
    store: Store,
    login: Arc<Login>,
    house: Arc<House>,
    doors: Doors,
    reloading: Reloading,
    control: UnixListener,
    operations: Option<TcpListener>,
    delivery: Option<DeliveryConfig>,
    resolver: Vec<SocketAddr>,
}

impl Server {
    /// Opens the store and binds the doors. `certificates`: what a demo brings instead of the configuration's.
    pub(crate) async fn open(config: &Config, own_pairs: Option<Vec<Pair>>) -> Result<Self> {
        make_directories(config)?;
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let store = open_store(config).await?;
        let pairs = match &own_pairs {
            Some(pairs) => pairs.clone(),
            None => certificate_files(config)?,
        };
        let certificates = Arc::new(Certificates::load(&as_paths(&pairs))?);
        let tls = server_config(Arc::clone(&certificates))?;
        let reloading = Reloading { certificates, own_pairs, path: config.path().to_owned() };
        let login = Arc::new(Login::new(store.clone(), Arc::clone(&clock), &*random));
        let floor = config.limits.free_octets.unwrap_or(FREE_OCTETS);
        let disk = Arc::new(Disk::new(&config.data, floor, Arc::clone(&clock)));
        let hours = config.delivery.give_up_hours.unwrap_or(QUEUE_LIFETIME_HOURS);
        let reception = ReceptionConfig {
            host_name: config.hostname.clone(),
            queue_lifetime: Duration::from_secs(hours.saturating_mul(3600)),
        };
        let spool = config.data.join("spool");
        let reception = Arc::new(Reception::new(store.clone(), reception, &spool, disk, Arc::clone(&clock), random));
        let limits = config.limits.for_doors();
        let name = config.hostname.clone();
        let house = House::new(name, store.clone(), Arc::clone(&login), reception, tls, limits, clock);
        Ok(Self {
            store,
            login,
            house: Arc::new(house),
            doors: Doors::bind(config.listeners())?,
            reloading,
            control: control::bind(&config.control_socket())?,
            operations: operations::bind(&config.operations.at).await?,
            delivery: Some(delivery_config(config)?),
            resolver: config.resolver.servers.iter().map(|server| server.0).collect(),
        })
    }

    /// What the command line would ask for; a demo furnishes its house with it.
    pub(crate) fn service(&self) -> Service {
        Service::new(self.store.clone(), Arc::clone(&self.login))
    }

    /// The store, for the demo's sample mail.
    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Leaves mail for other hosts in the queue.
    pub(crate) fn keep_mail_here(&mut self) {
        self.delivery = None;
    }

    /// Serves until SIGTERM or SIGINT; SIGHUP reads certificates and log level anew.
    pub(crate) async fn serve(self, set_level: SetLevel, ready: impl FnOnce() -> Result<()>) -> Result<()> {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let service = self.service();
        let handle = operations::recorder()?;
        if let Some(listener) = self.operations {
            tasks.spawn(operations::serve(listener, self.store.clone(), handle, stop.clone()));
        }
        tasks.spawn(control::serve(self.control, service, stop.clone()));
        tasks.spawn(self.doors.serve(self.house, stop.clone()));
        tasks.close();
        let delivery = self.delivery.map(|config| start_delivery(&self.store, config, &self.resolver)).transpose()?;
        ready()?;
        notify(&[sd_notify::NotifyState::Ready]);
        info!("ready");
        wait_for_the_end(&self.reloading, &set_level).await?;
        notify(&[sd_notify::NotifyState::Stopping]);
        info!("closing");
        stop.cancel();
        tasks.wait().await;
        if let Some(delivery) = delivery {
            delivery.stop().await;
        }
        self.store.close().await;
        info!("closed");
        Ok(())
    }
}

/// Opens the store that the configuration names.
pub(crate) async fn open_store(config: &Config) -> Result<Store> {
    let database = match config.database.as_str() {
        "sqlite" => DatabaseUrl::Sqlite(config.data.join("relais.db")),
        url => DatabaseUrl::parse(url)?,
    };
    let objects = config.blobs.directory.clone().unwrap_or_else(|| config.data.join("objects"));
    let store = StoreConfig { database, objects, inline_octets: config.blobs.inline_octets, readers: READERS };
    Ok(Store::open(store, Arc::new(SystemClock), Arc::new(SystemRandom)).await?)
}

/// The data directory and what is in it, for nobody else's eyes.
fn make_directories(config: &Config) -> Result<()> {
    for directory in [config.data.clone(), config.data.join("spool")] {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.with_context(|| format!("cannot make {}", directory.display()))?;
    }
    Ok(())
}

fn certificate_files(config: &Config) -> Result<Vec<Pair>> {
    if config.tls.certificates.is_empty() {
        return Ok(vec![certificate::self_signed(&config.data, config.hostname.as_str())?]);
    }
    let pair = |files: &crate::config::CertificateFiles| Pair { chain: files.chain.clone(), key: files.key.clone() };
    Ok(config.tls.certificates.iter().map(pair).collect())
}

fn as_paths(pairs: &[Pair]) -> Vec<(PathBuf, PathBuf)> {
    pairs.iter().map(|pair| (pair.chain.clone(), pair.key.clone())).collect()
}

/// What can be known of a configuration without opening the store.
pub(crate) fn check(config: &Config) -> Result<()> {
    delivery_config(config)?;
    if !config.tls.certificates.is_empty() {
        Certificates::load(&as_paths(&certificate_files(config)?))?;
    }
    Ok(())
}

fn delivery_config(config: &Config) -> Result<DeliveryConfig> {
    let section = &config.delivery;
    let mut delivery = DeliveryConfig::new(config.hostname.clone());
    let tcp = |binding: Binding| match binding {
        Binding::Tcp(address) => Some(address),
        Binding::Unix(_) => None,
    };
    delivery.listeners = config.listeners().into_iter().filter_map(|listener| tcp(listener.binding)).collect();
    delivery.mx_port = section.port;
    match section.source {
        Some(IpAddr::V4(address)) => delivery.sources = Sources { v4: Some(address), ..Sources::default() },
        Some(IpAddr::V6(address)) => delivery.sources = Sources { v6: Some(address), ..Sources::default() },
        None => {}
    }
    delivery.connections = section.connections.unwrap_or(delivery.connections);
    delivery.connections_per_destination =
        section.connections_per_destination.unwrap_or(delivery.connections_per_destination);
    if let Some(hours) = section.delay_notice_hours {
        delivery.delay_notice_after = Duration::from_secs(hours.saturating_mul(3600));
    }
    delivery.drain = config.limits.for_doors().drain;
    delivery.routes = routes(&section.relays)?;
    Ok(delivery)
}

/// The first relay that fits carries a message.
fn routes(relays: &[Relay]) -> Result<Routes> {
    let mut routes = Routes::default();
    for relay in relays {
        let via = Via::Relay(Arc::new(relay_host(relay)?));
        for domain in &relay.destinations {
            routes.by_destination.entry(parse_domain(domain)?).or_insert_with(|| via.clone());
        }
        for domain in &relay.sender_domains {
            routes.by_sender.entry(parse_domain(domain)?).or_insert_with(|| via.clone());
        }
        let is_for_all = relay.destinations.is_empty() && relay.sender_domains.is_empty();
        if is_for_all && matches!(routes.otherwise, Via::Mx) {
            routes.otherwise = via;
        }
    }
    Ok(routes)
}

fn parse_domain(text: &str) -> Result<Domain> {
    Domain::parse(text).with_context(|| format!("[[delivery.relay]]: `{text}`"))
}

fn relay_host(relay: &Relay) -> Result<RelayHost> {
    let wrong = || format!("[[delivery.relay]] host = \"{}\" is not HOST:PORT", relay.host);
    let (host, port) = relay.host.rsplit_once(':').with_context(wrong)?;
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    };
    let login = match (&relay.username, &relay.password_file) {
        (Some(name), Some(path)) => Some(RelayLogin { name: name.clone(), password: read_password(path)? }),
        (None, None) => None,
        _ => bail!("[[delivery.relay]] {}: username and password_file go together", relay.host),
    };
    let tls = match relay.tls {
        RelayTlsName::Starttls => RelayTls::StartTls,
        RelayTlsName::Implicit => RelayTls::Implicit,
        RelayTlsName::None => RelayTls::None,
    };
    Ok(RelayHost { host: parse_domain(&host)?, port: port.parse().with_context(wrong)?, tls, login })
}

fn read_password(path: &Path) -> Result<Secret> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

fn start_delivery(store: &Store, config: DeliveryConfig, servers: &[SocketAddr]) -> Result<Delivery> {
    let resolver = if servers.is_empty() { DnsResolver::system()? } else { DnsResolver::with_servers(servers)? };
    let ports = Ports {
        resolver: Arc::new(resolver),
        dialer: Arc::new(TcpDialer),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    Ok(Delivery::start(store.clone(), config, ports)?)
}

async fn wait_for_the_end(reloading: &Reloading, set_level: &SetLevel) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => {
                notify(&[sd_notify::NotifyState::Reloading]);
                match reloading.reload(set_level) {
                    Ok(()) => info!("certificates and log level were read anew"),
                    Err(error) => error!(error = format!("{error:#}"), "nothing was read anew; all stays as it is"),
                }
                notify(&[sd_notify::NotifyState::Ready]);
            }
        }
    }
}

/// What SIGHUP reads anew.
struct Reloading {
    certificates: Arc<Certificates>,
    /// Instead of the configuration's.
    own_pairs: Option<Vec<Pair>>,
    path: PathBuf,
}

impl Reloading {
    fn reload(&self, set_level: &SetLevel) -> Result<()> {
        let config = Config::load(&self.path)?;
        let pairs = match &self.own_pairs {
            Some(pairs) => pairs.clone(),
            None => certificate_files(&config)?,
        };
        self.certificates.replace(&as_paths(&pairs))?;
        set_level(&config.log.level)
    }
}

/// Tells systemd, where there is one.
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd could not be told");
    }
}
