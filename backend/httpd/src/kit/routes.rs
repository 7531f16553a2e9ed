//! Routes, and the list of them: the test of routes and roles walks it, so that no page is forgotten.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{get, post};

use crate::Web;

/// Pages under construction: what the router has, and what it is.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    router: Router<Web>,
    uploads: Router<Web>,
    bundles: Router<Web>,
    listed: Vec<(Method, &'static str)>,
}

impl Routes {
    /// Answers GET, and HEAD with it.
    #[must_use]
    pub(crate) fn get<H: Handler<T, Web>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.listed.push((Method::GET, path));
        Self { router: self.router.route(path, get(handler)), ..self }
    }

    /// Answers POST.
    #[must_use]
    pub(crate) fn post<H: Handler<T, Web>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.listed.push((Method::POST, path));
        Self { router: self.router.route(path, post(handler)), ..self }
    }

    /// Answers POST with files ([`super::Upload`]): these may be larger, and take longer.
    #[must_use]
    pub(crate) fn upload<H: Handler<T, Web>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.listed.push((Method::POST, path));
        Self { uploads: self.uploads.route(path, post(handler)), ..self }
    }

    /// As [`Routes::upload`], with a file of mail, which may be larger still.
    #[must_use]
    pub(crate) fn bundle<H: Handler<T, Web>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.listed.push((Method::POST, path));
        Self { bundles: self.bundles.route(path, post(handler)), ..self }
    }

    /// Each of them.
    pub(crate) fn listed(&self) -> &[(Method, &'static str)] {
        &self.listed
    }

    /// With those of another file.
    #[must_use]
    pub(crate) fn and(self, more: fn(Self) -> Self) -> Self {
        more(self)
    }

    /// The router of forms, that of files, and that of files of mail.
    pub(crate) fn finish(self) -> (Router<Web>, Router<Web>, Router<Web>) {
        (self.router, self.uploads, self.bundles)
    }
}
