//! What would become of mail to a destination: where it would go, which TLS it would have to find there, and why. Nothing is sent.

use std::fmt;
use std::time::Duration;

use relais_certs::Doing;
use relais_model::{Address, Domain, Timestamp};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::pace::Pace;
use crate::{Actor, Failure, Moment, Role, Service, Text, checks};

/// Looks at once: each asks the DNS many questions, and may fetch a policy.
const LOOKS_AT_ONCE: usize = 4;
/// Looks within a minute.
const LOOKS: usize = 30;
/// How long a look may take: someone waits at a page.
const PATIENCE: Duration = Duration::from_secs(20);

/// Foretells what the queue's worker would do: a port, for only a house that delivers has one.
pub trait Foretell: Send + Sync + fmt::Debug {
    /// What would become of mail to `destination` now. Connects to no mail host.
    fn foretell<'a>(&'a self, destination: &'a Domain) -> Doing<'a, Forecast>;
}

/// Where mail would go, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// The relay host that the administrator's rules name; none where it goes to the MX hosts.
    pub relay: Option<Domain>,
    /// The MTA-STS policy that holds.
    pub sts: Option<ForecastSts>,
    /// Why no newer policy was had, where one is announced: in English, from whom it was asked.
    pub sts_failure: Option<String>,
    /// In the order in which they would be tried.
    pub hosts: Vec<ForecastHost>,
    /// The reply that stands for the mail where there are no hosts.
    pub refusal: Option<String>,
}

/// An MTA-STS policy (RFC 8461).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastSts {
    /// The id of its record.
    pub id: String,
    /// `none`, `testing` or `enforce`.
    pub mode: &'static str,
    /// Names of hosts; `*.` stands for one label.
    pub mx: Vec<String>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A host that may take the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastHost {
    /// Its name.
    pub name: Domain,
    /// Where it would be met, with the port.
    pub addresses: Vec<String>,
    /// DNSSEC proves that it is the destination's host.
    pub is_proved: bool,
    /// What holds.
    pub demand: Demand,
    /// Its TLSA records that DNSSEC proves, as zone files write them.
    pub tlsa: Vec<String>,
}

/// What a host must show before it gets the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// DANE: a certificate that its TLSA records name.
    Dane,
    /// TLS with any certificate: it has TLSA records, and none can be used.
    DaneUnusable,
    /// MTA-STS: a certificate that a known authority gave for its name.
    Sts,
    /// MTA-STS in its testing: TLS where it works.
    StsTesting {
        /// The policy lists the host.
        is_named: bool,
    },
    /// The administrator wants TLS with a good certificate.
    Required,
    /// TLS where it works, clear text else.
    Opportunistic,
    /// Clear text, as the administrator said.
    Clear,
    /// It isn't used: the reply that stands for the mail.
    Refused(String),
}

impl Demand {
    /// Its name in the API.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Dane => "dane",
            Self::DaneUnusable => "dane_unusable",
            Self::Sts => "mta_sts",
            Self::StsTesting { .. } => "mta_sts_testing",
            Self::Required => "required",
            Self::Opportunistic => "opportunistic",
            Self::Clear => "clear",
            Self::Refused(_) => "refused",
        }
    }

    fn says(&self) -> Text {
        Text::new(match self {
            Self::Dane => "destination-dane",
            Self::DaneUnusable => "destination-dane-unusable",
            Self::Sts => "destination-sts",
            Self::StsTesting { is_named: true } => "destination-sts-testing",
            Self::StsTesting { is_named: false } => "destination-sts-testing-unnamed",
            Self::Required => "destination-required",
            Self::Opportunistic => "destination-opportunistic",
            Self::Clear => "destination-clear",
            Self::Refused(_) => "destination-refused",
        })
    }

    /// No mail goes to the host without TLS.
    const fn wants_tls(&self) -> bool {
        matches!(self, Self::Dane | Self::DaneUnusable | Self::Sts | Self::Required)
    }
}

/// What would become of mail to a destination.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DestinationView {
    /// Whose mail.
    pub destination: String,
    /// When it was looked.
    pub at: Moment,
    /// `protected`: every host that would be used must show TLS; `open`: one need not; `held`: mail would wait; `refused`: it would come back.
    pub outcome: &'static str,
    /// The same, in a sentence.
    pub says: Text,
    /// The relay host that it would go through.
    pub relay: Option<String>,
    /// The MTA-STS policy that holds.
    pub mta_sts: Option<DestinationSts>,
    /// Why no newer policy was had, where one is announced.
    pub mta_sts_failure: Option<String>,
    /// In the order in which they would be tried.
    pub hosts: Vec<DestinationHost>,
    /// The reply that stands for the mail where there are no hosts.
    pub refusal: Option<String>,
}

/// An MTA-STS policy.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DestinationSts {
    /// The id of its record.
    pub id: String,
    /// `none`, `testing` or `enforce`.
    pub mode: &'static str,
    /// What that means, in a sentence.
    pub says: Text,
    /// Names of hosts; `*.` stands for one label.
    pub mx: Vec<String>,
    /// When it was fetched.
    pub fetched_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

/// A host that may take the mail.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DestinationHost {
    /// Its name.
    pub name: String,
    /// Where it would be met, with the port.
    pub addresses: Vec<String>,
    /// DNSSEC proves that it is the destination's host.
    pub is_proved: bool,
    /// `dane`, `dane_unusable`, `mta_sts`, `mta_sts_testing`, `required`, `opportunistic`, `clear` or `refused`.
    pub demand: &'static str,
    /// No mail goes to it without TLS.
    pub wants_tls: bool,
    /// What holds, in a sentence.
    pub says: Text,
    /// Its TLSA records that DNSSEC proves, as zone files write them.
    pub tlsa: Vec<String>,
    /// The reply that stands for the mail, where the host isn't used.
    pub reply: Option<String>,
}

/// Who looks ahead, and how often.
#[derive(Debug)]
pub struct Outlook {
    foretell: Box<dyn Foretell>,
    pace: Pace,
}

impl Outlook {
    /// Looks with `foretell`.
    pub fn new(foretell: impl Foretell + 'static) -> Self {
        Self { foretell: Box::new(foretell), pace: Pace::new(LOOKS_AT_ONCE, LOOKS) }
    }
}

impl Service {
    /// What would become of mail to `destination`, a domain or an address: asked of the DNS now. At most 30 looks a minute, 4 at once, 20 seconds each.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no domain admin; [`Failure::Unfit`] on `destination`; [`Failure::Clash`] where this house delivers nothing, or the DNS
    /// takes too long; [`Failure::TooMany`].
    pub async fn look_ahead(&self, by: &Actor, destination: &str) -> Result<DestinationView, Failure> {
        by.require(Role::DomainAdmin)?;
        let destination = parse(destination)?;
        let absent = || Failure::clash("destination", Text::new("destination-no-delivery"));
        let outlook = self.operations.outlook.as_ref().ok_or_else(absent)?;
        let _place = outlook.pace.admit(self.store.now())?;
        let slow = |_| Failure::clash("destination", Text::new("destination-slow"));
        let forecast = timeout(PATIENCE, outlook.foretell.foretell(&destination)).await.map_err(slow)?;
        Ok(view(&destination, forecast, self.store.now()))
    }
}

fn parse(text: &str) -> Result<Domain, Failure> {
    let text = text.trim();
    if text.contains('@') {
        return Ok(checks::address("destination", text).map(|Address { domain, .. }| domain)?);
    }
    Ok(checks::domain("destination", text)?)
}

fn view(destination: &Domain, forecast: Forecast, now: Timestamp) -> DestinationView {
    let outcome = outcome(&forecast);
    let Forecast { relay, sts, sts_failure, hosts, refusal } = forecast;
    let id = match (outcome, &relay) {
        ("protected", None) => "destination-protected",
        ("protected", Some(_)) => "destination-protected-relay",
        ("open", None) => "destination-open",
        ("open", Some(_)) => "destination-open-relay",
        ("held", _) => "destination-held",
        _ => "destination-returned",
    };
    DestinationView {
        destination: destination.to_unicode(),
        at: now.into(),
        outcome,
        says: Text::new(id)
            .with("domain", destination.to_unicode())
            .with("relay", relay.as_ref().map(Domain::to_unicode).unwrap_or_default()),
        relay: relay.as_ref().map(Domain::to_unicode),
        mta_sts: sts.map(sts_view),
        mta_sts_failure: sts_failure,
        hosts: hosts.into_iter().map(host_view).collect(),
        refusal,
    }
}

/// Mail goes to the first host that is used; the others count, too, for it goes to them where the first is down.
fn outcome(forecast: &Forecast) -> &'static str {
    if let Some(refusal) = &forecast.refusal {
        return if refusal.starts_with('5') { "refused" } else { "held" };
    }
    let mut used = forecast.hosts.iter().map(|host| &host.demand).filter(|it| !matches!(it, Demand::Refused(_)));
    match used.next() {
        None => "held",
        Some(first) if first.wants_tls() && used.all(Demand::wants_tls) => "protected",
        Some(_) => "open",
    }
}

fn sts_view(sts: ForecastSts) -> DestinationSts {
    let says = match sts.mode {
        "enforce" => "destination-mode-enforce",
        "testing" => "destination-mode-testing",
        _ => "destination-mode-none",
    };
    DestinationSts {
        id: sts.id,
        mode: sts.mode,
        says: Text::new(says),
        mx: sts.mx,
        fetched_at: sts.fetched_at.into(),
        expires_at: sts.expires_at.into(),
    }
}

fn host_view(host: ForecastHost) -> DestinationHost {
    DestinationHost {
        name: host.name.to_unicode(),
        addresses: host.addresses,
        is_proved: host.is_proved,
        demand: host.demand.as_str(),
        wants_tls: host.demand.wants_tls(),
        says: host.demand.says(),
        tlsa: host.tlsa,
        reply: if let Demand::Refused(reply) = host.demand { Some(reply) } else { None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(demand: Demand) -> ForecastHost {
        let name = Domain::parse("mx.example").unwrap();
        ForecastHost { name, addresses: Vec::new(), is_proved: false, demand, tlsa: Vec::new() }
    }

    #[test]
    fn mail_is_protected_only_where_every_host_that_is_used_must_show_tls() {
        let check = |demands: &[Demand], refusal: Option<&str>, expected: &str| {
            let hosts = demands.iter().cloned().map(host).collect();
            let forecast = Forecast { hosts, refusal: refusal.map(str::to_owned), ..Forecast::default() };
            assert_eq!(outcome(&forecast), expected, "{demands:?} {refusal:?}");
        };
        let refused = Demand::Refused("454 4.7.5 no".to_owned());
        check(&[Demand::Dane, Demand::Sts], None, "protected");
        check(&[Demand::Dane, Demand::Opportunistic], None, "open");
        check(&[refused.clone(), Demand::Dane], None, "protected");
        check(&[Demand::StsTesting { is_named: true }], None, "open");
        check(std::slice::from_ref(&refused), None, "held");
        check(&[], Some("451 4.4.3 the DNS gave no answer"), "held");
        check(&[], Some("556 5.1.10 takes no mail"), "refused");
    }

    #[test]
    fn an_address_stands_for_its_domain() {
        assert_eq!(parse(" ann@example.org ").unwrap().as_str(), "example.org");
        assert_eq!(parse("example.org").unwrap().as_str(), "example.org");
        assert!(parse("[192.0.2.1]").is_err());
        assert!(parse("").is_err());
    }
}
