//! `mailto:` as a way to notify (RFC 5436), read as RFC 6068 writes it.

use relais_model::Address;

/// Addresses of one URI.
const MAX_RECIPIENTS: usize = 8;

/// A `mailto:` URI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailto {
    /// From the path and `to=`; one at least.
    pub to: Vec<Address>,
    /// `cc=`.
    pub cc: Vec<Address>,
    /// `subject=`.
    pub subject: Option<String>,
    /// `body=`, which stands before the message's own text.
    pub body: Option<String>,
    /// Other fields that a URI may set (RFC 5436 §2.3: none that would mislead about who sent it).
    pub fields: Vec<(String, String)>,
}

impl Mailto {
    /// Reads a URI; none where it is another scheme, or not whole.
    pub fn parse(uri: &str) -> Option<Self> {
        let rest = uri.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto:"))?.1;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut mailto = Self::default();
        read_addresses(path, &mut mailto.to)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            let name = decode(name)?.to_ascii_lowercase();
            match name.as_str() {
                "to" => read_addresses(value, &mut mailto.to)?,
                "cc" => read_addresses(value, &mut mailto.cc)?,
                "subject" => mailto.subject = Some(decode(value)?),
                "body" => mailto.body = Some(decode(value)?),
                // RFC 5436 §2.3: the sender, the trace and the form are ours.
                "from" | "bcc" | "sender" | "date" | "message-id" | "mime-version" | "received" | "return-path"
                | "auto-submitted" | "reply-to" => {}
                _ if name.starts_with("content-") || name.starts_with("resent-") => {}
                _ if crate::compile::is_field_name(&name) && mailto.fields.len() < MAX_RECIPIENTS => {
                    mailto.fields.push((name, decode(value)?));
                }
                _ => return None,
            }
        }
        (!mailto.to.is_empty()).then_some(mailto)
    }
}

fn read_addresses(list: &str, onto: &mut Vec<Address>) -> Option<()> {
    for text in list.split(',').filter(|text| !text.is_empty()) {
        if onto.len() >= MAX_RECIPIENTS {
            return None;
        }
        onto.push(Address::parse(&decode(text)?).ok()?);
    }
    Some(())
}

/// `%XX`.
fn decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [b'%', high, low, behind @ ..] => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                octets.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
                rest = behind;
            }
            [b'%', ..] => return None,
            [plain, behind @ ..] if !plain.is_ascii_whitespace() && !plain.is_ascii_control() => {
                octets.push(*plain);
                rest = behind;
            }
            [] => return String::from_utf8(octets).ok(),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5436 §2.5, RFC 6068 §6.
    #[test]
    fn uris_are_read() {
        let read = Mailto::parse("mailto:0123456789@sms.example.net?to=backup@example.com").unwrap();
        assert_eq!(read.to.len(), 2);
        let read = Mailto::parse("MAILTO:a@x.example?subject=a%20b&body=c%0D%0Ad&X-Y=z&from=evil@x.example").unwrap();
        assert_eq!(read.subject.as_deref(), Some("a b"));
        assert_eq!(read.body.as_deref(), Some("c\r\nd"));
        assert_eq!(read.fields, [("x-y".to_owned(), "z".to_owned())]);
        for bad in [
            "mailto:",
            "xmpp:a@x.example",
            "mailto:a",
            "mailto:a@x.example?subject",
            "mailto:a@x.example?s=%4",
            "mailto:a b@x.example",
        ] {
            assert_eq!(Mailto::parse(bad), None, "{bad}");
        }
    }
}
