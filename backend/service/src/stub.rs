//! Stands in for the sign-in until it is merged.
use crate::{Actor, Failure, Service};
use relais_model::Secret;

/// Who has signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub actor: Actor,
    /// Name.
    pub name: String,
    /// Language.
    pub language: Option<String>,
    /// Theme.
    pub theme: String,
}

impl Service {
    /// The session.
    pub async fn session(&self, _token: &Secret) -> Result<Option<SignedIn>, Failure> {
        Ok(None)
    }
    /// CSRF.
    pub fn csrf(&self, seed: &str) -> String {
        seed.to_owned()
    }
}
