//! Mail as its owner reads it: lists, conversations, one message, acts and taking them back.

use std::sync::Arc;
use std::time::Duration;

use relais_model::{Flag, MailboxName, SpecialUse, SystemFlag, Timestamp, Uid, UidSet};
use relais_reading::{Letter, file_octets};
use relais_service::{
    Act, Actor, Answering, Chosen, Density, Draft, Failure, Genuine, ListFilter, ListPage, ListWanted, MailWanted,
    NewFile, News, Of, Paging, Place, Quoting, ReadingChoices, ReadingPane, Role, Search, WritingChoices,
};
use relais_store::{Append, Author, Content, HoldFacts, HoldReason, MAX_KEYWORDS, MailboxKey, NewHold};

use crate::house::{House, on_both, short};

/// One with mail, and somebody else.
struct Reader {
    house: Arc<House>,
    me: Actor,
    inbox: String,
}

impl Reader {
    async fn of(house: Arc<House>) -> Self {
        let me = house.actor(Role::User, true).await;
        let inbox = id(&house, &me, "INBOX").await;
        Self { house, me, inbox }
    }

    fn mail(&self) -> &relais_service::Mail {
        &self.house.service.mail
    }

    async fn put(&self, mailbox: &str, raw: &str, flags: &[SystemFlag], minutes: i64) {
        let key = MailboxKey::parse(&id(&self.house, &self.me, mailbox).await).unwrap();
        let append = Append {
            content: Content::prepare(raw.replace('\n', "\r\n").into_bytes()),
            flags: flags.iter().map(|flag| Flag::System(*flag)).collect(),
            internal_date: Some(Timestamp::from_seconds(1_767_225_600 + minutes * 60)),
        };
        self.house.store.append(key, vec![append]).await.unwrap();
    }

    /// Message `number` of a conversation about `subject`; `answers` names the one that it answers.
    async fn fill(&self, number: i64, subject: &str, answers: Option<i64>) {
        let answers = answers.map(|answered| format!("References: <{answered}@x>\n")).unwrap_or_default();
        let raw = format!(
            "From: Person {number} <p{number}@x.example>\nTo: user@one.example\nSubject: {subject}\nMessage-ID: <{number}@x>\n{answers}\nText {number}.\n"
        );
        self.put("INBOX", &raw, &[], number).await;
    }

    /// As IMAP's LSUB is told.
    async fn is_subscribed(&self, name: &str) -> bool {
        let account = self.me.account.clone().unwrap().0;
        let subscriptions = self.house.store.subscriptions(account).await.unwrap();
        subscriptions.contains(&MailboxName::parse(name).unwrap())
    }

    async fn list(&self, wanted: ListWanted) -> ListPage {
        self.mail().list(&self.me, &self.inbox, &wanted).await.unwrap()
    }

    async fn act(&self, uids: &[u32], act: Act) -> relais_service::Done {
        self.mail().act(&self.me, &self.inbox, &Chosen::Messages(set(uids)), &act).await.unwrap()
    }

    /// UIDs of a mailbox's list, line by line.
    async fn lines(&self, mailbox: &str, by_conversation: bool) -> Vec<Vec<u32>> {
        let id = id(&self.house, &self.me, mailbox).await;
        let wanted = ListWanted { limit: 50, by_conversation, ..ListWanted::default() };
        let page = self.mail().list(&self.me, &id, &wanted).await.unwrap();
        page.rows.into_iter().map(|row| row.uids).collect()
    }
}

pub(crate) async fn id(house: &House, me: &Actor, name: &str) -> String {
    let folders = house.service.mail.folders(me).await.unwrap();
    folders.into_iter().find(|folder| folder.name == name).unwrap().id
}

fn set(uids: &[u32]) -> UidSet {
    uids.iter().filter_map(|uid| Uid::new(*uid)).collect()
}

fn wanted(offset: usize, limit: usize, by_conversation: bool) -> ListWanted {
    ListWanted { offset, limit, by_conversation, ..ListWanted::default() }
}

#[test]
fn mailboxes_stand_in_the_order_of_their_use() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let account = reader.me.account.clone().unwrap().0;
        for name in ["Zoo", "Bills/2026"] {
            reader.house.store.create_mailbox(account, &MailboxName::parse(name).unwrap(), None).await.unwrap();
        }
        reader.fill(1, "One", None).await;
        let folders = reader.mail().folders(&reader.me).await.unwrap();
        let names: Vec<_> = folders.iter().map(|folder| (folder.name.as_str(), folder.unseen)).collect();
        let expected = ["INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash", "Bills", "Bills/2026", "Zoo"];
        assert_eq!(names, expected.map(|name| (name, u64::from(name == "INBOX"))));
        assert_eq!((folders[7].title(), folders[7].depth()), ("2026", 1));
    });
}

#[test]
fn lists_are_windows_newest_first() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        for number in 1..=7 {
            let answers = (number == 6).then_some(2);
            let subject = if answers.is_some() { "Re: Subject 2".to_owned() } else { format!("Subject {number}") };
            reader.fill(number, &subject, answers).await;
        }
        assert_eq!(reader.lines("INBOX", false).await, [[7], [6], [5], [4], [3], [2], [1]]);
        assert_eq!(reader.lines("INBOX", true).await, [vec![7], vec![2, 6], vec![5], vec![4], vec![3], vec![1]]);
        let page = reader.list(wanted(1, 2, true)).await;
        assert_eq!((page.total, page.offset, page.rows.len()), (6, 1, 2));
        let row = &page.rows[0];
        assert_eq!(
            (row.uid, row.subject.as_str(), row.preview.first().map_or("", |piece| &piece.text), row.unseen),
            (6, "Re: Subject 2", "Text 6.", 2)
        );
        let people: Vec<_> = row.people.iter().map(relais_reading::Party::shown).collect();
        assert_eq!(people, ["Person 2", "Person 6"]);
        // Beyond the end stands the last window.
        assert_eq!(reader.list(wanted(900, 4, true)).await.offset, 4);
        assert_eq!(reader.list(wanted(0, 10_000, true)).await.rows.len(), 6);
    });
}

#[test]
fn an_order_follows_what_comes_and_goes() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        for number in 1..=4 {
            reader.fill(number, &format!("Subject {number}"), None).await;
        }
        assert_eq!(reader.lines("INBOX", true).await, [[4], [3], [2], [1]]);
        reader.fill(5, "Re: Subject 1", Some(1)).await;
        assert_eq!(reader.lines("INBOX", true).await, [vec![1, 5], vec![4], vec![3], vec![2]]);
        reader.act(&[5, 3], Act::Delete).await;
        assert_eq!(
            reader.lines("INBOX", true).await,
            [[4], [2], [1]].map(|line| line.to_vec()).to_vec(),
            "where its last message that is left puts it"
        );
        reader.act(&[4], Act::Read(true)).await;
        let unseen = ListWanted { filter: ListFilter::Unseen, ..wanted(0, 9, true) };
        assert_eq!(reader.list(unseen.clone()).await.rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [2, 1]);
        // One from long ago, put in now, stands where it belongs.
        reader.put("INBOX", "Subject: Old\n\nx\n", &[], -60).await;
        assert_eq!(reader.lines("INBOX", false).await, [[4], [2], [1], [6]]);
        reader.fill(7, "Re: Subject 2", Some(2)).await;
        assert_eq!(reader.lines("INBOX", true).await, [vec![2, 7], vec![4], vec![1], vec![6]]);
    });
}

#[test]
fn acts_are_done_and_taken_back() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        for number in 1..=4 {
            reader.fill(number, &format!("Subject {number}"), None).await;
        }
        let done = reader.act(&[1, 2, 99], Act::Star(true)).await;
        assert_eq!((done.count, done.says.id.as_ref()), (2, "mail-done-star"));
        let starred = ListWanted { filter: ListFilter::Flagged, ..wanted(0, 9, false) };
        assert_eq!(reader.list(starred.clone()).await.total, 2);
        // Taken back, only what was done is: one that had a star before keeps it.
        let again = reader.act(&[1, 2, 3], Act::Star(true)).await;
        assert_eq!(again.count, 1);
        reader.mail().undo(&reader.me, again.undo.as_deref().unwrap()).await.unwrap();
        assert_eq!(reader.list(starred.clone()).await.total, 2);
        let gone = reader.mail().undo(&reader.me, again.undo.as_deref().unwrap()).await;
        assert_eq!(short(gone), "absent: mail-undo-gone", "once");
        for (act, place) in [(Act::Delete, "Trash"), (Act::Move(Place::Archive), "Archive")] {
            let uid = reader.list(wanted(0, 9, false)).await.rows[1].uid;
            let done = reader.act(&[uid], act).await;
            assert_eq!(reader.lines(place, false).await.len(), 1);
            let other = reader.house.actor(Role::HelpDesk, true).await;
            let theirs = reader.mail().undo(&other, done.undo.as_deref().unwrap()).await;
            assert_eq!(short(theirs), "absent: mail-undo-gone", "an act is its author's");
            reader.mail().undo(&reader.me, done.undo.as_deref().unwrap()).await.unwrap();
            assert_eq!(reader.lines(place, false).await.len(), 0);
            // It has another number now, and stands where it stood.
            assert_eq!(reader.list(wanted(0, 9, false)).await.rows[1].subject, "Subject 3");
        }
        reader.act(&[1, 2], Act::Delete).await;
        let trash = id(&reader.house, &reader.me, "Trash").await;
        let all = Chosen::Listed(Box::new(wanted(0, 1, false)));
        let removed = reader.mail().act(&reader.me, &trash, &all, &Act::Delete).await.unwrap();
        assert_eq!((removed.count, removed.says.id.as_ref()), (2, "mail-done-removed"));
        assert_eq!(reader.lines("Trash", false).await.len(), 0);
        reader.mail().undo(&reader.me, removed.undo.as_deref().unwrap()).await.unwrap();
        assert_eq!(reader.lines("Trash", false).await.len(), 2, "from *Recently deleted*");
        assert_eq!(reader.house.store.check().await.unwrap(), Vec::<String>::new());
    });
}

/// Keywords (RFC 9051 §2.3.2), without case; those that programs set aren't people's to set, and a mailbox holds so many.
#[test]
fn labels_are_put_on_taken_off_and_taken_back() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        for number in 1..=3 {
            reader.fill(number, &format!("Subject {number}"), None).await;
        }
        let label = |name: &str, is_set: bool| Act::Label(name.to_owned(), is_set);
        let labels = async || {
            let page = reader.list(wanted(0, 9, false)).await;
            page.rows.iter().map(|row| row.labels.join(" ")).collect::<Vec<_>>()
        };
        let done = reader.act(&[1, 2], label("work", true)).await;
        assert_eq!((done.count, done.says.id.as_ref()), (2, "mail-done-label"));
        assert_eq!(labels().await, ["", "work", "work"]);
        // Taken back, only what was done is: one that had it before keeps it.
        let again = reader.act(&[1, 3], label(" Work ", true)).await;
        assert_eq!((again.count, labels().await), (1, vec!["work".to_owned(); 3]));
        reader.mail().undo(&reader.me, again.undo.as_deref().unwrap()).await.unwrap();
        assert_eq!(labels().await, ["", "work", "work"]);
        let off = reader.act(&[1, 2, 3], label("work", false)).await;
        assert_eq!((off.count, off.says.id.as_ref()), (2, "mail-done-not-label"));
        assert_eq!(labels().await, ["", "", ""]);
        reader.mail().undo(&reader.me, off.undo.as_deref().unwrap()).await.unwrap();
        assert_eq!(labels().await, ["", "work", "work"]);
        assert_eq!(reader.list(wanted(0, 9, false)).await.labels, ["work"], "they are offered");
        let one = Chosen::Messages(set(&[1]));
        for name in ["", "two words", "\u{e9}t\u{e9}", "a(b", "$Junk", "NonJunk"] {
            let refused = reader.mail().act(&reader.me, &reader.inbox, &one, &label(name, true)).await;
            assert_eq!(short(refused), "unfit: label mail-label-bad", "{name}");
        }
        for number in 1..MAX_KEYWORDS {
            reader.act(&[1], label(&format!("l{number}"), true)).await;
        }
        let over = reader.mail().act(&reader.me, &reader.inbox, &one, &label("over", true)).await;
        assert_eq!(short(over), "clash: label mail-too-many-labels");
    });
}

#[test]
fn copies_and_reading_are_taken_back() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        for number in 1..=3 {
            reader.fill(number, &format!("Subject {number}"), None).await;
        }
        reader.put("Archive", "Subject: Kept\n\nx\n", &[], 9).await;
        let (mail, me) = (reader.mail(), &reader.me);
        let archive = Place::Mailbox(id(&reader.house, me, "Archive").await);
        let copied = reader.act(&[1, 2], Act::Copy(archive)).await;
        assert_eq!((copied.count, copied.says.id.as_ref()), (2, "mail-done-copied"));
        assert_eq!(reader.lines("INBOX", false).await, [[3], [2], [1]], "they stay where they are");
        assert_eq!(reader.lines("Archive", false).await, [[1], [3], [2]]);
        mail.undo(me, copied.undo.as_deref().unwrap()).await.unwrap();
        assert_eq!(reader.lines("Archive", false).await, [[1]], "the copies alone go");
        assert_eq!(reader.lines("INBOX", false).await, [[3], [2], [1]]);
        assert_eq!(short(mail.undo(me, copied.undo.as_deref().unwrap()).await), "absent: mail-undo-gone", "once");
        let unread = async || {
            let unread = ListWanted { filter: ListFilter::Unseen, ..wanted(0, 9, false) };
            reader.list(unread).await.rows.iter().map(|row| row.uid).collect::<Vec<_>>()
        };
        reader.act(&[1], Act::Read(true)).await;
        let read = reader.act(&[1, 2, 3], Act::Read(true)).await;
        assert_eq!((read.count, read.says.id.as_ref()), (2, "mail-done-read"));
        assert_eq!(unread().await, Vec::<u32>::new());
        mail.undo(me, read.undo.as_deref().unwrap()).await.unwrap();
        assert_eq!(unread().await, [3, 2], "what was read before stays read");
        let not_read = reader.act(&[1, 2], Act::Read(false)).await;
        assert_eq!((not_read.count, not_read.says.id.as_ref()), (1, "mail-done-not-read"));
        assert_eq!(unread().await, [3, 2, 1]);
        mail.undo(me, not_read.undo.as_deref().unwrap()).await.unwrap();
        assert_eq!(unread().await, [3, 2]);
        assert_eq!(reader.house.store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn all_that_a_list_shows_can_be_meant() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        for number in 1..=6 {
            let subject = if number % 2 == 0 { "Even" } else { "Odd" };
            reader.fill(number, &format!("{subject} {number}"), None).await;
        }
        let search = Search::parse("subject:even");
        let listed = Chosen::Listed(Box::new(ListWanted { search, ..wanted(0, 1, false) }));
        let done = reader.mail().act(&reader.me, &reader.inbox, &listed, &Act::Move(Place::Archive)).await.unwrap();
        assert_eq!(done.count, 3);
        assert_eq!(reader.lines("INBOX", false).await, [[5], [3], [1]]);
        reader.fill(7, "Re: Odd 1", Some(1)).await;
        let conversation = Chosen::Conversations(set(&[7]));
        reader.mail().act(&reader.me, &reader.inbox, &conversation, &Act::Move(Place::Archive)).await.unwrap();
        assert_eq!(reader.lines("INBOX", false).await, [[5], [3]]);
        let none = reader.act(&[], Act::Delete).await;
        assert_eq!((none.count, none.says.id.as_ref()), (0, "mail-nothing-chosen"));
    });
}

#[test]
fn junk_teaches_as_a_move_by_imap_does() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        reader.fill(1, "Buy", None).await;
        reader.act(&[1], Act::Move(Place::Junk)).await;
        let lessons = reader.house.store.lessons_due(10).await.unwrap();
        assert_eq!(lessons.iter().map(|lesson| lesson.is_junk).collect::<Vec<_>>(), [true]);
        let junk = id(&reader.house, &reader.me, "Junk").await;
        let all = Chosen::Messages(set(&[1]));
        let done = reader.mail().act(&reader.me, &junk, &all, &Act::Move(Place::NotJunk)).await.unwrap();
        assert_eq!(done.says.id, "mail-done-not-junk");
        let lessons = reader.house.store.lessons_due(10).await.unwrap();
        assert_eq!(lessons.iter().map(|lesson| lesson.is_junk).collect::<Vec<_>>(), [false]);
        assert_eq!(reader.lines("INBOX", false).await, [[2]]);
    });
}

#[test]
fn nobody_sees_anothers_mail() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        reader.fill(1, "Secret", None).await;
        for role in [Role::HelpDesk, Role::DomainAdmin, Role::Owner] {
            let other = reader.house.actor(role, true).await;
            let (mail, inbox) = (reader.mail(), &reader.inbox);
            assert_eq!(short(mail.list(&other, inbox, &wanted(0, 9, true)).await), "absent: mail-no-mailbox");
            assert_eq!(short(mail.open(&other, inbox, 1, true, true).await), "absent: mail-no-mailbox");
            assert_eq!(short(mail.raw(&other, inbox, 1).await), "absent: mail-no-mailbox");
            assert_eq!(short(mail.clean_html(&other, inbox, 1, None).await), "absent: mail-no-mailbox");
            let one = Chosen::Messages(set(&[1]));
            assert_eq!(short(mail.act(&other, inbox, &one, &Act::Delete).await), "absent: mail-no-mailbox");
            let theirs = id(&reader.house, &other, "INBOX").await;
            let into = Act::Move(Place::Mailbox(theirs));
            assert_eq!(short(mail.act(&reader.me, inbox, &one, &into).await), "absent: mail-no-mailbox");
        }
        for id in ["", "F", "Fzz", "F-1", "1", "F+1", "F7fffffffffffffff"] {
            assert_eq!(
                short(reader.mail().list(&reader.me, id, &wanted(0, 9, true)).await),
                "absent: mail-no-mailbox",
                "{id}"
            );
        }
        let nobody = Actor::command_line();
        assert!(matches!(reader.mail().folders(&nobody).await, Err(Failure::Absent(_))));
    });
}

#[test]
fn what_is_looked_for_is_found() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let mixed = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee the plan\n--b\nContent-Type: application/pdf\n\
                     Content-Disposition: attachment; filename=plan.pdf\n\nx\n--b--\n";
        reader.put("INBOX", &format!("From: Ann <ann@x.example>\nSubject: Lunch\n{mixed}"), &[], 1).await;
        reader
            .put(
                "INBOX",
                "From: bob@y.example\nTo: ann@x.example\nSubject: Dinner\n\nlunch was good\n",
                &[SystemFlag::Seen],
                2,
            )
            .await;
        reader
            .put("INBOX", "From: carl@z.example\nSubject: 100% off\n\nnothing\n", &[SystemFlag::Flagged], 60 * 24 * 40)
            .await;
        let found = async |text: &str| {
            let page = reader.list(ListWanted { search: Search::parse(text), ..wanted(0, 9, false) }).await;
            let mut uids: Vec<_> = page.rows.iter().map(|row| row.uid).collect();
            uids.sort_unstable();
            uids
        };
        assert_eq!(found("lunch").await, [1, 2]);
        assert_eq!(found("ann").await, [1, 2]);
        assert_eq!(found("from:ann").await, [1]);
        assert_eq!(found("from:ann subject:dinner").await, Vec::<u32>::new());
        assert_eq!(found("has:attachment").await, [1]);
        assert_eq!(found("-has:attachment is:unread").await, [3]);
        assert_eq!(found("is:starred").await, [3]);
        assert_eq!(found("100%").await, [3]);
        assert_eq!(found("after:2026-02").await, [3]);
        assert_eq!(found("before:2026-02 -lunch").await, Vec::<u32>::new());
        assert_eq!(found("\"was good\"").await, [2]);
    });
}

/// Each operator looks in its own place alone, whether messages are read for it or the index tells.
#[test]
fn operators_look_where_they_say() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let plan = "From: Ann <ann@x.example>\nTo: Bob Jones <bob@y.example>\nCc: team@z.example\nSubject: Plan\n\
                    Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n--b\nContent-Type: application/pdf\n\
                    Content-Disposition: attachment; filename=plan.pdf\n\nx\n--b--\n";
        reader.put("INBOX", plan, &[], 1).await;
        let answer =
            "From: Bob Jones <bob@y.example>\nTo: Ann <ann@x.example>\nSubject: plan.pdf\n\nof the team, by Bills\n";
        reader.put("INBOX", answer, &[SystemFlag::Answered], 2).await;
        let long = format!("From: carl@z.example\nSubject: Long\n\n{}", "many words\n".repeat(300));
        reader.put("INBOX", &long, &[SystemFlag::Draft], 3).await;
        reader.act(&[1], Act::Label("Bills".to_owned(), true)).await;
        let octets = reader.list(wanted(0, 1, false)).await.rows[0].size_octets;
        let folder = tempfile::tempdir().unwrap();
        let finder = relais_finding::Finder::new(reader.house.store.clone());
        finder.keeper(folder.path().to_owned()).catch_up().await.unwrap();
        let indexed = reader.house.service.clone().with_finder(&finder);
        let (larger, not_larger) = (format!("larger:{}", octets - 1), format!("larger:{octets}"));
        let (smaller, not_smaller) = (format!("smaller:{}", octets + 1), format!("smaller:{octets}"));
        let cases: [(&str, &[u32]); 25] = [
            ("to:bob", &[1]),
            ("to:\"bob jones\"", &[1]),
            ("to:ann", &[2]),
            ("to:team", &[]),
            ("-to:bob", &[2, 3]),
            ("cc:team", &[1]),
            ("cc:bob", &[]),
            ("label:Bills", &[1]),
            ("label:bills", &[1]),
            ("tag:bills", &[1]),
            ("label:other", &[]),
            ("-label:bills", &[2, 3]),
            (&larger, &[3]),
            (&not_larger, &[]),
            ("larger:2k", &[3]),
            (&smaller, &[1, 2, 3]),
            (&not_smaller, &[1, 2]),
            ("smaller:2k larger:1b", &[1, 2]),
            ("filename:plan", &[1]),
            ("filename:plan.pdf", &[1]),
            ("file:pdf", &[1]),
            ("filename:long", &[]),
            ("is:answered", &[2]),
            ("is:draft", &[3]),
            ("to:bob label:bills filename:plan smaller:2k", &[1]),
        ];
        for mail in [reader.mail(), &indexed.mail] {
            for (text, expected) in cases {
                let wanted = ListWanted { search: Search::parse(text), ..wanted(0, 9, false) };
                let page = mail.list(&reader.me, &reader.inbox, &wanted).await.unwrap();
                let mut uids: Vec<_> = page.rows.iter().map(|row| row.uid).collect();
                uids.sort_unstable();
                assert_eq!(uids, expected, "{text}");
            }
        }
    });
}

/// `in:` names a mailbox by its name or the last level of that; without it, nothing is found in Junk and Trash.
#[test]
fn a_mailbox_is_named_by_in() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let (mail, me) = (reader.mail(), &reader.me);
        mail.create_folder(me, "Bills/2026").await.unwrap();
        for mailbox in ["INBOX", "Sent", "Junk", "Trash", "Bills/2026"] {
            reader.put(mailbox, "Subject: Plan\n\nx\n", &[], 1).await;
            reader.put(mailbox, "Subject: Other\n\nx\n", &[], 2).await;
        }
        let found = async |q: &str| {
            let wanted = MailWanted { q: q.to_owned(), ..MailWanted::default() };
            let rows = mail.search(me, &wanted, &Paging { after: None, limit: 20 }).await?.rows;
            Ok::<_, Failure>(rows.into_iter().map(|row| (row.mailbox, row.uid)).collect::<Vec<_>>())
        };
        let cases: [(&str, &[&str]); 8] = [
            ("plan", &["INBOX", "Sent", "Bills/2026"]),
            ("in:all plan", &["INBOX", "Sent", "Bills/2026"]),
            ("in:inbox plan", &["INBOX"]),
            ("plan in:sent", &["Sent"]),
            ("in:junk plan", &["Junk"]),
            ("in:Bills/2026 plan", &["Bills/2026"]),
            ("in:\"2026\" plan", &["Bills/2026"]),
            ("in:bills plan", &[]),
        ];
        for (q, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|mailbox| ((*mailbox).to_owned(), 1_u32)).collect();
            assert_eq!(found(q).await.unwrap(), expected, "{q}");
        }
        assert_eq!(short(found("in:nowhere plan").await), "absent: mail-no-mailbox-of-name");
    });
}

/// The index knows what reading would tell, and which is best.
#[test]
fn what_is_found_stands_by_its_worth_and_says_why() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let put = async |mailbox: &str, subject: &str, text: &str, minutes: i64| {
            let raw = format!("From: Ann <ann@x.example>\nSubject: {subject}\n\n{text}\n");
            reader.put(mailbox, &raw, &[], minutes).await;
        };
        put("INBOX", "Invoice of May", "see below", 1).await;
        put("INBOX", "Lunch", "did you get my invoices? they are in the caf\u{e9}", 2).await;
        put("INBOX", "Dinner", "nothing of that kind", 3).await;
        put("Archive", "Old", "an invoice of last year", 4).await;
        let folder = tempfile::tempdir().unwrap();
        let finder = relais_finding::Finder::new(reader.house.store.clone());
        finder.keeper(folder.path().to_owned()).catch_up().await.unwrap();
        let indexed = reader.house.service.clone().with_finder(&finder);
        for mail in [reader.mail(), &indexed.mail] {
            let list = async |text: &str, by_time: bool| {
                let wanted = ListWanted { search: Search::parse(text), by_time, ..wanted(0, 9, false) };
                mail.list(&reader.me, &reader.inbox, &wanted).await.unwrap().rows
            };
            let uids = async |text: &str| {
                let mut uids: Vec<u32> = list(text, true).await.iter().map(|row| row.uid).collect();
                uids.sort_unstable();
                uids
            };
            assert_eq!(uids("invoice").await, [1, 2]);
            assert_eq!(uids("cafe").await, [2]);
            assert_eq!(uids("my invoice").await, [2]);
            assert_eq!(uids("\"get my inv\"").await, [2]);
            assert_eq!(uids("-invoice").await, [3]);
            let rows = list("invoice", true).await;
            assert_eq!(rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [2, 1], "the newest first");
            let marked: Vec<_> =
                rows[0].preview.iter().filter(|piece| piece.is_sought).map(|piece| &*piece.text).collect();
            assert_eq!(marked, ["invoice"]);
            let search = Search::parse("in:all invoice").unwrap();
            let elsewhere = mail.elsewhere(&reader.me, &search, &reader.inbox).await.unwrap();
            let elsewhere: Vec<_> = elsewhere.iter().map(|there| (there.folder.name.as_str(), there.found)).collect();
            assert_eq!(elsewhere, [("Archive", 1)]);
        }
        let wanted = ListWanted { search: Search::parse("invoice"), ..wanted(0, 9, false) };
        let rows = indexed.mail.list(&reader.me, &reader.inbox, &wanted).await.unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [1, 2], "a subject says more than a text");
    });
}

/// A program's page goes on behind the one before, though the message that this ended with is gone by then, or all of it, as where each page is
/// put away before the next is asked for.
#[test]
fn a_page_goes_on_behind_what_is_gone() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        for number in 1..=6 {
            reader.fill(number, &format!("Offer {number}"), None).await;
        }
        let page = async |after: Option<String>| {
            let wanted = MailWanted { mailbox: Some("INBOX".to_owned()), by_time: true, ..MailWanted::default() };
            let page = reader.mail().search(&reader.me, &wanted, &Paging { after, limit: 2 }).await.unwrap();
            (page.rows.iter().map(|row| row.uid).collect::<Vec<_>>(), page.next)
        };
        let (first, next) = page(None).await;
        assert_eq!(first, [6, 5]);
        reader.act(&[5], Act::Delete).await;
        let (second, next) = page(next).await;
        assert_eq!(second, [4, 3]);
        reader.act(&[4, 3], Act::Delete).await;
        assert_eq!(page(next).await, (vec![2, 1], None));
    });
}

#[test]
fn a_message_is_opened_and_judged() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        reader.fill(1, "Lunch", None).await;
        reader.fill(2, "Re: Lunch", Some(1)).await;
        reader.put("INBOX", "From: Shop <news@shop.example>\nSubject: Sale\nContent-Type: text/html\n\n<p>Hi<img src=https://t.example/p.gif><script>x</script>\n", &[], 9).await;
        let (mail, me, inbox) = (reader.mail(), &reader.me, &reader.inbox);
        let open = mail.open(me, inbox, 2, true, true).await.unwrap();
        assert_eq!(open.letter.header.subject, "Re: Lunch");
        let entries: Vec<_> =
            open.conversation.iter().map(|entry| (entry.uid, entry.author.as_str(), entry.is_seen)).collect();
        assert_eq!(entries, [(1, "Person 1", false), (2, "Person 2", true)]);
        assert_eq!((open.above, open.below, open.genuine), (Some(3), None, Genuine::Unknown));
        assert!(open.flags.is_seen && open.verdict.is_none());
        let page = reader.list(wanted(0, 9, true)).await;
        assert_eq!(page.rows[1].unseen, 1, "what was opened is read; what stands beside it isn't");
        let clean = mail.clean_html(me, inbox, 3, None).await.unwrap().unwrap();
        assert_eq!((clean.html.as_str(), clean.pictures_away), ("<div><p>Hi<img>\n</p></div>", 1));
        assert_eq!(mail.clean_html(me, inbox, 2, None).await.unwrap(), None, "plain text needs no frame");
        assert!(!mail.open(me, inbox, 3, true, false).await.unwrap().shows_pictures);
        mail.show_pictures(me, inbox, 3, true).await.unwrap();
        assert!(mail.open(me, inbox, 3, true, false).await.unwrap().shows_pictures);
        reader.act(&[3], Act::Move(Place::Junk)).await;
        let junk = id(&reader.house, me, "Junk").await;
        let in_junk = mail.open(me, &junk, 1, true, false).await.unwrap();
        assert!(in_junk.is_junk && !in_junk.shows_pictures, "junk's pictures stay away, whoever sent it");
        assert_eq!(short(mail.open(me, inbox, 3, true, false).await), "absent: mail-no-message");
    });
}

#[test]
fn news_are_of_ones_own_mail() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let other = reader.house.actor(Role::Owner, true).await;
        let mut news = reader.mail().news(&reader.me).await.unwrap();
        let theirs =
            Reader { inbox: id(&reader.house, &other, "INBOX").await, me: other, house: Arc::clone(&reader.house) };
        theirs.fill(1, "Not yours", None).await;
        reader.fill(2, "Yours", None).await;
        let News::Mailbox { id, arrived, .. } = news.next().await.unwrap() else { panic!("missed") };
        assert_eq!((id, arrived), (reader.inbox.clone(), 1));
    });
}

#[test]
fn choices_are_kept() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let chosen = ReadingChoices { density: Density::Dense, pane: ReadingPane::None, by_conversation: false };
        reader.mail().choose(&reader.me, chosen).await.unwrap();
        assert_eq!(reader.mail().choices(&reader.me).await.unwrap(), chosen);
    });
}

pub(crate) fn quoting() -> Quoting {
    Quoting {
        wrote: "On {date}, {who} wrote:".to_owned(),
        passed_on: "--- Forwarded ---".to_owned(),
        fields: ["From", "Date", "Subject", "To"].map(str::to_owned),
        date: |_| "some day".to_owned(),
    }
}

fn of(reader: &Reader, uid: u32, how: Answering) -> Of {
    Of { mailbox: reader.inbox.clone(), uid, how }
}

#[test]
fn an_answer_begins_with_what_it_answers() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        reader.put("INBOX", "From: Ann <ann@x.example>\nTo: user@one.example, bob@y.example\nSubject: Lunch\nMessage-ID: <1@x>\n\nShall we?\n-- \nAnn\n", &[], 1).await;
        let (mail, me) = (reader.mail(), &reader.me);
        let new = mail.begin(me, None, &quoting()).await.unwrap();
        assert!(new.id.ends_with("@mx.house.example>") && new.from.contains("user@one.example"), "{new:?}");
        let all = mail.begin(me, Some(of(&reader, 1, Answering::ReplyAll)), &quoting()).await.unwrap();
        assert_eq!((all.to.as_str(), all.cc.as_str()), ("Ann <ann@x.example>", "bob@y.example"));
        assert_eq!(
            (all.subject.as_str(), all.text.as_str()),
            ("Re: Lunch", "\n\nOn some day, Ann wrote:\n> Shall we?\n")
        );
        let forward = mail.begin(me, Some(of(&reader, 1, Answering::Forward)), &quoting()).await.unwrap();
        assert_eq!((forward.to.as_str(), forward.subject.as_str()), ("", "Fwd: Lunch"));
        assert!(forward.text.contains("--- Forwarded ---\nFrom: Ann <ann@x.example>\n"), "{}", forward.text);
        let file = mail.begin(me, Some(of(&reader, 1, Answering::ForwardFile)), &quoting()).await.unwrap();
        assert_eq!(file.files[0].name, "Lunch.eml");
        let other = reader.house.actor(Role::Owner, true).await;
        assert_eq!(
            short(mail.begin(&other, Some(of(&reader, 1, Answering::Reply)), &quoting()).await),
            "absent: mail-no-mailbox"
        );
    });
}

#[test]
fn drafts_are_saved_and_never_twice() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        reader.fill(1, "Lunch", None).await;
        let (mail, me) = (reader.mail(), &reader.me);
        let begun = mail.begin(me, Some(of(&reader, 1, Answering::Reply)), &quoting()).await.unwrap();
        let draft = Draft { to: "ann@x.example, bo".to_owned(), text: "Hm".to_owned(), html: None, ..begun };
        let file = NewFile { name: "a.txt".to_owned(), kind: "text/plain".to_owned(), octets: b"one".to_vec() };
        let first = mail.save_draft(me, &draft, vec![file]).await.unwrap();
        let opened = mail.open_draft(me, first).await.unwrap();
        assert_eq!(
            (opened.to.as_str(), opened.text.trim_end(), opened.of.clone()),
            ("ann@x.example", "Hm", draft.of.clone())
        );
        assert_eq!(opened.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["a.txt"]);
        let second = mail.save_draft(me, &Draft { text: "Hm!".to_owned(), ..opened }, Vec::new()).await.unwrap();
        assert_eq!(reader.lines("Drafts", false).await, [[second]]);
        let opened = mail.open_draft(me, second).await.unwrap();
        assert_eq!((opened.files.len(), &opened.id), (1, &draft.id), "it is one message, and keeps its file");
        mail.discard_draft(me, second).await.unwrap();
        assert_eq!(reader.lines("Drafts", false).await, Vec::<Vec<u32>>::new());
        // It is gone, but still open in another window.
        let third = mail.save_draft(me, &Draft { files: Vec::new(), ..opened }, Vec::new()).await.unwrap();
        assert_eq!(reader.lines("Drafts", false).await, [[third]]);
        assert_eq!(reader.house.store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_message_is_sent_once_and_kept() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        reader.fill(1, "Lunch", None).await;
        let (mail, me) = (reader.mail(), &Actor { peer: Some([192, 0, 2, 7].into()), ..reader.me.clone() });
        let begun = mail.begin(me, Some(of(&reader, 1, Answering::Reply)), &quoting()).await.unwrap();
        let draft = Draft {
            to: "desk@one.example".to_owned(),
            bcc: "admin@one.example".to_owned(),
            text: "Yes".to_owned(),
            ..begun
        };
        let saved = mail.save_draft(me, &draft, Vec::new()).await.unwrap();
        let draft = mail.open_draft(me, saved).await.unwrap();
        // Without scripts nothing keeps anybody from pressing twice: both presses were once sent where they came at once.
        let press = async || mail.send(me, reader.house.store.now(), &draft, Vec::new()).await.unwrap().id;
        let (one, other) = tokio::join!(press(), press());
        assert_eq!([&*one, &*other, &*press().await], ["mail-sent"; 3]);
        assert_eq!(reader.lines("Drafts", false).await.len(), 0);
        assert_eq!(reader.lines("Sent", false).await.len(), 1);
        assert!(reader.list(wanted(0, 9, false)).await.rows[0].is_answered);
        for role in [Role::HelpDesk, Role::DomainAdmin] {
            let them = reader.house.actor(role, true).await;
            let inbox = id(&reader.house, &them, "INBOX").await;
            let found = mail.list(&them, &inbox, &wanted(0, 9, false)).await.unwrap();
            assert_eq!(found.total, 1, "{role:?}");
            let raw = mail.raw(&them, &inbox, found.rows[0].uid).await.unwrap().octets;
            let raw = String::from_utf8(raw).unwrap();
            assert!(raw.contains("In-Reply-To: <1@x>") && raw.contains("by mx.house.example with ESMTPA"), "{raw}");
            assert!(!raw.contains("Bcc") && !raw.contains("X-Relais-Of"), "{raw}");
            assert!(
                raw.contains("Received: from webmail\r\n") && !raw.contains("192.0.2.7"),
                "where the writer is: {raw}"
            );
        }
        let sent = id(&reader.house, me, "Sent").await;
        let copy = String::from_utf8(mail.raw(me, &sent, 1).await.unwrap().octets).unwrap();
        assert!(copy.contains("Bcc: admin@one.example") && !copy.contains("X-Relais-Of"), "{copy}");
        assert_eq!(mail.completions(me, "desk").await.unwrap(), ["desk@one.example"]);
    });
}

/// What is passed on brings its files along, in the text as well as whole as a file, also by way of a draft; and once it went, what it was
/// about is marked so.
#[test]
fn what_is_passed_on_goes_with_its_files_and_is_marked() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let (mail, me) = (reader.mail(), &reader.me);
        let plain = WritingChoices { is_rich: false, ..WritingChoices::default() };
        mail.choose_writing(me, plain).await.unwrap();
        let desk = reader.house.actor(Role::HelpDesk, true).await;
        let inbox = id(&reader.house, &desk, "INBOX").await;
        let cases = [
            (Answering::Forward, false),
            (Answering::Forward, true),
            (Answering::ForwardFile, false),
            (Answering::ForwardFile, true),
            (Answering::ReplyAll, false),
        ];
        for (uid, (how, is_saved)) in (1_u32..).zip(cases) {
            let raw = format!(
                "From: Ann <ann@x.example>\nTo: user@one.example\nSubject: Plan\nMessage-ID: <{uid}@x>\n\
                 Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee the plan.\n--b\nContent-Type: application/pdf\n\
                 Content-Disposition: attachment; filename=plan.pdf\nContent-Transfer-Encoding: base64\n\nJVBERg==\n--b--\n"
            );
            reader.put("INBOX", &raw, &[], i64::from(uid)).await;
            let begun = mail.begin(me, Some(of(&reader, uid, how)), &quoting()).await.unwrap();
            let mut draft = Draft { to: "desk@one.example".to_owned(), ..begun };
            if is_saved {
                let saved = mail.save_draft(me, &draft, Vec::new()).await.unwrap();
                draft = mail.open_draft(me, saved).await.unwrap();
            }
            let stands = async || {
                let flags = mail.open(me, &reader.inbox, uid, false, false).await.unwrap().flags;
                (flags.is_forwarded, flags.is_answered)
            };
            assert_eq!(stands().await, (false, false), "{how:?}: nothing went yet");
            mail.send(me, reader.house.store.now(), &draft, Vec::new()).await.unwrap();
            let is_passed_on = how != Answering::ReplyAll;
            assert_eq!(stands().await, (is_passed_on, !is_passed_on), "{how:?}");
            let got = mail.list(&desk, &inbox, &wanted(0, 9, false)).await.unwrap();
            let got = mail.raw(&desk, &inbox, got.rows[0].uid).await.unwrap().octets;
            let letter = Letter::read(&got);
            let octets_of = |path: &str| file_octets(&got, path).unwrap().into_owned();
            let files: Vec<(&str, &str, Vec<u8>)> =
                letter.attachments().map(|file| (&*file.name, &*file.kind, octets_of(&file.path))).collect();
            let text = letter.text();
            match how {
                Answering::Forward => {
                    assert_eq!(files, [("plan.pdf", "application/pdf", b"%PDF".to_vec())]);
                    assert!(text.contains("--- Forwarded ---") && text.contains("See the plan."), "{text}");
                }
                Answering::ForwardFile => {
                    let [(name, kind, octets)] = files.as_slice() else { panic!("{files:?}") };
                    assert_eq!((*name, *kind), ("Plan.eml", "message/rfc822"));
                    let inner = Letter::read(octets);
                    assert_eq!(inner.header.message_id, format!("<{uid}@x>"));
                    assert_eq!(inner.attachments().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["plan.pdf"]);
                    assert!(!text.contains("See the plan."), "it is in the file alone: {text}");
                }
                Answering::Reply | Answering::ReplyAll => assert!(files.is_empty(), "who wrote has them: {files:?}"),
            }
        }
        assert_eq!(reader.lines("Drafts", false).await.len(), 0);
        assert_eq!(reader.lines("Sent", false).await.len(), 5);
        assert_eq!(reader.house.store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn what_cannot_be_sent_is_said_and_nothing_is() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let (mail, me) = (reader.mail(), &reader.me);
        let new = mail.begin(me, None, &quoting()).await.unwrap();
        let now = reader.house.store.now();
        let sent = async |draft: Draft| short(mail.send(me, now, &draft, Vec::new()).await);
        let to = |to: &str| Draft { to: to.to_owned(), ..new.clone() };
        assert_eq!(sent(to("")).await, "unfit: to mail-no-recipient");
        assert_eq!(sent(to("ann")).await, "unfit: to mail-bad-address");
        assert_eq!(sent(to("nobody@one.example")).await, "unfit: to mail-recipient-refused");
        assert_eq!(sent(to("desk@one.example, nobody@one.example")).await, "unfit: to mail-recipient-refused");
        let forged = Draft { from: "owner@one.example".to_owned(), ..to("desk@one.example") };
        assert_eq!(sent(forged).await, "unfit: from mail-refused", "nobody writes as somebody else");
        let large = NewFile { name: "x".to_owned(), kind: String::new(), octets: vec![0; 26 * 1024 * 1024] };
        assert_eq!(
            short(mail.send(me, now, &to("desk@one.example"), vec![large]).await),
            "unfit: files mail-files-too-large"
        );
        let them = reader.house.actor(Role::HelpDesk, true).await;
        let inbox = id(&reader.house, &them, "INBOX").await;
        assert_eq!(mail.list(&them, &inbox, &wanted(0, 9, false)).await.unwrap().total, 0);
        assert_eq!(reader.lines("Sent", false).await.len(), 0);
    });
}

#[test]
fn whoever_was_in_a_closed_account_sends_no_more() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let (mail, me, store) = (reader.mail(), &reader.me, &reader.house.store);
        let (account, _) = me.account.clone().unwrap();
        let since = store.now();
        let facts = HoldFacts { messages: 1, new_recipients: 100, ..HoldFacts::default() };
        store.raise_hold(NewHold { account, reason: HoldReason::NewRecipients, facts, peer: None }).await.unwrap();
        store.drop_hold(&Author::house(), account).await.unwrap();
        reader.house.clock.advance(Duration::from_secs(1));
        let draft = Draft { to: "desk@one.example".to_owned(), ..mail.begin(me, None, &quoting()).await.unwrap() };
        assert_eq!(short(mail.send(me, since, &draft, Vec::new()).await), "unfit:  mail-refused");
        assert_eq!(reader.lines("Sent", false).await.len(), 0);
        assert_eq!(short(mail.send(me, store.now(), &draft, Vec::new()).await), "done");
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    });
}

/// RFC 9051 §6.3.7: what mail programs are told goes by the page, through renames too; INBOX stays subscribed to.
#[test]
fn folders_are_subscribed_to_and_taken_back() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let (mail, me) = (reader.mail(), &reader.me);
        let bills = mail.create_folder(me, "Bills").await.unwrap().id;
        assert!(reader.is_subscribed("Bills").await);
        let hidden = mail.subscribe_folder(me, &bills, false).await.unwrap();
        assert_eq!((hidden.count, hidden.says.id.as_ref()), (1, "mail-folder-unsubscribed"));
        assert!(!reader.is_subscribed("Bills").await);
        let again = mail.subscribe_folder(me, &bills, false).await.unwrap();
        assert_eq!((again.count, again.undo), (0, None), "nothing happened, nothing is taken back");
        mail.rename_folder(me, &bills, "Old bills").await.unwrap();
        mail.undo(me, &hidden.undo.unwrap()).await.unwrap();
        assert!(reader.is_subscribed("Old bills").await, "by the name that it has now");
        assert!(!reader.is_subscribed("Bills").await);
        let junk = id(&reader.house, me, "Junk").await;
        mail.subscribe_folder(me, &junk, false).await.unwrap();
        let shown = mail.subscribe_folder(me, &junk, true).await.unwrap();
        assert_eq!((shown.count, shown.says.id.as_ref()), (1, "mail-folder-subscribed"));
        assert!(reader.is_subscribed("Junk").await);
        assert_eq!(short(mail.subscribe_folder(me, &reader.inbox, false).await), "forbidden: mail-folder-kept");
        assert_eq!(mail.subscribe_folder(me, &reader.inbox, true).await.unwrap().count, 0);
        let other = reader.house.actor(Role::Owner, true).await;
        assert_eq!(short(mail.subscribe_folder(&other, &bills, false).await), "absent: mail-no-mailbox");
        assert_eq!(short(mail.subscribe_folder(me, "x", false).await), "absent: mail-no-mailbox");
    });
}

/// RFC 6154 §2: what is archived, deleted and unwanted goes by what has the use now, and the choice is taken back.
#[test]
fn folders_are_chosen_for_a_use() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let (mail, me) = (reader.mail(), &reader.me);
        for number in 1..=4 {
            reader.fill(number, &format!("Subject {number}"), None).await;
        }
        let kept = mail.create_folder(me, "Work/Kept").await.unwrap().id;
        let work = id(&reader.house, me, "Work").await;
        let chosen = mail.use_folder(me, &kept, SpecialUse::Archive).await.unwrap();
        assert_eq!((chosen.count, chosen.says.id.as_ref()), (1, "mail-folder-for-archive"));
        reader.act(&[1], Act::Move(Place::Archive)).await;
        assert_eq!(reader.lines("Work/Kept", false).await, [[1]]);
        for needed in [&kept, &work] {
            assert_eq!(short(mail.delete_folder(me, needed).await), "forbidden: mail-folder-kept");
        }
        mail.undo(me, &chosen.undo.unwrap()).await.unwrap();
        reader.act(&[2], Act::Move(Place::Archive)).await;
        assert_eq!(reader.lines("Archive", false).await, [[1]]);

        let bin = mail.create_folder(me, "Bin").await.unwrap().id;
        mail.use_folder(me, &bin, SpecialUse::Trash).await.unwrap();
        reader.act(&[3], Act::Delete).await;
        assert_eq!(reader.lines("Bin", false).await, [[1]]);
        mail.delete_folder(me, &work).await.unwrap();
        assert_eq!(id(&reader.house, me, "Bin/Work/Kept").await, kept);

        let junk = id(&reader.house, me, "Junk").await;
        let spam = mail.create_folder(me, "Spam").await.unwrap().id;
        reader.act(&[4], Act::Move(Place::Junk)).await;
        let left = mail.use_folder(me, &spam, SpecialUse::Junk).await;
        assert_eq!(short(left), "clash: mailbox mail-folder-junk-left", "junk never becomes mail like any other");
        mail.act(me, &junk, &Chosen::Messages(set(&[1])), &Act::Delete).await.unwrap();
        assert_eq!(mail.use_folder(me, &spam, SpecialUse::Junk).await.unwrap().count, 1);
        let again = mail.use_folder(me, &spam, SpecialUse::Junk).await.unwrap();
        assert_eq!((again.count, again.undo), (0, None));
        assert_eq!(reader.house.store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn what_is_needed_is_chosen_for_no_other_use() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let (mail, me) = (reader.mail(), &reader.me);
        let snoozed = mail.create_folder(me, "Snoozed").await.unwrap().id;
        let bills = mail.create_folder(me, "Bills").await.unwrap().id;
        let sent = id(&reader.house, me, "Sent").await;
        for (folder, special_use) in [
            (&reader.inbox, SpecialUse::Archive),
            (&snoozed, SpecialUse::Archive),
            (&sent, SpecialUse::Archive),
            // A draft that is open in a browser would be saved over another message.
            (&bills, SpecialUse::Drafts),
            (&bills, SpecialUse::All),
        ] {
            let refused = short(mail.use_folder(me, folder, special_use).await);
            assert_eq!(refused, "forbidden: mail-folder-kept", "{folder} {special_use:?}");
        }
        let other = reader.house.actor(Role::Owner, true).await;
        assert_eq!(short(mail.use_folder(&other, &bills, SpecialUse::Archive).await), "absent: mail-no-mailbox");
    });
}

#[test]
fn folders_are_made_renamed_and_thrown_away() {
    on_both(|house| async move {
        let reader = Reader::of(house).await;
        let (mail, me) = (reader.mail(), &reader.me);
        let made = mail.create_folder(me, " Bills/2026 ").await.unwrap();
        assert!(made.is_subscribed || made.name == "Bills/2026");
        assert_eq!(short(mail.create_folder(me, "bills/2026").await), "done", "names know case");
        assert_eq!(short(mail.create_folder(me, "Bills/2026").await), "clash: name mail-folder-exists");
        assert_eq!(short(mail.create_folder(me, "a//b").await), "unfit: name mail-folder-bad-name");
        let bills = id(&reader.house, me, "Bills").await;
        let renamed = mail.rename_folder(me, &bills, "Old bills").await.unwrap();
        assert_eq!(id(&reader.house, me, "Old bills/2026").await, made.id, "it keeps its id, and so its links");
        assert_eq!(short(mail.rename_folder(me, &bills, "Old bills/x").await), "unfit: name mail-folder-below-itself");
        mail.undo(me, &renamed.undo.unwrap()).await.unwrap();
        let gone = mail.delete_folder(me, &bills).await.unwrap();
        assert_eq!(id(&reader.house, me, "Trash/Bills/2026").await, made.id);
        mail.undo(me, &gone.undo.unwrap()).await.unwrap();
        mail.delete_folder(me, &bills).await.unwrap();
        assert_eq!(mail.delete_folder(me, &bills).await.unwrap().says.id, "mail-folder-removed");
        for kept in [reader.inbox.clone(), id(&reader.house, me, "Sent").await] {
            assert_eq!(short(mail.delete_folder(me, &kept).await), "forbidden: mail-folder-kept");
        }
        let other = reader.house.actor(Role::Owner, true).await;
        assert_eq!(short(mail.rename_folder(&other, &made.id, "x").await), "absent: mail-no-mailbox");
        assert_eq!(reader.house.store.check().await.unwrap(), Vec::<String>::new());
    });
}
