//! What clients ask for again and again, read once when a message is stored.

use relais_model::Timestamp;

use crate::address::{ListItem, Mailbox};
use crate::date::parse_date;
use crate::preview::{disposition, is_attachment, preview};
use crate::structure::{Content, Part, Structure};
use crate::subject::base_subject;
use crate::wire::{EnvelopeFields, put_structure};
use crate::words::{decode_words, fold};

/// So many message ids of References and In-Reply-To are kept: the last ones.
pub const MAX_REFERENCES: usize = 256;
/// Longer ones are none (RFC 5322 §2.1.1: no line is longer).
const MAX_MESSAGE_ID_OCTETS: usize = 998;
/// So much of the decoded subject is kept.
const MAX_SUBJECT_OCTETS: usize = 8 * 1024;
/// So much of a key by which messages are sorted.
const MAX_KEY_OCTETS: usize = 1024;

/// See each field. `envelope`, `body_structure` and `body` go to a client as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Length of the header with its empty line.
    pub header_octets: u64,
    /// FETCH ENVELOPE's value in wire form: quoted strings or literals, undecoded (RFC 9051 §7.5.2).
    pub envelope: Vec<u8>,
    /// FETCH BODYSTRUCTURE's value in wire form.
    pub body_structure: Vec<u8>,
    /// FETCH BODY's value in wire form: without extension data.
    pub body: Vec<u8>,
    /// At most 200 characters of decoded text on one line (RFC 8970).
    pub preview: String,
    /// Decoded, on one line; at most 8 KiB.
    pub subject: String,
    /// RFC 5256 §2.1, folded (see [`fold`]): octet order is the order of SORT.
    pub base_subject: String,
    /// Finding the base subject removed a mark of reply or forwarding.
    pub is_reply: bool,
    /// Without angle brackets, normalised (RFC 5256 §3).
    pub message_id: Option<String>,
    /// Likewise; at most [`MAX_REFERENCES`].
    pub in_reply_to: Vec<String>,
    /// Likewise, oldest first.
    pub references: Vec<String>,
    /// The moment that Date names.
    pub header_date: Option<Timestamp>,
    /// The day that Date writes, in days since 1970-01-01 whatever the zone: for SENTON and its kin.
    pub header_day: Option<i64>,
    /// SORT's key: the first From address's local part or group name, folded (RFC 5256 §3).
    pub sort_from: String,
    /// Likewise for To.
    pub sort_to: String,
    /// Likewise for Cc.
    pub sort_cc: String,
    /// SORT=DISPLAY's key, decoded, not folded: the first From address's name, else the address (RFC 5957 §3).
    pub display_from: String,
    /// Likewise for To.
    pub display_to: String,
    /// A part is an attachment, or a named file, or a message.
    pub has_attachment: bool,
}

impl Facts {
    /// Reads any octets.
    pub fn read(raw: &[u8]) -> Self {
        Self::of(raw, &Structure::read(raw))
    }

    /// The same where the structure is known already.
    pub fn of(raw: &[u8], structure: &Structure) -> Self {
        let root = &structure.root;
        let header = EnvelopeFields::read(raw.get(root.header.clone()).unwrap_or_default());
        let (mut envelope, mut body_structure, mut body) =
            (Vec::with_capacity(512), Vec::with_capacity(256), Vec::with_capacity(128));
        header.put(&mut envelope);
        put_structure(&mut body_structure, raw, root, true);
        put_structure(&mut body, raw, root, false);
        let subject = header.subject.as_deref().map(decode_words).unwrap_or_default();
        let subject = start(&subject, MAX_SUBJECT_OCTETS);
        let base = base_subject(&start(&subject, MAX_KEY_OCTETS));
        let date = header.date.as_deref().and_then(parse_date);
        Self {
            header_octets: u64::try_from(root.header.len()).unwrap_or(u64::MAX),
            envelope,
            body_structure,
            body,
            preview: preview(raw, root),
            subject,
            base_subject: fold(&base.text),
            is_reply: base.is_reply,
            message_id: header.message_id.as_deref().and_then(|value| message_ids(value).pop()),
            in_reply_to: header.in_reply_to.as_deref().map(message_ids).unwrap_or_default(),
            references: header.references.as_deref().map(message_ids).unwrap_or_default(),
            header_date: date.map(|date| date.at),
            header_day: date.map(|date| date.day),
            sort_from: sort_key(&header.from),
            sort_to: sort_key(&header.to),
            sort_cc: sort_key(&header.cc),
            display_from: display_name(&header.from),
            display_to: display_name(&header.to),
            has_attachment: has_attachment(raw, root),
        }
    }
}

/// At most `octets` of a text, in whole characters.
fn start(text: &str, octets: usize) -> String {
    text.get(..text.floor_char_boundary(octets)).unwrap_or(text).to_owned()
}

/// RFC 5256 §3: addr-mailbox of the first address; for a group ENVELOPE's first element, its name.
fn sort_key(list: &[ListItem]) -> String {
    let octets = match list.first() {
        Some(ListItem::Mailbox(Mailbox { local_part, .. })) => local_part.as_deref().unwrap_or_default(),
        Some(ListItem::GroupStart(name)) => name,
        Some(ListItem::GroupEnd) | None => return String::new(),
    };
    fold(&start(&decode_words(octets), MAX_KEY_OCTETS))
}

/// RFC 5957 §3.
fn display_name(list: &[ListItem]) -> String {
    match list.first() {
        Some(ListItem::Mailbox(Mailbox { name: Some(name), .. }) | ListItem::GroupStart(name)) => {
            start(&decode_words(name), MAX_KEY_OCTETS)
        }
        Some(ListItem::Mailbox(mailbox)) => start(&mailbox.to_text(), MAX_KEY_OCTETS),
        Some(ListItem::GroupEnd) | None => String::new(),
    }
}

/// The msg-ids of an unfolded value: without angle brackets, blanks and quotes (RFC 5256 §3: `<"01KF"@x>` is
/// `<01KF@x>`); text around them is passed over.
fn message_ids(value: &[u8]) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = value;
    while let Some(start) = memchr::memchr(b'<', rest) {
        let behind = rest.get(start + 1..).unwrap_or_default();
        let Some(end) = memchr::memchr2(b'>', b'<', behind) else { break };
        let (inside, after) = behind.split_at_checked(end).unwrap_or((behind, &[]));
        rest = after;
        let id: Vec<u8> = inside
            .iter()
            .copied()
            .filter(|octet| !octet.is_ascii_whitespace() && !matches!(octet, b'"' | b'\\'))
            .collect();
        if after.starts_with(b">") && memchr::memchr(b'@', &id).is_some() && id.len() <= MAX_MESSAGE_ID_OCTETS {
            ids.push(String::from_utf8_lossy(&id).into_owned());
        }
    }
    let surplus = ids.len().saturating_sub(MAX_REFERENCES);
    ids.drain(..surplus);
    ids
}

fn has_attachment(raw: &[u8], root: &Part) -> bool {
    let mut found = false;
    root.walk(&mut |part| found = found || is_file(raw, part));
    found
}

fn is_file(raw: &[u8], part: &Part) -> bool {
    match &part.content {
        Content::Multipart(_) => false,
        Content::Message(_) => true,
        Content::Leaf if is_attachment(raw, part) => true,
        Content::Leaf => {
            let kind = part.content_type.as_ref().filter(|kind| !kind.is_main("text"));
            let is_named = |names: &[&str], value: &dyn Fn(&str) -> bool| names.iter().any(|name| value(name));
            kind.is_some_and(|kind| is_named(&["name", "name*"], &|name| kind.parameter(name).is_some()))
                || kind.is_some()
                    && disposition(raw, part).is_some_and(|disposition| {
                        !disposition.is("inline")
                            && is_named(&["filename", "filename*"], &|name| disposition.parameter(name).is_some())
                    })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5256 §3, RFC 5322 §3.6.4.
    #[test]
    fn message_ids_are_normalised() {
        let check = |value: &str, expected: &[&str]| assert_eq!(message_ids(value.as_bytes()), expected, "{value}");
        check("<a@b>", &["a@b"]);
        check("<01KF8JCEOCBS0045PS@x> <\"01KF8JCEOCBS0045PS\"@x>", &["01KF8JCEOCBS0045PS@x", "01KF8JCEOCBS0045PS@x"]);
        check("Your message of <a@b> and <c @d>, <broken <e@f> <nothing> g@h <", &["a@b", "c@d", "e@f"]);
        check("", &[]);
        let many = (0..300).map(|number| format!("<{number}@x>")).collect::<Vec<_>>().concat();
        let kept = message_ids(many.as_bytes());
        assert_eq!((kept.len(), kept.last().map(String::as_str)), (MAX_REFERENCES, Some("299@x")));
    }

    #[test]
    fn attachments_are_files_and_messages() {
        let check = |header: &str, expected: bool| {
            assert_eq!(Facts::read(format!("{header}\r\n\r\nx").as_bytes()).has_attachment, expected, "{header}");
        };
        check("Subject: x", false);
        check("Content-Disposition: ATTACHMENT", true);
        check("Content-Type: application/pdf; name=x.pdf", true);
        check("Content-Type: image/png\r\nContent-Disposition: inline; filename=x.png", false);
        check("Content-Type: application/x\r\nContent-Disposition: other; filename*=utf-8''x", true);
        check("Content-Type: text/plain; name=x.txt", false);
        check("Content-Type: message/rfc822", true);
    }

    #[test]
    fn facts_of_a_reply() {
        let raw = b"From: =?utf-8?q?J=C3=B6rg?= <joerg@x.example>\r\nTo: team: a@b;\r\nSubject: Re: [list] =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
            Date: Sat, 24 Mar 2007 23:00:00 +0200\r\nMessage-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\nReferences: <0@x>\r\n <1@x>\r\n\r\nHello\r\n";
        let facts = Facts::read(raw);
        assert_eq!(facts.subject, "Re: [list] Gr\u{fc}\u{df}e");
        assert_eq!((facts.base_subject.as_str(), facts.is_reply), ("GRU\u{308}\u{df}E", true));
        assert_eq!((facts.sort_from.as_str(), facts.display_from.as_str()), ("JOERG", "J\u{f6}rg"));
        assert_eq!((facts.sort_to.as_str(), facts.display_to.as_str(), facts.sort_cc.as_str()), ("TEAM", "team", ""));
        assert_eq!((facts.message_id.as_deref(), facts.references.len(), facts.in_reply_to.len()), (Some("2@x"), 2, 1));
        assert_eq!((facts.header_date, facts.header_day), (Some(Timestamp::from_seconds(1_174_770_000)), Some(13_596)));
        assert_eq!((facts.preview.as_str(), facts.header_octets), ("Hello", u64::try_from(raw.len()).unwrap() - 7));
    }
}
