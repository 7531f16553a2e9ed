//! SASL (RFC 4422): how a peer says who it is, the same in SMTP, IMAP and POP3.
//!
//! Each of the three has its own words around it (AUTH, AUTHENTICATE, 334, `+`, `*`, `=`); between them go challenges and
//! responses in base64, and those are here: an [`Exchange`] takes the peer's responses until it is [`Progress::Complete`].
//! What a client says is here, too: [`plain_response`], [`encode`], [`scram::Client`].
//! A token takes the place of a password in `bearer`.
//!
//! Invariants: no I/O, no store; nothing is believed here, only read. A password is a [`Secret`] from the moment it is decoded.
//!
//! To add a mechanism: a variant of [`Mechanism`] and of the exchange's state, and an arm in [`Exchange::respond`].

mod bearer;
pub mod scram;

use data_encoding::BASE64;
use relais_model::Secret;

pub use bearer::Bearer;

use bearer::Dialect;
use scram::{AwaitedEnd, AwaitedProof};

/// The mechanisms that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// Only base64 around name and password. Its draft (draft-murchison-sasl-login) never became a standard, but clients of
    /// Microsoft's speak it.
    Login,
    /// RFC 7677.
    ScramSha256,
    /// RFC 7677, bound to the TLS connection: only there.
    ScramSha256Plus,
    /// RFC 7628: a token, under TLS only.
    OauthBearer,
    /// Google's, which came before RFC 7628.
    Xoauth2,
}

/// What a connection is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// SCRAM, too.
    pub scram: bool,
    /// The connection is under TLS of our own: SCRAM can be bound to it.
    pub under_tls: bool,
}

impl Offer {
    /// The best first; those for tokens last, for who takes the first that they know means a password.
    pub fn mechanisms(self) -> impl Iterator<Item = Mechanism> {
        Mechanism::ALL.into_iter().filter(move |mechanism| match mechanism {
            Mechanism::ScramSha256Plus => self.has_plus(),
            Mechanism::ScramSha256 => self.scram,
            Mechanism::Plain | Mechanism::Login => true,
            Mechanism::OauthBearer | Mechanism::Xoauth2 => self.under_tls,
        })
    }

    /// One that is offered, by its name in whatever letters (RFC 4422 §3.1).
    pub fn find(self, name: &str) -> Option<Mechanism> {
        self.mechanisms().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }

    const fn has_plus(self) -> bool {
        self.scram && self.under_tls
    }
}

impl Mechanism {
    const ALL: [Self; 6] =
        [Self::ScramSha256Plus, Self::ScramSha256, Self::Plain, Self::Login, Self::OauthBearer, Self::Xoauth2];

    /// As the protocols announce it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::OauthBearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
        }
    }
}

/// What a peer says to log in. The names are as typed: not yet normalised, believed by nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who logs in (authcid, RFC 4422 §2).
    pub login_name: String,
    /// As whom to act (authzid), where that is another than `login_name`.
    pub authorization: Option<String>,
    /// The password.
    pub password: Secret,
}

/// What a peer shows to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A name and a password, as typed.
    Password(Credentials),
    /// SCRAM: it has the password in this place of [`scram::Verifier::keys`], or none of them, or the proof was made for another exchange.
    Proof(Option<usize>),
    /// A token; where it opens nothing, go on with [`Bearer::refusal`].
    Token(Bearer),
}

/// An exchange under way: one response after another.
#[derive(Debug)]
pub struct Exchange(Awaited);

#[derive(Debug)]
enum Awaited {
    /// PLAIN's one message.
    Plain,
    /// LOGIN's first.
    Name,
    /// LOGIN's second, for that name.
    Password(String),
    /// SCRAM's first.
    Scram { is_plus: bool, offers_plus: bool },
    /// SCRAM's second.
    Proof(Box<AwaitedProof>),
    /// SCRAM's empty one, that follows our signature.
    End(Box<AwaitedEnd>),
    /// The one message with a token.
    Token(Dialect),
    /// Whatever a client says to the refusal of its token.
    RefusalSeen(Dialect),
}

/// What came of one response.
#[derive(Debug)]
#[must_use = "the peer waits for what comes of its response"]
pub enum Progress {
    /// Say the exchange's challenge, and wait.
    Continue(Exchange),
    /// Look up what is known of this name, and [`scram::Question::answer`].
    Ask(scram::Question),
    /// All is said: check it.
    Complete(Shown),
    /// The client has heard that its token opens nothing: it is refused, and that was counted.
    Refused,
    /// Not the mechanism's form.
    Malformed,
}

impl Exchange {
    /// Begins one of those that were offered; where the peer brought no initial response, say the challenge first.
    pub const fn begin(mechanism: Mechanism, offer: Offer) -> Self {
        match mechanism {
            Mechanism::Plain => Self(Awaited::Plain),
            Mechanism::Login => Self(Awaited::Name),
            Mechanism::ScramSha256 => Self(Awaited::Scram { is_plus: false, offers_plus: offer.has_plus() }),
            Mechanism::ScramSha256Plus => Self(Awaited::Scram { is_plus: true, offers_plus: offer.has_plus() }),
            Mechanism::OauthBearer => Self(Awaited::Token(Dialect::OauthBearer)),
            Mechanism::Xoauth2 => Self(Awaited::Token(Dialect::Xoauth2)),
        }
    }

    /// What we say before the next response, in base64: nothing before a client that speaks first, `Username:` and `Password:` for
    /// LOGIN, why its token was refused to who showed one.
    pub fn challenge(&self) -> &str {
        match &self.0 {
            Awaited::Plain | Awaited::Scram { .. } | Awaited::Token(_) => "",
            Awaited::RefusalSeen(dialect) => dialect.refusal(),
            Awaited::Name => "VXNlcm5hbWU6",
            Awaited::Password(_) => "UGFzc3dvcmQ6",
            Awaited::Proof(awaited) => awaited.challenge(),
            Awaited::End(awaited) => awaited.challenge(),
        }
    }

    /// Takes one response, in base64 with its padding and nothing else (RFC 4648 §4). What a protocol writes for an empty
    /// response is its own affair: here it is empty.
    pub fn respond(self, response: &[u8]) -> Progress {
        match (self.0, decode(response)) {
            (Awaited::RefusalSeen(_), _) => Progress::Refused,
            (_, None) => Progress::Malformed,
            (Awaited::Plain, Some(text)) => plain(&text).map(Shown::Password).into(),
            (Awaited::Name, Some(text)) => Progress::Continue(Self(Awaited::Password(text))),
            (Awaited::Password(login_name), Some(text)) => {
                let password = Secret::new(text);
                Progress::Complete(Shown::Password(Credentials { login_name, authorization: None, password }))
            }
            (Awaited::Scram { is_plus, offers_plus }, Some(text)) => {
                scram::Question::parse(&text, is_plus, offers_plus).map_or(Progress::Malformed, Progress::Ask)
            }
            (Awaited::Proof(awaited), Some(text)) => awaited.respond(&text),
            (Awaited::End(awaited), Some(text)) => awaited.respond(&text),
            (Awaited::Token(dialect), Some(text)) => dialect.read(&text).map(Shown::Token).into(),
        }
    }
}

impl From<Option<Shown>> for Progress {
    /// From the last response; none: it isn't the mechanism's form.
    fn from(shown: Option<Shown>) -> Self {
        shown.map_or(Self::Malformed, Self::Complete)
    }
}

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`, the latter two not empty.
fn plain(text: &str) -> Option<Credentials> {
    let mut parts = text.split('\0');
    let (authorization, login_name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = !login_name.is_empty() && !password.is_empty() && parts.next().is_none();
    is_whole.then(|| Credentials {
        login_name: login_name.to_owned(),
        authorization: Some(authorization.to_owned()).filter(|name| !name.is_empty() && name != login_name),
        password: Secret::new(password),
    })
}

fn decode(response: &[u8]) -> Option<String> {
    String::from_utf8(BASE64.decode(response).ok()?).ok()
}

/// A client's one response of PLAIN, in base64.
pub fn plain_response(login_name: &str, password: &Secret) -> String {
    encode(&format!("\0{login_name}\0{}", password.expose()))
}

/// A response in base64.
pub fn encode(response: &str) -> String {
    BASE64.encode(response.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Offer = Offer { scram: true, under_tls: true };

    /// What comes of `responses`: each challenge in between, then authzid, authcid and password.
    #[track_caller]
    fn check(mechanism: &str, responses: &[&str], expected: &str) {
        let mut said = Vec::new();
        let mut exchange = Exchange::begin(ALL.find(mechanism).unwrap(), ALL);
        for response in responses {
            match exchange.respond(response.as_bytes()) {
                Progress::Continue(next) => {
                    said.push(next.challenge().to_owned());
                    exchange = next;
                }
                Progress::Complete(Shown::Password(Credentials { login_name, authorization, password })) => {
                    said.push(format!("{authorization:?} {login_name} {}", password.expose()));
                    break;
                }
                _ => {
                    said.push("malformed".to_owned());
                    break;
                }
            }
        }
        assert_eq!(said.join("|"), expected, "{mechanism} {responses:?}");
    }

    /// RFC 4616 §4's people.
    #[test]
    fn plain_has_three_parts() {
        check("PLAIN", &["AHRpbQB0YW5zdGFhZnRhbnN0YWFm"], "None tim tanstaaftanstaaf");
        check("plain", &["VXJzZWwAS3VydAB4aXBqMzBwbHE="], "Some(\"Ursel\") Kurt xipj30plq");
        check("PLAIN", &["AGEAYg=="], "None a b");
        check("PLAIN", &["YQBhAGI="], "None a b"); // authzid and authcid are one
        for bad in ["", "AGEA", "AABi", "AGEAYgBj", "AP8AYg==", "Og=="] {
            check("PLAIN", &[bad], "malformed");
        }
    }

    #[test]
    fn login_asks_twice() {
        check("LOGIN", &["am9l", "c2VjcmV0"], "UGFzc3dvcmQ6|None joe secret");
        check("login", &["am9l", "c2VjcmV0="], "UGFzc3dvcmQ6|malformed");
        assert_eq!(Exchange::begin(Mechanism::Login, ALL).challenge(), encode("Username:"));
    }

    /// RFC 4648 §3.3, §3.5: nothing outside the alphabet, all of the padding, and no bits that say nothing.
    #[test]
    fn base64_is_strict() {
        for bad in [
            "AGEAYg",
            "AGEAYg=",
            "AGEAYg==AGEAYg==",
            "A===",
            "====",
            "AGE AYg==",
            "AGEAYh==",
            "AGEAYg==\n",
            "AGE\u{c4}",
        ] {
            check("PLAIN", &[bad], "malformed");
        }
    }

    #[test]
    fn what_a_client_says_is_understood() {
        check("PLAIN", &[&plain_response("jörg", &Secret::new("pässword"))], "None jörg pässword");
        check("LOGIN", &[&encode("jörg"), &encode("pässword")], "UGFzc3dvcmQ6|None jörg pässword");
        let (clear, plain) = (Offer { under_tls: false, ..ALL }, Offer { scram: false, ..ALL });
        assert_eq!(ALL.find("SCRAM-SHA-1"), None);
        assert_eq!(clear.find("scram-sha-256"), Some(Mechanism::ScramSha256));
        assert_eq!(clear.find("SCRAM-SHA-256-PLUS"), None);
        assert_eq!(ALL.find("SCRAM-SHA-256-PLUS"), Some(Mechanism::ScramSha256Plus));
        let tokens = [Mechanism::OauthBearer, Mechanism::Xoauth2];
        assert!(plain.mechanisms().eq([Mechanism::Plain, Mechanism::Login].into_iter().chain(tokens)));
        assert!(clear.mechanisms().eq([Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login]));
    }
}
