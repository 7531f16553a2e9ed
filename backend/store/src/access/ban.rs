//! What was done about bans; they themselves stand in no table.

use crate::audit::Deed;
use crate::{Author, Store, StoreError};

impl Store {
    /// Tells in the activity that someone lifted a ban.
    pub async fn note_lifted_ban(&self, by: &Author, whom: &str) -> Result<(), StoreError> {
        let (scribe, subject) = (self.scribe(by), whom.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                scribe.note(tx, Deed { act: "ban.lift", subject, ..Deed::default() }).await?;
                Ok(())
            })
        })
        .await
    }
}
