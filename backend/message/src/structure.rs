//! The MIME tree of a message as octet ranges, found in one pass (RFC 2045, RFC 2046).
//!
//! Nothing is refused: what is broken has some tree. Invariants: a part's ranges lie inside its parent's body, siblings
//! follow each other, depth and count are bounded. Where the RFCs are silent, parts are found as Dovecot finds them.

use std::ops::Range;

use memchr::memmem;

use crate::header::{fields, is_empty_line, line_end};
use crate::lexer::Lexer;
use crate::parameters::{ContentType, token};

/// Deeper containers are leaves.
pub const MAX_DEPTH: usize = 100;
/// Once there are so many parts, the rest of a multipart stays unread.
pub const MAX_PARTS: usize = 10_000;
/// Longer boundaries count to here only (RFC 2046 §5.1.1 allows 70).
const MAX_BOUNDARY_OCTETS: usize = 80;

/// A message's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// The message itself.
    pub root: Part,
}

/// The message, a part of a multipart, or a message inside a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its header, with the empty line where it has one.
    pub header: Range<usize>,
    /// What follows, without the line end that belongs to the boundary behind it (RFC 2046 §5.1.1).
    pub body: Range<usize>,
    /// Its Content-Type; none where that is absent or unreadable.
    pub content_type: Option<ContentType>,
    /// Its Content-Transfer-Encoding.
    pub encoding: Encoding,
    /// What is in the body.
    pub content: Content,
}

/// What a part's body is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Octets.
    Leaf,
    /// `multipart/…`; empty where it has no boundary or none of its boundary lines.
    Multipart(Vec<Part>),
    /// `message/rfc822` and `message/global`: its ranges fill the body.
    Message(Box<Part>),
}

/// Content-Transfer-Encoding (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `7bit`, `8bit`, `binary`, or no field.
    Identity,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `base64`.
    Base64,
    /// Any other word.
    Unknown,
}

impl Encoding {
    /// Reads an unfolded value.
    fn read(value: &[u8]) -> Self {
        let word = token(&mut Lexer::new(value));
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match () {
            () if is("base64") => Self::Base64,
            () if is("quoted-printable") => Self::QuotedPrintable,
            () if word.is_empty() || is("7bit") || is("8bit") || is("binary") => Self::Identity,
            () => Self::Unknown,
        }
    }
}

impl Structure {
    /// Reads any octets.
    pub fn read(raw: &[u8]) -> Self {
        let mut scanner = Scanner { raw, boundaries: Vec::new(), parts: 0 };
        Self { root: scanner.part(0, 0, false).0 }
    }

    /// The part that `path` names (RFC 9051 §6.4.5.1); the message itself where it is empty.
    pub fn part(&self, path: &[u32]) -> Option<&Part> {
        let Some((&first, rest)) = path.split_first() else { return Some(&self.root) };
        rest.iter().try_fold(self.root.numbered(first)?, |part, &number| match &part.content {
            Content::Leaf => None,
            Content::Multipart(parts) => nth(parts, number),
            Content::Message(message) => message.numbered(number),
        })
    }
}

fn nth(parts: &[Part], number: u32) -> Option<&Part> {
    parts.get(usize::try_from(number).ok()?.checked_sub(1)?)
}

impl Part {
    /// A message's part by number: one that is no multipart has itself as part 1 (RFC 9051 §6.4.5.1).
    fn numbered(&self, number: u32) -> Option<&Part> {
        match &self.content {
            Content::Multipart(parts) => nth(parts, number),
            Content::Leaf | Content::Message(_) => (number == 1).then_some(self),
        }
    }

    fn empty(at: usize) -> Self {
        Self { header: at..at, body: at..at, content_type: None, encoding: Encoding::Identity, content: Content::Leaf }
    }

    /// The message inside, where this part is one.
    pub fn message(&self) -> Option<&Part> {
        match &self.content {
            Content::Message(message) => Some(message),
            Content::Leaf | Content::Multipart(_) => None,
        }
    }

    /// The parts right below.
    pub fn children(&self) -> &[Part] {
        match &self.content {
            Content::Leaf => &[],
            Content::Multipart(parts) => parts,
            Content::Message(message) => std::slice::from_ref(message),
        }
    }

    /// Whether this leaf is text, said or by default (RFC 2045 §5.2).
    pub fn is_text(&self) -> bool {
        self.content == Content::Leaf && self.content_type.as_ref().is_none_or(|kind| kind.is_main("text"))
    }

    /// This part and all below it, in the order of the octets.
    pub fn walk(&self, visit: &mut dyn FnMut(&Part)) {
        visit(self);
        for part in self.children() {
            part.walk(visit);
        }
    }
}

/// Where a part ends, and why.
struct Stop {
    /// The end of the part's octets.
    end: usize,
    /// Which open boundary ended it; none: the message did.
    boundary: Option<Delimiter>,
}

#[derive(Clone, Copy)]
struct Delimiter {
    /// Index into the open boundaries.
    index: usize,
    /// The first octet of the line behind it.
    next: usize,
    /// `--boundary--`.
    is_closing: bool,
}

struct Scanner<'a> {
    raw: &'a [u8],
    /// Those of all multiparts around the present place, outermost first.
    boundaries: Vec<Vec<u8>>,
    parts: usize,
}

/// What a header says of its part's body.
#[derive(Default)]
struct Described {
    content_type: Option<ContentType>,
    encoding: Option<Encoding>,
}

impl Scanner<'_> {
    /// Reads the part that begins at `from`, up to a boundary line of one of the multiparts around it.
    fn part(&mut self, from: usize, depth: usize, is_in_digest: bool) -> (Part, Stop) {
        self.parts += 1;
        let header_end = self.header_end(from);
        let described = self.described(from..header_end);
        let (content, stop) = self.body(header_end, depth, &described, is_in_digest);
        // The line end before a boundary line is the boundary's, even where it is the header's last, its empty line, or
        // the end of the boundary line that opened this part.
        let end = stop.end;
        let from = from.min(end);
        let (header_end, content) = match content {
            Content::Message(_) if end < header_end => (end, Content::Message(Box::new(Part::empty(end)))),
            content => (header_end.min(end), content),
        };
        let part = Part {
            header: from..header_end,
            body: header_end..end,
            content_type: described.content_type,
            encoding: described.encoding.unwrap_or(Encoding::Identity),
            content,
        };
        (part, stop)
    }

    /// Behind the empty line; or where a boundary line or the end comes first.
    fn header_end(&self, from: usize) -> usize {
        let mut at = from;
        while let Some(rest) = self.raw.get(at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with(b"--") && self.delimiter(at).is_some() {
                return at;
            }
            at = line_end(self.raw, at);
            if is_empty_line(rest) {
                break;
            }
        }
        at
    }

    /// The first Content-Type and the first Content-Transfer-Encoding count.
    fn described(&self, header: Range<usize>) -> Described {
        let mut described = Described::default();
        let mut has_type = false;
        for field in fields(self.raw.get(header).unwrap_or_default()) {
            if !has_type && field.is("Content-Type") {
                has_type = true;
                described.content_type = ContentType::read(&field.unfolded());
            } else if field.is("Content-Transfer-Encoding") && described.encoding.is_none() {
                described.encoding = Some(Encoding::read(&field.unfolded()));
            }
        }
        described
    }

    fn body(&mut self, from: usize, depth: usize, described: &Described, is_in_digest: bool) -> (Content, Stop) {
        let Some(kind) = &described.content_type else {
            // RFC 2046 §5.1.5: the default inside a digest is a message.
            let is_message = is_in_digest && depth < MAX_DEPTH;
            return if is_message { self.message(from, depth) } else { (Content::Leaf, self.stop(from)) };
        };
        if kind.is_main("multipart") {
            return match kind.parameter("boundary") {
                Some(boundary) if !boundary.is_empty() && depth < MAX_DEPTH => {
                    let boundary = boundary.get(..MAX_BOUNDARY_OCTETS).unwrap_or(boundary).to_vec();
                    self.multipart(from, depth, boundary, kind.is("multipart", "digest"))
                }
                _ => (Content::Multipart(Vec::new()), self.stop(from)),
            };
        }
        let is_encoded = matches!(described.encoding, Some(Encoding::Base64 | Encoding::QuotedPrintable));
        let is_message = kind.is("message", "rfc822") || kind.is("message", "global") && !is_encoded;
        if is_message && depth < MAX_DEPTH { self.message(from, depth) } else { (Content::Leaf, self.stop(from)) }
    }

    fn message(&mut self, from: usize, depth: usize) -> (Content, Stop) {
        let (message, stop) = self.part(from, depth + 1, false);
        (Content::Message(Box::new(message)), stop)
    }

    fn multipart(&mut self, from: usize, depth: usize, boundary: Vec<u8>, is_digest: bool) -> (Content, Stop) {
        let own = self.boundaries.len();
        self.boundaries.push(boundary);
        let mut parts = Vec::new();
        let mut stop = self.stop(from);
        let after = loop {
            match stop.boundary {
                Some(delimiter) if delimiter.index == own && !delimiter.is_closing && self.parts < MAX_PARTS => {
                    let (part, behind) = self.part(delimiter.next, depth + 1, is_digest);
                    parts.push(part);
                    stop = behind;
                }
                // Our end, or enough of it: what follows is the epilogue.
                Some(delimiter) if delimiter.index == own => break Some(delimiter.next),
                // The end of something around us, or of everything.
                _ => break None,
            }
        };
        self.boundaries.truncate(own);
        if let Some(next) = after {
            stop = self.stop(next);
        }
        (Content::Multipart(parts), stop)
    }

    /// The next boundary line at or behind `from`; the line end before it is its own (RFC 2046 §5.1.1).
    fn stop(&self, from: usize) -> Stop {
        let mut at = from;
        while !self.boundaries.is_empty() && at < self.raw.len() {
            let rest = self.raw.get(at..).unwrap_or_default();
            if rest.starts_with(b"--")
                && let Some(delimiter) = self.delimiter(at)
            {
                let before = self.raw.get(..at).unwrap_or_default();
                let line_end = if before.ends_with(b"\r\n") { 2 } else { usize::from(before.ends_with(b"\n")) };
                return Stop { end: at - line_end, boundary: Some(delimiter) };
            }
            match memmem::find(rest, b"\n--") {
                Some(found) => at += found + 1,
                None => break,
            }
        }
        Stop { end: self.raw.len(), boundary: None }
    }

    /// Whether the line at `at`, which begins with `--`, is a boundary of ours. RFC 2046 §5.1.1: the line's beginning
    /// counts, so `--ab` is also a line of boundary `a`: the longest fits best, then the innermost.
    fn delimiter(&self, at: usize) -> Option<Delimiter> {
        let next = line_end(self.raw, at);
        let line = self.raw.get(at + 2..next)?;
        let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut best: Option<(usize, &[u8])> = None;
        for (index, boundary) in self.boundaries.iter().enumerate().rev() {
            if line.starts_with(boundary) && best.is_none_or(|(_, longest)| boundary.len() > longest.len()) {
                best = Some((index, boundary));
                // `--a--` closes `a` rather than opening an outer `a--`.
                if line.len() == boundary.len() || line.get(boundary.len()..) == Some(b"--") {
                    break;
                }
            }
        }
        let (index, boundary) = best?;
        let is_closing = line.get(boundary.len()..).is_some_and(|rest| rest.starts_with(b"--"));
        Some(Delimiter { index, next, is_closing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line a part: its path among children, header and body.
    #[track_caller]
    fn check(raw: &str, expected: &[(&str, &str, &str)]) {
        fn list<'a>(raw: &'a str, part: &Part, path: &str, onto: &mut Vec<(String, &'a str, &'a str)>) {
            onto.push((path.to_owned(), &raw[part.header.clone()], &raw[part.body.clone()]));
            for (child, number) in part.children().iter().zip(1..) {
                list(raw, child, &format!("{path}{}{number}", if path.is_empty() { "" } else { "." }), onto);
            }
        }
        let mut parts = Vec::new();
        list(raw, &Structure::read(raw.as_bytes()).root, "", &mut parts);
        let parts: Vec<_> = parts.iter().skip(1).map(|(path, header, body)| (path.as_str(), *header, *body)).collect();
        assert_eq!(parts, expected, "{raw}");
    }

    const MIXED: &str = "Content-Type: multipart/mixed; boundary=a\r\n\r\n";

    /// RFC 2046 §5.1.1; the broken ones as Dovecot has them.
    #[test]
    fn parts_end_before_the_line_end_of_a_boundary() {
        check(
            &format!("{MIXED}x\r\n--a\r\n\r\none\r\n\r\n--a\r\nA: b\r\n\r\ntwo\r\n--a--\r\nend"),
            &[("1", "\r\n", "one\r\n"), ("2", "A: b\r\n\r\n", "two")],
        );
        check(&format!("{MIXED}--a\n\none\n--a  \n\ntwo"), &[("1", "\n", "one"), ("2", "\n", "two")]);
        check(
            &format!("{MIXED}--a\r\n\r\n--a\r\n--a\r\nA: b\r\n--a\r\nA: b\r\n\r\n--a--"),
            &[("1", "", ""), ("2", "", ""), ("3", "A: b", ""), ("4", "A: b\r\n", "")],
        );
        check(&format!("{MIXED}no boundary line"), &[]);
        check("Content-Type: multipart/mixed\r\n\r\n--\r\n\r\nx", &[]);
        check(&format!("{MIXED}--a--\r\n--a\r\n\r\nepilogue"), &[]);
        check(
            "Content-Type: multipart/mixed; boundary=\"a  \"\r\n\r\n--a  \r\n\r\nx\r\n--a \r\n",
            &[("1", "\r\n", "x\r\n--a \r\n")],
        );
    }

    #[test]
    fn the_longest_boundary_fits_best() {
        let inner = "Content-Type: multipart/mixed; boundary=ab\r\n\r\n";
        check(
            &format!("{MIXED}--a\r\n{inner}--ab\r\n\r\nx\r\n--ab--\r\n\r\n--a\r\n\r\ny\r\n--a--"),
            &[("1", inner, "--ab\r\n\r\nx\r\n--ab--\r\n"), ("1.1", "\r\n", "x"), ("2", "\r\n", "y")],
        );
        // Inner parts without their end are ended by the outer boundary.
        check(
            &format!("{MIXED}--a\r\n{inner}--ab\r\n\r\nx\r\n--a\r\n\r\ny\r\n--a--"),
            &[("1", inner, "--ab\r\n\r\nx"), ("1.1", "\r\n", "x"), ("2", "\r\n", "y")],
        );
        // The same boundary again: the innermost counts.
        check(
            &format!("{MIXED}--a\r\n{MIXED}--a\r\n\r\nx\r\n--a--\r\n--a--"),
            &[("1", MIXED, "--a\r\n\r\nx\r\n--a--"), ("1.1", "\r\n", "x")],
        );
    }

    /// An outer boundary right behind the line that opens an inner part: that part lies inside its parent all the same.
    #[test]
    fn an_empty_part_lies_inside_its_parent() {
        let raw = format!("{MIXED}--a\r\nContent-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\n--a\r\n\r\nx");
        let structure = Structure::read(raw.as_bytes());
        let (parent, part) = (structure.part(&[1]).unwrap(), structure.part(&[1, 1]).unwrap());
        assert_eq!(&raw[parent.body.clone()], "--ab");
        assert!(part.header.is_empty() && part.body == (parent.body.end..parent.body.end));
    }

    /// RFC 2046 §5.1.5, §5.2.1.
    #[test]
    fn messages_are_looked_into() {
        let digest = "Content-Type: multipart/digest; boundary=a\r\n\r\n";
        check(
            &format!(
                "{digest}--a\r\n\r\nSubject: s\r\n\r\nx\r\n--a\r\nContent-Type: text/plain\r\n\r\ny\r\n--a\r\n\r\n--a--"
            ),
            &[
                ("1", "\r\n", "Subject: s\r\n\r\nx"),
                ("1.1", "Subject: s\r\n\r\n", "x"),
                ("2", "Content-Type: text/plain\r\n\r\n", "y"),
                ("3", "", ""),
                ("3.1", "", ""),
            ],
        );
        check("Content-Type: message/rfc822\r\n\r\nA: b\r\n", &[("1", "A: b\r\n", "")]);
        check("Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==", &[]);
    }
}
