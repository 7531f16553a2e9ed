//! The log-in, on a real store, with a clock that moves only when told.

use std::net::IpAddr;
use std::time::Duration;

use relais_model::Secret;
use relais_reception::{Login, LoginAnswer, LoginAttempt, Protocol, VERIFIED_FOR};
use relais_store::{AccountChange, Author};
use relais_testkit::SeededRandom;
use tokio::time::Instant;

use crate::house::{House, address};

/// Of "correct horse", as `doveadm pw -s SSHA512` made it: quick, so that tests are.
pub(crate) const FOREIGN: &str =
    "{SSHA512}mpmCl2ofUUa9Tjo5osCoV55vwBWXyuzI3Eme/hdZIriGuwXwp82joKjvIVhnO3qON8GMJ55C7suhKd0jBG4/PeAOv0M=";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const STRANGER: &str = "203.0.113.9";

fn attempt(name: &str, password: &str, peer: &str) -> LoginAttempt {
    let (peer, password): (IpAddr, _) = (peer.parse().unwrap(), Secret::new(password));
    LoginAttempt { name: name.to_owned(), authorization: None, password, peer, protocol: Protocol::Imap }
}

/// In one word.
pub(crate) fn word(answer: &LoginAnswer) -> &'static str {
    match answer {
        LoginAnswer::Granted(_) => "granted",
        LoginAnswer::Refused => "refused",
        LoginAnswer::TooMany { .. } => "too many",
        LoginAnswer::Unavailable => "unavailable",
    }
}

async fn check(house: &House, attempt: LoginAttempt, expected: &str) {
    let said = format!("{attempt:?}");
    assert_eq!(word(&house.login.check(attempt).await), expected, "{said}");
}

/// RFC 4422: authcid is the full address; authzid is nobody else's.
#[tokio::test]
async fn the_full_address_is_the_name() {
    let house = House::open().await;
    house.add_account("Ann@bücher.example", FOREIGN).await;
    let here = "192.0.2.1";
    for (name, expected) in [
        ("Ann@bücher.example", "granted"),
        ("aNN@xn--bcher-kva.example", "granted"),
        ("ann@BÜCHER.example", "granted"),
        ("ann+x@bücher.example", "refused"),
        ("ann", "refused"),
        ("", "refused"),
        ("nobody@bücher.example", "refused"),
    ] {
        check(&house, attempt(name, PASSWORD, here), expected).await;
    }
    for (authorization, expected) in [
        ("", "granted"),
        ("ANN@bücher.example", "granted"),
        ("bob@bücher.example", "refused"),
        ("not an address", "refused"),
    ] {
        let attempt = LoginAttempt {
            authorization: Some(authorization.to_owned()),
            ..attempt("ann@bücher.example", PASSWORD, here)
        };
        check(&house, attempt, expected).await;
    }
}

#[tokio::test]
async fn a_foreign_hash_is_renewed_at_the_first_log_in() {
    let house = House::open().await;
    house.add_account("ann@example.org", FOREIGN).await;
    let stored = || async { house.store.credential(&address("ann@example.org")).await.unwrap().unwrap().hash };
    check(&house, attempt("ann@example.org", "wrong", STRANGER), "refused").await;
    assert_eq!(stored().await.expose(), FOREIGN);
    check(&house, attempt("ann@example.org", PASSWORD, STRANGER), "granted").await;
    assert!(stored().await.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    check(&house, attempt("ann@example.org", PASSWORD, STRANGER), "granted").await;
    check(&house, attempt("ann@example.org", "wrong", STRANGER), "refused").await;
}

#[tokio::test]
async fn what_is_remembered_ends_with_the_password_and_with_a_suspension() {
    let house = House::open().await;
    house.add_account("ann@example.org", FOREIGN).await;
    let (ann, right) = (address("ann@example.org"), attempt("ann@example.org", PASSWORD, STRANGER));
    check(&house, right.clone(), "granted").await;
    check(&house, right.clone(), "granted").await;
    let other = house.login.hash(Secret::new("other")).await.unwrap();
    house.store.set_password_hash(&ann, other, &Author::house()).await.unwrap();
    check(&house, right.clone(), "refused").await;
    check(&house, attempt("ann@example.org", "other", STRANGER), "granted").await;
    let suspend = |is_suspended| AccountChange { is_suspended: Some(is_suspended), ..AccountChange::default() };
    house.store.change_account(&ann, suspend(true), None, &Author::house()).await.unwrap();
    check(&house, attempt("ann@example.org", "other", STRANGER), "refused").await;
    house.store.change_account(&ann, suspend(false), None, &Author::house()).await.unwrap();
    house.clock.advance(VERIFIED_FOR);
    check(&house, attempt("ann@example.org", "other", STRANGER), "granted").await;
}

/// The known and the unknown are refused alike, and after as many failures.
#[tokio::test]
async fn guessing_is_refused_for_known_and_unknown_names_alike() {
    let house = House::open().await;
    house.add_account("ann@example.org", FOREIGN).await;
    for (name, network) in [("ann@example.org", "198.51.100"), ("nobody@example.org", "203.0.113")] {
        for guess in 0..11 {
            let peer = format!("{network}.{guess}");
            check(&house, attempt(name, &format!("guess {guess}"), &peer), "refused").await;
        }
        let answer = house.login.check(attempt(name, PASSWORD, "192.0.2.77")).await;
        assert_eq!(answer, LoginAnswer::TooMany { retry_after: Duration::from_secs(30) });
    }
    house.clock.advance(Duration::from_secs(30));
    check(&house, attempt("ann@example.org", PASSWORD, "192.0.2.77"), "granted").await;
}

#[tokio::test]
async fn who_logged_in_from_there_is_not_locked_out_by_strangers() {
    let house = House::open().await;
    house.add_account("ann@example.org", FOREIGN).await;
    check(&house, attempt("ann@example.org", PASSWORD, "192.0.2.1"), "granted").await;
    for guess in 0..11 {
        check(&house, attempt("ann@example.org", &format!("guess {guess}"), STRANGER), "refused").await;
    }
    check(&house, attempt("ann@example.org", PASSWORD, STRANGER), "too many").await;
    check(&house, attempt("ann@example.org", PASSWORD, "192.0.2.1"), "granted").await;
    check(&house, attempt("ann@example.org", PASSWORD, "127.0.0.1"), "granted").await;
}

/// threats.md: the same time for an unknown name, whatever the known one's hash costs, and whoever isn't looked at.
#[tokio::test]
async fn no_refusal_is_told_before_its_time() {
    let house = House::open().await;
    house.add_account("ann@example.org", FOREIGN).await;
    let refused_after = Duration::from_millis(200);
    let login = Login::new(house.store.clone(), house.clock.clone(), &SeededRandom::new(4));
    let login = login.with_refusals_after(refused_after);
    for name in ["ann@example.org", "nobody@example.org", "no address"] {
        let began_at = Instant::now();
        let answer = login.check(attempt(name, "wrong", STRANGER)).await;
        assert_eq!((answer, refused_after <= began_at.elapsed()), (LoginAnswer::Refused, true), "{name}");
    }
    assert_eq!(word(&login.check(attempt("ann@example.org", PASSWORD, STRANGER)).await), "granted");
}

#[tokio::test]
async fn a_password_too_long_is_wrong() {
    let house = House::open().await;
    let long = "x".repeat(relais_reception::MAX_PASSWORD_OCTETS + 1);
    let hash = house.login.hash(Secret::new(long.clone())).await.unwrap();
    house.add_account("ann@example.org", hash.expose()).await;
    check(&house, attempt("ann@example.org", &long, STRANGER), "refused").await;
}

/// Nothing that is logged or printed holds a password.
#[test]
fn an_attempt_prints_no_password() {
    assert!(!format!("{:?}", attempt("ann@example.org", PASSWORD, STRANGER)).contains(PASSWORD));
}
