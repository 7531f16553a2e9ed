//! The session machine: octets in, steps out.

mod commands;
mod message;

use std::fmt;
use std::mem;
use std::time::Duration;

use relais_model::{EnhancedCode, Envelope, ForwardPath, Reply, Timestamp, Tls};
use relais_sasl::{Bearer, Exchange, scram};

use super::intake::{Intake, too_large};
use super::step::{Answer, Step, is_yes};
use super::{Config, Role};
use crate::reply::write_reply;

/// Replies wait for each other up to here, so that pipelined commands (RFC 2920) are answered in one write.
const OUTPUT_OCTETS: usize = 16 * 1024;

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
    Keys(scram::Question),
    Token(Bearer),
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
#[expect(clippy::struct_excessive_bools, reason = "each is a claim of its own; no two form a state")]
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
    /// [`Step::Discard`] or [`Step::Refuse`], where one is due.
    discard: Option<Step>,
    now: Timestamp,
    hello: Option<Hello>,
    is_logged_in: bool,
    transaction: Option<Transaction>,
    transactions: usize,
    errors: usize,
    senseless: usize,
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
            discard: None,
            now: Timestamp::default(),
            hello: None,
            is_logged_in: false,
            transaction: None,
            transactions: 0,
            errors: 0,
            senseless: 0,
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

    /// The handshake is done. All that was said before it is forgotten, a log-in too (RFC 3207 §4.2).
    pub fn tls_started(&mut self) {
        if matches!(self.phase, Phase::Handshake) {
            self.tls = Tls::Active;
            self.hello = None;
            self.is_logged_in = false;
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

    /// The open transaction's envelope; complete from [`Question::Begin`](super::Question::Begin) to the answer to
    /// [`Question::Finish`](super::Question::Finish).
    pub fn envelope(&self) -> Option<&Envelope> {
        self.transaction.as_ref().map(|transaction| &transaction.envelope)
    }

    /// Commands so far that were unknown or malformed. Those out of order don't count: a refusal puts whatever was sent behind it out of order (RFC 2920).
    pub fn senseless_commands(&self) -> usize {
        self.senseless
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
            if let Some(discard) = self.discard.take() {
                return discard;
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
            Phase::Command | Phase::Login(_) if self.is_shutting_down => {
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
            Phase::Handshake | Phase::Asked(_) => {
                self.close();
                None
            }
            Phase::Data => self.data(),
            Phase::Chunk { .. } => self.chunk(),
            Phase::Closing if self.output.is_empty() => Some(Step::Close),
            Phase::StartTls | Phase::Closing => Some(Step::Write(mem::take(&mut self.output))),
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
        if matches!(self.phase, Phase::Command) && self.pending().is_empty() {
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
            Asked::Keys(question) => self.keys_found(question, answer),
            Asked::Token(bearer) => self.token_judged(&bearer, answer.into_reply()),
            Asked::Mail(envelope) => {
                // RFC 1870 §6.1: the house has heard of it, but makes no room by that.
                let is_large =
                    envelope.declared_octets.is_some_and(|octets| octets > self.config.limits.message_octets);
                let reply = match answer.into_reply() {
                    Some(refusal) if !refusal.is_positive() => Some(refusal),
                    _ if is_large => Some(too_large()),
                    yes => yes,
                };
                if self.judge(reply, (2, 1, 0), "Ok") {
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
            Asked::Data => self.data_decided(answer.into_reply()),
            Asked::Chunk { octets, last } => {
                self.open_body();
                self.phase = Phase::Chunk { left: octets, octets, last };
                match answer.into_reply() {
                    Some(reply) if !is_yes(&reply) => self.abandon(reply),
                    _ => {}
                }
            }
            Asked::Finish => self.finished(answer),
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

    /// RSET, a hello, STARTTLS: the transaction is over, and what came of its message is forgotten.
    fn reset(&mut self) {
        if let Some(Transaction { body: Body::Open(_), .. }) = self.transaction.take() {
            self.discard = Some(Step::Discard);
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
        self.senseless += usize::from(matches!(reply.code, 500..=502 | 504 | 555));
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

impl fmt::Debug for Session {
    /// Without its buffers: they may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Session");
        out.field("phase", &self.phase).field("tls", &self.tls).field("hello", &self.hello);
        out.field("is_logged_in", &self.is_logged_in).field("transaction", &self.transaction).finish_non_exhaustive()
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

fn is_auth(verb: &[u8]) -> bool {
    verb.eq_ignore_ascii_case(b"AUTH")
}
