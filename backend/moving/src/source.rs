//! Another server's mail, read as an IMAP client reads it: RFC 3501 and RFC 9051, the part of them that changes nothing there.

use data_encoding::BASE64;
use relais_model::Secret;

use crate::answer::{Answer, Condition, Fetched, Listed, understand};
use crate::dial::{Dialer, Fault, Reach, Security, Target};
use crate::wire::Wire;

/// Folders of one server, at most.
const MAX_FOLDERS: usize = 10_000;
/// Octets of another server's words that are kept.
const WORDS: usize = 300;
/// Octets of literals in answers that hold no message: names of folders.
const TEXT_ROOM: usize = 8 * 1024;

/// A folder that was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) messages: u32,
    pub(crate) uid_validity: u32,
    /// 0: it has none.
    pub(crate) highest_mod_seq: u64,
}

/// All folders, and whose.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    pub(crate) listed: Vec<Listed>,
    /// Prefixes of the person's own names; none where the server doesn't say.
    pub(crate) own: Vec<String>,
    /// Prefixes of other people's.
    pub(crate) others: Vec<String>,
}

/// What comes of a FETCH that was asked for.
pub(crate) enum Came {
    Message(Box<Fetched>),
    /// The oldest command that was asked for is done.
    Done,
}

pub(crate) struct Source {
    wire: Wire,
    /// Commands so far.
    commands: u32,
    capabilities: Vec<String>,
}

impl Source {
    /// Connects and logs in.
    pub(crate) async fn open(
        dialer: &Dialer,
        reach: &Reach,
        target: &Target,
        password: &Secret,
    ) -> Result<Self, Fault> {
        let mut wire = dialer.connect(target, reach).await?;
        match understand(wire.hear(0).await?) {
            Answer::Status { tag: None, condition: Condition::Ok, .. } => {}
            Answer::Status { text, .. } => return Err(Fault::Refused(shorten(&text))),
            _ => return Err(Fault::broken("it doesn't greet as IMAP does")),
        }
        let mut source = Self { wire, commands: 0, capabilities: Vec::new() };
        source.learn().await?;
        if target.security == Security::StartTls {
            source = source.start_tls(dialer, target).await?;
        }
        source.log_in(&target.user, password).await?;
        source.learn().await?;
        Ok(source)
    }

    /// What was said of capabilities before TLS is not believed after it (RFC 9051 §6.2.1).
    async fn start_tls(mut self, dialer: &Dialer, target: &Target) -> Result<Self, Fault> {
        if !self.can("STARTTLS") {
            return Err(Fault::NoStartTls);
        }
        self.command(b"STARTTLS", |_| ()).await?;
        let wire = dialer.seal(target, self.wire.into_bare()?).await?;
        let mut source = Self { wire, commands: self.commands, capabilities: Vec::new() };
        source.learn().await?;
        Ok(source)
    }

    async fn log_in(&mut self, user: &str, password: &Secret) -> Result<(), Fault> {
        let done = if self.can("AUTH=PLAIN") {
            self.authenticate(user, password).await
        } else if self.can("LOGINDISABLED") {
            return Err(Fault::LogIn("it lets nobody log in on this connection".to_owned()));
        } else {
            self.log_in_plainly(user, password).await
        };
        done.map_err(|fault| match fault {
            Fault::Refused(words) => Fault::LogIn(words),
            other => other,
        })
    }

    /// SASL's PLAIN (RFC 4616): takes any letter.
    async fn authenticate(&mut self, user: &str, password: &Secret) -> Result<(), Fault> {
        let response = BASE64.encode(format!("\0{user}\0{}", password.expose()).as_bytes());
        if self.can("SASL-IR") {
            return self.command(format!("AUTHENTICATE PLAIN {response}").as_bytes(), |_| ()).await;
        }
        let tag = self.begin(b"AUTHENTICATE PLAIN").await?;
        self.go_on(&tag).await?;
        self.wire.say(format!("{response}\r\n").as_bytes()).await?;
        self.end(&tag, |_| ()).await
    }

    /// As literals, which hold any octet but NUL, and are waited for one by one.
    async fn log_in_plainly(&mut self, user: &str, password: &Secret) -> Result<(), Fault> {
        let (user, password) = (user.as_bytes(), password.expose().as_bytes());
        if [user, password].iter().any(|octets| octets.contains(&0)) {
            return Err(Fault::LogIn("no name or password holds a NUL".to_owned()));
        }
        let tag = self.begin(format!("LOGIN {{{}}}", user.len()).as_bytes()).await?;
        self.go_on(&tag).await?;
        self.wire.say(&[user, format!(" {{{}}}\r\n", password.len()).as_bytes()].concat()).await?;
        self.go_on(&tag).await?;
        self.wire.say(&[password, b"\r\n"].concat()).await?;
        self.end(&tag, |_| ()).await
    }

    /// All folders.
    pub(crate) async fn folders(&mut self) -> Result<Folders, Fault> {
        let mut folders = Folders::default();
        if self.can("NAMESPACE") {
            self.command(b"NAMESPACE", |answer| {
                if let Answer::Namespaces { own, others } = answer {
                    (folders.own, folders.others) = (own, others);
                }
            })
            .await?;
        }
        // Without RETURN, a server needn't say what a folder is for (RFC 6154 §2).
        let asks_for_uses = self.can("LIST-EXTENDED") && self.can("SPECIAL-USE");
        let list: &[u8] = if asks_for_uses { b"LIST \"\" \"*\" RETURN (SPECIAL-USE)" } else { b"LIST \"\" \"*\"" };
        self.command(list, |answer| {
            if let Answer::Listed(listed) = answer
                && folders.listed.len() < MAX_FOLDERS
            {
                folders.listed.push(listed);
            }
        })
        .await?;
        Ok(folders)
    }

    /// Messages of a folder; none where it can't be said.
    pub(crate) async fn count(&mut self, folder: &Listed) -> Result<Option<u64>, Fault> {
        let mut count = None;
        let command = [b"STATUS ", quoted(&folder.raw).as_slice(), b" (MESSAGES)"].concat();
        let done = self.command(&command, |answer| {
            if let Answer::Messages(messages) = answer {
                count = Some(messages);
            }
        });
        match done.await {
            Ok(()) => Ok(count),
            Err(Fault::Refused(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Opens a folder, for reading alone.
    pub(crate) async fn examine(&mut self, folder: &Listed) -> Result<Opened, Fault> {
        let mut opened = Opened::default();
        let with = if self.has_mod_seqs() { " (CONDSTORE)" } else { "" };
        let command = [b"EXAMINE ", quoted(&folder.raw).as_slice(), with.as_bytes()].concat();
        self.command(&command, |answer| match answer {
            Answer::Exists(messages) => opened.messages = messages,
            Answer::Status { tag: None, code, .. } => {
                let number = code.get(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or_default();
                match code.first().map(String::as_str) {
                    Some("UIDVALIDITY") => opened.uid_validity = u32::try_from(number).unwrap_or_default(),
                    Some("HIGHESTMODSEQ") => opened.highest_mod_seq = number,
                    _ => {}
                }
            }
            _ => {}
        })
        .await?;
        Ok(opened)
    }

    /// Tells of each message its UID, flags and size, and its MODSEQ where there are any.
    pub(crate) async fn survey(&mut self, mut tell: impl FnMut(Fetched)) -> Result<(), Fault> {
        let with = if self.has_mod_seqs() { " MODSEQ" } else { "" };
        let command = format!("UID FETCH 1:* (UID FLAGS RFC822.SIZE{with})");
        self.command(command.as_bytes(), |answer| {
            if let Answer::Fetched(fetched) = answer
                && fetched.uid != 0
            {
                tell(*fetched);
            }
        })
        .await
    }

    /// Asks for messages, whose UIDs ascend; others may be asked for before they are here.
    pub(crate) async fn ask(&mut self, uids: &[u32]) -> Result<(), Fault> {
        let command = format!("UID FETCH {} (UID FLAGS INTERNALDATE BODY.PEEK[])", runs(uids));
        self.begin(command.as_bytes()).await.map(drop)
    }

    /// What was asked for. A message over `room` octets comes without them.
    pub(crate) async fn next(&mut self, room: usize) -> Result<Came, Fault> {
        loop {
            match understand(self.wire.hear(room).await?) {
                Answer::Fetched(fetched) if fetched.uid != 0 => return Ok(Came::Message(fetched)),
                // NO: some of them may have been expunged (RFC 2180 §4.1); those that are there came.
                Answer::Status { tag: Some(_), condition: Condition::Ok | Condition::No, .. } => return Ok(Came::Done),
                Answer::Status { tag: Some(_), text, .. } => return Err(Fault::Refused(shorten(&text))),
                Answer::Status { condition: Condition::Bye, text, .. } => return Err(Fault::Ended(shorten(&text))),
                _ => {}
            }
        }
    }

    /// Takes leave. BYE comes before the command's end (RFC 9051 §6.1.3), and is end enough.
    pub(crate) async fn close(mut self) {
        let _left = self.command(b"LOGOUT", |_| ()).await;
        self.wire.close().await;
    }

    fn has_mod_seqs(&self) -> bool {
        self.can("CONDSTORE") || self.can("QRESYNC")
    }

    fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|own| own == capability)
    }

    async fn learn(&mut self) -> Result<(), Fault> {
        let mut learnt = Vec::new();
        self.command(b"CAPABILITY", |answer| {
            if let Answer::Capabilities(said) = answer {
                learnt = said;
            }
        })
        .await?;
        self.capabilities = learnt;
        Ok(())
    }

    /// One command; `tell` hears the answers before its end.
    async fn command(&mut self, words: &[u8], tell: impl FnMut(Answer)) -> Result<(), Fault> {
        let tag = self.begin(words).await?;
        self.end(&tag, tell).await
    }

    async fn begin(&mut self, words: &[u8]) -> Result<String, Fault> {
        self.commands += 1;
        let tag = format!("m{}", self.commands);
        self.wire.say(&[tag.as_bytes(), b" ", words, b"\r\n"].concat()).await?;
        Ok(tag)
    }

    async fn end(&mut self, tag: &str, mut tell: impl FnMut(Answer)) -> Result<(), Fault> {
        loop {
            match understand(self.wire.hear(TEXT_ROOM).await?) {
                Answer::Status { tag: Some(own), condition, text, .. } if own == tag => {
                    return if condition == Condition::Ok { Ok(()) } else { Err(Fault::Refused(shorten(&text))) };
                }
                Answer::Status { condition: Condition::Bye, text, .. } => return Err(Fault::Ended(shorten(&text))),
                Answer::GoOn => return Err(Fault::broken("it waits for more")),
                answer => tell(answer),
            }
        }
    }

    async fn go_on(&mut self, tag: &str) -> Result<(), Fault> {
        loop {
            match understand(self.wire.hear(TEXT_ROOM).await?) {
                Answer::GoOn => return Ok(()),
                Answer::Status { tag: Some(own), text, .. } if own == tag => {
                    return Err(Fault::Refused(shorten(&text)));
                }
                Answer::Status { condition: Condition::Bye, text, .. } => return Err(Fault::Ended(shorten(&text))),
                _ => {}
            }
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(WORDS).collect()
}

/// A folder's name as the server spelt it. It came in an answer: it holds no line's end, unless in a literal, and then it isn't asked for.
fn quoted(raw: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for octet in raw {
        if b"\"\\".contains(octet) {
            quoted.push(b'\\');
        }
        quoted.push(*octet);
    }
    quoted.push(b'"');
    quoted
}

/// Ascending UIDs as a set.
fn runs(uids: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => runs.push((*uid, *uid)),
        }
    }
    let written =
        |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}:{last}") };
    runs.iter().map(written).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::pin::Pin;
    use std::sync::Arc;

    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;
    use crate::dial::Hosts;

    /// No name leads anywhere.
    #[derive(Debug)]
    struct Nowhere;

    impl Hosts for Nowhere {
        fn addresses<'a>(&'a self, _: &'a str) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>> {
            Box::pin(std::future::ready(Vec::new()))
        }
    }

    /// A server that greets, and answers each line that begins so (after its tag) with those lines; `%` is the tag. What it heard.
    async fn opened(security: Security, greeting: &str, answers: &[(&str, &str)]) -> (String, Vec<String>) {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = door.local_addr().unwrap().port();
        let dialer = Dialer::new(Arc::new(Nowhere), &[]).unwrap();
        let reach = Reach { sealed: Arc::new(|address| address.is_loopback()), plain: Arc::new(|_| true) };
        let target = Target { host: "127.0.0.1".to_owned(), port, security, user: "ann".to_owned() };
        let serve = async {
            let (stream, _) = door.accept().await.unwrap();
            let (mut lines, mut heard, mut line) = (BufReader::new(stream), Vec::new(), String::new());
            lines.write_all(format!("{greeting}\r\n").as_bytes()).await.unwrap();
            while lines.read_line(&mut line).await.is_ok_and(|octets| octets > 0) {
                let said = line.trim_end().to_owned();
                line.clear();
                let (tag, words) = said.split_once(' ').unwrap_or(("", &said));
                let words = if tag.starts_with('m') { words } else { said.as_str() };
                let answer = answers
                    .iter()
                    .find(|(begins, _)| words.starts_with(begins))
                    .map_or("% BAD no", |(_, answer)| answer);
                heard.push(words.to_owned());
                let tag = if tag.starts_with('m') { tag } else { "m2" };
                if lines.write_all(format!("{}\r\n", answer.replace('%', tag)).as_bytes()).await.is_err() {
                    break;
                }
            }
            heard
        };
        let password = Secret::new("pass word");
        let open = async {
            match Source::open(&dialer, &reach, &target, &password).await {
                Ok(_source) => "in".to_owned(),
                Err(fault) => fault.to_string(),
            }
        };
        tokio::join!(open, serve)
    }

    #[tokio::test]
    async fn a_log_in_is_as_the_server_wants_it() {
        let check = async |security, greeting: &str, answers: &[(&str, &str)], expected: &str, last: &str| {
            let (came, heard) = opened(security, greeting, answers).await;
            assert_eq!((came.as_str(), heard.last().map_or("", String::as_str)), (expected, last), "{heard:?}");
        };
        let plain = Security::Plain;
        let sasl = [
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n% OK"),
            ("AUTHENTICATE", "% NO [AUTHENTICATIONFAILED] Who?"),
        ];
        let words = "AUTHENTICATE PLAIN AGFubgBwYXNzIHdvcmQ=";
        check(plain, "* OK hi", &sasl, "the server refused the log-in: Who?", words).await;
        let login = [
            ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n% OK"),
            ("LOGIN", "+ go"),
            ("ann", "+ go"),
            ("pass word", "% OK"),
        ];
        check(plain, "* OK hi", &login, "in", "CAPABILITY").await;
        let none = [("CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n% OK")];
        let refused = "the server refused the log-in: it lets nobody log in on this connection";
        check(plain, "* OK hi", &none, refused, "CAPABILITY").await;
        check(Security::StartTls, "* OK hi", &none, "the server offers no STARTTLS", "CAPABILITY").await;
        check(plain, "* PREAUTH hi", &none, "the server refused: hi", "").await;
        check(
            plain,
            "220 mx.example ESMTP",
            &none,
            "the server's answer was broken: it doesn't greet as IMAP does",
            "",
        )
        .await;
    }

    /// CVE-2011-0411: what was said before TLS is never taken for said within it.
    #[tokio::test]
    async fn nothing_is_slipped_in_before_tls() {
        let answers = [
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS\r\n% OK"),
            ("STARTTLS", "% OK\r\n* CAPABILITY AUTH=PLAIN"),
        ];
        let (came, _) = opened(Security::StartTls, "* OK hi", &answers).await;
        assert_eq!(came, "the server's answer was broken: it spoke before TLS was there");
    }

    #[tokio::test]
    async fn nothing_inside_is_reached() {
        let dialer = Dialer::new(Arc::new(Nowhere), &[]).unwrap();
        let reach = Reach { sealed: Arc::new(|address| !address.is_loopback()), plain: Arc::new(|_| false) };
        let check = async |host: &str, security, expected: &str| {
            let target = Target { host: host.to_owned(), port: 993, security, user: String::new() };
            let Err(fault) = dialer.connect(&target, &reach).await else { panic!("{host}") };
            assert_eq!(fault.to_string(), expected);
        };
        check("127.0.0.1", Security::Implicit, "127.0.0.1 is no address of the public internet").await;
        check("::ffff:127.0.0.1", Security::Implicit, "127.0.0.1 is no address of the public internet").await;
        check("[::1]", Security::StartTls, "::1 is no address of the public internet").await;
        let plain = "a connection without TLS may only lead to networks that an owner allowed";
        check("192.0.2.1", Security::Plain, plain).await;
        check("old.example", Security::Implicit, "the host's name leads to no address").await;
    }

    #[test]
    fn sets_are_runs() {
        assert_eq!(runs(&[1, 2, 3, 5, 7, 8]), "1:3,5,7:8");
        assert_eq!(runs(&[u32::MAX]), "4294967295");
        assert_eq!(quoted(br#"a "b" \c"#), br#""a \"b\" \\c""#);
    }
}
