//! What has come and isn't done with: commands and their literals, found line by line.

/// The octets, and how far they are understood.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) octets: Vec<u8>,
    /// Where in them the command begins.
    start: usize,
    /// Where its last line so far begins, from its beginning: after its last literal, whose octets may still be missing.
    line: usize,
    /// Up to where that line has been looked through for its end, from the command's beginning.
    seen: usize,
    /// Octets of its literals.
    literals: usize,
}

impl Inbox {
    pub(super) fn feed(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// The command so far.
    pub(super) fn pending(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }

    /// The same up to where a line ends.
    pub(super) fn up_to(&self, end: usize) -> &[u8] {
        self.pending().get(..end).unwrap_or_default()
    }

    /// The command's last line, which ends there.
    pub(super) fn last_line(&self, end: usize) -> &[u8] {
        self.pending().get(self.line..end).unwrap_or_default()
    }

    /// Octets up to the end of the command's current line, LF included; none: it isn't here yet.
    pub(super) fn find_line(&mut self) -> Option<usize> {
        let unseen = self.pending().get(self.seen..)?;
        if let Some(at) = memchr::memchr(b'\n', unseen) {
            return Some(self.seen + at + 1);
        }
        self.seen += unseen.len();
        None
    }

    /// [`Self::find_line`] for a line that stands alone, without its end.
    pub(super) fn take_line(&mut self, limit: usize) -> Line {
        match self.find_line() {
            Some(end) if end <= limit => {
                let line = without_line_end(self.up_to(end)).to_vec();
                self.consume(end);
                Line::Whole(line)
            }
            None if self.seen <= limit => Line::Missing,
            _ => Line::TooLong,
        }
    }

    /// Octets of the command's text up to its current line's end, or to what is here of it; its literals don't count.
    pub(super) fn text_octets(&self, end: Option<usize>) -> usize {
        end.unwrap_or(self.seen).saturating_sub(self.literals)
    }

    /// Octets of the command's literals.
    pub(super) const fn literals(&self) -> usize {
        self.literals
    }

    /// The command goes on behind a literal of so many octets, which is announced at the end of the line that ends at `end`.
    pub(super) const fn pass_literal(&mut self, end: usize, octets: usize) {
        self.literals += octets;
        self.line = end + octets;
        self.seen = self.line;
    }

    /// Done with so many octets of what is pending.
    pub(super) const fn consume(&mut self, octets: usize) {
        self.start += octets;
        self.line = 0;
        self.seen = 0;
        self.literals = 0;
    }

    /// Takes so many octets out of what is pending. The common case, that nothing else is here, isn't copied.
    pub(super) fn take(&mut self, octets: usize) -> Vec<u8> {
        if self.start == 0 && octets == self.octets.len() {
            return std::mem::take(&mut self.octets);
        }
        let taken = self.up_to(octets).to_vec();
        self.consume(octets);
        taken
    }

    /// Before waiting: gives back what isn't needed.
    pub(super) fn tidy(&mut self) {
        if self.start >= self.octets.len() {
            self.octets = Vec::new();
            self.start = 0;
        } else if self.start > 0 {
            self.octets.drain(..self.start);
            self.octets.shrink_to_fit();
            self.start = 0;
        }
    }
}

/// A line of a client that isn't a command.
pub(super) enum Line {
    /// Without its end.
    Whole(Vec<u8>),
    /// It isn't here yet.
    Missing,
    /// Past the limit.
    TooLong,
}

/// `{octets}` or `{octets+}` at a line's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) octets: u64,
    /// The client doesn't wait for leave (RFC 7888).
    pub(super) is_hasty: bool,
}

impl Announced {
    /// Octets of an announcement with its line's end.
    pub(super) const MAX_OCTETS: usize = 32;
}

/// The literal that a line announces. Braces belong to no atom, and a quoted string ends on its line: so what stands at a
/// line's end is an announcement or an error.
pub(super) fn announced(line: &[u8]) -> Option<Announced> {
    let text = without_line_end(line).strip_suffix(b"}")?;
    let (text, is_hasty) = text.strip_suffix(b"+").map_or((text, false), |text| (text, true));
    let at = text.iter().rposition(|octet| !octet.is_ascii_digit())?;
    let (before, digits) = text.split_at(at + 1);
    let is_announcement = before.ends_with(b"{") && !digits.is_empty();
    let octets = std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX);
    is_announcement.then_some(Announced { octets, is_hasty })
}

/// Deviates: LF alone ends a line, too, for people and scripts on `openssl s_client` and `nc`.
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
