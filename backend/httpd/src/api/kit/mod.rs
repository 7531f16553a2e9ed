//! What all operations share. A request passes, from without:
//!
//! ```text
//! finish ──> panics ──> authenticate ──> route ──> once (POST) ──> Caller, Query, Json ──> handler ──> service
//!    <── language, ETag, Link ── Reply or Problem, in the response's extensions <───────────┘
//! ```
//! An operation is registered with [`Operations`], which reads from the types of its handler what it needs and takes: so the router, the
//! `OpenAPI` document and the test of roles cannot differ.

mod ask;
mod caller;
mod finish;
mod limits;
mod once;
mod operation;
mod problem;
mod reply;

pub(super) use ask::{Cards, Csv, IfMatch, Json, Letter, Parcels, Query, object};
pub(super) use caller::{Caller, Gate, Read, Write, authenticate, group, least};
pub(super) use finish::{fault, finish};
pub(super) use operation::Operations;
pub(super) use problem::{Answer, KINDS, Problem};
pub(super) use reply::{CardFile, Done, IfUnchanged, Made, Many, One, Plain, Row, Seen, ShownOnce, Whole};

/// Where the API is.
pub(crate) const PREFIX: &str = "/api/v1";
