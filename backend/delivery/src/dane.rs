//! DANE for SMTP (RFC 7672): whether a certificate is one that TLSA records name. Pure: which records there are, and that DNSSEC proves them, others have found out.

use relais_model::Domain;
use ring::digest::{SHA256, SHA512, digest};
use rustls::CertificateError;
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::ports::TlsaRecord;

/// Records of one host that count: a zone that holds more is no host's.
const MOST_RECORDS: usize = 50;
/// Certificates of a chain that are compared with a record that names an authority.
const MOST_CERTIFICATES: usize = 10;

const DANE_TA: u8 = 2;
const DANE_EE: u8 = 3;
const WHOLE: u8 = 0;
const PUBLIC_KEY: u8 = 1;

/// What a host's TLSA records ask of its certificate: at least one of them can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dane {
    records: Vec<TlsaRecord>,
    base: Domain,
    /// Other names that the certificate may bear.
    names: Vec<Domain>,
}

impl Dane {
    /// `base` is the TLSA base domain; `names` are those that the certificate may bear beside it, where an authority is named: the host's name before
    /// aliases, and the mail's domain (RFC 7672 §3.2.2). None where no record can be used.
    pub(crate) fn new(records: Vec<TlsaRecord>, base: Domain, names: Vec<Domain>) -> Option<Self> {
        let records: Vec<_> = records.into_iter().filter(is_usable).take(MOST_RECORDS).collect();
        (!records.is_empty()).then_some(Self { records, base, names })
    }

    /// The TLSA base domain.
    pub(crate) fn base(&self) -> &Domain {
        &self.base
    }

    /// Whether one of the records names the certificate, or an authority in its chain.
    ///
    /// # Errors
    /// `ApplicationVerificationFailure`: none does. Others: an authority is named, and what lies between it and the certificate isn't good.
    pub(crate) fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<(), CertificateError> {
        // RFC 7672 §3.1.1: neither names nor dates count, the record says all.
        if self.of_usage(DANE_EE).any(|record| matches(record, end_entity)) {
            return Ok(());
        }
        let leaf = EndEntityCert::try_from(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        let mut why = CertificateError::ApplicationVerificationFailure;
        for anchor in self.anchors(end_entity, intermediates) {
            let (anchors, usage) = ([anchor], KeyUsage::server_auth());
            let path = leaf.verify_for_usage(algorithms, &anchors, intermediates, now, usage, None, None);
            match path {
                Ok(_) if self.bears_a_name(&leaf) => return Ok(()),
                Ok(_) => why = CertificateError::NotValidForName,
                Err(webpki::Error::CertExpired { .. }) => why = CertificateError::Expired,
                Err(webpki::Error::CertNotValidYet { .. }) => why = CertificateError::NotValidYet,
                Err(_) => {}
            }
        }
        Err(why)
    }

    fn of_usage(&self, usage: u8) -> impl Iterator<Item = &TlsaRecord> {
        self.records.iter().filter(move |record| record.usage == usage)
    }

    /// The authorities that records name: in the chain, or whole in the record (RFC 7671 §5.2).
    fn anchors<'a>(
        &'a self,
        end_entity: &'a CertificateDer<'_>,
        intermediates: &'a [CertificateDer<'_>],
    ) -> Vec<TrustAnchor<'a>> {
        let mut anchors = Vec::new();
        for record in self.of_usage(DANE_TA) {
            let shown = intermediates.iter().take(MOST_CERTIFICATES).filter(|certificate| matches(record, certificate));
            anchors.extend(shown.filter_map(|certificate| anchor_from_trusted_cert(certificate).ok()));
            match (record.selector, record.matching) {
                (WHOLE, 0) => anchors.extend(anchor_of(&record.data)),
                // RFC 7671 §5.2.2: a bare key, of whoever issued one of the certificates that are shown.
                (PUBLIC_KEY, 0) => {
                    let chain = std::iter::once(end_entity).chain(intermediates.iter().take(MOST_CERTIFICATES));
                    anchors.extend(chain.filter_map(|certificate| bare_key(certificate, &record.data)));
                }
                _ => {}
            }
        }
        anchors
    }

    fn bears_a_name(&self, leaf: &EndEntityCert<'_>) -> bool {
        std::iter::once(&self.base).chain(&self.names).any(|name| {
            let name = ServerName::try_from(name.as_str());
            name.is_ok_and(|name| leaf.verify_is_valid_for_subject_name(&name).is_ok())
        })
    }
}

/// RFC 7672 §3.1.3: 0 and 1 are not for SMTP. RFC 7671 §4.1: what isn't known, or has the wrong length, is passed over.
fn is_usable(record: &TlsaRecord) -> bool {
    let fits = match record.matching {
        0 if record.selector == WHOLE => anchor_of(&record.data).is_some() || record.usage == DANE_EE,
        0 => !record.data.is_empty(),
        1 => record.data.len() == SHA256.output_len(),
        2 => record.data.len() == SHA512.output_len(),
        _ => false,
    };
    matches!(record.usage, DANE_TA | DANE_EE)
        && matches!(record.selector, WHOLE | PUBLIC_KEY)
        && fits
        && !record.data.is_empty()
}

fn matches(record: &TlsaRecord, certificate: &CertificateDer<'_>) -> bool {
    let key;
    let selected: &[u8] = if record.selector == WHOLE {
        certificate
    } else {
        let Ok(parsed) = EndEntityCert::try_from(certificate) else { return false };
        key = parsed.subject_public_key_info();
        key.as_ref()
    };
    match record.matching {
        0 => selected == record.data,
        1 => digest(&SHA256, selected).as_ref() == record.data,
        _ => digest(&SHA512, selected).as_ref() == record.data,
    }
}

fn anchor_of(der: &[u8]) -> Option<TrustAnchor<'static>> {
    let certificate = CertificateDer::from(der);
    anchor_from_trusted_cert(&certificate).ok().map(|anchor| anchor.to_owned())
}

fn bare_key(certificate: &CertificateDer<'_>, key: &[u8]) -> Option<TrustAnchor<'static>> {
    let parsed = EndEntityCert::try_from(certificate).ok()?;
    let anchor = TrustAnchor {
        subject: parsed.issuer().into(),
        subject_public_key_info: inside_sequence(key)?.into(),
        name_constraints: None,
    };
    Some(anchor.to_owned())
}

/// The content of one DER SEQUENCE (X.690 §8.1), which is how a [`TrustAnchor`] wants a key.
fn inside_sequence(der: &[u8]) -> Option<&[u8]> {
    let (&[0x30, first], rest) = der.split_first_chunk::<2>()? else { return None };
    let (octets, content) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(octets, content)| (usize::from(*octets), content))?,
        0x82 => {
            let (octets, content) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*octets)), content)
        }
        _ => return None,
    };
    (content.len() == octets).then_some(content)
}

#[cfg(test)]
mod tests;
