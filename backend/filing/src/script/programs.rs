//! Scripts as programs, and the threads that they run on.

use std::panic::resume_unwind;
use std::sync::Arc;

use moka::sync::Cache;
use relais_sieve::Program;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::dialect;

/// Steps of runs that go on at once: each holds a thread, for milliseconds mostly.
const RUNS: usize = 8;
/// Octets of scripts whose programs are kept.
const KEPT_OCTETS: u64 = 8 * 1024 * 1024;

/// What runs scripts.
#[derive(Debug)]
pub(crate) struct Scripts {
    programs: Cache<Arc<str>, Program>,
    seats: Semaphore,
}

impl Default for Scripts {
    fn default() -> Self {
        let weigh = |text: &Arc<str>, _: &Program| u32::try_from(text.len()).unwrap_or(u32::MAX);
        let programs = Cache::builder().weigher(weigh).max_capacity(KEPT_OCTETS).build();
        Self { programs, seats: Semaphore::new(RUNS) }
    }
}

impl Scripts {
    /// A script as a program; none: it has faults, though it was checked when it was kept.
    pub(super) async fn program(&self, text: &Arc<str>) -> Option<Program> {
        if let Some(known) = self.programs.get(text) {
            return Some(known);
        }
        let source = Arc::clone(text);
        let program = self.aside(move || Program::compile(&source, &dialect())).await.ok()?;
        self.programs.insert(Arc::clone(text), program.clone());
        Some(program)
    }

    /// Works off the async threads. Nobody closes the seats.
    pub(super) async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _seat = self.seats.acquire().await;
        spawn_blocking(work).await.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))
    }
}
