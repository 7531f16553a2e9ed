//! The packets of the milter protocol: a length, a letter, data (libmilter's `mfdef.h`).

use relais_model::{EnhancedCode, Reply};

use crate::said::plain;
use crate::{Change, Trouble};

/// Octets of one packet from a milter, its letter with it. We agree on no packets with bodies, which would be larger.
pub(crate) const PACKET_OCTETS: u32 = 64 * 1024;
/// Octets of a field's name.
const NAME_OCTETS: usize = 200;

/// A packet: `data` are its parts, one after the other.
pub(crate) fn packet(letter: u8, data: &[&[u8]]) -> Vec<u8> {
    let octets = data.iter().map(|part| part.len()).sum::<usize>() + 1;
    let mut packet = u32::try_from(octets).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    packet.push(letter);
    for part in data {
        packet.extend_from_slice(part);
    }
    packet
}

/// What a milter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Go on.
    Continue,
    /// Take it, and say no more of it.
    Accept,
    /// Refuse it.
    Reject,
    /// Put it off.
    TempFail,
    /// Take it and throw it away.
    Discard,
    /// Answer so.
    Reply(Reply),
    /// No more of the body.
    Skip,
    /// Still at work.
    Progress,
    /// Change the header.
    Change(Change),
    /// Put it aside; why.
    Quarantine(String),
}

/// Reads a packet, from its letter on.
///
/// # Errors
/// It isn't one of those that we agree upon.
pub fn parse(packet: &[u8]) -> Result<Say, Trouble> {
    let (letter, data) = packet.split_first().ok_or(Trouble::Malformed("empty packet"))?;
    Ok(match letter {
        b'c' => Say::Continue,
        b'a' => Say::Accept,
        b'r' => Say::Reject,
        // Its library's "the connection failed" and "421": both put the message off.
        b't' | b'f' | b'4' => Say::TempFail,
        b'd' => Say::Discard,
        b's' => Say::Skip,
        b'p' => Say::Progress,
        b'y' => Say::Reply(reply(string(data)?)?),
        b'q' => Say::Quarantine(plain(&String::from_utf8_lossy(string(data)?))),
        b'h' => {
            let (name, value) = name_and_value(data)?;
            Say::Change(Change::Add { name, value: value.unwrap_or_default() })
        }
        b'i' => {
            let (at, data) = number(data)?;
            let (name, value) = name_and_value(data)?;
            Say::Change(Change::Insert { at, name, value: value.unwrap_or_default() })
        }
        b'm' => {
            let (nth, data) = number(data)?;
            let (name, value) = name_and_value(data)?;
            Say::Change(Change::Alter { nth, name, value })
        }
        _ => return Err(Trouble::Malformed("an act that was not agreed upon")),
    })
}

pub(crate) fn number(data: &[u8]) -> Result<(u32, &[u8]), Trouble> {
    let (number, rest) = data.split_first_chunk().ok_or(Trouble::Malformed("number"))?;
    Ok((u32::from_be_bytes(*number), rest))
}

/// One string that ends with NUL, and nothing behind it.
fn string(data: &[u8]) -> Result<&[u8], Trouble> {
    data.strip_suffix(b"\0").filter(|text| !text.contains(&0)).ok_or(Trouble::Malformed("string"))
}

/// A field's name, and its value where it isn't empty.
fn name_and_value(data: &[u8]) -> Result<(String, Option<Vec<u8>>), Trouble> {
    let malformed = Trouble::Malformed("field");
    let end = data.iter().position(|octet| *octet == 0).ok_or_else(|| malformed.clone())?;
    let (name, value) = data.split_at(end);
    let is_name = |octet: &u8| octet.is_ascii_graphic() && *octet != b':';
    if name.is_empty() || name.len() > NAME_OCTETS || !name.iter().all(is_name) {
        return Err(malformed);
    }
    let name = String::from_utf8(name.to_vec()).map_err(|_| malformed)?;
    let value = folded(string(value.get(1..).unwrap_or_default())?);
    Ok((name, Some(value).filter(|value| !value.is_empty())))
}

/// A value as it stands in a message: milters part lines by LF, and a line that goes on begins with a blank, or it would begin a field
/// of its own.
fn folded(value: &[u8]) -> Vec<u8> {
    let mut folded = Vec::with_capacity(value.len() + 8);
    for line in value.trim_ascii().split(|octet| *octet == b'\n') {
        let line: Vec<u8> = line.iter().copied().filter(|octet| *octet != b'\r').collect();
        // An empty line would end the header.
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if !folded.is_empty() {
            folded.extend_from_slice(b"\r\n");
            if !matches!(line.first(), Some(b' ' | b'\t')) {
                folded.push(b'\t');
            }
        }
        folded.extend(line);
    }
    folded
}

/// `550 5.7.1 Words`, of several lines perhaps, each with its codes.
fn reply(text: &[u8]) -> Result<Reply, Trouble> {
    let text = String::from_utf8_lossy(text);
    let mut lines = Vec::new();
    let mut codes = None;
    for line in text.lines().take(32) {
        let code = line.get(..3).and_then(|code| code.parse::<u16>().ok()).filter(|code| (400..600).contains(code));
        let rest = line.get(3..).unwrap_or_default();
        let code =
            code.filter(|_| rest.is_empty() || rest.starts_with([' ', '-'])).ok_or(Trouble::Malformed("reply"))?;
        let rest = rest.get(1..).unwrap_or_default();
        let enhanced = rest.split(' ').next().and_then(EnhancedCode::parse);
        // RFC 3463 §2: the classes of both say the same.
        let enhanced = enhanced.filter(|enhanced| u16::from(enhanced.class) == code / 100);
        let words = if enhanced.is_some() { rest.split_once(' ').map_or("", |(_, words)| words) } else { rest };
        codes.get_or_insert((code, enhanced));
        // Its library takes `%` for the beginning of a format.
        lines.push(plain(&words.replace("%%", "%")));
    }
    let (code, enhanced) = codes.ok_or(Trouble::Malformed("reply"))?;
    let enhanced = enhanced.unwrap_or(EnhancedCode::new(if code < 500 { 4 } else { 5 }, 7, 1));
    Ok(Reply::new(code, enhanced, lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packets_are_understood() {
        let check = |packet: &[u8], expected: Say| assert_eq!(parse(packet), Ok(expected), "{}", packet.escape_ascii());
        check(b"c", Say::Continue);
        check(b"r", Say::Reject);
        check(b"4", Say::TempFail);
        check(b"qbad\r\n\xff\0", Say::Quarantine("bad????".replace("????", "???")));
        let value = |text: &str| text.as_bytes().to_vec();
        check(
            b"hX-A\0 b\nc\n\n\td\r\n e\0",
            Say::Change(Change::Add { name: "X-A".to_owned(), value: value("b\r\n\tc\r\n\td\r\n e") }),
        );
        check(b"i\0\0\0\x01X\0y\0", Say::Change(Change::Insert { at: 1, name: "X".to_owned(), value: value("y") }));
        check(b"m\0\0\0\x02X\0\0", Say::Change(Change::Alter { nth: 2, name: "X".to_owned(), value: None }));
        let refusal = |code, class, text: &str| Say::Reply(Reply::new(code, EnhancedCode::new(class, 7, 1), text));
        check(b"y550 5.7.1 No 100%%\0", refusal(550, 5, "No 100%"));
        check(b"y451 Later\0", refusal(451, 4, "Later"));
        check(b"y550-5.7.1 One\r\n550 5.7.1 Two\0", refusal(550, 5, "One\nTwo"));
        check(b"y550 4.7.1 Odd\0", refusal(550, 5, "4.7.1 Odd"));
        for bad in [
            b"".as_slice(),
            b"y250 Ok\0",
            b"y550 x",
            b"y\0",
            b"y5500 x\0",
            b"hX\0y",
            b"h\0y\0",
            b"hX y\0z\0",
            b"hX:\0z\0",
            b"i\0\0X\0y\0",
            b"bbody",
            b"+a@b\0",
            b"z",
            b"hX\0y\0z\0",
            "yé50 x\0".as_bytes(),
        ] {
            assert!(matches!(parse(bad), Err(Trouble::Malformed(_))), "{}", bad.escape_ascii());
        }
    }

    proptest! {
        /// Whatever a milter says, its fields are fields, and a reply refuses.
        #[test]
        fn nothing_slips_through(letter in prop::sample::select(b"hiymq".to_vec()), data in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(say) = parse(&[&[letter], data.as_slice()].concat()) {
                crate::milter::tests::is_safe(&say);
            }
        }

        #[test]
        fn values_stay_in_their_field(value in "[a-z \t\r\n]{0,40}") {
            let say = parse(format!("hX\0{value}\0").as_bytes()).unwrap();
            crate::milter::tests::is_safe(&say);
        }
    }
}
