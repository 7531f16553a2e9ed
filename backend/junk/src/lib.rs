//! The statistical filter: learn, score, explain.
//!
//! [`Features::of`] looks at a message once: words, pairs of words, domains, forms and facts, each as a hash with its text
//! kept for people; the octets that it is spelt with; and [`Sign`]s of deceit, which rules find. [`score`] weighs the features by the [`General`] model, which
//! ships with the binary, and corrects that by an account's [`Own`], which learns when its person moves a message into Junk
//! or out of it; the signs add their points. A [`Score`] says why.
//!
//! [`Training`] makes the general model from a corpus (`cargo xtask spam-eval`; docs/spam.md has the protocol, the figures
//! and what was tried beside).
//!
//! Invariants: octets in, values out; no clock, file, socket or chance is known here. Any octets have features, and their
//! number, the text read, the links, attachments and known domains looked at are bounded by named constants; time is linear
//! in the octets. Hashes are the same on every machine and in every release, for models are kept: who changes what
//! [`Features`] are made of trains `model.bin` anew and gives [`Own`] another magic.
//!
//! To add a rule: a variant of [`Sign`] with its points, and the place that finds it. To add a fact for the statistics: a
//! variant of [`Mark`].

mod attachments;
mod binary;
mod body;
mod features;
mod general;
mod header;
mod html;
mod look_alike;
mod manner;
mod marks;
mod own;
mod place;
mod score;
mod signs;
mod tokens;
mod training;
mod winnow;

pub use binary::Broken;
pub use features::{Features, MAX_FEATURES, Surroundings};
pub use general::General;
pub use look_alike::How;
pub use marks::Mark;
pub use own::{MAX_LEARNT, MAX_OWN_OCTETS, Own};
pub use place::Place;
pub use score::{Reason, Score, Whose, score};
pub use signs::Sign;
pub use training::{Example, Training};

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Good mail.
    Ham,
    /// What nobody wants.
    Junk,
}
