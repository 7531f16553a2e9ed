//! A message with its envelope, a house that answers, and what a script makes of it in words.

use std::collections::BTreeMap;

use relais_model::{Notify, Ret, Timestamp};
use relais_sieve::{
    Acting, Answer, DeliverBy, Dialect, Envelope, Facts, Limits, Outcome, Place, Program, Question, Recipient,
    Redirection, Run,
};

#[derive(Clone)]
pub(super) struct Scene {
    pub(super) facts: Facts,
    /// Questions that are answered with yes: those whose words hold one of these.
    pub(super) yes: Vec<&'static str>,
    /// Annotations, by name.
    pub(super) metadata: BTreeMap<&'static str, &'static str>,
    pub(super) limits: Limits,
    /// Scripts that others include; one whose name begins with `:global ` is found there before the one without.
    pub(super) scripts: BTreeMap<&'static str, &'static str>,
}

impl Scene {
    /// Friday, 2026-11-27 14:00 UTC.
    pub(super) fn new(message: &str) -> Self {
        let facts = Facts {
            message: message.replace('\n', "\r\n").as_bytes().into(),
            envelope: Envelope {
                from: "sender@example.com".into(),
                to: "ken+sieve@example.org".into(),
                ..Envelope::default()
            },
            now: Timestamp::from_seconds(1_795_788_000),
            ..Facts::default()
        };
        Self { facts, yes: Vec::new(), metadata: BTreeMap::new(), limits: Limits::default(), scripts: BTreeMap::new() }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }

    pub(super) fn yes(mut self, words: &[&'static str]) -> Self {
        self.yes.extend_from_slice(words);
        self
    }

    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Script { place, name } => {
                let global = format!(":global {name}");
                let global = self.scripts.get(global.as_str()).filter(|_| *place == Place::Global);
                let text = global.or_else(|| self.scripts.get(name.as_str()));
                Answer::Script(text.map(|text| compile(text)))
            }
            Question::Metadata { name, .. } => {
                Answer::Text(self.metadata.get(name.as_str()).map(|value| (*value).to_owned()))
            }
            Question::MetadataExist { names, .. } => {
                Answer::Is(names.iter().all(|name| self.metadata.contains_key(name.as_str())))
            }
            other => {
                let words = format!("{other:?}");
                Answer::Is(self.yes.iter().any(|word| words.contains(word)))
            }
        }
    }

    pub(super) fn run(&self, script: &str) -> Outcome {
        Run::new(&compile(script), self.facts.clone(), self.limits).finish(&mut |question| self.answer(question))
    }

    /// What is done, in words, parted by `; `.
    pub(super) fn acts(&self, script: &str) -> String {
        words(&self.run(script))
    }
}

pub(super) fn compile(script: &str) -> Program {
    Program::compile(script, &Dialect::default()).unwrap_or_else(|faults| {
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{}\n{script}", told.join("\n"))
    })
}

pub(super) fn words(outcome: &Outcome) -> String {
    if let Some(failure) = &outcome.failure {
        return format!("failure: {}", failure.why);
    }
    let flags = |flags: &[String]| if flags.is_empty() { String::new() } else { format!(" ({})", flags.join(" ")) };
    let told = outcome.actions.iter().map(|action| match &action.act {
        Acting::Keep { flags: set, .. } => format!("keep{}", flags(set)),
        Acting::FileInto(filing) => format!("fileinto {}{}", filing.mailbox, flags(&filing.flags)),
        Acting::Redirect(redirection) => redirected(redirection),
        Acting::Reject { reason, .. } => format!("reject {}", reason.lines().next().unwrap_or_default()),
        Acting::Vacation(vacation) => {
            let subject = vacation.subject.as_deref().map(|subject| format!(" [{subject}]")).unwrap_or_default();
            format!("vacation{subject} {}", vacation.reason.lines().next().unwrap_or_default())
        }
        Acting::Notify(notice) => {
            let to: Vec<_> = notice.method.to.iter().map(ToString::to_string).collect();
            format!("notify {} {} {}", to.join(","), notice.importance, notice.message.as_deref().unwrap_or("-"))
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

fn redirected(redirection: &Redirection) -> String {
    let to = match &redirection.to {
        Recipient::Address(address) => address.to_string(),
        Recipient::List(name) => name.clone(),
    };
    let notify = |notify: Notify| {
        let words = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
        let said: Vec<_> = words.into_iter().filter(|(is_said, _)| *is_said).map(|(_, word)| word).collect();
        format!(" notify {}", if said.is_empty() { "NEVER".to_owned() } else { said.join(",") })
    };
    let ret = match redirection.ret {
        None => "",
        Some(Ret::Full) => " ret FULL",
        Some(Ret::Headers) => " ret HDRS",
    };
    let by = |by: DeliverBy| format!(" by {}{}", by.at.seconds(), if by.returns { "R" } else { "N" });
    let (notify, by) = (redirection.notify.map(notify), redirection.deliver_by.map(by));
    format!("redirect {to}{}{ret}{}", notify.unwrap_or_default(), by.unwrap_or_default())
}

/// The message as it is when the script ends.
pub(super) fn edited(outcome: &Outcome) -> String {
    outcome.edited.as_ref().map(|raw| String::from_utf8_lossy(raw).into_owned()).unwrap_or_default()
}
