//! The client machine: replies in, steps out.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::time::Duration;

use relais_model::{Domain, Envelope, Reply, Secret};

use super::commands::{hindrance, mail_command, rcpt_command};
use super::encoder::Transfer;
use super::outcome::{Fate, Fault, Offer, Outcome, Stage};
use super::timeouts;
use crate::reply::read_reply;

/// Commands that may wait for their replies at once. RFC 2920 §3.1 bids us not to fill both directions and deadlock; so
/// many, with their replies, fit any socket buffer.
const PIPELINE_WINDOW: usize = 100;

/// What the driver is to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped step stalls the dialogue"]
pub enum Step {
    /// Read, for [`Client::timeout`] at most, then [`Client::feed`] or [`Client::expire`].
    Read,
    /// Send all of it.
    Write(Vec<u8>),
    /// Make the TLS handshake as the client, then [`Client::tls_started`]. Where it fails: [`Client::break_off`] with
    /// [`Fault::Tls`]; an opportunistic caller then connects again with [`TlsPolicy::Never`].
    StartTls,
    /// Send the message through an [`Encoder`](super::Encoder) of this transfer, block by block, then
    /// [`Client::body_sent`].
    SendBody(Transfer),
    /// Nothing is to do: [`Client::send`], or [`Client::quit`].
    Idle,
    /// The message's fate. Then step on: [`Step::Idle`], or [`Step::Close`] where the connection is of no more use.
    Done(Box<Outcome>),
    /// Close the connection.
    Close,
}

/// What holds for a connection.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in EHLO.
    pub host_name: Domain,
    /// What the peer speaks.
    pub language: Language,
    /// Whether to say STARTTLS.
    pub tls: TlsPolicy,
    /// TLS is on from the start (465): the handshake was made before the first step.
    pub is_under_tls: bool,
    /// For a relay host: log in first.
    pub credentials: Option<Credentials>,
}

/// The peer's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// RFC 5321.
    Smtp,
    /// RFC 2033: after the message, one reply a recipient.
    Lmtp,
}

/// What to do about STARTTLS (RFC 3207). Whom the certificate must name is the driver's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Don't.
    Never,
    /// Where it is offered; go on in the clear where it isn't, or is refused.
    Opportunistic,
    /// Without it nothing is sent, and the fate is transient.
    Required,
}

/// How to log in at a relay host.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// authcid.
    pub login_name: String,
    /// The password.
    pub password: Secret,
    /// Say it without TLS, too: never by default.
    pub without_tls: bool,
}

/// Where the connection stands.
#[derive(Debug)]
enum Phase {
    /// A reply to `expected`'s first is awaited; none expected: idle.
    Talking,
    /// 220 to STARTTLS came; the handshake is due.
    StartTls,
    /// It is the driver's.
    Handshake,
    /// The message is due.
    Body(Transfer),
    /// It is the driver's.
    Sending,
    /// Of no more use.
    Closed,
}

/// What the next reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    /// AUTH with all said, or the last response of LOGIN.
    Login,
    /// AUTH LOGIN: 334 asks for the name.
    LoginName,
    /// AUTH LOGIN: 334 asks for the password.
    LoginPassword,
    Reset,
    Mail,
    Recipient(usize),
    Data,
    /// The final reply; on LMTP the recipient's.
    Body(Option<usize>),
    Quit,
}

/// A message on its way.
#[derive(Debug)]
struct Transaction {
    envelope: Envelope,
    octets: u64,
    /// None: undecided; from RCPT's reply on that means accepted so far.
    fates: Vec<Option<Fate>>,
    next: Next,
}

/// What is to be said next for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing was said: can the peer take it at all?
    Begin,
    Mail,
    /// The recipient of this index.
    Recipient(usize),
    /// DATA or BDAT.
    Body,
    /// Only replies are awaited.
    Nothing,
}

/// One connection to a peer, as a client.
///
/// Pure: it reads no clock and touches no socket. Whatever the peer says, it doesn't panic, keeps no more than one reply, and
/// each message given to [`Client::send`] comes back as one [`Step::Done`].
///
/// How messages go:
/// - BDAT in one chunk where CHUNKING is offered: the final reply comes after as many round trips as with DATA, and no
///   octet is changed. Otherwise DATA; with PIPELINING it goes in one write with MAIL and RCPT.
/// - An 8-bit message goes as it is to a peer without 8BITMIME, as all MTAs do since RFC 6152's early days: converting it
///   would break its signatures.
/// - SIZE, BODY, SMTPUTF8, REQUIRETLS and the DSN parameters are said only where offered.
pub struct Client {
    config: Config,
    phase: Phase,
    is_under_tls: bool,
    input: Vec<u8>,
    output: Vec<u8>,
    expected: VecDeque<Expected>,
    greeting: String,
    offer: Offer,
    transaction: Option<Transaction>,
    transactions: usize,
    /// The last transaction was left open: say RSET before the next.
    needs_reset: bool,
    is_hung_up: bool,
    done: VecDeque<Box<Outcome>>,
    /// Why the connection is of no more use: the fate of every message that is still given to it.
    lost: Option<Fate>,
}

impl Client {
    /// On a fresh connection.
    pub fn new(config: Config) -> Self {
        Self {
            phase: Phase::Talking,
            is_under_tls: config.is_under_tls,
            config,
            input: Vec::new(),
            output: Vec::new(),
            expected: VecDeque::from([Expected::Greeting]),
            greeting: String::new(),
            offer: Offer::default(),
            transaction: None,
            transactions: 0,
            needs_reset: false,
            is_hung_up: false,
            done: VecDeque::new(),
            lost: None,
        }
    }

    /// Gives a message of `octets` octets: before the first step, or at [`Step::Idle`]. `smtputf8` and `body_type` say what
    /// the message needs (addresses are looked at here). A message given while another is under way breaks both off.
    pub fn send(&mut self, envelope: Envelope, octets: u64) {
        if self.transaction.is_some() {
            self.break_off(Fault::BodyLost);
        }
        let fates = vec![None; envelope.recipients.len()];
        self.transaction = Some(Transaction { envelope, octets, fates, next: Next::Begin });
        if let Some(fate) = self.lost.clone() {
            self.decide_rest(&fate);
            self.conclude();
        }
    }

    /// Says goodbye: at [`Step::Idle`]. [`Step::Close`] follows.
    pub fn quit(&mut self) {
        if matches!(self.phase, Phase::Talking) {
            self.say("QUIT", Expected::Quit);
        }
    }

    /// Takes what was read. Zero octets: the peer hung up.
    pub fn feed(&mut self, octets: &[u8]) {
        self.is_hung_up |= octets.is_empty();
        match self.phase {
            Phase::StartTls | Phase::Handshake => self.break_off(Fault::Injected),
            _ => self.input.extend_from_slice(octets),
        }
    }

    /// The handshake is done: what the peer said before it is forgotten (RFC 3207 §4.2).
    pub fn tls_started(&mut self) {
        if matches!(self.phase, Phase::Handshake) {
            self.is_under_tls = true;
            self.offer = Offer::default();
            self.phase = Phase::Talking;
            self.say_hello();
        }
    }

    /// The whole message went through the encoder. Where it didn't: [`Client::break_off`] with [`Fault::BodyLost`].
    pub fn body_sent(&mut self) {
        if matches!(self.phase, Phase::Sending) {
            self.phase = Phase::Talking;
        }
    }

    /// Nothing came in time.
    pub fn expire(&mut self) {
        self.break_off(Fault::TimedOut);
    }

    /// The connection is lost, or must be. Recipients not yet decided are [`Fate::Broken`]; [`Step::Close`] follows.
    /// Where sending a message failed, feed what can still be read first: it may say why.
    pub fn break_off(&mut self, fault: Fault) {
        let stage = self.stage();
        // A peer that closes in the midst of a message may have said why.
        let last_word = if matches!(self.phase, Phase::Sending) { read_reply(&self.input) } else { Ok(None) };
        self.lose(match last_word {
            Ok(Some((reply, _))) if reply.code >= 400 => Fate::Refused { stage, reply },
            _ => Fate::Broken { stage, fault },
        });
    }

    /// How long [`Step::Read`], or the sending of one block, may last (RFC 5321 §4.5.3.2).
    pub fn timeout(&self) -> Duration {
        if matches!(self.phase, Phase::Body(_) | Phase::Sending) {
            return timeouts::DATA_BLOCK;
        }
        match self.stage() {
            Stage::Greeting => timeouts::GREETING,
            Stage::Hello | Stage::StartTls | Stage::Login => timeouts::COMMAND,
            Stage::Mail => timeouts::MAIL,
            Stage::Recipient => timeouts::RCPT,
            Stage::Data => timeouts::DATA_INITIATION,
            Stage::Body => timeouts::DATA_TERMINATION,
            Stage::Quit => timeouts::QUIT,
        }
    }

    /// Where the dialogue stands: what the next reply answers.
    pub fn stage(&self) -> Stage {
        match (&self.phase, self.expected.front()) {
            (Phase::StartTls | Phase::Handshake, _) | (_, Some(Expected::StartTls)) => Stage::StartTls,
            (Phase::Body(_) | Phase::Sending, _) | (_, Some(Expected::Body(_))) => Stage::Body,
            (_, Some(Expected::Greeting)) => Stage::Greeting,
            (_, Some(Expected::Ehlo | Expected::Helo)) => Stage::Hello,
            (_, Some(Expected::Login | Expected::LoginName | Expected::LoginPassword)) => Stage::Login,
            (_, Some(Expected::Reset | Expected::Mail) | None) => Stage::Mail,
            (_, Some(Expected::Recipient(_))) => Stage::Recipient,
            (_, Some(Expected::Data)) => Stage::Data,
            (_, Some(Expected::Quit)) => Stage::Quit,
        }
    }

    /// What the peer offers.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Whether TLS protects what is said.
    pub fn is_under_tls(&self) -> bool {
        self.is_under_tls
    }

    /// What to do next. While a handshake or a message's sending is the driver's, finish that first: a step then breaks off.
    pub fn step(&mut self) -> Step {
        loop {
            if let Some(outcome) = self.done.pop_front() {
                return Step::Done(outcome);
            }
            if !self.output.is_empty() {
                return Step::Write(mem::take(&mut self.output));
            }
            match self.phase {
                Phase::Closed => return Step::Close,
                Phase::StartTls => {
                    self.phase = Phase::Handshake;
                    return Step::StartTls;
                }
                Phase::Body(transfer) => {
                    self.phase = Phase::Sending;
                    return Step::SendBody(transfer);
                }
                Phase::Handshake => self.break_off(Fault::Tls("it was not finished".to_owned())),
                Phase::Sending => self.break_off(Fault::BodyLost),
                Phase::Talking if self.expected.is_empty() && self.transaction.is_none() => return Step::Idle,
                Phase::Talking if self.expected.is_empty() => self.go_on(),
                Phase::Talking => {
                    if let Some(step) = self.listen() {
                        return step;
                    }
                }
            }
        }
    }

    fn listen(&mut self) -> Option<Step> {
        match read_reply(&self.input) {
            Ok(Some((reply, taken))) => {
                self.input.drain(..taken);
                let expected = self.expected.pop_front()?;
                self.hear(expected, reply);
            }
            Ok(None) if self.is_hung_up => self.break_off(Fault::HungUp),
            Ok(None) => return Some(Step::Read),
            Err(error) => self.break_off(Fault::Garbled(error)),
        }
        None
    }

    /// Takes the reply to what was expected.
    fn hear(&mut self, expected: Expected, reply: Reply) {
        if expected == Expected::Quit {
            self.phase = Phase::Closed;
            return;
        }
        let stage = stage_of(expected);
        let wants_more = matches!(expected, Expected::Data | Expected::LoginName | Expected::LoginPassword);
        let is_as_expected = match reply.code {
            200..=299 => !wants_more,
            300..=399 => wants_more,
            // RFC 5321 §3.8: whatever it answers, the peer closes.
            421 => return self.lose(Fate::Refused { stage, reply }),
            _ => return self.refused(expected, reply),
        };
        if !is_as_expected {
            // Whoever goes on now is out of step for good.
            return self.lose(Fate::Broken { stage, fault: Fault::OutOfStep(reply) });
        }
        match expected {
            Expected::Greeting => {
                self.greeting = reply.text;
                self.say_hello();
            }
            Expected::Ehlo => {
                self.offer = Offer::parse(&reply.text);
                self.secure();
            }
            Expected::Helo => {
                self.offer = Offer::parse(reply.text.lines().next().unwrap_or_default());
                self.secure();
            }
            // Whatever stands behind the reply was put there before the handshake, perhaps by somebody else.
            Expected::StartTls if !self.input.is_empty() => {
                self.lose(Fate::Broken { stage, fault: Fault::Injected });
            }
            Expected::StartTls => self.phase = Phase::StartTls,
            Expected::LoginName => self.say_credential(|credentials| &credentials.login_name, Expected::LoginPassword),
            Expected::LoginPassword => {
                self.say_credential(|credentials| credentials.password.expose(), Expected::Login);
            }
            // QUIT's reply was heard before.
            Expected::Login | Expected::Quit => {}
            Expected::Reset => self.needs_reset = false,
            Expected::Mail | Expected::Recipient(_) => self.go_on(),
            Expected::Data => self.begin_body(Transfer::Data),
            Expected::Body(recipient) => self.body_decided(recipient, &Fate::Accepted(reply)),
        }
    }

    /// A 4yz or 5yz.
    fn refused(&mut self, expected: Expected, reply: Reply) {
        let stage = stage_of(expected);
        let is_permanent = !reply.is_transient();
        if expected == Expected::Reset {
            // A peer that refuses RSET is in no known state; the message is not to blame.
            return self.lose(Fate::Broken { stage, fault: Fault::OutOfStep(reply) });
        }
        let fate = Fate::Refused { stage, reply };
        match expected {
            // RFC 5321 §3.2: a server that doesn't know EHLO knows HELO.
            Expected::Ehlo if is_permanent && self.config.language == Language::Smtp => {
                let hello = format!("HELO {}", self.config.host_name);
                self.say(&hello, Expected::Helo);
            }
            Expected::StartTls if self.config.tls == TlsPolicy::Opportunistic => self.log_in(),
            Expected::StartTls => self.give_up(Fate::Broken { stage, fault: Fault::TlsMissing }),
            Expected::Mail => {
                self.decide_rest(&fate);
                self.go_on();
            }
            Expected::Recipient(index) => {
                self.decide(index, fate);
                self.go_on();
            }
            Expected::Data => {
                self.decide_rest(&fate);
                self.conclude();
            }
            Expected::Body(recipient) => self.body_decided(recipient, &fate),
            Expected::Reset
            | Expected::Greeting
            | Expected::Ehlo
            | Expected::Helo
            | Expected::Login
            | Expected::LoginName
            | Expected::LoginPassword => self.give_up(fate),
            // QUIT's reply was heard before.
            Expected::Quit => {}
        }
    }

    fn say_hello(&mut self) {
        let verb = if self.config.language == Language::Lmtp { "LHLO" } else { "EHLO" };
        let hello = format!("{verb} {}", self.config.host_name);
        self.say(&hello, Expected::Ehlo);
    }

    /// After the hello: TLS as the policy has it.
    fn secure(&mut self) {
        match self.config.tls {
            _ if self.is_under_tls => self.log_in(),
            TlsPolicy::Opportunistic | TlsPolicy::Required if self.offer.start_tls => {
                self.say("STARTTLS", Expected::StartTls);
            }
            TlsPolicy::Required => self.give_up(Fate::Broken { stage: Stage::StartTls, fault: Fault::TlsMissing }),
            TlsPolicy::Never | TlsPolicy::Opportunistic => self.log_in(),
        }
    }

    fn log_in(&mut self) {
        let Some(credentials) = &self.config.credentials else { return };
        let is_safe = self.is_under_tls || credentials.without_tls;
        if is_safe && self.offer.login_plain {
            let response = relais_sasl::plain_response(&credentials.login_name, &credentials.password);
            let command = format!("AUTH PLAIN {response}");
            self.say(&command, Expected::Login);
        } else if is_safe && self.offer.login_login {
            self.say("AUTH LOGIN", Expected::LoginName);
        } else {
            self.give_up(Fate::Broken { stage: Stage::Login, fault: Fault::LoginMissing });
        }
    }

    fn say_credential(&mut self, pick: impl Fn(&Credentials) -> &str, expected: Expected) {
        let response = self.config.credentials.as_ref().map(|credentials| relais_sasl::encode(pick(credentials)));
        self.say(&response.unwrap_or_default(), expected);
    }

    fn say(&mut self, line: &str, expected: Expected) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.expected.push_back(expected);
    }

    /// Says what may be said now: all at once with PIPELINING, else one command after each reply.
    fn go_on(&mut self) {
        let window = if self.offer.pipelining { PIPELINE_WINDOW } else { 1 };
        while self.expected.len() < window && matches!(self.phase, Phase::Talking) && self.say_next() {}
    }

    /// Says the transaction's next command; false where a reply must come first, or nothing is left.
    fn say_next(&mut self) -> bool {
        let Some(transaction) = &self.transaction else { return false };
        let is_decided = transaction.fates.iter().all(Option::is_some);
        match transaction.next {
            Next::Begin => self.begin(),
            Next::Mail => {
                let mail = mail_command(&transaction.envelope, transaction.octets, &self.offer, self.is_under_tls);
                self.advance(Next::Recipient(0));
                self.say(&mail, Expected::Mail);
                true
            }
            // All were refused, by MAIL or each for itself: there is nobody left to send to.
            _ if is_decided && self.expected.is_empty() => {
                self.conclude();
                false
            }
            Next::Recipient(index) => self.say_recipient(index),
            // The message follows BDAT at once, so the replies to RCPT are awaited first.
            Next::Body if is_decided || self.offer.chunking && !self.expected.is_empty() => false,
            Next::Body if self.offer.chunking => {
                let octets = transaction.octets;
                self.advance(Next::Nothing);
                self.output.extend_from_slice(format!("BDAT {octets} LAST\r\n").as_bytes());
                self.begin_body(Transfer::Chunk { octets });
                false
            }
            Next::Body => {
                self.advance(Next::Nothing);
                self.say("DATA", Expected::Data);
                false
            }
            Next::Nothing => false,
        }
    }

    /// Holds the message to what the peer takes, then opens the transaction.
    fn begin(&mut self) -> bool {
        let Some(transaction) = &self.transaction else { return false };
        let (envelope, octets) = (&transaction.envelope, transaction.octets);
        if let Some(fault) = hindrance(envelope, octets, &self.offer, self.is_under_tls) {
            self.decide_rest(&Fate::Broken { stage: Stage::Mail, fault });
        }
        let limit = self.offer.recipients_limit.unwrap_or(usize::MAX);
        let transaction = self.transaction.as_mut();
        for fate in transaction.into_iter().flat_map(|transaction| transaction.fates.iter_mut().skip(limit)) {
            let too_many = Fate::Broken { stage: Stage::Recipient, fault: Fault::TooManyRecipients };
            let _already = fate.get_or_insert(too_many);
        }
        if self.transaction.as_ref().is_none_or(|transaction| transaction.fates.iter().all(Option::is_some)) {
            let needs_reset = self.needs_reset;
            self.conclude();
            self.needs_reset = needs_reset; // Nothing was said.
            return false;
        }
        self.transactions += 1;
        self.advance(Next::Mail);
        if self.needs_reset {
            self.say("RSET", Expected::Reset);
        }
        true
    }

    fn say_recipient(&mut self, index: usize) -> bool {
        let Some(transaction) = &self.transaction else { return false };
        match transaction.envelope.recipients.get(index) {
            Some(path) if transaction.fates.get(index).is_some_and(Option::is_none) => {
                let rcpt = rcpt_command(path, &self.offer);
                self.advance(Next::Recipient(index + 1));
                self.say(&rcpt, Expected::Recipient(index));
            }
            Some(_) => self.advance(Next::Recipient(index + 1)),
            None => self.advance(Next::Body),
        }
        true
    }

    fn advance(&mut self, next: Next) {
        if let Some(transaction) = &mut self.transaction {
            transaction.next = next;
        }
    }

    /// The peer awaits the message.
    fn begin_body(&mut self, transfer: Transfer) {
        let Some(transaction) = &self.transaction else { return };
        let fates = transaction.fates.iter().enumerate();
        let left: Vec<usize> = fates.filter(|(_, fate)| fate.is_none()).map(|(index, _)| index).collect();
        match self.config.language {
            // RFC 2920 §3.1: DATA was sent ahead, all recipients were refused, and the peer says 354 all the same.
            // An empty message to nobody leads out; an LMTP server has then no reply to give, so there is no way out.
            Language::Smtp if left.is_empty() => {
                self.output.extend_from_slice(b".\r\n");
                self.expected.push_back(Expected::Body(None));
                return;
            }
            Language::Lmtp if left.is_empty() => return self.break_off(Fault::HungUp),
            Language::Smtp => self.expected.push_back(Expected::Body(None)),
            Language::Lmtp => self.expected.extend(left.into_iter().map(|index| Expected::Body(Some(index)))),
        }
        self.phase = Phase::Body(transfer);
    }

    /// The final reply, or one of LMTP's.
    fn body_decided(&mut self, recipient: Option<usize>, fate: &Fate) {
        match recipient {
            Some(index) => self.decide(index, fate.clone()),
            None => self.decide_rest(fate),
        }
        if self.expected.is_empty() {
            self.conclude();
            self.needs_reset = false;
        }
    }

    fn decide(&mut self, index: usize, decided: Fate) {
        let fates = self.transaction.as_mut().map(|transaction| &mut transaction.fates);
        if let Some(fate) = fates.and_then(|fates| fates.get_mut(index)) {
            let _already = fate.get_or_insert(decided);
        }
    }

    fn decide_rest(&mut self, decided: &Fate) {
        let count = self.transaction.as_ref().map_or(0, |transaction| transaction.fates.len());
        for index in 0..count {
            self.decide(index, decided.clone());
        }
    }

    /// All is known of the message.
    fn conclude(&mut self) {
        let Some(transaction) = self.transaction.take() else { return };
        self.needs_reset = true;
        let unknown = || Fate::Broken { stage: Stage::Mail, fault: Fault::HungUp };
        self.done.push_back(Box::new(Outcome {
            recipients: transaction.fates.into_iter().map(|fate| fate.unwrap_or_else(unknown)).collect(),
            under_tls: self.is_under_tls,
            greeting: self.greeting.clone(),
            offer: self.offer.clone(),
        }));
        // RFC 9422: the peer takes no more in this session.
        if self.offer.transactions_limit.is_some_and(|limit| self.transactions >= limit) {
            self.quit();
        }
    }

    /// The connection is of no more use to us, and the peer still listens: it hears QUIT first (RFC 5321 §4.1.1.10).
    fn give_up(&mut self, fate: Fate) {
        self.lose(fate);
        self.phase = Phase::Talking;
        self.quit();
    }

    /// The connection is of no more use.
    fn lose(&mut self, fate: Fate) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.phase = Phase::Closed;
        self.output.clear();
        self.input.clear();
        self.expected.clear();
        self.decide_rest(&fate);
        self.conclude();
        self.lost = Some(fate);
    }
}

impl fmt::Debug for Client {
    /// Without its buffers: they may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Client");
        out.field("phase", &self.phase).field("expected", &self.expected).field("offer", &self.offer);
        out.field("is_under_tls", &self.is_under_tls).field("transaction", &self.transaction).finish_non_exhaustive()
    }
}

const fn stage_of(expected: Expected) -> Stage {
    match expected {
        Expected::Greeting => Stage::Greeting,
        Expected::Ehlo | Expected::Helo => Stage::Hello,
        Expected::StartTls => Stage::StartTls,
        Expected::Login | Expected::LoginName | Expected::LoginPassword => Stage::Login,
        Expected::Reset | Expected::Mail => Stage::Mail,
        Expected::Recipient(_) => Stage::Recipient,
        Expected::Data => Stage::Data,
        Expected::Body(_) => Stage::Body,
        Expected::Quit => Stage::Quit,
    }
}
