//! The DNS: what checks find and how that turns, who is told, providers' accounts, pushing and undoing.

use std::collections::BTreeMap;
use std::time::Duration;

use relais_service::{
    DnsAccountChange, DnsPushForm, DnsReport, DnsVerdict, DnsWanted, Failure, NewDnsAccount, Paging, Password, Role,
};
use relais_store::{Author, NewWebhook, Page, WebhookEvent};

use crate::house::{House, short};

const FIRST: Paging = Paging { after: None, limit: 50 };

fn finding(report: &DnsReport, check: &str) -> String {
    let found = report.findings.iter().find(|finding| finding.check == check).unwrap();
    format!("{} {}", found.verdict.name(), found.says.id)
}

async fn check(house: &House) -> DnsReport {
    let owner = house.actor(Role::Owner, true).await;
    house.clock.advance(Duration::from_mins(1));
    house.service.dns.check_and_wait(&owner, Some("one.example")).await.unwrap()
}

pub(crate) fn new_account(domain: &str) -> NewDnsAccount {
    NewDnsAccount {
        provider: "desec".to_owned(),
        name: String::new(),
        settings: BTreeMap::from([("token".to_owned(), Password::new("hunter2"))]),
        domain: domain.to_owned(),
        turns_keys: false,
    }
}

#[tokio::test]
async fn what_was_found_is_kept_with_what_is_wanted() {
    let house = House::open().await;
    let admin = house.actor(Role::DomainAdmin, false).await;
    let unseen = house.service.dns.show(&admin, "one.example").await.unwrap();
    assert_eq!((unseen.verdict, unseen.findings.len(), unseen.is_running), (None, 0, false));
    let mx = unseen.records.iter().find(|record| record.kind == "MX").unwrap();
    assert_eq!(
        (mx.name_within.as_str(), mx.value.as_str(), mx.priority, mx.line.as_str()),
        ("@", "10 mx.house.example", Some(10), "one.example.\t3600\tIN\tMX\t10 mx.house.example.")
    );
    house.dns.fill(&unseen, &["MX"]);
    let report = check(&house).await;
    assert_eq!((finding(&report, "mx"), report.verdict), ("wrong dns-missing".to_owned(), Some(DnsVerdict::Wrong)));
    assert_eq!(finding(&report, "dkim"), "good dns-good");
    let row = house.service.dns.list(&admin, &DnsWanted::default()).await.unwrap().rows.remove(0);
    assert_eq!((row.domain.as_str(), row.verdict, row.counts), ("one.example", report.verdict, report.counts));
    let zone = house.service.dns.zone_file(&admin, Some("one.example")).await.unwrap();
    assert!(zone.contains("one.example.\t3600\tIN\tMX\t10 mx.house.example.\n"), "{zone}");
    assert!(zone.contains("r20260101._domainkey.one.example."), "{zone}");
    let todos = house.service.overview(&admin).await.unwrap().todos;
    assert!(todos.iter().any(|todo| todo.subject == "dns" && todo.name.as_deref() == Some("one.example")));
}

/// RFC 6376 §3.1: a new selector is published and seen before it signs; the old one stands until mail with it has aged.
#[tokio::test]
async fn keys_are_followed_by_new_ones_in_their_time() {
    let house = House::open().await;
    let owner = house.actor(Role::Owner, true).await;
    let wanted = || async {
        let report = house.service.dns.show(&owner, "one.example").await.unwrap();
        let mut selectors: Vec<String> =
            report.records.iter().filter_map(|record| selector(&record.name_whole)).collect();
        selectors.sort();
        selectors
    };
    let signing = || async {
        let domain = house.store.domain(&relais_model::Domain::parse("one.example").unwrap()).await.unwrap().unwrap();
        let mut keys = house.store.dkim_keys(domain.key).await.unwrap();
        keys.retain(|key| key.signs_since.is_some() && key.retired_at.is_none());
        let mut selectors: Vec<String> = keys.into_iter().map(|key| key.selector).collect();
        selectors.sort();
        selectors
    };
    let day = |days: u64| Duration::from_hours(24 * days);
    let old = ["e20260101", "r20260101"];
    let unseen = house.service.dns.show(&owner, "one.example").await.unwrap();
    house.dns.fill(&unseen, &[]);
    check(&house).await;
    house.clock.advance(day(179));
    check(&house).await;
    assert_eq!((wanted().await, signing().await), (old.map(str::to_owned).to_vec(), old.map(str::to_owned).to_vec()));
    house.clock.advance(day(1));
    let report = check(&house).await;
    let all = wanted().await;
    assert_eq!(all.len(), 4, "{all:?}");
    assert_eq!(signing().await, old, "their records aren't seen yet");
    house.dns.fill(&report, &[]);
    check(&house).await;
    let new: Vec<String> = all.iter().filter(|selector| !old.contains(&selector.as_str())).cloned().collect();
    assert_eq!((wanted().await.len(), signing().await), (4, new.clone()), "the old ones stay published");
    house.clock.advance(day(31));
    check(&house).await;
    assert_eq!((wanted().await, signing().await), (new.clone(), new.clone()));
    house.store.change_setting(&Author::house(), "dns.dkim_key_age", Some("0")).await.unwrap();
    house.clock.advance(day(400));
    check(&house).await;
    assert_eq!(wanted().await, new, "whoever wishes keeps them");
}

/// Of each key its kind and how it is, the kinds apart.
async fn states(house: &House) -> Vec<&'static str> {
    let owner = house.actor(Role::Owner, true).await;
    let keys = house.service.dns.show(&owner, "one.example").await.unwrap().keys;
    keys.iter().filter(|key| key.algorithm == "rsa").map(|key| key.state).collect()
}

/// By hand: a new key waits, and its record is to be published; nothing is wrong meanwhile.
#[tokio::test]
async fn keys_are_made_anew_when_somebody_wishes_it() {
    let house = House::open().await;
    let (dns, admin) = (&house.service.dns, house.actor(Role::DomainAdmin, true).await);
    let unseen = dns.show(&admin, "one.example").await.unwrap();
    house.dns.fill(&unseen, &[]);
    check(&house).await;
    assert_eq!(states(&house).await, ["signs"]);
    let made = dns.rotate_keys(&admin, "one.example").await.unwrap();
    let waiting: Vec<_> = made.iter().filter(|key| key.state == "waits").map(|key| key.selector.as_str()).collect();
    assert_eq!(waiting.len(), 2, "{made:?}");
    assert!(waiting.contains(&"r20260101b"), "the day's first name is taken: {waiting:?}");
    assert_eq!(short(dns.rotate_keys(&admin, "one.example").await), "clash:  dns-keys-wait");
    assert_eq!(short(dns.rotate_keys(&admin, "two.example").await), "absent: failure-unknown-domain");
    house.quiet().await;
    let report = check(&house).await;
    let of_waiting = report.findings.iter().find(|found| found.about.starts_with("r20260101b.")).unwrap();
    assert_eq!((of_waiting.verdict, &*of_waiting.says.id), (DnsVerdict::Better, "dns-to-publish"));
    assert!(of_waiting.can_push);
    house.dns.fill(&report, &[]);
    check(&house).await;
    assert_eq!(states(&house).await, ["signs", "retired"]);
    house.clock.advance(Duration::from_hours(31 * 24));
    assert_eq!(states(&house).await, ["signs", "aged"], "its record may go");
    house.clock.advance(Duration::from_hours(61 * 24));
    check(&house).await;
    assert_eq!(states(&house).await, ["signs"]);
}

/// Where the account may, records come and go by themselves, are written down as the house's, and can be undone.
#[tokio::test]
async fn an_account_that_may_turns_the_keys_by_itself() {
    let house = House::open().await;
    let (dns, owner) = (&house.service.dns, house.actor(Role::Owner, true).await);
    let day = |days: u64| Duration::from_hours(24 * days);
    let (old, new) = ("r20260101._domainkey.one.example", "r20260630._domainkey.one.example");
    let unseen = dns.show(&owner, "one.example").await.unwrap();
    house.dns.fill(&unseen, &["MX"]);
    let account = dns.add_account(&owner, new_account("one.example")).await.unwrap();
    check(&house).await;
    // All that is wanted stands at the provider, set by hand.
    let all: Vec<String> =
        dns.show(&owner, "one.example").await.unwrap().findings.iter().map(|one| one.key.clone()).collect();
    let form = DnsPushForm { findings: all, ..DnsPushForm::default() };
    let plan = Some(dns.preview(&owner, Some("one.example"), &form).await.unwrap().plan);
    dns.push(&owner, Some("one.example"), &DnsPushForm { plan, ..form }).await.unwrap();
    assert_eq!(house.dns.zone(old, "TXT").len(), 1);
    house.clock.advance(day(180));
    check(&house).await;
    assert_eq!((states(&house).await, house.dns.zone(new, "TXT").len()), (vec!["waits", "signs"], 0), "it may not yet");
    let change = DnsAccountChange { turns_keys: Some(true), ..DnsAccountChange::default() };
    assert!(dns.change_account(&owner, &account.id, change).await.unwrap().turns_keys);
    let report = check(&house).await;
    assert_eq!(house.dns.zone(new, "TXT").len(), 1, "the new key's record was set");
    let pushes = dns.pushes(&owner, Some("one.example"), FIRST).await.unwrap().rows;
    assert_eq!((pushes.len(), pushes[0].is_complete, pushes[0].can_undo), (2, true, true));
    assert_ne!(pushes[0].by, "owner@one.example");
    house.dns.fill(&report, &[]);
    check(&house).await;
    assert_eq!(states(&house).await, ["signs", "retired"]);
    house.clock.advance(day(29));
    check(&house).await;
    assert_eq!(house.dns.zone(old, "TXT").len(), 1, "mail that it signed is still on its way");
    house.clock.advance(day(2));
    check(&house).await;
    assert_eq!((house.dns.zone(old, "TXT").len(), states(&house).await), (0, vec!["signs"]));
    let pushes = dns.pushes(&owner, Some("one.example"), FIRST).await.unwrap().rows;
    assert_eq!(pushes.len(), 3, "nothing is done twice");
    dns.undo(&owner, &pushes[0].id).await.unwrap();
    assert_eq!(house.dns.zone(old, "TXT").len(), 1);
}

/// From the reports: the domain's own record with a stricter policy, and nothing else.
#[tokio::test]
async fn a_policy_is_pushed_as_its_record_stands() {
    let house = House::open().await;
    let (dns, owner) = (&house.service.dns, house.actor(Role::Owner, true).await);
    let unseen = dns.show(&owner, "one.example").await.unwrap();
    house.dns.fill(&unseen, &[]);
    dns.add_account(&owner, new_account("one.example")).await.unwrap();
    check(&house).await;
    let form =
        |policy: &str, plan| DnsPushForm { dmarc_policy: Some(policy.to_owned()), plan, ..DnsPushForm::default() };
    let shown = dns.preview(&owner, Some("one.example"), &form("reject", None)).await.unwrap();
    assert_eq!((shown.changes.len(), &*shown.changes[0].name), (1, "_dmarc.one.example"));
    assert!(shown.changes[0].added[0].contains("p=reject"), "{shown:?}");
    let pushed = dns.push(&owner, Some("one.example"), &form("reject", Some(shown.plan))).await.unwrap();
    assert_eq!(house.dns.zone("_dmarc.one.example", "TXT").len(), 1);
    dns.undo(&owner, &pushed.id).await.unwrap();
    assert!(house.dns.zone("_dmarc.one.example", "TXT").is_empty());
    let refused = dns.preview(&owner, Some("one.example"), &form("none", None)).await;
    assert_eq!(short(refused), "unfit: dmarc_policy dns-push-no-policy");
}

fn selector(name: &str) -> Option<String> {
    name.split_once("._domainkey.").map(|(selector, _)| selector.to_owned())
}

#[tokio::test]
async fn what_turns_for_the_worse_is_told_once() {
    let house = House::open().await;
    let owner = house.actor(Role::Owner, true).await;
    let new = NewWebhook {
        id: "wh_1".to_owned(),
        account: None,
        domain: None,
        url: "https://hooks.example/".to_owned(),
        events: vec![WebhookEvent::DnsWorse],
        description: String::new(),
        secret: relais_model::Secret::new("c2VjcmV0"),
    };
    let hook = house.store.add_webhook(&Author::house(), new).await.unwrap();
    let unseen = house.service.dns.show(&owner, "one.example").await.unwrap();
    house.dns.fill(&unseen, &[]);
    assert_eq!(finding(&check(&house).await, "mx"), "good dns-good");
    let told = || async {
        let hooks = house.store.webhook_deliveries(hook.key, &Page::first()).await.unwrap().rows;
        (hooks.len(), house.letters().await)
    };
    assert_eq!(told().await, (0, 0), "the first check is a beginning");
    house.dns.silent(true);
    let report = check(&house).await;
    assert_eq!(finding(&report, "mx"), "unknown dns-timeout");
    assert_eq!(told().await, (0, 0), "what can't be told is not worse");
    house.dns.silent(false);
    house.dns.fill(&unseen, &["MX"]);
    assert_eq!(finding(&check(&house).await, "mx"), "wrong dns-missing");
    assert_eq!(told().await, (1, 1), "it was good before the silence");
    check(&house).await;
    house.dns.silent(true);
    check(&house).await;
    house.dns.silent(false);
    check(&house).await;
    assert_eq!(told().await, (1, 1), "the same isn't told again");
    let all = Paging { limit: 500, ..FIRST };
    let turns = house.service.dns.turns(&owner, Some("one.example"), all).await.unwrap().rows;
    let mx: Vec<_> = turns
        .iter()
        .filter(|turn| turn.key.starts_with("mx:"))
        .map(|turn| (turn.before.unwrap().name(), turn.after.name(), turn.is_alert))
        .collect();
    assert_eq!(
        mx,
        [
            ("unknown", "wrong", false),
            ("wrong", "unknown", false),
            ("unknown", "wrong", true),
            ("good", "unknown", false)
        ]
    );
    let payload = house.store.webhook_deliveries(hook.key, &Page::first()).await.unwrap().rows.remove(0).payload;
    assert!(payload.contains("dns.worse") && payload.contains("mx:one.example:MX"), "{payload}");
}

#[tokio::test]
async fn who_is_due_is_checked_and_not_again_within_a_day() {
    let house = House::open().await;
    assert_eq!(house.service.dns.begin_due().await.unwrap(), 3, "the host and both domains");
    house.quiet().await;
    assert_eq!(house.service.dns.begin_due().await.unwrap(), 0);
    house.clock.advance(Duration::from_hours(22));
    assert_eq!(house.service.dns.begin_due().await.unwrap(), 0);
    house.clock.advance(Duration::from_hours(4));
    assert_eq!(house.service.dns.begin_due().await.unwrap(), 3);
    house.quiet().await;
    let owner = house.actor(Role::Owner, true).await;
    house.service.dns.check_all(&owner).await.unwrap();
    assert_eq!(house.service.dns.begin_due().await.unwrap(), 3);
    house.quiet().await;
    let soon = house.service.dns.check(&owner, Some("one.example")).await;
    assert!(matches!(soon, Err(Failure::TooMany { .. })), "{soon:?}");
    let host = house.service.dns.host(&owner).await.unwrap();
    assert_eq!((host.ascii.as_str(), host.zone.as_str(), host.is_host), ("mx.house.example", "house.example", true));
}

#[tokio::test]
async fn an_account_is_tried_before_it_is_kept() {
    let house = House::open().await;
    let (dns, owner) = (&house.service.dns, house.actor(Role::Owner, true).await);
    let add = |new| async { short(dns.add_account(&owner, new).await) };
    assert_eq!(add(new_account("nowhere.example")).await, "unfit: domain dns-provider-failure-no-zone");
    let wrong = BTreeMap::from([("token".to_owned(), Password::new("wrong"))]);
    let refused = NewDnsAccount { settings: wrong, ..new_account("one.example") };
    assert_eq!(add(refused).await, "unfit:  dns-provider-failure-refused");
    let empty = NewDnsAccount { settings: BTreeMap::new(), ..new_account("one.example") };
    assert_eq!(add(empty).await, "unfit: token dns-provider-form-missing");
    assert_eq!(add(new_account("one.example")).await, "done");
    let account = dns.accounts(&owner, FIRST).await.unwrap().rows.remove(0);
    assert_eq!((account.zones.as_slice(), account.settings.len()), (["one.example".to_owned()].as_slice(), 0));
    let rename = DnsAccountChange { name: Some("Ours".to_owned()), ..DnsAccountChange::default() };
    assert_eq!(dns.change_account(&owner, &account.id, rename).await.unwrap().name, "Ours");
    dns.publish_txt("_acme-challenge.one.example", "proof").await.unwrap();
    assert_eq!(house.dns.zone("_acme-challenge.one.example", "TXT"), ["\"proof\""]);
    dns.remove_txt("_acme-challenge.one.example", "proof").await.unwrap();
    assert_eq!(house.dns.zone("_acme-challenge.one.example", "TXT"), Vec::<String>::new());
    dns.remove_account(&owner, &account.id).await.unwrap();
    assert_eq!(short(dns.account(&owner, &account.id).await), "absent: dns-account-unknown");
}

#[tokio::test]
async fn a_push_is_done_as_it_was_shown_and_undone() {
    let house = House::open().await;
    let (dns, owner) = (&house.service.dns, house.actor(Role::Owner, true).await);
    check(&house).await;
    let mx = DnsPushForm { findings: vec!["mx:one.example:MX".to_owned()], ..DnsPushForm::default() };
    let without = dns.preview(&owner, Some("one.example"), &mx).await;
    assert_eq!(short(without), "clash:  dns-push-no-zone");
    dns.add_account(&owner, new_account("one.example")).await.unwrap();
    let shown = dns.preview(&owner, Some("one.example"), &mx).await.unwrap();
    assert_eq!(
        (shown.changes.len(), shown.changes[0].added.as_slice()),
        (1, ["10 mx.house.example.".to_owned()].as_slice())
    );
    let other = DnsPushForm { plan: Some("other".to_owned()), ..mx.clone() };
    assert_eq!(short(dns.push(&owner, Some("one.example"), &other).await), "stale: dns-push-changed");
    assert!(house.dns.zone("one.example", "MX").is_empty());
    let shown = DnsPushForm { plan: Some(shown.plan), ..mx.clone() };
    let pushed = dns.push(&owner, Some("one.example"), &shown).await.unwrap();
    assert_eq!((pushed.is_complete, pushed.can_undo, pushed.by.as_str()), (true, true, "owner@one.example"));
    assert_eq!(house.dns.zone("one.example", "MX"), ["10 mx.house.example."]);
    let undone = dns.undo(&owner, &pushed.id).await.unwrap();
    assert_eq!((undone.undone_by.as_deref(), undone.can_undo), (Some("owner@one.example"), false));
    assert!(house.dns.zone("one.example", "MX").is_empty());
    assert_eq!(short(dns.undo(&owner, &pushed.id).await), "clash:  dns-push-undone");
    assert_eq!(dns.pushes(&owner, Some("one.example"), FIRST).await.unwrap().rows.len(), 1);
    // Nobody waits any more, and it is done all the same.
    let shown = dns.preview(&owner, Some("one.example"), &mx).await.unwrap();
    let form = DnsPushForm { plan: Some(shown.plan), ..mx };
    let mut pushing = Box::pin(dns.push(&owner, Some("one.example"), &form));
    while house.dns.zone("one.example", "MX").is_empty() {
        tokio::select! {
            biased;
            _ = &mut pushing => break,
            () = tokio::task::yield_now() => {}
        }
    }
    drop(pushing);
    dns.finish().await;
    assert_eq!(dns.pushes(&owner, Some("one.example"), FIRST).await.unwrap().rows.len(), 2);
}

#[tokio::test]
async fn another_tenants_domain_is_not_there() {
    let house = House::open().await;
    let admin = house.actor(Role::DomainAdmin, true).await;
    let dns = &house.service.dns;
    assert_eq!(short(dns.show(&admin, "two.example").await), "absent: failure-unknown-domain");
    assert_eq!(short(dns.check(&admin, Some("two.example")).await), "absent: failure-unknown-domain");
    assert_eq!(short(dns.zone_file(&admin, Some("two.example")).await), "absent: failure-unknown-domain");
    assert_eq!(dns.list(&admin, &DnsWanted::default()).await.unwrap().rows.len(), 1);
}
