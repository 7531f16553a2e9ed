//! Is everything well? What happens today, what waits, what to do next.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use relais_model::Timestamp;
use relais_store::{FlowCount, LoginProtocol, LoginRow, Page, TraceEvent, TraceKey, TraceKind, TraceSearch};
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::readable;
use crate::queue::scope;
use crate::system::Host;
use crate::{
    ActivityView, ActivityWanted, Actor, CertificateView, Failure, MessageRow, Moment, QueueChart, Reach, Role,
    Service, Text,
};

/// Hours of the chart.
const HOURS: i64 = 24;

/// Events that one look at the trace counts, at most.
const COUNTED_AT_ONCE: u32 = 10_000;

/// Such looks a request, 20 ms each: where nobody calls [`Service::count_flow`], the first requests after a start show a day that is
/// not yet counted to its end.
const LOOKS: usize = 1;

/// Log-ins among which a phone's is looked for: the newest.
const LOG_INS: u32 = 50;

/// Events that are counted for who sees some domains only: the newest.
const COUNTED_OF_DOMAINS: u32 = 20_000;

/// The counts are so old, at most.
const COUNTED_EVERY_MILLIS: i64 = 30_000;

/// What another node writes may become visible a little late.
pub(crate) const SETTLES_MILLIS: i64 = 2000;

/// How well it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// Someone should look at something.
    Attention,
    /// Mail suffers.
    Trouble,
}

/// Why it is not all well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reason {
    /// How bad.
    pub verdict: Verdict,
    /// What it is about: `database`, `disk`, `delivery`, `certificates`, `queue`, `logins`.
    pub subject: &'static str,
    /// What is wrong and what to do.
    pub says: Text,
}

/// Something that is still to be done to the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Todo {
    /// What it is about: `second_factor`, `empty_domain`, `first_domain`, `certificates`, `first_phone`, `dns` (without a name: the host's).
    pub subject: &'static str,
    /// The one it is about, where there is one: a domain, an owner's address.
    pub name: Option<String>,
    /// What to do, and why.
    pub says: Text,
}

/// One hour of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowHour {
    /// When it began.
    pub at: Moment,
    /// Filed in mailboxes here.
    pub received: u64,
    /// Taken by other hosts.
    pub sent: u64,
    /// Attempts that will be made again.
    pub deferred: u64,
    /// Given up, or never taken.
    pub failed: u64,
}

/// The mail of the last 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Flow {
    /// 24 hours, the last is the one that runs.
    pub hours: Vec<FlowHour>,
    /// All was counted; else the counting still goes on, or stopped at 20,000 events.
    pub is_complete: bool,
}

/// Who holds how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StorageShare {
    /// A domain, or an address.
    pub name: String,
    /// Octets.
    pub used_octets: u64,
    /// What they may hold; none: no limit.
    pub quota_octets: Option<u64>,
}

/// What is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Storage {
    /// By all that the one who asks may see.
    pub used_octets: u64,
    /// Free on the disk; owners see it.
    pub free_octets: Option<u64>,
    /// The five that hold most.
    pub domains: Vec<StorageShare>,
    /// The ten that hold most.
    pub people: Vec<StorageShare>,
}

/// The first page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Overview {
    /// The worst of the reasons.
    pub verdict: Verdict,
    /// Is everything well? In one sentence.
    pub says: Text,
    /// Why not; empty where it is.
    pub reasons: Vec<Reason>,
    /// The mail of the last 24 hours.
    pub flow: Flow,
    /// What waits.
    pub queue: QueueChart,
    /// What is held.
    pub storage: Storage,
    /// What went wrong last: at most ten.
    pub failures: Vec<MessageRow>,
    /// What was changed last, as far as the one who asks may see it: at most ten.
    pub activity: Vec<ActivityView>,
    /// What is still to be done.
    pub todos: Vec<Todo>,
    /// The certificates in use; who serves some domains sees none.
    pub certificates: Vec<CertificateView>,
    /// Of Relais.
    pub version: &'static str,
}

/// The mail of the last day, counted as it goes by.
#[derive(Debug, Default)]
pub(crate) struct FlowBoard {
    counted: Mutex<Counted>,
    /// One counts at a time; the others take what is there.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Counted {
    hours: BTreeMap<i64, FlowTally>,
    read_to: Option<TraceKey>,
    at: Option<Timestamp>,
    is_complete: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct FlowTally {
    received: u64,
    sent: u64,
    deferred: u64,
    failed: u64,
}

impl FlowTally {
    fn add(&mut self, count: &FlowCount) {
        let place = match count.kind {
            TraceKind::Delivered if count.is_filed_here => &mut self.received,
            TraceKind::Delivered => &mut self.sent,
            TraceKind::Deferred => &mut self.deferred,
            TraceKind::Failed => &mut self.failed,
            TraceKind::Queued | TraceKind::Refused | TraceKind::Removed => return,
        };
        *place += count.count;
    }
}

const fn hour_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(3_600_000)
}

/// The last 24 hours of `tallies`.
fn chart(tallies: &BTreeMap<i64, FlowTally>, now: Timestamp, is_complete: bool) -> Flow {
    let last = hour_of(now);
    let hours = (last - HOURS + 1..=last).map(|hour| {
        let tally = tallies.get(&hour).copied().unwrap_or_default();
        FlowHour {
            at: Timestamp::from_millis(hour.saturating_mul(3_600_000)).into(),
            received: tally.received,
            sent: tally.sent,
            deferred: tally.deferred,
            failed: tally.failed,
        }
    });
    Flow { hours: hours.collect(), is_complete }
}

impl Service {
    /// The first page, as far as the one who asks may see it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is neither help desk nor more.
    pub async fn overview(&self, by: &Actor) -> Result<Overview, Failure> {
        by.require(Role::HelpDesk)?;
        let queue = self.queue_chart(by).await?;
        let reasons = self.reasons(by, &queue).await?;
        let verdict = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::Ok);
        let failures = TraceSearch { kind: Some(TraceKind::Failed), domains: scope(by), ..TraceSearch::default() };
        Ok(Overview {
            verdict,
            says: Text::new(match verdict {
                Verdict::Ok => "overview-ok",
                Verdict::Attention => "overview-attention",
                Verdict::Trouble => "overview-trouble",
            }),
            reasons,
            flow: self.flow(by).await?,
            queue,
            storage: self.storage(by).await?,
            failures: self.failures(&failures).await?,
            activity: self.latest_activity(by).await?,
            todos: self.todos(by).await?,
            certificates: if by.reach == Reach::All { self.certificates() } else { Vec::new() },
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// The mail of the last 24 hours.
    pub async fn flow(&self, by: &Actor) -> Result<Flow, Failure> {
        by.require(Role::HelpDesk)?;
        let now = self.store.now();
        match scope(by) {
            None => Ok(self.flow_of_all(now).await?),
            Some(domains) => {
                let since = Timestamp::from_millis((hour_of(now) - HOURS + 1).saturating_mul(3_600_000));
                let counts = self.store.trace_flow_of(&domains, TraceKey::at(since), COUNTED_OF_DOMAINS).await?;
                let mut tallies: BTreeMap<i64, FlowTally> = BTreeMap::new();
                for count in &counts.0 {
                    tallies.entry(count.hour).or_default().add(count);
                }
                Ok(chart(&tallies, now, counts.1))
            }
        }
    }

    /// Counts the mail of the last day to its end, a part at a time: once after a start, so that the first page finds it done.
    ///
    /// # Errors
    /// [`Failure::Failed`]: the next request goes on.
    pub async fn count_flow(&self) -> Result<(), Failure> {
        let _turn = self.operations.flow.turn.lock().await;
        while self.count_some(self.store.now()).await? {}
        Ok(())
    }

    async fn flow_of_all(&self, now: Timestamp) -> Result<Flow, Failure> {
        let board = &self.operations.flow;
        if let Ok(_turn) = board.turn.try_lock() {
            for _look in 0..LOOKS {
                if !self.count_some(now).await? {
                    break;
                }
            }
        }
        let counted = board.counted.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(chart(&counted.hours, now, counted.is_complete))
    }

    /// Counts the next events, where it is time to; tells whether there may be more.
    async fn count_some(&self, now: Timestamp) -> Result<bool, Failure> {
        let board = &self.operations.flow;
        let since = Timestamp::from_millis((hour_of(now) - HOURS + 1).saturating_mul(3_600_000));
        let from = {
            let counted = board.counted.lock().unwrap_or_else(PoisonError::into_inner);
            let is_fresh = counted.is_complete
                && counted.at.is_some_and(|at| now.millis().saturating_sub(at.millis()) < COUNTED_EVERY_MILLIS);
            if is_fresh {
                return Ok(false);
            }
            counted.read_to.unwrap_or_else(|| TraceKey::at(since))
        };
        let before = TraceKey::at(Timestamp::from_millis(now.millis().saturating_sub(SETTLES_MILLIS)));
        let (counts, last) = self.store.trace_flow(from, before, COUNTED_AT_ONCE).await?;
        let looked_at: u64 = counts.iter().map(|count| count.count).sum();
        let mut counted = board.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for count in &counts {
            counted.hours.entry(count.hour).or_default().add(count);
        }
        counted.hours.retain(|hour, _| hour_of(since) <= *hour);
        counted.read_to = Some(last.unwrap_or(from));
        counted.is_complete = looked_at < u64::from(COUNTED_AT_ONCE);
        counted.at = Some(now);
        Ok(!counted.is_complete)
    }

    async fn latest_activity(&self, by: &Actor) -> Result<Vec<ActivityView>, Failure> {
        let wanted = ActivityWanted { limit: Some(10), ..ActivityWanted::default() };
        Ok(self.activity.list(by, &wanted).await?.rows)
    }

    async fn failures(&self, wanted: &TraceSearch) -> Result<Vec<MessageRow>, Failure> {
        let page = Page { after: None, limit: 10 };
        let found = self.store.trace_search(wanted, &page).await?;
        let traces: Vec<_> = found.rows.iter().map(|event| event.trace.clone()).collect();
        // The subject stands with what was accepted, not with what failed.
        let steps = self.store.trace_of(&traces).await?;
        let subject = |event: &TraceEvent| {
            steps.iter().filter(|step| step.trace == event.trace).find_map(|step| step.subject.clone())
        };
        Ok(found
            .rows
            .into_iter()
            .map(|event| MessageRow { subject: subject(&event), ..MessageRow::of(event) })
            .collect())
    }

    async fn storage(&self, by: &Actor) -> Result<Storage, Failure> {
        let domains = by.domains();
        let use_of = self.store.storage_use(domains.as_deref(), 5, 10).await?;
        let share = |entry: relais_store::StorageEntry| StorageShare {
            name: entry.name,
            used_octets: entry.used_octets,
            quota_octets: entry.quota_octets,
        };
        Ok(Storage {
            used_octets: use_of.used_octets,
            free_octets: match by.reach {
                Reach::All => self.host().and_then(Host::disk).map(|disk| disk.free),
                Reach::Domains(_) => None,
            },
            domains: use_of.domains.into_iter().map(share).collect(),
            people: use_of.people.into_iter().map(share).collect(),
        })
    }

    /// Why it is not all well. Who serves some domains hears of their queue alone.
    async fn reasons(&self, by: &Actor, queue: &QueueChart) -> Result<Vec<Reason>, Failure> {
        let (settings, now) = (self.store.settings(), self.store.now());
        let mut reasons = Vec::new();
        if by.reach == Reach::All {
            for check in self.health().await.into_iter().filter(|check| !check.is_well) {
                let verdict = if check.name == "certificates" { Verdict::Attention } else { Verdict::Trouble };
                reasons.push(Reason { verdict, subject: check.name, says: check.says });
            }
            let failed = self.failed_logins_of_last_hour().await?;
            if settings.login_alarm <= failed {
                let says = Text::new("overview-failed-logins").with("count", failed);
                reasons.push(Reason { verdict: Verdict::Attention, subject: "logins", says });
            }
        }
        let held = self.count_holds(by).await?;
        if held > 0 {
            let says = Text::new("overview-holds").with("count", held);
            reasons.push(Reason { verdict: Verdict::Attention, subject: "holds", says });
        }
        if settings.queue_alarm <= queue.total.waiting {
            let says = Text::new("overview-queue-large").with("count", queue.total.waiting);
            reasons.push(Reason { verdict: Verdict::Attention, subject: "queue", says });
        }
        let age = queue.oldest_at.map(|oldest| now.since(oldest.0)).unwrap_or_default();
        if settings.queue_age_alarm <= age {
            let says = Text::new("overview-queue-old").with("hours", age.as_secs() / 3600);
            reasons.push(Reason { verdict: Verdict::Attention, subject: "queue", says });
        }
        Ok(reasons)
    }

    async fn todos(&self, by: &Actor) -> Result<Vec<Todo>, Failure> {
        let mut todos = Vec::new();
        if by.role < Role::DomainAdmin {
            return Ok(todos);
        }
        let domains = by.domains();
        for domain in self.store.empty_domains(domains.as_deref(), 5).await? {
            let name = domain.to_unicode();
            let says = Text::new("overview-todo-empty-domain").with("domain", name.as_str());
            todos.push(Todo { subject: "empty_domain", name: Some(name), says });
        }
        let (wrong, is_host_wrong) = self.store.dns_wrong(domains.as_deref(), 5).await?;
        for domain in wrong {
            let name = domain.to_unicode();
            let says = Text::new("overview-todo-dns").with("domain", name.as_str());
            todos.push(Todo { subject: "dns", name: Some(name), says });
        }
        if by.reach == Reach::All {
            if is_host_wrong {
                todos.push(Todo { subject: "dns", name: None, says: Text::new("overview-todo-dns-host") });
            }
            for owner in self.store.owners_with_one_factor(5).await? {
                let is_self = by.account.as_ref().is_some_and(|(_, own)| *own == owner);
                let name = readable(&owner);
                let says = if is_self {
                    Text::new("overview-todo-second-factor")
                } else {
                    Text::new("overview-todo-second-factor-of").with("address", name.as_str())
                };
                todos.push(Todo { subject: "second_factor", name: Some(name), says });
            }
            if self.store.sizes().await?.domains == 0 {
                todos.push(Todo { subject: "first_domain", name: None, says: Text::new("overview-todo-first-domain") });
            }
            if self.certificates().iter().any(|certificate| certificate.is_self_signed) {
                let says = Text::new("overview-todo-certificate");
                todos.push(Todo { subject: "certificates", name: None, says });
            }
            if self.has_no_program(by).await? {
                todos.push(Todo { subject: "first_phone", name: None, says: Text::new("overview-todo-first-phone") });
            }
        }
        Ok(todos)
    }

    /// Who asks has mail here, and neither phone nor program that fetches it.
    async fn has_no_program(&self, by: &Actor) -> Result<bool, Failure> {
        let Some((account, _)) = &by.account else { return Ok(false) };
        if !self.store.app_passwords(*account).await?.is_empty() {
            return Ok(false);
        }
        let latest = self.store.logins(*account, &Page { after: None, limit: LOG_INS }).await?;
        let fetches =
            |row: &LoginRow| row.is_granted && matches!(row.protocol, LoginProtocol::Imap | LoginProtocol::Pop3);
        Ok(!latest.rows.iter().any(fetches))
    }
}
