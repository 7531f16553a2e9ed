//! What we can do, and when we tell it (RFC 9051 §6.1.1, §7.2.2).

use relais_sasl::Offer;

use crate::response::number;

/// What a session can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Messages that one COPY or APPEND takes.
    pub save_limit: u32,
}

/// What holds at any time. LITERAL+ brings LITERAL- along, and both may not be named (RFC 7888 §6).
const ALWAYS: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE";

/// What means something only after log-in.
const LOGGED_IN: &str = " IDLE NAMESPACE UNSELECT UIDPLUS MULTIAPPEND MOVE CHILDREN SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED \
    LIST-STATUS LIST-MYRIGHTS LIST-METADATA STATUS=SIZE CONDSTORE QRESYNC ESEARCH SEARCHRES WITHIN SORT \
    SORT=DISPLAY ESORT CONTEXT=SEARCH CONTEXT=SORT PARTIAL MULTISEARCH SEARCH=FUZZY THREAD=ORDEREDSUBJECT \
    THREAD=REFERENCES BINARY CATENATE URL-PARTIAL REPLACE UIDONLY UTF8=ACCEPT OBJECTID SAVEDATE PREVIEW \
    INPROGRESS LANGUAGE METADATA NOTIFY ACL RIGHTS=texk QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE APPENDLIMIT=";

impl Capabilities {
    /// Writes their names with spaces between them.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(ALWAYS.as_bytes());
        if self.is_logged_in {
            out.extend_from_slice(LOGGED_IN.as_bytes());
            number::write(out, self.append_limit);
            out.extend_from_slice(b" SAVELIMIT=");
            number::write(out, u64::from(self.save_limit));
            if self.unauthenticate {
                out.extend_from_slice(b" UNAUTHENTICATE");
            }
            if self.compress {
                out.extend_from_slice(b" COMPRESS=DEFLATE");
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

    fn write(capabilities: Capabilities) -> String {
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
            save_limit: 1000,
        };
        assert_eq!(write(early), "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE SASL-IR STARTTLS LOGINDISABLED");
        let local = Capabilities { starttls: false, passwords: true, ..early };
        let always = "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE SASL-IR";
        assert_eq!(write(local), format!("{always} AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN"));
        let plain = Capabilities { mechanisms: Offer { scram: false, under_tls: true }, ..local };
        assert_eq!(write(plain), format!("{always} AUTH=PLAIN AUTH=LOGIN"));
        let safe = Capabilities { mechanisms: Offer { scram: true, under_tls: true }, ..local };
        let all = "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN";
        assert_eq!(write(safe), format!("{always} {all}"));
        let late = write(Capabilities { is_logged_in: true, ..safe });
        assert!(
            late.contains(" QRESYNC ") && late.ends_with(" SAVELIMIT=1000 UNAUTHENTICATE COMPRESS=DEFLATE"),
            "{late}"
        );
        assert!(!late.contains("  ") && !late.contains("AUTH="), "{late}");
    }
}
