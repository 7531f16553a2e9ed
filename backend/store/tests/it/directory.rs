//! Domains, accounts, aliases, and where addresses lead.

use std::time::Duration;

use relais_model::Secret;
use relais_store::{
    AccountChange, AccountFilter, AliasName, AliasTerms, Author, DirectoryError, DomainChange, DomainFilter,
    MAX_TARGETS, NewAccount, Order, Page, Removal, Route, Senders,
};

use crate::house::{House, on_both};
use crate::people::{add_account, add_domain, address, domain};

/// Says where an address leads, shortly.
async fn lead(house: &House, text: &str) -> String {
    match house.store.route(&address(text)).await.unwrap() {
        Route::Account { address, detail, is_suspended, .. } => {
            let detail = detail.map(|detail| format!(" +{detail}")).unwrap_or_default();
            format!("{}{address}{detail}", if is_suspended { "suspended " } else { "" })
        }
        Route::Alias { targets, .. } => format!("-> {targets:?}"),
        Route::CatchAll { target } => format!("* {target}"),
        Route::Ended { text } => format!("ended {text}"),
        Route::List { act, .. } => format!("list {act:?}"),
        Route::NoSuchAddress => "nobody".to_owned(),
        Route::Disabled => "closed".to_owned(),
        Route::NotLocal => "elsewhere".to_owned(),
    }
}

/// RFC 5321 §2.4, RFC 5233, RFC 6531, RFC 5890.
#[test]
fn addresses_lead_to_accounts_without_case_with_details_and_in_utf8() {
    on_both(|house| async move {
        add_domain(&house, "Example.org").await;
        add_domain(&house, "bücher.example").await;
        add_account(&house, "Ann.Lee@example.org").await;
        add_account(&house, "c++@example.org").await;
        add_account(&house, "jörg@bücher.example").await;
        assert_eq!(lead(&house, "ann.lee@EXAMPLE.org").await, "Ann.Lee@example.org");
        assert_eq!(lead(&house, "ANN.lee+Books@example.org").await, "Ann.Lee@example.org +Books");
        assert_eq!(lead(&house, "c++@example.org").await, "c++@example.org");
        assert_eq!(lead(&house, "c@example.org").await, "nobody");
        assert_eq!(lead(&house, "JO\u{308}RG@xn--bcher-kva.example").await, "jörg@xn--bcher-kva.example");
        assert_eq!(lead(&house, "ann.lee@elsewhere.example").await, "elsewhere");
    });
}

#[test]
fn what_is_exact_goes_first_then_the_base_then_postmaster_then_the_catch_all() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        let org = domain("example.org");
        add_account(&house, "ann@example.org").await;
        house
            .store
            .add_alias(&address("ann+sales@example.org"), vec![address("b@x.example")], &Author::house())
            .await
            .unwrap();
        house
            .store
            .add_alias(
                &address("team@example.org"),
                vec![address("ann@example.org"), address("b@x.example")],
                &Author::house(),
            )
            .await
            .unwrap();
        assert_eq!(lead(&house, "Ann+Sales@example.org").await, "-> [b@x.example]");
        assert_eq!(lead(&house, "ann+other@example.org").await, "ann@example.org +other");
        assert_eq!(lead(&house, "team+x@example.org").await, "-> [ann@example.org, b@x.example]");
        assert_eq!(lead(&house, "who@example.org").await, "nobody");
        // RFC 5321 §4.5.1: it is always there.
        assert_eq!(lead(&house, "Postmaster@example.org").await, "-> [ann@example.org]");
        house
            .store
            .change_domain(
                &org,
                DomainChange { postmaster: Some(Some(address("chief@x.example"))), ..DomainChange::default() },
                None,
                &Author::house(),
            )
            .await
            .unwrap();
        house
            .store
            .change_domain(
                &org,
                DomainChange { catch_all: Some(Some(address("ann@example.org"))), ..DomainChange::default() },
                None,
                &Author::house(),
            )
            .await
            .unwrap();
        assert_eq!(lead(&house, "postmaster@example.org").await, "-> [chief@x.example]");
        assert_eq!(lead(&house, "who@example.org").await, "* ann@example.org");
        house
            .store
            .change_domain(
                &org,
                DomainChange { catch_all: Some(None), ..DomainChange::default() },
                None,
                &Author::house(),
            )
            .await
            .unwrap();
        assert_eq!(lead(&house, "who@example.org").await, "nobody");
    });
}

/// What was remembered is forgotten with each change.
#[test]
fn a_change_of_the_directory_is_seen_at_once() {
    on_both(|house| async move {
        assert_eq!(lead(&house, "ann@example.org").await, "elsewhere");
        add_domain(&house, "example.org").await;
        assert_eq!(lead(&house, "ann@example.org").await, "nobody");
        add_account(&house, "ann@example.org").await;
        assert_eq!(lead(&house, "ann@example.org").await, "ann@example.org");
        let suspension = AccountChange { is_suspended: Some(true), ..AccountChange::default() };
        house.store.change_account(&address("ann@example.org"), suspension, None, &Author::house()).await.unwrap();
        assert_eq!(lead(&house, "ann@example.org").await, "suspended ann@example.org");
        house.store.remove_account(&address("ANN@example.org"), None, &Author::house()).await.unwrap();
        assert_eq!(lead(&house, "ann@example.org").await, "nobody");
    });
}

#[test]
fn an_address_is_there_once() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        add_account(&house, "ann@example.org").await;
        let again = house.store.add_domain(&domain("EXAMPLE.org"), DomainChange::default(), &Author::house()).await;
        assert!(matches!(again, Err(DirectoryError::DomainTaken(_))), "{again:?}");
        let again =
            house.store.add_alias(&address("ANN@example.org"), vec![address("b@x.example")], &Author::house()).await;
        assert!(matches!(again, Err(DirectoryError::AddressTaken(_))), "{again:?}");
        house
            .store
            .add_alias(&address("bob@example.org"), vec![address("b@x.example")], &Author::house())
            .await
            .unwrap();
        let new = |text| NewAccount::user(address(text));
        let again = house.store.add_account(new("Bob@example.org"), &Author::house()).await;
        assert!(matches!(again, Err(DirectoryError::AddressTaken(_))), "{again:?}");
        let elsewhere = house.store.add_account(new("bob@elsewhere.example"), &Author::house()).await;
        assert!(matches!(elsewhere, Err(DirectoryError::UnknownDomain(_))), "{elsewhere:?}");
        let itself =
            house.store.add_alias(&address("x@example.org"), vec![address("X@example.org")], &Author::house()).await;
        assert!(matches!(itself, Err(DirectoryError::Unfit(_))), "{itself:?}");
        let many = vec![address("b@x.example"); MAX_TARGETS + 1];
        let many = house.store.add_alias(&address("x@example.org"), many, &Author::house()).await;
        assert!(matches!(many, Err(DirectoryError::Unfit(_))), "{many:?}");
    });
}

#[test]
fn a_domain_goes_only_empty_unless_asked() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        add_account(&house, "ann@example.org").await;
        house
            .store
            .add_alias(&address("team@example.org"), vec![address("ann@example.org")], &Author::house())
            .await
            .unwrap();
        let org = domain("example.org");
        let refused = house.store.remove_domain(&org, Removal::OnlyEmpty, None, &Author::house()).await;
        assert!(matches!(refused, Err(DirectoryError::NotEmpty { accounts: 1, aliases: 1 })), "{refused:?}");
        house.store.remove_domain(&org, Removal::WithContents, None, &Author::house()).await.unwrap();
        assert_eq!(house.store.domain(&org).await.unwrap(), None);
        assert_eq!(house.store.account(&address("ann@example.org")).await.unwrap(), None);
        let gone = house.store.remove_domain(&org, Removal::OnlyEmpty, None, &Author::house()).await;
        assert!(matches!(gone, Err(DirectoryError::UnknownDomain(_))), "{gone:?}");
        assert_eq!(house.store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn lists_come_in_pages() {
    on_both(|house| async move {
        add_domain(&house, "b.example").await;
        add_domain(&house, "a.example").await;
        for number in 0..7 {
            add_account(&house, &format!("P{number}@a.example")).await;
            let targets = vec![address("z@a.example"), address("y@a.example")];
            house
                .store
                .add_alias(&address(&format!("alias{number}@b.example")), targets, &Author::house())
                .await
                .unwrap();
        }
        let mut page = Page { after: None, limit: 3 };
        let house = &house;
        let key = |name| async move { Some(vec![house.store.domain_key(&domain(name)).await.unwrap().unwrap()]) };
        let all = AccountFilter { domains: key("a.example").await, ..AccountFilter::default() };
        let (mut accounts, mut aliases) = (Vec::new(), Vec::new());
        loop {
            let listing = house.store.accounts(&all, Order::default(), &page).await.unwrap();
            accounts.extend(listing.rows.iter().map(|account| account.address.to_string()));
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        assert_eq!(accounts, (0..7).map(|number| format!("P{number}@a.example")).collect::<Vec<_>>());
        page.after = None;
        loop {
            let listing = house.store.aliases(&page).await.unwrap();
            aliases.extend(listing.rows);
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        assert_eq!(aliases.len(), 7);
        assert!(aliases.iter().all(|alias| alias.targets == [address("z@a.example"), address("y@a.example")]));
        let domains = house.store.domains(&DomainFilter::default(), Order::default(), &Page::first()).await.unwrap();
        let counts: Vec<_> =
            domains.rows.iter().map(|entry| (entry.domain.to_string(), entry.accounts, entry.aliases)).collect();
        assert_eq!(counts[..2], [("a.example".to_owned(), 7, 0), ("b.example".to_owned(), 0, 7)]);
        let found =
            |domains, text: &str| AccountFilter { domains, text: Some(text.to_owned()), ..AccountFilter::default() };
        let store = &house.store;
        assert_eq!(store.accounts(&found(None, "p3@"), Order::default(), &Page::first()).await.unwrap().rows.len(), 1);
        assert_eq!(store.accounts(&found(None, "p%3"), Order::default(), &Page::first()).await.unwrap().rows.len(), 0);
        assert_eq!(
            store
                .accounts(&found(key("b.example").await, ""), Order::default(), &Page::first())
                .await
                .unwrap()
                .rows
                .len(),
            0
        );
    });
}

/// A circle neither hangs nor lends names; the alias that leads on does.
#[test]
fn one_sends_as_oneself_and_as_aliases_that_lead_to_one() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        let ann = add_account(&house, "ann@example.org").await.key;
        add_account(&house, "bob@example.org").await;
        for (alias, target) in [("sales", "team"), ("team", "ann"), ("round", "about"), ("about", "round")] {
            let targets = vec![address(&format!("{target}@example.org"))];
            house.store.add_alias(&address(&format!("{alias}@example.org")), targets, &Author::house()).await.unwrap();
        }
        house
            .store
            .change_domain(
                &domain("example.org"),
                DomainChange { catch_all: Some(Some(address("ann@example.org"))), ..DomainChange::default() },
                None,
                &Author::house(),
            )
            .await
            .unwrap();
        for (text, expected) in [
            ("ann@example.org", true),
            ("Ann+news@example.org", true),
            ("sales@example.org", true),
            ("bob@example.org", false),
            ("round@example.org", false),
            ("whoever@example.org", false),
            ("ann@elsewhere.example", false),
        ] {
            assert_eq!(house.store.may_send_as(ann, &address(text)).await.unwrap(), expected, "{text}");
        }
    });
}

#[test]
fn a_renewed_hash_never_takes_a_new_password_back() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        let ann = add_account(&house, "ann@example.org").await;
        let (old, new, other) = (Secret::new("hash"), Secret::new("renewed"), Secret::new("changed"));
        house.store.renew_password_hash(ann.key, old.clone(), new.clone()).await.unwrap();
        let stored = || async { house.store.credential(&address("ANN@example.org")).await.unwrap().unwrap().hash };
        assert_eq!(stored().await, new);
        house.store.set_password_hash(&ann.address, other.clone(), &Author::house()).await.unwrap();
        house.store.renew_password_hash(ann.key, new, old).await.unwrap();
        assert_eq!(stored().await, other);
        assert!(house.store.credential(&address("ann+x@example.org")).await.unwrap().is_none());
    });
}

async fn add_alias_on(house: &House, name: &str, terms: AliasTerms) -> Result<(), DirectoryError> {
    house.store.add_alias_on(AliasName::parse(name).unwrap(), terms, &Author::house()).await.map(drop)
}

fn to(target: &str) -> AliasTerms {
    vec![address(target)].into()
}

#[test]
fn what_is_exact_goes_before_patterns_and_those_before_the_catch_all() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        let org = domain("example.org");
        add_account(&house, "ann@example.org").await;
        add_account(&house, "gone@example.org").await;
        house.store.add_domain_alias(&domain("example.net"), &org, &Author::house()).await.unwrap();
        for (name, target) in [
            ("*@example.org", "any@x.example"),
            ("sales-*@example.org", "sales@x.example"),
            ("sales-paris-*@example.org", "paris@x.example"),
            ("sales-lyon@example.org", "lyon@x.example"),
            ("/info-\\d+/@example.org", "never@x.example"),
        ] {
            add_alias_on(&house, name, AliasTerms { turn: 5, ..to(target) }).await.unwrap();
        }
        for (asked, found) in [
            ("ann@example.org", "ann@example.org"),
            ("ann+sales-1@example.org", "ann@example.org +sales-1"),
            ("SALES-Lyon@example.org", "-> [lyon@x.example]"),
            ("sales-lyon+x@example.org", "-> [lyon@x.example]"),
            ("sales-1@example.org", "-> [sales@x.example]"),
            ("sales-paris-1@example.net", "-> [paris@x.example]"),
            ("info-7@example.org", "-> [any@x.example]"),
            ("postmaster@example.org", "-> [ann@example.org]"),
        ] {
            assert_eq!(lead(&house, asked).await, found, "{asked}");
        }
        house.store.remove_alias(AliasName::parse("*@example.org").unwrap(), None, &Author::house()).await.unwrap();
        for (name, turn, target) in
            [("/info-[0-9]+/@example.org", 7, "later@x.example"), ("/info-1./@example.org", 3, "sooner@x.example")]
        {
            add_alias_on(&house, name, AliasTerms { turn, ..to(target) }).await.unwrap();
        }
        let taken = add_alias_on(&house, "/info-1./@example.org", to("a@x.example")).await;
        assert!(matches!(taken, Err(DirectoryError::AliasTaken(_))), "{taken:?}");
        let change = DomainChange { catch_all: Some(Some(address("c@x.example"))), ..DomainChange::default() };
        house.store.change_domain(&org, change, None, &Author::house()).await.unwrap();
        house.store.remove_account(&address("gone@example.org"), None, &Author::house()).await.unwrap();
        add_alias_on(&house, "g*@example.org", to("g@x.example")).await.unwrap();
        for (asked, found) in [
            ("info-12@example.org", "-> [sooner@x.example]"),
            ("info-2@example.org", "-> [never@x.example]"),
            ("info-12x@example.org", "* c@x.example"),
            ("who@example.org", "* c@x.example"),
            ("gone@example.org", "nobody"),
            ("go@example.org", "-> [g@x.example]"),
        ] {
            assert_eq!(lead(&house, asked).await, found, "{asked}");
        }
        house.check().await;
    });
}

#[test]
fn an_alias_ends_comes_back_and_is_purged() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        let start = house.store.now();
        let day = Duration::from_hours(24);
        let name = AliasName::parse("fair@example.org").unwrap();
        let terms = AliasTerms {
            ends_at: Some(start.plus(day)),
            note: "Lyon".into(),
            ended_text: "It is over".into(),
            ..to("a@x.example")
        };
        add_alias_on(&house, "fair@example.org", terms.clone()).await.unwrap();
        add_alias_on(&house, "*@example.org", to("any@x.example")).await.unwrap();
        assert_eq!(lead(&house, "fair@example.org").await, "-> [a@x.example]");
        house.clock.advance(day);
        assert_eq!(lead(&house, "fair@example.org").await, "ended It is over", "though it is remembered");
        assert_eq!(house.store.purge_removed(start.plus(day)).await.unwrap().accounts, 0);
        let alias = house.store.alias(&name).await.unwrap().unwrap();
        assert_eq!(AliasTerms::from(alias.clone()), terms);
        let again = AliasTerms { ends_at: None, ..terms.clone() };
        house.store.change_alias(&name, again, Some(alias.version), &Author::house()).await.unwrap();
        assert_eq!(lead(&house, "fair@example.org").await, "-> [a@x.example]");
        house.store.change_alias(&name, terms, None, &Author::house()).await.unwrap();
        house.clock.advance(day);
        house.store.purge_removed(start.plus(day + day)).await.unwrap();
        assert_eq!(house.store.alias(&name).await.unwrap(), None);
        assert_eq!(lead(&house, "fair@example.org").await, "-> [any@x.example]");
        house.check().await;
    });
}

#[test]
fn an_alias_says_who_sends_under_its_name() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        let ann = add_account(&house, "ann@example.org").await.key;
        let bob = add_account(&house, "bob@example.org").await.key;
        let people = Senders::People(vec![address("bob@example.org")]);
        for (name, senders) in [
            ("all@example.org", Senders::Targets),
            ("some@example.org", people.clone()),
            ("none@example.org", Senders::Nobody),
            ("team-*@example.org", Senders::Targets),
        ] {
            add_alias_on(&house, name, AliasTerms { senders, ..to("ann@example.org") }).await.unwrap();
        }
        // What is on the way speaks for its own name alone.
        add_alias_on(&house, "over@example.org", to("none@example.org")).await.unwrap();
        for (name, anns, bobs) in [
            ("all", true, false),
            ("some", false, true),
            ("none", false, false),
            ("team-1", true, false),
            ("over", true, false),
        ] {
            let name = address(&format!("{name}@example.org"));
            assert_eq!(house.store.may_send_as(ann, &name).await.unwrap(), anns, "{name}");
            assert_eq!(house.store.may_send_as(bob, &name).await.unwrap(), bobs, "{name}");
        }
        let read = house.store.aliases(&Page::default()).await.unwrap();
        let some = read.rows.iter().find(|alias| alias.address.to_string() == "some@example.org").unwrap();
        assert_eq!((&some.senders, some.targets.len()), (&people, 1));
        let nobody = AliasTerms { senders: Senders::People(Vec::new()), ..to("ann@example.org") };
        assert!(matches!(add_alias_on(&house, "x@example.org", nobody).await, Err(DirectoryError::Unfit(_))));
        let accents = AliasTerms { ended_text: "terminé".into(), ..to("ann@example.org") };
        assert!(matches!(add_alias_on(&house, "x@example.org", accents).await, Err(DirectoryError::Unfit(_))));
        house.check().await;
    });
}
