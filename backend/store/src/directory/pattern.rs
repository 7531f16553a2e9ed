//! What an alias stands for: one address, or all whose local part fits a pattern.

use std::fmt;

use relais_model::{Address, AddressError, Domain, LocalPart};

use super::fold;

/// Octets of a regular expression, at most.
pub const MAX_EXPRESSION_OCTETS: usize = 256;

/// Octets that a regular expression may take once it is made ready.
const COMPILED_OCTETS: usize = 256 * 1024;
/// How deep its groups may stand in each other.
const NEST_LIMIT: u32 = 16;

/// Why a text names no alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AliasNameError {
    /// It is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// What stands between the slashes is no regular expression, or too large; the text says where.
    #[error("no regular expression: {0}")]
    Expression(String),
}

/// An alias's name, which says whose mail it takes: `sales@example.org`, that address's; `sales-*@example.org`, that of all local parts that
/// fit, `*` for any letters or none; `/(sales|info)-[0-9]+/@example.org`, that of all whose whole local part the regular expression matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AliasName {
    /// One address.
    Exact(Address),
    /// A local part with at least one `*`.
    Wildcard(Address),
    /// A regular expression, without its slashes.
    Expression {
        /// Up to [`MAX_EXPRESSION_OCTETS`].
        pattern: String,
        /// Whose local parts it is about.
        domain: Domain,
    },
}

impl AliasName {
    /// Takes a name as [`AliasName`] describes it.
    pub fn parse(text: &str) -> Result<Self, AliasNameError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Shape)?;
        let between = local.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let Some(pattern) = between.filter(|pattern| !pattern.is_empty()) else {
            return Ok(Address::parse(text)?.into());
        };
        let domain = Domain::parse(domain).map_err(AddressError::from)?;
        compile(pattern)?;
        Ok(Self::Expression { pattern: pattern.to_owned(), domain })
    }

    /// The domain whose addresses it is about.
    pub const fn domain(&self) -> &Domain {
        match self {
            Self::Exact(address) | Self::Wildcard(address) => &address.domain,
            Self::Expression { domain, .. } => domain,
        }
    }

    /// The address, where it is one alone.
    pub const fn exact(&self) -> Option<&Address> {
        match self {
            Self::Exact(address) => Some(address),
            Self::Wildcard(_) | Self::Expression { .. } => None,
        }
    }

    /// As it is compared. An expression's letters are left alone: `\D` isn't `\d`.
    pub fn folded(&self) -> String {
        match self {
            Self::Exact(address) | Self::Wildcard(address) => fold(address),
            Self::Expression { .. } => self.to_string(),
        }
    }

    /// As the database names the kind.
    pub(super) const fn kind(&self) -> i64 {
        match self {
            Self::Exact(_) => 0,
            Self::Wildcard(_) => 1,
            Self::Expression { .. } => 2,
        }
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(address) | Self::Wildcard(address) => address.fmt(f),
            Self::Expression { pattern, domain } => write!(f, "/{pattern}/@{domain}"),
        }
    }
}

impl From<Address> for AliasName {
    fn from(address: Address) -> Self {
        if address.local_part.as_str().contains('*') { Self::Wildcard(address) } else { Self::Exact(address) }
    }
}

impl From<&Address> for AliasName {
    fn from(address: &Address) -> Self {
        address.clone().into()
    }
}

impl From<&Self> for AliasName {
    fn from(name: &Self) -> Self {
        name.clone()
    }
}

/// A pattern that is ready to be asked.
#[derive(Debug, Clone)]
pub struct Pattern(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Exact(String),
    /// The literal pieces between the stars, folded.
    Wildcard(Vec<String>),
    Expression(regex::bytes::Regex),
}

impl Pattern {
    /// Makes a name ready.
    pub fn of(name: &AliasName) -> Result<Self, AliasNameError> {
        Ok(Self(match name {
            AliasName::Exact(address) => Kind::Exact(local(address)),
            AliasName::Wildcard(address) => Kind::Wildcard(local(address).split('*').map(str::to_owned).collect()),
            AliasName::Expression { pattern, .. } => Kind::Expression(compile(pattern)?),
        }))
    }

    /// Whether a local part fits, all of it, without regard to case. Time is linear in its length.
    pub fn fits(&self, local_part: &LocalPart, domain: &Domain) -> bool {
        let folded = local(&Address { local_part: local_part.clone(), domain: domain.clone() });
        match &self.0 {
            Kind::Exact(own) => *own == folded,
            Kind::Wildcard(pieces) => fits_pieces(pieces, &folded),
            Kind::Expression(expression) => expression.is_match(folded.as_bytes()),
        }
    }

    /// Letters that stand in it as they are: of two wildcards that fit, the one with more of them goes first.
    pub(super) fn literal_octets(&self) -> usize {
        match &self.0 {
            Kind::Exact(own) => own.len(),
            Kind::Wildcard(pieces) => pieces.iter().map(String::len).sum(),
            Kind::Expression(_) => 0,
        }
    }
}

/// The folded local part.
fn local(address: &Address) -> String {
    let mut folded = fold(address);
    folded.truncate(folded.len().saturating_sub(address.domain.as_str().len() + 1));
    folded
}

/// The first piece begins, the last ends, those between follow each other: the leftmost place is always good enough.
fn fits_pieces(pieces: &[String], text: &str) -> bool {
    let [first, between @ .., last] = pieces else { return pieces.first().is_some_and(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    between.iter().all(|piece| match rest.find(piece.as_str()) {
        Some(at) => {
            rest = rest.get(at + piece.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

/// A linear engine: no expression, however it is written, takes more than one pass.
fn compile(pattern: &str) -> Result<regex::bytes::Regex, AliasNameError> {
    if pattern.len() > MAX_EXPRESSION_OCTETS || pattern.chars().any(char::is_control) {
        return Err(AliasNameError::Expression(format!(
            "1 to {MAX_EXPRESSION_OCTETS} octets, without control characters"
        )));
    }
    let build = |text: &str| {
        let mut builder = regex::bytes::RegexBuilder::new(text);
        builder.unicode(false).case_insensitive(true).size_limit(COMPILED_OCTETS).nest_limit(NEST_LIMIT);
        builder.build().map_err(|error| AliasNameError::Expression(first_words(&error.to_string())))
    };
    // By itself first: `a)|(b` must not slip out of the group that holds it to the whole local part.
    build(pattern)?;
    build(&format!(r"\A(?:{pattern})\z"))
}

/// What is wrong, in one line: the library shows the expression first, and says it last.
fn first_words(text: &str) -> String {
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, fitting: &[&str], others: &[&str]) {
        let name = AliasName::parse(name).unwrap();
        assert_eq!(AliasName::parse(&name.to_string()).unwrap(), name);
        let pattern = Pattern::of(&name).unwrap();
        for text in fitting {
            assert!(pattern.fits(&LocalPart::parse(text).unwrap(), name.domain()), "{name} fits {text}");
        }
        for text in others {
            assert!(!pattern.fits(&LocalPart::parse(text).unwrap(), name.domain()), "{name} doesn't fit {text}");
        }
    }

    #[test]
    fn a_pattern_is_about_the_whole_local_part_without_case() {
        check("sales@d.example", &["sales", "SALES"], &["sales2", "sale"]);
        check("sales-*@d.example", &["sales-1", "Sales-", "sales-a-b"], &["sales", "presales-1"]);
        check("*-sales-*@d.example", &["a-sales-b", "-sales-"], &["sales-b", "a-sales"]);
        check("a*a@d.example", &["aa", "aba", "aaa"], &["a", "ab"]);
        check("a*b*c*d@d.example", &["abcd", "a1b2c3d", "abbccd"], &["acbd", "abc"]);
        check("J*G@d.example", &["jörg", "JO\u{308}RG"], &["jor"]);
        check("/(sales|info)-[0-9]{1,3}/@d.example", &["sales-1", "INFO-999"], &["sales-1000", "xsales-1", "info-"]);
        check(r"/\D+/@d.example", &["abc"], &["abc1"]);
        check("/a|ab/@d.example", &["a", "ab"], &["abc", "b"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_words() {
        for text in ["/a)|(b/@d.example", "/[/@d.example", "/(?x)a#/@d.example", "/a{1000}{1000}/@d.example"] {
            let refused = AliasName::parse(text).unwrap_err();
            assert!(matches!(&refused, AliasNameError::Expression(why) if !why.is_empty()), "{text}: {refused:?}");
        }
        let long = format!("/{}/@d.example", "a".repeat(MAX_EXPRESSION_OCTETS + 1));
        assert!(matches!(AliasName::parse(&long), Err(AliasNameError::Expression(_))));
        assert!(matches!(AliasName::parse("nobody"), Err(AliasNameError::Address(_))));
        assert!(matches!(AliasName::parse("//@d.example"), Ok(AliasName::Exact(_))));
    }

    /// What would take a backtracking engine for ever takes none at all.
    #[test]
    fn no_expression_takes_long() {
        let name = AliasName::parse("/(a*)*(a*)*b/@d.example").unwrap();
        assert!(!Pattern::of(&name).unwrap().fits(&LocalPart::parse(&"a".repeat(64)).unwrap(), name.domain()));
    }
}
