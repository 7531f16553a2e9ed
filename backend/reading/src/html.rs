//! An author's HTML without teeth: parsed as browsers parse it, and written anew from a list of what may stay.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use ammonia::{Builder, UrlRelative};
use relais_message::decode_entities;
use url::Url;

use crate::as_text::text_of;
use crate::css;
use crate::link::{Doubtful, host_of};

/// Octets of HTML that are looked at; what is beyond is left out.
pub const MAX_HTML_OCTETS: usize = 2 * 1024 * 1024;
/// Links that are doubted by name.
const MAX_DOUBTFUL: usize = 20;
/// Octets of an address of a link or picture.
const MAX_URL_OCTETS: usize = 4000;
/// Elements inside each other.
const MAX_NESTING: usize = 400;

/// Gives the address of ours under which a picture of others is fetched.
pub type Fetched = Arc<dyn Fn(&Url) -> String + Send + Sync>;

/// Pictures that may be shown.
#[derive(Clone, Default)]
pub struct Pictures {
    /// In the message: Content-ID without brackets, and what takes its place: a `data:` address of a picture.
    pub inline: HashMap<String, String>,
    /// Of others; none: they stay away.
    pub remote: Option<Fetched>,
}

impl fmt::Debug for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inline: Vec<_> = self.inline.keys().collect();
        f.debug_struct("Pictures").field("inline", &inline).field("remote", &self.remote.is_some()).finish()
    }
}

/// What is left, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clean {
    /// A fragment of HTML, fit for a frame of its own.
    pub html: String,
    /// Pictures of others that stayed away.
    pub pictures_away: usize,
    /// Links that should be looked at twice.
    pub doubtful: Vec<Doubtful>,
}

/// Takes the teeth out of HTML.
#[derive(Debug, Clone, Default)]
pub struct Cleaner {
    pictures: Pictures,
}

/// Elements whose text isn't for people, or belongs to what isn't shown.
const WITH_CONTENT: &[&str] = &[
    "script",
    "style",
    "title",
    "template",
    "noscript",
    "noembed",
    "noframes",
    "iframe",
    "object",
    "embed",
    "applet",
    "audio",
    "video",
    "canvas",
    "svg",
    "math",
    "textarea",
    "select",
    "option",
    "xmp",
    "plaintext",
    "frameset",
    "base",
    "meta",
    "link",
];

/// Elements that may stay, beside those that ammonia lets stay.
const MORE: &[&str] = &["font", "big", "section", "main", "address", "tfoot", "u", "center", "strike"];

/// Attributes of any element.
const ATTRIBUTES: &[&str] = &[
    "align",
    "alt",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "colspan",
    "dir",
    "face",
    "height",
    "hspace",
    "lang",
    "nowrap",
    "rowspan",
    "size",
    "start",
    "style",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
];

static ELEMENTS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let mut elements = Builder::default().clone_tags();
    elements.extend(MORE);
    // Image maps need ids, and lead to where nobody sees.
    for gone in ["map", "area"] {
        elements.remove(gone);
    }
    elements
});

impl Cleaner {
    /// Shows these pictures.
    pub fn new(pictures: Pictures) -> Self {
        Self { pictures }
    }

    /// What is left of `html`.
    ///
    /// Takes some 10 ms a MiB, and more where the author meant it: call it on a thread that may wait.
    pub fn clean(&self, html: &str) -> Clean {
        let end = html.floor_char_boundary(MAX_HTML_OCTETS.min(html.len()));
        let html = html.get(..end).unwrap_or_default();
        if is_too_deep(html) {
            let text = text_of(html);
            return Clean { html: format!("<pre>{}</pre>", escaped(&text)), ..Clean::default() };
        }
        let away = Arc::new(AtomicUsize::new(0));
        let cleaned = self.builder(&away).clean(html).to_string();
        let (html, doubtful) = mark_links(&cleaned);
        Clean { html, doubtful, pictures_away: away.load(Ordering::Relaxed) }
    }

    /// The same for what goes out: links stand as their author wrote them, without marks of ours.
    pub fn clean_to_send(&self, html: &str) -> String {
        let end = html.floor_char_boundary(MAX_HTML_OCTETS.min(html.len()));
        let html = html.get(..end).unwrap_or_default();
        if is_too_deep(html) {
            return format!("<pre>{}</pre>", escaped(&text_of(html)));
        }
        self.builder(&Arc::default()).clean(html).to_string()
    }

    fn builder(&self, away: &Arc<AtomicUsize>) -> Builder<'static> {
        let (pictures, away) = (self.pictures.clone(), Arc::clone(away));
        let mut builder = Builder::default();
        builder
            .tags(ELEMENTS.clone())
            .clean_content_tags(WITH_CONTENT.iter().copied().collect())
            .generic_attributes(ATTRIBUTES.iter().copied().collect())
            .tag_attributes(HashMap::from([("a", HashSet::from(["href"])), ("img", HashSet::from(["src"]))]))
            .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid", "data"]))
            // The filter below gives addresses of ours, and lets no other without a scheme stay.
            .url_relative(UrlRelative::PassThrough)
            .link_rel(Some("noopener noreferrer nofollow"))
            .set_tag_attribute_value("a", "target", "_blank")
            .attribute_filter(move |element, attribute, value| match (element, attribute) {
                ("a", "href") => link(value),
                ("img", "src") => picture(&pictures, &away, value),
                (_, "style") => Some(css::filter(value)).filter(|style| !style.is_empty()).map(Cow::Owned),
                // The first two are ours.
                ("a", "rel" | "target") | (_, "alt") => Some(Cow::Borrowed(value)),
                _ => is_word(value).then_some(Cow::Borrowed(value)),
            });
        builder
    }
}

/// Of presentation: a number, a colour, a name.
fn is_word(value: &str) -> bool {
    value.len() <= 100
        && value.chars().all(|character| character.is_alphanumeric() || " #%.,+-_'()".contains(character))
}

fn link(value: &str) -> Option<Cow<'_, str>> {
    if value.len() > MAX_URL_OCTETS {
        return None;
    }
    let url = Url::parse(value.trim()).ok()?;
    matches!(url.scheme(), "http" | "https" | "mailto" | "tel").then(|| Cow::Owned(url.into()))
}

fn picture<'a>(pictures: &Pictures, away: &AtomicUsize, value: &'a str) -> Option<Cow<'a, str>> {
    let value = value.trim();
    let scheme = |name: &str| {
        value.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).and_then(|_| value.get(name.len()..))
    };
    if let Some(id) = scheme("cid:") {
        let known = pictures.inline.get(id).or_else(|| pictures.inline.get(&*unescaped(id)));
        return known.cloned().map(Cow::Owned);
    }
    if scheme("data:").is_some() {
        return is_picture_data(value).then_some(Cow::Borrowed(value));
    }
    let url = Url::parse(value)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && value.len() <= MAX_URL_OCTETS)?;
    if pictures.remote.is_none() {
        away.fetch_add(1, Ordering::Relaxed);
    }
    pictures.remote.as_ref().map(|fetched| Cow::Owned(fetched(&url)))
}

/// Pictures of dots alone: an SVG is a document.
fn is_picture_data(value: &str) -> bool {
    let lower: String = value.chars().take(24).collect::<String>().to_ascii_lowercase();
    ["png", "gif", "jpeg", "jpg", "webp"].iter().any(|kind| lower.starts_with(&format!("data:image/{kind};base64,")))
}

/// `%40` as it stands in `cid:` links (RFC 2392 §2).
fn unescaped(id: &str) -> Cow<'_, str> {
    if id.contains("%40") { Cow::Owned(id.replace("%40", "@")) } else { Cow::Borrowed(id) }
}

/// Elements in elements that no letter needs; what parses them, and what shows them, would take long over more.
fn is_too_deep(html: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest.bytes().next() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(octet) if octet.is_ascii_alphabetic() && !is_void(rest) => depth += 1,
            _ => {}
        }
        // Paragraphs, cells and list items are seldom closed, and close each other.
        if depth > MAX_NESTING * 10 {
            return true;
        }
    }
    false
}

fn is_void(tag: &str) -> bool {
    let end = tag.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(tag.len());
    let name = tag.get(..end).unwrap_or_default();
    [
        "br", "img", "hr", "meta", "link", "input", "col", "wbr", "p", "li", "td", "tr", "th", "dd", "dt", "option",
        "base", "area",
    ]
    .iter()
    .any(|void| name.eq_ignore_ascii_case(void))
}

/// Says of each link where it leads (`title`), and beside each doubtful one, in place, its host.
///
/// `clean` is what the sanitiser wrote: tags are whole, attributes stand in double quotes. Only fixed markup with a host of ASCII is put in.
fn mark_links(clean: &str) -> (String, Vec<Doubtful>) {
    let mut marked = String::with_capacity(clean.len() + clean.len() / 8);
    let mut doubtful = Vec::new();
    let mut open: Option<(Url, usize)> = None;
    let mut at = 0;
    while let Some(tag) = next_tag(clean, at) {
        let (from, to) = tag;
        let text = clean.get(from..to).unwrap_or_default();
        marked.push_str(clean.get(at..from).unwrap_or_default());
        at = to;
        if text.starts_with("<a ") {
            let url = attribute(text, "href").and_then(|href| Url::parse(&entities(href)).ok());
            let host = url.as_ref().and_then(host_of);
            match host {
                Some(host) => {
                    marked.push_str("<a title=\"");
                    marked.push_str(&escaped(&host));
                    marked.push('"');
                    marked.push_str(text.get(2..).unwrap_or_default());
                }
                None => marked.push_str(text),
            }
            open = url.map(|url| (url, to));
        } else if text == "</a>" {
            marked.push_str(text);
            if let Some((url, start)) = open.take()
                && doubtful.len() < MAX_DOUBTFUL
            {
                let words = words_of(clean.get(start..from).unwrap_or_default());
                if let Some(link) = Doubtful::of(&url, &words) {
                    marked.push_str("<span class=\"leads-to\">\u{26a0}\u{a0}");
                    marked.push_str(&escaped(&link.host));
                    marked.push_str("</span>");
                    doubtful.push(link);
                }
            }
        } else {
            marked.push_str(text);
        }
    }
    marked.push_str(clean.get(at..).unwrap_or_default());
    (marked, doubtful)
}

/// From `<` to behind `>`, whatever stands in quotes.
fn next_tag(text: &str, at: usize) -> Option<(usize, usize)> {
    let from = at + text.get(at..)?.find('<')?;
    let mut is_quoted = false;
    for (offset, octet) in text.get(from..)?.bytes().enumerate() {
        match octet {
            b'"' => is_quoted = !is_quoted,
            b'>' if !is_quoted => return Some((from, from + offset + 1)),
            _ => {}
        }
    }
    None
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag.get(start..)?.split('"').next()
}

fn words_of(html: &str) -> String {
    let (mut words, mut at) = (String::new(), 0);
    while let Some((from, to)) = next_tag(html, at) {
        words.push_str(html.get(at..from).unwrap_or_default());
        at = to;
    }
    words.push_str(html.get(at..).unwrap_or_default());
    entities(&words).trim().to_owned()
}

pub(crate) fn entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    decode_entities(text, &mut decoded);
    decoded
}

/// Text as it stands in HTML.
pub fn escaped(text: &str) -> String {
    ammonia::clean_text(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Doubt;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(Cleaner::default().clean(html).html, expected, "{html}");
    }

    #[test]
    fn what_people_read_stays() {
        check("<p style='color:red;position:fixed'>A <b>b</b><br></p>", "<p style=\"color:red\">A <b>b</b><br></p>");
        check(
            "<table bgcolor=#fff cellpadding=0 background='//x/y'><tr><td width='50%'>x</table>",
            "<table bgcolor=\"#fff\" cellpadding=\"0\"><tbody><tr><td width=\"50%\">x</td></tr></tbody></table>",
        );
        check("<html><head><title>T</title><style>p{}</style></head><body>x</body></html>", "x");
    }

    #[test]
    fn teeth_go() {
        for html in [
            "<script>alert(1)</script>",
            "<svg onload=alert(1)><script>1</script></svg>",
            "<math><mtext><style><img src=x onerror=alert(1)></style></math>",
            "<iframe src=//x></iframe>",
            "<object data=//x><embed src=//x></object>",
            "<base href=//x>",
            "<meta http-equiv=refresh content='0;url=//x'>",
            "<link rel=stylesheet href=//x>",
            "<style>@import '//x';</style>",
            "<video src=//x poster=//y></video>",
            "<template><img src=x onerror=alert(1)></template>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
        ] {
            let left = Cleaner::default().clean(html).html;
            assert!(!left.contains('<') || left.starts_with("<img") && !left.contains("onerror"), "{html}: {left}");
        }
        check("<form action=//x><input name=a><button>Go</button></form>", "Go");
        check("<img src=x onerror=alert(1)>", "<img>");
        check(
            "<a href=javascript:alert(1) id=x name=y class=z>a</a>",
            "<a target=\"_blank\" rel=\"noopener noreferrer nofollow\">a</a>",
        );
        check("<img src='data:image/svg+xml,<svg onload=alert(1)>'>", "<img>");
        check("<img src=//x/y.png srcset='//x 2x'>", "<img>");
    }

    #[test]
    fn pictures_are_those_that_may_be() {
        let html = "<img src='cid:a%40b'><img src=cid:none><img src='https://x.example/p.png?a&b'>";
        let clean = Cleaner::default().clean(html);
        assert_eq!((clean.html.as_str(), clean.pictures_away), ("<img><img><img>", 1));
        let pictures = Pictures {
            inline: HashMap::from([("a@b".to_owned(), "data:image/png;base64,AA==".to_owned())]),
            remote: Some(Arc::new(|url: &Url| format!("/p?u={}", url.host_str().unwrap_or_default()))),
        };
        let clean = Cleaner::new(pictures).clean(html);
        assert_eq!(clean.html, "<img src=\"data:image/png;base64,AA==\"><img><img src=\"/p?u=x.example\">");
        assert_eq!(clean.pictures_away, 0);
    }

    #[test]
    fn links_say_where_they_lead() {
        let clean = Cleaner::default().clean(
            "<a href='https://evil.com/?a&b=\"'>https://<b>bank</b>.com/</a> <a href='https://x.example/'>x</a>",
        );
        assert!(
            clean.html.starts_with("<a title=\"evil.com\" href=\"https://evil.com/?a&amp;b=%22\""),
            "{}",
            clean.html
        );
        assert!(clean.html.contains("</a><span class=\"leads-to\">\u{26a0}\u{a0}evil.com</span>"), "{}", clean.html);
        assert_eq!(clean.doubtful.len(), 1);
        assert_eq!(
            (clean.doubtful[0].words.as_str(), clean.doubtful[0].doubt),
            ("https://bank.com/", Doubt::Elsewhere)
        );
    }
}
