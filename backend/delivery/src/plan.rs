//! What would become of mail to a destination, without sending any.

use std::net::SocketAddr;

use relais_model::{Domain, Reply};
use relais_smtp::sts::StsPolicy;

use crate::attempt::Courier;
use crate::hosts::MxHost;
use crate::policy::{Policy, policy_of};
use crate::ports::TlsaRecord;
use crate::route::{NextHop, RelayTls};
use crate::sts::Known;

/// Where mail would go now, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportPlan {
    /// Whose mail.
    pub destination: Domain,
    /// The relay host that the administrator's rules name; none where it goes to the MX hosts.
    pub relay: Option<Domain>,
    /// Its MTA-STS policy; none where there is none, or where mail goes through a relay host.
    pub sts: Option<PlannedSts>,
    /// Why no newer policy was had, where one is announced.
    pub sts_failure: Option<String>,
    /// In the order in which they would be tried.
    pub hosts: Vec<PlannedHost>,
    /// What would be said of the mail where there are no hosts.
    pub refusal: Option<Reply>,
}

/// An MTA-STS policy that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSts {
    /// The id of its record when it was fetched.
    pub id: String,
    /// What it asks.
    pub policy: StsPolicy,
    /// When it was fetched.
    pub fetched_at: relais_model::Timestamp,
    /// When it ends.
    pub expires_at: relais_model::Timestamp,
}

/// A host that may take the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedHost {
    /// Its name.
    pub name: Domain,
    /// Where it would be met.
    pub addresses: Vec<SocketAddr>,
    /// DNSSEC proves that it is the destination's host.
    pub is_proved: bool,
    /// What holds.
    pub policy: PlannedPolicy,
    /// Its TLSA records, where they count.
    pub tlsa: Vec<TlsaRecord>,
}

/// What would be asked of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedPolicy {
    /// DANE: a certificate that its TLSA records name.
    Dane {
        /// The name below which they stand.
        base: Domain,
    },
    /// TLS with any certificate: none of its TLSA records can be used.
    DaneUnusable {
        /// The name below which they stand.
        base: Domain,
    },
    /// MTA-STS, enforced: a certificate that a known authority gave for its name.
    Sts,
    /// MTA-STS in its testing: TLS where it works.
    StsTesting {
        /// The policy lists the host.
        is_named: bool,
    },
    /// The administrator wants TLS, with a certificate that a known authority gave for its name.
    Required,
    /// No policy: TLS where it works, clear text else.
    Opportunistic,
    /// Clear text, as the administrator said.
    Clear,
    /// It isn't used: what would be said of the mail.
    Refused(Reply),
}

impl Courier {
    /// What would become of mail to `destination`, whose next hop is `next_hop`.
    pub(crate) async fn plan(&self, next_hop: &NextHop, destination: &Domain) -> TransportPlan {
        let (relay, known) = match next_hop {
            NextHop::Relay(relay) => (Some(relay), Known::default()),
            NextHop::Mx(domain) if domain.is_literal() => (None, Known::default()),
            NextHop::Mx(domain) => (None, self.policies.policy(domain, &self.ports, &self.tls).await),
        };
        let sts = known.policy().zip(known.kept.as_ref()).map(|(policy, kept)| PlannedSts {
            id: kept.id.clone(),
            policy: StsPolicy::clone(policy),
            fetched_at: kept.fetched_at,
            expires_at: kept.expires_at,
        });
        let mut plan = TransportPlan {
            destination: destination.clone(),
            relay: relay.map(|relay| relay.host.clone()),
            sts,
            sts_failure: known.failure.as_ref().map(ToString::to_string),
            hosts: Vec::new(),
            refusal: None,
        };
        match self.finder().hosts(next_hop).await {
            Ok(hosts) => {
                for host in hosts {
                    let policy = match relay {
                        Some(relay) if relay.tls == RelayTls::None => PlannedPolicy::Clear,
                        Some(_) => PlannedPolicy::Required,
                        None => self.planned_policy(destination, &host, &known).await,
                    };
                    let MxHost { name, addresses, is_secure, .. } = host;
                    let tlsa = self.tlsa(&policy).await;
                    plan.hosts.push(PlannedHost { name, addresses, is_proved: is_secure, policy, tlsa });
                }
            }
            Err(reply) => plan.refusal = Some(reply),
        }
        plan
    }

    /// The records that `policy` stands on: they were asked for just now, and the resolver still knows them.
    async fn tlsa(&self, policy: &PlannedPolicy) -> Vec<TlsaRecord> {
        let (PlannedPolicy::Dane { base } | PlannedPolicy::DaneUnusable { base }) = policy else { return Vec::new() };
        let Ok(name) = Domain::parse(&format!("_{}._tcp.{base}", self.config.mx_port)) else { return Vec::new() };
        self.ports.resolver.tlsa(&name).await.map(|found| found.records).unwrap_or_default()
    }

    async fn planned_policy(&self, destination: &Domain, host: &MxHost, sts: &Known) -> PlannedPolicy {
        match policy_of(&*self.ports.resolver, self.config.mx_port, destination, host, sts).await {
            Ok(Policy::Dane(dane)) => PlannedPolicy::Dane { base: dane.base().clone() },
            Ok(Policy::DaneUnusable(base)) => PlannedPolicy::DaneUnusable { base },
            Ok(Policy::Sts(_)) => PlannedPolicy::Sts,
            Ok(Policy::StsTesting { is_named, .. }) => PlannedPolicy::StsTesting { is_named },
            Ok(Policy::Required) => PlannedPolicy::Required,
            Ok(Policy::Opportunistic) => PlannedPolicy::Opportunistic,
            Ok(Policy::Never) => PlannedPolicy::Clear,
            Err(refusal) => PlannedPolicy::Refused(refusal.reply),
        }
    }
}
