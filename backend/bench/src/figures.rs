//! What is done and timed, in groups that share their preparation.

mod mail_in;
mod mailbox;
mod sessions;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::process;
use crate::servers::Server;

/// Names a person of the servers; each group has its own.
pub(crate) type Person = usize;

/// How much is done.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) is_quick: bool,
}

impl Scale {
    /// So many, or a quarter of them for a look.
    fn of(self, count: usize) -> usize {
        if self.is_quick { count / 4 } else { count }
    }
}

/// A measured value.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) figure: &'static str,
    pub(crate) value: f64,
    /// CPU time of the server's processes for one operation.
    pub(crate) cpu_ms: Option<f64>,
}

/// Figures that are measured together.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) rounds: usize,
    pub(crate) run: fn(&mut Server, Scale, usize) -> anyhow::Result<Vec<Sample>>,
}

/// All groups, in the order in which they are measured.
pub(crate) const GROUPS: &[Group] = &[
    Group { name: "memory-fresh", rounds: 1, run: |server, _, _| Ok(vec![memory(server, "memory-fresh")]) },
    Group { name: "smtp-10", rounds: 3, run: mail_in::ten_sessions },
    Group { name: "smtp-signed", rounds: 3, run: mail_in::signed },
    Group { name: "smtp-unfiltered", rounds: 3, run: mail_in::unfiltered },
    Group { name: "smtp-strangers", rounds: 3, run: mail_in::strangers },
    Group { name: "smtp-1", rounds: 3, run: mail_in::one_session },
    Group { name: "smtp-large", rounds: 3, run: mail_in::large },
    Group { name: "smtp-recipients", rounds: 3, run: mail_in::ten_recipients },
    Group { name: "idle", rounds: 3, run: mail_in::idle },
    Group { name: "login", rounds: 3, run: sessions::log_in },
    Group {
        name: "append-1",
        rounds: 3,
        run: |server, scale, _| sessions::append(server, "append-1", 1, scale.of(300)),
    },
    Group {
        name: "append-8",
        rounds: 3,
        run: |server, scale, _| sessions::append(server, "append-8", 8, scale.of(1600)),
    },
    Group { name: "mailbox", rounds: 3, run: mailbox::of_ten_thousand },
    Group { name: "huge", rounds: 2, run: mailbox::of_a_hundred_thousand },
    Group { name: "pop3", rounds: 3, run: sessions::retrieve },
    Group { name: "memory-used", rounds: 1, run: |server, _, _| Ok(vec![memory(server, "memory-used")]) },
];

/// At rest: what the server does for itself after work may take a moment.
fn memory(server: &Server, figure: &'static str) -> Sample {
    std::thread::sleep(Duration::from_secs(3));
    let octets = process::memory_octets(server.roots());
    Sample { figure, value: octets as f64 / 1_048_576.0, cpu_ms: None }
}

/// Wall clock and the server's CPU time from here on.
struct Gauge<'a> {
    server: &'a Server,
    cpu_time: Duration,
    started_at: Instant,
}

impl<'a> Gauge<'a> {
    fn start(server: &'a Server) -> Self {
        Self { server, cpu_time: process::cpu_time(server.roots()), started_at: Instant::now() }
    }

    /// Operations a second.
    fn rate(self, figure: &'static str, operations: usize) -> Sample {
        let seconds = self.started_at.elapsed().as_secs_f64();
        let cpu_time = process::cpu_time(self.server.roots()).saturating_sub(self.cpu_time);
        let operations = operations as f64;
        Sample { figure, value: operations / seconds, cpu_ms: Some(cpu_time.as_secs_f64() * 1000.0 / operations) }
    }

    /// Milliseconds.
    fn millis(self, figure: &'static str) -> Sample {
        let value = self.started_at.elapsed().as_secs_f64() * 1000.0;
        let cpu_time = process::cpu_time(self.server.roots()).saturating_sub(self.cpu_time);
        Sample { figure, value, cpu_ms: Some(cpu_time.as_secs_f64() * 1000.0) }
    }
}

/// Does `work` for the numbers below `count` in so many threads, each with a `place` of its own; the first error ends all.
fn share<P: Send>(
    places: Vec<P>,
    count: usize,
    work: impl Fn(&mut P, usize) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<Vec<P>> {
    let next = AtomicUsize::new(0);
    let run = |mut place: P| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(place);
            }
            if let Err(error) = work(&mut place, number) {
                next.store(count, Ordering::Relaxed);
                return Err(error);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = places.into_iter().map(|place| scope.spawn(|| run(place))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a thread died"))).collect()
    })
}

/// The value below which so many in a hundred lie.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len().saturating_sub(1) * percent).div_ceil(100)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let mut at = |percent| format!("{}", percentile(&mut values, percent));
        assert_eq!((at(0), at(50), at(99)), ("1".to_owned(), "51".to_owned(), "100".to_owned()));
        assert!(percentile(&mut [], 50).is_nan());
    }

    #[test]
    fn work_is_shared_and_ends_with_an_error() {
        let note = |place: &mut Vec<usize>, number| {
            place.push(number);
            Ok(())
        };
        let mut all = share(vec![Vec::new(), Vec::new()], 10, note).unwrap().concat();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        let refuse = |(): &mut (), number| if number < 3 { Ok(()) } else { anyhow::bail!("enough") };
        assert!(share(vec![()], 10, refuse).is_err());
    }
}
