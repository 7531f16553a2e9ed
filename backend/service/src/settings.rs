//! What those who run the house may set.

use relais_store::{SETTINGS, SetValue, Setting, SettingError, SettingKind, SettingSection, ValueError, setting};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Actor, Complaint, Failure, Moment, Role, Service, Text};

/// One setting with its value.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettingView {
    /// Its name, `mail.message_octets`.
    pub name: &'static str,
    /// The section of the page: `house`, `mail`, `filters`, `certificates`, `sign-in`, `keeping`, `programs` or `warnings`.
    pub section: &'static str,
    /// What it is, in few words.
    pub title: Text,
    /// What it does, and what to think of.
    pub help: Text,
    /// `switch`, `number`, `size`, `span`, `words`, `address`, `networks`, `domains`, `url`, `endpoints`, `line`, `secret` or `choice`.
    pub kind: &'static str,
    /// The value in force: `true` or `false`; octets; seconds; words. Nothing for a secret.
    pub value: String,
    /// What counts where nobody has set it.
    pub default: String,
    /// Someone has set it.
    pub is_set: bool,
    /// When.
    pub changed_at: Option<Moment>,
    /// The least, of numbers, octets and seconds.
    pub least: Option<u64>,
    /// The most.
    pub most: Option<u64>,
    /// What is counted: `octets`, `seconds`, `recipients`, `characters`, `requests`, `log-ins`.
    pub unit: Option<&'static str>,
    /// What may be chosen.
    pub choices: &'static [&'static str],
}

/// The settings that stand together.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettingSectionView {
    /// Its name.
    pub name: &'static str,
    /// Its title.
    pub title: Text,
    /// What stands in it.
    pub settings: Vec<SettingView>,
}

impl Service {
    /// Requests that one API key may make in a minute.
    pub fn api_requests_per_minute(&self) -> u64 {
        self.store.settings().api_requests_per_minute
    }

    /// All settings, in the order of the page.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no owner.
    pub async fn setting_sections(&self, by: &Actor) -> Result<Vec<SettingSectionView>, Failure> {
        by.require(Role::Owner)?;
        let set = self.store.set_values().await?;
        let sections = SettingSection::ALL.into_iter().map(|section| SettingSectionView {
            name: section.as_str(),
            title: Text::named(format!("settings-section-{}", section.as_str())),
            settings: SETTINGS
                .iter()
                .filter(|setting| setting.section == section)
                .map(|setting| self.setting_view(setting, &set))
                .collect(),
        });
        Ok(sections.collect())
    }

    /// One setting.
    ///
    /// # Errors
    /// [`Failure::Absent`] where there is none of that name.
    pub async fn setting(&self, by: &Actor, name: &str) -> Result<SettingView, Failure> {
        by.require(Role::Owner)?;
        let setting = setting(name).ok_or_else(|| unknown(name))?;
        Ok(self.setting_view(setting, &self.store.set_values().await?))
    }

    /// Sets one setting, in force at once; with none, nobody has set it any more.
    ///
    /// # Errors
    /// [`Failure::Unfit`] about the field `value`.
    pub async fn change_setting(&self, by: &Actor, name: &str, value: Option<&str>) -> Result<SettingView, Failure> {
        by.require(Role::Owner)?;
        let setting = setting(name).ok_or_else(|| unknown(name))?;
        match self.store.change_setting(&by.author(), name, value).await {
            Ok(()) => self.setting(by, name).await,
            Err(SettingError::Value(error)) => Err(Failure::unfit("value", complaint(setting.kind, error))),
            Err(SettingError::Failed(error)) => Err(error.into()),
        }
    }

    /// Sets several settings; where one of the values doesn't do, none is changed.
    ///
    /// # Errors
    /// [`Failure::Unfit`] about each value that doesn't do: the field is the setting's name.
    pub async fn change_settings(&self, by: &Actor, values: &[(String, String)]) -> Result<(), Failure> {
        by.require(Role::Owner)?;
        let (mut trial, mut complaints) = (relais_store::Settings::clone(&self.store.settings()), Vec::new());
        for (name, value) in values {
            let setting = setting(name).ok_or_else(|| unknown(name))?;
            if let Err(error) = trial.set(name, value) {
                complaints.push(Complaint { field: setting.name, why: complaint(setting.kind, error) });
            }
        }
        if !complaints.is_empty() {
            return Err(Failure::Unfit(complaints));
        }
        for (name, value) in values {
            self.change_setting(by, name, Some(value)).await?;
        }
        Ok(())
    }

    fn setting_view(&self, setting: &Setting, set: &[SetValue]) -> SettingView {
        let found = set.iter().find(|set| set.name == setting.name);
        let is_secret = matches!(setting.kind, SettingKind::Secret { .. });
        let value = |settings: &relais_store::Settings| {
            let value = settings.value(setting.name).filter(|_| !is_secret);
            value.unwrap_or_default()
        };
        let (least, most) = match setting.kind {
            SettingKind::Number { least, most, .. } | SettingKind::Size { least, most } => (Some(least), Some(most)),
            SettingKind::Span { least, most } => (Some(least.as_secs()), Some(most.as_secs())),
            _ => (None, None),
        };
        SettingView {
            name: setting.name,
            section: setting.section.as_str(),
            title: Text::named(sentence(setting.name)),
            help: Text::named(format!("{}-help", sentence(setting.name))),
            kind: setting.kind.as_str(),
            value: value(&self.store.settings()),
            default: value(&self.store.settings_base()),
            is_set: found.is_some(),
            changed_at: found.map(|set| set.changed_at.into()),
            least,
            most,
            unit: match setting.kind {
                SettingKind::Number { unit, .. } => Some(unit.as_str()),
                SettingKind::Size { .. } => Some("octets"),
                SettingKind::Span { .. } => Some("seconds"),
                _ => None,
            },
            choices: match setting.kind {
                SettingKind::Choice(choices) | SettingKind::Several(choices) => choices,
                _ => &[],
            },
        }
    }
}

/// The name of a setting's title in the catalogue.
pub fn sentence(name: &str) -> String {
    format!("setting-{}", name.replace(['.', '_'], "-"))
}

fn unknown(name: &str) -> Failure {
    Failure::Absent(Text::new("failure-unknown-setting").with("name", name))
}

/// What is wrong with a value, and what would do.
fn complaint(kind: SettingKind, error: ValueError) -> Text {
    match (error, kind) {
        (ValueError::Range, SettingKind::Number { least, most, .. }) => {
            Text::new("setting-out-of-range").with("least", least).with("most", most)
        }
        (ValueError::Range, SettingKind::Size { least, most }) => {
            Text::new("setting-size-out-of-range").with("least", size(least)).with("most", size(most))
        }
        (ValueError::Range, SettingKind::Span { least, most }) => {
            Text::new("setting-span-out-of-range").with("least", span(least)).with("most", span(most))
        }
        (ValueError::Number, SettingKind::Size { .. }) => Text::new("setting-no-size"),
        (ValueError::Span | ValueError::Range, _) => Text::new("setting-no-span"),
        (ValueError::Number, _) => Text::new("setting-no-number"),
        (ValueError::Switch, _) => Text::new("setting-no-switch"),
        (ValueError::Empty, _) => Text::new("setting-empty"),
        (ValueError::Words, _) => Text::new("setting-no-words"),
        (
            ValueError::Long,
            SettingKind::Words { most_octets }
            | SettingKind::Line { most_octets }
            | SettingKind::Secret { most_octets },
        ) => Text::new("setting-too-long").with("most", most_octets),
        (ValueError::Long, SettingKind::Endpoints { most }) => {
            Text::new("setting-too-many-endpoints").with("most", most)
        }
        (ValueError::Endpoint, _) => Text::new("setting-no-endpoint"),
        (ValueError::Long, _) => Text::new("setting-too-many"),
        (ValueError::Address, _) => Text::new("setting-no-address"),
        (ValueError::Network, _) => Text::new("setting-no-network"),
        (ValueError::Domain, _) => Text::new("setting-no-domain"),
        (ValueError::Url, _) => Text::new("setting-no-url"),
        (ValueError::Choice, SettingKind::Several(choices)) => {
            Text::new("setting-not-among").with("choices", choices.join(", "))
        }
        (ValueError::Choice | ValueError::Unknown, _) => Text::new("setting-no-choice"),
    }
}

/// Octets as a person would type them.
fn size(octets: u64) -> String {
    const KIB: u64 = 1024;
    let units = [("GiB", KIB * KIB * KIB), ("MiB", KIB * KIB), ("KiB", KIB)];
    let fits = units.into_iter().find(|(_, unit)| octets >= *unit && octets.is_multiple_of(*unit));
    fits.map_or_else(|| octets.to_string(), |(name, unit)| format!("{} {name}", octets / unit))
}

/// A span as a person would type it.
fn span(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    let units = [("d", 86_400), ("h", 3600), ("min", 60)];
    let fits = units.into_iter().find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
    fits.map_or_else(|| format!("{seconds} s"), |(name, unit)| format!("{} {name}", seconds / unit))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ranges_are_said_as_they_are_typed() {
        assert_eq!((size(0), size(1500), size(1 << 30)), ("0".to_owned(), "1500".to_owned(), "1 GiB".to_owned()));
        assert_eq!(
            (span(Duration::from_mins(15)), span(Duration::from_hours(48))),
            ("15 min".to_owned(), "2 d".to_owned())
        );
    }
}
