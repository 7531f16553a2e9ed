//! FETCH's sections: any part of a message, right to the octet (RFC 9051 §6.4.5, RFC 3516).

use std::borrow::Cow;

use crate::header::header_fields;
use crate::structure::{Content, Encoding, Part, Structure};
use crate::transfer;

/// What of a part is meant (RFC 9051 §6.4.5.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SectionText {
    /// `HEADER`: of the message, with its empty line.
    Header,
    /// `HEADER.FIELDS` and `HEADER.FIELDS.NOT`.
    HeaderFields {
        /// All but those named.
        not: bool,
        /// In any case.
        names: Vec<String>,
    },
    /// `TEXT`: the message without its header.
    Text,
    /// `MIME`: the part's own header; never stands without a path.
    Mime,
}

/// What stands in the brackets of `BODY[…]` and `BINARY[…]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Section {
    /// Part numbers from 1; empty: the message.
    pub path: Vec<u32>,
    /// None: all of it.
    pub text: Option<SectionText>,
}

/// `BODY[section]`'s octets; none where the message has no such part.
pub fn section<'a>(raw: &'a [u8], structure: &Structure, section: &Section) -> Option<Cow<'a, [u8]>> {
    let part = structure.part(&section.path)?;
    let octets = |range: &std::ops::Range<usize>| raw.get(range.clone()).unwrap_or_default();
    // HEADER and TEXT behind a path speak of the message inside that part.
    let message = if section.path.is_empty() { Some(part) } else { part.message() };
    Some(Cow::Borrowed(match &section.text {
        None if section.path.is_empty() => raw,
        None => octets(&part.body),
        Some(SectionText::Mime) => octets(&part.header),
        Some(SectionText::Header) => octets(&message?.header),
        Some(SectionText::Text) => octets(&message?.body),
        Some(SectionText::HeaderFields { not, names }) => {
            return Some(Cow::Owned(header_fields(octets(&message?.header), names, *not)));
        }
    }))
}

/// The part's encoding is a word we don't know: BINARY answers `NO [UNKNOWN-CTE]` (RFC 3516 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the part has a Content-Transfer-Encoding that is not known")]
pub struct UnknownEncoding;

/// `BINARY[part]`'s octets: the body with its Content-Transfer-Encoding removed. Multiparts and messages have none
/// (RFC 2045 §6.4) and stay as they are.
///
/// # Errors
/// [`UnknownEncoding`].
pub fn decode_part<'a>(raw: &'a [u8], part: &Part) -> Result<Cow<'a, [u8]>, UnknownEncoding> {
    let body = raw.get(part.body.clone()).unwrap_or_default();
    if part.content == Content::Leaf { decode(body, part.encoding) } else { Ok(Cow::Borrowed(body)) }
}

pub(crate) fn decode(body: &[u8], encoding: Encoding) -> Result<Cow<'_, [u8]>, UnknownEncoding> {
    match encoding {
        Encoding::Identity => Ok(Cow::Borrowed(body)),
        Encoding::QuotedPrintable => Ok(transfer::quoted_printable(body)),
        Encoding::Base64 => Ok(Cow::Owned(transfer::base64(body))),
        Encoding::Unknown => Err(UnknownEncoding),
    }
}
