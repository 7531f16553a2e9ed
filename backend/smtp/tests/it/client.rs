//! A client with messages to send.
//!
//! Settings: `smtp lmtp`, `never opportunistic required`, `under-tls`, `login`, `clear-login`, `whole`. Events: `!mail FROM:…`
//! and `!rcpt TO:…` gather an envelope, `!send` sends it with a small message that has dots and `!send binary` with one
//! that has none of its lines in order.

use relais_model::{Domain, Envelope, ForwardPath, Secret, Timestamp};
use relais_smtp::client::{Client, Config, Credentials, Encoder, Fate, Fault, Language, Step, TlsPolicy};
use relais_smtp::command::{Command, MailFrom};

use crate::transcript::{Play, log_lines};

const MESSAGE: &[u8] = b"Subject: a\r\n\r\n.dot\r\n";
const BINARY: &[u8] = b"Subject: a\r\n\r\n.\n\0";

pub(crate) struct Player {
    client: Client,
    mail: Option<MailFrom>,
    recipients: Vec<ForwardPath>,
    message: &'static [u8],
    written: Vec<u8>,
    /// The last step that waits: said once until something is fed.
    rest: Option<&'static str>,
    loses_body: bool,
}

pub(crate) fn config(words: &str) -> Config {
    let has = |wanted: &str| words.split_whitespace().any(|word| word == wanted);
    let credentials =
        Credentials { login_name: "ann".to_owned(), password: Secret::new("secret"), without_tls: has("clear-login") };
    Config {
        host_name: Domain::parse("us.example").unwrap(),
        language: if has("lmtp") { Language::Lmtp } else { Language::Smtp },
        tls: match () {
            () if has("required") => TlsPolicy::Required,
            () if has("opportunistic") => TlsPolicy::Opportunistic,
            () => TlsPolicy::Never,
        },
        is_under_tls: has("under-tls"),
        credentials: (has("login") || has("clear-login")).then_some(credentials),
    }
}

impl Player {
    pub(crate) fn new(words: &str) -> Self {
        Self {
            client: Client::new(config(words)),
            mail: None,
            recipients: Vec::new(),
            message: MESSAGE,
            written: Vec::new(),
            rest: None,
            loses_body: words.contains("loses-body"),
        }
    }

    fn envelope(&mut self) -> Envelope {
        let mail = self.mail.take().expect("!mail first");
        Envelope {
            reverse_path: mail.reverse_path,
            recipients: std::mem::take(&mut self.recipients),
            body_type: mail.body_type,
            smtputf8: mail.smtputf8,
            require_tls: mail.require_tls,
            declared_octets: mail.declared_octets,
            ret: mail.ret,
            envelope_id: mail.envelope_id,
            began_at: Timestamp::default(),
        }
    }

    fn rest(&mut self, word: &'static str, mut log: Vec<String>) -> Vec<String> {
        if self.rest.replace(word) != Some(word) {
            self.note(word.to_owned(), &mut log);
        }
        log
    }

    fn note(&mut self, event: String, log: &mut Vec<String>) {
        log_lines('C', &std::mem::take(&mut self.written), log);
        log.push(event);
    }
}

fn print(fate: &Fate) -> String {
    let again = if fate.is_transient() { " again" } else { "" };
    match fate {
        Fate::Accepted(reply) => format!("F: Accepted {reply}"),
        Fate::Refused { stage, reply } => format!("F: Refused at {stage:?}{again}: {reply}"),
        Fate::Broken { stage, fault } => format!("F: Broken at {stage:?}{again}: {fault:?}; {}", fault.reply()),
    }
}

impl Play for Player {
    fn feed(&mut self, octets: &[u8]) {
        self.client.feed(octets);
    }

    fn event(&mut self, event: &str) {
        self.rest = self.rest.filter(|word| *word == "=close");
        let (word, rest) = event.split_once(' ').unwrap_or((event, ""));
        match word {
            "mail" | "rcpt" => match Command::parse(event.as_bytes()).unwrap() {
                Command::Mail(mail) => self.mail = Some(mail),
                Command::Rcpt(rcpt) => self.recipients.push(ForwardPath {
                    address: rcpt.address.unwrap(),
                    notify: rcpt.notify,
                    original: rcpt.original,
                }),
                _ => unreachable!(),
            },
            "send" => {
                self.message = if rest == "binary" { BINARY } else { MESSAGE };
                let envelope = self.envelope();
                self.client.send(envelope, self.message.len() as u64);
            }
            "quit" => self.client.quit(),
            "expire" => self.client.expire(),
            "hangup" => self.client.feed(b""),
            other => panic!("no event {other}"),
        }
    }

    fn drive(&mut self) -> Vec<String> {
        let mut log = Vec::new();
        loop {
            match self.client.step() {
                Step::Read => break,
                Step::Write(octets) => self.written.extend(octets),
                Step::StartTls => {
                    self.note("=tls".to_owned(), &mut log);
                    self.client.tls_started();
                }
                Step::SendBody(transfer) => {
                    let mut encoder = Encoder::new(transfer);
                    let message = if self.loses_body { &self.message[..5] } else { self.message };
                    for block in message.chunks(7) {
                        encoder.push(block, &mut self.written);
                    }
                    if encoder.finish(&mut self.written) {
                        self.client.body_sent();
                    } else {
                        self.client.break_off(Fault::BodyLost);
                    }
                }
                Step::Done(outcome) => {
                    self.rest = None;
                    self.note(format!("=done under_tls={}", outcome.under_tls), &mut log);
                    log.extend(outcome.recipients.iter().map(print));
                }
                Step::Idle => return self.rest("=idle", log),
                Step::Close => return self.rest("=close", log),
            }
        }
        log_lines('C', &std::mem::take(&mut self.written), &mut log);
        log
    }
}
