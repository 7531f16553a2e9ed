//! The fields that final delivery puts before a message: Return-Path (RFC 5321 §4.4) and Delivered-To (RFC 9228).

use relais_model::{Address, ReversePath};

const DELIVERED_TO: &[u8] = b"Delivered-To:";

/// Both, each with its CRLF. `to` is the address that the message was sent to, as the envelope has it; none where it was sent to several, for
/// none may learn of the others (RFC 5321 §7.2).
pub fn delivered(reverse_path: &ReversePath, to: Option<&Address>) -> String {
    let to = to.map(|to| format!("Delivered-To: {to}\r\n"));
    format!("Return-Path: {reverse_path}\r\n{}", to.unwrap_or_default())
}

/// Octets of these fields at the beginning of a message that [`delivered`] begins.
pub fn delivered_octets(message: &[u8]) -> usize {
    let line = |octets: &[u8]| octets.iter().position(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    let path = line(message);
    match message.get(path..) {
        Some(below) if below.starts_with(DELIVERED_TO) => path + line(below),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9228 §4: a Mailbox as RFC 5321 writes it, without angle brackets.
    #[test]
    fn what_delivery_adds_is_found_again() {
        for (path, to, expected) in [
            (
                "a@b.example",
                Some("Ann+shop@x.example"),
                "Return-Path: <a@b.example>\r\nDelivered-To: Ann+shop@x.example\r\n",
            ),
            ("a@b.example", None, "Return-Path: <a@b.example>\r\n"),
            ("", Some("\"a b\"@x.example"), "Return-Path: <>\r\nDelivered-To: \"a b\"@x.example\r\n"),
        ] {
            let path = Address::parse(path).map_or(ReversePath::Null, ReversePath::Address);
            let to = to.map(|to| Address::parse(to).unwrap());
            let head = delivered(&path, to.as_ref());
            assert_eq!(head, expected);
            for below in
                ["Received: from a\r\n\tby b\r\n\r\n", "Subject: x\r\n\r\nDelivered-To: a@b.example\r\n", "\r\n", ""]
            {
                assert_eq!(delivered_octets(format!("{head}{below}").as_bytes()), head.len(), "{below}");
            }
        }
        assert_eq!(delivered_octets(b"Return-Path: never ends"), 0);
        assert_eq!(delivered_octets(b""), 0);
    }
}
