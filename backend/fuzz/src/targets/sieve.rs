//! Sieve: scripts, runs, rules, and a ManageSieve session over a house of two scripts.

use relais_model::Tls;
use relais_sasl::Shown;
use relais_sieve::import::{forward, maildrop, procmail};
use relais_sieve::managesieve::{Answer as Told, Config, Listed, Question as Asked, Session, Step};
use relais_sieve::rules::Rules;
use relais_sieve::{Answer, Dialect, Envelope, Facts, Limits, Program, Question, Run, Script};

use super::sasl::known;
use crate::cuts::Pieces;

/// What is read is printed, and read again as the same; a fault stands within the script.
pub(crate) fn script(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    if let Ok(script) = Script::parse(text) {
        let printed = script.to_string();
        let again = Script::parse(&printed).expect("what is printed can be read");
        assert_eq!(again.to_string(), printed, "{text}");
        let is_checked = |text: &str| Program::compile(text, &Dialect::default()).is_ok();
        assert_eq!(is_checked(text), is_checked(&printed), "{text}");
    }
    for fault in Program::compile(text, &Dialect::default()).err().unwrap_or_default() {
        assert!(fault.at.line > 0 && fault.at.column > 0, "{fault}");
        assert!(usize::try_from(fault.at.line).is_ok_and(|line| line <= text.matches('\n').count() + 1), "{fault}");
    }
}

/// A script, a NUL, and the message that it runs over: it ends within its limits, and asks no more than it may.
pub(crate) fn run(octets: &[u8]) {
    let middle = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    let (script, message) = octets.split_at(middle);
    let Ok(text) = str::from_utf8(script) else { return };
    let Ok(program) = Program::compile(text, &Dialect::default()) else { return };
    for is_at_imap in [false, true] {
        run_over(&program, message, is_at_imap);
    }
}

fn run_over(program: &Program, message: &[u8], is_at_imap: bool) {
    let envelope = Envelope { from: "a@x.example".into(), to: "b+c@y.example".into(), ..Envelope::default() };
    let facts = Facts { message: message.into(), envelope, is_at_imap, ..Facts::default() };
    let limits = Limits { work: 16 * 1024 * 1024, ..Limits::default() };
    let mut questions = 0_usize;
    let outcome = Run::new(program, facts, limits).finish(&mut |question| {
        questions += 1;
        match question {
            Question::Script { .. } => Answer::Script((!questions.is_multiple_of(3)).then(|| program.clone())),
            Question::Metadata { .. } => Answer::Text(Some("x".to_owned())),
            _ => Answer::Is(questions.is_multiple_of(2)),
        }
    });
    assert!(outcome.actions.len() <= limits.actions + 1);
    assert!(questions < 100_000, "{questions}");
}

/// What is taken for rules is written again as it was.
pub(crate) fn rules(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    if let Some(rules) = Rules::read(text) {
        assert_eq!(Rules::read(&rules.write()).as_ref(), Some(&rules), "{text}");
    }
}

/// Whatever others' recipes say, what comes of them is a script without faults.
pub(crate) fn import(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    for imported in [forward(text), procmail(text), maildrop(text)] {
        let faults = Program::compile(&imported.script, &Dialect::default()).err().unwrap_or_default();
        // A script of very many recipes may be larger than one may be.
        let is_small = text.len() < 4096;
        assert!(
            faults.is_empty() || !is_small,
            "{}\n{}",
            faults.iter().map(ToString::to_string).collect::<String>(),
            imported.script
        );
    }
}

/// What the peer hears is the same however its octets are cut.
pub(crate) fn session(octets: &[u8]) {
    assert_eq!(serve(Tls::Absent, Pieces::whole(octets)), serve(Tls::Absent, Pieces::cut(octets)));
    // What follows STARTTLS in the same piece ends the session, so cuts do matter there.
    serve(Tls::Offered, Pieces::whole(octets));
    serve(Tls::Offered, Pieces::cut(octets));
}

fn serve(tls: Tls, mut pieces: Pieces<'_>) -> Vec<u8> {
    let mut session = Session::new(Config {
        implementation: "Relais".to_owned(),
        tls,
        allow_plain_login: true,
        scram: true,
        dialect: Dialect::default(),
        max_redirects: 4,
    });
    let mut heard = Vec::new();
    loop {
        match session.step() {
            Step::Read => session.feed(pieces.next_piece()),
            Step::Write(octets) => heard.extend(octets),
            Step::StartTls => session.tls_started(),
            Step::Ask(question) => session.answer(decide(&question)),
            Step::Close => return heard,
        }
    }
}

fn decide(question: &Asked) -> Told {
    match question {
        Asked::Login(Shown::Password(credentials)) if credentials.login_name.starts_with('-') => Told::Refused,
        Asked::Login(Shown::Password(_) | Shown::Proof(Some(_))) => Told::LoggedIn("a".to_owned()),
        Asked::Keys(_) => Told::Known(Box::new(known())),
        Asked::Login(Shown::Proof(None) | Shown::Token(_)) => Told::Refused,
        Asked::List => Told::Scripts(vec![Listed { name: "a\"b".to_owned(), is_active: true }]),
        Asked::Put { text, .. } => {
            assert!(Program::compile(text, &Dialect::default()).is_ok(), "only what was checked is kept");
            Told::Done
        }
        Asked::Get { name } if name == "a" => Told::Text("keep;\r\n".to_owned()),
        Asked::Get { .. } | Asked::Delete { .. } => Told::NotThere,
        _ => Told::Done,
    }
}
