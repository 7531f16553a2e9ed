//! POP3 beside other sessions on the same mailbox: what is read ahead must never be another message than the one asked for.

use relais_testkit::{imap, pop3};

use crate::house::House;

const WHO: &str = "ann@relais.test";
/// The sample mail of the demo lies before ours.
const SAMPLES: u32 = 5;
const OURS: u32 = 60;

fn session(house: &House) -> pop3::Client {
    let mut client = pop3::Client::connect_tls(house.server.port("pop3s"), &house.trust).unwrap();
    client.command(&format!("USER {WHO}")).unwrap();
    client.command(&format!("PASS {}", house.password(WHO))).unwrap();
    client
}

/// The `Subject` of message `number`, or none where it is refused.
fn subject(client: &mut pop3::Client, number: u32) -> Option<String> {
    let lines = client.lines(&format!("RETR {number}")).ok()?;
    let mut fields = lines.iter().filter_map(|line| line.strip_prefix(b"Subject: "));
    fields.next().map(|subject| String::from_utf8_lossy(subject).into_owned())
}

/// RFC 1939 §5: numbers stay what they are for the whole session, whoever else deletes and adds.
#[test]
fn each_number_gives_its_message_in_any_order() {
    let house = House::open();
    let mut other = imap::Client::connect_tls("127.0.0.1", house.server.port("imaps"), &house.trust).unwrap();
    other.login(WHO, house.password(WHO)).unwrap();
    for number in SAMPLES + 1..=SAMPLES + OURS {
        // One of them too large to be read ahead.
        let body = "x".repeat(78) + "\r\n";
        let lines = if number == 20 { 8_000 } else { 10 };
        let message = format!("Subject: number {number}\r\n\r\n{}", body.repeat(lines));
        assert!(other.append("INBOX", "", message.as_bytes()).unwrap().is_ok());
    }
    let mut client = session(&house);
    let upwards = 6..=30;
    let downwards = (6..=12).rev();
    let about = [40, 41, 42, 50, 51, 43, 44, 45, 65, 6, 7, 8];
    for number in upwards.chain(downwards).chain(about) {
        assert_eq!(subject(&mut client, number).unwrap(), format!("number {number}"));
    }
    other.must("SELECT INBOX").unwrap();
    other.must("STORE 10:11,33 +FLAGS.SILENT (\\Deleted)").unwrap();
    other.must("EXPUNGE").unwrap();
    for number in 6..=40 {
        let expected = (![10, 11, 33].contains(&number)).then(|| format!("number {number}"));
        assert_eq!(subject(&mut client, number), expected);
    }
    client.command("DELE 12").unwrap();
    client.command("DELE 11").unwrap();
    client.command("QUIT").unwrap();
    assert!(other.must("STATUS INBOX (MESSAGES)").unwrap().texts().any(|text| text.contains("MESSAGES 61")));
    let mut again = session(&house);
    assert_eq!(subject(&mut again, 10).unwrap(), "number 13");
}
