//! Checks: begun, run to their end, compared with the last ones; who is due is checked, and the owners are told what turned for the worse.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use relais_dnscheck::{Check, Finding, Purpose, Report, Verdict};
use relais_model::{Address, Domain, Random, Timestamp};
use relais_store::{
    Acceptance, Content, DnsNews, DnsReportEntry, DnsSubject, DnsTurnEntry, NewDnsTurn, TraceId, WebhookEvent,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::kept::{KeptFinding, KeptReport};
use super::view::{DnsTurn, DnsVerdict};
use super::{Dns, DnsHouse, Inner, Place, REST};
use crate::webhooks::payload;
use crate::{Failure, Text};

/// A check ends after this, whatever it waits for.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at who is due.
const TICK: Duration = Duration::from_secs(30);
/// Begun at one look.
const BEGUN_AT_ONCE: u32 = 3;
/// From one check to the next, and up to [`JITTER`] more, so that they spread over the day.
const EVERY: Duration = Duration::from_hours(23);
const JITTER: Duration = Duration::from_hours(2);
/// Before a check that failed is tried again.
const RETRY: Duration = Duration::from_mins(15);
/// Owners who get a mail, at most.
const MOST_OWNERS: u32 = 20;
/// Reasons that come and go with the hour: they are shown, and nobody is told.
const PASSING: [&str; 4] = ["dns-slow", "dns-server-silent", "dns-servers-differ", "dns-list-unusable"];

/// What the owners are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAlert {
    /// The domain, or the host's name.
    pub name: Domain,
    /// When it was seen.
    pub at: Timestamp,
    /// What turned: title, what it is about, and why.
    pub findings: Vec<(Text, String, Text)>,
}

/// Writes the mail that tells an owner of an alert, as a message with CRLF line ends.
pub type DnsLetter = Arc<dyn Fn(&DnsAlert, &Address) -> Vec<u8> + Send + Sync>;

/// The words of a turn, as they are kept.
#[derive(Debug, Serialize, Deserialize)]
struct Words {
    title: String,
    about: String,
    says: Text,
}

impl Dns {
    /// Checks whoever is due, until `stop`.
    pub async fn look_after(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                // Both cancel-safe: who is due is looked up anew after the next start.
                () = stop.cancelled() => return,
                () = sleep(TICK) => {}
            }
            if let Err(failure) = self.begin_due().await {
                tracing::warn!(%failure, "whose DNS is due for a check could not be looked up");
            }
        }
    }

    /// Begins the checks that are due, as many as may run at once; tells how many.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn begin_due(&self) -> Result<usize, Failure> {
        if self.hindrance().await.is_some() {
            return Ok(0);
        }
        let running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).len();
        let limit = BEGUN_AT_ONCE.saturating_sub(u32::try_from(running).unwrap_or(u32::MAX));
        let mut begun = 0;
        for (subject, domain) in self.inner.store.dns_due(limit).await? {
            let place = match domain {
                Some(name) => Place { subject, name },
                None => self.host_place()?,
            };
            begun += usize::from(self.begin(place));
        }
        Ok(begun)
    }

    /// As a person asks for it.
    pub(super) async fn ask_for_check(&self, place: Place) -> Result<(), Failure> {
        if let Some(why) = self.hindrance().await {
            return Err(Failure::clash("", why));
        }
        if self.is_running(place.subject) {
            return Ok(());
        }
        let (last, now) = (self.inner.store.dns_report(place.subject).await?, self.inner.store.now());
        let since = last.map_or(REST, |report| now.since(report.checked_at));
        if since < REST {
            return Err(Failure::TooMany { retry_after: REST.saturating_sub(since) });
        }
        self.begin(place);
        Ok(())
    }

    /// Tells whether it wasn't running already.
    pub(super) fn begin(&self, place: Place) -> bool {
        let is_new = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).insert(place.subject);
        if !is_new || self.inner.tasks.is_closed() {
            return false;
        }
        self.inner.progress.send_modify(|count| *count += 1);
        let (dns, guard) = (self.clone(), Running { inner: Arc::clone(&self.inner), subject: place.subject });
        self.inner.tasks.spawn(async move {
            let _guard = guard;
            let checked = async {
                let Ok(_turn) = dns.inner.turns.acquire().await else { return };
                if let Err(failure) = dns.run(&place).await {
                    tracing::warn!(%failure, domain = %place.name, "a check of the DNS could not be made");
                }
            };
            tokio::select! {
                // Cancel-safe: a report is written whole or not at all, and made anew after the next start.
                () = dns.inner.stop.cancelled() => {}
                () = checked => {}
            }
        });
        true
    }

    /// One check, from the facts to what is kept and told.
    async fn run(&self, place: &Place) -> Result<(), Failure> {
        let Some(house) = &self.inner.house else { return Ok(()) };
        let Some(inspector) = &house.inspector else { return Ok(()) };
        let facts = self.facts(house, place).await?;
        let looked = async {
            match place.subject {
                DnsSubject::Host => inspector.host(&facts).await,
                DnsSubject::Domain(_) => inspector.domain(&facts).await,
            }
        };
        let Ok(report) = timeout(PATIENCE, looked).await else {
            tracing::warn!(domain = %place.name, "a check of the DNS took too long and was broken off");
            return self.put_off(place).await;
        };
        self.turn_keys(place, &report).await?;
        let report = KeptReport::of(&report);
        // Another node may have written its own meanwhile: once more from there.
        for _ in 0..2 {
            if self.keep(house, place, report.clone()).await? {
                break;
            }
        }
        if let Err(failure) = self.turn_records(place).await {
            tracing::warn!(%failure, domain = %place.name, "the records of keys that sign could not be turned at the provider");
        }
        Ok(())
    }

    /// Keys that wait sign from now on, where their records were seen.
    async fn turn_keys(&self, place: &Place, report: &Report) -> Result<(), Failure> {
        let DnsSubject::Domain(domain) = place.subject else { return Ok(()) };
        let is_seen = |selector: &str| {
            let start = format!("{selector}._domainkey.");
            let of_key =
                |finding: &&Finding| finding.check == Check::Record(Purpose::Dkim) && finding.about.starts_with(&start);
            report.findings.iter().find(of_key).is_some_and(|finding| finding.verdict == Verdict::Good)
        };
        for key in self.inner.store.dkim_keys(domain).await? {
            if key.signs_since.is_none() && key.retired_at.is_none() && is_seen(&key.selector) {
                tracing::info!(domain = %place.name, selector = key.selector, "a new key signs from now on");
                self.inner.store.begin_dkim_signing(domain, key.key).await?;
            }
        }
        Ok(())
    }

    /// What was last found stays; it is tried again soon.
    pub(super) async fn put_off(&self, place: &Place) -> Result<(), Failure> {
        Ok(self.inner.store.put_off_dns_check(place.subject, self.inner.store.now().plus(RETRY)).await?)
    }

    async fn keep(&self, house: &DnsHouse, place: &Place, mut report: KeptReport) -> Result<bool, Failure> {
        let store = &self.inner.store;
        let last = store.dns_report(place.subject).await?;
        let before: Option<KeptReport> = last.as_ref().and_then(|last| serde_json::from_str(&last.report).ok());
        let turned = turns(before.as_ref(), &mut report);
        let now = store.now();
        let alert = DnsAlert {
            name: place.name.clone(),
            at: now,
            findings: turned
                .iter()
                .filter(|turn| turn.is_alert)
                .map(|turn| {
                    (Text::named(turn.finding.title.clone()), turn.finding.about.clone(), turn.finding.says.clone())
                })
                .collect(),
        };
        let news = self.news(&alert, &turned);
        let entry = entry(&report, now, &*self.inner.random)?;
        let new = turned.iter().map(Turned::row).collect::<Result<_, _>>()?;
        let is_kept = store.put_dns_report(place.subject, last.map(|last| last.checked_at), entry, new, news).await?;
        if is_kept && !alert.findings.is_empty() {
            tracing::warn!(domain = %place.name, findings = alert.findings.len(), "the DNS turned for the worse");
            self.write_to_owners(house, &alert).await;
        }
        Ok(is_kept)
    }

    fn news(&self, alert: &DnsAlert, turned: &[Turned]) -> Option<DnsNews> {
        let worse: Vec<&Turned> = turned.iter().filter(|turn| turn.is_alert).collect();
        if worse.is_empty() {
            return None;
        }
        let findings = worse.iter().map(|turn| {
            json!({
                "finding": turn.finding.key(),
                "about": turn.finding.about,
                "before": turn.before.map(DnsVerdict::name),
                "after": turn.finding.verdict.name(),
                "reason": turn.finding.says.id,
            })
        });
        let data = json!({ "domain": alert.name.as_str(), "findings": findings.collect::<Vec<_>>() });
        let mut octets = [0; 12];
        self.inner.random.fill(&mut octets);
        Some(DnsNews {
            name: alert.name.clone(),
            findings: worse.iter().map(|turn| turn.finding.key()).collect(),
            event_id: format!("evt_{}", HEXLOWER.encode(&octets)),
            payload: payload(WebhookEvent::DnsWorse, alert.at, &data),
        })
    }

    /// Into their mailboxes here; a full one is no reason to keep the news from the others.
    async fn write_to_owners(&self, house: &DnsHouse, alert: &DnsAlert) {
        let Some(letter) = house.letter.as_ref().filter(|_| self.inner.store.settings().dns_alert_mail) else { return };
        let owners = match self.inner.store.owner_addresses(MOST_OWNERS).await {
            Ok(owners) => owners,
            Err(error) => {
                tracing::error!(%error, "the owners could not be told of the DNS");
                return;
            }
        };
        for (account, address) in owners {
            let content = Content::prepare(letter(alert, &address));
            let trace = TraceId::make(alert.at, &*self.inner.random);
            let acceptance = Acceptance::from_house(content, account, address, trace);
            if let Err(error) = self.inner.store.accept(acceptance).await {
                tracing::error!(%error, "an owner could not be told of the DNS");
            }
        }
    }
}

/// While it lives, the subject counts as being checked.
struct Running {
    inner: Arc<Inner>,
    subject: DnsSubject,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.subject);
        self.inner.progress.send_modify(|count| *count += 1);
    }
}

/// A finding that is another than it was.
struct Turned {
    finding: KeptFinding,
    before: Option<DnsVerdict>,
    is_alert: bool,
}

impl Turned {
    fn row(&self) -> Result<NewDnsTurn, Failure> {
        let finding = &self.finding;
        let words = Words { title: finding.title.clone(), about: finding.about.clone(), says: finding.says.clone() };
        Ok(NewDnsTurn {
            finding: finding.key(),
            before: self.before.map(DnsVerdict::rank),
            after: finding.verdict.rank(),
            is_alert: self.is_alert,
            words: serde_json::to_string(&words).map_err(|_| Failure::Failed)?,
        })
    }
}

/// What turned from `before` to `report`, whose findings remember how they last were for certain. The first report is a beginning: nothing turned.
fn turns(before: Option<&KeptReport>, report: &mut KeptReport) -> Vec<Turned> {
    let Some(before) = before else { return Vec::new() };
    let known: BTreeMap<String, &KeptFinding> =
        before.findings.iter().map(|finding| (finding.key(), finding)).collect();
    let mut turned = Vec::new();
    for finding in &mut report.findings {
        let last = known.get(&finding.key());
        let settled = last.and_then(|last| last.settled);
        finding.settled = finding.settled.or(settled);
        if last.is_some_and(|last| last.verdict == finding.verdict) {
            continue;
        }
        let is_alert = is_worse(finding, last.is_some(), settled);
        turned.push(Turned { finding: finding.clone(), before: last.map(|last| last.verdict), is_alert });
    }
    turned
}

/// What was never seen before is for the worse only where it is no record that we have begun to want: an address on a list, a strange address.
fn is_worse(finding: &KeptFinding, is_known: bool, settled: Option<DnsVerdict>) -> bool {
    if finding.verdict == DnsVerdict::Unknown || PASSING.contains(&&*finding.says.id) {
        return false;
    }
    match settled {
        Some(settled) => settled < finding.verdict,
        None => !is_known && finding.verdict == DnsVerdict::Wrong && finding.wanted.is_empty(),
    }
}

fn entry(report: &KeptReport, now: Timestamp, random: &dyn Random) -> Result<DnsReportEntry, Failure> {
    let jitter = random.below(u64::try_from(JITTER.as_millis()).unwrap_or(u64::MAX));
    Ok(DnsReportEntry {
        verdict: report.worst().rank(),
        tally: report.counts().tally(),
        report: serde_json::to_string(report).map_err(|_| Failure::Failed)?,
        checked_at: now,
        next_check_at: now.plus(EVERY).plus(Duration::from_millis(jitter)),
    })
}

/// As it is shown. Words that a later version wrote are left out.
pub(super) fn turn_view(entry: DnsTurnEntry) -> DnsTurn {
    let words = serde_json::from_str(&entry.words).unwrap_or_else(|_| Words {
        title: format!("dns-purpose-{}", entry.finding.split(':').next().unwrap_or_default()),
        about: String::new(),
        says: Text::new("dns-missing"),
    });
    DnsTurn {
        at: entry.at.into(),
        key: entry.finding,
        title: Text::named(words.title),
        about: words.about,
        before: entry.before.map(DnsVerdict::of_rank),
        after: DnsVerdict::of_rank(entry.after),
        says: words.says,
        is_alert: entry.is_alert,
    }
}
