//! How mail leaves: what the file says of delivery, and through which relays.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use relais_delivery::{
    Delivery, DeliveryConfig, Ports, RelayHost, RelayLogin, RelayTls, Routes, Sources, TcpDialer, Via,
};
use relais_maild::Binding;
use relais_model::{Secret, SystemClock, SystemRandom};
use relais_store::Store;

use super::{place, resolver};
use crate::config::{Config, Relay, RelayTls as RelayTlsName, Resolver as ResolverConfig};
use crate::dns;

pub(super) fn delivery_config(config: &Config) -> Result<DeliveryConfig> {
    let section = &config.delivery;
    let mut delivery = DeliveryConfig::new(config.hostname.clone());
    delivery.web_origin = place(config).origin;
    let tcp = |binding: Binding| match binding {
        Binding::Tcp(address) => Some(address),
        Binding::Unix(_) => None,
    };
    delivery.listeners = config.listeners().into_iter().filter_map(|listener| tcp(listener.binding)).collect();
    delivery.mx_port = section.port;
    delivery.extra_roots = dns::extra_roots(config)?;
    match section.source {
        Some(IpAddr::V4(address)) => delivery.sources = Sources { v4: Some(address), ..Sources::default() },
        Some(IpAddr::V6(address)) => delivery.sources = Sources { v6: Some(address), ..Sources::default() },
        None => {}
    }
    delivery.connections = section.connections.unwrap_or(delivery.connections);
    delivery.connections_per_destination =
        section.connections_per_destination.unwrap_or(delivery.connections_per_destination);
    delivery.drain = config.limits.for_doors().drain;
    delivery.routes = routes(&section.relays)?;
    Ok(delivery)
}

/// The first relay that fits carries a message.
pub(super) fn routes(relays: &[Relay]) -> Result<Routes> {
    let mut routes = Routes::default();
    for relay in relays {
        let via = Via::Relay(Arc::new(relay_host(relay)?));
        for domain in &relay.destinations {
            routes.by_destination.entry(domain.clone()).or_insert_with(|| via.clone());
        }
        for domain in &relay.sender_domains {
            routes.by_sender.entry(domain.clone()).or_insert_with(|| via.clone());
        }
        let is_for_all = relay.destinations.is_empty() && relay.sender_domains.is_empty();
        if is_for_all && matches!(routes.otherwise, Via::Mx) {
            routes.otherwise = via;
        }
    }
    Ok(routes)
}

fn relay_host(relay: &Relay) -> Result<RelayHost> {
    let login = match (&relay.username, &relay.password_file) {
        (Some(name), Some(path)) => Some(RelayLogin { name: name.clone(), password: read_password(path)? }),
        _ => None,
    };
    let tls = match relay.tls {
        RelayTlsName::Starttls => RelayTls::StartTls,
        RelayTlsName::Implicit => RelayTls::Implicit,
        RelayTlsName::None => RelayTls::None,
    };
    Ok(RelayHost { host: relay.host.clone(), port: relay.port, tls, login })
}

fn read_password(path: &Path) -> Result<Secret> {
    let text = fs::read_to_string(path);
    let text = text.with_context(|| format!("[[delivery.relay]] password_file: cannot read {}", path.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

pub(super) fn start_delivery(store: &Store, config: DeliveryConfig, section: &ResolverConfig) -> Result<Delivery> {
    let ports = Ports {
        resolver: Arc::new(resolver(section)?),
        dialer: Arc::new(TcpDialer),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    Ok(Delivery::start(store.clone(), config, ports)?)
}
