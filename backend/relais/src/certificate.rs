//! Certificates of our own making: a self-signed one until a real one is there, and the little CA of the demo.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use data_encoding::HEXUPPER;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use sha2::{Digest as _, Sha256};

use relais_model::{Clock as _, SystemClock};

use crate::private;

/// A certificate of our own making is good for so many days: it is shown until a real one is there, and pinned by who has none.
const DAYS: i64 = 3650;

/// A pair of PEM files.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

/// The self-signed certificate for `hostname` in `directory`, made at the first start.
pub(crate) fn self_signed(directory: &Path, hostname: &str) -> Result<Pair> {
    let pair = Pair { chain: directory.join("self-signed.pem"), key: directory.join("self-signed.key") };
    if pair.chain.exists() && pair.key.exists() {
        return Ok(pair);
    }
    let key = KeyPair::generate()?;
    let certificate = params(hostname, &[hostname])?.self_signed(&key)?;
    private::write(&pair.key, &key.serialize_pem())?;
    fs::write(&pair.chain, certificate.pem()).with_context(|| format!("cannot write {}", pair.chain.display()))?;
    Ok(pair)
}

/// A CA (`ca.pem`) and a certificate of it for `localhost`, 127.0.0.1 and `::1`. The CA's key is forgotten at once.
pub(crate) fn demo(directory: &Path) -> Result<(Pair, PathBuf)> {
    let ca = directory.join("ca.pem");
    let pair = Pair { chain: directory.join("localhost.pem"), key: directory.join("localhost.key") };
    if ca.exists() && pair.chain.exists() && pair.key.exists() {
        return Ok((pair, ca));
    }
    let ca_key = KeyPair::generate()?;
    let mut ca_params = params("Relais demo CA", &[])?;
    ca_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca_params.self_signed(&ca_key)?;
    let key = KeyPair::generate()?;
    let leaf = params("localhost", &["localhost", "127.0.0.1", "::1"])?;
    let leaf = leaf.signed_by(&key, &Issuer::new(ca_params, ca_key))?;
    private::write(&pair.key, &key.serialize_pem())?;
    fs::write(&pair.chain, leaf.pem())?;
    fs::write(&ca, ca_certificate.pem())?;
    Ok((pair, ca))
}

/// A certificate for `names` that ends in so many days, and its key, both PEM: what a demo's pages show.
pub(crate) fn sample(names: &[&str], days_left: i64) -> Result<(String, String)> {
    let ca_key = KeyPair::generate()?;
    let ca = Issuer::new(params("Relais demo CA", &[])?, ca_key);
    let key = KeyPair::generate()?;
    let mut leaf = params(names.first().copied().unwrap_or_default(), names)?;
    let end = leaf.not_before + time::Duration::days(1 + days_left);
    (leaf.not_before, leaf.not_after) = (end - time::Duration::days(90), end);
    Ok((leaf.signed_by(&key, &ca)?.pem(), key.serialize_pem()))
}

/// SHA-256 of a certificate (DER), as browsers show it: `6A:F3:…`.
pub(crate) fn fingerprint(certificate: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(certificate).iter().map(|octet| HEXUPPER.encode(&[*octet])).collect();
    pairs.join(":")
}

fn params(common_name: &str, names: &[&str]) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, common_name);
    params.distinguished_name = distinguished;
    let now = time::OffsetDateTime::from_unix_timestamp(SystemClock.now().seconds())?;
    params.not_before = now - time::Duration::days(1);
    params.not_after = now + time::Duration::days(DAYS);
    Ok(params)
}
