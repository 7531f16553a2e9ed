//! Which folder of another server is which mailbox here.

use relais_model::{HIERARCHY_SEPARATOR, MailboxName, SpecialUse};
use relais_store::MailboxStatus;

use crate::answer::Listed;
use crate::source::Folders;

/// What folders are called by servers that don't say what they are for.
const USUAL: [(&str, SpecialUse); 13] = [
    ("Drafts", SpecialUse::Drafts),
    ("Sent", SpecialUse::Sent),
    ("Sent Items", SpecialUse::Sent),
    ("Sent Messages", SpecialUse::Sent),
    ("Junk", SpecialUse::Junk),
    ("Junk E-mail", SpecialUse::Junk),
    ("Spam", SpecialUse::Junk),
    ("Bulk Mail", SpecialUse::Junk),
    ("Trash", SpecialUse::Trash),
    ("Deleted Items", SpecialUse::Trash),
    ("Deleted Messages", SpecialUse::Trash),
    ("Archive", SpecialUse::Archive),
    ("Archives", SpecialUse::Archive),
];

/// A folder there, and where its messages go here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) listed: Listed,
    /// None: its name is none here.
    pub(crate) mailbox: Option<MailboxName>,
}

/// The person's own folders that hold messages, INBOX first; those of others aren't theirs to bring, and those that show again what
/// stands in another (all, flagged) would bring it twice.
pub(crate) fn places(folders: &Folders, own: &[MailboxStatus]) -> Vec<Place> {
    let prefix = prefix(folders);
    let tells_uses = folders.listed.iter().any(|listed| listed.special_use.is_some());
    let is_own = |listed: &Listed| {
        let is_others =
            folders.others.iter().any(|prefix| !prefix.is_empty() && listed.name.starts_with(prefix.as_str()));
        let shows_again = matches!(listed.special_use, Some(SpecialUse::All | SpecialUse::Flagged));
        // What has a line's end in its name could not be asked for.
        listed.can_be_opened && !is_others && !shows_again && !listed.raw.iter().any(u8::is_ascii_control)
    };
    let place = |listed: &Listed| {
        let name = named(listed, &prefix);
        let usual =
            || USUAL.iter().find(|(usual, _)| name.eq_ignore_ascii_case(usual)).map(|(_, special_use)| *special_use);
        let special_use = listed.special_use.or_else(|| if tells_uses { None } else { usual() });
        let used = special_use.and_then(|used| own.iter().find(|status| status.mailbox.special_use == Some(used)));
        let mailbox = match used {
            Some(status) => Some(status.mailbox.name.clone()),
            None => MailboxName::parse(&name).ok(),
        };
        Place { listed: listed.clone(), mailbox }
    };
    let mut places: Vec<Place> = folders.listed.iter().filter(|listed| is_own(listed)).map(place).collect();
    places.sort_by_key(|place| !place.mailbox.as_ref().is_some_and(MailboxName::is_inbox));
    places
}

/// What stands before the person's own names: as the server says, or as Courier and Cyrus have it.
fn prefix(folders: &Folders) -> String {
    if let Some(prefix) = folders.own.first() {
        return prefix.clone();
    }
    let mut others = folders.listed.iter().filter(|listed| !listed.name.eq_ignore_ascii_case("INBOX")).peekable();
    let delimiter = others.peek().and_then(|listed| listed.delimiter);
    let Some(delimiter) = delimiter else { return String::new() };
    let prefix = format!("INBOX{delimiter}");
    if others.all(|listed| starts_with(&listed.name, &prefix)) { prefix } else { String::new() }
}

/// Whether it does, in letters of any case.
fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Its name with our separator. A level that holds it as a letter has a dash there.
fn named(listed: &Listed, prefix: &str) -> String {
    let name = if starts_with(&listed.name, prefix) {
        listed.name.get(prefix.len()..).unwrap_or_default()
    } else {
        &listed.name
    };
    let name = if name.is_empty() { &listed.name } else { name };
    let Some(delimiter) = listed.delimiter.filter(|delimiter| *delimiter != HIERARCHY_SEPARATOR) else {
        return name.to_owned();
    };
    let between = HIERARCHY_SEPARATOR.to_string();
    name.split(delimiter).map(|level| level.replace(HIERARCHY_SEPARATOR, "-")).collect::<Vec<_>>().join(&between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, delimiter: char, special_use: Option<SpecialUse>) -> Listed {
        let raw = name.as_bytes().to_vec();
        Listed { raw, name: name.to_owned(), delimiter: Some(delimiter), special_use, can_be_opened: true }
    }

    fn placed(folders: &Folders) -> Vec<String> {
        let mailbox = |place: Place| place.mailbox.map_or("-".to_owned(), |mailbox| mailbox.as_str().to_owned());
        places(folders, &[]).into_iter().map(mailbox).collect()
    }

    #[test]
    fn names_lose_their_prefix_and_their_delimiter() {
        let check = |own: &[&str], others: &[&str], names: &[&str], delimiter, expected: &[&str]| {
            let to_owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let listed = names.iter().map(|name| listed(name, delimiter, None)).collect();
            assert_eq!(placed(&Folders { listed, own: to_owned(own), others: to_owned(others) }), expected);
        };
        check(&[], &[], &["INBOX.Work.2026", "inbox", "INBOX.a/b"], '.', &["INBOX", "Work/2026", "a-b"]);
        check(&[], &[], &["INBOX", "INBOX/Sub", "Top"], '/', &["INBOX", "INBOX/Sub", "Top"]);
        check(&["INBOX."], &[], &["INBOX", "INBOX.Sent"], '.', &["INBOX", "Sent"]);
        check(&[""], &["Other Users/"], &["INBOX", "Other Users/ann/x", "Mine"], '/', &["INBOX", "Mine"]);
        check(&[""], &[], &["INBOX", "a//b", "x\u{7}"], '/', &["INBOX", "-"]);
    }

    #[test]
    fn what_shows_others_again_is_not_brought() {
        let listed = vec![
            listed("INBOX", '/', None),
            listed("[Gmail]/All Mail", '/', Some(SpecialUse::All)),
            listed("[Gmail]/Starred", '/', Some(SpecialUse::Flagged)),
            listed("[Gmail]/Sent Mail", '/', Some(SpecialUse::Sent)),
        ];
        assert_eq!(placed(&Folders { listed, ..Folders::default() }), ["INBOX", "[Gmail]/Sent Mail"]);
    }
}
