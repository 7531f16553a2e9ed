//! Tests (RFC 5228 §5 and the extensions').

use super::values::address_part;
use super::{Bound, Checked, Compiler, fault, missing, seconds, strings};
use crate::capability::Capability;
use crate::fault::Problem;
use crate::form;
use crate::program::{BodyPart, DuplicateId, MimeValue, Op, Template, Test};
use crate::syntax::{Node, Value};

/// Fields that hold addresses (RFC 5228 §5.1); others have none.
const ADDRESS_FIELDS: &[&str] = &[
    "from",
    "to",
    "cc",
    "bcc",
    "sender",
    "reply-to",
    "resent-from",
    "resent-to",
    "resent-cc",
    "resent-bcc",
    "resent-sender",
    "resent-reply-to",
    "return-path",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "envelope-from",
    "errors-to",
    "for-comment",
    "for-handling",
    "for-approval",
    "disposition-notification-to",
    "abuse-reports-to",
    "x-complaints-to",
    "x-beenthere",
    "x-report-abuse-to",
    "apparently-to",
    "mail-followup-to",
    "mail-reply-to",
    "return-receipt-to",
    "originator",
    "list-post",
];

impl Compiler<'_> {
    /// Emits what sets the truth value.
    pub(super) fn test(&mut self, node: &Node) -> Checked<()> {
        let name = node.name.to_ascii_lowercase();
        if let Some(form) = self.dialect.tests.iter().find(|form| form.name == name) {
            let bound = self.bind(node, form)?;
            let is_match = form.tag("is").is_some();
            let keys = is_match.then(|| self.keys(&bound, form.wants.len() - 1)).transpose()?;
            let arguments = self.host_arguments(&bound, is_match)?;
            self.emit(node.at, Op::Test(Box::new(Test::Host { name: form.name, arguments, keys })));
            return Ok(());
        }
        let Some(form) = form::TESTS.iter().find(|form| form.name == name) else {
            let is_command = form::COMMANDS.iter().chain(self.dialect.commands).any(|form| form.name == name);
            return Err(fault(
                node.at,
                if is_command {
                    Problem::CommandAsTest(node.name.clone())
                } else {
                    Problem::UnknownTest { name: node.name.clone(), near: form::near(&name, form::TESTS) }
                },
            ));
        };
        let bound = self.bind(node, form)?;
        match form.name {
            "allof" | "anyof" => return self.several(node, form.name == "anyof"),
            "not" => {
                for test in &node.tests {
                    self.test(test)?;
                }
                self.emit(node.at, Op::Negate);
                return Ok(());
            }
            _ => {}
        }
        let test = self.single(&bound, form.name)?;
        self.emit(node.at, Op::Test(Box::new(test)));
        Ok(())
    }

    /// RFC 5228 §5.2, §5.3: what stands behind the first that decides isn't looked at.
    fn several(&mut self, node: &Node, decides: bool) -> Checked<()> {
        let mut ends = Vec::new();
        for test in &node.tests {
            self.test(test)?;
            ends.push(self.emit(node.at, Op::JumpIf(decides, 0)));
        }
        for end in ends {
            self.land(end);
        }
        Ok(())
    }

    fn single(&self, bound: &Bound<'_>, name: &str) -> Checked<Test> {
        Ok(match name {
            "true" => Test::Fixed(true),
            "false" => Test::Fixed(false),
            "header" => Test::Header {
                names: self.list(bound, 0)?,
                keys: self.keys(bound, 1)?,
                index: Self::index(bound)?,
                scope: Self::scope(bound)?,
                value: self.mime_value(bound)?,
            },
            "address" => Test::Address {
                names: self.address_fields(bound)?,
                keys: self.keys(bound, 1)?,
                part: address_part(bound),
                index: Self::index(bound)?,
                scope: Self::scope(bound)?,
            },
            "envelope" => Test::Envelope {
                parts: self.envelope_parts(bound)?,
                keys: self.keys(bound, 1)?,
                part: address_part(bound),
            },
            "exists" => Test::Exists { names: self.list(bound, 0)?, scope: Self::scope(bound)? },
            "size" => {
                let over = bound.has("over");
                if !over && !bound.has("under") {
                    return Err(fault(bound.node.at, missing(bound.node, "`:over` or `:under`")));
                }
                let octets = bound.at(0).map_or(0, |argument| match argument.value {
                    Value::Number(octets) => octets,
                    _ => 0,
                });
                Test::Size { over, octets }
            }
            "body" => Test::Body { part: self.body_part(bound)?, keys: self.keys(bound, 0)? },
            "environment" => Test::Environment { item: self.one(bound, 0)?, keys: self.keys(bound, 1)? },
            "string" => Test::String { sources: self.list(bound, 0)?, keys: self.keys(bound, 1)? },
            "hasflag" => Test::HasFlag { variables: self.flag_variables(bound)?, keys: self.keys(bound, 1)? },
            "spamtest" => Test::Spam { percent: bound.has("percent"), keys: self.keys(bound, 0)? },
            "virustest" => Test::Virus { keys: self.keys(bound, 0)? },
            "date" => Test::Date {
                header: self.one(bound, 0)?,
                part: Self::date_part(bound, 1)?,
                zone: self.zone(bound)?,
                keys: self.keys(bound, 2)?,
                index: Self::index(bound)?,
                scope: Self::scope(bound)?,
            },
            "currentdate" => Test::CurrentDate {
                part: Self::date_part(bound, 0)?,
                zone: self.zone(bound)?,
                keys: self.keys(bound, 1)?,
            },
            _ => self.asking(bound, name)?,
        })
    }

    /// Those that ask for what lies outside of the message.
    fn asking(&self, bound: &Bound<'_>, name: &str) -> Checked<Test> {
        Ok(match name {
            "valid_notify_method" => Test::ValidNotify(self.list(bound, 0)?),
            "notify_method_capability" => Test::NotifyCapability {
                uri: self.one(bound, 0)?,
                capability: self.one(bound, 1)?,
                keys: self.keys(bound, 2)?,
            },
            "ihave" => {
                let names = bound.at(0).map_or(&[][..], strings);
                let has = |name: &String| self.offered(name).is_some() || self.dialect.names.contains(&name.as_str());
                Test::IHave(names.iter().all(has))
            }
            "mailboxexists" => Test::MailboxExists(self.list(bound, 0)?),
            "metadata" => Test::Metadata {
                mailbox: Some(self.one(bound, 0)?),
                name: self.one(bound, 1)?,
                keys: self.keys(bound, 2)?,
            },
            "servermetadata" => Test::Metadata { mailbox: None, name: self.one(bound, 0)?, keys: self.keys(bound, 1)? },
            "metadataexists" => {
                Test::MetadataExists { mailbox: Some(self.one(bound, 0)?), names: self.list(bound, 1)? }
            }
            "servermetadataexists" => Test::MetadataExists { mailbox: None, names: self.list(bound, 0)? },
            "valid_ext_list" => Test::ValidList(self.list(bound, 0)?),
            "duplicate" => Test::Duplicate {
                id: match (self.tagged(bound, "header")?, self.tagged(bound, "uniqueid")?) {
                    (Some(name), _) => DuplicateId::Header(name),
                    (None, Some(id)) => DuplicateId::Given(id),
                    (None, None) => DuplicateId::MessageId,
                },
                handle: self.tagged(bound, "handle")?,
                seconds: seconds(bound.argument("seconds"), 1),
                last: bound.has("last"),
            },
            "specialuse_exists" => Test::SpecialUseExists {
                mailbox: bound.at(0).map(|argument| self.mailbox(argument)).transpose()?,
                uses: self.list(bound, 1)?,
            },
            "mailboxidexists" => Test::MailboxIdExists(self.list(bound, 0)?),
            _ => return Err(fault(bound.node.at, Problem::UnknownTest { name: name.to_owned(), near: None })),
        })
    }

    fn address_fields(&self, bound: &Bound<'_>) -> Checked<Vec<Template>> {
        let names = self.list(bound, 0)?;
        for name in names.iter().filter_map(Template::constant) {
            if !is_address_field(name) {
                let at = bound.at(0).map_or(bound.node.at, |argument| argument.at);
                return Err(fault(at, Problem::Value { value: name.to_owned(), kind: "field that holds addresses" }));
            }
        }
        Ok(names)
    }

    /// RFC 5228 §5.4, RFC 6009 §2 and §3.
    fn envelope_parts(&self, bound: &Bound<'_>) -> Checked<Vec<Template>> {
        let parts = self.list(bound, 0)?;
        let at = bound.at(0).map_or(bound.node.at, |argument| argument.at);
        for part in parts.iter().filter_map(Template::constant) {
            let needed = match part.to_ascii_lowercase().as_str() {
                "from" | "to" | "auth" | "orig_to" => Capability::Envelope,
                "notify" | "orcpt" | "ret" | "envid" => Capability::EnvelopeDsn,
                "bytimeabsolute" | "bytimerelative" | "bymode" | "bytrace" => Capability::EnvelopeDeliverBy,
                _ => return Err(fault(at, Problem::Value { value: part.to_owned(), kind: "part of an envelope" })),
            };
            self.needs(at, part, needed)?;
        }
        Ok(parts)
    }

    fn body_part(&self, bound: &Bound<'_>) -> Checked<BodyPart> {
        Ok(match self.tagged_list(bound, "content")? {
            Some(types) => BodyPart::Content(types),
            None if bound.has("raw") => BodyPart::Raw,
            None => BodyPart::Text,
        })
    }

    fn mime_value(&self, bound: &Bound<'_>) -> Checked<MimeValue> {
        let value = match () {
            () if bound.has("type") => MimeValue::Type,
            () if bound.has("subtype") => MimeValue::SubType,
            () if bound.has("contenttype") => MimeValue::ContentType,
            () => self.tagged_list(bound, "param")?.map_or(MimeValue::Whole, MimeValue::Param),
        };
        if !matches!(value, MimeValue::Whole) && !bound.has("mime") {
            return Err(fault(bound.node.at, missing(bound.node, "`:mime` beside `:type` and the like")));
        }
        Ok(value)
    }

    /// RFC 5232 §4: the variables may be named only where there are any.
    fn flag_variables(&self, bound: &Bound<'_>) -> Checked<Vec<Template>> {
        if let Some(argument) = bound.at(0) {
            self.needs(argument.at, "a variable of flags", Capability::Variables)?;
            for name in strings(argument) {
                if !name.contains("${") {
                    let one = crate::syntax::Argument { at: argument.at, value: Value::String(name.clone()) };
                    self.variable_name(Some(&one), argument.at)?;
                }
            }
        }
        self.list(bound, 0)
    }
}

/// Whether addresses are sought in this field.
pub(crate) fn is_address_field(name: &str) -> bool {
    ADDRESS_FIELDS.iter().any(|known| known.eq_ignore_ascii_case(name))
}
