//! The trace field that we add (RFC 5321 §4.4).

use std::net::IpAddr;

use relais_model::{Address, Domain, Timestamp};

use crate::date::format_date;

/// What a Received field says.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// What the peer called itself in EHLO, HELO or LHLO, raw.
    pub helo: &'a str,
    /// The peer's address; none on a Unix socket.
    pub peer: Option<IpAddr>,
    /// The peer's name, where reverse and forward DNS agree.
    pub peer_name: Option<&'a Domain>,
    /// Us.
    pub by: &'a str,
    /// RFC 3848 and RFC 6531: `ESMTPSA`, `UTF8SMTPS`, `LMTP`…
    pub with: &'a str,
    /// Under which the log and the queue know the message.
    pub id: &'a str,
    /// Protocol version and cipher suite, where there is TLS.
    pub tls: Option<&'a str>,
    /// Only where there is one recipient: others must not see it (RFC 5321 §7.2).
    pub recipient: Option<&'a Address>,
    /// When the message was taken.
    pub at: Timestamp,
}

/// The field, folded, with its last CRLF.
pub fn received(trace: &Received<'_>) -> String {
    let peer = trace.peer.map(|peer| match (trace.peer_name, peer.to_canonical()) {
        (Some(name), IpAddr::V4(address)) => format!(" ({name} [{address}])"),
        (Some(name), IpAddr::V6(address)) => format!(" ({name} [IPv6:{address}])"),
        (None, IpAddr::V4(address)) => format!(" ([{address}])"),
        (None, IpAddr::V6(address)) => format!(" ([IPv6:{address}])"),
    });
    let tls = trace.tls.map(|tls| format!("\r\n\t({})", comment(tls)));
    let recipient = trace.recipient.map(|recipient| format!("\r\n\tfor <{recipient}>"));
    format!(
        "Received: from {}{}{}\r\n\tby {} with {} id {}{};\r\n\t{}\r\n",
        word(trace.helo),
        peer.unwrap_or_default(),
        tls.unwrap_or_default(),
        word(trace.by),
        word(trace.with),
        word(trace.id),
        recipient.unwrap_or_default(),
        format_date(trace.at)
    )
}

/// A stranger's word: what could end it, or the line, becomes `?`.
fn word(text: &str) -> String {
    let is_safe =
        |character: char| !character.is_control() && !character.is_whitespace() && !"()<>;,\\\"".contains(character);
    let word: String =
        text.chars().take(255).map(|character| if is_safe(character) { character } else { '?' }).collect();
    if word.is_empty() { "?".to_owned() } else { word }
}

fn comment(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() || "()\\".contains(character) { '?' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5321 §4.4.
    #[test]
    fn a_received_field_is_folded_and_safe() {
        let recipient = Address::parse("ann@x.example").unwrap();
        let trace = Received {
            helo: "evil)\r\nX: y",
            peer: Some("192.0.2.1".parse().unwrap()),
            peer_name: Some(&Domain::parse("mail.y.example").unwrap()),
            by: "mx.x.example",
            with: "ESMTPS",
            id: "q1",
            tls: Some("TLSv1.3 TLS_AES_128_GCM_SHA256"),
            recipient: Some(&recipient),
            at: Timestamp::from_seconds(1_174_770_000),
        };
        assert_eq!(
            received(&trace),
            "Received: from evil???X:?y (mail.y.example [192.0.2.1])\r\n\t(TLSv1.3 TLS_AES_128_GCM_SHA256)\r\n\
             \tby mx.x.example with ESMTPS id q1\r\n\tfor <ann@x.example>;\r\n\tSat, 24 Mar 2007 21:00:00 +0000\r\n"
        );
        let local =
            Received { helo: "", peer: None, peer_name: None, tls: None, recipient: None, with: "LMTP", ..trace };
        assert_eq!(
            received(&local),
            "Received: from ?\r\n\tby mx.x.example with LMTP id q1;\r\n\tSat, 24 Mar 2007 21:00:00 +0000\r\n"
        );
    }
}
