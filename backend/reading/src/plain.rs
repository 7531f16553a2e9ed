//! Plain text as people read it: paragraphs, quotes that can be folded, links (RFC 3676 where the author's program says so).

use url::Url;

use crate::link::Doubtful;

/// Spans of one message: beyond, lines have no links any more.
const MAX_LINKS: usize = 2000;
/// Levels of quoting that are told apart.
const MAX_LEVEL: usize = 8;
/// A quote of more lines is folded wherever it stands.
const LONG_QUOTE: usize = 20;
/// Octets of a link.
const MAX_LINK_OCTETS: usize = 2000;

/// Lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    /// What stands in it.
    pub kind: Kind,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// What a paragraph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The author's own words.
    Own,
    /// Somebody else's, to be seen.
    Quote,
    /// Somebody else's, which everybody knows already.
    Folded,
    /// Behind `-- ` (RFC 3676 §4.3).
    Signature,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How often it is quoted, at most 8; 0 for the author's own.
    pub level: usize,
    /// Its text in pieces.
    pub spans: Vec<Span>,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// As it is read.
    pub text: String,
    /// Where it leads: `https:`, `http:` or `mailto:`; empty for text alone.
    pub href: String,
    /// Why it should be looked at twice; none: it needn't.
    pub doubtful: Option<Doubtful>,
}

impl Paragraph {
    /// Its links that should be looked at twice.
    pub fn doubtful(&self) -> impl Iterator<Item = &Doubtful> {
        self.lines.iter().flat_map(|line| &line.spans).filter_map(|span| span.doubtful.as_ref())
    }
}

/// Puts lines together. A quote at the end is folded, and a long one anywhere; one that is answered stands open.
pub fn paragraphs(text: &str) -> Vec<Paragraph> {
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    let mut links = 0;
    let mut is_signature = false;
    for line in text.trim_end().split('\n') {
        let (level, rest) = quoted(line);
        is_signature |= line == "-- ";
        let kind = match level {
            0 if is_signature => Kind::Signature,
            0 => Kind::Own,
            _ => Kind::Quote,
        };
        let spans = spans(rest, &mut links);
        let line = Line { level: level.min(MAX_LEVEL), spans };
        match paragraphs.last_mut() {
            Some(last) if last.kind == kind => last.lines.push(line),
            _ => paragraphs.push(Paragraph { kind, lines: vec![line] }),
        }
    }
    let is_blank = |paragraph: &Paragraph| {
        paragraph.lines.iter().all(|line| line.spans.iter().all(|span| span.text.trim().is_empty()))
    };
    let has_own = paragraphs.iter().any(|paragraph| paragraph.kind == Kind::Own && !is_blank(paragraph));
    let mut is_last = true;
    for paragraph in paragraphs.iter_mut().rev() {
        if paragraph.kind == Kind::Quote && has_own && (is_last || paragraph.lines.len() > LONG_QUOTE) {
            paragraph.kind = Kind::Folded;
        }
        is_last &= paragraph.kind != Kind::Own || is_blank(paragraph);
    }
    paragraphs
}

/// How often a line is quoted, and what is.
fn quoted(line: &str) -> (usize, &str) {
    let (mut level, mut rest) = (0, line);
    while let Some(inner) = rest.strip_prefix('>') {
        level += 1;
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    (level, rest)
}

fn spans(line: &str, links: &mut usize) -> Vec<Span> {
    let plain = |text: &str| Span { text: text.to_owned(), href: String::new(), doubtful: None };
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some((from, to, href)) = (*links < MAX_LINKS).then(|| next_link(line, at)).flatten() {
        if start < from {
            found.push(plain(line.get(start..from).unwrap_or_default()));
        }
        let text = line.get(from..to).unwrap_or_default().to_owned();
        let doubtful = Url::parse(&href).ok().and_then(|url| Doubtful::of(&url, &text));
        found.push(Span { text, href, doubtful });
        (start, at) = (to, to);
        *links += 1;
    }
    if start < line.len() || found.is_empty() {
        found.push(plain(line.get(start..).unwrap_or_default()));
    }
    found
}

/// The next address of the web, or of mail, from `at` on: its range, and where it leads.
fn next_link(line: &str, at: usize) -> Option<(usize, usize, String)> {
    let mut words = words(line, at);
    words.find_map(|(from, word)| {
        let lead = word.len() - word.trim_start_matches(['<', '(', '[', '"', '\'']).len();
        let (from, word) = (from + lead, word.get(lead..)?);
        let word = word.get(..word.find(['<', '>', '"']).unwrap_or(word.len()))?;
        let mut word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ']', '*']);
        // A bracket that was opened inside belongs to it.
        while word.ends_with(')') && word.matches(')').count() > word.matches('(').count() {
            word = word.strip_suffix(')').unwrap_or(word).trim_end_matches(['.', ',']);
        }
        href(word).map(|href| (from, from + word.len(), href))
    })
}

fn words(line: &str, at: usize) -> impl Iterator<Item = (usize, &str)> {
    let rest = line.get(at..).unwrap_or_default();
    let mut from = at;
    rest.split_inclusive(char::is_whitespace).map(move |piece| {
        let start = from;
        from += piece.len();
        (start, piece.trim_end())
    })
}

fn href(word: &str) -> Option<String> {
    if word.len() > MAX_LINK_OCTETS {
        return None;
    }
    let has = |scheme: &str| word.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if has("https://") || has("http://") {
        return Url::parse(word).ok().filter(Url::has_host).map(String::from);
    }
    if has("www.") {
        return Url::parse(&format!("https://{word}")).ok().map(String::from);
    }
    let address = word.get(..7).filter(|_| has("mailto:")).map_or(word, |_| word.get(7..).unwrap_or_default());
    if address.contains('@') && relais_model::Address::parse(address).is_ok() {
        return Some(format!("mailto:{address}"));
    }
    None
}

/// RFC 3676 §4.1: lines that end in a space go on in the next of the same level; a space before a line is stuffing.
pub fn unflow(text: &str, deletes_space: bool) -> String {
    let mut unflowed = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        let (level, rest) = flowed_quote(line);
        if open.is_some_and(|before| before != level || line == "-- ") {
            unflowed.push('\n');
            open = None;
        }
        if open.is_none() {
            unflowed.extend(std::iter::repeat_n('>', level));
            if level > 0 {
                unflowed.push(' ');
            }
        }
        let flows = rest.ends_with(' ') && rest != "-- ";
        unflowed.push_str(if flows && deletes_space { rest.get(..rest.len() - 1).unwrap_or(rest) } else { rest });
        if flows {
            open = Some(level);
        } else {
            unflowed.push('\n');
            open = None;
        }
    }
    unflowed.truncate(unflowed.trim_end_matches('\n').len());
    unflowed.push('\n');
    unflowed
}

fn flowed_quote(line: &str) -> (usize, &str) {
    let rest = line.trim_start_matches('>');
    (line.len() - rest.len(), rest.strip_prefix(' ').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Doubt;

    fn kinds(text: &str) -> Vec<(Kind, usize)> {
        paragraphs(text).iter().map(|paragraph| (paragraph.kind, paragraph.lines.len())).collect()
    }

    #[test]
    fn quotes_are_folded_where_nobody_answers_them() {
        assert_eq!(kinds("Yes.\n\n> Shall we?\n> Soon?\n"), [(Kind::Own, 2), (Kind::Folded, 2)]);
        assert_eq!(kinds("> Shall we?\nYes.\n-- \nAnn"), [(Kind::Quote, 1), (Kind::Own, 1), (Kind::Signature, 2)]);
        assert_eq!(kinds("> All of it\n"), [(Kind::Quote, 1)], "a quote alone is what there is");
        let long = "> x\n".repeat(30);
        assert_eq!(
            kinds(&format!("A\n{long}B\n> y")),
            [(Kind::Own, 1), (Kind::Folded, 30), (Kind::Own, 1), (Kind::Folded, 1)]
        );
    }

    #[test]
    fn links_are_found_in_lines() {
        let check = |line: &str, expected: &[(&str, &str)]| {
            let mut count = 0;
            let found = spans(line, &mut count);
            let found: Vec<_> =
                found.iter().filter(|span| !span.href.is_empty()).map(|span| (&*span.text, &*span.href)).collect();
            assert_eq!(found, expected, "{line}");
            let whole: String = spans(line, &mut 0).iter().map(|span| span.text.as_str()).collect();
            assert_eq!(whole, line);
        };
        check("See https://x.example/a?b=c&d, or not.", &[("https://x.example/a?b=c&d", "https://x.example/a?b=c&d")]);
        check("(https://x.example/a_(b))", &[("https://x.example/a_(b)", "https://x.example/a_(b)")]);
        check("<HTTP://x.example>", &[("HTTP://x.example", "http://x.example/")]);
        check(
            "www.x.example and ann@x.example.",
            &[("www.x.example", "https://www.x.example/"), ("ann@x.example", "mailto:ann@x.example")],
        );
        check("javascript:alert(1) data:text/html,x file:///etc ftp://x.example", &[]);
        check("nothing here: a.b", &[]);
        check("", &[]);
    }

    /// As links of HTML are (`link`): an address that stands there as text can dress up as well.
    #[test]
    fn links_in_lines_are_judged() {
        let check = |line: &str, expected: &[(&str, &str, Doubt)]| {
            let paragraphs = paragraphs(line);
            let found: Vec<_> = paragraphs
                .iter()
                .flat_map(Paragraph::doubtful)
                .map(|link| (&*link.words, &*link.host, link.doubt))
                .collect();
            assert_eq!(found, expected, "{line}");
        };
        check(
            "Log in: https://bank.example@evil.example/x.",
            &[("https://bank.example@evil.example/x", "evil.example", Doubt::Disguised)],
        );
        check("www.bank.example@evil.example", &[("www.bank.example@evil.example", "evil.example", Doubt::Disguised)]);
        check("<http://192.0.2.1/x>", &[("http://192.0.2.1/x", "192.0.2.1", Doubt::Numeric)]);
        // A Cyrillic letter in a Latin name; quoted, and as the DNS has it.
        check("https://p\u{430}ypal.com/", &[("https://p\u{430}ypal.com/", "xn--pypal-4ve.com", Doubt::LookAlike)]);
        check(
            "> xn\n> https://xn--pypal-4ve.com",
            &[("https://xn--pypal-4ve.com", "xn--pypal-4ve.com", Doubt::LookAlike)],
        );
        check("https://x.example/a?b=c www.bank.com, ann@x.example and https://b\u{fc}cher.example/", &[]);
    }

    #[test]
    fn flowed_text_flows() {
        assert_eq!(unflow("a \nb\n c\n> d \n> e\n>> f\n-- \nme", false), "a b\nc\n> d e\n>> f\n-- \nme\n");
        assert_eq!(unflow("日 \n本", true), "日本\n");
    }
}
