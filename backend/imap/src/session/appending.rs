//! APPEND and REPLACE: messages are streamed to the driver.

use std::collections::VecDeque;

use relais_model::MailboxName;

use super::inbox::announced;
use super::{Mode, Session, Step, plain_refusal};
use crate::command::append::{self, Item, Line, MessageHead, Opening, Place, Replaced};
use crate::command::{Reason, Refusal, Tag};
use crate::response::{self, ResponseCode, Status};

/// What a message takes beside its octets while others come behind it, where there are more than a few.
const HELD_OCTETS: u64 = 4096;
const FEW_MESSAGES: u32 = 1000;

/// A message that a client wants to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendMessage {
    /// The command to answer.
    pub tag: Tag,
    /// Where to; the same for all messages of a command.
    pub mailbox: MailboxName,
    /// The message of the open mailbox that goes where this one comes (REPLACE).
    pub replaced: Option<Replaced>,
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
    replaced: Option<Replaced>,
    /// Messages announced, their octets together, and pieces of all kinds.
    messages: u32,
    octets: u64,
    pieces: u32,
    /// What the line that was read says, and hasn't been passed on.
    items: VecDeque<Item>,
    /// What the next line goes on with.
    place: Place,
    /// No other line comes.
    is_whole: bool,
    part: Part,
    /// Octets of the literal that the driver hasn't got.
    left: u64,
    is_hasty: bool,
}

/// What comes next of an APPEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What the line says.
    Items,
    /// The driver's refusal, or else the continuation.
    Leave,
    /// A literal's octets.
    Octets,
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
        self.mode = appending.after_refusal();
        response::tagged(out, &appending.tag, Status::No, code, self.say(text));
    }

    /// The first line was read.
    pub(super) fn begin_append(&mut self, tag: Tag, opening: Opening, is_whole: bool) {
        let Opening { replaced, mailbox, line: Line { items, place } } = opening;
        self.mode = Mode::Append(Box::new(Appending {
            tag,
            mailbox,
            replaced,
            messages: 0,
            octets: 0,
            pieces: 0,
            items: items.into(),
            place,
            is_whole,
            part: Part::Items,
            left: 0,
            is_hasty: false,
        }));
    }

    pub(super) fn step_append(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let Mode::Append(appending) = &mut self.mode else { return None };
        match appending.part {
            Part::Leave => {
                appending.part = Part::Octets;
                if !appending.is_hasty {
                    response::continuation(out, self.language.say("OK"));
                }
                None
            }
            Part::Octets if appending.left == 0 => {
                appending.part = Part::Items;
                None
            }
            Part::Octets => Some(self.take_octets()),
            Part::Items => match appending.items.pop_front() {
                Some(item) => self.pass_on(out, item),
                None if appending.is_whole => {
                    let Mode::Append(appending) = std::mem::replace(&mut self.mode, Mode::Command) else { return None };
                    Some(Step::AppendEnd(appending.tag))
                }
                None => self.next_line(out),
            },
        }
    }

    /// Passes on what a line says, within the limits.
    fn pass_on(&mut self, out: &mut Vec<u8>, item: Item) -> Option<Step> {
        let limits = &self.config.limits;
        let Mode::Append(appending) = &mut self.mode else { return None };
        let had_messages = appending.messages > 0;
        appending.pieces += 1;
        if appending.pieces > limits.append_items {
            self.refuse_append(out, Some(&ResponseCode::Limit), "Too many parts at once");
            return had_messages.then_some(Step::AppendBroken);
        }
        match item {
            Item::Message(head) => {
                let index = appending.messages;
                appending.messages += 1;
                appending.is_hasty = head.is_hasty;
                if index >= limits.append_messages {
                    let code = ResponseCode::MessageLimit { limit: limits.append_messages, lowest: None };
                    self.refuse_append(out, Some(&code), "Too many messages at once");
                } else if let Some((code, text)) = self.refusal_of(&head, index) {
                    self.refuse_append(out, code.as_ref(), text);
                } else {
                    let Mode::Append(appending) = &self.mode else { return None };
                    let (tag, mailbox) = (appending.tag.clone(), appending.mailbox.clone());
                    return Some(Step::Append(AppendMessage {
                        tag,
                        mailbox,
                        replaced: appending.replaced,
                        index,
                        head,
                    }));
                }
                had_messages.then_some(Step::AppendBroken)
            }
            Item::Url(url) => Some(Step::AppendUrl(url)),
            Item::Literal { octets, is_hasty } => {
                (appending.left, appending.is_hasty, appending.part) = (octets, is_hasty, Part::Leave);
                let in_message = matches!(appending.place, Place::Part | Place::Utf8Part);
                if in_message {
                    appending.octets = appending.octets.saturating_add(octets);
                }
                if appending.octets > self.config.append_limit && in_message {
                    self.refuse_append(out, Some(&ResponseCode::TooBig), "The message is too large");
                    return Some(Step::AppendBroken);
                }
                None
            }
        }
    }

    /// Why a message of these octets isn't taken.
    fn refusal_of(&mut self, head: &MessageHead, index: u32) -> Option<(Option<ResponseCode<'static>>, &'static str)> {
        let limit = self.config.append_limit;
        let Mode::Append(appending) = &mut self.mode else { return None };
        appending.octets = appending.octets.saturating_add(head.size_octets);
        if index >= FEW_MESSAGES {
            appending.octets = appending.octets.saturating_add(HELD_OCTETS);
        }
        if head.size_octets == 0 && !head.is_catenated {
            // RFC 3502 §6.3.11: a literal of no octets takes the command back.
            Some((None, "APPEND was taken back"))
        } else if index > 0 && appending.octets > limit {
            // They are held until the command's end, for all are filed or none (RFC 3502).
            Some((Some(ResponseCode::Limit), "The messages of one APPEND are too large together"))
        } else if head.size_octets > limit {
            Some((Some(ResponseCode::TooBig), "The message is too large"))
        } else {
            None
        }
    }

    fn take_octets(&mut self) -> Step {
        let here = self.inbox.pending().len();
        let Mode::Append(appending) = &mut self.mode else { return Step::Read };
        let taken = usize::try_from(appending.left).unwrap_or(usize::MAX).min(here);
        if taken == 0 {
            return Step::Read;
        }
        appending.left -= taken as u64;
        Step::AppendData(self.inbox.take(taken))
    }

    /// Reads what follows a literal: the end, or more.
    fn next_line(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let end = self.inbox.find_line();
        let is_long = self.inbox.text_octets(end) > self.line_limit();
        if end.is_none() && !is_long {
            return Some(Step::Read);
        }
        let Mode::Append(mut appending) = std::mem::replace(&mut self.mode, Mode::Command) else { return None };
        let Some(end) = end.filter(|_| !is_long) else {
            self.mode = Mode::Swallow(0);
            let refusal = Refusal::new(Reason::Limit, "The command is too long", 0);
            self.refuse(out, Some(&appending.tag), &refusal);
            return Some(Step::AppendBroken);
        };
        let text = self.inbox.up_to(end);
        let literal = announced(self.inbox.last_line(end));
        let line = append::next_line(text, appending.place, self.context()).and_then(|line| match &line {
            Some(line) if literal.is_none() && line.place == Place::Part => {
                Err(plain_refusal("`{}` is missing").about(')'))
            }
            _ => Ok(line),
        });
        match line {
            Ok(Some(line)) => {
                self.inbox.consume(end);
                appending.is_whole = literal.is_none();
                (appending.items, appending.place) = (line.items.into(), line.place);
                if appending.replaced.is_some() && appending.begins_another() {
                    self.mode = appending.after_refusal();
                    self.refuse(out, Some(&appending.tag), &plain_refusal("REPLACE takes one message"));
                    return Some(Step::AppendBroken);
                }
                self.mode = Mode::Append(appending);
                None
            }
            // The literal at the line's end is a URL.
            Ok(None) => {
                let announced = literal?;
                if let Err(refusal) = self.take_in(out, end, &announced) {
                    self.refuse(out, Some(&appending.tag), &refusal);
                    return Some(Step::AppendBroken);
                }
                self.mode = Mode::Append(appending);
                None
            }
            Err(refusal) => {
                match &literal {
                    Some(announced) => self.drop_literal(end, announced),
                    None => self.inbox.consume(end),
                }
                self.refuse(out, Some(&appending.tag), &refusal);
                Some(Step::AppendBroken)
            }
        }
    }
}

impl Appending {
    /// Whether what the line says is about a further message.
    fn begins_another(&self) -> bool {
        self.messages > 0 && self.items.iter().any(|item| matches!(item, Item::Message(_)))
    }

    /// What the client sends all the same: the literal that it doesn't wait to be let send, or the rest of it.
    fn after_refusal(&self) -> Mode {
        let ahead = self.items.back().and_then(|item| match item {
            Item::Literal { octets, is_hasty } => Some((*octets, *is_hasty)),
            _ => None,
        });
        match (ahead, self.part) {
            (Some((octets, true)), _) => Mode::Swallow(octets),
            (Some((_, false)), _) => Mode::Command,
            (None, Part::Leave) if !self.is_hasty => Mode::Command,
            (None, Part::Items) if self.is_whole => Mode::Command,
            (None, _) => Mode::Swallow(self.left),
        }
    }
}
