//! The first words of a message (RFC 8970): from its first plain text, else from its first HTML.

use std::borrow::Cow;

use crate::header::fields;
use crate::parameters::Disposition;
use crate::section::decode;
use crate::structure::Part;
use crate::words::decode_text;

/// RFC 8970: the server must not give more.
pub const MAX_PREVIEW_CHARACTERS: usize = 200;
/// So much of a part, still encoded, is looked at.
const SOURCE_OCTETS: usize = 16 * 1024;

/// At most [`MAX_PREVIEW_CHARACTERS`] of decoded text on one line; empty where there is no text.
pub(crate) fn preview(raw: &[u8], root: &Part) -> String {
    let first = |is_wanted: &dyn Fn(&Part) -> bool| {
        let mut found = None;
        root.walk(&mut |part| {
            if found.is_none() && part.is_text() && is_wanted(part) && !is_attachment(raw, part) {
                found = Some(start_of(raw, part));
            }
        });
        found
    };
    let is_html = |part: &Part| part.content_type.as_ref().is_some_and(|kind| kind.is("text", "html"));
    let plain = first(&|part| !is_html(part)).map(|text| plain_preview(&text)).filter(|text| !text.is_empty());
    plain.or_else(|| first(&is_html).map(|html| shorten([html_text(&html).as_str()]))).unwrap_or_default()
}

/// What the author wrote rather than quoted; all of it where that is nothing.
fn plain_preview(text: &str) -> String {
    let own = shorten(text.split('\n').filter(|line| !line.starts_with('>')));
    if own.is_empty() { shorten([text]) } else { own }
}

/// Whether Content-Disposition says `attachment`.
pub(crate) fn is_attachment(raw: &[u8], part: &Part) -> bool {
    disposition(raw, part).is_some_and(|disposition| disposition.is("attachment"))
}

/// The part's Content-Disposition.
pub(crate) fn disposition(raw: &[u8], part: &Part) -> Option<Disposition> {
    let header = raw.get(part.header.clone()).unwrap_or_default();
    let field = fields(header).find(|field| field.is("Content-Disposition"))?;
    Disposition::read(&field.unfolded())
}

/// The decoded start of a text part.
fn start_of(raw: &[u8], part: &Part) -> String {
    let body = raw.get(part.body.clone()).unwrap_or_default();
    let octets = decode(body.get(..SOURCE_OCTETS).unwrap_or(body), part.encoding).unwrap_or(Cow::Borrowed(body));
    let charset = part.content_type.as_ref().and_then(|kind| kind.parameter("charset"));
    decode_text(whole_characters(&octets), charset).into_owned()
}

/// Without the UTF-8 character that the end cut through, if it did: else all would look like another charset.
fn whole_characters(octets: &[u8]) -> &[u8] {
    match std::str::from_utf8(octets) {
        Err(error) if error.error_len().is_none() => octets.get(..error.valid_up_to()).unwrap_or(octets),
        _ => octets,
    }
}

/// One line, blanks as one space, controls and invisible marks left out.
fn shorten<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::with_capacity(MAX_PREVIEW_CHARACTERS * 2);
    let mut characters = 0;
    for word in lines.into_iter().flat_map(str::split_whitespace) {
        let word = word.chars().filter(|character| !is_invisible(*character));
        for (index, character) in word.enumerate() {
            if index == 0 && characters > 0 {
                if characters + 1 >= MAX_PREVIEW_CHARACTERS {
                    return line;
                }
                line.push(' ');
                characters += 1;
            }
            if characters == MAX_PREVIEW_CHARACTERS {
                return line;
            }
            line.push(character);
            characters += 1;
        }
    }
    line
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{34f}')
}

/// The text of HTML: no tags, comments, scripts, styles or title.
fn html_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some((before, behind)) = rest.split_once('<') {
        decode_entities(before, &mut text);
        rest = match behind.strip_prefix("!--") {
            Some(comment) => comment.split_once("-->").map_or("", |(_, after)| after),
            None if behind
                .starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')) =>
            {
                let (tag, after) = behind.split_once('>').unwrap_or((behind, ""));
                let name = tag.split(|end: char| !end.is_ascii_alphanumeric() && end != '/').next().unwrap_or_default();
                if !is_inline(name) {
                    text.push(' ');
                }
                if is_hidden(name) { behind_element(after, name) } else { after }
            }
            None => {
                text.push('<');
                behind
            }
        };
    }
    decode_entities(rest, &mut text);
    text
}

fn is_hidden(name: &str) -> bool {
    ["script", "style", "title", "head", "template"].iter().any(|hidden| name.eq_ignore_ascii_case(hidden))
}

/// Whether words on both sides of the tag are one word.
fn is_inline(name: &str) -> bool {
    let name = name.trim_matches('/');
    ["a", "b", "i", "u", "em", "strong", "span", "font", "small", "big", "tt", "code", "sub", "sup", "wbr"]
        .iter()
        .any(|inline| name.eq_ignore_ascii_case(inline))
}

/// What follows `</name`, or nothing.
fn behind_element<'a>(from: &'a str, name: &str) -> &'a str {
    let mut rest = from;
    while let Some((_, behind)) = rest.split_once("</") {
        let is_end = behind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if is_end {
            return behind.split_once('>').map_or("", |(_, after)| after);
        }
        rest = behind;
    }
    ""
}

/// Writes `text` with its character references decoded: the numbered ones, and of the named ones those that occur in mail.
pub fn decode_entities(text: &str, onto: &mut String) {
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        onto.push_str(before);
        let end = behind.bytes().take(10).position(|octet| octet == b';');
        let entity = end.and_then(|end| Some((character_of(behind.get(..end)?)?, behind.get(end + 1..)?)));
        if let Some((character, after)) = entity {
            onto.push(character);
            rest = after;
        } else {
            onto.push('&');
            rest = behind;
        }
    }
    onto.push_str(rest);
}

fn character_of(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "hellip" => '…',
        "bull" => '•',
        "euro" => '€',
        "copy" => '©',
        "zwnj" => '\u{200c}',
        "shy" => '\u{ad}',
        numeric => {
            let number = numeric.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::Structure;

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(preview(raw.as_bytes(), &Structure::read(raw.as_bytes()).root), expected, "{raw}");
    }

    /// RFC 8970: at most 200 characters.
    #[test]
    fn previews_are_the_first_words() {
        check("Subject: x\r\n\r\nHello\r\n\r\n world\t!\r\n", "Hello world !");
        check("A: b\r\n\r\n> quoted\r\nown words", "own words");
        check("A: b\r\n\r\n> quoted\r\n", "> quoted");
        check(
            "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<head><title>T</title>\
             <style>p{}</style></head><p>J=C3=B6rg &amp; <b>A</b>nn &#x41;&bad;<!-- c --> 1 < 2</p>",
            "Jörg & Ann A&bad; 1 < 2",
        );
        check(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--b\r\n\r\nplain\r\n--b--",
            "plain",
        );
        check("Content-Type: image/png\r\n\r\nx", "");
        check(&format!("A: b\r\n\r\n{}", "é".repeat(300)), &"é".repeat(200));
        check(&format!("A: b\r\n\r\n{} b", "a".repeat(199)), &"a".repeat(199));
    }
}
