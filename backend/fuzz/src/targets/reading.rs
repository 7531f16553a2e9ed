//! Invitations, as strangers write them.

use relais_model::Timestamp;
use relais_reading::{Attendance, Invitation, reply};

/// Any calendar is read, and an answer to it is read as one: to the same meeting, from one person, in lines of the length that is said.
pub(crate) fn calendar(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let Some(invitation) = Invitation::read(&text, None) else { return };
    for attendee in &invitation.attendees {
        let Some(answer) = reply(&text, &attendee.party.address, Attendance::Accepted, Timestamp::from_seconds(0)) else {
            continue;
        };
        assert!(answer.ends_with("END:VCALENDAR\r\n"), "{answer}");
        assert!(answer.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{answer}");
        let read = Invitation::read(&answer, None).map(|read| (read.method, read.attendees.len()));
        assert_eq!(read, Some(("reply".to_owned(), 1)), "{answer}");
    }
}
