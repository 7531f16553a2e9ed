//! One script: its header, and its commands with what each expects.

use super::value::{self, Value};

/// A script.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// The server must have all of these.
    pub(super) capabilities: Vec<String>,
    pub(super) connections: usize,
    pub(super) state: State,
    /// How many messages the mailbox starts with; past the end of the mbox file it starts again.
    pub(super) messages: Messages,
    /// Whether it needs a second account.
    pub(super) needs_second_account: bool,
    /// Untagged responses that nobody asked for don't fail it.
    pub(super) ignores_extra: bool,
    pub(super) groups: Vec<Group>,
}

/// What is done before the first command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    NonAuth,
    /// Logged in, and the test's mailboxes are gone.
    Auth,
    /// And its mailbox exists.
    Created,
    /// And the messages are in it.
    Appended,
    /// And each connection has selected it.
    Selected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Messages {
    All,
    Count(usize),
}

/// Commands sent at once, and what must come before the last of their ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// Counted from 0.
    pub(super) connection: usize,
    pub(super) commands: Vec<Command>,
    pub(super) expected: Vec<Expected>,
}

#[derive(Debug, Clone)]
pub(super) struct Command {
    /// In the script, from 1.
    pub(super) line: usize,
    /// `tag1` and so on, where several are sent at once.
    label: Option<String>,
    /// With variables; a literal stands in it as `{n}` CRLF octets.
    pub(super) text: Vec<u8>,
    /// What the tagged response starts with.
    pub(super) ends: Option<Vec<Value>>,
}

#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) existence: Existence,
    pub(super) values: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existence {
    Must,
    MustNot,
    May,
}

impl Script {
    /// Reads a script's file.
    pub(super) fn parse(file: &[u8]) -> Result<Self, String> {
        let mut script = Self {
            capabilities: Vec::new(),
            connections: 1,
            state: State::Selected,
            messages: Messages::Count(0),
            needs_second_account: false,
            ignores_extra: true,
            groups: Vec::new(),
        };
        let mut in_header = true;
        for (number, line) in logical_lines(file)? {
            if line.is_empty() {
                in_header = false;
            } else if line.starts_with(b"#") {
            } else if in_header {
                script
                    .take_header(&String::from_utf8_lossy(&line))
                    .map_err(|fault| format!("line {number}: {fault}"))?;
            } else {
                script.take_line(number, &line).map_err(|fault| format!("line {number}: {fault}"))?;
            }
        }
        match script.groups.last() {
            None => Err("no commands".to_owned()),
            Some(group) if group.is_waiting() => Err("the last command has no reply".to_owned()),
            Some(_) => Ok(script),
        }
    }

    fn take_header(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once(':').ok_or("no colon in the header")?;
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "capabilities" => self.capabilities = value.split(' ').map(str::to_owned).collect(),
            "connections" => self.connections = number(value)?,
            "messages" if value == "all" => self.messages = Messages::All,
            "messages" => self.messages = Messages::Count(number(value)?),
            "ignore_extra_untagged" => self.ignores_extra = value.starts_with('y'),
            "user 2" => self.needs_second_account = true,
            "state" => {
                self.state = match value.to_ascii_lowercase().as_str() {
                    "nonauth" => State::NonAuth,
                    "auth" => State::Auth,
                    "created" => State::Created,
                    "appended" => State::Appended,
                    "selected" => State::Selected,
                    _ => return Err(format!("unknown state {value}")),
                }
            }
            _ => return Err(format!("unknown header {key}")),
        }
        Ok(())
    }

    fn take_line(&mut self, number: usize, line: &[u8]) -> Result<(), String> {
        if let Some(group) = self.groups.last_mut() {
            if let Some((existence, rest)) = untagged(line) {
                group.expected.push(Expected { existence, values: value::parse(rest)? });
                return Ok(());
            }
            if group.is_waiting() && group.take_reply(without_connection(line, self.connections)?.1)? {
                return Ok(());
            }
        }
        let (connection, line) = without_connection(line, self.connections)?;
        let (label, ends, text) = command_parts(line);
        let command = Command { line: number, label, text: text.to_vec(), ends };
        match self.groups.last_mut() {
            Some(group) if group.is_waiting() && command.label.is_some() => group.commands.push(command),
            Some(group) if group.is_waiting() => return Err("a command before the reply to the last".to_owned()),
            _ => self.groups.push(Group { connection, commands: vec![command], expected: Vec::new() }),
        }
        Ok(())
    }
}

impl Group {
    fn is_waiting(&self) -> bool {
        self.commands.iter().any(|command| command.ends.is_none())
    }

    /// Takes a line that ends one of the commands; `false` where it isn't one.
    fn take_reply(&mut self, line: &[u8]) -> Result<bool, String> {
        let (label, ends, _) = command_parts(line);
        if ends.is_none() {
            return Ok(false);
        }
        let unanswered = |command: &&mut Command| command.label == label && command.ends.is_none();
        let command = self.commands.iter_mut().find(unanswered).ok_or("a reply to no command")?;
        let mut values = value::parse(line)?;
        values.drain(..usize::from(label.is_some()));
        command.ends = Some(values);
        Ok(true)
    }
}

/// Lines with their number, those of a `{{{` block joined into one that holds a literal.
fn logical_lines(file: &[u8]) -> Result<Vec<(usize, Vec<u8>)>, String> {
    let mut lines = Vec::new();
    let mut numbered = file.split(|&octet| octet == b'\n').zip(1..);
    while let Some((line, number)) = numbered.next() {
        let mut joined = Vec::new();
        let mut tail = line;
        while let Some(head) = tail.strip_suffix(b"{{{") {
            // After a tilde the lines end as they do in the file; else each ends by CRLF. The last one's end is left out.
            let end: &[u8] = if head.ends_with(b"~") { b"\n" } else { b"\r\n" };
            let mut block = Vec::new();
            tail = loop {
                let (line, _) = numbered.next().ok_or_else(|| format!("line {number}: a block does not end"))?;
                match line.strip_prefix(b"}}}") {
                    Some(tail) => break tail,
                    None => block.push(line),
                }
            };
            let octets = block.join(end);
            joined.extend_from_slice(head);
            joined.extend_from_slice(format!("{{{}}}\r\n", octets.len()).as_bytes());
            joined.extend(octets);
        }
        joined.extend_from_slice(tail);
        lines.push((number, joined));
    }
    Ok(lines)
}

fn untagged(line: &[u8]) -> Option<(Existence, &[u8])> {
    let existence = match line.get(..2)? {
        b"* " => Existence::Must,
        b"! " => Existence::MustNot,
        b"? " => Existence::May,
        _ => return None,
    };
    Some((existence, &line[2..]))
}

/// The connection that a line names, from 0, and the line without it; with one connection none is named.
fn without_connection(line: &[u8], connections: usize) -> Result<(usize, &[u8]), String> {
    if connections == 1 {
        return Ok((0, line));
    }
    let (word, rest) = split_word(line);
    let connection = number(&String::from_utf8_lossy(word))?;
    if (1..=connections).contains(&connection) {
        Ok((connection - 1, rest))
    } else {
        Err("no such connection".to_owned())
    }
}

/// The label, the expected end and the rest of a line: `[tagN] [ok|no|bad|""] …`.
fn command_parts(line: &[u8]) -> (Option<String>, Option<Vec<Value>>, &[u8]) {
    let (word, after) = split_word(line);
    let text = String::from_utf8_lossy(word).into_owned();
    let is_label = text.strip_prefix("tag").is_some_and(|digits| digits.parse::<u32>().is_ok());
    let (label, rest) = if is_label { (Some(text), after) } else { (None, line) };
    let (word, after) = split_word(rest);
    match word.to_ascii_lowercase().as_slice() {
        b"ok" | b"no" | b"bad" => (label, Some(vec![Value::Atom(word.to_vec())]), after),
        b"\"\"" => (label, Some(vec![Value::Atom(Vec::new())]), after),
        _ => (label, None, rest),
    }
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|&octet| octet == b' ') {
        Some(space) => (&line[..space], &line[space + 1..]),
        None => (line, b""),
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

#[cfg(test)]
mod tests {
    use super::super::value::Line;
    use super::*;

    #[test]
    fn header_commands_and_expectations_are_read() {
        let script = Script::parse(
            b"capabilities: A B\nconnections: 2\nstate: auth\n\n# note\n1 ok select $mailbox\n* 1 exists\n! bye\n\n2 noop\n2 ok [x]\n",
        )
        .unwrap();
        assert_eq!(script.capabilities, ["A", "B"]);
        assert_eq!(script.state, State::Auth);
        let [select, noop] = script.groups.as_slice() else { panic!("two groups") };
        assert_eq!(select.commands[0].text, b"select $mailbox");
        assert_eq!(select.expected[1].existence, Existence::MustNot);
        assert_eq!(noop.connection, 1);
        assert_eq!(Line(noop.commands[0].ends.as_ref().unwrap()).to_string(), "ok [x]");
    }

    #[test]
    fn labelled_commands_are_one_group() {
        let script = Script::parse(b"state: auth\n\ntag1 noop\ntag2 noop\ntag1 ok\ntag2 ok\nok noop\n").unwrap();
        let sizes: Vec<usize> = script.groups.iter().map(|group| group.commands.len()).collect();
        assert_eq!(sizes, [2, 1]);
    }

    #[test]
    fn a_block_is_a_literal() {
        let script =
            Script::parse(b"state: auth\n\nok append x {{{\na\n\n}}} {{{\nb\n}}}\nok append y ~{{{\na\n\n}}}\n")
                .unwrap();
        assert_eq!(script.groups[0].commands[0].text, b"append x {3}\r\na\r\n {1}\r\nb");
        assert_eq!(script.groups[1].commands[0].text, b"append y ~{2}\r\na\n");
    }
}
