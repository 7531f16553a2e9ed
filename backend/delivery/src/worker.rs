//! The worker: claims what is due, hands it to the lanes, and notes what came of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use relais_model::Timestamp;
use relais_store::{Acceptance, Claim, ClaimedMessage, Outcome, QueueKey, Settlement, StoreError};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt::{ATTEMPT_LIMIT, Courier, Job, Report, Verdict};
use crate::bodies::StoredBody;
use crate::connection::Connection;
use crate::lanes::Lanes;
use crate::local;
use crate::route::Routes;
use crate::settle::Desk;

/// A claim is void after this: longer than the longest wait and the longest attempt together. Only another node's death, or
/// a clock that jumps, makes it matter.
const LEASE: Duration = Duration::from_hours(3);
/// A job that waited longer for its turn is given back, lest its lease end while it is tried.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Recipients of one destination that one claim takes: RFC 5321 §4.5.3.1.8 lets each transaction have a hundred.
const PER_DESTINATION: u32 = 100;
/// What has no room is looked at again after this.
const GIVE_BACK: Duration = Duration::from_secs(30);
/// The queue is looked at this often whatever the store says, and this rarely where it says that much is due.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);
/// A verdict that the store doesn't take is offered again after this, doubled each time, up to a minute.
const FIRST_SETTLE_WAIT: Duration = Duration::from_millis(250);
const LONGEST_SETTLE_WAIT: Duration = Duration::from_mins(1);
/// The worker's own work at its end: giving back what was claimed.
const GIVE_BACK_LIMIT: Duration = Duration::from_secs(10);

const _: () =
    assert!(LONGEST_WAIT.as_secs() + ATTEMPT_LIMIT.as_secs() < LEASE.as_secs(), "a lease outlives its attempt");

/// All that the worker's tasks share.
pub(crate) struct Worker {
    pub(crate) courier: Courier,
    pub(crate) desk: Desk,
    pub(crate) lanes: Lanes,
    pub(crate) routes: watch::Receiver<Arc<Routes>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Worker {
    /// Works until `stop`, then gives back what nobody has begun. Lanes end by themselves.
    pub(crate) async fn run(self: Arc<Self>) {
        self.load_policies().await;
        self.tasks.spawn(Arc::clone(&self).keep());
        let wake = self.desk.store.queue_wake();
        while !self.stop.is_cancelled() {
            let woken = wake.notified();
            tokio::pin!(woken);
            // From here on a ring is heard, also while we claim.
            woken.as_mut().enable();
            if self.claim().await {
                continue;
            }
            let pause = self.pause().await;
            // All arms are cancel-safe: they take nothing but a ring, and the queue is looked at after each of them.
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = &mut woken => {}
                () = self.lanes.freed.notified() => {}
                () = sleep(pause) => {}
            }
        }
        let left = self.lanes.close();
        if timeout(GIVE_BACK_LIMIT, self.give_back(left, Duration::ZERO)).await.is_err() {
            tracing::warn!("claimed mail could not be given back; it is tried again when its lease ends");
        }
    }

    /// Claims what there is room for; true where more may be due.
    async fn claim(self: &Arc<Self>) -> bool {
        let room = u32::try_from(self.lanes.room()).unwrap_or(u32::MAX);
        if room == 0 {
            return false;
        }
        let claimed_at = self.desk.ports.clock.now();
        let claim = Claim { limit: room, per_destination: PER_DESTINATION, lease: LEASE, busy: self.lanes.busy() };
        let claimed = match self.desk.store.queue_claim(claim).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "the queue can't be read; it is tried again");
                return false;
            }
        };
        let found = !claimed.is_empty();
        let mut refused = Vec::new();
        for job in self.jobs(claimed, claimed_at) {
            if let Err(job) = self.lanes.push(job) {
                refused.push(*job);
            }
        }
        self.open_lanes();
        self.give_back(refused, GIVE_BACK).await;
        found
    }

    /// Recipients of one message that share a next hop travel together.
    fn jobs(&self, claimed: Vec<ClaimedMessage>, claimed_at: Timestamp) -> Vec<Job> {
        let mut jobs: Vec<Job> = Vec::with_capacity(claimed.len());
        let mut places: HashMap<(QueueKey, String), usize> = HashMap::new();
        let routes = Arc::clone(&self.routes.borrow());
        for ClaimedMessage { message, destination, recipients } in claimed {
            let next_hop = routes.next_hop(&message.reverse_path, &destination);
            let place = *places.entry((message.key, next_hop.to_string())).or_insert(jobs.len());
            match jobs.get_mut(place) {
                Some(job) => job.recipients.extend(recipients),
                None => jobs.push(Job { message, recipients, next_hop, claimed_at }),
            }
        }
        jobs
    }

    /// How long there is nothing to do, as far as the store knows.
    async fn pause(&self) -> Duration {
        match self.desk.store.queue_next_due().await {
            Ok(Some(due)) => due.since(self.desk.ports.clock.now()).clamp(SHORTEST_SLEEP, LONGEST_SLEEP),
            Ok(None) => LONGEST_SLEEP,
            Err(_told_by_claim) => SHORTEST_SLEEP,
        }
    }

    fn open_lanes(self: &Arc<Self>) {
        for name in self.lanes.wanted() {
            self.tasks.spawn(Arc::clone(self).lane(name));
        }
    }

    /// One lane: job after job, over one connection where that can be.
    async fn lane(self: Arc<Self>, name: String) {
        let mut connection = None;
        while let Some(job) = self.lanes.next(&name, connection.is_some()).await {
            let in_hand = InHand { lanes: &self.lanes, name: &name };
            let was_heard = self.work(&job, &mut connection).await;
            std::mem::forget(in_hand);
            self.lanes.done(&name, was_heard);
            self.open_lanes();
        }
        if let Some(connection) = connection {
            connection.quit().await;
        }
        self.open_lanes();
    }

    /// Tries one job and notes what came of it; true where a host took part.
    async fn work(&self, job: &Job, connection: &mut Option<Connection>) -> bool {
        let now = self.desk.ports.clock.now();
        if LONGEST_WAIT < now.since(job.claimed_at) || self.stop.is_cancelled() {
            self.give_back(vec![job.clone()], Duration::ZERO).await;
            return true;
        }
        let body = StoredBody { store: self.desk.store.clone(), message: job.message.message };
        let expires_at = now.plus(self.desk.config.notice_lifetime);
        match local::file(&self.desk, job, expires_at).await {
            Ok(None) => {
                let Report { verdicts, was_heard } = self.courier.attempt(job, &body, connection).await;
                self.settle(job, &verdicts, &body, Vec::new()).await;
                was_heard
            }
            Ok(Some((verdicts, filed))) => {
                self.settle(job, &verdicts, &body, filed).await;
                true
            }
            Err(error) => {
                tracing::warn!(%error, queue.id = %job.message.trace, "the store can't say whether a message is for us; it waits");
                self.give_back(vec![job.clone()], GIVE_BACK).await;
                true
            }
        }
    }

    /// Notes verdicts, again and again until the store takes them: a delivery that isn't noted is made twice.
    async fn settle(&self, job: &Job, verdicts: &[Verdict], body: &StoredBody, filed: Vec<Acceptance>) {
        let mut wait = FIRST_SETTLE_WAIT;
        loop {
            match self.desk.settle(job, verdicts, body, filed.clone()).await {
                Ok(()) => return,
                Err(error @ StoreError::Closed) => {
                    tracing::error!(%error, queue.id = %job.message.trace, "what became of a message can't be noted");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, queue.id = %job.message.trace, "what became of a message isn't noted yet");
                }
            }
            // Where the house closes, the drain's end ends this wait: the lease will have it tried again.
            tokio::select! {
                () = self.courier.cut.cancelled() => return,
                () = sleep(wait) => wait = (wait * 2).min(LONGEST_SETTLE_WAIT),
            }
        }
    }

    async fn give_back(&self, jobs: Vec<Job>, wait: Duration) {
        if jobs.is_empty() {
            return;
        }
        let until = self.desk.ports.clock.now().plus(wait);
        let recipients = jobs.iter().flat_map(|job| &job.recipients);
        let settlement = |key| Settlement { recipient: key, outcome: Outcome::Untried { until } };
        let settlements = recipients.map(|recipient| settlement(recipient.key)).collect();
        if let Err(error) = self.desk.store.queue_settle(settlements, Vec::new()).await {
            tracing::warn!(%error, "claimed mail could not be given back; it is tried again when its lease ends");
        }
    }
}

/// A job in a lane's hand: dropped only where the lane panics, so that the others learn that it is gone.
struct InHand<'a> {
    lanes: &'a Lanes,
    name: &'a str,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.lanes.died(self.name);
    }
}

#[cfg(test)]
mod tests;
