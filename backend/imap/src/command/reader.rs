//! The parts that commands are made of (RFC 9051 §9): atoms, strings, numbers, lists, names.

use std::borrow::Cow;

use relais_model::{Flag, FlagError, MailboxName, MailboxNameError, ModSeq};

use super::Context;
use crate::limits::Limits;
use crate::utf7;

/// Why a command is not carried out: the answer to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} (octet {at})", .text.replace("{}", .about))]
pub struct Refusal {
    /// What kind of answer it is.
    pub reason: Reason,
    /// In words, with a gap, `{}`, where there is something to be named.
    pub text: &'static str,
    /// What stands in the gap.
    pub about: String,
    /// Where in the command, from 0, its tag and literals counted.
    pub at: usize,
}

/// The kinds of [`Refusal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// BAD: it cannot be read.
    Syntax,
    /// NO \[LIMIT\]: it can be read, and asks for too much.
    Limit,
    /// NO \[CANNOT\]: no mailbox can have this name.
    MailboxName,
    /// NO \[BADCHARSET\]: RFC 9051 §6.4.4.
    Charset,
    /// NO \[USEATTR\]: RFC 6154 §3.
    SpecialUse,
    /// BAD \[UIDREQUIRED\]: RFC 9586.
    UidRequired,
}

impl Refusal {
    pub(crate) const fn new(reason: Reason, text: &'static str, at: usize) -> Self {
        Self { reason, text, about: String::new(), at }
    }

    /// With `about` in the text's gap.
    pub(crate) fn about(self, about: impl Into<String>) -> Self {
        Self { about: about.into(), ..self }
    }
}

/// Walks over one command: all its lines with the literals between them, as they came.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    pub(crate) limits: &'a Limits,
    /// The client has enabled UTF8=ACCEPT or IMAP4rev2: mailbox names are UTF-8.
    utf8: bool,
    /// The client has enabled UIDONLY: sequence numbers mean nothing.
    pub(crate) uid_only: bool,
}

impl<'a> Reader<'a> {
    /// Over `text`, which ends before the last line's CRLF.
    pub(crate) fn new(text: &'a [u8], limits: &'a Limits, utf8: bool) -> Self {
        Self { text, at: 0, limits, utf8, uid_only: false }
    }

    /// [`Self::new`], as what the client has enabled wants it.
    pub(crate) fn in_context(text: &'a [u8], context: Context<'a>) -> Self {
        Self { uid_only: context.uid_only, ..Self::new(text, context.limits, context.utf8) }
    }

    /// RFC 9586: a sequence number of a client that has given them up.
    pub(crate) fn needs_uid(&self) -> Refusal {
        self.refuse(Reason::UidRequired, "Sequence numbers aren't used after ENABLE UIDONLY")
    }

    pub(crate) fn refuse(&self, reason: Reason, text: &'static str) -> Refusal {
        Refusal::new(reason, text, self.at)
    }

    pub(crate) fn bad(&self, text: &'static str) -> Refusal {
        self.refuse(Reason::Syntax, text)
    }

    pub(crate) fn too_much(&self, text: &'static str) -> Refusal {
        self.refuse(Reason::Limit, text)
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(crate) fn advance(&mut self) {
        self.at += 1;
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Goes back to where [`Self::position`] was asked.
    pub(crate) fn back_to(&mut self, position: usize) {
        self.at = position;
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes `octet` if it is next.
    pub(crate) fn skip(&mut self, octet: u8) -> bool {
        let is_next = self.peek() == Some(octet);
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn expect(&mut self, octet: u8) -> Result<(), Refusal> {
        if self.skip(octet) {
            return Ok(());
        }
        let text = match self.peek() {
            None => "`{}` is missing",
            Some(_) if octet == b' ' => "A space is missing",
            Some(_) => "`{}` is expected here",
        };
        Err(self.bad(text).about(char::from(octet)))
    }

    pub(crate) fn space(&mut self) -> Result<(), Refusal> {
        if self.peek().is_none() {
            return Err(self.bad("An argument is missing"));
        }
        self.expect(b' ')
    }

    /// The command's end. Deviates: spaces before it are passed over, for people who type by hand.
    pub(crate) fn end(&mut self) -> Result<(), Refusal> {
        while self.skip(b' ') {}
        if self.peek().is_none() { Ok(()) } else { Err(self.bad("The command should end here")) }
    }

    /// Takes octets as long as `belongs` says so; perhaps none.
    pub(crate) fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|octet| !belongs(*octet)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    pub(crate) fn letters(&mut self) -> &'a [u8] {
        self.take_while(|octet| octet.is_ascii_alphabetic())
    }

    /// A word of the grammar: letters, digits, `.`, `-`, `=`, `+`, `_`; in capitals. Perhaps empty.
    pub(crate) fn word(&mut self) -> String {
        let word = self.take_while(|octet| octet.is_ascii_alphanumeric() || b".-=+_".contains(&octet));
        String::from_utf8_lossy(word).to_ascii_uppercase()
    }

    /// Takes `word` in any case, if it is next and nothing of a longer word follows.
    pub(crate) fn skip_word(&mut self, word: &str) -> bool {
        let before = self.at;
        let is_next = self.word() == word;
        if !is_next {
            self.at = before;
        }
        is_next
    }

    /// `atom`.
    pub(crate) fn atom(&mut self) -> Result<&'a str, Refusal> {
        self.some(is_atom_char, "An atom is expected here")
    }

    /// Octets that `belongs` allows, at least one, all of them ASCII.
    pub(crate) fn some(&mut self, belongs: impl Fn(u8) -> bool, text: &'static str) -> Result<&'a str, Refusal> {
        let before = self.at;
        match std::str::from_utf8(self.take_while(belongs)) {
            Ok(octets) if !octets.is_empty() => Ok(octets),
            _ => {
                self.at = before;
                Err(self.bad(text))
            }
        }
    }

    /// `number`.
    pub(crate) fn number(&mut self) -> Result<u32, Refusal> {
        let before = self.at;
        let number = self.number64()?;
        u32::try_from(number).map_err(|_| {
            self.at = before;
            self.bad("The number is too large")
        })
    }

    /// `nz-number`.
    pub(crate) fn nonzero(&mut self) -> Result<u32, Refusal> {
        let before = self.at;
        let number = self.number()?;
        if number == 0 {
            self.at = before;
            return Err(self.bad("0 is not allowed here"));
        }
        Ok(number)
    }

    /// `number64`: below 2^63.
    pub(crate) fn number64(&mut self) -> Result<u64, Refusal> {
        let before = self.at;
        let digits = self.some(|octet| octet.is_ascii_digit(), "A number is expected here")?;
        digits.parse().ok().filter(|number| i64::try_from(*number).is_ok()).ok_or_else(|| {
            self.at = before;
            self.bad("The number is too large")
        })
    }

    /// `mod-sequence-valzer`; none for 0 (RFC 7162 §7).
    pub(crate) fn mod_seq(&mut self) -> Result<Option<ModSeq>, Refusal> {
        self.number64().map(ModSeq::new)
    }

    /// `string`: quoted or literal.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, [u8]>, Refusal> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(Cow::Borrowed),
            _ => Err(self.bad("A string is expected here")),
        }
    }

    /// `quoted`. 8-bit octets are let through: whoever takes the text says what it may be.
    fn quoted(&mut self) -> Result<Cow<'a, [u8]>, Refusal> {
        self.expect(b'"')?;
        let plain = self.take_while(|octet| !matches!(octet, b'"' | b'\\' | b'\r' | b'\n' | 0));
        if self.skip(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_vec();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.advance();
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.advance();
                    match self.peek().filter(|octet| matches!(octet, b'"' | b'\\')) {
                        Some(octet) => text.push(octet),
                        None => return Err(self.bad("Only `\"` and `\\` can follow `\\`")),
                    }
                    self.advance();
                }
                Some(b'\r' | b'\n' | 0) | None => return Err(self.bad("A quoted string doesn't end")),
                Some(octet) => {
                    text.push(octet);
                    self.advance();
                }
            }
        }
    }

    /// `literal`.
    fn literal(&mut self) -> Result<&'a [u8], Refusal> {
        let octets = self.octets()?;
        if octets.contains(&0) {
            self.at -= octets.len();
            return Err(self.bad("A literal holds NUL"));
        }
        Ok(octets)
    }

    /// A literal's octets, whatever they are. The session saw to it that they are here.
    fn octets(&mut self) -> Result<&'a [u8], Refusal> {
        self.expect(b'{')?;
        let length = self.number64()?;
        self.skip(b'+');
        self.expect(b'}')?;
        self.skip(b'\r');
        self.expect(b'\n')?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(octets) = self.rest().get(..length) else { return Err(self.bad("A literal is cut off")) };
        self.at += length;
        Ok(octets)
    }

    /// `astring`.
    pub(crate) fn astring(&mut self) -> Result<Cow<'a, [u8]>, Refusal> {
        self.string_or(|octet| is_atom_char(octet) || octet == b']')
    }

    fn string_or(&mut self, belongs: impl Fn(u8) -> bool) -> Result<Cow<'a, [u8]>, Refusal> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => self.some(belongs, "A string is expected here").map(|atom| Cow::Borrowed(atom.as_bytes())),
        }
    }

    /// `astring` that must be UTF-8.
    pub(crate) fn text(&mut self) -> Result<String, Refusal> {
        let before = self.at;
        let octets = self.astring()?.into_owned();
        String::from_utf8(octets).map_err(|_| {
            self.at = before;
            self.bad("The text is not UTF-8")
        })
    }

    /// `nstring` that must be UTF-8.
    pub(crate) fn nil_or_text(&mut self) -> Result<Option<String>, Refusal> {
        if self.skip_word("NIL") { Ok(None) } else { self.text().map(Some) }
    }

    /// `nstring` or `literal8`.
    pub(crate) fn nil_or_octets(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        if self.skip_word("NIL") {
            return Ok(None);
        }
        if self.skip(b'~') {
            return self.octets().map(|octets| Some(octets.to_vec()));
        }
        self.string().map(|octets| Some(octets.into_owned()))
    }

    /// `mailbox`, decoded.
    pub(crate) fn mailbox(&mut self) -> Result<MailboxName, Refusal> {
        self.spelled_mailbox().map(|(name, _old_name)| name)
    }

    /// `mailbox`, decoded, and its [`old_name`].
    pub(crate) fn spelled_mailbox(&mut self) -> Result<(MailboxName, Option<String>), Refusal> {
        let before = self.at;
        let text = self.mailbox_text()?;
        let name = MailboxName::parse(&text).map_err(|error| Refusal { at: before, ..self.no_name(&error) })?;
        Ok((name, old_name(&text)))
    }

    pub(crate) fn no_name(&self, error: &MailboxNameError) -> Refusal {
        self.refuse(Reason::MailboxName, "No mailbox can have this name: {}").about(error.to_string())
    }

    /// The text of a `mailbox`, decoded and not yet a name.
    pub(crate) fn mailbox_text(&mut self) -> Result<String, Refusal> {
        let before = self.at;
        let octets = self.astring()?;
        self.decode_name(&octets).map_err(|refusal| Refusal { at: before, ..refusal })
    }

    /// `list-mailbox`: a pattern of LIST, decoded; its `*` and `%` stand for themselves. What no name could be matches none,
    /// and is no error (RFC 9051 §6.3.9).
    pub(crate) fn pattern(&mut self) -> Result<String, Refusal> {
        let octets = self.string_or(|octet| is_atom_char(octet) || b"]*%".contains(&octet))?;
        Ok(self.decode_name(&octets).unwrap_or_else(|_| String::from_utf8_lossy(&octets).into_owned()))
    }

    fn decode_name(&self, octets: &[u8]) -> Result<String, Refusal> {
        let text = std::str::from_utf8(octets)
            .map_err(|_| self.refuse(Reason::MailboxName, "The mailbox's name is not UTF-8"))?;
        // Deviates: plain UTF-8 is taken without ENABLE, too. It can mean nothing else, and RFC 9051 §5.1 lets clients of
        // a server that announces IMAP4rev2 expect it.
        if self.utf8 || !text.is_ascii() {
            return Ok(text.to_owned());
        }
        utf7::decode(text).map_err(|error| {
            let text = "The mailbox's name is not modified UTF-7: {}";
            self.refuse(Reason::MailboxName, text).about(error.to_string())
        })
    }

    /// `"(" item *(SP item) ")"`, at least one item.
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
        self.expect(b'(')?;
        let mut items = Vec::new();
        loop {
            items.push(item(self)?);
            if self.skip(b')') {
                return Ok(items);
            }
            if items.len() == self.limits.list_items {
                return Err(self.too_much("Too many items in a list"));
            }
            if !self.skip(b' ') {
                return Err(self.bad("A space or `)` is expected here"));
            }
        }
    }

    /// [`Self::list`] that may be empty.
    pub(crate) fn list_or_none<T>(
        &mut self,
        item: impl FnMut(&mut Self) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        if self.rest().starts_with(b"()") {
            self.at += 2;
            return Ok(Vec::new());
        }
        self.list(item)
    }

    /// `flag-list`. Deviates: `\Recent`, which no client may set, is passed over: clients that copy between servers send
    /// back the flags that they were told (RFC 3501 §2.3.2).
    pub(crate) fn flags(&mut self) -> Result<Vec<Flag>, Refusal> {
        let flags = self.list_or_none(Self::flag)?;
        Ok(flags.into_iter().flatten().collect())
    }

    /// `flag`; none for `\Recent`.
    pub(crate) fn flag(&mut self) -> Result<Option<Flag>, Refusal> {
        let before = self.at;
        let text = self.some(|octet| is_atom_char(octet) || octet == b'\\', "A flag is expected here")?;
        if text.eq_ignore_ascii_case("\\Recent") {
            return Ok(None);
        }
        Flag::parse(text).map(Some).map_err(|error| {
            let (text, flag) = match error {
                FlagError::UnknownSystemFlag(flag) => ("No flag: `{}` is no system flag", flag),
                FlagError::Keyword(flag) => ("No flag: `{}` is no keyword: an atom of 1 to 100 octets", flag),
            };
            Refusal::new(Reason::Syntax, text, before).about(flag)
        })
    }
}

/// What a client calls a mailbox, where that isn't normalised: it is told so (RFC 9051 §6.3.9.7). INBOX in whatever case is.
pub(crate) fn old_name(text: &str) -> Option<String> {
    (MailboxName::normalise(text) != text).then(|| text.to_owned())
}

/// `ATOM-CHAR` (RFC 9051 §9).
pub(crate) fn is_atom_char(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"(){%*\"\\]".contains(&octet)
}
