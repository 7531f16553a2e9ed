//! Who someone is and what they may, as a session or a key finds it: read in the same statement, so that it is never older than the
//! request.

use relais_model::{Address, Domain};
use sqlx::any::AnyRow;

use crate::directory::read_address;
use crate::{AccountKey, DomainKey, Role, StoreError};

/// An account with its role and the domains that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its row.
    pub account: AccountKey,
    /// Its address.
    pub address: Address,
    /// Its role.
    pub role: Role,
    /// The domains that it was given to look after; means nothing for an owner, who sees all.
    pub domains: Vec<(DomainKey, Domain)>,
}

/// The four columns that [`read_standing`] reads, of the account `a`.
macro_rules! standing_columns {
    () => {
        "a.account_key, a.address, a.role,
         (SELECT string_agg(CAST(d.domain_key AS TEXT) || ' ' || d.name, ',')
          FROM account_domain g JOIN domain d ON d.domain_key = g.domain_key
          WHERE g.account_key = a.account_key AND d.removed_at IS NULL)"
    };
}
pub(super) use standing_columns;

/// Whether the account `a` may come in: it is no team, and neither it nor its domain is suspended or removed.
macro_rules! may_come_in {
    () => {
        "a.is_suspended = 0 AND a.is_team = 0 AND a.removed_at IS NULL AND EXISTS
             (SELECT 1 FROM domain h WHERE h.domain_key = a.domain_key AND h.is_disabled = 0 AND h.removed_at IS NULL)"
    };
}
pub(super) use may_come_in;

/// Reads what [`standing_columns`] names, from the first column on.
pub(super) fn read_standing(row: &AnyRow) -> Result<Standing, StoreError> {
    use sqlx::Row;
    let domains: Option<String> = row.try_get(3)?;
    let domains = domains.as_deref().unwrap_or_default().split(',').filter(|entry| !entry.is_empty()).map(|entry| {
        let (key, name) = entry.split_once(' ')?;
        Some((DomainKey::new(key.parse().ok()?), Domain::parse(name).ok()?))
    });
    Ok(Standing {
        account: AccountKey::new(row.try_get(0)?),
        address: read_address(row.try_get(1)?)?,
        role: Role::read(row.try_get(2)?)?,
        domains: domains.collect::<Option<_>>().ok_or_else(|| StoreError::damaged("a domain's key or name"))?,
    })
}
