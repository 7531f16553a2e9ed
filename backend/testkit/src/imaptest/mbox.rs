//! The mail that a script starts with, from its mbox file.

/// A message as it is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Its octets, every line ended by CRLF. The blank line before the next `From ` belongs to it, as imaptest has it.
    pub(super) octets: Vec<u8>,
    /// INTERNALDATE, as it stands in APPEND, quotes and all: from the separator line, in UTC.
    pub(super) internal_date: String,
}

/// The messages of a file, in their order.
pub(super) fn messages(file: &[u8]) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for line in file.strip_suffix(b"\n").unwrap_or(file).split(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(internal_date) = separator_date(line) {
            messages.push(Message { octets: Vec::new(), internal_date });
        } else if let Some(message) = messages.last_mut() {
            message.octets.extend_from_slice(line);
            message.octets.extend_from_slice(b"\r\n");
        }
    }
    messages
}

/// `From SENDER  Fri Feb 22 17:06:23 2008`, with or without a zone at the end.
fn separator_date(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix("From ")?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_sender, _weekday, month, day, time, year, zone @ ..] = words.as_slice() else { return None };
    let day: u32 = day.parse().ok()?;
    let zone = zone.first().copied().unwrap_or("+0000");
    time.contains(':').then(|| format!("\"{day:2}-{month}-{year} {time} {zone}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_blank_line_and_gets_crlf() {
        let found = messages(
            b"From u@d  Fri Feb  2 17:06:23 2008\nA: b\n\nbody\n\nFrom u@d  Fri Feb 22 17:06:23 2008 +0200\n\nx\n",
        );
        let octets: Vec<&[u8]> = found.iter().map(|message| message.octets.as_slice()).collect();
        assert_eq!(octets, [b"A: b\r\n\r\nbody\r\n\r\n".as_slice(), b"\r\nx\r\n"]);
        assert_eq!(found[0].internal_date, "\" 2-Feb-2008 17:06:23 +0000\"");
        assert_eq!(found[1].internal_date, "\"22-Feb-2008 17:06:23 +0200\"");
    }
}
