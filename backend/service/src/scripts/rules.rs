//! Rules as forms and programs say them, and as the language's crate has them.

use relais_model::{Address, Flag, MailboxName};
use relais_sieve::rules::{Absence, Condition, Day, How, MAX_PARTS, MAX_RULES, Rule, RuleAct, Rules};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Failure, Text};

/// Octets of an absence's text.
const TEXT_OCTETS: usize = 16 * 1024;
/// The largest size that is compared.
const MOST_OCTETS: u64 = 1024 * 1024 * 1024;
/// Octets of a name, and of what is compared.
const LINE_OCTETS: usize = 1000;

/// All rules of a person, in the order in which they hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSet {
    /// What those who write are told while one is away.
    pub absence: Option<AbsenceForm>,
    /// The first comes first.
    pub rules: Vec<RuleForm>,
}

/// If this, then that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleForm {
    /// What a person calls it.
    pub name: String,
    /// It holds.
    pub is_on: bool,
    /// One condition is enough.
    pub any: bool,
    /// None: always.
    pub conditions: Vec<ConditionForm>,
    /// One at least, in their order.
    pub acts: Vec<ActForm>,
    /// No rule behind it is looked at where it held.
    pub stops: bool,
}

/// What a message must be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConditionForm {
    /// `from`, `to`, `subject`, `list`, `header`, `size` or `attachment`.
    #[schema(example = "from")]
    pub of: String,
    /// Of `header`: its name.
    pub header: String,
    /// `contains`, `contains_not`, `is`, `is_not` or `matches` (`*` for anything); of `size` `larger` or `smaller`.
    #[schema(example = "contains")]
    pub how: String,
    /// What it is compared with; of `size` in KiB, or in octets, as `1500B`.
    pub value: String,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ActForm {
    /// `move`, `copy`, `flag`, `forward`, `forward_copy` or `delete`.
    #[schema(example = "move")]
    pub act: String,
    /// The mailbox, the flag (`\Seen` marks it read), or the address.
    pub value: String,
}

/// Being away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AbsenceForm {
    /// It holds.
    pub is_on: bool,
    /// The first day, `2026-12-24`; none: already.
    pub from: Option<String>,
    /// The last day; none: until it is switched off.
    pub until: Option<String>,
    /// None: `Auto:` and the subject that is answered.
    pub subject: Option<String>,
    /// What is said.
    pub text: String,
    /// Nobody is answered twice within so many days: 1 to 365.
    pub days: u16,
    /// Further addresses of one's own: mail to them is answered, too.
    pub addresses: Vec<String>,
}

impl Default for AbsenceForm {
    fn default() -> Self {
        let (from, until, subject, text) = (None, None, None, String::new());
        Self { is_on: true, from, until, subject, text, days: 7, addresses: Vec::new() }
    }
}

impl RuleSet {
    /// As the language's crate has them.
    pub(super) fn read(&self) -> Result<Rules, Failure> {
        if self.rules.len() > MAX_RULES {
            return Err(Failure::clash("", Text::new("rules-too-many").with("most", MAX_RULES)));
        }
        let absence = self.absence.as_ref().map(AbsenceForm::read).transpose()?;
        Ok(Rules { absence, rules: self.rules.iter().map(RuleForm::read).collect::<Result<_, _>>()? })
    }
}

impl From<Rules> for RuleSet {
    fn from(rules: Rules) -> Self {
        Self { absence: rules.absence.map(Into::into), rules: rules.rules.into_iter().map(Into::into).collect() }
    }
}

impl RuleForm {
    fn read(&self) -> Result<Rule, Failure> {
        let name = line("name", &self.name, "rules-no-name")?;
        if self.conditions.len() > MAX_PARTS || self.acts.len() > MAX_PARTS {
            return Err(Failure::clash("", Text::new("rules-too-many").with("most", MAX_PARTS)));
        }
        if self.acts.is_empty() {
            return Err(Failure::unfit("act", Text::new("rules-no-act")));
        }
        let conditions = self.conditions.iter().map(ConditionForm::read).collect::<Result<_, _>>()?;
        let mut acts: Vec<RuleAct> = self.acts.iter().map(ActForm::read).collect::<Result<_, _>>()?;
        // A flag is for the copies that are filed behind it.
        acts.sort_by_key(|act| !matches!(act, RuleAct::Flag(_)));
        Ok(Rule { name, is_on: self.is_on, any: self.any, conditions, acts, stops: self.stops })
    }
}

impl From<Rule> for RuleForm {
    fn from(rule: Rule) -> Self {
        Self {
            name: rule.name,
            is_on: rule.is_on,
            any: rule.any,
            conditions: rule.conditions.into_iter().map(Into::into).collect(),
            acts: rule.acts.into_iter().map(Into::into).collect(),
            stops: rule.stops,
        }
    }
}

impl ConditionForm {
    fn read(&self) -> Result<Condition, Failure> {
        let octets = || {
            let value = self.value.trim();
            // What was written by hand needn't be whole KiB.
            let (number, unit) = value.strip_suffix('B').map_or((value, 1024), |octets| (octets.trim_end(), 1));
            let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
            let size = size.filter(|size| *size <= MOST_OCTETS);
            size.ok_or_else(|| Failure::unfit("value", Text::new("rules-bad-size")))
        };
        match (self.of.as_str(), self.how.as_str()) {
            ("attachment", _) => return Ok(Condition::HasAttachment),
            ("size", "larger") => return Ok(Condition::Larger(octets()?)),
            ("size", "smaller") => return Ok(Condition::Smaller(octets()?)),
            _ => {}
        }
        let how = match self.how.as_str() {
            "contains" => How::Contains,
            "contains_not" => How::ContainsNot,
            "is" => How::Is,
            "is_not" => How::IsNot,
            "matches" => How::Matches,
            _ => return Err(Failure::unfit("how", Text::new("rules-bad-condition"))),
        };
        let key = line("value", &self.value, "rules-no-value")?;
        Ok(match self.of.as_str() {
            "from" => Condition::From(how, key),
            "to" => Condition::To(how, key),
            "subject" => Condition::Subject(how, key),
            "list" => Condition::List(how, key),
            "header" => {
                let name = self.header.trim();
                let is_name = |octet: u8| octet.is_ascii_graphic() && octet != b':';
                if name.is_empty() || name.len() > LINE_OCTETS || !name.bytes().all(is_name) {
                    return Err(Failure::unfit("header", Text::new("rules-bad-header")));
                }
                // Those that have words of their own read back as these.
                match name.to_ascii_lowercase().as_str() {
                    "from" => Condition::From(how, key),
                    "subject" => Condition::Subject(how, key),
                    "list-id" => Condition::List(how, key),
                    _ => Condition::Header(name.to_owned(), how, key),
                }
            }
            _ => return Err(Failure::unfit("of", Text::new("rules-bad-condition"))),
        })
    }
}

impl From<Condition> for ConditionForm {
    fn from(condition: Condition) -> Self {
        let text = |of: &str, how: How, value: String| Self {
            of: of.to_owned(),
            header: String::new(),
            how: match how {
                How::Contains => "contains",
                How::ContainsNot => "contains_not",
                How::Is => "is",
                How::IsNot => "is_not",
                How::Matches => "matches",
            }
            .to_owned(),
            value,
        };
        let size = |how: &str, octets: u64| Self {
            of: "size".to_owned(),
            how: how.to_owned(),
            value: if octets.is_multiple_of(1024) { (octets / 1024).to_string() } else { format!("{octets}B") },
            ..Self::default()
        };
        match condition {
            Condition::From(how, key) => text("from", how, key),
            Condition::To(how, key) => text("to", how, key),
            Condition::Subject(how, key) => text("subject", how, key),
            Condition::List(how, key) => text("list", how, key),
            Condition::Header(header, how, key) => Self { header, ..text("header", how, key) },
            Condition::Larger(octets) => size("larger", octets),
            Condition::Smaller(octets) => size("smaller", octets),
            Condition::HasAttachment => Self { of: "attachment".to_owned(), ..Self::default() },
        }
    }
}

impl ActForm {
    fn read(&self) -> Result<RuleAct, Failure> {
        let value = self.value.trim();
        let mailbox = || {
            MailboxName::parse(value)
                .map_err(|_| Failure::unfit("act_value", Text::new("rules-bad-mailbox").with("name", value)))
        };
        let address = || {
            Address::parse(value)
                .map_err(|_| Failure::unfit("act_value", Text::new("rules-bad-address").with("address", value)))
        };
        Ok(match self.act.as_str() {
            "move" => RuleAct::Move(mailbox()?),
            "copy" => RuleAct::Copy(mailbox()?),
            "flag" => {
                RuleAct::Flag(Flag::parse(value).map_err(|_| Failure::unfit("act_value", Text::new("rules-bad-flag")))?)
            }
            "forward" => RuleAct::Forward { to: address()?, keeps: false },
            "forward_copy" => RuleAct::Forward { to: address()?, keeps: true },
            "delete" => RuleAct::Delete,
            _ => return Err(Failure::unfit("act", Text::new("rules-no-act"))),
        })
    }
}

impl From<RuleAct> for ActForm {
    fn from(act: RuleAct) -> Self {
        let (act, value) = match act {
            RuleAct::Move(name) => ("move", name.as_str().to_owned()),
            RuleAct::Copy(name) => ("copy", name.as_str().to_owned()),
            RuleAct::Flag(flag) => ("flag", flag.to_string()),
            RuleAct::Forward { to, keeps: false } => ("forward", to.to_string()),
            RuleAct::Forward { to, keeps: true } => ("forward_copy", to.to_string()),
            RuleAct::Delete => ("delete", String::new()),
        };
        Self { act: act.to_owned(), value }
    }
}

impl AbsenceForm {
    fn read(&self) -> Result<Absence, Failure> {
        let day = |field: &'static str, day: &Option<String>| {
            let day = day.as_deref().map(str::trim).filter(|day| !day.is_empty());
            let read = |day: &str| Day::parse(day).ok_or_else(|| Failure::unfit(field, Text::new("rules-bad-day")));
            day.map(read).transpose()
        };
        let (from, until) = (day("from", &self.from)?, day("until", &self.until)?);
        if from.zip(until).is_some_and(|(from, until)| until < from) {
            return Err(Failure::unfit("until", Text::new("rules-days-turned")));
        }
        let text = self.text.replace('\r', "").trim_end().to_owned();
        if text.is_empty() || text.len() > TEXT_OCTETS {
            return Err(Failure::unfit("text", Text::new("rules-no-text")));
        }
        if !(1..=365).contains(&self.days) {
            return Err(Failure::unfit("days", Text::new("rules-bad-days")));
        }
        let subject = self.subject.as_deref().map(str::trim).filter(|subject| !subject.is_empty());
        let subject = subject.map(|subject| line("subject", subject, "rules-no-value")).transpose()?;
        let address = |text: &String| {
            Address::parse(text.trim())
                .map_err(|_| Failure::unfit("addresses", Text::new("rules-bad-address").with("address", text.as_str())))
        };
        let addresses = self.addresses.iter().take(MAX_PARTS).map(address).collect::<Result<_, _>>()?;
        Ok(Absence { is_on: self.is_on, from, until, subject, text, days: self.days, addresses })
    }
}

impl From<Absence> for AbsenceForm {
    fn from(absence: Absence) -> Self {
        Self {
            is_on: absence.is_on,
            from: absence.from.map(|day| day.to_string()),
            until: absence.until.map(|day| day.to_string()),
            subject: absence.subject,
            text: absence.text,
            days: absence.days,
            addresses: absence.addresses.iter().map(ToString::to_string).collect(),
        }
    }
}

/// One line that says something.
fn line(field: &'static str, text: &str, why: &'static str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() || text.len() > LINE_OCTETS || text.chars().any(char::is_control) {
        return Err(Failure::unfit(field, Text::new(why)));
    }
    Ok(text.to_owned())
}
