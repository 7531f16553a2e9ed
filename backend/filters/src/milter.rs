//! Milters: Sendmail's protocol for filters, version 6, as an MTA speaks it (libmilter's `mfdef.h` and its manual).
//!
//! A milter is told of the whole session at once, when the message is whole: from the connection to the end of the body. What it
//! answers to a step is honoured; a step that it wants not to hear of, or not to answer, is left out or not waited for. We offer it to
//! add, insert and change fields of the header, and to put the message aside: nothing else (a new body, other recipients) is agreed
//! upon, and a milter that insists on it hangs up.

mod packet;

use std::net::IpAddr;

use relais_model::{EnhancedCode, Reply};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

pub use self::packet::{Say, parse};

use self::packet::{PACKET_OCTETS, number, packet};
use crate::letter::{fields, name_and_value};
use crate::{Change, Finding, Letter, Trouble};

/// Version of the protocol; milters of version 2 are understood, too.
const VERSION: u32 = 6;
const OLDEST: u32 = 2;
/// `SMFIF_ADDHDRS`, `SMFIF_CHGHDRS`, `SMFIF_QUARANTINE`.
const ACTS: u32 = 0x01 | 0x10 | 0x20;
/// Octets of a piece of the body (`MILTER_CHUNK_SIZE`).
const PIECE: usize = 65_535;
/// Octets of a field's value that a milter is shown: a longer field would be no packet that it takes.
const VALUE_OCTETS: usize = 60_000;
/// Changes to one message, and their octets.
const MOST_CHANGES: usize = 200;
const CHANGE_OCTETS: usize = 256 * 1024;
/// Packets in answer to one step: of those, most say that it is still at work.
const MOST_PACKETS: usize = 10_000;

/// A step of the session: its letter, the bit by which a milter says not to be told of it, and the one not to answer.
#[derive(Debug, Clone, Copy)]
struct Step {
    letter: u8,
    untold: u32,
    unanswered: u32,
}

impl Step {
    const fn new(letter: u8, untold: u32, unanswered: u32) -> Self {
        Self { letter, untold, unanswered }
    }
}

const CONNECT: Step = Step::new(b'C', 0x1, 0x1000);
const HELO: Step = Step::new(b'H', 0x2, 0x2000);
const MAIL: Step = Step::new(b'M', 0x4, 0x4000);
const RCPT: Step = Step::new(b'R', 0x8, 0x8000);
const DATA: Step = Step::new(b'T', 0x200, 0x1_0000);
const FIELD: Step = Step::new(b'L', 0x20, 0x80);
const HEADER_END: Step = Step::new(b'N', 0x40, 0x4_0000);
const BODY: Step = Step::new(b'B', 0x10, 0x8_0000);
/// `SMFIP_SKIP`, `SMFIP_HDR_LEADSPC`.
const SKIP: u32 = 0x400;
const LEADING_BLANK: u32 = 0x10_0000;
/// All that a milter may ask of us (and, of what isn't a step, `SMFIP_NOUNKNOWN` and `SMFIP_NR_UNKN`).
const STEPS: u32 = 0x37f | SKIP | 0xf_f080 | LEADING_BLANK;

/// Shows a milter a message, with its session.
///
/// # Errors
/// No answer, or one that was not agreed upon.
pub async fn check<S>(stream: S, letter: &Letter<'_>) -> Result<Finding, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut talk = Talk::open(stream).await?;
    let found = match talk.tell(letter).await {
        Ok(finding) | Err(End::Early(finding)) => finding,
        Err(End::Trouble(trouble)) => return Err(trouble),
    };
    talk.quit().await;
    Ok(found)
}

/// Which version of the protocol a milter speaks; it has no other.
///
/// # Errors
/// It doesn't answer.
pub async fn version<S>(stream: S) -> Result<String, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut talk = Talk::open(stream).await?;
    talk.quit().await;
    Ok(format!("milter {}", talk.version))
}

/// What ends a session before the body's end.
enum End {
    Early(Finding),
    Trouble(Trouble),
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// What a milter is told beside a step: names and values.
type Macros<'m> = &'m [(&'m str, &'m str)];

struct Talk<S> {
    stream: S,
    version: u32,
    steps: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Agrees on what is told and done.
    async fn open(mut stream: S) -> Result<Self, Trouble> {
        let [version, acts, steps] = [VERSION, ACTS, STEPS].map(u32::to_be_bytes);
        stream.write_all(&packet(b'O', &[&version, &acts, &steps])).await?;
        let answer = read(&mut stream).await?;
        let data = answer.strip_prefix(b"O").ok_or(Trouble::Malformed("negotiation"))?;
        let (version, data) = number(data)?;
        let (acts, data) = number(data)?;
        // Behind it may stand which macros it wants; it gets those that there are.
        let (steps, _macros) = number(data)?;
        if !(OLDEST..=VERSION).contains(&version) || acts & !ACTS != 0 || steps & !STEPS != 0 {
            return Err(Trouble::Malformed("negotiation"));
        }
        Ok(Self { stream, version, steps })
    }

    async fn tell(&mut self, letter: &Letter<'_>) -> Result<Finding, End> {
        self.tell_envelope(letter).await?;
        let (header, end) = fields(letter.message);
        let body = letter.message.get(end..).unwrap_or_default();
        for (name, value) in header.into_iter().filter_map(name_and_value) {
            let value = self.shown(value);
            self.step(FIELD, &[], &[name, b"\0", &value, b"\0"]).await?;
        }
        let id = [("i", letter.queue_id)];
        self.step(HEADER_END, &id, &[]).await?;
        let body = body.strip_prefix(b"\r\n").or(body.strip_prefix(b"\n")).unwrap_or(body);
        for piece in body.chunks(PIECE) {
            if self.step(BODY, &[], &[piece]).await? {
                break;
            }
        }
        self.end(&id).await
    }

    async fn tell_envelope(&mut self, letter: &Letter<'_>) -> Result<(), End> {
        let peer = letter.peer.to_canonical();
        let family = match peer {
            IpAddr::V4(_) => b"4",
            IpAddr::V6(_) => b"6",
        };
        let address = peer.to_string();
        // The client's port isn't known here, and neither is a name: an address in brackets says so.
        let connect = [b"[", address.as_bytes(), b"]\0", family, &[0, 0], address.as_bytes(), b"\0"];
        let client =
            [("j", letter.host), ("{daemon_name}", "relais"), ("v", "relais"), ("{client_addr}", address.as_str())];
        self.step(CONNECT, &client, &connect).await?;
        self.step(HELO, &[], &[letter.helo.as_bytes(), b"\0"]).await?;
        let from = letter.reverse_path.to_string();
        let sender = from.trim_matches(['<', '>']);
        let mut macros = vec![("i", letter.queue_id), ("{mail_addr}", sender)];
        if let Some(login) = letter.login {
            macros.extend([("{auth_authen}", login), ("{auth_type}", "PLAIN"), ("{auth_author}", login)]);
        }
        self.step(MAIL, &macros, &[from.as_bytes(), b"\0"]).await?;
        for recipient in letter.recipients {
            let address = recipient.to_string();
            self.step(RCPT, &[("{rcpt_addr}", &address)], &[b"<", address.as_bytes(), b">\0"]).await?;
        }
        // Before version 4 nobody knew this step.
        if self.version >= 4 {
            self.step(DATA, &[("i", letter.queue_id)], &[]).await?;
        }
        Ok(())
    }

    /// A field's value as milters want it: lines parted by LF, with the blank behind the colon only for those that asked.
    fn shown(&self, value: &[u8]) -> Vec<u8> {
        let value = value.get(..VALUE_OCTETS).unwrap_or(value);
        let value = if self.steps & LEADING_BLANK == 0 { value.strip_prefix(b" ").unwrap_or(value) } else { value };
        value.iter().copied().filter(|octet| !matches!(octet, b'\r' | 0)).collect()
    }

    /// Tells one step and hears the answer; whether it wants no more of its kind.
    async fn step(&mut self, step: Step, macros: Macros<'_>, data: &[&[u8]]) -> Result<bool, End> {
        if self.steps & step.untold != 0 {
            return Ok(false);
        }
        self.say(step.letter, macros, data).await?;
        if self.steps & step.unanswered != 0 {
            return Ok(false);
        }
        match self.hear().await? {
            Say::Continue => Ok(false),
            Say::Skip if self.steps & SKIP != 0 && step.letter == BODY.letter => Ok(true),
            say => Err(End::Early(verdict(say)?)),
        }
    }

    /// The end of the body: changes first, then the last word.
    async fn end(&mut self, macros: Macros<'_>) -> Result<Finding, End> {
        self.say(b'E', macros, &[]).await?;
        let (mut changes, mut octets, mut quarantine) = (Vec::new(), 0, None);
        loop {
            match self.hear().await? {
                Say::Change(change) => {
                    octets += size(&change);
                    changes.push(change);
                    if changes.len() > MOST_CHANGES || octets > CHANGE_OCTETS {
                        return Err(Trouble::Malformed("too many changes").into());
                    }
                }
                Say::Quarantine(why) => quarantine = Some(why),
                Say::Continue | Say::Accept => return Ok(Finding::Passed { changes, quarantine }),
                say => return Ok(verdict(say)?),
            }
        }
    }

    async fn say(&mut self, letter: u8, macros: Macros<'_>, data: &[&[u8]]) -> Result<(), Trouble> {
        let mut octets = Vec::new();
        if !macros.is_empty() {
            let mut parts: Vec<&[u8]> = vec![std::slice::from_ref(&letter)];
            for (name, value) in macros {
                parts.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"]);
            }
            octets = packet(b'D', &parts);
        }
        octets.extend(packet(letter, data));
        self.stream.write_all(&octets).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next word that says more than that it is at work.
    async fn hear(&mut self) -> Result<Say, Trouble> {
        for _ in 0..MOST_PACKETS {
            match parse(&read(&mut self.stream).await?)? {
                Say::Progress => {}
                say => return Ok(say),
            }
        }
        Err(Trouble::Malformed("too many packets"))
    }

    /// It has said what it had to say: whether it hears this is its own affair.
    async fn quit(&mut self) {
        let _sent = self.stream.write_all(&packet(b'Q', &[])).await;
        let _closed = self.stream.shutdown().await;
    }
}

/// What a last word means.
fn verdict(say: Say) -> Result<Finding, Trouble> {
    let refused = |code, class, text| Finding::Refused(Reply::new(code, EnhancedCode::new(class, 7, 1), text));
    match say {
        Say::Accept => Ok(Finding::Passed { changes: Vec::new(), quarantine: None }),
        Say::Reject => Ok(refused(550, 5, "A filter of this host refuses the message")),
        Say::TempFail => Ok(refused(451, 4, "A filter of this host puts the message off; try again later")),
        Say::Reply(reply) => Ok(Finding::Refused(reply)),
        Say::Discard => Ok(Finding::Discarded),
        Say::Continue | Say::Skip | Say::Progress | Say::Change(_) | Say::Quarantine(_) => {
            Err(Trouble::Malformed("a word out of place"))
        }
    }
}

fn size(change: &Change) -> usize {
    match change {
        Change::Add { name, value } | Change::Insert { name, value, .. } => name.len() + value.len(),
        Change::Alter { name, value, .. } => name.len() + value.as_ref().map_or(0, Vec::len),
    }
}

/// A packet, from its letter on. Its length is believed only within our limit.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Trouble> {
    let octets = stream.read_u32().await?;
    if !(1..=PACKET_OCTETS).contains(&octets) {
        return Err(Trouble::Malformed("length"));
    }
    let mut packet = vec![0; usize::try_from(octets).unwrap_or_default()];
    stream.read_exact(&mut packet).await?;
    Ok(packet)
}

#[cfg(test)]
pub(crate) mod tests;
