//! Webhooks: whom the house tells what happens, what was told, and whether it was taken.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use relais_service::{
    Actor, CreatedWebhook, NewWebhookForm, Paging, Reach, Rows, Text, WebhookDeliveryView, WebhookForm, WebhookView,
};
use serde::Deserialize;

use super::question::QuestionPage;
use super::sign_in::Nothing;
use crate::kit::{
    Admin, Choice, Complaints, Flash, FlashKind, Form, Frame, ListQuery, Oops, Pager, Routes, Time, again, done,
    redirect, render, shown,
};
use crate::{Web, kit, path};

/// What can be told, in the order of the form.
const EVENTS: [&str; 5] = ["message.delivered", "message.failed", "message.received", "account.signed_in", "dns.worse"];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::WEBHOOKS, list)
        .get(path::WEBHOOK_NEW, new_form)
        .post(path::WEBHOOK_NEW, create)
        .get(path::WEBHOOK, webhook)
        .get(path::WEBHOOK_EDIT, edit_form)
        .post(path::WEBHOOK_EDIT, edit)
        .post(path::WEBHOOK_TEST, test)
        .post(path::WEBHOOK_SWITCH, switch)
        .post(path::WEBHOOK_RESEND, resend)
        .get(path::WEBHOOK_REMOVE, remove_form)
        .post(path::WEBHOOK_REMOVE, remove)
}

/// One webhook, as list and page show it.
#[derive(Debug)]
struct Hook {
    href: String,
    url: String,
    description: String,
    events: Vec<String>,
    domain: String,
    state: kit::State,
    is_enabled: bool,
    stopped_because: String,
    created: Time,
}

impl Hook {
    fn of(frame: &Frame, webhook: WebhookView) -> Self {
        let state = match (webhook.enabled, &webhook.stopped_because) {
            (true, _) => frame.state("ok", "webhooks-page-on"),
            (false, Some(_)) => frame.state("bad", "webhooks-page-stopped"),
            (false, None) => frame.state("off", "webhooks-page-off"),
        };
        Self {
            href: path::of(path::WEBHOOKS, &webhook.id),
            events: webhook.events.iter().map(|event| frame.say(&event_id(event))).collect(),
            domain: webhook.domain.unwrap_or_else(|| frame.say("webhooks-page-all-domains")),
            state,
            is_enabled: webhook.enabled,
            stopped_because: webhook.stopped_because.unwrap_or_default(),
            created: frame.time(webhook.created_at.0),
            url: webhook.url,
            description: webhook.description,
        }
    }
}

impl Hook {
    /// The path of an act upon it.
    fn act(&self, act: &str) -> String {
        format!("{}/{act}", self.href)
    }
}

/// The name of an event's words in the catalogue.
fn event_id(event: &str) -> String {
    format!("webhooks-page-event-{}", event.replace(['.', '_'], "-"))
}

#[derive(Debug, Template)]
#[template(path = "panel/webhooks/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Hook>,
    pager: Pager,
}

impl ListPage {
    fn of(frame: Frame, found: Rows<WebhookView>, is_first: bool) -> Self {
        let with = |after: String| ListQuery { after, ..ListQuery::default() };
        Self {
            pager: Pager::of(&frame, path::WEBHOOKS, found.rows.len(), found.next.as_deref(), is_first, with),
            rows: found.rows.into_iter().map(|webhook| Hook::of(&frame, webhook)).collect(),
            frame,
        }
    }
}

async fn list(admin: Admin, State(web): State<Web>, Query(fields): Query<ListQuery>) -> Oops {
    let found = web.service().webhooks(&admin.actor, fields.paging()).await?;
    Ok(shown(&ListPage::of(admin.frame(&web), found, fields.after.is_empty())))
}

/// What a webhook's form sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Fields {
    url: String,
    description: String,
    domain: String,
    event: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "panel/webhooks/form.html")]
struct FormPage {
    frame: Frame,
    complaints: Complaints,
    /// None: it is new.
    edited: Option<String>,
    action: String,
    back: String,
    fields: Fields,
    events: Vec<Choice>,
    domains: Vec<Choice>,
    /// Who serves some domains chooses one of them; an owner may type one.
    is_chosen_from: bool,
}

impl FormPage {
    fn of(frame: Frame, by: &Actor, edited: Option<&WebhookView>, fields: Fields, complaints: Complaints) -> Self {
        let event = |event: &str| Choice {
            value: event.to_owned(),
            title: frame.say(&event_id(event)),
            is_chosen: fields.event.iter().any(|chosen| chosen == event),
        };
        let domains = match &by.reach {
            Reach::All => Vec::new(),
            Reach::Domains(domains) => domains
                .iter()
                .map(|(_, domain)| Choice::new(domain.as_str(), domain.to_unicode(), &fields.domain))
                .collect(),
        };
        let here = edited.map(|webhook| path::of(path::WEBHOOKS, &webhook.id));
        Self {
            action: here.as_ref().map_or_else(|| path::WEBHOOK_NEW.to_owned(), |here| format!("{here}/edit")),
            back: here.unwrap_or_else(|| path::WEBHOOKS.to_owned()),
            edited: edited.map(|webhook| webhook.url.clone()),
            events: EVENTS.map(event).into(),
            domains,
            is_chosen_from: by.reach != Reach::All,
            complaints,
            fields,
            frame,
        }
    }
}

async fn new_form(admin: Admin, State(web): State<Web>) -> Oops {
    let fields =
        Fields { event: vec!["message.delivered".to_owned(), "message.failed".to_owned()], ..Fields::default() };
    Ok(shown(&FormPage::of(admin.frame(&web), &admin.actor, None, fields, Complaints::default())))
}

/// A webhook that was made, with its secret: it is shown this once, so no other page can be led to.
#[derive(Debug, Template)]
#[template(path = "panel/webhooks/created.html")]
struct CreatedPage {
    frame: Frame,
    href: String,
    url: String,
    secret: String,
}

impl CreatedPage {
    fn of(frame: Frame, created: CreatedWebhook) -> Self {
        let href = path::of(path::WEBHOOKS, &created.webhook.id);
        Self { frame, href, url: created.webhook.url, secret: created.secret }
    }
}

async fn create(admin: Admin, State(web): State<Web>, Form(fields): Form<Fields>) -> Oops {
    let form = NewWebhookForm {
        url: fields.url.clone(),
        events: fields.event.clone(),
        description: fields.description.clone(),
        domain: kit::typed(&fields.domain),
    };
    let frame = admin.frame(&web);
    match web.service().create_webhook(&admin.actor, &form).await {
        Ok(created) => Ok(render(StatusCode::CREATED, &CreatedPage::of(frame, created))),
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&FormPage::of(frame, &admin.actor, None, fields, complaints)))
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/webhooks/webhook.html")]
struct WebhookPage {
    frame: Frame,
    hook: Hook,
    deliveries: Vec<Delivery>,
    pager: Pager,
}

/// One event on its way.
#[derive(Debug)]
struct Delivery {
    event_id: String,
    event: String,
    state: kit::State,
    attempts: String,
    created: Time,
    next: Option<Time>,
    /// What the other side answered last; empty before the first attempt.
    answer: String,
    payload: String,
}

impl Delivery {
    fn of(frame: &Frame, delivery: WebhookDeliveryView) -> Self {
        let state = match delivery.state {
            "delivered" => frame.state("ok", "webhooks-page-taken"),
            "given_up" => frame.state("bad", "webhooks-page-given-up"),
            _ => frame.state("wait", "webhooks-page-waits"),
        };
        let status = delivery.last_status.map(|status| format!("HTTP {status}"));
        let event = if EVENTS.contains(&delivery.event.as_str()) {
            frame.say(&event_id(&delivery.event))
        } else {
            delivery.event
        };
        Self {
            event,
            state,
            attempts: frame.number(delivery.attempts.into()),
            created: frame.time(delivery.created_at.0),
            next: delivery.next_attempt_at.map(|at| frame.time(at.0)),
            answer: [status, delivery.last_error].into_iter().flatten().collect::<Vec<_>>().join(": "),
            event_id: delivery.event_id,
            payload: delivery.payload,
        }
    }
}

impl WebhookPage {
    fn of(frame: Frame, webhook: WebhookView, found: Rows<WebhookDeliveryView>, is_first: bool) -> Self {
        let hook = Hook::of(&frame, webhook);
        let with = |after: String| ListQuery { after, ..ListQuery::default() };
        Self {
            pager: Pager::of(&frame, &hook.href, found.rows.len(), found.next.as_deref(), is_first, with),
            deliveries: found.rows.into_iter().map(|delivery| Delivery::of(&frame, delivery)).collect(),
            hook,
            frame,
        }
    }
}

async fn webhook(
    admin: Admin,
    State(web): State<Web>,
    Path(id): Path<String>,
    Query(fields): Query<ListQuery>,
) -> Oops {
    let (service, by) = (web.service(), &admin.actor);
    let webhook = service.webhook(by, &id).await?;
    // Each row holds what was told: fewer fill a page.
    let paging = Paging { limit: DELIVERIES, ..fields.paging() };
    let found = service.webhook_deliveries(by, &id, paging).await?;
    Ok(shown(&WebhookPage::of(admin.frame(&web), webhook, found, fields.after.is_empty())))
}

/// Deliveries of a page.
const DELIVERIES: u32 = 25;

async fn edit_form(admin: Admin, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    let webhook = web.service().webhook(&admin.actor, &id).await?;
    let fields = Fields {
        url: webhook.url.clone(),
        description: webhook.description.clone(),
        domain: String::new(),
        event: webhook.events.iter().map(|event| (*event).to_owned()).collect(),
    };
    Ok(shown(&FormPage::of(admin.frame(&web), &admin.actor, Some(&webhook), fields, Complaints::default())))
}

async fn edit(admin: Admin, State(web): State<Web>, Path(id): Path<String>, Form(fields): Form<Fields>) -> Oops {
    let (service, by) = (web.service(), &admin.actor);
    let form = WebhookForm {
        url: Some(fields.url.clone()),
        events: Some(fields.event.clone()),
        description: Some(fields.description.clone()),
        enabled: None,
    };
    match service.change_webhook(by, &id, &form).await {
        Ok(_) => Ok(done(&path::of(path::WEBHOOKS, &id), Text::new("webhooks-page-saved"))),
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let webhook = service.webhook(by, &id).await?;
            Ok(again(&FormPage::of(frame, by, Some(&webhook), fields, complaints)))
        }
    }
}

/// Tells a test event now, and says what came of it.
async fn test(admin: Admin, State(web): State<Web>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Oops {
    let outcome = web.service().test_webhook(&admin.actor, &id).await?;
    let kind = if outcome.is_taken { FlashKind::Ok } else { FlashKind::Warn };
    Ok(redirect(&path::of(path::WEBHOOKS, &id), &Flash { kind, text: outcome.says, undo: None }))
}

#[derive(Debug, Deserialize)]
struct SwitchForm {
    enabled: String,
}

async fn switch(admin: Admin, State(web): State<Web>, Path(id): Path<String>, Form(form): Form<SwitchForm>) -> Oops {
    let is_enabled = form.enabled == "true";
    let change = WebhookForm { enabled: Some(is_enabled), ..WebhookForm::default() };
    web.service().change_webhook(&admin.actor, &id, &change).await?;
    let said = if is_enabled { "webhooks-page-switched-on" } else { "webhooks-page-switched-off" };
    Ok(done(&path::of(path::WEBHOOKS, &id), Text::new(said)))
}

#[derive(Debug, Deserialize)]
struct ResendForm {
    event: String,
}

async fn resend(admin: Admin, State(web): State<Web>, Path(id): Path<String>, Form(form): Form<ResendForm>) -> Oops {
    web.service().resend_webhook(&admin.actor, &id, &form.event).await?;
    Ok(done(&path::of(path::WEBHOOKS, &id), Text::new("webhooks-page-resent")))
}

fn ask_to_remove(frame: Frame, webhook: &WebhookView) -> QuestionPage {
    let back = path::of(path::WEBHOOKS, &webhook.id);
    let address = Text::new("webhooks-page-goes-address").with("url", webhook.url.as_str());
    QuestionPage {
        title: frame.say("webhooks-page-remove-title"),
        text: frame.say("webhooks-page-remove-text"),
        goes: vec![frame.tell(&address), frame.say("webhooks-page-goes-waiting")],
        action: format!("{back}/remove"),
        act: frame.say("webhooks-page-remove"),
        back,
        kind: "danger",
        version: String::new(),
        frame,
    }
}

async fn remove_form(admin: Admin, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    let webhook = web.service().webhook(&admin.actor, &id).await?;
    Ok(shown(&ask_to_remove(admin.frame(&web), &webhook)))
}

async fn remove(
    admin: Admin,
    State(web): State<Web>,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<axum::response::Response, kit::PageError> {
    web.service().remove_webhook(&admin.actor, &id).await?;
    Ok(done(path::WEBHOOKS, Text::new("webhooks-page-removed")))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{Failure, Moment, Role, Via};

    use super::*;
    use crate::kit::samples::draw;

    fn at(minutes: i64) -> Moment {
        Moment(Timestamp::from_millis(1_795_428_000_000 + minutes * 60_000))
    }

    fn hook(url: &str, stopped_because: Option<&str>) -> WebhookView {
        WebhookView {
            id: "wh_1".to_owned(),
            url: url.to_owned(),
            events: EVENTS.into(),
            description: "The shop's order mails".to_owned(),
            domain: stopped_because.map(|_| "example.org".to_owned()),
            enabled: stopped_because.is_none(),
            stopped_because: stopped_because.filter(|why| !why.is_empty()).map(str::to_owned),
            created_at: at(-90_000),
        }
    }

    fn hooks() -> Vec<WebhookView> {
        vec![
            hook("https://hooks.example.org/relais", None),
            hook(
                "https://a-very-long-host-name.of-a-cloud-provider.example/v1/tenants/4711/webhooks/incoming/relais",
                Some("HTTP 500"),
            ),
            hook("https://off.example.org/", Some("")),
        ]
    }

    fn lists(frame: Frame) -> Vec<ListPage> {
        let found = |rows| Rows { rows, next: None };
        vec![ListPage::of(frame.clone(), found(hooks()), true), ListPage::of(frame, found(Vec::new()), true)]
    }

    fn forms(frame: Frame) -> Vec<FormPage> {
        let owner = Actor { via: Via::Panel, ..Actor::command_line() };
        let domain = relais_model::Domain::parse("example.org").unwrap();
        let admin = Actor {
            role: Role::DomainAdmin,
            reach: Reach::Domains(vec![(relais_store::DomainKey::new(1), domain)]),
            ..owner.clone()
        };
        let complaints = Complaints::of(&frame, Failure::unfit("url", Text::new("webhook-no-https"))).unwrap();
        let fields =
            Fields { url: "http://x".to_owned(), event: vec!["message.failed".to_owned()], ..Fields::default() };
        vec![
            FormPage::of(frame.clone(), &owner, None, Fields::default(), Complaints::default()),
            FormPage::of(frame.clone(), &admin, None, fields.clone(), complaints),
            FormPage::of(
                frame,
                &owner,
                Some(&hook("https://hooks.example.org/relais", None)),
                fields,
                Complaints::default(),
            ),
        ]
    }

    #[expect(clippy::needless_pass_by_value, reason = "samples are made of a frame of their own")]
    fn pages(frame: Frame) -> Vec<WebhookPage> {
        let delivery = |state, event: &str, status: Option<u16>, error: Option<&str>| WebhookDeliveryView {
            event_id: "evt_1".to_owned(),
            event: event.to_owned(),
            state,
            attempts: 3,
            created_at: at(-30),
            next_attempt_at: (state == "waiting").then(|| at(12)),
            last_attempt_at: status.map(|_| at(-2)),
            last_status: status,
            last_error: error.map(str::to_owned),
            payload: r#"{"type":"message.delivered","data":{"recipient":"bob@gmail.example"}}"#.to_owned(),
        };
        let rows = vec![
            delivery("delivered", "message.delivered", Some(204), None),
            delivery("waiting", "message.failed", None, Some("no answer in time")),
            delivery("given_up", "something.new", Some(500), Some("Internal Server Error")),
        ];
        let found = |rows| Rows { rows, next: Some("x".to_owned()) };
        let page = |hook, rows| WebhookPage::of(frame.clone(), hook, found(rows), false);
        let mut pages: Vec<_> = hooks().into_iter().map(|hook| page(hook, rows.clone())).collect();
        pages.push(page(hook("https://hooks.example.org/relais", None), Vec::new()));
        pages
    }

    #[test]
    fn pages_are_drawn() {
        draw(lists);
        draw(forms);
        draw(pages);
        draw(|frame| {
            let webhook = hook("https://hooks.example.org/relais", None);
            vec![CreatedPage::of(
                frame,
                CreatedWebhook { webhook, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned() },
            )]
        });
        draw(|frame| vec![ask_to_remove(frame, &hook("https://hooks.example.org/relais", None))]);
    }
}
