//! `/metrics` and `/healthz` for whoever watches the house, on a loopback address: in the clear, with TLS, or both.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::future::join_all;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use relais_httpd::Door;
use relais_store::Store;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use crate::config::Operations;

/// Connections at once at each of the two doors.
const GUESTS: usize = 64;
/// Buckets of histograms of time, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// A database that takes longer to say that it is there is as good as none.
const PATIENCE: Duration = Duration::from_secs(5);
/// Buckets of histograms that count.
const COUNTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Starts to count. Once a process.
pub(crate) fn recorder() -> Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    Ok(builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &COUNTS)?.install_recorder()?)
}

/// The doors, bound.
pub(crate) struct Doors(Vec<Door>);

impl Doors {
    /// Binds what `config` names; `tls` is what the TLS door shows.
    pub(crate) async fn bind(config: &Operations, tls: &ServerConfig) -> Result<Self> {
        let mut doors = Vec::new();
        if let Some(address) = config.at {
            doors.push(Door::plain(listen(address).await?, GUESTS));
        }
        if let Some(address) = config.tls_at {
            doors.push(Door::tls(listen(address).await?, tls, GUESTS));
        }
        Ok(Self(doors))
    }

    /// Answers until `stop`, and lets what is being asked be answered within `drain`.
    pub(crate) async fn serve(self, store: Store, handle: PrometheusHandle, stop: CancellationToken, drain: Duration) {
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(healthz))
            .with_state(Watched { store, handle });
        join_all(self.0.into_iter().map(|door| door.serve(router.clone(), stop.clone(), drain))).await;
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen for metrics at {address}"))
}

#[derive(Clone)]
struct Watched {
    store: Store,
    handle: PrometheusHandle,
}

async fn metrics(State(watched): State<Watched>) -> impl IntoResponse {
    match watched.store.queue_counts().await {
        Ok(counts) => {
            for (state, count) in [("waiting", counts.waiting), ("held", counts.held), ("claimed", counts.claimed)] {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a queue of 2^52 recipients is no more exact in any use"
                )]
                metrics::gauge!("relais_queue_recipients", "state" => state).set(count as f64);
            }
        }
        Err(error) => tracing::warn!(%error, "the queue can't be counted for the metrics"),
    }
    watched.handle.run_upkeep();
    watched.handle.render()
}

/// 200 while the database answers.
async fn healthz(State(watched): State<Watched>) -> (StatusCode, &'static str) {
    match timeout(PATIENCE, watched.store.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "ok\n"),
        Ok(Err(_)) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}
