//! A small IMAP client: it sends what it is given and understands lines, literals and tags, nothing more.

use std::io;

use crate::wire::{Trust, Wire};

/// What came for one command.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The untagged responses in their order, without `* ` and CRLF; a literal stands in them as `{n}` CRLF octets.
    pub untagged: Vec<Vec<u8>>,
    /// The tagged response without the tag: `OK …`, `NO …` or `BAD …`.
    pub tagged: String,
}

impl Answer {
    /// Whether it was carried out.
    pub fn is_ok(&self) -> bool {
        self.tagged.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("ok"))
    }

    /// The untagged responses as text, for those that hold no literal of eight bits.
    pub fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.untagged.iter().map(|response| String::from_utf8_lossy(response).into_owned())
    }

    /// The words in the tagged response's code, so of `OK [APPENDUID 1 7] done` the words `1 7`.
    pub fn code(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.tagged.split_once('[')?;
        let (code, _) = rest.split_once(']')?;
        let (word, words) = code.split_once(' ').unwrap_or((code, ""));
        word.eq_ignore_ascii_case(name).then_some(words)
    }
}

/// A session with an IMAP server.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
    next_tag: u32,
}

impl Client {
    /// Connects to a port of a host in clear text and reads the greeting.
    ///
    /// # Errors
    /// Nobody listens there, or the greeting isn't `OK`.
    pub fn connect(host: &str, port: u16) -> io::Result<Self> {
        Self::greeted(Wire::connect_to(host, port)?)
    }

    /// Connects with TLS from the first octet and reads the greeting.
    ///
    /// # Errors
    /// As [`Client::connect`]; or the handshake fails.
    pub fn connect_tls(host: &str, port: u16, trust: &Trust) -> io::Result<Self> {
        Self::greeted(Wire::connect_to(host, port)?.into_tls(trust)?)
    }

    fn greeted(wire: Wire) -> io::Result<Self> {
        let mut client = Self { wire, next_tag: 1 };
        let greeting = client.response()?;
        if greeting.starts_with(b"* OK") {
            Ok(client)
        } else {
            Err(io::Error::other(String::from_utf8_lossy(&greeting).into_owned()))
        }
    }

    /// `STARTTLS`, and the handshake (RFC 9051 §6.2.1).
    ///
    /// # Errors
    /// The server refuses, or the handshake fails.
    pub fn start_tls(mut self, trust: &Trust) -> io::Result<Self> {
        self.must("STARTTLS")?;
        Ok(Self { wire: self.wire.into_tls(trust)?, next_tag: self.next_tag })
    }

    /// `LOGIN`.
    ///
    /// # Errors
    /// The server refuses.
    pub fn login(&mut self, name: &str, password: &str) -> io::Result<()> {
        self.must(format!("LOGIN {} {}", quoted(name), quoted(password))).map(drop)
    }

    /// Sends a command and waits for its end. A literal stands in it as `{n}` CRLF octets and is sent when asked for.
    ///
    /// # Errors
    /// The connection ends first.
    pub fn command(&mut self, command: impl AsRef<[u8]>) -> io::Result<Answer> {
        let tag = self.take_tag();
        self.send(&tag, command.as_ref())?;
        let mut answer = Answer::default();
        loop {
            match self.next(&tag)? {
                Response::Tagged(tagged) => {
                    answer.tagged = tagged;
                    return Ok(answer);
                }
                Response::Untagged(response) => answer.untagged.push(response),
                Response::Other(_) => {}
            }
        }
    }

    /// As [`Client::command`], but a refusal is an error.
    ///
    /// # Errors
    /// The tagged response isn't `OK`.
    pub fn must(&mut self, command: impl AsRef<[u8]>) -> io::Result<Answer> {
        let command = command.as_ref();
        let answer = self.command(command)?;
        if answer.is_ok() {
            return Ok(answer);
        }
        let command = String::from_utf8_lossy(command);
        let verb = command.split(' ').next().unwrap_or_default();
        Err(io::Error::other(format!("{verb}: {}", answer.tagged)))
    }

    /// `APPEND` of one message; `options` are flags and date as they stand on the wire, or nothing.
    ///
    /// # Errors
    /// The connection ends first.
    pub fn append(&mut self, mailbox: &str, options: &str, message: &[u8]) -> io::Result<Answer> {
        let space = if options.is_empty() { "" } else { " " };
        let mut command = format!("APPEND {}{space}{options} {{{}}}\r\n", quoted(mailbox), message.len()).into_bytes();
        command.extend_from_slice(message);
        self.command(command)
    }

    /// A tag that was not used yet.
    pub fn take_tag(&mut self) -> String {
        self.next_tag += 1;
        format!("a{}", self.next_tag - 1)
    }

    /// Sends a command under `tag`, and its literals as the server asks for them. Where the server answers a literal
    /// with something else, the rest stays unsent and that answer is read by the next [`Client::next`].
    ///
    /// # Errors
    /// The connection ends first.
    pub fn send(&mut self, tag: &str, command: &[u8]) -> io::Result<()> {
        self.wire.send(format!("{tag} ").as_bytes())?;
        let mut rest = command;
        while let Some((head, octets)) = split_at_literal(rest) {
            self.wire.send(&rest[..head])?;
            let answer = self.wire.line()?;
            if !answer.starts_with(b"+") {
                self.wire.unread(&answer);
                return Ok(());
            }
            self.wire.send(&rest[head..head + octets])?;
            rest = &rest[head + octets..];
        }
        self.wire.send(rest)?;
        self.wire.send(b"\r\n")
    }

    /// The next response, sorted by what it belongs to.
    ///
    /// # Errors
    /// The connection ends first.
    pub fn next(&mut self, tag: &str) -> io::Result<Response> {
        let response = self.response()?;
        if let Some(rest) = response.strip_prefix(b"* ") {
            return Ok(Response::Untagged(rest.to_vec()));
        }
        let text = String::from_utf8_lossy(&response).into_owned();
        match text.split_once(' ') {
            Some((first, rest)) if first == tag => Ok(Response::Tagged(rest.to_owned())),
            _ => Ok(Response::Other(text)),
        }
    }

    /// Sends octets as they are, for what no command is: `DONE`, and mischief.
    ///
    /// # Errors
    /// The peer is gone.
    pub fn send_raw(&mut self, octets: &[u8]) -> io::Result<()> {
        self.wire.send(octets)
    }

    /// One response with its literals, without the last CRLF.
    fn response(&mut self) -> io::Result<Vec<u8>> {
        let mut response = self.wire.line()?;
        while let Some(octets) = announced_literal(&response) {
            response.extend_from_slice(b"\r\n");
            response.extend(self.wire.octets(octets)?);
            response.extend(self.wire.line()?);
        }
        Ok(response)
    }
}

/// A response, sorted by what it belongs to.
#[derive(Debug, Clone)]
pub enum Response {
    /// Without `* `.
    Untagged(Vec<u8>),
    /// The end of the command that was asked for, without the tag.
    Tagged(String),
    /// A continuation request, or the end of another command.
    Other(String),
}

/// As a quoted string of IMAP.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Where a command's first literal starts, and how many octets it has.
fn split_at_literal(command: &[u8]) -> Option<(usize, usize)> {
    let line = command.windows(2).position(|pair| pair == b"\r\n")?;
    let octets = announced_literal(&command[..line])?;
    (line + 2 + octets <= command.len()).then_some((line + 2, octets))
}

/// The octets of the literal that a line's end announces (`{n}`, `{n+}`, `~{n}`).
fn announced_literal(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}")?;
    let start = digits.iter().rposition(|&octet| octet == b'{')? + 1;
    std::str::from_utf8(&digits[start..]).ok()?.trim_end_matches('+').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_seen_at_the_end_of_a_line_only() {
        assert_eq!(announced_literal(b"1 FETCH (BODY[] {12}"), Some(12));
        assert_eq!(announced_literal(b"1 FETCH (BINARY[] ~{0}"), Some(0));
        assert_eq!(announced_literal(b"a {12} b"), None);
        assert_eq!(split_at_literal(b"APPEND x {3}\r\nabc"), Some((14, 3)));
        assert_eq!(split_at_literal(b"NOOP"), None);
    }

    #[test]
    fn the_code_of_a_tagged_response_is_read() {
        let answer = Answer { untagged: Vec::new(), tagged: "OK [APPENDUID 1 7] done".to_owned() };
        assert!(answer.is_ok());
        assert_eq!(answer.code("appenduid"), Some("1 7"));
        assert_eq!(answer.code("copyuid"), None);
    }
}
