//! What the console does to the directory: who did it is written down, it can be undone, and what is removed can come back.

use std::time::Duration;

use relais_model::{Address, Secret};
use relais_store::{
    AccountChange, AccountFilter, AccountOrder, AddressFilter, AddressKind, AddressOrder, AliasName, AuditEntry,
    AuditFilter, Author, DomainChange, DomainFilter, DomainOrder, Engine, LoginNote, LoginProtocol, LoginWay,
    NewAccount, Order, Page, Removal, Role, Route, Via,
};
use serde_json::json;
use sqlx::{AnyConnection, Connection, Executor};

use crate::house::{House, on_both};
use crate::people::{add_account, add_domain, address, domain};

fn chief() -> Author {
    Author { name: "chief@house.example".to_owned(), account: None, via: Via::Panel, peer: "192.0.2.9".parse().ok() }
}

async fn add_alias(house: &House, alias: &str, targets: &[&str]) {
    let targets = targets.iter().map(|target| address(target)).collect();
    house.store.add_alias(&address(alias), targets, &chief()).await.unwrap();
}

async fn change(house: &House, of: &str, change: AccountChange) {
    house.store.change_account(&address(of), change, None, &chief()).await.unwrap();
}

async fn change_domain(house: &House, of: &str, change: DomainChange) {
    house.store.change_domain(&domain(of), change, None, &chief()).await.unwrap();
}

/// All changes of the panel, the latest first.
async fn changes(house: &House) -> Vec<AuditEntry> {
    let filter = AuditFilter { author: Some(chief().name), ..AuditFilter::default() };
    house.store.audit(&filter, &Page::first()).await.unwrap().rows
}

async fn last(house: &House) -> AuditEntry {
    changes(house).await.swap_remove(0)
}

fn suspended(is_suspended: bool) -> AccountChange {
    AccountChange { is_suspended: Some(is_suspended), ..AccountChange::default() }
}

fn role(role: Role, domains: &[&str]) -> AccountChange {
    let domains = domains.iter().map(|name| domain(name)).collect();
    AccountChange { role: Some(role), domains: Some(domains), ..AccountChange::default() }
}

async fn route(house: &House, text: &str) -> Route {
    house.store.route(&address(text)).await.unwrap()
}

#[test]
fn each_change_is_written_down_with_what_differs() {
    on_both(|house| async move {
        let anna = "anna@house.example";
        change(&house, anna, AccountChange { quota_octets: Some(Some(5000)), ..AccountChange::default() }).await;
        let entry = last(&house).await;
        assert_eq!((entry.act.as_str(), entry.subject.as_str()), ("person.change", anna));
        assert_eq!((entry.about, entry.author), (Some(house.anna.value()), chief()));
        assert_eq!(
            (entry.before, entry.after),
            (Some(json!({"quota_octets": null})), Some(json!({"quota_octets": 5000})))
        );
        // What changes nothing is no change.
        change(&house, anna, AccountChange { quota_octets: Some(Some(5000)), ..AccountChange::default() }).await;
        assert_eq!(changes(&house).await.len(), 1);
        // Neither is what fails.
        let refused =
            house.store.change_account(&address(anna), role(Role::HelpDesk, &["no.example"]), None, &chief()).await;
        assert!(refused.is_err());
        assert_eq!(changes(&house).await.len(), 1);
        change(&house, anna, suspended(true)).await;
        change(&house, anna, suspended(false)).await;
        change(&house, anna, role(Role::DomainAdmin, &["house.example"])).await;
        house.store.set_password_hash(&address(anna), Secret::new("$hidden$"), &chief()).await.unwrap();
        change_domain(&house, "house.example", DomainChange { is_disabled: Some(true), ..DomainChange::default() })
            .await;
        add_alias(&house, "x@house.example", &["y@else.example"]).await;
        house.store.add_domain_alias(&domain("h.example"), &domain("house.example"), &chief()).await.unwrap();
        let acts: Vec<String> = changes(&house).await.into_iter().map(|entry| entry.act).collect();
        let expected = "domain_alias.create alias.create domain.disable person.password person.role person.resume person.suspend person.change";
        assert_eq!(acts.join(" "), expected);
        assert!(!format!("{:?}", changes(&house).await).contains("$hidden$"));
        house.check().await;
    });
}

#[test]
fn changes_are_found_by_whom_to_what_and_when_and_are_forgotten() {
    on_both(|house| async move {
        add_domain(&house, "other.example").await;
        change(&house, "anna@house.example", suspended(true)).await;
        house.clock.advance(Duration::from_mins(1));
        change(&house, "bert@house.example", suspended(true)).await;
        change_domain(
            &house,
            "other.example",
            DomainChange { description: Some("Hi".into()), ..DomainChange::default() },
        )
        .await;
        let found = |filter: AuditFilter| {
            let store = house.store.clone();
            async move {
                let mut page = Page { after: None, limit: 2 };
                let mut subjects = Vec::new();
                loop {
                    let listing = store.audit(&filter, &page).await.unwrap();
                    subjects.extend(listing.rows.into_iter().map(|entry| entry.subject));
                    page.after = listing.next;
                    if page.after.is_none() {
                        return subjects.join(" ");
                    }
                }
            }
        };
        let by = || AuditFilter { author: Some(chief().name), ..AuditFilter::default() };
        assert_eq!(found(by()).await, "other.example bert@house.example anna@house.example");
        assert_eq!(found(AuditFilter { about: Some(house.bert), ..by() }).await, "bert@house.example");
        let other = house.store.domain_key(&domain("other.example")).await.unwrap().unwrap();
        assert_eq!(found(AuditFilter { domains: Some(vec![other]), ..by() }).await, "other.example");
        assert_eq!(found(AuditFilter { domains: Some(vec![]), ..by() }).await, "");
        assert_eq!(
            found(AuditFilter { subject: Some("anna@house.example".into()), ..by() }).await,
            "anna@house.example"
        );
        assert_eq!(found(AuditFilter { act: Some("domain.".into()), ..by() }).await, "other.example");
        assert_eq!(
            found(AuditFilter { act: Some("person.suspend".into()), until: Some(house.store.now()), ..by() }).await,
            "anna@house.example"
        );
        assert_eq!(
            found(AuditFilter { since: Some(house.store.now()), act: Some("person.".into()), ..by() }).await,
            "bert@house.example"
        );
        house.store.prune_audit(house.store.now()).await.unwrap();
        assert_eq!(found(by()).await, "other.example bert@house.example");
        house.check().await;
    });
}

#[test]
fn a_change_of_another_version_is_refused() {
    on_both(|house| async move {
        let anna = address("anna@house.example");
        let read = house.store.account(&anna).await.unwrap().unwrap().version;
        house.store.change_account(&anna, suspended(true), Some(read), &chief()).await.unwrap();
        let again = house.store.change_account(&anna, suspended(false), Some(read), &chief()).await;
        assert!(format!("{again:?}").contains("Stale"), "{again:?}");
        let removed = house.store.remove_account(&anna, Some(read), &chief()).await;
        assert!(format!("{removed:?}").contains("Stale"), "{removed:?}");
        let entry = house.store.domain(&domain("house.example")).await.unwrap().unwrap();
        let disabled = DomainChange { is_disabled: Some(true), ..DomainChange::default() };
        house.store.change_domain(&entry.domain, disabled.clone(), Some(entry.version), &chief()).await.unwrap();
        let again = house.store.change_domain(&entry.domain, disabled, Some(entry.version), &chief()).await;
        assert!(format!("{again:?}").contains("Stale"), "{again:?}");
        add_alias(&house, "x@house.example", &["y@else.example"]).await;
        let alias = house.store.alias(&address("x@house.example")).await.unwrap().unwrap();
        let targets = vec![address("z@else.example")];
        house.store.change_alias(&alias.address, targets.clone(), Some(alias.version), &chief()).await.unwrap();
        let again = house.store.change_alias(&alias.address, targets, Some(alias.version), &chief()).await;
        assert!(format!("{again:?}").contains("Stale"), "{again:?}");
        house.check().await;
    });
}

#[test]
fn another_name_of_a_domain_leads_where_the_domain_leads() {
    on_both(|house| async move {
        let of = domain("house.example");
        add_alias(&house, "team@house.example", &["anna@house.example"]).await;
        assert_eq!(route(&house, "anna@h.example").await, Route::NotLocal);
        house.store.add_domain_alias(&domain("h.example"), &of, &chief()).await.unwrap();
        for text in ["anna@h.example", "Anna+x@H.example"] {
            let route = route(&house, text).await;
            assert!(
                matches!(&route, Route::Account { key, address, .. } if *key == house.anna && address.to_string() == "anna@house.example"),
                "{route:?}"
            );
        }
        assert_eq!(route(&house, "team@h.example").await, route(&house, "team@house.example").await);
        assert_eq!(route(&house, "who@h.example").await, Route::NoSuchAddress);
        assert!(matches!(route(&house, "postmaster@h.example").await, Route::Alias { .. }));
        let catch_all =
            DomainChange { catch_all: Some(Some(address("bert@house.example"))), ..DomainChange::default() };
        change_domain(&house, "house.example", catch_all).await;
        assert_eq!(route(&house, "who@h.example").await, Route::CatchAll { target: address("bert@house.example") });
        let credential = house.store.credential(&address("anna@h.example")).await.unwrap().unwrap();
        assert_eq!((credential.account, credential.address), (house.anna, address("anna@house.example")));
        assert!(house.store.may_send_as(house.anna, &address("anna@h.example")).await.unwrap());
        assert!(!house.store.may_send_as(house.bert, &address("anna@h.example")).await.unwrap());
        // A name is one thing.
        for name in ["h.example", "house.example"] {
            assert!(house.store.add_domain(&domain(name), DomainChange::default(), &chief()).await.is_err());
            assert!(house.store.add_domain_alias(&domain(name), &of, &chief()).await.is_err());
        }
        assert_eq!(house.store.domain(&of).await.unwrap().unwrap().other_names, [domain("h.example")]);
        house.store.remove_domain_alias(&domain("h.example"), &chief()).await.unwrap();
        assert_eq!(route(&house, "anna@h.example").await, Route::NotLocal);
        assert!(house.store.credential(&address("anna@h.example")).await.unwrap().is_none());
        house.check().await;
    });
}

#[test]
fn a_disabled_domain_takes_no_mail_and_no_log_ins() {
    on_both(|house| async move {
        change_domain(&house, "house.example", DomainChange { is_disabled: Some(true), ..DomainChange::default() })
            .await;
        assert_eq!(route(&house, "anna@house.example").await, Route::Disabled);
        assert_eq!(route(&house, "nobody@house.example").await, Route::Disabled, "it tells nobody who is there");
        assert!(house.store.credential(&address("anna@house.example")).await.unwrap().unwrap().is_suspended);
        assert_eq!(house.store.house_postmaster().await.unwrap(), None);
        change_domain(&house, "house.example", DomainChange { is_disabled: Some(false), ..DomainChange::default() })
            .await;
        assert!(matches!(route(&house, "anna@house.example").await, Route::Account { is_suspended: false, .. }));
        house.check().await;
    });
}

/// A migration leaves targets that SQL can't fold.
#[test]
fn targets_that_are_not_folded_are_when_the_store_is_opened() {
    on_both(|house| async move {
        if house.store.engine() == Engine::Postgres {
            return;
        }
        let targets = vec![address("\"Ann Lee\"@else.example"), address("J\u{d6}RG@else.example")];
        house.store.add_alias(&address("team@house.example"), targets, &chief()).await.unwrap();
        let mut connection = AnyConnection::connect(&house.sqlite_url()).await.unwrap();
        connection.execute("UPDATE alias_target SET folded = ''").await.unwrap();
        drop(connection);
        let house = house.reopen().await;
        for folded in ["ann lee@else.example", "j\u{f6}rg@else.example"] {
            let found = AddressFilter { text: Some(folded.to_owned()), ..AddressFilter::default() };
            let rows = house.store.addresses(&found, Order::default(), &Page::first()).await.unwrap().rows;
            assert_eq!(rows.len(), 1, "{folded}");
        }
        house.check().await;
    });
}

#[test]
fn a_removed_person_is_found_by_nobody_and_comes_back_with_their_mail() {
    on_both(|house| async move {
        let anna = address("anna@house.example");
        let catch_all =
            DomainChange { catch_all: Some(Some(address("bert@house.example"))), ..DomainChange::default() };
        change_domain(&house, "house.example", catch_all).await;
        let inbox = house.inbox().await;
        house.fill(inbox, 0..3).await;
        house.store.remove_account(&anna, None, &chief()).await.unwrap();
        assert_eq!(route(&house, "anna@house.example").await, Route::NoSuchAddress, "not the catch-all's, either");
        assert!(house.store.credential(&anna).await.unwrap().is_none());
        assert!(house.store.account(&anna).await.unwrap().is_none());
        assert!(house.store.remove_account(&anna, None, &chief()).await.is_err());
        let taken = house.store.add_account(NewAccount::user(anna.clone()), &chief()).await;
        assert!(format!("{taken:?}").contains("AddressRemoved"), "{taken:?}");
        let removed = AccountFilter { is_removed: true, ..AccountFilter::default() };
        assert_eq!(house.store.accounts(&removed, Order::default(), &Page::first()).await.unwrap().rows.len(), 1);
        assert_eq!(house.store.domain(&domain("house.example")).await.unwrap().unwrap().accounts, 1);
        // Not yet: it was removed just now.
        assert_eq!(house.store.purge_removed(house.store.now()).await.unwrap().accounts, 0);
        house.store.restore_account(&anna, &chief()).await.unwrap();
        assert_eq!(house.store.account(&anna).await.unwrap().unwrap().used_messages, 3);
        house.store.remove_account(&anna, None, &chief()).await.unwrap();
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(house.store.purge_removed(house.store.now()).await.unwrap().accounts, 1);
        assert!(house.store.restore_account(&anna, &chief()).await.is_err());
        assert!(matches!(route(&house, "anna@house.example").await, Route::CatchAll { .. }));
        house.store.add_account(NewAccount::user(anna), &chief()).await.unwrap();
        house.check().await;
    });
}

#[test]
fn a_removed_domain_comes_back_whole_or_goes_whole() {
    on_both(|house| async move {
        let of = domain("house.example");
        add_alias(&house, "team@house.example", &["anna@house.example"]).await;
        house.store.add_domain_alias(&domain("h.example"), &of, &chief()).await.unwrap();
        add_domain(&house, "other.example").await;
        add_account(&house, "carl@other.example").await;
        change(&house, "carl@other.example", role(Role::HelpDesk, &["house.example", "other.example"])).await;
        house.store.remove_domain(&of, Removal::WithContents, None, &chief()).await.unwrap();
        // Elsewhere it may live on: mail for it goes to another host.
        for text in ["anna@house.example", "team@house.example", "anna@h.example"] {
            assert_eq!(route(&house, text).await, Route::NotLocal, "{text}");
        }
        assert!(house.store.credential(&address("anna@house.example")).await.unwrap().is_none());
        assert_eq!(house.store.account(&address("anna@house.example")).await.unwrap(), None);
        assert_eq!(house.store.alias(&address("team@house.example")).await.unwrap(), None);
        let carl = house.store.account(&address("carl@other.example")).await.unwrap().unwrap();
        assert_eq!(carl.domains.len(), 1, "nobody serves what is removed");
        let again = house.store.add_domain(&of, DomainChange::default(), &chief()).await;
        assert!(format!("{again:?}").contains("DomainRemoved"), "{again:?}");
        let removed = DomainFilter { is_removed: true, ..DomainFilter::default() };
        assert_eq!(house.store.domains(&removed, Order::default(), &Page::first()).await.unwrap().rows.len(), 1);
        house.check().await;
        house.store.restore_domain(&of, &chief()).await.unwrap();
        assert!(matches!(route(&house, "anna@h.example").await, Route::Account { .. }));
        assert_eq!(house.store.account(&carl.address).await.unwrap().unwrap().domains.len(), 2);
        house.store.remove_domain(&of, Removal::WithContents, None, &chief()).await.unwrap();
        house.clock.advance(Duration::from_secs(1));
        let purged = house.store.purge_removed(house.store.now()).await.unwrap();
        assert_eq!((purged.domains, purged.accounts), (1, 0));
        assert!(house.store.restore_domain(&of, &chief()).await.is_err());
        house.check().await;
        house.store.add_domain(&domain("h.example"), DomainChange::default(), &chief()).await.unwrap();
    });
}

#[test]
fn a_removed_domain_goes_at_once_where_that_is_wanted() {
    on_both(|house| async move {
        let of = domain("house.example");
        add_alias(&house, "team@house.example", &["anna@house.example"]).await;
        let here = house.store.purge_domain(&of).await;
        assert!(format!("{here:?}").contains("UnknownDomain"), "only what is removed: {here:?}");
        house.store.remove_domain(&of, Removal::WithContents, None, &chief()).await.unwrap();
        house.store.purge_domain(&of).await.unwrap();
        assert!(house.store.restore_domain(&of, &chief()).await.is_err());
        house.check().await;
        house.store.add_domain(&of, DomainChange::default(), &chief()).await.unwrap();
        assert_eq!(house.store.account(&address("anna@house.example")).await.unwrap(), None);
    });
}

#[test]
fn the_last_owner_stays() {
    on_both(|house| async move {
        let (anna, bert) = (address("anna@house.example"), address("bert@house.example"));
        change(&house, "anna@house.example", role(Role::Owner, &[])).await;
        let demoted = role(Role::User, &[]);
        for refused in [
            house.store.change_account(&anna, demoted.clone(), None, &chief()).await,
            house.store.change_account(&anna, suspended(true), None, &chief()).await,
            house.store.remove_account(&anna, None, &chief()).await,
            house.store.remove_domain(&anna.domain, Removal::WithContents, None, &chief()).await,
        ] {
            assert!(format!("{refused:?}").contains("LastOwner"), "{refused:?}");
        }
        change(&house, "bert@house.example", role(Role::Owner, &[])).await;
        assert_eq!(house.store.owners().await.unwrap(), 2);
        house.store.change_account(&anna, demoted, None, &chief()).await.unwrap();
        let made = changes(&house).await;
        let given = made.iter().find(|entry| entry.subject == bert.to_string()).unwrap();
        let undone = house.store.undo(given.key, &chief()).await;
        assert!(format!("{undone:?}").contains("LastOwner"), "{undone:?}");
        house.check().await;
    });
}

#[test]
fn a_domain_has_no_more_people_than_it_may() {
    on_both(|house| async move {
        change_domain(&house, "house.example", DomainChange { max_people: Some(Some(2)), ..DomainChange::default() })
            .await;
        let new = || NewAccount::user(address("carl@house.example"));
        let full = house.store.add_account(new(), &chief()).await;
        assert!(format!("{full:?}").contains("TooManyPeople"), "{full:?}");
        house.store.remove_account(&address("bert@house.example"), None, &chief()).await.unwrap();
        house.store.add_account(new(), &chief()).await.unwrap();
        let full = house.store.restore_account(&address("bert@house.example"), &chief()).await;
        assert!(format!("{full:?}").contains("TooManyPeople"), "{full:?}");
        house.check().await;
    });
}

/// Every order, in both directions, gives each row once.
#[test]
fn people_come_in_every_order_page_by_page() {
    on_both(|house| async move {
        for (number, name) in ["Zoë", "Émile", "adam", "Bo", ""].iter().enumerate() {
            house.clock.advance(Duration::from_secs(1));
            let new = NewAccount {
                name: (*name).to_owned(),
                ..NewAccount::user(address(&format!("p{number}@house.example")))
            };
            house.store.add_account(new, &chief()).await.unwrap();
        }
        let inbox = house.inbox().await;
        house.fill(inbox, 0..2).await;
        house.store.note_login(LoginNote {
            account: Some(house.bert),
            name: "bert@house.example".to_owned(),
            protocol: LoginProtocol::Imap,
            ip: "192.0.2.1".parse().unwrap(),
            is_granted: true,
            app_password: None,
            way: LoginWay::Password,
            at: house.store.now(),
        });
        // What waits is written.
        let house = house.reopen().await;
        let listed = |by, is_reversed| {
            let store = house.store.clone();
            async move {
                let mut page = Page { after: None, limit: 2 };
                let mut names = Vec::new();
                loop {
                    let listing =
                        store.accounts(&AccountFilter::default(), Order { by, is_reversed }, &page).await.unwrap();
                    names.extend(listing.rows.iter().map(|account| account.address.local_part.to_string()));
                    page.after = listing.next;
                    if page.after.is_none() {
                        return names;
                    }
                }
            }
        };
        for by in [
            AccountOrder::Address,
            AccountOrder::Name,
            AccountOrder::Used,
            AccountOrder::Created,
            AccountOrder::LastSeen,
        ] {
            let (there, mut back) = (listed(by, false).await, listed(by, true).await);
            back.reverse();
            assert_eq!(there.len(), 7, "{by:?}");
            assert_eq!(there, back, "{by:?}");
        }
        assert_eq!(listed(AccountOrder::Name, false).await.join(" "), "p4 p2 anna bert p3 p0 p1");
        assert_eq!(listed(AccountOrder::Used, false).await[0], "anna");
        assert_eq!(listed(AccountOrder::LastSeen, false).await[0], "bert");
        assert_eq!(listed(AccountOrder::Created, false).await[0], "p4");
        change(&house, "p1@house.example", role(Role::DomainAdmin, &["house.example"])).await;
        change(&house, "p2@house.example", suspended(true)).await;
        let found = |filter: AccountFilter| {
            let store = house.store.clone();
            async move { store.accounts(&filter, Order::default(), &Page::first()).await.unwrap().rows.len() }
        };
        assert_eq!(found(AccountFilter { text: Some("ÉMILE".into()), ..AccountFilter::default() }).await, 1);
        assert_eq!(found(AccountFilter { text: Some("P3@".into()), ..AccountFilter::default() }).await, 1);
        assert_eq!(found(AccountFilter { role: Some(Role::DomainAdmin), ..AccountFilter::default() }).await, 1);
        assert_eq!(found(AccountFilter { is_suspended: Some(true), ..AccountFilter::default() }).await, 1);
        assert_eq!(found(AccountFilter { is_suspended: Some(false), ..AccountFilter::default() }).await, 6);
        assert_eq!(found(AccountFilter { domains: Some(vec![]), ..AccountFilter::default() }).await, 0);
        house.check().await;
    });
}

#[test]
fn domains_come_by_name_people_and_size() {
    on_both(|house| async move {
        for name in ["a.example", "b.example", "xn--bcher-kva.example"] {
            add_domain(&house, name).await;
        }
        add_account(&house, "one@b.example").await;
        house.store.add_domain_alias(&domain("c.example"), &domain("b.example"), &chief()).await.unwrap();
        let inbox = house.inbox().await;
        house.fill(inbox, 0..2).await;
        let listed = |by, is_reversed, text: &str| {
            let (store, text) = (house.store.clone(), text.to_owned());
            async move {
                let filter = DomainFilter { text: Some(text), ..DomainFilter::default() };
                let mut page = Page { after: None, limit: 1 };
                let mut names = Vec::new();
                loop {
                    let listing = store.domains(&filter, Order { by, is_reversed }, &page).await.unwrap();
                    names.extend(listing.rows.iter().map(|entry| entry.domain.to_string()));
                    page.after = listing.next;
                    if page.after.is_none() {
                        return names.join(" ");
                    }
                }
            }
        };
        assert_eq!(
            listed(DomainOrder::Name, false, "").await,
            "a.example b.example house.example xn--bcher-kva.example"
        );
        assert_eq!(
            listed(DomainOrder::Name, true, "").await,
            "xn--bcher-kva.example house.example b.example a.example"
        );
        assert_eq!(
            listed(DomainOrder::People, false, "").await,
            "house.example b.example xn--bcher-kva.example a.example"
        );
        assert_eq!(
            listed(DomainOrder::Size, true, "").await,
            "a.example b.example xn--bcher-kva.example house.example"
        );
        assert_eq!(listed(DomainOrder::Name, false, "C.EX").await, "b.example");
        house.check().await;
    });
}

#[test]
fn addresses_of_all_kinds_stand_in_one_list() {
    on_both(|house| async move {
        add_alias(&house, "team@house.example", &["anna@house.example", "bert@h.example"]).await;
        house.store.add_domain_alias(&domain("h.example"), &domain("house.example"), &chief()).await.unwrap();
        add_alias(&house, "away@house.example", &["anna@house.example", "b@else.example"]).await;
        let catch_all =
            DomainChange { catch_all: Some(Some(address("bert@house.example"))), ..DomainChange::default() };
        change_domain(&house, "house.example", catch_all).await;
        add_domain(&house, "other.example").await;
        add_account(&house, "carl@other.example").await;
        for (pattern, target) in
            [("a*z@house.example", "b@else.example"), ("/A[0-9]/@house.example", "anna@house.example")]
        {
            let terms = vec![address(target)].into();
            house.store.add_alias_on(AliasName::parse(pattern).unwrap(), terms, &chief()).await.unwrap();
        }
        let listed = |filter: AddressFilter, by, is_reversed| {
            let store = house.store.clone();
            async move {
                let mut page = Page { after: None, limit: 2 };
                let mut lines = Vec::new();
                loop {
                    let listing = store.addresses(&filter, Order { by, is_reversed }, &page).await.unwrap();
                    for entry in listing.rows {
                        let name = entry.alias.map(|name| name.to_string());
                        let address = name.or_else(|| entry.address.map(|address| address.to_string()));
                        let address = address.unwrap_or_else(|| format!("*@{}", entry.domain));
                        lines.push(format!("{address} {:?} {:?}", entry.kind, entry.targets));
                    }
                    page.after = listing.next;
                    if page.after.is_none() {
                        return lines;
                    }
                }
            }
        };
        let all = listed(AddressFilter::default(), AddressOrder::Address, false).await;
        assert_eq!(
            all,
            [
                "*@h.example DomainAlias []",
                "*@house.example CatchAll [bert@house.example]",
                "/A[0-9]/@house.example Expression [anna@house.example]",
                "a*z@house.example Wildcard [b@else.example]",
                "anna@house.example Person []",
                "away@house.example Forward [anna@house.example, b@else.example]",
                "bert@house.example Person []",
                "carl@other.example Person []",
                "team@house.example Alias [anna@house.example, bert@h.example]",
            ]
        );
        for by in [AddressOrder::Address, AddressOrder::Created] {
            let (there, mut back) =
                (listed(AddressFilter::default(), by, false).await, listed(AddressFilter::default(), by, true).await);
            back.reverse();
            assert_eq!((there.len(), &there), (9, &back), "{by:?}");
        }
        let of = |kind| AddressFilter { kinds: vec![kind], ..AddressFilter::default() };
        for kind in AddressKind::ALL {
            let lines = listed(of(kind), AddressOrder::Address, false).await;
            let expected = if kind == AddressKind::Person { 3 } else { 1 };
            assert_eq!(lines.len(), expected, "{kind:?}");
            assert!(lines.iter().all(|line| line.contains(&format!("{kind:?}"))), "{lines:?}");
        }
        let found = |text: &str| AddressFilter { text: Some(text.to_owned()), ..AddressFilter::default() };
        assert_eq!(listed(found("B@ELSE"), AddressOrder::Address, false).await.len(), 2);
        assert_eq!(listed(found("bert"), AddressOrder::Address, false).await.len(), 3);
        let other = house.store.domain_key(&domain("other.example")).await.unwrap().unwrap();
        let mine = AddressFilter { domains: Some(vec![other]), ..AddressFilter::default() };
        assert_eq!(listed(mine, AddressOrder::Address, false).await, ["carl@other.example Person []"]);
        add_alias(&house, "all@other.example", &["team@house.example"]).await;
        let leading = house.store.aliases_to(&address("anna@house.example")).await.unwrap();
        let leading: Vec<String> = leading.iter().map(Address::to_string).collect();
        assert_eq!(leading.join(" "), "away@house.example team@house.example all@other.example");
        assert_eq!(house.store.domains_to(&address("bert@house.example")).await.unwrap(), [domain("house.example")]);
        house.check().await;
    });
}

/// What is undone is as it was; that is a change of its own, and can be undone.
#[test]
fn changes_are_undone() {
    on_both(|house| async move {
        add_domain(&house, "other.example").await;
        let (anna, of) = (address("anna@house.example"), domain("house.example"));
        add_alias(&house, "kept@house.example", &["anna@house.example"]).await;
        house.store.add_domain_alias(&domain("h.example"), &of, &chief()).await.unwrap();
        let picture = || async {
            let account = house.store.account(&anna).await.unwrap();
            let account = account
                .map(|account| (account.name, account.role, account.domains, account.is_suspended, account.limits));
            let entry = house.store.domain(&of).await.unwrap();
            let entry = entry
                .map(|entry| (entry.catch_all, entry.description, entry.other_names, entry.accounts, entry.aliases));
            let kept = house.store.alias(&address("kept@house.example")).await.unwrap().map(|alias| alias.targets);
            let other = house.store.domain_key(&domain("other.example")).await.unwrap();
            format!("{account:?} {entry:?} {kept:?} {other:?}")
        };
        let before = picture().await;
        for act in 0..10 {
            let by = chief();
            let store = &house.store;
            match act {
                0 => change(&house, "anna@house.example", suspended(true)).await,
                1 => {
                    change(&house, "anna@house.example", role(Role::DomainAdmin, &["house.example", "other.example"]))
                        .await;
                }
                2 => {
                    let named = AccountChange {
                        name: Some("Anna A".into()),
                        daily_messages: Some(Some(9)),
                        ..AccountChange::default()
                    };
                    change(&house, "anna@house.example", named).await;
                }
                3 => store.remove_account(&anna, None, &by).await.unwrap(),
                4 => {
                    let described = DomainChange {
                        description: Some("Home".into()),
                        catch_all: Some(Some(anna.clone())),
                        ..DomainChange::default()
                    };
                    change_domain(&house, "house.example", described).await;
                }
                5 => store.remove_domain(&of, Removal::WithContents, None, &by).await.unwrap(),
                6 => store.remove_alias(&address("kept@house.example"), None, &by).await.unwrap(),
                7 => store
                    .change_alias(&address("kept@house.example"), vec![address("x@else.example")], None, &by)
                    .await
                    .unwrap(),
                8 => store.remove_domain_alias(&domain("h.example"), &by).await.unwrap(),
                _ => drop(store.add_account(NewAccount::user(address("new@house.example")), &by).await.unwrap()),
            }
            let changed = picture().await;
            assert_ne!(changed, before, "{act}");
            let made = last(&house).await;
            house.store.undo(made.key, &by).await.unwrap();
            assert_eq!(picture().await, before, "{act}");
            let undoing = last(&house).await;
            assert!(undoing.act.contains(".undo") && undoing.undoes == Some(made.key), "{undoing:?}");
            let marked = house.store.audit_entry(made.key).await.unwrap().unwrap();
            assert_eq!(marked.undone, Some((house.store.now(), by.name.clone())));
            let twice = house.store.undo(made.key, &by).await;
            assert!(format!("{twice:?}").contains("NotUndoable"), "{twice:?}");
            house.store.undo(undoing.key, &by).await.unwrap();
            assert_eq!(picture().await, changed, "{act}");
            house.store.undo(last(&house).await.key, &by).await.unwrap();
            assert_eq!(picture().await, before, "{act}");
            house.check().await;
        }
    });
}

#[test]
fn what_was_changed_again_is_not_undone() {
    on_both(|house| async move {
        let anna = "anna@house.example";
        change(&house, anna, AccountChange { name: Some("Anna A".into()), ..AccountChange::default() }).await;
        let named = last(&house).await;
        change(&house, anna, suspended(true)).await;
        // Another thing of the same person doesn't stand in the way…
        house.store.undo(named.key, &chief()).await.unwrap();
        assert!(house.store.account(&address(anna)).await.unwrap().unwrap().is_suspended);
        // …the same thing does.
        change(&house, anna, AccountChange { name: Some("Anna B".into()), ..AccountChange::default() }).await;
        let named = last(&house).await;
        change(&house, anna, AccountChange { name: Some("Anna C".into()), ..AccountChange::default() }).await;
        let refused = house.store.undo(named.key, &chief()).await;
        assert!(format!("{refused:?}").contains("ChangedSince([\"name\"])"), "{refused:?}");
        house.store.add_domain(&domain("new.example"), DomainChange::default(), &chief()).await.unwrap();
        let made = last(&house).await;
        add_account(&house, "one@new.example").await;
        let refused = house.store.undo(made.key, &chief()).await;
        assert!(format!("{refused:?}").contains("NotEmpty"), "{refused:?}");
        add_alias(&house, "x@house.example", &["y@else.example"]).await;
        let made = last(&house).await;
        house.store.remove_alias(&address("x@house.example"), None, &chief()).await.unwrap();
        let removed = last(&house).await;
        assert!(house.store.undo(made.key, &chief()).await.is_err());
        add_account(&house, "x@house.example").await;
        let refused = house.store.undo(removed.key, &chief()).await;
        assert!(format!("{refused:?}").contains("AddressTaken"), "{refused:?}");
        house.store.set_password_hash(&address(anna), Secret::new("$"), &chief()).await.unwrap();
        let refused = house.store.undo(last(&house).await.key, &chief()).await;
        assert!(format!("{refused:?}").contains("NotUndoable"), "{refused:?}");
        house.check().await;
    });
}
