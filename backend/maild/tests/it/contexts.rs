//! Searches that are kept (RFC 5267) while others change the mailbox: what a client works out of what it is told is what a new search
//! finds, at every look.

use std::collections::BTreeSet;

use crate::client::Client;
use crate::house::TestHouse;
use crate::model::Dice;

/// Turns of one run.
const TURNS: usize = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_searches_stay_right_under_churn() {
    let house = TestHouse::open().await;
    for seed in 1..=4 {
        let name = format!("kept{seed}");
        house.move_in(&name, None).await;
        Box::pin(run(&house, &name, Dice(seed))).await;
    }
    house.close().await;
}

async fn run(house: &TestHouse, name: &str, mut dice: Dice) {
    let mut others = [house.log_in(name).await, house.log_in(name).await];
    others[0].must("CREATE Elsewhere").await;
    for other in &mut others {
        other.must("SELECT INBOX").await;
    }
    for _ in 0..10 {
        others[0].must(&append(&mut dice)).await;
    }
    let mut watcher = Watcher::open(house.log_in(name).await).await;
    for turn in 0..TURNS {
        let command = random_command(&mut dice);
        match dice.below(4) {
            0 => watcher.say(&command).await,
            of => drop(others[of % 2].command(&command).await),
        }
        if turn % 5 == 4 {
            watcher.look().await;
        }
    }
    for (tag, what) in watcher.tags.iter().flat_map(|tag| [(tag, "ADDTO"), (tag, "REMOVEFROM")]) {
        let is_it = |line: &&String| line.contains(&format!("\"{tag}\"")) && line.contains(what);
        assert!(watcher.log.iter().filter(is_it).count() > 5, "{tag} {what}");
    }
}

fn append(dice: &mut Dice) -> String {
    let flags = ["", "(\\Flagged) ", "(\\Deleted) "][dice.below(3)];
    let message = format!("Subject: {}\r\n\r\nx", dice.below(50) + 10);
    format!("APPEND INBOX {flags}{{{}+}}\r\n{message}", message.len())
}

fn random_command(dice: &mut Dice) -> String {
    let number = 1 + dice.below(8);
    let sign = ["+", "-"][dice.below(2)];
    let flag = ["\\Flagged", "\\Deleted"][dice.below(2)];
    match dice.below(9) {
        0..=2 => append(dice),
        3 | 4 => format!("STORE {number} {sign}FLAGS ({flag})"),
        5 => format!("STORE {number}:* {sign}FLAGS.SILENT ({flag})"),
        6 => "EXPUNGE".to_owned(),
        7 => format!("MOVE {number} Elsewhere"),
        // EXPUNGE waits, REMOVEFROM doesn't.
        _ => format!("FETCH {number} FLAGS"),
    }
}

/// A client that keeps three searches, and what it believes of them.
struct Watcher {
    client: Client,
    flagged: BTreeSet<u32>,
    flagged_numbers: BTreeSet<u32>,
    by_subject: Vec<u32>,
    tags: [String; 3],
    log: Vec<String>,
}

impl Watcher {
    async fn open(mut client: Client) -> Self {
        client.must("SELECT INBOX").await;
        let mut tags = [const { String::new() }; 3];
        let mut found = [const { Vec::new() }; 3];
        let commands = [
            "UID SEARCH RETURN (UPDATE ALL) FLAGGED",
            "SEARCH RETURN (UPDATE ALL) FLAGGED",
            "UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNDELETED",
        ];
        for (at, command) in commands.into_iter().enumerate() {
            let told = client.must(command).await;
            let line = told.iter().find(|line| line.starts_with("* ESEARCH")).unwrap();
            line.split('"').nth(1).unwrap().clone_into(&mut tags[at]);
            found[at] = line.split_once(" ALL ").map(|(_, set)| numbers(set)).unwrap_or_default();
        }
        let [flagged, flagged_numbers, by_subject] = found;
        let (flagged, flagged_numbers) = (flagged.into_iter().collect(), flagged_numbers.into_iter().collect());
        Self { client, flagged, flagged_numbers, by_subject, tags, log: Vec::new() }
    }

    async fn say(&mut self, command: &str) {
        let (untagged, end) = self.client.command(command).await;
        self.log.push(format!("{command} {end}"));
        for line in untagged {
            self.apply(&line);
        }
    }

    /// Compares what is believed with what is found anew.
    async fn look(&mut self) {
        self.say("NOOP").await;
        let log = || self.log.join("\n");
        for (command, believed) in [
            ("UID SEARCH FLAGGED", self.flagged.iter().copied().collect::<Vec<u32>>()),
            ("SEARCH FLAGGED", self.flagged_numbers.iter().copied().collect()),
            ("UID SORT (SUBJECT) UTF-8 UNDELETED", self.by_subject.clone()),
        ] {
            let told = self.client.must(command).await;
            let line = told.iter().find(|line| line.starts_with("* SEARCH") || line.starts_with("* SORT")).unwrap();
            let found: Vec<u32> = line.split(' ').skip(2).map(|number| number.parse().unwrap()).collect();
            assert_eq!(believed, found, "{command}: {}", log());
            assert_eq!(told.len(), 1, "nobody else acts now: {told:?}");
        }
    }

    fn apply(&mut self, line: &str) {
        self.log.push(line.to_owned());
        if let Some(number) = line.strip_suffix(" EXPUNGE").and_then(|line| line.strip_prefix("* ")) {
            let gone: u32 = number.parse().unwrap();
            assert!(!self.flagged_numbers.contains(&gone), "REMOVEFROM comes first: {}", self.log.join("\n"));
            let shifted = |number: &u32| if *number > gone { number - 1 } else { *number };
            self.flagged_numbers = self.flagged_numbers.iter().map(shifted).collect();
            return;
        }
        let Some((tag, rest)) = line.strip_prefix("* ESEARCH (TAG \"").and_then(|rest| rest.split_once("\") ")) else {
            return;
        };
        let rest = rest.strip_prefix("UID ").unwrap_or(rest);
        let (what, pairs) = rest.split_once(" (").unwrap();
        let words: Vec<&str> = pairs.trim_end_matches(')').split(' ').collect();
        for pair in words.chunks(2) {
            let (place, set) = (pair[0].parse::<usize>().unwrap(), numbers(pair[1]));
            let kept = if tag == self.tags[0] { &mut self.flagged } else { &mut self.flagged_numbers };
            match (what, tag == self.tags[2]) {
                ("ADDTO", false) => kept.extend(set),
                ("REMOVEFROM", false) => {
                    for number in set {
                        assert!(kept.remove(&number), "{number} wasn't there");
                    }
                }
                ("ADDTO", true) => drop(self.by_subject.splice(place - 1..place - 1, set)),
                ("REMOVEFROM", true) => {
                    let gone: Vec<u32> = self.by_subject.drain(place - 1..place - 1 + set.len()).collect();
                    assert_eq!(gone, set, "{}", self.log.join("\n"));
                }
                _ => panic!("{line}"),
            }
        }
    }
}

/// The numbers of a set, in its order.
fn numbers(set: &str) -> Vec<u32> {
    let run = |run: &str| {
        let (first, last) = run.split_once(':').unwrap_or((run, run));
        first.parse::<u32>().unwrap()..=last.parse::<u32>().unwrap()
    };
    set.split(',').flat_map(run).collect()
}
