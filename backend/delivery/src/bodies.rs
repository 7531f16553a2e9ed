//! Messages on their way out. However many destinations one has at once, it stands in memory once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use relais_store::{MessageKey, Store, StoreError};
use tokio::sync::OnceCell;

use crate::connection::Body;
use crate::ports::Answer;

/// Shares what is read.
pub(crate) struct Bodies {
    store: Store,
    shared: Mutex<HashMap<MessageKey, Weak<OnceCell<Bytes>>>>,
}

impl Bodies {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, shared: Mutex::default() }
    }

    /// The message's octets, read when they are first asked for and kept until the last holder of this is done.
    pub(crate) fn body(&self, message: MessageKey) -> StoredBody {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shared.get(&message).and_then(Weak::upgrade);
        let octets = known.unwrap_or_else(|| {
            shared.retain(|_, body| body.strong_count() > 0);
            let octets = Arc::new(OnceCell::new());
            shared.insert(message, Arc::downgrade(&octets));
            octets
        });
        StoredBody { store: self.store.clone(), message, octets }
    }
}

/// One message of the store.
pub(crate) struct StoredBody {
    store: Store,
    message: MessageKey,
    octets: Arc<OnceCell<Bytes>>,
}

impl Body for StoredBody {
    fn load(&self) -> Answer<'_, Option<Bytes>> {
        Box::pin(async move {
            let read = async || match self.store.raw(self.message).await {
                Ok(Some(raw)) => Ok(Bytes::from(raw)),
                Ok(None) => Err(StoreError::Damaged("a queued message has no content".to_owned())),
                Err(error) => Err(error),
            };
            match self.octets.get_or_try_init(read).await {
                Ok(octets) => Some(octets.clone()),
                Err(error) => {
                    tracing::error!(%error, message.key = self.message.value(), "a queued message can't be read");
                    None
                }
            }
        })
    }
}
