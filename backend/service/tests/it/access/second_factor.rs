//! Codes: those of oathtool, where it is installed, are ours.

use std::process::Command;
use std::time::Duration;

use relais_model::{Clock as _, Secret};
use relais_service::{CODE_ATTEMPTS, PROOF_LASTS, RECOVERY_CODES, SECOND_FACTOR_PATIENCE, SignIn, SignedIn};
use totp_rs::Builder;

use super::{ADMIN, ANN, BOB, HELPER, House, OWNER, PASSWORD, visit, why};

const STEP: Duration = Duration::from_secs(30);

/// The code of an authenticator that has this secret, so many steps from now.
pub(super) fn code(house: &House, secret: &Secret, steps: i64) -> String {
    let seconds = u64::try_from(house.clock.now().seconds() + 30 * steps).unwrap();
    let base32: String = secret.expose().split(' ').collect();
    let octets = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
    Builder::new().with_secret(octets).build().unwrap().generate(seconds).to_string()
}

/// Turns the second factor on; its secret and the recovery codes.
pub(super) async fn turn_on(house: &House, me: &SignedIn) -> (Secret, Vec<Secret>) {
    let secret = house.access.offer_totp(&me.actor).await.unwrap().secret;
    let codes = house.access.confirm_totp(&me.actor, &code(house, &secret, 0)).await.unwrap();
    house.clock.advance(STEP);
    (secret, codes)
}

/// The token of a session whose second factor is to come.
async fn pending(house: &House) -> Secret {
    match house.sign_in(ANN, PASSWORD).await {
        Ok(SignIn::SecondFactor(token)) => token,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn codes_are_those_of_oathtool() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    let offer = house.access.offer_totp(&me.actor).await.unwrap();
    let base32: String = offer.secret.expose().split(' ').collect();
    let now = format!("@{}", house.clock.now().seconds());
    let Ok(said) = Command::new("oathtool").args(["--totp", "--base32", "--now", &now, &base32]).output() else {
        eprintln!("oathtool is not installed: codes were not compared with its own");
        return;
    };
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.trim(), code(&house, &offer.secret, 0));
    assert!(
        offer.uri.expose().starts_with("otpauth://totp/mx.example.org:ann%40example.org?"),
        "{}",
        offer.uri.expose()
    );
    assert!(offer.uri.expose().contains(&format!("secret={base32}")));
    assert!(offer.qr.expose().contains("<svg"));
    assert_eq!(house.access.confirm_totp(&me.actor, said.trim()).await.unwrap().len(), RECOVERY_CODES);
}

#[tokio::test]
async fn it_is_on_from_the_first_right_code() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    assert_eq!(why(house.access.confirm_totp(&me.actor, "000000").await), "absent: second-factor-no-offer");
    let void = house.access.offer_totp(&me.actor).await.unwrap().secret;
    let secret = house.access.offer_totp(&me.actor).await.unwrap().secret;
    assert_eq!(house.access.offered_totp(&me.actor).await.unwrap().secret, secret, "the form is shown again");
    assert_eq!(why(house.access.confirm_totp(&me.actor, &code(&house, &void, 0)).await), "code: second-factor-wrong");
    assert!(matches!(house.sign_in(ANN, PASSWORD).await, Ok(SignIn::Whole(_))), "not yet");
    assert!(house.is_mail_open(ANN).await);
    let spaced = code(&house, &secret, 0);
    let spaced = format!(" {} {}", &spaced[..3], &spaced[3..]);
    house.access.confirm_totp(&me.actor, &spaced).await.unwrap();
    let state = house.access.second_factor(&me.actor).await.unwrap();
    assert_eq!((state.since, state.recovery_codes), (Some(house.clock.now()), 10));
    assert_eq!(why(house.access.offer_totp(&me.actor).await), "clash : second-factor-is-on");
    assert!(!house.is_mail_open(ANN).await, "mail programs need an app password");
    assert!(house.is_mail_open(BOB).await);
    assert_eq!(house.activity().await, [format!("{ANN} second_factor.on {ANN}")]);
    house.check().await;
}

#[tokio::test]
async fn a_password_alone_opens_nothing_then() {
    let house = House::open().await;
    let (secret, _) = turn_on(&house, &house.me(ANN).await).await;
    let token = pending(&house).await;
    assert_eq!(house.find(&token).await, None);
    assert_eq!(house.access.pending(token.expose()).await.unwrap().unwrap().address.to_string(), ANN);
    let second = async |code: &str| house.access.sign_in_second(token.expose(), code).await;
    for wrong in ["", "12345", "abcdef", &code(&house, &secret, 5)] {
        assert_eq!(why(second(wrong).await), "code: second-factor-wrong", "{wrong}");
    }
    let whole = second(&code(&house, &secret, 0)).await.unwrap();
    assert_eq!(house.access.pending(token.expose()).await.unwrap(), None, "the old token is none");
    assert!(house.access.pending(whole.expose()).await.unwrap().is_none());
    let me = house.find(&whole).await.unwrap();
    assert!(me.actor.is_proven && me.has_second_factor);
    assert_eq!(why(second("123456").await), "absent: sign-in-lost");
}

#[tokio::test]
async fn a_code_works_once_and_a_step_early_or_late() {
    let house = House::open().await;
    let (secret, _) = turn_on(&house, &house.me(ANN).await).await;
    let second = async |steps| {
        let token = pending(&house).await;
        house.access.sign_in_second(token.expose(), &code(&house, &secret, steps)).await
    };
    second(0).await.unwrap();
    assert_eq!(why(second(0).await), "code: second-factor-wrong", "used");
    assert_eq!(why(second(-1).await), "code: second-factor-wrong", "older than one that was used");
    assert_eq!(why(second(2).await), "code: second-factor-wrong");
    second(1).await.unwrap();
    house.clock.advance(STEP * 3);
    second(-1).await.unwrap();
}

#[tokio::test]
async fn attempts_are_few_a_session_and_few_in_all() {
    let house = House::open().await;
    let (secret, recovery) = turn_on(&house, &house.me(ANN).await).await;
    let mut wrong = 0;
    let refused = 'guessing: loop {
        let token = pending(&house).await;
        for _ in 0..CODE_ATTEMPTS {
            let said = why(house.access.sign_in_second(token.expose(), &code(&house, &secret, 9)).await);
            if said != "code: second-factor-wrong" {
                break 'guessing said;
            }
            wrong += 1;
        }
        let late = house.access.sign_in_second(token.expose(), &code(&house, &secret, 0)).await;
        assert_eq!(why(late), "absent: sign-in-lost", "a session has few attempts");
    };
    assert_eq!((wrong, refused.as_str()), (10, "too many: 60"), "nor do new sessions help");
    let token = pending(&house).await;
    let right = house.access.sign_in_second(token.expose(), &code(&house, &secret, 0)).await;
    assert_eq!(why(right), "too many: 60", "a guesser's luck, too");
    house.access.sign_in_second(token.expose(), recovery[0].expose()).await.unwrap();
    house.clock.advance(Duration::from_mins(1));
    let token = pending(&house).await;
    house.access.sign_in_second(token.expose(), &code(&house, &secret, 0)).await.unwrap();
}

#[tokio::test]
async fn a_pending_session_is_not_waited_for_long() {
    let house = House::open().await;
    let (secret, _) = turn_on(&house, &house.me(ANN).await).await;
    let token = pending(&house).await;
    house.clock.advance(SECOND_FACTOR_PATIENCE);
    let late = house.access.sign_in_second(token.expose(), &code(&house, &secret, 0)).await;
    assert_eq!(why(late), "absent: sign-in-lost");
}

#[tokio::test]
async fn recovery_codes_work_once_each() {
    let house = House::open().await;
    let me = house.me(ANN).await;
    let (_, codes) = turn_on(&house, &me).await;
    assert_eq!(codes[0].expose().len(), 19, "four groups of four");
    let second = async |code: &str| {
        let token = pending(&house).await;
        house.access.sign_in_second(token.expose(), code).await
    };
    second(&codes[0].expose().to_uppercase().replace('-', " ")).await.unwrap();
    assert_eq!(why(second(codes[0].expose()).await), "code: second-factor-wrong");
    assert_eq!(house.access.second_factor(&me.actor).await.unwrap().recovery_codes, 9);
    let renewed = house.access.renew_recovery_codes(&me.actor).await.unwrap();
    assert_eq!(why(second(codes[1].expose()).await), "code: second-factor-wrong");
    second(renewed[1].expose()).await.unwrap();
    house.check().await;
}

#[tokio::test]
async fn what_weakens_or_shows_it_needs_proof() {
    let house = House::open().await;
    let token = house.token(ANN).await;
    let (secret, _) = turn_on(&house, &house.find(&token).await.unwrap()).await;
    house.clock.advance(PROOF_LASTS);
    let me = house.find(&token).await.unwrap();
    assert_eq!(why(house.access.offer_totp(&me.actor).await), "unproven");
    assert_eq!(why(house.access.offered_totp(&me.actor).await), "unproven");
    assert_eq!(why(house.access.renew_recovery_codes(&me.actor).await), "unproven");
    assert_eq!(why(house.access.remove_second_factor(&me.actor).await), "unproven");
    let token = house.access.prove(&me, Secret::new(PASSWORD), &visit()).await.unwrap();
    let me = house.find(&token).await.unwrap();
    house.access.remove_second_factor(&me.actor).await.unwrap();
    assert_eq!(why(house.access.remove_second_factor(&me.actor).await), "absent: second-factor-is-off");
    assert_eq!(why(house.access.renew_recovery_codes(&me.actor).await), "absent: second-factor-is-off");
    assert!(matches!(house.sign_in(ANN, PASSWORD).await, Ok(SignIn::Whole(_))));
    assert!(house.is_mail_open(ANN).await);
    drop(secret);
}

#[tokio::test]
async fn an_admin_turns_it_off_for_who_lost_it() {
    let house = House::open().await;
    turn_on(&house, &house.me(ANN).await).await;
    let remove = async |actor, name| house.access.remove_second_factor_of(actor, name).await;
    let (helper, admin) = (house.actor(HELPER).await, house.actor(ADMIN).await);
    assert_eq!(why(remove(&helper, ANN).await), "forbidden");
    assert_eq!(why(remove(&admin, OWNER).await), "forbidden");
    assert_eq!(why(remove(&admin, BOB).await), "absent: second-factor-is-off");
    remove(&admin, ANN).await.unwrap();
    assert!(matches!(house.sign_in(ANN, PASSWORD).await, Ok(SignIn::Whole(_))));
    assert_eq!(house.activity().await[0], format!("{ADMIN} second_factor.off {ANN}"));
}
