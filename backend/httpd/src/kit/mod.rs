//! What all pages share: who visits, forms, errors, the frame around a page, the files beside it.
//!
//! A request of a page passes [`recognise`] first: it reads the cookies once, so that every handler finds a [`Visit`], and it shows
//! the error page for whatever a handler could not do ([`PageError`]).

mod agent;
mod assets;
mod chart;
mod cookie;
mod error;
mod field;
mod form;
mod frame;
mod list;
mod page;
mod routes;
#[cfg(test)]
pub(crate) mod samples;
mod security;
mod sharing;
mod shown;
mod upload;
mod visit;

pub(crate) use agent::browser_name;
pub(crate) use assets::Assets;
pub(crate) use chart::Chart;
pub(crate) use cookie::look_cookies;
pub(crate) use error::{Oops, PageError, sentences, status};
pub(crate) use field::{Choice, State, Typed};
pub(crate) use form::{Complaints, Form};
pub(crate) use frame::{Frame, tell};
pub(crate) use list::{ListQuery, Pager, SortHead, order, query, typed};
pub(crate) use page::{again, render, shown};
pub(crate) use routes::Routes;
pub(crate) use security::headers;
pub(crate) use sharing::{grantee_words, level_choices, level_words, may_words, sends_choices, sends_words};
pub(crate) use shown::{Time, number, size, span};
pub(crate) use upload::Upload;
pub(crate) use visit::{
    Admin, Desk, Flash, FlashKind, Guest, NextQuery, Owner, Person, THEMES, clear_session, done, done_with, next_path,
    recognise, redirect, session_cookie, with_next,
};
