//! METADATA (RFC 5464): notes on mailboxes and on the server.

use std::fmt;

use relais_model::MailboxName;

use super::reader::{Reader, Refusal, is_atom_char};

/// The name of an entry: `/private/…` or `/shared/…`, in small letters, for case doesn't count (RFC 5464 §3.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryName(String);

impl EntryName {
    /// Octets, at most.
    pub const MAX_OCTETS: usize = 256;

    /// Takes a whole name.
    pub fn parse(text: &str) -> Option<Self> {
        // Deviates: control characters and what an atom can't hold are refused, too; RFC 5464 §3.2 discourages them, and so names
        // can be written as they are.
        let is_plain = |octet: u8| is_atom_char(octet);
        let mut parts = text.strip_prefix('/')?.split('/');
        let scope = parts.next()?;
        let has_scope = scope.eq_ignore_ascii_case("private") || scope.eq_ignore_ascii_case("shared");
        let is_name = has_scope
            && text.len() <= Self::MAX_OCTETS
            && text.bytes().all(is_plain)
            && parts.all(|part| !part.is_empty());
        is_name.then(|| Self(text.to_ascii_lowercase()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it may have a value: two levels at least; below `vendor` four (RFC 5464 §3.2).
    pub fn can_be_set(&self) -> bool {
        let levels: Vec<&str> = self.0.split('/').skip(1).collect();
        levels.len() >= if levels.get(1) == Some(&"vendor") { 4 } else { 2 }
    }

    /// Whether `other` is this one, or so many levels below it at most.
    pub fn covers(&self, other: &str, depth: Depth) -> bool {
        let Some(rest) = other.strip_prefix(self.0.as_str()) else { return false };
        match (rest.strip_prefix('/'), depth) {
            _ if rest.is_empty() => true,
            (None, _) | (_, Depth::Zero) => false,
            (Some(below), Depth::One) => !below.contains('/'),
            (Some(_), Depth::Infinity) => true,
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far below the entries that are named is told, too (RFC 5464 §4.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Those alone.
    #[default]
    Zero,
    /// One level.
    One,
    /// All.
    Infinity,
}

/// GETMETADATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetMetadata {
    /// Of which mailbox; none: of the server.
    pub mailbox: Option<MailboxName>,
    /// Octets of a value, at most: of longer ones only the size is told.
    pub max_size: Option<u64>,
    /// How far down.
    pub depth: Depth,
    /// Never empty.
    pub entries: Vec<EntryName>,
}

/// SETMETADATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetMetadata {
    /// Of which mailbox; none: of the server.
    pub mailbox: Option<MailboxName>,
    /// None takes an entry away. All are set, or none is.
    pub values: Vec<(EntryName, Option<Vec<u8>>)>,
}

impl Reader<'_> {
    /// The options stand before the mailbox in RFC 5464's grammar and behind it in its examples: both are read.
    pub(super) fn get_metadata(&mut self) -> Result<GetMetadata, Refusal> {
        self.space()?;
        let mut get = GetMetadata { mailbox: None, max_size: None, depth: Depth::Zero, entries: Vec::new() };
        if self.peek() == Some(b'(') {
            self.list(|reader| reader.metadata_option(&mut get))?;
            self.space()?;
        }
        get.mailbox = self.mailbox_or_server()?;
        self.space()?;
        if self.rest().strip_prefix(b"(").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_alphabetic)) {
            self.list(|reader| reader.metadata_option(&mut get))?;
            self.space()?;
        }
        if self.peek() == Some(b'(') {
            get.entries = self.list(Self::entry_name)?;
            return Ok(get);
        }
        loop {
            get.entries.push(self.entry_name()?);
            if !self.skip(b' ') || self.peek().is_none() {
                return Ok(get);
            }
            if get.entries.len() == self.limits.list_items {
                return Err(self.too_much("Too many entries"));
            }
        }
    }

    fn metadata_option(&mut self, get: &mut GetMetadata) -> Result<(), Refusal> {
        let word = self.word();
        self.expect(b' ')?;
        match word.as_str() {
            "MAXSIZE" => get.max_size = Some(self.number64()?),
            "DEPTH" => {
                get.depth = match self.word().as_str() {
                    "0" => Depth::Zero,
                    "1" => Depth::One,
                    "INFINITY" => Depth::Infinity,
                    _ => return Err(self.bad("DEPTH is 0, 1 or infinity")),
                }
            }
            _ => return Err(self.bad("Unknown option of GETMETADATA")),
        }
        Ok(())
    }

    pub(super) fn set_metadata(&mut self) -> Result<SetMetadata, Refusal> {
        self.space()?;
        let mailbox = self.mailbox_or_server()?;
        self.space()?;
        let values = self.list(|reader| {
            let entry = reader.entry_name()?;
            if !entry.can_be_set() {
                return Err(reader.bad("An entry has more levels than this"));
            }
            reader.expect(b' ')?;
            Ok((entry, reader.nil_or_octets()?))
        })?;
        Ok(SetMetadata { mailbox, values })
    }

    fn mailbox_or_server(&mut self) -> Result<Option<MailboxName>, Refusal> {
        if self.rest().starts_with(b"\"\"") {
            self.advance();
            self.advance();
            return Ok(None);
        }
        self.mailbox().map(Some)
    }

    pub(super) fn entry_name(&mut self) -> Result<EntryName, Refusal> {
        let before = self.position();
        let text = self.text()?;
        EntryName::parse(&text).ok_or_else(|| {
            self.back_to(before);
            self.bad("No entry has this name")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_entries() {
        for text in ["/shared/comment", "/PRIVATE/Comment", "/private/vendor/a/b", "/private"] {
            assert_eq!(EntryName::parse(text).map(|name| name.0), Some(text.to_ascii_lowercase()));
        }
        for text in ["", "comment", "/other/comment", "/shared/", "/shared//a", "/shared/a*", "/shared/é", "/shared/a%"]
        {
            assert_eq!(EntryName::parse(text), None, "{text}");
        }
        let can_be_set = |text| EntryName::parse(text).unwrap().can_be_set();
        assert!(can_be_set("/private/comment") && can_be_set("/shared/vendor/cmu/size"));
        assert!(!can_be_set("/private") && !can_be_set("/shared/vendor/cmu"));
    }

    #[test]
    fn depth_covers_what_is_below() {
        let values = EntryName::parse("/private/filters").unwrap();
        let check = |other: &str, covered: [bool; 3]| {
            assert_eq!([Depth::Zero, Depth::One, Depth::Infinity].map(|depth| values.covers(other, depth)), covered);
        };
        check("/private/filters", [true, true, true]);
        check("/private/filters/small", [false, true, true]);
        check("/private/filters/small/er", [false, false, true]);
        check("/private/filtersandmore", [false, false, false]);
    }
}
