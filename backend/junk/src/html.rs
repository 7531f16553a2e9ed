//! HTML as its reader sees it: the text that shows, the text that doesn't, where links lead.
//!
//! No tree is built and nothing is refused: tags are read as they come, in time linear in the octets.

use std::borrow::Cow;

use relais_message::decode_entities;

/// Elements open at once that are remembered; deeper ones show as their parents do.
const MAX_DEPTH: usize = 256;
/// So many links are kept.
const MAX_LINKS: usize = 300;
/// So many attributes of a tag are read.
const MAX_ATTRIBUTES: usize = 40;
/// Colours nearer than this, summed over red, green and blue, are one to the eye.
const SAME_COLOUR: i32 = 30;

/// What [`read`] finds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) visible: String,
    pub(crate) hidden: String,
    pub(crate) links: Vec<Link>,
    /// The names of elements, in lower case, as they come.
    pub(crate) elements: Vec<String>,
    pub(crate) images: usize,
    pub(crate) has_tiny_image: bool,
    pub(crate) has_comment_in_word: bool,
    /// Attributes worth counting: `font color`, `td bgcolor`.
    pub(crate) attributes: Vec<String>,
}

/// An `<a href>`, or a form's or image's address (then without text).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) text: String,
}

/// How what stands in an element shows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    is_hidden: bool,
    colour: Option<[u8; 3]>,
    /// None where an image or something unknown is behind the text.
    background: Option<[u8; 3]>,
}

impl Look {
    const PAGE: Self = Self { is_hidden: false, colour: Some([0, 0, 0]), background: Some([255, 255, 255]) };

    fn is_seen(&self) -> bool {
        let is_same = self.colour.zip(self.background).is_some_and(|(colour, background)| {
            let away: i32 =
                colour.iter().zip(background).map(|(one, other)| (i32::from(*one) - i32::from(other)).abs()).sum();
            away < SAME_COLOUR
        });
        !self.is_hidden && !is_same
    }
}

struct Reader {
    page: Page,
    open: Vec<(String, Look)>,
    /// The link that is open, in [`Page::links`].
    link: Option<usize>,
}

/// Reads any text as HTML.
pub(crate) fn read(html: &str) -> Page {
    let mut reader = Reader { page: Page::default(), open: Vec::new(), link: None };
    let mut rest = html;
    while let Some((before, behind)) = rest.split_once('<') {
        reader.text(before);
        rest = if let Some(comment) = behind.strip_prefix("!--") {
            let after = comment.split_once("-->").map_or("", |(_, after)| after);
            let is_in_word = before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_alphanumeric);
            reader.page.has_comment_in_word |= is_in_word;
            after
        } else if behind.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')) {
            let end = tag_end(behind);
            let (tag, after) = behind.split_at_checked(end).unwrap_or((behind, ""));
            reader.tag(tag, after.strip_prefix('>').unwrap_or(after))
        } else {
            reader.text("<");
            behind
        };
    }
    reader.text(rest);
    reader.page
}

/// Where the tag's `>` stands; one inside quotes ends it as well where the quotes never end.
fn tag_end(tag: &str) -> usize {
    const MAX_TAG_OCTETS: usize = 8192;
    let mut quote = None;
    for (at, octet) in tag.bytes().enumerate().take(MAX_TAG_OCTETS) {
        match (quote, octet) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') => quote = Some(octet),
            (Some(open), _) if open == octet => quote = None,
            _ => {}
        }
    }
    tag.find('>').unwrap_or(tag.len())
}

impl Reader {
    fn look(&self) -> Look {
        self.open.last().map_or(Look::PAGE, |(_, look)| *look)
    }

    fn text(&mut self, raw: &str) {
        if raw.is_empty() {
            return;
        }
        let is_seen = self.look().is_seen();
        let onto = if is_seen { &mut self.page.visible } else { &mut self.page.hidden };
        decode_entities(raw, onto);
        if let Some(link) = self.link.and_then(|link| self.page.links.get_mut(link))
            && link.text.len() < 512
        {
            decode_entities(raw, &mut link.text);
        }
    }

    /// Reads a tag without its brackets and gives what is to be read next.
    fn tag<'a>(&mut self, tag: &str, after: &'a str) -> &'a str {
        let is_end = tag.starts_with('/');
        let body = tag.trim_start_matches('/');
        let length = body.bytes().take(16).take_while(u8::is_ascii_alphanumeric).count();
        let name = body.get(..length).unwrap_or_default().to_ascii_lowercase();
        if !is_inline(&name) {
            self.page.visible.push(' ');
            self.page.hidden.push(' ');
        }
        if is_end {
            self.close(&name);
            return after;
        }
        self.page.elements.push(name.clone());
        let attributes = attributes(body.get(name.len()..).unwrap_or_default());
        let get = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
        match name.as_str() {
            "script" | "style" | "title" | "template" | "noscript" => return behind_element(after, &name),
            "a" | "area" => self.open_link(get("href")),
            "img" => self.image(&get),
            "form" => self.plain_link(get("action")),
            _ => {}
        }
        for (attribute, _) in &attributes {
            if matches!(
                &**attribute,
                "color"
                    | "bgcolor"
                    | "background"
                    | "face"
                    | "size"
                    | "align"
                    | "width"
                    | "style"
                    | "class"
                    | "onload"
                    | "onmouseover"
                    | "onclick"
            ) {
                self.page.attributes.push(format!("{name} {attribute}"));
            }
        }
        if !is_void(&name) && self.open.len() < MAX_DEPTH {
            // A paragraph or cell that nobody closed ends where the next begins.
            if matches!(name.as_str(), "p" | "li" | "td" | "tr" | "option")
                && self.open.last().is_some_and(|(open, _)| *open == name)
            {
                self.open.pop();
            }
            let look = self.look_within(&name, &get);
            self.open.push((name, look));
        }
        after
    }

    fn close(&mut self, name: &str) {
        if name == "a" {
            self.link = None;
        }
        if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
            self.open.truncate(at);
        }
    }

    fn open_link(&mut self, href: Option<&str>) {
        self.link = None;
        if let Some(href) = href
            && self.page.links.len() < MAX_LINKS
        {
            self.link = Some(self.page.links.len());
            self.page.links.push(Link { href: href.trim().to_owned(), text: String::new() });
        }
    }

    fn plain_link(&mut self, href: Option<&str>) {
        if let Some(href) = href
            && self.page.links.len() < MAX_LINKS
        {
            self.page.links.push(Link { href: href.trim().to_owned(), text: String::new() });
        }
    }

    fn image<'a>(&mut self, get: &impl Fn(&str) -> Option<&'a str>) {
        self.page.images += 1;
        let is_dot = |value: &str| matches!(value.trim().trim_end_matches("px"), "0" | "1");
        self.page.has_tiny_image |= get("width").is_some_and(is_dot) && get("height").is_some_and(is_dot);
        if !get("src").is_some_and(|source| source.starts_with("cid:")) {
            self.plain_link(get("src"));
        }
        if let Some(alt) = get("alt") {
            self.page.visible.push_str(alt);
            self.page.visible.push(' ');
        }
    }

    fn look_within<'a>(&self, name: &str, get: &impl Fn(&str) -> Option<&'a str>) -> Look {
        let mut look = self.look();
        let style = get("style").unwrap_or_default().to_ascii_lowercase();
        let property = |wanted: &str| {
            style
                .split(';')
                .filter_map(|one| one.split_once(':'))
                .find(|(name, _)| name.trim() == wanted)
                .map(|(_, value)| value.trim())
        };
        look.is_hidden |= property("display").is_some_and(|value| value.starts_with("none"))
            || property("visibility").is_some_and(|value| value.starts_with("hidden"))
            || property("font-size").is_some_and(is_nothing)
            || property("opacity").is_some_and(|value| value.parse::<f32>().is_ok_and(|opacity| opacity < 0.1))
            || property("max-height").is_some_and(is_nothing)
                && property("overflow").is_some_and(|value| value == "hidden")
            || name == "font" && get("size").is_some_and(|size| size.trim() == "0");
        if let Some(colour) = get("color").or_else(|| get("text")).or_else(|| property("color")) {
            look.colour = colour_of(colour);
        }
        let said = get("bgcolor").or_else(|| property("background-color")).or_else(|| property("background"));
        if let Some(background) = said {
            look.background = colour_of(background.split(' ').next().unwrap_or_default());
        }
        if get("background").is_some() || property("background-image").is_some() || style.contains("url(") {
            look.background = None;
        }
        look
    }
}

/// `0`, `0px`, `1px`, `0.5pt`.
fn is_nothing(size: &str) -> bool {
    let number: String = size.chars().take_while(|digit| digit.is_ascii_digit() || *digit == '.').collect();
    let unit = size.get(number.len()..).unwrap_or_default().trim_end_matches("!important").trim();
    number.parse::<f32>().is_ok_and(|number| number == 0.0 || number <= 1.0 && matches!(unit, "px" | "pt"))
}

/// `#fff`, `#ffffff`, `ffffff`, `rgb(255, 255, 255)` and the names that are used to hide text.
fn colour_of(said: &str) -> Option<[u8; 3]> {
    let said = said.trim().trim_end_matches("!important").trim().to_ascii_lowercase();
    if let Some(list) = said.strip_prefix("rgb(").and_then(|list| list.strip_suffix(')')) {
        let mut parts = list.split(',').map(|part| part.trim().parse::<u8>().ok());
        return Some([parts.next()??, parts.next()??, parts.next()??]);
    }
    match said.as_str() {
        "white" => return Some([255, 255, 255]),
        "black" => return Some([0, 0, 0]),
        "red" => return Some([255, 0, 0]),
        "blue" => return Some([0, 0, 255]),
        "yellow" => return Some([255, 255, 0]),
        "green" => return Some([0, 128, 0]),
        "navy" => return Some([0, 0, 128]),
        "gray" | "grey" => return Some([128, 128, 128]),
        "silver" => return Some([192, 192, 192]),
        _ => {}
    }
    let digits = said.trim_start_matches('#');
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    match digits.len() {
        6 => Some([pair(0)?, pair(2)?, pair(4)?]),
        3 => {
            let one = |at: usize| u8::from_str_radix(digits.get(at..=at)?, 16).ok().map(|digit| digit * 17);
            Some([one(0)?, one(1)?, one(2)?])
        }
        _ => None,
    }
}

/// Name in lower case and value, entities decoded.
fn attributes(tag: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while found.len() < MAX_ATTRIBUTES {
        rest = rest.trim_start_matches(|blank: char| blank.is_ascii_whitespace() || blank == '/');
        let length = rest.find(|end: char| end.is_ascii_whitespace() || end == '=' || end == '/').unwrap_or(rest.len());
        if rest.is_empty() {
            break;
        }
        let (name, behind) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        let Some(behind) = behind.trim_start().strip_prefix('=') else {
            found.push((lower(name), Cow::Borrowed("")));
            rest = behind;
            continue;
        };
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (value, after) = if let Some(quote) = quote {
            behind.get(1..).and_then(|inner| inner.split_once(quote)).unwrap_or((behind, ""))
        } else {
            let end = behind.find(|end: char| end.is_ascii_whitespace()).unwrap_or(behind.len());
            behind.split_at_checked(end).unwrap_or((behind, ""))
        };
        found.push((lower(name), decoded(value)));
        rest = after;
    }
    found
}

fn lower(name: &str) -> Cow<'_, str> {
    let has_upper = name.bytes().any(|octet| octet.is_ascii_uppercase());
    if has_upper { name.to_ascii_lowercase().into() } else { name.into() }
}

fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return value.into();
    }
    let mut decoded = String::with_capacity(value.len());
    decode_entities(value, &mut decoded);
    decoded.into()
}

/// What follows `</name`, or nothing.
fn behind_element<'a>(from: &'a str, name: &str) -> &'a str {
    let mut rest = from;
    while let Some((_, behind)) = rest.split_once("</") {
        if behind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return behind.split_once('>').map_or("", |(_, after)| after);
        }
        rest = behind;
    }
    ""
}

/// Whether words on both sides of the tag are one word.
fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "b"
            | "i"
            | "u"
            | "em"
            | "strong"
            | "span"
            | "font"
            | "small"
            | "big"
            | "tt"
            | "code"
            | "sub"
            | "sup"
            | "wbr"
    ) || !is_known(name)
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "" | "br"
            | "hr"
            | "img"
            | "input"
            | "meta"
            | "link"
            | "area"
            | "base"
            | "col"
            | "embed"
            | "param"
            | "wbr"
            | "frame"
    )
}

/// Whether HTML has an element of that name.
pub(crate) fn is_known(name: &str) -> bool {
    const ELEMENTS: [&str; 84] = [
        "a",
        "abbr",
        "acronym",
        "address",
        "applet",
        "area",
        "article",
        "aside",
        "b",
        "base",
        "basefont",
        "bdo",
        "big",
        "blink",
        "blockquote",
        "body",
        "br",
        "button",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "dir",
        "div",
        "dl",
        "dt",
        "em",
        "embed",
        "fieldset",
        "font",
        "footer",
        "form",
        "frame",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "i",
        "iframe",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "layer",
        "legend",
        "li",
        "link",
        "map",
        "marquee",
        "meta",
        "nobr",
        "noscript",
        "object",
        "ol",
        "option",
        "p",
        "param",
        "picture",
        "pre",
        "q",
        "s",
        "samp",
        "script",
        "section",
        "select",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "style",
    ];
    const MORE: [&str; 22] = [
        "sub", "sup", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "title", "tr",
        "tt", "u", "ul", "var", "video", "audio", "wbr", "main", "doctype",
    ];
    name.is_empty() || ELEMENTS.contains(&name) || MORE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, visible: &str, hidden: &str) {
        let page = read(html);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((words(&page.visible).as_str(), words(&page.hidden).as_str()), (visible, hidden), "{html}");
    }

    #[test]
    fn what_shows_is_told_from_what_does_not() {
        check("<p>Hello <b>W</b>orld &amp; all<br>two", "Hello World & all two", "");
        check("a<script>no</script>b<style>no</style><title>no</title>c", "a b c", "");
        check("via<!-- x -->gra", "viagra", "");
        check("vi<zzz>ag</zzz>ra", "viagra", "");
        check("<div style='display:none'>no <b>no</b></div>yes", "yes", "no no");
        check("<div style=\"DISPLAY: NONE !important\">no</div>yes", "yes", "no");
        check("<span style='font-size:0px'>no</span><span style='font-size:10px'>yes</span>", "yes", "no");
        check("<span style='font-size:1px'>no</span>", "", "no");
        check("<font size=0>no</font><font size=1>yes</font>", "yes", "no");
        check("<font color=white>no</font><font color=#FEFEFE>no</font><font color=red>yes</font>", "yes", "nono");
        check("<body bgcolor=black text=white>yes<font color='#000'>no</font>", "yes", "no");
        check("<td bgcolor=#0000ff><font color=white>yes</font></td>", "yes", "");
        check("<td background=x.gif><font color=white>yes</font></td>", "yes", "");
        check("<td style='background:#006;color:#fff'>yes</td>", "yes", "");
        check("1 < 2 <", "1 < 2 <", "");
        check("<img alt='Big sale' src=x>", "Big sale", "");
        check("<a title='a>b'>x</a>", "x", "");
        check("<a title=\"open>x", "x", "");
        check("<p style='display:none'>no<p>yes", "yes", "no");
    }

    #[test]
    fn links_have_text_and_target() {
        let page = read(
            "<a HREF='http://a.example/?x=1&amp;y'>see <b>b.example</b></a><a name=x>y</a><form action=http://c.example>",
        );
        let links: Vec<_> = page.links.iter().map(|link| (link.href.as_str(), link.text.as_str())).collect();
        assert_eq!(links, [("http://a.example/?x=1&y", "see b.example"), ("http://c.example", "")]);
        let page = read("<img src=http://t.example/o.gif width=1 height='1'><img src=cid:x width=9>");
        assert!(page.has_tiny_image && page.images == 2 && page.links.len() == 1);
        assert!(read("fr<!-- -->ee").has_comment_in_word && !read("a <!-- --> b").has_comment_in_word);
    }
}
