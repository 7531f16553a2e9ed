//! Making the keys that sign mail (RFC 6376 §3.3, RFC 8463).
//!
//! A private key is born here and leaves as a [`Secret`]; the public one leaves as the `p=` of its record.

use std::convert::Infallible;
use std::sync::Arc;

use data_encoding::BASE64;
use relais_model::{Random, Secret};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
use rsa::rand_core::{TryCryptoRng, TryRng};
use tokio::sync::Semaphore;

use crate::dkim::Algorithm;

/// RFC 8301 §3.2: at least 1,024, and "SHOULD use RSA keys of at least 2048 bits". A larger key wouldn't fit in one UDP answer beside others.
const RSA_BITS: usize = 2048;

/// A key pair that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKeyPair {
    /// What it signs with.
    pub algorithm: Algorithm,
    /// PKCS#8 (RFC 5958) in PEM; ring's `RsaKeyPair::from_pkcs8` and `Ed25519KeyPair::from_pkcs8_maybe_unchecked` read what is inside.
    pub private_key: Secret,
    /// The value of the record's `p=`: base64 of a `SubjectPublicKeyInfo` for RSA, of the 32 octets for Ed25519 (RFC 8463 §4).
    pub public_key: String,
}

/// Why no key could be made.
#[derive(Debug, thiserror::Error)]
pub enum DkimKeyError {
    /// The crate that makes RSA keys found a fault in its own work.
    #[error("no RSA key could be made: {0}")]
    Rsa(String),
    /// As with RSA.
    #[error("no Ed25519 key could be made")]
    Ed25519,
    /// The task was broken off: the program ends.
    #[error("making a key was broken off")]
    BrokenOff,
}

/// Makes keys, one at a time, off the async threads: an RSA key takes a core for a second.
#[derive(Debug)]
pub struct DkimKeyMaker {
    random: Arc<dyn Random>,
    turn: Semaphore,
}

impl DkimKeyMaker {
    /// Draws from `random`, which nobody must be able to guess.
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self { random, turn: Semaphore::new(1) }
    }

    /// Makes a key pair.
    ///
    /// # Errors
    /// [`DkimKeyError`]; trying again may help.
    pub async fn make(&self, algorithm: Algorithm) -> Result<DkimKeyPair, DkimKeyError> {
        let _turn = self.turn.acquire().await.map_err(|_closed| DkimKeyError::BrokenOff)?;
        let random = Arc::clone(&self.random);
        let making = tokio::task::spawn_blocking(move || match algorithm {
            Algorithm::Rsa => rsa_pair(&*random),
            Algorithm::Ed25519 => ed25519_pair(&*random),
        });
        making.await.map_err(|_broken_off| DkimKeyError::BrokenOff)?
    }
}

fn rsa_pair(random: &dyn Random) -> Result<DkimKeyPair, DkimKeyError> {
    let told = |error: &dyn std::fmt::Display| DkimKeyError::Rsa(error.to_string());
    let key = RsaPrivateKey::new(&mut Drawn(random), RSA_BITS).map_err(|error| told(&error))?;
    let private = key.to_pkcs8_der().map_err(|error| told(&error))?;
    let public = key.to_public_key().to_public_key_der().map_err(|error| told(&error))?;
    let (private_key, public_key) = (pem(private.as_bytes()), BASE64.encode(public.as_bytes()));
    Ok(DkimKeyPair { algorithm: Algorithm::Rsa, private_key, public_key })
}

/// RFC 8410 §7: what stands before the 32 octets of an Ed25519 key.
const ED25519_PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

fn ed25519_pair(random: &dyn Random) -> Result<DkimKeyPair, DkimKeyError> {
    let mut seed = [0; 32];
    random.fill(&mut seed);
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_rejected| DkimKeyError::Ed25519)?;
    let private_key = pem(&[&ED25519_PKCS8[..], &seed].concat());
    let public_key = BASE64.encode(pair.public_key().as_ref());
    Ok(DkimKeyPair { algorithm: Algorithm::Ed25519, private_key, public_key })
}

/// RFC 7468 §10.
fn pem(der: &[u8]) -> Secret {
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    let base64 = BASE64.encode(der);
    for (at, letter) in base64.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str("\n-----END PRIVATE KEY-----\n");
    Secret::new(text)
}

/// Our port of chance, as the crate `rsa` asks for it.
struct Drawn<'a>(&'a dyn Random);

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.0.fill(&mut octets);
        Ok(u32::from_le_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.0.fill(&mut octets);
        Ok(u64::from_le_bytes(octets))
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(octets);
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::DkimRecord;
    use relais_model::SystemRandom;
    use ring::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};

    fn der(pem: &Secret) -> Vec<u8> {
        let inside: String = pem.expose().lines().filter(|line| !line.starts_with('-')).collect();
        BASE64.decode(inside.as_bytes()).unwrap()
    }

    async fn make(algorithm: Algorithm) -> DkimKeyPair {
        DkimKeyMaker::new(Arc::new(SystemRandom)).make(algorithm).await.unwrap()
    }

    /// Read by another library than made it: what will sign is ring.
    #[tokio::test]
    async fn an_rsa_key_signs_and_its_record_is_read() {
        let pair = make(Algorithm::Rsa).await;
        let key = RsaKeyPair::from_pkcs8(&der(&pair.private_key)).unwrap();
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), b"mail", &mut signature).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref()).verify(b"mail", &signature).unwrap();
        let spki = BASE64.decode(pair.public_key.as_bytes()).unwrap();
        assert!(spki.ends_with(key.public().as_ref()), "the record's key is the one that signs");
        let record = format!("v=DKIM1; k=rsa; p={}", pair.public_key);
        assert_eq!(DkimRecord::parse(&record).unwrap().bits, 2048);
    }

    #[tokio::test]
    async fn an_ed25519_key_signs_and_its_record_is_read() {
        let pair = make(Algorithm::Ed25519).await;
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(&pair.private_key)).unwrap();
        let public = BASE64.decode(pair.public_key.as_bytes()).unwrap();
        UnparsedPublicKey::new(&ED25519, &public).verify(b"mail", key.sign(b"mail").as_ref()).unwrap();
        let record = format!("v=DKIM1; k=ed25519; p={}", pair.public_key);
        assert_eq!(DkimRecord::parse(&record).unwrap().algorithm, Algorithm::Ed25519);
    }

    #[tokio::test]
    async fn the_private_key_does_not_print() {
        let pair = make(Algorithm::Ed25519).await;
        let inside = pair.private_key.expose().lines().nth(1).unwrap().to_owned();
        assert!(!format!("{pair:?}").contains(&inside));
    }
}
