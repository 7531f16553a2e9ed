//! Sealing what we forward (RFC 8617 §5.1).

use data_encoding::BASE64;
use relais_model::Timestamp;

use super::validate::sets;
use super::{ArcCheck, ArcReason, ArcResult, MOST_SETS};
use crate::dkim::canon::{Canonicalization, canonical_header, hash_body};
use crate::dkim::verify::Parts;
use crate::dkim::{Signer, SigningKeyError, signed_field, signed_names};

/// Why a message isn't sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The chain ended before us: a hand said `cv=fail`, or fifty sets stand there (§5.1.2, §4.2.1). The message goes on as it is.
    #[error("the chain has ended")]
    Ended,
    /// The key failed.
    #[error("the seal could not be made")]
    Key(#[source] SigningKeyError),
}

/// Seals a message that came to us with this chain. `results` is what we found, as [`crate::Authentication::results`] writes it. Gives the three fields of our set, each with CRLF,
/// to be put before the message; nothing of it may change afterwards but fields added on top.
///
/// # Errors
/// [`SealError`]: the message isn't sealed.
pub fn seal(
    raw: &[u8],
    chain: &ArcCheck,
    results: &str,
    signer: &Signer,
    now: Timestamp,
) -> Result<Vec<u8>, SealError> {
    let parts = Parts::of(raw);
    // What makes no chain can't be counted; nobody can seal it so that others follow.
    let Ok(sets) = sets(&parts) else { return Err(SealError::Ended) };
    let instance = u32::try_from(sets.len()).unwrap_or(u32::MAX).saturating_add(1);
    if instance > MOST_SETS || matches!(chain.reason, ArcReason::BrokenBefore { .. }) {
        return Err(SealError::Ended);
    }
    let found = field_of(&format!("ARC-Authentication-Results: i={instance}; {results}"));
    let message = message_signature(&parts, instance, signer, now).map_err(SealError::Key)?;
    let mut data = Vec::new();
    // §5.1.2: a broken chain can't be sealed, only our own set can.
    if chain.result != ArcResult::Fail {
        for set in &sets {
            for field in [&set.results, &set.message, &set.seal] {
                canonical_header(Canonicalization::Relaxed, field.raw, &mut data);
            }
        }
    }
    canonical_header(Canonicalization::Relaxed, &found, &mut data);
    canonical_header(Canonicalization::Relaxed, &message, &mut data);
    let tags = [
        ("i", instance.to_string()),
        ("a", signer.key.algorithm().as_str().to_owned()),
        ("cv", chain.result.as_str().to_owned()),
        ("d", signer.domain.to_string()),
        ("s", signer.selector.clone()),
        ("t", now.seconds().to_string()),
    ];
    let seal = signed_field("ARC-Seal", &tags, data, &signer.key).map_err(SealError::Key)?;
    Ok([seal, message, found].concat())
}

/// Our own field: what stands in `results` is folded already.
fn field_of(text: &str) -> Vec<u8> {
    format!("{text}\r\n").into_bytes()
}

fn message_signature(
    parts: &Parts<'_>,
    instance: u32,
    signer: &Signer,
    now: Timestamp,
) -> Result<Vec<u8>, SigningKeyError> {
    let mut names = signed_names(parts);
    // §4.1.2: the signatures that a later hand may want to see again.
    let signatures = parts.fields.iter().filter(|field| field.is("DKIM-Signature")).count().min(20);
    names.extend(std::iter::repeat_n("dkim-signature".to_owned(), signatures));
    let (hash, _) = hash_body(Canonicalization::Relaxed, parts.body, None);
    let tags = [
        ("i", instance.to_string()),
        ("a", signer.key.algorithm().as_str().to_owned()),
        ("c", "relaxed/relaxed".to_owned()),
        ("d", signer.domain.to_string()),
        ("s", signer.selector.clone()),
        ("t", now.seconds().to_string()),
        ("h", names.join(":")),
        ("bh", BASE64.encode(hash.as_ref())),
    ];
    let header = parts.signed_header(Canonicalization::Relaxed, &names);
    signed_field("ARC-Message-Signature", &tags, header, &signer.key)
}
