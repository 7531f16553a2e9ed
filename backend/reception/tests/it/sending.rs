//! What our people may send, when it is held, and to whom it isn't taken.

use std::time::Duration;

use relais_reception::Protocol;
use relais_store::{
    AccountChange, Author, Claim, HoldReason, ListTerms, LoginNote, LoginWay, NewMember, Outcome, Page, Posters,
    QueueFilter, QueueState, Settlement, TraceFilter, TraceKind,
};

use crate::desk::{Desk, PLAIN, by_ann, from_outside};
use crate::house::address;

async fn set(desk: &Desk, name: &'static str, value: &'static str) {
    desk.house.store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
}

/// Ann sends one message to so many who are new, beginning with this number.
async fn to_new(desk: &Desk, first: usize, count: usize) -> String {
    let to: Vec<String> = (first..first + count).map(|number| format!("n{number}@elsewhere.example")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    desk.said(&by_ann("ann@example.org", &to), PLAIN).await
}

async fn states(desk: &Desk) -> (usize, usize) {
    let listing = desk.house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap();
    let held = listing.rows.iter().filter(|row| row.recipient.state == QueueState::Held).count();
    (listing.rows.len() - held, held)
}

async fn hold(desk: &Desk) -> Option<HoldReason> {
    let account = desk.identity("ann@example.org").await.account;
    desk.house.store.standing_hold(account).await.unwrap().map(|hold| hold.reason)
}

/// Each limit says which it is, how much of it is used, and when it frees; nothing of the message goes anywhere.
#[tokio::test]
async fn each_limit_says_which_it_is() {
    for (setting, most, first, second, expected) in [
        ("sending.messages_per_hour", "1", 1, 1, "450 4.7.1 You may send 1 messages an hour, 1 are used; try again in"),
        ("sending.recipients_per_hour", "3", 2, 2, "450 4.7.1 You may send to 3 recipients an hour, 2 are used; try"),
        ("sending.messages_per_day", "1", 1, 1, "450 4.7.1 You may send 1 messages a day, 1 are used; try again in"),
        (
            "sending.recipients_per_day",
            "3",
            2,
            2,
            "450 4.7.1 You may send to 3 recipients a day, 2 are used; try again",
        ),
        (
            "sending.new_recipients_per_day",
            "3",
            2,
            2,
            "450 4.7.1 You may send to 3 recipients a day whom you never wrote to, 2 are used; try again in",
        ),
        (
            "sending.recipients_per_hour",
            "3",
            2,
            4,
            "550 5.7.1 You may send to 3 recipients an hour, and this message has",
        ),
    ] {
        let desk = Desk::open().await;
        set(&desk, setting, most).await;
        assert!(to_new(&desk, 0, first).await.starts_with("250 2.0.0"), "{setting}");
        let refused = to_new(&desk, 100, second).await;
        assert!(refused.starts_with(expected), "{setting}: {refused}");
        assert_eq!(states(&desk).await, (first, 0), "{setting}");
        // The trace tells of it, a line a recipient.
        let store = &desk.house.store;
        let mut events = store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows;
        events.retain(|event| event.kind == TraceKind::Refused);
        assert_eq!(events.len(), second, "{setting}");
        assert_eq!((&*events[0].text, events[0].subject.as_deref()), (&*refused, Some("hello")));
        let judgement = store.judgement(&events[0].trace).await.unwrap().unwrap();
        assert_eq!(judgement.findings[0].said.id, "refused-limits");
    }
}

/// What one writes to a list goes to its members, and counts as that: at once and whole, where the author hears of it. What an owner looks at
/// first, and what the list doesn't take, counts as one.
#[tokio::test]
async fn a_list_counts_as_its_members() {
    let desk = Desk::open().await;
    let store = &desk.house.store;
    let add = |name: &'static str, posters| async move {
        let terms = ListTerms { posters, ..ListTerms::default() };
        let list = store.add_list(&address(name), terms, &Author::house()).await.unwrap();
        let mut members: Vec<_> =
            (0..5).map(|number| NewMember::reader(address(&format!("m{number}@elsewhere.example")))).collect();
        members.push(NewMember { gets_posts: false, ..NewMember::reader(address("ann@example.org")) });
        store.put_list_members(list.key, members, &Author::house()).await.unwrap();
    };
    add("club@example.org", Posters::Members).await;
    add("news@example.org", Posters::Moderated).await;
    store.add_alias(&address("all@example.org"), vec![address("club@example.org")], &Author::house()).await.unwrap();
    let account = desk.identity("ann@example.org").await.account;
    let day = || async { relais_reception::sent_of(store, account).await.unwrap().day };
    for (to, recipients, new_recipients) in [
        (&["club@example.org"][..], 5, 1),
        (&["all@example.org", "club@example.org", "x@elsewhere.example"][..], 5 + 1 + 1, 2),
        (&["news@example.org"][..], 1, 1),
    ] {
        let before = day().await;
        let said = desk.said(&by_ann("ann@example.org", to), PLAIN).await;
        assert!(said.starts_with("250"), "{to:?}: {said}");
        let after = day().await;
        let counted = (after.recipients - before.recipients, after.new_recipients - before.new_recipients);
        assert_eq!(counted, (recipients, new_recipients), "{to:?}");
    }
    set(&desk, "sending.recipients_per_day", "15").await;
    let before = states(&desk).await;
    let refused = desk.said(&by_ann("ann@example.org", &["club@example.org", "ben@example.org"]), PLAIN).await;
    assert!(refused.starts_with("450 4.7.1 You may send to 15 recipients a day, 13 are used"), "{refused}");
    assert_eq!((states(&desk).await, desk.inbox("ben@example.org").await.len()), (before, 0), "nobody gets it");
    set(&desk, "sending.recipients_per_day", "4").await;
    let never = desk.said(&by_ann("ann@example.org", &["club@example.org"]), PLAIN).await;
    assert!(never.starts_with("550 5.7.1 You may send to 4 recipients a day, and this message has 5"), "{never}");
}

/// What one node counted is in the store: another, or the same after a restart, goes on from there.
#[tokio::test]
async fn a_restart_forgets_nothing() {
    let desk = Desk::open().await;
    set(&desk, "sending.messages_per_day", "2").await;
    assert!(to_new(&desk, 0, 1).await.starts_with("250"));
    let account = desk.identity("ann@example.org").await.account;
    let sent = relais_reception::sent_of(&desk.house.store, account).await.unwrap();
    assert_eq!((sent.day.messages, sent.day.new_recipients), (1, 1));
    let desk = desk.restarted();
    assert!(to_new(&desk, 1, 1).await.starts_with("250"));
    assert!(to_new(&desk, 2, 1).await.starts_with("450 4.7.1"));
}

/// Two that come at once never both take the last place.
#[tokio::test]
async fn at_once_no_more_goes_than_one_by_one() {
    let desk = Desk::open().await;
    set(&desk, "sending.messages_per_hour", "5").await;
    let at_once = (0..20).map(|number| to_new(&desk, number, 1));
    let replies = futures_util::future::join_all(at_once).await;
    assert_eq!(replies.iter().filter(|reply| reply.starts_with("250")).count(), 5);
    assert_eq!(states(&desk).await, (5, 0));
}

/// Whom one has written to is no new recipient, whatever their address's letters.
#[tokio::test]
async fn whom_one_knows_is_not_new() {
    let desk = Desk::open().await;
    let change = AccountChange { daily_new_recipients: Some(Some(1)), ..AccountChange::default() };
    desk.house.store.change_account(&address("ann@example.org"), change, None, &Author::house()).await.unwrap();
    assert!(to_new(&desk, 1, 1).await.starts_with("250"));
    let known = by_ann("ann@example.org", &["N1@ELSEWHERE.example"]);
    assert!(desk.said(&known, PLAIN).await.starts_with("250"));
    assert!(to_new(&desk, 2, 1).await.starts_with("450 4.7.1"));
}

/// A burst is taken and waits; what was sent before it waits, too; mail to our own people arrives.
#[tokio::test]
async fn a_burst_is_taken_and_held() {
    let desk = Desk::open().await;
    set(&desk, "holds.new_recipients", "10").await;
    assert!(to_new(&desk, 0, 9).await.starts_with("250"));
    assert_eq!((states(&desk).await, hold(&desk).await), ((9, 0), None));
    assert!(to_new(&desk, 9, 3).await.starts_with("250 2.0.0"), "it is taken");
    assert_eq!((states(&desk).await, hold(&desk).await), ((0, 12), Some(HoldReason::NewRecipients)));
    let to_ben = by_ann("ann@example.org", &["ben@example.org"]);
    assert!(desk.said(&to_ben, PLAIN).await.starts_with("250"));
    assert_eq!(desk.inbox("ben@example.org").await.len(), 1);
    let account = desk.identity("ann@example.org").await.account;
    assert_eq!(desk.house.store.release_hold(&Author::house(), account).await.unwrap(), Some(12));
    assert_eq!(states(&desk).await, (12, 0));
    assert!(to_new(&desk, 50, 11).await.starts_with("250"));
    assert_eq!(hold(&desk).await, None, "that is usual from now on");
    assert_eq!(
        desk.send(&from_outside("x@elsewhere.example", &["away@example.org"]), PLAIN).await,
        ["250 2.0.0"],
        "what isn't theirs never waits"
    );
    set(&desk, "holds.enabled", "false").await;
    assert!(to_new(&desk, 100, 90).await.starts_with("250"));
    assert_eq!(hold(&desk).await, None);
}

/// From a network that the account never logged in from, few new recipients are enough; from a known one they aren't.
#[tokio::test]
async fn who_comes_from_a_strange_network_is_held_sooner() {
    for (logged_in_from, expected) in
        [("192.0.77.1", None), ("198.51.100.1", Some(HoldReason::Network)), ("2001:db8::1", Some(HoldReason::Network))]
    {
        let desk = Desk::open().await;
        let account = desk.identity("ann@example.org").await.account;
        desk.house.store.note_login(LoginNote {
            account: Some(account),
            name: "ann@example.org".to_owned(),
            protocol: Protocol::Imap,
            ip: logged_in_from.parse().unwrap(),
            is_granted: true,
            app_password: None,
            way: LoginWay::Password,
            at: desk.house.store.now(),
        });
        // Whoever lists sees all that was noted before.
        desk.house.store.logins(account, &Page::first()).await.unwrap();
        desk.house.clock.advance(Duration::from_hours(25));
        assert!(to_new(&desk, 0, 19).await.starts_with("250"));
        assert_eq!(hold(&desk).await, None, "{logged_in_from}");
        assert!(to_new(&desk, 19, 1).await.starts_with("250"));
        assert_eq!(hold(&desk).await, expected, "{logged_in_from}");
    }
}

/// An address that other hosts refused again and again as nobody is refused at RCPT: since when, why, and who can lift it.
#[tokio::test]
async fn nobody_is_not_written_to_again_and_again() {
    let desk = Desk::open().await;
    let (store, to) = (&desk.house.store, ["nobody@elsewhere.example"]);
    for _ in 0..2 {
        assert!(desk.said(&by_ann("ann@example.org", &to), PLAIN).await.starts_with("250"));
        let claim = Claim { limit: 9, per_destination: 9, lease: Duration::from_hours(1), busy: Vec::new() };
        let key = store.queue_claim(claim).await.unwrap()[0].recipients[0].key;
        let (reply, remote) =
            ("550 5.1.1 \u{201c}nobody\u{201d}:\r\nno such user".to_owned(), "mx.elsewhere.example".to_owned());
        let outcome = Outcome::Failed { reply, remote, is_unknown: true };
        store.queue_settle(vec![Settlement { recipient: key, outcome }], Vec::new()).await.unwrap();
        desk.house.clock.advance(Duration::from_hours(2));
    }
    let refused = desk.said(&by_ann("ann@example.org", &to), PLAIN).await;
    for part in [
        "550 5.1.1 Mail to nobody@elsewhere.example is not taken here since ",
        "mx.elsewhere.example refused the address 2 times as nobody's, last on ",
        "It said: 550 5.1.1  nobody :  no such user",
        "It is tried again after ",
        "under Suppressed addresses",
    ] {
        assert!(refused.contains(part), "{part} in {refused}");
    }
    assert!(store.remove_suppressed(&Author::house(), &address(to[0])).await.unwrap());
    assert!(desk.said(&by_ann("ann@example.org", &to), PLAIN).await.starts_with("250"));
}
