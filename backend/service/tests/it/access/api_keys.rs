//! The API's keys.

use std::time::Duration;

use relais_model::{Clock as _, Secret};
use relais_service::{Actor, ApiKeyForm, Failure, Group, Keyed, PROOF_LASTS, Reach, Role, Scope, Scopes, Via};
use relais_store::{AccountChange, Author};

use super::{ADMIN, ANN, BOB, House, OWNER, address, visit, why};

fn form(name: &str, role: Role, scopes: &[&str]) -> ApiKeyForm {
    let scopes = Scopes::parse(scopes.iter().copied()).unwrap();
    ApiKeyForm { name: name.to_owned(), role, scopes, expires_at: None }
}

async fn create(house: &House, actor: &Actor, role: Role) -> Result<Secret, Failure> {
    house.access.create_api_key(actor, None, form("Backup", role, &["people:write", "queue:read"])).await
}

async fn find(house: &House, token: &Secret) -> Option<Keyed> {
    house.access.key(token.expose(), visit().peer).await.unwrap()
}

#[tokio::test]
async fn a_key_is_its_owner_with_less() {
    let house = House::open().await;
    let owner = house.actor(OWNER).await;
    let token = create(&house, &owner, Role::DomainAdmin).await.unwrap();
    assert_eq!(token.expose().len(), "relais_".len() + 40);
    assert!(token.expose().starts_with("relais_"));
    let keyed = find(&house, &token).await.unwrap();
    assert_eq!(keyed.actor.name, format!("Backup ({OWNER})"));
    assert_eq!((keyed.actor.role, &keyed.actor.reach, keyed.actor.via), (Role::DomainAdmin, &Reach::All, Via::Api));
    assert!(
        keyed.reach.scopes.allow(Scope::Read(Group::People)) && keyed.reach.scopes.allow(Scope::Write(Group::People))
    );
    assert!(
        keyed.reach.scopes.allow(Scope::Read(Group::Queue)) && !keyed.reach.scopes.allow(Scope::Write(Group::Queue))
    );
    assert!(!keyed.reach.scopes.allow(Scope::Read(Group::Domains)) && !keyed.reach.scopes.allow(Scope::All));
    assert!(form("x", Role::User, &["*"]).scopes.allow(Scope::Write(Group::Settings)));
    for nothing in ["", "relais_", "relais_x", &token.expose()[7..], &token.expose().to_uppercase()] {
        assert_eq!(house.access.key(nothing, visit().peer).await.unwrap(), None, "{nothing}");
    }
    let rows = house.access.api_keys(&owner, false, None, None).await.unwrap().rows;
    assert_eq!((rows[0].name.as_str(), rows[0].role), ("Backup", Role::DomainAdmin));
    assert_eq!(rows[0].last_used, Some((house.clock.now(), "192.0.2.1".to_owned())));
    assert_eq!(house.activity().await, [format!("{OWNER} api_key.create {OWNER}")]);
    house.check().await;
}

#[tokio::test]
async fn it_never_may_more_than_its_owner_now() {
    let house = House::open().await;
    let admin = house.actor(ADMIN).await;
    assert_eq!(why(create(&house, &admin, Role::Owner).await), "forbidden");
    let token = create(&house, &admin, Role::DomainAdmin).await.unwrap();
    assert!(matches!(find(&house, &token).await.unwrap().actor.reach, Reach::Domains(domains) if domains.len() == 1));
    let less = AccountChange { role: Some(relais_store::Role::User), ..AccountChange::default() };
    house.store.change_account(&address(ADMIN), less, None, &Author::house()).await.unwrap();
    let keyed = find(&house, &token).await.unwrap();
    assert_eq!((keyed.actor.role, keyed.actor.reach), (Role::User, Reach::Domains(Vec::new())));
    house.suspend(ADMIN, true).await;
    assert_eq!(find(&house, &token).await, None);
    house.suspend(ADMIN, false).await;
    house.store.remove_account(&address(ADMIN), None, &Author::house()).await.unwrap();
    assert_eq!(find(&house, &token).await, None);
}

#[tokio::test]
async fn it_is_made_in_the_panel_by_who_proved_who_they_are() {
    let house = House::open().await;
    let token = house.token(ANN).await;
    let ann = house.find(&token).await.unwrap().actor;
    let key = create(&house, &ann, Role::User).await.unwrap();
    find(&house, &key).await.unwrap();
    let machine = Actor::command_line();
    assert_eq!(why(create(&house, &machine, Role::User).await), "absent: failure-no-account");
    let above = house.access.create_api_key_of(&machine, ANN, form("Above", Role::Owner, &["*"])).await;
    assert_eq!(why(above), "forbidden", "no key may more than its owner");
    house.access.create_api_key_of(&machine, ANN, form("Machine", Role::User, &["*"])).await.unwrap();
    let theirs = house.access.create_api_key_of(&ann, ANN, form("Theirs", Role::User, &["*"])).await;
    assert_eq!(why(theirs), "forbidden");
    assert_eq!(why(create(&house, &ann, Role::User).await), "clash name: sign-in-name-taken");
    let past = ApiKeyForm { expires_at: Some(house.clock.now()), ..form("Past", Role::User, &["*"]) };
    assert_eq!(why(house.access.create_api_key(&ann, None, past).await), "expires_at: api-key-expired");
    assert_eq!(
        why(house.access.create_api_key(&ann, None, form("\t", Role::User, &["*"])).await),
        "name: sign-in-bad-name"
    );
    assert_eq!(why(Scopes::parse([])), "scopes: api-key-no-scopes");
    for bad in ["", "domains", "domains:all", "all:read", "**", "domains:read:write"] {
        assert_eq!(why(Scopes::parse([bad])), "scopes: api-key-bad-scope", "{bad}");
    }
    house.clock.advance(PROOF_LASTS);
    let late = house.find(&token).await.unwrap().actor;
    assert_eq!(why(house.access.create_api_key(&late, None, form("Late", Role::User, &["*"])).await), "unproven");
}

#[tokio::test]
async fn a_key_makes_none_that_may_more_or_outlives_it() {
    let house = House::open().await;
    let ann = house.actor(ANN).await;
    let in_days = |days: u64| Some(house.clock.now().plus(Duration::from_hours(24 * days)));
    let mother =
        ApiKeyForm { expires_at: in_days(7), ..form("Mother", Role::User, &["people:write", "account:write"]) };
    let mother = house.access.create_api_key(&ann, None, mother).await.unwrap();
    let mother = find(&house, &mother).await.unwrap();
    let make = async |name: &str, scopes: &[&str], until| {
        let form = ApiKeyForm { expires_at: until, ..form(name, Role::User, scopes) };
        house.access.create_api_key(&mother.actor, Some(&mother.reach), form).await
    };
    make("Less", &["people:read"], in_days(7)).await.unwrap();
    let silent = house.access.create_api_key(&mother.actor, None, form("Silent", Role::User, &["people:read"])).await;
    assert_eq!(why(silent), "forbidden", "a key that doesn't say what it may gives nothing");
    assert_eq!(why(make("More", &["queue:read"], in_days(1)).await), "scopes: api-key-scope-above");
    assert_eq!(why(make("All", &["*"], in_days(1)).await), "scopes: api-key-scope-above");
    assert_eq!(why(make("Longer", &["people:read"], in_days(8)).await), "expires_at: api-key-outlives");
    assert_eq!(why(make("Forever", &["people:read"], None).await), "expires_at: api-key-outlives");
}

#[tokio::test]
async fn it_is_revoked_by_its_owner_or_an_owner_of_the_house() {
    let house = House::open().await;
    let (ann, bob, owner) = (house.actor(ANN).await, house.actor(BOB).await, house.actor(OWNER).await);
    let token = create(&house, &ann, Role::User).await.unwrap();
    let brief = Some(house.clock.now().plus(Duration::from_hours(1)));
    let brief = ApiKeyForm { expires_at: brief, ..form("Brief", Role::User, &["*"]) };
    let brief = house.access.create_api_key(&ann, None, brief).await.unwrap();
    let id = house.access.api_keys(&ann, false, None, None).await.unwrap().rows[0].id.clone();
    assert_eq!(why(house.access.revoke_api_key(&bob, &id).await), "absent: api-key-absent");
    assert!(house.access.api_keys(&bob, false, None, None).await.unwrap().rows.is_empty());
    assert_eq!(why(house.access.api_keys(&bob, true, None, None).await), "forbidden");
    assert_eq!(house.access.api_keys(&owner, true, None, None).await.unwrap().rows.len(), 2);
    house.access.revoke_api_key(&owner, &id).await.unwrap();
    assert_eq!(find(&house, &token).await, None);
    assert_eq!(why(house.access.revoke_api_key(&ann, &id).await), "absent: api-key-absent");
    assert!(find(&house, &brief).await.is_some());
    house.clock.advance(Duration::from_hours(1));
    assert_eq!(find(&house, &brief).await, None, "expired");
    assert_eq!(house.activity().await[0], format!("{OWNER} api_key.revoke {ANN}"));
}
