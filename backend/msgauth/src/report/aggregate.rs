//! Aggregate reports on DMARC (RFC 9990): who sent with a domain's name in a day, and how it came out.

use std::net::IpAddr;

use relais_model::{Address, Domain, Random, Timestamp};
use serde::{Deserialize, Serialize};

use super::unpack::first_readable;
use super::write::{Document, Mailing};
use super::{ReportError, kept};
use crate::authenticate::Authentication;
use crate::dkim::signature::is_within;
use crate::dmarc::{Alignment, Decision, Disposition, DispositionReason, DmarcRecord, Policy};
use crate::resolver::{Lack, Resolver};

/// Rows of one report that are kept.
const MOST_ROWS: usize = 20_000;
/// Results and reasons of one row that are kept.
const MOST_RESULTS: usize = 50;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateReport {
    /// Who reports.
    pub organization: String,
    /// Whom to ask about it.
    pub contact: String,
    /// The reporter's number for it: with the organisation it tells doubles.
    pub id: String,
    /// From when on.
    pub begin: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// The policy as the reporter found it.
    pub policy: PublishedPolicy,
    /// What was sent, counted.
    pub rows: Vec<AggregateRow>,
    /// Rows past what is kept.
    pub rows_left_out: usize,
}

/// A policy as a reporter found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPolicy {
    /// Whose record it is.
    pub domain: String,
    /// `p=`.
    pub policy: Option<Policy>,
    /// `sp=`.
    pub below: Option<Policy>,
    /// `np=`.
    pub nonexistent: Option<Policy>,
    /// `t=y`.
    pub is_testing: bool,
    /// `adkim=`.
    pub dkim: Alignment,
    /// `aspf=`.
    pub spf: Alignment,
}

/// Messages that came from one address and came out the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateRow {
    /// Where they came from.
    pub source: IpAddr,
    /// How many.
    pub count: u64,
    /// What was done with them.
    pub disposition: Policy,
    /// Whether a passing signature was aligned.
    pub is_dkim_aligned: bool,
    /// Whether a passing SPF was.
    pub is_spf_aligned: bool,
    /// Why something else was done than the policy asks for.
    pub overrides: Vec<Override>,
    /// The author's domain.
    pub header_from: String,
    /// The reverse path's domain; empty where it was null.
    pub envelope_from: String,
    /// The recipients' domain, where it is told.
    pub envelope_to: Option<String>,
    /// Signatures.
    pub dkim: Vec<DkimRow>,
    /// SPF.
    pub spf: Vec<SpfRow>,
}

/// A signature's outcome; the result is RFC 8601's word.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of DKIM")]
pub struct DkimRow {
    pub domain: String,
    pub selector: String,
    pub result: String,
}

/// SPF's outcome; the result is RFC 8601's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpfRow {
    /// Whose record.
    pub domain: String,
    /// Whether it is HELO's.
    pub is_helo: bool,
    /// How it came out.
    pub result: String,
}

/// Why something else was done than the policy asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Of which kind.
    pub kind: OverrideKind,
    /// In the reporter's words.
    pub comment: String,
}

/// RFC 9990 §3.1.1.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the RFC's own words")]
pub enum OverrideKind {
    LocalPolicy,
    MailingList,
    PolicyTestMode,
    TrustedForwarder,
    Other,
}

const OVERRIDES: [(OverrideKind, &str); 5] = [
    (OverrideKind::LocalPolicy, "local_policy"),
    (OverrideKind::MailingList, "mailing_list"),
    (OverrideKind::PolicyTestMode, "policy_test_mode"),
    (OverrideKind::TrustedForwarder, "trusted_forwarder"),
    (OverrideKind::Other, "other"),
];

impl OverrideKind {
    /// The RFC's own word.
    pub fn as_str(self) -> &'static str {
        OVERRIDES.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, word)| word)
    }

    fn parse(word: &str) -> Self {
        OVERRIDES.iter().find(|(_, known)| *known == word.trim()).map_or(Self::Other, |(kind, _)| *kind)
    }
}

impl AggregateReport {
    /// Reads the report in a message.
    ///
    /// # Errors
    /// [`ReportError`].
    pub fn read_message(raw: &[u8]) -> Result<Self, ReportError> {
        first_readable(raw, b'<', Self::read_xml)
    }

    /// Reads the XML, of RFC 9990 and of RFC 7489, and of reporters who keep neither to the letter.
    ///
    /// # Errors
    /// [`ReportError::Malformed`].
    pub fn read_xml(xml: &[u8]) -> Result<Self, ReportError> {
        let wire: Feedback =
            quick_xml::de::from_reader(xml).map_err(|error| ReportError::Malformed(kept(&error.to_string())))?;
        let time = |text: &str| text.trim().parse().map(Timestamp::from_seconds).unwrap_or_default();
        let policy = |text: &Option<String>| text.as_deref().and_then(read_policy);
        let alignment = |text: &Option<String>| {
            if text.as_deref().is_some_and(|text| text.trim() == "s") { Alignment::Strict } else { Alignment::Relaxed }
        };
        let (metadata, published) = (wire.report_metadata, wire.policy_published);
        let rows_left_out = wire.record.len().saturating_sub(MOST_ROWS);
        Ok(Self {
            organization: kept(&metadata.org_name),
            contact: kept(&metadata.email),
            id: kept(&metadata.report_id),
            begin: time(&metadata.date_range.begin),
            end: time(&metadata.date_range.end),
            policy: PublishedPolicy {
                domain: kept(&published.domain).to_ascii_lowercase(),
                policy: policy(&published.p),
                below: policy(&published.sp),
                nonexistent: policy(&published.np),
                is_testing: published.testing.as_deref().is_some_and(|text| text.trim() == "y"),
                dkim: alignment(&published.adkim),
                spf: alignment(&published.aspf),
            },
            rows: wire.record.into_iter().take(MOST_ROWS).filter_map(AggregateRow::read).collect(),
            rows_left_out,
        })
    }

    /// The XML of RFC 9990 §3.
    ///
    /// # Errors
    /// [`ReportError::Malformed`] where the writer fails, which it doesn't.
    pub fn write_xml(&self) -> Result<String, ReportError> {
        let word = |policy: Option<Policy>| policy.map(|policy| policy.as_str().to_owned());
        let alignment = |alignment: Alignment| Some(if alignment == Alignment::Strict { "s" } else { "r" }.to_owned());
        let wire = Feedback {
            namespace: Some("urn:ietf:params:xml:ns:dmarc-2.0".to_owned()),
            version: Some("1.0".to_owned()),
            report_metadata: Metadata {
                org_name: self.organization.clone(),
                email: self.contact.clone(),
                report_id: self.id.clone(),
                date_range: DateRange { begin: self.begin.seconds().to_string(), end: self.end.seconds().to_string() },
            },
            policy_published: Published {
                domain: self.policy.domain.clone(),
                discovery_method: Some("treewalk".to_owned()),
                p: word(self.policy.policy),
                sp: word(self.policy.below),
                np: word(self.policy.nonexistent),
                adkim: alignment(self.policy.dkim),
                aspf: alignment(self.policy.spf),
                testing: Some(if self.policy.is_testing { "y" } else { "n" }.to_owned()),
            },
            record: self.rows.iter().map(AggregateRow::write).collect(),
        };
        let xml = quick_xml::se::to_string_with_root("feedback", &wire);
        let xml = xml.map_err(|error| ReportError::Malformed(error.to_string()))?;
        Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}\n"))
    }

    /// The mail that carries it (RFC 9990 §3.4, §4.1).
    ///
    /// # Errors
    /// As [`AggregateReport::write_xml`].
    pub fn write_message(&self, mailing: &Mailing<'_>, random: &dyn Random) -> Result<Vec<u8>, ReportError> {
        let xml = self.write_xml()?;
        let (domain, host) = (&self.policy.domain, mailing.host);
        Ok(mailing.write(
            &Document {
                subject: format!("Report Domain: {domain} Submitter: {host} Report-ID: <{}>", self.id),
                fields: String::new(),
                container: "multipart/mixed",
                text: format!("This is an aggregate report on DMARC for {domain}, from {host}."),
                content_type: "application/gzip",
                file: format!("{host}!{domain}!{}!{}!{}.xml.gz", self.begin.seconds(), self.end.seconds(), self.id),
                octets: xml.as_bytes(),
            },
            random,
        ))
    }
}

impl PublishedPolicy {
    /// What `domain`'s record says.
    pub fn of(domain: &str, record: &DmarcRecord) -> Self {
        Self {
            domain: domain.to_owned(),
            policy: record.policy,
            below: record.below,
            nonexistent: record.nonexistent,
            is_testing: record.is_testing,
            dkim: record.dkim,
            spf: record.spf,
        }
    }
}

fn read_policy(text: &str) -> Option<Policy> {
    let text = text.trim();
    [Policy::None, Policy::Quarantine, Policy::Reject]
        .into_iter()
        .find(|policy| policy.as_str().eq_ignore_ascii_case(text))
}

impl AggregateRow {
    /// One message, as it was checked and as it was disposed of; `envelope_from` is the reverse path's domain, empty where it was null. A house that doesn't `follow` policies says so.
    pub fn of(found: &Authentication, decision: &Decision, envelope_from: &str, follows: bool) -> Self {
        let disposition = match decision.disposition {
            Disposition::Quarantine if follows => Policy::Quarantine,
            Disposition::Reject if follows => Policy::Reject,
            _ => Policy::None,
        };
        let reason = match decision.reason {
            DispositionReason::Testing { .. } => Some(OverrideKind::PolicyTestMode),
            DispositionReason::KnownList { .. } => Some(OverrideKind::MailingList),
            DispositionReason::TrustedSealer { .. } => Some(OverrideKind::TrustedForwarder),
            _ if !follows && decision.disposition != Disposition::Deliver => Some(OverrideKind::LocalPolicy),
            _ => None,
        };
        let dkim = found.dkim.iter().filter_map(|check| {
            let signature = check.signature.as_ref()?;
            let (domain, selector) = (kept(&signature.domain), kept(&signature.selector));
            Some(DkimRow { domain, selector, result: check.result.as_str().to_owned() })
        });
        let spf = &found.spf_mail_from;
        let is_helo = envelope_from.is_empty();
        Self {
            source: found.peer,
            count: 1,
            disposition,
            is_dkim_aligned: found.dmarc.is_dkim_aligned,
            is_spf_aligned: found.dmarc.is_spf_aligned,
            overrides: reason.map(|kind| Override { kind, comment: String::new() }).into_iter().collect(),
            header_from: kept(found.dmarc.author.as_deref().unwrap_or_default()),
            envelope_from: kept(envelope_from),
            envelope_to: None,
            dkim: dkim.collect(),
            spf: vec![SpfRow { domain: kept(&spf.domain), is_helo, result: spf.result.as_str().to_owned() }],
        }
    }

    /// On one line, as it is kept until the report is written; without its count.
    pub fn write_line(&self) -> String {
        let line = serde_json::to_string(&Self { count: 0, ..self.clone() }.write());
        line.unwrap_or_default() // of plain texts and numbers: it doesn't fail
    }

    /// Reads what [`AggregateRow::write_line`] wrote, of `count` messages.
    pub fn read_line(line: &str, count: u64) -> Option<Self> {
        Some(Self { count, ..Self::read(serde_json::from_str(line).ok()?)? })
    }

    /// None where its address is none.
    fn read(wire: Record) -> Option<Self> {
        let evaluated = wire.row.policy_evaluated;
        let is_pass = |text: &str| text.trim() == "pass";
        Some(Self {
            source: wire.row.source_ip.trim().parse().ok()?,
            count: wire.row.count.trim().parse().ok()?,
            // RFC 9990 has `pass` beside `none`: nothing was done.
            disposition: read_policy(&evaluated.disposition).unwrap_or(Policy::None),
            is_dkim_aligned: is_pass(&evaluated.dkim),
            is_spf_aligned: is_pass(&evaluated.spf),
            overrides: evaluated
                .reason
                .into_iter()
                .take(MOST_RESULTS)
                .map(|reason| Override {
                    kind: OverrideKind::parse(&reason.kind),
                    comment: kept(&reason.comment.unwrap_or_default()),
                })
                .collect(),
            header_from: kept(&wire.identifiers.header_from).to_ascii_lowercase(),
            envelope_from: kept(&wire.identifiers.envelope_from.unwrap_or_default()).to_ascii_lowercase(),
            envelope_to: wire.identifiers.envelope_to.map(|domain| kept(&domain).to_ascii_lowercase()),
            dkim: wire
                .auth_results
                .dkim
                .into_iter()
                .take(MOST_RESULTS)
                .map(|dkim| DkimRow {
                    domain: kept(&dkim.domain).to_ascii_lowercase(),
                    selector: kept(&dkim.selector.unwrap_or_default()),
                    result: kept(&dkim.result),
                })
                .collect(),
            spf: wire
                .auth_results
                .spf
                .into_iter()
                .take(MOST_RESULTS)
                .map(|spf| SpfRow {
                    domain: kept(&spf.domain).to_ascii_lowercase(),
                    is_helo: spf.scope.is_some_and(|scope| scope.trim() == "helo"),
                    result: kept(&spf.result),
                })
                .collect(),
        })
    }

    fn write(&self) -> Record {
        let pass = |is_aligned: bool| if is_aligned { "pass" } else { "fail" }.to_owned();
        let reason = |one: &Override| Reason {
            kind: one.kind.as_str().to_owned(),
            comment: Some(one.comment.clone()).filter(|comment| !comment.is_empty()),
        };
        let is_passed = self.is_dkim_aligned || self.is_spf_aligned;
        Record {
            row: Row {
                source_ip: self.source.to_string(),
                count: self.count.to_string(),
                policy_evaluated: Evaluated {
                    disposition: match self.disposition {
                        Policy::None if is_passed => "pass".to_owned(),
                        policy => policy.as_str().to_owned(),
                    },
                    dkim: pass(self.is_dkim_aligned),
                    spf: pass(self.is_spf_aligned),
                    reason: self.overrides.iter().map(reason).collect(),
                },
            },
            identifiers: Identifiers {
                header_from: self.header_from.clone(),
                envelope_from: Some(self.envelope_from.clone()),
                envelope_to: self.envelope_to.clone(),
            },
            auth_results: Results {
                dkim: self
                    .dkim
                    .iter()
                    .map(|dkim| Dkim {
                        domain: dkim.domain.clone(),
                        selector: Some(dkim.selector.clone()),
                        result: dkim.result.clone(),
                    })
                    .collect(),
                spf: self
                    .spf
                    .iter()
                    .map(|spf| Spf {
                        domain: spf.domain.clone(),
                        scope: Some(if spf.is_helo { "helo" } else { "mfrom" }.to_owned()),
                        result: spf.result.clone(),
                    })
                    .collect(),
            },
        }
    }
}

/// Whether an address outside of `domain`, which has the policy, wants its reports (RFC 9990 §4): its own domain must say so. An answer that the DNS owes is a no for today.
pub async fn may_report_to(resolver: &dyn Resolver, domain: &Domain, address: &Address) -> bool {
    if is_within(address.domain.as_str(), domain.as_str()) {
        return true;
    }
    let name = format!("{domain}._report._dmarc.{}", address.domain);
    match resolver.txt(&name).await {
        Ok(texts) => texts.iter().any(|text| DmarcRecord::parse(text).is_some()),
        Err(Lack::NoSuchName | Lack::NoData | Lack::Silence) => false,
    }
}

/// RFC 9990's own names. Numbers are texts here: blanks around them are common.
#[derive(Debug, Serialize, Deserialize)]
struct Feedback {
    #[serde(rename = "@xmlns", default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    report_metadata: Metadata,
    policy_published: Published,
    #[serde(default)]
    record: Vec<Record>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Metadata {
    #[serde(default)]
    org_name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    report_id: String,
    date_range: DateRange,
}

#[derive(Debug, Serialize, Deserialize)]
struct DateRange {
    begin: String,
    end: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Published {
    domain: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    discovery_method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    np: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adkim: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aspf: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    testing: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    row: Row,
    identifiers: Identifiers,
    #[serde(default)]
    auth_results: Results,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    source_ip: String,
    count: String,
    policy_evaluated: Evaluated,
}

#[derive(Debug, Serialize, Deserialize)]
struct Evaluated {
    #[serde(default)]
    disposition: String,
    #[serde(default)]
    dkim: String,
    #[serde(default)]
    spf: String,
    #[serde(default)]
    reason: Vec<Reason>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Reason {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Identifiers {
    #[serde(default)]
    header_from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    envelope_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    envelope_to: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Results {
    #[serde(default)]
    dkim: Vec<Dkim>,
    #[serde(default)]
    spf: Vec<Spf>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Dkim {
    #[serde(default)]
    domain: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    #[serde(default)]
    result: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Spf {
    #[serde(default)]
    domain: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(default)]
    result: String,
}
