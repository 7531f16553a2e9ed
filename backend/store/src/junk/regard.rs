//! What accounts know of who sent a message: all that the filter asks about it, in one crossing to the database.

use std::collections::HashMap;

use relais_model::{Address, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::acquaintances::acquainted;
use super::lessons::ModelVersion;
use super::reputation::Kind;
use super::rules::{nearest, scope, senders};
use super::{Acquainted, Origin, Reputation, SenderRule};
use crate::directory::fold;
use crate::sql::{self, Select};
use crate::{AccountKey, DomainKey, SenderRuleKey, Store, StoreError};

/// What one account knows of who sent a message, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regard {
    /// Whose.
    pub account: AccountKey,
    /// The nearest rule of the sender: the account's own before its domain's before the house's, an address's before a domain's,
    /// that before those of the domains above.
    pub rule: Option<SenderRule>,
    /// Whether it has written to the sender.
    pub acquainted: Acquainted,
    /// What it has read and kept of who sent it.
    pub reputation: Reputation,
    /// It waits for a code now.
    pub awaits_code: bool,
    /// Which state its filter's model is in; none: it has taught nothing.
    pub model: Option<ModelVersion>,
}

impl Regard {
    /// Of who knows nothing.
    const fn none(account: AccountKey) -> Self {
        let reputation = Reputation { author: 0, signer: 0, network: 0 };
        Self { account, rule: None, acquainted: Acquainted::Stranger, reputation, awaits_code: false, model: None }
    }
}

impl Store {
    /// What each of these accounts knows of who sent a message, in their order. `sender`: the author as the header names them; `origin`:
    /// what of it was proved. One that is gone knows nothing.
    pub async fn regard(
        &self,
        accounts: &[AccountKey],
        sender: Option<&Address>,
        origin: &Origin,
    ) -> Result<Vec<Regard>, StoreError> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let names = sender.map(senders).unwrap_or_default();
        let question = question(accounts, sender.map(|sender| (sender, &*names)), origin);
        let rows = question.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let mut told = Told::default();
        for row in &rows {
            told.hear(row, self.now())?;
        }
        Ok(accounts.iter().map(|account| told.regard(*account, &names)).collect())
    }
}

/// What a row says, by its first column. All have the same columns: the account, four numbers, a text.
const ACCOUNT: i64 = 1;
const WRITTEN_TO: i64 = 2;
const REPUTATION: i64 = 3;
const RULE: i64 = 4;
const MODEL: i64 = 5;

/// One SELECT with a part for each thing that is asked; each part has an index of its own.
fn question(accounts: &[AccountKey], sender: Option<(&Address, &[String])>, origin: &Origin) -> Select {
    let none = "CAST(NULL AS BIGINT)";
    let mut select = Select::new(format!(
        "SELECT {ACCOUNT}, account_key, domain_key, awaits_code_until, {none}, {none}, CAST(NULL AS TEXT) FROM account WHERE account_key IN "
    ));
    list(&mut select, accounts);
    select.say(&format!(
        " UNION ALL SELECT {MODEL}, account_key, changed_at, learnt_ham, learnt_junk, {none}, NULL FROM junk_model WHERE account_key IN "
    ));
    list(&mut select, accounts);
    let names = origin.names();
    if !names.is_empty() {
        select.say(&format!(
            " UNION ALL SELECT {REPUTATION}, account_key, kind, wanted, {none}, {none}, NULL FROM reputation WHERE account_key IN "
        ));
        list(&mut select, accounts);
        select.say(" AND ").any(&names, |select, (kind, name)| {
            select.say(&format!("(kind = {} AND name = ", *kind as i64)).value(name.as_str()).say(")");
        });
    }
    let Some((sender, names)) = sender else { return select };
    select.say(&format!(" UNION ALL SELECT {WRITTEN_TO}, account_key, CAST(MAX(CASE WHEN folded = "));
    select.value(fold(sender));
    select.say(&format!(
        " THEN 2 ELSE 1 END) AS BIGINT), {none}, {none}, {none}, NULL FROM acquaintance WHERE account_key IN "
    ));
    list(&mut select, accounts);
    select.say(" AND domain = ").value(sender.domain.as_str()).say(" GROUP BY account_key");
    select.say(&format!(
        " UNION ALL SELECT {RULE}, account_key, domain_key, is_allowed, created_at, rule_key, sender FROM sender_rule WHERE "
    ));
    select.any(names, |select, name| {
        select.say("sender = ").value(name.as_str());
    });
    select.say(" AND (account_key IS NULL OR account_key IN ");
    list(&mut select, accounts);
    select.say(")");
    select
}

/// `($1, $2, …)`, filled up so that there are few texts.
fn list(select: &mut Select, accounts: &[AccountKey]) {
    let filled = accounts.iter().chain(std::iter::repeat_n(accounts, accounts.len()).flatten());
    for (at, account) in filled.take(sql::padded(accounts.len())).enumerate() {
        select.say(if at == 0 { "(" } else { ", " }).value(account.value());
    }
    select.say(")");
}

/// What the rows have said so far.
#[derive(Default)]
struct Told {
    regards: HashMap<AccountKey, (Option<DomainKey>, Regard)>,
    rules: Vec<SenderRule>,
}

impl Told {
    fn hear(&mut self, row: &AnyRow, now: Timestamp) -> Result<(), StoreError> {
        let number = |column: usize| row.try_get::<Option<i64>, _>(column);
        let count = |column: usize| number(column).map(|count| count.unwrap_or(0).unsigned_abs());
        let (what, account) = (row.try_get::<i64, _>(0)?, number(1)?.map(AccountKey::new));
        if what == RULE {
            self.rules.push(SenderRule {
                key: SenderRuleKey::new(row.try_get(5)?),
                scope: scope(account, number(2)?.map(DomainKey::new)),
                sender: row.try_get(6)?,
                is_allowed: count(3)? != 0,
                created_at: Timestamp::from_millis(row.try_get(4)?),
            });
            return Ok(());
        }
        let Some(account) = account else { return Ok(()) };
        let (domain, regard) = self.regards.entry(account).or_insert_with(|| (None, Regard::none(account)));
        match what {
            ACCOUNT => {
                *domain = number(2)?.map(DomainKey::new);
                regard.awaits_code = number(3)?.is_some_and(|until| until > now.millis());
            }
            WRITTEN_TO => regard.acquainted = acquainted(number(2)?),
            REPUTATION => regard.reputation.set(Kind::of(number(2)?), count(3)?),
            _ => {
                let changed_at = Timestamp::from_millis(row.try_get(2)?);
                regard.model = Some(ModelVersion { changed_at, ham: count(3)?, junk: count(4)? });
            }
        }
        Ok(())
    }

    fn regard(&self, account: AccountKey, names: &[String]) -> Regard {
        let Some((domain, regard)) = self.regards.get(&account) else { return Regard::none(account) };
        let rule = nearest(&self.rules, account, *domain, names).cloned();
        Regard { rule, ..regard.clone() }
    }
}
