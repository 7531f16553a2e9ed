//! The providers' APIs as their documentation tells them, each with one account that has the zones `example.org` and `sub.example.org`: they
//! hold state, check keys and signatures, page, and say no in the documentation's own words.

mod cloudflare;
mod desec;
mod digitalocean;
mod gandi;
mod hetzner;
mod ovh;
mod route53;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use relais_dnscheck::provider::{ProviderKind, Publisher, Settings};
use relais_model::Secret;
use relais_testkit::{ManualClock, SeededRandom};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const ZONES: [&str; 2] = ["example.org", "sub.example.org"];

/// What each fake's key is; nothing that is logged or printed may hold it.
pub(crate) const KEY: &str = "planted-secret-key";

/// A request.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    /// Below the base, unescaped, cut at the slashes.
    pub(crate) path: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn number(&self, name: &str, usual: usize) -> usize {
        self.query.get(name).map_or(usual, |value| value.parse().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An answer.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

pub(crate) fn told(status: u16, body: impl std::fmt::Display) -> Told {
    Told { status, headers: Vec::new(), body: format!("{body}") }
}

/// One provider's API.
pub(crate) trait Api: Send {
    fn kind(&self) -> ProviderKind;
    /// What a person fills in.
    fn settings(&self) -> Vec<(&'static str, &'static str)>;
    /// Whether the request proves the key; else what it says.
    fn refuse(&self, asked: &Asked) -> Option<Told>;
    fn answer(&mut self, asked: &Asked) -> Told;
    /// Puts a set into `example.org`, as its own console would.
    fn put(&mut self, name: &str, kind: &str, ttl: u32, values: &[&str]);
    /// Sets what only this API has: a flag, a comment, in each record at `name`.
    fn touch(&mut self, _name: &str, _field: &str, _value: &Value) {}
    /// All of `example.org`, a line for each record, without what changes when one is made anew.
    fn dump(&self) -> Vec<String>;
}

pub(crate) fn one(kind: ProviderKind) -> Box<dyn Api> {
    all().into_iter().find(|api| api.kind() == kind).unwrap()
}

pub(crate) fn all() -> Vec<Box<dyn Api>> {
    vec![
        Box::new(cloudflare::Fake::default()),
        Box::new(desec::Fake::default()),
        Box::new(digitalocean::Fake::default()),
        Box::new(gandi::Fake::default()),
        Box::new(hetzner::Fake::default()),
        Box::new(ovh::Fake::default()),
        Box::new(route53::Fake::default()),
    ]
}

/// A running fake; it ends with this value.
pub(crate) struct Served {
    pub(crate) kind: ProviderKind,
    pub(crate) base: String,
    pub(crate) state: Arc<Mutex<State>>,
    settings: Vec<(&'static str, &'static str)>,
    _tasks: JoinSet<()>,
}

pub(crate) struct State {
    pub(crate) api: Box<dyn Api>,
    /// Said before anything else is.
    pub(crate) next: VecDeque<Told>,
    /// Said instead of the write after so many.
    pub(crate) broken_write: Option<(usize, Told)>,
    /// It takes requests, and never answers.
    pub(crate) is_silent: bool,
    /// Each request's method and path.
    pub(crate) log: Vec<String>,
    /// A value that somebody else writes right after the next write.
    pub(crate) intruder: Option<Intruder>,
}

type Intruder = Box<dyn FnOnce(&mut dyn Api) + Send>;

impl State {
    fn answer(&mut self, asked: &Asked) -> Told {
        self.log.push(format!("{} {}", asked.method, asked.path.join("/")));
        if let Some(told) = self.next.pop_front() {
            return told;
        }
        if let Some(told) = self.api.refuse(asked) {
            return told;
        }
        if asked.method == "GET" {
            return self.api.answer(asked);
        }
        match &mut self.broken_write {
            Some((0, told)) => return told.clone(),
            Some((left, _)) => *left -= 1,
            None => {}
        }
        let told = self.api.answer(asked);
        if let Some(intruder) = self.intruder.take() {
            intruder(self.api.as_mut());
        }
        told
    }
}

impl Served {
    pub(crate) async fn start(api: Box<dyn Api>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}/api", listener.local_addr().unwrap());
        let (kind, settings) = (api.kind(), api.settings());
        let state = Arc::new(Mutex::new(State {
            api,
            next: VecDeque::new(),
            broken_write: None,
            is_silent: false,
            log: Vec::new(),
            intruder: None,
        }));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, base.clone(), Arc::clone(&state)));
        Self { kind, base, state, settings, _tasks: tasks }
    }

    pub(crate) fn publisher(&self) -> Publisher {
        self.publisher_with(|_| {})
    }

    pub(crate) fn publisher_with(&self, change: impl Fn(&mut Settings)) -> Publisher {
        let own = self.settings.iter().map(|(id, value)| ((*id).to_owned(), Secret::new(*value)));
        let mut settings: Settings = own.collect();
        change(&mut settings);
        let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::default()));
        self.kind.open_at(Some(&self.base), &settings, clock, random).unwrap()
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap())
    }

    pub(crate) fn dump(&self) -> Vec<String> {
        self.with(|state| state.api.dump())
    }

    pub(crate) fn touch(&self, name: &str, field: &str, value: &Value) {
        self.with(|state| state.api.touch(name, field, value));
    }

    pub(crate) fn put(&self, name: &str, kind: &str, ttl: u32, values: &[&str]) {
        self.with(|state| state.api.put(name, kind, ttl, values));
    }
}

async fn serve(listener: TcpListener, base: String, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (base, state) = (base.clone(), Arc::clone(&state));
        let answer = service_fn(move |request| answer(request, base.clone(), Arc::clone(&state)));
        connections.spawn(async move {
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    base: String,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let target = head.uri.path_and_query().unwrap().as_str();
    let url = url::Url::parse(&format!("{}{target}", base.strip_suffix("/api").unwrap())).unwrap();
    let unescape = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into_owned();
    let asked = Asked {
        method: head.method.to_string(),
        url: format!("{}{target}", base.strip_suffix("/api").unwrap()),
        path: head.uri.path().strip_prefix("/api/").unwrap().split('/').map(unescape).collect(),
        query: url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let is_silent = state.lock().unwrap().is_silent;
    if is_silent {
        std::future::pending::<()>().await;
    }
    let told = state.lock().unwrap().answer(&asked);
    let mut response = Response::builder().status(told.status);
    for (name, value) in told.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(Bytes::from(told.body))).unwrap())
}

/// What most want in `Authorization`.
pub(crate) fn has_token(asked: &Asked, scheme: &str) -> bool {
    asked.header("authorization") == format!("{scheme} {KEY}")
}

/// `@` or what stands before the zone.
pub(crate) fn label(name: &str) -> String {
    if name == "example.org" { "@".to_owned() } else { name.strip_suffix(".example.org").unwrap().to_owned() }
}

/// The part of `list` that a page holds, and how many pages there are.
pub(crate) fn page<T: Clone>(list: &[T], number: usize, size: usize) -> (Vec<T>, usize) {
    let pages = list.len().div_ceil(size).max(1);
    (list.iter().skip((number - 1) * size).take(size).cloned().collect(), pages)
}

/// Sets by label and kind: TTL and values.
pub(crate) type Sets = BTreeMap<(String, String), (u32, Vec<String>)>;

pub(crate) fn dump_sets(sets: &Sets) -> Vec<String> {
    let line = |((label, kind), (ttl, values)): (&(String, String), &(u32, Vec<String>))| {
        let mut values = values.clone();
        values.sort();
        format!("{label} {ttl} {kind} {values:?}")
    };
    sets.iter().map(line).collect()
}
