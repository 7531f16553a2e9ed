//! The lexical tokens of RFC 5322 §3.2 that structured fields share, read leniently from one unfolded line.

/// A place in an unfolded value.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    pub(crate) fn bump(&mut self) -> Option<u8> {
        let octet = self.peek()?;
        self.at += 1;
        Some(octet)
    }

    /// Takes `octet` where it comes next.
    pub(crate) fn take(&mut self, octet: u8) -> bool {
        let is_next = self.peek() == Some(octet);
        if is_next {
            self.at += 1;
        }
        is_next
    }

    /// Everything up to the first octet that `ends`.
    pub(crate) fn until(&mut self, ends: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&octet| ends(octet)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Skips blanks and comments (RFC 5322 §3.2.2). The last comment's text, if there was one, replaces `comment`.
    /// True where anything was skipped.
    pub(crate) fn skip_cfws(&mut self, comment: &mut Vec<u8>) -> bool {
        let from = self.at;
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'(') => self.comment(comment),
                _ => return self.at > from,
            }
        }
    }

    /// Comments nest; the outer one's text is kept without its parentheses and backslashes.
    fn comment(&mut self, text: &mut Vec<u8>) {
        text.clear();
        let mut depth = 0_u32;
        while let Some(octet) = self.bump() {
            match octet {
                b'(' => {
                    depth += 1;
                    if depth > 1 {
                        text.push(octet);
                    }
                }
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                    text.push(octet);
                }
                b'\\' => text.extend(self.bump()),
                octet => text.push(octet),
            }
        }
    }

    /// A quoted-string's content, onto `text`; the opening quote comes next. An open one ends with the value.
    pub(crate) fn quoted(&mut self, text: &mut Vec<u8>) {
        self.at += 1;
        while let Some(octet) = self.bump() {
            match octet {
                b'"' => return,
                b'\\' => text.extend(self.bump()),
                octet => text.push(octet),
            }
        }
    }
}
