//! SEARCH, ESEARCH and SORT.

use relais_model::ModSeq;

use super::number;
use super::text::write_quoted;
use crate::command::Tag;
use crate::thread::Threads;

/// `* SEARCH 2 84 882 [(MODSEQ 917162500)]` (RFC 3501 §7.2.5, RFC 7162 §3.1.5).
pub fn search(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>, mod_seq: Option<ModSeq>) {
    listed(out, "* SEARCH", numbers, mod_seq);
}

/// `* SORT 2 84 882` (RFC 5256 §4).
pub fn sort(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>, mod_seq: Option<ModSeq>) {
    listed(out, "* SORT", numbers, mod_seq);
}

/// `* THREAD (2)(3 6 (4 23)(44 7 96))` (RFC 5256 §4).
pub fn thread(out: &mut Vec<u8>, threads: &Threads) {
    out.extend_from_slice(b"* THREAD");
    if !threads.roots.is_empty() {
        out.push(b' ');
        threads.write(out);
    }
    out.extend_from_slice(b"\r\n");
}

fn listed(out: &mut Vec<u8>, name: &str, numbers: impl IntoIterator<Item = u32>, mod_seq: Option<ModSeq>) {
    out.extend_from_slice(name.as_bytes());
    for value in numbers {
        out.push(b' ');
        number::write(out, u64::from(value));
    }
    if let Some(mod_seq) = mod_seq {
        out.extend_from_slice(b" (MODSEQ ");
        number::write(out, mod_seq.value());
        out.push(b')');
    }
    out.extend_from_slice(b"\r\n");
}

/// The answer to SEARCH RETURN (RFC 9051 §7.3.4).
#[derive(Debug, Clone)]
pub struct ESearch<'a> {
    /// The command's.
    pub tag: &'a Tag,
    /// The numbers are UIDs.
    pub by_uid: bool,
    /// The smallest.
    pub min: Option<u32>,
    /// The largest.
    pub max: Option<u32>,
    /// How many.
    pub count: Option<u32>,
    /// All, as ascending runs; left out where there is none, since IMAP cannot write the empty set.
    pub all: Option<&'a [(u32, u32)]>,
    /// The highest of what was found (RFC 7162 §3.1.10).
    pub mod_seq: Option<ModSeq>,
}

/// `* ESEARCH (TAG "a1") [UID] …`.
pub fn esearch(out: &mut Vec<u8>, found: &ESearch<'_>) {
    out.extend_from_slice(b"* ESEARCH (TAG ");
    write_quoted(out, found.tag.as_str().as_bytes());
    out.push(b')');
    if found.by_uid {
        out.extend_from_slice(b" UID");
    }
    let mut value = |name: &str, value: Option<u64>| {
        if let Some(value) = value {
            out.extend_from_slice(name.as_bytes());
            number::write(out, value);
        }
    };
    value(" MIN ", found.min.map(u64::from));
    value(" MAX ", found.max.map(u64::from));
    value(" COUNT ", found.count.map(u64::from));
    if let Some(runs) = found.all.filter(|runs| !runs.is_empty()) {
        out.extend_from_slice(b" ALL ");
        number::write_runs(out, runs);
    }
    if let Some(mod_seq) = found.mod_seq {
        out.extend_from_slice(b" MODSEQ ");
        number::write(out, mod_seq.value());
    }
    out.extend_from_slice(b"\r\n");
}
