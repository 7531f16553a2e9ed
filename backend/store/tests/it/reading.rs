//! What messages hold: facts, octets, words.

use relais_model::UidSet;
use relais_store::{ContentRow, Contents, Field, Wanted};
use tokio::io::AsyncReadExt;

use crate::house::{append, content, message, on_both, set};

async fn all(mut contents: Contents) -> Vec<ContentRow> {
    let mut rows = Vec::new();
    while let Some(chunk) = contents.next().await {
        let chunk = chunk.unwrap();
        rows.extend(chunk);
    }
    rows
}

#[test]
fn facts_come_in_order_whatever_the_set() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        house.fill(inbox, 0..700).await;
        let every_second: Vec<(u32, u32)> = (0..350).map(|at| (2 * at + 1, 2 * at + 1)).collect();
        let check = async |uids: UidSet, expected: usize| {
            let rows = all(house.store.contents(inbox, uids, Wanted { head: true, ..Wanted::default() })).await;
            assert_eq!(rows.len(), expected);
            assert!(rows.is_sorted_by(|one, other| one.uid < other.uid));
            assert!(rows.iter().all(|row| {
                String::from_utf8_lossy(&row.head).contains(&format!("Number {}\r\n", row.uid - 1))
                    && row.raw.is_empty()
            }));
        };
        check(set(&[(1, 700)]), 700).await;
        check(set(&[(10, 10)]), 1).await;
        check(set(&[(699, 9000)]), 2).await;
        check(set(&every_second), 350).await;
        check(UidSet::new(), 0).await;
        let wanted = Wanted {
            envelope: true,
            body_structure: true,
            body: true,
            preview: true,
            thread_id: true,
            head: false,
            raw: true,
        };
        let rows = all(house.store.contents(inbox, set(&[(3, 3)]), wanted)).await;
        let facts = content(&message(2)).facts().clone();
        let row = &rows[0];
        assert_eq!(
            (&*row.envelope, &*row.body_structure, &*row.body),
            (&*facts.envelope, &*facts.body_structure, &*facts.body)
        );
        assert_eq!((&row.preview, row.raw.as_slice()), (&facts.preview, message(2).as_bytes()));
    });
}

#[test]
fn octets_come_back_as_they_went_in() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        let noise = noise();
        let long_header = format!("X-Long: {}\r\nSubject: late\r\n\r\nbody", "y ".repeat(60_000));
        let cases = [
            ("nothing", String::new()),
            ("no header", "\r\nonly a body\r\n".to_owned()),
            ("a header alone", "Subject: x\r\n".to_owned()),
            ("small", message(1)),
            ("compressible", format!("Subject: z\r\n\r\n{}", "again and again\r\n".repeat(3000))),
            ("an object", format!("Subject: big\r\n\r\n{noise}")),
            ("inline, packed late", format!("Subject: big\r\n\r\n{}", &noise[..90_000])),
            ("a header over 64 KiB", long_header),
        ];
        for (what, raw) in &cases {
            house.store.append(inbox, vec![append(raw)]).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        let view = house.store.view(inbox).await.unwrap().unwrap();
        let rows = view.read(|rows| rows.as_slice().to_vec());
        for ((what, raw), row) in cases.iter().zip(&rows) {
            assert_eq!(house.store.raw(row.message()).await.unwrap().as_deref(), Some(raw.as_bytes()), "{what}");
            let mut read = Vec::new();
            let mut stream = house.store.open_raw(row.message()).await.unwrap().unwrap();
            stream.read_to_end(&mut read).await.unwrap();
            assert!(read == raw.as_bytes(), "{what}, streamed");
        }
        let wanted = Wanted { raw: true, ..Wanted::default() };
        let many = all(house.store.contents(inbox, set(&[(1, 8)]), wanted)).await;
        assert!(many.iter().zip(&cases).all(|(row, (_, raw))| row.raw == raw.as_bytes()));
        house.check().await;
    });
}

#[test]
fn an_object_goes_with_the_last_who_needs_it() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        let noise = noise();
        house.store.append(inbox, vec![append(&noise), append(&noise)]).await.unwrap();
        let key = house.store.view(inbox).await.unwrap().unwrap().read(|rows| rows.as_slice()[0].message());
        let archive = house.status(house.anna, "Archive").await.mailbox.key;
        house.store.move_messages(inbox, set(&[(1, 1)]), archive).await.unwrap();
        house.store.delete_mailbox(house.anna, &crate::house::name("Archive")).await.unwrap();
        assert_eq!(house.store.collect().await.unwrap(), 0, "INBOX still holds it");
        house.store.rename_mailbox(house.anna, &crate::house::name("INBOX"), &crate::house::name("x")).await.unwrap();
        house.store.delete_mailbox(house.anna, &crate::house::name("x")).await.unwrap();
        assert_eq!(house.store.collect().await.unwrap(), 0, "it can be taken back");
        house.store.forget_removed(house.anna, None).await.unwrap();
        assert_eq!(house.store.collect().await.unwrap(), 1);
        assert!(house.store.raw(key).await.unwrap().is_none());
        house.check().await;
    });
}

#[test]
fn a_missing_object_is_told_of() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        house.store.append(inbox, vec![append(&noise())]).await.unwrap();
        house.check().await;
        std::fs::remove_dir_all(&house.config.objects).unwrap();
        let wrong = house.store.check().await.unwrap();
        assert_eq!(wrong, ["bodies whose file is missing or cut short: 1"]);
    });
}

#[test]
fn words_are_found_in_any_case_and_decoded() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        let raw = |subject: &str| format!("From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>\r\nSubject: {subject}\r\n\r\n.");
        for subject in ["100% off", "=?utf-8?q?Gr=C3=BC=C3=9Fe?= aus Bonn", "plain_words", "back\\slash"] {
            house.store.append(inbox, vec![append(&raw(subject))]).await.unwrap();
        }
        let check = async |field: Field, text: &str, expected: &[(u32, u32)]| {
            assert_eq!(house.store.search_field(inbox, field, text).await.unwrap(), set(expected), "{text}");
        };
        check(Field::Subject, "100%", &[(1, 1)]).await;
        check(Field::Subject, "%", &[(1, 1)]).await;
        check(Field::Subject, "_", &[(3, 3)]).await;
        check(Field::Subject, "\\", &[(4, 4)]).await;
        check(Field::Subject, "GRÜß", &[(2, 2)]).await;
        check(Field::Subject, "aus bonn", &[(2, 2)]).await;
        check(Field::Subject, "", &[(1, 4)]).await;
        check(Field::From, "jürgen", &[(1, 4)]).await;
        check(Field::From, "X.EXAMPLE", &[(1, 4)]).await;
        check(Field::To, "x", &[]).await;
        let days = house.store.sent_days(inbox).await.unwrap();
        assert_eq!(days.len(), 4);
        assert!(days.iter().all(|(_, day)| *day == 20_454), "without Date: the day of arrival");
    });
}

#[test]
fn answers_share_the_thread_of_what_they_answer() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        let raw = |id: &str, subject: &str, references: &str| {
            format!("Message-ID: <{id}@x>\r\nSubject: {subject}\r\n{references}\r\n{id}")
        };
        let messages = vec![
            append(&raw("a", "Plan", "")),
            append(&raw("b", "Re: Plan", "References: <a@x>\r\n")),
            append(&raw("c", "Other", "References: <a@x>\r\n")),
            append("Subject: alone\r\n\r\n"),
        ];
        house.store.append(inbox, messages).await.unwrap();
        house.store.append(inbox, vec![append(&raw("d", "re: plan", "In-Reply-To: <b@x>\r\n"))]).await.unwrap();
        let wanted = Wanted { thread_id: true, ..Wanted::default() };
        let rows = all(house.store.contents(inbox, set(&[(1, 9)]), wanted)).await;
        let threads: Vec<&str> = rows.iter().map(|row| row.thread_id.as_str()).collect();
        assert_eq!((threads[0], threads[0]), (threads[1], threads[4]));
        assert!(threads[2] != threads[0] && threads[3] != threads[0]);
        let facts = house.store.sort_facts(inbox).await.unwrap();
        assert_eq!(facts[4].references, ["b@x"]);
        assert!(facts[4].is_reply && facts[4].base_subject == facts[0].base_subject);
        house.check().await;
    });
}

/// 600 KiB that no packer makes small.
fn noise() -> String {
    let numbers = (0..40_000_u64).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string());
    numbers.collect()
}
