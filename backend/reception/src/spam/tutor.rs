//! Learns what people's acts say: moves into Junk and out of it, marks, answers; and what they read and keep.

use std::sync::Arc;
use std::time::Duration;

use relais_junk::{Class, Own};
use relais_message::{fields, header_octets};
use relais_store::{JunkModel, LearntCounts, Lesson, ReadMessage, Store, StoreError};
use tokio::select;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use super::filter::read_own;
use super::{Filter, Looked, origin};

/// Lessons that are learnt at once.
const LESSONS: u32 = 50;
/// Between two looks, however many changes there are.
const PAUSE: Duration = Duration::from_secs(2);
/// A store that failed is left alone for so long.
const FAILED_PAUSE: Duration = Duration::from_mins(1);

/// The one who teaches accounts' models.
#[derive(Debug)]
pub struct Tutor {
    store: Store,
    filter: Arc<Filter>,
}

impl Tutor {
    /// Teaches `filter`'s models.
    pub const fn new(store: Store, filter: Arc<Filter>) -> Self {
        Self { store, filter }
    }

    /// Learns what is due, again and again, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.store.changes();
        loop {
            let pause = match self.learn_all().await {
                Ok(()) => PAUSE,
                Err(error) => {
                    error!(%error, "what people teach couldn't be learnt");
                    FAILED_PAUSE
                }
            };
            let rest = async {
                sleep(pause).await;
                // Who is late has heard that there were changes.
                matches!(changes.recv().await, Ok(_) | Err(RecvError::Lagged(_)))
            };
            select! {
                () = stop.cancelled() => return,
                goes_on = rest => if !goes_on { return },
            }
        }
    }

    /// Learns all that is due now.
    pub async fn learn_all(&self) -> Result<(), StoreError> {
        while self.learn_some().await? > 0 {}
        while self.settle_some().await? > 0 {}
        Ok(())
    }

    /// Counts some of what was read long enough ago for who sent it; how many messages.
    async fn settle_some(&self) -> Result<usize, StoreError> {
        let due = self.store.readings_due(LESSONS).await?;
        let mut readings = Vec::new();
        for read in &due {
            let raw = self.store.raw(read.message).await?;
            readings.push((*read, raw.map(|raw| origin::kept(&raw)).unwrap_or_default()));
        }
        if !readings.is_empty() {
            self.store.settle_readings(readings).await?;
        }
        Ok(due.len())
    }

    /// Learns some of one account; how many lessons.
    async fn learn_some(&self) -> Result<usize, StoreError> {
        let lessons = self.store.lessons_due(LESSONS).await?;
        let Some(Lesson { account, .. }) = lessons.first().copied() else { return Ok(0) };
        let mut own = read_own(&self.store, account).await?.unwrap_or_default();
        for lesson in &lessons {
            self.learn(&mut own, lesson).await?;
        }
        let counts = LearntCounts { ham: own.learnt(Class::Ham).into(), junk: own.learnt(Class::Junk).into() };
        let (learnt, model) = (lessons.len(), JunkModel { octets: own.to_bytes(), counts });
        self.store.keep_learnt(account, model, lessons).await?;
        debug!(learnt, ?counts, "an account's filter has learnt");
        Ok(learnt)
    }

    async fn learn(&self, own: &mut Own, lesson: &Lesson) -> Result<(), StoreError> {
        // A message that is gone meanwhile says nothing.
        let Some(raw) = self.store.raw(lesson.message).await? else { return Ok(()) };
        // What arrives and who is imitated makes signs, and signs aren't learnt: the same features whenever it is looked at.
        let message = as_it_came(&raw);
        let looked = Looked { message, sender: None, recipients: &[], arrived_at: self.store.now() };
        let features = self.filter.features(&looked, &[]).await?;
        let class = |is_junk| if is_junk { Class::Junk } else { Class::Ham };
        if let Some(learnt) = lesson.learnt {
            own.unlearn(&features, class(learnt));
        }
        own.learn(&features, class(lesson.is_junk));
        if lesson.is_junk {
            let read = ReadMessage { account: lesson.account, message: lesson.message };
            self.store.take_back_reading(read, origin::kept(&raw)).await?;
        }
        Ok(())
    }
}

/// A message without what we put before it when it came in: the filter saw it so. That ends with our Received field.
fn as_it_came(raw: &[u8]) -> &[u8] {
    let mut octets = 0;
    for field in fields(raw.get(..header_octets(raw)).unwrap_or_default()) {
        if octets == 0 && !field.is("Return-Path") {
            return raw;
        }
        octets += field.raw.len();
        if field.is("Received") {
            return raw.get(octets..).unwrap_or_default();
        }
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learnt_is_what_the_filter_saw() {
        let theirs = "Received: from a by b\r\nSubject: hello\r\n\r\nThe body.\r\n";
        let ours = "Return-Path: <a@b.example>\r\nDelivered-To: c@d.example\r\nAuthentication-Results: mx;\r\n none\r\nReceived: from b by c\r\n\tfor d\r\n";
        assert_eq!(as_it_came(format!("{ours}{theirs}").as_bytes()), theirs.as_bytes());
        assert_eq!(as_it_came(theirs.as_bytes()), theirs.as_bytes());
        assert_eq!(as_it_came(b"Return-Path: <>\r\n\r\nx"), b"Return-Path: <>\r\n\r\nx");
    }
}
