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
/// Jobs that wait with one destination; more are given back to the store.
const MOST_WAITING: usize = 100;
/// An idle connection waits so long for another message: hosts don't like to be held.
const LINGER: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Destination {
    jobs: VecDeque<Job>,
    lanes: usize,
    idle: usize,
    limit: usize,
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
    /// Rings when a job is done.
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

    /// How many more jobs are welcome: some wait for each connection, so that connections are used again.
    pub(crate) fn room(&self) -> usize {
        self.with(|state| (self.most * 4).saturating_sub(state.jobs))
    }

    /// The domains whose jobs would be given back.
    pub(crate) fn busy(&self) -> Vec<Domain> {
        self.with(|state| {
            let full = state.destinations.values().filter(|destination| destination.jobs.len() >= MOST_WAITING);
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
                next_start: Instant::now(),
                wake: Arc::default(),
            });
            if state.is_closed || destination.jobs.len() >= MOST_WAITING {
                return Err(Box::new(job));
            }
            state.jobs += 1;
            destination.jobs.push_back(job);
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
        self.with(|state| {
            state.jobs = state.jobs.saturating_sub(1);
            if let Some(destination) = state.destinations.get_mut(name) {
                destination.idle += 1;
                destination.limit = if was_heard { (destination.limit + 1).min(self.most_per_destination) } else { 1 };
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
