//! The part of a message that says why it was found.

use std::borrow::Cow;

use relais_message::{Searched, Structure, decode_entities, each_searched};

use crate::letter::{Place, markup_octets, tag_start};
use crate::likeness::Likeness;
use crate::words::{plain, runs_of};

/// Characters before the first word that was sought.
const BEFORE: usize = 40;
/// Characters of all.
const LENGTH: usize = 160;
/// So much of a text is looked through.
const MAX_OCTETS: usize = 256 * 1024;

/// So much of it is looked at around what was found, in octets: blanks are many in some.
const NEAR_OCTETS: usize = 1024;
/// Elements that don't part words, by their beginnings.
const INLINE: [&str; 14] =
    ["<b>", "</b>", "<i>", "</i>", "<a ", "</a>", "<em>", "</em>", "<spa", "</sp", "<str", "</st", "<fon", "</fo"];

/// A piece of a text, and whether it is what was sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpted {
    /// It.
    pub text: String,
    /// It is to be marked.
    pub is_sought: bool,
}

/// Words that are to be marked.
pub struct Marker {
    words: Vec<(String, Likeness)>,
}

impl std::fmt::Debug for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Marker").finish_non_exhaustive()
    }
}

impl Marker {
    /// Of the words of these texts.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = Vec::new();
        for text in texts {
            for (_, word) in runs_of(text) {
                let plain = plain(word);
                let likeness = Likeness::of(&plain, true);
                words.push((plain, likeness));
            }
        }
        Self { words }
    }

    /// Where the message speaks of them first; none where its texts don't.
    pub fn excerpt(&self, raw: &[u8]) -> Option<Vec<Excerpted>> {
        if self.words.is_empty() {
            return None;
        }
        let structure = Structure::read(raw);
        let mut excerpt = None;
        each_searched(raw, &structure, &mut |searched| {
            if let Searched::Text { text, is_html } = searched
                && excerpt.is_none()
            {
                let end = text.floor_char_boundary(MAX_OCTETS.min(text.len()));
                let text = text.get(..end).unwrap_or_default();
                let text = if is_html { Cow::Owned(of_page(text)) } else { Cow::Borrowed(text) };
                excerpt = self.around_first(&text);
            }
        });
        excerpt
    }

    /// A text in pieces, with the words marked.
    pub fn mark(&self, text: &str) -> Vec<Excerpted> {
        let mut pieces: Vec<Excerpted> = Vec::new();
        let mut put = |text: &str, is_sought: bool| match pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.is_sought == is_sought => last.text.push_str(text),
            _ => pieces.push(Excerpted { text: text.to_owned(), is_sought }),
        };
        let mut done = 0;
        for (at, word) in runs_of(text) {
            if let Some((from, to)) = self.sought_in(word) {
                put(text.get(done..at + from).unwrap_or_default(), false);
                put(text.get(at + from..at + to).unwrap_or_default(), true);
                done = at + to;
            }
        }
        put(text.get(done..).unwrap_or_default(), false);
        pieces
    }

    fn around_first(&self, text: &str) -> Option<Vec<Excerpted>> {
        let (at, _) = runs_of(text).find(|(_, word)| self.sought_in(word).is_some())?;
        let near = text.floor_char_boundary(at.saturating_sub(NEAR_OCTETS));
        // Not in the middle of a word, where there are words.
        let near = match text.get(near..at)?.find(char::is_whitespace) {
            Some(blank) if near > 0 => near + blank,
            _ => near,
        };
        let end = text.floor_char_boundary((at + NEAR_OCTETS).min(text.len()));
        let is_cut = !text.get(..near)?.trim_end().is_empty();
        // It begins with a word, so that what stands behind ends as the whole does.
        let behind = one_line(text.get(at..end)?);
        let text = one_line(text.get(near..end)?);
        let at = text.len() - behind.len();
        let before = text.get(..at)?.char_indices().rev().nth(BEFORE).map(|(start, _)| start);
        // Not in the middle of a word.
        let start = before
            .map_or(0, |start| text.get(start..at).and_then(|cut| cut.find(' ')).map_or(at, |blank| start + blank + 1));
        let rest = text.get(start..)?;
        let end = rest.char_indices().nth(LENGTH).map_or(rest.len(), |(end, _)| end);
        let mut pieces = self.mark(rest.get(..end)?);
        if (is_cut || start > 0)
            && let Some(first) = pieces.first_mut()
        {
            if first.is_sought {
                pieces.insert(0, Excerpted { text: "… ".to_owned(), is_sought: false });
            } else {
                first.text.insert_str(0, "… ");
            }
        }
        Some(pieces)
    }

    /// Which part of a word is sought: all of it, or of a script without blanks what stands there.
    fn sought_in(&self, word: &str) -> Option<(usize, usize)> {
        if !self.words.iter().any(|(_, likeness)| likeness.may_be(word)) {
            return None;
        }
        let folded = plain(word);
        let mut term = vec![Place::Text as u8];
        term.extend_from_slice(folded.as_bytes());
        let (sought, _) = self.words.iter().find(|(_, likeness)| likeness.score(&term).is_some())?;
        // Where folding kept the octets' places, the part that was asked for; else the word.
        let at = word.to_uppercase().find(sought.as_str()).filter(|_| word.to_uppercase().len() == word.len());
        match at {
            Some(at) if word.is_char_boundary(at) && word.is_char_boundary(at + sought.len()) => {
                Some((at, at + sought.len()))
            }
            _ => Some((0, word.len())),
        }
    }
}

/// A page's text, with a blank for what parts it.
fn of_page(page: &str) -> String {
    let mut text = String::with_capacity(page.len().min(64 * 1024));
    let mut rest = page;
    while !rest.is_empty() {
        let tag = tag_start(rest).unwrap_or(rest.len());
        let (between, behind) = rest.split_at_checked(tag).unwrap_or((rest, ""));
        decode_entities(between, &mut text);
        let (markup, behind) = behind.split_at_checked(markup_octets(behind)).unwrap_or((behind, ""));
        if !INLINE.iter().any(|tag| markup.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))) {
            text.push(' ');
        }
        rest = behind;
    }
    text
}

/// A text as it is read: its blanks and line ends one blank each.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[Excerpted]) -> String {
        pieces
            .iter()
            .map(|piece| if piece.is_sought { format!("[{}]", piece.text) } else { piece.text.clone() })
            .collect()
    }

    #[test]
    fn words_are_marked_as_they_were_found() {
        let check = |sought: &str, text: &str, expected: &str| {
            assert_eq!(written(&Marker::new([sought]).mark(text)), expected);
        };
        check("word", "Words, crosswords and wording.", "[Word]s, cross[word]s and [word]ing.");
        check("invoices", "Your invoice, please", "Your [invoice], please");
        check("cafe", "Le Café noir", "Le [Café] noir");
        check("日本", "これは日本語です", "これは[日本]語です");
        check("nowhere", "a < b", "a < b");
    }

    #[test]
    fn an_excerpt_begins_before_the_first_word_that_was_sought() {
        let raw = format!(
            "Subject: x\r\nContent-Type: text/html\r\n\r\n<style>needle</style><p>{}</p><p>and a nee<b>dle &amp; thread</b></p>",
            "hay ".repeat(40)
        );
        let excerpt = Marker::new(["needle"]).excerpt(raw.as_bytes()).unwrap();
        let text = written(&excerpt);
        assert!(text.starts_with("… ") && text.ends_with("and a [needle] & thread"), "{text}");
        assert!(text.chars().count() < LENGTH);
        let plain = |text: String| {
            let raw = format!("Subject: x\r\n\r\n{text}");
            written(&Marker::new(["needle"]).excerpt(raw.as_bytes()).unwrap())
        };
        // However far it is from the beginning; blanks are nothing that was left out, and no word is cut.
        assert_eq!(plain(format!("{}needle", " \r\n".repeat(700))), "[needle]");
        assert_eq!(plain(format!("{} {}needle", "h".repeat(50), " ".repeat(1000))), "… [needle]");
        let far = plain(format!("{}needle {}", "hay ".repeat(2000), "x ".repeat(2000)));
        assert!(
            far.starts_with("… hay ") && far.contains("hay [needle] x") && far.chars().count() <= LENGTH + 4,
            "{far}"
        );
        assert_eq!(Marker::new(["style"]).excerpt(raw.as_bytes()), None);
        assert_eq!(Marker::new(["?!"]).excerpt(raw.as_bytes()), None);
    }
}
