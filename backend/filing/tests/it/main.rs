//! Plans, made on a real store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a fixture that cannot be made fails its test where it stands"
)]

use std::sync::Arc;

use relais_filing::{Filing, FilingError, Plan, Refusal};
use relais_model::{Address, Domain, ForwardPath, MailboxName, Notify, OriginalRecipient, Secret, SpecialUse};
use relais_store::{
    AccountChange, AliasTerms, Author, DatabaseUrl, DomainChange, ListTerms, NewAccount, NewMember, Store, StoreConfig,
    Target,
};
use relais_testkit::{ManualClock, SeededRandom};
use tempfile::TempDir;

struct House {
    store: Store,
    filing: Filing,
    _dir: TempDir,
}

impl House {
    /// Ann, Bob and Eve (who is suspended) at example.org; the host is mx.example.org.
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            database: DatabaseUrl::Sqlite(dir.path().join("store.db")),
            objects: dir.path().join("objects"),
            inline_octets: 64 * 1024,
            readers: 1,
        };
        let clock = Arc::new(ManualClock::default());
        let store = Store::open(config, clock, Arc::new(SeededRandom::default())).await.unwrap();
        store
            .add_domain(&Domain::parse("example.org").unwrap(), DomainChange::default(), &Author::house())
            .await
            .unwrap();
        for name in ["ann", "bob", "eve"] {
            let password_hash = Secret::new("hash");
            let address = address(&format!("{name}@example.org"));
            store
                .add_account(
                    NewAccount { password_hash: Some(password_hash), ..NewAccount::user(address) },
                    &Author::house(),
                )
                .await
                .unwrap();
        }
        let suspension = AccountChange { is_suspended: Some(true), ..AccountChange::default() };
        store.change_account(&address("eve@example.org"), suspension, None, &Author::house()).await.unwrap();
        let filing = Filing::new(store.clone(), Domain::parse("mx.example.org").unwrap());
        Self { store, filing, _dir: dir }
    }

    async fn alias(&self, alias: &str, targets: &[&str]) {
        let targets = targets.iter().map(|text| address(text)).collect();
        self.store.add_alias(&address(alias), targets, &Author::house()).await.unwrap();
    }

    async fn plan(&self, text: &str) -> Result<Plan, Refusal> {
        match self.filing.plan(&path(text)).await {
            Ok(plan) => Ok(plan),
            Err(FilingError::Refused(refusal)) => Err(refusal),
            Err(FilingError::Failed(error)) => panic!("{error}"),
        }
    }

    #[track_caller]
    fn words(plan: Result<Plan, Refusal>) -> Result<String, Refusal> {
        let plan = plan?;
        let local = plan.deliveries.iter().map(|delivery| delivery.address.local_part.to_string());
        let remote = plan.forwards.iter().map(|forward| forward.address.to_string());
        let lost = plan.lost.iter().map(|(address, _)| format!("!{}", address.local_part));
        Ok(local.chain(remote).chain(lost).collect::<Vec<_>>().join(" "))
    }

    async fn check(&self, text: &str, expected: Result<&str, Refusal>) {
        assert_eq!(Self::words(self.plan(text).await), expected.map(str::to_owned), "{text}");
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn path(text: &str) -> ForwardPath {
    ForwardPath::new(address(text))
}

#[tokio::test]
async fn each_account_and_each_forward_is_reached_once() {
    let house = House::open().await;
    house.alias("team@example.org", &["ann@example.org", "all@example.org", "Ann+x@example.org", "f@x.example"]).await;
    house.alias("all@example.org", &["bob@example.org", "F@x.example", "team@example.org", "ann@example.org"]).await;
    house.check("team@example.org", Ok("ann bob f@x.example")).await;
}

#[tokio::test]
async fn who_cannot_be_reached_is_refused_and_among_others_is_told() {
    let house = House::open().await;
    house.alias("some@example.org", &["eve@example.org", "ann@example.org", "nobody@example.org"]).await;
    house.alias("none@example.org", &["eve@example.org"]).await;
    house.check("eve@example.org", Err(Refusal::Suspended)).await;
    house.check("nobody@example.org", Err(Refusal::NoSuchAddress)).await;
    house.check("ann@elsewhere.example", Err(Refusal::NotLocal)).await;
    house.check("some@example.org", Ok("ann !eve !nobody")).await;
    house.check("none@example.org", Err(Refusal::Suspended)).await;
}

#[tokio::test]
async fn who_writes_to_an_ended_alias_is_told_what_its_owner_says() {
    let house = House::open().await;
    let ended = |text: &str| AliasTerms {
        ends_at: Some(house.store.now()),
        ended_text: text.to_owned(),
        ..vec![address("ann@example.org")].into()
    };
    let owner = Author::house();
    house.store.add_alias_on(&address("fair@example.org"), ended("It is over"), &owner).await.unwrap();
    house.store.add_alias_on(&address("old-*@example.org"), ended(""), &owner).await.unwrap();
    house.alias("both@example.org", &["fair@example.org", "bob@example.org"]).await;
    house.check("fair@example.org", Err(Refusal::Ended("It is over".to_owned()))).await;
    house.check("old-1@example.org", Err(Refusal::Ended("This address is not used any more".to_owned()))).await;
    house.check("both@example.org", Ok("bob !fair")).await;
}

/// What is written to a list goes to the queue, as the list's own; what only we write there is refused.
#[tokio::test]
async fn a_list_is_on_its_way_to_itself() {
    let house = House::open().await;
    let terms = ListTerms::default();
    let list = house.store.add_list(&address("team@example.org"), terms, &Author::house()).await.unwrap();
    let owner = NewMember { is_owner: true, ..NewMember::reader(address("ann@example.org")) };
    house.store.put_list_members(list.key, vec![owner], &Author::house()).await.unwrap();
    house.alias("all@example.org", &["team@example.org", "bob@example.org"]).await;
    house.check("team@example.org", Ok("team@example.org")).await;
    house.check("team-subscribe@example.org", Ok("team-subscribe@example.org")).await;
    house.check("all@example.org", Ok("bob team@example.org")).await;
    house.check("team-owner@example.org", Ok("ann")).await;
    house.check("team-more+1-x@example.org", Err(Refusal::NoSuchAddress)).await;
}

#[tokio::test]
async fn circles_and_long_chains_end() {
    let house = House::open().await;
    house.alias("round@example.org", &["about@example.org"]).await;
    house.alias("about@example.org", &["Round@example.org"]).await;
    house.check("round@example.org", Err(Refusal::Endless)).await;
    for step in 0..12 {
        house.alias(&format!("a{step}@example.org"), &[&format!("a{}@example.org", step + 1)]).await;
    }
    house.alias("a12@example.org", &["ann@example.org"]).await;
    house.check("a0@example.org", Err(Refusal::Endless)).await;
    house.check("a3@example.org", Ok("ann")).await;
}

#[tokio::test]
async fn a_catch_all_takes_what_nobody_has() {
    let house = House::open().await;
    let org = Domain::parse("example.org").unwrap();
    house
        .store
        .change_domain(
            &org,
            DomainChange { catch_all: Some(Some(address("bob@example.org"))), ..DomainChange::default() },
            None,
            &Author::house(),
        )
        .await
        .unwrap();
    house.check("whoever@example.org", Ok("bob")).await;
    house.check("ann@example.org", Ok("ann")).await;
    house
        .store
        .change_domain(
            &org,
            DomainChange { catch_all: Some(Some(address("nobody@example.org"))), ..DomainChange::default() },
            None,
            &Author::house(),
        )
        .await
        .unwrap();
    house.check("whoever@example.org", Err(Refusal::Endless)).await;
    house
        .store
        .change_domain(
            &org,
            DomainChange { catch_all: Some(Some(address("c@x.example"))), ..DomainChange::default() },
            None,
            &Author::house(),
        )
        .await
        .unwrap();
    house.check("whoever@example.org", Ok("c@x.example")).await;
}

/// RFC 5321 §4.5.1: also at the host's own name, which is no domain of ours.
#[tokio::test]
async fn postmaster_is_always_reached() {
    let house = House::open().await;
    house.check("PostMaster@example.org", Ok("ann")).await;
    house.check("postmaster@mx.example.org", Ok("ann")).await;
    house.check("ann@mx.example.org", Err(Refusal::NotLocal)).await;
    house.check("postmaster@elsewhere.example", Err(Refusal::NotLocal)).await;
}

/// RFC 5233: the detail names a mailbox, in whatever spelling (RFC 9051 §5.1), but never one with a use of its own.
#[tokio::test]
async fn a_detail_leads_to_the_mailbox_of_its_name() {
    let house = House::open().await;
    let ann = house.store.account(&address("ann@example.org")).await.unwrap().unwrap().key;
    let [books, cafe] = ["Books", "Caf\u{e9}"].map(|name| MailboxName::parse(name).unwrap());
    for name in [&books, &cafe] {
        house.store.create_mailbox(ann, name, None::<SpecialUse>).await.unwrap();
    }
    for (text, expected) in [
        ("ann@example.org", Target::Inbox),
        ("ann+Books@example.org", Target::Name(books)),
        ("ann+Cafe\u{301}@example.org", Target::Name(cafe)),
        ("ann+other@example.org", Target::Inbox),
        ("ann+Trash@example.org", Target::Inbox),
        ("ann+inbox@example.org", Target::Inbox),
        ("ann+@example.org", Target::Inbox),
    ] {
        assert_eq!(house.plan(text).await.unwrap().deliveries[0].mailbox, expected, "{text}");
    }
}

/// RFC 3461 §5.2.7: one target takes NOTIFY over; of several none reports success; ORCPT is the sender's, or what the sender wrote.
#[tokio::test]
async fn forwards_carry_on_what_the_sender_asked() {
    let house = House::open().await;
    house.alias("one@example.org", &["f@x.example"]).await;
    house.alias("two@example.org", &["f@x.example", "g@x.example"]).await;
    let asked = Notify { success: true, failure: true, delay: false };
    let original = OriginalRecipient { address_type: "rfc822".to_owned(), address: "first@y.example".to_owned() };
    for (text, notify, given, expected_notify, expected_original) in [
        ("one@example.org", Some(asked), None, Some(asked), "one@example.org"),
        ("one@example.org", None, Some(original), None, "first@y.example"),
        ("two@example.org", Some(asked), None, Some(Notify { success: false, ..asked }), "two@example.org"),
        ("two@example.org", Some(Notify::NEVER), None, Some(Notify::NEVER), "two@example.org"),
    ] {
        let path = ForwardPath { notify, original: given, ..path(text) };
        let plan = house.filing.plan(&path).await.unwrap();
        assert_eq!(plan.is_expanded, text.starts_with("two"));
        for forward in plan.forwards {
            assert_eq!(forward.notify, expected_notify, "{text}");
            assert_eq!(forward.original.unwrap().address, expected_original, "{text}");
        }
    }
}
