//! LOGIN and AUTHENTICATE: from whichever dialogue, the driver gets one question.

use relais_sasl::scram::{self, Known};
use relais_sasl::{Bearer, Credentials, Exchange, Progress, Shown};

use super::inbox::Line;
use super::{Mode, Session, Step, plain_refusal};
use crate::command::{Authenticate, Login, Tag};
use crate::command::{Reason, Refusal};
use crate::response::{self, ResponseCode, Status};

/// Who wants in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogIn {
    /// The command to answer.
    pub tag: Tag,
    /// What it shows for it. Where a token opens nothing, [`Session::refuse_token`].
    pub shown: Shown,
}

/// An AUTHENTICATE under way.
#[derive(Debug)]
pub(super) struct Authenticating {
    tag: Tag,
    exchange: Exchange,
}

/// One of SCRAM, whose keys are being looked up.
#[derive(Debug)]
pub(super) struct AwaitingKeys {
    tag: Tag,
    question: scram::Question,
}

impl Session {
    pub(super) fn login(&mut self, out: &mut Vec<u8>, tag: Tag, login: Login) -> Option<Step> {
        if !self.takes_passwords() {
            return self.refuse_without_tls(out, &tag);
        }
        let Login { login_name, password } = login;
        let credentials = Credentials { login_name, authorization: None, password };
        Some(Step::LogIn(LogIn { tag, shown: Shown::Password(credentials) }))
    }

    pub(super) fn authenticate(&mut self, out: &mut Vec<u8>, tag: Tag, asked: &Authenticate) -> Option<Step> {
        let Some(mechanism) = self.offer().find(&asked.mechanism) else {
            response::tagged(out, &tag, Status::No, None, self.say("This mechanism isn't known here"));
            return None;
        };
        if !self.takes_passwords() {
            return self.refuse_without_tls(out, &tag);
        }
        let authenticating = Authenticating { tag, exchange: Exchange::begin(mechanism, self.offer()) };
        match &asked.initial {
            None => {
                self.challenge(out, authenticating);
                None
            }
            // RFC 9051 §6.2.2: `=` stands for an empty one.
            Some(initial) if initial.expose() == "=" => self.respond(out, authenticating, b""),
            Some(initial) => self.respond(out, authenticating, initial.expose().as_bytes()),
        }
    }

    fn challenge(&mut self, out: &mut Vec<u8>, authenticating: Authenticating) {
        response::challenge(out, authenticating.exchange.challenge());
        self.mode = Mode::Authenticate(Box::new(authenticating));
    }

    pub(super) fn step_authenticate(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let line = self.inbox.take_line(self.line_limit());
        if matches!(line, Line::Missing) {
            return Some(Step::Read);
        }
        let Mode::Authenticate(authenticating) = std::mem::replace(&mut self.mode, Mode::Command) else { return None };
        match line {
            Line::Whole(line) if line != b"*" => self.respond(out, *authenticating, &line),
            Line::TooLong => {
                self.mode = Mode::Swallow(0);
                let refusal = Refusal::new(Reason::Limit, "The response is too long", 0);
                self.refuse(out, Some(&authenticating.tag), &refusal);
                None
            }
            _ => {
                self.refuse(out, Some(&authenticating.tag), &plain_refusal("Authentication was cancelled"));
                None
            }
        }
    }

    /// Takes a response, in base64.
    fn respond(&mut self, out: &mut Vec<u8>, authenticating: Authenticating, response: &[u8]) -> Option<Step> {
        let Authenticating { tag, exchange } = authenticating;
        self.go_on(out, tag, exchange.respond(response))
    }

    fn go_on(&mut self, out: &mut Vec<u8>, tag: Tag, progress: Progress) -> Option<Step> {
        let shown = match progress {
            Progress::Continue(exchange) => {
                self.challenge(out, Authenticating { tag, exchange });
                return None;
            }
            Progress::Ask(question) => {
                let wanted = question.wanted();
                self.mode = Mode::AwaitKeys(Box::new(AwaitingKeys { tag: tag.clone(), question }));
                return Some(Step::Keys(tag, wanted));
            }
            Progress::Malformed => {
                self.refuse(out, Some(&tag), &plain_refusal("The response cannot be read"));
                return None;
            }
            Progress::Complete(shown) => shown,
            Progress::Refused => {
                let code = Some(&ResponseCode::AuthenticationFailed);
                response::tagged(out, &tag, Status::No, code, self.say("The token opens nothing here"));
                return None;
            }
        };
        Some(Step::LogIn(LogIn { tag, shown }))
    }

    fn refuse_without_tls(&self, out: &mut Vec<u8>, tag: &Tag) -> Option<Step> {
        let text = self.say("Please use TLS before you log in");
        response::tagged(out, tag, Status::No, Some(&ResponseCode::PrivacyRequired), text);
        None
    }

    /// After [`Step::LogIn`] with a token that opens nothing: the client is told why, and once it says that it has heard it, the command
    /// is answered (RFC 7628 §3.2.2).
    pub fn refuse_token(&mut self, out: &mut Vec<u8>, tag: Tag, bearer: &Bearer) {
        self.challenge(out, Authenticating { tag, exchange: bearer.refusal() });
    }

    /// After [`Step::Keys`]: what is known; none where AUTHENTICATE is refused, and that is written.
    pub fn keys(&mut self, out: &mut Vec<u8>, known: Option<Known>) {
        let Mode::AwaitKeys(awaiting) = std::mem::replace(&mut self.mode, Mode::Command) else { return };
        let AwaitingKeys { tag, question } = *awaiting;
        if let Some(known) = known {
            // A challenge, or a refusal of the client's binding: neither is a step for the driver.
            let step = self.go_on(out, tag, question.answer(known));
            debug_assert!(step.is_none(), "keys bring no question");
        }
    }
}
