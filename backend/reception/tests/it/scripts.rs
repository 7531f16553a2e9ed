//! What people's scripts make of mail that comes, on a real store. `letters` is what goes out because of them, `knowing` what they know of the house.

mod knowing;
mod letters;

use std::sync::Arc;
use std::time::Duration;

use relais_filing::script::dialect;
use relais_model::{Flag, MailboxName, ReversePath, Rights, SystemFlag};
use relais_msgauth::testing::Zone;
use relais_reception::{ImapAct, ImapCause, Trial};
use relais_sieve::Program;
use relais_store::{AccountChange, Append, Author, Content, Grantee, MailboxStatus, RuleScope, SCRIPT_NOTE};

use crate::desk::{Desk, from_outside};
use crate::house::address;

const ANN: &str = "ann@example.org";
const BEN: &str = "ben@example.org";
const CARL: &str = "carl@example.org";
const DORA: &str = "dora@shop.example";

/// What Dora writes to Ben.
const LETTER: &str = "From: Dora <dora@shop.example>\r\nTo: ben@example.org\r\nSubject: lunch\r\nMessage-ID: <1@shop.example>\r\n\r\n\
    Shall we meet?\r\n";

/// Gives somebody a script, checked as it would be.
async fn script(desk: &Desk, of: &str, text: &str) {
    if let Err(faults) = Program::compile(text, &dialect()) {
        panic!("{}: {text}", faults[0]);
    }
    let (store, account) = (&desk.house.store, desk.identity(of).await.account);
    store.put_sieve_script(&Author::house(), RuleScope::Account(account), "own", text).await.unwrap();
    store.activate_sieve_script(&Author::house(), account, Some("own")).await.unwrap();
}

async fn get(desk: &Desk, to: &[&str]) -> Vec<String> {
    desk.send(&from_outside(DORA, to), LETTER).await
}

async fn count(desk: &Desk, of: &str, mailbox: &str) -> usize {
    desk.mail(of, mailbox).await.len()
}

/// A mailbox that is there.
async fn status(desk: &Desk, of: &str, mailbox: &str) -> MailboxStatus {
    let (account, name) = (desk.identity(of).await.account, MailboxName::parse(mailbox).unwrap());
    desk.house.store.mailbox(account, &name).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_message_is_filed_where_the_script_says() {
    let desk = Desk::open().await;
    let text = "require [\"fileinto\", \"mailbox\", \"imap4flags\", \"copy\", \"variables\", \"envelope\", \"subaddress\", \"environment\"];\r\n\
        if allof(header :contains \"subject\" \"LUNCH\", envelope :detail \"to\" \"eat\", environment \"location\" \"MDA\") {\r\n\
            fileinto :create :flags [\"\\\\Seen\", \"$food\"] \"Meals/Noon\";\r\n\
        } elsif header \"subject\" \"both\" { fileinto :copy \"Archive\"; } elsif header \"subject\" \"none\" { discard; }";
    script(&desk, BEN, text).await;
    assert_eq!(get(&desk, &["ben+eat@example.org"]).await, ["250 2.0.0"]);
    assert_eq!((count(&desk, BEN, "INBOX").await, count(&desk, BEN, "Meals/Noon").await), (0, 1));
    assert_eq!(status(&desk, BEN, "Meals/Noon").await.unseen, 0, "the script marked it as read");
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, BEN, "INBOX").await, 1, "no detail: it is kept");
    for (subject, inbox, archive) in [("both", 2, 1), ("none", 2, 1)] {
        let message = LETTER.replace("lunch", subject);
        assert_eq!(desk.send(&from_outside(DORA, &[BEN, ANN]), &message).await, ["250 2.0.0"; 2]);
        assert_eq!((count(&desk, BEN, "INBOX").await, count(&desk, BEN, "Archive").await), (inbox, archive));
    }
    assert_eq!(count(&desk, ANN, "INBOX").await, 2, "who has no script gets what is sent");
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

/// RFC 9228: a script may ask by which of their addresses a message came.
#[tokio::test]
async fn a_script_sees_by_which_alias_a_message_came() {
    let desk = Desk::open().await;
    let text = "require [\"fileinto\", \"mailbox\"]; if header :is \"delivered-to\" \"b@example.org\" { fileinto :create \"Shops\"; }";
    script(&desk, BEN, text).await;
    desk.house.store.add_alias(&address("b@example.org"), vec![address(BEN)], &Author::house()).await.unwrap();
    assert_eq!(get(&desk, &["b@example.org"]).await, ["250 2.0.0"]);
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!((count(&desk, BEN, "Shops").await, count(&desk, BEN, "INBOX").await), (1, 1));
}

#[tokio::test]
async fn a_message_is_refused_in_the_session_where_nobody_takes_it() {
    let desk = Desk::open().await;
    script(&desk, BEN, "require \"reject\"; reject \"Not now.\nNever.\";").await;
    assert_eq!(desk.said(&from_outside(DORA, &[BEN]), LETTER).await, "550 5.7.1 Not now. Never.");
    assert_eq!(desk.queued().await, []);
    // Ann takes it: who sent it is told of Ben by a notice.
    assert_eq!(get(&desk, &[BEN, ANN]).await, ["250 2.0.0"; 2]);
    assert_eq!(count(&desk, ANN, "INBOX").await, 1);
    let (sender, notice) = desk.on_its_way().await;
    assert_eq!((sender.as_str(), desk.queued().await.len()), ("", 1));
    assert!(notice.contains("To: <dora@shop.example>") || notice.contains("To: dora@shop.example"), "{notice}");
    assert!(notice.contains("Not now."), "{notice}");
    // Nobody is there to be told: it is kept.
    assert_eq!(desk.send(&from_outside("", &[BEN, ANN]), LETTER).await, ["250 2.0.0"; 2]);
    assert_eq!(count(&desk, BEN, "INBOX").await, 1);
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_sent_on_has_our_path_and_goes_in_no_circle() {
    let desk = Desk::open().await;
    script(&desk, BEN, "redirect \"ben@elsewhere.example\";").await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, BEN, "INBOX").await, 0);
    let queued = desk.queued().await;
    assert!(queued[0].0.starts_with("<SRS0=") && queued[0].0.ends_with("@example.org>"), "{queued:?}");
    let (_, message) = desk.on_its_way().await;
    assert!(
        message.starts_with("X-Sieve-Redirected-From: ben@example.org\r\nDelivered-To: ben@example.org\r\nReceived: "),
        "{message}"
    );
    // It comes back.
    assert_eq!(desk.send(&from_outside(DORA, &[BEN]), &message).await, ["250 2.0.0"]);
    assert_eq!((desk.queued().await.len(), count(&desk, BEN, "INBOX").await), (1, 1));
    // To somebody here: through their script, too. And back again: there it stays.
    script(&desk, BEN, "redirect \"ann@example.org\";").await;
    script(&desk, ANN, "require \"copy\"; redirect :copy \"ben@example.org\";").await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!((count(&desk, ANN, "INBOX").await, count(&desk, BEN, "INBOX").await), (1, 2));
    // A full mailbox: what goes on has gone, so it isn't sent again; the sender is told.
    desk.house.add_account(CARL, "hash").await;
    desk.limit(CARL, 10).await;
    script(&desk, CARL, "require \"copy\"; redirect :copy \"x@elsewhere.example\";").await;
    let queued = desk.queued().await.len();
    assert_eq!(get(&desk, &[CARL]).await, ["250 2.0.0"]);
    assert_eq!(desk.queued().await.len(), queued + 2, "one goes on, one is the notice");
    // An address that is nobody's loses nothing.
    let inbox = count(&desk, BEN, "INBOX").await;
    script(&desk, BEN, "redirect \"nobody@example.org\";").await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, BEN, "INBOX").await, inbox + 1);
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn who_writes_is_answered_once_within_its_days() {
    let desk = Desk::open().await;
    script(
        &desk,
        BEN,
        "require \"vacation\"; vacation :days 3 :subject \"Away\" :from \"ann@example.org\" \"Until Monday.\";",
    )
    .await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, BEN, "INBOX").await, 2);
    assert_eq!(desk.queued().await, [("<>".to_owned(), DORA.to_owned())], "once, from the null path");
    let (_, answer) = desk.on_its_way().await;
    for line in
        ["Subject: Away\r\n", "Auto-Submitted: auto-replied\r\n", "In-Reply-To: <1@shop.example>\r\n", "Until Monday."]
    {
        assert!(answer.contains(line), "{line} in {answer}");
    }
    assert!(!answer.contains("ann@example.org"), "Ann's name isn't Ben's to use: {answer}");
    // Lists, programs and the null path are never answered.
    for (from, message) in [
        (DORA, LETTER.replace("Subject", "List-Id: <chess.shop.example>\r\nSubject")),
        ("other@shop.example", LETTER.replace("Subject", "Auto-Submitted: auto-replied\r\nSubject")),
        ("other@shop.example", LETTER.replace("To: ben@example.org", "To: all@shop.example")),
        ("", LETTER.to_owned()),
        (BEN, LETTER.to_owned()),
    ] {
        assert_eq!(desk.send(&from_outside(from, &[BEN]), &message).await, ["250 2.0.0"]);
    }
    assert_eq!(desk.queued().await.len(), 1);
    desk.house.clock.advance(Duration::from_hours(24 * 3 + 1));
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(desk.queued().await.len(), 2, "three days later again");
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_script_that_fails_keeps_the_mail_and_says_so_once() {
    let desk = Desk::open().await;
    let text = "require [\"variables\", \"fileinto\"]; set \"a\" \"x//y\"; redirect \"x@elsewhere.example\"; fileinto \"${a}\";";
    script(&desk, BEN, text).await;
    for _ in 0..3 {
        assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    }
    let inbox = desk.inbox(BEN).await;
    assert_eq!((inbox.len(), desk.queued().await.len()), (4, 0), "three letters, and one about the script");
    let told: Vec<_> = inbox.iter().filter(|message| message.contains("Your rules \"own\" failed")).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("invalid folder name") && told[0].contains("line 1"), "{}", told[0]);
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

/// The letter about it is in the language that its reader chose.
#[tokio::test]
async fn a_script_that_fails_is_told_in_ones_language() {
    let desk = Desk::open().await;
    let change = AccountChange { language: Some("fr".to_owned()), ..AccountChange::default() };
    desk.house.store.change_account(&address(BEN), change, None, &Author::house()).await.unwrap();
    let text = "require [\"variables\", \"fileinto\"]; set \"a\" \"x//y\"; fileinto \"${a}\";";
    script(&desk, BEN, text).await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    let inbox = desk.inbox(BEN).await;
    assert!(
        inbox.iter().any(|message| message.contains("Vos r=C3=A8gles") || message.contains("Vos règles")),
        "{inbox:?}"
    );
}

/// "Test this message" says what scripts would do; nothing is filed, sent, answered or remembered.
#[tokio::test]
async fn a_trial_says_what_scripts_would_do() {
    let desk = Desk::open().await;
    let text = "require [\"fileinto\", \"copy\", \"vacation\", \"imap4flags\"]; fileinto :flags \"$food\" \"Archive\";\r\n\
        redirect :copy \"x@elsewhere.example\"; vacation \"Away\";";
    let trial = || Trial {
        peer: "192.0.2.1".parse().unwrap(),
        hello: "client.example".to_owned(),
        reverse_path: ReversePath::Address(address(DORA)),
        recipient: address(BEN),
        message: LETTER.as_bytes().to_vec(),
    };
    assert_eq!(desk.reception.try_out(trial()).await.scripts, []);
    script(&desk, BEN, text).await;
    for _nothing_is_remembered in 0..2 {
        let tried = desk.reception.try_out(trial()).await;
        let [scripts] = tried.scripts.as_slice() else { panic!("{tried:?}") };
        let copies: Vec<_> = scripts.copies.iter().map(|(name, flags)| (name.as_str(), flags.len())).collect();
        assert_eq!((scripts.address.as_str(), copies.as_slice()), (BEN, &[("Archive", 1)][..]));
        assert_eq!(
            (&*scripts.redirects, &*scripts.letters),
            (&[address("x@elsewhere.example")][..], &[address(DORA)][..])
        );
        assert_eq!((&scripts.refusal, &scripts.failure), (&None, &None));
    }
    assert_eq!((count(&desk, BEN, "Archive").await, count(&desk, BEN, "INBOX").await), (0, 0));
    assert_eq!(desk.queued().await, []);
    script(&desk, BEN, "require \"reject\"; reject \"No.\";").await;
    let tried = desk.reception.try_out(trial()).await;
    assert_eq!(tried.scripts[0].refusal.as_deref(), Some("No."));
}

#[tokio::test]
async fn what_was_changed_is_kept_so_and_what_was_seen_is_known_again() {
    let desk = Desk::open().await;
    let text = "require [\"editheader\", \"duplicate\", \"enotify\"]; if duplicate { discard; stop; }\r\n\
        notify :message \"You have mail\" \"mailto:pager@elsewhere.example\"; addheader \"X-Seen\" \"yes\";";
    script(&desk, BEN, text).await;
    assert_eq!(get(&desk, &[BEN, ANN]).await, ["250 2.0.0"; 2]);
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    let inbox = desk.inbox(BEN).await;
    assert_eq!(inbox.len(), 1, "the second one was there before");
    assert!(inbox[0].contains("X-Seen: yes\r\n"), "{}", inbox[0]);
    assert!(!desk.inbox(ANN).await[0].contains("X-Seen"));
    let (sender, notice) = desk.on_its_way().await;
    assert!(sender.is_empty() && notice.contains("Subject: You have mail\r\n"), "{notice}");
    assert!(notice.contains("Auto-Submitted: auto-notified\r\n"), "{notice}");
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_house_goes_first_and_last_and_includes_are_found() {
    let desk = Desk::open().await;
    let (store, by) = (&desk.house.store, Author::house());
    let put = async |name: &str, text: &str| store.put_sieve_script(&by, RuleScope::House, name, text).await.unwrap();
    put("before", "require \"editheader\"; addheader \"X-Before\" \"yes\";").await;
    put("shared", "require \"fileinto\"; if header \"x-before\" \"yes\" { fileinto \"Archive\"; }").await;
    put("after", "discard;").await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, BEN, "INBOX").await, 0, "without one of his own the house's hold");
    script(&desk, BEN, "require \"include\"; include :global \"shared\";").await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!((count(&desk, BEN, "INBOX").await, count(&desk, BEN, "Archive").await), (0, 1));
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

/// docs/sieve.md: the house's scripts, the domain's, the account's, and back, each only as long as the message is still kept: what one's own script
/// filed by itself, or threw away, the scripts behind it don't see.
#[tokio::test]
async fn a_domains_scripts_stand_around_those_of_its_people() {
    let desk = Desk::open().await;
    let (store, by) = (&desk.house.store, Author::house());
    let domain = RuleScope::Domain(store.account(&address(BEN)).await.unwrap().unwrap().domain);
    for (scope, name, ran) in [
        (RuleScope::House, "before", "1"),
        (domain, "before", "2"),
        (domain, "after", "4"),
        (RuleScope::House, "after", "5"),
    ] {
        let text = format!("require \"editheader\"; addheader \"X-Ran\" \"{ran}\";");
        store.put_sieve_script(&by, scope, name, &text).await.unwrap();
    }
    // Fields are added at the top.
    let ran = |message: &String| {
        let ran: Vec<_> = message.lines().filter_map(|line| line.strip_prefix("X-Ran: ")).collect();
        ran.into_iter().rev().collect::<Vec<_>>().join(" ")
    };
    for (own, inbox, archive) in [
        (None, "1 2 4 5", ""),
        (Some(""), "1 2 3 4 5", ""),
        (Some("keep;"), "1 2 3 4 5", ""),
        (Some("fileinto \"Archive\";"), "", "1 2 3"),
        (Some("fileinto \"Archive\"; keep;"), "1 2 3 4 5", "1 2 3"),
        (Some("fileinto :copy \"Archive\";"), "1 2 3 4 5", "1 2 3"),
        (Some("discard;"), "", ""),
    ] {
        if let Some(own) = own {
            let text = format!("require [\"editheader\", \"fileinto\", \"copy\"]; addheader \"X-Ran\" \"3\"; {own}");
            script(&desk, BEN, &text).await;
        }
        let before = (count(&desk, BEN, "INBOX").await, count(&desk, BEN, "Archive").await);
        assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
        let there = (desk.inbox(BEN).await, desk.mail(BEN, "Archive").await);
        // Of each copy that came the scripts that it went through.
        let came = |all: &[String], before: usize| all[before..].iter().map(ran).collect::<Vec<_>>().join(", ");
        let came = (came(&there.0, before.0), came(&there.1, before.1));
        assert_eq!((came.0.as_str(), came.1.as_str()), (inbox, archive), "{own:?}");
    }
    // Who is of another domain has the house's alone.
    let emil = "emil@xn--bcher-kva.example";
    desk.house.add_account(emil, "hash").await;
    assert_eq!(get(&desk, &[emil]).await, ["250 2.0.0"]);
    assert_eq!(desk.inbox(emil).await.iter().map(ran).collect::<Vec<_>>(), ["1 5"]);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

/// What our own verdict calls junk goes to Junk, is answered by nobody and sent on to nobody; where a script puts it somewhere by itself, there it is.
#[tokio::test]
async fn junk_stays_junk_unless_the_script_files_it() {
    let Desk { house, reception } = Desk::open().await;
    house.store.change_setting(&Author::house(), "junk.greylisting", Some("false")).await.unwrap();
    let zone =
        Zone::new().with_txt("shop.example", "v=spf1 -all").with_txt("_dmarc.shop.example", "v=DMARC1; p=quarantine");
    let desk = Desk { house, reception: reception.with_resolver(Arc::new(zone)) };
    for (text, inbox, junk, queued) in [
        ("require \"vacation\"; vacation \"Away\";", 0, 1, 0),
        ("redirect \"x@elsewhere.example\";", 0, 2, 0),
        ("keep;", 1, 2, 0),
        ("require \"fileinto\"; fileinto \"INBOX\";", 2, 2, 0),
        ("discard;", 2, 2, 0),
    ] {
        script(&desk, BEN, text).await;
        assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"], "{text}");
        let found = (count(&desk, BEN, "INBOX").await, count(&desk, BEN, "Junk").await, desk.queued().await.len());
        assert_eq!(found, (inbox, junk, queued), "{text}");
    }
    assert!(desk.house.store.account(&address(BEN)).await.unwrap().is_some());
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

/// Mail goes into mailboxes of others where one may put something there; elsewhere it is as if there were none.
#[tokio::test]
async fn scripts_file_into_what_others_share() {
    let desk = Desk::open().await;
    let store = &desk.house.store;
    let (ann, ben) = (desk.identity(ANN).await.account, desk.identity(BEN).await.account);
    let archive = store.mailbox(ann, &MailboxName::parse("Archive").unwrap()).await.unwrap().unwrap().mailbox;
    let share = async |rights: &str| {
        let rights = Rights::parse(rights).unwrap();
        store.change_rights(archive.key, Grantee::Account(ben), move |_| rights, &Author::house()).await.unwrap();
    };
    let shared = "Other Users/ann@example.org/Archive";
    for (rights, test, filed) in [
        ("lrswi", format!("mailboxexists \"{shared}\""), true),
        ("lrsw", format!("not mailboxexists \"{shared}\""), false),
        ("lrswi", format!("mailboxidexists \"{}\"", archive.mailbox_id), true),
        ("", format!("not mailboxidexists \"{}\"", archive.mailbox_id), false),
    ] {
        share(rights).await;
        let text = format!(
            "require [\"fileinto\", \"mailbox\", \"mailboxid\", \"imap4flags\"];
             if {test} {{ fileinto :create :flags \"\\\\Flagged\" \"{shared}\"; }} else {{ discard; }}"
        );
        script(&desk, BEN, &text).await;
        let before = (count(&desk, ANN, "Archive").await, count(&desk, BEN, "INBOX").await);
        assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
        let after = (count(&desk, ANN, "Archive").await, count(&desk, BEN, "INBOX").await);
        let expected = if filed { (before.0 + 1, before.1) } else { (before.0, before.1 + 1) };
        assert_eq!(after, expected, "{rights}: {test}");
    }
    assert_eq!(count(&desk, BEN, shared).await, 0, "nobody makes mailboxes of their own there");
    // By its id, whatever name stands beside it.
    share("lrswi").await;
    let by_id =
        format!("require [\"fileinto\", \"mailboxid\"]; fileinto :mailboxid \"{}\" \"Nowhere\";", archive.mailbox_id);
    script(&desk, BEN, &by_id).await;
    let before = count(&desk, ANN, "Archive").await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, ANN, "Archive").await, before + 1);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

/// RFC 6785 §3: what becomes of a message in Ann's INBOX that Ben touched there. The flags that it has then, whether its script failed, and who is
/// written to by whom.
#[tokio::test]
async fn scripts_run_over_what_is_done_in_imap() {
    let desk = Desk::open().await;
    let (store, by) = (&desk.house.store, desk.identity(BEN).await);
    let ann = desk.identity(ANN).await.account;
    let inbox = store.mailbox(ann, &MailboxName::inbox()).await.unwrap().unwrap().mailbox.key;
    let note = vec![(SCRIPT_NOTE.to_owned(), Some(b"acts".to_vec()))];
    store.set_metadata(ann, Some((inbox, MailboxName::inbox())), note).await.unwrap();
    let flagged = Flag::System(SystemFlag::Flagged);
    let run = async |text: &str, message: &str| {
        if let Err(faults) = Program::compile(text, &dialect()) {
            panic!("{}: {text}", faults[0]);
        }
        store.put_sieve_script(&Author::house(), RuleScope::Account(ann), "acts", text).await.unwrap();
        let content = Content::prepare(message.as_bytes().to_vec());
        let append = Append { content, flags: vec![flagged.clone()], internal_date: None };
        let appended = store.append(inbox, vec![append]).await.unwrap();
        let touched = vec![(appended.uids.clone(), vec![flagged.clone()])];
        let peer = "192.0.2.1".parse().unwrap();
        let act = ImapAct { by: &by, peer, owner: ann, mailbox: inbox, cause: ImapCause::Flag, touched };
        assert_eq!(desk.reception.run_at_imap(&act).await, 0, "{text}");
        let uid = appended.uids.iter().next().unwrap();
        let view = store.view(inbox).await.unwrap().unwrap();
        let flags = view.flags_of(view.read(|rows| rows.get(uid).unwrap().flags));
        flags.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let by_ben = LETTER.replace("Dora <dora@shop.example>", "Ben <ben@example.org>");
    // Whom it is sent to, in which mailbox a copy lies, what it is afterwards.
    for (text, message, flags) in [
        ("keep;", LETTER, "\\Flagged"),
        ("discard;", LETTER, "\\Flagged \\Deleted"),
        ("require \"fileinto\"; fileinto \"Archive\";", LETTER, "\\Flagged \\Deleted"),
        ("require [\"fileinto\", \"copy\"]; fileinto :copy \"Archive\";", LETTER, "\\Flagged"),
        (
            "require \"imap4flags\"; if hasflag \"\\\\Flagged\" { setflag [\"$done\", \"\\\\Seen\"]; }",
            LETTER,
            "\\Seen $done",
        ),
        ("require \"editheader\"; addheader \"X-Seen\" \"yes\"; keep;", LETTER, "\\Flagged"),
        ("redirect \"x@elsewhere.example\";", LETTER, "\\Flagged \\Deleted"),
        // §3.4: a submission of hers, and Ben is of this house.
        ("redirect \"x@elsewhere.example\";", by_ben.as_str(), "\\Flagged"),
        ("redirect \"nobody@example.org\";", LETTER, "\\Flagged"),
        (
            "require [\"environment\", \"imapsieve\"]; if not allof(environment \"location\" \"MS\", environment \"phase\" \"post\", \
          environment \"imap.cause\" \"FLAG\", environment \"imap.mailbox\" \"INBOX\", environment \"imap.user\" \"ben@example.org\", \
          environment \"imap.email\" \"ben@example.org\", environment \"imap.changedflags\" \"\\\\Flagged\") { discard; }",
            LETTER,
            "\\Flagged",
        ),
    ] {
        assert_eq!(run(text, message).await, flags, "{text}");
    }
    assert_eq!(desk.queued().await, [("<ann@example.org>".to_owned(), "x@elsewhere.example".to_owned())]);
    let inbox_of_ann = desk.inbox(ANN).await;
    assert!(inbox_of_ann.iter().all(|message| !message.contains("X-Seen")), "messages stay as they are");
    assert_eq!((inbox_of_ann.len(), count(&desk, ANN, "Archive").await), (10, 2));
    // §3.11, §4.6: an error that ends the script; it is told once, and all stays as it was.
    let failing = "require [\"vacation\", \"imap4flags\"]; addflag \"$done\"; vacation \"away\";";
    assert_eq!(run(failing, LETTER).await, "\\Flagged");
    let told = desk.inbox(ANN).await.iter().filter(|message| message.contains("Your rules \"acts\" failed")).count();
    assert_eq!((told, desk.queued().await.len()), (1, 1));
    // Of very many, over the first: who did it is told of the others.
    run("discard;", LETTER).await;
    let content = Content::prepare(LETTER.as_bytes().to_vec());
    let many = vec![Append { content, flags: Vec::new(), internal_date: None }; 503];
    let appended = store.append(inbox, many).await.unwrap();
    let touched = vec![(appended.uids.clone(), Vec::new())];
    let peer = "192.0.2.1".parse().unwrap();
    let act = ImapAct { by: &by, peer, owner: ann, mailbox: inbox, cause: ImapCause::Append, touched };
    assert_eq!(desk.reception.run_at_imap(&act).await, 3);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
