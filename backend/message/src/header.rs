//! Header fields as octets (RFC 5322 §2.2), by line ends CRLF or bare LF.
//!
//! A header ends with its first empty line, which belongs to it, or with the octets. Every octet before that belongs to
//! exactly one [`Field`]: a line without a colon is a field without a name.

use std::borrow::Cow;

/// One field: slices of the header that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// From the name's first octet through the last line end, folds included.
    pub raw: &'a [u8],
    /// Without the colon and blanks before it; empty where the line has no colon.
    pub name: &'a [u8],
    /// Raw, behind the colon, through the last line end.
    pub value: &'a [u8],
}

impl<'a> Field<'a> {
    fn new(raw: &'a [u8]) -> Self {
        let line = raw.get(..line_end(raw, 0)).unwrap_or(raw);
        match memchr::memchr(b':', line).and_then(|colon| raw.split_at_checked(colon)) {
            Some((name, value)) => Self { raw, name: name.trim_ascii_end(), value: value.get(1..).unwrap_or_default() },
            None => Self { raw, name: &[], value: raw },
        }
    }

    /// Whether this is the field called `name`, in any case.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line (see [`unfold`]).
    pub fn unfolded(&self) -> Cow<'a, [u8]> {
        unfold(self.value)
    }
}

/// Walks over the fields of `header`; what stands behind its empty line is not looked at.
pub fn fields(header: &[u8]) -> Fields<'_> {
    Fields { rest: header }
}

/// What [`fields`] gives.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() || is_empty_line(self.rest) {
            return None;
        }
        let mut end = line_end(self.rest, 0);
        // RFC 5322 §2.2.3: a line that begins with a blank continues the field.
        while matches!(self.rest.get(end), Some(b' ' | b'\t')) {
            end = line_end(self.rest, end);
        }
        let (raw, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(Field::new(raw))
    }
}

/// Where the line that begins at `from` ends: behind its LF, or at the end.
pub(crate) fn line_end(octets: &[u8], from: usize) -> usize {
    let line = octets.get(from..).unwrap_or_default();
    memchr::memchr(b'\n', line).map_or(octets.len(), |lf| from + lf + 1)
}

/// Whether `octets` begin with a line end.
pub(crate) fn is_empty_line(octets: &[u8]) -> bool {
    matches!(octets, [b'\n', ..] | [b'\r', b'\n', ..])
}

/// How many octets of `raw` are its header, with the empty line.
pub fn header_octets(raw: &[u8]) -> usize {
    let mut at = 0;
    while at < raw.len() {
        let is_last = is_empty_line(raw.get(at..).unwrap_or_default());
        at = line_end(raw, at);
        if is_last {
            break;
        }
    }
    at
}

/// RFC 5322 §2.2.3: the value on one line, without the blanks before it. A line end and the blanks behind it become one
/// space, as Dovecot does it.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let blanks = value.iter().take_while(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n')).count();
    let mut value = value.get(blanks..).unwrap_or_default();
    while let [rest @ .., b'\r' | b'\n'] = value {
        value = rest;
    }
    if memchr::memchr(b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut line = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, behind)) = memchr::memchr(b'\n', rest).and_then(|lf| rest.split_at_checked(lf)) {
        line.extend_from_slice(before.strip_suffix(b"\r").unwrap_or(before));
        line.push(b' ');
        rest = behind.trim_ascii_start();
    }
    line.extend_from_slice(rest);
    Cow::Owned(line)
}

/// `BODY[HEADER.FIELDS]` and, with `not`, `BODY[HEADER.FIELDS.NOT]` (RFC 9051 §6.4.5): the fields named, octet by octet
/// and in their order, and an empty line. Works on a header alone.
pub fn header_fields(header: &[u8], names: &[String], not: bool) -> Vec<u8> {
    let mut chosen = Vec::with_capacity(if not { header.len() + 2 } else { 256 });
    for field in fields(header) {
        if names.iter().any(|name| field.is(name)) != not {
            chosen.extend_from_slice(field.raw);
        }
    }
    // A header that ends within a line: the empty line must stand on its own.
    if !matches!(chosen.last(), None | Some(b'\n')) {
        chosen.extend_from_slice(b"\r\n");
    }
    chosen.extend_from_slice(b"\r\n");
    chosen
}

/// The header without the fields called one of `names`, folds and all; the rest stays octet by octet.
pub fn remove_fields(header: &[u8], names: &[&str]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(header.len());
    let mut octets = 0;
    for field in fields(header) {
        octets += field.raw.len();
        if !names.iter().any(|name| field.is(name)) {
            kept.extend_from_slice(field.raw);
        }
    }
    kept.extend_from_slice(header.get(octets..).unwrap_or_default());
    kept
}

/// How many Received fields there are: more than a named limit is a loop (RFC 5321 §6.3).
pub fn count_received(header: &[u8]) -> usize {
    fields(header).filter(|field| field.is("Received")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expected: &[(&str, &str)]) {
        let read: Vec<_> = fields(header.as_bytes())
            .map(|field| {
                (
                    String::from_utf8_lossy(field.name).into_owned(),
                    String::from_utf8_lossy(&field.unfolded()).into_owned(),
                )
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(read, expected, "{header:?}");
    }

    /// RFC 5322 §2.2, §4.5 (blanks before the colon).
    #[test]
    fn fields_are_read_folded_and_broken() {
        check("A: 1\r\nB:2\r\n\r\nC: 3\r\n", &[("A", "1"), ("B", "2")]);
        check("A : 1\r\n two\r\n \r\n\t three\r\n\r\n", &[("A", "1 two three")]);
        check("A: 1\nB: 2\n\nbody", &[("A", "1"), ("B", "2")]);
        check("A:\r\n folded\r\n", &[("A", "folded")]);
        check("no colon\r\nA: 1", &[("", "no colon"), ("A", "1")]);
        check(" lead\r\nA:\r\n\r\n", &[("", "lead"), ("A", "")]);
        check("no colon\r\n with: one\r\n\r\n", &[("", "no colon with: one")]);
        check("\r\nA: 1\r\n", &[]);
        check("", &[]);
        check("A: x \r\n", &[("A", "x ")]);
    }

    /// RFC 9051 §6.4.5.
    #[test]
    fn chosen_fields_keep_order_and_end_with_an_empty_line() {
        let header = b"From: a\r\nSubject: s\r\n x\r\nbroken\r\nfrom: b\r\n\r\n";
        let names = ["FROM".to_owned(), "X-None".to_owned()];
        assert_eq!(header_fields(header, &names, false), b"From: a\r\nfrom: b\r\n\r\n");
        assert_eq!(header_fields(header, &names, true), b"Subject: s\r\n x\r\nbroken\r\n\r\n");
        assert_eq!(header_fields(b"A: 1", &["a".into()], false), b"A: 1\r\n\r\n");
        assert_eq!(header_fields(b"", &[], true), b"\r\n");
    }

    #[test]
    fn removed_fields_go_with_their_folds() {
        let header = b"Bcc: a@x,\r\n b@x\r\nResent-Bcc: c@x\r\nTo: d@x\r\n\r\n";
        assert_eq!(remove_fields(header, &["bcc"]), b"Resent-Bcc: c@x\r\nTo: d@x\r\n\r\n");
        assert_eq!(count_received(b"Received: a\r\n b\r\nreceived: c\r\n\r\nReceived: d\r\n"), 2);
    }

    #[test]
    fn a_header_ends_behind_its_empty_line() {
        for (raw, octets) in
            [("A: 1\r\n\r\nb", 8), ("A: 1\n\nb", 6), ("A: 1\r\n", 6), ("\r\nb", 2), ("", 0), ("A\r\n \r\n\r\n", 8)]
        {
            assert_eq!(header_octets(raw.as_bytes()), octets, "{raw:?}");
        }
    }
}
