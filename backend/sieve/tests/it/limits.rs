//! Whatever a script is, and whatever the message: nothing panics, and all comes to an end.

use std::fmt::Write as _;

use proptest::prelude::*;
use relais_sieve::{Dialect, Program, Script};

use crate::scene::Scene;

fn faults(script: &str) -> Vec<String> {
    Program::compile(script, &Dialect::default()).err().into_iter().flatten().map(|fault| fault.to_string()).collect()
}

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    assert_eq!(faults(script), expected, "{script}");
}

#[test]
fn faults_say_what_to_do() {
    check(
        "fileinto \"x\";",
        &[
            "line 1, column 1: `fileinto` needs the extension `fileinto`; write `require \"fileinto\";` at the beginning",
        ],
    );
    check(
        "if hedaer \"a\" \"b\" { keep; }\nkeeep;",
        &[
            "line 1, column 4: the test `hedaer` is not known; did you mean `header`?",
            "line 2, column 1: the command `keeep` is not known; did you mean `keep`?",
        ],
    );
    check(
        "keep; require \"fileinto\";",
        &["line 1, column 7: `require` must stand before all else; move it to the beginning"],
    );
    check(
        "require [\"fileinto\", \"frob\"];",
        &["line 1, column 9: the extension `frob` is not here; look for its name in the list of extensions"],
    );
    check(
        "else { keep; }",
        &["line 1, column 1: `else` stands behind no `if`; write it right behind the `}` of an `if`"],
    );
    check(
        "if true { keep; } else { stop; } elsif true { stop; }",
        &["line 1, column 34: `elsif` stands behind no `if`; write it right behind the `}` of an `if`"],
    );
    check("redirect \"a b\";", &["line 1, column 10: `a b` is no address; write it as name@domain"]);
    check("if size 3 { keep; }", &["line 1, column 4: `size` wants `:over` or `:under`"]);
    check(
        "if header :contains :is \"a\" \"b\" { keep; }",
        &["line 1, column 21: `:contains` and `:is` can't stand together; leave one out"],
    );
    check(
        "if header :comparator \"i;klingon\" \"a\" \"b\" { keep; }",
        &[
            "line 1, column 23: `i;klingon` is no comparator; there are i;octet, i;ascii-casemap, i;ascii-numeric and i;unicode-casemap",
        ],
    );
    check(
        "require \"regex\"; if header :regex \"a\" \"(b\" { keep; }",
        &["line 1, column 39: `(b` is no regular expression that can be used: unclosed group"],
    );
    check(
        "require \"variables\"; set \"a.b\" \"c\"; set \"1x\" \"${frob.x}\";",
        &["line 1, column 26: the namespace of `a.b` is not known", "line 1, column 41: `1x` is no variable's name"],
    );
    check("require \"foreverypart\"; break;", &["line 1, column 25: `break` stands in no `foreverypart` of that name"]);
    check("keep { stop; }", &["line 1, column 1: `;` should"].iter().map(|_| "line 1, column 1: a block stands where `;` should; each command ends with `;`, or with a block in `{ }`").collect::<Vec<_>>());
    let many = "frob;".repeat(1000);
    assert_eq!(faults(&many).len(), relais_sieve::limit::FAULTS);
}

#[test]
fn what_costs_too_much_ends() {
    let scene = Scene::new(&format!("Subject: {}\n\n{}", "a".repeat(20_000), "ab ".repeat(300_000)));
    // Many stars over a long text, again and again.
    let key = "*a".repeat(200) + "x";
    let mut script = "require [\"body\", \"variables\", \"foreverypart\", \"mime\"];".to_owned();
    for _ in 0..200 {
        write!(script, "if body :matches \"{key}\" {{ stop; }}").unwrap();
    }
    let started = std::time::Instant::now();
    assert_eq!(scene.acts(&script), "failure: the script took too long");
    // Variables that double.
    let mut script = "require [\"variables\", \"fileinto\"]; set \"a\" \"0123456789\";".to_owned();
    for _ in 0..200 {
        script.push_str("set \"a\" \"${a}${a}\";");
    }
    script.push_str("set :length \"n\" \"${a}\"; fileinto \"${n}\";");
    assert_eq!(scene.acts(&script), format!("fileinto {}", relais_sieve::limit::VALUE_OCTETS));
    // More variables than there may be.
    let mut script = "require \"variables\";".to_owned();
    for number in 0..300 {
        write!(script, "set \"v{number}\" \"x\";").unwrap();
    }
    assert_eq!(scene.acts(&script), "failure: too many variables");
    // Headers without end.
    let mut script = "require \"editheader\";".to_owned();
    script.push_str(&"addheader \"X\" \"y\";".repeat(100));
    assert_eq!(scene.acts(&script), "failure: too many changes of the message");
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

/// Words from which scripts are thrown together: many are whole, more are not.
const WORDS: &[&str] = &[
    "require [\"fileinto\",\"variables\",\"regex\",\"relational\",\"body\",\"envelope\",\"imap4flags\",\"foreverypart\",\"mime\",\"editheader\",\"index\",\"date\",\"ihave\",\"include\",\"replace\",\"enclose\",\"extracttext\",\"encoded-character\",\"vacation\",\"comparator-i;ascii-numeric\"];",
    "if ",
    "elsif ",
    "else ",
    "not ",
    "anyof (",
    "allof (",
    ", ",
    ") ",
    "{ ",
    "} ",
    "; ",
    "true ",
    "false ",
    "header ",
    "address ",
    "exists ",
    "size :over 5 ",
    "body ",
    "string ",
    "hasflag ",
    "envelope \"from\" ",
    "date ",
    "currentdate ",
    ":contains ",
    ":matches ",
    ":regex ",
    ":is ",
    ":count \"ge\" ",
    ":value \"lt\" ",
    ":index 1 ",
    ":last ",
    ":mime ",
    ":anychild ",
    ":comparator \"i;ascii-numeric\" ",
    "\"subject\" ",
    "\"${1}*?\" ",
    "\"${a}\" ",
    "[\"from\",\"to\"] ",
    "\"\" ",
    "\"(a|b)*c\" ",
    "\"${hex:41}\" ",
    "keep; ",
    "stop; ",
    "discard; ",
    "fileinto \"${a}x\"; ",
    "set \"a\" \"${a}${0}b\"; ",
    "set :length :upper \"a\" \"${a}\"; ",
    "addflag \"\\\\Seen\"; ",
    "foreverypart { ",
    "break; ",
    "addheader \"X-A\" \"${a}\"; ",
    "deleteheader \"X-A\"; ",
    "replace \"r\"; ",
    "enclose \"e\"; ",
    "extracttext \"a\"; ",
    "include \"x\"; ",
    "return; ",
    "global \"g\"; ",
    "redirect \"a@b.example\"; ",
    "reject \"no\"; ",
    "vacation \"v\"; ",
    "ihave \"frob\" ",
    "text:\nx\n.\n",
    "\"year\" ",
    "12 ",
    "# c\n",
    "/* c */ ",
    "\u{e9}",
    "\\",
    "\"",
    "notify \"mailto:a@b.example\"; ",
];

const MESSAGE: &str = "From: Ann <ann@x.example>\nTo: b@y.example, c@y.example\nSubject: =?utf-8?q?=C3=A9?= hello\nX-A: 1\n\
     Date: Fri, 27 Nov 2026 14:00:00 +0100\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nabc\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\nx\n--b--\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What can be read is printed and read again as the same; what can be checked runs to an end.
    #[test]
    fn any_script_comes_to_an_end(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
        let text = words.concat();
        if let Ok(script) = Script::parse(&text) {
            let printed = script.to_string();
            let again = Script::parse(&printed).map(|script| script.to_string());
            prop_assert_eq!(again.as_deref(), Ok(printed.as_str()), "{}", text);
            let (one, other) = (faults(&text), faults(&printed));
            prop_assert_eq!(one.is_empty(), other.is_empty(), "{}\n{}", text, printed);
        }
        if let Ok(program) = Program::compile(&text, &Dialect::default()) {
            for is_at_imap in [false, true] {
                let facts = Scene::new(MESSAGE).with(|facts| facts.is_at_imap = is_at_imap).facts;
                let outcome = relais_sieve::Run::new(&program, facts, relais_sieve::Limits::default())
                    .finish(&mut |_| relais_sieve::Answer::Script(Some(program.clone())));
                prop_assert!(outcome.actions.len() <= 33);
            }
        }
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        drop(faults(&text));
    }
}

/// The worst that a regular expression can be, over what it is worst for, as often as the limits allow.
#[test]
fn regular_expressions_end() {
    let parts = "--b\n\nx\n".repeat(9_000);
    let text = "a".repeat(100_000);
    let mut scene = Scene::new(&format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n{parts}--b--\n"));
    scene.limits.work /= 4;
    for pattern in ["(a?){490}b", "(a|aa)+b", "(a*)*(a*)*(a*)*b", "([ab]*a[ab]{12}){3}c"] {
        let started = std::time::Instant::now();
        let require = "require [\"regex\", \"body\", \"variables\", \"foreverypart\"];";
        let outcome = scene.run(&format!("{require} foreverypart {{ if body :regex \"{pattern}\" {{ stop; }} }}"));
        assert!(outcome.failure.is_some(), "{pattern}");
        let set = format!("set \"x\" \"{}\";", "a".repeat(16_000));
        let outcome = scene
            .run(&format!("{require} {set} foreverypart {{ if string :regex \"${{x}}\" \"{pattern}\" {{ stop; }} }}"));
        assert!(outcome.failure.is_some(), "{pattern}");
        assert!(started.elapsed().as_secs() < 30, "{pattern}: {:?}", started.elapsed());
    }
    // Making them costs, too.
    let many = "if header :regex \"a\" \"(a?){490}b\" { stop; }".repeat(100);
    let told = faults(&format!("require \"regex\"; {many}"));
    assert!(told[0].contains("too much: regular expressions"), "{}", told[0]);
}
