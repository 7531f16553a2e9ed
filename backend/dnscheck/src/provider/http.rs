//! How a provider's web API is asked: HTTPS with time limits and size limits, and a wait where the provider asks for one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use relais_model::{Clock, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{ProviderError, said};

/// From the question for the name to the answer's end.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Until there is a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Octets of one answer.
pub const ANSWER_OCTETS: usize = 4 * 1024 * 1024;

/// So long we wait where a provider says "later", all waits of one request together.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// So often one request is made, whatever the provider says of later.
const TRIES: u32 = 5;

/// Where a provider says "later" without a time.
const USUAL_WAIT: Duration = Duration::from_secs(5);

/// What stays as it is in a part of a path or a query (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A part of a path or a query, as a URL carries it.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The house's client for providers; a clone is the same one.
#[derive(Clone)]
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http {
    /// Trusts the web's authorities.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Result<Self, rustls::Error> {
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| rustls::Error::General(error.to_string()))?
            .https_or_http() // http is for the providers that tests make
            .enable_http1()
            .wrap_connector(plain);
        let client = Client::builder(TokioExecutor::new()).http1_max_buf_size(64 * 1024).build(connector);
        Ok(Self { client, clock })
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, ProviderError> {
        let response = self.client.request(request).await.map_err(|error| ProviderError::Unreachable(chain(&error)))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_OCTETS).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                ProviderError::TooMuch
            } else {
                ProviderError::Broken(said(&error.to_string()))
            }
        })?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }

    /// RFC 9110 §10.2.3 in both its forms; else the time at which a limit ends, as some tell it.
    fn asked_wait(&self, answer: &Answer, delays: &[&str]) -> Option<Duration> {
        let text = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let until = |seconds: i64| Timestamp::from_seconds(seconds).since(self.now());
        let retry_after = text(RETRY_AFTER.as_str()).and_then(|value| match value.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => jiff::fmt::rfc2822::parse(value).ok().map(|date| until(date.timestamp().as_second())),
        });
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => {
                let reset = || text("ratelimit-reset").and_then(|value| value.parse().ok()).map(until);
                Some(retry_after.or_else(reset).unwrap_or(USUAL_WAIT))
            }
            StatusCode::SERVICE_UNAVAILABLE => retry_after,
            StatusCode::BAD_REQUEST if says_one_of(&answer.body, delays) => Some(retry_after.unwrap_or(USUAL_WAIT)),
            _ => None,
        }
    }
}

fn says_one_of(body: &[u8], words: &[&str]) -> bool {
    let body = String::from_utf8_lossy(body);
    words.iter().any(|word| body.contains(word))
}

/// An error with its causes: the outermost says little more than that there was one.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    said(&words)
}

/// Proves to a provider who asks.
pub(crate) trait Sign: Send + Sync {
    /// The headers that prove this request.
    fn headers(&self, request: &Unsigned<'_>) -> Vec<(&'static str, String)>;
}

/// A request, as far as it is signed.
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a Method,
    /// All of it.
    pub(crate) url: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) now: Timestamp,
}

/// A web API: where it is, who asks, and how it says what is wrong.
pub(crate) struct Api {
    pub(crate) http: Http,
    /// Without a slash at its end.
    pub(crate) base: String,
    pub(crate) sign: Box<dyn Sign>,
    pub(crate) content_type: &'static str,
    /// Takes the words out of an error's body.
    pub(crate) complaint: fn(&[u8]) -> Option<String>,
    /// Words in the body of a 400 that mean "wrong key".
    pub(crate) refusals: &'static [&'static str],
    /// Words in the body of a 400 that mean "later".
    pub(crate) delays: &'static [&'static str],
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Api {
    /// One that speaks JSON.
    pub(crate) fn json(
        http: Http,
        base: String,
        sign: impl Sign + 'static,
        complaint: fn(&[u8]) -> Option<String>,
    ) -> Self {
        let sign = Box::new(sign);
        Self { http, base, sign, content_type: "application/json", complaint, refusals: &[], delays: &[] }
    }

    /// Asks, and gives the answer whatever its status is. `target` is below the base. Where the provider asks to wait, which it does before
    /// it looks at what is asked, the request is made again after that.
    pub(crate) async fn ask(&self, method: Method, target: &str, body: &[u8]) -> Result<Answer, ProviderError> {
        let url = format!("{}{target}", self.base);
        let (mut waited, mut tries) = (Duration::ZERO, 0);
        loop {
            let request = self.request(&method, &url, body)?;
            let answer = timeout(REQUEST_TIMEOUT, self.http.exchange(request)).await;
            let answer = answer.unwrap_or(Err(ProviderError::Timeout))?;
            let Some(wait) = self.http.asked_wait(&answer, self.delays) else { return Ok(answer) };
            waited = waited.saturating_add(wait);
            tries += 1;
            if waited > PATIENCE || tries >= TRIES {
                return Err(ProviderError::Busy { wait, said: self.words(&answer) });
            }
            tracing::debug!(seconds = wait.as_secs(), "the provider asks to wait");
            sleep(wait).await;
        }
    }

    /// Built for each try: a signature has its time.
    fn request(&self, method: &Method, url: &str, body: &[u8]) -> Result<Request<Full<Bytes>>, ProviderError> {
        let mut request =
            Request::builder().method(method).uri(url).header(USER_AGENT, "relais").header(ACCEPT, self.content_type);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, self.content_type);
        }
        for (name, value) in self.sign.headers(&Unsigned { method, url, body, now: self.http.now() }) {
            request = request.header(name, value);
        }
        // A key with a line's end in it, say. The error doesn't hold it.
        let request = request.body(Full::new(Bytes::copy_from_slice(body)));
        request.map_err(|error| ProviderError::Refused { said: error.to_string() })
    }

    /// Asks, and takes a success only.
    pub(crate) async fn call(&self, method: Method, target: &str, body: &[u8]) -> Result<Answer, ProviderError> {
        let answer = self.ask(method, target, body).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.failure(&answer)) }
    }

    /// Asks for a thing that may not be there.
    pub(crate) async fn find<T: DeserializeOwned>(&self, target: &str) -> Result<Option<T>, ProviderError> {
        let answer = self.ask(Method::GET, target, &[]).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => parse(&answer.body).map(Some),
            _ => Err(self.failure(&answer)),
        }
    }

    /// Asks for a thing that is there.
    pub(crate) async fn get<T: DeserializeOwned>(&self, target: &str) -> Result<T, ProviderError> {
        parse(&self.call(Method::GET, target, &[]).await?.body)
    }

    /// Sends JSON.
    pub(crate) async fn send(&self, method: Method, target: &str, body: &Value) -> Result<Answer, ProviderError> {
        self.call(method, target, body.to_string().as_bytes()).await
    }

    /// What it says, in its own words and with its status.
    fn words(&self, answer: &Answer) -> String {
        let words =
            (self.complaint)(&answer.body).unwrap_or_else(|| String::from_utf8_lossy(&answer.body).into_owned());
        said(&format!("{words} ({})", answer.status.as_u16()))
    }

    /// What an answer that is no success means.
    pub(crate) fn failure(&self, answer: &Answer) -> ProviderError {
        let said = self.words(answer);
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ProviderError::Refused { said },
            StatusCode::BAD_REQUEST if says_one_of(&answer.body, self.refusals) => ProviderError::Refused { said },
            status if status.is_client_error() => ProviderError::Rejected { said },
            _ => ProviderError::Broken(said),
        }
    }
}

/// Reads JSON.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|error| ProviderError::Broken(said(&error.to_string())))
}

/// The text at `path` in a JSON body.
pub(crate) fn text_at(body: &[u8], path: &str) -> Option<String> {
    serde_json::from_slice::<Value>(body).ok()?.pointer(path)?.as_str().map(str::to_owned)
}

/// For what anybody may ask.
pub(crate) struct Nobody;

impl Sign for Nobody {
    fn headers(&self, _: &Unsigned<'_>) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// The one header that most providers want.
pub(crate) struct Token {
    /// `Bearer ` or the like.
    pub(crate) scheme: &'static str,
    pub(crate) secret: relais_model::Secret,
}

impl Sign for Token {
    fn headers(&self, _: &Unsigned<'_>) -> Vec<(&'static str, String)> {
        vec![("authorization", format!("{} {}", self.scheme, self.secret.expose()))]
    }
}
