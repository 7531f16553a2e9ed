//! A message from MAIL to the reply after its end, on a real store.

use std::sync::Arc;

use relais_model::{Domain, EnhancedCode, Envelope, ForwardPath, MailboxName, Notify, Reply, ReversePath, Timestamp};
use relais_reception::{Arrival, Disk, Door, Identity, Incoming, Reception, ReceptionConfig, Visit};
use relais_store::{
    AccountChange, Author, Grantee, JudgedAs, Lent, NewAccount, Page, QueueFilter, TraceFilter, TraceKind,
};
use relais_testkit::SeededRandom;

use crate::house::{House, address};

pub(crate) const PLAIN: &str = "From: ann@example.org\r\nSubject: hello\r\n\r\nThe body.\r\n";

/// Ann and Ben at example.org; team@ leads to both, half@ to Ann and to nobody, away@ to another host.
pub(crate) struct Desk {
    pub(crate) house: House,
    pub(crate) reception: Reception,
}

/// What is said before DATA.
pub(crate) struct Said<'a> {
    door: Door,
    logged_in: Option<&'a str>,
    from: &'a str,
    to: &'a [&'a str],
    notify: Option<Notify>,
}

/// From another host.
pub(crate) fn from_outside<'a>(from: &'a str, to: &'a [&'a str]) -> Said<'a> {
    Said { door: Door::Relay, logged_in: None, from, to, notify: None }
}

/// By Ann.
pub(crate) fn by_ann<'a>(from: &'a str, to: &'a [&'a str]) -> Said<'a> {
    Said { door: Door::Submission, logged_in: Some("ann@example.org"), ..from_outside(from, to) }
}

impl Said<'_> {
    /// With what RCPT asks for by NOTIFY (RFC 3461 §4.1).
    pub(crate) fn notifying(self, notify: Option<Notify>) -> Self {
        Self { notify, ..self }
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::with_floor(0).await
    }

    async fn with_floor(free_octets: u64) -> Self {
        let house = House::open().await;
        house.add_account("ann@example.org", "hash").await;
        house.add_account("ben@example.org", "hash").await;
        for (alias, targets) in [
            ("team@example.org", &["ann@example.org", "ben@example.org"][..]),
            ("half@example.org", &["ann@example.org", "nobody@example.org"]),
            ("away@example.org", &["somebody@elsewhere.example"]),
        ] {
            let targets = targets.iter().map(|target| address(target)).collect();
            house.store.add_alias(&address(alias), targets, &Author::house()).await.unwrap();
        }
        let reception = reception(&house, free_octets, SeededRandom::default());
        Self { house, reception }
    }

    /// The same house with another desk, which remembers nothing.
    pub(crate) fn restarted(self) -> Self {
        let reception = reception(&self.house, 0, SeededRandom::new(77));
        Self { reception, ..self }
    }

    pub(crate) async fn identity(&self, text: &str) -> Identity {
        let account = self.house.store.account(&address(text)).await.unwrap().unwrap();
        Identity { account: account.key, address: account.address, at: self.house.store.now() }
    }

    /// MAIL, RCPT and DATA up to the end of the message; or the reply that stops it.
    pub(crate) async fn begin(&self, said: &Said<'_>, message: &str) -> Result<Incoming, Reply> {
        let identity = match said.logged_in {
            Some(name) => Some(self.identity(name).await),
            None => None,
        };
        let visit = Visit { identity, ..Visit::new(said.door, "192.0.2.1".parse().unwrap()) };
        let visit = Visit { lists: self.reception.lists(&visit), ..visit };
        let reverse_path =
            if said.from.is_empty() { ReversePath::Null } else { ReversePath::Address(address(said.from)) };
        let mut envelope = Envelope::new(reverse_path, Timestamp::default());
        self.reception.sender(&visit, &envelope).await?;
        let mut plans = Vec::new();
        for to in said.to {
            let path = ForwardPath { notify: said.notify, ..ForwardPath::new(address(to)) };
            plans.push(self.reception.recipient(&visit, &envelope, &path).await?);
            envelope.recipients.push(path);
        }
        let arrival = Arrival::new(visit, "client.example", "ESMTP");
        let mut incoming = self.reception.begin(arrival, envelope, plans).await?;
        incoming.write(message.as_bytes()).await.unwrap();
        Ok(incoming)
    }

    /// The replies in short.
    pub(crate) async fn send(&self, said: &Said<'_>, message: &str) -> Vec<String> {
        match self.begin(said, message).await {
            Ok(incoming) => self.reception.finish(incoming).await.iter().map(short).collect(),
            Err(reply) => vec![short(&reply)],
        }
    }

    /// The first reply in full.
    pub(crate) async fn said(&self, said: &Said<'_>, message: &str) -> String {
        match self.begin(said, message).await {
            Ok(incoming) => self.reception.finish(incoming).await.first().map(ToString::to_string).unwrap_or_default(),
            Err(reply) => reply.to_string(),
        }
    }

    /// The messages in INBOX, or the mailbox of that name.
    pub(crate) async fn mail(&self, of: &str, mailbox: &str) -> Vec<String> {
        let (store, account) = (&self.house.store, self.identity(of).await.account);
        let name = MailboxName::parse(mailbox).unwrap();
        let Some(status) = store.mailbox(account, &name).await.unwrap() else { return Vec::new() };
        let view = store.view(status.mailbox.key).await.unwrap().unwrap();
        let mut messages = Vec::new();
        for key in view.read(|rows| rows.iter().map(relais_store::Row::message).collect::<Vec<_>>()) {
            messages.push(String::from_utf8(store.raw(key).await.unwrap().unwrap()).unwrap());
        }
        messages
    }

    pub(crate) async fn inbox(&self, of: &str) -> Vec<String> {
        self.mail(of, "INBOX").await
    }

    /// The sender of what was queued last, and the message as the next host gets it.
    pub(crate) async fn on_its_way(&self) -> (String, String) {
        let listing = self.house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap();
        let message = &listing.rows[0].message;
        let raw = self.house.store.raw(message.message).await.unwrap().unwrap();
        let sender = message.reverse_path.address().map(ToString::to_string).unwrap_or_default();
        let raw = String::from_utf8(raw).unwrap();
        (sender, raw.split_once("\r\n").unwrap().1.to_owned())
    }

    /// Sender and recipient of what is queued.
    pub(crate) async fn queued(&self) -> Vec<(String, String)> {
        let listing = self.house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap();
        let row = |entry: relais_store::QueueEntry| {
            (entry.message.reverse_path.to_string(), entry.recipient.address.to_string())
        };
        listing.rows.into_iter().map(row).collect()
    }

    pub(crate) async fn limit(&self, of: &str, octets: u64) {
        let change = AccountChange { quota_octets: Some(Some(octets)), ..AccountChange::default() };
        self.house.store.change_account(&address(of), change, None, &Author::house()).await.unwrap();
    }
}

fn reception(house: &House, free_octets: u64, random: SeededRandom) -> Reception {
    let config = ReceptionConfig { host_name: Domain::parse("mx.example.org").unwrap() };
    let (clock, path) = (house.clock.clone(), house.dir.path());
    let disk = Arc::new(Disk::new(path, free_octets, clock.clone()));
    Reception::new(house.store.clone(), config, path, disk, clock, Arc::new(random))
}

fn short(reply: &Reply) -> String {
    format!("{} {}", reply.code, reply.enhanced.unwrap())
}

const SUCCESS: Option<Notify> = Some(Notify { success: true, failure: true, delay: false });

/// RFC 5321 §4.4; RFC 6409 §8: what clients leave out is added, and Bcc is nobody's business.
#[tokio::test]
async fn a_submission_is_mended_and_stamped() {
    let desk = Desk::open().await;
    let message = "From: Ann <ann@example.org>\r\nBcc: ben@example.org\r\nSubject: hello\r\n\r\nThe body.\r\n";
    assert_eq!(desk.send(&by_ann("ann@example.org", &["ben@example.org"]), message).await, ["250 2.0.0"]);
    let got = desk.inbox("ben@example.org").await.remove(0);
    let (header, body) = got.split_once("\r\n\r\n").unwrap();
    assert!(
        header.starts_with(
            "Return-Path: <ann@example.org>\r\nDelivered-To: ben@example.org\r\nReceived: from client.example ([192.0.2.1])"
        ),
        "{header}"
    );
    for field in ["\r\nDate: ", "\r\nMessage-ID: <", "\r\nSubject: hello", "for <ben@example.org>"] {
        assert!(header.contains(field), "{field} in {header}");
    }
    assert!(!header.contains("Bcc"), "{header}");
    assert_eq!(body, "The body.\r\n");
}

/// RFC 9228: where one is meant and has it here, the message says by which address it came; else nobody learns of anybody.
#[tokio::test]
async fn a_message_to_one_says_to_whom_it_was_sent() {
    let desk = Desk::open().await;
    // What only passes through isn't delivered here.
    assert_eq!(desk.send(&by_ann("ann@example.org", &["x@far.example"]), PLAIN).await, ["250 2.0.0"]);
    let (_, message) = desk.on_its_way().await;
    assert!(!message.contains("Delivered-To"), "{message}");
    for (to, of, says) in [
        (&["Ben+Shop@example.org"][..], "ben@example.org", Some("Delivered-To: Ben+Shop@example.org")),
        (&["team@example.org"], "ann@example.org", Some("Delivered-To: team@example.org")),
        (&["ben@example.org", "ann@example.org"], "ben@example.org", None),
        (&["ben@example.org", "away@example.org"], "ben@example.org", None),
    ] {
        let brought = format!("Delivered-To: list@elsewhere.example\r\n{PLAIN}");
        let replies = desk.send(&from_outside("x@elsewhere.example", to), &brought).await;
        assert!(replies.iter().all(|reply| reply == "250 2.0.0"), "{to:?}: {replies:?}");
        let got = desk.inbox(of).await.pop().unwrap();
        let found: Vec<&str> = got.lines().filter(|line| line.starts_with("Delivered-To: ")).collect();
        let expected: Vec<&str> = says.into_iter().chain(["Delivered-To: list@elsewhere.example"]).collect();
        assert_eq!(found, expected, "{to:?}: what was there stays below");
        assert_eq!(says.is_some(), got.lines().nth(1) == says, "right below Return-Path: {got}");
    }
}

/// What comes from other hosts is theirs: nothing is mended.
#[tokio::test]
async fn mail_of_others_is_only_stamped() {
    let desk = Desk::open().await;
    let message = "Bcc: ben@example.org\r\n\r\nThe body.\r\n";
    assert_eq!(desk.send(&from_outside("x@elsewhere.example", &["ben@example.org"]), message).await, ["250 2.0.0"]);
    let got = desk.inbox("ben@example.org").await.remove(0);
    assert!(got.ends_with(message) && !got.contains("Message-ID"), "{got}");
}

/// RFC 6409 §6.1: one writes as oneself, in the envelope and in the header.
#[tokio::test]
async fn nobody_writes_in_the_name_of_others() {
    let desk = Desk::open().await;
    let header = |from: &str| format!("From: {from}\r\n\r\n");
    for (envelope_from, message, expected) in [
        ("ann@example.org", header("ann@example.org"), "250 2.0.0"),
        ("ann@example.org", header("\"Somebody\" <ANN+x@example.org>"), "250 2.0.0"),
        ("ann@example.org", header("team@example.org"), "250 2.0.0"),
        ("team@example.org", header("ann@example.org"), "250 2.0.0"),
        ("", header("ann@example.org"), "250 2.0.0"),
        ("ben@example.org", header("ann@example.org"), "553 5.7.1"),
        ("x@elsewhere.example", header("ann@example.org"), "553 5.7.1"),
        ("ann@example.org", header("ben@example.org"), "550 5.7.1"),
        ("ann@example.org", header("ann@example.org, ben@example.org"), "550 5.7.1"),
        ("ann@example.org", "Sender: ben@example.org\r\nFrom: ann@example.org\r\n\r\n".to_owned(), "550 5.7.1"),
        ("ann@example.org", "From: ann@example.org\r\nFrom: ben@example.org\r\n\r\n".to_owned(), "550 5.7.1"),
        ("ann@example.org", "Subject: by whom?\r\n\r\n".to_owned(), "554 5.6.0"),
    ] {
        let replies = desk.send(&by_ann(envelope_from, &["ben@example.org"]), &message).await;
        assert_eq!(replies, [expected], "{envelope_from} {message}");
    }
}

/// RFC 6409 §6.1, RFC 5322 §3.6.2: as a team that lends its address; on its behalf with a Sender; and the reply says what is missing.
#[tokio::test]
async fn who_borrows_an_address_says_so_where_they_must() {
    let desk = Desk::open().await;
    let store = &desk.house.store;
    let team = |text: &str| NewAccount::team(address(text));
    let ann = Grantee::Account(desk.identity("ann@example.org").await.account);
    for (name, how) in
        [("as@example.org", Some(Lent::As)), ("for@example.org", Some(Lent::OnBehalf)), ("not@example.org", None)]
    {
        let key = store.add_account(team(name), &Author::house()).await.unwrap().key;
        store.lend(key, ann, how, &Author::house()).await.unwrap();
    }
    let header = |from: &str, sender: &str| format!("From: {from}\r\n{sender}\r\n");
    let (own, none) = ("Sender: Ann <ann@example.org>\r\n", "");
    for (envelope_from, message, expected) in [
        ("ann@example.org", header("as@example.org", none), "250 2.0.0"),
        ("as@example.org", header("as@example.org", none), "250 2.0.0"),
        ("as@example.org", header("As <as+x@example.org>", own), "250 2.0.0"),
        ("ann@example.org", header("ann@example.org", "Sender: as@example.org\r\n"), "250 2.0.0"),
        ("ann@example.org", header("for@example.org", own), "250 2.0.0"),
        ("ann@example.org", header("for@example.org, ann@example.org", own), "250 2.0.0"),
        (
            "ann@example.org",
            header("for@example.org", none),
            "550 5.7.1 ann@example.org may send on behalf of for@example.org \
             That takes a header field: Sender: ann@example.org",
        ),
        (
            "for@example.org",
            header("for@example.org", own),
            "553 5.7.1 ann@example.org may send on behalf of for@example.org \
             That takes MAIL FROM:<ann@example.org>, and a header field: Sender: ann@example.org",
        ),
        (
            "ann@example.org",
            header("for@example.org", "Sender: ben@example.org\r\n"),
            "550 5.7.1 ann@example.org may not send mail with the Sender ben@example.org",
        ),
        (
            "ann@example.org",
            header("for@example.org", "Sender: for@example.org\r\n"),
            "550 5.7.1 ann@example.org may not send mail with the Sender for@example.org",
        ),
        (
            "ann@example.org",
            header("not@example.org", own),
            "550 5.7.1 ann@example.org may not send mail From not@example.org",
        ),
        (
            "not@example.org",
            header("ann@example.org", none),
            "553 5.7.1 ann@example.org may not send as not@example.org",
        ),
    ] {
        let said = desk.said(&by_ann(envelope_from, &["ben@example.org"]), &message).await;
        assert!(said.starts_with(expected), "{envelope_from} {message}: {said}");
    }
}

#[tokio::test]
async fn mail_for_other_hosts_is_queued_once_a_recipient() {
    let desk = Desk::open().await;
    let to = ["somebody@elsewhere.example", "ben@example.org", "away@example.org"];
    assert_eq!(desk.send(&by_ann("ann@example.org", &to), PLAIN).await, ["250 2.0.0"; 3]);
    let row = ("<ann@example.org>".to_owned(), "somebody@elsewhere.example".to_owned());
    assert_eq!(desk.queued().await, [row.clone(), row]);
    assert_eq!(desk.inbox("ben@example.org").await.len(), 1);
}

/// Whoever has no limit of their own has the house's.
#[tokio::test]
async fn the_house_limits_recipients_of_a_day() {
    let desk = Desk::open().await;
    let author = Author::house();
    let set = |value: &'static str| desk.house.store.change_setting(&author, "sending.recipients_per_day", Some(value));
    set("2").await.unwrap();
    let three = ["ben@example.org", "x@elsewhere.example", "y@elsewhere.example"];
    assert_eq!(desk.send(&by_ann("ann@example.org", &three), PLAIN).await, ["550 5.7.1"; 3]);
    let change = AccountChange { daily_recipients: Some(Some(3)), ..AccountChange::default() };
    desk.house.store.change_account(&address("ann@example.org"), change, None, &author).await.unwrap();
    assert_eq!(desk.send(&by_ann("ann@example.org", &three), PLAIN).await, ["250 2.0.0"; 3], "theirs counts for more");
}

/// RFC 5321 §4.2.2: past it the client is told so, and nothing is taken; the next day begins anew.
#[tokio::test]
async fn who_has_a_limit_sends_no_more_in_a_day() {
    let desk = Desk::open().await;
    let change =
        AccountChange { daily_messages: Some(Some(2)), daily_recipients: Some(Some(3)), ..AccountChange::default() };
    desk.house.store.change_account(&address("ann@example.org"), change, None, &Author::house()).await.unwrap();
    let (one, two) = (["ben@example.org"], ["ben@example.org", "x@elsewhere.example"]);
    let four = ["ben@example.org", "x@elsewhere.example", "y@elsewhere.example", "z@elsewhere.example"];
    assert_eq!(desk.send(&by_ann("ann@example.org", &four), PLAIN).await, ["550 5.7.1"; 4]);
    assert_eq!(desk.send(&by_ann("ann@example.org", &two), PLAIN).await, ["250 2.0.0"; 2]);
    assert_eq!(desk.send(&by_ann("ann@example.org", &two), PLAIN).await, ["450 4.7.1"; 2]);
    assert_eq!(desk.send(&by_ann("ann@example.org", &one), PLAIN).await, ["250 2.0.0"]);
    assert_eq!(desk.send(&by_ann("ann@example.org", &one), PLAIN).await, ["450 4.7.1"]);
    assert_eq!(desk.inbox("ben@example.org").await.len(), 2);
    assert_eq!(
        desk.send(&from_outside("ann@example.org", &one), PLAIN).await,
        ["250 2.0.0"],
        "nobody has logged in there"
    );
    desk.house.clock.advance(std::time::Duration::from_hours(24));
    assert_eq!(desk.send(&by_ann("ann@example.org", &one), PLAIN).await, ["250 2.0.0"]);
}

/// However many recipients lead to a mailbox, it takes one copy; each has its reply and its trace.
#[tokio::test]
async fn a_mailbox_takes_one_copy_of_a_transaction() {
    for door in [Door::Relay, Door::Lmtp] {
        let desk = Desk::open().await;
        let to = ["team@example.org", "ann@example.org", "ANN+x@example.org", "ben@example.org"];
        let said = Said { door, ..from_outside("x@elsewhere.example", &to) };
        assert_eq!(desk.send(&said, PLAIN).await, ["250 2.0.0"; 4]);
        for of in ["ann@example.org", "ben@example.org"] {
            assert_eq!(desk.inbox(of).await.len(), 1, "{of}");
        }
        let trace = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap();
        let traced: std::collections::BTreeSet<_> = trace.rows.into_iter().map(|row| row.recipient).collect();
        assert_eq!(traced.len(), to.len(), "{traced:?}");
    }
}

/// RFC 5321 §4.2.3, §6.3: what is refused, and with which words.
#[tokio::test]
async fn what_cannot_be_taken_is_refused() {
    let round = format!("{}\r\nround\r\n", "Received: from x by y; Mon, 23 Nov 2026 10:00:00 +0000\r\n".repeat(101));
    let far = format!("{}\r\nfar\r\n", "Received: from x by y; Mon, 23 Nov 2026 10:00:00 +0000\r\n".repeat(100));
    let large = format!("Subject: large\r\n\r\n{}", "0123456789\r\n".repeat(400));
    let (roomy, full) = (0, u64::MAX);
    for (free_octets, message, expected) in [
        (roomy, PLAIN, "250 2.0.0"),
        (full, PLAIN, "452 4.3.1"),
        (roomy, &round, "554 5.4.6"),
        (roomy, &far, "250 2.0.0"),
        (roomy, &large, "452 4.2.2"),
    ] {
        let desk = Desk::with_floor(free_octets).await;
        desk.limit("ben@example.org", 20_000).await;
        if message == large {
            desk.limit("ben@example.org", 4000).await;
        }
        let replies = desk.send(&from_outside("x@elsewhere.example", &["ben@example.org"]), message).await;
        assert_eq!(replies, [expected]);
        let is_taken = expected.starts_with("250");
        assert_eq!(desk.inbox("ben@example.org").await.len(), usize::from(is_taken));
        assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
    }
}

/// A mailbox that fills up between RCPT and the end of the message. RFC 2033 §4.2: LMTP says so for each recipient. SMTP has one
/// reply, so the sender gets a notice (RFC 5321 §6.1).
#[tokio::test]
async fn who_is_full_at_the_end_is_told_of() {
    let (taken, full) = ("250 2.0.0", "452 4.2.2");
    for (door, to, expected, notices) in [
        (Door::Lmtp, &["ben@example.org", "ann@example.org"][..], &[full, taken][..], 0),
        (Door::Relay, &["ben@example.org", "ann@example.org"], &[taken, taken], 1),
        (Door::Relay, &["ben@example.org"], &[full], 0),
        (Door::Lmtp, &["team@example.org"], &[taken], 1),
        (Door::Relay, &["team@example.org"], &[taken], 1),
    ] {
        let desk = Desk::open().await;
        let said = Said { door, ..from_outside("x@elsewhere.example", to) };
        let incoming = desk.begin(&said, PLAIN).await.unwrap();
        desk.limit("ben@example.org", 1).await;
        let replies: Vec<_> = desk.reception.finish(incoming).await.iter().map(short).collect();
        assert_eq!(replies, expected, "{door:?} {to:?}");
        assert_eq!(desk.inbox("ben@example.org").await.len(), 0);
        let queued = desk.queued().await;
        assert_eq!(queued, vec![("<>".to_owned(), "x@elsewhere.example".to_owned()); notices], "{door:?} {to:?}");
    }
}

/// Whatever turns a message away, the trace tells it with its reason: who it was for, what was said, and why.
#[tokio::test]
async fn the_trace_tells_of_all_that_is_turned_away() {
    let round = format!("{}\r\nround\r\n", "Received: from x by y; Mon, 23 Nov 2026 10:00:00 +0000\r\n".repeat(101));
    let outside = || from_outside("x@elsewhere.example", &["ben@example.org"]);
    let to_both = || from_outside("x@elsewhere.example", &["ben@example.org", "ann@example.org"]);
    let foreign = PLAIN.replace("ann@", "ben@");
    // Ben's mailbox is full before RCPT, or fills up while the message comes.
    let (never, before, meanwhile) = (0, 1, 2);
    for (said, message, full, lines, why, judged_as) in [
        (outside(), &*round, never, 1, Some("refused-circles"), JudgedAs::Refused),
        (
            by_ann("ann@example.org", &["ben@example.org"]),
            &foreign,
            never,
            1,
            Some("refused-author"),
            JudgedAs::Refused,
        ),
        (outside(), PLAIN, before, 1, Some("refused-larger"), JudgedAs::Refused),
        (outside(), PLAIN, meanwhile, 1, Some("refused-full"), JudgedAs::PutOff),
        (to_both(), PLAIN, meanwhile, 1, None, JudgedAs::Taken),
        // Guessers of addresses leave nothing.
        (from_outside("x@elsewhere.example", &["nobody@example.org"]), PLAIN, never, 0, None, JudgedAs::Taken),
    ] {
        let desk = Desk::open().await;
        if full == before {
            desk.limit("ben@example.org", 0).await;
        }
        if let Ok(incoming) = desk.begin(&said, message).await {
            if full == meanwhile {
                desk.limit("ben@example.org", 1).await;
            }
            desk.reception.finish(incoming).await;
        }
        let store = &desk.house.store;
        let events = store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows;
        let refused: Vec<_> = events.into_iter().filter(|event| event.kind == TraceKind::Refused).collect();
        assert_eq!(refused.len(), lines, "{why:?} {refused:?}");
        let Some(event) = refused.first() else { continue };
        assert_eq!(event.recipient, "ben@example.org");
        assert!(event.text.starts_with(['4', '5']) && event.remote.starts_with("192.0.2.1"), "{event:?}");
        let judgement = store.judgement(&event.trace).await.unwrap();
        let found = judgement.map(|judgement| (judgement.judged_as, judgement.findings[0].said.id.to_string()));
        assert_eq!(found, why.map(|why| (judged_as, why.to_owned())));
        store.check().await.unwrap();
    }
}

/// What SMTP itself can't take (RFC 5321 §4.5.3.1.7) is told, too, though nobody reads all of it.
#[tokio::test]
async fn the_trace_tells_of_what_is_too_large() {
    for (subject, why) in [(4, "refused-size"), (6, "refused-form")] {
        let desk = Desk::open().await;
        let incoming = desk.begin(&from_outside("x@elsewhere.example", &["ben@example.org"]), PLAIN).await.unwrap();
        let enhanced = if subject == 4 { EnhancedCode::new(5, 3, 4) } else { EnhancedCode::new(5, 6, 0) };
        desk.reception.refuse_unfit(incoming, &Reply::new(552, enhanced, "No")).await;
        let event = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows.remove(0);
        assert_eq!((event.kind, event.subject.as_deref()), (TraceKind::Refused, Some("hello")));
        let judgement = desk.house.store.judgement(&event.trace).await.unwrap().unwrap();
        assert_eq!(judgement.findings[0].said.id, why);
    }
}

/// What SIZE announces at MAIL (RFC 1870 §6.1) was for nobody yet.
#[tokio::test]
async fn the_trace_tells_of_what_is_announced_too_large() {
    let desk = Desk::open().await;
    let reverse_path = ReversePath::Address(address("x@elsewhere.example"));
    let envelope = Envelope { declared_octets: Some(1 << 40), ..Envelope::new(reverse_path, Timestamp::default()) };
    let visit = Visit::new(Door::Relay, "192.0.2.1".parse().unwrap());
    let reply = Reply::new(552, EnhancedCode::new(5, 3, 4), "No");
    desk.reception.refuse_announced(&visit, &envelope, &reply).await;
    let event = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows.remove(0);
    assert_eq!((event.kind, &*event.sender, &*event.recipient), (TraceKind::Refused, "x@elsewhere.example", ""));
    assert_eq!((&*event.text, &*event.remote), ("552 5.3.4 No", "192.0.2.1"));
    let judgement = desk.house.store.judgement(&event.trace).await.unwrap().unwrap();
    assert_eq!((judgement.judged_as, &*judgement.findings[0].said.id), (JudgedAs::Refused, "refused-size"));
}

/// RFC 3461 §5.2.3, §5.2.7.3; RFC 5321 §4.5.5.
#[tokio::test]
async fn who_asked_for_success_is_told() {
    for (from, to, expected) in [
        (
            "ann@example.org",
            "ben@example.org",
            Some("Final-Recipient: rfc822; ben@example.org\r\nAction: delivered\r\nStatus: 2.1.5\r\n"),
        ),
        (
            "ann@example.org",
            "team@example.org",
            Some("Final-Recipient: rfc822; team@example.org\r\nAction: expanded\r\nStatus: 2.1.5\r\n"),
        ),
        ("ann@example.org", "away@example.org", None),
        ("", "ben@example.org", None),
    ] {
        let desk = Desk::open().await;
        let said = Said { notify: SUCCESS, ..from_outside(from, std::slice::from_ref(&to)) };
        assert_eq!(desk.send(&said, PLAIN).await, ["250 2.0.0"]);
        let mail = desk.inbox("ann@example.org").await;
        let notices: Vec<_> = mail.iter().filter(|mail| mail.contains("multipart/report")).collect();
        assert_eq!(notices.len(), usize::from(expected.is_some()), "{from} {to}");
        if let Some(expected) = expected {
            assert!(notices[0].contains(expected), "{}", notices[0]);
            assert!(notices[0].contains("Subject: hello") && !notices[0].contains("The body."), "{}", notices[0]);
        }
    }
}

/// RFC 3461 §5.2.7.2: one address elsewhere takes the wish along.
#[tokio::test]
async fn an_alias_to_one_address_elsewhere_carries_the_wish_on() {
    let desk = Desk::open().await;
    let said = Said { notify: SUCCESS, ..from_outside("x@elsewhere.example", &["away@example.org"]) };
    assert_eq!(desk.send(&said, PLAIN).await, ["250 2.0.0"]);
    let listing = desk.house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap();
    assert_eq!((listing.rows.len(), listing.rows[0].recipient.notify), (1, SUCCESS));
}

/// Where an alias leads to nobody, too, the others are served and the sender is told, unless it asked not to be.
#[tokio::test]
async fn what_an_alias_loses_is_told() {
    let never = Some(Notify::NEVER);
    for (from, notify, is_told) in
        [("ben@example.org", None, true), ("ben@example.org", never, false), ("", None, false)]
    {
        let desk = Desk::open().await;
        let said = Said { notify, ..from_outside(from, &["half@example.org"]) };
        assert_eq!(desk.send(&said, PLAIN).await, ["250 2.0.0"]);
        assert_eq!(desk.inbox("ann@example.org").await.len(), 1);
        let notices = desk.inbox("ben@example.org").await;
        assert_eq!(notices.len(), usize::from(is_told), "{from} {notify:?}");
        if let Some(notice) = notices.first() {
            let fields = "Original-Recipient: rfc822; half@example.org\r\n\
                          Final-Recipient: rfc822; nobody@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n";
            assert!(notice.contains(fields) && notice.contains("The body."), "{notice}");
        }
    }
}
