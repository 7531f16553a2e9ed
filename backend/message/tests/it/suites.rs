//! Where the suites are that we did not write.

use std::path::{Path, PathBuf};

/// The folder `name` of the suites; none, and one loud line, where it is absent.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites");
    let folder = std::env::var_os("RELAIS_SUITES").map_or_else(beside, PathBuf::from).join(name);
    if !folder.is_dir() {
        eprintln!("SKIPPED: no suites at {}; set RELAIS_SUITES", folder.display());
        return None;
    }
    Some(folder)
}

/// All files below, in a fixed order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The messages of an mbox with CRLF line ends, as imaptest appends them.
pub(crate) fn mbox(path: &Path) -> Vec<Vec<u8>> {
    let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    let text = format!("\n{text}");
    text.split("\nFrom ")
        .skip(1)
        .map(|message| {
            let message = message.split_once('\n').map_or("", |(_, message)| message);
            let end = if message.ends_with('\n') || message.is_empty() { "" } else { "\n" };
            format!("{message}{end}").replace('\n', "\r\n").into_bytes()
        })
        .collect()
}
