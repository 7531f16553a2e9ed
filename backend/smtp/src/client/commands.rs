//! MAIL and RCPT as a client says them, and what a peer's offer makes impossible.

use std::fmt::Write as _;

use relais_model::{Address, BodyType, Envelope, ForwardPath, Notify, Ret};

use super::outcome::{Fault, Offer};
use crate::xtext;

/// Why the message cannot go to a peer that offers no more than this.
pub(super) fn hindrance(envelope: &Envelope, octets: u64, offer: &Offer, is_under_tls: bool) -> Option<Fault> {
    let is_binary = envelope.body_type == BodyType::BinaryMime;
    // RFC 8689 §5: a notice is rather sent without than lost.
    let needs_require_tls = envelope.require_tls && envelope.reverse_path.address().is_some();
    match () {
        () if needs_smtputf8(envelope) && !offer.smtputf8 => Some(Fault::NeedsSmtpUtf8),
        () if is_binary && !(offer.chunking && offer.binary_mime) => Some(Fault::NeedsBinaryMime),
        () if needs_require_tls && !(is_under_tls && offer.require_tls) => Some(Fault::NeedsRequireTls),
        () if offer.size_limit.is_some_and(|limit| octets > limit) => Some(Fault::TooLarge),
        () => None,
    }
}

/// MAIL with the parameters that are offered.
pub(super) fn mail_command(envelope: &Envelope, octets: u64, offer: &Offer, is_under_tls: bool) -> String {
    let mut mail = format!("MAIL FROM:{}", envelope.reverse_path);
    if offer.size {
        let _cannot_fail = write!(mail, " SIZE={octets}");
    }
    match envelope.body_type {
        BodyType::EightBitMime if offer.eight_bit_mime => mail.push_str(" BODY=8BITMIME"),
        BodyType::BinaryMime => mail.push_str(" BODY=BINARYMIME"),
        BodyType::EightBitMime | BodyType::SevenBit => {}
    }
    if needs_smtputf8(envelope) {
        mail.push_str(" SMTPUTF8");
    }
    if envelope.require_tls && is_under_tls && offer.require_tls {
        mail.push_str(" REQUIRETLS");
    }
    if offer.dsn {
        match envelope.ret {
            Some(Ret::Full) => mail.push_str(" RET=FULL"),
            Some(Ret::Headers) => mail.push_str(" RET=HDRS"),
            None => {}
        }
        if let Some(id) = &envelope.envelope_id {
            mail.push_str(" ENVID=");
            xtext::encode(id.as_str(), &mut mail);
        }
    }
    mail
}

/// RCPT with the parameters that are offered.
pub(super) fn rcpt_command(path: &ForwardPath, offer: &Offer) -> String {
    let mut rcpt = format!("RCPT TO:<{}>", path.address);
    if !offer.dsn {
        return rcpt;
    }
    if let Some(notify) = path.notify {
        rcpt.push_str(" NOTIFY=");
        rcpt.push_str(&notify_value(notify));
    }
    if let Some(original) = &path.original {
        rcpt.push_str(" ORCPT=");
        rcpt.extend(
            original.address_type.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-'),
        );
        rcpt.push(';');
        let is_utf8 = original.address_type == "utf-8";
        let encode = if is_utf8 { xtext::encode_utf8_address } else { xtext::encode };
        encode(&original.address, &mut rcpt);
    }
    rcpt
}

fn notify_value(notify: Notify) -> String {
    let words = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let words: Vec<&str> = words.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, word)| word).collect();
    if words.is_empty() { "NEVER".to_owned() } else { words.join(",") }
}

fn needs_smtputf8(envelope: &Envelope) -> bool {
    envelope.smtputf8
        || envelope.reverse_path.address().is_some_and(Address::needs_smtputf8)
        || envelope.recipients.iter().any(|path| path.address.needs_smtputf8())
}
