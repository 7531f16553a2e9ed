//! One attempt to bring a message to its next hop: host after host, until each recipient has its verdict.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use relais_model::{Clock, Domain, EnhancedCode, Envelope, ForwardPath, Random, Reply, Timestamp};
use relais_smtp::client::{Config, Credentials, Fate, Fault, Language, Outcome, Stage};
use relais_store::{Protection, QueuedMessage, QueuedRecipient, TlsResult};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bodies::Body;
use crate::config::DeliveryConfig;
use crate::connection::{Connection, Cut, Opening};
use crate::dial::{Dialed, NobodyAnswered, dial};
use crate::hosts::{Finder, MxHost};
use crate::memory::HostMemory;
use crate::policy::{Policy, policy_of};
use crate::ports::{Dialer, Resolver};
use crate::route::{NextHop, RelayTls};
use crate::sts::{Known, Policies};
use crate::tally::Tally;
use crate::tls::{Shaken, Tls, TlsFailure};

/// Connections that one attempt opens, at most.
const MOST_CONNECTIONS: usize = 5;

/// One attempt, whatever the peers say in between: shorter than a claim's lease.
pub(crate) const ATTEMPT_LIMIT: Duration = Duration::from_hours(1);
/// What is kept of a reply's text.
const REPLY_OCTETS: usize = 1000;

/// What delivery asks of the world around it.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The DNS.
    pub resolver: Arc<dyn Resolver>,
    /// The network.
    pub dialer: Arc<dyn Dialer>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
}

/// One message for one next hop.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) message: QueuedMessage,
    pub(crate) recipients: Vec<QueuedRecipient>,
    pub(crate) next_hop: NextHop,
    pub(crate) claimed_at: Timestamp,
}

/// What was said of a recipient, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) reply: Reply,
    /// The host that was spoken to; none where none was reached.
    pub(crate) host: Option<Domain>,
    /// The host's own words, not ours in its place.
    pub(crate) is_remote: bool,
    /// The host looks after DSNs from here on (RFC 3461 §5.2).
    pub(crate) hands_on_dsn: bool,
    /// How it went there; none where no transaction began.
    pub(crate) protection: Option<Protection>,
}

impl Said {
    /// What we say ourselves.
    pub(crate) fn ours(reply: Reply) -> Self {
        Self { reply, host: None, is_remote: false, hands_on_dsn: false, protection: None }
    }
}

/// What came of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The next hop has it, or a mailbox here.
    Delivered(Said),
    /// Try again.
    Deferred(Said),
    /// Don't.
    Failed(Said),
    /// The worker was stopped before anything came of it.
    Untried,
}

impl Verdict {
    pub(crate) fn of(said: Said) -> Self {
        if said.reply.is_transient() { Self::Deferred(said) } else { Self::Failed(said) }
    }
}

/// What an attempt came to.
#[derive(Debug)]
pub(crate) struct Report {
    /// One for each recipient, in order.
    pub(crate) verdicts: Vec<Verdict>,
    /// A host took part in a transaction, whatever it said of the recipients.
    pub(crate) was_heard: bool,
}

/// All that attempts share.
pub(crate) struct Courier {
    pub(crate) config: DeliveryConfig,
    pub(crate) ports: Ports,
    pub(crate) tls: Tls,
    pub(crate) memory: HostMemory,
    pub(crate) policies: Policies,
    pub(crate) tally: Tally,
    /// Breaks off what has not been promised.
    pub(crate) cut: CancellationToken,
}

/// What is decided so far.
struct Walk<'a> {
    job: &'a Job,
    body: &'a dyn Body,
    verdicts: Vec<Option<Verdict>>,
    /// Why the hosts tried so far were of no use: what temporary trouble says goes before what permanent trouble says.
    trouble: Option<Said>,
    was_heard: bool,
    deadline: Instant,
}

/// How a transaction ended, for the connection.
enum Ended {
    /// Each recipient has its verdict.
    Decided,
    /// The host is of no use now; others may be.
    NextHost { tls_failed: bool },
}

impl Courier {
    pub(crate) fn new(config: DeliveryConfig, ports: Ports, tls: Tls, cut: CancellationToken) -> Self {
        let policies = Policies::new(config.sts_port, config.sources);
        Self { config, ports, tls, memory: HostMemory::default(), policies, tally: Tally::default(), cut }
    }

    /// Brings `job` to its next hop, over `connection` where one is open and good enough; leaves there what may be used again.
    pub(crate) async fn attempt(&self, job: &Job, body: &dyn Body, connection: &mut Option<Connection>) -> Report {
        let verdicts = vec![None; job.recipients.len()];
        let deadline = Instant::now() + ATTEMPT_LIMIT;
        let mut walk = Walk { job, body, verdicts, trouble: None, was_heard: false, deadline };
        let outcome = self.walk(&mut walk, connection).await;
        let rest = match (outcome, walk.trouble) {
            (Err(Cut), _) | (Ok(()), None) => Verdict::Untried,
            (Ok(()), Some(trouble)) => Verdict::of(trouble),
        };
        let verdicts = walk.verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(|| rest.clone())).collect();
        Report { verdicts, was_heard: walk.was_heard }
    }

    async fn walk(&self, walk: &mut Walk<'_>, connection: &mut Option<Connection>) -> Result<(), Cut> {
        if let Some(open) = connection.take() {
            if !needs_verified(walk.job) || open.is_verified() {
                if let Ended::Decided = self.transact(walk, open, connection).await? {
                    return Ok(());
                }
                // The host may have closed while nobody spoke: that says nothing of it. It is tried afresh.
                walk.trouble = None;
            } else {
                open.quit().await;
            }
        }
        let hosts = match self.finder().hosts(&walk.job.next_hop).await {
            Ok(hosts) => hosts,
            Err(reply) => {
                walk.trouble = Some(Said::ours(reply));
                return Ok(());
            }
        };
        let sts = self.sts(&walk.job.next_hop).await?;
        for host in hosts.iter().take(MOST_CONNECTIONS) {
            if walk.deadline <= Instant::now() {
                break;
            }
            if let Ended::Decided = self.try_host(walk, host, &sts, connection).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn try_host(
        &self,
        walk: &mut Walk<'_>,
        host: &MxHost,
        sts: &Known,
        connection: &mut Option<Connection>,
    ) -> Result<Ended, Cut> {
        let job = walk.job;
        let now = self.ports.clock.now();
        if host.addresses.iter().all(|remote| self.memory.failed_since(*remote, job.claimed_at, now)) {
            walk.trouble(no_answer(host, "it didn't answer a moment ago"));
            return Ok(Ended::NextHost { tls_failed: false });
        }
        let policy = match self.policy(job, host, sts).await {
            Ok(policy) => policy,
            Err(said) => {
                walk.trouble(said);
                return Ok(Ended::NextHost { tls_failed: true });
            }
        };
        let dialed = match self.dial(host).await? {
            Ok(dialed) => dialed,
            Err(NobodyAnswered(failed)) => {
                let mut why = String::from("it has no address");
                for (remote, error) in failed {
                    self.memory.failed(remote, self.ports.clock.now());
                    why = format!("{}: {error}", remote.ip());
                }
                walk.trouble(no_answer(host, &why));
                return Ok(Ended::NextHost { tls_failed: false });
            }
        };
        let remote = dialed.remote;
        let falls_back = policy.falls_back();
        let ended = self.converse(walk, host, dialed, policy, connection).await?;
        if falls_back && matches!(ended, Ended::NextHost { tls_failed: true }) {
            // RFC 7435 §3: a handshake that fails is no reason to keep the mail, since none might have been offered.
            if let Ok(dialed) = self.dial_one(remote).await? {
                return self.converse(walk, host, dialed, Policy::Never, connection).await;
            }
        }
        Ok(ended)
    }

    async fn converse(
        &self,
        walk: &mut Walk<'_>,
        host: &MxHost,
        dialed: Dialed,
        policy: Policy,
        connection: &mut Option<Connection>,
    ) -> Result<Ended, Cut> {
        let remote = dialed.remote;
        let opened = match self.open(walk.job, host, dialed, policy.clone()).await? {
            Ok(opened) => opened,
            Err(failure) => {
                self.memory.failed(remote, self.ports.clock.now());
                walk.trouble(fault_means(walk.job, &host.name, &policy, &Fault::Tls(failure.to_string())));
                return Ok(Ended::NextHost { tls_failed: true });
            }
        };
        let ended = self.transact(walk, opened, connection).await?;
        match ended {
            Ended::Decided => self.memory.worked(remote),
            // It works, but for TLS: of another domain it may take mail in the clear.
            Ended::NextHost { tls_failed: true } => {}
            Ended::NextHost { .. } => self.memory.failed(remote, self.ports.clock.now()),
        }
        Ok(ended)
    }

    /// Sends to all who have no verdict yet, in as many transactions as the peer's limits ask for.
    async fn transact(
        &self,
        walk: &mut Walk<'_>,
        mut open: Connection,
        connection: &mut Option<Connection>,
    ) -> Result<Ended, Cut> {
        let octets = walk.job.message.size_octets.saturating_sub(walk.body.kept_back().await);
        loop {
            let (places, envelope) = walk.undecided(self);
            let envelope = Envelope { declared_octets: Some(octets), ..envelope };
            let asked = places.len();
            let outcome = open.send(envelope, octets, walk.body, walk.deadline).await?;
            self.count(walk.job, &mut open, &outcome);
            let tls_failed = Self::judge(walk, &open, &places, outcome);
            let left = walk.verdicts.iter().filter(|verdict| verdict.is_none()).count();
            if left == 0 {
                if open.is_usable().await {
                    *connection = Some(open);
                }
                return Ok(Ended::Decided);
            }
            // RFC 9422 §4: the rest goes in another transaction, as long as each brings something.
            if left == asked || !open.is_usable().await {
                return Ok(Ended::NextHost { tls_failed });
            }
        }
    }

    /// Counts how TLS came out, once a connection (RFC 8460).
    fn count(&self, job: &Job, open: &mut Connection, outcome: &Outcome) {
        let NextHop::Mx(destination) = &job.next_hop else { return };
        let Some(reported) = open.policy.reported(destination) else { return };
        let result = match &open.tls_failure {
            Some(failure) => failure.result,
            None if outcome.under_tls => match open.policy {
                Policy::StsTesting { is_named: false, .. } => TlsResult::ValidationFailure,
                _ => TlsResult::Success,
            },
            // It said what it offers.
            None if !outcome.offer.name.is_empty() => TlsResult::StartTlsNotSupported,
            None => return,
        };
        if !std::mem::replace(&mut open.is_counted, true) {
            self.tally.count(self.ports.clock.now(), reported, Some(&open.host), result);
        }
    }

    /// Gives verdicts where the host has decided; true where TLS failed, or lacked where it must be.
    fn judge(walk: &mut Walk<'_>, open: &Connection, places: &[usize], outcome: Outcome) -> bool {
        let (host, mut tls_failed) = (&open.host, false);
        for (place, fate) in places.iter().zip(outcome.recipients) {
            let said = Said {
                reply: shortened(fate.reply()),
                host: Some(host.clone()),
                is_remote: fate.remote_reply().is_some(),
                hands_on_dsn: outcome.offer.dsn,
                protection: Some(open.protection()),
            };
            let verdict = match fate {
                Fate::Accepted(_) => Verdict::Delivered(said),
                Fate::Refused { stage: Stage::Login, reply } => {
                    tracing::error!(relay = %host, %reply, "a relay host refuses our log-in: check its name and password");
                    walk.trouble(Said { reply: later(reply), ..said });
                    continue;
                }
                // The session is refused, not the message: another host may take it.
                Fate::Refused { stage: Stage::Greeting | Stage::Hello | Stage::StartTls, .. }
                | Fate::Refused { reply: Reply { code: 421, .. }, .. } => {
                    walk.trouble(said);
                    continue;
                }
                Fate::Refused { .. } => Verdict::of(said),
                // The peer may have it. Another host would make it two; so would this one, but later is all that is left.
                Fate::Broken { stage: Stage::Body, .. } => Verdict::Deferred(Said { reply: later(said.reply), ..said }),
                Fate::Broken { fault, .. } => {
                    tls_failed |= matches!(fault, Fault::Tls(_) | Fault::TlsMissing);
                    walk.trouble(fault_means(walk.job, host, &open.policy, &fault));
                    continue;
                }
            };
            walk.was_heard = true;
            if let Some(slot) = walk.verdicts.get_mut(*place) {
                *slot = Some(verdict);
            }
        }
        tls_failed
    }

    /// The MTA-STS policy of the next hop, where that is a domain.
    async fn sts(&self, next_hop: &NextHop) -> Result<Known, Cut> {
        let NextHop::Mx(domain) = next_hop else { return Ok(Known::default()) };
        if domain.is_literal() {
            return Ok(Known::default());
        }
        // Cancel-safe: what was fetched by then is kept, the rest is fetched another time.
        let known = tokio::select! {
            () = self.cut.cancelled() => return Err(Cut),
            known = self.policies.policy(domain, &self.ports, &self.tls) => known,
        };
        if let Some(failure) = &known.failure {
            let policy = (relais_store::TlsPolicyType::Sts, domain);
            self.tally.count(self.ports.clock.now(), policy, None, failure.result);
        }
        Ok(known)
    }

    /// What holds for `host`.
    ///
    /// # Errors
    /// What is said of the recipients where the host isn't used.
    async fn policy(&self, job: &Job, host: &MxHost, sts: &Known) -> Result<Policy, Said> {
        let domain = match &job.next_hop {
            NextHop::Relay(_) if needs_verified(job) => return Ok(Policy::Required),
            NextHop::Relay(_) => return Ok(Policy::Never),
            NextHop::Mx(domain) => domain,
        };
        let policy = policy_of(&*self.ports.resolver, self.config.mx_port, domain, host, sts).await;
        let policy = policy.map_err(|refusal| {
            let (kind, domain) = &refusal.policy;
            self.tally.count(self.ports.clock.now(), (*kind, domain), Some(&host.name), refusal.result);
            Said { host: Some(host.name.clone()), ..Said::ours(refusal.reply) }
        })?;
        if !requires_tls(job) || matches!(policy, Policy::Dane(_) | Policy::Sts(_)) {
            return Ok(policy);
        }
        // RFC 8689 §4.2.1: nobody may have put the host's name there but the domain.
        if host.is_secure {
            return Ok(Policy::Required);
        }
        let text = format!("The DNS doesn't prove that {} takes this domain's mail, as REQUIRETLS needs", host.name);
        Err(Said::ours(Reply::new(550, EnhancedCode::new(5, 7, 30), text)))
    }

    pub(crate) fn finder(&self) -> Finder<'_> {
        Finder {
            resolver: &*self.ports.resolver,
            dialer: &*self.ports.dialer,
            random: &*self.ports.random,
            memory: &self.memory,
            now: self.ports.clock.now(),
            host_name: &self.config.host_name,
            listeners: &self.config.listeners,
            mx_port: self.config.mx_port,
        }
    }

    async fn dial(&self, host: &MxHost) -> Result<Result<Dialed, NobodyAnswered>, Cut> {
        let dialing = dial(&*self.ports.dialer, &host.addresses, self.config.sources);
        // Cancel-safe: a connection that nobody waits for is closed.
        tokio::select! {
            () = self.cut.cancelled() => Err(Cut),
            dialed = dialing => Ok(dialed),
        }
    }

    async fn dial_one(&self, remote: SocketAddr) -> Result<Result<Dialed, NobodyAnswered>, Cut> {
        let remotes = [remote];
        let dialing = dial(&*self.ports.dialer, &remotes, self.config.sources);
        // Cancel-safe: as in `dial`.
        tokio::select! {
            () = self.cut.cancelled() => Err(Cut),
            dialed = dialing => Ok(dialed),
        }
    }

    async fn open(
        &self,
        job: &Job,
        host: &MxHost,
        dialed: Dialed,
        policy: Policy,
    ) -> Result<Result<Connection, TlsFailure>, Cut> {
        let relay = match &job.next_hop {
            NextHop::Relay(relay) => Some(relay),
            NextHop::Mx(_) => None,
        };
        let is_implicit = relay.is_some_and(|relay| relay.tls == RelayTls::Implicit);
        let Dialed { mut stream, remote } = dialed;
        let mut seen = None;
        if is_implicit {
            let verify = policy.verify();
            let handshake = self.tls.handshake(stream, &host.name, &verify);
            // Cancel-safe: as in `dial`.
            let made = tokio::select! {
                () = self.cut.cancelled() => return Err(Cut),
                made = handshake => made,
            };
            match made {
                Ok(Shaken { stream: shaken, doubt }) => (stream, seen) = (shaken, doubt),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        let credentials = relay.and_then(|relay| relay.login.as_ref()).map(|login| Credentials {
            login_name: login.name.clone(),
            password: login.password.clone(),
            without_tls: remote.ip().is_loopback(),
        });
        let client = Config {
            host_name: self.config.host_name.clone(),
            language: Language::Smtp,
            tls: policy.start_tls(),
            is_under_tls: is_implicit,
            credentials,
        };
        let opening = Opening { stream, host: host.name.clone(), policy, doubt: seen, client };
        Ok(Ok(Connection::new(opening, self.tls.clone(), self.cut.clone())))
    }
}

impl Walk<'_> {
    fn trouble(&mut self, said: Said) {
        let outranks = |before: &Said| said.reply.is_transient() || !before.reply.is_transient();
        if self.trouble.as_ref().is_none_or(outranks) {
            self.trouble = Some(said);
        }
    }

    /// Those without a verdict, and the envelope for them.
    fn undecided(&self, courier: &Courier) -> (Vec<usize>, Envelope) {
        let message = &self.job.message;
        let waiting = self.verdicts.iter().zip(&self.job.recipients).enumerate();
        let waiting = waiting.filter(|(_, (verdict, _))| verdict.is_none());
        let (places, recipients) = waiting.map(|(place, (_, recipient))| (place, forward_path(recipient))).unzip();
        let envelope = Envelope {
            reverse_path: message.reverse_path.clone(),
            recipients,
            body_type: message.body_type,
            smtputf8: message.smtputf8,
            require_tls: message.require_tls,
            declared_octets: Some(message.size_octets),
            ret: message.ret,
            envelope_id: message.envelope_id.clone(),
            began_at: courier.ports.clock.now(),
        };
        (places, envelope)
    }
}

/// What a fault means: RFC 8689 §4.2.1 makes missing TLS final for a message that requires it.
fn fault_means(job: &Job, host: &Domain, policy: &Policy, fault: &Fault) -> Said {
    let reply = match fault {
        Fault::Tls(why) => policy.bad_tls(host, why),
        Fault::TlsMissing => policy.without_tls(host),
        _ => None,
    };
    let mut reply = reply.unwrap_or_else(|| fault.reply());
    if requires_tls(job) && matches!(fault, Fault::Tls(_) | Fault::TlsMissing) {
        reply = Reply::new(550, EnhancedCode::new(5, 7, 10), reply.text);
    }
    Said { host: Some(host.clone()), ..Said::ours(reply) }
}

/// RFC 8689 §5: REQUIRETLS loses no notice.
fn requires_tls(job: &Job) -> bool {
    job.message.require_tls && job.message.reverse_path.address().is_some()
}

/// Whether mail goes only where the certificate was checked.
fn needs_verified(job: &Job) -> bool {
    match &job.next_hop {
        NextHop::Relay(relay) => relay.tls != RelayTls::None || requires_tls(job),
        NextHop::Mx(_) => requires_tls(job),
    }
}

fn forward_path(recipient: &QueuedRecipient) -> ForwardPath {
    ForwardPath { address: recipient.address.clone(), notify: recipient.notify, original: recipient.original.clone() }
}

/// RFC 3463 §3.5: X.4.1.
fn no_answer(host: &MxHost, why: &str) -> Said {
    let text = format!("{} doesn't answer: {why}", host.name);
    Said::ours(Reply::new(451, EnhancedCode::new(4, 4, 1), text))
}

/// A stranger may say a megabyte.
fn shortened(mut reply: Reply) -> Reply {
    reply.text.truncate(reply.text.floor_char_boundary(REPLY_OCTETS));
    reply
}

/// The same words, to be tried again.
fn later(reply: Reply) -> Reply {
    if reply.is_transient() { reply } else { Reply::new(451, EnhancedCode::new(4, 3, 0), reply.to_string()) }
}

#[cfg(test)]
pub(crate) mod tests;
