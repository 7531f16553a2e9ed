//! Rules in plain words.

use relais_service::{AbsenceForm, ActForm, ConditionForm, RuleForm, Text, TriedAct};

use crate::kit::Frame;

/// "If the sender contains “chess” or it has an attachment".
pub(super) fn when(frame: &Frame, rule: &RuleForm) -> String {
    if rule.conditions.is_empty() {
        return frame.say("rule-always");
    }
    let and = frame.say(if rule.any { "rule-or" } else { "rule-and" });
    let conditions: Vec<_> = rule.conditions.iter().map(|condition| one(frame, condition)).collect();
    frame.tell(&Text::new("rule-if").with("conditions", conditions.join(&format!(" {and} "))))
}

fn one(frame: &Frame, condition: &ConditionForm) -> String {
    let value = condition.value.as_str();
    match condition.of.as_str() {
        "attachment" => frame.say("rule-has-attachment"),
        "size" => {
            let id = if condition.how == "smaller" { "rule-smaller" } else { "rule-larger" };
            frame.tell(&Text::new(id).with("value", value))
        }
        of => {
            let what = match of {
                "header" => frame.tell(&Text::new("rule-of-header").with("name", condition.header.as_str())),
                of => frame.say(&format!("rule-of-{of}")),
            };
            let id = format!("rule-how-{}", condition.how.replace('_', "-"));
            frame.tell(&Text::named(id).with("what", what).with("value", value))
        }
    }
}

/// What is done, a sentence each.
pub(super) fn then(frame: &Frame, rule: &RuleForm) -> Vec<String> {
    let mut acts: Vec<_> = rule.acts.iter().map(|act| done(frame, act)).collect();
    if rule.stops {
        acts.push(frame.say("rule-stops"));
    }
    acts
}

fn done(frame: &Frame, act: &ActForm) -> String {
    let id = match (act.act.as_str(), act.value.as_str()) {
        ("flag", "\\Seen") => "rule-act-read".to_owned(),
        ("flag", "\\Flagged") => "rule-act-star".to_owned(),
        (act, _) => format!("rule-act-{}", act.replace('_', "-")),
    };
    frame.tell(&Text::named(id).with("value", act.value.as_str()))
}

/// When one is away.
pub(super) fn absence(frame: &Frame, absence: &AbsenceForm) -> String {
    let (from, until) = (absence.from.as_deref(), absence.until.as_deref());
    if !absence.is_on {
        return frame.say("absence-off");
    }
    let id = match (from, until) {
        (None, None) => "absence-now",
        (Some(_), None) => "absence-from",
        (None, Some(_)) => "absence-until",
        (Some(_), Some(_)) => "absence-between",
    };
    let text = Text::new(id).with("from", from.unwrap_or_default());
    frame.tell(&text.with("until", until.unwrap_or_default()))
}

/// What would have been done with a message.
pub(super) fn tried(frame: &Frame, acts: &[TriedAct]) -> String {
    if acts.is_empty() {
        return frame.say("tried-nothing");
    }
    let one = |act: &TriedAct| {
        let said = frame.tell(&Text::named(format!("tried-{}", act.act)).with("what", act.what.as_str()));
        if act.flags.is_empty() { said } else { format!("{said} ({})", act.flags.join(", ")) }
    };
    acts.iter().map(one).collect::<Vec<_>>().join("; ")
}
