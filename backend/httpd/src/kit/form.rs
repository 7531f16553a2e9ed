//! Forms: read only where they come from a page of ours, and what is wrong with their fields.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use relais_service::{Complaint, Failure, Text};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::visit::Visit;
use super::{Frame, PageError};

/// The fields of a POST. Without the CSRF token of this very session it isn't read.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let visit = Arc::clone(Visit::of(request.extensions())?);
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(unfit("form-kind"));
        }
        let octets = Bytes::from_request(request, state).await.map_err(|_| unfit("form-too-large"))?;
        let token: Token = serde_html_form::from_bytes(&octets).map_err(|_| unfit("form-unreadable"))?;
        if !visit.owns(&token.csrf) {
            return Err(PageError(Failure::Forbidden(Text::new("form-not-ours"))));
        }
        serde_html_form::from_bytes(&octets).map(Self).map_err(|_| unfit("form-unreadable"))
    }
}

fn unfit(why: &'static str) -> PageError {
    PageError(Failure::unfit("", Text::new(why)))
}

/// What is wrong with a form that is shown again. Templates ask for one field's error, or for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Complaints(Vec<(&'static str, String)>);

impl Complaints {
    /// Those of a failure that a form can show; any other failure is a page of its own.
    ///
    /// # Errors
    /// The failure, as it was.
    pub(crate) fn of(frame: &Frame, failure: Failure) -> Result<Self, PageError> {
        let complaints = match failure {
            Failure::Unfit(complaints) => complaints,
            Failure::Clash(complaint) => vec![complaint],
            other => return Err(PageError(other)),
        };
        Ok(Self(complaints.into_iter().map(|Complaint { field, why }| (field, frame.tell(&why))).collect()))
    }

    /// What is wrong with `field`; empty where nothing is.
    pub(crate) fn about(&self, field: &str) -> &str {
        self.0.iter().find(|(name, _)| *name == field).map_or("", |(_, why)| why)
    }

    /// All of them: the field's name, what is wrong.
    pub(crate) fn all(&self) -> &[(&'static str, String)] {
        &self.0
    }

    /// Nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
