//! What was typed, looked at before it is used: each fault is a complaint about its field, and all are told at once.

use relais_model::{Address, AddressError, Domain};
use relais_store::Version;
use serde::{Deserialize, Deserializer};

use crate::{Complaint, Failure, Text};

/// Octets of a name or a description, at most.
pub(crate) const MAX_TEXT_OCTETS: usize = 1000;

/// 2^53 - 1.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// What is wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    complaints: Vec<Complaint>,
}

impl Checks {
    /// The value, or a complaint more.
    pub(crate) fn take<T>(&mut self, checked: Result<T, Complaint>) -> Option<T> {
        checked.map_err(|complaint| self.complaints.push(complaint)).ok()
    }

    /// As [`Checks::take`], where there is no value.
    pub(crate) fn note(&mut self, checked: Result<(), Complaint>) {
        let _is_fit = self.take(checked);
    }

    /// An address that may be left out: an empty field is as none.
    pub(crate) fn optional_address(&mut self, field: &'static str, text: Option<&str>) -> Option<Address> {
        let text = text.map(str::trim).filter(|text| !text.is_empty())?;
        self.take(address(field, text))
    }

    /// What was taken, where nothing is wrong.
    ///
    /// # Errors
    /// [`Failure::Unfit`] with all complaints.
    pub(crate) fn end<T>(self, taken: Option<T>) -> Result<T, Failure> {
        match taken {
            Some(taken) if self.complaints.is_empty() => Ok(taken),
            _ => Err(Failure::Unfit(self.complaints)),
        }
    }
}

/// An address as people type it.
pub(crate) fn address(field: &'static str, text: &str) -> Result<Address, Complaint> {
    Address::parse(text.trim()).map_err(|error| {
        let id = match error {
            AddressError::LocalPartLength(_) => "failure-address-length",
            AddressError::Domain(_) => "failure-address-domain",
            _ => "failure-address-form",
        };
        Complaint { field, why: Text::new(id).with("text", text) }
    })
}

/// A domain as people type it; no address literal, which is no domain of anybody's.
pub(crate) fn domain(field: &'static str, text: &str) -> Result<Domain, Complaint> {
    let parsed = Domain::parse(text.trim()).ok().filter(|domain| !domain.is_literal());
    parsed.ok_or_else(|| Complaint { field, why: Text::new("failure-domain-form").with("text", text) })
}

/// A text of one line, or of several where it may be long.
pub(crate) fn text(field: &'static str, text: &str, most: usize) -> Result<(), Complaint> {
    let id = if text.len() > most {
        "failure-text-long"
    } else if text.chars().any(char::is_control) {
        "failure-text-control"
    } else {
        return Ok(());
    };
    Err(Complaint { field, why: Text::new(id).with("most", most) })
}

/// A number that every reader of JSON can hold (RFC 7493 §2.2), or none.
pub(crate) fn number(field: &'static str, number: Option<u64>) -> Result<(), Complaint> {
    match number {
        Some(number) if MAX_NUMBER < number => {
            Err(Complaint { field, why: Text::new("failure-number-large").with("most", MAX_NUMBER) })
        }
        _ => Ok(()),
    }
}

/// The version that the asker read.
///
/// # Errors
/// [`Failure::Stale`]: what no version is, none has.
pub(crate) fn version(text: Option<&str>) -> Result<Option<Version>, Failure> {
    let parse = |text| Version::parse(text).ok_or_else(Failure::stale);
    text.map(parse).transpose()
}

/// A member that is there, though it be null: what is left out is `None`, null is `Some(None)`.
#[expect(clippy::option_option, reason = "left out, null, and a value are three things")]
pub(crate) fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
