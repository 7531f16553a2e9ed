//! Rules are read back as they were written, and do what they say.

use proptest::prelude::*;
use relais_model::{Address, Flag, MailboxName, Timestamp};
use relais_sieve::rules::{Absence, Condition, Day, How, Rule, RuleAct, Rules};
use relais_sieve::{Acting, Answer, Dialect, Envelope, Facts, Limits, Program, Run};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn mailbox(name: &str) -> MailboxName {
    MailboxName::parse(name).unwrap()
}

fn example() -> Rules {
    Rules {
        absence: Some(Absence {
            is_on: true,
            from: Day::parse("2026-12-24"),
            until: Day::parse("2027-01-02"),
            subject: Some("Away".to_owned()),
            text: "Back soon.\n.\nJörg\n".to_owned(),
            days: 7,
            addresses: vec![address("me@alias.example")],
        }),
        rules: vec![
            Rule {
                name: "Lists".to_owned(),
                is_on: true,
                any: true,
                conditions: vec![
                    Condition::List(How::Contains, "rust".to_owned()),
                    Condition::To(How::Is, "dev@lists.example".to_owned()),
                ],
                acts: vec![RuleAct::Flag(Flag::parse("\\Seen").unwrap()), RuleAct::Move(mailbox("Lists/Rust"))],
                stops: true,
            },
            Rule {
                name: "Big ones".to_owned(),
                is_on: false,
                any: false,
                conditions: vec![
                    Condition::Larger(10 * 1024 * 1024),
                    Condition::HasAttachment,
                    Condition::From(How::IsNot, "boss@x.example".to_owned()),
                ],
                acts: vec![
                    RuleAct::Copy(mailbox("Big")),
                    RuleAct::Forward { to: address("a@b.example"), keeps: true },
                    RuleAct::Delete,
                ],
                stops: false,
            },
        ],
    }
}

#[test]
fn rules_are_a_script() {
    let expected = r#"# Rules, written by Relais: change them there.
# What is changed here by hand makes it a script like any other.
require ["copy", "date", "fileinto", "imap4flags", "mailbox", "mime", "relational", "vacation"];

# Absence
if allof (
    currentdate :value "ge" "date" "2026-12-24",
    currentdate :value "le" "date" "2027-01-02"
) {
    vacation :days 7 :subject "Away" :addresses ["me@alias.example"] text:
Back soon.
..
Jörg
.
;
}

# Rule: Lists
if anyof (
    header :contains "list-id" "rust",
    address :is ["to", "cc"] "dev@lists.example"
) {
    addflag "\\Seen";
    fileinto :create "Lists/Rust";
    stop;
}

# Rule: Big ones
if allof (
    false,
    allof (
        size :over 10M,
        header :mime :anychild :contains "content-disposition" "attachment",
        not address :is "from" "boss@x.example"
    )
) {
    fileinto :copy :create "Big";
    redirect :copy "a@b.example";
    discard;
}
"#;
    let written = example().write();
    assert_eq!(written, expected);
    assert_eq!(Rules::read(&written), Some(example()));
    Program::compile(&written, &Dialect::default()).unwrap();
    // Saved by another program, with other line ends.
    assert_eq!(Rules::read(&written.replace('\n', "\r\n")), Some(example()));
}

#[test]
fn what_people_wrote_is_no_set_of_rules() {
    let written = example().write();
    for (from, to) in [
        ("stop;", "keep; stop;"),
        (":days 7", ":days 7 :mime"),
        ("\"rust\"", "[\"rust\", \"c\"]"),
        ("# Rule: Lists", "# Lists"),
        ("# Rule: Lists", "# a word\n# Rule: Lists"),
        ("\"copy\", ", ""),
        ("anyof (", "anyof (true, "),
        ("discard;", "discard"),
        ("addflag", "setflag"),
    ] {
        assert!(written.contains(from), "{from}");
        assert_eq!(Rules::read(&written.replacen(from, to, 1)), None, "{from} {to}");
    }
    assert_eq!(Rules::read("require \"fileinto\"; fileinto \"x\";"), None);
    assert_eq!(Rules::read(&Rules::default().write()), Some(Rules::default()));
}

#[test]
fn rules_do_what_they_say() {
    let program = Program::compile(&example().write(), &Dialect::default()).unwrap();
    let run = |message: &str, now: &str| {
        let at = relais_message::parse_date(now.as_bytes()).unwrap().at;
        let facts = Facts {
            message: message.as_bytes().into(),
            envelope: Envelope { from: "x@y.example".into(), to: "me@x.example".into(), ..Envelope::default() },
            now: at,
            ..Facts::default()
        };
        let outcome = Run::new(&program, facts, Limits::default()).finish(&mut |_| Answer::Is(false));
        assert_eq!(outcome.failure, None);
        outcome.actions.iter().map(|action| action.act.clone()).collect::<Vec<_>>()
    };
    let listed = "List-Id: <rust.lists.example>\r\n\r\nx";
    let acts = run(listed, "1 Dec 2026 12:00:00 +0000");
    let [Acting::FileInto(filing)] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!(
        (filing.mailbox.as_str(), filing.flags.as_slice(), filing.create),
        ("Lists/Rust", &["\\Seen".to_owned()][..], true)
    );
    let acts = run("Subject: other\r\n\r\nx", "25 Dec 2026 12:00:00 +0000");
    assert!(matches!(&acts[..], [Acting::Vacation(_), Acting::Keep { .. }]), "{acts:?}");
    assert_eq!(Timestamp::default().seconds(), 0);
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z\"\\\\ *?${}.\u{e9}]{0,12}", "[^\u{0}\r\n]{0,8}"]
}

fn condition() -> impl Strategy<Value = Condition> {
    let how = prop::sample::select(vec![How::Contains, How::ContainsNot, How::Is, How::IsNot, How::Matches]);
    (how, key(), 0..9_u8, any::<u32>()).prop_map(|(how, key, kind, octets)| match kind {
        0 => Condition::From(how, key),
        1 => Condition::To(how, key),
        2 => Condition::Subject(how, key),
        3 => Condition::List(how, key),
        4 => Condition::Header("x-spam".to_owned(), how, key),
        5 => Condition::Larger(u64::from(octets)),
        6 => Condition::Smaller(u64::from(octets)),
        _ => Condition::HasAttachment,
    })
}

fn act() -> impl Strategy<Value = RuleAct> {
    (0..6_u8, "[a-zA-Z \"\\\\.&\u{e9}]{1,10}").prop_map(|(kind, name)| match kind {
        0 => RuleAct::Move(mailbox(&name)),
        1 => RuleAct::Copy(mailbox(&name)),
        2 => RuleAct::Flag(Flag::parse("$Work").unwrap()),
        3 => RuleAct::Forward { to: address("\"a b\"@c.example"), keeps: true },
        4 => RuleAct::Forward { to: address("d@c.example"), keeps: false },
        _ => RuleAct::Delete,
    })
}

prop_compose! {
    fn rule()(
        name in "[a-zA-Z#*/\"\u{e9}]{0,10}",
        is_on in any::<bool>(),
        any in any::<bool>(),
        conditions in prop::collection::vec(condition(), 0..4),
        acts in prop::collection::vec(act(), 0..4),
        stops in any::<bool>(),
    ) -> Rule {
        // Without conditions there is nothing to choose between.
        Rule { name, is_on, any: any && !conditions.is_empty(), conditions, acts, stops }
    }
}

prop_compose! {
    fn absence()(
        is_on in any::<bool>(),
        from in any::<bool>(),
        until in any::<bool>(),
        subject in prop::option::of("[a-zA-Z\"\\\\\u{e9}]{1,10}"),
        text in "[a-z.\n\"\\\\\u{e9}]{0,40}",
        days in 1..366_u16,
    ) -> Absence {
        let day = |is_there: bool, text| Day::parse(text).filter(|_| is_there);
        Absence {
            is_on,
            from: day(from, "2026-02-28"),
            until: day(until, "2028-02-29"),
            subject,
            text,
            days,
            addresses: Vec::new(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(absence in prop::option::of(absence()), rules in prop::collection::vec(rule(), 0..4)) {
        let rules = Rules { absence, rules };
        let written = rules.write();
        prop_assert_eq!(Rules::read(&written), Some(rules), "{}", written);
        prop_assert!(Program::compile(&written, &Dialect::default()).is_ok(), "{}", written);
    }
}
