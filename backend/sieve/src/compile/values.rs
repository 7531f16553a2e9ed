//! Values of arguments: strings with variables, match types, places, dates.

use relais_message::{mailboxes, read_address_list};
use relais_model::{Address, Flag, MailboxName};

use super::{Bound, Checked, Compiler, fault, strings};
use crate::capability::Capability;
use crate::fault::{Position, Problem};
use crate::limit;
use crate::matching::{Comparator, How, Match, Pattern, Relation};
use crate::program::{AddressPart, DatePart, Index, Keys, Modifier, Piece, Scope, Target, Template, Variable, Zone};
use crate::syntax::{Argument, Value};
use crate::template::{self, Named};

impl Compiler<'_> {
    pub(super) fn template(&self, text: &str, at: Position) -> Checked<Template> {
        let decoded;
        let mut text = text;
        if self.required.has(Capability::EncodedCharacter) {
            decoded = template::decode(text).map_err(|problem| fault(at, problem))?;
            text = &decoded;
        }
        if !self.required.has(Capability::Variables) {
            return Ok(Template(if text.is_empty() { Vec::new() } else { vec![Piece::Plain(text.to_owned())] }));
        }
        template::parse(text, |named| match named {
            Named::Matched(index) if index >= limit::MATCHES => {
                Err(Problem::Value { value: format!("${{{index}}}"), kind: "match variable: they end at 31" })
            }
            Named::Matched(index) => Ok(Piece::Matched(index)),
            other => self.variable(other).map(Piece::Variable),
        })
        .map_err(|problem| fault(at, problem))
    }

    fn variable(&self, named: Named) -> Result<Variable, Problem> {
        match named {
            Named::Plain(name) => Ok(Variable { is_global: self.globals.contains(&name), name }),
            // RFC 6609 §3.4.2.
            Named::Spaced(space, name)
                if space == "global" && self.required.has(Capability::Include) && !name.contains('.') =>
            {
                match template::name(&name) {
                    Some(Named::Plain(name)) => Ok(Variable { name, is_global: true }),
                    _ => Err(Problem::Value { value: name, kind: "variable's name" }),
                }
            }
            Named::Spaced(space, name) => Err(Problem::Namespace(format!("{space}.{name}"))),
            Named::Matched(index) => Err(Problem::Value { value: index.to_string(), kind: "variable's name" }),
        }
    }

    /// A name that is written to.
    pub(super) fn variable_name(&self, argument: Option<&Argument>, at: Position) -> Checked<Variable> {
        let argument = argument.filter(|argument| matches!(argument.value, Value::String(_)));
        let text = argument.and_then(|argument| strings(argument).first()).map_or("", String::as_str);
        let at = argument.map_or(at, |argument| argument.at);
        let wrong = || Problem::Value { value: text.to_owned(), kind: "variable's name" };
        let named = template::name(text).ok_or_else(|| fault(at, wrong()))?;
        self.variable(named).map_err(|problem| fault(at, problem))
    }

    pub(super) fn templates(&self, argument: &Argument) -> Checked<Vec<Template>> {
        strings(argument).iter().map(|text| self.template(text, argument.at)).collect()
    }

    /// The positional argument of that place, as a list; empty where it is absent.
    pub(super) fn list(&self, bound: &Bound<'_>, index: usize) -> Checked<Vec<Template>> {
        bound.at(index).map_or_else(|| Ok(Vec::new()), |argument| self.templates(argument))
    }

    /// The positional argument of that place, as one string.
    pub(super) fn one(&self, bound: &Bound<'_>, index: usize) -> Checked<Template> {
        Ok(self.list(bound, index)?.into_iter().next().unwrap_or(Template(Vec::new())))
    }

    /// What stands behind a tag, as one string.
    pub(super) fn tagged(&self, bound: &Bound<'_>, tag: &str) -> Checked<Option<Template>> {
        let argument = bound.argument(tag);
        argument
            .map(|argument| Ok(self.templates(argument)?.into_iter().next().unwrap_or(Template(Vec::new()))))
            .transpose()
    }

    /// What stands behind a tag, as a list.
    pub(super) fn tagged_list(&self, bound: &Bound<'_>, tag: &str) -> Checked<Option<Vec<Template>>> {
        bound.argument(tag).map(|argument| self.templates(argument)).transpose()
    }

    /// The match type, and the keys in that place.
    pub(super) fn keys(&self, bound: &Bound<'_>, index: usize) -> Checked<Keys> {
        let kind = self.match_kind(bound)?;
        let at = bound.at(index).map_or(bound.node.at, |argument| argument.at);
        let keys = self.list(bound, index)?;
        let mut ready = Some(Vec::with_capacity(keys.len()));
        for key in &keys {
            match (key.constant(), &mut ready) {
                (Some(text), Some(patterns)) => {
                    let pattern = kind.pattern(text).map_err(|problem| fault(at, problem))?;
                    self.weigh(&pattern).map_err(|problem| fault(at, problem))?;
                    patterns.push(pattern);
                }
                _ => ready = None,
            }
        }
        Ok(Keys { kind, texts: keys, ready })
    }

    fn weigh(&self, pattern: &Pattern) -> Result<(), Problem> {
        if let Pattern::Regex(_, weight) = pattern {
            self.weight.set(self.weight.get() + weight);
        }
        if self.weight.get() > limit::REGEX_WEIGHT_OF_ALL {
            Err(Problem::TooMuch("regular expressions"))
        } else {
            Ok(())
        }
    }

    fn match_kind(&self, bound: &Bound<'_>) -> Checked<Match> {
        let comparator = self.comparator(bound)?;
        let mut how = How::Is;
        for (tag, argument) in &bound.tags {
            how = match tag.name {
                "is" => How::Is,
                "contains" => How::Contains,
                "matches" => How::Matches,
                "regex" => How::Regex,
                "list" => How::List,
                "value" => How::Value(relation(*argument, bound.node.at)?),
                "count" => How::Count(relation(*argument, bound.node.at)?),
                _ => continue,
            };
        }
        let needs_substrings = matches!(how, How::Contains | How::Matches | How::Regex);
        if needs_substrings && !comparator.has_substrings() {
            return Err(fault(bound.node.at, Problem::Together("`i;ascii-numeric` compares whole numbers alone")));
        }
        Ok(Match { how, comparator })
    }

    fn comparator(&self, bound: &Bound<'_>) -> Checked<Comparator> {
        let Some(argument) = bound.argument("comparator") else { return Ok(Comparator::AsciiCasemap) };
        let name = strings(argument).first().map_or("", String::as_str);
        let wrong = || fault(argument.at, Problem::Value { value: name.to_owned(), kind: "comparator" });
        let comparator = Comparator::parse(name).ok_or_else(wrong)?;
        // RFC 5228 §2.7.3: two need no `require`. Deviates: with Pigeonhole a third needs none, and its users rely on that.
        if comparator == Comparator::AsciiNumeric
            && let Some(capability) = Capability::parse(&format!("comparator-{name}"))
        {
            self.needs(argument.at, name, capability)?;
        }
        Ok(comparator)
    }

    pub(super) fn index(bound: &Bound<'_>) -> Checked<Option<Index>> {
        let from_last = bound.has("last");
        match bound.argument("index") {
            None if from_last => {
                Err(fault(bound.node.at, Problem::Missing { command: ":last".into(), wanted: "`:index` beside it" }))
            }
            None => Ok(None),
            Some(argument) => match argument.value {
                Value::Number(number) if number > 0 => {
                    Ok(Some(Index { number: usize::try_from(number).unwrap_or(usize::MAX), from_last }))
                }
                _ => Err(fault(argument.at, Problem::Value { value: "0".into(), kind: "place: they count from one" })),
            },
        }
    }

    pub(super) fn scope(bound: &Bound<'_>) -> Checked<Scope> {
        let scope = Scope { mime: bound.has("mime"), any_child: bound.has("anychild") };
        if scope.any_child && !scope.mime {
            let problem = Problem::Missing { command: ":anychild".into(), wanted: "`:mime` beside it" };
            return Err(fault(bound.node.at, problem));
        }
        Ok(scope)
    }

    /// A mailbox's name, checked where it is known.
    pub(super) fn mailbox(&self, argument: &Argument) -> Checked<Template> {
        let name = self.templates(argument)?.into_iter().next().unwrap_or(Template(Vec::new()));
        if let Some(text) = name.constant()
            && text.chars().any(char::is_control)
        {
            return Err(fault(argument.at, Problem::Value { value: text.to_owned(), kind: "mailbox's name" }));
        }
        Ok(name)
    }

    /// Where a copy goes, with the tags that say so.
    pub(super) fn target(&self, bound: &Bound<'_>, mailbox: Option<&Argument>) -> Checked<Target> {
        let special_use = self.tagged(bound, "specialuse")?;
        if let Some(known) = special_use.as_ref().and_then(Template::constant)
            && crate::program::special_use(known).is_none()
        {
            let at = bound.argument("specialuse").map_or(bound.node.at, |argument| argument.at);
            return Err(fault(at, Problem::Value { value: known.to_owned(), kind: "special use" }));
        }
        if bound.has("mailboxid") && special_use.is_some() {
            return Err(fault(bound.node.at, Problem::TagConflict("mailboxid".into(), "specialuse".into())));
        }
        Ok(Target {
            mailbox: mailbox.map(|argument| self.mailbox(argument)).transpose()?,
            create: bound.has("create"),
            special_use,
            mailbox_id: self.tagged(bound, "mailboxid")?,
            flags: self.tagged_list(bound, "flags")?,
        })
    }

    pub(super) fn zone(&self, bound: &Bound<'_>) -> Checked<Zone> {
        if bound.has("originalzone") {
            return Ok(Zone::Original);
        }
        let Some(zone) = self.tagged(bound, "zone")? else { return Ok(Zone::Local) };
        let at = bound.argument("zone").map_or(bound.node.at, |argument| argument.at);
        match zone.constant().map(|text| (text, crate::date::offset(text))) {
            None => Ok(Zone::Named(zone)),
            Some((_, Some(minutes))) => Ok(Zone::Fixed(minutes)),
            Some((text, None)) => {
                Err(fault(at, Problem::Value { value: text.to_owned(), kind: "time zone such as +0100" }))
            }
        }
    }

    /// RFC 5260 §4.2.
    pub(super) fn date_part(bound: &Bound<'_>, index: usize) -> Checked<DatePart> {
        let argument = bound.at(index);
        let name = argument.and_then(|argument| strings(argument).first()).map_or("", String::as_str);
        let at = argument.map_or(bound.node.at, |argument| argument.at);
        Ok(match name.to_ascii_lowercase().as_str() {
            "year" => DatePart::Year,
            "month" => DatePart::Month,
            "day" => DatePart::Day,
            "date" => DatePart::Date,
            "julian" => DatePart::Julian,
            "hour" => DatePart::Hour,
            "minute" => DatePart::Minute,
            "second" => DatePart::Second,
            "time" => DatePart::Time,
            "iso8601" => DatePart::Iso8601,
            "std11" => DatePart::Std11,
            "zone" => DatePart::Zone,
            "weekday" => DatePart::Weekday,
            _ => return Err(fault(at, Problem::Value { value: name.to_owned(), kind: "part of a date" })),
        })
    }

    pub(super) fn modifiers(bound: &Bound<'_>) -> Vec<Modifier> {
        let read = |name: &str| {
            Some(match name {
                "lower" => Modifier::Lower,
                "upper" => Modifier::Upper,
                "lowerfirst" => Modifier::LowerFirst,
                "upperfirst" => Modifier::UpperFirst,
                "quotewildcard" => Modifier::QuoteWildcard,
                "quoteregex" => Modifier::QuoteRegex,
                "encodeurl" => Modifier::EncodeUrl,
                "length" => Modifier::Length,
                _ => return None,
            })
        };
        let mut modifiers: Vec<_> = bound.tags.iter().filter_map(|(tag, _)| read(tag.name)).collect();
        modifiers.sort_unstable();
        modifiers
    }
}

pub(super) fn address_part(bound: &Bound<'_>) -> AddressPart {
    let part = |name: &str| {
        Some(match name {
            "localpart" => AddressPart::LocalPart,
            "domain" => AddressPart::Domain,
            "user" => AddressPart::User,
            "detail" => AddressPart::Detail,
            _ => return None,
        })
    };
    bound.tags.iter().find_map(|(tag, _)| part(tag.name)).unwrap_or(AddressPart::All)
}

fn relation(argument: Option<&Argument>, at: Position) -> Checked<Relation> {
    let text = argument.and_then(|argument| strings(argument).first()).map_or("", String::as_str);
    let wrong = || Problem::Value { value: text.to_owned(), kind: "relation: gt, ge, lt, le, eq or ne" };
    Relation::parse(text).ok_or_else(|| fault(argument.map_or(at, |argument| argument.at), wrong()))
}

/// RFC 5322 §2.2: printable ASCII without a colon.
pub(crate) fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200 && name.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':')
}

/// One address, with or without a name before it.
pub(crate) fn address(text: &str) -> Option<Address> {
    let items = read_address_list(text.as_bytes());
    let mut found = mailboxes(&items);
    let address = found.next()?.to_address()?;
    found.next().is_none().then_some(address)
}

/// A mailbox's name as the store takes it.
pub(crate) fn mailbox_name(text: &str) -> Option<MailboxName> {
    // What was no UTF-8 in the script is no name.
    MailboxName::parse(text).ok().filter(|_| !text.contains('\u{fffd}'))
}

/// Flags that can be kept; others are passed over (RFC 5232 §2).
pub(crate) fn flag(text: &str) -> Option<Flag> {
    Flag::parse(text).ok()
}
