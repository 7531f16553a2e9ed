//! The dialogue of one connection: finds commands in the octets, keeps the states of RFC 9051 §3, performs nothing.
//!
//! The driver asks [`Session::step`] what to do until that is [`Step::Read`]; then it sends what stands in its output
//! buffer, reads, and feeds what came. So pipelined commands are answered in one write, in order.
//!
//! Invariants: one command at a time. No buffer is kept while nothing is under way: an idle session is below 1 KiB. What a
//! client sends beyond the limits is refused before it is held. Octets that follow STARTTLS unencrypted are never taken.

mod appending;
mod log_in;

use std::sync::Arc;

use relais_sasl::Offer;
use relais_sasl::scram::Wanted;

pub use appending::AppendMessage;
pub use log_in::LogIn;
pub use relais_sasl::Shown;

use crate::capability::{Capabilities, Hidden};
use crate::command::reader::{Reason, Refusal};
use crate::command::{self, Command, Context, Dialogue, Extension, Request, State, Tag, append};
use crate::language::{Language, Text};
use crate::limits::Limits;
use crate::response::{self, Condition, ResponseCode, Status};
use appending::Appending;
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

/// What a client has enabled (RFC 9051 §6.3.1, RFC 7162 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is there or not, and none follows from another but QRESYNC's")]
pub struct Enabled {
    /// CONDSTORE: FETCH responses carry MODSEQ.
    pub condstore: bool,
    /// QRESYNC: VANISHED instead of EXPUNGE.
    pub qresync: bool,
    /// UTF8=ACCEPT.
    pub utf8_accept: bool,
    /// IMAP4rev2: ESEARCH instead of SEARCH, and the other changes of RFC 9051 Appendix E.
    pub imap4rev2: bool,
    /// METADATA: changes of notes are told.
    pub metadata: bool,
    /// UIDONLY: UIDFETCH and VANISHED, never a sequence number (RFC 9586).
    pub uid_only: bool,
}

impl Enabled {
    /// Whether this one is.
    pub const fn has(self, extension: Extension) -> bool {
        match extension {
            Extension::CondStore => self.condstore,
            Extension::QResync => self.qresync,
            Extension::Utf8Accept => self.utf8_accept,
            Extension::Imap4Rev2 => self.imap4rev2,
            Extension::Metadata => self.metadata,
            Extension::UidOnly => self.uid_only,
        }
    }

    /// Whether names and quoted strings are UTF-8 (RFC 6855 §3, RFC 9051 §5.1).
    pub const fn utf8(self) -> bool {
        self.utf8_accept || self.imap4rev2
    }
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
    /// What has come and isn't done with.
    inbox: Vec<u8>,
    /// Where in the inbox the command begins.
    start: usize,
    /// Where its last line so far begins, from its beginning: after its last literal, whose octets may still be missing.
    line: usize,
    /// Up to where that line has been looked through for its end, from the command's beginning.
    seen: usize,
    /// Octets of its literals.
    literals: usize,
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
            inbox: Vec::new(),
            start: 0,
            line: 0,
            seen: 0,
            literals: 0,
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
            self.inbox.extend_from_slice(octets);
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
                    self.tidy();
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
        let before = match extension {
            Extension::CondStore => std::mem::replace(&mut self.enabled.condstore, true),
            Extension::QResync => {
                self.enabled.condstore = true;
                std::mem::replace(&mut self.enabled.qresync, true)
            }
            Extension::Utf8Accept => std::mem::replace(&mut self.enabled.utf8_accept, true),
            Extension::Imap4Rev2 => std::mem::replace(&mut self.enabled.imap4rev2, true),
            Extension::Metadata => std::mem::replace(&mut self.enabled.metadata, true),
            Extension::UidOnly => std::mem::replace(&mut self.enabled.uid_only, true),
        };
        !before
    }

    /// The handshake is done. RFC 9051 §6.2.1: what was said before it is forgotten; a language, too, which anybody on the way may have
    /// asked for (RFC 5255 §7).
    pub fn tls_started(&mut self) {
        self.is_tls = true;
        self.language = Language::default();
        self.mode = Mode::Command;
        self.inbox = Vec::new();
        self.begin_at(0);
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

    /// The command so far.
    fn pending(&self) -> &[u8] {
        self.inbox.get(self.start..).unwrap_or_default()
    }

    /// Sets the beginning of what comes next.
    const fn begin_at(&mut self, start: usize) {
        self.start = start;
        self.line = 0;
        self.seen = 0;
        self.literals = 0;
    }

    /// Done with so many octets of what is pending.
    const fn consume(&mut self, octets: usize) {
        self.begin_at(self.start + octets);
    }

    /// Before waiting: gives back what isn't needed.
    fn tidy(&mut self) {
        if self.start >= self.inbox.len() {
            self.inbox = Vec::new();
            self.start = 0;
        } else if self.start > 0 {
            self.inbox.drain(..self.start);
            self.inbox.shrink_to_fit();
            self.start = 0;
        }
    }

    /// Octets up to the end of the command's current line, LF included; none: it isn't here yet.
    fn find_line(&mut self) -> Option<usize> {
        let unseen = self.pending().get(self.seen..)?;
        if let Some(at) = memchr::memchr(b'\n', unseen) {
            return Some(self.seen + at + 1);
        }
        self.seen += unseen.len();
        None
    }

    /// [`Self::find_line`] for a line that stands alone, without its end.
    fn take_line(&mut self) -> Line {
        let limit = self.line_limit();
        match self.find_line() {
            Some(end) if end <= limit => {
                let line = without_line_end(self.pending().get(..end).unwrap_or_default()).to_vec();
                self.consume(end);
                Line::Whole(line)
            }
            None if self.seen <= limit => Line::Missing,
            _ => Line::TooLong,
        }
    }

    fn step_command(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let end = self.find_line();
        if end.unwrap_or(self.seen).saturating_sub(self.literals) > self.line_limit() {
            let refusal = Refusal::new(Reason::Limit, "The command is too long", 0);
            let (tag, saves) = self.refused(self.pending(), &refusal);
            self.mode = Mode::Swallow(0);
            self.refuse(out, tag.as_ref(), &refusal);
            return saves.then_some(Step::SaveRefused);
        }
        let Some(end) = end else { return Some(Step::Read) };
        let line = self.pending().get(self.line..end).unwrap_or_default();
        if let Some(announced) = announced(line) {
            return self.take_literal(out, end, &announced);
        }
        let text = without_line_end(self.pending().get(..end).unwrap_or_default());
        let result = command::parse(text, self.context());
        let (tag, saves) = result.as_ref().err().map(|refusal| self.refused(text, refusal)).unwrap_or_default();
        self.consume(end);
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
        let text = self.pending().get(..end).unwrap_or_default();
        let tag = Tag::recover(text);
        match append::opening(text, self.context()) {
            Err(refusal) => {
                self.drop_literal(end, announced);
                self.refuse(out, tag.as_ref(), &refusal);
                None
            }
            Ok(Some((tag, opening))) => {
                self.consume(end);
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
        if self.literals.saturating_add(octets) > self.literal_limit() {
            self.drop_literal(end, announced);
            return Err(Refusal::new(Reason::Limit, "The literal is too long", end));
        }
        self.literals += octets;
        self.line = end + octets;
        self.seen = self.line;
        if !announced.is_hasty {
            response::continuation(out, self.say("OK"));
        }
        Ok(())
    }

    /// Passes over a line and over the literal after it, where the client didn't wait for leave to send it.
    fn drop_literal(&mut self, end: usize, announced: &Announced) {
        self.consume(end);
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
        let here = self.pending().len();
        let dropped = usize::try_from(left).unwrap_or(usize::MAX).min(here);
        if dropped > 0 {
            self.consume(dropped);
            self.mode = Mode::Swallow(left - dropped as u64);
            return None;
        }
        if left > 0 {
            return Some(Step::Read);
        }
        let Some(end) = self.find_line() else {
            // What may be the beginning of an announcement is kept.
            self.consume(here.saturating_sub(Announced::MAX_OCTETS));
            return Some(Step::Read);
        };
        let announced = announced(self.pending().get(..end).unwrap_or_default());
        self.mode = Mode::Command;
        match announced {
            Some(announced) => self.drop_literal(end, &announced),
            None => self.consume(end),
        }
        None
    }

    fn step_idle(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let line = self.take_line();
        if matches!(line, Line::Missing) {
            return Some(Step::Read);
        }
        let Mode::Idle(tag) = std::mem::replace(&mut self.mode, Mode::Command) else { return None };
        match line {
            Line::Whole(line) if line.trim_ascii_end().eq_ignore_ascii_case(b"DONE") => Some(Step::IdleDone(tag)),
            line => {
                if matches!(line, Line::TooLong) {
                    self.mode = Mode::Swallow(0);
                }
                self.refuse(out, Some(&tag), &plain_refusal("DONE is expected here"));
                Some(Step::IdleBroken)
            }
        }
    }

    fn converse(&mut self, out: &mut Vec<u8>, tag: Tag, dialogue: Dialogue) -> Option<Step> {
        match dialogue {
            Dialogue::Capability => {
                response::capability(out, &self.capabilities());
                response::tagged(out, &tag, Status::Ok, None, self.say("That is what I can do"));
            }
            Dialogue::Logout => {
                self.bye(out, None, "Until next time");
                response::tagged(out, &tag, Status::Ok, None, self.say("Logged out"));
            }
            Dialogue::StartTls => return self.start_tls(out, &tag),
            Dialogue::Login(login) => return self.login(out, tag, login),
            Dialogue::Authenticate(authenticate) => return self.authenticate(out, tag, &authenticate),
            Dialogue::Idle => {
                response::continuation(out, self.say("Idling"));
                self.mode = Mode::Idle(tag.clone());
                return Some(Step::Idle(tag));
            }
            Dialogue::Compress => return self.start_compression(out, &tag),
            Dialogue::Unauthenticate => return self.unauthenticate(out, tag),
        }
        None
    }

    fn start_tls(&mut self, out: &mut Vec<u8>, tag: &Tag) -> Option<Step> {
        if self.is_tls || !self.config.starttls {
            self.refuse(out, Some(tag), &plain_refusal("STARTTLS is not possible here"));
            return None;
        }
        // What stands behind STARTTLS in the clear was perhaps put there by another: RFC 9051 §11.1, CVE-2011-0411.
        if !self.pending().is_empty() {
            let text = self.say("Nothing may follow STARTTLS before the handshake");
            response::tagged(out, tag, Status::Bad, None, text);
            self.bye(out, None, "Please connect again");
            return None;
        }
        response::tagged(out, tag, Status::Ok, None, self.say("Begin the TLS handshake"));
        self.mode = Mode::Handshake;
        self.tidy();
        Some(Step::StartTls)
    }

    /// RFC 8437: all but TLS begins anew.
    fn unauthenticate(&mut self, out: &mut Vec<u8>, tag: Tag) -> Option<Step> {
        if !self.config.unauthenticate {
            self.refuse(out, Some(&tag), &plain_refusal("Unknown command"));
            return None;
        }
        if self.is_compressed {
            // §3: who cannot reset a connection hangs up. What the client sends next may stand in the inflater already.
            self.bye(out, None, "A compressed connection cannot begin anew; please connect again");
            return None;
        }
        self.state = State::NotAuthenticated;
        self.hidden = Hidden::default();
        self.enabled = Enabled::default();
        self.language = Language::default();
        self.bad_commands = 0;
        Some(Step::Unauthenticate(tag))
    }

    fn start_compression(&mut self, out: &mut Vec<u8>, tag: &Tag) -> Option<Step> {
        if self.is_compressed {
            let code = ResponseCode::CompressionActive;
            response::tagged(out, tag, Status::No, Some(&code), self.say("DEFLATE is active already"));
            return None;
        }
        if !self.config.compress || !self.pending().is_empty() {
            self.refuse(out, Some(tag), &plain_refusal("Compression cannot begin here"));
            return None;
        }
        self.is_compressed = true;
        response::tagged(out, tag, Status::Ok, None, self.say("DEFLATE is active from here"));
        self.tidy();
        Some(Step::StartCompression)
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

/// A line of a client that isn't a command.
enum Line {
    /// Without its end.
    Whole(Vec<u8>),
    /// It isn't here yet.
    Missing,
    /// Past the limit.
    TooLong,
}

/// `{octets}` or `{octets+}` at a line's end.
#[derive(Debug, PartialEq, Eq)]
struct Announced {
    octets: u64,
    /// The client doesn't wait for leave (RFC 7888).
    is_hasty: bool,
}

impl Announced {
    /// Octets of an announcement with its line's end.
    const MAX_OCTETS: usize = 32;
}

/// The literal that a line announces. Braces belong to no atom, and a quoted string ends on its line: so what stands at a
/// line's end is an announcement or an error.
fn announced(line: &[u8]) -> Option<Announced> {
    let text = without_line_end(line).strip_suffix(b"}")?;
    let (text, is_hasty) = text.strip_suffix(b"+").map_or((text, false), |text| (text, true));
    let at = text.iter().rposition(|octet| !octet.is_ascii_digit())?;
    let (before, digits) = text.split_at(at + 1);
    let is_announcement = before.ends_with(b"{") && !digits.is_empty();
    let octets = std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX);
    is_announcement.then_some(Announced { octets, is_hasty })
}

/// Deviates: LF alone ends a line, too, for people and scripts on `openssl s_client` and `nc`.
fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests;
