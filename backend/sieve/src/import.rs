//! What people brought from elsewhere, as Sieve: `.forward`, procmail's and maildrop's recipes.
//!
//! Each is read as far as it has a meaning here. What has none (programs that are run, files that are no mailboxes, patterns over the whole
//! header) is left out whole, never half: it stands as a comment in the script and in [`Imported::left`], with its line and the reason.

mod forward;
mod maildrop;
mod pattern;
mod procmail;

use std::fmt;

use relais_model::MailboxName;

use crate::fault::Position;
use crate::syntax::{Argument, Node, Script, Value};

pub use forward::forward;
pub use maildrop::maildrop;
pub use procmail::procmail;

/// Octets of a file that is read.
pub const MAX_OCTETS: usize = 256 * 1024;
/// Blocks inside each other.
const MAX_DEPTH: usize = 20;

/// A script made of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Whole: it has no faults.
    pub script: String,
    /// What isn't in it, or not quite so.
    pub left: Vec<Left>,
}

/// Something that could not be carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its line, from one.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// Why.
    pub why: Reason,
}

/// Why something was not carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A script runs no programs.
    #[error("it runs a program")]
    Program,
    /// It lies outside of the mailboxes.
    #[error("it writes a file that is no mailbox")]
    File,
    /// Addresses or recipes that stand in a file.
    #[error("it reads another file")]
    Other,
    /// It has no form here.
    #[error("this pattern has no like in Sieve")]
    Pattern,
    /// A word of the language that isn't carried over.
    #[error("this has no like in Sieve")]
    Unknown,
    /// It is in the script, and means nearly the same.
    #[error("it means nearly the same, not quite")]
    Nearly,
    /// No address.
    #[error("this is no address")]
    Address,
    /// The file is larger than it may be, or blocks are too deep.
    #[error("it is too large")]
    TooLarge,
}

/// Gathers what could not be carried over.
#[derive(Debug, Default)]
struct Report(Vec<Left>);

impl Report {
    fn add(&mut self, line: usize, text: &str, why: Reason) {
        let text: String = text.trim().chars().filter(|letter| !letter.is_control()).take(200).collect();
        self.0.push(Left { line, text, why });
    }
}

/// One thing that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Act {
    File(MailboxName),
    Discard,
    Forward(String),
}

impl Act {
    fn node(&self, is_copy: bool) -> Node {
        let mut values = Vec::new();
        if is_copy {
            values.push(tag("copy"));
        }
        match self {
            Self::File(mailbox) => {
                values.extend([tag("create"), text(mailbox.as_str())]);
                node("fileinto", values)
            }
            Self::Discard => node("discard", Vec::new()),
            Self::Forward(address) => {
                values.push(text(address));
                node("redirect", values)
            }
        }
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

fn list(texts: &[String]) -> Value {
    match texts {
        [one] => Value::String(one.clone()),
        several => Value::List(several.to_vec()),
    }
}

fn several(name: &str, tests: Vec<Node>) -> Node {
    match <[Node; 1]>::try_from(tests) {
        Ok([one]) => one,
        Err(tests) => Node { tests, is_test_list: true, ..node(name, Vec::new()) },
    }
}

fn not(test: Node) -> Node {
    Node { tests: vec![test], ..node("not", Vec::new()) }
}

fn conditional(word: &str, test: Option<Node>, block: Vec<Node>) -> Node {
    Node { tests: test.into_iter().collect(), block: Some(block), ..node(word, Vec::new()) }
}

fn stop() -> Node {
    node("stop", Vec::new())
}

/// The mailbox that a path means: of Maildir++ (`.Lists.rust/`), of a folder of files (`lists/rust`), or INBOX. None: a file elsewhere.
fn mailbox(path: &str) -> Option<MailboxName> {
    let mut path = path.trim().trim_end_matches("/.").trim_end_matches('/');
    for inbox in ["$DEFAULT", "${DEFAULT}", "$ORGMAIL", "${ORGMAIL}"] {
        if path == inbox {
            return Some(MailboxName::inbox());
        }
    }
    for home in ["$HOME/", "${HOME}/", "~/", "$MAILDIR/", "${MAILDIR}/", "$DEFAULT/", "${DEFAULT}/", "./"] {
        path = path.strip_prefix(home).unwrap_or(path);
    }
    if let Some((_, inside)) = path.split_once("Maildir/") {
        path = inside;
    }
    for folder in ["mail/", "Mail/"] {
        path = path.strip_prefix(folder).unwrap_or(path);
    }
    if path.is_empty() || path == "Maildir" || path == "." {
        return Some(MailboxName::inbox());
    }
    if path.starts_with(['/', '|', '!']) || path.contains(['$', '`', '*']) || path.contains("..") {
        return None;
    }
    let name = match path.strip_prefix('.') {
        Some(name) => name.replace('.', "/"),
        None => path.to_owned(),
    };
    MailboxName::parse(&name).ok()
}

/// What a destination means: `!address …`, `/dev/null`, or a mailbox.
fn destination(path: &str) -> Result<Vec<Act>, Reason> {
    let path = path.trim();
    if path.starts_with('|') || path.contains('`') {
        return Err(Reason::Program);
    }
    if let Some(addresses) = path.strip_prefix('!') {
        let addresses: Vec<Act> = addresses
            .split([' ', '\t', ','])
            .filter(|word| !word.is_empty())
            .map(|word| crate::compile::address(word).map(|address| Act::Forward(address.to_string())))
            .collect::<Option<_>>()
            .ok_or(Reason::Address)?;
        return if addresses.is_empty() { Err(Reason::Address) } else { Ok(addresses) };
    }
    if path == "/dev/null" {
        return Ok(vec![Act::Discard]);
    }
    mailbox(path).map(|mailbox| vec![Act::File(mailbox)]).ok_or(Reason::File)
}

/// What is done with a message that goes to these: all but the last are copies.
fn deliver(acts: &[Act], is_copy: bool) -> Vec<Node> {
    let mut nodes: Vec<Node> = acts.iter().map(|act| act.node(is_copy)).collect();
    // Nobody keeps what is thrown away: a copy of it is nothing.
    nodes.retain(|node| !is_copy || node.name != "discard");
    if !is_copy {
        nodes.push(stop());
    }
    nodes
}

/// The script of these commands, with what was left out as comments at its end.
fn finish(mut commands: Vec<Node>, source: &str, report: Report) -> Imported {
    let mut needed: Vec<String> = Vec::new();
    for command in &commands {
        extensions(command, &mut needed);
    }
    needed.sort_unstable();
    needed.dedup();
    if !needed.is_empty() {
        commands.insert(0, node("require", vec![Value::List(needed)]));
    }
    let head = format!(" Made of {source}.");
    let mut comments: Vec<String> = Vec::new();
    match commands.first_mut() {
        Some(first) => first.comments.insert(0, head),
        None => comments.push(head),
    }
    for left in &report.0 {
        comments.push(format!(" Left out (line {}: {}): {}", left.line, left.why, left.text));
    }
    Imported { script: Script { commands, comments }.to_string(), left: report.0 }
}

fn extensions(node: &Node, needed: &mut Vec<String>) {
    let mut need = |name: &str| needed.push(name.to_owned());
    match node.name.as_str() {
        "fileinto" => need("fileinto"),
        "body" => need("body"),
        _ => {}
    }
    for argument in &node.arguments {
        if let Value::Tag(name) = &argument.value {
            match name.as_str() {
                "create" => need("mailbox"),
                "copy" => need("copy"),
                "regex" => need("regex"),
                _ => {}
            }
        }
    }
    for inner in node.tests.iter().chain(node.block.iter().flatten()) {
        extensions(inner, needed);
    }
}

/// A file as it is read: nothing of one that is too large, and without NUL, which no script may hold.
fn readable(source: &str, report: &mut Report) -> String {
    if source.len() > MAX_OCTETS {
        report.add(1, "", Reason::TooLarge);
        return String::new();
    }
    source.replace('\0', "")
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.text, self.why)
    }
}
