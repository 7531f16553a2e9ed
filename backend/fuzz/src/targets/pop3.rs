//! POP3: a session over a maildrop of three.

use relais_model::{Tls, Uid, UidValidity};
use relais_pop3::{Answer, Config, Maildrop, Question, Session, Step};
use relais_sasl::Shown;

use super::sasl::known;
use crate::cuts::Pieces;

const MESSAGE: &[u8] = b"Subject: hi\r\n\r\n.dot\r\nbare\nend";

/// What the peer hears is the same however its octets are cut.
pub(crate) fn session(octets: &[u8]) {
    assert_eq!(serve(Tls::Absent, Pieces::whole(octets)), serve(Tls::Absent, Pieces::cut(octets)));
    // What follows STLS in the same piece is thrown away, so cuts do matter there.
    serve(Tls::Offered, Pieces::whole(octets));
    serve(Tls::Offered, Pieces::cut(octets));
}

fn serve(tls: Tls, mut pieces: Pieces<'_>) -> (Vec<u8>, Vec<u64>) {
    let mut session =
        Session::new(Config { host_name: "mx.example".to_owned(), tls, allow_plain_login: true, scram: true });
    let (mut heard, mut deleted) = (Vec::new(), Vec::new());
    loop {
        match session.step() {
            Step::Read => session.feed(pieces.next_piece()),
            Step::Write(octets) => heard.extend(octets),
            Step::StartTls => session.tls_started(),
            Step::Ask(question) => {
                let answer = decide(&question, &mut session, &mut heard, &mut deleted);
                session.answer(answer);
            }
            Step::Close => return (heard, deleted),
        }
    }
}

fn decide(question: &Question, session: &mut Session, heard: &mut Vec<u8>, deleted: &mut Vec<u64>) -> Answer {
    match question {
        Question::Login(Shown::Password(credentials)) if credentials.login_name.starts_with('-') => Answer::Refused,
        Question::Login(Shown::Password(_) | Shown::Proof(Some(_))) => Answer::LoggedIn,
        Question::Keys(_) => Answer::Known(Box::new(known())),
        Question::Login(Shown::Proof(None) | Shown::Token(_)) => Answer::Refused,
        Question::OpenMaildrop => {
            let validity = UidValidity::new(7).expect("not 0");
            let octets = MESSAGE.len() as u64;
            Answer::Maildrop(Maildrop::new(validity, (1..=3).filter_map(Uid::new).map(|uid| (uid, octets))))
        }
        Question::Retrieve { uid, .. } if uid.value() == 3 => Answer::Gone,
        Question::Retrieve { .. } => {
            for piece in MESSAGE.chunks(7) {
                if session.wants_message() {
                    heard.extend(session.message(piece).unwrap_or_default());
                }
            }
            Answer::MessageEnd
        }
        Question::Commit { deleted: uids } => {
            deleted.push(uids.count());
            Answer::Committed
        }
    }
}
