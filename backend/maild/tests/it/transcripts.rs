//! Dialogues, each in a file of its own: `tests/transcripts/imap/*.txt`, played twice: as they stand, and with each octet sent
//! alone. Every one has an account of its own.
//!
//! `C:` is said by the client, `S:` must come next; `C1:`, `S1:`, `C2:`, `S2:` where several sessions take part, each logged in
//! before its first line. `…` in an expected line stands for anything; `S: …` alone passes over lines up to the one after it;
//! `S: ` and nothing more at a transcript's end: the server hangs up.
//! A `C:` line that ends with `{}` announces the `L:` lines behind it as one literal; `C+:` goes on after it.
//! `‹name›` in an expected line remembers what stands there, up to what follows; everywhere behind it stands for that.
//! `‹me›` is the account's address, its password `open`; `‹composed›` is é as one character, `‹decomposed›` as e and its accent.
//! `Person: 2 chris` has somebody else move in: ‹chris› is their address, and session 2 is theirs. `Team: sales lrk` makes a team, ‹sales› its
//! local part, on whose INBOX ‹me› has these rights.
//! `Script: acts` keeps the `L:` lines behind it as a script of ‹me›'s with that name.
//! `Mail: INBOX 3` appends three messages, number n dated n January 2026 (32 is the 1st again). `Quota:` comes first and limits
//! the account; `Most:` limits how many messages it may have. `Mailboxes: a, b/c`: it has INBOX and these alone, and is subscribed to none. `Visitor: 3` connects session 3,
//! and nobody logs in; `Visitor: 3 starttls` does so where TLS is asked for. `Compressed: 3`: from here on session 3 is.
//! `‹first›` in a client's line begins SCRAM as ‹me›, with the same password; `‹proof›` goes on after what `‹challenge›` has remembered,
//! and ‹signature› is what a server that knows the password says to it. ‹replayed› is the proof before the last `‹first›`.
//! `Shows:` names capabilities that the transcript is about. `#` begins a comment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use relais_model::Secret;
use relais_sasl::scram::{self, ChannelBindings};
use relais_store::AccountChange;

use crate::client::Client;
use crate::house::{Door, JMAP, PASSWORD, TestHouse};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_transcripts() {
    play_all(false).await;
}

/// However the client's octets arrive, the answers are the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_transcripts_octet_by_octet() {
    play_all(true).await;
}

async fn play_all(by_octet: bool) {
    let only = std::env::var("TRANSCRIPT").unwrap_or_default();
    let house = TestHouse::open().await;
    let mut faults = Vec::new();
    for (name, text) in transcripts() {
        if !name.contains(&only) {
            continue;
        }
        let quota = text.lines().find_map(|line| line.strip_prefix("Quota: ")).map(|octets| octets.parse().unwrap());
        house.move_in(&name, quota).await;
        if let Some(most) = text.lines().find_map(|line| line.strip_prefix("Most: ")) {
            let quota_messages = Some(Some(most.parse().unwrap()));
            house.change(&name, AccountChange { quota_messages, ..AccountChange::default() }).await;
        }
        let known = [("me", &*format!("{name}@relais.test")), ("composed", "\u{e9}"), ("decomposed", "e\u{301}")];
        let known = known.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (sessions, people) = (BTreeMap::new(), BTreeMap::new());
        let mut player = Player { house: &house, name, by_octet, sessions, people, known };
        if let Err(fault) = player.play(&text).await {
            faults.push(fault);
        }
    }
    house.close().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What owners hide isn't told from the next connection on, and what is known to break clients isn't from the start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hidden_extensions_are_not_announced() {
    let house = TestHouse::open().await;
    house.move_in("ann", None).await;
    for (value, hidden) in [(Some("QRESYNC, NOTIFY"), vec![" QRESYNC", " NOTIFY"]), (None, vec![" UIDONLY"])] {
        house.set("imap.hidden", value).await;
        let mut client = house.log_in("ann").await;
        client.send(b"a CAPABILITY\r\n").await;
        let mut line = client.line().await;
        while !line.starts_with("* CAPABILITY ") {
            line = client.line().await;
        }
        for name in [" QRESYNC", " NOTIFY", " UIDONLY", " CONDSTORE"] {
            assert_eq!(line.contains(name), !hidden.contains(&name), "{name} after {value:?}: {line}");
        }
    }
    house.close().await;
}

/// What is hidden from one person's programs is told to all others: RFC 2971 §2 forbids to go by what a program says of itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extensions_are_hidden_from_one_account() {
    let house = TestHouse::open().await;
    for name in ["ann", "ben"] {
        house.move_in(name, None).await;
    }
    let hidden = Some(Vec::from(["QRESYNC", "COMPRESS=DEFLATE", "IMAPSIEVE"].map(str::to_owned)));
    house.change("ann", AccountChange { imap_hidden: hidden, ..AccountChange::default() }).await;
    for (name, is_told) in [("ann", false), ("ben", true)] {
        let told = house.log_in(name).await.must("CAPABILITY").await;
        for extension in [" QRESYNC", " COMPRESS=DEFLATE", " IMAPSIEVE="] {
            assert_eq!(told[0].contains(extension), is_told, "{name}: {told:?}");
        }
        assert!(told[0].contains(" CONDSTORE"), "{name}: {told:?}");
    }
    house.close().await;
}

/// RFC 9698 §4: where no JMAP server is known, the command is BAD and nothing announces it. §3: who isn't told of OBJECTID isn't told of it either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jmap_is_told_of_where_it_is_spoken() {
    let house = TestHouse::open().await;
    house.move_in("ann", None).await;
    for (jmap, hidden, is_announced) in
        [(Some(JMAP), "", true), (Some(JMAP), "JMAPACCESS", false), (Some(JMAP), "OBJECTID", false), (None, "", false)]
    {
        house.set("imap.jmap", jmap).await;
        house.set("imap.hidden", Some(hidden)).await;
        let mut client = house.log_in("ann").await;
        let told = client.must("CAPABILITY").await;
        assert_eq!(told[0].contains(" JMAPACCESS"), is_announced, "{jmap:?}, hidden {hidden}: {told:?}");
        let (told, end) = client.command("GETJMAPACCESS").await;
        let expected: Vec<String> = jmap.map(|url| format!("* JMAPACCESS \"{url}\"")).into_iter().collect();
        assert_eq!(told, expected, "what is hidden is there all the same");
        assert!(end.starts_with(if jmap.is_some() { "OK " } else { "BAD " }), "{jmap:?}: {end}");
    }
    house.close().await;
}

/// What we announce, in any state, is what `Shows:` names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_capability_has_a_transcript() {
    let house = TestHouse::open().await;
    house.move_in("ann", None).await;
    let mut announced = BTreeSet::new();
    for mut client in [house.log_in("ann").await, house.connect(Door::Open).await, house.connect(Door::StartTls).await]
    {
        client.send(b"a CAPABILITY\r\n").await;
        let mut line = client.line().await;
        while !line.starts_with("* CAPABILITY ") {
            line = client.line().await;
        }
        // A limit's number isn't part of its name, nor is a URL.
        let names = line.split(' ').skip(2).map(|name| match name.split_once('=') {
            Some((named @ ("APPENDLIMIT" | "SAVELIMIT" | "MESSAGELIMIT" | "IMAPSIEVE"), _)) => named,
            _ => name,
        });
        announced.extend(names.map(str::to_owned));
    }
    house.close().await;
    assert_eq!(announced, shown());
}

/// What we announce stands in docs/rfc.md by its name, and how one logs in by the mechanism's.
#[test]
fn each_capability_stands_among_the_rfcs() {
    let page = include_str!("../../../../docs/rfc.md");
    let parts = |letter: char| letter.is_whitespace() || "|,;:()`".contains(letter);
    let named: BTreeSet<&str> = page.split(parts).collect();
    let mut missing = shown();
    missing.retain(|name| !named.contains(name.trim_start_matches("AUTH=")));
    assert_eq!(missing, BTreeSet::new());
}

/// The table of commands in the parser's source is the list.
#[test]
fn each_command_has_a_transcript() {
    let source = include_str!("../../../imap/src/command.rs");
    let table =
        source.split_once("fn states(").and_then(|(_, behind)| behind.split_once("_ => return None")).unwrap().0;
    let commands: BTreeSet<&str> = table.split('"').skip(1).step_by(2).collect();
    assert!(commands.len() > 40, "{commands:?}");
    // Once carried out, and once refused.
    for end in [" OK", " BAD"] {
        let mut missing = commands.clone();
        for (_, text) in transcripts() {
            let said: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(": ")).collect();
            let ended = |tag: &str| {
                said.iter().any(|(who, words)| who.starts_with('S') && words.starts_with(&format!("{tag}{end}")))
            };
            for (_, words) in said.iter().filter(|(who, _)| who.starts_with('C')) {
                let Some((tag, command)) = words.split_once(' ') else { continue };
                let command = format!("{command} ").to_uppercase();
                missing.retain(|name| !(command.starts_with(&format!("{name} ")) && ended(tag)));
            }
        }
        // Quotas are set elsewhere.
        let expected: &[&str] = if end == " OK" { &["SETQUOTA"] } else { &[] };
        assert_eq!(missing.into_iter().collect::<Vec<_>>(), expected, "{end}");
    }
}

/// The response codes that the driver and the session name, but these.
#[test]
fn each_response_code_has_a_transcript() {
    // Sent when the house closes or its store, disk or log-in service fails; when a command is slow, or too much happens; at the
    // limits of `limits.rs`.
    let elsewhere = ["INPROGRESS", "MESSAGELIMIT", "NOTIFICATIONOVERFLOW", "UNAVAILABLE"];
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = vec![here.join("src/imap.rs"), here.join("../imap/src/session.rs")];
    for folder in ["src/imap", "../imap/src/session"] {
        let files = fs::read_dir(here.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        sources.extend(files.filter(|file| !file.ends_with("tests.rs")));
    }
    let texts: String =
        transcripts().into_iter().map(|(_, text)| text.replace('-', "").replace("[METADATA ", "[METADATA")).collect();
    let mut codes = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        for behind in text.split("ResponseCode::").skip(1) {
            let name = behind.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
            codes.insert(name.to_uppercase());
        }
    }
    assert!(codes.len() > 25, "{codes:?}");
    codes.retain(|code| !texts.contains(&format!("[{code}")));
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), elsewhere);
}

/// docs/rfc-examples.md names each transcript of an example, and no other file.
#[test]
fn each_example_stands_in_the_docs() {
    let page = include_str!("../../../../docs/rfc-examples.md");
    let named: BTreeSet<&str> = page.split('`').filter_map(|words| words.strip_suffix(".txt")).collect();
    let transcripts = transcripts();
    let here: BTreeSet<&str> = transcripts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(named.difference(&here).collect::<Vec<_>>(), Vec::<&&str>::new(), "missing");
    let unnamed: Vec<_> = here.iter().filter(|name| name.starts_with("rfc") && !named.contains(**name)).collect();
    assert_eq!(unnamed, Vec::<&&str>::new(), "not in the docs");
}

/// All that `Shows:` names.
fn shown() -> BTreeSet<String> {
    let transcripts = transcripts();
    let shown = transcripts.iter().flat_map(|(_, text)| text.lines().filter_map(|line| line.strip_prefix("Shows: ")));
    shown.flat_map(|names| names.split(' ').map(str::to_owned)).collect()
}

/// All transcripts' names and texts.
fn transcripts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/imap");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(file).unwrap())
    };
    files.into_iter().map(read).collect()
}

struct Player<'a> {
    house: &'a TestHouse,
    name: String,
    by_octet: bool,
    sessions: BTreeMap<String, Client>,
    /// Whose a session is, where it isn't ‹me›'s: a local part.
    people: BTreeMap<String, String>,
    /// What `‹name›`s stand for.
    known: BTreeMap<String, String>,
}

impl Player<'_> {
    async fn play(&mut self, text: &str) -> Result<(), String> {
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let number = at + 1;
            at += 1;
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((who, words)) = line.split_once(':') else { return Err(self.not_a_line(number, line)) };
            self.say_scram(words);
            let words = self.fill_in(words.strip_prefix(' ').unwrap_or(words));
            let (act, session) = who.split_at(1);
            match (act, session) {
                _ if who == "Mail" => self.mail(&words).await,
                _ if ["Quota", "Most", "Shows"].contains(&who) => {}
                _ if who == "Person" => self.person(&words).await,
                _ if who == "Team" => self.team(&words).await,
                _ if who == "Script" => {
                    let text = String::from_utf8(literal(&lines, &mut at)).unwrap();
                    self.house.put_script(&self.name, &words, &text).await;
                }
                _ if who == "Mailboxes" => self.mailboxes(&words).await,
                _ if who == "Visitor" => self.visit(&words).await,
                _ if who == "Compressed" => {
                    let client = self.sessions.remove(&words).unwrap();
                    self.sessions.insert(words, client.compress());
                }
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
                    self.expect(session, &words, may_skip, number).await?;
                }
                _ => return Err(self.not_a_line(number, line)),
            }
        }
        Ok(())
    }

    fn not_a_line(&self, number: usize, line: &str) -> String {
        format!("{}:{number}: {line} is no line of a transcript", self.name)
    }

    /// Makes what a client says of SCRAM, where the line has it.
    fn say_scram(&mut self, words: &str) {
        let me = format!("{}@relais.test", self.name);
        let client =
            scram::Client::new(&me, &Secret::new(PASSWORD), b"never twice, is it", &ChannelBindings::default());
        let client = client.unwrap();
        if words.contains("‹first›") {
            self.known.insert("first".to_owned(), client.first());
            self.known.remove("challenge");
            self.known.remove("signature");
            if let Some(proof) = self.known.remove("proof") {
                self.known.insert("replayed".to_owned(), proof);
            }
        }
        if words.contains("‹proof›") {
            let proof = client.respond(&self.known["challenge"]).expect("a challenge");
            self.known.extend([("proof".to_owned(), proof.message), ("signature".to_owned(), proof.expected)]);
        }
    }

    /// Puts what is known in its places.
    fn fill_in(&self, words: &str) -> String {
        self.known.iter().fold(words.to_owned(), |words, (name, value)| words.replace(&format!("‹{name}›"), value))
    }

    async fn expect(&mut self, session: &str, expected: &str, may_skip: bool, number: usize) -> Result<(), String> {
        let name = self.name.clone();
        let client = self.session(session).await;
        loop {
            let Some(line) = client.line_if_any().await else {
                return Err(format!("{name}:{number}: expected {expected}\n    nothing came"));
            };
            if let Some(learnt) = matches(expected, &line) {
                self.known.extend(learnt);
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
            let mut client = self.house.connect(Door::Open).await;
            let greeting = client.line().await;
            assert!(greeting.starts_with("* OK"), "{greeting}");
            let local_part = self.people.get(session).unwrap_or(&self.name);
            client.must(&format!("LOGIN {local_part}@relais.test {PASSWORD}")).await;
            self.admit(session, client);
        }
        self.sessions.get_mut(session).unwrap()
    }

    async fn person(&mut self, words: &str) {
        let (session, person) = words.split_once(' ').unwrap();
        let local_part = format!("{}-{person}", self.name);
        self.house.move_in(&local_part, None).await;
        self.known.insert(person.to_owned(), format!("{local_part}@relais.test"));
        self.people.insert(session.to_owned(), local_part);
    }

    async fn team(&mut self, words: &str) {
        let (team, rights) = words.split_once(' ').unwrap();
        let local_part = format!("{}-{team}", self.name);
        self.house.found_team(&local_part, &self.name, rights).await;
        self.known.insert(team.to_owned(), local_part);
    }

    async fn visit(&mut self, words: &str) {
        let (session, door) = match words.split_once(' ') {
            Some((session, "starttls")) => (session, Door::StartTls),
            _ => (words, Door::Open),
        };
        let client = self.house.connect(door).await;
        self.admit(session, client);
    }

    fn admit(&mut self, session: &str, mut client: Client) {
        if self.by_octet && session != MAIL {
            client.send_by_octet();
        }
        self.sessions.insert(session.to_owned(), client);
    }

    async fn mailboxes(&mut self, words: &str) {
        let client = self.session(MAIL).await;
        client.must("UNSUBSCRIBE INBOX").await;
        for name in ["Drafts", "Sent", "Junk", "Trash", "Archive"] {
            client.must(&format!("DELETE {name}")).await;
            client.must(&format!("UNSUBSCRIBE {name}")).await;
        }
        for name in words.split(", ") {
            client.must(&format!("CREATE \"{name}\"")).await;
        }
    }

    async fn mail(&mut self, words: &str) {
        let (mailbox, count) = words.rsplit_once(' ').unwrap();
        let client = self.session(MAIL).await;
        let append = |number: u32| {
            let message = message(number);
            let (length, day) = (message.len(), day(number));
            format!(" \"{day:2}-Jan-2026 10:00:00 +0000\" {{{length}+}}\r\n{message}")
        };
        let numbers: Vec<u32> = (1..=count.parse().unwrap()).collect();
        // Few have a MODSEQ each; many come quickly.
        for some in numbers.chunks(if numbers.len() > FEW { 500 } else { 1 }) {
            let messages: String = some.iter().map(|number| append(*number)).collect();
            client.must(&format!("APPEND {mailbox}{messages}")).await;
        }
    }
}

/// So many messages that `Mail:` asks for are appended one by one.
const FEW: usize = 100;

/// The session that appends what a transcript's `Mail:` asks for.
const MAIL: &str = "mail";

/// The day of January of message number n.
const fn day(number: u32) -> u32 {
    (number - 1) % 31 + 1
}

/// Message number n of every mailbox.
fn message(number: u32) -> String {
    let day = day(number);
    format!(
        "From: Ann <ann@relais.test>\r\nTo: ben@relais.test\r\nSubject: Mail {number}\r\n\
         Date: {day} Jan 2026 09:00:00 +0000\r\nMessage-ID: <{number}@relais.test>\r\n\r\nBody {number}\r\n"
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

/// Whether `line` is `expected`, in which `…` and `‹name›` stand for anything: what the names stand for then.
fn matches(expected: &str, line: &str) -> Option<Vec<(String, String)>> {
    let mut learnt = Vec::new();
    let mut rest = line;
    let mut gap: Option<Option<&str>> = None;
    let mut ahead = expected;
    loop {
        let at = ahead.find(['…', '‹']).unwrap_or(ahead.len());
        let (text, behind) = ahead.split_at(at);
        // The last text ends the line; others are looked for from the left.
        let found = match (&gap, behind.is_empty()) {
            (None, _) => rest.starts_with(text).then_some(0)?,
            (Some(_), true) => rest.len().checked_sub(text.len()).filter(|at| rest.get(*at..) == Some(text))?,
            (Some(_), false) => rest.find(text)?,
        };
        if let Some(Some(name)) = gap {
            learnt.push((name.to_owned(), rest[..found].to_owned()));
        }
        rest = &rest[found + text.len()..];
        if behind.is_empty() {
            return rest.is_empty().then_some(learnt);
        }
        (gap, ahead) = if let Some(behind) = behind.strip_prefix('…') {
            (Some(None), behind)
        } else {
            let (name, behind) = behind.strip_prefix('‹')?.split_once('›')?;
            (Some(Some(name)), behind)
        };
    }
}
