//! What is wrong with a script: where, what, and what to do about it.

use std::fmt;

/// A place in a script. Both count from one; a column is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in it.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// One fault of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: Position,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for Fault {
    /// `line 3, column 7: the test `hedaer` is not known; did you mean `header`?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.problem)?;
        let hint = self.problem.hint();
        if hint.is_empty() { Ok(()) } else { write!(f, "; {hint}") }
    }
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// More than [`crate::limit::SCRIPT_OCTETS`].
    #[error("the script has {0} octets")]
    TooLong(usize),
    /// More than one of the other limits allows.
    #[error("too much: {0}")]
    TooMuch(&'static str),
    /// Not UTF-8, or NUL.
    #[error("the script is no text in UTF-8")]
    NoText,
    /// A character that begins nothing.
    #[error("`{0}` means nothing here")]
    Character(char),
    /// A string, multi-line text or comment that doesn't end.
    #[error("this {0} has no end")]
    Unended(&'static str),
    /// Digits that are no number, or too large.
    #[error("`{0}` is no number")]
    Number(String),
    /// Something else should stand here.
    #[error("{found} stands where {wanted} should")]
    Expected {
        /// What should.
        wanted: &'static str,
        /// What does.
        found: String,
    },
    /// A command that isn't known.
    #[error("the command `{name}` is not known")]
    UnknownCommand {
        /// As written.
        name: String,
        /// One that is near to it.
        near: Option<&'static str>,
    },
    /// A test that isn't known.
    #[error("the test `{name}` is not known")]
    UnknownTest {
        /// As written.
        name: String,
        /// One that is near to it.
        near: Option<&'static str>,
    },
    /// A command where a test should stand.
    #[error("`{0}` is a command, no test")]
    CommandAsTest(String),
    /// A test where a command should stand.
    #[error("`{0}` is a test, no command")]
    TestAsCommand(String),
    /// The extension wasn't required.
    #[error("`{what}` needs the extension `{capability}`")]
    NeedsRequire {
        /// The command, test, tag or value.
        what: String,
        /// The extension's name.
        capability: String,
    },
    /// An extension that isn't here.
    #[error("the extension `{0}` is not here")]
    UnknownCapability(String),
    /// `require` behind other commands (RFC 5228 §3.2).
    #[error("`require` must stand before all else")]
    RequireLate,
    /// A tag that this command doesn't take.
    #[error("`{command}` takes no `:{tag}`")]
    UnknownTag {
        /// The tag, without its colon.
        tag: String,
        /// The command or test.
        command: String,
    },
    /// Two tags that exclude each other, or one twice.
    #[error("`:{0}` and `:{1}` can't stand together")]
    TagConflict(String, String),
    /// What the tag wants behind it isn't there.
    #[error("`:{tag}` wants {wanted} behind it")]
    TagArgument {
        /// The tag, without its colon.
        tag: String,
        /// What it wants.
        wanted: &'static str,
    },
    /// Less arguments than needed.
    #[error("`{command}` wants {wanted}")]
    Missing {
        /// The command or test.
        command: String,
        /// What it wants.
        wanted: &'static str,
    },
    /// An argument of another kind.
    #[error("`{command}` wants {wanted} here")]
    WrongKind {
        /// The command or test.
        command: String,
        /// What it wants.
        wanted: &'static str,
    },
    /// More arguments than it takes.
    #[error("`{0}` takes nothing more")]
    Surplus(String),
    /// `elsif` or `else` without an `if` right before.
    #[error("`{0}` stands behind no `if`")]
    NoIf(String),
    /// A value that isn't what it should be.
    #[error("`{value}` is no {kind}")]
    Value {
        /// As written.
        value: String,
        /// What it should be.
        kind: &'static str,
    },
    /// A regular expression that isn't one, or is too large.
    #[error("`{0}` is no regular expression that can be used: {1}")]
    Regex(String, String),
    /// RFC 5229 §3: a namespace that no required extension has.
    #[error("the namespace of `{0}` is not known")]
    Namespace(String),
    /// RFC 6609 §3.4: one that was set before is made global.
    #[error("the variable `{0}` was used before it was made global")]
    LateGlobal(String),
    /// RFC 5703 §3: `break` outside of a loop.
    #[error("`break` stands in no `foreverypart` of that name")]
    NoLoop,
    /// Two things that can't stand together.
    #[error("{0}")]
    Together(&'static str),
    /// An included script that isn't there.
    #[error("the script `{0}` that is included here is not there")]
    NotThere(String),
    /// An included script with faults of its own.
    #[error("the script `{0}` that is included here has faults")]
    Included(String),
    /// A script that includes itself, by whatever way (RFC 6609 §3.1).
    #[error("the script `{0}` includes itself")]
    Circular(String),
    /// More inclusions, or deeper ones, than are allowed.
    #[error("too many scripts include each other")]
    TooManyIncludes,
}

impl Problem {
    /// What to do about it; empty where the fault says it already.
    pub fn hint(&self) -> String {
        match self {
            Self::TooLong(_) => format!("at most {} are allowed", crate::limit::SCRIPT_OCTETS),
            Self::TooMuch(_) => "make it smaller, or part it into several".to_owned(),
            Self::NoText => "save it as UTF-8".to_owned(),
            Self::Character(_) => "strings stand in double quotes, comments behind `#`".to_owned(),
            Self::Unended("multi-line text") => "it ends with a line that holds nothing but `.`".to_owned(),
            Self::Unended("comment") => "it ends with `*/`".to_owned(),
            Self::Unended(_) => "it ends with `\"`; a `\"` inside is written `\\\"`".to_owned(),
            Self::Number(_) => "digits, and K, M or G behind them".to_owned(),
            Self::Expected { wanted: "`;`", .. } => "each command ends with `;`, or with a block in `{ }`".to_owned(),
            Self::UnknownCommand { near: Some(near), .. } | Self::UnknownTest { near: Some(near), .. } => {
                format!("did you mean `{near}`?")
            }
            Self::CommandAsTest(_) => "behind `if` stands a test such as `header`".to_owned(),
            Self::TestAsCommand(name) => format!("write `if {name} … {{ … }}`"),
            Self::NeedsRequire { capability, .. } => format!("write `require \"{capability}\";` at the beginning"),
            Self::UnknownCapability(_) => "look for its name in the list of extensions".to_owned(),
            Self::RequireLate => "move it to the beginning".to_owned(),
            Self::TagConflict(..) => "leave one out".to_owned(),
            Self::NoIf(_) => "write it right behind the `}` of an `if`".to_owned(),
            Self::Value { kind: "address", .. } => "write it as name@domain".to_owned(),
            Self::Value { kind: "comparator", .. } => {
                "there are i;octet, i;ascii-casemap, i;ascii-numeric and i;unicode-casemap".to_owned()
            }
            Self::LateGlobal(_) => "move `global` before its first use".to_owned(),
            Self::NotThere(_) => "save it first, or write `include :optional`".to_owned(),
            Self::Included(name) => format!("see the faults of `{name}`"),
            _ => String::new(),
        }
    }
}

/// Faults as they are found, up to [`crate::limit::FAULTS`].
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, at: Position, problem: Problem) {
        if self.0.len() < crate::limit::FAULTS {
            self.0.push(Fault { at, problem });
        }
    }

    /// Where the last one is.
    pub(crate) fn last(&self) -> Option<Position> {
        self.0.last().map(|fault| fault.at)
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// In the order of their places.
    pub(crate) fn into_result<T>(mut self, value: T) -> Result<T, Vec<Fault>> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by_key(|fault| fault.at);
        Err(self.0)
    }
}
