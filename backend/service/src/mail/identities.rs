//! As whom one writes: names and addresses with their signatures. Which addresses these may be is the rule of submission: one's own, with or
//! without a detail, aliases that lead to it, and what others lend. Who writes on behalf of another stands in Sender.

use relais_message::Named;
use relais_model::Address;
use relais_reading::Party;
use relais_store::{AccountKey, IdentityRow, Lent, WritingChoices};

use super::Mail;
use super::write::written;
use crate::{Actor, Failure, Text};

/// Characters of a name.
const MAX_NAME: usize = 100;
/// Characters of a signature.
const MAX_SIGNATURE: usize = 2000;

/// A name and address under which one writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "what is true of an identity, each by itself")]
pub struct WriterIdentity {
    /// May be empty.
    pub name: String,
    /// From.
    pub address: String,
    /// Where answers go, where that is elsewhere; else empty.
    pub reply_to: String,
    /// Plain text, with line ends as `\n`; may be empty.
    pub signature: String,
    /// New messages begin with it.
    pub is_default: bool,
    /// The account's own address: it stays.
    pub is_own: bool,
    /// The address is another's, and Sender says who writes.
    pub is_on_behalf: bool,
    /// The address is another's who lends it: it stays for as long as they do.
    pub is_lent: bool,
}

impl WriterIdentity {
    /// As it stands in From: `Ann <ann@example.org>`.
    pub fn written(&self) -> String {
        written(&Party { name: self.name.clone(), address: self.address.clone() })
    }

    fn of(row: IdentityRow, own: &Address) -> Self {
        Self {
            is_own: is_same(&row.address, own),
            name: row.name,
            address: row.address.to_string(),
            reply_to: row.reply_to.map(|address| address.to_string()).unwrap_or_default(),
            signature: row.signature,
            is_default: row.is_default,
            is_on_behalf: false,
            is_lent: false,
        }
    }
}

fn is_same(one: &Address, other: &Address) -> bool {
    one.to_string().eq_ignore_ascii_case(&other.to_string())
}

impl Mail {
    /// As whom one may write: where new messages begin first; one's own address among them, and those that others lend, kept or not. Those that may not be written from any
    /// more are left out.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn identities(&self, me: &Actor) -> Result<Vec<WriterIdentity>, Failure> {
        let (account, own) = me.own()?;
        let mut identities = Vec::new();
        for row in self.store.identities(account).await? {
            if let Some(how) = self.store.sends_as(account, &row.address).await? {
                let is_on_behalf = how == Lent::OnBehalf;
                identities.push(WriterIdentity { is_on_behalf, ..WriterIdentity::of(row, own) });
            }
        }
        if !identities.iter().any(|identity| identity.is_own) {
            let name = self.store.account(own).await?.filter(|found| found.key == account).map(|found| found.name);
            let identity = WriterIdentity {
                name: name.unwrap_or_default(),
                address: own.to_string(),
                is_own: true,
                ..WriterIdentity::default()
            };
            let at = identities.iter().filter(|identity| identity.is_default).count();
            identities.insert(at, identity);
        }
        for lent in self.store.lent_to(account).await? {
            let address = lent.address.to_string();
            if let Some(known) = identities.iter_mut().find(|known| known.address.eq_ignore_ascii_case(&address)) {
                known.is_lent = true;
                continue;
            }
            let is_on_behalf = lent.how == Lent::OnBehalf;
            let identity = WriterIdentity { name: lent.name, address, is_on_behalf, ..WriterIdentity::default() };
            identities.push(WriterIdentity { is_lent: true, ..identity });
        }
        if let Some(first) = identities.first_mut() {
            first.is_default = true;
        }
        Ok(identities)
    }

    /// Addresses that one may write from and has no identity for: aliases that lead here.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn other_addresses(&self, me: &Actor) -> Result<Vec<String>, Failure> {
        let (account, own) = me.own()?;
        let known = self.store.identities(account).await?;
        let mut others = self.store.aliases_to(own).await?;
        others.retain(|alias| !known.iter().any(|row| is_same(&row.address, alias)));
        Ok(others.iter().map(ToString::to_string).take(50).collect())
    }

    /// Keeps an identity, in the place of the one with its address.
    ///
    /// # Errors
    /// [`Failure::Unfit`]: on `address`, that it is none or not one's own; on `reply_to`, `name`, `signature`. [`Failure::Clash`]: there are too
    /// many.
    pub async fn keep_identity(&self, me: &Actor, identity: WriterIdentity) -> Result<(), Failure> {
        let (account, _) = me.own()?;
        let bad = |field, text: &str| Failure::unfit(field, Text::new("mail-bad-address").with("text", text));
        let address = Address::parse(identity.address.trim()).map_err(|_| bad("address", &identity.address))?;
        let reply_to = match identity.reply_to.trim() {
            "" => None,
            text => Some(Address::parse(text).map_err(|_| bad("reply_to", text))?),
        };
        if self.store.sends_as(account, &address).await?.is_none() {
            let why = Text::new("mail-identity-not-yours").with("address", address.to_string());
            return Err(Failure::unfit("address", why));
        }
        let too_long = |field| Failure::unfit(field, Text::new("mail-identity-too-long"));
        if identity.name.chars().count() > MAX_NAME {
            return Err(too_long("name"));
        }
        let signature = identity.signature.replace("\r\n", "\n").trim_end().to_owned();
        if signature.chars().count() > MAX_SIGNATURE {
            return Err(too_long("signature"));
        }
        let name = identity.name.trim().to_owned();
        let row = IdentityRow { address, name, reply_to, signature, is_default: identity.is_default };
        if self.store.keep_identity(account, row).await? {
            Ok(())
        } else {
            Err(Failure::clash("address", Text::new("mail-identities-too-many")))
        }
    }

    /// Forgets an identity; of one's own address, what was kept of it.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn remove_identity(&self, me: &Actor, address: &str) -> Result<(), Failure> {
        let (account, _) = me.own()?;
        let absent = || Failure::Absent(Text::new("mail-identity-gone"));
        let address = Address::parse(address).map_err(|_| absent())?;
        if self.store.remove_identity(account, &address).await? { Ok(()) } else { Err(absent()) }
    }

    /// How one writes.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn writing_choices(&self, me: &Actor) -> Result<WritingChoices, Failure> {
        Ok(self.store.writing_choices(me.own()?.0).await?)
    }

    /// Writes so from now on.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn choose_writing(&self, me: &Actor, choices: WritingChoices) -> Result<(), Failure> {
        Ok(self.store.set_writing_choices(me.own()?.0, choices).await?)
    }

    /// Who stands in Sender of what who asks writes from `address`; none: nobody. Whether they may write from it at all, submission says.
    pub(super) async fn sender(&self, me: &Actor, address: &Address) -> Result<Option<Named>, Failure> {
        let (account, own) = me.own()?;
        if self.store.sends_as(account, address).await? != Some(Lent::OnBehalf) {
            return Ok(None);
        }
        let name = self.store.account_by_key(account).await?.map(|found| found.name).unwrap_or_default();
        Ok(Some(Named { name, address: own.clone() }))
    }

    /// Where answers to what this account writes from `address` go.
    pub(super) async fn reply_to(&self, account: AccountKey, address: &Address) -> Result<Option<Address>, Failure> {
        let rows = self.store.identities(account).await?;
        Ok(rows.into_iter().find(|row| is_same(&row.address, address)).and_then(|row| row.reply_to))
    }
}
