//! HTML as plain text: for answers, for the text beside HTML that goes out, and for what is too deep to be shown.
//!
//! Lines are lines, what is quoted has its `>` (RFC 3676 §4.5), items of lists their marks; a link whose words are others says where it leads.

use crate::html::{MAX_HTML_OCTETS, entities};

/// Quotes in quotes that are marked.
const MAX_QUOTES: usize = 10;
/// Octets of a tag in which quotes count.
const MAX_TAG_OCTETS: usize = 1000;
/// Octets of a link that is named.
const MAX_LINK_OCTETS: usize = 500;

/// The text of HTML, line by line.
pub fn text_of(html: &str) -> String {
    let end = html.floor_char_boundary(MAX_HTML_OCTETS.min(html.len()));
    let mut rest = html.get(..end).unwrap_or_default();
    let (mut text, mut nowhere) = (Text::default(), Vec::new());
    while let Some(at) = rest.find('<') {
        text.words(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let name_end = rest
            .get(1..)
            .and_then(|tag| tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '/'))
            .map_or(rest.len(), |end| end + 1);
        let name = rest.get(1..name_end).unwrap_or_default().to_ascii_lowercase();
        let end = match name.as_str() {
            "style" => Some("</style"),
            "script" => Some("</script"),
            "title" => Some("</title"),
            _ if rest.starts_with("<!--") => Some("-->"),
            _ => None,
        };
        let skipped = end.filter(|end| !nowhere.contains(end)).and_then(|end| {
            let found = find_ascii(rest, end);
            // It isn't looked for again: a thousand beginnings without an end would take a thousand times as long.
            nowhere.extend(found.is_none().then_some(end));
            found
        });
        rest = rest.get(skipped.unwrap_or(0)..).unwrap_or_default();
        let end = tag_end(rest).unwrap_or(rest.len());
        text.tag(&name, rest.get(..end).unwrap_or_default());
        rest = rest.get(end..).unwrap_or_default();
    }
    text.words(rest);
    text.end()
}

#[derive(Default)]
struct Text {
    written: String,
    /// Of the line that is being written: without marks of quotes.
    line: String,
    quotes: usize,
    is_preformatted: bool,
    /// The lists that are open: none for bullets, else the next number.
    lists: Vec<Option<u32>>,
    /// Where a link leads whose words began at that octet of the line.
    link: Option<(String, usize)>,
}

impl Text {
    fn tag(&mut self, name: &str, tag: &str) {
        match name {
            "br" => self.put_line(),
            "p" | "/p" | "div" | "/div" | "h1" | "/h1" | "h2" | "/h2" | "h3" | "/h3" | "h4" | "/h4" | "/table"
            | "/tr" | "/li" | "hr" => self.new_line(),
            "blockquote" | "/blockquote" => {
                self.new_line();
                self.quotes = if name == "blockquote" { self.quotes + 1 } else { self.quotes.saturating_sub(1) };
            }
            "pre" | "/pre" => {
                self.new_line();
                self.is_preformatted = name == "pre";
            }
            "ul" => self.lists.push(None),
            "ol" => self.lists.push(Some(1)),
            "/ul" | "/ol" => {
                self.new_line();
                self.lists.pop();
            }
            "li" => {
                self.new_line();
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.line.push_str(&mark);
            }
            "td" | "th" if !self.line.is_empty() && !self.line.ends_with(' ') => self.line.push(' '),
            "a" => self.link = attribute(tag, "href").map(|href| (href, self.line.len())),
            "/a" => self.link_ends(),
            "img" => self.words(&attribute(tag, "alt").map(|alt| alt.replace('<', "&lt;")).unwrap_or_default()),
            _ => {}
        }
    }

    /// Where its words don't say it themselves.
    fn link_ends(&mut self) {
        let Some((href, from)) = self.link.take() else { return };
        let words = self.line.get(from..).unwrap_or_default().trim();
        let bare = href.trim_start_matches("mailto:").trim_start_matches("https://").trim_start_matches("http://");
        let says_it = words.contains(bare.trim_end_matches('/')) || words.is_empty() || from > self.line.len();
        let is_known = href.starts_with("http") || href.starts_with("mailto:");
        if is_known && !says_it && href.len() <= MAX_LINK_OCTETS {
            self.line.push_str(" <");
            self.line.push_str(href.trim_start_matches("mailto:"));
            self.line.push('>');
        }
    }

    /// White space is one space, as browsers show it.
    fn words(&mut self, html: &str) {
        let decoded = entities(html);
        if self.is_preformatted {
            for (at, line) in decoded.split('\n').enumerate() {
                if at > 0 {
                    self.put_line();
                }
                self.line.push_str(line.trim_end_matches('\r'));
            }
            return;
        }
        for piece in decoded.split_inclusive(is_space) {
            let word = piece.trim_end_matches(is_space);
            self.line.push_str(word);
            if word.len() < piece.len() && !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
        }
    }

    fn new_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.put_line();
        }
        self.line.clear();
    }

    /// Two empty lines are one.
    fn put_line(&mut self) {
        let marks = ">".repeat(self.quotes.min(MAX_QUOTES));
        let line = std::mem::take(&mut self.line);
        let line = line.trim_end();
        self.link = None;
        let whole =
            if marks.is_empty() || line.is_empty() { format!("{marks}{line}") } else { format!("{marks} {line}") };
        if !(whole.is_empty() && (self.written.is_empty() || self.written.ends_with("\n\n"))) {
            self.written.push_str(&whole);
            self.written.push('\n');
        }
    }

    fn end(mut self) -> String {
        self.new_line();
        self.written.trim_matches('\n').to_owned()
    }
}

/// A space that holds words together is none.
fn is_space(character: char) -> bool {
    character.is_whitespace() && character != '\u{a0}'
}

/// Behind `>`, whatever stands in quotes; where they never end, behind the first.
fn tag_end(rest: &str) -> Option<usize> {
    let mut open = None;
    for (at, octet) in rest.bytes().enumerate().take(MAX_TAG_OCTETS) {
        match (octet, open) {
            (b'"' | b'\'', None) => open = Some(octet),
            (quote, Some(begun)) if quote == begun => open = None,
            (b'>', None) => return Some(at + 1),
            _ => {}
        }
    }
    rest.find('>').map(|at| at + 1)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = find_ascii(tag, &format!(" {name}="))? + name.len() + 2;
    let value = tag.get(start..)?;
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next()?,
        _ => value.split([' ', '>']).next()?,
    };
    Some(entities(value))
}

fn find_ascii(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes().windows(wanted.len()).position(|octets| octets.eq_ignore_ascii_case(wanted.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(text_of(html), expected, "{html}");
    }

    #[test]
    fn text_is_what_is_left() {
        check("<style>x</style><p>A&amp;B\n c</p><p>d<br>e</p><!-- <p>no -->f", "A&B c\nd\ne\nf");
        check("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo");
        check("<table><tr><td>a<td>b</table>", "a b");
    }

    /// Found in review: each beginning had all that follows searched, 2 MiB of them a minute long.
    #[test]
    fn what_never_ends_is_looked_for_once() {
        for piece in ["<style>", "<!--", "<title>x</title>"] {
            let html = piece.repeat(MAX_HTML_OCTETS / piece.len());
            assert!(text_of(&html).len() < MAX_HTML_OCTETS);
        }
    }

    #[test]
    fn quotes_lists_and_links_are_marked() {
        check(
            "<p>Ann wrote:</p><blockquote><p>one</p><blockquote>two<br><br>three</blockquote></blockquote>no",
            "Ann wrote:\n> one\n>> two\n>>\n>> three\nno",
        );
        check("<ul><li>a<li>b</ul><ol><li>c</li><li>d</li></ol>", "- a\n- b\n1. c\n2. d");
        check(
            "<a href=\"https://x.example/a?b&amp;c\">here</a> <a href='https://x.example/'>x.example</a> <a href=mailto:a@b.c>a@b.c</a>",
            "here <https://x.example/a?b&c> x.example a@b.c",
        );
        check("<pre>a\n  b</pre><img alt='a &lt;b>' src=x>", "a\n  b\na <b>");
    }
}
