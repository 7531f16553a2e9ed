//! What each command does.

use std::fmt::Write as _;

use relais_model::{Address, EnhancedCode, Envelope, Reply, Secret, Timestamp, Tls};
use relais_sasl::{Bearer, Exchange, Offer, Progress, Shown, scram};

use super::{Asked, Body, Hello, Line, Phase, Session};
use crate::command::{Command, CommandError, MailFrom, RcptTo};
use crate::server::Role;
use crate::server::step::{Answer, Question, Step};

impl Session {
    pub(super) fn command(&mut self, line: Line) -> Option<Step> {
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
                if error.is_final() {
                    self.close();
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
            Command::Auth { mechanism, initial } => {
                return self.begin_login(&mechanism, initial.as_ref().map(Secret::expose));
            }
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
        // Never the last line: GNU SASL's client looks for `250-STARTTLS`.
        if self.tls == Tls::Offered {
            text.push_str("\nSTARTTLS");
        }
        let _cannot_fail = write!(
            text,
            "\nSIZE {}\nLIMITS MAILMAX={} RCPTMAX={}",
            limits.message_octets, limits.transactions, limits.recipients
        );
        if self.may_log_in() {
            text.push_str("\nAUTH");
            for mechanism in self.offer().mechanisms() {
                text.push(' ');
                text.push_str(mechanism.as_str());
            }
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

    fn offer(&self) -> Offer {
        Offer { scram: self.config.scram, under_tls: self.is_under_tls() }
    }

    /// RFC 8689 §2: under TLS only.
    fn announces_require_tls(&self) -> bool {
        self.config.keeps_require_tls && self.is_under_tls()
    }

    pub(super) fn is_extended(&self) -> bool {
        self.hello.as_ref().is_some_and(|hello| hello.is_extended)
    }

    fn start_tls(&mut self) {
        if self.tls != Tls::Offered {
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
            // RFC 4954 §4 allows no AUTH inside a transaction: here there is none before log-in.
            () if !self.may_log_in() => (538, (5, 7, 11), "Log-in needs TLS: say STARTTLS first"),
            () => {
                let Some(mechanism) = self.offer().find(mechanism) else {
                    self.fail_new(504, (5, 5, 4), "AUTH knows what EHLO says, and no more");
                    return None;
                };
                let exchange = Exchange::begin(mechanism, self.offer());
                let Some(initial) = initial else {
                    self.challenge(exchange);
                    return None;
                };
                self.phase = Phase::Login(exchange);
                // RFC 4954 §4: `=` is the empty initial response.
                return self.respond(if initial == "=" { "" } else { initial });
            }
        };
        self.fail_new(refusal.0, refusal.1, refusal.2);
        None
    }

    pub(super) fn login_response(&mut self, line: Line) -> Option<Step> {
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
        let progress = match std::mem::replace(&mut self.phase, Phase::Command) {
            Phase::Login(exchange) => exchange.respond(response.as_bytes()),
            _ => Progress::Malformed,
        };
        self.go_on(progress)
    }

    fn go_on(&mut self, progress: Progress) -> Option<Step> {
        let (asked, question) = match progress {
            Progress::Continue(exchange) => {
                self.challenge(exchange);
                return None;
            }
            Progress::Ask(question) => {
                let wanted = question.wanted();
                (Asked::Keys(question), Question::Keys(wanted))
            }
            Progress::Complete(shown) => {
                let asked = if let Shown::Token(bearer) = &shown { Asked::Token(bearer.clone()) } else { Asked::Login };
                (asked, Question::Login(shown))
            }
            Progress::Refused => {
                self.logged_in(Some(Reply::new(535, EnhancedCode::new(5, 7, 8), "The token opens nothing here")));
                return None;
            }
            Progress::Malformed => {
                self.fail_new(501, (5, 5, 2), "The response is not what the mechanism says");
                return None;
            }
        };
        self.phase = Phase::Asked(asked);
        Some(Step::Ask(question))
    }

    fn challenge(&mut self, exchange: Exchange) {
        self.say_plain(334, exchange.challenge());
        self.phase = Phase::Login(exchange);
    }

    /// RFC 7628 §3.2.2: who shows a wrong token is first told why, and says that they have heard it. What may work later is said at once.
    pub(super) fn token_judged(&mut self, bearer: &Bearer, reply: Option<Reply>) {
        match reply {
            Some(reply) if !reply.is_positive() && !reply.is_transient() => self.challenge(bearer.refusal()),
            reply => self.logged_in(reply),
        }
    }

    pub(super) fn keys_found(&mut self, question: scram::Question, answer: Answer) {
        match answer {
            Answer::Known(known) => {
                // A challenge, or a refusal of the peer's binding: neither asks anything.
                let step = self.go_on(question.answer(*known));
                debug_assert!(step.is_none(), "keys bring no question");
            }
            refusal => {
                let none = || Reply::new(454, EnhancedCode::new(4, 7, 0), "Log-in is not possible now");
                let reply = refusal.into_reply().filter(|reply| !reply.is_positive()).unwrap_or_else(none);
                self.logged_in(Some(reply));
            }
        }
    }

    fn mail(&mut self, mail: MailFrom) -> Option<Step> {
        let limits = &self.config.limits;
        let needs_smtputf8 = mail.reverse_path.address().is_some_and(Address::needs_smtputf8);
        let refusal = match () {
            () if self.hello.is_none() => (503, (5, 5, 1), "Say hello first"),
            () if self.transaction.is_some() => (503, (5, 5, 1), "A transaction is already open"),
            () if self.config.role == Role::Submission && !self.is_logged_in => (530, (5, 7, 0), "Log in first"),
            () if mail.is_extended && !self.is_extended() => (555, (5, 5, 4), "Parameters need EHLO"),
            () if mail.require_tls && !self.announces_require_tls() => {
                (555, (5, 5, 4), "REQUIRETLS is not offered here")
            }
            // RFC 6531 §3.5: 550 for MAIL, 553 for RCPT.
            () if needs_smtputf8 && !mail.smtputf8 => (550, (5, 6, 7), "This address needs SMTPUTF8"),
            () if self.transactions >= limits.transactions => {
                let text = "Enough messages for one session: connect again";
                self.hang_up(&Reply::new(421, EnhancedCode::new(4, 5, 3), text));
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
        let needs_smtputf8 = rcpt.address.as_ref().is_some_and(Address::needs_smtputf8);
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

    pub(super) fn logged_in(&mut self, reply: Option<Reply>) {
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
