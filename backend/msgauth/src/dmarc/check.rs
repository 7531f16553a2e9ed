//! Evaluating DMARC (RFC 9989 §5.3).

use relais_message::{fields, header_octets, mailboxes, read_address_list};
use relais_model::Domain;

use super::record::{Alignment, DmarcRecord, Policy};
use super::walk::{Unanswered, Walker};
use crate::dkim::signature::is_within;
use crate::dkim::{DkimCheck, DkimResult};
use crate::resolver::{Family, Lack, Resolver};
use crate::spf::{SpfCheck, SpfResult};

/// RFC 8601 §2.7, as RFC 9989 has registered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the RFC's own words")]
pub enum DmarcResult {
    None,
    Pass,
    Fail,
    TempError,
    PermError,
}

impl DmarcResult {
    /// The RFC's own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Which of a record's policies applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyTag {
    /// `p=`: the author's domain has the record.
    Own,
    /// `sp=`: the record stands above the author's domain.
    Below,
    /// `np=`: the record stands above the author's domain, which doesn't exist.
    Nonexistent,
}

impl PolicyTag {
    /// Its name in a record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "p",
            Self::Below => "sp",
            Self::Nonexistent => "np",
        }
    }
}

/// How a message came out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmarcCheck {
    /// How it came out.
    pub result: DmarcResult,
    /// Why.
    pub reason: DmarcReason,
    /// The author's domain; none where From names none, or several.
    pub author: Option<String>,
    /// The author's Organizational Domain, where a record was found.
    pub organizational: Option<String>,
    /// The record that applies, and the name that has it (without `_dmarc.`).
    pub record: Option<(String, DmarcRecord)>,
    /// The policy that the record states, whatever the result, and by which tag; `t=y` isn't taken into account here.
    pub policy: Option<(PolicyTag, Policy)>,
    /// A passing signature is aligned.
    pub is_dkim_aligned: bool,
    /// A passing SPF is aligned.
    pub is_spf_aligned: bool,
}

/// Why a message came out as it did. Lists hold domains, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DmarcReason {
    /// Permerror: From names no domain that could be asked.
    NoAuthor,
    /// Permerror: From names several domains (§5.3.1).
    SeveralAuthors(Vec<String>),
    /// None: no record on the whole way up.
    NoRecord,
    /// None: the record states no policy that can be read, and wants no reports (§4.10.1).
    NoPolicy,
    /// Pass: these domains stand behind the message.
    Aligned {
        /// By a signature.
        dkim: Option<String>,
        /// By SPF.
        spf: Option<String>,
    },
    /// Fail: nothing passed.
    NothingPassed,
    /// Fail: these domains passed, but none of them is the author's.
    OthersPassed(Vec<String>),
    /// Temperror: the DNS owes an answer for this name, which could change the result.
    Unanswered(String),
}

/// Evaluates a message, given what SPF said of MAIL FROM and DKIM of the signatures.
pub async fn check(resolver: &dyn Resolver, raw: &[u8], spf: &SpfCheck, dkim: &[DkimCheck]) -> DmarcCheck {
    let empty = |result, reason, author: Option<String>| DmarcCheck {
        result,
        reason,
        author,
        organizational: None,
        record: None,
        policy: None,
        is_dkim_aligned: false,
        is_spf_aligned: false,
    };
    let author = match author(raw) {
        Ok(author) => author,
        Err(reason) => return empty(DmarcResult::PermError, reason, None),
    };
    let mut walker = Walker::new(resolver);
    match evaluate(resolver, &mut walker, &author, spf, dkim).await {
        Ok(Some(check)) => check,
        Ok(None) => empty(DmarcResult::None, DmarcReason::NoRecord, Some(author)),
        Err(Unanswered(name)) => empty(DmarcResult::TempError, DmarcReason::Unanswered(name), Some(author)),
    }
}

/// The author's domain (§5.3.1): all addresses of all From fields must have the same.
fn author(raw: &[u8]) -> Result<String, DmarcReason> {
    let header = raw.get(..header_octets(raw)).unwrap_or(raw);
    let mut domains = Vec::new();
    for field in fields(header).filter(|field| field.is("From")) {
        for mailbox in mailboxes(&read_address_list(&field.unfolded())) {
            let text = mailbox.domain.as_deref().and_then(|domain| str::from_utf8(domain).ok());
            let domain = text.and_then(|text| Domain::parse(text).ok()).filter(|domain| !domain.is_literal());
            let domain = domain.ok_or(DmarcReason::NoAuthor)?.to_string();
            if !domains.contains(&domain) && domains.len() < 100 {
                domains.push(domain);
            }
        }
    }
    match <[String; 1]>::try_from(domains) {
        Ok([domain]) => Ok(domain),
        Err(domains) if domains.is_empty() => Err(DmarcReason::NoAuthor),
        Err(domains) => Err(DmarcReason::SeveralAuthors(domains)),
    }
}

async fn evaluate(
    resolver: &dyn Resolver,
    walker: &mut Walker<'_>,
    author: &str,
    spf: &SpfCheck,
    dkim: &[DkimCheck],
) -> Result<Option<DmarcCheck>, Unanswered> {
    let way = walker.walk(author).await?;
    let organizational = way.organizational().to_owned();
    // §4.10.1: the author's own record, else the organisation's, else the public suffix's.
    let (at, record) = if let Some(record) = way.own() {
        (author.to_owned(), record.clone())
    } else if let Some(record) = way.at(&organizational) {
        (organizational.clone(), record.clone())
    } else if let Some((name, record)) = way.suffix() {
        (name.to_owned(), record.clone())
    } else {
        return Ok(None);
    };
    let policy = policy(resolver, author, &at, &record).await?;
    let (result, reason, is_dkim_aligned, is_spf_aligned) = match policy {
        None => (DmarcResult::None, DmarcReason::NoPolicy, false, false),
        Some(_) => align(walker, author, &organizational, &record, spf, dkim).await,
    };
    Ok(Some(DmarcCheck {
        result,
        reason,
        author: Some(author.to_owned()),
        organizational: Some(organizational),
        record: Some((at, record)),
        policy,
        is_dkim_aligned,
        is_spf_aligned,
    }))
}

/// The policy that applies (§4.10.1); none where the record states none that can be read and wants no reports.
async fn policy(
    resolver: &dyn Resolver,
    author: &str,
    at: &str,
    record: &DmarcRecord,
) -> Result<Option<(PolicyTag, Policy)>, Unanswered> {
    let tag = match () {
        () if author == at => PolicyTag::Own,
        // Asked only where the answer matters.
        () if record.nonexistent.is_some()
            && record.nonexistent != record.below
            && !exists(resolver, author).await? =>
        {
            PolicyTag::Nonexistent
        }
        () => PolicyTag::Below,
    };
    let Some(own) = record.policy.filter(|_| !record.is_below_broken) else {
        let wants_reports = !record.aggregate_reports.is_empty();
        return Ok(wants_reports.then_some((tag, Policy::None)));
    };
    Ok(Some(match tag {
        PolicyTag::Own => (tag, own),
        PolicyTag::Nonexistent => (tag, record.nonexistent.unwrap_or(own)),
        PolicyTag::Below => (tag, record.below.unwrap_or(own)),
    }))
}

/// RFC 8020: only NXDOMAIN says that a name doesn't exist.
async fn exists(resolver: &dyn Resolver, name: &str) -> Result<bool, Unanswered> {
    match resolver.addresses(name, Family::V4).await {
        Ok(_) | Err(Lack::NoData) => Ok(true),
        Err(Lack::NoSuchName) => Ok(false),
        Err(Lack::Silence) => Err(Unanswered(name.to_owned())),
    }
}

/// §4.4, §4.10.2: whether what passed is near enough to the author.
async fn align(
    walker: &mut Walker<'_>,
    author: &str,
    organizational: &str,
    record: &DmarcRecord,
    spf: &SpfCheck,
    dkim: &[DkimCheck],
) -> (DmarcResult, DmarcReason, bool, bool) {
    let mut near = Near { walker, author, organizational, owed: None };
    let mut others = Vec::new();
    let mut by_dkim: Option<String> = None;
    for check in dkim {
        let Some(domain) = check.domain() else { continue };
        match check.result {
            DkimResult::Pass if near.is(domain, record.dkim).await => by_dkim = by_dkim.or(Some(domain.to_owned())),
            DkimResult::Pass => others.push(domain.to_owned()),
            DkimResult::TempError if near.is(domain, record.dkim).await => near.owe(check.key_name()),
            _ => {}
        }
    }
    let spf_domain = Domain::parse(&spf.domain).map_or_else(|_| String::new(), |domain| domain.to_string());
    let mut by_spf = None;
    match spf.result {
        SpfResult::Pass if near.is(&spf_domain, record.spf).await => by_spf = Some(spf_domain),
        SpfResult::Pass => others.push(spf_domain),
        SpfResult::TempError if near.is(&spf_domain, record.spf).await => near.owe(spf_domain),
        _ => {}
    }
    let aligned = (by_dkim.is_some(), by_spf.is_some());
    let (result, reason) = if aligned != (false, false) {
        (DmarcResult::Pass, DmarcReason::Aligned { dkim: by_dkim, spf: by_spf })
    } else if let Some(name) = near.owed {
        (DmarcResult::TempError, DmarcReason::Unanswered(name))
    } else if others.is_empty() {
        (DmarcResult::Fail, DmarcReason::NothingPassed)
    } else {
        others.sort();
        others.dedup();
        (DmarcResult::Fail, DmarcReason::OthersPassed(others))
    };
    (result, reason, aligned.0, aligned.1)
}

struct Near<'w, 'r, 'n> {
    walker: &'w mut Walker<'r>,
    author: &'n str,
    organizational: &'n str,
    /// A name that owes an answer.
    owed: Option<String>,
}

impl Near<'_, '_, '_> {
    async fn is(&mut self, domain: &str, alignment: Alignment) -> bool {
        if domain == self.author {
            return true;
        }
        // Domains of one organisation stand below its name: others aren't asked for.
        if alignment == Alignment::Strict || !is_within(domain, self.organizational) {
            return false;
        }
        match self.walker.walk(domain).await {
            Ok(way) => way.organizational() == self.organizational,
            Err(Unanswered(name)) => {
                self.owe(name);
                false
            }
        }
    }

    fn owe(&mut self, name: String) {
        self.owed.get_or_insert(name);
    }
}
