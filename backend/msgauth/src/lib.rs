//! Whose mail it is: SPF, DKIM, DMARC and ARC, checked and signed.
//!
//! **In.** [`authenticate`] checks a message against the DNS and says of each method how it came out and why; the whole goes into one
//! Authentication-Results field ([`Authentication::field`]), after [`results::without_forged`] has taken out those that only claim to be ours.
//! [`dmarc::dispose`] decides what the author's policy makes of it. **Out.** [`dkim::sign`] signs what our people send, [`arc::seal`] what we forward.
//!
//! Invariants: no clock, no socket and no runtime; the DNS is asked through [`Resolver`] alone, whose time is limited by who made it. Strangers' octets are read within named limits, in time linear to
//! their length; how often the DNS is asked for one message is bounded. Reasons are values; their sentences stand in the catalogue (`auth.ftl`, see [`reason`]).
//!
//! A new method is a module with a `check`, a field in [`Authentication`] and a line in [`results`].

pub mod arc;
mod authenticate;
pub mod dkim;
pub mod dmarc;
pub mod iprev;
pub mod reason;
pub mod report;
mod resolver;
pub mod results;
pub mod spf;
pub mod srs;
mod tags;
pub mod testing;

pub use authenticate::{Authentication, Facts, authenticate};
pub use resolver::{Answering, Family, Lack, Resolver};
pub use tags::TagsError;

/// The part of a name that somebody registered, by the public suffix list (its private part, too: who has a name below `github.io` is another than its
/// neighbour). None of a suffix itself.
pub fn registrable(name: &str) -> Option<&str> {
    let suffix = psl::suffix(name.as_bytes())?;
    let above = name.strip_suffix(str::from_utf8(suffix.as_bytes()).ok()?)?.strip_suffix('.')?;
    let label = above.rsplit('.').next().filter(|label| !label.is_empty())?;
    name.get(above.len() - label.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_registered_is_one_label_below_a_suffix() {
        for (name, expected) in [
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("example.co.uk", Some("example.co.uk")),
            ("one.github.io", Some("one.github.io")),
            ("a.unknown.suffix", Some("unknown.suffix")),
            ("co.uk", None),
            ("localhost", None),
            ("", None),
        ] {
            assert_eq!(registrable(name), expected, "{name}");
        }
    }
}
