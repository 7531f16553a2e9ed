//! Forms with files (RFC 7578): read only where they come from a page of ours, and whole; their routes limit their octets.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use relais_service::{Failure, Text};

use super::PageError;
use super::visit::Visit;

/// Fields of a form with files, at most.
const FIELDS: usize = 32;

/// The fields and files of a POST. Without the CSRF token of this very session it isn't read: the token stands before
/// all files.
#[derive(Debug)]
pub(crate) struct Upload(HashMap<String, Bytes>);

impl Upload {
    /// What stood in the field or the file of that name; empty where it was not sent. Octets that aren't UTF-8 are U+FFFD.
    pub(crate) fn take(&mut self, name: &str) -> String {
        String::from_utf8_lossy(&self.take_octets(name)).into_owned()
    }

    /// The same, octet by octet.
    pub(crate) fn take_octets(&mut self, name: &str) -> Bytes {
        self.0.remove(name).unwrap_or_default()
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let visit = Arc::clone(Visit::of(request.extensions())?);
        let mut parts = Multipart::from_request(request, state).await.map_err(|_| unfit("form-kind"))?;
        let mut fields = HashMap::new();
        let mut is_ours = false;
        while let Some(field) = parts.next_field().await.map_err(|_| unfit("form-unreadable"))? {
            let name = field.name().unwrap_or_default().to_owned();
            if name != "csrf" && !is_ours {
                return Err(not_ours());
            }
            if fields.len() >= FIELDS {
                return Err(unfit("form-unreadable"));
            }
            let octets = field.bytes().await.map_err(|_| unfit("form-too-large"))?;
            if name == "csrf" {
                is_ours = visit.owns(&String::from_utf8_lossy(&octets));
            } else {
                fields.insert(name, octets);
            }
        }
        if is_ours { Ok(Self(fields)) } else { Err(not_ours()) }
    }
}

fn not_ours() -> PageError {
    PageError(Failure::Forbidden(Text::new("form-not-ours")))
}

fn unfit(why: &'static str) -> PageError {
    PageError(Failure::unfit("", Text::new(why)))
}
