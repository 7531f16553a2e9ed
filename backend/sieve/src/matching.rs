//! Comparators and match types (RFC 5228 §2.7, RFC 4790, RFC 5051, RFC 5231, draft-ietf-sieve-regex).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use regex::{Regex, RegexBuilder};
use relais_message::fold;
use unicode_normalization::UnicodeNormalization;

use crate::fault::Problem;
use crate::limit;

/// How octets are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    /// `i;octet`.
    Octet,
    /// `i;ascii-casemap`: what holds where none is named.
    AsciiCasemap,
    /// `i;unicode-casemap` (RFC 5051).
    UnicodeCasemap,
    /// `i;ascii-numeric` (RFC 4790 §9.1).
    AsciiNumeric,
}

/// RFC 5231 §4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    Unequal,
}

impl Relation {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            "eq" => Self::Equal,
            "ne" => Self::Unequal,
            _ => return None,
        })
    }

    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
        }
    }
}

/// What is looked for in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Is,
    Contains,
    Matches,
    Regex,
    Value(Relation),
    /// RFC 5231 §4.2: how many values there are.
    Count(Relation),
    /// RFC 6134 §2.3: whether the value is on a list outside.
    List,
}

/// A match type with its comparator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) how: How,
    pub(crate) comparator: Comparator,
}

/// A key, made ready for comparing.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// In the comparator's form.
    Text(String),
    Wild(Vec<Wild>),
    /// With its weight.
    Regex(Regex, usize),
}

impl Pattern {
    /// About how many octets are looked at in this value.
    pub(crate) fn cost(&self, value: &str) -> u64 {
        let octets = value.len() + 64;
        let factor = match self {
            Self::Text(_) => 2,
            // Each octet may be looked at once for each character between two stars.
            Self::Wild(elements) => 4 + elements.len() / 2,
            // At its worst an octet meets all of the automaton, and each state many others (measured).
            Self::Regex(_, weight) => 8 + 4 * weight + weight * weight / 32,
        };
        octets.saturating_mul(factor) as u64
    }
}

/// One element of a `:matches` pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wild {
    /// `*`
    Any,
    /// `?`
    One,
    /// In the comparator's form.
    Character(char),
}

/// What a match found: the whole, then each wildcard or group.
pub(crate) type Found = Vec<String>;

impl Match {
    pub(crate) fn pattern(self, key: &str) -> Result<Pattern, Problem> {
        Ok(match self.how {
            How::Matches => Pattern::Wild(wild(&self.comparator.prepare(key), self.comparator)),
            How::Regex => {
                let (regex, weight) = regex(key, self.comparator != Comparator::Octet)?;
                Pattern::Regex(regex, weight)
            }
            _ => Pattern::Text(self.comparator.key(key).into_owned()),
        })
    }

    /// Whether `value` fits. What it found is told for `:matches` and `:regex` alone, and for the latter only where it is kept:
    /// it costs more.
    pub(crate) fn fits(self, value: &str, pattern: &Pattern, keeps: bool) -> Option<Found> {
        match pattern {
            Pattern::Wild(elements) => matches(value, elements, self.comparator),
            Pattern::Regex(regex, _) if !keeps => regex.is_match(value).then(Vec::new),
            Pattern::Regex(regex, _) => regex.captures(value).map(|groups| {
                let texts = groups.iter().take(limit::MATCHES);
                texts.map(|group| group.map(|text| text.as_str().to_owned()).unwrap_or_default()).collect()
            }),
            Pattern::Text(key) => {
                let form = self.comparator.key(value);
                let fits = match self.how {
                    How::Is => self.comparator.order(&form, key).is_eq(),
                    How::Contains => memchr::memmem::find(form.as_bytes(), key.as_bytes()).is_some(),
                    How::Value(relation) => relation.holds(self.comparator.order(&form, key)),
                    How::Matches | How::Regex | How::Count(_) | How::List => false,
                };
                fits.then(Vec::new)
            }
        }
    }

    /// RFC 5231 §4.2: the count against a key that is a number.
    pub(crate) fn counts(relation: Relation, count: usize, key: &str) -> bool {
        let count = count.to_string();
        relation.holds(Comparator::AsciiNumeric.order(&count, key))
    }
}

impl Comparator {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "i;octet" => Self::Octet,
            "i;ascii-casemap" => Self::AsciiCasemap,
            "i;unicode-casemap" => Self::UnicodeCasemap,
            "i;ascii-numeric" => Self::AsciiNumeric,
            _ => return None,
        })
    }

    /// RFC 4790 §9.1.1: it knows equality and order alone.
    pub(crate) const fn has_substrings(self) -> bool {
        !matches!(self, Self::AsciiNumeric)
    }

    /// The form in which two texts that are equal to it are the same.
    fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Octet | Self::AsciiNumeric => Cow::Borrowed(text),
            Self::AsciiCasemap => Cow::Owned(text.to_ascii_uppercase()),
            Self::UnicodeCasemap => Cow::Owned(fold(&self.prepare(text))),
        }
    }

    /// Decomposed where the comparator decomposes (RFC 5051 §2); case stays.
    fn prepare(self, text: &str) -> Cow<'_, str> {
        if self == Self::UnicodeCasemap && !text.is_ascii() {
            Cow::Owned(text.nfkd().collect())
        } else {
            Cow::Borrowed(text)
        }
    }

    fn character(self, character: char) -> char {
        match self {
            Self::Octet | Self::AsciiNumeric => character,
            Self::AsciiCasemap => character.to_ascii_uppercase(),
            Self::UnicodeCasemap if character.is_ascii() => character.to_ascii_uppercase(),
            Self::UnicodeCasemap => fold(character.encode_utf8(&mut [0; 4])).chars().next().unwrap_or(character),
        }
    }

    /// Of two texts in the comparator's form.
    fn order(self, one: &str, other: &str) -> Ordering {
        if self == Self::AsciiNumeric { number(one).cmp(&number(other)) } else { one.cmp(other) }
    }
}

/// Digits at the beginning, as a length and digits without leading zeros; `Err` is infinity (RFC 4790 §9.1.1).
fn number(text: &str) -> Number<'_> {
    let digits = text.len() - text.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    let digits = text.get(..digits).unwrap_or_default();
    if digits.is_empty() {
        return Number::Infinite;
    }
    let digits = digits.trim_start_matches('0');
    Number::Finite(digits.len(), digits)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Number<'a> {
    Finite(usize, &'a str),
    Infinite,
}

/// RFC 5228 §2.7.1: `\` before a character takes its meaning.
fn wild(key: &str, comparator: Comparator) -> Vec<Wild> {
    let mut elements = Vec::with_capacity(key.len());
    let mut characters = key.chars();
    while let Some(character) = characters.next() {
        elements.push(match character {
            '*' => Wild::Any,
            '?' => Wild::One,
            '\\' => Wild::Character(comparator.character(characters.next().unwrap_or('\\'))),
            plain => Wild::Character(comparator.character(plain)),
        });
    }
    elements
}

/// Each star takes as little as it can, from the left (RFC 5229 §3.2).
fn matches(value: &str, elements: &[Wild], comparator: Comparator) -> Option<Found> {
    let text = comparator.prepare(value);
    let characters: Vec<(usize, char)> = text.char_indices().map(|(at, one)| (at, comparator.character(one))).collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    // Where the last star stands, how many wildcards came before it, and where what it takes ends.
    let mut star: Option<(usize, usize, usize)> = None;
    let (mut element, mut at) = (0, 0);
    loop {
        let is_step = match (elements.get(element), characters.get(at)) {
            (None, None) => break,
            (Some(Wild::Any), _) => {
                star = Some((element, found.len(), at));
                found.push(at..at);
                element += 1;
                continue;
            }
            (Some(Wild::One), Some(_)) => {
                found.push(at..at + 1);
                true
            }
            (Some(Wild::Character(wanted)), Some((_, is))) => wanted == is,
            _ => false,
        };
        if is_step {
            element += 1;
            at += 1;
            continue;
        }
        let (star_element, before, end) = star.as_mut()?;
        if *end >= characters.len() {
            return None;
        }
        *end += 1;
        found.truncate(*before + 1);
        if let Some(taken) = found.get_mut(*before) {
            taken.end = *end;
        }
        (element, at) = (*star_element + 1, *end);
    }
    let octet = |index: usize| characters.get(index).map_or(text.len(), |(at, _)| *at);
    let cut = |range: &Range<usize>| text.get(octet(range.start)..octet(range.end)).unwrap_or_default().nfc().collect();
    let all = std::iter::once(value.to_owned());
    Some(all.chain(found.iter().map(cut)).take(limit::MATCHES).collect())
}

/// A POSIX extended regular expression (IEEE 1003.2), by an engine whose time is linear. Where several matches are
/// possible the first alternative is taken rather than the longest: it differs in what `${1}` and the like hold alone.
pub(crate) fn regex(text: &str, ignore_case: bool) -> Result<(Regex, usize), Problem> {
    let shown = || text.chars().take(40).collect::<String>();
    if text.len() > limit::REGEX_OCTETS {
        return Err(Problem::Regex(shown(), format!("it has more than {} octets", limit::REGEX_OCTETS)));
    }
    let (ours, weight) = translate(text).map_err(|why| Problem::Regex(shown(), why.to_owned()))?;
    let mut builder = RegexBuilder::new(&ours);
    builder.case_insensitive(ignore_case).dot_matches_new_line(true).nest_limit(64);
    builder.size_limit(limit::REGEX_MEMORY).dfa_size_limit(limit::REGEX_MEMORY);
    builder.build().map(|regex| (regex, weight)).map_err(|error| {
        let why = match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        };
        Problem::Regex(shown(), why)
    })
}

/// From POSIX's words to the engine's, with its weight: in brackets a backslash is itself, and so are `[`, `&&`, `--` and `~~`;
/// what begins with `(?` isn't there; `\w` and the like, which POSIX doesn't know, are ASCII's.
fn translate(text: &str) -> Result<(String, usize), &'static str> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut scale = Scale { open: Vec::new(), total: 0, last: 0 };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                scale.add(1);
                out.push_str(&escape(characters.next().ok_or("a backslash ends it")?)?);
                continue;
            }
            '(' if characters.peek() == Some(&'?') => return Err("nothing is there for `?` to repeat"),
            '[' => {
                // A class that is negated holds all of Unicode but a few.
                scale.add(if characters.peek() == Some(&'^') { 8 } else { 2 });
                bracket(&mut characters, &mut out)?;
                continue;
            }
            '(' => scale.begin(),
            ')' => scale.end(),
            '*' | '+' | '?' => scale.total += 1,
            '|' => scale.alternate(),
            '{' => {
                let inside: String = characters.clone().take_while(|next| *next != '}').take(16).collect();
                scale.repeat(&inside);
                out.push('{');
                // What stands inside is no text.
                for next in characters.by_ref() {
                    out.push(next);
                    if next == '}' {
                        break;
                    }
                }
                continue;
            }
            '.' => scale.add(8),
            _ => scale.add(1),
        }
        out.push(character);
        if scale.total > limit::REGEX_WEIGHT {
            return Err("it is too large");
        }
    }
    if scale.total > limit::REGEX_WEIGHT { Err("it is too large") } else { Ok((out, scale.total)) }
}

/// How much of an automaton an expression becomes.
struct Scale {
    /// The sums before each open group.
    open: Vec<usize>,
    total: usize,
    /// Of the last atom: what `{…}` repeats.
    last: usize,
}

impl Scale {
    fn add(&mut self, weight: usize) {
        self.total = self.total.saturating_add(weight);
        self.last = weight;
    }

    fn begin(&mut self) {
        self.open.push(self.total);
        self.total = 0;
        self.last = 0;
    }

    fn end(&mut self) {
        let weight = self.total.max(1);
        self.total = self.open.pop().unwrap_or(0);
        self.add(weight);
    }

    fn alternate(&mut self) {
        self.total += 1;
        self.last = 0;
    }

    fn repeat(&mut self, inside: &str) {
        let most = inside.split(',').filter_map(|digits| digits.parse::<usize>().ok()).max().unwrap_or(1);
        let times = most.saturating_add(usize::from(inside.ends_with(',')));
        let weight = self.last.saturating_mul(times.max(1));
        self.total = self.total.saturating_sub(self.last);
        self.add(weight);
    }
}

/// What stands behind a backslash.
fn escape(escaped: char) -> Result<String, &'static str> {
    Ok(match escaped {
        'w' => "[0-9A-Za-z_]".to_owned(),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        'd' => "[0-9]".to_owned(),
        'D' => "[^0-9]".to_owned(),
        's' => "[ \\t\\r\\n\\v\\f]".to_owned(),
        'S' => "[^ \\t\\r\\n\\v\\f]".to_owned(),
        'b' | 'B' => format!("(?-u:\\{escaped})"),
        digit if digit.is_ascii_digit() => return Err("it refers back to a group"),
        letter if letter.is_ascii_alphabetic() => return Err("a backslash stands before a letter"),
        other if other.is_ascii() => format!("\\{other}"),
        other => other.to_string(),
    })
}

/// What follows a `[`.
fn bracket(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Result<(), &'static str> {
    const OPEN: &str = "a `[` has no `]`";
    out.push('[');
    if characters.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    // A `]` in the first place is itself.
    if characters.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    loop {
        match characters.next().ok_or(OPEN)? {
            ']' => {
                out.push(']');
                return Ok(());
            }
            '[' if characters.peek() == Some(&':') => {
                out.push('[');
                loop {
                    let next = characters.next().ok_or(OPEN)?;
                    out.push(next);
                    if next == ']' {
                        break;
                    }
                }
            }
            '-' => out.push('-'),
            plain if plain.is_alphanumeric() || plain.is_whitespace() => out.push(plain),
            other => {
                if other.is_ascii() {
                    out.push('\\');
                }
                out.push(other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &str = "-";

    #[track_caller]
    fn check(how: How, comparator: Comparator, value: &str, key: &str, expected: &str) {
        let kind = Match { how, comparator };
        let found = kind.fits(value, &kind.pattern(key).unwrap(), true);
        assert_eq!(found.map_or(NONE.to_owned(), |found| found.join("|")), expected, "{value} {key}");
    }

    #[test]
    fn comparators_compare() {
        use Comparator::{AsciiCasemap, AsciiNumeric, Octet, UnicodeCasemap};
        check(How::Is, Octet, "a", "A", NONE);
        check(How::Is, AsciiCasemap, "aé", "Aé", "");
        check(How::Is, AsciiCasemap, "É", "é", NONE);
        check(How::Is, UnicodeCasemap, "É", "e\u{301}", "");
        check(How::Contains, UnicodeCasemap, "Straße ÀB", "àb", "");
        check(How::Is, AsciiNumeric, "0021x", "21", "");
        check(How::Is, AsciiNumeric, "x", "y", "");
        check(How::Value(Relation::Greater), AsciiNumeric, "x", "99999999999999999999999", "");
        check(How::Value(Relation::Less), AsciiNumeric, "9", "10", "");
        check(How::Value(Relation::Less), AsciiCasemap, "9", "10", NONE);
    }

    #[test]
    fn wildcards_take_as_little_as_they_can() {
        let check = |value, key, expected| check(How::Matches, Comparator::AsciiCasemap, value, key, expected);
        check("abcabc", "a*c*", "abcabc|b|abc");
        check("abcabc", "*BC", "abcabc|abca");
        check("abc", "???", "abc|a|b|c");
        check("abc", "??", NONE);
        check("", "*", "|");
        check("a*b?", "a\\*b\\?", "a*b?");
        check("[acme-users] [fwd] version", "[*] *", "[acme-users] [fwd] version|acme-users|[fwd] version");
        check(
            "frop.......frop.........frop....",
            "?*fr??*",
            "frop.......frop.........frop....|f|rop.......|o|p|.........frop....",
        );
        check("aaaab", "*a", NONE);
        super::tests::check(How::Matches, Comparator::UnicodeCasemap, "xÀy", "*à*", "xÀy|x|y");
    }

    #[test]
    fn regular_expressions_are_posix() {
        let check = |value, key, expected| check(How::Regex, Comparator::AsciiCasemap, value, key, expected);
        check("Subject 12", "^sub(.*) ([[:digit:]]+)$", "Subject 12|ject|12");
        check("a\\b", "[\\]", "\\");
        check("a]b", "[]x]", "]");
        check("a[b", "[[]", "[");
        check("a&b", "[&&]", "&");
        check("a.b", "a\\.b", "a.b");
        check("ab", "(a)|(x)", "a|a|");
        check("é1_", "\\w\\b", "_");
        let weight = |text: &str| translate(text).unwrap().1;
        assert_eq!((weight("abc"), weight("(ab|c){10}"), weight("a{2,}b")), (3, 40, 4));
        for bad in ["(?i)a", "a\\", "(a)\\1", "[a", "(a", "*(", "a{9999}{9999}", "((a?){40}){40}b", "\\pL"] {
            assert!(matches!(regex(bad, true), Err(Problem::Regex(..))), "{bad}");
        }
    }
}
