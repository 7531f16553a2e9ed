//! The message on its way out, block by block.

/// How a message goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// After DATA: dots stuffed, ended by a dot (RFC 5321 §4.5.2).
    Data,
    /// As one BDAT chunk of exactly so many octets, unchanged (RFC 3030).
    Chunk {
        /// The message's size as it was promised.
        octets: u64,
    },
}

/// Turns a message's octets into what goes over the wire. [`Encoder::push`] each block, then [`Encoder::finish`].
///
/// For DATA the line end is CRLF and nothing else goes out: a bare CR or LF becomes CRLF, so that nothing that is kept here can
/// end a message early at the peer (SMTP smuggling).
#[derive(Debug)]
pub struct Encoder {
    transfer: Transfer,
    at: At,
    pushed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    Inside,
    Cr,
}

impl Encoder {
    /// For one message.
    pub const fn new(transfer: Transfer) -> Self {
        Self { transfer, at: At::LineStart, pushed: 0 }
    }

    /// Appends the wire form of the next block to `out`.
    pub fn push(&mut self, block: &[u8], out: &mut Vec<u8>) {
        self.pushed = self.pushed.saturating_add(block.len() as u64);
        if self.transfer != Transfer::Data {
            return out.extend_from_slice(block);
        }
        let mut rest = block;
        while let Some((&octet, after)) = rest.split_first() {
            match (self.at, octet) {
                (At::Cr, b'\n') => {
                    self.end_line(out);
                    rest = after;
                }
                (At::Cr, _) => self.end_line(out),
                (At::LineStart, b'.') => {
                    out.extend_from_slice(b"..");
                    (self.at, rest) = (At::Inside, after);
                }
                _ => rest = self.text(rest, out),
            }
        }
    }

    /// Copies up to the next CR or LF, and takes it.
    fn text<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        self.at = At::Inside;
        let end = memchr::memchr2(b'\r', b'\n', input).unwrap_or(input.len());
        let (text, rest) = input.split_at_checked(end).unwrap_or((input, &[]));
        out.extend_from_slice(text);
        match rest.split_first() {
            Some((b'\r', rest)) => {
                self.at = At::Cr;
                rest
            }
            Some((_, rest)) => {
                self.end_line(out);
                rest
            }
            None => rest,
        }
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
        self.at = At::LineStart;
    }

    /// Appends the end. False where a chunk didn't get as many octets as promised: the peer waits for more, or takes
    /// the message's end for commands; break the connection off.
    #[must_use]
    pub fn finish(mut self, out: &mut Vec<u8>) -> bool {
        match self.transfer {
            Transfer::Data => {
                if self.at != At::LineStart {
                    self.end_line(out);
                }
                out.extend_from_slice(b".\r\n");
                true
            }
            Transfer::Chunk { octets } => self.pushed == octets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &[u8], expected: &[u8]) {
        for step in 1..=message.len().max(1) {
            let (mut encoder, mut out) = (Encoder::new(Transfer::Data), Vec::new());
            for block in message.chunks(step) {
                encoder.push(block, &mut out);
            }
            assert!(encoder.finish(&mut out));
            assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string(), "by {step}");
        }
    }

    /// RFC 5321 §4.5.2.
    #[test]
    fn dots_are_stuffed() {
        check(b"", b".\r\n");
        check(b"a\r\n", b"a\r\n.\r\n");
        check(b"a", b"a\r\n.\r\n");
        check(b".\r\n..\r\na.\r\n", b"..\r\n...\r\na.\r\n.\r\n");
    }

    /// Nothing that is kept here ends a message early elsewhere.
    #[test]
    fn bare_line_ends_go_out_as_crlf() {
        check(b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n");
        check(b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n");
        check(b"a\r\r\n.\r", b"a\r\n\r\n..\r\n.\r\n");
        check(b"a\n.\r\n", b"a\r\n..\r\n.\r\n");
    }

    /// RFC 3030 §2: the size was said before.
    #[test]
    fn a_chunk_has_the_promised_size() {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(Transfer::Chunk { octets: 3 });
        encoder.push(b".\n.", &mut out);
        assert!(encoder.finish(&mut out));
        assert_eq!(out, b".\n.");
        assert!(!Encoder::new(Transfer::Chunk { octets: 3 }).finish(&mut out));
    }
}
