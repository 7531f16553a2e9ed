//! Commands, as they are cut out of the octets (RFC 5804 §4).

use super::limit;

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Atom(String),
    /// Quoted or a literal.
    String(Vec<u8>),
    Number(u64),
}

impl Word {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::String(octets) => std::str::from_utf8(octets).ok(),
            _ => None,
        }
    }
}

/// What the octets hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// A whole command: its words, and how many octets it has.
    Whole(Vec<Word>, usize),
    /// A command that is none, of so many octets: what comes behind it can be read.
    Bad(usize),
    /// Nothing can be read any more.
    Lost(&'static str),
    /// There is more to come; not before there are so many octets need this be tried again.
    More(usize),
}

/// Cuts the first command out. `most` is what a literal may have.
pub(super) fn cut(octets: &[u8], most: usize) -> Cut {
    let mut words = Vec::new();
    let mut is_bad = false;
    let (mut at, mut literals) = (0, 0);
    loop {
        let line = octets.get(at..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'\n', line) else {
            return if at - literals + line.len() > limit::LINE_OCTETS {
                Cut::Lost("The line is too long")
            } else {
                Cut::More(octets.len() + 1)
            };
        };
        if at - literals + end > limit::LINE_OCTETS {
            return Cut::Lost("The line is too long");
        }
        let text = line.get(..end).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let literal = literal(text);
        let before = literal.map_or(text, |(before, _)| before);
        is_bad |= read_words(before, &mut words).is_none() || words.len() > limit::WORDS;
        at += end + 1;
        let Some((_, length)) = literal else {
            return if is_bad { Cut::Bad(at) } else { Cut::Whole(words, at) };
        };
        let Some(length) = length.filter(|length| *length <= most) else { return Cut::Lost("The literal is too long") };
        let Some(content) = octets.get(at..at + length) else { return Cut::More(at + length) };
        words.push(Word::String(content.to_vec()));
        at += length;
        literals += length;
        if words.len() > limit::WORDS {
            return Cut::Lost("The command has too many words");
        }
    }
}

/// `{123+}` at a line's end, and what stands before it. Deviates: `{123}` is taken, too, though a client must not say it so (§4).
fn literal(line: &[u8]) -> Option<(&[u8], Option<usize>)> {
    let inside = line.strip_suffix(b"}")?;
    let (before, digits) = inside.split_at_checked(memchr::memrchr(b'{', inside)?)?;
    let digits = digits.get(1..)?;
    let digits = std::str::from_utf8(digits.strip_suffix(b"+").unwrap_or(digits)).ok()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    // A brace within a quoted string is no literal.
    (is_number && is_outside_quotes(before)).then(|| (before, digits.parse().ok()))
}

fn is_outside_quotes(before: &[u8]) -> bool {
    let mut is_quoted = false;
    let mut octets = before.iter();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => {
                octets.next();
            }
            _ => {}
        }
    }
    !is_quoted
}

/// Words parted by blanks.
fn read_words(line: &[u8], words: &mut Vec<Word>) -> Option<()> {
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        let Some(first) = rest.first() else { return Some(()) };
        if *first == b'"' {
            let mut text = Vec::new();
            let mut at = 1;
            loop {
                match rest.get(at)? {
                    b'"' => break,
                    b'\\' => {
                        at += 1;
                        text.push(*rest.get(at).filter(|octet| matches!(octet, b'"' | b'\\'))?);
                    }
                    b'\0' => return None,
                    plain => text.push(*plain),
                }
                at += 1;
            }
            rest = rest.get(at + 1..)?;
            words.push(Word::String(text));
        } else {
            let end = rest.iter().position(|octet| matches!(octet, b' ' | b'\t' | b'"')).unwrap_or(rest.len());
            let (word, behind) = rest.split_at_checked(end)?;
            rest = behind;
            let text =
                std::str::from_utf8(word).ok().filter(|text| text.bytes().all(|octet| octet.is_ascii_graphic()))?;
            let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
            words.push(if is_number { Word::Number(text.parse().ok()?) } else { Word::Atom(text.to_owned()) });
        }
        // A word ends at a blank.
        if !matches!(rest.first(), None | Some(b' ' | b'\t')) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(text: &str) -> Word {
        Word::Atom(text.to_owned())
    }

    fn string(text: &str) -> Word {
        Word::String(text.as_bytes().to_vec())
    }

    #[test]
    fn commands_are_cut_out() {
        let most = 100;
        assert_eq!(cut(b"noop \"a\\\"b\"\r\nx", most), Cut::Whole(vec![atom("noop"), string("a\"b")], 13));
        assert_eq!(
            cut(b"P \"n\" {5+}\r\nke\r\np\r\nx", most),
            Cut::Whole(vec![atom("P"), string("n"), string("ke\r\np")], 19)
        );
        assert_eq!(cut(b"P {5+}\r\nkee", most), Cut::More(13));
        assert_eq!(cut(b"H \"n\" 12\n", most), Cut::Whole(vec![atom("H"), string("n"), Word::Number(12)], 9));
        assert_eq!(cut(b"P \"{5+}\r\n", most), Cut::Bad(9));
        assert_eq!(cut(b"P \"a\"b\r\n", most), Cut::Bad(8));
        assert_eq!(cut(b"P {101+}\r\n", most), Cut::Lost("The literal is too long"));
        assert_eq!(cut(&[b'x'; limit::LINE_OCTETS + 1], most), Cut::Lost("The line is too long"));
    }
}
