//! A phone is set up by a code that it scans: the code holds a link, and the link gives the phone an app password of its own, once. On
//! Apple's devices it comes in a profile; on others it is shown, to be copied into the mail program.

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{DEVICE_LINK_LASTS, Failure};
use serde::Deserialize;

use super::clients::Doors;
use super::second_factor::svg_uri;
use crate::kit::{Form, Frame, Guest, Oops, Person, Routes, shown};
use crate::{Web, autoconfig, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(path::OWN_PHONE, code).get(path::PHONE, choose).post(path::PHONE, set_up)
}

/// The code, on the screen of a computer.
#[derive(Debug, Template)]
#[template(path = "panel/account/phone.html")]
struct CodePage {
    frame: Frame,
    tab: &'static str,
    /// The link as a drawing.
    qr: String,
    link: String,
    until: String,
}

#[derive(Deserialize)]
struct Nothing {}

async fn code(person: Person, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    let token = web.access().own_device_link(&person.actor).await?;
    let link = web.link(&path::PHONE.replace("{token}", token.expose()));
    let frame = person.frame(&web);
    Ok(shown(&CodePage {
        tab: "clients",
        qr: svg_uri(&relais_service::qr(&link).ok_or(Failure::Failed)?),
        link,
        until: frame.count("phone-until", DEVICE_LINK_LASTS.as_secs() / 60),
        frame,
    }))
}

/// What the phone sees first. It changes nothing: programs that look at links before people do must not use them up.
#[derive(Debug, Template)]
#[template(path = "panel/links/phone.html")]
struct ChoicePage {
    frame: Frame,
    here: String,
    address: String,
    name: String,
    is_apple: bool,
}

async fn choose(guest: Guest, State(web): State<Web>, Path(token): Path<String>) -> Oops {
    let owner = web.access().open_device_link(&token).await?;
    Ok(shown(&ChoicePage {
        frame: guest.frame(&web),
        here: guest.visit.path.clone(),
        address: relais_service::readable(&owner.address),
        name: owner.name,
        is_apple: is_apple(&guest.visit.browser().agent),
    }))
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    how: How,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    /// In a profile.
    Profile,
    /// On a page.
    #[default]
    Page,
}

/// The one time that the app password is seen.
#[derive(Debug, Template)]
#[template(path = "panel/links/phone_settings.html")]
struct SettingsPage {
    frame: Frame,
    device: String,
    password: String,
    doors: Doors,
}

async fn set_up(guest: Guest, State(web): State<Web>, Path(token): Path<String>, Form(choice): Form<Choice>) -> Oops {
    let frame = guest.frame(&web);
    let browser = guest.visit.browser();
    if matches!(choice.how, How::Profile) {
        // Without the doors there is no profile: the link must not be used up for nothing.
        autoconfig::profile_ports(&web)?;
    }
    let device = device(&browser.agent).map_or_else(|| frame.say("phone-device"), str::to_owned);
    let made = web.access().use_device_link(&token, &device, &browser).await?;
    let owner = &made.owner;
    match choice.how {
        How::Profile => Ok(autoconfig::profile(&web, &owner.address, &owner.name, Some(&made.password))?),
        How::Page => Ok(shown(&SettingsPage {
            doors: Doors::of(&frame, &owner.address, &web),
            frame,
            device: made.name,
            password: made.password.expose().to_owned(),
        })),
    }
}

/// What the device is, where its browser says so.
fn device(agent: &str) -> Option<&'static str> {
    const DEVICES: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Macintosh", "Mac"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ];
    DEVICES.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
}

/// An iPad calls itself Macintosh, too.
fn is_apple(agent: &str) -> bool {
    matches!(device(agent), Some("iPhone" | "iPad" | "Mac"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_their_names() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
                Some("iPhone"),
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15", Some("Mac")),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
                Some("Android"),
            ),
            ("curl/8.5.0", None),
        ] {
            assert_eq!(device(agent), expected, "{agent}");
        }
        assert!(is_apple("(iPad; CPU OS 17_5 like Mac OS X)") && !is_apple("(Linux; Android 14; Pixel 8)"));
    }
}
