//! SRS, the Sender Rewriting Scheme: a reverse path of our own for what we forward, so that SPF passes at the next house, and the way back for its bounces.
//!
//! `SRS0=hash=day=domain=local@ours` stands for `local@domain`; `SRS1=hash=first==rest@ours` for `SRS0=rest@first`, what another forwarder had rewritten before, so that addresses don't grow from hop to hop.
//! Hashes are HMAC-SHA-256's first 30 bits, for a local part has room for 64 octets alone; they and the day are base32, for local parts lose their case on the way.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use relais_model::{Address, Domain, LocalPart, Secret, Timestamp};
use ring::hmac;

/// How long bounces come back; queues give up after five days, slow ones after ten.
pub const VALID: Duration = Duration::from_hours(21 * 24);
/// Characters of a hash.
const HASH_LENGTH: usize = 6;
/// Days are counted up to here and begin anew.
const DAYS: i64 = 1024;

/// Makes and reads rewritten addresses. Whoever knows the key can send through us as through an open relay.
pub struct Srs {
    key: hmac::Key,
}

/// Why an address isn't rewritten, or has no way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SrsError {
    /// It would have more than the 64 octets of a local part (RFC 5321 §4.5.3.1.1): forward with the path as it is, or with our own.
    #[error("the rewritten address would be too long")]
    TooLong,
    /// The hash is none of ours: refuse it with 550 5.1.1, as any unknown address.
    #[error("the address was not rewritten here")]
    Forged,
    /// It is older than 21 days.
    #[error("the address has expired")]
    Expired,
}

impl Srs {
    /// With a key of at least 16 octets that nobody can guess.
    pub fn new(key: &Secret) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes()) }
    }

    /// The reverse path under which `sender`'s mail goes on from `ours`. A sender of ours stays as it is.
    ///
    /// # Errors
    /// [`SrsError::TooLong`].
    pub fn forward(&self, sender: &Address, ours: &Domain, now: Timestamp) -> Result<Address, SrsError> {
        if sender.domain == *ours {
            return Ok(sender.clone());
        }
        let (local, domain) = (sender.local_part.as_str(), sender.domain.as_str());
        let rewritten = if let Some(rest) = tagged(local, "SRS0") {
            self.second(domain, rest)
        } else if let Some((first, rest)) = first_of(local) {
            self.second(first, rest)
        } else {
            let day = day_of(now);
            let hash = self.hash(&[&day, domain, local]);
            format!("SRS0={hash}={day}={domain}={local}")
        };
        Ok(Address { local_part: local_part(&rewritten)?, domain: ours.clone() })
    }

    /// `rest` begins with the separator behind the first forwarder's `SRS0`; it gets it back as it was.
    fn second(&self, first: &str, rest: &str) -> String {
        format!("SRS1={}={first}={rest}", self.hash(&[first, rest]))
    }

    /// Where a bounce to `address` goes on; none where it was never rewritten.
    ///
    /// # Errors
    /// [`SrsError::Forged`], [`SrsError::Expired`].
    pub fn reverse(&self, address: &Address, now: Timestamp) -> Result<Option<Address>, SrsError> {
        let local = address.local_part.as_str();
        let back = if let Some(rest) = tagged(local, "SRS0").and_then(|rest| rest.get(1..)) {
            let (hash, rest) = rest.split_once('=').ok_or(SrsError::Forged)?;
            let (day, rest) = rest.split_once('=').ok_or(SrsError::Forged)?;
            let (domain, local) = rest.split_once('=').ok_or(SrsError::Forged)?;
            self.check(hash, &[day, domain, local])?;
            if age_of(day, now).is_none_or(|age| age > VALID) {
                return Err(SrsError::Expired);
            }
            (local.to_owned(), domain)
        } else if let Some(rest) = tagged(local, "SRS1").and_then(|rest| rest.get(1..)) {
            let (hash, rest) = rest.split_once('=').ok_or(SrsError::Forged)?;
            let (first, rest) = rest.split_once('=').ok_or(SrsError::Forged)?;
            self.check(hash, &[first, rest])?;
            // The first forwarder's own address; its hash and day are its to check.
            (format!("SRS0{rest}"), first)
        } else {
            return Ok(None);
        };
        let domain = Domain::parse(back.1).map_err(|_| SrsError::Forged)?;
        Ok(Some(Address { local_part: local_part(&back.0)?, domain }))
    }

    fn check(&self, hash: &str, parts: &[&str]) -> Result<(), SrsError> {
        let (given, wanted) = (hash.to_ascii_uppercase(), self.hash(parts));
        // Nothing is told by how long this takes.
        let differs = given.bytes().zip(wanted.bytes()).fold(0, |sum, (one, other)| sum | (one ^ other));
        if given.len() == wanted.len() && differs == 0 { Ok(()) } else { Err(SrsError::Forged) }
    }

    fn hash(&self, parts: &[&str]) -> String {
        let text = parts.join("=").to_ascii_lowercase();
        let hash = BASE32_NOPAD.encode(hmac::sign(&self.key, text.as_bytes()).as_ref());
        hash.chars().take(HASH_LENGTH).collect()
    }
}

impl std::fmt::Debug for Srs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Srs(…)")
    }
}

/// What follows `SRS0` or `SRS1`, from its separator on, which may be `=`, `+` or `-`.
fn tagged<'a>(local: &'a str, tag: &str) -> Option<&'a str> {
    let (start, rest) = local.split_at_checked(tag.len())?;
    Some(rest).filter(|_| start.eq_ignore_ascii_case(tag) && rest.starts_with(['=', '+', '-']))
}

/// The first forwarder and what it wrote, in another's SRS1; what only looks like one is a local part as any other.
fn first_of(local: &str) -> Option<(&str, &str)> {
    let (_hash, rest) = tagged(local, "SRS1")?.get(1..)?.split_once('=')?;
    let (first, rest) = rest.split_once('=')?;
    (Domain::parse(first).is_ok() && rest.starts_with(['=', '+', '-'])).then_some((first, rest))
}

fn local_part(text: &str) -> Result<LocalPart, SrsError> {
    let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    LocalPart::parse(&quoted).map_err(|_| SrsError::TooLong)
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Two characters for the day.
fn day_of(now: Timestamp) -> String {
    let day = now.seconds().div_euclid(24 * 3600).rem_euclid(DAYS);
    let letter = |number: i64| usize::try_from(number).ok().and_then(|at| LETTERS.chars().nth(at)).unwrap_or('A');
    [letter(day / 32), letter(day % 32)].iter().collect()
}

/// How long ago that day was; none where it is no day.
fn age_of(day: &str, now: Timestamp) -> Option<Duration> {
    let place = |letter: char| LETTERS.find(letter.to_ascii_uppercase()).and_then(|at| i64::try_from(at).ok());
    let mut letters = day.chars();
    let (high, low) = (place(letters.next()?)?, place(letters.next()?)?);
    let today = now.seconds().div_euclid(24 * 3600);
    let age = (today - (high * 32 + low)).rem_euclid(DAYS);
    letters
        .next()
        .is_none()
        .then(|| Duration::from_secs(u64::try_from(age).unwrap_or(u64::MAX).saturating_mul(24 * 3600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    #[test]
    fn there_and_back_over_three_houses() {
        let key = |text: &str| Srs::new(&Secret::new(text));
        let (one, two, three) = (key("first key of one"), key("second key of it"), key("third key of all"));
        let domain = |text: &str| Domain::parse(text).unwrap();
        let sender = address("Ann.Lee+x=y@author.example");
        let first = one.forward(&sender, &domain("one.example"), NOW).unwrap();
        assert!(first.to_string().ends_with("=author.example=Ann.Lee+x=y@one.example"), "{first}");
        let second = two.forward(&first, &domain("two.example"), NOW).unwrap();
        assert!(second.to_string().starts_with("SRS1="), "{second}");
        let third = three.forward(&second, &domain("three.example"), NOW).unwrap();
        assert_eq!(third.to_string().len(), second.to_string().len() + 2, "{third}");
        // A bounce skips the houses between.
        let later = NOW.plus(Duration::from_hours(20 * 24));
        let lower = address(&third.to_string().to_ascii_lowercase());
        assert_eq!(three.reverse(&third, later), Ok(Some(first.clone())));
        assert!(three.reverse(&lower, later).is_ok_and(|back| back.is_some()), "case is lost on the way");
        assert_eq!(one.reverse(&first, later), Ok(Some(sender.clone())));
        assert_eq!(one.reverse(&first, NOW.plus(Duration::from_hours(23 * 24))), Err(SrsError::Expired));
        assert_eq!(two.reverse(&first, later), Err(SrsError::Forged));
        assert_eq!(one.reverse(&sender, later), Ok(None));
        assert_eq!(one.forward(&address("a@one.example"), &domain("one.example"), NOW), Ok(address("a@one.example")));
    }

    #[test]
    fn what_is_no_address_of_ours() {
        let srs = Srs::new(&Secret::new("key"));
        let good = srs.forward(&address("ann@author.example"), &Domain::parse("us.example").unwrap(), NOW).unwrap();
        for (from, to) in [("ann", "bob"), ("author", "other"), ("SRS0=", "SRS0=A")] {
            let forged = address(&good.to_string().replace(from, to));
            assert_eq!(srs.reverse(&forged, NOW), Err(SrsError::Forged), "{forged}");
        }
        for local in ["SRS0=", "SRS0=x", "SRS0=a=b", "SRS0=a=b=c=d", "SRS1=x", "SRS1=a=b=c"] {
            assert_eq!(srs.reverse(&address(&format!("{local}@us.example")), NOW), Err(SrsError::Forged), "{local}");
        }
        let long = address(&format!("{}@author.example", "a".repeat(60)));
        assert_eq!(srs.forward(&long, &good.domain, NOW), Err(SrsError::TooLong));
    }
}
