//! The wiring: everything is made here, once, and handed to whom it concerns. `shown` is what its doors show, `outbound` how mail leaves,
//! `errands` what goes on beside the doors, `reloading` what signals do.

mod errands;
mod outbound;
mod reloading;
mod shown;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use relais_certs::{CertificateWorker, Challenges, Proofs, Served};
use relais_delivery::{Delivery, DeliveryConfig, DnsResolver};
use relais_filters::Filters;
use relais_finding::{Finder, Keeper};
use relais_httpd::{Door, MailPorts, Place, Web};
use relais_maild::{Binding, Doors, House, Limits, ListenerConfig, Protocol, Relayed, TlsMode};
use relais_model::{Clock, Random, SystemClock, SystemRandom};
use relais_moving::{Movers, Room};
use relais_msgauth::Resolver;
use relais_reception::{BanKeeper, Disk, Login, Porter, Reception, ReceptionConfig, Tally, Tutor};
use relais_service::{Access, CertificateDesk, Clerk, DnsHouse, LogTail, Operations, Out, Outlook, Service, Site};
use relais_store::{DatabaseUrl, Store, StoreConfig};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::certificate::Pair;
use crate::config::{Config, Resolver as ResolverConfig};
use crate::dns;
use crate::host::{self, Machine};
use crate::knocker::Doorstep;
use crate::log::Logging;
use crate::outlook::Seer;
use crate::{control, holds, operations, quotas, web};
use errands::{count_flow, obey_settings};
use outbound::{delivery_config, start_delivery};
use reloading::{Reloading, Signals, notify, wait_for_the_end};
use shown::{Signer, as_paths, certificate_worker, dns_proofs, files, first_key};

/// Connections that read the database, beside the one that writes.
const READERS: u32 = 3;

/// A server that is ready to serve: everything is open and bound.
pub(crate) struct Server {
    store: Store,
    house: watch::Receiver<Arc<House>>,
    listeners: Vec<ListenerConfig>,
    doors: Doors,
    reloading: Reloading,
    challenges: Arc<Challenges>,
    certificates: CertificateWorker,
    control: Door,
    operations: operations::Doors,
    web: web::Doors,
    access: Arc<Access>,
    tutor: Tutor,
    bans: BanKeeper,
    index: Keeper,
    service: Service,
    drain: Duration,
    delivery: Option<DeliveryConfig>,
    /// What is counted for the reports to others.
    tally: Arc<Tally>,
    resolver: ResolverConfig,
    filters: Arc<Filters>,
    reception: Arc<Reception>,
}

/// What a demo brings: nothing of it is asked of the world.
pub(crate) struct Alone {
    /// In place of the configuration's certificates.
    pub(crate) pairs: Vec<Pair>,
    /// By which mail is judged.
    pub(crate) resolver: Arc<dyn Resolver>,
}

impl Server {
    /// Opens the store and binds the doors. `alone`: of a demo.
    pub(crate) async fn open(config: &Config, alone: Option<Alone>, clock: Arc<dyn Clock>) -> Result<Self> {
        let (own_pairs, own_dns) = alone.map(|alone| (alone.pairs, alone.resolver)).unzip();
        make_directories(config)?;
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let store = open_store(config, Arc::clone(&clock)).await?;
        let challenges = Arc::<Challenges>::default();
        let (pairs, rank) = files(config, own_pairs.as_deref())?;
        let served = Served::load(config.hostname.as_str(), &as_paths(&pairs), rank, Arc::clone(&challenges))?;
        let served = Arc::new(served);
        let tls = served.live_config();
        let login = Arc::new(Login::new(store.clone(), Arc::clone(&clock), &*random));
        let disk = Arc::new(Disk::new(&config.data, config.limits.free_octets(), Arc::clone(&clock)));
        store.start_settings_from(config.settings()).await?;
        let reception = ReceptionConfig { host_name: config.hostname.clone() };
        // A demo looks at no DNS but one that it is given.
        let is_alone = own_pairs.is_some() && config.resolver.servers.is_empty();
        let dns_house = if is_alone { dns::quiet_house(config) } else { dns::house(config, &store, &served)? };
        let porter = Arc::new(Porter::new(store.clone()));
        let bans = BanKeeper::open(store.clone(), Arc::clone(&login), Arc::clone(&porter)).await?;
        let finder = Finder::new(store.clone());
        let service = Service::new(store.clone(), Arc::clone(&login)).with_porter(&porter).with_dns(dns_house);
        let service = service.with_finder(&finder);
        let in_dns = if is_alone { None } else { Some(dns_proofs(&service, config, &random)?) };
        let proofs = Proofs { challenges: Arc::clone(&challenges), dns: in_dns };
        let certificates = certificate_worker(config, &store, &served, proofs, first_key(&pairs, rank)?, &clock)?;
        certificates.put_in_use().await?;
        let spool = config.data.join("spool");
        let judges_by: Arc<dyn Resolver> = match own_dns {
            Some(own) if is_alone => own,
            _ => Arc::new(resolver(&config.resolver)?),
        };
        let reception = Reception::new(store.clone(), reception, &spool, Arc::clone(&disk), Arc::clone(&clock), random);
        let reception = reception.with_porter(porter).with_resolver(judges_by);
        let tally = reception.tally();
        let reception = Arc::new(reception);
        let out = Out::new(Arc::clone(&reception), Arc::new(SystemRandom), config.hostname.clone());
        let service = service.with_mail_out(out);
        let tutor = Tutor::new(store.clone(), Arc::clone(reception.filter()));
        let filters = Arc::clone(reception.filters());
        let operations = operations::Doors::bind(&config.operations, &tls).await?;
        let web = web::Doors::bind(&config.web, &tls)?;
        let access = open_access(config, &store, &login).await?;
        let limits = limits(config, &store);
        let drain = limits.drain;
        let name = config.hostname.clone();
        let shown = Arc::clone(&served);
        let at_the_doors = Arc::clone(&reception);
        let house = House::new(name, store.clone(), Arc::clone(&login), at_the_doors, shown, limits.clone(), clock)
            .with(limits, config.login.scram)
            .with_sieve(sieve_port(&config.listeners()))
            .with_finder(finder.clone());
        let (house, guests_house) = watch::channel(Arc::new(house));
        let begun_with = config.clone();
        let reloading = Reloading { begun_with, own_pairs, served, house, disk, store: store.clone() };
        Ok(Self {
            store,
            house: guests_house,
            listeners: config.listeners(),
            doors: Doors::bind(config.listeners())?,
            reloading,
            challenges,
            certificates,
            control: Door::unix(control::bind(&config.control_socket())?, control::GUESTS),
            operations,
            web,
            access,
            tutor,
            bans,
            index: finder.keeper(config.data.join("index")),
            service,
            drain,
            delivery: Some(delivery_config(config)?),
            tally,
            resolver: config.resolver.clone(),
            filters,
            reception,
        })
    }

    /// Who tells others of their mail, and reads what they tell of ours.
    fn clerk(&self) -> Result<Option<Clerk>> {
        let host = self.reloading.begun_with.hostname.clone();
        let (courier, random) = (host::courier(resolver(&self.resolver)?)?, Arc::new(SystemRandom));
        let resolver = Arc::new(resolver(&self.resolver)?);
        Ok(Clerk::new(self.store.clone(), host, Arc::clone(&self.tally), resolver, courier, random))
    }

    /// What the use-cases need of a house that serves.
    fn furnish(
        &self,
        log: Arc<LogTail>,
        delivery: Option<&Delivery>,
        (tasks, stop): (&TaskTracker, &CancellationToken),
    ) -> Result<Operations> {
        let machine = Machine {
            name: self.reloading.begun_with.hostname.clone(),
            started_at: SystemClock.now(),
            listeners: host::listeners(&self.listeners),
            served: Arc::clone(&self.reloading.served),
            disk: Arc::clone(&self.reloading.disk),
            is_delivering: self.delivery.is_some(),
        };
        let desk = CertificateDesk {
            served: Arc::clone(&self.reloading.served),
            wake: self.certificates.wake(),
            doors: host::doors_with_tls(&self.listeners, &self.reloading.begun_with),
            knocker: Arc::new(Doorstep::new()?),
        };
        let dialer = host::dialer(&self.reloading.begun_with, resolver(&self.resolver)?)?;
        let fullness = Arc::clone(&self.reloading.disk);
        let room = Room::new(move || fullness.is_nearly_full());
        let movers = Movers::new(self.store.clone(), dialer, room, tasks.clone(), stop.clone());
        let operations = host::operations(machine, log, resolver(&self.resolver)?)?
            .with_certificates(desk)
            .with_filters(Arc::clone(&self.filters))
            .with_reception(Arc::clone(&self.reception))
            .with_movers(movers);
        Ok(match delivery {
            Some(delivery) => operations.with_outlook(Outlook::new(Seer(delivery.planner()))),
            None => operations,
        })
    }

    /// The use-cases; a demo furnishes its house with them.
    pub(crate) fn service(&self) -> Service {
        self.service.clone()
    }

    /// Looks at this DNS from now on, for a demo.
    pub(crate) fn look_at(&mut self, dns: DnsHouse) {
        self.service = self.service().with_dns(dns);
    }

    /// What opens the house, for the demo's owner.
    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// The store, for the demo's sample mail.
    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Leaves mail for other hosts in the queue.
    pub(crate) fn keep_mail_here(&mut self) {
        self.delivery = None;
    }

    /// Serves until SIGTERM or SIGINT; SIGHUP reads anew what can be.
    ///
    /// # Errors
    /// Also where a stranger could relay through us: then nobody was let in.
    pub(crate) async fn serve(self, logging: Logging, ready: impl FnOnce() -> Result<()>) -> Result<()> {
        let house = Arc::clone(&self.house.borrow());
        refuse_to_relay(&house, &self.listeners).await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let delivery =
            self.delivery.clone().map(|config| start_delivery(&self.store, config, &self.resolver)).transpose()?;
        let operations = self.furnish(logging.tail, delivery.as_ref(), (&tasks, &stop))?;
        let service = self.service().with_operations(operations);
        tasks.spawn(service.clone().tell_webhooks(stop.clone()));
        tasks.spawn(service.mail.clone().post(stop.clone()));
        tasks.spawn(service.mail.clone().wake(stop.clone()));
        tasks.spawn(service.dns.clone().look_after(stop.clone()));
        tasks.spawn(quotas::steward(&self.reloading.begun_with, &self.store).run(stop.clone()));
        tasks.spawn(holds::warden(&self.reloading.begun_with, &self.store).run(stop.clone()));
        let house = self.house.borrow().clone();
        tasks.spawn(House::clone(&house).shut_out(stop.clone()));
        tasks.spawn(House::clone(&house).hear_others(stop.clone()));
        if delivery.is_some()
            && let Some(clerk) = self.clerk()?
        {
            tasks.spawn(clerk.run(stop.clone()));
        }
        tasks.spawn(self.tutor.run(stop.clone()));
        tasks.spawn(self.bans.run(stop.clone()));
        tasks.spawn(self.index.run(stop.clone()));
        let dns = service.dns.clone();
        tasks.spawn(count_flow(service.clone(), stop.clone()));
        tasks.spawn(obey_settings(self.store.clone(), self.reloading.house.clone(), stop.clone()));
        let handle = operations::recorder()?;
        tasks.spawn(self.operations.serve(self.store.clone(), handle, stop.clone(), self.drain));
        let place = place(&self.reloading.begun_with);
        let signer = Signer(Arc::clone(&self.reloading.served));
        let web = Web::new(service, self.access, place, Arc::new(SystemClock)).with_signer(Arc::new(signer));
        let web = web.with_stop(stop.clone());
        let router = web.router();
        tasks.spawn(self.web.serve(router.clone(), self.challenges, stop.clone(), self.drain));
        tasks.spawn(self.certificates.run(stop.clone()));
        tasks.spawn(self.control.serve(router, stop.clone(), self.drain));
        tasks.spawn(self.doors.serve(self.house, stop.clone()));
        tasks.close();
        // Before anybody hears that we are ready: a signal that nobody awaits ends the process.
        let signals = Signals::await_them()?;
        ready()?;
        notify(&[sd_notify::NotifyState::Ready]);
        info!("ready");
        wait_for_the_end(signals, &self.reloading, delivery.as_ref(), &logging.set_level).await;
        notify(&[sd_notify::NotifyState::Stopping]);
        info!("closing");
        stop.cancel();
        tasks.wait().await;
        dns.finish().await;
        if let Some(delivery) = delivery {
            delivery.stop().await;
        }
        self.store.close().await;
        info!("closed");
        Ok(())
    }
}

/// Where people find the house: its pages, and its doors for mail programs with TLS.
pub(crate) fn place(config: &Config) -> Place {
    let listeners = config.listeners();
    let port = |protocol: Protocol, tls: TlsMode| {
        let door = listeners.iter().find(|door| door.protocol == protocol && door.tls == tls)?;
        match &door.binding {
            Binding::Tcp(address) => Some(address.port()),
            Binding::Unix(_) => None,
        }
    };
    let ports = MailPorts {
        imaps: port(Protocol::Imap, TlsMode::Implicit),
        pop3s: port(Protocol::Pop3, TlsMode::Implicit),
        submissions: port(Protocol::Submission, TlsMode::Implicit),
        imap: port(Protocol::Imap, TlsMode::StartTls),
        pop3: port(Protocol::Pop3, TlsMode::StartTls),
        submission: port(Protocol::Submission, TlsMode::StartTls),
    };
    let own = || format!("https://{}", config.hostname);
    let origin = config.web.origins.first().cloned().unwrap_or_else(own);
    Place { host: config.hostname.clone(), origin, ports }
}

/// Signing in, at the names that browsers know this host by.
pub(crate) async fn open_access(config: &Config, store: &Store, login: &Arc<Login>) -> Result<Arc<Access>> {
    let host = config.hostname.as_str().to_owned();
    let mut origins = vec![format!("https://{host}")];
    origins.extend(config.web.origins.iter().cloned());
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let access = Access::open(store.clone(), Arc::clone(login), clock, random, &Site { host, origins }).await;
    Ok(Arc::new(access.map_err(|failure| anyhow!("[web] origins: {failure}"))?))
}

/// Opens the store that the configuration names.
pub(crate) async fn open_store(config: &Config, clock: Arc<dyn Clock>) -> Result<Store> {
    let database = match config.database.expose() {
        "sqlite" => DatabaseUrl::Sqlite(config.data.join("relais.db")),
        url => DatabaseUrl::parse(url)?,
    };
    let store = StoreConfig {
        database,
        objects: config.objects(),
        inline_octets: config.blobs.inline_octets,
        readers: READERS,
    };
    Ok(Store::open(store, clock, Arc::new(SystemRandom)).await?)
}

/// The data directory and what is in it, and the messages' wherever it is: for nobody else's eyes.
fn make_directories(config: &Config) -> Result<()> {
    for directory in [config.data.clone(), config.data.join("spool"), config.objects()] {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.with_context(|| format!("cannot make {}", directory.display()))?;
    }
    Ok(())
}

/// What can be known of a configuration without opening the store.
pub(crate) fn check(config: &Config) -> Result<()> {
    delivery_config(config)?;
    if !config.tls.certificates.is_empty() {
        let (pairs, rank) = files(config, None)?;
        Served::load(config.hostname.as_str(), &as_paths(&pairs), rank, Arc::default())?;
    }
    Ok(())
}

/// The DNS servers that the configuration names.
pub(crate) fn servers(config: &Config) -> Vec<SocketAddr> {
    config.resolver.servers.iter().map(|server| server.0).collect()
}

/// The house's resolver: the servers that the file names, or the machine's.
fn resolver(section: &ResolverConfig) -> Result<DnsResolver> {
    if section.servers.is_empty() {
        return Ok(DnsResolver::system()?);
    }
    let servers: Vec<SocketAddr> = section.servers.iter().map(|server| server.0).collect();
    Ok(DnsResolver::with_servers(&servers, section.trust_anchor.as_deref())?)
}

/// Where programs reach ManageSieve, if anywhere.
fn sieve_port(doors: &[ListenerConfig]) -> Option<u16> {
    doors.iter().find_map(|door| match door.binding {
        Binding::Tcp(address) if door.protocol == Protocol::Sieve => Some(address.port()),
        _ => None,
    })
}

/// The doors' limits: the file's, and what is set.
fn limits(config: &Config, store: &Store) -> Limits {
    Limits { message_octets: store.settings().message_octets, ..config.limits.for_doors() }
}

/// Asks each door whether it would relay for a stranger. Not through the sockets: nobody else must come in before this is known.
async fn refuse_to_relay(house: &Arc<House>, listeners: &[ListenerConfig]) -> Result<()> {
    let mut are_all_asked = true;
    for listener in listeners {
        let (protocol, at) = (listener.protocol.as_str(), &listener.binding);
        match house.probe(listener, &SystemRandom).await {
            Ok(None) => {}
            Ok(Some(Relayed { reverse_path, forward_path })) => {
                error!(protocol, binding = %at, reverse_path, forward_path, "an open relay: a stranger's mail for another host was taken");
                bail!(
                    "{protocol} at {at} would relay for strangers, from <{reverse_path}> to <{forward_path}>: not served"
                );
            }
            Err(error) => {
                are_all_asked = false;
                warn!(protocol, binding = %at, %error, "whether this door relays for strangers could not be asked");
            }
        }
    }
    if are_all_asked {
        info!("no door relays for strangers");
    }
    Ok(())
}
