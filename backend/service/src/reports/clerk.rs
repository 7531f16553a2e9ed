//! The clerk: keeps what was counted, reads reports that came, sends those that are due.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use relais_filing::{Filing, FilingError, Plan, Refusal};
use relais_model::{Address, BodyType, Domain, ForwardPath, Notify, Random, ReversePath, Timestamp};
use relais_msgauth::Resolver;
use relais_msgauth::report::ReportError;
use relais_reception::Tally;
use relais_store::{
    Acceptance, Content, Delivery, DomainKey, MessageKey, NewQueued, ReceivedReport, Store, StoreError, TraceId,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::read::{self, Told};
use crate::Courier;

/// What was counted goes to the store, and what came is read, this often.
const TICK: Duration = Duration::from_mins(1);
/// What is due is looked for every so many ticks.
const SENT_EVERY: u32 = 60;
/// Messages that are read in a tick.
const READ_AT_ONCE: u32 = 200;
/// Octets of a message that is read.
const MOST_OCTETS: usize = 24 * 1024 * 1024;
/// Labels of a name that are taken away to find a domain of ours.
const MOST_LABELS: usize = 8;
/// RFC 8460 §5 wants senders to spread over four hours of the day that follows.
const SPREAD_MINUTES: u64 = 230;
/// And no day is told before all that was counted of it is in the store.
const LEAST_MINUTES: u64 = 10;

/// Counts, reads and sends.
pub struct Clerk {
    pub(super) store: Store,
    filing: Filing,
    pub(super) host: Domain,
    pub(super) from: Address,
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) courier: Arc<dyn Courier>,
    pub(super) random: Arc<dyn Random>,
    tally: Arc<Tally>,
}

impl fmt::Debug for Clerk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clerk").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Clerk {
    /// Of the house `host`. None where it is no name that mail can come from.
    pub fn new(
        store: Store,
        host: Domain,
        tally: Arc<Tally>,
        resolver: Arc<dyn Resolver>,
        courier: Arc<dyn Courier>,
        random: Arc<dyn Random>,
    ) -> Option<Self> {
        let from = Address::parse(&format!("postmaster@{host}")).ok()?;
        let filing = Filing::new(store.clone(), host.clone());
        Some(Self { store, filing, host, from, resolver, courier, random, tally })
    }

    /// Works until `stop`; what was counted is kept then, too.
    pub async fn run(self, stop: CancellationToken) {
        let mut octets = [0; 8];
        self.random.fill(&mut octets);
        // Chosen anew at each start: what was sent is forgotten, so no day is told twice.
        let lag = Duration::from_mins(LEAST_MINUTES + u64::from_le_bytes(octets) % SPREAD_MINUTES);
        let mut ticks: u32 = 0;
        loop {
            tokio::select! {
                // Both cancel-safe: nothing has begun.
                () = stop.cancelled() => break,
                () = sleep(TICK) => {}
            }
            self.keep_counts().await;
            tokio::select! {
                // Cancel-safe: what was taken is written, the rest is taken after the next start.
                () = stop.cancelled() => break,
                outcome = self.read_mail() => if let Err(error) = outcome {
                    tracing::warn!(%error, "reports that came wait: the store failed");
                }
            }
            if ticks.is_multiple_of(SENT_EVERY) {
                tokio::select! {
                    // Cancel-safe: a report that was queued and not yet forgotten goes twice under one number.
                    () = stop.cancelled() => break,
                    outcome = self.send_due(self.store.now().minus(lag).day()) => if let Err(error) = outcome {
                        tracing::warn!(%error, "reports that are due wait: the store failed");
                    }
                }
            }
            ticks = ticks.wrapping_add(1);
        }
        self.keep_counts().await;
    }

    /// Gives the store what was counted.
    pub async fn keep_counts(&self) {
        let counts = self.tally.take();
        if !counts.is_empty()
            && let Err(error) = self.store.count_dmarc(counts).await
        {
            tracing::warn!(%error, "how strangers' mail came out can't be counted for the reports");
        }
    }

    /// Reads what waits to be read; tells how many messages.
    ///
    /// # Errors
    /// [`StoreError`]: the rest still waits.
    pub async fn read_mail(&self) -> Result<usize, StoreError> {
        let waiting = self.store.report_mail(READ_AT_ONCE).await?;
        for key in &waiting {
            self.read_one(*key).await?;
        }
        Ok(waiting.len())
    }

    async fn read_one(&self, key: MessageKey) -> Result<(), StoreError> {
        // Its reader was quicker and has removed it.
        let Some(raw) = self.store.raw(key).await? else { return self.store.pass_report_mail(key, None).await };
        if raw.len() > MOST_OCTETS {
            return self.store.pass_report_mail(key, Some(ReportError::TooLarge.to_string())).await;
        }
        let (host, now) = (self.host.clone(), self.store.now());
        let read = tokio::task::spawn_blocking(move || read::read(&raw, &host, now)).await;
        match read {
            Ok(Ok(Told::Reports(told))) => {
                let mut reports = Vec::with_capacity(told.len());
                for (name, report) in told {
                    if let Some(domain) = self.own(&name).await? {
                        reports.push(ReceivedReport { domain, ..report });
                    }
                }
                if reports.is_empty() {
                    let why = "it tells of no domain of ours".to_owned();
                    return self.store.pass_report_mail(key, Some(why)).await;
                }
                self.store.take_reports(key, reports).await.map(drop)
            }
            Ok(Ok(Told::Incidents { names, kind, incidents, complaint })) => {
                if let Some(complaint) = complaint {
                    self.store.note_complaint(complaint).await?;
                }
                for name in names {
                    if let Some(domain) = self.own(&name).await? {
                        return self.store.take_incidents(key, domain, now.day(), kind, incidents).await;
                    }
                }
                self.store.pass_report_mail(key, Some("it tells of no domain of ours".to_owned())).await
            }
            Ok(Ok(Told::Nothing)) => self.store.pass_report_mail(key, None).await,
            Ok(Err(error)) => {
                tracing::info!(%error, "a report that came can't be read");
                self.store.pass_report_mail(key, Some(error.to_string())).await
            }
            Err(_panicked) => {
                tracing::error!("reading a report broke off");
                self.store.pass_report_mail(key, Some("reading it broke off".to_owned())).await
            }
        }
    }

    /// The domain of ours that is `name`, or above it.
    async fn own(&self, name: &str) -> Result<Option<DomainKey>, StoreError> {
        let mut rest = name;
        for _ in 0..MOST_LABELS {
            let Ok(domain) = Domain::parse(rest) else { return Ok(None) };
            if let Some(found) = self.store.domain(&domain).await? {
                return Ok(Some(found.key));
            }
            let Some((_, above)) = rest.split_once('.') else { break };
            rest = above;
        }
        Ok(None)
    }

    /// A message of ours, ready for the store; none where it has nobody to go to. It has the null reverse-path, as notices have: what can't be delivered is no concern of a person's.
    pub(super) async fn letter(
        &self,
        to: &Address,
        raw: Vec<u8>,
        now: Timestamp,
    ) -> Result<Option<Acceptance>, StoreError> {
        let path = ForwardPath { address: to.clone(), notify: Some(Notify::NEVER), original: None };
        let plan = match self.filing.plan(&path).await {
            Ok(plan) => plan,
            Err(FilingError::Refused(Refusal::NotLocal)) => Plan::relay(path),
            Err(FilingError::Refused(_)) => return Ok(None),
            Err(FilingError::Failed(error)) => return Err(error),
        };
        let deliveries: Vec<Delivery> = plan.copies().collect();
        let outbound = (!plan.forwards.is_empty()).then(|| NewQueued {
            reverse_path: ReversePath::Null,
            ret: None,
            envelope_id: None,
            body_type: BodyType::EightBitMime,
            smtputf8: to.needs_smtputf8(),
            require_tls: false,
            submitter: None,
            recipients: plan.forwards,
            expires_at: now.plus(Duration::from_hours(48)),
        });
        Ok(Some(Acceptance {
            content: Content::prepare(self.filing.signing().sign(&self.from.domain, raw, now).await?),
            reverse_path: ReversePath::Null,
            deliveries,
            outbound,
            trace: TraceId::make(now, &*self.random),
            from_peer: String::new(),
            judgement: None,
            submission: None,
        }))
    }
}
