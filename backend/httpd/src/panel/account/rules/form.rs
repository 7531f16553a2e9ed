//! The form of one rule: lines that each say a condition or an act. Lines that say nothing are passed over; a few empty ones always stand below.

use relais_service::{ActForm, ConditionForm, RuleForm};
use serde::Deserialize;

use crate::kit::{Choice, Frame};

/// What can be looked at; empty: nothing.
pub(super) const OF: [&str; 8] = ["", "from", "to", "subject", "list", "size", "attachment", "header"];
/// How.
pub(super) const HOW: [&str; 7] = ["contains", "contains_not", "is", "is_not", "matches", "larger", "smaller"];
/// What can be done.
pub(super) const ACTS: [&str; 9] = ["", "move", "copy", "read", "star", "flag", "forward", "forward_copy", "delete"];
/// Empty lines below those that say something.
const SPARE_CONDITIONS: usize = 2;
const SPARE_ACTS: usize = 1;

/// What is typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    pub(super) mark: String,
    /// Its place; empty: a new one.
    pub(super) at: String,
    pub(super) name: String,
    /// `any` or `all`.
    pub(super) any: String,
    pub(super) is_on: Option<String>,
    pub(super) stops: Option<String>,
    of: Vec<String>,
    header: Vec<String>,
    how: Vec<String>,
    value: Vec<String>,
    act: Vec<String>,
    act_value: Vec<String>,
    /// `save`, `try` or `more`.
    pub(super) r#do: String,
}

/// A line of conditions.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) of: String,
    pub(super) header: String,
    pub(super) how: String,
    pub(super) value: String,
}

impl Fields {
    pub(super) fn of(rule: RuleForm, at: String, mark: String) -> Self {
        let mut fields = Self {
            mark,
            at,
            name: rule.name,
            any: if rule.any { "any" } else { "all" }.to_owned(),
            is_on: rule.is_on.then(String::new),
            stops: rule.stops.then(String::new),
            ..Self::default()
        };
        for ConditionForm { of, header, how, value } in rule.conditions {
            fields.of.push(of);
            fields.header.push(header);
            fields.how.push(how);
            fields.value.push(value);
        }
        for ActForm { act, value } in rule.acts {
            let (act, value) = match (act.as_str(), value.as_str()) {
                ("flag", "\\Seen") => ("read".to_owned(), String::new()),
                ("flag", "\\Flagged") => ("star".to_owned(), String::new()),
                _ => (act, value),
            };
            fields.act.push(act);
            fields.act_value.push(value);
        }
        fields
    }

    /// As it would be kept.
    pub(super) fn rule(&self) -> RuleForm {
        let said = |line: &Line| !line.of.is_empty();
        let conditions = self.lines().into_iter().filter(said).map(|line| {
            let Line { of, header, how, value } = line;
            // Of a size only two make sense: a browser without scripts offers all.
            let how = match (of.as_str(), how.as_str()) {
                ("size", "smaller" | "is_not" | "contains_not") => "smaller".to_owned(),
                ("size", _) => "larger".to_owned(),
                _ => how,
            };
            ConditionForm { of, header, how, value }
        });
        let acts = self.acts().into_iter().filter(|(act, _)| !act.is_empty()).map(|(act, value)| {
            let (act, value) = match act.as_str() {
                "read" => ("flag", "\\Seen".to_owned()),
                "star" => ("flag", "\\Flagged".to_owned()),
                act => (act, value),
            };
            ActForm { act: act.to_owned(), value }
        });
        RuleForm {
            name: self.name.clone(),
            is_on: self.is_on.is_some(),
            any: self.any == "any",
            conditions: conditions.collect(),
            acts: acts.collect(),
            stops: self.stops.is_some(),
        }
    }

    pub(super) fn condition_lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.lines().into_iter().filter(|line| !line.of.is_empty()).collect();
        lines.extend(std::iter::repeat_with(Line::default).take(SPARE_CONDITIONS));
        lines
    }

    pub(super) fn act_lines(&self) -> Vec<(String, String)> {
        let mut lines: Vec<_> = self.acts().into_iter().filter(|(act, _)| !act.is_empty()).collect();
        lines.extend(std::iter::repeat_with(Default::default).take(SPARE_ACTS));
        lines
    }

    fn lines(&self) -> Vec<Line> {
        let at = |list: &[String], index: usize| list.get(index).cloned().unwrap_or_default();
        let line = |(index, of): (usize, &String)| Line {
            of: of.clone(),
            header: at(&self.header, index),
            how: at(&self.how, index),
            value: at(&self.value, index),
        };
        self.of.iter().enumerate().map(line).collect()
    }

    fn acts(&self) -> Vec<(String, String)> {
        let value = |index: usize| self.act_value.get(index).cloned().unwrap_or_default();
        self.act.iter().enumerate().map(|(index, act)| (act.clone(), value(index))).collect()
    }
}

/// Each with its words; the empty one is "nothing".
pub(super) fn choices(frame: &Frame, kind: &str, values: &[&str], chosen: &str) -> Vec<Choice> {
    let title = |value: &str| match value {
        "" => frame.say("rule-nothing"),
        value => frame.say(&format!("{kind}-{}-choice", value.replace('_', "-"))),
    };
    values.iter().map(|value| Choice::new(value, title(value), chosen)).collect()
}
