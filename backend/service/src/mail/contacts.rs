//! People whom one knows: kept by hand, brought as vCards, completed from when one writes.

use relais_model::Address;
use relais_reading::{Card, CardVersion, Party};
use relais_store::{AccountKey, ContactFilter, ContactRow, MAX_CONTACTS};
use serde::Serialize;
use utoipa::ToSchema;

use super::Mail;
use super::write::written;
use crate::{Actor, Failure, Text};

/// Contacts of one page.
pub const CONTACTS_AT_ONCE: u32 = 50;
/// Contacts that are read at once for a file.
const READ_AT_ONCE: u32 = 1000;
/// What completes a text, at most.
const MAX_COMPLETIONS: usize = 10;
/// Members of a group that are completed.
const MAX_MEMBERS: u32 = 100;

/// A page of contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactPage {
    /// By name.
    pub rows: Vec<Card>,
    /// In all.
    pub total: u64,
    /// All groups, and how many are in each.
    pub groups: Vec<(String, u64)>,
}

/// What came of a file of cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct CardsImported {
    /// Kept.
    pub kept: u64,
    /// For which there was no room.
    pub left_out: u64,
}

impl Mail {
    /// Contacts that hold `text`, of a group or of all, by name.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn contacts(&self, me: &Actor, text: &str, group: &str, offset: u32) -> Result<ContactPage, Failure> {
        let (account, _) = me.own()?;
        let (text, group) = (text.trim().chars().take(100).collect(), group.chars().take(100).collect());
        let filter = ContactFilter { text, group, offset, limit: CONTACTS_AT_ONCE };
        let (rows, total) = self.store.contacts(account, &filter).await?;
        let groups = self.store.contact_groups(account).await?.into_iter().collect();
        Ok(ContactPage { rows: rows.iter().filter_map(card).collect(), total, groups })
    }

    /// Keeps a contact, in the place of the one whose `uid` it has; what of that isn't shown stays.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `name` or `addresses`; [`Failure::Clash`]: there is no room; [`Failure::Absent`]: that one is gone.
    pub async fn keep_contact(&self, me: &Actor, typed: Card) -> Result<(), Failure> {
        let (account, _) = me.own()?;
        for address in &typed.addresses {
            if Address::parse(address).is_err() {
                return Err(Failure::unfit("addresses", Text::new("mail-bad-address").with("text", address.as_str())));
            }
        }
        if typed.name.trim().is_empty() && typed.addresses.is_empty() {
            return Err(Failure::unfit("name", Text::new("mail-contact-nobody")));
        }
        let others = if typed.uid.is_empty() {
            Vec::new()
        } else {
            let known = self.store.contact(account, &typed.uid).await?.as_ref().and_then(card);
            let known = known.ok_or_else(|| Failure::Absent(Text::new("mail-contact-gone")))?;
            // The name is another now: what it was made of would say the old one.
            known.others.into_iter().filter(|line| known.name == typed.name || !is_name(line)).collect()
        };
        let card = Card { others, ..typed };
        let kept = self.store.keep_contacts(account, vec![self.row(card)?]).await?;
        if kept == 0 { Err(Failure::clash("name", too_many())) } else { Ok(()) }
    }

    /// Forgets a contact.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn remove_contact(&self, me: &Actor, uid: &str) -> Result<(), Failure> {
        let gone = self.store.remove_contact(me.own()?.0, uid).await?;
        if gone { Ok(()) } else { Err(Failure::Absent(Text::new("mail-contact-gone"))) }
    }

    /// Brings cards; one with the name of a card that is there takes its place.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `file`: there is no card in it.
    pub async fn import_contacts(&self, me: &Actor, text: &str) -> Result<CardsImported, Failure> {
        self.keep_cards(me.own()?.0, text).await
    }

    /// As [`Mail::import_contacts`], for whom the caller made sure of.
    pub(crate) async fn keep_cards(&self, account: AccountKey, text: &str) -> Result<CardsImported, Failure> {
        let cards = Card::read_all(text);
        if cards.is_empty() {
            return Err(Failure::unfit("file", Text::new("mail-contacts-no-card")));
        }
        let rows = cards.into_iter().map(|card| self.row(card)).collect::<Result<Vec<_>, _>>()?;
        let all = rows.len() as u64;
        let kept = self.store.keep_contacts(account, rows).await?;
        Ok(CardsImported { kept, left_out: all.saturating_sub(kept) })
    }

    /// All contacts as one file of cards.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn export_contacts(&self, me: &Actor, version: CardVersion) -> Result<String, Failure> {
        self.all_cards(me.own()?.0, version).await
    }

    /// As [`Mail::export_contacts`], for whom the caller made sure of.
    pub(crate) async fn all_cards(&self, account: AccountKey, version: CardVersion) -> Result<String, Failure> {
        let mut file = String::new();
        let mut offset = 0;
        loop {
            let filter = ContactFilter { offset, limit: READ_AT_ONCE, ..ContactFilter::default() };
            let (rows, _) = self.store.contacts(account, &filter).await?;
            rows.iter().filter_map(card).for_each(|card| file.push_str(&card.write(version)));
            if rows.len() < READ_AT_ONCE as usize || i64::from(offset) > MAX_CONTACTS {
                return Ok(file);
            }
            offset += READ_AT_ONCE;
        }
    }

    /// What completes what is typed: contacts, groups with all their members, and, if one wants that, addresses that one has written to.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn completions(&self, me: &Actor, text: &str) -> Result<Vec<String>, Failure> {
        let (account, _) = me.own()?;
        let text: String = text.trim().chars().take(100).collect();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut found: Vec<String> = Vec::new();
        let filter = ContactFilter { text: text.clone(), limit: 10, ..ContactFilter::default() };
        for card in self.store.contacts(account, &filter).await?.0.iter().filter_map(card) {
            found.extend(card.addresses.iter().map(|address| named(&card.name, address)));
        }
        if self.store.contact_groups(account).await?.contains_key(&text.to_lowercase()) {
            let filter = ContactFilter { group: text.clone(), limit: MAX_MEMBERS, ..ContactFilter::default() };
            let members = self.store.contacts(account, &filter).await?.0;
            let members =
                members.iter().filter_map(card).filter_map(|card| Some(named(&card.name, card.addresses.first()?)));
            found.insert(0, members.collect::<Vec<_>>().join(", "));
        }
        let suggests_written = self.store.writing_choices(account).await?.suggests_written;
        let written_to =
            if suggests_written { self.store.acquaintances(account, &text, 10).await? } else { Vec::new() };
        for address in written_to {
            let address = address.to_string();
            if !found.iter().any(|known| known.contains(&address)) {
                found.push(address);
            }
        }
        found.truncate(MAX_COMPLETIONS);
        Ok(found)
    }

    fn row(&self, card: Card) -> Result<ContactRow, Failure> {
        let uid = match card.uid.as_str() {
            "" => self.new_id()?.trim_matches(['<', '>']).to_owned(),
            uid => uid.chars().take(200).collect(),
        };
        let card = Card { uid: uid.clone(), ..card };
        let words =
            [card.name.as_str(), &card.addresses.join(" "), &card.organisation, &card.phones.join(" ")].join(" ");
        let groups = card.groups.iter().map(|group| group.replace('\n', " ")).collect();
        Ok(ContactRow { uid, name: card.name.clone(), words, groups, card: card.write(CardVersion::Four) })
    }
}

fn card(row: &ContactRow) -> Option<Card> {
    Card::read_all(&row.card).into_iter().next()
}

fn is_name(line: &str) -> bool {
    line.split([';', ':']).next().is_some_and(|name| name.eq_ignore_ascii_case("N"))
}

fn named(name: &str, address: &str) -> String {
    let name = if name == address { String::new() } else { name.to_owned() };
    written(&Party { name, address: address.to_owned() })
}

fn too_many() -> Text {
    Text::new("mail-contacts-too-many").with("most", MAX_CONTACTS.unsigned_abs())
}
