//! What a script's request did under its Idempotency-Key, so that it isn't done twice.

pub use relais_store::{MAX_ANSWER_OCTETS, OnceKey, Seen};

use crate::{Actor, Failure, Service};

impl Service {
    /// Notes that a request is begun, unless its name was seen before. What is seen is one's own; the command line has nothing of its own.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn begin_once(&self, actor: &Actor, once: &OnceKey) -> Result<Seen, Failure> {
        let Some((account, _)) = &actor.account else { return Ok(Seen::Never) };
        Ok(self.store.begin_once(*account, once).await?)
    }

    /// Notes the answer to it: [`MAX_ANSWER_OCTETS`] at most.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn remember_once(&self, actor: &Actor, once: &OnceKey, answer: String) -> Result<(), Failure> {
        let Some((account, _)) = &actor.account else { return Ok(()) };
        Ok(self.store.remember_once(*account, once, answer).await?)
    }

    /// Forgets it: it came to nothing.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn forget_once(&self, actor: &Actor, once: &OnceKey) -> Result<(), Failure> {
        let Some((account, _)) = &actor.account else { return Ok(()) };
        Ok(self.store.forget_once(*account, once).await?)
    }
}
