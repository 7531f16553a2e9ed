//! Files of mail, as strangers hand them over.

use relais_model::MailboxName;
use relais_moving::{BundleError, Item, read_bundle};

/// Whatever an mbox or a zip says of itself: names are names of mailboxes, a mailbox is named before its messages, each message says how long it
/// is and for the how manyth time it comes, and who wants no more gets no more.
pub(crate) fn bundle(octets: &[u8]) {
    let (mut mailbox, mut count) = (None, 0_usize);
    let mut take = |item: Item| {
        count += 1;
        if let Item::Mail(parcel) = item {
            assert!(MailboxName::parse(&parcel.mailbox).is_ok(), "{:?}", parcel.mailbox);
            if parcel.is_mailbox {
                mailbox = Some(parcel.mailbox);
            } else {
                assert_eq!(mailbox.as_ref(), Some(&parcel.mailbox));
                assert!(parcel.copy > 0 && parcel.size_octets == parcel.octets.len() as u64);
            }
        }
        true
    };
    let outcome = read_bundle(octets, "INBOX", &mut take);
    assert_ne!(outcome, Err(BundleError::Stopped), "nobody stopped it");
    if count == 0 {
        return;
    }
    let (wanted, mut given) = (count / 2 + 1, 0);
    let mut take = |_: Item| {
        given += 1;
        given < wanted
    };
    assert_eq!(read_bundle(octets, "INBOX", &mut take), Err(BundleError::Stopped));
    assert_eq!(given, wanted);
}
