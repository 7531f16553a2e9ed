//! Messages in a row, as the API takes and gives them: for each a line of JSON, then its octets.
//!
//! ```text
//! {"mailbox":"INBOX","flags":["\\Seen"],"internal_date":1767225600,"size_octets":42}
//! From: …
//! ```

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

/// Octets of a message that is brought, at most, with CRLF at its lines' ends.
pub const MESSAGE_OCTETS: usize = 64 * 1024 * 1024;
/// Octets of a message's line.
const LINE_OCTETS: usize = 64 * 1024;

/// A message on its way, with where it stands and how it is marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parcel {
    /// The mailbox's full name, with `/` between its levels.
    pub mailbox: String,
    /// As IMAP writes them.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Seconds since 1970; none: now.
    #[serde(default)]
    pub internal_date: Option<i64>,
    /// For the how manyth time this content comes for this mailbox; it isn't filed where that many stand there already. 0: it is filed
    /// whatever stands there.
    #[serde(default)]
    pub copy: u32,
    /// Its UID, of mail on its way out; on its way in nobody asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// No message: it says only that there is such a mailbox. No octets follow.
    #[serde(default, skip_serializing_if = "is_message")]
    pub is_mailbox: bool,
    /// Octets that follow.
    pub size_octets: u64,
    /// They.
    #[serde(skip)]
    pub octets: Vec<u8>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_message(is_mailbox: &bool) -> bool {
    !*is_mailbox
}

impl Parcel {
    /// A mailbox, with or without messages.
    pub fn mailbox(name: &str) -> Self {
        Self {
            mailbox: name.to_owned(),
            flags: Vec::new(),
            internal_date: None,
            copy: 0,
            uid: None,
            is_mailbox: true,
            size_octets: 0,
            octets: Vec::new(),
        }
    }
}

/// How often each content came for a mailbox: what [`Parcel::copy`] says.
#[derive(Debug, Default)]
pub struct Copies(HashMap<u64, u32>);

impl Copies {
    /// For the how manyth time this content comes.
    pub fn count(&mut self, octets: &[u8]) -> u32 {
        let mut hasher = DefaultHasher::new();
        octets.hash(&mut hasher);
        let copy = self.0.entry(hasher.finish()).or_default();
        *copy += 1;
        *copy
    }
}

/// Why what came is no row of messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParcelError {
    /// A line isn't what it should be.
    #[error("a message's line is not understood: {0}")]
    Line(String),
    /// A message is larger than any may be.
    #[error("a message of {0} octets is too large")]
    TooLarge(u64),
    /// It ends within a message.
    #[error("it ends within a message")]
    Cut,
}

impl Parcel {
    /// As it goes over the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(serde_json::to_vec(self).unwrap_or_default());
        out.push(b'\n');
        out.extend_from_slice(&self.octets);
    }
}

/// Reads a row of messages, however it is cut.
#[derive(Debug)]
pub struct ParcelReader {
    octets: Vec<u8>,
    at: usize,
    message_octets: u64,
}

impl ParcelReader {
    /// Takes messages of up to `message_octets`.
    pub const fn new(message_octets: u64) -> Self {
        Self { octets: Vec::new(), at: 0, message_octets }
    }

    /// More came.
    pub fn feed(&mut self, octets: &[u8]) {
        self.octets.drain(..self.at);
        self.at = 0;
        self.octets.extend_from_slice(octets);
    }

    /// The next message; none: more must come.
    ///
    /// # Errors
    /// [`ParcelError`]: nothing after it can be read.
    pub fn next_parcel(&mut self) -> Result<Option<Parcel>, ParcelError> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'\n', rest) else {
            let is_long = rest.len() > LINE_OCTETS;
            return if is_long { Err(ParcelError::Line("it is too long".to_owned())) } else { Ok(None) };
        };
        let line = rest.get(..end).unwrap_or_default();
        let mut parcel: Parcel = serde_json::from_slice(line).map_err(|error| ParcelError::Line(error.to_string()))?;
        if parcel.size_octets > self.message_octets {
            return Err(ParcelError::TooLarge(parcel.size_octets));
        }
        let size = usize::try_from(parcel.size_octets).unwrap_or(usize::MAX);
        let Some(octets) = rest.get(end + 1..).and_then(|after| after.get(..size)) else { return Ok(None) };
        parcel.octets = octets.to_vec();
        self.at += end + 1 + size;
        Ok(Some(parcel))
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// [`ParcelError::Cut`] where something was begun.
    pub fn end(self) -> Result<(), ParcelError> {
        if self.at == self.octets.len() { Ok(()) } else { Err(ParcelError::Cut) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_however_it_is_cut() {
        let parcel = |octets: &[u8]| Parcel {
            mailbox: "A/b".to_owned(),
            flags: vec!["\\Seen".to_owned()],
            internal_date: Some(5),
            copy: 1,
            uid: None,
            is_mailbox: false,
            size_octets: octets.len() as u64,
            octets: octets.to_vec(),
        };
        let all = [parcel(b"a\r\n{\n"), parcel(b""), parcel(b"z")];
        let mut wire = Vec::new();
        for parcel in &all {
            parcel.write(&mut wire);
        }
        for piece in 1..wire.len() {
            let (mut reader, mut read) = (ParcelReader::new(10), Vec::new());
            for some in wire.chunks(piece) {
                reader.feed(some);
                while let Some(parcel) = reader.next_parcel().unwrap() {
                    read.push(parcel);
                }
            }
            assert_eq!(read, all);
            assert_eq!(reader.end(), Ok(()));
        }
        let mut reader = ParcelReader::new(2);
        reader.feed(b"{\"mailbox\":\"x\",\"size_octets\":3}\nabc");
        assert_eq!(reader.next_parcel(), Err(ParcelError::TooLarge(3)));
        let mut reader = ParcelReader::new(2);
        reader.feed(b"{\"mailbox\":\"x\",\"size_octets\":2}\na");
        assert_eq!(reader.next_parcel(), Ok(None));
        assert_eq!(reader.end(), Err(ParcelError::Cut));
    }
}
