//! Looking for messages: by subject, by address, within a scope, and no further than may be.

use std::time::Duration;

use relais_model::{Clock as _, Finding, Said};
use relais_store::{JudgedAs, Judgement, Page, Refused, TraceFilter, TraceId, TraceKey, TraceKind, TraceSearch};

use crate::house::{acceptance, delivery, on_both};
use crate::people::{address, domain, queue};

async fn found(house: &crate::house::House, wanted: &TraceSearch) -> Vec<String> {
    let found = house.store.trace_search(wanted, &Page::first()).await.unwrap();
    assert_eq!((found.next, found.searched_back_to), (None, None));
    found.rows.iter().map(|event| format!("{} {}", event.trace, event.recipient)).collect()
}

#[test]
fn a_search_finds_by_subject_address_and_domain() {
    on_both(|house| async move {
        queue(&house, "Offer", &["Bob@x.example", "c@y.example"]).await;
        house.clock.advance(Duration::from_mins(1));
        let raw = "Subject: =?utf-8?q?R=C3=A9union_100%?=\r\n\r\nHello\r\n";
        let trace = TraceId::parse("m2").unwrap();
        let here = relais_store::Acceptance { trace, ..acceptance(raw, vec![delivery(house.anna)]) };
        house.store.accept(here).await.unwrap();
        let any = TraceSearch::default;
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        let check = async |wanted: TraceSearch, expected: &[&str]| {
            assert_eq!(found(&house, &wanted).await, expected, "{wanted:?}");
        };
        let all = ["m2 anna@house.example", "Offer c@y.example", "Offer bob@x.example"];
        check(any(), &all).await;
        check(TraceSearch { subject: words("offer"), ..any() }, &all[1..]).await;
        check(TraceSearch { subject: words("Réunion 100%"), ..any() }, &all[..1]).await;
        check(TraceSearch { subject: words("ré"), ..any() }, &all[..1]).await;
        check(TraceSearch { subject: words("%offer"), ..any() }, &[]).await;
        check(TraceSearch { address: Some(address("BOB@x.example")), ..any() }, &all[2..]).await;
        check(TraceSearch { address: Some(address("ann@example.org")), ..any() }, &all[1..]).await;
        check(TraceSearch { kind: Some(TraceKind::Delivered), ..any() }, &all[..1]).await;
        check(TraceSearch { domains: Some(vec![domain("y.example")]), ..any() }, &all[1..2]).await;
        check(TraceSearch { domains: Some(vec![domain("example")]), ..any() }, &[]).await;
        check(TraceSearch { domains: Some(Vec::new()), ..any() }, &[]).await;
        check(
            TraceSearch { trace: TraceId::parse("Offer"), domains: Some(vec![domain("x.example")]), ..any() },
            &all[2..],
        )
        .await;
        check(TraceSearch { since: Some(house.clock.now()), ..any() }, &all[..1]).await;
        check(TraceSearch { until: Some(house.clock.now()), ..any() }, &all[1..]).await;
        let of =
            house.store.trace_of(&[TraceId::parse("m2").unwrap(), TraceId::parse("nothing").unwrap()]).await.unwrap();
        assert_eq!((of.len(), of[0].subject.as_deref()), (1, Some("Réunion 100%")));
        house.check().await;
    });
}

#[test]
fn the_flow_is_counted_by_hour_and_kind() {
    on_both(|house| async move {
        house.accept("Subject: a\r\n\r\nHello\r\n", vec![delivery(house.anna)]).await;
        house.clock.advance(Duration::from_hours(1));
        queue(&house, "out", &["b@x.example", "c@y.example"]).await;
        let (start, end) = (TraceKey::new(0), TraceKey::new(i64::MAX));
        let (counts, last) = house.store.trace_flow(start, end, 100).await.unwrap();
        let mut told: Vec<_> = counts.iter().map(|count| (count.kind, count.is_filed_here, count.count)).collect();
        told.sort_by_key(|(kind, ..)| *kind as i64);
        assert_eq!(told, [(TraceKind::Queued, false, 2), (TraceKind::Delivered, true, 1)]);
        assert_eq!(house.store.trace_flow(last.unwrap(), end, 100).await.unwrap(), (Vec::new(), None));
        let (some, last) = house.store.trace_flow(start, end, 2).await.unwrap();
        assert_eq!(some.iter().map(|count| count.count).sum::<u64>(), 2);
        let (rest, _) = house.store.trace_flow(last.unwrap(), end, 2).await.unwrap();
        assert_eq!(rest.iter().map(|count| count.count).sum::<u64>(), 1);
        let (of_y, is_all) = house.store.trace_flow_of(&[domain("y.example")], start, 100).await.unwrap();
        assert_eq!((of_y.len(), of_y[0].count, is_all), (1, 1, true));
        assert!(!house.store.trace_flow_of(&[domain("y.example")], start, 1).await.unwrap().1);
        let sizes = house.store.sizes().await.unwrap();
        assert_eq!((sizes.accounts, sizes.domains, sizes.messages), (2, 1, 1));
        assert!(sizes.database_octets > 0);
        let held = house.store.storage_use(None, 5, 10).await.unwrap();
        assert_eq!((held.domains.len(), held.people[0].name.as_str()), (1, "anna@house.example"));
        assert_eq!(held.used_octets, held.domains[0].used_octets);
        assert_eq!(house.store.storage_use(Some(&[]), 5, 10).await.unwrap().used_octets, 0);
        assert_eq!(house.store.empty_domains(None, 5).await.unwrap(), []);
        house.store.ping_writer().await.unwrap();
        house.check().await;
    });
}

/// Reasons go with the trace, as old, whether the message was taken or not.
#[test]
fn reasons_are_kept_as_long_as_the_trace() {
    on_both(|house| async move {
        let (taken, refused) = (TraceId::parse("taken").unwrap(), TraceId::parse("refused").unwrap());
        let said = Said::new("auth-spf-matched").words("domain", "d\0.example").number("count", 3);
        let finding = Finding::new("spf", said.clone()).worth(1.5).deciding();
        let judgement = |judged_as| Judgement {
            judged_as,
            score: Some(6.125),
            findings: vec![finding.clone(), Finding::new("dkim", Said::new("auth-dkim-none"))],
        };
        let raw = "Subject: x\r\n\r\nHello\r\n";
        let here = relais_store::Acceptance {
            trace: taken.clone(),
            judgement: Some(judgement(JudgedAs::Junk)),
            ..acceptance(raw, vec![delivery(house.anna)])
        };
        house.store.accept(here).await.unwrap();
        let note = Refused {
            trace: refused.clone(),
            reverse_path: relais_model::ReversePath::Null,
            recipients: vec![address("anna@house.example"), address("ben@house.example")],
            from_peer: "192.0.2.1 (x)".to_owned(),
            subject: "Grüße".to_owned(),
            reply: "550 5.7.1 No".to_owned(),
            judgement: Some(judgement(JudgedAs::Refused)),
        };
        house.store.note_refused(note).await.unwrap();
        assert_eq!(house.store.judgement(&taken).await.unwrap(), Some(judgement(JudgedAs::Junk)));
        assert_eq!(house.store.judgement(&refused).await.unwrap(), Some(judgement(JudgedAs::Refused)));
        assert_eq!(house.store.judgement(&TraceId::parse("other").unwrap()).await.unwrap(), None);
        let message = house.store.judged_message(&taken).await.unwrap().unwrap();
        assert_eq!(house.store.raw(message).await.unwrap().as_deref(), Some(raw.as_bytes()));
        assert_eq!(house.store.judged_message(&refused).await.unwrap(), None);
        let filter = TraceFilter { trace: Some(refused.clone()), ..TraceFilter::default() };
        let events = house.store.trace(&filter, &Page::first()).await.unwrap().rows;
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|event| event.kind == TraceKind::Refused && event.text == "550 5.7.1 No"));
        let many = vec![finding.clone(); 90];
        let later = TraceId::parse("later").unwrap();
        house.clock.advance(Duration::from_mins(2));
        let here = relais_store::Acceptance {
            trace: later.clone(),
            judgement: Some(Judgement { findings: many, ..judgement(JudgedAs::Taken) }),
            ..acceptance(raw, vec![delivery(house.anna)])
        };
        house.store.accept(here).await.unwrap();
        assert_eq!(house.store.judgement(&later).await.unwrap().unwrap().findings.len(), 50);
        house.store.trace_prune(house.clock.now().minus(Duration::from_mins(1))).await.unwrap();
        for (trace, is_kept) in [(&taken, false), (&refused, false), (&later, true)] {
            assert_eq!(house.store.judgement(trace).await.unwrap().is_some(), is_kept, "{trace}");
        }
        house.check().await;
    });
}
