//! Mailing lists: their addresses, members, bounces, and the posts that wait.

use std::time::Duration;

use relais_model::ReversePath;
use relais_store::{
    AliasName, AuditFilter, Author, BOUNCE_DAYS, DirectoryError, ListTerms, MAX_HELD_POSTS, MailingList, MemberBounce,
    NewHeldPost, NewMember, Page, Posters, Removal, Route,
};
use serde_json::json;

use crate::house::{House, on_both};
use crate::people::{add_account, add_domain, address, domain};

async fn team(house: &House) -> MailingList {
    add_domain(house, "example.org").await;
    house.store.add_list(&address("Team@example.org"), ListTerms::default(), &Author::house()).await.unwrap()
}

fn reader(text: &str) -> NewMember {
    NewMember::reader(address(text))
}

async fn put(house: &House, list: &MailingList, members: Vec<NewMember>) -> u64 {
    house.store.put_list_members(list.key, members, &Author::house()).await.unwrap()
}

#[test]
fn a_list_has_addresses_of_its_own() {
    on_both(|house| async move {
        let list = team(&house).await;
        add_account(&house, "ann@example.org").await;
        add_account(&house, "team-request@example.org").await;
        let route = |text: &'static str| {
            let store = house.store.clone();
            async move {
                match store.route(&address(text)).await.unwrap() {
                    Route::List { act, detail, .. } => format!("{act:?} {detail}"),
                    Route::Alias { targets, .. } => format!("-> {targets:?}"),
                    Route::Account { address, .. } => address.to_string(),
                    other => format!("{other:?}"),
                }
            }
        };
        assert_eq!(route("team-owner@example.org").await, "NoSuchAddress", "nobody looks after it yet");
        let owner = NewMember { is_owner: true, gets_posts: false, ..reader("ann@example.org") };
        put(&house, &list, vec![owner]).await;
        for (text, found) in [
            ("TEAM@example.org", "Post "),
            ("team+X@example.org", "Post x"),
            ("team-subscribe@example.org", "Subscribe "),
            ("team-Bounces+1A-b@example.org", "Bounces 1a-b"),
            ("team-owner@example.org", "-> [ann@example.org]"),
            ("team-request@example.org", "team-request@example.org"),
            ("team-nothing@example.org", "NoSuchAddress"),
            ("teams@example.org", "NoSuchAddress"),
        ] {
            assert_eq!(route(text).await, found, "{text}");
        }
        assert!(house.store.may_send_as(house.anna, &address("team@example.org")).await.is_ok_and(|may| !may));
        for taken in [
            house
                .store
                .add_alias(&address("team@example.org"), vec![address("x@x.example")], &Author::house())
                .await
                .map(drop),
            house.store.add_list(&address("ann@example.org"), ListTerms::default(), &Author::house()).await.map(drop),
            house.store.add_list(&address("team@example.org"), ListTerms::default(), &Author::house()).await.map(drop),
        ] {
            assert!(matches!(taken, Err(DirectoryError::AddressTaken(_))), "{taken:?}");
        }
        let long = address(&format!("{}@example.org", "x".repeat(31)));
        let unfit = house.store.add_list(&long, ListTerms::default(), &Author::house()).await;
        assert!(matches!(unfit, Err(DirectoryError::Unfit(_))), "{unfit:?}");
        house.check().await;
    });
}

#[test]
fn a_list_is_found_changed_and_goes_with_all_that_is_its() {
    on_both(|house| async move {
        let list = team(&house).await;
        let terms = ListTerms {
            title: "The team".into(),
            posters: Posters::Moderated,
            is_open: true,
            max_octets: 2048,
            prefix: "[t]".into(),
        };
        let by = Author::house();
        let read = house.store.list(&list.address).await.unwrap().unwrap();
        house.store.change_list(&list.address, terms.clone(), Some(read.version), &by).await.unwrap();
        let stale = house.store.change_list(&list.address, terms.clone(), Some(read.version), &by).await;
        assert!(matches!(stale, Err(DirectoryError::Stale)), "{stale:?}");
        assert_eq!(
            put(&house, &list, vec![reader("a@x.example"), reader("A@x.example"), reader("b@x.example")]).await,
            2
        );
        let found = house.store.lists(None, Some("the TEAM"), &Page::first()).await.unwrap().rows;
        assert_eq!((found.len(), &found[0].terms, found[0].members), (1, &terms, 2));
        assert!(house.store.lists(Some(&[]), None, &Page::first()).await.unwrap().rows.is_empty());
        let refused = house.store.remove_domain(&domain("example.org"), Removal::OnlyEmpty, None, &by).await;
        assert!(matches!(refused, Err(DirectoryError::NotEmpty { .. })), "{refused:?}");
        assert!(house.store.remove_list_member(list.key, &address("B@x.example"), &by).await.unwrap());
        assert!(!house.store.remove_list_member(list.key, &address("b@x.example"), &by).await.unwrap());
        house.store.remove_list(&list.address, None, &by).await.unwrap();
        assert_eq!(house.store.list_of(list.key).await.unwrap(), None);
        let again = house.store.add_list(&list.address, terms, &by).await.unwrap();
        put(&house, &again, vec![reader("a@x.example")]).await;
        house.store.remove_domain(&domain("example.org"), Removal::WithContents, None, &by).await.unwrap();
        assert_eq!(house.store.list_of(again.key).await.unwrap(), None);
        house.clock.advance(Duration::from_secs(1));
        house.store.purge_removed(house.store.now()).await.unwrap();
        house.check().await;
    });
}

/// Whose list it is, and who is on it, is asked by their address alone.
#[test]
fn lists_are_found_by_who_is_on_them() {
    on_both(|house| async move {
        let team = team(&house).await;
        let add = |text: &'static str| {
            let store = house.store.clone();
            async move { store.add_list(&address(text), ListTerms::default(), &Author::house()).await.unwrap() }
        };
        let (all, other) = (add("all@example.org").await, add("other@example.org").await);
        let owner = |text: &str| NewMember { is_owner: true, gets_posts: false, ..reader(text) };
        put(&house, &team, vec![owner("ann@example.org"), reader("b@x.example")]).await;
        put(&house, &all, vec![reader("Ann@example.org")]).await;
        put(&house, &other, vec![reader("b@x.example")]).await;
        let of = |is_owner: bool, text: Option<&'static str>| {
            let store = house.store.clone();
            async move {
                let found = store.lists_of(&address("ann@example.org"), is_owner, text, &Page::first()).await.unwrap();
                found.rows.into_iter().map(|list| list.address.to_string()).collect::<Vec<_>>()
            }
        };
        assert_eq!(of(false, None).await, ["all@example.org", "Team@example.org"]);
        assert_eq!(of(true, None).await, ["Team@example.org"]);
        assert!(of(true, Some("all")).await.is_empty());
        assert_eq!(house.store.count_list_readers(team.key).await.unwrap(), 1, "an owner who only looks after it");
        house.check().await;
    });
}

/// An address that leads to one account alone is that account's, whichever of the two is on a list, also with a detail or by a wildcard; one that leads to several is nobody's.
#[test]
fn whose_list_it_is_is_known_by_aliases() {
    on_both(|house| async move {
        let (team, store, by) = (team(&house).await, &house.store, Author::house());
        let ann = "ann@example.org";
        add_account(&house, ann).await;
        add_account(&house, "ben@example.org").await;
        store.add_domain_alias(&domain("example.net"), &domain("example.org"), &by).await.unwrap();
        add_domain(&house, "gone.example").await;
        for (name, targets) in [
            ("lists@example.org", vec![ann]),
            ("chief@example.org", vec!["lists@example.org"]),
            ("both@example.org", vec![ann, "ben@example.org"]),
            ("far@example.org", vec!["ann@example.net"]),
            ("old@gone.example", vec![ann]),
        ] {
            let targets = targets.into_iter().map(address).collect();
            store.add_alias(&address(name), targets, &by).await.unwrap();
        }
        for (name, target) in [("sales-*@example.org", ann), ("ann+ben@example.org", "ben@example.org")] {
            let name = AliasName::parse(name).unwrap();
            store.add_alias_on(name, vec![address(target)].into(), &by).await.unwrap();
        }
        let owner = |text: &str| NewMember { is_owner: true, gets_posts: false, ..reader(text) };
        let runs = async |who: &str| {
            let standing = store.list_standing(team.key, &address(who)).await.unwrap();
            standing.is_some_and(|member| member.is_owner)
        };
        let shown = async |is_owner: bool| {
            store.lists_of(&address(ann), is_owner, None, &Page::first()).await.unwrap().rows.len()
        };
        for (named, who, expected) in [
            (ann, ann, true),
            (ann, "lists@example.org", true),
            (ann, "Chief@example.net", true),
            (ann, "both@example.org", false),
            (ann, "ben@example.org", false),
            (ann, "nobody@example.org", false),
            (ann, "x@x.example", false),
            ("Lists@example.org", ann, true),
            ("lists@example.net", ann, true),
            ("chief@example.org", ann, true),
            ("chief@example.org", "lists@example.net", true),
            ("ann@example.net", ann, true),
            ("far@example.org", ann, true),
            ("old@gone.example", ann, true),
            ("Ann+Team@example.org", ann, true),
            ("ann+team@example.net", ann, true),
            ("lists+team@example.org", ann, true),
            ("ann+team@example.org", "chief+x@example.org", true),
            ("sales-paris@example.org", ann, true),
            ("sales-paris@example.net", "sales-rome@example.org", true),
            ("ann+ben@example.org", ann, false),
            ("ben+team@example.org", ann, false),
            ("both+team@example.org", ann, false),
            ("ann+team@x.example", ann, false),
            ("both@example.org", "both@example.org", true),
            ("both@example.org", ann, false),
            ("ben@example.org", ann, false),
        ] {
            put(&house, &team, vec![owner(named), reader("x@x.example")]).await;
            assert_eq!(runs(who).await, expected, "{named} looks after it, {who} asks");
            if who == ann {
                let rows = usize::from(expected);
                assert_eq!((shown(true).await, shown(false).await), (rows, rows), "{named}");
            }
            assert!(store.remove_list_member(team.key, &address(named), &by).await.unwrap());
        }
        put(&house, &team, vec![owner("old@gone.example")]).await;
        store.remove_domain(&domain("gone.example"), Removal::WithContents, None, &by).await.unwrap();
        assert!(!runs(ann).await, "nothing leads to her by a domain that is removed");
        put(&house, &team, vec![reader(ann), owner("lists@example.org")]).await;
        assert!(runs(ann).await, "who reads it by the one and looks after it by the other");
        house.check().await;
    });
}

/// Who was taken off is put back as what they were; whoever left by themselves isn't.
#[test]
fn taking_somebody_off_is_undone() {
    on_both(|house| async move {
        let (list, by) = (team(&house).await, Author::house());
        let owner = NewMember { is_owner: true, gets_posts: false, ..reader("Ann@x.example") };
        put(&house, &list, vec![owner, reader("b@x.example")]).await;
        let newest = || async {
            let filter = AuditFilter::default();
            house.store.audit(&filter, &Page::first()).await.unwrap().rows.swap_remove(0)
        };
        assert!(house.store.remove_list_member(list.key, &address("ann@x.example"), &by).await.unwrap());
        let removed = newest().await;
        assert_eq!(
            (removed.before.clone(), removed.after.clone()),
            (Some(json!({ "member": "Ann@x.example", "is_owner": true, "gets_posts": false })), None)
        );
        house.store.undo(removed.key, &by).await.unwrap();
        let back = house.store.list_member(list.key, &address("ann@x.example")).await.unwrap().unwrap();
        assert!(back.is_owner && !back.gets_posts, "{back:?}");
        assert_eq!(newest().await.undoes, Some(removed.key));
        let twice = house.store.undo(removed.key, &by).await;
        assert!(matches!(twice, Err(DirectoryError::NotUndoable)), "{twice:?}");
        // They are on it again, by whomever.
        assert!(house.store.remove_list_member(list.key, &address("b@x.example"), &by).await.unwrap());
        let removed = newest().await;
        put(&house, &list, vec![reader("b@x.example")]).await;
        let changed = house.store.undo(removed.key, &by).await;
        assert!(matches!(&changed, Err(DirectoryError::ChangedSince(what)) if what == &["member"]), "{changed:?}");
        // Their own wish.
        assert!(house.store.leave_list(list.key, &address("b@x.example"), &by).await.unwrap());
        let left = house.store.undo(newest().await.key, &by).await;
        assert!(matches!(left, Err(DirectoryError::NotUndoable)), "{left:?}");
        assert!(house.store.remove_list_member(list.key, &address("ann@x.example"), &by).await.unwrap());
        let removed = newest().await;
        house.store.remove_list(&list.address, None, &by).await.unwrap();
        let gone = house.store.undo(removed.key, &by).await;
        assert!(matches!(gone, Err(DirectoryError::NotUndoable)), "{gone:?}");
        house.check().await;
    });
}

#[test]
fn members_are_read_in_pages_and_stopped_where_too_much_comes_back() {
    on_both(|house| async move {
        let list = team(&house).await;
        let many = (0..25).map(|number| reader(&format!("m{number:02}@x.example"))).collect();
        assert_eq!(put(&house, &list, many).await, 25);
        let silent = NewMember { gets_posts: false, is_owner: true, ..reader("owner@x.example") };
        put(&house, &list, vec![silent]).await;
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let part = house.store.list_readers(list.key, after, 10).await.unwrap();
            let Some(end) = part.last() else { break };
            after = Some(end.key);
            seen.extend(part.iter().map(|member| member.address.to_string()));
        }
        assert_eq!((seen.len(), seen[0].as_str()), (25, "m00@x.example"));
        let page = Page { after: None, limit: 20 };
        let first = house.store.list_members(list.key, None, &page).await.unwrap();
        let rest = house.store.list_members(list.key, None, &Page { after: first.next, limit: 20 }).await.unwrap();
        assert_eq!((first.rows.len(), rest.rows.len(), rest.next), (20, 6, None));
        assert_eq!(house.store.list_members(list.key, Some("M0"), &page).await.unwrap().rows.len(), 10);
        assert_eq!(house.store.list_owners(list.key).await.unwrap(), [address("owner@x.example")]);
        let who = address("m03@x.example");
        let key = house.store.list_member(list.key, &who).await.unwrap().unwrap().key;
        for day in 1..=BOUNCE_DAYS {
            let expected = if day == BOUNCE_DAYS { MemberBounce::Stopped } else { MemberBounce::Counted };
            assert_eq!(house.store.note_list_bounce(key).await.unwrap(), expected, "{day}");
            assert_eq!(house.store.note_list_bounce(key).await.unwrap(), MemberBounce::Counted, "once a day");
            // After two weeks of quiet it begins anew.
            let days = if day == 1 { 14 } else { 1 };
            house.clock.advance(Duration::from_hours(24 * days));
            if day == 1 {
                assert_eq!(house.store.note_list_bounce(key).await.unwrap(), MemberBounce::Counted);
                house.clock.advance(Duration::from_hours(24));
            }
        }
        assert!(house.store.list_member_of(key).await.unwrap().unwrap().stopped_at.is_some());
        assert_eq!(house.store.list_readers(list.key, None, 100).await.unwrap().len(), 24);
        assert_eq!(put(&house, &list, vec![reader("m03@x.example")]).await, 0);
        assert_eq!(
            house.store.list_readers(list.key, None, 100).await.unwrap().len(),
            25,
            "who is added again begins anew"
        );
        let owners =
            (0..21).map(|number| NewMember { is_owner: true, ..reader(&format!("o{number}@x.example")) }).collect();
        let full = house.store.put_list_members(list.key, owners, &Author::house()).await;
        assert!(matches!(full, Err(DirectoryError::Unfit(_))), "{full:?}");
        assert_eq!(house.store.list_owners(list.key).await.unwrap().len(), 1, "nobody was added");
        house.check().await;
    });
}

#[test]
fn posts_wait_once_each_and_the_oldest_go() {
    on_both(|house| async move {
        let list = team(&house).await;
        let post = |trace: &str| NewHeldPost {
            trace: trace.to_owned(),
            author: "a@x.example".into(),
            subject: "hello".into(),
            reverse_path: ReversePath::Address(address("a@x.example")),
            octets: b"Subject: hello\r\n\r\n\xff".to_vec(),
        };
        let key = house.store.hold_list_post(list.key, post("one")).await.unwrap();
        assert_eq!(house.store.hold_list_post(list.key, post("one")).await.unwrap(), key);
        let held = house.store.held_list_post(key).await.unwrap().unwrap();
        assert_eq!((held.octets, held.reverse_path), (post("").octets, post("").reverse_path));
        for number in 0..MAX_HELD_POSTS {
            house.store.hold_list_post(list.key, post(&format!("x{number}"))).await.unwrap();
        }
        let listed = house.store.held_list_posts(list.key, &Page::first()).await.unwrap().rows;
        assert_eq!(
            (i64::try_from(listed.len()).unwrap(), house.store.held_list_post(key).await.unwrap()),
            (MAX_HELD_POSTS, None)
        );
        assert!(house.store.drop_list_post(listed[0].key).await.unwrap());
        assert!(!house.store.drop_list_post(listed[0].key).await.unwrap());
        house.check().await;
    });
}
