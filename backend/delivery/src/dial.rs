//! Opening a connection to one of a host's addresses: IPv6 first, with a quick fallback (RFC 8305 §5).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{sleep, timeout};

use crate::ports::{Dialer, Stream};

/// RFC 8305 §5: the Connection Attempt Delay. A failing attempt starts the next one at once.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// One attempt. Linux alone would try for two minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The addresses that we send from, where the machine shall not choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sources {
    /// For IPv4.
    pub v4: Option<std::net::Ipv4Addr>,
    /// For IPv6.
    pub v6: Option<std::net::Ipv6Addr>,
}

impl Sources {
    fn to(self, remote: SocketAddr) -> Option<IpAddr> {
        if remote.is_ipv4() { self.v4.map(IpAddr::V4) } else { self.v6.map(IpAddr::V6) }
    }
}

/// A connection, and who didn't answer before it stood.
pub(crate) struct Dialed {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) remote: SocketAddr,
}

/// None of the addresses answered: each with its error, in the order in which they failed.
#[derive(Debug)]
pub(crate) struct NobodyAnswered(pub(crate) Vec<(SocketAddr, io::Error)>);

/// Puts IPv6 first and takes turns between the families (RFC 8305 §4). The order within a family is kept.
pub(crate) fn interleave(addresses: impl IntoIterator<Item = IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut order = Vec::with_capacity(v6.len() + v4.len());
    loop {
        let turn = [v6.next(), v4.next()];
        if turn == [None, None] {
            return order;
        }
        order.extend(turn.into_iter().flatten());
    }
}

/// Connects to the first of `remotes` that answers. Attempts that come too late are dropped, which closes them.
pub(crate) async fn dial(
    dialer: &dyn Dialer,
    remotes: &[SocketAddr],
    sources: Sources,
) -> Result<Dialed, NobodyAnswered> {
    let attempt = |remote: SocketAddr| async move {
        let answer = timeout(CONNECT_TIMEOUT, dialer.dial(remote, sources.to(remote))).await;
        (remote, answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
    };
    let mut waiting = remotes.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut failed = Vec::new();
    attempts.extend(waiting.next().map(attempt));
    loop {
        // Both arms are cancel-safe: a sleep keeps nothing, and `next` takes an attempt out only when it has ended.
        let ended = tokio::select! {
            ended = attempts.next() => ended,
            () = sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {
                attempts.extend(waiting.next().map(attempt));
                continue;
            }
        };
        match ended {
            Some((remote, Ok(stream))) => return Ok(Dialed { stream, remote }),
            Some((remote, Err(error))) => {
                failed.push((remote, error));
                attempts.extend(waiting.next().map(attempt));
            }
            None => return Err(NobodyAnswered(failed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Answer;
    use std::collections::HashMap;
    use std::sync::Mutex;
    use tokio::time::Instant;

    /// Says for each address after how long it answers, and how.
    #[derive(Debug, Default)]
    struct Script {
        answers: HashMap<SocketAddr, (u64, bool)>,
        asked: Mutex<Vec<(SocketAddr, Duration)>>,
        began: Option<Instant>,
    }

    impl Dialer for Script {
        fn dial(&self, remote: SocketAddr, _source: Option<IpAddr>) -> Answer<'_, io::Result<Box<dyn Stream>>> {
            self.asked.lock().unwrap().push((remote, self.began.unwrap().elapsed()));
            let answer = self.answers.get(&remote).copied();
            Box::pin(async move {
                let (millis, opens) = answer.unwrap_or((u64::from(u32::MAX), false));
                sleep(Duration::from_millis(millis)).await;
                if opens {
                    Ok(Box::new(tokio::io::empty()) as Box<dyn Stream>)
                } else {
                    Err(io::ErrorKind::ConnectionRefused.into())
                }
            })
        }

        fn is_own(&self, _address: IpAddr) -> bool {
            false
        }
    }

    const V6: &str = "[2001:db8::1]:25";
    const V4: &str = "192.0.2.1:25";

    /// `answers`: milliseconds and whether it opens. Expected: who answered, and after how long each was asked.
    async fn check(answers: &[(&str, u64, bool)], expected: Option<&str>, asked_at: &[u64]) {
        let answers = answers.iter().map(|(remote, millis, opens)| (remote.parse().unwrap(), (*millis, *opens)));
        let script = Script { answers: answers.collect(), began: Some(Instant::now()), ..Script::default() };
        let remotes = [V6.parse().unwrap(), V4.parse().unwrap()];
        let dialed = dial(&script, &remotes, Sources::default()).await;
        assert_eq!(dialed.ok().map(|dialed| dialed.remote), expected.map(|text| text.parse().unwrap()));
        let asked: Vec<_> = script.asked.lock().unwrap().iter().map(|(_, at)| at.as_millis()).collect();
        assert_eq!(asked, asked_at.iter().map(|millis| u128::from(*millis)).collect::<Vec<_>>());
    }

    /// RFC 8305 §5.
    #[tokio::test(start_paused = true)]
    async fn ipv6_goes_first_and_ipv4_follows_quickly() {
        check(&[(V6, 100, true), (V4, 1, true)], Some(V6), &[0]).await;
        check(&[(V6, 400, true), (V4, 10, true)], Some(V4), &[0, 250]).await;
        check(&[(V6, 300, true), (V4, 1000, true)], Some(V6), &[0, 250]).await;
        check(&[(V6, 5, false), (V4, 10, true)], Some(V4), &[0, 5]).await;
        check(&[(V6, 5, false), (V4, 10, false)], None, &[0, 5]).await;
        check(&[(V4, 10, true)], Some(V4), &[0, 250]).await;
        check(&[], None, &[0, 250]).await;
    }

    /// RFC 8305 §4.
    #[test]
    fn families_take_turns() {
        let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(interleave(parse(&["192.0.2.1", "192.0.2.2", "::1"])), parse(&["::1", "192.0.2.1", "192.0.2.2"]));
        assert_eq!(interleave(parse(&[])), parse(&[]));
    }
}
