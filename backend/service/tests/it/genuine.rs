//! Whom a message is really from, and what led it into Junk: its reader is told what was found when it came.

use relais_model::{Finding, ReversePath, Said, SpecialUse};
use relais_msgauth::dmarc::{DispositionReason, DmarcReason, Policy, PolicyTag};
use relais_msgauth::reason::Reason;
use relais_service::{Actor, Genuine, Role, Text};
use relais_store::{Acceptance, Content, Delivery, JudgedAs, Judgement, Target, TraceId};

use crate::house::{House, address, on_both};
use crate::mail::id;

/// A message of Ann's comes in by the door as `trace`, and is judged so; its number. She asks to be told that it was read.
async fn come_in(house: &House, me: &Actor, trace: &str, mailbox: Target, judgement: Judgement) -> u32 {
    let raw = format!(
        "Received: from mx.x.example ([192.0.2.1])\r\n\tby mx.house.example with ESMTP id {trace};\r\n\tThu, 1 Jan 2026 00:00:00 +0000\r\n\
         From: Ann <ann@x.example>\r\nTo: user@one.example\r\nDisposition-Notification-To: ann@x.example\r\n\
         Subject: {trace}\r\n\r\nHello\r\n"
    );
    let (account, recipient) = me.account.clone().unwrap();
    let delivery = Delivery { account, mailbox, flags: Vec::new(), internal_date: None, recipient };
    let acceptance = Acceptance {
        content: Content::prepare(raw.into_bytes()),
        reverse_path: ReversePath::Address(address("ann@x.example")),
        deliveries: vec![delivery],
        outbound: None,
        trace: TraceId::parse(trace).unwrap(),
        from_peer: "192.0.2.1 (mx.x.example)".to_owned(),
        judgement: Some(judgement),
        submission: None,
    };
    let accepted = house.store.accept(acceptance).await.unwrap();
    accepted.deliveries[0].as_ref().unwrap().uid.value()
}

fn dmarc(reason: &impl Reason) -> Finding {
    Finding::new("dmarc", reason.said())
}

/// What is found, as the desk writes it down, and what that makes of the sender.
fn cases() -> Vec<(&'static str, Vec<Finding>, Genuine)> {
    let aligned = |dkim: Option<&str>, spf: Option<&str>| {
        dmarc(&DmarcReason::Aligned { dkim: dkim.map(str::to_owned), spf: spf.map(str::to_owned) })
    };
    let proven = |domain: &str| Genuine::Proven(domain.to_owned());
    let nothing = || dmarc(&DmarcReason::NothingPassed);
    let others = || dmarc(&DmarcReason::OthersPassed(vec!["lists.example".to_owned()]));
    let domain = || "x.example".to_owned();
    let asks = |policy| dmarc(&DispositionReason::Policy { domain: domain(), tag: PolicyTag::Own, policy });
    let tried = dmarc(&DispositionReason::Testing { domain: domain(), policy: Policy::Reject });
    let list = dmarc(&DispositionReason::KnownList { list: "chess.lists.example".to_owned(), policy: Policy::Reject });
    let sealer = dmarc(&DispositionReason::TrustedSealer { sealer: domain(), policy: Policy::Reject });
    let only_marks = Finding::new("dmarc", Said::new("auth-judge-only-marks"));
    vec![
        ("its domain has signed it", vec![aligned(Some("x.example"), Some("mx.x.example"))], proven("x.example")),
        ("it comes from its domain", vec![aligned(None, Some("mx.x.example"))], proven("mx.x.example")),
        ("nobody stands behind it", vec![nothing(), asks(Policy::None)], Genuine::Forged),
        ("others stand behind it", vec![others(), asks(Policy::None)], Genuine::Forged),
        ("its policy put it into Junk", vec![nothing(), asks(Policy::Quarantine).deciding()], Genuine::Forged),
        ("the house only marks", vec![nothing(), asks(Policy::Reject), only_marks.deciding()], Genuine::Forged),
        ("its policy is being tested", vec![nothing(), tried.deciding()], Genuine::Forged),
        ("a known list has changed it", vec![others(), list.deciding()], Genuine::Unknown),
        ("who has changed it is trusted", vec![others(), sealer.deciding()], Genuine::Unknown),
        ("its domain says nothing", vec![dmarc(&DmarcReason::NoRecord)], Genuine::Unknown),
        ("the DNS said nothing", vec![dmarc(&DmarcReason::Unanswered(domain()))], Genuine::Unknown),
        ("nobody asked", vec![Finding::new("spf", Said::new("auth-spf-no-record"))], Genuine::Unknown),
    ]
}

/// A forgery shows no pictures, whoever's it claims to be, and asks for no receipt. One whose fate hung on its author's policy was once taken
/// for one of which nobody knows.
#[test]
fn whom_a_message_is_from_is_what_was_found_when_it_came() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let (mail, inbox) = (&house.service.mail, id(&house, &me, "INBOX").await);
        for (number, (what, findings, expected)) in cases().into_iter().enumerate() {
            let judgement = Judgement { judged_as: JudgedAs::Taken, score: None, findings };
            let uid = come_in(&house, &me, &format!("judged{number}"), Target::Inbox, judgement).await;
            mail.show_pictures(&me, &inbox, uid, true).await.unwrap();
            let open = mail.open(&me, &inbox, uid, false, false).await.unwrap();
            assert_eq!(open.genuine, expected, "{what}: {:?}", open.verdict);
            let is_believed = expected != Genuine::Forged;
            assert_eq!((open.shows_pictures, open.receipt.is_some()), (is_believed, is_believed), "{what}");
        }
    });
}

/// What led a message into Junk stands before all else that was found.
#[test]
fn junk_tells_what_led_it_there() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let findings = vec![
            dmarc(&DmarcReason::NoRecord),
            Finding::new("spam", Said::new("spam-above-bar").words("score", "4.5").words("bar", "3.8")).deciding(),
            Finding::new("spam", Said::new("spam-words-junk").words("words", "“casino”")).worth(4.5),
        ];
        let judgement = Judgement { judged_as: JudgedAs::Junk, score: Some(4.5), findings };
        let uid = come_in(&house, &me, "junk", Target::Use(SpecialUse::Junk), judgement).await;
        let junk = id(&house, &me, "Junk").await;
        let open = house.service.mail.open(&me, &junk, uid, false, false).await.unwrap();
        assert!(open.is_junk && open.receipt.is_none());
        let verdict = open.verdict.unwrap();
        assert_eq!((verdict.done, verdict.score), ("junk", Some(4.5)));
        let found: Vec<_> =
            verdict.findings.iter().map(|finding| (&*finding.part, finding.points > 0.0, finding.decides)).collect();
        assert_eq!(found, [("spam", false, true), ("dmarc", false, false), ("spam", true, false)]);
        let says: Vec<_> = verdict.findings.into_iter().map(|finding| finding.says).collect();
        let expected = [
            Text::new("spam-above-bar").with("score", "4.5").with("bar", "3.8"),
            Text::new("auth-dmarc-no-record"),
            Text::new("spam-words-junk").with("words", "“casino”"),
        ];
        assert_eq!(says, expected);
    });
}
