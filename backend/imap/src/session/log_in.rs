//! LOGIN and AUTHENTICATE: from whichever dialogue, the driver gets one question.

use relais_model::Secret;
use relais_sasl::{Credentials, Exchange, Mechanism, Progress};

use super::{Line, Mode, Session, Step, plain_refusal};
use crate::command::{Authenticate, Login, Tag};
use crate::command::{Reason, Refusal};
use crate::response::{self, ResponseCode, Status};

/// Who wants in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogIn {
    /// The command to answer.
    pub tag: Tag,
    /// Whom the client wants to act as, where it says so (authzid, RFC 4616 §2).
    pub authorization: Option<String>,
    /// As typed (authcid).
    pub login_name: String,
    /// As typed.
    pub password: Secret,
}

/// An AUTHENTICATE under way.
#[derive(Debug)]
pub(super) struct Authenticating {
    tag: Tag,
    exchange: Exchange,
}

impl Session {
    pub(super) fn login(&mut self, out: &mut Vec<u8>, tag: Tag, login: Login) -> Option<Step> {
        if !self.takes_passwords() {
            return refuse_without_tls(out, &tag);
        }
        let Login { login_name, password } = login;
        Some(Step::LogIn(LogIn { tag, authorization: None, login_name, password }))
    }

    pub(super) fn authenticate(&mut self, out: &mut Vec<u8>, tag: Tag, asked: &Authenticate) -> Option<Step> {
        let Some(mechanism) = Mechanism::parse(&asked.mechanism) else {
            response::tagged(out, &tag, Status::No, None, "This mechanism isn't known here");
            return None;
        };
        if !self.takes_passwords() {
            return refuse_without_tls(out, &tag);
        }
        let authenticating = Authenticating { tag, exchange: Exchange::begin(mechanism) };
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
        response::continuation(out, authenticating.exchange.challenge());
        self.mode = Mode::Authenticate(Box::new(authenticating));
    }

    pub(super) fn step_authenticate(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let line = self.take_line();
        if matches!(line, Line::Missing) {
            return Some(Step::Read);
        }
        let Mode::Authenticate(authenticating) = std::mem::replace(&mut self.mode, Mode::Command) else { return None };
        match line {
            Line::Whole(line) if line != b"*" => self.respond(out, *authenticating, &line),
            Line::TooLong => {
                self.mode = Mode::Swallow(0);
                let refusal = Refusal { reason: Reason::Limit, text: "The response is too long".into(), at: 0 };
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
        match exchange.respond(response) {
            Progress::Continue(exchange) => {
                self.challenge(out, Authenticating { tag, exchange });
                None
            }
            Progress::Complete(Credentials { login_name, authorization, password }) => {
                Some(Step::LogIn(LogIn { tag, authorization, login_name, password }))
            }
            Progress::Malformed => {
                self.refuse(out, Some(&tag), &plain_refusal("The response cannot be read"));
                None
            }
        }
    }
}

fn refuse_without_tls(out: &mut Vec<u8>, tag: &Tag) -> Option<Step> {
    response::tagged(out, tag, Status::No, Some(&ResponseCode::PrivacyRequired), "Please use TLS before you log in");
    None
}
