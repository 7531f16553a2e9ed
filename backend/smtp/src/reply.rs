//! Replies on the wire (RFC 5321 §4.2, RFC 2034): written strictly, read tolerantly.

use relais_model::{EnhancedCode, Reply};

/// RFC 5321 §4.5.3.1.5: a reply line has 512 octets with its code and CRLF; this is left for the text.
const WRITTEN_TEXT_OCTETS: usize = 480;
/// The longest line that we read: RFC 5321 says 512, the world says more.
pub const REPLY_LINE_OCTETS: usize = 4096;
/// The longest reply that we read, all its lines together.
pub const REPLY_OCTETS: usize = 32 * 1024;

/// Why octets are no reply. The connection is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A line doesn't begin with a code from 200 to 599.
    #[error("`{0}` is no reply")]
    Shape(String),
    /// More than [`REPLY_LINE_OCTETS`].
    #[error("a reply line is too long")]
    LineLength,
    /// More than [`REPLY_OCTETS`].
    #[error("a reply is too long")]
    Length,
}

/// Writes `reply` in the wire's form. Control and non-ASCII characters become `?` (RFC 6531 §3.7.4.2), and long lines
/// are cut: a text from elsewhere cannot forge a second reply.
pub fn write_reply(reply: &Reply, out: &mut Vec<u8>) {
    let mut lines = reply.text.lines().peekable();
    let mut line = lines.next().unwrap_or_default();
    loop {
        let separator = if lines.peek().is_some() { '-' } else { ' ' };
        out.extend_from_slice(format!("{:03}{separator}", reply.code).as_bytes());
        if let Some(enhanced) = reply.enhanced {
            out.extend_from_slice(format!("{enhanced} ").as_bytes());
        }
        let printable = |character: char| if matches!(character, ' '..='~') { character as u8 } else { b'?' };
        out.extend(line.chars().take(WRITTEN_TEXT_OCTETS).map(printable));
        out.extend_from_slice(b"\r\n");
        match lines.next() {
            Some(next) => line = next,
            None => return,
        }
    }
}

/// Reads one reply from the start of `octets`: it, and how many octets it took; none while it isn't whole. The entry point
/// for fuzzing.
///
/// Taken as the world sends it: a bare LF ends a line; Latin-1 where it isn't UTF-8; no text at all; lines whose codes
/// differ (the last one's holds); an enhanced code on some lines only. An enhanced code of another class than the code
/// is left in the text.
///
/// # Errors
/// [`ReplyError`]: give the connection up.
pub fn read_reply(octets: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
    let (mut text, mut enhanced, mut taken) = (String::new(), None, 0);
    loop {
        let rest = octets.get(taken..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'\n', rest) else {
            return if rest.len() > REPLY_LINE_OCTETS { Err(ReplyError::LineLength) } else { Ok(None) };
        };
        if end > REPLY_LINE_OCTETS {
            return Err(ReplyError::LineLength);
        }
        let is_first = taken == 0;
        taken += end + 1;
        if taken > REPLY_OCTETS {
            return Err(ReplyError::Length);
        }
        let line = decode(rest.get(..end).unwrap_or_default());
        let line = line.trim_end_matches(['\r', ' ']);
        let (code, goes_on, words) = split_line(line).ok_or_else(|| ReplyError::Shape(excerpt(line)))?;
        let (found, words) = split_enhanced(code, words);
        enhanced = found.or(enhanced);
        if !is_first {
            text.push('\n');
        }
        text.extend(words.chars().filter(|character| !character.is_control()));
        if !goes_on {
            let enhanced = enhanced.filter(|enhanced| u16::from(enhanced.class) == code / 100);
            return Ok(Some((Reply { code, enhanced, text }, taken)));
        }
    }
}

fn decode(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => line.iter().map(|octet| char::from(*octet)).collect(),
    }
}

fn excerpt(line: &str) -> String {
    line.chars().filter(|character| !character.is_control()).take(60).collect()
}

/// Code, whether more lines follow, text.
fn split_line(line: &str) -> Option<(u16, bool, &str)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = if digits.bytes().all(|digit| digit.is_ascii_digit()) { digits.parse().ok()? } else { return None };
    if !(200..=599).contains(&code) {
        return None;
    }
    match rest.split_at_checked(1) {
        None => Some((code, false, "")),
        Some((" " | "\t", text)) => Some((code, false, text)),
        Some(("-", text)) => Some((code, true, text)),
        Some(_) => None,
    }
}

fn split_enhanced(code: u16, words: &str) -> (Option<EnhancedCode>, &str) {
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    match EnhancedCode::parse(first) {
        Some(enhanced) if u16::from(enhanced.class) == code / 100 => (Some(enhanced), rest),
        _ => (None, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(octets: &[u8], expected: Result<Option<&str>, ReplyError>) {
        let read = read_reply(octets).map(|found| found.map(|(reply, _)| reply.to_string()));
        assert_eq!(read, expected.map(|found| found.map(str::to_owned)), "{}", octets.escape_ascii());
    }

    /// RFC 5321 §4.2.1, and what servers really say.
    #[test]
    fn odd_replies_are_taken() {
        check(b"250 2.1.0 Ok\r\n", Ok(Some("250 2.1.0 Ok")));
        check(b"250\r\n", Ok(Some("250")));
        check(b"250 \n", Ok(Some("250")));
        check(b"250-a\r\n250-b\n250 c\r\n", Ok(Some("250 a b c")));
        check(b"250-a\r\n451 b\r\n", Ok(Some("451 a b")));
        check(b"550-5.1.1 No\r\n550 5.1.1 such\r\n", Ok(Some("550 5.1.1 No such")));
        check(b"550 2.1.1 No\r\n", Ok(Some("550 2.1.1 No")));
        check(b"550 Unbekannter Empf\xe4nger\r\n", Ok(Some("550 Unbekannter Empf\u{e4}nger")));
        check(b"250-a\r\n250 b", Ok(None));
        check(b"", Ok(None));
        check(b"25 a\r\n", Err(ReplyError::Shape("25 a".into())));
        check(b"150 a\r\n", Err(ReplyError::Shape("150 a".into())));
        check(b"2500 a\r\n", Err(ReplyError::Shape("2500 a".into())));
        check(b"\r\n", Err(ReplyError::Shape(String::new())));
        check(&[b'2'; REPLY_LINE_OCTETS + 1], Err(ReplyError::LineLength));
        check(&b"250-a\r\n".repeat(REPLY_OCTETS / 7 + 1), Err(ReplyError::Length));
    }

    #[test]
    fn a_text_cannot_forge_a_reply() {
        let mut out = Vec::new();
        write_reply(&Reply::new(550, EnhancedCode::new(5, 1, 1), "a\rb\n250 \u{e4}"), &mut out);
        assert_eq!(out.escape_ascii().to_string(), "550-5.1.1 a?b\\r\\n550 5.1.1 250 ?\\r\\n");
    }
}
