//! A chain and a key in PEM, judged: whether they belong together, whom they are for, how long they last.

use std::collections::BTreeSet;

use relais_model::{Secret, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::plan::is_servable_name;
use crate::served::provider;

/// Octets of a chain and a key, at most: the longest honest ones have a tenth of it.
const MOST_OCTETS: usize = 100_000;

/// Certificates of a chain, at most.
const MOST_CERTIFICATES: usize = 10;

/// Bits of an RSA key, at least (CA/Browser Forum Baseline Requirements §6.1.5).
const RSA_BITS: usize = 2048;

/// Signature algorithms that nobody may trust any more: MD5 and SHA-1 with RSA, SHA-1 with ECDSA.
const BROKEN_SIGNATURES: [&str; 3] = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];

/// Why a chain and a key don't do. One sentence of the catalogue each, `pem-…`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemFault {
    /// It is longer than any honest one.
    #[error("it is too long")]
    TooLong,
    /// No `BEGIN CERTIFICATE`, or what follows can't be read.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// No private key, or one that can't be read.
    #[error("there is no private key in it")]
    NoKey,
    /// The key wants a password.
    #[error("the private key is encrypted")]
    EncryptedKey,
    /// A key of a kind that TLS here doesn't know.
    #[error("this kind of key can't be used: {0}")]
    UnknownKey(String),
    /// None of the certificates has this key.
    #[error("the private key belongs to none of the certificates")]
    OtherKey,
    /// An RSA key that is too short.
    #[error("an RSA key of {0} bits is too weak")]
    WeakKey(usize),
    /// The leaf is signed with MD5 or SHA-1.
    #[error("it is signed with a broken hash")]
    WeakSignature,
    /// It has no DNS name.
    #[error("it is made out for no name")]
    NoNames,
    /// It has ended.
    #[error("it has ended")]
    Ended(Timestamp),
    /// It hasn't begun.
    #[error("it hasn't begun")]
    NotBegun(Timestamp),
    /// The leaf is a CA's.
    #[error("it is a CA's own certificate")]
    IsCa,
    /// It isn't for servers.
    #[error("it isn't made out for servers")]
    NotForServers,
}

/// A chain and a key that belong together.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Leaf first, each certified by the next, without what doesn't belong to it and without the root.
    pub chain_pem: String,
    /// As it was brought.
    pub key_pem: Secret,
    /// A-labels in lower case, in the order of the certificate.
    pub names: Vec<String>,
    /// Its first moment.
    pub not_before: Timestamp,
    /// Its last moment.
    pub not_after: Timestamp,
    /// As its issuer field says.
    pub issuer: String,
    /// An issuer whose certificate isn't in the chain: fine where it is a root that clients know.
    pub ends_at: String,
    /// Its issuer is itself: nobody else trusts it.
    pub is_self_signed: bool,
}

impl Checked {
    /// Judges what was brought. Certificates may stand in any order, with the key among them where `key` is empty.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(chain: &str, key: &str, now: Timestamp) -> Result<Self, PemFault> {
        if MOST_OCTETS < chain.len() || MOST_OCTETS < key.len() {
            return Err(PemFault::TooLong);
        }
        let key = if key.trim().is_empty() { chain } else { key };
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| PemFault::NoCertificate)?;
        if certificates.is_empty() {
            return Err(PemFault::NoCertificate);
        }
        if MOST_CERTIFICATES < certificates.len() {
            return Err(PemFault::TooLong);
        }
        if key.contains("ENCRYPTED") {
            return Err(PemFault::EncryptedKey);
        }
        let private = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| PemFault::NoKey)?;
        let key_pem = Secret::new(only_key(key));
        let chain = in_order(certificates, &private)?;
        let leaf = chain.first().ok_or(PemFault::NoCertificate)?;
        let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| PemFault::NoCertificate)?;
        let (not_before, not_after) = judge(&leaf, now)?;
        let names = names(&leaf);
        if names.is_empty() {
            return Err(PemFault::NoNames);
        }
        let is_self_signed = leaf.issuer().as_raw() == leaf.subject().as_raw();
        let last = chain.last().and_then(|last| X509Certificate::from_der(last).ok());
        let ends_at = last.map(|(_, last)| last.issuer().to_string()).unwrap_or_default();
        Ok(Self {
            chain_pem: chain.iter().map(|certificate| armour(certificate)).collect(),
            key_pem,
            names,
            not_before,
            not_after,
            issuer: leaf.issuer().to_string(),
            ends_at,
            is_self_signed,
        })
    }
}

/// The leaf is the one with this key; whoever certifies it follows, as far as it is there. A root at the end is left out: who
/// trusts it has it (RFC 8446 §4.4.2).
fn in_order(
    mut rest: Vec<CertificateDer<'static>>,
    private: &PrivateKeyDer<'static>,
) -> Result<Vec<CertificateDer<'static>>, PemFault> {
    let key = provider().key_provider.load_private_key(private.clone_key());
    // ring takes no short RSA key at all; the certificates tell why.
    let key = key.map_err(|error| match rest.iter().find_map(|certificate| weak_bits(certificate)) {
        Some(bits) => PemFault::WeakKey(bits),
        None => PemFault::UnknownKey(error.to_string()),
    })?;
    let is_its = |certificate: &CertificateDer<'static>| {
        CertifiedKey::new(vec![certificate.clone()], std::sync::Arc::clone(&key)).keys_match().is_ok()
    };
    let at = rest.iter().position(is_its).ok_or(PemFault::OtherKey)?;
    let mut chain = vec![rest.swap_remove(at)];
    while let Some(last) = chain.last() {
        let Ok((_, last)) = X509Certificate::from_der(last) else { return Err(PemFault::NoCertificate) };
        let issuer = last.issuer().as_raw();
        if issuer == last.subject().as_raw() {
            break;
        }
        let is_issuer = |certificate: &CertificateDer<'static>| {
            X509Certificate::from_der(certificate)
                .is_ok_and(|(_, found)| found.subject().as_raw() == issuer && found.issuer().as_raw() != issuer)
        };
        let Some(at) = rest.iter().position(is_issuer) else { break };
        let next = rest.swap_remove(at);
        chain.push(next);
    }
    Ok(chain)
}

/// What no server should show.
fn judge(leaf: &X509Certificate<'_>, now: Timestamp) -> Result<(Timestamp, Timestamp), PemFault> {
    let validity = leaf.validity();
    let begins = Timestamp::from_seconds(validity.not_before.timestamp());
    let ends = Timestamp::from_seconds(validity.not_after.timestamp());
    if let Some(bits) = weak_rsa(leaf) {
        return Err(PemFault::WeakKey(bits));
    }
    if BROKEN_SIGNATURES.contains(&leaf.signature_algorithm.algorithm.to_id_string().as_str()) {
        return Err(PemFault::WeakSignature);
    }
    if leaf.is_ca() {
        return Err(PemFault::IsCa);
    }
    if let Ok(Some(usage)) = leaf.extended_key_usage()
        && !usage.value.server_auth
        && !usage.value.any
    {
        return Err(PemFault::NotForServers);
    }
    if ends <= now {
        return Err(PemFault::Ended(ends));
    }
    if now < begins {
        return Err(PemFault::NotBegun(begins));
    }
    Ok((begins, ends))
}

fn weak_bits(certificate: &CertificateDer<'_>) -> Option<usize> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    weak_rsa(&certificate)
}

/// The bits of an RSA key that has too few.
fn weak_rsa(certificate: &X509Certificate<'_>) -> Option<usize> {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() < RSA_BITS => Some(key.key_size()),
        _ => None,
    }
}

/// RFC 5280 §4.2.1.6; the subject's common name counts no longer (RFC 9525 §2).
fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let Ok(Some(names)) = leaf.subject_alternative_name() else { return Vec::new() };
    let dns = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    dns.filter(|name| is_servable_name(name) && seen.insert(name.clone())).collect()
}

/// The key's own lines, without certificates that stand around it.
fn only_key(text: &str) -> String {
    let mut lines = Vec::new();
    let mut is_inside = false;
    for line in text.lines().map(str::trim) {
        is_inside |= line.starts_with("-----BEGIN") && line.contains("PRIVATE KEY");
        if is_inside {
            lines.push(line);
        }
        if is_inside && line.starts_with("-----END") {
            break;
        }
    }
    lines.push("");
    lines.join("\n")
}

/// RFC 7468.
fn armour(octets: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(octets);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_428_000);

    fn params(common_name: &str, names: &[&str]) -> CertificateParams {
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let now = time::OffsetDateTime::from_unix_timestamp(NOW.seconds()).unwrap();
        params.not_before = now - time::Duration::days(1);
        params.not_after = now + time::Duration::days(90);
        params
    }

    fn ca(common_name: &str) -> CertificateParams {
        let mut params = params(common_name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// Root, intermediate, leaf, and the leaf's key: PEM.
    fn chain(names: &[&str]) -> [String; 4] {
        let (root_key, middle_key, key) =
            (KeyPair::generate().unwrap(), KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root = ca("root").self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(ca("root"), root_key);
        let middle = ca("middle").signed_by(&middle_key, &root_issuer).unwrap();
        let middle_issuer = Issuer::new(ca("middle"), middle_key);
        let leaf = params("leaf", names).signed_by(&key, &middle_issuer).unwrap();
        [root.pem(), middle.pem(), leaf.pem(), key.serialize_pem()]
    }

    fn fault(chain: &str, key: &str) -> PemFault {
        Checked::read(chain, key, NOW).unwrap_err()
    }

    #[test]
    fn the_order_of_the_chain_is_mended() {
        let [root, middle, leaf, key] = chain(&["MX.example.org", "*.example.org", "mx.example.org"]);
        let right = format!("{leaf}{middle}");
        for (brought, key) in [
            (format!("{leaf}{middle}"), key.as_str()),
            (format!("{root}{middle}{leaf}"), &key),
            (format!("{middle}{key}{leaf}{root}"), ""),
            (format!("{}{}", leaf.replace('\n', "\r\n"), middle), &key),
        ] {
            let checked = Checked::read(&brought, key, NOW).unwrap();
            assert_eq!(checked.chain_pem, right.replace("\r\n", "\n"));
            assert_eq!(checked.names, ["mx.example.org", "*.example.org"]);
            assert!(checked.key_pem.expose().starts_with("-----BEGIN PRIVATE KEY-----\n"));
            assert!(!checked.key_pem.expose().contains("CERTIFICATE"));
            assert_eq!((checked.issuer.as_str(), checked.ends_at.as_str()), ("CN=middle", "CN=root"));
            assert!(!checked.is_self_signed);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let [_, middle, leaf, key] = chain(&["mx.example.org"]);
        let [_, _, _, other_key] = chain(&["mx.example.org"]);
        assert_eq!(fault("", &key), PemFault::NoCertificate);
        assert_eq!(fault("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", &key), PemFault::NoCertificate);
        assert_eq!(fault(&leaf, ""), PemFault::NoKey);
        assert_eq!(fault(&leaf, "nothing"), PemFault::NoKey);
        assert_eq!(fault(&leaf, &key.replace("PRIVATE", "ENCRYPTED PRIVATE")), PemFault::EncryptedKey);
        assert_eq!(fault(&leaf, &other_key), PemFault::OtherKey);
        assert_eq!(fault(&middle, &key), PemFault::OtherKey);
        assert_eq!(fault(&"x".repeat(MOST_OCTETS + 1), &key), PemFault::TooLong);
        assert_eq!(fault(&leaf.repeat(11), &key), PemFault::TooLong);
        let late = Timestamp::from_seconds(NOW.seconds() + 100 * 86_400);
        assert!(matches!(Checked::read(&leaf, &key, late).unwrap_err(), PemFault::Ended(_)));
        let early = Timestamp::from_seconds(NOW.seconds() - 100 * 86_400);
        assert!(matches!(Checked::read(&leaf, &key, early).unwrap_err(), PemFault::NotBegun(_)));
    }

    #[test]
    fn what_no_server_should_show_is_refused() {
        let key = KeyPair::generate().unwrap();
        let made = |params: CertificateParams| params.self_signed(&key).unwrap().pem();
        let mut for_clients = params("x", &["mx.example.org"]);
        for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        assert_eq!(fault(&made(for_clients), &key.serialize_pem()), PemFault::NotForServers);
        assert_eq!(fault(&made(ca("x")), &key.serialize_pem()), PemFault::IsCa);
        assert_eq!(fault(&made(params("mx.example.org", &[])), &key.serialize_pem()), PemFault::NoNames);
        let own = Checked::read(&made(params("x", &["mx.example.org"])), &key.serialize_pem(), NOW).unwrap();
        assert!(own.is_self_signed);
    }

    /// RSA-1024 and SHA-1, made by OpenSSL: rcgen makes neither.
    #[test]
    fn weak_keys_and_hashes_are_refused() {
        let weak = include_str!("../tests/weak-key.pem");
        assert_eq!(fault(weak, ""), PemFault::WeakKey(1024));
        assert_eq!(fault(include_str!("../tests/weak-hash.pem"), ""), PemFault::WeakSignature);
    }
}
