//! Which parts of a message are read, which are files beside it, and what else it is: sealed, signed, an invitation.

use std::borrow::Cow;

use relais_message::{Content, Disposition, Part, Structure, decode_header_value, decode_part, decode_text, fields};

use crate::calendar::{Invitation, MAX_CALENDAR_OCTETS};
use crate::header::Header;
use crate::plain::unflow;

/// Files of one message that are listed.
pub const MAX_FILES: usize = 500;
/// Octets of decoded text that are shown of one message.
const MAX_TEXT_OCTETS: usize = 4 * 1024 * 1024;
/// Passages of one message.
const MAX_PASSAGES: usize = 100;
/// Containers in containers that are looked into.
const MAX_DEPTH: usize = 30;
/// Characters of a file's name.
const MAX_NAME: usize = 200;

/// A message, taken apart for who reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// Who writes to whom.
    pub header: Header,
    /// What is read, from top to bottom.
    pub passages: Vec<Passage>,
    /// What is beside it, in the order of the parts.
    pub files: Vec<File>,
    /// How it is signed or sealed.
    pub seal: Option<Seal>,
    /// The part of an invitation, among `files`: `text/calendar` with a METHOD (RFC 6047).
    pub invitation: Option<Invitation>,
    /// There was more text than is shown.
    pub is_cut: bool,
}

/// A piece of what is read; at least one of the two is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// As plain text, with line ends as `\n`.
    pub plain: Option<String>,
    /// As its author's HTML, untouched: for [`crate::Cleaner`] alone.
    pub html: Option<String>,
}

/// A file in a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Which part (RFC 9051 §6.4.5.1): `2.1`.
    pub path: String,
    /// As its author called it, without folders; empty where they didn't.
    pub name: String,
    /// `image/png`, in lower case; what the author says, not what it is.
    pub kind: String,
    /// Decoded, about.
    pub octets: u64,
    /// Content-ID without its brackets: the HTML may show it in place.
    pub content_id: Option<String>,
    /// It stands in the text, and is no file that somebody wanted to send.
    pub is_inline: bool,
}

/// How a message is signed or sealed, as far as its outside tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// By `OpenPGP`, sealed (RFC 3156, or in the text).
    PgpSealed,
    /// By `OpenPGP`, signed.
    PgpSigned,
    /// S/MIME, sealed (RFC 8551).
    SmimeSealed,
    /// S/MIME, signed.
    SmimeSigned,
}

impl Seal {
    /// Its name in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PgpSealed => "pgp-sealed",
            Self::PgpSigned => "pgp-signed",
            Self::SmimeSealed => "smime-sealed",
            Self::SmimeSigned => "smime-signed",
        }
    }
}

impl Letter {
    /// Reads any octets.
    pub fn read(raw: &[u8]) -> Self {
        let structure = Structure::read(raw);
        let root = &structure.root;
        let header = Header::read(raw.get(root.header.clone()).unwrap_or_default());
        let mut reader = Reader { raw, letter: Self { header, ..Self::default() }, left: MAX_TEXT_OCTETS };
        // RFC 9051 §6.4.5.1: a message that is no multipart has itself as part 1.
        let first = if matches!(root.content, Content::Multipart(_)) { Vec::new() } else { vec![1] };
        reader.part(root, &first, 0);
        reader.letter
    }

    /// The files that somebody wanted to send, and those that no text shows.
    pub fn attachments(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| !file.is_inline)
    }

    /// Its text as plain text: what its author wrote so, else what is left of the HTML. For answers.
    pub fn text(&self) -> String {
        let texts = self.passages.iter().map(|passage| match (&passage.plain, &passage.html) {
            (Some(plain), _) => plain.clone(),
            (None, Some(html)) => crate::as_text::text_of(html),
            (None, None) => String::new(),
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Whether anything of it is shown as HTML.
    pub fn has_html(&self) -> bool {
        self.passages.iter().any(|passage| passage.html.is_some())
    }
}

/// A part's octets, decoded; as they stand where their encoding isn't known.
pub fn decoded<'a>(raw: &'a [u8], part: &Part) -> Cow<'a, [u8]> {
    let body = || Cow::Borrowed(raw.get(part.body.clone()).unwrap_or_default());
    decode_part(raw, part).unwrap_or_else(|_unknown| body())
}

/// The octets of the part that `path` names, decoded; none where there is no such part.
pub fn file_octets<'a>(raw: &'a [u8], path: &str) -> Option<Cow<'a, [u8]>> {
    let numbers: Option<Vec<u32>> = path.split('.').take(MAX_DEPTH * 2).map(|number| number.parse().ok()).collect();
    let structure = Structure::read(raw);
    structure.part(&numbers?).map(|part| decoded(raw, part))
}

/// The calendar in the part that `path` names, as text; none where there is no such part.
pub fn calendar_of(raw: &[u8], path: &str) -> Option<String> {
    let numbers: Option<Vec<u32>> = path.split('.').take(MAX_DEPTH * 2).map(|number| number.parse().ok()).collect();
    let structure = Structure::read(raw);
    structure.part(&numbers?).map(|part| calendar_text(raw, part))
}

struct Reader<'a> {
    raw: &'a [u8],
    letter: Letter,
    left: usize,
}

impl Reader<'_> {
    fn part(&mut self, part: &Part, path: &[u32], depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let is = |main: &str, sub: &str| part.content_type.as_ref().is_some_and(|kind| kind.is(main, sub));
        match &part.content {
            // Its boundary is nowhere: what is there is read as it stands.
            Content::Multipart(parts) if parts.is_empty() && !part.body.is_empty() => self.passage(part, "text/plain"),
            Content::Multipart(parts) if is("multipart", "alternative") => self.alternative(parts, path, depth),
            Content::Multipart(parts) if is("multipart", "encrypted") => {
                self.letter.seal = Some(Seal::PgpSealed);
                self.all(parts, path, depth);
            }
            Content::Multipart(parts) => {
                if is("multipart", "signed") {
                    let protocol = part.content_type.as_ref().and_then(|kind| kind.parameter("protocol"));
                    let is_pgp =
                        protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"application/pgp-signature"));
                    let seal = if is_pgp { Seal::PgpSigned } else { Seal::SmimeSigned };
                    self.letter.seal.get_or_insert(seal);
                }
                self.all(parts, path, depth);
            }
            Content::Message(_) => self.file(part, path),
            Content::Leaf => self.leaf(part, path),
        }
    }

    fn all(&mut self, parts: &[Part], path: &[u32], depth: usize) {
        for (part, number) in parts.iter().zip(1..) {
            self.part(part, &below(path, number), depth + 1);
        }
    }

    /// RFC 2046 §5.1.4: the same thing several times, the best last. What is read is the last HTML, and the last plain text beside it.
    fn alternative(&mut self, parts: &[Part], path: &[u32], depth: usize) {
        let passages = self.letter.passages.len();
        self.all(parts, path, depth);
        let end = passages.min(self.letter.passages.len());
        let all = self.letter.passages.split_off(end);
        let last = |of: fn(&Passage) -> Option<&String>| all.iter().rev().find_map(of).cloned();
        let html = last(|passage| passage.html.as_ref());
        let plain = last(|passage| passage.plain.as_ref().filter(|text| !text.trim().is_empty()));
        if html.is_some() || plain.is_some() {
            self.letter.passages.push(Passage { plain, html });
        }
    }

    fn leaf(&mut self, part: &Part, path: &[u32]) {
        let kind = kind_of(part);
        match kind.as_str() {
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                let what = part.content_type.as_ref().and_then(|kind| kind.parameter("smime-type")).unwrap_or_default();
                let is_signed = what.eq_ignore_ascii_case(b"signed-data");
                self.letter.seal = Some(if is_signed { Seal::SmimeSigned } else { Seal::SmimeSealed });
            }
            "text/calendar" => self.invitation(part, path),
            _ => {}
        }
        let disposition = disposition(self.raw, part);
        let is_attached = disposition.as_ref().is_some_and(|disposition| disposition.is("attachment"));
        let is_named = !self.name(part, disposition.as_ref()).is_empty();
        let is_read = match kind.as_str() {
            "text/html" | "text/plain" => !(is_attached || is_named && path != [1] && !self.letter.passages.is_empty()),
            "message/delivery-status" | "message/disposition-notification" | "text/rfc822-headers" => !is_attached,
            _ => false,
        };
        if is_read && self.letter.passages.len() < MAX_PASSAGES {
            self.passage(part, &kind);
        } else {
            self.file(part, path);
        }
    }

    fn passage(&mut self, part: &Part, kind: &str) {
        let octets = decoded(self.raw, part);
        let parameter = |name: &str| part.content_type.as_ref().and_then(|kind| kind.parameter(name));
        let text = decode_text(&octets, parameter("charset"));
        let end = text.floor_char_boundary(self.left.min(text.len()));
        self.letter.is_cut |= end < text.len();
        self.left -= end;
        let text = text.get(..end).unwrap_or_default().replace("\r\n", "\n").replace(['\r', '\0'], "\n");
        let is_html = kind == "text/html";
        if !is_html && text.trim_start().starts_with("-----BEGIN PGP MESSAGE-----") {
            self.letter.seal.get_or_insert(Seal::PgpSealed);
        }
        if !is_html && text.trim_start().starts_with("-----BEGIN PGP SIGNED MESSAGE-----") {
            self.letter.seal.get_or_insert(Seal::PgpSigned);
        }
        let is_flowed = parameter("format").is_some_and(|format| format.eq_ignore_ascii_case(b"flowed"));
        let deletes_space = parameter("delsp").is_some_and(|delsp| delsp.eq_ignore_ascii_case(b"yes"));
        let passage = match (is_html, is_flowed) {
            (true, _) => Passage { html: Some(text), plain: None },
            (false, true) => Passage { plain: Some(unflow(&text, deletes_space)), html: None },
            (false, false) => Passage { plain: Some(text), html: None },
        };
        self.letter.passages.push(passage);
    }

    fn file(&mut self, part: &Part, path: &[u32]) {
        if self.letter.files.len() >= MAX_FILES {
            self.letter.is_cut = true;
            return;
        }
        let disposition = disposition(self.raw, part);
        let content_id = field(self.raw, part, "Content-ID").map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
        let content_id = content_id.filter(|id| !id.is_empty());
        let is_attached = disposition.as_ref().is_some_and(|disposition| disposition.is("attachment"));
        let kind = kind_of(part);
        let encoded = u64::try_from(part.body.len()).unwrap_or(u64::MAX);
        let is_base64 = part.encoding == relais_message::Encoding::Base64;
        self.letter.files.push(File {
            path: path.iter().map(u32::to_string).collect::<Vec<_>>().join("."),
            name: self.name(part, disposition.as_ref()),
            octets: if is_base64 { encoded / 78 * 57 + encoded % 78 * 3 / 4 } else { encoded },
            is_inline: content_id.is_some() && kind.starts_with("image/") && !is_attached,
            content_id,
            kind,
        });
    }

    /// RFC 2183's filename, RFC 2045's name, the subject of a message.
    fn name(&self, part: &Part, disposition: Option<&Disposition>) -> String {
        let kind = part.content_type.as_ref();
        let filename =
            disposition.and_then(|disposition| text_parameter(&|name| disposition.parameter(name), "filename"));
        let name = || kind.and_then(|kind| text_parameter(&|name| kind.parameter(name), "name"));
        let subject = || {
            let inner = part.message()?;
            let header = Header::read(self.raw.get(inner.header.clone()).unwrap_or_default());
            Some(format!("{}.eml", if header.subject.is_empty() { "message" } else { &header.subject }))
        };
        filename.or_else(name).or_else(subject).map(|name| safe_name(&name)).unwrap_or_default()
    }

    fn invitation(&mut self, part: &Part, path: &[u32]) {
        if self.letter.invitation.is_some() {
            return;
        }
        let text = calendar_text(self.raw, part);
        let method = part.content_type.as_ref().and_then(|kind| kind.parameter("method"));
        let method = method.map(String::from_utf8_lossy);
        let path = path.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        self.letter.invitation = Invitation::read(&text, method.as_deref()).map(|read| Invitation { path, ..read });
    }
}

fn calendar_text(raw: &[u8], part: &Part) -> String {
    let octets = decoded(raw, part);
    let charset = part.content_type.as_ref().and_then(|kind| kind.parameter("charset"));
    decode_text(octets.get(..MAX_CALENDAR_OCTETS).unwrap_or(&octets), charset).into_owned()
}

fn below(path: &[u32], number: u32) -> Vec<u32> {
    [path, &[number]].concat()
}

fn kind_of(part: &Part) -> String {
    match (&part.content, &part.content_type) {
        (Content::Message(_), _) => "message/rfc822".to_owned(),
        // RFC 2045 §5.2.
        (_, None) => "text/plain".to_owned(),
        (_, Some(kind)) => {
            let word = |octets: &[u8]| String::from_utf8_lossy(octets).to_ascii_lowercase();
            format!("{}/{}", word(&kind.main), word(&kind.sub))
        }
    }
}

fn field(raw: &[u8], part: &Part, name: &str) -> Option<String> {
    let header = raw.get(part.header.clone()).unwrap_or_default();
    fields(header).find(|field| field.is(name)).map(|field| decode_header_value(field.value))
}

fn disposition(raw: &[u8], part: &Part) -> Option<Disposition> {
    let header = raw.get(part.header.clone()).unwrap_or_default();
    let field = fields(header).find(|field| field.is("Content-Disposition"))?;
    Disposition::read(&field.unfolded())
}

/// A parameter as text: RFC 2231's form (`utf-8'fr'na%C3%AFve`), else plain with encoded words, which programs write there, too.
fn text_parameter<'a>(find: &(dyn Fn(&str) -> Option<&'a [u8]> + 'a), name: &str) -> Option<String> {
    if let Some(extended) = find(&format!("{name}*")) {
        let text = String::from_utf8_lossy(extended);
        let mut pieces = text.splitn(3, '\'');
        let (charset, _language, value) = (pieces.next()?, pieces.next(), pieces.next());
        let Some(value) = value else { return Some(text.into_owned()) };
        return Some(decode_text(&unescape(value), Some(charset.as_bytes())).into_owned());
    }
    find(name).map(decode_header_value)
}

fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&octet) = rest.next() {
        let hex = rest.as_slice().get(..2).filter(|_| octet == b'%');
        match hex.and_then(|hex| data_encoding::HEXUPPER_PERMISSIVE.decode(hex).ok()) {
            Some(decoded) => {
                octets.extend(decoded);
                rest.nth(1);
            }
            None => octets.push(octet),
        }
    }
    octets
}

/// A file's name that leads nowhere and hides nothing: no folders, no controls, no marks that turn it round, no dots before it.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let is_shown = |character: &char| {
        !character.is_control()
            && !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '"' | ':' | '<' | '>' | '|' | '?' | '*')
    };
    let shown: String = last.chars().filter(is_shown).collect();
    let shown = shown.trim().trim_start_matches('.').trim();
    // The end counts: it says what the file is.
    let surplus = shown.chars().count().saturating_sub(MAX_NAME);
    shown.chars().skip(surplus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Letter {
        Letter::read(text.replace('\n', "\r\n").as_bytes())
    }

    #[test]
    fn a_plain_message_is_read() {
        let letter = read("From: a@b.example\nSubject: x\n\nHello\nWorld\n");
        assert_eq!(letter.passages, [Passage { plain: Some("Hello\nWorld\n".to_owned()), html: None }]);
        assert!(letter.files.is_empty() && letter.seal.is_none());
    }

    #[test]
    fn of_alternatives_the_last_is_read_and_pictures_stand_in_it() {
        let letter = read(
            "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n\
             --a\n\nplain\n--a\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n<p>html</p>\n\
             --r\nContent-Type: image/png\nContent-ID: <pic@x>\nContent-Transfer-Encoding: base64\n\niVBORw0K\n--r--\n--a--\n\
             --m\nContent-Type: application/pdf; name=\"../a/b.pdf\"\nContent-Disposition: attachment; filename*=utf-8''na%C3%AFve.pdf\n\nx\n\
             --m\nContent-Type: message/rfc822\n\nSubject: inner\n\ntext\n--m--\n",
        );
        let passages = [Passage { plain: Some("plain".to_owned()), html: Some("<p>html</p>".to_owned()) }];
        assert_eq!(letter.passages, passages);
        let files: Vec<_> =
            letter.files.iter().map(|file| (file.path.as_str(), file.name.as_str(), file.is_inline)).collect();
        assert_eq!(files, [("1.2.2", "", true), ("2", "naïve.pdf", false), ("3", "inner.eml", false)]);
        assert_eq!(letter.files[0].content_id.as_deref(), Some("pic@x"));
    }

    #[test]
    fn seals_are_recognised() {
        let check = |header: &str, expected: Option<Seal>| {
            let letter = read(&format!("Content-Type: {header}\n\n--b\n\nx\n--b\n\ny\n--b--\n"));
            assert_eq!(letter.seal, expected, "{header}");
        };
        check("multipart/signed; boundary=b; protocol=\"application/pgp-signature\"", Some(Seal::PgpSigned));
        check("multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"", Some(Seal::SmimeSigned));
        check("multipart/encrypted; boundary=b", Some(Seal::PgpSealed));
        check("application/pkcs7-mime; smime-type=enveloped-data", Some(Seal::SmimeSealed));
        check("application/pkcs7-mime; smime-type=signed-data", Some(Seal::SmimeSigned));
        check("text/plain", None);
    }

    #[test]
    fn invitations_are_recognised() {
        let letter = read(
            "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTIMEZONE\nDTSTART:19700101T000000\nEND:VTIMEZONE\n\
             BEGIN:VEVENT\nSUMMARY:Lunch\\, with\n  Jo\nDTSTART;TZID=Europe/Paris:20261127T120000\nLOCATION:Café\n\
             ORGANIZER;CN=Ann:mailto:ann@x.example\nEND:VEVENT\nEND:VCALENDAR\n",
        );
        let invitation = letter.invitation.unwrap();
        assert_eq!((invitation.method.as_str(), invitation.summary.as_str()), ("request", "Lunch, with Jo"));
        assert_eq!((invitation.path.as_str(), invitation.organizer.address.as_str()), ("1", "ann@x.example"));
    }

    #[test]
    fn names_of_files_lead_nowhere() {
        for (name, expected) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a.doc", "a.doc"),
            ("..hidden", "hidden"),
            ("exe.\u{202e}gpj", "exe.gpj"),
            ("a\"b\r\nc:d", "abcd"),
            ("/", ""),
        ] {
            assert_eq!(safe_name(name), expected, "{name:?}");
        }
        assert!(safe_name(&format!("{}.pdf", "x".repeat(999))).ends_with("x.pdf"));
    }
}
