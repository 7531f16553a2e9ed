//! Which TLS policy holds for a host, and what follows from it: DANE, else MTA-STS, else none (RFC 8461 §2, RFC 7672 §1.3).

use std::sync::Arc;

use relais_model::{Domain, EnhancedCode, Reply};
use relais_smtp::client;
use relais_smtp::sts::{StsMode, StsPolicy};
use relais_store::{Protection, TlsPolicyType, TlsResult};

use crate::dane::Dane;
use crate::hosts::MxHost;
use crate::ports::{Found, LookupError, Resolver, TlsaRecord};
use crate::sts::Known;
use crate::tls::Verify;

/// What a connection to a host must have before mail goes over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Policy {
    /// TLS, with a certificate that the host's TLSA records name (RFC 7672).
    Dane(Arc<Dane>),
    /// TLS, with any certificate: there are TLSA records, and none can be used (RFC 7672 §2.2). They stand below this name.
    DaneUnusable(Domain),
    /// TLS, with a certificate that a known authority gave for the host's name, as this domain's MTA-STS policy asks (RFC 8461).
    Sts(Domain),
    /// As without a policy; but this domain's MTA-STS policy, which is in its testing, wants to know how it would have come out.
    StsTesting {
        /// Whose.
        domain: Domain,
        /// The policy lists the host.
        is_named: bool,
    },
    /// TLS, with a certificate that a known authority gave for the host's name: the administrator asks for it, or REQUIRETLS.
    Required,
    /// TLS where it is offered and works, with any certificate; clear text else (RFC 7435).
    Opportunistic,
    /// Clear text, as the administrator said of a relay, or because the handshake failed where nothing hung on it.
    Never,
}

impl Policy {
    /// What the client machine does about STARTTLS.
    pub(crate) const fn start_tls(&self) -> client::TlsPolicy {
        match self {
            Self::Dane(_) | Self::DaneUnusable(_) | Self::Sts(_) | Self::Required => client::TlsPolicy::Required,
            Self::StsTesting { .. } | Self::Opportunistic => client::TlsPolicy::Opportunistic,
            Self::Never => client::TlsPolicy::Never,
        }
    }

    /// Mail may go in the clear where TLS fails.
    pub(crate) fn falls_back(&self) -> bool {
        self.start_tls() == client::TlsPolicy::Opportunistic
    }

    /// What a certificate must be.
    pub(crate) fn verify(&self) -> Verify {
        match self {
            Self::Dane(dane) => Verify::Dane(Arc::clone(dane)),
            Self::Sts(_) | Self::Required => Verify::Authorities,
            Self::StsTesting { .. } => Verify::Watch,
            Self::DaneUnusable(_) | Self::Opportunistic | Self::Never => Verify::Any,
        }
    }

    /// How mail over such a connection is protected once TLS is on.
    pub(crate) const fn protection(&self) -> Protection {
        match self {
            Self::Dane(_) => Protection::Dane,
            Self::Sts(_) => Protection::Sts,
            Self::Required => Protection::Verified,
            Self::DaneUnusable(_) | Self::StsTesting { .. } | Self::Opportunistic | Self::Never => {
                Protection::Encrypted
            }
        }
    }

    /// What its outcome is reported as; `destination` is the mail's domain. None where it is nobody's policy but ours.
    pub(crate) fn reported<'a>(&'a self, destination: &'a Domain) -> Option<(TlsPolicyType, &'a Domain)> {
        match self {
            Self::Dane(dane) => Some((TlsPolicyType::Tlsa, dane.base())),
            Self::DaneUnusable(base) => Some((TlsPolicyType::Tlsa, base)),
            Self::Sts(domain) | Self::StsTesting { domain, .. } => Some((TlsPolicyType::Sts, domain)),
            Self::Opportunistic => Some((TlsPolicyType::NoPolicyFound, destination)),
            Self::Required | Self::Never => None,
        }
    }

    /// What is said where the host offers no TLS; none where the usual words will do.
    pub(crate) fn without_tls(&self, host: &Domain) -> Option<Reply> {
        match self {
            Self::Dane(_) | Self::DaneUnusable(_) => {
                Some(held(format!("DANE: no TLS: {host} has TLSA records, but offers no TLS")))
            }
            Self::Sts(domain) => {
                Some(held(format!("MTA-STS: no TLS: the policy of {domain} asks for it, and {host} offers none")))
            }
            _ => None,
        }
    }

    /// What is said where the handshake fails; none where the usual words will do.
    pub(crate) fn bad_tls(&self, host: &Domain, why: &str) -> Option<Reply> {
        match self {
            Self::Dane(_) => Some(held(format!("DANE: wrong certificate or no handshake with {host}: {why}"))),
            Self::Sts(domain) => Some(held(format!(
                "MTA-STS: wrong certificate or no handshake with {host}, and the policy of {domain} asks for a good one: {why}"
            ))),
            _ => None,
        }
    }
}

/// A host that isn't used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What is said of the recipients: they wait.
    pub(crate) reply: Reply,
    /// What is reported.
    pub(crate) policy: (TlsPolicyType, Domain),
    pub(crate) result: TlsResult,
}

/// RFC 3463 §3.8: X.7.5. It may pass, or be mended: nothing bounces before its time.
fn held(text: String) -> Reply {
    Reply::new(454, EnhancedCode::new(4, 7, 5), text)
}

/// The policy that holds for `host`, which takes `destination`'s mail.
///
/// # Errors
/// [`Refusal`]: the host isn't used.
pub(crate) async fn policy_of(
    resolver: &dyn Resolver,
    port: u16,
    destination: &Domain,
    host: &MxHost,
    sts: &Known,
) -> Result<Policy, Refusal> {
    let dane = dane(resolver, port, destination, host).await?;
    if let Some(dane @ Policy::Dane(_)) = dane {
        return Ok(dane);
    }
    let sts = sts.policy().map(|policy| of_sts(policy, destination, host)).transpose()?;
    // RFC 8461 §2: a policy in its testing mustn't weaken what DANE asks, however little that is.
    Ok(match (dane, sts) {
        (_, Some(enforced @ Policy::Sts(_))) => enforced,
        (Some(unusable), _) => unusable,
        (None, Some(testing)) => testing,
        (None, None) => Policy::Opportunistic,
    })
}

/// RFC 8461 §5: in mode enforce, mail goes only to hosts that the policy names.
fn of_sts(policy: &StsPolicy, domain: &Domain, host: &MxHost) -> Result<Policy, Refusal> {
    if policy.mode != StsMode::Enforce {
        return Ok(Policy::StsTesting { domain: domain.clone(), is_named: policy.allows(&host.name) });
    }
    if policy.allows(&host.name) {
        return Ok(Policy::Sts(domain.clone()));
    }
    let text = format!("MTA-STS: not named: the policy of {domain} doesn't list {}", host.name);
    let policy = (TlsPolicyType::Sts, domain.clone());
    Err(Refusal { reply: held(text), policy, result: TlsResult::ValidationFailure })
}

/// What TLSA records ask; none where there are none that are proved (RFC 7672 §2.2.2).
async fn dane(
    resolver: &dyn Resolver,
    port: u16,
    destination: &Domain,
    host: &MxHost,
) -> Result<Option<Policy>, Refusal> {
    for base in bases(host) {
        let Ok(name) = Domain::parse(&format!("_{port}._tcp.{base}")) else { continue };
        match resolver.tlsa(&name).await {
            Ok(Found { records, is_secure: true, .. }) => {
                return Ok(Some(of_records(records, base, destination, host)));
            }
            // RFC 7672 §2.2: what isn't proved is as if it weren't there.
            Ok(_) | Err(LookupError::NoRecords | LookupError::NoSuchDomain) => {}
            Err(error) => {
                let text = format!("DANE: looking up the TLSA records of {base} failed: {error}");
                let result =
                    if error == LookupError::Bogus { TlsResult::DnssecInvalid } else { TlsResult::TlsaInvalid };
                return Err(Refusal { reply: held(text), policy: (TlsPolicyType::Tlsa, base), result });
            }
        }
    }
    Ok(None)
}

/// The names below which TLSA records are looked for (RFC 7672 §2.2.2, §2.2.3): only where all that leads to the host is proved. The last name of aliases goes
/// first; the first name counts also where only its own alias is proved.
fn bases(host: &MxHost) -> Vec<Domain> {
    if !host.is_named_securely || host.name.is_literal() {
        return Vec::new();
    }
    match &host.alias {
        Some(alias) if host.is_secure => vec![alias.target.clone(), host.name.clone()],
        Some(alias) if alias.is_secure => vec![host.name.clone()],
        None if host.is_secure => vec![host.name.clone()],
        _ => Vec::new(),
    }
}

fn of_records(records: Vec<TlsaRecord>, base: Domain, destination: &Domain, host: &MxHost) -> Policy {
    // RFC 7672 §3.2.2: the reference identifiers.
    let names = vec![host.name.clone(), destination.clone()];
    let dane = Dane::new(records, base.clone(), names);
    dane.map_or(Policy::DaneUnusable(base), |dane| Policy::Dane(Arc::new(dane)))
}

#[cfg(test)]
mod tests;
