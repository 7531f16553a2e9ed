//! Undoing: what a change left is written back, where it still is as that change left it.

use relais_model::{Address, Domain};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::AnyConnection;

use super::alias::{AliasState, read_alias_name};
use super::domain::{read_address, read_name, refuse_full, refuse_unless_empty, take_domain};
use super::{DirectoryError, account, alias, domain, list};
use crate::audit::{AuditEntry, Scribe, mark_undone, read_audit};
use crate::{
    AccountKey, AliasKey, AuditKey, Author, DomainKey, Grantee, Happened, Store, StoreError, lending, settings, sharing,
};

/// Whether changes of this kind can be undone.
pub fn is_undoable_act(act: &str) -> bool {
    match act.split_once('.') {
        Some(("person", what)) => what != "password",
        Some(("domain" | "domain_alias" | "alias" | "setting", _)) => true,
        _ => matches!(act, "list.member_remove" | "mailbox.share" | "mailbox.lend"),
    }
}

impl Store {
    /// Undoes one change, notes that as a change of its own, and marks the old one.
    ///
    /// # Errors
    /// [`DirectoryError::NotUndoable`]; [`DirectoryError::ChangedSince`] where what it changed isn't any more as it left it; else as the
    /// method that would do the same.
    pub async fn undo(&self, key: AuditKey, by: &Author) -> Result<(), DirectoryError> {
        let scribe = self.scribe(by).undoing(key);
        let undone = self.change_routes(move |tx| {
            Box::pin(async move {
                let entry = read_audit(tx, key).await?.ok_or(DirectoryError::NotUndoable)?;
                let is_told = entry.before.is_some() || entry.after.is_some();
                if !is_undoable_act(&entry.act) || entry.undone.is_some() || !is_told {
                    return Err(DirectoryError::NotUndoable);
                }
                let shared = undo_in(tx, &entry, &scribe).await?;
                mark_undone(tx, key, &scribe).await?;
                Ok(shared)
            })
        });
        let shared = undone.await?;
        // Somebody may be gone by it, or may less.
        self.inner.views.ask_again(None);
        if let Some((owner, grantee)) = shared {
            self.tell(owner, Happened::Shared(grantee));
        }
        // It may have been one of them.
        Ok(self.read_settings().await?)
    }
}

/// Whose mailboxes are to be looked at anew by whom, where it was about those.
async fn undo_in(
    tx: &mut AnyConnection,
    entry: &AuditEntry,
    scribe: &Scribe,
) -> Result<Option<(AccountKey, Grantee)>, DirectoryError> {
    match entry.act.split_once('.') {
        Some(("domain", _)) => undo_domain(tx, entry, scribe).await?,
        Some(("domain_alias", _)) => undo_other_name(tx, entry, scribe).await?,
        Some(("person", _)) => undo_person(tx, entry, scribe).await?,
        Some(("alias", _)) => undo_alias(tx, entry, scribe).await?,
        Some(("setting", _)) => settings::undo(tx, entry, scribe).await?,
        Some(("list", "member_remove")) => list::undo_removal(tx, entry, scribe).await?,
        Some(("mailbox", "lend")) => lending::undo(tx, entry, scribe).await?,
        Some(("mailbox", "share")) => return sharing::undo(tx, entry, scribe).await.map(Some),
        _ => return Err(DirectoryError::NotUndoable),
    }
    Ok(None)
}

async fn undo_domain(tx: &mut AnyConnection, entry: &AuditEntry, scribe: &Scribe) -> Result<(), DirectoryError> {
    let name = subject_domain(entry)?;
    let key = DomainKey::new(entry.about.ok_or(DirectoryError::NotUndoable)?);
    let Some((present, _)) = domain::read_state(tx, key).await? else {
        return Err(DirectoryError::UnknownDomain(name));
    };
    let after = if let Some(after) = before(entry, &present)? {
        after
    } else {
        refuse_unless_empty(tx, key).await?;
        present.clone().removed()
    };
    domain::put_state(tx, scribe, "domain.undo", (key, &name), &present, &after).await
}

async fn undo_person(tx: &mut AnyConnection, entry: &AuditEntry, scribe: &Scribe) -> Result<(), DirectoryError> {
    let address = subject_address(entry)?;
    let key = AccountKey::new(entry.about.ok_or(DirectoryError::NotUndoable)?);
    let domain = take_domain(tx, &address.domain, scribe.now()).await?;
    let Some((present, _)) = account::read_state(tx, key).await? else {
        return Err(DirectoryError::UnknownAddress(address));
    };
    let after = before(entry, &present)?.unwrap_or_else(|| present.clone().removed());
    if present.is_removed && !after.is_removed {
        refuse_full(tx, domain).await?;
    }
    account::put_state(tx, scribe, "person.undo", (key, &address, domain), &present, &after).await
}

async fn undo_alias(tx: &mut AnyConnection, entry: &AuditEntry, scribe: &Scribe) -> Result<(), DirectoryError> {
    let name = read_alias_name(&entry.subject)?;
    let key = AliasKey::new(entry.about.ok_or(DirectoryError::NotUndoable)?);
    let domain = take_domain(tx, name.domain(), scribe.now()).await?;
    let present = alias::read_state(tx, key).await?;
    let after: Option<AliasState> = match (&present, &entry.after) {
        (Some(present), Some(_)) => before(entry, present)?,
        (None, None) => read(entry.before.clone())?,
        _ => return Err(DirectoryError::ChangedSince(vec!["targets".to_owned()])),
    };
    let what = (key, &name, domain);
    alias::put_state(tx, scribe, "alias.undo", what, present.as_ref(), after.as_ref()).await.map(drop)
}

async fn undo_other_name(tx: &mut AnyConnection, entry: &AuditEntry, scribe: &Scribe) -> Result<(), DirectoryError> {
    let name = subject_domain(entry)?;
    let present = domain::read_other_name(tx, &name).await?;
    let told = present.as_ref().map(|(_, of)| serde_json::json!({ "domain": of }));
    if told != entry.after {
        return Err(DirectoryError::ChangedSince(vec!["domain".to_owned()]));
    }
    let key = match (&present, entry.was("domain")) {
        (Some((key, _)), _) => {
            domain::delete_other_name(tx, &name, *key, scribe).await?;
            *key
        }
        (None, Some(of)) => {
            let key = take_domain(tx, &read_name(of)?, scribe.now()).await?;
            domain::insert_other_name(tx, &name, key, scribe).await?;
            key
        }
        (None, None) => return Err(DirectoryError::NotUndoable),
    };
    let deed = domain::other_name_deed("domain_alias.undo", &name, key);
    scribe.note(tx, deed.between(told, entry.before.clone())).await?;
    Ok(())
}

/// `present` with what the change had found, where it still is as the change left it; none where it had found nothing.
fn before<S: Serialize + DeserializeOwned>(entry: &AuditEntry, present: &S) -> Result<Option<S>, DirectoryError> {
    let mut state = serde_json::to_value(present).map_err(|error| StoreError::damaged(error.to_string()))?;
    let Some(Value::Object(left)) = &entry.after else { return Err(DirectoryError::NotUndoable) };
    let differing = left.iter().filter(|(name, value)| state.get(name.as_str()) != Some(value));
    let differing: Vec<String> = differing.map(|(name, _)| name.clone()).collect();
    if !differing.is_empty() {
        return Err(DirectoryError::ChangedSince(differing));
    }
    let Some(Value::Object(found)) = &entry.before else { return Ok(None) };
    if let Value::Object(members) = &mut state {
        members.extend(found.clone());
    }
    read(Some(state))
}

fn read<S: DeserializeOwned>(state: Option<Value>) -> Result<Option<S>, DirectoryError> {
    let read = |state| serde_json::from_value(state).map_err(|error| StoreError::damaged(error.to_string()).into());
    state.map(read).transpose()
}

fn subject_domain(entry: &AuditEntry) -> Result<Domain, DirectoryError> {
    Ok(read_name(&entry.subject)?)
}

fn subject_address(entry: &AuditEntry) -> Result<Address, DirectoryError> {
    Ok(read_address(&entry.subject)?)
}
