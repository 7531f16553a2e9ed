//! What a reply means to a person who runs no mail server for a living: why it was said, and what can be done.
//!
//! Pure: from the words alone. Servers say codes wrongly often enough that some words count for more than their code.

use relais_store::{TraceEvent, TraceKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Text;

/// A cause, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Explanation {
    /// What happened.
    pub cause: Text,
    /// What can be done; none where nothing need be.
    pub advice: Option<Text>,
}

/// Causes that words tell, whatever the code: in lower case. The first that is found counts.
const WORDS: &[(&str, &str)] = &[
    // Our own words, from delivery's `policy.rs`.
    ("dane: looking up", "dane-dns"),
    ("dane: no tls", "dane-no-tls"),
    ("dane: wrong certificate", "dane-certificate"),
    ("mta-sts: not named", "sts-host"),
    ("mta-sts: no tls", "sts-no-tls"),
    ("mta-sts: wrong certificate", "sts-certificate"),
    ("as requiretls needs", "requiretls"),
    ("greylist", "greylisted"),
    ("graylist", "greylisted"),
    ("grey list", "greylisted"),
    ("spamhaus", "blocklisted"),
    ("blocklist", "blocklisted"),
    ("blacklist", "blocklisted"),
    ("dnsbl", "blocklisted"),
    ("connection refused", "connection-refused"),
    ("timed out", "timeout"),
    ("timeout", "timeout"),
    ("certificate", "tls"),
    ("starttls", "tls"),
    ("handshake", "tls"),
    ("no route to host", "unreachable"),
    ("network is unreachable", "unreachable"),
];

/// Causes of enhanced status codes without their class (RFC 3463 §3): subject, detail.
const CODES: &[((u16, u16), &str)] = &[
    ((1, 1), "no-such-user"),
    ((1, 2), "no-such-domain"),
    ((1, 3), "bad-address"),
    ((1, 6), "moved"),
    ((1, 7), "bad-sender"),
    ((1, 8), "bad-sender"),
    ((1, 10), "null-mx"),
    ((2, 1), "mailbox-disabled"),
    ((2, 2), "mailbox-full"),
    ((2, 3), "too-large"),
    ((3, 1), "remote-full"),
    ((3, 2), "remote-closed"),
    ((3, 4), "too-large"),
    ((4, 1), "no-answer"),
    ((4, 2), "connection-lost"),
    ((4, 3), "dns"),
    ((4, 4), "no-route"),
    ((4, 5), "congested"),
    ((4, 6), "loop"),
    ((4, 7), "expired"),
    ((5, 3), "too-many-recipients"),
    ((6, 1), "content"),
    ((7, 0), "policy"),
    ((7, 1), "policy"),
    ((7, 2), "list-closed"),
    ((7, 4), "tls"),
    ((7, 10), "tls"),
    ((7, 11), "tls"),
    ((7, 20), "dkim"),
    ((7, 23), "spf"),
    ((7, 25), "reverse-dns"),
    ((7, 26), "authentication"),
    ((7, 28), "rate"),
    ((7, 30), "tls"),
];

/// Causes of bare codes (RFC 5321 §4.2.3), for servers that say no better one.
const REPLIES: &[(u16, &str)] = &[
    (421, "remote-closed"),
    (450, "mailbox-busy"),
    (451, "remote-trouble"),
    (452, "remote-full"),
    (454, "tls"),
    (550, "refused-recipient"),
    (551, "moved"),
    (552, "mailbox-full"),
    (553, "bad-address"),
    (554, "policy"),
];

/// Explains an event of the trace: also how mail that another host took was protected on its way.
pub(crate) fn explain_event(event: &TraceEvent) -> Explanation {
    match event.protection.filter(|_| event.kind == TraceKind::Delivered) {
        Some(protection) => {
            Explanation { cause: Text::named(format!("explain-delivered-{}", protection.as_str())), advice: None }
        }
        None => explain(event.kind, &event.text),
    }
}

/// Explains what happened to a recipient: its kind, and what was said.
pub(crate) fn explain(kind: TraceKind, said: &str) -> Explanation {
    match kind {
        TraceKind::Queued => Explanation { cause: Text::new("explain-queued"), advice: None },
        TraceKind::Delivered if said.is_empty() => Explanation { cause: Text::new("explain-filed"), advice: None },
        TraceKind::Delivered => Explanation { cause: Text::new("explain-delivered"), advice: None },
        TraceKind::Removed => Explanation { cause: Text::new("explain-removed"), advice: None },
        TraceKind::Refused => Explanation { cause: Text::new("explain-refused"), advice: None },
        TraceKind::Deferred | TraceKind::Failed => explain_trouble(kind, said),
    }
}

fn explain_trouble(kind: TraceKind, said: &str) -> Explanation {
    let is_for_now = kind == TraceKind::Deferred;
    let cause = cause(is_for_now, said);
    Explanation {
        cause: Text::named(format!("explain-{cause}")),
        advice: Some(if is_for_now && waits_well(cause) {
            Text::new("explain-advice-wait")
        } else {
            Text::named(format!("explain-{cause}-advice"))
        }),
    }
}

/// What most often goes away by itself.
fn waits_well(cause: &str) -> bool {
    matches!(
        cause,
        "greylisted"
            | "congested"
            | "connection-lost"
            | "connection-refused"
            | "mailbox-busy"
            | "no-answer"
            | "no-route"
            | "remote-closed"
            | "remote-trouble"
            | "timeout"
            | "unknown"
            | "unreachable"
    )
}

fn cause(is_for_now: bool, said: &str) -> &'static str {
    let lower = said.to_lowercase();
    if lower.starts_with("given up (4.4.7)") {
        return "expired";
    }
    let code = enhanced(said);
    // 4.7.x for an unknown sender is greylisting, in all but name.
    if is_for_now
        && matches!(code, Some((7, 0 | 1)))
        && ["later", "again", "minutes", "seconds"].iter().any(|word| lower.contains(word))
    {
        return "greylisted";
    }
    let by_words = || WORDS.iter().find(|(words, _)| lower.contains(words)).map(|(_, cause)| *cause);
    let by_code = || CODES.iter().find(|(known, _)| Some(*known) == code).map(|(_, cause)| *cause);
    let by_reply = || {
        let number = said.get(..3).and_then(|digits| digits.parse().ok());
        REPLIES.iter().find(|(known, _)| Some(*known) == number).map(|(_, cause)| *cause)
    };
    by_words().or_else(by_code).or_else(by_reply).unwrap_or("unknown")
}

/// The first enhanced status code of a reply, without its class (RFC 3463 §2: `class.subject.detail`).
fn enhanced(said: &str) -> Option<(u16, u16)> {
    said.split(|letter: char| !letter.is_ascii_digit() && letter != '.').find_map(|word| {
        let mut parts = word.split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let fits = matches!(class, "2" | "4" | "5") && parts.next().is_none_or(str::is_empty);
        fits.then_some(())?;
        Some((subject.parse().ok()?, detail.parse().ok()?)).filter(|(subject, detail)| *subject < 8 && *detail < 1000)
    })
}

/// Every cause that can be told: the test of the catalogues walks them.
pub fn causes() -> impl Iterator<Item = &'static str> {
    let all = WORDS.iter().map(|(_, cause)| *cause).chain(CODES.iter().map(|(_, cause)| *cause));
    all.chain(REPLIES.iter().map(|(_, cause)| *cause)).chain(["unknown", "expired"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_have_causes() {
        use TraceKind::{Deferred, Delivered, Failed, Queued, Refused, Removed};
        let check = |kind: TraceKind, said: &str, cause: &str, advice: Option<&str>| {
            let told = explain(kind, said);
            assert_eq!(told.cause.id, format!("explain-{cause}"), "{said}");
            assert_eq!(
                told.advice.map(|text| text.id.into_owned()),
                advice.map(|id| format!("explain-{id}")),
                "{said}"
            );
        };
        check(Queued, "", "queued", None);
        check(Delivered, "", "filed", None);
        check(Delivered, "250 2.0.0 Ok", "delivered", None);
        check(Removed, "", "removed", None);
        let ours = "454 4.7.5 DANE: wrong certificate or no handshake with mx.x.example: no TLSA record names it";
        check(Deferred, ours, "dane-certificate", Some("dane-certificate-advice"));
        let ours = "454 4.7.5 DANE: looking up the TLSA records of mx.x.example failed: request timed out";
        check(Deferred, ours, "dane-dns", Some("dane-dns-advice"));
        let ours = "454 4.7.5 MTA-STS: not named: the policy of x.example doesn't list mx.y.example";
        check(Deferred, ours, "sts-host", Some("sts-host-advice"));
        let ours = "454 4.7.5 MTA-STS: no TLS: the policy of x.example asks for it, and mx.x.example offers none";
        check(Deferred, ours, "sts-no-tls", Some("sts-no-tls-advice"));
        check(Failed, "550 5.1.1 No such user here", "no-such-user", Some("no-such-user-advice"));
        check(Failed, "550-5.1.1 The email account that you tried", "no-such-user", Some("no-such-user-advice"));
        check(Deferred, "452 4.2.2 The mailbox is full", "mailbox-full", Some("mailbox-full-advice"));
        check(Failed, "552 Over quota", "mailbox-full", Some("mailbox-full-advice"));
        check(Failed, "554 5.7.1 Refused", "policy", Some("policy-advice"));
        check(Deferred, "450 4.7.1 Greylisted, come again", "greylisted", Some("advice-wait"));
        check(Deferred, "451 4.7.1 Try again in 5 minutes", "greylisted", Some("advice-wait"));
        check(Failed, "550 5.7.1 Listed at zen.spamhaus.org", "blocklisted", Some("blocklisted-advice"));
        check(Deferred, "mx.x.example: Connection refused (os error 111)", "connection-refused", Some("advice-wait"));
        check(Deferred, "451 4.4.1 The connection timed out", "timeout", Some("advice-wait"));
        check(Deferred, "454 4.7.0 TLS not available", "policy", Some("policy-advice"));
        check(Deferred, "451 4.7.4 The certificate is not valid", "tls", Some("tls-advice"));
        check(Deferred, "451 4.4.3 The name servers do not answer", "dns", Some("dns-advice"));
        check(Failed, "550 5.1.2 No such domain", "no-such-domain", Some("no-such-domain-advice"));
        check(Failed, "556 5.1.10 null MX", "null-mx", Some("null-mx-advice"));
        check(Failed, "Given up (4.4.7) after: 450 4.2.0 later", "expired", Some("expired-advice"));
        check(Failed, "550 5.7.26 Unauthenticated", "authentication", Some("authentication-advice"));
        check(Deferred, "421 Closing", "remote-closed", Some("advice-wait"));
        check(Refused, "550 No", "refused", None);
        check(Failed, "", "unknown", Some("unknown-advice"));
        check(Failed, "599 9.9.9 é", "unknown", Some("unknown-advice"));
        check(Deferred, "from 192.0.2.1 nothing", "unknown", Some("advice-wait"));
    }
}
