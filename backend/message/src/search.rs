//! SEARCH's substrings in decoded headers and text (RFC 9051 §6.4.4), as i;unicode-casemap compares them (RFC 5051): whatever their case,
//! and a letter is found where it stands with an accent, for that follows it.
//!
//! Most mail is text whose ASCII characters stand for themselves; there an ASCII needle is sought in the octets as they
//! are, and nothing is decoded or allocated. Other characters can be ASCII only once they are folded: a text that has some is folded where
//! its octets don't hold the needle.

use std::borrow::Cow;

use memchr::memmem;

use crate::address::{mailboxes, read_address_list};
use crate::header::{Field, fields};
use crate::section::decode_part;
use crate::structure::{Content, Part, Structure};
use crate::words::{decode_header_value, decode_text, decode_words, fold, is_ascii_transparent};

/// Letters, digits and marks from the frequent to the rare in mail; what is not listed is rarer still.
const FREQUENT: &[u8] = b" ETAONISRHLDCUMPFGYWBV.K-/=:0123456789XJQZ<>\"'_@,";

/// Types of applications that are text.
const WRITTEN: [&str; 10] = ["json", "xml", "yaml", "x-yaml", "javascript", "sql", "toml", "x-sh", "csv", "x-ndjson"];

/// What is sought, prepared once for many messages.
#[derive(Debug, Clone)]
pub struct Needle {
    folded: String,
    /// Its rarest octet's place, and that octet in both cases.
    anchor: usize,
    cases: (u8, u8),
}

impl Needle {
    /// Takes the text as decoded from the client's charset.
    pub fn new(text: &str) -> Self {
        let folded = fold(text);
        let rarity = |octet: u8| FREQUENT.iter().position(|&frequent| frequent == octet).unwrap_or(FREQUENT.len());
        let (anchor, octet) = folded.bytes().enumerate().max_by_key(|&(_, octet)| rarity(octet)).unwrap_or_default();
        Self { anchor, cases: (octet, octet.to_ascii_lowercase()), folded }
    }

    /// Whether it is in this text; the empty needle is in every text.
    pub fn is_in(&self, text: &str) -> bool {
        if self.folded.is_ascii() && self.is_in_octets(text.as_bytes()) {
            return true;
        }
        !text.is_ascii() && self.is_in_folded(&fold(text))
    }

    fn is_in_folded(&self, folded: &str) -> bool {
        memmem::find(folded.as_bytes(), self.folded.as_bytes()).is_some()
    }

    /// Whether this ASCII needle is in octets whose ASCII stands for itself: goes from one of its rarest octets to the
    /// next. Where that meets too many false ones, the two-way search over folded octets keeps the time linear.
    fn is_in_octets(&self, octets: &[u8]) -> bool {
        let needle = self.folded.as_bytes();
        let Some(last) = octets.len().checked_sub(needle.len()) else { return false };
        if needle.is_empty() {
            return true;
        }
        let window = octets.get(self.anchor..=last + self.anchor).unwrap_or_default();
        let mut budget = octets.len() / 4 + 64;
        for start in memchr::memchr2_iter(self.cases.0, self.cases.1, window) {
            let candidate = octets.get(start..start + needle.len()).unwrap_or_default();
            let same =
                candidate.iter().zip(needle).take_while(|(one, other)| one.to_ascii_uppercase() == **other).count();
            if same == needle.len() {
                return true;
            }
            let Some(left) = budget.checked_sub(same) else {
                return memmem::find(&octets.to_ascii_uppercase(), needle).is_some();
            };
            budget = left;
        }
        false
    }

    /// Whether it is in text of this charset.
    fn is_in_charset(&self, octets: &[u8], charset: Option<&[u8]>) -> bool {
        if is_ascii_transparent(octets, charset) {
            if self.folded.is_ascii() && self.is_in_octets(octets) {
                return true;
            }
            if octets.is_ascii() {
                return false;
            }
        }
        self.is_in(&decode_text(octets, charset))
    }

    /// Whether it is in a field's value.
    fn is_in_field(&self, field: &Field<'_>) -> bool {
        match plain_line(field) {
            Some(line) => self.is_in(line.get(field.raw.len() - field.value.len()..).unwrap_or_default()),
            None => self.is_in(&searchable(field)),
        }
    }

    /// Whether it is in a field, name and colon and all: `Subject: x` is found.
    fn is_in_whole_field(&self, field: &Field<'_>) -> bool {
        match plain_line(field) {
            Some(line) => self.is_in(line),
            None => self.is_in(&format!("{}: {}", String::from_utf8_lossy(field.name), searchable(field))),
        }
    }
}

/// The field's line without its end, where its octets are its text: one line of UTF-8, no encoded words, no odd addresses.
fn plain_line<'a>(field: &Field<'a>) -> Option<&'a str> {
    let line = field.raw.strip_suffix(b"\n").unwrap_or(field.raw);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_plain =
        memchr::memchr(b'\n', line).is_none() && memmem::find(line, b"=?").is_none() && !is_oddly_spelt(field);
    std::str::from_utf8(line).ok().filter(|_| is_plain)
}

/// Whether this is a list of addresses with quotes or comments, which are not what an address is sought by.
fn is_oddly_spelt(field: &Field<'_>) -> bool {
    ["From", "To", "Cc", "Bcc", "Sender", "Reply-To"].iter().any(|name| field.is(name))
        && memchr::memchr3(b'(', b'"', b'\\', field.value).is_some()
}

/// A field's value as searches see it: decoded, and where addresses have quotes or comments, spelt a second time without
/// them, one a line.
pub fn searchable(field: &Field<'_>) -> String {
    let mut text = decode_header_value(field.value);
    if is_oddly_spelt(field) {
        for mailbox in mailboxes(&read_address_list(&field.unfolded())) {
            text.push('\n');
            text.push_str(&decode_words(mailbox.name.as_deref().unwrap_or_default()));
            text.push_str(" <");
            text.push_str(&mailbox.to_text());
            text.push('>');
        }
    }
    text
}

/// HEADER, SUBJECT, FROM and the like: whether a field called `name` holds the needle. The empty needle asks whether
/// there is such a field.
pub fn matches_header(header: &[u8], name: &str, needle: &Needle) -> bool {
    fields(header).any(|field| field.is(name) && needle.is_in_field(&field))
}

/// BODY: whether the text of a part holds the needle, messages inside this one too, and files that are text by another name (JSON, XML). No
/// header is looked at.
pub fn matches_body(raw: &[u8], structure: &Structure, needle: &Needle) -> bool {
    needle.folded.is_empty() || part_matches(raw, &structure.root, needle, false)
}

/// TEXT: BODY, and every header: the message's own, those of its parts and of messages inside.
pub fn matches_text(raw: &[u8], structure: &Structure, needle: &Needle) -> bool {
    needle.folded.is_empty() || part_matches(raw, &structure.root, needle, true)
}

fn part_matches(raw: &[u8], part: &Part, needle: &Needle, with_headers: bool) -> bool {
    let header = raw.get(part.header.clone()).unwrap_or_default();
    if with_headers && fields(header).any(|field| needle.is_in_whole_field(&field)) {
        return true;
    }
    if is_searched(part) {
        let charset = part.content_type.as_ref().and_then(|kind| kind.parameter("charset"));
        // An encoding we don't know is looked at as it stands.
        let body =
            decode_part(raw, part).unwrap_or_else(|_| Cow::Borrowed(raw.get(part.body.clone()).unwrap_or_default()));
        return needle.is_in_charset(&body, charset);
    }
    part.children().iter().any(|child| part_matches(raw, child, needle, with_headers))
}

/// One thing that a search looks at.
#[derive(Debug)]
pub enum Searched<'a> {
    /// A field: of the message's own header, or of a part's or an inner message's.
    Field {
        /// It.
        field: Field<'a>,
        /// Of the message's own header.
        is_own: bool,
    },
    /// What a part says, decoded.
    Text {
        /// It, not folded.
        text: Cow<'a, str>,
        /// It is HTML's source.
        is_html: bool,
    },
    /// A part that IMAP's searches don't look into.
    File(&'a Part),
}

/// Shows `visit` all that is searched in a message, in its order: where [`matches_body`] and [`matches_text`] look, they look at these
/// fields and texts and at nothing else, so an index of them knows what a search would find.
pub fn each_searched<'a>(raw: &'a [u8], structure: &'a Structure, visit: &mut dyn FnMut(Searched<'a>)) {
    show_part(raw, &structure.root, true, visit);
}

fn show_part<'a>(raw: &'a [u8], part: &'a Part, is_own: bool, visit: &mut dyn FnMut(Searched<'a>)) {
    for field in fields(raw.get(part.header.clone()).unwrap_or_default()) {
        visit(Searched::Field { field, is_own });
    }
    if is_searched(part) {
        let is_html = part
            .content_type
            .as_ref()
            .is_some_and(|kind| kind.is("text", "html") || kind.is("application", "xhtml+xml"));
        visit(Searched::Text { text: text_of(raw, part), is_html });
        return;
    }
    if part.content == Content::Leaf {
        visit(Searched::File(part));
    }
    for child in part.children() {
        show_part(raw, child, false, visit);
    }
}

/// A part's octets as text, in the charset that it names. An encoding we don't know is looked at as it stands.
pub fn text_of<'a>(raw: &'a [u8], part: &Part) -> Cow<'a, str> {
    let charset = part.content_type.as_ref().and_then(|kind| kind.parameter("charset"));
    match decode_part(raw, part) {
        Ok(Cow::Owned(octets)) => Cow::Owned(decode_text(&octets, charset).into_owned()),
        Ok(Cow::Borrowed(octets)) => decode_text(octets, charset),
        Err(_) => decode_text(raw.get(part.body.clone()).unwrap_or_default(), charset),
    }
}

/// Whether searches look into this part: RFC 9051 §6.4.4 asks for text and messages, and leaves it to us what else.
fn is_searched(part: &Part) -> bool {
    part.is_text() || is_report(part) || is_written(part)
}

/// Whether this leaf is text by another type's name, as JSON and XML are.
fn is_written(part: &Part) -> bool {
    let kind = part.content_type.as_ref().filter(|kind| part.content == Content::Leaf && kind.is_main("application"));
    kind.is_some_and(|kind| {
        let sub = kind.sub.to_ascii_lowercase();
        WRITTEN.iter().any(|name| sub == name.as_bytes()) || sub.ends_with(b"+json") || sub.ends_with(b"+xml")
    })
}

/// Whether this leaf is `message/delivery-status` or the like: fields that people look for, as in text.
fn is_report(part: &Part) -> bool {
    part.content == Content::Leaf && part.content_type.as_ref().is_some_and(|kind| kind.is_main("message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "From: =?utf-8?q?J=C3=B6rg?= <joerg@x.example>\r\nSubject: hello\r\n beautiful World\r\nX-Empty:\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe aus K=\r\n=F6ln\r\n--b\r\n\
        Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$BF|K\\\x1b(B ok\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: inner\r\n\r\ndeep text\r\n--b\r\nContent-Type: application/x-y; name=file.bin\r\n\r\noctets\r\n--b--\r\nepilogue";

    #[test]
    fn headers_are_searched_decoded() {
        let check = |name: &str, needle: &str, expected: bool| {
            assert_eq!(matches_header(MESSAGE.as_bytes(), name, &Needle::new(needle)), expected, "{name} {needle}");
        };
        check("from", "jÖRG", true);
        check("FROM", "JOERG@X", true);
        check("from", "utf-8", false);
        check("subject", "hello beautiful world", true);
        check("subject", "hello  beautiful", false);
        check("x-empty", "", true);
        check("x-absent", "", false);
        check("subject", "inner", false);
    }

    /// RFC 9051 §6.4.4: BODY looks at no header, TEXT at all of them.
    #[test]
    fn bodies_are_searched_decoded() {
        let structure = Structure::read(MESSAGE.as_bytes());
        let check = |needle: &str, body: bool, text: bool| {
            let needle = Needle::new(needle);
            assert_eq!(matches_body(MESSAGE.as_bytes(), &structure, &needle), body, "{needle:?}");
            assert_eq!(matches_text(MESSAGE.as_bytes(), &structure, &needle), text, "{needle:?}");
        };
        check("GRÜßE aus köln", true, true);
        check("=FC", false, false);
        check("日本 OK", true, true);
        check("F|K", false, false);
        check("Deep", true, true);
        check("inner", false, true);
        check("file.bin", false, true);
        check("subject: hello", false, true);
        check("octets", false, false);
        check("epilogue", false, false);
        check("", true, true);
    }

    /// RFC 3464 §2.1: a report's fields are what its reader looks for.
    #[test]
    fn reports_are_searched() {
        let raw =
            b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
            Reporting-MTA: dns; mx.example\r\n\r\nAction: failed\r\n--b--\r\n";
        assert!(matches_body(raw, &Structure::read(raw), &Needle::new("action: failed")));
    }

    /// What is shown to an index is what the searches look at.
    #[test]
    fn all_that_is_searched_is_shown() {
        let structure = Structure::read(MESSAGE.as_bytes());
        let mut shown = Vec::new();
        each_searched(MESSAGE.as_bytes(), &structure, &mut |searched| {
            shown.push(match searched {
                Searched::Field { field, is_own } => {
                    format!("{}{}", if is_own { "" } else { "+" }, String::from_utf8_lossy(field.name))
                }
                Searched::Text { text, .. } => text.trim().to_owned(),
                Searched::File(part) => format!("file of {}", part.body.len()),
            });
        });
        let expected = "From Subject X-Empty Content-Type +Content-Type +Content-Transfer-Encoding Grüße_aus_Köln +Content-Type \
            日本_ok +Content-Type +Subject deep_text +Content-Type file_of_6";
        let shown: Vec<String> = shown.iter().map(|shown| shown.replace(' ', "_")).collect();
        assert_eq!(shown.join(" "), expected);
    }

    /// Text of a charset that is guessed is sought as it reads: a Big5 character's second octet is no letter.
    #[test]
    fn undeclared_text_is_searched_as_it_reads() {
        let text = "您好，感謝您的來信。我們已經收到您的訂單，並將於明天上午寄出商品。";
        let octets = encoding_rs::BIG5.encode(text).0.into_owned();
        let raw = [b"Subject: ".as_slice(), octets.as_slice(), b"\r\n\r\n".as_slice(), octets.as_slice()].concat();
        let structure = Structure::read(&raw);
        assert!(octets.iter().filter(|octet| octet.is_ascii_alphabetic()).count() > 3, "some look like letters");
        let letter = octets.iter().copied().find(u8::is_ascii_alphabetic).map(char::from).unwrap().to_string();
        for (sought, expected) in [("訂單", true), ("我們已經收到", true), ("Ä", false), (letter.as_str(), false)]
        {
            let needle = Needle::new(sought);
            assert_eq!(matches_body(&raw, &structure, &needle), expected, "{sought}");
            assert_eq!(matches_header(&raw, "Subject", &needle), expected, "{sought}");
        }
    }

    #[test]
    fn the_anchor_may_stand_anywhere() {
        for needle in ["a", "zebra", "xaz", "aaz", "z"] {
            let needle = Needle::new(needle);
            for (text, expected) in [("", false), ("_ZEBRA", true), ("xaxaz", true), ("aaaz", true)] {
                let expected = expected && text.to_uppercase().contains(&needle.folded);
                assert_eq!(needle.is_in(text), expected, "{needle:?} {text}");
            }
        }
        assert!(!Needle::new(&format!("{}b", "a".repeat(5000))).is_in(&"ab".repeat(100_000)));
    }
}
