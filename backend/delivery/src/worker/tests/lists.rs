//! Mailing lists: what is written to one, and what becomes of it.

use relais_filing::list::{Tokens, Wish};
use relais_model::Rights;
use relais_store::{BOUNCE_DAYS, Grantee, ListTerms, MailingList, NewMember, Posters};

use super::*;

impl House {
    /// team@us.example, with Ann, who is its owner, and Bob of d.example, whose host says nothing.
    async fn team(&self, terms: ListTerms) -> MailingList {
        let list = self.store.add_list(&address("team@us.example"), terms, &Author::house()).await.unwrap();
        let owner = NewMember { is_owner: true, ..NewMember::reader(address("ann@us.example")) };
        let members = vec![owner, NewMember::reader(address("bob@d.example"))];
        self.store.put_list_members(list.key, members, &Author::house()).await.unwrap();
        list
    }

    /// Ann writes.
    async fn ann_writes(&self, to: &str, subject: &str) {
        let raw = format!("From: Ann <ann@us.example>\r\nTo: <team@us.example>\r\nSubject: {subject}\r\n\r\nhi\r\n");
        self.queue_message(("ann@us.example", Some(self.ann)), &[to], None, &raw).await;
    }

    /// Ann's INBOX, once it has so many messages.
    async fn told(&self, messages: usize) -> Vec<String> {
        let wait = async {
            loop {
                let found = self.inbox(self.ann).await;
                if found.len() >= messages {
                    return found;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, wait).await.expect("it comes")
    }
}

fn silent() -> Arc<Remotes> {
    Arc::new(Remotes::default().script("192.0.2.1:25", "SILENCE"))
}

/// What stands behind `name` in a header.
fn value<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {message}"))
}

/// RFC 2369, RFC 2919, RFC 8058.
#[tokio::test]
async fn a_post_goes_to_each_member_once_under_a_path_of_their_own() {
    let house = House::open().await;
    house.team(ListTerms::default()).await;
    let delivery = house.start(&silent(), |_| {});
    house.ann_writes("team@us.example", "hello").await;
    let rows = house.wait(|rows| rows.iter().any(|row| row.recipient.address.to_string() == "bob@d.example")).await;
    let path = rows[0].message.reverse_path.to_string();
    assert!(path.starts_with("<team-bounces+") && path.ends_with("@us.example>"), "{path}");
    assert_eq!(rows[0].message.submitter, None, "what Bob's host says tells nothing of Ann");
    let copies = house.told(1).await;
    delivery.stop().await;
    assert_eq!(copies.len(), 1);
    assert!(value(&copies[0], "Return-Path: ").starts_with("<team-bounces+"));
    assert_eq!(copies[0].lines().nth(1), Some("Delivered-To: ann@us.example"), "RFC 9228: {}", copies[0]);
    assert_eq!(value(&copies[0], "List-Id: "), "\"team\" <team.us.example>");
    assert_eq!(value(&copies[0], "From: "), "Ann <ann@us.example>", "whose policy holds keeps their name");
    assert!(value(&copies[0], "List-Unsubscribe: ").starts_with("<https://us.example/lists/leave/"));
    assert!(copies[0].ends_with("\r\n\r\nhi\r\n"), "{}", copies[0]);
}

/// An owner who writes from an alias that leads to them alone posts as the owner that they are.
#[tokio::test]
async fn an_owners_alias_posts_as_the_owner() {
    let house = House::open().await;
    house.team(ListTerms { posters: Posters::Owners, ..ListTerms::default() }).await;
    let alias = (address("chief@us.example"), vec![address("ann@us.example")]);
    house.store.add_alias(&alias.0, alias.1, &Author::house()).await.unwrap();
    let delivery = house.start(&silent(), |_| {});
    let raw = "From: <chief@us.example>\r\nTo: <team@us.example>\r\nSubject: news\r\n\r\nhi\r\n";
    house.queue_message(("ann@us.example", Some(house.ann)), &["team@us.example"], None, raw).await;
    let copies = house.told(1).await;
    delivery.stop().await;
    assert_eq!(value(&copies[0], "List-Id: "), "\"team\" <team.us.example>", "it went out");
}

/// docs/addresses.md: an archive is a team that is a member. It has each post once, whatever addresses of its own stand on the list, and who may
/// read the team's mailbox reads them there.
#[tokio::test]
async fn a_team_that_is_a_member_is_the_lists_archive() {
    let house = House::open().await;
    let list = house.team(ListTerms::default()).await;
    let archive = address("archive@us.example");
    let team = house.store.add_account(NewAccount::team(archive.clone()), &Author::house()).await.unwrap().key;
    house.store.add_alias(&address("kept@us.example"), vec![archive.clone()], &Author::house()).await.unwrap();
    let members = ["archive@us.example", "kept@us.example"].map(|text| NewMember::reader(address(text)));
    house.store.put_list_members(list.key, members.to_vec(), &Author::house()).await.unwrap();
    house.store.remove_list_member(list.key, &address("bob@d.example"), &Author::house()).await.unwrap();
    let inbox = house.store.mailbox(team, &MailboxName::inbox()).await.unwrap().unwrap().mailbox.key;
    let read = Rights::LOOKUP.with(Rights::READ);
    house.store.change_rights(inbox, Grantee::Account(house.ann), move |_| read, &Author::house()).await.unwrap();
    let delivery = house.start(&silent(), |_| {});
    house.ann_writes("team@us.example", "first").await;
    house.told(1).await;
    house.ann_writes("team@us.example", "second").await;
    house.told(2).await;
    // What its author sent there, too, isn't sent again.
    let raw = "From: <ann@us.example>\r\nTo: <team@us.example>\r\nCc: <archive@us.example>, <kept@us.example>\r\nSubject: third\r\n\r\nhi\r\n";
    house.queue_message(("ann@us.example", Some(house.ann)), &["team@us.example"], None, raw).await;
    house.told(3).await;
    delivery.stop().await;
    let kept = house.inbox(team).await;
    assert_eq!(kept.iter().map(|post| value(post, "Subject: ")).collect::<Vec<_>>(), ["first", "second"]);
    assert!(kept.iter().all(|post| value(post, "List-Id: ") == "\"team\" <team.us.example>"), "{kept:?}");
    assert!(kept.iter().all(|post| value(post, "Delivered-To: ") == "archive@us.example"), "{kept:?}");
    let shared = house.store.shared_with(house.ann).await.unwrap();
    let told: Vec<_> = shared.iter().map(|one| (one.owner.to_string(), one.is_team, one.status.messages)).collect();
    assert_eq!(told, [("archive@us.example".to_owned(), true, 2)]);
}

/// Of many members, a part is written to at a time; each gets it once.
#[tokio::test]
async fn a_post_reaches_more_members_than_are_written_to_at_once() {
    let house = House::open().await;
    let list = house.team(ListTerms::default()).await;
    let many = (0..250).map(|number| NewMember::reader(address(&format!("m{number}@e.example")))).collect();
    house.store.put_list_members(list.key, many, &Author::house()).await.unwrap();
    house.store.remove_list_member(list.key, &address("bob@d.example"), &Author::house()).await.unwrap();
    let remotes = Arc::new(Remotes::default().script("192.0.2.2:25", "SILENCE"));
    let delivery = house.start(&remotes, |_| {});
    house.ann_writes("team@us.example", "hello").await;
    let is_member = |row: &QueueEntry| row.recipient.address.domain.as_str() == "e.example";
    let rows = house.wait(|rows| rows.len() >= 250 && rows.iter().all(is_member)).await;
    delivery.stop().await;
    let mut all: Vec<String> = rows.iter().map(|row| row.recipient.address.to_string()).collect();
    all.sort();
    all.dedup();
    assert_eq!((rows.len(), all.len(), house.inbox(house.ann).await.len()), (250, 250, 1));
}

#[tokio::test]
async fn who_may_not_post_is_told_only_where_they_are_known() {
    let house = House::open().await;
    house.team(ListTerms { posters: Posters::Owners, ..ListTerms::default() }).await;
    let carl = house.add("carl@d.example").await;
    let delivery = house.start(&silent(), |_| {});
    let raw = "From: carl@d.example\r\n\r\nhi\r\n";
    house.queue_message(("carl@d.example", Some(carl)), &["team@us.example"], None, raw).await;
    house.wait(<[_]>::is_empty).await;
    assert!(house.inbox(carl).await.iter().any(|notice| notice.contains("Status: 5.7.2")), "one of ours is told");
    house.queue_message(("carl@d.example", None), &["team@us.example"], None, raw).await;
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    assert_eq!(
        (house.inbox(carl).await.len(), house.inbox(house.ann).await.len()),
        (1, 0),
        "a stranger may be anybody"
    );
}

#[tokio::test]
async fn an_owner_lets_a_post_out_by_mail() {
    let house = House::open().await;
    let list = house.team(ListTerms { posters: Posters::Moderated, ..ListTerms::default() }).await;
    let delivery = house.start(&silent(), |_| {});
    let raw = "From: Carl <carl@e.example>\r\nSubject: May I?\r\n\r\nplease\r\n";
    house.queue_message(("carl@e.example", None), &["team@us.example"], None, raw).await;
    let asked = house.told(1).await.remove(0);
    assert!(asked.contains("carl@e.example") && asked.contains("please"), "{asked}");
    assert_eq!(house.store.held_list_posts(list.key, &Page::first()).await.unwrap().rows.len(), 1);
    let approve = asked.lines().map(str::trim).find(|line| line.starts_with("team-approve+")).unwrap().to_owned();
    // A mark for one thing is none for another.
    house.ann_writes(&approve.replace("approve", "reject"), "no").await;
    house.wait(<[_]>::is_empty).await;
    assert_eq!(house.store.held_list_posts(list.key, &Page::first()).await.unwrap().rows.len(), 1);
    house.ann_writes(&approve, "yes").await;
    let copies = house.told(2).await;
    assert!(copies.iter().any(|copy| copy.contains("List-Id:") && copy.contains("Subject: May I?")), "{copies:?}");
    assert!(house.store.held_list_posts(list.key, &Page::first()).await.unwrap().rows.is_empty());
    house.wait(|rows| rows.len() == 1).await;
    house.ann_writes(&approve, "again").await;
    house.wait(|rows| rows.len() == 1).await;
    delivery.stop().await;
    assert_eq!(house.inbox(house.ann).await.len(), 2, "who decides late changes nothing");
}

#[tokio::test]
async fn one_joins_and_leaves_by_mail_once_it_is_confirmed() {
    let house = House::open().await;
    let list = house.team(ListTerms { is_open: true, ..ListTerms::default() }).await;
    house.store.remove_list_member(list.key, &address("ann@us.example"), &Author::house()).await.unwrap();
    let delivery = house.start(&silent(), |_| {});
    house.ann_writes("team-subscribe@us.example", "whatever").await;
    let asked = house.told(1).await.remove(0);
    let is_member = || async { house.store.list_member(list.key, &address("ann@us.example")).await.unwrap().is_some() };
    assert!(!is_member().await);
    let confirm = value(&asked, "Reply-To: ").trim_matches(['<', '>']).to_owned();
    // Who has only the mark, but not the address, confirms nothing.
    let raw = "From: eve@e.example\r\n\r\nyes\r\n";
    house.queue_message(("eve@e.example", None), &[&confirm], None, raw).await;
    house.wait(<[_]>::is_empty).await;
    house.ann_writes(&confirm, "Re: Please confirm").await;
    house.told(2).await;
    assert!(is_member().await);
    house.ann_writes("team-request@us.example", "unsubscribe").await;
    let asked = house.told(3).await.pop().unwrap();
    let confirm = value(&asked, "Reply-To: ").trim_matches(['<', '>']).to_owned();
    house.ann_writes(&confirm, "Re: Please confirm").await;
    house.told(4).await;
    assert!(!is_member().await);
    // Programs, and strangers whom nobody answers for, get no letters.
    let vacation = "From: ann@us.example\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n";
    house.queue_message(("ann@us.example", Some(house.ann)), &["team-subscribe@us.example"], None, vacation).await;
    house
        .queue_message(
            ("ann@us.example", None),
            &["team-subscribe@us.example"],
            None,
            "From: ann@us.example\r\n\r\nx\r\n",
        )
        .await;
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    assert_eq!(house.inbox(house.ann).await.len(), 4);
}

/// Whom those who look after a list invite is asked by the list, and joins though it isn't open. A wish of one's own doesn't open it.
#[tokio::test]
async fn who_is_invited_joins_a_list_that_is_closed() {
    let house = House::open().await;
    let list = house.team(ListTerms::default()).await;
    let ann = address("ann@us.example");
    house.store.leave_list(list.key, &ann, &Author::house()).await.unwrap();
    let tokens = Tokens::new(&house.store.secret("lists").await.unwrap());
    let now = relais_model::Clock::now(&*house.clock);
    let delivery = house.start(&silent(), |_| {});
    for (wish, letters) in [(Wish::Join, 0), (Wish::Invited, 1)] {
        let to = format!("team-subscribe+{}@us.example", tokens.wish(list.key, &ann, wish, now));
        house.queue_message(("", None), &[&to], None, "From: <ann@us.example>\r\n\r\n").await;
        house.wait(<[_]>::is_empty).await;
        assert_eq!(house.inbox(house.ann).await.len(), letters, "{to}");
    }
    let asked = house.told(1).await.remove(0);
    assert!(asked.contains("team-owner@us.example"), "it says who asks: {asked}");
    let is_member = || async { house.store.list_member(list.key, &ann).await.unwrap().is_some() };
    assert!(!is_member().await, "nobody is on it before they say so");
    house.ann_writes(value(&asked, "Reply-To: ").trim_matches(['<', '>']), "Re: Please confirm").await;
    house.told(2).await;
    delivery.stop().await;
    assert!(is_member().await);
}

#[tokio::test]
async fn who_cannot_be_reached_for_days_is_written_to_no_more_and_the_owner_is_told() {
    let house = House::open().await;
    let list = house.team(ListTerms::default()).await;
    let delivery = house.start(&silent(), |_| {});
    let bob = house.store.list_member(list.key, &address("bob@d.example")).await.unwrap().unwrap();
    let tokens = Tokens::new(&house.store.secret("lists").await.unwrap());
    let back = tokens.bounces(&list.address, bob.key).to_string();
    let bob = || async { house.store.list_member(list.key, &address("bob@d.example")).await.unwrap().unwrap() };
    let failed = "Content-Type: multipart/report; boundary=x\r\n\r\nAction: failed\r\n";
    for day in 0..BOUNCE_DAYS {
        assert!(bob().await.stopped_at.is_none(), "{day}");
        for text in [failed, failed, "Action: delayed\r\n"] {
            house.queue_message(("", None), &[&back], None, text).await;
            house.wait(<[_]>::is_empty).await;
        }
        // From somebody, it is no bounce.
        house.queue_message(("eve@e.example", None), &[&back], None, failed).await;
        house.wait(<[_]>::is_empty).await;
        house.clock.advance(Duration::from_hours(24));
    }
    assert!(bob().await.stopped_at.is_some());
    let told = house.told(1).await;
    assert!(told.iter().any(|letter| letter.contains("bob@d.example") && letter.contains("come back")), "{told:?}");
    house.ann_writes("team@us.example", "again").await;
    house.told(2).await;
    assert!(house.list().await.is_empty(), "Bob gets nothing any more");
    delivery.stop().await;
}
