//! Writing a message: a header, a text, files beside it (RFC 5322, RFC 2045 to 2047, RFC 2231, RFC 3676).
//!
//! Everything goes out in lines of at most 998 octets, mostly of 78, in ASCII but for addresses that aren't (RFC 6532).

use relais_model::{Address, Random, Timestamp};

use crate::date::format_date;
use crate::submission::token;
use crate::transfer::to_base64;

/// Octets of a line of a header, mostly (RFC 5322 §2.1.1).
const LINE_OCTETS: usize = 76;
/// Octets of text in one encoded word: 60 letters of base64 with what stands around it.
const WORD_OCTETS: usize = 42;
/// Where plain text flows on (RFC 3676 §4.2).
const FLOW_COLUMNS: usize = 72;
/// Octets of a line that goes as it is (RFC 5322 §2.1.1).
const MAX_LINE_OCTETS: usize = 998;

/// A message to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writing {
    /// Who writes.
    pub from: Named,
    /// To whom.
    pub to: Vec<Named>,
    /// Cc.
    pub cc: Vec<Named>,
    /// Bcc: a submission takes it out.
    pub bcc: Vec<Named>,
    /// Decoded; may be empty.
    pub subject: String,
    /// Where answers go, where that is not to the author.
    pub reply_to: Vec<Named>,
    /// Line ends as `\n`, or CRLF.
    pub text: String,
    /// The same as HTML, for who shows that.
    pub rich: Option<Rich>,
    /// What programs read, and people don't.
    pub extra: Option<Extra>,
    /// Beside the text.
    pub files: Vec<Attached>,
    /// When.
    pub date: Timestamp,
    /// With its angle brackets.
    pub message_id: String,
    /// The message that it answers, with its angle brackets; empty for none.
    pub in_reply_to: String,
    /// References of that one, and itself.
    pub references: String,
    /// Fields of ours: names, and values in ASCII.
    pub more: Vec<(&'static str, String)>,
}

/// What is said to programs, beside the text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extra {
    /// An iCalendar object that answers an invitation, with CRLF line ends (RFC 6047 §2.4).
    CalendarReply(String),
    /// What became of a message, as fields with CRLF line ends (RFC 8098 §3.1).
    Disposition(String),
}

/// A text as HTML, with the pictures that stand in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rich {
    /// What stands between `<body>` and `</body>`.
    pub html: String,
    /// Their Content-IDs without brackets (RFC 2392), and they themselves.
    pub pictures: Vec<(String, Attached)>,
}

/// Somebody, as they stand in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// May be empty.
    pub name: String,
    /// Where they are reached.
    pub address: Address,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Without folders.
    pub name: String,
    /// `image/png`; anything that is no type is `application/octet-stream`.
    pub kind: String,
    /// As it is.
    pub octets: Vec<u8>,
}

/// Writes it, with CRLF line ends.
pub fn compose(writing: &Writing, random: &dyn Random) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024 + writing.text.len() * 2);
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            put_field(&mut out, name, value);
        }
    };
    field("Date", &format_date(writing.date));
    field("From", &list(std::slice::from_ref(&writing.from)));
    field("Reply-To", &list(&writing.reply_to));
    field("To", &list(&writing.to));
    field("Cc", &list(&writing.cc));
    field("Bcc", &list(&writing.bcc));
    field("Subject", &unstructured(&writing.subject));
    field("Message-ID", &writing.message_id);
    field("In-Reply-To", &ids(&writing.in_reply_to));
    field("References", &ids(&writing.references));
    for (name, value) in &writing.more {
        field(name, &unstructured(value));
    }
    field("MIME-Version", "1.0");
    if writing.files.is_empty() {
        put_body(&mut out, writing, random);
        return out;
    }
    put_parts(&mut out, "multipart/mixed", random, |out, next| {
        put_body(out, writing, random);
        for file in &writing.files {
            next(out);
            put_file(out, file, None);
        }
    });
    out
}

/// RFC 2046 §5.1: `parts` writes the first part and calls what it is given before each other one.
fn put_parts(
    out: &mut Vec<u8>,
    kind: &str,
    random: &dyn Random,
    parts: impl FnOnce(&mut Vec<u8>, &dyn Fn(&mut Vec<u8>)),
) {
    let boundary = format!("={}", token(random));
    put_field(out, "Content-Type", &format!("{kind}; boundary=\"{boundary}\""));
    let next = |out: &mut Vec<u8>| out.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
    next(out);
    parts(out, &next);
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
}

/// Plain text; where there is HTML, too, the best is last (RFC 2046 §5.1.4), with its pictures beside it (RFC 2387).
fn put_body(out: &mut Vec<u8>, writing: &Writing, random: &dyn Random) {
    if let Some(extra) = &writing.extra {
        return put_extra(out, &writing.text, extra, random);
    }
    let Some(rich) = &writing.rich else { return put_text(out, &writing.text) };
    put_parts(out, "multipart/alternative", random, |out, next| {
        put_text(out, &writing.text);
        next(out);
        if rich.pictures.is_empty() {
            return put_html(out, &rich.html);
        }
        put_parts(out, "multipart/related; type=\"text/html\"", random, |out, next| {
            put_html(out, &rich.html);
            for (id, picture) in &rich.pictures {
                next(out);
                put_file(out, picture, Some(id));
            }
        });
    });
}

/// The text, and beside it what programs read: of an answer the same thing again (RFC 6047 §2.4), of a report its other part.
fn put_extra(out: &mut Vec<u8>, text: &str, extra: &Extra, random: &dyn Random) {
    let kind = match extra {
        Extra::CalendarReply(_) => "multipart/alternative",
        Extra::Disposition(_) => "multipart/report; report-type=disposition-notification",
    };
    put_parts(out, kind, random, |out, next| {
        put_text(out, text);
        next(out);
        match extra {
            Extra::CalendarReply(calendar) => {
                put_field(out, "Content-Type", "text/calendar; charset=utf-8; method=REPLY");
                out.extend_from_slice(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
                put_quoted_printable(out, calendar);
            }
            // RFC 8098 §3: 7bit where it can be.
            Extra::Disposition(fields) => {
                let encoding = if fields.is_ascii() { "7bit" } else { "8bit" };
                put_field(out, "Content-Type", "message/disposition-notification");
                out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n\r\n{fields}").as_bytes());
            }
        }
    });
}

fn put_html(out: &mut Vec<u8>, html: &str) {
    out.extend_from_slice(
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    );
    let body = html.replace("\r\n", "\n").replace(['\r', '\0'], "\n").replace('\n', "\r\n");
    put_quoted_printable(out, &format!("<!DOCTYPE html><html><body>{body}</body></html>\r\n"));
}

/// Folded where a line would be too long: at its blanks, which must not all be within words.
fn put_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut column = name.len() + 1;
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        if column + 1 + word.len() > LINE_OCTETS && column > name.len() + 1 {
            out.extend_from_slice(b"\r\n");
            column = 0;
        }
        out.push(b' ');
        out.extend_from_slice(word.as_bytes());
        column += 1 + word.len();
    }
    out.extend_from_slice(b"\r\n");
}

fn list(people: &[Named]) -> String {
    people.iter().map(named).collect::<Vec<_>>().join(", ")
}

/// RFC 5322 §3.4.
fn named(named: &Named) -> String {
    let name = one_line(&named.name);
    if name.is_empty() {
        return named.address.to_string();
    }
    let is_atom = |character: char| character.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(character);
    let phrase = if !name.is_ascii() {
        encoded_words(&name)
    } else if name.chars().all(is_atom) && !name.contains("=?") {
        name
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    };
    format!("{phrase} <{}>", named.address)
}

/// RFC 2047 §5: as it is where it is ASCII that looks like nothing else.
fn unstructured(text: &str) -> String {
    let text = one_line(text);
    let has_long_word = text.split(' ').any(|word| word.len() > MAX_LINE_OCTETS - LINE_OCTETS);
    if text.is_ascii() && !text.contains("=?") && !has_long_word { text } else { encoded_words(&text) }
}

fn encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.floor_char_boundary(WORD_OCTETS.min(rest.len()));
        let (word, left) = rest.split_at(end.max(rest.chars().next().map_or(1, char::len_utf8)));
        words.push(format!("=?utf-8?B?{}?=", to_base64(word.as_bytes())));
        rest = left;
    }
    words.join(" ")
}

/// Nothing that is written here ends a field or begins one.
fn one_line(text: &str) -> String {
    text.split(char::is_control).map(str::trim).filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Identifiers as they were written, the last twenty of them and the first.
fn ids(text: &str) -> String {
    const KEPT: usize = 20;
    let is_id = |word: &&str| word.starts_with('<') && word.ends_with('>') && word.is_ascii() && word.len() < 900;
    let all: Vec<&str> = text.split_whitespace().filter(is_id).collect();
    let surplus = all.len().saturating_sub(KEPT).max(1);
    let kept = all.iter().enumerate().filter(|(at, _)| *at == 0 || *at >= surplus).map(|(_, id)| *id);
    kept.collect::<Vec<_>>().join(" ")
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let flowed = flow(text);
    out.extend_from_slice(b"Content-Type: text/plain; charset=utf-8; format=flowed\r\n");
    let is_plain = flowed.is_ascii() && flowed.split("\r\n").all(|line| line.len() <= MAX_LINE_OCTETS);
    if is_plain {
        out.extend_from_slice(b"Content-Transfer-Encoding: 7bit\r\n\r\n");
        out.extend_from_slice(flowed.as_bytes());
    } else {
        out.extend_from_slice(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
        put_quoted_printable(out, &flowed);
    }
}

/// RFC 3676 §4.2: long lines are broken behind a space, and go on in the next; what begins with a space, or like a mark of a mailbox file,
/// is stuffed with one. Quoted lines stay as they are.
fn flow(text: &str) -> String {
    let mut flowed = String::with_capacity(text.len() + text.len() / 40);
    let text = text.replace("\r\n", "\n").replace(['\r', '\0'], "\n");
    for line in text.trim_end_matches('\n').split('\n') {
        if line.starts_with('>') || line == "-- " {
            flowed.push_str(line);
            flowed.push_str("\r\n");
            continue;
        }
        let line = line.trim_end_matches(' ');
        let mut column = 0;
        if line.starts_with(' ') || line.starts_with("From ") {
            flowed.push(' ');
            column = 1;
        }
        for word in line.split_inclusive(' ') {
            let width = word.chars().count();
            if column > 0 && column + width > FLOW_COLUMNS && flowed.ends_with(' ') {
                flowed.push_str("\r\n");
                column = 0;
                if word.starts_with(' ') || word.starts_with('>') || word.starts_with("From ") {
                    flowed.push(' ');
                    column = 1;
                }
            }
            flowed.push_str(word);
            column += width;
        }
        flowed.push_str("\r\n");
    }
    flowed
}

/// RFC 2045 §6.7.
fn put_quoted_printable(out: &mut Vec<u8>, text: &str) {
    for line in text.split_inclusive("\r\n") {
        let (line, end) = line.strip_suffix("\r\n").map_or((line, ""), |line| (line, "\r\n"));
        let mut column = 0;
        for (at, octet) in line.bytes().enumerate() {
            let is_last = at + 1 == line.len();
            let is_plain = (b'!'..=b'~').contains(&octet) && octet != b'=' || (octet == b' ' && !is_last);
            let width = if is_plain { 1 } else { 3 };
            if column + width > LINE_OCTETS - 1 {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
            if is_plain {
                out.push(octet);
            } else {
                out.extend_from_slice(format!("={octet:02X}").as_bytes());
            }
            column += width;
        }
        out.extend_from_slice(end.as_bytes());
    }
}

/// `id`: it stands in the text.
fn put_file(out: &mut Vec<u8>, file: &Attached, id: Option<&str>) {
    let kind = if is_kind(&file.kind) { file.kind.as_str() } else { "application/octet-stream" };
    // RFC 2046 §5.2.1: a message has no encoding of its own, and so must be fit to go as it is.
    let goes_as_it_is = |octets: &[u8]| {
        !octets.contains(&0) && octets.split(|octet| *octet == b'\n').all(|line| line.len() <= MAX_LINE_OCTETS)
    };
    let is_message = kind == "message/rfc822" && goes_as_it_is(&file.octets);
    let kind = if kind == "message/rfc822" && !is_message { "application/octet-stream" } else { kind };
    out.extend_from_slice(format!("Content-Type: {kind}\r\n").as_bytes());
    if let Some(id) = id.filter(|id| is_content_id(id)) {
        put_field(out, "Content-ID", &format!("<{id}>"));
    }
    let disposition = if id.is_some() { "inline" } else { "attachment" };
    put_field(out, "Content-Disposition", &format!("{disposition}; {}", file_name(&file.name)));
    if is_message {
        let encoding = if file.octets.is_ascii() { "7bit" } else { "8bit" };
        out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n\r\n").as_bytes());
        out.extend_from_slice(&file.octets);
        return;
    }
    out.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
    // RFC 2045 §6.8: lines of 76 letters.
    for line in to_base64(&file.octets).as_bytes().chunks(76) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
}

/// Letters of an address, in ASCII: nothing in it ends a field or needs to be quoted.
pub fn is_content_id(id: &str) -> bool {
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || b"@.!#$%&'*+-/=?^_`{|}~".contains(&octet);
    (1..=200).contains(&id.len()) && id.bytes().all(is_letter)
}

/// `main/sub`, of letters that need no quotes.
fn is_kind(kind: &str) -> bool {
    let is_token = |word: &str| {
        !word.is_empty()
            && word.len() < 100
            && word.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".+-_".contains(&octet))
    };
    kind.split_once('/')
        .is_some_and(|(main, sub)| is_token(main) && is_token(sub) && !main.eq_ignore_ascii_case("multipart"))
}

/// RFC 2231 §4 where it isn't ASCII.
fn file_name(name: &str) -> String {
    let name = one_line(name).replace(['/', '\\'], "_");
    if name.is_ascii() && name.len() < 60 {
        return format!("filename=\"{}\"", name.replace('"', "'"));
    }
    let spelt = name.bytes().fold(String::new(), |mut spelt, octet| {
        if octet.is_ascii_alphanumeric() || b".-_".contains(&octet) {
            spelt.push(char::from(octet));
        } else {
            spelt.push('%');
            spelt.push_str(&data_encoding::HEXUPPER.encode(&[octet]));
        }
        spelt
    });
    format!("filename*=utf-8''{spelt}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Structure, decode_header_value, decode_part, fields};

    #[derive(Debug)]
    struct Same;

    impl Random for Same {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(2);
        }
    }

    fn person(name: &str, address: &str) -> Named {
        Named { name: name.to_owned(), address: Address::parse(address).unwrap() }
    }

    fn writing(subject: &str, text: &str) -> Writing {
        Writing {
            from: person("Ann Lee", "ann@x.example"),
            to: vec![person("", "bob@y.example")],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            subject: subject.to_owned(),
            text: text.to_owned(),
            rich: None,
            extra: None,
            files: Vec::new(),
            date: Timestamp::from_seconds(1_767_225_600),
            message_id: "<1@x.example>".to_owned(),
            in_reply_to: String::new(),
            references: String::new(),
            more: Vec::new(),
        }
    }

    #[test]
    fn a_plain_message_is_plain() {
        let raw = compose(&writing("Lunch", "Hello\n\nBye"), &Same);
        assert_eq!(
            String::from_utf8(raw).unwrap(),
            "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nFrom: Ann Lee <ann@x.example>\r\nTo: bob@y.example\r\n\
             Subject: Lunch\r\nMessage-ID: <1@x.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
             Hello\r\n\r\nBye\r\n"
        );
    }

    /// What was written is what is read, whatever stands in it; and no line is too long.
    #[test]
    fn what_is_written_is_read() {
        let subject = "Grüße, Ωmega \"quoted\" =?utf-8?q?x?= 日本語 ".repeat(6);
        let text = format!("  indented\nFrom me\n> quoted {}\n{}\n-- \nAnn é", "x ".repeat(80), "wörter ".repeat(40));
        let mut message = writing(&subject, &text);
        message.to = vec![person("Doe, \"J\"", "j@y.example"), person("Jörg", "joerg@y.example")];
        message.references = (0..40).map(|number| format!("<{number}@x>")).collect::<Vec<_>>().join(" ");
        message.files = vec![
            Attached {
                name: "naïve plan.pdf".to_owned(),
                kind: "application/pdf".to_owned(),
                octets: vec![0, 159, 13, 10],
            },
            Attached {
                name: "a.eml".to_owned(),
                kind: "message/rfc822".to_owned(),
                octets: b"Subject: inner\r\n\r\nx\r\n".to_vec(),
            },
            Attached { name: "x".to_owned(), kind: "no type\r\nX: y".to_owned(), octets: Vec::new() },
        ];
        let raw = compose(&message, &Same);
        assert!(raw.split(|octet| *octet == b'\n').all(|line| line.len() <= 998));
        let structure = Structure::read(&raw);
        let header = &raw[structure.root.header.clone()];
        let value = |name: &str| {
            let field = fields(header).find(|field| field.is(name)).unwrap();
            decode_header_value(&field.unfolded())
        };
        assert_eq!(value("Subject"), subject.trim());
        assert_eq!(value("To"), "\"Doe, \\\"J\\\"\" <j@y.example>, Jörg <joerg@y.example>");
        assert_eq!(value("References").split(' ').count(), 21);
        let parts = structure.root.children();
        assert_eq!(parts.len(), 4);
        let read = String::from_utf8(decode_part(&raw, &parts[0]).unwrap().into_owned()).unwrap();
        // Flowed lines are one again.
        let whole = read.replace(" \r\n", " ").replace("\r\n  indented", "\r\n indented");
        assert!(whole.contains("wörter ".repeat(40).trim_end()), "{read}");
        assert!(read.starts_with("   indented\r\n From me\r\n> quoted"), "{read}");
        assert!(read.ends_with("-- \r\nAnn é\r\n"), "{read}");
        assert_eq!(decode_part(&raw, &parts[1]).unwrap().as_ref(), [0, 159, 13, 10]);
        assert!(parts[2].message().is_some());
        assert!(parts[3].content_type.as_ref().unwrap().is("application", "octet-stream"));
    }

    /// Text first, HTML with its pictures last, files beside both.
    #[test]
    fn html_stands_beside_the_text() {
        let mut message = writing("Lunch", "See é");
        message.reply_to = vec![person("", "desk@x.example")];
        let dot = Attached { name: "dot.png".to_owned(), kind: "image/png".to_owned(), octets: vec![1, 2, 3] };
        let html = "<p>See é <img src=\"cid:1@x\"></p>\n".to_owned();
        message.rich = Some(Rich { html: html.clone(), pictures: vec![("1@x".to_owned(), dot.clone())] });
        message.files = vec![Attached { name: "a.txt".to_owned(), kind: "text/plain".to_owned(), octets: vec![65] }];
        let raw = compose(&message, &Same);
        assert!(raw.is_ascii() && raw.split(|octet| *octet == b'\n').all(|line| line.len() <= 78), "{raw:?}");
        assert!(String::from_utf8_lossy(&raw).contains("\r\nReply-To: desk@x.example\r\n"));
        let structure = Structure::read(&raw);
        let kinds = |part: &crate::Part| {
            let kind = part.content_type.as_ref().unwrap();
            String::from_utf8_lossy(&[&kind.main[..], b"/", &kind.sub[..]].concat()).into_owned()
        };
        let mixed = structure.root.children();
        assert_eq!(mixed.iter().map(kinds).collect::<Vec<_>>(), ["multipart/alternative", "text/plain"]);
        let alternative = mixed[0].children();
        assert_eq!(alternative.iter().map(kinds).collect::<Vec<_>>(), ["text/plain", "multipart/related"]);
        let related = alternative[1].children();
        let read = String::from_utf8(decode_part(&raw, &related[0]).unwrap().into_owned()).unwrap();
        assert!(read.contains(html.trim_end()), "{read}");
        assert_eq!(decode_part(&raw, &related[1]).unwrap().as_ref(), [1, 2, 3]);
        message.files.clear();
        message.rich = Some(Rich { html, pictures: vec![("a>\r\nX-Evil: 1".to_owned(), dot)] });
        assert!(!String::from_utf8(compose(&message, &Same)).unwrap().contains("X-Evil"));
    }

    /// Nothing that somebody types begins a field.
    #[test]
    fn nobody_writes_fields() {
        let mut message = writing("x\r\nBcc: evil@z.example", "y");
        message.from.name = "Ann\r\nX-Evil: 1".to_owned();
        message.in_reply_to = "<1@x>\r\nX-Evil: 2".to_owned();
        message.more = vec![("X-Relais-Of", "a\r\nX-Evil: 3".to_owned())];
        let raw = String::from_utf8(compose(&message, &Same)).unwrap();
        assert!(!raw.contains("\r\nX-Evil") && !raw.contains("\r\nBcc"), "{raw}");
    }
}
