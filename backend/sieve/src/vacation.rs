//! Whether a message is answered in somebody's absence, and with what (RFC 5230, RFC 3834).

use relais_message::dsn::unstructured;
use relais_message::{Mailbox, decode_header_value, fields, format_date, header_octets, mailboxes, read_address_list};
use relais_model::Address;

use crate::facts::Facts;
use crate::letter::{entity, write_field};
use crate::outcome::Filing;

/// Characters of a subject that a reply carries on.
const SUBJECT_CHARACTERS: usize = 256;
/// Message identifiers that References carries on.
const REFERENCES_OCTETS: usize = 8 * 1024;

/// What `vacation` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vacation {
    /// How long a sender who was answered isn't answered again; none: as the owner likes (RFC 5230 §4.1: seven days).
    pub seconds: Option<u64>,
    /// `:subject`.
    pub subject: Option<String>,
    /// `:from`: to be believed only where it is an address of the account.
    pub from: Option<String>,
    /// `:addresses`: other addresses of the account's.
    pub addresses: Vec<String>,
    /// The reason is a MIME entity with fields of its own.
    pub mime: bool,
    /// What tells this reply from others (RFC 5230 §4.2).
    pub handle: String,
    /// The text.
    pub reason: String,
    /// RFC 8580: keep a copy of the reply.
    pub fcc: Option<Filing>,
}

/// The house's part of a reply.
#[derive(Debug, Clone)]
pub struct House<'a> {
    /// All addresses of the account, its main one first.
    pub addresses: &'a [Address],
    /// Before the subject that is answered: `Auto: `.
    pub prefix: &'a str,
    /// The subject where there is none: `Automated reply`.
    pub subject: &'a str,
    /// With angle brackets.
    pub message_id: &'a str,
    /// Answer what was addressed to nobody that the account knows, too (RFC 5230 §4.5 says not to).
    pub answers_all: bool,
    /// The recipient is also named in a header where the address before aliases is.
    pub knows_original: bool,
    /// Where the header says another sender than the envelope (rewritten by SRS, or so), the header's stands in To.
    pub trusts_header: bool,
}

/// A reply, ready to be sent with the null reverse path (RFC 5230 §5.1) to [`Reply::to`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The recipient.
    pub to: String,
    /// RFC 5322, lines end with CRLF.
    pub message: Vec<u8>,
    /// Answer only where this was not seen for [`Vacation::seconds`].
    pub key: String,
}

/// Why a message isn't answered (RFC 5230 §4.5, §4.6, RFC 3834 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// It came from the null path.
    #[error("the sender is the null path")]
    NullSender,
    /// It came from one's own address.
    #[error("the sender is the account itself")]
    Own,
    /// It came from a program that answers mail, or a list's.
    #[error("the sender is a program")]
    System,
    /// It came through a list.
    #[error("the message came through a list")]
    List,
    /// It says that it was sent by a program, or wants no answer from one.
    #[error("the message was sent automatically")]
    Automatic,
    /// No address of one's own stands in To, Cc or the like.
    #[error("the message is not addressed to the account")]
    NotAddressed,
}

impl Vacation {
    /// The reply; or why there is none.
    ///
    /// # Errors
    /// It isn't to be answered: that is no fault, and nobody is told.
    pub fn reply(&self, facts: &Facts, house: &House<'_>) -> Result<Reply, Silence> {
        let header = facts.message.get(..header_octets(&facts.message)).unwrap_or_default();
        let sender = bare(&facts.envelope.from);
        if sender.is_empty() {
            return Err(Silence::NullSender);
        }
        let own = self.own_addresses(facts, house);
        if own.iter().any(|own| own.eq_ignore_ascii_case(&sender)) {
            return Err(Silence::Own);
        }
        if is_system(&sender) {
            return Err(Silence::System);
        }
        check_header(header)?;
        let addressed = addressed(header, &own);
        if addressed.is_none() && !house.answers_all {
            return Err(Silence::NotAddressed);
        }
        let from = self.from.clone().or(addressed).unwrap_or_else(|| bare(&facts.envelope.to));
        let message = self.compose(header, facts, house, &sender, &from);
        Ok(Reply { key: format!("vacation\n{}\n{}", sender.to_lowercase(), self.handle), to: sender, message })
    }

    fn own_addresses(&self, facts: &Facts, house: &House<'_>) -> Vec<String> {
        let mut own: Vec<String> = vec![bare(&facts.envelope.to)];
        own.extend(facts.envelope.original_to.as_deref().filter(|_| house.knows_original).map(bare));
        own.extend(house.addresses.iter().map(Address::to_string));
        for text in &self.addresses {
            own.extend(mailboxes(&read_address_list(text.as_bytes())).map(Mailbox::to_text));
        }
        own.retain(|address| !address.is_empty());
        own
    }

    fn compose(&self, header: &[u8], facts: &Facts, house: &House<'_>, sender: &str, from: &str) -> Vec<u8> {
        let mut text = String::with_capacity(1024 + self.reason.len());
        let mut put = |line: &str| {
            text.push_str(line);
            text.push_str("\r\n");
        };
        put(&format!("From: {}", written_mailbox(from)));
        put(&format!("To: {}", addressee(header, sender, house.trusts_header)));
        put(write_field("Subject", &self.subject_of(header, house)).trim_end());
        put(&format!("Date: {}", format_date(facts.now)));
        put(&format!("Message-ID: {}", house.message_id));
        if let Some(answered) = identifiers(header, "Message-ID").into_iter().next() {
            put(&format!("In-Reply-To: {answered}"));
            put(&format!("References: {}", references(header, &answered).join("\r\n ")));
        }
        // RFC 3834 §5.2, and what Exchange heeds.
        put("Auto-Submitted: auto-replied");
        put("X-Auto-Response-Suppress: All");
        put("Precedence: bulk");
        put("MIME-Version: 1.0");
        // Variables may bring a bare CR along.
        let reason = self.reason.replace('\r', "").replace('\n', "\r\n");
        let (content, body) = entity(&reason, self.mime);
        text.push_str(&content);
        text.push_str("\r\n");
        text.push_str(&body);
        if !text.ends_with("\r\n") {
            text.push_str("\r\n");
        }
        text.into_bytes()
    }

    fn subject_of(&self, header: &[u8], house: &House<'_>) -> String {
        if let Some(subject) = &self.subject {
            return subject.clone();
        }
        let asked = fields(header).find(|field| field.is("Subject")).map(|field| decode_header_value(field.value));
        match asked.as_deref().map(str::trim).filter(|subject| !subject.is_empty()) {
            None => house.subject.to_owned(),
            Some(subject) => {
                let whole = format!("{}{subject}", house.prefix);
                match whole.char_indices().nth(SUBJECT_CHARACTERS) {
                    Some((end, _)) => format!("{}…", whole.get(..end).unwrap_or_default()),
                    None => whole,
                }
            }
        }
    }
}

/// Without angle brackets and source route.
pub(crate) fn bare(path: &str) -> String {
    let path = path.trim();
    let inner = path.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(path);
    inner.rsplit_once(':').filter(|_| inner.starts_with('@')).map_or(inner, |(_, address)| address).to_owned()
}

/// RFC 5230 §4.6: senders that are programs.
fn is_system(sender: &str) -> bool {
    let local = sender.rsplit_once('@').map_or(sender, |(local, _)| local).to_ascii_lowercase();
    let bounce = ["-request", "-owner", "-bounces", "-bounce"];
    matches!(local.as_str(), "mailer-daemon" | "listserv" | "majordomo" | "postmaster" | "noreply" | "no-reply")
        || local.starts_with("owner-")
        || local.contains("-bounces+")
        || bounce.iter().any(|end| local.ends_with(end))
}

/// Who sent it so that it isn't to be answered.
fn check_header(header: &[u8]) -> Result<(), Silence> {
    for field in fields(header) {
        let value = decode_header_value(field.value).to_ascii_lowercase();
        let first = value.split([';', ' ', '\t']).next().unwrap_or_default();
        if field.name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"list-")) {
            return Err(Silence::List);
        }
        let is_automatic = match () {
            // RFC 3834 §2.
            () if field.is("Auto-Submitted") => first != "no",
            () if field.is("Precedence") => matches!(first, "bulk" | "junk" | "list"),
            () if field.is("X-Auto-Response-Suppress") => {
                value.split(',').any(|word| matches!(word.trim(), "all" | "oof"))
            }
            () => false,
        };
        if is_automatic {
            return Err(Silence::Automatic);
        }
    }
    Ok(())
}

/// The first of one's own addresses that the header names (RFC 5230 §4.5).
fn addressed(header: &[u8], own: &[String]) -> Option<String> {
    const NAMED: [&str; 6] = ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"];
    for field in fields(header).filter(|field| NAMED.iter().any(|name| field.is(name))) {
        let items = read_address_list(&field.unfolded());
        for mailbox in mailboxes(&items) {
            let address = mailbox.to_address().map_or_else(|| mailbox.to_text(), |address| address.to_string());
            if own.iter().any(|own| own.eq_ignore_ascii_case(&address)) {
                return Some(address);
            }
        }
    }
    None
}

/// The sender as the header names them; else the address alone.
fn addressee(header: &[u8], sender: &str, trusts_header: bool) -> String {
    for name in ["Sender", "Resent-From", "From", "Reply-To"] {
        for field in fields(header).filter(|field| field.is(name)) {
            let items = read_address_list(&field.unfolded());
            let mut named = mailboxes(&items);
            if let Some(mailbox) = named.find(|mailbox| trusts_header || mailbox.to_text().eq_ignore_ascii_case(sender))
            {
                return written(mailbox);
            }
        }
    }
    format!("<{sender}>")
}

/// A mailbox that a person typed: encoded words where they must be.
fn written_mailbox(text: &str) -> String {
    let items = read_address_list(text.as_bytes());
    let first = mailboxes(&items).next();
    first.map_or_else(
        || unstructured(text),
        |mailbox| if text.is_ascii() { unstructured(text) } else { written(mailbox) },
    )
}

fn written(mailbox: &Mailbox) -> String {
    let address = mailbox.to_address().map_or_else(|| mailbox.to_text(), |address| address.to_string());
    let Some(name) = &mailbox.name else { return format!("<{address}>") };
    let name = String::from_utf8_lossy(name);
    match () {
        () if !name.is_ascii() => format!("{} <{address}>", unstructured(&name)),
        () if name.contains("=?") => format!("{} <{address}>", unstructured(&name)),
        () => {
            let quoted = unstructured(&name).replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{quoted}\" <{address}>")
        }
    }
}

fn identifiers(header: &[u8], name: &str) -> Vec<String> {
    let Some(field) = fields(header).find(|field| field.is(name)) else { return Vec::new() };
    let text = String::from_utf8_lossy(&field.unfolded()).into_owned();
    let words = text.split([' ', '\t']).filter(|word| word.starts_with('<') && word.ends_with('>'));
    let is_whole = |word: &&str| word.len() <= 900 && word.bytes().all(|octet| octet.is_ascii_graphic());
    words.filter(is_whole).map(str::to_owned).collect()
}

/// RFC 5322 §3.6.4; the last of them where they are too many.
fn references(header: &[u8], answered: &str) -> Vec<String> {
    let mut all = identifiers(header, "References");
    if all.is_empty() {
        all = identifiers(header, "In-Reply-To");
        all.truncate(1);
    }
    all.push(answered.to_owned());
    let mut octets = 0;
    let kept = all.iter().rev().take_while(|one| {
        octets += one.len();
        octets <= REFERENCES_OCTETS
    });
    let count = kept.count();
    all.split_off(all.len() - count)
}
