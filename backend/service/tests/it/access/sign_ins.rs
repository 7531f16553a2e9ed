//! What follows from a sign-in: history, webhooks, an owner's network; and what the settings say of all of it.

use std::time::Duration;

use relais_model::{Domain, Secret};
use relais_reception::{LoginAttempt, Protocol};
use relais_service::{Access, SignIn};
use relais_store::{Author, DomainChange, NewWebhook, Page, WebhookEvent};
use relais_testkit::SeededRandom;

use super::passkeys::register;
use super::second_factor::{code, turn_on};
use super::{ADMIN, ANN, BOB, HELPER, House, OWNER, PASSWORD, address, from, site, visit, why};

impl House {
    /// The ways in of the history, the latest first.
    async fn ways(&self, name: &str) -> Vec<String> {
        let account = self.store.account(&address(name)).await.unwrap().unwrap();
        let rows = self.store.logins(account.key, &Page::first()).await.unwrap().rows;
        rows.iter().map(|row| format!("{} {} {}", row.protocol.as_str(), row.way.as_str(), row.is_granted)).collect()
    }

    async fn set(&self, name: &str, value: &str) {
        self.store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
    }

    /// A webhook for sign-ins, of one domain or all.
    async fn listen(&self, id: &str, of: Option<&str>) -> relais_store::Webhook {
        let domain = match of {
            Some(name) => self.store.domain_key(&Domain::parse(name).unwrap()).await.unwrap(),
            None => None,
        };
        let new = NewWebhook {
            id: id.to_owned(),
            account: None,
            domain,
            url: "https://hooks.example/".to_owned(),
            events: vec![WebhookEvent::AccountSignedIn],
            description: String::new(),
            secret: Secret::new("whsec_AAAA"),
        };
        self.store.add_webhook(&Author::house(), new).await.unwrap()
    }
}

#[tokio::test]
async fn the_history_tells_each_way_in() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    assert_eq!(house.ways(ANN).await, ["web password true"]);
    house.access.prove(&me, Secret::new(PASSWORD), &visit()).await.unwrap();
    assert_eq!(house.ways(ANN).await, ["web password true"], "to say again who one is, is no sign-in");
    let mut phone = register(&house, &me, "Phone").await;
    let begun = house.access.begin_passkey_sign_in(&visit()).unwrap();
    let answer = phone.get(&begun.options);
    house.access.sign_in_with_passkey(begun.ticket.expose(), &answer, &visit()).await.unwrap();
    assert_eq!(house.ways(ANN).await, ["web passkey true", "web password true"]);

    let (secret, _) = turn_on(&house, &house.me(BOB).await).await;
    let Ok(SignIn::SecondFactor(token)) = house.sign_in(BOB, PASSWORD).await else { panic!("no second factor") };
    house.access.sign_in_second(token.expose(), &code(&house, &secret, 0)).await.unwrap();
    assert_eq!(house.sign_in(BOB, "wrong").await.map(drop).map_err(|_| ()), Err(()));
    let ways = house.ways(BOB).await;
    assert_eq!(ways, ["web password false", "web second_factor true", "web first_factor true", "web password true"]);
    house.check().await;
}

/// The row stands in the transaction of the session: there is no moment at which the one is there without the other.
#[tokio::test]
async fn webhooks_are_told_of_whole_sign_ins() {
    let house = House::open().await;
    let (all, own, other) = (
        house.listen("wh_all", None).await,
        house.listen("wh_own", Some("example.org")).await,
        house.listen("wh_other", Some("else.example")).await,
    );
    let (secret, _) = turn_on(&house, &house.me(BOB).await).await;
    let told = async |webhook: &relais_store::Webhook| {
        house.store.webhook_deliveries(webhook.key, &Page::first()).await.unwrap().rows
    };
    assert_eq!((told(&all).await.len(), told(&own).await.len(), told(&other).await.len()), (1, 1, 0));
    let Ok(SignIn::SecondFactor(token)) = house.sign_in(BOB, PASSWORD).await else { panic!("no second factor") };
    assert_eq!(told(&all).await.len(), 1, "not yet");
    house.access.sign_in_second(token.expose(), &code(&house, &secret, 0)).await.unwrap();
    let latest = told(&all).await.remove(0);
    assert_eq!(latest.event, "account.signed_in");
    let payload: serde_json::Value = serde_json::from_str(&latest.payload).unwrap();
    assert_eq!(payload["type"], "account.signed_in");
    assert_eq!(
        payload["data"],
        serde_json::json!({ "address": BOB, "way": "second_factor", "ip": "192.0.2.1", "agent": "Firefox" })
    );
    assert_eq!(told(&own).await.remove(0).event_id, latest.event_id, "one event, two webhooks");
    house.check().await;
}

#[tokio::test]
async fn an_owners_network_is_not_banned_also_after_a_restart() {
    let house = House::open().await;
    let (home, elsewhere) = ("198.51.100.7", "203.0.113.9");
    let sign_in =
        async |name: &str, peer: &str| house.access.sign_in(name, Secret::new(PASSWORD), &from(peer)).await.map(drop);
    sign_in(OWNER, home).await.unwrap();
    let login = relais_reception::Login::new(house.store.clone(), house.clock.clone(), &SeededRandom::new(5));
    let again = std::sync::Arc::new(login.with_refusals_after(Duration::ZERO));
    let random = std::sync::Arc::new(SeededRandom::new(6));
    Access::open(house.store.clone(), again.clone(), house.clock.clone(), random, &site()).await.unwrap();
    for login in [&house.login, &again] {
        for guess in 0..40 {
            for peer in [home, elsewhere] {
                let attempt = LoginAttempt {
                    name: format!("guess{guess}@example.org"),
                    authorization: None,
                    password: Secret::new("wrong"),
                    peer: peer.parse().unwrap(),
                    protocol: Protocol::Imap,
                };
                login.check(attempt).await;
            }
        }
        assert_eq!(login.bans().iter().map(|ban| ban.of.to_string()).collect::<Vec<_>>(), [elsewhere]);
    }
    sign_in(OWNER, home).await.unwrap();
}

#[tokio::test]
async fn sessions_obey_the_settings() {
    let house = House::open().await;
    house.set("session.idle", "1 h").await;
    house.set("session.lifetime", "2 h").await;
    let (idle, used) = (house.token(ANN).await, house.token(ANN).await);
    house.clock.advance(Duration::from_mins(59));
    assert!(house.find(&used).await.is_some());
    house.clock.advance(Duration::from_mins(1));
    assert_eq!(house.find(&idle).await, None);
    house.clock.advance(Duration::from_mins(50));
    assert!(house.find(&used).await.is_some());
    house.clock.advance(Duration::from_mins(10));
    assert_eq!(house.find(&used).await, None, "used or not");
    assert_eq!(house.access.session_lifetime(), Duration::from_hours(2));
}

#[tokio::test]
async fn new_passwords_are_as_long_as_the_settings_say() {
    let house = House::open().await;
    house.set("password.minimum_length", "20").await;
    let admin = house.actor(ADMIN).await;
    let set = async |text: &str| house.access.set_password(&admin, ANN, Secret::new(text), false).await;
    assert_eq!(why(set("long enough before").await), "password: password-too-short");
    set("long enough also from now on").await.unwrap();
}

#[tokio::test]
async fn who_manages_is_led_to_a_second_factor_where_the_house_wants_it() {
    let house = House::open().await;
    let tokens =
        [house.token(ANN).await, house.token(HELPER).await, house.token(ADMIN).await, house.token(OWNER).await];
    let led = async || {
        let mut led = Vec::new();
        for token in &tokens {
            led.push(house.find(token).await.unwrap().must_add_second_factor);
        }
        led
    };
    assert_eq!(led().await, [false; 4]);
    house.set("second_factor.required", "true").await;
    assert_eq!(led().await, [false, true, true, true]);
    let owner = house.find(&tokens[3]).await.unwrap();
    register(&house, &owner, "Phone").await;
    assert!(led().await[3], "the password alone still opens the account");
    turn_on(&house, &owner).await;
    assert_eq!(led().await, [false, true, true, false]);
}

#[tokio::test]
async fn a_disabled_or_removed_domain_ends_sessions_and_links() {
    let house = House::open().await;
    let name = Domain::parse("example.org").unwrap();
    // An owner elsewhere: without one no domain goes.
    let change = relais_store::AccountChange { role: Some(relais_store::Role::Owner), ..Default::default() };
    house.store.change_account(&address(super::CARL), change, None, &Author::house()).await.unwrap();
    let owner = house.actor(super::CARL).await;
    let change = |is_disabled| DomainChange { is_disabled: Some(is_disabled), ..DomainChange::default() };
    let token = house.token(ANN).await;
    let link = house.access.password_link(&owner, ANN).await.unwrap();
    house.store.change_domain(&name, change(true), None, &Author::house()).await.unwrap();
    assert_eq!(house.find(&token).await, None);
    assert!(!house.is_mail_open(ANN).await);
    house.store.change_domain(&name, change(false), None, &Author::house()).await.unwrap();
    assert_eq!(house.find(&token).await, None, "it doesn't come back");
    assert_eq!(why(house.access.open_password_link(link.expose()).await), "absent: link-void");
    assert!(house.is_mail_open(ANN).await);

    let token = house.token(ANN).await;
    house.store.remove_domain(&name, relais_store::Removal::WithContents, None, &Author::house()).await.unwrap();
    assert_eq!(house.find(&token).await, None);
    house.store.restore_domain(&name, &Author::house()).await.unwrap();
    assert_eq!(house.find(&token).await, None, "it doesn't come back");

    let token = house.token(ANN).await;
    house.store.remove_account(&address(ANN), None, &Author::house()).await.unwrap();
    house.store.restore_account(&address(ANN), &Author::house()).await.unwrap();
    assert_eq!(house.find(&token).await, None, "nor does a person's");
    house.check().await;
}
