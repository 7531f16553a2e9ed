//! The doors for browsers and programs: set-up, sign-in, panel, and the REST API.
//!
//! ```text
//! Door ──> router ──> kit::recognise (who visits?) ──> extractors (role, CSRF, parsed form) ──> handler ──> service
//!                                                                                      └─ page struct ──> template ──> answer
//! ```
//! - `door`: connections. `kit`: what all pages share. `panel`: pages, one file a resource. `api`: `/api/v1`, one file a resource.
//! - `webmail`: `/mail`, where people read and write.
//! - `autoconfig`: what mail programs and other mail hosts find by themselves; no sign-in guards it, and it has no sessions.
//! - `path`: each path of the panel, once.
//!
//! # Invariants
//! - The extractor is the permission: a handler that takes a [`kit::Signed`] cannot be called by who has less than its role; the
//!   service authorises again.
//! - A form is read only with its CSRF token; there is no handler for POST without [`kit::Form`] or an API key.
//! - Handlers decide nothing about mail and know no SQL: they turn requests into use-cases, and what comes back into pages.
//! - No sentence stands in a handler or a template: only its name in the catalogue.
//!
//! To add a page: a file in `panel/` with its routes, handlers, forms and page structs, a template, its sentences in
//! `templates/words`, a line in `panel::routes`, and its case in the test of routes and roles, which fails until then.

mod api;
mod autoconfig;
mod door;
mod kit;
mod linger;
mod panel;
mod path;
mod webmail;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::http::Method;
use relais_model::{Clock, Domain, Timestamp};
use relais_service::{Access, Service};
use tokio::sync::Semaphore;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;
use tower::Layer as _;
use tower::util::MapRequestLayer;

pub use autoconfig::ProfileSigner;
pub use door::{Door, Peer};

use kit::Assets;

/// What pages and API work with. A cheap clone.
#[derive(Debug, Clone)]
pub struct Web {
    inner: Arc<Inner>,
    signer: Option<Arc<dyn ProfileSigner>>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Inner {
    service: Service,
    access: Arc<Access>,
    clock: Arc<dyn Clock>,
    place: Place,
    assets: Assets,
    /// Made when it is first looked into.
    book: OnceLock<api::Book>,
    /// Browsers that hear of changes, at once.
    listeners: Arc<Semaphore>,
    /// Those who bring a file of mail, at once.
    bundle_seats: Arc<Semaphore>,
}

/// Browsers that hear of changes at once, in all the house.
const LISTENERS: usize = 2000;
/// Files of mail that come in at once, in all the house: each is held in memory while it is read.
const BUNDLES: usize = 4;

/// Where people find the house.
#[derive(Debug, Clone)]
pub struct Place {
    /// The host's own name.
    pub host: Domain,
    /// Where pages are served: `https://HOST`, or with a port.
    pub origin: String,
    /// The doors of mail programs.
    pub ports: MailPorts,
}

/// The ports of mail programs, with TLS from the first octet (RFC 8314 §3) and with STARTTLS; none where a door is not open.
#[derive(Debug, Clone, Copy, Default)]
pub struct MailPorts {
    /// 993, mostly.
    pub imaps: Option<u16>,
    /// 995, mostly.
    pub pop3s: Option<u16>,
    /// 465, mostly.
    pub submissions: Option<u16>,
    /// 143, mostly: STARTTLS.
    pub imap: Option<u16>,
    /// 110, mostly: STLS.
    pub pop3: Option<u16>,
    /// 587, mostly: STARTTLS.
    pub submission: Option<u16>,
}

/// What a mail program does at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailKind {
    Imap,
    Pop3,
    Smtp,
}

/// One of the doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MailDoor {
    pub(crate) port: u16,
    /// From the first octet; else by STARTTLS.
    pub(crate) is_tls_first: bool,
}

impl MailPorts {
    /// The open doors of that kind, the better first (RFC 8314 §3).
    pub(crate) fn doors(self, kind: MailKind) -> impl Iterator<Item = MailDoor> + use<> {
        let (tls, starttls) = match kind {
            MailKind::Imap => (self.imaps, self.imap),
            MailKind::Pop3 => (self.pop3s, self.pop3),
            MailKind::Smtp => (self.submissions, self.submission),
        };
        let door = |is_tls_first| move |port| MailDoor { port, is_tls_first };
        tls.map(door(true)).into_iter().chain(starttls.map(door(false)))
    }
}

/// Method and path of every page, with `{…}` where a path varies: the test of routes and roles walks it.
pub fn pages() -> Vec<(Method, &'static str)> {
    [panel::routes().listed(), autoconfig::routes().listed()].concat()
}

impl Web {
    /// Over `service` and `access`; at `place`.
    #[must_use]
    pub fn new(service: Service, access: Arc<Access>, place: Place, clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            service,
            access,
            clock,
            place,
            assets: Assets::load(),
            book: OnceLock::new(),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            bundle_seats: Arc::new(Semaphore::new(BUNDLES)),
        };
        Self { inner: Arc::new(inner), signer: None, stop: CancellationToken::new() }
    }

    /// The same, with what profiles are signed with; without it they go out unsigned.
    #[must_use]
    pub fn with_signer(self, signer: Arc<dyn ProfileSigner>) -> Self {
        Self { signer: Some(signer), ..self }
    }

    /// The same; who hears of changes hears no more once `stop` is said.
    #[must_use]
    pub fn with_stop(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub(crate) fn listeners(&self) -> Arc<Semaphore> {
        Arc::clone(&self.inner.listeners)
    }

    pub(crate) fn bundle_seats(&self) -> Arc<Semaphore> {
        Arc::clone(&self.inner.bundle_seats)
    }

    pub(crate) fn service(&self) -> &Service {
        &self.inner.service
    }

    pub(crate) fn access(&self) -> &Access {
        &self.inner.access
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.inner.assets
    }

    pub(crate) fn host(&self) -> &Domain {
        &self.inner.place.host
    }

    pub(crate) fn origin(&self) -> &str {
        &self.inner.place.origin
    }

    pub(crate) fn ports(&self) -> MailPorts {
        self.inner.place.ports
    }

    /// What profiles are signed with now.
    pub(crate) fn certified(&self) -> Option<Arc<CertifiedKey>> {
        self.signer.as_ref()?.certified()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// The whole address of a path of ours.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    pub(crate) fn book(&self) -> &api::Book {
        self.inner.book.get_or_init(|| api::Book::of(self))
    }

    /// Everything: what stands behind the doors for browsers and programs, and behind the control socket.
    pub fn router(&self) -> Router {
        let rooms = panel::router(self).merge(api::router(self)).merge(autoconfig::router(self));
        // Before the routes are looked through, which know one case only.
        let folded = MapRequestLayer::new(autoconfig::fold_case).layer(rooms);
        Router::new().fallback_service(folded).layer(axum::middleware::from_fn(linger::linger))
    }
}
