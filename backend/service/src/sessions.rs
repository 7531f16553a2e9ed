//! Sessions that are open, and their end.

use relais_model::Timestamp;
use relais_store::{SessionKey, SessionRow};

use crate::access::Access;
use crate::sign_in::SignedIn;
use crate::{Actor, Failure, Role, Text};

/// A session, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Names it.
    pub id: String,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// From where, then.
    pub ip: String,
    /// What the browser calls itself, shortened.
    pub agent: String,
    /// It is the one that asks.
    pub is_this: bool,
}

impl Access {
    /// One's own sessions, those seen last first; `relais_store::MAX_SESSIONS` at most.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn own_sessions(&self, me: &SignedIn) -> Result<Vec<OpenSession>, Failure> {
        let rows = self.store.sessions(me.account).await?;
        Ok(rows.into_iter().map(|row| show(row, Some(me.session))).collect())
    }

    /// Ends one of one's own sessions, maybe the one that asks.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn end_own_session(&self, me: &SignedIn, id: &str) -> Result<(), Failure> {
        let absent = || Failure::Absent(Text::new("session-absent"));
        let session = SessionKey::parse(id).ok_or_else(absent)?;
        let is_ended = self.store.end_session(me.account, session, &me.actor.author()).await?;
        if is_ended { Ok(()) } else { Err(absent()) }
    }

    /// Ends one's own sessions but the one that asks; tells how many.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn end_other_sessions(&self, me: &SignedIn) -> Result<u64, Failure> {
        Ok(self.store.end_sessions(me.account, Some(me.session), &me.actor.author()).await?)
    }

    /// One's own sessions, for who asks with a key.
    ///
    /// # Errors
    /// [`Failure::Absent`] for who has no account.
    pub async fn sessions_of_self(&self, actor: &Actor) -> Result<Vec<OpenSession>, Failure> {
        let rows = self.store.sessions(actor.own()?.0).await?;
        Ok(rows.into_iter().map(|row| show(row, None)).collect())
    }

    /// Ends one of one's own sessions, for who asks with a key.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn end_session_of_self(&self, actor: &Actor, id: &str) -> Result<(), Failure> {
        let absent = || Failure::Absent(Text::new("session-absent"));
        let (account, _) = actor.own()?;
        let session = SessionKey::parse(id).ok_or_else(absent)?;
        if self.store.end_session(account, session, &actor.author()).await? { Ok(()) } else { Err(absent()) }
    }

    /// A person's sessions, for who looks after them.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn sessions_of(&self, actor: &Actor, address: &str) -> Result<Vec<OpenSession>, Failure> {
        let account = self.whom(actor, Role::HelpDesk, address).await?;
        let rows = self.store.sessions(account.key).await?;
        Ok(rows.into_iter().map(|row| show(row, None)).collect())
    }

    /// Ends one session of a person.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn end_session_of(&self, actor: &Actor, address: &str, id: &str) -> Result<(), Failure> {
        let account = self.whom(actor, Role::HelpDesk, address).await?;
        let absent = || Failure::Absent(Text::new("session-absent"));
        let session = SessionKey::parse(id).ok_or_else(absent)?;
        let is_ended = self.store.end_session(account.key, session, &actor.author()).await?;
        if is_ended { Ok(()) } else { Err(absent()) }
    }

    /// Ends all sessions of a person; tells how many.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn end_sessions_of(&self, actor: &Actor, address: &str) -> Result<u64, Failure> {
        let account = self.whom(actor, Role::HelpDesk, address).await?;
        Ok(self.store.end_sessions(account.key, None, &actor.author()).await?)
    }
}

fn show(row: SessionRow, this: Option<SessionKey>) -> OpenSession {
    OpenSession {
        id: row.key.session_id(),
        created_at: row.created_at,
        seen_at: row.seen_at,
        ip: row.ip,
        agent: row.agent,
        is_this: this == Some(row.key),
    }
}
