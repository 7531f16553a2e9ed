//! The dialogue: states, answers, and what is asked of the house (RFC 5804 §1.2, §2).

use relais_model::Tls;
use relais_sasl::scram::{Known, Wanted};
use relais_sasl::{Exchange, Mechanism, Offer, Progress, Shown, scram};

use super::command::{Cut, Word, cut};
use super::limit;
use crate::compile::{Dialect, is_script_name};
use crate::program::Program;

/// What the listener settles before a session begins.
#[derive(Debug, Clone)]
pub struct Config {
    /// What IMPLEMENTATION says: a name, and no version.
    pub implementation: String,
    /// Whether the connection is under TLS, or may come to be.
    pub tls: Tls,
    /// Log-in without TLS: for a loopback listener or one behind a TLS proxy, never by default.
    pub allow_plain_login: bool,
    /// SCRAM is offered beside PLAIN.
    pub scram: bool,
    /// What scripts may use, and what SIEVE says.
    pub dialect: Dialect,
    /// MAXREDIRECTS.
    pub max_redirects: usize,
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

/// What the session cannot know. Names are script names (§1.6), not yet known to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Who is this? [`Answer::LoggedIn`] or [`Answer::Refused`].
    Login(Shown),
    /// SCRAM: what is known of this name? [`Answer::Known`], or as for [`Question::Login`].
    Keys(Wanted),
    /// All scripts. [`Answer::Scripts`].
    List,
    /// Would a script of that size find room? [`Answer::Done`], or why not.
    HaveSpace {
        /// Its name.
        name: String,
        /// Its size.
        octets: u64,
    },
    /// Keep this script, which was checked, in place of one that has the name. The active one stays active. [`Answer::Done`].
    Put {
        /// Its name.
        name: String,
        /// As the peer sent it.
        text: String,
    },
    /// A script's text. [`Answer::Text`].
    Get {
        /// Its name.
        name: String,
    },
    /// Make it the one that runs; empty: none runs. [`Answer::Done`].
    SetActive {
        /// Its name.
        name: String,
    },
    /// [`Answer::Done`]; [`Answer::Active`] where it is the one that runs.
    Delete {
        /// Its name.
        name: String,
    },
    /// The active one stays active. [`Answer::Done`].
    Rename {
        /// Its name.
        from: String,
        /// The name that it gets.
        to: String,
    },
    /// UNAUTHENTICATE: forget who has logged in. [`Answer::Done`].
    Forget,
}

/// A script in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// It is the one that runs: one at most.
    pub is_active: bool,
}

/// The driver's answer to a [`Question`]. One that doesn't fit the question counts as [`Answer::Unavailable`].
#[derive(Debug, Clone)]
pub enum Answer {
    /// The credentials are right; the name is told as OWNER.
    LoggedIn(String),
    /// They aren't; the peer is told no more.
    Refused,
    /// [`Question::Keys`]'.
    Known(Box<Known>),
    /// [`Question::List`]'s.
    Scripts(Vec<Listed>),
    /// [`Question::Get`]'s.
    Text(String),
    /// It is done, for good.
    Done,
    /// No script has that name.
    NotThere,
    /// A script has that name already.
    Exists,
    /// It is the one that runs.
    Active,
    /// The account has as many scripts as it may.
    TooMany,
    /// The script is too large, or all of them are.
    TooLarge,
    /// Something failed that may work later.
    Unavailable,
}

#[derive(Debug)]
enum State {
    Early,
    /// A response has yet to come.
    Authenticating(Exchange),
    /// Of SCRAM, while [`Question::Keys`] waits.
    AwaitingKeys(scram::Question),
    StartingTls,
    LoggedIn(String),
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
    input: Vec<u8>,
    /// Below so many octets of input there is no whole command.
    wanted: usize,
    output: Vec<u8>,
    bad_commands: u32,
    refused_logins: u32,
}

impl Session {
    /// Begins with the capabilities, which are the greeting (§1.7).
    pub fn new(config: Config) -> Self {
        let mut session = Self {
            config,
            state: State::Early,
            asked: None,
            input: Vec::new(),
            wanted: 1,
            output: Vec::new(),
            bad_commands: 0,
            refused_logins: 0,
        };
        session.capabilities();
        session
    }

    /// Takes what was read; zero octets: the peer hung up.
    pub fn feed(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            self.state = State::Ended;
        }
        self.input.extend_from_slice(octets);
    }

    /// The peer was silent for too long, or the house closes: it is told, and the session ends (§1.2).
    pub fn expire(&mut self) {
        self.asked = None;
        self.output.clear();
        self.say("BYE", None, "Until later");
        self.state = State::Ended;
    }

    /// Whether someone has logged in: a peer may then be silent for half an hour at least (§1.2).
    pub const fn is_logged_in(&self) -> bool {
        matches!(self.state, State::LoggedIn(_))
    }

    /// What is to be done next. After `Ask` it stays the same until the answer is there.
    pub fn step(&mut self) -> Step {
        loop {
            if let Some(question) = &self.asked {
                return Step::Ask(question.clone());
            }
            if !matches!(self.state, State::Ended | State::StartingTls) && self.take_command() {
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

    /// TLS is up. What was said before it is forgotten; the capabilities are said anew (§2.2).
    pub fn tls_started(&mut self) {
        self.config.tls = Tls::Active;
        self.input.clear();
        self.wanted = 1;
        self.state = State::Early;
        self.capabilities();
    }

    /// Takes the answer to what was asked last.
    pub fn answer(&mut self, answer: Answer) {
        let Some(question) = self.asked.take() else { return };
        match (&question, answer) {
            (Question::Keys(_), Answer::Known(known)) => {
                if let State::AwaitingKeys(question) = std::mem::replace(&mut self.state, State::Early) {
                    self.go_on(question.answer(*known));
                }
                return;
            }
            (Question::Login(_), Answer::LoggedIn(owner)) => {
                self.state = State::LoggedIn(owner);
                self.say("OK", None, "Logged in");
                return;
            }
            // RFC 7628 §3.2.2: first the client is told why, and says that it has heard it.
            (Question::Login(Shown::Token(bearer)), Answer::Refused) => return self.challenge(bearer.refusal()),
            (Question::Login(_) | Question::Keys(_), Answer::Refused) => self.refuse_login(),
            (Question::List, Answer::Scripts(scripts)) => self.list(&scripts),
            (Question::Get { .. }, Answer::Text(text)) => {
                self.output.extend_from_slice(format!("{{{}}}\r\n", text.len()).as_bytes());
                self.output.extend_from_slice(text.as_bytes());
                self.output.extend_from_slice(b"\r\n");
                self.say("OK", None, "That is it");
            }
            (Question::Forget, Answer::Done) => {
                self.state = State::Early;
                self.say("OK", None, "Forgotten");
                return;
            }
            (Question::List | Question::Get { .. } | Question::Login(_) | Question::Keys(_), Answer::Done) => {
                self.unavailable();
            }
            (_, Answer::Done) => self.say("OK", None, "Done"),
            (_, Answer::NotThere) => self.say("NO", Some("NONEXISTENT"), "There is no such script"),
            (_, Answer::Exists) => self.say("NO", Some("ALREADYEXISTS"), "There is a script of that name"),
            (_, Answer::Active) => self.say("NO", Some("ACTIVE"), "This script is the one that runs"),
            (_, Answer::TooMany) => {
                self.say("NO", Some("QUOTA/MAXSCRIPTS"), "There are as many scripts as there may be");
            }
            (_, Answer::TooLarge) => self.say("NO", Some("QUOTA/MAXSIZE"), "The script is too large"),
            _ => self.unavailable(),
        }
        if matches!(self.state, State::AwaitingKeys(_)) {
            self.state = State::Early;
        }
    }

    fn refuse_login(&mut self) {
        self.say("NO", None, "Log-in refused");
        self.refused_logins += 1;
        if self.refused_logins >= limit::REFUSED_LOGINS {
            self.say("BYE", None, "Too many log-ins were refused");
            self.state = State::Ended;
        }
    }

    fn unavailable(&mut self) {
        self.say("NO", Some("TRYLATER"), "Not possible now, try again later");
    }

    /// Obeys the next command; false where none is there whole.
    fn take_command(&mut self) -> bool {
        if self.input.len() < self.wanted {
            return false;
        }
        let most = if self.is_logged_in() { limit::LITERAL_OCTETS } else { limit::EARLY_LITERAL_OCTETS };
        match cut(&self.input, most) {
            Cut::More(wanted) => {
                self.wanted = wanted;
                return false;
            }
            Cut::Lost(why) => {
                // There is no telling where the next command begins.
                self.say("BYE", None, why);
                self.state = State::Ended;
            }
            Cut::Bad(octets) => {
                self.take(octets);
                self.state = match std::mem::replace(&mut self.state, State::Early) {
                    State::Authenticating(_) => State::Early,
                    state => state,
                };
                self.refuse("These words are no command");
            }
            Cut::Whole(words, octets) => {
                self.take(octets);
                self.obey(&words);
            }
        }
        true
    }

    fn take(&mut self, octets: usize) {
        self.input.drain(..octets.min(self.input.len()));
        self.wanted = 1;
    }

    fn obey(&mut self, words: &[Word]) {
        if matches!(self.state, State::Authenticating(_)) {
            if let State::Authenticating(exchange) = std::mem::replace(&mut self.state, State::Early) {
                match words {
                    [Word::String(response)] => self.respond(exchange, response),
                    _ => self.refuse("A response in one string was awaited"),
                }
            }
            return;
        }
        let Some((Word::Atom(name), arguments)) = words.split_first() else {
            return self.refuse("A command begins with its name");
        };
        match (name.to_ascii_uppercase().as_str(), arguments) {
            ("CAPABILITY", []) => self.capabilities(),
            ("LOGOUT", []) => {
                self.say("OK", None, "Goodbye");
                self.state = State::Ended;
            }
            ("NOOP", []) => self.say("OK", None, "Here I am"),
            ("NOOP", [Word::String(tag)]) => {
                let code = format!("TAG {}", quoted(&String::from_utf8_lossy(tag)));
                self.say("OK", Some(&code), "Done");
            }
            ("STARTTLS", []) => self.start_tls(),
            ("AUTHENTICATE", [mechanism @ Word::String(_), initial @ ..]) => self.authenticate(mechanism, initial),
            (known, arguments) => self.obey_late(known, arguments),
        }
    }

    /// What only who has logged in may say.
    fn obey_late(&mut self, name: &str, arguments: &[Word]) {
        const LATE: [&str; 9] = [
            "HAVESPACE",
            "PUTSCRIPT",
            "LISTSCRIPTS",
            "SETACTIVE",
            "GETSCRIPT",
            "DELETESCRIPT",
            "RENAMESCRIPT",
            "CHECKSCRIPT",
            "UNAUTHENTICATE",
        ];
        if !self.is_logged_in() && LATE.contains(&name) {
            return self.refuse("Log in first");
        }
        let question = match (name, arguments) {
            ("LISTSCRIPTS", []) => Some(Question::List),
            ("UNAUTHENTICATE", []) => Some(Question::Forget),
            ("CHECKSCRIPT", [script @ Word::String(_)]) => {
                if self.check(script).is_some() {
                    self.say("OK", None, "The script can be used");
                }
                return;
            }
            ("PUTSCRIPT", [name, script @ Word::String(_)]) => {
                let Some(name) = self.name(name) else { return };
                let Some(text) = self.check(script) else { return };
                Some(Question::Put { name, text })
            }
            ("HAVESPACE", [name, Word::Number(octets)]) => {
                let Some(name) = self.name(name) else { return };
                if usize::try_from(*octets).map_or(true, |octets| octets > crate::limit::SCRIPT_OCTETS) {
                    return self.say("NO", Some("QUOTA/MAXSIZE"), "The script is too large");
                }
                Some(Question::HaveSpace { name, octets: *octets })
            }
            ("SETACTIVE", [Word::String(name)]) if name.is_empty() => Some(Question::SetActive { name: String::new() }),
            ("SETACTIVE", [name]) => self.name(name).map(|name| Question::SetActive { name }),
            ("GETSCRIPT", [name]) => self.name(name).map(|name| Question::Get { name }),
            ("DELETESCRIPT", [name]) => self.name(name).map(|name| Question::Delete { name }),
            ("RENAMESCRIPT", [from, to]) => {
                let (Some(from), Some(to)) = (self.name(from), self.name(to)) else { return };
                Some(Question::Rename { from, to })
            }
            _ => return self.refuse("This command isn't known here, or not with these words"),
        };
        self.asked = question;
    }

    /// A script's name; where it is none that is said.
    fn name(&mut self, word: &Word) -> Option<String> {
        let name = word.text().filter(|name| is_script_name(name)).map(str::to_owned);
        if name.is_none() {
            self.refuse("This is no script's name");
        }
        name
    }

    /// A script's text, if it has no faults; they are told.
    fn check(&mut self, script: &Word) -> Option<String> {
        let Some(text) = script.text() else {
            self.say("NO", None, "The script is no text in UTF-8");
            return None;
        };
        match Program::compile(text, &self.config.dialect) {
            Ok(_) => Some(text.to_owned()),
            Err(faults) => {
                let mut told: Vec<String> = faults.iter().take(limit::FAULTS_TOLD).map(ToString::to_string).collect();
                if faults.len() > told.len() {
                    told.push("and more".to_owned());
                }
                self.say("NO", None, &told.join("\r\n"));
                None
            }
        }
    }

    fn start_tls(&mut self) {
        match (self.config.tls, &self.state) {
            (_, State::LoggedIn(_)) => self.refuse("STARTTLS comes before the log-in"),
            (Tls::Active, _) => self.refuse("TLS is there already"),
            (Tls::Absent, _) => self.refuse("There is no TLS here"),
            // What follows in the clear is not ours to read (§2.2).
            (Tls::Offered, _) if !self.input.is_empty() => {
                self.say("BYE", None, "Nothing may follow STARTTLS before TLS is there");
                self.state = State::Ended;
            }
            (Tls::Offered, _) => {
                self.say("OK", None, "Begin TLS");
                self.state = State::StartingTls;
            }
        }
    }

    fn may_log_in(&self) -> bool {
        self.config.tls == Tls::Active || self.config.allow_plain_login
    }

    /// PLAIN, SCRAM and tokens: LOGIN never was ManageSieve's.
    fn mechanisms(&self) -> impl Iterator<Item = Mechanism> + use<> {
        self.offer().mechanisms().filter(|mechanism| *mechanism != Mechanism::Login)
    }

    const fn offer(&self) -> Offer {
        Offer { scram: self.config.scram, under_tls: matches!(self.config.tls, Tls::Active) }
    }

    /// §2.1.
    fn authenticate(&mut self, mechanism: &Word, initial: &[Word]) {
        if self.is_logged_in() {
            return self.refuse("You are logged in already");
        }
        if !self.may_log_in() {
            return self.say("NO", Some("ENCRYPT-NEEDED"), "Log-in is for TLS only; send STARTTLS first");
        }
        let name = mechanism.text().unwrap_or_default();
        let Some(mechanism) = self.mechanisms().find(|known| known.as_str().eq_ignore_ascii_case(name)) else {
            return self.refuse("This mechanism isn't known here");
        };
        let exchange = Exchange::begin(mechanism, self.offer());
        match initial {
            [] => self.challenge(exchange),
            [Word::String(response)] => self.respond(exchange, response),
            _ => self.refuse("The initial response is one string"),
        }
    }

    fn challenge(&mut self, exchange: Exchange) {
        let challenge = quoted(exchange.challenge());
        self.output.extend_from_slice(challenge.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.state = State::Authenticating(exchange);
    }

    fn respond(&mut self, exchange: Exchange, response: &[u8]) {
        if response == b"*" {
            return self.say("NO", None, "The log-in was called off");
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

    /// §1.7.
    fn capabilities(&mut self) {
        let mut lines: Vec<(&str, Option<String>)> =
            vec![("IMPLEMENTATION", Some(self.config.implementation.clone())), ("VERSION", Some("1.0".to_owned()))];
        if !self.is_logged_in() {
            let mechanisms: Vec<_> = self.mechanisms().map(Mechanism::as_str).collect();
            // Where no log-in is possible before TLS, none is offered.
            let offered = if self.may_log_in() { mechanisms.join(" ") } else { String::new() };
            lines.push(("SASL", Some(offered)));
        }
        let sieve: Vec<_> = self.config.dialect.capabilities.iter().map(crate::Capability::as_str).collect();
        lines.push(("SIEVE", Some(sieve.join(" "))));
        lines.push(("NOTIFY", Some("mailto".to_owned())));
        lines.push(("MAXREDIRECTS", Some(self.config.max_redirects.to_string())));
        match &self.state {
            State::LoggedIn(owner) => lines.push(("OWNER", Some(owner.clone()))),
            _ if self.config.tls == Tls::Offered => lines.push(("STARTTLS", None)),
            _ => {}
        }
        lines.push(("UNAUTHENTICATE", None));
        for (name, value) in lines {
            let value = value.map(|value| format!(" {}", quoted(&value))).unwrap_or_default();
            self.output.extend_from_slice(format!("\"{name}\"{value}\r\n").as_bytes());
        }
        self.say("OK", None, "ManageSieve is ready");
    }

    fn list(&mut self, scripts: &[Listed]) {
        for script in scripts {
            let active = if script.is_active { " ACTIVE" } else { "" };
            self.output.extend_from_slice(format!("{}{active}\r\n", quoted(&script.name)).as_bytes());
        }
        self.say("OK", None, "These are all");
    }

    /// A NO that counts: who is refused too often is no client.
    fn refuse(&mut self, why: &str) {
        self.say("NO", None, why);
        self.bad_commands += 1;
        if self.bad_commands >= limit::BAD_COMMANDS {
            self.say("BYE", None, "Too many commands were refused");
            self.state = State::Ended;
        }
    }

    fn say(&mut self, word: &str, code: Option<&str>, text: &str) {
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        self.output.extend_from_slice(format!("{word}{code} {}\r\n", quoted(text)).as_bytes());
    }
}

/// A string as §4 writes it: in quotes where it fits, else as a literal.
fn quoted(text: &str) -> String {
    if text.len() > 1024 || text.contains(['\r', '\n', '\0']) {
        return format!("{{{}}}\r\n{text}", text.len());
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
