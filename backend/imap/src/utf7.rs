//! Mailbox names for clients of IMAP4rev1 that didn't enable UTF-8: modified UTF-7 (RFC 3501 §5.1.3).
//!
//! Each name has one written form here, so `decode` refuses every other one: two spellings of a name would be two mailboxes
//! to a client and one to us.

/// Why a text is no modified UTF-7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Utf7Error {
    /// An octet outside printing US-ASCII stands for itself.
    #[error("an octet outside printing ASCII")]
    NotAscii,
    /// `&` without its `-`.
    #[error("an & without its -")]
    Unclosed,
    /// An octet outside the modified base64 alphabet, or bits left over that aren't zero.
    #[error("the text between & and - is no modified base64")]
    Base64,
    /// Surrogates that don't pair.
    #[error("the text between & and - is no UTF-16")]
    Utf16,
    /// What may stand for itself was encoded, or two encoded runs touch.
    #[error("there is a shorter way to write this name")]
    NotShortest,
}

/// RFC 3501 §5.1.3: `,` stands where base64 has `/`.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

const fn is_direct(character: char) -> bool {
    matches!(character, ' '..='~')
}

/// The written form of `name`.
pub fn encode(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_run_direct = is_direct(first);
        let end = rest.find(|character| is_direct(character) != is_run_direct).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if is_run_direct {
            text.push_str(&run.replace('&', "&-"));
        } else {
            encode_run(run, &mut text);
        }
        rest = after;
    }
    text
}

fn encode_run(run: &str, text: &mut String) {
    text.push('&');
    // Bits not yet written are the low `count` ones.
    let (mut bits, mut count) = (0_u32, 0_u32);
    for unit in run.encode_utf16() {
        bits = (bits << 16) | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            text.push(letter(bits >> count));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        text.push(letter(bits << (6 - count)));
    }
    text.push('-');
}

fn letter(bits: u32) -> char {
    let at = usize::try_from(bits & 0x3f).unwrap_or_default();
    ALPHABET.get(at).copied().map_or('A', char::from)
}

/// The name that `text` writes.
pub fn decode(text: &str) -> Result<String, Utf7Error> {
    if !text.chars().all(is_direct) {
        return Err(Utf7Error::NotAscii);
    }
    let mut name = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_after_run = false;
    while let Some((direct, encoded)) = rest.split_once('&') {
        name.push_str(direct);
        let (run, after) = encoded.split_once('-').ok_or(Utf7Error::Unclosed)?;
        if run.is_empty() {
            name.push('&');
            is_after_run = false;
        } else {
            // `&…-&…-` could have been one run.
            if is_after_run && direct.is_empty() {
                return Err(Utf7Error::NotShortest);
            }
            decode_run(run, &mut name)?;
            is_after_run = true;
        }
        rest = after;
    }
    name.push_str(rest);
    Ok(name)
}

fn decode_run(run: &str, name: &mut String) -> Result<(), Utf7Error> {
    let mut units = Vec::with_capacity(run.len() * 6 / 16);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for octet in run.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == octet).ok_or(Utf7Error::Base64)?;
        bits = (bits << 6) | u32::try_from(value).unwrap_or_default();
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push(u16::try_from((bits >> count) & 0xffff).unwrap_or_default());
            bits &= (1 << count) - 1;
        }
    }
    // Six bits left over would be a letter too many; others are padding, which is zero.
    if count >= 6 || bits != 0 {
        return Err(Utf7Error::Base64);
    }
    for character in char::decode_utf16(units) {
        let character = character.map_err(|_| Utf7Error::Utf16)?;
        if is_direct(character) {
            return Err(Utf7Error::NotShortest);
        }
        name.push(character);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(name: &str, text: &str) {
        assert_eq!(encode(name), text);
        assert_eq!(decode(text).as_deref(), Ok(name));
    }

    #[track_caller]
    fn refuse(text: &str, error: Utf7Error) {
        assert_eq!(decode(text), Err(error), "{text}");
    }

    /// RFC 3501 §5.1.3.
    #[test]
    fn names_have_one_written_form() {
        check("INBOX/a b", "INBOX/a b");
        check("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        check("pää", "p&AOQA5A-");
        check("Tom & Jerry", "Tom &- Jerry");
        check("&-", "&--");
        check("😀", "&2D3eAA-");
        check("", "");
        check("é&é", "&AOk-&-&AOk-");
    }

    #[test]
    fn other_forms_are_refused() {
        refuse("pä", Utf7Error::NotAscii);
        refuse("a\u{7f}", Utf7Error::NotAscii);
        refuse("a&", Utf7Error::Unclosed);
        refuse("a&AOQ", Utf7Error::Unclosed);
        refuse("&AO/-", Utf7Error::Base64);
        refuse("&AOR-", Utf7Error::Base64);
        refuse("&A-", Utf7Error::Base64);
        refuse("&AOQA-", Utf7Error::Base64);
        refuse("&2D0-", Utf7Error::Utf16);
        refuse("&AGE-", Utf7Error::NotShortest);
        refuse("&ACY-", Utf7Error::NotShortest);
        // RFC 3501 §5.1.3: "&U,BTFw-&ZeVnLIqe-" is not permitted.
        refuse("&U,BTFw-&ZeVnLIqe-", Utf7Error::NotShortest);
    }

    proptest! {
        #[test]
        fn decode_is_the_inverse_of_encode(name: String) {
            let text = encode(&name);
            prop_assert_eq!(decode(&text), Ok(name));
        }

        #[test]
        fn what_decodes_encodes_to_itself(text in "[&A-Ca,+-]{0,12}") {
            if let Ok(name) = decode(&text) {
                prop_assert_eq!(encode(&name), text);
            }
        }
    }
}
