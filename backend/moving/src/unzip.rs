//! Reads a zip file (APPNOTE 6.3, with Zip64) that a stranger packed: its list first, then its files, each no longer than the list says.
//!
//! Invariants: nothing of it is believed: what lies outside the file, or says so of itself, is [`BundleError::Broken`].

use std::io::{BufReader, Read, Take};

use flate2::CrcReader;
use flate2::read::DeflateDecoder;

use crate::bundle::BundleError;

/// Files and folders of one zip.
const MAX_FILES: u64 = 200_000;
/// Octets of the record at the end, without its comment (APPNOTE 4.3.16).
const END_OCTETS: usize = 22;
/// Octets of the record before it that says where the wide one stands (4.3.15).
const LOCATOR_OCTETS: usize = 20;
/// A number of 32 bits that stands elsewhere, in 64.
const ELSEWHERE: u64 = 0xffff_ffff;
/// The extra fields that are read: wide numbers (4.5.3), and UNIX times (Info-ZIP's "UT").
const WIDE: u64 = 0x0001;
const TIMES: u64 = 0x5455;

/// A file in a zip, as the list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ZippedFile {
    /// With `/` between folders; a folder's own ends with one.
    pub(crate) name: String,
    /// Octets, once it is unpacked.
    pub(crate) octets: u64,
    /// When it was changed, in seconds since 1970, where that is said in no time zone.
    pub(crate) changed_at: Option<i64>,
    crc: u32,
    method: u64,
    is_encrypted: bool,
    packed_octets: usize,
    /// Where it begins in the zip.
    at: usize,
}

/// The octets of a file, as they are unpacked.
pub(crate) type Unpacked<'a> = CrcReader<BufReader<Take<Box<dyn Read + 'a>>>>;

impl ZippedFile {
    /// Its octets. None: it is packed as nothing is unpacked here, or behind a password.
    ///
    /// # Errors
    /// [`BundleError::Broken`].
    pub(crate) fn open<'a>(&self, zip: &'a [u8]) -> Result<Option<Unpacked<'a>>, BundleError> {
        let packed = self.packed(zip).ok_or(BundleError::Broken)?;
        if self.is_encrypted {
            return Ok(None);
        }
        let octets: Box<dyn Read + 'a> = match self.method {
            0 => Box::new(packed),
            8 => Box::new(DeflateDecoder::new(packed)),
            _ => return Ok(None),
        };
        Ok(Some(CrcReader::new(BufReader::new(octets.take(self.octets)))))
    }

    /// After all was read: is it what was packed?
    ///
    /// # Errors
    /// [`BundleError::Broken`].
    pub(crate) fn check(&self, read: &Unpacked<'_>) -> Result<(), BundleError> {
        if read.crc().sum() == self.crc { Ok(()) } else { Err(BundleError::Broken) }
    }

    fn packed<'a>(&self, zip: &'a [u8]) -> Option<&'a [u8]> {
        let head = zip.get(self.at..)?;
        if !head.starts_with(b"PK\x03\x04") {
            return None;
        }
        let from = 30 + size(head, 26, 2)? + size(head, 28, 2)?;
        head.get(from..from.checked_add(self.packed_octets)?)
    }
}

/// The files and folders of a zip, in the list's order.
///
/// # Errors
/// [`BundleError::Broken`], [`BundleError::TooMany`].
pub(crate) fn list(zip: &[u8]) -> Result<Vec<ZippedFile>, BundleError> {
    let (count, mut at) = end(zip).ok_or(BundleError::Broken)?;
    if count > MAX_FILES {
        return Err(BundleError::TooMany);
    }
    let mut files = Vec::new();
    for _ in 0..count {
        let (file, octets) = zip.get(at..).and_then(listed).ok_or(BundleError::Broken)?;
        files.push(file);
        at += octets;
    }
    Ok(files)
}

/// How many files there are, and where the list begins.
fn end(zip: &[u8]) -> Option<(u64, usize)> {
    let begins = |at: usize, mark: &[u8]| zip.get(at..).is_some_and(|rest| rest.starts_with(mark));
    let last = zip.len().checked_sub(END_OCTETS)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    let end = (first..=last).rev().find(|at| begins(*at, b"PK\x05\x06"))?;
    let (count, at) = (number(zip, end + 10, 2)?, number(zip, end + 16, 4)?);
    if count != u64::from(u16::MAX) && at != ELSEWHERE {
        return Some((count, usize::try_from(at).ok()?));
    }
    let locator = end.checked_sub(LOCATOR_OCTETS).filter(|at| begins(*at, b"PK\x06\x07"))?;
    let wide = Some(size(zip, locator + 8, 8)?).filter(|at| begins(*at, b"PK\x06\x06"))?;
    Some((number(zip, wide.checked_add(32)?, 8)?, size(zip, wide.checked_add(48)?, 8)?))
}

/// A line of the list (4.3.12), and its octets.
fn listed(line: &[u8]) -> Option<(ZippedFile, usize)> {
    if !line.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (name_octets, extra_octets, comment_octets) = (size(line, 28, 2)?, size(line, 30, 2)?, size(line, 32, 2)?);
    let extra_at = 46 + name_octets;
    let name = String::from_utf8_lossy(line.get(46..extra_at)?).into_owned();
    let extra = line.get(extra_at..extra_at + extra_octets)?;
    let mut wide = field(extra, WIDE).unwrap_or_default();
    // Each number stands there only where there was no room for it.
    let mut real = |short: u64| {
        if short != ELSEWHERE {
            return Some(short);
        }
        let (first, rest) = wide.split_at_checked(8)?;
        wide = rest;
        number(first, 0, 8)
    };
    let octets = real(number(line, 24, 4)?)?;
    let packed_octets = usize::try_from(real(number(line, 20, 4)?)?).ok()?;
    let at = usize::try_from(real(number(line, 42, 4)?)?).ok()?;
    let times = field(extra, TIMES).filter(|times| times.first().is_some_and(|flags| flags & 1 == 1));
    let file = ZippedFile {
        name,
        octets,
        changed_at: times.and_then(|times| number(times, 1, 4)).and_then(|at| i64::try_from(at).ok()),
        crc: u32::try_from(number(line, 16, 4)?).ok()?,
        method: number(line, 10, 2)?,
        is_encrypted: number(line, 8, 2)? & 1 == 1,
        packed_octets,
        at,
    };
    Some((file, extra_at + extra_octets + comment_octets))
}

/// An extra field (4.5.1).
fn field(extra: &[u8], wanted: u64) -> Option<&[u8]> {
    let mut rest = extra;
    loop {
        let end = 4 + size(rest, 2, 2)?;
        if number(rest, 0, 2)? == wanted {
            return rest.get(4..end);
        }
        rest = rest.get(end..)?;
    }
}

/// A number of so many octets, the least first.
fn number(octets: &[u8], at: usize, size: usize) -> Option<u64> {
    let octets = octets.get(at..at.checked_add(size)?)?;
    Some(octets.iter().rev().fold(0, |number, octet| (number << 8) | u64::from(*octet)))
}

fn size(octets: &[u8], at: usize, octets_of_it: usize) -> Option<usize> {
    number(octets, at, octets_of_it).and_then(|number| usize::try_from(number).ok())
}
