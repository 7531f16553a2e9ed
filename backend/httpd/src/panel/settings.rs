//! Settings: a section a page, saved together; the search over all of them; back to what counts where nobody has set anything.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use relais_service::{Failure, SettingSectionView, SettingView, Text};

use crate::kit::{
    Choice, Complaints, Form, Frame, ListQuery, Oops, Owner, PageError, Routes, Time, again, done, query, shown,
};
use crate::{Web, path};

/// The units of sizes, the smallest first: as the service reads them.
const SIZES: [(&str, u64); 4] = [("", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
/// The units of spans of time.
const SPANS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3600), ("d", 86_400)];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::SETTINGS, search).get(path::SETTINGS_SECTION, section).post(path::SETTINGS_SECTION, save)
}

#[derive(Debug, Template)]
#[template(path = "panel/settings/section.html")]
struct SectionPage {
    frame: Frame,
    /// What is wrong: the field's name, its title with the complaint.
    errors: Vec<(&'static str, String)>,
    tabs: Vec<Tab>,
    action: String,
    title: String,
    fields: Vec<Field>,
}

/// The way to a section.
#[derive(Debug)]
struct Tab {
    title: String,
    href: String,
    is_current: bool,
}

/// One setting, ready to be filled in.
#[derive(Debug)]
struct Field {
    name: &'static str,
    title: String,
    help: String,
    error: String,
    kind: &'static str,
    value: String,
    is_on: bool,
    /// What stands behind a number: its unit, or the units that can be chosen.
    unit: String,
    units: Vec<Choice>,
    choices: Vec<Choice>,
    default: String,
    is_set: bool,
    changed: Option<Time>,
    /// Who changed it when, and undoing it.
    activity: String,
}

impl Field {
    fn of(frame: &Frame, setting: &SettingView, typed: Option<&str>, error: &str) -> Self {
        let written = typed.unwrap_or(&setting.value);
        let (value, units) = match setting.kind {
            "size" => in_units(frame, written, &SIZES, "MiB"),
            "span" => in_units(frame, written, &SPANS, "d"),
            _ => (written.to_owned(), Vec::new()),
        };
        let option = |choice: &&'static str| Choice::new(choice, choice_title(frame, choice), written);
        Self {
            name: setting.name,
            title: frame.tell(&setting.title),
            help: frame.tell(&setting.help),
            error: error.to_owned(),
            kind: setting.kind,
            value,
            is_on: written == "true",
            unit: match (setting.kind, setting.unit) {
                ("number", Some(unit)) => frame.say(&format!("settings-page-unit-{unit}")),
                _ => String::new(),
            },
            units,
            choices: setting.choices.iter().map(option).collect(),
            default: in_words(frame, setting.kind, &setting.default),
            is_set: setting.is_set,
            changed: setting.changed_at.map(|at| frame.time(at.0)),
            activity: format!("{}?{}", path::ACTIVITY, query(&[("subject", setting.name)])),
        }
    }
}

/// `5 GiB` from octets, with the largest unit that says it whole; what can't be read stands as it was typed.
fn in_units(frame: &Frame, written: &str, units: &[(&'static str, u64)], own: &str) -> (String, Vec<Choice>) {
    let (value, unit) = match written.parse::<u64>() {
        Ok(0) => ("0".to_owned(), own),
        Ok(number) => {
            let fits = units.iter().rev().find(|(_, factor)| number.is_multiple_of(*factor));
            fits.map_or((written.to_owned(), ""), |(unit, factor)| ((number / factor).to_string(), *unit))
        }
        Err(_) => {
            let known = units.iter().rev().find_map(|(unit, _)| Some((written.strip_suffix(unit)?.trim(), *unit)));
            known.map_or((written.to_owned(), own), |(value, unit)| (value.to_owned(), unit))
        }
    };
    let choice = |(name, _): &(&'static str, u64)| Choice::new(name, unit_word(frame, name), unit);
    (value, units.iter().map(choice).collect())
}

fn unit_word(frame: &Frame, unit: &str) -> String {
    let unit = if unit.is_empty() { "octets" } else { unit };
    frame.say(&format!("settings-page-unit-{}", unit.to_lowercase()))
}

/// A value as people read it.
fn in_words(frame: &Frame, kind: &str, value: &str) -> String {
    let number = value.parse::<u64>();
    match (kind, number) {
        ("switch", _) => frame.say(if value == "true" { "settings-page-on" } else { "settings-page-off" }),
        ("span", Ok(seconds)) => frame.span(Duration::from_secs(seconds)),
        ("size", Ok(octets)) => {
            let fits = SIZES.iter().rev().find(|(_, factor)| octets > 0 && octets.is_multiple_of(*factor));
            let (unit, factor) = fits.copied().unwrap_or(("", 1));
            format!("{} {}", frame.number(octets / factor), unit_word(frame, unit))
        }
        ("number", Ok(number)) => frame.number(number),
        ("choice", _) => choice_title(frame, value),
        _ if value.is_empty() => frame.say("settings-page-nothing"),
        _ => value.to_owned(),
    }
}

/// Languages by their own names; other choices as they are written.
fn choice_title(frame: &Frame, choice: &str) -> String {
    let language = frame.languages.iter().find(|(code, _)| *code == choice);
    language.map_or_else(|| choice.to_owned(), |(_, name)| (*name).to_owned())
}

fn tabs(frame: &Frame, sections: &[SettingSectionView], current: &str) -> Vec<Tab> {
    let tab = |section: &SettingSectionView| Tab {
        title: frame.tell(&section.title),
        href: path::of(path::SETTINGS, section.name),
        is_current: section.name == current,
    };
    sections.iter().map(tab).collect()
}

impl SectionPage {
    /// `typed` are the names and values of a form that was not accepted.
    fn of(
        frame: Frame,
        sections: Vec<SettingSectionView>,
        name: &str,
        typed: &[(String, String)],
        complaints: &Complaints,
    ) -> Result<Self, PageError> {
        let tabs = tabs(&frame, &sections, name);
        let section = sections.into_iter().find(|section| section.name == name).ok_or_else(absent)?;
        let written = |name: &str| typed.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str());
        let field = |setting: SettingView| {
            let (value, error) = (written(setting.name), complaints.about(setting.name).to_owned());
            Field::of(&frame, &setting, value, &error)
        };
        let fields: Vec<Field> = section.settings.into_iter().map(field).collect();
        let wrong = fields.iter().filter(|field| !field.error.is_empty());
        Ok(Self {
            tabs,
            action: path::of(path::SETTINGS, section.name),
            title: frame.tell(&section.title),
            errors: wrong.map(|field| (field.name, format!("{}: {}", field.title, field.error))).collect(),
            fields,
            frame,
        })
    }
}

fn absent() -> PageError {
    PageError(Failure::Absent(Text::new("error-no-page")))
}

async fn section(owner: Owner, State(web): State<Web>, Path(name): Path<String>) -> Oops {
    let sections = web.service().setting_sections(&owner.actor).await?;
    Ok(shown(&SectionPage::of(owner.frame(&web), sections, &name, &[], &Complaints::default())?))
}

/// Saves what differs from what is in force; or takes one setting back to what counts where nobody has set it.
async fn save(
    owner: Owner,
    State(web): State<Web>,
    Path(name): Path<String>,
    Form(sent): Form<Vec<(String, String)>>,
) -> Oops {
    let (service, by) = (web.service(), &owner.actor);
    let sections = service.setting_sections(by).await?;
    let section = sections.iter().find(|section| section.name == name).ok_or_else(absent)?;
    let here = path::of(path::SETTINGS, section.name);
    if let Some((_, reset)) = sent.iter().find(|(field, _)| field == "reset") {
        let setting = service.change_setting(by, reset, None).await?;
        let title = owner.frame(&web).tell(&setting.title);
        return Ok(done(&here, Text::new("settings-page-was-reset").with("title", title)));
    }
    let changed: Vec<_> = section.settings.iter().filter_map(|setting| changed(setting, &sent)).collect();
    if changed.is_empty() {
        return Ok(done(&here, Text::new("settings-page-unchanged")));
    }
    match service.change_settings(by, &changed).await {
        Ok(()) => Ok(done(&here, Text::new("settings-page-saved").with("count", changed.len()))),
        Err(failure) => {
            let frame = owner.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&SectionPage::of(frame, sections, &name, &changed, &complaints)?))
        }
    }
}

/// What a form says of a setting, where it says something else than is in force.
fn changed(setting: &SettingView, sent: &[(String, String)]) -> Option<(String, String)> {
    let said = |name: &str| sent.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim());
    let unit = said(&format!("{}.unit", setting.name));
    let value = match (setting.kind, said(setting.name), unit) {
        ("switch", value, _) => value.is_some().to_string(),
        ("size" | "span", Some(value), Some(unit)) => format!("{value} {unit}").trim_end().to_owned(),
        (_, Some(value), _) => value.to_owned(),
        (_, None, _) => return None,
    };
    (plain(setting.kind, &value) != setting.value).then(|| (setting.name.to_owned(), value))
}

/// `5 GiB` as the number that the service says.
fn plain(kind: &str, value: &str) -> String {
    let units: &[_] = match kind {
        "size" => &SIZES,
        "span" => &SPANS,
        _ => return value.to_owned(),
    };
    let (number, unit) = value.split_once(' ').unwrap_or((value, ""));
    let factor = units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let plain = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor?));
    plain.map_or_else(|| value.to_owned(), |number| number.to_string())
}

#[derive(Debug, Template)]
#[template(path = "panel/settings/found.html")]
struct FoundPage {
    frame: Frame,
    words: String,
    tabs: Vec<Tab>,
    found: Vec<Found>,
}

/// One setting that the search found.
#[derive(Debug)]
struct Found {
    title: String,
    help: String,
    href: String,
    section: String,
    value: String,
}

impl FoundPage {
    /// Those whose title, help or name has all of the words.
    fn of(frame: Frame, sections: &[SettingSectionView], words: String) -> Self {
        let wanted: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let found = |section: &SettingSectionView, setting: &SettingView| {
            let (title, help) = (frame.tell(&setting.title), frame.tell(&setting.help));
            let text = format!("{title} {help} {}", setting.name).to_lowercase();
            wanted.iter().all(|word| text.contains(word)).then(|| Found {
                title,
                help,
                href: format!("{}#{}", path::of(path::SETTINGS, section.name), setting.name),
                section: frame.tell(&section.title),
                value: in_words(&frame, setting.kind, &setting.value),
            })
        };
        let all = sections.iter().flat_map(|section| section.settings.iter().map(move |setting| (section, setting)));
        let found = all.filter_map(|(section, setting)| found(section, setting)).collect();
        Self { tabs: tabs(&frame, sections, ""), found, words, frame }
    }
}

/// The search; without words it leads to the first section.
async fn search(owner: Owner, State(web): State<Web>, Query(fields): Query<ListQuery>) -> Result<Response, PageError> {
    let sections = web.service().setting_sections(&owner.actor).await?;
    let Some(words) = fields.words() else {
        let first = sections.first().map_or_else(String::new, |section| path::of(path::SETTINGS, section.name));
        return Ok(Redirect::to(&first).into_response());
    };
    Ok(shown(&FoundPage::of(owner.frame(&web), &sections, words)))
}

#[cfg(test)]
mod tests {
    use relais_service::Moment;

    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn values_are_compared_as_numbers() {
        assert_eq!(plain("size", "5 MiB"), "5242880");
        assert_eq!(plain("span", "2 d"), "172800");
        assert_eq!(plain("size", "much MiB"), "much MiB");
        assert_eq!(plain("size", "99999999999999999 GiB"), "99999999999999999 GiB");
        assert_eq!(plain("number", "007"), "007");
    }

    fn setting(name: &'static str, kind: &'static str, value: &str, unit: Option<&'static str>) -> SettingView {
        SettingView {
            name,
            section: "mail",
            title: Text::named(relais_service::setting_sentence(name)),
            help: Text::named(format!("{}-help", relais_service::setting_sentence(name))),
            kind,
            value: value.to_owned(),
            default: value.to_owned(),
            is_set: kind != "span",
            changed_at: (kind != "span").then(|| Moment(relais_model::Timestamp::from_millis(1_795_400_000_000))),
            least: None,
            most: None,
            unit,
            choices: if kind == "choice" { &["en", "fr"] } else { &[] },
        }
    }

    fn sections() -> Vec<SettingSectionView> {
        let settings = vec![
            setting("house.name", "words", "Relais", None),
            setting("house.contact", "address", "", None),
            setting("house.language", "choice", "en", None),
            setting("mail.message_octets", "size", "52428800", Some("octets")),
            setting("people.default_quota", "size", "0", Some("octets")),
            setting("queue.lifetime", "span", "432000", Some("seconds")),
            setting("sending.recipients_per_day", "number", "500", Some("recipients")),
            setting("password.minimum_length", "number", "10", Some("characters")),
            setting("api.requests_per_minute", "number", "600", Some("requests")),
            setting("warnings.failed_logins", "number", "100", Some("log-ins")),
            setting("second_factor.required", "switch", "true", None),
            setting("webhooks.allow_internal", "networks", "10.0.0.0/8", None),
        ];
        vec![
            SettingSectionView { name: "mail", title: Text::new("settings-section-mail"), settings },
            SettingSectionView { name: "house", title: Text::new("settings-section-house"), settings: Vec::new() },
        ]
    }

    fn pages(frame: Frame) -> Vec<SectionPage> {
        let why = Text::new("setting-size-out-of-range").with("least", "1 MiB").with("most", "1 GiB");
        let complaints = Complaints::of(&frame, Failure::unfit("mail.message_octets", why)).unwrap();
        let typed = [("mail.message_octets".to_owned(), "9000 GiB".to_owned())];
        vec![
            SectionPage::of(frame.clone(), sections(), "mail", &[], &Complaints::default()).unwrap(),
            SectionPage::of(frame, sections(), "mail", &typed, &complaints).unwrap(),
        ]
    }

    #[expect(clippy::needless_pass_by_value, reason = "samples are made of a frame of their own")]
    fn found(frame: Frame) -> Vec<FoundPage> {
        ["mail", "nothing has these words"]
            .map(|words| FoundPage::of(frame.clone(), &sections(), words.to_owned()))
            .into()
    }

    #[test]
    fn pages_are_drawn() {
        draw(pages);
        draw(found);
    }

    #[test]
    fn a_form_says_what_it_changes() {
        let sent = |fields: &[(&str, &str)]| -> Vec<_> {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let size = setting("mail.message_octets", "size", "52428800", None);
        let check = |setting: &SettingView, fields: &[(&str, &str)], expected: Option<&str>| {
            assert_eq!(changed(setting, &sent(fields)).map(|(_, value)| value).as_deref(), expected, "{fields:?}");
        };
        check(&size, &[("mail.message_octets", "50"), ("mail.message_octets.unit", "MiB")], None);
        check(&size, &[("mail.message_octets", "51200"), ("mail.message_octets.unit", "KiB")], None);
        check(&size, &[("mail.message_octets", " 60"), ("mail.message_octets.unit", "MiB")], Some("60 MiB"));
        check(&size, &[("mail.message_octets", "big"), ("mail.message_octets.unit", "MiB")], Some("big MiB"));
        check(&size, &[("something", "else")], None);
        let read: Vec<(String, String)> = serde_html_form::from_str("csrf=x&mail.message_octets=9+MiB").unwrap();
        assert_eq!(read, sent(&[("csrf", "x"), ("mail.message_octets", "9 MiB")]));
        // A box that isn't ticked sends nothing.
        check(&setting("second_factor.required", "switch", "true", None), &[], Some("false"));
        check(&setting("house.name", "words", "Relais", None), &[("house.name", "Poste")], Some("Poste"));
    }
}
