//! `/metrics` and `/healthz` for whoever watches the house, on a loopback address.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use relais_store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Buckets of histograms of time, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Buckets of histograms that count.
const COUNTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Starts to count. Once a process.
pub(crate) fn recorder() -> Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    Ok(builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &COUNTS)?.install_recorder()?)
}

/// The bound listener; `at` must be a loopback address, since nobody logs in here.
pub(crate) async fn bind(at: &str) -> Result<Option<TcpListener>> {
    if at.is_empty() {
        return Ok(None);
    }
    let address: SocketAddr = at.parse().with_context(|| format!("[operations] at = \"{at}\" is not ADDRESS:PORT"))?;
    if !address.ip().is_loopback() {
        bail!("[operations] at = \"{at}\": only a loopback address, for nobody logs in there");
    }
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen for metrics at {address}")).map(Some)
}

#[derive(Clone)]
struct Watched {
    store: Store,
    handle: PrometheusHandle,
}

/// Answers until `stop`.
pub(crate) async fn serve(listener: TcpListener, store: Store, handle: PrometheusHandle, stop: CancellationToken) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .with_state(Watched { store, handle });
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "metrics are no longer served");
    }
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
    match watched.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}
