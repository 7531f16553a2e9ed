//! IMAP: commands, sessions, sequence sets, mailbox names.

use std::sync::Arc;

use relais_imap::command::{self, Command, Context, State};
use relais_imap::language::Language;
use relais_imap::limits::Limits;
use relais_imap::response::{self, Status};
use relais_imap::sequence::SequenceSet;
use relais_imap::session::{Config, LogIn, Session, Shown, Step};
use relais_imap::utf7;

use super::sasl::known;
use crate::cuts::Pieces;

/// A command is read or refused, in every state.
pub(crate) fn command(octets: &[u8]) {
    let limits = Limits::default();
    for state in [State::NotAuthenticated, State::Authenticated, State::Selected] {
        for utf8 in [false, true] {
            for uid_only in [false, true] {
                let context = Context { limits: &limits, utf8, uid_only, state };
                if let Ok((tag, _)) = command::parse(octets, context) {
                    assert_eq!(command::Tag::recover(octets), Some(tag), "the tag of a good command is found");
                }
            }
        }
    }
}

/// What the peer hears, and what the driver is asked for, is the same however the octets are cut.
pub(crate) fn session(octets: &[u8]) {
    assert_eq!(serve(false, Pieces::whole(octets)), serve(false, Pieces::cut(octets)));
    // What follows STARTTLS in the same piece is never taken, and COMPRESS is refused with more behind it: cuts matter.
    serve(true, Pieces::whole(octets));
    serve(true, Pieces::cut(octets));
}

fn serve(switches: bool, mut pieces: Pieces<'_>) -> (Vec<u8>, Vec<u8>) {
    let limits = Limits { line_octets: 4096, swallow_octets: 8192, ..Limits::default() };
    let config = Config {
        limits,
        starttls: switches,
        plain_log_in: true,
        scram: true,
        compress: switches,
        unauthenticate: true,
        append_limit: 4096,
        message_limit: 100,
        sieve: None,
        jmap: Some("https://example.com/jmap".into()),
        hidden: relais_imap::capability::Hidden::default(),
    };
    let mut session = Session::new(Arc::new(config), false);
    let (mut heard, mut appended) = (Vec::new(), Vec::new());
    let mut missing = None;
    session.greet(&mut heard);
    loop {
        match session.step(&mut heard) {
            Step::Read => session.feed(pieces.next_piece()),
            Step::Command(tag, command) => {
                carry_out(&mut session, &command, &mut heard);
                heard.extend(format!("{command:?}\r\n").into_bytes());
                response::tagged(&mut heard, &tag, Status::Ok, None, session.say("done"));
            }
            Step::Keys(_, _) => session.keys(&mut heard, Some(known())),
            Step::LogIn(LogIn { tag, shown: Shown::Token(bearer) }) => session.refuse_token(&mut heard, tag, &bearer),
            Step::LogIn(login) if is_refused(&login.shown) => {
                response::tagged(&mut heard, &login.tag, Status::No, None, session.say("no"));
            }
            Step::LogIn(login) => {
                session.logged_in();
                response::tagged(&mut heard, &login.tag, Status::Ok, None, session.say("in"));
            }
            Step::Append(message) if message.mailbox.as_str().starts_with('-') => {
                session.refuse_append(&mut heard, None, "no");
            }
            Step::Append(message) => missing = (!message.head.is_catenated).then_some(message.head.size_octets),
            Step::AppendUrl(url) if url.starts_with('-') => session.refuse_append(&mut heard, None, "no"),
            Step::AppendUrl(url) => appended.extend(url.into_bytes()),
            Step::Unauthenticate(tag) => response::tagged(&mut heard, &tag, Status::Ok, None, session.say("nobody")),
            Step::AppendData(octets) => {
                missing = missing.map(|missing| {
                    missing.checked_sub(octets.len() as u64).expect("no more octets than were announced")
                });
                appended.extend(octets);
            }
            Step::AppendEnd(tag) => {
                assert_eq!(missing.unwrap_or_default(), 0, "no fewer octets than were announced");
                response::tagged(&mut heard, &tag, Status::Ok, None, session.say("appended"));
            }
            Step::SaveRefused | Step::AppendBroken | Step::Idle(_) | Step::IdleBroken | Step::StartCompression => {}
            Step::IdleDone(tag) => response::tagged(&mut heard, &tag, Status::Ok, None, session.say("awake")),
            Step::StartTls => session.tls_started(),
            Step::Close => return (heard, appended),
        }
    }
}

fn is_refused(shown: &Shown) -> bool {
    match shown {
        Shown::Password(credentials) => credentials.login_name.starts_with('-'),
        Shown::Proof(place) => place.is_none(),
        Shown::Token(_) => true,
    }
}

fn carry_out(session: &mut Session, command: &Command, heard: &mut Vec<u8>) {
    match command {
        Command::Select(_) => session.selected(),
        Command::Close | Command::Unselect => session.unselected(),
        Command::Enable(extensions) => {
            let new: Vec<_> = extensions.iter().copied().filter(|extension| session.enable(*extension)).collect();
            response::enabled(heard, &new);
        }
        Command::Language(ranges) => {
            if let Some(language) = ranges.iter().find_map(|range| Language::find(range)) {
                session.speak(language);
            }
        }
        _ => {}
    }
}

/// What is printed is read as the same; what is meant lies in ascending runs that don't touch.
pub(crate) fn sequence_set(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    let Ok(set) = SequenceSet::parse(text) else { return };
    let again = SequenceSet::parse(&set.to_string());
    assert!(matches!(&again, Ok(again) if *again == set), "{set} is read as {again:?}");
    for largest in [0, 1, 5, u32::MAX] {
        let runs = set.resolve(largest).unwrap_or_default();
        assert!(runs.iter().all(|(first, last)| first <= last && *first > 0));
        assert!(runs.windows(2).all(|pair| u64::from(pair[0].1) + 1 < u64::from(pair[1].0)), "{runs:?} touch");
    }
}

/// Every name has one written form, and every written form that is read is it.
pub(crate) fn utf7(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    assert_eq!(utf7::decode(&utf7::encode(text)).as_deref(), Ok(text));
    if let Ok(name) = utf7::decode(text) {
        assert_eq!(utf7::encode(&name), text, "two spellings of {name:?}");
    }
}
