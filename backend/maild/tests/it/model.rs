//! Sessions that change one mailbox in turns, and what each client then believes: a model of a client applies what it is told, and
//! must at the end see what a fresh session sees. On the way no answer may name a message by a number that means another.

use std::collections::BTreeSet;

use crate::client::Client;
use crate::house::TestHouse;

/// Turns of one run.
const TURNS: u32 = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_were_told_is_what_is_there() {
    let house = TestHouse::open().await;
    for seed in 1..=6 {
        let name = format!("seed{seed}");
        house.move_in(&name, None).await;
        Box::pin(run(&house, &name, Dice(seed))).await;
    }
    house.close().await;
}

async fn run(house: &TestHouse, name: &str, mut dice: Dice) {
    let mut sessions = vec![
        Session::open(house, name, None).await,
        Session::open(house, name, Some("QRESYNC")).await,
        Session::open(house, name, Some("IMAP4rev2")).await,
        Session::open(house, name, Some("CONDSTORE")).await,
    ];
    sessions[0].act("CREATE Elsewhere").await;
    for _ in 0..5 {
        sessions[0].act(APPEND).await;
    }
    for turn in 0..TURNS {
        let of = dice.below(sessions.len());
        let command = sessions[of].random_command(&mut dice);
        sessions[of].act(&command).await;
        if turn % 25 == 24 {
            let mut fresh = Session::open(house, name, None).await;
            fresh.learn().await;
            for session in &mut sessions {
                session.act("NOOP").await;
                session.learn().await;
                assert_eq!(session.messages, fresh.messages, "{name}, turn {turn}: {}", session.log.join("\n"));
            }
        }
    }
}

const APPEND: &str = "APPEND INBOX {9+}\r\nA: b\r\n\r\nc";

/// A small generator of numbers, the same for the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// What a client knows of a message: nothing but its place, after EXISTS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Known {
    uid: Option<u32>,
    flags: Option<BTreeSet<String>>,
}

impl Known {
    fn is_new(&self) -> bool {
        self.uid.is_none() || self.flags.is_none()
    }
}

struct Session {
    client: Client,
    messages: Vec<Known>,
    /// All that was said, for the report of a fault.
    log: Vec<String>,
}

impl Session {
    async fn open(house: &TestHouse, name: &str, extension: Option<&str>) -> Self {
        let mut session = Self { client: house.log_in(name).await, messages: Vec::new(), log: Vec::new() };
        if let Some(extension) = extension {
            session.client.must(&format!("ENABLE {extension}")).await;
        }
        session.act("SELECT INBOX").await;
        session
    }

    fn random_command(&self, dice: &mut Dice) -> String {
        let count = self.messages.len();
        if count == 0 {
            return APPEND.to_owned();
        }
        let number = 1 + dice.below(count);
        let uid = self.messages[dice.below(count)].uid.unwrap_or(1);
        let flag = ["\\Seen", "\\Deleted", "\\Deleted", "$Label", "\\Flagged"][dice.below(5)];
        let silent = ["", ".SILENT"][dice.below(2)];
        let sign = ["+", "+", "-", ""][dice.below(4)];
        match dice.below(14) {
            0 | 1 => APPEND.to_owned(),
            2 | 3 => format!("STORE {number} {sign}FLAGS{silent} ({flag})"),
            4 => format!("UID STORE {uid}:* {sign}FLAGS{silent} ({flag})"),
            5 => "EXPUNGE".to_owned(),
            6 => format!("UID EXPUNGE {uid}:*"),
            7 => format!("MOVE {number} Elsewhere"),
            8 => format!("COPY {number}:* INBOX"),
            9 => format!("MOVE {number} INBOX"),
            10 => format!("FETCH {number}:* (UID FLAGS BODY[TEXT])"),
            11 => format!("UID FETCH {uid}:* (FLAGS)"),
            12 => format!("SEARCH NOT {number}"),
            _ => "NOOP".to_owned(),
        }
    }

    /// Asks for what the client doesn't know of its messages.
    async fn learn(&mut self) {
        while let Some(at) = self.messages.iter().position(Known::is_new) {
            self.say(&format!("FETCH {} (UID FLAGS)", at + 1)).await;
            if self.messages.get(at).is_some_and(Known::is_new) {
                // It went meanwhile, which FETCH may not tell.
                self.say("NOOP").await;
            }
        }
    }

    async fn act(&mut self, command: &str) {
        self.say(command).await;
        self.learn().await;
    }

    async fn say(&mut self, command: &str) {
        self.log.push(command.to_owned());
        if command.contains(".SILENT") {
            // What a client would work out by itself, this one asks for.
            self.messages.iter_mut().for_each(|known| known.flags = None);
        }
        let (untagged, end) = self.client.command(command).await;
        for response in untagged {
            self.apply(command, &response);
        }
        self.log.push(end.clone());
        assert!(end.starts_with("OK") || end.starts_with("NO [EXPUNGEISSUED]"), "{}", self.log.join("\n"));
    }

    fn apply(&mut self, command: &str, response: &str) {
        self.log.push(response.to_owned());
        let words: Vec<&str> = response.split(' ').collect();
        match words.as_slice() {
            ["*", count, "EXISTS"] => {
                let count = count.parse().unwrap();
                assert!(count >= self.messages.len(), "messages went without a word: {}", self.log.join("\n"));
                self.messages.resize(count, Known::default());
            }
            ["*", number, "EXPUNGE"] => {
                let may_change = !["FETCH", "STORE", "SEARCH"].iter().any(|verb| command.starts_with(verb));
                assert!(may_change, "numbers changed under {command}");
                drop(self.messages.remove(number.parse::<usize>().unwrap() - 1));
            }
            ["*", "VANISHED", uids] => {
                let gone: Vec<(u32, u32)> = uids.split(',').map(run_of).collect();
                let is_gone =
                    |known: &Known| known.uid.is_some_and(|uid| gone.iter().any(|run| (run.0..=run.1).contains(&uid)));
                self.messages.retain(|known| !is_gone(known));
            }
            ["*", number, "FETCH", ..] => self.take_fetch(number.parse().unwrap(), response),
            _ => {}
        }
    }

    fn take_fetch(&mut self, number: usize, response: &str) {
        let log = self.log.join("\n");
        let known = self.messages.get_mut(number - 1).unwrap_or_else(|| panic!("no message has this number: {log}"));
        if let Some((_, rest)) = response.split_once("UID ") {
            let uid = rest.split([' ', ')']).next().unwrap().parse().unwrap();
            assert!(known.uid.is_none_or(|known| known == uid), "the number means another message: {log}");
            known.uid = Some(uid);
        }
        if let Some((_, rest)) = response.split_once("FLAGS (") {
            let flags =
                rest.split(')').next().unwrap().split(' ').filter(|flag| !flag.is_empty() && *flag != "\\Recent");
            known.flags = Some(flags.map(str::to_owned).collect());
        }
    }
}

fn run_of(text: &str) -> (u32, u32) {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    (first.parse().unwrap(), last.parse().unwrap())
}
