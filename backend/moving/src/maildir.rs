//! Maildir and its folders (Maildir++, as Dovecot and Courier have them, and plain directories).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use relais_imap::utf7;
use relais_model::{Flag, Keyword, MailboxName, SystemFlag, Timestamp};

/// Where Dovecot says which keyword of a folder is which letter.
pub(crate) const KEYWORDS_FILE: &str = "dovecot-keywords";
/// Folders below one another, at most.
const MAX_DEPTH: usize = 16;
/// Keywords of a folder that have a letter.
const LETTERS: u8 = 26;
/// Which letter is which flag.
const FLAGS: [(char, SystemFlag); 5] = [
    ('D', SystemFlag::Draft),
    ('F', SystemFlag::Flagged),
    ('R', SystemFlag::Answered),
    ('S', SystemFlag::Seen),
    ('T', SystemFlag::Deleted),
];
/// A message that was passed on.
const FORWARDED: &str = "$Forwarded";

/// A message's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaildirMessage {
    /// Where it is.
    pub path: PathBuf,
    /// As its name says.
    pub flags: Vec<Flag>,
    /// When it arrived: the file's time.
    pub internal_date: Timestamp,
    /// Its size as it lies there.
    pub file_octets: u64,
}

impl MaildirMessage {
    /// Its octets, with CRLF at the lines' ends.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn octets(&self) -> io::Result<Vec<u8>> {
        Ok(with_crlf(&fs::read(&self.path)?))
    }
}

/// With CRLF at the lines' ends, as mail has them.
pub(crate) fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(raw.len() + raw.len() / 32);
    let mut last = 0;
    for &octet in raw {
        if octet == b'\n' && last != b'\r' {
            octets.push(b'\r');
        }
        octets.push(octet);
        last = octet;
    }
    octets
}

/// The folders of a Maildir, INBOX first, with their names here.
///
/// # Errors
/// Where it can't be read, or is none.
pub fn maildir_folders(root: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut folders = Vec::new();
    if is_folder(root) {
        folders.push(("INBOX".to_owned(), root.to_owned()));
    }
    below(root, "", 0, &mut folders)?;
    if folders.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it is no Maildir: there is no cur in it"));
    }
    folders.sort_by(|(left, _), (right, _)| (left != "INBOX", left).cmp(&(right != "INBOX", right)));
    Ok(folders)
}

fn is_folder(path: &Path) -> bool {
    path.join("cur").is_dir()
}

fn below(path: &Path, above: &str, depth: usize, folders: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let spelt = entry.file_name().to_string_lossy().into_owned();
        // A link might lead anywhere, round in a circle too.
        if !entry.file_type()?.is_dir() || ["cur", "new", "tmp"].contains(&spelt.as_str()) {
            continue;
        }
        let name = folder_name(&spelt);
        let name = if above.is_empty() { name } else { format!("{above}/{name}") };
        if is_folder(&entry.path()) {
            folders.push((name.clone(), entry.path()));
        }
        if depth < MAX_DEPTH && !spelt.starts_with('.') {
            below(&entry.path(), &name, depth + 1, folders)?;
        }
    }
    Ok(())
}

/// What a folder is called here that lies so spelt in a Maildir (Maildir++: `.Work.2026`) or in a folder of Maildirs.
pub(crate) fn folder_name(spelt: &str) -> String {
    let readable = |text: &str| utf7::decode(text).unwrap_or_else(|_| text.to_owned());
    match spelt.strip_prefix('.') {
        Some(levels) => levels.split('.').map(|level| readable(level).replace('/', "-")).collect::<Vec<_>>().join("/"),
        None => readable(spelt),
    }
}

/// A folder's messages, in the order in which they came.
///
/// # Errors
/// Where it can't be read.
pub fn maildir_messages(folder: &Path) -> io::Result<Vec<MaildirMessage>> {
    let keywords = keywords(&fs::read_to_string(folder.join(KEYWORDS_FILE)).unwrap_or_default());
    let mut messages = Vec::new();
    for place in ["cur", "new"] {
        let entries = match fs::read_dir(folder.join(place)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || !entry.file_type()?.is_file() {
                continue;
            }
            let about = entry.metadata()?;
            let seconds = about.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            messages.push(MaildirMessage {
                path: entry.path(),
                flags: flags(&name, &keywords),
                internal_date: Timestamp::from_seconds(i64::try_from(seconds).unwrap_or_default()),
                file_octets: about.len(),
            });
        }
    }
    messages.sort_by(|left, right| (left.internal_date, &left.path).cmp(&(right.internal_date, &right.path)));
    Ok(messages)
}

/// The names of the letters a to z, as the text of [`KEYWORDS_FILE`] has them.
pub(crate) fn keywords(text: &str) -> Vec<Option<Keyword>> {
    let mut keywords = vec![None; usize::from(LETTERS)];
    for line in text.lines() {
        let Some((number, name)) = line.split_once(' ') else { continue };
        let place = number.parse::<usize>().ok().and_then(|number| keywords.get_mut(number));
        if let Some(place) = place {
            *place = Keyword::parse(name).ok();
        }
    }
    keywords
}

/// How a message is marked, as its file's name says.
pub(crate) fn flags(name: &str, keywords: &[Option<Keyword>]) -> Vec<Flag> {
    let Some((_, letters)) = name.rsplit_once(":2,") else { return Vec::new() };
    let mut flags = Vec::new();
    for letter in letters.chars() {
        let system = FLAGS.iter().find(|(own, _)| *own == letter).map(|(_, flag)| Flag::System(*flag));
        let forwarded = || if letter == 'P' { Flag::parse(FORWARDED).ok() } else { None };
        let keyword = || {
            let number = u8::try_from(letter).ok()?.checked_sub(b'a')?;
            keywords.get(usize::from(number))?.clone().map(Flag::Keyword)
        };
        flags.extend(system.or_else(forwarded).or_else(keyword));
    }
    flags
}

/// Where a mailbox's messages lie below `root`, as Maildir++ has it. A dot within a level, which it can't hold, becomes a dash.
pub fn folder_path(root: &Path, mailbox: &MailboxName) -> PathBuf {
    if mailbox.is_inbox() {
        return root.to_owned();
    }
    let levels: Vec<String> = mailbox.as_str().split('/').map(|level| utf7::encode(&level.replace('.', "-"))).collect();
    root.join(format!(".{}", levels.join(".")))
}

/// A name for a message's file: the `number`th that is written. Keywords that are new to the folder join `keywords`, while there are letters.
pub fn maildir_name(internal_date: Timestamp, number: u64, flags: &[Flag], keywords: &mut Vec<Keyword>) -> String {
    let has = |flag: SystemFlag| flags.contains(&Flag::System(flag));
    let mut letters: String = FLAGS.iter().filter(|(_, flag)| has(*flag)).map(|(letter, _)| *letter).collect();
    for flag in flags {
        let Flag::Keyword(keyword) = flag else { continue };
        let known = keywords.iter().position(|known| known == keyword);
        let at = known.unwrap_or_else(|| {
            keywords.push(keyword.clone());
            keywords.len() - 1
        });
        letters.extend(u8::try_from(at).ok().filter(|at| *at < LETTERS).map(|at| char::from(b'a' + at)));
    }
    format!("{}.M{number}.relais:2,{letters}", internal_date.seconds().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["", ".Work.2026", ".Entw&APw-rfe", "plain/sub", ".none"] {
            let folder = dir.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            if !folder.ends_with(".none") {
                fs::create_dir(folder.join("cur")).unwrap();
            }
        }
        let names: Vec<String> = maildir_folders(dir.path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["INBOX", "Entwürfe", "Work/2026", "plain/sub"]);
        assert!(maildir_folders(&dir.path().join("cur")).is_err());
        let path = |name: &str| folder_path(Path::new("/x"), &MailboxName::parse(name).unwrap());
        assert_eq!(path("Entwürfe/v1.0"), Path::new("/x/.Entw&APw-rfe.v1-0"));
    }

    #[test]
    fn names_hold_flags() {
        let parsed = ["\\Seen", "\\Flagged", "a", "$Junk"].map(|flag| Flag::parse(flag).unwrap());
        let mut keywords = vec![Keyword::parse("$Junk").unwrap()];
        let name = maildir_name(Timestamp::from_seconds(5), 7, &parsed, &mut keywords);
        assert_eq!(name, "5.M7.relais:2,FSba");
        let keywords: Vec<Option<Keyword>> = keywords.into_iter().map(Some).collect();
        let shown = |name| flags(name, &keywords).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(shown(&name), "\\Flagged \\Seen a $Junk");
        assert_eq!(shown("1.x:2,PRz"), "$Forwarded \\Answered");
        assert_eq!(shown("1.x"), "");
    }

    #[test]
    fn lines_end_as_mail_has_them() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("new")).unwrap();
        fs::write(dir.path().join("new/1.x"), "a\nb\r\n\n").unwrap();
        let messages = maildir_messages(dir.path()).unwrap();
        assert_eq!(messages[0].octets().unwrap(), b"a\r\nb\r\n\r\n");
    }
}
