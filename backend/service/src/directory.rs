//! Addresses as people read them.

use relais_model::Address;

/// With the domain as people read it.
pub fn readable(address: &Address) -> String {
    format!("{}@{}", address.local_part, address.domain.to_unicode())
}
