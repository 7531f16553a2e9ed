//! Whether anybody wants a stranger's message. What is found is gathered first, for each account that it goes to; [`opinion::hear`] weighs it.
//!
//! ```text
//! message ─> Filter::look ─> Spam { lists that name it, one Opinion an account, come again? } ─> judge
//! acts of people ─> store's lessons ─> Tutor ─> the account's model ─> the next Opinion
//! ```
//! Invariants: the filter alone refuses nothing but what is far above the bar; what is only likely junk goes into Junk, for those to whom it
//! looks so. Whom an account allows by name comes in, unless the name is forged.

mod blocklists;
mod filter;
mod opinion;
mod origin;
mod said;
mod tutor;

pub use blocklists::Lists;
pub(crate) use blocklists::{Listing, refusal};
pub use filter::Filter;
pub(crate) use filter::{Looked, Opinion, Spam, Stranger};
pub(crate) use opinion::{Bars, NotSentOn, hear};
pub use tutor::Tutor;
