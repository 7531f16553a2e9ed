//! mbox (RFC 4155), in the dialect that loses nothing but line ends: `mboxrd`, where each line that looks like a separator has one `>`
//! more. Flags stand in `Status`, `X-Status` and `X-Keywords`, as mutt, Dovecot and Python know them.

use std::io::{self, BufRead, Write};

use relais_imap::date::{Day, parse_date_time};
use relais_model::{Flag, SystemFlag, Timestamp};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Fields that say how a message is marked, and aren't the message's.
const MARKS: [&str; 6] = ["status", "x-status", "x-keywords", "x-uid", "x-imap", "x-imapbase"];
/// Which letter of `X-Status` is which flag.
const LETTERS: [(char, SystemFlag); 4] =
    [('A', SystemFlag::Answered), ('F', SystemFlag::Flagged), ('T', SystemFlag::Draft), ('D', SystemFlag::Deleted)];

/// A message of an mbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MboxMessage {
    /// How it is marked.
    pub flags: Vec<Flag>,
    /// When it arrived, as its separator says.
    pub internal_date: Option<Timestamp>,
    /// With CRLF at the lines' ends; none: it was too large.
    pub octets: Option<Vec<u8>>,
}

/// Reads an mbox, message by message.
#[derive(Debug)]
pub struct MboxReader<R> {
    lines: R,
    message_octets: usize,
    /// The separator that was read last.
    separator: Option<Vec<u8>>,
}

impl<R: BufRead> MboxReader<R> {
    /// Takes messages of up to `message_octets`.
    ///
    /// # Errors
    /// Where it can't be read, or begins as no mbox does.
    pub fn new(mut lines: R, message_octets: usize) -> io::Result<Self> {
        let mut first = Vec::new();
        while read_line(&mut lines, &mut first, message_octets)? > 0 && first.is_empty() {}
        if first.is_empty() {
            return Ok(Self { lines, message_octets, separator: None });
        }
        if !first.starts_with(b"From ") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it doesn't begin as an mbox does, with From and a space",
            ));
        }
        Ok(Self { lines, message_octets, separator: Some(first) })
    }

    /// The next message; none: that were all.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn next_message(&mut self) -> io::Result<Option<MboxMessage>> {
        loop {
            let Some(separator) = self.separator.take() else { return Ok(None) };
            let message = self.message(&separator)?;
            // What UW's and Dovecot's servers keep their own counts in is no message.
            if let Some(message) = message {
                return Ok(Some(message));
            }
        }
    }

    fn message(&mut self, separator: &[u8]) -> io::Result<Option<MboxMessage>> {
        let (mut octets, mut header_octets, mut is_too_large) = (Vec::new(), 0, false);
        let (mut marks, mut is_in_header, mut is_in_mark) = (Marks::default(), true, false);
        let (mut line, mut is_after_blank) = (Vec::new(), false);
        while read_line(&mut self.lines, &mut line, self.message_octets)? > 0 {
            if is_after_blank && line.starts_with(b"From ") {
                self.separator = Some(line);
                break;
            }
            is_after_blank = line.is_empty();
            if is_in_header {
                is_in_header = !line.is_empty();
                let goes_on = line.first().is_some_and(|first| b" \t".contains(first));
                is_in_mark = if goes_on { is_in_mark } else { marks.read(&line) };
                if is_in_mark {
                    continue;
                }
            }
            let is_quoted = line
                .iter()
                .position(|octet| *octet != b'>')
                .is_some_and(|at| at > 0 && line.get(at..).is_some_and(|rest| rest.starts_with(b"From ")));
            is_too_large |= octets.len() + line.len() > self.message_octets;
            if !is_too_large {
                octets.extend_from_slice(line.get(usize::from(is_quoted)..).unwrap_or_default());
                octets.extend_from_slice(b"\r\n");
            }
            if !is_in_header && header_octets == 0 {
                header_octets = octets.len();
            }
        }
        if marks.is_internal {
            return Ok(None);
        }
        // The blank line before the next separator is its own.
        if is_after_blank && !is_in_header && octets.len() > header_octets {
            octets.truncate(octets.len() - 2);
        }
        let octets = Some(octets).filter(|octets| !is_too_large && octets.len() <= self.message_octets);
        Ok(Some(MboxMessage { flags: marks.flags, internal_date: date(separator), octets }))
    }
}

/// How a message is marked.
#[derive(Default)]
struct Marks {
    flags: Vec<Flag>,
    is_internal: bool,
}

impl Marks {
    /// Whether the line is a field of them.
    fn read(&mut self, line: &[u8]) -> bool {
        let Some(colon) = memchr::memchr(b':', line) else { return false };
        let name = String::from_utf8_lossy(line.get(..colon).unwrap_or_default()).to_ascii_lowercase();
        if !MARKS.contains(&name.as_str()) {
            return false;
        }
        let value = String::from_utf8_lossy(line.get(colon + 1..).unwrap_or_default()).into_owned();
        match name.as_str() {
            "status" if value.contains('R') => self.flags.push(Flag::System(SystemFlag::Seen)),
            "x-status" => {
                let named = LETTERS.iter().filter(|(letter, _)| value.contains(*letter));
                self.flags.extend(named.map(|(_, flag)| Flag::System(*flag)));
            }
            "x-keywords" => self.flags.extend(value.split_whitespace().filter_map(|word| Flag::parse(word).ok())),
            "x-imap" => self.is_internal = true,
            _ => {}
        }
        true
    }
}

/// A line without its end; 0 where there is none. Of a line that is longer than any message, the rest is the next line.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<usize> {
    line.clear();
    let read = io::Read::take(lines, most as u64 + 2).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(read)
}

/// `From ann@x.example Thu Jan  1 00:00:00 2026`, with a zone before or after the year, or without.
fn date(separator: &[u8]) -> Option<Timestamp> {
    let line = String::from_utf8_lossy(separator);
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().rposition(|word| word.matches(':').count() == 2)?;
    let (month, day, time) = (words.get(at.checked_sub(2)?)?, words.get(at.checked_sub(1)?)?, words.get(at)?);
    let after = words.get(at + 1..)?;
    let year = after.iter().find(|word| word.len() == 4 && word.bytes().all(|octet| octet.is_ascii_digit()))?;
    let zone = after.iter().find(|word| word.len() == 5 && word.starts_with(['+', '-'])).copied().unwrap_or("+0000");
    parse_date_time(&format!("\"{day:0>2}-{month}-{year} {time} {zone}\"")).ok()
}

/// The file of a mailbox, with `/` between folders. No name leads out of the folder that it is put in: a level of dots becomes one of
/// underscores.
pub fn mbox_name(mailbox: &str) -> String {
    let level = |level: &str| match level {
        "." | ".." | "" => "_".repeat(level.len().max(1)),
        level => level.to_owned(),
    };
    format!("{}.mbox", mailbox.split('/').map(level).collect::<Vec<_>>().join("/"))
}

/// Writes one message, with LF at the lines' ends.
///
/// # Errors
/// Where it can't be written.
pub fn write_mbox(out: &mut impl Write, flags: &[Flag], internal_date: Timestamp, octets: &[u8]) -> io::Result<()> {
    writeln!(out, "From MAILER-DAEMON {}", asctime(internal_date))?;
    let mut is_in_header = true;
    let text = octets.strip_suffix(b"\n").unwrap_or(octets);
    for line in text.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_in_header && line.is_empty() {
            is_in_header = false;
            write_marks(out, flags)?;
        }
        let unquoted = line.iter().position(|octet| *octet != b'>').and_then(|at| line.get(at..)).unwrap_or_default();
        if unquoted.starts_with(b"From ") {
            out.write_all(b">")?;
        }
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    if is_in_header {
        write_marks(out, flags)?;
        out.write_all(b"\n")?;
    }
    out.write_all(b"\n")
}

fn write_marks(out: &mut impl Write, flags: &[Flag]) -> io::Result<()> {
    let has = |flag: &SystemFlag| flags.contains(&Flag::System(*flag));
    writeln!(out, "Status: {}O", if has(&SystemFlag::Seen) { "R" } else { "" })?;
    let letters: String = LETTERS.iter().filter(|(_, flag)| has(flag)).map(|(letter, _)| *letter).collect();
    if !letters.is_empty() {
        writeln!(out, "X-Status: {letters}")?;
    }
    let keywords: Vec<&str> = flags
        .iter()
        .filter_map(|flag| if let Flag::Keyword(keyword) = flag { Some(keyword.as_str()) } else { None })
        .collect();
    if keywords.is_empty() { Ok(()) } else { writeln!(out, "X-Keywords: {}", keywords.join(" ")) }
}

/// As C's `asctime` writes it, in UTC.
fn asctime(at: Timestamp) -> String {
    let day = Day::of(at);
    let (year, month, date) = day.civil();
    let name = |names: &[&'static str], at: i64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or("Jan")
    };
    let seconds = at.seconds().rem_euclid(86_400);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (weekday, month) = (name(&DAYS, day.days().rem_euclid(7)), name(&MONTHS, month - 1));
    format!("{weekday} {month} {date:>2} {hour:02}:{minute:02}:{second:02} {year:04}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Vec<String>, Option<i64>)> {
        let mut reader = MboxReader::new(text.as_bytes(), 10_000).unwrap();
        let mut all = Vec::new();
        while let Some(message) = reader.next_message().unwrap() {
            let octets = message.octets.map_or("too large".to_owned(), |octets| String::from_utf8(octets).unwrap());
            let flags = message.flags.iter().map(ToString::to_string).collect();
            all.push((octets, flags, message.internal_date.map(Timestamp::seconds)));
        }
        all
    }

    #[test]
    fn what_is_written_is_read_again() {
        let flags = ["\\Seen", "\\Flagged", "$Junk"].map(|flag| Flag::parse(flag).unwrap());
        let texts = [
            "A: b\r\n\r\nFrom here\r\n>From there\r\n\r\n>>From\r\n",
            "A: b\r\n c\r\n\r\n\r\n\r\n",
            "A: b\r\n\r\n",
            "A: b\r\n\r\n\r\nFrom the start\r\n",
        ];
        let mut mbox = Vec::new();
        for text in texts {
            write_mbox(&mut mbox, &flags, Timestamp::from_seconds(1_767_225_600), text.as_bytes()).unwrap();
        }
        let mbox = String::from_utf8(mbox).unwrap();
        assert!(mbox.starts_with("From MAILER-DAEMON Thu Jan  1 00:00:00 2026\nA: b\nStatus: RO\nX-Status: F\nX-Keywords: $Junk\n\n>From here\n>>From there\n"), "{mbox}");
        let flags: Vec<String> = ["\\Seen", "\\Flagged", "$Junk"].map(str::to_owned).to_vec();
        let expected = texts.map(|text| (text.to_owned(), flags.clone(), Some(1_767_225_600)));
        assert_eq!(read(&mbox), expected);
    }

    #[test]
    fn no_name_leads_out() {
        let check = |mailbox: &str, expected: &str| assert_eq!(mbox_name(mailbox), expected);
        check("INBOX", "INBOX.mbox");
        check("Work/2026", "Work/2026.mbox");
        check("../../etc/..", "__/__/etc/__.mbox");
    }

    #[test]
    fn others_write_it_otherwise() {
        let mbox = "From MAILER-DAEMON Fri Nov 27 2026\nSubject: folder internal data\nX-IMAP: 1 2\n\ntext\n\n\
                    From ann@x.example Thu Jan  1 01:00:00 +0100 2026\nStatus: O\nX-UID: 5\n\t6\nA: b\n\nFrom x\n\n\
                    From - Thu Jan 01 00:00:00 2026\r\nX-Status: AD\r\n\r\n\r\n";
        let flags = |flags: &[&str]| flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>();
        let expected = [
            ("A: b\r\n\r\n".to_owned(), flags(&[]), Some(1_767_225_600)),
            ("\r\n".to_owned(), flags(&["\\Answered", "\\Deleted"]), Some(1_767_225_600)),
        ];
        let read = read(mbox);
        assert_eq!(read.first(), expected.first());
        assert_eq!(read.last(), expected.last());
        assert!(MboxReader::new("Subject: x\n".as_bytes(), 10).is_err());
        assert_eq!(MboxReader::new("\n\n".as_bytes(), 10).unwrap().next_message().unwrap(), None);
    }

    #[test]
    fn a_message_has_a_size() {
        let mbox = format!("From x Thu Jan  1 00:00:00 2026\nA: b\n\n{}\n\nFrom y\n\nshort\n", "x".repeat(300));
        let mut reader = MboxReader::new(mbox.as_bytes(), 100).unwrap();
        assert_eq!(reader.next_message().unwrap().unwrap().octets, None);
        assert_eq!(reader.next_message().unwrap().unwrap().octets.as_deref(), Some(b"\r\nshort\r\n".as_slice()));
        for (letters, is_taken) in [(10, true), (11, false)] {
            let mbox = format!("From x\nA: b\n\n{}\n", "x".repeat(letters));
            let mut reader = MboxReader::new(mbox.as_bytes(), 20).unwrap();
            assert_eq!(reader.next_message().unwrap().unwrap().octets.is_some(), is_taken, "{letters}");
        }
    }
}
