//! Writing: what an answer begins with, drafts, and sending through the same desk that a mail program's submission passes.
//!
//! A draft is a message in Drafts, with its files and all; what it answers stands in a field of ours, which never goes out. Saving it again
//! takes the old one away in the same transaction.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use relais_message::{Attached, Named, Writing, compose, header_octets, new_message_id};
use relais_model::{
    Address, BodyType, Domain, Envelope, Flag, ForwardPath, Keyword, Random, Reply, ReversePath, SpecialUse,
    SystemFlag, Timestamp, Uid, UidSet,
};
use relais_reading::{Header, Letter, Party, file_octets};
use relais_reception::{Arrival, Door, Identity, Reception, Visit};
use relais_store::{AccountKey, Append, Appended, ChangeError, Content, FlagChange, FlagOp, MailboxKey};

use super::acts::refused;
use super::{Mail, no_message, uid};
use crate::{Actor, Complaint, Failure, Text};

/// Recipients of one message.
pub const MAX_RECIPIENTS: usize = 500;
/// Octets of a text that is written.
const MAX_TEXT_OCTETS: usize = 1024 * 1024;
/// Octets of all files of a message.
pub const MAX_FILES_OCTETS: usize = 25 * 1024 * 1024;
/// Files of a message.
const MAX_ATTACHED: usize = 100;
/// Octets of a quoted text.
const MAX_QUOTED_OCTETS: usize = 200 * 1024;
/// That a message was sent is known for so long: who sends a form twice sends one message.
const SENT_KNOWN_FOR: Duration = Duration::from_hours(24);
/// What a draft answers, while it is one: `MAILBOXID UID KIND`.
const OF_FIELD: &str = "X-Relais-Of";

/// Where messages go out.
#[derive(Clone)]
pub struct Out {
    reception: Arc<Reception>,
    random: Arc<dyn Random>,
    host: Domain,
    sent: Cache<(AccountKey, String), ()>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Out {
    /// Through this desk, as `host`.
    pub fn new(reception: Arc<Reception>, random: Arc<dyn Random>, host: Domain) -> Self {
        let sent = Cache::builder().max_capacity(50_000).time_to_live(SENT_KNOWN_FOR).build();
        Self { reception, random, host, sent }
    }
}

/// What is written about another message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// To its author.
    Reply,
    /// To all whom it concerned.
    ReplyAll,
    /// To somebody else, its text below one's own.
    Forward,
    /// To somebody else, as a file.
    ForwardFile,
}

impl Answering {
    /// Its name in forms, and in a draft.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::ReplyAll => "reply-all",
            Self::Forward => "forward",
            Self::ForwardFile => "forward-file",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reply, Self::ReplyAll, Self::Forward, Self::ForwardFile].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Which message is answered, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of {
    /// MAILBOXID.
    pub mailbox: String,
    /// In it.
    pub uid: u32,
    /// How.
    pub how: Answering,
}

impl Of {
    /// As it stands in forms: `F1 7 reply`.
    pub fn written(&self) -> String {
        format!("{} {} {}", self.mailbox, self.uid, self.how.as_str())
    }

    /// Reads that.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (mailbox, uid, how) = (words.next()?, words.next()?.parse().ok()?, Answering::parse(words.next()?)?);
        MailboxKey::parse(mailbox)?;
        Some(Self { mailbox: mailbox.to_owned(), uid, how })
    }
}

/// What is being written, as a form has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// Its Message-ID from the first to the last: it names the message, however often it is saved or sent.
    pub id: String,
    /// One of one's own addresses.
    pub from: String,
    /// As it was typed: addresses with or without names, parted by commas.
    pub to: String,
    /// The same.
    pub cc: String,
    /// The same.
    pub bcc: String,
    /// May be empty.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// What it answers.
    pub of: Option<Of>,
    /// Where it is saved: its UID in Drafts.
    pub saved: Option<u32>,
    /// Files of the saved one: parts, names, octets.
    pub files: Vec<DraftFile>,
}

/// A file of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftFile {
    /// Its part in the saved draft, or in the message that is passed on.
    pub part: String,
    /// Its name.
    pub name: String,
    /// Its size.
    pub octets: u64,
}

/// A file that is added.
pub type NewFile = Attached;

impl Mail {
    /// The same, in a house that sends.
    #[must_use]
    pub fn with_out(self, out: Out) -> Self {
        Self { out: Some(Arc::new(out)), ..self }
    }

    /// What a new message, or an answer, begins with. `quoting` has the words around what is quoted.
    ///
    /// # Errors
    /// [`Failure::Absent`]: what is to be answered isn't there.
    pub async fn begin(&self, me: &Actor, of: Option<Of>, quoting: &Quoting) -> Result<Draft, Failure> {
        let (account, address) = me.own()?;
        let out = self.out()?;
        let empty = Draft {
            id: new_message_id(out.host.as_str(), &*out.random),
            from: self.named(account, address).await?,
            ..Draft::default()
        };
        let Some(of) = of else { return Ok(empty) };
        let own = self.own(me, &of.mailbox).await?;
        let row = super::open::row_of(&own, of.uid)?;
        let raw = self.octets(&row).await?;
        let mut letter = Letter::read(&raw);
        // RFC 5256 §2.2: where Date says nothing, its arrival stands for it.
        letter.header.date.get_or_insert(row.internal_date());
        let mine = self.own_among(account, address, &letter.header).await?;
        let header = &letter.header;
        let from = match mine.first() {
            Some(own) if own.address != address.to_string() => own.written(),
            _ => empty.from.clone(),
        };
        let is_forward = matches!(of.how, Answering::Forward | Answering::ForwardFile);
        let prefix = if is_forward { "Fwd: " } else { "Re: " };
        let (to, cc) = if is_forward { (Vec::new(), Vec::new()) } else { answered(header, &mine, address, of.how) };
        let written = |people: &[Party]| people.iter().map(written).collect::<Vec<_>>().join(", ");
        let text = match of.how {
            Answering::Reply | Answering::ReplyAll => quoting.answer(&letter),
            Answering::Forward => quoting.passed_on(&letter),
            Answering::ForwardFile => String::new(),
        };
        let files = match of.how {
            Answering::Forward => letter.attachments().map(DraftFile::of).collect(),
            Answering::ForwardFile => vec![DraftFile {
                part: String::new(),
                name: format!("{}.eml", if header.subject.is_empty() { "message" } else { &header.subject }),
                octets: raw.len() as u64,
            }],
            Answering::Reply | Answering::ReplyAll => Vec::new(),
        };
        Ok(Draft {
            from,
            to: written(&to),
            cc: written(&cc),
            subject: with_prefix(&header.subject, prefix),
            text,
            files,
            of: Some(of),
            ..empty
        })
    }

    /// Opens a draft again.
    ///
    /// # Errors
    /// [`Failure::Absent`]: it isn't there any more.
    pub async fn open_draft(&self, me: &Actor, number: u32) -> Result<Draft, Failure> {
        let (account, _) = me.own()?;
        let drafts = self.with_use(account, SpecialUse::Drafts).await?;
        let raw = self.raw(me, &drafts.mailbox_id(), number).await?.octets;
        let letter = Letter::read(&raw);
        let header = &letter.header;
        let written = |people: &[Party]| people.iter().map(written).collect::<Vec<_>>().join(", ");
        Ok(Draft {
            id: header.message_id.clone(),
            from: written(&header.from),
            to: written(&header.to),
            cc: written(&header.cc),
            bcc: written(&header.bcc),
            subject: header.subject.clone(),
            text: letter.text(),
            of: of_field(&raw),
            saved: Some(number),
            files: letter.attachments().map(DraftFile::of).collect(),
        })
    }

    /// Saves a draft with the files that it keeps and those that are new; the one that it was saved as before goes in the same act.
    ///
    /// # Errors
    /// [`Failure::Unfit`] about an address or too much; [`Failure::Clash`]: the account is full.
    pub async fn save_draft(&self, me: &Actor, draft: &Draft, new: Vec<NewFile>) -> Result<u32, Failure> {
        let (account, _) = me.own()?;
        let (writing, drafts) =
            (self.writing(me, draft, new, false).await?, self.with_use(account, SpecialUse::Drafts).await?);
        let raw = compose(&writing, &*self.out()?.random);
        let flags = vec![Flag::System(SystemFlag::Draft), Flag::System(SystemFlag::Seen)];
        let append = Append { content: prepared(raw).await?, flags, internal_date: None };
        let appended = self.file_draft(drafts, draft.saved.and_then(Uid::new), append).await.map_err(refused)?;
        appended.uids.last().map(Uid::value).ok_or(Failure::Failed)
    }

    /// In the place of `old`; where that is gone, because it was sent or saved elsewhere meanwhile, beside the others.
    async fn file_draft(&self, drafts: MailboxKey, old: Option<Uid>, draft: Append) -> Result<Appended, ChangeError> {
        if let Some(old) = old {
            match self.store.replace(drafts, old, drafts, draft.clone()).await {
                Ok(replaced) => return Ok(replaced.appended),
                Err(ChangeError::NoMessage) => {}
                Err(error) => return Err(error),
            }
        }
        self.store.append(drafts, vec![draft]).await
    }

    /// Throws a draft away, for good.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn discard_draft(&self, me: &Actor, number: u32) -> Result<(), Failure> {
        let (account, _) = me.own()?;
        let drafts = self.with_use(account, SpecialUse::Drafts).await?;
        self.remove(drafts, std::iter::once(uid(number)?).collect()).await
    }

    /// Sends a message, as a mail program would: signed, within what one may send. A copy goes into Sent, the draft goes, and what it answers is
    /// marked so. The same draft is sent once, however often it is asked for. `since`: when they signed in, for whoever was in when an account
    /// was closed sends no more.
    ///
    /// # Errors
    /// [`Failure::Unfit`]: about an address, with the desk's own words where it refuses one; nothing was sent.
    pub async fn send(&self, me: &Actor, since: Timestamp, draft: &Draft, new: Vec<NewFile>) -> Result<Text, Failure> {
        let (account, address) = me.own()?;
        let out = self.out()?;
        let once = (account, draft.id.clone());
        let sent = || Text::new("mail-sent");
        if !draft.id.is_empty() && out.sent.contains_key(&once) {
            return Ok(sent());
        }
        let writing = self.writing(me, draft, new, true).await?;
        let everybody: Vec<&Named> = writing.to.iter().chain(&writing.cc).chain(&writing.bcc).collect();
        if everybody.is_empty() {
            return Err(Failure::unfit("to", Text::new("mail-no-recipient")));
        }
        let raw = compose(&writing, &*out.random);
        let visit = Visit {
            identity: Some(Identity { account, address: address.clone(), at: since }),
            ..Visit::new(Door::Submission, me.peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)))
        };
        out.submit(visit, &writing.from.address, &everybody, (&raw, self.store.now())).await?;
        out.sent.insert(once, ());
        // It is on its way: whatever fails from here on, it is sent.
        let kept = self.keep_sent(account, raw).await;
        self.tidy_up(me, account, draft).await;
        Ok(if kept.is_ok() { sent() } else { Text::new("mail-sent-not-kept") })
    }

    /// Addresses that complete what is typed: those that one has written to.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn completions(&self, me: &Actor, text: &str) -> Result<Vec<String>, Failure> {
        let text: String = text.trim().chars().take(100).collect();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.store.acquaintances(me.own()?.0, &text, 10).await?;
        Ok(known.iter().map(ToString::to_string).collect())
    }

    fn out(&self) -> Result<&Out, Failure> {
        self.out.as_deref().ok_or_else(|| Failure::Absent(Text::new("mail-no-way-out")))
    }

    async fn named(&self, account: AccountKey, address: &Address) -> Result<String, Failure> {
        let name = self.store.account(address).await?.filter(|found| found.key == account).map(|found| found.name);
        Ok(written(&Party { name: name.unwrap_or_default(), address: address.to_string() }))
    }

    /// Those of a message's recipients that one may send as: an answer comes from where it was written to.
    async fn own_among(&self, account: AccountKey, own: &Address, header: &Header) -> Result<Vec<Party>, Failure> {
        let mut mine = Vec::new();
        for party in header.to.iter().chain(&header.cc).take(20) {
            let Some(address) = party.to_address() else { continue };
            if address == *own || self.store.may_send_as(account, &address).await? {
                mine.push(party.clone());
            }
        }
        Ok(mine)
    }

    /// All of a draft as it is written. `goes_out`: without what only a draft says.
    async fn writing(&self, me: &Actor, draft: &Draft, new: Vec<NewFile>, goes_out: bool) -> Result<Writing, Failure> {
        let out = self.out()?;
        let mut complaints = Vec::new();
        let mut people = |field: &'static str, text: &str| match recipients(text) {
            Ok(people) => people,
            Err(wrong) if goes_out => {
                complaints.push(Complaint { field, why: Text::new("mail-bad-address").with("text", wrong) });
                Vec::new()
            }
            // What is half typed is no reason to lose the rest; it is there again when it is whole.
            Err(_) => recipients_that_are(text),
        };
        let (to, cc, bcc) = (people("to", &draft.to), people("cc", &draft.cc), people("bcc", &draft.bcc));
        let from = people("from", &draft.from).into_iter().next();
        if to.len() + cc.len() + bcc.len() > MAX_RECIPIENTS {
            complaints.push(Complaint {
                field: "to",
                why: Text::new("mail-too-many-recipients").with("most", MAX_RECIPIENTS),
            });
        }
        if draft.text.len() > MAX_TEXT_OCTETS {
            complaints.push(Complaint { field: "text", why: Text::new("mail-too-long") });
        }
        let files = self.files(me, draft, new).await?;
        let octets: usize = files.iter().map(|file| file.octets.len()).sum();
        if files.len() > MAX_ATTACHED || octets > MAX_FILES_OCTETS {
            complaints.push(Complaint {
                field: "files",
                why: Text::new("mail-files-too-large").with("megabytes", MAX_FILES_OCTETS / (1024 * 1024)),
            });
        }
        if !complaints.is_empty() {
            return Err(Failure::Unfit(complaints));
        }
        let (_, address) = me.own()?;
        let from = from.unwrap_or_else(|| Named { name: String::new(), address: address.clone() });
        let (in_reply_to, references) = self.references(me, draft).await;
        let of = draft.of.as_ref().filter(|_| !goes_out).map(|of| (OF_FIELD, of.written()));
        let is_id = draft.id.starts_with('<') && draft.id.ends_with('>') && draft.id.is_ascii() && draft.id.len() < 300;
        Ok(Writing {
            from,
            to,
            cc,
            bcc,
            subject: draft.subject.chars().take(1000).collect(),
            text: draft.text.clone(),
            files,
            date: self.store.now(),
            message_id: if is_id { draft.id.clone() } else { new_message_id(out.host.as_str(), &*out.random) },
            in_reply_to,
            references,
            more: of.into_iter().collect(),
        })
    }

    /// What the message says it answers: nothing where that is gone, or is only passed on.
    async fn references(&self, me: &Actor, draft: &Draft) -> (String, String) {
        let of = draft.of.as_ref().filter(|of| matches!(of.how, Answering::Reply | Answering::ReplyAll));
        let Some(of) = of else { return (String::new(), String::new()) };
        let Ok(raw) = self.raw(me, &of.mailbox, of.uid).await else { return (String::new(), String::new()) };
        let header = Header::read(raw.octets.get(..header_octets(&raw.octets)).unwrap_or_default());
        let references = format!("{} {}", header.references, header.message_id);
        (header.message_id, references.trim().to_owned())
    }

    /// The files that a draft keeps, from where they are, and the new ones.
    async fn files(&self, me: &Actor, draft: &Draft, new: Vec<NewFile>) -> Result<Vec<NewFile>, Failure> {
        let mut files = Vec::new();
        if !draft.files.is_empty() {
            let (account, _) = me.own()?;
            let (mailbox, number) = match (draft.saved, &draft.of) {
                (Some(saved), _) => (self.with_use(account, SpecialUse::Drafts).await?.mailbox_id(), saved),
                (None, Some(of)) => (of.mailbox.clone(), of.uid),
                (None, None) => return Err(no_message()),
            };
            let raw = self.raw(me, &mailbox, number).await?;
            let letter = Letter::read(&raw.octets);
            let known: HashMap<&str, &relais_reading::File> =
                letter.files.iter().map(|file| (file.path.as_str(), file)).collect();
            for kept in &draft.files {
                if kept.part.is_empty() {
                    // The whole message, passed on as a file.
                    files.push(Attached {
                        name: kept.name.clone(),
                        kind: "message/rfc822".to_owned(),
                        octets: raw.octets.clone(),
                    });
                } else if let Some(file) = known.get(kept.part.as_str()) {
                    let octets = file_octets(&raw.octets, &file.path).unwrap_or_default().into_owned();
                    files.push(Attached { name: file.name.clone(), kind: file.kind.clone(), octets });
                }
            }
        }
        files.extend(new);
        Ok(files)
    }

    async fn keep_sent(&self, account: AccountKey, raw: Vec<u8>) -> Result<(), Failure> {
        let sent = self.with_use(account, SpecialUse::Sent).await?;
        let flags = vec![Flag::System(SystemFlag::Seen)];
        let append = Append { content: prepared(raw).await?, flags, internal_date: None };
        self.store.append(sent, vec![append]).await.map_err(refused)?;
        Ok(())
    }

    /// The draft goes, and what it answers is marked so. What fails is no reason to say that the message wasn't sent.
    async fn tidy_up(&self, me: &Actor, account: AccountKey, draft: &Draft) {
        if let Some(saved) = draft.saved
            && let Err(failure) = self.discard_draft(me, saved).await
        {
            tracing::warn!(%failure, "a draft that was sent stays");
        }
        let Some(of) = &draft.of else { return };
        let (Some(mailbox), Some(uid)) = (MailboxKey::parse(&of.mailbox), Uid::new(of.uid)) else { return };
        let flag = match of.how {
            Answering::Reply | Answering::ReplyAll => Some(Flag::System(SystemFlag::Answered)),
            Answering::Forward | Answering::ForwardFile => Keyword::parse("$Forwarded").ok().map(Flag::Keyword),
        };
        let is_own = matches!(self.store.view(mailbox).await, Ok(Some(view)) if view.account() == account);
        let Some(flag) = flag.filter(|_| is_own) else { return };
        let uids: UidSet = std::iter::once(uid).collect();
        let change = FlagChange { op: FlagOp::Add, flags: vec![flag] };
        if let Err(error) = self.store.store_flags(mailbox, uids, change, None).await {
            tracing::warn!(%error, "a message that was answered is not marked so");
        }
    }
}

impl Out {
    /// As a mail program submits.
    async fn submit(
        &self,
        visit: Visit,
        from: &Address,
        everybody: &[&Named],
        (raw, now): (&[u8], Timestamp),
    ) -> Result<(), Failure> {
        let is_utf8 =
            !from.to_string().is_ascii() || everybody.iter().any(|named| !named.address.to_string().is_ascii());
        let mut envelope = Envelope {
            reverse_path: ReversePath::Address(from.clone()),
            recipients: Vec::new(),
            body_type: if raw.is_ascii() { BodyType::SevenBit } else { BodyType::EightBitMime },
            smtputf8: is_utf8,
            require_tls: false,
            declared_octets: Some(raw.len() as u64),
            ret: None,
            envelope_id: None,
            began_at: now,
        };
        self.reception.sender(&visit, &envelope).await.map_err(|reply| said("from", &reply))?;
        let (mut plans, mut complaints) = (Vec::new(), Vec::new());
        for named in everybody {
            if envelope.recipients.iter().any(|path| path.address == named.address) {
                continue;
            }
            let path = ForwardPath { address: named.address.clone(), notify: None, original: None };
            match self.reception.recipient(&visit, &envelope, &path).await {
                Ok(plan) => {
                    plans.push(plan);
                    envelope.recipients.push(path);
                }
                Err(reply) => complaints.push((named.address.to_string(), reply)),
            }
        }
        if !complaints.is_empty() {
            let complaint = |(address, reply): (String, Reply)| {
                let why = Text::new("mail-recipient-refused")
                    .with("address", address)
                    .with("reply", reply.text.replace('\n', " "));
                Complaint { field: "to", why }
            };
            return Err(Failure::Unfit(complaints.into_iter().map(complaint).collect()));
        }
        let protocol = if is_utf8 { "UTF8SMTPA" } else { "ESMTPA" };
        // Where the writer's browser is concerns nobody who reads the message.
        let (hello, protocol) = ("webmail".to_owned(), protocol.to_owned());
        let arrival = Arrival { visit, hello, protocol, tls: None, hides_peer: true };
        let mut incoming = self.reception.begin(arrival, envelope, plans).await.map_err(|reply| said("", &reply))?;
        incoming.write(raw).await.map_err(|_full| Failure::Failed)?;
        let replies = self.reception.finish(incoming).await;
        match replies.iter().find(|reply| !reply.is_positive()) {
            Some(reply) => Err(said("", reply)),
            None => Ok(()),
        }
    }
}

/// The desk refuses: with its own words.
fn said(field: &'static str, reply: &Reply) -> Failure {
    Failure::unfit(field, Text::new("mail-refused").with("reply", reply.text.replace('\n', " ")))
}

async fn prepared(raw: Vec<u8>) -> Result<Content, Failure> {
    tokio::task::spawn_blocking(move || Content::prepare(raw)).await.map_err(|_panicked| Failure::Failed)
}

impl DraftFile {
    fn of(file: &relais_reading::File) -> Self {
        Self { part: file.path.clone(), name: file.name.clone(), octets: file.octets }
    }
}

/// The words around what is quoted, in the reader's language, with `{who}` and `{date}` in them.
#[derive(Debug, Clone)]
pub struct Quoting {
    /// Above an answer's quote: `On {date}, {who} wrote:`.
    pub wrote: String,
    /// Above a message that is passed on.
    pub passed_on: String,
    /// From, Date, Subject, To: as a message that is passed on names them.
    pub fields: [String; 4],
    /// Date and time of a moment, as text.
    pub date: fn(relais_model::Timestamp) -> String,
}

impl Quoting {
    fn answer(&self, letter: &Letter) -> String {
        let date = letter.header.date.map(self.date).unwrap_or_default();
        let line = self.wrote.replace("{who}", letter.header.author().shown()).replace("{date}", &date);
        let text = quotable(letter);
        let mut quoted = format!("\n\n{line}\n");
        for line in text.trim_end().lines() {
            quoted.push_str(if line.starts_with('>') { ">" } else { "> " });
            quoted.push_str(line);
            quoted.push('\n');
        }
        quoted
    }

    fn passed_on(&self, letter: &Letter) -> String {
        let header = &letter.header;
        let people = |people: &[Party]| people.iter().map(Party::written).collect::<Vec<_>>().join(", ");
        let values = [
            people(&header.from),
            header.date.map(self.date).unwrap_or_default(),
            header.subject.clone(),
            people(&header.to),
        ];
        let fields: Vec<String> =
            self.fields.iter().zip(values).map(|(name, value)| format!("{name}: {value}")).collect();
        format!("\n\n{}\n{}\n\n{}", self.passed_on, fields.join("\n"), quotable(letter))
    }
}

fn quotable(letter: &Letter) -> String {
    let text = letter.text();
    let end = text.floor_char_boundary(MAX_QUOTED_OCTETS.min(text.len()));
    let text = text.get(..end).unwrap_or_default();
    // RFC 3676 §4.3: what is behind the line of a signature isn't quoted.
    text.split("\n-- \n").next().unwrap_or_default().to_owned()
}

/// To whom an answer goes (RFC 5322 §3.6.3).
fn answered(header: &Header, mine: &[Party], own: &Address, how: Answering) -> (Vec<Party>, Vec<Party>) {
    let is_mine = |party: &Party| {
        party.address.eq_ignore_ascii_case(&own.to_string()) || mine.iter().any(|own| own.address == party.address)
    };
    let authors = if header.reply_to.is_empty() { &header.from } else { &header.reply_to };
    // Who answers what they have written themselves writes on to whom they wrote.
    let to: Vec<Party> =
        if authors.iter().all(is_mine) && !header.to.is_empty() { header.to.clone() } else { authors.clone() };
    if how == Answering::Reply {
        return (to, Vec::new());
    }
    let mut cc: Vec<Party> = Vec::new();
    for party in header.to.iter().chain(&header.cc) {
        let is_known = to.iter().chain(&cc).any(|known| known.address.eq_ignore_ascii_case(&party.address));
        if !is_known && !is_mine(party) {
            cc.push(party.clone());
        }
    }
    (to, cc)
}

/// `Re: ` once, whatever language it was said in before.
fn with_prefix(subject: &str, prefix: &str) -> String {
    let base = relais_message::base_subject(subject);
    let has_it = subject.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if has_it || (base.is_reply && prefix == "Re: " && subject.to_ascii_lowercase().starts_with("re:")) {
        subject.to_owned()
    } else {
        format!("{prefix}{subject}")
    }
}

/// Somebody as they are typed: a name with a comma stands in quotes.
fn written(party: &Party) -> String {
    if party.name.contains([',', ';', '"', '<', '(', ':', '@']) {
        format!("\"{}\" <{}>", party.name.replace('\\', "\\\\").replace('"', "\\\""), party.address)
    } else {
        party.written()
    }
}

/// Addresses as people type them.
///
/// # Errors
/// The first piece that is none.
fn recipients(text: &str) -> Result<Vec<Named>, String> {
    let text = text.replace(';', ",");
    let read = Header::read(format!("To: {}\r\n\r\n", text.replace(['\r', '\n'], " ")).as_bytes()).to;
    let named = |party: Party| match party.to_address() {
        Some(address) => Ok(Named { name: party.name, address }),
        None => Err(party.written()),
    };
    read.into_iter().filter(|party| !(party.name.is_empty() && party.address.is_empty())).map(named).collect()
}

fn recipients_that_are(text: &str) -> Vec<Named> {
    text.split([',', ';']).filter_map(|piece| recipients(piece).ok()).flatten().collect()
}

fn of_field(raw: &[u8]) -> Option<Of> {
    let header = raw.get(..header_octets(raw)).unwrap_or_default();
    let field = relais_message::fields(header).find(|field| field.is(OF_FIELD))?;
    Of::parse(&relais_message::decode_header_value(&field.unfolded()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_typed() {
        let check = |text: &str, expected: Result<&[&str], &str>| {
            let read =
                recipients(text).map(|people| people.iter().map(|named| named.address.to_string()).collect::<Vec<_>>());
            let expected = expected.map(|list| list.iter().map(ToString::to_string).collect()).map_err(str::to_owned);
            assert_eq!(read, expected, "{text}");
        };
        check("", Ok(&[]));
        check(
            "ann@x.example; Bob <bob@y.example>, \"C, D\" <c@z.example>",
            Ok(&["ann@x.example", "bob@y.example", "c@z.example"]),
        );
        assert!(recipients("ann").is_err());
        assert_eq!(recipients_that_are("ann@x.example, bo").len(), 1);
    }

    #[test]
    fn subjects_are_answered_once() {
        for (subject, prefix, expected) in [
            ("Lunch", "Re: ", "Re: Lunch"),
            ("Re: Lunch", "Re: ", "Re: Lunch"),
            ("RE: Lunch", "Re: ", "RE: Lunch"),
            ("Fwd: Lunch", "Re: ", "Re: Fwd: Lunch"),
            ("", "Re: ", "Re: "),
            ("Re: Lunch", "Fwd: ", "Fwd: Re: Lunch"),
        ] {
            assert_eq!(with_prefix(subject, prefix), expected, "{subject}");
        }
    }

    #[test]
    fn answers_go_to_whom_they_concern() {
        let party = |address: &str| Party { name: String::new(), address: address.to_owned() };
        let header = Header {
            from: vec![party("ann@x.example")],
            to: vec![party("me@h.example"), party("bob@y.example")],
            cc: vec![party("ann@x.example"), party("carl@z.example")],
            ..Header::default()
        };
        let own = Address::parse("me@h.example").unwrap();
        let addresses =
            |people: &[Party]| people.iter().map(|party| party.address.clone()).collect::<Vec<_>>().join(" ");
        let (to, cc) = answered(&header, &[party("me@h.example")], &own, Answering::ReplyAll);
        assert_eq!((addresses(&to), addresses(&cc)), ("ann@x.example".into(), "bob@y.example carl@z.example".into()));
        let (to, cc) = answered(&header, &[], &own, Answering::Reply);
        assert_eq!((addresses(&to), addresses(&cc)), ("ann@x.example".into(), String::new()));
        let mine = Header { from: vec![party("me@h.example")], ..header };
        let (to, _) = answered(&mine, &[party("me@h.example")], &own, Answering::Reply);
        assert_eq!(addresses(&to), "me@h.example bob@y.example", "who writes on writes to the same");
    }
}
