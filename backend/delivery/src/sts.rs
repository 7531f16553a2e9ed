//! Others' MTA-STS policies (RFC 8461): found, fetched, kept until they end.
//!
//! A policy that is kept outlives its record and its server: whoever can make both silent mustn't be able to take it away (§3.1, §10.2).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use relais_model::{Domain, Timestamp};
use relais_smtp::sts::{POLICY_OCTETS, StsMode, StsPolicy, is_sts, sts_id};
use relais_store::{StsEntry, TlsResult};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::attempt::Ports;
use crate::dial::{Sources, dial, interleave};
use crate::tls::{Tls, TlsFailure, Verify};

/// RFC 8461 §3.3: "a timeout of one minute" is allowed; mail waits meanwhile.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// RFC 8461 §3.3: a fetch that failed isn't tried again for a while.
const REST: Duration = Duration::from_mins(5);
/// A kept policy is fetched anew after this, or after half its life where that is shorter (RFC 8461 §10.2).
const REFRESH_AFTER: Duration = Duration::from_hours(24);
/// One that no mail asked for in this time isn't.
const FORGET_AFTER: Duration = Duration::from_hours(24 * 30);
/// When a policy was used is noted this exactly.
const USED_AGAIN: Duration = Duration::from_hours(24);
/// Policies that are kept, as in the store.
const MOST_POLICIES: usize = 20_000;
/// Failed fetches that are remembered.
const MOST_FAILURES: usize = 10_000;
/// Fetches that are open at once.
const MOST_FETCHES: usize = 16;
/// Octets of an HTTP answer's header.
const HEAD_OCTETS: usize = 16 * 1024;
/// Addresses of a policy's server that are tried.
const MOST_ADDRESSES: usize = 8;

/// A policy, and the id of its record when it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) policy: Arc<StsPolicy>,
    pub(crate) fetched_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    used_at: Timestamp,
    /// The store doesn't know it yet.
    is_new: bool,
}

impl Kept {
    fn refresh_at(&self) -> Timestamp {
        self.fetched_at.plus(REFRESH_AFTER.min(Duration::from_secs(u64::from(self.policy.max_age)) / 2))
    }
}

/// What is known of a domain's policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Known {
    /// In force: none, or of mode `none`, means that there is none.
    pub(crate) kept: Option<Kept>,
    /// Why no newer one was had, where one was announced.
    pub(crate) failure: Option<TlsFailure>,
}

impl Known {
    #[cfg(test)]
    pub(crate) fn of(id: &str, policy: StsPolicy, expires_at: Timestamp) -> Self {
        let (fetched_at, used_at) = (Timestamp::from_seconds(0), Timestamp::from_seconds(0));
        let (id, policy) = (id.to_owned(), Arc::new(policy));
        Self { kept: Some(Kept { id, policy, fetched_at, expires_at, used_at, is_new: false }), failure: None }
    }

    /// The policy, where it asks for anything.
    pub(crate) fn policy(&self) -> Option<&Arc<StsPolicy>> {
        self.kept.as_ref().map(|kept| &kept.policy).filter(|policy| policy.mode != StsMode::None)
    }
}

/// All policies that are kept: in memory, and in the store by what [`Policies::take_new`] gives.
#[derive(Debug)]
pub(crate) struct Policies {
    kept: Mutex<HashMap<Domain, Kept>>,
    /// Fetches that failed: when, for which id, and why.
    failed: Mutex<HashMap<Domain, (Timestamp, String, TlsFailure)>>,
    turns: Semaphore,
    web_port: u16,
    sources: Sources,
}

impl Policies {
    /// `web_port` is 443, but in tests and labs.
    pub(crate) fn new(web_port: u16, sources: Sources) -> Self {
        let turns = Semaphore::new(MOST_FETCHES);
        Self { kept: Mutex::default(), failed: Mutex::default(), turns, web_port, sources }
    }

    /// Takes what the store kept. What can't be read any more is left out: it is fetched anew.
    pub(crate) fn load(&self, entries: Vec<StsEntry>) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries.into_iter().take(MOST_POLICIES) {
            let Ok(policy) = StsPolicy::parse(&entry.policy) else { continue };
            let kept = Kept {
                id: entry.id,
                policy: Arc::new(policy),
                fetched_at: entry.fetched_at,
                expires_at: entry.expires_at,
                used_at: entry.used_at,
                is_new: false,
            };
            all.insert(entry.domain, kept);
        }
    }

    /// What the store is to learn.
    pub(crate) fn take_new(&self) -> Vec<StsEntry> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = |domain: &Domain, kept: &Kept| StsEntry {
            domain: domain.clone(),
            id: kept.id.clone(),
            policy: kept.policy.to_string(),
            fetched_at: kept.fetched_at,
            expires_at: kept.expires_at,
            used_at: kept.used_at,
        };
        let new =
            all.iter_mut().filter_map(|(domain, kept)| std::mem::take(&mut kept.is_new).then(|| entry(domain, kept)));
        new.collect()
    }

    /// The policy that holds for `domain`'s mail now. Asks the DNS each time (the resolver remembers), and fetches where the id is a new one.
    pub(crate) async fn policy(&self, domain: &Domain, ports: &Ports, tls: &Tls) -> Known {
        let kept = self.use_kept(domain, ports.clock.now());
        let Some(id) = announced(domain, ports).await else { return Known { kept, failure: None } };
        if kept.as_ref().is_some_and(|kept| kept.id == id) {
            return Known { kept, failure: None };
        }
        let Ok(_turn) = self.turns.acquire().await else { return Known { kept, failure: None } };
        // Another may have fetched it while we waited.
        let kept = self.use_kept(domain, ports.clock.now());
        if kept.as_ref().is_some_and(|kept| kept.id == id) {
            return Known { kept, failure: None };
        }
        match self.failure(domain, &id, ports.clock.now()) {
            Some(failure) => Known { kept, failure: Some(failure) },
            None => self.renew(domain, id, kept, ports, tls).await,
        }
    }

    /// Fetches anew what is used and will end.
    pub(crate) async fn refresh(&self, ports: &Ports, tls: &Tls) {
        let now = ports.clock.now();
        let due: Vec<(Domain, Kept)> = {
            let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, kept| now < kept.expires_at);
            let due = all.iter().filter(|(_, kept)| kept.refresh_at() <= now && now.since(kept.used_at) < FORGET_AFTER);
            due.map(|(domain, kept)| (domain.clone(), kept.clone())).collect()
        };
        for (domain, kept) in due {
            let id = announced(&domain, ports).await.unwrap_or_else(|| kept.id.clone());
            let Ok(_turn) = self.turns.acquire().await else { return };
            if self.failure(&domain, &id, now).is_none() {
                self.renew(&domain, id, Some(kept), ports, tls).await;
            }
        }
    }

    async fn renew(&self, domain: &Domain, id: String, kept: Option<Kept>, ports: &Ports, tls: &Tls) -> Known {
        let fetched = timeout(FETCH_TIMEOUT, self.fetch(domain, ports, tls)).await;
        let now = ports.clock.now();
        match fetched.unwrap_or_else(|late| Err(fetch_error(&late))) {
            Ok(policy) => {
                let expires_at = now.plus(Duration::from_secs(u64::from(policy.max_age)));
                let policy = Arc::new(policy);
                let kept = Kept { id, policy, fetched_at: now, expires_at, used_at: now, is_new: true };
                self.keep(domain, kept.clone(), now);
                Known { kept: Some(kept), failure: None }
            }
            Err(failure) => {
                tracing::info!(%domain, %failure, is_kept = kept.is_some(), "an MTA-STS policy can't be fetched");
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.retain(|_, (at, ..)| now.since(*at) < REST);
                if failed.len() < MOST_FAILURES {
                    failed.insert(domain.clone(), (now, id, failure.clone()));
                }
                Known { kept, failure: Some(failure) }
            }
        }
    }

    fn use_kept(&self, domain: &Domain, now: Timestamp) -> Option<Kept> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get_mut(domain).filter(|kept| now < kept.expires_at)?;
        if USED_AGAIN <= now.since(kept.used_at) {
            (kept.used_at, kept.is_new) = (now, true);
        }
        Some(kept.clone())
    }

    fn keep(&self, domain: &Domain, kept: Kept, now: Timestamp) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if MOST_POLICIES <= all.len() && !all.contains_key(domain) {
            all.retain(|_, kept| now < kept.expires_at);
            let oldest = all.iter().min_by_key(|(_, kept)| kept.used_at).map(|(domain, _)| domain.clone());
            if let Some(oldest) = oldest.filter(|_| MOST_POLICIES <= all.len()) {
                all.remove(&oldest);
            }
        }
        all.insert(domain.clone(), kept);
    }

    fn failure(&self, domain: &Domain, id: &str, now: Timestamp) -> Option<TlsFailure> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, for_id, failure) = failed.get(domain)?;
        (for_id == id && now.since(*at) < REST).then(|| failure.clone())
    }

    /// RFC 8461 §3.3: over HTTPS, with a certificate that is good for the name, without redirects.
    async fn fetch(&self, domain: &Domain, ports: &Ports, tls: &Tls) -> Result<StsPolicy, TlsFailure> {
        let host = Domain::parse(&format!("mta-sts.{domain}")).map_err(|error| fetch_error(&error))?;
        let found = ports.resolver.addresses(&host).await.map_err(|error| fetch_error(&error))?;
        let remote = |address| SocketAddr::new(address, self.web_port);
        let remotes: Vec<_> = interleave(found.records).into_iter().take(MOST_ADDRESSES).map(remote).collect();
        let dialed = dial(&*ports.dialer, &remotes, self.sources).await;
        let dialed = dialed.map_err(|_silent| fetch_error(&format_args!("{host} doesn't answer")))?;
        let shaken = tls.handshake(dialed.stream, &host, &Verify::Authorities).await;
        let shaken = shaken.map_err(|failure| match failure.result {
            TlsResult::ValidationFailure => fetch_error(&failure),
            _ => TlsFailure { result: TlsResult::StsWebpkiInvalid, ..failure },
        })?;
        let text = ask(TokioIo::new(shaken.stream), &host).await?;
        let invalid = |error| TlsFailure { result: TlsResult::StsPolicyInvalid, text: format!("{error}") };
        StsPolicy::parse(&text).map_err(invalid)
    }
}

/// The id of the domain's policy; none where there isn't exactly one record (RFC 8461 §3.1), or no answer.
async fn announced(domain: &Domain, ports: &Ports) -> Option<String> {
    let name = Domain::parse(&format!("_mta-sts.{domain}")).ok()?;
    let found = ports.resolver.txt(&name).await.ok()?;
    let mut texts = found.records.iter().filter(|text| is_sts(text));
    let text = texts.next().filter(|_| texts.next().is_none())?;
    sts_id(text)
}

fn fetch_error(error: &dyn std::fmt::Display) -> TlsFailure {
    TlsFailure { result: TlsResult::StsPolicyFetchError, text: error.to_string() }
}

async fn ask<S>(stream: S, host: &Domain) -> Result<String, TlsFailure>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let request = Request::get("/.well-known/mta-sts.txt").header(HOST, host.as_str()).header("connection", "close");
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| fetch_error(&error))?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_OCTETS);
    let (mut sender, connection) = builder.handshake(stream).await.map_err(|error| fetch_error(&error))?;
    let asking = async {
        let answer = sender.send_request(request).await.map_err(|error| fetch_error(&error))?;
        // RFC 8461 §3.3: 200, text/plain, and no redirect is followed.
        if answer.status().as_u16() != 200 {
            return Err(fetch_error(&format_args!("{host} answers {}", answer.status())));
        }
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/plain")) {
            return Err(fetch_error(&format_args!("{host} serves `{}`, not text/plain", kind.escape_debug())));
        }
        let body = Limited::new(answer.into_body(), POLICY_OCTETS).collect().await;
        let body = body.map_err(|error| fetch_error(&error))?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    };
    tokio::pin!(asking, connection);
    tokio::select! {
        // The answer first: its connection may end with it.
        biased;
        answer = &mut asking => answer,
        // A server that closes at once makes our own closing fail: what it said before counts.
        _ended = &mut connection => asking.await,
    }
}

#[cfg(test)]
mod tests;
