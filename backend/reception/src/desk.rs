//! The reception desk: a message from MAIL to the reply after its last dot.
//!
//! `taking` is what happens once it is whole; `turned_away` tells the trace of what isn't taken; `trial` judges a message that nobody brought.
//! `submission` is what our people send, `stranger` what others bring, and `forward` what of that goes on to other hosts; `notices` are what a sender is told at once, `scripts` what
//! people's scripts make of it.

mod forward;
mod notices;
mod scripts;
mod stranger;
mod submission;
mod taking;
mod trial;
mod turned_away;

pub use scripts::{ImapAct, ImapCause};
pub use trial::{Trial, Tried, TriedScripts};

use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;

use relais_filing::{Filing, Plan};
use relais_filters::Filters;
use relais_message::{Received, count_received, delivered, received};
use relais_model::{Clock, Domain, EnhancedCode, Envelope, ForwardPath, Random, Reply, ReversePath, Timestamp};
use relais_msgauth::Resolver;
use relais_store::{Content, Judgement, Lent, Store, StoreError, TraceId};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::{error, info};

use crate::Disk;
use crate::desk::forward::is_round;
use crate::filters::Filtering;
use crate::judge::{Policy, Verdict};
use crate::networks::{Fault, Porter, is_free, is_postmaster};
use crate::proof::Proof;
use crate::recipient::recipient;
use crate::sending::Sending;
use crate::spam::{Filter, Lists, refusal};
use crate::spool::{Spool, Spooled, Spooler};
use crate::tally::Tally;
use crate::visit::{Door, Visit};

/// A message that has passed more hosts than this goes in circles (RFC 5321 §6.3 wants 100 at least).
const MAX_RECEIVED: usize = 100;
/// Messages larger than this are understood off the async threads.
const SMALL_OCTETS: usize = 64 * 1024;
/// Large messages that are checked at once: each holds a thread as long as the DNS makes it wait, and log-ins need some, too.
const LARGE_CHECKS: usize = 64;

/// A message as it is to be kept.
struct Checked {
    octets: Vec<u8>,
    /// What was found of a stranger's.
    judgement: Option<Judgement>,
    /// It speaks for the network that brought it.
    is_wanted: bool,
    /// Of a stranger's: what is done with it, and whose it is.
    verdict: Option<Verdict>,
    proof: Option<Proof>,
    /// It isn't too surely junk to go to other hosts.
    may_go_on: bool,
}

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
    filter: Arc<Filter>,
    filtering: Filtering,
    resolver: Option<Arc<dyn Resolver>>,
    large_checks: Semaphore,
    tally: Arc<Tally>,
    porter: Arc<Porter>,
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
    /// Received doesn't tell where the client is.
    pub hides_peer: bool,
}

impl Arrival {
    /// In the clear, and Received tells all of it.
    pub fn new(visit: Visit, hello: &str, protocol: &str) -> Self {
        Self { visit, hello: hello.to_owned(), protocol: protocol.to_owned(), tls: None, hides_peer: false }
    }

    /// For the trace.
    fn peer_shown(&self) -> String {
        format!("{} ({})", self.visit.peer, self.hello)
    }
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
        let spooler = Spooler::new(spool);
        let (sending, resolver, large_checks) = (Sending::default(), None, Semaphore::new(LARGE_CHECKS));
        let filter = Arc::new(Filter::new(store.clone(), Arc::clone(&clock)));
        let filters = Arc::new(Filters::new(Arc::clone(&clock)));
        let filtering = Filtering::new(filters, store.clone(), config.host_name.to_string());
        let (tally, porter) = (Arc::default(), Arc::new(Porter::new(store.clone())));
        Self {
            store,
            filing,
            config,
            spooler,
            disk,
            sending,
            filter,
            filtering,
            resolver,
            large_checks,
            tally,
            porter,
            clock,
            random,
        }
    }

    /// With the one who watches networks for others, too.
    #[must_use]
    pub fn with_porter(self, porter: Arc<Porter>) -> Self {
        Self { porter, ..self }
    }

    /// Checks strangers' mail by this DNS; without one nothing is found out about it.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver: Some(resolver), ..self }
    }

    /// Who watches the networks that come to port 25.
    pub const fn porter(&self) -> &Arc<Porter> {
        &self.porter
    }

    /// Begins to ask which blocklists name a visitor; none: this one isn't looked at.
    pub fn lists(&self, visit: &Visit) -> Option<Lists> {
        let resolver = self.resolver.as_ref().filter(|_| visit.is_watched && is_stranger(visit))?;
        Some(Lists::ask(Arc::clone(resolver), &self.store.settings(), visit.peer))
    }

    /// The filter of junk: who teaches it, and who asks it, share it.
    pub const fn filter(&self) -> &Arc<Filter> {
        &self.filter
    }

    /// What is counted for those who ask to be told of mail with their name.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// The programs that are asked about messages, and how they do.
    pub const fn filters(&self) -> &Arc<Filters> {
        &self.filtering.filters
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
        let me = &identity.address;
        let text = match self.sends_as(identity, address).await? {
            Some(Lent::As) => return Ok(()),
            // What comes back goes to who sent it.
            Some(Lent::OnBehalf) => {
                format!(
                    "{me} may send on behalf of {address}\nThat takes MAIL FROM:<{me}>, and a header field: Sender: {me}"
                )
            }
            None => format!("{me} may not send as {address}"),
        };
        Err(Reply::new(553, EnhancedCode::new(5, 7, 1), text))
    }

    /// RCPT: what becomes of the message for this recipient.
    pub async fn recipient(&self, visit: &Visit, envelope: &Envelope, path: &ForwardPath) -> Result<Plan, Reply> {
        if visit.is_watched {
            self.porter.may_ask(visit.peer, path)?;
            self.refuse_listed(visit, path).await?;
        }
        let mut answer = recipient(&self.filing, self.disk.is_nearly_full(), visit, envelope, path).await;
        if let Ok(plan) = &answer
            && let Some(refusal) = self.suppressed(visit, plan).await?
        {
            answer = Err(refusal);
        }
        if let Err(reply) = &answer {
            metrics::counter!("relais_recipients_refused_total", "door" => visit.door.as_str()).increment(1);
            self.note_full(visit, envelope, path, reply).await;
            if let Some(fault) = Fault::of_refusal(reply).filter(|_| visit.is_watched) {
                self.porter.note(visit.peer, fault);
            }
        }
        answer
    }

    /// A host that a list names whose word the owner trusts so far. Postmaster is reached all the same (RFC 5321 §4.5.1).
    async fn refuse_listed(&self, visit: &Visit, path: &ForwardPath) -> Result<(), Reply> {
        let settings = self.store.settings();
        let refusing = settings.junk_refusing_blocklists.as_slice();
        let Some(lists) = visit.lists.as_ref().filter(|_| !refusing.is_empty()) else { return Ok(()) };
        if is_postmaster(path) || is_free(&settings, visit.peer) {
            return Ok(());
        }
        let listings = lists.known().await;
        let Some(listing) = listings.iter().find(|listing| refusing.contains(&listing.list)) else { return Ok(()) };
        info!(peer.ip = %visit.peer, list = %listing.list, recipient = %path.address, "a recipient was refused to a listed host");
        metrics::counter!("relais_recipients_refused_total", "door" => visit.door.as_str()).increment(1);
        Err(refusal(listing, &Policy::of(&settings, &self.config.host_name).contact))
    }

    /// DATA or BDAT: the message begins, to where `plans` lead.
    pub async fn begin(&self, arrival: Arrival, envelope: Envelope, plans: Vec<Plan>) -> Result<Incoming, Reply> {
        if self.disk.is_nearly_full() {
            return Err(nearly_full());
        }
        let now = self.clock.now();
        let trace = TraceId::make(now, &*self.random);
        let head = self.head((&arrival, &envelope, &trace), &plans, now);
        let mut spool = self.spooler.begin();
        spool.write(head.as_bytes()).await.map_err(|error| spool_failed(&error))?;
        Ok(Incoming { arrival, envelope, plans, trace, spool, added_octets: head.len() })
    }

    /// What stands before a message: its Return-Path, to whom it was sent where that is one address and somebody has it here, and our Received.
    fn head(
        &self,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        plans: &[Plan],
        now: Timestamp,
    ) -> String {
        let recipient = match envelope.recipients.as_slice() {
            [only] => Some(&only.address),
            _ => None,
        };
        // RFC 5321 §4.4: Return-Path is added at final delivery; delivery to other hosts takes it away again.
        // RFC 9228 §4 wants Delivered-To where a message is delivered: what only passes through has none of ours.
        let is_delivered = plans.iter().any(|plan| !plan.deliveries.is_empty());
        let mut head = delivered(&envelope.reverse_path, recipient.filter(|_| is_delivered));
        head.push_str(&received(&Received {
            helo: &arrival.hello,
            peer: (arrival.visit.door != Door::Lmtp && !arrival.hides_peer).then_some(arrival.visit.peer),
            peer_name: None,
            by: self.config.host_name.as_str(),
            with: &arrival.protocol,
            id: trace.as_str(),
            tls: arrival.tls.as_deref(),
            recipient,
            at: now,
        }));
        head
    }

    fn goes_in_circles(&self, header: &[u8]) -> bool {
        count_received(header) > MAX_RECEIVED || is_round(header, &self.config.host_name)
    }
}

/// Hashes, compresses and understands a message; a large one off the async threads.
pub async fn prepare(spooled: Spooled) -> Content {
    aside(spooled.octets, Content::prepare).await
}

/// Works on a message; off the async threads where it is large.
pub(crate) async fn aside<T: Send + 'static>(octets: Vec<u8>, work: impl FnOnce(Vec<u8>) -> T + Send + 'static) -> T {
    if octets.len() <= SMALL_OCTETS {
        return work(octets);
    }
    spawn_blocking(move || work(octets)).await.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))
}

/// Whoever comes to port 25 from elsewhere. The machine's own programs are no strangers.
pub(crate) fn is_stranger(visit: &Visit) -> bool {
    visit.door == Door::Relay && !visit.peer.to_canonical().is_loopback()
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
