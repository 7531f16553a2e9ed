//! Canonicalisation (RFC 6376 §3.4): the one form of a message that signer and verifier hash.
//!
//! Lines end with CRLF; a lone CR or LF in a body is an octet as any other.

use memchr::memchr;
use ring::digest::{Context, Digest, SHA256};

/// Octets of a body that are gathered before they are hashed.
const HASHED_AT_ONCE: usize = 16 * 1024;

/// How much change a signature survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Canonicalization {
    /// Almost none.
    Simple,
    /// Blanks may change.
    Relaxed,
}

impl Canonicalization {
    /// Its word in `c=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    /// By its word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Simple, Self::Relaxed].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Appends a field, folds and line end included (§3.4.1, §3.4.2).
pub fn canonical_header(kind: Canonicalization, field: &[u8], out: &mut Vec<u8>) {
    match kind {
        Canonicalization::Simple => out.extend_from_slice(field),
        Canonicalization::Relaxed => {
            let colon = field.iter().position(|octet| *octet == b':').unwrap_or(field.len());
            let (name, value) = field.split_at_checked(colon).unwrap_or((field, &[]));
            out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
            out.push(b':');
            let mut words =
                value.get(1..).unwrap_or_default().split(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
            let mut is_first = true;
            for word in words.by_ref().filter(|word| !word.is_empty()) {
                if !is_first {
                    out.push(b' ');
                }
                is_first = false;
                out.extend_from_slice(word);
            }
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// The body as it is hashed (§3.4.3, §3.4.4). For tests, and for whoever looks for what changed on the way.
pub fn canonical_body(kind: Canonicalization, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    walk_body(kind, body, &mut |octets| out.extend_from_slice(octets));
    out
}

/// The hash of the canonical body, or of its first `limit` octets; and how long all of it is.
pub(crate) fn hash_body(kind: Canonicalization, body: &[u8], limit: Option<u64>) -> (Digest, u64) {
    let (mut context, mut total) = (Context::new(&SHA256), 0_u64);
    // A word at a time costs more than its hash.
    let mut gathered = Vec::with_capacity(HASHED_AT_ONCE.min(body.len() + 2));
    walk_body(kind, body, &mut |octets| {
        let left = limit.map_or(u64::MAX, |limit| limit.saturating_sub(total));
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(octets.len());
        if gathered.len() + taken > HASHED_AT_ONCE {
            context.update(&gathered);
            gathered.clear();
        }
        let now = octets.get(..taken).unwrap_or_default();
        if taken > HASHED_AT_ONCE {
            context.update(now);
        } else {
            gathered.extend_from_slice(now);
        }
        total += octets.len() as u64;
    });
    context.update(&gathered);
    (context.finish(), total)
}

/// The hashes of one body, each computed once: most signatures of a message want the same.
#[derive(Debug)]
pub(crate) struct BodyHashes<'a> {
    body: &'a [u8],
    known: Vec<(Canonicalization, Option<u64>, Digest, u64)>,
}

impl<'a> BodyHashes<'a> {
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self { body, known: Vec::new() }
    }

    /// As [`hash_body`].
    pub(crate) fn hash(&mut self, kind: Canonicalization, limit: Option<u64>) -> (Digest, u64) {
        let is_same = |known: &&(Canonicalization, Option<u64>, Digest, u64)| (known.0, known.1) == (kind, limit);
        if let Some((_, _, hash, octets)) = self.known.iter().find(is_same) {
            return (*hash, *octets);
        }
        let (hash, octets) = hash_body(kind, self.body, limit);
        self.known.push((kind, limit, hash, octets));
        (hash, octets)
    }
}

/// Empty lines at the end go; what is left ends with CRLF. A simple body that is empty becomes one CRLF, a relaxed one stays empty.
fn walk_body(kind: Canonicalization, body: &[u8], emit: &mut dyn FnMut(&[u8])) {
    let (mut rest, mut empty_lines, mut is_empty) = (body, 0_u64, true);
    while !rest.is_empty() {
        let (line, behind) = cut_line(rest);
        rest = behind;
        // A line of blanks alone is empty when relaxed: `WSP at the end of lines` goes first.
        let line = if kind == Canonicalization::Relaxed { without_blanks_behind(line) } else { line };
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            emit(b"\r\n");
        }
        match kind {
            Canonicalization::Simple => emit(line),
            Canonicalization::Relaxed => emit_relaxed(line, emit),
        }
        emit(b"\r\n");
        is_empty = false;
    }
    if is_empty && kind == Canonicalization::Simple {
        emit(b"\r\n");
    }
}

/// The first line without its CRLF, and what follows.
fn cut_line(text: &[u8]) -> (&[u8], &[u8]) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| memchr(b'\n', rest)) {
        let lf = from + at;
        if let Some(line) = text.get(..lf).and_then(|line| line.strip_suffix(b"\r")) {
            return (line, text.get(lf + 1..).unwrap_or_default());
        }
        from = lf + 1;
    }
    (text, &[])
}

fn without_blanks_behind(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// Each run of blanks becomes one space. Most lines have none that must change.
fn emit_relaxed(line: &[u8], emit: &mut dyn FnMut(&[u8])) {
    let is_blank = |octet: &u8| matches!(octet, b' ' | b'\t');
    let mut rest = line;
    loop {
        let odd =
            rest.array_windows().position(|[first, second]| *first == b'\t' || is_blank(first) && is_blank(second));
        let Some(odd) = odd else { break };
        let (before, blanks) = rest.split_at_checked(odd).unwrap_or((rest, &[]));
        emit(before);
        emit(b" ");
        rest = blanks.get(blanks.iter().take_while(|octet| is_blank(octet)).count()..).unwrap_or_default();
    }
    emit(rest);
}

#[cfg(test)]
mod tests {
    use super::Canonicalization::{Relaxed, Simple};
    use super::*;

    fn header(kind: Canonicalization, field: &str) -> String {
        let mut out = Vec::new();
        canonical_header(kind, field.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[track_caller]
    fn check(kind: Canonicalization, body: &str, expected: &str) {
        assert_eq!(String::from_utf8(canonical_body(kind, body.as_bytes())).unwrap(), expected, "{kind:?} {body:?}");
    }

    /// RFC 6376 §3.4.5.
    #[test]
    fn the_rfcs_own_examples() {
        assert_eq!(header(Relaxed, "A: X\r\n"), "a:X\r\n");
        assert_eq!(header(Relaxed, "B : Y\t\r\n\tZ  \r\n"), "b:Y Z\r\n");
        assert_eq!(header(Simple, "B : Y\t\r\n\tZ  \r\n"), "B : Y\t\r\n\tZ  \r\n");
        check(Relaxed, " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n");
        check(Simple, " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n");
    }

    /// RFC 6376 §3.4.3 and §3.4.4.
    #[test]
    fn ends_of_bodies() {
        check(Simple, "", "\r\n");
        check(Relaxed, "", "");
        check(Simple, "\r\n\r\n", "\r\n");
        check(Relaxed, "\r\n\r\n", "");
        check(Simple, "x", "x\r\n");
        check(Relaxed, "x", "x\r\n");
        check(Relaxed, "x\r\n \r\n", "x\r\n");
        check(Relaxed, "x\r\n\t \r\n \r\n\r\n", "x\r\n");
        check(Relaxed, "x\r\n ", "x\r\n");
        check(Relaxed, " \r\n\r\nx\r\n", "\r\n\r\nx\r\n");
        check(Simple, "x\r\n \r\n", "x\r\n \r\n");
        check(Simple, "x\r\n\r\ny\r\n\r\n", "x\r\n\r\ny\r\n");
        check(Relaxed, "x\ny \t\r\n", "x\ny\r\n");
    }

    #[test]
    fn a_limit_cuts_the_canonical_form() {
        let (all, total) = hash_body(Relaxed, b"a  b\r\n", None);
        assert_eq!((all.as_ref(), total), (ring::digest::digest(&SHA256, b"a b\r\n").as_ref(), 5));
        let (cut, total) = hash_body(Relaxed, b"a  b\r\n", Some(2));
        assert_eq!((cut.as_ref(), total), (ring::digest::digest(&SHA256, b"a ").as_ref(), 5));
        // However much of it is hashed at once.
        for words in [10, HASHED_AT_ONCE / 4, HASHED_AT_ONCE, 3 * HASHED_AT_ONCE] {
            let body = format!("{} a  b\r\n{}\r\n", "abc ".repeat(words), "x".repeat(2 * words));
            let canonical = canonical_body(Relaxed, body.as_bytes());
            for limit in [None, Some(0), Some(7), Some(HASHED_AT_ONCE as u64 + 1), Some(1 << 30)] {
                let whole = limit.unwrap_or(u64::MAX).min(canonical.len() as u64);
                let expected = ring::digest::digest(&SHA256, &canonical[..usize::try_from(whole).unwrap()]);
                let (hash, total) = hash_body(Relaxed, body.as_bytes(), limit);
                assert_eq!((hash.as_ref(), total), (expected.as_ref(), canonical.len() as u64), "{words} {limit:?}");
            }
        }
    }
}
