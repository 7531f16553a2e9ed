//! People's rules: plain data that a form shows, written as Sieve, and read back exactly.
//!
//! What [`Rules::read`] gives is what [`Rules::write`] would write as the very same script: anything else was written by hand, and
//! is no set of rules.

mod read;
mod write;

use std::fmt;

use relais_model::{Address, Flag, MailboxName};

/// Rules of one account.
pub const MAX_RULES: usize = 200;
/// Conditions, and acts, of one rule.
pub const MAX_PARTS: usize = 50;

/// All of an account's rules, in the order in which they hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// What those who write are told while one is away; before all rules.
    pub absence: Option<Absence>,
    /// The first comes first.
    pub rules: Vec<Rule>,
}

/// If this, then that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What a person calls it: one line.
    pub name: String,
    /// It holds.
    pub is_on: bool,
    /// Whether one condition is enough.
    pub any: bool,
    /// None: always.
    pub conditions: Vec<Condition>,
    /// In their order: flags stand before what files.
    pub acts: Vec<RuleAct>,
    /// No rule behind it is looked at where it held.
    pub stops: bool,
}

/// What a message must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The author's name or address.
    From(How, String),
    /// Those in To and Cc.
    To(How, String),
    /// The subject.
    Subject(How, String),
    /// The list's identifier (RFC 2919).
    List(How, String),
    /// Any other field.
    Header(String, How, String),
    /// It has more octets than that.
    Larger(u64),
    /// It has less octets than that.
    Smaller(u64),
    /// A part of it is an attachment.
    HasAttachment,
}

/// How a text is compared; whatever its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is somewhere in it.
    Contains,
    /// It is nowhere in it.
    ContainsNot,
    /// It is all of it; of addresses: the address.
    Is,
    /// It isn't.
    IsNot,
    /// `*` stands for anything, `?` for one character.
    Matches,
}

/// What is done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleAct {
    /// Put it there, and not into INBOX.
    Move(MailboxName),
    /// Put it there, too.
    Copy(MailboxName),
    /// Set a flag: `\Seen` marks it read.
    Flag(Flag),
    /// Send it on.
    Forward {
        /// To whom.
        to: Address,
        /// And keep it here.
        keeps: bool,
    },
    /// Don't keep it.
    Delete,
}

/// A day in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: u16,
    month: u8,
    of_month: u8,
}

impl Day {
    /// `2026-12-24`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| {
            let digits = text.get(range)?;
            digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse::<u16>().ok())?
        };
        let (year, month, day) = (number(0..4)?, u8::try_from(number(5..7)?).ok()?, u8::try_from(number(8..10)?).ok()?);
        let is_day = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
            2 => 28,
            _ => 31,
        };
        (is_day && (1..=12).contains(&month) && (1..=days).contains(&day)).then_some(Self {
            year,
            month,
            of_month: day,
        })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.of_month)
    }
}

/// Being away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// It holds.
    pub is_on: bool,
    /// The first day; none: already.
    pub from: Option<Day>,
    /// The last day; none: until it is switched off.
    pub until: Option<Day>,
    /// None: `Auto:` and the subject that is answered.
    pub subject: Option<String>,
    /// Lines end with LF.
    pub text: String,
    /// Nobody is answered twice within so many days: 1 to 365.
    pub days: u16,
    /// Further addresses of the account's: mail to them is answered, too.
    pub addresses: Vec<Address>,
}
