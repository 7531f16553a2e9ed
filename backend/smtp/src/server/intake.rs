//! The octets of one message as they come in, by DATA (RFC 5321 §4.1.1.4) or BDAT (RFC 3030).
//!
//! The line end is CRLF and nothing else (RFC 5321 §2.3.8): a bare CR or LF begins no line, so no dot after one ends the
//! message or is taken away, and a message that holds one is refused as a whole. That is what makes SMTP smuggling impossible: no
//! octets are a message's end to us and text to the server before us, or the other way round. NUL is taken: it harms
//! nobody here, and RFC 5321 §4.5.2 asks for all of ASCII.

use relais_model::{EnhancedCode, Reply};

/// Where in a line the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    Inside,
    /// After a CR.
    Cr,
    /// After the dot that begins a line; it has been taken away.
    Dot,
    /// After such a dot and a CR.
    DotCr,
}

/// Takes a message apart from its transport, and holds it to the limits.
#[derive(Debug)]
pub(crate) struct Intake {
    at: At,
    line_octets: usize,
    octets: u64,
    limits: IntakeLimits,
    has_bare_line_end: bool,
    has_long_line: bool,
}

/// What one message may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntakeLimits {
    pub(crate) message_octets: u64,
    pub(crate) text_line_octets: usize,
    /// BODY=BINARYMIME: there are no lines to be held to.
    pub(crate) is_binary: bool,
}

impl Intake {
    pub(crate) const fn new(limits: IntakeLimits) -> Self {
        Self { at: At::LineStart, line_octets: 0, octets: 0, limits, has_bare_line_end: false, has_long_line: false }
    }

    /// Takes octets of DATA until its end; appends the message's own to `out`. How many were taken, and whether the end
    /// is among them.
    pub(crate) fn take_data(&mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, bool) {
        let mut rest = input;
        while let Some((&octet, after)) = rest.split_first() {
            match (self.at, octet) {
                (At::LineStart, b'.') => (self.at, rest) = (At::Dot, after),
                (At::Dot, b'\r') => (self.at, rest) = (At::DotCr, after),
                (At::DotCr, b'\n') => return (input.len() - after.len(), true),
                (At::LineStart | At::Dot, _) => self.at = At::Inside,
                (At::DotCr, _) => self.stray_cr(out),
                (At::Inside | At::Cr, _) => rest = self.take_text(rest, out),
            }
        }
        (input.len(), false)
    }

    /// Takes octets of a chunk; appends them to `out`.
    pub(crate) fn take_chunk(&mut self, input: &[u8], out: &mut Vec<u8>) {
        if self.limits.is_binary {
            return self.keep(input, out);
        }
        let mut rest = input;
        while !rest.is_empty() {
            rest = self.take_text(rest, out);
        }
    }

    /// The last chunk is through: a CR still waiting for its LF waits in vain.
    pub(crate) fn end_chunks(&mut self, out: &mut Vec<u8>) {
        if self.at == At::Cr {
            self.stray_cr(out);
        }
    }

    /// Takes octets up to and with the next CR or line end; gives the rest.
    fn take_text<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        if self.at == At::Cr {
            let Some(rest) = input.strip_prefix(b"\n") else {
                self.stray_cr(out);
                return input;
            };
            self.keep(b"\r\n", out);
            (self.at, self.line_octets) = (At::LineStart, 0);
            return rest;
        }
        self.at = At::Inside;
        let end = memchr::memchr2(b'\r', b'\n', input).unwrap_or(input.len());
        let (text, rest) = input.split_at_checked(end).unwrap_or((input, &[]));
        self.line_octets = self.line_octets.saturating_add(text.len());
        self.has_long_line |= self.line_octets > self.limits.text_line_octets;
        self.keep(text, out);
        match rest.split_first() {
            Some((b'\r', rest)) => {
                self.at = At::Cr;
                rest
            }
            Some((_, rest)) => {
                self.has_bare_line_end = true;
                self.keep(b"\n", out);
                rest
            }
            None => rest,
        }
    }

    fn stray_cr(&mut self, out: &mut Vec<u8>) {
        (self.at, self.has_bare_line_end) = (At::Inside, true);
        self.keep(b"\r", out);
    }

    /// Counts always; keeps only while the message is still good.
    fn keep(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.octets = self.octets.saturating_add(octets.len() as u64);
        if self.is_good() {
            out.extend_from_slice(octets);
        }
    }

    /// Nothing speaks against the message so far.
    pub(crate) const fn is_good(&self) -> bool {
        !self.has_bare_line_end && !self.has_long_line && self.octets <= self.limits.message_octets
    }

    /// The message's size so far.
    pub(crate) const fn octets(&self) -> u64 {
        self.octets
    }

    /// Why the message is refused; none where it is good. Which reason is named doesn't hang on how the octets were cut.
    pub(crate) fn fault(&self) -> Option<Reply> {
        if self.octets > self.limits.message_octets {
            return Some(too_large());
        }
        let text = match () {
            () if self.has_bare_line_end => "A line ends with CRLF; this message has a CR or LF alone (RFC 5321 2.3.8)",
            () if self.has_long_line => "The message has a line that is too long",
            () => return None,
        };
        Some(Reply::new(554, EnhancedCode::new(5, 6, 0), text))
    }
}

/// So far beyond the limit that swallowing it all is a waste: twice, and a mebibyte.
pub(crate) const fn is_endless(octets: u64, limit: u64) -> bool {
    octets > limit.saturating_mul(2).saturating_add(1 << 20)
}

/// What is said of a message that is larger than is taken (RFC 1870 §6).
pub fn too_large() -> Reply {
    Reply::new(552, EnhancedCode::new(5, 3, 4), "The message is larger than this server takes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: IntakeLimits = IntakeLimits { message_octets: 1000, text_line_octets: 20, is_binary: false };

    /// The message, `bare`, or `open` where its end wasn't found.
    fn take(octets: &[u8], step: usize) -> String {
        let (mut intake, mut out) = (Intake::new(LIMITS), Vec::new());
        for piece in octets.chunks(step) {
            let (taken, ended) = intake.take_data(piece, &mut out);
            if ended {
                assert_eq!(taken, piece.len(), "octets after the end");
                return if intake.is_good() { out.escape_ascii().to_string() } else { "refused".to_owned() };
            }
        }
        "open".to_owned()
    }

    #[track_caller]
    fn check(octets: &[u8], expected: &str) {
        for step in 1..=octets.len() {
            assert_eq!(take(octets, step), expected, "{} by {step}", octets.escape_ascii());
        }
    }

    /// RFC 5321 §4.5.2.
    #[test]
    fn dots_are_taken_away() {
        check(b".\r\n", "");
        check(b"a\r\n.\r\n", "a\\r\\n");
        check(b"..\r\n...a\r\n.b\r\n.\r\n", ".\\r\\n..a\\r\\nb\\r\\n");
        check(b"a.\r\n.\r\n", "a.\\r\\n");
        check(b"\0\xff\r\n.\r\n", "\\x00\\xff\\r\\n");
    }

    /// The ends that other servers were found to take (SMTP smuggling, 2023): none is one here, and a message that
    /// holds one is refused at its true end.
    #[test]
    fn no_smuggled_end_is_an_end() {
        let line_ends: [&[u8]; 5] = [b"\n", b"\r", b"\r\n", b"\r\r\n", b"\n\r"];
        for before in line_ends {
            for after in line_ends {
                if (before, after) == (b"\r\n", b"\r\n") {
                    continue;
                }
                let smuggled = [b"x", before, b".", after, b"MAIL FROM:<>"].concat();
                if !(before.ends_with(b"\r\n") && after == b"\r\n") {
                    check(&smuggled, "open");
                    check(&[smuggled.as_slice(), b"\r\n.\r\n"].concat(), "refused");
                }
            }
        }
        check(b"x\r\r\n.\r\n", "refused");
        check(b"x\r\n.\0\r\n.\r\n", "x\\r\\n\\x00\\r\\n");
    }

    /// RFC 5321 §4.5.3.1.6: longer lines than 1000 octets are taken, up to a limit of ours.
    #[test]
    fn limits_hold() {
        check(b"12345678901234567890\r\n.\r\n", "12345678901234567890\\r\\n");
        check(b"123456789012345678901\r\n.\r\n", "refused");
        check(&[b"1234567\r\n".repeat(200), b".\r\n".to_vec()].concat(), "refused");
    }
}
