//! Where an address leads.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{Leads, Resolved, ResolvedStep, Text};
use serde::Deserialize;

use crate::kit::{Complaints, Desk, Frame, Oops, Routes, again, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::ADDRESS_TRY, resolve)
}

#[derive(Debug, Template)]
#[template(path = "panel/addresses/try.html")]
struct TryPage {
    frame: Frame,
    complaints: Complaints,
    address: String,
    /// None: nothing was tried yet.
    way: Option<Way>,
}

/// Where an address leads.
#[derive(Debug)]
struct Way {
    kind: &'static str,
    verdict: String,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    kind: &'static str,
    symbol: &'static str,
    address: String,
    /// What is found there.
    says: String,
    /// Where it leads on to; empty where it ends here.
    leads: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TryQuery {
    address: String,
}

async fn resolve(desk: Desk, State(web): State<Web>, Query(query): Query<TryQuery>) -> Oops {
    let (frame, address) = (desk.frame(&web), query.address);
    let page = TryPage { frame, complaints: Complaints::default(), address, way: None };
    if page.address.trim().is_empty() {
        return Ok(shown(&page));
    }
    match web.service().addresses.resolve(&desk.actor, &page.address).await {
        Ok(resolved) => {
            let way = Some(Way::of(&page.frame, &resolved));
            Ok(shown(&TryPage { way, ..page }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&page.frame, failure)?;
            Ok(again(&TryPage { complaints, ..page }))
        }
    }
}

impl Way {
    fn of(frame: &Frame, resolved: &Resolved) -> Self {
        let (kind, verdict) = verdict(frame, resolved);
        Self { kind, verdict, steps: resolved.steps.iter().map(|step| Step::of(frame, step)).collect() }
    }
}

/// Colour and sentence of what an address reaches.
fn verdict(frame: &Frame, resolved: &Resolved) -> (&'static str, String) {
    let Resolved { mailboxes, lists, elsewhere, .. } = resolved;
    match (mailboxes.is_empty() && lists.is_empty(), elsewhere.is_empty()) {
        (true, true) => ("bad", frame.say("try-reaches-nobody")),
        (true, false) if resolved.steps.len() == 1 => ("info", frame.say("try-elsewhere")),
        _ => {
            let all: Vec<&str> = mailboxes.iter().chain(lists).chain(elsewhere).map(String::as_str).collect();
            let reaches = Text::new("try-reaches").with("count", all.len()).with("addresses", all.join(", "));
            ("ok", frame.tell(&reaches))
        }
    }
}

impl Step {
    fn of(frame: &Frame, step: &ResolvedStep) -> Self {
        let (kind, symbol, id) = found(step.leads);
        let detail = step.detail.as_deref().map(|detail| Text::new("try-detail").with("detail", detail));
        let through = step.through.as_deref().map(|name| Text::new("try-through").with("name", name));
        let more = detail.iter().chain(&through).map(|text| frame.tell(text));
        let says: Vec<String> = std::iter::once(frame.say(id)).chain(more).collect();
        Self {
            kind,
            symbol,
            address: step.address.clone(),
            says: says.join(" "),
            leads: if step.targets.is_empty() {
                String::new()
            } else {
                frame.tell(&Text::new("try-leads").with("targets", step.targets.join(", ")))
            },
        }
    }
}

/// Colour, icon and sentence of what is found at a step.
const fn found(leads: Leads) -> (&'static str, &'static str, &'static str) {
    match leads {
        Leads::Mailbox => ("ok", "mail", "try-mailbox"),
        Leads::Suspended => ("bad", "pause", "try-suspended"),
        Leads::Alias => ("", "addresses", "try-alias"),
        Leads::Pattern => ("", "addresses", "try-pattern"),
        Leads::Ended => ("bad", "pause", "try-ended"),
        Leads::List => ("", "list", "try-list"),
        Leads::CatchAll => ("", "domains", "try-catch-all"),
        Leads::DomainAlias => ("", "domains", "try-domain-alias"),
        Leads::Elsewhere => ("info", "external", "try-other-host"),
        Leads::Nobody => ("bad", "failed", "try-nobody"),
        Leads::Disabled => ("bad", "off", "try-disabled"),
        Leads::Circle => ("warn", "retry", "try-circle"),
        Leads::TooFar => ("bad", "failed", "try-too-far"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn each_step_of_the_way_is_drawn() {
        let all = [
            Leads::Mailbox,
            Leads::Suspended,
            Leads::Alias,
            Leads::Pattern,
            Leads::Ended,
            Leads::List,
            Leads::CatchAll,
            Leads::DomainAlias,
            Leads::Elsewhere,
            Leads::Nobody,
            Leads::Disabled,
            Leads::Circle,
            Leads::TooFar,
        ];
        let step = |leads| ResolvedStep {
            address: "sales+x@example.org".to_owned(),
            depth: 0,
            leads,
            targets: vec!["ann@example.org".to_owned()],
            detail: Some("x".to_owned()),
            through: Some("sales-*@example.org".to_owned()),
        };
        draw(|frame| {
            let page = |mailboxes: &[&str], elsewhere: &[&str]| {
                let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
                let resolved = Resolved {
                    address: "sales+x@example.org".to_owned(),
                    steps: all.map(step).into(),
                    mailboxes: named(mailboxes),
                    elsewhere: named(elsewhere),
                    lists: Vec::new(),
                };
                TryPage {
                    way: Some(Way::of(&frame, &resolved)),
                    complaints: Complaints::default(),
                    address: resolved.address,
                    frame: frame.clone(),
                }
            };
            vec![page(&[], &[]), page(&["ann@example.org"], &[]), page(&["ann@example.org"], &["x@y.example"])]
        });
    }
}
