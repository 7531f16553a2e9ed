//! Certificates: which there are and until when, the names that wait for one and what to do about them, the orders at the CA, and
//! what the doors really show.
//!
//! A private key goes in and never out: a form that is shown again has the chain that was typed, and no key.

mod bring;
mod doors;
mod head;
mod list;
mod names;
mod orders;
#[cfg(test)]
mod samples;

use relais_service::{Failure, Rows, Text};

use crate::kit::{Flash, FlashKind, Frame, ListQuery, Oops, Pager, Routes, done, redirect};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.and(list::routes).and(bring::routes).and(names::routes).and(orders::routes).and(doors::routes)
}

fn pager<T>(frame: &Frame, path: &str, found: &Rows<T>, is_first: bool) -> Pager {
    let with = |after: String| ListQuery { after, ..ListQuery::default() };
    Pager::of(frame, path, found.rows.len(), found.next.as_deref(), is_first, with)
}

/// To `path`, where what could not be done now is told; every other failure is a page of its own.
fn told(path: &str, outcome: Result<(), Failure>, well: &'static str) -> Oops {
    match outcome {
        Ok(()) => Ok(done(path, Text::new(well))),
        Err(Failure::Clash(complaint)) => {
            Ok(redirect(path, &Flash { kind: FlashKind::Warn, text: complaint.why, undo: None }))
        }
        Err(failure) => Err(failure.into()),
    }
}
