//! Both machines against the transcripts, and against any octets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop at once")]

mod client;
mod pair;
mod server;
mod splits;
mod transcript;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Plays every file of `tests/transcripts`: once with each input whole, once octet by octet.
#[test]
fn transcripts_are_kept() {
    let paths = paths();
    assert!(paths.len() > 50, "the transcripts are missing");
    for path in paths {
        transcript::play(&path);
    }
}

/// Each command is carried out in a transcript of the server, and refused in one.
#[test]
fn each_command_has_a_transcript() {
    let commands = [
        "AUTH", "BDAT", "DATA", "EHLO", "EXPN", "HELO", "HELP", "LHLO", "MAIL", "NOOP", "QUIT", "RCPT", "RSET",
        "STARTTLS", "VRFY",
    ];
    let (mut carried_out, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for text in server_transcripts() {
        // A command that comes alone, and the reply to it. The first has the greeting before.
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.starts_with("S: 220 mx.example ") && !line.starts_with('=')).collect();
        for pair in lines.windows(2) {
            let Some(name) = pair[0].strip_prefix("C: ").and_then(|said| said.split([' ', '\\']).next()) else {
                continue;
            };
            let Some(reply) = pair[1].strip_prefix("S: ") else { continue };
            let shown = if reply.starts_with(['2', '3']) { &mut carried_out } else { &mut refused };
            shown.insert(name.to_uppercase());
        }
    }
    let missing =
        |shown: &BTreeSet<String>| commands.into_iter().filter(|name| !shown.contains(*name)).collect::<Vec<_>>();
    // A chunk's octets stand between it and its reply; EXPN is never carried out, and HELP never refused.
    assert_eq!((missing(&carried_out), missing(&refused)), (vec!["BDAT", "EXPN"], vec!["HELP"]));
}

/// Each keyword of our EHLO is used in a transcript of the server: by its command or parameter.
#[test]
fn each_extension_has_a_transcript() {
    let uses = [
        ("8BITMIME", "BODY=8BITMIME"),
        ("AUTH", "C: AUTH PLAIN"),
        ("BINARYMIME", "BODY=BINARYMIME"),
        ("CHUNKING", "C: BDAT"),
        ("DSN", "NOTIFY=SUCCESS"),
        ("ENHANCEDSTATUSCODES", "S: 250 2.1.5"),
        ("LIMITS", "S: 452 4.5.3"),
        ("PIPELINING", "C: RCPT TO:<bob@mx.example>\nC: DATA\n"),
        ("REQUIRETLS", " REQUIRETLS to "),
        ("SIZE", "SIZE=100"),
        ("SMTPUTF8", "> SMTPUTF8"),
        ("STARTTLS", "S: 220 2.0.0 Go ahead"),
    ];
    let texts = server_transcripts();
    // In answer to EHLO: a keyword has no digit before it but 8BITMIME's, and no point behind it.
    let keyword = |line: &str| {
        let words = line.strip_prefix("S: 250-").or_else(|| line.strip_prefix("S: 250 "))?.split(' ').next()?;
        words.bytes().all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit()).then(|| words.to_owned())
    };
    let announced: BTreeSet<String> = texts.iter().flat_map(|text| text.lines().filter_map(keyword)).collect();
    assert_eq!(announced, uses.iter().map(|(keyword, _)| (*keyword).to_owned()).collect());
    for (keyword, used) in uses {
        assert!(texts.iter().any(|text| text.contains(used)), "{keyword}");
    }
}

fn paths() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn server_transcripts() -> Vec<String> {
    let texts = paths().into_iter().map(|path| fs::read_to_string(path).unwrap());
    texts.filter(|text| text.contains("\n# server")).collect()
}
