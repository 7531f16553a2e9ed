//! What our people and we ourselves send is signed for the author's domain (DKIM, RFC 6376), with each of its keys that sign.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_model::{Domain, Timestamp};
use relais_msgauth::dkim::{self, Algorithm, Signer, SigningKey};
use relais_store::{DkimKeyEntry, Store, StoreError};
use tracing::error;

/// Keys are believed for so long: a new one signs, and an old one rests, this much later.
const KEPT: Duration = Duration::from_mins(1);
/// Domains whose keys are held; past that all are read anew.
const MOST_DOMAINS: usize = 1000;

/// Names that are looked up for one: it, and those above it.
const MOST_LABELS: usize = 8;

/// When a domain's keys were read, and who signs with them.
type Known = (Timestamp, Arc<Vec<Signer>>);

/// The keys that sign.
#[derive(Debug)]
pub struct Signing {
    store: Store,
    known: Mutex<HashMap<Domain, Known>>,
}

impl Signing {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, known: Mutex::default() }
    }

    /// Who signs for `domain`: it itself, or for a name below it the domain above it; nobody where neither is ours, or has keys.
    ///
    /// For another name of a domain it signs under that name, whose owner may publish the records there, too, and under the domain's own.
    pub async fn signers(&self, domain: &Domain, now: Timestamp) -> Result<Arc<Vec<Signer>>, StoreError> {
        if let Some((read_at, signers)) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(domain)
            && now.since(*read_at) < KEPT
        {
            return Ok(Arc::clone(signers));
        }
        let signers = Arc::new(self.read(domain).await?);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_DOMAINS {
            known.clear();
        }
        known.insert(domain.clone(), (now, Arc::clone(&signers)));
        Ok(signers)
    }

    async fn read(&self, domain: &Domain) -> Result<Vec<Signer>, StoreError> {
        let mut name = Some(domain.clone());
        for _ in 0..MOST_LABELS {
            let Some(here) = name else { break };
            let above = here.as_str().split_once('.').and_then(|(_, above)| Domain::parse(above).ok());
            let other = self.store.domain_of_alias(&here).await?;
            let own = other.as_ref().unwrap_or(&here);
            if let Some(entry) = self.store.domain(own).await? {
                let keys = self.store.dkim_keys(entry.key).await?;
                let under = other.is_some().then_some(&here).into_iter().chain([own]);
                return Ok(under.flat_map(|name| keys.iter().filter_map(|key| signer(name, key))).collect());
            }
            name = above;
        }
        Ok(Vec::new())
    }

    /// `message` with the signatures of `domain` before it; as it is where nobody signs.
    pub async fn sign(&self, domain: &Domain, message: Vec<u8>, now: Timestamp) -> Result<Vec<u8>, StoreError> {
        let signers = self.signers(domain, now).await?;
        Ok([signatures(&message, &signers, now), message].concat())
    }
}

/// The DKIM-Signature fields of a message, each with CRLF, to be put before it.
pub fn signatures(message: &[u8], signers: &[Signer], now: Timestamp) -> Vec<u8> {
    if signers.is_empty() {
        return Vec::new();
    }
    let signers: Vec<&Signer> = signers.iter().collect();
    dkim::sign(message, &signers, now).unwrap_or_else(|error| {
        // Unsigned mail is better than none.
        error!(%error, "a message goes out without a signature");
        Vec::new()
    })
}

fn signer(domain: &Domain, entry: &DkimKeyEntry) -> Option<Signer> {
    let algorithm = match entry.algorithm.as_str() {
        "rsa" => Algorithm::RsaSha256,
        "ed25519" => Algorithm::Ed25519Sha256,
        _ => return None,
    };
    if entry.signs_since.is_none() || entry.retired_at.is_some() {
        return None;
    }
    match SigningKey::from_pem(algorithm, &entry.private_key) {
        Ok(key) => Some(Signer { domain: domain.clone(), selector: entry.selector.clone(), key }),
        Err(error) => {
            error!(%error, %domain, selector = entry.selector, "a key doesn't sign");
            None
        }
    }
}
