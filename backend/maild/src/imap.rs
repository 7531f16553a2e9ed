//! Drives IMAP: octets to [`Session`] and back, its commands to the store. Each group of commands has its file here.
//!
//! Invariants: a session tells its client of changes only between commands, in one place ([`Client::conclude`]) and while it
//! idles; sequence numbers live in [`selected`]. An idle connection keeps no buffer.

mod append;
mod change;
mod context;
mod events;
mod fetch;
mod flags;
mod fuzzy;
mod language;
mod listening;
mod mailboxes;
mod metadata;
mod order;
mod progress;
mod rights;
mod search;
mod searcher;
mod select;
mod selected;

use std::io;
use std::sync::Arc;

use relais_imap::capability::Hidden;
use relais_imap::command::{Command, Extension, Tag};
use relais_imap::limits::Limits;
use relais_imap::response::{self, Condition, ResponseCode, Status};
use relais_imap::session::{Config, LogIn, Session, Step};
use relais_model::ModSeq;
use relais_reception::{Identity, Protocol as LoginProtocol};
use relais_sasl::Shown;
use relais_sasl::scram::Wanted;
use relais_store::{AccountKey, ChangeError, MailboxError, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::House;
use crate::listener::{TlsMode, Visitor};
use crate::login::{Guest, Refusal};
use crate::wire::Wire;
use append::Appending;
use listening::Listening;
use selected::{Expunges, Selected, Sync, Synced, Told};

/// What is written is sent away when it has grown to this.
const FLUSH_OCTETS: usize = 64 * 1024;

/// Carries one connection from its greeting to its end.
pub(crate) async fn drive(visitor: Visitor, early: Vec<u8>, house: Arc<House>) -> io::Result<()> {
    let config = config(&visitor, &house);
    let is_tls = visitor.wire.is_tls();
    let mut session = Session::new(Arc::new(config), is_tls);
    if !early.is_empty() {
        session.feed(&early);
    }
    let Visitor { wire, peer, stop, .. } = visitor;
    let mut client = Box::new(Client {
        session,
        house,
        guest: Guest::new(peer, LoginProtocol::Imap),
        wire: Some(wire),
        out: Vec::new(),
        identity: None,
        selected: None,
        changes: None,
        listening: None,
        appending: None,
        told: Told::default(),
    });
    client.session.greet(&mut client.out);
    client.talk(&stop).await
}

/// What its session is told when it begins.
fn config(visitor: &Visitor, house: &House) -> Config {
    let settings = house.store.settings();
    Config {
        starttls: visitor.listener.tls == TlsMode::StartTls,
        plain_log_in: visitor.listener.plain_login,
        scram: house.scram,
        compress: true,
        unauthenticate: house.limits.imap_unauthenticate,
        append_limit: house.limits.message_octets,
        message_limit: house.limits.imap_messages,
        sieve: house.sieve.clone(),
        jmap: Some(settings.imap_jmap.as_str()).filter(|url| !url.is_empty()).map(Arc::from),
        hidden: Hidden::these(&settings.imap_hidden),
        limits: Limits { append_messages: house.limits.imap_messages, ..Limits::default() },
    }
}

/// One connection's state.
struct Client {
    session: Session,
    house: Arc<House>,
    guest: Guest,
    /// Away only during a handshake.
    wire: Option<Wire>,
    out: Vec<u8>,
    identity: Option<Identity>,
    selected: Option<Box<Selected>>,
    /// While idling: tells that the mailbox changed.
    changes: Option<watch::Receiver<ModSeq>>,
    /// What the client wants to be told unasked.
    listening: Option<Box<Listening>>,
    appending: Option<Box<Appending>>,
    /// What the command under way has told of.
    told: Told,
}

/// A command that was carried out: what its tagged OK says.
#[derive(Debug)]
struct Done {
    code: Option<ResponseCode<'static>>,
    text: &'static str,
}

impl Done {
    const fn plain(text: &'static str) -> Self {
        Self { code: None, text }
    }
}

/// A command that wasn't carried out.
#[derive(Debug)]
enum Halt {
    /// What its tagged NO or BAD says.
    Refuse(Status, Option<ResponseCode<'static>>, String),
    /// The connection broke.
    Wire(io::Error),
}

impl Halt {
    fn no(code: ResponseCode<'static>, text: impl Into<String>) -> Self {
        Self::Refuse(Status::No, Some(code), text.into())
    }

    fn bad(text: &str) -> Self {
        Self::Refuse(Status::Bad, None, text.to_owned())
    }

    fn not_selected() -> Self {
        Self::bad("Please select a mailbox first")
    }

    fn no_mailbox() -> Self {
        Self::no(ResponseCode::NonExistent, "There is no such mailbox")
    }

    /// RFC 2180 §4: another session expunged some of the messages, and the client hasn't been told.
    fn expunged() -> Self {
        Self::no(ResponseCode::ExpungeIssued, "Some of these messages are gone")
    }

    fn account_gone() -> Self {
        Self::no(ResponseCode::NonExistent, "The account is gone")
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Wire(error)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        error!(%error, "an IMAP command failed at the store");
        Self::no(ResponseCode::Unavailable, "The server has a problem; try again later")
    }
}

impl From<ChangeError> for Halt {
    fn from(error: ChangeError) -> Self {
        let code = match error {
            ChangeError::Failed(error) => return error.into(),
            ChangeError::OverQuota => ResponseCode::OverQuota,
            ChangeError::NoRight => ResponseCode::NoPerm,
            ChangeError::NoMailbox | ChangeError::NoMessage => ResponseCode::NonExistent,
            ChangeError::TooManyKeywords | ChangeError::NoMoreUids => ResponseCode::Limit,
        };
        Self::no(code, sentence(&error.to_string()))
    }
}

impl From<MailboxError> for Halt {
    fn from(error: MailboxError) -> Self {
        let code = match error {
            MailboxError::Failed(error) => return error.into(),
            MailboxError::Exists => ResponseCode::AlreadyExists,
            MailboxError::NotFound => ResponseCode::NonExistent,
            MailboxError::UseTaken => ResponseCode::UseAttr,
            MailboxError::Limit => ResponseCode::Limit,
            MailboxError::Inbox | MailboxError::BelowItself | MailboxError::TooLong => ResponseCode::Cannot,
        };
        Self::no(code, sentence(&error.to_string()))
    }
}

/// Errors begin small; what people read doesn't.
fn sentence(error: &str) -> String {
    let mut letters = error.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl Client {
    async fn talk(&mut self, stop: &CancellationToken) -> io::Result<()> {
        loop {
            match self.session.step(&mut self.out) {
                Step::Read => {
                    self.flush().await?;
                    self.wait(stop).await?;
                }
                Step::Command(tag, command) => Box::pin(self.command(tag, command)).await?,
                Step::SaveRefused => self.forget_saved(),
                Step::Keys(tag, wanted) => Box::pin(self.keys(&tag, wanted)).await?,
                Step::LogIn(log_in) => Box::pin(self.log_in(log_in)).await?,
                Step::Append(message) => Box::pin(self.begin_message(message)).await,
                Step::AppendData(octets) => self.keep_octets(&octets).await,
                Step::AppendEnd(tag) => {
                    let outcome = Box::pin(self.append()).await;
                    self.conclude(&tag, outcome, After { is_own: true, ..After::ANY }).await?;
                }
                Step::AppendUrl(url) => Box::pin(self.append_url(&url)).await,
                Step::AppendBroken => self.appending = None,
                Step::Idle(_) => Box::pin(self.begin_idle()).await?,
                Step::IdleDone(tag) => {
                    self.listen_to_selected();
                    self.conclude(&tag, Ok(Done::plain("Idled")), After::ANY).await?;
                }
                Step::IdleBroken => self.listen_to_selected(),
                Step::Unauthenticate(tag) => self.unauthenticate(&tag)?,
                Step::StartTls => self.start_tls().await?,
                Step::StartCompression => {
                    self.flush().await?;
                    if let Some(wire) = &mut self.wire {
                        wire.compress();
                    }
                }
                Step::Close => {
                    self.flush().await?;
                    if let Some(wire) = self.wire.take() {
                        wire.close().await;
                    }
                    return Ok(());
                }
            }
        }
    }

    fn wire(&mut self) -> io::Result<&mut Wire> {
        self.wire.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let out = std::mem::take(&mut self.out);
        let stall = self.house.limits.write_stall;
        self.wire()?.write(&out, stall).await
    }

    async fn flush_if_full(&mut self) -> io::Result<()> {
        if self.out.len() < FLUSH_OCTETS {
            return Ok(());
        }
        let stall = self.house.limits.write_stall;
        let wire = self.wire.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        wire.write(&self.out, stall).await?;
        self.out.clear();
        Ok(())
    }

    /// Waits for octets, for news while idling or listening, for the time to be over, or for the end of the house.
    async fn wait(&mut self, stop: &CancellationToken) -> io::Result<()> {
        let limits = &self.house.limits;
        let limit = if self.identity.is_some() { limits.imap_idle } else { limits.login_idle };
        let closing = self.guest.closing();
        let Some(wire) = &mut self.wire else { return Err(io::ErrorKind::NotConnected.into()) };
        let session = &mut self.session;
        let changes = &mut self.changes;
        let news = async {
            match changes {
                Some(changes) => changes.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        let elsewhere = async {
            match &mut self.listening {
                Some(listening) => listening.hear().await,
                None => std::future::pending().await,
            }
        };
        let woken = tokio::select! {
            () = stop.cancelled() => Woken::Stopped,
            // Cancel-safe: what is closed stays closed.
            () = closing => Woken::Closed,
            // Cancel-safe: a change that was seen is marked as seen in the same poll.
            is_alive = news => Woken::Changed(is_alive),
            // Cancel-safe: what was heard stands in the listener before it waits again.
            () = elsewhere => Woken::Heard,
            read = timeout(limit, wire.read(|octets| session.feed(octets))) => match read {
                Ok(read) => { read?; return Ok(()) }
                Err(_elapsed) => Woken::Silent,
            },
        };
        match woken {
            Woken::Stopped => {
                self.session.bye(&mut self.out, Some(&ResponseCode::Unavailable), "The server closes for now");
            }
            Woken::Closed => self.session.bye(&mut self.out, None, "This account was closed to all who were in"),
            Woken::Changed(is_alive) => Box::pin(self.tell_news(is_alive)).await?,
            Woken::Heard => Box::pin(self.tell_heard()).await?,
            Woken::Silent => self.session.bye(&mut self.out, None, "You were silent for too long"),
        }
        Ok(())
    }

    /// Something changed in the open mailbox while the client idles or listens.
    async fn tell_news(&mut self, is_alive: bool) -> io::Result<()> {
        if self.selected.is_none() {
            return Ok(());
        }
        if !is_alive || !self.may_go_on().await? {
            self.say_lost();
            return Ok(());
        }
        self.told = Told::default();
        let delays = self.listening.as_deref().is_some_and(Listening::delays_expunges) && !self.session.is_idling();
        let expunges = if delays { Expunges::Keep } else { Expunges::Tell };
        // Nobody asked: so each FETCH names its UID (RFC 9051 §7.5.2).
        self.tell_changes(After { expunges, with_uid: true, is_own: false }).await
    }

    /// Whether the open mailbox is there, and may be read.
    async fn may_go_on(&mut self) -> io::Result<bool> {
        match self.look_again().await {
            Ok(may) => Ok(may),
            Err(Halt::Wire(error)) => Err(error),
            // The store failed, and that is in the log: what may not be asked isn't allowed.
            Err(Halt::Refuse(..)) => Ok(false),
        }
    }

    /// Looks again where a command has met what another node did, so that this is told before what was done after it.
    async fn catch_up(&mut self) -> io::Result<()> {
        if self.selected.as_deref().is_some_and(|selected| selected.view.is_overtaken()) {
            let _may_be_read = self.may_go_on().await?;
        }
        Ok(())
    }

    fn say_lost(&mut self) {
        let is_gone = self.selected.as_deref().is_none_or(|selected| selected.view.is_gone());
        let text =
            if is_gone { "The mailbox was deleted by another session" } else { "You may read this mailbox no longer" };
        self.session.bye(&mut self.out, Some(&ResponseCode::NonExistent), text);
    }

    /// Tells what has changed in the open mailbox, and what that means for the searches that are kept.
    async fn tell_changes(&mut self, after: After) -> io::Result<()> {
        let Some(selected) = self.selected.as_deref_mut() else { return Ok(()) };
        let wanted = self.listening.as_deref().and_then(Listening::of_selected);
        // RFC 5465 §3.1: who doesn't want to hear of it hears what came of the own commands alone.
        if wanted.as_ref().is_some_and(|wanted| !wanted.messages) && !after.is_own {
            return Ok(());
        }
        let tells_flags = after.is_own || wanted.as_ref().is_none_or(|wanted| wanted.flags);
        let After { expunges, with_uid, is_own } = after;
        // RFC 5465 §5.1: who said NOTIFY is told UIDs.
        let with_uid = with_uid || (wanted.is_some() && !is_own);
        let (enabled, language) = (self.session.enabled(), self.session.language());
        let how = Sync { expunges, enabled, language, with_uid, tells_flags, told: &self.told };
        let synced = selected.sync(&self.house.store, &mut self.out, how);
        let told = self.tell_synced(&synced, is_own).await;
        match told {
            Err(Halt::Wire(error)) => Err(error),
            Ok(()) | Err(Halt::Refuse(..)) => Ok(()),
        }
    }

    async fn tell_synced(&mut self, synced: &Synced, is_own: bool) -> Result<(), Halt> {
        let items = self.listening.as_deref().and_then(Listening::of_selected).map(|wanted| wanted.items.to_vec());
        if let Some(items) = items.filter(|items| !items.is_empty() && !is_own && !synced.arrived.is_empty()) {
            self.tell_new(&items, &synced.arrived).await?;
        }
        self.update_contexts(&synced.arrived, &synced.flagged).await
    }

    /// RFC 9051 §6.3.13: what has changed already is told at once.
    async fn begin_idle(&mut self) -> io::Result<()> {
        let Some(selected) = self.selected.as_deref() else { return Ok(()) };
        self.changes = Some(selected.view.subscribe());
        self.tell_news(true).await
    }

    /// Between commands the open mailbox is heard only by who said NOTIFY.
    fn listen_to_selected(&mut self) {
        let wants = self.listening.as_deref().and_then(Listening::of_selected).is_some_and(|wanted| wanted.messages);
        self.changes = self.selected.as_deref().filter(|_| wants).map(|selected| selected.view.subscribe());
    }

    /// UNAUTHENTICATE (RFC 8437 §3): nothing of who it was is left, and no EXPUNGE is told.
    fn unauthenticate(&mut self, tag: &Tag) -> io::Result<()> {
        self.identity = None;
        self.guest.forget();
        (self.selected, self.changes, self.listening, self.appending) = (None, None, None, None);
        self.told = Told::default();
        let end = Instant::now() + self.house.limits.login_idle;
        self.wire()?.end_at(Some(end));
        response::tagged(&mut self.out, tag, Status::Ok, None, self.session.say("Nobody is logged in"));
        Ok(())
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        self.flush().await?;
        let wire = self.wire.take().ok_or(io::ErrorKind::NotConnected)?;
        let limit = self.house.limits.handshake;
        self.wire = Some(wire.start_tls(self.house.tls.shown(), &[], limit).await?);
        self.session.tls_started();
        Ok(())
    }

    async fn log_in(&mut self, log_in: LogIn) -> io::Result<()> {
        let LogIn { tag, shown } = log_in;
        let bearer = if let Shown::Token(bearer) = &shown { Some(bearer.clone()) } else { None };
        match (self.guest.show(&self.house, shown).await, bearer) {
            (Ok(identity), _) => self.let_in(&tag, identity).await,
            (Err(Refusal::Wrong), Some(bearer)) => {
                self.session.refuse_token(&mut self.out, tag, &bearer);
                Ok(())
            }
            (Err(refusal), _) => self.turn_away(&tag, refusal).await,
        }
    }

    /// SCRAM: what is known of the name, or why that isn't told.
    async fn keys(&mut self, tag: &Tag, wanted: Wanted) -> io::Result<()> {
        let Some(wire) = &self.wire else { return Err(io::ErrorKind::NotConnected.into()) };
        match self.guest.keys(&self.house, wanted, wire).await {
            Ok(known) => {
                self.session.keys(&mut self.out, Some(known));
                Ok(())
            }
            Err(refusal) => {
                self.session.keys(&mut self.out, None);
                self.turn_away(tag, refusal).await
            }
        }
    }

    /// What isn't announced to this account's programs, beside what isn't to all.
    async fn hide_for(&mut self, account: AccountKey) {
        match self.house.store.imap_hidden(account).await {
            Ok(names) if !names.is_empty() => {
                self.session.hide(Hidden::these(&names.split(' ').collect::<Vec<_>>()));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "what an account's programs aren't told cannot be read"),
        }
    }

    async fn let_in(&mut self, tag: &Tag, identity: Identity) -> io::Result<()> {
        info!(account = %identity.address, "logged in");
        self.wire()?.end_at(None);
        self.hide_for(identity.account).await;
        self.identity = Some(identity);
        self.session.logged_in();
        let done = Done { code: Some(ResponseCode::Capability(self.session.capabilities())), text: "Logged in" };
        self.conclude(tag, Ok(done), After { expunges: Expunges::Keep, ..After::ANY }).await
    }

    async fn turn_away(&mut self, tag: &Tag, refusal: Refusal) -> io::Result<()> {
        let (code, text) = match refusal {
            Refusal::Wrong => (ResponseCode::AuthenticationFailed, "Name or password is wrong"),
            Refusal::TooMany => (ResponseCode::Unavailable, "Too many failed log-ins; wait and try again"),
            Refusal::NoSeat => (ResponseCode::Limit, "This account has too many connections now; close one"),
            Refusal::Unavailable => (ResponseCode::Unavailable, "Log-in is not possible now; try again later"),
        };
        self.conclude(tag, Err(Halt::no(code, text)), After { expunges: Expunges::Keep, ..After::ANY }).await
    }

    async fn command(&mut self, tag: Tag, command: Command) -> io::Result<()> {
        let after = after(&command);
        self.told = Told::default();
        let outcome = if self.may_go_on().await? { self.perform(&tag, command).await } else { Err(Halt::no_right()) };
        self.conclude(&tag, outcome, after).await
    }

    /// Tells what has changed, then how the command went.
    async fn conclude(&mut self, tag: &Tag, outcome: Result<Done, Halt>, after: After) -> io::Result<()> {
        Box::pin(self.catch_up()).await?;
        Box::pin(self.tell_changes(after)).await?;
        if self.listening.is_some() {
            Box::pin(self.tell_heard()).await?;
        }
        match outcome {
            Ok(Done { code, text }) => {
                response::tagged(&mut self.out, tag, Status::Ok, code.as_ref(), self.session.say(text));
            }
            Err(Halt::Refuse(status, code, text)) => {
                response::tagged(&mut self.out, tag, status, code.as_ref(), self.session.say(&text));
            }
            Err(Halt::Wire(error)) => return Err(error),
        }
        if self.selected.as_deref().is_some_and(Selected::is_lost) {
            self.say_lost();
        }
        Ok(())
    }

    async fn perform(&mut self, tag: &Tag, command: Command) -> Result<Done, Halt> {
        let is_long =
            matches!(command, Command::Search(_) | Command::MultiSearch(_) | Command::Sort(_) | Command::Thread(_));
        if is_long {
            // Whoever has the turn must not wait for a peer; a line of progress every few seconds is all that is sent meanwhile.
            self.flush().await?;
        }
        let _turn = match self.guest.seat() {
            Some(seat) if is_long => seat.turn().await,
            _ => None,
        };
        match command {
            Command::Noop => Ok(Done::plain("Nothing done")),
            Command::Check => Ok(Done::plain("Checked")),
            Command::Id(_) => {
                response::id(&mut self.out, &[("name", "Relais"), ("version", env!("CARGO_PKG_VERSION"))]);
                Ok(Done::plain("Pleased to meet you"))
            }
            Command::Enable(extensions) => self.enable(&extensions).await,
            Command::Namespace => self.namespace().await,
            Command::Select(select) => self.select(select).await,
            Command::Create(create) => self.create(create).await,
            Command::Delete { mailbox, old_name } => self.delete(&mailbox, old_name.as_deref()).await,
            Command::Rename { from, to, old_name } => self.rename(&from, &to, old_name.as_deref()).await,
            Command::Subscribe(name) => self.subscribe(&name).await,
            Command::Unsubscribe(name) => self.unsubscribe(&name).await,
            Command::List(list) => self.list(list).await,
            Command::Status { mailbox, items } => self.status(&mailbox, &items).await,
            Command::GetQuota(root) => self.quota(&root).await,
            Command::GetQuotaRoot(name) => self.quota_root(&name).await,
            Command::SetQuota(_) => Err(Halt::no(ResponseCode::NoPerm, "Only the administrator sets quotas")),
            Command::Close => self.close().await,
            Command::Unselect => Ok(self.unselect()),
            Command::Expunge(only) => self.expunge(only).await,
            Command::Search(search) => self.search(tag, search).await,
            Command::MultiSearch(search) => self.multi_search(tag, search).await,
            Command::CancelUpdate(tags) => self.cancel_update(&tags),
            Command::Sort(sort) => self.sort(tag, sort).await,
            Command::Thread(thread) => self.thread(tag, thread).await,
            Command::Acl(acl) => self.acl(acl).await,
            Command::GetMetadata(get) => self.get_metadata(get).await,
            Command::SetMetadata(set) => self.set_metadata(set).await,
            Command::Notify(notify) => self.notify(notify).await,
            Command::Language(wanted) => self.language(&wanted).await,
            Command::Fetch(fetch) => self.fetch(fetch).await,
            Command::Store(store) => self.store(store).await,
            Command::Copy(transfer) => self.copy(transfer).await,
            Command::Move(transfer) => self.move_messages(transfer).await,
        }
    }

    async fn enable(&mut self, extensions: &[Extension]) -> Result<Done, Halt> {
        let before = self.session.enabled();
        for extension in extensions {
            let _is_new = self.session.enable(*extension);
        }
        // In whatever order they were named (RFC 7162 §3.2.3).
        let newly: Vec<Extension> = extensions.iter().copied().filter(|extension| !before.has(*extension)).collect();
        response::enabled(&mut self.out, &newly);
        if newly.contains(&Extension::Metadata) {
            self.hear_of_notes().await?;
        }
        if !before.condstore && self.session.enabled().condstore {
            self.tell_highest_mod_seq();
        }
        Ok(Done::plain("Enabled"))
    }

    /// A command that speaks of MODSEQ enables CONDSTORE (RFC 7162 §3.1): the client then learns where the mailbox stands.
    fn enable_condstore(&mut self) {
        if self.session.enable(Extension::CondStore) {
            self.tell_highest_mod_seq();
        }
    }

    fn tell_highest_mod_seq(&mut self) {
        if let Some(selected) = self.selected.as_deref() {
            let code = ResponseCode::HighestModSeq(selected.view.highest_mod_seq());
            response::condition(&mut self.out, Condition::Ok, Some(&code), self.session.say("The highest MODSEQ"));
        }
    }

    fn account(&self) -> Result<AccountKey, Halt> {
        let identity = self.identity.as_ref().ok_or_else(|| Halt::bad("Please log in first"))?;
        Ok(identity.account)
    }

    /// The open mailbox, if it may be changed.
    fn writable(&self) -> Result<&Selected, Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        if selected.read_only {
            return Err(Halt::no(ResponseCode::ReadOnly, "The mailbox is open for reading only"));
        }
        Ok(selected)
    }
}

/// What wakes a session that waits.
enum Woken {
    /// The house closes.
    Stopped,
    /// The account was closed to all who were in.
    Closed,
    /// The open mailbox changed; or it is gone.
    Changed(bool),
    /// Something happened elsewhere that the client wants to hear of.
    Heard,
    /// The client says nothing.
    Silent,
}

/// How what has changed is told after a command.
#[derive(Debug, Clone, Copy)]
struct After {
    /// Whether sequence numbers may change (RFC 9051 §7.5.1).
    expunges: Expunges,
    /// It speaks of UIDs.
    with_uid: bool,
    /// The change is the command's own.
    is_own: bool,
}

impl After {
    /// After a command that asks for nothing of it.
    const ANY: Self = Self { expunges: Expunges::Tell, with_uid: false, is_own: false };
}

fn after(command: &Command) -> After {
    let is_own = matches!(
        command,
        Command::Store(_) | Command::Expunge(_) | Command::Move(_) | Command::Copy(_) | Command::Fetch(_)
    );
    let (by_uid, names_numbers) = match command {
        Command::Fetch(fetch) => (fetch.by_uid, !fetch.by_uid),
        Command::Store(store) => (store.by_uid, !store.by_uid),
        Command::Search(search) => (search.by_uid, search.key.names_numbers()),
        Command::MultiSearch(search) => (true, search.key.names_numbers()),
        Command::Sort(sort) => (sort.by_uid, sort.key.names_numbers()),
        Command::Thread(thread) => (thread.by_uid, thread.key.names_numbers()),
        _ => return After { is_own, ..After::ANY },
    };
    let expunges = if by_uid && !names_numbers { Expunges::Tell } else { Expunges::Keep };
    After { expunges, with_uid: by_uid, is_own }
}
