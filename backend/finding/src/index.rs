//! The index on the disk: segments, and the list of them.
//!
//! ```text
//! index/list.json   which segments there are, and up to which content all is known
//! index/7.words     a segment
//! ```
//! Invariants: a segment is on the disk before the list names it, and the list is replaced whole: after a crash the index is as it was
//! after some earlier step, and what came since is read again. A file that isn't what was written makes the whole index begin anew: it
//! holds nothing that the store hasn't.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::ascending::Ascending;
use crate::builder::{Builder, merge};
use crate::letter::Places;
use crate::likeness::Likeness;
use crate::segment::{Docs, Segment, Written};
use crate::words::{Piece, Stand};

/// Another number where words are taken otherwise, or files are other: then all is read again.
const FORMAT: u32 = 3;
const LIST: &str = "list.json";
/// Segments of about one size that become one.
const FAN: usize = 6;
/// Messages of the smallest size.
const SMALLEST: u32 = 600;
/// A segment with more messages than this stays as it is.
const LARGEST: u32 = 2_000_000;
/// Where the rarest word of several in a row stands in one segment: so many places are held, of eight octets each, and as many of those
/// that the next word leaves.
const MOST_STARTS: usize = 2 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct List {
    format: u32,
    /// Of the next file.
    next: u64,
    complete_to: i64,
    segments: Vec<Entry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    name: String,
    docs: u32,
    hash: String,
    /// The greatest key in it.
    last: i64,
}

/// The index. Many read it; one writes.
#[derive(Debug)]
pub(crate) struct Index {
    folder: PathBuf,
    next: u64,
    snapshot: Arc<RwLock<Arc<Snapshot>>>,
}

/// The index as it is at one time.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    segments: Vec<Arc<Opened>>,
    /// Contents up to this key are all in it.
    pub(crate) complete_to: i64,
    /// Those above it that are; ascending.
    recent: Vec<i64>,
    /// Those of which only a part, or nothing, is in it; ascending.
    partly: Vec<i64>,
}

/// What of a snapshot's contents has all its words there, for who asks about one after the other.
pub(crate) struct Covered<'a> {
    complete_to: i64,
    recent: Ascending<'a, i64>,
    partly: Ascending<'a, i64>,
}

impl Covered<'_> {
    /// Whether a content's words are all there.
    pub(crate) fn holds(&mut self, key: i64) -> bool {
        let is_in = key <= self.complete_to || self.recent.find(key).is_some();
        is_in && self.partly.find(key).is_none()
    }
}

#[derive(Debug)]
struct Opened {
    entry: Entry,
    segment: Segment,
}

impl Index {
    /// The index in `folder`, which is made where it isn't there; empty where it is damaged or of another format. `snapshot`: what readers see.
    pub(crate) fn open(folder: &Path, snapshot: Arc<RwLock<Arc<Snapshot>>>) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut index = Self { folder: folder.to_owned(), next: 1, snapshot };
        match index.read() {
            Ok(Some((next, snapshot))) => {
                index.next = next;
                index.show(snapshot);
                index.remove_strays()?;
            }
            Ok(None) => index.clear()?,
            Err(error) => {
                warn!(%error, "the search index is damaged, and is made anew");
                index.clear()?;
            }
        }
        Ok(index)
    }

    /// None: there is none, or one of another format.
    fn read(&self) -> io::Result<Option<(u64, Snapshot)>> {
        let text = match fs::read(self.folder.join(LIST)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let list: List = serde_json::from_slice(&text)?;
        if list.format != FORMAT {
            info!("the search index is of another version, and is made anew");
            return Ok(None);
        }
        let mut segments = Vec::new();
        for entry in list.segments {
            let hash = blake3::Hash::from_hex(&entry.hash).map_err(io::Error::other)?;
            let segment = Segment::open(&self.folder.join(&entry.name), Some(&hash))?;
            segments.push(Arc::new(Opened { entry, segment }));
        }
        Ok(Some((list.next, Snapshot::of(segments, list.complete_to, Vec::new())?)))
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn show(&self, snapshot: Snapshot) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.keep(Snapshot::default())?;
        self.remove_strays()
    }

    /// Takes in what was built; from now on all contents up to `complete_to` are known.
    pub(crate) fn add(&mut self, builder: Builder, complete_to: i64) -> io::Result<()> {
        let now = self.snapshot();
        let mut segments = now.segments.clone();
        let mut recent = now.recent.clone();
        if !builder.is_empty() {
            let last = builder.keys().iter().copied().max().unwrap_or_default();
            recent.extend(builder.keys());
            segments.push(self.write(last, |path| builder.write(path))?);
        }
        self.keep(Snapshot::of(segments, complete_to, recent)?)
    }

    /// Segments of one size that are so many that they should become one.
    pub(crate) fn to_merge(&self) -> Option<Merge> {
        let snapshot = self.snapshot();
        let tier = |docs: u32| (docs / SMALLEST).max(1).ilog(u32::try_from(FAN).unwrap_or(2));
        for wanted in 0..20 {
            let of_tier = |opened: &&Arc<Opened>| tier(opened.entry.docs) == wanted && opened.entry.docs < LARGEST;
            let segments: Vec<Arc<Opened>> = snapshot.segments.iter().filter(of_tier).cloned().collect();
            if segments.len() >= FAN {
                return Some(Merge { segments });
            }
        }
        None
    }

    /// Makes one of them, without those whose keys are in `gone`.
    pub(crate) fn merge(&mut self, merge_of: &Merge, gone: &HashSet<i64>) -> io::Result<()> {
        let parts: Vec<&Segment> = merge_of.segments.iter().map(|opened| &opened.segment).collect();
        let last = merge_of.segments.iter().map(|opened| opened.entry.last).max().unwrap_or_default();
        let merged = self.write(last, |path| merge(&parts, gone, path))?;
        let now = self.snapshot();
        let is_old = |opened: &Arc<Opened>| merge_of.segments.iter().any(|old| Arc::ptr_eq(old, opened));
        let mut segments: Vec<Arc<Opened>> = now.segments.iter().filter(|opened| !is_old(opened)).cloned().collect();
        segments.push(merged);
        self.keep(Snapshot::of(segments, now.complete_to, now.recent.clone())?)?;
        self.remove_strays()
    }

    fn write(&mut self, last: i64, write: impl FnOnce(&Path) -> io::Result<Written>) -> io::Result<Arc<Opened>> {
        let name = format!("{}.words", self.next);
        self.next += 1;
        let path = self.folder.join(&name);
        let written = write(&path)?;
        let segment = Segment::open(&path, None)?;
        let entry = Entry { name, docs: written.docs, hash: written.hash.to_hex().to_string(), last };
        Ok(Arc::new(Opened { entry, segment }))
    }

    /// Writes the list, and shows it.
    fn keep(&self, snapshot: Snapshot) -> io::Result<()> {
        let segments = snapshot.segments.iter().map(|opened| opened.entry.clone()).collect();
        let list = List { format: FORMAT, next: self.next, complete_to: snapshot.complete_to, segments };
        let new = self.folder.join("list.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&list)?)?;
        file.sync_all()?;
        fs::rename(&new, self.folder.join(LIST))?;
        File::open(&self.folder)?.sync_all()?;
        self.show(snapshot);
        Ok(())
    }

    /// Removes the files that the list doesn't name. Who still reads one has it open.
    fn remove_strays(&self) -> io::Result<()> {
        let snapshot = self.snapshot();
        let named: HashSet<&str> = snapshot.segments.iter().map(|opened| opened.entry.name.as_str()).collect();
        for file in fs::read_dir(&self.folder)? {
            let file = file?;
            let (path, name) = (file.path(), file.file_name());
            let is_named = name.to_str().is_some_and(|name| named.contains(name));
            if path.extension().is_some_and(|kind| kind == "words") && !is_named {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Segments that should become one.
#[derive(Debug)]
pub(crate) struct Merge {
    segments: Vec<Arc<Opened>>,
}

impl Merge {
    /// The keys of all their messages.
    pub(crate) fn keys(&self) -> io::Result<Vec<i64>> {
        let mut keys = Vec::new();
        for opened in &self.segments {
            keys.extend(opened.segment.keys()?);
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

impl Snapshot {
    /// `known`: among these are those above `complete_to`; or, after a start, they are read from the segments.
    fn of(segments: Vec<Arc<Opened>>, complete_to: i64, known: Vec<i64>) -> io::Result<Self> {
        let reads_all = known.is_empty();
        let (mut recent, mut partly) = (known, Vec::new());
        for opened in &segments {
            let mut marked = Docs::none(opened.segment.docs);
            opened.segment.partly.iter().for_each(|doc| marked.insert(*doc));
            let mut keys = Vec::new();
            opened.segment.keys_of(&marked, &mut keys)?;
            partly.extend(keys);
            if reads_all && opened.entry.last > complete_to {
                recent.extend(opened.segment.keys()?);
            }
        }
        recent.retain(|key| *key > complete_to);
        for keys in [&mut recent, &mut partly] {
            keys.sort_unstable();
            keys.dedup();
        }
        Ok(Self { segments, complete_to, recent, partly })
    }

    /// Which contents' words are all here.
    pub(crate) fn covered(&self) -> Covered<'_> {
        Covered {
            complete_to: self.complete_to,
            recent: Ascending::new(&self.recent),
            partly: Ascending::new(&self.partly),
        }
    }

    /// Whether a content was taken in, wholly or in part.
    pub(crate) fn has(&self, key: i64) -> bool {
        key <= self.complete_to || self.recent.binary_search(&key).is_ok()
    }

    pub(crate) fn docs(&self) -> u64 {
        self.segments.iter().map(|opened| u64::from(opened.segment.docs)).sum()
    }

    pub(crate) fn octets(&self) -> u64 {
        self.segments.iter().map(|opened| opened.segment.octets).sum()
    }

    pub(crate) fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The keys of those that hold all `pieces`, each somewhere in `places`; ascending.
    pub(crate) fn find(&self, places: Places, pieces: &[Piece]) -> io::Result<Vec<i64>> {
        let mut keys = Vec::new();
        for opened in &self.segments {
            let docs = holding(&opened.segment, places, pieces)?;
            opened.segment.keys_of(&docs, &mut keys)?;
        }
        keys.sort_unstable();
        Ok(keys)
    }

    /// The keys of those that hold the words of `row` in a row, or all `pieces` where words have no positions; ascending. None: too many places
    /// would have to be held.
    pub(crate) fn find_row(&self, places: Places, row: &[Piece], pieces: &[Piece]) -> io::Result<Option<Vec<i64>>> {
        let unpositioned = places.unpositioned();
        let mut keys = Vec::new();
        for opened in &self.segments {
            let segment = &opened.segment;
            let Some(mut docs) = holding_row(segment, places.positioned(), row)? else { return Ok(None) };
            if !unpositioned.is_empty() {
                docs.add(&holding(segment, unpositioned, pieces)?);
            }
            segment.keys_of(&docs, &mut keys)?;
        }
        keys.sort_unstable();
        Ok(Some(keys))
    }

    /// The keys of those that hold something like a word, and how much they are about it; ascending.
    pub(crate) fn find_like(&self, places: Places, likeness: &Likeness) -> io::Result<Vec<(i64, u16)>> {
        let mut found = Vec::new();
        let finder = Finder::new(likeness.beginning());
        for opened in &self.segments {
            let segment = &opened.segment;
            let mut docs = Docs::none(segment.docs);
            let mut scores = vec![0_u16; usize::try_from(segment.docs).unwrap_or_default()];
            let accept = |term: &[u8]| likeness.score(term);
            segment.each_match(places, &finder, &accept, &mut |score, doc| {
                docs.insert(doc);
                if let Some(best) = usize::try_from(doc).ok().and_then(|doc| scores.get_mut(doc)) {
                    *best = (*best).max(*score);
                }
            })?;
            let mut keys = Vec::new();
            segment.keys_of(&docs, &mut keys)?;
            let scores = docs.iter().map(|doc| usize::try_from(doc).ok().and_then(|doc| scores.get(doc)).copied());
            found.extend(keys.into_iter().zip(scores.map(Option::unwrap_or_default)));
        }
        found.sort_unstable();
        Ok(found)
    }
}

impl Piece {
    /// Finds it in a segment's terms.
    fn finder(&self) -> Finder<'static> {
        match self.stand {
            Stand::End | Stand::Whole => Finder::new(&format!("{}\0", self.text)).into_owned(),
            Stand::Inside | Stand::Start => Finder::new(&self.text).into_owned(),
        }
    }

    /// Whether it stands in a term as it must.
    fn fits_term(&self, term: &[u8]) -> bool {
        self.fits(term.get(1..).unwrap_or_default())
    }
}

/// Those of a segment that hold all `pieces`, each somewhere in `places`.
fn holding(segment: &Segment, places: Places, pieces: &[Piece]) -> io::Result<Docs> {
    let mut left: Option<Docs> = None;
    for piece in pieces {
        let mut docs = Docs::none(segment.docs);
        let accept = |term: &[u8]| piece.fits_term(term).then_some(());
        segment.each_match(places, &piece.finder(), &accept, &mut |(), doc| docs.insert(doc))?;
        if let Some(before) = &left {
            docs.keep(before);
        }
        let is_empty = docs.is_empty();
        left = Some(docs);
        if is_empty {
            break;
        }
    }
    Ok(left.unwrap_or_else(|| Docs::none(segment.docs)))
}

/// Those of a segment that hold the words of `row` in a row. None: the rarest stands at too many places.
fn holding_row(segment: &Segment, places: Places, row: &[Piece]) -> io::Result<Option<Docs>> {
    // The longest is rarest, and says where a row may begin; each of the others leaves some of that.
    let mut pieces: Vec<(u32, &Piece)> = (0..).zip(row).collect();
    pieces.sort_by_key(|(_, piece)| std::cmp::Reverse(piece.text.len()));
    let mut starts: Option<Vec<i64>> = None;
    for (offset, piece) in pieces {
        let mut before = starts.as_deref().map(Ascending::new);
        let (mut here, mut is_too_much) = (Vec::new(), false);
        segment.each_position(places, &piece.finder(), &|term| piece.fits_term(term), &mut |doc, position| {
            let Some(start) = position.checked_sub(offset).map(|start| i64::from(doc) << 32 | i64::from(start)) else {
                return;
            };
            if before.as_mut().is_none_or(|before| before.find(start).is_some()) {
                is_too_much |= here.len() >= MOST_STARTS;
                if !is_too_much {
                    here.push(start);
                }
            }
        })?;
        if is_too_much {
            return Ok(None);
        }
        here.sort_unstable();
        here.dedup();
        let is_empty = here.is_empty();
        starts = Some(here);
        if is_empty {
            break;
        }
    }
    let mut docs = Docs::none(segment.docs);
    starts.into_iter().flatten().for_each(|start| docs.insert(u32::try_from(start >> 32).unwrap_or(u32::MAX)));
    Ok(Some(docs))
}
