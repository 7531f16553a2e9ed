//! One message: read, with those that it stands in a conversation with, and what was found of it when it came.

use std::collections::HashMap;

use data_encoding::BASE64;
use relais_message::fields;
use relais_model::{Flag, Rights, SpecialUse, SystemFlag, Uid, UidSet};
use relais_reading::{Clean, Cleaner, Fetched, Header, Letter, Pictures, file_octets};
use relais_store::{FlagChange, FlagOp, Row, TraceId, View, Wanted};

use super::acts::refused;
use super::list::labels;
use super::{Mail, MeetingView, Own, ReceiptView, no_message, uid};
use crate::{Actor, Failure, MessageVerdict, Moment, Text};

/// Messages of a conversation that are listed beside the one that is read.
const MAX_ENTRIES: usize = 200;
/// Octets of one picture that is shown in place, and of all of a message.
const MAX_PICTURE_OCTETS: u64 = 3 * 1024 * 1024;
const MAX_PICTURES_OCTETS: u64 = 12 * 1024 * 1024;
/// Smaller messages are understood where they are; others on a thread of their own.
const SMALL_OCTETS: usize = 64 * 1024;

/// A message, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageView {
    /// Its number in its mailbox.
    pub uid: u32,
    /// Who wrote what to whom, and what is beside it.
    pub letter: Letter,
    /// How it stands.
    pub flags: MessageFlags,
    /// When it arrived.
    pub at: Moment,
    /// RFC822.SIZE.
    pub size_octets: u64,
    /// It is in Junk.
    pub is_junk: bool,
    /// Whether it is from whom it says.
    pub genuine: Genuine,
    /// What was found of it when it came; none where nobody looked, or it is forgotten.
    pub verdict: Option<MessageVerdict>,
    /// How it stands with the meeting that it invites to.
    pub meeting: Option<MeetingView>,
    /// Who asks to be told that it was read.
    pub receipt: Option<ReceiptView>,
    /// The sender's pictures are shown without being asked for.
    pub shows_pictures: bool,
    /// All messages of its conversation in this mailbox, this one among them, in the order of the answers.
    pub conversation: Vec<MessageEntry>,
    /// The UIDs of the newest message of the line above it in the list, and of the one below.
    pub above: Option<u32>,
    /// See `above`.
    pub below: Option<u32>,
}

/// How a message stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags, each there or not")]
pub struct MessageFlags {
    /// `\Seen`.
    pub is_seen: bool,
    /// `\Flagged`.
    pub is_flagged: bool,
    /// `\Answered`.
    pub is_answered: bool,
    /// `$Forwarded`.
    pub is_forwarded: bool,
    /// `\Draft`.
    pub is_draft: bool,
    /// Keywords of people.
    pub labels: Vec<String>,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEntry {
    /// Its number.
    pub uid: u32,
    /// Its author's name, else their address.
    pub author: String,
    /// Its first words.
    pub preview: String,
    /// When it arrived.
    pub at: Moment,
    /// It was read.
    pub is_seen: bool,
}

/// Whether a message is from whom it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Genuine {
    /// This domain stands behind it.
    Proven(String),
    /// Nobody stands behind it, and the author's domain would have.
    Forged,
    /// Nobody can say.
    Unknown,
}

/// A message's octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMessage {
    /// As received.
    pub octets: Vec<u8>,
    /// Its subject, for a file's name.
    pub subject: String,
}

impl MessageFlags {
    fn of(view: &View, row: &Row) -> Self {
        let flags = view.flags_of(row.flags);
        let is = |flag: SystemFlag| row.flags & u64::from(flag.bit()) != 0;
        let is_forwarded = flags
            .iter()
            .any(|flag| matches!(flag, Flag::Keyword(keyword) if keyword.as_str().eq_ignore_ascii_case("$Forwarded")));
        Self {
            is_seen: is(SystemFlag::Seen),
            is_flagged: is(SystemFlag::Flagged),
            is_answered: is(SystemFlag::Answered),
            is_draft: is(SystemFlag::Draft),
            is_forwarded,
            labels: labels(&flags),
        }
    }
}

impl Mail {
    /// Opens a message. `marks_read` sets its `\Seen`.
    ///
    /// # Errors
    /// [`Failure::Absent`]: it isn't there, or not for who asks.
    pub async fn open(
        &self,
        me: &Actor,
        mailbox: &str,
        number: u32,
        by_conversation: bool,
        marks_read: bool,
    ) -> Result<MessageView, Failure> {
        let own = self.own(me, mailbox).await?;
        let row = row_of(&own, number)?;
        let raw = self.octets(&row).await?;
        let trace = trace_of(&raw);
        let mut letter = understood(raw, Letter::read).await?;
        if own.view.is_anothers() {
            // One reader doesn't take all of them off a list.
            letter.header.one_click = None;
        }
        let verdict = match trace {
            Some(trace) => self.store.judgement(&trace).await?.map(MessageVerdict::from),
            None => None,
        };
        let author = letter.header.author().to_address();
        let shows_pictures = match &author {
            Some(author) => self.store.shows_pictures_of(own.account, author).await?,
            None => false,
        };
        // Who has no right to mark reads all the same.
        let marks_read = marks_read && own.view.rights().has(Rights::SEEN);
        if marks_read && row.flags & u64::from(SystemFlag::Seen.bit()) == 0 {
            let seen = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Seen)] };
            let uids: UidSet = std::iter::once(uid(number)?).collect();
            self.store.store_flags(own.view.reach(), uids, seen, None).await.map_err(refused)?;
        }
        let flags = MessageFlags::of(&own.view, &row);
        let order = self.orders.of(&self.store, &own.view, by_conversation).await?;
        let (at, line) = order.line_of(number).ok_or_else(no_message)?;
        let beside = |at: Option<usize>| at.and_then(|at| order.lines.get(at)).map(|line| line.newest());
        let is_junk = self.use_of(own.owner(), own.view.mailbox()).await? == Some(SpecialUse::Junk);
        let genuine = verdict.as_ref().map_or(Genuine::Unknown, Genuine::of);
        let meeting = self.meeting(me, &letter, &genuine).await?;
        let keywords = own.view.flags_of(row.flags);
        let receipt = self.receipt(&own, me, (&letter, &keywords), &genuine).await?;
        Ok(MessageView {
            uid: number,
            flags: MessageFlags { is_seen: flags.is_seen || marks_read, ..flags },
            at: row.internal_date().into(),
            size_octets: row.size_octets.into(),
            is_junk,
            // Pictures of junk tell its sender that somebody is there.
            shows_pictures: shows_pictures && !is_junk && genuine != Genuine::Forged,
            genuine,
            meeting,
            receipt,
            verdict,
            conversation: self.entries(&own, line.uids).await?,
            above: beside(at.checked_sub(1)),
            below: beside(at.checked_add(1)),
            letter,
        })
    }

    /// A message's octets.
    ///
    /// # Errors
    /// [`Failure::Absent`]: it isn't there, or not for who asks.
    pub async fn raw(&self, me: &Actor, mailbox: &str, number: u32) -> Result<RawMessage, Failure> {
        let own = self.own(me, mailbox).await?;
        let octets = self.octets(&row_of(&own, number)?).await?;
        let header = octets.get(..relais_message::header_octets(&octets)).unwrap_or_default();
        Ok(RawMessage { subject: Header::read(header).subject, octets })
    }

    /// What is left of a message's HTML; none where it has none. `fetched` says where pictures of others are fetched; none: they stay away.
    ///
    /// # Errors
    /// [`Failure::Absent`]: it isn't there, or not for who asks.
    pub async fn clean_html(
        &self,
        me: &Actor,
        mailbox: &str,
        number: u32,
        fetched: Option<Fetched>,
    ) -> Result<Option<Clean>, Failure> {
        let own = self.own(me, mailbox).await?;
        let raw = self.octets(&row_of(&own, number)?).await?;
        let clean = tokio::task::spawn_blocking(move || {
            let letter = Letter::read(&raw);
            letter.has_html().then(|| clean(&letter, &raw, fetched))
        });
        clean.await.map_err(|_panicked| Failure::Failed)
    }

    /// Sees a sender's pictures without asking from now on, or no more.
    ///
    /// # Errors
    /// [`Failure::Absent`]: there is no such message; [`Failure::Unfit`]: its author's address can't be read.
    pub async fn show_pictures(&self, me: &Actor, mailbox: &str, number: u32, is_shown: bool) -> Result<Text, Failure> {
        let raw = self.raw(me, mailbox, number).await?;
        let header = Header::read(raw.octets.get(..relais_message::header_octets(&raw.octets)).unwrap_or_default());
        let author = header.author();
        let unfit = || Failure::unfit("", Text::new("mail-no-author"));
        let address = author.to_address().ok_or_else(unfit)?;
        self.store.show_pictures_of(me.own()?.0, &address, is_shown).await?;
        let id = if is_shown { "mail-pictures-shown" } else { "mail-pictures-not-shown" };
        Ok(Text::new(id).with("sender", author.address))
    }

    pub(super) async fn octets(&self, row: &Row) -> Result<Vec<u8>, Failure> {
        self.store.raw(row.message()).await?.ok_or_else(no_message)
    }

    async fn entries(&self, own: &Own, uids: &[u32]) -> Result<Vec<MessageEntry>, Failure> {
        let surplus = uids.len().saturating_sub(MAX_ENTRIES);
        let uids = uids.get(surplus..).unwrap_or_default();
        let mut set: Vec<Uid> = uids.iter().filter_map(|uid| Uid::new(*uid)).collect();
        set.sort_unstable();
        let wanted = Wanted { head: true, preview: true, ..Wanted::default() };
        let mut read = HashMap::new();
        let mut contents = self.store.contents(own.view.mailbox(), set.into_iter().collect(), wanted);
        while let Some(chunk) = contents.next().await {
            for row in chunk? {
                read.insert(row.uid, (Header::read(&row.head).author().shown().to_owned(), row.preview));
            }
        }
        let seen = u64::from(SystemFlag::Seen.bit());
        let entry = |number: &u32| {
            let row = own.view.read(|rows| rows.get(Uid::new(*number)?))?;
            let (author, preview) = read.remove(number)?;
            Some(MessageEntry {
                uid: *number,
                author,
                preview,
                at: row.internal_date().into(),
                is_seen: row.flags & seen != 0,
            })
        };
        let mut entry = entry;
        Ok(uids.iter().filter_map(&mut entry).collect())
    }
}

pub(super) fn row_of(own: &Own, number: u32) -> Result<Row, Failure> {
    let uid = uid(number)?;
    own.view.read(|rows| rows.get(uid)).ok_or_else(no_message)
}

/// Runs `read` on a message: on a thread of its own where it is large.
async fn understood<T: Send + 'static>(
    raw: Vec<u8>,
    read: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, Failure> {
    if raw.len() <= SMALL_OCTETS {
        return Ok(read(&raw));
    }
    tokio::task::spawn_blocking(move || read(&raw)).await.map_err(|_panicked| Failure::Failed)
}

/// The HTML of all passages as one; plain ones stand between as they are.
fn clean(letter: &Letter, raw: &[u8], fetched: Option<Fetched>) -> Clean {
    let cleaner = Cleaner::new(Pictures { inline: inline_pictures(letter, raw), remote: fetched });
    let mut whole = Clean::default();
    for passage in &letter.passages {
        let html = match (&passage.html, &passage.plain) {
            (Some(html), _) => html.clone(),
            (None, Some(plain)) => format!("<pre>{}</pre>", relais_reading::escaped(plain)),
            (None, None) => continue,
        };
        let clean = cleaner.clean(&html);
        whole.html.push_str("<div>");
        whole.html.push_str(&clean.html);
        whole.html.push_str("</div>");
        whole.pictures_away += clean.pictures_away;
        whole.doubtful.extend(clean.doubtful);
    }
    whole
}

/// Pictures that the text shows in place, as `data:` addresses: a frame that is nobody's own has no cookie to ask for them with.
pub(super) fn inline_pictures(letter: &Letter, raw: &[u8]) -> HashMap<String, String> {
    let mut left = MAX_PICTURES_OCTETS;
    let mut pictures = HashMap::new();
    for file in &letter.files {
        let Some(id) = &file.content_id else { continue };
        let is_shown =
            ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"].contains(&file.kind.as_str());
        if !is_shown || file.octets > MAX_PICTURE_OCTETS || file.octets > left {
            continue;
        }
        left -= file.octets;
        if let Some(octets) = file_octets(raw, &file.path) {
            pictures.insert(id.clone(), format!("data:{};base64,{}", file.kind, BASE64.encode(&octets)));
        }
    }
    pictures
}

/// The id under which we took the message: it stands in the first Received field, which is ours where mail came in by our doors.
fn trace_of(raw: &[u8]) -> Option<TraceId> {
    let header = raw.get(..relais_message::header_octets(raw)).unwrap_or_default();
    let received = fields(header).find(|field| field.is("Received"))?;
    let value = String::from_utf8_lossy(&received.unfolded()).into_owned();
    let mut words = value.split([' ', '\t', ';']).filter(|word| !word.is_empty());
    words.find(|word| *word == "id")?;
    TraceId::parse(words.next()?)
}

impl Genuine {
    fn of(verdict: &MessageVerdict) -> Self {
        // What the author's policy made of it is of DMARC, too, and stands first where its fate hung on that.
        let said = |ids: [&str; 2]| {
            let of_dmarc = verdict.findings.iter().filter(|finding| finding.part == "dmarc");
            of_dmarc.map(|finding| &finding.says).find(|says| ids.contains(&&*says.id))
        };
        if let Some(proof) = said(["auth-dmarc-by-dkim", "auth-dmarc-by-spf"]) {
            let domain = proof.gaps.iter().find(|(name, _)| name == "domain").map(|(_, gap)| gap.to_string());
            return domain.map_or(Self::Unknown, Self::Proven);
        }
        // Whom the house trusts has changed it on its way.
        let is_vouched_for = said(["auth-dispose-list", "auth-dispose-sealer"]).is_some();
        let has_failed = said(["auth-dmarc-nothing-passed", "auth-dmarc-others-passed"]).is_some();
        if has_failed && !is_vouched_for { Self::Forged } else { Self::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stands_in_the_first_received_field() {
        let check = |raw: &str, expected: Option<&str>| {
            assert_eq!(trace_of(raw.as_bytes()).as_ref().map(TraceId::as_str), expected, "{raw}");
        };
        check(
            "Return-Path: <>\r\nReceived: from x ([192.0.2.1])\r\n\tby mx with ESMTP id 18f3a2b1;\r\n\tThu\r\n\r\n",
            Some("18f3a2b1"),
        );
        check("Received: from x by y; Thu\r\nReceived: from x id abc; Thu\r\n\r\n", None);
        check("Subject: id x\r\n\r\nReceived: id x", None);
    }
}
