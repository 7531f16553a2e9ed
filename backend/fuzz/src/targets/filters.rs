//! What programs answer that are asked about messages: they have seen strangers' octets, and may say what those want.

use relais_filters::{Change, Finding, change, clamd, fields, milter, rspamd};

/// A virus' name fits into a reply and into a header field.
pub(crate) fn clamd(octets: &[u8]) {
    if let Ok(Finding::Virus { name }) = clamd::parse(octets) {
        assert!(!name.is_empty() && is_plain(&name), "{name:?}");
    }
}

/// So do rspamd's words and symbols, of which there are no more than said.
pub(crate) fn rspamd(octets: &[u8]) {
    let Ok(rating) = rspamd::parse(octets) else { return };
    assert!(rating.symbols.len() <= rspamd::MOST_SYMBOLS);
    assert!(rating.symbols.iter().all(|symbol| is_plain(&symbol.name)));
    assert!(rating.words.is_none_or(|words| !words.is_empty() && is_plain(&words)));
}

/// A milter's packets, each after an octet that says how long it is: what they change is the header alone, and a field stays one field.
pub(crate) fn milter(octets: &[u8]) {
    let (mut rest, mut changes) = (octets, Vec::new());
    while let Some((length, after)) = rest.split_first() {
        let (packet, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        match milter::parse(packet) {
            Ok(milter::Say::Change(change)) => changes.push(change),
            Ok(milter::Say::Reply(reply)) => {
                assert!((400..600).contains(&reply.code), "{reply}");
                assert!(reply.text.lines().all(is_plain) && !reply.text.contains('\r'));
            }
            Ok(milter::Say::Quarantine(why)) => assert!(is_plain(&why)),
            _ => {}
        }
    }
    let message = b"A: 1\r\nB: 2\r\n 3\r\nA: 4\r\n\r\nbody: x\r\n";
    let changed = change(message, &changes);
    let (found, end) = fields(&changed);
    assert_eq!(changed.get(end..), Some(&b"\r\nbody: x\r\n"[..]), "{changes:?}");
    let added = changes.iter().filter(|change| !matches!(change, Change::Alter { value: None, .. })).count();
    assert!(found.len() <= 3 + added, "{changes:?} make {} fields", found.len());
    assert!(found.iter().all(|field| field.contains(&b':') && !matches!(field.first(), Some(b' ' | b'\t'))));
}

fn is_plain(words: &str) -> bool {
    words.bytes().all(|octet| (b' '..=b'~').contains(&octet))
}
