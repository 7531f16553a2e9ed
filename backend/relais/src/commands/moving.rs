//! Mail that is brought along and taken out, by the command line: files are read and written here, the house is asked as ever.

use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use axum::http::Method;
use relais_model::{Flag, Keyword, MailboxName, Timestamp};
use relais_moving::{
    Copies, MESSAGE_OCTETS, MboxReader, Parcel, ParcelReader, folder_path, maildir_folders, maildir_messages,
    maildir_name, mbox_name, write_mbox,
};
use serde_json::{Value, json};

use super::{ask, get, read_text, say, secret_of};
use crate::arguments::{ExportArguments, ImportCommand, ImportImapArguments};
use crate::control::{Content, Line, path, query};
use crate::show::{self, member};

/// Octets of a piece that is sent at once, unless one message is larger.
const PIECE_OCTETS: usize = 4 * 1024 * 1024;
/// Messages, and mailboxes that begin, of such a piece.
const PIECE_MESSAGES: usize = 1000;
/// What an export calls the contacts.
const CONTACTS_FILE: &str = "contacts.vcf";
/// Folders of mbox files below one another.
const MAX_DEPTH: usize = 16;
/// Between two looks at a run.
const PAUSE: Duration = Duration::from_secs(1);

/// False: something wasn't brought.
pub(super) async fn import(command: ImportCommand, line: &mut Line<'_>) -> Result<bool> {
    match command {
        ImportCommand::Imap(wanted) => import_imap(&wanted, line).await,
        ImportCommand::Mbox { address, path, mailbox } => {
            let files = mbox_files(&path, mailbox.as_deref())?.into_iter();
            let (cards, files): (Vec<_>, Vec<_>) = files.partition(|(_, file)| is_vcard(file));
            let mut sending = Sending::to(&address);
            for (name, file) in files {
                sending.send_mbox(&name, &file, line).await.with_context(|| file.display().to_string())?;
            }
            let mut is_whole = sending.end(line).await?;
            for (_, file) in cards {
                is_whole &= bring_cards(&address, &file, line).await?;
            }
            Ok(is_whole)
        }
        ImportCommand::Maildir { address, path } => {
            let mut sending = Sending::to(&address);
            for (name, folder) in maildir_folders(&path).with_context(|| path.display().to_string())? {
                sending.send_maildir(&name, &folder, line).await.with_context(|| folder.display().to_string())?;
            }
            let is_whole = sending.end(line).await?;
            let cards = path.join(CONTACTS_FILE);
            Ok(if cards.is_file() { bring_cards(&address, &cards, line).await? && is_whole } else { is_whole })
        }
        ImportCommand::Vcard { address, path } => bring_cards(&address, &path, line).await,
        ImportCommand::Status { address, json } => {
            let shown = get(line, &path(&["people", &address, "import"])).await?;
            if json {
                say(&serde_json::to_string_pretty(&shown)?)?;
            } else {
                tell(&shown)?;
            }
            Ok(true)
        }
        ImportCommand::Stop { address } => {
            ask(line, Method::DELETE, &path(&["people", &address, "import"]), Content::Nothing).await?;
            say("stopped; what was brought stays")?;
            Ok(true)
        }
    }
}

fn is_vcard(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("vcf"))
}

/// False: for some there was no room.
async fn bring_cards(address: &str, file: &Path, line: &mut Line<'_>) -> Result<bool> {
    let at = path(&["people", address, "contacts"]);
    let done = ask(line, Method::POST, &at, Content::Cards(read_text(file)?)).await;
    let done = done.with_context(|| file.display().to_string())?;
    let left_out = number(&done, "left_out");
    say(&format!("{} contacts kept, {left_out} left out", number(&done, "kept")))?;
    Ok(left_out == 0)
}

fn is_running(shown: &Value) -> bool {
    member(shown, "state") == "running"
}

fn number(shown: &Value, name: &str) -> u64 {
    shown.get(name).and_then(Value::as_u64).unwrap_or_default()
}

async fn import_imap(wanted: &ImportImapArguments, line: &mut Line<'_>) -> Result<bool> {
    let password = secret_of(&format!("Password of {} at {}: ", wanted.user, wanted.host))?;
    let form = json!({
        "host": wanted.host, "port": wanted.port, "security": wanted.security, "user": wanted.user, "password": password,
    });
    let at = path(&["people", &wanted.address, "import"]);
    let mut shown = ask(line, Method::POST, &at, Content::Json(form)).await?;
    if !wanted.wait {
        say(&format!("begun; `relais import status {}` tells how it stands", wanted.address))?;
        return Ok(true);
    }
    let mut told = String::new();
    while is_running(&shown) {
        tokio::time::sleep(PAUSE).await;
        shown = get(line, &at).await?;
        let now = format!(
            "{} of {} messages, {}",
            member(&shown, "looked_at"),
            member(&shown, "found"),
            member(&shown, "folder")
        );
        if now != told && is_running(&shown) {
            say(&now)?;
            told = now;
        }
    }
    tell(&shown)?;
    Ok(member(&shown, "state") == "done" && number(&shown, "refused") == 0)
}

/// How a run stands, in lines.
fn tell(shown: &Value) -> Result<()> {
    let text = |name: &str| member(shown, name);
    say(&format!("{}: {}", text("source"), text("state")))?;
    say(&format!(
        "{} brought ({} octets), {} were here already, {} with other flags now, {} gone there, {} refused; {} of {} looked at, {} of {} folders",
        text("brought"),
        text("brought_octets"),
        text("already"),
        text("flags_changed"),
        text("gone"),
        text("refused"),
        text("looked_at"),
        text("found"),
        text("folders_done"),
        text("folders"),
    ))?;
    for refusal in show::items(shown, "refusals") {
        say(&format!("{} {}: {}", member(refusal, "folder"), member(refusal, "uid"), member(refusal, "why")))?;
    }
    if let Some(trouble) = shown["trouble"].as_str() {
        say(trouble)?;
    }
    Ok(())
}

/// The mbox files at a path, with the mailboxes that they are for. A folder's files are named after their mailboxes.
fn mbox_files(at: &Path, mailbox: Option<&str>) -> Result<Vec<(String, PathBuf)>> {
    if !at.is_dir() {
        return Ok(vec![(mailbox.unwrap_or("INBOX").to_owned(), at.to_owned())]);
    }
    if mailbox.is_some() {
        bail!("--mailbox is for a single file; a folder's files are named after their mailboxes");
    }
    let mut files = Vec::new();
    find_mbox_files(at, "", 0, &mut files)?;
    files.sort();
    Ok(files)
}

fn find_mbox_files(at: &Path, above: &str, depth: usize, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    for entry in fs::read_dir(at).with_context(|| at.display().to_string())? {
        let entry = entry?;
        let spelt = entry.file_name().to_string_lossy().into_owned();
        let (kind, name) = (entry.file_type()?, format!("{above}{}", spelt.strip_suffix(".mbox").unwrap_or(&spelt)));
        if spelt.starts_with('.') {
            continue;
        }
        if kind.is_file() {
            files.push((name, entry.path()));
        } else if kind.is_dir() && depth < MAX_DEPTH {
            // Thunderbird's folder of folders.
            let name = name.strip_suffix(".sbd").unwrap_or(&name);
            find_mbox_files(&entry.path(), &format!("{name}/"), depth + 1, files)?;
        }
    }
    Ok(())
}

/// Messages on their way into the house.
struct Sending {
    at: String,
    piece: Vec<u8>,
    messages: usize,
    /// How often each content came for the mailbox under way.
    copies: Copies,
    filed: u64,
    already: u64,
    left_out: u64,
}

impl Sending {
    fn to(address: &str) -> Self {
        let at = path(&["people", address, "mail"]);
        Self { at, piece: Vec::new(), messages: 0, copies: Copies::default(), filed: 0, already: 0, left_out: 0 }
    }

    /// A mailbox comes, also where no message of it does.
    async fn begin(&mut self, mailbox: &str, line: &mut Line<'_>) -> Result<()> {
        self.copies = Copies::default();
        self.add(&Parcel::mailbox(mailbox), line).await
    }

    async fn send_mbox(&mut self, mailbox: &str, file: &Path, line: &mut Line<'_>) -> Result<()> {
        self.begin(mailbox, line).await?;
        let mut reader = MboxReader::new(BufReader::new(File::open(file)?), MESSAGE_OCTETS)?;
        let mut number = 0;
        while let Some(message) = reader.next_message()? {
            number += 1;
            match message.octets {
                Some(octets) => self.send(mailbox, &message.flags, message.internal_date, octets, line).await?,
                None => self.leave_out(&format!("{} {number}", file.display()))?,
            }
        }
        Ok(())
    }

    async fn send_maildir(&mut self, mailbox: &str, folder: &Path, line: &mut Line<'_>) -> Result<()> {
        self.begin(mailbox, line).await?;
        for message in maildir_messages(folder)? {
            let is_small = message.file_octets <= MESSAGE_OCTETS as u64;
            let octets = if is_small { message.octets()? } else { Vec::new() };
            // With CRLF it may have become too large.
            if !is_small || octets.len() > MESSAGE_OCTETS {
                self.leave_out(&message.path.display().to_string())?;
                continue;
            }
            self.send(mailbox, &message.flags, Some(message.internal_date), octets, line).await?;
        }
        Ok(())
    }

    fn leave_out(&mut self, what: &str) -> Result<()> {
        self.left_out += 1;
        say(&format!("{what}: larger than 64 MiB, left out"))
    }

    async fn send(
        &mut self,
        mailbox: &str,
        flags: &[Flag],
        internal_date: Option<Timestamp>,
        octets: Vec<u8>,
        line: &mut Line<'_>,
    ) -> Result<()> {
        let parcel = Parcel {
            mailbox: mailbox.to_owned(),
            flags: flags.iter().map(ToString::to_string).collect(),
            internal_date: internal_date.map(Timestamp::seconds),
            copy: self.copies.count(&octets),
            uid: None,
            is_mailbox: false,
            size_octets: octets.len() as u64,
            octets,
        };
        self.add(&parcel, line).await
    }

    /// What would be more than a piece is handed in before: the house takes one of the largest messages at once, and little more.
    async fn add(&mut self, parcel: &Parcel, line: &mut Line<'_>) -> Result<()> {
        if self.messages >= PIECE_MESSAGES || self.piece.len() + parcel.octets.len() > PIECE_OCTETS {
            self.hand_in(line).await?;
        }
        parcel.write(&mut self.piece);
        self.messages += 1;
        Ok(())
    }

    async fn hand_in(&mut self, line: &mut Line<'_>) -> Result<()> {
        if self.messages == 0 {
            return Ok(());
        }
        self.messages = 0;
        let done = ask(line, Method::POST, &self.at, Content::Mail(std::mem::take(&mut self.piece))).await?;
        self.filed += number(&done, "filed");
        self.already += number(&done, "already");
        Ok(())
    }

    async fn end(mut self, line: &mut Line<'_>) -> Result<bool> {
        self.hand_in(line).await?;
        let Self { filed, already, left_out, .. } = self;
        say(&format!("{filed} messages filed, {already} were here already, {left_out} left out"))?;
        Ok(left_out == 0)
    }
}

/// Takes all mail and contacts of an account out, into a folder that isn't there yet, or the contacts alone.
pub(super) async fn export(wanted: ExportArguments, line: &mut Line<'_>) -> Result<()> {
    let mut out = match (wanted.mbox, wanted.maildir, wanted.vcard) {
        (Some(root), None, None) => Out::Mbox { root, file: None },
        (None, Some(root), None) => Out::Maildir { root, folder: None, number: 0 },
        (None, None, Some(file)) => return take_cards(&wanted.address, &file, line).await,
        _ => bail!("say either --mbox or --maildir, with a folder, or --vcard, with a file"),
    };
    DirBuilder::new()
        .mode(0o700)
        .create(out.root())
        .with_context(|| format!("{} can't be made", out.root().display()))?;
    let at = path(&["people", &wanted.address, "mail"]);
    let (mut messages, mut octets) = (0_u64, 0_u64);
    let mut last: Option<(String, u32)> = None;
    loop {
        let from = match &last {
            Some((mailbox, uid)) => format!("{at}?{}", query(&[("mailbox", mailbox), ("uid", &uid.to_string())])),
            None => at.clone(),
        };
        let piece = line.octets(&from).await??;
        if piece.is_empty() {
            break;
        }
        let mut reader = ParcelReader::new(u64::MAX);
        reader.feed(&piece);
        while let Some(parcel) = reader.next_parcel()? {
            (messages, octets) = (messages + u64::from(!parcel.is_mailbox), octets + parcel.size_octets);
            out.write(&parcel).with_context(|| parcel.mailbox.clone())?;
            last = Some((parcel.mailbox, parcel.uid.unwrap_or(u32::MAX)));
        }
        reader.end()?;
    }
    let cards = out.root().join(CONTACTS_FILE);
    out.end()?;
    say(&format!("{messages} messages, {octets} octets"))?;
    take_cards(&wanted.address, &cards, line).await
}

/// All contacts of an account, in a file that isn't there yet; where there are none, no file is made.
async fn take_cards(address: &str, file: &Path, line: &mut Line<'_>) -> Result<()> {
    let cards = line.text(&path(&["people", address, "contacts"])).await??;
    if !cards.is_empty() {
        new_file(file)?.write_all(cards.as_bytes()).with_context(|| file.display().to_string())?;
    }
    say(&format!("{} contacts", cards.matches("BEGIN:VCARD").count()))
}

/// Where mail goes that is taken out. It comes mailbox by mailbox.
enum Out {
    Mbox { root: PathBuf, file: Option<(String, BufWriter<File>)> },
    Maildir { root: PathBuf, folder: Option<MaildirFolder>, number: u64 },
}

struct MaildirFolder {
    mailbox: String,
    path: PathBuf,
    keywords: Vec<Keyword>,
}

impl Out {
    fn root(&self) -> &Path {
        match self {
            Self::Mbox { root, .. } | Self::Maildir { root, .. } => root,
        }
    }

    fn write(&mut self, parcel: &Parcel) -> Result<()> {
        let flags: Vec<Flag> = parcel.flags.iter().filter_map(|flag| Flag::parse(flag).ok()).collect();
        let internal_date = Timestamp::from_seconds(parcel.internal_date.unwrap_or_default());
        match self {
            Self::Mbox { root, file } => {
                if file.as_ref().is_none_or(|(mailbox, _)| *mailbox != parcel.mailbox) {
                    if let Some((_, mut done)) = file.take() {
                        done.flush()?;
                    }
                    let at = root.join(mbox_name(&parcel.mailbox));
                    if let Some(above) = at.parent() {
                        DirBuilder::new().mode(0o700).recursive(true).create(above)?;
                    }
                    *file = Some((parcel.mailbox.clone(), BufWriter::new(new_file(&at)?)));
                }
                if let Some((_, file)) = file
                    && !parcel.is_mailbox
                {
                    write_mbox(file, &flags, internal_date, &parcel.octets)?;
                }
            }
            Self::Maildir { root, folder, number } => {
                if folder.as_ref().is_none_or(|folder| folder.mailbox != parcel.mailbox) {
                    if let Some(done) = folder.take() {
                        done.end()?;
                    }
                    *folder = Some(MaildirFolder::make(root, &parcel.mailbox)?);
                }
                if let Some(folder) = folder
                    && !parcel.is_mailbox
                {
                    *number += 1;
                    folder.write(&flags, internal_date, *number, &parcel.octets)?;
                }
            }
        }
        Ok(())
    }

    fn end(self) -> Result<()> {
        match self {
            Self::Mbox { file: Some((_, mut file)), .. } => file.flush()?,
            Self::Maildir { folder: Some(folder), .. } => folder.end()?,
            Self::Mbox { .. } | Self::Maildir { .. } => {}
        }
        Ok(())
    }
}

impl MaildirFolder {
    fn make(root: &Path, mailbox: &str) -> Result<Self> {
        let name = MailboxName::parse(mailbox)?;
        let at = folder_path(root, &name);
        for place in ["cur", "new", "tmp"] {
            DirBuilder::new().mode(0o700).recursive(true).create(at.join(place))?;
        }
        if !name.is_inbox() {
            // What tells others that it is a folder below another (Maildir++).
            new_file(&at.join("maildirfolder"))?;
        }
        Ok(Self { mailbox: mailbox.to_owned(), path: at, keywords: Vec::new() })
    }

    fn write(&mut self, flags: &[Flag], internal_date: Timestamp, number: u64, octets: &[u8]) -> Result<()> {
        let name = maildir_name(internal_date, number, flags, &mut self.keywords);
        let coming = self.path.join("tmp").join(number.to_string());
        let mut file = new_file(&coming)?;
        file.write_all(octets)?;
        let seconds = u64::try_from(internal_date.seconds()).unwrap_or_default();
        file.set_times(FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(seconds)))?;
        fs::rename(coming, self.path.join("cur").join(name))?;
        Ok(())
    }

    /// Says which letter is which keyword, as Dovecot does.
    fn end(self) -> Result<()> {
        if self.keywords.is_empty() {
            return Ok(());
        }
        let mut file = new_file(&self.path.join("dovecot-keywords"))?;
        for (number, keyword) in self.keywords.iter().enumerate().take(26) {
            writeln!(file, "{number} {keyword}")?;
        }
        Ok(())
    }
}

/// A file of mail: nobody else reads it, and none is written over.
fn new_file(at: &Path) -> Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(at);
    file.with_context(|| format!("{} can't be made", at.display()))
}
