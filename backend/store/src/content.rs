//! The content of one message, ready to be stored: hashed, compressed and understood before the writer sees it.

use std::cell::RefCell;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use relais_message::Facts;
use zstd::bulk::{Compressor, Decompressor};

use crate::Store;
use crate::error::StoreError;

/// So much of a header is kept in plain; what is beyond stands with the body.
const HEAD_OCTETS: usize = 64 * 1024;
/// Bodies up to this are compressed at once; larger ones when it is known where they go.
const SMALL_OCTETS: usize = 64 * 1024;
/// Below this zstd gains nothing.
const COMPRESSED_FROM_OCTETS: usize = 256;
/// Level 1 costs 20 µs for 4 KiB; level 3 twice that, for 2 % less.
const ZSTD_LEVEL: i32 = 1;
/// A body that claims to be larger when unpacked is damaged.
const UNPACKED_OCTETS_AT_MOST: usize = 1 << 31;

/// A message's octets, with what is known of them. A cheap clone.
#[derive(Debug, Clone)]
pub struct Content(Arc<Prepared>);

#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) hash: [u8; 32],
    pub(crate) size_octets: u64,
    pub(crate) facts: Facts,
    /// The first octets of the header.
    pub(crate) head: Bytes,
    /// What follows, until it has its place.
    rest: Mutex<Option<Bytes>>,
    body: OnceLock<StoredBody>,
}

/// What follows the head, as it stands in `message_body`.
#[derive(Debug)]
pub(crate) struct StoredBody {
    pub(crate) place: Place,
    /// The octets, or the object's name.
    pub(crate) octets: Bytes,
}

/// How a body stands in `message_body`. The numbers are in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Zstd = 0,
    Plain = 1,
    Object = 2,
}

impl Place {
    pub(crate) fn from_number(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Zstd),
            1 => Ok(Self::Plain),
            2 => Ok(Self::Object),
            other => Err(StoreError::damaged(format!("a body at the unknown place {other}"))),
        }
    }
}

impl Content {
    /// Reads, hashes and compresses `raw` (octets as received, CRLF line ends). Costs about 0.1 ms for 4 KiB and 10 ms for a
    /// MiB: above 64 KiB call it in `spawn_blocking`.
    pub fn prepare(raw: impl Into<Bytes>) -> Self {
        let raw: Bytes = raw.into();
        let facts = Facts::read(&raw);
        let header = usize::try_from(facts.header_octets).unwrap_or(usize::MAX);
        let head_octets = header.min(HEAD_OCTETS).min(raw.len());
        let prepared = Prepared {
            hash: *blake3::hash(&raw).as_bytes(),
            size_octets: raw.len() as u64,
            facts,
            head: raw.slice(..head_octets),
            rest: Mutex::new(None),
            body: OnceLock::new(),
        };
        let rest = raw.slice(head_octets..);
        if rest.len() <= SMALL_OCTETS {
            let _kept = prepared.body.set(pack(&rest));
        } else {
            *prepared.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        }
        Self(Arc::new(prepared))
    }

    /// BLAKE3 of the raw octets.
    pub fn hash(&self) -> [u8; 32] {
        self.0.hash
    }

    /// The raw octets' number (RFC822.SIZE).
    pub fn size_octets(&self) -> u64 {
        self.0.size_octets
    }

    /// What was read from it.
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// Its header's first octets, at most 64 KiB.
    pub fn head(&self) -> &[u8] {
        &self.0.head
    }

    pub(crate) fn prepared(&self) -> &Arc<Prepared> {
        &self.0
    }
}

impl Prepared {
    /// As it is to be stored; none before [`Store::stage`].
    pub(crate) fn body(&self) -> Option<&StoredBody> {
        self.body.get()
    }
}

fn pack(plain: &[u8]) -> StoredBody {
    if plain.len() >= COMPRESSED_FROM_OCTETS
        && let Ok(octets) = compress(plain)
        && octets.len() < plain.len()
    {
        return StoredBody { place: Place::Zstd, octets: octets.into() };
    }
    StoredBody { place: Place::Plain, octets: Bytes::copy_from_slice(plain) }
}

thread_local! {
    /// Making a context costs more than packing 4 KiB does.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(plain: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let mut context = kept.take().map_or_else(|| Compressor::new(ZSTD_LEVEL), Ok)?;
        let packed = context.compress(plain);
        *kept = Some(context);
        packed
    })
}

/// Appends what `packed` holds to `raw`, up to its capacity.
fn decompress(packed: &[u8], raw: Vec<u8>) -> io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let mut context = kept.take().map_or_else(Decompressor::new, Ok)?;
        let at = raw.len() as u64;
        let mut raw = Cursor::new(raw);
        raw.set_position(at);
        let unpacked = context.decompress_to_buffer(packed, &mut raw);
        *kept = Some(context);
        unpacked.map(|_octets| raw.into_inner())
    })
}

/// Head and body put together again; `size_octets` is the whole's.
pub(crate) fn unpack(head: &[u8], place: Place, octets: &[u8], size_octets: u64) -> Result<Vec<u8>, StoreError> {
    let size = usize::try_from(size_octets).ok().filter(|size| *size <= UNPACKED_OCTETS_AT_MOST);
    let size = size.ok_or_else(|| StoreError::damaged(format!("a message of {size_octets} octets")))?;
    let mut raw = Vec::with_capacity(size);
    raw.extend_from_slice(head);
    match place {
        Place::Plain => raw.extend_from_slice(octets),
        Place::Zstd => {
            let unpacked = decompress(octets, raw);
            raw = unpacked.map_err(|error| StoreError::damaged(format!("a body does not unpack: {error}")))?;
        }
        Place::Object => return Err(StoreError::damaged("an object where octets were expected")),
    }
    if raw.len() == size {
        Ok(raw)
    } else {
        Err(StoreError::damaged(format!("a message of {size} octets has {}", raw.len())))
    }
}

impl Store {
    /// Gives a large body its place: packed, or as an object that is on the disk before the row that names it. [`Store::accept`]
    /// and [`Store::append`] do it; call it earlier to keep octets in memory for less long.
    pub async fn stage(&self, content: &Content) -> Result<(), StoreError> {
        let prepared = content.prepared();
        let rest = prepared.rest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(rest) = rest.filter(|_| prepared.body.get().is_none()) else { return Ok(()) };
        let body = if rest.len() as u64 <= self.inner.objects.inline_octets() {
            let packed = tokio::task::spawn_blocking(move || pack(&rest)).await;
            packed.map_err(|_panicked| StoreError::damaged("a message could not be packed"))?
        } else {
            let name = self.inner.objects.write(rest, &*self.inner.random).await?;
            StoredBody { place: Place::Object, octets: name.into() }
        };
        if let Err(twice) = prepared.body.set(body)
            && twice.place == Place::Object
        {
            // Two staged the same content at once: the second object has no row and never will.
            self.inner.objects.remove(twice.octets.to_vec()).await;
        }
        *prepared.rest.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}
