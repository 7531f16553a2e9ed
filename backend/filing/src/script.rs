//! What people's scripts make of a message (RFC 5228): run here, and given as plain values; `reception` does them.
//!
//! The house's scripts run first, then the domain's, the account's own, and back ([`SieveAtDelivery`]), each only as long as the message is kept.
//! A run goes on in steps off the async threads, between which its questions are answered from the store. [`Filing::script_at_imap`] runs one over a
//! message to which something was done in IMAP (RFC 6785).
//!
//! # Invariants
//! - An account without a script never comes here: its message goes where the plan says.
//! - Where a script fails, the message is kept where the plan says, and nothing else is done.
//! - Of what our own verdict calls junk, only what a script put somewhere by itself, or threw away, leaves Junk: nobody is answered, nothing is sent on.
//! - It writes nothing, as the rest of this room.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use relais_message::{Named, Writing, compose, new_message_id};
use relais_model::{
    Address, EnvelopeId, Flag, ForwardPath, MailboxName, Notify, Random, Ret, ReversePath, SpecialUse, Timestamp,
};
use relais_sieve::vacation::{House, Vacation};
use relais_sieve::{
    Acting, Answer, Capabilities, Capability, Dialect, Envelope, Facts, Failure, Filing as Wanted, Limits, Notice,
    Outcome, Place, Position, Program, Question, Recipient, Redirection, Run, Step, Why, redirect,
};
use relais_store::{
    AccountKey, Acquainted, MailboxStatus, Reach, RuleScope, SieveAtDelivery, SieveScript, SieveScriptKey, Store,
    StoreError, Target, is_reserved,
};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::{Filing, PlannedDelivery};

/// Steps of runs that go on at once: each holds a thread, for milliseconds mostly.
const RUNS: usize = 8;
/// Octets of scripts whose programs are kept.
const KEPT_OCTETS: u64 = 8 * 1024 * 1024;
/// Who was answered isn't answered again for so long, where the script doesn't say (RFC 5230 §4.1).
const ANSWERED_FOR: Duration = Duration::from_hours(24 * 7);
/// RFC 6131 §2 lets a house say how soon at the earliest.
const ANSWERED_AT_LEAST: Duration = Duration::from_mins(1);
/// And how long at most something is remembered.
const REMEMBERED_AT_MOST: Duration = Duration::from_hours(24 * 365);
/// What `duplicate` remembers for, where the script doesn't say.
const SEEN_FOR: Duration = Duration::from_hours(24 * 7);
/// Lists of addresses that scripts may name (RFC 6134 §2.5): whom one has written to.
const ADDRESS_BOOKS: [&str; 2] = ["urn:ietf:params:sieve:addrbook:default", ":addrbook:default"];

/// What scripts may use in this house. What we can't do yet they can't require: times of delivery (RFC 2852).
pub fn dialect() -> Dialect {
    let capabilities =
        Capabilities::all().without(Capability::RedirectDeliverBy).without(Capability::EnvelopeDeliverBy);
    Dialect { capabilities, ..Dialect::default() }
}

/// What one run may do here.
pub fn limits() -> Limits {
    Limits { work: 64 * 1024 * 1024, ..Limits::default() }
}

/// A message that comes, as all scripts see it.
#[derive(Debug, Clone)]
pub struct Arriving {
    /// As it would be kept.
    pub message: Arc<[u8]>,
    /// MAIL.
    pub reverse_path: ReversePath,
    /// RET.
    pub ret: Option<Ret>,
    /// ENVID.
    pub envelope_id: Option<EnvelopeId>,
    /// Who submitted it, where somebody had logged in.
    pub login_name: Option<String>,
    /// `remote-ip` and the like (RFC 5183 §4.1).
    pub environment: Vec<(String, String)>,
    /// How surely it is junk; none: nobody looked.
    pub spam_percent: Option<u8>,
    /// RFC 5235 §3.2: 1 no virus was found, 5 there is one; none: nobody looked.
    pub virus: Option<u8>,
    /// Now.
    pub now: Timestamp,
}

/// What an account's scripts make of a message.
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    /// Copies for mailboxes of the account.
    pub copies: Vec<ScriptedCopy>,
    /// Mailboxes that are to be made for them, where they aren't there.
    pub creates: Vec<(MailboxName, Option<SpecialUse>)>,
    /// On to others.
    pub redirects: Vec<ScriptedRedirect>,
    /// It is refused, with these words: then it is nothing else.
    pub refusal: Option<String>,
    /// Answers and notices, for when the message is durable.
    pub letters: Vec<ScriptedLetter>,
    /// What is to be remembered then.
    pub seen: Vec<Remembered>,
    /// Which script failed, and why.
    pub failure: Option<ScriptFailure>,
}

/// A message to which something was done in IMAP (RFC 6785).
#[derive(Debug, Clone)]
pub struct Touched {
    /// As it is kept.
    pub message: Arc<[u8]>,
    /// Where it lies, as its owner calls it.
    pub mailbox: MailboxName,
    /// As they are now.
    pub flags: Vec<Flag>,
    /// `location`, `imap.cause` and the like (RFC 6785 §4).
    pub environment: Vec<(String, String)>,
    /// Now.
    pub now: Timestamp,
}

/// What a script makes of it.
#[derive(Debug, Clone)]
pub struct ScriptedAtImap {
    /// What is to be done besides; copies of the message where it lies are none of it.
    pub scripted: Scripted,
    /// The message stays, with these flags; none: it is to go (RFC 6785 §2.2.4).
    pub kept: Option<Vec<Flag>>,
    /// What the run cost, in the unit of [`limits`].
    pub work: u64,
}

/// A copy for a mailbox.
#[derive(Debug, Clone)]
pub struct ScriptedCopy {
    /// Which.
    pub mailbox: Target,
    /// It is another's: what may be done there. `mailbox` has the name that the script's owner knows it by.
    pub shared: Option<Reach>,
    /// With these flags.
    pub flags: Vec<Flag>,
    /// The message as the script changed it; none: as it came.
    pub edited: Option<Arc<[u8]>>,
}

/// A message that is sent on.
#[derive(Debug, Clone)]
pub struct ScriptedRedirect {
    /// To whom; here or elsewhere.
    pub to: Address,
    /// RFC 6009 §4; none: as the message itself.
    pub notify: Option<Notify>,
    /// RFC 6009 §4.
    pub ret: Option<Ret>,
    /// With the field that tells a circle.
    pub message: Arc<[u8]>,
}

/// A message of ours that a script causes, with the null reverse path.
#[derive(Debug, Clone)]
pub struct ScriptedLetter {
    /// To whom.
    pub to: Vec<Address>,
    /// RFC 5322, unsigned.
    pub message: Vec<u8>,
    /// Only where this wasn't remembered.
    pub once: Option<Remembered>,
    /// A copy stays here (RFC 8580).
    pub copy: Option<ScriptedCopy>,
}

/// Something that is remembered for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// A hash of what.
    pub about: [u8; 32],
    /// For how long.
    pub kept: Duration,
    /// What is known already begins its time anew.
    pub begins_anew: bool,
}

/// A script that failed.
#[derive(Debug, Clone)]
pub struct ScriptFailure {
    /// Which.
    pub script: SieveScriptKey,
    /// Its name.
    pub name: String,
    /// It is the account's own; else the domain's or the house's.
    pub is_own: bool,
    /// Where, and why.
    pub why: Failure,
}

/// What runs scripts.
#[derive(Debug)]
pub(crate) struct Scripts {
    programs: Cache<Arc<str>, Program>,
    seats: Semaphore,
}

impl Default for Scripts {
    fn default() -> Self {
        let weigh = |text: &Arc<str>, _: &Program| u32::try_from(text.len()).unwrap_or(u32::MAX);
        let programs = Cache::builder().weigher(weigh).max_capacity(KEPT_OCTETS).build();
        Self { programs, seats: Semaphore::new(RUNS) }
    }
}

impl Scripts {
    /// A script as a program; none: it has faults, though it was checked when it was kept.
    async fn program(&self, text: &Arc<str>) -> Option<Program> {
        if let Some(known) = self.programs.get(text) {
            return Some(known);
        }
        let source = Arc::clone(text);
        let program = self.aside(move || Program::compile(&source, &dialect())).await.ok()?;
        self.programs.insert(Arc::clone(text), program.clone());
        Some(program)
    }

    /// Works off the async threads. Nobody closes the seats.
    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _seat = self.seats.acquire().await;
        spawn_blocking(work).await.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))
    }
}

impl Filing {
    /// Runs what there is for the account that `delivery` goes to. `recipient` is whom the sender named; `delivery.mailbox` is where the
    /// message goes if no script says otherwise.
    ///
    /// # Errors
    /// The store failed: put the message off.
    pub async fn script(
        &self,
        scripts: &SieveAtDelivery,
        delivery: &PlannedDelivery,
        recipient: &ForwardPath,
        arriving: &Arriving,
        random: &dyn Random,
    ) -> Result<Scripted, StoreError> {
        let facts = facts(delivery, recipient, arriving);
        let mut desk = Desk { store: &self.store, account: delivery.account, scripts: &self.scripts, mailboxes: None };
        let all = scripts.before.iter().chain(&scripts.own).chain(&scripts.after);
        let mut outcome: Option<Outcome> = None;
        let mut failure = None;
        for script in all {
            let is_own = scripts.own.as_ref().is_some_and(|own| own.key == script.key);
            let next = desk.run(script, facts.clone(), outcome.take()).await?;
            if let Some(why) = next.failure.clone() {
                failure = Some(ScriptFailure { script: script.key, name: script.name.clone(), is_own, why });
            }
            let goes_on = next.is_kept && failure.is_none();
            outcome = Some(next);
            if !goes_on {
                break;
            }
        }
        let outcome = outcome.unwrap_or_default();
        let mut maker = Maker { filing: self, desk, facts: &facts, delivery, arriving, random, own: None };
        let mut scripted = Scripted { failure, ..Scripted::default() };
        let stays = maker.make(outcome, &mut scripted).await?;
        // Nothing is lost because it can't be sent on.
        if stays && scripted.copies.is_empty() {
            scripted.copies.push(ScriptedCopy::of(delivery.mailbox.clone()));
        }
        Ok(scripted)
    }

    /// Runs the script that is named for a mailbox of `owner`'s over a message that lies there. It acts as the owner, whoever touched the message.
    ///
    /// # Errors
    /// The store failed: nothing is to be done.
    pub async fn script_at_imap(
        &self,
        script: &SieveScript,
        owner: (AccountKey, &Address),
        touched: &Touched,
        random: &dyn Random,
    ) -> Result<ScriptedAtImap, StoreError> {
        let (account, address) = owner;
        let delivery = PlannedDelivery {
            account,
            address: address.clone(),
            mailbox: Target::Name(touched.mailbox.clone()),
            quota_octets: None,
            used_octets: 0,
        };
        // RFC 6785 §3.4: what goes on goes in the name of the mailbox's owner.
        let arriving = Arriving {
            message: Arc::clone(&touched.message),
            reverse_path: ReversePath::Address(address.clone()),
            ret: None,
            envelope_id: None,
            login_name: None,
            environment: touched.environment.clone(),
            spam_percent: None,
            virus: None,
            now: touched.now,
        };
        let facts = Facts {
            message: Arc::clone(&touched.message),
            now: touched.now,
            environment: touched.environment.clone(),
            flags: touched.flags.iter().map(ToString::to_string).collect(),
            is_at_imap: true,
            ..Facts::default()
        };
        let mut desk = Desk { store: &self.store, account, scripts: &self.scripts, mailboxes: None };
        let mut outcome = desk.run(script, facts.clone(), None).await?;
        let failure = outcome.failure.clone();
        let failure =
            failure.map(|why| ScriptFailure { script: script.key, name: script.name.clone(), is_own: true, why });
        let work = outcome.work;
        // RFC 6785 §3.1: the message lies where it is kept already, and its octets stay as they are.
        let keeps = outcome.actions.extract_if(.., |action| matches!(action.act, Acting::Keep { .. }));
        let mut kept = keeps.last().and_then(|action| match action.act {
            Acting::Keep { flags, .. } => Some(read_flags(&flags)),
            _ => None,
        });
        if failure.is_some() {
            kept = Some(touched.flags.clone());
        }
        let mut maker =
            Maker { filing: self, desk, facts: &facts, delivery: &delivery, arriving: &arriving, random, own: None };
        let mut scripted = Scripted { failure, ..Scripted::default() };
        if maker.make(outcome, &mut scripted).await? && kept.is_none() {
            kept = Some(touched.flags.clone());
        }
        Ok(ScriptedAtImap { scripted, kept, work })
    }

    /// What tells an account's owner that a script of theirs failed, in their `language`: `fr`, else English. Why it failed is said in the words of
    /// the script's language, which are English.
    pub fn script_failed(&self, to: &Address, failure: &ScriptFailure, language: &str, random: &dyn Random) -> Vec<u8> {
        let ScriptFailure { name, why: Failure { at, why }, .. } = failure;
        let why = format!("{why} ({at})");
        let (subject, text) = crate::notice::script_failed_text(self.host.as_str(), name, &why, language);
        let writing = Writing {
            subject: subject.to_owned(),
            text,
            more: vec![("Auto-Submitted", "auto-generated".to_owned())],
            ..self.writing(&crate::notice::mailer_daemon(&self.host, to), std::slice::from_ref(to), random)
        };
        compose(&writing, random)
    }

    fn writing(&self, from: &Address, to: &[Address], random: &dyn Random) -> Writing {
        let named = |address: &Address| Named { name: String::new(), address: address.clone() };
        Writing {
            from: named(from),
            sender: None,
            to: to.iter().map(named).collect(),
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: String::new(),
            reply_to: Vec::new(),
            rich: None,
            extra: None,
            text: String::new(),
            files: Vec::new(),
            date: self.store.now(),
            message_id: new_message_id(self.host.as_str(), random),
            in_reply_to: String::new(),
            references: String::new(),
            more: Vec::new(),
        }
    }
}

fn facts(delivery: &PlannedDelivery, recipient: &ForwardPath, arriving: &Arriving) -> Facts {
    let original = recipient.address.to_string();
    let to = delivery.address.to_string();
    Facts {
        message: Arc::clone(&arriving.message),
        envelope: Envelope {
            from: arriving.reverse_path.address().map(ToString::to_string).unwrap_or_default(),
            // With its detail (RFC 5233), where the sender named the account itself.
            to: if is_detail_of(&original, &to) { original.clone() } else { to },
            original_to: Some(original),
            auth: arriving.login_name.clone(),
            notify: recipient.notify,
            orcpt: recipient.original.clone(),
            ret: arriving.ret,
            envelope_id: arriving.envelope_id.clone(),
            deliver_by: None,
        },
        now: arriving.now,
        zone_minutes: 0,
        environment: arriving.environment.clone(),
        spam_percent: arriving.spam_percent,
        virus: arriving.virus,
        flags: Vec::new(),
        is_at_imap: false,
    }
}

/// Whether `named` is `account` with something behind a `+`.
fn is_detail_of(named: &str, account: &str) -> bool {
    let Some(((local, domain), (base, own))) = named.rsplit_once('@').zip(account.rsplit_once('@')) else {
        return false;
    };
    let fits = local.split_once('+').is_some_and(|(start, _)| start.eq_ignore_ascii_case(base));
    fits && domain.eq_ignore_ascii_case(own)
}

/// Answers what runs ask, for one account.
struct Desk<'a> {
    store: &'a Store,
    account: AccountKey,
    scripts: &'a Scripts,
    mailboxes: Option<Vec<MailboxStatus>>,
}

impl Desk<'_> {
    async fn run(
        &mut self,
        script: &SieveScript,
        facts: Facts,
        before: Option<Outcome>,
    ) -> Result<Outcome, StoreError> {
        let Some(program) = self.scripts.program(&script.text).await else {
            let why = Why::Said("the script has faults".to_owned());
            let failure = Some(Failure { at: Position::default(), why });
            let act = Acting::Keep { flags: Vec::new(), is_explicit: false };
            let keep = relais_sieve::Action { act, edited: None, at: Position::default() };
            return Ok(Outcome { actions: vec![keep], failure, ..Outcome::default() });
        };
        let mut run = match before {
            None => Run::new(&program, facts, limits()),
            Some(before) => Run::after(&program, facts, limits(), before),
        };
        loop {
            let (back, step) = self
                .scripts
                .aside(move || {
                    let step = run.step();
                    (run, step)
                })
                .await;
            run = back;
            match step {
                Step::Ask(question) => run.answer(self.answer(question).await?),
                Step::Done(outcome) => return Ok(*outcome),
            }
        }
    }

    async fn answer(&mut self, question: Question) -> Result<Answer, StoreError> {
        Ok(match question {
            // RFC 5490 §3.1: one that mail can't be put into counts as none.
            Question::MailboxesExist(names) => {
                let mut are_there = true;
                for name in &names {
                    are_there = are_there
                        && (self.has(|status| status.mailbox.name == *name).await?
                            || self.store.fillable(self.account, name).await?.is_some());
                }
                Answer::Is(are_there)
            }
            Question::SpecialUses { mailbox, uses } => {
                let here = self.mailboxes().await?;
                let has = |used: &SpecialUse| {
                    here.iter().any(|status| {
                        status.mailbox.special_use == Some(*used)
                            && mailbox.as_ref().is_none_or(|name| status.mailbox.name == *name)
                    })
                };
                Answer::Is(uses.iter().all(has))
            }
            Question::MailboxIdsExist(ids) => {
                let mut are_there = true;
                for id in &ids {
                    are_there = are_there
                        && (self.has(|status| status.mailbox.mailbox_id == *id).await?
                            || self.store.fillable_by_id(self.account, id).await?.is_some());
                }
                Answer::Is(are_there)
            }
            Question::Metadata { mailbox, name } => Answer::Text(self.metadata(mailbox.as_ref(), &name).await?),
            Question::MetadataExist { mailbox, names } => {
                let mut are_there = true;
                for name in names {
                    are_there &= self.metadata(mailbox.as_ref(), &name).await?.is_some();
                }
                Answer::Is(are_there)
            }
            Question::ListsExist(names) => Answer::Is(names.iter().all(|name| ADDRESS_BOOKS.contains(&name.as_str()))),
            Question::OnList { values, lists } => Answer::Is(self.is_on_list(&values, &lists).await?),
            Question::Seen(id) => Answer::Is(self.store.sieve_remembers(self.account, hash("duplicate", &id)).await?),
            Question::Script { place, name } => Answer::Script(self.included(place, &name).await?),
            Question::Host { .. } => Answer::Is(false),
        })
    }

    async fn mailboxes(&mut self) -> Result<&[MailboxStatus], StoreError> {
        if self.mailboxes.is_none() {
            self.mailboxes = Some(self.store.mailboxes_uncounted(self.account).await?);
        }
        Ok(self.mailboxes.as_deref().unwrap_or_default())
    }

    /// Whether a mailbox of the account's own is so.
    async fn has(&mut self, is_so: impl Fn(&MailboxStatus) -> bool + Send) -> Result<bool, StoreError> {
        Ok(self.mailboxes().await?.iter().any(is_so))
    }

    /// The mailbox of another's that is meant, where the account may put messages there. What is its own comes first.
    async fn shared(&mut self, wanted: &Wanted) -> Result<Option<(MailboxName, Reach)>, StoreError> {
        if let Some(id) = &wanted.mailbox_id {
            if self.has(|status| status.mailbox.mailbox_id == *id).await? {
                return Ok(None);
            }
            if let Some(found) = self.store.fillable_by_id(self.account, id).await? {
                return Ok(Some(found));
            }
        }
        if let Some(used) = wanted.special_use
            && self.has(|status| status.mailbox.special_use == Some(used)).await?
        {
            return Ok(None);
        }
        let name = &wanted.mailbox;
        Ok(self.store.fillable(self.account, name).await?.map(|reach| (name.clone(), reach)))
    }

    async fn metadata(&mut self, mailbox: Option<&MailboxName>, name: &str) -> Result<Option<String>, StoreError> {
        let key = match mailbox {
            None => None,
            Some(wanted) => {
                let here = self.mailboxes().await?;
                let Some(found) = here.iter().find(|status| status.mailbox.name == *wanted) else { return Ok(None) };
                Some(found.mailbox.key)
            }
        };
        let notes = self.store.metadata(self.account, key).await?;
        let note = notes.into_iter().find(|note| note.name.eq_ignore_ascii_case(name));
        Ok(note.map(|note| String::from_utf8_lossy(&note.value).into_owned()))
    }

    async fn is_on_list(&self, values: &[String], lists: &[String]) -> Result<bool, StoreError> {
        if !lists.iter().any(|list| ADDRESS_BOOKS.contains(&list.as_str())) {
            return Ok(false);
        }
        for value in values {
            if let Ok(address) = Address::parse(value)
                && self.store.acquainted(self.account, &address).await? == Acquainted::Address
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 6609 §3.2: `:global` is the domain's, or else the house's.
    async fn included(&self, place: Place, name: &str) -> Result<Option<Program>, StoreError> {
        let found = match place {
            Place::Personal => self.store.sieve_script(RuleScope::Account(self.account), name).await?,
            Place::Global => {
                let domain = self.store.account_by_key(self.account).await?.map(|account| account.domain);
                let of_domain = match domain {
                    Some(domain) => self.store.sieve_script(RuleScope::Domain(domain), name).await?,
                    None => None,
                };
                match of_domain {
                    Some(script) => Some(script),
                    None => self.store.sieve_script(RuleScope::House, name).await?,
                }
            }
        };
        Ok(match found {
            Some(script) => self.scripts.program(&script.text).await,
            None => None,
        })
    }
}

/// Makes of an outcome what is to be done.
struct Maker<'a> {
    filing: &'a Filing,
    desk: Desk<'a>,
    facts: &'a Facts,
    delivery: &'a PlannedDelivery,
    arriving: &'a Arriving,
    random: &'a dyn Random,
    /// All addresses of the account, its own first, once somebody asked.
    own: Option<Vec<Address>>,
}

impl ScriptedCopy {
    /// The message as it came, in a mailbox of the account's own.
    pub const fn of(mailbox: Target) -> Self {
        Self { mailbox, shared: None, flags: Vec::new(), edited: None }
    }
}

impl Maker<'_> {
    /// Whether something was to be sent on that can't be.
    async fn make(&mut self, outcome: Outcome, scripted: &mut Scripted) -> Result<bool, StoreError> {
        let is_junk = self.is_junk();
        for Remembers { id, kept, begins_anew } in outcome.seen.iter().map(Remembers::of) {
            scripted.seen.push(Remembered { about: hash("duplicate", id), kept, begins_anew });
        }
        let mut stays = false;
        for action in outcome.actions {
            let edited = action.edited;
            match action.act {
                Acting::Keep { flags, is_explicit } => {
                    let mailbox = if is_junk && is_explicit { Target::Inbox } else { self.delivery.mailbox.clone() };
                    scripted.copies.push(ScriptedCopy { mailbox, shared: None, flags: read_flags(&flags), edited });
                }
                Acting::FileInto(wanted) => {
                    let copy = self.copy(&wanted, edited, &mut scripted.creates).await?;
                    scripted.copies.push(copy);
                }
                Acting::Reject { reason, .. } => scripted.refusal = Some(reason),
                // What is junk is neither sent on nor answered; it stays where junk is.
                Acting::Redirect(_) if is_junk => stays = true,
                Acting::Vacation(_) | Acting::Notify(_) if is_junk => {}
                Acting::Redirect(redirection) => stays |= !self.redirect(redirection, edited, scripted).await?,
                Acting::Vacation(vacation) => self.answer(*vacation, scripted).await?,
                Acting::Notify(notice) => self.notify(&notice, scripted).await?,
            }
        }
        Ok(stays)
    }

    fn is_junk(&self) -> bool {
        self.delivery.mailbox == Target::Use(SpecialUse::Junk)
    }

    async fn copy(
        &mut self,
        wanted: &Wanted,
        edited: Option<Arc<[u8]>>,
        creates: &mut Vec<(MailboxName, Option<SpecialUse>)>,
    ) -> Result<ScriptedCopy, StoreError> {
        let flags = read_flags(&wanted.flags);
        if let Some((name, reach)) = self.desk.shared(wanted).await? {
            return Ok(ScriptedCopy { mailbox: Target::Name(name), shared: Some(reach), flags, edited });
        }
        let here = self.desk.mailboxes().await?;
        let by_id = wanted.mailbox_id.as_ref().and_then(|id| here.iter().find(|one| one.mailbox.mailbox_id == *id));
        let has_use = |used: &SpecialUse| here.iter().any(|one| one.mailbox.special_use == Some(*used));
        let mailbox = match (by_id, wanted.special_use.filter(has_use)) {
            (Some(found), _) => Target::Name(found.mailbox.name.clone()),
            (None, Some(used)) => Target::Use(used),
            (None, None) => {
                // Nobody makes mailboxes of their own where those of others stand.
                let is_absent = !here.iter().any(|one| one.mailbox.name == wanted.mailbox);
                if wanted.create && is_absent && !is_reserved(&wanted.mailbox) {
                    creates.push((wanted.mailbox.clone(), wanted.special_use));
                }
                Target::Name(wanted.mailbox.clone())
            }
        };
        Ok(ScriptedCopy { mailbox, shared: None, flags, edited })
    }

    /// Whether it goes on; else it came from here before.
    async fn redirect(
        &mut self,
        redirection: Redirection,
        edited: Option<Arc<[u8]>>,
        scripted: &mut Scripted,
    ) -> Result<bool, StoreError> {
        let octets = edited.unwrap_or_else(|| Arc::clone(&self.arriving.message));
        let header = octets.get(..relais_message::header_octets(&octets)).unwrap_or_default();
        let own = self.own().await?;
        if redirect::has_passed(header, own) {
            warn!(recipient = %self.delivery.address, "a script sends on what came back: it is kept");
            return Ok(false);
        }
        let Recipient::Address(to) = redirection.to else {
            warn!(recipient = %self.delivery.address, "a script sends on to a list that isn't here: the message is kept");
            return Ok(false);
        };
        let below = if header.starts_with(b"Return-Path:") {
            header.iter().position(|octet| *octet == b'\n').map_or(0, |at| at + 1)
        } else {
            0
        };
        let (first, rest) = octets.split_at_checked(below).unwrap_or((&[], &octets));
        let message = [first, redirect::mark(&self.delivery.address).as_bytes(), rest].concat().into();
        let Redirection { notify, ret, .. } = redirection;
        scripted.redirects.push(ScriptedRedirect { to, notify, ret, message });
        Ok(true)
    }

    /// RFC 5230. Who it says it is from is believed where that is an address of the account.
    async fn answer(&mut self, vacation: Vacation, scripted: &mut Scripted) -> Result<(), StoreError> {
        let vacation = Vacation { from: self.believed(vacation.from.clone()).await?, ..vacation };
        let message_id = new_message_id(self.filing.host.as_str(), self.random);
        let reply = {
            let addresses = self.own().await?.to_vec();
            let house = House {
                addresses: &addresses,
                prefix: "Auto: ",
                subject: "Automated reply",
                message_id: &message_id,
                answers_all: false,
                knows_original: true,
                trusts_header: false,
            };
            vacation.reply(self.facts, &house)
        };
        let Ok(reply) = reply else { return Ok(()) };
        let Ok(to) = Address::parse(&reply.to) else { return Ok(()) };
        let kept = vacation.seconds.map_or(ANSWERED_FOR, Duration::from_secs);
        let kept = kept.clamp(ANSWERED_AT_LEAST, REMEMBERED_AT_MOST);
        let once = Some(Remembered { about: hash("vacation", &reply.key), kept, begins_anew: false });
        let copy = match &vacation.fcc {
            Some(wanted) => Some(self.copy(wanted, None, &mut scripted.creates).await?),
            None => None,
        };
        scripted.letters.push(ScriptedLetter { to: vec![to], message: reply.message, once, copy });
        Ok(())
    }

    /// RFC 5436. What is a notice itself causes none (§2.7.1), and neither does what comes from nobody: two houses would go on for ever.
    async fn notify(&mut self, notice: &Notice, scripted: &mut Scripted) -> Result<(), StoreError> {
        let message = &self.facts.message;
        let header = message.get(..relais_message::header_octets(message)).unwrap_or_default();
        let is_automatic = relais_message::fields(header)
            .filter(|field| field.is("Auto-Submitted"))
            .any(|field| !relais_message::decode_header_value(field.value).trim().eq_ignore_ascii_case("no"));
        if is_automatic || self.arriving.reverse_path.address().is_none() {
            return Ok(());
        }
        let from = match self.believed(notice.from.clone()).await?.and_then(|from| Address::parse(&from).ok()) {
            Some(from) => from,
            None => self.delivery.address.clone(),
        };
        let subject = relais_message::Facts::read(header).subject;
        let sender = &self.facts.envelope.from;
        let said = notice.message.clone();
        let text = said.clone().unwrap_or_else(|| match sender.as_str() {
            // Nothing comes where the message lies already.
            "" => format!("About a message in your mailbox: {subject}\n"),
            sender => format!("New mail from {sender}: {subject}\n"),
        });
        let mut to = notice.method.to.clone();
        to.extend(notice.method.cc.iter().cloned());
        let mut more = vec![("Auto-Submitted", "auto-notified".to_owned())];
        if notice.importance != 2 {
            more.push(("X-Priority", if notice.importance == 1 { "1" } else { "5" }.to_owned()));
        }
        let writing = Writing {
            subject: notice.method.subject.clone().or(said.map(|said| first_line(&said))).unwrap_or(subject),
            text: [notice.method.body.as_deref().unwrap_or_default(), &text].join("\n").trim_start().to_owned(),
            more,
            ..self.filing.writing(&from, &to, self.random)
        };
        let copy = match &notice.fcc {
            Some(wanted) => Some(self.copy(wanted, None, &mut scripted.creates).await?),
            None => None,
        };
        scripted.letters.push(ScriptedLetter { to, message: compose(&writing, self.random), once: None, copy });
        Ok(())
    }

    async fn believed(&self, from: Option<String>) -> Result<Option<String>, StoreError> {
        let Some(from) = from else { return Ok(None) };
        let items = relais_message::read_address_list(from.as_bytes());
        let address = relais_message::mailboxes(&items).find_map(relais_message::Mailbox::to_address);
        let Some(address) = address else { return Ok(None) };
        let is_own = self.filing.store.may_send_as(self.delivery.account, &address).await?;
        Ok(is_own.then_some(from))
    }

    async fn own(&mut self) -> Result<&[Address], StoreError> {
        if self.own.is_none() {
            let mut own = vec![self.delivery.address.clone()];
            own.extend(self.filing.store.aliases_to(&self.delivery.address).await?);
            self.own = Some(own);
        }
        Ok(self.own.as_deref().unwrap_or_default())
    }
}

/// One thing that `duplicate` noted.
struct Remembers<'a> {
    id: &'a str,
    kept: Duration,
    begins_anew: bool,
}

impl<'a> Remembers<'a> {
    fn of(seen: &'a relais_sieve::Seen) -> Self {
        let kept = seen.seconds.map_or(SEEN_FOR, Duration::from_secs).min(REMEMBERED_AT_MOST);
        Self { id: &seen.id, kept, begins_anew: seen.last }
    }
}

fn hash(kind: &str, text: &str) -> [u8; 32] {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(text).finalize().into()
}

fn read_flags(flags: &[String]) -> Vec<Flag> {
    flags.iter().filter_map(|flag| Flag::parse(flag).ok()).collect()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
