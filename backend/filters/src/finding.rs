//! What filters found, as plain values.

use std::fmt;
use std::time::Duration;

use relais_model::{Endpoint, Reply};

use crate::{Change, Kind};

/// What each filter said of one message, in the order in which they were named.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// One for each filter.
    pub answers: Vec<Answered>,
}

/// One filter's answer; [`crate::Reason`] says it in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Whose.
    pub kind: Kind,
    /// Where it listens.
    pub at: Endpoint,
    /// What it said.
    pub finding: Finding,
    /// How long that took.
    pub took: Duration,
}

/// What a filter said.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// It has nothing against it.
    Clean,
    /// It holds what has this name: printable ASCII.
    Virus {
        /// As the signature calls it.
        name: String,
    },
    /// rspamd's score.
    Rated(Rating),
    /// A milter lets it pass, changed so.
    Passed {
        /// To the header, in their order.
        changes: Vec<Change>,
        /// It shall be put aside; why: printable ASCII.
        quarantine: Option<String>,
    },
    /// A milter refuses it, or one of its recipients: with this reply.
    Refused(Reply),
    /// A milter wants it taken and thrown away.
    Discarded,
    /// It wasn't shown the message, or not all of it.
    TooLarge {
        /// What we show at most; none: the filter's own limit.
        most_octets: Option<u64>,
    },
    /// It gave no answer.
    Down(Trouble),
}

impl Finding {
    /// In a word, as header fields and metrics say it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Virus { .. } => "virus",
            Self::Rated(rating) => rating.action.as_str(),
            Self::Passed { quarantine: Some(_), .. } => "quarantine",
            Self::Passed { .. } => "pass",
            Self::Refused(reply) if reply.is_transient() => "tempfail",
            Self::Refused(_) => "reject",
            Self::Discarded => "discard",
            Self::TooLarge { .. } => "too-large",
            Self::Down(_) => "unanswered",
        }
    }
}

/// rspamd's opinion.
#[derive(Debug, Clone, PartialEq)]
pub struct Rating {
    /// What it would do.
    pub action: Action,
    /// Of all symbols together.
    pub score: f64,
    /// From which on it would reject.
    pub required: f64,
    /// What it saw: those that weigh most first, and no more than [`crate::rspamd::MOST_SYMBOLS`].
    pub symbols: Vec<Symbol>,
    /// What the client is to be told: printable ASCII.
    pub words: Option<String>,
}

/// Something that rspamd saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Symbol {
    /// Its name: printable ASCII.
    pub name: String,
    /// Its weight; below 0: in the message's favour.
    pub score: f64,
}

/// What rspamd would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `no action`.
    Take,
    /// `greylist`: the client shall come again.
    Greylist,
    /// `add header`: it is probably spam.
    AddHeader,
    /// `rewrite subject`: likewise.
    RewriteSubject,
    /// `soft reject`: not now.
    SoftReject,
    /// `reject`.
    Reject,
}

impl Action {
    /// In a word, as header fields and metrics say it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Take => "no-action",
            Self::Greylist => "greylist",
            Self::AddHeader => "add-header",
            Self::RewriteSubject => "rewrite-subject",
            Self::SoftReject => "soft-reject",
            Self::Reject => "reject",
        }
    }
}

/// Why a filter gave no answer. Words in it are printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It can't be connected to.
    Unreachable(String),
    /// Its time was over.
    Silent,
    /// Its time was over before it could be asked: too many messages wait for it.
    Busy,
    /// The connection broke.
    Broken(String),
    /// It said what its protocol doesn't know, or too much of it.
    Malformed(&'static str),
    /// It says itself that it failed.
    Failed(String),
    /// It was down a moment ago, and wasn't asked.
    Resting,
}

impl fmt::Display for Trouble {
    /// For the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "it cannot be connected to: {why}"),
            Self::Silent => f.write_str("it did not answer in time"),
            Self::Busy => f.write_str("too many messages wait for it"),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::Malformed(what) => write!(f, "its answer is not understood: {what}"),
            Self::Failed(why) => write!(f, "it failed: {why}"),
            Self::Resting => f.write_str("it was down a moment ago"),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}
