//! A checked script: instructions in a row, with jumps.

use std::sync::Arc;

use relais_model::{Address, SpecialUse};

use crate::capability::Capabilities;
use crate::fault::Position;
use crate::matching::{Match, Pattern};

/// A script that was checked and can be run. Cheap to clone, and can be kept.
#[derive(Debug, Clone)]
pub struct Program(pub(crate) Arc<Instructions>);

#[derive(Debug)]
pub(crate) struct Instructions {
    pub(crate) list: Vec<Instruction>,
    pub(crate) required: Capabilities,
    pub(crate) includes: Vec<Included>,
}

/// A script that another includes (RFC 6609 §3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// Where the name stands.
    pub at: Position,
    /// Whose it is.
    pub place: Place,
    /// The script's name.
    pub name: String,
    /// It may be absent.
    pub optional: bool,
}

/// Where an included script lies (RFC 6609 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Among the account's own.
    Personal,
    /// Among those of the house.
    Global,
}

impl Program {
    /// What it requires.
    pub fn required(&self) -> Capabilities {
        self.0.required
    }

    /// What it includes, in the order of the text.
    pub fn includes(&self) -> &[Included] {
        &self.0.includes
    }
}

#[derive(Debug)]
pub(crate) struct Instruction {
    pub(crate) at: Position,
    pub(crate) op: Op,
}

/// One step. Tests set the machine's one truth value; jumps look at it.
#[derive(Debug)]
pub(crate) enum Op {
    Jump(usize),
    /// Jumps where the truth value is that.
    JumpIf(bool, usize),
    Negate,
    Test(Box<Test>),
    Act(Box<Act>),
    /// A command of the caller's own with a block; the number is behind it.
    HostBlock {
        name: &'static str,
        arguments: Vec<HostArgument>,
        end: usize,
    },
    HostEnd,
    /// Begins a loop over the parts; goes to the number where there are none.
    Loop {
        end: usize,
    },
    /// The next part, and back to the number; or out of the loop.
    Next {
        start: usize,
    },
    /// Out of the loop so far out, counted from the innermost, which is zero; then on at the number.
    Break {
        loops: usize,
        end: usize,
    },
    Include {
        place: Place,
        name: String,
        once: bool,
        optional: bool,
    },
    /// Ends this script: the run, where nothing included it.
    Return,
    Stop,
}

/// A string with its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(pub(crate) Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Plain(String),
    /// `${2}`.
    Matched(usize),
    Variable(Variable),
}

/// A variable's name, in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) is_global: bool,
}

impl Template {
    /// Without variables.
    pub(crate) fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Plain(text)] => Some(text),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressPart {
    All,
    LocalPart,
    Domain,
    User,
    Detail,
}

/// RFC 5260 §6.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Index {
    /// From one.
    pub(crate) number: usize,
    pub(crate) from_last: bool,
}

/// RFC 5703 §4: where a header is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scope {
    /// In the part that the loop is at, or the message as a part.
    pub(crate) mime: bool,
    /// And in all below.
    pub(crate) any_child: bool,
}

/// RFC 5703 §4.1.
#[derive(Debug)]
pub(crate) enum MimeValue {
    Whole,
    Type,
    SubType,
    ContentType,
    Param(Vec<Template>),
}

/// A match with its keys.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) kind: Match,
    pub(crate) texts: Vec<Template>,
    /// Where none has a variable: made ready once.
    pub(crate) ready: Option<Vec<Pattern>>,
}

#[derive(Debug)]
pub(crate) enum Zone {
    /// The machine's own.
    Local,
    /// RFC 5260 §4.1 `:originalzone`.
    Original,
    /// Minutes east of UTC.
    Fixed(i32),
    /// Known only when it runs.
    Named(Template),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatePart {
    Year,
    Month,
    Day,
    Date,
    Julian,
    Hour,
    Minute,
    Second,
    Time,
    Iso8601,
    Std11,
    Zone,
    Weekday,
}

#[derive(Debug)]
pub(crate) enum BodyPart {
    Raw,
    Text,
    Content(Vec<Template>),
}

#[derive(Debug)]
pub(crate) enum Test {
    Fixed(bool),
    Header {
        names: Vec<Template>,
        keys: Keys,
        index: Option<Index>,
        scope: Scope,
        value: MimeValue,
    },
    Address {
        names: Vec<Template>,
        keys: Keys,
        part: AddressPart,
        index: Option<Index>,
        scope: Scope,
    },
    Envelope {
        parts: Vec<Template>,
        keys: Keys,
        part: AddressPart,
    },
    Exists {
        names: Vec<Template>,
        scope: Scope,
    },
    Size {
        over: bool,
        octets: u64,
    },
    Body {
        part: BodyPart,
        keys: Keys,
    },
    Environment {
        item: Template,
        keys: Keys,
    },
    String {
        sources: Vec<Template>,
        keys: Keys,
    },
    HasFlag {
        variables: Vec<Template>,
        keys: Keys,
    },
    Spam {
        percent: bool,
        keys: Keys,
    },
    Virus {
        keys: Keys,
    },
    Date {
        header: Template,
        part: DatePart,
        zone: Zone,
        keys: Keys,
        index: Option<Index>,
        scope: Scope,
    },
    CurrentDate {
        part: DatePart,
        zone: Zone,
        keys: Keys,
    },
    ValidNotify(Vec<Template>),
    NotifyCapability {
        uri: Template,
        capability: Template,
        keys: Keys,
    },
    IHave(bool),
    MailboxExists(Vec<Template>),
    Metadata {
        mailbox: Option<Template>,
        name: Template,
        keys: Keys,
    },
    MetadataExists {
        mailbox: Option<Template>,
        names: Vec<Template>,
    },
    ValidList(Vec<Template>),
    Duplicate {
        id: DuplicateId,
        handle: Option<Template>,
        seconds: Option<u64>,
        last: bool,
    },
    SpecialUseExists {
        mailbox: Option<Template>,
        uses: Vec<Template>,
    },
    MailboxIdExists(Vec<Template>),
    /// One of the caller's own.
    Host {
        name: &'static str,
        arguments: Vec<HostArgument>,
        keys: Option<Keys>,
    },
}

#[derive(Debug)]
pub(crate) enum DuplicateId {
    MessageId,
    Header(Template),
    Given(Template),
}

/// An argument of a command or test of the caller's own, not yet filled in.
#[derive(Debug)]
pub(crate) struct HostArgument {
    pub(crate) tag: Option<&'static str>,
    pub(crate) value: HostValue,
}

#[derive(Debug)]
pub(crate) enum HostValue {
    None,
    Number(u64),
    Strings(Vec<Template>),
}

/// Where a copy goes (RFC 5490, RFC 8579, RFC 9042).
#[derive(Debug, Default)]
pub(crate) struct Target {
    pub(crate) mailbox: Option<Template>,
    pub(crate) create: bool,
    pub(crate) special_use: Option<Template>,
    pub(crate) mailbox_id: Option<Template>,
    pub(crate) flags: Option<Vec<Template>>,
}

#[derive(Debug)]
pub(crate) enum RedirectTo {
    Known(Address),
    Named(Template),
    List(Template),
}

#[derive(Debug)]
pub(crate) enum Act {
    Keep {
        flags: Option<Vec<Template>>,
    },
    Discard,
    FileInto {
        target: Target,
        copy: bool,
    },
    Redirect(Box<Redirect>),
    Reject {
        reason: Template,
        is_ereject: bool,
    },
    Set {
        variable: Variable,
        modifiers: Vec<Modifier>,
        value: Template,
    },
    Flags {
        how: FlagAct,
        variable: Option<Variable>,
        flags: Vec<Template>,
    },
    AddHeader {
        name: Template,
        value: Template,
        last: bool,
    },
    DeleteHeader {
        name: Template,
        index: Option<Index>,
        keys: Option<Keys>,
    },
    Vacation(Box<VacationAct>),
    Notify(Box<NotifyAct>),
    Error(Template),
    Replace {
        mime: bool,
        subject: Option<Template>,
        from: Option<Template>,
        text: Template,
    },
    Enclose {
        subject: Option<Template>,
        headers: Vec<Template>,
        text: Template,
    },
    ExtractText {
        variable: Variable,
        modifiers: Vec<Modifier>,
        first: Option<u64>,
    },
    Host {
        name: &'static str,
        arguments: Vec<HostArgument>,
    },
    /// A block that needs an extension which isn't here (RFC 5463 §4).
    Unavailable(String),
}

#[derive(Debug)]
pub(crate) struct Redirect {
    pub(crate) to: RedirectTo,
    pub(crate) copy: bool,
    pub(crate) notify: Option<Template>,
    pub(crate) ret: Option<Template>,
    pub(crate) by_relative: Option<u64>,
    pub(crate) by_absolute: Option<Template>,
    pub(crate) by_mode: Option<Template>,
    pub(crate) by_trace: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagAct {
    Set,
    Add,
    Remove,
}

/// RFC 5229 §4.1, in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Modifier {
    Lower,
    Upper,
    LowerFirst,
    UpperFirst,
    QuoteWildcard,
    QuoteRegex,
    EncodeUrl,
    Length,
}

#[derive(Debug)]
pub(crate) struct VacationAct {
    pub(crate) seconds: Option<u64>,
    pub(crate) subject: Option<Template>,
    pub(crate) from: Option<Template>,
    pub(crate) addresses: Vec<Template>,
    pub(crate) mime: bool,
    pub(crate) handle: Option<Template>,
    /// What tells this one from others of the script where it has no handle (RFC 5230 §4.2).
    pub(crate) own_handle: String,
    pub(crate) reason: Template,
    pub(crate) fcc: Option<Target>,
}

#[derive(Debug)]
pub(crate) struct NotifyAct {
    pub(crate) method: Template,
    pub(crate) from: Option<Template>,
    pub(crate) importance: Option<Template>,
    pub(crate) options: Vec<Template>,
    pub(crate) message: Option<Template>,
    pub(crate) fcc: Option<Target>,
}

/// A special use by its name, which other standards may extend (RFC 8579 §3): ours are the seven.
pub(crate) fn special_use(name: &str) -> Option<SpecialUse> {
    SpecialUse::parse(name)
}
