//! Plays the transcripts of `tests/transcripts` and what they cannot say.
//!
//! A transcript's lines: `C:` what the client sends, `S:` what we answer, `=` how the house is (below), `#` a remark.
//! Client lines that follow one another arrive together (pipelined). `S: (TLS)` is the handshake, `S: (closed)` the end.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::struct_excessive_bools, reason = "tests may")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use relais_model::{Tls, Uid, UidSet, UidValidity};
use relais_pop3::{Answer, Config, Maildrop, Question, Session, Step, limit};
use relais_sasl::scram::{ChannelBindings, Known, Verifier, derive};
use relais_sasl::{Credentials, Shown};

/// The messages of the house, by UID.
const MESSAGES: [(u32, &str); 4] = [
    (3, "Subject: one\r\n\r\nHello\r\n"),
    (7, "Subject: two\r\n\r\n.\r\n..dots\r\nlast line without end"),
    (8, "Subject: three\n\nbare line feeds\n"),
    (20, ""),
];

/// Stands for log-in service and store.
#[derive(Default, Clone)]
struct House {
    is_in_use: bool,
    is_gone: bool,
    breaks_amid: bool,
    fails: bool,
    commit_fails: bool,
    committed: Vec<UidSet>,
}

impl House {
    fn set(&mut self, word: &str) {
        match word {
            "in use" => self.is_in_use = true,
            "gone" => self.is_gone = true,
            "breaks amid" => self.breaks_amid = true,
            "fails" => self.fails = true,
            "commit fails" => self.commit_fails = true,
            _ => panic!("unknown: = {word}"),
        }
    }

    /// Answers, and gives what must be written meanwhile.
    fn answer(&mut self, session: &mut Session, question: &Question) -> Vec<u8> {
        let mut written = Vec::new();
        let answer = match question {
            _ if self.fails => Answer::Unavailable,
            Question::Login(Shown::Password(Credentials { login_name, authorization, password })) => {
                let is_right = login_name == "tim" && password.expose() == "tanstaaf" && authorization.is_none();
                if is_right { Answer::LoggedIn } else { Answer::Refused }
            }
            Question::Keys(wanted) if wanted.login_name == "later" => Answer::Unavailable,
            Question::Keys(wanted) => Answer::Known(Box::new(known(&wanted.login_name))),
            Question::Login(Shown::Proof(Some(1))) => Answer::LoggedIn,
            Question::Login(Shown::Proof(_)) => Answer::Refused,
            Question::Login(Shown::Token(bearer)) => {
                let is_right = bearer.login_name.as_deref() == Some("tim") && bearer.token.expose() == "token";
                if is_right { Answer::LoggedIn } else { Answer::Refused }
            }
            Question::OpenMaildrop if self.is_in_use => Answer::InUse,
            Question::OpenMaildrop => Answer::Maildrop(maildrop()),
            Question::Retrieve { .. } if self.is_gone => Answer::Gone,
            Question::Retrieve { uid, .. } => {
                let (_, message) = MESSAGES.iter().find(|(number, _)| *number == uid.value()).unwrap();
                for chunk in message.as_bytes().chunks(5) {
                    if session.wants_message() {
                        written.extend(session.message(chunk).unwrap_or_default());
                    }
                }
                if self.breaks_amid { Answer::Unavailable } else { Answer::MessageEnd }
            }
            Question::Commit { .. } if self.commit_fails => Answer::Unavailable,
            Question::Commit { deleted } => {
                self.committed.push(deleted.clone());
                Answer::Committed
            }
        };
        session.answer(answer);
        written
    }
}

/// Who isn't `nobody` has the passwords `other` and `pencil` over SCRAM.
fn known(name: &str) -> Known {
    let salt = b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81"; // RFC 7677 §3's
    let passwords: &[&[u8]] = if name == "nobody" { &[] } else { &[b"other", b"pencil"] };
    let keys = passwords.iter().map(|password| derive(password, salt, 4096)).collect();
    let bindings = ChannelBindings { tls_exporter: Some([7; 32]), tls_server_end_point: Some(vec![9; 32]) };
    let verifier = Verifier { salt: salt.to_vec(), iterations: 4096, keys };
    Known { verifier, nonce: *b"never twice, is it", bindings }
}

fn maildrop() -> Maildrop {
    let messages = MESSAGES.map(|(uid, message)| (Uid::new(uid).unwrap(), message.len() as u64));
    Maildrop::new(UidValidity::new(1700).unwrap(), messages)
}

fn config(tls: Tls) -> Config {
    Config { host_name: "mx.example".to_owned(), tls, allow_plain_login: false, scram: true }
}

/// Drives until more is to be read; true at the close.
fn run(session: &mut Session, house: &mut House, said: &mut Vec<u8>) -> bool {
    loop {
        match session.step() {
            Step::Read => return false,
            Step::Write(octets) => said.extend(octets),
            Step::StartTls => {
                said.extend(b"(TLS)\r\n");
                session.tls_started();
            }
            Step::Ask(question) => {
                let written = house.answer(session, &question);
                said.extend(written);
            }
            Step::Close => {
                said.extend(b"(closed)\r\n");
                return true;
            }
        }
    }
}

/// Plays one transcript; each burst of the client's is fed in chunks of at most `chunk` octets.
fn play(path: &Path, text: &str, chunk: usize) {
    let mut house = House::default();
    let mut config = config(Tls::Active);
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    while let Some(word) = lines.next_if(|line| line.starts_with('=')) {
        match word.trim_start_matches("= ") {
            "STLS offered" => config.tls = Tls::Offered,
            "no TLS" => config.tls = Tls::Absent,
            "no SCRAM" => config.scram = false,
            "plain login" => (config.tls, config.allow_plain_login) = (Tls::Absent, true),
            word => house.set(word),
        }
    }
    let mut session = Session::new(config);
    let mut said = Vec::new();
    let mut is_closed = run(&mut session, &mut house, &mut said);
    while lines.peek().is_some() {
        let (mut expected, mut sent) = (String::new(), String::new());
        while let Some(line) = lines.next_if(|line| line.starts_with("S:")) {
            writeln!(expected, "{}\r", line.get(3..).unwrap_or_default()).unwrap();
        }
        while let Some(line) = lines.next_if(|line| line.starts_with("C:")) {
            write!(sent, "{}\r\n", line.get(3..).unwrap_or_default()).unwrap();
        }
        assert_ne!((expected.len(), sent.len()), (0, 0), "{}: {:?} is no line", path.display(), lines.peek());
        let heard = String::from_utf8(std::mem::take(&mut said)).unwrap();
        assert_eq!(heard, expected, "{}, {chunk} octets at a time", path.display());
        for octets in sent.as_bytes().chunks(chunk) {
            if !is_closed {
                session.feed(octets);
                is_closed = run(&mut session, &mut house, &mut said);
            }
        }
    }
    assert_eq!(String::from_utf8(said).unwrap(), "", "{}: the transcript ends early", path.display());
}

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut played = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        play(&path, &text, usize::MAX);
        // Whether octets followed STLS depends on when they came.
        if !text.contains("C: STLS") {
            play(&path, &text, 1);
            play(&path, &text, 7);
        }
        played += 1;
    }
    assert!(played > 10, "the transcripts are there");
}

/// Every command is carried out in a transcript, and refused in one.
#[test]
fn each_command_has_a_transcript() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let texts: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    for command in [
        "AUTH", "CAPA", "DELE", "LANG", "LIST", "NOOP", "PASS", "QUIT", "RETR", "RSET", "STAT", "STLS", "TOP", "UIDL",
        "USER", "UTF8",
    ] {
        for answer in ["+", "-ERR"] {
            // A command that is answered alone.
            let is_shown = |text: &String| {
                let lines: Vec<&str> = text.lines().collect();
                lines.windows(2).any(|pair| {
                    let said = pair[0].strip_prefix("C: ").unwrap_or_default().to_uppercase();
                    let name = said.split(' ').next().unwrap_or_default();
                    name == command && pair[1].strip_prefix("S: ").is_some_and(|line| line.starts_with(answer))
                })
            };
            assert!(texts.iter().any(is_shown), "{command} and {answer}");
        }
    }
}

/// All that is said to `input`, cut before each of `cuts`.
fn converse(input: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<UidSet>) {
    let (mut session, mut house, mut said) = (Session::new(config(Tls::Active)), House::default(), Vec::new());
    let mut is_closed = run(&mut session, &mut house, &mut said);
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (input.len() + 1)).chain([0, input.len()]).collect();
    cuts.sort_unstable();
    for window in cuts.windows(2) {
        if !is_closed && window[0] < window[1] {
            session.feed(&input[window[0]..window[1]]);
            is_closed = run(&mut session, &mut house, &mut said);
        }
    }
    (said, house.committed)
}

/// What is said to `input` ends so.
#[track_caller]
fn check(input: &[u8], expected_end: &str) {
    let said = String::from_utf8(converse(input, &[]).0).unwrap();
    assert!(said.ends_with(expected_end), "{said}");
}

/// RFC 2449 §4: a command has at most 255 octets with its CRLF.
#[test]
fn lines_have_their_limit() {
    let line = |octets: usize| format!("NOOP{}\r\n", " ".repeat(octets - 6)).into_bytes();
    check(&line(limit::COMMAND_OCTETS), "-ERR Log in first\r\n");
    check(&line(limit::COMMAND_OCTETS + 1), "-ERR The line is too long\r\n(closed)\r\n");
    check(&[b'x'; limit::COMMAND_OCTETS], "-ERR The line is too long\r\n(closed)\r\n");
    let auth = |octets: usize| format!("AUTH PLAIN {}\r\n", "A".repeat(octets - 13)).into_bytes();
    check(&auth(limit::AUTH_OCTETS), "-ERR This is no message of the mechanism\r\n");
    check(&auth(limit::AUTH_OCTETS + 1), "-ERR The line is too long\r\n(closed)\r\n");
}

#[test]
fn bad_commands_have_their_limit() {
    let bad = usize::try_from(limit::BAD_COMMANDS).unwrap();
    let input = b"WHAT\r\n".repeat(bad + 5);
    let said = String::from_utf8(converse(&input, &[]).0).unwrap();
    assert_eq!(said.matches("-ERR").count(), bad);
    assert!(said.ends_with("-ERR Too many commands went wrong, goodbye\r\n(closed)\r\n"), "{said}");
}

/// RFC 1939 §3 and §6: without QUIT nothing is deleted, and a silent peer hears nothing.
#[test]
fn only_quit_deletes() {
    let login = b"USER tim\r\nPASS tanstaaf\r\nDELE 1\r\nDELE 3\r\n";
    assert_eq!(converse(login, &[]).1, []);
    let quit = [login.as_slice(), b"QUIT\r\n"].concat();
    assert_eq!(converse(&quit, &[]).1, [[3, 8].into_iter().filter_map(Uid::new).collect()]);

    let (mut session, mut house, mut said) = (Session::new(config(Tls::Active)), House::default(), Vec::new());
    session.feed(login);
    assert!(!run(&mut session, &mut house, &mut said));
    session.expire();
    said.clear();
    assert!(run(&mut session, &mut house, &mut said));
    assert_eq!((said.as_slice(), house.committed.len()), (b"(closed)\r\n".as_slice(), 0));
}

/// A listing of 100,000 messages is written in pieces, and is whole.
#[test]
fn long_listings_come_in_pieces() {
    let mut session = Session::new(config(Tls::Active));
    session.feed(b"USER tim\r\nPASS tanstaaf\r\nUIDL\r\nNOOP\r\n");
    let (mut said, mut largest) = (Vec::new(), 0);
    loop {
        match session.step() {
            Step::Ask(Question::Login(_)) => session.answer(Answer::LoggedIn),
            Step::Ask(Question::OpenMaildrop) => {
                let messages = (1..=100_000).map(|uid| (Uid::new(uid).unwrap(), 4096));
                session.answer(Answer::Maildrop(Maildrop::new(UidValidity::FIRST, messages)));
            }
            Step::Write(octets) => {
                largest = largest.max(octets.len());
                said.extend(octets);
            }
            step => {
                assert_eq!(step, Step::Read);
                break;
            }
        }
    }
    let said = String::from_utf8(said).unwrap();
    assert_eq!(said.lines().count(), 4 + 100_000 + 2);
    assert!(said.ends_with("100000 1.100000\r\n.\r\n+OK Here I am\r\n"), "the listing is whole");
    assert!(largest < limit::OUTPUT_OCTETS + 256, "{largest}");
}

/// A message larger than memory passes through: what is written is given as soon as enough has gathered.
#[test]
fn large_messages_pass_through() {
    let mut session = Session::new(config(Tls::Active));
    session.feed(b"USER tim\r\nPASS tanstaaf\r\nRETR 1\r\nTOP 1 1\r\n");
    let chunk = b"0123456789012345678901234567890123456789\r\n".repeat(100);
    let (mut written, mut chunks) = (0, 0);
    loop {
        match session.step() {
            Step::Ask(Question::Login(_)) => session.answer(Answer::LoggedIn),
            Step::Ask(Question::OpenMaildrop) => session.answer(Answer::Maildrop(maildrop())),
            Step::Ask(Question::Retrieve { .. }) => {
                let header = b"a: b\r\n\r\n".as_slice();
                for chunk in std::iter::once(header).chain([chunk.as_slice(); 1000]) {
                    if session.wants_message() {
                        chunks += 1;
                        let octets = session.message(chunk).unwrap_or_default();
                        assert!(octets.len() < limit::OUTPUT_OCTETS + 2 * chunk.len());
                        written += octets.len();
                    }
                }
                session.answer(Answer::MessageEnd);
            }
            Step::Write(octets) => written += octets.len(),
            step => {
                assert_eq!(step, Step::Read);
                break;
            }
        }
    }
    assert!(written > 1000 * chunk.len());
    assert_eq!(chunks, 1001 + 2, "TOP takes no more than it needs");
}

fn command() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "CAPA",
        "NOOP",
        "STAT",
        "LIST",
        "LIST 2",
        "UIDL",
        "UIDL 4",
        "RETR 1",
        "RETR 2",
        "RETR 9",
        "TOP 2 1",
        "DELE 1",
        "DELE 2",
        "RSET",
        "UTF8",
        "LANG",
        "LANG *",
        "USER tim",
        "PASS tanstaaf",
        "AUTH PLAIN",
        "AUTH SCRAM-SHA-256 bixhPXRpbSxuPXRpbSxyPWE=",
        "*",
        "QUIT",
        "",
    ]);
    prop_oneof![
        9 => known.prop_map(|line| format!("{line}\r\n").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

proptest! {
    /// How the peer's octets are split changes nothing, whatever they are.
    #[test]
    fn splits_change_nothing(
        is_logged_in: bool,
        commands in prop::collection::vec(command(), 0..30),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let login = if is_logged_in { b"USER tim\r\nPASS tanstaaf\r\n".to_vec() } else { Vec::new() };
        let input = [login, commands.concat()].concat();
        prop_assert_eq!(converse(&input, &cuts), converse(&input, &[]));
    }
}
