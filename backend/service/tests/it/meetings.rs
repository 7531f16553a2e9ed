//! Invitations and receipts: what is sent, to whom, how often; and what nobody can make us send.

use std::sync::Arc;

use relais_reading::{Attendance, Invitation, Letter, calendar_of};
use relais_service::{Actor, AnswerWords, Draft, Failure, ListWanted, Mail, MeetingView, MessageView, Role};
use relais_store::{Append, Content, MailboxKey};

use crate::house::{House, address, on_both, short};
use crate::mail::id;

struct Guest {
    house: Arc<House>,
    me: Actor,
}

/// Changes of an invitation by which it is told from others.
#[derive(Clone, Copy)]
struct Sent {
    from: &'static str,
    method: &'static str,
    sequence: u32,
    invited: &'static str,
}

const INVITATION: Sent =
    Sent { from: "desk@one.example", method: "REQUEST", sequence: 0, invited: "user+work@one.example" };

impl Guest {
    async fn of(house: Arc<House>) -> Self {
        let me = house.actor(Role::User, true).await;
        Self { house, me }
    }

    fn mail(&self) -> &Mail {
        &self.house.service.mail
    }

    async fn put(&self, mailbox: &str, raw: &str) -> u32 {
        let key = MailboxKey::parse(&id(&self.house, &self.me, mailbox).await).unwrap();
        let content = Content::prepare(raw.replace('\n', "\r\n").into_bytes());
        let append = Append { content, flags: Vec::new(), internal_date: None };
        self.house.store.append(key, vec![append]).await.unwrap().uids.last().unwrap().value()
    }

    async fn invite(&self, sent: Sent) -> u32 {
        let Sent { from, method, sequence, invited } = sent;
        let raw = format!(
            "From: Desk <{from}>\nTo: user@one.example\nSubject: Lunch\nMessage-ID: <{method}{sequence}@one.example>\n\
             Content-Type: text/calendar; method={method}\n\nBEGIN:VCALENDAR\nMETHOD:{method}\nBEGIN:VEVENT\nUID:lunch\nSEQUENCE:{sequence}\n\
             SUMMARY:Lunch\nDTSTART:20261127T120000Z\nORGANIZER:mailto:desk@one.example\nATTENDEE:mailto:carl@x.example\n\
             ATTENDEE:mailto:{invited}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        self.put("INBOX", &raw).await
    }

    async fn open(&self, mailbox: &str, uid: u32) -> MessageView {
        let id = id(&self.house, &self.me, mailbox).await;
        self.mail().open(&self.me, &id, uid, false, false).await.unwrap()
    }

    async fn meeting(&self, uid: u32) -> MeetingView {
        self.open("INBOX", uid).await.meeting.unwrap()
    }

    async fn answer(&self, uid: u32, answer: Attendance) -> String {
        let inbox = id(&self.house, &self.me, "INBOX").await;
        let since = self.house.store.now();
        short(self.mail().answer_meeting(&self.me, since, (&inbox, uid), answer, words()).await)
    }

    async fn receipt(&self, mailbox: &str, uid: u32, sends: bool) -> Result<relais_service::Text, Failure> {
        let mailbox = id(&self.house, &self.me, mailbox).await;
        let since = self.house.store.now();
        self.mail().answer_receipt(&self.me, since, (&mailbox, uid), sends.then(words)).await
    }

    /// What the desk got, the newest first.
    async fn got(&self) -> Vec<Vec<u8>> {
        let desk = self.house.actor(Role::HelpDesk, true).await;
        let inbox = id(&self.house, &desk, "INBOX").await;
        let wanted = ListWanted { limit: 9, ..ListWanted::default() };
        let mut got = Vec::new();
        for row in self.mail().list(&desk, &inbox, &wanted).await.unwrap().rows {
            got.push(self.mail().raw(&desk, &inbox, row.uid).await.unwrap().octets);
        }
        got
    }
}

fn words() -> AnswerWords {
    AnswerWords { subject: "Lunch".to_owned(), text: "So it is.".to_owned() }
}

/// From the address that was invited, once an answer, and it may be changed.
#[test]
fn an_invitation_is_answered_by_who_was_invited() {
    on_both(|house| async move {
        let guest = Guest::of(house).await;
        let uid = guest.invite(INVITATION).await;
        let before = guest.meeting(uid).await;
        assert_eq!(before.invited.as_ref().unwrap().address, "user+work@one.example");
        assert!(before.may_answer() && before.answered.is_none());
        for _pressed_twice in 0..2 {
            assert_eq!(guest.answer(uid, Attendance::Accepted).await, "done");
        }
        let got = guest.got().await;
        assert_eq!(got.len(), 1, "the same answer goes once");
        let letter = Letter::read(&got[0]);
        assert_eq!(letter.header.from[0].address, "user+work@one.example");
        let invitation = letter.invitation.unwrap();
        let calendar = calendar_of(&got[0], &invitation.path).unwrap();
        let reply = Invitation::read(&calendar, None).unwrap();
        let people: Vec<_> =
            reply.attendees.iter().map(|one| (one.party.address.as_str(), one.status.as_str())).collect();
        assert_eq!((reply.method.as_str(), reply.uid.as_str()), ("reply", "lunch"));
        assert_eq!(people, [("user+work@one.example", "accepted")]);
        let text = String::from_utf8_lossy(&got[0]).into_owned();
        assert!(text.contains("multipart/alternative") && text.contains("method=REPLY"), "{text}");
        assert_eq!(guest.answer(uid, Attendance::Declined).await, "done");
        assert_eq!(guest.got().await.len(), 2);
        assert_eq!(guest.meeting(uid).await.answered.unwrap().0, Attendance::Declined);
    });
}

/// A change asks anew, what is called off asks no more, and old messages say that there are newer ones.
#[test]
fn messages_of_a_meeting_know_of_each_other() {
    on_both(|house| async move {
        let guest = Guest::of(house).await;
        let first = guest.invite(INVITATION).await;
        assert_eq!(guest.answer(first, Attendance::Accepted).await, "done");
        let second = guest.invite(Sent { sequence: 1, ..INVITATION }).await;
        let changed = guest.meeting(second).await;
        assert!(changed.may_answer() && changed.is_answer_old, "{changed:?}");
        let old = guest.meeting(first).await;
        assert!(old.is_outdated && !old.may_answer(), "{old:?}");
        assert_eq!(guest.answer(first, Attendance::Declined).await, "unfit:  mail-meeting-no-answer");
        let third = guest.invite(Sent { sequence: 2, method: "CANCEL", ..INVITATION }).await;
        assert!(guest.meeting(third).await.is_cancelled);
        assert!(guest.meeting(second).await.is_cancelled);
        assert_eq!(guest.answer(second, Attendance::Accepted).await, "unfit:  mail-meeting-no-answer");
    });
}

/// Who isn't the organizer invites nobody, and calls nothing off.
#[test]
fn an_invitation_of_another_is_not_believed() {
    on_both(|house| async move {
        let guest = Guest::of(house).await;
        let forged = Sent { from: "eve@x.example", ..INVITATION };
        let uid = guest.invite(forged).await;
        let view = guest.meeting(uid).await;
        assert!(view.is_by_another && !view.may_answer());
        assert_eq!(guest.answer(uid, Attendance::Accepted).await, "unfit:  mail-meeting-no-answer");
        let real = guest.invite(INVITATION).await;
        guest.meeting(guest.invite(Sent { method: "CANCEL", sequence: 9, ..forged }).await).await;
        assert!(guest.meeting(real).await.may_answer(), "nobody else calls it off");
        let other = guest.invite(Sent { invited: "dora@x.example", ..INVITATION }).await;
        assert!(guest.meeting(other).await.invited.is_none());
        assert_eq!(guest.got().await.len(), 0);
    });
}

const ASKING: &str = "From: Desk <desk@one.example>\nTo: user+shop@one.example\nSubject: Offer\nMessage-ID: <1@one.example>\n\
    Disposition-Notification-To: desk@one.example\n\nHello\n";

/// RFC 8098: by nobody but the reader, once, in its own form, with an empty return path.
#[test]
fn a_receipt_goes_when_the_reader_says_so_and_once() {
    on_both(|house| async move {
        let guest = Guest::of(house).await;
        let uid = guest.put("INBOX", ASKING).await;
        assert!(guest.open("INBOX", uid).await.receipt.is_some());
        assert_eq!(guest.got().await.len(), 0, "opening tells nobody");
        guest.receipt("INBOX", uid, true).await.unwrap();
        assert_eq!(short(guest.receipt("INBOX", uid, true).await), "absent: mail-receipt-gone");
        assert!(guest.open("INBOX", uid).await.receipt.is_none());
        let got = guest.got().await;
        assert_eq!(got.len(), 1);
        let text = String::from_utf8_lossy(&got[0]).into_owned();
        for part in [
            "Return-Path: <>\r\n",
            "report-type=disposition-notification",
            "Content-Type: message/disposition-notification\r\n",
            "Final-Recipient: rfc822;user+shop@one.example\r\n",
            "Original-Message-ID: <1@one.example>\r\n",
            "Disposition: manual-action/MDN-sent-manually; displayed\r\n",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        let second = guest.put("INBOX", ASKING).await;
        guest.receipt("INBOX", second, false).await.unwrap();
        assert!(guest.open("INBOX", second).await.receipt.is_none(), "who doesn't want to isn't asked again");
        assert_eq!(guest.got().await.len(), 1);
    });
}

#[test]
fn lists_junk_and_oneself_get_no_receipt() {
    on_both(|house| async move {
        let guest = Guest::of(house).await;
        let check = async |mailbox: &str, raw: String, asks: bool| {
            let uid = guest.put(mailbox, &raw).await;
            let receipt = guest.open(mailbox, uid).await.receipt;
            assert_eq!(receipt.is_some(), asks, "{mailbox} {raw}");
            receipt.map(|receipt| receipt.is_elsewhere)
        };
        assert_eq!(check("INBOX", ASKING.to_owned(), true).await, Some(false));
        let elsewhere = ASKING.replace("To: desk", "To: spy");
        assert_eq!(check("INBOX", elsewhere, true).await, Some(true), "it is said where it goes");
        check("INBOX", format!("List-Id: <l.x.example>\n{ASKING}"), false).await;
        check("INBOX", ASKING.replace("desk@", "user@"), false).await;
        guest.mail().act(&guest.me, &id(&guest.house, &guest.me, "INBOX").await, &one(1), &junk()).await.unwrap();
        check("Junk", ASKING.to_owned(), false).await;
    });
}

fn one(uid: u32) -> relais_service::Chosen {
    relais_service::Chosen::Messages(relais_model::Uid::new(uid).into_iter().collect())
}

fn junk() -> relais_service::Act {
    relais_service::Act::Move(relais_service::Place::Junk)
}

#[test]
fn who_writes_may_ask_for_a_receipt() {
    on_both(|house| async move {
        let guest = Guest::of(house).await;
        let (mail, me) = (guest.mail(), &guest.me);
        let draft = Draft { to: "desk@one.example".to_owned(), asks_receipt: true, ..Draft::default() };
        let saved = mail.save_draft(me, &draft, Vec::new()).await.unwrap();
        let draft = mail.open_draft(me, saved).await.unwrap();
        assert!(draft.asks_receipt, "a draft remembers it");
        mail.send(me, guest.house.store.now(), &draft, Vec::new()).await.unwrap();
        let text = String::from_utf8(guest.got().await.remove(0)).unwrap();
        assert!(text.contains("\r\nDisposition-Notification-To: <user@one.example>\r\n"), "{text}");
    });
}

#[test]
fn searches_go_on_with_operators_people_and_mailboxes() {
    on_both(|house| async move {
        let guest = Guest::of(house).await;
        let (mail, me) = (guest.mail(), &guest.me);
        let account = me.account.as_ref().unwrap().0;
        guest.house.store.note_written(account, &[address("carl@x.example")]).await.unwrap();
        let suggested = async |typed: &str| {
            let found = mail.suggestions(me, typed).await.unwrap();
            found.into_iter().map(|suggestion| suggestion.text).collect::<Vec<_>>()
        };
        assert_eq!(suggested("is:unread from:car").await, ["is:unread from:carl@x.example"]);
        assert_eq!(suggested("has").await, ["has:attachment"]);
        assert_eq!(suggested("car").await, ["from:carl@x.example"]);
        assert_eq!(suggested("in:inb").await, ["in:INBOX"]);
        assert_eq!(suggested("").await, Vec::<String>::new());
        let choices = mail.writing_choices(me).await.unwrap();
        mail.choose_writing(me, relais_service::WritingChoices { suggests_written: false, ..choices }).await.unwrap();
        assert_eq!(
            suggested("car").await,
            Vec::<String>::new(),
            "who was written to isn't suggested, if one wants that"
        );
    });
}
