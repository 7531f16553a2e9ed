//! What a Received field of anybody says of who brought the message (RFC 5321 §4.4): read with patience, for few write it as it stands there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::header::fields;

/// Hops of one message that are read, at most.
pub const MAX_HOPS: usize = 50;

/// A host that took the message, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// What whoever brought it called itself; empty where it isn't said.
    pub helo: String,
    /// From where it came; none where no address is told.
    pub peer: Option<IpAddr>,
    /// Who took it; empty where it isn't said.
    pub by: String,
    /// MAIL FROM, where the field tells it: without its brackets, empty for the null path.
    pub sender: Option<String>,
    /// The message as it came there begins behind so many octets.
    pub end: usize,
}

/// The hosts that took a message, the last first: at most [`MAX_HOPS`].
pub fn hops(message: &[u8]) -> Vec<Hop> {
    let mut end = 0;
    let mut hops = Vec::new();
    for field in fields(message) {
        end += field.raw.len();
        if field.is("Received") && hops.len() < MAX_HOPS {
            hops.push(read(&String::from_utf8_lossy(&field.unfolded()), end));
        }
    }
    hops
}

fn read(text: &str, end: usize) -> Hop {
    let (from, rest) = text.split_once(" by ").unwrap_or_else(|| ("", text.strip_prefix("by ").unwrap_or_default()));
    let by = rest.split_whitespace().next().unwrap_or_default();
    let from = from.strip_prefix("from ").unwrap_or_default();
    let (word, comment) = from.split_once(char::is_whitespace).unwrap_or((from, ""));
    // Exim and qmail tell the name in the comment: `(helo=mx.example)`, `(HELO mx.example)`.
    let lower = comment.to_ascii_lowercase();
    let told = ["helo=", "helo ", "ehlo="].iter().find_map(|start| Some(lower.find(start)? + start.len()));
    let told = told.and_then(|at| comment.get(at..)).map(str::trim_start);
    let told = told.and_then(|rest| rest.split([')', ']', ' ', ';']).next()).filter(|name| !name.is_empty());
    let sender = text.split_once("envelope-from").map(|(_, rest)| rest.trim_start_matches(['=', ' ', ':']));
    let sender = sender.and_then(|rest| rest.strip_prefix('<')?.split_once('>')).map(|(sender, _)| sender.to_owned());
    Hop {
        helo: told.unwrap_or(word).to_owned(),
        peer: address(comment).or_else(|| address(word)),
        by: by.trim_end_matches(';').to_owned(),
        sender,
        end,
    }
}

/// The first address in a text: `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `(2001:db8::1)`.
fn address(text: &str) -> Option<IpAddr> {
    let is_end = |letter: char| letter.is_whitespace() || "[](),;=".contains(letter);
    text.split(is_end).find_map(|word| {
        let word = word.strip_prefix("IPv6:").or_else(|| word.strip_prefix("ipv6:")).unwrap_or(word);
        let v4 = || word.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
        // A port may stand behind it.
        let with_port = || word.rsplit_once(':').and_then(|(host, _)| host.parse::<Ipv4Addr>().ok()).map(IpAddr::V4);
        v4().or_else(|| word.parse::<Ipv6Addr>().ok().map(IpAddr::V6)).or_else(with_port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_many_servers_are_read() {
        let check = |field: &str, helo: &str, peer: Option<&str>, by: &str, sender: Option<&str>| {
            let message = format!("X-A: b\r\nReceived: {field}\r\nSubject: s\r\n\r\nReceived: from x\r\n");
            let hops = hops(message.as_bytes());
            let peer = peer.map(|peer| peer.parse().unwrap());
            let end = message.find("Subject").unwrap();
            let expected =
                Hop { helo: helo.to_owned(), peer, by: by.to_owned(), sender: sender.map(str::to_owned), end };
            assert_eq!(hops, [expected], "{field}");
        };
        // Ours, Postfix, Exim, Gmail, Exchange, qmail, Sendmail.
        check(
            "from mx.y.example (mail.y.example [192.0.2.1])\r\n\tby mx.x.example with ESMTPS id q1;\r\n\tSat, 24 Mar 2007 21:00:00 +0000",
            "mx.y.example",
            Some("192.0.2.1"),
            "mx.x.example",
            None,
        );
        check("from a ([IPv6:2001:db8::1]) by b with ESMTP", "a", Some("2001:db8::1"), "b", None);
        check(
            "from [192.0.2.7] (helo=mx.y.example)\r\n\tby x.example with esmtps (envelope-from <ann@y.example>)\r\n\tid 1abc",
            "mx.y.example",
            Some("192.0.2.7"),
            "x.example",
            Some("ann@y.example"),
        );
        check(
            "from mail-a.google.com (mail-a.google.com. [209.85.220.41])\r\n        by mx.google.com with SMTPS id 5;",
            "mail-a.google.com",
            Some("209.85.220.41"),
            "mx.google.com",
            None,
        );
        check(
            "from AM0.example (2603:10a6:208::21) by DB9.example (2603:10a6:10::15) with Microsoft SMTP Server",
            "AM0.example",
            Some("2603:10a6:208::21"),
            "DB9.example",
            None,
        );
        check(
            "from unknown (HELO mx.y.example) (192.0.2.9) by 0 with SMTP",
            "mx.y.example",
            Some("192.0.2.9"),
            "0",
            None,
        );
        check(
            "from x.example (IDENT:joe@y [192.0.2.3]) by z.example (8.17)",
            "x.example",
            Some("192.0.2.3"),
            "z.example",
            None,
        );
        check("by 2002:a05:6000:1 with SMTP id x", "", None, "2002:a05:6000:1", None);
        check("(qmail 1 invoked by uid 89)", "", None, "uid", None);
        check("from \u{fffd}((((", "", None, "", None);
    }

    #[test]
    fn the_last_stands_first_and_few_are_read() {
        let message = "Received: from b by c\r\nReceived: from a by b\r\n\r\n";
        let found: Vec<_> = hops(message.as_bytes()).into_iter().map(|hop| (hop.by, hop.end)).collect();
        assert_eq!(found, [("c".to_owned(), 23), ("b".to_owned(), 46)]);
        assert_eq!(hops("Received: from a by b\r\n".repeat(60).as_bytes()).len(), MAX_HOPS);
        assert_eq!(hops(b""), []);
    }
}
