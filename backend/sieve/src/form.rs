//! The form of each command and test: its tags, its arguments, and the extension that it comes from.
//!
//! To add one: a row here, its meaning in `compile`, and, where it is new, a test in `test` or an act in `run`.

use crate::capability::Capability;

/// What an argument must be. A list may be given as one string (RFC 5228 §2.4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// A number.
    Number,
    /// One string.
    String,
    /// A list of strings, or one string.
    Strings,
}

impl Want {
    /// As a person is told.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::String => "one string",
            Self::Strings => "a string or a list of strings",
        }
    }
}

/// A tagged argument.
#[derive(Debug, Clone, Copy)]
pub struct Tag {
    /// Without its colon, in small letters.
    pub name: &'static str,
    /// What stands behind it.
    pub want: Option<Want>,
    /// The extension it comes from, where that isn't the command's own.
    pub needs: Option<Capability>,
    /// Tags of one group exclude each other; those of group 0 only themselves.
    pub group: u8,
}

/// A command's or test's form.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// In small letters.
    pub name: &'static str,
    /// One of these extensions must be required; none: the base language.
    pub needs: &'static [Capability],
    /// It is a test.
    pub is_test: bool,
    /// Its tags, in groups that other commands have, too.
    pub tags: &'static [&'static [Tag]],
    /// Its positional arguments.
    pub wants: &'static [Want],
    /// So many of them, from the first, may be absent.
    pub optional: usize,
    /// What stands behind the arguments.
    pub tests: Tests,
    /// Whether a command has a block.
    pub has_block: bool,
}

/// How many tests stand behind the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tests {
    /// None.
    None,
    /// One, without parentheses.
    One,
    /// A list in parentheses.
    List,
}

impl Form {
    /// A command without tags, arguments, tests and block.
    pub const COMMAND: Self = Self {
        name: "",
        needs: &[],
        is_test: false,
        tags: &[],
        wants: &[],
        optional: 0,
        tests: Tests::None,
        has_block: false,
    };
    /// A test of that kind.
    pub const TEST: Self = Self { is_test: true, ..Self::COMMAND };

    /// The tag called so.
    pub(crate) fn tag(&self, name: &str) -> Option<&'static Tag> {
        self.tags.iter().flat_map(|group| group.iter()).find(|tag| tag.name == name)
    }
}

const fn tag(name: &'static str, group: u8) -> Tag {
    Tag { name, want: None, needs: None, group }
}

const fn valued(name: &'static str, want: Want) -> Tag {
    Tag { name, want: Some(want), needs: None, group: 0 }
}

const fn of(capability: Capability, tag: Tag) -> Tag {
    Tag { needs: Some(capability), ..tag }
}

use Capability as C;
use Want::{Number, String, Strings};

/// RFC 5228 §2.7.1, RFC 5231 §4, RFC 6134 §2.1 and §2.3; the comparator of §2.7.3.
pub const MATCH: &[Tag] = &[
    tag("is", 1),
    tag("contains", 1),
    tag("matches", 1),
    of(C::Regex, tag("regex", 1)),
    of(C::ExtLists, tag("list", 1)),
    Tag { name: "count", want: Some(String), needs: Some(C::Relational), group: 1 },
    Tag { name: "value", want: Some(String), needs: Some(C::Relational), group: 1 },
    valued("comparator", String),
];
/// RFC 5228 §2.7.4, RFC 5233 §4.
const ADDRESS_PART: &[Tag] = &[
    tag("all", 2),
    tag("localpart", 2),
    tag("domain", 2),
    of(C::SubAddress, tag("user", 2)),
    of(C::SubAddress, tag("detail", 2)),
];
/// RFC 5260 §6.1.
const INDEX: &[Tag] = &[of(C::Index, valued("index", Number)), of(C::Index, tag("last", 0))];
/// RFC 5703 §4.
const MIME: &[Tag] = &[of(C::Mime, tag("mime", 0)), of(C::Mime, tag("anychild", 0))];
/// RFC 5703 §4.1.
const MIME_VALUE: &[Tag] = &[
    of(C::Mime, tag("type", 3)),
    of(C::Mime, tag("subtype", 3)),
    of(C::Mime, tag("contenttype", 3)),
    Tag { name: "param", want: Some(Strings), needs: Some(C::Mime), group: 3 },
];
/// RFC 5229 §4.1, and what other RFCs add.
const MODIFIERS: &[Tag] = &[
    tag("lower", 4),
    tag("upper", 4),
    tag("lowerfirst", 5),
    tag("upperfirst", 5),
    tag("quotewildcard", 6),
    of(C::Regex, tag("quoteregex", 6)),
    of(C::Enotify, tag("encodeurl", 7)),
    tag("length", 8),
];
/// RFC 5260 §4.1.
const ZONE: &[Tag] = &[Tag { name: "zone", want: Some(String), needs: None, group: 9 }];
/// RFC 5490 §3.2, RFC 8579 §4.1, RFC 9042 §4.
const PLACE: &[Tag] = &[
    of(C::Mailbox, tag("create", 0)),
    of(C::SpecialUse, valued("specialuse", String)),
    of(C::MailboxId, valued("mailboxid", String)),
];
/// RFC 5232 §5.
const FLAGS: &[Tag] = &[of(C::Imap4Flags, valued("flags", Strings))];
/// RFC 8580 §3.
const FCC: &[Tag] = &[of(C::Fcc, valued("fcc", String))];
/// RFC 3894 §3.
const COPY: &[Tag] = &[of(C::Copy, tag("copy", 0))];

const IF: Form = Form { tests: Tests::One, has_block: true, ..Form::COMMAND };
const FLAG_ACT: Form = Form { needs: &[C::Imap4Flags], wants: &[Strings, Strings], optional: 1, ..Form::COMMAND };

/// All commands.
pub const COMMANDS: &[Form] = &[
    // RFC 5228 §3.
    Form { name: "require", wants: &[Strings], ..Form::COMMAND },
    Form { name: "if", ..IF },
    Form { name: "elsif", ..IF },
    Form { name: "else", has_block: true, ..Form::COMMAND },
    Form { name: "stop", ..Form::COMMAND },
    // RFC 5228 §4.
    Form { name: "keep", tags: &[FLAGS], ..Form::COMMAND },
    Form { name: "discard", ..Form::COMMAND },
    Form {
        name: "redirect",
        tags: &[
            COPY,
            &[
                of(C::ExtLists, tag("list", 0)),
                of(C::RedirectDsn, valued("notify", String)),
                of(C::RedirectDsn, valued("ret", String)),
                Tag { name: "bytimerelative", want: Some(Number), needs: Some(C::RedirectDeliverBy), group: 1 },
                Tag { name: "bytimeabsolute", want: Some(String), needs: Some(C::RedirectDeliverBy), group: 1 },
                of(C::RedirectDeliverBy, valued("bymode", String)),
                of(C::RedirectDeliverBy, tag("bytrace", 0)),
            ],
        ],
        wants: &[String],
        ..Form::COMMAND
    },
    Form { name: "fileinto", needs: &[C::FileInto], tags: &[COPY, PLACE, FLAGS], wants: &[String], ..Form::COMMAND },
    Form { name: "reject", needs: &[C::Reject], wants: &[String], ..Form::COMMAND },
    Form { name: "ereject", needs: &[C::Ereject], wants: &[String], ..Form::COMMAND },
    // RFC 5229 §4.
    Form { name: "set", needs: &[C::Variables], tags: &[MODIFIERS], wants: &[String, String], ..Form::COMMAND },
    // RFC 5230 §4.
    Form {
        name: "vacation",
        needs: &[C::Vacation],
        tags: &[
            FCC,
            PLACE,
            FLAGS,
            &[
                Tag { name: "days", want: Some(Number), needs: None, group: 1 },
                Tag { name: "seconds", want: Some(Number), needs: Some(C::VacationSeconds), group: 1 },
                valued("subject", String),
                valued("from", String),
                valued("addresses", Strings),
                tag("mime", 0),
                valued("handle", String),
            ],
        ],
        wants: &[String],
        ..Form::COMMAND
    },
    // RFC 5232 §3.
    Form { name: "setflag", ..FLAG_ACT },
    Form { name: "addflag", ..FLAG_ACT },
    Form { name: "removeflag", ..FLAG_ACT },
    // RFC 5293 §4, §5.
    Form {
        name: "addheader",
        needs: &[C::EditHeader],
        tags: &[&[tag("last", 0)]],
        wants: &[String, String],
        ..Form::COMMAND
    },
    Form {
        name: "deleteheader",
        needs: &[C::EditHeader],
        tags: &[MATCH, &[valued("index", Number), tag("last", 0)]],
        wants: &[String, Strings],
        optional: 1,
        ..Form::COMMAND
    },
    // RFC 5435 §3.
    Form {
        name: "notify",
        needs: &[C::Enotify],
        tags: &[
            FCC,
            PLACE,
            FLAGS,
            &[
                valued("from", String),
                valued("importance", String),
                valued("options", Strings),
                valued("message", String),
            ],
        ],
        wants: &[String],
        ..Form::COMMAND
    },
    // RFC 5463 §5.
    Form { name: "error", needs: &[C::IHave], wants: &[String], ..Form::COMMAND },
    // RFC 5703.
    Form {
        name: "foreverypart",
        needs: &[C::ForEveryPart],
        tags: &[&[valued("name", String)]],
        has_block: true,
        ..Form::COMMAND
    },
    Form { name: "break", needs: &[C::ForEveryPart], tags: &[&[valued("name", String)]], ..Form::COMMAND },
    Form {
        name: "replace",
        needs: &[C::Replace],
        tags: &[&[tag("mime", 0), valued("subject", String), valued("from", String)]],
        wants: &[String],
        ..Form::COMMAND
    },
    Form {
        name: "enclose",
        needs: &[C::Enclose],
        tags: &[&[valued("subject", String), valued("headers", Strings)]],
        wants: &[String],
        ..Form::COMMAND
    },
    Form {
        name: "extracttext",
        needs: &[C::ExtractText],
        tags: &[MODIFIERS, &[valued("first", Number)]],
        wants: &[String],
        ..Form::COMMAND
    },
    // RFC 6609 §3.
    Form {
        name: "include",
        needs: &[C::Include],
        tags: &[&[tag("personal", 1), tag("global", 1), tag("once", 0), tag("optional", 0)]],
        wants: &[String],
        ..Form::COMMAND
    },
    Form { name: "return", needs: &[C::Include], ..Form::COMMAND },
    Form { name: "global", needs: &[C::Include], wants: &[Strings], ..Form::COMMAND },
];

/// All tests.
pub const TESTS: &[Form] = &[
    // RFC 5228 §5.
    Form { name: "address", tags: &[MATCH, ADDRESS_PART, INDEX, MIME], wants: &[Strings, Strings], ..Form::TEST },
    Form { name: "allof", tests: Tests::List, ..Form::TEST },
    Form { name: "anyof", tests: Tests::List, ..Form::TEST },
    Form {
        name: "envelope",
        needs: &[C::Envelope, C::EnvelopeDsn, C::EnvelopeDeliverBy],
        tags: &[MATCH, ADDRESS_PART],
        wants: &[Strings, Strings],
        ..Form::TEST
    },
    Form { name: "exists", tags: &[MIME], wants: &[Strings], ..Form::TEST },
    Form { name: "false", ..Form::TEST },
    Form { name: "header", tags: &[MATCH, INDEX, MIME, MIME_VALUE], wants: &[Strings, Strings], ..Form::TEST },
    Form { name: "not", tests: Tests::One, ..Form::TEST },
    Form { name: "size", tags: &[&[tag("over", 1), tag("under", 1)]], wants: &[Number], ..Form::TEST },
    Form { name: "true", ..Form::TEST },
    // RFC 5173 §4.
    Form {
        name: "body",
        needs: &[C::Body],
        tags: &[
            MATCH,
            &[tag("raw", 2), tag("text", 2), Tag { name: "content", want: Some(Strings), needs: None, group: 2 }],
        ],
        wants: &[Strings],
        ..Form::TEST
    },
    // RFC 5183 §4.
    Form { name: "environment", needs: &[C::Environment], tags: &[MATCH], wants: &[String, Strings], ..Form::TEST },
    // RFC 5229 §5.
    Form { name: "string", needs: &[C::Variables], tags: &[MATCH], wants: &[Strings, Strings], ..Form::TEST },
    // RFC 5232 §4.
    Form {
        name: "hasflag",
        needs: &[C::Imap4Flags],
        tags: &[MATCH],
        wants: &[Strings, Strings],
        optional: 1,
        ..Form::TEST
    },
    // RFC 5235.
    Form {
        name: "spamtest",
        needs: &[C::SpamTest],
        tags: &[MATCH, &[of(C::SpamTestPlus, tag("percent", 0))]],
        wants: &[String],
        ..Form::TEST
    },
    Form { name: "virustest", needs: &[C::VirusTest], tags: &[MATCH], wants: &[String], ..Form::TEST },
    // RFC 5260.
    Form {
        name: "date",
        needs: &[C::Date],
        tags: &[MATCH, INDEX, ZONE, &[tag("originalzone", 9)], MIME],
        wants: &[String, String, Strings],
        ..Form::TEST
    },
    Form { name: "currentdate", needs: &[C::Date], tags: &[MATCH, ZONE], wants: &[String, Strings], ..Form::TEST },
    // RFC 5435.
    Form { name: "valid_notify_method", needs: &[C::Enotify], wants: &[Strings], ..Form::TEST },
    Form {
        name: "notify_method_capability",
        needs: &[C::Enotify],
        tags: &[MATCH],
        wants: &[String, String, Strings],
        ..Form::TEST
    },
    // RFC 5463.
    Form { name: "ihave", needs: &[C::IHave], wants: &[Strings], ..Form::TEST },
    // RFC 5490.
    Form { name: "mailboxexists", needs: &[C::Mailbox], wants: &[Strings], ..Form::TEST },
    Form {
        name: "metadata",
        needs: &[C::MboxMetadata],
        tags: &[MATCH],
        wants: &[String, String, Strings],
        ..Form::TEST
    },
    Form { name: "metadataexists", needs: &[C::MboxMetadata], wants: &[String, Strings], ..Form::TEST },
    Form {
        name: "servermetadata",
        needs: &[C::ServerMetadata],
        tags: &[MATCH],
        wants: &[String, Strings],
        ..Form::TEST
    },
    Form { name: "servermetadataexists", needs: &[C::ServerMetadata], wants: &[Strings], ..Form::TEST },
    // RFC 6134.
    Form { name: "valid_ext_list", needs: &[C::ExtLists], wants: &[Strings], ..Form::TEST },
    // RFC 7352.
    Form {
        name: "duplicate",
        needs: &[C::Duplicate],
        tags: &[&[
            Tag { name: "header", want: Some(String), needs: None, group: 1 },
            Tag { name: "uniqueid", want: Some(String), needs: None, group: 1 },
            valued("handle", String),
            valued("seconds", Number),
            tag("last", 0),
        ]],
        ..Form::TEST
    },
    // RFC 8579 §4.2.
    Form { name: "specialuse_exists", needs: &[C::SpecialUse], wants: &[String, Strings], optional: 1, ..Form::TEST },
    // RFC 9042 §5.
    Form { name: "mailboxidexists", needs: &[C::MailboxId], wants: &[Strings], ..Form::TEST },
];

/// A known name that differs from `name` in one place or two, for a hint.
pub(crate) fn near(name: &str, forms: &'static [Form]) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if name.len() > 40 {
        return None;
    }
    let nearest = forms.iter().map(|form| (distance(&name, form.name), form.name)).min()?;
    (nearest.0 <= 2 && nearest.0 < name.len()).then_some(nearest.1)
}

/// Levenshtein's.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.bytes().enumerate() {
        let mut diagonal = at;
        let mut last = at + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(other.bytes()) {
            let next = (diagonal + usize::from(left != right)).min(last + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = next;
            last = next;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        for (name, expected) in [("hedaer", Some("header")), ("adress", Some("address")), ("frobnicate", None)] {
            assert_eq!(near(name, TESTS), expected, "{name}");
        }
        assert_eq!(near("fileintoo", COMMANDS), Some("fileinto"));
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
