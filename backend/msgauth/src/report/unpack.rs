//! The document inside a report's mail: as it is, in gzip (RFC 1952), or in a ZIP archive.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use relais_message::{Structure, decode_part};

use super::ReportError;

/// Octets that a report may unpack to; large receivers' reports on large domains have some.
pub const MOST_UNPACKED: usize = 16 * 1024 * 1024;
/// Parts of a message that are unpacked, and files of an archive.
const MOST_DOCUMENTS: usize = 4;

/// The first document in the message, unpacked, that `read` can read. `opening` is its first octet.
pub(super) fn first_readable<T>(
    raw: &[u8],
    opening: u8,
    read: impl Fn(&[u8]) -> Result<T, ReportError>,
) -> Result<T, ReportError> {
    let mut parts = Vec::new();
    Structure::read(raw).root.walk(&mut |part| {
        if part.children().is_empty() {
            parts.push(part.clone());
        }
    });
    let (mut error, mut tried) = (ReportError::Absent, 0);
    for part in parts {
        let Ok(octets) = decode_part(raw, &part) else { continue };
        let documents = match unpacked(&octets) {
            Ok(documents) => documents,
            Err(why) => {
                error = why;
                tried += 1;
                Vec::new()
            }
        };
        for document in documents {
            let text = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&document).trim_ascii_start();
            if text.first() != Some(&opening) {
                continue;
            }
            tried += 1;
            match read(text) {
                Ok(report) => return Ok(report),
                Err(why) => error = why,
            }
        }
        if tried >= MOST_DOCUMENTS {
            break;
        }
    }
    Err(error)
}

/// By what the octets begin with: names and types are often wrong.
fn unpacked(octets: &[u8]) -> Result<Vec<Vec<u8>>, ReportError> {
    match octets {
        [0x1f, 0x8b, ..] => Ok(vec![all_of(MultiGzDecoder::new(octets))?]),
        [b'P', b'K', 3, 4, ..] => zip_files(octets),
        _ if octets.len() <= MOST_UNPACKED => Ok(vec![octets.to_vec()]),
        _ => Err(ReportError::TooLarge),
    }
}

fn all_of(reader: impl Read) -> Result<Vec<u8>, ReportError> {
    let mut octets = Vec::new();
    let most = u64::try_from(MOST_UNPACKED).unwrap_or(u64::MAX);
    let read = reader.take(most.saturating_add(1)).read_to_end(&mut octets);
    read.map_err(|error| ReportError::Malformed(error.to_string()))?;
    if octets.len() > MOST_UNPACKED { Err(ReportError::TooLarge) } else { Ok(octets) }
}

/// The first files of an archive, by its central directory (APPNOTE.TXT 4.3.12, 4.3.16): stored or deflated; no ZIP64, for no report has 4 GiB.
fn zip_files(archive: &[u8]) -> Result<Vec<Vec<u8>>, ReportError> {
    let broken = || ReportError::Malformed("the archive is broken".to_owned());
    // The end's record has 22 octets, and a comment of 65,535 at most.
    let tail = archive.len().saturating_sub(22 + 65_535);
    let end = archive.get(tail..).and_then(|rest| rest.windows(4).rposition(|mark| mark == b"PK\x05\x06"));
    let end = end.map(|at| tail + at).ok_or_else(broken)?;
    let count = number(archive, end + 10, 2).ok_or_else(broken)?;
    let mut at = number(archive, end + 16, 4).ok_or_else(broken)?;
    let mut files = Vec::new();
    for _ in 0..count.min(MOST_DOCUMENTS) {
        if archive.get(at..at.saturating_add(4)) != Some(b"PK\x01\x02") {
            return Err(broken());
        }
        let field = |offset: usize, octets: usize| number(archive, at + offset, octets).ok_or_else(broken);
        let (method, size, local) = (field(10, 2)?, field(20, 4)?, field(42, 4)?);
        let next = 46 + field(28, 2)? + field(30, 2)? + field(32, 2)?;
        let names = number(archive, local.saturating_add(26), 2).zip(number(archive, local.saturating_add(28), 2));
        let (name, extra) = names.ok_or_else(broken)?;
        let from = local.saturating_add(30 + name + extra);
        let packed = archive.get(from..from.saturating_add(size)).ok_or_else(broken)?;
        match method {
            0 => files.push(all_of(packed)?),
            8 => files.push(all_of(DeflateDecoder::new(packed))?),
            _ => return Err(ReportError::Malformed(format!("the archive is packed by method {method}"))),
        }
        at = at.saturating_add(next);
    }
    Ok(files)
}

/// Little-endian.
fn number(octets: &[u8], at: usize, length: usize) -> Option<usize> {
    let octets = octets.get(at..at.checked_add(length)?)?;
    Some(octets.iter().rev().fold(0, |sum, octet| (sum << 8) | usize::from(*octet)))
}
