//! What goes out because of scripts, and what of it stays here.

use std::time::Duration;

use relais_model::{Notify, Ret};
use relais_store::{Page, QueueFilter};

use super::{BEN, DORA, LETTER, count, get, script, status};
use crate::desk::{Desk, from_outside};

/// RFC 6009 §4: what a script asks for stands in the queue, for the host that gets the message next; what it leaves out is as the sender said.
#[tokio::test]
async fn what_a_script_asks_of_notices_goes_with_what_is_sent_on() {
    let desk = Desk::open().await;
    let both = Notify { success: true, failure: true, delay: false };
    let delay = Notify { delay: true, ..Notify::NEVER };
    for (to, asked, wished, notify, ret) in [
        ("a@elsewhere.example", ":notify \"NEVER\" :ret \"HDRS\"", None, Some(Notify::NEVER), Some(Ret::Headers)),
        ("b@elsewhere.example", ":notify \"success,FAILURE\" :ret \"full\"", None, Some(both), Some(Ret::Full)),
        ("c@elsewhere.example", ":notify \"DELAY\"", Some(both), Some(delay), None),
        ("d@elsewhere.example", ":ret \"FULL\"", Some(both), Some(both), Some(Ret::Full)),
        ("e@elsewhere.example", "", None, None, None),
    ] {
        script(&desk, BEN, &format!("require \"redirect-dsn\"; redirect {asked} \"{to}\";")).await;
        let said = from_outside(DORA, &[BEN]).notifying(wished);
        assert_eq!(desk.send(&said, LETTER).await, ["250 2.0.0"]);
        let queued = desk.house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows;
        let entry = queued.iter().find(|entry| entry.recipient.address.to_string() == to).unwrap();
        assert_eq!((entry.recipient.notify, entry.message.ret), (notify, ret), "{asked}");
    }
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

/// RFC 8580 §3: the copy of an answer lies where `fileinto` with the same words would put it, and only of an answer that is sent.
#[tokio::test]
async fn a_copy_of_an_answer_stays_where_the_script_says() {
    for (place, mailbox, unseen) in [
        (":fcc \"Sent\"", "Sent", 1),
        (":fcc \"Sent\" :flags [\"\\\\Seen\", \"$answer\"]", "Sent", 0),
        (":fcc \"Answers/Ben\" :create :flags \"\\\\Seen\"", "Answers/Ben", 0),
        (":fcc \"Nowhere\" :specialuse \"\\\\Sent\"", "Sent", 1),
        // Beside the two letters.
        (":fcc \"Nowhere\"", "INBOX", 3),
    ] {
        let desk = Desk::open().await;
        let text = format!(
            "require [\"vacation\", \"fcc\", \"mailbox\", \"special-use\", \"imap4flags\"]; vacation {place} \"Until Monday.\";"
        );
        script(&desk, BEN, &text).await;
        for _answered_once in 0..2 {
            assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
        }
        assert_eq!(desk.queued().await, [("<>".to_owned(), DORA.to_owned())], "{place}");
        let all = desk.mail(BEN, mailbox).await;
        let copies: Vec<_> = all.iter().filter(|message| message.contains("Until Monday.")).collect();
        assert_eq!((copies.len(), status(&desk, BEN, mailbox).await.unseen), (1, unseen), "{place}");
        for line in ["Auto-Submitted: auto-replied\r\n", "In-Reply-To: <1@shop.example>\r\n", "dora@shop.example"] {
            assert!(copies[0].contains(line), "{line} in {}", copies[0]);
        }
        assert_eq!(count(&desk, BEN, "INBOX").await, if mailbox == "INBOX" { 3 } else { 2 }, "{place}");
        assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
    }
}

/// RFC 8580 §3: so it is with a notice.
#[tokio::test]
async fn a_copy_of_a_notice_stays_where_the_script_says() {
    let desk = Desk::open().await;
    let text = "require [\"enotify\", \"fcc\", \"imap4flags\"]; notify :fcc \"Archive\" :flags \"\\\\Seen\" :message \"You have mail\" \
        \"mailto:pager@elsewhere.example\";";
    script(&desk, BEN, text).await;
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(desk.queued().await, [("<>".to_owned(), "pager@elsewhere.example".to_owned())]);
    let copies = desk.mail(BEN, "Archive").await;
    let unseen = status(&desk, BEN, "Archive").await.unseen;
    assert_eq!((copies.len(), unseen, count(&desk, BEN, "INBOX").await), (1, 0, 1));
    for line in ["Subject: You have mail\r\n", "Auto-Submitted: auto-notified\r\n", "pager@elsewhere.example"] {
        assert!(copies[0].contains(line), "{line} in {}", copies[0]);
    }
    assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
}

/// RFC 6131 §2: who was answered is answered again after `:seconds`; a minute is the least that docs/sieve.md has.
#[tokio::test]
async fn who_writes_is_answered_again_after_the_seconds() {
    for (seconds, last_silent) in [(1800, 1799), (61, 60), (60, 59), (1, 59), (0, 59)] {
        let desk = Desk::open().await;
        let text = format!("require \"vacation-seconds\"; vacation :seconds {seconds} \"I am in a meeting.\";");
        script(&desk, BEN, &text).await;
        for (later, answers) in [(0, 1), (last_silent, 1), (1, 2), (1, 2)] {
            desk.house.clock.advance(Duration::from_secs(later));
            assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
            assert_eq!(desk.queued().await.len(), answers, "{seconds} seconds, {later} later");
        }
        assert_eq!(desk.house.store.check().await.unwrap(), Vec::<String>::new());
    }
}

/// RFC 5429 §2.1, §2.2: its own examples, said in the session.
#[tokio::test]
async fn refusals_are_said_in_the_words_of_the_script() {
    let desk = Desk::open().await;
    for (text, from, said) in [
        (
            "require \"ereject\"; if address \"from\" \"someone@example.com\" { ereject \"I no longer accept mail from this address\"; }",
            "someone@example.com",
            "550 5.7.1 I no longer accept mail from this address",
        ),
        (
            "require \"reject\"; if header :contains \"from\" \"coyote@desert.example.org\" {\r\nreject text:\r\n\
             I am not taking mail from you, and I don't\r\nwant your birdseed, either!\r\n.\r\n;\r\n}",
            "coyote@desert.example.org",
            "550 5.7.1 I am not taking mail from you, and I don't want your birdseed, either!",
        ),
    ] {
        script(&desk, BEN, text).await;
        let message = LETTER.replace(DORA, from);
        assert_eq!(desk.said(&from_outside(from, &[BEN]), &message).await, said);
        assert_eq!(count(&desk, BEN, "INBOX").await, 0);
        assert_eq!(desk.queued().await, []);
    }
    // Others are heard.
    assert_eq!(get(&desk, &[BEN]).await, ["250 2.0.0"]);
    assert_eq!(count(&desk, BEN, "INBOX").await, 1);
}
