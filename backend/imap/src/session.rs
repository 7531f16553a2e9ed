//! The dialogue of one connection: finds commands in the octets, keeps the states of RFC 9051 §3, performs nothing.
//!
//! The driver asks [`Session::step`] what to do until that is [`Step::Read`]; then it sends what stands in its output
//! buffer, reads, and feeds what came. So pipelined commands are answered in one write, in order. `inbox` finds lines and
//! literals; `log_in`, `appending` and `dialogue` are what takes more than a command and its answer.
//!
//! Invariants: one command at a time. No buffer is kept while nothing is under way: an idle session is below 1 KiB. What a
//! client sends beyond the limits is refused before it is held. Octets that follow STARTTLS unencrypted are never taken.

mod appending;
mod dialogue;
mod enabled;
mod inbox;
mod log_in;

use std::sync::Arc;

use relais_sasl::Offer;
use relais_sasl::scram::Wanted;

pub use appending::AppendMessage;
pub use enabled::Enabled;
pub use log_in::LogIn;
pub use relais_sasl::Shown;

use crate::capability::{Capabilities, Hidden};
use crate::command::reader::{Reason, Refusal};
use crate::command::{self, Command, Context, Extension, Request, State, Tag, append};
use crate::language::{Language, Text};
use crate::limits::Limits;
use crate::response::{self, Condition, ResponseCode, Status};
use appending::Appending;
use inbox::{Announced, Inbox, announced, without_line_end};
use log_in::{Authenticating, AwaitingKeys};

/// What all sessions of a listener have in common.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Config {
    /// What is too much.
    pub limits: Limits,
    /// STARTTLS is possible on this listener.
    pub starttls: bool,
    /// Passwords are taken without TLS: behind a TLS proxy, or on loopback.
    pub plain_log_in: bool,
    /// SCRAM is offered beside PLAIN and LOGIN.
    pub scram: bool,
    /// COMPRESS=DEFLATE is offered.
    pub compress: bool,
    /// UNAUTHENTICATE is offered: for programs that act for many; RFC 8437 §8 wants it to be a choice.
    pub unauthenticate: bool,
    /// Octets of a message, at most (RFC 7889).
    pub append_limit: u64,
    /// Messages that one command is given, in [`Limits::append_messages`] for APPEND; announced as MESSAGELIMIT (RFC 9738).
    pub message_limit: u32,
    /// Where ManageSieve is spoken, announced as IMAPSIEVE (RFC 6785): a URL without a script's name.
    pub sieve: Option<Arc<str>>,
    /// Where a JMAP server shows the same mail under the same ids, announced as JMAPACCESS (RFC 9698): its session resource's URL, in ASCII.
    pub jmap: Option<Arc<str>>,
    /// Extensions that aren't announced.
    pub hidden: Hidden,
}

/// What the driver is to do.
#[derive(Debug)]
#[must_use = "a dropped step stalls the dialogue"]
pub enum Step {
    /// Send what has been written, read, [`Session::feed`].
    Read,
    /// Carry it out and write its answer, the tagged line last.
    Command(Tag, Command),
    /// A SEARCH RETURN (SAVE) was refused with NO, and that is written: empty `$` (RFC 9051 §6.4.4.1).
    SaveRefused,
    /// SCRAM: say what is known of this name with [`Session::keys`], or write the tagged refusal and say that nothing is. What is known of a
    /// name that nobody has looks the same.
    Keys(Tag, Wanted),
    /// Check what was shown; then write the tagged answer, and on success call [`Session::logged_in`] before.
    LogIn(LogIn),
    /// A message is announced. Call [`Session::refuse_append`] if it isn't wanted; else the client is let send it.
    Append(AppendMessage),
    /// Octets of the announced message.
    AppendData(Vec<u8>),
    /// The octets that this URL names belong to the announced message (RFC 4469). What it names may be missing: then
    /// [`Session::refuse_append`].
    AppendUrl(String),
    /// All messages are here: file them and write the tagged answer.
    AppendEnd(Tag),
    /// The APPEND turned out to be wrong, and its answer is written: forget its messages.
    AppendBroken,
    /// IDLE began, the continuation is written: tell at once what changes, until one of the next two.
    Idle(Tag),
    /// IDLE ends: write the tagged answer.
    IdleDone(Tag),
    /// IDLE ended with something else than DONE, and its answer is written.
    IdleBroken,
    /// UNAUTHENTICATE (RFC 8437): forget who it was and all that came of it, then write the tagged OK.
    Unauthenticate(Tag),
    /// Send what has been written, do the handshake, call [`Session::tls_started`].
    StartTls,
    /// Send what has been written; from then on both directions are compressed (RFC 4978).
    StartCompression,
    /// Send what has been written and hang up.
    Close,
}

/// What the next octets are.
#[derive(Debug)]
enum Mode {
    /// A command.
    Command,
    /// The answer to a challenge of AUTHENTICATE.
    Authenticate(Box<Authenticating>),
    /// Nothing before SCRAM's keys are there.
    AwaitKeys(Box<AwaitingKeys>),
    /// DONE.
    Idle(Tag),
    /// Parts of an APPEND.
    Append(Box<Appending>),
    /// So many octets, and then the rest of a command, to be thrown away.
    Swallow(u64),
    /// Nothing in the clear: TLS must come.
    Handshake,
    /// Nothing at all.
    Closed,
}

/// The machine.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    state: State,
    mode: Mode,
    enabled: Enabled,
    language: Language,
    /// What isn't announced to who has logged in, beside what isn't to anybody.
    hidden: Hidden,
    is_tls: bool,
    is_compressed: bool,
    bad_commands: u32,
    inbox: Inbox,
}

impl Session {
    /// A new one; `is_tls`: the handshake is behind us.
    pub fn new(config: Arc<Config>, is_tls: bool) -> Self {
        Self {
            config,
            state: State::NotAuthenticated,
            mode: Mode::Command,
            enabled: Enabled::default(),
            language: Language::default(),
            hidden: Hidden::default(),
            is_tls,
            is_compressed: false,
            bad_commands: 0,
            inbox: Inbox::default(),
        }
    }

    /// Writes the greeting: the first thing to do.
    pub fn greet(&self, out: &mut Vec<u8>) {
        let code = ResponseCode::Capability(self.capabilities());
        response::condition(out, Condition::Ok, Some(&code), self.say("Relais is ready"));
    }

    /// Takes what was read; no octets: the peer hung up.
    pub fn feed(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            self.mode = Mode::Closed;
        } else {
            self.inbox.feed(octets);
        }
    }

    /// What to do next. Our own words go to `out`.
    pub fn step(&mut self, out: &mut Vec<u8>) -> Step {
        loop {
            let step = match &self.mode {
                Mode::Command => self.step_command(out),
                Mode::Authenticate(_) => self.step_authenticate(out),
                Mode::Idle(_) => self.step_idle(out),
                Mode::Append(_) => self.step_append(out),
                Mode::Swallow(_) => self.step_swallow(out),
                Mode::AwaitKeys(_) | Mode::Handshake | Mode::Closed => Some(Step::Close),
            };
            if let Some(step) = step {
                if matches!(step, Step::Read) {
                    self.inbox.tidy();
                }
                return step;
            }
        }
    }

    /// Where the session stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// What the client has enabled.
    pub const fn enabled(&self) -> Enabled {
        self.enabled
    }

    /// What people are told in.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Speaks another language from here on (RFC 5255 §3.2); which one it was before.
    pub const fn speak(&mut self, language: Language) -> Language {
        std::mem::replace(&mut self.language, language)
    }

    /// A text for people, given in English.
    pub fn say<'a>(&self, english: &'a str) -> Text<'a> {
        self.language.say(english)
    }

    /// Whether TLS protects the connection.
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether DONE is what we wait for.
    pub const fn is_idling(&self) -> bool {
        matches!(self.mode, Mode::Idle(_))
    }

    /// What we can do, as far as it may be told now.
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            is_logged_in: self.state != State::NotAuthenticated,
            starttls: self.config.starttls && !self.is_tls,
            passwords: self.takes_passwords(),
            mechanisms: self.offer(),
            compress: self.config.compress && !self.is_compressed,
            unauthenticate: self.config.unauthenticate,
            append_limit: self.config.append_limit,
            message_limit: self.config.message_limit,
            sieve: self.config.sieve.clone(),
            jmap: self.config.jmap.is_some(),
            hidden: self.config.hidden.and(self.hidden),
        }
    }

    /// The password was right.
    pub const fn logged_in(&mut self) {
        self.state = State::Authenticated;
        self.bad_commands = 0;
    }

    /// A mailbox is open.
    pub const fn selected(&mut self) {
        self.state = State::Selected;
    }

    /// No mailbox is open any more.
    pub const fn unselected(&mut self) {
        self.state = State::Authenticated;
    }

    /// Enables an extension; whether it wasn't before. QRESYNC brings CONDSTORE along (RFC 7162 §3.2.3).
    pub const fn enable(&mut self, extension: Extension) -> bool {
        self.enabled.enable(extension)
    }

    /// The handshake is done. RFC 9051 §6.2.1: what was said before it is forgotten; a language, too, which anybody on the way may have
    /// asked for (RFC 5255 §7).
    pub fn tls_started(&mut self) {
        self.is_tls = true;
        self.language = Language::default();
        self.mode = Mode::Command;
        self.inbox = Inbox::default();
    }

    /// Says BYE; the next step is [`Step::Close`]. For time-outs, shutdown and a session that was taken away.
    pub fn bye(&mut self, out: &mut Vec<u8>, code: Option<&ResponseCode<'_>>, text: &str) {
        response::condition(out, Condition::Bye, code, self.say(text));
        self.state = State::Logout;
        self.mode = Mode::Closed;
    }

    /// Announces these no more, until somebody else has logged in.
    pub const fn hide(&mut self, hidden: Hidden) {
        self.hidden = hidden;
    }

    fn offer(&self) -> Offer {
        Offer { scram: self.config.scram, under_tls: self.is_tls }
    }

    fn takes_passwords(&self) -> bool {
        self.is_tls || self.config.plain_log_in
    }

    const fn is_early(&self) -> bool {
        matches!(self.state, State::NotAuthenticated)
    }

    fn line_limit(&self) -> usize {
        let limits = &self.config.limits;
        if self.is_early() { limits.early_line_octets } else { limits.line_octets }
    }

    fn literal_limit(&self) -> usize {
        let limits = &self.config.limits;
        if self.is_early() { limits.early_literal_octets } else { limits.literal_octets }
    }

    fn context(&self) -> Context<'_> {
        let Enabled { uid_only, .. } = self.enabled;
        Context { limits: &self.config.limits, utf8: self.enabled.utf8(), uid_only, state: self.state }
    }

    fn step_command(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let end = self.inbox.find_line();
        if self.inbox.text_octets(end) > self.line_limit() {
            let refusal = Refusal::new(Reason::Limit, "The command is too long", 0);
            let (tag, saves) = self.refused(self.inbox.pending(), &refusal);
            self.mode = Mode::Swallow(0);
            self.refuse(out, tag.as_ref(), &refusal);
            return saves.then_some(Step::SaveRefused);
        }
        let Some(end) = end else { return Some(Step::Read) };
        if let Some(announced) = announced(self.inbox.last_line(end)) {
            return self.take_literal(out, end, &announced);
        }
        let text = without_line_end(self.inbox.up_to(end));
        let result = command::parse(text, self.context());
        let (tag, saves) = result.as_ref().err().map(|refusal| self.refused(text, refusal)).unwrap_or_default();
        self.inbox.consume(end);
        if result.is_ok() && !self.is_early() {
            self.bad_commands = 0;
        }
        match result {
            Ok((tag, Request::Command(command))) => Some(Step::Command(tag, command)),
            Ok((tag, Request::Dialogue(dialogue))) => self.converse(out, tag, dialogue),
            Ok((tag, Request::Append(opening))) => {
                self.begin_append(tag, opening, true);
                None
            }
            Err(refusal) => {
                self.refuse(out, tag.as_ref(), &refusal);
                saves.then_some(Step::SaveRefused)
            }
        }
    }

    /// Of a command that is refused: its tag, and whether `$` is empty for it.
    fn refused(&self, text: &[u8], refusal: &Refusal) -> (Option<Tag>, bool) {
        let saves = refusal.reason != Reason::Syntax && command::saves_result(text, self.context());
        (Tag::recover(text), saves)
    }

    /// A literal is announced at the end of the line that ends at `end`.
    fn take_literal(&mut self, out: &mut Vec<u8>, end: usize, announced: &Announced) -> Option<Step> {
        let text = self.inbox.up_to(end);
        let tag = Tag::recover(text);
        match append::opening(text, self.context()) {
            Err(refusal) => {
                self.drop_literal(end, announced);
                self.refuse(out, tag.as_ref(), &refusal);
                None
            }
            Ok(Some((tag, opening))) => {
                self.inbox.consume(end);
                self.begin_append(tag, opening, false);
                None
            }
            Ok(None) => {
                let saves = command::saves_result(text, self.context());
                if let Err(refusal) = self.take_in(out, end, announced) {
                    self.refuse(out, tag.as_ref(), &refusal);
                    return saves.then_some(Step::SaveRefused);
                }
                None
            }
        }
    }

    /// Lets the client send a literal that belongs to the command's text.
    fn take_in(&mut self, out: &mut Vec<u8>, end: usize, announced: &Announced) -> Result<(), Refusal> {
        let octets = usize::try_from(announced.octets).unwrap_or(usize::MAX);
        if self.inbox.literals().saturating_add(octets) > self.literal_limit() {
            self.drop_literal(end, announced);
            return Err(Refusal::new(Reason::Limit, "The literal is too long", end));
        }
        self.inbox.pass_literal(end, octets);
        if !announced.is_hasty {
            response::continuation(out, self.say("OK"));
        }
        Ok(())
    }

    /// Passes over a line and over the literal after it, where the client didn't wait for leave to send it.
    fn drop_literal(&mut self, end: usize, announced: &Announced) {
        self.inbox.consume(end);
        self.mode = if announced.is_hasty { Mode::Swallow(announced.octets) } else { Mode::Command };
    }

    /// Throws away octets of a refused literal, then the rest of its command. RFC 7888 §4.
    fn step_swallow(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let Mode::Swallow(left) = self.mode else { return None };
        let limits = &self.config.limits;
        let most = if self.is_early() { limits.early_literal_octets as u64 } else { limits.swallow_octets };
        if left > most {
            self.bye(out, Some(&ResponseCode::TooBig), "The literal is too long");
            return None;
        }
        let here = self.inbox.pending().len();
        let dropped = usize::try_from(left).unwrap_or(usize::MAX).min(here);
        if dropped > 0 {
            self.inbox.consume(dropped);
            self.mode = Mode::Swallow(left - dropped as u64);
            return None;
        }
        if left > 0 {
            return Some(Step::Read);
        }
        let Some(end) = self.inbox.find_line() else {
            // What may be the beginning of an announcement is kept.
            self.inbox.consume(here.saturating_sub(Announced::MAX_OCTETS));
            return Some(Step::Read);
        };
        let announced = announced(self.inbox.up_to(end));
        self.mode = Mode::Command;
        match announced {
            Some(announced) => self.drop_literal(end, &announced),
            None => self.inbox.consume(end),
        }
        None
    }

    /// Writes the answer to what cannot be carried out, and BYE after too many of them.
    fn refuse(&mut self, out: &mut Vec<u8>, tag: Option<&Tag>, refusal: &Refusal) {
        let (status, code) = match refusal.reason {
            Reason::Syntax => (Status::Bad, None),
            Reason::Limit => (Status::No, Some(ResponseCode::Limit)),
            Reason::MailboxName => (Status::No, Some(ResponseCode::Cannot)),
            Reason::SpecialUse => (Status::No, Some(ResponseCode::UseAttr)),
            Reason::Charset => (Status::No, Some(ResponseCode::BadCharset)),
            Reason::UidRequired => (Status::Bad, Some(ResponseCode::UidRequired)),
        };
        let text = self.say(refusal.text).about(&refusal.about).at(refusal.at);
        match tag {
            Some(tag) => response::tagged(out, tag, status, code.as_ref(), text),
            None => response::condition(out, Condition::Bad, code.as_ref(), text),
        }
        if !matches!(refusal.reason, Reason::Syntax | Reason::UidRequired) && tag.is_some() {
            return;
        }
        self.bad_commands += 1;
        let limits = &self.config.limits;
        let most = if self.is_early() { limits.early_bad_commands } else { limits.bad_commands };
        if self.bad_commands > most {
            self.bye(out, None, "Too many commands that cannot be read");
        }
    }
}

const fn plain_refusal(text: &'static str) -> Refusal {
    Refusal::new(Reason::Syntax, text, 0)
}

#[cfg(test)]
mod tests;
