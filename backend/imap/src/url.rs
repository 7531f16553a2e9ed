//! IMAP URLs that name a message or a part of it on this server (RFC 5092), as CATENATE takes them (RFC 4469 §3).

use std::num::NonZeroU64;

use relais_message::Section;
use relais_model::{MailboxName, Uid, UidValidity};

use crate::command::Partial;
use crate::command::reader::Reader;

/// `/INBOX;UIDVALIDITY=785799047/;UID=113330/;SECTION=1.5.9/;PARTIAL=0.1024`: relative, for what stands elsewhere isn't fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageUrl {
    /// None: the mailbox that is open.
    pub mailbox: Option<MailboxName>,
    /// Must be the mailbox's.
    pub uid_validity: Option<UidValidity>,
    /// Which message.
    pub uid: Uid,
    /// The whole, where no section is named.
    pub section: Section,
    /// Only these octets (RFC 5550 §3.1, URL-PARTIAL).
    pub range: Option<UrlRange>,
}

/// `;PARTIAL=offset[.octets]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlRange {
    offset: u64,
    octets: Option<NonZeroU64>,
}

impl UrlRange {
    /// What of `octets` is meant.
    pub fn of(self, octets: &[u8]) -> &[u8] {
        Partial { offset: self.offset, octets: self.octets.unwrap_or(NonZeroU64::MAX) }.of(octets)
    }
}

impl MessageUrl {
    /// Reads a relative URL; none where it is no such URL, or names something else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut url = Self {
            mailbox: None,
            uid_validity: None,
            uid: Uid::FIRST,
            section: Section { path: Vec::new(), text: None },
            range: None,
        };
        // Without a mailbox it is about the one that is open (RFC 5092 §7.1).
        let (mailbox, rest) = match text.strip_prefix("/;").or_else(|| text.strip_prefix(';')) {
            Some(rest) => (None, rest),
            None => text.strip_prefix('/')?.split_once("/;").map(|(mailbox, rest)| (Some(mailbox), rest))?,
        };
        if let Some(mailbox) = mailbox {
            let (name, validity) = split_parameter(mailbox, "UIDVALIDITY");
            // Two slashes begin another server's name.
            if mailbox.starts_with('/') {
                return None;
            }
            url.mailbox = Some(MailboxName::parse(&decode(name)?).ok()?);
            if let Some(validity) = validity {
                url.uid_validity = Some(UidValidity::new(number(validity)?)?);
            }
        }
        let mut parts = rest.split("/;");
        url.uid = Uid::new(number(value(parts.next()?, "UID")?)?)?;
        let mut part = parts.next();
        if let Some(section) = part.and_then(|part| value(part, "SECTION")) {
            url.section = Reader::parse_section(&decode(section)?)?;
            part = parts.next();
        }
        if let Some(range) = part.and_then(|part| value(part, "PARTIAL")) {
            url.range = Some(partial(range)?);
            part = parts.next();
        }
        // Anything else (URLAUTH, EXPIRE) isn't for CATENATE.
        part.is_none().then_some(url)
    }
}

/// `name;PARAMETER=value`.
fn split_parameter<'a>(text: &'a str, parameter: &str) -> (&'a str, Option<&'a str>) {
    match text.rsplit_once(';') {
        Some((before, behind)) if value(behind, parameter).is_some() => (before, value(behind, parameter)),
        _ => (text, None),
    }
}

/// The value of `NAME=value`.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (before, behind) = text.split_once('=')?;
    before.eq_ignore_ascii_case(name).then_some(behind)
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())?
}

fn partial(text: &str) -> Option<UrlRange> {
    let digits =
        |text: &str| -> Option<u64> { text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())? };
    match text.split_once('.') {
        Some((offset, octets)) => {
            Some(UrlRange { offset: digits(offset)?, octets: Some(NonZeroU64::new(digits(octets)?)?) })
        }
        None => Some(UrlRange { offset: digits(text)?, octets: None }),
    }
}

/// Undoes percent-encoding (RFC 3986 §2.1); mailboxes' names are UTF-8 in URLs (RFC 5092 §8).
fn decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((octet, behind)) = rest.split_first() {
        rest = behind;
        if *octet != b'%' {
            octets.push(*octet);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        octets.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = behind;
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, mailbox: Option<&str>, validity: Option<u32>, uid: u32, section: &str) -> MessageUrl {
        let url = MessageUrl::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(url.mailbox.as_ref().map(MailboxName::as_str), mailbox);
        assert_eq!((url.uid_validity.map(UidValidity::value), url.uid.value()), (validity, uid));
        assert_eq!(url.section, Reader::parse_section(section).unwrap());
        url
    }

    #[test]
    fn urls_name_messages_and_parts() {
        check("/Drafts/;UID=3002", Some("Drafts"), None, 3002, "");
        check("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER", Some("Drafts"), Some(385_759_045), 20, "HEADER");
        check("/INBOX;UIDVALIDITY=1/;uid=20/;Section=1.MIME", Some("INBOX"), Some(1), 20, "1.MIME");
        check("/a%2Fb%20%C3%A9/;UID=1/;SECTION=1.5.9", Some("a/b \u{e9}"), None, 1, "1.5.9");
        check("/a/b;c/;UID=1", Some("a/b;c"), None, 1, "");
        check(";UID=20/;section=1", None, None, 20, "1");
        check("/;UID=20", None, None, 20, "");
    }

    #[test]
    fn urls_name_octets() {
        let url = check("/INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=2.3", Some("INBOX"), None, 1, "TEXT");
        assert_eq!(url.range.unwrap().of(b"0123456789"), b"234");
        let url = check("/INBOX/;UID=1/;PARTIAL=8", Some("INBOX"), None, 1, "");
        assert_eq!(url.range.unwrap().of(b"0123456789"), b"89");
        let url = check("/INBOX/;UID=1/;partial=100000.1", Some("INBOX"), None, 1, "");
        assert_eq!(url.range.unwrap().of(b"0123456789"), b"");
    }

    #[test]
    fn what_is_no_url_of_a_message_here() {
        for text in [
            "",
            "/",
            "/INBOX",
            "imap://other.example/INBOX/;UID=1",
            "//other.example/INBOX/;UID=1",
            "/INBOX/;UID=0",
            "/INBOX/;UID=x",
            "/INBOX/;UID=+1",
            "/INBOX;UIDVALIDITY=0/;UID=1",
            "/INBOX/;UID=1/;SECTION=BODY",
            "/INBOX/;UID=1/;PARTIAL=1.0",
            "/INBOX/;UID=1/;URLAUTH=anonymous",
            "/INBOX/;UID=1/;PARTIAL=1/;SECTION=1",
            "/%zz/;UID=1",
            "/INBOX/;SECTION=1",
        ] {
            assert_eq!(MessageUrl::parse(text), None, "{text}");
        }
    }
}
