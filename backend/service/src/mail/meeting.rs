//! Invitations: what is known of a meeting beside its message, and answering it (RFC 5546, RFC 6047; decision 52).

use relais_message::{Extra, Named, Writing, new_message_id};
use relais_model::{Address, ReversePath, Timestamp};
use relais_reading::{Attendance, Invitation, Letter, Party, calendar_of, reply};
use relais_store::{Meeting, MeetingName};

use super::open::row_of;
use super::{Genuine, Mail};
use crate::{Actor, Failure, Moment, Text};

/// People of a meeting among whom one is looked for.
const MAX_LOOKED_AT: usize = 50;

/// How it stands with a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "what is true of a meeting, each by itself")]
pub struct MeetingView {
    /// What the message says.
    pub invitation: Invitation,
    /// As whom one is invited; none: one isn't, or can't answer.
    pub invited: Option<Party>,
    /// What one answered, and when.
    pub answered: Option<(Attendance, Moment)>,
    /// One answered what it was before it was changed.
    pub is_answer_old: bool,
    /// Another message has changed it since.
    pub is_outdated: bool,
    /// It was called off, by this message or another.
    pub is_cancelled: bool,
    /// Who sent the message isn't who invites.
    pub is_by_another: bool,
}

impl MeetingView {
    /// It asks for an answer that can be given.
    pub fn may_answer(&self) -> bool {
        self.invited.is_some() && !self.is_cancelled && !self.is_outdated && !self.is_by_another
    }
}

/// Words of an answer, in the writer's language.
#[derive(Debug, Clone)]
pub struct AnswerWords {
    /// The subject.
    pub subject: String,
    /// The text, for programs that know no calendar.
    pub text: String,
}

impl Mail {
    /// How it stands with the meeting of an open message. What the message says of it is noted, where who invites has sent it.
    pub(super) async fn meeting(
        &self,
        me: &Actor,
        letter: &Letter,
        genuine: &Genuine,
    ) -> Result<Option<MeetingView>, Failure> {
        let Some(invitation) = letter.invitation.clone() else { return Ok(None) };
        let is_by_another = is_by_another(&invitation, letter) || *genuine == Genuine::Forged;
        let is_cancel = invitation.method == "cancel" || invitation.is_cancelled;
        let mut known = Meeting::default();
        let name = name(me, &invitation)?;
        if let Some(name) = &name {
            known = self.store.meeting(name).await?.unwrap_or_default();
            let is_news = invitation.sequence > known.sequence || (is_cancel && !known.is_cancelled);
            let tells = matches!(invitation.method.as_str(), "request" | "cancel");
            if is_news && tells && !is_by_another && invitation.sequence >= known.sequence {
                known = Meeting { sequence: invitation.sequence, is_cancelled: is_cancel, ..known };
                self.store.keep_meeting(name.clone(), known.clone()).await?;
            }
        }
        let answered = Attendance::parse(&known.answer).map(|answer| (answer, known.answered_at.into()));
        let can_be_answered = invitation.method == "request" && name.is_some();
        Ok(Some(MeetingView {
            invited: if can_be_answered { self.invited(me, &invitation).await? } else { None },
            is_answer_old: answered.is_some() && known.answered_sequence < invitation.sequence,
            is_outdated: invitation.method == "request" && known.sequence > invitation.sequence,
            is_cancelled: is_cancel || known.is_cancelled,
            answered,
            is_by_another,
            invitation,
        }))
    }

    /// Answers an invitation, from the address that is invited; the same answer goes out once.
    ///
    /// # Errors
    /// [`Failure::Absent`]: there is no such message; [`Failure::Unfit`]: it can't be answered, or the desk refuses the answer.
    pub async fn answer_meeting(
        &self,
        me: &Actor,
        since: Timestamp,
        (mailbox, uid): (&str, u32),
        answer: Attendance,
        words: AnswerWords,
    ) -> Result<Text, Failure> {
        let own = self.own(me, mailbox).await?;
        let raw = self.octets(&row_of(&own, uid)?).await?;
        let letter = Letter::read(&raw);
        let unfit = || Failure::unfit("", Text::new("mail-meeting-no-answer"));
        let view =
            self.meeting(me, &letter, &Genuine::Unknown).await?.filter(MeetingView::may_answer).ok_or_else(unfit)?;
        let (invitation, invited) = (&view.invitation, view.invited.as_ref().ok_or_else(unfit)?);
        let organizer = invitation.organizer.to_address().ok_or_else(unfit)?;
        let says = Text::named(format!("mail-meeting-{}", answer.as_str())).with("who", organizer.to_string());
        if !view.is_answer_old && view.answered.is_some_and(|(known, _)| known == answer) {
            return Ok(says);
        }
        let calendar = calendar_of(&raw, &invitation.path).ok_or_else(unfit)?;
        let now = self.store.now();
        let calendar = reply(&calendar, &invited.address, answer, now).ok_or_else(unfit)?;
        let name = name(me, invitation)?.ok_or_else(unfit)?;
        let before = self.store.meeting(&name).await?.unwrap_or_default();
        let known = Meeting {
            sequence: invitation.sequence.max(before.sequence),
            answer: answer.as_str().to_owned(),
            answered_sequence: invitation.sequence,
            answered_at: now,
            ..before.clone()
        };
        self.store.keep_meeting(name.clone(), known).await?;
        let from = self.named(me, &invited.to_address().ok_or_else(unfit)?).await?;
        let to = Named { name: invitation.organizer.name.clone(), address: organizer };
        let writing = Writing {
            sender: self.sender(me, &from.address).await?,
            extra: Some(Extra::CalendarReply(calendar)),
            in_reply_to: letter.header.message_id.clone(),
            references: letter.header.message_id.clone(),
            ..self.short(from, to, words.subject, words.text)?
        };
        let path = ReversePath::Address(writing.submitter().clone());
        if let Err(failure) = self.post_now(me, since, path, &writing, true).await {
            self.store.keep_meeting(name, before).await?;
            return Err(failure);
        }
        Ok(says)
    }

    /// A message of a few words, from now.
    pub(super) fn short(&self, from: Named, to: Named, subject: String, text: String) -> Result<Writing, Failure> {
        let out = self.out()?;
        Ok(Writing {
            from,
            sender: None,
            to: vec![to],
            cc: Vec::new(),
            bcc: Vec::new(),
            subject,
            reply_to: Vec::new(),
            text,
            rich: None,
            extra: None,
            files: Vec::new(),
            date: self.store.now(),
            message_id: new_message_id(out.host.as_str(), &*out.random),
            in_reply_to: String::new(),
            references: String::new(),
            more: Vec::new(),
        })
    }

    /// One's own address, with the name that one writes under.
    pub(super) async fn named(&self, me: &Actor, address: &Address) -> Result<Named, Failure> {
        let identities = self.identities(me).await?;
        let is_it = |known: &str| known.eq_ignore_ascii_case(&address.to_string());
        let known = identities.iter().find(|identity| is_it(&identity.address)).or_else(|| identities.first());
        Ok(Named { name: known.map(|known| known.name.clone()).unwrap_or_default(), address: address.clone() })
    }

    /// As whom of those who are invited one may write.
    async fn invited(&self, me: &Actor, invitation: &Invitation) -> Result<Option<Party>, Failure> {
        let (account, _) = me.own()?;
        for attendee in invitation.attendees.iter().take(MAX_LOOKED_AT) {
            let Some(address) = attendee.party.to_address() else { continue };
            if self.store.may_send_as(account, &address).await? {
                return Ok(Some(attendee.party.clone()));
            }
        }
        Ok(None)
    }
}

/// RFC 6047 §2.2.1: who sends may be another than who invites; a message is no proof then, and an answer may go astray.
fn is_by_another(invitation: &Invitation, letter: &Letter) -> bool {
    let is = |party: &Party| party.address.eq_ignore_ascii_case(&invitation.organizer.address);
    let is_from = letter.header.from.iter().chain(&letter.header.sender).any(is);
    matches!(invitation.method.as_str(), "request" | "cancel") && !is_from
}

/// None where the invitation doesn't say what it is.
fn name(me: &Actor, invitation: &Invitation) -> Result<Option<MeetingName>, Failure> {
    let (account, _) = me.own()?;
    let is_named = !invitation.uid.is_empty() && invitation.organizer.to_address().is_some();
    Ok(is_named.then(|| MeetingName {
        account,
        uid: invitation.uid.clone(),
        organizer: invitation.organizer.address.to_lowercase(),
        instance: invitation.instance.clone(),
    }))
}
