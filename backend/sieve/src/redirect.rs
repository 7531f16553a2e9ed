//! What marks a message that a script sent on, so that it isn't sent in a circle (RFC 5228 §4.2).

use relais_message::{Mailbox, fields, mailboxes, read_address_list};
use relais_model::Address;

/// The field that says whose script sent it on.
const FIELD: &str = "X-Sieve-Redirected-From";

/// The field that stands before a message that `address` sends on, with its line end.
pub fn mark(address: &Address) -> String {
    format!("{FIELD}: {address}\r\n")
}

/// Whether one of these addresses sent it on before: then it goes in a circle, and isn't sent on again.
pub fn has_passed(header: &[u8], addresses: &[Address]) -> bool {
    fields(header).filter(|field| field.is(FIELD)).any(|field| {
        let items = read_address_list(&field.unfolded());
        mailboxes(&items).filter_map(Mailbox::to_address).any(|passed| addresses.contains(&passed))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_seen() {
        let address = |text: &str| Address::parse(text).unwrap();
        let header = format!("{}From: x@y.example\r\n\r\n", mark(&address("a@b.example")));
        assert!(has_passed(header.as_bytes(), &[address("c@d.example"), address("a@B.example")]));
        assert!(!has_passed(header.as_bytes(), &[address("x@y.example")]));
    }
}
