//! Delivery status notifications: multipart/report (RFC 3461, RFC 3464, RFC 6522), with RFC 6533's forms where an
//! address or the returned header needs UTF-8.
//!
//! What people read is passed in; this module knows the form, not the words.

use relais_model::{Address, EnhancedCode, EnvelopeId, OriginalRecipient, Random, Reply, Timestamp};

use crate::date::format_date;
use crate::submission::{new_message_id, token};

/// RFC 3464 §2.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Given up.
    Failed,
    /// Still being tried.
    Delayed,
    /// In the mailbox.
    Delivered,
    /// Passed to a host that doesn't tell.
    Relayed,
    /// Passed to several addresses.
    Expanded,
}

impl Action {
    const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }
}

/// What became of one recipient (RFC 3464 §2.3).
#[derive(Debug, Clone)]
pub struct RecipientStatus {
    /// ORCPT (RFC 3461 §4.2).
    pub original: Option<OriginalRecipient>,
    /// Where we tried.
    pub recipient: Address,
    /// What happened.
    pub action: Action,
    /// Why (RFC 3463).
    pub status: EnhancedCode,
    /// The host that answered, by its name.
    pub remote_mta: Option<String>,
    /// What it answered.
    pub diagnostic: Option<Reply>,
    /// When we last tried.
    pub last_attempt_at: Option<Timestamp>,
    /// For delays: when we give up.
    pub will_retry_until: Option<Timestamp>,
}

/// The message that this is about.
#[derive(Debug, Clone, Copy)]
pub enum Returned<'a> {
    /// All of it.
    Message(&'a [u8]),
    /// Its header.
    Header(&'a [u8]),
}

/// A notification to be built. It goes out with the null reverse path (RFC 3464 §2).
#[derive(Debug, Clone)]
pub struct Dsn<'a> {
    /// Who stands in From: `MAILER-DAEMON` or `postmaster` at a domain of ours.
    pub from: &'a Address,
    /// The name before it: `Mail Delivery System`.
    pub from_name: &'a str,
    /// The reverse path of the message that this is about.
    pub to: &'a Address,
    /// ASCII or UTF-8, without line ends.
    pub subject: &'a str,
    /// What people read; lines parted by LF.
    pub text: &'a str,
    /// Our host name.
    pub reporting_mta: &'a str,
    /// ENVID (RFC 3461 §4.4).
    pub envelope_id: Option<&'a EnvelopeId>,
    /// When the message came to us.
    pub arrived_at: Timestamp,
    /// At least one.
    pub recipients: &'a [RecipientStatus],
    /// Returned whole for failures where RET asks so; else its header (RFC 3461 §6.2).
    pub returned: Returned<'a>,
    /// Now.
    pub now: Timestamp,
}

impl Dsn<'_> {
    /// The message, with CRLF line ends.
    pub fn build(&self, random: &dyn Random) -> Vec<u8> {
        let boundary = format!("=_{}", token(random));
        let mut body = Vec::with_capacity(4096 + self.returned_octets().len());
        put_line(&mut body, &format!("--{boundary}"));
        self.put_text(&mut body);
        put_line(&mut body, &format!("--{boundary}"));
        self.put_status(&mut body);
        put_line(&mut body, &format!("--{boundary}"));
        self.put_returned(&mut body);
        put_line(&mut body, &format!("\r\n--{boundary}--"));
        let mut message = self.header(&boundary, !body.is_ascii(), random).into_bytes();
        message.append(&mut body);
        message
    }

    /// Whether the notification itself has UTF-8 in its header or addresses: then SMTPUTF8 must carry it (RFC 6533 §6).
    pub fn needs_smtputf8(&self) -> bool {
        self.to.needs_smtputf8() || self.from.needs_smtputf8()
    }

    fn header(&self, boundary: &str, is_8bit: bool, random: &dyn Random) -> String {
        // RFC 3834 §5: Auto-Submitted, so that nobody's machine answers. RFC 2045 §6.4: 8-bit parts make the whole 8-bit.
        format!(
            "Date: {}\r\nFrom: {} <{}>\r\nTo: <{}>\r\nSubject: {}\r\nMessage-ID: {}\r\n\
             Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n{}\r\n",
            format_date(self.now),
            phrase(self.from_name),
            self.from,
            self.to,
            unstructured(self.subject),
            new_message_id(self.reporting_mta, random),
            if is_8bit { "Content-Transfer-Encoding: 8bit\r\n" } else { "" },
        )
    }

    fn put_text(&self, out: &mut Vec<u8>) {
        let encoding = if self.text.is_ascii() { "7bit" } else { "8bit" };
        put_line(out, "Content-Description: Notification");
        put_line(out, "Content-Type: text/plain; charset=utf-8");
        put_line(out, &format!("Content-Transfer-Encoding: {encoding}\r\n"));
        for line in self.text.lines() {
            put_line(out, line);
        }
        put_line(out, "");
    }

    /// RFC 3464 §2.2 and §2.3; message/global-delivery-status where a recipient is UTF-8 (RFC 6533 §3).
    fn put_status(&self, out: &mut Vec<u8>) {
        let mut fields = Vec::with_capacity(512);
        put_line(&mut fields, &format!("Reporting-MTA: dns; {}", field_text(self.reporting_mta)));
        if let Some(id) = self.envelope_id {
            put_line(&mut fields, &format!("Original-Envelope-Id: {}", id.as_str()));
        }
        put_line(&mut fields, &format!("Arrival-Date: {}", format_date(self.arrived_at)));
        for status in self.recipients {
            put_line(&mut fields, "");
            put_recipient(&mut fields, status);
        }
        let is_global = !fields.is_ascii();
        put_line(out, "Content-Description: Delivery report");
        put_line(
            out,
            if is_global {
                "Content-Type: message/global-delivery-status"
            } else {
                "Content-Type: message/delivery-status"
            },
        );
        if is_global {
            put_line(out, "Content-Transfer-Encoding: 8bit");
        }
        put_line(out, "");
        out.extend_from_slice(&fields);
        put_line(out, "");
    }

    fn returned_octets(&self) -> &[u8] {
        match self.returned {
            Returned::Message(octets) | Returned::Header(octets) => octets,
        }
    }

    /// RFC 3464 §2.5, RFC 6522 §4; the global forms where a header has UTF-8 (RFC 6533 §4).
    fn put_returned(&self, out: &mut Vec<u8>) {
        let octets = self.returned_octets();
        let header = octets.get(..crate::header::header_octets(octets)).unwrap_or(octets);
        let (description, kind) = match (self.returned, header.is_ascii()) {
            (Returned::Message(_), true) => ("Undelivered message", "message/rfc822"),
            (Returned::Message(_), false) => ("Undelivered message", "message/global"),
            (Returned::Header(_), true) => ("Undelivered message header", "text/rfc822-headers"),
            (Returned::Header(_), false) => ("Undelivered message header", "message/global-headers"),
        };
        put_line(out, &format!("Content-Description: {description}"));
        put_line(out, &format!("Content-Type: {kind}"));
        if !octets.is_ascii() {
            put_line(out, "Content-Transfer-Encoding: 8bit");
        }
        put_line(out, "");
        out.extend_from_slice(octets);
    }
}

/// RFC 3464 §2.3.
fn put_recipient(out: &mut Vec<u8>, status: &RecipientStatus) {
    if let Some(original) = &status.original {
        put_line(
            out,
            &format!("Original-Recipient: {}; {}", field_text(&original.address_type), field_text(&original.address)),
        );
    }
    let address_type = if status.recipient.needs_smtputf8() { "utf-8" } else { "rfc822" };
    put_line(out, &format!("Final-Recipient: {address_type}; {}", status.recipient));
    put_line(out, &format!("Action: {}", status.action.word()));
    put_line(out, &format!("Status: {}", status.status));
    if let Some(remote) = &status.remote_mta {
        put_line(out, &format!("Remote-MTA: dns; {}", field_text(remote)));
    }
    if let Some(reply) = &status.diagnostic {
        put_folded(out, &format!("Diagnostic-Code: smtp; {}", field_text(&reply.to_string())));
    }
    if let Some(at) = status.last_attempt_at {
        put_line(out, &format!("Last-Attempt-Date: {}", format_date(at)));
    }
    if let Some(at) = status.will_retry_until {
        put_line(out, &format!("Will-Retry-Until: {}", format_date(at)));
    }
}

fn put_line(out: &mut Vec<u8>, line: &str) {
    out.extend_from_slice(line.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// A long field, folded at spaces (RFC 5322 §2.1.1: 78 characters, if it can be).
fn put_folded(out: &mut Vec<u8>, field: &str) {
    let mut column = 0;
    for (index, word) in field.split(' ').enumerate() {
        if index > 0 {
            let is_full = column + 1 + word.len() > 78;
            out.extend_from_slice(if is_full { b"\r\n " } else { b" " });
            column = if is_full { 1 } else { column + 1 };
        }
        out.extend_from_slice(word.as_bytes());
        column += word.len();
    }
    out.extend_from_slice(b"\r\n");
}

/// A stranger's text within a field: it must not end the line.
fn field_text(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A display name, quoted, or an encoded word.
fn phrase(name: &str) -> String {
    if name.is_ascii() {
        let escaped = field_text(name).replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    } else {
        unstructured(name)
    }
}

/// Text of a header, a subject or the like; where it isn't ASCII, encoded words of at most 75 characters, folded (RFC 2047 §2).
pub fn unstructured(text: &str) -> String {
    const OCTETS_PER_WORD: usize = 45;
    let text = field_text(text);
    if text.is_ascii() {
        return text;
    }
    let mut words: Vec<String> = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at_checked(rest.floor_char_boundary(OCTETS_PER_WORD)).unwrap_or((rest, ""));
        words.push(format!("=?utf-8?B?{}?=", crate::transfer::to_base64(chunk.as_bytes())));
        rest = behind;
    }
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::Structure;
    use crate::words::decode_header_value;

    #[derive(Debug)]
    struct Same(u8);

    impl Random for Same {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(self.0);
        }
    }

    fn failure(recipient: &str) -> RecipientStatus {
        RecipientStatus {
            original: Some(OriginalRecipient { address_type: "rfc822".into(), address: "orig@y.example".into() }),
            recipient: Address::parse(recipient).unwrap(),
            action: Action::Failed,
            status: EnhancedCode::new(5, 1, 1),
            remote_mta: Some("mx.y.example".into()),
            diagnostic: Some(Reply::new(
                550,
                EnhancedCode::new(5, 1, 1),
                "no such user\r\nInjected: x\nand a long line that has to be folded somewhere",
            )),
            last_attempt_at: Some(Timestamp::from_seconds(60)),
            will_retry_until: None,
        }
    }

    fn build(recipients: &[RecipientStatus], returned: Returned<'_>) -> String {
        let (from, to) = (Address::parse("mailer-daemon@x.example").unwrap(), Address::parse("ann@x.example").unwrap());
        let id = EnvelopeId::parse("QQ314159");
        let dsn = Dsn {
            from: &from,
            from_name: "Mail Delivery System",
            to: &to,
            subject: "Nicht zugestellt: Grüße",
            text: "Your message\ncould not be delivered.\n",
            reporting_mta: "mx.x.example",
            envelope_id: id.as_ref(),
            arrived_at: Timestamp::from_seconds(0),
            recipients,
            returned,
            now: Timestamp::from_seconds(3600),
        };
        String::from_utf8(dsn.build(&Same(1))).unwrap()
    }

    /// RFC 3464 §2, §A.
    #[test]
    fn a_failure_is_told_in_full() {
        let token = "b".repeat(26);
        let expected = format!(
            "Date: Thu, 1 Jan 1970 01:00:00 +0000\r\n\
             From: \"Mail Delivery System\" <mailer-daemon@x.example>\r\n\
             To: <ann@x.example>\r\n\
             Subject: =?utf-8?B?TmljaHQgenVnZXN0ZWxsdDogR3LDvMOfZQ==?=\r\n\
             Message-ID: <{token}@mx.x.example>\r\n\
             Auto-Submitted: auto-replied\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\
             \tboundary=\"=_{token}\"\r\n\
             \r\n\
             --=_{token}\r\n\
             Content-Description: Notification\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 7bit\r\n\
             \r\n\
             Your message\r\n\
             could not be delivered.\r\n\
             \r\n\
             --=_{token}\r\n\
             Content-Description: Delivery report\r\n\
             Content-Type: message/delivery-status\r\n\
             \r\n\
             Reporting-MTA: dns; mx.x.example\r\n\
             Original-Envelope-Id: QQ314159\r\n\
             Arrival-Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\
             \r\n\
             Original-Recipient: rfc822; orig@y.example\r\n\
             Final-Recipient: rfc822; bob@y.example\r\n\
             Action: failed\r\n\
             Status: 5.1.1\r\n\
             Remote-MTA: dns; mx.y.example\r\n\
             Diagnostic-Code: smtp; 550 5.1.1 no such user Injected: x and a long line that\r\n \
             has to be folded somewhere\r\n\
             Last-Attempt-Date: Thu, 1 Jan 1970 00:01:00 +0000\r\n\
             \r\n\
             --=_{token}\r\n\
             Content-Description: Undelivered message\r\n\
             Content-Type: message/rfc822\r\n\
             \r\n\
             Subject: x\r\n\r\nbody\r\n\
             \r\n\
             --=_{token}--\r\n"
        );
        assert_eq!(build(&[failure("bob@y.example")], Returned::Message(b"Subject: x\r\n\r\nbody\r\n")), expected);
    }

    /// RFC 6533 §3, §4.
    #[test]
    fn utf8_makes_it_global() {
        let dsn = build(&[failure("jörg@y.example")], Returned::Header("Subject: ü\r\n\r\n".as_bytes()));
        for line in [
            "Content-Type: message/global-delivery-status\r\n",
            "Content-Type: message/global-headers\r\n",
            "Final-Recipient: utf-8; jörg@y.example\r\n",
        ] {
            assert!(dsn.contains(line), "{line}{dsn}");
        }
    }

    #[test]
    fn the_returned_message_is_a_part_as_it_was() {
        let original = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nno end";
        let dsn = build(&[failure("a@y.example"), failure("b@y.example")], Returned::Message(original));
        let structure = Structure::read(dsn.as_bytes());
        assert_eq!(structure.root.children().len(), 3);
        let returned = structure.part(&[3]).unwrap();
        assert_eq!(&dsn.as_bytes()[returned.body.clone()], original);
    }

    #[test]
    fn long_subjects_are_words_of_75_characters() {
        let subject = "ü".repeat(100);
        let encoded = unstructured(&subject);
        assert!(encoded.split("\r\n ").all(|word| word.len() <= 75));
        assert_eq!(decode_header_value(encoded.as_bytes()), subject);
    }
}
