//! From a password to a session, and its end.

use std::time::Duration;

use relais_model::Secret;
use relais_service::{PROOF_LASTS, Reach, Role, SEEN_EVERY, SignIn};

use super::{ADMIN, ANN, BOB, CARL, HELPER, House, OWNER, PASSWORD, from, visit, why};

#[tokio::test]
async fn a_password_opens_a_session() {
    let house = House::open().await;
    for (name, password) in [(ANN, "wrong horse"), ("nobody@example.org", PASSWORD), ("", ""), ("ann", PASSWORD)] {
        assert_eq!(why(house.sign_in(name, password).await), "password: sign-in-refused", "{name}");
    }
    house.suspend(BOB, true).await;
    assert_eq!(why(house.sign_in(BOB, PASSWORD).await), "password: sign-in-refused", "suspended");
    let token = house.token("ANN@EXAMPLE.org").await;
    assert_eq!(token.expose().len(), 43);
    let me = house.find(&token).await.unwrap();
    assert_eq!((me.address.to_string().as_str(), me.name.as_str()), (ANN, "ann"));
    assert_eq!((me.actor.name.as_str(), me.actor.role, &me.actor.reach), (ANN, Role::User, &Reach::Domains(vec![])));
    assert!(me.actor.is_proven && me.has_password && !me.has_second_factor && !me.must_change_password);
    for nothing in ["", "x", "é", &"x".repeat(1000), &token.expose().to_lowercase()] {
        assert_eq!(house.access.session(nothing, visit().peer).await.unwrap(), None);
    }
    house.access.sign_out(token.expose()).await.unwrap();
    house.access.sign_out(token.expose()).await.unwrap();
    assert_eq!(house.find(&token).await, None);
    house.check().await;
}

#[tokio::test]
async fn an_actor_has_the_role_and_the_domains_of_now() {
    let house = House::open().await;
    assert_eq!(house.actor(OWNER).await.reach, Reach::All);
    let admin = house.actor(ADMIN).await;
    assert_eq!(admin.role, Role::DomainAdmin);
    let Reach::Domains(domains) = admin.reach else { panic!("an admin doesn't see all") };
    assert_eq!(domains.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["example.org"]);
    let token = house.token(HELPER).await;
    house.suspend(HELPER, true).await;
    assert_eq!(house.find(&token).await, None);
    house.suspend(HELPER, false).await;
    assert_eq!(house.find(&token).await, None, "it doesn't come back");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let house = House::open().await;
    let settings = house.store.settings();
    let (idle_for, longest) = (settings.session_idle, settings.session_lifetime);
    let (idle, used) = (house.token(ANN).await, house.token(ANN).await);
    house.clock.advance(idle_for.saturating_sub(SEEN_EVERY));
    assert!(house.find(&used).await.is_some());
    house.clock.advance(SEEN_EVERY);
    assert_eq!(house.find(&idle).await, None);
    let mut lasted = idle_for;
    while house.find(&used).await.is_some() {
        house.clock.advance(Duration::from_hours(6));
        lasted += Duration::from_hours(6);
        assert!(lasted <= longest);
    }
    assert_eq!(lasted, longest);
}

#[tokio::test]
async fn a_proof_lasts_ten_minutes_and_gives_another_token() {
    let house = House::open().await;
    let token = house.token(ANN).await;
    house.clock.advance(PROOF_LASTS);
    let me = house.find(&token).await.unwrap();
    assert!(!me.actor.is_proven);
    assert_eq!(why(house.access.prove(&me, Secret::new("wrong"), &visit()).await), "password: sign-in-refused");
    let proven = house.access.prove(&me, Secret::new(PASSWORD), &visit()).await.unwrap();
    assert_eq!(house.find(&token).await, None, "the old token is none");
    let again = house.find(&proven).await.unwrap();
    assert!(again.actor.is_proven);
    assert_eq!((again.session, again.created_at), (me.session, me.created_at));
    house.access.sign_out(proven.expose()).await.unwrap();
    assert_eq!(why(house.access.prove(&again, Secret::new(PASSWORD), &visit()).await), "absent: sign-in-lost");
}

/// The limits are those of all protocols.
#[tokio::test]
async fn who_guesses_must_wait() {
    let house = House::open().await;
    for _ in 0..11 {
        let _wrong = house.access.sign_in(ANN, Secret::new("wrong"), &from("203.0.113.9")).await;
    }
    let refused = house.access.sign_in(ANN, Secret::new(PASSWORD), &from("203.0.113.9")).await;
    assert_eq!(why(refused), "too many: 30");
    house.clock.advance(Duration::from_secs(30));
    let later = house.access.sign_in(ANN, Secret::new(PASSWORD), &from("203.0.113.9")).await;
    assert!(matches!(later, Ok(SignIn::Whole(_))), "{later:?}");
}

#[tokio::test]
async fn one_sees_and_ends_ones_own_sessions() {
    let house = House::open().await;
    let (first, second) = (house.token(ANN).await, house.token(ANN).await);
    house.clock.advance(SEEN_EVERY);
    let me = house.access.session(second.expose(), "198.51.100.7".parse().unwrap()).await.unwrap().unwrap();
    house.token(BOB).await;
    let listed = house.access.own_sessions(&me).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.is_this).collect::<Vec<_>>(), [true, false]);
    assert_eq!((listed[0].ip.as_str(), listed[1].ip.as_str()), ("198.51.100.7", "192.0.2.1"));
    let bob = house.me(BOB).await;
    for id in [listed[1].id.as_str(), "", "xyz", "-1"] {
        assert_eq!(why(house.access.end_own_session(&bob, id).await), "absent: session-absent", "{id}");
    }
    house.access.end_own_session(&me, &listed[1].id).await.unwrap();
    assert_eq!(house.find(&first).await, None);
    house.token(ANN).await;
    assert_eq!(house.access.end_other_sessions(&me).await.unwrap(), 1);
    assert!(house.find(&second).await.is_some());
    let told = format!("{ANN} session.end_all {ANN}, {ANN} session.end {ANN}");
    assert_eq!(house.activity().await.join(", "), told);
    house.check().await;
}

#[tokio::test]
async fn who_looks_after_people_ends_their_sessions() {
    let house = House::open().await;
    let token = house.token(ANN).await;
    let helper = house.actor(HELPER).await;
    assert_eq!(house.access.sessions_of(&helper, ANN).await.unwrap().len(), 1);
    assert_eq!(why(house.access.end_sessions_of(&house.actor(BOB).await, ANN).await), "forbidden");
    assert_eq!(why(house.access.end_sessions_of(&helper, CARL).await), "absent: failure-unknown-address");
    assert_eq!(why(house.access.end_sessions_of(&helper, "who@example.org").await), "absent: failure-unknown-address");
    for above in [ADMIN, OWNER] {
        assert_eq!(why(house.access.end_sessions_of(&helper, above).await), "forbidden", "{above}");
    }
    assert_eq!(house.access.end_sessions_of(&helper, ANN).await.unwrap(), 1);
    assert_eq!(house.find(&token).await, None);
    let owner = house.actor(OWNER).await;
    assert_eq!(house.access.end_sessions_of(&owner, CARL).await.unwrap(), 0);
    assert!(house.access.end_sessions_of(&owner, OWNER).await.unwrap() > 0);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_other_sessions() {
    let house = House::open().await;
    let (token, other) = (house.token(ANN).await, house.token(ANN).await);
    let me = house.find(&token).await.unwrap();
    let change = async |old: &str, new: &str| {
        house.access.change_password(&me, Secret::new(old), Secret::new(new), &visit()).await
    };
    assert_eq!(why(change("wrong", "a better horse").await), "old_password: sign-in-refused");
    assert_eq!(why(change(PASSWORD, &"x".repeat(8)).await), "password: password-too-common");
    assert_eq!(why(change(PASSWORD, ANN).await), "password: password-is-name");
    let renewed = change(PASSWORD, "a better horse").await.unwrap();
    assert_eq!((house.find(&token).await, house.find(&other).await), (None, None));
    assert!(house.find(&renewed).await.unwrap().actor.is_proven);
    assert_eq!(why(house.sign_in(ANN, PASSWORD).await), "password: sign-in-refused");
    assert!(matches!(house.sign_in(ANN, "a better horse").await, Ok(SignIn::Whole(_))));
    assert_eq!(house.activity().await, [format!("{ANN} person.password {ANN}")]);
}

#[tokio::test]
async fn a_password_that_somebody_sets_is_to_be_changed() {
    let house = House::open().await;
    let token = house.token(ANN).await;
    let (helper, admin) = (house.actor(HELPER).await, house.actor(ADMIN).await);
    let set = async |actor, name| house.access.set_password(actor, name, Secret::new("for the moment"), true).await;
    assert_eq!(why(set(&helper, ANN).await), "forbidden");
    assert_eq!(why(set(&admin, OWNER).await), "forbidden");
    house.clock.advance(PROOF_LASTS);
    let late = relais_service::Actor { is_proven: false, ..admin.clone() };
    assert_eq!(why(set(&late, ANN).await), "unproven");
    set(&admin, ANN).await.unwrap();
    assert_eq!(house.find(&token).await, None);
    let Ok(SignIn::Whole(token)) = house.sign_in(ANN, "for the moment").await else { panic!("it was set") };
    let me = house.find(&token).await.unwrap();
    assert!(me.must_change_password);
    let old = Secret::new("for the moment");
    let renewed = house.access.change_password(&me, old, Secret::new("my very own"), &visit()).await.unwrap();
    assert!(!house.find(&renewed).await.unwrap().must_change_password);
    house.check().await;
}

#[tokio::test]
async fn a_form_belongs_to_a_session() {
    let house = House::open().await;
    let (one, other) = (house.token(ANN).await, house.access.make_visitor());
    let form = house.access.csrf(one.expose());
    assert!(house.access.is_csrf(one.expose(), &form));
    assert!(!house.access.is_csrf(other.expose(), &form));
    assert!(!house.access.is_csrf(one.expose(), ""));
    assert!(!house.access.is_csrf(one.expose(), one.expose()));
    assert_ne!(form, house.access.csrf(other.expose()));
}
