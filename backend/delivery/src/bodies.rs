//! Messages on their way out, read from the store a piece at a time.

use std::pin::Pin;

use relais_store::{MessageKey, Store};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::ports::Answer;

/// A message's octets, from the first one.
pub(crate) type Octets = Pin<Box<dyn AsyncRead + Send>>;

/// Opens a message when somebody is ready for it. Why it can't be read is logged where it is found.
pub(crate) trait Body: Send + Sync {
    /// All octets; none where the message can't be read.
    fn open(&self) -> Answer<'_, Option<Octets>>;
}

/// Up to `limit` octets; none where the message can't be read.
pub(crate) async fn beginning(body: &dyn Body, limit: u64) -> Vec<u8> {
    let mut octets = Vec::new();
    if let Some(message) = body.open().await
        && let Err(error) = message.take(limit).read_to_end(&mut octets).await
    {
        tracing::error!(%error, "a queued message can't be read to be returned");
    }
    octets
}

/// One message of the store.
pub(crate) struct StoredBody {
    pub(crate) store: Store,
    pub(crate) message: MessageKey,
}

impl Body for StoredBody {
    fn open(&self) -> Answer<'_, Option<Octets>> {
        Box::pin(async move {
            let why = match self.store.open_raw(self.message).await {
                Ok(Some(octets)) => return Some(octets as Octets),
                Ok(None) => "it is gone".to_owned(),
                Err(error) => error.to_string(),
            };
            tracing::error!(error = why, message.key = self.message.value(), "a queued message can't be read");
            None
        })
    }
}
