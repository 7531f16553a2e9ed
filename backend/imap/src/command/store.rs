//! STORE (RFC 9051 §6.4.6, RFC 7162 §3.1.3).

use relais_model::{Flag, ModSeq};

use super::reader::{Reader, Refusal};
use crate::sequence::SequenceSet;

/// STORE and UID STORE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The set holds UIDs.
    pub by_uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// UNCHANGEDSINCE: leave alone what has changed later. The inner none is 0: what was there before counts as changed.
    pub unchanged_since: Option<Option<ModSeq>>,
    /// What becomes of the flags.
    pub act: StoreAct,
    /// `.SILENT`: the client doesn't want to hear the new flags.
    pub is_silent: bool,
    /// The flags.
    pub flags: Vec<Flag>,
}

/// What STORE does with the flags it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAct {
    /// `FLAGS`: these and no others.
    Replace,
    /// `+FLAGS`.
    Add,
    /// `-FLAGS`.
    Remove,
}

impl Reader<'_> {
    pub(super) fn store(&mut self, by_uid: bool) -> Result<Store, Refusal> {
        let set = self.set_argument()?;
        self.space()?;
        let mut unchanged_since = None;
        if self.skip(b'(') {
            if !self.skip_word("UNCHANGEDSINCE") {
                return Err(self.bad("Unknown modifier of STORE"));
            }
            self.expect(b' ')?;
            unchanged_since = Some(self.mod_seq()?);
            self.expect(b')')?;
            self.space()?;
        }
        let word = self.word();
        let (item, is_silent) = word.strip_suffix(".SILENT").map_or((word.as_str(), false), |item| (item, true));
        let act = match item {
            "FLAGS" => StoreAct::Replace,
            "+FLAGS" => StoreAct::Add,
            "-FLAGS" => StoreAct::Remove,
            _ => return Err(self.bad("FLAGS, +FLAGS or -FLAGS is expected here")),
        };
        self.space()?;
        let flags = if self.peek() == Some(b'(') { self.flags()? } else { self.bare_flags()? };
        Ok(Store { by_uid, set, unchanged_since, act, is_silent, flags })
    }

    /// `flag *(SP flag)`, without parentheses.
    fn bare_flags(&mut self) -> Result<Vec<Flag>, Refusal> {
        let mut flags = Vec::new();
        loop {
            flags.extend(self.flag()?);
            if flags.len() > self.limits.list_items {
                return Err(self.too_much("Too many flags"));
            }
            if !self.skip(b' ') || self.peek().is_none() {
                return Ok(flags);
            }
        }
    }
}
