//! An SMTP client that pipelines, as MTAs do.

use std::io;
use std::net::Ipv4Addr;

use crate::wire::Wire;

/// A session behind its EHLO.
pub(crate) struct Smtp {
    wire: Wire,
}

impl Smtp {
    pub(crate) fn connect(port: u16) -> io::Result<Self> {
        Self::greet(Wire::connect(port, 4096)?)
    }

    /// At a door behind a proxy that says: this is that host.
    pub(crate) fn connect_as(host: Ipv4Addr, port: u16) -> io::Result<Self> {
        let mut wire = Wire::connect(port, 4096)?;
        wire.send(format!("PROXY TCP4 {host} 192.0.2.25 40000 25\r\n").as_bytes())?;
        Self::greet(wire)
    }

    fn greet(wire: Wire) -> io::Result<Self> {
        let mut smtp = Self { wire };
        smtp.expect(b"220")?;
        smtp.wire.send(b"EHLO client.example.org\r\n")?;
        smtp.expect(b"250")?;
        Ok(smtp)
    }

    /// One transaction. `message` has no line that begins with a dot.
    pub(crate) fn send(&mut self, recipients: &[String], message: &[u8]) -> io::Result<()> {
        let mut commands = String::from("MAIL FROM:<sender@example.org>\r\n");
        for recipient in recipients {
            commands.push_str("RCPT TO:<");
            commands.push_str(recipient);
            commands.push_str(">\r\n");
        }
        commands.push_str("DATA\r\n");
        self.wire.send(commands.as_bytes())?;
        for _ in 0..=recipients.len() {
            self.expect(b"250")?;
        }
        self.expect(b"354")?;
        self.wire.send(&[message, b".\r\n"].concat())?;
        self.expect(b"250")
    }

    pub(crate) fn quit(mut self) -> io::Result<()> {
        self.wire.send(b"QUIT\r\n")?;
        self.expect(b"221")
    }

    fn expect(&mut self, code: &[u8]) -> io::Result<()> {
        loop {
            let line = self.wire.line()?;
            if !line.starts_with(code) {
                return Err(io::Error::other(String::from_utf8_lossy(line).into_owned()));
            }
            if line.get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}
