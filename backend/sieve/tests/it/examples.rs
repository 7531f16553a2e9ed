//! The examples of the RFCs, by their sections, over messages that they fit and that they don't fit. What a fragment leaves out
//! (`require`, a test around it) is added.

use relais_model::{EnvelopeId, Notify, OriginalRecipient, Ret, SpecialUse};
use relais_sieve::vacation::House;
use relais_sieve::{Acting, DeliverBy};

use crate::scene::{Scene, edited};

const COYOTE: &str = "Date: Tue, 1 Apr 1997 09:06:31 -0800 (PST)\nFrom: coyote@desert.example.org\nTo: roadrunner@acme.example.com\n\
     Subject: I have a present for you\n\nLook, I'm sorry about the whole anvil thing, and I really\ndidn't mean to try and drop it on you from the top of the\ncliff.\n";
const RICH: &str = "From: youcouldberich!@reply-by-postal-mail.invalid\nTo: rube@landru.example.com\nDate:  Mon, 31 Mar 1997 18:26:10 -0800\n\
     Subject: $$$ YOU, TOO, CAN BE A MILLIONAIRE! $$$\n\nYOU MAY HAVE ALREADY WON TEN MILLION DOLLARS, BUT I DOUBT\nIT!  SO JUST POST THIS TO SIX HUNDRED NEWSGROUPS!\n";

/// A field's, where the day doesn't matter.
const DATE: &str = "Fri, 27 Nov 2026 14:00:00 +0000";

#[track_caller]
fn check(scene: &Scene, script: &str, expected: &str) {
    assert_eq!(scene.acts(script), expected, "{script}");
}

#[test]
fn rfc5228_sieve() {
    let (coyote, rich) = (Scene::new(COYOTE), Scene::new(RICH));
    // §2.4.2.1, §2.5.1
    let script = r#"if header :contains ["To", "Cc"] ["me@example.com", "roadrunner@acme"] { discard; }"#;
    check(&coyote, script, "");
    check(&rich, script, "keep");
    let script = r#"if anyof (not exists ["From", "Date"], header :contains "from" "fool@example.com") { discard; }"#;
    check(&coyote, script, "keep");
    check(&Scene::new("From: x\n\n"), script, "");
    // §2.7.3
    let script = r#"if header :contains :comparator "i;octet" "Subject" "MAKE MONEY FAST" { discard; }"#;
    check(&Scene::new("Subject: now MAKE MONEY FAST!\n\n"), script, "");
    check(&Scene::new("Subject: make money fast\n\n"), script, "keep");
    // §3.1, all three
    let script = r#"require "fileinto";
        if header :contains "from" "coyote" { discard; }
        elsif header :contains ["subject"] ["$$$"] { discard; }
        else { fileinto "INBOX"; }"#;
    check(&coyote, script, "");
    check(&rich, script, "");
    check(&Scene::new("\n"), script, "fileinto INBOX");
    let script = r#"if header :contains ["From"] ["coyote"] { redirect "acm@example.com"; }
        elsif header :contains "Subject" "$$$" { redirect "postmaster@example.com"; }
        else { redirect "field@example.com"; }"#;
    check(&coyote, script, "redirect acm@example.com");
    check(&rich, script, "redirect postmaster@example.com");
    check(&Scene::new("\n"), script, "redirect field@example.com");
    // §4.1 to §4.4
    let script = r#"require "fileinto"; if header :contains ["from"] "coyote" { fileinto "INBOX.harassment"; }"#;
    check(&coyote, script, "fileinto INBOX.harassment");
    check(&coyote, "redirect \"bart@example.com\";", "redirect bart@example.com");
    check(&coyote, "if size :under 1M { keep; } else { discard; }", "keep");
    check(&coyote, "if not size :under 1M { discard; }", "keep");
    check(&coyote, r#"if header :contains ["from"] ["idiot@example.com"] { discard; }"#, "keep");
    // §5.1, §5.4, §5.5, §5.7
    check(&coyote, r#"if address :is :all "from" "coyote@desert.example.org" { discard; }"#, "");
    let script = r#"require "envelope"; if envelope :all :is "from" "sender@example.com" { discard; }"#;
    check(&coyote, script, "");
    check(&coyote, r#"if not exists ["From","Date"] { discard; }"#, "keep");
    for (header, key, expected) in [
        ("X-Caffeine: C8H10N4O2\n\n", ":is [\"X-Caffeine\"] [\"\"]", "keep"),
        ("X-Caffeine: C8H10N4O2\n\n", ":contains [\"X-Caffeine\"] [\"\"]", ""),
        ("Cc: x\n\n", ":matches \"Cc\" \"?*\"", ""),
        ("Cc:\n\n", ":matches \"Cc\" \"?*\"", "keep"),
    ] {
        check(&Scene::new(header), &format!("if header {key} {{ discard; }}"), expected);
    }
    // §2.4.2.4
    let script = r#"require ["encoded-character", "variables"]; if string "$${hex:24 24}" "$$$" { discard; }"#;
    check(&coyote, script, "");
    // §9
    let script = r#"require ["fileinto"];
        if header :is "Sender" "owner-ietf-mta-filters@imc.org" { fileinto "filter"; }
        elsif address :DOMAIN :is ["From", "To"] "example.com" { keep; }
        elsif anyof (NOT address :all :contains ["To", "Cc", "Bcc"] "me@example.com",
            header :matches "subject" ["*make*money*fast*", "*university*dipl*mas*"]) { fileinto "spam"; }
        else { fileinto "personal"; }"#;
    check(&Scene::new("Sender: owner-ietf-mta-filters@imc.org\n\n"), script, "fileinto filter");
    check(&Scene::new("From: a@example.com\n\n"), script, "keep");
    check(
        &Scene::new("From: a@b.example\nTo: me@example.com.tld\nSubject: university diplomas\n\n"),
        script,
        "fileinto spam",
    );
    check(&Scene::new("From: a@b.example\nTo: me@example.com.tld\n\n"), script, "fileinto personal");
}

#[test]
fn rfc3894_copy() {
    let scene = Scene::new(COYOTE);
    check(&scene, r#"require ["copy", "fileinto"]; fileinto :copy "incoming";"#, "fileinto incoming; keep");
    let script = r#"require ["copy"]; if header :contains "from" "coyote" { redirect :copy "acm@frobnitzm.example"; }"#;
    check(&scene, script, "redirect acm@frobnitzm.example; keep");
}

#[test]
fn rfc5173_body() {
    let raw = r#"require "body"; if body :raw :contains "MAKE MONEY FAST" { discard; }"#;
    check(&Scene::new("Subject: x\n\nMAKE MONEY FAST\n"), raw, "");
    let content = r#"require ["body", "fileinto"];
        if body :content "audio/mp3" :contains "" { fileinto "jukebox"; }
        if body :content "text" :contains ["missile", "coordinates"] { fileinto "secrets"; }"#;
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nmiss=\nile\n--b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\ncoordi=\nnates\n--b\nContent-Type: audio/mp3\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n";
    check(&Scene::new(mixed), content, "fileinto jukebox; fileinto secrets");
    let text =
        r#"require ["body", "fileinto"]; if body :text :contains "project schedule" { fileinto "project/schedule"; }"#;
    check(&Scene::new("\nthe Project Schedule\n"), text, "fileinto project/schedule");
    // §6: nothing is captured.
    let script = r#"require ["body", "variables", "fileinto"]; if body :matches "*x*" { fileinto "a${1}"; }"#;
    check(&Scene::new("\nmax\n"), script, "fileinto a");
}

#[test]
fn rfc5183_environment() {
    let scene = Scene::new(COYOTE).with(|facts| {
        facts.environment = vec![("name".into(), "Relais".into()), ("location".into(), "MDA".into())];
    });
    let script = r#"require "environment"; if environment :is "name" "relais" { discard; }"#;
    check(&scene, script, "");
    check(&scene, r#"require "environment"; if environment :contains "vnd.x" "" { discard; }"#, "keep");
}

#[test]
fn rfc5229_variables() {
    let scene = Scene::new("Subject: [acme-users] [fwd] version 1.0 is out\nFrom: a@b.example\n\n");
    let wrapped = |set: &str| {
        format!("require [\"variables\", \"fileinto\"]; set \"company\" \"ACME\"; {set} fileinto \"-${{b}}-\";")
    };
    // §3
    for (value, expected) in [
        ("&%${}!", "&%${}!"),
        ("${doh!}", "${doh!}"),
        ("${unknown}", ""),
        ("${company}", "ACME"),
        ("${BAD${Company}", "${BADACME"),
        ("${President, ${Company} Inc.}", "${President, ACME Inc.}"),
    ] {
        check(&scene, &wrapped(&format!("set \"b\" \"{value}\";")), &format!("fileinto -{expected}-"));
    }
    // §4.1.2 and the table of §4.1
    for (modifiers, value, expected) in [
        (":length", "juMBlEd lETteRS", "15"),
        (":lower", "juMBlEd lETteRS", "jumbled letters"),
        (":upperfirst", "juMBlEd lETteRS", "JuMBlEd lETteRS"),
        (":upperfirst :lower", "juMBlEd lETteRS", "Jumbled letters"),
        (":quotewildcard", "Rock*", "Rock\\*"),
    ] {
        check(&scene, &wrapped(&format!("set {modifiers} \"b\" \"{value}\";")), &format!("fileinto -{expected}-"));
    }
    // §3.2
    let script = r#"require ["fileinto", "variables"];
        if header :matches "List-ID" "*<*@*" { fileinto "INBOX.lists.${2}"; stop; }
        if header :matches "Subject" "[*] *" { fileinto "${1}: ${2}"; }"#;
    check(&scene, script, "fileinto acme-users: [fwd] version 1.0 is out");
    check(&Scene::new("List-ID: x <dev@lists.example>\n\n"), script, "fileinto INBOX.lists.dev");
    // §5
    let script = r#"require "variables"; set "state" "${state} pending"; if string :matches " ${state} " "* pending *" { discard; }"#;
    check(&scene, script, "");
}

#[test]
fn rfc5230_vacation() {
    let scene = Scene::new("From: a@b.example\nTo: tjs@example.edu\nSubject: lunch?\n\n");
    check(
        &scene,
        r#"require "vacation"; vacation :days 23 :addresses ["tjs@example.edu", "ts4z@landru.example.edu"]
            "I'm away until October 19.  If it's an emergency, call 911, I guess.";"#,
        "vacation I'm away until October 19.  If it's an emergency, call 911, I guess.; keep",
    );
    let script = r#"require ["vacation", "variables"];
        if header :matches "subject" "*" {
            vacation :subject "Automatic response to: ${1}" "I'm away -- send mail to foo in my absence";
        }"#;
    check(&scene, script, "vacation [Automatic response to: lunch?] I'm away -- send mail to foo in my absence; keep");
    // §4.2: three vacations with one handle, or none, are told apart by their texts.
    let handle = |script: &str| match &scene.run(script).actions[0].act {
        relais_sieve::Acting::Vacation(vacation) => vacation.handle.clone(),
        other => panic!("{other:?}"),
    };
    let one = handle(r#"require "vacation"; vacation "Gone for a day";"#);
    assert_ne!(one, handle(r#"require "vacation"; vacation "Gone for two days";"#));
    assert_ne!(one, handle(r#"require "vacation"; vacation :subject "x" "Gone for a day";"#));
    assert_eq!("ran-away", handle(r#"require "vacation"; vacation :handle "ran-away" "I'm out";"#));
    // §5: the others.
    let script = r#"require "vacation"; if header :contains "from" "boss@example.edu" { redirect "pleeb@isp.example.org"; }
        else { vacation "Sorry, I'm away, I'll read your message when I get around to it."; }"#;
    check(&scene, script, "vacation Sorry, I'm away, I'll read your message when I get around to it.; keep");
    check(&Scene::new("From: boss@example.edu\n\n"), script, "redirect pleeb@isp.example.org");
    let script = r#"require "vacation"; if header :contains ["accept-language", "content-language"] "en" {
        vacation "I am away this week."; } else { vacation "Estoy ausente esta semana."; }"#;
    check(&Scene::new("Accept-Language: en-GB\n\n"), script, "vacation I am away this week.; keep");
    check(&scene, script, "vacation Estoy ausente esta semana.; keep");
    let script = r#"require "vacation"; if address :matches "from" "*@ourdivision.example.com" {
        vacation :subject "Gone fishing" "Having lots of fun! Back in a day or two!"; }
        else { vacation :subject "Je suis parti cette semaine" "Je lirai votre message quand je retourne."; }"#;
    let ours = Scene::new("From: x@ourdivision.example.com\n\n");
    check(&ours, script, "vacation [Gone fishing] Having lots of fun! Back in a day or two!; keep");
    let others = "vacation [Je suis parti cette semaine] Je lirai votre message quand je retourne.; keep";
    check(&scene, script, others);
    // RFC 6131 §5
    let script =
        r#"require ["vacation-seconds"]; vacation :addresses ["tjs@example.edu"] :seconds 1800 "I am in a meeting.";"#;
    check(&scene, script, "vacation I am in a meeting.; keep");
    // §4.7
    let script = r#"require "vacation"; vacation "a"; vacation "b";"#;
    check(&scene, script, "failure: `vacation` and `vacation` can't be done to one message");
}

/// RFC 5230 §4.6: the reason may be a MIME entity with fields of its own; then the answer has these, and its parts.
#[test]
fn rfc5230_mime() {
    let scene = Scene::new("From: a@b.example\nTo: ken@example.org\nSubject: lunch?\n\n");
    let script = r#"require "vacation"; vacation :mime text:
Content-Type: multipart/alternative; boundary=foo

--foo

I'm at the beach relaxing.  Mmmm, surf...

--foo
Content-Type: text/html; charset=us-ascii

<P>I'm at the <A HREF="beach.gif">beach</A> relaxing.

--foo--
.
;"#;
    let outcome = scene.run(script);
    let Acting::Vacation(vacation) = &outcome.actions[0].act else { panic!("{outcome:?}") };
    let house = House {
        addresses: &[],
        prefix: "Auto: ",
        subject: "Automated reply",
        message_id: "<1@example.org>",
        answers_all: true,
        knows_original: false,
        trusts_header: false,
    };
    let reply = String::from_utf8(vacation.reply(&scene.facts, &house).unwrap().message).unwrap();
    let (header, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(header.contains("\r\nSubject: Auto: lunch?\r\n"), "{header}");
    assert!(header.ends_with("\r\nContent-Type: multipart/alternative; boundary=foo"), "{header}");
    assert_eq!(header.matches("Content-Type").count(), 1, "{header}");
    assert!(body.starts_with("--foo\r\n\r\nI'm at the beach relaxing.") && body.ends_with("--foo--\r\n"), "{body}");
}

#[test]
fn rfc5231_relational() {
    let script = r#"require ["relational", "comparator-i;ascii-numeric", "fileinto"];
        if header :value "lt" :comparator "i;ascii-numeric" ["x-priority"] ["3"] { fileinto "Priority"; }
        elsif address :count "gt" :comparator "i;ascii-numeric" ["to"] ["5"] { fileinto "SPAM"; }
        elsif address :value "gt" :all :comparator "i;ascii-casemap" ["from"] ["M"] { fileinto "From N-Z"; }
        else { fileinto "From A-M"; }
        if allof (address :count "eq" :comparator "i;ascii-numeric" ["to", "cc"] ["1"],
            address :all :comparator "i;ascii-casemap" ["to", "cc"] ["me@foo.example.com"]) { fileinto "Only me"; }"#;
    check(&Scene::new("X-Priority: 1 (Highest)\n\n"), script, "fileinto Priority");
    check(&Scene::new("X-Priority: 3\nTo: a@b,c@d,e@f,g@h,i@j,k@l\n\n"), script, "fileinto SPAM");
    check(&Scene::new("From: zeta@x\nTo: me@foo.example.com\n\n"), script, "fileinto From N-Z; fileinto Only me");
    check(&Scene::new("From: alpha@x\n\n"), script, "fileinto From A-M");
}

#[test]
fn rfc5232_imap4flags() {
    let scene = Scene::new("From: boss@frobnitzm.example.edu\nX-Spam-score: 12\nSubject: make money\n\n");
    let script = r#"require ["fileinto", "imap4flags", "variables"];
        if header :contains "from" "boss@frobnitzm.example.edu" {
            setflag "flagvar" "\\Flagged";
            fileinto :flags "${flagvar}" "INBOX.From Boss";
        }"#;
    check(&scene, script, "fileinto INBOX.From Boss (\\Flagged)");
    for (act, expected) in [
        (
            "addflag \"flagvar\" \"\\\\Deleted\"; addflag \"flagvar\" [\"\\\\Deleted\", \"\\\\Answered\"];",
            " (\\Deleted \\Answered)",
        ),
        ("setflag \"flagvar\" \"\\\\Flagged $X\"; removeflag \"flagvar\" [\"\\\\flagged\"];", " ($X)"),
        ("setflag \"flagvar\" [\"\\\\Flagged\", \"no{flag\"];", " (\\Flagged)"),
    ] {
        let script =
            format!("require [\"fileinto\", \"imap4flags\", \"variables\"]; {act} keep :flags \"${{flagvar}}\";");
        check(&scene, &script, &format!("keep{expected}"));
    }
    let script = r#"require ["imap4flags", "relational", "comparator-i;ascii-numeric", "variables", "fileinto"];
        if header :contains ["subject"] ["money"] { addflag "\\Deleted"; }
        if hasflag :count "ge" :comparator "i;ascii-numeric" "1" { fileinto "x"; }"#;
    check(&scene, script, "fileinto x (\\Deleted)");
}

/// RFC 5232 §4: what `hasflag` finds in a variable, and in the internal one.
#[test]
fn rfc5232_hasflag() {
    let scene = Scene::new(COYOTE);
    for (test, holds) in [
        (r#"hasflag :contains "MyVar" "Junk""#, true),
        (r#"hasflag :contains "MyVar" "forward""#, true),
        (r#"hasflag :contains "MyVar" ["label", "forward"]"#, true),
        (r#"hasflag :contains "MyVar" ["junk", "forward"]"#, true),
        (r#"hasflag :contains "MyVar" "label""#, false),
        (r#"hasflag "MyVar" "forward""#, false),
        (r#"hasflag "MyVar" ["forward", "gnus-forward"]"#, true),
        (r#"hasflag :count "ge" :comparator "i;ascii-numeric" "MyFlags" "2""#, true),
        (r#"hasflag :count "ge" :comparator "i;ascii-numeric" "MyFlags" "3""#, false),
        (r#"hasflag "\\flagged""#, true),
        (r#"hasflag "A""#, false),
    ] {
        let script = format!(
            "require [\"imap4flags\", \"variables\", \"relational\", \"comparator-i;ascii-numeric\"]; set \"MyFlags\" \"A B\"; \
             set \"MyVar\" \"NonJunk Junk gnus-forward $Forwarded NotJunk JunkRecorded $Junk $NotJunk\"; \
             setflag \"\\\\Flagged\"; if {test} {{ discard; }}"
        );
        check(&scene, &script, if holds { "" } else { "keep (\\Flagged)" });
    }
}

/// RFC 5232 §6, with `removeflag` where its text has a command that is none.
#[test]
fn rfc5232_extended() {
    let script = r#"require ["fileinto", "imap4flags", "variables"];
        if size :over 1M {
            addflag "MyFlags" "Big";
            if header :is "From" "boss@company.example.com" { addflag "MyFlags" "\\Flagged"; }
            fileinto :flags "${MyFlags}" "Big messages";
        }
        if header :is "From" "grandma@example.net" {
            addflag "MyFlags" ["\\Answered", "$MDNSent"];
            fileinto :flags "${MyFlags}" "GrandMa";
        }
        if header :is "Sender" "owner-ietf-mta-filters@example.org" {
            set "MyFlags" "\\Flagged $Work";
            keep :flags "${MyFlags}";
        } elsif address :domain :is ["From", "To"] "company.example.com" {
            keep :flags "${MyFlags}";
        } elsif anyof (not address :all :contains ["To", "Cc"] "me@company.example.com",
            header :matches "subject" ["*make*money*fast*", "*university*dipl*mas*"]) {
            removeflag "MyFlags" "\\Flagged";
            fileinto :flags "${MyFlags}" "spam";
        } else {
            fileinto :flags "${MyFlags}" "personal";
        }"#;
    let large = format!("From: boss@company.example.com\n\n{}", "0123456789\n".repeat(100_000));
    for (message, expected) in [
        (large.as_str(), "fileinto Big messages (Big \\Flagged); keep (Big \\Flagged)"),
        (
            "From: grandma@example.net\nTo: me@company.example.com\n\n",
            "fileinto GrandMa (\\Answered $MDNSent); keep (\\Answered $MDNSent)",
        ),
        ("Sender: owner-ietf-mta-filters@example.org\n\n", "keep (\\Flagged $Work)"),
        ("From: a@b.example\nTo: other@x.example\n\n", "fileinto spam"),
        ("From: a@b.example\nCc: me@company.example.com\nSubject: make money fast\n\n", "fileinto spam"),
        ("From: a@b.example\nCc: me@company.example.com\n\n", "fileinto personal"),
    ] {
        check(&Scene::new(message), script, expected);
    }
}

#[test]
fn rfc5233_subaddress() {
    let script = r#"require ["envelope", "subaddress", "fileinto"];
        if envelope :detail "to" "sieve" { fileinto "inbox.ietf-sieve"; }
        if envelope :user "to" "ken" { fileinto "ken"; }
        if envelope :localpart "to" "ken+sieve" { fileinto "all"; }"#;
    check(&Scene::new("\n"), script, "fileinto inbox.ietf-sieve; fileinto ken; fileinto all");
    // §4: no separator, no detail; an empty one is there.
    let script = r#"require ["envelope", "subaddress"]; if envelope :detail :contains "to" "" { discard; }"#;
    check(&Scene::new("\n").with(|facts| facts.envelope.to = "ken@example.org".into()), script, "keep");
    check(&Scene::new("\n").with(|facts| facts.envelope.to = "ken+@example.org".into()), script, "");
}

#[test]
fn rfc5235_spamtest() {
    let script = r#"require ["spamtest", "fileinto", "relational", "comparator-i;ascii-numeric"];
        if spamtest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; }
        elsif spamtest :value "ge" :comparator "i;ascii-numeric" "3" { fileinto "INBOX.spam-trap"; }"#;
    let percent = |percent| Scene::new("\n").with(|facts| facts.spam_percent = percent);
    check(&percent(None), script, "fileinto INBOX.unclassified");
    check(&percent(Some(5)), script, "keep");
    check(&percent(Some(30)), script, "fileinto INBOX.spam-trap");
    let script = r#"require ["spamtestplus", "fileinto", "relational", "comparator-i;ascii-numeric"];
        if spamtest :percent :count "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; }
        elsif spamtest :percent :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.not-spam"; }
        elsif spamtest :percent :value "lt" :comparator "i;ascii-numeric" "37" { fileinto "INBOX.spam-trap"; }
        else { discard; }"#;
    check(&percent(None), script, "fileinto INBOX.unclassified");
    check(&percent(Some(0)), script, "fileinto INBOX.not-spam");
    check(&percent(Some(36)), script, "fileinto INBOX.spam-trap");
    check(&percent(Some(37)), script, "");
    let script = r#"require ["virustest", "fileinto", "relational", "comparator-i;ascii-numeric"];
        if virustest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; }
        if virustest :value "eq" :comparator "i;ascii-numeric" "4" { fileinto "INBOX.quarantine"; }
        elsif virustest :value "eq" :comparator "i;ascii-numeric" "5" { discard; }"#;
    let virus = |virus| Scene::new("\n").with(|facts| facts.virus = virus);
    check(&virus(None), script, "fileinto INBOX.unclassified");
    check(&virus(Some(4)), script, "fileinto INBOX.quarantine");
    check(&virus(Some(5)), script, "");
}

#[test]
fn rfc5260_date_and_index() {
    let dated = "From: boss@example.com\nDate: Mon, 26 Feb 2007 10:00:00 -0500\n\
         Received: from a; Mon, 26 Feb 2007 15:00:01 +0000\nReceived: from ([10.0.0.1]) by b; Sun, 25 Feb 2007 14:30:00 -0500\n\n";
    let script = r#"require ["date", "relational", "fileinto"];
        if allof (header :is "from" "boss@example.com",
            date :value "ge" :originalzone "date" "hour" "09",
            date :value "lt" :originalzone "date" "hour" "17") { fileinto "urgent"; }
        if anyof (date :is "received" "weekday" "0", date :is "received" "weekday" "6") { fileinto "weekend"; }"#;
    check(&Scene::new(dated), script, "fileinto urgent; fileinto weekend");
    let script = r#"require ["date", "relational"];
        if anyof (currentdate :is "weekday" "0", currentdate :is "weekday" "6",
            currentdate :value "lt" "hour" "09", currentdate :value "ge" "hour" "17") { redirect "pager@example.com"; }"#;
    check(&Scene::new(dated), script, "keep");
    check(&Scene::new(dated).with(|facts| facts.zone_minutes = 180), script, "redirect pager@example.com");
    let script = r#"require ["date", "relational", "vacation"];
        if allof (currentdate :value "ge" "date" "2026-06-30", currentdate :value "le" "date" "2027-07-07") {
            vacation :days 7 "I'm away during the first week in July.";
        }"#;
    check(&Scene::new(dated), script, "vacation I'm away during the first week in July.; keep");
    let script = r#"require ["date", "variables", "fileinto"];
        if currentdate :matches "month" "*" { set "month" "${1}"; }
        if currentdate :matches "year" "*" { set "year" "${1}"; }
        fileinto "${month}-${year}";"#;
    check(&Scene::new(dated), script, "fileinto 11-2026");
    let script = r#"require ["date", "relational", "index"];
        if date :value "gt" :index 2 :zone "-0500" "received" "iso8601" "2007-02-25T09:00:00-05:00" {
            redirect "aftercutoff@example.org";
        }"#;
    check(&Scene::new(dated), script, "redirect aftercutoff@example.org");
    let script = r#"require ["index", "variables", "fileinto"];
        if header :index 1 :last :matches "received" "*(* [*.*.*.*])*" { discard; }
        if header :last :index 1 :matches "received" "*([*.*.*.*])*" { fileinto "${2}.${5}"; }"#;
    check(&Scene::new(dated), script, "fileinto 10.1");
    let script = r#"require ["variables", "date", "editheader"];
        if currentdate :matches "std11" "*" { addheader "Processing-date" "${0}"; }"#;
    let edited = edited(&Scene::new(dated).run(script));
    assert!(edited.starts_with("Processing-date: Fri, 27 Nov 2026 14:00:00 +0000\r\n"), "{edited}");
}

#[test]
fn rfc5293_editheader() {
    let scene = Scene::new("Received: x\nX-Hello: one\nX-Hello: two\nSubject: s\n\nbody\n");
    let edit = |script: &str| edited(&scene.run(&format!("require \"editheader\"; {script}")));
    assert!(edit(r#"addheader "X-Hello" "World";"#).starts_with("X-Hello: World\r\nReceived: x"));
    assert!(edit(r#"addheader :last "X-Hello" "World";"#).contains("Subject: s\r\nX-Hello: World\r\n\r\nbody"));
    assert_eq!(edit(r#"deleteheader "X-Hello";"#), "Received: x\r\nSubject: s\r\n\r\nbody\r\n");
    assert!(!edit(r#"deleteheader :index 1 :last "x-hello";"#).contains("two"));
    assert!(!edit(r#"deleteheader :contains "X-Hello" ["ONE"];"#).contains("one"));
    // §5: the trace stays.
    assert_eq!(edit(r#"deleteheader "Received"; addheader "Auto-Submitted" "no";"#), "");
    // §6: what was done before keeps its form; tests see the new one.
    let script = r#"require ["editheader", "fileinto"]; fileinto "a"; addheader "X-New" "1";
        if exists "x-new" { fileinto "b"; }"#;
    let outcome = scene.run(script);
    assert!(outcome.actions[0].edited.is_none() && outcome.actions[1].edited.is_some());
}

#[test]
fn rfc5429_reject() {
    let script = r#"require ["reject"];
        if size :over 100 { reject text:
Your message is too big.  If you want to send me a big attachment,
put it on a public web site and send me a URL.
.
; }"#;
    check(&Scene::new(RICH), script, "reject Your message is too big.  If you want to send me a big attachment,");
    let script = r#"require ["ereject"]; if address "from" "coyote@desert.example.org" {
        ereject "I no longer accept mail from this address"; }"#;
    check(&Scene::new(COYOTE), script, "reject I no longer accept mail from this address");
    for other in ["keep;", "fileinto \"x\";", "redirect \"a@b.example\";", "ereject \"b\";", "vacation \"x\";"] {
        let script = format!("require [\"ereject\", \"fileinto\", \"vacation\"]; ereject \"a\"; {other}");
        assert!(Scene::new(COYOTE).acts(&script).starts_with("failure: "), "{other}");
    }
    check(&Scene::new(COYOTE), "require \"reject\"; reject \"a\"; discard;", "reject a");
}

#[test]
fn rfc5435_notify() {
    let scene = Scene::new("From: boss@example.org\nSubject: Q4 numbers\n\n");
    let script = r#"require ["enotify", "fileinto", "variables"];
        if header :contains "from" "boss@example.org" {
            notify :importance "1" :message "This is probably very important" "mailto:alm@example.com";
            stop;
        }"#;
    check(&scene, script, "notify alm@example.com 1 This is probably very important; keep");
    let script = r#"require ["enotify", "fileinto", "variables", "envelope"];
        if header :matches "from" "*" { set "from" "${1}"; }
        if header :matches "subject" "*" { set "subject" "${1}"; }
        notify :message "[SIEVE] ${from}: ${subject}" "mailto:alm@example.com?subject=x";"#;
    check(&scene, script, "notify alm@example.com 2 [SIEVE] boss@example.org: Q4 numbers; keep");
    let script = r#"require "enotify"; if not valid_notify_method ["mailto:", "http://gw.example.net/notify?test"] { discard; }"#;
    check(&scene, script, "");
    let script = r#"require "enotify"; if notify_method_capability "xmpp:tim@example.com?message;subject=SIEVE" "Online" "yes" { discard; }"#;
    check(&scene, script, "keep");
    let script = r#"require "enotify"; if notify_method_capability "mailto:tim@example.com" "Online" ["yes", "maybe"] { discard; }"#;
    check(&scene, script, "");
    // §6
    let script = r#"require ["enotify", "variables", "fileinto"]; set :encodeurl "body_param" "Safe body&evil=evilbody";
        fileinto "${body_param}";"#;
    check(&scene, script, "fileinto Safe%20body%26evil%3Devilbody");
}

#[test]
fn rfc5463_ihave() {
    let scene = Scene::new(COYOTE);
    let script = r#"require "ihave"; if ihave "fileinto" { fileinto "a"; } else { keep; }"#;
    check(&scene, script, "fileinto a");
    let script =
        r#"require "ihave"; if ihave "vnd.frob" { frobnicate :hard "x"; if frob 3 { keep; } } else { discard; }"#;
    check(&scene, script, "");
    let script = r#"require "ihave"; if not ihave "vnd.frob" { error "no frob here"; }"#;
    check(&scene, script, "failure: no frob here");
    let script = r#"require "ihave"; if allof (ihave "vnd.frob", frob 1) { discard; }"#;
    check(&scene, script, "keep");
}

#[test]
fn rfc5490_mailbox() {
    let mut scene = Scene::new(COYOTE).yes(&["\"Partners\""]);
    let script = r#"require ["fileinto", "reject", "mailbox"];
        if header :contains "from" "coyote" { if mailboxexists "Partners" { fileinto "Partners"; } else { reject "no"; } }"#;
    check(&scene, script, "fileinto Partners");
    check(&scene, r#"require "mailbox"; if mailboxexists ["Partners", "a//b"] { discard; }"#, "keep");
    scene.metadata.insert("/private/vendor/vendor.isode/auto-replies", "on");
    let script = r#"require ["mboxmetadata", "vacation"];
        if metadata :is "INBOX" "/private/vendor/vendor.isode/auto-replies" "on" { vacation "away"; }"#;
    check(&scene, script, "vacation away; keep");
    let script = r#"require ["mboxmetadata"]; if metadataexists "INBOX" ["/private/vendor/vendor.isode/auto-replies"] { discard; }"#;
    check(&scene, script, "");
    scene.metadata.insert("/private/vendor/vendor.isode/notification-uri", "mailto:a@b.example");
    let script = r#"require ["servermetadata", "enotify", "variables"];
        if servermetadata :matches "/private/vendor/vendor.isode/notification-uri" "*" { notify "${0}"; }
        if servermetadataexists "/private/other" { discard; }"#;
    check(&scene, script, "notify a@b.example 2 -; keep");
}

#[test]
fn rfc5703_mime() {
    let mixed = "From: boss@example.org\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello World\n--b\n\
         Content-Type: application/exe; name=\"x.com\"\nContent-Disposition: attachment; filename*=utf-8''b%C3%A4d.com\n\nMZ\n--b--\n";
    let scene = Scene::new(mixed);
    // §9.1, example 1
    let script = r#"require ["foreverypart", "mime", "fileinto"];
        foreverypart {
            if allof (header :mime :contenttype :is "Content-Type" "application/exe",
                header :mime :param "filename" :matches ["Content-Type", "Content-Disposition"] "*.com") {
                fileinto "INBOX.part";
            }
        }"#;
    check(&scene, script, "fileinto INBOX.part");
    // example 2
    let script = r#"require ["foreverypart", "mime", "replace"];
        foreverypart {
            if anyof (header :mime :contenttype :is "Content-Type" "application/exe",
                header :mime :param "filename" :matches ["Content-Type", "Content-Disposition"] "*.com") {
                replace "Executable attachment removed by user filter";
            }
        }"#;
    let text = edited(&scene.run(script));
    assert!(text.contains("Hello World") && text.contains("removed by user filter") && !text.contains("MZ"), "{text}");
    // example 3
    let script = r#"require ["foreverypart", "mime", "enclose"];
        foreverypart :name "main" {
            if header :mime :param "filename" :matches ["Content-Type", "Content-Disposition"] ["*.com", "*.exe"] {
                enclose :subject "Warning" text:
WARNING! The enclosed message contains executable attachments.
.
;
                break :name "main";
            }
        }"#;
    let text = edited(&scene.run(script));
    assert!(text.contains("Subject: Warning\r\n") && text.contains("WARNING!") && text.contains("MZ"), "{text}");
    // example 4
    let script = r#"require ["mime", "variables", "extracttext", "foreverypart", "enotify"];
        if header :contains "from" "boss@example.org" {
            foreverypart {
                if header :mime :type :is "Content-Type" "text" {
                    extracttext :first 5 "msgcontent";
                    break;
                }
            }
            notify :message "${msgcontent}" "mailto:alm@example.com";
        }"#;
    check(&scene, script, "notify alm@example.com 2 Hello; keep");
    // §4
    for (test, expected) in [
        (":mime :anychild :contenttype :is \"content-type\" \"application/exe\"", ""),
        (":mime :contenttype :is \"content-type\" \"application/exe\"", "keep"),
        (":mime :anychild :subtype \"content-type\" \"mixed\"", ""),
        (":mime :anychild :param \"filename\" \"content-disposition\" \"b\u{e4}d.com\"", ""),
        (":mime :anychild :type \"content-disposition\" \"attachment\"", ""),
    ] {
        check(&scene, &format!("require \"mime\"; if header {test} {{ discard; }}"), expected);
    }
    check(&scene, "require \"mime\"; if exists :mime :anychild \"content-disposition\" { discard; }", "");
    // §3: the inner loop goes over what is below.
    let script = r#"require ["foreverypart", "mime", "variables", "fileinto"];
        set "n" ""; foreverypart { set "n" "${n}o"; foreverypart { set "n" "${n}i"; } } fileinto "${n}";"#;
    check(&scene, script, "fileinto oiioo");
}

#[test]
fn rfc6009_dsn_and_deliverby() {
    let scene = Scene::new(COYOTE).with(|facts| {
        facts.envelope.notify = Some(Notify { success: true, ..Notify::NEVER });
        facts.envelope.orcpt =
            Some(OriginalRecipient { address_type: "rfc822".into(), address: "x@example.com".into() });
        facts.envelope.ret = Some(Ret::Headers);
        facts.envelope.envelope_id = EnvelopeId::parse("QQ314159");
        facts.envelope.deliver_by = Some(DeliverBy { at: facts.now, returns: true, trace: false });
    });
    for test in [
        r#"envelope "notify" "SUCCESS""#,
        r#"envelope :matches "orcpt" "rfc822;*@example.com""#,
        r#"envelope :is "ret" "HDRS""#,
        r#"envelope :contains "envid" "3141""#,
        r#"envelope :count "eq" :comparator "i;ascii-numeric" "notify" "1""#,
        r#"envelope :value "eq" :comparator "i;ascii-numeric" "bytimerelative" "0""#,
        r#"envelope "bymode" "return""#,
        r#"envelope "bytimeabsolute" "2026-11-27T14:00:00Z""#,
        r#"not envelope :contains "bytrace" """#,
    ] {
        let script = format!(
            "require [\"envelope\", \"envelope-dsn\", \"envelope-deliverby\", \"relational\", \"comparator-i;ascii-numeric\"]; if {test} {{ discard; }}"
        );
        check(&scene, &script, "");
    }
    let script =
        r#"require ["copy", "redirect-dsn"]; redirect :copy :notify "NEVER" :ret "full" "elsewhere@example.com";"#;
    check(&scene, script, "redirect elsewhere@example.com notify NEVER ret FULL; keep");
    let script = r#"require "redirect-dsn"; redirect :notify "success, delay" :ret "HDRS" "elsewhere@example.com";"#;
    check(&scene, script, "redirect elsewhere@example.com notify SUCCESS,DELAY ret HDRS");
    check(&scene, "redirect \"elsewhere@example.com\";", "redirect elsewhere@example.com");
    let script =
        r#"require ["copy", "redirect-deliverby"]; redirect :copy :bytimerelative 600 "cellphone@example.com";"#;
    check(&scene, script, "redirect cellphone@example.com by 1795788600N; keep");
    let script = r#"require ["copy", "redirect-deliverby", "date", "variables"];
        if currentdate :matches "date" "*" { set "date" "${0}"; }
        if currentdate :matches "zone" "*" { set "zone" "${0}"; }
        redirect :copy :bytimeabsolute "${date}T20:00:00${zone}" :bymode "return" "cellphone@example.com";"#;
    check(&scene, script, "redirect cellphone@example.com by 1795809600R; keep");
}

#[test]
fn rfc6134_lists() {
    let scene = Scene::new("From: friend@example.com\n\n")
        .yes(&["sender@example.com", "tag:example.com,2011-01-01:localHolidays"]);
    let script = r#"require ["envelope", "extlists", "fileinto"];
        if envelope :list "from" ":addrbook:default" { fileinto "friends"; } else { discard; }"#;
    check(&scene, script, "fileinto friends");
    let script = r#"require ["date", "extlists", "fileinto"];
        if currentdate :list "date" "tag:example.com,2011-01-01:localHolidays" { fileinto "holiday"; }"#;
    check(&scene, script, "fileinto holiday");
    let script = r#"require ["extlists", "envelope", "subaddress"];
        if allof (envelope :detail "to" "sieve", not header :list "from" "tag:example.com,2010-05-28:mylist") {
            redirect :list "tag:example.com,2010-05-28:mylist"; }"#;
    check(&scene, script, "redirect tag:example.com,2010-05-28:mylist");
    let script = r#"require ["extlists"]; if valid_ext_list "tag:example.com,2011-01-01:localHolidays" { discard; }"#;
    check(&scene, script, "");
    // §4: who is known may look more like junk.
    let script = r#"require ["envelope", "extlists", "fileinto", "spamtest", "relational", "comparator-i;ascii-numeric", "variables"];
        if envelope :list "from" ":addrbook:default" { set "lim" "8"; } else { set "lim" "3"; }
        if spamtest :value "ge" :comparator "i;ascii-numeric" "${lim}" { fileinto "spam"; }"#;
    let junk = |percent| Scene::new("\n").with(|facts| facts.spam_percent = Some(percent));
    for (percent, by_friend, by_stranger) in
        [(10, "keep", "keep"), (50, "keep", "fileinto spam"), (90, "fileinto spam", "fileinto spam")]
    {
        check(&junk(percent).yes(&["sender@example.com"]), script, by_friend);
        check(&junk(percent), script, by_stranger);
    }
    let script = r#"require ["variables", "extlists", "index", "reject"];
        if header :index 1 :matches "received" "*(* [*.*.*.*])*" {
            set "ip" "${3}.${4}.${5}.${6}";
            if string :list "${ip}" "tag:example.com,2011-04-10:DisallowedIPs" {
                reject "Message not allowed from this IP address";
            }
        }"#;
    let received = |from: &str| Scene::new(&format!("Received: from x (x.example [{from}]) by y; {DATE}\n\n"));
    let refused = "reject Message not allowed from this IP address";
    check(&received("192.0.2.7").yes(&["\"192.0.2.7\""]), script, refused);
    check(&received("192.0.2.8").yes(&["\"192.0.2.7\""]), script, "keep");
    let script = r#"require ["foreverypart", "mime", "enclose", "extlists"];
        foreverypart {
            if header :mime :param "filename" :list ["Content-Type", "Content-Disposition"]
                "tag:example.com,2011-04-10:BadFileNameExts" {
                enclose :subject "Warning" text:
WARNING!
.
;
                break;
            }
        }"#;
    let mixed = "From: a@b.example\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\n\
         Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=run.exe\n\nMZ\n--b--\n";
    let text = edited(&Scene::new(mixed).yes(&["\"run.exe\""]).run(script));
    assert!(text.contains("Subject: Warning\r\n") && text.contains("WARNING!") && text.contains("MZ"), "{text}");
    assert_eq!(edited(&Scene::new(mixed).run(script)), "");
}

/// RFC 6134 §2.3: what is sought of a field with addresses are these, of another its value.
#[test]
fn rfc6134_what_of_a_field_is_sought() {
    let scene = Scene::new(
        "From: \"x@y.example\" <friend@example.com>\nSubject: friend@example.com\nX-To: Ann <z@y.example>\n\n",
    );
    for (field, sought, is_there) in [
        ("from", "[\"friend@example.com\"]", true),
        ("from", "x@y.example", false),
        ("subject", "[\"friend@example.com\"]", true),
        ("x-to", "[\"Ann <z@y.example>\"]", true),
    ] {
        let script = format!("require \"extlists\"; if header :list \"{field}\" \":addrbook:default\" {{ discard; }}");
        check(&scene.clone().yes(&[sought]), &script, if is_there { "" } else { "keep" });
    }
}

#[test]
fn rfc6609_include() {
    let mut scene = Scene::new("Subject: $$$ now\n\n");
    scene
        .scripts
        .insert("always_allow", r#"require "include"; if header :is "From" "boss@example.com" { keep; return; }"#);
    scene.scripts.insert("spam_tests", r#"if header :contains "Subject" "$$" { discard; stop; }"#);
    scene.scripts.insert("mailing_lists", r#"require "fileinto"; fileinto "lists";"#);
    let script = r#"require "include"; include :personal "always_allow"; include :global "spam_tests"; include "mailing_lists";"#;
    check(&scene, script, "");
    let script =
        r#"require "include"; include :once "mailing_lists"; include :once "mailing_lists"; include :optional "none";"#;
    check(&scene, script, "fileinto lists");
    check(
        &scene,
        r#"require "include"; include "none";"#,
        "failure: the script `none` that is included here is not there or has faults",
    );
    scene.scripts.insert(
        "spam_filter",
        r#"require ["variables", "include", "relational"];
        global ["test", "test_mailbox"];
        set "test" "$${test}";
        if header :contains "Subject" "${test}" { set "test_mailbox" "spam-${test}"; }"#,
    );
    let script = r#"require ["variables", "include", "relational", "fileinto"];
        global "test"; global "test_mailbox";
        set "test" "$$"; include "spam_filter";
        if string :count "eq" "${test_mailbox}" "1" { fileinto "INBOX${test_mailbox}"; stop; }"#;
    check(&scene, script, "fileinto INBOXspam-$$$");
    let script = r#"require ["variables", "include", "fileinto"]; set "global.x" "1"; global "x"; fileinto "a${x}";"#;
    check(&scene, script, "fileinto a1");
    scene.scripts.insert("round", r#"require "include"; include "round";"#);
    check(&scene, r#"require "include"; include "round";"#, "failure: the script `round` includes itself");
}

/// RFC 6609 §3.2, §3.4: the examples as they stand, two of whose scripts have one name in two places.
#[test]
fn rfc6609_examples() {
    let scripts = [
        (
            "always_allow",
            r#"if address :is "from" "boss@example.com" { keep; } elsif address :is "from" "ceo@example.com" { keep; }"#,
        ),
        (
            ":global spam_tests",
            r#"require "reject"; if header :contains "Subject" "XXXX" { reject "Subject XXXX is unacceptable."; }
                elsif address :is "from" "money@example.com" { reject "Mail from this sender is unwelcome."; }"#,
        ),
        (
            "spam_tests",
            r#"require "reject"; if anyof (header :contains "Subject" "$$", header :contains "Subject" "Make money") {
                reject "No thank you."; }"#,
        ),
        (
            "mailing_lists",
            r#"require "fileinto"; if header :is "List-ID" "sieve.ietf.org" { fileinto "lists.sieve"; }
                elsif header :is "List-ID" "ietf-imapext.imc.org" { fileinto "lists.imapext"; }"#,
        ),
        (
            "subject_tests",
            r#"require ["include", "variables"]; global ["test", "test_mailbox"];
                if header :contains "Subject" "${test}" { set "test_mailbox" "spam-${test}"; }"#,
        ),
        ("vacation_switch", r#"require ["variables", "include"]; set "global.i_am_on_vacation" "1";"#),
    ];
    let scene = |message: &str| {
        let mut scene = Scene::new(message);
        scene.scripts.extend(scripts);
        scene
    };
    let script = r#"require ["include"];
        include :personal "always_allow"; include :global "spam_tests"; include :personal "spam_tests"; include :personal "mailing_lists";"#;
    for (message, expected) in [
        ("From: boss@example.com\n\n", "keep"),
        ("From: a@b.example\nSubject: XXXX\n\n", "reject Subject XXXX is unacceptable."),
        ("From: money@example.com\n\n", "reject Mail from this sender is unwelcome."),
        ("From: a@b.example\nSubject: Make money\n\n", "reject No thank you."),
        ("From: a@b.example\nList-ID: sieve.ietf.org\n\n", "fileinto lists.sieve"),
        ("From: ceo@example.com\nList-ID: ietf-imapext.imc.org\n\n", "keep; fileinto lists.imapext"),
        ("From: a@b.example\n\n", "keep"),
    ] {
        check(&scene(message), script, expected);
    }
    let script = r#"require ["variables", "include", "relational", "fileinto"];
        global "test"; global "test_mailbox";
        set "test" "$$"; include "subject_tests";
        set "test" "Make money"; include "subject_tests";
        if string :count "eq" "${test_mailbox}" "1" { fileinto "${test_mailbox}"; stop; }"#;
    check(&scene("Subject: $$ now\n\n"), script, "fileinto spam-$$");
    check(&scene("Subject: Make money\n\n"), script, "fileinto spam-Make money");
    check(&scene("Subject: lunch\n\n"), script, "keep");
    let script = r#"require ["variables", "include", "vacation"]; global "i_am_on_vacation"; include "vacation_switch";
        if string :is "${i_am_on_vacation}" "1" { vacation "It's true, I am on vacation."; }"#;
    check(&scene("\n"), script, "vacation It's true, I am on vacation.; keep");
    let script = r#"require ["variables", "include", "vacation"]; global "i_am_on_vacation"; set "global.i_am_on_vacation" "1";
        if string :is "${i_am_on_vacation}" "1" { vacation "It's true, I am on vacation."; }"#;
    check(&scene("\n"), script, "vacation It's true, I am on vacation.; keep");
}

#[test]
fn rfc6785_imapsieve() {
    let scene = Scene::new(COYOTE).with(|facts| {
        facts.environment = vec![("imap.cause".into(), "COPY".into()), ("imap.mailbox".into(), "ActionItems".into())];
        facts.flags = vec!["\\Seen".into()];
        facts.is_at_imap = true;
    });
    let script = r#"require ["copy", "environment", "imapsieve"];
        if anyof (environment :is "imap.cause" "APPEND", environment :is "imap.cause" "COPY") {
            if environment :is "imap.mailbox" "ActionItems" { redirect :copy "actionitems@example.com"; }
        }"#;
    check(&scene, script, "redirect actionitems@example.com; keep (\\Seen)");
    let script = r#"require ["imapsieve", "imap4flags"]; if hasflag "\\seen" { addflag "$Done"; }"#;
    check(&scene, script, "keep (\\Seen $Done)");
    // Example 2, with a method that is here.
    let script = r#"require ["enotify", "imap4flags", "variables", "environment", "imapsieve"];
        if environment :matches "imap.mailbox" "*" { set "mailbox" "${1}"; }
        if allof (hasflag "\\Flagged", environment :contains "imap.changedflags" "\\Flagged") {
            notify :message "Important message in ${mailbox}" "mailto:tim@example.com";
        }"#;
    let changed = |flag: &str| {
        let changed = ("imap.changedflags".to_owned(), flag.to_owned());
        scene.clone().with(|facts| {
            facts.environment.push(changed);
            facts.flags = vec!["\\Flagged".into()];
        })
    };
    let told = changed("\\Flagged").run(script);
    assert!(
        matches!(&told.actions[0].act, relais_sieve::Acting::Notify(notice)
        if notice.message.as_deref() == Some("Important message in ActionItems")),
        "{told:?}"
    );
    check(&changed("\\Seen"), script, "keep (\\Flagged)");
}

/// RFC 6785 §3: what is kept stays in its mailbox, whichever that is; §3.11 and §4.6: nobody waits for an answer, and there is no envelope.
#[test]
fn rfc6785_3_actions() {
    let scene = Scene::new(COYOTE).with(|facts| facts.is_at_imap = true);
    let script = r#"require "fileinto"; fileinto "INBOX"; keep;"#;
    check(&scene, script, "fileinto INBOX; keep");
    check(&Scene::new(COYOTE), script, "fileinto INBOX");
    check(&scene, "discard;", "");
    check(&scene, "keep; discard;", "keep");
    for (script, what) in [
        (r#"require "reject"; keep;"#, "reject"),
        (r#"require "ereject"; stop;"#, "ereject"),
        (r#"require "vacation"; if false { vacation "away"; }"#, "vacation"),
        (r#"require "vacation-seconds"; keep;"#, "vacation"),
        (r#"require ["include"]; include "away";"#, "vacation"),
        (r#"require "envelope"; if envelope "from" "x" { discard; }"#, "envelope"),
    ] {
        let mut scene = scene.clone();
        scene.scripts.insert("away", r#"require "vacation"; vacation "away";"#);
        check(&scene, script, &format!("failure: `{what}` is for mail that comes, not for what is done in mailboxes"));
        let outcome = scene.run(script);
        assert!(matches!(
            outcome.actions.as_slice(),
            [relais_sieve::Action { act: relais_sieve::Acting::Keep { .. }, .. }]
        ));
    }
    check(&scene, r#"require "envelope"; keep;"#, "keep");
}

#[test]
fn rfc7352_duplicate() {
    let message = "Message-ID: <a@b>\nX-Event-ID: e7\nSubject: ALERT: disk\n\n";
    let script =
        r#"require ["duplicate", "fileinto", "mailbox"]; if duplicate { fileinto :create "Trash/Duplicate"; }"#;
    check(&Scene::new(message), script, "keep");
    check(&Scene::new(message).yes(&["<a@b>"]), script, "fileinto Trash/Duplicate");
    assert_eq!(Scene::new(message).run(script).seen[0].id, "\n<a@b>");
    let script = r#"require ["duplicate", "variables", "imap4flags", "fileinto"];
        if header :matches "subject" "ALERT: *" {
            if duplicate :seconds 60 :uniqueid "${1}" { setflag "\\seen"; }
            fileinto "Alerts";
        }"#;
    check(&Scene::new(message).yes(&["disk"]), script, "fileinto Alerts (\\seen)");
    let seen = &Scene::new(message).run(script).seen;
    assert_eq!((seen[0].id.as_str(), seen[0].seconds, seen[0].last), ("\ndisk", Some(60), false));
    let script = r#"require ["duplicate"]; if duplicate :header "X-Event-ID" :handle "notifier" :last { discard; }"#;
    let outcome = Scene::new(message).yes(&["e7"]).run(script);
    assert!(outcome.actions.is_empty() && outcome.seen[0].last && outcome.seen[0].id == "notifier\ne7");
    // A notice a sender, and one a sender and subject, until it was silent for half an hour.
    for last in ["", ":last"] {
        let script = format!(
            r#"require ["duplicate", "variables", "envelope", "enotify"];
            if envelope :matches "from" "*" {{ set "sender" "${{1}}"; }}
            if header :matches "subject" "*" {{ set "subject" "${{1}}"; }}
            if not duplicate {last} :seconds 1800 :uniqueid "${{sender}}" {{
                notify :message "[SIEVE] ${{sender}}: ${{subject}}" "mailto:user@im.example.com"; }}"#
        );
        let told = "notify user@im.example.com 2 [SIEVE] sender@example.com: ALERT: disk; keep";
        check(&Scene::new(message), &script, told);
        let again = Scene::new(message).yes(&["sender@example.com"]);
        check(&again, &script, "keep");
        // Only with `:last` the time begins anew.
        assert_eq!(again.run(&script).seen.len(), usize::from(!last.is_empty()));
        assert_eq!(Scene::new(message).run(&script).seen[0].seconds, Some(1800));
    }
    let script = r#"require ["duplicate", "variables", "envelope", "enotify"];
        if envelope :matches "from" "*" { set "sender" "${1}"; }
        if header :matches "subject" "*" { set "subject" "${1}"; }
        if string :comparator "i;ascii-casemap" :matches "${subject}" "Re: *" { set "subject" "${1}"; }
        if not duplicate :seconds 1800 :uniqueid "${sender} ${subject}" {
            notify :message "[SIEVE] ${sender}: ${subject}" "mailto:user@im.example.com"; }"#;
    for subject in ["lunch", "Re: lunch", "RE: lunch"] {
        let scene = Scene::new(&format!("Subject: {subject}\n\n"));
        assert_eq!(scene.run(script).seen[0].id, "\nsender@example.com lunch");
        check(&scene.clone().yes(&["sender@example.com lunch"]), script, "keep");
        check(&scene, script, "notify user@im.example.com 2 [SIEVE] sender@example.com: lunch; keep");
    }
    let script = r#"require ["duplicate", "imap4flags"];
        if duplicate :header "X-Event-ID" :handle "notifier" { discard; }
        if allof (duplicate :header "X-Ticket-ID" :handle "support", address "to" "support@example.com",
            header :contains "subject" "fileserver") { setflag "\\seen"; }"#;
    let ticket = Scene::new("X-Ticket-ID: t9\nTo: support@example.com\nSubject: fileserver\n\n");
    check(&ticket, script, "keep");
    check(&ticket.clone().yes(&["support\\nt9"]), script, "keep (\\seen)");
    check(&ticket.yes(&["notifier\\nt9"]), script, "keep");
    // Without the field there is nothing to be the same.
    check(&Scene::new("\n").yes(&["Seen"]), r#"require ["duplicate"]; if duplicate { discard; }"#, "keep");
}

#[test]
fn rfc8579_and_rfc9042_special_use_and_mailboxid() {
    let scene = Scene::new(COYOTE).yes(&["Archive", "F6352ae03-b7f5-463c-896f-d8b48ee3"]);
    let script = r#"require ["special-use", "fileinto"];
        if specialuse_exists "\\Archive" { fileinto :specialuse "\\Archive" "INBOX/Archive"; } else { fileinto "INBOX"; }"#;
    let outcome = scene.run(script);
    let relais_sieve::Acting::FileInto(filing) = &outcome.actions[0].act else { panic!("{outcome:?}") };
    assert_eq!(
        (filing.mailbox.as_str(), filing.special_use),
        ("INBOX/Archive", Some(relais_model::SpecialUse::Archive))
    );
    check(&scene, r#"require ["special-use"]; if specialuse_exists "INBOX/x" ["\\Junk"] { discard; }"#, "keep");
    let script = r#"require ["fileinto", "mailboxid"];
        if header :contains ["from"] "coyote" { fileinto :mailboxid "F6352ae03-b7f5-463c-896f-d8b48ee3" "INBOX.harassment"; }"#;
    check(&scene, script, "fileinto INBOX.harassment");
    let script = r#"require ["mailboxid"]; if mailboxidexists ["F6352ae03-b7f5-463c-896f-d8b48ee3"] { discard; }"#;
    check(&scene, script, "");
}

/// RFC 8579 §4, §5: a use with a mailbox beside it, made or not; and one that a mailbox has to which something was copied.
#[test]
fn rfc8579_examples() {
    let filed = |script: &str| {
        let outcome = Scene::new(COYOTE).run(script);
        let Acting::FileInto(filing) = &outcome.actions[0].act else { panic!("{outcome:?}") };
        (filing.mailbox.to_string(), filing.special_use, filing.create)
    };
    let script = r#"require ["fileinto", "special-use"]; fileinto :specialuse "\\Junk" "Spam";"#;
    assert_eq!(filed(script), ("Spam".to_owned(), Some(SpecialUse::Junk), false));
    let script = r#"require ["fileinto", "special-use", "mailbox"]; fileinto :specialuse "\\Junk" :create "Spam";"#;
    assert_eq!(filed(script), ("Spam".to_owned(), Some(SpecialUse::Junk), true));
    let scene = Scene::new(COYOTE).with(|facts| {
        facts.environment = vec![("imap.cause".into(), "COPY".into()), ("imap.mailbox".into(), "Spam".into())];
        facts.is_at_imap = true;
    });
    let script = r#"require ["environment", "imapsieve", "special-use", "variables"];
        if environment :matches "imap.mailbox" "*" { set "mailbox" "${1}"; }
        if allof (environment "imap.cause" "COPY", specialuse_exists "${mailbox}" "\\Junk") {
            redirect "spam-report@example.org"; }"#;
    check(&scene.clone().yes(&["\"Spam\""]), script, "redirect spam-report@example.org");
    check(&scene.yes(&["\"Other\""]), script, "keep");
}

/// RFC 9042 §3 to §5: an id, with a name for where there is none.
#[test]
fn rfc9042_examples() {
    let scene = Scene::new(COYOTE);
    let script = r#"require ["fileinto", "mailboxid", "mailbox"]; fileinto :mailboxid "Fnosuch" :create "INBOX.no-such-folder";"#;
    let outcome = scene.run(script);
    let Acting::FileInto(filing) = &outcome.actions[0].act else { panic!("{outcome:?}") };
    let (name, id) = (filing.mailbox.as_str(), filing.mailbox_id.as_deref());
    assert_eq!((name, id, filing.create), ("INBOX.no-such-folder", Some("Fnosuch"), true));
    let script = r#"require ["enotify", "fcc", "mailboxid"]; notify :fcc "INBOX.Sent" :mailboxid "F6352ae03-b7f5-463c-896f-d8b48ee3"
        :message "You got mail!" "mailto:ken@example.com";"#;
    let outcome = scene.run(script);
    let Acting::Notify(notice) = &outcome.actions[0].act else { panic!("{outcome:?}") };
    let fcc = notice.fcc.as_ref().unwrap();
    let (name, id) = (fcc.mailbox.as_str(), fcc.mailbox_id.as_deref());
    assert_eq!((name, id), ("INBOX.Sent", Some("F6352ae03-b7f5-463c-896f-d8b48ee3")));
    let script = r#"require ["fileinto", "mailboxid"];
        if header :contains ["from"] "coyote" {
            if mailboxidexists "F6352ae03-b7f5-463c-896f-d8b48ee3" {
                fileinto :mailboxid "F6352ae03-b7f5-463c-896f-d8b48ee3" "INBOX.name.will.not.be.used";
            } else { fileinto "INBOX.harassment"; }
        }"#;
    check(&scene, script, "fileinto INBOX.harassment");
    let there = scene.yes(&["F6352ae03-b7f5-463c-896f-d8b48ee3"]).run(script);
    let Acting::FileInto(filing) = &there.actions[0].act else { panic!("{there:?}") };
    assert_eq!(filing.mailbox_id.as_deref(), Some("F6352ae03-b7f5-463c-896f-d8b48ee3"));
}

#[test]
fn rfc8580_fcc() {
    let scene = Scene::new(COYOTE);
    let script = r#"require ["vacation", "fcc", "mailbox", "imap4flags", "special-use"];
        vacation :days 7 :from "hemingway@example.com" :fcc "INBOX.Sent" :create :specialuse "\\Sent" :flags ["\\Seen"]
            "Gone Fishin'";"#;
    let outcome = scene.run(script);
    let relais_sieve::Acting::Vacation(vacation) = &outcome.actions[0].act else { panic!("{outcome:?}") };
    let fcc = vacation.fcc.as_ref().unwrap();
    assert_eq!(
        (fcc.mailbox.as_str(), fcc.create, fcc.flags.as_slice()),
        ("INBOX.Sent", true, &["\\Seen".to_owned()][..])
    );
    let script =
        r#"require ["enotify", "fcc"]; notify :fcc "INBOX.Sent" :message "You got mail!" "mailto:ken@example.com";"#;
    check(&scene, script, "notify ken@example.com 2 You got mail!; keep");
    // Where a copy can be kept, which is of mail.
    let script = r#"require ["enotify", "fcc"];
        if notify_method_capability "xmpp:ken@example.com?message;subject=SIEVE" "fcc" "yes" { discard; }
        elsif notify_method_capability "mailto:ken@example.com" "FCC" "yes" {
            notify :fcc "INBOX.Sent" :message "You got mail!" "mailto:ken@example.com";
        }"#;
    let outcome = scene.run(script);
    let Acting::Notify(notice) = &outcome.actions[0].act else { panic!("{outcome:?}") };
    let fcc = notice.fcc.as_ref().unwrap();
    assert_eq!((fcc.mailbox.as_str(), fcc.create, fcc.flags.len()), ("INBOX.Sent", false, 0));
}

#[test]
fn regular_expressions() {
    let script = r#"require ["regex", "variables", "fileinto"];
        if not address :regex ["to", "cc", "bcc"] "me(\\+.*)?@company\\.com" { discard; stop; }
        if header :regex "subject" "^\\[([[:alnum:]-]+)\\]" { set :quoteregex "q" "${1}.x"; fileinto "${1} ${q}"; }"#;
    check(&Scene::new("To: me+x@company.com\nSubject: [a-b] c\n\n"), script, "fileinto a-b a-b\\.x");
    check(&Scene::new("To: you@company.com\n\n"), script, "");
    let script = r#"require ["regex", "variables"]; set "x" "(("; if header :regex "subject" "${x}" { keep; }"#;
    assert!(Scene::new("Subject: a\n\n").acts(script).starts_with("failure: "));
}
