//! The files of `web/`, in the program: style sheets as one, scripts, icons, and what frames of messages look like. Their path holds a hash of them all, so that browsers keep
//! them for ever and never see an old one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::RustEmbed;

use crate::Web;

/// Where they stand.
pub(crate) const PATH: &str = "/assets";
/// The style sheets' order, one path of `web/css/` a line.
const ORDER: &str = "css/order.txt";
/// What the style sheets are called as one.
const STYLE: &str = "relais.css";
/// A year, and not even asked for again (RFC 8246).
const FOR_EVER: (HeaderName, &str) = (CACHE_CONTROL, "public, max-age=31536000, immutable");

#[derive(RustEmbed)]
#[folder = "../../web"]
#[include = "css/*"]
#[include = "js/*"]
#[include = "letter/*"]
#[include = "icons/*"]
struct Folder;

/// The files by their names, and the prefix of their paths.
#[derive(Debug)]
pub(crate) struct Assets {
    prefix: String,
    hash: String,
    files: BTreeMap<String, (&'static str, Bytes)>,
}

impl Assets {
    /// Reads them all, once.
    pub(crate) fn load() -> Self {
        let mut files = BTreeMap::new();
        for path in Folder::iter().filter(|path| !path.starts_with("css/")) {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            files.insert(name, (kind(&path), read(&path)));
        }
        files.insert(STYLE.to_owned(), ("text/css; charset=utf-8", style()));
        let mut hasher = blake3::Hasher::new();
        for (name, (_, octets)) in &files {
            hasher.update(name.as_bytes()).update(octets);
        }
        let hash: String = hasher.finalize().to_hex().chars().take(16).collect();
        Self { prefix: format!("{PATH}/{hash}"), hash, files }
    }

    /// What stands before a file's name.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `/assets/{hash}/{name}`.
    #[expect(clippy::unused_async, reason = "axum wants its handlers so")]
    pub(crate) async fn serve(State(web): State<Web>, Path((hash, name)): Path<(String, String)>) -> Response {
        let assets = web.assets();
        match assets.files.get(&name) {
            Some((kind, octets)) if hash == assets.hash => {
                ([(CONTENT_TYPE, *kind), FOR_EVER], octets.clone()).into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

fn style() -> Bytes {
    let order = read(ORDER);
    let order = String::from_utf8_lossy(&order);
    let sheets = order.lines().map(str::trim).filter(|line| !line.is_empty());
    sheets.flat_map(|path| read(&format!("css/{path}")).to_vec()).collect::<Vec<_>>().into()
}

fn read(path: &str) -> Bytes {
    match Folder::get(path).map(|file| file.data) {
        Some(Cow::Borrowed(octets)) => Bytes::from_static(octets),
        Some(Cow::Owned(octets)) => octets.into(),
        None => Bytes::new(),
    }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sheet that the order forgets would look fine in the folder and be missing in every page.
    #[test]
    fn each_style_sheet_stands_in_the_order() {
        let order = String::from_utf8(read(ORDER).to_vec()).unwrap();
        let mut ordered: Vec<&str> = order.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        ordered.sort_unstable();
        let mut there: Vec<String> = Folder::iter()
            .filter_map(|path| path.strip_prefix("css/").filter(|path| *path != "order.txt").map(str::to_owned))
            .collect();
        there.sort_unstable();
        assert_eq!(ordered, there);
    }
}
