//! Many accounts at once, from CSV: `address,name,password,hash,quota` with a header line, columns in any order.

use relais_model::Secret;
use relais_reception::is_known_hash;
use relais_store::NewAccount;
use serde::{Deserialize, Serialize};

use crate::directory::address;
use crate::{ActFailure, Answer, Password, Service};

/// Lines of one import, at most.
const MAX_LINES: usize = 100_000;

/// What an import did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ImportReport {
    /// Accounts that are here now.
    pub added: u64,
    /// Lines that weren't taken, and why. The others are in.
    pub refused: Vec<ImportRefusal>,
}

/// A line that wasn't taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportRefusal {
    /// Counted from 1; the header is line 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
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

impl Service {
    pub(crate) async fn import_accounts(&self, csv: Password) -> Result<Answer, ActFailure> {
        let text = csv.secret();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.expose().as_bytes());
        let headers = reader.headers().map_err(|error| ActFailure::Bad(format!("no CSV: {error}")))?.clone();
        if !headers.iter().any(|column| column == "address") {
            return Err(ActFailure::Bad(
                "the first line must name the columns: address,name,password,hash,quota".into(),
            ));
        }
        let mut report = ImportReport::default();
        for (at, record) in reader.records().enumerate() {
            if at >= MAX_LINES {
                return Err(ActFailure::Bad(format!("more than {MAX_LINES} lines: import the rest in another file")));
            }
            let line = record.as_ref().ok().and_then(csv::StringRecord::position).map_or(0, csv::Position::line);
            let parsed = record.and_then(|record| record.deserialize::<Line>(Some(&headers)));
            let outcome = match parsed {
                Ok(parsed) => self.import_line(parsed).await,
                Err(error) => Err(error.to_string()),
            };
            match outcome {
                Ok(()) => report.added += 1,
                Err(reason) => report.refused.push(ImportRefusal { line, reason }),
            }
        }
        Ok(Answer::Imported(report))
    }

    async fn import_line(&self, line: Line) -> Result<(), String> {
        let address = address(&line.address).map_err(|failure| failure.to_string())?;
        let password_hash = match (line.password.as_str(), line.hash.as_str()) {
            ("", "") => return Err("neither password nor hash".to_owned()),
            ("", hash) if is_known_hash(hash) => Secret::new(hash),
            ("", _) => return Err("the hash is of a kind that we don't know".to_owned()),
            (password, "") => self.login.hash(Secret::new(password)).await.map_err(|error| error.to_string())?,
            _ => return Err("a password and a hash: one of them, please".to_owned()),
        };
        let new = NewAccount { address, name: line.name, password_hash, quota_octets: line.quota };
        self.store.add_account(new).await.map(drop).map_err(|error| ActFailure::from(error).to_string())
    }
}
