//! What accounts send, and what stops it.

use std::time::Duration;

use relais_model::{Address, BodyType, ReversePath};
use relais_store::{
    Acceptance, AccountChange, AccountKey, Author, Claim, Complaint, HoldEnd, HoldFacts, HoldFilter, HoldNews,
    HoldReason, LoginProtocol, NewHold, NewQueued, NewRecipient, Outcome, Page, Protocols, QueueAct, QueueFilter,
    QueueState, SPAN, SendingLimits, Settlement, Submission, TraceId, TraceKind,
};
use relais_testkit::SeededRandom;

use crate::house::{House, NOW, acceptance, message, on_both};
use crate::people::address;

/// A message of `account` to these, of whom so many are new.
fn submission(account: AccountKey, number: u64, to: &[&str], new_recipients: u64) -> Acceptance {
    let recipient = |to: &&str| NewRecipient { address: address(to), notify: None, original: None };
    let recipients = u64::try_from(to.len()).unwrap();
    Acceptance {
        outbound: Some(NewQueued {
            reverse_path: ReversePath::Address(address("anna@house.example")),
            ret: None,
            envelope_id: None,
            body_type: BodyType::EightBitMime,
            smtputf8: false,
            require_tls: false,
            submitter: Some(account),
            recipients: to.iter().map(recipient).collect(),
            expires_at: NOW.plus(Duration::from_hours(120)),
        }),
        trace: TraceId::make(NOW, &SeededRandom::new(number)),
        submission: Some(Submission { account, recipients, new_recipients }),
        ..acceptance(&message(u32::try_from(number).unwrap()), Vec::new())
    }
}

fn burst(account: AccountKey) -> NewHold {
    let facts = HoldFacts { messages: 4, new_recipients: 120, ..HoldFacts::default() };
    NewHold { account, reason: HoldReason::NewRecipients, facts, peer: Some("198.51.100.7".parse().unwrap()) }
}

fn news() -> HoldNews {
    HoldNews { event_id: "evt_1".to_owned(), payload: "{}".to_owned() }
}

async fn states(house: &House) -> Vec<(String, QueueState)> {
    let listing = house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap();
    listing.rows.into_iter().map(|row| (row.recipient.address.to_string(), row.recipient.state)).collect()
}

async fn acts(house: &House) -> Vec<String> {
    let (filter, page) = (relais_store::AuditFilter::default(), Page { after: None, limit: 3 });
    house.store.audit(&filter, &page).await.unwrap().rows.into_iter().map(|entry| entry.act).collect()
}

/// Claims what is due and gives all of it this outcome.
async fn settle(house: &House, outcome: &Outcome) -> usize {
    let claim = Claim { limit: 100, per_destination: 100, lease: Duration::from_hours(1), busy: Vec::new() };
    let claimed = house.store.queue_claim(claim).await.unwrap();
    let recipients = claimed.iter().flat_map(|message| &message.recipients);
    let settlements: Vec<Settlement> =
        recipients.map(|recipient| Settlement { recipient: recipient.key, outcome: outcome.clone() }).collect();
    let count = settlements.len();
    house.store.queue_settle(settlements, Vec::new()).await.unwrap();
    count
}

fn refused() -> Outcome {
    let (reply, remote) = ("550 5.1.1 No such user".to_owned(), "mx.else.example".to_owned());
    Outcome::Failed { reply, remote, is_unknown: true }
}

fn taken() -> Outcome {
    Outcome::Delivered { reply: "250 2.0.0 Ok".to_owned(), remote: "mx.else.example".to_owned(), protection: None }
}

#[test]
fn what_is_accepted_is_counted_by_spans() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        store.accept(submission(anna, 1, &["a@else.example", "b@else.example"], 2)).await.unwrap();
        store.accept(submission(anna, 2, &["a@else.example"], 0)).await.unwrap();
        // At once, and of the same account: none of them is lost.
        let many: Vec<_> =
            (3..33).map(|number| store.accept(submission(anna, number, &["c@else.example"], 1))).collect();
        for accepted in futures_util::future::join_all(many).await {
            accepted.unwrap();
        }
        house.clock.advance(SPAN);
        store.accept(submission(anna, 40, &["d@else.example"], 1)).await.unwrap();
        let counts = store.sent_counts(anna, NOW.minus(SPAN)).await.unwrap();
        let seen: Vec<_> = counts.iter().map(|it| (it.messages, it.recipients, it.new_recipients)).collect();
        assert_eq!(seen, [(32, 33, 32), (1, 1, 1)]);
        assert_eq!(store.sent_counts(house.bert, NOW.minus(SPAN)).await.unwrap(), []);
        house.clock.advance(relais_store::COUNTS_KEPT_FOR);
        store.collect().await.unwrap();
        assert_eq!(store.sent_counts(anna, NOW.minus(SPAN)).await.unwrap().len(), 1, "the older one is forgotten");
        house.check().await;
    });
}

#[test]
fn an_account_has_limits_of_its_own() {
    on_both(|house| async move {
        let store = &house.store;
        assert_eq!(store.sending_state(house.anna).await.unwrap(), relais_store::SendingState::default());
        let change = AccountChange {
            hourly_messages: Some(Some(10)),
            daily_recipients: Some(Some(300)),
            daily_new_recipients: Some(Some(20)),
            ..AccountChange::default()
        };
        store.change_account(&address("anna@house.example"), change, None, &Author::house()).await.unwrap();
        let limits = SendingLimits {
            hourly_messages: Some(10),
            daily_recipients: Some(300),
            daily_new_recipients: Some(20),
            ..SendingLimits::default()
        };
        assert_eq!(store.sending_state(house.anna).await.unwrap().limits, limits);
        assert_eq!(store.account(&address("anna@house.example")).await.unwrap().unwrap().limits, limits);
        store.note_written(house.anna, &[address("Old@else.example")]).await.unwrap();
        let to = ["new@else.example", "OLD@else.example", "NEW@else.example"].map(address);
        assert_eq!(store.never_written_to(house.anna, &to).await.unwrap(), ["new@else.example"]);
        let many: Vec<Address> = (0..200).map(|number| address(&format!("n{number}@else.example"))).collect();
        assert_eq!(store.never_written_to(house.anna, &many).await.unwrap().len(), 200);
        house.check().await;
    });
}

#[test]
fn a_hold_stops_what_waits_and_what_comes_until_it_is_released() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        store.accept(submission(anna, 1, &["a@else.example"], 1)).await.unwrap();
        store.accept(submission(house.bert, 2, &["b@else.example"], 1)).await.unwrap();
        assert!(store.raise_hold(burst(anna)).await.unwrap());
        assert!(!store.raise_hold(burst(anna)).await.unwrap(), "one at a time");
        assert_eq!(acts(&house).await[0], "hold.raise");
        store.accept(submission(anna, 3, &["c@else.example", "d@else.example"], 2)).await.unwrap();
        store.accept(submission(house.bert, 4, &["e@else.example"], 1)).await.unwrap();
        let (stays, waits) = (QueueState::Held, QueueState::Waiting);
        let expected = [("a", stays), ("b", waits), ("c", stays), ("d", stays), ("e", waits)];
        let expected = expected.map(|(name, state)| (format!("{name}@else.example"), state));
        assert_eq!(states(&house).await, expected);
        assert_eq!(settle(&house, &taken()).await, 2, "only what isn't held is tried");
        let hold = store.standing_hold(anna).await.unwrap().unwrap();
        assert_eq!((hold.reason, hold.facts.new_recipients), (HoldReason::NewRecipients, 120));
        assert!(store.sending_state(anna).await.unwrap().is_held);
        let sum = store.held_sum(hold.key).await.unwrap();
        assert_eq!((sum.messages, sum.recipients), (2, 3));
        let samples = store.held_samples(hold.key).await.unwrap();
        let samples: Vec<_> =
            samples.iter().map(|it| (it.subject.as_deref(), it.recipient.as_str(), it.recipients)).collect();
        assert_eq!(samples, [(Some("Number 3"), "c@else.example", 2), (Some("Number 1"), "a@else.example", 1)]);
        let untold = HoldFilter { is_untold: true, is_standing: true, ..HoldFilter::default() };
        assert_eq!(store.count_holds(&untold).await.unwrap(), 1);
        store.note_hold_told(&hold, news()).await.unwrap();
        assert_eq!(store.count_holds(&untold).await.unwrap(), 0);
        let by_hand = QueueFilter { recipient: Some(address("d@else.example")), ..QueueFilter::default() };
        store.queue_act(&Author::house(), QueueAct::Release, &by_hand, None).await.unwrap();
        house.clock.advance(Duration::from_hours(10));
        assert_eq!(store.release_hold(&Author::house(), anna).await.unwrap(), Some(2), "one went on by hand");
        assert_eq!(store.release_hold(&Author::house(), anna).await.unwrap(), None);
        assert_eq!(acts(&house).await[0], "hold.release");
        let entry = &store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows[0];
        assert_eq!(entry.message.expires_at, NOW.plus(Duration::from_hours(130)), "it has as long as if never held");
        let usual = store.released_holds(anna).await.unwrap();
        assert_eq!((usual.messages, usual.new_recipients, usual.peers.len()), (4, 120, 1));
        let to = ["a", "c", "z"].map(|name| address(&format!("{name}@else.example")));
        assert_eq!(store.never_written_to(anna, &to).await.unwrap(), ["z@else.example"]);
        assert_eq!(settle(&house, &taken()).await, 3);
        let ended = store.holds(&HoldFilter::default(), &Page::first()).await.unwrap().rows;
        assert_eq!(ended[0].ended.map(|(_, end)| end), Some(HoldEnd::Released));
        house.check().await;
    });
}

#[test]
fn who_drops_a_hold_shuts_out_whoever_was_in() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let salt = relais_store::ScramSalt { salt: vec![1; 16], iterations: 4096 };
        store.take_scram_salt(&address("anna@house.example"), salt).await.unwrap();
        let new = relais_store::NewAppPassword {
            name: "phone".to_owned(),
            protocols: Protocols::of(&[LoginProtocol::Smtp]),
            stored_key: [1; 32],
            server_key: [2; 32],
        };
        store.add_app_password(&address("anna@house.example"), new, &Author::house()).await.unwrap();
        for number in 0..1100 {
            store.accept(submission(anna, number, &["a@else.example"], 1)).await.unwrap();
        }
        store.raise_hold(burst(anna)).await.unwrap();
        let mut shut_outs = store.shut_outs();
        assert_eq!(store.drop_hold(&Author::house(), anna).await.unwrap(), Some(1100));
        assert_eq!(store.drop_hold(&Author::house(), anna).await.unwrap(), None);
        assert_eq!((states(&house).await.len(), acts(&house).await[0].as_str()), (0, "hold.drop"));
        let account = store.account(&address("anna@house.example")).await.unwrap().unwrap();
        assert!(!account.has_password);
        assert_eq!(store.app_passwords(anna).await.unwrap(), []);
        assert_eq!(store.sending_state(anna).await.unwrap().closed_at, Some(store.now()));
        assert_eq!(shut_outs.try_recv(), Ok(anna));
        assert_eq!(store.sent_counts(anna, NOW.minus(SPAN)).await.unwrap(), [], "it wasn't anna");
        let search = relais_store::TraceFilter::default();
        let told = store.trace(&search, &Page { after: None, limit: 1 }).await.unwrap();
        assert_eq!(told.rows[0].kind, TraceKind::Removed);
        assert_eq!(store.released_holds(anna).await.unwrap().peers, Vec::<std::net::IpAddr>::new());
        house.check().await;
    });
}

/// A node learns from the account's row what another has done, and tells it once, however often it looks.
#[test]
fn whom_one_node_shuts_out_is_shut_out_at_the_others() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let other = house.other_node().await;
        store.raise_hold(burst(anna)).await.unwrap();
        let mut here = store.shut_outs();
        store.drop_hold(&Author::house(), anna).await.unwrap();
        for node in [Some(store.clone()), other.clone()].into_iter().flatten() {
            let mut heard = node.shut_outs();
            for _ in 0..2 {
                node.hear_shut_outs().await.unwrap();
            }
            let at_once = std::iter::from_fn(|| here.try_recv().ok());
            let told: Vec<_> = at_once.chain(std::iter::from_fn(|| heard.try_recv().ok())).collect();
            assert_eq!(told, [anna]);
        }
        if let Some(other) = other {
            other.close().await;
        }
        house.check().await;
    });
}

#[test]
fn what_was_an_accounts_goes_with_it() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        store.accept(submission(anna, 1, &["a@else.example"], 1)).await.unwrap();
        store.raise_hold(burst(anna)).await.unwrap();
        let complaint = Complaint { trace: TraceId::make(NOW, &SeededRandom::new(1)), kind: "abuse" };
        assert_eq!(store.note_complaint(complaint).await.unwrap(), Some(anna));
        store.remove_account(&address("anna@house.example"), None, &Author::house()).await.unwrap();
        house.purge().await;
        assert_eq!(states(&house).await, []);
        house.check().await;
    });
}

#[test]
fn who_is_refused_as_nobody_again_and_again_is_not_written_to() {
    on_both(|house| async move {
        let (store, anna, nobody) = (&house.store, house.anna, address("nobody@else.example"));
        let send = async |account: AccountKey, number: u64, outcome: Outcome| {
            store.accept(submission(account, number, &["Nobody@else.example"], 1)).await.unwrap();
            assert_eq!(settle(&house, &outcome).await, 1);
            store.suppressed(&nobody).await.unwrap()
        };
        assert_eq!(send(anna, 1, refused()).await, None, "one may be a slip");
        assert_eq!(send(anna, 2, refused()).await, None, "the same slip");
        house.clock.advance(Duration::from_hours(2));
        let found = send(anna, 3, refused()).await.unwrap();
        assert_eq!((found.refusals, found.times, found.remote.as_str()), (2, 1, "mx.else.example"));
        assert_eq!(found.until(Duration::from_hours(24)), store.now().plus(Duration::from_hours(24)));
        let listed = store.suppressed_addresses(Some("NOBODY"), &Page::first()).await.unwrap().rows;
        assert_eq!(listed, [found]);
        assert_eq!(store.suppressed_addresses(Some("ann"), &Page::first()).await.unwrap().rows, []);
        let counts = store.sent_counts(anna, NOW.minus(SPAN)).await.unwrap();
        assert_eq!(counts.iter().map(|count| count.unknown_recipients).sum::<u64>(), 3);
        house.clock.advance(Duration::from_hours(24 * 7));
        assert_eq!(store.suppressed(&nobody).await.unwrap(), None, "it is over");
        assert_eq!(store.suppressed_addresses(None, &Page::first()).await.unwrap().rows, []);
        let again = send(house.bert, 4, refused()).await.unwrap();
        assert_eq!((again.times, again.until(Duration::from_hours(1))), (2, store.now().plus(Duration::from_hours(2))));
        store.change_setting(&Author::house(), "suppression.lasts", Some("0")).await.unwrap();
        assert_eq!(store.suppressed(&nobody).await.unwrap(), None, "it is switched off");
        store.change_setting(&Author::house(), "suppression.lasts", None).await.unwrap();
        assert_eq!(send(house.bert, 5, taken()).await, None, "a success ends it");
        for (number, hours) in [(6, 0), (7, 2)] {
            house.clock.advance(Duration::from_hours(hours));
            send(anna, number, refused()).await;
        }
        assert!(store.remove_suppressed(&Author::house(), &nobody).await.unwrap());
        assert!(!store.remove_suppressed(&Author::house(), &nobody).await.unwrap());
        assert_eq!(
            (acts(&house).await[0].as_str(), store.suppressed(&nobody).await.unwrap()),
            ("suppression.remove", None)
        );
        store.collect().await.unwrap();
        house.check().await;
    });
}

#[test]
fn a_complaint_counts_once_a_message() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        store.accept(submission(anna, 1, &["a@else.example"], 1)).await.unwrap();
        let complaint = |number| Complaint { trace: TraceId::make(NOW, &SeededRandom::new(number)), kind: "abuse" };
        assert_eq!(store.note_complaint(complaint(2)).await.unwrap(), None, "nobody here sent that");
        assert_eq!(store.note_complaint(complaint(1)).await.unwrap(), Some(anna));
        assert_eq!(store.note_complaint(complaint(1)).await.unwrap(), None);
        assert_eq!(store.complaints_by_day(anna, NOW.minus(SPAN)).await.unwrap(), [(NOW.day(), 1)]);
        let domain = store.account(&address("anna@house.example")).await.unwrap().unwrap().domain;
        let most = store.most_complained(domain, NOW.minus(SPAN)).await.unwrap();
        assert_eq!(
            most.iter().map(|it| (it.address.to_string(), it.complaints)).collect::<Vec<_>>(),
            [("anna@house.example".to_owned(), 1)]
        );
        let suspicious = async |unknown, complaints| {
            let found = store.suspicious_accounts(NOW.minus(SPAN), unknown, complaints).await.unwrap();
            found.iter().map(|it| (it.account, it.recipients, it.unknown_recipients, it.complaints)).collect::<Vec<_>>()
        };
        assert_eq!(suspicious(1, 2).await, []);
        assert_eq!(suspicious(1, 1).await, [(anna, 1, 0, 1)]);
        assert_eq!(settle(&house, &refused()).await, 1);
        assert_eq!(suspicious(1, 2).await, [(anna, 1, 1, 1)]);
        store.raise_hold(burst(anna)).await.unwrap();
        assert_eq!(suspicious(1, 1).await, [], "it is held already");
        house.clock.advance(SPAN);
        store.release_hold(&Author::house(), anna).await.unwrap();
        assert_eq!(suspicious(1, 1).await, [], "that was seen, and released");
        house.check().await;
    });
}
