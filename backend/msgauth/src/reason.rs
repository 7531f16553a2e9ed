//! What a person is told: sentences of the catalogue (`auth.ftl`), before it is known in which language they are read.

use relais_model::Said;

use crate::arc::ArcReason;
use crate::dkim::{DkimReason, KeyError, SignatureError};
use crate::dmarc::{DispositionReason, DmarcReason};
use crate::iprev::Iprev;
use crate::spf::SpfReason;

/// Why a check came out as it did, as a sentence.
pub trait Reason {
    /// The sentence.
    fn said(&self) -> Said;
}

impl Reason for Iprev {
    fn said(&self) -> Said {
        match self {
            Self::Pass { name } => Said::new("auth-iprev-pass").words("name", name),
            Self::Fail { name } => Said::new("auth-iprev-fail").words("name", name),
            Self::NoName => Said::new("auth-iprev-no-name"),
            Self::TempError => Said::new("auth-iprev-unanswered"),
        }
    }
}

impl Reason for SpfReason {
    fn said(&self) -> Said {
        match self {
            Self::NoDomain => Said::new("auth-spf-no-domain"),
            Self::NoRecord => Said::new("auth-spf-no-record"),
            Self::Matched { domain, term } => Said::new("auth-spf-matched").words("domain", domain).words("term", term),
            Self::NothingMatched { domain } => Said::new("auth-spf-nothing-matched").words("domain", domain),
            Self::Unanswered(name) => Said::new("auth-unanswered").words("name", name),
            Self::SeveralRecords(name) => Said::new("auth-spf-several").words("name", name),
            Self::Malformed { domain, term } => {
                Said::new("auth-spf-malformed").words("domain", domain).words("term", term)
            }
            Self::LeadsNowhere(name) => Said::new("auth-spf-leads-nowhere").words("name", name),
            Self::TooManyLookups(term) => Said::new("auth-spf-lookups").words("term", term),
            Self::TooManyVoids(name) => Said::new("auth-spf-voids").words("name", name),
            Self::TooManyHosts(name) => Said::new("auth-spf-hosts").words("name", name),
        }
    }
}

impl Reason for SignatureError {
    fn said(&self) -> Said {
        match self {
            Self::Sha1 => Said::new("auth-dkim-sha1"),
            Self::FromUnsigned => Said::new("auth-dkim-from-unsigned"),
            Self::IdentityOutside => Said::new("auth-dkim-identity"),
            Self::Tags(_) | Self::Unreadable | Self::Missing(_) | Self::Malformed(_) | Self::Algorithm(_) => {
                Said::new("auth-dkim-unreadable").words("culprit", self.culprit())
            }
        }
    }
}

impl Reason for DkimReason {
    fn said(&self) -> Said {
        match self {
            Self::Good => Said::new("auth-dkim-good"),
            Self::Unreadable(error) => error.said(),
            Self::Expired(_) => Said::new("auth-dkim-expired"),
            Self::BodyChanged => Said::new("auth-dkim-body-changed"),
            Self::HeaderChanged => Said::new("auth-dkim-header-changed"),
            Self::BodyUnsigned(octets) => Said::new("auth-dkim-body-unsigned").number("octets", *octets),
            Self::KeyUnanswered(name) => Said::new("auth-unanswered").words("name", name),
            Self::KeyMissing(name) => Said::new("auth-dkim-key-missing").words("name", name),
            Self::KeyUnusable { name, error: KeyError::Revoked } => {
                Said::new("auth-dkim-key-revoked").words("name", name)
            }
            Self::KeyUnusable { name, error: KeyError::Short(bits) } => {
                Said::new("auth-dkim-key-short").words("name", name).number("bits", *bits)
            }
            Self::KeyUnusable { name, .. } => Said::new("auth-dkim-key-unusable").words("name", name),
            Self::IdentityBelow => Said::new("auth-dkim-identity-below"),
        }
    }
}

impl Reason for DmarcReason {
    fn said(&self) -> Said {
        match self {
            Self::NoAuthor => Said::new("auth-dmarc-no-author"),
            Self::SeveralAuthors(domains) => {
                Said::new("auth-dmarc-several-authors").words("domains", domains.join(", "))
            }
            Self::NoRecord => Said::new("auth-dmarc-no-record"),
            Self::NoPolicy => Said::new("auth-dmarc-no-policy"),
            Self::Aligned { dkim: Some(domain), .. } => Said::new("auth-dmarc-by-dkim").words("domain", domain),
            Self::Aligned { dkim: None, spf } => {
                Said::new("auth-dmarc-by-spf").words("domain", spf.as_deref().unwrap_or_default())
            }
            Self::NothingPassed => Said::new("auth-dmarc-nothing-passed"),
            Self::OthersPassed(domains) => Said::new("auth-dmarc-others-passed").words("domains", domains.join(", ")),
            Self::Unanswered(name) => Said::new("auth-unanswered").words("name", name),
        }
    }
}

impl Reason for ArcReason {
    fn said(&self) -> Said {
        match self {
            Self::NoSets => Said::new("auth-arc-none"),
            Self::Good => Said::new("auth-arc-good"),
            Self::TooMany => Said::new("auth-arc-too-many"),
            Self::Gap(field) => Said::new("auth-arc-gap").words("field", field.name()),
            Self::Unreadable { instance, field, .. } => {
                Said::new("auth-arc-unreadable").number("instance", *instance).words("field", field.name())
            }
            Self::BrokenBefore { instance } => Said::new("auth-arc-broken-before").number("instance", *instance),
            Self::Message { instance, reason: DkimReason::KeyUnanswered(name) }
            | Self::Seal { instance, reason: DkimReason::KeyUnanswered(name) } => {
                Said::new("auth-arc-unanswered").number("instance", *instance).words("name", name)
            }
            Self::Message { instance, .. } => Said::new("auth-arc-message").number("instance", *instance),
            Self::Seal { instance, .. } => Said::new("auth-arc-seal").number("instance", *instance),
        }
    }
}

impl Reason for DispositionReason {
    fn said(&self) -> Said {
        let policy_words = |said: Said, policy: &crate::dmarc::Policy| said.words("policy", policy.as_str());
        match self {
            Self::Passed => Said::new("auth-dispose-passed"),
            Self::NoPolicy => Said::new("auth-dispose-no-policy"),
            Self::Unanswered => Said::new("auth-dispose-unanswered"),
            Self::Policy { domain, policy, .. } => {
                policy_words(Said::new("auth-dispose-policy").words("domain", domain), policy)
            }
            Self::Testing { domain, policy } => {
                policy_words(Said::new("auth-dispose-testing").words("domain", domain), policy)
            }
            Self::KnownList { list, policy } => {
                policy_words(Said::new("auth-dispose-list").words("list", list), policy)
            }
            Self::TrustedSealer { sealer, policy } => {
                policy_words(Said::new("auth-dispose-sealer").words("sealer", sealer), policy)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arc::ArcField;
    use crate::dmarc::{Policy, PolicyTag};
    use relais_model::Gap;
    use relais_words::Language;

    fn all() -> Vec<Said> {
        let text = || "x.example".to_owned();
        let key = |error| DkimReason::KeyUnusable { name: text(), error };
        let mut all = Vec::new();
        all.extend(
            [Iprev::Pass { name: text() }, Iprev::Fail { name: text() }, Iprev::NoName, Iprev::TempError]
                .map(|one| one.said()),
        );
        all.extend(
            [
                SpfReason::NoDomain,
                SpfReason::NoRecord,
                SpfReason::Matched { domain: text(), term: text() },
                SpfReason::NothingMatched { domain: text() },
                SpfReason::Unanswered(text()),
                SpfReason::SeveralRecords(text()),
                SpfReason::Malformed { domain: text(), term: text() },
                SpfReason::LeadsNowhere(text()),
                SpfReason::TooManyLookups(text()),
                SpfReason::TooManyVoids(text()),
                SpfReason::TooManyHosts(text()),
            ]
            .map(|one| one.said()),
        );
        all.extend(
            [
                DkimReason::Good,
                DkimReason::Unreadable(SignatureError::Sha1),
                DkimReason::Unreadable(SignatureError::FromUnsigned),
                DkimReason::Unreadable(SignatureError::IdentityOutside),
                DkimReason::Unreadable(SignatureError::Missing("b")),
                DkimReason::Expired(1),
                DkimReason::BodyChanged,
                DkimReason::HeaderChanged,
                DkimReason::BodyUnsigned(7),
                DkimReason::KeyUnanswered(text()),
                DkimReason::KeyMissing(text()),
                key(KeyError::Revoked),
                key(KeyError::Short(512)),
                key(KeyError::NoKey),
                DkimReason::IdentityBelow,
            ]
            .map(|one| one.said()),
        );
        all.extend(
            [
                DmarcReason::NoAuthor,
                DmarcReason::SeveralAuthors(vec![text()]),
                DmarcReason::NoRecord,
                DmarcReason::NoPolicy,
                DmarcReason::Aligned { dkim: Some(text()), spf: None },
                DmarcReason::Aligned { dkim: None, spf: Some(text()) },
                DmarcReason::NothingPassed,
                DmarcReason::OthersPassed(vec![text()]),
                DmarcReason::Unanswered(text()),
            ]
            .map(|one| one.said()),
        );
        all.extend(
            [
                ArcReason::NoSets,
                ArcReason::Good,
                ArcReason::TooMany,
                ArcReason::Gap(ArcField::Seal),
                ArcReason::Unreadable { instance: 1, field: ArcField::Seal, error: SignatureError::Sha1 },
                ArcReason::BrokenBefore { instance: 2 },
                ArcReason::Message { instance: 1, reason: DkimReason::BodyChanged },
                ArcReason::Seal { instance: 1, reason: DkimReason::HeaderChanged },
                ArcReason::Seal { instance: 1, reason: DkimReason::KeyUnanswered(text()) },
            ]
            .map(|one| one.said()),
        );
        for policy in [Policy::None, Policy::Quarantine, Policy::Reject] {
            all.extend(
                [
                    DispositionReason::Passed,
                    DispositionReason::NoPolicy,
                    DispositionReason::Unanswered,
                    DispositionReason::Policy { domain: text(), tag: PolicyTag::Own, policy },
                    DispositionReason::Testing { domain: text(), policy },
                    DispositionReason::KnownList { list: text(), policy },
                    DispositionReason::TrustedSealer { sealer: text(), policy },
                ]
                .map(|one| one.said()),
            );
        }
        all
    }

    /// Fluent shows a gap that nobody fills as `{$name}`.
    #[test]
    fn every_sentence_is_said_in_both_languages() {
        for language in Language::ALL {
            for said in all() {
                assert!(language.knows(&said.id), "{}", said.id);
                let gaps = said.gaps.iter().map(|(name, gap)| match gap {
                    Gap::Number(number) => (&**name, (*number).into()),
                    Gap::Words(words) => (&**name, words.as_str().into()),
                });
                let text = language.say(&said.id, gaps);
                assert!(!text.contains('{') && !text.is_empty(), "{}: {text}", said.id);
            }
        }
    }
}
