//! DMARC records (RFC 7489 §6.3).

use crate::tags::{Tags, TagsError, claims};
use crate::wanted::{DmarcWish, mailto};

/// What is asked for mail that fails, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DmarcPolicy {
    /// Nothing: reports alone.
    None,
    /// To the junk.
    Quarantine,
    /// Refused.
    Reject,
}

impl DmarcPolicy {
    /// The record's `p=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(text))
    }
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dmarc {
    /// `p=`.
    pub policy: DmarcPolicy,
    /// Where reports go (`rua=`), as they stand; may be empty.
    pub reports: Vec<String>,
    /// Of a hundred failing messages, how many the policy is for (`pct=`).
    pub percent: u8,
}

/// Why receivers pass a record over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DmarcError {
    /// No list of tags.
    #[error(transparent)]
    Tags(#[from] TagsError),
    /// `v=DMARC1` isn't first (§6.3).
    #[error("v=DMARC1 must come first")]
    Version,
    /// `p=` is missing, or none of the three.
    #[error("p= must be none, quarantine or reject")]
    Policy,
    /// `pct=` is no number up to 100.
    #[error("pct= must be 0 to 100")]
    Percent,
    /// A report's address without a scheme.
    #[error("`{0}` is no address for reports")]
    Reports(String),
}

impl DmarcError {
    /// What is to blame, as it stands in the record, or should.
    pub fn culprit(&self) -> String {
        match self {
            Self::Tags(error) => error.culprit(),
            Self::Version => "v=DMARC1;".to_owned(),
            Self::Policy => "p=".to_owned(),
            Self::Percent => "pct=".to_owned(),
            Self::Reports(uri) => uri.clone(),
        }
    }
}

/// Whether a TXT record claims to be a DMARC record; others at the name are passed over (RFC 7489 §6.6.3).
pub fn is_dmarc(text: &str) -> bool {
    claims(text, "DMARC1")
}

impl Dmarc {
    /// Reads a record.
    ///
    /// # Errors
    /// [`DmarcError`].
    pub fn parse(text: &str) -> Result<Self, DmarcError> {
        let tags = Tags::parse(text)?;
        if tags.first() != Some(("v", "DMARC1")) {
            return Err(DmarcError::Version);
        }
        let policy = tags.value("p").and_then(DmarcPolicy::parse).ok_or(DmarcError::Policy)?;
        let percent = tags.value("pct").map_or(Ok(100), str::parse).ok().filter(|percent| *percent <= 100);
        let mut reports = Vec::new();
        for uri in tags.value("rua").unwrap_or_default().split(',').map(str::trim).filter(|uri| !uri.is_empty()) {
            let is_uri = uri.split_once(':').is_some_and(|(scheme, rest)| !scheme.contains('@') && !rest.is_empty());
            if !is_uri {
                return Err(DmarcError::Reports(uri.to_owned()));
            }
            reports.push(uri.to_owned());
        }
        Ok(Self { policy, reports, percent: percent.ok_or(DmarcError::Percent)? })
    }

    /// Whether it asks for as much as is wished.
    pub fn grants(&self, wish: &DmarcWish) -> bool {
        self.policy >= wish.policy && (self.percent == 100 || wish.policy == DmarcPolicy::None)
    }

    /// The record that a domain wants, given the TXT records at `_dmarc`: its own, where it is one alone and grants the wish, for its owner may have put more in it;
    /// one that sends nobody reports is given our address for them.
    pub fn wanted(there: &[String], wish: &DmarcWish) -> String {
        let claiming: Vec<&String> = there.iter().filter(|text| is_dmarc(text)).collect();
        let reports = wish.reports.as_ref().map(|address| format!("; rua={}", mailto(address))).unwrap_or_default();
        if let [text] = claiming.as_slice()
            && let Ok(theirs) = Self::parse(text)
            && theirs.grants(wish)
        {
            if !theirs.reports.is_empty() || reports.is_empty() {
                return (*text).clone();
            }
            // Also an empty `rua=` goes: a tag stands once (RFC 6376 §3.2).
            let is_kept = |part: &&str| part.split('=').next().is_some_and(|name| !["", "rua"].contains(&name.trim()));
            let kept: Vec<&str> = text.split(';').filter(is_kept).map(str::trim).collect();
            return format!("{}{reports}", kept.join("; "));
        }
        format!("v=DMARC1; p={}{reports}", wish.policy.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let read =
            Dmarc::parse("v=DMARC1; p=Quarantine; rua=mailto:a@b.example!10m, mailto:c@d.example; pct=50").unwrap();
        assert_eq!((read.policy, read.percent, read.reports.len()), (DmarcPolicy::Quarantine, 50, 2));
        let check = |text: &str, expected: DmarcError| assert_eq!(Dmarc::parse(text), Err(expected), "{text}");
        check("p=none; v=DMARC1", DmarcError::Version);
        check("v=DMARC1", DmarcError::Policy);
        check("v=DMARC1; p=monitor", DmarcError::Policy);
        check("v=DMARC1; p=none; pct=101", DmarcError::Percent);
        check("v=DMARC1; p=none; pct=many", DmarcError::Percent);
        check("v=DMARC1; p=none; rua=a@b.example", DmarcError::Reports("a@b.example".into()));
        check("v=DMARC1; p none", DmarcError::Tags(TagsError::Tag("p none".into())));
    }

    const OURS: &str = "v=DMARC1; p=quarantine; rua=mailto:r@d.example";

    #[test]
    fn a_record_that_grants_the_wish_stays() {
        let wish =
            DmarcWish { policy: DmarcPolicy::Quarantine, reports: relais_model::Address::parse("r@d.example").ok() };
        let check = |there: &[&str], expected: &str| {
            let there: Vec<String> = there.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(Dmarc::wanted(&there, &wish), expected, "{there:?}");
        };
        check(&[], OURS);
        let theirs = "v=DMARC1;p=reject; sp=none; rua=mailto:r@d.example ;";
        check(&[theirs, "else"], theirs);
        // Only the reports are wanting.
        let with_reports = "v=DMARC1; p=reject; sp=none; rua=mailto:r@d.example";
        check(&["v=DMARC1; p=reject; sp=none", "else"], with_reports);
        check(&["v=DMARC1; p=reject; rua=; sp=none;"], with_reports);
        check(&["v=DMARC1; p=none"], OURS);
        check(&["v=DMARC1; p=reject; pct=10"], OURS);
        check(&["v=DMARC1; p=reject", "v=DMARC1; p=none"], OURS);
        check(&["v=DMARC1; what"], OURS);
    }
}
