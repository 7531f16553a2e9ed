//! LOGIN and AUTHENTICATE: from whichever dialogue, the driver gets one question.

use relais_model::Secret;

use super::{Line, Mode, Session, Step, plain_refusal};
use crate::base64;
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

/// What the next response is.
#[derive(Debug)]
enum Exchange {
    /// PLAIN's one message (RFC 4616).
    Plain,
    /// LOGIN's first: the login name. Its draft never became a standard, but clients of Microsoft's speak it.
    LoginName,
    /// LOGIN's second: the password for that name.
    LoginPassword(String),
}

impl Exchange {
    /// The challenge, in base64: LOGIN's are `Username:` and `Password:`.
    const fn challenge(&self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::LoginName => "VXNlcm5hbWU6",
            Self::LoginPassword(_) => "UGFzc3dvcmQ6",
        }
    }
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
        let exchange = match asked.mechanism.as_str() {
            "PLAIN" => Exchange::Plain,
            "LOGIN" => Exchange::LoginName,
            _ => {
                response::tagged(out, &tag, Status::No, None, "This mechanism isn't known here");
                return None;
            }
        };
        if !self.takes_passwords() {
            return refuse_without_tls(out, &tag);
        }
        let authenticating = Authenticating { tag, exchange };
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
        let decoded = base64::decode(response).and_then(|octets| String::from_utf8(octets).ok());
        let question = match (exchange, decoded) {
            (Exchange::LoginName, Some(login_name)) => {
                let exchange = Exchange::LoginPassword(login_name);
                self.challenge(out, Authenticating { tag, exchange });
                return None;
            }
            (Exchange::LoginPassword(login_name), Some(password)) => Some((None, login_name, password)),
            (Exchange::Plain, Some(message)) => plain(&message),
            (_, None) => None,
        };
        let Some((authorization, login_name, password)) = question else {
            self.refuse(out, Some(&tag), &plain_refusal("The response cannot be read"));
            return None;
        };
        Some(Step::LogIn(LogIn { tag, authorization, login_name, password: Secret::new(password) }))
    }
}

/// `[authzid] NUL authcid NUL passwd` (RFC 4616 §2).
fn plain(message: &str) -> Option<(Option<String>, String, String)> {
    let mut parts = message.split('\0');
    let (authorization, login_name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && !login_name.is_empty();
    let authorization = (!authorization.is_empty()).then(|| authorization.to_owned());
    is_whole.then(|| (authorization, login_name.to_owned(), password.to_owned()))
}

fn refuse_without_tls(out: &mut Vec<u8>, tag: &Tag) -> Option<Step> {
    response::tagged(out, tag, Status::No, Some(&ResponseCode::PrivacyRequired), "Please use TLS before you log in");
    None
}
