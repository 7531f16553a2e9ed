//! APPEND (RFC 9051 §6.3.12), with several messages (RFC 3502), binary ones (RFC 3516) and UTF-8 ones (RFC 6855).
//!
//! Its messages never stand in a command's text: `head` reads what is before a message's literal, and the session
//! streams the literal.

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
    /// Wrapped in `UTF8 (…)` (RFC 6855 §4); a `)` follows the octets.
    pub is_utf8: bool,
    /// Octets that will follow.
    pub size_octets: u64,
    /// The client doesn't wait for a continuation.
    pub is_hasty: bool,
}

/// Reads the line that begins an APPEND and ends in a literal's announcement.
///
/// `Ok(None)`: it is no APPEND, or the literal is the mailbox's name.
pub(crate) fn head(text: &[u8], context: Context<'_>) -> Result<Option<(Tag, MailboxName, MessageHead)>, Refusal> {
    let mut reader = Reader::new(text, context.limits, context.utf8);
    let (tag, name) = begin(&mut reader, context.state)?;
    if name != "APPEND" {
        return Ok(None);
    }
    reader.space()?;
    if reader.peek() == Some(b'{') && reader.announces_literal() {
        return Ok(None);
    }
    let mailbox = reader.mailbox()?;
    reader.space()?;
    Ok(Some((tag, mailbox, reader.message_head()?)))
}

/// Reads what follows a message's octets and announces another one.
pub(crate) fn next_head(text: &[u8], context: Context<'_>) -> Result<MessageHead, Refusal> {
    let mut reader = Reader::new(text, context.limits, context.utf8);
    reader.space()?;
    reader.message_head()
}

/// Why an APPEND that holds no message's literal cannot be carried out.
pub(super) fn without_literal(reader: &mut Reader<'_>) -> Refusal {
    let arguments = reader.mailbox_argument();
    arguments.err().unwrap_or_else(|| reader.bad("A message must be sent as a literal"))
}

impl Reader<'_> {
    /// Whether nothing but the announcement of a literal is left.
    fn announces_literal(&self) -> bool {
        self.rest().iter().position(|octet| *octet == b'\n').is_none_or(|at| at + 1 == self.rest().len())
    }

    fn message_head(&mut self) -> Result<MessageHead, Refusal> {
        let mut head = MessageHead {
            flags: Vec::new(),
            internal_date: None,
            is_binary: false,
            is_utf8: false,
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
        if self.skip_word("UTF8") {
            self.expect(b' ')?;
            self.expect(b'(')?;
            head.is_utf8 = true;
        }
        head.is_binary = self.skip(b'~');
        if !self.skip(b'{') {
            return Err(self.bad("A message must be sent as a literal"));
        }
        head.size_octets = self.number64()?;
        head.is_hasty = self.skip(b'+');
        self.expect(b'}')?;
        self.skip(b'\r');
        self.skip(b'\n');
        self.end()?;
        Ok(head)
    }
}
