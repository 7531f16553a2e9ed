//! What Outlook posts ([MS-OXDSCLI] §2.2.3): read without a document type, an entity of its own, or depth.

use quick_xml::events::Event;
use quick_xml::reader::Reader;
use relais_model::Address;

/// Elements within each other, at most: three are needed.
const DEPTH: usize = 8;
/// Elements, texts and references in all, at most.
const EVENTS: usize = 200;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) address: Address,
    /// What the answer is to look like; empty where nothing was said of it.
    pub(super) response_schema: String,
}

impl Request {
    /// None where it is no such document, or asks for nobody.
    pub(super) fn parse(octets: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(octets).ok()?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        reader.config_mut().expand_empty_elements = true;
        let mut fields = Fields::default();
        for _ in 0..EVENTS {
            match reader.read_event().ok()? {
                Event::Start(element) if fields.open.len() < DEPTH => {
                    fields.open.push(element.local_name().into_inner().to_owned());
                }
                Event::End(_) => {
                    fields.open.pop();
                }
                Event::Text(text) => fields.add(&text.xml10_content()),
                Event::CData(text) => fields.add(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref().ok()? {
                        Some(character) => character,
                        None => predefined(&reference.xml10_content())?,
                    };
                    fields.add(character.encode_utf8(&mut [0; 4]));
                }
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return fields.end(),
                // Too deep; or a document type, which could bring entities along.
                _ => return None,
            }
        }
        None
    }
}

/// What has been read of it.
#[derive(Debug, Default)]
struct Fields {
    /// The names of the elements that are open.
    open: Vec<String>,
    address: String,
    response_schema: String,
}

impl Fields {
    fn add(&mut self, text: &str) {
        let names: Vec<&str> = self.open.iter().map(String::as_str).collect();
        match names[..] {
            ["Autodiscover", "Request", "EMailAddress"] => self.address.push_str(text),
            ["Autodiscover", "Request", "AcceptableResponseSchema"] => self.response_schema.push_str(text),
            _ => {}
        }
    }

    fn end(self) -> Option<Request> {
        if !self.open.is_empty() {
            return None;
        }
        let address = Address::parse(self.address.trim()).ok()?;
        Some(Request { address, response_schema: self.response_schema.trim().to_owned() })
    }
}

/// The five that need no declaration (XML 1.0 §4.6).
fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

    fn asked(inside: &str) -> String {
        let space = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"{space}\"><Request>{inside}</Request></Autodiscover>"
        )
    }

    #[track_caller]
    fn check(document: &str, expected: Option<(&str, &str)>) {
        let found = Request::parse(document.as_bytes());
        let found = found.as_ref().map(|request| (request.address.to_string(), request.response_schema.as_str()));
        assert_eq!(found.as_ref().map(|(address, schema)| (address.as_str(), *schema)), expected, "{document}");
    }

    #[test]
    fn what_outlook_asks_is_read() {
        let whole = format!(
            "\r\n <EMailAddress>ann@one.example</EMailAddress>\r\n <AcceptableResponseSchema>{SCHEMA}</AcceptableResponseSchema>"
        );
        check(&asked(&whole), Some(("ann@one.example", SCHEMA)));
        check(&format!("\u{feff}{}", asked(&whole)), Some(("ann@one.example", SCHEMA)));
        check(&asked("<EMailAddress> ann@one.example </EMailAddress>"), Some(("ann@one.example", "")));
        check(
            &asked("<EMailAddress>a&amp;b&#x40;one.example</EMailAddress><LegacyDN/>"),
            Some(("a&b@one.example", "")),
        );
        check(&asked("<EMailAddress><![CDATA[ann@one.example]]></EMailAddress>"), Some(("ann@one.example", "")));
        check(
            "<a:Autodiscover xmlns:a='x'><a:Request><a:EMailAddress>ann@one.example</a:EMailAddress></a:Request></a:Autodiscover>",
            Some(("ann@one.example", "")),
        );
    }

    #[test]
    fn what_is_no_question_is_none() {
        for document in [
            "",
            "ann@one.example",
            "{}",
            "<Autodiscover>",
            "<Autodiscover><Request><EMailAddress>ann@one.example</EMailAddress>",
            "<Autodiscover><Request><EMailAddress>ann@one.example</Request></EMailAddress></Autodiscover>",
            "<EMailAddress>ann@one.example</EMailAddress>",
        ] {
            check(document, None);
        }
        for inside in [
            "",
            "<LegacyDN>x</LegacyDN>",
            "<EMailAddress/>",
            "<EMailAddress>ann</EMailAddress>",
            "<EMailAddress>&me;</EMailAddress>",
        ] {
            check(&asked(inside), None);
        }
        assert_eq!(Request::parse(b"\xff\xfe<\0"), None);
    }

    /// A document that would grow as it is read, or bring a file of ours along, isn't read at all.
    #[test]
    fn entities_and_depth_are_refused() {
        let ask = "<Autodiscover><Request><EMailAddress>&me;@one.example</EMailAddress></Request></Autodiscover>";
        check(&format!("<!DOCTYPE a [<!ENTITY me \"ann\">]>{ask}"), None);
        check(&format!("<!DOCTYPE a SYSTEM \"file:///etc/passwd\">{}", ask.replace("&me;", "ann")), None);
        check(
            &asked(&format!("{}{}<EMailAddress>ann@one.example</EMailAddress>", "<x>".repeat(7), "</x>".repeat(7))),
            None,
        );
        check(&asked(&format!("{}<EMailAddress>ann@one.example</EMailAddress>", "<x/>".repeat(200))), None);
    }
}
