//! A blocking connection that reads lines and passes over literals, with few copies: it must cost less than what it measures.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A server that says nothing for so long has failed.
const PATIENCE: Duration = Duration::from_mins(3);

/// An open connection to a port of 127.0.0.1.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What has come and isn't read: `start..end` of the buffer.
    start: usize,
    end: usize,
}

impl Wire {
    /// With room for so many octets before it grows.
    pub(crate) fn connect(port: u16, room: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; room], start: 0, end: 0 })
    }

    pub(crate) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)
    }

    /// The next line without its line end.
    pub(crate) fn line(&mut self) -> io::Result<&[u8]> {
        let mut seen = 0;
        let end = loop {
            match memchr::memchr(b'\n', &self.buffer[self.start + seen..self.end]) {
                Some(at) => break self.start + seen + at,
                None => seen = self.end - self.start,
            }
            self.fill()?;
        };
        let line = &self.buffer[self.start..end];
        self.start = end + 1;
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Passes over so many octets.
    pub(crate) fn skip(&mut self, mut octets: usize) -> io::Result<()> {
        loop {
            let here = self.end - self.start;
            if here >= octets {
                self.start += octets;
                return Ok(());
            }
            octets -= here;
            self.start = self.end;
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.end * 2 > self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        let read = self.stream.read(&mut self.buffer[self.end..])?;
        self.end += read;
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}
