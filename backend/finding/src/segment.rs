//! A piece of the index: one file, written once and never changed.
//!
//! ```text
//! block block … | keys: 8 octets a message | partly read messages: 4 octets each | directory: 28 octets a block | foot
//! block = terms (`\0` term `\0` term … `\0`, in order) | lengths: of each term's posting and of its positions, a number each
//!         | postings: distances, a number each | positions: for each message of a posting at least one number
//! number of a position = (from the one before in the message) * 2, and one more where another follows in the message
//! ```
//! A term is a place and a word ([`crate::letter::Place`]). Terms stand as they are, uncompressed: whatever is asked for, at a word's
//! beginning, end or anywhere, is one search for octets over all terms.
//!
//! Memory: the directory, and one block at a time.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memrchr};

use crate::letter::Places;
use crate::number;

/// Octets of terms in a block.
const BLOCK_TERMS: usize = 32 * 1024;
/// Octets of postings in a block, unless one term alone has more.
const BLOCK_POSTINGS: usize = 1 << 20;
const FOOT_OCTETS: usize = 40;
/// Octets of positions in a block, unless one term alone has more.
const BLOCK_POSITIONS: usize = 2 << 20;
const DIRECTORY_OCTETS: usize = 28;
const MAGIC: u64 = 0x3153_4941_4c45_5231;
/// Keys that are read at once.
const KEYS_AT_ONCE: usize = 8 * 1024;

/// Messages of one segment, by their number in it: a bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Docs(Vec<u64>);

impl Docs {
    pub(crate) fn none(docs: u32) -> Self {
        Self(vec![0; usize::try_from(docs).unwrap_or_default().div_ceil(64)])
    }

    pub(crate) fn insert(&mut self, doc: u32) {
        if let Some(word) = usize::try_from(doc / 64).ok().and_then(|at| self.0.get_mut(at)) {
            *word |= 1 << (doc % 64);
        }
    }

    pub(crate) fn keep(&mut self, others: &Self) {
        self.0.iter_mut().zip(&others.0).for_each(|(word, other)| *word &= other);
    }

    pub(crate) fn add(&mut self, others: &Self) {
        self.0.iter_mut().zip(&others.0).for_each(|(word, other)| *word |= other);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().zip(0_u32..).flat_map(|(word, at)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        })
    }
}

/// Is told what a term became, its postings and its positions.
type Posted<'a, T> = &'a mut dyn FnMut(&T, &[u8], &[u8]) -> io::Result<()>;

#[derive(Debug, Clone, Copy)]
struct Block {
    start: u64,
    terms: u32,
    lengths: u32,
    postings: u32,
    positions: u32,
    /// The places of its first term and of its last: terms stand by place, so what is sought elsewhere passes over it.
    places: (u8, u8),
}

/// A segment that is open for reading.
#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
    blocks: Vec<Block>,
    keys_at: u64,
    pub(crate) docs: u32,
    /// Those whose words stand here in part.
    pub(crate) partly: Vec<u32>,
    pub(crate) octets: u64,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) docs: u32,
    pub(crate) hash: blake3::Hash,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn len(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

fn size(octets: u32) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}

/// Writes a segment, term by term, in order.
pub(crate) struct Writer {
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    at: u64,
    blocks: Vec<Block>,
    last_place: u8,
    terms: Vec<u8>,
    lengths: Vec<u8>,
    postings: Vec<u8>,
    positions: Vec<u8>,
}

impl Writer {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(256 * 1024, File::create(path)?),
            hasher: blake3::Hasher::new(),
            at: 0,
            blocks: Vec::new(),
            last_place: 0,
            terms: Vec::new(),
            lengths: Vec::new(),
            postings: Vec::new(),
            positions: Vec::new(),
        })
    }

    /// A term that is greater than the one before, its messages as distances, and where it stands in them; nothing for a place without
    /// positions.
    pub(crate) fn add(&mut self, term: &[u8], posting: &[u8], positions: &[u8]) -> io::Result<()> {
        if self.terms.is_empty() {
            self.terms.push(0);
        }
        self.terms.extend_from_slice(term);
        self.terms.push(0);
        self.last_place = term.first().copied().unwrap_or_default();
        number::put(len(posting.len()), &mut self.lengths);
        number::put(len(positions.len()), &mut self.lengths);
        self.postings.extend_from_slice(posting);
        self.positions.extend_from_slice(positions);
        let is_full = self.terms.len() >= BLOCK_TERMS
            || self.postings.len() >= BLOCK_POSTINGS
            || self.positions.len() >= BLOCK_POSITIONS;
        if is_full {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        let Some(first) = self.terms.get(1).copied() else { return Ok(()) };
        self.blocks.push(Block {
            start: self.at,
            places: (first, self.last_place),
            terms: len(self.terms.len()),
            lengths: len(self.lengths.len()),
            postings: len(self.postings.len()),
            positions: len(self.positions.len()),
        });
        for part in [&mut self.terms, &mut self.lengths, &mut self.postings, &mut self.positions] {
            self.file.write_all(part)?;
            self.hasher.update(part);
            self.at += part.len() as u64;
            part.clear();
        }
        Ok(())
    }

    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.file.write_all(octets)?;
        self.hasher.update(octets);
        self.at += octets.len() as u64;
        Ok(())
    }

    /// Ends the file; it is on the disk when this returns.
    pub(crate) fn finish(mut self, keys: &[i64], partly: &[u32]) -> io::Result<Written> {
        self.end_block()?;
        let keys_at = self.at;
        for key in keys {
            self.put(&key.to_le_bytes())?;
        }
        for doc in partly {
            self.put(&doc.to_le_bytes())?;
        }
        for block in std::mem::take(&mut self.blocks) {
            self.put(&block.start.to_le_bytes())?;
            for number in [block.terms, block.lengths, block.postings, block.positions] {
                self.put(&number.to_le_bytes())?;
            }
            self.put(&[block.places.0, block.places.1, 0, 0])?;
        }
        let directory = (self.at - keys_at) - (keys.len() * 8 + partly.len() * 4) as u64;
        for number in [keys_at, keys.len() as u64, partly.len() as u64, directory, MAGIC] {
            self.put(&number.to_le_bytes())?;
        }
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(Written { docs: len(keys.len()), hash: self.hasher.finalize() })
    }
}

impl Segment {
    /// Opens a file and looks whether it is the one that was written.
    pub(crate) fn open(path: &Path, hash: Option<&blake3::Hash>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if let Some(hash) = hash {
            let mut hasher = blake3::Hasher::new();
            let mut piece = vec![0; 256 * 1024];
            loop {
                let octets = file.read(&mut piece)?;
                if octets == 0 {
                    break;
                }
                hasher.update(piece.get(..octets).unwrap_or_default());
            }
            if hasher.finalize() != *hash {
                return Err(damaged("the file isn't what was written"));
            }
        }
        let octets = file.metadata()?.len();
        let foot_at = octets.checked_sub(FOOT_OCTETS as u64).ok_or_else(|| damaged("no foot"))?;
        let mut foot = [0; FOOT_OCTETS];
        file.read_exact_at(&mut foot, foot_at)?;
        let numbers: Vec<u64> = foot.as_chunks::<8>().0.iter().map(|octets| u64::from_le_bytes(*octets)).collect();
        let [keys_at, docs, partly, directory, MAGIC] = *numbers.as_slice() else {
            return Err(damaged("another foot"));
        };
        let parts = docs.checked_mul(8).zip(partly.checked_mul(4)).and_then(|(keys, partly)| keys.checked_add(partly));
        let directory_at = parts.and_then(|parts| keys_at.checked_add(parts)).ok_or_else(|| damaged("lengths"))?;
        if directory_at.checked_add(directory) != Some(foot_at) {
            return Err(damaged("lengths that don't fit"));
        }
        let mut marks = vec![0; usize::try_from(partly * 4).map_err(io::Error::other)?];
        file.read_exact_at(&mut marks, keys_at + docs * 8)?;
        let partly = marks.as_chunks::<4>().0.iter().map(|octets| u32::from_le_bytes(*octets)).collect();
        let mut octets_of_blocks = vec![0; usize::try_from(directory).map_err(io::Error::other)?];
        file.read_exact_at(&mut octets_of_blocks, directory_at)?;
        let blocks = octets_of_blocks.as_chunks::<DIRECTORY_OCTETS>().0.iter().map(block).collect();
        let docs = u32::try_from(docs).map_err(io::Error::other)?;
        Ok(Self { file, blocks, keys_at, docs, partly, octets })
    }

    /// All terms at one of `places` in which `finder` finds something, and that `accept` likes: what `accept` made of each, and its messages.
    pub(crate) fn each_match<T>(
        &self,
        places: Places,
        finder: &Finder<'_>,
        accept: &dyn Fn(&[u8]) -> Option<T>,
        found: &mut dyn FnMut(&T, u32),
    ) -> io::Result<()> {
        self.each_posting(places, finder, accept, false, &mut |what, posting, _| {
            each_doc(posting, &[], self.docs, &mut |doc, _| found(what, doc))
        })
    }

    /// Where such terms stand: message and position. Ascending for each term.
    pub(crate) fn each_position(
        &self,
        places: Places,
        finder: &Finder<'_>,
        accept: &dyn Fn(&[u8]) -> bool,
        found: &mut dyn FnMut(u32, u32),
    ) -> io::Result<()> {
        let accept = |term: &[u8]| accept(term).then_some(());
        self.each_posting(places, finder, &accept, true, &mut |(), posting, positions| {
            each_doc(posting, positions, self.docs, &mut |doc, mut own| {
                let mut position = 0_u32;
                while let Some(number) = number::take(&mut own) {
                    position = position.saturating_add(number >> 1);
                    found(doc, position);
                }
            })
        })
    }

    /// Such terms' postings, and positions where `with_positions`.
    fn each_posting<T>(
        &self,
        places: Places,
        finder: &Finder<'_>,
        accept: &dyn Fn(&[u8]) -> Option<T>,
        with_positions: bool,
        found: Posted<'_, T>,
    ) -> io::Result<()> {
        let (mut terms, mut rest) = (Vec::new(), Vec::new());
        let accept = |term: &[u8]| {
            let is_there = term.first().is_some_and(|place| places.hold(*place));
            is_there.then(|| accept(term)).flatten()
        };
        let may_hold = |block: &&Block| (block.places.0..=block.places.1).any(|place| places.hold(place));
        for block in self.blocks.iter().filter(may_hold) {
            terms.resize(size(block.terms), 0);
            self.file.read_exact_at(&mut terms, block.start)?;
            let matches = matches(&terms, finder, &accept);
            if matches.is_empty() {
                continue;
            }
            let positions = if with_positions { size(block.positions) } else { 0 };
            rest.resize(size(block.lengths) + size(block.postings) + positions, 0);
            self.file.read_exact_at(&mut rest, block.start + u64::from(block.terms))?;
            let (mut lengths, behind) = rest.split_at_checked(size(block.lengths)).ok_or_else(|| damaged("a block"))?;
            let (mut postings, mut positions) =
                behind.split_at_checked(size(block.postings)).ok_or_else(|| damaged("a block"))?;
            let mut wanted = matches.iter().peekable();
            let mut ordinal = 0;
            while let Some((at, what)) = wanted.peek() {
                let posting = take_part(&mut lengths, &mut postings)?;
                let own = if with_positions {
                    take_part(&mut lengths, &mut positions)?
                } else {
                    number::take(&mut lengths).ok_or_else(|| damaged("a term without a length"))?;
                    &[]
                };
                if ordinal == *at {
                    found(what, posting, own)?;
                    wanted.next();
                }
                ordinal += 1;
            }
        }
        Ok(())
    }

    /// The keys of these messages.
    pub(crate) fn keys_of(&self, docs: &Docs, keys: &mut Vec<i64>) -> io::Result<()> {
        let mut chunk = Vec::new();
        let mut chunk_from = None;
        for doc in docs.iter() {
            let doc = size(doc);
            let first = doc / KEYS_AT_ONCE * KEYS_AT_ONCE;
            if chunk_from != Some(first) {
                let count = KEYS_AT_ONCE.min(size(self.docs).saturating_sub(first));
                chunk.resize(count * 8, 0);
                self.file.read_exact_at(&mut chunk, self.keys_at + first as u64 * 8)?;
                chunk_from = Some(first);
            }
            let key = chunk.as_chunks::<8>().0.get(doc - first).ok_or_else(|| damaged("a message's number"))?;
            keys.push(i64::from_le_bytes(*key));
        }
        Ok(())
    }

    /// The keys of all messages, in the order of their numbers.
    pub(crate) fn keys(&self) -> io::Result<Vec<i64>> {
        let mut octets = vec![0; size(self.docs) * 8];
        self.file.read_exact_at(&mut octets, self.keys_at)?;
        Ok(octets.as_chunks::<8>().0.iter().map(|key| i64::from_le_bytes(*key)).collect())
    }

    /// Goes through all terms, in order.
    pub(crate) fn cursor(&self) -> io::Result<Cursor<'_>> {
        let mut cursor = Cursor {
            segment: self,
            next_block: 0,
            octets: Vec::new(),
            term: 0..0,
            terms_end: 0,
            lengths: 0..0,
            posting: 0..0,
            positions: 0..0,
            is_done: false,
        };
        cursor.advance()?;
        Ok(cursor)
    }
}

fn block(octets: &[u8; DIRECTORY_OCTETS]) -> Block {
    let number = |at: usize| {
        let octets = octets.get(at..at + 4).and_then(|octets| octets.first_chunk::<4>());
        octets.map_or(0, |octets| u32::from_le_bytes(*octets))
    };
    let start = u64::from(number(0)) | u64::from(number(4)) << 32;
    let place = |at: usize| octets.get(at).copied().unwrap_or_default();
    Block {
        start,
        terms: number(8),
        lengths: number(12),
        postings: number(16),
        positions: number(20),
        places: (place(24), place(25)),
    }
}

/// The next part of `parts`, as long as the next of `lengths` says.
fn take_part<'a>(lengths: &mut &[u8], parts: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    let octets = number::take(lengths).ok_or_else(|| damaged("a term without a length"))?;
    let (part, behind) = parts.split_at_checked(size(octets)).ok_or_else(|| damaged("a block's lengths"))?;
    *parts = behind;
    Ok(part)
}

/// The terms of a block that match, by their place in it.
fn matches<T>(terms: &[u8], finder: &Finder<'_>, accept: &dyn Fn(&[u8]) -> Option<T>) -> Vec<(usize, T)> {
    let mut matches = Vec::new();
    let (mut from, mut counted, mut before) = (0, 0, 0);
    while let Some(at) = finder.find(terms.get(from..).unwrap_or_default()).map(|at| from + at) {
        let start = match terms.get(at) {
            Some(0) => at + 1,
            _ => terms.get(..at).and_then(|before| memrchr(0, before)).map_or(0, |zero| zero + 1),
        };
        let rest = terms.get(start..).unwrap_or_default();
        let end = start + memchr(0, rest).unwrap_or(rest.len());
        before += memchr_iter(0, terms.get(counted..start).unwrap_or_default()).count();
        counted = start;
        if let Some(what) = accept(terms.get(start..end).unwrap_or_default()) {
            matches.push((before.saturating_sub(1), what));
        }
        from = end;
    }
    matches
}

/// The messages of a posting, each with the numbers of its positions; with none where `positions` has none.
fn each_doc(mut posting: &[u8], mut positions: &[u8], docs: u32, visit: &mut dyn FnMut(u32, &[u8])) -> io::Result<()> {
    let has_positions = !positions.is_empty();
    let mut next = 0_u32;
    while !posting.is_empty() {
        let distance = number::take(&mut posting).ok_or_else(|| damaged("a posting"))?;
        let doc = next.checked_add(distance).filter(|doc| *doc < docs).ok_or_else(|| damaged("a posting's message"))?;
        visit(doc, if has_positions { take_positions(&mut positions)? } else { &[] });
        next = doc + 1;
    }
    Ok(())
}

/// The numbers of one message's positions.
fn take_positions<'a>(positions: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    let mut rest = *positions;
    let mut is_last = false;
    while !is_last {
        is_last = number::take(&mut rest).ok_or_else(|| damaged("a posting's positions"))? & 1 == 0;
    }
    let (own, behind) = positions.split_at_checked(positions.len() - rest.len()).unwrap_or((*positions, &[]));
    *positions = behind;
    Ok(own)
}

/// A place in a segment's terms.
pub(crate) struct Cursor<'a> {
    segment: &'a Segment,
    next_block: usize,
    /// The block: terms, lengths, postings, positions.
    octets: Vec<u8>,
    term: std::ops::Range<usize>,
    terms_end: usize,
    lengths: std::ops::Range<usize>,
    posting: std::ops::Range<usize>,
    positions: std::ops::Range<usize>,
    is_done: bool,
}

impl Cursor<'_> {
    /// The term; none behind the last.
    pub(crate) fn term(&self) -> Option<&[u8]> {
        self.octets.get(self.term.clone()).filter(|_| !self.is_done)
    }

    /// Its messages, each with the numbers of its positions.
    pub(crate) fn each_doc(&self, visit: &mut dyn FnMut(u32, &[u8])) -> io::Result<()> {
        let part = |range: &std::ops::Range<usize>| self.octets.get(range.clone()).unwrap_or_default();
        each_doc(part(&self.posting), part(&self.positions), self.segment.docs, visit)
    }

    pub(crate) fn advance(&mut self) -> io::Result<()> {
        if self.term.end + 1 >= self.terms_end && !self.load()? {
            return Ok(());
        }
        let start = self.term.end + 1;
        let terms = self.octets.get(start..self.terms_end).unwrap_or_default();
        self.term = start..start + memchr(0, terms).ok_or_else(|| damaged("a term without an end"))?;
        let mut lengths = self.octets.get(self.lengths.clone()).unwrap_or_default();
        let mut length = || number::take(&mut lengths).ok_or_else(|| damaged("a term without a length"));
        let (posting, positions) = (size(length()?), size(length()?));
        self.lengths.start = self.lengths.end - lengths.len();
        self.posting = self.posting.end..self.posting.end + posting;
        self.positions = self.positions.end..self.positions.end + positions;
        Ok(())
    }

    /// The next block; false where there is none.
    fn load(&mut self) -> io::Result<bool> {
        let Some(block) = self.segment.blocks.get(self.next_block) else {
            self.is_done = true;
            return Ok(false);
        };
        self.next_block += 1;
        let (terms, lengths, postings) = (size(block.terms), size(block.lengths), size(block.postings));
        let positions_at = terms + lengths + postings;
        self.octets.resize(positions_at + size(block.positions), 0);
        self.segment.file.read_exact_at(&mut self.octets, block.start)?;
        self.terms_end = terms;
        self.term = 0..0; // the zero before the first
        self.lengths = terms..terms + lengths;
        self.posting = terms + lengths..terms + lengths;
        self.positions = positions_at..positions_at;
        Ok(true)
    }
}
