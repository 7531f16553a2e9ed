//! A server session with a small house behind it.
//!
//! Settings: `relay submission lmtp`, `tls` (STARTTLS), `under-tls`, `clear-login`, `no-scram`, `require-tls`, `small` (small limits), `whole`.
//! The house: the password is `secret`, over SCRAM `pencil`; `refused` may not send; `nobody` does not exist, `full` has no room, `late` is
//! put off after the message (LMTP); from `norom` no message may begin; a message with `virus` is refused.

use relais_model::{Domain, EnhancedCode, Envelope, Reply, Timestamp, Tls};
use relais_sasl::Shown;
use relais_sasl::scram::{ChannelBindings, Known, Verifier, derive};
use relais_smtp::server::{Answer, Config, Limits, Question, Role, Session, Step};

use crate::transcript::{Play, escape, log_lines};

pub(crate) struct Player {
    session: Session,
    is_lmtp: bool,
    envelope: Option<Envelope>,
    message: Vec<u8>,
    abandons: bool,
    /// Everything written, in one piece, until the machine waits.
    written: Vec<u8>,
    is_closed: bool,
}

pub(crate) fn config(words: &str) -> Config {
    let has = |wanted: &str| words.split_whitespace().any(|word| word == wanted);
    let tls = match () {
        () if has("under-tls") => Tls::Active,
        () if has("tls") => Tls::Offered,
        () => Tls::Absent,
    };
    let role = match () {
        () if has("submission") => Role::Submission,
        () if has("lmtp") => Role::Lmtp,
        () => Role::Relay,
    };
    let mut limits = Limits::default();
    if has("small") {
        limits = Limits {
            command_line_octets: 60,
            login_line_octets: 80,
            text_line_octets: 40,
            message_octets: 100,
            recipients: 2,
            transactions: 2,
            errors: 3,
            idle_commands: 4,
            failed_logins: 2,
            ..limits
        };
    }
    Config {
        host_name: Domain::parse("mx.example").unwrap(),
        role,
        tls,
        login_without_tls: has("clear-login"),
        scram: !has("no-scram"),
        keeps_require_tls: has("require-tls"),
        limits,
    }
}

impl Player {
    pub(crate) fn new(words: &str) -> Self {
        let session = if words.contains("turned-away") {
            let reply = Reply::new(421, EnhancedCode::new(4, 7, 0), "Too many connections");
            Session::turn_away(config(words), &reply)
        } else {
            Session::new(config(words))
        };
        Self {
            session,
            is_lmtp: words.contains("lmtp"),
            envelope: None,
            message: Vec::new(),
            abandons: false,
            written: Vec::new(),
            is_closed: false,
        }
    }

    fn decide(&mut self, question: Question, log: &mut Vec<String>) -> Answer {
        let no = |code, (class, subject, detail), text: &str| {
            Answer::Reply(Reply::new(code, EnhancedCode::new(class, subject, detail), text))
        };
        match question {
            Question::Login(Shown::Password(login)) => {
                let authorization = login.authorization.as_deref().unwrap_or("-");
                self.note(format!("=ask login {} {authorization}", login.login_name), log);
                match login.password.expose() {
                    "secret" => Answer::Accept,
                    "later" => no(454, (4, 7, 0), "Try again later"),
                    _ => no(535, (5, 7, 8), "Wrong name or password"),
                }
            }
            Question::Keys(wanted) => {
                let authorization = wanted.authorization.as_deref().unwrap_or("-");
                self.note(format!("=ask keys {} {authorization}", wanted.login_name), log);
                match wanted.login_name.as_str() {
                    "later" => no(454, (4, 7, 0), "Try again later"),
                    name => Answer::Known(Box::new(known(name))),
                }
            }
            Question::Login(Shown::Proof(place)) => {
                self.note(format!("=ask proof {place:?}"), log);
                if place.is_some() { Answer::Accept } else { no(535, (5, 7, 8), "Wrong name or password") }
            }
            Question::Login(Shown::Token(bearer)) => {
                self.note(format!("=ask token {}", bearer.login_name.as_deref().unwrap_or("-")), log);
                match bearer.token.expose() {
                    "secret" => Answer::Accept,
                    "later" => no(454, (4, 7, 0), "Try again later"),
                    _ => no(535, (5, 7, 8), "Wrong name or password"),
                }
            }
            Question::Mail(envelope) => match local_part(envelope.reverse_path.address()) {
                "refused" => no(550, (5, 7, 1), "Not you"),
                _ => Answer::Accept,
            },
            Question::Recipient(path) => match local_part(Some(&path.address)) {
                "nobody" => no(550, (5, 1, 1), "No such mailbox"),
                "full" => no(452, (4, 2, 2), "The mailbox is full"),
                "gone" => no(421, (4, 3, 0), "The house burns"),
                _ => Answer::Accept,
            },
            Question::Begin(envelope) => {
                let answer = match local_part(envelope.reverse_path.address()) {
                    "noroom" => no(452, (4, 3, 1), "The disk is full"),
                    _ => Answer::Accept,
                };
                self.message.clear();
                self.envelope = Some(envelope);
                answer
            }
            Question::Finish => self.finish(log),
        }
    }

    fn finish(&mut self, log: &mut Vec<String>) -> Answer {
        let envelope = self.envelope.take().unwrap();
        self.note(format!("=protocol {}", self.session.protocol()), log);
        log.push(format!("E: {}", print(&envelope)));
        log_lines('M', &self.message, log);
        let virus = self.message.windows(5).any(|octets| octets == b"virus");
        let refusal = Reply::new(554, EnhancedCode::new(5, 7, 1), "Not this");
        if !self.is_lmtp {
            return if virus { Answer::Reply(refusal) } else { Answer::Accept };
        }
        let replies = envelope.recipients.iter().map(|path| match local_part(Some(&path.address)) {
            "late" => Reply::new(451, EnhancedCode::new(4, 3, 0), "Later"),
            _ if virus => refusal.clone(),
            _ => Reply::new(250, EnhancedCode::new(2, 1, 5), "Filed"),
        });
        Answer::PerRecipient(replies.collect())
    }

    /// Logs what was written before `event`, then it.
    fn note(&mut self, event: String, log: &mut Vec<String>) {
        log_lines('S', &std::mem::take(&mut self.written), log);
        log.push(event);
    }
}

/// Who isn't `nobody` has the passwords `other` and `pencil`.
fn known(name: &str) -> Known {
    let salt = b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81"; // RFC 7677 §3's
    let passwords: &[&[u8]] = if name == "nobody" { &[] } else { &[b"other", b"pencil"] };
    let keys = passwords.iter().map(|password| derive(password, salt, 4096)).collect();
    let bindings = ChannelBindings { tls_exporter: Some([7; 32]), tls_server_end_point: Some(vec![9; 32]) };
    let verifier = Verifier { salt: salt.to_vec(), iterations: 4096, keys };
    Known { verifier, nonce: *b"never twice, is it", bindings }
}

fn local_part(address: Option<&relais_model::Address>) -> &str {
    address.map_or("", |address| address.local_part.as_str())
}

fn print(envelope: &Envelope) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{} {:?}", envelope.reverse_path, envelope.body_type);
    for (said, word) in [(envelope.smtputf8, " SMTPUTF8"), (envelope.require_tls, " REQUIRETLS")] {
        text.push_str(if said { word } else { "" });
    }
    if let Some(octets) = envelope.declared_octets {
        write!(text, " SIZE={octets}").unwrap();
    }
    if let Some(ret) = envelope.ret {
        write!(text, " RET={ret:?}").unwrap();
    }
    if let Some(id) = &envelope.envelope_id {
        write!(text, " ENVID={:?}", id.as_str()).unwrap();
    }
    for path in &envelope.recipients {
        write!(text, " to <{}>", path.address).unwrap();
        if let Some(notify) = path.notify {
            write!(text, " success={} failure={} delay={}", notify.success, notify.failure, notify.delay).unwrap();
        }
        if let Some(original) = &path.original {
            write!(text, " was {};{}", original.address_type, original.address).unwrap();
        }
    }
    escape(text.as_bytes())
}

impl Play for Player {
    fn feed(&mut self, octets: &[u8]) {
        self.session.feed(octets, Timestamp::from_seconds(1));
    }

    fn event(&mut self, event: &str) {
        match event {
            "expire" => self.session.expire(),
            "shutdown" => self.session.shut_down(),
            "hangup" => self.session.feed(b"", Timestamp::from_seconds(2)),
            "abandon" => self.abandons = true,
            other => panic!("no event {other}"),
        }
    }

    fn drive(&mut self) -> Vec<String> {
        let mut log = Vec::new();
        loop {
            match self.session.step() {
                Step::Read => break,
                Step::Write(octets) => self.written.extend(octets),
                Step::StartTls => {
                    self.note("=tls".to_owned(), &mut log);
                    self.session.tls_started();
                }
                Step::Ask(question) => {
                    let answer = self.decide(question, &mut log);
                    self.session.answer(answer);
                }
                Step::Chunk(octets) => {
                    if self.abandons {
                        self.session.abandon(Reply::new(452, EnhancedCode::new(4, 3, 1), "The disk is full"));
                    }
                    self.message.extend(octets);
                }
                Step::Discard | Step::Refuse(_) => {
                    self.envelope = None;
                    self.note("=discard".to_owned(), &mut log);
                }
                Step::Close => {
                    if !std::mem::replace(&mut self.is_closed, true) {
                        self.note("=close".to_owned(), &mut log);
                    }
                    return log;
                }
            }
        }
        log_lines('S', &std::mem::take(&mut self.written), &mut log);
        log
    }
}
