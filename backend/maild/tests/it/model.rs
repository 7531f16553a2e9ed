//! Sessions that change one mailbox in turns, and what each client then believes: a model of a client applies what it is told, and
//! must at the end see what a fresh session sees. On the way no answer may name a message by a number that means another.

use std::collections::BTreeSet;

use crate::client::Client;
use crate::house::TestHouse;

/// From so many messages on none is copied.
const MANY: usize = 300;
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
    let mut sessions = Vec::new();
    for extension in [None, Some("QRESYNC"), Some("IMAP4rev2"), Some("CONDSTORE")] {
        sessions.push(Session::open(house, name, INBOX, extension).await);
    }
    sessions[0].act("CREATE Elsewhere").await;
    for _ in 0..5 {
        sessions[0].append().await;
    }
    for turn in 0..TURNS {
        let of = dice.below(sessions.len());
        let command = sessions[of].random_command(&mut dice);
        sessions[of].act(&command).await;
        if turn % 25 == 24 {
            for session in &mut sessions {
                session.must_be_right(house).await;
            }
        }
    }
}

/// The owner and two others, of whom each sees their own `\Seen`, change one mailbox at the same time, each in two sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_who_share_were_told_is_what_is_there() {
    let house = TestHouse::open().await;
    for name in ["ann", "ben", "cara"] {
        house.move_in(name, None).await;
    }
    let mut ann = Session::open(&house, "ann", INBOX, None).await;
    for name in ["ben", "cara"] {
        ann.act(&format!("SETACL INBOX {name}@relais.test lrswite")).await;
    }
    for _ in 0..20 {
        ann.append().await;
    }
    let mut sessions = vec![ann];
    let shared = "\"Other Users/ann@relais.test/INBOX\"";
    for (name, mailbox, extension) in [
        ("ann", INBOX, Some("CONDSTORE")),
        ("ben", shared, Some("QRESYNC")),
        ("ben", shared, None),
        ("cara", shared, Some("IMAP4rev2")),
        ("cara", shared, Some("CONDSTORE")),
    ] {
        sessions.push(Session::open(&house, name, mailbox, extension).await);
    }
    for name in [0, 2, 4] {
        sessions[name].act("CREATE Elsewhere").await;
    }
    for round in 0..3_u64 {
        let busy = sessions.iter_mut().zip(1..).map(|(session, seed)| async move {
            let mut dice = Dice(round * 100 + seed);
            for _ in 0..30 {
                let command = session.random_command(&mut dice);
                session.act(&command).await;
            }
        });
        futures_util::future::join_all(busy).await;
        for session in &mut sessions {
            session.must_be_right(&house).await;
        }
        // All see the same messages, with the same flags but for `\Seen`.
        let shared_flags = |session: &Session| -> Vec<Known> {
            let without = |known: &Known| {
                let flags = known.flags.iter().flatten().filter(|flag| *flag != "\\Seen").cloned().collect();
                Known { uid: known.uid, flags: Some(flags) }
            };
            session.messages.iter().map(without).collect()
        };
        let first = shared_flags(&sessions[0]);
        for session in &sessions {
            assert_eq!(shared_flags(session), first, "round {round}: {}", session.log.join("\n"));
        }
    }
    house.close().await;
}

/// However many move the same messages away at once, each goes once, and none is lost; room counts where it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_several_move_away_go_once() {
    let house = TestHouse::open().await;
    let people = ["ann", "ben", "cara"];
    for name in people {
        house.move_in(name, None).await;
    }
    let mut ann = house.log_in("ann").await;
    let numbers = 1..=200;
    for number in numbers.clone() {
        let message = format!("Subject: {number}\r\n\r\ntext");
        ann.must(&format!("APPEND INBOX {{{}+}}\r\n{message}", message.len())).await;
    }
    for name in ["ben", "cara"] {
        ann.must(&format!("SETACL INBOX {name}@relais.test lrswite")).await;
    }
    let moves = people.map(|name| {
        let house = &house;
        async move {
            let mut client = house.log_in(name).await;
            let from = if name == "ann" { INBOX } else { "\"Other Users/ann@relais.test/INBOX\"" };
            client.must("CREATE Mine").await;
            client.must(&format!("SELECT {from}")).await;
            for first in (1..=200).step_by(10) {
                client.must(&format!("UID MOVE {first}:{} Mine", first + 9)).await;
            }
            client.must("SELECT Mine").await;
            let told = client.must("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])").await.join("\n");
            let subjects =
                told.split("Subject: ").skip(1).filter_map(|text| text.split_whitespace().next()?.parse().ok());
            subjects.collect::<Vec<u32>>()
        }
    });
    let mut arrived: Vec<u32> = futures_util::future::join_all(moves).await.concat();
    arrived.sort_unstable();
    assert_eq!(arrived, numbers.collect::<Vec<u32>>());
    // Looks at each account's room, too.
    house.close().await;
}

const INBOX: &str = "INBOX";

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
    name: String,
    mailbox: String,
    messages: Vec<Known>,
    /// All that was said, for the report of a fault.
    log: Vec<String>,
}

impl Session {
    async fn open(house: &TestHouse, name: &str, mailbox: &str, extension: Option<&str>) -> Self {
        let (client, name, mailbox) = (house.log_in(name).await, name.to_owned(), mailbox.to_owned());
        let mut session = Self { client, name, mailbox, messages: Vec::new(), log: Vec::new() };
        if let Some(extension) = extension {
            session.client.must(&format!("ENABLE {extension}")).await;
        }
        session.act(&format!("SELECT {}", session.mailbox)).await;
        session
    }

    /// What this client was told is what a fresh one of the same person sees.
    async fn must_be_right(&mut self, house: &TestHouse) {
        let mut fresh = Self::open(house, &self.name, &self.mailbox, None).await;
        fresh.learn().await;
        self.act("NOOP").await;
        self.learn().await;
        assert_eq!(self.messages, fresh.messages, "{}: {}", self.name, self.log.join("\n"));
    }

    fn append_command(&self) -> String {
        format!("APPEND {} {{9+}}\r\nA: b\r\n\r\nc", self.mailbox)
    }

    async fn append(&mut self) {
        self.act(&self.append_command()).await;
    }

    fn random_command(&self, dice: &mut Dice) -> String {
        let count = self.messages.len();
        if count == 0 {
            return self.append_command();
        }
        let number = 1 + dice.below(count);
        let uid = self.messages[dice.below(count)].uid.unwrap_or(1);
        let flag = ["\\Seen", "\\Deleted", "\\Deleted", "$Label", "\\Flagged"][dice.below(5)];
        let silent = ["", ".SILENT"][dice.below(2)];
        let sign = ["+", "+", "-", ""][dice.below(4)];
        match dice.below(14) {
            0 | 1 => self.append_command(),
            2 | 3 => format!("STORE {number} {sign}FLAGS{silent} ({flag})"),
            4 => format!("UID STORE {uid}:* {sign}FLAGS{silent} ({flag})"),
            5 => "EXPUNGE".to_owned(),
            6 => format!("UID EXPUNGE {uid}:*"),
            7 => format!("MOVE {number} Elsewhere"),
            8 if count < MANY => format!("COPY {number}:* {}", self.mailbox),
            9 => format!("MOVE {number} {}", self.mailbox),
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
                for uid in uids.split(',').map(run_of).flat_map(|(first, last)| first..=last) {
                    drop(self.messages.remove(self.place_of(uid)));
                }
            }
            ["*", number, "FETCH", ..] => self.take_fetch(number.parse().unwrap(), response),
            _ => {}
        }
    }

    /// Where the message of this UID stands. One that was announced, and went before its UID was asked for, stands among those of which
    /// that is so, between those whose UIDs are less and more.
    fn place_of(&self, uid: u32) -> usize {
        let from = self.messages.iter().position(|known| known.uid.is_some_and(|known| known >= uid));
        let from = from.unwrap_or(self.messages.len());
        if self.messages.get(from).is_some_and(|known| known.uid == Some(uid)) {
            return from;
        }
        let before = from.checked_sub(1).filter(|at| self.messages[*at].uid.is_none());
        before.unwrap_or_else(|| panic!("nobody knew of {uid}: {}", self.log.join("\n")))
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
