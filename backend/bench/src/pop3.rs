//! A POP3 client that reads messages and keeps none.

use std::io;

use crate::wire::Wire;

/// A session in the transaction state.
pub(crate) struct Pop3 {
    wire: Wire,
}

impl Pop3 {
    pub(crate) fn log_in(port: u16, login_name: &str, password: &str) -> io::Result<Self> {
        let mut pop3 = Self { wire: Wire::connect(port, 64 * 1024)? };
        pop3.status()?;
        for command in [format!("USER {login_name}\r\n"), format!("PASS {password}\r\n")] {
            pop3.send(&command)?;
            pop3.status()?;
        }
        Ok(pop3)
    }

    pub(crate) fn send(&mut self, commands: &str) -> io::Result<()> {
        self.wire.send(commands.as_bytes())
    }

    /// The first line of an answer: the words behind `+OK`.
    pub(crate) fn status(&mut self) -> io::Result<String> {
        let line = String::from_utf8_lossy(self.wire.line()?).into_owned();
        line.strip_prefix("+OK").map(|words| words.trim().to_owned()).ok_or_else(|| io::Error::other(line.clone()))
    }

    /// An answer of several lines.
    pub(crate) fn listing(&mut self) -> io::Result<()> {
        self.status()?;
        while self.wire.line()? != b"." {}
        Ok(())
    }

    pub(crate) fn quit(mut self) -> io::Result<()> {
        self.send("QUIT\r\n")?;
        self.status().map(drop)
    }
}
