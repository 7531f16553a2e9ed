//! The queue's worker: where mail goes that is for others.
//!
//! ```text
//! store ── claim ──> worker ──> lanes (one task a connection) ── attempt ──> hosts ──> dial ──> connection ──> smtp::Client
//!   ^                                                               │          MX, A, AAAA      TLS, time limits
//!   └────────────── settle (verdicts, notices: one transaction) <───┘
//! ```
//! - `route`: relay host or MX. `hosts`: a domain's hosts in order. `memory`: which of them are dead. `dial`: IPv6 and IPv4.
//! - `policy`: what TLS a host must have: `dane`, else `sts`, else none. `tally`: how it came out. `plan`: how it would. `keeper`: keeps policies and counts in the store.
//! - `connection`: drives the SMTP client. `tls`: with which certificates. `attempt`: host after host, until each recipient has
//!   its verdict.
//! - `settle` and `backoff`: what becomes of a recipient, and what its sender is told. `local`: mail for a domain that has become ours. `list`: what was written to a mailing list of ours. `bodies`: what is
//!   sent.
//! - `lanes` and `worker`: who is spoken to, when, how often at once. `ports` and `dns`: the network and the DNS.
//!
//! # Invariants
//! - No SQL and no second queue: what isn't in the store is nowhere. What is claimed is settled, given back, or falls due again
//!   when its lease ends.
//! - From the message's last octet to the note of its fate nothing is broken off, but by the end of the process: then it is sent
//!   twice at worst.
//! - A message with the null reverse-path never causes a notice (RFC 5321 §4.5.5).
//! - Each wait for the network has a limit.
//! - Where a TLS policy holds, no mail goes below it: not after a failed handshake, not where the DNS owes an answer.
//!
//! To add a TLS policy: a variant of `Policy`, its place in `policy_of`, and where it wants one, a way to verify in `tls`. To add a reason why mail
//! fails: a line in `relais_filing::notice`'s `explain`.

mod attempt;
mod backoff;
mod bodies;
mod config;
mod connection;
mod dane;
mod dial;
mod dns;
mod hosts;
mod keeper;
mod lanes;
mod list;
mod local;
mod memory;
mod plan;
mod policy;
mod ports;
mod route;
mod settle;
mod sts;
mod tally;
mod tls;
mod unknown;
mod worker;

#[cfg(test)]
mod testing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use relais_filing::Filing;
use relais_model::{Domain, ReversePath};
use relais_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use attempt::Ports;
pub use backoff::Backoff;
pub use config::DeliveryConfig;
pub use dial::Sources;
pub use dns::{DnsResolver, ResolverError};
pub use plan::{PlannedHost, PlannedPolicy, PlannedSts, TransportPlan};
pub use ports::{Alias, Answer, Dialer, Found, LookupError, MxRecord, Resolver, Stream, TcpDialer, TlsaRecord};
pub use route::{NextHop, RelayHost, RelayLogin, RelayTls, Routes, Via};
pub use tls::any_certificate;

use attempt::Courier;
use lanes::Lanes;
use settle::Desk;
use tls::Tls;
use worker::Worker;

/// An authority of [`DeliveryConfig::extra_roots`] can't be used.
#[derive(Debug, thiserror::Error)]
#[error("TLS can't be set up for delivery")]
pub struct StartError(#[source] rustls::Error);

/// The running worker.
#[must_use = "stop it, so that what is under way ends well"]
pub struct Delivery {
    stop: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
    routes: watch::Sender<Arc<Routes>>,
    drain: Duration,
    worker: Arc<Worker>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("drain", &self.drain).finish_non_exhaustive()
    }
}

/// Foretells what becomes of mail.
#[derive(Clone)]
pub struct Planner(Arc<Worker>);

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner").finish_non_exhaustive()
    }
}

impl Planner {
    /// What would become of mail to `destination` now: where it would go, under which policy, and why. Asks the DNS, and fetches an MTA-STS policy where a new one
    /// is announced; connects to no mail host.
    pub async fn plan(&self, destination: &Domain) -> TransportPlan {
        let routes = Arc::clone(&self.0.routes.borrow());
        self.0.courier.plan(&routes.next_hop(&ReversePath::Null, destination), destination).await
    }
}

impl Delivery {
    /// Starts to work the store's queue.
    pub fn start(store: Store, config: DeliveryConfig, ports: Ports) -> Result<Self, StartError> {
        let tls = Tls::new(&config.extra_roots).map_err(StartError)?;
        let (stop, cut, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let drain = config.drain;
        let (routes, asked) = watch::channel(Arc::new(config.routes.clone()));
        let worker = Worker {
            lanes: Lanes::new(&config, stop.clone()),
            routes: asked,
            desk: Desk {
                filing: Filing::new(store.clone(), config.host_name.clone()),
                store,
                config: config.clone(),
                ports: ports.clone(),
            },
            courier: Courier::new(config, ports, tls, cut.clone()),
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        let worker = Arc::new(worker);
        tasks.spawn(Arc::clone(&worker).run());
        Ok(Self { stop, cut, tasks, routes, drain, worker })
    }

    /// From here on other relay hosts: for what is claimed next, not for what waits for its turn or is under way.
    pub fn reroute(&self, routes: Routes) {
        self.routes.send_replace(Arc::new(routes));
    }

    /// Who foretells what becomes of mail, for as long as the worker runs.
    pub fn planner(&self) -> Planner {
        Planner(Arc::clone(&self.worker))
    }

    /// Claims no more, lets what is under way end within [`DeliveryConfig::drain`], then breaks off what no host may have taken and
    /// gives it back. A message whose last octet is sent is waited for, up to RFC 5321 §4.5.3.2.6's ten minutes.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.drain, self.tasks.wait()).await.is_err() {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}
