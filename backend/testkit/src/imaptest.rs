//! The player of imaptest's scripts: IMAP conformance tests that others wrote.
//!
//! A script is a header, then commands with what must, must not and may come back; values that the server chose are bound
//! to variables where they first stand and must be the same afterwards. The format is described at
//! <https://www.imapwiki.org/ImapTest/ScriptedTests>. How it flows: [`script`] reads a file, [`play`] opens the
//! connections it asks for and sends its commands, [`pattern`] says whether a response is one that was expected.
//!
//! The player itself is proven against Dovecot, which passes all that it has the capabilities for.

mod mbox;
mod pattern;
mod play;
mod script;
pub mod value;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use play::Server;

/// How one script went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All came as expected.
    Passed,
    /// The server lacks this capability.
    Skipped(String),
    /// What came otherwise, with the line of the script.
    Failed(String),
}

/// Plays the scripts of a folder in the order of their names, those whose name contains `only`.
///
/// # Errors
/// The folder or a script can't be read. A server that can't be reached fails the scripts, not the player.
pub fn play_all(folder: &Path, server: &Server, only: &str) -> io::Result<Vec<(String, Outcome)>> {
    let mut outcomes = Vec::new();
    for file in scripts(folder)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.contains(only) {
            outcomes.push((name, play_one(&file, server)?));
        }
    }
    Ok(outcomes)
}

fn play_one(file: &Path, server: &Server) -> io::Result<Outcome> {
    let script = script::Script::parse(&fs::read(file)?)
        .map_err(|fault| io::Error::other(format!("{}: {fault}", file.display())))?;
    let own = file.with_extension("mbox");
    let mail = if own.exists() { own } else { file.with_file_name("default.mbox") };
    Ok(play::play(&script, &mbox::messages(&fs::read(mail)?), server))
}

fn scripts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.is_file() && !name.contains('.') && name != "LICENSE"
    });
    files.sort();
    Ok(files)
}
