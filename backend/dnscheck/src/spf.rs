//! SPF records (RFC 7208): reading, adding ourselves to what is there. [`check_host`] evaluates them.

mod check;
mod macros;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relais_model::Domain;

pub use check::{Evaluation, SpfResult, check_host, cost};

/// Terms that cost a look-up, in a record and all that it includes (RFC 7208 §4.6.4).
pub const MOST_LOOKUPS: u32 = 10;
/// Look-ups that may find nothing (RFC 7208 §4.6.4).
pub const MOST_VOID_LOOKUPS: u32 = 2;
/// Octets of a record that are read; one that long has no place in an answer over UDP by far.
const MOST_OCTETS: usize = 8192;

/// Whether a TXT record claims to be an SPF record (RFC 7208 §4.5): `v=spf1`, then a space or nothing.
pub fn is_spf(text: &str) -> bool {
    let rest = text.get(..6).filter(|version| version.eq_ignore_ascii_case("v=spf1")).and_then(|_| text.get(6..));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
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

/// Why a record can't be read: receivers answer [`SpfResult::PermError`] (RFC 7208 §4.6).
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
    /// [`SpfError`] where a receiver would say [`SpfResult::PermError`].
    pub fn parse(text: &str) -> Result<Self, SpfError> {
        if text.len() > MOST_OCTETS {
            return Err(SpfError::TooLong);
        }
        if !is_spf(text) {
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

    /// Whose record decides where nothing matched; an `all` makes it void (RFC 7208 §6.1).
    pub fn redirect(&self) -> Option<&str> {
        let redirect =
            self.terms.iter().find_map(|term| if let Term::Redirect(to) = term { Some(to.as_str()) } else { None });
        redirect.filter(|_| self.all().is_none())
    }

    /// Mechanisms behind the first `all`: nobody reaches them (RFC 7208 §5.1).
    pub fn unreached(&self) -> impl Iterator<Item = &Term> {
        let behind = self.terms.iter().skip_while(|term| !is_all(term)).skip(1);
        behind.filter(|term| matches!(term, Term::Directive(..)))
    }

    /// How many terms of the record itself cost a look-up; [`cost`] follows what it includes.
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
    fn parse(word: &str) -> Option<Self> {
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
    // A `/` may stand inside a macro; lengths are digits alone, so they are taken from the end.
    let (rest, v6) = match rest.rsplit_once("//") {
        Some((before, digits)) => (before, length(digits, 128)?),
        None => (rest, 128),
    };
    let (rest, v4) = match rest.rsplit_once('/') {
        Some((before, digits)) if !digits.contains('}') => (before, length(digits, 32)?),
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
    let is_good = (ends_in_macro || last.is_some_and(is_top_label)) && macros::is_macro_string(text);
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

/// The record that a domain wants, given those that it has: `there` are its TXT records, whatever they say.
///
/// One that can be read stays as its owner spelled it, with our host put before its `all`; where that would make the eleventh look-up
/// among its own terms, our addresses are put there instead, for they cost none. It ends in `~all` where it let everybody pass, or said nothing of the others. Where nothing stands, or nothing that can be read, or two records do, it is ours alone
/// or all of theirs in one.
pub fn wanted(there: &[String], host: &Domain, addresses: &[IpAddr]) -> String {
    let readable: Vec<(&String, Spf)> =
        there.iter().filter(|text| is_spf(text)).filter_map(|text| Some((text, Spf::parse(text).ok()?))).collect();
    match readable.as_slice() {
        [] => format!("v=spf1 {} ~all", Mechanism::A(Some(host.to_string()), Lengths::WHOLE)),
        [(text, spf)] => with_us(text, spf, host, addresses),
        [(_, first), rest @ ..] => {
            let joined = joined(first, rest.iter().map(|(_, spf)| spf));
            with_us(&joined.to_string(), &joined, host, addresses)
        }
    }
}

/// All mechanisms of all records, each once; the first record's word for the rest.
fn joined<'a>(first: &Spf, rest: impl Iterator<Item = &'a Spf>) -> Spf {
    let is_last = |term: &Term| !matches!(term, Term::Directive(_, mechanism) if *mechanism != Mechanism::All);
    let (last, mut terms): (Vec<Term>, Vec<Term>) = first.terms.iter().cloned().partition(is_last);
    for term in rest.flat_map(|spf| &spf.terms).filter(|term| !is_last(term)) {
        if !terms.contains(term) {
            terms.push(term.clone());
        }
    }
    terms.extend(last);
    Spf { terms }
}

fn with_us(text: &str, spf: &Spf, host: &Domain, addresses: &[IpAddr]) -> String {
    let passes = |ours: &Mechanism| {
        let mut reached = spf.terms.iter().take_while(|term| !is_all(term));
        reached.any(|term| matches!(term, Term::Directive(Qualifier::Pass, theirs) if same(theirs, ours)))
    };
    let by_name = Mechanism::A(Some(host.to_string()), Lengths::WHOLE);
    let by_address: Vec<_> = addresses.iter().map(|address| Mechanism::address(*address)).collect();
    let ours = if passes(&by_name) || (!by_address.is_empty() && by_address.iter().all(passes)) {
        Vec::new()
    } else if spf.own_lookups() < MOST_LOOKUPS || by_address.is_empty() {
        vec![by_name]
    } else {
        by_address.into_iter().filter(|ours| !passes(ours)).collect()
    };
    // Their words stay as they spelled them.
    let (version, words) = text.split_at_checked(6).unwrap_or((text, ""));
    let mut words: Vec<String> = words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let place =
        |is_it: fn(&Term) -> bool| words.iter().position(|word| Term::parse(word).is_some_and(|term| is_it(&term)));
    // Before the first `all`, or else before the modifiers, where people expect mechanisms to stand.
    let is_modifier = |term: &Term| matches!(term, Term::Redirect(_) | Term::Modifier(..));
    let (all, modifiers) = (place(is_all), place(is_modifier));
    match all.and_then(|at| words.get_mut(at)) {
        Some(all) if spf.all() == Some(Qualifier::Pass) => "~all".clone_into(all),
        Some(_) => {}
        None if spf.redirect().is_some() => {}
        None => words.insert(modifiers.unwrap_or(words.len()), "~all".to_owned()),
    }
    let at = all.or(modifiers).unwrap_or(words.len() - usize::from(all.is_none() && spf.redirect().is_none()));
    words.splice(at..at, ours.iter().map(Mechanism::to_string));
    std::iter::once(version.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

const fn is_all(term: &Term) -> bool {
    matches!(term, Term::Directive(_, Mechanism::All))
}

/// Names compare without case.
fn same(one: &Mechanism, other: &Mechanism) -> bool {
    match (one, other) {
        (Mechanism::A(Some(one), one_lengths), Mechanism::A(Some(other), other_lengths)) => {
            one.trim_end_matches('.').eq_ignore_ascii_case(other) && one_lengths == other_lengths
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, SpfError>) {
        assert_eq!(Spf::parse(text).map(|spf| spf.to_string()), expected.map(str::to_owned), "{text}");
    }

    /// RFC 7208 §4.6, §5, §6, §12.
    #[test]
    fn records_are_read_as_the_rfc_writes_them() {
        check("v=spf1", Ok("v=spf1"));
        check("V=SPF1  +MX  -ALL ", Ok("v=spf1 mx -all"));
        check(
            "v=spf1 a/24 a:x.example/24//64 mx//64 ptr:x.example ?all",
            Ok("v=spf1 a/24 a:x.example/24//64 mx//64 ptr:x.example ?all"),
        );
        check("v=spf1 ip4:192.0.2.0/24 ip6:2001:DB8::1 ~all", Ok("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::1 ~all"));
        check(
            "v=spf1 exists:%{ir}.%{v}._spf.%{d2} redirect=_spf.x",
            Ok("v=spf1 exists:%{ir}.%{v}._spf.%{d2} redirect=_spf.x"),
        );
        check("v=spf1 a:%{d/}/24 x-mine=1", Ok("v=spf1 a:%{d/}/24 x-mine=1"));
        check("v=spf10 -all", Err(SpfError::Version));
        check("spf1 -all", Err(SpfError::Version));
        for term in [
            "ip4:192.0.2.300",
            "ip4:192.0.2.1/33",
            "ip4:192.0.2.1/08",
            "ip6:192.0.2.1",
            "include",
            "include:",
            "all:x",
            "mx:",
            "ipv4:192.0.2.1",
            "exists:%{q}",
            "a:%x",
            "redirect=",
            "1x=y",
            "-",
            "all,",
            "v=spf1;",
            "a:x\u{e9}.example",
        ] {
            // `v=spf1;` is an unknown modifier in form.
            let expected = if term == "v=spf1;" { Ok("v=spf1 v=spf1;") } else { Err(SpfError::Term(term.into())) };
            check(&format!("v=spf1 {term}"), expected);
        }
        check("v=spf1 redirect=a.x redirect=b.x", Err(SpfError::Doubled("redirect")));
        check("v=spf1 exp=a.x exp=b.x", Err(SpfError::Doubled("exp")));
        check(&format!("v=spf1{}", " ".repeat(9000)), Err(SpfError::TooLong));
    }

    #[track_caller]
    fn check_wanted(there: &[&str], expected: &str) {
        let there: Vec<String> = there.iter().map(|text| (*text).to_owned()).collect();
        let addresses = ["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
        let wanted = wanted(&there, &Domain::parse("mx.example.org").unwrap(), &addresses);
        assert_eq!(wanted, expected, "{there:?}");
    }

    #[test]
    fn we_are_added_to_what_is_there() {
        check_wanted(&[], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["unrelated", "v=spf2.0/pra"], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["v=spf1 bad:term -all"], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["v=spf1 include:_spf.x  -All"], "v=spf1 include:_spf.x a:mx.example.org -All");
        check_wanted(&["v=spf1 mx redirect=y.x exp=z.x"], "v=spf1 mx a:mx.example.org redirect=y.x exp=z.x");
        check_wanted(&["v=spf1 mx"], "v=spf1 mx a:mx.example.org ~all");
        check_wanted(&["v=spf1 mx exp=z.x"], "v=spf1 mx a:mx.example.org ~all exp=z.x");
        check_wanted(&["v=spf1"], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["v=spf1 +all"], "v=spf1 a:mx.example.org ~all");
        check_wanted(&["v=spf1 a:mx.example.org"], "v=spf1 a:mx.example.org ~all");
        // Already there, by name or by all addresses; behind `all` nobody sees it, and with `-` it says the contrary.
        check_wanted(&["v=spf1 a:MX.example.org. -all"], "v=spf1 a:MX.example.org. -all");
        check_wanted(&["v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all"], "v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all");
        check_wanted(&["v=spf1 ip4:192.0.2.7 -all"], "v=spf1 ip4:192.0.2.7 a:mx.example.org -all");
        check_wanted(&["v=spf1 -all a:mx.example.org"], "v=spf1 a:mx.example.org -all a:mx.example.org");
        check_wanted(&["v=spf1 -a:mx.example.org -all"], "v=spf1 -a:mx.example.org a:mx.example.org -all");
        // Ten look-ups already: addresses cost none.
        let full = " include:x.example".repeat(10);
        check_wanted(&[&format!("v=spf1{full} -all")], &format!("v=spf1{full} ip4:192.0.2.7 ip6:2001:db8::7 -all"));
        // Two records are none (RFC 7208 §4.5): one is made of them.
        check_wanted(&["v=spf1 mx -all", "v=spf1 mx include:x.y ~all"], "v=spf1 mx include:x.y a:mx.example.org -all");
    }

    fn term() -> impl Strategy<Value = Term> {
        let name = "[a-z]{1,8}(\\.[a-z]{2,5}){1,2}|%\\{[ir]r?\\}\\.x"
            .prop_filter("a macro that is one", |name| macros::is_macro_string(name));
        let maybe = prop::option::of(name.clone());
        let lengths = (0..=32u8, 0..=128u8).prop_map(|(v4, v6)| Lengths { v4, v6 });
        let mechanism = prop_oneof![
            Just(Mechanism::All),
            name.clone().prop_map(Mechanism::Include),
            name.clone().prop_map(Mechanism::Exists),
            maybe.clone().prop_map(Mechanism::Ptr),
            (maybe.clone(), lengths.clone()).prop_map(|(name, lengths)| Mechanism::A(name, lengths)),
            (maybe, lengths).prop_map(|(name, lengths)| Mechanism::Mx(name, lengths)),
            (any::<[u8; 4]>(), 0..=32u8).prop_map(|(octets, length)| Mechanism::Ip4(octets.into(), length)),
            (any::<[u8; 16]>(), 0..=128u8).prop_map(|(octets, length)| Mechanism::Ip6(octets.into(), length)),
        ];
        let qualifier = prop_oneof![
            Just(Qualifier::Pass),
            Just(Qualifier::Fail),
            Just(Qualifier::SoftFail),
            Just(Qualifier::Neutral)
        ];
        prop_oneof![
            8 => (qualifier, mechanism).prop_map(|(qualifier, mechanism)| Term::Directive(qualifier, mechanism)),
            1 => ("x[a-z]{1,5}", name).prop_map(|(name, value)| Term::Modifier(name, value)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(terms in prop::collection::vec(term(), 0..12)) {
            let spf = Spf { terms };
            prop_assert_eq!(Spf::parse(&spf.to_string()), Ok(spf));
        }

        /// It reads; we pass before any `all`; no mechanism of theirs is lost or moved; done twice, it is done once.
        #[test]
        fn adding_us_keeps_what_is_there(terms in prop::collection::vec(term(), 0..14)) {
            let host = Domain::parse("mx.example.org").unwrap();
            let addresses = ["192.0.2.7".parse().unwrap()];
            let theirs = Spf { terms };
            let ours = wanted(&[theirs.to_string()], &host, &addresses);
            let read = Spf::parse(&ours).unwrap();
            let is_us = |term: &Term| {
                let by_address = Term::Directive(Qualifier::Pass, Mechanism::Ip4("192.0.2.7".parse().unwrap(), 32));
                let name = Mechanism::A(Some("mx.example.org".into()), Lengths::WHOLE);
                *term == by_address || *term == Term::Directive(Qualifier::Pass, name)
            };
            prop_assert!(read.terms.iter().take_while(|term| !is_all(term)).any(is_us));
            prop_assert!(matches!(read.all(), Some(Qualifier::Fail | Qualifier::SoftFail | Qualifier::Neutral)));
            let kept = |spf: &Spf| spf.terms.iter().filter(|term| !is_us(term) && !is_all(term)).cloned().collect::<Vec<_>>();
            prop_assert_eq!(kept(&read), kept(&theirs));
            prop_assert_eq!(wanted(std::slice::from_ref(&ours), &host, &addresses), ours);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "v=spf1( [ -~]{0,12}){0,6}|.{0,60}") {
            if let Ok(spf) = Spf::parse(&text) {
                prop_assert_eq!(Spf::parse(&spf.to_string()), Ok(spf));
            }
        }
    }
}
