//! Who is spoken to, how often at once: a destination has lanes, and a lane is a task with at most one open connection.
//!
//! Jobs wait with their destination. A lane takes them one after the other over the same connection, lingers for a moment when
//! there are none, and ends. A destination begins with few lanes, gains one with each message that is heard, and falls back
//! to one when its hosts don't answer: so neither a slow host nor a dead one takes the place of others.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use relais_model::Domain;

use crate::attempt::Job;
use crate::config::DeliveryConfig;

/// A destination begins with so many.
const FIRST_LANES: usize = 2;
/// Jobs that wait for each connection, at most, so that connections are used again.
const JOBS_PER_CONNECTION: usize = 8;
/// With so many jobs waiting, a destination is busy: no more are claimed for it until half are gone.
const BUSY_FROM: usize = 100;
/// Jobs that wait with one destination, at most; more are given back to the store. Only a relay host, which many domains share,
/// comes so far.
const MOST_WAITING: usize = 300;
/// An idle connection waits so long for another message: hosts don't like to be held.
const LINGER: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Destination {
    jobs: VecDeque<Job>,
    lanes: usize,
    idle: usize,
    limit: usize,
    was_busy: bool,
    /// The pace: nothing begins before.
    next_start: Instant,
    wake: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    destinations: HashMap<String, Destination>,
    lanes: usize,
    /// Jobs waiting and under way.
    jobs: usize,
    is_closed: bool,
}

/// What a lane found.
enum Taken {
    /// A job, and when it may begin.
    Job(Box<Job>, Instant),
    /// None yet; this rings when there is.
    Nothing(Arc<Notify>),
}

/// All lanes.
#[derive(Debug)]
pub(crate) struct Lanes {
    state: Mutex<State>,
    most: usize,
    most_per_destination: usize,
    pace: Duration,
    stop: CancellationToken,
    /// Rings when there is room again, in all or for a destination that was busy.
    pub(crate) freed: Notify,
}

impl Lanes {
    pub(crate) fn new(config: &DeliveryConfig, stop: CancellationToken) -> Self {
        Self {
            state: Mutex::default(),
            most: config.connections.max(1),
            most_per_destination: config.connections_per_destination.max(1),
            pace: config.pace,
            stop,
            freed: Notify::new(),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many more jobs are welcome.
    pub(crate) fn room(&self) -> usize {
        self.with(|state| (self.most * JOBS_PER_CONNECTION).saturating_sub(state.jobs))
    }

    /// The domains of busy destinations.
    pub(crate) fn busy(&self) -> Vec<Domain> {
        self.with(|state| {
            let full = state.destinations.values().filter(|destination| destination.jobs.len() >= BUSY_FROM);
            let domains = full.flat_map(|destination| &destination.jobs);
            let domains =
                domains.flat_map(|job| job.recipients.iter().map(|recipient| recipient.address.domain.clone()));
            let mut domains: Vec<Domain> = domains.collect();
            domains.sort();
            domains.dedup();
            domains
        })
    }

    /// Takes a job in.
    ///
    /// # Errors
    /// The job: its destination has enough, or no more work is taken.
    pub(crate) fn push(&self, job: Job) -> Result<(), Box<Job>> {
        self.with(|state| {
            let destination = state.destinations.entry(job.next_hop.to_string()).or_insert_with(|| Destination {
                jobs: VecDeque::new(),
                lanes: 0,
                idle: 0,
                limit: FIRST_LANES.min(self.most_per_destination),
                was_busy: false,
                next_start: Instant::now(),
                wake: Arc::default(),
            });
            if state.is_closed || destination.jobs.len() >= MOST_WAITING {
                return Err(Box::new(job));
            }
            state.jobs += 1;
            destination.jobs.push_back(job);
            destination.was_busy |= destination.jobs.len() >= BUSY_FROM;
            destination.wake.notify_one();
            Ok(())
        })
    }

    /// Destinations that should have one more lane each, by name; each is counted already and must be run with [`Lanes::next`]
    /// until that ends.
    pub(crate) fn wanted(&self) -> Vec<String> {
        self.with(|state| {
            let now = Instant::now();
            state.destinations.retain(|_, destination| {
                destination.lanes > 0 || !destination.jobs.is_empty() || now < destination.next_start
            });
            let mut wanted = Vec::new();
            for (name, destination) in &mut state.destinations {
                while state.lanes < self.most
                    && destination.lanes < destination.limit
                    && destination.idle < destination.jobs.len()
                {
                    state.lanes += 1;
                    destination.lanes += 1;
                    // It is as good as idle until it takes a job.
                    destination.idle += 1;
                    wanted.push(name.clone());
                }
            }
            wanted
        })
    }

    /// The next job for a lane of `name`, when its time has come or the worker is stopped. Where `lingers`, the lane has a connection open and waits a moment for one. None: the
    /// lane ends, and is not counted any more.
    pub(crate) async fn next(&self, name: &str, lingers: bool) -> Option<Job> {
        let until = Instant::now() + LINGER;
        loop {
            let (job, start) = match self.take(name, lingers && Instant::now() < until)? {
                Taken::Job(job, start) => (job, start),
                Taken::Nothing(wake) => {
                    // Cancel-safe: a ring only says to look again.
                    let _late = timeout_at(until, wake.notified()).await;
                    continue;
                }
            };
            // Cancel-safe: a wait for the time keeps nothing.
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = sleep_until(start) => {}
            }
            return Some(*job);
        }
    }

    /// None where the lane is to end.
    fn take(&self, name: &str, may_wait: bool) -> Option<Taken> {
        self.with(|state| {
            let is_closed = state.is_closed;
            let destination = state.destinations.get_mut(name)?;
            let wake = Arc::clone(&destination.wake);
            // After a failure there may be more lanes than there should be.
            let is_surplus = destination.limit < destination.lanes;
            if let Some(job) = destination.jobs.pop_front_if(|_| !is_surplus) {
                destination.idle = destination.idle.saturating_sub(1);
                let start = destination.next_start.max(Instant::now());
                destination.next_start = start + self.pace;
                return Some(Taken::Job(Box::new(job), start));
            }
            if may_wait && !is_surplus && !is_closed {
                return Some(Taken::Nothing(wake));
            }
            destination.lanes -= 1;
            destination.idle = destination.idle.saturating_sub(1);
            state.lanes = state.lanes.saturating_sub(1);
            None
        })
    }

    /// A lane of `name` is done with a job, and free for another.
    pub(crate) fn done(&self, name: &str, was_heard: bool) {
        let has_room_again = self.with(|state| {
            let was_full = state.jobs >= self.most * JOBS_PER_CONNECTION;
            state.jobs = state.jobs.saturating_sub(1);
            let Some(destination) = state.destinations.get_mut(name) else { return was_full };
            destination.idle += 1;
            destination.limit = if was_heard { (destination.limit + 1).min(self.most_per_destination) } else { 1 };
            let has_room = destination.was_busy && destination.jobs.len() <= BUSY_FROM / 2;
            destination.was_busy &= !has_room;
            was_full || has_room
        });
        if has_room_again {
            self.freed.notify_one();
        }
    }

    /// A lane of `name` died with a job in hand, which its lease's end will bring back.
    pub(crate) fn died(&self, name: &str) {
        self.with(|state| {
            state.jobs = state.jobs.saturating_sub(1);
            state.lanes = state.lanes.saturating_sub(1);
            if let Some(destination) = state.destinations.get_mut(name) {
                destination.lanes = destination.lanes.saturating_sub(1);
            }
        });
        self.freed.notify_one();
    }

    /// Takes no more work, and gives back what nobody has begun.
    pub(crate) fn close(&self) -> Vec<Job> {
        self.with(|state| {
            state.is_closed = true;
            let mut left = Vec::new();
            for destination in state.destinations.values_mut() {
                left.extend(destination.jobs.drain(..));
                destination.wake.notify_waiters();
            }
            state.jobs = state.jobs.saturating_sub(left.len());
            left
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::tests::job;

    fn lanes(change: impl FnOnce(&mut DeliveryConfig)) -> Lanes {
        let mut config = DeliveryConfig::new(Domain::parse("us.example").unwrap());
        change(&mut config);
        Lanes::new(&config, CancellationToken::new())
    }

    /// One more connection with each message that is heard; one alone to a host that is silent.
    #[tokio::test(start_paused = true)]
    async fn a_destination_starts_slowly_and_falls_back_to_one_lane() {
        let lanes = lanes(|config| config.connections_per_destination = 4);
        for _ in 0..20 {
            lanes.push(job(&["a@d.example"])).unwrap();
        }
        assert_eq!(lanes.wanted().len(), 2);
        assert_eq!(lanes.wanted().len(), 0);
        for (was_heard, more) in [(true, 1), (true, 1), (true, 0), (false, 0)] {
            assert!(lanes.next("d.example", true).await.is_some());
            lanes.done("d.example", was_heard);
            assert_eq!(lanes.wanted().len(), more);
        }
        // Four lanes, of which three are too many now.
        for ends in [true, true, true, false] {
            assert_eq!(lanes.next("d.example", true).await.is_none(), ends);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_destinations_together_are_bounded() {
        let lanes = lanes(|config| config.connections = 3);
        for name in ["a.example", "b.example", "c.example", "d.example"] {
            let next_hop = crate::route::NextHop::Mx(Domain::parse(name).unwrap());
            lanes.push(Job { next_hop, ..job(&["a@d.example"]) }).unwrap();
        }
        let wanted = lanes.wanted();
        assert_eq!(wanted.len(), 3);
        assert!(lanes.next(&wanted[0], false).await.is_some());
        lanes.done(&wanted[0], true);
        assert!(lanes.next(&wanted[0], false).await.is_none());
        assert_eq!(lanes.wanted().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_keeps_transactions_apart() {
        let lanes = lanes(|config| config.pace = Duration::from_secs(10));
        for _ in 0..3 {
            lanes.push(job(&["a@d.example"])).unwrap();
        }
        let began = Instant::now();
        assert_eq!(lanes.wanted().len(), 2);
        for seconds in [0, 10, 20] {
            assert!(lanes.next("d.example", true).await.is_some());
            assert_eq!(began.elapsed(), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn a_busy_destination_is_named_and_a_full_one_refuses() {
        let lanes = lanes(|_| {});
        for _ in 0..MOST_WAITING {
            lanes.push(job(&["a@d.example"])).unwrap();
        }
        assert_eq!(lanes.busy(), [Domain::parse("d.example").unwrap()]);
        assert!(lanes.push(job(&["a@d.example"])).is_err());
        assert_eq!(lanes.close().len(), MOST_WAITING);
        assert!(lanes.push(job(&["a@d.example"])).is_err());
    }
}
