//! Records that strangers published, and what becomes of them by chance: read or refused, never a panic, and what reads prints the same.

use std::net::IpAddr;

use proptest::prelude::*;
use relais_dnscheck::spf::{self, Spf};
use relais_dnscheck::{DkimRecord, Dmarc, StsPolicy, Tags, sts_id};
use relais_model::Domain;

const SPF: &[&str] = &[
    "v=spf1 mx a:x.example/24//64 include:_spf.%{d2} ip4:192.0.2.0/24 ip6:2001:db8::/32 exists:%{ir}.%{v}.x ptr ~all",
    "v=spf1 redirect=_spf.example.net exp=e.%{d}",
    "v=spf1 -all\nv=spf1 mx ?all\nother text",
    "V=SPF1 A:MX.example.org. +ALL",
];

const TAGS: &[&str] = &[
    "v=DKIM1; k=ed25519; t=s:y; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "v=DMARC1; p=quarantine; sp=none; pct=50; rua=mailto:a@b.example!10m,mailto:c@d.example",
    "v=STSv1; id=20260101T000000;",
    "version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
    "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od",
];

/// One change: at a place, so many characters make room for a piece of another seed or for any characters.
fn edit(seeds: &'static [&'static str]) -> impl Strategy<Value = (usize, usize, String)> {
    let piece = (0..seeds.len(), 0..120_usize, 0..12_usize)
        .prop_map(|(seed, from, length)| seeds[seed].chars().skip(from).take(length).collect::<String>());
    let any = "[ -~]{0,4}|.{0,2}|[/:=%{};. ]{1,4}";
    (0..140_usize, 0..6_usize, prop_oneof![3 => piece, 2 => any])
}

fn changed(seeds: &'static [&'static str]) -> impl Strategy<Value = String> {
    (0..seeds.len(), prop::collection::vec(edit(seeds), 0..8)).prop_map(move |(seed, edits)| {
        let mut letters: Vec<char> = seeds[seed].chars().collect();
        for (at, gone, put) in edits {
            let at = at.min(letters.len());
            letters.splice(at..(at + gone).min(letters.len()), put.chars());
        }
        letters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever stands there, we can be added to it, once.
    #[test]
    fn spf_records(text in changed(SPF)) {
        if let Ok(record) = Spf::parse(&text) {
            prop_assert_eq!(Spf::parse(&record.to_string()), Ok(record));
        }
        let host = Domain::parse("mx.example.org").unwrap();
        let addresses = [IpAddr::from([192, 0, 2, 7])];
        let there: Vec<String> = text.lines().map(str::to_owned).collect();
        let ours = spf::wanted(&there, &host, &addresses);
        prop_assert!(Spf::parse(&ours).is_ok(), "{ours}");
        prop_assert_eq!(spf::wanted(std::slice::from_ref(&ours), &host, &addresses), ours);
    }

    #[test]
    fn lists_of_tags_and_policies(text in changed(TAGS)) {
        let (_list, _id) = (Tags::parse(&text), sts_id(&text));
        if let Ok(record) = DkimRecord::parse(&text) {
            prop_assert!(record.bits > 0 && !record.public_key.is_empty());
        }
        if let Ok(record) = Dmarc::parse(&text) {
            prop_assert!(record.percent <= 100);
        }
        if let Ok(policy) = StsPolicy::parse(&text) {
            prop_assert_eq!(StsPolicy::parse(&policy.to_string()), Ok(policy));
        }
    }
}
