//! What we can do, and when we tell it (RFC 9051 §6.1.1, §7.2.2).

use std::sync::Arc;

use relais_sasl::Offer;

use crate::response::number;

/// What a session can do now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Capabilities {
    /// Somebody has logged in.
    pub is_logged_in: bool,
    /// STARTTLS would be answered with OK.
    pub starttls: bool,
    /// LOGIN and AUTHENTICATE would take a password.
    pub passwords: bool,
    /// What AUTHENTICATE would take.
    pub mechanisms: Offer,
    /// COMPRESS DEFLATE would be answered with OK.
    pub compress: bool,
    /// UNAUTHENTICATE would be answered with OK.
    pub unauthenticate: bool,
    /// Octets of an appended message, at most.
    pub append_limit: u64,
    /// Messages that one command is given.
    pub message_limit: u32,
    /// Where the scripts are kept that run over what is done here (RFC 6785 §2.1): `sieve://mx.example.org`; none: at no door.
    pub sieve: Option<Arc<str>>,
    /// GETJMAPACCESS would be answered with OK.
    pub jmap: bool,
    /// What isn't told.
    pub hidden: Hidden,
}

/// Extensions that aren't announced, for the sake of clients that stumble over them. They are there all the same.
///
/// RFC 2971 §2 forbids to go by what a client says of itself, so they are hidden from all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hidden {
    /// Bits, in the order of [`LOGGED_IN`].
    named: u64,
    compress: bool,
    sieve: bool,
    jmap: bool,
}

impl Hidden {
    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            named: self.named | other.named,
            compress: self.compress || other.compress,
            sieve: self.sieve || other.sieve,
            jmap: self.jmap || other.jmap,
        }
    }

    /// These, by their names; what isn't announced after log-in has nothing to hide.
    pub fn these(hidden: &[&str]) -> Self {
        let hides = |name: &str| hidden.iter().any(|one| one.eq_ignore_ascii_case(name));
        let bits = LOGGED_IN.split_ascii_whitespace().enumerate().filter(|(_, name)| hides(name));
        let named = bits.fold(0, |bits, (at, _)| bits | 1 << at);
        // RFC 9698 §3: JMAPACCESS says that ids are the same there; who isn't told of ids isn't told of it.
        Self { named, compress: hides(COMPRESS), sieve: hides(SIEVE), jmap: hides(JMAP) || hides(OBJECT_ID) }
    }
}

/// What holds at any time. LITERAL+ brings LITERAL- along, and both may not be named (RFC 7888 §6). LANGUAGE belongs into the greeting (RFC 5255
/// §3.1): why a log-in failed is read by people.
const ALWAYS: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE LANGUAGE";

/// What means something only after log-in.
const LOGGED_IN: &str = "IDLE NAMESPACE UNSELECT UIDPLUS MULTIAPPEND MOVE CHILDREN SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED \
    LIST-STATUS LIST-MYRIGHTS LIST-METADATA STATUS=SIZE CONDSTORE QRESYNC ESEARCH SEARCHRES WITHIN SORT \
    SORT=DISPLAY ESORT CONTEXT=SEARCH CONTEXT=SORT PARTIAL MULTISEARCH SEARCH=FUZZY THREAD=ORDEREDSUBJECT \
    THREAD=REFERENCES BINARY CATENATE URL-PARTIAL REPLACE UIDONLY UTF8=ACCEPT OBJECTID SAVEDATE PREVIEW \
    INPROGRESS I18NLEVEL=1 METADATA NOTIFY ACL RIGHTS=texk QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE";

/// COMPRESS (RFC 4978).
const COMPRESS: &str = "COMPRESS=DEFLATE";

/// IMAPSIEVE (RFC 6785), with the scripts' door behind it.
const SIEVE: &str = "IMAPSIEVE";

/// JMAPACCESS (RFC 9698).
const JMAP: &str = "JMAPACCESS";

/// OBJECTID (RFC 8474), as [`LOGGED_IN`] has it.
const OBJECT_ID: &str = "OBJECTID";

impl Capabilities {
    /// Writes their names with spaces between them.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(ALWAYS.as_bytes());
        if self.is_logged_in {
            for (at, name) in LOGGED_IN.split_ascii_whitespace().enumerate() {
                if self.hidden.named >> at & 1 == 0 {
                    out.push(b' ');
                    out.extend_from_slice(name.as_bytes());
                }
            }
            out.extend_from_slice(b" APPENDLIMIT=");
            number::write(out, self.append_limit);
            // RFC 9738 §3: SAVELIMIT is for servers that limit COPY and APPEND alone. To clients that know only that one, it is as true here.
            for limit in [" SAVELIMIT=", " MESSAGELIMIT="] {
                out.extend_from_slice(limit.as_bytes());
                number::write(out, u64::from(self.message_limit));
            }
            if let Some(url) = self.sieve.as_deref().filter(|_| !self.hidden.sieve) {
                for part in [" ", SIEVE, "=", url] {
                    out.extend_from_slice(part.as_bytes());
                }
            }
            if self.jmap && !self.hidden.jmap {
                out.push(b' ');
                out.extend_from_slice(JMAP.as_bytes());
            }
            if self.unauthenticate {
                out.extend_from_slice(b" UNAUTHENTICATE");
            }
            if self.compress && !self.hidden.compress {
                out.push(b' ');
                out.extend_from_slice(COMPRESS.as_bytes());
            }
            return;
        }
        out.extend_from_slice(b" SASL-IR");
        if self.starttls {
            out.extend_from_slice(b" STARTTLS");
        }
        // RFC 9051 §6.2.3: LOGINDISABLED says that LOGIN would be refused.
        if !self.passwords {
            return out.extend_from_slice(b" LOGINDISABLED");
        }
        for mechanism in self.mechanisms.mechanisms() {
            out.extend_from_slice(b" AUTH=");
            out.extend_from_slice(mechanism.as_str().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(capabilities: &Capabilities) -> String {
        let mut out = Vec::new();
        capabilities.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_told_depends_on_the_state() {
        let early = Capabilities {
            is_logged_in: false,
            starttls: true,
            passwords: false,
            mechanisms: Offer { scram: true, under_tls: false },
            compress: true,
            unauthenticate: true,
            append_limit: 50_000_000,
            message_limit: 2000,
            sieve: None,
            jmap: false,
            hidden: Hidden::default(),
        };
        assert_eq!(write(&early), "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE LANGUAGE SASL-IR STARTTLS LOGINDISABLED");
        let local = Capabilities { starttls: false, passwords: true, ..early };
        let always = "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE LANGUAGE SASL-IR";
        assert_eq!(write(&local), format!("{always} AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN"));
        let plain = Capabilities { mechanisms: Offer { scram: false, under_tls: true }, ..local.clone() };
        assert_eq!(write(&plain), format!("{always} AUTH=PLAIN AUTH=LOGIN AUTH=OAUTHBEARER AUTH=XOAUTH2"));
        let safe = Capabilities { mechanisms: Offer { scram: true, under_tls: true }, ..local };
        let all = "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN AUTH=OAUTHBEARER AUTH=XOAUTH2";
        assert_eq!(write(&safe), format!("{always} {all}"));
        let logged_in = Capabilities { is_logged_in: true, ..safe };
        let late = write(&logged_in);
        assert!(
            late.contains(" QRESYNC ")
                && late.ends_with(" SAVELIMIT=2000 MESSAGELIMIT=2000 UNAUTHENTICATE COMPRESS=DEFLATE"),
            "{late}"
        );
        assert!(!late.contains("  ") && !late.contains("AUTH="), "{late}");
        let hidden = Hidden::these(&["uidonly", "COMPRESS=DEFLATE", "IMAP4rev1", "X"]);
        let fewer = write(&Capabilities { hidden, ..logged_in.clone() });
        assert_eq!(fewer, late.replace(" UIDONLY", "").replace(" COMPRESS=DEFLATE", ""));
        // RFC 6785 §5: example 3.
        let with_scripts = Capabilities { sieve: Some("sieve://sieve.example.com".into()), ..logged_in };
        let scripts = write(&with_scripts);
        assert!(scripts.contains(" IMAPSIEVE=sieve://sieve.example.com "), "{scripts}");
        let hidden = Hidden::these(&["ImapSieve"]).and(Hidden::these(&["X"]));
        assert_eq!(write(&Capabilities { hidden, ..with_scripts.clone() }), late);
        // RFC 9698 §3: never without OBJECTID.
        let with_jmap = Capabilities { sieve: None, jmap: true, ..with_scripts };
        assert_eq!(write(&with_jmap).replace(" JMAPACCESS", ""), late);
        for (hidden, told) in [("X", 1), ("jmapaccess", 0), ("OBJECTID", 0)] {
            let hidden = Hidden::these(&[hidden]).and(Hidden::default());
            let names = write(&Capabilities { hidden, ..with_jmap.clone() });
            assert_eq!(names.matches(" JMAPACCESS").count(), told, "{names}");
        }
    }
}
