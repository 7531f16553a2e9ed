//! OAUTHBEARER (RFC 7628) and XOAUTH2, its forerunner that many programs still speak: who has a token shows it, instead of a password.
//!
//! ```text
//! client                                                            server
//! n,a=name,^Aauth=Bearer token^A^A       (OAUTHBEARER)  ────────>   whose token?  [`Shown::Token`]
//! user=name^Aauth=Bearer token^A^A       (XOAUTH2)      ────────>
//!                     where it is none: {"status":"invalid_token"}  <────────  [`Bearer::refusal`]
//! ^A, or nothing                                        ────────>   [`Progress::Refused`]
//! ```
//! XOAUTH2 has no standard; this is what Google and Microsoft describe, alike.
//!
//! Invariants: the token is a [`Secret`] from the moment it is decoded. What follows a refusal is never looked at: it can't become a log-in.

use relais_model::Secret;

use crate::scram::saslname;
use crate::{Awaited, Exchange};

/// Octets of one message, at most: tokens of ours have 48, those of others a few thousand.
const MAX_MESSAGE_OCTETS: usize = 8192;

/// RFC 7628 §3.1: what parts the pairs.
const SEPARATOR: char = '\u{1}';

/// Which of the two is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// RFC 7628.
    OauthBearer,
    /// Google's.
    Xoauth2,
}

/// A token that somebody showed, believed by nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// Whose it is said to be, where that was said.
    pub login_name: Option<String>,
    /// What was shown.
    pub token: Secret,
    dialect: Dialect,
}

impl Dialect {
    /// What the client says, none where it isn't the mechanism's form.
    pub(crate) fn read(self, message: &str) -> Option<Bearer> {
        if MAX_MESSAGE_OCTETS < message.len() {
            return None;
        }
        let (head, pairs) = message.split_once(SEPARATOR)?;
        let login_name = match self {
            Self::OauthBearer => gs2_name(head)?,
            Self::Xoauth2 => Some(head.strip_prefix("user=").filter(|name| !name.is_empty())?.to_owned()),
        };
        // Each pair ends with a separator, and one more ends them all (§3.1).
        let pairs = pairs.strip_suffix(SEPARATOR)?.strip_suffix(SEPARATOR)?;
        let mut token = None;
        for pair in pairs.split(SEPARATOR) {
            let (key, value) = pair.split_once('=').filter(|(key, _)| is_key(key))?;
            // `host`, `port` and whatever else is said are passed over, as §3.1 asks; what is said twice says nothing.
            if key == "auth" && token.replace(bearer_token(value)?).is_some() {
                return None;
            }
        }
        Some(Bearer { login_name, token: Secret::new(token?), dialect: self })
    }

    /// Why the token opens nothing, in base64 (§3.2.2): that it does not, and no more.
    pub(crate) const fn refusal(self) -> &'static str {
        match self {
            // {"status":"invalid_token","scope":"mail"}
            Self::OauthBearer => "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJtYWlsIn0=",
            // {"status":"401","schemes":"bearer","scope":"mail"}
            Self::Xoauth2 => "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=",
        }
    }
}

impl Bearer {
    /// The token opens nothing: the exchange goes on with saying so, and ends with whatever the client answers.
    pub const fn refusal(&self) -> Exchange {
        Exchange(Awaited::RefusalSeen(self.dialect))
    }
}

/// `gs2-header` without a binding, for the mechanism has none (§3.1): `n,a=name,`; the name, where there is one.
#[expect(clippy::option_option, reason = "none is no header; a header may name nobody")]
fn gs2_name(header: &str) -> Option<Option<String>> {
    let (flag, rest) = header.split_once(',')?;
    let authorization = rest.strip_suffix(',')?;
    match (flag, authorization) {
        ("n" | "y", "") => Some(None),
        ("n" | "y", named) => Some(Some(saslname(named.strip_prefix("a=")?)?)),
        _ => None,
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|octet| octet.is_ascii_alphabetic())
}

/// RFC 6750 §2.1's `b64token`, after its scheme in whatever letters (RFC 7628 §3.1).
fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+/=".contains(&octet);
    let is_token = !token.is_empty() && token.bytes().all(is_letter);
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then_some(token)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;
    use crate::{Mechanism, Offer, Progress, Shown, encode};

    const OFFER: Offer = Offer { scram: true, under_tls: true };

    #[track_caller]
    fn check(mechanism: Mechanism, message: &str, expected: &str) {
        let message = message.replace('^', "\u{1}");
        let exchange = Exchange::begin(mechanism, OFFER);
        assert_eq!(exchange.challenge(), "");
        let said = match exchange.respond(encode(&message).as_bytes()) {
            Progress::Complete(Shown::Token(bearer)) => format!("{:?} {}", bearer.login_name, bearer.token.expose()),
            Progress::Malformed => "malformed".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(said, expected, "{message:?}");
    }

    /// RFC 7628 §4's examples, and what isn't said as §3.1 says.
    #[test]
    fn oauthbearer_names_a_token() {
        let check = |message: &str, expected: &str| check(Mechanism::OauthBearer, message, expected);
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        let said = format!("n,a=user@example.com,^host=server.example.com^port=143^auth=Bearer {token}^^");
        check(&said, &format!("Some(\"user@example.com\") {token}"));
        check("n,,^auth=bearer abc^^", "None abc");
        check("y,a=a=2Cb=3Dc,^auth=BEARER a.b-c_d~e+f/g==^^", "Some(\"a,b=c\") a.b-c_d~e+f/g==");
        for bad in [
            "",
            "^",
            "n,,^^",
            "n,a=,^auth=Bearer abc^^",
            "n,a=user,^auth=Bearer abc^",
            "n,a=user,^auth=Bearer ^^",
            "n,a=user,^auth=Basic abc^^",
            "n,a=user,^auth=Bearer a bc^^",
            "n,a=user,^auth=Bearer abc^auth=Bearer abc^^",
            "n,a=user,^host=server^^",
            "n,a=user,auth=Bearer abc^^",
            "p=tls-exporter,a=user,^auth=Bearer abc^^",
            "n,a=us=er,^auth=Bearer abc^^",
            "user=joe^auth=Bearer abc^^",
        ] {
            check(bad, "malformed");
        }
        check(&format!("n,,^auth=Bearer {}^^", "a".repeat(MAX_MESSAGE_OCTETS)), "malformed");
    }

    /// As Google's page on the protocol shows it.
    #[test]
    fn xoauth2_names_a_token() {
        let check = |message: &str, expected: &str| check(Mechanism::Xoauth2, message, expected);
        let said = "user=someuser@example.com^auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg^^";
        check(said, "Some(\"someuser@example.com\") ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
        for bad in ["user=^auth=Bearer abc^^", "user=a^auth=Bearer abc", "n,a=user,^auth=Bearer abc^^"] {
            check(bad, "malformed");
        }
    }

    /// RFC 7628 §3.2.3: the client answers with one separator, or breaks off; none of its words open anything afterwards.
    #[test]
    fn after_a_refusal_nothing_opens_the_door() {
        for (mechanism, status) in [(Mechanism::OauthBearer, "invalid_token"), (Mechanism::Xoauth2, "401")] {
            let message = match mechanism {
                Mechanism::OauthBearer => "n,a=joe,\u{1}auth=Bearer abc\u{1}\u{1}",
                _ => "user=joe\u{1}auth=Bearer abc\u{1}\u{1}",
            };
            for answer in ["AQ==", "", "no base64", &encode(message)] {
                let exchange = Exchange::begin(mechanism, OFFER);
                let progress = exchange.respond(encode(message).as_bytes());
                let Progress::Complete(Shown::Token(bearer)) = progress else { panic!("a token") };
                let refusal = bearer.refusal();
                let said = String::from_utf8(BASE64.decode(refusal.challenge().as_bytes()).unwrap()).unwrap();
                assert!(said.starts_with(&format!("{{\"status\":\"{status}\"")) && said.ends_with('}'), "{said}");
                assert!(matches!(refusal.respond(answer.as_bytes()), Progress::Refused), "{answer}");
            }
        }
    }

    /// RFC 7628 §3, §5: a token in the clear is anybody's.
    #[test]
    fn tokens_are_for_tls_only() {
        for scram in [true, false] {
            let clear = Offer { scram, under_tls: false };
            assert_eq!(clear.find("OAUTHBEARER").or(clear.find("XOAUTH2")), None);
            let safe = Offer { scram, under_tls: true };
            assert_eq!(safe.find("oauthbearer"), Some(Mechanism::OauthBearer));
            assert_eq!(safe.find("XOAUTH2"), Some(Mechanism::Xoauth2));
        }
    }
}
