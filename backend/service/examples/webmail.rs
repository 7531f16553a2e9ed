//! How quick a mailbox of 100,000 messages is: its list, a message, a search, for twenty readers at once; what the search index costs, and
//! whether it is right. `cargo xtask webmail-bench` runs it; its arguments are `MESSAGES MAILBOXES SUITES`: messages in each mailbox, how
//! many of the twenty readers have one of their own (the others look into the first), and the folder of the suites.
//!
//! The mail is the spam corpus of the suites and the odd messages of their MIME tests, again and again with other words and identifiers;
//! where they aren't there, letters from a seed. It is appended as programs append it; all mailboxes hold the same contents, each with
//! rows, an order and conversations of its own. Printed are medians and 99th percentiles of what the pages ask of the house, without the
//! drawing of them, and what the process took of the processors for one.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "it is run by hand, and measures"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use relais_finding::{Finder, Places};
use relais_message::{Needle, Structure, matches_text};
use relais_model::{
    Address, Domain, Flag, MailboxName, Random as _, ReversePath, SystemClock, SystemFlag, Timestamp, Uid, UidSet,
};
use relais_reception::Login;
use relais_service::{Actor, ListWanted, Reach, Role, Search, Service};
use relais_store::{
    Acceptance, AccountKey, Append, Author, Content, DatabaseUrl, Delivery, DomainChange, MailboxKey, NewAccount, Row,
    Store, StoreConfig, Target, TraceId, View, Wanted,
};
use relais_testkit::SeededRandom;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const READERS: usize = 20;
const ROUNDS: usize = 15;
/// In every tenth message, in many, in few, in a part of a word, in none.
const WORDS: [&str; 8] = ["linux", "meeting", "the", "razor", "perl", "unsubscrib", "zimbabwe", "nowherefound"];
const SEARCHES: [&str; 6] =
    ["linux", "meetings", "from:john", "subject:report is:unread", "\"mailing list\" linux", "has:attachment perl"];
const DELIVERED: usize = 3000;

struct House {
    store: Store,
    service: Service,
    finder: Finder,
    people: Vec<Person>,
    folder: tempfile::TempDir,
}

/// Somebody with a mailbox.
#[derive(Clone)]
struct Person {
    account: AccountKey,
    me: Actor,
    inbox: MailboxKey,
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let mut number = |otherwise| words.next().map_or(otherwise, |text| text.parse().unwrap());
    let (messages, mailboxes): (usize, usize) = (number(100_000), number(READERS).clamp(1, READERS));
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites");
    let suites = words.next().map_or_else(beside, PathBuf::from);
    let mut house = open(mailboxes).await;
    let corpus = corpus(&suites);
    let (started, before) = (Instant::now(), cpu_time());
    let octets = fill(&house, &corpus, messages).await;
    println!(
        "{messages} messages of {} MB, each in {mailboxes} mailboxes, in {:.0?} (CPU: {:.0?})",
        octets / 1_000_000,
        started.elapsed(),
        cpu_time().saturating_sub(before)
    );
    make_index(&mut house, octets).await;
    let view = house.store.view(house.people[0].inbox).await.unwrap().unwrap();
    look_up_words(&house, &view).await;
    compare_with_scan(&house, &view).await;
    read_mail(&house, &view, 1).await;
    if mailboxes > 1 {
        read_mail(&house, &view, mailboxes).await;
    }
    receive(&house, &corpus, mailboxes).await;
    println!("\n{} MB of memory at most", peak_memory());
    deliver(&house, &corpus).await;
    house.store.close().await;
}

/// What the process took of the processors until now.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15 of proc_pid_stat(5), in hundredths of a second, counted behind the name.
    let ticks = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').skip(11).take(2);
    Duration::from_millis(ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
}

async fn open(mailboxes: usize) -> House {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        database: DatabaseUrl::Sqlite(folder.path().join("store.db")),
        objects: folder.path().join("objects"),
        inline_octets: 256 * 1024,
        readers: 3,
    };
    let (clock, random) = (Arc::new(SystemClock), SeededRandom::new(1));
    let store = Store::open(config, clock.clone(), Arc::new(SeededRandom::new(2))).await.unwrap();
    let by = Author::house();
    store.add_domain(&Domain::parse("house.example").unwrap(), DomainChange::default(), &by).await.unwrap();
    let mut people = Vec::new();
    for number in 0..mailboxes {
        let address = Address::parse(&address(number)).unwrap();
        let account = store.add_account(NewAccount::user(address.clone()), &by).await.unwrap().key;
        let inbox = store.mailbox(account, &MailboxName::parse("INBOX").unwrap()).await.unwrap().unwrap().mailbox.key;
        let me = Actor {
            name: address.to_string(),
            account: Some((account, address)),
            role: Role::User,
            reach: Reach::Domains(Vec::new()),
            ..Actor::command_line()
        };
        people.push(Person { account, me, inbox });
    }
    let login = Arc::new(Login::new(store.clone(), clock, &random));
    let finder = Finder::new(store.clone());
    let service = Service::new(store.clone(), login).with_finder(&finder);
    House { store, service, finder, people, folder }
}

fn address(number: usize) -> String {
    format!("ann{number}@house.example")
}

/// The messages of the suites, or some from a seed.
fn corpus(suites: &Path) -> Vec<Vec<u8>> {
    let archive = suites.join("spam/train.tar.gz");
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(folder.path()).status();
    if !archive.exists() || !unpacked.is_ok_and(|status| status.success()) {
        println!("no corpus at {}: letters from a seed", archive.display());
        return letters();
    }
    let is_message = |path: &PathBuf| {
        path.extension().is_some_and(|kind| ["txt", "eml", "msg", "raw"].iter().any(|known| kind == *known))
    };
    let mut files = files_below(folder.path());
    files.extend(files_below(&suites.join("mime")));
    files.retain(is_message);
    files.sort();
    let with_crlf = |raw: Vec<u8>| {
        let mut out = Vec::with_capacity(raw.len() + raw.len() / 30);
        for line in raw.split_inclusive(|octet| *octet == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
            out.extend_from_slice(b"\r\n");
        }
        out
    };
    files.iter().map(|file| with_crlf(std::fs::read(file).unwrap())).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

fn letters() -> Vec<Vec<u8>> {
    let random = SeededRandom::new(3);
    let word = |number: u64| {
        let syllables =
            ["lin", "ux", "mee", "ting", "per", "l", "raz", "or", "the", "an", "do", "ra", "mi", "ko", "sta"];
        (0..2 + number % 3).map(|_| syllables[usize::try_from(random.below(15)).unwrap()]).collect::<String>()
    };
    let letter = |number: u64| {
        let text: Vec<String> = (0..300 + random.below(600)).map(|at| word(at + random.below(9))).collect();
        format!(
            "From: John {number} <john{number}@else.example>\r\nTo: ann@house.example\r\nSubject: {} report\r\n\
             Message-ID: <{number}@else.example>\r\n\r\n{}\r\n",
            word(number),
            text.join(" ")
        )
    };
    (0..3000).map(|number| letter(number).into_bytes()).collect()
}

/// The corpus' message at this place, as another one: every tenth word of some length and every identifier differ.
fn variant(corpus: &[Vec<u8>], number: usize) -> Vec<u8> {
    let (raw, copy) = (&corpus[number % corpus.len()], number / corpus.len());
    let random = SeededRandom::new(u64::try_from(number).unwrap());
    let is_encoded = raw.windows(6).any(|window| window.eq_ignore_ascii_case(b"base64"));
    let mut out = Vec::with_capacity(raw.len() + 200);
    let (mut is_body, mut word) = (false, 0);
    for line in raw.split_inclusive(|octet| *octet == b'\n') {
        is_body |= line == b"\r\n";
        let names = !is_body
            && [&b"message-id:"[..], b"references:", b"in-reply-to:", b"\t<", b" <"]
                .iter()
                .any(|name| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        for octet in line {
            if names && *octet == b'>' {
                out.extend_from_slice(format!(".{copy}").as_bytes());
            }
            if is_body && !is_encoded {
                let is_letter = octet.is_ascii_lowercase();
                if !is_letter && (6..=9).contains(&word) && *octet == b' ' && random.below(10) == 0 {
                    out.extend_from_slice(random.below(100).to_string().as_bytes());
                }
                word = if is_letter { word + 1 } else { 0 };
            }
            out.push(*octet);
        }
    }
    out.extend_from_slice(format!("\r\n{number}\r\n").as_bytes());
    out
}

async fn fill(house: &House, corpus: &[Vec<u8>], messages: usize) -> u64 {
    let mut octets = 0;
    for first in (0..messages).step_by(500) {
        let batch: Vec<Append> = (first..(first + 500).min(messages))
            .map(|number| {
                let raw = variant(corpus, number);
                octets += raw.len() as u64;
                Append {
                    content: Content::prepare(raw),
                    flags: if number % 3 == 0 { Vec::new() } else { vec![Flag::System(SystemFlag::Seen)] },
                    internal_date: Some(Timestamp::from_seconds(1_600_000_000 + i64::try_from(number).unwrap() * 900)),
                }
            })
            .collect();
        for person in &house.people {
            house.store.append(person.inbox, batch.clone()).await.unwrap();
        }
    }
    octets
}

async fn make_index(house: &mut House, octets: u64) {
    let started = Instant::now();
    house.finder.keeper(house.folder.path().join("index")).catch_up().await.unwrap();
    let (took, standing) = (started.elapsed(), house.finder.standing().await.unwrap());
    let database = std::fs::metadata(house.folder.path().join("store.db")).unwrap().len();
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let part = |of: u64| standing.octets as f64 * 100.0 / of as f64;
    println!(
        "index of {} messages in {took:.0?}: {} MB in {} files, {:.0} % of the mail, {:.0} % of the database; {} MB of memory at most",
        standing.indexed,
        standing.octets / 1_000_000,
        standing.files,
        part(octets),
        part(database),
        peak_memory(),
    );
}

/// The most memory that the process had, in MB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() / 1000
}

fn present(view: &View) -> UidSet {
    view.read(|rows| rows.iter().filter_map(Row::uid).collect())
}

async fn look_up_words(house: &House, view: &View) {
    println!("\n| a word, TEXT, one reader | found | median, ms | slowest, ms |\n|---|---:|---:|---:|");
    let all = present(view);
    for word in WORDS {
        let (mut took, mut found) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let started = Instant::now();
            found = house.finder.narrow(Places::TEXT, word).await.part(view, &all).found.count();
            took.push(started.elapsed());
        }
        println!("| {word} | {found} | {} |", middle_and_end(&mut took, 100));
    }
}

/// Of some durations the median and the one that so many of a hundred don't pass.
fn middle_and_end(took: &mut [Duration], hundredths: usize) -> String {
    took.sort_unstable();
    let at = |place: usize| took.get(place.min(took.len() - 1)).map_or(0.0, |took| took.as_secs_f64() * 1000.0);
    format!("{:.1} | {:.1}", at(took.len() / 2), at(took.len() * hundredths / 100))
}

async fn compare_with_scan(house: &House, view: &View) {
    let all = present(view);
    let needles: Vec<Needle> = WORDS.iter().map(|word| Needle::new(word)).collect();
    let mut scanned = vec![UidSet::new(); WORDS.len()];
    let started = Instant::now();
    let inbox = house.people[0].inbox;
    let mut contents = house.store.contents(inbox, all.clone(), Wanted { raw: true, ..Wanted::default() });
    while let Some(chunk) = contents.next().await {
        for row in chunk.unwrap() {
            let structure = Structure::read(&row.raw);
            for (needle, found) in needles.iter().zip(&mut scanned) {
                if matches_text(&row.raw, &structure, needle) {
                    found.insert(Uid::new(row.uid).unwrap());
                }
            }
        }
    }
    let took = started.elapsed();
    for (word, scanned) in WORDS.iter().zip(&scanned) {
        let parted = house.finder.narrow(Places::TEXT, word).await.part(view, &all);
        let is_same = parted.to_read.is_empty() && parted.found == *scanned;
        assert!(is_same, "{word}: {} by the index, {} by a scan", parted.found.count(), scanned.count());
    }
    println!("\nall {} words found as a scan finds them (which took {took:.0?})", WORDS.len());
}

/// What people see of their mail: twenty at once, in so many mailboxes.
async fn read_mail(house: &House, view: &View, mailboxes: usize) {
    let uids: Vec<u32> = present(view).iter().map(Uid::value).collect();
    let mail = &house.service.mail;
    for by_conversation in [false, true] {
        let wanted = ListWanted { limit: 50, by_conversation, ..ListWanted::default() };
        let (started, before) = (Instant::now(), cpu_time());
        for person in &house.people[..mailboxes] {
            mail.list(&person.me, &person.inbox.mailbox_id(), &wanted).await.unwrap();
        }
        println!(
            "\nthe first list of {mailboxes} mailboxes after a start, by conversation: {by_conversation}: {:.0?} (CPU: {:.0?})",
            started.elapsed(),
            cpu_time().saturating_sub(before)
        );
        println!(
            "| {READERS} readers at once, in {mailboxes} mailboxes | median, ms | 99 %, ms | CPU, ms |\n|---|---:|---:|---:|"
        );
        let list = |number: usize| ListWanted { offset: number % 40 * 50, ..wanted.clone() };
        at_once(house, mailboxes, "list", |asking, number| {
            let wanted = list(number);
            async move {
                asking.shell().await;
                asking.list(&wanted).await;
            }
        })
        .await;
        at_once(house, mailboxes, "message", |asking, number| {
            let (uid, wanted) = (uids[number * 7919 % uids.len()], list(0));
            async move {
                asking.message(uid, by_conversation).await;
                asking.shell().await;
                asking.list(&wanted).await;
            }
        })
        .await;
        for text in SEARCHES {
            at_once(house, mailboxes, &format!("search `{text}`"), |asking, _| {
                let wanted = ListWanted { search: Search::parse(text), ..list(0) };
                async move {
                    asking.shell().await;
                    asking.list(&wanted).await;
                }
            })
            .await;
        }
    }
}

/// A list, by conversation, after a message came to each mailbox.
async fn receive(house: &House, corpus: &[Vec<u8>], mailboxes: usize) {
    println!(
        "\n| a message came to each of {mailboxes} mailboxes | median, ms | slowest, ms | CPU, ms |\n|---|---:|---:|---:|"
    );
    let (mut took, mut cpu) = (Vec::new(), Duration::ZERO);
    for round in 0..10 {
        for (at, person) in house.people[..mailboxes].iter().enumerate() {
            let content = Content::prepare(variant(corpus, 5_000_000 + round * READERS + at));
            house.store.accept(acceptance(content, person.account, at)).await.unwrap();
        }
        for person in &house.people[..mailboxes] {
            let asking = Asking { service: house.service.clone(), person: person.clone() };
            let (started, before) = (Instant::now(), cpu_time());
            asking.list(&ListWanted { limit: 50, by_conversation: true, ..ListWanted::default() }).await;
            took.push(started.elapsed());
            cpu += cpu_time().saturating_sub(before);
        }
    }
    let each = cpu.as_secs_f64() * 1000.0 / f64::from(u32::try_from(took.len()).unwrap());
    println!("| list, by conversation | {} | {each:.1} |", middle_and_end(&mut took, 100));
}

/// Lets each of [`READERS`] do `act` again and again at once, and prints how long it took.
async fn at_once<F: Future<Output = ()> + Send + 'static>(
    house: &House,
    mailboxes: usize,
    name: &str,
    act: impl Fn(Asking, usize) -> F,
) {
    let mut took = Vec::new();
    let before = cpu_time();
    // Each round all begin together: the worst that can be.
    for round in 0..ROUNDS {
        let mut readers = JoinSet::new();
        for reader in 0..READERS {
            let person = house.people[reader % mailboxes].clone();
            let doing = act(Asking { service: house.service.clone(), person }, round * READERS + reader);
            readers.spawn(async move {
                let started = Instant::now();
                doing.await;
                started.elapsed()
            });
        }
        while let Some(one) = readers.join_next().await {
            took.push(one.unwrap());
        }
    }
    let cpu = cpu_time().saturating_sub(before).as_secs_f64() * 1000.0 / f64::from(u32::try_from(took.len()).unwrap());
    println!("| {name} | {} | {cpu:.1} |", middle_and_end(&mut took, 99));
}

/// Mail that is accepted by the store, 20 at once, with and without the index's keeper beside.
async fn deliver(house: &House, corpus: &[Vec<u8>]) {
    println!("\n| accepted, 20 at once | messages a second |\n|---|---:|");
    let mut first = 10_000_000;
    for _ in 0..3 {
        for with_index in [false, true] {
            let stop = CancellationToken::new();
            let keeper = house.finder.keeper(house.folder.path().join("index"));
            let keeping = with_index.then(|| tokio::spawn(keeper.run(stop.clone())));
            tokio::time::sleep(Duration::from_millis(300)).await;
            let contents: Vec<Content> =
                (first..first + DELIVERED).map(|number| Content::prepare(variant(corpus, number))).collect();
            first += DELIVERED;
            let started = Instant::now();
            let mut senders = JoinSet::new();
            for part in contents.chunks(DELIVERED / 20) {
                let (store, account, part) = (house.store.clone(), house.people[0].account, part.to_vec());
                senders.spawn(async move {
                    for content in part {
                        store.accept(acceptance(content, account, 0)).await.unwrap();
                    }
                });
            }
            while senders.join_next().await.is_some() {}
            let took = started.elapsed().as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "some thousands")]
            let rate = DELIVERED as f64 / took;
            println!("| {} | {rate:.0} |", if with_index { "with the index" } else { "without" });
            stop.cancel();
            if let Some(keeping) = keeping {
                keeping.await.unwrap();
            }
        }
    }
}

fn acceptance(content: Content, account: AccountKey, number: usize) -> Acceptance {
    let recipient = Address::parse(&address(number)).unwrap();
    Acceptance {
        content,
        reverse_path: ReversePath::Null,
        deliveries: vec![Delivery {
            account,
            mailbox: Target::Inbox,
            flags: Vec::new(),
            internal_date: None,
            recipient,
        }],
        outbound: None,
        trace: TraceId::parse("bench").unwrap(),
        from_peer: "192.0.2.1".to_owned(),
        judgement: None,
        submission: None,
    }
}

/// Somebody who reads.
struct Asking {
    service: Service,
    person: Person,
}

impl Asking {
    /// What each page asks besides.
    async fn shell(&self) {
        self.service.mail.folders(&self.person.me).await.unwrap();
        self.service.mail.choices(&self.person.me).await.unwrap();
    }

    async fn list(&self, wanted: &ListWanted) {
        self.service.mail.list(&self.person.me, &self.person.inbox.mailbox_id(), wanted).await.unwrap();
    }

    async fn message(&self, uid: u32, by_conversation: bool) {
        let id = self.person.inbox.mailbox_id();
        self.service.mail.open(&self.person.me, &id, uid, by_conversation, false).await.unwrap();
        self.service.mail.clean_html(&self.person.me, &id, uid, None).await.unwrap();
    }
}
