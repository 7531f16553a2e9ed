//! What our people send is signed for the author's domain (DKIM, RFC 6376), with each of its keys that sign.

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

/// When a domain's keys were read, and who signs with them.
type Known = (Timestamp, Arc<Vec<Signer>>);

/// The keys that sign.
#[derive(Debug)]
pub(crate) struct Signing {
    store: Store,
    known: Mutex<HashMap<Domain, Known>>,
}

impl Signing {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, known: Mutex::default() }
    }

    /// Who signs for `domain`: nobody where it isn't ours, or has no keys.
    pub(crate) async fn signers(&self, domain: &Domain, now: Timestamp) -> Result<Arc<Vec<Signer>>, StoreError> {
        if let Some((read_at, signers)) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(domain)
            && now.since(*read_at) < KEPT
        {
            return Ok(Arc::clone(signers));
        }
        let entries = match self.store.domain(domain).await? {
            Some(entry) => self.store.dkim_keys(entry.key).await?,
            None => Vec::new(),
        };
        let signers = Arc::new(entries.into_iter().filter_map(|entry| signer(domain, &entry)).collect::<Vec<_>>());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_DOMAINS {
            known.clear();
        }
        known.insert(domain.clone(), (now, Arc::clone(&signers)));
        Ok(signers)
    }
}

/// The DKIM-Signature fields of a message.
pub(crate) fn signatures(message: &[u8], signers: &[Signer], now: Timestamp) -> Vec<u8> {
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
    if entry.retired_at.is_some() {
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
