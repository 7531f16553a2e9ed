//! What people's scripts make of a message: they run once it is judged, before it is taken; what they ask for is part of the one acceptance.
//! Answers and notices follow when it is durable: who comes twice because of a crash is answered once.
//!
//! What a script sends on to somebody here goes through that one's scripts, too, [`SENT_ON_DEPTH`] times at most. `at_imap` is what runs when
//! something is done to mail that is here already.

mod at_imap;

pub use at_imap::{ImapAct, ImapCause};

use std::collections::VecDeque;
use std::sync::Arc;

use relais_filing::script::{
    Arriving, Remembered, ScriptFailure, Scripted, ScriptedCopy, ScriptedLetter, ScriptedRedirect,
};
use relais_filing::{FilingError, Plan, PlannedDelivery, Refusal};
use relais_filters::Kind;
use relais_model::{
    Address, BodyType, EnhancedCode, Envelope, Finding, ForwardPath, Notify, Reply, Ret, ReversePath, Said, SpecialUse,
};
use relais_store::{
    Acceptance, Accepted, AccountKey, Content, Delivered, Delivery, DeliveryRefusal, MailboxError, NewQueued,
    NewRecipient, StoreError, Target, TraceId,
};
use tracing::{error, info, warn};

use super::turned_away::said;
use super::{Arrival, Reception, aside, unavailable};
use crate::judge::{Policy, Verdict};
use crate::proof::Proof;
use crate::{Door, outcome};

/// From script to script, at most.
const SENT_ON_DEPTH: usize = 4;
/// Letters of a refusal that the sender is told.
const REASON_LETTERS: usize = 800;

/// What was found of the message that scripts look at.
pub(super) struct Found<'a> {
    pub(super) verdict: Option<&'a Verdict>,
    pub(super) proof: Option<&'a Proof>,
    /// It isn't too surely junk to go to other hosts.
    pub(super) may_go_on: bool,
}

/// What became of all scripts that ran.
#[derive(Default)]
pub(super) struct Scripts {
    owns: Vec<Own>,
    further: Vec<Further>,
    afters: Vec<After>,
}

/// One account's part of the message.
struct Own {
    delivery: PlannedDelivery,
    /// The plans that led to it.
    plans: Vec<usize>,
    /// Copies of the message as it came.
    copies: Vec<ScriptedCopy>,
    /// Messages of [`Scripts::further`] that are its copies.
    changed: Vec<usize>,
    /// A copy goes on: whatever becomes of those here, the sender must not send again.
    sends_on: bool,
    refusal: Option<Reply>,
}

/// A message besides the one that came: changed by a script, or sent on.
struct Further {
    octets: Arc<[u8]>,
    deliveries: Vec<Delivery>,
    recipients: Vec<NewRecipient>,
    ret: Option<Ret>,
    /// Whose script it was.
    by: Address,
}

/// What is done when the message is durable.
struct After {
    account: AccountKey,
    address: Address,
    letters: Vec<ScriptedLetter>,
    seen: Vec<Remembered>,
    failure: Option<ScriptFailure>,
}

/// A redirect that has yet to find its way.
struct Ahead {
    redirect: ScriptedRedirect,
    from: PlannedDelivery,
    recipient: ForwardPath,
    depth: usize,
}

impl Scripts {
    pub(super) const fn is_empty(&self) -> bool {
        self.owns.is_empty()
    }

    /// The copies of the message as it came, behind those of the plans.
    pub(super) fn copies(&self, plans: &[Plan]) -> Vec<Delivery> {
        let copies = self.owns.iter().flat_map(|own| {
            let named = own.plans.iter().filter_map(|plan| plans.get(*plan));
            named.flat_map(|plan| {
                own.copies.iter().map(|copy| filed(own.delivery.account, copy, &plan.recipient.address))
            })
        });
        copies.collect()
    }

    /// What became of a plan's part: whether somebody got it, and who didn't. `direct` are the answers to [`Scripts::copies`], `further` those to
    /// the other messages.
    pub(super) fn outcome_of(
        &self,
        plan: usize,
        direct: &[Result<Delivered, DeliveryRefusal>],
        further: &[Accepted],
    ) -> outcome::Scripted<'_> {
        let (mut heard, mut at) = (outcome::Scripted::default(), 0);
        for own in &self.owns {
            let mut answers: Vec<&Result<Delivered, DeliveryRefusal>> = Vec::new();
            for named in &own.plans {
                let those = direct.get(at..at + own.copies.len()).unwrap_or_default();
                at += own.copies.len();
                if *named == plan {
                    answers.extend(those);
                }
            }
            if !own.plans.contains(&plan) {
                continue;
            }
            answers.extend(own.changed.iter().filter_map(|index| further.get(*index)?.deliveries.first()));
            let refused = answers.iter().find_map(|answer| answer.as_ref().err());
            match (&own.refusal, refused) {
                (Some(reply), _) => heard.failures.push((&own.delivery.address, reply.clone())),
                (None, Some(refused)) if answers.iter().all(|answer| answer.is_err()) => {
                    heard.failures.push((&own.delivery.address, outcome::refused(*refused)));
                    heard.is_served |= own.sends_on;
                }
                (None, _) => heard.is_served = true,
            }
            heard.is_filed |= answers.iter().any(|answer| answer.is_ok());
        }
        heard
    }
}

impl Reception {
    /// Runs the scripts of all accounts that the plans lead to, and takes those out of the plans.
    ///
    /// # Errors
    /// The reply, where all recipients refuse the message, or the store failed.
    pub(super) async fn scripts(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        plans: &mut [Plan],
        octets: &[u8],
        found: &Found<'_>,
    ) -> Result<Scripts, Reply> {
        let failed = |error: StoreError| unavailable(&error);
        for delivery in plans.iter().flat_map(|plan| &plan.deliveries) {
            if self.store.sieve_at_delivery(delivery.account).await.map_err(failed)?.is_some() {
                // Most messages have none: their futures stay small.
                return Box::pin(self.run_scripts(whose, plans, octets, found)).await;
            }
        }
        Ok(Scripts::default())
    }

    async fn run_scripts(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        plans: &mut [Plan],
        octets: &[u8],
        found: &Found<'_>,
    ) -> Result<Scripts, Reply> {
        let mut scripts = Scripts::default();
        let failed = |error: StoreError| unavailable(&error);
        let mut message: Option<Arriving> = None;
        let mut ahead = VecDeque::new();
        for (index, plan) in plans.iter_mut().enumerate() {
            let mut rest = Vec::with_capacity(plan.deliveries.len());
            for delivery in std::mem::take(&mut plan.deliveries) {
                if let Some(own) = scripts.owns.iter_mut().find(|own| own.delivery.account == delivery.account) {
                    own.plans.push(index);
                    continue;
                }
                let Some(running) = self.store.sieve_at_delivery(delivery.account).await.map_err(failed)? else {
                    rest.push(delivery);
                    continue;
                };
                let message = message.get_or_insert_with(|| self.arriving(whose, octets, found));
                let scripted = self
                    .filing
                    .script(&running, &delivery, &plan.recipient, message, &*self.random)
                    .await
                    .map_err(failed)?;
                let own = self.own(scripted, delivery, found, (index, &plan.recipient), &mut scripts, &mut ahead).await;
                scripts.owns.push(own);
            }
            plan.deliveries = rest;
        }
        self.refuse(whose, plans, octets, &mut scripts).await?;
        while let Some(next) = ahead.pop_front() {
            self.send_on(next, message.as_ref(), &mut scripts, &mut ahead).await?;
        }
        Ok(scripts)
    }

    pub(super) fn arriving(
        &self,
        (arrival, envelope, _): (&Arrival, &Envelope, &TraceId),
        octets: &[u8],
        found: &Found<'_>,
    ) -> Arriving {
        let settings = self.store.settings();
        let junk = Policy::of(&settings, &self.config.host_name).bars.junk;
        let peer = arrival.visit.peer.to_string();
        let environment = self.environment(&[
            ("location", "MDA"),
            ("phase", "during"),
            ("remote-host", arrival.hello.as_str()),
            ("remote-ip", peer.as_str()),
            // RFC 6785 §4.2: there is nobody who files it.
            ("imap.user", ""),
            ("imap.email", ""),
        ]);
        Arriving {
            message: Arc::from(octets),
            reverse_path: envelope.reverse_path.clone(),
            ret: envelope.ret,
            envelope_id: envelope.envelope_id.clone(),
            login_name: arrival.visit.identity.as_ref().map(|identity| identity.address.to_string()),
            environment,
            // Halfway is where it goes into Junk.
            spam_percent: found.verdict.and_then(|verdict| verdict.score).map(|score| percent(score / junk * 50.0)),
            virus: found.verdict.and_then(|verdict| virus(&verdict.findings)),
            now: self.clock.now(),
        }
    }

    /// What scripts may know of where they run (RFC 5183 §4.1): the house, and `more`.
    pub(super) fn environment(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let host = self.config.host_name.as_str();
        let domain = host.split_once('.').map_or(host, |(_, domain)| domain);
        let house = [("name", "Relais"), ("host", host), ("domain", domain)];
        house.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// Parts what an account's scripts want into what is kept of the message as it came, and the rest.
    async fn own(
        &self,
        mut scripted: Scripted,
        delivery: PlannedDelivery,
        found: &Found<'_>,
        (plan, recipient): (usize, &ForwardPath),
        scripts: &mut Scripts,
        ahead: &mut VecDeque<Ahead>,
    ) -> Own {
        self.make_mailboxes(&delivery, &mut scripted).await;
        if !found.may_go_on && !scripted.redirects.is_empty() {
            scripted.redirects.clear();
            if scripted.copies.is_empty() {
                scripted.copies.push(kept(&delivery));
            }
        }
        let Scripted { copies, redirects, refusal, letters, seen, failure, .. } = scripted;
        let (changed, copies): (Vec<_>, Vec<_>) = copies.into_iter().partition(|copy| copy.edited.is_some());
        let first = scripts.further.len();
        scripts.further.extend(changed.iter().filter_map(|copy| {
            let deliveries = vec![filed(delivery.account, copy, &recipient.address)];
            let octets = copy.edited.clone()?;
            Some(Further { octets, deliveries, recipients: Vec::new(), ret: None, by: delivery.address.clone() })
        }));
        let sends_on = !redirects.is_empty();
        let redirects = redirects.into_iter().map(|redirect| Ahead {
            redirect,
            from: delivery.clone(),
            recipient: recipient.clone(),
            depth: 1,
        });
        ahead.extend(redirects);
        let (account, address) = (delivery.account, delivery.address.clone());
        scripts.afters.push(After { account, address, letters, seen, failure });
        Own {
            plans: vec![plan],
            copies,
            changed: (first..scripts.further.len()).collect(),
            sends_on,
            refusal: refusal.map(|reason| refusal_of(&reason)),
            delivery,
        }
    }

    /// Refuses in the session where nobody takes the message. Where that can't be, the sender is told, unless nobody is there to be told
    /// or it is junk, whose sender is mostly somebody else: then it is kept.
    async fn refuse(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        plans: &[Plan],
        octets: &[u8],
        scripts: &mut Scripts,
    ) -> Result<(), Reply> {
        let (arrival, envelope, trace) = whose;
        let has_reply = arrival.visit.door == Door::Lmtp;
        let takes_nothing = |plan: &Plan| plan.deliveries.is_empty() && plan.forwards.is_empty();
        let is_refused = plans.iter().all(takes_nothing) && scripts.owns.iter().all(|own| own.refusal.is_some());
        if is_refused && !has_reply {
            let first = scripts.owns.iter().find_map(|own| own.refusal.clone());
            let reply = first.unwrap_or_else(|| refusal_of(""));
            info!(queue.id = %trace, %reply, "message refused by its recipient's script");
            return Err(self
                .turned_away(whose, octets, reply, vec![said("script", Said::new("refused-script"))])
                .await);
        }
        for own in &mut scripts.owns {
            let is_junk = own.delivery.mailbox == Target::Use(SpecialUse::Junk);
            if own.refusal.is_some() && !has_reply && (is_junk || envelope.reverse_path.address().is_none()) {
                own.refusal = None;
                own.copies.push(kept(&own.delivery));
            }
        }
        Ok(())
    }

    /// Finds the way of what a script sends on.
    async fn send_on(
        &self,
        next: Ahead,
        message: Option<&Arriving>,
        scripts: &mut Scripts,
        ahead: &mut VecDeque<Ahead>,
    ) -> Result<(), Reply> {
        let Ahead { redirect: ScriptedRedirect { to, notify, ret, message: octets }, from, recipient, depth } = next;
        let notify = notify.or(recipient.notify);
        let original = recipient.original.clone();
        let path = ForwardPath { address: to, notify, original };
        let mut further =
            Further { octets, deliveries: Vec::new(), recipients: Vec::new(), ret, by: from.address.clone() };
        let plan = match self.filing.plan(&path).await {
            Ok(plan) if depth <= SENT_ON_DEPTH => plan,
            Err(FilingError::Refused(Refusal::NotLocal)) => Plan::relay(path.clone()),
            Err(FilingError::Failed(error)) => return Err(unavailable(&error)),
            Ok(_) | Err(FilingError::Refused(_)) => {
                warn!(recipient = %from.address, target = %path.address, "a script sends on to nobody: the message is kept");
                further.deliveries.push(filed(from.account, &kept(&from), &from.address));
                scripts.further.push(further);
                return Ok(());
            }
        };
        further.recipients.extend(plan.forwards);
        for delivery in plan.deliveries {
            let running = self.store.sieve_at_delivery(delivery.account).await.map_err(|error| unavailable(&error))?;
            let Some((running, message)) = running.zip(message) else {
                further.deliveries.push(filed(delivery.account, &kept(&delivery), &path.address));
                continue;
            };
            let arriving = Arriving { message: Arc::clone(&further.octets), ..message.clone() };
            let scripted = self.filing.script(&running, &delivery, &path, &arriving, &*self.random).await;
            let mut scripted = scripted.map_err(|error| unavailable(&error))?;
            self.make_mailboxes(&delivery, &mut scripted).await;
            if scripted.refusal.is_some() {
                // Its sender didn't send it here.
                scripted.copies.push(kept(&delivery));
            }
            for copy in scripted.copies {
                let delivery = filed(delivery.account, &copy, &path.address);
                match copy.edited {
                    None => further.deliveries.push(delivery),
                    Some(octets) => {
                        let (deliveries, by) = (vec![delivery], from.address.clone());
                        scripts.further.push(Further { octets, deliveries, recipients: Vec::new(), ret: None, by });
                    }
                }
            }
            ahead.extend(scripted.redirects.into_iter().map(|redirect| Ahead {
                redirect,
                from: delivery.clone(),
                recipient: path.clone(),
                depth: depth + 1,
            }));
            let Scripted { letters, seen, failure, .. } =
                Scripted { copies: Vec::new(), redirects: Vec::new(), ..scripted };
            let (account, address) = (delivery.account, delivery.address);
            scripts.afters.push(After { account, address, letters, seen, failure });
        }
        scripts.further.push(further);
        Ok(())
    }

    /// `fileinto :create` (RFC 5490 §3.2). What can't be made is filed in INBOX.
    async fn make_mailboxes(&self, delivery: &PlannedDelivery, scripted: &mut Scripted) {
        for (name, special_use) in scripted.creates.drain(..) {
            match self.store.create_mailbox(delivery.account, &name, special_use).await {
                Ok(_) | Err(MailboxError::Exists) => {}
                Err(error) => warn!(%error, recipient = %delivery.address, "a script's mailbox can't be made"),
            }
        }
    }

    /// The other messages, as the store takes them, in order.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn further(
        &self,
        scripts: &Scripts,
        (arrival, envelope, trace): (&Arrival, &Envelope, &TraceId),
        found: &Found<'_>,
        mut is_queued: bool,
    ) -> Result<Vec<Acceptance>, Reply> {
        let mut all = Vec::with_capacity(scripts.further.len());
        for further in &scripts.further {
            let mut octets = further.octets.to_vec();
            let mut outbound = None;
            if !further.recipients.is_empty() {
                octets = self.sealed_for(&further.by.domain, found.proof, octets).await?;
                let ours = &further.by.domain;
                let path = self.filing.forwarded_path(&envelope.reverse_path, ours).await;
                outbound = Some(NewQueued {
                    reverse_path: path.map_err(|error| unavailable(&error))?,
                    ret: further.ret.or(envelope.ret),
                    envelope_id: envelope.envelope_id.clone(),
                    body_type: envelope.body_type,
                    smtputf8: envelope.smtputf8,
                    require_tls: envelope.require_tls,
                    submitter: None,
                    recipients: further.recipients.clone(),
                    expires_at: self.clock.now().plus(self.store.settings().queue_lifetime),
                });
            }
            // Of an id there is one message in the queue.
            let trace = match outbound {
                Some(_) if is_queued => TraceId::make(self.clock.now(), &*self.random),
                _ => trace.clone(),
            };
            is_queued |= outbound.is_some();
            all.push(Acceptance {
                content: aside(octets, Content::prepare).await,
                reverse_path: envelope.reverse_path.clone(),
                deliveries: further.deliveries.clone(),
                outbound,
                trace,
                from_peer: arrival.peer_shown(),
                judgement: None,
                submission: None,
            });
        }
        Ok(all)
    }

    /// What follows when the message is durable. Nothing of it can make the message fail.
    pub(super) async fn follow(&self, scripts: Scripts) {
        for after in scripts.afters {
            for Remembered { about, kept, begins_anew } in &after.seen {
                if let Err(error) = self.store.sieve_remember(after.account, *about, *kept, *begins_anew).await {
                    error!(%error, account = %after.address, "what a script saw isn't remembered");
                }
            }
            for letter in &after.letters {
                if let Err(error) = self.answer(&after, letter).await {
                    error!(%error, account = %after.address, "a script's letter isn't sent");
                }
            }
            if let Some(failure) = &after.failure
                && let Err(error) = self.tell_failure(&after, failure).await
            {
                error!(%error, account = %after.address, "nobody is told of a script that failed");
            }
        }
    }

    /// A letter, unless it was sent before.
    async fn answer(&self, after: &After, letter: &ScriptedLetter) -> Result<(), StoreError> {
        if let Some(Remembered { about, kept, begins_anew }) = letter.once
            && !self.store.sieve_remember(after.account, about, kept, begins_anew).await?
        {
            return Ok(());
        }
        let now = self.clock.now();
        let octets = self.filing.signing().sign(&after.address.domain, letter.message.clone(), now).await?;
        let (mut deliveries, mut recipients) = (Vec::new(), Vec::new());
        deliveries.extend(letter.copy.as_ref().map(|copy| filed(after.account, copy, &after.address)));
        for to in &letter.to {
            let path = ForwardPath { address: to.clone(), notify: Some(Notify::NEVER), original: None };
            match self.filing.plan(&path).await {
                Ok(plan) => {
                    deliveries.extend(plan.copies());
                    recipients.extend(plan.forwards);
                }
                Err(FilingError::Refused(Refusal::NotLocal)) => recipients.extend(Plan::relay(path).forwards),
                Err(FilingError::Refused(why)) => warn!(%why, target = %to, "a script's letter has nobody to go to"),
                Err(FilingError::Failed(error)) => return Err(error),
            }
        }
        if deliveries.is_empty() && recipients.is_empty() {
            return Ok(());
        }
        let trace = TraceId::make(now, &*self.random);
        info!(queue.id = %trace, account = %after.address, "a script answers");
        let outbound = (!recipients.is_empty()).then(|| NewQueued {
            reverse_path: ReversePath::Null,
            ret: None,
            envelope_id: None,
            body_type: BodyType::EightBitMime,
            smtputf8: letter.to.iter().any(Address::needs_smtputf8),
            require_tls: false,
            submitter: None,
            recipients,
            expires_at: now.plus(self.store.settings().queue_lifetime),
        });
        self.send(octets, deliveries, outbound, trace).await
    }

    /// The account's owner is told once of a script of theirs; who runs the house reads of the others in the log.
    async fn tell_failure(&self, after: &After, failure: &ScriptFailure) -> Result<(), StoreError> {
        let why = &failure.why;
        if !self.store.note_sieve_failed(failure.script).await? {
            return Ok(());
        }
        if !failure.is_own {
            error!(script = failure.name, at = %why.at, why = %why.why, "a script of the house fails, and doesn't hold");
            return Ok(());
        }
        info!(account = %after.address, script = failure.name, "a script fails: its owner is told");
        let account = self.store.account_by_key(after.account).await?;
        let chosen = account.map(|account| account.language).filter(|language| !language.is_empty());
        let language = chosen.unwrap_or_else(|| self.store.settings().language.clone());
        let octets = self.filing.script_failed(&after.address, failure, &language, &*self.random);
        let copy = ScriptedCopy::of(Target::Inbox);
        let trace = TraceId::make(self.clock.now(), &*self.random);
        self.send(octets, vec![filed(after.account, &copy, &after.address)], None, trace).await
    }

    async fn send(
        &self,
        octets: Vec<u8>,
        deliveries: Vec<Delivery>,
        outbound: Option<NewQueued>,
        trace: TraceId,
    ) -> Result<(), StoreError> {
        let acceptance = Acceptance {
            content: Content::prepare(octets),
            reverse_path: ReversePath::Null,
            deliveries,
            outbound,
            trace,
            from_peer: String::new(),
            judgement: None,
            submission: None,
        };
        self.store.accept(acceptance).await.map(drop)
    }
}

/// Where the plan says, as it came.
fn kept(delivery: &PlannedDelivery) -> ScriptedCopy {
    ScriptedCopy::of(delivery.mailbox.clone())
}

fn filed(account: AccountKey, copy: &ScriptedCopy, recipient: &Address) -> Delivery {
    let mailbox = copy.shared.map_or_else(|| copy.mailbox.clone(), Target::Shared);
    let flags = copy.flags.clone();
    Delivery { account, mailbox, flags, internal_date: None, recipient: recipient.clone() }
}

/// RFC 5429 §2.1.2: the words, as far as a reply can say them.
fn refusal_of(reason: &str) -> Reply {
    let said = |letter: char| if letter == '\n' || (' '..='~').contains(&letter) { letter } else { '?' };
    let words: String = reason.replace('\r', "").trim().chars().take(REASON_LETTERS).map(said).collect();
    let words = if words.is_empty() { "The recipient refuses this message".to_owned() } else { words };
    Reply::new(550, EnhancedCode::new(5, 7, 1), words)
}

/// What ClamAV says of it (RFC 5235 §3.2), where it looked: other programs' word on viruses isn't told apart from what else they say.
fn virus(findings: &[Finding]) -> Option<u8> {
    let said = findings.iter().find(|finding| finding.part == Kind::Clamd.as_str())?;
    match &*said.said.id {
        "filters-clean" => Some(1),
        "filters-virus" => Some(5),
        _ => None,
    }
}

/// Of a number that may be anything.
fn percent(share: f32) -> u8 {
    let whole = share.clamp(0.0, 100.0).round();
    (0..=100).find(|percent| f32::from(*percent) >= whole).unwrap_or(100)
}
