//! One attempt to bring a message to its next hop: host after host, until each recipient has its verdict.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use relais_model::{Clock, Domain, EnhancedCode, Envelope, ForwardPath, Random, Reply, Timestamp};
use relais_smtp::client::{Config, Credentials, Fate, Fault, Language, Outcome, Stage};
use relais_store::{QueuedMessage, QueuedRecipient};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bodies::Body;
use crate::config::DeliveryConfig;
use crate::connection::{Connection, Cut, Opening};
use crate::dial::{Dialed, NobodyAnswered, dial};
use crate::hosts::{Finder, MxHost};
use crate::memory::HostMemory;
use crate::ports::{Dialer, Resolver};
use crate::route::{NextHop, RelayTls};
use crate::tls::{Tls, TlsPolicy};

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
}

impl Said {
    /// What we say ourselves.
    pub(crate) fn ours(reply: Reply) -> Self {
        Self { reply, host: None, is_remote: false, hands_on_dsn: false }
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
            if policy(walk.job) != TlsPolicy::Required || open.is_verified() {
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
        for host in hosts.iter().take(MOST_CONNECTIONS) {
            if walk.deadline <= Instant::now() {
                break;
            }
            if let Ended::Decided = self.try_host(walk, host, connection).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn try_host(
        &self,
        walk: &mut Walk<'_>,
        host: &MxHost,
        connection: &mut Option<Connection>,
    ) -> Result<Ended, Cut> {
        let job = walk.job;
        // RFC 8689 §4.2.1: nobody may have put the host's name there but the domain.
        if requires_tls(job) && !host.is_secure {
            let text =
                format!("The DNS doesn't prove that {} takes this domain's mail, as REQUIRETLS needs", host.name);
            walk.trouble(Said::ours(Reply::new(550, EnhancedCode::new(5, 7, 30), text)));
            return Ok(Ended::NextHost { tls_failed: false });
        }
        let now = self.ports.clock.now();
        if host.addresses.iter().all(|remote| self.memory.failed_since(*remote, job.claimed_at, now)) {
            walk.trouble(no_answer(host, "it didn't answer a moment ago"));
            return Ok(Ended::NextHost { tls_failed: false });
        }
        let policy = policy(job);
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
        let ended = self.converse(walk, host, dialed, policy, connection).await?;
        if policy == TlsPolicy::Opportunistic && matches!(ended, Ended::NextHost { tls_failed: true }) {
            // RFC 7435 §3: a handshake that fails is no reason to keep the mail, since none might have been offered.
            if let Ok(dialed) = self.dial_one(remote).await? {
                return self.converse(walk, host, dialed, TlsPolicy::Never, connection).await;
            }
        }
        Ok(ended)
    }

    async fn converse(
        &self,
        walk: &mut Walk<'_>,
        host: &MxHost,
        dialed: Dialed,
        policy: TlsPolicy,
        connection: &mut Option<Connection>,
    ) -> Result<Ended, Cut> {
        let remote = dialed.remote;
        let opened = match self.open(walk.job, host, dialed, policy).await? {
            Ok(opened) => opened,
            Err(error) => {
                self.memory.failed(remote, self.ports.clock.now());
                walk.trouble(fault_means(walk.job, &host.name, &Fault::Tls(error.to_string())));
                return Ok(Ended::NextHost { tls_failed: true });
            }
        };
        let ended = self.transact(walk, opened, connection).await?;
        match ended {
            Ended::Decided => self.memory.worked(remote),
            // It works, but for TLS.
            Ended::NextHost { tls_failed: true } if policy == TlsPolicy::Opportunistic => {}
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
        loop {
            let (places, envelope) = walk.undecided(self);
            let asked = places.len();
            let outcome = open.send(envelope, walk.job.message.size_octets, walk.body, walk.deadline).await?;
            let tls_failed = Self::judge(walk, &open.host, &places, outcome);
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

    /// Gives verdicts where the host has decided; true where a handshake failed.
    fn judge(walk: &mut Walk<'_>, host: &Domain, places: &[usize], outcome: Outcome) -> bool {
        let mut tls_failed = false;
        for (place, fate) in places.iter().zip(outcome.recipients) {
            let said = Said {
                reply: shortened(fate.reply()),
                host: Some(host.clone()),
                is_remote: fate.remote_reply().is_some(),
                hands_on_dsn: outcome.offer.dsn,
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
                    tls_failed |= matches!(fault, Fault::Tls(_));
                    walk.trouble(fault_means(walk.job, host, &fault));
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

    fn finder(&self) -> Finder<'_> {
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
        policy: TlsPolicy,
    ) -> Result<std::io::Result<Connection>, Cut> {
        let relay = match &job.next_hop {
            NextHop::Relay(relay) => Some(relay),
            NextHop::Mx(_) => None,
        };
        let is_verified = policy == TlsPolicy::Required;
        let is_implicit = relay.is_some_and(|relay| relay.tls == RelayTls::Implicit);
        let Dialed { mut stream, remote } = dialed;
        if is_implicit {
            let handshake = self.tls.handshake(stream, &host.name, is_verified);
            // Cancel-safe: as in `dial`.
            stream = tokio::select! {
                () = self.cut.cancelled() => return Err(Cut),
                made = handshake => match made {
                    Ok(stream) => stream,
                    Err(error) => return Ok(Err(error)),
                },
            };
        }
        let credentials = relay.and_then(|relay| relay.login.as_ref()).map(|login| Credentials {
            login_name: login.name.clone(),
            password: login.password.clone(),
            without_tls: remote.ip().is_loopback(),
        });
        let client = Config {
            host_name: self.config.host_name.clone(),
            language: Language::Smtp,
            tls: policy.into(),
            is_under_tls: is_implicit,
            credentials,
        };
        let opening = Opening { stream, host: host.name.clone(), is_verified, client };
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
fn fault_means(job: &Job, host: &Domain, fault: &Fault) -> Said {
    let mut reply = fault.reply();
    if requires_tls(job) && matches!(fault, Fault::Tls(_) | Fault::TlsMissing) {
        reply = Reply::new(550, EnhancedCode::new(5, 7, 10), reply.text);
    }
    Said { host: Some(host.clone()), ..Said::ours(reply) }
}

/// RFC 8689 §5: REQUIRETLS loses no notice.
fn requires_tls(job: &Job) -> bool {
    job.message.require_tls && job.message.reverse_path.address().is_some()
}

fn policy(job: &Job) -> TlsPolicy {
    match &job.next_hop {
        NextHop::Relay(relay) if relay.tls != RelayTls::None => TlsPolicy::Required,
        _ if requires_tls(job) => TlsPolicy::Required,
        NextHop::Relay(_) => TlsPolicy::Never,
        NextHop::Mx(_) => TlsPolicy::Opportunistic,
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
