//! What the house hears from outside: signals that end it or have it read the file anew; and what it tells systemd of that.

use std::sync::Arc;

use anyhow::Result;
use relais_certs::Served;
use relais_delivery::Delivery;
use relais_maild::House;
use relais_reception::Disk;
use relais_store::Store;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::limits;
use super::outbound::routes;
use super::shown::{as_paths, files};
use crate::certificate::Pair;
use crate::config::Config;
use crate::log::SetLevel;

/// The signals that we obey.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(super) fn await_them() -> Result<Self> {
        let [terminate, interrupt, hang_up] =
            [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        Ok(Self { terminate: terminate?, interrupt: interrupt?, hang_up: hang_up? })
    }
}

pub(super) async fn wait_for_the_end(
    mut signals: Signals,
    reloading: &Reloading,
    delivery: Option<&Delivery>,
    set_level: &SetLevel,
) {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return,
            _ = signals.interrupt.recv() => return,
            _ = signals.hang_up.recv() => {
                notify_reloading();
                if let Err(error) = reloading.reload(delivery, set_level) {
                    error!(error = format!("{error:#}"), "nothing was read anew, all stays as it is: mend this and send SIGHUP again");
                }
                notify(&[sd_notify::NotifyState::Ready]);
            }
        }
    }
}

/// What SIGHUP reads anew, and where it goes.
pub(super) struct Reloading {
    pub(super) begun_with: Config,
    /// Instead of the configuration's.
    pub(super) own_pairs: Option<Vec<Pair>>,
    pub(super) served: Arc<Served>,
    pub(super) house: watch::Sender<Arc<House>>,
    pub(super) disk: Arc<Disk>,
    pub(super) store: Store,
}

impl Reloading {
    /// All of it, or nothing: whatever can fail comes before the first change.
    fn reload(&self, delivery: Option<&Delivery>, set_level: &SetLevel) -> Result<()> {
        let config = Config::load(self.begun_with.path())?;
        let (pairs, rank) = files(&config, self.own_pairs.as_deref())?;
        let routes = routes(&config.delivery.relays)?;
        self.served.replace_files(&as_paths(&pairs), rank)?;
        set_level(&config.log.level)?; // it was judged as the file was read
        let limits = limits(&config, &self.store);
        self.house.send_modify(|house| *house = Arc::new(house.with(limits, config.login.scram)));
        self.disk.set_floor(config.limits.free_octets());
        if let Some(delivery) = delivery {
            delivery.reroute(routes);
        }
        info!(
            "read anew: the certificates, the log's level, [limits] for new connections, the relays for the next deliveries"
        );
        let waits = self.begun_with.needs_restart(&config);
        if !waits.is_empty() {
            warn!(changed = waits.join(", "), "what else has changed in the file waits for a restart");
        }
        if delivery.is_none() && !config.delivery.relays.is_empty() {
            warn!("this demo keeps its mail: relays that were not there when it began wait for a restart");
        }
        Ok(())
    }
}

/// That we reload, and since when: systemd's `notify-reload` takes no answer that is older.
fn notify_reloading() {
    match sd_notify::NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[sd_notify::NotifyState::Reloading, now]),
        Err(error) => warn!(%error, "systemd could not be told"),
    }
}

/// Tells systemd, where there is one.
pub(super) fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd could not be told");
    }
}
