//! A file of mail that somebody hands over: an mbox, or a zip of mbox files, Maildirs and vCards. What an export makes comes in again.
//!
//! Invariants: no more of it is held than one message; what it unpacks to is bounded, whatever it says of itself; names become names of
//! mailboxes, never of files.

use std::collections::HashSet;
use std::io::{self, BufRead, Read as _};
use std::path::Path;

use relais_model::{Flag, Keyword, MailboxName, Timestamp};

use crate::maildir::{KEYWORDS_FILE, flags, folder_name, keywords, with_crlf};
use crate::mbox::MboxReader;
use crate::parcel::{Copies, MESSAGE_OCTETS, Parcel};
use crate::unzip::{ZippedFile, list};

/// Octets of a file of vCards, or of a folder's keywords.
const TEXT_OCTETS: u64 = 16 * 1024 * 1024;
/// Octets that a zip may unpack to.
const UNPACKED_OCTETS: u64 = 1024 * 1024 * 1024;
/// Messages of one file.
const MAX_MESSAGES: usize = 100_000;

/// What is in such a file, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A mailbox, or a message. Those of a mailbox follow one another, its own line first.
    Mail(Parcel),
    /// A file of vCards.
    Cards {
        /// As it is called there.
        name: String,
        /// All of it; octets that aren't UTF-8 are U+FFFD.
        text: String,
    },
    /// What isn't taken.
    LeftOut {
        /// As it is called there; of an mbox with the message's number.
        name: String,
        /// Why not.
        why: LeftOut,
    },
}

/// Why a part of a file isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// A message, or a file of vCards, is larger than any may be.
    TooLarge,
    /// It is neither an mbox nor a message of a Maildir, and no file of vCards.
    NoMail,
    /// It is packed as nothing is unpacked here, or behind a password.
    Packing,
    /// No mailbox can be called so.
    MailboxName,
}

/// Why nothing more of a file is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// It begins neither as an mbox does nor as a zip.
    #[error("it is neither an mbox nor a zip")]
    NoMail,
    /// A zip is cut off, or its octets aren't those that were packed.
    #[error("the zip is cut off or damaged")]
    Broken,
    /// A zip unpacks to more octets than are taken.
    #[error("the zip unpacks to too much")]
    TooLarge,
    /// There are more messages, or files of a zip, than are taken.
    #[error("there are too many messages in it")]
    TooMany,
    /// Who was given it wants no more.
    #[error("it is wanted no more")]
    Stopped,
}

/// Reads such a file; what is in it is given to `take`, which says whether it wants more. An mbox is for `mailbox`; in a zip the files'
/// names say which mailbox each is for.
///
/// # Errors
/// [`BundleError`]: what came before was given.
pub fn read_bundle(octets: &[u8], mailbox: &str, take: &mut dyn FnMut(Item) -> bool) -> Result<(), BundleError> {
    let mut reading = Reading { take, mailbox: None, copies: Copies::default(), keywords: Vec::new(), messages: 0 };
    if octets.starts_with(b"PK\x03\x04") || octets.starts_with(b"PK\x05\x06") {
        return reading.zip(octets);
    }
    if reading.mbox("", mailbox, octets)? { Ok(()) } else { Err(BundleError::NoMail) }
}

struct Reading<'a> {
    take: &'a mut dyn FnMut(Item) -> bool,
    /// The one under way.
    mailbox: Option<String>,
    copies: Copies,
    keywords: Vec<Option<Keyword>>,
    messages: usize,
}

impl Reading<'_> {
    fn give(&mut self, item: Item) -> Result<(), BundleError> {
        if (self.take)(item) { Ok(()) } else { Err(BundleError::Stopped) }
    }

    fn leave_out(&mut self, name: String, why: LeftOut) -> Result<(), BundleError> {
        self.give(Item::LeftOut { name, why })
    }

    fn begin(&mut self, mailbox: &str) -> Result<(), BundleError> {
        if self.mailbox.as_deref() == Some(mailbox) {
            return Ok(());
        }
        (self.copies, self.keywords) = (Copies::default(), Vec::new());
        self.mailbox = Some(mailbox.to_owned());
        self.give(Item::Mail(Parcel::mailbox(mailbox)))
    }

    fn message(
        &mut self,
        mailbox: &str,
        flags: &[Flag],
        internal_date: Option<Timestamp>,
        octets: Vec<u8>,
    ) -> Result<(), BundleError> {
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            return Err(BundleError::TooMany);
        }
        let copy = self.copies.count(&octets);
        self.give(Item::Mail(Parcel {
            mailbox: mailbox.to_owned(),
            flags: flags.iter().map(ToString::to_string).collect(),
            internal_date: internal_date.map(Timestamp::seconds),
            copy,
            uid: None,
            is_mailbox: false,
            size_octets: octets.len() as u64,
            octets,
        }))
    }

    /// Whether it is one.
    fn mbox(&mut self, name: &str, mailbox: &str, lines: impl BufRead) -> Result<bool, BundleError> {
        let mut reader = match MboxReader::new(lines, MESSAGE_OCTETS) {
            Ok(reader) => reader,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(false),
            Err(_damaged) => return Err(BundleError::Broken),
        };
        self.begin(mailbox)?;
        let mut number = 0;
        while let Some(message) = reader.next_message().map_err(|_damaged| BundleError::Broken)? {
            number += 1;
            match message.octets {
                Some(octets) => self.message(mailbox, &message.flags, message.internal_date, octets)?,
                None => self.leave_out(format!("{name} {number}").trim_start().to_owned(), LeftOut::TooLarge)?,
            }
        }
        Ok(true)
    }

    fn zip(&mut self, zip: &[u8]) -> Result<(), BundleError> {
        let files = list(zip)?;
        if files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.octets)) > UNPACKED_OCTETS {
            return Err(BundleError::TooLarge);
        }
        for thing in things(&files) {
            self.thing(&thing, zip)?;
        }
        Ok(())
    }

    fn thing(&mut self, thing: &Thing<'_>, zip: &[u8]) -> Result<(), BundleError> {
        let Thing { mailbox, kind, file, .. } = thing;
        let name = || file.name.clone();
        if *kind != Kind::Cards && MailboxName::parse(mailbox).is_err() {
            return self.leave_out(name(), LeftOut::MailboxName);
        }
        if *kind == Kind::Folder {
            return self.begin(mailbox);
        }
        let most = match kind {
            Kind::Mbox => UNPACKED_OCTETS,
            Kind::Message => MESSAGE_OCTETS as u64,
            Kind::Folder | Kind::Keywords | Kind::Cards => TEXT_OCTETS,
        };
        if file.octets > most {
            return self.leave_out(name(), LeftOut::TooLarge);
        }
        let Some(mut unpacked) = file.open(zip)? else { return self.leave_out(name(), LeftOut::Packing) };
        if *kind == Kind::Mbox {
            return if self.mbox(&file.name, mailbox, &mut unpacked)? {
                file.check(&unpacked)
            } else {
                self.leave_out(name(), LeftOut::NoMail)
            };
        }
        let mut octets = Vec::new();
        unpacked.read_to_end(&mut octets).map_err(|_damaged| BundleError::Broken)?;
        file.check(&unpacked)?;
        match kind {
            Kind::Keywords => {
                self.begin(mailbox)?;
                self.keywords = keywords(&String::from_utf8_lossy(&octets));
                Ok(())
            }
            Kind::Cards => self.give(Item::Cards { name: name(), text: String::from_utf8_lossy(&octets).into_owned() }),
            Kind::Folder | Kind::Mbox | Kind::Message => {
                self.begin(mailbox)?;
                let octets = with_crlf(&octets);
                if octets.len() > MESSAGE_OCTETS {
                    return self.leave_out(name(), LeftOut::TooLarge);
                }
                let flags = flags(&file.name, &self.keywords);
                self.message(mailbox, &flags, thing.at.map(Timestamp::from_seconds), octets)
            }
        }
    }
}

/// What a file of a zip is; in the order in which those of a mailbox are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It says only that there is a Maildir.
    Folder,
    /// Says which keyword is which letter in a Maildir.
    Keywords,
    Mbox,
    /// One of a Maildir.
    Message,
    Cards,
}

/// A file of a zip that is read.
struct Thing<'a> {
    /// The one that it is for; empty for cards.
    mailbox: String,
    kind: Kind,
    /// When a Maildir's message arrived.
    at: Option<i64>,
    file: &'a ZippedFile,
}

impl Thing<'_> {
    /// Where it stands among all of a zip.
    fn place(&self) -> (&str, Kind, Option<i64>, &str) {
        (&self.mailbox, self.kind, self.at, &self.file.name)
    }
}

/// What is read of a zip: mailbox by mailbox, messages of Maildirs in the order in which they came. Names are looked at where they stand: in
/// pieces, those of one zip would take more memory than all else.
fn things(files: &[ZippedFile]) -> Vec<Thing<'_>> {
    let files: Vec<&ZippedFile> = files.iter().filter(|file| !is_noise(&file.name)).collect();
    let above = root(&files);
    let files: Vec<(&str, &ZippedFile)> =
        files.into_iter().map(|file| (file.name.get(above..).unwrap_or_default(), file)).collect();
    let maildirs: HashSet<&str> = files.iter().filter_map(|&(path, _)| maildir_of(path)).collect();
    let mut things = Vec::new();
    for (path, file) in files {
        let (folder, name) = split(path);
        let (kind, mailbox) = if let Some(maildir) = maildir_of(path) {
            if folder.ends_with("tmp/") || name.starts_with('.') {
                continue;
            }
            (if name.is_empty() { Kind::Folder } else { Kind::Message }, maildir_mailbox(maildir))
        } else if name.is_empty() {
            continue;
        } else if has_extension(name, "vcf") {
            (Kind::Cards, String::new())
        } else if maildirs.contains(folder) && !has_extension(name, "mbox") {
            if name != KEYWORDS_FILE {
                continue;
            }
            (Kind::Keywords, maildir_mailbox(folder))
        } else {
            (Kind::Mbox, mbox_mailbox(path))
        };
        // A Maildir's file names begin with the second in which it came; Info-ZIP keeps the file's own.
        let named = || name.split('.').next().and_then(|second| second.parse().ok());
        let at = if kind == Kind::Message { file.changed_at.or_else(named) } else { None };
        things.push(Thing { mailbox, kind, at, file });
    }
    things.sort_by(|left, right| left.place().cmp(&right.place()));
    things
}

/// What a Mac puts beside the files.
fn is_noise(path: &str) -> bool {
    path.split('/').any(|part| part == "__MACOSX" || part == ".DS_Store")
}

/// A path's folder, which ends with `/` where there is one, and the name in it, which is empty where the path is a folder's own.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |at| at + 1))
}

/// Octets of the folders that stand above all mail of a zip: below them is a Maildir, or an INBOX, with all the rest.
fn root(files: &[&ZippedFile]) -> usize {
    let mut common = files.first().map_or(b"".as_slice(), |file| file.name.as_bytes());
    for file in files {
        let alike = common.iter().zip(file.name.as_bytes()).take_while(|(left, right)| left == right).count();
        let folders = memchr::memrchr(b'/', common.get(..alike).unwrap_or_default()).map_or(0, |at| at + 1);
        common = common.get(..folders).unwrap_or_default();
    }
    let above_inbox = |file: &&ZippedFile| {
        let (folder, name) = split(&file.name);
        let is_inbox = name.strip_suffix(".mbox").unwrap_or(name).eq_ignore_ascii_case("INBOX");
        let holder = if is_inbox { folder } else { maildir_of(&file.name)? };
        let (_, last) = split(holder.strip_suffix('/').unwrap_or(holder));
        (!last.starts_with('.') && holder.len() <= common.len()).then_some(holder.len())
    };
    files.iter().filter_map(above_inbox).min().unwrap_or_default()
}

/// The Maildir that a file lies in as a message, or that a folder is part of.
fn maildir_of(path: &str) -> Option<&str> {
    let (folder, name) = split(path);
    let (maildir, place) = split(folder.strip_suffix('/')?);
    (["cur", "new", "tmp"].contains(&place) && !has_extension(name, "mbox")).then_some(maildir)
}

fn maildir_mailbox(folder: &str) -> String {
    let Some(folder) = folder.strip_suffix('/') else { return "INBOX".to_owned() };
    folder.split('/').map(folder_name).collect::<Vec<_>>().join("/")
}

/// As the command line names them: a folder of Thunderbird's has an end of its own.
fn mbox_mailbox(path: &str) -> String {
    let (folder, name) = split(path);
    folder.replace(".sbd/", "/") + name.strip_suffix(".mbox").unwrap_or(name)
}

fn has_extension(name: &str, wanted: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::ZipWriter;

    /// Files as the house's own writer packs them.
    fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let (mut writer, mut out) = (ZipWriter::default(), Vec::new());
        for (name, text) in files {
            writer.begin(name, &mut out);
            writer.write(text.as_bytes(), &mut out);
        }
        writer.finish(&mut out);
        out
    }

    /// One file, deflated, with its sizes in 32 bits, as most programs write it.
    fn deflated(name: &str, text: &str) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let mut about = Vec::new();
        about.extend([20_u16, 0, 8, 0, 0].into_iter().flat_map(u16::to_le_bytes));
        let wide = |octets: usize| u32::try_from(octets).unwrap();
        about.extend([crc.sum(), wide(packed.len()), wide(text.len())].into_iter().flat_map(u32::to_le_bytes));
        about.extend([u16::try_from(name.len()).unwrap(), 0].into_iter().flat_map(u16::to_le_bytes));
        let mut out = [b"PK\x03\x04".as_slice(), &about, name.as_bytes(), &packed].concat();
        let at = wide(out.len());
        out.extend([b"PK\x01\x02\x14\x00".as_slice(), &about, &[0; 14], name.as_bytes()].concat());
        let size = wide(out.len()) - at;
        out.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        out.extend([size, at].into_iter().flat_map(u32::to_le_bytes));
        out.extend([0; 2]);
        out
    }

    /// Each item in a line.
    fn read(octets: &[u8]) -> (Vec<String>, Result<(), BundleError>) {
        let mut lines = Vec::new();
        let mut take = |item: Item| {
            lines.push(match item {
                Item::Mail(Parcel { mailbox, is_mailbox: true, .. }) => format!("{mailbox}:"),
                Item::Mail(parcel) => {
                    let text = String::from_utf8(parcel.octets).unwrap().replace("\r\n", "~");
                    let at = parcel.internal_date.unwrap_or(-1);
                    format!("{} {} {at} {} {text}", parcel.mailbox, parcel.copy, parcel.flags.join("+"))
                }
                Item::Cards { name, text } => format!("{name} {text}"),
                Item::LeftOut { name, why } => format!("{name} {why:?}"),
            });
            true
        };
        let outcome = read_bundle(octets, "Old", &mut take);
        (lines, outcome)
    }

    const TWO: &str =
        "From a Thu Jan  1 00:00:05 1970\nA: b\nStatus: RO\n\nx\n\nFrom a Thu Jan  1 00:00:06 1970\nA: b\n\nx\n\n";

    #[test]
    fn an_mbox_is_for_one_mailbox() {
        let lines = ["Old:", "Old 1 5 \\Seen A: b~~x~", "Old 2 6  A: b~~x~"];
        assert_eq!(read(TWO.as_bytes()), (lines.map(str::to_owned).to_vec(), Ok(())));
        assert_eq!(read(b"Subject: x\n\ny\n"), (Vec::new(), Err(BundleError::NoMail)));
    }

    #[test]
    fn what_an_export_makes_is_read() {
        let (lines, outcome) = read(&zip(&[
            ("INBOX.mbox", TWO),
            ("new/2026.mbox", ""),
            ("Entwürfe.mbox", "From a Thu Jan  1 00:00:07 1970\nC: d\n\n\n"),
            ("contacts.vcf", "BEGIN:VCARD"),
        ]));
        let expected = [
            "contacts.vcf BEGIN:VCARD",
            "Entwürfe:",
            "Entwürfe 1 7  C: d~~",
            "INBOX:",
            "INBOX 1 5 \\Seen A: b~~x~",
            "INBOX 2 6  A: b~~x~",
            "new/2026:",
        ];
        assert_eq!((lines, outcome), (expected.map(str::to_owned).to_vec(), Ok(())));
    }

    #[test]
    fn a_maildir_is_read_in_whatever_folder_it_was_packed() {
        let (lines, outcome) = read(&zip(&[
            ("__MACOSX/._x", "x"),
            ("mail/cur/", ""),
            ("mail/cur/9.M1.old:2,Sa", "A: b\n\nc\n"),
            ("mail/new/8.M2.old", "A: b\n\nd\n"),
            ("mail/tmp/7", "half"),
            ("mail/dovecot-keywords", "0 Important\n"),
            ("mail/dovecot-uidlist", "3 V1"),
            ("mail/.Work.Entw&APw-rfe/cur/1.x:2,a", "E: f\n\n"),
            ("mail/.Work.Entw&APw-rfe/maildirfolder", ""),
            ("mail/.Empty/cur/", ""),
        ]));
        let expected = [
            "Empty:",
            "INBOX:",
            "INBOX 1 8  A: b~~d~",
            "INBOX 1 9 \\Seen+Important A: b~~c~",
            "Work/Entwürfe:",
            "Work/Entwürfe 1 1  E: f~~",
        ];
        assert_eq!((lines, outcome), (expected.map(str::to_owned).to_vec(), Ok(())));
    }

    #[test]
    fn others_pack_otherwise() {
        let packed = deflated("mail/Inbox", TWO);
        let (lines, outcome) = read(&packed);
        assert_eq!((lines.len(), outcome), (3, Ok(())), "{lines:?}");
        assert!(lines[1].starts_with("Inbox 1 5 "), "{lines:?}");
        let (lines, outcome) = read(&zip(&[("notes.txt", "Hello"), ("a//b.mbox", TWO)]));
        assert_eq!((lines, outcome), (vec!["a//b.mbox MailboxName".to_owned(), "notes.txt NoMail".to_owned()], Ok(())));
    }

    /// A message has as many octets as it has with CRLF, in a Maildir's file, too.
    #[test]
    fn no_message_is_larger_than_any_may_be() {
        let (lines, outcome) =
            read(&zip(&[("cur/1.x:2,", &"\n".repeat(MESSAGE_OCTETS / 2 + 1)), ("cur/2.x:2,", "A: b\n")]));
        assert_eq!(
            (lines, outcome),
            (["INBOX:", "cur/1.x:2, TooLarge", "INBOX 1 2  A: b~"].map(str::to_owned).to_vec(), Ok(()))
        );
    }

    /// Wherever a name would lead as a file's: a mailbox is called so, or it is left out.
    #[test]
    fn names_are_names_of_mailboxes() {
        #[track_caller]
        fn check(name: &str, expected: &str) {
            let (lines, outcome) = read(&zip(&[(name, TWO)]));
            assert_eq!((lines.first().map(String::as_str), outcome), (Some(expected), Ok(())), "{name}");
        }
        check("../../etc/x.mbox", "../../etc/x:");
        check("C:\\x.mbox", "C:\\x:");
        check("Local.sbd/x.sbd.mbox", "Local/x.sbd:");
        check("/etc/x.mbox", "/etc/x.mbox MailboxName");
        check("a\nb.mbox", "a\nb.mbox MailboxName");
        let deep = "a/".repeat(32) + "x.mbox";
        check(&deep, &format!("{deep} MailboxName"));
        let (lines, outcome) = read(&zip(&[("x.mbox", TWO), ("x.mbox", TWO)]));
        let copies = ["x:", "x 1 5 \\Seen A: b~~x~", "x 2 6  A: b~~x~", "x 3 5 \\Seen A: b~~x~", "x 4 6  A: b~~x~"];
        assert_eq!(
            (lines, outcome),
            (copies.map(str::to_owned).to_vec(), Ok(())),
            "two files of one name are one mailbox"
        );
    }

    /// What a zip says that it unpacks to is the most that is unpacked.
    #[test]
    fn no_more_is_unpacked_than_is_said() {
        let mut said = deflated("x.mbox", TWO);
        let list = said.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
        said[list + 24..list + 28].copy_from_slice(&40_u32.to_le_bytes());
        assert_eq!(read(&said).1, Err(BundleError::Broken), "less than there is");
        said[list + 24..list + 28].copy_from_slice(&0x4000_0001_u32.to_le_bytes());
        assert_eq!(read(&said), (Vec::new(), Err(BundleError::TooLarge)));
    }

    /// However it is cut and whatever octet is another, nothing panics, and a cut is told.
    #[test]
    fn a_broken_zip_is_told() {
        for whole in [zip(&[("INBOX.mbox", TWO), ("contacts.vcf", "BEGIN:VCARD")]), deflated("x.mbox", TWO)] {
            for end in 4..whole.len() {
                assert_eq!(read(&whole[..end]).1, Err(BundleError::Broken), "{end}");
            }
            for at in 0..whole.len() {
                let mut other = whole.clone();
                other[at] ^= 0x11;
                let mut take = |_: Item| true;
                // Whatever it says: some octets are nobody's.
                let _outcome = read_bundle(&other, "Old", &mut take);
            }
        }
        let mut other = zip(&[("INBOX.mbox", TWO)]);
        let at = other.windows(4).position(|four| four == b"A: b").unwrap();
        other[at] = b'B';
        assert_eq!(read(&other).1, Err(BundleError::Broken), "its sum is another");
    }

    proptest! {
        /// Whatever a zip says of itself: names are names of mailboxes, a mailbox is named before its messages, each message says how long it is and
        /// for the how manyth time it comes.
        #[test]
        fn whatever_a_zip_says_is_read_or_told(changes in prop::collection::vec((any::<Index>(), any::<u8>(), 0..3_u8), 1..8)) {
            let mut octets = zip(&[("INBOX.mbox", TWO), ("Old/cur/1:2,S", "A: b"), ("contacts.vcf", "BEGIN:VCARD")]);
            for (at, octet, act) in changes {
                let at = at.index(octets.len());
                match act {
                    0 => octets[at] = octet,
                    1 => octets.insert(at, octet),
                    _ => drop(octets.remove(at)),
                }
            }
            let mut mailbox = None;
            let mut take = |item: Item| {
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
            prop_assert_ne!(read_bundle(&octets, "INBOX", &mut take), Err(BundleError::Stopped), "nobody stopped it");
        }
    }

    #[test]
    fn who_wants_no_more_gets_no_more() {
        let mut count = 0;
        let mut take = |_: Item| {
            count += 1;
            count < 2
        };
        assert_eq!(read_bundle(TWO.as_bytes(), "Old", &mut take), Err(BundleError::Stopped));
        assert_eq!(count, 2);
    }
}
