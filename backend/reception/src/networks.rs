//! What a network may do at port 25: how many connections it may have, and what follows where it guesses addresses, tries to relay, or speaks no SMTP.
//!
//! ```text
//! connect ─> Porter::admit ─> a Guest, or turned away
//! fault, wanted mail ─> Conduct ─> Measure: free, slow, no more recipients, banned
//! ```
//! Invariants: everything is counted in memory, about so many networks at most, and forgotten with the process, as failed log-ins are; bans are kept. Loopback and
//! the networks that the owner trusts are never counted. Nothing here waits: it says how long an answer is to wait.

mod conduct;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relais_model::{EnhancedCode, ForwardPath, Reply, Timestamp};
use relais_store::{Settings, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::info;

use crate::bans::{Ban, BanTarget, Banned};
use crate::bounded::Bounded;
use crate::network::Network;
use conduct::{Conduct, Measure, Terms};

pub use conduct::Fault;

/// Networks whose conduct is remembered, about; those that did nothing for longest are forgotten first.
const MAX_NETWORKS: usize = 40_000;
/// Answers that wait at once: past that they don't, for each holds a connection.
const MAX_SLOW: usize = 500;
/// A network that brings wanted mail may have so many times as many connections.
const WELCOME: u64 = 4;
/// Connections are counted by this.
const MINUTE: Duration = Duration::from_mins(1);

/// Knows the networks that come to port 25. One for the whole house.
#[derive(Debug)]
pub struct Porter {
    store: Store,
    networks: Mutex<Networks>,
    slow: Arc<Semaphore>,
}

#[derive(Debug)]
struct Networks {
    conduct: Bounded<Network, Conduct>,
    /// Connections that began in the minute that began then.
    begun: Bounded<Network, (Timestamp, u64)>,
    /// Connections that are here: as many as the doors allow.
    here: HashMap<Network, u64>,
}

/// Why a connection is turned away at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// Its network is banned.
    Banned,
    /// Its network has as many connections as it may have, or began as many in a minute.
    TooMany,
}

impl TurnedAway {
    /// As metrics name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Banned => "banned",
            Self::TooMany => "too_many",
        }
    }

    /// What is said instead of a greeting.
    pub fn reply(self, host: &str) -> Reply {
        let text = match self {
            Self::Banned => format!("{host} takes nothing from your network for now, for what it tried here of late"),
            Self::TooMany => {
                format!("{host} has too many connections now, in all or from your network; try again later")
            }
        };
        Reply::new(421, EnhancedCode::new(4, 7, 0), text)
    }
}

/// A connection that came in, until it is dropped.
#[derive(Debug)]
pub struct Guest {
    /// None: it isn't counted.
    counted: Option<(Arc<Porter>, Network)>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let Some((porter, network)) = &self.counted else { return };
        let mut networks = porter.networks();
        if let Some(here) = networks.here.get_mut(network) {
            *here -= 1;
            if *here == 0 {
                networks.here.remove(network);
            }
        }
    }
}

/// One answer's wait, with its place among those that wait.
#[derive(Debug)]
pub struct Slowness {
    /// So long.
    pub wait: Duration,
    _place: OwnedSemaphorePermit,
}

impl Porter {
    /// Knows nobody yet; limits are the settings'.
    pub fn new(store: Store) -> Self {
        let networks =
            Networks { conduct: Bounded::new(MAX_NETWORKS), begun: Bounded::new(MAX_NETWORKS), here: HashMap::new() };
        Self { store, networks: Mutex::new(networks), slow: Arc::new(Semaphore::new(MAX_SLOW)) }
    }

    /// A connection to port 25.
    ///
    /// # Errors
    /// It is to hear [`TurnedAway::reply`], and to be closed.
    pub fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Guest, TurnedAway> {
        let settings = self.store.settings();
        if is_free(&settings, peer) {
            return Ok(Guest { counted: None });
        }
        let (now, network) = (self.store.now(), Network::of_neighbours(peer));
        let mut networks = self.networks();
        let admitted = networks.admit(network, now, &settings);
        drop(networks);
        match admitted {
            Ok(()) => Ok(Guest { counted: Some((Arc::clone(self), network)) }),
            Err(turned) => {
                metrics::counter!("relais_network_measures_total", "measure" => turned.as_str()).increment(1);
                Err(turned)
            }
        }
    }

    /// A peer did something wrong.
    pub fn note(&self, peer: IpAddr, fault: Fault) {
        let settings = self.store.settings();
        if is_free(&settings, peer) || settings.networks_faults == 0 {
            return;
        }
        let (now, network) = (self.store.now(), Network::of_neighbours(peer));
        let mut networks = self.networks();
        let conduct = networks.conduct.look(&network).copied().unwrap_or_default().with_fault(now, fault);
        let conduct = match conduct.measure(now, &Terms::of(&settings)) {
            Measure::Ban => conduct.banned(now, settings.networks_ban),
            _ => conduct,
        };
        networks.conduct.insert(network, conduct);
        drop(networks);
        if let Some(ban) = conduct.ban(now, network)
            && ban.since == now
        {
            metrics::counter!("relais_network_measures_total", "measure" => "ban").increment(1);
            let seconds = ban.until.since(now).as_secs();
            info!(%network, why = ban.why.as_str(), faults = ban.failures, seconds, "a network is banned from port 25");
        }
    }

    /// A peer brought mail that somebody here wanted, and whose author is proved.
    pub fn note_wanted(&self, peer: IpAddr) {
        if is_free(&self.store.settings(), peer) {
            return;
        }
        let (now, network) = (self.store.now(), Network::of_neighbours(peer));
        let mut networks = self.networks();
        let conduct = networks.conduct.look(&network).copied().unwrap_or_default();
        networks.conduct.insert(network, conduct.with_wanted(now));
    }

    /// How long the next answer to a peer waits; none: not at all.
    pub fn slowness(&self, peer: IpAddr) -> Option<Slowness> {
        let (Measure::Slow(wait) | Measure::NoRecipients(wait)) = self.measure(peer) else { return None };
        let place = Arc::clone(&self.slow).try_acquire_owned().ok().filter(|_| !wait.is_zero())?;
        metrics::counter!("relais_network_measures_total", "measure" => "slow").increment(1);
        Some(Slowness { wait, _place: place })
    }

    /// What a peer hears at RCPT instead of an answer; whoever has a question about it reaches postmaster.
    ///
    /// # Errors
    /// The reply that refuses the recipient; 421 ends the session.
    pub fn may_ask(&self, peer: IpAddr, path: &ForwardPath) -> Result<(), Reply> {
        let (measure, reply) = match self.measure(peer) {
            Measure::Free | Measure::Slow(_) => return Ok(()),
            Measure::NoRecipients(_) if is_postmaster(path) => return Ok(()),
            Measure::NoRecipients(_) => {
                // Whoever goes on asking is banned at last.
                self.note(peer, Fault::UnknownRecipient);
                let text = "Too many of the recipients that your network named are nobody here; try again later";
                ("no_recipients", Reply::new(450, EnhancedCode::new(4, 7, 1), text))
            }
            Measure::Ban => {
                let text = "This host takes nothing from your network for now, for what it tried here of late";
                ("banned", Reply::new(421, EnhancedCode::new(4, 7, 1), text))
            }
        };
        metrics::counter!("relais_network_measures_total", "measure" => measure).increment(1);
        Err(reply)
    }

    /// Networks that are banned now, in no order.
    pub fn bans(&self) -> Vec<Ban> {
        let (now, settings) = (self.store.now(), self.store.settings());
        let networks = self.networks();
        let bans = networks.conduct.iter().filter_map(|(network, conduct)| conduct.ban(now, *network));
        bans.filter(|ban| match ban.of {
            Banned::Network(network) => !is_free(&settings, network.first()),
            Banned::Name(_) | Banned::Everybody => true,
        })
        .collect()
    }

    /// It held before the restart.
    pub(crate) fn ban_again(&self, ban: &Ban) {
        if let Banned::Network(network) = ban.of {
            self.networks().conduct.insert(network, Conduct::of(ban));
        }
    }

    /// Lifts bans, and forgets what led to them; how many that were.
    pub fn unban(&self, target: &BanTarget) -> usize {
        let now = self.store.now();
        let mut lifted = 0;
        self.networks().conduct.retain(|network, conduct| {
            let is_meant = match target {
                BanTarget::Network(other) => network.overlaps(*other),
                BanTarget::All => true,
                BanTarget::Name(_) | BanTarget::Everybody => false,
            };
            lifted += usize::from(is_meant && conduct.ban(now, *network).is_some());
            !is_meant
        });
        lifted
    }

    fn measure(&self, peer: IpAddr) -> Measure {
        let settings = self.store.settings();
        if is_free(&settings, peer) || settings.networks_faults == 0 {
            return Measure::Free;
        }
        let networks = self.networks();
        let conduct = networks.conduct.look(&Network::of_neighbours(peer)).copied().unwrap_or_default();
        conduct.measure(self.store.now(), &Terms::of(&settings))
    }

    fn networks(&self) -> MutexGuard<'_, Networks> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Networks {
    fn admit(&mut self, network: Network, now: Timestamp, settings: &Settings) -> Result<(), TurnedAway> {
        let conduct = self.conduct.look(&network).copied().unwrap_or_default();
        if settings.networks_faults > 0 && conduct.ban(now, network).is_some() {
            return Err(TurnedAway::Banned);
        }
        let times = if conduct.is_welcome(now) { WELCOME } else { 1 };
        let exceeds = |count: u64, limit: u64| limit > 0 && count >= limit.saturating_mul(times);
        let here = self.here.get(&network).copied().unwrap_or_default();
        let (since, begun) = self.begun.look(&network).copied().unwrap_or((now, 0));
        let (since, begun) = if now.since(since) < MINUTE { (since, begun) } else { (now, 0) };
        if exceeds(here, settings.networks_connections) || exceeds(begun, settings.networks_connections_per_minute) {
            return Err(TurnedAway::TooMany);
        }
        self.begun.insert(network, (since, begun + 1));
        *self.here.entry(network).or_default() += 1;
        Ok(())
    }
}

/// Whether a peer may do what it likes.
pub(crate) fn is_free(settings: &Settings, peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    peer.is_loopback() || settings.networks_trusted.hold(peer)
}

/// RFC 5321 §4.5.1: postmaster is reached whatever else is refused.
pub(crate) fn is_postmaster(path: &ForwardPath) -> bool {
    path.address.local_part.as_str().eq_ignore_ascii_case("postmaster")
}
