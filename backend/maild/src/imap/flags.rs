//! Flags on the wire, written often: the same bits look the same, so they are spelled out once.

use std::collections::HashMap;

use relais_store::View;

/// Spells flags of one mailbox.
#[derive(Debug)]
pub(super) struct FlagWriter<'a> {
    view: &'a View,
    spelled: HashMap<u64, Vec<u8>>,
}

impl<'a> FlagWriter<'a> {
    /// More spellings than this aren't kept.
    const KEPT: usize = 256;
    /// Where `\Recent` stands among the bits; the database uses 0 to 62.
    const RECENT: u64 = 1 << 63;

    pub(super) fn new(view: &'a View) -> Self {
        Self { view, spelled: HashMap::new() }
    }

    /// `(\Seen $Junk)` for the bits of a row.
    pub(super) fn spell(&mut self, bits: u64, is_recent: bool) -> &[u8] {
        let key = if is_recent { bits | Self::RECENT } else { bits };
        if self.spelled.len() >= Self::KEPT && !self.spelled.contains_key(&key) {
            self.spelled.clear();
        }
        self.spelled.entry(key).or_insert_with(|| {
            let flags = self.view.flags_of(bits);
            let names = flags.iter().map(ToString::to_string).chain(is_recent.then(|| "\\Recent".to_owned()));
            format!("({})", names.collect::<Vec<_>>().join(" ")).into_bytes()
        })
    }
}
