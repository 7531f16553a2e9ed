//! The CA by ACME (RFC 8555), as instant-acme speaks it: its types stop here.
//!
//! It tries what a CA refuses for its nonce three times; we repeat each step beside (RFC 8555 §6.5 lets a client go on). All else is
//! repeated by the worker, later.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::Request;
use http::header::RETRY_AFTER;
use http_body_util::{BodyExt as _, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, CertificateIdentifier, ChallengeType,
    Error, ExternalAccountKey, HttpClient, Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use relais_model::{Secret, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use crate::challenge::{Published, Shown};
use crate::served::provider;
use crate::{
    AccountWanted, AuthorityError, CertificateAuthority, ChallengeKind, Doing, Issued, OrderWanted, Problem, Proofs,
    RenewalWindow,
};

/// One request and its answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// An account, or a question about one certificate.
const QUESTION_LIMIT: Duration = Duration::from_mins(2);
/// An order from its first request to its certificate; the wait for the DNS is a part of it.
pub(crate) const ORDER_LIMIT: Duration = Duration::from_mins(15);
/// The CA looks at our proofs, or signs, for so long; then we come back later.
const PATIENCE: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).backoff(1.5).timeout(Duration::from_mins(2));
/// Octets of an answer, at most: chains have some thousands.
const ANSWER_OCTETS: usize = 1 << 20;
/// How often a step is repeated whose nonce the CA refuses, beside instant-acme's own two.
const NONCES: u32 = 10;
/// The CA's Retry-After counts up to this: a CA that says a year is wrong.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(7 * 24);

const ERROR_PREFIX: &str = "urn:ietf:params:acme:error:";

/// Does a step again whose nonce the CA refused (RFC 8555 §6.5).
macro_rules! again {
    ($step:expr) => {{
        let mut left = NONCES;
        loop {
            match $step.await {
                Err(error) if is_bad_nonce(&error) && left > 0 => left -= 1,
                outcome => break outcome,
            }
        }
    }};
}

/// Why no CA can be spoken with.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// A file of roots that can't be read.
    #[error("{path}: {source}")]
    Roots {
        /// Which file.
        path: String,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// CAs by ACME.
pub struct AcmeAuthority {
    http: Http,
    proofs: Proofs,
}

impl fmt::Debug for AcmeAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcmeAuthority")
    }
}

impl AcmeAuthority {
    /// Trusts the public CAs, and those of the PEM file `roots`: a private CA's directory is served with its own certificate.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn new(proofs: Proofs, roots: Option<&Path>) -> Result<Self, AcmeError> {
        Ok(Self { http: Http::new(roots)?, proofs })
    }

    async fn account(&self, credentials: &Secret, http: Http) -> Result<Account, AuthorityError> {
        let credentials: AccountCredentials = serde_json::from_str(credentials.expose())
            .map_err(|error| AuthorityError::Account(Problem::ours("credentials", error.to_string())))?;
        let builder = Account::builder_with_http(Box::new(http.clone()));
        builder.from_credentials(credentials).await.map_err(|error| told(error, &http))
    }

    async fn place(&self, wanted: &OrderWanted, http: &Http) -> Result<Order, AuthorityError> {
        let account = self.account(&wanted.credentials, http.clone()).await?;
        let identifiers: Vec<Identifier> = wanted.names.iter().map(|name| Identifier::Dns(name.clone())).collect();
        let leaf = wanted.replaces.as_deref().and_then(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).ok());
        let replaced = leaf.as_ref().and_then(|leaf| CertificateIdentifier::try_from(leaf).ok());
        if let Some(replaced) = replaced {
            let order = NewOrder::new(&identifiers).replaces(replaced);
            match again!(account.new_order(&order)) {
                // RFC 9773 §5: it was replaced already, or this CA knows nothing of replacing.
                Err(error) if is_of_replacing(&error) => {}
                placed => return placed.map_err(|error| told(error, http)),
            }
        }
        again!(account.new_order(&NewOrder::new(&identifiers))).map_err(|error| told(error, http))
    }

    /// Shows the proofs, lets the CA look, and fetches what it signs.
    async fn fulfil(
        &self,
        order: &mut Order,
        wanted: &OrderWanted,
        published: &mut Published,
        http: &Http,
    ) -> Result<Issued, AuthorityError> {
        let shown = self.prove(order, wanted.challenge, published, http).await?;
        match again!(order.poll_ready(&PATIENCE)) {
            Ok(OrderStatus::Ready) => {}
            Ok(_) => return Err(refusals(order, http).await),
            Err(error @ Error::Api(_)) => {
                let refused = refusals(order, http).await;
                return Err(if matches!(refused, AuthorityError::Names(_)) { refused } else { told(error, http) });
            }
            Err(error) => return Err(told(error, http)),
        }
        drop(shown);
        let (key_pem, request) = signing_request(wanted).map_err(|error| told(error, http))?;
        again!(order.finalize_csr(&request)).map_err(|error| told(error, http))?;
        let chain_pem = again!(order.poll_certificate(&PATIENCE)).map_err(|error| told(error, http))?;
        Ok(Issued { chain_pem, key_pem })
    }

    /// Shows all proofs, then tells the CA of each. A name whose proof can't be shown is refused by us, in the CA's stead.
    async fn prove(
        &self,
        order: &mut Order,
        challenge: ChallengeKind,
        published: &mut Published,
        http: &Http,
    ) -> Result<Vec<Shown>, AuthorityError> {
        let (mut shown, mut refused) = (Vec::new(), Vec::new());
        fetch_authorizations(order).await.map_err(|error| told(error, http))?;
        // First all proofs: TXT records of one zone then travel together.
        let mut authorizations = order.authorizations();
        while let Some(found) = authorizations.next().await {
            let mut authorization = found.map_err(|error| told(error, http))?;
            let name = authorization.identifier().to_string();
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let kind = challenge.for_name(&name);
            let Some(offered) = authorization.challenge(wire_kind(kind)) else {
                refused.push((name, Problem::ours("unsupportedChallenge", "the CA does not offer this challenge")));
                continue;
            };
            let proof = offered.key_authorization();
            match kind {
                ChallengeKind::Dns01 => {
                    if let Err(error) = published.publish(&self.proofs, &name, &proof.dns_value()).await {
                        refused.push((name, Problem::ours("dnsProvider", error.to_string())));
                    }
                }
                ChallengeKind::TlsAlpn01 => {
                    let digest = <[u8; 32]>::try_from(proof.digest().as_ref()).unwrap_or_default();
                    shown.extend(self.proofs.challenges.show_certificate(&name, &digest));
                }
                ChallengeKind::Auto | ChallengeKind::Http01 => {
                    shown.extend(self.proofs.challenges.show_token(&offered.token, proof.as_str()));
                }
            }
        }
        if !refused.is_empty() {
            return Err(AuthorityError::Names(refused));
        }
        published.wait(&self.proofs).await;
        let mut authorizations = order.authorizations();
        while let Some(found) = authorizations.next().await {
            let mut authorization = found.map_err(|error| told(error, http))?;
            let name = authorization.identifier().to_string();
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let Some(mut offered) = authorization.challenge(wire_kind(challenge.for_name(&name))) else { continue };
            again!(offered.set_ready()).map_err(|error| told(error, http))?;
        }
        Ok(shown)
    }
}

impl CertificateAuthority for AcmeAuthority {
    fn open_account<'a>(&'a self, wanted: &'a AccountWanted) -> Doing<'a, Result<Secret, AuthorityError>> {
        Box::pin(async move {
            let external = match &wanted.external {
                Some((id, key)) => Some(external_key(id, key)?),
                None => None,
            };
            let contact = wanted.contact.as_ref().map(|address| format!("mailto:{address}"));
            let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
            let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
            let http = self.http.fresh();
            let open = || {
                let builder = Account::builder_with_http(Box::new(http.clone()));
                builder.create(&new, wanted.directory_url.clone(), external.as_ref())
            };
            let opened = timeout(QUESTION_LIMIT, async { again!(open()) }).await.map_err(|_| late())?;
            let (_, credentials) = opened.map_err(|error| told(error, &http))?;
            let text = serde_json::to_string(&credentials);
            text.map(Secret::new)
                .map_err(|error| AuthorityError::Failed(Problem::ours("credentials", error.to_string())))
        })
    }

    fn order<'a>(&'a self, wanted: &'a OrderWanted) -> Doing<'a, Result<Issued, AuthorityError>> {
        Box::pin(async move {
            let (http, mut published) = (self.http.fresh(), Published::default());
            let ordering = async {
                let mut order = self.place(wanted, &http).await?;
                self.fulfil(&mut order, wanted, &mut published, &http).await
            };
            let outcome = timeout(ORDER_LIMIT, ordering).await.unwrap_or_else(|_| Err(late()));
            published.remove(&self.proofs).await;
            outcome
        })
    }

    fn renewal<'a>(
        &'a self,
        credentials: &'a Secret,
        chain_pem: &'a str,
    ) -> Doing<'a, Result<Option<RenewalWindow>, AuthorityError>> {
        Box::pin(async move {
            let http = self.http.fresh();
            let asking = async {
                let account = self.account(credentials, http.clone()).await?;
                let Ok(leaf) = CertificateDer::from_pem_slice(chain_pem.as_bytes()) else { return Ok(None) };
                let Ok(identifier) = CertificateIdentifier::try_from(&leaf) else { return Ok(None) };
                match account.renewal_info(&identifier).await {
                    Ok((info, ask_again_in)) => {
                        let window = info.suggested_window;
                        let moment = |at: time::OffsetDateTime| Timestamp::from_seconds(at.unix_timestamp());
                        let (start, end) = (moment(window.start), moment(window.end));
                        // RFC 9773 §4.2: a window that ends before it begins is none.
                        Ok((start < end).then_some(RenewalWindow { start, end, ask_again_in }))
                    }
                    Err(Error::Unsupported(_)) => Ok(None),
                    Err(error) => Err(told(error, &http)),
                }
            };
            timeout(QUESTION_LIMIT, asking).await.unwrap_or_else(|_| Err(late()))
        })
    }
}

fn late() -> AuthorityError {
    AuthorityError::Failed(Problem::ours("timeout", "the CA took too long"))
}

fn external_key(id: &str, key: &Secret) -> Result<ExternalAccountKey, AuthorityError> {
    let text = key.expose().trim_end_matches('=');
    let octets = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| {
        AuthorityError::Account(Problem::ours("externalAccountKey", "the external account's key is no base64url"))
    })?;
    Ok(ExternalAccountKey::new(id.to_owned(), &octets))
}

const fn wire_kind(kind: ChallengeKind) -> ChallengeType {
    match kind {
        ChallengeKind::Auto | ChallengeKind::Http01 => ChallengeType::Http01,
        ChallengeKind::TlsAlpn01 => ChallengeType::TlsAlpn01,
        ChallengeKind::Dns01 => ChallengeType::Dns01,
    }
}

/// Has the CA tell how each name stands, so that a walk over the authorizations asks nothing more: one that a bad nonce breaks off
/// can only be begun anew. What is known is forgotten when the order is asked for again.
async fn fetch_authorizations(order: &mut Order) -> Result<(), Error> {
    let mut fetched = 0;
    while again!(fetch_authorization(order, fetched))? {
        fetched += 1;
    }
    Ok(())
}

/// Fetches the authorization of this number, where those before it are known; tells whether there is one.
async fn fetch_authorization(order: &mut Order, number: usize) -> Result<bool, Error> {
    let mut authorizations = order.authorizations();
    for _ in 0..=number {
        match authorizations.next().await {
            Some(found) => _ = found?,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// The wanted key, or a new one, and the request that it signs: for the very names of the order (RFC 8555 §7.4).
fn signing_request(wanted: &OrderWanted) -> Result<(Secret, Vec<u8>), Error> {
    let other = |error: rcgen::Error| Error::Other(Box::new(error));
    let mut params = CertificateParams::new(wanted.names.as_slice()).map_err(other)?;
    params.distinguished_name = DistinguishedName::new();
    let key = match &wanted.key_pem {
        Some(key_pem) => KeyPair::from_pem(key_pem.expose()),
        None => KeyPair::generate(),
    };
    let key = key.map_err(other)?;
    let request = params.serialize_request(&key).map_err(other)?;
    Ok((Secret::new(key.serialize_pem()), request.der().to_vec()))
}

/// What the CA says of each name that it refused; RFC 8555 §8: the words stand in the challenge.
async fn refusals(order: &mut Order, http: &Http) -> AuthorityError {
    if let Err(error) = fetch_authorizations(order).await {
        return told(error, http);
    }
    let mut refused = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(state)) = authorizations.next().await {
        if state.status != AuthorizationStatus::Invalid {
            continue;
        }
        let name = state.identifier().to_string();
        let problem = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        let problem = problem.map_or_else(|| Problem::ours("unauthorized", "the CA says no more"), problem_of);
        refused.push((name, problem));
    }
    if !refused.is_empty() {
        return AuthorityError::Names(refused);
    }
    match order.state().error.clone() {
        Some(problem) => told(Error::Api(problem), http),
        None => AuthorityError::Refused(Problem::ours("orderInvalid", "the CA says no more")),
    }
}

fn problem_of(problem: &instant_acme::Problem) -> Problem {
    let kind = problem.r#type.as_deref().unwrap_or_default();
    Problem {
        kind: kind.strip_prefix(ERROR_PREFIX).unwrap_or(kind).to_owned(),
        says: problem.detail.clone().unwrap_or_default(),
    }
}

fn is_bad_nonce(error: &Error) -> bool {
    matches!(error, Error::Api(problem) if problem_of(problem).kind == "badNonce")
}

fn is_of_replacing(error: &Error) -> bool {
    match error {
        Error::Unsupported(_) | Error::Other(_) => true,
        Error::Api(problem) => matches!(problem_of(problem).kind.as_str(), "alreadyReplaced" | "malformed"),
        _ => false,
    }
}

/// What instant-acme says, as what is to be done about it.
fn told(error: Error, http: &Http) -> AuthorityError {
    let Error::Api(problem) = error else {
        let says = match error {
            Error::Json(_) => "the CA's answer is not what ACME's would be".to_owned(),
            Error::Other(error) => chain(&*error),
            other => other.to_string(),
        };
        return AuthorityError::Failed(Problem::ours("unreachable", says));
    };
    let named = problem.subproblems.iter().filter_map(|sub| {
        let Some(Identifier::Dns(name)) = &sub.identifier else { return None };
        let kind = sub.r#type.as_deref().unwrap_or_default();
        let kind = kind.strip_prefix(ERROR_PREFIX).unwrap_or(kind).to_owned();
        Some((name.clone(), Problem { kind, says: sub.detail.clone().unwrap_or_default() }))
    });
    let (named, whole): (Vec<_>, _) = (named.collect(), problem_of(&problem));
    match whole.kind.as_str() {
        "rateLimited" => AuthorityError::Wait { problem: whole, retry_after: http.retry_after() },
        "serverInternal" | "badNonce" => AuthorityError::Failed(whole),
        "accountDoesNotExist"
        | "externalAccountRequired"
        | "userActionRequired"
        | "invalidContact"
        | "unsupportedContact"
        | "unauthorized" => AuthorityError::Account(whole),
        _ if !named.is_empty() => AuthorityError::Names(named),
        _ if problem.status.is_some_and(|status| status >= 500) => AuthorityError::Failed(whole),
        _ => AuthorityError::Refused(whole),
    }
}

/// An error with what led to it, for hyper says no more than "client error" by itself.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// HTTPS to the CA: every wait has an end, every answer a largest size.
#[derive(Clone)]
struct Http {
    client: Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>,
    /// Of the last answer that had one: instant-acme doesn't tell.
    retry_after: Arc<Mutex<Option<Duration>>>,
}

impl Http {
    fn new(roots: Option<&Path>) -> Result<Self, AcmeError> {
        let mut trusted = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = roots {
            let wrong = |source| AcmeError::Roots { path: path.display().to_string(), source };
            for root in CertificateDer::pem_file_iter(path).map_err(wrong)? {
                trusted.add(root.map_err(wrong)?)?;
            }
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, retry_after: Arc::default() })
    }

    /// The same connections, for another talk.
    fn fresh(&self) -> Self {
        Self { client: self.client.clone(), retry_after: Arc::default() }
    }

    fn retry_after(&self) -> Option<Duration> {
        *self.retry_after.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

impl HttpClient for Http {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Answer {
        let (asking, noted) = (self.client.request(request), Arc::clone(&self.retry_after));
        Box::pin(async move {
            let asking = async {
                let (parts, body) = asking.await.map_err(|error| Error::Other(Box::new(error)))?.into_parts();
                let body = Limited::new(body, ANSWER_OCTETS).collect().await.map_err(Error::Other)?.to_bytes();
                // RFC 9110 §10.2.3: we are told in seconds by the CAs that we know; a date counts as if nothing were said.
                let seconds = parts.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
                *noted.lock().unwrap_or_else(PoisonError::into_inner) =
                    seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER));
                Ok(BytesResponse { parts, body: Box::new(body) })
            };
            timeout(REQUEST_LIMIT, asking).await.unwrap_or(Err(Error::Str("no answer in time")))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use http::Response;
    use http_body_util::Full;
    use serde_json::{Value, json};

    use super::*;

    /// Each step's nonce is refused so often: once more than instant-acme bears.
    const REFUSED: usize = 4;

    /// A CA that finds the proof of one of its two names wanting.
    #[derive(Clone, Default)]
    struct Refusing {
        /// How often each path was asked for.
        asked: Arc<Mutex<HashMap<String, usize>>>,
    }

    impl Refusing {
        fn answer(&self, path: &str) -> (u16, Value) {
            let at = |path: &str| format!("https://ca.example/{path}");
            if path == "/directory" {
                return (200, json!({ "newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("new") }));
            }
            if path == "/nonce" {
                return (200, Value::Null);
            }
            let mut asked = self.asked.lock().unwrap();
            let times = asked.entry(path.to_owned()).or_default();
            *times += 1;
            if !times.is_multiple_of(REFUSED + 1) {
                return (400, json!({ "type": "urn:ietf:params:acme:error:badNonce", "detail": "an old one" }));
            }
            let is_first = *times == REFUSED + 1;
            let challenge = |name: &str, status: &str, error: Value| {
                json!({ "type": "http-01", "url": at(&format!("proof-{name}")), "token": name, "status": status,
                        "error": error })
            };
            let name = |name: &str, status: &str, error: Value| {
                let status = if is_first { "pending" } else { status };
                json!({ "identifier": { "type": "dns", "value": format!("{name}.example") }, "status": status,
                        "challenges": [challenge(name, status, if is_first { Value::Null } else { error })] })
            };
            let order = |status: &str| json!({ "status": status, "authorizations": [at("a"), at("b")], "finalize": at("finalize") });
            let connection = json!({ "type": "urn:ietf:params:acme:error:connection", "detail": "nobody listens" });
            match path {
                "/account" => (201, json!({ "status": "valid" })),
                "/new" => (201, order("pending")),
                "/order" => (200, order("invalid")),
                "/a" => (200, name("a", "invalid", connection)),
                "/b" => (200, name("b", "valid", Value::Null)),
                _ => (200, challenge("a", "processing", Value::Null)),
            }
        }
    }

    impl HttpClient for Refusing {
        fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Answer {
            let (status, body) = self.answer(request.uri().path());
            let answer = Response::builder().status(status).header("Replay-Nonce", "nonce");
            let answer =
                answer.header("Location", "https://ca.example/order").body(Full::<Bytes>::from(body.to_string()));
            Box::pin(async move { Ok(BytesResponse::from(answer.unwrap())) })
        }
    }

    /// RFC 8555 §6.5, without chance: neither a step nor what is said of a name is lost to nonces that are refused.
    #[tokio::test]
    async fn each_step_bears_bad_nonces() {
        let ca = Refusing::default();
        let new = NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
        let directory = || "https://ca.example/directory".to_owned();
        let open = || Account::builder_with_http(Box::new(ca.clone())).create(&new, directory(), None);
        let (account, _) = again!(open()).unwrap();
        let names = ["a.example", "b.example"].map(|name| Identifier::Dns(name.to_owned()));
        let mut order = again!(account.new_order(&NewOrder::new(&names))).unwrap();
        let challenges = Arc::<crate::Challenges>::default();
        let proofs = Proofs { challenges: Arc::clone(&challenges), dns: None };
        let authority = AcmeAuthority::new(proofs, None).unwrap();
        let (mut published, http) = (Published::default(), authority.http.fresh());
        let shown = authority.prove(&mut order, ChallengeKind::Http01, &mut published, &http).await.unwrap();
        assert_eq!(shown.len(), 2);
        assert!(challenges.answer("a").is_some_and(|proof| proof.starts_with("a.")));
        again!(order.refresh()).unwrap();
        let refused = ("a.example".to_owned(), Problem::ours("connection", "nobody listens"));
        assert_eq!(refusals(&mut order, &http).await, AuthorityError::Names(vec![refused]));
        let asked = ca.asked.lock().unwrap();
        assert_eq!(asked.get("/proof-a"), Some(&(REFUSED + 1)));
        assert_eq!(asked.get("/b"), Some(&(2 * (REFUSED + 1))));
    }
}
