//! Sessions, one-time links, second factors, passkeys and the API's keys.

use std::net::IpAddr;
use std::time::Duration;

use relais_model::{Clock as _, Secret};
use relais_store::{
    AccountChange, AccountKey, ApiKeyError, AuditFilter, Author, CodeTry, DirectoryError, DomainChange, Founding,
    FoundingError, LinkPurpose, MAX_API_KEYS, MAX_PASSKEYS, MAX_SESSIONS, NewAccount, NewApiKey, NewPasskey,
    NewSession, Page, PasskeyError, Role, Session, SessionKey, SessionStep, TokenHash,
};

use crate::house::{House, on_both};
use crate::people::{address, domain};

const PEER: &str = "192.0.2.1";
const HOUR: Duration = Duration::from_hours(1);
const NO_REFUSAL: fn(u64) -> Duration = |_| Duration::ZERO;

fn peer() -> IpAddr {
    PEER.parse().unwrap()
}

fn new_session(house: &House, hash: u8, is_whole: bool) -> NewSession {
    let (hash, agent) = (hash_of(hash), "Firefox\u{7}/140".to_owned());
    NewSession {
        hash,
        account: house.anna,
        expires_at: house.clock.now().plus(HOUR),
        peer: peer(),
        agent,
        is_whole,
        news: None,
    }
}

/// Not a hash, but nobody can tell.
fn hash_of(number: u8) -> TokenHash {
    [number; 32]
}

async fn session(house: &House, hash: u8) -> Option<Session> {
    house.store.session(&hash_of(hash)).await.unwrap()
}

fn step(house: &House, hash: u8, is_proof: bool) -> SessionStep {
    SessionStep { hash: hash_of(hash), expires_at: house.clock.now().plus(HOUR), is_proof, news: None }
}

/// The acts that were written down, the latest first.
async fn acts(house: &House) -> Vec<String> {
    let listing = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap();
    listing.rows.into_iter().map(|entry| entry.act).filter(|act| act != "person.create").collect()
}

#[test]
fn a_session_is_found_by_its_token_until_it_ends() {
    on_both(|house| async move {
        let key = house.store.add_session(new_session(&house, 1, true)).await.unwrap();
        let found = session(&house, 1).await.unwrap();
        assert_eq!((found.key, found.standing.account, found.is_whole), (key, house.anna, true));
        assert_eq!((found.standing.role, found.standing.address), (Role::User, address("anna@house.example")));
        assert_eq!((found.has_totp, found.passkeys, found.must_change_password), (false, 0, false));
        assert_eq!(session(&house, 2).await, None);
        let rows = house.store.sessions(house.anna).await.unwrap();
        assert_eq!((rows.len(), rows[0].ip.as_str(), rows[0].agent.as_str()), (1, PEER, "Firefox/140"));
        house.clock.advance(HOUR.saturating_sub(Duration::from_secs(1)));
        let until = house.clock.now().plus(HOUR);
        house.store.touch_session(key, "::ffff:192.0.2.9".parse().unwrap(), until).await.unwrap();
        assert_eq!(house.store.sessions(house.anna).await.unwrap()[0].ip, "192.0.2.9");
        house.clock.advance(HOUR.saturating_sub(Duration::from_secs(1)));
        assert!(session(&house, 1).await.is_some());
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(session(&house, 1).await, None, "expired");
        assert!(house.store.sessions(house.anna).await.unwrap().is_empty());
        house.check().await;
    });
}

#[test]
fn each_step_gives_another_token() {
    on_both(|house| async move {
        let key = house.store.add_session(new_session(&house, 1, false)).await.unwrap();
        let pending = session(&house, 1).await.unwrap();
        assert!(!pending.is_whole);
        assert!(house.store.sessions(house.anna).await.unwrap().is_empty(), "lists show whole ones");
        for _ in 0..5 {
            assert!(house.store.count_attempt(key, 5).await.unwrap());
        }
        house.clock.advance(Duration::from_mins(1));
        assert!(house.store.step_session(key, step(&house, 2, true)).await.unwrap());
        assert_eq!(session(&house, 1).await, None);
        let whole = session(&house, 2).await.unwrap();
        assert!(whole.is_whole);
        assert_eq!((whole.key, whole.proved_at), (key, house.clock.now()));
        house.clock.advance(Duration::from_mins(1));
        assert!(house.store.step_session(key, step(&house, 3, false)).await.unwrap());
        assert_eq!(session(&house, 3).await.unwrap().proved_at, whole.proved_at);
        house.store.leave_session(key).await.unwrap();
        assert!(!house.store.step_session(key, step(&house, 4, true)).await.unwrap());

        let key = house.store.add_session(new_session(&house, 5, false)).await.unwrap();
        for _ in 0..5 {
            assert!(house.store.count_attempt(key, 5).await.unwrap());
        }
        assert!(!house.store.count_attempt(key, 5).await.unwrap());
        assert_eq!(session(&house, 5).await, None, "it has ended");
        house.check().await;
    });
}

/// Who has only the password ends nobody's session.
#[test]
fn sessions_are_bounded_and_pending_ones_go_first() {
    on_both(|house| async move {
        let most = u8::try_from(MAX_SESSIONS).unwrap();
        for number in 0..most {
            house.clock.advance(Duration::from_secs(1));
            house.store.add_session(new_session(&house, number, true)).await.unwrap();
        }
        for number in 100..110 {
            house.store.add_session(new_session(&house, number, false)).await.unwrap();
        }
        assert!(session(&house, 1).await.is_some());
        assert!(session(&house, 109).await.is_some(), "the one that was just begun");
        assert_eq!(session(&house, 108).await, None);
        house.store.add_session(new_session(&house, 200, true)).await.unwrap();
        assert_eq!(session(&house, 0).await, None, "the oldest");
        assert_eq!(house.store.sessions(house.anna).await.unwrap().len(), usize::from(most));
        assert_eq!(acts(&house).await, ["domain.create"], "nobody writes down that the oldest goes");
        house.check().await;
    });
}

#[test]
fn sessions_end_one_by_one_or_all() {
    on_both(|house| async move {
        let by = Author::house();
        let mut keys = Vec::new();
        for number in 1..=4 {
            keys.push(house.store.add_session(new_session(&house, number, true)).await.unwrap());
        }
        assert!(!house.store.end_session(house.bert, keys[0], &by).await.unwrap(), "another's");
        assert!(house.store.end_session(house.anna, keys[0], &by).await.unwrap());
        assert!(!house.store.end_session(house.anna, keys[0], &by).await.unwrap());
        assert_eq!(house.store.end_sessions(house.anna, Some(keys[1]), &by).await.unwrap(), 2);
        assert_eq!(house.store.end_sessions(house.anna, Some(keys[1]), &by).await.unwrap(), 0);
        assert!(session(&house, 2).await.is_some());
        assert_eq!(house.store.end_sessions(house.anna, None, &by).await.unwrap(), 1);
        let told = ["session.end_all", "session.end_all", "session.end", "domain.create"];
        assert_eq!(acts(&house).await, told);
        house.check().await;
    });
}

async fn open(house: &House, number: u8) -> SessionKey {
    let link = hash_of(number);
    let (until, by) = (house.clock.now().plus(HOUR), Author::house());
    house.store.add_link(link, LinkPurpose::Password, Some(house.anna), until, &by).await.unwrap();
    house.store.add_session(new_session(house, number, true)).await.unwrap()
}

async fn is_open(house: &House, number: u8) -> (bool, bool) {
    let link = house.store.link_owner(&hash_of(number), LinkPurpose::Password).await.unwrap();
    (session(house, number).await.is_some(), link.is_some())
}

#[test]
fn what_opened_an_account_ends_with_its_password_and_with_suspension() {
    on_both(|house| async move {
        let (anna, by, hash) = (address("anna@house.example"), Author::house(), Secret::new("x"));
        open(&house, 1).await;
        house.store.set_password_hash(&anna, hash.clone(), &by).await.unwrap();
        assert_eq!(is_open(&house, 1).await, (false, false));

        open(&house, 2).await;
        house.store.set_password(house.anna, hash.clone(), true, &by).await.unwrap();
        assert_eq!(is_open(&house, 2).await, (false, false));

        open(&house, 3).await;
        let own = open(&house, 4).await;
        assert!(session(&house, 4).await.unwrap().must_change_password);
        let changed = house.store.change_own_password(house.anna, hash.clone(), own, step(&house, 5, true), &by);
        assert!(changed.await.unwrap());
        assert_eq!((is_open(&house, 3).await, is_open(&house, 4).await), ((false, false), (false, false)));
        assert!(!session(&house, 5).await.unwrap().must_change_password);
        house.store.leave_session(own).await.unwrap();
        let late = house.store.change_own_password(house.anna, hash, own, step(&house, 6, true), &by);
        assert!(!late.await.unwrap());

        open(&house, 7).await;
        let suspend = |is_suspended| AccountChange { is_suspended: Some(is_suspended), ..AccountChange::default() };
        house.store.change_account(&anna, suspend(true), None, &by).await.unwrap();
        house.store.change_account(&anna, suspend(false), None, &by).await.unwrap();
        assert_eq!(is_open(&house, 7).await, (false, false));

        open(&house, 8).await;
        let disable = |is_disabled| DomainChange { is_disabled: Some(is_disabled), ..DomainChange::default() };
        house.store.change_domain(&domain("house.example"), disable(true), None, &by).await.unwrap();
        assert_eq!(is_open(&house, 8).await, (false, false), "while the domain is disabled");
        house.store.change_domain(&domain("house.example"), disable(false), None, &by).await.unwrap();

        house.store.remove_account(&anna, None, &by).await.unwrap();
        house.store.restore_account(&anna, &by).await.unwrap();
        assert_eq!(is_open(&house, 8).await, (false, false));
        house.check().await;
    });
}

#[test]
fn who_serves_domains_sees_them() {
    on_both(|house| async move {
        let by = Author::house();
        for name in ["a.example", "b.example", "c.example"] {
            house.store.add_domain(&domain(name), DomainChange::default(), &by).await.unwrap();
        }
        let change = AccountChange {
            role: Some(Role::DomainAdmin),
            domains: Some(vec![domain("b.example"), domain("a.example")]),
            ..AccountChange::default()
        };
        house.store.change_account(&address("anna@house.example"), change, None, &by).await.unwrap();
        house.store.add_session(new_session(&house, 1, true)).await.unwrap();
        let found = session(&house, 1).await.unwrap().standing;
        assert_eq!(found.role, Role::DomainAdmin);
        let mut seen: Vec<String> = found.domains.iter().map(|(_, name)| name.to_string()).collect();
        seen.sort();
        assert_eq!(seen, ["a.example", "b.example"]);
        house.check().await;
    });
}

#[test]
fn a_link_opens_once_and_the_last_one_only() {
    on_both(|house| async move {
        let (until, by, hash) = (house.clock.now().plus(HOUR), Author::house(), Secret::new("new"));
        for number in [1, 2] {
            let link = hash_of(number);
            house.store.add_link(link, LinkPurpose::Password, Some(house.anna), until, &by).await.unwrap();
        }
        assert_eq!(house.store.link_owner(&hash_of(1), LinkPurpose::Password).await.unwrap(), None, "void");
        let (key, found, name) = house.store.link_owner(&hash_of(2), LinkPurpose::Password).await.unwrap().unwrap();
        assert_eq!((key, found, name.as_str()), (house.anna, address("anna@house.example"), "anna"));
        assert!(!house.store.use_password_link(hash_of(1), hash.clone(), &by).await.unwrap());
        assert!(house.store.use_password_link(hash_of(2), hash.clone(), &by).await.unwrap());
        assert!(!house.store.use_password_link(hash_of(2), hash.clone(), &by).await.unwrap(), "used");
        let credential = house.store.credential(&address("anna@house.example")).await.unwrap().unwrap();
        assert_eq!(credential.hash, hash);
        house.store.add_link(hash_of(3), LinkPurpose::Password, Some(house.anna), until, &by).await.unwrap();
        house.clock.advance(HOUR);
        assert_eq!(house.store.link_owner(&hash_of(3), LinkPurpose::Password).await.unwrap(), None);
        assert!(!house.store.use_password_link(hash_of(3), hash, &by).await.unwrap(), "expired");
        house.check().await;
    });
}

#[test]
fn a_link_for_a_device_opens_once_and_nothing_else() {
    on_both(|house| async move {
        let (until, by) = (house.clock.now().plus(HOUR), Author::house());
        let add = async |number, purpose| {
            house.store.add_link(hash_of(number), purpose, Some(house.anna), until, &by).await.unwrap();
        };
        add(1, LinkPurpose::Device).await;
        add(2, LinkPurpose::Password).await;
        let owner = async |number| house.store.link_owner(&hash_of(number), LinkPurpose::Device).await.unwrap();
        assert_eq!(owner(1).await.map(|(key, _, _)| key), Some(house.anna));
        assert_eq!(owner(2).await, None, "that one is for a password");
        assert_eq!(house.store.use_device_link(hash_of(2)).await.unwrap(), None);
        assert!(!house.store.use_password_link(hash_of(1), Secret::new("new"), &by).await.unwrap());
        assert_eq!(house.store.use_device_link(hash_of(1)).await.unwrap(), Some(house.anna));
        assert_eq!(house.store.use_device_link(hash_of(1)).await.unwrap(), None, "used");
        add(3, LinkPurpose::Device).await;
        add(4, LinkPurpose::Device).await;
        assert_eq!(house.store.use_device_link(hash_of(3)).await.unwrap(), None, "void");
        house.clock.advance(HOUR);
        assert_eq!(house.store.use_device_link(hash_of(4)).await.unwrap(), None, "expired");
        assert_eq!(acts(&house).await[..2], ["person.device_link", "person.device_link"]);
        house.check().await;
    });
}

#[test]
fn a_house_is_founded_once_all_or_nothing() {
    on_both(|house| async move {
        let (until, by) = (house.clock.now().plus(HOUR), Author::house());
        let founding = |text: &str| Founding {
            domain: address(text).domain,
            owner: NewAccount { password_hash: Some(Secret::new("x")), ..NewAccount::user(address(text)) },
            passkey: Some(new_passkey(1, "Key")),
        };
        assert!(!house.store.has_owner().await.unwrap());
        let unknown = house.store.found(hash_of(9), founding("o@new.example"), &by).await;
        assert!(matches!(unknown, Err(FoundingError::Link)), "{unknown:?}");
        house.store.add_link(hash_of(1), LinkPurpose::SetUp, None, until, &by).await.unwrap();
        house.store.add_link(hash_of(2), LinkPurpose::SetUp, None, until, &by).await.unwrap();
        assert!(!house.store.is_set_up_link(&hash_of(1)).await.unwrap(), "void");
        assert!(house.store.is_set_up_link(&hash_of(2)).await.unwrap());
        let taken = house.store.found(hash_of(2), founding("anna@house.example"), &by).await;
        let is_taken = matches!(taken, Err(FoundingError::Directory(DirectoryError::AddressTaken(_))));
        assert!(is_taken, "{taken:?}");
        assert!(house.store.is_set_up_link(&hash_of(2)).await.unwrap(), "nothing was done");
        let owner = house.store.found(hash_of(2), founding("owner@new.example"), &by).await.unwrap();
        assert!(house.store.has_owner().await.unwrap());
        let account = house.store.account(&address("owner@new.example")).await.unwrap().unwrap();
        assert_eq!((account.key, account.role), (owner, Role::Owner));
        assert_eq!(house.store.passkeys(owner).await.unwrap().len(), 1);
        house.store.add_link(hash_of(3), LinkPurpose::SetUp, None, until, &by).await.unwrap();
        let again = house.store.found(hash_of(3), founding("other@new.example"), &by).await;
        assert!(matches!(again, Err(FoundingError::Link)), "{again:?}");
        assert_eq!(acts(&house).await, ["house.set_up", "domain.create", "domain.create"]);
        house.check().await;
    });
}

async fn turn_on(house: &House) {
    assert!(house.store.offer_totp(house.anna, [1; 20]).await.unwrap());
    let offered = house.store.offered_totp(house.anna).await.unwrap().unwrap();
    let recovery = vec![hash_of(1), hash_of(2)];
    assert!(house.store.confirm_totp(house.anna, offered, 10, recovery, &Author::house()).await.unwrap());
}

async fn needs_app_password(house: &House) -> bool {
    house.store.credential(&address("anna@house.example")).await.unwrap().unwrap().needs_app_password
}

#[test]
fn an_authenticator_counts_from_its_first_code() {
    on_both(|house| async move {
        let by = Author::house();
        assert_eq!(house.store.try_code(house.anna, NO_REFUSAL).await.unwrap(), CodeTry::Absent);
        assert!(house.store.offer_totp(house.anna, [9; 20]).await.unwrap());
        let earlier = house.store.offered_totp(house.anna).await.unwrap().unwrap();
        assert!(house.store.offer_totp(house.anna, [1; 20]).await.unwrap());
        assert!(
            !house.store.confirm_totp(house.anna, earlier, 10, Vec::new(), &by).await.unwrap(),
            "not the last offer"
        );
        assert_eq!(house.store.try_code(house.anna, NO_REFUSAL).await.unwrap(), CodeTry::Absent);
        assert!(!needs_app_password(&house).await);
        turn_on(&house).await;
        assert!(needs_app_password(&house).await);
        let state = house.store.second_factor(house.anna).await.unwrap();
        assert_eq!((state.totp_since, state.recovery_codes), (Some(house.clock.now()), 2));
        assert!(!house.store.offer_totp(house.anna, [2; 20]).await.unwrap(), "it must go first");
        assert!(!house.store.take_code(house.anna, 10).await.unwrap(), "it was used to confirm");
        assert!(house.store.take_code(house.anna, 11).await.unwrap());
        assert!(!house.store.take_code(house.anna, 11).await.unwrap());
        assert!(house.store.remove_totp(house.anna, &by).await.unwrap());
        assert!(!house.store.remove_totp(house.anna, &by).await.unwrap());
        assert!(!needs_app_password(&house).await);
        assert_eq!(house.store.second_factor(house.anna).await.unwrap().recovery_codes, 0);
        assert_eq!(acts(&house).await, ["second_factor.off", "second_factor.on", "domain.create"]);
        house.check().await;
    });
}

#[test]
fn wrong_codes_are_counted_over_all_sessions() {
    on_both(|house| async move {
        turn_on(&house).await;
        let refusal: fn(u64) -> Duration = |failures| if failures < 3 { Duration::ZERO } else { HOUR };
        for _ in 0..3 {
            let tried = house.store.try_code(house.anna, refusal).await.unwrap();
            assert!(matches!(tried, CodeTry::Look(_)), "{tried:?}");
        }
        let until = house.clock.now().plus(HOUR);
        assert_eq!(house.store.try_code(house.anna, refusal).await.unwrap(), CodeTry::Refused { until });
        house.clock.advance(HOUR);
        assert!(matches!(house.store.try_code(house.anna, refusal).await.unwrap(), CodeTry::Look(_)));
        assert!(house.store.take_code(house.anna, 20).await.unwrap());
        assert!(matches!(house.store.try_code(house.anna, refusal).await.unwrap(), CodeTry::Look(_)), "from anew");
        house.check().await;
    });
}

#[test]
fn recovery_codes_work_once() {
    on_both(|house| async move {
        let by = Author::house();
        assert!(!house.store.renew_recovery_codes(house.anna, vec![hash_of(3)], &by).await.unwrap(), "nothing is on");
        turn_on(&house).await;
        assert!(house.store.take_recovery_code(house.anna, hash_of(1)).await.unwrap());
        assert!(!house.store.take_recovery_code(house.anna, hash_of(1)).await.unwrap());
        assert!(!house.store.take_recovery_code(house.bert, hash_of(2)).await.unwrap(), "another's");
        assert!(house.store.renew_recovery_codes(house.anna, vec![hash_of(3)], &by).await.unwrap());
        assert!(!house.store.take_recovery_code(house.anna, hash_of(2)).await.unwrap());
        assert!(house.store.take_recovery_code(house.anna, hash_of(3)).await.unwrap());
        house.check().await;
    });
}

fn new_passkey(number: u8, name: &str) -> NewPasskey {
    NewPasskey {
        credential_id: vec![number; 20],
        user_handle: [7; 16],
        name: name.to_owned(),
        credential: "{}".to_owned(),
    }
}

#[test]
fn passkeys_are_kept_by_name() {
    on_both(|house| async move {
        let by = Author::house();
        let key = house.store.add_passkey(house.anna, new_passkey(1, "Phone"), &by).await.unwrap();
        let taken = house.store.add_passkey(house.anna, new_passkey(2, "Phone"), &by).await;
        assert!(matches!(taken, Err(PasskeyError::NameTaken)), "{taken:?}");
        let taken = house.store.add_passkey(house.bert, new_passkey(1, "Mine"), &by).await;
        assert!(matches!(taken, Err(PasskeyError::CredentialTaken)), "{taken:?}");
        house.store.note_passkey(key, "{\"n\":1}".to_owned()).await.unwrap();
        let found = house.store.passkey(&[1; 20]).await.unwrap().unwrap();
        assert_eq!((found.account, found.user_handle.as_slice()), (house.anna, [7; 16].as_slice()));
        assert_eq!((found.credential.as_str(), found.last_used_at), ("{\"n\":1}", Some(house.clock.now())));
        let other = house.store.add_passkey(house.anna, new_passkey(2, "Laptop"), &by).await.unwrap();
        let taken = house.store.rename_passkey(house.anna, other, "Phone".to_owned(), &by).await;
        assert!(matches!(taken, Err(PasskeyError::NameTaken)), "{taken:?}");
        let foreign = house.store.rename_passkey(house.bert, other, "Mine".to_owned(), &by).await;
        assert!(matches!(foreign, Err(PasskeyError::Unknown)), "{foreign:?}");
        house.store.rename_passkey(house.anna, other, "Desk".to_owned(), &by).await.unwrap();
        assert_eq!(house.store.remove_passkey(house.bert, other, &by).await.unwrap(), None);
        assert_eq!(house.store.remove_passkey(house.anna, other, &by).await.unwrap().as_deref(), Some("Desk"));
        for number in 2..=u8::try_from(MAX_PASSKEYS).unwrap() {
            house.store.add_passkey(house.anna, new_passkey(number, &number.to_string()), &by).await.unwrap();
        }
        let more = house.store.add_passkey(house.anna, new_passkey(99, "More"), &by).await;
        assert!(matches!(more, Err(PasskeyError::TooMany)), "{more:?}");
        assert_eq!(house.store.passkeys(house.anna).await.unwrap().len(), 20);
        let unknown = house.store.add_passkey(AccountKey::new(5), new_passkey(98, "No"), &by).await;
        assert!(matches!(unknown, Err(PasskeyError::Unknown)), "{unknown:?}");
        house.check().await;
    });
}

fn new_key(house: &House, number: u8, name: &str) -> NewApiKey {
    NewApiKey {
        hash: hash_of(number),
        account: house.anna,
        name: name.to_owned(),
        role: Role::HelpDesk,
        scopes: "queue:read".to_owned(),
        expires_at: None,
    }
}

#[test]
fn a_key_works_until_it_is_revoked_or_expires() {
    on_both(|house| async move {
        let by = Author::house();
        let key = house.store.add_api_key(new_key(&house, 1, "Backup"), &by).await.unwrap();
        let taken = house.store.add_api_key(new_key(&house, 2, "Backup"), &by).await;
        assert!(matches!(taken, Err(ApiKeyError::NameTaken)), "{taken:?}");
        let found = house.store.api_key(&hash_of(1)).await.unwrap().unwrap();
        assert_eq!((found.key, found.standing.account, found.last_used_at), (key, house.anna, None));
        assert_eq!((found.role, found.scopes.as_str(), found.name.as_str()), (Role::HelpDesk, "queue:read", "Backup"));
        house.store.touch_api_key(key, peer()).await.unwrap();
        let expires_at = Some(house.clock.now().plus(HOUR));
        let brief = NewApiKey { expires_at, ..new_key(&house, 3, "Brief") };
        house.store.add_api_key(brief, &by).await.unwrap();
        let bert = NewApiKey { account: house.bert, ..new_key(&house, 4, "Backup") };
        let berts = house.store.add_api_key(bert, &by).await.unwrap();
        let own = house.store.api_keys(Some(house.anna), &Page::first()).await.unwrap().rows;
        let names: Vec<_> = own.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Backup", "Brief"]);
        assert_eq!(own[0].last_used, Some((house.clock.now(), PEER.to_owned())));
        let first = house.store.api_keys(None, &Page { after: None, limit: 2 }).await.unwrap();
        let second = house.store.api_keys(None, &Page { after: first.next, limit: 2 }).await.unwrap();
        assert_eq!((first.rows.len(), second.rows.len(), second.next), (2, 1, None));
        house.clock.advance(HOUR);
        assert_eq!(house.store.api_key(&hash_of(3)).await.unwrap(), None, "expired");
        assert_eq!(house.store.remove_api_key(Some(house.anna), berts, &by).await.unwrap(), None, "another's");
        assert_eq!(house.store.remove_api_key(None, berts, &by).await.unwrap().as_deref(), Some("Backup"));
        let suspended = AccountChange { is_suspended: Some(true), ..AccountChange::default() };
        house.store.change_account(&address("anna@house.example"), suspended, None, &by).await.unwrap();
        assert_eq!(house.store.api_key(&hash_of(1)).await.unwrap(), None, "suspended");
        house.check().await;
    });
}

#[test]
fn keys_are_bounded_and_go_with_their_account() {
    on_both(|house| async move {
        let by = Author::house();
        for number in 0..u8::try_from(MAX_API_KEYS).unwrap() {
            house.store.add_api_key(new_key(&house, number, &number.to_string()), &by).await.unwrap();
        }
        let more = house.store.add_api_key(new_key(&house, 200, "More"), &by).await;
        assert!(matches!(more, Err(ApiKeyError::TooMany)), "{more:?}");
        house.store.add_session(new_session(&house, 1, true)).await.unwrap();
        house.store.add_passkey(house.anna, new_passkey(1, "Phone"), &by).await.unwrap();
        turn_on(&house).await;
        house.store.remove_account(&address("anna@house.example"), None, &by).await.unwrap();
        house.clock.advance(HOUR);
        house.store.purge_removed(house.clock.now()).await.unwrap();
        assert!(house.store.api_keys(None, &Page::first()).await.unwrap().rows.is_empty());
        assert!(house.store.passkeys(house.anna).await.unwrap().is_empty());
        house.check().await;
    });
}
