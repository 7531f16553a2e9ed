//! Writing: drafts, and sending through the same desk that a mail program's submission passes.
//!
//! A draft is a message in Drafts, with its files and all; what it answers stands in a field of ours, which never goes out. Saving it again
//! takes the old one away in the same transaction.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use relais_message::{Attached, Named, Rich, Writing, compose, header_octets, new_message_id};
use relais_model::{
    Address, BodyType, Domain, Envelope, Flag, ForwardPath, Keyword, Random, Reply, ReversePath, Rights, SpecialUse,
    SystemFlag, Timestamp, Uid, UidSet,
};
use relais_reading::{Header, Letter, MAX_HTML_OCTETS, Party, file_octets};
use relais_reception::{Arrival, Door, Identity, Plan, Reception, Visit};
use relais_store::{AccountKey, Append, Appended, ChangeError, Content, FlagChange, FlagOp, MailboxKey, Reach};
use tokio::sync::{Mutex, Notify};

use super::acts::refused;
use super::answer::{Answering, Of};
use super::rich::Quote;
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
/// That a message was sent is known for so long at least: who sends a form twice sends one message.
const SENT_KNOWN_FOR: Duration = Duration::from_hours(24);
/// What a draft answers, while it is one: `MAILBOXID UID KIND`.
const OF_FIELD: &str = "X-Relais-Of";
/// Where a receipt is to go (RFC 8098 §2.1).
const RECEIPT_FIELD: &str = "Disposition-Notification-To";

/// Where messages go out.
#[derive(Clone)]
pub struct Out {
    reception: Arc<Reception>,
    pub(super) random: Arc<dyn Random>,
    pub(super) host: Domain,
    /// Whether the message of this Message-ID was sent; locked while it is being sent.
    sent: Cache<(AccountKey, String), Arc<Mutex<bool>>>,
    /// Rung when something is to go later.
    pub(super) due: Arc<Notify>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Out {
    /// Through this desk, as `host`.
    pub fn new(reception: Arc<Reception>, random: Arc<dyn Random>, host: Domain) -> Self {
        let sent = Cache::builder().max_capacity(50_000).time_to_idle(SENT_KNOWN_FOR).build();
        Self { reception, random, host, sent, due: Arc::default() }
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
    /// Plain text; where there is HTML, it is made of that.
    pub text: String,
    /// What one wrote oneself, with formatting; none: plain text.
    pub html: Option<String>,
    /// What goes below the HTML; in plain text it stands in the text.
    pub quote: Option<Quote>,
    /// Who reads it is asked to say so (RFC 8098).
    pub asks_receipt: bool,
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
        let (html, quote) = super::rich::opened(&letter, &raw).unzip();
        let quote = quote.flatten().map(|text| Quote { text, is_kept: true, ..Quote::default() });
        Ok(Draft {
            id: header.message_id.clone(),
            html,
            quote,
            from: written(&header.from),
            to: written(&header.to),
            cc: written(&header.cc),
            bcc: written(&header.bcc),
            subject: header.subject.clone(),
            text: letter.text(),
            asks_receipt: !header.receipt_to.is_empty(),
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
        if let Some(saved) = draft.saved.and_then(Uid::new) {
            // What is written on doesn't go by itself any more.
            self.unscheduled(account, saved).await?;
        }
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
        self.unscheduled(account, uid(number)?).await?;
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
        let sent = || Text::new("mail-sent");
        let once = if draft.id.is_empty() {
            Arc::default()
        } else {
            out.sent.get_with((account, draft.id.clone()), Arc::default)
        };
        // Who asks a second time meanwhile waits: it may still be refused.
        let mut is_sent = once.lock().await;
        if *is_sent {
            return Ok(sent());
        }
        let writing = self.writing(me, draft, new, true).await?;
        let everybody = everybody(&writing)?;
        let raw = compose(&writing, &*out.random);
        let visit = visit(me, Identity { account, address: address.clone(), at: since });
        let path = ReversePath::Address(writing.submitter().clone());
        out.submit(visit, path, &everybody, (&raw, self.store.now())).await?;
        *is_sent = true;
        // It is on its way: whatever fails from here on, it is sent.
        let kept = self.keep_sent(account, &writing.from.address, raw).await;
        self.tidy_up(me, account, draft).await;
        Ok(if kept.is_ok() { sent() } else { Text::new("mail-sent-not-kept") })
    }

    /// Sends what is written, at once and as it is, from `path`; where it `is_kept`, a copy goes into Sent.
    pub(super) async fn post_now(
        &self,
        me: &Actor,
        since: Timestamp,
        path: ReversePath,
        writing: &Writing,
        is_kept: bool,
    ) -> Result<(), Failure> {
        let ((account, address), out) = (me.own()?, self.out()?);
        let raw = compose(writing, &*out.random);
        let visit = visit(me, Identity { account, address: address.clone(), at: since });
        out.submit(visit, path, &everybody(writing)?, (&raw, self.store.now())).await?;
        if is_kept && let Err(failure) = self.keep_sent(account, &writing.from.address, raw).await {
            tracing::warn!(account.key = account.value(), %failure, "what was sent is not kept");
        }
        Ok(())
    }

    /// Whether a message would be taken, as far as that is known before: from whom it is, and to whom it goes.
    pub(super) async fn try_out(&self, me: &Actor, since: Timestamp, draft: &Draft) -> Result<(), Failure> {
        let (account, address) = me.own()?;
        let writing = self.writing(me, draft, Vec::new(), true).await?;
        let visit = visit(me, Identity { account, address: address.clone(), at: since });
        let path = ReversePath::Address(writing.submitter().clone());
        let mut envelope = envelope(path, &everybody(&writing)?, self.store.now());
        self.out()?.plans(&visit, &mut envelope, &everybody(&writing)?).await.map(|_plans| ())
    }

    /// A new Message-ID.
    pub(super) fn new_id(&self) -> Result<String, Failure> {
        let out = self.out()?;
        Ok(new_message_id(out.host.as_str(), &*out.random))
    }

    pub(super) fn out(&self) -> Result<&Out, Failure> {
        self.out.as_deref().ok_or_else(|| Failure::Absent(Text::new("mail-no-way-out")))
    }

    /// All of a draft as it is written. `goes_out`: without what only a draft says.
    async fn writing(&self, me: &Actor, draft: &Draft, new: Vec<NewFile>, goes_out: bool) -> Result<Writing, Failure> {
        // Before all that is a draft's own fault.
        self.out()?;
        let mut complaints = Vec::new();
        let Addressed { from, to, cc, bcc } = Addressed::read(draft, goes_out, &mut complaints);
        let (text, rich) = match &draft.html {
            Some(html) => self.body(me, draft, html).await.map(|body| (body.text, Some(body.rich)))?,
            None => (draft.text.clone(), None),
        };
        let files = self.files(me, draft, new).await?;
        complaints.extend(too_large(draft, rich.as_ref(), &files));
        if !complaints.is_empty() {
            return Err(Failure::Unfit(complaints));
        }
        let (account, address) = me.own()?;
        let from = from.unwrap_or_else(|| Named { name: String::new(), address: address.clone() });
        let (in_reply_to, references) = self.references(me, draft).await;
        let more = own_fields(draft, &from.address, goes_out);
        let reply_to = self.reply_to(account, &from.address).await?;
        Ok(Writing {
            reply_to: reply_to.map(|address| Named { name: String::new(), address }).into_iter().collect(),
            sender: self.sender(me, &from.address).await?,
            from,
            to,
            cc,
            bcc,
            subject: draft.subject.chars().take(1000).collect(),
            text,
            rich,
            extra: None,
            files,
            date: self.store.now(),
            message_id: if is_message_id(&draft.id) { draft.id.clone() } else { self.new_id()? },
            in_reply_to,
            references,
            more,
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

    /// In Sent of who writes; and of whose address it is from, where they may put something there.
    async fn keep_sent(&self, account: AccountKey, from: &Address, raw: Vec<u8>) -> Result<(), Failure> {
        let sent = self.with_use(account, SpecialUse::Sent).await?;
        let flags = vec![Flag::System(SystemFlag::Seen)];
        let append = Append { content: prepared(raw).await?, flags, internal_date: None };
        self.store.append(sent, vec![append.clone()]).await.map_err(refused)?;
        if let Some(theirs) = self.sent_of(account, from).await? {
            self.store.append(theirs, vec![append]).await.map_err(refused)?;
        }
        Ok(())
    }

    /// Sent of the other account whose address `from` is, as `account` may put something into it; else none.
    async fn sent_of(&self, account: AccountKey, from: &Address) -> Result<Option<Reach>, Failure> {
        let Some(owner) = self.store.account(from).await?.filter(|owner| owner.key != account) else { return Ok(None) };
        let all = self.store.mailboxes(owner.key).await?;
        let sent = all.iter().find(|status| status.mailbox.special_use == Some(SpecialUse::Sent));
        let Some(sent) = sent else { return Ok(None) };
        let reach = self.store.reach(account, sent.mailbox.key).await?;
        Ok(reach.filter(|reach| reach.rights.has(Rights::INSERT)))
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
        let Ok(Some(reach)) = self.store.reach(account, mailbox).await else { return };
        let Some(flag) = flag.filter(|_| reach.rights.has(Rights::WRITE)) else { return };
        let uids: UidSet = std::iter::once(uid).collect();
        let change = FlagChange { op: FlagOp::Add, flags: vec![flag] };
        if let Err(error) = self.store.store_flags(reach, uids, change, None).await {
            tracing::warn!(%error, "a message that was answered is not marked so");
        }
    }
}

impl Out {
    /// As a mail program submits.
    async fn submit(
        &self,
        visit: Visit,
        from: ReversePath,
        everybody: &[&Named],
        (raw, now): (&[u8], Timestamp),
    ) -> Result<(), Failure> {
        let mut envelope = envelope(from, everybody, now);
        envelope.body_type = if raw.is_ascii() { BodyType::SevenBit } else { BodyType::EightBitMime };
        envelope.declared_octets = Some(raw.len() as u64);
        let plans = self.plans(&visit, &mut envelope, everybody).await?;
        let is_utf8 = envelope.smtputf8;
        let protocol = if is_utf8 { "UTF8SMTPA" } else { "ESMTPA" };
        // Where the writer's browser is concerns nobody who reads the message.
        let arrival = Arrival { hides_peer: true, ..Arrival::new(visit, "webmail", protocol) };
        let mut incoming = self.reception.begin(arrival, envelope, plans).await.map_err(|reply| said("", &reply))?;
        incoming.write(raw).await.map_err(|_full| Failure::Failed)?;
        let replies = self.reception.finish(incoming).await;
        match replies.iter().find(|reply| !reply.is_positive()) {
            Some(reply) => Err(said("", reply)),
            None => Ok(()),
        }
    }

    /// What becomes of it for each of them; they stand in the envelope then.
    async fn plans(&self, visit: &Visit, envelope: &mut Envelope, everybody: &[&Named]) -> Result<Vec<Plan>, Failure> {
        self.reception.sender(visit, envelope).await.map_err(|reply| said("from", &reply))?;
        let (mut plans, mut complaints) = (Vec::new(), Vec::new());
        for named in everybody {
            if envelope.recipients.iter().any(|path| path.address == named.address) {
                continue;
            }
            let path = ForwardPath::new(named.address.clone());
            match self.reception.recipient(visit, envelope, &path).await {
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
        Ok(plans)
    }
}

/// All to whom it goes.
fn everybody(writing: &Writing) -> Result<Vec<&Named>, Failure> {
    let everybody: Vec<&Named> = writing.to.iter().chain(&writing.cc).chain(&writing.bcc).collect();
    if everybody.is_empty() { Err(Failure::unfit("to", Text::new("mail-no-recipient"))) } else { Ok(everybody) }
}

fn visit(me: &Actor, identity: Identity) -> Visit {
    let peer = me.peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    Visit { identity: Some(identity), ..Visit::new(Door::Submission, peer) }
}

/// Without recipients: those that the desk takes are added.
fn envelope(from: ReversePath, everybody: &[&Named], now: Timestamp) -> Envelope {
    let is_utf8 = !from.to_string().is_ascii() || everybody.iter().any(|named| !named.address.to_string().is_ascii());
    Envelope { smtputf8: is_utf8, ..Envelope::new(from, now) }
}

/// The desk refuses: with its own words.
fn said(field: &'static str, reply: &Reply) -> Failure {
    Failure::unfit(field, Text::new("mail-refused").with("reply", reply.text.replace('\n', " ")))
}

async fn prepared(raw: Vec<u8>) -> Result<Content, Failure> {
    tokio::task::spawn_blocking(move || Content::prepare(raw)).await.map_err(|_panicked| Failure::Failed)
}

impl DraftFile {
    pub(super) fn of(file: &relais_reading::File) -> Self {
        Self { part: file.path.clone(), name: file.name.clone(), octets: file.octets }
    }
}

/// Somebody as they are typed: a name with a comma stands in quotes.
pub(super) fn written(party: &Party) -> String {
    if party.name.contains([',', ';', '"', '<', '(', ':', '@']) {
        format!("\"{}\" <{}>", party.name.replace('\\', "\\\\").replace('"', "\\\""), party.address)
    } else {
        party.written()
    }
}

/// Whom a draft names.
struct Addressed {
    from: Option<Named>,
    to: Vec<Named>,
    cc: Vec<Named>,
    bcc: Vec<Named>,
}

impl Addressed {
    /// What can't be read is complained of where the draft `goes_out`, and so are too many recipients.
    fn read(draft: &Draft, goes_out: bool, complaints: &mut Vec<Complaint>) -> Self {
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
            let why = Text::new("mail-too-many-recipients").with("most", MAX_RECIPIENTS);
            complaints.push(Complaint { field: "to", why });
        }
        Self { from, to, cc, bcc }
    }
}

/// What no message takes: so much text, so many files, or pictures and files of so many octets together.
fn too_large(draft: &Draft, rich: Option<&Rich>, files: &[Attached]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let html_octets = rich.map_or(0, |rich| rich.html.len());
    if draft.text.len() > MAX_TEXT_OCTETS || html_octets > MAX_HTML_OCTETS {
        complaints.push(Complaint { field: "text", why: Text::new("mail-too-long") });
    }
    let pictures = rich.into_iter().flat_map(|rich| &rich.pictures).map(|(_, picture)| picture);
    let octets: usize = files.iter().chain(pictures).map(|file| file.octets.len()).sum();
    if files.len() > MAX_ATTACHED || octets > MAX_FILES_OCTETS {
        let why = Text::new("mail-files-too-large").with("megabytes", MAX_FILES_OCTETS / (1024 * 1024));
        complaints.push(Complaint { field: "files", why });
    }
    complaints
}

/// Fields that aren't everybody's: what a draft answers, while it is one, and where a receipt is to go.
fn own_fields(draft: &Draft, from: &Address, goes_out: bool) -> Vec<(&'static str, String)> {
    let of = draft.of.as_ref().filter(|_| !goes_out).map(|of| (OF_FIELD, of.written()));
    // An address that isn't ASCII doesn't fit this field of old.
    let asker = Some(from.to_string()).filter(|asker| draft.asks_receipt && asker.is_ascii());
    of.into_iter().chain(asker.map(|asker| (RECEIPT_FIELD, format!("<{asker}>")))).collect()
}

/// Whether a form's id can name a message; else it gets another.
fn is_message_id(id: &str) -> bool {
    id.starts_with('<') && id.ends_with('>') && id.is_ascii() && id.len() < 300
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

pub(super) fn recipients_that_are(text: &str) -> Vec<Named> {
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
}
