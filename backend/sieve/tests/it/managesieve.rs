//! Plays the transcripts of `tests/transcripts` and what they cannot say.
//!
//! A transcript's lines: `C:` what the client sends, `S:` what we answer, `=` how the house is (below), `#` a remark.
//! Client lines that follow one another arrive together. `S: (TLS)` is the handshake, `S: (closed)` the end.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use relais_model::Tls;
use relais_sasl::scram::{ChannelBindings, Known, Verifier, derive};
use relais_sasl::{Credentials, Shown};
use relais_sieve::managesieve::{Answer, Config, Listed, Question, Session, Step};
use relais_sieve::{Capabilities, Capability, Dialect};

fn config(tls: Tls) -> Config {
    let capabilities = Capabilities::default().with(Capability::FileInto).with(Capability::Vacation);
    Config {
        implementation: "Relais".to_owned(),
        tls,
        allow_plain_login: false,
        scram: true,
        dialect: Dialect { capabilities, ..Dialect::default() },
        max_redirects: 4,
    }
}

/// tim has the passwords `other` and `pencil` over SCRAM.
fn known() -> Known {
    let salt = b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81"; // RFC 7677 §3's
    let keys = [&b"other"[..], b"pencil"].iter().map(|password| derive(password, salt, 4096)).collect();
    let bindings = ChannelBindings { tls_exporter: Some([7; 32]), tls_server_end_point: Some(vec![9; 32]) };
    let verifier = Verifier { salt: salt.to_vec(), iterations: 4096, keys };
    Known { verifier, nonce: *b"never twice, is it", bindings }
}

/// Stands for log-in service and store.
fn answer(question: &Question, fails: bool) -> Answer {
    let is_there = |name: &str| ["summer_script", "main_script"].contains(&name);
    match question {
        Question::Login(Shown::Password(Credentials { login_name, authorization, password })) => {
            let is_right = login_name == "tim" && password.expose() == "tanstaaf" && authorization.is_none();
            if is_right { Answer::LoggedIn("tim".to_owned()) } else { Answer::Refused }
        }
        _ if fails => Answer::Unavailable,
        Question::Keys(_) => Answer::Known(Box::new(known())),
        Question::Login(Shown::Proof(Some(1))) => Answer::LoggedIn("tim".to_owned()),
        Question::Login(Shown::Token(bearer)) if bearer.token.expose() == "token" => Answer::LoggedIn("tim".to_owned()),
        Question::Login(Shown::Proof(_) | Shown::Token(_)) => Answer::Refused,
        Question::List => {
            let listed = |name: &str, is_active| Listed { name: name.to_owned(), is_active };
            let scripts = [("summer_script", false), ("vac\"ation_script", false), ("main_script", true)];
            Answer::Scripts(scripts.map(|(name, is_active)| listed(name, is_active)).to_vec())
        }
        Question::HaveSpace { octets, .. } if *octets > 1000 => Answer::TooLarge,
        Question::Put { name, .. } if name == "many" => Answer::TooMany,
        Question::SetActive { name } if !name.is_empty() && !is_there(name) => Answer::NotThere,
        Question::Get { name } | Question::Delete { name } | Question::Rename { from: name, .. } if !is_there(name) => {
            Answer::NotThere
        }
        Question::Get { .. } => Answer::Text("#this is my script".to_owned()),
        Question::Delete { name } if name == "main_script" => Answer::Active,
        Question::Rename { to, .. } if is_there(to) => Answer::Exists,
        _ => Answer::Done,
    }
}

/// Drives until more is to be read; true at the close.
fn run(session: &mut Session, fails: bool, said: &mut Vec<u8>) -> bool {
    loop {
        match session.step() {
            Step::Read => return false,
            Step::Write(octets) => said.extend(octets),
            Step::StartTls => {
                said.extend(b"(TLS)\r\n");
                session.tls_started();
            }
            Step::Ask(question) => session.answer(answer(&question, fails)),
            Step::Close => {
                said.extend(b"(closed)\r\n");
                return true;
            }
        }
    }
}

fn play(path: &Path, text: &str, chunk: usize) {
    let (mut tls, mut fails, mut is_quiet, mut logs_in) = (Tls::Active, false, false, false);
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    while let Some(word) = lines.next_if(|line| line.starts_with('=')) {
        match word.trim_start_matches("= ") {
            "STARTTLS offered" => tls = Tls::Offered,
            "fails" => fails = true,
            "quiet" => is_quiet = true,
            "logged in" => logs_in = true,
            word => panic!("unknown: = {word}"),
        }
    }
    let mut session = Session::new(config(tls));
    let mut said = Vec::new();
    let mut is_closed = run(&mut session, fails, &mut said);
    if logs_in {
        session.feed(b"AUTHENTICATE \"PLAIN\" \"AHRpbQB0YW5zdGFhZg==\"\r\n");
        is_closed = run(&mut session, fails, &mut said);
    }
    if is_quiet || logs_in {
        said.clear();
    }
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
                is_closed = run(&mut session, fails, &mut said);
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
        // Whether octets followed STARTTLS depends on when they came.
        if !text.to_lowercase().contains("c: starttls") {
            play(&path, &text, 1);
            play(&path, &text, 7);
        }
        played += 1;
    }
    assert!(played > 10, "the transcripts are there");
}

/// All that is said to `input`, cut before each of `cuts`.
fn converse(input: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut session, mut said) = (Session::new(config(Tls::Active)), Vec::new());
    let mut is_closed = run(&mut session, false, &mut said);
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (input.len() + 1)).chain([0, input.len()]).collect();
    cuts.sort_unstable();
    for window in cuts.windows(2) {
        if !is_closed && window[0] < window[1] {
            session.feed(&input[window[0]..window[1]]);
            is_closed = run(&mut session, false, &mut said);
        }
    }
    said
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        words in prop::collection::vec(prop::sample::select(vec![
            "NOOP", "AUTHENTICATE", "\"PLAIN\"", "\"AHRpbQB0YW5zdGFhZg==\"", "PUTSCRIPT", "\"a\"", "{5+}", "{3}", "keep;", "\r\n",
            "\r\n", "\r\n", "\n", " ", " ", "LISTSCRIPTS", "12", "\"", "\\", "{", "}", "\u{e9}", "CHECKSCRIPT", "LOGOUT", "*",
        ]), 0..40),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let input = words.concat();
        prop_assert_eq!(converse(input.as_bytes(), &[]), converse(input.as_bytes(), &cuts));
    }
}

#[test]
fn silence_is_told() {
    let mut session = Session::new(config(Tls::Active));
    session.expire();
    assert_eq!(session.step(), Step::Write(b"BYE \"Until later\"\r\n".to_vec()));
    assert_eq!(session.step(), Step::Close);
}
