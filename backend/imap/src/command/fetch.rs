//! FETCH (RFC 9051 §6.4.5 and its extensions).

use std::num::NonZeroU64;

use relais_message::{Section, SectionText};
use relais_model::ModSeq;

use super::reader::{Reader, Refusal};
use crate::partial::PartialRange;
use crate::response::section_name;
use crate::sequence::SequenceSet;

/// FETCH and UID FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// The set holds UIDs.
    pub by_uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// What is told of each, in the order asked; macros are expanded.
    pub items: Vec<FetchItem>,
    /// CHANGEDSINCE: only those that changed later (RFC 7162 §3.1.4.1).
    pub changed_since: Option<ModSeq>,
    /// VANISHED: and which were expunged since (RFC 7162 §3.2.6). Only in UID FETCH with CHANGEDSINCE; the executor refuses
    /// it where QRESYNC isn't enabled.
    pub vanished: bool,
    /// PARTIAL: only those at these places among the messages of the set (RFC 9394 §3.3). Only in UID FETCH.
    pub partial: Option<PartialRange>,
}

/// What FETCH tells of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchItem {
    /// UID.
    Uid,
    /// FLAGS.
    Flags,
    /// INTERNALDATE.
    InternalDate,
    /// RFC822.SIZE.
    Rfc822Size,
    /// ENVELOPE.
    Envelope,
    /// BODY without a section: BODYSTRUCTURE without its extensions.
    Body,
    /// BODYSTRUCTURE.
    BodyStructure,
    /// BODY\[…\], BODY.PEEK\[…\], RFC822, RFC822.HEADER, RFC822.TEXT.
    Section(FetchSection),
    /// BINARY\[…\], BINARY.PEEK\[…\] (RFC 3516).
    Binary {
        /// Which part; empty: the whole message.
        path: Vec<u32>,
        /// Doesn't set `\Seen`.
        peek: bool,
        /// Only these octets of what was decoded.
        partial: Option<Partial>,
    },
    /// BINARY.SIZE\[…\]: which part.
    BinarySize(Vec<u32>),
    /// MODSEQ (RFC 7162 §3.1.4.2).
    ModSeq,
    /// PREVIEW (RFC 8970).
    Preview {
        /// The LAZY modifier: only if it is at hand.
        lazy: bool,
    },
    /// SAVEDATE (RFC 8514).
    SaveDate,
    /// EMAILID (RFC 8474 §5.1).
    EmailId,
    /// THREADID (RFC 8474 §5.2).
    ThreadId,
}

impl FetchItem {
    /// Whether fetching it sets `\Seen`.
    pub const fn sets_seen(&self) -> bool {
        match self {
            Self::Section(section) => !section.peek,
            Self::Binary { peek, .. } => !*peek,
            _ => false,
        }
    }
}

/// Octets of a message or one of its parts, as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSection {
    /// Which octets.
    pub section: Section,
    /// Doesn't set `\Seen`.
    pub peek: bool,
    /// Only these of them.
    pub partial: Option<Partial>,
    /// What the answer calls it, with the space behind: made once, for it is told with each message.
    pub(crate) answered_as: String,
}

impl FetchSection {
    /// Of a section that is answered by this name.
    pub fn new(section: Section, peek: bool, partial: Option<Partial>, name: SectionName) -> Self {
        let answered_as = section_name(&section, partial, name);
        Self { section, peek, partial, answered_as }
    }
}

/// How a section was asked for, and is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionName {
    /// BODY\[…\].
    Body,
    /// RFC822 (RFC 3501 §6.4.5).
    Rfc822,
    /// RFC822.HEADER.
    Rfc822Header,
    /// RFC822.TEXT.
    Rfc822Text,
}

/// `<offset.octets>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// The first octet, from 0.
    pub offset: u64,
    /// How many, at most.
    pub octets: NonZeroU64,
}

impl Partial {
    /// What of `octets` is meant; nothing where it begins past their end.
    pub fn of(self, octets: &[u8]) -> &[u8] {
        let from = usize::try_from(self.offset).unwrap_or(usize::MAX).min(octets.len());
        let rest = octets.get(from..).unwrap_or_default();
        let length = usize::try_from(self.octets.get()).unwrap_or(usize::MAX).min(rest.len());
        rest.get(..length).unwrap_or_default()
    }
}

const FAST: [FetchItem; 3] = [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Rfc822Size];

impl Reader<'_> {
    pub(super) fn fetch(&mut self, by_uid: bool) -> Result<Fetch, Refusal> {
        let set = self.set_argument()?;
        self.space()?;
        let items = if self.peek() == Some(b'(') { self.list(Self::fetch_item)? } else { self.fetch_macro()? };
        let mut fetch = Fetch { by_uid, set, items, changed_since: None, vanished: false, partial: None };
        if self.skip(b' ') && self.peek().is_some() {
            self.list(|reader| reader.fetch_modifier(&mut fetch))?;
        }
        if fetch.vanished && (!by_uid || fetch.changed_since.is_none()) {
            return Err(self.bad("VANISHED goes with UID FETCH and CHANGEDSINCE")); // RFC 7162 §3.2.6
        }
        if fetch.partial.is_some() && !by_uid {
            return Err(self.bad("PARTIAL goes with UID FETCH")); // RFC 9394 §3.3
        }
        Ok(fetch)
    }

    fn fetch_modifier(&mut self, fetch: &mut Fetch) -> Result<(), Refusal> {
        match self.word().as_str() {
            "CHANGEDSINCE" => {
                self.expect(b' ')?;
                let Some(mod_seq) = self.mod_seq()? else { return Err(self.bad("0 is no MODSEQ")) };
                fetch.changed_since = Some(mod_seq);
            }
            "VANISHED" => fetch.vanished = true,
            "PARTIAL" => {
                self.expect(b' ')?;
                fetch.partial = Some(self.partial_range()?);
            }
            _ => return Err(self.bad("Unknown modifier of FETCH")),
        }
        Ok(())
    }

    /// A macro, or one item without parentheses.
    fn fetch_macro(&mut self) -> Result<Vec<FetchItem>, Refusal> {
        let mut items = FAST.to_vec();
        if self.skip_word("FAST") {
            return Ok(items);
        }
        items.push(FetchItem::Envelope);
        if self.skip_word("ALL") {
            return Ok(items);
        }
        items.push(FetchItem::Body);
        if self.skip_word("FULL") { Ok(items) } else { Ok(vec![self.fetch_item()?]) }
    }

    pub(super) fn fetch_item(&mut self) -> Result<FetchItem, Refusal> {
        let whole = |name, text| {
            // RFC 3501 §6.4.5: RFC822.HEADER is BODY.PEEK[HEADER]; the others set \Seen.
            let peek = name == SectionName::Rfc822Header;
            FetchItem::Section(FetchSection::new(Section { path: Vec::new(), text }, peek, None, name))
        };
        let before = self.position();
        let word = self.word();
        Ok(match word.as_str() {
            "UID" => FetchItem::Uid,
            "FLAGS" => FetchItem::Flags,
            "INTERNALDATE" => FetchItem::InternalDate,
            "RFC822.SIZE" => FetchItem::Rfc822Size,
            "ENVELOPE" => FetchItem::Envelope,
            "BODYSTRUCTURE" => FetchItem::BodyStructure,
            "BODY" if self.peek() == Some(b'[') => self.fetch_section(false)?,
            "BODY" => FetchItem::Body,
            "BODY.PEEK" => self.fetch_section(true)?,
            "RFC822" => whole(SectionName::Rfc822, None),
            "RFC822.HEADER" => whole(SectionName::Rfc822Header, Some(SectionText::Header)),
            "RFC822.TEXT" => whole(SectionName::Rfc822Text, Some(SectionText::Text)),
            "BINARY" | "BINARY.PEEK" => {
                let (path, partial) = (self.part_path()?, self.partial()?);
                FetchItem::Binary { path, peek: word == "BINARY.PEEK", partial }
            }
            "BINARY.SIZE" => FetchItem::BinarySize(self.part_path()?),
            "MODSEQ" => FetchItem::ModSeq,
            "PREVIEW" => FetchItem::Preview { lazy: self.lazy()? },
            "SAVEDATE" => FetchItem::SaveDate,
            "EMAILID" => FetchItem::EmailId,
            "THREADID" => FetchItem::ThreadId,
            _ => {
                self.back_to(before);
                return Err(self.bad("Unknown item of FETCH"));
            }
        })
    }

    /// ` (LAZY)` (RFC 8970 §3.1). In a list of items another parenthesis can't follow, so nothing is mistaken for it; outside
    /// one, FETCH modifiers can: those stay.
    fn lazy(&mut self) -> Result<bool, Refusal> {
        let before = self.position();
        if self.skip(b' ') && self.skip(b'(') && self.skip_word("LAZY") {
            return self.expect(b')').map(|()| true);
        }
        self.back_to(before);
        Ok(false)
    }

    /// `section-spec` without brackets, of a URL (RFC 5092 §11).
    pub(crate) fn parse_section(text: &str) -> Option<Section> {
        let limits = crate::limits::Limits::default();
        let text = format!("[{text}]");
        let mut reader = Reader::new(text.as_bytes(), &limits, false);
        let section = reader.section().ok()?;
        reader.end().ok().map(|()| section)
    }

    fn fetch_section(&mut self, peek: bool) -> Result<FetchItem, Refusal> {
        let section = self.section()?;
        Ok(FetchItem::Section(FetchSection::new(section, peek, self.partial()?, SectionName::Body)))
    }

    /// `section` (RFC 9051 §9).
    fn section(&mut self) -> Result<Section, Refusal> {
        self.expect(b'[')?;
        let path = self.path()?;
        let text = match self.word().as_str() {
            "" => None,
            "HEADER" => Some(SectionText::Header),
            "TEXT" => Some(SectionText::Text),
            "MIME" if !path.is_empty() => Some(SectionText::Mime),
            "HEADER.FIELDS" => Some(self.header_fields(false)?),
            "HEADER.FIELDS.NOT" => Some(self.header_fields(true)?),
            _ => return Err(self.bad("Unknown section")),
        };
        self.expect(b']')?;
        Ok(Section { path, text })
    }

    fn header_fields(&mut self, not: bool) -> Result<SectionText, Refusal> {
        self.expect(b' ')?;
        let names = self.list(|reader| {
            let name = reader.text()?;
            // RFC 5322 §2.2: what else a name held would come back in our answer.
            let is_name = name.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':');
            if is_name && !name.is_empty() { Ok(name) } else { Err(reader.bad("No header field has this name")) }
        })?;
        Ok(SectionText::HeaderFields { not, names })
    }

    /// `section-binary`: part numbers in brackets.
    fn part_path(&mut self) -> Result<Vec<u32>, Refusal> {
        self.expect(b'[')?;
        let path = self.path()?;
        self.expect(b']')?;
        Ok(path)
    }

    /// `1.2.3`, with the dot before a word that follows; perhaps nothing.
    fn path(&mut self) -> Result<Vec<u32>, Refusal> {
        let mut path = Vec::new();
        while self.peek().is_some_and(|octet| octet.is_ascii_digit()) {
            path.push(self.nonzero()?);
            if path.len() > self.limits.list_items {
                return Err(self.too_much("Too many part numbers"));
            }
            if !self.skip(b'.') {
                let is_end = self.peek() == Some(b']');
                return if is_end { Ok(path) } else { Err(self.bad("`.` or `]` is expected here")) };
            }
            if self.peek() == Some(b']') {
                return Err(self.bad("A part number or a section's name is expected here"));
            }
        }
        Ok(path)
    }

    fn partial(&mut self) -> Result<Option<Partial>, Refusal> {
        if !self.skip(b'<') {
            return Ok(None);
        }
        let offset = self.number64()?;
        self.expect(b'.')?;
        let Some(octets) = NonZeroU64::new(self.number64()?) else { return Err(self.bad("0 octets are none")) };
        self.expect(b'>')?;
        Ok(Some(Partial { offset, octets }))
    }
}
