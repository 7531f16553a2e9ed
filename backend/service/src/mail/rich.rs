//! Messages with formatting: what one wrote oneself, made fit to go out; below it what is quoted, without teeth; pictures beside both.
//!
//! In a form pictures stand as `data:` addresses, in a message as parts of their own (RFC 2392). What is quoted never stands in a page of
//! ours (decision 40): it is taken from the message that is answered, or from the draft as it was saved, and shown in a frame.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::BASE64;
use relais_message::{Attached, Rich, is_content_id};
use relais_model::SpecialUse;
use relais_reading::{Cleaner, Fetched, Letter, Pictures, escaped, file_octets, text_of};
use url::Url;

use super::write::Draft;
use super::{Mail, no_message};
use crate::{Actor, Failure};

/// Parts what one wrote oneself from what is quoted, in a draft and in what goes out.
const QUOTE_BEGINS: &str = "<div class=\"relais-quote\">";
const QUOTE_ENDS: &str = "</div>";
/// Kinds of pictures that stand in a text.
const KINDS: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// Pictures in one text.
const MAX_PICTURES: usize = 100;

/// What a message quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quote {
    /// The lines above it, as plain text.
    pub head: String,
    /// All of it as plain text.
    pub text: String,
    /// It goes along.
    pub is_kept: bool,
}

/// A text with formatting, and as plain text.
pub(super) struct Body {
    pub(super) text: String,
    pub(super) rich: Rich,
}

/// What is quoted, and where its pictures are.
struct Quoted {
    html: String,
    raw: Vec<u8>,
    keeps_remote: bool,
}

impl Mail {
    /// What is quoted, as HTML without teeth, for a frame of its own; pictures of others stay away.
    ///
    /// # Errors
    /// [`Failure::Absent`]: nothing is, or it isn't there any more.
    pub async fn quote(&self, me: &Actor, draft: &Draft) -> Result<String, Failure> {
        let quoted = self.quoted(me, draft).await?.ok_or_else(no_message)?;
        waiting(move || {
            let letter = Letter::read(&quoted.raw);
            let inline = super::open::inline_pictures(&letter, &quoted.raw);
            Cleaner::new(Pictures { inline, remote: None }).clean(&quoted.html).html
        })
        .await
    }

    /// A draft's text as it goes out.
    pub(super) async fn body(&self, me: &Actor, draft: &Draft, html: &str) -> Result<Body, Failure> {
        let is_quoting = draft.quote.as_ref().is_some_and(|quote| quote.is_kept);
        // What is answered may be gone; what one wrote oneself goes all the same.
        let quoted = if is_quoting { self.quoted(me, draft).await.unwrap_or_default() } else { None };
        let (html, id) = (html.to_owned(), self.new_id()?);
        waiting(move || {
            let (mut html, mut pictures) = own(&html, id.trim_matches(['<', '>']));
            if let Some(quoted) = quoted {
                html.push_str(QUOTE_BEGINS);
                html.push_str(&to_send(&quoted, &mut pictures));
                html.push_str(QUOTE_ENDS);
            }
            Body { text: text_of(&html), rich: Rich { html, pictures } }
        })
        .await
    }

    /// From the draft as it was saved, else from the message that it answers.
    async fn quoted(&self, me: &Actor, draft: &Draft) -> Result<Option<Quoted>, Failure> {
        let keeps_remote = draft.of.as_ref().is_some_and(|of| of.how.is_forward());
        if let Some(saved) = draft.saved {
            let drafts = self.with_use(me.own()?.0, SpecialUse::Drafts).await?.mailbox_id();
            if let Ok(raw) = self.raw(me, &drafts, saved).await
                && let Some((_, quote)) = html_of(&Letter::read(&raw.octets)).and_then(|html| parted(&html))
            {
                return Ok(Some(Quoted { html: quote, raw: raw.octets, keeps_remote }));
            }
        }
        let Some(of) = &draft.of else { return Ok(None) };
        let raw = self.raw(me, &of.mailbox, of.uid).await?.octets;
        let letter = Letter::read(&raw);
        let passages = letter.passages.iter().map(|passage| match (&passage.html, &passage.plain) {
            (Some(html), _) => format!("<div>{html}</div>"),
            (None, plain) => format!("<div>{}</div>", lines(plain.as_deref().unwrap_or_default().trim_end())),
        });
        let text: String = passages.collect();
        let head = lines(&draft.quote.as_ref().map(|quote| quote.head.clone()).unwrap_or_default());
        let html = if of.how.is_forward() {
            format!("<p>{head}</p>{text}")
        } else {
            format!("<p>{head}</p><blockquote type=\"cite\">{text}</blockquote>")
        };
        Ok(Some(Quoted { html, raw, keeps_remote }))
    }
}

/// A saved draft's own HTML, for the form; and what it quotes, as plain text.
pub(super) fn opened(letter: &Letter, raw: &[u8]) -> Option<(String, Option<String>)> {
    let html = html_of(letter)?;
    let (own, quote) = match parted(&html) {
        Some((own, quote)) => (own, Some(text_of(&quote))),
        None => (html, None),
    };
    let inline = super::open::inline_pictures(letter, raw);
    Some((Cleaner::new(Pictures { inline, remote: None }).clean_to_send(&own), quote))
}

fn html_of(letter: &Letter) -> Option<String> {
    let html: Vec<&str> = letter.passages.iter().filter_map(|passage| passage.html.as_deref()).collect();
    (!html.is_empty()).then(|| html.concat())
}

/// Ours only: nothing that is cleaned has a class.
fn parted(html: &str) -> Option<(String, String)> {
    let (own, rest) = html.split_once(QUOTE_BEGINS)?;
    let (quote, _) = rest.rsplit_once(QUOTE_ENDS)?;
    Some((own.to_owned(), quote.to_owned()))
}

fn lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("<br>")
}

/// What one wrote oneself; its pictures become parts, called after `id`.
fn own(html: &str, id: &str) -> (String, Vec<(String, Attached)>) {
    let mut pictures = Vec::new();
    let mut named = String::with_capacity(html.len().min(64 * 1024));
    let mut rest = html;
    while let Some(at) = rest.find("\"data:image/") {
        let (before, found) = rest.split_at(at + 1);
        let (address, after) = found.split_at(found.find('"').unwrap_or(found.len()));
        named.push_str(before);
        if let Some(picture) = picture(address).filter(|_| pictures.len() < MAX_PICTURES) {
            let picture_id = format!("{}.{id}", pictures.len() + 1);
            named.push_str("cid:");
            named.push_str(&picture_id);
            pictures.push((picture_id, picture));
        }
        rest = after;
    }
    named.push_str(rest);
    let inline = pictures.iter().map(|(id, _)| (id.clone(), format!("cid:{id}"))).collect();
    let clean = Cleaner::new(Pictures { inline, remote: None }).clean_to_send(&named);
    pictures.retain(|(id, _)| clean.contains(&format!("\"cid:{id}\"")));
    (clean, pictures)
}

fn picture(address: &str) -> Option<Attached> {
    let (kind, data) = address.strip_prefix("data:")?.split_once(";base64,")?;
    let kind = *KINDS.iter().find(|known| **known == kind)?;
    let octets = BASE64.decode(data.as_bytes()).ok()?;
    let end = kind.trim_start_matches("image/");
    Some(Attached { name: format!("picture.{end}"), kind: kind.to_owned(), octets })
}

/// What is quoted goes along as it looked, and takes the pictures along that are in its message. Pictures elsewhere tell their owner who reads,
/// so that only who passes a message on passes them on.
fn to_send(quoted: &Quoted, pictures: &mut Vec<(String, Attached)>) -> String {
    let letter = Letter::read(&quoted.raw);
    let shown = letter.files.iter().filter(|file| KINDS.contains(&file.kind.as_str()) || file.kind == "image/jpg");
    let known: HashMap<String, &relais_reading::File> = shown
        .filter_map(|file| Some((file.content_id.clone().filter(|id| is_content_id(id))?, file)))
        .take(MAX_PICTURES)
        .collect();
    let inline = known.keys().map(|id| (id.clone(), format!("cid:{id}"))).collect();
    let remote = quoted.keeps_remote.then(|| Arc::new(|url: &Url| url.to_string()) as Fetched);
    let clean = Cleaner::new(Pictures { inline, remote }).clean_to_send(&quoted.html);
    for (id, file) in known {
        if !clean.contains(&format!("\"cid:{}\"", escaped(&id))) {
            continue;
        }
        if let Some(octets) = file_octets(&quoted.raw, &file.path) {
            let name = if file.name.is_empty() { "picture".to_owned() } else { file.name.clone() };
            pictures.push((id, Attached { name, kind: file.kind.clone(), octets: octets.into_owned() }));
        }
    }
    clean
}

/// Cleaning takes its time.
async fn waiting<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_panicked| Failure::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_become_parts() {
        let (html, pictures) = own(
            "<p onclick=\"x\">a <img src=\"data:image/png;base64,AQID\"> <img src=\"data:image/svg+xml;base64,AQID\">\
             <img src=\"https://x.example/a.png\"></p>",
            "7@h.example",
        );
        assert_eq!(html, "<p>a <img src=\"cid:1.7@h.example\"> <img><img></p>");
        let picture = &pictures[0];
        assert_eq!((pictures.len(), picture.0.as_str(), &*picture.1.octets), (1, "1.7@h.example", &[1, 2, 3][..]));
    }

    #[test]
    fn what_is_quoted_has_no_teeth_and_its_own_pictures() {
        let raw = b"Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\nx\r\n\
            --r\r\nContent-Type: image/gif\r\nContent-ID: <dot@x>\r\n\r\nGIF\r\n\
            --r\r\nContent-Type: image/gif\r\nContent-ID: <other@x>\r\n\r\nGIF\r\n--r--\r\n";
        let html = "<p style=\"color:red\">x<script>1</script><img src=\"cid:dot@x\"><img src=\"https://t.example/t.gif\"></p>";
        let quoted = |keeps_remote| Quoted { html: html.to_owned(), raw: raw.to_vec(), keeps_remote };
        let mut pictures = Vec::new();
        let clean = to_send(&quoted(false), &mut pictures);
        assert_eq!(clean, "<p style=\"color:red\">x<img src=\"cid:dot@x\"><img></p>");
        assert_eq!(pictures.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["dot@x"]);
        assert!(to_send(&quoted(true), &mut Vec::new()).contains("https://t.example/t.gif"));
    }

    #[test]
    fn own_words_and_quotes_are_parted() {
        let html = format!("<p>mine</p>{QUOTE_BEGINS}<div>theirs</div>{QUOTE_ENDS}</body>");
        assert_eq!(parted(&html), Some(("<p>mine</p>".to_owned(), "<div>theirs</div>".to_owned())));
        assert_eq!(parted("<p>mine</p>"), None);
    }
}
