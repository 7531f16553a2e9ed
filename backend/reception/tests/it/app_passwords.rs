//! App passwords and SCRAM at the log-in, on a real store; bans; what the history says.

use std::net::IpAddr;
use std::time::Duration;

use relais_model::{Clock as _, Secret};
use relais_reception::{BanTarget, Login, LoginAnswer, LoginAttempt, Protocol, ScramStart, TokenAttempt};
use relais_sasl::scram::{ChannelBindings, Client, Known, NONCE_OCTETS};
use relais_sasl::{Exchange, Mechanism, Offer, Progress, Shown};
use relais_store::{AccountChange, Author, LoginScope, Page, Protocols};
use relais_testkit::SeededRandom;

use crate::house::{House, address};
use crate::login::{FOREIGN, PASSWORD, STRANGER, word};

const ANN: &str = "ann@example.org";
const HERE: &str = "192.0.2.1";

async fn try_in(house: &House, protocol: Protocol, password: &str) -> &'static str {
    let attempt = LoginAttempt {
        name: ANN.to_owned(),
        authorization: None,
        password: Secret::new(password),
        peer: HERE.parse().unwrap(),
        protocol,
    };
    word(&house.login.check(attempt).await)
}

async fn add(house: &House, name: &str, protocols: &[Protocol]) -> String {
    let made =
        house.login.add_app_password(&address(ANN), name.to_owned(), Protocols::of(protocols), &Author::house()).await;
    made.unwrap().expose().to_owned()
}

/// A whole exchange, as driver and client would have it.
async fn scram(login: &Login, name: &str, password: &str, authorization: Option<&str>) -> LoginAnswer {
    let peer: IpAddr = HERE.parse().unwrap();
    let bindings = ChannelBindings::default();
    let client = Client::new(name, &Secret::new(password), &[1; NONCE_OCTETS], &bindings).unwrap();
    let exchange = Exchange::begin(Mechanism::ScramSha256, Offer { scram: true, under_tls: false });
    let Progress::Ask(question) = exchange.respond(client.first().as_bytes()) else { panic!("a first message") };
    let authorization = authorization.map(str::to_owned);
    let start = login.scram_keys(&question.wanted().login_name, authorization, peer, Protocol::Imap).await;
    let ScramStart { attempt, verifier, nonce } = match start {
        Ok(start) => start,
        Err(answer) => return answer,
    };
    let Progress::Continue(exchange) = question.answer(Known { verifier, nonce, bindings }) else {
        panic!("a challenge")
    };
    let proof = client.respond(exchange.challenge()).unwrap().message;
    match exchange.respond(proof.as_bytes()) {
        Progress::Continue(exchange) => {
            let Progress::Complete(Shown::Proof(place)) = exchange.respond(b"") else { panic!("proven") };
            assert!(place.is_some(), "proven");
            login.conclude_scram(attempt, place).await
        }
        _ => login.conclude_scram(attempt, None).await,
    }
}

#[tokio::test]
async fn an_app_password_opens_its_protocols_and_never_the_panel() {
    let house = House::open().await;
    house.add_account(ANN, FOREIGN).await;
    let phone = add(&house, "Phone", &[Protocol::Imap, Protocol::Smtp]).await;
    let printer = add(&house, "Printer", &[Protocol::Smtp]).await;
    assert_ne!(phone, printer);
    for (protocol, password, expected) in [
        (Protocol::Imap, phone.as_str(), "granted"),
        (Protocol::Imap, &phone.replace('-', "").to_uppercase(), "granted"),
        (Protocol::Imap, &phone.replace('-', " "), "granted"),
        (Protocol::Smtp, &phone, "granted"),
        (Protocol::Pop3, &phone, "refused"),
        (Protocol::Imap, &printer, "refused"),
        (Protocol::Smtp, &printer, "granted"),
        (Protocol::Web, &phone, "refused"),
        (Protocol::Api, &phone, "refused"),
        (Protocol::Web, PASSWORD, "granted"),
        (Protocol::Pop3, PASSWORD, "granted"),
    ] {
        for _known_of_late in 0..2 {
            assert_eq!(try_in(&house, protocol, password).await, expected, "{protocol:?} {password}");
        }
    }
}

/// RFC 7628 §3.2: a token opens what it was made for, under its owner's names or none, until it ends or is taken back; and is no password.
#[tokio::test]
async fn a_token_opens_its_protocols_until_it_ends() {
    let house = House::open().await;
    let ann = house.add_account(ANN, FOREIGN).await;
    house.add_account("ben@example.org", FOREIGN).await;
    let (ends, protocols) = (house.clock.now().plus(Duration::from_hours(24)), Protocols::of(&[Protocol::Imap]));
    let made = house.login.add_token(&address(ANN), "Script".to_owned(), protocols, ends, &Author::house()).await;
    let made = made.unwrap().expose().to_owned();
    assert!(made.starts_with("relais_mail_") && made.len() == 12 + 43, "256 bits of chance");
    let show = async |name: Option<&str>, token: &str, protocol| {
        let (name, token) = (name.map(str::to_owned), Secret::new(token));
        word(&house.login.check_token(TokenAttempt { name, token, peer: HERE.parse().unwrap(), protocol }).await)
    };
    for (name, token, protocol, expected) in [
        (Some(ANN), made.as_str(), Protocol::Imap, "granted"),
        (Some("Ann@Example.org"), &made, Protocol::Sieve, "granted"),
        (None, &made, Protocol::Imap, "granted"),
        (Some(ANN), &made, Protocol::Smtp, "refused"),
        (Some("ben@example.org"), &made, Protocol::Imap, "refused"),
        (Some("ann"), &made, Protocol::Imap, "refused"),
        (Some(ANN), &made[1..], Protocol::Imap, "refused"),
        (None, "", Protocol::Imap, "refused"),
    ] {
        assert_eq!(show(name, token, protocol).await, expected, "{name:?} {protocol:?}");
    }
    assert_eq!(try_in(&house, Protocol::Imap, &made).await, "refused", "it is no password");
    let rows = house.store.logins(ann.key, &Page::first()).await.unwrap().rows;
    assert!(rows.iter().any(|row| row.is_granted && row.app_password.as_deref() == Some("Script")), "{rows:?}");
    house.clock.advance(Duration::from_hours(24));
    assert_eq!(show(Some(ANN), &made, Protocol::Imap).await, "refused", "it has ended");
    let ends = house.clock.now().plus(Duration::from_hours(24));
    let made = house.login.add_token(&address(ANN), "Other".to_owned(), protocols, ends, &Author::house()).await;
    let made = made.unwrap().expose().to_owned();
    assert_eq!(show(Some(ANN), &made, Protocol::Imap).await, "granted");
    house.store.remove_app_password(ann.key, "Other", &Author::house()).await.unwrap();
    assert_eq!(show(Some(ANN), &made, Protocol::Imap).await, "refused", "taken back at once");
}

#[tokio::test]
async fn with_a_second_factor_clients_need_an_app_password() {
    let house = House::open().await;
    let ann = house.add_account(ANN, FOREIGN).await;
    let phone = add(&house, "Phone", &[Protocol::Imap]).await;
    assert_eq!(try_in(&house, Protocol::Imap, PASSWORD).await, "granted");
    house.store.set_needs_app_password(ann.key, true).await.unwrap();
    assert_eq!(try_in(&house, Protocol::Imap, PASSWORD).await, "refused", "also what was known of late");
    assert_eq!(try_in(&house, Protocol::Imap, &phone).await, "granted");
    assert_eq!(try_in(&house, Protocol::Web, PASSWORD).await, "granted");
    assert!(house.store.remove_app_password(ann.key, "Phone", &Author::house()).await.unwrap());
    assert_eq!(try_in(&house, Protocol::Imap, &phone).await, "refused", "taken back at once");
}

#[tokio::test]
async fn scram_takes_each_app_password_and_nothing_else() {
    let house = House::open().await;
    let ann = house.add_account(ANN, FOREIGN).await;
    let (phone, laptop) =
        (add(&house, "Phone", &[Protocol::Imap]).await, add(&house, "Laptop", &[Protocol::Imap]).await);
    let printer = add(&house, "Printer", &[Protocol::Smtp]).await;
    let login = &house.login;
    for (name, password, authorization, expected) in [
        (ANN, phone.as_str(), None, "granted"),
        ("Ann@EXAMPLE.org", &laptop, Some(ANN), "granted"),
        (ANN, &laptop, Some("bob@example.org"), "refused"),
        (ANN, &printer, None, "refused"),
        (ANN, &phone.replace('-', ""), None, "refused"),
        (ANN, PASSWORD, None, "refused"),
        ("nobody@example.org", &phone, None, "refused"),
        ("nobody", &phone, None, "refused"),
    ] {
        assert_eq!(word(&scram(login, name, password, authorization).await), expected, "{name} {password}");
    }
    let suspend = AccountChange { is_suspended: Some(true), ..AccountChange::default() };
    house.store.change_account(&address(ANN), suspend, None, &Author::house()).await.unwrap();
    assert_eq!(word(&scram(login, ANN, &phone, None).await), "refused");
    let rows = house.store.logins(ann.key, &Page::first()).await.unwrap().rows;
    let names: Vec<Option<&str>> = rows.iter().map(|row| row.app_password.as_deref()).collect();
    assert_eq!(names, [None, Some("Laptop"), Some("Phone")]);
    assert_eq!((rows[0].is_granted, rows[0].attempts), (false, 5));
    let unknown = house.store.failed_logins(LoginScope::All, &Page::first()).await.unwrap().rows;
    assert_eq!(unknown.iter().filter(|row| row.account.is_none()).count(), 2);
}

/// What was taken back, or suspended, while its owner made the proof.
#[tokio::test]
async fn a_proof_is_judged_by_what_is_true_at_its_end() {
    let house = House::open().await;
    let ann = house.add_account(ANN, FOREIGN).await;
    add(&house, "Phone", &[Protocol::Imap]).await;
    let peer: IpAddr = HERE.parse().unwrap();
    let start = house.login.scram_keys(ANN, None, peer, Protocol::Imap).await.unwrap();
    assert_eq!(start.verifier.keys.len(), 1);
    house.store.remove_app_password(ann.key, "Phone", &Author::house()).await.unwrap();
    assert_eq!(word(&house.login.conclude_scram(start.attempt, Some(0)).await), "refused");
}

/// A salt tells neither whether the name is known nor when its first app password was made, and is the same after a restart.
#[tokio::test]
async fn salts_tell_nothing() {
    let house = House::open().await;
    house.add_account(ANN, FOREIGN).await;
    let peer: IpAddr = HERE.parse().unwrap();
    let salt = async |login: &Login, name: &str| {
        let start = login.scram_keys(name, None, peer, Protocol::Imap).await.unwrap();
        (start.verifier.salt, start.verifier.iterations)
    };
    let before = salt(&house.login, "\"Ann\"@example.org").await;
    let nobody = salt(&house.login, "nobody@example.org").await;
    assert_ne!(before, nobody);
    add(&house, "Phone", &[Protocol::Imap]).await;
    assert_eq!(salt(&house.login, ANN).await, before);
    let restarted = Login::new(house.store.clone(), house.clock.clone(), &SeededRandom::new(99));
    assert_eq!(salt(&restarted, ANN).await, before);
    assert_eq!(salt(&restarted, "NOBODY@example.org").await, nobody);
    let nonce = async || house.login.scram_keys(ANN, None, peer, Protocol::Imap).await.unwrap().nonce;
    assert_ne!(nonce().await, nonce().await);
}

/// One set of limits for both ways, and bans that can be lifted.
#[tokio::test]
async fn wrong_proofs_lead_to_a_ban_that_can_be_lifted() {
    let house = House::open().await;
    house.add_account(ANN, FOREIGN).await;
    let phone = add(&house, "Phone", &[Protocol::Imap]).await;
    for _ in 0..11 {
        assert_eq!(word(&scram(&house.login, ANN, "wrong", None).await), "refused");
    }
    assert_eq!(word(&scram(&house.login, ANN, &phone, None).await), "too many");
    assert_eq!(try_in(&house, Protocol::Imap, &phone).await, "too many");
    let bans = house.login.bans();
    assert_eq!(bans.iter().map(|ban| (ban.of.to_string(), ban.failures)).collect::<Vec<_>>(), [(ANN.to_owned(), 11)]);
    assert_eq!(bans[0].until.since(bans[0].since), Duration::from_secs(30));
    assert_eq!(house.login.unban(&BanTarget::parse("Ann@Example.org")), 1);
    assert_eq!(word(&scram(&house.login, ANN, &phone, None).await), "granted");
}

#[tokio::test]
async fn an_owners_network_is_never_banned() {
    let house = House::open().await;
    house.add_account(ANN, FOREIGN).await;
    house.login.note_owner_network(HERE.parse().unwrap(), relais_model::Clock::now(&*house.clock));
    for guess in 0..40 {
        let attempt = LoginAttempt {
            name: format!("guess{guess}@example.org"),
            authorization: None,
            password: Secret::new("wrong"),
            peer: HERE.parse().unwrap(),
            protocol: Protocol::Imap,
        };
        assert_eq!(word(&house.login.check(attempt.clone()).await), "refused");
        let stranger = LoginAttempt { peer: STRANGER.parse().unwrap(), ..attempt };
        house.login.check(stranger).await;
    }
    assert_eq!(try_in(&house, Protocol::Web, PASSWORD).await, "granted");
    assert_eq!(house.login.bans().iter().map(|ban| ban.of.to_string()).collect::<Vec<_>>(), [STRANGER]);
}
