//! Octets to text: charsets, encoded words (RFC 2047), and the folding that searches and sorts compare by.

use std::borrow::Cow;

use encoding_rs::Encoding;
use unicode_normalization::char::decompose_compatible;

use crate::header::unfold;
use crate::transfer;

/// Text in a named charset. Where that is not known, or none is named: UTF-8 if it is, else windows-1252.
pub fn decode_text<'a>(octets: &'a [u8], charset: Option<&[u8]>) -> Cow<'a, str> {
    // Mailers write us-ascii over anything; a label that lies in this way is no label.
    let named = charset.and_then(Encoding::for_label).filter(|_| !charset.is_some_and(is_ascii_label));
    match named {
        Some(encoding) => encoding.decode_without_bom_handling(octets).0,
        None => match std::str::from_utf8(octets) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(octets).0,
        },
    }
}

fn is_ascii_label(charset: &[u8]) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968"].iter().any(|label| charset.eq_ignore_ascii_case(label.as_bytes()))
}

/// Whether in this charset each octet below 0x80 is that ASCII character, wherever it stands: then ASCII text can be
/// sought in the octets themselves.
pub(crate) fn is_ascii_transparent(charset: Option<&[u8]>) -> bool {
    charset.and_then(Encoding::for_label).is_none_or(|encoding| {
        encoding.is_single_byte() || encoding == encoding_rs::UTF_8 || encoding == encoding_rs::EUC_JP
    })
}

/// A field's value as people read it: unfolded, its encoded words decoded, raw 8-bit octets taken as UTF-8 or else as
/// windows-1252 (RFC 2047, RFC 6532).
pub fn decode_header_value(value: &[u8]) -> String {
    decode_words(&unfold(value)).into_owned()
}

/// Decodes the encoded words of an unfolded value.
pub(crate) fn decode_words(value: &[u8]) -> Cow<'_, str> {
    // Behind its last end there is no word, however many begin: known here, a long value costs no more than its length.
    let Some(last_end) = memchr::memmem::rfind(value, b"?=").filter(|_| memchr::memmem::find(value, b"=?").is_some())
    else {
        return decode_text(value, None);
    };
    let (value, tail) = value.split_at_checked(last_end + 2).unwrap_or((value, &[]));
    let mut text = String::with_capacity(value.len());
    // Octets of encoded words in a row, and their charset: a character may be split between two of them.
    let mut run: Option<(&[u8], Vec<u8>)> = None;
    let mut rest = value;
    while let Some(start) = memchr::memmem::find(rest, b"=?") {
        let (before, from) = rest.split_at_checked(start).unwrap_or((rest, &[]));
        let Some((word, behind)) = EncodedWord::read(from) else {
            end_run(&mut run, &mut text);
            let (mark, behind) = from.split_at_checked(2).unwrap_or((from, &[]));
            text.push_str(&decode_text(before, None));
            text.push_str(&decode_text(mark, None));
            rest = behind;
            continue;
        };
        // RFC 2047 §6.2: blanks between encoded words are not shown.
        let is_adjacent = run.is_some() && before.iter().all(u8::is_ascii_whitespace);
        if !is_adjacent {
            end_run(&mut run, &mut text);
            text.push_str(&decode_text(before, None));
        }
        match &mut run {
            Some((charset, octets)) if charset.eq_ignore_ascii_case(word.charset) => {
                octets.extend_from_slice(&word.octets);
            }
            _ => {
                end_run(&mut run, &mut text);
                run = Some((word.charset, word.octets));
            }
        }
        rest = behind;
    }
    end_run(&mut run, &mut text);
    text.push_str(&decode_text(rest, None));
    text.push_str(&decode_text(tail, None));
    Cow::Owned(text)
}

fn end_run(run: &mut Option<(&[u8], Vec<u8>)>, text: &mut String) {
    if let Some((charset, octets)) = run.take() {
        text.push_str(&decode_text(&octets, Some(charset)));
    }
}

/// `=?charset*language?encoding?text?=` (RFC 2047 §2, RFC 2231 §5).
struct EncodedWord<'a> {
    charset: &'a [u8],
    octets: Vec<u8>,
}

impl<'a> EncodedWord<'a> {
    /// Reads the word that `from` begins with, and says what is behind it.
    fn read(from: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let rest = from.strip_prefix(b"=?")?;
        let (label, rest) = rest.split_at_checked(memchr::memchr(b'?', rest)?)?;
        let [b'?', kind @ (b'B' | b'b' | b'Q' | b'q'), b'?', rest @ ..] = rest else { return None };
        let charset = label.split(|&octet| octet == b'*').next().unwrap_or(label);
        if charset.is_empty() || !charset.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let (encoded, behind) = rest.split_at_checked(memchr::memmem::find(rest, b"?=")?)?;
        let octets = if matches!(kind, b'B' | b'b') {
            transfer::base64(encoded)
        } else {
            let spaced: Vec<u8> = encoded.iter().map(|&octet| if octet == b'_' { b' ' } else { octet }).collect();
            let mut plain = Vec::with_capacity(spaced.len());
            transfer::escapes(&spaced, b'=', &mut plain);
            plain
        };
        Some((Self { charset, octets }, behind.get(2..).unwrap_or_default()))
    }
}

/// The form in which text is compared and sorted: that of i;unicode-casemap (RFC 5051 §2). Each character in title case, then taken apart
/// as Unicode's data say, again and again: `é` is `E` and an accent, `ﬁ` is `FI`. Character by character: a text's form is its characters'
/// forms in a row, so that a part of a text has a part of its form.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    let mut folded = String::with_capacity(text.len() + text.len() / 4);
    for character in text.chars() {
        put_folded(character, &mut folded, FOLDED_AGAIN);
    }
    folded
}

/// What title case or parting brings is looked at again, so often: Unicode needs it twice (`ǆ` is `ǅ`, that is `Dž`, and `ž` is `Ž`).
const FOLDED_AGAIN: u32 = 4;

fn put_folded(character: char, folded: &mut String, again: u32) {
    if character.is_ascii() {
        return folded.push(character.to_ascii_uppercase());
    }
    let title = title_case(character);
    // The data name no parts of Hangul's syllables: they are computed, which RFC 5051 doesn't.
    let is_whole = ('\u{ac00}'..='\u{d7a3}').contains(&title);
    if is_whole {
        return folded.push(title);
    }
    decompose_compatible(title, |part| {
        if again == 0 || part == character {
            folded.push(part);
        } else {
            put_folded(part, folded, again - 1);
        }
    });
}

/// `Simple_Titlecase_Mapping`. What has several characters in upper case has none; what that would be comes of its parts.
fn title_case(character: char) -> char {
    // Mkhedruli has capitals (Mtavruli) that no title begins with.
    if ('\u{10d0}'..='\u{10ff}').contains(&character) {
        return character;
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(decode_header_value(value.as_bytes()), expected, "{value}");
    }

    /// RFC 2047 §8 and §6.2.
    #[test]
    fn encoded_words_are_decoded() {
        check(" plain", "plain");
        check("=?ISO-8859-1?Q?a?=", "a");
        check("(=?ISO-8859-1?Q?a?= b)", "(a b)");
        check("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab");
        check("=?ISO-8859-1?Q?a?=\r\n  =?ISO-8859-1?Q?_b?=", "a b");
        check("=?utf-8*de?B?SsO2cmc=?= x", "Jörg x");
        check("=?utf-8?Q?J=C3?= =?UTF-8?Q?=B6rg?=", "Jörg");
        check("=?iso-8859-2?q?=B1?= =?utf-8?q?=C4=85?=", "ąą");
        check("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本");
        check("=?x?y?z?=", "=?x?y?z?=");
        check("=?utf-8?q?open", "=?utf-8?q?open");
        check("a =?us-ascii?Q?b c?= d", "a b c d");
        check("J\u{f6}rg", "Jörg");
        assert_eq!(decode_header_value(b"J\xf6rg"), "Jörg");
        assert_eq!(decode_text(b"J\xf6rg", Some(b"us-ascii")), "Jörg");
    }

    #[test]
    fn ascii_is_sought_in_octets_only_where_it_is_ascii() {
        for (charset, expected) in [
            (None, true),
            (Some("utf-8"), true),
            (Some("koi8-r"), true),
            (Some("unknown"), true),
            (Some("euc-kr"), false),
            (Some("shift_jis"), false),
            (Some("iso-2022-jp"), false),
            (Some("utf-16"), false),
        ] {
            assert_eq!(is_ascii_transparent(charset.map(str::as_bytes)), expected, "{charset:?}");
        }
    }

    #[test]
    fn folding_ignores_case() {
        assert_eq!(fold("Straße ΣΑΣ ς"), fold("straße σας Σ"));
        assert!(fold("c") < fold("_"), "RFC 5051: by upper case");
    }

    /// RFC 5051 §2: title case by the simple mapping, then parts by the data, as long as something changes; Hangul's syllables stay.
    #[test]
    fn folding_is_unicode_casemap() {
        for (text, expected) in [
            ("é", "E\u{301}"),
            ("É", "E\u{301}"),
            ("e\u{301}", "E\u{301}"),
            ("ệ", "E\u{323}\u{302}"),
            ("ﬁn", "FIN"),
            ("ſ", "S"),
            ("ı", "I"),
            ("İ", "I\u{307}"),
            ("ª", "A"),
            ("x²½", "X21\u{2044}2"),
            ("Ｗｉｄｅ", "WIDE"),
            ("ﾊﾟ", "ハ\u{309a}"),
            ("が", "か\u{3099}"),
            ("ǆ", "DZ\u{30c}"),
            ("ǅ", "DZ\u{30c}"),
            ("ᾳ", "ΑΙ"),
            ("ß", "ß"),
            ("ŉ", "\u{2bc}N"),
            ("µ", "Μ"),
            ("\u{212a}", "K"),
            ("ა", "ა"),
            ("Ა", "Ა"),
            ("한글", "한글"),
            ("\u{a0}…", " ..."),
        ] {
            assert_eq!(fold(text), expected, "{text}");
        }
    }
}
