//! Lists in the hands of who looks after them and is no admin, and of who is on them.

use std::time::Duration;

use relais_service::{
    ActivityWanted, Actor, DomainChange, ListChange, ListMembersForm, ListMembersPut, ListPosters, ListRight,
    ListsWanted, NewAlias, NewList, OwnListsWanted, Role,
};
use relais_store::{Page, QueueFilter};

use crate::house::{House, address, short};

const TEAM: &str = "team@one.example";

/// The user looks after the team, which is closed; and is on all@.
async fn open_house() -> (House, Actor) {
    let house = House::open().await;
    let (admin, user) = (house.actor(Role::DomainAdmin, true).await, house.actor(Role::User, true).await);
    for (name, owners) in [(TEAM, vec!["user@one.example".to_owned()]), ("all@one.example", Vec::new())] {
        let new = NewList { address: name.to_owned(), title: "A title".to_owned(), owners, ..NewList::default() };
        house.service.lists.create(&admin, new).await.unwrap();
    }
    put(&house, &admin, "all@one.example", "user@one.example").await.unwrap();
    (house, user)
}

async fn put(
    house: &House,
    actor: &Actor,
    list: &str,
    members: &str,
) -> Result<ListMembersPut, relais_service::Failure> {
    let form = ListMembersForm { members: members.to_owned(), ..ListMembersForm::default() };
    house.service.lists.put_members(actor, list, &form).await
}

/// To whom letters go that wait in the queue.
async fn letters(house: &House) -> Vec<String> {
    let rows = house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows;
    rows.into_iter().map(|entry| entry.recipient.address.to_string()).collect()
}

async fn is_on(house: &House, list: &str, who: &str) -> bool {
    let list = house.store.list(&address(list)).await.unwrap().unwrap();
    house.store.list_member(list.key, &address(who)).await.unwrap().is_some()
}

/// Everybody sees the lists that they are on, and of those that they look after what happens there.
#[tokio::test]
async fn ones_own_lists_are_shown() {
    let (house, user) = open_house().await;
    let lists = &house.service.lists;
    let own = |is_owner: bool, search: Option<&str>| {
        let wanted = OwnListsWanted { is_owner, search: search.map(str::to_owned), ..OwnListsWanted::default() };
        let user = &user;
        async move {
            let rows = lists.own(user, &wanted).await.unwrap().rows;
            rows.into_iter().map(|row| (row.address, row.is_owner, row.members, row.held)).collect::<Vec<_>>()
        }
    };
    let all = ("all@one.example".to_owned(), false, None, None);
    let team = (TEAM.to_owned(), true, Some(1), Some(0));
    assert_eq!(own(false, None).await, [all, team.clone()]);
    assert_eq!(own(true, None).await, [team]);
    assert!(own(true, Some("all@")).await.is_empty());
    assert_eq!(short(lists.leave_own(&user, "all@one.example").await), "done");
    for gone in ["all@one.example", "nothing@one.example", "x"] {
        assert_eq!(short(lists.leave_own(&user, gone).await), "absent: failure-unknown-address", "{gone}");
    }
    assert!(!is_on(&house, "all@one.example", "user@one.example").await);
}

/// Who looks after a list decides who is on it and who posts; of other lists they are told nothing, and what takes the house's room isn't theirs.
#[tokio::test]
async fn who_looks_after_a_list_runs_it_and_no_other() {
    let (house, user) = open_house().await;
    let lists = &house.service.lists;
    assert_eq!(lists.right(&user, TEAM).await.unwrap(), ListRight::Run);
    let wanted = ListsWanted::default();
    for other in ["all@one.example", "nothing@one.example", "far@two.example"] {
        assert_eq!(short(lists.show(&user, other).await), "forbidden: failure-forbidden", "{other}");
        assert_eq!(short(lists.members(&user, other, &wanted).await), "forbidden: failure-forbidden", "{other}");
    }
    let change = ListChange { posters: Some(ListPosters::Moderated), is_open: Some(true), ..ListChange::default() };
    assert_eq!(lists.change(&user, TEAM, change, None).await.unwrap().posters, ListPosters::Moderated);
    // As it is isn't another size: forms say all that they show.
    for (octets, said) in [(1024 * 1024, "done"), (1024 * 1024 + 1, "forbidden: failure-forbidden")] {
        let change = ListChange { max_octets: Some(octets), ..ListChange::default() };
        assert_eq!(short(lists.change(&user, TEAM, change, None).await), said);
    }
    assert_eq!(short(lists.remove(&user, TEAM, None).await), "forbidden: failure-forbidden");
    // The right ends with the row.
    let admin = house.actor(Role::DomainAdmin, true).await;
    let form = ListMembersForm { members: "user@one.example".to_owned(), ..ListMembersForm::default() };
    lists.put_members(&admin, TEAM, &form).await.unwrap();
    assert_eq!(short(lists.show(&user, TEAM).await), "forbidden: failure-forbidden", "a reader sees nothing of it");
}

/// Who looks after a list by an alias of theirs alone runs it, sees it among their own, and leaves it.
#[tokio::test]
async fn an_owner_by_an_alias_runs_the_list() {
    let (house, user) = open_house().await;
    let (lists, admin) = (&house.service.lists, house.actor(Role::DomainAdmin, true).await);
    let alias = NewAlias {
        address: "chief@one.example".to_owned(),
        targets: vec!["user@one.example".to_owned()],
        ..NewAlias::default()
    };
    house.service.addresses.create(&admin, alias).await.unwrap();
    assert!(lists.remove_member(&admin, TEAM, "user@one.example").await.is_ok());
    assert_eq!(short(lists.show(&user, TEAM).await), "forbidden: failure-forbidden");
    let form =
        ListMembersForm { members: "chief@one.example".to_owned(), is_owner: true, ..ListMembersForm::default() };
    lists.put_members(&admin, TEAM, &form).await.unwrap();
    assert_eq!(lists.right(&user, TEAM).await.unwrap(), ListRight::Run);
    assert!(put(&house, &user, TEAM, "desk@one.example").await.is_ok());
    let own = lists.own(&user, &OwnListsWanted { is_owner: true, ..OwnListsWanted::default() }).await.unwrap();
    assert_eq!(own.rows.iter().map(|row| row.address.as_str()).collect::<Vec<_>>(), [TEAM]);
    assert!(lists.is_owned(&user, TEAM).await.unwrap());
    assert_eq!(short(lists.leave_own(&user, TEAM).await), "done");
    assert!(!is_on(&house, TEAM, "chief@one.example").await);
}

/// Whoever is elsewhere is on a list only once they say so, unless an admin adds them: else a stolen password would write to strangers by a list.
#[tokio::test]
async fn strangers_are_invited_and_our_own_people_are_added() {
    let (house, user) = open_house().await;
    let many = "desk@one.example, Dora <dora@shop.example>; no address\ncarl@shop.example";
    let found = put(&house, &user, TEAM, many).await.unwrap();
    assert_eq!((found.added, found.invited, found.named), (1, 2, 3));
    assert_eq!(found.refused, ["no address"]);
    assert!(is_on(&house, TEAM, "desk@one.example").await && !is_on(&house, TEAM, "dora@shop.example").await);
    let asked = letters(&house).await;
    assert!(asked.len() == 2 && asked.iter().all(|to| to.starts_with("team-subscribe+i")), "{asked:?}");
    let again = put(&house, &user, TEAM, "dora@shop.example").await.unwrap();
    assert_eq!((again.added, again.invited, letters(&house).await.len()), (0, 0, 2), "one letter an hour");
    let strangers =
        |count: usize| (0..count).map(|number| format!("{number}@shop.example")).collect::<Vec<_>>().join("\n");
    assert_eq!(short(put(&house, &user, TEAM, &strangers(99)).await), "unfit: members failure-list-invited");
    assert_eq!(letters(&house).await.len(), 2, "nobody is asked");
    house.clock.advance(Duration::from_hours(1));
    assert_eq!(put(&house, &user, TEAM, &strangers(100)).await.unwrap().invited, 100);
    let admin = house.actor(Role::DomainAdmin, true).await;
    let found = put(&house, &admin, TEAM, "dora@shop.example").await.unwrap();
    assert_eq!((found.added, found.invited), (1, 0), "an admin answers for whom they add");
    let known = put(&house, &user, TEAM, "dora@shop.example").await.unwrap();
    assert_eq!((known.added, known.invited), (0, 0), "who is on it is changed");
}

/// Decision 59: an owner of a list adds people of the list's tenant; those of another are asked first, as people elsewhere are.
#[tokio::test]
async fn people_of_another_tenant_are_invited() {
    let (house, user) = open_house().await;
    let owner = house.actor(Role::Owner, true).await;
    for (tenant, expected) in [("two", (0, 1)), ("", (1, 0))] {
        let change = DomainChange { tenant: Some(tenant.to_owned()), ..DomainChange::default() };
        house.service.domains.change(&owner, "two.example", change, None).await.unwrap();
        let found = put(&house, &user, TEAM, "far@two.example").await.unwrap();
        assert_eq!((found.added, found.invited), expected, "{tenant:?}");
        assert_eq!(is_on(&house, TEAM, "far@two.example").await, expected.0 == 1, "{tenant:?}");
    }
}

/// Who looks after a list finds what was done to it, by its name alone, and takes it back.
#[tokio::test]
async fn who_looks_after_a_list_undoes_what_was_done_there() {
    let (house, user) = open_house().await;
    let (lists, activity) = (&house.service.lists, &house.service.activity);
    put(&house, &user, TEAM, "desk@one.example").await.unwrap();
    lists.remove_member(&user, TEAM, "desk@one.example").await.unwrap();
    let of = |subject: &str| ActivityWanted { subject: Some(subject.to_owned()), ..ActivityWanted::default() };
    let last = activity.list(&user, &of(TEAM)).await.unwrap().rows.swap_remove(0);
    assert_eq!((last.act.as_str(), last.is_undoable), ("list.member_remove", true));
    assert!(activity.list(&user, &of("all@one.example")).await.unwrap().rows.is_empty(), "others' lists tell nothing");
    let desk = house.actor(Role::HelpDesk, true).await;
    assert_eq!(short(activity.undo(&desk, &last.id).await), "absent: failure-unknown-entry");
    activity.undo(&user, &last.id).await.unwrap();
    assert!(is_on(&house, TEAM, "desk@one.example").await);
}
