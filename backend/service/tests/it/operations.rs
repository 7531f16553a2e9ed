//! Queue, messages, settings, overview, webhooks: what each role sees of whose things, and what is refused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use relais_model::{BodyType, Clock as _, ReversePath, Secret};
use relais_service::{
    Actor, Courier, Failure, MessageQuery, NewWebhookForm, Operations, Paging, Parcel, PostError, Posting, QueueAct,
    QueueQuery, QueueSelection, QueueSort, Role, Service, Verdict, WebhookForm, Webhooks,
};
use relais_store::{
    Acceptance, Author, Claim, Content, Delivery, DomainChange, NewQueued, NewRecipient, Outcome, Settlement, Target,
    TraceId,
};
use relais_testkit::SeededRandom;

use crate::house::{House, address, domain, short};

const ALL: Paging = Paging { after: None, limit: 100 };

/// A message from `sender` waits for these recipients.
async fn queue(house: &House, trace: &str, sender: &str, recipients: &[&str]) {
    let reverse_path = ReversePath::Address(address(sender));
    let recipient = |text: &&str| NewRecipient { address: address(text), notify: None, original: None };
    let queued = NewQueued {
        reverse_path: reverse_path.clone(),
        ret: None,
        envelope_id: None,
        body_type: BodyType::SevenBit,
        smtputf8: false,
        require_tls: false,
        submitter: None,
        recipients: recipients.iter().map(recipient).collect(),
        expires_at: house.clock.now().plus(Duration::from_hours(120)),
    };
    let acceptance = Acceptance {
        content: Content::prepare(format!("Subject: About {trace}\r\n\r\nHello\r\n").into_bytes()),
        reverse_path,
        deliveries: Vec::new(),
        outbound: Some(queued),
        trace: TraceId::parse(trace).unwrap(),
        from_peer: "192.0.2.1".to_owned(),
        judgement: None,
        submission: None,
    };
    house.store.accept(acceptance).await.unwrap();
}

/// What waits is tried; this comes of it.
async fn try_all(house: &House, outcome: &Outcome) {
    let claim = Claim { limit: 100, per_destination: 50, lease: Duration::from_mins(1), busy: Vec::new() };
    let claimed = house.store.queue_claim(claim).await.unwrap();
    let recipients = claimed.iter().flat_map(|claimed| &claimed.recipients);
    let settle =
        |recipient: &relais_store::QueuedRecipient| Settlement { recipient: recipient.key, outcome: outcome.clone() };
    house.store.queue_settle(recipients.map(settle).collect(), Vec::new()).await.unwrap();
}

async fn ids(service: &Service, by: &Actor, query: &QueueQuery) -> Result<Vec<String>, Failure> {
    let rows = service.queue_items(by, query, QueueSort::Oldest, ALL).await?.rows;
    Ok(rows.into_iter().map(|row| row.item).collect())
}

#[tokio::test]
async fn each_sees_and_touches_the_queue_of_their_domains_alone() {
    let house = House::open().await;
    let service = &house.service;
    queue(&house, "one", "user@one.example", &["a@x.example"]).await;
    queue(&house, "two", "far@two.example", &["b@x.example", "c@y.example"]).await;
    let any = QueueQuery::default();
    let [user, desk, admin, owner] = [Role::User, Role::HelpDesk, Role::DomainAdmin, Role::Owner];
    let actor = async |role| house.actor(role, true).await;
    assert_eq!(short(ids(service, &actor(user).await, &any).await), "forbidden: failure-forbidden");
    for role in [desk, admin] {
        assert_eq!(ids(service, &actor(role).await, &any).await.unwrap(), ["one/a@x.example"]);
        assert_eq!(short(service.queue_message(&actor(role).await, "two").await), "absent: queue-absent");
        assert_eq!(short(service.message_story(&actor(role).await, "two").await), "absent: message-absent");
    }
    assert_eq!(ids(service, &actor(owner).await, &any).await.unwrap().len(), 3);
    let chart = service.queue_chart(&actor(admin).await).await.unwrap();
    assert_eq!((chart.total.waiting, chart.destinations.len(), chart.rest), (1, 1, 0));
    let all = QueueSelection::Matching(QueueQuery::default());
    let theirs = QueueSelection::Items(vec!["two".to_owned(), "two/b@x.example".to_owned()]);
    let desk = actor(desk).await;
    assert_eq!(short(service.queue_act(&desk, QueueAct::Hold, &all).await), "forbidden: failure-forbidden");
    let admin = actor(admin).await;
    assert_eq!(service.queue_act(&admin, QueueAct::Remove, &theirs).await, Ok(0), "another tenant's mail");
    assert_eq!(service.queue_act(&admin, QueueAct::Hold, &all).await, Ok(1));
    let owner = actor(owner).await;
    assert_eq!(service.queue_act(&owner, QueueAct::Remove, &theirs).await, Ok(2));
    let held = QueueQuery { state: Some("held".to_owned()), ..any.clone() };
    assert_eq!(ids(service, &owner, &held).await.unwrap(), ["one/a@x.example"]);
    let check = async |query: QueueQuery, expected: &str| {
        assert_eq!(short(ids(service, &owner, &query).await), expected);
    };
    check(QueueQuery { state: Some("lost".to_owned()), ..any.clone() }, "unfit: state queue-no-state").await;
    let bad = QueueQuery { sender: Some("a".to_owned()), recipient: Some("b".to_owned()), ..any.clone() };
    check(bad, "unfit: recipient failure-bad-address, sender failure-bad-address").await;
    for items in [Vec::new(), vec!["a b".to_owned()], vec!["one/nobody".to_owned()], vec!["x".to_owned(); 501]] {
        let refused = service.queue_act(&owner, QueueAct::Retry, &QueueSelection::Items(items)).await;
        assert!(short(refused).starts_with("unfit: items"));
    }
}

#[tokio::test]
async fn a_message_tells_its_story() {
    let house = House::open().await;
    let service = &house.service;
    queue(&house, "m1", "user@one.example", &["a@x.example", "far@two.example"]).await;
    let reply = "451 4.7.1 Greylisted, come again".to_owned();
    let until = house.clock.now().plus(Duration::from_mins(12));
    let remote = "mx.x.example".to_owned();
    try_all(&house, &Outcome::Deferred { until, reply, remote, delay_told: false }).await;
    let owner = house.actor(Role::Owner, true).await;
    let story = service.message_story(&owner, "m1").await.unwrap();
    assert_eq!((story.subject.as_deref(), story.steps.len(), story.recipients.len()), (Some("About m1"), 4, 2));
    assert_eq!(story.steps[3].explanation.cause.id, "explain-greylisted");
    let summary: Vec<_> = story.summary.iter().map(|text| format!("{} {:?}", text.id, text.gaps)).collect();
    assert!(summary[0].starts_with("message-delivered-to "), "{summary:?}");
    assert!(summary[1].starts_with("message-waiting ") && summary[1].contains("Number(12)"), "{summary:?}");
    let admin = house.actor(Role::DomainAdmin, true).await;
    let found = async |by: &Actor, query: &MessageQuery| {
        let rows = service.messages(by, query, ALL).await.unwrap().rows;
        rows.into_iter().map(|row| format!("{} {} {}", row.id, row.recipient, row.kind)).collect::<Vec<_>>()
    };
    let subject = MessageQuery { subject: Some("about M1".to_owned()), ..MessageQuery::default() };
    let both = ["m1 far@two.example deferred", "m1 a@x.example deferred"];
    assert_eq!(found(&owner, &subject).await, both, "the subject stands at the beginning, the fate at the end");
    assert_eq!(found(&admin, &subject).await, both, "the sender is theirs");
    queue(&house, "m2", "far@two.example", &["z@x.example"]).await;
    assert_eq!(found(&admin, &MessageQuery::default()).await, both, "another tenant's message");
    let bad = MessageQuery { id: Some("a b".to_owned()), kind: Some("lost".to_owned()), ..MessageQuery::default() };
    assert_eq!(short(service.messages(&owner, &bad, ALL).await), "unfit: id message-no-id, kind message-no-kind");
    let user = house.actor(Role::User, true).await;
    assert_eq!(short(service.messages(&user, &subject, ALL).await), "forbidden: failure-forbidden");
    let item = service.queue_message(&owner, "m1").await.unwrap();
    assert_eq!((item.recipients.len(), item.attempts.len(), item.attempts[0].remote.as_str()), (2, 2, "mx.x.example"));
}

#[tokio::test]
async fn settings_are_the_owners() {
    let house = House::open().await;
    let (owner, admin) = (house.actor(Role::Owner, true).await, house.actor(Role::DomainAdmin, true).await);
    let service = &house.service;
    let change =
        async |by: &Actor, name: &str, value: Option<&str>| short(service.change_setting(by, name, value).await);
    assert_eq!(change(&admin, "house.name", Some("Post")).await, "forbidden: failure-forbidden");
    assert_eq!(change(&owner, "house.name", Some("Post")).await, "done");
    assert_eq!(change(&owner, "no.such", Some("1")).await, "absent: failure-unknown-setting");
    assert_eq!(change(&owner, "queue.lifetime", Some("1 min")).await, "unfit: value setting-span-out-of-range");
    assert_eq!(change(&owner, "mail.message_octets", Some("big")).await, "unfit: value setting-no-size");
    let name = service.setting(&owner, "house.name").await.unwrap();
    assert_eq!((name.value.as_str(), name.default.as_str(), name.is_set), ("Post", "Relais", true));
    assert_eq!(change(&owner, "house.name", None).await, "done");
    let sections = service.setting_sections(&owner).await.unwrap();
    let count: usize = sections.iter().map(|section| section.settings.len()).sum();
    assert_eq!(count, relais_store::SETTINGS.len());
    assert!(sections.iter().flat_map(|section| &section.settings).all(|setting| !setting.is_set));
}

#[tokio::test]
async fn the_overview_says_what_is_the_matter() {
    let house = House::open().await;
    let (service, owner) = (&house.service, house.actor(Role::Owner, true).await);
    let overview = service.overview(&owner).await.unwrap();
    assert_eq!(
        (overview.verdict, overview.says.id.as_ref(), overview.flow.hours.len()),
        (Verdict::Ok, "overview-ok", 24)
    );
    let todos = |overview: &relais_service::Overview| -> Vec<String> {
        overview.todos.iter().map(|todo| format!("{} {}", todo.says.id, todo.name.as_deref().unwrap_or("-"))).collect()
    };
    // Nobody has a password, and each domain has people.
    assert_eq!(todos(&overview), ["overview-todo-first-phone -"]);
    let three = domain("three.example");
    house.store.add_domain(&three, DomainChange::default(), &Author::house()).await.unwrap();
    house.store.set_password_hash(&address("owner@one.example"), Secret::new("x"), &Author::house()).await.unwrap();
    assert_eq!(
        todos(&service.overview(&owner).await.unwrap()),
        [
            "overview-todo-empty-domain three.example",
            "overview-todo-second-factor owner@one.example",
            "overview-todo-first-phone -"
        ]
    );
    queue(&house, "m1", "far@two.example", &["a@x.example"]).await;
    house.clock.advance(Duration::from_hours(30));
    queue(&house, "m2", "user@one.example", &["b@x.example"]).await;
    try_all(&house, &Outcome::Failed { reply: "550 5.1.1 No".to_owned(), remote: String::new(), is_unknown: true })
        .await;
    queue(&house, "m3", "far@two.example", &["c@x.example"]).await;
    house.clock.advance(Duration::from_hours(25));
    house.store.change_setting(&owner.author(), "warnings.queue_recipients", Some("1")).await.unwrap();
    let overview = service.overview(&owner).await.unwrap();
    let reasons: Vec<_> = overview.reasons.iter().map(|reason| reason.says.id.as_ref()).collect();
    assert_eq!(reasons, ["overview-queue-large", "overview-queue-old"]);
    assert_eq!(overview.verdict, Verdict::Attention);
    let flow = |overview: &relais_service::Overview| overview.flow.hours.iter().map(|hour| hour.failed).sum::<u64>();
    assert_eq!(flow(&overview), 0, "it was 25 hours ago");
    assert_eq!(overview.failures.len(), 2);
    assert_eq!(overview.activity[0].act, "setting.change");
    let admin = house.actor(Role::DomainAdmin, true).await;
    let theirs = service.overview(&admin).await.unwrap();
    assert_eq!((theirs.verdict, theirs.failures.len(), theirs.storage.free_octets), (Verdict::Ok, 1, None));
    assert_eq!(short(service.system(&admin).await), "forbidden: failure-forbidden");
    let system = service.system(&owner).await.unwrap();
    assert!(system.health.iter().all(|check| check.is_well) && system.sizes.accounts == 5);
    let user = house.actor(Role::User, true).await;
    assert_eq!(short(service.overview(&user).await), "forbidden: failure-forbidden");
}

/// Answers with the next of these, and remembers what came.
#[derive(Debug, Default)]
struct Answers {
    next: Mutex<Vec<Result<u16, PostError>>>,
    posted: Mutex<Vec<Parcel>>,
}

impl Courier for Answers {
    fn post(&self, parcel: Parcel) -> Posting<'_> {
        self.posted.lock().unwrap().push(parcel);
        let answer = self.next.lock().unwrap().pop().unwrap_or(Ok(204));
        Box::pin(std::future::ready(answer))
    }
}

fn with_webhooks(house: &House) -> (Service, Arc<Answers>) {
    let answers = Arc::new(Answers::default());
    let mut operations = Operations::default();
    operations.webhooks = Webhooks::new(answers.clone(), Arc::new(SeededRandom::new(3)));
    (house.service.clone().with_operations(operations), answers)
}

fn form(url: &str) -> NewWebhookForm {
    let events = vec!["message.received".to_owned(), "message.failed".to_owned()];
    NewWebhookForm { url: url.to_owned(), events, ..NewWebhookForm::default() }
}

/// A message that is filed here for far@two.example.
async fn receive(house: &House, trace: &str) {
    let account = house.store.account(&address("far@two.example")).await.unwrap().unwrap();
    let delivery = Delivery {
        account: account.key,
        mailbox: Target::Inbox,
        flags: Vec::new(),
        internal_date: None,
        recipient: address("far@two.example"),
    };
    let acceptance = Acceptance {
        content: Content::prepare(format!("Subject: About {trace}\r\n\r\nHello\r\n").into_bytes()),
        reverse_path: ReversePath::Address(address("ann@else.example")),
        deliveries: vec![delivery],
        outbound: None,
        trace: TraceId::parse(trace).unwrap(),
        from_peer: "192.0.2.1".to_owned(),
        judgement: None,
        submission: None,
    };
    house.store.accept(acceptance).await.unwrap();
    // What is read is what has settled.
    house.clock.advance(Duration::from_secs(5));
}

#[tokio::test]
async fn webhooks_are_told_signed_and_told_again() {
    let house = House::open().await;
    let (service, answers) = with_webhooks(&house);
    let owner = house.actor(Role::Owner, true).await;
    receive(&house, "before").await;
    let made = service.create_webhook(&owner, &form("https://hooks.example/in")).await.unwrap();
    assert!(made.secret.starts_with("whsec_") && !format!("{made:?}").contains(&made.secret));
    let id = made.webhook.id;
    receive(&house, "m1").await;
    queue(&house, "m2", "user@one.example", &["a@x.example"]).await;
    house.clock.advance(Duration::from_secs(5));
    assert_eq!(service.queue_webhooks().await, Ok(false));
    assert_eq!(service.queue_webhooks().await, Ok(false), "nothing is queued twice");
    answers.next.lock().unwrap().push(Ok(500));
    assert_eq!(service.tell_due_webhooks().await, Ok(1));
    assert_eq!(service.tell_due_webhooks().await, Ok(0), "it waits");
    house.clock.advance(Duration::from_secs(5));
    assert_eq!(service.tell_due_webhooks().await, Ok(1));
    let posted = answers.posted.lock().unwrap().clone();
    let header = |at: usize, name: &str| posted[at].headers.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
    assert_ne!(header(0, "webhook-signature"), header(1, "webhook-signature"), "each signs its own time");
    let payload: serde_json::Value = serde_json::from_str(&posted[0].body).unwrap();
    assert_eq!(
        (&payload["type"], &payload["data"]["id"], &payload["data"]["subject"]),
        (&"message.received".into(), &"m1".into(), &"About m1".into())
    );
    let told = service.webhook_deliveries(&owner, &id, ALL).await.unwrap().rows;
    assert_eq!((told.len(), told[0].state, told[0].attempts, told[0].last_status), (1, "delivered", 2, Some(204)));
    service.resend_webhook(&owner, &id, &told[0].event_id).await.unwrap();
    assert_eq!(service.tell_due_webhooks().await, Ok(1));
    assert_eq!(short(service.resend_webhook(&owner, &id, "evt_0").await), "absent: webhook-no-event");
}

#[tokio::test]
async fn a_webhook_that_fails_for_a_day_is_switched_off() {
    let house = House::open().await;
    let (service, answers) = with_webhooks(&house);
    let owner = house.actor(Role::Owner, true).await;
    let id = service.create_webhook(&owner, &form("https://hooks.example/in")).await.unwrap().webhook.id;
    receive(&house, "m1").await;
    service.queue_webhooks().await.unwrap();
    let mut attempts = 0;
    while service.webhook(&owner, &id).await.unwrap().enabled {
        answers.next.lock().unwrap().push(Err(PostError::Timeout));
        attempts += service.tell_due_webhooks().await.unwrap();
        house.clock.advance(Duration::from_mins(30));
        assert!(attempts < 20);
    }
    let stopped = service.webhook(&owner, &id).await.unwrap();
    assert_eq!(stopped.stopped_because.as_deref(), Some("no success for 24 hours"));
    let told = service.webhook_deliveries(&owner, &id, ALL).await.unwrap().rows;
    assert_eq!((told[0].state, told[0].last_error.as_deref()), ("given_up", Some("no answer in time")));
    let again = WebhookForm { enabled: Some(true), ..WebhookForm::default() };
    assert!(service.change_webhook(&owner, &id, &again).await.unwrap().enabled);
    receive(&house, "m2").await;
    service.queue_webhooks().await.unwrap();
    answers.next.lock().unwrap().push(Ok(410));
    assert_eq!(service.tell_due_webhooks().await, Ok(1));
    assert_eq!(service.webhook(&owner, &id).await.unwrap().stopped_because.as_deref(), Some("410 Gone"));
}

#[tokio::test]
async fn webhooks_are_refused_where_they_must_be() {
    let house = House::open().await;
    let (service, answers) = with_webhooks(&house);
    let (owner, admin) = (house.actor(Role::Owner, true).await, house.actor(Role::DomainAdmin, true).await);
    let create = async |by: &Actor, form: NewWebhookForm| short(service.create_webhook(by, &form).await);
    for (url, why) in [
        ("ftp://hooks.example/", "webhook-no-https"),
        ("http://hooks.example/", "webhook-no-https"),
        ("http://127.0.0.1/", "webhook-no-https"),
        ("https://ann:secret@hooks.example/", "webhook-url-with-secrets"),
        ("https://10.0.0.1/", "webhook-internal"),
        ("https://[::1]/", "webhook-internal"),
        ("https://0x7f000001/", "webhook-internal"),
        ("hooks", "webhook-no-url"),
        ("", "webhook-no-url"),
    ] {
        assert_eq!(create(&owner, form(url)).await, format!("unfit: url {why}"), "{url}");
    }
    let url = "https://hooks.example/in";
    let no_events = NewWebhookForm { events: Vec::new(), description: "a\nb".to_owned(), ..form(url) };
    assert_eq!(
        create(&owner, no_events).await,
        "unfit: events webhook-no-events, description webhook-description-unfit"
    );
    let of = |domain: &str| NewWebhookForm { domain: Some(domain.to_owned()), ..form(url) };
    assert_eq!(create(&admin, form(url)).await, "unfit: domain webhook-needs-domain");
    assert_eq!(create(&admin, of("two.example")).await, "unfit: domain failure-unknown-domain");
    assert_eq!(
        create(&house.actor(Role::HelpDesk, true).await, of("one.example")).await,
        "forbidden: failure-forbidden"
    );
    let theirs = service.create_webhook(&admin, &of("one.example")).await.unwrap().webhook;
    let owners = service.create_webhook(&owner, &form(url)).await.unwrap().webhook;
    assert_eq!(service.webhooks(&admin, ALL).await.unwrap().rows, std::slice::from_ref(&theirs));
    for outcome in [
        short(service.webhook(&admin, &owners.id).await),
        short(service.change_webhook(&admin, &owners.id, &WebhookForm::default()).await),
        short(service.remove_webhook(&admin, &owners.id).await),
        short(service.test_webhook(&admin, &owners.id).await),
        short(service.webhook_deliveries(&admin, &owners.id, ALL).await),
        short(service.resend_webhook(&admin, &owners.id, "evt_0").await),
    ] {
        assert_eq!(outcome, "absent: webhook-absent");
    }
    // What is another tenant's is told to the owner alone.
    receive(&house, "m1").await;
    service.queue_webhooks().await.unwrap();
    assert!(service.webhook_deliveries(&admin, &theirs.id, ALL).await.unwrap().rows.is_empty());
    assert_eq!(service.webhook_deliveries(&owner, &owners.id, ALL).await.unwrap().rows.len(), 1);
    answers.next.lock().unwrap().extend([Ok(302), Err(PostError::Internal([127, 0, 0, 1].into())), Ok(200)]);
    let test = async || service.test_webhook(&owner, &owners.id).await.unwrap();
    assert!(test().await.is_taken);
    assert_eq!(test().await.says.id, "webhook-internal");
    assert_eq!(test().await.says.id, "webhook-redirected");
    service.remove_webhook(&owner, &owners.id).await.unwrap();
    assert_eq!(short(service.webhook(&owner, &owners.id).await), "absent: webhook-absent");
}

/// Each sentence that is put together from a name stands in the catalogues.
#[test]
fn every_setting_and_every_cause_has_its_sentences() {
    let words = std::fs::read_to_string("../../templates/words/en/settings.ftl").unwrap()
        + &std::fs::read_to_string("../../templates/words/en/explain.ftl").unwrap();
    let has = |id: String| assert!(words.lines().any(|line| line.starts_with(&format!("{id} ="))), "{id}");
    for setting in relais_store::SETTINGS {
        has(relais_service::setting_sentence(setting.name));
        has(format!("{}-help", relais_service::setting_sentence(setting.name)));
    }
    for section in relais_store::SettingSection::ALL {
        has(format!("settings-section-{}", section.as_str()));
    }
    for protection in relais_store::Protection::ALL {
        has(format!("explain-delivered-{}", protection.as_str()));
    }
    for cause in relais_service::causes() {
        has(format!("explain-{cause}"));
        has(format!("explain-{cause}-advice"));
    }
}

#[tokio::test]
async fn bans_are_seen_and_lifted_by_whom_they_concern() {
    let house = House::open().await;
    let service = &house.service;
    let attempt = |name: &str, last: u8| relais_reception::LoginAttempt {
        name: name.to_owned(),
        authorization: None,
        password: relais_model::Secret::new("wrong"),
        peer: [198, 51, 100, last].into(),
        protocol: relais_reception::Protocol::Imap,
    };
    for last in 0..60 {
        house.login.check(attempt("far@two.example", last)).await;
    }
    let (owner, admin) = (house.actor(Role::Owner, true).await, house.actor(Role::DomainAdmin, true).await);
    let bans = async |by: &Actor| service.security(by).await.map(|security| security.bans);
    let seen = bans(&owner).await.unwrap();
    assert!(seen.iter().any(|ban| ban.kind == "name" && ban.whom == "far@two.example"), "{seen:?}");
    assert_eq!(bans(&admin).await.unwrap(), [], "another tenant's");
    for whom in ["far@two.example", "198.51.100.0/24", "everybody"] {
        assert_eq!(short(service.lift_ban(&admin, whom).await), "absent: security-no-ban");
    }
    assert_eq!(short(service.lift_ban(&owner, "far@two.example").await), "done");
    assert_eq!(short(service.lift_ban(&owner, "far@two.example").await), "absent: security-no-ban");
    assert!(bans(&owner).await.unwrap().iter().all(|ban| ban.kind != "name"));
    assert!(!service.failed_logins(&owner, ALL).await.unwrap().rows.is_empty());
    assert!(service.failed_logins(&admin, ALL).await.unwrap().rows.is_empty());
    let user = house.actor(Role::User, true).await;
    assert_eq!(short(bans(&user).await), "forbidden: failure-forbidden");
}

#[tokio::test]
async fn bans_at_port_25_are_seen_and_lifted_with_the_others() {
    let house = House::open().await;
    let porter = std::sync::Arc::new(relais_reception::Porter::new(house.store.clone()));
    let service = house.service.clone().with_porter(&porter);
    for _ in 0..41 {
        porter.note("2001:db8::7".parse().unwrap(), relais_reception::Fault::UnknownRecipient);
    }
    let (owner, admin) = (house.actor(Role::Owner, true).await, house.actor(Role::DomainAdmin, true).await);
    let seen = service.security(&owner).await.unwrap().bans;
    let seen: Vec<_> = seen.iter().map(|ban| (ban.whom.as_str(), ban.kind, ban.why, ban.failures)).collect();
    assert_eq!(seen, [("2001:db8::/64", "door", "unknown-recipients", 41)]);
    assert_eq!(service.security(&admin).await.unwrap().bans, [], "networks are the whole house's");
    assert_eq!(short(service.lift_ban(&admin, "2001:db8::/64").await), "absent: security-no-ban");
    assert_eq!(short(service.lift_ban(&owner, "2001:db8::7").await), "done", "an address in it will do");
    assert_eq!(service.security(&owner).await.unwrap().bans, []);
}

/// docs/settings.md tells of each setting what the program knows; `UPDATE_DOCS=1` writes it anew.
#[test]
fn the_manual_of_settings_is_up_to_date() {
    use std::fmt::Write as _;
    let words = std::fs::read_to_string("../../templates/words/en/settings.ftl").unwrap();
    let say = |id: &str| {
        let line = words.lines().find_map(|line| line.strip_prefix(&format!("{id} = ")));
        line.unwrap_or_else(|| panic!("{id}")).to_owned()
    };
    let defaults = relais_store::Settings::default();
    let mut manual = String::from(
        "# Settings\n\nWhat those who run the house set, in the panel under Settings or over the API; in force at once. Sizes are octets, or a \
         number with\nKiB, MiB or GiB behind it; spans are seconds, or a number with min, h or d. Made from the program's own table: a test keeps \
         the two in step.\n",
    );
    for section in relais_store::SettingSection::ALL {
        write!(manual, "\n## {}\n\n", say(&format!("settings-section-{}", section.as_str()))).unwrap();
        manual.push_str("| name | what | values | default |\n|---|---|---|---|\n");
        for setting in relais_store::SETTINGS.iter().filter(|setting| setting.section == section) {
            let id = relais_service::setting_sentence(setting.name);
            let (title, help) = (say(&id), say(&format!("{id}-help")));
            let values = values(setting.kind);
            let default = defaults.value(setting.name).unwrap();
            let default = if default.is_empty() { "nothing".to_owned() } else { format!("`{default}`") };
            writeln!(manual, "| `{}` | **{title}.** {help} | {values} | {default} |", setting.name).unwrap();
        }
    }
    let path = "../../docs/settings.md";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &manual).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), manual, "UPDATE_DOCS=1 writes it anew");
}

fn values(kind: relais_store::SettingKind) -> String {
    use relais_store::SettingKind;
    match kind {
        SettingKind::Switch => "`true`, `false`".to_owned(),
        SettingKind::Number { least, most, unit } => format!("{least} to {most} {}", unit.as_str()),
        SettingKind::Size { least, most } => format!("{least} to {most} octets"),
        SettingKind::Span { least, most } => format!("{} to {} seconds", least.as_secs(), most.as_secs()),
        SettingKind::Words { most_octets } => format!("1 to {most_octets} octets of text"),
        SettingKind::Address => "an address, or nothing".to_owned(),
        SettingKind::Networks => "networks and addresses, or nothing".to_owned(),
        SettingKind::Domains => "domain names, or nothing".to_owned(),
        SettingKind::Url { or_nothing: false } => "an https URL".to_owned(),
        SettingKind::Url { or_nothing: true } => "an https URL, or nothing".to_owned(),
        SettingKind::Endpoints { most: 1 } => "`unix:/PATH` or `HOST:PORT`, or nothing".to_owned(),
        SettingKind::Endpoints { most } => format!("up to {most} of `unix:/PATH` and `HOST:PORT`"),
        SettingKind::Line { most_octets } => format!("up to {most_octets} octets of text"),
        SettingKind::Secret { most_octets } => format!("up to {most_octets} octets, never shown again"),
        SettingKind::Several(choices) => format!("some of `{}`, or nothing", choices.join("`, `")),
        SettingKind::Choice(choices) => {
            choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ")
        }
    }
}
