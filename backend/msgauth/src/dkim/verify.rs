//! Verifying the signatures of a message (RFC 6376 §6).

use std::collections::HashMap;

use data_encoding::BASE64;
use relais_message::{Field, fields, header_octets};
use relais_model::Timestamp;

use super::Algorithm;
use super::canon::{BodyHashes, Canonicalization, canonical_header};
use super::key::{KeyError, KeyRecord};
use super::signature::{Signature, SignatureError, without_signature};
use crate::resolver::{Lack, Resolver};

/// Signatures of one message that are verified; RFC 6376 §6.1 lets a verifier limit them.
pub const MOST_SIGNATURES: usize = 10;
/// Records at a key's name that are tried; there should be one (§3.6.2.2).
const MOST_RECORDS: usize = 3;

/// RFC 8601 §2.7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the RFC's own words")]
pub enum DkimResult {
    Pass,
    Fail,
    Policy,
    Neutral,
    TempError,
    PermError,
}

impl DkimResult {
    /// The RFC's own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// What became of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimCheck {
    /// How it came out.
    pub result: DkimResult,
    /// Why.
    pub reason: DkimReason,
    /// The signature; none where it can't be read.
    pub signature: Option<Signature>,
    /// The key's length in bits; none where there was no key.
    pub key_bits: Option<usize>,
    /// The key's record says that the domain is trying DKIM out (`t=y`): a failure counts as no signature (§3.6.1).
    pub is_testing: bool,
}

impl DkimCheck {
    /// `d=`; none where the signature can't be read.
    pub fn domain(&self) -> Option<&str> {
        self.signature.as_ref().map(|signature| signature.domain.as_str())
    }

    /// Where its key stands; empty where the signature can't be read.
    pub fn key_name(&self) -> String {
        self.signature.as_ref().map(Signature::key_name).unwrap_or_default()
    }

    /// Whether it passes.
    pub fn is_pass(&self) -> bool {
        self.result == DkimResult::Pass
    }

    /// The first eight characters of `b=`, which tell signatures of one domain apart (RFC 6008 §3).
    pub fn signature_start(&self) -> Option<String> {
        let octets = self.signature.as_ref()?.signature.get(..6)?;
        Some(BASE64.encode(octets))
    }
}

/// Why a signature came out as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DkimReason {
    /// Pass: header and body are as they were signed.
    Good,
    /// Neutral: the field is no signature that can be verified; permerror where a standard forbids what it says.
    Unreadable(SignatureError),
    /// Fail: its time is over, at so many seconds since 1970.
    Expired(u64),
    /// Fail: the body was changed on the way.
    BodyChanged,
    /// Fail: a signed field, or the signature, was changed on the way, or another key signed.
    HeaderChanged,
    /// Policy: so many octets of the body aren't signed (`l=`): anybody may have added them (§8.2).
    BodyUnsigned(u64),
    /// Temperror: the DNS owes the key at this name.
    KeyUnanswered(String),
    /// Permerror: there is no key at this name.
    KeyMissing(String),
    /// Permerror: what stands at this name is no key for it.
    KeyUnusable {
        /// The key's name.
        name: String,
        /// What is wrong with it.
        error: KeyError,
    },
    /// Permerror: the key is for `d=` itself alone, and `i=` is below it (`t=s`).
    IdentityBelow,
}

/// The fields of a message, to be signed or verified, and its body.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) body: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(crate) fn of(raw: &'a [u8]) -> Self {
        let (header, body) = raw.split_at_checked(header_octets(raw)).unwrap_or((raw, &[]));
        Self { fields: fields(header).collect(), body }
    }

    /// The canonical form of the named fields (§5.4.2): of several with one name the last comes first; what isn't there is nothing.
    pub(crate) fn signed_header(&self, kind: Canonicalization, names: &[String]) -> Vec<u8> {
        let mut by_name: HashMap<String, Vec<&[u8]>> = HashMap::new();
        for field in &self.fields {
            by_name.entry(String::from_utf8_lossy(field.name).to_ascii_lowercase()).or_default().push(field.raw);
        }
        let mut out = Vec::new();
        for name in names {
            if let Some(field) = by_name.get_mut(name).and_then(Vec::pop) {
                canonical_header(kind, field, &mut out);
            }
        }
        out
    }
}

/// The canonical form of a signature's own field: without its value and without the last line end (§3.7).
pub(crate) fn signature_header(kind: Canonicalization, field: &[u8], out: &mut Vec<u8>) {
    canonical_header(kind, &without_signature(field), out);
    while matches!(out.last(), Some(b'\r' | b'\n')) {
        out.pop();
    }
}

/// Verifies the first ten signatures of a message, in the order of its header. Work is bounded by that and the message's length; the DNS is asked once a signature.
pub async fn verify(resolver: &dyn Resolver, raw: &[u8], now: Timestamp) -> Vec<DkimCheck> {
    let parts = Parts::of(raw);
    let mut verifier = Verifier { resolver, parts: &parts, hashes: BodyHashes::new(parts.body), now };
    let mut checks = Vec::new();
    for field in parts.fields.iter().filter(|field| field.is("DKIM-Signature")).take(MOST_SIGNATURES) {
        checks.push(verifier.verify(field).await);
    }
    checks
}

struct Verifier<'a> {
    resolver: &'a dyn Resolver,
    parts: &'a Parts<'a>,
    hashes: BodyHashes<'a>,
    now: Timestamp,
}

impl Verifier<'_> {
    async fn verify(&mut self, field: &Field<'_>) -> DkimCheck {
        let unread = |result, reason| DkimCheck { result, reason, signature: None, key_bits: None, is_testing: false };
        let signature = match Signature::parse(field.value) {
            Ok(signature) => signature,
            Err(error @ (SignatureError::Sha1 | SignatureError::FromUnsigned | SignatureError::IdentityOutside)) => {
                return unread(DkimResult::PermError, DkimReason::Unreadable(error));
            }
            Err(error) => return unread(DkimResult::Neutral, DkimReason::Unreadable(error)),
        };
        let key = key_for(self.resolver, &signature.key_name(), signature.algorithm).await;
        let (key_bits, is_testing) = key.as_ref().map_or((None, false), |key| (Some(key.key.bits()), key.is_testing));
        let (result, reason) = match key {
            Ok(key) => self.judge(field, &signature, &key),
            Err(reason @ DkimReason::KeyUnanswered(_)) => (DkimResult::TempError, reason),
            Err(reason) => (DkimResult::PermError, reason),
        };
        DkimCheck { result, reason, signature: Some(signature), key_bits, is_testing }
    }

    fn judge(&mut self, field: &Field<'_>, signature: &Signature, key: &KeyRecord) -> (DkimResult, DkimReason) {
        let at = signature.identity.rsplit_once('@').map_or("", |(_, at)| at);
        if key.is_strict && !at.eq_ignore_ascii_case(&signature.domain) {
            return (DkimResult::PermError, DkimReason::IdentityBelow);
        }
        if let Some(expires) = signature.expires_at
            && i64::try_from(expires).is_ok_and(|expires| expires < self.now.seconds())
        {
            return (DkimResult::Fail, DkimReason::Expired(expires));
        }
        let (hash, octets) = self.hashes.hash(signature.body, signature.body_octets);
        let is_cut = signature.body_octets.is_some_and(|signed| signed > octets);
        if is_cut || hash.as_ref() != signature.body_hash {
            return (DkimResult::Fail, DkimReason::BodyChanged);
        }
        let mut data = self.parts.signed_header(signature.header, &signature.names);
        signature_header(signature.header, field.raw, &mut data);
        if !key.key.verifies(&data, &signature.signature) {
            return (DkimResult::Fail, DkimReason::HeaderChanged);
        }
        match signature.body_octets {
            Some(signed) if signed < octets => (DkimResult::Policy, DkimReason::BodyUnsigned(octets - signed)),
            _ => (DkimResult::Pass, DkimReason::Good),
        }
    }
}

/// The key that stands at `name`.
pub(crate) async fn key_for(
    resolver: &dyn Resolver,
    name: &str,
    algorithm: Algorithm,
) -> Result<KeyRecord, DkimReason> {
    let texts = match resolver.txt(name).await {
        Ok(texts) => texts,
        Err(Lack::NoSuchName | Lack::NoData) => return Err(DkimReason::KeyMissing(name.to_owned())),
        Err(Lack::Silence) => return Err(DkimReason::KeyUnanswered(name.to_owned())),
    };
    let mut first_error = None;
    for text in texts.iter().take(MOST_RECORDS) {
        match KeyRecord::parse(text, algorithm) {
            Ok(key) => return Ok(key),
            Err(error) => _ = first_error.get_or_insert(error),
        }
    }
    let error = first_error.unwrap_or(KeyError::NoKey);
    Err(DkimReason::KeyUnusable { name: name.to_owned(), error })
}
