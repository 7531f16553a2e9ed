//! What the panel and the API are shown of the machine and of the doors, and how webhooks leave the house.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use relais_certs::{Doing, InUse, Lead, NameCheck, Rank, Served};
use relais_courier::{HttpCourier, Names};
use relais_delivery::{DnsResolver, LookupError, Resolver as _};
use relais_maild::{ListenerConfig, TlsMode};
use relais_model::{Domain, SystemRandom, Timestamp};
use relais_moving::{Dialer, Hosts};
use relais_reception::Disk;
use relais_service::{CertificateFact, Courier, DiskFact, Host, ListenerView, LogTail, Operations, Webhooks};
use x509_parser::parse_x509_certificate;

use crate::certificate::fingerprint;
use crate::config::Config;
use crate::dns::extra_roots;

/// This machine, with the doors of this process.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) name: Domain,
    pub(crate) started_at: Timestamp,
    pub(crate) listeners: Vec<ListenerView>,
    pub(crate) served: Arc<Served>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) is_delivering: bool,
}

impl Host for Machine {
    fn name(&self) -> String {
        self.name.to_unicode()
    }

    fn started_at(&self) -> Timestamp {
        self.started_at
    }

    fn listeners(&self) -> Vec<ListenerView> {
        self.listeners.clone()
    }

    fn certificates(&self) -> Vec<CertificateFact> {
        let fact = |found: InUse| {
            let (_rest, certificate) = parse_x509_certificate(&found.leaf).ok()?;
            Some(CertificateFact {
                names: found.names,
                not_after: Timestamp::from_seconds(certificate.validity().not_after.timestamp()),
                is_self_signed: found.rank == Rank::SelfSigned || certificate.issuer() == certificate.subject(),
                fingerprint: fingerprint(&found.leaf),
            })
        };
        self.served.in_use().into_iter().filter_map(fact).collect()
    }

    fn disk(&self) -> Option<DiskFact> {
        let (total, free) = self.disk.room()?;
        Some(DiskFact { total, free, floor: self.disk.floor_octets() })
    }

    fn is_delivering(&self) -> bool {
        self.is_delivering
    }
}

/// The doors for mail, as people read them.
pub(crate) fn listeners(configs: &[ListenerConfig]) -> Vec<ListenerView> {
    let view = |config: &ListenerConfig| ListenerView {
        protocol: config.protocol.as_str().to_owned(),
        at: config.binding.to_string(),
        tls: match config.tls {
            TlsMode::Implicit => "implicit",
            TlsMode::StartTls => "starttls",
            TlsMode::None => "none",
        }
        .to_owned(),
    };
    configs.iter().map(view).collect()
}

/// The doors with TLS, the browsers' too.
pub(crate) fn doors_with_tls(configs: &[ListenerConfig], config: &Config) -> Vec<ListenerView> {
    let web = config.web.at.iter().map(|address| ListenerView {
        protocol: "http".to_owned(),
        at: address.to_string(),
        tls: "implicit".to_owned(),
    });
    listeners(configs).into_iter().filter(|door| door.tls != "none").chain(web).collect()
}

/// What the service is given in a house that serves; names are looked up by the house's own `resolver`.
pub(crate) fn operations(machine: Machine, log: Arc<LogTail>, resolver: DnsResolver) -> Result<Operations> {
    let courier = Arc::new(HttpCourier::new(Arc::new(HouseNames(resolver)), &[])?);
    let webhooks = Webhooks::new(Arc::clone(&courier) as Arc<dyn Courier>, Arc::new(SystemRandom));
    Ok(Operations::new(Arc::new(machine), log, webhooks).with_pictures(courier))
}

/// Posts to other people's servers; names are looked up by `resolver`.
pub(crate) fn courier(resolver: DnsResolver) -> Result<Arc<dyn Courier>> {
    Ok(Arc::new(HttpCourier::new(Arc::new(HouseNames(resolver)), &[])?))
}

/// Connects to the servers that people bring their mail from; names are looked up by `resolver`.
pub(crate) fn dialer(config: &Config, resolver: DnsResolver) -> Result<Dialer> {
    let roots = extra_roots(config)?;
    Dialer::new(Arc::new(HouseNames(resolver)), &roots).context("[tls] extra_roots")
}

/// Names as the house's mail finds them.
#[derive(Debug)]
pub(crate) struct HouseNames(pub(crate) DnsResolver);

impl Names for HouseNames {
    fn addresses<'a>(&'a self, name: &'a str) -> Doing<'a, Vec<IpAddr>> {
        Box::pin(async move {
            let Ok(domain) = Domain::parse(name) else { return Vec::new() };
            match self.0.addresses(&domain).await {
                Ok(found) => found.records,
                Err(error) => {
                    tracing::debug!(?error, name, "a webhook's name could not be looked up");
                    Vec::new()
                }
            }
        })
    }
}

impl Hosts for HouseNames {
    fn addresses<'a>(&'a self, name: &'a str) -> Doing<'a, Vec<IpAddr>> {
        Names::addresses(self, name)
    }
}

impl NameCheck for HouseNames {
    fn lead<'a>(&'a self, name: &'a str, host: &'a str) -> Doing<'a, Lead> {
        Box::pin(async move {
            let found = match self.look_up(name).await {
                Ok(found) => found,
                Err(lead) => return lead,
            };
            // Where the host itself leads is known to the world alone: it may stand behind a router.
            let is_here = name == host
                || self.look_up(host).await.is_ok_and(|own| own.iter().any(|address| found.contains(address)));
            if is_here { Lead::Here } else { Lead::Elsewhere(found) }
        })
    }
}

impl HouseNames {
    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Lead> {
        let Ok(domain) = Domain::parse(name) else { return Err(Lead::Nowhere) };
        match self.0.addresses(&domain).await {
            Ok(found) => Ok(found.records),
            Err(LookupError::Temporary(why)) => Err(Lead::Unknown(why)),
            Err(error @ LookupError::Bogus) => Err(Lead::Unknown(error.to_string())),
            Err(_) => Err(Lead::Nowhere),
        }
    }
}
