//! The object directory: large bodies, a file each, compressed, on the disk before the row that names them.
//!
//! An object has a name of its own, not its content's hash: whoever removes the last row of a content can so never take
//! away the object of a new one with the same octets.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use relais_model::Random;
use zstd::stream::{read::Decoder, write::Encoder};

use crate::error::{OpenError, StoreError};

const ZSTD_LEVEL: i32 = 1;

/// The directory.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    root: PathBuf,
    inline_octets: u64,
}

impl Objects {
    pub(crate) async fn open(root: PathBuf, inline_octets: u64) -> Result<Self, OpenError> {
        let named = |source| OpenError::File { path: root.display().to_string(), source };
        tokio::fs::create_dir_all(&root).await.map_err(named)?;
        Ok(Self { root, inline_octets })
    }

    /// Bodies up to this stand in the database.
    pub(crate) const fn inline_octets(&self) -> u64 {
        self.inline_octets
    }

    /// Writes a body, durably, and names it.
    pub(crate) async fn write(&self, plain: Bytes, random: &dyn Random) -> Result<String, StoreError> {
        let mut octets = [0; 16];
        random.fill(&mut octets);
        let name = format!("{:032x}", u128::from_be_bytes(octets));
        let path = self.path(&name)?;
        on_disk_thread(move || write_durably(&path, &plain)).await?;
        Ok(name)
    }

    /// Opens a body for reading, decompressed as it goes; on a thread that may block.
    pub(crate) fn open_object(&self, name: &[u8]) -> Result<impl Read + Send + 'static, StoreError> {
        let name = std::str::from_utf8(name).map_err(|_| StoreError::damaged("an object's name"))?;
        Ok(Decoder::new(std::fs::File::open(self.path(name)?)?)?)
    }

    /// Whether it is there and can be unpacked to its end; on a thread that may block.
    pub(crate) fn is_whole(&self, name: &[u8]) -> bool {
        let unpacked = |mut object| io::copy(&mut object, &mut io::sink()).is_ok();
        self.open_object(name).is_ok_and(unpacked)
    }

    /// Removes an object, if it is there. What cannot be removed is found again by the sweep.
    pub(crate) async fn remove(&self, name: Vec<u8>) {
        let Some(path) = String::from_utf8(name).ok().and_then(|name| self.path(&name).ok()) else { return };
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::warn!(path = %path.display(), %error, "an object could not be removed");
        }
    }

    /// All names of files that were written before `age`, for the sweep; on a thread that may block.
    pub(crate) fn names_older_than(&self, age: std::time::Duration) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for outer in std::fs::read_dir(&self.root)? {
            let outer = outer?;
            if !outer.file_type()?.is_dir() {
                continue;
            }
            for inner in std::fs::read_dir(outer.path())? {
                for file in std::fs::read_dir(inner?.path())? {
                    let file = file?;
                    if file.metadata()?.modified()?.elapsed().is_ok_and(|elapsed| elapsed > age)
                        && let Ok(name) = file.file_name().into_string()
                    {
                        names.push(name);
                    }
                }
            }
        }
        Ok(names)
    }

    /// `ab/cd/abcd…`: names are hexadecimal, so that nothing in the database leads out of the directory.
    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let stem = name.strip_suffix(".new").unwrap_or(name);
        let parts = stem.get(..2).zip(stem.get(2..4)).filter(|_| stem.bytes().all(|octet| octet.is_ascii_hexdigit()));
        let (outer, inner) = parts.ok_or_else(|| StoreError::damaged(format!("the object name {name:?}")))?;
        Ok(self.root.join(outer).join(inner).join(name))
    }
}

async fn on_disk_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_panicked) => Err(StoreError::damaged("work on an object ended early")),
    }
}

/// A new file, filled and synced, then given its name; then the directories that name it are synced.
fn write_durably(path: &Path, plain: &[u8]) -> io::Result<()> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let is_new = !parent.is_dir();
    std::fs::create_dir_all(parent)?;
    let unnamed = path.with_extension("new");
    let written = fill(&unnamed, plain).and_then(|()| std::fs::rename(&unnamed, path));
    if let Err(error) = written {
        // A full disk: leave no half of a file behind.
        let _gone_anyway = std::fs::remove_file(&unnamed);
        return Err(error);
    }
    sync_directory(parent)?;
    if is_new {
        parent.ancestors().skip(1).take(2).try_for_each(sync_directory)?;
    }
    Ok(())
}

fn fill(path: &Path, plain: &[u8]) -> io::Result<()> {
    let mut encoder = Encoder::new(std::fs::File::create(path)?, ZSTD_LEVEL)?;
    encoder.write_all(plain)?;
    encoder.finish()?.sync_all()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}
