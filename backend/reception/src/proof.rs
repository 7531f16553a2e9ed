//! Whose mail a stranger's message is, and what its author's domain wants done with it (DMARC, RFC 9989): found when it is whole, and
//! written into its header.

use std::net::IpAddr;
use std::time::Duration;

use relais_message::{delivered_octets, fields, header_octets};
use relais_model::{Domain, EnhancedCode, Reply, ReversePath, Timestamp};
use relais_msgauth::dkim::DkimResult;
use relais_msgauth::dmarc::{Decision, DmarcResult, Overrides, dispose};
use relais_msgauth::spf::SpfResult;
use relais_msgauth::{Answering, Authentication, Facts, Family, Lack, Resolver, authenticate, results};
use relais_store::{Domains, Settings};
use tokio::time::{Instant, timeout_at};
use tracing::info;

use crate::tally::Tally;

/// A message has so long to be checked (RFC 7208 §4.6.4 wants 20 seconds at least); what the DNS owes then it owes for good.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was found of a message.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) authentication: Authentication,
    pub(crate) decision: Decision,
}

impl Proof {
    /// Checks a message.
    pub(crate) async fn of(facts: &Facts<'_>, resolver: &dyn Resolver, trusted: &Trusted) -> Self {
        let authentication = authenticate(facts, resolver).await;
        let list = trusted.list(facts.message, &authentication);
        let overrides = Overrides { list: list.as_deref(), trusted_sealers: &trusted.sealers };
        let decision = dispose(&authentication.dmarc, &authentication.arc, &overrides);
        info!(
            peer.ip = %facts.peer, reverse_path = %facts.reverse_path, spf = authentication.spf_mail_from.result.as_str(),
            dmarc = authentication.dmarc.result.as_str(), disposition = ?decision.disposition, "message checked"
        );
        Self { authentication, decision }
    }

    /// The author's domain stands behind it (DMARC).
    pub(crate) fn is_proven(&self) -> bool {
        self.authentication.dmarc.result == DmarcResult::Pass
    }

    /// The sender's domain says that it doesn't come from there.
    pub(crate) fn is_disowned(&self) -> bool {
        let found = &self.authentication;
        !self.is_proven() && (found.dmarc.result == DmarcResult::Fail || found.spf_mail_from.result == SpfResult::Fail)
    }

    /// Counts it for the author's domain, where that asks to be told; `follows`: what it wants is done.
    pub(crate) fn count(&self, tally: &Tally, now: Timestamp, reverse_path: &ReversePath, follows: bool) {
        let domain = reverse_path.address().map_or("", |address| address.domain.as_str());
        tally.count(now, (&self.authentication, &self.decision), domain, follows);
    }

    /// To whoever gave us a message that its author's domain wants refused.
    pub(crate) fn refusal(&self) -> Reply {
        let author = self.authentication.dmarc.author.as_deref().unwrap_or_default();
        let text = format!(
            "{author} wants mail refused that is not proved to be theirs (DMARC): neither SPF nor DKIM speaks for it"
        );
        Reply::new(550, EnhancedCode::new(5, 7, 1), text)
    }

    /// The message, whose first `added_octets` are ours, with the field that says what was found below what delivery added, and without
    /// those that only claim to be ours.
    pub(crate) fn marked(&self, octets: &[u8], added_octets: usize, host: &str) -> Vec<u8> {
        let (ours, message) = octets.split_at(added_octets.min(octets.len()));
        let (delivered, received) = ours.split_at(delivered_octets(ours));
        let (header, body) = message.split_at(header_octets(message).min(message.len()));
        let honest = results::without_forged(message, &[host]).map(|(header, _)| header);
        let field = self.authentication.field(host);
        [delivered, field.as_bytes(), received, honest.as_deref().unwrap_or(header), body].concat()
    }
}

/// Whose word the house takes against an author's domain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trusted {
    sealers: Vec<Domain>,
    lists: Vec<Domain>,
}

impl Trusted {
    /// As the house is set.
    pub(crate) fn of(settings: &Settings) -> Self {
        let names = |domains: &Domains| domains.as_slice().to_vec();
        Self { sealers: names(&settings.trust_arc_sealers), lists: names(&settings.trust_mailing_lists) }
    }

    /// The list that a message came through, where the house knows it. Anybody may write a List-Id (RFC 2919 §7): SPF or DKIM must speak for
    /// the list, or for a domain above it. A list without one is known by the domain that they speak for.
    fn list(&self, message: &[u8], found: &Authentication) -> Option<String> {
        if self.lists.is_empty() {
            return None;
        }
        let signed = found.dkim.iter().filter(|check| check.result == DkimResult::Pass);
        let signed = signed.filter_map(|check| check.signature.as_ref()).map(|signature| signature.domain.as_str());
        let sent = (found.spf_mail_from.result == SpfResult::Pass).then_some(found.spf_mail_from.domain.as_str());
        let mut proved = signed.chain(sent).filter_map(|name| Domain::parse(name).ok());
        let is_known = |name: &Domain| self.lists.iter().any(|known| is_within(name, known));
        let list = match list_id(message) {
            Some(list) => is_known(&list).then_some(list).filter(|list| proved.any(|domain| is_within(list, &domain))),
            None => proved.find(|domain| self.lists.contains(domain)),
        };
        list.map(|list| list.to_string())
    }
}

fn is_within(name: &Domain, above: &Domain) -> bool {
    let rest = name.as_str().strip_suffix(above.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// `List-Id: The chess club <chess.lists.example>` (RFC 2919 §3).
fn list_id(message: &[u8]) -> Option<Domain> {
    let header = message.get(..header_octets(message))?;
    let field = fields(header).find(|field| field.is("List-Id"))?;
    let text = String::from_utf8_lossy(&field.unfolded()).into_owned();
    let name = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(&*text, |(name, _)| name);
    Domain::parse(name.trim()).ok()
}

/// The DNS, as long as there is time.
#[derive(Debug)]
pub(crate) struct InTime<'r> {
    resolver: &'r dyn Resolver,
    until: Instant,
}

impl<'r> InTime<'r> {
    /// For one message, from now on.
    pub(crate) fn new(resolver: &'r dyn Resolver) -> Self {
        Self { resolver, until: Instant::now() + PATIENCE }
    }

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
