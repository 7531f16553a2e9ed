//! Features of the body: the words that show, where links lead, how the HTML is made.

use std::borrow::Cow;
use std::collections::BTreeSet;

use relais_message::{Content, Encoding, Part, Structure, decode_part, decode_text};
use relais_model::Domain;

use crate::attachments::{self, percent_decoded};
use crate::features::{Gathered, Surroundings};
use crate::header::{Pairs, domain_words, look_alikes};
use crate::html;
use crate::look_alike::registrable;
use crate::manner;
use crate::marks::Mark;
use crate::place::Place;
use crate::signs::{Sign, shown_as_domain};
use crate::tokens::{Token, starts_with_ignoring_case, tokens};

/// So much text of a message is read, still encoded.
const MAX_TEXT_OCTETS: usize = 128 * 1024;
/// So many words of it are counted.
const MAX_WORDS: usize = 4000;
/// So many links are looked at.
const MAX_LINKS: usize = 200;
/// Elements and attributes are counted to here.
const MAX_ELEMENTS: usize = 2000;
/// A preview line for lists of messages hides this much at most.
const PREVIEW_WORDS: usize = 25;
/// A list's footer is no longer than this, in lines, the line before it counted,
const FOOTER_LINES: usize = 10;
/// stands behind a line of so many strokes, or a signature's,
const PARTING_OCTETS: usize = 16;
/// and speaks so.
const FOOTER_WORDS: [&str; 7] =
    ["mailing list", "maillist", "listinfo", "subscri", "email is sponsored", "yahoogroups", "majordomo"];
/// So many footers are taken off.
const MAX_FOOTERS: usize = 4;

const SHORTENERS: [&str; 14] = [
    "bit.ly",
    "t.co",
    "goo.gl",
    "tinyurl.com",
    "ow.ly",
    "is.gd",
    "buff.ly",
    "rebrand.ly",
    "cutt.ly",
    "t.ly",
    "rb.gy",
    "shorturl.at",
    "tiny.cc",
    "lnkd.in",
];

/// The text of a message, gathered over its parts.
#[derive(Default)]
struct Text {
    has_plain: bool,
    has_html: bool,
    words: usize,
    shouted: usize,
    exclaims: usize,
    hidden_words: usize,
    long: usize,
    images: usize,
    /// Of links, in lower case.
    hosts: BTreeSet<String>,
    links: usize,
    /// The beginning of what the parts hold, without footers.
    source: String,
}

/// The body's share of the features.
pub(crate) fn gather(
    raw: &[u8],
    structure: &Structure,
    author: Option<&Domain>,
    surroundings: &Surroundings<'_>,
    onto: &mut Gathered,
) {
    let mut text = Text::default();
    let mut left = MAX_TEXT_OCTETS;
    structure.root.walk(&mut |part| {
        if part.content != Content::Leaf || left == 0 || !part.is_text() {
            return;
        }
        let taken = part.body.len().min(left);
        left -= taken;
        let is_html = part.content_type.as_ref().is_some_and(|kind| kind.is("text", "html"));
        let octets = decoded_start(raw, part, taken);
        let charset = part.content_type.as_ref().and_then(|kind| kind.parameter("charset"));
        let is_called_ascii = charset.is_some_and(|charset| charset.eq_ignore_ascii_case(b"us-ascii"));
        onto.mark_if(is_called_ascii && !octets.is_ascii(), Mark::LyingCharset);
        onto.mark_if(part.encoding == Encoding::Base64, Mark::TextInBase64);
        let decoded = decode_text(&octets, charset);
        if is_html || looks_like_html(&decoded) {
            text.has_html = true;
            text.html(&decoded, surroundings, onto);
        } else {
            text.has_plain = true;
            text.plain(&decoded, surroundings, onto);
        }
    });
    attachments::gather(raw, &structure.root, onto);
    text.close(author, onto);
}

/// What stands behind `start` wherever a line begins with it.
fn lines_from<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    let is_at_line = move |at: &usize| *at == 0 || text.as_bytes().get(*at - 1) == Some(&b'\n');
    let found = memchr::memmem::find_iter(text.as_bytes(), start.as_bytes()).filter(is_at_line);
    found.filter_map(move |at| text.get(at + start.len()..))
}

/// Some send HTML and call it plain.
fn looks_like_html(text: &str) -> bool {
    let start = text.trim_start();
    starts_with_ignoring_case(start, "<html") || starts_with_ignoring_case(start, "<!doctype html")
}

/// The decoded start of a part, without the UTF-8 character that the cut went through.
fn decoded_start<'a>(raw: &'a [u8], part: &Part, octets: usize) -> Cow<'a, [u8]> {
    let start = Part { body: part.body.start..part.body.start + octets, ..part.clone() };
    let decoded =
        decode_part(raw, &start).unwrap_or_else(|_| Cow::Borrowed(raw.get(start.body.clone()).unwrap_or_default()));
    let whole = match std::str::from_utf8(&decoded) {
        Err(error) if error.error_len().is_none() && octets < part.body.len() => error.valid_up_to(),
        _ => decoded.len(),
    };
    match decoded {
        Cow::Borrowed(octets) => Cow::Borrowed(octets.get(..whole).unwrap_or(octets)),
        Cow::Owned(mut octets) => {
            octets.truncate(whole);
            Cow::Owned(octets)
        }
    }
}

impl Text {
    fn plain(&mut self, text: &str, surroundings: &Surroundings<'_>, onto: &mut Gathered) {
        let text = without_footer(text);
        onto.mark_if(lines_from(text, ">").next().is_some(), Mark::Quotes);
        let is_signature = lines_from(text, "-- ")
            .any(|rest| matches!(rest.trim_start_matches('\r').as_bytes().first(), None | Some(b'\n')));
        onto.mark_if(is_signature, Mark::Signature);
        onto.mark_if(memchr::memmem::find(text.as_bytes(), b"-----BEGIN PGP SIGN").is_some(), Mark::Signed);
        self.begin_with(text);
        self.words(text, surroundings, onto);
    }

    /// Keeps the beginning, and a line's end behind each part.
    fn begin_with(&mut self, text: &str) {
        let left = manner::MAX_SOURCE_OCTETS.saturating_sub(self.source.len());
        self.source.push_str(text.get(..text.floor_char_boundary(left)).unwrap_or_default());
        self.source.push('\n');
    }

    fn html(&mut self, text: &str, surroundings: &Surroundings<'_>, onto: &mut Gathered) {
        self.begin_with(text);
        let page = html::read(text);
        for name in page.elements.iter().take(MAX_ELEMENTS) {
            match name.as_str() {
                "form" | "input" => onto.mark(Mark::Form),
                "script" => onto.mark(Mark::Script),
                "iframe" | "frame" => onto.mark(Mark::Frame),
                _ => {}
            }
            if html::is_known(name) {
                onto.word(Place::Html, name);
            } else {
                onto.mark(Mark::UnknownElements);
            }
        }
        for attribute in page.attributes.iter().take(MAX_ELEMENTS) {
            onto.word(Place::Html, attribute);
        }
        self.images += page.images;
        onto.mark_if(page.has_tiny_image, Mark::TinyImage);
        onto.mark_if(page.has_comment_in_word, Mark::CommentInWord);
        self.words(&page.visible, surroundings, onto);
        self.hidden_words += page.hidden.split_whitespace().count();
        for link in &page.links {
            self.link(&link.href, surroundings, onto);
            mismatch(&link.href, &link.text, onto);
        }
    }

    fn words(&mut self, text: &str, surroundings: &Surroundings<'_>, onto: &mut Gathered) {
        let mut pairs = Pairs::new(Place::BodyPair);
        tokens(text, &mut |token| match token {
            Token::Word(word) if self.words < MAX_WORDS => {
                self.words += 1;
                self.exclaims += usize::from(word == "!");
                if let Some(word) = onto.word(Place::Body, word) {
                    pairs.next(word, onto);
                }
            }
            Token::Shouted(word) if self.words < MAX_WORDS => {
                self.shouted += 1;
                onto.word(Place::Shouted, word);
            }
            Token::Word(_) | Token::Shouted(_) | Token::Address(_) => {}
            Token::Url(url) => self.link(url, surroundings, onto),
            Token::Spaced => onto.mark(Mark::SpacedLetters),
            Token::Disguised => onto.mark(Mark::DisguisedWords),
            Token::Long => self.long += 1,
        });
    }

    fn link(&mut self, href: &str, surroundings: &Surroundings<'_>, onto: &mut Gathered) {
        self.links += 1;
        if self.links > MAX_LINKS {
            return;
        }
        let Some(url) = Url::read(href) else { return };
        if let Url::Mail = url {
            onto.word(Place::Link, "mailto:");
            return;
        }
        let Url::Web { user, host, port, path } = url else { return };
        onto.mark_if(user, Mark::LinkWithUser);
        onto.mark_if(port, Mark::LinkWithPort);
        onto.mark_if(host.contains('%'), Mark::LinkDisguised);
        let host = String::from_utf8_lossy(&percent_decoded(host.as_bytes())).to_lowercase();
        if host.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.') {
            onto.mark(Mark::LinkToAddress);
            onto.mark_if(!host.contains('.'), Mark::LinkDisguised);
        } else {
            domain_words(Place::Link, &host, onto);
            onto.mark_if(SHORTENERS.contains(&registrable(&host)), Mark::LinkShortened);
            if !self.hosts.contains(&host)
                && let Ok(domain) = Domain::parse(&host)
            {
                look_alikes(&domain, surroundings.known_domains, onto);
            }
        }
        manner::of_link(path, onto);
        let lower = path.to_lowercase();
        let names_recipient =
            surroundings.recipients.iter().any(|recipient| lower.contains(&recipient.to_string().to_lowercase()));
        onto.mark_if(names_recipient, Mark::LinkNamesRecipient);
        let words = lower.split(|end: char| !end.is_ascii_alphanumeric()).filter(|word| (2..=20).contains(&word.len()));
        for word in words.filter(|word| !word.bytes().any(|octet| octet.is_ascii_digit())).take(12) {
            onto.word(Place::LinkPath, word);
        }
        self.hosts.insert(host);
    }

    fn close(self, author: Option<&Domain>, onto: &mut Gathered) {
        manner::of_text(&self.source, onto);
        let is_to_author = author
            .is_some_and(|author| self.hosts.iter().any(|host| registrable(host) == registrable(author.as_str())));
        onto.mark_if(is_to_author, Mark::LinkToAuthor);
        onto.mark_if(!is_to_author && !self.hosts.is_empty(), Mark::LinksElsewhere);
        onto.mark_if(self.has_html && !self.has_plain, Mark::HtmlOnly);
        onto.mark_if(self.has_html && self.has_plain, Mark::HtmlAndPlain);
        onto.mark_if(self.words == 0, Mark::NoText);
        onto.mark_if((1..20).contains(&self.words), Mark::FewWords);
        onto.mark_if(self.words > 1000, Mark::ManyWords);
        onto.mark_if(self.words >= 10 && self.shouted * 10 > self.words, Mark::TextShouts);
        onto.mark_if(self.exclaims >= 2 && self.exclaims * 40 > self.words, Mark::TextExclaims);
        onto.mark_if(self.long > 3, Mark::LongWords);
        onto.mark_if(self.images > 0 && self.words < 10, Mark::ImageOnly);
        onto.mark_if(self.hosts.len() >= 5, Mark::ManyHosts);
        onto.mark_if(self.links == 1, Mark::OneLink);
        onto.mark_if(self.links == 0, Mark::NoLink);
        if self.hidden_words > PREVIEW_WORDS {
            onto.mark(Mark::HiddenText);
            onto.sign(Sign::HiddenText { words: self.hidden_words });
        }
        onto.hosts = self.hosts.into_iter().collect();
    }
}

/// Without what a list's program put behind the text, perhaps several of them one after the other.
fn without_footer(text: &str) -> &str {
    let mut rest = text;
    for _ in 0..MAX_FOOTERS {
        let Some(at) = footer(rest) else { break };
        rest = rest.get(..at).unwrap_or(rest);
    }
    rest
}

/// Where the last few lines begin, if they stand behind a line that parts them and speak of a list.
fn footer(text: &str) -> Option<usize> {
    let end = text.trim_end().len();
    let mut from = end;
    for _ in 0..FOOTER_LINES {
        from = text.get(..from)?.rfind('\n')?;
        let line = text.get(from + 1..end)?.lines().next().unwrap_or_default();
        let is_parting = line == "-- "
            || line == "--"
            || line.len() >= PARTING_OCTETS && line.bytes().all(|octet| matches!(octet, b'_' | b'-' | b'=' | b'~'));
        if is_parting {
            let footer = text.get(from..end)?.to_lowercase();
            let is_of_list = FOOTER_WORDS.iter().any(|word| footer.contains(word));
            return is_of_list.then_some(from);
        }
    }
    None
}

/// A link that shows one host and leads to another.
fn mismatch(href: &str, text: &str, onto: &mut Gathered) {
    let Some(Url::Web { host, .. }) = Url::read(href) else { return };
    let mut words = text.split_whitespace();
    let (Some(word), None) = (words.next(), words.next()) else { return };
    let shown = match Url::read(word) {
        Some(Url::Web { host, .. }) => host,
        _ => word.split('/').next().unwrap_or_default(),
    };
    let Some(shown) = shown_as_domain(shown) else { return };
    let host = host.to_lowercase();
    if registrable(&shown) != registrable(&host) {
        onto.mark(Mark::LinkMismatch);
        onto.sign(Sign::LinkMismatch { shown, leads_to: host.chars().take(100).collect() });
    }
}

/// The parts of a link that tell.
enum Url<'a> {
    Mail,
    Web { user: bool, host: &'a str, port: bool, path: &'a str },
}

impl<'a> Url<'a> {
    fn read(href: &'a str) -> Option<Self> {
        if starts_with_ignoring_case(href, "mailto:") {
            return Some(Self::Mail);
        }
        let rest = match href.split_once("://") {
            Some((_, rest)) => rest,
            None if starts_with_ignoring_case(href, "www.") => href,
            None => return None,
        };
        let length = rest
            .find(|end: char| matches!(end, '/' | '?' | '#' | '\\' | '<' | '>' | '"') || end.is_whitespace())
            .unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(length)?;
        let (user, host) = authority.rsplit_once('@').map_or((false, authority), |(_, host)| (true, host));
        let (host, port) =
            host.split_once(':').map_or((host, false), |(host, port)| (host, !matches!(port, "" | "80" | "443")));
        let host = host.trim_matches(|edge: char| !edge.is_alphanumeric());
        (!host.is_empty() && host.len() <= 255).then_some(Self::Web { user, host, port, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{check, features};

    #[test]
    fn text_gives_words_pairs_and_links() {
        check(
            "\r\nBuy cheap pills at http://user@shop.pills.example:8080/buy/now.html?x=12a today",
            &[
                (Place::Body, "cheap"),
                (Place::BodyPair, "cheap pills"),
                (Place::BodyPair, "buy pills"),
                (Place::Link, "pills.example"),
                (Place::LinkPath, "buy"),
                (Place::Mark, "link-with-port"),
                (Place::Mark, "link-with-user"),
                (Place::Mark, "one-link"),
                (Place::Mark, "few-words"),
            ],
            &[(Place::BodyPair, "buy today"), (Place::LinkPath, "12a")],
        );
        check(
            "\r\nsee http://3232235777/ and http://192.0.2.1/x",
            &[(Place::Mark, "link-to-address"), (Place::Mark, "link-disguised")],
            &[],
        );
        check(
            "\r\n> quoted\r\nown\r\n-- \r\nsigned",
            &[(Place::Mark, "quotes"), (Place::Mark, "signature"), (Place::Mark, "no-link")],
            &[],
        );
        check("\r\nown\r\n-- ", &[(Place::Mark, "signature")], &[]);
        check(
            "\r\nown > less -- \r\n-- no signature\r\n",
            &[(Place::Body, "own")],
            &[(Place::Mark, "quotes"), (Place::Mark, "signature")],
        );
        check(
            &format!("\r\nown\r\n{}\r\nlistname mailing list\r\nhttp://lists.example\r\n", "_".repeat(40)),
            &[(Place::Body, "own")],
            &[(Place::Body, "listname"), (Place::Link, "lists.example")],
        );
    }

    #[test]
    fn html_gives_what_shows() {
        let html = |body: &str| format!("Content-Type: text/html\r\n\r\n{body}");
        check(
            &html("<p>Vi<b>s</b>ible</p><img width=1 height=1 src=http://t.example/><zz>"),
            &[
                (Place::Body, "visible"),
                (Place::Mark, "html-only"),
                (Place::Mark, "tiny-image"),
                (Place::Mark, "unknown-elements"),
                (Place::Html, "b"),
            ],
            &[],
        );
        let hidden = format!("<div style='display:none'>{}</div>shown", "word ".repeat(80));
        assert_eq!(features(&html(&hidden)).signs(), [Sign::HiddenText { words: 80 }]);
        check(&html(&hidden), &[(Place::Body, "shown")], &[(Place::Body, "word")]);
    }

    #[test]
    fn a_link_must_lead_where_it_says() {
        let signs = |link: &str| features(&format!("Content-Type: text/html\r\n\r\n{link}")).signs().len();
        assert_eq!(signs("<a href='http://evil.example/x'>http://www.bank.com/</a>"), 1);
        assert_eq!(signs("<a href='http://evil.example/x'>bank.com</a>"), 1);
        assert_eq!(signs("<a href='http://login.bank.com/x'>www.bank.com/a</a>"), 0);
        assert_eq!(signs("<a href='http://evil.example/x'>click here</a>"), 0);
        assert_eq!(signs("<a href='http://evil.example/x'>see bank.com now</a>"), 0);
    }

    #[test]
    fn a_cut_through_a_character_is_mended() {
        let raw = format!("\r\n{}é", "a ".repeat(MAX_TEXT_OCTETS / 2 - 1).trim_end());
        assert!(features(&raw).iter().filter(|(_, place, _)| !place.is_manner()).count() < 10);
    }
}
