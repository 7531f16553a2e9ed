//! Attachments that do harm when opened.

use relais_message::{Content, Disposition, Part, decode_header_value, decode_part, fields};

use crate::features::Gathered;
use crate::marks::Mark;
use crate::place::Place;
use crate::signs::Sign;

/// So many are looked at.
const MAX_ATTACHMENTS: usize = 20;
/// So much of each, still encoded.
const MAX_OCTETS: usize = 128 * 1024;
/// So many files of an archive.
const MAX_ENTRIES: usize = 200;
/// So much of a name is kept, in characters.
const MAX_NAME: usize = 100;

/// What Windows, macOS and Linux run when it is opened: programs, scripts, shortcuts, installers, disk images.
const PROGRAMS: [&str; 68] = [
    "ade",
    "adp",
    "app",
    "application",
    "appref-ms",
    "appx",
    "appxbundle",
    "bat",
    "chm",
    "cmd",
    "com",
    "command",
    "cpl",
    "diagcab",
    "dll",
    "exe",
    "ex_",
    "gadget",
    "hlp",
    "hta",
    "img",
    "inf",
    "ins",
    "iso",
    "isp",
    "jar",
    "jnlp",
    "js",
    "jse",
    "lib",
    "library-ms",
    "lnk",
    "mde",
    "msc",
    "msh",
    "msh1",
    "msh2",
    "mshxml",
    "msi",
    "msix",
    "msp",
    "mst",
    "pif",
    "ps1",
    "ps1xml",
    "ps2",
    "psc1",
    "psc2",
    "psd1",
    "psm1",
    "reg",
    "scf",
    "scr",
    "sct",
    "settingcontent-ms",
    "shb",
    "shs",
    "sys",
    "theme",
    "url",
    "vb",
    "vbe",
    "vbs",
    "vhd",
    "vhdx",
    "ws",
    "wsf",
    "xll",
];
/// Documents that carry macros by their kind.
const MACRO_DOCUMENTS: [&str; 11] =
    ["docm", "dotm", "xlsm", "xltm", "xlam", "xlsb", "pptm", "potm", "ppam", "ppsm", "one"];
/// Endings that people trust, in front of another.
const HARMLESS: [&str; 22] = [
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "rtf", "jpg", "jpeg", "png", "gif", "bmp", "mp3", "mp4",
    "avi", "zip", "htm", "html", "csv", "odt",
];
/// Where a message's attachments stand.
pub(crate) fn gather(raw: &[u8], root: &Part, onto: &mut Gathered) {
    let mut count = 0;
    root.walk(&mut |part| {
        if part.content != Content::Leaf || count >= MAX_ATTACHMENTS {
            return;
        }
        let (name, is_attached) = name_of(raw, part);
        if name.is_empty() && (part.is_text() || !is_attached) && kind_of(part).starts_with("text/") {
            return;
        }
        count += 1;
        onto.mark(Mark::HasAttachment);
        onto.word(Place::Attachment, &kind_of(part));
        let name: String = name.chars().take(MAX_NAME).collect();
        if let Some((_, ending)) = name.rsplit_once('.') {
            onto.word(Place::Attachment, &format!(".{}", ending.to_lowercase()));
        }
        let body = raw.get(part.body.clone()).unwrap_or_default();
        let start = Part { body: part.body.start..part.body.start + body.len().min(MAX_OCTETS), ..part.clone() };
        let octets = decode_part(raw, &start).unwrap_or_default();
        for sign in judge(&name, &octets) {
            onto.sign(sign);
        }
    });
}

fn kind_of(part: &Part) -> String {
    part.content_type.as_ref().map_or_else(
        || "text/plain".to_owned(),
        |kind| {
            format!("{}/{}", String::from_utf8_lossy(&kind.main), String::from_utf8_lossy(&kind.sub))
                .to_ascii_lowercase()
        },
    )
}

/// The file name, from Content-Disposition or else Content-Type, and whether it is called an attachment.
fn name_of(raw: &[u8], part: &Part) -> (String, bool) {
    let header = raw.get(part.header.clone()).unwrap_or_default();
    let field = fields(header).find(|field| field.is("Content-Disposition"));
    let disposition = field.and_then(|field| Disposition::read(&field.unfolded()));
    let is_attached = disposition.as_ref().is_some_and(|disposition| disposition.is("attachment"));
    let said = disposition.as_ref().and_then(|disposition| parameter(|name| disposition.parameter(name), "filename"));
    let kind = part.content_type.as_ref();
    let name = said.or_else(|| kind.and_then(|kind| parameter(|name| kind.parameter(name), "name")));
    (name.unwrap_or_default(), is_attached)
}

/// `name`, or `name*` in the extended form (RFC 2231 §4), of which only the octets matter here.
fn parameter<'a>(get: impl Fn(&str) -> Option<&'a [u8]>, name: &str) -> Option<String> {
    if let Some(value) = get(name) {
        return Some(decode_header_value(value));
    }
    let extended = String::from_utf8_lossy(get(&format!("{name}*"))?).into_owned();
    let escaped = extended.splitn(3, '\'').nth(2).unwrap_or(&extended);
    Some(String::from_utf8_lossy(&percent_decoded(escaped.as_bytes())).into_owned())
}

pub(crate) fn percent_decoded(escaped: &[u8]) -> Vec<u8> {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut plain = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((&octet, after)) = rest.split_first() {
        rest = match rest {
            [b'%', high, low, behind @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                plain.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                behind
            }
            _ => {
                plain.push(octet);
                after
            }
        };
    }
    plain
}

/// What is dangerous about a file of that name that begins with `octets`.
fn judge(name: &str, octets: &[u8]) -> Vec<Sign> {
    let mut signs = Vec::new();
    signs.extend(judge_name(name));
    let shown = || name.to_owned();
    if octets.starts_with(b"MZ") && octets.len() > 64 || octets.starts_with(b"\x7fELF") {
        signs.push(Sign::Program { name: shown() });
    }
    // OLE documents name their streams in UTF-16.
    if octets.starts_with(b"\xd0\xcf\x11\xe0") && contains(octets, b"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0") {
        signs.push(Sign::Macros { name: shown() });
    }
    let mut is_locked = octets.starts_with(b"Rar!\x1a\x07") && is_locked_rar(octets);
    for entry in zip_entries(octets) {
        is_locked |= entry.is_locked;
        if entry.name.ends_with(b"vbaProject.bin") {
            signs.push(Sign::Macros { name: shown() });
        }
        // A jar or an office document holds what it holds.
        signs.extend(judge_name(&String::from_utf8_lossy(&entry.name)));
    }
    if is_locked {
        signs.push(Sign::LockedArchive { name: shown() });
    }
    signs
}

fn judge_name(name: &str) -> Option<Sign> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let lower = name.trim_end_matches([' ', '.']).to_lowercase();
    let mut endings = lower.rsplit('.').map(str::trim);
    let (last, before) = (endings.next()?, endings.next()?);
    let shown = || name.chars().take(MAX_NAME).collect();
    let is_program = PROGRAMS.contains(&last);
    // U+202E turns `gpj.exe` around for the eye.
    let is_turned =
        name.chars().any(|character| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    let is_doubled =
        is_program && endings.next().is_some() && HARMLESS.contains(&before) || is_program && lower.contains("     ");
    if is_turned || is_doubled {
        return Some(Sign::DisguisedName { name: shown() });
    }
    if is_program {
        return Some(Sign::Program { name: shown() });
    }
    MACRO_DOCUMENTS.contains(&last).then(|| Sign::Macros { name: shown() })
}

struct Entry {
    name: Vec<u8>,
    is_locked: bool,
}

/// The files of a zip by their local headers (APPNOTE 4.3.7), as far as the octets go.
fn zip_entries(octets: &[u8]) -> Vec<Entry> {
    const MARK: &[u8] = b"PK\x03\x04";
    const HEADER_OCTETS: usize = 30;
    if !octets.starts_with(MARK) {
        return Vec::new();
    }
    let mut entries = Vec::new();
    let mut rest = octets;
    while let Some(at) = position(rest, MARK) {
        let Some(header) = rest.get(at..at + HEADER_OCTETS) else { break };
        let number = |at: usize| {
            u16::from_le_bytes([header.get(at).copied().unwrap_or(0), header.get(at + 1).copied().unwrap_or(0)])
        };
        let name = rest.get(at + HEADER_OCTETS..at + HEADER_OCTETS + usize::from(number(26))).unwrap_or_default();
        entries.push(Entry { name: name.get(..512).unwrap_or(name).to_vec(), is_locked: number(6) & 1 == 1 });
        if entries.len() >= MAX_ENTRIES {
            break;
        }
        rest = rest.get(at + HEADER_OCTETS..).unwrap_or_default();
    }
    entries
}

/// RAR 4 marks an encrypted file in its header's flags, an encrypted list in the archive's.
fn is_locked_rar(octets: &[u8]) -> bool {
    let archive_flags = octets.get(10).copied().unwrap_or(0);
    let file_flags = octets.get(23).copied().filter(|_| octets.get(22) == Some(&0x74)).unwrap_or(0);
    octets.get(6) == Some(&0) && (archive_flags & 0x80 != 0 || file_flags & 0x04 != 0)
}

fn contains(octets: &[u8], sought: &[u8]) -> bool {
    position(octets, sought).is_some()
}

fn position(octets: &[u8], sought: &[u8]) -> Option<usize> {
    memchr::memmem::find(octets, sought)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, octets: &[u8], expected: &[&str]) {
        let found: Vec<String> = judge(name, octets)
            .into_iter()
            .map(|sign| match sign {
                Sign::Program { name } => format!("program {name}"),
                Sign::DisguisedName { name } => format!("disguised {name}"),
                Sign::Macros { name } => format!("macros {name}"),
                Sign::LockedArchive { name } => format!("locked {name}"),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(found, expected, "{name}");
    }

    /// A local header with nothing behind its name.
    fn zip(name: &str, flags: u8) -> Vec<u8> {
        let mut octets = b"PK\x03\x04\x14\0".to_vec();
        octets.extend([flags, 0]);
        octets.extend([0; 18]);
        octets.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        octets.extend([0, 0]);
        octets.extend(name.as_bytes());
        octets
    }

    #[test]
    fn names_are_judged() {
        for harmless in
            ["", "bill.pdf", "photo.jpg", "notes", ".profile", "a.b.pdf", "archive.tar.gz", "example.com.pdf"]
        {
            check(harmless, b"", &[]);
        }
        check("game.exe", b"", &["program game.exe"]);
        check("RUN.JS", b"", &["program RUN.JS"]);
        check("bill.pdf.exe", b"", &["disguised bill.pdf.exe"]);
        check("bill.pdf          .scr", b"", &["disguised bill.pdf          .scr"]);
        check("photo\u{202e}gpj.exe", b"", &["disguised photo\u{202e}gpj.exe"]);
        check("v1.2.exe", b"", &["program v1.2.exe"]);
        check("a.exe. ", b"", &["program a.exe. "]);
        check("sums.xlsm", b"", &["macros sums.xlsm"]);
        check("disk.iso", b"", &["program disk.iso"]);
    }

    #[test]
    fn contents_are_judged() {
        let program = [b"MZ".as_slice(), &[0; 100]].concat();
        check("holiday.jpg", &program, &["program holiday.jpg"]);
        check("MZ.txt", b"MZ is a country of the DDR", &[]);
        check("a.zip", &zip("dir/bill.pdf.js", 0), &["disguised bill.pdf.js"]);
        check("a.zip", &zip("notes.txt", 1), &["locked a.zip"]);
        check("a.zip", &[zip("notes.txt", 0), zip("x.exe", 1)].concat(), &["program x.exe", "locked a.zip"]);
        check("a.docx", &zip("word/vbaProject.bin", 0), &["macros a.docx"]);
        check("a.docx", &zip("word/document.xml", 0), &[]);
        let ole = [b"\xd0\xcf\x11\xe0".as_slice(), &[0; 20], b"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0"].concat();
        check("a.doc", &ole, &["macros a.doc"]);
        check("a.zip", b"PK\x03\x04", &[]);
    }

    #[test]
    fn extended_names_are_read() {
        assert_eq!(percent_decoded(b"a%20b%zz%4"), b"a b%zz%4");
        let get = |name: &str| (name == "filename*").then_some(b"utf-8''b%C3%A9.exe".as_slice());
        assert_eq!(parameter(get, "filename").as_deref(), Some("bé.exe"));
    }
}
