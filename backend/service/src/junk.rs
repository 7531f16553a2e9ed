//! Mail that nobody wants: what one's filter has learnt, whom one lets in or keeps out, and waiting for a code.

use std::time::Duration;

use relais_model::{Address, Domain};
use relais_store::{DomainKey, NewSenderRule, Page, RuleScope, SenderRule, SenderRuleError, fold};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Actor, Failure, Moment, Paging, Role, Rows, Service, Text};

/// So long nobody is asked to come again who writes to whom waits for a code.
const CODE_PATIENCE: Duration = Duration::from_mins(15);

/// One's own filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnJunk {
    /// The house filters strangers' mail.
    pub is_on: bool,
    /// Messages that it has learnt from as wanted.
    pub learnt_ham: u64,
    /// Messages that it has learnt from as junk.
    pub learnt_junk: u64,
    /// Authors of whom one has read and kept mail.
    pub known_authors: u64,
    /// Domains with whose signature one has read and kept mail.
    pub known_signers: u64,
    /// Networks from which one has read and kept mail.
    pub known_networks: u64,
    /// Until then no stranger is asked to come again; none: whoever has bad signs is.
    pub awaits_code_until: Option<Moment>,
}

/// A sender who is let in, or kept out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SenderRuleView {
    /// An address, or a domain with all below it; it names the rule.
    #[schema(example = "news.example")]
    pub sender: String,
    /// Let in, unless the sender is forged; else kept out.
    pub is_allowed: bool,
    /// Since when.
    pub created_at: Moment,
}

impl From<SenderRule> for SenderRuleView {
    fn from(rule: SenderRule) -> Self {
        Self { sender: rule.sender, is_allowed: rule.is_allowed, created_at: rule.created_at.into() }
    }
}

/// A rule that is to be made. Of a sender that has one, it says the new thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SenderRuleForm {
    /// An address, or a domain with all below it.
    #[schema(example = "ann@friend.example")]
    pub sender: String,
    /// Let in; else kept out.
    pub is_allowed: bool,
}

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RulesOf<'a> {
    /// One's own.
    Mine,
    /// A domain's: for who manages it.
    Domain(&'a str),
    /// The house's: for its owner.
    House,
}

impl Service {
    /// What one's own filter has learnt.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn own_junk(&self, me: &Actor) -> Result<OwnJunk, Failure> {
        let (account, _) = me.own()?;
        let counts = self.store.learnt_counts(account).await?;
        let known = self.store.reputation_counts(account).await?;
        Ok(OwnJunk {
            is_on: self.store.settings().junk_filter,
            learnt_ham: counts.ham,
            learnt_junk: counts.junk,
            known_authors: known.authors,
            known_signers: known.signers,
            known_networks: known.networks,
            awaits_code_until: self.store.awaits_code_until(account).await?.map(Into::into),
        })
    }

    /// Waits for a code, for a quarter of an hour, or no longer.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn await_code(&self, me: &Actor, waits: bool) -> Result<OwnJunk, Failure> {
        let until = waits.then(|| self.store.now().plus(CODE_PATIENCE));
        self.store.await_code(me.own()?.0, until).await?;
        self.own_junk(me).await
    }

    /// Forgets all that one's own filter has learnt, and whom it knows by what one has read.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn forget_learnt(&self, me: &Actor) -> Result<(), Failure> {
        self.store.forget_learnt(me.own()?.0).await?;
        Ok(())
    }

    /// Who is let in and kept out, the latest first; with `search`, those whose names contain it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn sender_rules(
        &self,
        by: &Actor,
        of: RulesOf<'_>,
        search: Option<&str>,
        paging: &Paging,
    ) -> Result<Rows<SenderRuleView>, Failure> {
        let scope = self.rule_scope(by, of).await?;
        let page = Page { after: paging.after.clone(), limit: paging.limit };
        let search = search.map(str::trim).filter(|search| !search.is_empty());
        Ok(Rows::of(self.store.sender_rules(scope, search, &page).await?, SenderRuleView::from))
    }

    /// Lets a sender in, or keeps them out.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `sender`; [`Failure::Clash`] where there are too many; [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn set_sender_rule(
        &self,
        by: &Actor,
        of: RulesOf<'_>,
        form: &SenderRuleForm,
    ) -> Result<SenderRuleView, Failure> {
        let scope = self.rule_scope(by, of).await?;
        let new = NewSenderRule { scope, sender: sender(&form.sender)?, is_allowed: form.is_allowed };
        let made = self.store.set_sender_rule(&by.author(), new).await;
        made.map(Into::into).map_err(|error| match error {
            SenderRuleError::TooMany => {
                Failure::clash("", Text::new("sender-rule-too-many").with("most", relais_store::MAX_SENDER_RULES))
            }
            SenderRuleError::Failed(error) => error.into(),
        })
    }

    /// Takes the rule of a sender away.
    ///
    /// # Errors
    /// [`Failure::Absent`], [`Failure::Forbidden`].
    pub async fn remove_sender_rule(&self, by: &Actor, of: RulesOf<'_>, sender: &str) -> Result<(), Failure> {
        let scope = self.rule_scope(by, of).await?;
        let absent = || Failure::Absent(Text::new("sender-rule-absent").with("sender", sender));
        let sender = self::sender(sender).map_err(|_| absent())?;
        let was_there = self.store.remove_sender_rule(&by.author(), scope, &sender).await?;
        if was_there { Ok(()) } else { Err(absent()) }
    }

    async fn rule_scope(&self, by: &Actor, of: RulesOf<'_>) -> Result<RuleScope, Failure> {
        Ok(match of {
            RulesOf::Mine => RuleScope::Account(by.own()?.0),
            RulesOf::Domain(name) => RuleScope::Domain(self.domain_to_rule(by, name).await?),
            RulesOf::House => {
                by.require(Role::Owner)?;
                RuleScope::House
            }
        })
    }

    async fn domain_to_rule(&self, by: &Actor, name: &str) -> Result<DomainKey, Failure> {
        by.require(Role::DomainAdmin)?;
        let unknown = || Failure::Absent(Text::new("failure-unknown-domain").with("domain", name));
        let domain = Domain::parse(name).map_err(|_| unknown())?;
        by.require_reach(&domain)?;
        self.store.domain_key(&domain).await?.ok_or_else(unknown)
    }
}

/// As addresses are compared.
fn sender(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    let address = Address::parse(text).ok().map(|address| fold(&address));
    let domain = || Domain::parse(text.trim_start_matches('@')).ok().map(|domain| domain.to_string());
    address.or_else(domain).ok_or_else(|| Failure::unfit("sender", Text::new("sender-rule-bad")))
}
