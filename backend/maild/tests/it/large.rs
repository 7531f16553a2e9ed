//! Messages that are too large to stand in memory with others: the same octets come, whole and in pieces.

use crate::house::TestHouse;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_messages_come_whole_and_in_pieces() {
    let house = TestHouse::open().await;
    house.move_in("large", None).await;
    let mut client = house.log_in("large").await;
    let lines = "0123456789 and so on, up to the end of a line of text\r\n".repeat(30_000);
    let head = "Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    let text = format!("--b\r\n\r\n{lines}\r\n--b\r\nContent-Type: x/y\r\n\r\nsmall\r\n--b--\r\n");
    let message = format!("{head}{text}");
    client.must(&format!("APPEND INBOX {{{}+}}\r\n{message}", message.len())).await;
    client.must("SELECT INBOX").await;
    let sections = [
        ("BODY.PEEK[]", message.as_str()),
        ("BODY.PEEK[HEADER]", head),
        ("BODY.PEEK[TEXT]", &text),
        ("BODY.PEEK[1]", &lines),
        ("BODY.PEEK[2]", "small"),
        ("BODY.PEEK[HEADER.FIELDS (Subject)]", "Subject: large\r\n\r\n"),
        ("BINARY.PEEK[1]", &lines),
    ];
    for (items, expected) in sections {
        let answer = client.must(&format!("FETCH 1 ({items} UID)")).await;
        assert!(is_told(&answer[0], expected), "{items}: {:.200}", answer[0]);
        if items.starts_with("BODY.PEEK[HEADER.") {
            continue;
        }
        for (offset, octets) in [(0, 3), (10, 100_000), (expected.len() - 2, 10), (expected.len() + 1, 10)] {
            let (from, to) = (offset.min(expected.len()), (offset + octets).min(expected.len()));
            let answer = client.must(&format!("FETCH 1 ({items}<{offset}.{octets}> UID)")).await;
            assert!(
                is_told(&answer[0], &expected[from..to.max(from)]),
                "{items}<{offset}.{octets}>: {:.200}",
                answer[0]
            );
        }
    }
    let answer = client.must("FETCH 1 (FLAGS RFC822.SIZE BODY[TEXT]<0.1> BODY[1]<0.1>)").await;
    assert!(answer[0].contains("FLAGS (\\Seen \\Recent)"), "{}", answer[0]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_beyond_what_is_kept_apart_come_whole() {
    let house = TestHouse::open().await;
    house.move_in("header", None).await;
    let mut client = house.log_in("header").await;
    let head = format!("Subject: one\r\n{}Last: here\r\n\r\n", "X-Filler: nothing of interest\r\n".repeat(4000));
    let message = format!("{head}text\r\n");
    client.must(&format!("APPEND INBOX {{{}+}}\r\n{message}", message.len())).await;
    client.must("SELECT INBOX").await;
    for (items, expected) in
        [("HEADER", head.as_str()), ("HEADER.FIELDS (Last)", "Last: here\r\n\r\n"), ("TEXT", "text\r\n")]
    {
        let answer = client.must(&format!("FETCH 1 BODY.PEEK[{items}]")).await;
        assert!(answer[0].ends_with(&format!("\r\n{expected})")), "{items}: {:.200}", answer[0]);
    }
    house.close().await;
}

/// Whether a FETCH response ends with `expected` as its item, before the UID.
fn is_told(response: &str, expected: &str) -> bool {
    let literal = format!("{{{}}}\r\n{expected} UID 1)", expected.len());
    response.ends_with(&literal) || expected.is_empty() && response.ends_with("\"\" UID 1)")
}
