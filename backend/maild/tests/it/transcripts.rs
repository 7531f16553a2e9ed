//! Dialogues, each in a file of its own: `tests/transcripts/imap/*.txt`, every one with an account of its own.
//!
//! `C:` is said by the client, `S:` must come next; `C1:`, `S1:`, `C2:`, `S2:` where several sessions take part, each logged in
//! before its first line. `…` in an expected line stands for anything; `S: …` alone passes over lines up to the one after it.
//! A `C:` line that ends with `{}` announces the `L:` lines behind it as one literal; `C+:` goes on after it.
//! `Mail: INBOX 3` appends three messages, number n dated n January 2026. `Quota:` comes first and limits the account.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::client::Client;
use crate::house::TestHouse;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/imap");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let only = std::env::var("TRANSCRIPT").unwrap_or_default();
    let house = TestHouse::open().await;
    let mut faults = Vec::new();
    for file in &files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let text = fs::read_to_string(file).unwrap();
        let quota = text.lines().find_map(|line| line.strip_prefix("Quota: ")).map(|octets| octets.parse().unwrap());
        house.move_in(&name, quota).await;
        let mut player = Player { house: &house, name, sessions: BTreeMap::new() };
        if let Err(fault) = player.play(&text).await {
            faults.push(fault);
        }
    }
    house.close().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

struct Player<'a> {
    house: &'a TestHouse,
    name: String,
    sessions: BTreeMap<String, Client>,
}

impl Player<'_> {
    async fn play(&mut self, text: &str) -> Result<(), String> {
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let number = at + 1;
            at += 1;
            let Some((who, words)) = line.split_once(':').filter(|_| !line.starts_with('#')) else { continue };
            let words = words.strip_prefix(' ').unwrap_or(words);
            let (act, session) = who.split_at(1);
            match (act, session) {
                _ if who == "Mail" => self.mail(words).await,
                _ if who == "Quota" => {}
                ("C", session) => {
                    let session = session.trim_end_matches('+');
                    let mut octets = words.as_bytes().to_vec();
                    if let Some(before) = words.strip_suffix("{}") {
                        let literal = literal(&lines, &mut at);
                        octets = format!("{before}{{{}+}}\r\n", literal.len()).into_bytes();
                        octets.extend_from_slice(&literal);
                    }
                    let goes_on = lines.get(at).is_some_and(|next| next.starts_with(&format!("C{session}+:")));
                    if !goes_on {
                        octets.extend_from_slice(b"\r\n");
                    }
                    self.session(session).await.send(&octets).await;
                }
                ("S", session) => {
                    if words == "…" {
                        continue;
                    }
                    let may_skip = at >= 2 && lines.get(at - 2).is_some_and(|before| *before == format!("{who}: …"));
                    self.expect(session, words, may_skip, number).await?;
                }
                _ => return Err(format!("{}:{number}: {line} is no line of a transcript", self.name)),
            }
        }
        Ok(())
    }

    async fn expect(&mut self, session: &str, expected: &str, may_skip: bool, number: usize) -> Result<(), String> {
        let name = self.name.clone();
        let client = self.session(session).await;
        loop {
            let line = client.line().await;
            if matches(expected, &line) {
                return Ok(());
            }
            let is_tagged = !line.starts_with(['*', '+']) && line.contains(" OK ");
            if !may_skip || line.is_empty() || is_tagged {
                return Err(format!("{name}:{number}: expected {expected}\n    came {line}"));
            }
        }
    }

    async fn session(&mut self, session: &str) -> &mut Client {
        if !self.sessions.contains_key(session) {
            let client = self.house.log_in(&self.name).await;
            self.sessions.insert(session.to_owned(), client);
        }
        self.sessions.get_mut(session).unwrap()
    }

    async fn mail(&mut self, words: &str) {
        let (mailbox, count) = words.rsplit_once(' ').unwrap();
        let client = self.session("mail").await;
        for number in 1..=count.parse().unwrap() {
            let message = message(number);
            let (length, date) = (message.len(), format!("{number:2}-Jan-2026 10:00:00 +0000"));
            client.must(&format!("APPEND {mailbox} \"{date}\" {{{length}+}}\r\n{message}")).await;
        }
    }
}

/// Message number n of every mailbox.
fn message(number: u32) -> String {
    format!(
        "From: Ann <ann@relais.test>\r\nTo: ben@relais.test\r\nSubject: Mail {number}\r\n\
         Date: {number} Jan 2026 09:00:00 +0000\r\nMessage-ID: <{number}@relais.test>\r\n\r\nBody {number}\r\n"
    )
}

fn literal(lines: &[&str], at: &mut usize) -> Vec<u8> {
    let mut literal = Vec::new();
    while let Some(line) = lines.get(*at).and_then(|line| line.strip_prefix("L:")) {
        literal.extend_from_slice(line.strip_prefix(' ').unwrap_or(line).as_bytes());
        literal.extend_from_slice(b"\r\n");
        *at += 1;
    }
    literal
}

/// Whether `line` is `expected`, in which `…` stands for anything.
fn matches(expected: &str, line: &str) -> bool {
    let mut pieces = expected.split('…');
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some((_, behind)) = rest.split_once(piece) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}
