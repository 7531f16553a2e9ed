//! HTML that was made to bite: what is left of it is looked at as a browser would.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use relais_reading::{Cleaner, Pictures};

/// What must not be left in any spelling: each tag's name is one of ours, each attribute, too, and no address but of the web and of mail.
fn faults(clean: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut rest = clean;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let end = tag_end(rest);
        let tag = &rest[..end];
        rest = &rest[end..];
        let name: String = tag[1..].trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        if !NAMES.contains(&name.as_str()) {
            faults.push(format!("the element {name} in {tag}"));
        }
        for (name, value) in attributes(tag) {
            let value = value.to_ascii_lowercase();
            let is_fine = match name {
                "href" => ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| value.starts_with(scheme)),
                "src" => [
                    "data:image/png;",
                    "data:image/gif;",
                    "data:image/jpeg;",
                    "data:image/jpg;",
                    "data:image/webp;",
                    "/ours/",
                ]
                .iter()
                .any(|scheme| value.starts_with(scheme)),
                "style" => {
                    !["url", "\\", "expression", "@", "position", "var(", "attr(", "image", "behavior", "binding", "/*"]
                        .iter()
                        .any(|word| value.contains(word))
                }
                "rel" => value == "noopener noreferrer nofollow",
                "target" => value == "_blank",
                "class" => value == "leads-to",
                "title" | "alt" => true,
                other => ATTRIBUTES.contains(&other),
            };
            if !is_fine {
                faults.push(format!("{name}={value:?} in {tag}"));
            }
        }
    }
    faults
}

const NAMES: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
];

const ATTRIBUTES: &[&str] = &[
    "align",
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
    "type",
    "valign",
    "value",
    "vspace",
    "width",
];

fn tag_end(text: &str) -> usize {
    let mut is_quoted = false;
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            b'"' => is_quoted = !is_quoted,
            b'>' if !is_quoted => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag.split_once(' ').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let Some((value, next)) = after.strip_prefix('"').and_then(|value| value.split_once('"')) else {
            found.push(("unquoted", after));
            break;
        };
        found.push((name.trim(), value));
        rest = next.trim_start();
    }
    found
}

fn cleaner(is_shown: bool) -> Cleaner {
    let mut pictures = Pictures::default();
    if is_shown {
        pictures.remote = Some(std::sync::Arc::new(|_: &url::Url| "/ours/picture".to_owned()));
    }
    Cleaner::new(pictures)
}

#[track_caller]
fn check(html: &str) {
    for is_shown in [false, true] {
        let once = cleaner(is_shown).clean(html).html;
        let found = faults(&once);
        assert!(found.is_empty(), "{html}\nbecame\n{once}\n{found:#?}");
        // What a browser reads of it, and writes, is the same again: nothing wakes up in the second reading.
        let again = faults(&cleaner(is_shown).clean(&once).html);
        assert!(again.is_empty(), "{html}\nbecame at last\n{again:#?}");
    }
}

#[test]
fn our_own() {
    for html in include_str!("hostile.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        check(&html.replace("\\n", "\n").replace("\\0", "\0"));
    }
}

fn folder(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites");
    let folder = std::env::var_os("RELAIS_SUITES").map_or_else(beside, PathBuf::from).join(name);
    if !folder.is_dir() {
        eprintln!("SKIPPED: no suites at {}; set RELAIS_SUITES", folder.display());
        return None;
    }
    Some(folder)
}

/// The payloads of `DOMPurify`'s suite; what it expects allows more than we do, and isn't compared.
#[test]
fn those_of_dompurify() {
    let Some(folder) = folder("sanitiser") else { return };
    let text = std::fs::read_to_string(folder.join("dompurify-expect.mjs")).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let Some(literal) = line.trim().strip_prefix("\"payload\": ") else { continue };
        check(&string(literal.trim_end_matches(',')));
        count += 1;
    }
    assert!(count > 100, "{count} payloads");
}

/// A string of JavaScript, as far as the suite uses it.
fn string(literal: &str) -> String {
    let mut text = String::new();
    let mut inside = literal.trim().trim_start_matches(['"', '\'', '`']).chars().peekable();
    while let Some(character) = inside.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match inside.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('x') => text.extend(hex(&mut inside, 2)),
            Some('u') => text.extend(hex(&mut inside, 4)),
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

fn hex(from: &mut impl Iterator<Item = char>, digits: usize) -> Option<char> {
    let digits: String = from.by_ref().take(digits).collect();
    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
}

/// Whoever means it gets a slow answer, and no endless one.
#[test]
fn none_takes_long() {
    let many = |piece: &str, count: usize| piece.repeat(count);
    for html in [
        many("<div>", 200_000),
        many("<b><i>", 50_000),
        many("<a href=https://x.example/>x", 20_000),
        many("<table><tr><td>", 20_000),
        many("<p style='color:red'>x", 20_000),
        many("<", 500_000),
        many("&amp;", 200_000),
        many("<font color=red><p>", 20_000),
        format!("<a href='https://x.example/{}'>x</a>", many("x", 1_000_000)),
        many("<!--", 200_000),
    ] {
        let started = Instant::now();
        check(&html);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(40), "{took:?} for {}…", &html[..40]);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    /// Pieces of what bites, put together by chance.
    #[test]
    fn nor_what_chance_makes(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..12)) {
        check(&pieces.concat());
    }
}

const PIECES: &[&str] = &[
    "<svg>",
    "</svg>",
    "<math>",
    "</math>",
    "<mtext>",
    "<mglyph>",
    "<style>",
    "</style>",
    "<script>",
    "</script>",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea>",
    "<noscript>",
    "</noscript>",
    "<template>",
    "<form>",
    "</form>",
    "<table>",
    "<tr>",
    "<td>",
    "<select>",
    "<img src=x onerror=alert(1)>",
    "<a href=\"",
    "javascript:alert(1)",
    "\">",
    "'>",
    "<!--",
    "-->",
    "--!>",
    "<![CDATA[",
    "]]>",
    "<foreignObject>",
    "<annotation-xml encoding=text/html>",
    "<p title=\"",
    "<b style=\"background:url(//x)",
    "&lt;",
    "&quot;",
    "\0",
    "<xmp>",
    "<plaintext>",
    "<iframe srcdoc=\"",
    "<a id=x name=y>",
    "<base href=//x>",
    "text",
    "<br>",
    "</p>",
    "<desc>",
    "<mi>",
    "<malignmark>",
    "`",
];
