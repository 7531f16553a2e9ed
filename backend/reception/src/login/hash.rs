//! Hashes of passwords: ours, and those that come from other systems.
//!
//! | stored text | from |
//! |---|---|
//! | `$argon2id$…` (also `argon2i`, `argon2d`) | ours, Dovecot's `{ARGON2ID}` |
//! | `$6$…` | crypt(3), Dovecot's `{SHA512-CRYPT}` |
//! | `$2a$…`, `$2b$…`, `$2y$…` | crypt(3), Dovecot's `{BLF-CRYPT}` |
//! | `{SSHA512}base64` | Dovecot, LDAP: SHA-512 of password and salt, then the salt |
//! | `{PBKDF2}$1$salt$rounds$hex` | Dovecot: PBKDF2 with HMAC-SHA-1 |
//! | `pbkdf2_sha256$rounds$salt$base64` | Django: PBKDF2 with HMAC-SHA-256 |
//!
//! A hash that asks for more work or memory than [`Work`]'s limits isn't taken: computing it would be an attack.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use relais_model::Secret;
use sha_crypt::ShaCrypt;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

/// KiB that our hashes take.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes that our hashes make.
const PASSES: u32 = 2;

/// The most that a hash of another system may ask for.
struct Work;

impl Work {
    const ARGON2_KIB: u32 = 1 << 20;
    const ARGON2_PASSES: u32 = 20;
    const SHA512_ROUNDS: u32 = 1_000_000;
    const BCRYPT_COST: u32 = 16;
    const PBKDF2_ROUNDS: u32 = 5_000_000;
}

/// Whether a text is a hash that a log-in can be checked against; for imports.
pub fn is_known_hash(text: &str) -> bool {
    StoredHash::parse(text).is_some()
}

/// Our hash of a password; 27 ms and 19 MiB. None where argon2 fails, which it doesn't with these parameters.
pub(super) fn make(password: &Secret, salt: &[u8; 16]) -> Option<Secret> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password_with_salt(password.expose().as_bytes(), salt).ok()?;
    Some(Secret::new(hash.to_string()))
}

/// A hash of ours that no password has: what unknown names are checked against.
pub(super) fn nobody() -> Secret {
    Secret::new(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$AAAAAAAAAAAAAAAAAAAAAA${}", "A".repeat(43)))
}

/// A hash as the store keeps it, understood.
pub(super) enum StoredHash<'a> {
    Argon2(Box<PasswordHash>),
    Sha512Crypt(&'a str),
    Bcrypt(&'a str),
    SaltedSha512 { expected: Vec<u8>, salt: Vec<u8> },
    Pbkdf2Sha1 { salt: &'a str, rounds: u32, expected: Vec<u8> },
    Pbkdf2Sha256 { salt: &'a str, rounds: u32, expected: Vec<u8> },
}

impl<'a> StoredHash<'a> {
    /// With or without Dovecot's `{SCHEME}` before it, where the text tells the scheme by itself.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, bare) = match text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((scheme, bare)) => (scheme.to_ascii_uppercase(), bare),
            None => (String::new(), text),
        };
        match scheme.as_str() {
            "SSHA512" => parse_salted_sha512(bare),
            "PBKDF2" => parse_pbkdf2_sha1(bare),
            "" if bare.starts_with("pbkdf2_sha256$") => parse_pbkdf2_sha256(bare),
            "" | "ARGON2ID" | "ARGON2I" if bare.starts_with("$argon2") => parse_argon2(bare),
            "" | "SHA512-CRYPT" | "CRYPT" if bare.starts_with("$6$") => parse_sha512_crypt(bare),
            "" | "BLF-CRYPT" | "CRYPT" if bare.starts_with("$2") => parse_bcrypt(bare),
            _ => None,
        }
    }

    /// Whether it is this password's. Takes its time: not on an async thread.
    pub(super) fn matches(&self, password: &str) -> bool {
        let password = password.as_bytes();
        match self {
            Self::Argon2(hash) => Argon2::default().verify_password(password, hash.as_ref()).is_ok(),
            Self::Sha512Crypt(text) => ShaCrypt::default().verify_password(password, *text).is_ok(),
            Self::Bcrypt(text) => bcrypt::verify(password, text).unwrap_or(false),
            Self::SaltedSha512 { expected, salt } => {
                let computed = Sha512::new().chain_update(password).chain_update(salt).finalize();
                computed.as_slice().ct_eq(expected).into()
            }
            Self::Pbkdf2Sha1 { salt, rounds, expected } => {
                let computed = pbkdf2::pbkdf2_hmac_array::<sha1::Sha1, 20>(password, salt.as_bytes(), *rounds);
                computed.as_slice().ct_eq(expected).into()
            }
            Self::Pbkdf2Sha256 { salt, rounds, expected } => {
                let computed = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, salt.as_bytes(), *rounds);
                computed.as_slice().ct_eq(expected).into()
            }
        }
    }

    /// Whether it is as [`make`] makes them; another is renewed when its password is next given.
    pub(super) fn is_ours(&self) -> bool {
        let Self::Argon2(hash) = self else { return false };
        let is_argon2id = hash.algorithm.as_str() == "argon2id";
        let params = Params::try_from(hash.as_ref());
        is_argon2id
            && params
                .is_ok_and(|params| params.m_cost() == MEMORY_KIB && params.t_cost() == PASSES && params.p_cost() == 1)
    }
}

fn parse_argon2(text: &str) -> Option<StoredHash<'_>> {
    let hash = PasswordHash::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let fits = params.m_cost() <= Work::ARGON2_KIB && params.t_cost() <= Work::ARGON2_PASSES;
    (fits && hash.salt.is_some() && hash.hash.is_some()).then(|| StoredHash::Argon2(Box::new(hash)))
}

fn parse_sha512_crypt(text: &str) -> Option<StoredHash<'_>> {
    let mut fields = text.strip_prefix("$6$")?.split('$');
    let first = fields.next()?;
    let digest = match first.strip_prefix("rounds=") {
        Some(rounds) => {
            let rounds: u32 = rounds.parse().ok()?;
            let _salt = fields.next().filter(|_| (1000..=Work::SHA512_ROUNDS).contains(&rounds))?;
            fields.next()?
        }
        None => fields.next()?,
    };
    (digest.len() == 86 && fields.next().is_none()).then_some(StoredHash::Sha512Crypt(text))
}

fn parse_bcrypt(text: &str) -> Option<StoredHash<'_>> {
    let parts: bcrypt::HashParts = text.parse().ok()?;
    (parts.get_cost() <= Work::BCRYPT_COST).then_some(StoredHash::Bcrypt(text))
}

fn parse_salted_sha512(text: &str) -> Option<StoredHash<'_>> {
    let octets = BASE64.decode(text.as_bytes()).ok()?;
    let (expected, salt) = octets.split_at_checked(64)?;
    (!salt.is_empty()).then(|| StoredHash::SaltedSha512 { expected: expected.to_vec(), salt: salt.to_vec() })
}

fn parse_pbkdf2_sha1(text: &str) -> Option<StoredHash<'_>> {
    let mut fields = text.strip_prefix("$1$")?.split('$');
    let (salt, rounds, digest) = (fields.next()?, fields.next()?, fields.next()?);
    let expected = HEXLOWER_PERMISSIVE.decode(digest.as_bytes()).ok()?;
    let rounds = rounds.parse().ok().filter(|rounds| (1..=Work::PBKDF2_ROUNDS).contains(rounds))?;
    let fits = expected.len() == 20 && fields.next().is_none();
    fits.then_some(StoredHash::Pbkdf2Sha1 { salt, rounds, expected })
}

fn parse_pbkdf2_sha256(text: &str) -> Option<StoredHash<'_>> {
    let mut fields = text.strip_prefix("pbkdf2_sha256$")?.split('$');
    let (rounds, salt, digest) = (fields.next()?, fields.next()?, fields.next()?);
    let expected = BASE64.decode(digest.as_bytes()).ok()?;
    let rounds = rounds.parse().ok().filter(|rounds| (1..=Work::PBKDF2_ROUNDS).contains(rounds))?;
    let fits = expected.len() == 32 && fields.next().is_none();
    fits.then_some(StoredHash::Pbkdf2Sha256 { salt, rounds, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse";

    #[track_caller]
    fn check(text: &str) {
        let stored = StoredHash::parse(text).unwrap_or_else(|| panic!("{text} is a hash"));
        assert!(stored.matches(PASSWORD), "{text}");
        assert!(!stored.matches("correct horsE"), "{text}");
        assert!(!stored.matches(""), "{text}");
        assert!(!stored.is_ours(), "{text} is to be renewed");
    }

    /// Each was made by the system it comes from: `doveadm pw`, `openssl passwd`, crypt(3), Django's hasher.
    #[test]
    fn hashes_of_other_systems_are_known() {
        check(
            "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$jX0HC2/uCn21vmT3bIPH1Q$7fAYj9MWuput0TZpFA8SnFdeMxV4GOx37lL/BabTB74",
        );
        check("{PBKDF2}$1$uiFYtoPw2K1MDm3i$5000$4bd2e299b48b1690a792250f47633f60882f2362");
        check("{BLF-CRYPT}$2y$05$dgaUIJbu2BZvMVJtuIkDQOmKWb/nyzdGH9cL8XROI5NZRndKYy.GG");
        check("$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2");
        check("{SSHA512}mpmCl2ofUUa9Tjo5osCoV55vwBWXyuzI3Eme/hdZIriGuwXwp82joKjvIVhnO3qON8GMJ55C7suhKd0jBG4/PeAOv0M=");
        check(
            "{SHA512-CRYPT}$6$SupYE0bLNaU6mkcv$zxKUt10yTGs/GUTWSeOmb1Mn0zdpXnChMv1VrIfQk2.EklYJjcIMFQuZl6HZLG1PCUOxP8IlSoriPDtn4/vwC/",
        );
        check("$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0");
        check(
            "$6$rounds=10000$saltsalt$EMCAJaVdD8QpgIn1w2Sq1C8/BIypyMaemdjCDgDu8NxiKn5cVOzQe8ZMNovWPPitzBG6NZOSXfpu45VIxD1OF0",
        );
        check("pbkdf2_sha256$1000$salt123$DbSbNn7vXOI9PMu5pmX7xtyIoPbeJdP3FGuU9mUISfI=");
    }

    #[test]
    fn ours_are_argon2id_and_stay() {
        let made = make(&Secret::new(PASSWORD), &[7; 16]).unwrap();
        let stored = StoredHash::parse(made.expose()).unwrap();
        assert!(made.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(stored.matches(PASSWORD) && !stored.matches("other") && stored.is_ours());
    }

    /// The same work for an unknown name as for a known one.
    #[test]
    fn nobody_has_a_hash_like_ours() {
        let nobody = nobody();
        let stored = StoredHash::parse(nobody.expose()).unwrap();
        assert!(stored.is_ours() && !stored.matches(""));
    }

    #[test]
    fn other_texts_are_no_hashes() {
        for text in [
            "",
            "secret",
            "{PLAIN}secret",
            "{SSHA512}AAAA",
            "$6$saltsalt$short",
            "$6$rounds=999999999$saltsalt$EMCAJaVdD8QpgIn1w2Sq1C8/BIypyMaemdjCDgDu8NxiKn5cVOzQe8ZMNovWPPitzBG6NZOSXfpu45VIxD1OF0",
            "$2b$31$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
            "{BLF-CRYPT}$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0",
            "{PBKDF2}$1$salt$0$4bd2e299b48b1690a792250f47633f60882f2362",
            "{ARGON2ID}$argon2id$v=19$m=4294967295,t=3,p=1$jX0HC2/uCn21vmT3bIPH1Q$7fAYj9MWuput0TZpFA8SnFdeMxV4GOx37lL/BabTB74",
        ] {
            assert!(!is_known_hash(text), "{text}");
        }
    }
}
