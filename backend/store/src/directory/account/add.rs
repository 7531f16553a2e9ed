//! An account begins.

use relais_model::{Address, Domain, Secret};
use sqlx::AnyConnection;

use super::{Account, AccountState, Role, check_text, deed, names, octets, refuse_taken, told, write_state};
use crate::audit::Scribe;
use crate::directory::domain::{refuse_full, take_domain};
use crate::directory::{DirectoryError, fold, present};
use crate::key::Keys;
use crate::{AccountKey, Author, Store, mailbox};

/// What an account starts with.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// In a domain of ours.
    pub address: Address,
    /// The person's name; may be empty; up to 1,000 octets.
    pub name: String,
    /// The password's hash in a form that `reception`'s log-in knows, up to 1,000 octets; none: no password lets them in.
    pub password_hash: Option<Secret>,
    /// Octets it may hold; none: no limit.
    pub quota_octets: Option<u64>,
    /// What they may do.
    pub role: Role,
    /// The domains that they serve.
    pub domains: Vec<Domain>,
    /// The language that they read (RFC 5646); may be empty.
    pub language: String,
    /// A team: a user without a password.
    pub is_team: bool,
}

impl NewAccount {
    /// A user's, without name, password or limit.
    pub const fn user(address: Address) -> Self {
        Self {
            address,
            name: String::new(),
            password_hash: None,
            quota_octets: None,
            role: Role::User,
            domains: Vec::new(),
            language: String::new(),
            is_team: false,
        }
    }

    /// A team's, without limit.
    pub fn team(address: Address) -> Self {
        Self { is_team: true, ..Self::user(address) }
    }
}

impl Store {
    /// Adds an account with INBOX, Drafts, Sent, Junk, Trash and Archive.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], also for a domain to serve; [`DirectoryError::AddressTaken`], [`DirectoryError::AddressRemoved`],
    /// [`DirectoryError::TooManyPeople`]; [`DirectoryError::Unfit`] where a text is too long.
    pub async fn add_account(&self, new: NewAccount, by: &Author) -> Result<Account, DirectoryError> {
        let (scribe, keys) = (self.scribe(by), self.inner.keys.clone());
        let added =
            self.change_routes(move |tx| Box::pin(async move { add_account_in(tx, &keys, &scribe, new).await }));
        present(self.account_by_key(added.await?).await?)
    }

    /// Refuses an address that [`Store::add_account`] and [`Store::add_alias`] would refuse as taken.
    ///
    /// # Errors
    /// [`DirectoryError::AddressTaken`], [`DirectoryError::AddressRemoved`].
    pub async fn refuse_taken_address(&self, address: &Address) -> Result<(), DirectoryError> {
        refuse_taken(&mut *self.reader().await?, address).await
    }
}

/// Adds an account in the transaction under way.
pub(crate) async fn add_account_in(
    tx: &mut AnyConnection,
    keys: &Keys,
    scribe: &Scribe,
    new: NewAccount,
) -> Result<AccountKey, DirectoryError> {
    let hash = new.password_hash.unwrap_or_else(|| Secret::new(""));
    check_text(hash.expose())?;
    if new.is_team && (new.role != Role::User || !hash.expose().is_empty()) {
        return Err(DirectoryError::Unfit("a team has no role and no password"));
    }
    let state = AccountState {
        name: new.name,
        quota_octets: new.quota_octets.map(octets),
        role: new.role,
        domains: if new.role.serves_domains() { names(&new.domains) } else { Vec::new() },
        language: new.language,
        ..AccountState::default()
    };
    state.check()?;
    let address = new.address;
    let domain = take_domain(tx, &address.domain, scribe.now()).await?;
    refuse_taken(tx, &address).await?;
    refuse_full(tx, domain).await?;
    let key = AccountKey::new(scribe.next_key());
    let sql = "INSERT INTO account (account_key, domain_key, folded, address, name, password_hash, created_at, is_team)
               VALUES ($1, $2, $3, $4, '', $5, $6, $7)";
    sqlx::query(sql)
        .bind(key.value())
        .bind(domain.value())
        .bind(fold(&address))
        .bind(address.to_string())
        .bind(hash.expose())
        .bind(scribe.now().millis())
        .bind(i64::from(new.is_team))
        .execute(&mut *tx)
        .await?;
    write_state(tx, (key, &address), &state, scribe).await?;
    mailbox::create_standard(tx, keys, scribe.now(), key).await?;
    let deed = deed("person.create", key, &address, domain);
    scribe.note(tx, deed.between(None, told(&state))).await?;
    Ok(key)
}
