//! Whose mail a stranger's message is: it is checked when it is whole, what was found is written into its header, and what its author's
//! domain wants done with mail that isn't proved to be theirs is done (DMARC, RFC 9989).

use std::net::IpAddr;
use std::time::Duration;

use relais_message::header_octets;
use relais_model::{EnhancedCode, Reply, ReversePath, Timestamp};
use relais_msgauth::dmarc::{Decision, Disposition, Overrides, dispose};
use relais_msgauth::{Answering, Authentication, Facts, Family, Lack, Resolver, authenticate, results};
use tokio::time::{Instant, timeout_at};
use tracing::info;

use crate::tally::Tally;

/// A message has so long to be checked (RFC 7208 §4.6.4 wants 20 seconds at least); what the DNS owes then it owes for good.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was found of a message.
#[derive(Debug)]
pub(crate) struct Proof {
    authentication: Authentication,
    decision: Decision,
}

impl Proof {
    /// Checks a message.
    pub(crate) async fn of(facts: &Facts<'_>, resolver: &dyn Resolver) -> Self {
        let in_time = InTime { resolver, until: Instant::now() + PATIENCE };
        let authentication = authenticate(facts, &in_time).await;
        let decision = dispose(&authentication.dmarc, &authentication.arc, &Overrides::default());
        info!(
            peer.ip = %facts.peer, reverse_path = %facts.reverse_path, spf = authentication.spf_mail_from.result.as_str(),
            dmarc = authentication.dmarc.result.as_str(), disposition = ?decision.disposition, "message checked"
        );
        Self { authentication, decision }
    }

    /// Counts it for the author's domain, where that asks to be told; `follows`: what it wants is done.
    pub(crate) fn count(&self, tally: &Tally, now: Timestamp, reverse_path: &ReversePath, follows: bool) {
        let domain = reverse_path.address().map_or("", |address| address.domain.as_str());
        tally.count(now, (&self.authentication, &self.decision), domain, follows);
    }

    /// What the author's domain wants done.
    pub(crate) const fn disposition(&self) -> Disposition {
        self.decision.disposition
    }

    /// To whoever gave us a message that its author's domain wants refused.
    pub(crate) fn refusal(&self) -> Reply {
        let author = self.authentication.dmarc.author.as_deref().unwrap_or_default();
        let text = format!(
            "{author} wants mail refused that is not proved to be theirs (DMARC): neither SPF nor DKIM speaks for it"
        );
        Reply::new(550, EnhancedCode::new(5, 7, 1), text)
    }

    /// The message, whose first `added_octets` are ours, with the field that says what was found below its Return-Path, and without
    /// those that only claim to be ours.
    pub(crate) fn marked(&self, octets: &[u8], added_octets: usize, host: &str) -> Vec<u8> {
        let (ours, message) = octets.split_at(added_octets.min(octets.len()));
        let return_path = ours.iter().position(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        let (return_path, received) = ours.split_at(return_path);
        let (header, body) = message.split_at(header_octets(message).min(message.len()));
        let honest = results::without_forged(message, &[host]).map(|(header, _)| header);
        let field = self.authentication.field(host);
        [return_path, field.as_bytes(), received, honest.as_deref().unwrap_or(header), body].concat()
    }
}

/// The DNS, as long as there is time.
#[derive(Debug)]
struct InTime<'r> {
    resolver: &'r dyn Resolver,
    until: Instant,
}

impl InTime<'_> {
    async fn answer<T>(&self, asked: Answering<'_, Result<T, Lack>>) -> Result<T, Lack> {
        timeout_at(self.until, asked).await.unwrap_or(Err(Lack::Silence))
    }
}

impl Resolver for InTime<'_> {
    fn txt<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<Vec<u8>>, Lack>> {
        Box::pin(self.answer(self.resolver.txt(name)))
    }

    fn addresses<'a>(&'a self, name: &'a str, family: Family) -> Answering<'a, Result<Vec<IpAddr>, Lack>> {
        Box::pin(self.answer(self.resolver.addresses(name, family)))
    }

    fn mx<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<String>, Lack>> {
        Box::pin(self.answer(self.resolver.mx(name)))
    }

    fn ptr(&self, address: IpAddr) -> Answering<'_, Result<Vec<String>, Lack>> {
        Box::pin(self.answer(self.resolver.ptr(address)))
    }
}
