//! The lists that somebody is on, and those that they look after.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Lists;
use crate::directory::readable;
use crate::paging::{Rows, page};
use crate::people::unknown;
use crate::{Actor, Failure};

/// Which of one's own lists are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OwnListsWanted {
    /// Those alone that one looks after.
    pub is_owner: bool,
    /// A text in the address or title.
    pub search: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// A list that who asks is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnListView {
    /// Its address.
    #[schema(example = "team@example.org")]
    pub address: String,
    /// What it is about.
    pub title: String,
    /// Who asks looks after it.
    pub is_owner: bool,
    /// How many are on it; null for who doesn't look after it.
    pub members: Option<u64>,
    /// How many posts wait for an owner; null for who doesn't look after it.
    pub held: Option<u64>,
}

impl Lists {
    /// Lists that who asks is on, by their account's own address or one that leads to it alone. Everybody.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn own(&self, actor: &Actor, wanted: &OwnListsWanted) -> Result<Rows<OwnListView>, Failure> {
        let (_, me) = actor.own()?;
        let (page, text) = (page(wanted.after.as_deref(), wanted.limit), wanted.search.as_deref());
        // In the same order: all of this page that they look after are among them.
        let run = self.store.lists_of(me, true, text, &page).await?;
        let found = if wanted.is_owner { run.clone() } else { self.store.lists_of(me, false, text, &page).await? };
        Ok(Rows::of(found, |list| {
            let is_owner = run.rows.iter().any(|run| run.key == list.key);
            OwnListView {
                address: readable(&list.address),
                title: list.terms.title,
                is_owner,
                members: is_owner.then_some(list.members),
                held: is_owner.then_some(list.held),
            }
        }))
    }

    /// Whether who asks looks after a list that they are on. Everybody.
    ///
    /// # Errors
    /// [`Failure::Absent`] where they aren't on it.
    pub async fn is_owned(&self, actor: &Actor, list: &str) -> Result<bool, Failure> {
        let (_, me) = actor.own()?;
        let found = self.any(list).await?;
        let member = self.store.list_standing(found.key, me).await?;
        Ok(member.ok_or_else(|| unknown(list))?.is_owner)
    }

    /// Who asks leaves a list. Everybody.
    ///
    /// # Errors
    /// [`Failure::Absent`] where they aren't on it.
    pub async fn leave_own(&self, actor: &Actor, list: &str) -> Result<(), Failure> {
        let (_, me) = actor.own()?;
        let found = self.any(list).await?;
        let member = self.store.list_standing(found.key, me).await?.ok_or_else(|| unknown(list))?;
        let has_left = self.store.leave_list(found.key, &member.address, &actor.author()).await?;
        if has_left { Ok(()) } else { Err(unknown(list)) }
    }
}
