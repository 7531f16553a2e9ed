//! The session machine: octets in, steps out.

use std::mem;
use std::time::Duration;

use relais_model::{BodyType, EnhancedCode, Envelope, ForwardPath, Reply, Timestamp};

use super::intake::{Intake, IntakeLimits, too_large};
use super::login::{Exchange, Progress};
use super::{Config, Login, Role, Tls};
use crate::command::{Command, CommandError, MailFrom, RcptTo};
use crate::reply::write_reply;

/// Replies wait for each other up to here, so that pipelined commands (RFC 2920) are answered in one write.
const OUTPUT_OCTETS: usize = 16 * 1024;

/// What the driver is to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped step stalls the dialogue"]
pub enum Step {
    /// Read, for [`Session::timeout`] at most, then [`Session::feed`] or [`Session::expire`].
    Read,
    /// Send all of it.
    Write(Vec<u8>),
    /// Make the TLS handshake as the server, then [`Session::tls_started`].
    StartTls,
    /// Decide, then [`Session::answer`].
    Ask(Question),
    /// The next octets of the message, CRLF lines without dot-stuffing (any octets for BINARYMIME). Nothing is to be
    /// answered; where they cannot be kept, [`Session::abandon`].
    Chunk(Vec<u8>),
    /// Forget what came of the message since [`Question::Begin`]: it will not be finished.
    Discard,
    /// Close the connection.
    Close,
}

/// What only the house can decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Is it who it says? [`Answer::Accept`] or the refusing reply (535 5.7.8, 454 4.7.0).
    Login(Login),
    /// MAIL: may this sender write? The envelope has no recipients yet; earlier transactions are over.
    Mail(Envelope),
    /// RCPT: is this somebody's address, and has it room?
    Recipient(ForwardPath),
    /// A message begins, to all accepted recipients: is there room to keep it? [`Step::Chunk`]s follow if so.
    Begin(Envelope),
    /// The message is whole: take it for good, then answer. On LMTP [`Answer::PerRecipient`].
    Finish,
}

/// The house's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, with the usual words.
    Accept,
    /// With these words: its code says whether yes or no. On LMTP's [`Question::Finish`] it holds for each recipient.
    Reply(Reply),
    /// LMTP's [`Question::Finish`] only: one for each accepted recipient, in order (RFC 2033 §4.2). Elsewhere the first
    /// negative one holds.
    PerRecipient(Vec<Reply>),
}

/// Where the session stands.
#[derive(Debug)]
enum Phase {
    /// Nothing has been said.
    Greeting,
    /// A command is awaited.
    Command,
    /// A SASL response is awaited.
    Login(Exchange),
    /// The 220 to STARTTLS is written, then the handshake is asked for.
    StartTls,
    /// The handshake is the driver's.
    Handshake,
    /// A question is open.
    Asked(Asked),
    /// After 354.
    Data,
    /// Inside a chunk of BDAT.
    Chunk { left: u64, octets: u64, last: bool },
    /// What is written goes out, then the connection closes.
    Closing,
}

/// Which question is open, with what its answer needs.
#[derive(Debug)]
enum Asked {
    Login,
    Mail(Envelope),
    Recipient(ForwardPath),
    Data,
    Chunk { octets: u64, last: bool },
    Finish,
}

/// MAIL to the end of the message.
#[derive(Debug)]
struct Transaction {
    envelope: Envelope,
    body: Body,
}

/// The message's part of a transaction.
#[derive(Debug)]
enum Body {
    /// Neither DATA nor BDAT yet.
    Awaited,
    /// It comes in.
    Open(Intake),
    /// Refused while octets still come: this is said at their end.
    Refused { intake: Intake, reply: Reply },
    /// A chunk was refused: only RSET and the like help (RFC 3030 §2).
    Failed,
}

/// One SMTP, submission or LMTP session.
///
/// Pure: it reads no clock and touches no socket. Whatever octets are fed, in whatever pieces, it doesn't panic, keeps no more
/// than one line and what was fed last, and gives the same replies.
#[derive(Debug)]
pub struct Session {
    config: Config,
    tls: Tls,
    phase: Phase,
    input: Vec<u8>,
    /// How much of `input` is done with.
    taken: usize,
    /// A line grew too long: its octets are dropped until it ends.
    is_overlong: bool,
    output: Vec<u8>,
    /// [`Step::Discard`] is due.
    discard: bool,
    now: Timestamp,
    hello: Option<Hello>,
    is_logged_in: bool,
    transaction: Option<Transaction>,
    transactions: usize,
    errors: usize,
    idle_commands: usize,
    failed_logins: usize,
    is_shutting_down: bool,
    is_hung_up: bool,
}

/// What the peer called itself, and how.
#[derive(Debug)]
struct Hello {
    name: String,
    is_extended: bool,
}

impl Session {
    /// A session on a fresh connection; after the handshake where TLS is [`Tls::Active`] from the start.
    pub fn new(config: Config) -> Self {
        Self {
            tls: config.tls,
            config,
            phase: Phase::Greeting,
            input: Vec::new(),
            taken: 0,
            is_overlong: false,
            output: Vec::new(),
            discard: false,
            now: Timestamp::default(),
            hello: None,
            is_logged_in: false,
            transaction: None,
            transactions: 0,
            errors: 0,
            idle_commands: 0,
            failed_logins: 0,
            is_shutting_down: false,
            is_hung_up: false,
        }
    }

    /// A session that says `reply` (421, 554) in the greeting's place and closes (RFC 5321 §3.1, §3.8).
    pub fn turn_away(config: Config, reply: &Reply) -> Self {
        let mut session = Self::new(config);
        session.say(reply);
        session.phase = Phase::Closing;
        session
    }

    /// Takes what was read, after [`Step::Read`]; `now` is when. Zero octets: the peer hung up.
    pub fn feed(&mut self, octets: &[u8], now: Timestamp) {
        self.now = now;
        self.is_hung_up |= octets.is_empty();
        if matches!(self.phase, Phase::StartTls | Phase::Handshake) {
            self.close(); // Plain text after STARTTLS: nothing of it is ever looked at.
            return;
        }
        self.input.drain(..self.taken.min(self.input.len()));
        self.taken = 0;
        self.input.extend_from_slice(octets);
    }

    /// The handshake is done. All that was said before it is forgotten (RFC 3207 §4.2).
    pub fn tls_started(&mut self) {
        if matches!(self.phase, Phase::Handshake) {
            self.tls = Tls::Active;
            self.hello = None;
            self.phase = Phase::Command;
        }
    }

    /// Nothing came in time (RFC 5321 §4.5.3.2.7): 421, and the end.
    pub fn expire(&mut self) {
        let text = format!("{} waited too long for you", self.config.host_name);
        self.hang_up(&Reply::new(421, EnhancedCode::new(4, 4, 2), text));
    }

    /// The house closes: a message that is coming in is still taken, then 421 (RFC 5321 §3.8). Call it at [`Step::Read`],
    /// and step on.
    pub fn shut_down(&mut self) {
        self.is_shutting_down = true;
    }

    /// The message that has begun cannot be kept (no room, spool broken): the rest is swallowed, and `reply` is said at its end.
    pub fn abandon(&mut self, reply: Reply) {
        if let Some(transaction) = &mut self.transaction {
            transaction.body = match mem::replace(&mut transaction.body, Body::Failed) {
                Body::Open(intake) => Body::Refused { intake, reply },
                other => other,
            };
        }
    }

    /// How long [`Step::Read`] may last.
    pub fn timeout(&self) -> Duration {
        match self.phase {
            Phase::Data | Phase::Chunk { .. } => self.config.limits.data_timeout,
            _ => self.config.limits.command_timeout,
        }
    }

    /// What the peer called itself in HELO, EHLO or LHLO: for Received (RFC 5321 §4.4).
    pub fn hello(&self) -> Option<&str> {
        self.hello.as_ref().map(|hello| hello.name.as_str())
    }

    /// The open transaction's envelope; complete from [`Question::Begin`] to the answer to [`Question::Finish`].
    pub fn envelope(&self) -> Option<&Envelope> {
        self.transaction.as_ref().map(|transaction| &transaction.envelope)
    }

    /// Whether the peer logged in.
    pub fn is_logged_in(&self) -> bool {
        self.is_logged_in
    }

    /// Whether TLS protects what is said.
    pub fn is_under_tls(&self) -> bool {
        self.tls == Tls::Active
    }

    /// Received's `with` (RFC 3848, RFC 6531 §4.3): `SMTP`, `ESMTPSA`, `UTF8LMTPS`….
    pub fn protocol(&self) -> String {
        if !self.is_extended() {
            return "SMTP".to_owned();
        }
        let name = match (self.config.role == Role::Lmtp, self.envelope().is_some_and(|envelope| envelope.smtputf8)) {
            (false, false) => "ESMTP",
            (false, true) => "UTF8SMTP",
            (true, false) => "LMTP",
            (true, true) => "UTF8LMTP",
        };
        let under_tls = if self.is_under_tls() { "S" } else { "" };
        let logged_in = if self.is_logged_in { "A" } else { "" };
        format!("{name}{under_tls}{logged_in}")
    }

    /// What to do next. While a question is open or a handshake due, answer that instead: a step then ends the session.
    pub fn step(&mut self) -> Step {
        loop {
            if mem::take(&mut self.discard) {
                return Step::Discard;
            }
            if self.output.len() >= OUTPUT_OCTETS {
                return Step::Write(mem::take(&mut self.output));
            }
            if let Some(step) = self.advance() {
                return step;
            }
        }
    }

    fn advance(&mut self) -> Option<Step> {
        match &mut self.phase {
            Phase::Greeting => {
                let protocol = if self.config.role == Role::Lmtp { "LMTP" } else { "ESMTP" };
                self.phase = Phase::Command;
                self.say_plain(220, &format!("{} {protocol} Relais", self.config.host_name));
                None
            }
            Phase::Command if self.is_shutting_down => {
                let text = format!("{} closes for now", self.config.host_name);
                self.hang_up(&Reply::new(421, EnhancedCode::new(4, 3, 2), text));
                None
            }
            Phase::Command => match self.take_line() {
                Some(line) => self.command(line),
                None => self.want_octets(),
            },
            Phase::Login(_) => match self.take_line() {
                Some(line) => self.login_response(line),
                None => self.want_octets(),
            },
            Phase::StartTls if self.output.is_empty() => {
                self.phase = Phase::Handshake;
                Some(Step::StartTls)
            }
            Phase::StartTls => Some(Step::Write(mem::take(&mut self.output))),
            Phase::Handshake | Phase::Asked(_) => {
                self.close();
                None
            }
            Phase::Data => self.data(),
            Phase::Chunk { .. } => self.chunk(),
            Phase::Closing if self.output.is_empty() || self.is_hung_up => Some(Step::Close),
            Phase::Closing => Some(Step::Write(mem::take(&mut self.output))),
        }
    }

    /// Nothing left to work on: what is written goes out, then more is read.
    fn want_octets(&mut self) -> Option<Step> {
        if self.is_hung_up {
            self.close();
            return None;
        }
        if !self.output.is_empty() {
            return Some(Step::Write(mem::take(&mut self.output)));
        }
        if self.taken >= self.input.len() {
            self.input = Vec::new(); // An idle session holds no buffer.
            self.taken = 0;
        }
        Some(Step::Read)
    }

    fn pending(&self) -> &[u8] {
        self.input.get(self.taken..).unwrap_or_default()
    }

    /// The next line without its LF or CRLF, or that it was too long; none while it isn't whole.
    fn take_line(&mut self) -> Option<Line> {
        let pending = self.pending();
        let is_login = matches!(self.phase, Phase::Login(_)) || pending.get(..4).is_some_and(is_auth);
        let limits = &self.config.limits;
        let limit = if is_login { limits.login_line_octets } else { limits.command_line_octets };
        let Some(end) = memchr::memchr(b'\n', pending) else {
            if pending.len() > limit {
                self.is_overlong = true;
                self.taken = self.input.len();
            }
            return None;
        };
        let line = pending.get(..end).unwrap_or_default();
        let line = match line.strip_suffix(b"\r") {
            _ if self.is_overlong || end >= limit => Line::TooLong,
            Some(line) => Line::Whole(line.to_vec()),
            None => Line::BareLf,
        };
        self.taken += end + 1;
        self.is_overlong = false;
        Some(line)
    }

    fn command(&mut self, line: Line) -> Option<Step> {
        let line = match line {
            Line::Whole(line) => line,
            other => {
                self.fail(&other.reply());
                return None;
            }
        };
        match Command::parse(&line) {
            Ok(command) => self.perform(command),
            Err(error) => {
                self.fail(&error.reply());
                if error == CommandError::ChunkSize {
                    self.close(); // What follows may be a message: never take it for commands.
                }
                None
            }
        }
    }

    fn perform(&mut self, command: Command) -> Option<Step> {
        match command {
            Command::Helo(name) if self.config.role != Role::Lmtp => self.hello_again(name, false),
            Command::Ehlo(name) if self.config.role != Role::Lmtp => self.hello_again(name, true),
            Command::Lhlo(name) if self.config.role == Role::Lmtp => self.hello_again(name, true),
            Command::Helo(_) | Command::Ehlo(_) | Command::Lhlo(_) => self.fail(&CommandError::Unknown.reply()),
            Command::Mail(mail) => return self.mail(mail),
            Command::Rcpt(rcpt) => return self.rcpt(rcpt),
            Command::Data => return self.begin_data(),
            Command::Bdat { octets, last } => return self.begin_chunk(octets, last),
            Command::Rset => {
                self.idle();
                self.reset();
                self.say_new(250, (2, 0, 0), "Ok");
            }
            Command::Noop => {
                self.idle();
                self.say_new(250, (2, 0, 0), "Ok");
            }
            Command::Help => {
                self.idle();
                self.say_new(214, (2, 0, 0), "See RFC 5321; a person answers at postmaster");
            }
            // RFC 5321 §3.5.3, §7.3: whether an address exists is said to nobody who asks for its own sake.
            Command::Vrfy => {
                self.idle();
                self.say_new(252, (2, 5, 0), "Send the mail and see");
            }
            Command::Expn => self.fail_new(502, (5, 5, 1), "Lists are not expanded"),
            Command::Quit => {
                self.say_new(221, (2, 0, 0), "Goodbye");
                self.close();
            }
            Command::StartTls => self.start_tls(),
            Command::Auth { mechanism, initial } => return self.begin_login(&mechanism, initial.as_deref()),
        }
        None
    }

    /// RFC 5321 §4.1.4: a hello resets, like RSET; what was earned by TLS and log-in stays.
    fn hello_again(&mut self, name: String, is_extended: bool) {
        if self.hello.is_some() {
            self.idle();
        }
        self.reset();
        self.hello = Some(Hello { name, is_extended });
        let mut text = self.config.host_name.to_string();
        if is_extended {
            self.announce(&mut text);
        }
        self.say_plain(250, &text);
    }

    fn announce(&self, text: &mut String) {
        let limits = &self.config.limits;
        for keyword in ["PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN", "ENHANCEDSTATUSCODES"] {
            text.push('\n');
            text.push_str(keyword);
        }
        *text += &format!("\nSIZE {}", limits.message_octets);
        *text += &format!("\nLIMITS MAILMAX={} RCPTMAX={}", limits.transactions, limits.recipients);
        if self.tls == Tls::Available {
            text.push_str("\nSTARTTLS");
        }
        if self.may_log_in() {
            text.push_str("\nAUTH PLAIN LOGIN");
        }
        if self.announces_require_tls() {
            text.push_str("\nREQUIRETLS");
        }
    }

    fn may_log_in(&self) -> bool {
        self.config.role == Role::Submission
            && !self.is_logged_in
            && (self.is_under_tls() || self.config.login_without_tls)
    }

    /// RFC 8689 §2: under TLS only.
    fn announces_require_tls(&self) -> bool {
        self.config.keeps_require_tls && self.is_under_tls()
    }

    fn is_extended(&self) -> bool {
        self.hello.as_ref().is_some_and(|hello| hello.is_extended)
    }

    fn start_tls(&mut self) {
        if self.tls != Tls::Available {
            return self.fail_new(503, (5, 5, 1), "TLS is not to be had here, or is on already");
        }
        if !self.is_extended() {
            return self.fail_new(503, (5, 5, 1), "Say EHLO first");
        }
        // RFC 3207 §4: STARTTLS ends a group of commands. Octets behind it were put there before the handshake,
        // perhaps by somebody else: the session is over, and they are never looked at.
        if !self.pending().is_empty() {
            self.say_new(554, (5, 5, 1), "Nothing may follow STARTTLS before the handshake");
            return self.close();
        }
        self.reset();
        self.say_new(220, (2, 0, 0), "Go ahead");
        self.phase = Phase::StartTls;
    }

    fn begin_login(&mut self, mechanism: &str, initial: Option<&str>) -> Option<Step> {
        let refusal = match () {
            () if self.config.role != Role::Submission => (502, (5, 5, 1), "There is no log-in at this door"),
            () if !self.is_extended() => (503, (5, 5, 1), "Say EHLO first"),
            () if self.is_logged_in => (503, (5, 5, 1), "You are logged in already"),
            () if self.transaction.is_some() => (503, (5, 5, 1), "Not inside a transaction"),
            () if !self.may_log_in() => (538, (5, 7, 11), "Log-in needs TLS: say STARTTLS first"),
            () => {
                let Some(exchange) = Exchange::begin(mechanism) else {
                    self.fail_new(504, (5, 5, 4), "AUTH knows PLAIN and LOGIN");
                    return None;
                };
                let challenge = exchange.first_challenge();
                self.phase = Phase::Login(exchange);
                return match initial {
                    // RFC 4954 §4: `=` is the empty initial response.
                    Some("=") => self.respond(""),
                    Some(response) => self.respond(response),
                    None => {
                        self.say_plain(334, challenge);
                        None
                    }
                };
            }
        };
        self.fail_new(refusal.0, refusal.1, refusal.2);
        None
    }

    fn login_response(&mut self, line: Line) -> Option<Step> {
        match line {
            Line::Whole(line) if line == b"*" => {
                self.phase = Phase::Command;
                self.fail_new(501, (5, 7, 0), "Log-in cancelled");
                None
            }
            Line::Whole(line) => self.respond(&String::from_utf8_lossy(&line)),
            Line::TooLong => {
                self.phase = Phase::Command;
                self.fail_new(500, (5, 5, 6), "The response is too long");
                None
            }
            Line::BareLf => {
                self.phase = Phase::Command;
                self.fail(&line.reply());
                None
            }
        }
    }

    fn respond(&mut self, response: &str) -> Option<Step> {
        let progress = match &mut self.phase {
            Phase::Login(exchange) => exchange.respond(response),
            _ => Progress::Malformed,
        };
        match progress {
            Progress::Challenge(challenge) => {
                self.say_plain(334, challenge);
                None
            }
            Progress::Complete(login) => {
                self.phase = Phase::Asked(Asked::Login);
                Some(Step::Ask(Question::Login(login)))
            }
            Progress::Malformed => {
                self.phase = Phase::Command;
                self.fail_new(501, (5, 5, 2), "The response is not what the mechanism says");
                None
            }
        }
    }

    fn mail(&mut self, mail: MailFrom) -> Option<Step> {
        let limits = &self.config.limits;
        let needs_smtputf8 = mail.reverse_path.address().is_some_and(relais_model::Address::needs_smtputf8);
        let refusal = match () {
            () if self.hello.is_none() => (503, (5, 5, 1), "Say hello first"),
            () if self.transaction.is_some() => (503, (5, 5, 1), "A transaction is already open"),
            () if self.config.role == Role::Submission && !self.is_logged_in => (530, (5, 7, 0), "Log in first"),
            () if mail.is_extended && !self.is_extended() => (555, (5, 5, 4), "Parameters need EHLO"),
            () if mail.require_tls && !self.announces_require_tls() => {
                (555, (5, 5, 4), "REQUIRETLS is not offered here")
            }
            () if needs_smtputf8 && !mail.smtputf8 => (553, (5, 6, 7), "This address needs SMTPUTF8"),
            () if self.transactions >= limits.transactions => {
                let text = "Enough messages for one session: connect again";
                self.hang_up(&Reply::new(421, EnhancedCode::new(4, 5, 3), text));
                return None;
            }
            () if mail.declared_octets.is_some_and(|octets| octets > limits.message_octets) => {
                self.fail(&too_large());
                return None;
            }
            () => {
                let envelope = begin_envelope(mail, self.now);
                self.phase = Phase::Asked(Asked::Mail(envelope.clone()));
                return Some(Step::Ask(Question::Mail(envelope)));
            }
        };
        self.fail_new(refusal.0, refusal.1, refusal.2);
        None
    }

    fn rcpt(&mut self, rcpt: RcptTo) -> Option<Step> {
        let Some(transaction) = &self.transaction else {
            self.fail_new(503, (5, 5, 1), "Say MAIL first");
            return None;
        };
        let needs_smtputf8 = rcpt.address.as_ref().is_some_and(relais_model::Address::needs_smtputf8);
        let refusal = match () {
            () if !matches!(transaction.body, Body::Awaited) => (503, (5, 5, 1), "The message has begun"),
            () if rcpt.is_extended && !self.is_extended() => (555, (5, 5, 4), "Parameters need EHLO"),
            () if needs_smtputf8 && !transaction.envelope.smtputf8 => (553, (5, 6, 7), "This address needs SMTPUTF8"),
            // RFC 5321 §4.5.3.1.10. No error of the peer's: it sends the rest in another transaction.
            () if transaction.envelope.recipients.len() >= self.config.limits.recipients => {
                self.say_new(452, (4, 5, 3), "Enough recipients for one message");
                return None;
            }
            () => match rcpt.forward_path(&self.config.host_name) {
                Ok(path) => {
                    self.phase = Phase::Asked(Asked::Recipient(path.clone()));
                    return Some(Step::Ask(Question::Recipient(path)));
                }
                Err(error) => {
                    self.fail(&error.reply());
                    return None;
                }
            },
        };
        self.fail_new(refusal.0, refusal.1, refusal.2);
        None
    }

    fn begin_data(&mut self) -> Option<Step> {
        let refusal = match &self.transaction {
            None => "Say MAIL first",
            Some(Transaction { body: Body::Open(_) | Body::Refused { .. } | Body::Failed, .. }) => {
                "The message has begun with BDAT" // RFC 3030 §2
            }
            Some(Transaction { envelope, .. }) if envelope.recipients.is_empty() => "There is no recipient yet",
            Some(Transaction { envelope, .. }) if envelope.body_type == BodyType::BinaryMime => {
                "BINARYMIME is sent by BDAT" // RFC 3030 §3
            }
            Some(Transaction { envelope, .. }) => {
                let question = Question::Begin(envelope.clone());
                self.phase = Phase::Asked(Asked::Data);
                return Some(Step::Ask(question));
            }
        };
        self.fail_new(503, (5, 5, 1), refusal);
        None
    }

    fn begin_chunk(&mut self, octets: u64, last: bool) -> Option<Step> {
        if let Some(Transaction { envelope, body: Body::Awaited }) = &self.transaction
            && !envelope.recipients.is_empty()
        {
            let question = Question::Begin(envelope.clone());
            self.phase = Phase::Asked(Asked::Chunk { octets, last });
            return Some(Step::Ask(question));
        }
        // RFC 3030 §2: whatever we think of it, the chunk follows and must be swallowed.
        self.phase = Phase::Chunk { left: octets, octets, last };
        None
    }

    /// Takes the driver's decision on the open question.
    pub fn answer(&mut self, answer: Answer) {
        let asked = match mem::replace(&mut self.phase, Phase::Command) {
            Phase::Asked(asked) => asked,
            other => {
                self.phase = other;
                return;
            }
        };
        match asked {
            Asked::Login => self.logged_in(answer.into_reply()),
            Asked::Mail(envelope) => {
                if self.judge(answer.into_reply(), (2, 1, 0), "Ok") {
                    self.transaction = Some(Transaction { envelope, body: Body::Awaited });
                    self.transactions += 1;
                    self.idle_commands = 0;
                }
            }
            Asked::Recipient(path) => {
                if self.judge(answer.into_reply(), (2, 1, 5), "Ok")
                    && let Some(transaction) = &mut self.transaction
                {
                    transaction.envelope.recipients.push(path);
                }
            }
            Asked::Data => match answer.into_reply().filter(|reply| !is_yes(reply)) {
                Some(reply) => {
                    self.fail(&reply);
                    self.transaction = None;
                }
                None => {
                    self.open_body();
                    self.phase = Phase::Data;
                    self.say_plain(354, "Send the message; end with a dot on a line of its own");
                }
            },
            Asked::Chunk { octets, last } => {
                self.open_body();
                self.phase = Phase::Chunk { left: octets, octets, last };
                if let Some(reply) = answer.into_reply().filter(|reply| !is_yes(reply)) {
                    self.abandon(reply);
                }
            }
            Asked::Finish => self.finished(answer),
        }
    }

    fn logged_in(&mut self, reply: Option<Reply>) {
        let reply = reply.unwrap_or_else(|| Reply::new(235, EnhancedCode::new(2, 7, 0), "Welcome"));
        if reply.is_positive() {
            self.is_logged_in = true;
            return self.say(&reply);
        }
        self.failed_logins += 1;
        self.fail(&reply);
        if self.failed_logins >= self.config.limits.failed_logins && !matches!(self.phase, Phase::Closing) {
            self.hang_up(&Reply::new(421, EnhancedCode::new(4, 7, 0), "Too many log-ins failed"));
        }
    }

    /// Says `reply`, or yes in the usual words; whether it was a yes.
    fn judge(&mut self, reply: Option<Reply>, enhanced: (u8, u16, u16), yes: &str) -> bool {
        match reply {
            None => self.say_new(250, enhanced, yes),
            Some(reply) if is_yes(&reply) => self.say(&reply),
            Some(reply) => {
                self.fail(&reply);
                return false;
            }
        }
        true
    }

    fn open_body(&mut self) {
        let limits = &self.config.limits;
        if let Some(transaction) = &mut self.transaction {
            transaction.body = Body::Open(Intake::new(IntakeLimits {
                message_octets: limits.message_octets,
                text_line_octets: limits.text_line_octets,
                is_binary: transaction.envelope.body_type == BodyType::BinaryMime,
            }));
        }
    }

    fn data(&mut self) -> Option<Step> {
        let pending = self.input.get(self.taken..).unwrap_or_default();
        let Some(Transaction { body: Body::Open(intake) | Body::Refused { intake, .. }, .. }) = &mut self.transaction
        else {
            self.close();
            return None;
        };
        if pending.is_empty() {
            return self.want_octets();
        }
        let mut chunk = Vec::with_capacity(pending.len());
        let (taken, ended) = intake.take_data(pending, &mut chunk);
        self.taken += taken;
        if ended {
            self.phase = Phase::Chunk { left: 0, octets: 0, last: true };
        } else if intake.is_endless() {
            self.hang_up(&too_large());
        }
        self.pass_on(chunk)
    }

    fn chunk(&mut self) -> Option<Step> {
        let Phase::Chunk { left, octets, last } = self.phase else { return None };
        if left == 0 {
            return self.end_chunk(octets, last);
        }
        let pending = self.input.get(self.taken..).unwrap_or_default();
        let piece = pending.get(..usize::try_from(left).unwrap_or(usize::MAX).min(pending.len())).unwrap_or_default();
        if piece.is_empty() {
            return self.want_octets();
        }
        let mut chunk = Vec::new();
        if let Some(Transaction { body: Body::Open(intake) | Body::Refused { intake, .. }, .. }) = &mut self.transaction
        {
            intake.take_chunk(piece, &mut chunk);
        }
        self.phase = Phase::Chunk { left: left - piece.len() as u64, octets, last };
        self.taken += piece.len();
        self.pass_on(chunk)
    }

    /// Hands octets on while the message is good; once it isn't, it is discarded and only swallowed.
    fn pass_on(&mut self, chunk: Vec<u8>) -> Option<Step> {
        let Some(transaction) = &mut self.transaction else { return None };
        let fault = match &transaction.body {
            Body::Open(intake) => intake.fault(),
            _ => return None,
        };
        match fault {
            None if chunk.is_empty() => None,
            None => Some(Step::Chunk(chunk)),
            Some(reply) => {
                self.discard = true;
                self.abandon(reply);
                None
            }
        }
    }

    /// A chunk, or DATA, is through.
    fn end_chunk(&mut self, octets: u64, last: bool) -> Option<Step> {
        self.phase = Phase::Command;
        let Some(transaction) = &mut self.transaction else {
            self.fail_new(503, (5, 5, 1), "Say MAIL first");
            return None;
        };
        match mem::replace(&mut transaction.body, Body::Failed) {
            Body::Open(mut intake) => {
                let mut rest = Vec::new();
                if last {
                    intake.end_chunks(&mut rest);
                }
                if intake.fault().is_some() {
                    transaction.body = Body::Open(intake);
                    self.phase = Phase::Chunk { left: 0, octets, last };
                    return self.pass_on(rest);
                }
                if last {
                    self.phase = Phase::Asked(Asked::Finish);
                    return Some(Step::Ask(Question::Finish));
                }
                let text = format!("{octets} octets taken, {} in all", intake.octets());
                transaction.body = Body::Open(intake);
                self.say_new(250, (2, 0, 0), &text);
            }
            Body::Refused { intake, reply } => {
                // The reason may have changed since: a message with bare line ends may have grown too large as well.
                let reply = intake.fault().unwrap_or(reply);
                self.refuse_message(&reply, last);
            }
            Body::Awaited => {
                transaction.body = Body::Awaited;
                self.fail_new(503, (5, 5, 1), "There is no recipient yet");
            }
            Body::Failed => self.fail_new(503, (5, 5, 1), "An earlier chunk was refused: say RSET"),
        }
        None
    }

    /// At the end of the octets of a refused message. A chunk that wasn't the last leaves the transaction failed.
    fn refuse_message(&mut self, reply: &Reply, last: bool) {
        let recipients = self.envelope().map_or(0, |envelope| envelope.recipients.len());
        let replies = if self.config.role == Role::Lmtp && last { recipients.max(1) } else { 1 };
        for _ in 1..replies {
            self.say(reply);
        }
        if last {
            self.transaction = None;
        }
        self.fail(reply);
    }

    fn finished(&mut self, answer: Answer) {
        let Some(transaction) = self.transaction.take() else { return };
        let recipients = transaction.envelope.recipients.len();
        let accepted = || Reply::new(250, EnhancedCode::new(2, 0, 0), "Message taken");
        if self.config.role != Role::Lmtp {
            let reply = answer.into_reply().unwrap_or_else(accepted);
            return if is_yes(&reply) { self.say(&reply) } else { self.fail(&reply) };
        }
        let mut replies = match answer {
            Answer::Accept => vec![accepted(); recipients],
            Answer::Reply(reply) => vec![reply; recipients],
            Answer::PerRecipient(replies) => replies,
        };
        // A driver that forgot one must not shift the others' replies.
        replies.resize(recipients, Reply::new(451, EnhancedCode::new(4, 3, 0), "Try again later"));
        for reply in &replies {
            self.say(reply);
        }
    }

    /// RSET, a hello, STARTTLS: the transaction is over, and what came of its message is forgotten.
    fn reset(&mut self) {
        if let Some(Transaction { body: Body::Open(_), .. }) = self.transaction.take() {
            self.discard = true;
        }
    }

    fn idle(&mut self) {
        self.idle_commands += 1;
        if self.idle_commands > self.config.limits.idle_commands {
            self.errors += 1;
        }
    }

    fn say(&mut self, reply: &Reply) {
        write_reply(reply, &mut self.output);
    }

    /// RFC 2034 §4: greetings, hellos and 3yz carry no enhanced code.
    fn say_plain(&mut self, code: u16, text: &str) {
        self.say(&Reply { code, enhanced: None, text: text.to_owned() });
    }

    fn say_new(&mut self, code: u16, (class, subject, detail): (u8, u16, u16), text: &str) {
        self.say(&Reply::new(code, EnhancedCode::new(class, subject, detail), text));
        if self.errors > self.config.limits.errors {
            self.too_many_errors();
        }
    }

    fn fail_new(&mut self, code: u16, (class, subject, detail): (u8, u16, u16), text: &str) {
        self.fail(&Reply::new(code, EnhancedCode::new(class, subject, detail), text));
    }

    /// A refusal: it counts, and a peer with too many of them is shown out. A 421 of the house's closes by itself.
    fn fail(&mut self, reply: &Reply) {
        if reply.code == 421 {
            return self.hang_up(reply);
        }
        self.say(reply);
        self.errors += 1;
        if self.errors > self.config.limits.errors {
            self.too_many_errors();
        }
    }

    fn too_many_errors(&mut self) {
        self.hang_up(&Reply::new(421, EnhancedCode::new(4, 7, 0), "Too many errors"));
    }

    fn hang_up(&mut self, reply: &Reply) {
        if !matches!(self.phase, Phase::Closing) {
            self.say(reply);
            self.close();
        }
    }

    fn close(&mut self) {
        self.reset();
        self.phase = Phase::Closing;
        self.taken = self.input.len();
    }
}

/// One line of the peer's, or why it is none.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole(Vec<u8>),
    TooLong,
    /// RFC 5321 §2.3.8: LF alone ends no line; it isn't performed.
    BareLf,
}

impl Line {
    fn reply(&self) -> Reply {
        let text = if *self == Self::BareLf { "A line ends with CRLF" } else { "The line is too long" };
        Reply::new(500, EnhancedCode::new(5, 5, 2), text)
    }
}

impl Answer {
    /// One reply for all; none for plain yes.
    fn into_reply(self) -> Option<Reply> {
        match self {
            Self::Accept => None,
            Self::Reply(reply) => Some(reply),
            Self::PerRecipient(replies) => {
                let refusal = replies.iter().find(|reply| !is_yes(reply)).cloned();
                refusal.or_else(|| replies.into_iter().next())
            }
        }
    }
}

fn is_yes(reply: &Reply) -> bool {
    reply.code < 400
}

fn is_auth(verb: &[u8]) -> bool {
    verb.eq_ignore_ascii_case(b"AUTH")
}

fn begin_envelope(mail: MailFrom, began_at: Timestamp) -> Envelope {
    Envelope {
        reverse_path: mail.reverse_path,
        recipients: Vec::new(),
        body_type: mail.body_type,
        smtputf8: mail.smtputf8,
        require_tls: mail.require_tls,
        declared_octets: mail.declared_octets,
        ret: mail.ret,
        envelope_id: mail.envelope_id,
        began_at,
    }
}
