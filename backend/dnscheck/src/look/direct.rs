//! One question to one server, and its answer as it is: what hickory's resolver hides (RFC 1035 §4).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use relais_model::Random;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// An answer over UDP is waited for so long, then the question is asked once more; a packet may get lost.
const UDP_TIMEOUT: Duration = Duration::from_secs(2);
/// The whole of an exchange over TCP.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
/// Times that a question is asked over UDP.
const UDP_TRIES: usize = 2;
/// What fits through nearly every path unfragmented (DNS Flag Day 2020).
const UDP_PAYLOAD: u16 = 1232;

/// Why no answer came.
#[derive(Debug)]
pub(super) enum Missed {
    Timeout,
    Broken,
}

impl From<io::Error> for Missed {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::Timeout } else { Self::Broken }
    }
}

/// What is asked, and how.
pub(super) struct Question<'a> {
    pub(super) name: &'a Name,
    pub(super) kind: RecordType,
    /// For a resolver: look it up for us, without checking signatures. Not for a zone's own server.
    pub(super) is_for_resolver: bool,
    /// The signatures, too (RFC 3225).
    pub(super) with_signatures: bool,
}

/// Asks `server` over UDP, and over TCP where the answer was cut (RFC 7766 §5).
pub(super) async fn ask(server: SocketAddr, question: &Question<'_>, random: &dyn Random) -> Result<Message, Missed> {
    let mut id = [0; 2];
    random.fill(&mut id);
    let mut query = Message::new(u16::from_be_bytes(id), MessageType::Query, OpCode::Query);
    query.metadata.recursion_desired = question.is_for_resolver;
    query.metadata.checking_disabled = question.is_for_resolver;
    query.add_query(Query::query(question.name.clone(), question.kind));
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD);
    edns.set_dnssec_ok(question.with_signatures);
    query.set_edns(edns);
    let octets = query.to_vec().map_err(|_| Missed::Broken)?;
    for _ in 0..UDP_TRIES {
        match timeout(UDP_TIMEOUT, over_udp(server, &query, &octets)).await {
            Ok(Ok(answer)) if answer.truncation => break,
            Ok(answer) => return answer,
            Err(_elapsed) => {}
        }
    }
    // Also where UDP stayed silent: a path may lose large answers altogether.
    timeout(TCP_TIMEOUT, over_tcp(server, &query, &octets)).await.unwrap_or(Err(Missed::Timeout))
}

async fn over_udp(server: SocketAddr, query: &Message, octets: &[u8]) -> Result<Message, Missed> {
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await?;
    // Connected: the kernel drops what comes from elsewhere, and the port is one of its choosing (RFC 5452 §4).
    socket.connect(server).await?;
    socket.send(octets).await?;
    let mut answer = [0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        if let Some(answer) = answer.get(..length).and_then(|octets| read(octets, query)) {
            return Ok(answer);
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &Message, octets: &[u8]) -> Result<Message, Missed> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(octets.len()).map_err(|_| Missed::Broken)?;
    stream.write_all(&[&length.to_be_bytes(), octets].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    read(&answer, query).ok_or(Missed::Broken)
}

/// The answer to `query`; none where it is something else (RFC 5452 §9.1).
fn read(octets: &[u8], query: &Message) -> Option<Message> {
    let answer = Message::from_vec(octets).ok()?;
    // A server that can't read the question may leave it out of its refusal.
    let is_ours = answer.queries.is_empty() || answer.queries == query.queries;
    (answer.id == query.id && answer.message_type == MessageType::Response && is_ours).then_some(answer)
}
