//! "Test this message": who may, how it came, and that nothing of it stays.

use std::sync::Arc;

use relais_msgauth::testing::Zone;
use relais_reception::{Disk, Reception, ReceptionConfig};
use relais_service::{Failure, JudgeWanted, Operations, Role, Service};
use relais_store::{Acceptance, Content, Delivery, JudgedAs, Judgement, Page, Target, TraceFilter, TraceId};
use relais_testkit::SeededRandom;

use crate::house::{House, address, domain};

const MESSAGE: &str = "Received: from mx.shop.example ([192.0.2.1]) by mx.other.example;\n\tdate\nFrom: Dora <dora@shop.example>\n\
    Subject: hello\n\nHello.\n";

fn service(house: &House, dir: &std::path::Path) -> Service {
    let zone = Zone::new()
        .with_txt("shop.example", "v=spf1 ip4:192.0.2.1 -all")
        .with_txt("_dmarc.shop.example", "v=DMARC1; p=reject");
    let (clock, random) = (house.clock.clone(), Arc::new(SeededRandom::new(3)));
    let disk = Arc::new(Disk::new(dir, 0, clock.clone()));
    let config = ReceptionConfig { host_name: domain("mx.one.example") };
    let reception = Reception::new(house.store.clone(), config, dir, disk, clock, random);
    let reception = Arc::new(reception.with_resolver(Arc::new(zone)));
    house.service.clone().with_operations(Operations::default().with_reception(reception))
}

fn wanted(to: &str) -> JudgeWanted {
    JudgeWanted { recipient: to.to_owned(), sender: Some("dora@shop.example".to_owned()), ..JudgeWanted::default() }
}

#[tokio::test]
async fn what_would_be_done_is_said_and_nothing_stays() {
    let house = House::open().await;
    let dir = tempfile::tempdir().unwrap();
    let service = service(&house, dir.path());
    let desk = house.actor(Role::HelpDesk, false).await;
    let view = service.judge(&desk, MESSAGE.as_bytes(), &wanted("user@one.example")).await.unwrap();
    assert_eq!(
        (view.verdict.done, view.hop, &*view.peer, &*view.hello),
        ("taken", Some(1), "192.0.2.1", "mx.shop.example")
    );
    assert_eq!((view.copies, view.in_junk, view.hops.len(), &*view.says[0].id), (1, 0, 1, "judge-taken"));
    assert!(view.verdict.findings.iter().any(|finding| finding.part == "spf" && finding.says.id == "auth-spf-matched"));
    // From another host the same message is forged.
    let forged = JudgeWanted { peer: Some("198.51.100.9".to_owned()), ..wanted("user@one.example") };
    let view = service.judge(&desk, MESSAGE.as_bytes(), &forged).await.unwrap();
    assert_eq!((view.verdict.done, &*view.says[0].id), ("refused", "judge-refused"));
    assert!(view.reply.unwrap().starts_with("550 5.7.1") && view.verdict.findings[0].decides);
    assert_eq!(house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows, []);
    assert_eq!(house.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn who_may_and_how_often() {
    let house = House::open().await;
    let dir = tempfile::tempdir().unwrap();
    let service = service(&house, dir.path());
    let (user, desk) = (house.actor(Role::User, true).await, house.actor(Role::HelpDesk, false).await);
    let judge = async |actor, to: &str| service.judge(actor, MESSAGE.as_bytes(), &wanted(to)).await.map(drop);
    assert!(matches!(judge(&user, "user@one.example").await, Err(Failure::Forbidden(_))));
    assert!(matches!(judge(&desk, "far@two.example").await, Err(Failure::Absent(_))), "not theirs");
    let none = service.judge(&desk, b" \n", &wanted("user@one.example")).await;
    assert!(matches!(none, Err(Failure::Unfit(complaints)) if complaints[0].field == "message"));
    for _ in 0..20 {
        judge(&desk, "user@one.example").await.unwrap();
    }
    assert!(matches!(judge(&desk, "user@one.example").await, Err(Failure::TooMany { .. })));
}

#[tokio::test]
async fn what_is_still_here_is_judged_again() {
    let house = House::open().await;
    let dir = tempfile::tempdir().unwrap();
    let service = service(&house, dir.path());
    let (desk, user) = (house.actor(Role::HelpDesk, false).await, address("user@one.example"));
    let account = house.store.account(&user).await.unwrap().unwrap().key;
    let trace = TraceId::parse("judged").unwrap();
    let message =
        format!("Return-Path: <dora@shop.example>\r\nReceived: from x by mx.one.example;\r\n\tdate\r\n{MESSAGE}");
    let delivery =
        Delivery { account, mailbox: Target::Inbox, flags: Vec::new(), internal_date: None, recipient: user };
    house
        .store
        .accept(Acceptance {
            content: Content::prepare(message.into_bytes()),
            reverse_path: relais_model::ReversePath::Address(address("dora@shop.example")),
            deliveries: vec![delivery],
            outbound: None,
            trace: trace.clone(),
            from_peer: "198.51.100.9 (mx.shop.example)".to_owned(),
            judgement: Some(Judgement { judged_as: JudgedAs::Taken, score: None, findings: Vec::new() }),
            submission: None,
        })
        .await
        .unwrap();
    assert!(service.message_story(&desk, "judged").await.unwrap().can_be_judged);
    let view = service.judge_again(&desk, "judged").await.unwrap();
    assert_eq!((view.verdict.done, &*view.peer, &*view.hello), ("refused", "198.51.100.9", "mx.shop.example"));
    assert_eq!((&*view.sender, &*view.recipient), ("dora@shop.example", "user@one.example"));
    // What was done with it stays as it was.
    assert_eq!(house.store.judgement(&trace).await.unwrap().unwrap().judged_as, JudgedAs::Taken);
    assert!(matches!(service.judge_again(&desk, "nothing").await, Err(Failure::Absent(_))));
}
