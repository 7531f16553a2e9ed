//! Who the client is: LOGIN, AUTHENTICATE, ID, ENABLE.

use relais_model::Secret;

use super::reader::{Reader, Refusal};

/// LOGIN (RFC 9051 §6.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// As typed.
    pub login_name: String,
    /// As typed.
    pub password: Secret,
}

/// AUTHENTICATE (RFC 9051 §6.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// The mechanism's name, in capitals.
    pub mechanism: String,
    /// The initial response (SASL-IR), still in base64; `=` is an empty one.
    pub initial: Option<Secret>,
}

/// What ENABLE switches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// CONDSTORE (RFC 7162 §3.1).
    CondStore,
    /// QRESYNC, which brings CONDSTORE along (RFC 7162 §3.2.3).
    QResync,
    /// UTF8=ACCEPT (RFC 6855 §3).
    Utf8Accept,
    /// IMAP4rev2 (RFC 9051 §6.3.1).
    Imap4Rev2,
    /// METADATA (RFC 5464 §4.1): changes of notes are told.
    Metadata,
    /// UIDONLY (RFC 9586): no sequence numbers.
    UidOnly,
}

impl Extension {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::CondStore, Self::QResync, Self::Utf8Accept, Self::Imap4Rev2, Self::Metadata, Self::UidOnly];

    /// As CAPABILITY and ENABLED spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CondStore => "CONDSTORE",
            Self::QResync => "QRESYNC",
            Self::Utf8Accept => "UTF8=ACCEPT",
            Self::Imap4Rev2 => "IMAP4rev2",
            Self::Metadata => "METADATA",
            Self::UidOnly => "UIDONLY",
        }
    }
}

/// Fields of an ID, at most; octets of a field's name and of its value (RFC 2971 §3.3).
const ID_FIELDS: usize = 30;
const ID_NAME_OCTETS: usize = 30;
const ID_VALUE_OCTETS: usize = 1024;

impl Reader<'_> {
    pub(super) fn login(&mut self) -> Result<Login, Refusal> {
        self.space()?;
        let login_name = self.text()?;
        self.space()?;
        Ok(Login { login_name, password: Secret::new(self.text()?) })
    }

    pub(super) fn authenticate(&mut self) -> Result<Authenticate, Refusal> {
        self.space()?;
        let mechanism = self.atom()?.to_ascii_uppercase();
        let initial = if self.skip(b' ') {
            let is_base64 = |octet: u8| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet);
            Some(Secret::new(self.some(is_base64, "Base64 is expected here")?))
        } else {
            None
        };
        Ok(Authenticate { mechanism, initial })
    }

    pub(super) fn id(&mut self) -> Result<Vec<(String, Option<String>)>, Refusal> {
        self.space()?;
        if self.skip_word("NIL") {
            return Ok(Vec::new());
        }
        let fields = self.list_or_none(|reader| {
            let name = reader.text()?;
            reader.expect(b' ')?;
            Ok((name, reader.nil_or_text()?))
        })?;
        let is_long = |(name, value): &(String, Option<String>)| {
            name.len() > ID_NAME_OCTETS || value.as_ref().is_some_and(|value| value.len() > ID_VALUE_OCTETS)
        };
        if fields.len() > ID_FIELDS || fields.iter().any(is_long) {
            return Err(self.bad("ID takes 30 fields; names have 30, values 1,024 octets at most"));
        }
        Ok(fields)
    }

    /// RFC 5161 §3.1: what we don't know is passed over.
    pub(super) fn extensions(&mut self) -> Result<Vec<Extension>, Refusal> {
        self.space()?;
        let mut extensions = Vec::new();
        loop {
            let name = self.atom()?;
            let known = Extension::ALL.into_iter().find(|extension| extension.as_str().eq_ignore_ascii_case(name));
            extensions.extend(known.filter(|extension| !extensions.contains(extension)));
            if !self.skip(b' ') || self.peek().is_none() {
                return Ok(extensions);
            }
        }
    }
}
