//! Language and look, chosen at the foot of any page: kept with one's account, or by the browser of who has not signed in.

use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::http::header::{HeaderMap, REFERER};
use axum::response::{IntoResponse, Redirect};
use relais_service::OwnChange;
use relais_words::Language;
use serde::Deserialize;

use super::sign_in::with_cookie;
use crate::kit::{Form, Guest, Oops, Routes, THEMES, look_cookies, next_path};
use crate::{Web, path};

/// How long a browser keeps the choice.
pub(super) const KEPT_FOR: Duration = Duration::from_hours(365 * 24);

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(path::LOOK, choose)
}

#[derive(Deserialize)]
struct LookForm {
    #[serde(default)]
    language: String,
    #[serde(default)]
    theme: String,
}

async fn choose(guest: Guest, State(web): State<Web>, headers: HeaderMap, Form(form): Form<LookForm>) -> Oops {
    let language = Language::parse(&form.language);
    let theme = THEMES.into_iter().find(|theme| *theme == form.theme);
    let mut response = Redirect::to(next_path(&came_from(&headers))).into_response();
    match &guest.visit.signed_in {
        Some(me) => {
            let change = OwnChange {
                name: None,
                language: language.map(|language| Some(language.code().to_owned())),
                theme: theme.map(|theme| Some(theme.to_owned()).filter(|theme| theme != "system")),
            };
            web.service().people.change_own(&me.actor, change, None).await?;
        }
        None => {
            for cookie in look_cookies(language, theme, KEPT_FOR) {
                response = with_cookie(response, Some(cookie));
            }
        }
    }
    Ok(response)
}

/// The page that the form stood on; home where the browser doesn't say.
fn came_from(headers: &HeaderMap) -> String {
    let referer = headers.get(REFERER).and_then(|referer| referer.to_str().ok()?.parse::<Uri>().ok());
    referer.and_then(|uri| uri.path_and_query().map(ToString::to_string)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_comes_back_to_where_one_was() {
        let check = |referer: &'static str, expected: &str| {
            let headers = HeaderMap::from_iter([(REFERER, HeaderValue::from_static(referer))]);
            assert_eq!(next_path(&came_from(&headers)), expected, "{referer}");
        };
        check("https://mx.example.org/panel/people?q=ann", "/panel/people?q=ann");
        check("https://mx.example.org//evil.example/", "/");
        check("nonsense", "/");
    }
}
