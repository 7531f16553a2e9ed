//! One-time links.

use std::time::Duration;

use relais_model::Secret;
use relais_service::{
    Actor, AppPasswordForm, DEVICE_LINK_LASTS, PASSWORD_LINK_LASTS, Role, SET_UP_LINK_LASTS, SetUp, SignIn, Way,
};

use super::{ADMIN, ANN, BOB, CARL, HELPER, House, OWNER, PASSWORD, visit, why};

fn wanted(host_name: &str, domain: &str, address: &str, password: &str) -> SetUp {
    SetUp {
        host_name: host_name.to_owned(),
        domain: domain.to_owned(),
        name: "Olga".to_owned(),
        address: address.to_owned(),
        way: Way::Password(Secret::new(password)),
    }
}

#[tokio::test]
async fn a_house_is_set_up_once() {
    let house = House::empty().await;
    assert!(!house.access.is_set_up().await.unwrap());
    assert_eq!(why(house.access.set_up_link(&house.actor(ANN).await).await), "forbidden");
    let void = house.access.set_up_link(&Actor::command_line()).await.unwrap();
    let link = house.access.set_up_link(&Actor::command_line()).await.unwrap();
    for nothing in [void.expose(), "", "x"] {
        assert_eq!(why(house.access.open_set_up_link(nothing).await), "absent: link-void");
    }
    house.access.open_set_up_link(link.expose()).await.unwrap();
    let try_up = async |wanted| house.access.set_up(link.expose(), wanted, &visit()).await;
    assert_eq!(
        why(try_up(wanted("not a host", "exa mple", "olga", "long enough")).await),
        "host_name: failure-domain-form, domain: failure-domain-form, address: failure-address-form"
    );
    let elsewhere = wanted("mx.example.org", "new.example", "olga@other.example", "long enough");
    assert_eq!(why(try_up(elsewhere).await), "address: link-owner-elsewhere");
    let renamed = wanted("mx.new.example", "new.example", "olga@new.example", "long enough");
    assert_eq!(why(try_up(renamed).await), "host_name: link-other-host", "relais.toml says another");
    let weak = wanted("mx.example.org", "new.example", "olga@new.example", "short");
    assert_eq!(why(try_up(weak).await), "password: password-too-short");
    let taken = wanted("mx.example.org", "example.org", ANN, "long enough");
    assert_eq!(why(try_up(taken).await), "clash address: failure-address-taken");
    assert!(!house.access.is_set_up().await.unwrap(), "nothing was done");
    let founded = try_up(wanted(" MX.example.org ", "new.example", "olga@new.example", "long enough")).await.unwrap();
    let me = house.find(&founded.token).await.unwrap();
    assert_eq!((me.actor.role, me.name.as_str()), (Role::Owner, "Olga"));
    assert!(house.access.is_set_up().await.unwrap());
    let again = try_up(wanted("mx.example.org", "other.example", "p@other.example", "long enough")).await;
    assert_eq!(why(again), "absent: link-void");
    assert_eq!(why(house.access.set_up_link(&Actor::command_line()).await), "clash : link-already-set-up");
    let acts = house.activity().await;
    assert!(acts.contains(&"olga@new.example house.set_up olga@new.example".to_owned()), "{acts:?}");
    house.check().await;
}

#[tokio::test]
async fn a_link_for_setting_up_expires() {
    let house = House::empty().await;
    let link = house.access.set_up_link(&Actor::command_line()).await.unwrap();
    house.clock.advance(SET_UP_LINK_LASTS);
    let wanted = wanted("a.example", "a.example", "o@a.example", "long enough");
    assert_eq!(why(house.access.set_up(link.expose(), wanted, &visit()).await), "absent: link-void");
}

#[tokio::test]
async fn a_link_sets_a_password_once() {
    let house = House::open().await;
    let token = house.token(ANN).await;
    let helper = house.actor(HELPER).await;
    let void = house.access.password_link(&helper, ANN).await.unwrap();
    let link = house.access.password_link(&helper, ANN).await.unwrap();
    assert!(house.find(&token).await.is_some(), "until it is used all is as it was");
    let opened = house.access.open_password_link(link.expose()).await.unwrap();
    assert_eq!((opened.address.to_string().as_str(), opened.name.as_str()), (ANN, "ann"));
    let set = async |link: &Secret, password| {
        house.access.use_password_link(link.expose(), Secret::new(password), &visit()).await
    };
    assert_eq!(why(set(&void, "a better horse").await), "absent: link-void");
    assert_eq!(why(set(&link, "12345678").await), "password: password-too-common");
    set(&link, "a better horse").await.unwrap();
    assert_eq!(why(set(&link, "a better horse").await), "absent: link-void");
    assert_eq!(why(house.access.open_password_link(link.expose()).await), "absent: link-void");
    assert_eq!(house.find(&token).await, None);
    assert_eq!(why(house.sign_in(ANN, PASSWORD).await), "password: sign-in-refused");
    assert!(matches!(house.sign_in(ANN, "a better horse").await, Ok(SignIn::Whole(_))));
    let acts = house.activity().await;
    assert_eq!(acts[..2], [format!("{ANN} person.password {ANN}"), format!("{HELPER} person.password_link {ANN}")]);
    house.check().await;
}

#[tokio::test]
async fn a_link_is_for_who_has_less_to_say_and_expires() {
    let house = House::open().await;
    let link = async |actor: &Actor, name| house.access.password_link(actor, name).await;
    let (helper, admin, owner) = (house.actor(HELPER).await, house.actor(ADMIN).await, house.actor(OWNER).await);
    assert_eq!(why(link(&house.actor(BOB).await, ANN).await), "forbidden");
    assert_eq!(why(link(&helper, ADMIN).await), "forbidden");
    assert_eq!(why(link(&helper, CARL).await), "absent: failure-unknown-address");
    assert_eq!(why(link(&admin, OWNER).await), "forbidden");
    link(&admin, HELPER).await.unwrap();
    link(&owner, CARL).await.unwrap();
    let ann = link(&owner, ANN).await.unwrap();
    house.suspend(ANN, true).await;
    assert_eq!(why(house.access.open_password_link(ann.expose()).await), "absent: link-void");
    house.suspend(ANN, false).await;
    assert_eq!(why(house.access.open_password_link(ann.expose()).await), "absent: link-void", "it ended then");
    let ann = link(&owner, ANN).await.unwrap();
    house.clock.advance(PASSWORD_LINK_LASTS.saturating_sub(Duration::from_secs(1)));
    house.access.open_password_link(ann.expose()).await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(why(house.access.open_password_link(ann.expose()).await), "absent: link-void");
}

#[tokio::test]
async fn a_link_gives_a_phone_its_own_password_once() {
    let house = House::open().await;
    let ann = house.actor(ANN).await;
    let void = house.access.own_device_link(&ann).await.unwrap();
    let link = house.access.own_device_link(&ann).await.unwrap();
    assert_eq!(why(house.access.open_password_link(link.expose()).await), "absent: link-void", "it sets none");
    for _ in 0..2 {
        let opened = house.access.open_device_link(link.expose()).await.unwrap();
        assert_eq!(opened.address.to_string(), ANN, "looking doesn't use it up");
    }
    let take = async |link: &Secret| house.access.use_device_link(link.expose(), "iPhone", &visit()).await;
    assert_eq!(why(take(&void).await), "absent: link-void");
    let taken = take(&link).await.unwrap();
    assert_eq!((taken.name.as_str(), taken.owner.name.as_str()), ("iPhone", "ann"));
    assert_eq!(why(take(&link).await), "absent: link-void");
    assert_eq!(why(house.access.open_device_link(link.expose()).await), "absent: link-void");
    let again = take(&house.access.own_device_link(&ann).await.unwrap()).await.unwrap();
    assert_eq!(again.name, "iPhone 2");
    assert_ne!(again.password, taken.password);
    let own = house.access.own_app_passwords(&ann).await.unwrap();
    assert_eq!(own.iter().map(|one| one.protocols.join(" ")).collect::<Vec<_>>(), ["imap smtp", "imap smtp"]);
    let late = house.access.own_device_link(&ann).await.unwrap();
    house.clock.advance(DEVICE_LINK_LASTS);
    assert_eq!(why(take(&late).await), "absent: link-void");
    let acts = house.activity().await;
    let told = [format!("{ANN} app_password.create {ANN}"), format!("{ANN} person.device_link {ANN}")];
    assert_eq!(acts[1..3], told);
    house.check().await;
}

#[tokio::test]
async fn a_phones_link_is_left_as_it_is_where_there_are_too_many_passwords() {
    let house = House::open().await;
    let ann = house.actor(ANN).await;
    let link = house.access.own_device_link(&ann).await.unwrap();
    for number in 1..=50 {
        let protocols = vec!["imap".to_owned()];
        let form = AppPasswordForm { name: number.to_string(), protocols, ..AppPasswordForm::default() };
        house.access.add_own_app_password(&ann, &form).await.unwrap();
    }
    assert_eq!(why(house.access.own_device_link(&ann).await), "clash : app-password-too-many");
    let take = async || house.access.use_device_link(link.expose(), "iPhone", &visit()).await;
    assert_eq!(why(take().await), "clash : app-password-too-many");
    house.access.remove_own_app_password(&ann, "1").await.unwrap();
    take().await.unwrap();
    house.check().await;
}
