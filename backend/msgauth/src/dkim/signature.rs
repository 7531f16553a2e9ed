//! The tags of a DKIM-Signature (RFC 6376 §3.5), shared with ARC-Message-Signature and ARC-Seal (RFC 8617 §4.1).

use data_encoding::BASE64;

use super::{Algorithm, Canonicalization};
use crate::tags::{Tags, TagsError, compact};

/// Octets of a field that are read.
pub(crate) const MOST_OCTETS: usize = 64 * 1024;
/// Names in `h=`.
const MOST_NAMES: usize = 1000;

/// A signature that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `a=`.
    pub algorithm: Algorithm,
    /// `b=`.
    pub signature: Vec<u8>,
    /// `bh=`.
    pub body_hash: Vec<u8>,
    /// `c=` for the header.
    pub header: Canonicalization,
    /// `c=` for the body.
    pub body: Canonicalization,
    /// `d=` in lower case: the signing domain.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// `h=`: the names of signed fields, in lower case.
    pub names: Vec<String>,
    /// `i=`: for whom it signs; `@DOMAIN` where it isn't said.
    pub identity: String,
    /// `l=`: octets of the canonical body that are signed; all where it isn't said.
    pub body_octets: Option<u64>,
    /// `t=`: seconds since 1970.
    pub signed_at: Option<u64>,
    /// `x=`: seconds since 1970.
    pub expires_at: Option<u64>,
}

/// Why a field is no signature that we verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No list of tags.
    #[error("the signature is no list of tags")]
    Tags(#[source] TagsError),
    /// Longer than is read, or no UTF-8.
    #[error("the signature can't be read")]
    Unreadable,
    /// A tag that must be there isn't.
    #[error("there is no {0}=")]
    Missing(&'static str),
    /// A tag's value is none that it may have.
    #[error("{0}= can't be read")]
    Malformed(&'static str),
    /// `a=` names what nobody knows.
    #[error("the algorithm `{0}` is unknown")]
    Algorithm(String),
    /// `a=rsa-sha1`: RFC 8301 §3.1 forbids it.
    #[error("sha1 is broken")]
    Sha1,
    /// `h=` doesn't name From (§5.4).
    #[error("From is not signed")]
    FromUnsigned,
    /// `i=` isn't at or below `d=` (§3.5).
    #[error("i= is outside d=")]
    IdentityOutside,
}

impl SignatureError {
    /// What is to blame, as it stands in the field, or should.
    pub fn culprit(&self) -> String {
        match self {
            Self::Tags(error) => error.culprit(),
            Self::Unreadable => String::new(),
            Self::Missing(tag) | Self::Malformed(tag) => format!("{tag}="),
            Self::Algorithm(name) => format!("a={name}"),
            Self::Sha1 => "a=rsa-sha1".to_owned(),
            Self::FromUnsigned => "h=".to_owned(),
            Self::IdentityOutside => "i=".to_owned(),
        }
    }
}

/// The list of tags in a field's value.
pub(crate) fn read_tags(value: &[u8]) -> Result<Tags<'_>, SignatureError> {
    let text = str::from_utf8(value).ok().filter(|text| text.len() <= MOST_OCTETS).ok_or(SignatureError::Unreadable)?;
    Tags::parse(text).map_err(SignatureError::Tags)
}

pub(crate) fn algorithm(tags: &Tags<'_>) -> Result<Algorithm, SignatureError> {
    match tags.value("a").ok_or(SignatureError::Missing("a"))? {
        "rsa-sha256" => Ok(Algorithm::RsaSha256),
        "ed25519-sha256" => Ok(Algorithm::Ed25519Sha256),
        "rsa-sha1" => Err(SignatureError::Sha1),
        other => Err(SignatureError::Algorithm(other.to_owned())),
    }
}

pub(crate) fn base64(tags: &Tags<'_>, tag: &'static str) -> Result<Vec<u8>, SignatureError> {
    let text = tags.compact(tag).ok_or(SignatureError::Missing(tag))?;
    let octets = BASE64.decode(text.as_bytes()).map_err(|_| SignatureError::Malformed(tag))?;
    if octets.is_empty() { Err(SignatureError::Malformed(tag)) } else { Ok(octets) }
}

/// `d=` or `s=`: labels with dots between them; U-labels become A-labels (RFC 8616 §4).
pub(crate) fn name(tags: &Tags<'_>, tag: &'static str) -> Result<String, SignatureError> {
    let text = tags.value(tag).ok_or(SignatureError::Missing(tag))?;
    let domain = relais_model::Domain::parse(text).ok().filter(|domain| !domain.is_literal());
    domain.map(|domain| domain.as_str().to_owned()).ok_or(SignatureError::Malformed(tag))
}

/// `t=`, `x=` or `l=`: digits alone, up to twelve for times (§3.5).
pub(crate) fn number(tags: &Tags<'_>, tag: &'static str) -> Result<Option<u64>, SignatureError> {
    let Some(digits) = tags.value(tag) else { return Ok(None) };
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_number);
    number.map(Some).ok_or(SignatureError::Malformed(tag))
}

/// `h=`. An empty name names nothing.
pub(crate) fn names(tags: &Tags<'_>) -> Result<Vec<String>, SignatureError> {
    let list = tags.value("h").ok_or(SignatureError::Missing("h"))?;
    let names = list.split(':').map(|name| compact(name).to_ascii_lowercase());
    let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    let is_name = |name: &String| name.bytes().all(|octet| octet.is_ascii_graphic());
    if names.len() > MOST_NAMES || !names.iter().all(is_name) {
        return Err(SignatureError::Malformed("h"));
    }
    Ok(names)
}

/// `c=`; what isn't said at all is `unsaid`, a body that isn't said is simple (§3.5).
fn canonicalizations(
    tags: &Tags<'_>,
    unsaid: &'static str,
) -> Result<(Canonicalization, Canonicalization), SignatureError> {
    let text = tags.value("c").unwrap_or(unsaid);
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    match (Canonicalization::parse(header), Canonicalization::parse(body)) {
        (Some(header), Some(body)) => Ok((header, body)),
        _ => Err(SignatureError::Malformed("c")),
    }
}

impl Signature {
    /// Reads the value of a DKIM-Signature field, folds and all.
    ///
    /// # Errors
    /// [`SignatureError`]: it can't be verified.
    pub fn parse(value: &[u8]) -> Result<Self, SignatureError> {
        let tags = read_tags(value)?;
        match tags.value("v") {
            Some("1") => {}
            Some(_) => return Err(SignatureError::Malformed("v")),
            None => return Err(SignatureError::Missing("v")),
        }
        let signature = Self::parse_tags(&tags, "simple/simple")?;
        let methods = tags.compact("q").unwrap_or_else(|| "dns/txt".to_owned());
        if !methods.split(':').any(|method| method == "dns/txt") {
            return Err(SignatureError::Malformed("q"));
        }
        let identity = tags.value("i").map_or_else(|| format!("@{}", signature.domain), str::to_owned);
        let (_, at) = identity.rsplit_once('@').ok_or(SignatureError::Malformed("i"))?;
        let at = relais_model::Domain::parse(at).map_err(|_| SignatureError::Malformed("i"))?;
        if !is_within(at.as_str(), &signature.domain) {
            return Err(SignatureError::IdentityOutside);
        }
        if !signature.names.iter().any(|name| name == "from") {
            return Err(SignatureError::FromUnsigned);
        }
        if signature.signed_at.zip(signature.expires_at).is_some_and(|(signed, expires)| expires <= signed) {
            return Err(SignatureError::Malformed("x"));
        }
        Ok(Self { identity, ..signature })
    }

    /// The tags that ARC-Message-Signature has as well; the identity is left empty. `unsaid` stands for a missing `c=`.
    pub(crate) fn parse_tags(tags: &Tags<'_>, unsaid: &'static str) -> Result<Self, SignatureError> {
        let (header, body) = canonicalizations(tags, unsaid)?;
        Ok(Self {
            algorithm: algorithm(tags)?,
            signature: base64(tags, "b")?,
            body_hash: base64(tags, "bh")?,
            header,
            body,
            domain: name(tags, "d")?,
            selector: name(tags, "s")?,
            names: names(tags)?,
            identity: String::new(),
            body_octets: number(tags, "l")?,
            signed_at: number(tags, "t")?,
            expires_at: number(tags, "x")?,
        })
    }

    /// Where the key stands (§3.6.2.1).
    pub fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }
}

/// Whether `name` is `domain` or stands below it; both in lower case.
pub(crate) fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// A signature's own field as it is hashed: the value of `b=` is left out with all blanks around it (§3.7).
pub(crate) fn without_signature(field: &[u8]) -> Vec<u8> {
    let colon = field.iter().position(|octet| *octet == b':').map_or(0, |at| at + 1);
    let (name, value) = field.split_at_checked(colon).unwrap_or((&[], field));
    let mut out = name.to_vec();
    for (at, part) in value.split(|octet| *octet == b';').enumerate() {
        if at > 0 {
            out.push(b';');
        }
        let equals = part.iter().position(|octet| *octet == b'=').unwrap_or(part.len());
        let is_b = part.get(..equals).is_some_and(|name| name.trim_ascii() == b"b");
        out.extend_from_slice(if is_b { part.get(..=equals).unwrap_or(part) } else { part });
    }
    // Where b= was last, the field's line end went with it.
    if field.ends_with(b"\n") && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = " v=1; a=rsa-sha256; d=Example.ORG; s=sel; h=From:\r\n To; bh=AAAA; b=AA\r\n AA";

    #[test]
    fn signatures_are_read() {
        let read = Signature::parse(GOOD.as_bytes()).unwrap();
        assert_eq!((read.domain.as_str(), read.identity.as_str()), ("example.org", "@example.org"));
        assert_eq!((read.header, read.body), (Canonicalization::Simple, Canonicalization::Simple));
        assert_eq!((read.names, read.signature), (vec!["from".to_owned(), "to".to_owned()], vec![0, 0, 0]));
    }

    #[test]
    fn faults_are_told_apart() {
        let check = |from: &str, to: &str, expected: SignatureError| {
            assert_eq!(Signature::parse(GOOD.replace(from, to).as_bytes()), Err(expected), "{to}");
        };
        check("v=1", "v=2", SignatureError::Malformed("v"));
        check("v=1; ", "", SignatureError::Missing("v"));
        check("rsa-sha256", "rsa-sha1", SignatureError::Sha1);
        check("rsa-sha256", "rsa-md5", SignatureError::Algorithm("rsa-md5".into()));
        check("From:", "Sender:", SignatureError::FromUnsigned);
        check("s=sel", "s=sel; i=a@other.example", SignatureError::IdentityOutside);
        check("s=sel", "s=sel; i=a@notexample.org", SignatureError::IdentityOutside);
        check("s=sel", "s=sel; t=2; x=1", SignatureError::Malformed("x"));
        check("s=sel", "s=sel; l=-1", SignatureError::Malformed("l"));
        check("s=sel", "s=sel; c=none", SignatureError::Malformed("c"));
        check("bh=AAAA", "bh=A", SignatureError::Malformed("bh"));
        check("d=Example.ORG; ", "", SignatureError::Missing("d"));
    }

    #[test]
    fn only_the_value_of_b_is_left_out() {
        let check = |field: &str, expected: &str| {
            assert_eq!(String::from_utf8(without_signature(field.as_bytes())).unwrap(), expected);
        };
        check("X: bh=1; b=AA\r\n BB ; c=b=2\r\n", "X: bh=1; b=; c=b=2\r\n");
        check("X: bh=1; b = AA\r\n BB\r\n", "X: bh=1; b =\r\n");
    }
}
