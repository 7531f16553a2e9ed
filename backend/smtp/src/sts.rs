//! MTA-STS (RFC 8461): the record that tells of a policy, and the policy. Senders keep it, and who has one looks whether it stands.

use std::fmt;

use relais_model::Domain;

/// Octets of a policy that are read (RFC 8461 §3.3: "SHOULD … 64 kilobytes").
pub const POLICY_OCTETS: usize = 64 * 1024;
/// RFC 8461 §3.2: about a year.
const MOST_SECONDS: u32 = 31_557_600;

/// What a sender does that can't keep the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StsMode {
    /// Nothing: there was a policy, and there is none any more.
    None,
    /// Sends all the same, and reports.
    Testing,
    /// Doesn't send.
    Enforce,
}

impl StsMode {
    /// As policies write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Testing => "testing",
            Self::Enforce => "enforce",
        }
    }

    /// The mode of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Testing, Self::Enforce].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A policy (RFC 8461 §3.2). Prints as the file that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsPolicy {
    /// What a sender does that can't keep it.
    pub mode: StsMode,
    /// Names of hosts that may take the domain's mail; `*.` stands for one label.
    pub mx: Vec<String>,
    /// Seconds that senders keep it.
    pub max_age: u32,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StsPolicyError {
    /// A line without `:`.
    #[error("`{0}` is no line of a policy")]
    Line(String),
    /// A value that is missing or wrong.
    #[error("`{0}` is missing or wrong")]
    Field(&'static str),
}

impl StsPolicyError {
    /// What is to blame, as it stands in the policy, or should.
    pub fn culprit(&self) -> String {
        match self {
            Self::Line(line) => line.clone(),
            Self::Field(name) => format!("{name}:"),
        }
    }
}

impl StsPolicy {
    /// Reads a policy's file. Lines end with LF or CRLF; of a field that stands twice the first counts, unknown ones are passed over.
    ///
    /// # Errors
    /// [`StsPolicyError`].
    pub fn parse(text: &str) -> Result<Self, StsPolicyError> {
        let mut fields = Vec::new();
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or_else(|| StsPolicyError::Line(line.to_owned()))?;
            fields.push((name.trim(), value.trim()));
        }
        let field = |wanted: &str| fields.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        if field("version") != Some("STSv1") {
            return Err(StsPolicyError::Field("version"));
        }
        let mode = field("mode").and_then(StsMode::parse).ok_or(StsPolicyError::Field("mode"))?;
        let max_age =
            field("max_age").and_then(|seconds| seconds.parse().ok()).filter(|seconds| *seconds <= MOST_SECONDS);
        let max_age = max_age.ok_or(StsPolicyError::Field("max_age"))?;
        let mx: Vec<String> =
            fields.iter().filter(|(name, _)| *name == "mx").map(|(_, value)| value.to_ascii_lowercase()).collect();
        if mx.is_empty() && mode != StsMode::None {
            return Err(StsPolicyError::Field("mx"));
        }
        Ok(Self { mode, mx, max_age })
    }

    /// Whether `host` may take the domain's mail (RFC 8461 §4.1).
    pub fn allows(&self, host: &Domain) -> bool {
        self.mx.iter().any(|pattern| covers(pattern, host))
    }
}

impl fmt::Display for StsPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version: STSv1\r\nmode: {}\r\n", self.mode.as_str())?;
        self.mx.iter().try_for_each(|mx| write!(f, "mx: {mx}\r\n"))?;
        write!(f, "max_age: {}\r\n", self.max_age)
    }
}

/// Whether a TXT record claims to tell of a policy; others are passed over (RFC 8461 §3.1).
pub fn is_sts(text: &str) -> bool {
    let first = text.split(';').next().and_then(|field| field.split_once('='));
    first.is_some_and(|(name, value)| (name.trim(), value.trim()) == ("v", "STSv1"))
}

/// The `id=` of such a record; none where it is no good: 1 to 32 letters and digits, and once.
pub fn sts_id(text: &str) -> Option<String> {
    let fields = text.split(';').map(str::trim).filter(|field| !field.is_empty());
    let fields = fields.map(|field| field.split_once('=')).collect::<Option<Vec<_>>>()?;
    let mut ids = fields.iter().filter(|(name, _)| name.trim() == "id").map(|(_, id)| id.trim());
    let id = ids.next().filter(|_| ids.next().is_none())?;
    let is_good = (1..=32).contains(&id.len()) && id.chars().all(|letter| letter.is_ascii_alphanumeric());
    is_good.then(|| id.to_owned())
}

/// RFC 8461 §4.1: `*.` stands for one label, the leftmost.
fn covers(pattern: &str, host: &Domain) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host.as_str().split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => pattern == host.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_and_printed() {
        let policy = StsPolicy {
            mode: StsMode::Enforce,
            mx: vec!["mx.example.org".into(), "*.example.net".into()],
            max_age: 604_800,
        };
        assert_eq!(StsPolicy::parse(&policy.to_string()), Ok(policy.clone()));
        let allows = |host: &str| policy.allows(&Domain::parse(host).unwrap());
        assert!(allows("mx.example.org") && allows("a.example.net"));
        assert!(!allows("a.b.example.net") && !allows("example.net") && !allows("a.example.org"));
        let twice = "version: STSv1\nmode: testing\nmode: enforce\nmx: a.example\nmax_age: 1\nmax_age: 2\nother: x\n";
        let read = StsPolicy { mode: StsMode::Testing, mx: vec!["a.example".into()], max_age: 1 };
        assert_eq!(StsPolicy::parse(twice), Ok(read));
        // RFC 8461 §3.2: in mode none no mx is needed; LF alone will do.
        assert!(StsPolicy::parse("version: STSv1\nmode: none\nmax_age: 0\n").is_ok());
    }

    #[test]
    fn what_is_no_policy() {
        let check = |text: &str, expected: StsPolicyError| assert_eq!(StsPolicy::parse(text), Err(expected), "{text}");
        check("<html>", StsPolicyError::Line("<html>".into()));
        check("mode: enforce", StsPolicyError::Field("version"));
        check("version: STSv1\nmode: report", StsPolicyError::Field("mode"));
        check("version: STSv1\nmode: testing\nmx: a", StsPolicyError::Field("max_age"));
        check("version: STSv1\nmode: testing\nmx: a\nmax_age: 99999999", StsPolicyError::Field("max_age"));
        check("version: STSv1\nmode: testing\nmax_age: 1", StsPolicyError::Field("mx"));
    }

    #[test]
    fn ids() {
        assert_eq!(sts_id("v=STSv1; id=20260101T000000;").as_deref(), Some("20260101T000000"));
        for text in [
            "v=STSv1",
            "v=STSv1; id=",
            "v=STSv1; id=1; id=2",
            "v=STSv1; id",
            "v=STSv1; id=a-b",
            "v=STSv1; id=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(sts_id(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_comes_first() {
        for text in ["v=STSv1", "v=STSv1; id=1", " v = STSv1 ;id=1"] {
            assert!(is_sts(text), "{text}");
        }
        for text in ["v=STSv12; id=1", "id=1; v=STSv1", "", "v=spf1 -all"] {
            assert!(!is_sts(text), "{text}");
        }
    }
}
