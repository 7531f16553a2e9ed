//! Reports on TLS (RFC 8460): how often another house reached a domain's hosts, and why it didn't.

use relais_model::{Random, Timestamp};
use serde::{Deserialize, Serialize};

use super::unpack::first_readable;
use super::write::{Document, Mailing};
use super::{ReportError, kept};

/// Policies of one report, and failures of one policy, that are kept.
const MOST_ITEMS: usize = 1000;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsReport {
    /// Who reports.
    pub organization: String,
    /// Whom to ask about it.
    pub contact: String,
    /// The reporter's number for it.
    pub id: String,
    /// From when on.
    pub begin: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// What was found, by the policies that applied.
    pub policies: Vec<TlsPolicyReport>,
}

/// What was found under one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPolicyReport {
    /// Of which kind it is.
    pub kind: TlsPolicyType,
    /// Its lines: of an MTA-STS policy, or TLSA records.
    pub lines: Vec<String>,
    /// Whose mail it is.
    pub domain: String,
    /// The MX hosts or patterns that it names.
    pub hosts: Vec<String>,
    /// Sessions that went well.
    pub successes: u64,
    /// Sessions that failed.
    pub failures: u64,
    /// Why, counted.
    pub details: Vec<TlsFailure>,
}

/// RFC 8460 §4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsPolicyType {
    /// DANE (RFC 7672).
    Tlsa,
    /// MTA-STS (RFC 8461).
    Sts,
    /// There was none.
    NoPolicyFound,
}

impl TlsPolicyType {
    /// The RFC's own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tlsa => "tlsa",
            Self::Sts => "sts",
            Self::NoPolicyFound => "no-policy-found",
        }
    }
}

/// Failures of one kind, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFailure {
    /// RFC 8460 §4.3's word, such as `certificate-expired`.
    pub kind: String,
    /// The reporter's address; as text, for not all write it well.
    pub sending_address: String,
    /// The host that was tried.
    pub receiving_host: String,
    /// Its address.
    pub receiving_address: String,
    /// Sessions.
    pub count: u64,
    /// More, in the reporter's words.
    pub reason: String,
}

impl TlsReport {
    /// Reads the report in a message.
    ///
    /// # Errors
    /// [`ReportError`].
    pub fn read_message(raw: &[u8]) -> Result<Self, ReportError> {
        first_readable(raw, b'{', Self::read_json)
    }

    /// Reads the JSON of RFC 8460 §4.4.
    ///
    /// # Errors
    /// [`ReportError::Malformed`].
    pub fn read_json(json: &[u8]) -> Result<Self, ReportError> {
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| ReportError::Malformed(kept(&error.to_string())))?;
        let time = |text: &str| {
            let time: Result<jiff::Timestamp, _> = text.trim().parse();
            time.map_or_else(|_| Timestamp::default(), |time| Timestamp::from_millis(time.as_millisecond()))
        };
        Ok(Self {
            organization: kept(&wire.organization_name),
            contact: kept(&wire.contact_info),
            id: kept(&wire.report_id),
            begin: time(&wire.date_range.start_datetime),
            end: time(&wire.date_range.end_datetime),
            policies: wire.policies.into_iter().take(MOST_ITEMS).map(TlsPolicyReport::read).collect(),
        })
    }

    /// The JSON of RFC 8460 §4.4.
    ///
    /// # Errors
    /// [`ReportError::Malformed`] where the writer fails, which it doesn't.
    pub fn write_json(&self) -> Result<String, ReportError> {
        let time =
            |at: Timestamp| jiff::Timestamp::from_second(at.seconds()).map(|time| time.to_string()).unwrap_or_default();
        let wire = Wire {
            organization_name: self.organization.clone(),
            date_range: DateRange { start_datetime: time(self.begin), end_datetime: time(self.end) },
            contact_info: self.contact.clone(),
            report_id: self.id.clone(),
            policies: self.policies.iter().map(TlsPolicyReport::write).collect(),
        };
        serde_json::to_string(&wire).map_err(|error| ReportError::Malformed(error.to_string()))
    }

    /// The mail that carries it to `domain`'s owner (RFC 8460 §5.3).
    ///
    /// # Errors
    /// As [`TlsReport::write_json`].
    pub fn write_message(
        &self,
        domain: &str,
        mailing: &Mailing<'_>,
        random: &dyn Random,
    ) -> Result<Vec<u8>, ReportError> {
        let json = self.write_json()?;
        let host = mailing.host;
        Ok(mailing.write(
            &Document {
                subject: format!("Report Domain: {domain} Submitter: {host} Report-ID: <{}>", self.id),
                fields: format!("TLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {host}\r\n"),
                container: "multipart/report; report-type=\"tlsrpt\"",
                text: format!("This is a report on TLS for {domain}, from {host}."),
                content_type: "application/tlsrpt+gzip",
                file: format!("{host}!{domain}!{}!{}.json.gz", self.begin.seconds(), self.end.seconds()),
                octets: json.as_bytes(),
            },
            random,
        ))
    }
}

impl TlsPolicyReport {
    fn read(wire: PolicyWire) -> Self {
        let kind = match wire.policy.policy_type.trim() {
            "tlsa" => TlsPolicyType::Tlsa,
            "sts" => TlsPolicyType::Sts,
            _ => TlsPolicyType::NoPolicyFound,
        };
        let list = |texts: Texts| texts.all().iter().take(MOST_ITEMS).map(|text| kept(text)).collect();
        Self {
            kind,
            lines: list(wire.policy.policy_string),
            domain: kept(&wire.policy.policy_domain).to_ascii_lowercase(),
            hosts: list(wire.policy.mx_host),
            successes: wire.summary.total_successful_session_count,
            failures: wire.summary.total_failure_session_count,
            details: wire.failure_details.into_iter().take(MOST_ITEMS).map(|wire| TlsFailure::read(&wire)).collect(),
        }
    }

    fn write(&self) -> PolicyWire {
        PolicyWire {
            policy: PolicyName {
                policy_type: self.kind.as_str().to_owned(),
                policy_string: Texts::Several(self.lines.clone()),
                policy_domain: self.domain.clone(),
                mx_host: Texts::Several(self.hosts.clone()),
            },
            summary: Summary {
                total_successful_session_count: self.successes,
                total_failure_session_count: self.failures,
            },
            failure_details: self.details.iter().map(TlsFailure::write).collect(),
        }
    }
}

impl TlsFailure {
    fn read(wire: &FailureWire) -> Self {
        Self {
            kind: kept(&wire.result_type),
            sending_address: kept(&wire.sending_mta_ip),
            receiving_host: kept(&wire.receiving_mx_hostname),
            receiving_address: kept(&wire.receiving_ip),
            count: wire.failed_session_count,
            reason: kept(&wire.failure_reason_code),
        }
    }

    fn write(&self) -> FailureWire {
        FailureWire {
            result_type: self.kind.clone(),
            sending_mta_ip: self.sending_address.clone(),
            receiving_mx_hostname: self.receiving_host.clone(),
            receiving_ip: self.receiving_address.clone(),
            failed_session_count: self.count,
            failure_reason_code: self.reason.clone(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Wire {
    #[serde(default)]
    organization_name: String,
    date_range: DateRange,
    #[serde(default)]
    contact_info: String,
    #[serde(default)]
    report_id: String,
    #[serde(default)]
    policies: Vec<PolicyWire>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DateRange {
    start_datetime: String,
    end_datetime: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PolicyWire {
    policy: PolicyName,
    summary: Summary,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failure_details: Vec<FailureWire>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PolicyName {
    policy_type: String,
    #[serde(default)]
    policy_string: Texts,
    #[serde(default)]
    policy_domain: String,
    #[serde(default)]
    mx_host: Texts,
}

/// RFC 8460's own example and its grammar differ: one text, or a list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Texts {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Several(texts) => texts,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    #[serde(default)]
    total_successful_session_count: u64,
    #[serde(default)]
    total_failure_session_count: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct FailureWire {
    #[serde(default)]
    result_type: String,
    #[serde(default)]
    sending_mta_ip: String,
    #[serde(default)]
    receiving_mx_hostname: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    receiving_ip: String,
    #[serde(default)]
    failed_session_count: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    failure_reason_code: String,
}
