//! Real messages, broken ones among them: each is read and its HTML cleaned, without an error.

use std::path::{Path, PathBuf};

use relais_reading::{Cleaner, Letter, file_octets, plain};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[test]
fn every_message_of_the_mime_suites_opens() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites");
    let folder = std::env::var_os("RELAIS_SUITES").map_or_else(beside, PathBuf::from).join("mime");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no suites at {}; set RELAIS_SUITES", folder.display());
        return;
    }
    let (mut read, mut empty) = (0, Vec::new());
    // Beside the messages stand what their parsers made of them.
    let is_message = |path: &PathBuf| {
        path.extension().is_some_and(|end| ["eml", "msg", "raw", "txt"].iter().any(|known| end == *known))
    };
    for path in files(&folder).into_iter().filter(is_message) {
        let raw = std::fs::read(&path).unwrap();
        let letter = Letter::read(&raw);
        for passage in &letter.passages {
            if let Some(html) = &passage.html {
                Cleaner::default().clean(html);
            }
            plain::paragraphs(passage.plain.as_deref().unwrap_or_default());
        }
        for file in &letter.files {
            assert!(file_octets(&raw, &file.path).is_some(), "{}: no part {}", path.display(), file.path);
            assert!(!file.name.contains(['/', '\\', '\r', '\n', '"']), "{}: {:?}", path.display(), file.name);
        }
        if letter.passages.is_empty() && letter.files.is_empty() {
            empty.push(path.display().to_string());
        }
        read += 1;
    }
    assert!(read > 200, "{read} messages");
    // A multipart without parts, or one whose boundary is nowhere, shows nothing; that is seldom.
    assert!(empty.len() * 40 < read, "{} of {read} are empty: {empty:#?}", empty.len());
}
