use relais_model::{Address, ReversePath};
use tokio::io::{DuplexStream, duplex};

use super::*;

/// What a milter says can't end a header, begin a field of its own, or accept by refusing.
pub(crate) fn is_safe(say: &Say) {
    let field = |name: &str, value: &[u8]| {
        assert!(!name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':'));
        assert!(!value.contains(&0));
        for (place, line) in value.split(|octet| *octet == b'\n').enumerate() {
            assert!(place == 0 || matches!(line.first(), Some(b' ' | b'\t')), "{}", value.escape_ascii());
            assert!(value.is_empty() || !line.iter().all(u8::is_ascii_whitespace), "{}", value.escape_ascii());
        }
    };
    match say {
        Say::Change(Change::Add { name, value } | Change::Insert { name, value, .. }) => field(name, value),
        Say::Change(Change::Alter { name, value, .. }) => field(name, value.as_deref().unwrap_or(b"x")),
        Say::Reply(reply) => assert!(!reply.is_positive() && (400..600).contains(&reply.code)),
        Say::Quarantine(why) => assert!(why.bytes().all(|octet| (b' '..=b'~').contains(&octet))),
        _ => {}
    }
}

const MESSAGE: &str = "Subject: one\r\n two\r\nno field\r\nX-Empty:\r\n\r\nThe body.\r\n";

fn negotiation(version: u32, acts: u32, steps: u32) -> Vec<u8> {
    let [version, acts, steps] = [version, acts, steps].map(u32::to_be_bytes);
    packet(b'O', &[&version, &acts, &steps])
}

/// A milter that has agreed on `steps` and answers each packet (but macros) as it is told; gives what it heard, as text.
async fn milter(mut stream: DuplexStream, agreed: Vec<u8>, answers: impl Fn(&[u8]) -> Vec<u8>) -> Vec<String> {
    let mut heard = Vec::new();
    while let Ok(octets) = stream.read_u32().await {
        let mut data = vec![0; octets as usize];
        stream.read_exact(&mut data).await.unwrap();
        let answer = match data[0] {
            b'O' => agreed.clone(),
            b'D' | b'Q' => Vec::new(),
            _ => answers(&data),
        };
        if data[0] != b'O' {
            heard.push(String::from_utf8_lossy(&data).replace('\0', "|"));
        }
        if stream.write_all(&answer).await.is_err() {
            break;
        }
    }
    heard
}

async fn tell(
    message: &str,
    agreed: Vec<u8>,
    answers: impl Fn(&[u8]) -> Vec<u8>,
) -> (Result<Finding, Trouble>, Vec<String>) {
    let path = ReversePath::Address(Address::parse("a@x.example").unwrap());
    let (one, two) = (Address::parse("b@y.example").unwrap(), Address::parse("c@y.example").unwrap());
    let letter = Letter {
        peer: "192.0.2.1".parse().unwrap(),
        helo: "x.example",
        login: Some("a@x.example"),
        reverse_path: &path,
        recipients: &[&one, &two],
        queue_id: "id1",
        host: "mx.example",
        message: message.as_bytes(),
    };
    let (ours, theirs) = duplex(1000);
    tokio::join!(check(ours, &letter), milter(theirs, agreed, answers))
}

fn say(letter: u8, data: &str) -> Vec<u8> {
    packet(letter, &[data.as_bytes()])
}

fn passed() -> Finding {
    Finding::Passed { changes: Vec::new(), quarantine: None }
}

#[tokio::test]
async fn a_session_is_told_step_by_step() {
    let (found, heard) = tell(MESSAGE, negotiation(6, ACTS, 0), |_| say(b'c', "")).await;
    assert_eq!(found, Ok(passed()));
    let expected = [
        "DCj|mx.example|{daemon_name}|relais|v|relais|{client_addr}|192.0.2.1|",
        "C[192.0.2.1]|4||192.0.2.1|",
        "Hx.example|",
        "DMi|id1|{mail_addr}|a@x.example|{auth_authen}|a@x.example|{auth_type}|PLAIN|{auth_author}|a@x.example|",
        "M<a@x.example>|",
        "DR{rcpt_addr}|b@y.example|",
        "R<b@y.example>|",
        "DR{rcpt_addr}|c@y.example|",
        "R<c@y.example>|",
        "DTi|id1|",
        "T",
        "LSubject|one\n two|",
        "LX-Empty||",
        "DNi|id1|",
        "N",
        "BThe body.\r\n",
        "DEi|id1|",
        "E",
        "Q",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn what_it_will_not_hear_or_answer_is_left_out_or_not_waited_for() {
    let untold = 0x1 | 0x2 | 0x4 | 0x8 | 0x20 | 0x40 | 0x200;
    let (found, heard) = tell(MESSAGE, negotiation(6, 0, untold), |_| say(b'c', "")).await;
    assert_eq!((found, heard.join(" ")), (Ok(passed()), "BThe body.\r\n DEi|id1| E Q".to_owned()));
    let answer_the_end = |data: &[u8]| if data == b"E" { say(b'a', "") } else { Vec::new() };
    let (found, heard) = tell(MESSAGE, negotiation(6, 0, 0xf_f080 | LEADING_BLANK), answer_the_end).await;
    assert_eq!(found, Ok(passed()));
    assert!(heard.contains(&"LSubject| one\n two|".to_owned()), "{heard:?}");
    let (found, heard) = tell(MESSAGE, negotiation(2, 0, 0), |_| say(b'c', "")).await;
    assert!(found == Ok(passed()) && !heard.contains(&"T".to_owned()));
}

#[tokio::test]
async fn a_step_s_answer_ends_it() {
    let refused = |code, class, text: &str| Finding::Refused(Reply::new(code, EnhancedCode::new(class, 7, 1), text));
    for step in [b'C', b'H', b'M', b'R', b'T', b'L', b'N', b'B', b'E'] {
        for (answer, expected) in [
            (say(b'a', ""), passed()),
            (say(b'd', ""), Finding::Discarded),
            (say(b'r', ""), refused(550, 5, "A filter of this host refuses the message")),
            (say(b't', ""), refused(451, 4, "A filter of this host puts the message off; try again later")),
            (say(b'y', "554 5.7.1 Away\0"), refused(554, 5, "Away")),
            (say(b'y', "451 4.7.1 Later\0"), refused(451, 4, "Later")),
        ] {
            let answers = |data: &[u8]| if data[0] == step { answer.clone() } else { say(b'c', "") };
            let (found, heard) = tell(MESSAGE, negotiation(6, 0, 0), answers).await;
            assert_eq!((found, heard.last().map(String::as_str)), (Ok(expected), Some("Q")), "{}", step.escape_ascii());
        }
    }
}

#[tokio::test]
async fn changes_are_collected_at_the_end() {
    let answers = |data: &[u8]| match data {
        b"E" => [
            say(b'p', ""),
            say(b'h', "X-A\0one\ntwo\0"),
            say(b'i', "\0\0\0\x01X-B\0 three\0"),
            say(b'p', ""),
            say(b'm', "\0\0\0\x01Subject\0\0"),
            say(b'q', "odd\0"),
            say(b'c', ""),
        ]
        .concat(),
        _ => [say(b'p', ""), say(b'c', "")].concat(),
    };
    let (found, _) = tell(MESSAGE, negotiation(6, ACTS, 0), answers).await;
    let changes = vec![
        Change::Add { name: "X-A".to_owned(), value: b"one\r\n\ttwo".to_vec() },
        Change::Insert { at: 1, name: "X-B".to_owned(), value: b"three".to_vec() },
        Change::Alter { nth: 1, name: "Subject".to_owned(), value: None },
    ];
    assert_eq!(found, Ok(Finding::Passed { changes, quarantine: Some("odd".to_owned()) }));
}

#[tokio::test]
async fn a_large_body_goes_in_pieces_until_it_has_seen_enough() {
    let large = format!("A: b\r\n\r\n{}", "x".repeat(3 * PIECE));
    let pieces =
        |heard: &[String]| heard.iter().filter(|text| text.starts_with('B')).map(String::len).collect::<Vec<_>>();
    let (_, heard) = tell(&large, negotiation(6, 0, SKIP), |_| say(b'c', "")).await;
    assert_eq!(pieces(&heard), [PIECE + 1; 3]);
    let answers = |data: &[u8]| if data[0] == b'B' { say(b's', "") } else { say(b'c', "") };
    let (found, heard) = tell(&large, negotiation(6, 0, SKIP), answers).await;
    assert_eq!((found, pieces(&heard)), (Ok(passed()), vec![PIECE + 1]));
    let (found, _) = tell(&large, negotiation(6, 0, 0), answers).await;
    assert_eq!(found, Err(Trouble::Malformed("a word out of place")));
}

#[tokio::test]
async fn what_was_not_agreed_upon_is_no_answer() {
    let malformed = |what| Err(Trouble::Malformed(what));
    for agreed in [
        negotiation(7, 0, 0),
        negotiation(1, 0, 0),
        negotiation(6, 0x2, 0),
        negotiation(6, 0, 0x800),
        say(b'O', "x"),
        say(b'c', ""),
    ] {
        let (found, _) = tell(MESSAGE, agreed, |_| say(b'c', "")).await;
        assert!(matches!(found, Err(Trouble::Malformed("negotiation" | "number"))), "{found:?}");
    }
    for (answer, expected) in [
        (say(b'b', "a new body"), malformed("an act that was not agreed upon")),
        (say(b'+', "x@y.example\0"), malformed("an act that was not agreed upon")),
        (vec![0xff, 0xff, 0xff, 0xff], malformed("length")),
        (vec![0, 0, 0, 0], malformed("length")),
        (say(b'h', "X\0y\0").repeat(MOST_CHANGES + 1), malformed("too many changes")),
        (say(b'h', &format!("X\0{}\0", "y".repeat(60_000))).repeat(5), malformed("too many changes")),
        (say(b'p', "").repeat(MOST_PACKETS), malformed("too many packets")),
    ] {
        let answers = |data: &[u8]| if data[0] == b'E' { answer.clone() } else { say(b'c', "") };
        let (found, _) = tell(MESSAGE, negotiation(6, ACTS, 0), answers).await;
        assert_eq!(found, expected);
    }
    // A change before the end.
    let (found, _) = tell(MESSAGE, negotiation(6, ACTS, 0), |_| say(b'h', "X\0y\0")).await;
    assert_eq!(found, malformed("a word out of place"));
    let (ours, theirs) = duplex(100);
    drop(theirs);
    assert!(matches!(version(ours).await, Err(Trouble::Broken(_))));
}
