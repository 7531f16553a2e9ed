//! The tree of a script (RFC 5228 §8.2), before anything is known of what its words mean.

use crate::fault::{Fault, Faults, Position, Problem};
use crate::form::{COMMANDS, Tests};
use crate::lexer::{Kind, Token, tokens};
use crate::limit;

/// A command, or a test: both are a name with arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Where its name stands.
    pub at: Position,
    /// As written.
    pub name: String,
    /// Positional ones and tags, in their order.
    pub arguments: Vec<Argument>,
    /// The tests behind the arguments.
    pub tests: Vec<Node>,
    /// The tests stood in parentheses.
    pub is_test_list: bool,
    /// A command's block; never of a test.
    pub block: Option<Vec<Node>>,
    /// Comments before a command, without their marks.
    pub comments: Vec<String>,
}

/// One argument and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What stands as an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `:name`, without the colon, in small letters.
    Tag(String),
    /// A number.
    Number(u64),
    /// A string.
    String(String),
    /// A list in brackets.
    List(Vec<String>),
}

/// A script's tree. Its `Display` is the script in one form, however it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// In their order.
    pub commands: Vec<Node>,
    /// Comments behind the last command. Those that stand elsewhere than before a command are not kept.
    pub comments: Vec<String>,
}

impl Script {
    /// Reads a script's tree: its words are not yet known to mean something.
    ///
    /// # Errors
    /// All faults that were found: after one, reading goes on behind the command that holds it.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        let script = read(text, &mut faults);
        faults.into_result(script)
    }
}

/// What could be read, faults or not.
pub(crate) fn read(text: &str, faults: &mut Faults) -> Script {
    if text.len() > limit::SCRIPT_OCTETS {
        faults.add(Position { line: 1, column: 1 }, Problem::TooLong(text.len()));
        return Script::default();
    }
    let tokens = tokens(text, faults);
    let mut parser = Parser { tokens: &tokens, faults };
    let mut commands = Vec::new();
    loop {
        parser.commands(&mut commands, 0);
        if *parser.kind() == Kind::End {
            let comments = parser.tokens.first().map(|end| end.comments.clone()).unwrap_or_default();
            return Script { commands, comments };
        }
        // A `}` too many.

        let problem = parser.expected("a command");
        parser.fail(problem);
        parser.advance();
    }
}

struct Parser<'a> {
    /// Those not yet read; the last, [`Kind::End`], is never passed.
    tokens: &'a [Token],
    faults: &'a mut Faults,
}

impl<'a> Parser<'a> {
    fn kind(&self) -> &'a Kind {
        self.tokens.first().map_or(&Kind::End, |token| &token.kind)
    }

    fn at(&self) -> Position {
        self.tokens.first().map(|token| token.at).unwrap_or_default()
    }

    fn advance(&mut self) {
        if let [_, rest @ ..] = self.tokens
            && !rest.is_empty()
        {
            self.tokens = rest;
        }
    }

    fn take(&mut self, mark: char) -> bool {
        let is_it = *self.kind() == Kind::Mark(mark);
        if is_it {
            self.advance();
        }
        is_it
    }

    fn expected(&self, wanted: &'static str) -> Problem {
        Problem::Expected { wanted, found: self.kind().describe() }
    }

    fn fail(&mut self, problem: Problem) {
        let at = self.at();
        // A second fault in one place comes of the first.
        if self.faults.last() != Some(at) {
            self.faults.add(at, problem);
        }
    }

    /// Up to a `}` or the end.
    fn commands(&mut self, commands: &mut Vec<Node>, depth: usize) {
        while !matches!(self.kind(), Kind::End | Kind::Mark('}')) {
            match self.command(depth) {
                Ok(command) => commands.push(command),
                Err(problem) => {
                    self.fail(problem);
                    self.skip_command();
                }
            }
        }
    }

    /// Goes behind the next `;`, or the block that opens before it; stops before a `}` that isn't of this command.
    fn skip_command(&mut self) {
        let mut open = 0_usize;
        loop {
            match self.kind() {
                Kind::End => return,
                Kind::Mark('}') if open == 0 => return,
                Kind::Mark('{') => open += 1,
                Kind::Mark('}') => {
                    open -= 1;
                    if open == 0 {
                        self.advance();
                        return;
                    }
                }
                Kind::Mark(';') if open == 0 => {
                    self.advance();
                    return;
                }
                _ => {}
            }
            self.advance();
        }
    }

    /// `command = identifier arguments (";" / block)`
    fn command(&mut self, depth: usize) -> Result<Node, Problem> {
        if depth >= limit::NESTING {
            return Err(Problem::TooMuch("blocks inside each other"));
        }
        let comments = self.tokens.first().map(|token| token.comments.clone()).unwrap_or_default();
        let mut command = self.head("a command", 0)?;
        command.comments = comments;
        if self.take(';') {
            return Ok(command);
        }
        if !self.take('{') {
            return Err(self.expected("`;`"));
        }
        let mut block = Vec::new();
        self.commands(&mut block, depth + 1);
        // What is in the block is looked at all the same.
        if !self.take('}') {
            let problem = self.expected("`}`");
            self.fail(problem);
        }
        command.block = Some(block);
        Ok(command)
    }

    /// `identifier *argument [ test / test-list ]`
    fn head(&mut self, wanted: &'static str, depth: usize) -> Result<Node, Problem> {
        if depth >= limit::NESTING {
            return Err(Problem::TooMuch("tests inside each other"));
        }
        let Kind::Identifier(name) = self.kind() else { return Err(self.expected(wanted)) };
        let mut node = Node { at: self.at(), name: name.clone(), ..Node::default() };
        self.advance();
        while let Some(argument) = self.argument()? {
            node.arguments.push(argument);
        }
        match self.kind() {
            // `keep` and on the next line `stop`: what lacks is the `;` between them.
            Kind::Identifier(next) if is_command(next) && is_command(&node.name) && !takes_test(&node.name) => {
                return Err(self.expected("`;`"));
            }
            Kind::Identifier(_) => node.tests.push(self.head("a test", depth + 1)?),
            Kind::Mark('(') => {
                self.advance();
                node.is_test_list = true;
                loop {
                    node.tests.push(self.head("a test", depth + 1)?);
                    if self.take(')') {
                        break;
                    }
                    if !self.take(',') {
                        return Err(self.expected("`,` or `)`"));
                    }
                }
            }
            _ => {}
        }
        Ok(node)
    }

    fn argument(&mut self) -> Result<Option<Argument>, Problem> {
        let at = self.at();
        let value = match self.kind() {
            Kind::Tag(name) => Value::Tag(name.clone()),
            Kind::Number(number) => Value::Number(*number),
            Kind::String(text) => Value::String(text.clone()),
            Kind::Mark('[') => return self.list().map(|list| Some(Argument { at, value: Value::List(list) })),
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(Argument { at, value }))
    }

    fn list(&mut self) -> Result<Vec<String>, Problem> {
        self.advance();
        let mut list = Vec::new();
        loop {
            let Kind::String(text) = self.kind() else { return Err(self.expected("a string")) };
            if list.len() >= limit::LIST_STRINGS {
                return Err(Problem::TooMuch("strings of a list"));
            }
            list.push(text.clone());
            self.advance();
            if self.take(']') {
                return Ok(list);
            }
            if !self.take(',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }
}

fn is_command(name: &str) -> bool {
    COMMANDS.iter().any(|form| form.name.eq_ignore_ascii_case(name))
}

fn takes_test(name: &str) -> bool {
    COMMANDS.iter().any(|form| form.name.eq_ignore_ascii_case(name) && form.tests != Tests::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = Script::parse(text).err().into_iter().flatten().map(|fault| fault.to_string()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_tree_is_read() {
        let tree = Script::parse("# one\nif anyof (not true, size :over 1) { stop; } keep;").unwrap();
        let [first, second] = &tree.commands[..] else { panic!("{tree:?}") };
        assert_eq!((first.name.as_str(), first.comments.as_slice()), ("if", &[" one".to_owned()][..]));
        assert_eq!(first.tests[0].tests[0].tests[0].name, "true");
        assert_eq!(first.tests[0].tests[1].arguments[1].value, Value::Number(1));
        assert_eq!(first.block.as_ref().unwrap()[0].name, "stop");
        assert_eq!(second.at, Position { line: 2, column: 45 });
    }

    #[test]
    fn several_faults_are_told_at_once() {
        check(
            "keep\nif true { discard; }\nstop;\n}",
            &[
                "line 2, column 1: `if` stands where `;` should; each command ends with `;`, or with a block in `{ }`",
                "line 4, column 1: `}` stands where a command should",
            ],
        );
        check(
            "if true { discard }\nkeep \"a\" , ;\nstop;\n}",
            &[
                "line 1, column 19: `}` stands where `;` should; each command ends with `;`, or with a block in `{ }`",
                "line 2, column 10: `,` stands where `;` should; each command ends with `;`, or with a block in `{ }`",
                "line 4, column 1: `}` stands where a command should",
            ],
        );
        check("fileinto [\"a\" \"b\"];", &["line 1, column 15: a string stands where `,` or `]` should"]);
        check("if true {", &["line 1, column 10: the end stands where `}` should"]);
        let deep = format!("if {} true {{}}", "not ".repeat(40));
        check(
            &deep,
            &["line 1, column 128: too much: tests inside each other; make it smaller, or part it into several"],
        );
    }
}
