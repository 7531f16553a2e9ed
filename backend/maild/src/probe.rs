//! Would we relay for a stranger? Asked of ourselves before anybody else can: a stranger's session at each door for mail, in memory.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use relais_model::Random;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::House;
use crate::listener::{ListenerConfig, Protocol, Visitor};
use crate::wire::Wire;

/// An address of nobody's (TEST-NET-1, RFC 5737 §3).
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// All that one door is asked.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a door took from a stranger for another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// MAIL's path.
    pub reverse_path: String,
    /// RCPT's path.
    pub forward_path: String,
}

impl House {
    /// Tries to send mail through us at `listener` as a stranger who hasn't logged in; none where that is refused. No message is
    /// sent: RCPT's answer decides. Doors that aren't for sending have nothing to ask.
    ///
    /// # Errors
    /// The door didn't answer in time.
    pub async fn probe(
        self: &Arc<Self>,
        listener: &ListenerConfig,
        random: &dyn Random,
    ) -> io::Result<Option<Relayed>> {
        timeout(PATIENCE, Box::pin(self.try_paths(listener, random))).await?
    }

    async fn try_paths(
        self: &Arc<Self>,
        listener: &ListenerConfig,
        random: &dyn Random,
    ) -> io::Result<Option<Relayed>> {
        let hello = match listener.protocol {
            Protocol::Smtp | Protocol::Submission => "EHLO",
            Protocol::Lmtp => "LHLO",
            Protocol::Imap | Protocol::Pop3 | Protocol::Sieve => return Ok(None),
        };
        // Nobody can make this a domain of ours beforehand, and it never leads anywhere (RFC 6761 §6.4).
        let mut chance = [0; 8];
        random.fill(&mut chance);
        let elsewhere = format!("probe-{:016x}.invalid", u64::from_be_bytes(chance));
        let here = self.host_name.to_string();
        for reverse_path in [String::new(), format!("probe@{elsewhere}"), format!("postmaster@{here}")] {
            let (ours, theirs) = UnixStream::pair()?;
            let listener = Arc::new(listener.clone());
            let (wire, stop) = (Wire::from(theirs), CancellationToken::new());
            // Measures against its network would hide what the door says.
            let visitor = Visitor { wire, peer: STRANGER, listener, is_watched: false, stop: stop.clone() };
            let asked = ask(ours, hello, &here, &reverse_path, &elsewhere);
            // Both in one task; where the asking ends first, it has hung up.
            let (asked, ()) = tokio::join!(asked, crate::drive(visitor, Vec::new(), Arc::clone(self)));
            if let Some(forward_path) = asked? {
                return Ok(Some(Relayed { reverse_path, forward_path }));
            }
        }
        Ok(None)
    }
}

/// Speaks to a door; gives the first path elsewhere that it takes.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    hello: &str,
    here: &str,
    reverse_path: &str,
    elsewhere: &str,
) -> io::Result<Option<String>> {
    let mut door = BufReader::new(stream);
    reply(&mut door).await?;
    command(&mut door, &format!("{hello} {elsewhere}")).await?;
    if !command(&mut door, &format!("MAIL FROM:<{reverse_path}>")).await? {
        return Ok(None);
    }
    for path in [format!("probe@{elsewhere}"), format!("probe@[{STRANGER}]"), format!("@{here}:probe@{elsewhere}")] {
        if command(&mut door, &format!("RCPT TO:<{path}>")).await? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether the door says yes.
async fn command(door: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>, line: &str) -> io::Result<bool> {
    door.write_all(format!("{line}\r\n").as_bytes()).await?;
    reply(door).await
}

/// Reads a reply to its last line (RFC 5321 §4.2.1).
async fn reply(door: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>) -> io::Result<bool> {
    loop {
        let mut line = String::new();
        if door.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.get(3..4) != Some("-") {
            return Ok(line.starts_with('2'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A door that refuses what contains one of `refused`, and takes everything else.
    async fn door(stream: UnixStream, refused: &[&str]) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 here ESMTP\r\n").await?;
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let is_refused = refused.iter().any(|words| line.contains(words));
            stream
                .write_all(if is_refused { b"550-5.7.1 No,\r\n550 5.7.1 never\r\n" } else { b"250-Yes\r\n250 Ok\r\n" })
                .await?;
            line.clear();
        }
        Ok(())
    }

    /// Whichever path is let through is found.
    #[tokio::test]
    async fn a_door_that_relays_is_found() {
        for (refused, taken) in [
            (&["MAIL"][..], None),
            (&["RCPT"], None),
            (&[], Some("probe@x.invalid")),
            (&["TO:<probe@x"], Some("probe@[192.0.2.1]")),
            (&["TO:<probe@"], Some("@here:probe@x.invalid")),
        ] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let (asked, served) = tokio::join!(ask(ours, "EHLO", "here", "", "x.invalid"), door(theirs, refused));
            served.unwrap();
            assert_eq!(asked.unwrap().as_deref(), taken, "{refused:?}");
        }
    }

    #[tokio::test]
    async fn a_door_that_hangs_up_has_not_refused() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert!(ask(ours, "EHLO", "here", "", "x.invalid").await.is_err());
    }
}
