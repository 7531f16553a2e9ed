//! How addresses are compared.

use relais_model::Address;
use unicode_normalization::UnicodeNormalization;

/// Parts the local part's detail from what stands before it (RFC 5233 §1).
const DETAIL_SEPARATOR: char = '+';

/// The address as it is compared: local part without quotes, in NFC and lower case; `@`; the domain's A-labels. RFC 5321 §2.4
/// leaves the case of our own local parts to us; RFC 6532 §3.1 asks for NFC.
pub fn fold(address: &Address) -> String {
    join(address.local_part.as_str(), address)
}

/// The folded address without its detail, and the detail as it was spelled; none where there is no detail.
pub(crate) fn fold_base(address: &Address) -> Option<(String, String)> {
    let (base, detail) = address.local_part.as_str().split_once(DETAIL_SEPARATOR)?;
    (!base.is_empty()).then(|| (join(base, address), detail.to_owned()))
}

fn join(local_part: &str, address: &Address) -> String {
    let folded = if local_part.is_ascii() {
        local_part.to_ascii_lowercase()
    } else {
        local_part.nfc().collect::<String>().to_lowercase()
    };
    format!("{folded}@{}", address.domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, folded: &str, base: Option<(&str, &str)>) {
        let address = Address::parse(text).unwrap();
        assert_eq!(fold(&address), folded, "{text}");
        let expected = base.map(|(base, detail)| (base.to_owned(), detail.to_owned()));
        assert_eq!(fold_base(&address), expected, "{text}");
    }

    /// RFC 5321 §2.4, RFC 5233 §1, RFC 6532 §3.1.
    #[test]
    fn addresses_are_compared_without_case_quotes_and_composition() {
        check("Ann.Lee@Example.org", "ann.lee@example.org", None);
        check("Ann+Books@example.org", "ann+books@example.org", Some(("ann@example.org", "Books")));
        check("ann+@example.org", "ann+@example.org", Some(("ann@example.org", "")));
        check("+x@example.org", "+x@example.org", None);
        check("a+b+c@example.org", "a+b+c@example.org", Some(("a@example.org", "b+c")));
        check("\"Ann Lee\"@example.org", "ann lee@example.org", None);
        check("JO\u{308}RG@bücher.example", "jörg@xn--bcher-kva.example", None);
    }
}
