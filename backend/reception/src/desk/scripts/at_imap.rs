//! What is done in IMAP, where a script is named for it (RFC 6785): it runs once the change is durable, over each message that was touched, and acts as
//! the mailbox's owner, whoever touched it. Nothing of what it does is done in IMAP, so no script causes another, or itself.
//!
//! What it sends on is a submission of the owner's (§3.4): counted and held as theirs, and from nobody else of this house. Where something can't be
//! done the message stays as it is.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use relais_filing::script::{Scripted, ScriptedAtImap, ScriptedRedirect, Touched, limits};
use relais_filing::{FilingError, Plan, PlannedDelivery, Refusal};
use relais_message::{Authors, header_octets};
use relais_model::{
    BodyType, Envelope, Flag, ForwardPath, MailboxName, Reply, ReversePath, SystemFlag, Timestamp, Uid, UidSet,
};
use relais_store::{
    AccountKey, ChangeError, Content, Delivery, FlagChange, FlagOp, Lent, MailboxKey, Route, SieveScript, StoreError,
    Target, TraceId, View,
};
use tracing::{error, warn};

use super::{Found, Scripts};
use crate::desk::{Arrival, Reception, aside, unavailable};
use crate::sending::Place;
use crate::{Door, Identity, Visit};

/// Messages that one command runs a script over, at most.
const MESSAGES: u64 = 500;
/// What all runs of one command may cost: as four that go to their limit.
const RUNS: u64 = 4;

/// What made a script run (RFC 6785 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImapCause {
    /// APPEND, and REPLACE, which is like it (RFC 8508 §4).
    Append,
    /// COPY, and MOVE, which is like it (RFC 6851 §4).
    Copy,
    /// Flags were set or cleared.
    Flag,
}

impl ImapCause {
    /// As `imap.cause` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "APPEND",
            Self::Copy => "COPY",
            Self::Flag => "FLAG",
        }
    }
}

/// What one command did to messages of one mailbox.
#[derive(Debug)]
pub struct ImapAct<'a> {
    /// Who did it.
    pub by: &'a Identity,
    /// From where.
    pub peer: IpAddr,
    /// Whose mailbox it is.
    pub owner: AccountKey,
    /// Where the messages are now.
    pub mailbox: MailboxKey,
    /// What was done.
    pub cause: ImapCause,
    /// To which messages; with the flags that were set or cleared.
    pub touched: Vec<(UidSet, Vec<Flag>)>,
}

/// What stays the same from message to message.
struct Stage<'a> {
    act: &'a ImapAct<'a>,
    script: SieveScript,
    /// In whose name it is done.
    owner: Identity,
    name: MailboxName,
    view: Arc<View>,
}

impl Reception {
    /// Runs the script that is named for the mailbox, if one is. Gives for how many of the messages it didn't run: of those that one command touches
    /// it runs over the first 500, and stops where that costs too much or the store fails.
    pub async fn run_at_imap(&self, act: &ImapAct<'_>) -> u64 {
        let all = act.touched.iter().map(|(uids, _)| uids.count()).sum::<u64>();
        let stage = match self.store.sieve_at_imap(act.owner, act.mailbox).await {
            // That is what mostly is.
            Ok(None) => return 0,
            Ok(Some(script)) => Box::pin(self.stage(act, script)).await,
            Err(error) => Err(error),
        };
        match stage {
            // The mailbox went meanwhile, or its owner.
            Ok(None) => 0,
            Ok(Some(stage)) => all.saturating_sub(Box::pin(self.run_on(&stage)).await),
            Err(error) => {
                error!(%error, "a script can't run at IMAP");
                all
            }
        }
    }

    async fn stage<'a>(&self, act: &'a ImapAct<'a>, script: SieveScript) -> Result<Option<Stage<'a>>, StoreError> {
        let account = self.store.account_by_key(act.owner).await?;
        let mut here = self.store.mailboxes_uncounted(act.owner).await?.into_iter();
        let status = here.find(|status| status.mailbox.key == act.mailbox);
        let view = self.store.view(act.mailbox).await?;
        let (Some(account), Some(status), Some(view)) = (account, status, view) else { return Ok(None) };
        let owner = Identity { account: account.key, address: account.address, at: self.clock.now() };
        Ok(Some(Stage { act, script, owner, name: status.mailbox.name, view }))
    }

    /// Gives over how many messages it ran.
    async fn run_on(&self, stage: &Stage<'_>) -> u64 {
        let (mut ran, mut work) = (0, 0_u64);
        for (uids, changed) in &stage.act.touched {
            for uid in uids.iter() {
                if ran >= MESSAGES || work >= limits().work.saturating_mul(RUNS) {
                    return ran;
                }
                match self.run_over(stage, uid, changed).await {
                    Ok(cost) => work = work.saturating_add(cost),
                    Err(error) => {
                        error!(%error, account = %stage.owner.address, "a script can't go on at IMAP");
                        return ran;
                    }
                }
                ran += 1;
            }
        }
        ran
    }

    /// Gives what the run cost.
    async fn run_over(&self, stage: &Stage<'_>, uid: Uid, changed: &[Flag]) -> Result<u64, StoreError> {
        let Some(row) = stage.view.read(|rows| rows.get(uid).copied()) else { return Ok(0) };
        let Some(raw) = self.store.raw(row.message()).await? else { return Ok(0) };
        let by = stage.act.by.address.to_string();
        let changed = changed.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let touched = Touched {
            message: raw.into(),
            mailbox: stage.name.clone(),
            flags: stage.view.flags_of(row.flags),
            environment: self.environment(&[
                ("location", "MS"),
                ("phase", "post"),
                ("imap.user", by.as_str()),
                ("imap.email", by.as_str()),
                ("imap.cause", stage.act.cause.as_str()),
                ("imap.mailbox", stage.name.as_str()),
                ("imap.changedflags", changed.as_str()),
            ]),
            now: self.clock.now(),
        };
        let owner = (stage.owner.account, &stage.owner.address);
        let ran = self.filing.script_at_imap(&stage.script, owner, &touched, &*self.random).await?;
        let ScriptedAtImap { scripted, mut kept, work } = ran;
        let is_done = Box::pin(self.do_at_imap(stage, &touched, row.internal_date(), scripted)).await?;
        if !is_done && kept.is_none() {
            kept = Some(touched.flags.clone());
        }
        self.flag_at_imap(stage, uid, &touched.flags, kept).await?;
        Ok(work)
    }

    /// What was kept has the flags that the script gave it; what wasn't is deleted, and goes with the next EXPUNGE (RFC 6785 §2.2.4). Only what is
    /// different is changed: others may have changed the rest meanwhile.
    async fn flag_at_imap(
        &self,
        stage: &Stage<'_>,
        uid: Uid,
        before: &[Flag],
        kept: Option<Vec<Flag>>,
    ) -> Result<(), StoreError> {
        let without = |some: &[Flag], others: &[Flag]| -> Vec<Flag> {
            some.iter().filter(|flag| !others.contains(flag)).cloned().collect()
        };
        let (set, cleared) = match kept {
            Some(kept) => (without(&kept, before), without(before, &kept)),
            None => (vec![Flag::System(SystemFlag::Deleted)], Vec::new()),
        };
        for (op, flags) in [(FlagOp::Add, set), (FlagOp::Remove, cleared)] {
            if flags.is_empty() {
                continue;
            }
            let uids = std::iter::once(uid).collect();
            match self.store.store_flags(stage.act.mailbox, uids, FlagChange { op, flags }, None).await {
                Ok(_) => {}
                Err(ChangeError::Failed(error)) => return Err(error),
                Err(error) => warn!(%error, account = %stage.owner.address, "a script's flags can't be set"),
            }
        }
        Ok(())
    }

    /// Copies, mail that goes on, letters. Whether all was done.
    async fn do_at_imap(
        &self,
        stage: &Stage<'_>,
        touched: &Touched,
        internal_date: Timestamp,
        mut scripted: Scripted,
    ) -> Result<bool, StoreError> {
        let wanted = scripted.redirects.len();
        let mut redirects = Vec::with_capacity(wanted);
        for redirect in std::mem::take(&mut scripted.redirects) {
            if self.may_send_on(&stage.owner, &redirect).await? {
                redirects.push(redirect);
            }
        }
        let visit = Visit { identity: Some(stage.owner.clone()), ..Visit::new(Door::Submission, stage.act.peer) };
        let arrival = Arrival { hides_peer: true, ..Arrival::new(visit, "IMAP", "IMAP") };
        let envelope = envelope(&stage.owner, &redirects, touched.now);
        let mut place = None;
        if !redirects.is_empty() {
            let count = u64::try_from(redirects.len()).unwrap_or(u64::MAX);
            match self.allowed(&stage.owner, &arrival, (&envelope, count), true).await {
                Ok(allowed) => place = Some(allowed.place),
                Err(reply) => {
                    warn!(account = %stage.owner.address, %reply, "what a script sends on isn't taken");
                    redirects.clear();
                }
            }
        }
        let goes_on = redirects.len() == wanted;
        scripted.redirects = redirects;
        let done = self.accept_at_imap(stage, (&arrival, &envelope), touched, internal_date, scripted, place).await;
        match (&place, &done) {
            (Some(place), Ok(_)) => self.sending.keep(place),
            (Some(place), Err(_)) => self.sending.give_back(place),
            (None, _) => {}
        }
        // What failed is in the log.
        Ok(goes_on && done.unwrap_or(false))
    }

    /// Whether all copies were filed.
    ///
    /// # Errors
    /// The store failed: nothing was done.
    async fn accept_at_imap(
        &self,
        stage: &Stage<'_>,
        (arrival, envelope): (&Arrival, &Envelope),
        touched: &Touched,
        internal_date: Timestamp,
        scripted: Scripted,
        place: Option<Place>,
    ) -> Result<bool, Reply> {
        let trace = TraceId::make(touched.now, &*self.random);
        let whose = (arrival, envelope, &trace);
        let found = Found { verdict: None, proof: None, may_go_on: true };
        let delivery = PlannedDelivery {
            account: stage.owner.account,
            address: stage.owner.address.clone(),
            mailbox: Target::Name(stage.name.clone()),
            quota_octets: None,
            used_octets: 0,
        };
        let recipient = ForwardPath::new(stage.owner.address.clone());
        let (mut scripts, mut ahead) = (Scripts::default(), VecDeque::new());
        let own = self.own(scripted, delivery, &found, (0, &recipient), &mut scripts, &mut ahead).await;
        scripts.owns.push(own);
        let arriving = (!ahead.is_empty()).then(|| self.arriving(whose, &touched.message, &found));
        while let Some(next) = ahead.pop_front() {
            self.send_on(next, arriving.as_ref(), &mut scripts, &mut ahead).await?;
        }
        let mut all = self.further(&scripts, whose, &found, false).await?;
        let plans =
            [Plan { recipient, deliveries: Vec::new(), forwards: Vec::new(), lost: Vec::new(), is_expanded: false }];
        let copies = scripts.copies(&plans).into_iter();
        let copies: Vec<Delivery> =
            copies.map(|copy| Delivery { internal_date: Some(internal_date), ..copy }).collect();
        if !copies.is_empty() {
            let content = aside(touched.message.to_vec(), Content::prepare).await;
            let mut acceptance = self.acceptance(whose, &plans, content);
            acceptance.deliveries = copies;
            all.push(acceptance);
        }
        for outbound in all.iter_mut().filter_map(|acceptance| acceptance.outbound.as_mut()) {
            outbound.submitter = Some(stage.owner.account);
        }
        if let Some(first) = all.first_mut() {
            first.submission = place.map(|place| place.submission);
        }
        let accepted = if all.is_empty() {
            Vec::new()
        } else {
            self.store.accept_all(all).await.map_err(|error| unavailable(&error))?
        };
        Box::pin(self.follow(scripts)).await;
        Ok(accepted.iter().flat_map(|one| &one.deliveries).all(Result::is_ok))
    }

    /// Whether somebody is reached, and the owner may send it: who is of this house wrote it only where the owner may write as them. Strangers'
    /// mail goes on as it does when it comes.
    async fn may_send_on(&self, owner: &Identity, redirect: &ScriptedRedirect) -> Result<bool, StoreError> {
        let header = redirect.message.get(..header_octets(&redirect.message)).unwrap_or_default();
        let authors = Authors::read(header);
        let mut may = !authors.from.is_empty() && authors.unreadable.is_empty();
        for author in authors.from.iter().chain(&authors.sender) {
            may = may
                && (self.store.route(author).await? == Route::NotLocal
                    || self.store.sends_as(owner.account, author).await? == Some(Lent::As));
        }
        let path = ForwardPath::new(redirect.to.clone());
        let is_reached = match self.filing.plan(&path).await {
            Ok(_) | Err(FilingError::Refused(Refusal::NotLocal)) => true,
            Err(FilingError::Refused(_)) => false,
            Err(FilingError::Failed(error)) => return Err(error),
        };
        if !may || !is_reached {
            warn!(account = %owner.address, target = %redirect.to, is_reached, "a script may not send this on: the message stays");
        }
        Ok(may && is_reached)
    }
}

/// RFC 6785 §3.4: what goes on is the owner's.
fn envelope(owner: &Identity, redirects: &[ScriptedRedirect], now: Timestamp) -> Envelope {
    let path =
        |redirect: &ScriptedRedirect| ForwardPath { notify: redirect.notify, ..ForwardPath::new(redirect.to.clone()) };
    let smtputf8 = owner.address.needs_smtputf8() || redirects.iter().any(|redirect| redirect.to.needs_smtputf8());
    Envelope {
        recipients: redirects.iter().map(path).collect(),
        body_type: BodyType::EightBitMime,
        smtputf8,
        ..Envelope::new(ReversePath::Address(owner.address.clone()), now)
    }
}
