//! The first page of one's account: who one is, in which language, and how one's sign-in stands.

use askama::Template;
use axum::extract::State;
use relais_service::{Failure, OwnChange, Text};
use relais_words::Language;
use serde::Deserialize;

use crate::kit::{Complaints, Form, Frame, Oops, Person, Routes, THEMES, again, done, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::ACCOUNT, profile).post(path::ACCOUNT, change)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/profile.html")]
struct ProfilePage {
    frame: Frame,
    tab: &'static str,
    complaints: Complaints,
    form: ProfileForm,
    address: String,
    /// `3.2 GB of 5 GB`.
    storage: String,
    used_percent: u64,
    has_quota: bool,
    is_guarded: bool,
    languages: Vec<Choice>,
    themes: Vec<Choice>,
}

/// One of a select's.
#[derive(Debug)]
struct Choice {
    value: &'static str,
    title: String,
    is_chosen: bool,
}

#[derive(Debug, Default, Deserialize)]
struct ProfileForm {
    #[serde(default)]
    name: String,
    /// Empty: the browser's.
    #[serde(default)]
    language: String,
    #[serde(default)]
    theme: String,
}

async fn profile(person: Person, State(web): State<Web>) -> Oops {
    let me = &person.me;
    let form = ProfileForm { name: me.name.clone(), language: me.language.clone(), theme: me.theme.clone() };
    Ok(shown(&page(&person, &web, Complaints::default(), form).await?))
}

async fn page(person: &Person, web: &Web, complaints: Complaints, form: ProfileForm) -> Result<ProfilePage, Failure> {
    let frame = person.frame(web);
    let address = relais_service::readable(&person.me.address);
    let own = web.service().people.show(&person.actor, &address).await?;
    let used = frame.size(own.used_octets);
    let storage = match own.quota_octets {
        Some(quota) => frame.tell(&Text::new("account-used-of").with("used", used).with("quota", frame.size(quota))),
        None => used,
    };
    let languages = std::iter::once(("", frame.say("account-language-browser")))
        .chain(Language::ALL.map(|language| (language.code(), language.own_name().to_owned())))
        .map(|(value, title)| Choice { value, title, is_chosen: form.language == value })
        .collect();
    let themes = THEMES
        .map(|theme| Choice {
            value: theme,
            title: frame.say(&format!("frame-theme-{theme}")),
            is_chosen: form.theme == theme || (form.theme.is_empty() && theme == "system"),
        })
        .into();
    Ok(ProfilePage {
        tab: "profile",
        complaints,
        form,
        address,
        storage,
        used_percent: own
            .quota_octets
            .filter(|quota| *quota > 0)
            .map_or(0, |quota| own.used_octets.saturating_mul(100) / quota),
        has_quota: own.quota_octets.is_some(),
        is_guarded: person.me.has_second_factor || person.me.passkeys > 0,
        languages,
        themes,
        frame,
    })
}

async fn change(person: Person, State(web): State<Web>, Form(form): Form<ProfileForm>) -> Oops {
    let chosen = |text: &str| Some(Some(text.to_owned()).filter(|text| !text.is_empty() && text != "system"));
    let change = OwnChange {
        name: Some(form.name.trim().to_owned()),
        language: chosen(&form.language),
        theme: chosen(&form.theme),
    };
    match web.service().people.change_own(&person.actor, change, None).await {
        Ok(_) => Ok(done(path::ACCOUNT, Text::new("account-saved"))),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web, complaints, form).await?))
        }
    }
}
