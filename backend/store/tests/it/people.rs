//! Words that the tests of directory and queue share.

use std::time::Duration;

use relais_model::{Address, BodyType, Clock as _, Domain, ReversePath, Secret};
use relais_store::{Acceptance, Account, Author, DomainChange, NewAccount, NewQueued, NewRecipient, TraceId};

use crate::house::{House, content};

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

pub(crate) async fn add_domain(house: &House, name: &str) {
    house.store.add_domain(&domain(name), DomainChange::default(), &Author::house()).await.unwrap();
}

pub(crate) async fn add_account(house: &House, text: &str) -> Account {
    let password_hash = Secret::new("hash");
    let new = NewAccount { password_hash: Some(password_hash), ..NewAccount::user(address(text)) };
    house.store.add_account(new, &Author::house()).await.unwrap()
}

/// Queues a message from ann@example.org; its trace id is `trace`.
pub(crate) async fn queue(house: &House, trace: &str, recipients: &[&str]) {
    let reverse_path = ReversePath::Address(address("ann@example.org"));
    let recipient = |text: &&str| NewRecipient { address: address(text), notify: None, original: None };
    let queued = NewQueued {
        reverse_path: reverse_path.clone(),
        ret: None,
        envelope_id: None,
        body_type: BodyType::SevenBit,
        smtputf8: false,
        require_tls: false,
        submitter: None,
        recipients: recipients.iter().map(recipient).collect(),
        expires_at: house.clock.now().plus(Duration::from_hours(120)),
    };
    let acceptance = Acceptance {
        content: content(&format!("Subject: {trace}\r\n\r\nHello\r\n")),
        reverse_path,
        deliveries: Vec::new(),
        outbound: Some(queued),
        trace: TraceId::parse(trace).unwrap(),
        from_peer: "192.0.2.1".to_owned(),
        judgement: None,
        submission: None,
    };
    house.store.accept(acceptance).await.unwrap();
}
