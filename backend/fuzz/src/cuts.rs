//! Where a session's input is cut: the same for the same input, so that a finding repeats itself.

/// Gives a session's input piece by piece, then nothing: the peer hangs up.
pub(crate) struct Pieces<'a> {
    rest: &'a [u8],
    state: u64,
    is_whole: bool,
}

impl<'a> Pieces<'a> {
    /// All at once.
    pub(crate) fn whole(input: &'a [u8]) -> Self {
        Self { rest: input, state: 0, is_whole: true }
    }

    /// In pieces of 1 to 16 octets, as the input itself has it.
    pub(crate) fn cut(input: &'a [u8]) -> Self {
        // FNV-1a: short, and every octet counts.
        let mix = |state: u64, octet: &u8| (state ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        Self { rest: input, state: input.iter().fold(0xcbf2_9ce4_8422_2325, mix), is_whole: false }
    }

    /// The next piece; empty at the end.
    pub(crate) fn next_piece(&mut self) -> &'a [u8] {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wanted = if self.is_whole { self.rest.len() } else { usize::from((self.state >> 60) as u8) + 1 };
        let (piece, rest) = self.rest.split_at(wanted.min(self.rest.len()));
        self.rest = rest;
        piece
    }
}
