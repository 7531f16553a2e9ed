use std::sync::atomic::{AtomicUsize, Ordering};

use relais_model::ReversePath;
use relais_testkit::ManualClock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

const LETTER: Letter<'_> = Letter {
    peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
    helo: "x.example",
    login: None,
    reverse_path: &ReversePath::Null,
    recipients: &[],
    queue_id: "id1",
    host: "mx.example",
    message: b"Subject: x\r\n\r\nbody\r\n",
};

fn room() -> Filters {
    Filters::new(Arc::new(ManualClock::default()))
}

fn terms(millis: u64) -> Terms {
    Terms { patience: Duration::from_millis(millis), most_octets: 1000 }
}

async fn door() -> (TcpListener, Filter) {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = Endpoint::parse(&door.local_addr().unwrap().to_string()).unwrap();
    (door, Filter::Clamd(at))
}

/// Finds each message clean, and says its version.
async fn serve(door: TcpListener) {
    while let Ok((mut stream, _)) = door.accept().await {
        let mut heard = Vec::new();
        while !heard.ends_with(&[0; 4]) && heard != b"zVERSION\0" {
            if stream.read_buf(&mut heard).await.unwrap() == 0 {
                break;
            }
        }
        let answer: &[u8] = if heard == b"zVERSION\0" { b"ClamAV 1.0\0" } else { b"stream: OK\0" };
        stream.write_all(answer).await.unwrap();
    }
}

#[tokio::test]
async fn all_are_asked_at_once_and_none_longer_than_it_has() {
    let (good, clean) = door().await;
    let (_silent, silent) = door().await;
    let (_silent2, silent2) = door().await;
    let (gone, away) = door().await;
    drop(gone);
    let mut serving = JoinSet::new();
    serving.spawn(serve(good));
    let began = Instant::now();
    let found = room().ask(&[silent, clean, silent2, away], terms(300), &LETTER).await;
    assert!(began.elapsed() < Duration::from_millis(550), "{:?}", began.elapsed());
    let findings: Vec<&Finding> = found.answers.iter().map(|answered| &answered.finding).collect();
    let down = Finding::Down(Trouble::Silent);
    assert_eq!(findings[..3], [&down, &Finding::Clean, &down]);
    assert!(matches!(findings[3], Finding::Down(Trouble::Unreachable(_))));
}

#[tokio::test]
async fn a_large_message_is_shown_to_nobody() {
    let (door, filter) = door().await;
    let message = vec![b'x'; 1001];
    let found = room().ask(&[filter], terms(1000), &Letter { message: &message, ..LETTER }).await;
    assert_eq!(found.answers[0].finding, Finding::TooLarge { most_octets: Some(1000) });
    assert!(timeout(Duration::from_millis(20), door.accept()).await.is_err());
}

#[tokio::test]
async fn one_that_is_away_is_not_tried_by_each_message_and_looked_at_when_somebody_looks() {
    let (gone, filter) = door().await;
    drop(gone);
    let (room, filters) = (room(), [filter]);
    let found = room.ask(&filters, terms(1000), &LETTER).await;
    assert!(matches!(found.answers[0].finding, Finding::Down(Trouble::Unreachable(_))));
    let found = room.ask(&filters, terms(1000), &LETTER).await;
    assert_eq!(found.answers[0].finding, Finding::Down(Trouble::Resting));
    let state = room.look(&filters).await.pop().unwrap();
    assert_eq!((state.is_up, state.asked, state.unanswered), (false, 1, 1));
    let Endpoint::Tcp { port, .. } = filters[0].at() else { panic!("{filters:?}") };
    let mut serving = JoinSet::new();
    serving.spawn(serve(TcpListener::bind(("127.0.0.1", *port)).await.unwrap()));
    let state = room.look(&filters).await.pop().unwrap();
    assert_eq!((state.is_up, state.version.as_deref()), (true, Some("ClamAV 1.0")));
    let found = room.ask(&filters, terms(1000), &LETTER).await;
    assert_eq!(found.answers[0].finding, Finding::Clean);
}

#[tokio::test]
async fn no_more_than_so_many_are_before_one_filter() {
    let (door, filter) = door().await;
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let mut holding = JoinSet::new();
    holding.spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = door.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            held.push(stream);
        }
    });
    let (room, filters) = (room(), [filter]);
    let asked = join_all((0..MOST_AT_ONCE + 5).map(|_| room.ask(&filters, terms(300), &LETTER))).await;
    let busy = asked.iter().filter(|found| found.answers[0].finding == Finding::Down(Trouble::Busy)).count();
    assert_eq!((busy, connections.load(Ordering::Relaxed)), (5, MOST_AT_ONCE));
}
