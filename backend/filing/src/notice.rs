//! What people read when their mail was delayed, given up, delivered or handed on (RFC 3461, RFC 3464), and its way to them.
//!
//! `reception` tells of what is known at once, `delivery` of what becomes known later. Both say what happened to whom;
//! [`Filing::notice`] finds the words and the way. A notice has the null reverse-path, and of itself nothing more is told.

use askama::Template;
use relais_message::dsn::{Action, Dsn, RecipientStatus, Returned};
use relais_message::{format_date, header_octets};
use relais_model::{
    Address, BodyType, Domain, EnhancedCode, EnvelopeId, ForwardPath, LocalPart, Notify, OriginalRecipient, Random,
    Reply, Ret, ReversePath, Timestamp,
};
use relais_store::{Acceptance, Content, Delivery, NewQueued, StoreError, TraceId};

use crate::{Filing, FilingError, Plan, Refusal};

/// A notice returns larger messages without their body, also where `RET=FULL` was said (RFC 3461 §6.2 allows it).
pub const RETURNED_OCTETS: u64 = 256 * 1024;

/// What a notice tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Given up.
    Failed,
    /// Not yet.
    Delayed,
    /// The next hop has it, and will tell nothing more (RFC 3461 §5.2.2).
    Relayed,
    /// In a mailbox here.
    Delivered,
    /// On its way to each of several addresses (RFC 3461 §5.2.7.3).
    Expanded,
}

impl Kind {
    const fn action(self) -> Action {
        match self {
            Self::Failed => Action::Failed,
            Self::Delayed => Action::Delayed,
            Self::Relayed => Action::Relayed,
            Self::Delivered => Action::Delivered,
            Self::Expanded => Action::Expanded,
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Failed => "Your message could not be delivered",
            Self::Delayed => "Your message is delayed",
            Self::Relayed | Self::Expanded => "Your message was passed on",
            Self::Delivered => "Your message was delivered",
        }
    }
}

/// The message that a notice is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Its id in Received, for the log.
    pub trace: &'a TraceId,
    /// `ENVID=`.
    pub envelope_id: Option<&'a EnvelopeId>,
    /// `RET=`.
    pub ret: Option<Ret>,
    /// `REQUIRETLS` was said.
    pub require_tls: bool,
    /// When it came to us.
    pub arrived_at: Timestamp,
    /// Until when it is tried; notices of it are tried as long.
    pub expires_at: Timestamp,
    /// Its octets; of one larger than [`RETURNED_OCTETS`] the beginning, and more than that. Empty where it can't be read.
    pub raw: &'a [u8],
}

/// One recipient in a notice.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// Where we tried.
    pub recipient: &'a Address,
    /// `ORCPT=`.
    pub original: Option<&'a OriginalRecipient>,
    /// RFC 3463; of another class than the reply where time ran out.
    pub status: EnhancedCode,
    /// Why.
    pub reply: &'a Reply,
    /// Whose words the reply is; none: ours.
    pub remote: Option<&'a Domain>,
}

/// A notice to one sender about some recipients of one message.
#[derive(Debug, Clone)]
pub struct Notice<'a> {
    /// The same for all recipients in it.
    pub kind: Kind,
    /// The message.
    pub about: About<'a>,
    /// Its reverse-path. The null one is never told anything (RFC 5321 §4.5.5).
    pub to: &'a Address,
    /// At least one.
    pub told: Vec<Told<'a>>,
    /// Now.
    pub now: Timestamp,
    /// Until when the notice itself is tried (RFC 5321 §4.5.4.1: four to five days).
    pub expires_at: Timestamp,
}

impl Filing {
    /// A notice, ready for the store: to the sender's mailbox here, or through the queue to wherever the sender is. None where
    /// there is nobody to tell; that is logged.
    ///
    /// # Errors
    /// The store can't say who the sender is: try again.
    pub async fn notice(&self, notice: &Notice<'_>, random: &dyn Random) -> Result<Option<Acceptance>, StoreError> {
        let (id, to) = (notice.about.trace, notice.to);
        let path = ForwardPath { address: to.clone(), notify: Some(Notify::NEVER), original: None };
        let plan = match self.plan(&path).await {
            Ok(plan) => plan,
            Err(FilingError::Refused(Refusal::NotLocal)) => Plan::relay(path),
            Err(FilingError::Refused(why)) => {
                tracing::warn!(queue.id = %id, sender = %to, %why, "a notice has nobody to go to and is dropped");
                return Ok(None);
            }
            Err(FilingError::Failed(error)) => return Err(error),
        };
        let written = match notice.write(&self.host, random) {
            Ok(written) => written,
            Err(error) => {
                tracing::error!(%error, queue.id = %id, "a notice can't be written");
                return Ok(None);
            }
        };
        let written = self.signing().sign(&self.host, written, notice.now).await?;
        let trace = TraceId::make(notice.now, random);
        tracing::info!(queue.id = %id, notice.id = %trace, sender = %to, kind = ?notice.kind, "the sender is told");
        let deliveries: Vec<Delivery> = plan.copies().collect();
        let outbound = (!plan.forwards.is_empty()).then(|| NewQueued {
            reverse_path: ReversePath::Null,
            ret: None,
            envelope_id: None,
            body_type: BodyType::EightBitMime,
            smtputf8: to.needs_smtputf8(),
            require_tls: notice.about.require_tls,
            submitter: None,
            recipients: plan.forwards,
            expires_at: notice.expires_at,
        });
        Ok(Some(Acceptance {
            content: Content::prepare(written),
            reverse_path: ReversePath::Null,
            deliveries,
            outbound,
            trace,
            from_peer: String::new(),
            judgement: None,
            submission: None,
        }))
    }
}

impl Notice<'_> {
    /// As a message.
    fn write(&self, host: &Domain, random: &dyn Random) -> Result<Vec<u8>, askama::Error> {
        let returned = self.returned();
        let (name, recipients) = (host.as_str(), self.lines());
        let text = match self.kind {
            Kind::Failed => {
                let is_whole = matches!(returned, Returned::Message(_));
                FailedText { host: name, recipients, is_whole }.render()?
            }
            Kind::Delayed => {
                let (since, until) = (format_date(self.about.arrived_at), format_date(self.about.expires_at));
                DelayedText { host: name, recipients, since, until }.render()?
            }
            Kind::Relayed | Kind::Delivered | Kind::Expanded => {
                let (is_final, is_expanded) = (self.kind == Kind::Delivered, self.kind == Kind::Expanded);
                DeliveredText { host: name, recipients, is_final, is_expanded }.render()?
            }
        };
        let statuses: Vec<_> = self.told.iter().map(|told| self.status(told)).collect();
        let dsn = Dsn {
            from: &mailer_daemon(host, self.to),
            from_name: "Mail Delivery System",
            to: self.to,
            subject: self.kind.subject(),
            text: &text,
            reporting_mta: name,
            envelope_id: self.about.envelope_id,
            arrived_at: self.about.arrived_at,
            recipients: &statuses,
            returned,
            now: self.now,
        };
        Ok(dsn.build(random))
    }

    /// RFC 3461 §4.3: RET is for failures; all else returns the header. RFC 8689 §5: so does what requires TLS, for the notice
    /// may have to go without.
    fn returned(&self) -> Returned<'_> {
        let raw = self.about.raw;
        let is_small = raw.len() as u64 <= RETURNED_OCTETS;
        let is_wanted = self.about.ret != Some(Ret::Headers) && !self.about.require_tls;
        if self.kind == Kind::Failed && is_wanted && is_small && !raw.is_empty() {
            Returned::Message(raw)
        } else {
            Returned::Header(raw.get(..header_octets(raw)).unwrap_or(raw))
        }
    }

    fn status(&self, told: &Told<'_>) -> RecipientStatus {
        RecipientStatus {
            original: told.original.cloned(),
            recipient: told.recipient.clone(),
            action: self.kind.action(),
            status: told.status,
            remote_mta: told.remote.map(ToString::to_string),
            diagnostic: told.remote.map(|_| told.reply.clone()),
            last_attempt_at: Some(self.now),
            will_retry_until: (self.kind == Kind::Delayed).then_some(self.about.expires_at),
        }
    }

    fn lines(&self) -> Vec<RecipientText> {
        let line = |told: &Told<'_>| {
            let (what, advice) = explain(told.status, told.reply);
            let spoke = match told.remote {
                Some(host) => format!("The server {host} said"),
                None => "What we found".to_owned(),
            };
            let address = format!("{}@{}", told.recipient.local_part, told.recipient.domain.to_unicode());
            RecipientText { address, what, advice, spoke, reply: told.reply.to_string() }
        };
        self.told.iter().map(line).collect()
    }
}

/// At the sender's domain where that is ours to speak for? It need not be: our host's name is always right.
pub(crate) fn mailer_daemon(host: &Domain, to: &Address) -> Address {
    match LocalPart::parse("mailer-daemon") {
        Ok(local_part) => Address { local_part, domain: host.clone() },
        Err(_) => to.clone(),
    }
}

struct RecipientText {
    address: String,
    what: &'static str,
    advice: &'static str,
    spoke: String,
    reply: String,
}

/// What the owner of a script reads that failed, in their language: the subject, and the text.
pub(crate) fn script_failed_text(host: &str, name: &str, why: &str, language: &str) -> (&'static str, String) {
    let (subject, text) = match language {
        "fr" => ("Une de vos règles de courrier a échoué", ScriptFailedFrench { host, name, why }.render()),
        _ => ("One of your mail rules failed", ScriptFailedText { host, name, why }.render()),
    };
    let text = text.unwrap_or_else(|error| {
        tracing::error!(%error, "a letter about a script can't be written");
        why.to_owned()
    });
    (subject, text)
}

#[derive(Template)]
#[template(path = "mail/script_failed.txt")]
struct ScriptFailedText<'a> {
    host: &'a str,
    name: &'a str,
    why: &'a str,
}

#[derive(Template)]
#[template(path = "mail/script_failed.fr.txt")]
struct ScriptFailedFrench<'a> {
    host: &'a str,
    name: &'a str,
    why: &'a str,
}

#[derive(Template)]
#[template(path = "mail/failed.txt")]
struct FailedText<'a> {
    host: &'a str,
    recipients: Vec<RecipientText>,
    is_whole: bool,
}

#[derive(Template)]
#[template(path = "mail/delayed.txt")]
struct DelayedText<'a> {
    host: &'a str,
    recipients: Vec<RecipientText>,
    since: String,
    until: String,
}

#[derive(Template)]
#[template(path = "mail/delivered.txt")]
struct DeliveredText<'a> {
    host: &'a str,
    recipients: Vec<RecipientText>,
    is_final: bool,
    is_expanded: bool,
}

/// What happened, and what the sender can do, from the enhanced code (RFC 3463, and the IANA registry of its codes).
fn explain(status: EnhancedCode, reply: &Reply) -> (&'static str, &'static str) {
    let guessed = match (reply.enhanced, reply.code) {
        (None, 552) => (3, 4),
        _ => (status.subject, status.detail),
    };
    match guessed {
        (1, 1 | 3 | 6) => (
            "There is no such address.",
            "Please check the address for a slip of the pen, or ask the person for the right one.",
        ),
        (1, 2) | (4, 4) => (
            "We found no server that takes mail for the part after the @.",
            "Please check that part for a slip of the pen.",
        ),
        (1, 10) => (
            "This domain says that it takes no mail at all.",
            "Please look for another address of the person or company.",
        ),
        (2, 1) => ("The mailbox is closed.", "Please reach the person in another way."),
        (2, 2) => ("The mailbox is full.", "Please try again later, or tell the person in another way."),
        (2, 3) | (3, 4) => (
            "The message is larger than the other side takes.",
            "Please send it smaller: for instance a link in place of an attached file.",
        ),
        (4, 1..=3 | 5) => (
            "The other side's server could not be reached, or broke off.",
            "There is nothing wrong with your message. If it is urgent, tell the person in another way.",
        ),
        (4, 6) => (
            "The mail would go round in a circle: the address leads back to this server.",
            "Please tell your postmaster; it is a matter of settings, not of your message.",
        ),
        (4, 7) => (
            "We tried for days, and the other side never took the message.",
            "Please tell the person in another way, and send it again later.",
        ),
        (6, 7) => (
            "The other side can't take addresses with letters beyond plain English ones.",
            "Please ask the person for an address in plain letters.",
        ),
        (7, 10 | 30) => (
            "You asked that the message travel only over protected connections, and the other side offers none.",
            "If that protection isn't needed, send the message again without asking for it.",
        ),
        (7, 5) => (
            "The protection that mail to the other side must have on its way could not be had, so the message was not sent without it.",
            "There is nothing wrong with your message. If it is urgent, tell the person in another way.",
        ),
        (7, _) => (
            "The other side refuses the message because of its own rules, often because it takes it for spam.",
            "Please read what it said below. If you can't tell why, show this message to your postmaster.",
        ),
        _ => (
            "The other side did not take the message.",
            "Please read what it said below. If you can't tell why, show this message to your postmaster.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relais_testkit::SeededRandom;

    const RAW: &[u8] = b"Subject: secret plans\r\n\r\nthe body\r\n";

    /// Of `kind`, about a message that asked for `ret`; somebody else's server gave `reply`, or we did.
    #[track_caller]
    fn check(kind: Kind, ret: Option<Ret>, is_remote: bool, expected: &[&str], unexpected: &[&str]) {
        let (ann, ben) = (Address::parse("ann@us.example").unwrap(), Address::parse("b@d.example").unwrap());
        let (us, them) = (Domain::parse("us.example").unwrap(), Domain::parse("mx.d.example").unwrap());
        let trace = TraceId::parse("x1").unwrap();
        let (status, at) = (EnhancedCode::new(5, 1, 1), Timestamp::from_seconds(1_795_428_000));
        let expires_at = at.plus(std::time::Duration::from_hours(120));
        let about =
            About { trace: &trace, envelope_id: None, ret, require_tls: false, arrived_at: at, expires_at, raw: RAW };
        let reply = Reply::new(550, status, "words");
        let told =
            vec![Told { recipient: &ben, original: None, status, reply: &reply, remote: is_remote.then_some(&them) }];
        let notice = Notice { kind, about, to: &ann, told, now: at, expires_at };
        let written = String::from_utf8(notice.write(&us, &SeededRandom::default()).unwrap()).unwrap();
        for line in expected {
            assert!(written.contains(line), "{line}\n{written}");
        }
        for line in unexpected {
            assert!(!written.contains(line), "{line}\n{written}");
        }
    }

    /// RFC 3464 §2.
    #[test]
    fn a_notice_says_who_said_what() {
        let lines = [
            "To: <ann@us.example>\r\n",
            "From: \"Mail Delivery System\" <mailer-daemon@us.example>\r\n",
            "Auto-Submitted: auto-replied\r\n",
            "Final-Recipient: rfc822; b@d.example\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.d.example\r\n",
            "  b@d.example\r\n    What happened: There is no such address.\r\n",
            "    The server mx.d.example said: 550 5.1.1 words\r\n",
        ];
        check(Kind::Failed, None, true, &lines, &[]);
        check(Kind::Failed, None, false, &["What we found: 550 5.1.1 words"], &["Remote-MTA", "Diagnostic-Code"]);
    }

    /// RFC 3461 §4.3: RET is for failures.
    #[test]
    fn a_notice_returns_what_ret_asks_for() {
        for (kind, ret, returns_body) in [
            (Kind::Failed, None, true),
            (Kind::Failed, Some(Ret::Full), true),
            (Kind::Failed, Some(Ret::Headers), false),
            (Kind::Delayed, Some(Ret::Full), false),
            (Kind::Delivered, Some(Ret::Full), false),
        ] {
            let (with, without): (&[&str], &[&str]) =
                if returns_body { (&["the body"], &[]) } else { (&["Subject: secret plans\r\n"], &["the body"]) };
            check(kind, ret, true, with, without);
        }
    }

    #[test]
    fn each_notice_reads_well() {
        for (kind, words, action) in [
            (
                Kind::Delayed,
                "You need not do anything: we go on trying until\r\nSat, 28 Nov 2026 10:00:00 +0000",
                "delayed",
            ),
            (Kind::Relayed, "The message was passed on to the next server", "relayed"),
            (Kind::Delivered, "  b@d.example\r\n    The message is in the mailbox.", "delivered"),
            (Kind::Expanded, "The address stands for several people", "expanded"),
            (
                Kind::Failed,
                "delivered to the following address, and we have stopped trying.\r\n\r\n  b@d.example\r\n",
                "failed",
            ),
        ] {
            check(kind, None, true, &[words, &format!("Action: {action}\r\n")], &[]);
        }
    }
}
