//! The message of a transaction: DATA (RFC 5321 §4.1.1.4) and BDAT (RFC 3030).

use std::mem;

use relais_model::{BodyType, EnhancedCode, Reply};

use super::{Asked, Body, Phase, Session, Transaction};
use crate::server::Role;
use crate::server::intake::{Intake, IntakeLimits, is_endless, too_large};
use crate::server::step::{Answer, Question, Step, is_yes};

impl Session {
    pub(super) fn begin_data(&mut self) -> Option<Step> {
        let refusal = match &self.transaction {
            None => "Say MAIL first",
            Some(Transaction { body: Body::Open(_) | Body::Refused { .. } | Body::Failed, .. }) => {
                "The message has begun with BDAT" // RFC 3030 §2
            }
            Some(Transaction { envelope, .. }) if envelope.recipients.is_empty() => "There is no recipient yet",
            Some(Transaction { envelope, .. }) if envelope.body_type == BodyType::BinaryMime => {
                "BINARYMIME is sent by BDAT" // RFC 3030 §3
            }
            Some(Transaction { envelope, .. }) => {
                let question = Question::Begin(envelope.clone());
                self.phase = Phase::Asked(Asked::Data);
                return Some(Step::Ask(question));
            }
        };
        self.fail_new(503, (5, 5, 1), refusal);
        None
    }

    pub(super) fn begin_chunk(&mut self, octets: u64, last: bool) -> Option<Step> {
        if is_endless(octets, self.config.limits.message_octets) {
            self.hang_up(&too_large());
            return None;
        }
        if let Some(Transaction { envelope, body: Body::Awaited }) = &self.transaction
            && !envelope.recipients.is_empty()
        {
            let question = Question::Begin(envelope.clone());
            self.phase = Phase::Asked(Asked::Chunk { octets, last });
            return Some(Step::Ask(question));
        }
        // RFC 3030 §2: whatever we think of it, the chunk follows and must be swallowed.
        self.phase = Phase::Chunk { left: octets, octets, last };
        None
    }

    /// The house's word on DATA. After a no the transaction is over, so that MAIL may follow.
    pub(super) fn data_decided(&mut self, reply: Option<Reply>) {
        match reply {
            Some(reply) if !is_yes(&reply) => {
                self.transaction = None;
                self.fail(&reply);
            }
            _ => {
                self.open_body();
                self.phase = Phase::Data;
                self.say_plain(354, "Send the message; end with a dot on a line of its own");
            }
        }
    }

    pub(super) fn open_body(&mut self) {
        let limits = &self.config.limits;
        if let Some(transaction) = &mut self.transaction {
            transaction.body = Body::Open(Intake::new(IntakeLimits {
                message_octets: limits.message_octets,
                text_line_octets: limits.text_line_octets,
                is_binary: transaction.envelope.body_type == BodyType::BinaryMime,
            }));
        }
    }

    pub(super) fn data(&mut self) -> Option<Step> {
        let pending = self.input.get(self.taken..).unwrap_or_default();
        let Some(Transaction { body: Body::Open(intake) | Body::Refused { intake, .. }, .. }) = &mut self.transaction
        else {
            self.close();
            return None;
        };
        if pending.is_empty() {
            return self.want_octets();
        }
        let mut chunk = Vec::with_capacity(pending.len());
        let (taken, ended) = intake.take_data(pending, &mut chunk);
        self.taken += taken;
        if ended {
            self.phase = Phase::Chunk { left: 0, octets: 0, last: true };
        } else if is_endless(intake.octets(), self.config.limits.message_octets) {
            self.hang_up(&too_large());
        }
        self.pass_on(chunk)
    }

    pub(super) fn chunk(&mut self) -> Option<Step> {
        let Phase::Chunk { left, octets, last } = self.phase else { return None };
        if left == 0 {
            return self.end_chunk(octets, last);
        }
        let pending = self.input.get(self.taken..).unwrap_or_default();
        let piece = pending.get(..usize::try_from(left).unwrap_or(usize::MAX).min(pending.len())).unwrap_or_default();
        if piece.is_empty() {
            return self.want_octets();
        }
        let mut chunk = Vec::new();
        if let Some(Transaction { body: Body::Open(intake) | Body::Refused { intake, .. }, .. }) = &mut self.transaction
        {
            intake.take_chunk(piece, &mut chunk);
        }
        self.phase = Phase::Chunk { left: left - piece.len() as u64, octets, last };
        self.taken += piece.len();
        self.pass_on(chunk)
    }

    /// Hands octets on while the message is good; once it isn't, it is discarded and only swallowed.
    fn pass_on(&mut self, chunk: Vec<u8>) -> Option<Step> {
        let Some(transaction) = &mut self.transaction else { return None };
        let fault = match &transaction.body {
            Body::Open(intake) => intake.fault(),
            _ => return None,
        };
        match fault {
            None if chunk.is_empty() => None,
            None => Some(Step::Chunk(chunk)),
            Some(reply) => {
                self.discard = Some(Step::Refuse(reply.clone()));
                self.abandon(reply);
                None
            }
        }
    }

    /// A chunk, or DATA, is through.
    fn end_chunk(&mut self, octets: u64, last: bool) -> Option<Step> {
        self.phase = Phase::Command;
        let Some(transaction) = &mut self.transaction else {
            self.fail_new(503, (5, 5, 1), "Say MAIL first");
            return None;
        };
        match mem::replace(&mut transaction.body, Body::Failed) {
            Body::Open(mut intake) => {
                let mut rest = Vec::new();
                if last {
                    intake.end_chunks(&mut rest);
                }
                if intake.fault().is_some() {
                    transaction.body = Body::Open(intake);
                    self.phase = Phase::Chunk { left: 0, octets, last };
                    return self.pass_on(rest);
                }
                if last {
                    self.phase = Phase::Asked(Asked::Finish);
                    return Some(Step::Ask(Question::Finish));
                }
                transaction.body = Body::Open(intake);
                self.say_new(250, (2, 0, 0), &format!("{octets} octets taken"));
            }
            Body::Refused { intake, reply } => {
                // The reason may have changed since: a message with bare line ends may have grown too large as well.
                let reply = intake.fault().unwrap_or(reply);
                self.refuse_message(&reply, last);
            }
            Body::Awaited => {
                transaction.body = Body::Awaited;
                self.fail_new(503, (5, 5, 1), "There is no recipient yet");
            }
            Body::Failed => {
                let reply = Reply::new(503, EnhancedCode::new(5, 5, 1), "An earlier chunk was refused: say RSET");
                self.fail_each(&reply, last);
            }
        }
        None
    }

    /// At the end of the octets of a refused message. A chunk that wasn't the last leaves the transaction failed.
    fn refuse_message(&mut self, reply: &Reply, last: bool) {
        self.fail_each(reply, last);
        if last {
            self.transaction = None;
        }
    }

    /// Refuses a chunk, or DATA. RFC 2033 §4.2, §4.3: on LMTP the last one has a reply for each recipient that was taken.
    fn fail_each(&mut self, reply: &Reply, last: bool) {
        let recipients = self.envelope().map_or(0, |envelope| envelope.recipients.len());
        let replies = if self.config.role == Role::Lmtp && last { recipients.max(1) } else { 1 };
        for _ in 1..replies {
            self.say(reply);
        }
        self.fail(reply);
    }

    pub(super) fn finished(&mut self, answer: Answer) {
        let Some(transaction) = self.transaction.take() else { return };
        let recipients = transaction.envelope.recipients.len();
        let accepted = || Reply::new(250, EnhancedCode::new(2, 0, 0), "Message taken");
        let replies = match answer {
            Answer::PerRecipient(mut replies) if self.config.role == Role::Lmtp => {
                // A driver that forgot one must not shift the others' replies.
                replies.resize(recipients, Reply::new(451, EnhancedCode::new(4, 3, 0), "Try again later"));
                replies
            }
            answer => {
                let replies = if self.config.role == Role::Lmtp { recipients } else { 1 };
                vec![answer.into_reply().unwrap_or_else(accepted); replies]
            }
        };
        if replies.iter().any(is_yes) {
            (self.errors, self.idle_commands) = (0, 0); // Who brings mail may err now and then.
        }
        match replies.as_slice() {
            [refusal] if !is_yes(refusal) => self.fail(refusal),
            replies => replies.iter().for_each(|reply| self.say(reply)),
        }
    }
}
