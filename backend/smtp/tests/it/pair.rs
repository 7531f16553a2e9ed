//! Our client speaks to our server: what goes in comes out.

use proptest::collection::vec;
use proptest::prelude::*;
use relais_model::{BodyType, Timestamp};
use relais_sasl::Shown;
use relais_smtp::client::{Client, Encoder, Outcome, Step as ClientStep};
use relais_smtp::server::{Answer, Question, Session, Step};

/// Runs both until the client closes; gives its outcome and the message that arrived.
fn carry(server: &str, client: &str, message: &[u8], body_type: BodyType) -> (Outcome, Vec<u8>) {
    let mut server = Session::new(crate::server::config(server));
    let mut client = Client::new(crate::client::config(client));
    let mut envelope = crate::splits::envelope();
    envelope.body_type = body_type;
    client.send(envelope, message.len() as u64);
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let (mut arrived, mut outcome) = (Vec::new(), None);
    loop {
        // The server goes on until it waits for octets that aren't there.
        loop {
            match server.step() {
                Step::Read if to_server.is_empty() => break,
                Step::Read => server.feed(&std::mem::take(&mut to_server), Timestamp::default()),
                Step::Write(octets) => to_client.extend(octets),
                Step::Ask(Question::Login(Shown::Password(login))) => {
                    assert_eq!((login.login_name.as_str(), login.password.expose()), ("ann", "secret"));
                    server.answer(Answer::Accept);
                }
                Step::Ask(_) => server.answer(Answer::Accept),
                Step::Chunk(octets) => arrived.extend(octets),
                Step::Discard | Step::Refuse(_) => arrived.clear(),
                Step::StartTls | Step::Close => break,
            }
        }
        loop {
            match client.step() {
                ClientStep::Read if to_client.is_empty() => break,
                ClientStep::Read => client.feed(&std::mem::take(&mut to_client)),
                ClientStep::Write(octets) => to_server.extend(octets),
                ClientStep::StartTls => {
                    server.tls_started();
                    client.tls_started();
                }
                ClientStep::SendBody(transfer) => {
                    let mut encoder = Encoder::new(transfer);
                    encoder.push(message, &mut to_server);
                    assert!(encoder.finish(&mut to_server));
                    client.body_sent();
                }
                ClientStep::Idle => client.quit(),
                ClientStep::Done(done) => outcome = Some(*done),
                ClientStep::Close => return (outcome.unwrap(), arrived),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_arrives_as_it_left(message in "([.a-z]{0,9}\r\n){0,9}", server in 0..3_usize) {
        let (server, client) = [
            ("relay tls", "smtp required"),
            ("submission tls", "smtp opportunistic login"),
            ("lmtp", "lmtp never"),
        ][server];
        let (outcome, arrived) = carry(server, client, message.as_bytes(), BodyType::SevenBit);
        prop_assert!(outcome.recipients.iter().all(|fate| fate.reply().is_positive()), "{outcome:?}");
        prop_assert_eq!(arrived, message.into_bytes());
    }

    #[test]
    fn binary_arrives_as_it_left(message in vec(any::<u8>(), 0..100)) {
        let (outcome, arrived) = carry("relay", "smtp never", &message, BodyType::BinaryMime);
        prop_assert!(outcome.recipients.iter().all(|fate| fate.reply().is_positive()), "{outcome:?}");
        prop_assert_eq!(arrived, message);
    }
}
