//! FETCH responses (RFC 9051 §7.5.2): one line a message, written item by item.

use relais_message::{Section, SectionText};
use relais_model::{Flag, ModSeq, SeqNum, Timestamp, Uid};

use super::text::{announce, write_quoted, write_string};
use super::{number, parenthesised, write_flags};
use crate::command::{FetchSection, Partial, SectionName};
use crate::date;

/// Writes `* n FETCH (…)`, or `* uid UIDFETCH (…)` for who has enabled UIDONLY (RFC 9586). Nothing is written before the first item, and nothing at all where there is none.
#[derive(Debug)]
#[must_use = "the line ends with `finish`"]
pub struct FetchWriter<'a> {
    out: &'a mut Vec<u8>,
    number: u32,
    /// The number is the UID.
    by_uid: bool,
    utf8: bool,
    is_empty: bool,
}

impl<'a> FetchWriter<'a> {
    /// For the message at `seq_num`.
    pub const fn new(out: &'a mut Vec<u8>, seq_num: SeqNum, utf8: bool) -> Self {
        Self { out, number: seq_num.value(), by_uid: false, utf8, is_empty: true }
    }

    /// For the message of this UID; its number isn't told, and UID isn't told a second time.
    pub const fn by_uid(out: &'a mut Vec<u8>, uid: Uid, utf8: bool) -> Self {
        Self { out, number: uid.value(), by_uid: true, utf8, is_empty: true }
    }

    /// Ends the line.
    pub fn finish(mut self) {
        if self.by_uid && self.is_empty {
            // Only the UID was asked for: it stands at the beginning, and the list may not be empty.
            self.item("UID ");
            number::write(self.out, u64::from(self.number));
        }
        if !self.is_empty {
            self.out.extend_from_slice(b")\r\n");
        }
    }

    /// The buffer, to send away what is in it while a large literal is being written.
    pub const fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Begins an item: its name, with the space after it.
    fn item(&mut self, name: impl AsRef<[u8]>) {
        if self.is_empty {
            self.is_empty = false;
            self.out.extend_from_slice(b"* ");
            number::write(self.out, u64::from(self.number));
            self.out.extend_from_slice(if self.by_uid { b" UIDFETCH (".as_slice() } else { b" FETCH (" });
        } else {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(name.as_ref());
    }

    /// UID.
    pub fn uid(&mut self, uid: Uid) {
        if self.by_uid {
            return;
        }
        self.item("UID ");
        number::write(self.out, u64::from(uid.value()));
    }

    /// FLAGS.
    pub fn flags<'b>(&mut self, flags: impl IntoIterator<Item = &'b Flag>) {
        self.item("FLAGS ");
        write_flags(self.out, flags);
    }

    /// FLAGS as they are on the wire, parentheses included: for those who write the same ones many times.
    pub fn flags_octets(&mut self, octets: &[u8]) {
        self.item("FLAGS ");
        self.out.extend_from_slice(octets);
    }

    /// INTERNALDATE.
    pub fn internal_date(&mut self, internal_date: Timestamp) {
        self.item("INTERNALDATE ");
        date::write_date_time(self.out, internal_date);
    }

    /// RFC822.SIZE.
    pub fn rfc822_size(&mut self, octets: u64) {
        self.item("RFC822.SIZE ");
        number::write(self.out, octets);
    }

    /// ENVELOPE, in wire form.
    pub fn envelope(&mut self, octets: &[u8]) {
        self.item("ENVELOPE ");
        self.out.extend_from_slice(octets);
    }

    /// BODY without a section, in wire form.
    pub fn body(&mut self, octets: &[u8]) {
        self.item("BODY ");
        self.out.extend_from_slice(octets);
    }

    /// BODYSTRUCTURE, in wire form.
    pub fn body_structure(&mut self, octets: &[u8]) {
        self.item("BODYSTRUCTURE ");
        self.out.extend_from_slice(octets);
    }

    /// MODSEQ.
    pub fn mod_seq(&mut self, mod_seq: ModSeq) {
        self.item("MODSEQ (");
        number::write(self.out, mod_seq.value());
        self.out.push(b')');
    }

    /// PREVIEW (RFC 8970 §3.1): none where it cannot be told, or is not at hand for LAZY.
    pub fn preview(&mut self, text: Option<&str>) {
        self.item("PREVIEW ");
        match text {
            Some(text) => write_string(self.out, text.as_bytes(), self.utf8),
            None => self.out.extend_from_slice(b"NIL"),
        }
    }

    /// SAVEDATE (RFC 8514 §4.2): none where the mailbox doesn't keep it.
    pub fn save_date(&mut self, saved_at: Option<Timestamp>) {
        self.item("SAVEDATE ");
        match saved_at {
            Some(saved_at) => date::write_date_time(self.out, saved_at),
            None => self.out.extend_from_slice(b"NIL"),
        }
    }

    /// EMAILID (RFC 8474 §5.1): 1 to 255 letters, digits, `_` and `-`.
    pub fn email_id(&mut self, id: &str) {
        self.item("EMAILID (");
        self.out.extend_from_slice(id.as_bytes());
        self.out.push(b')');
    }

    /// THREADID (RFC 8474 §5.2): none where threads aren't known.
    pub fn thread_id(&mut self, id: Option<&str>) {
        self.item("THREADID ");
        match id {
            Some(id) => parenthesised(self.out, [id], |out, id| out.extend_from_slice(id.as_bytes())),
            None => self.out.extend_from_slice(b"NIL"),
        }
    }

    /// BODY\[…\] with its octets, the part asked for already cut out; none: NIL, since the message has no such part.
    pub fn section(&mut self, asked: &FetchSection, octets: Option<&[u8]>) {
        let Some(octets) = octets else {
            self.item(&asked.answered_as);
            return self.out.extend_from_slice(b"NIL");
        };
        if octets.is_empty() {
            self.item(&asked.answered_as);
            return write_quoted(self.out, b"");
        }
        self.begin_section(asked, octets.len() as u64);
        let from = self.out.len();
        self.out.extend_from_slice(octets);
        without_nul(self.out.get_mut(from..).unwrap_or_default());
    }

    /// BODY\[…\] up to its literal's announcement. The caller then writes so many octets to [`Self::out`], and may send
    /// away what stands there in between; each piece through [`without_nul`].
    pub fn begin_section(&mut self, asked: &FetchSection, octets: u64) {
        self.item(&asked.answered_as);
        announce(self.out, octets);
    }

    /// BINARY\[…\] with its decoded octets; a literal8 where they hold NUL (RFC 3516 §4.2). `offset`: of the part asked for.
    pub fn binary(&mut self, path: &[u32], offset: Option<u64>, octets: Option<&[u8]>) {
        self.item("BINARY[");
        write_path(self.out, path);
        self.out.push(b']');
        write_offset(self.out, offset);
        self.out.push(b' ');
        match octets {
            None => self.out.extend_from_slice(b"NIL"),
            Some([]) => write_quoted(self.out, b""),
            Some(octets) => {
                if memchr::memchr(0, octets).is_some() {
                    self.out.push(b'~');
                }
                announce(self.out, octets.len() as u64);
                self.out.extend_from_slice(octets);
            }
        }
    }

    /// BINARY.SIZE\[…\].
    pub fn binary_size(&mut self, path: &[u32], octets: u64) {
        self.item("BINARY.SIZE[");
        write_path(self.out, path);
        self.out.extend_from_slice(b"] ");
        number::write(self.out, octets);
    }
}

/// How an answer calls a section, with the space behind: `BODY[1.MIME]<0> `.
pub(crate) fn section_name(section: &Section, partial: Option<Partial>, name: SectionName) -> String {
    let mut out = Vec::new();
    match name {
        SectionName::Rfc822 => out.extend_from_slice(b"RFC822 "),
        SectionName::Rfc822Header => out.extend_from_slice(b"RFC822.HEADER "),
        SectionName::Rfc822Text => out.extend_from_slice(b"RFC822.TEXT "),
        SectionName::Body => {
            out.extend_from_slice(b"BODY[");
            write_section(&mut out, section);
            out.push(b']');
            write_offset(&mut out, partial.map(|partial| partial.offset));
            out.push(b' ');
        }
    }
    // Names of fields are strings, and all else is ASCII.
    String::from_utf8_lossy(&out).into_owned()
}

/// A literal holds any octet but NUL (RFC 9051 §9, `CHAR8`). Where a broken message has one, 0x80 stands in its place, as from
/// Dovecot; BINARY tells the truth.
pub fn without_nul(octets: &mut [u8]) {
    if memchr::memchr(0, octets).is_some() {
        octets.iter_mut().filter(|octet| **octet == 0).for_each(|octet| *octet = 0x80);
    }
}

/// `<0>` (RFC 9051 §7.5.2): the offset alone.
fn write_offset(out: &mut Vec<u8>, offset: Option<u64>) {
    if let Some(offset) = offset {
        out.push(b'<');
        number::write(out, offset);
        out.push(b'>');
    }
}

fn write_path(out: &mut Vec<u8>, path: &[u32]) {
    for (at, part) in path.iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        number::write(out, u64::from(*part));
    }
}

fn write_section(out: &mut Vec<u8>, section: &Section) {
    write_path(out, &section.path);
    let Some(text) = &section.text else { return };
    if !section.path.is_empty() {
        out.push(b'.');
    }
    match text {
        SectionText::Header => out.extend_from_slice(b"HEADER"),
        SectionText::Text => out.extend_from_slice(b"TEXT"),
        SectionText::Mime => out.extend_from_slice(b"MIME"),
        SectionText::HeaderFields { not, names } => {
            out.extend_from_slice(if *not { b"HEADER.FIELDS.NOT ".as_slice() } else { b"HEADER.FIELDS " });
            parenthesised(out, names, |out, name| write_field_name(out, name));
        }
    }
}

/// A field's name is sent back as it came, as an atom if it is one: clients compare the text.
fn write_field_name(out: &mut Vec<u8>, name: &str) {
    if name.bytes().all(crate::command::reader::is_atom_char) {
        out.extend_from_slice(name.as_bytes());
    } else {
        write_string(out, name.as_bytes(), false);
    }
}
