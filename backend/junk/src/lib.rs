//! The statistical filter: learn, score, explain.

mod attachments;
mod body;
mod features;
mod general;
mod header;
mod html;
mod look_alike;
mod marks;
mod place;
mod signs;
mod tokens;
pub mod training;

pub use features::{Features, MAX_FEATURES, Surroundings};
pub use general::General;
pub use look_alike::How;
pub use marks::Mark;
pub use place::Place;
pub use signs::Sign;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Good mail.
    Ham,
    /// What nobody wants.
    Junk,
}
