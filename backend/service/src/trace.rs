//! Where did a message go?

use relais_model::{Address, Timestamp};
use relais_store::{TraceFilter, TraceId};
use serde::{Deserialize, Serialize};

use crate::{ActFailure, Answer, Paging, Rows, Service};

/// One step of a message's way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TraceRow {
    /// RFC 3339, UTC.
    pub at: String,
    /// The message's id, as it stands in Received.
    pub trace: String,
    /// What happened: `delivered`, `queued`, `deferred`….
    pub kind: String,
    /// From whom; empty for the null reverse-path.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// The host that gave or took it.
    pub remote: String,
    /// What was said.
    pub text: String,
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.seconds()).map_or_else(|_| "–".to_owned(), |at| at.to_string())
}

impl Service {
    pub(crate) async fn trace(&self, wanted: &str, paging: Paging) -> Result<Answer, ActFailure> {
        let filter = match (Address::parse(wanted), TraceId::parse(wanted)) {
            (Ok(address), _) => TraceFilter { address: Some(address), ..TraceFilter::default() },
            (_, Some(trace)) => TraceFilter { trace: Some(trace), ..TraceFilter::default() },
            _ => {
                return Err(ActFailure::Bad(format!(
                    "`{wanted}` is neither an address nor an id as Received shows it"
                )));
            }
        };
        let listing = self.store.trace(&filter, &paging.page()).await?;
        Ok(Answer::Trace(Rows::of(listing, |event| TraceRow {
            at: time(event.at),
            trace: event.trace.to_string(),
            kind: event.kind.as_str().to_owned(),
            sender: event.sender,
            recipient: event.recipient,
            remote: event.remote,
            text: event.text,
        })))
    }
}
