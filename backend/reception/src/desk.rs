//! The reception desk: a message from MAIL to the reply after its last dot.

use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;

use relais_filing::notice::{About, Kind, Notice, RETURNED_OCTETS, Told};
use relais_filing::{Filing, Plan};
use relais_message::{Authors, Received, complete_submission, count_received, header_octets, received};
use relais_model::{
    Address, Clock, Domain, EnhancedCode, Envelope, ForwardPath, Random, Reply, ReversePath, SpecialUse, Timestamp,
};
use relais_msgauth::dmarc::Disposition;
use relais_msgauth::{Facts, Resolver};
use relais_store::{Acceptance, Content, Delivery, MessageKey, NewQueued, Store, StoreError, Target, TraceId};
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::{error, info, warn};

use crate::fate::{Fate, Line};
use crate::proof::Proof;
use crate::recipient::recipient;
use crate::sending::Sending;
use crate::signing::Signing;
use crate::spool::{Spool, Spooled, Spooler};
use crate::tally::Tally;
use crate::visit::{Door, Visit};
use crate::{Disk, Identity, signing};

/// A message that has passed more hosts than this goes in circles (RFC 5321 §6.3 wants 100 at least).
const MAX_RECEIVED: usize = 100;
/// Messages larger than this are understood off the async threads.
const SMALL_OCTETS: usize = 64 * 1024;
/// Large messages that are checked at once: each holds a thread as long as the DNS makes it wait, and log-ins need some, too.
const LARGE_CHECKS: usize = 64;
/// What a mended header may add to a message, mostly.
const SPARE_OCTETS: usize = 1024;

/// What the desk needs to know of its house.
#[derive(Debug, Clone)]
pub struct ReceptionConfig {
    /// Our name, in Received and in Message-IDs.
    pub host_name: Domain,
}

/// Takes messages in.
#[derive(Debug)]
pub struct Reception {
    store: Store,
    filing: Filing,
    config: ReceptionConfig,
    spooler: Spooler,
    disk: Arc<Disk>,
    sending: Sending,
    signing: Signing,
    resolver: Option<Arc<dyn Resolver>>,
    large_checks: Semaphore,
    tally: Arc<Tally>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// How a message came to a door.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// By whom, at which door.
    pub visit: Visit,
    /// What the client called itself.
    pub hello: String,
    /// `ESMTPSA` and the like (RFC 3848).
    pub protocol: String,
    /// Protocol version and cipher suite.
    pub tls: Option<String>,
}

/// A message that is coming in.
#[derive(Debug)]
pub struct Incoming {
    arrival: Arrival,
    envelope: Envelope,
    plans: Vec<Plan>,
    trace: TraceId,
    spool: Spool,
    /// Octets at the spool's start that are ours.
    added_octets: usize,
}

impl Incoming {
    /// Takes the next octets.
    pub async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.spool.write(octets).await
    }
}

impl Reception {
    /// `spool` is a directory on the disk that `disk` watches.
    pub fn new(
        store: Store,
        config: ReceptionConfig,
        spool: &Path,
        disk: Arc<Disk>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let filing = Filing::new(store.clone(), config.host_name.clone());
        let (spooler, signing) = (Spooler::new(spool), Signing::new(store.clone()));
        let (sending, resolver, large_checks) = (Sending::default(), None, Semaphore::new(LARGE_CHECKS));
        let tally = Arc::default();
        Self { store, filing, config, spooler, disk, sending, signing, resolver, large_checks, tally, clock, random }
    }

    /// Checks strangers' mail by this DNS; without one nothing is found out about it.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver: Some(resolver), ..self }
    }

    /// What is counted for those who ask to be told of mail with their name.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Where messages wait while they come in; IMAP's APPEND uses it too.
    pub const fn spooler(&self) -> &Spooler {
        &self.spooler
    }

    /// Whether there is room.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// MAIL: may this sender write? Who has logged in writes as themselves only.
    pub async fn sender(&self, visit: &Visit, envelope: &Envelope) -> Result<(), Reply> {
        if self.disk.is_nearly_full() {
            return Err(nearly_full());
        }
        let (Some(identity), ReversePath::Address(address)) = (&visit.identity, &envelope.reverse_path) else {
            return Ok(());
        };
        if self.may_send_as(identity, address).await? {
            return Ok(());
        }
        Err(Reply::new(553, EnhancedCode::new(5, 7, 1), format!("{} may not send as {address}", identity.address)))
    }

    /// RCPT: what becomes of the message for this recipient.
    pub async fn recipient(&self, visit: &Visit, envelope: &Envelope, path: &ForwardPath) -> Result<Plan, Reply> {
        let answer = recipient(&self.filing, self.disk.is_nearly_full(), visit, envelope, path).await;
        if answer.is_err() {
            metrics::counter!("relais_recipients_refused_total", "door" => visit.door.as_str()).increment(1);
        }
        answer
    }

    async fn may_send_as(&self, identity: &Identity, address: &Address) -> Result<bool, Reply> {
        self.store.may_send_as(identity.account, address).await.map_err(|error| unavailable(&error))
    }

    /// DATA or BDAT: the message begins, to where `plans` lead.
    pub async fn begin(&self, arrival: Arrival, envelope: Envelope, plans: Vec<Plan>) -> Result<Incoming, Reply> {
        if self.disk.is_nearly_full() {
            return Err(nearly_full());
        }
        let now = self.clock.now();
        let trace = TraceId::make(now, &*self.random);
        let recipient = match envelope.recipients.as_slice() {
            [only] => Some(&only.address),
            _ => None,
        };
        // RFC 5321 §4.4: Return-Path is added at final delivery; delivery to other hosts takes it away again.
        let head = format!(
            "Return-Path: {}\r\n{}",
            envelope.reverse_path,
            received(&Received {
                helo: &arrival.hello,
                peer: (arrival.visit.door != Door::Lmtp).then_some(arrival.visit.peer),
                peer_name: None,
                by: self.config.host_name.as_str(),
                with: &arrival.protocol,
                id: trace.as_str(),
                tls: arrival.tls.as_deref(),
                recipient,
                at: now,
            })
        );
        let mut spool = self.spooler.begin();
        spool.write(head.as_bytes()).await.map_err(|error| spool_failed(&error))?;
        Ok(Incoming { arrival, envelope, plans, trace, spool, added_octets: head.len() })
    }

    /// The message is whole: takes it for good, and says so for each recipient in RCPT's order. At other doors than LMTP, where one
    /// reply speaks for all, the message is taken where anybody could be served, and the sender gets a notice about the others.
    pub async fn finish(&self, incoming: Incoming) -> Vec<Reply> {
        let (recipients, door) = (incoming.plans.len().max(1), incoming.arrival.visit.door);
        let replies = self.take(incoming).await.unwrap_or_else(|reply| vec![reply; recipients]);
        let is_accepted = replies.iter().any(Reply::is_positive);
        let name = if is_accepted { "relais_messages_accepted_total" } else { "relais_messages_refused_total" };
        metrics::counter!(name, "door" => door.as_str()).increment(1);
        replies
    }

    async fn take(&self, incoming: Incoming) -> Result<Vec<Reply>, Reply> {
        let Incoming { arrival, envelope, mut plans, trace, spool, added_octets } = incoming;
        let mut spooled = spool.finish(SPARE_OCTETS).await.map_err(|error| spool_failed(&error))?;
        let message = spooled.octets.get(added_octets..).unwrap_or_default();
        let header = message.get(..header_octets(message)).unwrap_or_default();
        if count_received(header) > MAX_RECEIVED {
            return Err(Reply::new(554, EnhancedCode::new(5, 4, 6), "The message goes in circles"));
        }
        if let Some(identity) = &arrival.visit.identity {
            let mended = complete_submission(header, self.config.host_name.as_str(), self.clock.now(), &*self.random);
            self.check_authors(identity, &mended.authors).await?;
            let old = added_octets..added_octets + header.len();
            drop(spooled.octets.splice(old, mended.header));
            spooled.octets = self.signed(spooled.octets, added_octets, &mended.authors).await?;
        } else {
            let (octets, disposition) = self.proved(&arrival, &envelope, spooled.octets, added_octets).await?;
            spooled.octets = octets;
            if disposition == Disposition::Quarantine {
                let copies = plans.iter_mut().flat_map(|plan| &mut plan.deliveries);
                copies.for_each(|copy| copy.mailbox = Target::Use(SpecialUse::Junk));
            }
        }
        let content = prepare(spooled).await;
        let size_octets = content.size_octets();
        let acceptance = self.acceptance(&arrival, &envelope, &plans, &trace, content);
        let identity = arrival.visit.identity.as_ref();
        self.count_sent(identity, plans.len()).await?;
        let accepted = match self.store.accept(acceptance).await {
            Ok(accepted) => accepted,
            Err(error) => {
                self.uncount_sent(identity, plans.len());
                return Err(unavailable(&error));
            }
        };
        let mut outcomes = accepted.deliveries.iter();
        let fates: Vec<Fate<'_>> =
            plans.iter().map(|plan| Fate::of(plan, outcomes.by_ref().take(plan.deliveries.len()))).collect();
        let taken = Reply::new(250, EnhancedCode::new(2, 0, 0), format!("Taken as {trace}"));
        let has_reply = arrival.visit.door == Door::Lmtp;
        if !fates.iter().any(Fate::is_served) {
            self.uncount_sent(identity, plans.len());
            let replies: Vec<Reply> = fates.iter().map(|fate| fate.reply(&taken)).collect();
            return Ok(if has_reply { replies } else { vec![one_of(&replies); replies.len()] });
        }
        info!(
            queue.id = %trace, size_octets, recipients = plans.len(), reverse_path = %envelope.reverse_path,
            "message accepted"
        );
        self.tell(&envelope, &trace, &fates, has_reply, accepted.message).await.map_err(|error| unavailable(&error))?;
        // SMTP has one reply for all: who was not served is told by a notice.
        Ok(fates.iter().map(|fate| if has_reply { fate.reply(&taken) } else { taken.clone() }).collect())
    }

    /// The message with the signatures of its author's domain before it.
    async fn signed(&self, octets: Vec<u8>, added_octets: usize, authors: &Authors) -> Result<Vec<u8>, Reply> {
        let Some(author) = authors.from.first() else { return Ok(octets) };
        let now = self.clock.now();
        let signers = self.signing.signers(&author.domain, now).await.map_err(|error| unavailable(&error))?;
        if signers.is_empty() {
            return Ok(octets);
        }
        Ok(aside(octets, move |mut octets| {
            let signatures = signing::signatures(octets.get(added_octets..).unwrap_or_default(), &signers, now);
            drop(octets.splice(added_octets..added_octets, signatures));
            octets
        })
        .await)
    }

    /// A stranger's message with what was found of it in its header, and what its author's domain wants done; refused where that is
    /// its wish, and ours. The machine's own programs are no strangers.
    async fn proved(
        &self,
        arrival: &Arrival,
        envelope: &Envelope,
        octets: Vec<u8>,
        added_octets: usize,
    ) -> Result<(Vec<u8>, Disposition), Reply> {
        let visit = &arrival.visit;
        let resolver = match &self.resolver {
            Some(resolver) if visit.door == Door::Relay && !visit.peer.to_canonical().is_loopback() => resolver,
            _ => return Ok((octets, Disposition::Deliver)),
        };
        let (peer, helo, now) = (visit.peer, arrival.hello.clone(), self.clock.now());
        let (reverse_path, host) = (envelope.reverse_path.clone(), self.config.host_name.to_string());
        let resolver = Arc::clone(resolver);
        let is_large = octets.len() > SMALL_OCTETS;
        let checking = async move {
            let message = octets.get(added_octets..).unwrap_or_default();
            let facts = Facts { peer, helo: &helo, reverse_path: &reverse_path, message, host: &host, now };
            let proof = Proof::of(&facts, &*resolver).await;
            (proof.marked(&octets, added_octets, &host), proof)
        };
        let (octets, proof) = if is_large {
            // Nobody closes it; whoever waits keeps their client waiting.
            let _turn = self.large_checks.acquire().await;
            let checking = move || Handle::current().block_on(checking);
            spawn_blocking(checking).await.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))
        } else {
            checking.await
        };
        let settings = self.store.settings();
        if settings.trust_send_reports {
            proof.count(&self.tally, now, &envelope.reverse_path, settings.trust_dmarc != "mark");
        }
        if settings.trust_dmarc == "mark" {
            return Ok((octets, Disposition::Deliver));
        }
        match proof.disposition() {
            Disposition::Reject => Err(proof.refusal()),
            disposition => Ok((octets, disposition)),
        }
    }

    /// Who has logged in may have a limit a day.
    async fn count_sent(&self, identity: Option<&Identity>, recipients: usize) -> Result<(), Reply> {
        let Some(Identity { account, .. }) = identity else { return Ok(()) };
        let mut limits = self.store.daily_limits(*account).await.map_err(|error| unavailable(&error))?;
        let of_all = Some(self.store.settings().recipients_per_day).filter(|most| *most > 0);
        limits.recipients = limits.recipients.or(of_all);
        let recipients = u64::try_from(recipients).unwrap_or(u64::MAX);
        self.sending.take(self.clock.now(), *account, recipients, limits)
    }

    fn uncount_sent(&self, identity: Option<&Identity>, recipients: usize) {
        if let Some(Identity { account, .. }) = identity {
            self.sending.give_back(*account, u64::try_from(recipients).unwrap_or(u64::MAX));
        }
    }

    /// Notices about what is known now. They are durable before the reply: if they can't be, the sender must send again, for a
    /// message that comes twice is better than one that is lost without a word.
    async fn tell(
        &self,
        envelope: &Envelope,
        trace: &TraceId,
        fates: &[Fate<'_>],
        has_reply: bool,
        message: Option<MessageKey>,
    ) -> Result<(), StoreError> {
        let lines: Vec<Line<'_>> = fates.iter().flat_map(|fate| fate.lines(has_reply)).collect();
        // RFC 5321 §4.5.5: nobody is told where nobody sent.
        let (Some(to), false) = (envelope.reverse_path.address(), lines.is_empty()) else { return Ok(()) };
        let raw = self.beginning(message).await?;
        let now = self.clock.now();
        let expires_at = now.plus(self.store.settings().queue_lifetime);
        let about = About {
            trace,
            envelope_id: envelope.envelope_id.as_ref(),
            ret: envelope.ret,
            require_tls: envelope.require_tls,
            arrived_at: now,
            expires_at,
            raw: &raw,
        };
        let mut notices = Vec::new();
        for kind in [Kind::Delivered, Kind::Expanded, Kind::Failed] {
            let told: Vec<Told<'_>> = lines.iter().filter(|line| line.kind == kind).map(told).collect();
            if !told.is_empty() {
                let notice = Notice { kind, about, to, told, now, expires_at };
                notices.extend(self.filing.notice(&notice, &*self.random).await?);
            }
        }
        self.store.accept_all(notices).await.map(drop)
    }

    /// What a notice returns of a message.
    async fn beginning(&self, message: Option<MessageKey>) -> Result<Vec<u8>, StoreError> {
        let mut octets = Vec::new();
        let Some(message) = message else { return Ok(octets) };
        if let Some(raw) = self.store.open_raw(message).await?
            && let Err(error) = raw.take(RETURNED_OCTETS + 1).read_to_end(&mut octets).await
        {
            warn!(%error, "a message can't be read to be returned");
        }
        Ok(octets)
    }

    /// The header's authors must be the one who sends (RFC 6409 §6.1).
    async fn check_authors(&self, identity: &Identity, authors: &Authors) -> Result<(), Reply> {
        let not_yours = |who: &str| {
            let text = format!("{} may not send mail From {who}", identity.address);
            Reply::new(550, EnhancedCode::new(5, 7, 1), text)
        };
        if let Some(who) = authors.unreadable.first() {
            return Err(not_yours(who));
        }
        if authors.from.is_empty() {
            return Err(Reply::new(554, EnhancedCode::new(5, 6, 0), "The message has no From"));
        }
        for author in authors.from.iter().chain(&authors.sender) {
            if !self.may_send_as(identity, author).await? {
                return Err(not_yours(&author.to_string()));
            }
        }
        Ok(())
    }

    fn acceptance(
        &self,
        arrival: &Arrival,
        envelope: &Envelope,
        plans: &[Plan],
        trace: &TraceId,
        content: Content,
    ) -> Acceptance {
        let deliveries: Vec<Delivery> = plans.iter().flat_map(Plan::copies).collect();
        let recipients: Vec<_> = plans.iter().flat_map(|plan| plan.forwards.iter().cloned()).collect();
        let expires_at: Timestamp = self.clock.now().plus(self.store.settings().queue_lifetime);
        let outbound = (!recipients.is_empty()).then(|| NewQueued {
            reverse_path: envelope.reverse_path.clone(),
            ret: envelope.ret,
            envelope_id: envelope.envelope_id.clone(),
            body_type: envelope.body_type,
            smtputf8: envelope.smtputf8,
            require_tls: envelope.require_tls,
            submitter: arrival.visit.identity.as_ref().map(|identity| identity.account),
            recipients,
            expires_at,
        });
        Acceptance {
            content,
            reverse_path: envelope.reverse_path.clone(),
            deliveries,
            outbound,
            trace: trace.clone(),
            from_peer: format!("{} ({})", arrival.visit.peer, arrival.hello),
        }
    }
}

/// Hashes, compresses and understands a message; a large one off the async threads.
pub async fn prepare(spooled: Spooled) -> Content {
    aside(spooled.octets, Content::prepare).await
}

/// Works on a message; off the async threads where it is large.
async fn aside<T: Send + 'static>(octets: Vec<u8>, work: impl FnOnce(Vec<u8>) -> T + Send + 'static) -> T {
    if octets.len() <= SMALL_OCTETS {
        return work(octets);
    }
    spawn_blocking(move || work(octets)).await.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))
}

/// Where nobody could be served: if only one of them may be later, the sender shall try again.
fn one_of(refusals: &[Reply]) -> Reply {
    let transient = refusals.iter().find(|reply| reply.is_transient());
    transient.or(refusals.first()).cloned().unwrap_or_else(nearly_full)
}

fn told<'a>(line: &'a Line<'_>) -> Told<'a> {
    let Line { recipient, original, reply, status, .. } = line;
    Told { recipient, original: original.as_ref(), status: *status, reply, remote: None }
}

pub(crate) fn nearly_full() -> Reply {
    Reply::new(452, EnhancedCode::new(4, 3, 1), "The disk is nearly full; try again later")
}

/// The store failed: 451, or 452 where the disk is full (RFC 5321 §4.2.3), and the message stays with the sender.
pub(crate) fn unavailable(error: &StoreError) -> Reply {
    error!(%error, "the store failed");
    if error.is_full() {
        return nearly_full();
    }
    Reply::new(451, EnhancedCode::new(4, 3, 0), "The server has a problem; try again later")
}

fn spool_failed(error: &io::Error) -> Reply {
    error!(%error, "the spool failed");
    Reply::new(452, EnhancedCode::new(4, 3, 1), "There is no room for this message now")
}
