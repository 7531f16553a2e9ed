//! Stands in for the sign-in until it is merged.
#![allow(missing_docs, clippy::missing_const_for_fn, clippy::unused_async, reason = "goes away with the merge")]
use std::net::IpAddr;
use std::time::Duration;

use relais_model::{Address, Secret, Timestamp};
use relais_store::AccountKey;

use crate::{Actor, Failure};

pub const SESSION_LONGEST: Duration = Duration::from_hours(30 * 24);

#[derive(Debug, Clone)]
pub struct SignedIn {
    pub actor: Actor,
    pub account: AccountKey,
    pub address: Address,
    pub name: String,
    pub language: String,
    pub theme: String,
    pub must_change_password: bool,
    pub has_password: bool,
    pub has_second_factor: bool,
    pub passkeys: u64,
    pub created_at: Timestamp,
}

#[derive(Debug)]
pub enum SignIn {
    Whole(Secret),
    SecondFactor(Secret),
}

#[derive(Debug)]
pub struct Pending {
    pub address: Address,
    pub has_passkeys: bool,
}

#[derive(Debug, Clone)]
pub struct Visit {
    pub peer: IpAddr,
    pub agent: String,
}

#[derive(Debug, Clone)]
pub struct Access;

impl Access {
    pub async fn sign_in(&self, _: &str, _: Secret, _: &Visit) -> Result<SignIn, Failure> {
        Err(Failure::Failed)
    }
    pub async fn pending(&self, _: &str) -> Result<Option<Pending>, Failure> {
        Ok(None)
    }
    pub async fn sign_in_second(&self, _: &str, _: &str) -> Result<Secret, Failure> {
        Err(Failure::Failed)
    }
    pub async fn session(&self, _: &str, _: IpAddr) -> Result<Option<SignedIn>, Failure> {
        Ok(None)
    }
    pub async fn prove(&self, _: &SignedIn, _: Secret, _: &Visit) -> Result<Secret, Failure> {
        Err(Failure::Failed)
    }
    pub async fn sign_out(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }
    pub fn csrf(&self, token: &str) -> String {
        token.to_owned()
    }
    pub fn is_csrf(&self, token: &str, given: &str) -> bool {
        token == given
    }
    pub fn make_visitor(&self) -> Secret {
        Secret::new("x")
    }
}
