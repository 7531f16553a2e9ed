//! Mail that looks like mail: words of an invented language, used as often as words of a real one are, so that
//! compression and search meet what they meet in life. Small messages are text, large ones carry an attachment.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// In the body of every 97th message, and of no other.
pub(crate) const RARE_IN_BODY: &str = "zyzzogeton";
/// In the subject of every 89th message, and of no other.
pub(crate) const RARE_IN_SUBJECT: &str = "quixotry";

/// Different bodies; each message has a header of its own, and so is no copy of another.
const BODIES: u64 = 64;
/// Larger messages carry an attachment.
const LARGEST_TEXT: usize = 64 * 1024;
/// About as many octets as a header has.
const HEADER_OCTETS: usize = 620;

/// Writes messages of about one size.
pub(crate) struct Writer {
    words: Vec<String>,
    /// The fields that describe it, and the body.
    bodies: Vec<(String, Vec<u8>)>,
}

impl Writer {
    pub(crate) fn new(octets: usize) -> Self {
        let words = vocabulary();
        let room = octets.saturating_sub(HEADER_OCTETS).max(64);
        let number = if octets > LARGEST_TEXT { 4 } else { BODIES };
        let body = |seed| {
            let mut chance = Chance::new(1000 + seed);
            if octets > LARGEST_TEXT {
                with_attachment(&words, &mut chance, room)
            } else {
                text_alone(&words, &mut chance, room)
            }
        };
        let bodies = (0..number).map(body).collect();
        Self { words, bodies }
    }

    /// The message of that number. Numbers come again with each mailbox that is filled; the message doesn't.
    pub(crate) fn write(&self, number: usize, to: &str) -> Vec<u8> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let serial = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let mut chance = Chance::new(number as u64 + 7);
        let mut word = || self.words[chance.below(self.words.len())].as_str();
        let (kind, body) = &self.bodies[number % self.bodies.len()];
        let mark = if number.is_multiple_of(89) { RARE_IN_SUBJECT } else { "" };
        let (day, hour, minute) = (1 + number / 1440 % 27, number / 60 % 24, number % 60);
        let (host, name, more) = (number % 7, word(), word());
        let mut text = String::with_capacity(HEADER_OCTETS + body.len());
        // Writing to a String doesn't fail.
        let _written = write!(
            text,
            "Received: from mx{host}.example.net (mx{host}.example.net [192.0.2.{host}])\r\n\tby relay.example.org with ESMTPS id \
             {serial:x}\r\n\tfor <{to}>; Tue, {day:02} Sep 2026 {hour:02}:{minute:02}:11 +0000\r\nFrom: \"{name} {more}\" \
             <sender@example.org>\r\nTo: <{to}>\r\nSubject: {} {} {number} {mark}\r\nDate: Tue, {day:02} Sep 2026 \
             {hour:02}:{minute:02}:09 +0000\r\nMessage-ID: <{serial:x}.{number}@bench.example.org>\r\nMIME-Version: 1.0\r\n\
             References: <{serial:x}.{}@bench.example.org>\r\nList-Id: <{}.lists.example.org>\r\nX-Mailer: bench 1.0\r\n{kind}\r\n",
            word(),
            word(),
            number / 5,
            word(),
        );
        if number.is_multiple_of(97) {
            let _written = write!(text, "The {RARE_IN_BODY} was here.\r\n");
        }
        let mut message = text.into_bytes();
        message.extend_from_slice(body);
        message
    }
}

fn text_alone(words: &[String], chance: &mut Chance, octets: usize) -> (String, Vec<u8>) {
    (
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n".to_owned(),
        prose(words, chance, octets),
    )
}

fn with_attachment(words: &[String], chance: &mut Chance, octets: usize) -> (String, Vec<u8>) {
    let mut body = b"--=_part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n".to_vec();
    body.extend(prose(words, chance, 4000));
    body.extend_from_slice(
        b"\r\n--=_part\r\nContent-Type: application/octet-stream; name=\"report.bin\"\r\n\
          Content-Disposition: attachment; filename=\"report.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    body.extend(base64_lines(chance, octets.saturating_sub(4400)));
    body.extend_from_slice(b"\r\n--=_part--\r\n");
    ("Content-Type: multipart/mixed; boundary=\"=_part\"\r\n".to_owned(), body)
}

/// Six thousand words; the frequent ones are short.
fn vocabulary() -> Vec<String> {
    const BEGINNINGS: [&str; 16] = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "sh"];
    const MIDDLES: [&str; 8] = ["a", "e", "i", "o", "u", "ea", "ou", "ie"];
    let mut chance = Chance::new(42);
    let mut word = |rank: usize| {
        let syllables = 1 + rank.max(1).ilog10() as usize / 2 + chance.below(3);
        (0..syllables).map(|_| [BEGINNINGS[chance.below(16)], MIDDLES[chance.below(8)]].concat()).collect()
    };
    (0..6000).map(&mut word).collect()
}

/// Lines of words. The cube of an even chance is near to how often words are used.
fn prose(words: &[String], chance: &mut Chance, octets: usize) -> Vec<u8> {
    let mut text = String::with_capacity(octets + 80);
    let mut column = 0;
    while text.len() < octets {
        let range = chance.below(1000) * chance.below(1000) / 1000 * chance.below(1000) / 1000;
        let word = words[range * words.len() / 1000].as_str();
        if column + word.len() > 71 {
            text.push_str(if chance.below(12) == 0 { "\r\n\r\n" } else { "\r\n" });
            column = 0;
        } else if column > 0 {
            text.push(' ');
        }
        text.push_str(word);
        column += word.len() + 1;
    }
    text.push_str("\r\n");
    text.into_bytes()
}

fn base64_lines(chance: &mut Chance, octets: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut lines = Vec::with_capacity(octets + 80);
    while lines.len() < octets {
        lines.extend((0..76).map(|_| ALPHABET[chance.below(64)]));
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// `xorshift64*`: the same messages in every run.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or_default() % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_size_that_was_asked_for_and_are_all_different() {
        for octets in [1200, 4096, 1024 * 1024] {
            let writer = Writer::new(octets);
            let (first, again) = (writer.write(97, "ann@bench.test"), writer.write(97, "ann@bench.test"));
            assert!(first.len().abs_diff(octets) < 300, "{} octets for {octets}", first.len());
            assert_ne!(first, again);
            assert!(!first.windows(3).any(|octets| octets == b"\n.\r"));
        }
    }
}
