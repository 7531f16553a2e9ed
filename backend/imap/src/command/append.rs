//! APPEND (RFC 9051 §6.3.12), with several messages (RFC 3502), binary ones (RFC 3516), UTF-8 ones (RFC 6855) and such that are put
//! together (CATENATE, RFC 4469); and REPLACE (RFC 8508), which is APPEND and EXPUNGE in one.
//!
//! Its messages never stand in a command's text: a command is read line by line, each up to a literal's announcement or the
//! command's end, and the session streams the literals between them.

use relais_model::{Flag, MailboxName, Timestamp};

use super::reader::{Reader, Refusal};
use super::{Context, Tag, begin};

/// What is said of one message before its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageHead {
    /// Its flags.
    pub flags: Vec<Flag>,
    /// When it arrived; none: now.
    pub internal_date: Option<Timestamp>,
    /// A `literal8`: NUL is allowed.
    pub is_binary: bool,
    /// It is put together of parts: so its size isn't known yet, and is 0 here.
    pub is_catenated: bool,
    /// Octets that will follow.
    pub size_octets: u64,
    /// The client doesn't wait for a continuation.
    pub is_hasty: bool,
}

/// The message that REPLACE takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// The number is a UID.
    pub by_uid: bool,
    /// Never 0.
    pub number: u32,
}

/// How APPEND or REPLACE begins: its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// REPLACE's message.
    pub replaced: Option<Replaced>,
    /// Where to.
    pub mailbox: MailboxName,
    /// The rest of the line.
    pub line: Line,
}

/// What a line of APPEND says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// In this order.
    pub(crate) items: Vec<Item>,
    /// What the next line goes on with.
    pub(crate) place: Place,
}

/// A piece of APPEND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A message begins.
    Message(MessageHead),
    /// The octets that a URL names belong to it (RFC 4469 §3).
    Url(String),
    /// So do these that follow the line: always the last.
    Literal { octets: u64, is_hasty: bool },
}

/// Where in the grammar a line of APPEND begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A message must come.
    First,
    /// Behind a message: another, or the end.
    Next,
    /// Behind one that stood in `UTF8 (…)` (RFC 6855 §4).
    Utf8,
    /// Behind a part of CATENATE: another, or `)`.
    Part,
    /// Behind a part that stood in `UTF8 (…)` (RFC 6855 §4).
    Utf8Part,
}

/// How a line of APPEND goes on behind one of its pieces.
enum Then {
    GoesOn,
    /// With the announcement of a literal, or with the command.
    Ends,
    /// The literal at its end is a URL.
    HasUrlBehind,
}

/// Reads the line that begins an APPEND or REPLACE, with its end.
///
/// `Ok(None)`: it is neither, or the literal at its end is the mailbox's name or a URL.
pub(crate) fn opening(text: &[u8], context: Context<'_>) -> Result<Option<(Tag, Opening)>, Refusal> {
    let mut reader = Reader::in_context(text, context);
    let (tag, name) = begin(&mut reader, context.state)?;
    let number_is_uid = match name.as_str() {
        "APPEND" => None,
        "REPLACE" if context.uid_only => return Err(reader.needs_uid()),
        "REPLACE" => Some(false),
        "UID REPLACE" => Some(true),
        _ => return Ok(None),
    };
    reader.space()?;
    let replaced = match number_is_uid {
        Some(by_uid) => {
            let number = reader.nonzero()?;
            reader.space()?;
            Some(Replaced { by_uid, number })
        }
        None => None,
    };
    if reader.peek() == Some(b'{') && reader.announces_literal() {
        return Ok(None);
    }
    let mailbox = reader.mailbox()?;
    let Some(line) = reader.append_line(Place::First)? else { return Ok(None) };
    // RFC 8508 §4.7.
    let messages = line.items.iter().filter(|item| matches!(item, Item::Message(_))).count();
    if replaced.is_some() && messages > 1 {
        return Err(reader.bad("REPLACE takes one message"));
    }
    Ok(Some((tag, Opening { replaced, mailbox, line })))
}

/// Reads a line behind a message's octets, with its end. `Ok(None)`: the literal at its end is a URL.
pub(crate) fn next_line(text: &[u8], place: Place, context: Context<'_>) -> Result<Option<Line>, Refusal> {
    Reader::in_context(text, context).append_line(place)
}

impl Reader<'_> {
    /// Whether nothing but the announcement of a literal is left.
    fn announces_literal(&self) -> bool {
        self.rest().iter().position(|octet| *octet == b'\n').is_none_or(|at| at + 1 == self.rest().len())
    }

    /// Whether the line's end is all that is left; spaces before it are passed over.
    fn at_line_end(&mut self) -> bool {
        let before = self.position();
        while self.skip(b' ') {}
        self.skip(b'\r');
        self.skip(b'\n');
        let is_end = self.peek().is_none();
        if !is_end {
            self.back_to(before);
        }
        is_end
    }

    fn append_line(&mut self, place: Place) -> Result<Option<Line>, Refusal> {
        let mut line = Line { items: Vec::new(), place: self.append_place(place)? };
        loop {
            if line.items.len() > self.limits.list_items {
                return Err(self.too_much("Too many parts in one line"));
            }
            let then = match line.place {
                Place::Part if self.skip(b')') => {
                    line.place = Place::Next;
                    Then::GoesOn
                }
                Place::Next if self.at_line_end() => Then::Ends,
                Place::Part => self.append_part(&mut line)?,
                Place::First | Place::Next | Place::Utf8 | Place::Utf8Part => self.append_message(&mut line)?,
            };
            match then {
                Then::GoesOn => {}
                Then::Ends => return Ok(Some(line)),
                Then::HasUrlBehind => return Ok(None),
            }
        }
    }

    /// Where a line stands behind the `)` that ends `UTF8 (…)`.
    fn append_place(&mut self, place: Place) -> Result<Place, Refusal> {
        let behind = match place {
            Place::Utf8 => Place::Next,
            Place::Utf8Part => Place::Part,
            Place::First | Place::Next | Place::Part => return Ok(place),
        };
        if !self.skip(b')') {
            return Err(self.bad("`)` is missing after the message"));
        }
        Ok(behind)
    }

    /// A part of CATENATE.
    fn append_part(&mut self, line: &mut Line) -> Result<Then, Refusal> {
        // The first part stands behind `(`.
        let is_first = matches!(line.items.last(), Some(Item::Message(head)) if head.is_catenated);
        if !is_first {
            self.space()?;
        }
        if self.skip_word("URL") {
            self.space()?;
            if self.peek() == Some(b'{') && self.announces_literal() {
                return Ok(Then::HasUrlBehind);
            }
            line.items.push(Item::Url(self.text()?));
            return Ok(Then::GoesOn);
        }
        if self.skip_word("TEXT") {
            self.space()?;
            line.items.push(self.literal_part()?);
            return Ok(Then::Ends);
        }
        if self.skip_word("UTF8") {
            self.expect(b' ')?;
            self.expect(b'(')?;
            line.items.push(self.literal_part()?);
            line.place = Place::Utf8Part;
            return Ok(Then::Ends);
        }
        Err(self.bad("TEXT or URL is expected here"))
    }

    /// A message, up to its literal or its first part.
    fn append_message(&mut self, line: &mut Line) -> Result<Then, Refusal> {
        match self.peek() {
            None => return Err(self.bad("A message must be sent as a literal")),
            Some(octet) if octet != b' ' && line.place == Place::Next => {
                return Err(self.bad("The command should end here, or another message follow"));
            }
            Some(_) => {}
        }
        self.space()?;
        let (head, place) = self.message_head()?;
        let is_catenated = head.is_catenated;
        let literal = Item::Literal { octets: head.size_octets, is_hasty: head.is_hasty };
        line.items.push(Item::Message(head));
        line.place = place;
        if is_catenated {
            return Ok(Then::GoesOn);
        }
        line.items.push(literal);
        Ok(Then::Ends)
    }

    /// A message's head, and what follows its octets.
    fn message_head(&mut self) -> Result<(MessageHead, Place), Refusal> {
        let mut head = MessageHead {
            flags: Vec::new(),
            internal_date: None,
            is_binary: false,
            is_catenated: false,
            size_octets: 0,
            is_hasty: false,
        };
        if self.peek() == Some(b'(') {
            head.flags = self.flags()?;
            self.space()?;
        }
        if self.peek() == Some(b'"') {
            head.internal_date = Some(self.date_time()?);
            self.space()?;
        }
        if self.skip_word("CATENATE") {
            self.space()?;
            self.expect(b'(')?;
            head.is_catenated = true;
            return Ok((head, Place::Part));
        }
        let mut place = Place::Next;
        if self.skip_word("UTF8") {
            self.expect(b' ')?;
            self.expect(b'(')?;
            place = Place::Utf8;
        }
        (head.is_binary, head.size_octets, head.is_hasty) = self.announcement()?;
        Ok((head, place))
    }

    fn literal_part(&mut self) -> Result<Item, Refusal> {
        let (_, octets, is_hasty) = self.announcement()?;
        Ok(Item::Literal { octets, is_hasty })
    }

    /// A literal's announcement at the line's end: whether it may hold NUL, its octets, and whether the client doesn't wait.
    fn announcement(&mut self) -> Result<(bool, u64, bool), Refusal> {
        let is_binary = self.skip(b'~');
        if !self.skip(b'{') {
            return Err(self.bad("A message must be sent as a literal"));
        }
        let octets = self.number64()?;
        let is_hasty = self.skip(b'+');
        self.expect(b'}')?;
        self.skip(b'\r');
        self.skip(b'\n');
        self.end()?;
        Ok((is_binary, octets, is_hasty))
    }
}
