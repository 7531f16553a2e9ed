//! A connection to PostgreSQL that breaks around a COMMIT: was it committed or not?

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use relais_store::{Accepted, Rows, StoreError};
use relais_testkit::postgres::Database;

use crate::house::{House, acceptance, append, delivery, message, name};

/// When a connection is cut.
#[derive(Clone, Copy, PartialEq)]
enum Cut {
    /// PostgreSQL never hears the COMMIT.
    Before,
    /// It has committed, and its answer is lost.
    After,
}

/// Stands between a store and PostgreSQL.
struct Between {
    port: u16,
    /// COMMITs until the one that is cut, with that; 0: none is.
    left: Arc<AtomicUsize>,
    carried: Arc<Mutex<Vec<TcpStream>>>,
}

impl Between {
    fn open(postgres: u16, cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicUsize::new(0));
        let carried = Arc::<Mutex<Vec<TcpStream>>>::default();
        let (shared, all) = (Arc::clone(&left), Arc::clone(&carried));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                all.lock().unwrap().push(client.try_clone().unwrap());
                let server = TcpStream::connect(("127.0.0.1", postgres)).unwrap();
                carry(client, server, &shared, cut);
            }
        });
        Self { port, left, carried }
    }

    /// Cuts whatever is connected now.
    fn cut_all(&self) {
        for client in self.carried.lock().unwrap().drain(..) {
            // One that has ended by itself is as good.
            drop(client.shutdown(Shutdown::Both));
        }
    }

    fn cut_at(&self, nth: usize) {
        self.left.store(nth, Ordering::SeqCst);
    }

    fn has_cut(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

fn carry(client: TcpStream, server: TcpStream, left: &Arc<AtomicUsize>, cut: Cut) {
    let left = Arc::clone(left);
    let answer_is_lost = Arc::new(AtomicBool::new(false));
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let is_lost = Arc::clone(&answer_is_lost);
    std::thread::spawn(move || {
        let mut chunk = [0; 8 * 1024];
        while let Ok(octets @ 1..) = from_client.read(&mut chunk) {
            let asked = &chunk[..octets];
            let is_commit = asked.windows(6).any(|word| word == b"COMMIT");
            let is_cut =
                is_commit && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) == Ok(1);
            if is_cut && cut == Cut::Before {
                break;
            }
            is_lost.fetch_or(is_cut, Ordering::SeqCst);
            if to_server.write_all(asked).is_err() {
                break;
            }
        }
        drop(to_server.shutdown(Shutdown::Both));
        drop(from_client.shutdown(Shutdown::Both));
    });
    std::thread::spawn(move || {
        let (mut from_server, mut to_client) = (server, client);
        let mut chunk = [0; 8 * 1024];
        while let Ok(octets @ 1..) = from_server.read(&mut chunk) {
            if answer_is_lost.load(Ordering::SeqCst) || to_client.write_all(&chunk[..octets]).is_err() {
                break;
            }
        }
        drop(to_client.shutdown(Shutdown::Both));
        drop(from_server.shutdown(Shutdown::Both));
    });
}

async fn behind(cut: Cut) -> Option<(House, Between)> {
    let database = Database::fresh()?;
    let url = database.url();
    let (head, port_and_name) = url.rsplit_once(':').unwrap();
    let (port, name) = port_and_name.split_once('/').unwrap();
    let between = Between::open(port.parse().unwrap(), cut);
    let url = format!("{head}:{}/{name}", between.port);
    Some((House::open_at(Some(url), Some(database)).await, between))
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

/// At once, so that some share a transaction.
async fn accept_twenty(house: &House) -> Vec<Result<Accepted, StoreError>> {
    let mut waiting = tokio::task::JoinSet::new();
    for number in 1..=20 {
        let (store, acceptance) = (house.store.clone(), acceptance(&message(number), vec![delivery(house.anna)]));
        waiting.spawn(async move { store.accept(acceptance).await });
    }
    waiting.join_all().await
}

/// What was committed is answered as done and shown, although nobody said so.
#[test]
fn a_lost_answer_to_commit_loses_nothing_and_doubles_nothing() {
    run(async {
        let Some((house, between)) = behind(Cut::After).await else { return };
        let inbox = house.inbox().await;
        // Somebody looks at it.
        let view = house.store.view(inbox).await.unwrap().unwrap();
        between.cut_at(1);
        let appended = house.store.append(inbox, vec![append(&message(0))]).await;
        assert!(between.has_cut());
        assert!(appended.is_ok(), "{appended:?}");
        between.cut_at(1);
        let answers = accept_twenty(&house).await;
        assert!(between.has_cut());
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(house.status(house.anna, "INBOX").await.messages, 21);
        assert_eq!(view.read(Rows::len), 21);
        house.check().await;
    });
}

/// The same holds for what has a transaction to itself: INBOX's messages are moved once, and who looks sees them go.
#[test]
fn a_lost_answer_to_an_act_is_found_again() {
    run(async {
        let Some((house, between)) = behind(Cut::After).await else { return };
        let inbox = house.inbox().await;
        house.store.append(inbox, vec![append(&message(0)), append(&message(1))]).await.unwrap();
        let view = house.store.view(inbox).await.unwrap().unwrap();
        between.cut_at(1);
        let renamed = house.store.rename_mailbox(house.anna, &name("INBOX"), &name("old")).await;
        assert!(between.has_cut());
        assert!(renamed.is_ok(), "{renamed:?}");
        assert_eq!(view.read(Rows::len), 0);
        assert_eq!(house.status(house.anna, "old").await.messages, 2);
        house.check().await;
    });
}

/// Whoever asks when the server has gone hears that, and not that the store is closed; the next one is served.
#[test]
fn an_act_that_could_not_begin_says_why() {
    run(async {
        let Some((house, between)) = behind(Cut::Before).await else { return };
        let subscribe = async || house.store.subscribe(house.anna, &name("a")).await;
        subscribe().await.unwrap();
        between.cut_all();
        let failure = subscribe().await.unwrap_err().to_string();
        assert!(failure.starts_with("the database failed: "), "{failure}");
        subscribe().await.unwrap();
        house.store.close().await;
    });
}

/// What was not committed is done again, or said to have failed.
#[test]
fn a_commit_that_was_not_heard_is_none() {
    run(async {
        let Some((house, between)) = behind(Cut::Before).await else { return };
        let inbox = house.inbox().await;
        between.cut_at(1);
        let appended = house.store.append(inbox, vec![append(&message(0))]).await;
        assert!(between.has_cut() && appended.is_err(), "{appended:?}");
        between.cut_at(1);
        let done = accept_twenty(&house).await.iter().filter(|answer| answer.is_ok()).count();
        assert!(between.has_cut());
        assert_eq!(house.status(house.anna, "INBOX").await.messages, u64::try_from(done).unwrap());
        house.check().await;
    });
}
