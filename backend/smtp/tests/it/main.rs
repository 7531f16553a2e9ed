//! Both machines against the transcripts, and against any octets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop at once")]

mod client;
mod pair;
mod server;
mod splits;
mod transcript;

use std::path::Path;

/// Plays every file of `tests/transcripts`: once with each input whole, once octet by octet.
#[test]
fn transcripts_are_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 50, "the transcripts are missing");
    for path in paths {
        transcript::play(&path);
    }
}
