//! Forms with files (RFC 7578): read only where they come from a page of ours, and whole; their routes limit their octets.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use relais_service::{Failure, Text};

use super::PageError;
use super::visit::Visit;

/// Fields of a form with files, at most.
const FIELDS: usize = 64;

/// The fields and files of a POST. Without the CSRF token of this very session it isn't read: the token stands before all files.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    fields: HashMap<String, Bytes>,
    files: Vec<(String, UploadedFile)>,
}

/// A file, as a browser sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadedFile {
    /// As the browser calls it; never trusted.
    pub(crate) name: String,
    /// What the browser takes it for.
    pub(crate) kind: String,
    pub(crate) octets: Bytes,
}

impl Upload {
    /// What stood in the field or the file of that name; empty where it was not sent. Octets that aren't UTF-8 are U+FFFD.
    pub(crate) fn take(&mut self, name: &str) -> String {
        String::from_utf8_lossy(&self.take_octets(name)).into_owned()
    }

    /// The same, octet by octet.
    pub(crate) fn take_octets(&mut self, name: &str) -> Bytes {
        if let Some(octets) = self.fields.remove(name) {
            return octets;
        }
        let place = self.files.iter().position(|(field, _)| field == name);
        place.map(|place| self.files.remove(place).1.octets).unwrap_or_default()
    }

    /// The files of that field that have a name; a field where none was chosen sends one without.
    pub(crate) fn files(&mut self, name: &str) -> Vec<UploadedFile> {
        let (wanted, others) = std::mem::take(&mut self.files).into_iter().partition(|(field, _)| field == name);
        self.files = others;
        let wanted: Vec<(String, UploadedFile)> = wanted;
        wanted.into_iter().map(|(_, file)| file).filter(|file| !file.name.is_empty()).collect()
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let visit = Arc::clone(Visit::of(request.extensions())?);
        let mut parts = Multipart::from_request(request, state).await.map_err(|_| unfit("form-kind"))?;
        let mut upload = Self::default();
        let mut is_ours = false;
        while let Some(field) = parts.next_field().await.map_err(|error| unread(&error))? {
            let name = field.name().unwrap_or_default().to_owned();
            if name != "csrf" && !is_ours {
                return Err(not_ours());
            }
            if upload.fields.len() + upload.files.len() >= FIELDS {
                return Err(unfit("form-unreadable"));
            }
            let file_name = field.file_name().map(str::to_owned);
            let kind = field.content_type().unwrap_or_default().to_owned();
            let octets = field.bytes().await.map_err(|error| unread(&error))?;
            if let Some(file_name) = file_name {
                upload.files.push((name, UploadedFile { name: file_name, kind, octets }));
                continue;
            }
            if name == "csrf" {
                is_ours = visit.owns(&String::from_utf8_lossy(&octets));
            } else {
                upload.fields.insert(name, octets);
            }
        }
        if is_ours { Ok(upload) } else { Err(not_ours()) }
    }
}

fn not_ours() -> PageError {
    PageError(Failure::Forbidden(Text::new("form-not-ours")))
}

/// The octets ended, or went on for too long.
fn unread(error: &MultipartError) -> PageError {
    unfit(if error.status() == StatusCode::PAYLOAD_TOO_LARGE { "form-too-large" } else { "form-unreadable" })
}

fn unfit(why: &'static str) -> PageError {
    PageError(Failure::unfit("", Text::new(why)))
}
