//! Who visits: read from the cookies once a request, and asked for by each handler in the form of the role it needs.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, REFERER, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::BASE64URL_NOPAD;
use relais_model::Secret;
use relais_service::{Actor, Failure, Role, SignedIn, Text};
use relais_words::Language;
use serde::{Deserialize, Serialize};

use super::error::PageError;
use super::{Frame, cookie, query};
use crate::panel::{error_page, not_set_up_page};
use crate::{Peer, Web, path};

/// Octets of a user agent that are kept.
const AGENT_OCTETS: usize = 300;
/// How long a browser keeps what ties its forms before sign-in.
const GUEST_FOR: Duration = Duration::from_hours(12);
/// How long what came of an act waits to be shown.
const FLASH_FOR: Duration = Duration::from_mins(5);

/// One visit: who, in which language, with which token for forms. Every request of a page carries one.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// None: nobody has signed in.
    pub(crate) signed_in: Option<Arc<SignedIn>>,
    pub(crate) language: Language,
    /// `system`, `light` or `dark`.
    pub(crate) theme: &'static str,
    /// What each form must bring back.
    pub(crate) csrf: String,
    pub(crate) flash: Option<Flash>,
    /// The path that was asked for.
    pub(crate) path: String,
    /// Where the visitor comes back to: this page with its query, or the page of the form that was sent.
    pub(crate) back: String,
    /// The session's token, where the browser brought one; whole or not, known or not.
    token: Option<Secret>,
    peer: IpAddr,
    /// The browser's name for itself.
    agent: String,
    /// What a guest's browser is to keep from now on.
    new_guest: Option<Secret>,
}

/// What came of the last act, on its way to the next page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Flash {
    pub(crate) kind: FlashKind,
    pub(crate) text: Text,
    /// A path that takes it back.
    pub(crate) undo: Option<String>,
}

/// How it is meant.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FlashKind {
    Ok,
    Warn,
}

impl FlashKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
        }
    }
}

impl Visit {
    /// This request's. Every path of a page has one; a path that has not is wired wrongly.
    pub(crate) fn of(extensions: &Extensions) -> Result<&Arc<Self>, PageError> {
        extensions.get::<Arc<Self>>().ok_or_else(|| {
            tracing::error!("a page's request was not recognised: its route stands outside `kit::recognise`");
            PageError(Failure::Failed)
        })
    }

    /// The browser, for the use-cases of signing in.
    pub(crate) fn browser(&self) -> relais_service::Visit {
        relais_service::Visit { peer: self.peer, agent: self.agent.clone() }
    }

    /// The session's token; empty where the browser brought none.
    pub(crate) fn token(&self) -> &str {
        self.token.as_ref().map_or("", Secret::expose)
    }

    async fn read(web: &Web, parts: &Parts) -> Result<Self, Failure> {
        let headers = &parts.headers;
        let peer = match parts.extensions.get::<Peer>() {
            Some(Peer::Network(ip)) => *ip,
            Some(Peer::Host) | None => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        let token = cookie::read(headers, cookie::SESSION).map(Secret::new);
        let signed_in = match &token {
            Some(token) => web.access().session(token.expose(), peer).await?.map(Arc::new),
            None => None,
        };
        let (csrf, new_guest) = match &token {
            // Also of a session whose second factor is still to come: its forms are its own.
            Some(token) => (web.access().csrf(token.expose()), None),
            None => guest_csrf(web, headers),
        };
        let uri = &parts.uri;
        Ok(Self {
            language: language(headers, signed_in.as_deref(), web),
            theme: theme(headers, signed_in.as_deref()),
            signed_in,
            csrf,
            flash: cookie::read(headers, cookie::FLASH).and_then(read_flash),
            path: uri.path().to_owned(),
            back: back(parts),
            token,
            peer,
            agent: agent(headers),
            new_guest,
        })
    }

    /// What a form brought back is this visit's own.
    pub(crate) fn owns(&self, csrf: &str) -> bool {
        // Hashed, so that how much of a guess is right takes no other time.
        blake3::hash(csrf.as_bytes()) == blake3::hash(self.csrf.as_bytes())
    }
}

/// A guest's forms are tied to a cookie of chance, so that nobody signs a stranger's browser in to an account of theirs.
fn guest_csrf(web: &Web, headers: &HeaderMap) -> (String, Option<Secret>) {
    if let Some(guest) = cookie::read(headers, cookie::GUEST) {
        return (web.access().csrf(guest), None);
    }
    let guest = web.access().make_visitor();
    (web.access().csrf(guest.expose()), Some(guest))
}

fn language(headers: &HeaderMap, signed_in: Option<&SignedIn>, web: &Web) -> Language {
    let own = signed_in.and_then(|signed_in| Language::parse(&signed_in.language));
    let chosen = || cookie::read(headers, cookie::LANGUAGE).and_then(Language::parse);
    let accepted = || headers.get(ACCEPT_LANGUAGE)?.to_str().ok().and_then(Language::accepted);
    let of_house = || Language::parse(&web.access().house().language);
    own.or_else(chosen).or_else(accepted).or_else(of_house).unwrap_or_default()
}

/// The looks that a page can have; the first follows the system's.
pub(crate) const THEMES: [&str; 3] = ["system", "light", "dark"];

fn theme(headers: &HeaderMap, signed_in: Option<&SignedIn>) -> &'static str {
    let own = signed_in
        .map(|signed_in| signed_in.theme.as_str())
        .filter(|theme| !theme.is_empty())
        .or_else(|| cookie::read(headers, cookie::THEME));
    THEMES.into_iter().find(|theme| Some(*theme) == own).unwrap_or("system")
}

fn agent(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
    agent.unwrap_or_default().chars().filter(|character| !character.is_control()).take(AGENT_OCTETS).collect()
}

/// A form has no page at its path always: its browser says where it stood.
fn back(parts: &Parts) -> String {
    let sent_from = || parts.headers.get(REFERER)?.to_str().ok()?.parse::<Uri>().ok();
    let uri = if parts.method.is_safe() { None } else { sent_from() };
    let uri = uri.as_ref().unwrap_or(&parts.uri);
    uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string)
}

fn read_flash(text: &str) -> Option<Flash> {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()
}

/// Leads on to `path`, where the visitor reads what came of their act.
pub(crate) fn redirect(path: &str, flash: &Flash) -> Response {
    let mut response = Redirect::to(path).into_response();
    let cookie = serde_json::to_vec(flash).map(|text| BASE64URL_NOPAD.encode(&text));
    let cookie = cookie.ok().and_then(|value| cookie::set(cookie::FLASH, &value, Some(FLASH_FOR)));
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// As [`done`], with a cookie.
pub(crate) fn done_with(path: &str, text: Text, cookie: Option<HeaderValue>) -> Response {
    let mut response = done(path, text);
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// As [`redirect`], for an act that was done.
pub(crate) fn done(path: &str, text: Text) -> Response {
    redirect(path, &Flash { kind: FlashKind::Ok, text, undo: None })
}

/// Reads who visits, lets the handler work, and shows what it could not do as a page.
pub(crate) async fn recognise(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visit = match Visit::read(&web, &parts).await {
        Ok(visit) => Arc::new(visit),
        Err(_) => {
            return (StatusCode::SERVICE_UNAVAILABLE, "The server cannot answer now. Try again.\n").into_response();
        }
    };
    parts.extensions.insert(Arc::clone(&visit));
    let is_closed = !is_open_before_set_up(&visit.path) && matches!(web.access().is_set_up().await, Ok(false));
    let mut response = if is_closed {
        not_set_up_page(Frame::of(&web, &visit))
    } else {
        next.run(Request::from_parts(parts, body)).await
    };
    if response.extensions_mut().remove::<NotSignedIn>().is_some() {
        response = Redirect::to(&with_next(path::SIGN_IN, &visit.back)).into_response();
    } else if let Some(PageError(failure)) = response.extensions_mut().remove::<PageError>() {
        response = match failure {
            Failure::Unproven => Redirect::to(&with_next(path::PROVE, &visit.back)).into_response(),
            failure => error_page(&Frame::of(&web, &visit), &failure, &response),
        };
    } else if is_bare_error(&response) {
        response = error_page(&Frame::of(&web, &visit), &bare(response.status()), &response);
    }
    let headers = response.headers_mut();
    let guest = visit.new_guest.as_ref().and_then(|guest| cookie::set(cookie::GUEST, guest.expose(), Some(GUEST_FOR)));
    let shown = visit.flash.is_some() && !headers.contains_key(axum::http::header::LOCATION);
    for cookie in guest.into_iter().chain(shown.then(|| cookie::clear(cookie::FLASH)).flatten()) {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

/// Until the house has an owner nothing else answers.
fn is_open_before_set_up(path: &str) -> bool {
    path.starts_with("/setup/") || path == path::LOOK
}

/// What axum itself answers (no such path, no such method, too large) has no body of ours.
fn is_bare_error(response: &Response) -> bool {
    let kind = response.headers().get(axum::http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    (response.status().is_client_error() || response.status().is_server_error())
        && kind.is_none_or(|kind| kind.starts_with("text/plain"))
}

fn bare(status: StatusCode) -> Failure {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Failure::Absent(Text::new("error-no-page")),
        StatusCode::PAYLOAD_TOO_LARGE => Failure::unfit("", Text::new("form-too-large")),
        status if status.is_client_error() => Failure::unfit("", Text::new("form-unreadable")),
        _ => Failure::Failed,
    }
}

/// `path?next=…`; whoever reads it back must take nothing but a path of ours: [`next_path`].
pub(crate) fn with_next(path: &str, next: &str) -> String {
    format!("{path}?{}", query(&NextQuery { next: next.to_owned() }))
}

/// Where to go after this page.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct NextQuery {
    #[serde(default)]
    pub(crate) next: String,
}

/// Where to go after signing in: a path of this host, or home.
pub(crate) fn next_path(next: &str) -> &str {
    let is_ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\r', '\n', '\t'])
        && !next.starts_with(path::SIGN_OUT);
    if is_ours { next } else { path::HOME }
}

/// The one who has signed in, with at least the role `R`. A handler that takes it cannot be called by anybody else.
#[derive(Debug)]
pub(crate) struct Signed<R> {
    pub(crate) actor: Actor,
    /// The same, as the use-cases of one's own account want it.
    pub(crate) me: Arc<SignedIn>,
    pub(crate) visit: Arc<Visit>,
    role: PhantomData<R>,
}

/// A role that a handler needs.
pub(crate) trait Least {
    const ROLE: Role;
}

macro_rules! least {
    ($($(#[$doc:meta])* $marker:ident $name:ident $role:ident;)*) => {$(
        #[derive(Debug)]
        pub(crate) enum $marker {}
        impl Least for $marker {
            const ROLE: Role = Role::$role;
        }
        $(#[$doc])*
        pub(crate) type $name = Signed<$marker>;
    )*};
}

least! {
    /// Whoever has signed in.
    LeastUser Person User;
    /// Help desk or more.
    LeastDesk Desk HelpDesk;
    /// Domain admin or owner.
    LeastAdmin Admin DomainAdmin;
    /// Owner.
    LeastOwner Owner Owner;
}

impl<R> Signed<R> {
    /// To the page where one says again who one is, and from there to `path`: for an act that a POST asked for, which can't be taken up
    /// again.
    #[expect(clippy::unused_self, reason = "only who has signed in can say again who they are")]
    pub(crate) fn prove_and_return(&self, path: &str) -> Response {
        Redirect::to(&with_next(path::PROVE, path)).into_response()
    }

    /// The frame of this visit's pages.
    pub(crate) fn frame(&self, web: &Web) -> Frame {
        Frame::of(web, &self.visit)
    }
}

/// A response that `recognise` turns into the way to the sign-in page.
#[derive(Debug, Clone, Copy)]
struct NotSignedIn;

/// Why a handler was not called.
#[derive(Debug)]
pub(crate) enum Turned {
    /// To the sign-in page.
    Away,
    /// With a page that says why.
    Down(PageError),
    /// To where a second factor is set up: the house wants one, and they have none.
    Aside,
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        match self {
            Self::Away => {
                let mut response = StatusCode::UNAUTHORIZED.into_response();
                response.extensions_mut().insert(NotSignedIn);
                response
            }
            Self::Down(error) => error.into_response(),
            Self::Aside => {
                let flash = Flash { kind: FlashKind::Warn, text: Text::new("second-factor-wanted"), undo: None };
                redirect(path::OWN_SECOND, &flash)
            }
        }
    }
}

impl<R: Least, S: Sync> FromRequestParts<S> for Signed<R> {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Turned> {
        let visit = Arc::clone(Visit::of(&parts.extensions).map_err(Turned::Down)?);
        let me = Arc::clone(visit.signed_in.as_ref().ok_or(Turned::Away)?);
        me.actor.require(R::ROLE).map_err(|failure| Turned::Down(failure.into()))?;
        // Their own account stays open to them: there the second factor is set up.
        if me.must_add_second_factor && R::ROLE > Role::User {
            return Err(Turned::Aside);
        }
        Ok(Self { actor: me.actor.clone(), me, visit, role: PhantomData })
    }
}

/// Whoever visits, signed in or not: pages before sign-in ask for it.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) visit: Arc<Visit>,
}

impl Guest {
    /// The frame of this visit's pages.
    pub(crate) fn frame(&self, web: &Web) -> Frame {
        Frame::of(web, &self.visit)
    }

    /// The session's token; empty where the browser brought none.
    pub(crate) fn token(&self) -> &str {
        self.visit.token()
    }
}

impl<S: Sync> FromRequestParts<S> for Guest {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, PageError> {
        Ok(Self { visit: Arc::clone(Visit::of(&parts.extensions)?) })
    }
}

/// The cookie of a session that begins, or goes on under a new token.
pub(crate) fn session_cookie(web: &Web, token: &Secret) -> Option<HeaderValue> {
    cookie::set(cookie::SESSION, token.expose(), Some(web.access().session_lifetime()))
}

/// Takes the session's cookie back.
pub(crate) fn clear_session() -> Option<HeaderValue> {
    cookie::clear(cookie::SESSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_host() {
        for (next, expected) in [
            ("/panel/people?q=ann", "/panel/people?q=ann"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("", "/"),
            ("/sign-out", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
        ] {
            assert_eq!(next_path(next), expected, "{next}");
        }
    }
}
