//! An IMAP client that counts what comes and keeps none of it.

use std::io;

use crate::wire::Wire;

/// A logged-in session.
pub(crate) struct Imap {
    wire: Wire,
    commands: u32,
}

/// What a command's untagged responses said.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// FETCH responses.
    pub(crate) fetched: usize,
    /// The last EXISTS.
    pub(crate) exists: Option<usize>,
    /// MESSAGES of STATUS.
    pub(crate) messages: Option<usize>,
    /// Numbers of SEARCH.
    pub(crate) hits: usize,
}

impl Imap {
    /// Connects, and reads the greeting.
    pub(crate) fn connect(port: u16, room: usize) -> io::Result<Self> {
        let mut wire = Wire::connect(port, room)?;
        wire.line()?;
        Ok(Self { wire, commands: 0 })
    }

    /// As [`Imap::connect`], and logs in.
    pub(crate) fn log_in(port: u16, login_name: &str, password: &str) -> io::Result<Self> {
        let mut imap = Self::connect(port, 64 * 1024)?;
        imap.must(&format!("LOGIN \"{login_name}\" \"{password}\""))?;
        Ok(imap)
    }

    /// Sends a command and reads to its end; NO and BAD are errors.
    pub(crate) fn must(&mut self, command: &str) -> io::Result<Answer> {
        let tag = self.send(command.as_bytes())?;
        self.finish(&tag)
    }

    /// As [`Imap::must`]; NO is as good as OK.
    pub(crate) fn may(&mut self, command: &str) -> io::Result<()> {
        match self.must(command) {
            Err(error) if error.kind() != io::ErrorKind::Other => Err(error),
            _ => Ok(()),
        }
    }

    /// Appends all of `messages` by one command. LITERAL+ and MULTIAPPEND are taken for granted: all who are measured have them.
    pub(crate) fn append(&mut self, mailbox: &str, messages: &[Vec<u8>]) -> io::Result<()> {
        let mut command = format!("APPEND \"{mailbox}\"").into_bytes();
        for message in messages {
            command.extend_from_slice(format!(" {{{}+}}\r\n", message.len()).as_bytes());
            command.extend_from_slice(message);
        }
        let tag = self.send(&command)?;
        self.finish(&tag).map(drop)
    }

    /// IDLE, up to its continuation. [`Imap::wait_exists`] may follow, and no other command.
    pub(crate) fn idle(&mut self) -> io::Result<()> {
        self.send(b"IDLE")?;
        while !self.wire.line()?.starts_with(b"+") {}
        Ok(())
    }

    /// Waits for an EXISTS.
    pub(crate) fn wait_exists(&mut self) -> io::Result<()> {
        while !self.wire.line()?.ends_with(b" EXISTS") {}
        Ok(())
    }

    /// Goes.
    pub(crate) fn log_out(mut self) -> io::Result<()> {
        self.must("LOGOUT").map(drop)
    }

    fn send(&mut self, command: &[u8]) -> io::Result<String> {
        self.commands += 1;
        let tag = format!("a{}", self.commands);
        self.wire.send(&[tag.as_bytes(), b" ", command, b"\r\n"].concat())?;
        Ok(tag)
    }

    fn finish(&mut self, tag: &str) -> io::Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let line = self.wire.line()?;
            if let Some(rest) = line.strip_prefix(tag.as_bytes()).and_then(|rest| rest.strip_prefix(b" ")) {
                if rest.starts_with(b"OK") {
                    return Ok(answer);
                }
                return Err(io::Error::other(String::from_utf8_lossy(rest).into_owned()));
            }
            if let Some(response) = line.strip_prefix(b"* ") {
                answer.note(response);
            }
            // The rest of a response that holds literals is not looked at.
            let mut literal = literal_octets(line);
            while let Some(octets) = literal {
                self.wire.skip(octets)?;
                literal = literal_octets(self.wire.line()?);
            }
        }
    }
}

impl Answer {
    fn note(&mut self, response: &[u8]) {
        let (word, rest) = split_word(response);
        if let Some(number) = parse(word) {
            match split_word(rest).0 {
                b"FETCH" => self.fetched += 1,
                b"EXISTS" => self.exists = Some(number),
                _ => {}
            }
        } else if word == b"STATUS" {
            let at = memchr::memmem::find(rest, b"MESSAGES ");
            self.messages = at.and_then(|at| parse(rest[at + 9..].split(|octet| !octet.is_ascii_digit()).next()?));
        } else if word == b"SEARCH" {
            self.hits += rest.split(|octet| *octet == b' ').filter(|number| !number.is_empty()).count();
        }
    }
}

fn split_word(octets: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', octets) {
        Some(at) => (&octets[..at], &octets[at + 1..]),
        None => (octets, b""),
    }
}

fn parse(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn literal_octets(line: &[u8]) -> Option<usize> {
    let announced = line.strip_suffix(b"}")?;
    parse(&announced[memchr::memrchr(b'{', announced)? + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_counted() {
        let mut answer = Answer::default();
        for response in
            ["12 FETCH (FLAGS ())", "7 EXISTS", "0 RECENT", "STATUS INBOX (MESSAGES 31)", "SEARCH 1 22 3", "SEARCH"]
        {
            answer.note(response.as_bytes());
        }
        assert_eq!((answer.fetched, answer.exists, answer.messages, answer.hits), (1, Some(7), Some(31), 3));
        assert_eq!(literal_octets(b"1 FETCH (BODY[] {120}"), Some(120));
        assert_eq!(literal_octets(b"1 FETCH (FLAGS ())"), None);
    }
}
