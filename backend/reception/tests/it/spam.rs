//! Whether anybody wants it: the filter, what people teach it, their rules, lists, and who is asked to come again.

use std::sync::Arc;
use std::time::Duration;

use relais_model::{Address, Flag, MailboxName, ReversePath, SystemFlag, UidSet};
use relais_msgauth::testing::Zone;
use relais_reception::{Trial, Tried, Tutor};
use relais_store::{
    Author, FlagChange, FlagOp, JudgedAs, Judgement, NewSenderRule, Page, QueueFilter, READ_AFTER, RuleScope,
    TraceFilter,
};

use crate::desk::{Desk, by_ann, from_outside};
use crate::house::address;

const BEN: &[&str] = &["ben@example.org"];
const BOTH: &[&str] = &["ann@example.org", "ben@example.org"];

/// What everybody got in 2002, and nobody wanted.
pub(crate) const JUNK: &str = "From: \"Cheap Meds\" <offer8812@shop.example>\r\nTo: undisclosed-recipients:;\r\nSubject: VIAGRA $$$ 100% FREE!!!\r\n\
    Content-Type: text/html\r\n\r\n<html><body bgcolor=red><font size=7 color=yellow>CLICK HERE NOW!!!</font> Buy VIAGRA online, no prescription \
    needed. Save up to 80%! Limited time offer, act now, money back guarantee. Earn $$$ working from home. \
    <a href=\"http://192.0.2.99/unsubscribe?id=1\">Click here to be removed from our mailing list</a></body></html>\r\n";

/// So many issues of a newsletter are enough to know what is wanted of it.
const ISSUES: u32 = 6;

/// What a colleague writes.
pub(crate) const GOOD: &str = "From: Dora <dora@shop.example>\r\nTo: ben@example.org\r\nSubject: Re: patch for the parser\r\n\
    In-Reply-To: <1@example.org>\r\nReferences: <1@example.org>\r\nContent-Type: text/plain\r\n\r\nOn Tuesday Ben wrote:\r\n> does it build?\r\n\r\n\
    Yes, it builds here with the change you posted. I wonder whether the test in the last commit is right, though.\r\n\r\nDora\r\n";

fn zone() -> Zone {
    let mut zone = Zone::new()
        .with_txt("shop.example", "v=spf1 ip4:192.0.2.1 -all")
        .with_txt("_dmarc.shop.example", "v=DMARC1; p=reject")
        .with_txt("forged.example", "v=spf1 -all");
    zone.add_address("1.2.0.192.lists.example", "127.0.0.2".parse().unwrap());
    zone.add_address("trap.example.domains.example", "127.0.1.2".parse().unwrap());
    zone.with_txt("1.2.0.192.lists.example", "Sent junk on Monday")
}

pub(crate) async fn desk(greylisting: bool) -> Desk {
    let Desk { house, reception } = Desk::open().await;
    let greylisting = if greylisting { "true" } else { "false" };
    house.store.change_setting(&Author::house(), "junk.greylisting", Some(greylisting)).await.unwrap();
    Desk { house, reception: reception.with_resolver(Arc::new(zone())) }
}

async fn get(desk: &Desk, message: &str) -> Vec<String> {
    desk.send(&from_outside("x@shop.example", BEN), message).await
}

async fn count(desk: &Desk, mailbox: &str) -> usize {
    desk.mail("ben@example.org", mailbox).await.len()
}

/// Moves all messages of one of Ben's mailboxes to another, and lets the tutor learn.
async fn teach(desk: &Desk, from: &str, to: &str) {
    let store = &desk.house.store;
    let ben = store.account(&address("ben@example.org")).await.unwrap().unwrap().key;
    let status = async |name| store.mailbox(ben, &MailboxName::parse(name).unwrap()).await.unwrap().unwrap();
    let (source, target) = (status(from).await, status(to).await);
    let last = source.uid_next - 1;
    let mut uids = UidSet::new();
    uids.insert_run(1, last);
    store.move_messages(source.mailbox.key, uids, target.mailbox.key).await.unwrap();
    Tutor::new(store.clone(), Arc::clone(desk.reception.filter())).learn_all().await.unwrap();
}

async fn rule(desk: &Desk, scope: RuleScope, sender: &str, is_allowed: bool) {
    let new = NewSenderRule { scope, sender: sender.to_owned(), is_allowed };
    desk.house.store.set_sender_rule(&Author::house(), new).await.unwrap();
}

#[tokio::test]
async fn junk_goes_into_junk_and_the_trace_says_why() {
    let desk = desk(false).await;
    assert_eq!(get(&desk, GOOD).await, ["250 2.0.0"]);
    assert_eq!(get(&desk, JUNK).await, ["250 2.0.0"]);
    assert_eq!((count(&desk, "INBOX").await, count(&desk, "Junk").await), (1, 1));
    let event = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows.remove(0);
    let judgement = desk.house.store.judgement(&event.trace).await.unwrap().unwrap();
    assert_eq!(judgement.judged_as, JudgedAs::Junk);
    let decides = judgement.findings.iter().find(|finding| finding.decides).unwrap();
    assert_eq!(decides.said.id, "spam-above-bar");
    assert!(judgement.findings.iter().any(|finding| finding.said.id == "spam-words-junk"), "{judgement:?}");
    assert!(judgement.score.unwrap() > 3.8);
    desk.house.store.change_setting(&Author::house(), "junk.filter", Some("false")).await.unwrap();
    assert_eq!(get(&desk, JUNK).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, "INBOX").await, 2, "the filter is off");
}

/// One message goes to several: each gets it where their own filter wants it.
#[tokio::test]
async fn each_person_has_their_own_filter() {
    let desk = desk(false).await;
    let newsletter = |issue: u32| {
        format!(
            "From: Chess News <news@shop.example>\r\nTo: readers@shop.example\r\nSubject: Chess News, issue {issue}\r\n\
             List-Id: <chess.shop.example>\r\n\r\nDear chess friends, issue {issue} brings openings, endgames and puzzles.\r\n"
        )
    };
    for issue in 0..ISSUES {
        assert_eq!(get(&desk, &newsletter(issue)).await, ["250 2.0.0"]);
        if count(&desk, "INBOX").await > 0 {
            teach(&desk, "INBOX", "Junk").await;
        }
    }
    assert_eq!(desk.send(&from_outside("x@shop.example", BOTH), &newsletter(ISSUES)).await, ["250 2.0.0"; 2]);
    assert_eq!(count(&desk, "INBOX").await, 0, "Ben has said that it is junk to him");
    assert_eq!(desk.inbox("ann@example.org").await.len(), 1, "Ann hasn't");
    // What was learnt is taken back with the move.
    teach(&desk, "Junk", "INBOX").await;
    assert_eq!(get(&desk, &newsletter(ISSUES + 1)).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, "INBOX").await, usize::try_from(ISSUES).unwrap() + 2);
}

#[tokio::test]
async fn a_rule_goes_before_the_filter_unless_the_name_is_forged() {
    let desk = desk(false).await;
    let ben = desk.house.store.account(&address("ben@example.org")).await.unwrap().unwrap();
    rule(&desk, RuleScope::Account(ben.key), "shop.example", true).await;
    assert_eq!(get(&desk, JUNK).await, ["250 2.0.0"]);
    assert_eq!((count(&desk, "INBOX").await, count(&desk, "Junk").await), (1, 0), "allowed");
    rule(&desk, RuleScope::Account(ben.key), "forged.example", true).await;
    let forged = JUNK.replace("shop.example", "forged.example");
    assert_eq!(desk.send(&from_outside("x@forged.example", BEN), &forged).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, "Junk").await, 1, "allowed, but forged");
    rule(&desk, RuleScope::Account(ben.key), "dora@shop.example", false).await;
    assert_eq!(get(&desk, GOOD).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, "Junk").await, 2, "whom one person blocks goes into their Junk");
    rule(&desk, RuleScope::Domain(ben.domain), "other.example", false).await;
    let other = GOOD.replace("shop.example", "other.example");
    assert_eq!(get(&desk, &other).await, ["550 5.7.1"], "whom a domain blocks is refused");
}

/// Whom a person has written to is let in; that they answered is known by proof only.
#[tokio::test]
async fn an_answer_to_our_mail_is_no_stranger() {
    let desk = desk(false).await;
    let ours = "From: ann@example.org\r\nSubject: hello\r\n\r\nHello.\r\n";
    assert_eq!(desk.send(&by_ann("ann@example.org", &["offer8812@shop.example"]), ours).await, ["250 2.0.0"]);
    let found = desk.send(&from_outside("x@shop.example", &["ann@example.org"]), JUNK).await;
    assert_eq!(found, ["250 2.0.0"]);
    let trace = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows.remove(0).trace;
    let judgement = desk.house.store.judgement(&trace).await.unwrap().unwrap();
    assert!(judgement.findings.iter().any(|finding| finding.said.id == "spam-known-address"), "{judgement:?}");
}

#[tokio::test]
async fn a_list_speaks_against_a_host() {
    let desk = desk(false).await;
    desk.house.store.change_setting(&Author::house(), "junk.blocklists", Some("lists.example")).await.unwrap();
    get(&desk, GOOD).await;
    let trace = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows.remove(0).trace;
    let judgement = desk.house.store.judgement(&trace).await.unwrap().unwrap();
    assert!(judgement.findings.iter().any(|finding| finding.said.id == "spam-listed" && finding.points > 0.0));
}

/// RFC 6647: only strangers with bad signs, once, and not while somebody waits for a code.
#[tokio::test]
async fn a_doubtful_stranger_is_asked_to_come_again() {
    let desk = desk(true).await;
    let doubtful = GOOD.replace("shop.example", "forged.example");
    let send = async || desk.send(&from_outside("x@forged.example", BEN), &doubtful).await;
    assert_eq!(get(&desk, GOOD).await, ["250 2.0.0"], "proven: no bad sign counts");
    assert_eq!(send().await, ["451 4.7.1"]);
    desk.house.clock.advance(Duration::from_mins(1));
    assert_eq!(send().await, ["451 4.7.1"], "too early");
    desk.house.clock.advance(Duration::from_mins(1));
    assert_eq!(send().await, ["250 2.0.0"]);
    assert_eq!(send().await, ["250 2.0.0"], "known from now on");
    let ben = desk.house.store.account(&address("ben@example.org")).await.unwrap().unwrap().key;
    let code = doubtful.replace("dora@", "codes@");
    let until = desk.house.store.now().plus(Duration::from_mins(15));
    desk.house.store.await_code(ben, Some(until)).await.unwrap();
    assert_eq!(desk.send(&from_outside("x@forged.example", BEN), &code).await, ["250 2.0.0"], "Ben waits for a code");
}

async fn set(desk: &Desk, name: &str, value: &str) {
    desk.house.store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
}

/// What was found of the last message.
async fn last_judgement(desk: &Desk) -> Judgement {
    let event = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows.remove(0);
    desk.house.store.judgement(&event.trace).await.unwrap().unwrap()
}

fn points(judgement: &Judgement, id: &str) -> Option<f32> {
    judgement.findings.iter().find(|finding| finding.said.id == id).map(|finding| finding.points)
}

#[tokio::test]
async fn a_list_that_the_owner_trusts_refuses_at_rcpt_and_postmaster_is_reached() {
    let desk = desk(false).await;
    let from_listed = |to: &'static [&'static str]| from_outside("x@shop.example", to);
    set(&desk, "junk.blocklists", "lists.example").await;
    assert_eq!(
        desk.send(&from_listed(BEN), GOOD).await,
        ["250 2.0.0"],
        "a list only speaks, unless the owner wants more"
    );
    set(&desk, "junk.refusing_blocklists", "lists.example").await;
    let reply = desk.begin(&from_listed(BEN), GOOD).await.unwrap_err();
    assert_eq!(
        reply.to_string().trim_end(),
        "550 5.7.1 The blocklist lists.example names 192.0.2.1 (Sent junk on Monday); if it is wrong, ask there, or write to postmaster@mx.example.org"
    );
    desk.house.add_account("postmaster@example.org", "").await;
    assert_eq!(desk.send(&from_listed(&["postmaster@example.org"]), GOOD).await, ["250 2.0.0"]);
    set(&desk, "networks.trusted", "192.0.2.0/24").await;
    assert_eq!(desk.send(&from_listed(BEN), GOOD).await, ["250 2.0.0"]);
    assert!(desk.reception.porter().bans().is_empty());
}

#[tokio::test]
async fn a_list_speaks_against_where_links_lead() {
    let desk = desk(false).await;
    set(&desk, "junk.domain_blocklists", "domains.example").await;
    let linked = GOOD.replace("Yes, it", "See https://www.trap.example/x and https://example.org/. Yes, it");
    get(&desk, &linked).await;
    let judgement = last_judgement(&desk).await;
    assert_eq!(points(&judgement, "spam-link-listed"), Some(3.0), "{judgement:?}");
    get(&desk, GOOD).await;
    assert_eq!(points(&last_judgement(&desk).await, "spam-link-listed"), None);
}

/// Read and kept for a day: the author counts after one message, their domain and network after several; called junk, no more.
#[tokio::test]
async fn what_is_read_and_kept_speaks_for_who_sent_it() {
    let desk = desk(false).await;
    let store = &desk.house.store;
    let tutor = || Tutor::new(store.clone(), Arc::clone(desk.reception.filter()));
    let read = async |uid| {
        let ben = store.account(&address("ben@example.org")).await.unwrap().unwrap().key;
        let inbox = store.mailbox(ben, &MailboxName::parse("INBOX").unwrap()).await.unwrap().unwrap().mailbox.key;
        let mut uids = UidSet::new();
        uids.insert_run(uid, uid);
        let seen = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Seen)] };
        store.store_flags(inbox, uids, seen, None).await.unwrap();
    };
    get(&desk, GOOD).await;
    read(1).await;
    tutor().learn_all().await.unwrap();
    get(&desk, GOOD).await;
    assert_eq!(points(&last_judgement(&desk).await, "spam-read-author"), None, "not yet: it may still be thrown away");
    desk.house.clock.advance(READ_AFTER);
    tutor().learn_all().await.unwrap();
    get(&desk, GOOD).await;
    let judgement = last_judgement(&desk).await;
    assert!(points(&judgement, "spam-read-author").unwrap() < 0.0, "{judgement:?}");
    assert_eq!(points(&judgement, "spam-read-network"), None, "one message says little of a network");
    read(2).await;
    read(3).await;
    desk.house.clock.advance(READ_AFTER);
    tutor().learn_all().await.unwrap();
    get(&desk, GOOD).await;
    assert!(points(&last_judgement(&desk).await, "spam-read-network").unwrap() < 0.0);
    let forged = GOOD.replace("shop.example", "forged.example");
    desk.send(&from_outside("x@forged.example", BEN), &forged).await;
    let judgement = last_judgement(&desk).await;
    assert_eq!((points(&judgement, "spam-read-author"), points(&judgement, "spam-read-network")), (None, None));
    teach(&desk, "INBOX", "Junk").await;
    get(&desk, GOOD).await;
    assert_eq!(points(&last_judgement(&desk).await, "spam-read-author"), None, "all of it is junk, Ben says now");
}

async fn alias(desk: &Desk, name: &str, targets: &[&str]) {
    let targets: Vec<Address> = targets.iter().map(|target| address(target)).collect();
    desk.house.store.add_alias(&address(name), targets, &Author::house()).await.unwrap();
}

/// Whom the queue has something for.
async fn queued(desk: &Desk) -> Vec<String> {
    let rows = desk.house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows;
    rows.iter().map(|row| row.recipient.address.to_string()).collect()
}

/// Whoever has a mailbox here finds junk there, and nowhere else; whoever has none gets what isn't surely junk.
#[tokio::test]
async fn junk_is_not_sent_on_to_other_hosts() {
    let desk = desk(false).await;
    alias(&desk, "both@example.org", &["ben@example.org", "ben@else.example"]).await;
    let send = async |to: &'static [&'static str], message: &str| {
        desk.send(&from_outside("x@shop.example", to), message).await
    };
    assert_eq!(send(&["both@example.org"], GOOD).await, ["250 2.0.0"]);
    assert_eq!(queued(&desk).await, ["ben@else.example"]);
    assert_eq!(send(&["both@example.org"], JUNK).await, ["250 2.0.0"]);
    assert_eq!((queued(&desk).await.len(), count(&desk, "Junk").await), (1, 1), "it stays here");
    assert_eq!(send(&["away@example.org"], GOOD).await, ["250 2.0.0"]);
    assert_eq!(queued(&desk).await, ["ben@else.example", "somebody@elsewhere.example"]);
    assert_eq!(send(&["away@example.org"], JUNK).await, ["550 5.7.1"], "there is no Junk here to put it into");
    let judgement = last_judgement(&desk).await;
    assert_eq!(judgement.judged_as, JudgedAs::Refused);
    assert!(judgement.findings.iter().any(|finding| finding.said.id == "spam-not-sent-on" && finding.decides));
    assert_eq!(send(&["ben@example.org", "away@example.org"], JUNK).await, ["250 2.0.0"; 1]);
    assert_eq!((queued(&desk).await.len(), count(&desk, "Junk").await), (2, 2), "Ben has it, in Junk");
    let judgement = last_judgement(&desk).await;
    assert!(judgement.findings.iter().any(|finding| finding.said.id == "spam-not-sent-on" && !finding.decides));
}

/// Above the bar it is refused in the session, with whom to ask, where the owner wants that; and only where nobody here wants it.
#[tokio::test]
async fn what_is_surely_junk_is_refused_where_the_owner_wants_that() {
    let desk = desk(false).await;
    let to = |to: &'static [&'static str]| from_outside("x@shop.example", to);
    assert_eq!(get(&desk, JUNK).await, ["250 2.0.0"], "it goes into Junk, unless the owner wants more");
    set(&desk, "junk.refuses", "true").await;
    assert_eq!(
        desk.said(&to(BEN), JUNK).await,
        "550 5.7.1 This looks like junk, and nobody here wants it; if it is not, write to postmaster@mx.example.org"
    );
    let judgement = last_judgement(&desk).await;
    assert_eq!(judgement.judged_as, JudgedAs::Refused);
    assert!(judgement.score.unwrap() >= 15.0, "{judgement:?}");
    assert!(judgement.findings.iter().any(|finding| finding.said.id == "spam-above-bar" && finding.decides));
    set(&desk, "house.contact", "help@house.example").await;
    let said = desk.said(&to(BOTH), JUNK).await;
    assert!(said.starts_with("550 5.7.1 ") && said.ends_with("; if it is not, write to help@house.example"), "{said}");
    assert_eq!((count(&desk, "INBOX").await, count(&desk, "Junk").await), (0, 1), "what is refused is nowhere here");
    assert_eq!(get(&desk, GOOD).await, ["250 2.0.0"]);
    // Ben lets them in: then it is taken, and Ann finds hers in Junk.
    let ben = desk.house.store.account(&address("ben@example.org")).await.unwrap().unwrap();
    rule(&desk, RuleScope::Account(ben.key), "shop.example", true).await;
    assert_eq!(desk.send(&to(BOTH), JUNK).await, ["250 2.0.0"; 2]);
    assert_eq!((count(&desk, "INBOX").await, count(&desk, "Junk").await), (2, 1));
    assert_eq!(desk.mail("ann@example.org", "Junk").await.len(), 1);
}

async fn try_out(desk: &Desk, from: &str, to: &str, message: &str) -> Tried {
    let trial = Trial {
        peer: "192.0.2.1".parse().unwrap(),
        hello: "client.example".to_owned(),
        reverse_path: ReversePath::Address(address(from)),
        recipient: address(to),
        message: message.as_bytes().to_vec(),
    };
    desk.reception.try_out(trial).await
}

/// What a trial says is what happens then; and nothing stays of it.
#[tokio::test]
async fn a_trial_says_what_would_happen_and_leaves_nothing() {
    let desk = desk(true).await;
    let ben = "ben@example.org";
    let doubtful = GOOD.replace("shop.example", "forged.example");
    for (from, message, expected, in_junk) in [
        ("x@shop.example", GOOD, JudgedAs::Taken, 0),
        ("x@shop.example", JUNK, JudgedAs::Junk, 1),
        ("x@forged.example", &doubtful, JudgedAs::PutOff, 0),
    ] {
        let tried = try_out(&desk, from, ben, message).await;
        assert_eq!((tried.judgement.judged_as, tried.copies, tried.in_junk), (expected, 1, in_junk), "{tried:?}");
        assert_eq!(tried.reply.is_some(), expected == JudgedAs::PutOff);
        assert!(!tried.is_unseen && tried.judgement.findings.iter().any(|finding| finding.part == "spf"), "{tried:?}");
    }
    let store = &desk.house.store;
    assert_eq!(store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows, []);
    assert_eq!((count(&desk, "INBOX").await, count(&desk, "Junk").await), (0, 0));
    // Who was only on trial is still to come for the first time.
    desk.house.clock.advance(Duration::from_mins(3));
    let again = desk.send(&from_outside("x@forged.example", BEN), &doubtful).await;
    assert_eq!(again, ["451 4.7.1"]);
    desk.house.clock.advance(Duration::from_mins(3));
    assert_eq!(try_out(&desk, "x@forged.example", ben, &doubtful).await.judgement.judged_as, JudgedAs::Taken);
    // A rule of one's own is said as the real judge says it.
    let account = store.account(&address(ben)).await.unwrap().unwrap();
    rule(&desk, RuleScope::Account(account.key), "shop.example", true).await;
    let tried = try_out(&desk, "x@shop.example", ben, JUNK).await;
    assert_eq!(tried.judgement.judged_as, JudgedAs::Taken);
    assert!(tried.judgement.findings.iter().any(|one| one.decides && one.said.id == "spam-allowed"), "{tried:?}");
    // An address that takes nothing, a message that goes round, an alias to two.
    let tried = try_out(&desk, "x@shop.example", "nobody@example.org", GOOD).await;
    assert_eq!(tried.judgement.findings[0].said.id, "refused-recipient");
    assert!(tried.reply.unwrap().to_string().starts_with("550 5.1.1"));
    let round = format!("{}{GOOD}", "Received: from x by y; Mon, 23 Nov 2026 10:00:00 +0000\r\n".repeat(101));
    assert_eq!(try_out(&desk, "x@shop.example", ben, &round).await.judgement.findings[0].said.id, "refused-circles");
    let tried = try_out(&desk, "x@shop.example", "team@example.org", JUNK).await;
    assert_eq!((tried.copies, tried.in_junk, tried.judgement.judged_as), (2, 1, JudgedAs::Taken), "Ben lets them in");
}
