//! Posts that wait for whoever looks after the list.

use relais_filing::list::post_onward;
use relais_model::SystemRandom;
use relais_reading::Letter;
use relais_store::{HeldPost, MailingList, MemberKey, PostKey, TraceId};
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::{ListRight, Lists, ListsWanted, TRIED_FOR};
use crate::paging::{Rows, page};
use crate::{Actor, Failure, Moment, Text};

/// Characters of a post that waits which are shown, at most.
const MAX_SHOWN: usize = 10_000;

/// A post that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldPostView {
    /// Names it.
    pub id: String,
    /// Who wrote it, as it says.
    pub author: String,
    /// Its subject.
    pub subject: String,
    /// Since when it waits.
    pub held_at: Moment,
}

/// What a post says that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldPostText {
    /// Names it.
    pub id: String,
    /// Who wrote it, as it says.
    pub author: String,
    /// Its subject.
    pub subject: String,
    /// Since when it waits.
    pub held_at: Moment,
    /// Its beginning, up to 10,000 characters; of HTML, what is read.
    pub text: String,
    /// What is with it, by name.
    pub files: Vec<String>,
}

impl Lists {
    /// Posts that wait. Help desk, and who looks after the list.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn posts(&self, actor: &Actor, list: &str, wanted: &ListsWanted) -> Result<Rows<HeldPostView>, Failure> {
        let (found, _) = self.find(actor, list, ListRight::See).await?;
        let page = page(wanted.after.as_deref(), wanted.limit);
        Ok(Rows::of(self.store.held_list_posts(found.key, &page).await?, held))
    }

    /// One post that waits, with what it says. Domain admin, and who looks after the list.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`], also where somebody has decided already.
    pub async fn post(&self, actor: &Actor, list: &str, id: &str) -> Result<HeldPostText, Failure> {
        let (found, _) = self.find(actor, list, ListRight::Run).await?;
        let HeldPost { key, author, subject, octets, held_at, .. } = self.held(&found, id).await?;
        let letter = spawn_blocking(move || Letter::read(&octets)).await.map_err(|_| Failure::Failed)?;
        let text = letter.text().chars().take(MAX_SHOWN).collect();
        let files = letter.files.into_iter().map(|file| file.name).filter(|name| !name.is_empty()).collect();
        Ok(HeldPostText { id: key.post_id(), author, subject, held_at: held_at.into(), text, files })
    }

    async fn held(&self, list: &MailingList, id: &str) -> Result<HeldPost, Failure> {
        let absent = || Failure::Absent(Text::new("failure-unknown-post"));
        let key = PostKey::parse(id).ok_or_else(absent)?;
        self.store.held_list_post(key).await?.filter(|post| post.list == list.key).ok_or_else(absent)
    }

    /// Lets a post go out, or turns it away. Domain admin, and who looks after the list.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`], also where somebody has decided already.
    pub async fn decide(&self, actor: &Actor, list: &str, id: &str, goes_out: bool) -> Result<(), Failure> {
        let (found, _) = self.find(actor, list, ListRight::Run).await?;
        let post = self.held(&found, id).await?;
        let key = post.key;
        if goes_out {
            let to = self.tokens().await?.more(&found.address, MemberKey::new(0));
            let now = self.store.now();
            let trace = TraceId::make(now, &SystemRandom);
            let onward = post_onward(&found.address, post.octets, post.reverse_path, to, trace, now.plus(TRIED_FOR));
            // First this: a post that goes out twice is better than one that is lost.
            self.store.accept(onward).await?;
        }
        self.store.drop_list_post(key).await?;
        Ok(())
    }
}

fn held(post: HeldPost) -> HeldPostView {
    HeldPostView { id: post.key.post_id(), author: post.author, subject: post.subject, held_at: post.held_at.into() }
}
