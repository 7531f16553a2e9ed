//! SMTP: commands, replies, and both ends of a session.

use relais_model::{Address, Domain, EnhancedCode, Envelope, ForwardPath, Reply, ReversePath, Secret, Timestamp, Tls};
use relais_sasl::Shown;
use relais_smtp::client::{self, Client, Credentials, Encoder, Language, TlsPolicy};
use relais_smtp::command::Command;
use relais_smtp::reply::{read_reply, write_reply};
use relais_smtp::server::{Answer, Config, Limits, Question, Role, Session, Step};
use relais_smtp::sts::{StsPolicy, is_sts, sts_id};

use super::sasl::known;
use crate::cuts::Pieces;

/// A line is a command or has a reply.
pub(crate) fn command(octets: &[u8]) {
    if let Err(error) = Command::parse(octets) {
        let mut reply = Vec::new();
        write_reply(&error.reply(), &mut reply);
        assert!(matches!(read_reply(&reply), Ok(Some((_, octets))) if octets == reply.len()), "an unreadable refusal");
    }
}

/// What was read is read again from what is written.
pub(crate) fn reply(octets: &[u8]) {
    let Ok(Some((reply, used))) = read_reply(octets) else { return };
    assert!(used <= octets.len());
    let mut written = Vec::new();
    write_reply(&reply, &mut written);
    match read_reply(&written) {
        Ok(Some((again, _))) => assert_eq!(again.code, reply.code),
        other => panic!("a reply that was read is written as none: {other:?}"),
    }
}

/// What another domain serves as its MTA-STS policy, and publishes as the record that tells of it: what was read is read again from what is printed.
pub(crate) fn sts(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    if let Ok(policy) = StsPolicy::parse(&text) {
        assert_eq!(StsPolicy::parse(&policy.to_string()), Ok(policy));
    }
    if let Some(id) = is_sts(&text).then(|| sts_id(&text)).flatten() {
        assert_eq!(sts_id(&format!("v=STSv1; id={id};")), Some(id));
    }
}

/// The first octet says in which role; the rest is what the peer says.
pub(crate) fn server(octets: &[u8]) {
    let Some((role, input)) = octets.split_first() else { return };
    let role = match role % 3 {
        0 => Role::Relay,
        1 => Role::Submission,
        _ => Role::Lmtp,
    };
    assert_eq!(serve(role, Tls::Absent, Pieces::whole(input)), serve(role, Tls::Absent, Pieces::cut(input)));
    // What follows STARTTLS in the same piece is refused, so cuts do matter there.
    serve(role, Tls::Offered, Pieces::whole(input));
    serve(role, Tls::Offered, Pieces::cut(input));
}

/// What the peer hears, and the messages that were taken.
fn serve(role: Role, tls: Tls, mut pieces: Pieces<'_>) -> (Vec<u8>, Vec<Vec<u8>>) {
    let limits =
        Limits { message_octets: 4096, recipients: 3, transactions: 5, text_line_octets: 998, ..Limits::default() };
    let mut session = Session::new(Config {
        host_name: domain("mx.example"),
        role,
        tls,
        login_without_tls: true,
        scram: true,
        keeps_require_tls: true,
        limits,
    });
    let (mut heard, mut taken, mut message) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match session.step() {
            Step::Read => session.feed(pieces.next_piece(), Timestamp::default()),
            Step::Write(octets) => heard.extend(octets),
            Step::StartTls => session.tls_started(),
            Step::Ask(question) => {
                let mut answer = Answer::Accept;
                match question {
                    Question::Begin(_) => message.clear(),
                    Question::Finish => taken.push(std::mem::take(&mut message)),
                    Question::Keys(_) => answer = Answer::Known(Box::new(known())),
                    Question::Login(Shown::Proof(None) | Shown::Token(_)) => {
                        answer = Answer::Reply(Reply::new(535, EnhancedCode::new(5, 7, 8), "no"));
                    }
                    _ => {}
                }
                session.answer(answer);
            }
            Step::Chunk(octets) => message.extend(octets),
            Step::Discard | Step::Refuse(_) => message.clear(),
            Step::Close => return (heard, taken),
        }
    }
}

/// The first octet says what the client is to do; the rest is what the peer says.
pub(crate) fn client(octets: &[u8]) {
    let Some((kind, input)) = octets.split_first() else { return };
    assert_eq!(
        carry(*kind, TlsPolicy::Never, Pieces::whole(input)),
        carry(*kind, TlsPolicy::Never, Pieces::cut(input))
    );
    carry(*kind, TlsPolicy::Opportunistic, Pieces::cut(input));
    carry(*kind, TlsPolicy::Required, Pieces::whole(input));
}

/// What the peer hears. Every message has one outcome, with a fate for each recipient.
fn carry(kind: u8, tls: TlsPolicy, mut pieces: Pieces<'_>) -> Vec<u8> {
    let credentials = Credentials { login_name: "ann".to_owned(), password: Secret::new("secret"), without_tls: true };
    let mut client = Client::new(client::Config {
        host_name: domain("us.example"),
        language: if kind & 1 == 0 { Language::Smtp } else { Language::Lmtp },
        tls,
        is_under_tls: false,
        credentials: (kind & 2 != 0).then_some(credentials),
    });
    let envelope = envelope();
    client.send(envelope.clone(), 3);
    let (mut heard, mut given, mut done) = (Vec::new(), 1, 0);
    loop {
        match client.step() {
            client::Step::Read => client.feed(pieces.next_piece()),
            client::Step::Write(octets) => heard.extend(octets),
            client::Step::StartTls => client.tls_started(),
            client::Step::SendBody(transfer) => {
                let mut encoder = Encoder::new(transfer);
                encoder.push(b".\r\n", &mut heard);
                assert!(encoder.finish(&mut heard));
                client.body_sent();
            }
            client::Step::Idle if given < 3 => {
                given += 1;
                client.send(envelope.clone(), 3);
            }
            client::Step::Idle => client.quit(),
            client::Step::Done(outcome) => {
                assert_eq!(outcome.recipients.len(), envelope.recipients.len());
                done += 1;
            }
            client::Step::Close => {
                assert_eq!(done, given, "each message has one outcome");
                return heard;
            }
        }
    }
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).expect("a good name")
}

fn envelope() -> Envelope {
    let path = |text: &str| ForwardPath::new(Address::parse(text).expect("a good address"));
    let recipients = vec![path("a@b.example"), path("c@d.example")];
    Envelope { recipients, ..Envelope::new(ReversePath::Null, Timestamp::default()) }
}
