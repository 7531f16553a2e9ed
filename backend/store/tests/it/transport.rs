//! What is kept of how mail travels.

use std::time::Duration;

use relais_store::{
    Listing, Page, Protection, StsEntry, TLS_RESULTS_KEPT_FOR, TlsPolicyType, TlsResult, TlsResultCount, TlsResultKey,
};

use crate::house::on_both;
use crate::people::domain;

const DAY: Duration = Duration::from_hours(24);

#[test]
fn policies_are_kept_until_they_end() {
    on_both(|house| async move {
        let (store, now) = (&house.store, house.store.now());
        let entry = |name: &str, id: &str, days: u32| StsEntry {
            domain: domain(name),
            id: id.to_owned(),
            policy: "version: STSv1\r\n".to_owned(),
            fetched_at: now,
            expires_at: now.plus(DAY * days),
            used_at: now,
        };
        store.keep_sts_policies(vec![entry("a.example", "1", 1), entry("b.example", "1", 3)]).await.unwrap();
        store.keep_sts_policies(vec![entry("b.example", "2", 3)]).await.unwrap();
        assert_eq!(store.sts_policies().await.unwrap(), [entry("a.example", "1", 1), entry("b.example", "2", 3)]);
        house.clock.advance(DAY);
        assert_eq!(store.sts_policies().await.unwrap(), [entry("b.example", "2", 3)]);
        store.keep_sts_policies(Vec::new()).await.unwrap();
        house.check().await;
    });
}

#[test]
fn results_add_up_by_day_and_go_after_a_while() {
    on_both(|house| async move {
        let store = &house.store;
        let today = house.store.now();
        let count = |host: Option<&str>, result, sessions| TlsResultCount {
            key: TlsResultKey {
                day: today,
                policy_domain: domain("d.example"),
                policy_type: TlsPolicyType::Sts,
                mx_host: host.map(domain),
                result,
            },
            sessions,
        };
        let good = |sessions| count(Some("mx.d.example"), TlsResult::Success, sessions);
        let bad = count(None, TlsResult::StsPolicyFetchError, 1);
        store.count_tls_results(vec![good(2), bad.clone()]).await.unwrap();
        store.count_tls_results(vec![good(3)]).await.unwrap();
        let all = Listing { rows: vec![bad.clone(), good(5)], next: None };
        assert_eq!(store.tls_results(today, &Page::first()).await.unwrap(), all);
        let first = store.tls_results(today, &Page { after: None, limit: 1 }).await.unwrap();
        assert_eq!(first.rows, [bad]);
        let rest = store.tls_results(today, &Page { after: first.next, limit: 1 }).await.unwrap();
        assert_eq!(rest, Listing { rows: vec![good(5)], next: None });
        house.clock.advance(TLS_RESULTS_KEPT_FOR + DAY);
        store.count_tls_results(Vec::new()).await.unwrap();
        assert_eq!(store.tls_results(today, &Page::first()).await.unwrap().rows, []);
        house.check().await;
    });
}

#[test]
fn words_are_read_back() {
    for protection in Protection::ALL {
        assert_eq!(Protection::parse(protection.as_str()), Some(*protection));
    }
    for result in TlsResult::ALL {
        assert_eq!(TlsResult::parse(result.as_str()), Some(*result));
    }
}
