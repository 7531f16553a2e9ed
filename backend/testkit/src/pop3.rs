//! A small POP3 client: lines, and answers of several lines.

use std::io;

use crate::wire::{Trust, Wire};

/// A session with a POP3 server.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
}

impl Client {
    /// Connects to a port of 127.0.0.1 in clear text and reads the greeting.
    ///
    /// # Errors
    /// Nobody listens there, or the greeting isn't `+OK`.
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

    fn greeted(wire: Wire) -> io::Result<Self> {
        let mut client = Self { wire };
        client.answer()?;
        Ok(client)
    }

    /// `STLS`, and the handshake (RFC 2595 §4).
    ///
    /// # Errors
    /// The server refuses, or the handshake fails.
    pub fn start_tls(mut self, trust: &Trust) -> io::Result<Self> {
        self.command("STLS")?;
        Ok(Self { wire: self.wire.into_tls(trust)? })
    }

    /// Sends a line; gives the text after `+OK`.
    ///
    /// # Errors
    /// `-ERR`, with its text; or the connection ends.
    pub fn command(&mut self, line: &str) -> io::Result<String> {
        self.wire.send(format!("{line}\r\n").as_bytes())?;
        self.answer()
    }

    /// Sends a line whose answer has several lines (`LIST`, `UIDL`, `CAPA`, `RETR n`, `TOP n m`); gives them unstuffed.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub fn lines(&mut self, line: &str) -> io::Result<Vec<Vec<u8>>> {
        self.command(line)?;
        let mut lines = Vec::new();
        loop {
            let mut line = self.wire.line()?;
            if line == b"." {
                return Ok(lines);
            }
            // RFC 1939 §3: a dot was put before one.
            if line.starts_with(b".") {
                line.remove(0);
            }
            lines.push(line);
        }
    }

    fn answer(&mut self) -> io::Result<String> {
        let line = String::from_utf8_lossy(&self.wire.line()?).into_owned();
        match line.strip_prefix("+OK") {
            Some(text) => Ok(text.trim_start().to_owned()),
            None => Err(io::Error::other(line)),
        }
    }
}
