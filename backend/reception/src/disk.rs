//! Is there room? New mail is put off before the disk is full, while there is still room to deliver and to clean up.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use relais_model::{Clock, Timestamp};

/// Asked of the file system at most so often.
const ASK_EVERY_MILLIS: i64 = 1000;

/// Watches the free space of one file system.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
    floor_octets: AtomicU64,
    clock: Arc<dyn Clock>,
    asked_at: AtomicI64,
    is_nearly_full: AtomicBool,
}

impl Disk {
    /// Less than `floor_octets` free at `path` counts as nearly full.
    pub fn new(path: &Path, floor_octets: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            path: path.to_owned(),
            floor_octets: AtomicU64::new(floor_octets),
            clock,
            asked_at: AtomicI64::new(i64::MIN),
            is_nearly_full: AtomicBool::new(false),
        }
    }

    /// From here on another floor.
    pub fn set_floor(&self, octets: u64) {
        self.floor_octets.store(octets, Ordering::Relaxed);
        self.asked_at.store(i64::MIN, Ordering::Relaxed); // what was answered was for the old one
    }

    /// All room and what is free of it, in octets; none where the file system doesn't answer.
    pub fn room(&self) -> Option<(u64, u64)> {
        let answer = rustix::fs::statvfs(&self.path).ok()?;
        let octets = |blocks: u64| blocks.saturating_mul(answer.f_frsize);
        Some((octets(answer.f_blocks), octets(answer.f_bavail)))
    }

    /// Less than so much free counts as nearly full, in octets.
    pub fn floor_octets(&self) -> u64 {
        self.floor_octets.load(Ordering::Relaxed)
    }

    /// Whether new mail must wait (RFC 5321 §4.2.3: 452). A file system that doesn't answer counts as full.
    pub fn is_nearly_full(&self) -> bool {
        let now: Timestamp = self.clock.now();
        let asked_at = self.asked_at.load(Ordering::Relaxed);
        if now.millis().saturating_sub(asked_at) >= ASK_EVERY_MILLIS || now.millis() < asked_at {
            self.asked_at.store(now.millis(), Ordering::Relaxed);
            let free = rustix::fs::statvfs(&self.path).map(|answer| answer.f_bavail.saturating_mul(answer.f_frsize));
            let is_full = free.map_or(true, |free| free < self.floor_octets.load(Ordering::Relaxed));
            match (self.is_nearly_full.swap(is_full, Ordering::Relaxed), is_full) {
                (false, true) => {
                    tracing::error!(path = %self.path.display(), "the disk is nearly full: new mail is put off");
                }
                (true, false) => tracing::info!(path = %self.path.display(), "there is room on the disk again"),
                _ => {}
            }
        }
        self.is_nearly_full.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use relais_model::SystemClock;

    use super::*;

    #[test]
    fn the_floor_decides() {
        let disk = |floor| Disk::new(Path::new("/"), floor, Arc::new(SystemClock));
        assert!(!disk(0).is_nearly_full());
        assert!(disk(u64::MAX).is_nearly_full());
        let moved = disk(0);
        assert!(!moved.is_nearly_full());
        moved.set_floor(u64::MAX);
        assert!(moved.is_nearly_full());
        assert!(Disk::new(Path::new("/nowhere/at/all"), 0, Arc::new(SystemClock)).is_nearly_full());
    }
}
