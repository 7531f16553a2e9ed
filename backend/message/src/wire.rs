//! ENVELOPE, BODYSTRUCTURE and BODY in the form that IMAP sends (RFC 9051 §7.5.2).
//!
//! Values are undecoded, as the RFC wants them. What a quoted string cannot hold (8-bit octets, line ends) becomes a
//! literal; NUL, which neither can hold, is left out.

use std::borrow::Cow;

use crate::address::{ListItem, MAX_LIST_ITEMS, read_address_list};
use crate::header::{Field, fields};
use crate::lexer::Lexer;
use crate::parameters::{Disposition, Parameter, token};
use crate::structure::{Content, Part};

/// A form that is longer already shows no more addresses: messages within messages could make of each octet a hundred.
const MAX_FORM_OCTETS: usize = 4 * 1024 * 1024;
/// So many language tags are read.
const MAX_LANGUAGES: usize = 100;

/// The fields that ENVELOPE shows, unfolded. Of a text field given twice the last counts, address fields given twice
/// are one list: as Dovecot has it, so that no second From hides behind the first.
#[derive(Debug, Default)]
pub(crate) struct EnvelopeFields<'a> {
    pub(crate) date: Option<Cow<'a, [u8]>>,
    pub(crate) subject: Option<Cow<'a, [u8]>>,
    pub(crate) from: Vec<ListItem>,
    sender: Vec<ListItem>,
    reply_to: Vec<ListItem>,
    pub(crate) to: Vec<ListItem>,
    pub(crate) cc: Vec<ListItem>,
    bcc: Vec<ListItem>,
    pub(crate) in_reply_to: Option<Cow<'a, [u8]>>,
    pub(crate) message_id: Option<Cow<'a, [u8]>>,
    pub(crate) references: Option<Cow<'a, [u8]>>,
}

impl<'a> EnvelopeFields<'a> {
    pub(crate) fn read(header: &'a [u8]) -> Self {
        let mut read = Self::default();
        for field in fields(header) {
            read.take(field);
        }
        read
    }

    fn take(&mut self, field: Field<'a>) {
        match field.name.len() {
            2 if field.is("To") => extend(&mut self.to, &field),
            2 if field.is("Cc") => extend(&mut self.cc, &field),
            3 if field.is("Bcc") => extend(&mut self.bcc, &field),
            4 if field.is("From") => extend(&mut self.from, &field),
            4 if field.is("Date") => self.date = Some(field.unfolded()),
            6 if field.is("Sender") => extend(&mut self.sender, &field),
            7 if field.is("Subject") => self.subject = Some(field.unfolded()),
            8 if field.is("Reply-To") => extend(&mut self.reply_to, &field),
            10 if field.is("Message-ID") => self.message_id = Some(field.unfolded()),
            10 if field.is("References") => self.references = Some(field.unfolded()),
            11 if field.is("In-Reply-To") => self.in_reply_to = Some(field.unfolded()),
            _ => {}
        }
    }

    /// FETCH ENVELOPE's value.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        // RFC 9051 §7.5.2: absent or empty, these two are the same as From.
        let or_from = |list: &'_ Vec<ListItem>| if list.is_empty() { self.from.clone() } else { list.clone() };
        out.push(b'(');
        put_nstring(out, self.date.as_deref());
        out.push(b' ');
        put_nstring(out, self.subject.as_deref());
        for list in [&self.from, &or_from(&self.sender), &or_from(&self.reply_to), &self.to, &self.cc, &self.bcc] {
            out.push(b' ');
            put_addresses(out, list);
        }
        out.push(b' ');
        put_nstring(out, self.in_reply_to.as_deref());
        out.push(b' ');
        put_nstring(out, self.message_id.as_deref());
        out.push(b')');
    }
}

/// Adds a field's list, while there is room.
fn extend(list: &mut Vec<ListItem>, field: &Field<'_>) {
    if list.len() < MAX_LIST_ITEMS {
        list.extend(read_address_list(&field.unfolded()));
    }
}

fn put_addresses(out: &mut Vec<u8>, list: &[ListItem]) {
    if list.is_empty() || out.len() > MAX_FORM_OCTETS {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for item in list {
        // RFC 9051 §7.5.2: a missing host marks a group, so an address without one gets a word instead.
        let [name, route, local, host]: [Option<&[u8]>; 4] = match item {
            ListItem::Mailbox(one) => [
                one.name.as_deref(),
                one.route.as_deref(),
                one.local_part.as_deref().or(Some(b"MISSING_MAILBOX")),
                one.domain.as_deref().or(Some(b"MISSING_DOMAIN")),
            ],
            ListItem::GroupStart(name) => [None, None, Some(name), None],
            ListItem::GroupEnd => [None; 4],
        };
        out.push(b'(');
        put_nstring(out, name);
        for value in [route, local, host] {
            out.push(b' ');
            put_nstring(out, value);
        }
        out.push(b')');
    }
    out.push(b')');
}

pub(crate) fn put_nstring(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => put_string(out, value),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// A quoted string or a literal.
pub(crate) fn put_string(out: &mut Vec<u8>, value: &[u8]) {
    if value.iter().all(|&octet| octet.is_ascii() && !matches!(octet, b'\r' | b'\n' | 0)) {
        out.push(b'"');
        for &octet in value {
            if matches!(octet, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(octet);
        }
        out.push(b'"');
        return;
    }
    let nuls = memchr::memchr_iter(0, value).count();
    out.extend_from_slice(format!("{{{}}}\r\n", value.len() - nuls).as_bytes());
    out.extend(value.iter().filter(|&&octet| octet != 0));
}

/// What stands for the parts of a multipart without any, which the grammar has no form for; as Dovecot writes it.
const NO_PARTS: &str = "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0";

/// The fields of a part's own header that BODYSTRUCTURE shows, unfolded. Of a field given twice the last counts, as in
/// Dovecot.
#[derive(Default)]
struct PartFields<'a> {
    id: Option<Cow<'a, [u8]>>,
    description: Option<Cow<'a, [u8]>>,
    encoding: Option<Cow<'a, [u8]>>,
    md5: Option<Cow<'a, [u8]>>,
    disposition: Option<Cow<'a, [u8]>>,
    language: Option<Cow<'a, [u8]>>,
    location: Option<Cow<'a, [u8]>>,
}

impl<'a> PartFields<'a> {
    fn read(header: &'a [u8]) -> Self {
        let mut read = Self::default();
        for field in fields(header) {
            let Some((prefix, name)) = field.name.split_at_checked(8) else { continue };
            if !prefix.eq_ignore_ascii_case(b"Content-") {
                continue;
            }
            let slot = match name.to_ascii_lowercase().as_slice() {
                b"id" => &mut read.id,
                b"description" => &mut read.description,
                b"transfer-encoding" => &mut read.encoding,
                b"md5" => &mut read.md5,
                b"disposition" => &mut read.disposition,
                b"language" => &mut read.language,
                b"location" => &mut read.location,
                _ => continue,
            };
            *slot = Some(field.unfolded());
        }
        read
    }
}

/// FETCH BODY's value; with `is_extended`, FETCH BODYSTRUCTURE's.
pub(crate) fn put_structure(out: &mut Vec<u8>, raw: &[u8], part: &Part, is_extended: bool) {
    let octets = |range: &std::ops::Range<usize>| raw.get(range.clone()).unwrap_or_default();
    let described = PartFields::read(octets(&part.header));
    out.push(b'(');
    if let Content::Multipart(parts) = &part.content {
        put_multipart(out, raw, part, parts, is_extended);
    } else {
        put_single(out, octets(&part.body), part, &described);
        match &part.content {
            Content::Message(message) => {
                out.push(b' ');
                EnvelopeFields::read(octets(&message.header)).put(out);
                out.push(b' ');
                put_structure(out, raw, message, is_extended);
                put_lines(out, octets(&part.body));
            }
            _ if part.is_text() => put_lines(out, octets(&part.body)),
            _ => {}
        }
        if is_extended {
            out.push(b' ');
            put_nstring(out, described.md5.as_deref().map(<[u8]>::trim_ascii));
        }
    }
    if is_extended {
        put_extension(out, &described);
    }
    out.push(b')');
}

fn put_multipart(out: &mut Vec<u8>, raw: &[u8], part: &Part, parts: &[Part], is_extended: bool) {
    if parts.is_empty() {
        out.extend_from_slice(NO_PARTS.as_bytes());
        out.extend_from_slice(if is_extended { b" NIL NIL NIL NIL)" } else { b")" });
    }
    for child in parts {
        put_structure(out, raw, child, is_extended);
    }
    out.push(b' ');
    let kind = part.content_type.as_ref();
    put_string(out, kind.map_or(b"mixed", |kind| kind.sub.as_slice()));
    if is_extended {
        out.push(b' ');
        put_parameters(out, kind.map_or(&[], |kind| kind.parameters.as_slice()), false);
    }
}

/// Type, parameters, id, description, encoding and size.
fn put_single(out: &mut Vec<u8>, body: &[u8], part: &Part, described: &PartFields<'_>) {
    let is_message = matches!(part.content, Content::Message(_));
    let parameters = part.content_type.as_ref().map_or(&[][..], |kind| kind.parameters.as_slice());
    let (main, sub): (&[u8], &[u8]) = match &part.content_type {
        // A message that we don't look into: the grammar has message/rfc822 only with its envelope.
        Some(kind) if !is_message && (kind.is("message", "rfc822") || kind.is("message", "global")) => {
            (b"application", b"octet-stream")
        }
        Some(kind) => (&kind.main, &kind.sub),
        // RFC 2046 §5.1.5: inside a digest.
        None if is_message => (b"message", b"rfc822"),
        None => (b"text", b"plain"),
    };
    put_string(out, main);
    out.push(b' ');
    put_string(out, sub);
    out.push(b' ');
    put_parameters(out, parameters, part.is_text());
    for value in [&described.id, &described.description] {
        out.push(b' ');
        put_nstring(out, value.as_deref());
    }
    out.push(b' ');
    let encoding = described.encoding.as_deref().map(|value| token(&mut Lexer::new(value)));
    put_string(out, encoding.as_deref().filter(|word| !word.is_empty()).unwrap_or(b"7bit"));
    out.extend_from_slice(format!(" {}", body.len()).as_bytes());
}

fn put_lines(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(format!(" {}", memchr::memchr_iter(b'\n', body).count()).as_bytes());
}

/// RFC 2045 §5.2: text without a charset is us-ascii, and BODYSTRUCTURE says so.
fn put_parameters(out: &mut Vec<u8>, parameters: &[Parameter], is_text: bool) {
    let needs_charset = is_text && !parameters.iter().any(|one| one.name.eq_ignore_ascii_case(b"charset"));
    if parameters.is_empty() && !needs_charset {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (index, parameter) in parameters.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        put_string(out, &parameter.name);
        out.push(b' ');
        put_string(out, &parameter.value);
    }
    if needs_charset {
        out.extend_from_slice(if parameters.is_empty() { b"" } else { b" " });
        out.extend_from_slice(b"\"charset\" \"us-ascii\"");
    }
    out.push(b')');
}

/// Disposition, language and location.
fn put_extension(out: &mut Vec<u8>, described: &PartFields<'_>) {
    match described.disposition.as_deref().and_then(Disposition::read) {
        Some(disposition) => {
            out.extend_from_slice(b" (");
            put_string(out, &disposition.kind);
            out.push(b' ');
            put_parameters(out, &disposition.parameters, false);
            out.push(b')');
        }
        None => out.extend_from_slice(b" NIL"),
    }
    out.push(b' ');
    put_languages(out, described.language.as_deref().unwrap_or_default());
    out.push(b' ');
    put_nstring(out, described.location.as_deref());
}

/// RFC 3282: tags parted by commas.
fn put_languages(out: &mut Vec<u8>, value: &[u8]) {
    let mut lexer = Lexer::new(value);
    let mut tags = Vec::new();
    while lexer.peek().is_some() && tags.len() < MAX_LANGUAGES {
        tags.push(token(&mut lexer));
        lexer.until(|octet| octet == b',');
        lexer.take(b',');
    }
    tags.retain(|tag| !tag.is_empty());
    if tags.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (index, tag) in tags.iter().enumerate() {
        out.push(if index == 0 { b'(' } else { b' ' });
        put_string(out, tag);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::Structure;

    #[track_caller]
    fn check_envelope(header: &str, expected: &str) {
        let mut out = Vec::new();
        EnvelopeFields::read(header.as_bytes()).put(&mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{header:?}");
    }

    /// RFC 9051 §7.5.2.
    #[test]
    fn envelopes_have_the_fields_as_they_stand() {
        check_envelope("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        check_envelope("Subject:\r\n", "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)");
        check_envelope(
            "Subject: =?utf-8?q?=C3=A9?=\r\n\t\"two\" \\\r\nDate: bad\r\n  date\r\n",
            "(\"bad date\" \"=?utf-8?q?=C3=A9?= \\\"two\\\" \\\\\" NIL NIL NIL NIL NIL NIL NIL NIL)",
        );
        check_envelope("Subject: \u{e9}\u{0}x\r\n", "(NIL {3}\r\n\u{e9}x NIL NIL NIL NIL NIL NIL NIL NIL)");
        check_envelope("Subject: a\rb\r\n", "(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)");
        check_envelope(
            "From: a@b\r\nSender:\r\nFrom: c@d\r\nReply-To: e\r\n",
            "(NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) \
             ((NIL NIL \"e\" \"MISSING_DOMAIN\")) NIL NIL NIL NIL NIL)",
        );
    }

    #[track_caller]
    fn check_structure(raw: &str, expected: &str) {
        let mut out = Vec::new();
        put_structure(&mut out, raw.as_bytes(), &Structure::read(raw.as_bytes()).root, true);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{raw:?}");
    }

    /// RFC 9051 §7.5.2.
    #[test]
    fn structures_have_their_extension_data() {
        check_structure(
            "A: b\r\n\r\nx\r\ny",
            "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 4 1 NIL NIL NIL NIL)",
        );
        check_structure(
            "Content-Type: image/PNG; name=x\r\nContent-ID: <a@b>\r\nContent-Description: a\r\n picture\r\nContent-Transfer-Encoding: BASE64 (c)\r\n\
             Content-MD5: Q2hlY2s=\r\nContent-Disposition: attachment; filename=\"x y\"\r\nContent-Language: de, en (c)\r\nContent-Location: http://x/\r\n\r\nQQ==",
            "(\"image\" \"PNG\" (\"name\" \"x\") \"<a@b>\" \"a picture\" \"BASE64\" 4 \"Q2hlY2s=\" (\"attachment\" (\"filename\" \"x y\")) (\"de\" \"en\") \"http://x/\")",
        );
        check_structure(
            "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n--a--",
            "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 15 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) \
             (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL) \
             \"mixed\" (\"boundary\" \"a\") NIL NIL NIL)",
        );
        check_structure(
            "Content-Type: multipart/mixed\r\n\r\nx",
            "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL) \"mixed\" NIL NIL NIL NIL)",
        );
        check_structure(
            "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==",
            "(\"application\" \"octet-stream\" NIL NIL NIL \"base64\" 4 NIL NIL NIL NIL)",
        );
    }

    /// A million addresses of two octets each make no form of gigabytes.
    #[test]
    fn forms_are_bounded() {
        let inner = format!("From: {}\r\n\r\n", "a,".repeat(20_000));
        let raw = format!(
            "Content-Type: multipart/digest; boundary=b\r\n{inner}{}",
            format!("--b\r\n\r\n{inner}\r\n").repeat(50)
        );
        let mut out = Vec::new();
        put_structure(&mut out, raw.as_bytes(), &Structure::read(raw.as_bytes()).root, true);
        assert!(out.len() < 2 * MAX_FORM_OCTETS);
    }
}
