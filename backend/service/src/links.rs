//! One-time links: the house's setting up, new passwords, and a password for a phone.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use relais_model::{Address, Domain, Secret};
use relais_store::{
    AppPassword, Author, Founding, FoundingError, LinkPurpose, LoginProtocol, LoginWay, MAX_APP_PASSWORDS, NewAccount,
    Protocols,
};

use crate::access::{
    Access, DEVICE_LINK_LASTS, PASSWORD_LINK_LASTS, SET_UP_LINK_LASTS, Site, Visit, hash_of, hash_of_given, name_of,
};
use crate::app_passwords::{refused, too_many};
use crate::checks::{self, Checks, MAX_TEXT_OCTETS};
use crate::directory::readable;
use crate::passkeys::Passkeys;
use crate::{Actor, Complaint, Failure, Role, Text, Via};

/// What the first owner says, as they typed it.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// The host's name, `mx.example.org`, as the bootstrap file has it: passkeys and links are bound to it, so no other is taken.
    pub host_name: String,
    /// The first domain, `example.org`.
    pub domain: String,
    /// The owner's name; may be empty.
    pub name: String,
    /// The owner's address, in that domain.
    pub address: String,
    /// How they will sign in.
    pub way: Way,
}

/// How the first owner will sign in.
#[derive(Debug, Clone)]
pub enum Way {
    /// With this password.
    Password(Secret),
    /// With a passkey: the end of a ceremony that [`Access::begin_set_up_passkey`] began.
    Passkey {
        /// The ceremony's.
        ticket: String,
        /// What the browser's `navigator.credentials.create` gave, as JSON.
        answer: String,
        /// What they call the passkey.
        name: String,
    },
}

/// A house that was set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founded {
    /// The owner is signed in.
    pub token: Secret,
    /// The first domain.
    pub domain: Domain,
}

/// Whose link it is: their password it sets, or for their device it makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOwner {
    /// Their address.
    pub address: Address,
    /// Their name; may be empty.
    pub name: String,
}

/// What a device logs in with, shown now and never again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePassword {
    /// Whose mail it opens.
    pub owner: LinkOwner,
    /// What the app password is called.
    pub name: String,
    /// For IMAP and SMTP.
    pub password: Secret,
}

impl Access {
    /// Whether the house has an owner. Asked at every request: once true, no question to the database.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn is_set_up(&self) -> Result<bool, Failure> {
        if self.is_set_up.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let has_owner = self.store.has_owner().await?;
        self.is_set_up.store(has_owner, Ordering::Relaxed);
        Ok(has_owner)
    }

    /// What a link for setting up ends with; it opens it for [`SET_UP_LINK_LASTS`]. Earlier ones are void.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Clash`] where the house has an owner.
    pub async fn set_up_link(&self, actor: &Actor) -> Result<Secret, Failure> {
        actor.require(Role::Owner)?;
        if self.is_set_up().await? {
            return Err(Failure::clash("", Text::new("link-already-set-up")));
        }
        let (token, until) = (self.make_token(), self.now().plus(SET_UP_LINK_LASTS));
        let hash = hash_of(token.expose());
        self.store.add_link(hash, LinkPurpose::SetUp, None, until, &actor.author()).await?;
        Ok(token)
    }

    /// Whether a link opens the setting up now.
    ///
    /// # Errors
    /// [`Failure::Absent`], in the same words for a used, an expired and an unknown one.
    pub async fn open_set_up_link(&self, token: &str) -> Result<(), Failure> {
        let hash = hash_of_given(token).ok_or_else(void)?;
        if self.is_set_up().await? || !self.store.is_set_up_link(&hash).await? { Err(void()) } else { Ok(()) }
    }

    /// Makes the first domain and its owner, who is signed in at once; the link is used up. All or nothing.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the link; [`Failure::Unfit`] with all that doesn't do; [`Failure::Clash`] where the address is taken.
    pub async fn set_up(&self, token: &str, wanted: SetUp, visit: &Visit) -> Result<Founded, Failure> {
        self.open_set_up_link(token).await?;
        let (domain, address) = read(&wanted, &self.host())?;
        let way = match wanted.way {
            Way::Password(_) => LoginWay::Password,
            Way::Passkey { .. } => LoginWay::Passkey,
        };
        let (password_hash, passkey) = match wanted.way {
            Way::Password(password) => {
                self.check_new_password(&password, &address, &wanted.name)?;
                (Some(self.hash_password(password).await?), None)
            }
            Way::Passkey { ticket, answer, name } => {
                let name = name_of(&name)?;
                (None, Some(self.end_registration(&ticket, &answer, None, name)?))
            }
        };
        let author = Author { name: readable(&address), account: None, via: Via::Panel, peer: Some(visit.peer) };
        let name = wanted.name.trim().to_owned();
        let owner = NewAccount { name, password_hash, ..NewAccount::user(address) };
        let founding = Founding { domain: domain.clone(), owner, passkey };
        let owner = self.store.found(hash_of(token), founding, &author).await.map_err(|error| match error {
            FoundingError::Link => void(),
            FoundingError::Directory(error) => error.into(),
        })?;
        self.is_set_up.store(true, Ordering::Relaxed);
        tracing::info!(account.key = owner.value(), peer.ip = %visit.peer, "the house has an owner");
        Ok(Founded { token: self.begin_session(owner, visit, way).await?, domain })
    }

    /// Pages are served elsewhere from now on. Passkeys of another host name open nothing any more; ceremonies under way end.
    ///
    /// # Errors
    /// [`Failure::Unfit`] where an origin is not on the host.
    pub fn set_site(&self, site: &Site) -> Result<(), Failure> {
        let passkeys = Passkeys::new(site)?;
        *self.passkeys.write().unwrap_or_else(PoisonError::into_inner) = passkeys.into();
        Ok(())
    }

    /// What a link for a person's new password ends with; it opens it once, for [`PASSWORD_LINK_LASTS`]. Earlier ones are void. The
    /// password they have goes on until the link is used.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn password_link(&self, actor: &Actor, address: &str) -> Result<Secret, Failure> {
        let account = self.whom(actor, Role::HelpDesk, address).await?;
        let (token, until) = (self.make_token(), self.now().plus(PASSWORD_LINK_LASTS));
        let (hash, author) = (hash_of(token.expose()), actor.author());
        self.store.add_link(hash, LinkPurpose::Password, Some(account.key), until, &author).await?;
        Ok(token)
    }

    /// Whose password a link sets now.
    ///
    /// # Errors
    /// [`Failure::Absent`], in the same words for a used, an expired and an unknown one.
    pub async fn open_password_link(&self, token: &str) -> Result<LinkOwner, Failure> {
        let hash = hash_of_given(token).ok_or_else(void)?;
        let (_, address, name) = self.store.link_owner(&hash, LinkPurpose::Password).await?.ok_or_else(void)?;
        Ok(LinkOwner { address, name })
    }

    /// Sets a password by a link, which is used up. All sessions of the account end; its second factor stays, and is asked for when they
    /// sign in.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the link; [`Failure::Unfit`] on `password`.
    pub async fn use_password_link(&self, token: &str, password: Secret, visit: &Visit) -> Result<(), Failure> {
        let hash = hash_of_given(token).ok_or_else(void)?;
        let (account, address, name) = self.store.link_owner(&hash, LinkPurpose::Password).await?.ok_or_else(void)?;
        self.check_new_password(&password, &address, &name)?;
        let password_hash = self.hash_password(password).await?;
        let author =
            Author { name: readable(&address), account: Some(account), via: Via::Panel, peer: Some(visit.peer) };
        let is_used = self.store.use_password_link(hash, password_hash, &author).await?;
        if is_used { Ok(()) } else { Err(void()) }
    }

    /// What a link for one's own phone ends with: for [`DEVICE_LINK_LASTS`] it gives whoever opens it first an app password. Earlier
    /// ones are void.
    ///
    /// # Errors
    /// [`Failure::Failed`]; [`Failure::Clash`] where there are too many app passwords already.
    pub async fn own_device_link(&self, me: &Actor) -> Result<Secret, Failure> {
        let (account, _) = me.own()?;
        if self.store.app_passwords(account).await?.len() >= MAX_APP_PASSWORDS {
            return Err(too_many());
        }
        let (token, until) = (self.make_token(), self.now().plus(DEVICE_LINK_LASTS));
        let hash = hash_of(token.expose());
        self.store.add_link(hash, LinkPurpose::Device, Some(account), until, &me.author()).await?;
        Ok(token)
    }

    /// For whose mail a link sets up a device now; it is not used up.
    ///
    /// # Errors
    /// [`Failure::Absent`], in the same words for a used, an expired and an unknown one.
    pub async fn open_device_link(&self, token: &str) -> Result<LinkOwner, Failure> {
        let hash = hash_of_given(token).ok_or_else(void)?;
        let (_, address, name) = self.store.link_owner(&hash, LinkPurpose::Device).await?.ok_or_else(void)?;
        Ok(LinkOwner { address, name })
    }

    /// Makes an app password by a link, which is used up; it is called `device`, with a number where that name is taken.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the link; [`Failure::Clash`] where there are too many: then the link is as it was.
    pub async fn use_device_link(&self, token: &str, device: &str, visit: &Visit) -> Result<DevicePassword, Failure> {
        let hash = hash_of_given(token).ok_or_else(void)?;
        let found = self.store.link_owner(&hash, LinkPurpose::Device).await?;
        let (account, address, person) = found.ok_or_else(void)?;
        let others = self.store.app_passwords(account).await?;
        if others.len() >= MAX_APP_PASSWORDS {
            return Err(too_many());
        }
        let name = free_name(&name_of(device)?, &others);
        let author =
            Author { name: readable(&address), account: Some(account), via: Via::Panel, peer: Some(visit.peer) };
        self.store.use_device_link(hash).await?.ok_or_else(void)?;
        let protocols = Protocols::of(&[LoginProtocol::Imap, LoginProtocol::Smtp]);
        let made = self.login.add_app_password(&address, name.clone(), protocols, &author).await;
        let password = made.map_err(refused)?;
        Ok(DevicePassword { owner: LinkOwner { address, name: person }, name, password })
    }
}

/// `name`, or with the first number from 2 on that nobody has.
fn free_name(name: &str, others: &[AppPassword]) -> String {
    let numbered = (2..=others.len() + 1).map(|number| format!("{name} {number}"));
    let is_free = |name: &String| others.iter().all(|other| other.name != *name);
    std::iter::once(name.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

fn void() -> Failure {
    Failure::Absent(Text::new("link-void"))
}

/// What the first owner typed, or all that is wrong with it.
fn read(wanted: &SetUp, host: &str) -> Result<(Domain, Address), Failure> {
    let mut checks = Checks::default();
    let host_name = checks.take(checks::domain("host_name", &wanted.host_name));
    if host_name.is_some_and(|name| name.as_str() != host) {
        let host = Domain::parse(host).map_or_else(|_| host.to_owned(), |host| host.to_unicode());
        let why = Text::new("link-other-host").with("host", host);
        checks.note(Err(Complaint { field: "host_name", why }));
    }
    let domain = checks.take(checks::domain("domain", &wanted.domain));
    let address = checks.take(checks::address("address", &wanted.address));
    checks.note(checks::text("name", &wanted.name, MAX_TEXT_OCTETS));
    if let (Some(domain), Some(address)) = (&domain, &address)
        && address.domain != *domain
    {
        let why = Text::new("link-owner-elsewhere").with("domain", domain.to_unicode());
        checks.note(Err(Complaint { field: "address", why }));
    }
    checks.end(domain.zip(address))
}
