//! Rules as a script.

use super::{Absence, Condition, How, Rule, RuleAct, Rules};
use crate::fault::Position;
use crate::syntax::{Argument, Node, Script, Value};

/// The script's first lines.
const HEAD: [&str; 2] = [
    " Rules, written by Relais: change them there.",
    " What is changed here by hand makes it a script like any other.",
];
pub(super) const RULE: &str = " Rule: ";
pub(super) const ABSENCE: &str = " Absence";

impl Rules {
    /// The script. It is in the form that [`Script`] prints.
    pub fn write(&self) -> String {
        self.script().to_string()
    }

    fn script(&self) -> Script {
        let mut commands: Vec<Node> = self.absence.iter().map(absence).collect();
        commands.extend(self.rules.iter().map(rule));
        let mut needed: Vec<String> = Vec::new();
        for command in &commands {
            extensions(command, &mut needed);
        }
        needed.sort_unstable();
        needed.dedup();
        let comments: Vec<String> = HEAD.iter().map(|line| (*line).to_owned()).collect();
        if needed.is_empty() {
            let mut script = Script { commands, comments: Vec::new() };
            match script.commands.first_mut() {
                Some(first) => first.comments.splice(0..0, comments).for_each(drop),
                None => script.comments = comments,
            }
            return script;
        }
        let require = Node { comments, ..node("require", vec![Value::List(needed)]) };
        commands.insert(0, require);
        Script { commands, comments: Vec::new() }
    }
}

fn node(name: &str, values: Vec<Value>) -> Node {
    let arguments = values.into_iter().map(|value| Argument { at: Position::default(), value }).collect();
    Node { name: name.to_owned(), arguments, ..Node::default() }
}

fn tag(name: &str) -> Value {
    Value::Tag(name.to_owned())
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn list(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn tests(name: &str, tests: Vec<Node>) -> Node {
    Node { tests, is_test_list: true, ..node(name, Vec::new()) }
}

fn not(test: Node) -> Node {
    Node { tests: vec![test], ..node("not", Vec::new()) }
}

/// `if`; where it is off, with a test that never holds before the others.
fn conditional(is_on: bool, test: Node, block: Vec<Node>, comment: String) -> Node {
    let test = if is_on { test } else { tests("allof", vec![node("false", Vec::new()), test]) };
    Node { tests: vec![test], block: Some(block), comments: vec![comment], ..node("if", Vec::new()) }
}

/// One line without controls.
pub(super) fn one_line(name: &str) -> String {
    name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect::<String>().trim().to_owned()
}

fn rule(rule: &Rule) -> Node {
    let conditions: Vec<Node> = rule.conditions.iter().map(condition).collect();
    let test = match conditions.len() {
        0 => node("true", Vec::new()),
        _ => tests(if rule.any { "anyof" } else { "allof" }, conditions),
    };
    let mut block: Vec<Node> = rule.acts.iter().map(act).collect();
    if rule.stops {
        block.push(node("stop", Vec::new()));
    }
    conditional(rule.is_on, test, block, format!("{RULE}{}", one_line(&rule.name)))
}

fn condition(condition: &Condition) -> Node {
    match condition {
        Condition::From(how, key) => compared(&["from"], *how, key, true),
        Condition::To(how, key) => compared(&["to", "cc"], *how, key, true),
        Condition::Subject(how, key) => compared(&["subject"], *how, key, false),
        Condition::List(how, key) => compared(&["list-id"], *how, key, false),
        Condition::Header(name, how, key) => compared(&[name], *how, key, false),
        Condition::Larger(octets) => node("size", vec![tag("over"), Value::Number(*octets)]),
        Condition::Smaller(octets) => node("size", vec![tag("under"), Value::Number(*octets)]),
        Condition::HasAttachment => node(
            "header",
            vec![tag("mime"), tag("anychild"), tag("contains"), text("content-disposition"), text("attachment")],
        ),
    }
}

fn compared(names: &[&str], how: How, key: &str, holds_addresses: bool) -> Node {
    let (kind, is_not) = match how {
        How::Contains => ("contains", false),
        How::ContainsNot => ("contains", true),
        How::Is => ("is", false),
        How::IsNot => ("is", true),
        How::Matches => ("matches", false),
    };
    let test = if holds_addresses && kind == "is" { "address" } else { "header" };
    let names = match names {
        [one] => text(one),
        several => list(several),
    };
    let test = node(test, vec![tag(kind), names, text(key)]);
    if is_not { not(test) } else { test }
}

fn act(act: &RuleAct) -> Node {
    match act {
        RuleAct::Move(mailbox) => node("fileinto", vec![tag("create"), text(mailbox.as_str())]),
        RuleAct::Copy(mailbox) => node("fileinto", vec![tag("copy"), tag("create"), text(mailbox.as_str())]),
        RuleAct::Flag(flag) => node("addflag", vec![text(&flag.to_string())]),
        RuleAct::Forward { to, keeps: true } => node("redirect", vec![tag("copy"), text(&to.to_string())]),
        RuleAct::Forward { to, keeps: false } => node("redirect", vec![text(&to.to_string())]),
        RuleAct::Delete => node("discard", Vec::new()),
    }
}

fn absence(absence: &Absence) -> Node {
    let date = |relation: &str, day: super::Day| {
        node("currentdate", vec![tag("value"), text(relation), text("date"), text(&day.to_string())])
    };
    let mut dates: Vec<Node> = Vec::new();
    dates.extend(absence.from.map(|day| date("ge", day)));
    dates.extend(absence.until.map(|day| date("le", day)));
    let test = if dates.is_empty() { node("true", Vec::new()) } else { tests("allof", dates) };
    let mut values = vec![tag("days"), Value::Number(u64::from(absence.days))];
    if let Some(subject) = &absence.subject {
        values.extend([tag("subject"), text(&one_line(subject))]);
    }
    if !absence.addresses.is_empty() {
        let addresses = absence.addresses.iter().map(ToString::to_string).collect();
        values.extend([tag("addresses"), Value::List(addresses)]);
    }
    values.push(text(&absence.text.replace('\r', "").replace('\n', "\r\n")));
    conditional(absence.is_on, test, vec![node("vacation", values)], ABSENCE.to_owned())
}

/// The extensions that a command and all inside of it need.
fn extensions(node: &Node, needed: &mut Vec<String>) {
    let mut need = |name: &str| needed.push(name.to_owned());
    match node.name.as_str() {
        "fileinto" => need("fileinto"),
        "addflag" => need("imap4flags"),
        "vacation" => need("vacation"),
        "currentdate" => need("date"),
        _ => {}
    }
    for argument in &node.arguments {
        match &argument.value {
            Value::Tag(name) => match name.as_str() {
                "create" => need("mailbox"),
                "copy" => need("copy"),
                "mime" => need("mime"),
                "value" => need("relational"),
                _ => {}
            },
            Value::Number(_) | Value::String(_) | Value::List(_) => {}
        }
    }
    for inner in node.tests.iter().chain(node.block.iter().flatten()) {
        extensions(inner, needed);
    }
}
