//! What a domain's people see of the reports that came.

use std::net::IpAddr;
use std::time::Duration;

use relais_dnscheck::Dmarc;
use relais_model::{Domain, Timestamp};
use relais_store::{DomainEntry, DomainKey, Page, ReportDay, ReportSource, ReportSummary};
use serde::Serialize;
use utoipa::ToSchema;

use super::advice::{Evidence, Step, dmarc_step, sts_step};
use super::known;
use crate::directory::readable;
use crate::{Actor, Failure, Moment, Paging, Role, Rows, Service, Text, checks};

/// What is told of: so many days, today among them.
const DAYS: u64 = 30;
/// Sources that are looked through for unknown ones.
const LOOKED_THROUGH: u32 = 200;
/// Unknown ones that a sentence names.
const NAMED: usize = 3;

/// What reports on a domain came to in the last thirty days.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportsView {
    /// Whose.
    pub domain: String,
    /// From when on.
    pub since: Moment,
    /// In a sentence: how much is aligned, and who sends that isn't known.
    pub says: Text,
    /// Messages that were told of.
    pub messages: u64,
    /// Those that DKIM or SPF proves to be the domain's.
    pub aligned: u64,
    /// Those that aren't, and came through lists or forwarders, who change mail on its way: they count neither for nor against.
    pub relayed: u64,
    /// Of a hundred that came straight, rounded down.
    pub percent: u64,
    /// Senders whose mail isn't aligned, and that are neither this host nor lists or forwarders.
    pub unknown: u64,
    /// Reports on mail, and those whose sender DMARC proved.
    pub reports: u64,
    /// The same, proved.
    pub proved: u64,
    /// Who reported.
    pub organizations: u64,
    /// Day by day, the first first; days without reports are left out.
    pub days: Vec<ReportDayView>,
    /// The DMARC policy that stands in the DNS: `none`, `quarantine`, `reject`; none where there is none, or the DNS didn't answer.
    pub policy: Option<String>,
    /// The next step of that policy.
    pub step: ReportStepView,
    /// TLS sessions to this house, by outcome.
    pub sessions: Vec<ReportSessionView>,
    /// TLS in a sentence.
    pub tls_says: Text,
    /// The MTA-STS mode: `none`, `testing`, `enforce`.
    pub sts_mode: String,
    /// Its next step.
    pub sts_step: ReportStepView,
    /// People whose mail was complained of, the most first: 50 at most.
    pub complained: Vec<ReportComplaintView>,
    /// Complaints and single failures, by kind.
    pub incidents: Vec<ReportIncidentView>,
    /// Reports that came for any domain and couldn't be read; owners see it.
    pub unread: Option<ReportUnreadView>,
    /// Somebody is asked to be told: `dns.dmarc_reports` is set, or the domain's record names an address.
    pub is_asked: bool,
}

/// A day.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ReportDayView {
    /// Its beginning, UTC.
    pub day: Moment,
    /// Messages.
    pub messages: u64,
    /// Those that were aligned.
    pub aligned: u64,
    /// Those that weren't, and came through lists or forwarders.
    pub relayed: u64,
}

impl From<ReportDay> for ReportDayView {
    fn from(it: ReportDay) -> Self {
        Self { day: it.day.into(), messages: it.messages, aligned: it.aligned, relayed: it.relayed }
    }
}

/// TLS sessions that came out the same.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportSessionView {
    /// `success`, or what the reporter calls the failure (RFC 8460 §4.3).
    pub result: String,
    /// The host; empty where it isn't said.
    pub host: String,
    /// How many.
    pub sessions: u64,
}

/// Complaints and single failures of one kind.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportIncidentView {
    /// `abuse`, `auth-failure`, `fraud`, `not-spam`, `virus`, `other`.
    pub kind: String,
    /// How many.
    pub incidents: u64,
}

/// A person whose mail was complained of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportComplaintView {
    /// Their address.
    pub address: String,
    /// How many messages.
    pub complaints: u64,
    /// When the last complaint came.
    pub last_at: Moment,
}

/// What couldn't be read.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportUnreadView {
    /// Messages.
    pub messages: u64,
    /// Why not the last one, in the reader's words.
    pub why: String,
}

/// The next step of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportStepView {
    /// `no_policy`, `too_early`, `not_yet`, `unexplained`, `next` or `done`.
    pub kind: &'static str,
    /// In a sentence.
    pub says: Text,
    /// The policy that is advised.
    pub next: Option<&'static str>,
    /// The TXT record with it.
    pub record: Option<ReportRecord>,
    /// The setting that asks for it first, where it asks for less now.
    pub setting: Option<&'static str>,
    /// The record can be pushed to the DNS provider.
    pub can_push: bool,
}

/// A TXT record to copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportRecord {
    /// Where it stands.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Mail with a domain's name that came from one address.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportSourceView {
    /// The address; empty: all others.
    pub source: String,
    /// Its host name, where that leads back to it.
    pub name: Option<String>,
    /// Who is behind it, where that is known.
    pub owner: Option<&'static str>,
    /// It is this host's address.
    pub is_own: bool,
    /// Messages.
    pub messages: u64,
    /// Those that were aligned.
    pub aligned: u64,
    /// Of a hundred, rounded down.
    pub percent: u64,
    /// Aligned by DKIM.
    pub dkim_aligned: u64,
    /// Aligned by SPF.
    pub spf_aligned: u64,
    /// Put into the junk.
    pub quarantined: u64,
    /// Refused.
    pub rejected: u64,
    /// Not aligned, and come through a list or a forwarder, as their receivers say or their signatures show.
    pub overridden: u64,
    /// All of it that isn't aligned came through a list or a forwarder.
    pub is_relay: bool,
    /// What it most likely is, in a sentence.
    pub says: Text,
}

impl Service {
    /// What reports on a domain came to in the last thirty days.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no domain admin; [`Failure::Absent`].
    pub async fn reports(&self, by: &Actor, domain: &str) -> Result<ReportsView, Failure> {
        by.require(Role::DomainAdmin)?;
        let entry = self.reported_domain(by, domain).await?;
        let since = self.reports_since();
        let summary = self.store.report_summary(entry.key, since).await?;
        let unknown = self.unknown_sources(entry.key, since).await?;
        let names = self.names_of(unknown.iter().take(NAMED)).await;
        let total: u64 = summary.days.iter().map(|day| day.messages).sum();
        let good: u64 = summary.days.iter().map(|day| day.aligned).sum();
        let relayed: u64 = summary.days.iter().map(|day| day.relayed).sum();
        let evidence = Evidence {
            days: summary.days.len() as u64,
            // A list that changes mail isn't the domain's to mend.
            total: total.saturating_sub(relayed),
            good,
            largest_unexplained: unknown.iter().map(unexplained).max().unwrap_or(0),
        };
        let settings = self.store.settings();
        let record = self.dmarc_record(&entry.domain).await;
        let policy = record.as_ref().map(|(_, read)| read.policy.as_str().to_owned());
        let is_asked =
            settings.dns_dmarc_reports.is_some() || record.as_ref().is_some_and(|(_, read)| !read.reports.is_empty());
        let unread = if by.role == Role::Owner { self.unread(since).await? } else { None };
        let step = self.dmarc_advice(by, &entry.domain, record.as_ref(), &evidence).await?;
        let (sessions, tls_says, sts_step) = tls(&summary, &settings.mta_sts_mode);
        let incident = |(kind, incidents)| ReportIncidentView { kind, incidents };
        Ok(ReportsView {
            domain: entry.domain.to_unicode(),
            since: since.into(),
            says: says(&evidence, unknown.len(), &names, relayed),
            messages: total,
            aligned: good,
            relayed,
            percent: evidence.percent(),
            unknown: unknown.len() as u64,
            reports: summary.reports,
            proved: summary.proved,
            organizations: summary.organizations,
            days: summary.days.into_iter().map(ReportDayView::from).collect(),
            policy,
            step,
            sessions,
            tls_says,
            sts_mode: settings.mta_sts_mode.clone(),
            sts_step,
            complained: self.complained(entry.key, since).await?,
            incidents: summary.incidents.into_iter().map(incident).collect(),
            unread,
            is_asked,
        })
    }

    /// Where mail with a domain's name came from in the last thirty days, the most unaligned first. Names are asked of the DNS, three seconds at most.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no domain admin; [`Failure::Absent`].
    pub async fn report_sources(
        &self,
        by: &Actor,
        domain: &str,
        paging: Paging,
    ) -> Result<Rows<ReportSourceView>, Failure> {
        by.require(Role::DomainAdmin)?;
        let entry = self.reported_domain(by, domain).await?;
        let listing = self.store.report_sources(entry.key, self.reports_since(), &paging.page()).await?;
        let addresses: Vec<Option<IpAddr>> = listing.rows.iter().map(|row| row.source.parse().ok()).collect();
        let names = self.dns.host_names(&addresses).await;
        let mut rows = Vec::with_capacity(listing.rows.len());
        for ((source, address), name) in listing.rows.into_iter().zip(addresses).zip(names) {
            rows.push(source_view(source, name, self.is_own(address).await));
        }
        Ok(Rows { rows, next: listing.next })
    }

    fn reports_since(&self) -> Timestamp {
        self.store.now().day().minus(Duration::from_hours(24 * (DAYS - 1)))
    }

    async fn reported_domain(&self, by: &Actor, text: &str) -> Result<DomainEntry, Failure> {
        let unknown = || Failure::Absent(Text::new("failure-unknown-domain").with("domain", text));
        let domain = checks::domain("domain", text).map_err(|_| unknown())?;
        by.require_reach(&domain)?;
        self.store.domain(&domain).await?.ok_or_else(unknown)
    }

    /// Who sent mail that isn't explained, this host aside.
    async fn unknown_sources(&self, domain: DomainKey, since: Timestamp) -> Result<Vec<ReportSource>, Failure> {
        let page = Page { after: None, limit: LOOKED_THROUGH };
        let sources = self.store.report_sources(domain, since, &page).await?.rows;
        let mut unknown = Vec::new();
        for source in sources.into_iter().filter(|source| unexplained(source) > 0) {
            if !self.is_own(source.source.parse().ok()).await {
                unknown.push(source);
            }
        }
        Ok(unknown)
    }

    /// Whether it is an address of this host.
    async fn is_own(&self, address: Option<IpAddr>) -> bool {
        match address {
            Some(address) => self.dns.is_own(address).await,
            None => false,
        }
    }

    /// Who they are: by name where the DNS has one, else by address.
    async fn names_of(&self, sources: impl Iterator<Item = &ReportSource>) -> Vec<String> {
        let sources: Vec<String> = sources.map(|source| source.source.clone()).filter(|it| !it.is_empty()).collect();
        let addresses: Vec<Option<IpAddr>> = sources.iter().map(|source| source.parse().ok()).collect();
        let found = self.dns.host_names(&addresses).await;
        let named = |(source, name): (String, Option<String>)| {
            let owner = name.as_deref().and_then(known::owner).map(str::to_owned);
            owner.or(name).unwrap_or(source)
        };
        sources.into_iter().zip(found).map(named).collect()
    }

    /// The one DMARC record that stands in the DNS.
    async fn dmarc_record(&self, domain: &Domain) -> Option<(String, Dmarc)> {
        let text = self.dns.dmarc_text(domain).await?;
        let read = Dmarc::parse(&text).ok()?;
        Some((text, read))
    }

    async fn complained(&self, domain: DomainKey, since: Timestamp) -> Result<Vec<ReportComplaintView>, Failure> {
        let most = self.store.most_complained(domain, since).await?.into_iter().map(|it| ReportComplaintView {
            address: readable(&it.address),
            complaints: it.complaints,
            last_at: it.last_at.into(),
        });
        Ok(most.collect())
    }

    async fn unread(&self, since: Timestamp) -> Result<Option<ReportUnreadView>, Failure> {
        let (messages, why) = self.store.unread_reports(since).await?;
        Ok((messages > 0).then(|| ReportUnreadView { messages, why: why.unwrap_or_default() }))
    }

    async fn dmarc_advice(
        &self,
        by: &Actor,
        domain: &Domain,
        record: Option<&(String, Dmarc)>,
        evidence: &Evidence,
    ) -> Result<ReportStepView, Failure> {
        let current = record.map(|(_, read)| read.policy.as_str());
        let step = dmarc_step(current, evidence);
        let mut view = step_view(step, "dmarc", current.unwrap_or_default(), evidence);
        if let (Step::Next(next), Some((text, _))) = (step, record) {
            view.record = Some(ReportRecord { name: format!("_dmarc.{domain}"), text: with_policy(text, next) });
            let wished = self.store.settings().dns_dmarc_policy.clone();
            let is_wished = wished == next || wished == "reject";
            view.setting = (!is_wished).then_some("dns.dmarc_policy");
            view.can_push = self.dns.can_push(by, domain).await?;
        }
        Ok(view)
    }
}

/// TLS by outcome, in a sentence, and the next step of MTA-STS's `mode`.
fn tls(summary: &ReportSummary, mode: &str) -> (Vec<ReportSessionView>, Text, ReportStepView) {
    let total: u64 = summary.sessions.iter().map(|session| session.sessions).sum();
    let succeeded = summary.sessions.iter().filter(|session| session.result == "success");
    let good: u64 = succeeded.map(|session| session.sessions).sum();
    let evidence = Evidence { days: summary.session_days, total, good, largest_unexplained: 0 };
    let says = match total {
        0 => Text::new("reports-tls-none"),
        _ if good == total => Text::new("reports-tls-well").with("sessions", total),
        _ => Text::new("reports-tls-failures")
            .with("percent", evidence.percent())
            .with("sessions", total)
            .with("failures", total.saturating_sub(good)),
    };
    let step = sts_step(mode, &evidence);
    let mut view = step_view(step, "sts", mode, &evidence);
    view.setting = matches!(step, Step::Next(_)).then_some("mta_sts.mode");
    let sessions = summary.sessions.iter().map(|session| ReportSessionView {
        result: session.result.clone(),
        host: session.mx_host.clone(),
        sessions: session.sessions,
    });
    (sessions.collect(), says, view)
}

/// Messages that are neither aligned nor taken for a list's or a forwarder's.
fn unexplained(source: &ReportSource) -> u64 {
    source.messages.saturating_sub(source.aligned).saturating_sub(source.overridden)
}

fn says(evidence: &Evidence, unknown: usize, names: &[String], relayed: u64) -> Text {
    if evidence.total == 0 {
        let id = if relayed == 0 { "reports-none" } else { "reports-only-relayed" };
        return Text::new(id).with("relayed", relayed);
    }
    let text = match unknown {
        0 => Text::new("reports-all-known"),
        _ if names.is_empty() => Text::new("reports-unknown-unnamed"),
        _ if names.len() < unknown => Text::new("reports-unknown-more"),
        _ => Text::new("reports-unknown"),
    };
    text.with("percent", evidence.percent())
        .with("unknown", unknown)
        .with("names", names.join(", "))
        .with("relayed", relayed)
}

fn step_view(step: Step, of: &str, current: &str, evidence: &Evidence) -> ReportStepView {
    let (kind, name, next) = match step {
        Step::NoPolicy => ("no_policy", "no-policy", None),
        Step::TooEarly => ("too_early", "too-early", None),
        Step::NotYet => ("not_yet", "not-yet", None),
        Step::Unexplained => ("unexplained", "unexplained", None),
        Step::Next(next) => ("next", "next", Some(next)),
        Step::Done => ("done", "done", None),
    };
    let says = Text::named(format!("reports-{of}-{name}"))
        .with("current", current)
        .with("next", next.unwrap_or_default())
        .with("days", evidence.days)
        .with("wanted", super::advice::DAYS_WANTED)
        .with("percent", evidence.percent());
    ReportStepView { kind, says, next, record: None, setting: None, can_push: false }
}

/// The domain's own record with another policy: its owner may have put more in it.
pub(crate) fn with_policy(text: &str, policy: &str) -> String {
    let tag = |part: &str| {
        let name = part.split('=').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("p") { format!("p={policy}") } else { part.trim().to_owned() }
    };
    let parts: Vec<String> = text.split(';').map(tag).filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

fn source_view(source: ReportSource, name: Option<String>, is_own: bool) -> ReportSourceView {
    let owner = name.as_deref().and_then(known::owner);
    let (messages, aligned) = (source.messages, source.aligned);
    let is_relay = !is_own && aligned < messages && unexplained(&source) == 0;
    let says = match (source.source.is_empty(), is_own, aligned == messages) {
        (true, ..) => "reports-source-others",
        (_, true, true) => "reports-source-own",
        (_, true, false) => "reports-source-own-unaligned",
        (.., true) => "reports-source-aligned",
        _ if is_relay => "reports-source-forwarded",
        _ if owner.is_some() => "reports-source-provider",
        _ => "reports-source-unknown",
    };
    ReportSourceView {
        percent: Evidence { total: messages, good: aligned, ..Evidence::default() }.percent(),
        source: source.source,
        name,
        owner,
        is_own,
        messages,
        aligned,
        dkim_aligned: source.dkim_aligned,
        spf_aligned: source.spf_aligned,
        quarantined: source.quarantined,
        rejected: source.rejected,
        overridden: source.overridden,
        is_relay,
        says: Text::new(says),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_how_much_is_aligned_and_who_is_unknown() {
        let check = |total: u64, good: u64, unknown: usize, names: &[&str], expected: &str| {
            let evidence = Evidence { total, good, ..Evidence::default() };
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(says(&evidence, unknown, &names, 0).id, expected);
        };
        assert_eq!(says(&Evidence::default(), 0, &[], 3).id, "reports-only-relayed");
        check(0, 0, 0, &[], "reports-none");
        check(100, 100, 0, &[], "reports-all-known");
        check(100, 97, 3, &["a", "b", "c"], "reports-unknown");
        check(100, 97, 4, &["a", "b", "c"], "reports-unknown-more");
        check(100, 97, 1, &[], "reports-unknown-unnamed");
    }

    #[test]
    fn the_next_record_keeps_what_its_owner_put_in_it() {
        let check = |text: &str, expected: &str| assert_eq!(with_policy(text, "reject"), expected);
        check("v=DMARC1; p=quarantine; rua=mailto:r@d.example", "v=DMARC1; p=reject; rua=mailto:r@d.example");
        check("v=DMARC1;p=none;sp=none;", "v=DMARC1; p=reject; sp=none");
    }

    #[test]
    fn sources_are_told_apart() {
        let check = |source: ReportSource, name: Option<&str>, is_own: bool, expected: &str| {
            assert_eq!(source_view(source, name.map(str::to_owned), is_own).says.id, expected);
        };
        let of = |messages, aligned, overridden| ReportSource {
            source: "192.0.2.1".to_owned(),
            messages,
            aligned,
            overridden,
            ..ReportSource::default()
        };
        check(of(5, 5, 0), None, true, "reports-source-own");
        check(of(5, 4, 0), None, true, "reports-source-own-unaligned");
        check(of(5, 5, 0), Some("mail.google.com"), false, "reports-source-aligned");
        check(of(5, 0, 5), Some("list.example"), false, "reports-source-forwarded");
        check(of(5, 1, 0), Some("mail.google.com"), false, "reports-source-provider");
        check(of(5, 1, 0), None, false, "reports-source-unknown");
        check(ReportSource { source: String::new(), ..of(5, 1, 0) }, None, false, "reports-source-others");
    }
}
