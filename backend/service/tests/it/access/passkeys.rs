//! Passkeys, with an authenticator in software.

use std::sync::atomic::{AtomicU32, Ordering};

use relais_model::Secret;
use relais_service::{CEREMONY_LASTS, PROOF_LASTS, SetUp, SignIn, SignedIn, Site, Way};
use totp_rs::Builder;

use super::authenticator::Authenticator;
use super::{ANN, BOB, House, ORIGIN, PASSWORD, from, visit, why};

/// Registers one for them.
pub(super) async fn register(house: &House, me: &SignedIn, name: &str) -> Authenticator {
    let begun = house.access.begin_passkey(me, &visit()).await.unwrap();
    let (authenticator, answer) = Authenticator::create(&begun.options, ORIGIN);
    house.access.end_passkey(me, begun.ticket.expose(), &answer, name).await.unwrap();
    authenticator
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_name() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    let mut phone = register(&house, &me, " Phone ").await;
    let begun = house.access.begin_passkey_sign_in(&visit()).unwrap();
    assert_eq!(begun.options["publicKey"]["allowCredentials"], serde_json::json!([]));
    assert_eq!(begun.options.get("mediation"), None);
    let answer = phone.get(&begun.options);
    let token = house.access.sign_in_with_passkey(begun.ticket.expose(), &answer, &visit()).await.unwrap();
    let me = house.find(&token).await.unwrap();
    assert_eq!((me.address.to_string().as_str(), me.passkeys, me.actor.is_proven), (ANN, 1, true));
    let listed = house.access.own_passkeys(&me.actor).await.unwrap();
    assert_eq!((listed.len(), listed[0].name.as_str(), listed[0].last_used_at.is_some()), (1, "Phone", true));
    let again = house.access.sign_in_with_passkey(begun.ticket.expose(), &answer, &visit()).await;
    assert_eq!(why(again), "absent: passkey-over", "a ceremony ends once");
    let other = house.access.begin_passkey_sign_in(&visit()).unwrap();
    let replayed = house.access.sign_in_with_passkey(other.ticket.expose(), &answer, &visit()).await;
    assert_eq!(why(replayed), "passkey: passkey-refused", "it answers another challenge");
    assert_eq!(house.activity().await, [format!("{ANN} passkey.add {ANN}")]);
    house.check().await;
}

#[tokio::test]
async fn it_must_be_found_without_a_name_and_be_registered_once() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    let begun = house.access.begin_passkey(&me, &visit()).await.unwrap();
    let wanted = &begun.options["publicKey"]["authenticatorSelection"];
    assert_eq!(wanted["residentKey"], "required");
    assert_eq!(wanted["requireResidentKey"], true);
    assert_eq!(wanted["userVerification"], "required");
    register(&house, &me, "Phone").await;
    let second = house.access.begin_passkey(&me, &visit()).await.unwrap();
    assert_eq!(second.options["publicKey"]["excludeCredentials"].as_array().unwrap().len(), 1);
    let (_, answer) = Authenticator::create(&second.options, ORIGIN);
    let taken = house.access.end_passkey(&me, second.ticket.expose(), &answer, "Phone").await;
    assert_eq!(why(taken), "clash name: sign-in-name-taken");
    let third = house.access.begin_passkey(&me, &visit()).await.unwrap();
    let (_, answer) = Authenticator::create(&third.options, ORIGIN);
    let unnamed = house.access.end_passkey(&me, third.ticket.expose(), &answer, " ").await;
    assert_eq!(why(unnamed), "name: sign-in-bad-name");
    let bob = house.me(BOB).await;
    let foreign = house.access.end_passkey(&bob, third.ticket.expose(), &answer, "Mine").await;
    assert_eq!(why(foreign), "absent: passkey-over", "another's ceremony");
    for rubbish in ["", "{}", "[1]", &"x".repeat(100_000)] {
        let begun = house.access.begin_passkey(&me, &visit()).await.unwrap();
        let refused = house.access.end_passkey(&me, begun.ticket.expose(), rubbish, "Rubbish").await;
        assert_eq!(why(refused), "passkey: passkey-refused");
    }
}

#[tokio::test]
async fn another_site_gets_nothing() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    let begun = house.access.begin_passkey(&me, &visit()).await.unwrap();
    let (_, answer) = Authenticator::create(&begun.options, "https://mx.example.org.evil.example");
    let refused = house.access.end_passkey(&me, begun.ticket.expose(), &answer, "Phone").await;
    assert_eq!(why(refused), "passkey: passkey-refused");
    let begun = house.access.begin_passkey(&me, &visit()).await.unwrap();
    let (_, answer) = Authenticator::create(&begun.options, "https://mx.example.org:8443");
    house.access.end_passkey(&me, begun.ticket.expose(), &answer, "Our other door").await.unwrap();
    let moved = Site { host: "mail.example.org".to_owned(), origins: vec![ORIGIN.to_owned()] };
    assert_eq!(why(house.access.set_site(&moved)), "host_name: passkey-bad-site");
}

#[tokio::test]
async fn ceremonies_are_short_and_one_host_has_few() {
    let house = House::open().await;
    let mut phone = register(&house, &house.me(ANN).await, "Phone").await;
    let begun = house.access.begin_passkey_sign_in(&visit()).unwrap();
    let answer = phone.get(&begun.options);
    house.clock.advance(CEREMONY_LASTS);
    let late = house.access.sign_in_with_passkey(begun.ticket.expose(), &answer, &visit()).await;
    assert_eq!(why(late), "absent: passkey-over");
    let ours = house.access.begin_passkey_sign_in(&visit()).unwrap();
    let first = house.access.begin_passkey_sign_in(&from("2001:db8::1")).unwrap();
    let last = AtomicU32::new(0);
    for _ in 0..20 {
        let peer = format!("2001:db8::{:x}", last.fetch_add(1, Ordering::Relaxed));
        house.access.begin_passkey_sign_in(&from(&peer)).unwrap();
    }
    let answer = phone.get(&first.options);
    let crowded = house.access.sign_in_with_passkey(first.ticket.expose(), &answer, &visit()).await;
    assert_eq!(why(crowded), "absent: passkey-over");
    let answer = phone.get(&ours.options);
    house.access.sign_in_with_passkey(ours.ticket.expose(), &answer, &visit()).await.unwrap();
}

#[tokio::test]
async fn what_is_removed_or_suspended_opens_nothing() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    let mut phone = register(&house, &me, "Phone").await;
    let mut try_in = async || {
        let begun = house.access.begin_passkey_sign_in(&visit()).unwrap();
        let answer = phone.get(&begun.options);
        house.access.sign_in_with_passkey(begun.ticket.expose(), &answer, &visit()).await
    };
    house.suspend(ANN, true).await;
    assert_eq!(why(try_in().await), "passkey: passkey-unknown");
    house.suspend(ANN, false).await;
    try_in().await.unwrap();
    let id = house.access.own_passkeys(&me.actor).await.unwrap()[0].id.clone();
    let bob = house.me(BOB).await;
    assert_eq!(why(house.access.remove_passkey(&bob.actor, &id).await), "absent: passkey-absent");
    assert_eq!(why(house.access.rename_passkey(&bob.actor, &id, "Mine").await), "absent: passkey-absent");
    house.access.rename_passkey(&me.actor, &id, "Old phone").await.unwrap();
    house.access.remove_passkey(&me.actor, &id).await.unwrap();
    assert_eq!(why(try_in().await), "passkey: passkey-unknown");
    house.check().await;
}

/// WebAuthn Level 2, §6.1.1: a counter that doesn't rise may mean a copy.
#[tokio::test]
async fn a_copied_key_is_refused() {
    let house = House::open().await;
    let mut phone = register(&house, &house.me(ANN).await, "Phone").await;
    phone.counter = 10;
    let begun = house.access.begin_passkey_sign_in(&visit()).unwrap();
    let answer = phone.get(&begun.options);
    house.access.sign_in_with_passkey(begun.ticket.expose(), &answer, &visit()).await.unwrap();
    phone.counter = 4;
    let begun = house.access.begin_passkey_sign_in(&visit()).unwrap();
    let answer = phone.get(&begun.options);
    let copied = house.access.sign_in_with_passkey(begun.ticket.expose(), &answer, &visit()).await;
    assert_eq!(why(copied), "passkey: passkey-refused");
}

#[tokio::test]
async fn it_is_a_second_factor_and_a_proof() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    assert_eq!(why(house.access.begin_passkey_proof(&me, &visit()).await.map(|_| ())), "absent: passkey-absent");
    let mut phone = register(&house, &me, "Phone").await;
    assert!(matches!(house.sign_in(ANN, PASSWORD).await, Ok(SignIn::Whole(_))), "a passkey alone asks for nothing");
    let base32: String = house.access.offer_totp(&me.actor).await.unwrap().secret.expose().split(' ').collect();
    let octets = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
    let seconds = u64::try_from(relais_model::Clock::now(&*house.clock).seconds()).unwrap();
    let code = Builder::new().with_secret(octets).build().unwrap().generate(seconds).to_string();
    house.access.confirm_totp(&me.actor, &code).await.unwrap();

    let Ok(SignIn::SecondFactor(token)) = house.sign_in(ANN, PASSWORD).await else { panic!("it is on") };
    assert!(house.access.pending(token.expose()).await.unwrap().unwrap().has_passkeys);
    let begun = house.access.begin_passkey_second(token.expose(), &visit()).await.unwrap();
    let answer = phone.get(&begun.options);
    let second = house.access.sign_in_second_with_passkey(token.expose(), begun.ticket.expose(), &answer);
    let token = second.await.unwrap();

    house.clock.advance(PROOF_LASTS);
    let me = house.find(&token).await.unwrap();
    assert!(!me.actor.is_proven);
    assert_eq!(why(house.access.begin_passkey(&me, &visit()).await.map(|_| ())), "unproven");
    let begun = house.access.begin_passkey_proof(&me, &visit()).await.unwrap();
    let answer = phone.get(&begun.options);
    let foreign = house.me(BOB).await;
    let stolen = house.access.prove_with_passkey(&foreign, begun.ticket.expose(), &answer).await;
    assert_eq!(why(stolen), "absent: passkey-over", "another's ceremony");
    let begun = house.access.begin_passkey_proof(&me, &visit()).await.unwrap();
    let answer = phone.get(&begun.options);
    let proven = house.access.prove_with_passkey(&me, begun.ticket.expose(), &answer).await.unwrap();
    assert_eq!(house.find(&token).await, None);
    assert!(house.find(&proven).await.unwrap().actor.is_proven);
}

#[tokio::test]
async fn an_owner_may_have_a_passkey_and_no_password() {
    let house = House::empty().await;
    let link = house.access.set_up_link(&relais_service::Actor::command_line()).await.unwrap();
    let owner = "owner@new.example";
    let begun = house.access.begin_set_up_passkey(link.expose(), owner, "Olga", &visit()).await.unwrap();
    let (mut key, answer) = Authenticator::create(&begun.options, ORIGIN);
    let way = Way::Passkey { ticket: begun.ticket.expose().to_owned(), answer, name: "Key".to_owned() };
    let wanted = SetUp {
        host_name: "mx.example.org".to_owned(),
        domain: "new.example".to_owned(),
        name: "Olga".to_owned(),
        address: owner.to_owned(),
        way,
    };
    let founded = house.access.set_up(link.expose(), wanted, &visit()).await.unwrap();
    let me = house.find(&founded.token).await.unwrap();
    assert_eq!((me.has_password, me.passkeys), (false, 1));
    assert_eq!(why(house.sign_in(owner, "").await), "password: sign-in-refused", "no password isn't the empty one");
    let begun = house.access.begin_passkey_sign_in(&visit()).unwrap();
    let answer = key.get(&begun.options);
    house.access.sign_in_with_passkey(begun.ticket.expose(), &answer, &visit()).await.unwrap();
    let id = house.access.own_passkeys(&me.actor).await.unwrap()[0].id.clone();
    assert_eq!(why(house.access.remove_passkey(&me.actor, &id).await), "clash : passkey-is-last");
    let (none, new) = (Secret::new(""), Secret::new("a first password"));
    let token = house.access.change_password(&me, none, new, &visit()).await.unwrap();
    let me = house.find(&token).await.unwrap();
    assert!(me.has_password);
    house.access.remove_passkey(&me.actor, &id).await.unwrap();
    house.check().await;
}
