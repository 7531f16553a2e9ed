//! Octets to text: charsets, encoded words (RFC 2047), and the folding that searches and sorts compare by.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use unicode_normalization::char::decompose_compatible;

use crate::header::unfold;
use crate::transfer;

/// So many octets beyond ASCII say what charset they are of; fewer are windows-1252.
const FEWEST_GUESSED: usize = 8;
/// Octets of a text by which its charset is guessed, from the first one on that isn't ASCII.
const MOST_GUESSED: usize = 64 * 1024;

/// Text in a named charset. Where that is not known, or none is named: UTF-8 if it is, else what it looks like.
pub fn decode_text<'a>(octets: &'a [u8], charset: Option<&[u8]>) -> Cow<'a, str> {
    match named(charset) {
        Some(encoding) => encoding.decode_without_bom_handling(octets).0,
        None => match std::str::from_utf8(octets) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => guess(octets).decode_without_bom_handling(octets).0,
        },
    }
}

/// The charset of this name. Mailers write us-ascii over anything; a label that lies in this way is no label.
fn named(charset: Option<&[u8]>) -> Option<&'static Encoding> {
    charset.filter(|charset| !is_ascii_label(charset)).and_then(Encoding::for_label)
}

/// The charset of octets that aren't UTF-8, by how often in each what they would be stands beside what (decision 62).
fn guess(octets: &[u8]) -> &'static Encoding {
    let mut others = octets.iter().enumerate().filter(|(_, octet)| !octet.is_ascii()).map(|(at, _)| at);
    let (Some(first), Some(_)) = (others.next(), others.nth(FEWEST_GUESSED - 2)) else {
        return encoding_rs::WINDOWS_1252;
    };
    // The detector looks at two octets before the first, too.
    let from = octets.get(first.saturating_sub(2)..).unwrap_or_default();
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    // Never as the last octets: a text that was cut within a character is still of its charset, UTF-8 among them.
    detector.feed(from.get(..MOST_GUESSED).unwrap_or(from), false);
    detector.guess(None, Utf8Detection::Allow)
}

fn is_ascii_label(charset: &[u8]) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968"].iter().any(|label| charset.eq_ignore_ascii_case(label.as_bytes()))
}

/// Whether in these octets of this charset each one below 0x80 is that ASCII character, wherever it stands: then ASCII text can be sought in
/// the octets themselves. Where the charset must be guessed, they are ASCII.
pub(crate) fn is_ascii_transparent(octets: &[u8], charset: Option<&[u8]>) -> bool {
    match named(charset) {
        Some(encoding) => {
            encoding.is_single_byte() || encoding == encoding_rs::UTF_8 || encoding == encoding_rs::EUC_JP
        }
        None => octets.is_ascii(),
    }
}

/// A field's value as people read it: unfolded, its encoded words decoded, raw 8-bit octets taken as UTF-8 or else as what they look like
/// (RFC 2047, RFC 6532).
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
        for (charset, octets, expected) in [
            (None, "plain", true),
            (None, "für", false),
            (Some("us-ascii"), "plain", true),
            (Some("us-ascii"), "für", false),
            (Some("unknown"), "plain", true),
            (Some("unknown"), "für", false),
            (Some("utf-8"), "für", true),
            (Some("koi8-r"), "für", true),
            (Some("euc-kr"), "plain", false),
            (Some("shift_jis"), "plain", false),
            (Some("iso-2022-jp"), "plain", false),
            (Some("utf-16"), "plain", false),
        ] {
            let charset = charset.map(str::as_bytes);
            assert_eq!(is_ascii_transparent(octets.as_bytes(), charset), expected, "{charset:?} {octets}");
        }
    }

    /// Mailers leave the charset out, or say us-ascii, over any of them.
    #[test]
    fn undeclared_charsets_are_known_by_their_text() {
        let traditional =
            "您好，感謝您的來信。我們已經收到您的訂單，並將於明天上午寄出商品。如有任何問題，請隨時與我們聯絡，謝謝。";
        let simplified =
            "您好，感谢您的来信。我们已经收到您的订单，并将于明天上午寄出商品。如有任何问题，请随时与我们联系，谢谢。";
        let japanese = "お世話になっております。先日ご注文いただいた商品は、明日の午前中に発送いたします。ご不明な点がございましたら、お気軽にお問い合わせください。";
        let korean = "안녕하세요. 보내 주신 메일 잘 받았습니다. 주문하신 상품은 내일 오전에 발송될 예정입니다. 궁금한 점이 있으시면 언제든지 연락해 주시기 바랍니다.";
        let russian = "Здравствуйте! Мы получили ваше письмо и отправим заказ завтра утром. Если у вас есть вопросы, пишите нам в любое время. Спасибо!";
        let french = "Bonjour, nous avons bien reçu votre commande et l'expédierons très tôt demain. Si vous avez la moindre question, écrivez-nous à tout moment. À bientôt, l'équipe des ventes";
        let german = "Grüße aus Köln! Für Ihre Bestellung über fünf Äpfel danken wir; natürlich können Sie sie jederzeit zurückgeben.";
        for (encoding, text) in [
            (encoding_rs::BIG5, traditional),
            (encoding_rs::GB18030, simplified),
            (encoding_rs::SHIFT_JIS, japanese),
            (encoding_rs::EUC_JP, japanese),
            (encoding_rs::EUC_KR, korean),
            (encoding_rs::WINDOWS_1251, russian),
            (encoding_rs::KOI8_R, russian),
            (encoding_rs::WINDOWS_1252, french),
            (encoding_rs::WINDOWS_1252, german),
            (encoding_rs::UTF_8, japanese),
        ] {
            let (octets, _, is_lossy) = encoding.encode(text);
            assert!(!is_lossy, "{}", encoding.name());
            for charset in [None, Some("us-ascii"), Some("x-unknown")] {
                let decoded = decode_text(&octets, charset.map(str::as_bytes));
                assert_eq!(decoded, text, "{} as {charset:?}", encoding.name());
            }
            // Cut within a character, it is still the same.
            let cut = decode_text(octets.split_last().unwrap().1, None).into_owned();
            let same = text.char_indices().nth_back(1).map_or(0, |(at, _)| at);
            assert!(cut.starts_with(&text[..same]), "{}: {cut}", encoding.name());
            // However late it begins.
            let late = [vec![b' '; MOST_GUESSED].as_slice(), octets.as_ref()].concat();
            assert!(decode_text(&late, None).ends_with(text), "{}", encoding.name());
        }
        // Too few to tell.
        assert_eq!(decode_text(b"\xc4\xe3\xba\xc3", None), "ÄãºÃ");
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
