//! What the doors show: the files that hold certificates, and who orders others and puts them in use.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use relais_certs::{AcmeAuthority, CertificateWorker, Proofs, Rank, Served, TxtPublisher, TxtWatch};
use relais_httpd::ProfileSigner;
use relais_model::{Clock, Random, Secret, SystemRandom};
use relais_service::Service;
use relais_store::Store;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::resolver;
use crate::certificate::{self, Pair};
use crate::config::{CertificateFiles, Config};
use crate::dns::{self, OwnServers, OwnZones};
use crate::host::HouseNames;

/// The files that are shown: a demo's own, else those that the configuration names, else the self-signed one.
pub(super) fn files(config: &Config, own: Option<&[Pair]>) -> Result<(Vec<Pair>, Rank)> {
    if let Some(own) = own {
        return Ok((own.to_vec(), Rank::File));
    }
    if config.tls.certificates.is_empty() {
        return Ok((vec![certificate::self_signed(&config.data, config.hostname.as_str())?], Rank::SelfSigned));
    }
    let pair = |files: &CertificateFiles| Pair { chain: files.chain.clone(), key: files.key.clone() };
    Ok((config.tls.certificates.iter().map(pair).collect(), Rank::File))
}

pub(super) fn first_key(pairs: &[Pair], rank: Rank) -> Result<Option<Secret>> {
    let own = pairs.first().filter(|_| rank == Rank::SelfSigned);
    let read = own.map(|pair| fs::read_to_string(&pair.key).with_context(|| format!("{}", pair.key.display())));
    Ok(read.transpose()?.map(Secret::new))
}

pub(super) fn as_paths(pairs: &[Pair]) -> Vec<(PathBuf, PathBuf)> {
    pairs.iter().map(|pair| (pair.chain.clone(), pair.key.clone())).collect()
}

/// Proofs of names in the DNS: what writes them, and what looks whether they are there.
pub(super) fn dns_proofs(
    service: &Service,
    config: &Config,
    random: &Arc<dyn Random>,
) -> Result<(Arc<dyn TxtPublisher>, Arc<dyn TxtWatch>)> {
    Ok((Arc::new(OwnZones(service.dns.clone())), Arc::new(OwnServers(dns::look(config, random)?))))
}

/// Who orders certificates and puts them in use; the host's first one is for the key that it shows now, if we made that.
pub(super) fn certificate_worker(
    config: &Config,
    store: &Store,
    served: &Arc<Served>,
    proofs: Proofs,
    first_key: Option<Secret>,
    clock: &Arc<dyn Clock>,
) -> Result<CertificateWorker> {
    let publisher = proofs.dns.as_ref().map(|(publisher, _)| Arc::clone(publisher));
    let authority = AcmeAuthority::new(proofs, config.tls.extra_roots.as_deref()).context("[tls] extra_roots")?;
    let mut worker = CertificateWorker::new(
        config.hostname.clone(),
        store.clone(),
        Arc::clone(served),
        Arc::new(authority),
        Arc::new(HouseNames(resolver(&config.resolver)?)),
        Arc::clone(clock),
        Arc::new(SystemRandom),
    );
    if let Some(publisher) = publisher {
        worker = worker.with_publisher(publisher);
    }
    if let Some(first_key) = first_key {
        worker = worker.with_first_key(first_key);
    }
    Ok(worker)
}

/// Signs as the house with what its TLS doors show.
#[derive(Debug)]
pub(super) struct Signer(pub(super) Arc<Served>);

impl ProfileSigner for Signer {
    fn certified(&self) -> Option<Arc<CertifiedKey>> {
        Some(self.0.own())
    }
}
