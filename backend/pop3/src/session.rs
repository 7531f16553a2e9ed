//! The dialogue: states, answers, and what is asked of the house (RFC 1939 §4 to §6).

use std::fmt;
use std::io::Write as _;

use memchr::memchr;
use relais_model::{Secret, Tls, Uid, UidSet};
use relais_sasl::scram::{Known, Wanted};
use relais_sasl::{Credentials, Exchange, Mechanism, Offer, Progress, Shown, scram};

use crate::command::{BadCommand, Command};
use crate::encoder::MessageEncoder;
use crate::limit;
use crate::listing::{Column, Listing, write_line};
use crate::maildrop::Maildrop;

/// What the listener settles before a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Our name in the greeting, in ASCII.
    pub host_name: String,
    /// Whether the connection is under TLS, or may come to be.
    pub tls: Tls,
    /// Log-in without TLS: for a loopback listener or one behind a TLS proxy, never by default.
    pub allow_plain_login: bool,
    /// SCRAM is offered beside PLAIN.
    pub scram: bool,
}

/// What the driver does next.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped step stalls the dialogue"]
pub enum Step {
    /// Reads octets and [feeds](Session::feed) them.
    Read,
    /// Writes all of these.
    Write(Vec<u8>),
    /// Shakes hands as the TLS server, then calls [`Session::tls_started`].
    StartTls,
    /// Finds the answer and [gives](Session::answer) it.
    Ask(Question),
    /// Closes the connection.
    Close,
}

/// What the session cannot know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Who is this? [`Answer::LoggedIn`] or [`Answer::Refused`].
    Login(Shown),
    /// SCRAM: what is known of this name? [`Answer::Known`], or as for [`Question::Login`]. What is known of a name that nobody has
    /// looks the same.
    Keys(Wanted),
    /// Lock and list the maildrop of who has just logged in. [`Answer::Maildrop`] or [`Answer::InUse`]; after any other
    /// than the first, forget the log-in.
    OpenMaildrop,
    /// Give this message: chunks through [`Session::message`], then [`Answer::MessageEnd`]; or [`Answer::Gone`].
    Retrieve {
        /// As in the maildrop that was opened.
        uid: Uid,
        /// The header and this many lines of the body are enough; none: all of it.
        lines: Option<u32>,
    },
    /// QUIT: remove these, durably, then [`Answer::Committed`].
    Commit {
        /// Never empty.
        deleted: UidSet,
    },
}

/// The driver's answer to a [`Question`]. One that doesn't fit the question counts as [`Answer::Unavailable`].
#[derive(Debug, Clone)]
pub enum Answer {
    /// The credentials are right.
    LoggedIn,
    /// They aren't; the peer is told no more (RFC 3206 §4).
    Refused,
    /// [`Question::Keys`]'.
    Known(Box<Known>),
    /// The maildrop is ours.
    Maildrop(Maildrop),
    /// Another session holds it (RFC 2449 §8.1.1).
    InUse,
    /// All of the message was given, or as much as [was wanted](Session::wants_message).
    MessageEnd,
    /// The message was removed meanwhile, by IMAP.
    Gone,
    /// The messages are removed for good.
    Committed,
    /// Something failed that may work later. Amid a message it ends the session: the peer must not take it for whole.
    Unavailable,
}

#[derive(Debug)]
enum State {
    /// RFC 1939 §4.
    Authorization {
        /// From USER.
        login_name: Option<String>,
    },
    /// AUTH was said, a response has yet to come.
    Authenticating(Exchange),
    /// Of SCRAM, while [`Question::Keys`] waits.
    AwaitingKeys(scram::Question),
    StartingTls,
    /// RFC 1939 §5.
    Transaction(Maildrop),
    /// What is to be written is written, then we close.
    Ended,
}

/// One peer's dialogue with us.
#[derive(Debug)]
pub struct Session {
    config: Config,
    state: State,
    /// Waits for its answer; nothing goes on before.
    asked: Option<Question>,
    /// Of the message that is being given, once its first line is written.
    encoder: Option<MessageEncoder>,
    /// A listing not yet written to its end.
    listing: Option<Listing>,
    input: Vec<u8>,
    /// Octets of `input` that are done with.
    consumed: usize,
    output: Vec<u8>,
    bad_commands: u32,
    refused_logins: u32,
}

impl Session {
    /// Begins with the greeting. It holds no time stamp: there is no APOP here, which needs passwords kept in clear.
    pub fn new(config: Config) -> Self {
        let mut session = Self {
            config,
            state: State::Authorization { login_name: None },
            asked: None,
            encoder: None,
            listing: None,
            input: Vec::new(),
            consumed: 0,
            output: Vec::new(),
            bad_commands: 0,
            refused_logins: 0,
        };
        ok(&mut session.output, format_args!("{} POP3 is ready", session.config.host_name));
        session
    }

    /// Takes what was read; zero octets: the peer hung up. Without QUIT nothing is deleted (RFC 1939 §6).
    pub fn feed(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            self.state = State::Ended;
        }
        self.input.drain(..self.consumed.min(self.input.len()));
        self.consumed = 0;
        self.input.extend_from_slice(octets);
    }

    /// The peer was silent for too long, or the house closes: the session ends without a word and without deletions (RFC
    /// 1939 §3).
    pub fn expire(&mut self) {
        self.asked = None;
        self.listing = None;
        self.output.clear();
        self.state = State::Ended;
    }

    /// Whether someone has logged in: a peer may then be silent for ten minutes at least (RFC 1939 §3), and for as long as
    /// the driver likes before.
    pub const fn is_logged_in(&self) -> bool {
        matches!(self.state, State::Transaction(_))
    }

    /// What is to be done next. After `Ask` it stays the same until the answer is there.
    pub fn step(&mut self) -> Step {
        loop {
            if self.output.len() >= limit::OUTPUT_OCTETS {
                return Step::Write(std::mem::take(&mut self.output));
            }
            if let Some(question) = &self.asked {
                return Step::Ask(question.clone());
            }
            if self.list_further() {
                continue;
            }
            if !matches!(self.state, State::Ended | State::StartingTls) && self.take_line() {
                continue;
            }
            if !self.output.is_empty() {
                return Step::Write(std::mem::take(&mut self.output));
            }
            return match self.state {
                State::Ended => Step::Close,
                State::StartingTls => Step::StartTls,
                _ => Step::Read,
            };
        }
    }

    /// TLS is up. What was said before it is forgotten (RFC 2595 §4).
    pub fn tls_started(&mut self) {
        self.config.tls = Tls::Active;
        self.input.clear();
        self.consumed = 0;
        self.state = State::Authorization { login_name: None };
    }

    /// Takes the next octets of the message that [`Question::Retrieve`] asks for, cut anywhere. Gives what is to be written
    /// at once, when enough has gathered: a message larger than memory passes through.
    #[must_use = "what is given must be written"]
    pub fn message(&mut self, octets: &[u8]) -> Option<Vec<u8>> {
        self.begin_message();
        if let Some(encoder) = &mut self.encoder {
            encoder.encode(octets, &mut self.output);
        }
        (self.output.len() >= limit::OUTPUT_OCTETS).then(|| std::mem::take(&mut self.output))
    }

    /// Whether more of the message is of use; TOP needs its first lines alone.
    pub fn wants_message(&self) -> bool {
        !self.encoder.as_ref().is_some_and(MessageEncoder::is_complete)
    }

    /// Takes the answer to what was asked last.
    pub fn answer(&mut self, answer: Answer) {
        match (&self.asked, answer) {
            (None, _) => return,
            (Some(Question::Keys(_)), Answer::Known(known)) => {
                self.asked = None;
                return self.keys_found(*known);
            }
            (Some(Question::Login(_)), Answer::LoggedIn) => {
                self.asked = Some(Question::OpenMaildrop);
                return;
            }
            // RFC 7628 §3.2.2: first the client is told why, and says that it has heard it.
            (Some(Question::Login(Shown::Token(bearer))), Answer::Refused) => {
                let refusal = bearer.refusal();
                self.challenge(refusal);
            }
            (Some(Question::Login(_) | Question::Keys(_)), Answer::Refused) => self.refuse_login(),
            (Some(Question::OpenMaildrop), Answer::Maildrop(maildrop)) => {
                let (count, octets) = maildrop.totals();
                ok(&mut self.output, format_args!("{count} messages ({octets} octets)"));
                self.state = State::Transaction(maildrop);
            }
            (Some(Question::OpenMaildrop), Answer::InUse) => self.err("[IN-USE] Another session holds the maildrop"),
            (Some(Question::Retrieve { .. }), Answer::MessageEnd) => self.end_message(),
            (Some(Question::Retrieve { .. }), Answer::Gone) if self.encoder.is_none() => {
                self.err("This message was removed meanwhile");
            }
            (Some(Question::Commit { deleted }), Answer::Committed) => {
                ok(&mut self.output, format_args!("Goodbye, {} deleted", deleted.count()));
                self.state = State::Ended;
            }
            (Some(Question::Commit { .. }), _) => {
                // RFC 1939 §6: the peer is told, and the session is over all the same.
                self.err("[SYS/TEMP] The messages could not be deleted");
                self.state = State::Ended;
            }
            (Some(Question::Retrieve { .. }), _) if self.encoder.is_some() => self.state = State::Ended,
            (Some(_), _) => self.err("[SYS/TEMP] Not possible now, try again later"),
        }
        if matches!(self.state, State::AwaitingKeys(_)) {
            self.state = State::Authorization { login_name: None };
        }
        self.asked = None;
        self.encoder = None;
    }

    fn refuse_login(&mut self) {
        self.err("[AUTH] Log-in refused");
        self.refused_logins += 1;
        if self.refused_logins >= limit::REFUSED_LOGINS {
            self.state = State::Ended;
        }
    }

    fn keys_found(&mut self, known: Known) {
        let early = State::Authorization { login_name: None };
        if let State::AwaitingKeys(question) = std::mem::replace(&mut self.state, early) {
            self.go_on(question.answer(known));
        }
    }

    fn begin_message(&mut self) {
        let (Some(Question::Retrieve { lines, .. }), None) = (&self.asked, &self.encoder) else { return };
        self.encoder = Some(MessageEncoder::new(*lines));
        ok(&mut self.output, format_args!("The message follows"));
    }

    fn end_message(&mut self) {
        self.begin_message();
        if let Some(encoder) = self.encoder.take() {
            encoder.finish(&mut self.output);
        }
    }

    /// Writes a piece of the listing; false where there is none.
    fn list_further(&mut self) -> bool {
        let (Some(listing), State::Transaction(maildrop)) = (&mut self.listing, &self.state) else { return false };
        if listing.write(maildrop, &mut self.output) {
            self.listing = None;
        }
        true
    }

    /// Obeys the next line; false where none is there whole.
    fn take_line(&mut self) -> bool {
        let input = std::mem::take(&mut self.input);
        let rest = input.get(self.consumed..).unwrap_or_default();
        let end = memchr(b'\n', rest);
        let is_taken = if end.unwrap_or(rest.len()) >= self.longest_line(rest) {
            // There is no telling where the next command begins; whoever sends this is no POP3 client.
            self.err("The line is too long");
            self.state = State::Ended;
            true
        } else if let Some((line, _)) = end.and_then(|end| rest.split_at_checked(end)) {
            self.consumed += line.len() + 1;
            // Deviates from RFC 1939 §3: a bare LF ends a line too, as people at a terminal send it.
            self.obey(line.strip_suffix(b"\r").unwrap_or(line), self.consumed == input.len());
            true
        } else {
            false
        };
        self.input = input;
        is_taken
    }

    /// Octets with the line end.
    fn longest_line(&self, line: &[u8]) -> usize {
        let is_auth = line.get(..4).is_some_and(|keyword| keyword.eq_ignore_ascii_case(b"AUTH"));
        let is_long = is_auth || matches!(self.state, State::Authenticating(_));
        if is_long { limit::AUTH_OCTETS } else { limit::COMMAND_OCTETS }
    }

    /// `is_last`: nothing was sent after this line, so far.
    fn obey(&mut self, line: &[u8], is_last: bool) {
        if matches!(self.state, State::Authenticating(_)) {
            let early = State::Authorization { login_name: None };
            if let State::Authenticating(exchange) = std::mem::replace(&mut self.state, early) {
                self.respond(exchange, line);
            }
            return;
        }
        match Command::parse(line) {
            Err(BadCommand(text)) => self.refuse(text),
            Ok(Command::Capa) => self.capabilities(),
            Ok(Command::Lang(tag)) => self.language(tag),
            Ok(Command::Stls) => self.start_tls(is_last),
            Ok(command) if self.is_logged_in() => self.transact(&command),
            Ok(command) => self.authorize(&command),
        }
    }

    fn authorize(&mut self, command: &Command<'_>) {
        match command {
            Command::Quit => {
                ok(&mut self.output, format_args!("Goodbye"));
                self.state = State::Ended;
            }
            // RFC 6856 §2.1. Nothing changes: our words are ASCII, and messages are given as they came. Deviates: also where
            // UTF8 was not said; a client that is refused such a message asks for it for ever.
            Command::Utf8 => ok(&mut self.output, format_args!("UTF-8 it is")),
            Command::User(_) | Command::Pass(_) | Command::Auth { .. } if !self.may_log_in() => {
                self.refuse("Log-in is for TLS only; send STLS first");
            }
            Command::User(name) => {
                // Whether the name is known is not told before the password.
                self.state = State::Authorization { login_name: Some((*name).to_owned()) };
                ok(&mut self.output, format_args!("And the password?"));
            }
            Command::Pass(password) => self.take_password(password),
            Command::Auth { mechanism: None, .. } => {
                // Older Thunderbirds ask so for the mechanisms.
                ok(&mut self.output, format_args!("Mechanisms follow"));
                for mechanism in self.mechanisms() {
                    self.output.extend_from_slice(mechanism.as_str().as_bytes());
                    self.output.extend_from_slice(b"\r\n");
                }
                self.output.extend_from_slice(b".\r\n");
            }
            Command::Auth { mechanism: Some(mechanism), initial } => self.authenticate(mechanism, *initial),
            _ => self.refuse("Log in first"),
        }
    }

    fn take_password(&mut self, password: &str) {
        let State::Authorization { login_name } = &mut self.state else { return };
        match login_name.take() {
            Some(login_name) => {
                let password = Secret::new(password);
                let credentials = Credentials { login_name, authorization: None, password };
                self.asked = Some(Question::Login(Shown::Password(credentials)));
            }
            None => self.refuse("USER comes first"),
        }
    }

    /// What AUTH takes: USER and PASS are LOGIN's better.
    fn mechanisms(&self) -> impl Iterator<Item = Mechanism> + use<> {
        self.offer().mechanisms().filter(|mechanism| *mechanism != Mechanism::Login)
    }

    fn offer(&self) -> Offer {
        Offer { scram: self.config.scram, under_tls: self.config.tls == Tls::Active }
    }

    /// RFC 5034 §4.
    fn authenticate(&mut self, name: &str, initial: Option<&str>) {
        let Some(mechanism) = self.mechanisms().find(|known| known.as_str().eq_ignore_ascii_case(name)) else {
            return self.refuse("This mechanism isn't known here");
        };
        let exchange = Exchange::begin(mechanism, self.offer());
        match initial {
            // `=` is the empty initial response.
            Some("=") => self.respond(exchange, b""),
            Some(response) => self.respond(exchange, response.as_bytes()),
            None => self.challenge(exchange),
        }
    }

    fn challenge(&mut self, exchange: Exchange) {
        self.output.extend_from_slice(b"+ ");
        self.output.extend_from_slice(exchange.challenge().as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.state = State::Authenticating(exchange);
    }

    fn respond(&mut self, exchange: Exchange, response: &[u8]) {
        if response == b"*" {
            return self.err("The log-in was called off");
        }
        self.go_on(exchange.respond(response));
    }

    fn go_on(&mut self, progress: Progress) {
        match progress {
            Progress::Continue(exchange) => self.challenge(exchange),
            Progress::Ask(question) => {
                self.asked = Some(Question::Keys(question.wanted()));
                self.state = State::AwaitingKeys(question);
            }
            Progress::Complete(shown) => self.asked = Some(Question::Login(shown)),
            Progress::Refused => self.refuse_login(),
            Progress::Malformed => self.refuse("This is no message of the mechanism"),
        }
    }

    fn transact(&mut self, command: &Command<'_>) {
        let State::Transaction(maildrop) = &mut self.state else { return };
        let output = &mut self.output;
        match *command {
            Command::Noop => ok(output, format_args!("Here I am")),
            Command::Stat => {
                let (count, octets) = maildrop.totals();
                ok(output, format_args!("{count} {octets}"));
            }
            Command::Rset => {
                maildrop.restore();
                let (count, octets) = maildrop.totals();
                ok(output, format_args!("{count} messages ({octets} octets)"));
            }
            Command::List(None) => self.list(Column::Octets),
            Command::Uidl(None) => self.list(Column::UniqueId),
            Command::List(Some(number)) => self.list_one(Column::Octets, number),
            Command::Uidl(Some(number)) => self.list_one(Column::UniqueId, number),
            Command::Dele(number) if maildrop.delete(number) => {
                ok(output, format_args!("Message {number} goes with QUIT"));
            }
            Command::Dele(_) => self.no_such_message(),
            Command::Retr(number) => self.retrieve(number, None),
            Command::Top { number, lines } => self.retrieve(number, Some(lines)),
            Command::Quit if maildrop.deleted().is_empty() => {
                ok(output, format_args!("Goodbye"));
                self.state = State::Ended;
            }
            Command::Quit => self.asked = Some(Question::Commit { deleted: maildrop.deleted().clone() }),
            _ => self.refuse("You are logged in already"),
        }
    }

    fn list(&mut self, column: Column) {
        let State::Transaction(maildrop) = &self.state else { return };
        let (count, octets) = maildrop.totals();
        ok(&mut self.output, format_args!("{count} messages ({octets} octets)"));
        self.listing = Some(Listing::new(column));
    }

    fn list_one(&mut self, column: Column, number: u32) {
        let State::Transaction(maildrop) = &self.state else { return };
        if maildrop.message(number).is_none() {
            return self.no_such_message();
        }
        self.output.extend_from_slice(b"+OK ");
        write_line(column, maildrop, number, &mut self.output);
    }

    fn retrieve(&mut self, number: u32, lines: Option<u32>) {
        let State::Transaction(maildrop) = &self.state else { return };
        match maildrop.message(number) {
            Some((uid, _)) => self.asked = Some(Question::Retrieve { uid, lines }),
            None => self.no_such_message(),
        }
    }

    fn start_tls(&mut self, is_last: bool) {
        if self.config.tls != Tls::Offered || self.is_logged_in() {
            return self.refuse("TLS cannot be started here");
        }
        // RFC 2595 §4: what follows STLS in clear text could be anybody's, and must not be taken for what came under TLS.
        if !is_last {
            self.err("Nothing may follow STLS before its answer");
            self.state = State::Ended;
            return;
        }
        ok(&mut self.output, format_args!("Begin TLS"));
        self.state = State::StartingTls;
    }

    /// RFC 2449 §5. The same list in both states, as its capabilities' "announced states" ask.
    fn capabilities(&mut self) {
        ok(&mut self.output, format_args!("Capabilities follow"));
        if self.config.tls == Tls::Offered {
            self.output.extend_from_slice(b"STLS\r\n");
        }
        if self.may_log_in() {
            self.output.extend_from_slice(b"USER\r\nSASL");
            for mechanism in self.mechanisms() {
                self.output.push(b' ');
                self.output.extend_from_slice(mechanism.as_str().as_bytes());
            }
            self.output.extend_from_slice(b"\r\n");
        }
        self.output.extend_from_slice(
            b"TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\nUTF8 USER\r\nLANG\r\n\
              IMPLEMENTATION Relais\r\n.\r\n",
        );
    }

    /// RFC 6856 §3: we speak English, which is also the default.
    fn language(&mut self, tag: Option<&str>) {
        let is_known = |tag: &str| ["en", "i-default", "*"].iter().any(|known| known.eq_ignore_ascii_case(tag));
        match tag {
            None => {
                ok(&mut self.output, format_args!("Languages follow"));
                self.output.extend_from_slice(b"en English\r\ni-default English\r\n.\r\n");
            }
            Some(tag) if is_known(tag) => ok(&mut self.output, format_args!("en English it is")),
            Some(_) => self.err("en This language is not spoken here"),
        }
    }

    fn may_log_in(&self) -> bool {
        self.config.allow_plain_login || self.config.tls == Tls::Active
    }

    fn no_such_message(&mut self) {
        self.err("There is no such message");
    }

    /// An error of the peer's, which it may make so often.
    fn refuse(&mut self, text: &str) {
        self.bad_commands += 1;
        if self.bad_commands < limit::BAD_COMMANDS {
            self.err(text);
        } else {
            self.err("Too many commands went wrong, goodbye");
            self.state = State::Ended;
        }
    }

    fn err(&mut self, text: &str) {
        self.output.extend_from_slice(b"-ERR ");
        self.output.extend_from_slice(text.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

/// Appends a positive answer's line.
fn ok(output: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    let written = write!(output, "+OK {text}\r\n");
    debug_assert!(written.is_ok(), "a Vec takes all that is written to it");
}
