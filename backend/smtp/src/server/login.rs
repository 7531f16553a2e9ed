//! SASL PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login) inside AUTH (RFC 4954).

use relais_model::Secret;

use crate::base64;

/// What a peer says to log in. The names are as typed: not yet normalised, believed by nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// How it came.
    pub mechanism: Mechanism,
    /// Who logs in (authcid, RFC 4422 §2).
    pub login_name: String,
    /// As whom to act (authzid), where that is another than `login_name`.
    pub authorization: Option<String>,
    /// The password.
    pub password: Secret,
}

/// The SASL mechanisms that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// The old one; only base64 around name and password.
    Login,
}

/// What came of one response.
pub(crate) enum Progress {
    /// Say 334 with this challenge, and wait.
    Challenge(&'static str),
    /// All is said.
    Complete(Login),
    /// Not the mechanism's form.
    Malformed,
}

/// An exchange under way.
#[derive(Debug)]
pub(crate) enum Exchange {
    Plain,
    LoginName,
    LoginPassword { login_name: String },
}

impl Exchange {
    /// By the mechanism's name in capitals.
    pub(crate) fn begin(mechanism: &str) -> Option<Self> {
        match mechanism {
            "PLAIN" => Some(Self::Plain),
            "LOGIN" => Some(Self::LoginName),
            _ => None,
        }
    }

    /// What the server says first where the client brought no initial response, in base64.
    pub(crate) const fn first_challenge(&self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::LoginName => "VXNlcm5hbWU6",
            Self::LoginPassword { .. } => "UGFzc3dvcmQ6",
        }
    }

    /// Takes one response in base64.
    pub(crate) fn respond(&mut self, response: &str) -> Progress {
        let Some(text) = base64::decode(response).and_then(|octets| String::from_utf8(octets).ok()) else {
            return Progress::Malformed;
        };
        match self {
            Self::Plain => plain(&text).map_or(Progress::Malformed, Progress::Complete),
            Self::LoginName => {
                *self = Self::LoginPassword { login_name: text };
                Progress::Challenge(self.first_challenge())
            }
            Self::LoginPassword { login_name } => Progress::Complete(Login {
                mechanism: Mechanism::Login,
                login_name: std::mem::take(login_name),
                authorization: None,
                password: Secret::new(text),
            }),
        }
    }
}

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`.
fn plain(text: &str) -> Option<Login> {
    let mut parts = text.split('\0');
    let (authorization, login_name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = !login_name.is_empty() && !password.is_empty() && parts.next().is_none();
    is_whole.then(|| Login {
        mechanism: Mechanism::Plain,
        login_name: login_name.to_owned(),
        authorization: Some(authorization.to_owned()).filter(|name| !name.is_empty() && name != login_name),
        password: Secret::new(password),
    })
}
