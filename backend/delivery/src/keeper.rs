//! What outlives the process: MTA-STS policies, and how TLS came out. Beside the queue's own work, and never in its way.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::worker::Worker;

/// Policies and counts that are new go to the store this often.
const KEEP_EVERY: Duration = Duration::from_mins(1);

impl Worker {
    /// Takes the policies that the store kept, before any mail goes out. Without them, those that are announced are fetched.
    pub(crate) async fn load_policies(&self) {
        match self.desk.store.sts_policies().await {
            Ok(entries) => self.courier.policies.load(entries),
            Err(error) => tracing::error!(%error, "the MTA-STS policies that were kept can't be read"),
        }
    }

    /// Keeps, and fetches policies anew before they end, until the worker stops.
    pub(crate) async fn keep(self: Arc<Self>) {
        loop {
            tokio::select! {
                // Both cancel-safe: they take nothing.
                () = self.stop.cancelled() => break,
                () = sleep(KEEP_EVERY) => {}
            }
            tokio::select! {
                // Cancel-safe: what was fetched is kept, the rest is fetched after the next start.
                () = self.stop.cancelled() => {}
                () = self.courier.policies.refresh(&self.courier.ports, &self.courier.tls) => {}
            }
            self.keep_now().await;
        }
        self.keep_now().await;
    }

    async fn keep_now(&self) {
        let policies = self.courier.policies.take_new();
        if !policies.is_empty()
            && let Err(error) = self.desk.store.keep_sts_policies(policies).await
        {
            tracing::warn!(%error, "MTA-STS policies can't be kept; they hold until this process ends");
        }
        let counts = self.courier.tally.take();
        if !counts.is_empty()
            && let Err(error) = self.desk.store.count_tls_results(counts).await
        {
            tracing::warn!(%error, "how TLS came out can't be counted for the reports");
        }
    }
}
