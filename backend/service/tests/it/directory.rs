//! What the use-cases do and refuse, each failure at its field; and that one tenant learns nothing of another.

use std::time::Duration;

use relais_service::{
    Activity, ActivityWanted, Actor, AddressKind, AddressesWanted, AliasChange, AliasSenders, DomainChange,
    DomainsWanted, Leads, Moment, NewAlias, NewDomain, NewPerson, OwnChange, Password, PatternTrial, PeopleWanted,
    PersonChange, Role,
};

use crate::house::{House, address, domain, short};

fn new_person(json: &str) -> NewPerson {
    serde_json::from_str(json).unwrap()
}

fn person_change(json: &str) -> PersonChange {
    serde_json::from_str(json).unwrap()
}

async fn owner(house: &House) -> Actor {
    house.actor(Role::Owner, true).await
}

async fn admin(house: &House) -> Actor {
    house.actor(Role::DomainAdmin, true).await
}

async fn latest(activity: &Activity, actor: &Actor) -> relais_service::ActivityView {
    activity.list(actor, &ActivityWanted::default()).await.unwrap().rows.swap_remove(0)
}

/// For how long what is removed can be restored, where nobody has set it.
fn grace() -> Duration {
    relais_store::Settings::default().removed_kept
}

#[tokio::test]
async fn a_domain_is_added_changed_removed_and_restored() {
    let house = House::open().await;
    let (domains, owner) = (&house.service.domains, owner(&house).await);
    let new = |name: &str| NewDomain { domain: name.to_owned(), max_people: Some(3), ..NewDomain::default() };
    let made = domains.create(&owner, new("bücher.example")).await.unwrap();
    assert_eq!((made.domain.as_str(), made.ascii.as_str()), ("bücher.example", "xn--bcher-kva.example"));
    assert_eq!(short(domains.create(&owner, new("Bücher.example")).await), "clash: domain failure-domain-taken");
    assert_eq!(short(domains.create(&owner, new("no domain")).await), "unfit: domain failure-domain-form");
    assert_eq!(short(domains.create(&owner, new("[192.0.2.1]")).await), "unfit: domain failure-domain-form");
    let bad = NewDomain {
        catch_all: Some("x".into()),
        postmaster: Some("y@".into()),
        description: "\t".into(),
        ..new("c.example")
    };
    let told =
        "unfit: description failure-text-control, catch_all failure-address-form, postmaster failure-address-domain";
    assert_eq!(short(domains.create(&owner, bad).await), told);
    let change: DomainChange =
        serde_json::from_str(r#"{"catch_all": "user@one.example", "max_people": null}"#).unwrap();
    let changed = domains.change(&owner, "bücher.example", change, Some(&made.version)).await.unwrap();
    assert_eq!((changed.catch_all.as_deref(), changed.max_people), (Some("user@one.example"), None));
    let again = domains.change(&owner, "bücher.example", DomainChange::default(), Some(&made.version)).await;
    assert_eq!(short(again), "stale: failure-stale");
    assert_eq!(
        short(domains.change(&owner, "bücher.example", DomainChange::default(), Some("?")).await),
        "stale: failure-stale"
    );
    assert_eq!(short(domains.show(&owner, "none.example").await), "absent: failure-unknown-domain");
    assert_eq!(short(domains.show(&owner, "?").await), "absent: failure-unknown-domain");
    let going = domains.going(&owner, "one.example").await.unwrap();
    assert_eq!((going.people, going.messages, going.aliases), (4, 0, 0));
    assert_eq!(short(domains.remove(&owner, "one.example", None).await), "clash:  failure-last-owner");
    domains.add_other_name(&owner, "two.example", "zwei.example").await.unwrap();
    assert_eq!(
        short(domains.add_other_name(&owner, "two.example", "one.example").await),
        "clash: domain failure-domain-taken"
    );
    domains.remove(&owner, "two.example", None).await.unwrap();
    assert_eq!(short(domains.show(&owner, "two.example").await), "absent: failure-unknown-domain");
    assert_eq!(short(domains.create(&owner, new("two.example")).await), "clash: domain failure-domain-removed");
    let removed =
        domains.list(&owner, &DomainsWanted { removed: true, ..DomainsWanted::default() }).await.unwrap().rows;
    assert_eq!(removed[0].purged_at, removed[0].removed_at.map(|at| Moment(at.0.plus(grace()))));
    let back = domains.restore(&owner, "two.example").await.unwrap();
    assert_eq!(back.other_names, ["zwei.example"]);
    assert_eq!(domains.remove_other_name(&owner, "two.example", "zwei.example").await.unwrap().other_names.len(), 0);
    assert_eq!(
        short(domains.remove_other_name(&owner, "two.example", "zwei.example").await),
        "absent: failure-unknown-domain"
    );
}

#[tokio::test]
async fn a_person_is_added_changed_removed_and_restored() {
    let house = House::open().await;
    let (people, admin) = (&house.service.people, admin(&house).await);
    let quota =
        DomainChange { default_quota_octets: Some(Some(7000)), max_people: Some(Some(6)), ..DomainChange::default() };
    house.service.domains.change(&owner(&house).await, "one.example", quota, None).await.unwrap();
    let made = people.create(&admin, new_person(r#"{"address": "Ann@one.example", "name": "Ann"}"#)).await.unwrap();
    assert_eq!((made.quota_octets, made.has_password, made.role), (Some(7000), false, Role::User));
    for (json, told) in [
        (r#"{"address": "ann@one.example"}"#, "clash: address failure-address-taken"),
        (r#"{"address": "ann"}"#, "unfit: address failure-address-form"),
        (
            r#"{"address": "b@one.example", "password": "short", "language": "xx"}"#,
            "unfit: password password-too-short, language failure-no-choice",
        ),
        (r#"{"address": "b@one.example", "role": "help_desk"}"#, "unfit: domains failure-role-without-domains"),
        (r#"{"address": "b@one.example", "role": "owner"}"#, "forbidden: failure-role-above"),
        (
            r#"{"address": "b@one.example", "role": "help_desk", "domains": ["two.example"]}"#,
            "absent: failure-unknown-domain",
        ),
        (r#"{"address": "b@two.example"}"#, "unfit: address failure-unknown-domain"),
        (r#"{"address": "b@none.example"}"#, "unfit: address failure-unknown-domain"),
    ] {
        assert_eq!(short(people.create(&admin, new_person(json)).await), told, "{json}");
    }
    let free = people
        .create(&admin, new_person(r#"{"address": "b@one.example", "password": "long enough", "quota_octets": null}"#))
        .await
        .unwrap();
    assert_eq!((free.quota_octets, free.has_password), (None, true));
    assert_eq!(
        short(people.create(&admin, new_person(r#"{"address": "c@one.example"}"#)).await),
        "clash: address failure-too-many-people"
    );
    let change = person_change(r#"{"daily_messages": 10, "language": "fr", "quota_octets": null}"#);
    let changed = people.change(&admin, "ann@one.example", change.clone(), Some(&made.version)).await.unwrap();
    assert_eq!(
        (changed.daily_messages, changed.language.as_deref(), changed.quota_octets),
        (Some(10), Some("fr"), None)
    );
    assert_eq!(
        short(people.change(&admin, "ann@one.example", change, Some(&made.version)).await),
        "stale: failure-stale"
    );
    let unset = people
        .change(&admin, "ann@one.example", person_change(r#"{"language": null, "daily_messages": null}"#), None)
        .await
        .unwrap();
    assert_eq!((unset.language, unset.daily_messages), (None, None));
    let themed = people.change(&admin, "ann@one.example", person_change(r#"{"theme": "pink"}"#), None).await;
    assert_eq!(short(themed), "unfit: theme failure-no-choice");
    let suspended = people.change(&admin, "admin@one.example", person_change(r#"{"is_suspended": true}"#), None).await;
    assert_eq!(short(suspended), "clash: is_suspended failure-suspend-self");
    assert_eq!(short(people.remove(&admin, "admin@one.example", None).await), "clash:  failure-remove-self");
    assert_eq!(
        short(people.change(&admin, "owner@one.example", PersonChange::default(), None).await),
        "forbidden: failure-person-above"
    );
    assert_eq!(short(people.remove(&admin, "owner@one.example", None).await), "forbidden: failure-person-above");
    let owner = owner(&house).await;
    let demoted = people.change(&owner, "owner@one.example", person_change(r#"{"role": "user"}"#), None).await;
    assert_eq!(short(demoted), "clash:  failure-last-owner");
    people.remove(&admin, "ann@one.example", None).await.unwrap();
    assert_eq!(short(people.show(&admin, "ann@one.example").await), "absent: failure-unknown-address");
    assert_eq!(
        short(people.create(&admin, new_person(r#"{"address": "ann@one.example"}"#)).await),
        "clash: address failure-address-removed"
    );
    assert_eq!(people.restore(&admin, "ann@one.example").await.unwrap().name, "Ann");
    assert_eq!(short(people.restore(&admin, "ann@one.example").await), "absent: failure-unknown-address");
}

/// Who serves a domain more has power more: their password would open it.
#[tokio::test]
async fn nobody_changes_who_serves_a_domain_that_they_do_not() {
    let house = House::open().await;
    let (people, owner, admin) = (&house.service.people, owner(&house).await, admin(&house).await);
    let both = person_change(r#"{"role": "domain_admin", "domains": ["one.example", "two.example"]}"#);
    people.change(&owner, "user@one.example", both, None).await.unwrap();
    let refused = people.change(&admin, "user@one.example", person_change(r#"{"name": "X"}"#), None).await;
    assert_eq!(short(refused), "forbidden: failure-person-above");
    assert_eq!(short(people.remove(&admin, "user@one.example", None).await), "forbidden: failure-person-above");
    // Nor do they give that power back by undoing what took it.
    people.change(&owner, "user@one.example", person_change(r#"{"role": "user"}"#), None).await.unwrap();
    let taken = latest(&house.service.activity, &owner).await;
    assert_eq!(short(house.service.activity.undo(&admin, &taken.id).await), "forbidden: failure-person-above");
    assert_eq!(short(house.service.activity.undo(&owner, &taken.id).await), "done");
}

#[tokio::test]
async fn another_tenant_is_not_there() {
    let house = House::open().await;
    let (service, admin, owner) = (&house.service, admin(&house).await, owner(&house).await);
    let new =
        NewAlias { address: "team@two.example".into(), targets: vec!["far@two.example".into()], ..NewAlias::default() };
    service.addresses.create(&owner, new.clone()).await.unwrap();
    let far = "absent: failure-unknown-address";
    let two = "absent: failure-unknown-domain";
    assert_eq!(short(service.domains.show(&admin, "two.example").await), two);
    assert_eq!(short(service.domains.change(&admin, "two.example", DomainChange::default(), None).await), two);
    assert_eq!(short(service.people.show(&admin, "far@two.example").await), far);
    assert_eq!(short(service.people.change(&admin, "far@two.example", PersonChange::default(), None).await), far);
    assert_eq!(short(service.people.remove(&admin, "far@two.example", None).await), far);
    assert_eq!(short(service.people.restore(&admin, "far@two.example").await), far);
    assert_eq!(short(service.people.going(&admin, "far@two.example").await), far);
    let of_two = PeopleWanted { domain: Some("two.example".into()), ..PeopleWanted::default() };
    assert_eq!(short(service.people.list(&admin, &of_two).await), two);
    assert_eq!(short(service.addresses.show(&admin, "team@two.example").await), far);
    assert_eq!(short(service.addresses.create(&admin, new).await), two);
    let change = AliasChange { targets: Some(vec!["x@one.example".into()]), ..AliasChange::default() };
    assert_eq!(short(service.addresses.change(&admin, "team@two.example", change, None).await), far);
    assert_eq!(short(service.addresses.remove(&admin, "team@two.example", None).await), far);
    assert_eq!(short(service.addresses.leads_to(&admin, "far@two.example").await), far);
    assert_eq!(short(service.addresses.resolve(&admin, "team@two.example").await), far);
    let listed = format!(
        "{:?}{:?}{:?}{:?}",
        service.domains.list(&admin, &DomainsWanted::default()).await.unwrap(),
        service.people.list(&admin, &PeopleWanted::default()).await.unwrap(),
        service.addresses.list(&admin, &AddressesWanted::default()).await.unwrap(),
        service.activity.list(&admin, &ActivityWanted::default()).await.unwrap(),
    );
    assert!(!listed.contains("two.example"), "{listed}");
    let made = latest(&service.activity, &owner).await;
    assert_eq!(made.subject, "team@two.example");
    assert_eq!(short(service.activity.show(&admin, &made.id).await), "absent: failure-unknown-entry");
    assert_eq!(short(service.activity.undo(&admin, &made.id).await), "absent: failure-unknown-entry");
    // What an alias of theirs leads to is told, but not what becomes of it there.
    let new =
        NewAlias { address: "out@one.example".into(), targets: vec!["team@two.example".into()], ..NewAlias::default() };
    service.addresses.create(&admin, new).await.unwrap();
    let resolved = service.addresses.resolve(&admin, "out@one.example").await.unwrap();
    assert_eq!((resolved.elsewhere, resolved.mailboxes.len()), (vec!["team@two.example".to_owned()], 0));
}

#[tokio::test]
async fn an_address_is_followed_step_by_step() {
    let house = House::open().await;
    let (service, owner) = (&house.service, owner(&house).await);
    service.domains.add_other_name(&owner, "one.example", "eins.example").await.unwrap();
    let catch_all: DomainChange = serde_json::from_str(r#"{"catch_all": "team@one.example"}"#).unwrap();
    service.domains.change(&owner, "one.example", catch_all, None).await.unwrap();
    let new = NewAlias {
        address: "team@one.example".into(),
        targets: vec![
            "user@eins.example".into(),
            "b@else.example".into(),
            "Desk+x@one.example".into(),
            " ".into(),
            "desk+X@one.example".into(),
        ],
        ..NewAlias::default()
    };
    let made = service.addresses.create(&owner, new).await.unwrap();
    assert_eq!((made.address.kind, made.address.targets.len()), (AddressKind::Forward, 3));
    let resolved = service.addresses.resolve(&owner, "who@eins.example").await.unwrap();
    let steps: Vec<String> =
        resolved.steps.iter().map(|step| format!("{} {} {:?}", step.depth, step.address, step.leads)).collect();
    assert_eq!(
        steps,
        [
            "0 who@eins.example DomainAlias",
            "1 who@one.example CatchAll",
            "2 team@one.example Alias",
            "3 user@eins.example DomainAlias",
            "4 user@one.example Mailbox",
            "3 b@else.example Elsewhere",
            "3 Desk+x@one.example Mailbox",
        ]
    );
    assert_eq!(resolved.steps[6].detail.as_deref(), Some("x"));
    assert_eq!((resolved.mailboxes.len(), resolved.elsewhere.len()), (2, 1));
    let leading = service.addresses.leads_to(&owner, "user@one.example").await.unwrap();
    assert_eq!((leading.other_names, leading.catch_alls.len()), (vec!["eins.example".to_owned()], 0));
    assert_eq!(service.addresses.resolve(&owner, "no@two.example").await.unwrap().steps[0].leads, Leads::Nobody);
    assert_eq!(short(service.addresses.resolve(&owner, "what").await), "unfit: address failure-address-form");
}

#[tokio::test]
async fn an_alias_does_not_lead_back_to_itself() {
    let house = House::open().await;
    let (service, owner) = (&house.service, owner(&house).await);
    service.domains.add_other_name(&owner, "one.example", "eins.example").await.unwrap();
    let add = |alias: &str, target: &str| {
        let new = NewAlias {
            address: format!("{alias}@one.example"),
            targets: vec![target.to_owned()],
            ..NewAlias::default()
        };
        let (addresses, owner) = (service.addresses.clone(), owner.clone());
        async move { addresses.create(&owner, new).await }
    };
    assert_eq!(short(add("a", "b@one.example").await), "done");
    assert_eq!(short(add("b", "c@one.example").await), "done");
    assert_eq!(short(add("d", "D@eins.example").await), "unfit: targets failure-alias-loop");
    let looping = add("c", "a@eins.example").await;
    let relais_service::Failure::Unfit(complaints) = looping.unwrap_err() else { panic!("it leads back") };
    let way = complaints[0].why.gaps[0].1.to_string();
    assert_eq!(way, "c@one.example → a@eins.example → b@one.example → c@one.example");
    assert_eq!(short(add("c", "user@one.example").await), "done");
    let back = AliasChange {
        targets: Some(vec!["user@one.example".into(), "a@one.example".into()]),
        ..AliasChange::default()
    };
    assert_eq!(
        short(service.addresses.change(&owner, "c@one.example", back, None).await),
        "unfit: targets failure-alias-loop"
    );
    let none = AliasChange { targets: Some(vec!["  ".into()]), ..AliasChange::default() };
    assert_eq!(
        short(service.addresses.change(&owner, "c@one.example", none, None).await),
        "unfit: targets failure-targets"
    );
    let many = AliasChange {
        targets: Some((0..501).map(|number| format!("p{number}@else.example")).collect()),
        ..AliasChange::default()
    };
    assert_eq!(
        short(service.addresses.change(&owner, "c@one.example", many, None).await),
        "unfit: targets failure-targets"
    );
    assert_eq!(short(add("user", "x@else.example").await), "clash: address failure-address-taken");
    assert_eq!(short(add("e", "x").await), "unfit: targets failure-address-form");
}

#[tokio::test]
async fn a_pattern_is_tried_shown_ended_and_brought_back() {
    let house = House::open().await;
    let (addresses, admin) = (&house.service.addresses, admin(&house).await);
    let wildcard = "sales-*@one.example";
    for (address, sample, expected) in [
        (wildcard, "sales-1", (AddressKind::Wildcard, true, true)),
        (wildcard, "Sales-1@one.example", (AddressKind::Wildcard, true, true)),
        (wildcard, "sales-1@two.example", (AddressKind::Wildcard, false, true)),
        ("/us.r/@one.example", "user", (AddressKind::Expression, true, false)),
        ("/us.r/@one.example", "users", (AddressKind::Expression, false, true)),
    ] {
        let trial = PatternTrial { address: address.into(), sample: sample.into() };
        let tried = addresses.try_pattern(&admin, &trial).await.unwrap();
        assert_eq!((tried.kind, tried.fits, tried.is_free), expected, "{address} {sample}");
    }
    let bad = PatternTrial { address: "/(/@one.example".into(), sample: "x".into() };
    assert_eq!(short(addresses.try_pattern(&admin, &bad).await), "unfit: address failure-alias-expression");
    let new = |address: &str, target: &str| NewAlias {
        address: address.into(),
        targets: vec![target.into()],
        note: " fair ".into(),
        ..NewAlias::default()
    };
    let looping = addresses.create(&admin, new(wildcard, "sales-x@one.example")).await;
    assert_eq!(short(looping), "unfit: targets failure-alias-loop");
    let made = addresses.create(&admin, new(wildcard, "user@one.example")).await.unwrap();
    assert_eq!(
        (made.senders, made.address.note.as_str()),
        (AliasSenders::Nobody, "fair"),
        "a pattern lends no names by itself"
    );
    let resolved = addresses.resolve(&admin, "sales-7@one.example").await.unwrap();
    assert_eq!((resolved.steps[0].leads, resolved.steps[0].through.as_deref()), (Leads::Pattern, Some(wildcard)));
    let kinds = AddressesWanted { kind: vec![AddressKind::Wildcard], ..AddressesWanted::default() };
    let listed = addresses.list(&admin, &kinds).await.unwrap().rows;
    assert_eq!((listed.len(), listed[0].address.as_str(), listed[0].note.as_str()), (1, wildcard, "fair"));
    let past: Moment = serde_json::from_str(r#""2000-01-01T00:00:00Z""#).unwrap();
    let late = NewAlias { ends_at: Some(past), ..new("x@one.example", "user@one.example") };
    assert_eq!(short(addresses.create(&admin, late).await), "unfit: ends_at failure-alias-ended");
    let ended = AliasChange { ends_at: Some(Some(past)), ..AliasChange::default() };
    let ended = addresses.change(&admin, wildcard, ended, None).await.unwrap();
    assert!(ended.address.is_suspended && ended.address.kept_until.is_some());
    assert_eq!(addresses.resolve(&admin, "sales-7@one.example").await.unwrap().steps[0].leads, Leads::Ended);
    let back = AliasChange { ends_at: Some(None), senders: Some(AliasSenders::People), ..AliasChange::default() };
    assert_eq!(
        short(addresses.change(&admin, wildcard, back.clone(), None).await),
        "unfit: sender_people failure-alias-senders"
    );
    let back = AliasChange { sender_people: Some(vec!["desk@one.example".into()]), ..back };
    let back = addresses.change(&admin, wildcard, back, None).await.unwrap();
    assert_eq!((back.address.is_suspended, back.sender_people.len(), back.address.targets.len()), (false, 1, 1));
}

#[tokio::test]
async fn people_are_imported_line_by_line() {
    let house = House::open().await;
    let (people, admin) = (&house.service.people, admin(&house).await);
    let limit = DomainChange { max_people: Some(Some(6)), ..DomainChange::default() };
    house.service.domains.change(&owner(&house).await, "one.example", limit, None).await.unwrap();
    let csv = "name,address,quota,password,hash\nAnn,ann@one.example,100,,\nBob,bob@one.example,,long enough,\n,ann@one.example,,,\n\
               ,far@two.example,,,\n,user@one.example,,,\n,x,,,\n,c@one.example,many,,\n,d@one.example,,,{WHAT}x\n,e@one.example,,,\n";
    for is_dry_run in [true, false] {
        let imported = people.import(&admin, Password::new(csv), is_dry_run).await.unwrap();
        assert_eq!(imported.added, ["ann@one.example", "bob@one.example"], "{is_dry_run}");
        let refused: Vec<String> =
            imported.refused.iter().map(|line| format!("{} {}", line.line, line.complaints[0].why.id)).collect();
        assert_eq!(
            refused,
            [
                "4 failure-address-taken",
                "5 failure-unknown-domain",
                "6 failure-address-taken",
                "7 failure-address-form",
                "8 failure-csv-line",
                "9 failure-csv-hash",
                "10 failure-too-many-people",
            ],
            "{is_dry_run}"
        );
        assert_eq!(house.store.account(&address("ann@one.example")).await.unwrap().is_some(), !is_dry_run);
    }
    assert_eq!(house.store.account(&address("ann@one.example")).await.unwrap().unwrap().quota_octets, Some(100));
    assert_eq!(short(people.import(&admin, Password::new("mail\nx"), true).await), "unfit: csv failure-csv-columns");
    let long = format!("address\n{}", "x@one.example\n".repeat(2001));
    assert_eq!(short(people.import(&admin, Password::new(long), true).await), "unfit: csv failure-csv-long");
}

#[tokio::test]
async fn one_sees_what_was_done_to_oneself_and_changes_only_oneself() {
    let house = House::open().await;
    let (service, admin) = (&house.service, admin(&house).await);
    let user = house.actor(Role::User, false).await;
    service.people.change(&admin, "user@one.example", person_change(r#"{"quota_octets": 9}"#), None).await.unwrap();
    service.people.change(&admin, "desk@one.example", person_change(r#"{"quota_octets": 9}"#), None).await.unwrap();
    let seen = service.activity.list(&user, &ActivityWanted::default()).await.unwrap().rows;
    assert!(seen.iter().all(|entry| entry.subject == "user@one.example"), "{seen:?}");
    assert_eq!((seen[0].act.as_str(), seen[0].sentence.id.as_ref()), ("person.change", "activity-person-change"));
    assert_eq!(short(service.activity.undo(&user, &seen[0].id).await), "forbidden: failure-forbidden");
    let own: OwnChange = serde_json::from_str(r#"{"name": "Me", "theme": "dark"}"#).unwrap();
    let changed = service.people.change_own(&user, own, None).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.theme.as_deref()), ("Me", Some("dark")));
    assert!(
        serde_json::from_str::<OwnChange>(r#"{"role": "owner"}"#).is_err(),
        "what isn't theirs to change isn't taken"
    );
    assert_eq!(short(service.people.show(&user, "desk@one.example").await), "absent: failure-unknown-address");
    assert!(service.addresses.leads_to(&user, "user@one.example").await.is_ok());
    let root = Actor::command_line();
    assert_eq!(
        short(service.people.change_own(&root, OwnChange::default(), None).await),
        "forbidden: failure-forbidden"
    );
}

#[tokio::test]
async fn undoing_says_what_changed_since() {
    let house = House::open().await;
    let (service, owner) = (&house.service, owner(&house).await);
    service.people.change(&owner, "user@one.example", person_change(r#"{"name": "A"}"#), None).await.unwrap();
    let first = latest(&service.activity, &owner).await;
    assert!(first.is_undoable);
    service.people.change(&owner, "user@one.example", person_change(r#"{"name": "B"}"#), None).await.unwrap();
    let refused = service.activity.undo(&owner, &first.id).await;
    let Err(relais_service::Failure::Stale(why)) = refused else { panic!("{refused:?}") };
    let gaps: Vec<String> = why.gaps.iter().map(|(_, filling)| filling.to_string()).collect();
    assert_eq!((why.id.as_ref(), gaps.join(" ")), ("failure-changed-since", "user@one.example name".to_owned()));
    let second = latest(&service.activity, &owner).await;
    let undone = service.activity.undo(&owner, &second.id).await.unwrap();
    assert_eq!((undone.undone_by.as_deref(), undone.is_undoable), (Some("owner@one.example"), false));
    assert_eq!(short(service.activity.undo(&owner, &second.id).await), "clash:  failure-not-undoable");
    assert_eq!(short(service.activity.undo(&owner, &first.id).await), "done", "it is again as the first left it");
    assert_eq!(short(service.activity.undo(&owner, "zz").await), "absent: failure-unknown-entry");
    service.people.remove(&owner, "user@one.example", None).await.unwrap();
    assert!(latest(&service.activity, &owner).await.is_undoable);
    house.clock.advance(grace() + Duration::from_secs(1));
    assert!(!latest(&service.activity, &owner).await.is_undoable);
}

/// What a domain says counts for more than what the house says.
#[tokio::test]
async fn a_new_person_may_hold_what_the_house_says() {
    let house = House::open().await;
    let owner = owner(&house).await;
    let create = async |text: &str| {
        let made = house.service.people.create(&owner, new_person(text)).await.unwrap();
        made.quota_octets
    };
    assert_eq!(create(r#"{"address": "a@one.example"}"#).await, None);
    let set = house.service.change_setting(&owner, "people.default_quota", Some("1 GiB")).await.unwrap();
    assert_eq!(create(r#"{"address": "b@one.example"}"#).await, Some(1 << 30));
    assert_eq!(create(r#"{"address": "c@one.example", "quota_octets": null}"#).await, None, "who adds them says more");
    let own = DomainChange { default_quota_octets: Some(Some(7000)), ..DomainChange::default() };
    house.service.domains.change(&owner, "one.example", own, None).await.unwrap();
    assert_eq!(create(r#"{"address": "d@one.example"}"#).await, Some(7000));
    assert_eq!(set.value, (1_u64 << 30).to_string());
    let wanted = ActivityWanted { act: Some("setting.".to_owned()), ..ActivityWanted::default() };
    let change = house.service.activity.list(&owner, &wanted).await.unwrap().rows.remove(0);
    assert!(change.is_undoable);
    house.service.activity.undo(&owner, &change.id).await.unwrap();
    assert!(!house.service.setting(&owner, "people.default_quota").await.unwrap().is_set);
    let admin = admin(&house).await;
    assert_eq!(short(house.service.activity.undo(&admin, &change.id).await), "absent: failure-unknown-entry");
}

#[tokio::test]
async fn each_domain_whose_mail_is_taken_has_a_policy() {
    let house = House::open().await;
    let owner = house.actor(Role::Owner, true).await;
    house.service.domains.add_other_name(&owner, "one.example", "eins.example").await.unwrap();
    let text = async |name: &str| {
        let policy = house.service.mta_sts(&domain(name), &domain("mx.one.example")).await.unwrap();
        policy.map(|policy| policy.to_string())
    };
    let expected = "version: STSv1\r\nmode: testing\r\nmx: mx.one.example\r\nmax_age: 604800\r\n";
    for name in ["one.example", "eins.example", "two.example"] {
        assert_eq!(text(name).await.as_deref(), Some(expected), "{name}");
    }
    for name in ["example", "three.example", "mx.one.example"] {
        assert_eq!(text(name).await, None, "{name}");
    }
    let disable = DomainChange { is_disabled: Some(true), ..DomainChange::default() };
    house.service.domains.change(&owner, "two.example", disable, None).await.unwrap();
    assert_eq!(text("two.example").await, None, "disabled");
    house.store.change_setting(&relais_store::Author::house(), "mta_sts.mode", Some("none")).await.unwrap();
    assert!(text("one.example").await.unwrap().contains("mode: none\r\n"), "hosts hear that it is over");
}
