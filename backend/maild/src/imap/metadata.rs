//! GETMETADATA, SETMETADATA (RFC 5464).
//!
//! What is `/private` on a mailbox is each person's own, what is `/shared` its owner's: others read both where they may see and read the
//! mailbox, and set what is shared where they may change it (RFC 5464 §3.3). The server's entries are the account's own but for `/shared`,
//! which nobody changes over IMAP; of these the one that names a script for all mailboxes (RFC 6785 §2.3.1) is the account's, for its mailboxes.

use relais_imap::command::{EntryName, GetMetadata, SetMetadata};
use relais_imap::response::{self, ResponseCode};
use relais_model::{MailboxName, Rights};
use relais_store::{AccountKey, Annotation, MAX_METADATA_VALUE, MailboxKey, MetadataError, SCRIPT_NOTE, admin_note};

use super::rights::Shown;
use super::{Client, Done, Halt, sentence};

/// How the names of notes begin that all see who see the mailbox.
const SHARED_NOTES: &str = "/shared/";

impl From<MetadataError> for Halt {
    fn from(error: MetadataError) -> Self {
        let code = match error {
            MetadataError::Failed(error) => return error.into(),
            MetadataError::TooMany => ResponseCode::MetadataTooMany,
            MetadataError::TooLong => ResponseCode::MetadataMaxSize(MAX_METADATA_VALUE as u64),
        };
        Self::no(code, sentence(&error.to_string()))
    }
}

impl Client {
    /// GETMETADATA.
    pub(super) async fn get_metadata(&mut self, get: GetMetadata) -> Result<Done, Halt> {
        let mut notes = match &get.mailbox {
            Some(name) => {
                let mailbox = self.mailbox(name, Rights::LOOKUP.with(Rights::READ)).await?.status.mailbox;
                self.notes_on(mailbox.key, mailbox.account).await?
            }
            None => self.house.store.metadata(self.account()?, None).await?,
        };
        if get.mailbox.is_none() {
            notes.push(admin_note(&self.house.host_name));
        }
        notes.retain(|note| get.entries.iter().any(|entry| entry.covers(&note.name, get.depth)));
        let limit = get.max_size.unwrap_or(u64::MAX);
        let is_long = |note: &Annotation| note.value.len() as u64 > limit;
        let longest = notes.iter().filter(|note| is_long(note)).map(|note| note.value.len() as u64).max();
        let told =
            notes.iter().filter(|note| !is_long(note)).map(|note| (note.name.as_str(), Some(note.value.as_slice())));
        // What was named and isn't there is told, too: the response is required (RFC 5464 §4.2).
        let is_missing = |entry: &&EntryName| !notes.iter().any(|note| entry.covers(&note.name, get.depth));
        let missing = get.entries.iter().filter(is_missing).map(|entry| (entry.as_str(), None));
        response::metadata(&mut self.out, get.mailbox.as_ref(), told.chain(missing), self.session.enabled().utf8());
        let code = longest.map(ResponseCode::MetadataLongEntries);
        Ok(Done { code, text: "Notes told" })
    }

    /// SETMETADATA.
    pub(super) async fn set_metadata(&mut self, set: SetMetadata) -> Result<Done, Halt> {
        let SetMetadata { mailbox, values } = set;
        let account = self.account()?;
        let names_script = |entry: &EntryName| entry.as_str() == SCRIPT_NOTE;
        let speaks = |entry: &EntryName| entry.as_str().starts_with(SHARED_NOTES) && !names_script(entry);
        if mailbox.is_none() && values.iter().any(|(entry, _)| speaks(entry)) {
            return Err(Halt::no(ResponseCode::NoPerm, "Only the administrator speaks for the server"));
        }
        let is_shared = |entry: &EntryName| entry.as_str().starts_with(SHARED_NOTES);
        let (mut owner, mut own_name) = (account, None);
        let target: Option<(MailboxKey, MailboxName)> = match mailbox {
            Some(name) => {
                let sets_shared = values.iter().any(|(entry, _)| is_shared(entry));
                let right = if sets_shared { Rights::WRITE } else { Rights::NONE };
                // Which of its owner's scripts runs is no note, but what becomes of their mail.
                let names_one = values.iter().any(|(entry, _)| names_script(entry));
                let right = if names_one { right.with(Rights::ADMINISTER) } else { right };
                let mailbox = self.mailbox(&name, right.with(Rights::LOOKUP).with(Rights::READ)).await?.status.mailbox;
                owner = mailbox.account;
                own_name = Some(self.house.store.whose(account, &name).await?.1);
                Some((mailbox.key, name))
            }
            None => None,
        };
        let mut entries: Vec<String> = values.iter().map(|(entry, _)| entry.to_string()).collect();
        entries.sort_unstable();
        entries.dedup();
        let (shared, private): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|(entry, _)| owner != account && is_shared(entry));
        for (whose, values) in [(account, private), (owner, shared)].into_iter().filter(|(_, some)| !some.is_empty()) {
            let values = values.into_iter().map(|(entry, value)| (entry.to_string(), value)).collect();
            let known_as = if whose == account { None } else { own_name.clone() };
            let target = target.clone().map(|(key, name)| (key, known_as.unwrap_or(name)));
            self.house.store.set_metadata(whose, target, values).await?;
        }
        self.did_annotate(target.map(|(_, name)| name), entries);
        Ok(Done::plain("Noted"))
    }

    /// Notes on a mailbox as this account sees them.
    async fn notes_on(&self, mailbox: MailboxKey, owner: AccountKey) -> Result<Vec<Annotation>, Halt> {
        let account = self.account()?;
        let mut notes = self.house.store.metadata(account, Some(mailbox)).await?;
        if owner != account {
            let shared = self.house.store.metadata(owner, Some(mailbox)).await?;
            notes.extend(shared.into_iter().filter(|note| note.name.starts_with(SHARED_NOTES)));
        }
        Ok(notes)
    }

    /// Notes of these names on mailboxes that are shown (RFC 9590).
    pub(super) async fn notes_named(
        &self,
        entries: &[String],
        shown: &[Shown],
    ) -> Result<Vec<(MailboxKey, Annotation)>, Halt> {
        let account = self.account()?;
        let mut notes = self.house.store.metadata_named(account, entries).await?;
        let others = shown.iter().filter(|shown| shown.status.mailbox.account != account);
        for Shown { status, .. } in others.filter(|shown| shown.rights.has(Rights::READ)) {
            let of_owner = self.house.store.metadata(status.mailbox.account, Some(status.mailbox.key)).await?;
            let is_wanted = |note: &Annotation| note.name.starts_with(SHARED_NOTES) && entries.contains(&note.name);
            notes.extend(of_owner.into_iter().filter(is_wanted).map(|note| (status.mailbox.key, note)));
        }
        Ok(notes)
    }
}
