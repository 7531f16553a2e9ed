//! What would become of mail to a destination: asked live, and nothing is sent.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{DestinationHost, DestinationView};
use serde::Deserialize;

use crate::kit::{self, Admin, Complaints, Frame, Oops, Routes, Time, again, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::DESTINATION, look)
}

#[derive(Debug, Template)]
#[template(path = "panel/queue/destination.html")]
struct DestinationPage {
    frame: Frame,
    complaints: Complaints,
    destination: String,
    /// None: nobody has asked.
    found: Option<Found>,
}

/// What would become of it.
#[derive(Debug)]
struct Found {
    kind: &'static str,
    says: String,
    refusal: String,
    sts: Option<Policy>,
    /// Empty where nothing failed.
    sts_failure: String,
    hosts: Vec<Host>,
}

#[derive(Debug)]
struct Policy {
    says: String,
    id: String,
    mx: String,
    fetched: Time,
    expires: Time,
}

#[derive(Debug)]
struct Host {
    name: String,
    addresses: Vec<String>,
    proof: kit::State,
    demand: kit::State,
    says: String,
    tlsa: Vec<String>,
    reply: String,
}

impl Host {
    fn of(frame: &Frame, host: DestinationHost) -> Self {
        let demand = match (host.reply.is_some(), host.wants_tls, host.demand) {
            (true, ..) => frame.state("bad", "destination-page-unused"),
            (_, true, "dane") => frame.state("ok", "destination-page-dane"),
            (_, true, "mta_sts") => frame.state("ok", "destination-page-sts"),
            (_, true, _) => frame.state("ok", "destination-page-tls"),
            (.., "clear") => frame.state("warn", "destination-page-clear"),
            _ => frame.state("warn", "destination-page-maybe"),
        };
        let proof =
            if host.is_proved { ("ok", "destination-page-proved") } else { ("off", "destination-page-unproved") };
        Self {
            name: host.name,
            addresses: host.addresses,
            proof: frame.state(proof.0, proof.1),
            demand,
            says: frame.tell(&host.says),
            tlsa: host.tlsa,
            reply: host.reply.unwrap_or_default(),
        }
    }
}

impl Found {
    fn of(frame: &Frame, view: DestinationView) -> Self {
        let kind = match view.outcome {
            "protected" => "ok",
            "open" => "warn",
            _ => "bad",
        };
        let policy = view.mta_sts.map(|sts| Policy {
            says: frame.tell(&sts.says),
            id: sts.id,
            mx: sts.mx.join(", "),
            fetched: frame.time(sts.fetched_at.0),
            expires: frame.time(sts.expires_at.0),
        });
        Self {
            kind,
            says: frame.tell(&view.says),
            refusal: view.refusal.unwrap_or_default(),
            sts: policy,
            sts_failure: view.mta_sts_failure.unwrap_or_default(),
            hosts: view.hosts.into_iter().map(|host| Host::of(frame, host)).collect(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DestinationQuery {
    destination: String,
}

async fn look(admin: Admin, State(web): State<Web>, Query(query): Query<DestinationQuery>) -> Oops {
    let frame = admin.frame(&web);
    let destination = query.destination;
    if destination.trim().is_empty() {
        return Ok(shown(&DestinationPage { frame, complaints: Complaints::default(), destination, found: None }));
    }
    match web.service().look_ahead(&admin.actor, &destination).await {
        Ok(view) => {
            let found = Some(Found::of(&frame, view));
            Ok(shown(&DestinationPage { frame, complaints: Complaints::default(), destination, found }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&DestinationPage { frame, complaints, destination, found: None }))
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{DestinationSts, Moment, Text};

    use super::*;
    use crate::kit::samples::draw;

    fn host(demand: &'static str, says: &'static str) -> DestinationHost {
        DestinationHost {
            name: "mx.example.org".to_owned(),
            addresses: vec!["192.0.2.1:25".to_owned()],
            is_proved: demand == "dane",
            demand,
            wants_tls: demand != "opportunistic",
            says: Text::new(says),
            tlsa: if demand == "dane" { vec!["3 1 1 00".to_owned()] } else { Vec::new() },
            reply: (demand == "refused").then(|| "454 4.7.5 not named".to_owned()),
        }
    }

    fn samples(frame: &Frame) -> Vec<DestinationPage> {
        let at = Moment(Timestamp::from_millis(1_795_428_000_000));
        let view = DestinationView {
            destination: "example.org".to_owned(),
            at,
            outcome: "protected",
            says: Text::new("destination-protected").with("domain", "example.org"),
            relay: None,
            mta_sts: Some(DestinationSts {
                id: "20260101".to_owned(),
                mode: "enforce",
                says: Text::new("destination-mode-enforce"),
                mx: vec!["*.example.org".to_owned()],
                fetched_at: at,
                expires_at: at,
            }),
            mta_sts_failure: Some("the policy's server shows a certificate that isn't good".to_owned()),
            hosts: vec![
                host("dane", "destination-dane"),
                host("opportunistic", "destination-opportunistic"),
                host("refused", "destination-refused"),
            ],
            refusal: None,
        };
        let refused = DestinationView {
            outcome: "refused",
            says: Text::new("destination-returned").with("domain", "example.org"),
            mta_sts: None,
            mta_sts_failure: None,
            hosts: Vec::new(),
            refusal: Some("556 5.1.10 takes no mail".to_owned()),
            ..view.clone()
        };
        let page = |found: Option<DestinationView>| DestinationPage {
            frame: frame.clone(),
            complaints: Complaints::default(),
            destination: "example.org".to_owned(),
            found: found.map(|view| Found::of(frame, view)),
        };
        vec![page(None), page(Some(view)), page(Some(refused))]
    }

    #[test]
    fn the_page_is_drawn() {
        draw(|frame| samples(&frame));
    }
}
