//! Aliases and forwards: added, changed, removed.

use relais_model::Address;
use relais_store::{
    Alias, AliasName, AliasNameError, AliasTerms, MAX_ALIAS_TEXT_OCTETS, MAX_SENDERS, MAX_TARGETS, Senders, fold,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AddressKind, AddressView, Addresses, kind_of};
use crate::checks::{self, Checks};
use crate::directory::{readable, readable_alias};
use crate::people::unknown;
use crate::{Actor, Complaint, Failure, Moment, Role, Text};

/// The greatest turn of a regular expression.
const MAX_TURN: u32 = 9999;

/// Who may send under an alias's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AliasSenders {
    /// Everybody here whom it leads to.
    #[default]
    Targets,
    /// Those who are named, and nobody else.
    People,
    /// Nobody.
    Nobody,
}

/// One alias, with all that is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AliasView {
    #[serde(flatten)]
    #[expect(missing_docs, reason = "it is the same view, and would be told twice")]
    pub address: AddressView,
    /// Who may send under its name.
    pub senders: AliasSenders,
    /// The people who may, where they are named.
    pub sender_people: Vec<String>,
    /// Of regular expressions, those with smaller numbers are asked first; of the same number, by name.
    pub turn: u32,
    /// What is said to who still writes to it after its end; empty: the house's own words.
    pub ended_text: String,
}

/// An alias that is to be added, or a forward: that is one that leads to another host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAlias {
    /// Its address, in a domain of ours; or a wildcard, `sales-*@example.org`; or a regular expression between slashes, `/sales-[0-9]+/@example.org`,
    /// which the whole local part must match.
    #[schema(example = "sales@example.org")]
    pub address: String,
    /// Where it leads: 1 to 500 addresses, here or elsewhere.
    pub targets: Vec<String>,
    /// Who may send under its name; where it isn't said: of one address those whom it leads to, of a pattern nobody.
    #[serde(default)]
    pub senders: Option<AliasSenders>,
    /// The people who may, where they are named: 1 to 100.
    #[serde(default)]
    pub sender_people: Vec<String>,
    /// Of regular expressions, those with smaller numbers are asked first: 0 to 9999.
    #[serde(default)]
    pub turn: u32,
    /// From when on mail for it is refused; none: it doesn't end.
    #[serde(default)]
    pub ends_at: Option<Moment>,
    /// What people note on it.
    #[serde(default)]
    pub note: String,
    /// What is said to who still writes to it after its end, in plain letters (ASCII): SMTP has no others.
    #[serde(default)]
    pub ended_text: String,
}

/// What is to be different; what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AliasChange {
    /// Where it leads: 1 to 500 addresses, here or elsewhere.
    pub targets: Option<Vec<String>>,
    /// Who may send under its name.
    pub senders: Option<AliasSenders>,
    /// The people who may, where they are named: 1 to 100.
    pub sender_people: Option<Vec<String>>,
    /// Of regular expressions, those with smaller numbers are asked first: 0 to 9999.
    pub turn: Option<u32>,
    /// From when on mail for it is refused; null: it doesn't end. To move the end of one that has ended brings it back.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Moment>)]
    pub ends_at: Option<Option<Moment>>,
    /// What people note on it.
    pub note: Option<String>,
    /// What is said to who still writes to it after its end, in plain letters (ASCII).
    pub ended_text: Option<String>,
}

impl Addresses {
    /// One alias or forward. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, actor: &Actor, address: &str) -> Result<AliasView, Failure> {
        actor.require(Role::HelpDesk)?;
        let alias = self.find(actor, address).await?;
        self.alias_view(alias).await
    }

    /// Adds an alias. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Unfit`], also where it would lead back to itself; [`Failure::Absent`] for a domain that isn't there;
    /// [`Failure::Clash`] on `address`.
    pub async fn create(&self, actor: &Actor, new: NewAlias) -> Result<AliasView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let mut checks = Checks::default();
        let name = checks.take(alias_name("address", &new.address));
        let is_pattern = name.as_ref().is_some_and(|name| name.exact().is_none());
        let senders = new.senders.unwrap_or(if is_pattern { AliasSenders::Nobody } else { AliasSenders::Targets });
        let targets = take_targets(&mut checks, &new.targets);
        let senders = take_senders(&mut checks, senders, &new.sender_people);
        check_texts(&mut checks, new.turn, &new.note, &new.ended_text);
        let ends_at = new.ends_at.map(|end| end.0);
        if ends_at.is_some_and(|end| end <= self.store.now()) {
            checks.note(Err(Complaint { field: "ends_at", why: Text::new("failure-alias-ended") }));
        }
        let ((name, targets), senders) = checks.end(name.zip(targets).zip(senders))?;
        actor.require_reach(name.domain())?;
        self.refuse_loop(&name, &targets).await?;
        let (note, ended_text) = (new.note.trim().to_owned(), new.ended_text.trim().to_owned());
        let terms = AliasTerms { targets, senders, turn: new.turn, ends_at, note, ended_text };
        let alias = self.store.add_alias_on(name, terms, &actor.author()).await?;
        self.alias_view(alias).await
    }

    /// Changes what is said of an alias; also brings one back that has ended. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Stale`]; [`Failure::Unfit`] as for [`Addresses::create`].
    pub async fn change(
        &self,
        actor: &Actor,
        address: &str,
        change: AliasChange,
        if_version: Option<&str>,
    ) -> Result<AliasView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let alias = self.find(actor, address).await?;
        let name = alias.address.clone();
        let (kind, people) = told_senders(&alias.senders);
        let mut terms = AliasTerms::from(alias);
        let mut checks = Checks::default();
        let targets = match &change.targets {
            Some(texts) => take_targets(&mut checks, texts),
            None => Some(std::mem::take(&mut terms.targets)),
        };
        let people = change.sender_people.unwrap_or(people);
        let senders = take_senders(&mut checks, change.senders.unwrap_or(kind), &people);
        terms.turn = change.turn.unwrap_or(terms.turn);
        terms.note = change.note.map_or(terms.note, |note| note.trim().to_owned());
        terms.ended_text = change.ended_text.map_or(terms.ended_text, |text| text.trim().to_owned());
        check_texts(&mut checks, terms.turn, &terms.note, &terms.ended_text);
        // An end in the past is one that it has now: to end an alias at once is a wish like another.
        terms.ends_at = change.ends_at.map_or(terms.ends_at, |end| end.map(|end| end.0));
        (terms.targets, terms.senders) = checks.end(targets.zip(senders))?;
        self.refuse_loop(&name, &terms.targets).await?;
        let version = checks::version(if_version)?;
        self.store.change_alias(&name, terms, version, &actor.author()).await?;
        self.show(actor, address).await
    }

    /// Removes an alias. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Stale`].
    pub async fn remove(&self, actor: &Actor, address: &str, if_version: Option<&str>) -> Result<(), Failure> {
        actor.require(Role::DomainAdmin)?;
        let alias = self.find(actor, address).await?;
        Ok(self.store.remove_alias(&alias.address, checks::version(if_version)?, &actor.author()).await?)
    }

    async fn find(&self, actor: &Actor, address: &str) -> Result<Alias, Failure> {
        let name = AliasName::parse(address).map_err(|_| unknown(address))?;
        actor.require_reach(name.domain()).map_err(|_| unknown(address))?;
        self.store.alias(name).await?.ok_or_else(|| unknown(address))
    }

    async fn alias_view(&self, alias: Alias) -> Result<AliasView, Failure> {
        let mut kind = kind_of(&alias.address);
        for target in &alias.targets {
            let is_ours = self.store.domain_key(&target.domain).await?.is_some()
                || self.store.domain_of_alias(&target.domain).await?.is_some();
            if !is_ours && kind == AddressKind::Alias {
                kind = AddressKind::Forward;
            }
        }
        let (senders, sender_people) = told_senders(&alias.senders);
        let kept = self.store.settings().removed_kept;
        Ok(AliasView {
            address: AddressView {
                kind,
                address: readable_alias(&alias.address),
                domain: alias.address.domain().to_unicode(),
                targets: alias.targets.iter().map(readable).collect(),
                name: String::new(),
                is_suspended: alias.ends_at.is_some_and(|end| end <= self.store.now()),
                ends_at: alias.ends_at.map(Moment),
                kept_until: alias.ends_at.map(|end| end.plus(kept).into()),
                note: alias.note,
                created_at: alias.created_at.into(),
                version: alias.version.to_string(),
            },
            senders,
            sender_people,
            turn: alias.turn,
            ended_text: alias.ended_text,
        })
    }
}

/// An alias's name as people type it.
pub(super) fn alias_name(field: &'static str, text: &str) -> Result<AliasName, Complaint> {
    AliasName::parse(text).map_err(|error| no_alias(field, text, &error))
}

pub(super) fn no_alias(field: &'static str, text: &str, error: &AliasNameError) -> Complaint {
    match error {
        AliasNameError::Address(_) => match checks::address(field, text) {
            Err(complaint) => complaint,
            Ok(_) => Complaint { field, why: Text::new("failure-address-form").with("text", text) },
        },
        AliasNameError::Expression(why) => {
            Complaint { field, why: Text::new("failure-alias-expression").with("why", why.as_str()) }
        }
    }
}

fn told_senders(senders: &Senders) -> (AliasSenders, Vec<String>) {
    match senders {
        Senders::Targets => (AliasSenders::Targets, Vec::new()),
        Senders::People(people) => (AliasSenders::People, people.iter().map(readable).collect()),
        Senders::Nobody => (AliasSenders::Nobody, Vec::new()),
    }
}

fn take_senders(checks: &mut Checks, senders: AliasSenders, people: &[String]) -> Option<Senders> {
    match senders {
        AliasSenders::Targets => return Some(Senders::Targets),
        AliasSenders::Nobody => return Some(Senders::Nobody),
        AliasSenders::People => {}
    }
    let texts = filled(people);
    if texts.is_empty() || texts.len() > MAX_SENDERS {
        let why = Text::new("failure-alias-senders").with("most", MAX_SENDERS);
        return checks.take(Err(Complaint { field: "sender_people", why }));
    }
    texts
        .into_iter()
        .map(|text| checks.take(checks::address("sender_people", text)))
        .collect::<Option<_>>()
        .map(Senders::People)
}

fn take_targets(checks: &mut Checks, texts: &[String]) -> Option<Vec<Address>> {
    let texts = filled(texts);
    if texts.is_empty() || texts.len() > MAX_TARGETS {
        let why = Text::new("failure-targets").with("most", MAX_TARGETS);
        return checks.take(Err(Complaint { field: "targets", why }));
    }
    let mut targets: Vec<Address> = Vec::new();
    for text in texts {
        let target = checks.take(checks::address("targets", text))?;
        if targets.iter().all(|known| fold(known) != fold(&target)) {
            targets.push(target);
        }
    }
    Some(targets)
}

/// What was typed, without what is empty.
fn filled(texts: &[String]) -> Vec<&str> {
    texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect()
}

fn check_texts(checks: &mut Checks, turn: u32, note: &str, ended_text: &str) {
    checks.note(checks::text("note", note.trim(), MAX_ALIAS_TEXT_OCTETS));
    checks.note(checks::text("ended_text", ended_text.trim(), MAX_ALIAS_TEXT_OCTETS));
    if !ended_text.is_ascii() {
        checks.note(Err(Complaint { field: "ended_text", why: Text::new("failure-alias-ended-text") }));
    }
    if turn > MAX_TURN {
        checks.note(Err(Complaint {
            field: "turn",
            why: Text::new("failure-number-large").with("most", u64::from(MAX_TURN)),
        }));
    }
}
