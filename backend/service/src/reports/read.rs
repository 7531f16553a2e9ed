//! What a message tells: a report, or nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use relais_message::{fields, unfold};
use relais_model::{Domain, Timestamp};
use relais_msgauth::dmarc::Policy;
use relais_msgauth::report::{
    AggregateReport, AggregateRow, DkimRow, FeedbackReport, FeedbackType, Override, OverrideKind, ReportError,
    TlsReport,
};
use relais_msgauth::results::AuthResults;
use relais_store::{Complaint, DomainKey, ReceivedReport, ReportCounts, ReportSession, ReportSource, TraceId};

/// Reports on days that are longer ago, or still to come, are none.
const MOST_PAST: Duration = Duration::from_hours(24 * 100);
const MOST_AHEAD: Duration = Duration::from_hours(24 * 2);
/// Addresses of one report that are told apart.
const MOST_SOURCES: usize = 2000;
/// Domains that one report on TLS tells of, and outcomes of each.
const MOST_DOMAINS: usize = 20;
const MOST_OUTCOMES: usize = 200;
/// Received fields of a returned header that are read.
const MOST_RECEIVED: usize = 100;

/// What a message tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Of many messages or sessions, by the names that it tells of; whose domains they are isn't known yet.
    Reports(Vec<(String, ReceivedReport)>),
    /// Of single ones.
    Incidents {
        /// Names that it may be about, the likeliest first.
        names: Vec<String>,
        /// RFC 5965's word.
        kind: &'static str,
        /// How many.
        incidents: u64,
        /// The message of ours that it complains of.
        complaint: Option<Complaint>,
    },
    /// It is no report.
    Nothing,
}

/// Reads a message that was filed in the house `host`.
///
/// # Errors
/// [`ReportError`]: it claims to be a report, and can't be read.
pub(super) fn read(raw: &[u8], host: &Domain, now: Timestamp) -> Result<Told, ReportError> {
    let is_authenticated = is_authenticated(raw, host);
    if let Ok(report) = FeedbackReport::read_message(raw) {
        return Ok(incidents(&report, host));
    }
    let tls = match TlsReport::read_message(raw) {
        Ok(report) => return of_tls(&report, is_authenticated, now),
        Err(error) => error,
    };
    match AggregateReport::read_message(raw) {
        Ok(report) => of_dmarc(&report, is_authenticated, now),
        // People write to a postmaster, too, and their HTML is no XML.
        Err(_) if !claims_to_be_one(raw) => Ok(Told::Nothing),
        Err(ReportError::Absent) => Err(tls),
        Err(error) => Err(error),
    }
}

/// Whether our own field, which stands above all that came with the message, says that DMARC passed.
fn is_authenticated(raw: &[u8], host: &Domain) -> bool {
    let ours = fields(raw)
        .filter(|field| field.name.eq_ignore_ascii_case(b"Authentication-Results"))
        .filter_map(|field| AuthResults::parse(&unfold(field.value)))
        .find(|results| results.id.eq_ignore_ascii_case(host.as_str()));
    ours.is_some_and(|results| results.says("dmarc", "pass"))
}

/// RFC 9990 §4.1, RFC 8460 §5.3: the subject tells.
fn claims_to_be_one(raw: &[u8]) -> bool {
    let subject = fields(raw).find(|field| field.name.eq_ignore_ascii_case(b"Subject"));
    let subject = subject.map(|field| String::from_utf8_lossy(&unfold(field.value)).to_ascii_lowercase());
    subject.is_some_and(|subject| ["report domain", "report-id"].iter().any(|word| subject.contains(word)))
}

fn day(begin: Timestamp, now: Timestamp) -> Result<Timestamp, ReportError> {
    if begin < now.minus(MOST_PAST) || now.plus(MOST_AHEAD) < begin {
        return Err(ReportError::Malformed("it tells of a day that is too long ago, or still to come".to_owned()));
    }
    Ok(begin.day())
}

fn of_dmarc(report: &AggregateReport, is_authenticated: bool, now: Timestamp) -> Result<Told, ReportError> {
    let mut sources: BTreeMap<String, ReportSource> = BTreeMap::new();
    for row in &report.rows {
        let name = row.source.to_canonical().to_string();
        let is_room = sources.len() < MOST_SOURCES || sources.contains_key(&name);
        let name = if is_room { name } else { String::new() };
        let source = sources.entry(name.clone()).or_insert_with(|| ReportSource { source: name, ..Default::default() });
        let counted = |is: bool| if is { row.count } else { 0 };
        let add = |sum: &mut u64, is: bool| *sum = sum.saturating_add(counted(is));
        add(&mut source.messages, true);
        add(&mut source.dkim_aligned, row.is_dkim_aligned);
        add(&mut source.spf_aligned, row.is_spf_aligned);
        add(&mut source.aligned, row.is_dkim_aligned || row.is_spf_aligned);
        add(&mut source.quarantined, row.disposition == Policy::Quarantine);
        add(&mut source.rejected, row.disposition == Policy::Reject);
        add(&mut source.overridden, is_relayed(row));
    }
    let told = ReceivedReport {
        domain: DomainKey::new(0),
        organization: report.organization.clone(),
        id: report.id.clone(),
        day: day(report.begin, now)?,
        is_authenticated,
        counts: ReportCounts::Dmarc(sources.into_values().collect()),
    };
    Ok(Told::Reports(vec![(report.policy.domain.clone(), told)]))
}

/// Whether mail that isn't aligned came through a list or a forwarder: its receiver says so (RFC 9990 §3.1.1.7), or it carries a signature of the
/// domain's that broke on its way, and a good one of somebody else's, who sent it on.
fn is_relayed(row: &AggregateRow) -> bool {
    let says_so = |one: &Override| {
        let comment = one.comment.to_ascii_lowercase();
        match one.kind {
            OverrideKind::MailingList | OverrideKind::TrustedForwarder | OverrideKind::LocalPolicy => true,
            // Some receivers still write RFC 7489's word.
            OverrideKind::Other => ["forward", "arc=pass", "mailing"].iter().any(|word| comment.contains(word)),
            OverrideKind::PolicyTestMode => false,
        }
    };
    let is_ours = |signature: &&DkimRow| signature.domain.eq_ignore_ascii_case(&row.header_from);
    let broke = row.dkim.iter().filter(is_ours).any(|signature| signature.result != "pass");
    let signed_on = row.dkim.iter().any(|signature| !is_ours(&signature) && signature.result == "pass");
    let is_aligned = row.is_dkim_aligned || row.is_spf_aligned;
    !is_aligned && (row.overrides.iter().any(says_so) || broke && signed_on)
}

fn of_tls(report: &TlsReport, is_authenticated: bool, now: Timestamp) -> Result<Told, ReportError> {
    let day = day(report.begin, now)?;
    let mut domains: BTreeMap<&str, BTreeMap<(String, String), u64>> = BTreeMap::new();
    for policy in &report.policies {
        if MOST_DOMAINS <= domains.len() && !domains.contains_key(policy.domain.as_str()) {
            continue;
        }
        let outcomes = domains.entry(&policy.domain).or_default();
        let mut add = |result: &str, host: &str, sessions: u64| {
            let key = (result.to_owned(), host.to_owned());
            if sessions > 0 && (outcomes.len() < MOST_OUTCOMES || outcomes.contains_key(&key)) {
                let sum = outcomes.entry(key).or_default();
                *sum = sum.saturating_add(sessions);
            }
        };
        add("success", "", policy.successes);
        for failure in &policy.details {
            add(&failure.kind, &failure.receiving_host.to_ascii_lowercase(), failure.count);
        }
        let explained = policy.details.iter().fold(0_u64, |sum, failure| sum.saturating_add(failure.count));
        add("unspecified", "", policy.failures.saturating_sub(explained));
    }
    let told = |(name, outcomes): (&str, BTreeMap<(String, String), u64>)| {
        let session = |((result, mx_host), sessions)| ReportSession { result, mx_host, sessions };
        let report = ReceivedReport {
            domain: DomainKey::new(0),
            organization: report.organization.clone(),
            id: report.id.clone(),
            day,
            is_authenticated,
            counts: ReportCounts::Tls(outcomes.into_iter().map(session).collect()),
        };
        (name.to_owned(), report)
    };
    Ok(Told::Reports(domains.into_iter().map(told).collect()))
}

fn incidents(report: &FeedbackReport, host: &Domain) -> Told {
    let kind = match report.kind {
        FeedbackType::Abuse => "abuse",
        FeedbackType::AuthFailure => "auth-failure",
        FeedbackType::Fraud => "fraud",
        FeedbackType::NotSpam => "not-spam",
        FeedbackType::Virus => "virus",
        FeedbackType::Other => "other",
    };
    let sender = report.original_mail_from.as_ref().map(|address| address.domain.as_str().to_owned());
    let names = report.reported_domains.iter().cloned().chain(sender).take(10).collect();
    // What is no complaint of what somebody sent is counted for the domain alone.
    let is_complaint = matches!(report.kind, FeedbackType::Abuse | FeedbackType::Fraud | FeedbackType::Virus);
    let trace = is_complaint.then(|| own_trace(&report.returned, host)).flatten();
    let complaint = trace.map(|trace| Complaint { trace, kind });
    Told::Incidents { names, kind, incidents: report.incidents.clamp(1, 10_000), complaint }
}

/// Our id of a message whose header came back, from the Received field that we gave it: `… by HOST … id TRACE …`. Whoever has it has got the message, or
/// had it from who did; whether it is ours the trace knows.
fn own_trace(returned: &[u8], host: &Domain) -> Option<TraceId> {
    let received = fields(returned).filter(|field| field.is("Received")).take(MOST_RECEIVED);
    let ids = received.filter_map(|field| {
        let value = String::from_utf8_lossy(&unfold(field.value)).into_owned();
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        let after = |word: &str| {
            let place = words.iter().position(|known| known.eq_ignore_ascii_case(word))?;
            words.get(place + 1).map(|found| found.trim_end_matches(';'))
        };
        let is_ours = after("by").is_some_and(|by| by.eq_ignore_ascii_case(host.as_str()));
        if is_ours { after("id").and_then(TraceId::parse) } else { None }
    });
    // The lowest of ours is where it came in from one of our people.
    ids.last()
}

#[cfg(test)]
mod tests;
