//! What the index keeps of a message: its words, each with where it stands.
//!
//! Where people look, each word has its position, too: words in a row have positions in a row, also over HTML's tags, and a field or a text
//! never goes on where the one before it ended. A word that stands twice, with its accents and without, stands both times at one position.

use std::collections::HashSet;

use relais_message::{
    ContentType, Disposition, Part, Searched, Structure, decode_entities, decode_header_value, each_searched, fold,
    searchable, text_of,
};

use crate::words::{each_word, without_accents};

/// So much text of one message is read; a message with more is looked at itself whenever somebody searches.
const MAX_TEXT_OCTETS: usize = 4 << 20;

/// Where a word stands. The number is a term's first octet in the files of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Place {
    /// Subject.
    Subject = 1,
    /// From.
    From = 2,
    /// To.
    To = 3,
    /// Cc.
    Cc = 4,
    /// Any other field, and every field's name.
    Field = 5,
    /// Text that is shown.
    Text = 6,
    /// HTML that isn't.
    Markup = 7,
    /// What people see and IMAP's searches don't: text without its accents, character references, files and their names.
    Shown = 8,
    /// Subject, without accents.
    PlainSubject = 9,
    /// From, without accents.
    PlainFrom = 10,
    /// To, without accents.
    PlainTo = 11,
    /// Cc, without accents.
    PlainCc = 12,
    /// The name of a file.
    FileName = 13,
    /// Facts that are no words: [`HAS_FILE`].
    Fact = 14,
}

/// There is a part that is an attachment, or a message inside.
pub(crate) const HAS_FILE: &str = "FILE";

/// A set of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places(u16);

impl Places {
    /// BODY (RFC 9051 §6.4.4): texts as they stand.
    pub const BODY: Self = Self::of(&[Place::Text, Place::Markup]);
    /// TEXT: headers and texts as they stand.
    pub const TEXT: Self =
        Self::of(&[Place::Subject, Place::From, Place::To, Place::Cc, Place::Field, Place::Text, Place::Markup]);
    /// SUBJECT.
    pub const SUBJECT: Self = Self::of(&[Place::Subject]);
    /// FROM.
    pub const FROM: Self = Self::of(&[Place::From]);
    /// TO.
    pub const TO: Self = Self::of(&[Place::To]);
    /// CC.
    pub const CC: Self = Self::of(&[Place::Cc]);
    /// HEADER with any other name: who has the words in one of these may have them in that field.
    pub const FIELDS: Self = Self::of(&[Place::Field]);
    /// The subject, as people look for it.
    pub const SEEN_SUBJECT: Self = Self::of(&[Place::Subject, Place::PlainSubject]);
    /// The author, as people look for them.
    pub const SEEN_FROM: Self = Self::of(&[Place::From, Place::PlainFrom]);
    /// Recipients, as people look for them.
    pub const SEEN_TO: Self = Self::of(&[Place::To, Place::PlainTo]);
    /// Who else got it, as people look for them.
    pub const SEEN_CC: Self = Self::of(&[Place::Cc, Place::PlainCc]);
    /// The text and its files, as people look for them.
    pub const SEEN_BODY: Self = Self::of(&[Place::Text, Place::Shown]);
    /// Names of files.
    pub const FILE_NAME: Self = Self::of(&[Place::FileName]);
    /// Facts of a message.
    pub(crate) const FACT: Self = Self::of(&[Place::Fact]);
    /// Where words have positions. Whatever else is looked through has none: nobody looks there for words in a row but IMAP, that reads.
    const POSITIONED: Self = Self(Self::SEEN.0 | Self::FILE_NAME.0);
    /// All that people see.
    pub const SEEN: Self =
        Self(Self::SEEN_SUBJECT.0 | Self::SEEN_FROM.0 | Self::SEEN_TO.0 | Self::SEEN_CC.0 | Self::SEEN_BODY.0);

    const fn of(places: &[Place]) -> Self {
        let (mut set, mut rest) = (0, places);
        while let [first, others @ ..] = rest {
            set |= 1 << (*first as u8);
            rest = others;
        }
        Self(set)
    }

    /// Whether a term of this place is among them.
    pub(crate) const fn hold(self, place: u8) -> bool {
        place < 16 && self.0 >> place & 1 == 1
    }

    /// Those of them where words have positions.
    pub(crate) const fn positioned(self) -> Self {
        Self(self.0 & Self::POSITIONED.0)
    }

    /// Those of them where they have none.
    pub(crate) const fn unpositioned(self) -> Self {
        Self(self.0 & !Self::POSITIONED.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Place {
    /// Where words of this place stand once more without their accents.
    const fn plain(self) -> Option<Self> {
        match self {
            Self::Subject => Some(Self::PlainSubject),
            Self::From => Some(Self::PlainFrom),
            Self::To => Some(Self::PlainTo),
            Self::Cc => Some(Self::PlainCc),
            Self::Text | Self::Shown => Some(Self::Shown),
            Self::FileName => Some(Self::FileName),
            _ => None,
        }
    }
}

/// Shows `visit` the words of a message, each with its position where it has one, and tells whether these are all. Positions never fall.
pub(crate) fn each_term(raw: &[u8], visit: &mut dyn FnMut(Place, Option<u32>, &str)) -> bool {
    let structure = Structure::read(raw);
    let mut reader = Reader { raw, left: MAX_TEXT_OCTETS, position: 0, visit };
    each_searched(raw, &structure, &mut |searched| match searched {
        Searched::Field { field, is_own } => {
            reader.words(Place::Field, &String::from_utf8_lossy(field.name));
            let own = [("Subject", Place::Subject), ("From", Place::From), ("To", Place::To), ("Cc", Place::Cc)];
            let named = own.iter().find(|(name, _)| is_own && field.is(name));
            reader.words(named.map_or(Place::Field, |(_, place)| *place), &searchable(&field));
            if let Some(name) = file_name(&field) {
                reader.words(Place::Shown, &name);
                reader.words(Place::FileName, &name);
            }
        }
        Searched::Text { text, is_html: false } => reader.words(Place::Text, &text),
        Searched::Text { text, is_html: true } => reader.html(&text),
        Searched::File(part) => reader.file(part),
    });
    let is_whole = reader.left > 0;
    let mut has_file = false;
    structure.root.walk(&mut |part| has_file |= is_file(part, raw));
    if has_file {
        visit(Place::Fact, None, HAS_FILE);
    }
    is_whole
}

/// Whether a part counts as a file: as the lists of the webmail see it.
fn is_file(part: &Part, raw: &[u8]) -> bool {
    let header = raw.get(part.header.clone()).unwrap_or_default();
    part.message().is_some()
        || relais_message::fields(header).any(|field| {
            field.is("Content-Disposition")
                && Disposition::read(&field.unfolded()).is_some_and(|said| said.is("attachment"))
        })
}

struct Reader<'a, 'b> {
    raw: &'a [u8],
    /// Octets of text that may still be read.
    left: usize,
    /// Of the next word.
    position: u32,
    visit: &'b mut dyn FnMut(Place, Option<u32>, &str),
}

impl Reader<'_, '_> {
    /// The words of a text that nothing goes before.
    fn words(&mut self, place: Place, text: &str) {
        self.position = self.position.saturating_add(1);
        self.go_on(place, text);
    }

    /// The words of a text that goes on where the last one ended.
    fn go_on(&mut self, place: Place, text: &str) {
        let text = self.take(text);
        each_word(&fold(text), &mut |word| self.word(place, word));
    }

    /// As much of a text as may still be read.
    fn take<'t>(&mut self, text: &'t str) -> &'t str {
        let end = text.floor_char_boundary(self.left.min(text.len()));
        self.left -= end;
        if end < text.len() {
            self.left = 0;
        }
        text.get(..end).unwrap_or_default()
    }

    fn word(&mut self, place: Place, word: &str) {
        let has_position = Places::POSITIONED.hold(place as u8);
        let position = has_position.then_some(self.position);
        (self.visit)(place, position, word);
        if let Some(plain) = place.plain()
            && let Some(text) = without_accents(word)
        {
            (self.visit)(plain, position, &text);
        }
        self.position = self.position.saturating_add(u32::from(has_position));
    }

    /// What is between the tags is text, what is in them is not. A word never goes over a tag's end, for that parts words.
    fn html(&mut self, source: &str) {
        self.position = self.position.saturating_add(1);
        let mut rest = source;
        while !rest.is_empty() && self.left > 0 {
            let tag = tag_start(rest);
            let (text, behind) = rest.split_at_checked(tag.unwrap_or(rest.len())).unwrap_or((rest, ""));
            if text.contains('&') {
                self.references(text);
            } else {
                self.go_on(Place::Text, text);
            }
            let (markup, behind) = behind.split_at_checked(markup_octets(behind)).unwrap_or((behind, ""));
            self.go_on(Place::Markup, markup);
            rest = behind;
        }
    }

    /// Text with `&uuml;` and the like. Its source is as markup is: IMAP looks there, people don't. What is shown is what they see; which of
    /// its words stand in the source, too, are text.
    fn references(&mut self, text: &str) {
        let text = self.take(text);
        let mut as_it_stands = HashSet::new();
        each_word(&fold(text), &mut |word| {
            as_it_stands.insert(word.to_owned());
            self.word(Place::Markup, word);
        });
        let mut decoded = String::with_capacity(text.len());
        decode_entities(text, &mut decoded);
        each_word(&fold(&decoded), &mut |word| {
            self.word(if as_it_stands.contains(word) { Place::Text } else { Place::Shown }, word);
        });
    }

    fn file(&mut self, part: &Part) {
        if is_written(part, self.raw) {
            let text = text_of(self.raw, part);
            self.words(Place::Shown, &text);
        }
    }
}

/// Where the next tag begins, or comment, or declaration.
pub(crate) fn tag_start(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find('<')?;
        let next = text.as_bytes().get(at + 1)?;
        if next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?') {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Octets of what begins here and isn't shown: a tag, a comment, or all of a style or script.
pub(crate) fn markup_octets(text: &str) -> usize {
    let until = |end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    if text.starts_with("<!--") {
        return until("-->");
    }
    let hidden = ["style", "script"].into_iter().find(|name| {
        let named = text.get(1..=name.len());
        named.is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    match hidden {
        Some(name) => end_tag(text, name).unwrap_or(text.len()),
        None => until(">"),
    }
}

/// Where the element of this name ends. No more than what is before it is looked at: a page may have a style behind each word.
fn end_tag(text: &str, name: &str) -> Option<usize> {
    let is_its = |at: usize| text.get(at..at + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
    text.match_indices("</").map(|(at, _)| at).find(|at| is_its(at + 2))
}

/// The name that a part's field gives to a file.
fn file_name(field: &relais_message::Field<'_>) -> Option<String> {
    let value = field.unfolded();
    let name = if field.is("Content-Disposition") {
        Disposition::read(&value)?.parameter("filename")?.to_vec()
    } else if field.is("Content-Type") {
        ContentType::read(&value)?.parameter("name")?.to_vec()
    } else {
        return None;
    };
    Some(decode_header_value(&name))
}

/// Whether this file is text of a type that nobody knows: its name says so.
fn is_written(part: &Part, raw: &[u8]) -> bool {
    let Some(kind) = &part.content_type else { return false };
    let endings = [".txt", ".csv", ".md", ".log", ".json", ".xml", ".yaml", ".yml", ".ics", ".vcf", ".tsv", ".ini"];
    let header = raw.get(part.header.clone()).unwrap_or_default();
    kind.is("application", "octet-stream")
        && relais_message::fields(header).filter_map(|field| file_name(&field)).any(|name| {
            let name = name.to_ascii_lowercase();
            endings.iter().any(|ending| name.ends_with(ending))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(raw: &str, place: Place) -> Vec<String> {
        let mut words = Vec::new();
        assert!(each_term(raw.as_bytes(), &mut |at, _, word| {
            if at == place {
                words.push(word.to_owned());
            }
        }));
        words
    }

    const LETTER: &str = "From: =?utf-8?q?J=C3=B6rg?= <joerg@x.example>\r\nSubject: Caf\u{e9}\r\nX-Mailer: quill\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
        <style>p{color:red}</style><p class=\"big\">Gr&uuml;sse 3 < 5 na\u{ef}ve<!-- note --></p>\r\n--b\r\n\
        Content-Type: application/json; name=\"facts.json\"\r\n\r\n{\"answer\": \"forty\"}\r\n--b\r\n\
        Content-Type: image/png; name=\"photo.png\"\r\n\r\noctets\r\n--b--\r\n";

    #[test]
    fn words_are_known_by_where_they_stand() {
        assert_eq!(words_of(LETTER, Place::From), ["JO\u{308}RG", "JOERG", "X", "EXAMPLE"]);
        assert_eq!(words_of(LETTER, Place::PlainFrom), ["JORG"]);
        assert_eq!(words_of(LETTER, Place::Subject), ["CAFE\u{301}"]);
        assert_eq!(words_of(LETTER, Place::PlainSubject), ["CAFE"]);
        assert_eq!(words_of(LETTER, Place::Text), ["3", "5", "NAI\u{308}VE", "ANSWER", "FORTY"]);
        let markup = words_of(LETTER, Place::Markup);
        // Source that isn't what is shown is markup, too.
        let expected =
            "STYLE P COLOR RED STYLE P CLASS BIG GR UUML SSE 3 5 NAI\u{308}VE NOTE P".split(' ').collect::<Vec<_>>();
        assert_eq!(markup, expected);
        let shown = words_of(LETTER, Place::Shown);
        for word in ["GRU\u{308}SSE", "GRUSSE", "NAIVE", "FACTS", "PHOTO"] {
            assert!(shown.iter().any(|shown| shown == word), "{word} in {shown:?}");
        }
        assert!(!shown.iter().any(|word| word == "OCTETS"));
    }

    #[test]
    fn styles_and_scripts_end_in_any_case() {
        for (text, hidden) in [
            ("<style>a</STYLE>b", "<style>a"),
            ("<Script>x</scr</é></sCRIPT >b", "<Script>x</scr</é>"),
            ("<style>a</styl", "<style>a</styl"),
            ("<b>a</b>", "<b>"),
        ] {
            assert_eq!(text.get(..markup_octets(text)), Some(hidden), "{text}");
        }
        let page = format!("Content-Type: text/html\r\n\r\n{}", "<style></STYLE>word ".repeat(50_000));
        assert_eq!(words_of(&page, Place::Text).len(), 50_000);
    }

    #[test]
    fn a_message_with_too_much_text_is_known_as_such() {
        let raw = format!("Subject: x\r\n\r\n{}", "word ".repeat(MAX_TEXT_OCTETS / 4));
        assert!(!each_term(raw.as_bytes(), &mut |_, _, _| ()));
    }

    /// Words in a row have positions in a row, whatever tags, references and accents are between them; and never those of two texts.
    #[test]
    fn words_have_positions() {
        let raw = "Subject: one two\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
            two <b title=\"no\">caf&eacute;s</b>&nbsp;f\u{fc}r<br>all";
        let mut seen = Vec::new();
        assert!(each_term(raw.as_bytes(), &mut |place, position, word| {
            assert_eq!(position.is_some(), Places::POSITIONED.hold(place as u8), "{place:?}");
            seen.extend(position.map(|position| (position, word.to_owned())));
        }));
        assert!(seen.is_sorted_by_key(|(position, _)| *position), "{seen:?}");
        let first = seen.iter().find(|(_, word)| word == "ALL").map(|(position, _)| position - 3).unwrap();
        for (word, offset) in [("TWO", 0), ("CAFE\u{301}S", 1), ("CAFES", 1), ("FU\u{308}R", 2), ("FUR", 2)] {
            assert!(seen.contains(&(first + offset, word.to_owned())), "{word} in {seen:?}");
        }
        let subject: Vec<u32> = seen.iter().take(2).map(|(position, _)| *position).collect();
        assert!(subject[0] + 1 == subject[1] && subject[1] + 1 < first, "{seen:?}");
        assert!(!seen.iter().any(|(_, word)| word == "EACUTE"));
    }
}
