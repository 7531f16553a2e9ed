//! Mail of a house: it comes in as by SMTP, the queue's worker serves what is for the house, and what is for other hosts waits.

use std::future::ready;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use relais_delivery::{
    Answer, Delivery, DeliveryConfig, Dialer, Found, LookupError, MxRecord, Ports, Resolver, Stream, TlsaRecord,
};
use relais_model::{Address, Clock as _, Domain, Envelope, ForwardPath, MailboxName, Reply, ReversePath, Timestamp};
use relais_reception::{Arrival, Door, Identity, Visit};
use relais_store::{Page, QueueEntry, QueueFilter, Row};
use relais_testkit::SeededRandom;
use tokio::time::{sleep, timeout};

use crate::house::{House, domain};

/// The queue's worker has this long to serve what is for the house.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where mail comes from.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

/// A network in which nobody answers.
#[derive(Debug)]
struct Nobody;

fn no_answer<'a, T: Send + 'a>() -> Answer<'a, Result<Found<T>, LookupError>> {
    Box::pin(ready(Err(LookupError::Temporary("nobody is there".to_owned()))))
}

impl Resolver for Nobody {
    fn mx<'a>(&'a self, _: &'a Domain) -> Answer<'a, Result<Found<MxRecord>, LookupError>> {
        no_answer()
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> Answer<'a, Result<Found<IpAddr>, LookupError>> {
        no_answer()
    }

    fn tlsa<'a>(&'a self, _: &'a Domain) -> Answer<'a, Result<Found<TlsaRecord>, LookupError>> {
        no_answer()
    }

    fn txt<'a>(&'a self, _: &'a Domain) -> Answer<'a, Result<Found<String>, LookupError>> {
        no_answer()
    }
}

impl Dialer for Nobody {
    fn dial(&self, _: SocketAddr, _: Option<IpAddr>) -> Answer<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(ready(Err(io::Error::from(io::ErrorKind::ConnectionRefused))))
    }

    fn is_own(&self, _: IpAddr) -> bool {
        false
    }
}

impl House {
    /// A message from another host is taken.
    pub(crate) async fn comes(&self, from: &str, to: &str, raw: &str) {
        self.take(Visit::new(Door::Relay, CLIENT), from, to, raw).await;
    }

    /// A message of somebody who has logged in is taken.
    pub(crate) async fn sends(&self, from: &str, to: &str, raw: &str) {
        let account = self.store.account(&address(from)).await.unwrap().unwrap();
        let identity = Identity { account: account.key, address: account.address, at: self.clock.now() };
        let visit = Visit { identity: Some(identity), ..Visit::new(Door::Submission, CLIENT) };
        self.take(visit, from, to, raw).await;
    }

    async fn take(&self, visit: Visit, from: &str, to: &str, raw: &str) {
        let replies = self.replies(visit, from, to, raw).await.unwrap_or_else(|reply| vec![reply]);
        let said: Vec<String> = replies.iter().map(ToString::to_string).collect();
        assert!(said.iter().all(|reply| reply.starts_with("250 ")), "from {from} to {to}: {said:?}");
    }

    /// MAIL, RCPT and DATA.
    async fn replies(&self, visit: Visit, from: &str, to: &str, raw: &str) -> Result<Vec<Reply>, Reply> {
        let mut envelope = Envelope::new(ReversePath::Address(address(from)), Timestamp::default());
        self.reception.sender(&visit, &envelope).await?;
        let path = ForwardPath::new(address(to));
        let plan = self.reception.recipient(&visit, &envelope, &path).await?;
        envelope.recipients.push(path);
        let arrival = Arrival::new(visit, "client.example", "ESMTP");
        let mut incoming = self.reception.begin(arrival, envelope, vec![plan]).await?;
        incoming.write(raw.replace('\n', "\r\n").as_bytes()).await.unwrap();
        Ok(self.reception.finish(incoming).await)
    }

    /// Has the queue's worker run until nothing is left there that is for this house: lists have sent out, kept or answered what was written to them.
    pub(crate) async fn serve_queue(&self) {
        let mut config = DeliveryConfig::new(domain("mx.one.example"));
        config.drain = Duration::ZERO;
        let ports = Ports {
            resolver: Arc::new(Nobody),
            dialer: Arc::new(Nobody),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(9)),
        };
        let delivery = Delivery::start(self.store.clone(), config, ports).unwrap();
        let is_ours =
            |row: &QueueEntry| ["one.example", "two.example"].contains(&row.recipient.address.domain.as_str());
        let wait = async {
            // The database tells nobody when it changes.
            while self.queue_rows().await.iter().any(is_ours) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, wait).await.expect("what is for the house is served");
        delivery.stop().await;
    }

    async fn queue_rows(&self) -> Vec<QueueEntry> {
        self.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows
    }

    /// What waits in the queue for an address, as it is kept there.
    pub(crate) async fn queued_for(&self, recipient: &str) -> Vec<String> {
        let mut found = Vec::new();
        for row in self.queue_rows().await {
            if row.recipient.address.to_string() == recipient {
                found.push(text(self.store.raw(row.message.message).await.unwrap().unwrap()));
            }
        }
        found
    }

    /// The messages in a mailbox, as they are kept; none where there is no such mailbox.
    pub(crate) async fn mail(&self, of: &str, mailbox: &str) -> Vec<String> {
        let account = self.store.account(&address(of)).await.unwrap().unwrap().key;
        let name = MailboxName::parse(mailbox).unwrap();
        let Some(key) = self.store.mailbox_key(account, &name).await.unwrap() else { return Vec::new() };
        let view = self.store.view(key).await.unwrap().unwrap();
        let messages: Vec<_> = view.read(|rows| rows.iter().map(Row::message).collect());
        let mut found = Vec::new();
        for message in messages {
            found.push(text(self.store.raw(message).await.unwrap().unwrap()));
        }
        found
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn text(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap()
}
