//! What the doors really show.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::DoorView;
use serde::{Deserialize, Serialize};

use super::head::{Head, head};
use crate::kit::{self, Complaints, Frame, Oops, Owner, Routes, Time, again, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::CERTIFICATE_DOORS, doors)
}

#[derive(Debug, Template)]
#[template(path = "panel/certificates/doors.html")]
struct DoorsPage {
    head: Head,
    name: String,
    complaints: Complaints,
    /// None: nobody has looked.
    doors: Option<Vec<Door>>,
    frame: Frame,
}

/// What a door showed.
#[derive(Debug)]
struct Door {
    protocol: String,
    at: String,
    state: kit::State,
    says: String,
    names: String,
    issuer: String,
    until: Option<Time>,
    version: String,
}

impl Door {
    fn of(frame: &Frame, view: DoorView) -> Self {
        let state = match (view.is_right, &view.version) {
            (true, _) => frame.state("ok", "certificates-page-right"),
            (false, Some(_)) => frame.state("warn", "certificates-page-other"),
            (false, None) => frame.state("bad", "certificates-page-silent"),
        };
        Self {
            protocol: view.door.protocol,
            at: view.door.at,
            state,
            says: frame.tell(&view.says),
            names: view.names.join(", "),
            issuer: view.issuer,
            until: view.not_after.map(|at| frame.time(at.0)),
            version: view.version.unwrap_or_default(),
        }
    }
}

/// A name, once someone looks.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct DoorsQuery {
    name: Option<String>,
}

async fn doors(owner: Owner, State(web): State<Web>, Query(query): Query<DoorsQuery>) -> Oops {
    let frame = owner.frame(&web);
    let head = head(&web, &owner.actor, &frame, path::CERTIFICATE_DOORS).await?;
    let is_asked = query.name.is_some();
    let name = query.name.unwrap_or_else(|| frame.host.clone());
    let page = DoorsPage { head, name, complaints: Complaints::default(), doors: None, frame };
    if !is_asked {
        return Ok(shown(&page));
    }
    match web.service().look_at_doors(&owner.actor, kit::typed(&page.name).as_deref()).await {
        Ok(found) => {
            let doors = Some(found.into_iter().map(|view| Door::of(&page.frame, view)).collect());
            Ok(shown(&DoorsPage { doors, ..page }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&page.frame, failure)?;
            Ok(again(&DoorsPage { complaints, ..page }))
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_service::{Failure, ListenerView, Role, Text};

    use super::super::samples::{at, authority};
    use super::*;
    use crate::kit::samples::draw;

    fn doors_pages(frame: &Frame) -> Vec<DoorsPage> {
        let door = |is_right: bool, version: Option<&str>, says: Text| {
            let view = DoorView {
                door: ListenerView {
                    protocol: "imaps".to_owned(),
                    at: "[2001:db8::25]:993".to_owned(),
                    tls: "implicit".to_owned(),
                },
                name: "mx.example.org".to_owned(),
                names: vec!["mx.example.org".to_owned()],
                issuer: "CN=E7".to_owned(),
                not_after: version.map(|_| at(64)),
                version: version.map(str::to_owned),
                is_right,
                says,
            };
            Door::of(frame, view)
        };
        let page = |doors: Option<Vec<Door>>, complaints| DoorsPage {
            head: Head::of(frame, Role::Owner, path::CERTIFICATE_DOORS, true, Some(authority(true, None))),
            name: "mx.example.org".to_owned(),
            complaints,
            doors,
            frame: frame.clone(),
        };
        let seen = vec![
            door(true, Some("TLS1.3"), Text::new("certificate-door-right")),
            door(false, Some("TLS1.2"), Text::new("certificate-door-other")),
            door(false, None, Text::new("certificate-door-silent").with("why", "Connection refused")),
        ];
        let bad = Complaints::of(frame, Failure::unfit("name", Text::new("certificate-no-name"))).unwrap();
        vec![
            page(None, Complaints::default()),
            page(Some(seen), Complaints::default()),
            page(Some(Vec::new()), Complaints::default()),
            page(None, bad),
        ]
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame| doors_pages(&frame));
    }
}
