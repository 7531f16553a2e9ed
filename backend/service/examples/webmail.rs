//! How quick a mailbox of 100,000 messages is: its list, a message, a search, for twenty readers at once; what the search index costs, and
//! whether it is right. `cargo xtask webmail-bench` runs it. `RELAIS_MESSAGES=10000` makes it another size.
//!
//! The mail is the spam corpus of the suites (`$RELAIS_SUITES`, else `../shared/suites`), again and again with other words and
//! identifiers; where it isn't there, letters from a seed. It is appended as programs append it. Printed are medians and 99th percentiles
//! of what the pages ask of the house, without the drawing of them.
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
    account: AccountKey,
    me: Actor,
    inbox: MailboxKey,
    folder: tempfile::TempDir,
}

#[tokio::main]
async fn main() {
    let messages = std::env::var("RELAIS_MESSAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let mut house = open().await;
    let corpus = corpus();
    let started = Instant::now();
    let octets = fill(&house, &corpus, messages).await;
    println!("{messages} messages of {} MB in {:.0?}", octets / 1_000_000, started.elapsed());
    make_index(&mut house, octets).await;
    let view = house.store.view(house.inbox).await.unwrap().unwrap();
    look_up_words(&house, &view).await;
    compare_with_scan(&house, &view).await;
    read_mail(&house, &view).await;
    deliver(&house, &corpus).await;
    house.store.close().await;
}

async fn open() -> House {
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
    let address = Address::parse("ann@house.example").unwrap();
    let account = store.add_account(NewAccount::user(address.clone()), &by).await.unwrap().key;
    let login = Arc::new(Login::new(store.clone(), clock, &random));
    let finder = Finder::new(store.clone());
    let service = Service::new(store.clone(), login).with_finder(&finder);
    let inbox = store.mailbox(account, &MailboxName::parse("INBOX").unwrap()).await.unwrap().unwrap().mailbox.key;
    let me = Actor {
        name: address.to_string(),
        account: Some((account, address)),
        role: Role::User,
        reach: Reach::Domains(Vec::new()),
        ..Actor::command_line()
    };
    House { store, service, finder, account, me, inbox, folder }
}

/// The messages of the suite, or some from a seed.
fn corpus() -> Vec<Vec<u8>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites");
    let archive = std::env::var_os("RELAIS_SUITES").map_or_else(beside, PathBuf::from).join("spam/train.tar.gz");
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(folder.path()).status();
    if !archive.exists() || !unpacked.is_ok_and(|status| status.success()) {
        println!("no corpus at {}: letters from a seed", archive.display());
        return letters();
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for kind in std::fs::read_dir(folder.path()).unwrap() {
        files.extend(std::fs::read_dir(kind.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
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
        let batch = (first..(first + 500).min(messages)).map(|number| {
            let raw = variant(corpus, number);
            octets += raw.len() as u64;
            Append {
                content: Content::prepare(raw),
                flags: if number % 3 == 0 { Vec::new() } else { vec![Flag::System(SystemFlag::Seen)] },
                internal_date: Some(Timestamp::from_seconds(1_600_000_000 + i64::try_from(number).unwrap() * 900)),
            }
        });
        house.store.append(house.inbox, batch.collect()).await.unwrap();
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
    let mut contents = house.store.contents(house.inbox, all.clone(), Wanted { raw: true, ..Wanted::default() });
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

async fn read_mail(house: &House, view: &View) {
    let uids: Vec<u32> = present(view).iter().map(Uid::value).collect();
    let id = house.inbox.mailbox_id();
    let mail = &house.service.mail;
    for by_conversation in [false, true] {
        let started = Instant::now();
        let wanted = ListWanted { limit: 50, by_conversation, ..ListWanted::default() };
        mail.list(&house.me, &id, &wanted).await.unwrap();
        println!("\nthe first list after a start, by conversation: {by_conversation}: {:.0?}", started.elapsed());
        println!("| {READERS} readers at once | median, ms | 99 %, ms |\n|---|---:|---:|");
        let list = |number: usize| ListWanted { offset: number % 40 * 50, ..wanted.clone() };
        let took = at_once(house, |house, number| {
            let (id, wanted) = (house.inbox.mailbox_id(), list(number));
            async move {
                shell(&house).await;
                house.service.mail.list(&house.me, &id, &wanted).await.unwrap();
            }
        });
        println!("| list | {} |", middle_and_end(&mut took.await, 99));
        let took = at_once(house, |house, number| {
            let (id, uid, wanted) = (house.inbox.mailbox_id(), uids[number * 7919 % uids.len()], list(0));
            async move {
                let mail = &house.service.mail;
                mail.open(&house.me, &id, uid, by_conversation, false).await.unwrap();
                mail.clean_html(&house.me, &id, uid, None).await.unwrap();
                shell(&house).await;
                mail.list(&house.me, &id, &wanted).await.unwrap();
            }
        });
        println!("| message | {} |", middle_and_end(&mut took.await, 99));
        for text in SEARCHES {
            let took = at_once(house, |house, _| {
                let search = Search::parse(text);
                let (id, wanted) = (house.inbox.mailbox_id(), ListWanted { search, ..list(0) });
                async move {
                    shell(&house).await;
                    house.service.mail.list(&house.me, &id, &wanted).await.unwrap();
                }
            });
            println!("| search `{text}` | {} |", middle_and_end(&mut took.await, 99));
        }
    }
}

/// What each page asks besides.
async fn shell(house: &Asking) {
    house.service.mail.folders(&house.me).await.unwrap();
    house.service.mail.choices(&house.me).await.unwrap();
}

/// How long `act` takes for each of [`READERS`] who do it again and again at once.
async fn at_once<F: Future<Output = ()> + Send + 'static>(
    house: &House,
    act: impl Fn(Arc<Asking>, usize) -> F,
) -> Vec<Duration> {
    let asking = Arc::new(Asking { service: house.service.clone(), me: house.me.clone(), inbox: house.inbox });
    let mut took = Vec::new();
    // Each round all begin together: the worst that can be.
    for round in 0..ROUNDS {
        let mut readers = JoinSet::new();
        for reader in 0..READERS {
            let doing = act(Arc::clone(&asking), round * READERS + reader);
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
    took
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
                let (store, account, part) = (house.store.clone(), house.account, part.to_vec());
                senders.spawn(async move {
                    for content in part {
                        store.accept(acceptance(content, account)).await.unwrap();
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

fn acceptance(content: Content, account: AccountKey) -> Acceptance {
    let recipient = Address::parse("ann@house.example").unwrap();
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

/// What readers ask of.
struct Asking {
    service: Service,
    me: Actor,
    inbox: MailboxKey,
}
