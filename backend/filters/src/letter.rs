//! A message as filters are told of it.

use std::net::IpAddr;

use relais_model::{Address, ReversePath};

/// A message on its way in, with what its session said.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'m> {
    /// The client's address.
    pub peer: IpAddr,
    /// What the client called itself.
    pub helo: &'m str,
    /// The address of who has logged in.
    pub login: Option<&'m str>,
    /// MAIL's path.
    pub reverse_path: &'m ReversePath,
    /// RCPT's, in their order.
    pub recipients: &'m [&'m Address],
    /// What the message is called in our log and in its Received field.
    pub queue_id: &'m str,
    /// Our name.
    pub host: &'m str,
    /// The octets, as the client sent them: without the fields that we put before them.
    pub message: &'m [u8],
}

/// The fields of a message's header, each with its line ends; and where the header ends, before the empty line.
pub fn fields(message: &[u8]) -> (Vec<&[u8]>, usize) {
    let (mut fields, mut begin, mut end) = (Vec::new(), 0, 0);
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        // RFC 5322 §2.2.3: a line that begins with a blank goes on with the field before it.
        if end > begin && !matches!(line.first(), Some(b' ' | b'\t')) {
            fields.push(message.get(begin..end).unwrap_or_default());
            begin = end;
        }
        end += line.len();
    }
    if end > begin {
        fields.push(message.get(begin..end).unwrap_or_default());
    }
    (fields, end)
}

/// A field's name and what stands behind its colon, without the last line end; none for a line that is no field.
pub(crate) fn name_and_value(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = field.iter().position(|octet| *octet == b':')?;
    let (name, rest) = field.split_at(colon);
    let name = name.trim_ascii_end();
    let value = rest.get(1..).unwrap_or_default();
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then_some((name, value.strip_suffix(b"\r").unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_falls_into_its_fields() {
        let check = |message: &str, expected: &[&str]| {
            let (found, end) = fields(message.as_bytes());
            let found: Vec<&str> = found.iter().map(|field| str::from_utf8(field).unwrap()).collect();
            assert_eq!((found, end), (expected.to_vec(), expected.concat().len()), "{message:?}");
        };
        check("A: b\r\nC: d\r\n e\r\n\r\nbody: x\r\n", &["A: b\r\n", "C: d\r\n e\r\n"]);
        check("\r\nbody", &[]);
        check("", &[]);
        check(" odd\r\nA: b", &[" odd\r\n", "A: b"]);
        assert_eq!(name_and_value(b"Subject : x\r\n y\r\n"), Some((&b"Subject"[..], &b" x\r\n y"[..])));
        assert_eq!(name_and_value(b"no field\r\n"), None);
        assert_eq!(name_and_value(b": x\r\n"), None);
    }
}
