//! Accounts at DNS providers: the list, adding one with the provider's own fields, renewing its key, removing it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    DnsAccountChange, DnsAccountView, DnsProviderField, DnsProviderKind, Failure, NewDnsAccount, Password, Rows, Text,
};
use serde::{Deserialize, Serialize};

use crate::kit::{
    Choice, Complaints, Form, Frame, ListQuery, Oops, Owner, Pager, Routes, Time, again, done, query, shown,
};
use crate::panel::question::QuestionPage;
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::DNS_ACCOUNTS, list)
        .get(path::DNS_ACCOUNT_NEW, new_form)
        .post(path::DNS_ACCOUNT_NEW, add)
        .get(path::DNS_ACCOUNT, edit_form)
        .post(path::DNS_ACCOUNT, edit)
        .get(path::DNS_ACCOUNT_REMOVE, remove_form)
        .post(path::DNS_ACCOUNT_REMOVE, remove)
}

#[derive(Debug, Template)]
#[template(path = "panel/dns/accounts.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    provider: String,
    zones: String,
    created: Time,
}

impl ListPage {
    fn of(frame: Frame, found: Rows<DnsAccountView>, is_first: bool) -> Self {
        let with = |after: String| ListQuery { after, ..ListQuery::default() };
        let row = |account: DnsAccountView| Row {
            href: path::of(path::DNS_ACCOUNTS, &account.id),
            provider: frame.tell(&account.provider_name),
            zones: account.zones.join(", "),
            created: frame.time(account.created_at.0),
            name: account.name,
        };
        Self {
            pager: Pager::of(&frame, path::DNS_ACCOUNTS, found.rows.len(), found.next.as_deref(), is_first, with),
            rows: found.rows.into_iter().map(row).collect(),
            frame,
        }
    }
}

async fn list(owner: Owner, State(web): State<Web>, Query(fields): Query<ListQuery>) -> Oops {
    let found = web.service().dns.accounts(&owner.actor, fields.paging()).await?;
    Ok(shown(&ListPage::of(owner.frame(&web), found, fields.after.is_empty())))
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct NewQuery {
    provider: String,
    domain: String,
}

/// First the provider is chosen: each wants other things.
#[derive(Debug, Template)]
#[template(path = "panel/dns/providers.html")]
struct ProvidersPage {
    frame: Frame,
    providers: Vec<(String, String)>,
}

impl ProvidersPage {
    fn of(frame: Frame, kinds: &[DnsProviderKind], domain: &str) -> Self {
        let link = |kind: &DnsProviderKind| {
            let asked = NewQuery { provider: kind.id.to_owned(), domain: domain.to_owned() };
            (format!("{}?{}", path::DNS_ACCOUNT_NEW, query(&asked)), frame.tell(&kind.name))
        };
        Self { providers: kinds.iter().map(link).collect(), frame }
    }
}

/// What was typed, by the fields' names; it may hold a key, so none of it is printed.
type Typed = BTreeMap<String, Password>;

#[derive(Debug, Template)]
#[template(path = "panel/dns/account.html")]
struct AccountPage {
    frame: Frame,
    complaints: Complaints,
    /// The account's name, where it is changed; empty where it is new.
    edited: String,
    provider: String,
    provider_name: String,
    name: String,
    domain: String,
    action: String,
    remove: String,
    fields: Vec<Field>,
    turns_keys: bool,
}

/// What the provider wants to be told.
#[derive(Debug)]
struct Field {
    id: &'static str,
    label: String,
    help: String,
    error: String,
    value: String,
    is_secret: bool,
    /// A key that is kept need not be typed again.
    is_required: bool,
    choices: Vec<Choice>,
}

impl Field {
    fn of(frame: &Frame, field: &DnsProviderField, typed: &Typed, complaints: &Complaints, is_new: bool) -> Self {
        // A key is never sent back.
        let value = if field.is_secret { String::new() } else { said(typed, field.id) };
        Self {
            id: field.id,
            label: frame.tell(&field.label),
            help: frame.tell(&field.help),
            error: complaints.about(field.id).to_owned(),
            is_secret: field.is_secret,
            is_required: is_new || !field.is_secret,
            choices: field.choices.iter().map(|one| Choice::new(one, (*one).to_owned(), &value)).collect(),
            value,
        }
    }
}

impl AccountPage {
    fn of(
        frame: Frame,
        kind: &DnsProviderKind,
        edited: Option<&DnsAccountView>,
        typed: &Typed,
        complaints: Complaints,
    ) -> Self {
        let here = edited.map(|account| path::of(path::DNS_ACCOUNTS, &account.id));
        let is_new = edited.is_none();
        Self {
            edited: edited.map(|account| account.name.clone()).unwrap_or_default(),
            provider: kind.id.to_owned(),
            provider_name: frame.tell(&kind.name),
            name: said(typed, "name"),
            domain: said(typed, "domain"),
            remove: here.as_ref().map(|here| format!("{here}/remove")).unwrap_or_default(),
            action: here.unwrap_or_else(|| path::DNS_ACCOUNT_NEW.to_owned()),
            fields: kind.fields.iter().map(|field| Field::of(&frame, field, typed, &complaints, is_new)).collect(),
            turns_keys: !said(typed, TURNS_KEYS).is_empty(),
            complaints,
            frame,
        }
    }
}

/// The field of the switch.
const TURNS_KEYS: &str = "turns_keys";

fn kind_of(kinds: Vec<DnsProviderKind>, id: &str) -> Result<DnsProviderKind, Failure> {
    let absent = || Failure::Absent(Text::new("dns-accounts-no-provider"));
    kinds.into_iter().find(|kind| kind.id == id).ok_or_else(absent)
}

async fn new_form(owner: Owner, State(web): State<Web>, Query(asked): Query<NewQuery>) -> Oops {
    let kinds = web.service().dns.providers(&owner.actor)?;
    let frame = owner.frame(&web);
    if asked.provider.is_empty() {
        return Ok(shown(&ProvidersPage::of(frame, &kinds, &asked.domain)));
    }
    let kind = kind_of(kinds, &asked.provider)?;
    let typed = Typed::from([("domain".to_owned(), Password::new(asked.domain))]);
    Ok(shown(&AccountPage::of(frame, &kind, None, &typed, Complaints::default())))
}

/// The provider's own fields of a form.
fn settings(kind: &DnsProviderKind, typed: &Typed) -> BTreeMap<String, Password> {
    let field = |field: &DnsProviderField| typed.get(field.id).map(|value| (field.id.to_owned(), value.clone()));
    kind.fields.iter().filter_map(field).collect()
}

fn said(typed: &Typed, name: &str) -> String {
    typed.get(name).map(|value| value.expose().trim().to_owned()).unwrap_or_default()
}

async fn add(owner: Owner, State(web): State<Web>, Form(typed): Form<Typed>) -> Oops {
    let dns = &web.service().dns;
    let kind = kind_of(dns.providers(&owner.actor)?, &said(&typed, "provider"))?;
    let new = NewDnsAccount {
        provider: kind.id.to_owned(),
        name: said(&typed, "name"),
        settings: settings(&kind, &typed),
        domain: said(&typed, "domain"),
        turns_keys: !said(&typed, TURNS_KEYS).is_empty(),
    };
    match dns.add_account(&owner.actor, new).await {
        Ok(account) => Ok(done(path::DNS_ACCOUNTS, Text::new("dns-accounts-added").with("name", account.name))),
        Err(failure) => {
            let frame = owner.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&AccountPage::of(frame, &kind, None, &typed, complaints)))
        }
    }
}

async fn edit_form(owner: Owner, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    let dns = &web.service().dns;
    let account = dns.account(&owner.actor, &id).await?;
    let kind = kind_of(dns.providers(&owner.actor)?, &account.provider)?;
    let typed = kept(&account);
    Ok(shown(&AccountPage::of(owner.frame(&web), &kind, Some(&account), &typed, Complaints::default())))
}

/// What the form of an account says before anything is typed.
fn kept(account: &DnsAccountView) -> Typed {
    let mut typed: Typed =
        account.settings.iter().map(|(id, value)| (id.clone(), Password::new(value.as_str()))).collect();
    typed.insert("name".to_owned(), Password::new(account.name.as_str()));
    if account.turns_keys {
        typed.insert(TURNS_KEYS.to_owned(), Password::new("on"));
    }
    typed
}

async fn edit(owner: Owner, State(web): State<Web>, Path(id): Path<String>, Form(typed): Form<Typed>) -> Oops {
    let dns = &web.service().dns;
    let account = dns.account(&owner.actor, &id).await?;
    let kind = kind_of(dns.providers(&owner.actor)?, &account.provider)?;
    let change = DnsAccountChange {
        name: Some(said(&typed, "name")),
        settings: settings(&kind, &typed),
        domain: None,
        turns_keys: Some(!said(&typed, TURNS_KEYS).is_empty()),
    };
    match dns.change_account(&owner.actor, &id, change).await {
        Ok(_) => Ok(done(path::DNS_ACCOUNTS, Text::new("saved"))),
        Err(failure) => {
            let frame = owner.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&AccountPage::of(frame, &kind, Some(&account), &typed, complaints)))
        }
    }
}

fn ask_to_remove(frame: Frame, account: &DnsAccountView) -> QuestionPage {
    let back = path::of(path::DNS_ACCOUNTS, &account.id);
    let key = Text::new("dns-accounts-goes-key").with("provider", frame.tell(&account.provider_name));
    QuestionPage {
        title: frame.tell(&Text::new("dns-accounts-remove-title").with("name", account.name.as_str())),
        text: frame.say("dns-accounts-remove-text"),
        goes: vec![frame.tell(&key), frame.say("dns-accounts-goes-undo")],
        action: format!("{back}/remove"),
        act: frame.say("dns-accounts-remove"),
        back: path::DNS_ACCOUNTS.to_owned(),
        kind: "danger",
        version: String::new(),
        frame,
    }
}

async fn remove_form(owner: Owner, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    let account = web.service().dns.account(&owner.actor, &id).await?;
    Ok(shown(&ask_to_remove(owner.frame(&web), &account)))
}

async fn remove(owner: Owner, State(web): State<Web>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Oops {
    let dns = &web.service().dns;
    let account = dns.account(&owner.actor, &id).await?;
    dns.remove_account(&owner.actor, &id).await?;
    Ok(done(path::DNS_ACCOUNTS, Text::new("dns-accounts-removed").with("name", account.name)))
}

#[cfg(test)]
mod tests {
    use super::super::report::samples::at;
    use super::*;
    use crate::kit::samples::draw;

    fn kind() -> DnsProviderKind {
        let field = |id, is_secret, choices| DnsProviderField {
            id,
            label: Text::new("dns-provider-rfc2136-secret"),
            help: Text::new("dns-provider-rfc2136-secret-help"),
            is_secret,
            choices,
        };
        DnsProviderKind {
            id: "rfc2136",
            name: Text::new("dns-provider-rfc2136"),
            fields: vec![
                field("server", false, &[]),
                field("algorithm", false, &["hmac-sha256", "hmac-sha512"]),
                field("secret", true, &[]),
            ],
        }
    }

    fn account() -> DnsAccountView {
        DnsAccountView {
            id: "1".to_owned(),
            provider: "rfc2136".to_owned(),
            provider_name: Text::new("dns-provider-rfc2136"),
            name: "Our own".to_owned(),
            settings: BTreeMap::from([("server".to_owned(), "ns1.example.org".to_owned())]),
            zones: vec!["example.org".to_owned()],
            turns_keys: true,
            created_at: at(-5000),
        }
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame| {
            let found = |rows| Rows { rows, next: None };
            vec![
                ListPage::of(frame.clone(), found(vec![account()]), true),
                ListPage::of(frame, found(Vec::new()), false),
            ]
        });
        draw(|frame| vec![ProvidersPage::of(frame, &[kind()], "example.org")]);
        draw(|frame| {
            let typed = Typed::from([("algorithm".to_owned(), Password::new("hmac-sha512"))]);
            let why = Failure::unfit("secret", Text::new("dns-provider-form-missing"));
            let complaints = Complaints::of(&frame, why).unwrap();
            vec![
                AccountPage::of(frame.clone(), &kind(), None, &typed, complaints),
                AccountPage::of(frame, &kind(), Some(&account()), &kept(&account()), Complaints::default()),
            ]
        });
        draw(|frame| vec![ask_to_remove(frame, &account())]);
    }

    #[test]
    fn no_field_but_the_providers_own_goes_to_it() {
        let typed = ["csrf", "name", "provider", "domain", "server", "secret"]
            .map(|name| (name.to_owned(), Password::new("x")));
        let sent = settings(&kind(), &Typed::from(typed));
        assert_eq!(sent.keys().map(String::as_str).collect::<Vec<_>>(), ["secret", "server"]);
    }
}
