//! What goes on to other hosts has a reverse path of ours (SRS), so that SPF passes there; what comes back by it goes on to the sender.

use data_encoding::HEXLOWER;
use relais_model::{Address, Domain, ReversePath, Secret};
use relais_msgauth::srs::{Srs, SrsError};
use relais_store::{Route, StoreError};

use crate::Filing;

/// Whether an address looks like one that was rewritten, here or elsewhere.
pub fn is_rewritten(address: &Address) -> bool {
    let start = address.local_part.as_str().get(..5).unwrap_or_default();
    ["SRS0=", "SRS1=", "SRS0+", "SRS1+", "SRS0-", "SRS1-"].iter().any(|tag| start.eq_ignore_ascii_case(tag))
}

impl Filing {
    /// The reverse path under which a message goes on by an address at `ours`. The null one stays, as does that of a sender of ours, and one
    /// that would become too long: its sender's SPF may then fail.
    ///
    /// # Errors
    /// The store failed.
    pub async fn forwarded_path(&self, from: &ReversePath, ours: &Domain) -> Result<ReversePath, StoreError> {
        let Some(sender) = from.address() else { return Ok(from.clone()) };
        if self.store.route(sender).await? != Route::NotLocal {
            return Ok(from.clone());
        }
        let rewritten = self.srs().await?.forward(sender, ours, self.store.now());
        Ok(rewritten.map_or_else(|_too_long| from.clone(), ReversePath::Address))
    }

    /// Where mail to an address that was rewritten here goes on; none for any other address. Real addresses go first.
    pub(crate) async fn way_back(&self, address: &Address, route: &Route) -> Result<Option<Route>, StoreError> {
        let is_free = match route {
            Route::NoSuchAddress | Route::CatchAll { .. } => true,
            Route::NotLocal => address.domain == self.host,
            Route::Account { .. }
            | Route::Alias { .. }
            | Route::List { .. }
            | Route::Ended { .. }
            | Route::Disabled => false,
        };
        if !is_free || !is_rewritten(address) {
            return Ok(None);
        }
        Ok(match self.srs().await?.reverse(address, self.store.now()) {
            Ok(Some(sender)) => Some(Route::onward(vec![sender])),
            Ok(None) => None,
            Err(SrsError::Forged | SrsError::Expired | SrsError::TooLong) => Some(Route::NoSuchAddress),
        })
    }

    async fn srs(&self) -> Result<&Srs, StoreError> {
        if let Some(srs) = self.srs.get() {
            return Ok(srs);
        }
        let secret = Secret::new(HEXLOWER.encode(&self.store.secret("srs").await?));
        Ok(self.srs.get_or_init(|| Srs::new(&secret)))
    }
}
