//! Addresses as RFC 5321 §4.1.2 writes them, with RFC 6531's UTF-8.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@`, or nothing before it.
    #[error("an address is written local-part@domain")]
    Shape,
    /// RFC 5321 §4.5.3.1.1.
    #[error("the local part has {0} octets; 1 to 64 are allowed")]
    LocalPartLength(usize),
    /// A control character, or a character that must be quoted and isn't.
    #[error("the local part holds a character that must not stand there")]
    LocalPartCharacter,
    /// The part after the `@`.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

/// Why a text is no domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// RFC 5321 §4.5.3.1.2.
    #[error("the domain has {0} octets; 1 to 255 are allowed")]
    Length(usize),
    /// Not a host name by RFC 5321 §4.1.2 nor by RFC 5890.
    #[error("`{0}` is no domain name")]
    Name(String),
    /// `[…]` without an IP address inside (RFC 5321 §4.1.3).
    #[error("`{0}` is no address literal")]
    Literal(String),
}

/// A local part, unquoted: 1 to 64 octets (RFC 5321 §4.5.3.1.1). Case is kept (§2.4); UTF-8 as RFC 6531 allows.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalPart(String);

impl LocalPart {
    /// Takes a local part as it stands on the wire: a dot-string, or a quoted-string whose quotes are removed.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let bare = match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => unquote(quoted)?,
            None if is_dot_string(text) => text.to_owned(),
            None if text.is_empty() => return Err(AddressError::LocalPartLength(0)),
            None => return Err(AddressError::LocalPartCharacter),
        };
        match bare.len() {
            1..=64 => Ok(Self(bare)),
            octets => Err(AddressError::LocalPartLength(octets)),
        }
    }

    /// Without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// False where only SMTPUTF8 can carry it.
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

fn unquote(quoted: &str) -> Result<String, AddressError> {
    let mut bare = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped) if !escaped.is_control() => bare.push(escaped),
                _ => return Err(AddressError::LocalPartCharacter),
            },
            '"' => return Err(AddressError::LocalPartCharacter),
            plain if plain.is_control() => return Err(AddressError::LocalPartCharacter),
            plain => bare.push(plain),
        }
    }
    Ok(bare)
}

/// atext, with RFC 6531's UTF8-non-ascii.
fn is_atext(character: char) -> bool {
    match character {
        ascii if ascii.is_ascii_alphanumeric() => true,
        '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^' | '_' | '`' | '{' | '|' | '}'
        | '~' => true,
        other => !other.is_ascii() && !other.is_control(),
    }
}

fn is_dot_string(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

impl fmt::Display for LocalPart {
    /// As it stands on the wire: quoted where it must be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.0) {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{character}")?;
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A DNS name as A-labels in lower case without the last dot (RFC 5890), or an address literal in brackets (RFC 5321
/// §4.1.3): 1 to 255 octets.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

impl Domain {
    /// Takes A-labels, U-labels or an address literal.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        if let Some(literal) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return parse_literal(literal).ok_or_else(|| DomainError::Literal(text.to_owned())).map(Self);
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let bad = || DomainError::Name(text.to_owned());
        let ascii = if is_host_name(name) {
            name.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(name).map_err(|_| bad())?
        };
        match ascii.len() {
            1..=255 if is_host_name(&ascii) => Ok(Self(ascii)),
            octets @ (0 | 256..) => Err(DomainError::Length(octets)),
            _ => Err(bad()),
        }
    }

    /// A-labels in lower case, or the literal with its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As people read it: U-labels.
    pub fn to_unicode(&self) -> String {
        if self.is_literal() { self.0.clone() } else { idna::domain_to_unicode(&self.0).0 }
    }

    /// `[192.0.2.1]` or `[IPv6:…]`.
    pub fn is_literal(&self) -> bool {
        self.0.starts_with('[')
    }
}

fn parse_literal(literal: &str) -> Option<String> {
    if let Ok(address) = literal.parse::<Ipv4Addr>() {
        return Some(format!("[{address}]"));
    }
    let (tag, rest) = literal.split_at_checked(5)?;
    let address: Ipv6Addr = if tag.eq_ignore_ascii_case("ipv6:") { rest.parse().ok()? } else { return None };
    Some(format!("[IPv6:{address}]"))
}

/// Letters, digits, hyphens inside, and underscores (they occur, though RFC 5321 §4.1.2 has none): labels of 1 to 63 octets.
fn is_host_name(name: &str) -> bool {
    name.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    })
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `local@domain` (RFC 5321 §2.3.11). Prints as it stands on the wire, with A-labels.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Before the last `@` outside quotes.
    pub local_part: LocalPart,
    /// After it.
    pub domain: Domain,
}

impl Address {
    /// Takes `local@domain`, without angle brackets.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Shape)?;
        Ok(Self { local_part: LocalPart::parse(local)?, domain: Domain::parse(domain)? })
    }

    /// True where only SMTPUTF8 can carry it (RFC 6531): the domain is always A-labels here.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local_part.is_ascii()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, AddressError>) {
        assert_eq!(Address::parse(text).map(|address| address.to_string()), expected.map(str::to_owned), "{text}");
    }

    /// RFC 5321 §4.1.2, RFC 6531 §3.3.
    #[test]
    fn addresses_are_taken_as_the_rfc_writes_them() {
        check("Ann.Lee@Example.ORG", Ok("Ann.Lee@example.org"));
        check("\"a b\"@example.org", Ok("\"a b\"@example.org"));
        check("\"plain\"@example.org", Ok("plain@example.org"));
        check("\"a@b\\\"c\"@example.org", Ok("\"a@b\\\"c\"@example.org"));
        check("jörg@bücher.example", Ok("jörg@xn--bcher-kva.example"));
        check("a@[192.0.2.1]", Ok("a@[192.0.2.1]"));
        check("a@[ipv6:2001:DB8::1]", Ok("a@[IPv6:2001:db8::1]"));
        check("nobody", Err(AddressError::Shape));
        check("@example.org", Err(AddressError::LocalPartLength(0)));
        check("a..b@example.org", Err(AddressError::LocalPartCharacter));
        check("a b@example.org", Err(AddressError::LocalPartCharacter));
        check("a@", Err(AddressError::Domain(DomainError::Length(0))));
        check("a@-x.org", Err(AddressError::Domain(DomainError::Name("-x.org".into()))));
        check("a@[192.0.2]", Err(AddressError::Domain(DomainError::Literal("[192.0.2]".into()))));
        check(&format!("{}@example.org", "a".repeat(65)), Err(AddressError::LocalPartLength(65)));
    }

    #[test]
    fn people_read_u_labels() {
        assert_eq!(Domain::parse("xn--bcher-kva.example").unwrap().to_unicode(), "bücher.example");
    }
}
