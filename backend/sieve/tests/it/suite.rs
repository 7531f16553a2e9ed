//! Pigeonhole's test scripts: Sieve with commands that set a scene and look at what comes of it. They are its `vnd.dovecot.testsuite`,
//! and are played here; the crate knows nothing of them.

mod player;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use player::play;

/// What doesn't pass, and stands in docs/sieve.md with its reason.
const EXPLAINED: &[(&str, &str)] =
    &[("execute/errors.svtest", "Fileinto invalid folder name"), ("imap4flags/errors.svtest", "Invalid Syntax")];

/// The folder of the suites, or beside the project.
fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites");
    let folder = std::env::var_os("RELAIS_SUITES").map_or_else(beside, PathBuf::from).join("sieve");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("\nSKIPPED: no Pigeonhole scripts at {}; set RELAIS_SUITES\n", folder.display());
    None
}

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "svtest") {
            found.push(path);
        }
    }
}

#[test]
fn pigeonholes_scripts() {
    let Some(folder) = folder() else { return };
    let mut files = Vec::new();
    scripts(&folder, &mut files);
    files.sort();
    let (mut passed, mut explained, mut report) = (0, 0, String::new());
    for file in &files {
        let name = file.strip_prefix(&folder).unwrap().display().to_string();
        for (test, result) in play(file) {
            let is_explained = EXPLAINED.contains(&(name.as_str(), test.as_str()));
            match result {
                Ok(()) if is_explained => writeln!(report, "{name}: {test}: passes, though it is explained").unwrap(),
                Ok(()) => passed += 1,
                Err(_) if is_explained => explained += 1,
                Err(why) => writeln!(report, "{name}: {test}: {why}").unwrap(),
            }
        }
    }
    println!("Pigeonhole: {} files, {passed} tests pass, {explained} are explained", files.len());
    assert!(report.is_empty(), "{passed} pass\n{report}");
    assert!(passed > 0);
}
