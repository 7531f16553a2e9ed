//! A small SMTP client: it sends what it is given and reads whole replies.

use std::path::Path;
use std::{io, iter};

use data_encoding::BASE64;

use crate::wire::{Trust, Wire};

/// A reply of one line or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its three digits.
    pub code: u16,
    /// Its lines without code, hyphen and CRLF.
    pub lines: Vec<String>,
}

/// A session with an SMTP or LMTP server.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
}

impl Client {
    /// Connects to a port of 127.0.0.1, reads the greeting and says EHLO.
    ///
    /// # Errors
    /// Nobody listens there, or the server refuses.
    pub fn connect(port: u16) -> io::Result<Self> {
        Self::greeted(Wire::connect(port)?)
    }

    /// As [`Client::connect`], with TLS from the first octet.
    ///
    /// # Errors
    /// As [`Client::connect`]; or the handshake fails.
    pub fn connect_tls(port: u16, trust: &Trust) -> io::Result<Self> {
        Self::greeted(Wire::connect(port)?.into_tls(trust)?)
    }

    /// Connects to an LMTP socket, reads the greeting and says LHLO.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub fn connect_lmtp(path: &Path) -> io::Result<Self> {
        let mut client = Self { wire: Wire::connect_unix(path)? };
        client.reply()?.must(220)?;
        client.command("LHLO client.example")?.must(250)?;
        Ok(client)
    }

    /// As [`Client::connect`], behind a proxy's header (PROXY protocol, version 1) that names `client`.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub fn connect_behind_proxy(port: u16, client: &str) -> io::Result<Self> {
        let mut wire = Wire::connect(port)?;
        let family = if client.contains(':') { "TCP6" } else { "TCP4" };
        wire.send(format!("PROXY {family} {client} {client} 12345 25\r\n").as_bytes())?;
        Self::greeted(wire)
    }

    fn greeted(wire: Wire) -> io::Result<Self> {
        let mut client = Self { wire };
        client.reply()?.must(220)?;
        client.command("EHLO client.example")?.must(250)?;
        Ok(client)
    }

    /// `STARTTLS`, the handshake, and EHLO again (RFC 3207 §4.2).
    ///
    /// # Errors
    /// The server refuses, or the handshake fails.
    pub fn start_tls(mut self, trust: &Trust) -> io::Result<Self> {
        self.command("STARTTLS")?.must(220)?;
        let mut client = Self { wire: self.wire.into_tls(trust)? };
        client.command("EHLO client.example")?.must(250)?;
        Ok(client)
    }

    /// Sends a line and reads the reply.
    ///
    /// # Errors
    /// The connection ends first.
    pub fn command(&mut self, line: &str) -> io::Result<Reply> {
        self.wire.send(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// `AUTH PLAIN`.
    ///
    /// # Errors
    /// The server refuses.
    pub fn log_in(&mut self, name: &str, password: &str) -> io::Result<()> {
        let response = BASE64.encode(format!("\0{name}\0{password}").as_bytes());
        self.command(&format!("AUTH PLAIN {response}"))?.must(235).map(drop)
    }

    /// Sends a message to all of `recipients`; the reply is the one that decides: the first refusal, or what the final dot got.
    ///
    /// # Errors
    /// The connection ends first.
    pub fn deliver(&mut self, reverse_path: &str, recipients: &[&str], message: &[u8]) -> io::Result<Reply> {
        let recipients = recipients.iter().map(|recipient| (format!("RCPT TO:<{recipient}>"), 250));
        let commands = iter::once((format!("MAIL FROM:<{reverse_path}>"), 250)).chain(recipients);
        for (command, wanted) in commands.chain(iter::once(("DATA".to_owned(), 354))) {
            let reply = self.command(&command)?;
            if reply.code != wanted {
                return Ok(reply);
            }
        }
        self.wire.send(&stuffed(message))?;
        self.reply()
    }

    /// The next reply.
    ///
    /// # Errors
    /// The connection ends first, or what comes is no reply.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = String::from_utf8_lossy(&self.wire.line()?).into_owned();
            let code = line.get(..3).and_then(|digits| digits.parse().ok());
            let code = code.ok_or_else(|| io::Error::other(format!("no reply: {line}")))?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if !line[3..].starts_with('-') {
                return Ok(Reply { code, lines });
            }
        }
    }
}

impl Reply {
    /// The reply, where it has that code.
    ///
    /// # Errors
    /// It has another; the error holds its text.
    pub fn must(self, code: u16) -> io::Result<Self> {
        if self.code == code {
            return Ok(self);
        }
        Err(io::Error::other(format!("expected {code}, came {} {}", self.code, self.lines.join(" / "))))
    }
}

/// RFC 5321 §4.5.2: a dot before each line that starts with one, and one alone at the end.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(message.len() + 8);
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        if line.starts_with(b".") {
            octets.push(b'.');
        }
        octets.extend_from_slice(line);
    }
    if !octets.ends_with(b"\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(b".\r\n");
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_start_with_a_dot_get_another() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b"), b"a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(stuffed(b""), b"\r\n.\r\n");
    }
}
