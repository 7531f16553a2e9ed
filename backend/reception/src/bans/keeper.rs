//! Keeps bans in the store, and brings them back when the house opens.
//!
//! They are looked at now and then, so that whoever guesses causes no writing of their own; what began since the last look is lost with the process.
//! That everybody is refused, for seconds, isn't kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use relais_store::{BanKind, KeptBan, Store, StoreError};
use tokio::select;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{Ban, BanReason, Banned};
use crate::login::Login;
use crate::network::Network;
use crate::networks::Porter;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(20);

type Whose = (BanKind, String, String);

/// Keeps the bans of log-ins and of port 25.
#[derive(Debug)]
pub struct BanKeeper {
    store: Store,
    login: Arc<Login>,
    porter: Arc<Porter>,
    /// As the store has them.
    kept: HashMap<Whose, KeptBan>,
}

impl BanKeeper {
    /// Brings back what still holds, before anybody is let in.
    pub async fn open(store: Store, login: Arc<Login>, porter: Arc<Porter>) -> Result<Self, StoreError> {
        let mut kept = HashMap::new();
        for ban in store.kept_bans().await? {
            // What isn't known here isn't held here, either: so it is nothing that was lifted.
            let Some(again) = read(&ban) else { continue };
            if again.why == BanReason::LogIns {
                login.ban_again(&again);
            } else {
                porter.ban_again(&again);
            }
            kept.insert(whose(&ban), ban);
        }
        if !kept.is_empty() {
            info!(bans = kept.len(), "bans from before the restart hold on");
        }
        Ok(Self { store, login, porter, kept })
    }

    /// Keeps what is refused, again and again, until `stop`, and once more then.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            // Both arms are cancel-safe: nothing is held while they wait.
            let is_over = select! {
                () = stop.cancelled() => true,
                () = sleep(PAUSE) => false,
            };
            if let Err(error) = self.keep().await {
                error!(%error, "bans could not be kept");
            }
            if is_over {
                return;
            }
        }
    }

    /// Keeps what is refused now.
    pub async fn keep(&mut self) -> Result<(), StoreError> {
        let bans = self.login.lasting_bans().into_iter().chain(self.porter.bans());
        let bans: HashMap<Whose, KeptBan> =
            bans.filter_map(|ban| written(&ban)).map(|ban| (whose(&ban), ban)).collect();
        let new: Vec<KeptBan> = bans
            .iter()
            .filter(|(whose, ban)| self.kept.get(*whose) != Some(*ban))
            .map(|(_, ban)| ban.clone())
            .collect();
        let now = self.store.now();
        let is_lifted = |whose: &Whose, ban: &KeptBan| now < ban.until && !bans.contains_key(whose);
        let lifted: Vec<KeptBan> =
            self.kept.iter().filter(|(whose, ban)| is_lifted(whose, ban)).map(|(_, ban)| ban.clone()).collect();
        if !new.is_empty() || !lifted.is_empty() {
            self.store.keep_bans(new, lifted).await?;
        }
        self.kept = bans;
        Ok(())
    }
}

fn whose(ban: &KeptBan) -> Whose {
    (ban.kind, ban.whom.clone(), ban.why.clone())
}

fn written(ban: &Ban) -> Option<KeptBan> {
    let kind = match ban.of {
        Banned::Name(_) => BanKind::Name,
        Banned::Network(_) => BanKind::Network,
        Banned::Everybody => return None,
    };
    let (whom, why) = (ban.of.to_string(), ban.why.as_str().to_owned());
    let &Ban { since, until, failures, earlier, .. } = ban;
    Some(KeptBan { kind, whom, why, since, until, failures, earlier })
}

/// None of what another release wrote, and this one doesn't know.
fn read(ban: &KeptBan) -> Option<Ban> {
    let of = match ban.kind {
        BanKind::Name => Banned::Name(ban.whom.clone()),
        BanKind::Network => Banned::Network(Network::parse(&ban.whom)?),
    };
    let &KeptBan { since, until, failures, earlier, .. } = ban;
    Some(Ban { of, since, until, failures, why: BanReason::parse(&ban.why)?, earlier })
}
