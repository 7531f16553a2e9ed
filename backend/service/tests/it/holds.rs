//! Holds as the warden judges and tells them, and complaints from the report to the hold.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use relais_model::{Address, BodyType, ReversePath};
use relais_msgauth::testing::Zone;
use relais_reception::Tally;
use relais_service::{Clerk, HoldNotice, Paging, Role, SuppressedWanted, Warden};
use relais_store::{
    Acceptance, Author, Claim, Content, Delivery, HoldReason, NewQueued, NewRecipient, Outcome, Page, QueueFilter,
    Settlement, Submission, Target, TraceId,
};
use relais_testkit::SeededRandom;

use crate::house::{House, address, domain};

type Told = Arc<Mutex<Vec<(String, bool, String)>>>;

fn warden(house: &House) -> (Warden, Told) {
    let told = Told::default();
    let heard = Arc::clone(&told);
    let letter = move |notice: &HoldNotice, to: &Address| {
        heard.lock().unwrap().push((to.to_string(), notice.is_own, notice.says.id.to_string()));
        format!("Subject: held\r\nTo: <{to}>\r\n\r\n{}\r\n", notice.address).into_bytes()
    };
    (Warden::new(house.store.clone(), Arc::new(letter), Arc::new(SeededRandom::new(9))), told)
}

/// The user's message number so and so, to one person elsewhere.
async fn send(house: &House, number: u64) -> TraceId {
    let account = house.store.account(&address("user@one.example")).await.unwrap().unwrap().key;
    let trace = TraceId::make(house.store.now(), &SeededRandom::new(number));
    let to = address(&format!("n{number}@else.example"));
    let outbound = NewQueued {
        reverse_path: ReversePath::Address(address("user@one.example")),
        ret: None,
        envelope_id: None,
        body_type: BodyType::EightBitMime,
        smtputf8: false,
        require_tls: false,
        submitter: Some(account),
        recipients: vec![NewRecipient { address: to, notify: None, original: None }],
        expires_at: house.store.now().plus(Duration::from_hours(120)),
    };
    let acceptance = Acceptance {
        content: Content::prepare(format!("Subject: {number}\r\n\r\nx\r\n").into_bytes()),
        reverse_path: outbound.reverse_path.clone(),
        deliveries: Vec::new(),
        outbound: Some(outbound),
        trace: trace.clone(),
        from_peer: String::new(),
        judgement: None,
        submission: Some(Submission { account, recipients: 1, new_recipients: 1 }),
    };
    house.store.accept(acceptance).await.unwrap();
    trace
}

async fn settle(house: &House, outcome: &Outcome) {
    let claim = Claim { limit: 1000, per_destination: 1000, lease: Duration::from_hours(1), busy: Vec::new() };
    let claimed = house.store.queue_claim(claim).await.unwrap();
    let recipients = claimed.iter().flat_map(|message| &message.recipients);
    let settlements =
        recipients.map(|recipient| Settlement { recipient: recipient.key, outcome: outcome.clone() }).collect();
    house.store.queue_settle(settlements, Vec::new()).await.unwrap();
}

#[tokio::test]
async fn who_writes_to_nobody_is_held_and_all_are_told_once() {
    let house = House::open().await;
    let (warden, told) = warden(&house);
    for number in 0..30 {
        send(&house, number).await;
    }
    let (reply, remote) = ("550 5.1.1 No such user".to_owned(), "mx.else.example".to_owned());
    warden.look().await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 0);
    settle(&house, &Outcome::Failed { reply, remote, is_unknown: true }).await;
    warden.look().await.unwrap();
    warden.look().await.unwrap();
    let said = told.lock().unwrap().clone();
    let because = "hold-because-unknown".to_owned();
    assert_eq!(said[0], ("user@one.example".to_owned(), true, because.clone()));
    assert!(said[1..].iter().all(|(_, is_own, why)| !is_own && *why == because), "{said:?}");
    let owners = said[1..].iter().map(|(to, ..)| to.as_str()).collect::<Vec<_>>();
    assert_eq!(owners, ["owner@one.example"]);

    let desk = house.actor(Role::HelpDesk, true).await;
    let holds = house.service.holds(&desk, &Paging { after: None, limit: 10 }).await.unwrap();
    assert_eq!((holds.rows.len(), holds.rows[0].reason), (1, "unknown"));
    let overview = house.service.overview(&desk).await.unwrap();
    assert!(overview.reasons.iter().any(|reason| reason.subject == "holds"));
    let sending = house.service.person_sending(&desk, "user@one.example").await.unwrap();
    assert_eq!((sending.unknown_recipients, sending.held_since.is_some()), (30, true));
    assert_eq!(
        (sending.limits[0].limit, sending.limits[0].used, sending.limits[0].most),
        ("messages_per_hour", 30, None)
    );

    // Nobody releases their own but an owner; whoever releases has seen it.
    let admin = house.actor(Role::DomainAdmin, true).await;
    assert_eq!(house.service.release_hold(&admin, "user@one.example").await.unwrap(), 0);
    warden.look().await.unwrap();
    assert!(house.service.hold(&desk, "user@one.example").await.is_err(), "that was seen, and released");
}

/// From the report in the postmaster's mailbox to the hold.
#[tokio::test]
async fn complaints_are_tied_to_who_sent_and_hold_their_mail() {
    let house = House::open().await;
    let (warden, _told) = warden(&house);
    let random = Arc::new(SeededRandom::new(5));
    let resolver = Arc::new(Zone::new());
    let clerk = Clerk::new(
        house.store.clone(),
        domain("mx.one.example"),
        Arc::<Tally>::default(),
        resolver,
        Arc::new(crate::reports::Posts::default()),
        random,
    )
    .unwrap();
    house.store.change_setting(&Author::house(), "holds.complaints", Some("2")).await.unwrap();
    let postmaster = house.store.account(&address("owner@one.example")).await.unwrap().unwrap().key;
    let report = async |trace: &str| {
        let raw = format!(
            "Subject: complaint\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n\
             Feedback-Type: abuse\r\nUser-Agent: Loop/1\r\nVersion: 1\r\nReported-Domain: one.example\r\n--b\r\n\
             Content-Type: text/rfc822-headers\r\n\r\n\
             Received: from c.example by mx.one.example with ESMTPSA id {trace}; Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n--b--\r\n"
        );
        let delivery = Delivery {
            account: postmaster,
            mailbox: Target::Inbox,
            flags: Vec::new(),
            internal_date: None,
            recipient: address("abuse@one.example"),
        };
        let acceptance = Acceptance {
            content: Content::prepare(raw.into_bytes()),
            reverse_path: ReversePath::Null,
            deliveries: vec![delivery],
            outbound: None,
            trace: TraceId::make(house.store.now(), &SeededRandom::new(999)),
            from_peer: String::new(),
            judgement: None,
            submission: None,
        };
        house.store.accept(acceptance).await.unwrap();
        assert_eq!(clerk.read_mail().await.unwrap(), 1);
        warden.look().await.unwrap();
        let user = house.store.account(&address("user@one.example")).await.unwrap().unwrap().key;
        house.store.standing_hold(user).await.unwrap().map(|hold| hold.reason)
    };
    let (one, two) = (send(&house, 1).await, send(&house, 2).await);
    assert_eq!(report(one.as_str()).await, None);
    assert_eq!(report(one.as_str()).await, None, "the same message once more");
    assert_eq!(report("0000000000000").await, None, "nobody here sent that");
    assert_eq!(report(two.as_str()).await, Some(HoldReason::Complaints));
    let admin = house.actor(Role::DomainAdmin, true).await;
    let reports = house.service.reports(&admin, "one.example").await.unwrap();
    let complained: Vec<_> = reports.complained.iter().map(|it| (it.address.as_str(), it.complaints)).collect();
    assert_eq!(complained, [("user@one.example", 2)]);
    assert_eq!(reports.incidents[0].incidents, 4, "the domain's number counts what came");
    let sending = house.service.person_sending(&admin, "user@one.example").await.unwrap();
    assert_eq!(sending.complaints[0].complaints, 2);
    assert_eq!(house.service.drop_hold(&admin, "user@one.example").await.unwrap(), 2);
    assert_eq!(house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows.len(), 0);
}

#[tokio::test]
async fn an_owner_lifts_what_is_suppressed() {
    let house = House::open().await;
    let (reply, remote) = ("550 5.1.1 No such user".to_owned(), "mx.else.example".to_owned());
    for _ in 0..2 {
        send(&house, 7).await;
        let outcome = Outcome::Failed { reply: reply.clone(), remote: remote.clone(), is_unknown: true };
        settle(&house, &outcome).await;
        house.clock.advance(Duration::from_hours(2));
    }
    let owner = house.actor(Role::Owner, true).await;
    let wanted = SuppressedWanted { search: Some("N7@".to_owned()), ..SuppressedWanted::default() };
    let found = house.service.suppressed(&owner, &wanted).await.unwrap().rows;
    assert_eq!((found.len(), found[0].address.as_str(), found[0].refusals), (1, "n7@else.example", 2));
    house.service.remove_suppressed(&owner, "n7@else.example").await.unwrap();
    assert!(house.service.remove_suppressed(&owner, "n7@else.example").await.is_err());
}
