//! What people read when their mail was delayed, given up or handed on.

use askama::Template;
use relais_message::dsn::{Action, Dsn, RecipientStatus, Returned};
use relais_message::{format_date, header_octets};
use relais_model::{Address, EnhancedCode, LocalPart, Random, Reply, Ret, Timestamp};
use relais_store::{QueuedMessage, QueuedRecipient};

use crate::attempt::Said;
use crate::config::DeliveryConfig;

/// Which notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Given up.
    Failed,
    /// Not yet.
    Delayed,
    /// The next hop has it, and will tell nothing more (RFC 3461 §5.2.2).
    Relayed,
    /// In a mailbox here.
    Delivered,
}

impl Kind {
    const fn action(self) -> Action {
        match self {
            Self::Failed => Action::Failed,
            Self::Delayed => Action::Delayed,
            Self::Relayed => Action::Relayed,
            Self::Delivered => Action::Delivered,
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Failed => "Your message could not be delivered",
            Self::Delayed => "Your message is delayed",
            Self::Relayed => "Your message was passed on",
            Self::Delivered => "Your message was delivered",
        }
    }
}

/// One recipient in a notice.
pub(crate) struct Told<'a> {
    pub(crate) recipient: &'a QueuedRecipient,
    pub(crate) said: &'a Said,
    /// RFC 3463; of another class than the reply where time ran out.
    pub(crate) status: EnhancedCode,
}

/// A notice to one sender about some recipients of one message.
pub(crate) struct Notice<'a> {
    pub(crate) kind: Kind,
    pub(crate) message: &'a QueuedMessage,
    pub(crate) to: &'a Address,
    pub(crate) told: Vec<Told<'a>>,
    pub(crate) now: Timestamp,
}

impl Notice<'_> {
    /// The notice as a message. `raw` is the message that it is about; empty where that can't be read.
    pub(crate) fn build(
        &self,
        config: &DeliveryConfig,
        raw: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, askama::Error> {
        let returned = self.returned(config, raw);
        let text = match self.kind {
            Kind::Failed => {
                let is_whole = matches!(returned, Returned::Message(_));
                FailedText { host: config.host_name.as_str(), recipients: self.lines(), is_whole }.render()?
            }
            Kind::Delayed => {
                let until = format_date(self.message.expires_at);
                let since = format_date(self.message.created_at);
                DelayedText { host: config.host_name.as_str(), recipients: self.lines(), since, until }.render()?
            }
            Kind::Relayed | Kind::Delivered => {
                let is_final = self.kind == Kind::Delivered;
                DeliveredText { host: config.host_name.as_str(), recipients: self.lines(), is_final }.render()?
            }
        };
        let statuses: Vec<_> = self.told.iter().map(|told| self.status(told)).collect();
        let dsn = Dsn {
            from: &mailer_daemon(config, self.to),
            from_name: "Mail Delivery System",
            to: self.to,
            subject: self.kind.subject(),
            text: &text,
            reporting_mta: config.host_name.as_str(),
            envelope_id: self.message.envelope_id.as_ref(),
            arrived_at: self.message.created_at,
            recipients: &statuses,
            returned,
            now: self.now,
        };
        Ok(dsn.build(random))
    }

    /// RFC 3461 §4.3: RET is for failures; all else returns the header. RFC 8689 §5: so does what requires TLS, for the notice
    /// may have to go without.
    fn returned<'a>(&self, config: &DeliveryConfig, raw: &'a [u8]) -> Returned<'a> {
        let is_small = raw.len() as u64 <= config.returned_octets;
        let is_wanted = self.message.ret != Some(Ret::Headers) && !self.message.require_tls;
        if self.kind == Kind::Failed && is_wanted && is_small && !raw.is_empty() {
            Returned::Message(raw)
        } else {
            Returned::Header(raw.get(..header_octets(raw)).unwrap_or(raw))
        }
    }

    fn status(&self, told: &Told<'_>) -> RecipientStatus {
        let remote = told.said.host.as_ref().filter(|_| told.said.is_remote);
        RecipientStatus {
            original: told.recipient.original.clone(),
            recipient: told.recipient.address.clone(),
            action: self.kind.action(),
            status: told.status,
            remote_mta: remote.map(ToString::to_string),
            diagnostic: told.said.is_remote.then(|| told.said.reply.clone()),
            last_attempt_at: Some(self.now),
            will_retry_until: (self.kind == Kind::Delayed).then_some(self.message.expires_at),
        }
    }

    fn lines(&self) -> Vec<RecipientText> {
        let line = |told: &Told<'_>| {
            let (what, advice) = explain(told.status, &told.said.reply);
            let spoke = match &told.said.host {
                Some(host) if told.said.is_remote => format!("The server {host} said"),
                _ => "What we found".to_owned(),
            };
            let address = &told.recipient.address;
            let address = format!("{}@{}", address.local_part, address.domain.to_unicode());
            RecipientText { address, what, advice, spoke, reply: told.said.reply.to_string() }
        };
        self.told.iter().map(line).collect()
    }
}

/// At the sender's domain where that is ours to speak for? It need not be: our host's name is always right.
fn mailer_daemon(config: &DeliveryConfig, to: &Address) -> Address {
    match LocalPart::parse("mailer-daemon") {
        Ok(local_part) => Address { local_part, domain: config.host_name.clone() },
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
