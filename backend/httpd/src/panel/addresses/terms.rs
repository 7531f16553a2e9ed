//! What is said of an alias, as it is typed.

use relais_model::Timestamp;
use relais_service::{AliasChange, AliasSenders, AliasView, Failure, Moment, NewAlias, Text};
use serde::Deserialize;

use super::split;
use crate::kit::{Choice, Frame};
use crate::panel::activity::{begin, day};

/// Those who may send, as the form names them.
const SENDERS: [(AliasSenders, &str, &str); 3] = [
    (AliasSenders::Targets, "targets", "alias-senders-targets"),
    (AliasSenders::People, "people", "alias-senders-people"),
    (AliasSenders::Nobody, "nobody", "alias-senders-nobody"),
];

pub(super) fn senders_title(senders: AliasSenders) -> &'static str {
    SENDERS.iter().find(|(known, _, _)| *known == senders).map_or("", |(_, _, title)| title)
}

/// The fields of the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Terms {
    /// One a line, or with commas between them.
    pub(super) targets: String,
    pub(super) senders: String,
    /// As the targets.
    pub(super) sender_people: String,
    pub(super) turn: String,
    /// The last day; empty: it doesn't end.
    pub(super) ends: String,
    pub(super) note: String,
    pub(super) ended_text: String,
}

impl Terms {
    pub(super) fn of(alias: &AliasView) -> Self {
        let named = SENDERS.iter().find(|(known, _, _)| *known == alias.senders);
        Self {
            targets: alias.address.targets.join("\n"),
            senders: named.map_or("targets", |(_, name, _)| name).to_owned(),
            sender_people: alias.sender_people.join("\n"),
            turn: alias.turn.to_string(),
            ends: alias.address.ends_at.map(last_day).unwrap_or_default(),
            note: alias.address.note.clone(),
            ended_text: alias.ended_text.clone(),
        }
    }

    /// An alias of this name, as it is typed.
    pub(super) fn alias(&self, address: String) -> Result<NewAlias, Failure> {
        Ok(NewAlias {
            address,
            targets: split(&self.targets),
            senders: self.senders(),
            sender_people: split(&self.sender_people),
            turn: self.turn()?,
            ends_at: self.ends()?,
            note: self.note.clone(),
            ended_text: self.ended_text.clone(),
        })
    }

    /// What is to be different of an alias. Who doesn't touch the day leaves the hour alone, too.
    pub(super) fn change(&self, present: &AliasView) -> Result<AliasChange, Failure> {
        let is_moved = self.ends.trim() != present.address.ends_at.map(last_day).unwrap_or_default();
        Ok(AliasChange {
            targets: Some(split(&self.targets)),
            senders: self.senders(),
            sender_people: Some(split(&self.sender_people)),
            turn: Some(self.turn()?),
            ends_at: if is_moved { Some(self.ends()?) } else { None },
            note: Some(self.note.clone()),
            ended_text: Some(self.ended_text.clone()),
        })
    }

    /// Who may send, to choose from.
    pub(super) fn choices(&self, frame: &Frame) -> Vec<Choice> {
        SENDERS.map(|(_, name, title)| Choice::new(name, frame.say(title), &self.senders)).into()
    }

    fn senders(&self) -> Option<AliasSenders> {
        SENDERS.iter().find(|(_, name, _)| *name == self.senders).map(|(known, _, _)| *known)
    }

    fn turn(&self) -> Result<u32, Failure> {
        let typed = self.turn.trim();
        if typed.is_empty() {
            return Ok(0);
        }
        typed.parse().map_err(|_| Failure::unfit("turn", Text::new("alias-turn-number")))
    }

    /// The end of the last day.
    fn ends(&self) -> Result<Option<Moment>, Failure> {
        let typed = self.ends.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let end = day(typed).and_then(|day| begin(day.tomorrow().ok()?));
        end.map(Some).ok_or_else(|| Failure::unfit("ends_at", Text::new("alias-ends-day")))
    }
}

/// The last day on which an alias takes mail (UTC).
fn last_day(end: Moment) -> String {
    let before = Moment(Timestamp::from_millis(end.0.millis().saturating_sub(1)));
    before.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_takes_mail_until_its_last_day_is_over() {
        let typed = |ends: &str| Terms { ends: ends.to_owned(), ..Terms::default() };
        let end = typed("2026-11-27").ends().unwrap().unwrap();
        assert_eq!((end.to_string().as_str(), last_day(end).as_str()), ("2026-11-28T00:00:00Z", "2026-11-27"));
        assert_eq!(typed(" ").ends().unwrap(), None);
        assert!(typed("soon").ends().is_err());
    }
}
