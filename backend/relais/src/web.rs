//! The doors for browsers and programs: panel and API over TLS, and plain HTTP that only knows the way there. At both a CA finds
//! its proofs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::future::join_all;
use relais_certs::Challenges;
use relais_httpd::Door;
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use crate::config::WebSection;

/// Connections at once at each door.
const GUESTS: usize = 1024;

/// The doors, bound.
pub(crate) struct Doors {
    tls: Vec<Door>,
    plain: Vec<Door>,
    /// The port that browsers are led to.
    port: u16,
}

impl Doors {
    /// Binds what `config` names; `tls` is what the TLS doors show.
    pub(crate) fn bind(config: &WebSection, tls: &ServerConfig) -> Result<Self> {
        let secured = |address: &SocketAddr| Ok(Door::tls(listen(*address)?, tls, GUESTS));
        let plain = |address: &SocketAddr| Ok(Door::plain(listen(*address)?, GUESTS));
        Ok(Self {
            tls: config.at.iter().map(secured).collect::<Result<_>>()?,
            plain: config.plain_at.iter().map(plain).collect::<Result<_>>()?,
            port: config.at.first().map_or(443, SocketAddr::port),
        })
    }

    /// Serves `router` until `stop`, and lets what is being asked be answered within `drain`.
    pub(crate) async fn serve(
        self,
        router: Router,
        challenges: Arc<Challenges>,
        stop: CancellationToken,
        drain: Duration,
    ) {
        let port = self.port;
        let router = router.merge(proofs(Arc::clone(&challenges)));
        let to_tls = proofs(challenges).fallback(move |request: Request| async move { lead_to_tls(&request, port) });
        let secured = self.tls.into_iter().map(|door| door.serve(router.clone(), stop.clone(), drain));
        let plain = self.plain.into_iter().map(|door| door.serve(to_tls.clone(), stop.clone(), drain));
        tokio::join!(join_all(secured), join_all(plain));
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    relais_maild::listen(address).with_context(|| format!("cannot listen for browsers at {address}"))
}

/// What a CA looks for (RFC 8555 §8.3): over plain HTTP, and over TLS where it was led there.
fn proofs(challenges: Arc<Challenges>) -> Router {
    Router::new().route("/.well-known/acme-challenge/{token}", get(proof)).with_state(challenges)
}

async fn proof(State(challenges): State<Arc<Challenges>>, Path(token): Path<String>) -> Response {
    match challenges.answer(&token) {
        Some(proof) => ([(header::CONTENT_TYPE, "application/octet-stream")], proof).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The same page over TLS.
fn lead_to_tls(request: &Request, port: u16) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.map(without_port).filter(|host| is_host(host)) else {
        return (StatusCode::BAD_REQUEST, "Which host? Ask over HTTPS.\n").into_response();
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let place = if port == 443 { format!("https://{host}{path}") } else { format!("https://{host}:{port}{path}") };
    Redirect::permanent(&place).into_response()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    }
}

/// A name or an address, and nothing that could lead elsewhere.
fn is_host(host: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'[' | b']' | b':');
    !host.is_empty() && host.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn plain_http_knows_the_way_to_tls() {
        let check = |host: &str, port: u16, expected: &str| {
            let request = Request::get("/panel?x=1").header(header::HOST, host).body(Body::empty()).unwrap();
            let response = lead_to_tls(&request, port);
            let place = response.headers().get(header::LOCATION).map_or("", |place| place.to_str().unwrap());
            assert_eq!(place, expected, "{host}");
        };
        check("mx.example.org", 443, "https://mx.example.org/panel?x=1");
        check("mx.example.org:80", 443, "https://mx.example.org/panel?x=1");
        check("localhost:8080", 8443, "https://localhost:8443/panel?x=1");
        check("[::1]:80", 443, "https://[::1]/panel?x=1");
        check("evil.example/@mx.example.org", 443, "");
        check("", 443, "");
    }
}
