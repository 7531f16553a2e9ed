//! What was written for other filters, as Sieve: the script, what is left out, and what it does.

use proptest::prelude::*;
use relais_sieve::import::{Imported, forward, maildrop, procmail};

use crate::scene::{Scene, compile};

/// The script without its first comment, its `require` and its blanks; and what is left out.
#[track_caller]
fn check(imported: &Imported, expected: &str, left: &[&str]) {
    compile(&imported.script);
    let shown = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = imported.script.lines().filter(|line| !line.starts_with("# ") && !line.starts_with("require "));
    assert_eq!(shown(&lines.collect::<Vec<_>>().join("\n")), shown(expected), "{}", imported.script);
    let told: Vec<_> = imported.left.iter().map(ToString::to_string).collect();
    assert_eq!(told, left);
}

#[test]
fn forward_files() {
    check(&forward("a@b.example\n"), "redirect \"a@b.example\";", &[]);
    check(
        &forward("# mine\n\\joe, a@b.example, \"c d\"@e.example\n"),
        "redirect :copy \"a@b.example\"; redirect :copy \"\\\"c d\\\"@e.example\"; keep;",
        &[],
    );
    check(
        &forward("\"|/usr/bin/vacation joe\"\n/home/joe/old\n:include:/etc/x\njoe"),
        "",
        &[
            "line 1: \"|/usr/bin/vacation joe\": it runs a program",
            "line 2: /home/joe/old: it writes a file that is no mailbox",
            "line 3: :include:/etc/x: it reads another file",
            "line 4: joe: this is no address",
        ],
    );
    check(&forward("/dev/null"), "discard;", &[]);
    // No script may hold NUL, so nothing that is made of one does.
    check(&forward("a@b.ex\0ample"), "redirect \"a@b.example\";", &[]);
}

#[test]
fn procmail_recipes() {
    check(
        &procmail("MAILDIR=$HOME/Maildir\nLISTS=.Lists\n\n:0:\n* ^List-Id:.*rust\n$LISTS.rust/\n"),
        "if header :contains \"list-id\" \"rust\" { fileinto :create \"Lists/rust\"; stop; }",
        &[],
    );
    check(
        &procmail(":0 c\n* ^(From|Sender):.*boss@x\\.example\n* > 1000\n! phone@y.example\n\n:0\n* !^TO_me@x\\.example\n/dev/null\n"),
        "if allof ( header :contains [\"from\", \"sender\"] \"boss@x.example\", size :over 1000 ) { redirect :copy \"phone@y.example\"; }
         if not header :regex [\"to\", \"cc\", \"bcc\", \"resent-to\", \"resent-cc\", \"apparently-to\"] \"(^|[^-a-zA-Z0-9_.])me@x\\\\.example\" { discard; stop; }",
        &[],
    );
    check(
        &procmail(
            ":0\n* ^Subject: hello\n{\n:0 c\n* B ?? world\nseen\n\n:0 E\nother\n}\n:0 fw\n| spamc\n:0\n* ? test -f x\nx\n:0\n* free money\njunk\n",
        ),
        "if header :matches \"subject\" \"hello*\" { if body :raw :contains \"world\" { fileinto :copy :create \"seen\"; } else { fileinto :create \"other\"; stop; } }",
        &[
            "line 11: :0 fw  | spamc: it runs a program",
            "line 13: :0 ? test -f x x: it runs a program",
            "line 16: :0 free money junk: this pattern has no like in Sieve",
        ],
    );
    check(
        &procmail(":0 Dc\n* ^X-A:.*(b|c)+\nfirst\n:0 A\n* < 5\nsecond\n:0\n* ^FROM_MAILER\nmailer\n"),
        "if header :comparator \"i;octet\" :regex \"x-a\" \"(b|c)+\" { fileinto :copy :create \"first\"; if size :under 5 { fileinto :create \"second\"; stop; } }
         if header :regex [\"from\", \"sender\", \"return-path\"] \"(^|<)(mailer-daemon|postmaster|mailer|daemon|root|uucp|mmdf|majordom[oa]|listserv)(@|>|$)\" { fileinto :create \"mailer\"; stop; }",
        &["line 7: :0 ^FROM_MAILER mailer: it means nearly the same, not quite"],
    );
    check(
        &procmail(":0\n* ^X:.*a\0b[0-9]\nx\n"),
        "if header :regex \"x\" \"ab[0-9]\" { fileinto :create \"x\"; stop; }",
        &[],
    );
    // It isn't one of what stands before that.
    check(
        &procmail(":0 c\n* ^A: b\na\n:0 c\n* ? x\nb\n:0 E\nc\n:0 E\nd\n"),
        "if header :matches \"a\" \"b*\" { fileinto :copy :create \"a\"; }",
        &[
            "line 4: :0 c ? x b: it runs a program",
            "line 7: :0 E  c: this has no like in Sieve",
            "line 9: :0 E  d: this has no like in Sieve",
        ],
    );
    // Nor of what stands before an `A`.
    check(
        &procmail(":0 c\n* ^A: b\na\n:0 Ac\n* ^B: c\nb\n:0 A\nc\n:0 E\nd\n"),
        "if header :matches \"a\" \"b*\" { fileinto :copy :create \"a\"; if header :matches \"b\" \"c*\" { fileinto :copy :create \"b\"; } fileinto :create \"c\"; stop; }",
        &["line 9: :0 E  d: this has no like in Sieve"],
    );
    // An `else` of what is left out is left out with it.
    check(
        &procmail(":0 c\n* ? x\na\n:0 E\nb\n"),
        "",
        &["line 1: :0 c ? x a: it runs a program", "line 4: :0 E  b: this has no like in Sieve"],
    );
}

#[test]
fn maildrop_filters() {
    check(
        &maildrop("# mine\nif (/^Subject:.*urgent/ && !/^From:.*spam/)\n{\n  cc \"!a@b.example\"\n  to \"Maildir/.Urgent\"\n}\nelsif (hasaddr(\"me@x.example\") || $SIZE > 20000)\n  to \"$HOME/Maildir/.Big/\"\nelse\n{\n  to \"$DEFAULT\"\n}\n"),
        "if allof ( header :contains \"subject\" \"urgent\", not header :contains \"from\" \"spam\" ) { redirect :copy \"a@b.example\"; fileinto :create \"Urgent\"; stop; }
         elsif anyof ( address :is [\"to\", \"cc\", \"resent-to\", \"resent-cc\"] \"me@x.example\", size :over 20000 ) { fileinto :create \"Big\"; stop; }
         else { fileinto :create \"INBOX\"; stop; }",
        &[],
    );
    // A second `else` belongs to nothing.
    check(
        &maildrop("if (/^X:/) to \"a\"\nelse to \"b\"\nelse to \"c\"\n"),
        "if exists \"x\" { fileinto :create \"a\"; stop; } else { fileinto :create \"b\"; stop; }",
        &["line 3: else to \"c\": this has no like in Sieve"],
    );
    check(
        &maildrop(
            "logfile \"x\"\nxfilter \"spamc\"\nA=1\nif (/^X: y/:w) { to \"z\" }\nif (/money/:b) to \"| prog\"\nto \"/var/x\"\n",
        ),
        "if body :raw :contains \"money\" { }",
        &[
            "line 1: logfile \"x\": this has no like in Sieve",
            "line 2: xfilter \"spamc\": it runs a program",
            "line 4: if: this pattern has no like in Sieve",
            "line 5: to | prog: it runs a program",
            "line 6: to /var/x: it writes a file that is no mailbox",
        ],
    );
}

/// The same messages go the same ways.
#[test]
fn imported_scripts_do_what_the_recipes_said() {
    let script = procmail(":0:\n* ^Subject:.*\\[rust\\]\n.Lists.rust/\n\n:0 c\n* ^X-Priority: 1\n! phone@y.example\n\n:0\n* ^Subject: *(win|won)[ ]+[0-9]+\n/dev/null\n").script;
    for (message, expected) in [
        ("Subject: Re: [Rust] x\n\n", "fileinto Lists/rust"),
        ("X-Priority: 1 (high)\n\n", "redirect phone@y.example; keep"),
        ("Subject: Won 100\n\n", ""),
        ("Subject: I won 100\n\n", "keep"),
    ] {
        assert_eq!(Scene::new(message).acts(&script), expected, "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever the file, what comes of it is a script without faults.
    #[test]
    fn what_is_imported_can_be_used(words in prop::collection::vec(prop::sample::select(vec![
        ":0", " c", " B", " E", " A", " D", ":\n", "\n", "\n", "* ", "^Subject:", ".*", "a\\.b", "(x|y)", "^TO_", "!", "{\n", "}\n", "$X", "X=1\n", "| p\n", "! a@b.example\n",
        ".F.g/\n", "/dev/null\n", "> 5\n", "if (", "/^From:.*q/", ":b", "hasaddr(\"a@b\")", " && ", " || ", ") ", "to \"m\"", "cc \"!a@b.example\"", "else ", "elsif (", "\"", "'", "`", "\\", "a@b.example, ", "\\joe", "\u{e9}",
    ]), 0..30)) {
        let text = words.concat();
        for imported in [forward(&text), procmail(&text), maildrop(&text)] {
            let faults = relais_sieve::Program::compile(&imported.script, &relais_sieve::Dialect::default()).err();
            prop_assert!(faults.is_none(), "{:?}\n{}\n{}", faults, text, imported.script);
        }
    }
}
