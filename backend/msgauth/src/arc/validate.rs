//! Validating a chain (RFC 8617 §5.2).

use std::collections::BTreeMap;

use relais_message::{Field, unfold};

use super::{ArcCheck, ArcField, ArcReason, ArcResult, ArcSet, MOST_SETS};
use crate::dkim::Algorithm;
use crate::dkim::DkimReason;
use crate::dkim::canon::{Canonicalization, canonical_header, hash_body};
use crate::dkim::signature::{MOST_OCTETS, Signature, SignatureError, algorithm, base64, name, number, read_tags};
use crate::dkim::verify::{Parts, key_for, signature_header};
use crate::resolver::Resolver;
use crate::tags::is_blank;

/// The three fields of a set.
#[derive(Clone, Copy)]
pub(super) struct Set<'a> {
    pub(super) results: Field<'a>,
    pub(super) message: Field<'a>,
    pub(super) seal: Field<'a>,
}

/// An ARC-Seal's tags (§4.1.3).
struct Seal {
    algorithm: Algorithm,
    signature: Vec<u8>,
    chain: ArcResult,
    domain: String,
    selector: String,
}

/// Validates the chain of a message. The DNS is asked once for the newest signature and once for each seal, of which there are fifty at most. An answer that the DNS owes breaks the
/// chain as a wrong one does: the RFC knows no other state.
pub async fn validate(resolver: &dyn Resolver, raw: &[u8]) -> ArcCheck {
    let parts = Parts::of(raw);
    let sets = match sets(&parts) {
        Ok(sets) if sets.is_empty() => {
            return ArcCheck { result: ArcResult::None, reason: ArcReason::NoSets, sets: Vec::new() };
        }
        Ok(sets) => sets,
        Err(reason) => return ArcCheck { result: ArcResult::Fail, reason, sets: Vec::new() },
    };
    let (seals, told) = match read(&sets) {
        Ok(read) => read,
        Err(reason) => return ArcCheck { result: ArcResult::Fail, reason, sets: Vec::new() },
    };
    match hold(resolver, &parts, &sets, &seals).await {
        Ok(()) => ArcCheck { result: ArcResult::Pass, reason: ArcReason::Good, sets: told },
        Err(reason) => ArcCheck { result: ArcResult::Fail, reason, sets: told },
    }
}

/// The sets in their order; empty where no ARC field stands in the header.
pub(super) fn sets<'a>(parts: &Parts<'a>) -> Result<Vec<Set<'a>>, ArcReason> {
    let results = numbered(parts, ArcField::Results)?;
    let messages = numbered(parts, ArcField::Message)?;
    let seals = numbered(parts, ArcField::Seal)?;
    let most = results.len().max(messages.len()).max(seals.len());
    for (fields, field) in [(&results, ArcField::Results), (&messages, ArcField::Message), (&seals, ArcField::Seal)] {
        if fields.len() != most || fields.keys().zip(1..).any(|(have, want)| *have != want) {
            return Err(ArcReason::Gap(field));
        }
    }
    let sets = results.into_values().zip(messages.into_values()).zip(seals.into_values());
    Ok(sets.map(|((results, message), seal)| Set { results, message, seal }).collect())
}

/// The fields of one kind by their numbers; each number once.
fn numbered<'a>(parts: &Parts<'a>, kind: ArcField) -> Result<BTreeMap<u32, Field<'a>>, ArcReason> {
    let mut found = BTreeMap::new();
    for field in parts.fields.iter().filter(|field| field.is(kind.name())) {
        let instance = match kind {
            ArcField::Results => results_instance(field.value).map(|(instance, _)| instance),
            ArcField::Message | ArcField::Seal => {
                read_tags(field.value).ok().and_then(|tags| instance(tags.value("i")?))
            }
        };
        if found.len() >= usize::try_from(MOST_SETS).unwrap_or(usize::MAX) {
            return Err(ArcReason::TooMany);
        }
        if instance.is_none_or(|instance| found.insert(instance, *field).is_some()) {
            return Err(ArcReason::Gap(kind));
        }
    }
    Ok(found)
}

fn instance(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|instance| is_number && (1..=MOST_SETS).contains(instance))
}

/// `i=N;` and what follows (§4.1.1). Every seal is over all of them again: longer ones are none.
fn results_instance(value: &[u8]) -> Option<(u32, &[u8])> {
    if value.len() > MOST_OCTETS {
        return None;
    }
    let semicolon = value.iter().position(|octet| *octet == b';')?;
    let (tag, rest) = value.split_at_checked(semicolon)?;
    let (name, digits) = str::from_utf8(tag).ok()?.split_once('=')?;
    let instance = instance(digits.trim_matches(is_blank)).filter(|_| name.trim_matches(is_blank) == "i")?;
    Some((instance, rest.get(1..)?))
}

/// Reads what the seals say, and who they are.
fn read(sets: &[Set<'_>]) -> Result<(Vec<Seal>, Vec<ArcSet>), ArcReason> {
    let (mut seals, mut told) = (Vec::new(), Vec::new());
    for (set, instance) in sets.iter().zip(1..) {
        let seal = Seal::parse(set.seal.value).map_err(|error| ArcReason::Unreadable {
            instance,
            field: ArcField::Seal,
            error,
        })?;
        // §4.1.3 and §5.2, step 3: the first hand found no chain, all later ones a whole one.
        let wanted = if instance == 1 { ArcResult::None } else { ArcResult::Pass };
        if seal.chain != wanted {
            return Err(ArcReason::BrokenBefore { instance });
        }
        let results = results_instance(set.results.value).map(|(_, rest)| unfold(rest)).unwrap_or_default();
        told.push(ArcSet {
            instance,
            domain: seal.domain.clone(),
            selector: seal.selector.clone(),
            results: String::from_utf8_lossy(&results).into_owned(),
        });
        seals.push(seal);
    }
    Ok((seals, told))
}

impl Seal {
    fn parse(value: &[u8]) -> Result<Self, SignatureError> {
        let tags = read_tags(value)?;
        // §4.1.3: "the header field MUST NOT contain an h tag", nor does it sign a body.
        for tag in ["h", "bh"] {
            if tags.value(tag).is_some() {
                return Err(SignatureError::Malformed(tag));
            }
        }
        number(&tags, "t")?;
        let chain = match tags.value("cv").ok_or(SignatureError::Missing("cv"))? {
            "none" => ArcResult::None,
            "pass" => ArcResult::Pass,
            "fail" => ArcResult::Fail,
            _ => return Err(SignatureError::Malformed("cv")),
        };
        Ok(Self {
            algorithm: algorithm(&tags)?,
            signature: base64(&tags, "b")?,
            chain,
            domain: name(&tags, "d")?,
            selector: name(&tags, "s")?,
        })
    }
}

/// §5.2, steps 4 and 6: the newest message signature, and every seal from the newest to the oldest.
async fn hold(resolver: &dyn Resolver, parts: &Parts<'_>, sets: &[Set<'_>], seals: &[Seal]) -> Result<(), ArcReason> {
    let Some((newest, instance)) = sets.iter().zip(1..).last() else { return Ok(()) };
    message_holds(resolver, parts, newest, instance).await?;
    for (at, seal) in seals.iter().enumerate().rev() {
        let instance = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let broken = |reason| ArcReason::Seal { instance, reason };
        let key = key_for(resolver, &format!("{}._domainkey.{}", seal.selector, seal.domain), seal.algorithm).await;
        let key = key.map_err(broken)?;
        if !key.key.verifies(&sealed_header(sets.get(..=at).unwrap_or(sets)), &seal.signature) {
            return Err(broken(DkimReason::HeaderChanged));
        }
    }
    Ok(())
}

async fn message_holds(
    resolver: &dyn Resolver,
    parts: &Parts<'_>,
    set: &Set<'_>,
    instance: u32,
) -> Result<(), ArcReason> {
    let unreadable = |error| ArcReason::Unreadable { instance, field: ArcField::Message, error };
    let broken = |reason| ArcReason::Message { instance, reason };
    let tags = read_tags(set.message.value).map_err(unreadable)?;
    // RFC 8617 is silent on a missing `c=`; its suite and dkimpy take it as relaxed, unlike DKIM's.
    let signature = Signature::parse_tags(&tags, "relaxed/relaxed").map_err(unreadable)?;
    // §4.1.2: seals come and go above the message.
    if signature.names.iter().any(|name| name == "arc-seal") {
        return Err(unreadable(SignatureError::Malformed("h")));
    }
    let key = key_for(resolver, &signature.key_name(), signature.algorithm).await.map_err(broken)?;
    let (hash, octets) = hash_body(signature.body, parts.body, signature.body_octets);
    if hash.as_ref() != signature.body_hash || signature.body_octets.is_some_and(|signed| signed > octets) {
        return Err(broken(DkimReason::BodyChanged));
    }
    if let Some(signed) = signature.body_octets.filter(|signed| *signed < octets) {
        return Err(broken(DkimReason::BodyUnsigned(octets - signed)));
    }
    let mut data = parts.signed_header(signature.header, &signature.names);
    signature_header(signature.header, set.message.raw, &mut data);
    if key.key.verifies(&data, &signature.signature) { Ok(()) } else { Err(broken(DkimReason::HeaderChanged)) }
}

/// What the last of these sets' seals is over (§5.1.1): all sets in their order, relaxed, the last seal without its value.
pub(super) fn sealed_header(sets: &[Set<'_>]) -> Vec<u8> {
    let mut data = Vec::new();
    for (at, set) in sets.iter().enumerate() {
        canonical_header(Canonicalization::Relaxed, set.results.raw, &mut data);
        canonical_header(Canonicalization::Relaxed, set.message.raw, &mut data);
        if at + 1 == sets.len() {
            signature_header(Canonicalization::Relaxed, set.seal.raw, &mut data);
        } else {
            canonical_header(Canonicalization::Relaxed, set.seal.raw, &mut data);
        }
    }
    data
}
