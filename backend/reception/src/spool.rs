//! Where a message waits while it comes in: in memory while it is small, then in a file without a name, so that a crash
//! leaves nothing behind and two hundred large messages don't fill the memory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A message up to this size waits in memory.
const MEMORY_OCTETS: usize = 256 * 1024;
/// What the messages that are worked on may take of memory together.
const WORK_OCTETS: usize = 256 * 1024 * 1024;
/// What the messages that wait for others of their command may take of memory together.
const HELD_OCTETS: usize = 128 * 1024 * 1024;

/// Gives out spools below one directory, and bounds what they bring into memory.
#[derive(Debug, Clone)]
pub struct Spooler {
    directory: PathBuf,
    work: Arc<Semaphore>,
    held: Arc<Semaphore>,
}

impl Spooler {
    /// `directory` must exist, on the disk that the mail is on.
    pub fn new(directory: &Path) -> Self {
        let kibibytes = |octets: usize| Arc::new(Semaphore::new(octets / 1024));
        Self { directory: directory.to_owned(), work: kibibytes(WORK_OCTETS), held: kibibytes(HELD_OCTETS) }
    }

    /// Room for a message that stays in memory until its peer ends a command; none where others have taken what there is. It isn't
    /// waited for: those who have it may take their time.
    pub fn hold(&self, octets: u64) -> Option<Held> {
        let kibibytes = u32::try_from(octets.div_ceil(1024)).ok()?;
        Arc::clone(&self.held).try_acquire_many_owned(kibibytes).ok().map(|room| Held { _room: room })
    }

    /// An empty spool.
    pub fn begin(&self) -> Spool {
        Spool { spooler: self.clone(), memory: Vec::new(), file: None, octets: 0 }
    }
}

/// Room in memory, until it is dropped.
#[derive(Debug)]
pub struct Held {
    _room: OwnedSemaphorePermit,
}

/// One message that is coming in.
#[derive(Debug)]
pub struct Spool {
    spooler: Spooler,
    memory: Vec<u8>,
    file: Option<File>,
    octets: u64,
}

/// A whole message in memory, which counts against what all of them may take while this lives.
#[derive(Debug)]
pub struct Spooled {
    /// The octets as received.
    pub octets: Vec<u8>,
    _work: Option<OwnedSemaphorePermit>,
}

impl Spool {
    /// Octets so far.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Takes the next piece.
    pub async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.octets += piece.len() as u64;
        if self.file.is_none() && self.memory.len() + piece.len() > MEMORY_OCTETS {
            self.file = Some(unnamed_file(self.spooler.directory.clone()).await?);
        }
        self.memory.extend_from_slice(piece);
        if let Some(file) = &mut self.file
            && self.memory.len() >= MEMORY_OCTETS / 4
        {
            file.write_all(&self.memory).await?;
            self.memory.clear();
        }
        Ok(())
    }

    /// Its first octets, `most` of them at the most.
    pub async fn beginning(self, most: usize) -> io::Result<Vec<u8>> {
        let Some(mut file) = self.file else {
            let mut octets = self.memory;
            octets.truncate(most);
            return Ok(octets);
        };
        file.flush().await?;
        let mut octets = Vec::new();
        file.rewind().await?;
        file.take(most as u64).read_to_end(&mut octets).await?;
        Ok(octets)
    }

    /// All of it in memory, once. Waits while other messages take what there is; `spare` octets are left for what is added.
    pub async fn finish(mut self, spare: usize) -> io::Result<Spooled> {
        let Some(mut file) = self.file.take() else {
            self.memory.reserve(spare);
            return Ok(Spooled { octets: self.memory, _work: None });
        };
        file.write_all(&self.memory).await?;
        file.flush().await?;
        self.memory = Vec::new();
        let size = usize::try_from(self.octets).map_err(io::Error::other)?;
        let permits = u32::try_from(size.min(WORK_OCTETS) / 1024).map_err(io::Error::other)?;
        let work = Arc::clone(&self.spooler.work).acquire_many_owned(permits).await.map_err(io::Error::other)?;
        let mut octets = Vec::with_capacity(size + spare);
        file.rewind().await?;
        file.read_to_end(&mut octets).await?;
        Ok(Spooled { octets, _work: Some(work) })
    }
}

async fn unnamed_file(directory: PathBuf) -> io::Result<File> {
    let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(directory)).await.map_err(io::Error::other)?;
    Ok(File::from_std(made?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_its_command_is_bounded() {
        let spooler = Spooler::new(Path::new("/"));
        let most = HELD_OCTETS as u64;
        let first = spooler.hold(most - 1024);
        assert!(first.is_some() && spooler.hold(2048).is_none());
        let second = spooler.clone().hold(1);
        assert!(second.is_some() && spooler.hold(1).is_none() && spooler.hold(u64::MAX).is_none());
        drop(first);
        assert!(spooler.hold(2048).is_some());
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_small_or_large() {
        let directory = tempfile::tempdir().unwrap();
        let spooler = Spooler::new(directory.path());
        for pieces in [1_usize, 3, 40, 100] {
            let mut spool = spooler.begin();
            let mut expected = Vec::new();
            for piece in 0..pieces {
                let octets = vec![u8::try_from(piece).unwrap(); 10_000 + piece];
                spool.write(&octets).await.unwrap();
                expected.extend_from_slice(&octets);
            }
            assert_eq!(spool.octets(), expected.len() as u64);
            let mut other = spooler.begin();
            other.write(&expected).await.unwrap();
            assert_eq!(other.beginning(12_000).await.unwrap(), expected[..expected.len().min(12_000)]);
            assert_eq!(spool.finish(100).await.unwrap().octets, expected);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing has a name");
    }
}
