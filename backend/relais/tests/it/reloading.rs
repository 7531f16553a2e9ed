//! What SIGHUP reads anew, and what a file with a fault does: nothing.

use std::process::Command;
use std::time::{Duration, Instant};

use relais_testkit::smtp::Client;

use crate::house::{House, codes};
use crate::relay::{Relay, plain};

const ANN: &str = "ann@relais.test";

impl House {
    fn hang_up(&self) {
        let id = self.server.process_id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }

    /// Has `text` read in place of the file's, and waits until the log says `word` of it; gives what it says from then on.
    fn reload(&self, text: &str, word: &str) -> String {
        let before = self.server.log().unwrap().len();
        std::fs::write(self.server.folder().join("relais.toml"), text).unwrap();
        self.hang_up();
        let began_at = Instant::now();
        loop {
            let said = self.server.log().unwrap().split_off(before);
            if said.contains(word) {
                return said;
            }
            assert!(began_at.elapsed() < Duration::from_secs(10), "{word} isn't said: {said}");
            std::thread::yield_now();
        }
    }

    fn configuration(&self) -> String {
        std::fs::read_to_string(self.server.folder().join("relais.toml")).unwrap()
    }
}

/// The answers to two recipients.
fn two_recipients(client: &mut Client) -> [String; 2] {
    client.command("MAIL FROM:<a@b.example>").unwrap().must(250).unwrap();
    let answers = ["ann", "ben"].map(|who| codes(&client.command(&format!("RCPT TO:<{who}@relais.test>")).unwrap()));
    client.command("RSET").unwrap().must(250).unwrap();
    answers
}

/// Limits hold for who comes next; who is in keeps those that it found.
#[test]
fn sighup_reads_limits_anew() {
    let house = House::with("\n[limits]\nrecipients = 100\n");
    let mut guest = house.stranger();
    let config = house.configuration().replace("recipients = 100", "recipients = 1\nfree_octets = 9000000000000000");
    house.reload(&config, "read anew: ");
    assert_eq!(codes(&house.stranger().command("MAIL FROM:<a@b.example>").unwrap()), "452 4.3.1", "the disk's floor");
    assert!(house.server.log().unwrap().contains("the disk is nearly full: new mail is put off"));
    house.reload(&config.replace("free_octets", "# free_octets"), "read anew: ");
    let (mine, yours) = (["250 2.1.5"; 2], ["250 2.1.5", "452 4.5.3"]);
    assert_eq!(two_recipients(&mut guest), mine);
    assert_eq!(two_recipients(&mut house.stranger()), yours);
}

/// Another relay, and another password of the same.
#[test]
fn sighup_reads_relays_anew() {
    let (first, second) = (Relay::new("unspeakable 1"), Relay::new("unspeakable 2"));
    let house = House::with(&first.configuration());
    let send = || {
        let message = b"From: ann@relais.test\r\n\r\nx\r\n";
        house.submitter(ANN).deliver(ANN, &["bob@elsewhere.example"], message).unwrap().must(250).unwrap();
    };
    let asked = |password: &str| format!("AUTH PLAIN {}", plain("relais", password));
    send();
    assert_eq!(first.refuse_a_log_in(), asked("unspeakable 1"));
    let other = house.configuration().replace(&first.configuration(), &second.configuration());
    house.reload(&other, "read anew: ");
    send();
    assert_eq!(second.refuse_a_log_in(), asked("unspeakable 2"));
    second.set_password("unspeakable 3");
    house.reload(&other, "read anew: ");
    send();
    assert_eq!(second.refuse_a_log_in(), asked("unspeakable 3"));
}

/// The fault is told with its file and line; neither it nor anything beside it takes hold.
#[test]
fn a_file_with_a_fault_changes_nothing() {
    let house = House::with("\n[limits]\nrecipients = 100\n");
    let config = house.configuration();
    let line = config.lines().count() + 1;
    let relay = "[[delivery.relay]]\nhost = \"127.0.0.1:25\"\nusername = \"x\"\npassword_file = \"/nowhere\"\n";
    for (fault, told) in [
        (
            "lines = 3\n",
            vec!["relais.toml is not usable".to_owned(), format!("line {line},"), "unknown field".to_owned()],
        ),
        (relay, vec!["cannot read /nowhere".to_owned()]),
        ("[tls]\ncertificates = 1\n", vec![format!("line {},", line + 1)]),
    ] {
        let said =
            house.reload(&(config.replace("recipients = 100", "recipients = 1") + fault), "nothing was read anew");
        let error = said.lines().find(|line| line.contains("nothing was read anew")).unwrap();
        assert!(error.contains("ERROR") && error.contains("mend this and send SIGHUP again"), "{error}");
        for words in told {
            assert!(error.contains(&words), "{words} in {error}");
        }
    }
    assert_eq!(two_recipients(&mut house.stranger()), ["250 2.1.5"; 2]);
}

/// What SIGHUP can't bring about is named.
#[test]
fn what_waits_for_a_restart_is_named() {
    let house = House::open();
    let config = house.configuration().replace("hostname = \"localhost\"", "hostname = \"mx.example.org\"");
    let said = house.reload(&(config + "\n[delivery]\nport = 2525\n"), "waits for a restart");
    let warning = said.lines().find(|line| line.contains("waits for a restart")).unwrap();
    assert!(warning.contains("WARN") && warning.contains("changed=\"hostname, [delivery]\""), "{warning}");
}

/// New certificates are shown to who comes next, and a file that can't be used changes nothing; who is in stays in.
#[test]
fn sighup_reads_certificates_anew() {
    let (house, other) = (House::open(), House::open());
    let (folder, config) = (house.server.folder(), house.configuration());
    let is_believed = |trust| Client::connect_tls(house.server.port("submissions"), trust).is_ok();
    let mut guest = Client::connect_tls(house.server.port("submissions"), &house.trust).unwrap();
    for name in ["localhost.pem", "localhost.key"] {
        std::fs::copy(other.server.folder().join(name), folder.join(name)).unwrap();
    }
    assert!(!is_believed(&other.trust), "nothing changes unasked");
    house.reload(&config.replace("hostname", "hostnam"), "nothing was read anew");
    assert!(is_believed(&house.trust) && !is_believed(&other.trust), "what isn't understood changes nothing");
    house.reload(&config, "read anew: ");
    assert!(is_believed(&other.trust));
    // With a trust of its own: one that was here before goes on with its session, for which no certificate is shown.
    assert!(!is_believed(&house.server.trust().unwrap()));
    guest.command("NOOP").unwrap().must(250).unwrap();
}
