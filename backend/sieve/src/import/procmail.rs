//! `.procmailrc` (procmailrc(5)).

use std::collections::BTreeMap;

use super::pattern::{Part, test};
use super::{
    Imported, MAX_DEPTH, Reason, Report, conditional, deliver, destination, finish, node, not, readable, several, tag,
};
use crate::syntax::{Node, Value};

/// Variables that say nothing of where mail goes.
const HARMLESS: [&str; 16] = [
    "SHELL",
    "PATH",
    "LOGFILE",
    "LOGABSTRACT",
    "VERBOSE",
    "LINEBUF",
    "LOCKFILE",
    "LOCKTIMEOUT",
    "COMSAT",
    "UMASK",
    "SENDMAIL",
    "TIMEOUT",
    "LOG",
    "LOCKEXT",
    "NORESRETRY",
    "SUSPEND",
];

/// Stands for a recipe that was left out, until the block is read: what hangs on it by `E` or `A` is left out with it.
const GAP: &str = "";
/// Stands for a recipe that was put into the one before by `A`: an `E` behind it can't be told.
const JOINED: &str = "A";

/// Recipes as a script.
pub fn procmail(source: &str) -> Imported {
    let mut report = Report::default();
    let source = readable(source, &mut report);
    let lines = joined(&source);
    let mut reader = Reader { lines: &lines, variables: BTreeMap::new(), report };
    let commands = reader.block(0);
    finish(commands, "procmail's recipes", reader.report)
}

/// Lines with their numbers; a backslash at the end joins the next; comments and empty lines are gone.
fn joined(source: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (line, number) in source.lines().zip(1..) {
        let line = line.trim();
        if !is_open && (line.is_empty() || line.starts_with('#')) {
            continue;
        }
        let (line, goes_on) = line.strip_suffix('\\').map_or((line, false), |rest| (rest, true));
        match lines.last_mut() {
            Some((_, last)) if is_open => last.push_str(line),
            _ => lines.push((number, line.to_owned())),
        }
        is_open = goes_on;
    }
    lines
}

struct Reader<'a> {
    lines: &'a [(usize, String)],
    variables: BTreeMap<String, String>,
    report: Report,
}

/// The letters of a recipe's first line.
struct Flags(String);

impl Flags {
    fn read(line: &str) -> Self {
        let words = line.trim_start_matches(':').trim_start_matches(|letter: char| letter.is_ascii_digit());
        Self(words.split(':').next().unwrap_or_default().to_owned())
    }

    fn has(&self, letter: char) -> bool {
        self.0.contains(letter)
    }

    /// A copy: the message goes on.
    fn is_copy(&self) -> bool {
        self.has('c')
    }

    /// Only where the one before held.
    fn is_and(&self) -> bool {
        self.has('A') || self.has('a')
    }

    /// Only where the one before didn't hold.
    fn is_else(&self) -> bool {
        self.has('E')
    }
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a (usize, String)> {
        self.lines.first()
    }

    fn next(&mut self) -> Option<&'a (usize, String)> {
        let (first, rest) = self.lines.split_first()?;
        self.lines = rest;
        Some(first)
    }

    /// Up to a `}` or the end.
    fn block(&mut self, depth: usize) -> Vec<Node> {
        let mut commands: Vec<Node> = Vec::new();
        while let Some((number, line)) = self.peek() {
            if line.starts_with('}') {
                break;
            }
            self.next();
            if line.starts_with(':') {
                self.recipe(*number, line, &mut commands, depth);
            } else {
                self.assign(*number, line);
            }
        }
        commands.retain(|command| command.name != GAP && command.name != JOINED);
        commands
    }

    fn assign(&mut self, number: usize, line: &str) {
        let Some((name, value)) = line.split_once('=') else {
            return self.report.add(number, line, Reason::Unknown);
        };
        let (name, value) = (name.trim(), value.trim().trim_matches('"'));
        match name {
            "INCLUDERC" | "SWITCHRC" => self.report.add(number, line, Reason::Other),
            _ if HARMLESS.contains(&name) => {}
            _ if value.contains('`') => self.report.add(number, line, Reason::Program),
            _ => {
                let value = self.fill(value);
                self.variables.insert(name.to_owned(), value);
            }
        }
    }

    /// Known variables by their values; others stay.
    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // The longest names first: `$LISTS` isn't `$LIST` and an `S`.
        let mut known: Vec<_> =
            self.variables.iter().filter(|(name, _)| !matches!(name.as_str(), "MAILDIR" | "DEFAULT")).collect();
        known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, value) in known {
            text = text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value);
            if text.len() > super::MAX_OCTETS {
                return String::new();
            }
        }
        text
    }

    fn recipe(&mut self, number: usize, line: &str, commands: &mut Vec<Node>, depth: usize) {
        let flags = Flags::read(line);
        let mut conditions = Vec::new();
        while let Some((_, condition)) = self.peek().filter(|(_, line)| line.starts_with('*')) {
            conditions.push(condition.trim_start_matches('*').trim().to_owned());
            self.next();
        }
        let action = self.next().map_or("", |(_, line)| line.as_str()).to_owned();
        let told = format!("{line} {} {action}", conditions.join(" * "));
        let mut is_near = false;
        let tests: Result<Vec<Node>, Reason> =
            conditions.iter().map(|condition| self.condition(condition, &flags, &mut is_near)).collect();
        let block = self.action(&action, &flags, depth);
        match (tests, block) {
            (Ok(tests), Ok(block)) => {
                if is_near {
                    self.report.add(number, &told, Reason::Nearly);
                }
                if place(commands, &flags, tests, block).is_none() {
                    self.report.add(number, &told, Reason::Unknown);
                    commands.push(node(GAP, Vec::new()));
                }
            }
            (Err(why), _) | (_, Err(why)) => {
                self.report.add(number, &told, why);
                commands.push(node(GAP, Vec::new()));
            }
        }
    }

    fn condition(&self, condition: &str, flags: &Flags, is_near: &mut bool) -> Result<Node, Reason> {
        if let Some(rest) = condition.strip_prefix('!') {
            return self.condition(rest.trim(), flags, is_near).map(not);
        }
        let condition = condition.strip_prefix('$').map_or_else(|| condition.to_owned(), |rest| self.fill(rest.trim()));
        let condition = condition.trim();
        if condition.starts_with('?') {
            return Err(Reason::Program);
        }
        for (sign, way) in [('<', "under"), ('>', "over")] {
            if let Some(size) = condition.strip_prefix(sign) {
                let octets = size.trim().parse().map_err(|_| Reason::Pattern)?;
                return Ok(node("size", vec![tag(way), Value::Number(octets)]));
            }
        }
        let (part, pattern) = match condition.split_once("??") {
            Some((part, pattern)) => match part.trim() {
                "B" => (Some(Part::Body), pattern),
                "H" => (None, pattern),
                _ => return Err(Reason::Pattern),
            },
            None => (flags.has('B').then_some(Part::Body), condition),
        };
        // Weights.
        if condition.split_once(' ').is_some_and(|(first, _)| {
            first.contains('^') && first.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-')
        }) {
            return Err(Reason::Pattern);
        }
        let mut one = |part: Part| {
            let (test, near) = test(pattern, part, flags.has('D')).ok_or(Reason::Pattern)?;
            *is_near |= near;
            Ok(test)
        };
        if flags.has('B') && flags.has('H') {
            return Ok(several("anyof", vec![one(Part::Header)?, one(Part::Body)?]));
        }
        one(part.unwrap_or(Part::Header))
    }

    fn action(&mut self, action: &str, flags: &Flags, depth: usize) -> Result<Vec<Node>, Reason> {
        if action.starts_with('{') {
            let inner = if action.ends_with('}') && action.len() > 1 { Vec::new() } else { self.inner(depth)? };
            // A copy of the message that goes a way of its own, with ends of its own.
            return if flags.is_copy() { Err(Reason::Unknown) } else { Ok(inner) };
        }
        if flags.has('f') {
            return Err(Reason::Program);
        }
        let action = self.fill(action);
        // `folder: a b`, and shell's quotes.
        Ok(deliver(&destination(action.trim_matches('"'))?, flags.is_copy()))
    }

    fn inner(&mut self, depth: usize) -> Result<Vec<Node>, Reason> {
        if depth >= MAX_DEPTH {
            self.lines = &[];
            return Err(Reason::TooLarge);
        }
        let block = self.block(depth + 1);
        self.next();
        Ok(block)
    }
}

/// Puts a recipe where its flags want it. None: there is no such place.
fn place(commands: &mut Vec<Node>, flags: &Flags, tests: Vec<Node>, block: Vec<Node>) -> Option<()> {
    let test = (!tests.is_empty()).then(|| several("allof", tests));
    if flags.is_and() {
        let before = commands.iter_mut().rev().find(|command| command.name != JOINED);
        let before = before.filter(|command| command.name == "if" || command.name == "elsif")?;
        let inner = before.block.as_mut()?;
        // Behind what has ended nothing comes.
        if inner.last().is_some_and(|last| last.name == "stop") {
            return None;
        }
        match test {
            Some(test) => inner.push(conditional("if", Some(test), block)),
            None => inner.extend(block),
        }
        commands.push(node(JOINED, Vec::new()));
        return Some(());
    }
    if flags.is_else() {
        commands.last().filter(|command| command.name == "if" || command.name == "elsif")?;
        let word = if test.is_some() { "elsif" } else { "else" };
        commands.push(conditional(word, test, block));
        return Some(());
    }
    match test {
        Some(test) => commands.push(conditional("if", Some(test), block)),
        None => commands.extend(block),
    }
    Some(())
}
