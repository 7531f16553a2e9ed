//! What is handed out of a message: its frame, its source, its files. Nothing here is ever a page of ours: what strangers have sent runs
//! nowhere, and is guessed to be nothing (`nosniff`).

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use relais_message::{decode_header_value, fields, header_octets};
use relais_reading::{Letter, file_octets};
use relais_service::{Failure, Text};
use serde::Deserialize;

use super::archive::Archive;
use super::list::subject;
use crate::kit::{Frame, Oops, Person, Routes, shown};
use crate::{Web, path};

/// The policy of what strangers have sent: it runs nothing, sends nothing, and asks for nothing but pictures that came with it or that we
/// fetch. `sandbox` makes it nobody's origin, also where it is opened by itself; its links open elsewhere.
const LETTER_POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; form-action 'none'; \
                             base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";
/// Of files: not even styles.
const FILE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";
/// PDFs are shown by a viewer of the browser's own, which a sandbox would stop.
const PDF_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'; \
                          base-uri 'none'; form-action 'none'";
/// Octets of a source that are shown on a page; all of it can be had as a file.
const SHOWN_OCTETS: usize = 512 * 1024;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::MAIL_FRAME, frame)
        .get(path::MAIL_PRINT, print)
        .get(path::MAIL_SOURCE, source)
        .get(path::MAIL_EML, eml)
        .get(path::MAIL_FILE, file)
        .get(path::MAIL_ZIP, zip)
}

/// HTML that [`relais_reading::Cleaner`] has written: the one thing that is not escaped.
#[derive(Debug, Default)]
struct Cleaned(String);

impl std::fmt::Display for Cleaned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Cleaned {}

#[derive(Debug, Template)]
#[template(path = "webmail/letter.html")]
struct LetterPage {
    frame: Frame,
    title: String,
    /// What stands above it on paper: what, who. Empty in a frame.
    head: Vec<(String, String)>,
    html: Cleaned,
    /// Where there is no HTML.
    text: String,
}

#[derive(Debug, Deserialize)]
struct FrameQuery {
    #[serde(default)]
    pictures: String,
}

/// The HTML of a message, for the frame in its page.
async fn frame(
    person: Person,
    State(web): State<Web>,
    Path((mailbox, uid)): Path<(String, u32)>,
    Query(query): Query<FrameQuery>,
) -> Oops {
    let fetched = (query.pictures == "1").then(|| super::picture::way(&web));
    let clean = web.service().mail.clean_html(&person.actor, &mailbox, uid, fetched).await?;
    let clean = clean.ok_or_else(|| Failure::Absent(Text::new("mail-no-html")))?;
    Ok(letter(person.frame(&web), clean.html))
}

/// The whole message on one sheet, to be printed: a page of a stranger's, as the frame is.
async fn print(
    person: Person,
    State(web): State<Web>,
    Path((mailbox, uid)): Path<(String, u32)>,
    Query(query): Query<FrameQuery>,
) -> Oops {
    let (frame, mail) = (person.frame(&web), &web.service().mail);
    let fetched = (query.pictures == "1").then(|| super::picture::way(&web));
    let raw = mail.raw(&person.actor, &mailbox, uid).await?;
    let clean = mail.clean_html(&person.actor, &mailbox, uid, fetched).await?;
    let letter = Letter::read(&raw.octets);
    let header = &letter.header;
    let line = |id: &str, people: &[relais_reading::Party]| {
        let people: Vec<_> = people.iter().map(relais_reading::Party::written).collect();
        (frame.say(id), people.join(", "))
    };
    let date = header.date.map(|date| frame.time(date).exact).unwrap_or_default();
    let head = [
        line("webmail-from", &header.from),
        line("webmail-to", &header.to),
        line("webmail-cc", &header.cc),
        (frame.say("webmail-date"), date),
    ];
    let page = LetterPage {
        title: subject(&frame, &header.subject),
        head: head.into_iter().filter(|(_, text)| !text.is_empty()).collect(),
        text: if clean.is_none() { letter.text() } else { String::new() },
        html: Cleaned(clean.map(|clean| clean.html).unwrap_or_default()),
        frame,
    };
    Ok(as_letter(shown(&page)))
}

/// HTML that the sanitiser has written, for a frame in a page of ours.
pub(super) fn letter(frame: Frame, html: String) -> Response {
    let (head, text) = (Vec::new(), String::new());
    as_letter(shown(&LetterPage { frame, title: String::new(), head, html: Cleaned(html), text }))
}

fn as_letter(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(LETTER_POLICY));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

#[derive(Debug, Template)]
#[template(path = "webmail/source.html")]
struct SourcePage {
    frame: Frame,
    subject: String,
    back: String,
    eml: String,
    fields: Vec<(String, String)>,
    source: String,
    is_cut: bool,
}

/// A message as it came, to be read.
async fn source(person: Person, State(web): State<Web>, Path((mailbox, uid)): Path<(String, u32)>) -> Oops {
    let raw = web.service().mail.raw(&person.actor, &mailbox, uid).await?;
    let frame = person.frame(&web);
    let back = path::of(&path::of(path::MAIL, &mailbox), &uid.to_string());
    let header = raw.octets.get(..header_octets(&raw.octets)).unwrap_or_default();
    let read = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let part = raw.octets.get(..SHOWN_OCTETS).unwrap_or(&raw.octets);
    Ok(shown(&SourcePage {
        subject: subject(&frame, &raw.subject),
        eml: format!("{back}/message.eml"),
        back,
        fields: fields(header).map(|field| (read(field.name), decode_header_value(field.value))).collect(),
        is_cut: part.len() < raw.octets.len(),
        source: String::from_utf8_lossy(part).replace("\r\n", "\n"),
        frame,
    }))
}

/// A message as it came, as a file.
async fn eml(person: Person, State(web): State<Web>, Path((mailbox, uid)): Path<(String, u32)>) -> Oops {
    let raw = web.service().mail.raw(&person.actor, &mailbox, uid).await?;
    let name = format!("{}.eml", if raw.subject.is_empty() { "message" } else { &raw.subject });
    Ok(handed_out(&name, "message/rfc822", false, raw.octets))
}

#[derive(Debug, Deserialize)]
struct FileQuery {
    /// `1`: shown by the browser, where it is of a kind that runs nothing.
    #[serde(default)]
    view: String,
}

/// One file of a message.
async fn file(
    person: Person,
    State(web): State<Web>,
    Path((mailbox, uid, part)): Path<(String, u32, String)>,
    Query(query): Query<FileQuery>,
) -> Oops {
    let raw = web.service().mail.raw(&person.actor, &mailbox, uid).await?;
    let letter = Letter::read(&raw.octets);
    let absent = || Failure::Absent(Text::new("mail-no-file"));
    let file = letter.files.iter().find(|file| file.path == part).ok_or_else(absent)?;
    let octets = file_octets(&raw.octets, &file.path).ok_or_else(absent)?.into_owned();
    let name = if file.name.is_empty() { format!("part-{part}") } else { file.name.clone() };
    match shown_as(&file.kind).filter(|_| query.view == "1") {
        Some(kind) => Ok(handed_out(&name, kind, true, octets)),
        // Whatever its author calls it: to be kept, not opened.
        None => Ok(handed_out(&name, "application/octet-stream", false, octets)),
    }
}

/// All files of a message in one.
async fn zip(person: Person, State(web): State<Web>, Path((mailbox, uid)): Path<(String, u32)>) -> Oops {
    let raw = web.service().mail.raw(&person.actor, &mailbox, uid).await?;
    let packed = tokio::task::spawn_blocking(move || {
        let letter = Letter::read(&raw.octets);
        let mut archive = Archive::default();
        for file in letter.attachments() {
            let name = if file.name.is_empty() { format!("part-{}", file.path) } else { file.name.clone() };
            archive.add(&name, &file_octets(&raw.octets, &file.path).unwrap_or_default());
        }
        (raw.subject, archive.finish())
    });
    let (subject, octets) = packed.await.map_err(|_panicked| Failure::Failed)?;
    let name = format!("{}.zip", if subject.is_empty() { "files" } else { &subject });
    Ok(handed_out(&name, "application/zip", false, octets))
}

/// What a browser may show of what strangers send, as this kind: pictures of dots, PDFs, and texts as plain texts. No SVG, no HTML.
pub(super) fn shown_as(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "image/png" => "image/png",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => "image/jpeg",
        "image/gif" => "image/gif",
        "image/webp" => "image/webp",
        "application/pdf" => "application/pdf",
        "text/plain" | "text/csv" | "text/calendar" | "text/vcard" | "text/x-vcard" | "application/json"
        | "message/rfc822" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

fn handed_out(name: &str, kind: &'static str, is_shown: bool, octets: Vec<u8>) -> Response {
    let mut headers = HeaderMap::new();
    let policy = if kind == "application/pdf" { PDF_POLICY } else { FILE_POLICY };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let how = if is_shown { "inline" } else { "attachment" };
    if let Ok(value) = HeaderValue::from_str(&format!("{how}; {}", file_name(name))) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    (headers, Body::from(octets)).into_response()
}

/// RFC 6266 §4.3: a name in ASCII, and the true one.
fn file_name(name: &str) -> String {
    let name: String =
        name.chars().filter(|character| !character.is_control() && !"/\\:".contains(*character)).take(150).collect();
    let plain: String = name
        .chars()
        .map(
            |character| {
                if character.is_ascii_alphanumeric() || " .-_()+".contains(character) { character } else { '_' }
            },
        )
        .collect();
    let spelt = name.bytes().fold(String::new(), |mut spelt, octet| {
        if octet.is_ascii_alphanumeric() || b".-_".contains(&octet) {
            spelt.push(char::from(octet));
        } else {
            spelt.push('%');
            spelt.push_str(&data_encoding::HEXUPPER.encode(&[octet]));
        }
        spelt
    });
    format!("filename=\"{plain}\"; filename*=UTF-8''{spelt}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_stay_in_their_field() {
        assert_eq!(file_name("a b.pdf"), "filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf");
        assert_eq!(
            file_name("é\"\r\nSet-Cookie: x/../y"),
            "filename=\"__Set-Cookie x..y\"; filename*=UTF-8''%C3%A9%22Set-Cookie%20x..y"
        );
    }

    #[test]
    fn nothing_that_runs_is_shown() {
        for kind in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "text/javascript",
            "application/x-shockwave-flash",
        ] {
            assert_eq!(shown_as(kind), None, "{kind}");
        }
    }
}
