//! An account that sends as never before: taken, held, told; then released, or dropped and shut out.

use relais_testkit::imap::{Client, Response};

use crate::house::{House, codes};

const DAVID: &str = "david@relais.test";

impl House {
    /// David sends one message to so many people elsewhere, beginning with this number.
    fn burst(&self, first: usize, count: usize) -> String {
        let to: Vec<String> = (first..first + count).map(|number| format!("n{number}@elsewhere.example")).collect();
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        let message = format!("From: {DAVID}\r\nSubject: You won {first}\r\n\r\nx\r\n");
        codes(&self.submitter(DAVID).deliver(DAVID, &to, message.as_bytes()).unwrap())
    }

    /// How many recipients of David's are in this state.
    fn in_queue(&self, state: &str) -> usize {
        let rows = self.rows(&["queue", "list", "--sender", DAVID, "--limit", "200"]);
        rows.iter().filter(|row| row["state"] == state).count()
    }

    fn reader(&self, address: &str) -> Client {
        let mut client = Client::connect_tls("127.0.0.1", self.server.port("imaps"), &self.trust).unwrap();
        client.login(address, self.password(address)).unwrap();
        client.must("SELECT INBOX").unwrap();
        client
    }

    /// Waits until a message with this in its subject is in `address`'s INBOX, and gives its text.
    fn told(&self, address: &str, subject: &str) -> String {
        let mut client = self.reader(address);
        loop {
            let found = client.must(format!("SEARCH SUBJECT \"{subject}\"")).unwrap();
            let number = found.texts().find_map(|text| Some(text.strip_prefix("SEARCH ")?.to_owned()));
            if let Some(number) = number {
                let fetched = client.must(format!("FETCH {number} BODY.PEEK[]")).unwrap();
                return fetched.texts().find(|text| text.contains("FETCH")).unwrap();
            }
            let tag = client.take_tag();
            client.send(&tag, b"IDLE").unwrap();
            while !matches!(client.next(&tag).unwrap(), Response::Untagged(told) if told.ends_with(b"EXISTS")) {}
            client.send_raw(b"DONE\r\n").unwrap();
            while !matches!(client.next(&tag).unwrap(), Response::Tagged(_)) {}
        }
    }
}

#[test]
fn a_burst_is_held_told_and_released_or_dropped() {
    let house = House::open();
    house.must(&["settings", "set", "holds.new_recipients", "6"], "");
    assert_eq!(house.burst(0, 3), "250 2.0.0");
    assert_eq!((house.in_queue("waiting"), house.in_queue("held")), (3, 0));
    assert_eq!(house.burst(3, 3), "250 2.0.0", "it is taken all the same");
    assert_eq!((house.in_queue("waiting"), house.in_queue("held")), (0, 6));

    let to_owner = house.told("ann@relais.test", "Mail of david@relais.test is held");
    assert!(to_owner.contains("/panel/people/david@relais.test/hold"), "{to_owner}");
    let to_david = house.told(DAVID, "is held");
    assert!(to_david.contains("Your mail to other hosts is held") && !to_david.contains("/panel/"), "{to_david}");
    let holds = house.rows(&["hold", "list"]);
    assert_eq!((holds.len(), holds[0]["address"].as_str(), holds[0]["recipients"].as_u64()), (1, Some(DAVID), Some(6)));
    assert!(house.must(&["hold", "show", DAVID], "").contains("You won 3"));

    assert_eq!(house.must(&["hold", "release", DAVID], ""), "6 recipients go on\n");
    assert_eq!((house.in_queue("waiting"), house.in_queue("held")), (6, 0));
    assert_eq!(house.burst(6, 7), "250 2.0.0");
    assert_eq!(house.in_queue("held"), 0, "the like is usual from now on");

    assert_eq!(house.burst(20, 50), "250 2.0.0");
    assert_eq!(house.in_queue("held"), 63);
    let (mut reader, mut submitter) = (house.reader(DAVID), house.submitter(DAVID));
    let (is_done, said) = house.command(&["hold", "drop", DAVID], "");
    assert!(!is_done && said.contains("drops 4 messages to 63 recipients") && said.contains("--yes"), "{said}");
    let said = house.must(&["hold", "drop", DAVID, "--yes"], "");
    assert_eq!(said, "63 recipients dropped; david@relais.test needs a new password\n");
    assert_eq!(house.rows(&["queue", "list", "--sender", DAVID]).len(), 0);
    assert_eq!(house.rows(&["hold", "list"]).len(), 0);

    // Who was in is out, at once and everywhere.
    let tag = reader.take_tag();
    let bye = reader.next(&tag).unwrap();
    assert!(matches!(&bye, Response::Untagged(told) if told.starts_with(b"BYE")), "{bye:?}");
    assert_eq!(submitter.reply().unwrap().code, 421);
    let mut client = Client::connect_tls("127.0.0.1", house.server.port("imaps"), &house.trust).unwrap();
    assert!(client.login(DAVID, house.password(DAVID)).is_err());
    let acts = house.must(&["activity", "list", "--limit", "20"], "");
    for act in ["hold.raise", "hold.release", "hold.drop"] {
        assert!(acts.contains(act), "{act} in {acts}");
    }
    assert!(house.must(&["check-store"], "").contains("clean"));
}
