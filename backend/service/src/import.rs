//! Many accounts at once, from CSV: `address,name,password,hash,quota` with a header line, columns in any order.

use std::collections::{HashMap, HashSet};

use relais_model::Secret;
use relais_reception::is_known_hash;
use relais_store::{DomainKey, NewAccount};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::readable;
use crate::{Actor, Complaint, Failure, NewPerson, Password, People, Role, Text};

/// Lines of one import, at most: each password takes a while to be hashed.
const MAX_PEOPLE: usize = 2000;

/// What an import of people did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeopleImported {
    /// Nothing was done: the lines were only looked at.
    pub is_dry_run: bool,
    /// The addresses that are here now, or would be.
    pub added: Vec<String>,
    /// Lines that weren't taken, and why. The others are in.
    pub refused: Vec<PersonRefused>,
}

/// A line that wasn't taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonRefused {
    /// Counted from 1; the header is line 1.
    pub line: u64,
    /// The address that stands in it; empty where none can be read.
    pub address: String,
    /// The columns that are at fault, empty for none in particular, with what is wrong.
    #[serde(skip)]
    pub complaints: Vec<Complaint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    address: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    /// Of another system: `{SHA512-CRYPT}…`, `$2y$…`.
    #[serde(default)]
    hash: String,
    /// Octets; empty: no limit.
    #[serde(default)]
    quota: Option<u64>,
}

impl People {
    /// Adds many people, each as a user; a line that can't be taken doesn't stop the others. The first line names the columns: `address`, and any
    /// of `name`, `password`, `hash` (of another system), `quota` (octets). With neither password nor hash only a password link lets them in.
    /// A dry run finds all that an import would refuse, but for what others do meanwhile. Domain admin, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Unproven`]; [`Failure::Unfit`] on `csv` where it is none, or too long.
    pub async fn import(&self, actor: &Actor, csv: Password, is_dry_run: bool) -> Result<PeopleImported, Failure> {
        actor.require(Role::DomainAdmin)?;
        actor.require_proof()?;
        let text = csv.secret();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.expose().as_bytes());
        let headers = reader.headers().cloned().unwrap_or_default();
        if !headers.iter().any(|column| column == "address") {
            return Err(Failure::unfit("csv", Text::new("failure-csv-columns")));
        }
        let records: Vec<_> = reader.records().take(MAX_PEOPLE + 1).collect();
        if records.len() > MAX_PEOPLE {
            return Err(Failure::unfit("csv", Text::new("failure-csv-long").with("most", MAX_PEOPLE)));
        }
        let mut imported = PeopleImported { is_dry_run, ..PeopleImported::default() };
        let mut planned = Planned::default();
        for record in records {
            let line = record.as_ref().map_or_else(csv::Error::position, csv::StringRecord::position);
            let line = line.map_or(0, csv::Position::line);
            let parsed = record.and_then(|record| record.deserialize::<Line>(Some(&headers)));
            let (address, taken) = match parsed {
                Ok(parsed) => {
                    let address = parsed.address.clone();
                    (address, self.import_one(actor, parsed, is_dry_run.then_some(&mut planned)).await)
                }
                Err(_) => (String::new(), Err(Failure::unfit("", Text::new("failure-csv-line")))),
            };
            match taken {
                Ok(added) => imported.added.push(added),
                // The house fails: what follows would fail as well.
                Err(failure @ Failure::Failed) => return Err(failure),
                Err(failure) => {
                    imported.refused.push(PersonRefused { line, address, complaints: failure.complaints() });
                }
            }
        }
        Ok(imported)
    }

    async fn import_one(&self, actor: &Actor, line: Line, planned: Option<&mut Planned>) -> Result<String, Failure> {
        let hash = match (line.password.as_str(), line.hash.as_str()) {
            (_, "") => None,
            ("", hash) if is_known_hash(hash) => Some(Secret::new(hash)),
            ("", _) => return Err(Failure::unfit("hash", Text::new("failure-csv-hash"))),
            _ => return Err(Failure::unfit("hash", Text::new("failure-csv-both"))),
        };
        let password = Some(line.password).filter(|password| !password.is_empty()).map(Password::new);
        let new = NewPerson {
            address: line.address,
            name: line.name,
            password,
            role: Role::User,
            domains: Vec::new(),
            quota_octets: line.quota.map(Some),
            language: None,
        };
        let (account, password) = self.check(actor, new).await?;
        let shown = readable(&account.address);
        if let Some(planned) = planned {
            self.plan(planned, &account.address).await?;
            return Ok(shown);
        }
        let password_hash = match password {
            Some(password) => Some(self.hash(password).await?),
            None => hash,
        };
        self.add(actor, NewAccount { password_hash, ..account }).await?;
        Ok(shown)
    }
}

/// What a dry run would have added so far.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    /// Folded addresses.
    pub(crate) addresses: HashSet<String>,
    /// Of each domain how many.
    pub(crate) people: HashMap<DomainKey, u64>,
}
