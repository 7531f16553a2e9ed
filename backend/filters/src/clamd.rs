//! ClamAV's daemon: `INSTREAM` and `VERSION` over its socket (clamd(8)).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};

use crate::said::plain;
use crate::{Finding, Trouble};

/// Octets of an answer, at most: a name, and a few words.
const ANSWER_OCTETS: u64 = 4096;
/// What stands before each message: ClamAV takes octets for mail by how they begin, and a message may begin with any field.
const HEAD: &[u8] = b"Return-Path: <>\r\n";
/// Octets of one piece.
const PIECE: usize = 64 * 1024;

/// Shows clamd a message.
///
/// # Errors
/// No answer, or one that says that it failed.
pub async fn check<S>(stream: S, message: &[u8]) -> Result<Finding, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut hears, mut says) = split(stream);
    let writing = async {
        says.write_all(b"zINSTREAM\0").await?;
        for piece in [HEAD].into_iter().chain(message.chunks(PIECE)) {
            says.write_all(&u32::try_from(piece.len()).unwrap_or_default().to_be_bytes()).await?;
            says.write_all(piece).await?;
        }
        says.write_all(&[0; 4]).await?;
        says.flush().await
    };
    // Past its StreamMaxLength it answers and hangs up while we still write: the answer is what counts, and it must be read before the
    // broken connection is noticed.
    let reading = answer(&mut hears);
    tokio::pin!(writing, reading);
    let octets = tokio::select! {
        biased;
        // Both are polled to their end or dropped with the connection.
        found = &mut reading => found?,
        written = &mut writing => match written {
            Ok(()) => reading.await?,
            Err(error) => reading.await.map_err(|_silent| error)?,
        },
    };
    parse(&octets)
}

/// What clamd calls itself: `ClamAV 1.0.7/27000/…`.
///
/// # Errors
/// It doesn't answer.
pub async fn version<S>(mut stream: S) -> Result<String, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(b"zVERSION\0").await?;
    let octets = answer(&mut stream).await?;
    match text(&octets) {
        words if words.starts_with("ClamAV") => Ok(words),
        _ => Err(Trouble::Malformed("VERSION")),
    }
}

async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let mut stream = stream.take(ANSWER_OCTETS);
    while !octets.ends_with(b"\0") && stream.read_buf(&mut octets).await? > 0 {}
    if octets.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(octets) }
}

fn text(answer: &[u8]) -> String {
    let words = answer.strip_suffix(b"\0").unwrap_or(answer);
    plain(String::from_utf8_lossy(words).trim_end())
}

/// What an answer to `INSTREAM` means: `stream: OK`, `stream: NAME FOUND`, or words that end in `ERROR`.
///
/// # Errors
/// It says that it failed, or something else.
pub fn parse(answer: &[u8]) -> Result<Finding, Trouble> {
    let words = text(answer);
    if words.ends_with("ERROR") {
        return if words.contains("size limit exceeded") {
            Ok(Finding::TooLarge { most_octets: None })
        } else {
            Err(Trouble::Failed(words))
        };
    }
    match words.strip_prefix("stream: ") {
        Some("OK") => Ok(Finding::Clean),
        Some(found) => match found.strip_suffix(" FOUND").map(str::trim) {
            Some(name) if !name.is_empty() => Ok(Finding::Virus { name: name.to_owned() }),
            _ => Err(Trouble::Malformed("INSTREAM")),
        },
        None => Err(Trouble::Malformed("INSTREAM")),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[test]
    fn answers_are_understood() {
        let virus = |name: &str| Ok(Finding::Virus { name: name.to_owned() });
        let malformed = || Err(Trouble::Malformed("INSTREAM"));
        let check = |answer: &[u8], expected| assert_eq!(parse(answer), expected, "{}", answer.escape_ascii());
        check(b"stream: OK\0", Ok(Finding::Clean));
        check(b"stream: OK\n", Ok(Finding::Clean));
        check(b"stream: Eicar-Test-Signature FOUND\0", virus("Eicar-Test-Signature"));
        check(b"stream: a b\r\nX: \xff FOUND\0", virus("a b??X: ?"));
        check(b"INSTREAM size limit exceeded. ERROR\0", Ok(Finding::TooLarge { most_octets: None }));
        let broken = "stream: Can't allocate memory ERROR";
        check(format!("{broken}\0").as_bytes(), Err(Trouble::Failed(broken.to_owned())));
        check(b"", malformed());
        check(b"OK\0", malformed());
        check(b"stream: FOUND\0", malformed());
        check(b"stream:  FOUND\0", malformed());
        check(b"stream: something else\0", malformed());
    }

    #[tokio::test]
    async fn the_message_goes_in_pieces_and_ends_with_an_empty_one() {
        let (ours, mut theirs) = duplex(1000);
        let message = vec![b'x'; PIECE + 10];
        let daemon = async {
            let mut heard = Vec::new();
            while !heard.ends_with(&[0; 4]) {
                assert_ne!(theirs.read_buf(&mut heard).await.unwrap(), 0);
            }
            theirs.write_all(b"stream: ").await.unwrap();
            theirs.write_all(b"OK\0").await.unwrap();
            heard
        };
        let (found, heard) = tokio::join!(check(ours, &message), daemon);
        assert_eq!(found, Ok(Finding::Clean));
        let expected = [
            b"zINSTREAM\0".as_slice(),
            &17_u32.to_be_bytes(),
            HEAD,
            &65_536_u32.to_be_bytes(),
            &message[..PIECE],
            &10_u32.to_be_bytes(),
            &message[PIECE..],
            &[0; 4],
        ];
        assert_eq!(heard, expected.concat());
    }

    #[tokio::test]
    async fn an_early_answer_is_heard_though_it_reads_no_further() {
        let (ours, mut theirs) = duplex(1000);
        let message = vec![b'x'; 10 * PIECE];
        let daemon = async move {
            let mut heard = [0; 500];
            theirs.read_exact(&mut heard).await.unwrap();
            theirs.write_all(b"INSTREAM size limit exceeded. ERROR\0").await.unwrap();
        };
        let (found, ()) = tokio::join!(check(ours, &message), daemon);
        assert_eq!(found, Ok(Finding::TooLarge { most_octets: None }));
    }

    #[tokio::test]
    async fn one_that_hangs_up_or_talks_without_end_gave_no_answer() {
        let (ours, theirs) = duplex(10);
        drop(theirs);
        assert!(matches!(check(ours, b"x").await, Err(Trouble::Broken(_))));
        let (ours, mut theirs) = duplex(100_000);
        theirs.write_all(&vec![b'x'; 50_000]).await.unwrap();
        assert_eq!(check(ours, b"x").await, Err(Trouble::Malformed("INSTREAM")));
        let (ours, mut theirs) = duplex(1000);
        theirs.write_all(b"ClamAV 1.0.7/27000/x\0").await.unwrap();
        assert_eq!(version(ours).await, Ok("ClamAV 1.0.7/27000/x".to_owned()));
    }
}
