//! Whether values are those that were expected, and what the variables in the expectation then stand for.

use std::collections::HashMap;

use super::value::Value;

/// What `$name` stands for, and where each message of the mailbox stands now.
#[derive(Debug, Clone, Default)]
pub(super) struct Bindings {
    values: HashMap<String, Vec<u8>>,
    /// The sequence number that each message of the start of this group has now; `None` once expunged.
    positions: Vec<Option<usize>>,
}

/// Something in an expectation that stands for text.
enum Part<'a> {
    Octet(u8),
    /// A named variable, or the empty name: anything.
    Variable(&'a str),
}

impl Bindings {
    /// Binds a name, whatever it stood for.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// A new group starts: `$1` is message 1 of `count`.
    pub(super) fn start_group(&mut self, count: usize) {
        self.positions = (1..=count).map(Some).collect();
    }

    /// A message went: those after it move up.
    pub(super) fn expunge(&mut self, number: usize) {
        for position in &mut self.positions {
            *position = match *position {
                Some(at) if at == number => None,
                Some(at) if at > number => Some(at - 1),
                unmoved => unmoved,
            };
        }
    }

    /// A command's text with all variables filled in.
    pub(super) fn fill(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let mut filled = Vec::new();
        let mut rest = text;
        while let Some((part, after)) = split_part(rest) {
            match part {
                Part::Octet(octet) => filled.push(octet),
                Part::Variable(name) => filled.extend(self.value(name).ok_or_else(|| format!("${name} has no value"))?),
            }
            rest = after;
        }
        Ok(filled)
    }

    /// Whether `values` are as expected; where they are, new variables are bound. With `is_prefix` more may follow.
    pub(super) fn matches(&mut self, expected: &[Value], values: &[Value], is_prefix: bool) -> bool {
        let before = self.values.clone();
        let does = self.matches_line(expected, values, is_prefix);
        if !does {
            self.values = before;
        }
        does
    }

    fn matches_line(&mut self, expected: &[Value], values: &[Value], is_prefix: bool) -> bool {
        let short_enough = if is_prefix { expected.len() <= values.len() } else { expected.len() == values.len() };
        let last = expected.len().saturating_sub(1);
        let kind = Kind::of(expected);
        short_enough
            && expected.iter().zip(values).enumerate().all(|(at, (expected, value))| match (expected, value) {
                (Value::List(expected), Value::List(values)) if kind.is_unordered(at) => {
                    let rules = Rules::given(expected).unwrap_or_else(|| kind.rules());
                    self.matches_list(&rules, without_directives(expected), values, kind)
                }
                _ => self.matches_value(expected, value, is_prefix && at == last),
            })
    }

    fn matches_value(&mut self, expected: &Value, value: &Value, is_prefix: bool) -> bool {
        match (expected, value) {
            (Value::Nil, Value::Nil) => true,
            (Value::List(expected), Value::List(values)) => {
                let rules = Rules::given(expected).unwrap_or_default();
                self.matches_list(&rules, without_directives(expected), values, Kind::Other)
            }
            (Value::Atom(expected), Value::List(_)) => expected == b"$",
            (Value::Atom(expected) | Value::Text(expected), value) => {
                value.octets().is_some_and(|octets| self.matches_octets(to_nul(expected), to_nul(octets), is_prefix))
            }
            _ => false,
        }
    }

    fn matches_list(&mut self, rules: &Rules, expected: &[Value], values: &[Value], kind: Kind) -> bool {
        let Some(chain) = rules.unordered else {
            return expected.len() == values.len()
                && expected.iter().zip(values).all(|(expected, value)| self.matches_value(expected, value, false));
        };
        if !values.len().is_multiple_of(chain) {
            return false;
        }
        let mut taken = vec![false; values.len() / chain];
        for expected in expected.chunks(chain) {
            let mut candidates = values.chunks(chain);
            let Some(found) = candidates.position(|values| self.matches_chain(expected, values, kind)) else {
                return false;
            };
            taken[found] = true;
        }
        let rest = || values.chunks(chain).zip(&taken).filter(|(_, taken)| !**taken).map(|(values, _)| &values[0]);
        let is_named = |names: &[String], value: &Value| {
            names.iter().any(|name| value.octets().is_some_and(|octets| octets.eq_ignore_ascii_case(name.as_bytes())))
        };
        let has_extra = !rules.allows_extra && rest().any(|value| !is_named(&rules.ignored, value));
        !has_extra && !rest().any(|value| is_named(&rules.banned, value))
    }

    fn matches_chain(&mut self, expected: &[Value], values: &[Value], kind: Kind) -> bool {
        let before = self.values.clone();
        let is_flags = kind == Kind::Fetch && expected.first().and_then(Value::atom).is_some_and(is_flags);
        let does = expected.iter().zip(values).all(|(expected, value)| match (expected, value) {
            (Value::List(expected), Value::List(values)) if is_flags => {
                let rules = Rules::given(expected).unwrap_or_else(Rules::of_flags);
                self.matches_list(&rules, without_directives(expected), values, Kind::Other)
            }
            _ => self.matches_value(expected, value, false),
        });
        if !does {
            self.values = before;
        }
        does
    }

    /// Case doesn't matter; an unbound variable takes all up to the octet that follows it.
    fn matches_octets(&mut self, expected: &[u8], octets: &[u8], is_prefix: bool) -> bool {
        let (mut rest, mut octets) = (expected, octets);
        while let Some((part, after)) = split_part(rest) {
            let taken = match part {
                Part::Octet(octet) => {
                    usize::from(octets.first().is_some_and(|first| first.eq_ignore_ascii_case(&octet)))
                }
                Part::Variable(name) => match self.value(name) {
                    Some(value) if octets.starts_with(&value) => value.len(),
                    Some(_) => return false,
                    None => self.take(name, octets, after),
                },
            };
            if taken == 0 && matches!(part, Part::Octet(_)) {
                return false;
            }
            (rest, octets) = (after, &octets[taken..]);
        }
        is_prefix || octets.is_empty()
    }

    fn take(&mut self, name: &str, octets: &[u8], after: &[u8]) -> usize {
        let stops_at = match split_part(after) {
            Some((Part::Octet(octet), _)) => Some(octet),
            Some((Part::Variable(next), _)) => self.value(next).and_then(|value| value.first().copied()),
            None => None,
        };
        let is_stop = |octet: &u8| stops_at.is_some_and(|stop| octet.eq_ignore_ascii_case(&stop));
        let length = octets.iter().position(is_stop).unwrap_or(octets.len());
        if !name.is_empty() {
            self.set(name, &octets[..length]);
        }
        length
    }

    fn value(&self, name: &str) -> Option<Vec<u8>> {
        match name.parse::<usize>() {
            Ok(number) => {
                let position = self.positions.get(number.checked_sub(1)?).copied().flatten();
                Some(position.map_or_else(|| "expunged".to_owned(), |at| at.to_string()).into_bytes())
            }
            Err(_) => self.values.get(name).cloned(),
        }
    }
}

/// imaptest compares up to the first NUL, and a script relies on it.
fn to_nul(octets: &[u8]) -> &[u8] {
    octets.split(|&octet| octet == 0).next().unwrap_or_default()
}

/// What is left of a text, after its first part: `$$` is a dollar, `$name` and `${name}` are variables.
fn split_part(text: &[u8]) -> Option<(Part<'_>, &[u8])> {
    let (&first, rest) = text.split_first()?;
    if first != b'$' {
        return Some((Part::Octet(first), rest));
    }
    if let Some(rest) = rest.strip_prefix(b"$") {
        return Some((Part::Octet(b'$'), rest));
    }
    if let Some(rest) = rest.strip_prefix(b"{")
        && let Some(end) = rest.iter().position(|&octet| octet == b'}')
    {
        return Some((Part::Variable(std::str::from_utf8(&rest[..end]).unwrap_or_default()), &rest[end + 1..]));
    }
    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'_';
    let length = rest.iter().position(|octet| !is_name(octet)).unwrap_or(rest.len());
    Some((Part::Variable(std::str::from_utf8(&rest[..length]).unwrap_or_default()), &rest[length..]))
}

/// The response's kind, which says which of its lists have no order where the script doesn't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fetch,
    List,
    Status,
    Other,
}

impl Kind {
    fn of(expected: &[Value]) -> Self {
        let word = |at: usize| expected.get(at).and_then(Value::atom).unwrap_or_default().to_ascii_lowercase();
        match (word(0).as_str(), word(1).as_str()) {
            (_, "fetch") => Self::Fetch,
            ("list" | "lsub", _) => Self::List,
            ("status", _) => Self::Status,
            _ => Self::Other,
        }
    }

    fn is_unordered(self, at: usize) -> bool {
        match self {
            Self::Fetch | Self::Status => at == 2,
            Self::List => at == 1,
            Self::Other => false,
        }
    }

    fn rules(self) -> Rules {
        let chain = if self == Self::List { 1 } else { 2 };
        Rules { unordered: Some(chain), allows_extra: true, ..Rules::default() }
    }
}

/// How a list is compared.
#[derive(Debug, Clone, Default)]
struct Rules {
    /// In any order, so many values at a time.
    unordered: Option<usize>,
    allows_extra: bool,
    ignored: Vec<String>,
    banned: Vec<String>,
}

impl Rules {
    /// The flags of a message: all of them and no other; but `\Recent` may go to any session.
    fn of_flags() -> Self {
        Self { unordered: Some(1), ignored: vec!["\\recent".to_owned()], ..Self::default() }
    }

    /// Those that `$!` words at the start of a list give.
    fn given(list: &[Value]) -> Option<Self> {
        let words = list.iter().map_while(directive);
        words.fold(None, |rules: Option<Self>, word| {
            let mut rules = rules.unwrap_or_default();
            let (word, argument) = word.split_once('=').unwrap_or((word, ""));
            match word {
                "unordered" => {
                    rules.unordered = Some(argument.parse().unwrap_or(1));
                    rules.allows_extra = true;
                }
                "noextra" => rules.allows_extra = false,
                "extra" => rules.allows_extra = true,
                "ignore" => rules.ignored.push(argument.to_owned()),
                "ban" => rules.banned.push(argument.to_owned()),
                _ => {}
            }
            Some(rules)
        })
    }
}

fn directive(value: &Value) -> Option<&str> {
    value.atom()?.strip_prefix("$!")
}

fn without_directives(list: &[Value]) -> &[Value] {
    let count = list.iter().map_while(directive).count();
    &list[count..]
}

fn is_flags(word: &str) -> bool {
    word.eq_ignore_ascii_case("flags")
}

#[cfg(test)]
mod tests {
    use super::super::value::parse;
    use super::*;

    fn check(expected: &[u8], line: &[u8], does: bool) {
        let mut bindings = Bindings::default();
        bindings.set("uid1", "7");
        bindings.start_group(3);
        bindings.expunge(1);
        let does_it = bindings.matches(&parse(expected).unwrap(), &parse(line).unwrap(), false);
        assert_eq!(does_it, does, "{} against {}", expected.escape_ascii(), line.escape_ascii());
    }

    #[test]
    fn a_fetch_has_no_order_and_its_flags_are_complete() {
        check(b"1 fetch (uid $uid1 flags (\\seen))", b"1 FETCH (FLAGS (\\Seen \\Recent) UID 7)", true);
        check(b"1 fetch (flags (\\seen))", b"1 FETCH (UID 9 FLAGS (\\Seen))", true);
        check(b"1 fetch (flags (\\seen))", b"1 FETCH (FLAGS (\\Seen \\Flagged))", false);
        check(b"1 fetch (flags (\\seen \\flagged))", b"1 FETCH (FLAGS (\\Seen))", false);
        check(b"1 fetch (uid $uid1)", b"1 FETCH (UID 8)", false);
        check(b"1 fetch (envelope ($!unordered) flags ($$a))", b"1 FETCH (FLAGS ($a) ENVELOPE (NIL (NIL)))", true);
    }

    #[test]
    fn positions_follow_expunges() {
        check(b"$2 expunge", b"1 EXPUNGE", true);
        check(b"$1 expunge", b"1 EXPUNGE", false);
    }

    #[test]
    fn a_list_may_have_more_attributes_unless_banned() {
        check(b"list () / a", b"LIST (\\HasNoChildren) \"/\" a", true);
        check(b"list ($!unordered $!ban=\\x) / a", b"LIST (\\X) \"/\" a", false);
        check(b"list (\\subscribed) / a", b"LIST () \"/\" a", false);
    }

    #[test]
    fn other_lists_are_as_they_stand() {
        check(b"esearch (tag a1) all 1:3", b"ESEARCH (TAG \"a1\") ALL 1:3", true);
        check(b"esearch (tag a1) all 1:3", b"ESEARCH (TAG \"a1\") UID ALL 1:3", false);
        check(b"thread (3 2)(1)", b"THREAD (3 2)(1)", true);
        check(b"search 1 2", b"SEARCH 2 1", false);
        check(b"x $", b"x (a (b))", true);
    }

    #[test]
    fn a_variable_ends_where_the_text_goes_on() {
        let mut bindings = Bindings::default();
        assert!(bindings.matches(&parse(b"ok [uidnext $n]").unwrap(), &parse(b"OK [UIDNEXT 12] next").unwrap(), true));
        assert_eq!(bindings.fill(b"x${n}y$$").unwrap(), b"x12y$");
        bindings.fill(b"$other").unwrap_err();
    }
}
