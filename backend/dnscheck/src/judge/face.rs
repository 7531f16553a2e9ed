//! What is thought of how others meet us: port 25, the policy's web server.

use std::net::IpAddr;

use relais_model::Domain;

use super::{Check, Finding};
use crate::reach::{SmtpFace, TlsFace, Unreached, WebAnswer, WebFailure};
use crate::reason::{Reason, Verdict};
use crate::record::covers;
use crate::wanted::{Facts, sts_policy};
use relais_smtp::sts::{StsMode, StsPolicy};

/// Who answered at port 25 of `address`, and whether it is us.
pub(crate) fn port_in(facts: &Facts, address: IpAddr, met: &Result<SmtpFace, Unreached>) -> Finding {
    let (verdict, reason) = match met {
        Err(Unreached::Refused) => (Verdict::Wrong, Reason::SmtpRefused(address)),
        // A router may not lead a host back to its own public address: others may reach us all the same.
        Err(Unreached::Timeout) => (Verdict::CantTellYet, Reason::SmtpTimeout(address)),
        Err(Unreached::Strange(said)) => (Verdict::Wrong, Reason::SmtpStrange(said.clone())),
        Ok(face) if !face.name.eq_ignore_ascii_case(facts.host.as_str()) => {
            (Verdict::Wrong, Reason::SmtpOtherHost(face.name.clone()))
        }
        Ok(face) => certificate(facts, &face.tls),
    };
    Finding { detail: address.to_string(), ..Finding::new(Check::PortIn, &facts.host, verdict, reason) }
}

fn certificate(facts: &Facts, tls: &TlsFace) -> (Verdict, Reason) {
    // Who keeps our policy sends nothing to a host whose certificate isn't good; others don't look.
    let is_enforced = facts.mta_sts.as_ref().is_some_and(|wish| wish.mode == StsMode::Enforce);
    let weak = if is_enforced { Verdict::Wrong } else { Verdict::CouldBeBetter };
    match tls {
        TlsFace::NotOffered => (Verdict::Wrong, Reason::SmtpNoStartTls),
        TlsFace::Failed(error) => (Verdict::Wrong, Reason::SmtpTlsFailed(error.clone())),
        TlsFace::Shown(face) if !face.names.iter().any(|name| covers(name, &facts.host)) => {
            (weak, Reason::SmtpNames(face.names.join(", ")))
        }
        TlsFace::Shown(face) => match &face.distrust {
            Some(error) => (weak, Reason::SmtpUntrusted(error.clone())),
            None => (Verdict::Good, Reason::Good),
        },
    }
}

/// What a sender finds that fetches our policy.
pub(crate) fn policy_file(facts: &Facts, about: &Domain, fetched: &Result<WebAnswer, WebFailure>) -> Finding {
    let (verdict, reason) = match fetched {
        Err(WebFailure::Unreached(error)) => (Verdict::Wrong, Reason::PolicyUnreachable(error.clone())),
        Err(WebFailure::Certificate(error)) => (Verdict::Wrong, Reason::PolicyCertificate(error.clone())),
        // RFC 8461 §3.3: "HTTP 3xx redirects MUST NOT be followed".
        Ok(answer) if answer.status != 200 => (Verdict::Wrong, Reason::PolicyStatus(answer.status)),
        Ok(answer) => match StsPolicy::parse(&answer.body) {
            Err(error) => (Verdict::Wrong, Reason::PolicyMalformed(error.culprit())),
            Ok(policy) if policy.mode != StsMode::None && !policy.allows(&facts.host) => {
                (Verdict::Wrong, Reason::PolicyLacksUs)
            }
            Ok(policy) if sts_policy(facts).is_some_and(|ours| ours != policy) => {
                (Verdict::CouldBeBetter, Reason::PolicyDiffers)
            }
            Ok(_) => (Verdict::Good, Reason::Good),
        },
    };
    Finding::new(Check::PolicyFile, about, verdict, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::CertificateFace;
    use crate::testing::{domain, facts, read};
    use crate::wanted::StsWish;

    fn shown(names: &[&str], distrust: Option<&str>) -> SmtpFace {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let face = CertificateFace { names, distrust: distrust.map(str::to_owned), key: [0; 32] };
        SmtpFace { name: "MX.example.org".into(), tls: TlsFace::Shown(face) }
    }

    fn named(name: &str, tls: TlsFace) -> SmtpFace {
        SmtpFace { name: name.into(), tls }
    }

    #[test]
    fn port_25() {
        let address = "192.0.2.7".parse().unwrap();
        let relaxed = Facts { mta_sts: None, ..facts() };
        let us = ["mx.example.org"];
        let cases = [
            ("ours", facts(), Ok(shown(&us, None))),
            ("wildcard", facts(), Ok(shown(&["*.example.org"], None))),
            ("refused", facts(), Err(Unreached::Refused)),
            ("timeout", facts(), Err(Unreached::Timeout)),
            ("strange", facts(), Err(Unreached::Strange("SSH-2.0-x".into()))),
            ("other host", facts(), Ok(named("proxy.example", TlsFace::NotOffered))),
            ("no starttls", facts(), Ok(named("mx.example.org", TlsFace::NotOffered))),
            ("handshake", facts(), Ok(named("mx.example.org", TlsFace::Failed("received fatal alert".into())))),
            ("other name", facts(), Ok(shown(&["localhost", "example.org"], None))),
            ("other name, no policy", relaxed.clone(), Ok(shown(&["localhost"], None))),
            ("self-signed", facts(), Ok(shown(&us, Some("invalid peer certificate: UnknownIssuer")))),
            ("self-signed, no policy", relaxed, Ok(shown(&us, Some("invalid peer certificate: UnknownIssuer")))),
        ];
        let lines = cases.map(|(name, facts, met)| format!("{name}\n{}", read(&port_in(&facts, address, &met))));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn the_policy() {
        let about = domain("mta-sts.example.org");
        let answer = |status: u16, body: &str| Ok(WebAnswer { status, body: body.into() });
        let ours = sts_policy(&facts()).unwrap();
        let testing = StsWish { mode: StsMode::Testing, ..facts().mta_sts.unwrap() };
        let other = sts_policy(&Facts { mta_sts: Some(testing), ..facts() }).unwrap();
        let lacking = StsPolicy { mx: vec!["mx.elsewhere.example".into()], ..ours.clone() };
        let cases = [
            ("ours", answer(200, &ours.to_string())),
            ("unreached", Err(WebFailure::Unreached("Connection refused".into()))),
            ("certificate", Err(WebFailure::Certificate("certificate not valid for name".into()))),
            ("redirect", answer(301, "")),
            ("a page", answer(200, "<html>")),
            ("other hosts", answer(200, &lacking.to_string())),
            ("an older one", answer(200, &other.to_string())),
        ];
        let lines = cases.map(|(name, fetched)| format!("{name}\n{}", read(&policy_file(&facts(), &about, &fetched))));
        insta::assert_snapshot!(lines.join("\n"));
    }
}
