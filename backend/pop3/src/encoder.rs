//! A message in the form of a multi-line response (RFC 1939 §3).

use memchr::memchr;

/// Writes a message's octets for RETR and TOP: a dot before each line that begins with one, CRLF after each line, the last
/// one and those that ended with a bare LF too, so that peers who read bare LF and peers who don't see the same lines.
///
/// Chunks may be cut anywhere.
#[derive(Debug, Clone)]
pub struct MessageEncoder {
    is_in_header: bool,
    /// Lines of the body still wanted; none: all.
    lines_left: Option<u32>,
    /// Octets of the line so far.
    line_octets: usize,
    /// The line so far ends with CR.
    after_cr: bool,
}

impl MessageEncoder {
    /// `lines`: the header, its blank line and this many lines of the body (TOP); none: the whole message.
    pub const fn new(lines: Option<u32>) -> Self {
        Self { is_in_header: true, lines_left: lines, line_octets: 0, after_cr: false }
    }

    /// Whether no more of the message is wanted. Further octets would be passed over.
    pub const fn is_complete(&self) -> bool {
        !self.is_in_header && matches!(self.lines_left, Some(0))
    }

    /// Appends the next octets to `output`.
    pub fn encode(&mut self, octets: &[u8], output: &mut Vec<u8>) {
        // Lines of a usual message are long enough for one reservation to serve all of a chunk.
        output.reserve(octets.len() + octets.len() / 32 + 8);
        let mut rest = octets;
        while !rest.is_empty() && !self.is_complete() {
            if self.line_octets == 0 && rest.starts_with(b".") {
                output.push(b'.');
            }
            let Some((line, after)) = memchr(b'\n', rest).and_then(|at| rest.split_at_checked(at)) else {
                output.extend_from_slice(rest);
                self.line_octets += rest.len();
                self.after_cr = rest.ends_with(b"\r");
                return;
            };
            output.extend_from_slice(line);
            self.line_octets += line.len();
            self.after_cr = if line.is_empty() { self.after_cr } else { line.ends_with(b"\r") };
            self.end_line(output);
            rest = after.split_first().map_or(&[], |(_line_feed, after)| after);
        }
    }

    /// Appends what closes the response.
    pub fn finish(mut self, output: &mut Vec<u8>) {
        if self.line_octets > 0 {
            self.after_cr = false; // a CR without its LF is part of the line
            self.end_line(output);
        }
        output.extend_from_slice(b".\r\n");
    }

    fn end_line(&mut self, output: &mut Vec<u8>) {
        output.extend_from_slice(if self.after_cr { b"\n" } else { b"\r\n" });
        if self.is_in_header {
            self.is_in_header = self.line_octets > usize::from(self.after_cr);
        } else if let Some(left) = &mut self.lines_left {
            *left = left.saturating_sub(1);
        }
        self.line_octets = 0;
        self.after_cr = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, lines: Option<u32>) -> Vec<u8> {
        let (mut encoder, mut output) = (MessageEncoder::new(lines), Vec::new());
        for chunk in chunks {
            encoder.encode(chunk, &mut output);
        }
        encoder.finish(&mut output);
        output
    }

    #[track_caller]
    fn check(message: &str, lines: Option<u32>, expected: &str) {
        let output = encode([message.as_bytes()], lines);
        assert_eq!(String::from_utf8(output).unwrap(), expected, "{message:?} {lines:?}");
    }

    /// RFC 1939 §3.
    #[test]
    fn lines_that_begin_with_a_dot_get_another() {
        check("a: b\r\n\r\n.\r\n..x\r\n", None, "a: b\r\n\r\n..\r\n...x\r\n.\r\n");
        check(".", None, "..\r\n.\r\n");
        check("a\n.\n", None, "a\r\n..\r\n.\r\n");
    }

    #[test]
    fn the_last_line_gets_its_end() {
        check("", None, ".\r\n");
        check("a", None, "a\r\n.\r\n");
        check("a\r", None, "a\r\r\n.\r\n");
        check("a\n", None, "a\r\n.\r\n");
        check("a\rb\r\n", None, "a\rb\r\n.\r\n");
    }

    /// RFC 1939 §7, TOP: the header, the blank line, then that many lines of the body.
    #[test]
    fn top_counts_lines_of_the_body() {
        let message = "a: b\r\nc: d\r\n\r\n1\r\n\r\n3\r\n";
        check(message, Some(0), "a: b\r\nc: d\r\n\r\n.\r\n");
        check(message, Some(2), "a: b\r\nc: d\r\n\r\n1\r\n\r\n.\r\n");
        check(message, Some(u32::MAX), "a: b\r\nc: d\r\n\r\n1\r\n\r\n3\r\n.\r\n");
        check("a: b\r\n", Some(1), "a: b\r\n.\r\n");
        check("\n1\n2", Some(1), "\r\n1\r\n.\r\n");
    }

    proptest! {
        #[test]
        fn chunks_may_be_cut_anywhere(message in "[a.\r\n]{0,40}", lines in proptest::option::of(0_u32..4)) {
            let whole = encode([message.as_bytes()], lines);
            prop_assert_eq!(&encode(message.as_bytes().chunks(1), lines), &whole);
            prop_assert!(whole == b".\r\n" || whole.ends_with(b"\r\n.\r\n"));
        }

        /// What a peer reads back is the message, line by line.
        #[test]
        fn the_peer_reads_the_same_lines(lines in proptest::collection::vec("[a.]{0,4}", 1..8)) {
            let mut message = lines.join("\r\n");
            message.push_str("\r\n");
            let output = String::from_utf8(encode([message.as_bytes()], None)).unwrap();
            let read: Vec<_> = output.lines().take_while(|line| *line != ".")
                .map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            prop_assert_eq!(read, lines);
        }
    }
}
