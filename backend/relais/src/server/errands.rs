//! What goes on beside the doors.

use std::sync::Arc;
use std::time::Duration;

use relais_maild::House;
use relais_service::Service;
use relais_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Another node's change of a setting is in force here after this.
const SETTINGS_READ_EVERY: Duration = Duration::from_secs(10);

/// Counts the mail of the last day, for the first page.
pub(super) async fn count_flow(service: Service, stop: CancellationToken) {
    tokio::select! {
        // Cancel-safe: what was counted is kept, and read again after the next start.
        () = stop.cancelled() => {}
        counted = service.count_flow() => {
            if counted.is_err() {
                warn!("the mail of the last day could not be counted; the first page goes on with it");
            }
        }
    }
}

/// Lets the doors obey each change of the settings, and reads what another node may have set.
pub(super) async fn obey_settings(store: Store, house: watch::Sender<Arc<House>>, stop: CancellationToken) {
    let mut changes = store.settings_changes();
    loop {
        tokio::select! {
            // All cancel-safe: what is missed is seen at the next turn.
            () = stop.cancelled() => return,
            outcome = changes.changed() => {
                if outcome.is_err() {
                    return;
                }
                let octets = changes.borrow_and_update().message_octets;
                house.send_modify(|house| *house = Arc::new(house.with_message_octets(octets)));
            }
            () = tokio::time::sleep(SETTINGS_READ_EVERY) => {
                if let Err(error) = store.read_settings().await {
                    warn!(%error, "the settings could not be read anew");
                }
            }
        }
    }
}
