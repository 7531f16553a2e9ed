//! The whole worker on a real store, with hosts that play scripts.

use relais_model::{Address, BodyType, Domain, MailboxName, Notify, ReversePath, Uid, UidSet};
use relais_store::{
    AccountKey, Author, Content, DatabaseUrl, DomainChange, NewAccount, NewQueued, NewRecipient, Page, QueueAct,
    QueueEntry, QueueFilter, Store, StoreConfig, TraceFilter, TraceId, TraceKind, Wanted,
};
use relais_testkit::{ManualClock, SeededRandom};

mod lists;

use super::*;
use crate::testing::{FakeDns, Remotes};
use crate::{Delivery, DeliveryConfig, Dialer, Ports};

const HELLO: &str = "S: 220 mx\nC: EHLO us.example\nS: 250 mx\n";
const DATA: &str = "C: DATA\nS: 354 Go on\nC: .\nS: 250 2.0.0 Queued\n";
const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    store: Store,
    clock: Arc<ManualClock>,
    ann: AccountKey,
    _dir: tempfile::TempDir,
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn from(text: &str) -> ReversePath {
    if text.is_empty() { ReversePath::Null } else { ReversePath::Address(address(text)) }
}

fn dns() -> FakeDns {
    FakeDns::default()
        .mx("d.example", &[(10, "mx.d.example")])
        .host("mx.d.example", &["192.0.2.1"])
        .mx("e.example", &[(10, "mx.e.example")])
        .host("mx.e.example", &["192.0.2.2"])
}

impl House {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            database: DatabaseUrl::Sqlite(dir.path().join("store.db")),
            objects: dir.path().join("objects"),
            inline_octets: 100_000,
            readers: 2,
        };
        let clock = Arc::new(ManualClock::default());
        let store = Store::open(config, clock.clone(), Arc::new(SeededRandom::new(7))).await.unwrap();
        let mut house = Self { store, clock, ann: AccountKey::new(0), _dir: dir };
        house.ann = house.add("ann@us.example").await;
        house
    }

    async fn add(&self, text: &str) -> AccountKey {
        let address = address(text);
        self.store.add_domain(&address.domain, DomainChange::default(), &Author::house()).await.unwrap();
        let new = NewAccount::user(address);
        self.store.add_account(new, &Author::house()).await.unwrap().key
    }

    async fn queue(&self, sender: &str, recipients: &[&str], notify: Option<Notify>) {
        self.queue_message((sender, None), recipients, notify, "Subject: hello\r\n\r\nhi\r\n").await;
    }

    async fn queue_message(
        &self,
        (sender, submitter): (&str, Option<AccountKey>),
        recipients: &[&str],
        notify: Option<Notify>,
        raw: &str,
    ) {
        let recipient = |text: &&str| NewRecipient { address: address(text), notify, original: None };
        let outbound = NewQueued {
            reverse_path: from(sender),
            ret: None,
            envelope_id: None,
            body_type: BodyType::SevenBit,
            smtputf8: false,
            require_tls: false,
            submitter,
            recipients: recipients.iter().map(recipient).collect(),
            expires_at: relais_model::Clock::now(&*self.clock).plus(Duration::from_hours(120)),
        };
        let acceptance = Acceptance {
            content: Content::prepare(raw.as_bytes().to_vec()),
            reverse_path: from(sender),
            deliveries: Vec::new(),
            outbound: Some(outbound),
            trace: TraceId::parse("trace1").unwrap(),
            from_peer: String::new(),
            judgement: None,
            submission: None,
        };
        self.store.accept(acceptance).await.unwrap();
    }

    fn start(&self, remotes: &Arc<Remotes>, change: impl FnOnce(&mut DeliveryConfig)) -> Delivery {
        let mut config = DeliveryConfig::new(Domain::parse("us.example").unwrap());
        config.drain = Duration::ZERO;
        change(&mut config);
        let ports = Ports {
            resolver: Arc::new(dns()),
            dialer: Arc::clone(remotes) as Arc<dyn Dialer>,
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::default()),
        };
        Delivery::start(self.store.clone(), config, ports).unwrap()
    }

    async fn list(&self) -> Vec<QueueEntry> {
        self.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows
    }

    /// Waits until the queue is as `is_so` says; the database tells nobody when it changes.
    async fn wait(&self, is_so: impl Fn(&[QueueEntry]) -> bool) -> Vec<QueueEntry> {
        let wait = async {
            loop {
                let rows = self.list().await;
                if is_so(&rows) {
                    return rows;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, wait).await.expect("the queue changes")
    }

    async fn inbox(&self, account: AccountKey) -> Vec<String> {
        let status = self.store.mailbox(account, &MailboxName::parse("INBOX").unwrap()).await.unwrap().unwrap();
        let mut uids = UidSet::new();
        uids.insert_run(Uid::FIRST.value(), 100);
        let mut contents = self.store.contents(status.mailbox.key, uids, Wanted { raw: true, ..Wanted::default() });
        let mut found = Vec::new();
        while let Some(rows) = contents.next().await {
            found.extend(rows.unwrap().into_iter().map(|row| String::from_utf8(row.raw).unwrap()));
        }
        found
    }

    async fn traced(&self) -> Vec<(TraceKind, String)> {
        let filter = TraceFilter { trace: TraceId::parse("trace1"), ..TraceFilter::default() };
        let events = self.store.trace(&filter, &Page::first()).await.unwrap().rows;
        let mut told: Vec<_> = events.into_iter().map(|event| (event.kind, event.recipient)).collect();
        told.sort_by(|a, b| a.1.cmp(&b.1));
        told.retain(|(kind, _)| *kind != TraceKind::Queued);
        told
    }
}

fn transaction(sender: &str, recipients: &[&str]) -> String {
    let mut script = format!("C: MAIL FROM:<{sender}>\nS: 250 Ok\n");
    for recipient in recipients {
        script.extend(["C: RCPT TO:<", recipient, ">\nS: 250 Ok\n"]);
    }
    script + DATA
}

#[tokio::test]
async fn each_destination_gets_one_transaction_with_all_its_recipients() {
    let house = House::open().await;
    let to_d = format!("{HELLO}{}", transaction("ann@us.example", &["a@d.example", "b@d.example"]));
    let to_e = format!("{HELLO}{}", transaction("ann@us.example", &["c@e.example"]));
    let remotes = Remotes::default().script("192.0.2.1:25", &to_d).script("192.0.2.2:25", &to_e);
    let remotes = Arc::new(remotes);
    let delivery = house.start(&remotes, |_| {});
    house.queue("ann@us.example", &["a@d.example", "c@e.example", "b@d.example"], None).await;
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    remotes.assert_played();
    let delivered = |text: &str| (TraceKind::Delivered, text.to_owned());
    assert_eq!(house.traced().await, ["a@d.example", "b@d.example", "c@e.example"].map(delivered));
}

/// RFC 5321 §6.1.
#[tokio::test]
async fn a_failure_is_told_to_a_sender_here() {
    let house = House::open().await;
    let script = format!("{HELLO}C: MAIL\nS: 250 Ok\nC: RCPT\nS: 550 5.1.1 No such user\n");
    let remotes = Arc::new(Remotes::default().script("192.0.2.1:25", &script));
    let delivery = house.start(&remotes, |_| {});
    house.queue("ann@us.example", &["a@d.example"], None).await;
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    let inbox = house.inbox(house.ann).await;
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].contains("Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n"), "{}", inbox[0]);
    assert!(inbox[0].contains("Subject: hello\r\n\r\nhi\r\n"), "{}", inbox[0]);
    assert_eq!(house.traced().await, [(TraceKind::Failed, "a@d.example".to_owned())]);
}

/// RFC 5321 §4.5.5, RFC 3464 §2: the notice has the null reverse-path; failing itself, it is dropped.
#[tokio::test]
async fn a_notice_to_a_sender_elsewhere_goes_through_the_queue_and_is_never_answered() {
    let house = House::open().await;
    let refused = format!("{HELLO}C: MAIL FROM:<x@e.example>\nS: 550 5.7.1 No\n");
    let notice = format!("{HELLO}C: MAIL FROM:<>\nS: 550 5.7.1 No\n");
    let remotes = Remotes::default().script("192.0.2.1:25", &refused).script("192.0.2.2:25", &notice);
    let remotes = Arc::new(remotes);
    let delivery = house.start(&remotes, |_| {});
    house.queue("x@e.example", &["a@d.example"], None).await;
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    remotes.assert_played();
    assert_eq!(house.inbox(house.ann).await, Vec::<String>::new());
}

/// What is under way and may not have been taken is given back, as if it had never been tried.
#[tokio::test]
async fn stopping_gives_back_what_was_claimed() {
    let house = House::open().await;
    let remotes = Arc::new(Remotes::default().script("192.0.2.1:25", "SILENCE"));
    let delivery = house.start(&remotes, |_| {});
    house.queue("ann@us.example", &["a@d.example"], None).await;
    house.wait(|rows| rows.iter().all(|row| row.recipient.state == relais_store::QueueState::Claimed)).await;
    delivery.stop().await;
    let rows = house.list().await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].recipient.state, rows[0].recipient.attempts), (relais_store::QueueState::Waiting, 0));
}

#[tokio::test]
async fn what_is_deferred_waits_and_what_is_retried_goes() {
    let house = House::open().await;
    let good = format!("{HELLO}{}", transaction("ann@us.example", &["a@d.example"]));
    let remotes = Remotes::default().script("192.0.2.1:25", "S: 421 4.3.2 Busy\n").script("192.0.2.1:25", &good);
    let remotes = Arc::new(remotes);
    let delivery = house.start(&remotes, |_| {});
    house.queue("ann@us.example", &["a@d.example"], None).await;
    let rows = house.wait(|rows| rows.iter().all(|row| row.recipient.attempts == 1)).await;
    assert_eq!(rows[0].recipient.last_reply.as_deref(), Some("421 4.3.2 Busy"));
    assert_eq!(rows[0].recipient.last_remote.as_deref(), Some("mx.d.example"));
    house.clock.advance(Duration::from_millis(1));
    house.store.queue_act(&Author::house(), QueueAct::Retry, &QueueFilter::default(), None).await.unwrap();
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    remotes.assert_played();
}

/// RFC 5321 §4.4: with Return-Path.
#[tokio::test]
async fn mail_for_a_domain_that_has_become_ours_is_filed() {
    let house = House::open().await;
    let bob = house.add("bob@d.example").await;
    let remotes = Arc::new(Remotes::default());
    let delivery = house.start(&remotes, |_| {});
    let notify = Some(Notify { success: true, failure: true, delay: true });
    house.queue("ann@us.example", &["bob@d.example", "nobody@d.example"], notify).await;
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    assert_eq!(house.inbox(bob).await, ["Return-Path: <ann@us.example>\r\nSubject: hello\r\n\r\nhi\r\n"]);
    let told = house.inbox(house.ann).await;
    assert!(told.iter().any(|notice| notice.contains("Action: delivered\r\nStatus: 2.1.5\r\n")), "{told:?}");
    assert!(told.iter().any(|notice| notice.contains("Action: failed\r\nStatus: 5.1.1\r\n")), "{told:?}");
}

/// RFC 9228: what is for one of them says by which address it came.
#[tokio::test]
async fn mail_for_one_that_has_become_ours_says_to_whom_it_was_sent() {
    let house = House::open().await;
    let bob = house.add("bob@d.example").await;
    house.store.add_alias(&address("b@d.example"), vec![address("bob@d.example")], &Author::house()).await.unwrap();
    let delivery = house.start(&Arc::new(Remotes::default()), |_| {});
    house.queue("ann@us.example", &["b@d.example"], None).await;
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    let expected = "Return-Path: <ann@us.example>\r\nDelivered-To: b@d.example\r\nSubject: hello\r\n\r\nhi\r\n";
    assert_eq!(house.inbox(bob).await, [expected]);
}

/// What an alias of a domain that has become ours sends on goes under a path of ours, and with nothing of our own delivery in it.
#[tokio::test]
async fn mail_that_becomes_ours_and_goes_on_is_sent_on_as_any_other() {
    let house = House::open().await;
    house.add("bob@d.example").await;
    let (alias, target) = (address("away@d.example"), address("a@e.example"));
    house.store.add_alias(&alias, vec![target], &Author::house()).await.unwrap();
    let remotes = Arc::new(Remotes::default().script("192.0.2.1:25", "SILENCE"));
    let delivery = house.start(&remotes, |_| {});
    house.queue("carl@far.example", &["away@d.example"], None).await;
    house.wait(|rows| rows.iter().any(|row| row.recipient.address.to_string() == "a@e.example")).await;
    let rows = house.list().await;
    delivery.stop().await;
    let path = rows[0].message.reverse_path.to_string();
    assert!(path.starts_with("<SRS0=") && path.ends_with("=far.example=carl@d.example>"), "{path}");
}

/// Many messages for one destination share few connections.
#[tokio::test]
async fn connections_are_shared_and_bounded() {
    let house = House::open().await;
    let one = transaction("ann@us.example", &["a@d.example"]);
    let remotes = Arc::new(Remotes::default().script("192.0.2.1:25", &format!("{HELLO}{}", one.repeat(20))));
    for _ in 0..20 {
        house.queue("ann@us.example", &["a@d.example"], None).await;
    }
    let delivery = house.start(&remotes, |config| config.connections_per_destination = 1);
    house.wait(<[_]>::is_empty).await;
    delivery.stop().await;
    assert_eq!(remotes.messages.lock().unwrap().len(), 20);
}
