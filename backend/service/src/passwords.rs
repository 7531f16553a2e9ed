//! Which passwords are good enough: one rule, wherever one is set.

use std::collections::HashSet;
use std::sync::LazyLock;

use relais_model::{Address, Secret};

use crate::access::Access;
use crate::people::unknown;
use crate::sign_in::SignedIn;
use crate::{Actor, Complaint, Failure, Role, Text, Visit};

/// The thousand that everybody tries first.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// Refuses a password of less than `shortest` characters, or too long, one that everybody tries first, or that is what it should protect.
///
/// # Errors
/// What is wrong, on `password`.
pub(crate) fn check_new_password(
    password: &Secret,
    shortest: u64,
    address: &Address,
    name: &str,
) -> Result<(), Complaint> {
    let plain = password.expose();
    let folded = plain.to_lowercase();
    let characters = u64::try_from(plain.chars().count()).unwrap_or(u64::MAX);
    let why = if characters < shortest {
        Text::new("password-too-short").with("shortest", shortest)
    } else if plain.len() > relais_reception::MAX_PASSWORD_OCTETS {
        Text::new("password-too-long").with("longest", relais_reception::MAX_PASSWORD_OCTETS)
    } else if COMMON.contains(folded.as_str()) || is_one_character(plain) {
        Text::new("password-too-common")
    } else if is_about(&folded, address, name) {
        Text::new("password-is-name")
    } else {
        return Ok(());
    };
    Err(Complaint { field: "password", why })
}

fn is_one_character(plain: &str) -> bool {
    let mut characters = plain.chars();
    let first = characters.next();
    characters.all(|character| Some(character) == first)
}

/// Whether it is the address, a part of it, or the person's name, also written together.
fn is_about(folded: &str, address: &Address, name: &str) -> bool {
    let name = name.to_lowercase();
    let together: String = name.split_whitespace().collect();
    let known = [
        address.to_string().to_lowercase(),
        format!("{}@{}", address.local_part, address.domain.to_unicode()).to_lowercase(),
        address.local_part.as_str().to_lowercase(),
        address.domain.as_str().to_lowercase(),
        address.domain.to_unicode(),
        name,
        together,
    ];
    known.iter().any(|known| known == folded)
}

impl Access {
    /// How many characters a new password has, at least.
    pub fn shortest_password(&self) -> u64 {
        self.store.settings().password_length
    }

    pub(crate) fn check_new_password(&self, new: &Secret, address: &Address, name: &str) -> Result<(), Complaint> {
        check_new_password(new, self.shortest_password(), address, name)
    }

    /// A person's own new password: the old one must be right, where there is one. Their session goes on under the token that comes
    /// back; their others end.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `old_password` or `password`; [`Failure::TooMany`]; [`Failure::Unproven`] where there is no old one.
    pub async fn change_password(
        &self,
        me: &SignedIn,
        old: Secret,
        new: Secret,
        visit: &Visit,
    ) -> Result<Secret, Failure> {
        self.check_new_password(&new, &me.address, &me.name)?;
        if me.has_password {
            self.check_password(&me.address.to_string(), old, visit.peer, "old_password").await?;
        } else {
            me.actor.require_proof()?;
        }
        let hash = self.hash_password(new).await?;
        let (token, step) = self.make_step(me.created_at, true);
        let author = me.actor.author();
        let is_done = self.store.change_own_password(me.account, hash, me.session, step, &author).await?;
        if is_done { Ok(token) } else { Err(Failure::Absent(Text::new("sign-in-lost"))) }
    }

    /// The asker's own new password, by a program: the old one must be right, where there is one. All their sessions end.
    ///
    /// # Errors
    /// [`Failure::Absent`] for who has no account; [`Failure::Unfit`] on `old_password` or `password`; [`Failure::TooMany`];
    /// [`Failure::Unproven`] where there is no old one; [`Failure::Forbidden`] for who comes from nowhere.
    pub async fn change_password_of_self(&self, actor: &Actor, old: Secret, new: Secret) -> Result<(), Failure> {
        let (key, address) = actor.own()?;
        let account = self.store.account(address).await?.ok_or_else(|| unknown(&address.to_string()))?;
        self.check_new_password(&new, address, &account.name)?;
        if account.has_password {
            let peer = actor.peer.ok_or_else(|| Failure::Forbidden(Text::new("failure-forbidden")))?;
            self.check_password(&address.to_string(), old, peer, "old_password").await?;
        } else {
            actor.require_proof()?;
        }
        let hash = self.hash_password(new).await?;
        Ok(self.store.set_password(key, hash, false, &actor.author()).await?)
    }

    /// A password that somebody else sets: all sessions of the person end, and with `must_change` they choose another when they sign in.
    ///
    /// # Errors
    /// [`Failure::Unproven`], [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Unfit`] on `password`.
    pub async fn set_password(
        &self,
        actor: &Actor,
        address: &str,
        new: Secret,
        must_change: bool,
    ) -> Result<(), Failure> {
        let account = self.whom(actor, Role::DomainAdmin, address).await?;
        actor.require_proof()?;
        self.check_new_password(&new, &account.address, &account.name)?;
        let hash = self.hash_password(new).await?;
        Ok(self.store.set_password(account.key, hash, must_change, &actor.author()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_passwords_are_refused_in_words() {
        let address = Address::parse("anna.weber@bücher.example").unwrap();
        let check = |password: &str, expected: Option<&str>| {
            let refused = check_new_password(&Secret::new(password), 8, &address, "Anna  Weber").err();
            assert_eq!(refused.map(|complaint| complaint.why.id).as_deref(), expected, "{password}");
        };
        check("", Some("password-too-short"));
        check("sevenn7", Some("password-too-short"));
        check("ééééééé", Some("password-too-short"));
        check(&"x1".repeat(513), Some("password-too-long"));
        check("Password", Some("password-too-common"));
        check("QWERTYUIOP", Some("password-too-common"));
        check("zzzzzzzzzzzz", Some("password-too-common"));
        check("Anna.Weber@BÜCHER.example", Some("password-is-name"));
        check("anna.weber@xn--bcher-kva.example", Some("password-is-name"));
        check("anna.weber", Some("password-is-name"));
        check("AnnaWeber", Some("password-is-name"));
        check("anna weber likes tea", None);
        check("eight ch", None);
        check(&"x1".repeat(512), None);
    }
}
