//! A script as rules, where it is some.

use relais_model::{Address, Flag, MailboxName};

use super::write::{ABSENCE, RULE};
use super::{Absence, Condition, Day, How, MAX_PARTS, MAX_RULES, Rule, RuleAct, Rules};
use crate::syntax::{Argument, Node, Script, Value};

impl Rules {
    /// The rules that a script is made of. None: it was written by hand, or has faults.
    pub fn read(text: &str) -> Option<Self> {
        let script = Script::parse(text).ok()?;
        let mut rules = Self::default();
        for command in script.commands.iter().filter(|command| command.name != "require") {
            match command.comments.last()?.as_str() {
                ABSENCE if rules.absence.is_none() && rules.rules.is_empty() => rules.absence = Some(absence(command)?),
                comment => rules.rules.push(rule(command, comment.strip_prefix(RULE)?)?),
            }
        }
        // What was understood is all that there is.
        (rules.rules.len() <= MAX_RULES && rules.write() == script.to_string()).then_some(rules)
    }
}

/// The values of a node's arguments.
fn values(node: &Node) -> Vec<&Value> {
    node.arguments.iter().map(|Argument { value, .. }| value).collect()
}

fn tag(value: &Value) -> Option<&str> {
    match value {
        Value::Tag(name) => Some(name),
        _ => None,
    }
}

/// Whether it is on, and its test: see `write`'s `conditional`.
fn conditional(node: &Node) -> Option<(bool, &Node, &[Node])> {
    let test = node.tests.first()?;
    let block = node.block.as_deref()?;
    match test.tests.as_slice() {
        [first, second] if test.name == "allof" && first.name == "false" => Some((false, second, block)),
        _ => Some((true, test, block)),
    }
}

fn rule(node: &Node, name: &str) -> Option<Rule> {
    let (is_on, test, block) = conditional(node)?;
    let conditions = match test.name.as_str() {
        "true" => Vec::new(),
        "anyof" | "allof" => test.tests.iter().map(condition).collect::<Option<_>>()?,
        _ => return None,
    };
    let (acts, stops) = match block.split_last() {
        Some((last, before)) if last.name == "stop" => (before, true),
        _ => (block, false),
    };
    let acts: Vec<RuleAct> = acts.iter().map(act).collect::<Option<_>>()?;
    let fits = conditions.len() <= MAX_PARTS && acts.len() <= MAX_PARTS;
    fits.then(|| Rule { name: name.to_owned(), is_on, any: test.name == "anyof", conditions, acts, stops })
}

fn condition(node: &Node) -> Option<Condition> {
    let (node, is_not) = match node.tests.as_slice() {
        [inner] if node.name == "not" => (inner, true),
        _ => (node, false),
    };
    match (node.name.as_str(), values(node).as_slice()) {
        ("size", [way, Value::Number(octets)]) => match tag(way)? {
            "over" => Some(Condition::Larger(*octets)),
            "under" => Some(Condition::Smaller(*octets)),
            _ => None,
        },
        ("header", [first, ..]) if tag(first) == Some("mime") => Some(Condition::HasAttachment),
        ("header" | "address", [kind, names, Value::String(key)]) => {
            let how = match (tag(kind)?, is_not) {
                ("contains", false) => How::Contains,
                ("contains", true) => How::ContainsNot,
                ("is", false) => How::Is,
                ("is", true) => How::IsNot,
                ("matches", false) => How::Matches,
                _ => return None,
            };
            let key = key.clone();
            Some(match names {
                Value::List(_) => Condition::To(how, key),
                Value::String(name) => match name.as_str() {
                    "from" => Condition::From(how, key),
                    "subject" => Condition::Subject(how, key),
                    "list-id" => Condition::List(how, key),
                    _ => Condition::Header(name.clone(), how, key),
                },
                _ => return None,
            })
        }
        _ => None,
    }
}

fn act(node: &Node) -> Option<RuleAct> {
    let values = values(node);
    let Some(Value::String(last)) = values.last() else {
        return (node.name == "discard").then_some(RuleAct::Delete);
    };
    let is_copy = values.first().and_then(|first| tag(first)) == Some("copy");
    Some(match (node.name.as_str(), is_copy) {
        ("fileinto", true) => RuleAct::Copy(MailboxName::parse(last).ok()?),
        ("fileinto", false) => RuleAct::Move(MailboxName::parse(last).ok()?),
        ("addflag", _) => RuleAct::Flag(Flag::parse(last).ok()?),
        ("redirect", keeps) => RuleAct::Forward { to: Address::parse(last).ok()?, keeps },
        _ => return None,
    })
}

fn absence(node: &Node) -> Option<Absence> {
    let (is_on, test, block) = conditional(node)?;
    let day = |relation: &str| {
        test.tests.iter().find_map(|test| match values(test).as_slice() {
            [_, Value::String(said), _, Value::String(day)] if said == relation => Day::parse(day),
            _ => None,
        })
    };
    let [vacation] = block else { return None };
    let values = values(vacation);
    let behind = |name: &str| {
        let at = values.iter().position(|value| tag(value) == Some(name))?;
        values.get(at + 1).copied()
    };
    let Some(Value::Number(days)) = behind("days") else { return None };
    let Some(Value::String(said)) = values.last() else { return None };
    let addresses = match behind("addresses") {
        Some(Value::List(list)) => list.iter().map(|text| Address::parse(text).ok()).collect::<Option<_>>()?,
        _ => Vec::new(),
    };
    Some(Absence {
        is_on,
        from: day("ge"),
        until: day("le"),
        subject: match behind("subject") {
            Some(Value::String(subject)) => Some(subject.clone()),
            _ => None,
        },
        text: said.replace("\r\n", "\n"),
        days: u16::try_from(*days).ok().filter(|days| (1..=365).contains(days))?,
        addresses,
    })
}
