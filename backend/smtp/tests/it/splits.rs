//! Properties: nothing panics, nothing stalls, and how octets are cut changes nothing.

use proptest::collection::vec;
use proptest::prelude::*;
use relais_model::{Address, Envelope, ForwardPath, ReversePath, Timestamp};
use relais_smtp::client::{Client, Encoder, Step as ClientStep};
use relais_smtp::command::Command;
use relais_smtp::reply::{read_reply, write_reply};
use relais_smtp::server::{Answer, Question, Session, Step};

/// Words that make deep states likely, and some noise.
fn server_input() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "EHLO a\r\n",
        "LHLO a\r\n",
        "HELO a\r\n",
        "MAIL FROM:<a@b.example>",
        "MAIL FROM:<>",
        " BODY=BINARYMIME",
        " SIZE=9\r\n",
        "\r\n",
        "RCPT TO:<c@d.example>\r\n",
        "RCPT TO:<postmaster>\r\n",
        "DATA\r\n",
        "BDAT 5\r\n",
        "BDAT 7 LAST\r\n",
        "BDAT 0 LAST\r\n",
        "BDAT x\r\n",
        "RSET\r\n",
        "STARTTLS\r\n",
        "NOOP\r\n",
        "QUIT\r\n",
        "AUTH PLAIN\r\n",
        "AUTH LOGIN\r\n",
        "AUTH PLAIN AGEAYg==\r\n",
        "AGEAYg==\r\n",
        "*\r\n",
        "Zg==\r\n",
        "text\r\n",
        ".\r\n",
        "\r\n.\r\n",
        ".",
        "\r",
        "\n",
        "\0",
        "a",
        "\u{e4}",
        "\r\n.\n",
        "\n.\r\n",
        "HELP\r\n",
        "VRFY a\r\n",
    ]);
    let piece = prop_oneof![9 => words.prop_map(|word| word.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..40)];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// What the peer hears, and the messages taken; `cuts` says where the input is cut.
fn serve(words: &str, input: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut session = Session::new(crate::server::config(words));
    let (mut heard, mut taken, mut message) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = input;
    let mut cuts = cuts.iter().cycle();
    loop {
        match session.step() {
            Step::Read => {
                let (piece, after) = rest.split_at(cuts.next().copied().unwrap_or(usize::MAX).min(rest.len()));
                session.feed(piece, Timestamp::default()); // None left: it hung up.
                rest = after;
            }
            Step::Write(octets) => heard.extend(octets),
            Step::StartTls => session.tls_started(),
            Step::Ask(question) => {
                match question {
                    Question::Begin(_) => message.clear(),
                    Question::Finish => taken.push(std::mem::take(&mut message)),
                    _ => {}
                }
                session.answer(Answer::Accept);
            }
            Step::Chunk(octets) => message.extend(octets),
            Step::Discard | Step::Refuse(_) => message.clear(),
            Step::Close => return (heard, taken),
        }
    }
}

/// From nobody to two.
pub(crate) fn envelope() -> Envelope {
    let path = |text: &str| ForwardPath::new(Address::parse(text).unwrap());
    let recipients = vec![path("a@b.example"), path("c@d.example")];
    Envelope { recipients, ..Envelope::new(ReversePath::Null, Timestamp::default()) }
}

/// The client's words up to `Close`; the peer says `input` and hangs up.
fn carry(words: &str, input: &[u8], cuts: &[usize]) -> (Vec<u8>, usize) {
    let mut client = Client::new(crate::client::config(words));
    let envelope = envelope();
    client.send(envelope.clone(), 3);
    let (mut heard, mut done, mut left) = (Vec::new(), 0, 2);
    let mut rest = input;
    let mut cuts = cuts.iter().cycle();
    loop {
        match client.step() {
            ClientStep::Read => {
                let (piece, after) = rest.split_at(cuts.next().copied().unwrap_or(usize::MAX).min(rest.len()));
                client.feed(piece);
                rest = after;
            }
            ClientStep::Write(octets) => heard.extend(octets),
            ClientStep::StartTls => client.tls_started(),
            ClientStep::SendBody(transfer) => {
                let mut encoder = Encoder::new(transfer);
                encoder.push(b"a\r\n", &mut heard);
                assert!(encoder.finish(&mut heard));
                client.body_sent();
            }
            ClientStep::Idle if left > 0 => {
                left -= 1;
                client.send(envelope.clone(), 3);
            }
            ClientStep::Idle => client.quit(),
            ClientStep::Done(outcome) => {
                assert_eq!(outcome.recipients.len(), 2);
                done += 1;
            }
            ClientStep::Close => {
                assert_eq!(done, 3 - left, "each message has one outcome");
                return (heard, done);
            }
        }
    }
}

fn client_input() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "220 hi\r\n",
        "250 Ok\r\n",
        "250-a\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 SIZE 9\r\n",
        "250-a\n250 AUTH LOGIN PLAIN\n",
        "250-a\r\n250-LIMITS RCPTMAX=1 MAILMAX=2\r\n250 PIPELINING\r\n",
        "250-a\r\n250 STARTTLS\r\n",
        "354 go\r\n",
        "334 \r\n",
        "235 in\r\n",
        "421 off\r\n",
        "450 no\r\n",
        "550-5.1.1 no\r\n550 5.1.1 no\r\n",
        "502 eh\r\n",
        "250",
        "\r\n",
        "-",
        "x",
        "\u{e4}",
    ]);
    let piece = prop_oneof![19 => words.prop_map(|word| word.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..20)];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const SERVERS: [&str; 4] = ["relay", "submission clear-login", "lmtp", "relay small"];
const CLIENTS: [&str; 3] = ["smtp", "lmtp", "smtp clear-login"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// RFC 2920: the network cuts where it likes.
    #[test]
    fn a_server_hears_the_same_however_octets_are_cut(
        words in prop::sample::select(SERVERS.to_vec()), input in server_input(), cuts in vec(1_usize..30, 1..10),
    ) {
        prop_assert_eq!(serve(words, &input, &cuts), serve(words, &input, &[usize::MAX]));
    }

    #[test]
    fn a_client_hears_the_same_however_octets_are_cut(
        words in prop::sample::select(CLIENTS.to_vec()), input in client_input(), cuts in vec(1_usize..30, 1..10),
    ) {
        prop_assert_eq!(carry(words, &input, &cuts), carry(words, &input, &[usize::MAX]));
    }

    /// With STARTTLS the cuts do matter: what stands behind it in one piece is refused.
    #[test]
    fn starttls_never_panics(said in server_input(), heard in client_input(), cuts in vec(1_usize..30, 1..10)) {
        let _server = serve("submission tls clear-login", &said, &cuts);
        let _client = carry("smtp opportunistic", &heard, &cuts);
    }

    #[test]
    fn parsers_never_panic(octets in vec(any::<u8>(), 0..300), text in "(MAIL FROM:|RCPT TO:|BDAT |AUTH )?\\PC{0,80}") {
        drop(Command::parse(&octets));
        drop(Command::parse(text.as_bytes()));
        drop(read_reply(&octets));
    }

    /// print ∘ parse = identity.
    #[test]
    fn written_replies_are_read_again(code in 200_u16..600, text in "[a-z]([ -~]{0,60}[a-z])?(\n[a-z]([ -~]{0,60}[a-z])?){0,3}") {
        let reply = relais_model::Reply { code, enhanced: None, text };
        let mut octets = Vec::new();
        write_reply(&reply, &mut octets);
        prop_assert_eq!(read_reply(&octets), Ok(Some((reply, octets.len()))));
    }

    /// What goes out by DATA comes in as it was, with CRLF lines.
    #[test]
    fn stuffed_messages_come_back(text in "([.a-z]{0,5}\r\n){0,6}", cuts in vec(1_usize..9, 1..5)) {
        let mut octets = b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n".to_vec();
        let mut encoder = Encoder::new(relais_smtp::client::Transfer::Data);
        encoder.push(text.as_bytes(), &mut octets);
        prop_assert!(encoder.finish(&mut octets));
        prop_assert_eq!(serve("relay", &octets, &cuts).1, vec![text.into_bytes()]);
    }
}
