//! What rules, or a script, would have done with one's last messages. They run over what is stored; nothing is done, nothing is remembered.

use std::sync::Arc;

use relais_filing::script::dialect;
use relais_message::{Facts as Header, fields, header_octets};
use relais_model::{MailboxName, SpecialUse, Timestamp};
use relais_sieve::{Acting, Answer, Envelope, Facts, Limits, Program, Question, Recipient, Run};
use relais_store::{MailboxStatus, MessageKey, RuleScope};
use serde::Serialize;
use utoipa::ToSchema;

use super::{RuleSet, ScriptsOf, script_of};
use crate::{Actor, Failure, Moment, Service, Text};

/// Messages that are tried, at most.
pub const TRIED_MESSAGES: usize = 500;
/// Larger ones are passed over.
const OCTETS: u32 = 2 * 1024 * 1024;
/// Mailboxes that are looked at.
const MAILBOXES: usize = 100;
/// What one message may cost, and all of them, in the language's unit.
const WORK: u64 = 8 * 1024 * 1024;
const WORK_OF_ALL: u64 = 512 * 1024 * 1024;

/// What would have been done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TriedRules {
    /// Messages that were looked at, the newest of all mailboxes but drafts, what one sent, junk and what was thrown away.
    pub looked_at: usize,
    /// Those of them that would just have been kept.
    pub kept: usize,
    /// The others, the newest first.
    pub messages: Vec<TriedMessage>,
}

/// One message, and what would have been done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TriedMessage {
    /// Who wrote it.
    pub from: String,
    /// Its subject.
    pub subject: String,
    /// When it came.
    pub at: Moment,
    /// In this order; none: it would have been thrown away.
    pub acts: Vec<TriedAct>,
}

/// Something that would have been done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TriedAct {
    /// `keep`, `file`, `redirect`, `reject`, `vacation`, `notify`, `write` or `fail`.
    pub act: &'static str,
    /// The mailbox, the address, the reason.
    pub what: String,
    /// Flags that would have been set.
    pub flags: Vec<String>,
}

impl Service {
    /// Tries rules on one's last messages.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on what was typed; [`Failure::Absent`] for the command line.
    pub async fn try_rules(&self, me: &Actor, set: &RuleSet) -> Result<TriedRules, Failure> {
        let script = script_of(set)?;
        self.try_script(me, &script).await
    }

    /// The same of a script.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `script`; [`Failure::Absent`] for the command line.
    pub async fn try_script(&self, me: &Actor, script: &str) -> Result<TriedRules, Failure> {
        let (account, address) = me.own()?;
        self.script_scope(me, ScriptsOf::Mine).await?;
        self.require_sound(RuleScope::Account(account), script).await?;
        let program =
            Program::compile(script, &dialect()).map_err(|_| Failure::unfit("script", Text::new("rules-unfit")))?;
        let mailboxes = Arc::new(self.store.mailboxes(account).await?);
        let (to, mut tried, mut work) = (address.to_string(), TriedRules::default(), 0);
        for (at, key) in self.last_messages(&mailboxes).await? {
            if work > WORK_OF_ALL {
                break;
            }
            let Some(raw) = self.store.raw(key).await? else { continue };
            let (program, mailboxes, to) = (program.clone(), Arc::clone(&mailboxes), to.clone());
            let run = move || try_one(&program, &mailboxes, to, raw, at);
            let Ok((cost, message)) = tokio::task::spawn_blocking(run).await else { return Err(Failure::Failed) };
            work += cost;
            tried.looked_at += 1;
            match message {
                Some(message) => tried.messages.push(message),
                None => tried.kept += 1,
            }
        }
        Ok(tried)
    }

    /// The newest first.
    async fn last_messages(&self, mailboxes: &[MailboxStatus]) -> Result<Vec<(Timestamp, MessageKey)>, Failure> {
        let is_ours = |status: &&MailboxStatus| {
            !matches!(
                status.mailbox.special_use,
                Some(SpecialUse::Drafts | SpecialUse::Sent | SpecialUse::Junk | SpecialUse::Trash)
            )
        };
        let mut found = Vec::new();
        for status in mailboxes.iter().filter(is_ours).take(MAILBOXES) {
            let Some(view) = self.store.view(status.mailbox.key).await? else { continue };
            view.read(|rows| {
                let rows = rows.iter().rev().filter(|row| row.size_octets <= OCTETS).take(TRIED_MESSAGES);
                found.extend(rows.map(|row| (row.internal_date(), row.message())));
            });
        }
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.dedup_by_key(|(_, key)| *key);
        found.truncate(TRIED_MESSAGES);
        Ok(found)
    }
}

/// What it cost, and what would have been done; none: it would just have been kept.
fn try_one(
    program: &Program,
    mailboxes: &[MailboxStatus],
    to: String,
    raw: Vec<u8>,
    at: Timestamp,
) -> (u64, Option<TriedMessage>) {
    let header = raw.get(..header_octets(&raw)).unwrap_or_default();
    let path = fields(header).find(|field| field.is("Return-Path"));
    let path = path.map(|field| String::from_utf8_lossy(&field.unfolded()).trim().trim_matches(['<', '>']).to_owned());
    let read = Header::read(header);
    let subject = read.subject;
    let author = fields(header).find(|field| field.is("From"));
    let from =
        author.map(|field| relais_message::decode_header_value(field.value).trim().to_owned()).unwrap_or_default();
    let facts = Facts {
        message: raw.into(),
        envelope: Envelope { from: path.unwrap_or_default(), original_to: Some(to.clone()), to, ..Envelope::default() },
        now: at,
        ..Facts::default()
    };
    let run = Run::new(program, facts, Limits { work: WORK, ..relais_filing::script::limits() });
    let outcome = run.finish(&mut |question| answer(question, mailboxes));
    let mut acts: Vec<TriedAct> = outcome.actions.iter().map(|action| act(&action.act)).collect();
    if let Some(failure) = &outcome.failure {
        acts = vec![TriedAct { act: "fail", what: failure.why.to_string(), flags: Vec::new() }];
    }
    let is_kept = matches!(acts.as_slice(), [only] if only.act == "keep" && only.flags.is_empty());
    (outcome.work, (!is_kept).then(|| TriedMessage { from, subject, at: at.into(), acts }))
}

fn act(act: &Acting) -> TriedAct {
    let said = |act, what: String| TriedAct { act, what, flags: Vec::new() };
    match act {
        Acting::Keep { flags, .. } => {
            TriedAct { flags: flags.clone(), ..said("keep", MailboxName::inbox().as_str().to_owned()) }
        }
        Acting::FileInto(filing) => {
            TriedAct { flags: filing.flags.clone(), ..said("file", filing.mailbox.as_str().to_owned()) }
        }
        Acting::Redirect(redirection) => said(
            "redirect",
            match &redirection.to {
                Recipient::Address(address) => address.to_string(),
                Recipient::List(list) => list.clone(),
            },
        ),
        Acting::Reject { reason, .. } => said("reject", reason.clone()),
        Acting::Vacation(vacation) => said("vacation", vacation.reason.clone()),
        Acting::Notify(notice) => said("notify", notice.method.to.first().map(ToString::to_string).unwrap_or_default()),
    }
}

/// Of mailboxes; what else a script may ask is answered with no.
fn answer(question: &Question, here: &[MailboxStatus]) -> Answer {
    Answer::Is(match question {
        Question::MailboxesExist(names) => {
            names.iter().all(|name| here.iter().any(|status| status.mailbox.name == *name))
        }
        Question::SpecialUses { mailbox, uses } => uses.iter().all(|used| {
            here.iter().any(|status| {
                status.mailbox.special_use == Some(*used)
                    && mailbox.as_ref().is_none_or(|name| status.mailbox.name == *name)
            })
        }),
        _ => false,
    })
}
