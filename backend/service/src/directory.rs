//! Addresses as people read them.

use relais_model::Address;
use relais_store::AliasName;

/// With the domain as people read it.
pub fn readable(address: &Address) -> String {
    format!("{}@{}", address.local_part, address.domain.to_unicode())
}

/// An alias's name as people read it.
pub(crate) fn readable_alias(name: &AliasName) -> String {
    match name {
        AliasName::Exact(address) | AliasName::Wildcard(address) => readable(address),
        AliasName::Expression { pattern, domain } => format!("/{pattern}/@{}", domain.to_unicode()),
    }
}
