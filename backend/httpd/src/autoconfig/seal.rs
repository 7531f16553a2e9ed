//! A signature around a file (CMS, RFC 5652): `SignedData` with the content inside, by the key of a TLS certificate.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedAttributes, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use relais_model::Timestamp;
use sha2::{Digest as _, Sha256, Sha384};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::der::asn1::{Any, ObjectIdentifier, OctetString, SetOfVec};
use x509_cert::der::{self, DateTime, Decode as _, Encode as _, Tag};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

// RFC 5652 §4, §5.1, §11.
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
// RFC 5754 §2, §3.2, §3.3.
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ECDSA_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// How keys of TLS certificates sign, as far as devices know it: Ed25519 they don't.
const SCHEMES: [SignatureScheme; 3] =
    [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ECDSA_NISTP384_SHA384, SignatureScheme::RSA_PKCS1_SHA256];

/// What profiles are signed with: the certificate that the TLS doors show for the host's own name, so that whoever trusts one trusts
/// the other.
pub trait ProfileSigner: Debug + Send + Sync {
    /// As it is now; none where there is none.
    fn certified(&self) -> Option<Arc<CertifiedKey>>;
}

/// Why something isn't signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    /// A key of a kind that devices don't know, such as Ed25519.
    #[error("no device knows how this kind of key signs")]
    Scheme,
    /// There is no certificate beside the key.
    #[error("there is no certificate")]
    NoCertificate,
    /// A certificate that cannot be read, or written again.
    #[error("a certificate cannot be read: {0}")]
    Certificate(#[from] der::Error),
    /// The key doesn't sign.
    #[error(transparent)]
    Key(#[from] rustls::Error),
}

/// `content` signed at `now`, with the whole chain, in DER.
pub(super) fn seal(content: &[u8], with: &CertifiedKey, now: Timestamp) -> Result<Vec<u8>, SealError> {
    let signer = with.key.choose_scheme(&SCHEMES).ok_or(SealError::Scheme)?;
    let chain = with.cert.iter().map(|one| Certificate::from_der(one)).collect::<Result<Vec<_>, _>>()?;
    let leaf = chain.first().ok_or(SealError::NoCertificate)?.tbs_certificate();
    let sid = SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
        issuer: leaf.issuer().clone(),
        serial_number: leaf.serial_number().clone(),
    });
    let (digest_alg, digest, signature_algorithm) = match signer.scheme() {
        SignatureScheme::ECDSA_NISTP384_SHA384 => {
            (algorithm(SHA_384, None), Sha384::digest(content).to_vec(), algorithm(ECDSA_SHA_384, None))
        }
        SignatureScheme::ECDSA_NISTP256_SHA256 => {
            (algorithm(SHA_256, None), Sha256::digest(content).to_vec(), algorithm(ECDSA_SHA_256, None))
        }
        _ => (algorithm(SHA_256, None), Sha256::digest(content).to_vec(), algorithm(RSA, Some(Any::null()))),
    };
    let attributes = attributes(digest, now)?;
    // RFC 5652 §5.4: what is signed is the attributes as a SET OF, not with the tag that they have inside.
    let signature = OctetString::new(signer.sign(&attributes.to_der()?)?)?;
    let signer_info = SignerInfo {
        version: CmsVersion::V1,
        sid,
        digest_alg: digest_alg.clone(),
        signed_attrs: Some(attributes),
        signature_algorithm,
        signature,
        unsigned_attrs: None,
    };
    let certificates: Vec<CertificateChoices> = chain.into_iter().map(CertificateChoices::Certificate).collect();
    let sealed = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![digest_alg])?,
        encap_content_info: EncapsulatedContentInfo {
            econtent_type: DATA,
            econtent: Some(Any::new(Tag::OctetString, content)?),
        },
        certificates: Some(CertificateSet::try_from(certificates)?),
        crls: None,
        signer_infos: SignerInfos::try_from(vec![signer_info])?,
    };
    Ok(ContentInfo { content_type: SIGNED_DATA, content: Any::encode_from(&sealed)? }.to_der()?)
}

fn algorithm(oid: ObjectIdentifier, parameters: Option<Any>) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters }
}

/// RFC 5652 §11.1 to §11.3.
fn attributes(digest: Vec<u8>, now: Timestamp) -> Result<SignedAttributes, der::Error> {
    let seconds = Duration::from_secs(u64::try_from(now.seconds()).unwrap_or_default());
    let time = Time::from(DateTime::from_unix_duration(seconds)?);
    let attribute = |oid, value| Ok::<_, der::Error>(Attribute { oid, values: SetOfVec::try_from(vec![value])? });
    SetOfVec::try_from(vec![
        attribute(CONTENT_TYPE, Any::encode_from(&DATA)?)?,
        attribute(SIGNING_TIME, Any::encode_from(&time)?)?,
        attribute(MESSAGE_DIGEST, Any::encode_from(&OctetString::new(digest)?)?)?,
    ])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Output};

    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SignatureAlgorithm,
    };
    use tokio_rustls::rustls::crypto::ring::default_provider;
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_428_000);

    /// A server's certificate below a CA of its own, whose PEM comes along.
    fn certified(key: &KeyPair) -> (CertifiedKey, String) {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.distinguished_name.push(DnType::CommonName, "A CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let mut leaf = CertificateParams::new(vec!["mx.example.org".to_owned()]).unwrap();
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = leaf.signed_by(key, &Issuer::from_params(&ca, &ca_key)).unwrap();
        let chain = vec![leaf.der().clone(), ca_certificate.der().clone()];
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        (CertifiedKey::from_der(chain, private, &default_provider()).unwrap(), ca_certificate.pem())
    }

    fn made(algorithm: &'static SignatureAlgorithm) -> KeyPair {
        KeyPair::generate_for(algorithm).unwrap()
    }

    /// Of RSA, which ring doesn't make; none where OpenSSL is missing.
    fn rsa(folder: &Path) -> Option<KeyPair> {
        let file = folder.join("rsa.pem");
        let make = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"];
        let output = Command::new("openssl").args(make).arg(&file).output().ok()?;
        assert!(output.status.success(), "{output:?}");
        Some(KeyPair::from_pem(&fs::read_to_string(file).unwrap()).unwrap())
    }

    /// What OpenSSL finds inside; it believes only this CA.
    fn verify(folder: &Path, sealed: &[u8], ca: &str) -> Option<Output> {
        let (file, roots) = (folder.join("sealed"), folder.join("ca.pem"));
        fs::write(&file, sealed).unwrap();
        fs::write(&roots, ca).unwrap();
        let mut command = Command::new("openssl");
        command.args(["smime", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-in"]).arg(file);
        command.arg("-CAfile").arg(roots).output().ok()
    }

    #[test]
    fn openssl_finds_what_was_signed() {
        let folder = tempfile::tempdir().unwrap();
        let Some(rsa) = rsa(folder.path()) else {
            eprintln!("skipped: there is no openssl here");
            return;
        };
        let content = "<?xml version=\"1.0\"?>\n<plist>é</plist>\n".as_bytes();
        for key in [rsa, made(&rcgen::PKCS_ECDSA_P256_SHA256), made(&rcgen::PKCS_ECDSA_P384_SHA384)] {
            let (certified, ca) = certified(&key);
            let sealed = seal(content, &certified, NOW).unwrap();
            let output = verify(folder.path(), &sealed, &ca).unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.stdout, content);
            let mut changed = sealed;
            let place = changed.windows(5).position(|octets| octets == b"plist").unwrap();
            changed[place] = b'q';
            assert!(!verify(folder.path(), &changed, &ca).unwrap().status.success(), "it was changed on the way");
        }
    }

    #[test]
    fn a_key_that_devices_do_not_know_signs_nothing() {
        let (certified, _) = certified(&made(&rcgen::PKCS_ED25519));
        assert!(matches!(seal(b"x", &certified, NOW), Err(SealError::Scheme)));
    }
}
