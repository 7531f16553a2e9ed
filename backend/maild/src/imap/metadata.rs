//! GETMETADATA, SETMETADATA (RFC 5464), LANGUAGE (RFC 5255).
//!
//! Mailboxes have one owner: what is `/private` and what is `/shared` on them differs by name alone. The server's entries are the
//! account's own but for `/shared`, which nobody changes over IMAP.

use relais_imap::command::{EntryName, GetMetadata, SetMetadata};
use relais_imap::response::{self, ResponseCode};
use relais_model::MailboxName;
use relais_store::{Annotation, MAX_METADATA_VALUE, MailboxKey, MetadataError};

use super::{Client, Done, Halt, sentence};

/// How to reach who runs the server (RFC 5464 §3.2.1.1).
const ADMIN: &str = "/shared/admin";

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
        let mailbox = match &get.mailbox {
            Some(name) => Some(self.mailbox(name).await?.mailbox.key),
            None => None,
        };
        let mut notes = self.house.store.metadata(self.account()?, mailbox).await?;
        if mailbox.is_none() {
            let value = format!("mailto:postmaster@{}", self.house.host_name).into_bytes();
            notes.push(Annotation { name: ADMIN.to_owned(), value });
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
        if mailbox.is_none() && values.iter().any(|(entry, _)| entry.as_str().starts_with("/shared/")) {
            return Err(Halt::no(ResponseCode::NoPerm, "Only the administrator speaks for the server"));
        }
        let target: Option<(MailboxKey, MailboxName)> = match mailbox {
            Some(name) => Some((self.mailbox(&name).await?.mailbox.key, name)),
            None => None,
        };
        let mut entries: Vec<String> = values.iter().map(|(entry, _)| entry.to_string()).collect();
        entries.sort_unstable();
        entries.dedup();
        let values = values.into_iter().map(|(entry, value): (EntryName, _)| (entry.to_string(), value)).collect();
        self.house.store.set_metadata(account, target.clone(), values).await?;
        self.did_annotate(target.map(|(_, name)| name), entries);
        Ok(Done::plain("Noted"))
    }

    /// LANGUAGE (RFC 5255 §3.2): there is one, beside `i-default`, which is the same.
    pub(super) fn language(&mut self, wanted: &[String]) -> Result<Done, Halt> {
        if wanted.is_empty() {
            response::language(&mut self.out, &["i-default", "en"]);
            return Ok(Done::plain("These are spoken here"));
        }
        let range = |range: &String| {
            let range = range.to_ascii_lowercase();
            match range.as_str() {
                "i-default" | "default" | "*" => Some("i-default"),
                "en" => Some("en"),
                range if range.starts_with("en-") => Some("en"),
                _ => None,
            }
        };
        let spoken = wanted.iter().find_map(range);
        let spoken = spoken.ok_or_else(|| Halt::no(ResponseCode::Cannot, "None of these is spoken here"))?;
        response::language(&mut self.out, &[spoken]);
        Ok(Done::plain("So it is"))
    }
}
