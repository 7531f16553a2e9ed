//! What is done with a message by its author's policy: facts in, decision out.

use relais_model::Domain;

use super::check::{DmarcCheck, DmarcResult, PolicyTag};
use super::record::Policy;
use crate::arc::{ArcCheck, ArcResult};
use crate::results::AuthResults;

/// What DMARC makes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Nothing against it.
    Deliver,
    /// To the junk.
    Quarantine,
    /// Refuse it.
    Reject,
}

/// What the house knows that the policy's owner can't.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overrides<'a> {
    /// The mailing list that the message came through, where the house knows it: a list changes messages by its nature (RFC 7960 §3.2).
    pub list: Option<&'a str>,
    /// Sealers whose word is taken (RFC 8617 §7.2).
    pub trusted_sealers: &'a [Domain],
}

/// What is done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is done.
    pub disposition: Disposition,
    /// Why.
    pub reason: DispositionReason,
}

/// Why a message is disposed of as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DispositionReason {
    /// It passed.
    Passed,
    /// There is no policy, or the message can't be asked for one.
    NoPolicy,
    /// The DNS owes an answer: nothing is held against the message.
    Unanswered,
    /// The policy asks for this.
    Policy {
        /// Whose record says so.
        domain: String,
        /// By which tag.
        tag: PolicyTag,
        /// What it says.
        policy: Policy,
    },
    /// The policy asks for this, but is being tested (`t=y`): one level less is done.
    Testing {
        /// Whose record says so.
        domain: String,
        /// What it says.
        policy: Policy,
    },
    /// The policy asks for more, but the message came through a list that we know.
    KnownList {
        /// The list.
        list: String,
        /// What the policy asks for.
        policy: Policy,
    },
    /// The policy asks for more, but hands that we trust saw it pass before it was changed.
    TrustedSealer {
        /// The newest of them.
        sealer: String,
        /// What the policy asks for.
        policy: Policy,
    },
}

/// Decides what becomes of a message (RFC 9989 §5.4; §7.4 lets a receiver override).
pub fn dispose(dmarc: &DmarcCheck, arc: &ArcCheck, overrides: &Overrides<'_>) -> Decision {
    let deliver = |reason| Decision { disposition: Disposition::Deliver, reason };
    match dmarc.result {
        DmarcResult::Pass => return deliver(DispositionReason::Passed),
        DmarcResult::TempError => return deliver(DispositionReason::Unanswered),
        DmarcResult::None | DmarcResult::PermError => return deliver(DispositionReason::NoPolicy),
        DmarcResult::Fail => {}
    }
    let (Some((tag, policy)), Some((domain, record))) = (dmarc.policy, &dmarc.record) else {
        return deliver(DispositionReason::NoPolicy);
    };
    if policy != Policy::None {
        if let Some(list) = overrides.list {
            return deliver(DispositionReason::KnownList { list: list.to_owned(), policy });
        }
        if let Some(sealer) = trusted_sealer(arc, overrides.trusted_sealers) {
            return deliver(DispositionReason::TrustedSealer { sealer, policy });
        }
    }
    let is_milder = record.is_testing && policy != Policy::None;
    let disposition = match if is_milder { policy.milder() } else { policy } {
        Policy::None => Disposition::Deliver,
        Policy::Quarantine => Disposition::Quarantine,
        Policy::Reject => Disposition::Reject,
    };
    let domain = domain.clone();
    let reason = if is_milder {
        DispositionReason::Testing { domain, policy }
    } else {
        DispositionReason::Policy { domain, tag, policy }
    };
    Decision { disposition, reason }
}

/// The newest sealer, where the chain is whole, all its sealers are trusted, and the first of them saw the message pass: each could have changed it, and only the first saw it as it was.
fn trusted_sealer(arc: &ArcCheck, trusted: &[Domain]) -> Option<String> {
    let is_trusted = |domain: &str| trusted.iter().any(|known| known.as_str() == domain);
    let (first, newest) = (arc.sets.first()?, arc.sets.last()?);
    let is_whole = arc.result == ArcResult::Pass && arc.sets.iter().all(|set| is_trusted(&set.domain));
    let results = AuthResults::parse(first.results.as_bytes()).filter(|_| is_whole)?;
    results.says("dmarc", "pass").then(|| newest.domain.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arc::{ArcReason, ArcSet};
    use crate::dmarc::{DmarcReason, DmarcRecord};

    fn failed(record: &str, tag: PolicyTag, policy: Policy) -> DmarcCheck {
        DmarcCheck {
            result: DmarcResult::Fail,
            reason: DmarcReason::NothingPassed,
            author: Some("d.example".to_owned()),
            organizational: Some("d.example".to_owned()),
            record: DmarcRecord::parse(record.as_bytes()).map(|record| ("d.example".to_owned(), record)),
            policy: Some((tag, policy)),
            is_dkim_aligned: false,
            is_spf_aligned: false,
        }
    }

    fn chain(result: ArcResult, sealers: &[&str], results: &str) -> ArcCheck {
        let set = |(domain, instance): (&&str, u32)| ArcSet {
            instance,
            domain: (*domain).to_owned(),
            selector: "s".to_owned(),
            results: results.to_owned(),
        };
        ArcCheck { result, reason: ArcReason::Good, sets: sealers.iter().zip(1..).map(set).collect() }
    }

    #[test]
    fn policies_are_followed_and_overridden() {
        let trusted = [Domain::parse("list.example").unwrap(), Domain::parse("relay.example").unwrap()];
        let passed = "mx.list.example; dkim=pass header.d=d.example; dmarc=pass header.from=d.example";
        let none = chain(ArcResult::None, &[], "");
        let good = chain(ArcResult::Pass, &["list.example", "relay.example"], passed);
        let (known, unknown) = (
            Overrides { list: Some("l.list.example"), trusted_sealers: &trusted },
            Overrides { list: None, trusted_sealers: &trusted },
        );
        let check =
            |dmarc: &DmarcCheck, arc: &ArcCheck, overrides: &Overrides<'_>, expected, wanted: DispositionReason| {
                assert_eq!(dispose(dmarc, arc, overrides), Decision { disposition: expected, reason: wanted });
            };
        let domain = || "d.example".to_owned();
        for (policy, plain, tested) in [
            (Policy::None, Disposition::Deliver, Disposition::Deliver),
            (Policy::Quarantine, Disposition::Quarantine, Disposition::Deliver),
            (Policy::Reject, Disposition::Reject, Disposition::Quarantine),
        ] {
            let said = DispositionReason::Policy { domain: domain(), tag: PolicyTag::Own, policy };
            check(&failed("v=DMARC1; p=none", PolicyTag::Own, policy), &none, &unknown, plain, said.clone());
            let testing =
                if policy == Policy::None { said } else { DispositionReason::Testing { domain: domain(), policy } };
            check(&failed("v=DMARC1; p=none; t=y", PolicyTag::Own, policy), &none, &unknown, tested, testing);
        }
        let reject = failed("v=DMARC1; p=reject", PolicyTag::Below, Policy::Reject);
        let refused = || DispositionReason::Policy { domain: domain(), tag: PolicyTag::Below, policy: Policy::Reject };
        let list = DispositionReason::KnownList { list: "l.list.example".to_owned(), policy: Policy::Reject };
        check(&reject, &none, &known, Disposition::Deliver, list);
        let sealed = DispositionReason::TrustedSealer { sealer: "relay.example".to_owned(), policy: Policy::Reject };
        check(&reject, &good, &unknown, Disposition::Deliver, sealed);
        // One sealer that nobody trusts, a broken chain, and a first hand that saw it fail.
        for arc in [
            chain(ArcResult::Pass, &["list.example", "evil.example"], passed),
            chain(ArcResult::Fail, &["list.example"], passed),
            chain(ArcResult::Pass, &["list.example"], "mx.list.example; dmarc=fail (dmarc=pass)"),
        ] {
            check(&reject, &arc, &unknown, Disposition::Reject, refused());
        }
        let temporary = DmarcCheck { result: DmarcResult::TempError, ..reject };
        check(&temporary, &none, &unknown, Disposition::Deliver, DispositionReason::Unanswered);
    }
}
