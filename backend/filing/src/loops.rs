//! Has this message been delivered here before?

use relais_message::header_fields;
use relais_model::Address;

/// Whether the header says `Delivered-To:` one of `addresses`, which only the last delivery writes: a forward somewhere has sent
/// the message back. Compared without case.
pub fn has_been_here<'a>(header: &[u8], addresses: impl IntoIterator<Item = &'a Address>) -> bool {
    let fields = header_fields(header, &["Delivered-To".to_owned()], false);
    let text = String::from_utf8_lossy(&fields);
    let before: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(_, value)| value.trim().trim_matches(['<', '>']).to_lowercase())
        .collect();
    addresses.into_iter().any(|address| before.contains(&address.to_string().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivered_to_is_believed() {
        let header = b"Received: from a\r\nDelivered-To: Ann@example.org\r\nDelivered-To: <bob@example.org>\r\nTo: eve@example.org\r\n\r\n";
        let check = |address: &str| has_been_here(header, [&Address::parse(address).unwrap()]);
        assert!(check("ann@example.org"));
        assert!(check("BOB@example.org"));
        assert!(!check("eve@example.org"));
    }
}
