//! `sendmail`, as cron and others call it: a message on standard input, its recipients as words or in its header.
//!
//! It is nobody special. It carries the message to port 25 of this machine as any stranger's program would, so that whoever may
//! run it gains nothing by it: mail for people of this house gets in, mail for other hosts is refused, for which one logs in at a
//! submission port. It reads no configuration, for that is the server's alone: the server's name is what it answers to EHLO.
//! A name without a domain (`root`, to whom cron writes) is the house's postmaster.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;

use relais_message::{complete_submission, fields, header_octets, mailboxes, read_address_list};
use relais_model::{
    Address, BodyType, Clock as _, Domain, Envelope, ForwardPath, LocalPart, ReversePath, SystemClock, SystemRandom,
};
use relais_smtp::client::{Client, Config, Encoder, Fate, Fault, Language, Outcome, Step, TlsPolicy};

/// Names by which the program is called in sendmail's place.
const NAMES: [&str; 3] = ["sendmail", "mailq", "newaliases"];
/// Where the house's port 25 is, unless [`AT`] says it.
const HOUSE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 25);
/// Names another `ADDRESS:PORT`. Nothing is won by it: who may set it could connect there as well.
const AT: &str = "RELAIS_SMTP";
/// A longer message isn't read; the server refuses smaller ones, as it is set.
const MAX_OCTETS: u64 = 128 * 1024 * 1024;
/// Whom mail to a name without a domain is for.
const POSTMASTER: &str = "postmaster";

/// Options whose value is the rest of the word, or the next word; what they say is of no use here.
const IGNORED_WITH_VALUE: &[u8] = b"ABCDLNORVXdhp";
/// Options without a value that change nothing here.
const IGNORED: &[u8] = b"GUmnosv";

/// `sysexits.h`, as sendmail's callers know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Usage = 64,
    BadMessage = 65,
    NoUser = 67,
    Unavailable = 69,
    System = 71,
    TryAgain = 75,
}

/// Why a message isn't on its way: for who calls, and for whoever reads it.
#[derive(Debug)]
struct Trouble(Exit, String);

type Outcomes<T> = Result<T, Trouble>;

/// What the caller wants.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    /// `-f`; empty: the null sender.
    sender: Option<String>,
    /// `-F`.
    full_name: Option<String>,
    /// `-t`: also those that To, Cc and Bcc name.
    reads_header: bool,
    /// `-i`: a line with a dot alone doesn't end the message.
    takes_dots: bool,
    recipients: Vec<String>,
}

/// What is asked for.
#[derive(Debug, PartialEq)]
enum Act {
    Send(Wanted),
    /// `-bi`, `newaliases`, and `-q` alone: there is no such file here, and the queue needs no push.
    Nothing,
}

/// The words behind the program's name, where it was called as sendmail.
pub(crate) fn called() -> Option<Vec<OsString>> {
    let mut words = env::args_os();
    let program = words.next()?;
    let name = Path::new(&program).file_name().and_then(OsStr::to_str)?;
    let first = match name {
        "mailq" => Some("-bp".into()),
        "newaliases" => Some("-bi".into()),
        _ => None,
    };
    NAMES.contains(&name).then(|| first.into_iter().chain(words).collect())
}

/// Sends what stands on standard input.
#[expect(clippy::print_stderr, reason = "sendmail's callers read what went wrong there")]
pub(crate) fn run(words: &[OsString]) -> ExitCode {
    match send(words, &mut io::stdin().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Trouble(exit, why)) => {
            eprintln!("sendmail: {why}");
            ExitCode::from(exit as u8)
        }
    }
}

fn send(words: &[OsString], input: &mut impl BufRead) -> Outcomes<()> {
    let Act::Send(wanted) = read_words(words)? else { return Ok(()) };
    let message = read_message(input, wanted.takes_dots)?;
    let house = House::meet()?;
    let envelope = house.envelope(&wanted, &message)?;
    let message = complete(&message, &wanted, &envelope, &house.name);
    house.carry(envelope, &message)
}

fn read_words(words: &[OsString]) -> Outcomes<Act> {
    let usage = |why: String| Trouble(Exit::Usage, why);
    let mut wanted = Wanted::default();
    let mut pushes_queue = false;
    let mut words =
        words.iter().map(|word| word.to_str().ok_or_else(|| usage(format!("{} is no text", word.display()))));
    while let Some(word) = words.next().transpose()? {
        let Some(option) = word.strip_prefix('-').filter(|option| !option.is_empty()) else {
            wanted.recipients.push(word.to_owned());
            continue;
        };
        if option == "-" {
            wanted
                .recipients
                .extend(words.by_ref().map(|word| word.map(str::to_owned)).collect::<Result<Vec<_>, _>>()?);
            break;
        }
        let (letter, rest) = option.split_at_checked(1).unwrap_or((option, ""));
        let mut value = || match rest {
            "" => words.next().transpose()?.ok_or_else(|| usage(format!("-{letter} lacks its value"))),
            rest => Ok(rest),
        };
        match (letter, rest) {
            ("t", "") => wanted.reads_header = true,
            ("i", "") | ("o", "i") => wanted.takes_dots = true,
            ("f" | "r", _) => wanted.sender = Some(value()?.to_owned()),
            ("F", _) => wanted.full_name = Some(value()?.to_owned()),
            ("b", "i") => return Ok(Act::Nothing),
            ("b", "p") => return Err(Trouble(Exit::Unavailable, "as root, say `relais queue list`".to_owned())),
            ("q", _) => pushes_queue = true,
            ("b", "m") | ("o", _) => {}
            (letter, "") if letter.bytes().all(|letter| IGNORED.contains(&letter)) => {}
            (letter, _) if letter.bytes().all(|letter| IGNORED_WITH_VALUE.contains(&letter)) => drop(value()?),
            _ => return Err(usage(format!("-{option} is not known here"))),
        }
    }
    if wanted.recipients.is_empty() && !wanted.reads_header {
        return if pushes_queue {
            Ok(Act::Nothing)
        } else {
            Err(usage("to whom? (-t: as the header says)".to_owned()))
        };
    }
    Ok(Act::Send(wanted))
}

/// The message with CRLF at each line's end.
fn read_message(input: &mut impl BufRead, takes_dots: bool) -> Outcomes<Vec<u8>> {
    let mut message = Vec::new();
    let mut input = input.take(MAX_OCTETS);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        let read = read.map_err(|error| Trouble(Exit::BadMessage, format!("the message cannot be read: {error}")))?;
        while matches!(line.last(), Some(b'\r' | b'\n')) {
            line.pop();
        }
        if read == 0 || (line == b"." && !takes_dots) {
            break;
        }
        // Neither stands in a message but together (RFC 5322 §2.3).
        line.iter_mut().filter(|octet| **octet == b'\r').for_each(|octet| *octet = b' ');
        message.extend_from_slice(&line);
        message.extend_from_slice(b"\r\n");
    }
    if input.limit() == 0 {
        return Err(Trouble(Exit::BadMessage, format!("the message has more than {MAX_OCTETS} octets")));
    }
    Ok(message)
}

/// The header as RFC 6409 §8 bids: with From, Date and Message-ID, without Bcc.
fn complete(message: &[u8], wanted: &Wanted, envelope: &Envelope, host: &Domain) -> Vec<u8> {
    let mut message = message.to_vec();
    // What begins with no field is a body alone.
    if fields(&message).next().is_none_or(|first| first.name.is_empty()) {
        message.splice(0..0, *b"\r\n");
    }
    let (header, body) = message.split_at_checked(header_octets(&message)).unwrap_or((&message, &[]));
    let mut completed = Vec::new();
    if !fields(header).any(|field| field.is("From")) {
        let who = envelope.reverse_path.address().map_or_else(|| format!("{POSTMASTER}@{host}"), Address::to_string);
        completed.extend_from_slice(author(wanted.full_name.as_deref(), &who).as_bytes());
    }
    completed.extend_from_slice(header);
    let mut completed = complete_submission(&completed, host.as_str(), SystemClock.now(), &SystemRandom).header;
    completed.extend_from_slice(body);
    completed
}

fn author(name: Option<&str>, address: &str) -> String {
    let is_plain = |name: &&str| name.bytes().all(|octet| (b' '..0x7f).contains(&octet));
    match name.filter(is_plain) {
        Some(name) => format!("From: \"{}\" <{address}>\r\n", name.replace('\\', "\\\\").replace('"', "\\\"")),
        None => format!("From: {address}\r\n"),
    }
}

/// A session with the house, behind EHLO.
struct House {
    stream: TcpStream,
    client: Client,
    name: Domain,
}

impl House {
    fn meet() -> Outcomes<Self> {
        let again = |why: String| Trouble(Exit::TryAgain, why);
        let at = match env::var(AT) {
            Ok(at) => at.parse().map_err(|_| Trouble(Exit::Usage, format!("{AT}: {at} is not ADDRESS:PORT")))?,
            Err(_) => HOUSE,
        };
        let stream =
            TcpStream::connect(at).map_err(|error| again(format!("no mail server answers at {at}: {error}")))?;
        let client = Client::new(Config {
            host_name: Domain::parse("localhost").map_err(|error| Trouble(Exit::System, error.to_string()))?,
            language: Language::Smtp,
            tls: TlsPolicy::Never,
            is_under_tls: false,
            credentials: None,
        });
        let mut house =
            Self { stream, client, name: Domain::parse("localhost").map_err(|error| again(error.to_string()))? };
        house.drive(&[])?;
        house.name = Domain::parse(&house.client.offer().name)
            .map_err(|_| again("the mail server doesn't say its name".to_owned()))?;
        Ok(house)
    }

    fn envelope(&self, wanted: &Wanted, message: &[u8]) -> Outcomes<Envelope> {
        let mut addresses: Vec<Address> =
            wanted.recipients.iter().map(|text| self.recipient(text)).collect::<Result<_, _>>()?;
        if wanted.reads_header {
            addresses.extend(self.named_in(message)?);
        }
        addresses.dedup();
        if addresses.is_empty() {
            return Err(Trouble(Exit::Usage, "neither the words nor the header name a recipient".to_owned()));
        }
        let is_ascii = message.is_ascii();
        Ok(Envelope {
            recipients: addresses.into_iter().map(ForwardPath::new).collect(),
            body_type: if is_ascii { BodyType::SevenBit } else { BodyType::EightBitMime },
            ..Envelope::new(self.sender(wanted.sender.as_deref())?, SystemClock.now())
        })
    }

    fn sender(&self, wanted: Option<&str>) -> Outcomes<ReversePath> {
        let text = match wanted {
            Some(text) => text.trim_start_matches('<').trim_end_matches('>').to_owned(),
            None => env::var("LOGNAME").or_else(|_| env::var("USER")).unwrap_or_else(|_| "nobody".to_owned()),
        };
        if text.is_empty() {
            return Ok(ReversePath::Null);
        }
        let full = if text.contains('@') { text } else { format!("{text}@{}", self.name) };
        let address = Address::parse(&full).map_err(|error| Trouble(Exit::Usage, format!("{full}: {error}")))?;
        Ok(ReversePath::Address(address))
    }

    fn recipient(&self, text: &str) -> Outcomes<Address> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        let full = if text.contains('@') { text.to_owned() } else { format!("{POSTMASTER}@{}", self.name) };
        Address::parse(&full).map_err(|error| Trouble(Exit::Usage, format!("{text}: {error}")))
    }

    /// Those of To, Cc and Bcc.
    fn named_in(&self, message: &[u8]) -> Outcomes<Vec<Address>> {
        let mut found = Vec::new();
        for field in fields(message).filter(|field| ["To", "Cc", "Bcc"].iter().any(|name| field.is(name))) {
            for mailbox in mailboxes(&read_address_list(&field.unfolded())) {
                let is_bare = mailbox.domain.is_none() && mailbox.local_part.is_some();
                let postmaster =
                    || Some(Address { local_part: LocalPart::parse(POSTMASTER).ok()?, domain: self.name.clone() });
                let address = if is_bare { postmaster() } else { mailbox.to_address() };
                let wrong = || Trouble(Exit::BadMessage, format!("{} is no address", mailbox.to_text()));
                found.push(address.ok_or_else(wrong)?);
            }
        }
        Ok(found)
    }

    fn carry(mut self, envelope: Envelope, message: &[u8]) -> Outcomes<()> {
        let recipients: Vec<String> = envelope.recipients.iter().map(|path| path.address.to_string()).collect();
        self.client.send(envelope, message.len() as u64);
        let outcome = self.drive(message)?;
        self.client.quit();
        // Nothing hangs on its answer.
        drop(self.drive(message));
        let fates = outcome.map(|outcome| outcome.recipients).unwrap_or_default();
        judge(recipients.iter().map(String::as_str).zip(&fates))
    }

    /// Goes on until there is nothing to do, or a message's fate is known.
    fn drive(&mut self, message: &[u8]) -> Outcomes<Option<Outcome>> {
        let mut octets = [0; 4096];
        loop {
            match self.client.step() {
                Step::Idle => return Ok(None),
                Step::Done(outcome) => return Ok(Some(*outcome)),
                Step::Close => return Err(Trouble(Exit::TryAgain, "the mail server closed the connection".to_owned())),
                Step::StartTls => self.client.break_off(Fault::TlsMissing),
                Step::Write(out) => self.write(&out),
                Step::Read => {
                    let waited = self.stream.set_read_timeout(Some(self.client.timeout()));
                    match waited.and_then(|()| self.stream.read(&mut octets)) {
                        Ok(read) => self.client.feed(octets.get(..read).unwrap_or_default()),
                        Err(_) => self.client.expire(),
                    }
                }
                Step::SendBody(transfer) => {
                    let mut encoder = Encoder::new(transfer);
                    let mut out = Vec::new();
                    encoder.push(message, &mut out);
                    if encoder.finish(&mut out) {
                        self.write(&out);
                        self.client.body_sent();
                    } else {
                        self.client.break_off(Fault::BodyLost);
                    }
                }
            }
        }
    }

    fn write(&mut self, octets: &[u8]) {
        let waited = self.stream.set_write_timeout(Some(self.client.timeout()));
        if waited.and_then(|()| self.stream.write_all(octets)).is_err() {
            self.client.break_off(Fault::HungUp);
        }
    }
}

/// One word for all recipients: sendmail has no more. What may be tried again counts most, for else it is lost.
fn judge<'a>(fates: impl Iterator<Item = (&'a str, &'a Fate)>) -> Outcomes<()> {
    let mut troubles = Vec::new();
    for (recipient, fate) in fates.filter(|(_, fate)| !matches!(fate, Fate::Accepted(_))) {
        let reply = fate.reply();
        let exit = match reply.code {
            _ if fate.is_transient() => Exit::TryAgain,
            550 if reply.to_string().contains(" 5.1.") => Exit::NoUser,
            _ => Exit::Unavailable,
        };
        troubles.push((exit, format!("{recipient}: {}", reply.to_string().trim_end())));
    }
    let Some(exit) = troubles.iter().map(|(exit, _)| *exit).max_by_key(|exit| *exit as u8) else { return Ok(()) };
    Err(Trouble(exit, troubles.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Act, u8> {
        let words: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
        read_words(&words).map_err(|Trouble(exit, _)| exit as u8)
    }

    #[test]
    fn callers_words_are_understood() {
        let check = |line: &str, expected: Wanted| assert_eq!(words(line), Ok(Act::Send(expected)), "{line}");
        let to = |names: &[&str]| Wanted {
            recipients: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Wanted::default()
        };
        check("root", to(&["root"]));
        // Debian's cron.
        let cron = Wanted { full_name: Some("CronDaemon".to_owned()), takes_dots: true, ..to(&["root"]) };
        check("-i -FCronDaemon -B8BITMIME -oem root", cron);
        // PHP's mail().
        check("-t -i", Wanted { reads_header: true, takes_dots: true, ..Wanted::default() });
        check(
            "-f a@x.example -oi -- -b@y.example",
            Wanted { sender: Some("a@x.example".to_owned()), takes_dots: true, ..to(&["-b@y.example"]) },
        );
        check("-bm -N never -v b@y.example c@y.example", to(&["b@y.example", "c@y.example"]));
        for (line, act) in [("-bi", Act::Nothing), ("-q", Act::Nothing), ("-q15m", Act::Nothing)] {
            assert_eq!(words(line), Ok(act), "{line}");
        }
        for (line, exit) in [("", 64), ("-bs", 64), ("-bp", 69), ("-f", 64), ("--version", 64)] {
            assert_eq!(words(line), Err(exit), "{line}");
        }
    }

    #[test]
    fn a_line_with_a_dot_ends_the_message_unless_it_is_said_otherwise() {
        let read = |text: &str, takes_dots| read_message(&mut text.as_bytes(), takes_dots).unwrap_or_default();
        assert_eq!(read("a\n.\nb\n", false), b"a\r\n");
        assert_eq!(read("a\r\n.\r\nb", true), b"a\r\n.\r\nb\r\n");
        assert_eq!(read("a\rb\n", true), b"a b\r\n");
    }

    #[test]
    fn who_writes_is_said_where_the_header_lacks_it() {
        assert_eq!(author(Some("A \"B\""), "a@x.example"), "From: \"A \\\"B\\\"\" <a@x.example>\r\n");
        assert_eq!(author(Some("Jörg\r\nBcc: x"), "a@x.example"), "From: a@x.example\r\n");
        assert_eq!(author(None, "a@x.example"), "From: a@x.example\r\n");
    }
}
