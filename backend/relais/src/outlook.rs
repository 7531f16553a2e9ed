//! What the queue's worker would do, in the words of the use-cases.

use std::net::SocketAddr;

use data_encoding::HEXLOWER;
use relais_certs::Doing;
use relais_delivery::{PlannedHost, PlannedPolicy, PlannedSts, Planner, TlsaRecord, TransportPlan};
use relais_model::Domain;
use relais_service::{Demand, Forecast, ForecastHost, ForecastSts, Foretell};

/// Asks the worker.
#[derive(Debug)]
pub(crate) struct Seer(pub(crate) Planner);

impl Foretell for Seer {
    fn foretell<'a>(&'a self, destination: &'a Domain) -> Doing<'a, Forecast> {
        Box::pin(async move { forecast(self.0.plan(destination).await) })
    }
}

fn forecast(plan: TransportPlan) -> Forecast {
    Forecast {
        relay: plan.relay,
        sts: plan.sts.map(sts),
        sts_failure: plan.sts_failure,
        hosts: plan.hosts.into_iter().map(host).collect(),
        refusal: plan.refusal.map(|reply| reply.to_string()),
    }
}

fn sts(planned: PlannedSts) -> ForecastSts {
    let PlannedSts { id, policy, fetched_at, expires_at } = planned;
    ForecastSts { id, mode: policy.mode.as_str(), mx: policy.mx, fetched_at, expires_at }
}

fn host(planned: PlannedHost) -> ForecastHost {
    let demand = match planned.policy {
        PlannedPolicy::Dane { .. } => Demand::Dane,
        PlannedPolicy::DaneUnusable { .. } => Demand::DaneUnusable,
        PlannedPolicy::Sts => Demand::Sts,
        PlannedPolicy::StsTesting { is_named } => Demand::StsTesting { is_named },
        PlannedPolicy::Required => Demand::Required,
        PlannedPolicy::Opportunistic => Demand::Opportunistic,
        PlannedPolicy::Clear => Demand::Clear,
        PlannedPolicy::Refused(reply) => Demand::Refused(reply.to_string()),
    };
    ForecastHost {
        name: planned.name,
        addresses: planned.addresses.iter().map(SocketAddr::to_string).collect(),
        is_proved: planned.is_proved,
        demand,
        tlsa: planned.tlsa.iter().map(record).collect(),
    }
}

/// RFC 6698 §2.2.
fn record(TlsaRecord { usage, selector, matching, data }: &TlsaRecord) -> String {
    format!("{usage} {selector} {matching} {}", HEXLOWER.encode(data))
}
