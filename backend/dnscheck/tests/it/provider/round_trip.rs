//! Whatever a zone holds and whatever is wished for: a push and its undo leave it as it was, at every provider.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use relais_dnscheck::provider::{RecordSet, Wish, txt};

use super::fakes::{self, Served};

pub(crate) type Rows = BTreeMap<(String, String), (u32, Vec<String>)>;

/// Cases at each provider.
const CASES: u32 = 24;

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "example.org",
        "mail.example.org",
        "_dmarc.example.org",
        "*.example.org",
        "a.b.example.org",
    ])
    .prop_map(str::to_owned)
}

/// A kind and values of it, in presentation format.
fn values() -> impl Strategy<Value = (String, Vec<String>)> {
    let host = || prop::sample::select(vec!["mx1.example.org.", "mx2.example.net.", "h.example."]);
    let texts = prop_oneof!["[ -~]{0,40}", "v=spf1 [a-z ]{0,20}", "k{250,600}"].prop_map(|text| txt(text.as_bytes()));
    let of = |kind: &'static str, values: BoxedStrategy<String>| {
        prop::collection::btree_set(values, 1..4)
            .prop_map(move |values| (kind.to_owned(), values.into_iter().collect()))
    };
    prop_oneof![
        of("A", (1..250u8).prop_map(|last| format!("192.0.2.{last}")).boxed()),
        of("AAAA", (1..9999u16).prop_map(|last| format!("2001:db8::{last:x}")).boxed()),
        of("MX", (0..99u16, host()).prop_map(|(preference, host)| format!("{preference} {host}")).boxed()),
        of("SRV", (0..9u16, 1..9999u16, host()).prop_map(|(one, port, host)| format!("{one} 1 {port} {host}")).boxed()),
        of("CAA", "[a-z]{3,8}\\.example".prop_map(|ca| format!("0 issue \"{ca}\"")).boxed()),
        of("TXT", texts.boxed()),
    ]
}

pub(crate) fn rows() -> impl Strategy<Value = Rows> {
    let ttl = prop::sample::select(vec![3600u32, 7200, 86400]);
    prop::collection::vec((name(), values(), ttl), 0..12)
        .prop_map(|rows| rows.into_iter().map(|(name, (kind, values), ttl)| ((name, kind), (ttl, values))).collect())
}

pub(crate) fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wish = (name(), values(), 0..5u8).prop_map(|(name, (kind, values), form)| {
        let set = RecordSet::new(&name, &kind, 3600, &values);
        match form {
            0 => Wish::Exactly(set),
            1 => Wish::Exactly(RecordSet { values: Vec::new(), ..set }),
            2 if kind == "TXT" => Wish::Among { set, tag: "v=spf1".to_owned() },
            3 => Wish::Without(set),
            _ => Wish::Beside(set),
        }
    });
    prop::collection::vec(wish, 1..8)
}

#[test]
fn an_undo_gives_back_what_was_there() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for api in fakes::all() {
        let kind = api.kind();
        let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
        let case = |(rows, wishes): (Rows, Vec<Wish>)| {
            runtime.block_on(async {
                let served = Served::start(fakes::one(kind)).await;
                for ((name, kind), (ttl, values)) in &rows {
                    served.put(name, kind, *ttl, &values.iter().map(String::as_str).collect::<Vec<_>>());
                }
                let (publisher, before) = (served.publisher(), served.dump());
                let plan = publisher.preview("example.org", &wishes).await.unwrap();
                let pushed = publisher.push(&plan).await.unwrap();
                prop_assert!(pushed.is_complete(), "{:?}: {:?}", kind, pushed);
                prop_assert_eq!(plan.changes.is_empty(), served.dump() == before);
                let undone = publisher.undo(&pushed.receipt).await.unwrap();
                prop_assert!(undone.is_complete(), "{:?}: {:?}", kind, undone);
                prop_assert_eq!(served.dump(), before);
                Ok(())
            })
        };
        runner.run(&(rows(), wishes()), case).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
}
