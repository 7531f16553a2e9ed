//! What stands above each of the lists.

use relais_service::{Actor, CaView, Role};

use crate::kit::{Frame, PageError, Time};
use crate::{Web, path};

/// What it says.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) tabs: Vec<Tab>,
    /// Whose CA it is, and how we stand with it; owners alone see it.
    pub(super) authority: Option<Authority>,
    pub(super) is_owner: bool,
    pub(super) is_ordering: bool,
}

#[derive(Debug)]
pub(super) struct Tab {
    pub(super) title: String,
    pub(super) href: &'static str,
    pub(super) is_current: bool,
}

/// The CA.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) host: String,
    pub(super) terms_url: &'static str,
    pub(super) contact: String,
    pub(super) since: Option<Time>,
    pub(super) rests_until: Option<Time>,
    pub(super) says: String,
}

impl Authority {
    fn of(frame: &Frame, ca: CaView) -> Self {
        let host = ca.directory_url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        Self {
            host: host.unwrap_or(&ca.directory_url).to_owned(),
            terms_url: ca.terms_url.unwrap_or_default(),
            contact: ca.contact.unwrap_or_else(|| frame.say("certificates-page-nobody")),
            since: ca.account_since.map(|at| frame.time(at.0)),
            rests_until: ca.rests_until.map(|at| frame.time(at.0)),
            says: frame.tell(&ca.says),
        }
    }
}

impl Head {
    pub(super) fn of(frame: &Frame, role: Role, current: &str, is_ordering: bool, ca: Option<CaView>) -> Self {
        let pages = [
            (Role::DomainAdmin, path::CERTIFICATES, "nav-certificates"),
            (Role::DomainAdmin, path::CERTIFICATE_NAMES, "certificates-page-names"),
            (Role::Owner, path::CERTIFICATE_ORDERS, "certificates-page-orders"),
            (Role::Owner, path::CERTIFICATE_DOORS, "certificates-page-doors"),
        ];
        let tab =
            |(_, href, id): (Role, &'static str, &str)| Tab { title: frame.say(id), href, is_current: href == current };
        Self {
            tabs: pages.into_iter().filter(|(least, ..)| *least <= role).map(tab).collect(),
            authority: ca.map(|ca| Authority::of(frame, ca)),
            is_owner: role == Role::Owner,
            is_ordering,
        }
    }
}

pub(super) async fn head(web: &Web, by: &Actor, frame: &Frame, current: &str) -> Result<Head, PageError> {
    let ca = if by.role == Role::Owner { Some(web.service().certificate_authority(by).await?) } else { None };
    Ok(Head::of(frame, by.role, current, web.service().orders_certificates(), ca))
}
