//! Rights that were changed at other nodes. Each change of rights is noted in the activity by its own transaction: there the others find it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Grantee, grantee_named, grantees_of};
use crate::audit::{AuditEntry, read_audit};
use crate::key::{AccountKey, AuditKey, first_at};
use crate::{Store, StoreError};

/// What was noted before isn't looked for. It bears with clocks of nodes that differ, and with transactions that take their time.
const LATELY: Duration = Duration::from_mins(10);

/// Changes of the last while that were told here.
#[derive(Debug, Default)]
pub(crate) struct RightsHeard(Mutex<BTreeSet<i64>>);

impl RightsHeard {
    /// Those of `noted` that weren't told yet; what is older than `since` is forgotten.
    fn untold(&self, noted: Vec<(i64, String)>, since: i64) -> Vec<(i64, String)> {
        let mut told = self.told();
        *told = told.split_off(&since);
        noted.into_iter().filter(|(key, _)| !told.contains(key)).collect()
    }

    fn told(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Looks for rights that other nodes have changed, and tells who looks at those mailboxes, and who wants to hear of their names, as if it had been
    /// done here. What was done here is told once more. With SQLite there is no other node.
    pub async fn hear_rights(&self) -> Result<(), StoreError> {
        if self.engine().is_ours_alone() {
            return Ok(());
        }
        let since = first_at(self.now().minus(LATELY));
        let sql = "SELECT audit_key, act FROM audit WHERE audit_key >= $1
                   AND (act IN ('mailbox.share', 'person.remove', 'person.restore', 'person.undo')
                        OR (act >= 'domain.' AND act < 'domain/'))
                   ORDER BY audit_key";
        let noted: Vec<(i64, String)> = sqlx::query_as(sql).bind(since).fetch_all(&mut *self.reader().await?).await?;
        let untold = self.inner.rights_heard.untold(noted, since);
        let (domains, others): (Vec<_>, Vec<_>) = untold.into_iter().partition(|(_, act)| act.starts_with("domain."));
        if !domains.is_empty() {
            // However many they are, all look again once.
            self.inner.views.ask_again(None);
            self.inner.rights_heard.told().extend(domains.into_iter().map(|(key, _)| key));
        }
        for (key, _) in others {
            // The connection is given back before the next is asked for.
            let entry = read_audit(&mut *self.reader().await?, AuditKey::new(key)).await?;
            if let Some(entry) = entry {
                self.hear_change(&entry).await?;
            }
            self.inner.rights_heard.told().insert(key);
        }
        Ok(())
    }

    async fn hear_change(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let Some(owner) = entry.about.map(AccountKey::new) else {
            self.inner.views.ask_again(None);
            return Ok(());
        };
        let mut reader = self.reader().await?;
        let grantees: Vec<Grantee> = match entry.became("with") {
            Some(with) => grantee_named(&mut reader, with, entry.key).await?.into_iter().collect(),
            None => grantees_of(&mut reader, owner).await?,
        };
        self.tell_of_owner(owner, grantees);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_forgotten_when_it_is_looked_for_no_longer() {
        let heard = RightsHeard::default();
        heard.told().extend([1, 5]);
        let noted = |key: i64| (key, String::new());
        assert_eq!(heard.untold(vec![noted(5), noted(6)], 5), [noted(6)]);
        assert_eq!(*heard.told(), BTreeSet::from([5]));
    }
}
