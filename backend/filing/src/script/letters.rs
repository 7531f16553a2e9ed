//! What people are told because of a script: answers, notices, and that it failed.

use relais_message::{Named, Writing, compose, new_message_id};
use relais_model::{Address, Random};
use relais_sieve::vacation::{House, Reply, Vacation};
use relais_sieve::{Failure, Filing as Wanted, Notice};
use relais_store::StoreError;

use super::maker::Maker;
use super::{Remembered, ScriptFailure, ScriptedCopy, ScriptedLetter};
use crate::Filing;

/// Letters of a subject that is made of what a script says.
const SUBJECT_LETTERS: usize = 200;

impl Maker<'_> {
    /// RFC 5230. Who it says it is from is believed where that is an address of the account.
    pub(super) async fn answer(&mut self, vacation: Vacation) -> Result<(), StoreError> {
        let vacation = Vacation { from: self.believed(vacation.from.clone()).await?, ..vacation };
        let addresses = self.addresses().await?.to_vec();
        let Some(reply) = self.reply(&vacation, &addresses) else { return Ok(()) };
        let Ok(to) = Address::parse(&reply.to) else { return Ok(()) };
        let once = Some(Remembered::answered(&reply.key, vacation.seconds));
        let copy = self.kept(vacation.fcc.as_ref()).await?;
        self.made.letters.push(ScriptedLetter { to: vec![to], message: reply.message, once, copy });
        Ok(())
    }

    /// None where RFC 5230 wants silence.
    fn reply(&self, vacation: &Vacation, addresses: &[Address]) -> Option<Reply> {
        let house = House {
            addresses,
            prefix: "Auto: ",
            subject: "Automated reply",
            message_id: &new_message_id(self.filing.host.as_str(), self.random),
            answers_all: false,
            knows_original: true,
            trusts_header: false,
        };
        vacation.reply(self.facts, &house).ok()
    }

    /// RFC 5436. What is a notice itself causes none (§2.7.1), and neither does what comes from nobody: two houses would go on for ever.
    pub(super) async fn notify(&mut self, notice: &Notice) -> Result<(), StoreError> {
        let message = &self.facts.message;
        let header = message.get(..relais_message::header_octets(message)).unwrap_or_default();
        if self.comes_from_nobody() || is_automatic(header) {
            return Ok(());
        }
        let believed = self.believed(notice.from.clone()).await?.and_then(|from| Address::parse(&from).ok());
        let from = believed.unwrap_or_else(|| self.delivery.address.clone());
        let to = [notice.method.to.as_slice(), &notice.method.cc].concat();
        let about = relais_message::Facts::read(header).subject;
        let writing = self.noticed(notice, &from, &to, about);
        let copy = self.kept(notice.fcc.as_ref()).await?;
        self.made.letters.push(ScriptedLetter { to, message: compose(&writing, self.random), once: None, copy });
        Ok(())
    }

    /// A message that lies here already has no sender, and is its owner's (RFC 6785 §3.4).
    fn comes_from_nobody(&self) -> bool {
        self.facts.envelope.from.is_empty() && !self.facts.is_at_imap
    }

    /// A notice as it is written. Where the script has no words for it, it says from whom mail came, and what about.
    fn noticed(&self, notice: &Notice, from: &Address, to: &[Address], about: String) -> Writing {
        let text = notice.message.clone().unwrap_or_else(|| match self.facts.envelope.from.as_str() {
            // Nothing comes where the message lies already.
            "" => format!("About a message in your mailbox: {about}\n"),
            sender => format!("New mail from {sender}: {about}\n"),
        });
        let mut more = vec![("Auto-Submitted", "auto-notified".to_owned())];
        if notice.importance != 2 {
            more.push(("X-Priority", if notice.importance == 1 { "1" } else { "5" }.to_owned()));
        }
        let said = notice.message.as_deref().map(first_line);
        Writing {
            subject: notice.method.subject.clone().or(said).unwrap_or(about),
            text: [notice.method.body.as_deref().unwrap_or_default(), &text].join("\n").trim_start().to_owned(),
            more,
            ..self.filing.writing(from, to, self.random)
        }
    }

    /// RFC 8580: the copy that stays here.
    async fn kept(&mut self, wanted: Option<&Wanted>) -> Result<Option<ScriptedCopy>, StoreError> {
        Ok(match wanted {
            Some(wanted) => Some(self.copy(wanted, None).await?),
            None => None,
        })
    }

    async fn believed(&self, from: Option<String>) -> Result<Option<String>, StoreError> {
        let Some(from) = from else { return Ok(None) };
        let items = relais_message::read_address_list(from.as_bytes());
        let address = relais_message::mailboxes(&items).find_map(relais_message::Mailbox::to_address);
        let Some(address) = address else { return Ok(None) };
        let is_own = self.filing.store.may_send_as(self.delivery.account, &address).await?;
        Ok(is_own.then_some(from))
    }
}

impl Filing {
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

/// Whether a program wrote it (RFC 3834 §5).
fn is_automatic(header: &[u8]) -> bool {
    relais_message::fields(header)
        .filter(|field| field.is("Auto-Submitted"))
        .any(|field| !relais_message::decode_header_value(field.value).trim().eq_ignore_ascii_case("no"))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(SUBJECT_LETTERS).collect()
}
