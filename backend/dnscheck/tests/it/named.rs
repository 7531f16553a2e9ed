//! What looks through a private BIND.

use std::net::SocketAddr;
use std::sync::Arc;

use relais_dnscheck::{DnsLook, TrustAnchor};
use relais_testkit::SeededRandom;
pub(crate) use relais_testkit::named::{Keys, Named, SILENT, Zone};

/// Through it alone, trusting its root.
pub(crate) fn look(named: &Named) -> DnsLook {
    let anchor = TrustAnchor::from_file(&named.anchor()).unwrap();
    look_with(named, &[named.address()], &anchor)
}

/// Through these resolvers.
pub(crate) fn look_with(named: &Named, resolvers: &[SocketAddr], anchor: &TrustAnchor) -> DnsLook {
    DnsLook::with_servers(resolvers, anchor, named.address().port(), Arc::new(SeededRandom::new(5))).unwrap()
}
