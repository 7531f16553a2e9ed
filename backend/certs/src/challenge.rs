//! How a name is proved to be ours: what the CA finds at our doors and in the DNS while an order is open.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use tokio::time::{Instant, sleep};

use crate::Doing;
use crate::served::provider;

/// What the CA offers by ALPN where it looks for a certificate's proof (RFC 8737 §4).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// Proofs of one kind that are shown at once, at most: three orders' worth.
const AT_ONCE: usize = 300;

/// A TXT record is waited for so long: secondaries of slow zones take minutes.
const TXT_LIMIT: Duration = Duration::from_mins(5);

/// Between two looks for it.
const TXT_EVERY: Duration = Duration::from_secs(5);

/// What is shown at the doors, shared by all of them.
#[derive(Debug, Default)]
pub struct Challenges {
    tokens: Mutex<HashMap<String, String>>,
    certificates: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Challenges {
    /// What stands at `/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3), at port 80 and, for CAs that follow redirects, at 443.
    pub fn answer(&self, token: &str) -> Option<String> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    /// What is shown to a client that asks for `acme-tls/1` alone (RFC 8737 §3).
    pub(crate) fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner).get(&name.to_ascii_lowercase()).cloned()
    }

    /// Shows a token until the guard goes.
    pub(crate) fn show_token(self: &Arc<Self>, token: &str, key_authorization: &str) -> Option<Shown> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if AT_ONCE <= tokens.len() {
            return None;
        }
        tokens.insert(token.to_owned(), key_authorization.to_owned());
        Some(Shown { challenges: Arc::clone(self), what: Proof::Token(token.to_owned()) })
    }

    /// Shows a certificate for `name` that holds `digest` (RFC 8737 §3) until the guard goes.
    pub(crate) fn show_certificate(self: &Arc<Self>, name: &str, digest: &[u8; 32]) -> Option<Shown> {
        let certified = proof_certificate(name, digest)
            .inspect_err(|error| tracing::error!(%error, name, "no certificate could be made as a proof"))
            .ok()?;
        let mut certificates = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if AT_ONCE <= certificates.len() {
            return None;
        }
        certificates.insert(name.to_owned(), Arc::new(certified));
        Some(Shown { challenges: Arc::clone(self), what: Proof::Certificate(name.to_owned()) })
    }
}

/// A proof that is shown as long as this is held.
#[derive(Debug)]
pub(crate) struct Shown {
    challenges: Arc<Challenges>,
    what: Proof,
}

#[derive(Debug)]
enum Proof {
    Token(String),
    Certificate(String),
}

impl Drop for Shown {
    fn drop(&mut self) {
        match &self.what {
            Proof::Token(token) => {
                self.challenges.tokens.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
            }
            Proof::Certificate(name) => {
                self.challenges.certificates.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ProofError {
    #[error(transparent)]
    Made(#[from] rcgen::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// RFC 8737 §3: self-signed, for this name alone, with a critical acmeIdentifier extension.
fn proof_certificate(name: &str, digest: &[u8; 32]) -> Result<CertifiedKey, ProofError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // Not `from_der`: it would look whether they belong together, and stumble over the critical extension.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], provider().key_provider.load_private_key(private)?))
}

/// Why a TXT record isn't there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TxtError(pub String);

/// Puts TXT records into zones: what a DNS provider implements.
pub trait TxtPublisher: Send + Sync + fmt::Debug {
    /// Whether this name is in a zone that it writes.
    fn serves<'a>(&'a self, name: &'a str) -> Doing<'a, bool>;

    /// Adds a TXT record beside those of the same name: a wildcard and its parent are proved by two. `name` has no last dot.
    fn publish<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, Result<(), TxtError>>;

    /// Removes that record, and no other of the same name.
    fn remove<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, Result<(), TxtError>>;
}

/// Looks whether a TXT record has arrived.
pub trait TxtWatch: Send + Sync + fmt::Debug {
    /// Whether all authoritative servers of its zone show it.
    fn shows<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, bool>;
}

/// By what means names are proved.
#[derive(Debug, Clone)]
pub struct Proofs {
    /// At the doors.
    pub challenges: Arc<Challenges>,
    /// In the DNS: what writes it, and what looks whether it is there. None: no provider is set up.
    pub dns: Option<(Arc<dyn TxtPublisher>, Arc<dyn TxtWatch>)>,
}

/// TXT records that were published, to be taken back.
#[derive(Debug, Default)]
pub(crate) struct Published {
    records: Vec<(String, String)>,
}

impl Published {
    /// Publishes the proof of a name (RFC 8555 §8.4).
    pub(crate) async fn publish(&mut self, proofs: &Proofs, name: &str, value: &str) -> Result<(), TxtError> {
        let Some((publisher, _)) = &proofs.dns else {
            return Err(TxtError("no DNS provider is set up, and this name can only be proved by DNS".to_owned()));
        };
        let name = format!("_acme-challenge.{}", name.trim_start_matches("*."));
        // Before it is there: a publish that ends badly may have gone half its way.
        self.records.push((name.clone(), value.to_owned()));
        publisher.publish(&name, value).await
    }

    /// Waits until the authoritative servers show all of them; what is not there after a while is left to the CA to judge.
    pub(crate) async fn wait(&self, proofs: &Proofs) {
        let Some((_, watch)) = &proofs.dns else { return };
        let end = Instant::now() + TXT_LIMIT;
        for (name, value) in &self.records {
            while !watch.shows(name, value).await {
                if end <= Instant::now() {
                    tracing::warn!(
                        name,
                        "the authoritative servers don't show the CA's proof; it is tried all the same"
                    );
                    return;
                }
                sleep(TXT_EVERY).await;
            }
        }
    }

    /// Takes them back.
    pub(crate) async fn remove(self, proofs: &Proofs) {
        let Some((publisher, _)) = &proofs.dns else { return };
        for (name, value) in self.records {
            if let Err(error) = publisher.remove(&name, &value).await {
                tracing::warn!(%error, name, "the CA's proof stays in the DNS: it does no harm, and may be removed by hand");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_shown_as_long_as_it_is_held() {
        let challenges = Arc::new(Challenges::default());
        assert_eq!(challenges.answer("token"), None);
        let token = challenges.show_token("token", "token.thumb").unwrap();
        let certificate = challenges.show_certificate("mx.example.org", &[7; 32]).unwrap();
        assert_eq!(challenges.answer("token").as_deref(), Some("token.thumb"));
        assert!(challenges.certificate("MX.example.org").is_some());
        drop((token, certificate));
        assert_eq!(challenges.answer("token"), None);
        assert!(challenges.certificate("mx.example.org").is_none());
    }

    #[test]
    fn proofs_are_bounded() {
        let challenges = Arc::new(Challenges::default());
        let held: Vec<_> = (0..AT_ONCE).map(|number| challenges.show_token(&number.to_string(), "").unwrap()).collect();
        assert!(challenges.show_token("one more", "").is_none());
        drop(held);
        assert!(challenges.show_token("one more", "").is_some());
    }

    /// RFC 8737 §3: the extension 1.3.6.1.5.5.7.1.31 is critical and holds the digest as an octet string.
    #[test]
    fn the_proof_certificate_is_the_standards() {
        use x509_parser::prelude::*;
        let certified = proof_certificate("mx.example.org", &[7; 32]).unwrap();
        let (_, certificate) = X509Certificate::from_der(&certified.cert[0]).unwrap();
        let proof = certificate.extensions().iter().find(|found| found.oid.to_id_string() == "1.3.6.1.5.5.7.1.31");
        let proof = proof.unwrap();
        assert!(proof.critical);
        assert_eq!(proof.value, [&[4, 32][..], &[7; 32]].concat());
        let names = certificate.subject_alternative_name().unwrap().unwrap();
        assert_eq!(names.value.general_names, [GeneralName::DNSName("mx.example.org")]);
    }
}
