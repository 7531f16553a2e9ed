//! In which manner a message is made, whatever it says: the order and spelling of its header fields, the forms of their
//! values, how its text is laid out, and the octets that it is spelt with, four in a row. Programs that send junk are told
//! by it where the words are anybody's.
//!
//! Looked at are fields that the author's program writes, and none that a list, a host on the way or our side adds.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::RangeInclusive;

use relais_message::Field;

use crate::features::Gathered;
use crate::place::Place;
use crate::tokens::form;

/// Fields of the author's program.
const OF_AUTHOR: [&str; 30] = [
    "From",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-Language",
    "Content-Class",
    "X-Mailer",
    "User-Agent",
    "Reply-To",
    "X-Priority",
    "X-MSMail-Priority",
    "X-MimeOLE",
    "Importance",
    "Priority",
    "In-Reply-To",
    "References",
    "Organization",
    "Comments",
    "Thread-Index",
    "Thread-Topic",
    "X-OriginalArrivalTime",
    "X-Originating-IP",
    "Autocrypt",
];
/// Of these the octets count, too: names as spelt, values as written.
const SPELT: [&str; 10] = [
    "From",
    "Subject",
    "X-Mailer",
    "User-Agent",
    "Content-Type",
    "MIME-Version",
    "Message-ID",
    "Reply-To",
    "Content-Transfer-Encoding",
    "X-Priority",
];
/// So much of each value,
const MAX_SPELT_VALUE: usize = 120;
/// of all of them,
const MAX_SPELT_HEADER: usize = 2000;
/// and of the text.
const MAX_SPELT_TEXT: usize = 3000;
/// So much of the text's layout is looked at, in octets.
pub(crate) const MAX_SOURCE_OCTETS: usize = 16 * 1024;
/// So many fields are put in order.
const MAX_ORDERED: usize = 60;

/// The header's part.
pub(crate) fn of_header(fields: &[Field<'_>], onto: &mut Gathered) {
    let of_author: Vec<&Field<'_>> =
        fields.iter().filter(|field| OF_AUTHOR.iter().any(|name| field.is(name))).take(MAX_ORDERED).collect();
    order(&of_author, onto);
    let value = |name: &str| {
        let field = of_author.iter().find(|field| field.is(name))?;
        Some(String::from_utf8_lossy(cut(&field.unfolded(), 400)).trim().to_owned())
    };
    for name in ["From", "To"] {
        if let Some(value) = value(name) {
            say(onto, name, &form(&without_addresses(value.split(',').next().unwrap_or_default()), 24));
        }
    }
    if let Some(date) = value("Date") {
        say(onto, "Date", &form_of_date(&date));
    }
    let mailer: String = value("X-Mailer").or_else(|| value("User-Agent")).unwrap_or_default();
    let mailer: String = mailer.to_lowercase().chars().take(10).collect();
    if let Some((left, right)) = value("Message-ID").as_deref().and_then(|id| id.strip_prefix('<')?.split_once('@')) {
        say(onto, "Message-ID", &form(left, 30));
        say(onto, "Message-ID octets", &(left.len() / 3).to_string());
        say(onto, "Message-ID host", &form(right, 12));
        // Who says to be a program and numbers its messages otherwise isn't it.
        say(onto, &format!("Message-ID of {mailer}"), &form(left, 16));
    }
    for name in ["Content-Type", "Content-Transfer-Encoding", "MIME-Version", "Content-Disposition"] {
        if let Some(value) = value(name) {
            say(onto, name, &form_of_parameters(&value));
        }
    }
    if let Some(boundary) = value("Content-Type").as_deref().and_then(boundary) {
        say(onto, &format!("boundary of {mailer}"), &form(boundary, 10));
    }
    fours(Place::FieldOctets, &spelt_header(&of_author), onto);
}

/// Which field follows which, and how their names are spelt: each program has its way.
fn order(fields: &[&Field<'_>], onto: &mut Gathered) {
    let mut last = [Cow::Borrowed("^"), Cow::Borrowed("^")];
    for field in fields {
        let name = String::from_utf8_lossy(cut(field.name, 40));
        let is_led = matches!(field.value, [b' ', second, ..] if !second.is_ascii_whitespace());
        onto.word(Place::FieldForm, &name);
        if !is_led {
            say(onto, &name, "no blank");
        }
        let [before, nearest] = last;
        say(onto, &nearest, &name);
        onto.phrase(Place::FieldForm, format_args!("{before}: : {name}"));
        last = [nearest, name];
    }
    say(onto, &last[1], "$");
}

fn say(onto: &mut Gathered, name: &str, form: &str) {
    onto.phrase(Place::FieldForm, format_args!("{name}: {form}"));
}

fn without_addresses(value: &str) -> String {
    let is_of_address =
        |character: char| character.is_alphanumeric() || matches!(character, '.' | '_' | '-' | '+' | '=');
    let Some(at) = value.rfind('@') else { return value.to_owned() };
    let (left, right) = (value.get(..at).unwrap_or_default(), value.get(at + 1..).unwrap_or_default());
    format!("{}@{}", left.trim_end_matches(is_of_address), right.trim_start_matches(is_of_address))
}

/// `Www, 9 Mmm 9999 99:99:99 +9999 (z)`: how it is written, not when or where.
fn form_of_date(value: &str) -> String {
    let value = value.split('(').next().unwrap_or_default().trim_end();
    let mut form = String::new();
    for word in value.split(' ').take(10) {
        match word.chars().next() {
            Some(first) if first.is_alphabetic() => {
                let case = if word.bytes().all(|octet| octet.is_ascii_uppercase()) { 'Z' } else { 'w' };
                let _ = write!(form, "{case}{}", if word.ends_with(',') { "," } else { "" });
            }
            Some('+' | '-') => form.push('+'),
            _ => form.extend(word.chars().take(10).map(|digit| if digit.is_ascii_digit() { '9' } else { digit })),
        }
        form.push(' ');
    }
    form
}

/// A kind with the spelling of its parameters, without charset and boundary themselves.
fn form_of_parameters(value: &str) -> String {
    let mut form = String::new();
    for (at, part) in value.split(';').take(6).enumerate() {
        match part.split_once('=') {
            Some((name, value)) if at > 0 => {
                let mark = if value.starts_with('"') { "\"" } else { "" };
                let _ = write!(form, ";{name}={mark}");
            }
            _ if at > 0 => form.push(';'),
            _ => form.push_str(part),
        }
    }
    form.chars().take(70).collect()
}

fn boundary(value: &str) -> Option<&str> {
    let at = value.to_ascii_lowercase().find("boundary=")?;
    value.get(at + "boundary=".len()..)?.trim_start_matches('"').split(['"', ';', ' ']).next()
}

/// Names and values in their order, as they are written; without the tag of a list and the charset.
fn spelt_header(fields: &[&Field<'_>]) -> Vec<u8> {
    let mut spelt = Vec::new();
    for field in fields.iter().filter(|field| SPELT.iter().any(|name| field.is(name))) {
        let value = field.unfolded();
        let value = if field.is("Subject") { without_tags(&value) } else { value.into_owned() };
        let value = if field.is("Content-Type") { without_charset(value) } else { value };
        spelt.extend_from_slice(cut(field.name, 40));
        spelt.push(b':');
        spelt.extend_from_slice(cut(value.trim_ascii_end(), MAX_SPELT_VALUE));
        spelt.push(b' ');
    }
    spelt.truncate(MAX_SPELT_HEADER);
    spelt
}

fn without_tags(subject: &[u8]) -> Vec<u8> {
    let mut rest = subject;
    let mut without = Vec::new();
    while let Some(from) = memchr::memchr(b'[', rest) {
        let Some(length) = rest.get(from..).and_then(|tag| memchr::memchr(b']', tag)) else { break };
        without.extend_from_slice(rest.get(..from).unwrap_or_default());
        rest = rest.get(from + length + 1..).unwrap_or_default();
    }
    without.extend_from_slice(rest);
    without
}

fn without_charset(mut value: Vec<u8>) -> Vec<u8> {
    let name = b"charset=";
    let Some(at) = value.windows(name.len()).position(|start| start.eq_ignore_ascii_case(name)) else { return value };
    let from = at + name.len() + usize::from(value.get(at + name.len()) == Some(&b'"'));
    let rest = value.split_off(from.min(value.len()));
    let end = rest.iter().position(|octet| matches!(octet, b'"' | b';') || octet.is_ascii_whitespace());
    value.extend_from_slice(rest.get(end.unwrap_or(rest.len())..).unwrap_or_default());
    value
}

/// The text's part: `source` is the beginning of what the text parts hold, HTML and all.
pub(crate) fn of_text(source: &str, onto: &mut Gathered) {
    lines(source.as_bytes(), onto);
    shares(source.as_bytes(), onto);
    runs(source.as_bytes(), onto);
    fours(Place::TextOctets, &spelt_text(source.as_bytes()), onto);
}

/// In lower case, each run of blanks one.
fn spelt_text(source: &[u8]) -> Vec<u8> {
    let mut spelt = Vec::with_capacity(MAX_SPELT_TEXT);
    for octet in source {
        let octet = if octet.is_ascii_whitespace() { b' ' } else { octet.to_ascii_lowercase() };
        if octet != b' ' || spelt.last() != Some(&b' ') {
            spelt.push(octet);
        }
        if spelt.len() == MAX_SPELT_TEXT {
            break;
        }
    }
    spelt
}

fn lines(source: &[u8], onto: &mut Gathered) {
    let (mut count, mut longest, mut empty, mut blank_ended, mut indented) = (0, 0, 0, 0, 0);
    let mut rest = source;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        count += 1;
        longest = longest.max(line.len());
        empty += usize::from(line.is_empty());
        blank_ended += usize::from(line.ends_with(b" "));
        indented += usize::from(matches!(line.first(), Some(b' ' | b'\t')));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    let tenths = |some: usize| some * 10 / count.max(1);
    lay(onto, "octets", magnitude(source.len()));
    lay(onto, "lines", magnitude(count));
    lay(onto, "longest", if longest < 100 { longest / 8 } else { 99 });
    lay(onto, "empty", tenths(empty));
    lay(onto, "blank-ended", tenths(blank_ended));
    lay(onto, "indented", tenths(indented));
}

fn lay(onto: &mut Gathered, name: &str, size: usize) {
    onto.phrase(Place::Layout, format_args!("{name} {size}"));
}

/// How many binary digits a number has.
fn magnitude(number: usize) -> usize {
    usize::try_from((number + 1).ilog2()).unwrap_or(0)
}

/// Kinds of octets in a thousand.
fn shares(source: &[u8], onto: &mut Gathered) {
    let mut counts = [0_usize; 256];
    for octet in source {
        if let Some(count) = counts.get_mut(usize::from(*octet)) {
            *count += 1;
        }
    }
    let among = |octets: RangeInclusive<u8>| octets.filter_map(|octet| counts.get(usize::from(octet))).sum::<usize>();
    let of = |octets: &[u8]| octets.iter().map(|octet| among(*octet..=*octet)).sum();
    let mut share = |name: &str, count: usize| lay(onto, name, magnitude(count * 1000 / source.len().max(1)));
    share("capitals", among(b'A'..=b'Z'));
    share("digits", among(b'0'..=b'9'));
    share("cries", of(b"!?$%*"));
    share("wide", among(0x80..=0xff));
    share("elements", of(b"<"));
    share("equals", of(b"="));
    share("strokes", of(b"_-"));
    let names = || memchr::memchr_iter(b'<', source).filter_map(|at| source.get(at + 1));
    if names().any(u8::is_ascii_uppercase) {
        onto.word(Place::Layout, "ELEMENT");
    }
    if names().any(u8::is_ascii_lowercase) {
        onto.word(Place::Layout, "element");
    }
}

/// Which octets are looked at in [`runs`]: looked up, for all of the text is asked.
#[expect(clippy::indexing_slicing, reason = "an octet is below 256, and this is computed when it is compiled")]
const MARKS: [bool; 256] = {
    let mut marks = [false; 256];
    let mut left: &[u8] = b"!$*=~#-";
    while let [first, rest @ ..] = left {
        marks[*first as usize] = true;
        left = rest;
    }
    marks
};

/// `!!!`, `*****`: which mark, and about how many of it.
fn runs(source: &[u8], onto: &mut Gathered) {
    let is_mark = |octet: &u8| MARKS.get(usize::from(*octet)).copied().unwrap_or(false);
    let mut rest = source;
    while let Some(at) = rest.iter().position(is_mark) {
        let from = rest.get(at..).unwrap_or_default();
        let length = from.iter().position(|octet| !is_mark(octet)).unwrap_or(from.len());
        if let (Some(first), 2..) = (from.first(), length) {
            onto.phrase(Place::Layout, format_args!("run {} {}", char::from(*first), magnitude(length).min(5)));
        }
        rest = from.get(length..).unwrap_or_default();
    }
}

/// The form of a link: how deep it leads, and what it ends with.
pub(crate) fn of_link(path: &str, onto: &mut Gathered) {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    lay(onto, "link-depth", path.bytes().filter(|octet| *octet == b'/').count().min(9));
    let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
    if (1..=5).contains(&ending.len()) {
        onto.phrase(Place::Layout, format_args!("link-ending {}", ending.to_lowercase()));
    }
}

/// Each four octets in a row.
fn fours(place: Place, octets: &[u8], onto: &mut Gathered) {
    for four in octets.array_windows() {
        onto.four(place, u32::from_be_bytes(*four));
    }
}

fn cut(octets: &[u8], limit: usize) -> &[u8] {
    octets.get(..limit).unwrap_or(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{check, features};

    #[test]
    fn the_author_s_program_shows_in_order_and_forms() {
        check(
            "Received: from a by b\r\nMessage-Id: <12ab@a.example>\r\nDate: Mon, 3 Nov 2026 10:00:00 +0100 (CET)\r\n\
             From: \"Ann\" <ann@a.example>\r\nX-Spam-Level: *\r\nSubject:hello\r\nX-Mailer: Post 1.0\r\n\
             Content-Type: text/plain; charset=utf-8; format=\"flowed\"\r\n\r\nx",
            &[
                (Place::FieldForm, "Message-Id"),
                (Place::FieldForm, "^: Message-Id"),
                (Place::FieldForm, "Message-Id: Date"),
                (Place::FieldForm, "Message-Id: : From"),
                (Place::FieldForm, "From: Subject"),
                (Place::FieldForm, "Content-Type: $"),
                (Place::FieldForm, "Subject: no blank"),
                (Place::FieldForm, "From: \"Aa\"?<@>"),
                (Place::FieldForm, "Date: w, 9 w 9999 99:99:99 + "),
                (Place::FieldForm, "Message-ID: 9a"),
                (Place::FieldForm, "Message-ID of post 1.0: 9a"),
                (Place::FieldForm, "Content-Type: text/plain; charset=; format=\""),
            ],
            &[(Place::FieldForm, "Received"), (Place::FieldForm, "X-Spam-Level"), (Place::FieldForm, "From: no blank")],
        );
    }

    #[test]
    fn layout_is_what_the_eye_sees_from_afar() {
        check(
            "\r\n Buy!!! now \r\n\r\n<B>x</b> http://a.example/b/c.HTML?d/e.f",
            &[
                (Place::Layout, "run ! 2"),
                (Place::Layout, "lines 2"),
                (Place::Layout, "indented 3"),
                (Place::Layout, "blank-ended 3"),
                (Place::Layout, "ELEMENT"),
                (Place::Layout, "link-depth 2"),
                (Place::Layout, "link-ending html"),
            ],
            &[(Place::Layout, "element")],
        );
    }

    #[test]
    fn what_lists_and_charsets_add_is_not_spelt() {
        let spelt = |raw: &str| {
            let all: Vec<Field<'_>> = relais_message::fields(raw.as_bytes()).collect();
            String::from_utf8(spelt_header(&all.iter().collect::<Vec<_>>())).unwrap()
        };
        assert_eq!(spelt("Subject: Re: [list] x [\r\nTo: me\r\n"), "Subject:Re:  x [ ");
        assert_eq!(spelt("Content-type: a/b; Charset=\"utf-8\"; c=d\r\n"), "Content-type:a/b; Charset=\"\"; c=d ");
        assert_eq!(spelt("Content-Type: a/b; charset=utf-8\r\n"), "Content-Type:a/b; charset= ");
        assert_eq!(spelt("Content-Type: a/b; charset=").len(), 27);
    }

    #[test]
    fn octets_are_taken_four_in_a_row() {
        let count = |body: &str| {
            let raw = format!("\r\n{body}");
            let features = features(&raw);
            features.iter().filter(|(_, place, _)| *place == Place::TextOctets).count()
        };
        assert_eq!((count("abc"), count("ABCD  efg"), count("aaaaaaaa")), (1, 6, 2));
    }
}
