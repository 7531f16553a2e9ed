//! Styles of an author's: declarations of our own list, with values that fetch nothing and cover nothing.

/// Octets of one `style` that are looked at.
const MAX_STYLE_OCTETS: usize = 8 * 1024;
/// Octets of one value.
const MAX_VALUE_OCTETS: usize = 500;

/// What may be said: how words look and where boxes stand in the flow. Nothing that places a box over others, moves, or fetches.
const PROPERTIES: &[&str] = &[
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "box-sizing",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-position",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "opacity",
    "overflow",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "unicode-bidi",
    "vertical-align",
    "visibility",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
    "word-wrap",
];

/// Functions that compute and ask nobody.
const FUNCTIONS: &[&str] = &["rgb", "rgba", "hsl", "hsla", "calc", "min", "max"];

/// What is left of the declarations of a `style` attribute.
pub(crate) fn filter(style: &str) -> String {
    // A backslash spells letters that aren't seen, a comment parts what is read together: neither is needed in mail.
    if style.len() > MAX_STYLE_OCTETS || style.contains(['\\', '<', '>', '{', '}', '@']) || style.contains("/*") {
        return String::new();
    }
    let mut kept = String::with_capacity(style.len());
    for declaration in declarations(style) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if PROPERTIES.binary_search(&name.as_str()).is_ok() && is_harmless(&name, value) {
            if !kept.is_empty() {
                kept.push(';');
            }
            kept.push_str(&name);
            kept.push(':');
            kept.push_str(value);
        }
    }
    kept
}

/// From semicolon to semicolon, outside quotes and brackets.
fn declarations(style: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_u32, None);
    for (at, octet) in style.bytes().enumerate() {
        match (quote, octet) {
            (Some(open), octet) if octet == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(octet),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, b';') if depth == 0 => {
                found.extend(style.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    // What is left open was never a declaration.
    if quote.is_none() && depth == 0 {
        found.extend(style.get(start..));
    }
    found
}

fn is_harmless(name: &str, value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b" \t\r\n#%.,()'\"-+/!*_".contains(&octet);
    if value.is_empty() || value.len() > MAX_VALUE_OCTETS || !lower.bytes().all(is_plain) {
        return false;
    }
    // Whatever stands before a bracket is a function.
    let pieces: Vec<&str> = lower.split('(').collect();
    let (_, before) = pieces.split_last().unwrap_or((&"", &[]));
    let word = |piece: &&str| {
        let word = piece.rsplit(|character: char| !character.is_ascii_alphanumeric() && character != '-').next();
        word.is_none_or(|word| FUNCTIONS.contains(&word) || word.is_empty())
    };
    if !before.iter().all(word) {
        return false;
    }
    match name {
        // A box that is pulled over others by a margin below zero hides them.
        name if name.starts_with("margin") || name == "text-indent" => !lower.contains('-'),
        "display" => matches!(
            lower.trim_end_matches("!important").trim(),
            "block"
                | "inline"
                | "inline-block"
                | "none"
                | "table"
                | "table-cell"
                | "table-row"
                | "inline-table"
                | "list-item"
        ),
        "overflow" => matches!(lower.as_str(), "hidden" | "auto" | "visible"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(style: &str, expected: &str) {
        assert_eq!(filter(style), expected, "{style}");
    }

    #[test]
    fn the_list_is_in_order() {
        assert!(PROPERTIES.is_sorted());
    }

    #[test]
    fn what_looks_is_kept() {
        check("color: red; Font-Size:12px;", "color:red;font-size:12px");
        check("font-family: 'Segoe UI', \"a b\", sans-serif", "font-family:'Segoe UI', \"a b\", sans-serif");
        check("background: rgb(1, 2, 3) ; width: calc(100% - 2px)", "background:rgb(1, 2, 3);width:calc(100% - 2px)");
        check("display:none!important", "display:none!important");
    }

    #[test]
    fn what_fetches_covers_or_hides_is_not() {
        for style in [
            "background: url(https://x.example/a.png)",
            "background:url('//x')",
            "background: u\\72l(//x)",
            "background: image-set(\"//x\" 1x)",
            "background-image: url(//x)",
            "list-style: url(//x)",
            "cursor: url(//x), auto",
            "color: expression(alert(1))",
            "width: attr(x)",
            "color: var(--x)",
            "position: fixed",
            "z-index: 9",
            "inset: 0",
            "margin-top: -100px",
            "transform: scale(9)",
            "animation: x 1s",
            "behavior: url(x)",
            "-moz-binding: url(x)",
            "font: 12px/1 x, url(//x)",
            "color: red /* ; */",
            "content: 'x'",
            "color: \"red",
            "color",
            "@import '//x'",
            "display: flex",
            "background: src(\"//x\")",
        ] {
            check(style, "");
        }
        check("color: red; background: url(//x); width: 1px", "color:red;width:1px");
    }
}
