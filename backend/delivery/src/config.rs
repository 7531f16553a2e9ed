//! How the queue is worked.

use std::net::SocketAddr;
use std::time::Duration;

use relais_model::Domain;
use rustls::pki_types::CertificateDer;

use crate::backoff::Backoff;
use crate::dial::Sources;
use crate::route::Routes;

/// How the queue is worked. [`DeliveryConfig::new`] gives the defaults.
#[derive(Debug, Clone)]
pub struct DeliveryConfig {
    /// Our name: in EHLO, in notices, and as what we find among a domain's MX hosts when mail would come back to us.
    pub host_name: Domain,
    /// Where we take mail in: a connection to one of these would be one to ourselves. An unspecified address stands for all of
    /// the machine's. Default: none.
    pub listeners: Vec<SocketAddr>,
    /// The addresses that we send from. Default: the machine chooses.
    pub sources: Sources,
    /// The port of MX hosts. Default: 25; others are for tests.
    pub mx_port: u16,
    /// The port of servers of MTA-STS policies. Default: 443; others are for tests.
    pub sts_port: u16,
    /// Which mail goes through which relay host, until [`Delivery::reroute`](crate::Delivery::reroute). Default: all mail goes to the MX hosts.
    pub routes: Routes,
    /// Authorities that are trusted beside the web's. Default: none.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Connections at once. Default: 100.
    pub connections: usize,
    /// Connections at once to one destination; a new one begins with 2 and gains one with each message that goes through.
    /// Default: 20.
    pub connections_per_destination: usize,
    /// Between the beginnings of two transactions with one destination. Default: none.
    pub pace: Duration,
    /// When a deferred recipient is tried again. Default: after 5 minutes, 10, 20, 40 … 4 hours.
    pub backoff: Backoff,
    /// How long our own notices are tried (RFC 5321 §4.5.4.1: four to five days). Default: 5 days.
    pub notice_lifetime: Duration,
    /// Where people find the house's pages, with a port where one is set: links in what lists send begin so. Default: `https://` and our name.
    pub web_origin: String,
    /// What is under way when the worker is stopped has this long to end before it is broken off. Default: 20 seconds.
    pub drain: Duration,
}

impl DeliveryConfig {
    /// All defaults.
    pub fn new(host_name: Domain) -> Self {
        let web_origin = format!("https://{host_name}");
        Self {
            host_name,
            web_origin,
            listeners: Vec::new(),
            sources: Sources::default(),
            mx_port: 25,
            sts_port: 443,
            routes: Routes::default(),
            extra_roots: Vec::new(),
            connections: 100,
            connections_per_destination: 20,
            pace: Duration::ZERO,
            backoff: Backoff::default(),
            notice_lifetime: Duration::from_hours(5 * 24),
            drain: Duration::from_secs(20),
        }
    }
}
