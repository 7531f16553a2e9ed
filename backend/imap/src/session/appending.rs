//! APPEND: messages are streamed to the driver.

use relais_model::MailboxName;

use super::{Announced, Mode, Session, Step, announced, plain_refusal, without_line_end};
use crate::command::append::{self, MessageHead};
use crate::command::{Reason, Refusal, Tag};
use crate::response::{self, ResponseCode, Status};

/// A message that a client wants to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendMessage {
    /// The command to answer.
    pub tag: Tag,
    /// Where to; the same for all messages of a command.
    pub mailbox: MailboxName,
    /// How many messages of the same command came before.
    pub index: u32,
    /// What is said of it.
    pub head: MessageHead,
}

/// An APPEND under way.
#[derive(Debug)]
pub(super) struct Appending {
    tag: Tag,
    mailbox: MailboxName,
    /// Messages announced, and their octets together.
    messages: u32,
    octets: u64,
    part: Part,
    /// Octets of the message that the driver hasn't got.
    left: u64,
    is_hasty: bool,
    is_utf8: bool,
}

/// What comes next of an APPEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The driver's refusal, or else the continuation.
    Leave,
    /// A message's octets.
    Octets,
    /// The end, or the next message's head.
    Head,
}

impl Appending {
    pub(super) const fn new(tag: Tag, mailbox: MailboxName) -> Self {
        Self { tag, mailbox, messages: 0, octets: 0, part: Part::Leave, left: 0, is_hasty: false, is_utf8: false }
    }
}

impl Session {
    /// Refuses the APPEND under way as a whole: writes NO. Best said right after [`Step::Append`], before the client was let
    /// send its message; may be said as long as [`Step::AppendEnd`] hasn't come. What the client sends all the same is thrown
    /// away (RFC 7888 §4).
    pub fn refuse_append(&mut self, out: &mut Vec<u8>, code: Option<&ResponseCode<'_>>, text: &str) {
        if !matches!(self.mode, Mode::Append(_)) {
            return;
        }
        let Mode::Append(appending) = std::mem::replace(&mut self.mode, Mode::Command) else { return };
        if appending.is_hasty || appending.part != Part::Leave {
            self.mode = Mode::Swallow(appending.left);
        }
        response::tagged(out, &appending.tag, Status::No, code, text);
    }

    pub(super) fn begin_append(
        &mut self,
        out: &mut Vec<u8>,
        mut appending: Appending,
        head: MessageHead,
    ) -> Option<Step> {
        appending.left = head.size_octets;
        appending.is_hasty = head.is_hasty;
        appending.is_utf8 = head.is_utf8;
        appending.part = Part::Leave;
        let index = appending.messages;
        appending.messages += 1;
        appending.octets = appending.octets.saturating_add(head.size_octets);
        let octets = appending.octets;
        let message = AppendMessage { tag: appending.tag.clone(), mailbox: appending.mailbox.clone(), index, head };
        self.mode = Mode::Append(Box::new(appending));
        if message.head.size_octets == 0 {
            // RFC 3502 §6.3.11: a literal of no octets takes the command back.
            self.refuse_append(out, None, "APPEND was taken back");
        } else if index >= self.config.limits.append_messages {
            self.refuse_append(out, Some(&ResponseCode::Limit), "Too many messages at once");
        } else if index > 0 && octets > self.config.append_limit {
            // They are held until the command's end, for all are filed or none (RFC 3502).
            self.refuse_append(out, Some(&ResponseCode::Limit), "The messages of one APPEND are too large together");
        } else if message.head.size_octets > self.config.append_limit {
            self.refuse_append(out, Some(&ResponseCode::TooBig), "The message is too large");
        } else {
            return Some(Step::Append(message));
        }
        (index > 0).then_some(Step::AppendBroken)
    }

    pub(super) fn step_append(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let Mode::Append(appending) = &mut self.mode else { return None };
        match appending.part {
            Part::Leave => {
                appending.part = Part::Octets;
                if !appending.is_hasty {
                    response::continuation(out, "OK");
                }
                None
            }
            Part::Octets if appending.left == 0 => {
                appending.part = Part::Head;
                None
            }
            Part::Octets => Some(self.take_octets()),
            Part::Head => self.after_message(out),
        }
    }

    fn take_octets(&mut self) -> Step {
        let here = self.pending().len();
        let Mode::Append(appending) = &mut self.mode else { return Step::Read };
        let taken = usize::try_from(appending.left).unwrap_or(usize::MAX).min(here);
        if taken == 0 {
            return Step::Read;
        }
        appending.left -= taken as u64;
        if self.start == 0 && taken == here {
            return Step::AppendData(std::mem::take(&mut self.inbox)); // the common case isn't copied
        }
        let octets = self.pending().get(..taken).unwrap_or_default().to_vec();
        self.consume(taken);
        Step::AppendData(octets)
    }

    /// Reads what follows a message: the end, or another.
    fn after_message(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let end = self.find_line();
        let is_long = end.unwrap_or(self.seen) > self.line_limit();
        if end.is_none() && !is_long {
            return Some(Step::Read);
        }
        let Mode::Append(appending) = std::mem::replace(&mut self.mode, Mode::Command) else { return None };
        let Some(end) = end.filter(|_| !is_long) else {
            self.mode = Mode::Swallow(0);
            let refusal = Refusal { reason: Reason::Limit, text: "The command is too long".into(), at: 0 };
            self.refuse(out, Some(&appending.tag), &refusal);
            return Some(Step::AppendBroken);
        };
        let line = self.pending().get(..end).unwrap_or_default();
        let literal = announced(line);
        let head = self.read_after(line, appending.is_utf8, literal.as_ref());
        match (&literal, &head) {
            (Some(announced), Err(_)) => self.drop_literal(end, announced),
            _ => self.consume(end),
        }
        match head {
            Ok(Some(head)) => self.begin_append(out, *appending, head),
            Ok(None) => Some(Step::AppendEnd(appending.tag)),
            Err(refusal) => {
                self.refuse(out, Some(&appending.tag), &refusal);
                Some(Step::AppendBroken)
            }
        }
    }

    /// Reads the line after a message: none where the command ends there.
    fn read_after(
        &self,
        line: &[u8],
        is_utf8: bool,
        literal: Option<&Announced>,
    ) -> Result<Option<MessageHead>, Refusal> {
        // RFC 6855 §4: `)` closes `UTF8 (`.
        let line = if is_utf8 { line.strip_prefix(b")") } else { Some(line) };
        let Some(line) = line else { return Err(plain_refusal("`)` is missing after the message")) };
        if literal.is_some() {
            return append::next_head(line, self.context()).map(Some);
        }
        let is_end = without_line_end(line).trim_ascii_end().is_empty();
        if is_end { Ok(None) } else { Err(plain_refusal("The command should end here, or another message follow")) }
    }
}
