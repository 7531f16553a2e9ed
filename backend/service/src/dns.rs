//! The DNS of the domains and of the host: what is wanted, what stands, how to mend it, and pushing it to who serves the zones.
//!
//! `view`: what is seen of it.

mod view;

use tokio::sync::watch;

use relais_store::Store;

use crate::{Actor, Failure, Paging, Rows};

pub use view::*;

/// The use-cases of the DNS. `domain` is a domain of ours as people or the DNS write it; where it may be none, none is the host.
#[derive(Debug, Clone)]
pub struct Dns {
    store: Store,
    running: watch::Sender<u64>,
}

impl Dns {
    /// Over `store`, without a network.
    pub(crate) fn new(store: Store) -> Self {
        Self { store, running: watch::Sender::new(0) }
    }

    /// Grows whenever a check begins or ends: who shows them looks again.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.running.subscribe()
    }

    /// The domains that the asker sees, with what the last checks found. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn list(&self, _by: &Actor, _wanted: &DnsWanted) -> Result<Rows<DnsRow>, Failure> {
        let _ = self.store.now();
        Err(Failure::Failed)
    }

    /// A domain's DNS, as it was last seen. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, _by: &Actor, _domain: &str) -> Result<DnsReport, Failure> {
        Err(Failure::Failed)
    }

    /// The host's. Domain admin: their domains' mail depends on it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn host(&self, _by: &Actor) -> Result<DnsReport, Failure> {
        Err(Failure::Failed)
    }

    /// Begins a check of a domain, where none runs already; doesn't wait for its end. Domain admin; none, the host: owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Clash`] where none can be made (see [`DnsReport::hindrance`]); [`Failure::TooMany`] within
    /// ten seconds after the last.
    pub async fn check(&self, _by: &Actor, _domain: Option<&str>) -> Result<(), Failure> {
        Err(Failure::Failed)
    }

    /// As [`Dns::check`], and waits for its end, two minutes at most. Gives what is known then.
    ///
    /// # Errors
    /// As [`Dns::check`].
    pub async fn check_and_wait(&self, _by: &Actor, _domain: Option<&str>) -> Result<DnsReport, Failure> {
        Err(Failure::Failed)
    }

    /// Begins checks of the host and of all domains; they wait for their turns. Owner.
    ///
    /// # Errors
    /// As [`Dns::check`].
    pub async fn check_all(&self, _by: &Actor) -> Result<(), Failure> {
        Err(Failure::Failed)
    }

    /// The records that a domain wants, with those of the host that stand in its zone, as a zone file (RFC 1035 §5). Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn zone_file(&self, _by: &Actor, _domain: &str) -> Result<String, Failure> {
        Err(Failure::Failed)
    }

    /// What turned of late, the latest first. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn turns(&self, _by: &Actor, _domain: Option<&str>, _paging: Paging) -> Result<Rows<DnsTurn>, Failure> {
        Err(Failure::Failed)
    }

    /// The providers that we know. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn providers(&self, _by: &Actor) -> Result<Vec<DnsProviderKind>, Failure> {
        Err(Failure::Failed)
    }

    /// The accounts at providers. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn accounts(&self, _by: &Actor, _paging: Paging) -> Result<Rows<DnsAccountView>, Failure> {
        Err(Failure::Failed)
    }

    /// One account. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn account(&self, _by: &Actor, _id: &str) -> Result<DnsAccountView, Failure> {
        Err(Failure::Failed)
    }

    /// Adds an account, once its key was tried. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Unfit`] about `provider`, `name`, `domain`, a field of the provider's, or about none: what the provider said.
    pub async fn add_account(&self, _by: &Actor, _new: NewDnsAccount) -> Result<DnsAccountView, Failure> {
        Err(Failure::Failed)
    }

    /// Changes an account; its key is tried. Owner.
    ///
    /// # Errors
    /// As [`Dns::add_account`]; [`Failure::Absent`].
    pub async fn change_account(
        &self,
        _by: &Actor,
        _id: &str,
        _change: DnsAccountChange,
    ) -> Result<DnsAccountView, Failure> {
        Err(Failure::Failed)
    }

    /// Forgets an account and its key; its pushes stay written down. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_account(&self, _by: &Actor, _id: &str) -> Result<(), Failure> {
        Err(Failure::Failed)
    }

    /// What a push would do. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Clash`] where no account serves the zone, or with what the provider said.
    pub async fn preview(
        &self,
        _by: &Actor,
        _domain: Option<&str>,
        _form: &DnsPushForm,
    ) -> Result<DnsPreview, Failure> {
        Err(Failure::Failed)
    }

    /// Does what the preview `form.plan` showed, and writes it down. Goes to its end even if nobody waits for it. Owner, of late signed in.
    ///
    /// # Errors
    /// As [`Dns::preview`]; [`Failure::Unproven`]; [`Failure::Stale`] where it would be another plan by now: nothing was done.
    pub async fn push(&self, _by: &Actor, _domain: Option<&str>, _form: &DnsPushForm) -> Result<DnsPushView, Failure> {
        Err(Failure::Failed)
    }

    /// The pushes, the latest first. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn pushes(
        &self,
        _by: &Actor,
        _domain: Option<&str>,
        _paging: Paging,
    ) -> Result<Rows<DnsPushView>, Failure> {
        Err(Failure::Failed)
    }

    /// Puts back what stood before a push. Owner, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Unproven`], [`Failure::Absent`]; [`Failure::Clash`] where it was undone already, its account is gone, or with what the
    /// provider said; [`Failure::Stale`] where somebody changed the records since: none was touched.
    pub async fn undo(&self, _by: &Actor, _push: &str) -> Result<DnsPushView, Failure> {
        Err(Failure::Failed)
    }
}
