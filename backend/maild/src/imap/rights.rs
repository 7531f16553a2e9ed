//! ACL (RFC 4314): what an account may do with a mailbox, its own or another's. Every command comes through here.
//!
//! An owner has all rights and keeps them. Of a mailbox of another's, names and rights come from the store; they are asked for again where
//! they may have changed, and the writer keeps to them. Who may not even know that a mailbox is there (no `l`) hears what they would hear
//! if it weren't (§6).

use relais_imap::command::{Acl, AclAct};
use relais_imap::response::{self, Condition, ResponseCode};
use relais_model::{MailboxName, Rights};
use relais_store::{
    AccountKey, Author, Grantee, MailboxKey, MailboxStatus, OTHER_USERS, Reach, SHARED, SharingError, Via, is_reserved,
};

use super::{Client, Done, Halt, sentence};

impl From<SharingError> for Halt {
    fn from(error: SharingError) -> Self {
        let code = match error {
            SharingError::Failed(error) => return error.into(),
            SharingError::NotFound => ResponseCode::NonExistent,
            SharingError::Owner => ResponseCode::Cannot,
            SharingError::TooMany => ResponseCode::Limit,
        };
        Self::no(code, sentence(&error.to_string()))
    }
}

/// A mailbox that is shown, with what the account may do there.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Under the name that this account knows it by.
    pub(super) status: MailboxStatus,
    pub(super) rights: Rights,
}

/// What the names of others' mailboxes begin with, where there are some: people's, and teams'.
pub(super) type Roots = (Option<&'static str>, Option<&'static str>);

impl Halt {
    pub(super) fn no_right() -> Self {
        Self::no(ResponseCode::NoPerm, "You may not do that in this mailbox")
    }
}

impl Client {
    /// The mailbox of this name, where the account has `right` on it.
    pub(super) async fn mailbox(&self, name: &MailboxName, right: Rights) -> Result<Shown, Halt> {
        let (account, store) = (self.account()?, &self.house.store);
        let (owner, own_name) = store.whose(account, name).await?;
        if owner == account {
            let status = store.mailbox(account, name).await?.ok_or_else(Halt::no_mailbox)?;
            return Ok(Shown { status, rights: Rights::ALL });
        }
        let key = store.mailbox_key(owner, &own_name).await?.ok_or_else(Halt::no_mailbox)?;
        let shared = store.shared_mailbox(account, key).await?.ok_or_else(Halt::no_mailbox)?;
        check(shared.rights, right)?;
        let mut status = shared.status;
        status.mailbox.name = name.clone();
        status.mailbox.special_use = None;
        Ok(Shown { status, rights: shared.rights })
    }

    /// The same, for those who need no more of it than to act on it.
    pub(super) async fn reach(&self, name: &MailboxName, right: Rights) -> Result<Option<Reach>, Halt> {
        let (account, store) = (self.account()?, &self.house.store);
        let (owner, own_name) = store.whose(account, name).await?;
        let Some(key) = store.mailbox_key(owner, &own_name).await? else { return Ok(None) };
        if owner == account {
            return Ok(Some(key.into()));
        }
        let Some(reach) = store.reach(account, key).await? else { return Ok(None) };
        if !reach.rights.has_some(right.with(Rights::LOOKUP)) {
            return Ok(None);
        }
        check(reach.rights, right)?;
        Ok(Some(reach))
    }

    /// Where COPY, MOVE and APPEND put messages; one that is missing could be created (RFC 9051 §6.3.12).
    pub(super) async fn target(&self, name: &MailboxName) -> Result<Reach, Halt> {
        let found = self.reach(name, Rights::INSERT).await?;
        found.ok_or_else(|| Halt::no(ResponseCode::TryCreate, "There is no such mailbox"))
    }

    /// All mailboxes that the account sees: its own by name, then those of others.
    pub(super) async fn shown(&self) -> Result<Vec<Shown>, Halt> {
        let (account, store) = (self.account()?, &self.house.store);
        let own = store.mailboxes(account).await?;
        let shared = store.shared_with(account).await?;
        let subscriptions = if shared.is_empty() { Vec::new() } else { store.subscriptions(account).await? };
        let mut shown: Vec<Shown> = own.into_iter().map(|status| Shown { status, rights: Rights::ALL }).collect();
        let owned = shown.len();
        for shared in shared.into_iter().filter(|shared| shared.rights.has(Rights::LOOKUP)) {
            let Some(name) = shared.name() else { continue };
            // What somebody has themself comes first; only such names can be the same.
            if shown.iter().take(owned).any(|own| own.status.mailbox.name == name) {
                continue;
            }
            let mut status = shared.status;
            status.mailbox.is_subscribed = subscriptions.contains(&name);
            (status.mailbox.name, status.mailbox.special_use) = (name, None);
            shown.push(Shown { status, rights: shared.rights });
        }
        Ok(shown)
    }

    /// NAMESPACE (RFC 2342, RFC 9051 §6.3.10): those of others are told where others share something.
    pub(super) async fn namespace(&mut self) -> Result<Done, Halt> {
        let roots = self.roots().await?;
        self.tell_namespace(roots);
        Ok(Done::plain("Namespace told"))
    }

    /// Below which others share something: other people, and teams.
    pub(super) async fn roots(&self) -> Result<Roots, Halt> {
        let shared = self.house.store.shared_with(self.account()?).await?;
        let has = |is_team: bool| shared.iter().any(|mailbox| mailbox.is_team == is_team);
        Ok((has(false).then_some(OTHER_USERS), has(true).then_some(SHARED)))
    }

    pub(super) fn tell_namespace(&mut self, (others, shared): Roots) {
        let (language, utf8) = (self.session.language(), self.session.enabled().utf8());
        response::namespace(&mut self.out, others, shared, language, utf8);
    }

    /// Whose mailbox is to be made, removed or renamed, and what its owner calls it; the account itself has the right, or is refused.
    pub(super) async fn managed(
        &self,
        name: &MailboxName,
        right: Rights,
    ) -> Result<(AccountKey, MailboxName, Option<MailboxKey>), Halt> {
        let (account, store) = (self.account()?, &self.house.store);
        let (owner, own_name) = store.whose(account, name).await?;
        let key = store.mailbox_key(owner, &own_name).await?;
        if owner != account {
            let key = key.ok_or_else(Halt::no_mailbox)?;
            let rights = store.rights(account, key).await?;
            check(rights, right)?;
        }
        Ok((owner, own_name, key))
    }

    /// Whose mailbox a new name would be, and what its owner would call it: `k` on the nearest one above it that is there, which for names
    /// that have none above them is INBOX (RFC 4314 §4).
    pub(super) async fn new_name(&self, name: &MailboxName) -> Result<(AccountKey, MailboxName), Halt> {
        let (account, store) = (self.account()?, &self.house.store);
        let (owner, own_name) = store.whose(account, name).await?;
        // One answer, whether there is such an owner or not.
        let refused = || Halt::no(ResponseCode::NoPerm, "You may make no mailbox there");
        if owner == account {
            return if is_reserved(name) { Err(refused()) } else { Ok((owner, own_name)) };
        }
        let above = std::iter::successors(own_name.parent(), MailboxName::parent).chain([MailboxName::inbox()]);
        for above in above {
            if let Some(key) = store.mailbox_key(owner, &above).await? {
                let may = store.rights(account, key).await?.has(Rights::CREATE);
                return if may { Ok((owner, own_name)) } else { Err(refused()) };
            }
        }
        Err(refused())
    }

    /// Before each command and each news: rights on the open mailbox may be others now, and another node may have changed it. Whether it may still be read.
    pub(super) async fn look_again(&mut self) -> Result<bool, Halt> {
        let Some(selected) = self.selected.as_deref_mut() else { return Ok(true) };
        if !selected.view.is_stale() {
            return Ok(!selected.is_lost());
        }
        let before = selected.view.rights();
        while selected.view.is_stale() && !selected.is_lost() {
            self.house.store.look_again(&mut selected.view).await?;
            // It may be another view by now. What changes it between the two isn't heard: so it is asked once more whether anything did.
            if self.changes.is_some() {
                self.changes = Some(selected.view.subscribe());
            }
        }
        let now = selected.view.rights();
        if before != now && !selected.is_lost() {
            // RFC 4314 §5.1.1: who asks on each command tells what has changed.
            let language = self.session.language();
            selected.retell_flags(&mut self.out, language);
            if selected.tells_read_write() != selected.would_tell_read_write(before) {
                let (code, text) = if selected.tells_read_write() {
                    (ResponseCode::ReadWrite, "You may change it now")
                } else {
                    (ResponseCode::ReadOnly, "You may no longer change it")
                };
                response::condition(&mut self.out, Condition::Ok, Some(&code), language.say(text));
            }
        }
        Ok(!selected.is_lost())
    }

    /// GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS.
    pub(super) async fn acl(&mut self, acl: Acl) -> Result<Done, Halt> {
        let Acl { mailbox, act } = acl;
        let utf8 = self.session.enabled().utf8();
        if act == AclAct::Mine {
            // RFC 4314 §4: any of these; who has `l` alone may ask, too.
            let shown = self.mailbox(&mailbox, Rights::NONE).await?;
            let any = Rights::parse("lrikxa").unwrap_or(Rights::ALL);
            if !shown.rights.has_some(any) {
                return Err(Halt::no_mailbox());
            }
            response::my_rights(&mut self.out, &mailbox, shown.rights, utf8);
            return Ok(Done::plain("So it is"));
        }
        let shown = self.mailbox(&mailbox, Rights::ADMINISTER).await?;
        let (key, owner) = (shown.status.mailbox.key, shown.status.mailbox.account);
        match act {
            AclAct::Get => self.tell_acl(&mailbox, key, owner).await?,
            AclAct::List(identifier) => {
                let grantee = self.house.store.grantee(owner, &identifier).await?;
                let always = if grantee == Some(Grantee::Account(owner)) { Rights::ALL } else { Rights::NONE };
                response::list_rights(&mut self.out, &mailbox, &identifier, always, utf8);
            }
            AclAct::Set(identifier, change) => {
                let grantee = self.grantee(owner, &identifier).await?;
                self.change_rights(key, owner, grantee, move |rights| change.apply(rights)).await?;
            }
            AclAct::Delete(identifier) => {
                // Of nobody there is nothing to be taken away.
                if let Some(grantee) = self.house.store.grantee(owner, &identifier).await? {
                    self.change_rights(key, owner, grantee, |_| Rights::NONE).await?;
                }
            }
            AclAct::Mine => {}
        }
        Ok(Done::plain("So it is"))
    }

    async fn tell_acl(&mut self, mailbox: &MailboxName, key: MailboxKey, owner: AccountKey) -> Result<(), Halt> {
        let owner = self.house.store.account_by_key(owner).await?.ok_or_else(Halt::no_mailbox)?;
        let owner = owner.address.to_string();
        let grants = self.house.store.grants(key).await?;
        let rows = grants.iter().map(|grant| (grant.name.as_str(), grant.rights));
        let rows = std::iter::once((owner.as_str(), Rights::ALL)).chain(rows);
        response::acl(&mut self.out, mailbox, rows, self.session.enabled().utf8());
        Ok(())
    }

    /// Whom SETACL names.
    async fn grantee(&self, owner: AccountKey, identifier: &str) -> Result<Grantee, Halt> {
        // RFC 4314 §2: what begins so takes rights away from those who have them otherwise.
        if identifier.starts_with('-') {
            return Err(Halt::no(ResponseCode::Cannot, "There are no negative rights here: give fewer instead"));
        }
        let grantee = self.house.store.grantee(owner, identifier).await?;
        grantee.ok_or_else(|| {
            let text = "Nobody has that name here; say ann@example.org, @example.org for its people, or anyone";
            Halt::no(ResponseCode::Cannot, text)
        })
    }

    async fn change_rights(
        &self,
        mailbox: MailboxKey,
        owner: AccountKey,
        grantee: Grantee,
        change: impl FnOnce(Rights) -> Rights + Send + 'static,
    ) -> Result<(), Halt> {
        // What changes nothing of the owner's is done.
        if grantee == Grantee::Account(owner) {
            return if change(Rights::ALL) == Rights::ALL { Ok(()) } else { Err(SharingError::Owner.into()) };
        }
        let identity = self.identity.as_ref().ok_or_else(|| Halt::bad("Please log in first"))?;
        let by = Author {
            name: identity.address.to_string(),
            account: Some(identity.account),
            via: Via::MailProgram,
            peer: Some(self.guest.peer()),
        };
        self.house.store.change_rights(mailbox, grantee, change, &by).await?;
        Ok(())
    }
}

/// RFC 4314 §6: who may not see the mailbox, nor do what they want, hears that it isn't there.
fn check(has: Rights, wanted: Rights) -> Result<(), Halt> {
    if has.has(wanted) && has != Rights::NONE {
        return Ok(());
    }
    Err(if has.has(Rights::LOOKUP) { Halt::no_right() } else { Halt::no_mailbox() })
}
