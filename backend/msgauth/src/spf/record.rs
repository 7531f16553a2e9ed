//! SPF records (RFC 7208): the grammar. [`check`] evaluates them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::macros;

/// Terms that cost a look-up, in a record and all that it includes (RFC 7208 §4.6.4).
pub const MOST_LOOKUPS: u32 = 10;
/// Look-ups that may find nothing (RFC 7208 §4.6.4).
pub const MOST_VOID_LOOKUPS: u32 = 2;
/// Octets of a record that are read; one that long has no place in an answer over UDP by far.
const MOST_OCTETS: usize = 8192;

/// Whether a TXT record claims to be an SPF record (RFC 7208 §4.5): `v=spf1`, then a space or nothing.
pub fn is_spf(octets: &[u8]) -> bool {
    let Some((version, rest)) = octets.split_at_checked(6) else { return false };
    version.eq_ignore_ascii_case(b"v=spf1") && matches!(rest, [] | [b' ', ..])
}

/// A record that was read. Prints in one spelling, which reads as the same record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spf {
    /// In their order.
    pub terms: Vec<Term>,
}

/// One term of a record (RFC 7208 §4.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// What to say of an address that the mechanism matches.
    Directive(Qualifier, Mechanism),
    /// Whose record decides where nothing matched (§6.1): a domain-spec.
    Redirect(String),
    /// Any other modifier, `exp` among them: name and value, kept as they stand (§6).
    Modifier(String, String),
}

/// What to say of a match (RFC 7208 §4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the RFC's own words")]
pub enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// Who is meant (RFC 7208 §5). Domain-specs may hold macros (§7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Everybody.
    All,
    /// Whoever that domain's record passes.
    Include(String),
    /// The addresses of a name (the domain itself where none is given), or networks around them.
    A(Option<String>, Lengths),
    /// The addresses of a domain's MX hosts, or networks around them.
    Mx(Option<String>, Lengths),
    /// Whose reverse name lies below the domain: slow, and "SHOULD NOT be published" (§5.5).
    Ptr(Option<String>),
    /// A network, with the length of its prefix.
    Ip4(Ipv4Addr, u8),
    /// A network, with the length of its prefix.
    Ip6(Ipv6Addr, u8),
    /// Everybody, where that name has an A record.
    Exists(String),
}

/// Lengths of prefixes around addresses: 32 and 128 mean the addresses themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// 0 to 32.
    pub v4: u8,
    /// 0 to 128.
    pub v6: u8,
}

impl Lengths {
    /// The addresses themselves.
    pub const WHOLE: Self = Self { v4: 32, v6: 128 };
}

/// Why a record can't be read: receivers answer permerror (RFC 7208 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpfError {
    /// It doesn't begin with `v=spf1`.
    #[error("the record does not begin with v=spf1")]
    Version,
    /// A term that is none.
    #[error("`{0}` is no term")]
    Term(String),
    /// `redirect` or `exp` stands twice (§6).
    #[error("`{0}` stands twice")]
    Doubled(&'static str),
    /// Longer than is read.
    #[error("the record is too long")]
    TooLong,
}

impl SpfError {
    /// What is to blame, as it stands in the record, or should.
    pub fn culprit(&self) -> String {
        match self {
            Self::Version | Self::TooLong => "v=spf1".to_owned(),
            Self::Term(term) => term.clone(),
            Self::Doubled(name) => format!("{name}="),
        }
    }
}

impl Spf {
    /// Reads a record.
    ///
    /// # Errors
    /// [`SpfError`] where a receiver says permerror.
    pub fn parse(text: &str) -> Result<Self, SpfError> {
        if text.len() > MOST_OCTETS {
            return Err(SpfError::TooLong);
        }
        if !is_spf(text.as_bytes()) {
            return Err(SpfError::Version);
        }
        let mut terms = Vec::new();
        for word in text.get(6..).unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
            terms.push(Term::parse(word).ok_or_else(|| SpfError::Term(word.to_owned()))?);
        }
        let count = |is_one: fn(&Term) -> bool| terms.iter().filter(|term| is_one(term)).count();
        if count(|term| matches!(term, Term::Redirect(_))) > 1 {
            return Err(SpfError::Doubled("redirect"));
        }
        if count(|term| matches!(term, Term::Modifier(name, _) if name == "exp")) > 1 {
            return Err(SpfError::Doubled("exp"));
        }
        Ok(Self { terms })
    }

    /// What it says of whom nothing else matches; none where no `all` stands in it.
    pub fn all(&self) -> Option<Qualifier> {
        self.terms.iter().find_map(|term| match term {
            Term::Directive(qualifier, Mechanism::All) => Some(*qualifier),
            _ => None,
        })
    }

    /// Where the domain explains a fail (§6.2): a domain-spec.
    pub fn explanation(&self) -> Option<&str> {
        self.terms.iter().find_map(|term| match term {
            Term::Modifier(name, spec) if name == "exp" => Some(spec.as_str()),
            _ => None,
        })
    }

    /// Whose record decides where nothing matched; an `all` makes it void (RFC 7208 §6.1).
    pub fn redirect(&self) -> Option<&str> {
        let redirect =
            self.terms.iter().find_map(|term| if let Term::Redirect(to) = term { Some(to.as_str()) } else { None });
        redirect.filter(|_| self.all().is_none())
    }

    /// Mechanisms behind the first `all`: nobody reaches them (RFC 7208 §5.1).
    pub fn unreached(&self) -> impl Iterator<Item = &Term> {
        let behind = self.terms.iter().skip_while(|term| !term.is_all()).skip(1);
        behind.filter(|term| matches!(term, Term::Directive(..)))
    }

    /// How many terms of the record itself cost a look-up, without those that it includes.
    pub fn own_lookups(&self) -> u32 {
        let costs = self.terms.iter().filter(|term| match term {
            Term::Directive(_, mechanism) => mechanism.costs_lookup(),
            Term::Redirect(_) => self.redirect().is_some(),
            Term::Modifier(..) => false,
        });
        u32::try_from(costs.count()).unwrap_or(u32::MAX)
    }
}

impl Term {
    /// Whether everybody is meant.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::Directive(_, Mechanism::All))
    }

    /// Reads one word of a record; none where it is no term.
    pub fn parse(word: &str) -> Option<Self> {
        // A modifier has `=` where a mechanism has `:`, `/` or nothing.
        let name_end = word.find(|letter: char| !is_name_letter(letter)).unwrap_or(word.len());
        let (name, rest) = word.split_at_checked(name_end)?;
        if let Some(value) = rest.strip_prefix('=') {
            let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
            let name = name.to_ascii_lowercase();
            return match name.as_str() {
                _ if !is_name => None,
                "redirect" => domain_spec(value).map(Self::Redirect),
                "exp" => Some(Self::Modifier(name, domain_spec(value)?)),
                _ => macros::is_macro_string(value).then(|| Self::Modifier(name, value.to_owned())),
            };
        }
        let (qualifier, mechanism) = match word.split_at_checked(1)? {
            ("+", mechanism) => (Qualifier::Pass, mechanism),
            ("-", mechanism) => (Qualifier::Fail, mechanism),
            ("~", mechanism) => (Qualifier::SoftFail, mechanism),
            ("?", mechanism) => (Qualifier::Neutral, mechanism),
            _ => (Qualifier::Pass, word),
        };
        Mechanism::parse(mechanism).map(|mechanism| Self::Directive(qualifier, mechanism))
    }
}

const fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

impl Mechanism {
    fn parse(text: &str) -> Option<Self> {
        let name_end = text.find([':', '/']).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(name_end)?;
        let argument = rest.strip_prefix(':');
        match name.to_ascii_lowercase().as_str() {
            "all" => rest.is_empty().then_some(Self::All),
            "include" => domain_spec(argument?).map(Self::Include),
            "exists" => domain_spec(argument?).map(Self::Exists),
            "ptr" if rest.is_empty() => Some(Self::Ptr(None)),
            "ptr" => Some(Self::Ptr(Some(domain_spec(argument?)?))),
            "a" => name_and_lengths(rest).map(|(name, lengths)| Self::A(name, lengths)),
            "mx" => name_and_lengths(rest).map(|(name, lengths)| Self::Mx(name, lengths)),
            "ip4" => network(argument?, 32).map(|(address, length)| Self::Ip4(address, length)),
            "ip6" => network(argument?, 128).map(|(address, length)| Self::Ip6(address, length)),
            _ => None,
        }
    }

    /// The one that names an address alone.
    pub const fn address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::Ip4(v4, 32),
            IpAddr::V6(v6) => Self::Ip6(v6, 128),
        }
    }

    /// RFC 7208 §4.6.4.
    pub const fn costs_lookup(&self) -> bool {
        match self {
            Self::Include(_) | Self::A(..) | Self::Mx(..) | Self::Ptr(_) | Self::Exists(_) => true,
            Self::All | Self::Ip4(..) | Self::Ip6(..) => false,
        }
    }
}

/// `[":" domain-spec] [dual-cidr-length]` (RFC 7208 §5.3, §5.4).
fn name_and_lengths(rest: &str) -> Option<(Option<String>, Lengths)> {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    // A `/` may also stand in a name; lengths are digits alone, and a name never ends in them (§7.1).
    let (rest, v6) = match rest.rsplit_once("//") {
        Some((before, digits)) if is_number(digits) => (before, length(digits, 128)?),
        _ => (rest, 128),
    };
    let (rest, v4) = match rest.rsplit_once('/') {
        Some((before, digits)) if is_number(digits) => (before, length(digits, 32)?),
        _ => (rest, 32),
    };
    let name = match rest.strip_prefix(':') {
        Some(name) => Some(domain_spec(name)?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some((name, Lengths { v4, v6 }))
}

/// No leading zeros (RFC 7208 §5.6).
fn length(digits: &str, most: u8) -> Option<u8> {
    let is_plain = digits.chars().all(|digit| digit.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|length| is_plain && *length <= most)
}

fn network<A: std::str::FromStr>(text: &str, most: u8) -> Option<(A, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, digits)) => (address, length(digits, most)?),
        None => (text, most),
    };
    Some((address.parse().ok()?, length))
}

/// A macro string that ends in a macro, or in a dot and a top label (RFC 7208 §7.1).
fn domain_spec(text: &str) -> Option<String> {
    let ends_in_macro = ["}", "%%", "%_", "%-"].iter().any(|end| text.ends_with(end));
    let last = text.strip_suffix('.').unwrap_or(text).rsplit_once('.').map(|(_, label)| label);
    let is_good = (ends_in_macro || last.is_some_and(is_top_label)) && macros::is_name_string(text);
    is_good.then(|| text.to_owned())
}

/// Letters, digits and hyphens inside, not digits alone: what would be a number, or a prefix's length.
fn is_top_label(label: &str) -> bool {
    let is_plain = label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    let has_more_than_digits = label.chars().any(|letter| !letter.is_ascii_digit());
    is_plain && has_more_than_digits && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "",
            Self::Fail => "-",
            Self::SoftFail => "~",
            Self::Neutral => "?",
        })
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.v4 != 32 {
            write!(f, "/{}", self.v4)?;
        }
        if self.v6 != 128 {
            write!(f, "//{}", self.v6)?;
        }
        Ok(())
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |name: &Option<String>| name.as_ref().map(|name| format!(":{name}")).unwrap_or_default();
        match self {
            Self::All => f.write_str("all"),
            Self::Include(name) => write!(f, "include:{name}"),
            Self::A(name, lengths) => write!(f, "a{}{lengths}", named(name)),
            Self::Mx(name, lengths) => write!(f, "mx{}{lengths}", named(name)),
            Self::Ptr(name) => write!(f, "ptr{}", named(name)),
            Self::Ip4(address, 32) => write!(f, "ip4:{address}"),
            Self::Ip4(address, length) => write!(f, "ip4:{address}/{length}"),
            Self::Ip6(address, 128) => write!(f, "ip6:{address}"),
            Self::Ip6(address, length) => write!(f, "ip6:{address}/{length}"),
            Self::Exists(name) => write!(f, "exists:{name}"),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(qualifier, mechanism) => write!(f, "{qualifier}{mechanism}"),
            Self::Redirect(to) => write!(f, "redirect={to}"),
            Self::Modifier(name, value) => write!(f, "{name}={value}"),
        }
    }
}

impl fmt::Display for Spf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=spf1")?;
        self.terms.iter().try_for_each(|term| write!(f, " {term}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7208 §4.6.1, §5.6, §7.1.
    #[test]
    fn a_record_prints_as_it_was_read() {
        for text in [
            "v=spf1",
            "v=spf1 a -all",
            "v=spf1 a:x.example/24//64 ~mx/8 ?ptr -exists:%{ir}.x.example ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all",
            "v=spf1 a:foo:bar/baz.example a:%{d2} exp=%{d}.x.example other=%{c}/x",
            "v=spf1 redirect=_spf.example",
        ] {
            assert_eq!(Spf::parse(text).map(|spf| spf.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_record_is_told_apart() {
        let check = |text: &str, expected: SpfError| assert_eq!(Spf::parse(text), Err(expected), "{text}");
        check("v=spf10", SpfError::Version);
        for term in [
            "a:123",
            "a:x.example/",
            "a/33",
            "a//129",
            "a/08",
            "ip4:192.0.2",
            "ip4:x/",
            "all:x",
            "include",
            "bad:x",
            "1=x",
        ] {
            check(&format!("v=spf1 {term} -all"), SpfError::Term(term.to_owned()));
        }
        check("v=spf1 exp=a.b exp=c.d", SpfError::Doubled("exp"));
        check("v=spf1 redirect=a.b redirect=c.d", SpfError::Doubled("redirect"));
        check(&format!("v=spf1 {}", "x".repeat(9000)), SpfError::TooLong);
    }
}
