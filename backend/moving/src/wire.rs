//! A connection to another server: lines out, answers in, each within limits and a time.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use crate::answer::Token;
use crate::dial::Fault;

/// For the next octets of an answer.
const SILENCE: Duration = Duration::from_mins(2);
/// For a whole answer, a large message among them.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(15);
/// Octets of an answer beside its literals.
const TEXT_OCTETS: usize = 256 * 1024;
/// Literals of an answer.
const LITERALS: usize = 16;
/// Octets of a literal that is too large to be kept, and is read only to be passed over.
const PASSED_OVER_OCTETS: u64 = 1024 * 1024 * 1024;
/// Octets that are read at once.
const BUFFER_OCTETS: usize = 64 * 1024;

/// Either kind of connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An answer, as it came.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Its first line, up to a literal.
    pub(crate) line: Vec<u8>,
    /// All of it.
    pub(crate) tokens: Vec<Token>,
}

pub(crate) struct Wire {
    stream: BufReader<Box<dyn Stream>>,
}

impl Wire {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream: BufReader::with_capacity(BUFFER_OCTETS, stream) }
    }

    /// Says it.
    pub(crate) async fn say(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let saying = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        timeout(SILENCE, saying)
            .await
            .map_err(|_elapsed| Fault::Silent)?
            .map_err(|error| Fault::Ended(error.to_string()))
    }

    /// The next answer. Its literals have `room` octets; one that has none left is passed over.
    pub(crate) async fn hear(&mut self, room: usize) -> Result<Heard, Fault> {
        timeout(ANSWER_TIMEOUT, self.answer(room)).await.map_err(|_elapsed| Fault::Silent)?
    }

    async fn answer(&mut self, mut room: usize) -> Result<Heard, Fault> {
        let mut heard = Heard::default();
        let (mut text_room, mut literals) = (TEXT_OCTETS, 0);
        loop {
            let mut line = self.line(text_room).await?;
            text_room -= line.len();
            let announced = announced(&line);
            if let Some((at, _)) = announced {
                line.truncate(at);
            }
            Token::read(&line, &mut heard.tokens);
            if literals == 0 {
                heard.line = line;
            }
            let Some((_, octets)) = announced else { return Ok(heard) };
            literals += 1;
            if literals > LITERALS {
                return Err(Fault::broken("an answer has too many parts"));
            }
            let literal = self.literal(octets, room).await?;
            room -= literal.as_ref().map_or(0, Vec::len);
            heard.tokens.push(Token::Literal(literal));
        }
    }

    /// A line without its end.
    async fn line(&mut self, room: usize) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        loop {
            let some = self.some().await?;
            let end = memchr::memchr(b'\n', some);
            let taken = end.map_or(some.len(), |at| at + 1);
            if line.len() + taken > room {
                return Err(Fault::broken("a line is too long"));
            }
            line.extend(some.iter().take(taken));
            self.stream.consume(taken);
            if end.is_some() {
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
        }
    }

    /// None: it was too large.
    async fn literal(&mut self, octets: u64, room: usize) -> Result<Option<Vec<u8>>, Fault> {
        let fits = usize::try_from(octets).ok().filter(|octets| *octets <= room);
        if fits.is_none() && octets > PASSED_OVER_OCTETS {
            return Err(Fault::broken("a message is larger than any"));
        }
        // What is announced may never come: room is made for what is here.
        let (mut literal, mut left) = (Vec::new(), octets);
        while left > 0 {
            let some = self.some().await?;
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(some.len());
            if fits.is_some() {
                literal.extend(some.iter().take(taken));
            }
            self.stream.consume(taken);
            left -= taken as u64;
        }
        Ok(fits.map(|_| literal))
    }

    async fn some(&mut self) -> Result<&[u8], Fault> {
        let some = timeout(SILENCE, self.stream.fill_buf()).await.map_err(|_elapsed| Fault::Silent)?;
        let some = some.map_err(|error| Fault::Ended(error.to_string()))?;
        if some.is_empty() { Err(Fault::Ended("it hung up".to_owned())) } else { Ok(some) }
    }

    /// The bare connection, for TLS. What was said before TLS began and was not yet read would be taken for said within it
    /// (CVE-2011-0411): nothing may be there.
    pub(crate) fn into_bare(self) -> Result<Box<dyn Stream>, Fault> {
        if self.stream.buffer().is_empty() {
            Ok(self.stream.into_inner())
        } else {
            Err(Fault::broken("it spoke before TLS was there"))
        }
    }

    /// Hangs up.
    pub(crate) async fn close(mut self) {
        let _gone = timeout(Duration::from_secs(2), self.stream.shutdown()).await;
        drop(timeout(Duration::from_secs(2), self.stream.read_u8()).await);
    }
}

/// Where a literal's announcement at the end of a line begins, and how many octets it announces.
fn announced(line: &[u8]) -> Option<(usize, u64)> {
    let inside = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inside)?;
    let digits = inside.get(open + 1..)?;
    let octets = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))?;
    // RFC 9051's literal8 has a tilde before it.
    let at = if open.checked_sub(1).and_then(|at| line.get(at)) == Some(&b'~') { open - 1 } else { open };
    Some((at, octets.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn heard(octets: &[u8], room: usize) -> String {
        let (ours, mut theirs) = tokio::io::duplex(1024 * 1024);
        theirs.write_all(octets).await.unwrap();
        drop(theirs);
        match Wire::new(Box::new(ours)).hear(room).await {
            Ok(heard) => format!("{:?}", heard.tokens),
            Err(fault) => fault.to_string(),
        }
    }

    #[tokio::test]
    async fn an_answer_is_its_line_and_its_literals() {
        let check = async |octets: &[u8], room, expected: &str| assert_eq!(heard(octets, room).await, expected);
        check(b"* 1 EXISTS\r\n", 0, "[*, 1, EXISTS]").await;
        check(b"* 1 FETCH (X {3}\r\na\r\n Y)\r\n", 9, "[*, 1, FETCH, (, X, {a\\r\\n}, Y, )]").await;
        check(b"* 1 FETCH (X ~{3}\r\nabc)\n", 9, "[*, 1, FETCH, (, X, {abc}, )]").await;
        check(b"* 1 FETCH (X {3}\r\nabc Y {1}\r\nz)\r\n", 3, "[*, 1, FETCH, (, X, {abc}, Y, too large, )]").await;
        check(b"* 1 FETCH (X {99999999999}\r\n", 3, "the server's answer was broken: a message is larger than any")
            .await;
        check(b"* 1 FETCH (X {3}\r\nab", 3, "the server hung up: it hung up").await;
        let long = vec![b'x'; TEXT_OCTETS + 2];
        check(&long, 3, "the server's answer was broken: a line is too long").await;
        let parts = "{0}\r\n".repeat(LITERALS + 1);
        check(parts.as_bytes(), 3, "the server's answer was broken: an answer has too many parts").await;
    }
}
