//! Cookies (RFC 6265): read and set, always `__Host-`: for this host, all paths, TLS only.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use relais_words::Language;

/// The session's token.
pub(crate) const SESSION: &str = "__Host-relais";
/// What ties the forms of a visitor who has not signed in to their browser.
pub(crate) const GUEST: &str = "__Host-relais-guest";
/// What came of the last act, until it has been shown.
pub(crate) const FLASH: &str = "__Host-relais-flash";
/// Language of who has not signed in.
pub(crate) const LANGUAGE: &str = "__Host-relais-language";
/// Look of who has not signed in.
pub(crate) const THEME: &str = "__Host-relais-theme";

/// The value of a cookie; the first of that name.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(other, value)| (other == name).then_some(value))
}

/// A cookie that scripts don't see; without a `lifetime` it ends with the browser. `None` where the value can't stand in a cookie.
pub(crate) fn set(name: &str, value: &str, lifetime: Option<Duration>) -> Option<HeaderValue> {
    let age = lifetime.map(|lifetime| format!("; Max-Age={}", lifetime.as_secs())).unwrap_or_default();
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}")).ok()
}

/// Takes a cookie back.
pub(crate) fn clear(name: &str) -> Option<HeaderValue> {
    set(name, "", Some(Duration::ZERO))
}

/// Those of a guest's choices.
pub(crate) fn look_cookies(
    language: Option<Language>,
    theme: Option<&str>,
    lifetime: Duration,
) -> impl Iterator<Item = HeaderValue> {
    let language = language.and_then(|language| set(LANGUAGE, language.code(), Some(lifetime)));
    language.into_iter().chain(theme.and_then(|theme| set(THEME, theme, Some(lifetime))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; __Host-relais=x.y; b=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(read(&headers, SESSION), Some("x.y"));
        assert_eq!(read(&headers, "c"), Some("3"));
        assert_eq!(read(&headers, "__Host-rel"), None);
    }

    #[test]
    fn a_cookie_is_for_this_host_and_no_script() {
        let set = set(SESSION, "token", Some(Duration::from_mins(1))).unwrap();
        assert_eq!(set, "__Host-relais=token; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
    }
}
