//! Mail that people bring along, from another IMAP server or from files, and mail that is taken out of the house.

mod bundle;

use std::net::IpAddr;
use std::sync::Arc;

use relais_model::{Address, Flag, MailboxName, Timestamp};
use relais_moving::{
    MESSAGE_OCTETS, Movers, Parcel, ParcelReader, Progress, RunState, Security, StartError, Target, Trouble, ZipWriter,
    mbox_name, write_mbox,
};
use relais_reading::CardVersion;
use relais_store::{Account, Append, ChangeError, Content, ImportRun, MailboxError, MailboxKey, MailboxStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use bundle::{BUNDLE_OCTETS, BundleFiled};

use crate::people::unknown;
use crate::{Actor, CardsImported, Failure, Moment, Password, Role, Service, Text, may_reach};

/// Octets of one piece of mail on its way in; one message may be all of it.
pub const PIECE_OCTETS: usize = 66 * 1024 * 1024;
/// Octets of one piece of mail on its way out; a larger message is one.
const PIECE_OUT_OCTETS: usize = 4 * 1024 * 1024;
/// Messages of one piece.
const PIECE_MESSAGES: usize = 5000;
/// Octets of a host's or a person's name.
const NAME_OCTETS: usize = 255;
/// Runs begin again after this, where there are too many.
const BUSY_FOR: std::time::Duration = std::time::Duration::from_mins(1);

/// Another server, and who one is there.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportForm {
    /// Its name or address.
    #[schema(example = "imap.old.example")]
    pub host: String,
    /// None: 993 with `tls`, else 143.
    #[serde(default)]
    pub port: Option<u16>,
    /// `tls`, `starttls`, or `none`, which only networks take that an owner allowed.
    #[serde(default = "tls")]
    #[schema(example = "tls")]
    pub security: String,
    /// The name to log in with.
    pub user: String,
    /// The password there. It isn't kept.
    #[schema(value_type = String, format = Password, write_only)]
    pub password: Password,
}

fn tls() -> String {
    "tls".to_owned()
}

/// How an import stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportView {
    /// From where: the name there, and the server.
    pub source: String,
    /// `running`, `done`, `stopped` or `failed`.
    pub state: &'static str,
    /// When it began.
    pub started_at: Moment,
    /// When it last went on.
    pub changed_at: Moment,
    /// Folders that are there.
    pub folders: u64,
    /// Folders that are through.
    pub folders_done: u64,
    /// The folder that is under way, as it is called there; empty where none is.
    pub folder: String,
    /// Messages that are there.
    pub found: u64,
    /// Messages that are through, whatever became of them.
    pub looked_at: u64,
    /// Messages that were brought.
    pub brought: u64,
    /// Their octets.
    pub brought_octets: u64,
    /// Messages that were here already.
    pub already: u64,
    /// Messages whose flags had changed there, and were changed here.
    pub flags_changed: u64,
    /// Messages that were brought once and are no longer there. Here they stay.
    pub gone: u64,
    /// Messages and folders that weren't taken as they are.
    pub refused: u64,
    /// The first hundred of those.
    pub refusals: Vec<ImportRefusal>,
    /// Seconds that it will take from now on, at the pace so far; null where that can't be said.
    pub seconds_left: Option<u64>,
    /// What is in its way; null where nothing is.
    pub trouble: Option<Text>,
}

/// A message or a folder that wasn't taken as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportRefusal {
    /// The folder, as it is called there.
    pub folder: String,
    /// The message's UID there; null where it is about the folder.
    pub uid: Option<u32>,
    /// Why.
    pub why: Text,
}

/// What became of messages that came in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailFiled {
    /// Messages that were filed.
    pub filed: u64,
    /// Messages that stood there already.
    pub already: u64,
}

impl Service {
    /// Begins to bring a person's mail from another server; without an address one's own. What was brought before isn't brought again.
    /// Domain admin, of late signed in; one's own, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Unproven`]; [`Failure::Unfit`]; [`Failure::Clash`] where one is under way,
    /// or where the house doesn't serve; [`Failure::TooMany`].
    pub async fn start_import(
        &self,
        actor: &Actor,
        address: Option<&str>,
        form: ImportForm,
    ) -> Result<ImportView, Failure> {
        let account = self.whose(actor, Role::DomainAdmin, address).await?;
        actor.require_proof()?;
        let movers = self.movers()?;
        let target = target(&form)?;
        let allowed = Arc::new(self.store.settings().imports_allow_internal.clone());
        let inside = Arc::clone(&allowed);
        let sealed = move |address: IpAddr| may_reach(address, &allowed);
        let plain = move |address: IpAddr| inside.hold(address.to_canonical());
        let started = movers.start(account.key, target, form.password.secret(), Arc::new(sealed), Arc::new(plain));
        started.await.map_err(|error| match error {
            StartError::UnderWay => Failure::clash("", Text::new("import-under-way")),
            StartError::Busy => Failure::TooMany { retry_after: BUSY_FOR },
            StartError::Failed(error) => error.into(),
        })?;
        self.store.note_moving(&actor.author(), "mail.import", &account).await?;
        self.shown_import(&account).await
    }

    /// How a person's import stands, or how the last one ended; without an address one's own. Domain admin; one's own, anybody.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`], also where there never was one.
    pub async fn import(&self, actor: &Actor, address: Option<&str>) -> Result<ImportView, Failure> {
        let account = self.whose(actor, Role::DomainAdmin, address).await?;
        self.shown_import(&account).await
    }

    /// Stops a person's import; what was brought stays, and begun again it goes on from there. As [`Service::import`].
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`], also where none is under way.
    pub async fn stop_import(&self, actor: &Actor, address: Option<&str>) -> Result<(), Failure> {
        let account = self.whose(actor, Role::DomainAdmin, address).await?;
        if self.movers()?.stop(account.key) {
            return Ok(());
        }
        Err(Failure::Absent(Text::new("import-none")))
    }

    /// Files messages in a row for a person. What stands there already, octet for octet, isn't filed again, where its line says the how
    /// manyth of its kind it is. Domain admin, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Unproven`]; [`Failure::Unfit`] on `messages`; [`Failure::Clash`] where there
    /// is no room, for the account or on the disk. What came before the fault is filed; sent again, nothing is filed twice.
    pub async fn file_mail(&self, actor: &Actor, address: &str, octets: &[u8]) -> Result<MailFiled, Failure> {
        let account = self.whose(actor, Role::DomainAdmin, Some(address)).await?;
        actor.require_proof()?;
        let parcels = read(octets)?;
        self.store.note_moving(&actor.author(), "mail.file", &account).await?;
        let mut filed = MailFiled::default();
        self.file_parcels(&account, &parcels, &mut filed).await?;
        Ok(filed)
    }

    /// A piece of a person's mail, after a message in a mailbox or from the start: messages in a row, none where nothing follows. Without an
    /// address one's own, which anybody may who of late signed in; another's mail only an owner takes out, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Unproven`].
    pub async fn take_mail(
        &self,
        actor: &Actor,
        address: Option<&str>,
        after: Option<(&str, u32)>,
    ) -> Result<Vec<u8>, Failure> {
        let account = self.whose(actor, Role::Owner, address).await?;
        actor.require_proof()?;
        self.store.note_moving(&actor.author(), "mail.export", &account).await?;
        let (mut piece, mut messages) = (Vec::new(), 0);
        // The database may sort by the rules of some language.
        let mut mailboxes = self.store.mailboxes_uncounted(account.key).await?;
        mailboxes.sort_by(|left, right| left.mailbox.name.as_str().cmp(right.mailbox.name.as_str()));
        for MailboxStatus { mailbox, .. } in mailboxes {
            let name = mailbox.name.as_str();
            let from = match after {
                Some((at, _)) if name < at => continue,
                Some((at, uid)) if name == at => uid.saturating_add(1),
                _ => 1,
            };
            let Some(view) = self.store.view(mailbox.key).await? else { continue };
            let rows = view.read(|rows| rows.range(from, u32::MAX).to_vec());
            if rows.is_empty() && from == 1 {
                // Nobody's folder is lost because it is empty.
                Parcel::mailbox(name).write(&mut piece);
                messages += 1;
            }
            for row in rows {
                let Some(octets) = self.store.raw(row.message()).await? else { continue };
                let parcel = Parcel {
                    mailbox: name.to_owned(),
                    flags: view.flags_of(row.flags).iter().map(ToString::to_string).collect(),
                    internal_date: Some(row.internal_date().seconds()),
                    copy: 0,
                    uid: Some(row.uid),
                    is_mailbox: false,
                    size_octets: octets.len() as u64,
                    octets,
                };
                parcel.write(&mut piece);
                messages += 1;
                if piece.len() >= PIECE_OUT_OCTETS || messages == PIECE_MESSAGES {
                    return Ok(piece);
                }
            }
        }
        Ok(piece)
    }

    /// Brings cards for a person, as [`crate::Mail::import_contacts`]. Domain admin, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Unproven`]; [`Failure::Unfit`] on `file`: there is no card in it.
    pub async fn file_contacts(&self, actor: &Actor, address: &str, text: &str) -> Result<CardsImported, Failure> {
        let account = self.whose(actor, Role::DomainAdmin, Some(address)).await?;
        actor.require_proof()?;
        self.store.note_moving(&actor.author(), "contacts.file", &account).await?;
        self.mail.keep_cards(account.key, text).await
    }

    /// All contacts of a person as one file of cards. As their mail, only an owner takes them out, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Unproven`].
    pub async fn take_contacts(&self, actor: &Actor, address: &str, version: CardVersion) -> Result<String, Failure> {
        let account = self.whose(actor, Role::Owner, Some(address)).await?;
        actor.require_proof()?;
        self.store.note_moving(&actor.author(), "contacts.export", &account).await?;
        self.mail.all_cards(account.key, version).await
    }

    /// The asker's own account, or another's for one who may `role`.
    async fn whose(&self, actor: &Actor, role: Role, address: Option<&str>) -> Result<Account, Failure> {
        let Some(address) = address else {
            let own = actor.own()?.1;
            return self.store.account(own).await?.ok_or_else(|| unknown(&own.to_string()));
        };
        actor.require(role)?;
        let parsed = Address::parse(address.trim()).map_err(|_| unknown(address))?;
        actor.require_reach(&parsed.domain).map_err(|_| unknown(address))?;
        let account = self.store.account(&parsed).await?.ok_or_else(|| unknown(address))?;
        actor.require_power_over(&account)?;
        Ok(account)
    }

    fn movers(&self) -> Result<&Movers, Failure> {
        self.operations.movers.as_ref().ok_or_else(|| Failure::clash("", Text::new("import-not-serving")))
    }

    async fn shown_import(&self, account: &Account) -> Result<ImportView, Failure> {
        let standing = match &self.operations.movers {
            Some(movers) => movers.standing(account.key).await?,
            None => Movers::noted(&self.store, account.key).await?,
        };
        let (run, progress) = standing.ok_or_else(|| Failure::Absent(Text::new("import-none")))?;
        Ok(shown(run, progress, self.store.now()))
    }

    /// Files messages, those of a mailbox one after another.
    async fn file_parcels(&self, account: &Account, parcels: &[Parcel], filed: &mut MailFiled) -> Result<(), Failure> {
        if self.operations.is_disk_nearly_full() {
            return Err(Failure::clash("", Text::new("import-trouble-disk-full")));
        }
        for some in parcels.chunk_by(|left, right| left.mailbox == right.mailbox) {
            let Some(first) = some.first() else { continue };
            let mailbox = self.made(account, &first.mailbox).await?;
            let some = some.iter().filter(|parcel| !parcel.is_mailbox).cloned().collect();
            self.file_into(mailbox, some, filed).await?;
        }
        Ok(())
    }

    /// The mailbox of this name, made and subscribed to where it is missing.
    async fn made(&self, account: &Account, name: &str) -> Result<MailboxKey, Failure> {
        let unfit = || Failure::unfit("messages", Text::new("import-mailbox-name").with("name", name.to_owned()));
        let parsed = MailboxName::parse(name).map_err(|_| unfit())?;
        if let Some(status) = self.store.mailbox(account.key, &parsed).await? {
            return Ok(status.mailbox.key);
        }
        let made = self.store.create_mailbox(account.key, &parsed, None).await.map_err(|error| match error {
            MailboxError::Failed(error) => error.into(),
            MailboxError::Limit => Failure::clash("", Text::new("mail-folder-too-many")),
            _ => unfit(),
        })?;
        self.store.subscribe(account.key, &parsed).await?;
        Ok(made.mailbox.key)
    }

    async fn file_into(&self, mailbox: MailboxKey, parcels: Vec<Parcel>, filed: &mut MailFiled) -> Result<(), Failure> {
        let prepare = move || parcels.into_iter().map(prepared).collect::<Vec<_>>();
        let prepared = tokio::task::spawn_blocking(prepare).await.map_err(|_panicked| Failure::Failed)?;
        let contents: Vec<Content> = prepared.iter().map(|(_, append)| append.content.clone()).collect();
        let standing = self.store.standing_in(mailbox, &contents).await?;
        let mut appends = Vec::new();
        for ((copy, append), standing) in prepared.into_iter().zip(standing) {
            let stands = copy != 0 && standing.len() >= usize::try_from(copy).unwrap_or(usize::MAX);
            if stands {
                filed.already += 1;
            } else {
                appends.push(append);
            }
        }
        let count = appends.len() as u64;
        if count > 0 {
            self.store.append(mailbox, appends).await.map_err(|error| match error {
                ChangeError::OverQuota => Failure::clash("", Text::new("import-trouble-over-quota")),
                ChangeError::TooManyKeywords => Failure::unfit("messages", Text::new("import-keywords")),
                ChangeError::Failed(error) => error.into(),
                ChangeError::NoMailbox | ChangeError::NoMessage | ChangeError::NoRight | ChangeError::NoMoreUids => {
                    Failure::stale()
                }
            })?;
        }
        filed.filed += count;
        Ok(())
    }
}

/// The asker's own mail as a zip of mbox files, with their contacts, piece by piece.
#[derive(Debug)]
pub struct MailZip {
    service: Service,
    actor: Actor,
    zip: Option<ZipWriter>,
    /// The last message that is in it.
    last: Option<(String, u32)>,
}

impl MailZip {
    /// Nothing is read yet.
    pub fn of(service: Service, actor: Actor) -> Self {
        Self { service, actor, zip: Some(ZipWriter::default()), last: None }
    }

    /// What follows; none where it is whole.
    ///
    /// # Errors
    /// As [`Service::take_mail`].
    pub async fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let Some(zip) = &mut self.zip else { return Ok(None) };
        let after = self.last.as_ref().map(|(mailbox, uid)| (mailbox.as_str(), *uid));
        let row = self.service.take_mail(&self.actor, None, after).await?;
        let mut out = Vec::with_capacity(row.len() + row.len() / 16);
        if row.is_empty() {
            if let Some(mut zip) = self.zip.take() {
                // Beside the files of mailboxes, which all end otherwise.
                let cards = self.service.mail.export_contacts(&self.actor, CardVersion::Four).await?;
                if !cards.is_empty() {
                    zip.begin("contacts.vcf", &mut out);
                    zip.write(cards.as_bytes(), &mut out);
                }
                zip.finish(&mut out);
            }
            return Ok(Some(out));
        }
        for parcel in read(&row)? {
            if self.last.as_ref().is_none_or(|(mailbox, _)| *mailbox != parcel.mailbox) {
                zip.begin(&mbox_name(&parcel.mailbox), &mut out);
            }
            if parcel.is_mailbox {
                self.last = Some((parcel.mailbox, u32::MAX));
                continue;
            }
            let mut message = Vec::with_capacity(parcel.octets.len());
            let flags: Vec<Flag> = parcel.flags.iter().filter_map(|flag| Flag::parse(flag).ok()).collect();
            let internal_date = Timestamp::from_seconds(parcel.internal_date.unwrap_or_default());
            let written = write_mbox(&mut message, &flags, internal_date, &parcel.octets);
            written.map_err(|_never| Failure::Failed)?;
            zip.write(&message, &mut out);
            self.last = Some((parcel.mailbox, parcel.uid.unwrap_or(u32::MAX)));
        }
        Ok(Some(out))
    }
}

/// For the how manyth time it comes, and what is to be kept. A flag that is none here stays where it was.
fn prepared(parcel: Parcel) -> (u32, Append) {
    let flags = parcel.flags.iter().filter_map(|flag| Flag::parse(flag).ok()).collect();
    let internal_date = parcel.internal_date.map(Timestamp::from_seconds);
    (parcel.copy, Append { content: Content::prepare(parcel.octets), flags, internal_date })
}

fn read(octets: &[u8]) -> Result<Vec<Parcel>, Failure> {
    let unfit = |error: &dyn std::fmt::Display| {
        Failure::unfit("messages", Text::new("import-row").with("why", error.to_string()))
    };
    let mut reader = ParcelReader::new(MESSAGE_OCTETS as u64);
    reader.feed(octets);
    let mut parcels = Vec::new();
    while let Some(parcel) = reader.next_parcel().map_err(|error| unfit(&error))? {
        if parcels.len() == PIECE_MESSAGES {
            return Err(Failure::unfit("messages", Text::new("import-too-many").with("most", PIECE_MESSAGES)));
        }
        parcels.push(parcel);
    }
    reader.end().map_err(|error| unfit(&error))?;
    Ok(parcels)
}

fn target(form: &ImportForm) -> Result<Target, Failure> {
    let (security, usual) = match form.security.as_str() {
        "tls" => (Security::Implicit, 993),
        "starttls" => (Security::StartTls, 143),
        "none" => (Security::Plain, 143),
        _ => return Err(Failure::unfit("security", Text::new("import-security"))),
    };
    let port = form.port.unwrap_or(usual);
    if port == 0 {
        return Err(Failure::unfit("port", Text::new("import-port")));
    }
    let fits = |text: &str| !text.is_empty() && text.len() <= NAME_OCTETS && !text.chars().any(char::is_control);
    let (host, user) = (form.host.trim(), form.user.trim());
    if !fits(host) || host.contains(char::is_whitespace) {
        return Err(Failure::unfit("host", Text::new("import-host")));
    }
    if !fits(user) {
        return Err(Failure::unfit("user", Text::new("import-user")));
    }
    Ok(Target { host: host.to_owned(), port, security, user: user.to_owned() })
}

fn shown(run: ImportRun, progress: Progress, now: Timestamp) -> ImportView {
    let state = match progress.state {
        RunState::Running => "running",
        RunState::Done => "done",
        RunState::Stopped => "stopped",
        RunState::Failed => "failed",
    };
    let elapsed = u64::try_from((now.millis() - run.started_at.millis()) / 1000).unwrap_or_default();
    let left = progress.found.saturating_sub(progress.looked_at);
    let seconds_left = (progress.state == RunState::Running && progress.looked_at > 0)
        .then(|| elapsed.saturating_mul(left) / progress.looked_at);
    let refusals = progress.refusals.into_iter().map(|refusal| ImportRefusal {
        folder: refusal.folder,
        uid: refusal.uid,
        why: Text::named(format!("import-refused-{}", refusal.why.replace('_', "-"))),
    });
    ImportView {
        source: run.source,
        state,
        started_at: run.started_at.into(),
        changed_at: run.changed_at.into(),
        folders: progress.folders,
        folders_done: progress.folders_done,
        folder: progress.folder,
        found: progress.found,
        looked_at: progress.looked_at,
        brought: progress.brought,
        brought_octets: progress.brought_octets,
        already: progress.already,
        flags_changed: progress.flags_changed,
        gone: progress.gone,
        refused: progress.refused,
        refusals: refusals.collect(),
        seconds_left,
        trouble: progress.trouble.as_ref().map(said),
    }
}

fn said(trouble: &Trouble) -> Text {
    Text::named(format!("import-trouble-{}", trouble.name.replace('_', "-"))).with("says", trouble.says.clone())
}
