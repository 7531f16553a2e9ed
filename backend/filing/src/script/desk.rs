//! Runs scripts for one account, and answers from the store what the runs ask.

use relais_model::{Address, Domain, MailboxName, SpecialUse};
use relais_sieve::{
    Acting, Action, Answer, Facts, Failure, Outcome, Place, Position, Program, Question, Run, Step, Why,
};
use relais_store::{AccountKey, Acquainted, RuleScope, SieveAtDelivery, SieveScript, Store, StoreError, admin_note};

use super::mailboxes::Mailboxes;
use super::remembered::about_seen;
use super::{ScriptFailure, Scripts, limits};
use crate::Filing;

/// Lists of addresses that scripts may name (RFC 6134 §2.5): one's contacts, and whom one has written to.
const ADDRESS_BOOKS: [&str; 2] = ["urn:ietf:params:sieve:addrbook:default", ":addrbook:default"];
/// Addresses that one test looks up there, at most: a message may name thousands.
const LOOKED_UP: usize = 100;

/// Runs them, and answers them.
pub(super) struct Desk<'a> {
    store: &'a Store,
    host: &'a Domain,
    account: AccountKey,
    scripts: &'a Scripts,
    pub(super) mailboxes: Mailboxes<'a>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(filing: &'a Filing, account: AccountKey) -> Self {
        let mailboxes = Mailboxes::new(&filing.store, account);
        Self { store: &filing.store, host: &filing.host, account, scripts: &filing.scripts, mailboxes }
    }

    /// Runs one script behind the other, as long as the message is kept and none fails. Gives what the last one left, and the failure.
    pub(super) async fn run_all(
        &mut self,
        scripts: &SieveAtDelivery,
        facts: &Facts,
    ) -> Result<(Outcome, Option<ScriptFailure>), StoreError> {
        let mut before: Option<Outcome> = None;
        for script in scripts.before.iter().chain(&scripts.own).chain(&scripts.after) {
            let is_own = scripts.own.as_ref().is_some_and(|own| own.key == script.key);
            let outcome = self.run(script, facts.clone(), before.take()).await?;
            let failure = ScriptFailure::of(script, is_own, &outcome);
            if failure.is_some() || !outcome.is_kept {
                return Ok((outcome, failure));
            }
            before = Some(outcome);
        }
        Ok((before.unwrap_or_default(), None))
    }

    /// Runs one script; `before` is what came of those before it.
    pub(super) async fn run(
        &mut self,
        script: &SieveScript,
        facts: Facts,
        before: Option<Outcome>,
    ) -> Result<Outcome, StoreError> {
        let Some(program) = self.scripts.program(&script.text).await else { return Ok(kept_for_faults()) };
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
            Question::MailboxesExist(names) => Answer::Is(self.are_there(&names).await?),
            Question::MailboxIdsExist(ids) => Answer::Is(self.are_there_by_id(&ids).await?),
            Question::SpecialUses { mailbox, uses } => Answer::Is(self.have(mailbox.as_ref(), &uses).await?),
            Question::Metadata { mailbox, name } => Answer::Text(self.metadata(mailbox.as_ref(), &name).await?),
            Question::MetadataExist { mailbox, names } => Answer::Is(self.are_noted(mailbox.as_ref(), &names).await?),
            Question::ListsExist(names) => Answer::Is(names.iter().all(|name| ADDRESS_BOOKS.contains(&name.as_str()))),
            Question::OnList { values, lists } => Answer::Is(self.is_on_list(&values, &lists).await?),
            Question::Seen(id) => Answer::Is(self.store.sieve_remembers(self.account, about_seen(&id)).await?),
            Question::Script { place, name } => Answer::Script(self.included(place, &name).await?),
            Question::Host { .. } => Answer::Is(false),
        })
    }

    /// RFC 5490 §3.1: one that mail can't be put into counts as none.
    async fn are_there(&mut self, names: &[MailboxName]) -> Result<bool, StoreError> {
        for name in names {
            if !self.mailboxes.takes(name).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn are_there_by_id(&mut self, ids: &[String]) -> Result<bool, StoreError> {
        for id in ids {
            if !self.mailboxes.takes_by_id(id).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether there is a mailbox for each use; where one is named, whether that has them all.
    async fn have(&mut self, mailbox: Option<&MailboxName>, uses: &[SpecialUse]) -> Result<bool, StoreError> {
        let here = self.mailboxes.own().await?;
        let has = |used: &SpecialUse| {
            here.iter().any(|status| {
                status.mailbox.special_use == Some(*used) && mailbox.is_none_or(|name| status.mailbox.name == *name)
            })
        };
        Ok(uses.iter().all(has))
    }

    async fn are_noted(&mut self, mailbox: Option<&MailboxName>, names: &[String]) -> Result<bool, StoreError> {
        for name in names {
            if self.metadata(mailbox, name).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn metadata(&mut self, mailbox: Option<&MailboxName>, name: &str) -> Result<Option<String>, StoreError> {
        let key = match mailbox {
            None => None,
            Some(wanted) => {
                let here = self.mailboxes.own().await?;
                let Some(found) = here.iter().find(|status| status.mailbox.name == *wanted) else { return Ok(None) };
                Some(found.mailbox.key)
            }
        };
        let notes = self.store.metadata(self.account, key).await?;
        let of_server = mailbox.is_none().then(|| admin_note(self.host));
        let note = notes.into_iter().chain(of_server).find(|note| note.name.eq_ignore_ascii_case(name));
        Ok(note.map(|note| String::from_utf8_lossy(&note.value).into_owned()))
    }

    async fn is_on_list(&self, values: &[String], lists: &[String]) -> Result<bool, StoreError> {
        if !lists.iter().any(|list| ADDRESS_BOOKS.contains(&list.as_str())) {
            return Ok(false);
        }
        let addresses: Vec<Address> =
            values.iter().filter_map(|value| Address::parse(value).ok()).take(LOOKED_UP).collect();
        for address in &addresses {
            if self.store.acquainted(self.account, address).await? == Acquainted::Address
                || self.store.is_contact(self.account, address).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn included(&self, place: Place, name: &str) -> Result<Option<Program>, StoreError> {
        let found = match place {
            Place::Personal => self.store.sieve_script(RuleScope::Account(self.account), name).await?,
            Place::Global => self.global(name).await?,
        };
        Ok(match found {
            Some(script) => self.scripts.program(&script.text).await,
            None => None,
        })
    }

    /// RFC 6609 §3.2: `:global` is the domain's, or else the house's.
    async fn global(&self, name: &str) -> Result<Option<SieveScript>, StoreError> {
        if let Some(account) = self.store.account_by_key(self.account).await?
            && let Some(script) = self.store.sieve_script(RuleScope::Domain(account.domain), name).await?
        {
            return Ok(Some(script));
        }
        self.store.sieve_script(RuleScope::House, name).await
    }
}

/// A script that has faults, though it was checked when it was kept.
fn kept_for_faults() -> Outcome {
    let why = Why::Said("the script has faults".to_owned());
    let act = Acting::Keep { flags: Vec::new(), is_explicit: false };
    let keep = Action { act, edited: None, at: Position::default() };
    Outcome { actions: vec![keep], failure: Some(Failure { at: Position::default(), why }), ..Outcome::default() }
}
