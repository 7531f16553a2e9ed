//! Measures the store alone, on SQLite in a directory (the first argument) that must be on the disk that counts:
//! deliveries, flags, copies, expunges, loading and reading. Prints a line each.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement, run by hand"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use relais_model::{Address, Domain, Flag, ReversePath, SystemClock, SystemFlag, SystemRandom, UidSet};
use relais_store::{
    Acceptance, AccountKey, Append, Author, Content, DatabaseUrl, Delivery, DomainChange, Field, FlagChange, FlagOp,
    MailboxKey, NewAccount, Store, StoreConfig, Target, TraceId, Wanted,
};

const HEX: &[u8; 16] = b"0123456789abcdef";
const SYSTEM_SEEN: Flag = Flag::System(SystemFlag::Seen);

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let dir = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("relais-measure-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let config = StoreConfig {
        database: DatabaseUrl::Sqlite(dir.join("store.db")),
        objects: dir.join("objects"),
        inline_octets: 256 * 1024,
        readers: 3,
    };
    let store = Store::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    store
        .add_domain(&Domain::parse("house.example").unwrap(), DomainChange::default(), &Author::house())
        .await
        .unwrap();
    let mut people = Vec::new();
    for number in 0..10 {
        let address = Address::parse(&format!("p{number}@house.example")).unwrap();
        let new = NewAccount::user(address);
        people.push(store.add_account(new, &Author::house()).await.unwrap().key);
    }
    deliveries(&store, &people).await;
    let inbox = mailbox(&store, people[0], "Archive").await;
    fill(&store, inbox, 10_000).await;
    changes(&store, people[0], inbox).await;
    reading(&store, inbox).await;
    let large = mailbox(&store, people[1], "Archive").await;
    let from = UidSet::from_iter(
        store
            .view(inbox)
            .await
            .unwrap()
            .unwrap()
            .read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect::<Vec<_>>()),
    );
    for _ in 0..10 {
        store.copy(inbox, from.clone(), large).await.unwrap();
    }
    for _ in 0..3 {
        let started = Instant::now();
        let view = store.view(large).await.unwrap().unwrap();
        println!("loading a view of {} rows: {:.1} ms", view.read(relais_store::Rows::len), millis(started));
    }
    let status = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    println!("{}", status.lines().filter(|line| line.starts_with("Pss:")).collect::<String>());
    store.close().await;
    let length = |name: &str| std::fs::metadata(dir.join(name)).map_or(0, |file| file.len() / 1024);
    println!("store.db {} KiB, -wal {} KiB", length("store.db"), length("store.db-wal"));
    std::fs::remove_dir_all(&dir).unwrap();
}

async fn mailbox(store: &Store, account: AccountKey, name: &str) -> MailboxKey {
    let name = relais_model::MailboxName::parse(name).unwrap();
    store.mailbox(account, &name).await.unwrap().unwrap().mailbox.key
}

fn raw(number: usize, octets: usize) -> Vec<u8> {
    let mut raw = format!(
        "Return-Path: <carl@else.example>\r\nReceived: from else.example by house.example with ESMTP id {number};\r\n\
         \tThu, 1 Jan 2026 00:00:00 +0000\r\nFrom: Carl Else <carl@else.example>\r\nTo: P <p@house.example>\r\n\
         Subject: Message number {number} about the weather\r\nMessage-ID: <{number}.{}@else.example>\r\n\
         Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
        std::process::id()
    )
    .into_bytes();
    let (mut noise, mut seed) = ([0; 32], number as u64 + 1);
    while raw.len() < octets {
        seed = chance(seed, &mut noise);
        raw.extend_from_slice(b"some words that are said again ");
        raw.extend(noise.iter().flat_map(|octet| [octet >> 4, octet & 15]).map(|half| HEX[usize::from(half)]));
        raw.extend_from_slice(b"\r\n");
    }
    raw
}

/// Noise that costs nothing, so that what is measured is the store (xorshift64*).
fn chance(mut seed: u64, octets: &mut [u8]) -> u64 {
    for eight in octets.chunks_mut(8) {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        eight.copy_from_slice(&seed.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes()[..eight.len()]);
    }
    seed
}

fn acceptance(number: usize, octets: usize, people: &[AccountKey]) -> Acceptance {
    let recipient = Address::parse("p@house.example").unwrap();
    Acceptance {
        content: Content::prepare(raw(number, octets)),
        reverse_path: ReversePath::Null,
        deliveries: people
            .iter()
            .map(|account| Delivery {
                account: *account,
                mailbox: Target::Inbox,
                flags: Vec::new(),
                internal_date: None,
                recipient: recipient.clone(),
            })
            .collect(),
        outbound: None,
        trace: TraceId::make(relais_model::Timestamp::from_millis(1_767_225_600_000), &SystemRandom),
        from_peer: "192.0.2.1".to_owned(),
        judgement: None,
        submission: None,
    }
}

async fn deliveries(store: &Store, people: &[AccountKey]) {
    for (sessions, messages, octets, recipients) in
        [(1, 2000, 4096, 1), (10, 10_000, 4096, 1), (10, 2000, 4096, 10), (4, 200, 1 << 20, 1), (10, 20_000, 4096, 1)]
    {
        let (started, cpu) = (Instant::now(), cpu_millis());
        let mut tasks = tokio::task::JoinSet::new();
        for session in 0..sessions {
            let (store, people) = (store.clone(), people.to_vec());
            tasks.spawn(async move {
                for number in (session..messages).step_by(sessions) {
                    let to: Vec<_> = (0..recipients).map(|at| people[(number + at) % people.len()]).collect();
                    store
                        .accept(acceptance(octets * 100_000 + sessions * 1_000_000 + number, octets, &to))
                        .await
                        .unwrap();
                }
            });
        }
        tasks.join_all().await;
        let (copies, cpu) = ((messages * recipients) as f64, cpu_millis() - cpu);
        println!(
            "{sessions} sessions, {octets} octets to {recipients}: {:.0} copies/s, {:.3} ms CPU a copy",
            copies * 1000.0 / millis(started),
            cpu / copies
        );
    }
}

async fn fill(store: &Store, mailbox: MailboxKey, count: usize) {
    let started = Instant::now();
    for chunk in (0..count).collect::<Vec<_>>().chunks(100) {
        let messages = chunk
            .iter()
            .map(|number| Append {
                content: Content::prepare(raw(*number, 4096)),
                flags: Vec::new(),
                internal_date: None,
            })
            .collect();
        store.append(mailbox, messages).await.unwrap();
    }
    println!("MULTIAPPEND of {count}: {:.0}/s", count as f64 * 1000.0 / millis(started));
}

async fn changes(store: &Store, account: AccountKey, mailbox: MailboxKey) {
    let view = store.view(mailbox).await.unwrap().unwrap();
    let change = |op, flag| FlagChange { op, flags: vec![Flag::System(flag)] };
    let all = set(1, 10_000);
    let (started, cpu) = (Instant::now(), cpu_millis());
    for number in 1..=3000 {
        store.store_flags(mailbox, set(number, number), change(FlagOp::Add, SystemFlag::Flagged), None).await.unwrap();
    }
    println!("single STORE: {:.0}/s, {:.3} ms CPU", 3_000_000.0 / millis(started), (cpu_millis() - cpu) / 3000.0);
    for op in [FlagOp::Add, FlagOp::Remove] {
        let started = Instant::now();
        store.store_flags(mailbox, all.clone(), change(op, SystemFlag::Seen), None).await.unwrap();
        println!("bulk STORE of 10,000: {:.0}/s", 10_000_000.0 / millis(started));
    }
    let target = self::mailbox(store, account, "Trash").await;
    for at in 0..3 {
        let started = Instant::now();
        store.copy(mailbox, set(at * 1000 + 1, at * 1000 + 1000), target).await.unwrap();
        println!("COPY of 1,000: {:.0}/s", 1_000_000.0 / millis(started));
    }
    store.store_flags(target, all, change(FlagOp::Add, SystemFlag::Deleted), None).await.unwrap();
    let _held = store.view(target).await.unwrap();
    for at in 0..3 {
        let started = Instant::now();
        store.expunge(target, Some(set(at * 1000 + 1, at * 1000 + 1000))).await.unwrap();
        println!("EXPUNGE of 1,000: {:.0}/s", 1_000_000.0 / millis(started));
    }
    assert!(!view.flags_of(view.read(|rows| rows.as_slice()[4000].flags)).contains(&SYSTEM_SEEN));
}

async fn reading(store: &Store, mailbox: MailboxKey) {
    let nothing = Wanted::default();
    let kinds = [
        ("ENVELOPE", Wanted { envelope: true, ..nothing }),
        ("BODYSTRUCTURE", Wanted { body_structure: true, ..nothing }),
        ("header", Wanted { head: true, ..nothing }),
        ("BODY[]", Wanted { raw: true, ..nothing }),
    ];
    for (what, wanted) in kinds {
        for _ in 0..2 {
            let started = Instant::now();
            let mut contents = store.contents(mailbox, set(1, 10_000), wanted);
            let mut rows = 0;
            while let Some(chunk) = contents.next().await {
                rows += chunk.unwrap().len();
            }
            println!("{what} of {rows}: {:.0}/s", rows as f64 * 1000.0 / millis(started));
        }
    }
    let started = Instant::now();
    for number in 1..=5000 {
        let mut contents = store.contents(mailbox, set(number, number), Wanted { envelope: true, ..nothing });
        contents.next().await.unwrap().unwrap();
    }
    println!("single ENVELOPE: {:.0}/s", 5_000_000.0 / millis(started));
    for text in ["number 777", "weather", "nowhere"] {
        let started = Instant::now();
        let found = store.search_field(mailbox, Field::Subject, text).await.unwrap();
        println!("SEARCH SUBJECT {text:?} in 10,000: {} found, {:.1} ms", found.count(), millis(started));
    }
    let started = Instant::now();
    let facts = store.sort_facts(mailbox).await.unwrap();
    println!("sort facts of {}: {:.1} ms", facts.len(), millis(started));
}

fn set(first: u32, last: u32) -> UidSet {
    let mut set = UidSet::new();
    set.insert_run(first, last);
    set
}

fn millis(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}

/// CPU of the whole process, at 10 ms a tick.
fn cpu_millis() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    stat.rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        * 10.0
}
