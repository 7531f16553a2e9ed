//! Senders who are always let in, or never: for an account, a domain, or the house.

use relais_model::{Address, Timestamp};
use serde_json::json;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::audit::{Author, Deed};
use crate::directory::fold;
use crate::page::{Listing, Page};
use crate::sql::{self, Select};
use crate::{AccountKey, DomainKey, SenderRuleKey, Store, StoreError};

/// Rules of one scope, at most.
pub const MAX_SENDER_RULES: u64 = 1000;

/// For whom a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleScope {
    /// For one account.
    Account(AccountKey),
    /// For all of a domain.
    Domain(DomainKey),
    /// For all.
    House,
}

impl RuleScope {
    pub(crate) const fn columns(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Account(account) => (Some(account.value()), None),
            Self::Domain(domain) => (None, Some(domain.value())),
            Self::House => (None, None),
        }
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRule {
    /// Its row.
    pub key: SenderRuleKey,
    /// For whom.
    pub scope: RuleScope,
    /// An address as addresses are compared, or a domain.
    pub sender: String,
    /// Let in; else kept out.
    pub is_allowed: bool,
    /// Since when.
    pub created_at: Timestamp,
}

/// A rule that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSenderRule {
    /// For whom.
    pub scope: RuleScope,
    /// An address, or a domain.
    pub sender: String,
    /// Let in; else kept out.
    pub is_allowed: bool,
}

/// Why a rule wasn't made.
#[derive(Debug, thiserror::Error)]
pub enum SenderRuleError {
    /// There are [`MAX_SENDER_RULES`].
    #[error("there are as many rules as there may be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for SenderRuleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

const COLUMNS: &str = "rule_key, account_key, domain_key, sender, is_allowed, created_at";

impl Store {
    /// Makes a rule; where there is one of the sender, it says the new thing from now on.
    ///
    /// # Errors
    /// [`SenderRuleError::TooMany`].
    pub async fn set_sender_rule(&self, by: &Author, new: NewSenderRule) -> Result<SenderRule, SenderRuleError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let (account, domain) = new.scope.columns();
                let sql = "SELECT COUNT(*) FROM sender_rule WHERE COALESCE(account_key, 0) = $1 AND COALESCE(domain_key, 0) = $2";
                let query = sqlx::query_scalar(sql).bind(account.unwrap_or(0)).bind(domain.unwrap_or(0));
                let count: i64 = query.fetch_one(&mut *tx).await?;
                if MAX_SENDER_RULES <= count.unsigned_abs() {
                    return Err(SenderRuleError::TooMany);
                }
                let sql = format!(
                    "INSERT INTO sender_rule (rule_key, account_key, domain_key, sender, is_allowed, created_at)
                     VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (COALESCE(account_key, 0), COALESCE(domain_key, 0), sender)
                     DO UPDATE SET is_allowed = excluded.is_allowed RETURNING {COLUMNS}"
                );
                let row = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(scribe.next_key())
                    .bind(account)
                    .bind(domain)
                    .bind(new.sender)
                    .bind(i64::from(new.is_allowed))
                    .bind(scribe.now().millis())
                    .fetch_one(&mut *tx)
                    .await?;
                let rule = read(&row)?;
                scribe.note(tx, deed("sender_rule.set", &rule)).await?;
                Ok(rule)
            })
        })
        .await
    }

    /// Takes the rule of a sender away; whether there was one.
    pub async fn remove_sender_rule(&self, by: &Author, scope: RuleScope, sender: &str) -> Result<bool, StoreError> {
        let (scribe, sender) = (self.scribe(by), sender.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let (account, domain) = scope.columns();
                let sql = format!(
                    "DELETE FROM sender_rule WHERE sender = $1 AND COALESCE(account_key, 0) = $2 AND COALESCE(domain_key, 0) = $3
                     RETURNING {COLUMNS}"
                );
                let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(sender);
                let query = query.bind(account.unwrap_or(0)).bind(domain.unwrap_or(0));
                let Some(row) = query.fetch_optional(&mut *tx).await? else { return Ok(false) };
                scribe.note(tx, deed("sender_rule.remove", &read(&row)?)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The rules of a scope whose senders contain `search`, the latest first.
    pub async fn sender_rules(
        &self,
        scope: RuleScope,
        search: Option<&str>,
        page: &Page,
    ) -> Result<Listing<SenderRule>, StoreError> {
        let (account, domain) = scope.columns();
        let mut select = Select::new(format!("SELECT {COLUMNS} FROM sender_rule WHERE COALESCE(account_key, 0) = "));
        select.value(account.unwrap_or(0)).say(" AND COALESCE(domain_key, 0) = ").value(domain.unwrap_or(0));
        select.say(" AND rule_key < ").value(page.before_key());
        if let Some(search) = search {
            select.say(" AND sender LIKE ").value(sql::containing(&search.to_lowercase())).say(" ESCAPE '\\'");
        }
        select.say(" ORDER BY rule_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let rules = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(rules, |rule| rule.key.value()))
    }
}

/// Whom a rule may name that holds of a sender, the nearest first: the address, its domain, the domains above.
pub(super) fn senders(sender: &Address) -> Vec<String> {
    let mut names = vec![fold(sender)];
    let mut domain = sender.domain.as_str();
    loop {
        names.push(domain.to_owned());
        match domain.split_once('.') {
            Some((_, above)) if above.contains('.') => domain = above,
            _ => return names,
        }
    }
}

/// The rule that holds for an account, whose domain is `domain`, of those that name one of `names`.
pub(super) fn nearest<'r>(
    rules: &'r [SenderRule],
    account: AccountKey,
    domain: Option<DomainKey>,
    names: &[String],
) -> Option<&'r SenderRule> {
    let nearness = |rule: &SenderRule| match rule.scope {
        RuleScope::Account(whose) => (whose == account).then_some(0),
        RuleScope::Domain(whose) => (Some(whose) == domain).then_some(1),
        RuleScope::House => Some(2),
    };
    let ranked = rules.iter().filter_map(|rule| Some((nearness(rule)?, rule)));
    let place = |rule: &SenderRule| names.iter().position(|name| *name == rule.sender);
    ranked.min_by_key(|(nearness, rule)| (*nearness, place(rule))).map(|(_, rule)| rule)
}

/// As two columns have it.
pub(super) const fn scope(account: Option<AccountKey>, domain: Option<DomainKey>) -> RuleScope {
    match (account, domain) {
        (Some(account), _) => RuleScope::Account(account),
        (None, Some(domain)) => RuleScope::Domain(domain),
        (None, None) => RuleScope::House,
    }
}

fn deed(act: &'static str, rule: &SenderRule) -> Deed {
    let (about, domain) = rule.scope.columns();
    let told = json!({ "sender": rule.sender, "is_allowed": rule.is_allowed });
    let domain = domain.map(DomainKey::new);
    Deed { act, subject: rule.sender.clone(), about, domain, after: Some(told), ..Deed::default() }
}

fn read(row: &AnyRow) -> Result<SenderRule, StoreError> {
    let key = |column: usize| row.try_get::<Option<i64>, _>(column);
    Ok(SenderRule {
        key: SenderRuleKey::new(row.try_get(0)?),
        scope: scope(key(1)?.map(AccountKey::new), key(2)?.map(DomainKey::new)),
        sender: row.try_get(3)?,
        is_allowed: row.try_get::<i64, _>(4)? != 0,
        created_at: Timestamp::from_millis(row.try_get(5)?),
    })
}
