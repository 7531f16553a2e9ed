//! SEARCH, ESEARCH and SORT.

use relais_model::{MailboxName, ModSeq, UidValidity};

use super::text::write_quoted;
use super::{number, parenthesised, write_mailbox};
use crate::command::Tag;
use crate::partial::PartialRange;
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

/// The answer to SEARCH RETURN and SORT RETURN (RFC 9051 §7.3.4, RFC 5267 §3), and what was found of one mailbox by ESEARCH
/// (RFC 7377 §2.1).
#[derive(Debug, Clone)]
pub struct ESearch<'a> {
    /// The command's.
    pub tag: &'a Tag,
    /// Where it was found, if that isn't the mailbox that is open.
    pub mailbox: Option<Found<'a>>,
    /// The numbers are UIDs.
    pub by_uid: bool,
    /// The smallest; the first, of SORT.
    pub min: Option<u32>,
    /// The largest; the last, of SORT.
    pub max: Option<u32>,
    /// How many.
    pub count: Option<u32>,
    /// All, as runs, in their order; left out where there is none, since IMAP cannot write the empty set.
    pub all: Option<&'a [(u32, u32)]>,
    /// What stands at these places (RFC 9394 §3.1); none is NIL.
    pub partial: Option<(PartialRange, &'a [(u32, u32)])>,
    /// How well each of those in ALL or PARTIAL meets the search, in their order (RFC 6203 §4).
    pub relevancy: Option<&'a [u8]>,
    /// The highest of what was found (RFC 7162 §3.1.10).
    pub mod_seq: Option<ModSeq>,
}

/// The correlators MAILBOX and UIDVALIDITY (RFC 7377 §2.1).
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Which mailbox.
    pub name: &'a MailboxName,
    /// Its epoch.
    pub uid_validity: UidValidity,
    /// How names are written.
    pub utf8: bool,
}

/// `* ESEARCH (TAG "a1") [UID] …`.
pub fn esearch(out: &mut Vec<u8>, found: &ESearch<'_>) {
    begin(out, found.tag, found.mailbox, found.by_uid);
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
    if let Some((range, runs)) = found.partial {
        out.extend_from_slice(format!(" PARTIAL ({range} ").as_bytes());
        if runs.is_empty() {
            out.extend_from_slice(b"NIL");
        }
        number::write_runs(out, runs);
        out.push(b')');
    }
    if let Some(scores) = found.relevancy {
        out.extend_from_slice(b" RELEVANCY ");
        parenthesised(out, scores, |out, score| number::write(out, u64::from(*score)));
    }
    if let Some(mod_seq) = found.mod_seq {
        out.extend_from_slice(b" MODSEQ ");
        number::write(out, mod_seq.value());
    }
    out.extend_from_slice(b"\r\n");
}

/// What a kept search found anew, or finds no more (RFC 5267 §4.3): nothing for no change. Each set goes in at its place, or is
/// taken from there, one after the other; 0 is wherever the mailbox's order puts it.
pub fn search_update(out: &mut Vec<u8>, tag: &Tag, by_uid: bool, update: Update, sets: &[(u32, Vec<(u32, u32)>)]) {
    if sets.is_empty() {
        return;
    }
    begin(out, tag, None, by_uid);
    out.extend_from_slice(match update {
        Update::AddTo => b" ADDTO ".as_slice(),
        Update::RemoveFrom => b" REMOVEFROM ",
    });
    parenthesised(out, sets, |out, (place, runs)| {
        number::write(out, u64::from(*place));
        out.push(b' ');
        number::write_runs(out, runs);
    });
    out.extend_from_slice(b"\r\n");
}

/// How a kept search changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// These were added.
    AddTo,
    /// These went.
    RemoveFrom,
}

fn begin(out: &mut Vec<u8>, tag: &Tag, mailbox: Option<Found<'_>>, by_uid: bool) {
    out.extend_from_slice(b"* ESEARCH (TAG ");
    write_quoted(out, tag.as_str().as_bytes());
    if let Some(Found { name, uid_validity, utf8 }) = mailbox {
        out.extend_from_slice(b" MAILBOX ");
        write_mailbox(out, name.as_str(), utf8);
        out.extend_from_slice(b" UIDVALIDITY ");
        number::write(out, u64::from(uid_validity.value()));
    }
    out.push(b')');
    if by_uid {
        out.extend_from_slice(b" UID");
    }
}
