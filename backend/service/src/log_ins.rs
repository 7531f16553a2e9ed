//! The history of log-ins: one's own, and those of people whom one looks after.

use relais_store::LoginRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Access;
use crate::{Actor, Failure, Moment, Paging, Role, Rows};

/// Log-ins of one kind: the same way, from the same network, at about the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogInView {
    /// When the first one came.
    pub first_at: Moment,
    /// When the last one came.
    pub last_at: Moment,
    /// How many they are.
    pub attempts: u64,
    /// `imap`, `pop3`, `smtp`, `sieve`, `web` or `api`.
    pub protocol: &'static str,
    /// From where the last one came.
    pub ip: String,
    /// The name, as it was typed.
    pub name: String,
    /// Whether they were let in.
    pub is_granted: bool,
    /// The app password's name; none: the account's own password, a passkey, or a wrong one.
    pub app_password: Option<String>,
    /// `password`; of browsers also `first_factor` (the second was still to come: they are not in), `second_factor`, `passkey`.
    pub way: &'static str,
}

impl From<LoginRow> for LogInView {
    fn from(row: LoginRow) -> Self {
        Self {
            first_at: row.first_at.into(),
            last_at: row.last_at.into(),
            attempts: row.attempts,
            protocol: row.protocol.as_str(),
            ip: row.ip,
            name: row.name,
            is_granted: row.is_granted,
            app_password: row.app_password,
            way: row.way.as_str(),
        }
    }
}

impl Access {
    /// One's own log-ins on all doors, the latest first.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn own_log_ins(&self, me: &Actor, paging: Paging) -> Result<Rows<LogInView>, Failure> {
        Ok(Rows::of(self.store.logins(me.own()?.0, &paging.page()).await?, LogInView::from))
    }

    /// A person's, for who looks after them.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn log_ins_of(&self, actor: &Actor, address: &str, paging: Paging) -> Result<Rows<LogInView>, Failure> {
        let account = self.whom(actor, Role::HelpDesk, address).await?;
        Ok(Rows::of(self.store.logins(account.key, &paging.page()).await?, LogInView::from))
    }
}
