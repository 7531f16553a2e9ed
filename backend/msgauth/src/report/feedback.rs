//! Reports on single messages: complaints (RFC 5965) and failures of authentication (RFC 6591).

use std::net::IpAddr;

use relais_message::{Part, Structure, decode_part, fields, mailboxes, read_address_list, unfold};
use relais_model::Address;

use super::{ReportError, kept};

/// Octets of the returned message or header that are kept.
const MOST_RETURNED: usize = 64 * 1024;
/// Fields of the report that are read, and values of one that are kept.
const MOST_FIELDS: usize = 200;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackReport {
    /// What it is about.
    pub kind: FeedbackType,
    /// The program that wrote it.
    pub user_agent: String,
    /// The reverse path of the message; none where it is null or isn't told.
    pub original_mail_from: Option<Address>,
    /// Who got it, where that is told: reporters like to hide it.
    pub original_rcpt_to: Vec<Address>,
    /// Where it came from.
    pub source: Option<IpAddr>,
    /// Whom the complaint concerns.
    pub reported_domains: Vec<String>,
    /// When it came, as the report says it.
    pub arrival_date: String,
    /// How many messages it stands for; 1 where it isn't told.
    pub incidents: u64,
    /// What failed (RFC 6591 §3.2.2), such as `dmarc` or `signature`; empty for complaints.
    pub auth_failure: String,
    /// What the reporter found, as in Authentication-Results.
    pub authentication_results: Vec<String>,
    /// What was done with it (RFC 6591 §3.2.2); empty where it isn't told.
    pub delivery_result: String,
    /// The header of the message, or the beginning of all of it: a stranger's octets.
    pub returned: Vec<u8>,
}

/// RFC 5965 §7.3, RFC 6430, RFC 6591.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedbackType {
    /// Somebody pressed "this is junk".
    Abuse,
    /// Authentication failed.
    AuthFailure,
    /// It deceives.
    Fraud,
    /// Somebody pressed "this is no junk".
    NotSpam,
    /// It holds a virus.
    Virus,
    /// Anything else.
    Other,
}

impl FeedbackType {
    fn parse(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "abuse" => Self::Abuse,
            "auth-failure" => Self::AuthFailure,
            "fraud" => Self::Fraud,
            "not-spam" => Self::NotSpam,
            "virus" => Self::Virus,
            _ => Self::Other,
        }
    }
}

impl FeedbackReport {
    /// Reads the report in a message (RFC 5965 §2).
    ///
    /// # Errors
    /// [`ReportError::Absent`]: it holds none.
    pub fn read_message(raw: &[u8]) -> Result<Self, ReportError> {
        let (mut report, mut returned) = (None, None);
        let mut look = |part: &Part| {
            let is = |main: &str, sub: &str| part.content_type.as_ref().is_some_and(|kind| kind.is(main, sub));
            if report.is_none() && is("message", "feedback-report") {
                report = Some(part.clone());
            } else if returned.is_none() && (is("message", "rfc822") || is("text", "rfc822-headers")) {
                returned = Some(part.clone());
            }
        };
        Structure::read(raw).root.walk(&mut look);
        let part = report.ok_or(ReportError::Absent)?;
        let text = decode_part(raw, &part).map_err(|error| ReportError::Malformed(error.to_string()))?;
        let returned = returned.and_then(|part| decode_part(raw, &part).ok().map(std::borrow::Cow::into_owned));
        let mut read = Self::read_fields(text.trim_ascii_start());
        read.returned = returned.unwrap_or_default();
        read.returned.truncate(MOST_RETURNED);
        Ok(read)
    }

    fn read_fields(text: &[u8]) -> Self {
        let fields: Vec<(String, String)> = fields(text)
            .take(MOST_FIELDS)
            .map(|field| {
                let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
                (name, kept(&String::from_utf8_lossy(&unfold(field.value))))
            })
            .collect();
        let all = |name: &str| {
            fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let one = |name: &str| all(name).into_iter().next().unwrap_or_default();
        let addresses = |name: &str| {
            let lists = all(name);
            lists.iter().flat_map(|list| addresses_of(list)).collect::<Vec<_>>()
        };
        Self {
            kind: FeedbackType::parse(&one("feedback-type")),
            user_agent: one("user-agent"),
            original_mail_from: addresses("original-mail-from").into_iter().next(),
            original_rcpt_to: addresses("original-rcpt-to"),
            source: one("source-ip").trim_matches(['[', ']']).parse().ok(),
            reported_domains: all("reported-domain").iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            arrival_date: Some(one("arrival-date"))
                .filter(|date| !date.is_empty())
                .unwrap_or_else(|| one("received-date")),
            incidents: one("incidents").parse().unwrap_or(1),
            auth_failure: one("auth-failure").to_ascii_lowercase(),
            authentication_results: all("authentication-results"),
            delivery_result: one("delivery-result").to_ascii_lowercase(),
            returned: Vec::new(),
        }
    }
}

fn addresses_of(list: &str) -> Vec<Address> {
    let items = read_address_list(list.as_bytes());
    mailboxes(&items).filter_map(relais_message::Mailbox::to_address).take(MOST_FIELDS).collect()
}
