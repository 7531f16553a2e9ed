//! All checks of one message at once.

use std::net::IpAddr;

use relais_model::{ReversePath, Timestamp};

use crate::arc::{self, ArcCheck};
use crate::dkim::{self, DkimCheck};
use crate::dmarc::{self, DmarcCheck};
use crate::iprev::{self, Iprev};
use crate::resolver::Resolver;
use crate::results;
use crate::spf::{self, Asked, Identity, SpfCheck};

/// What is known of a message when its last line has come.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Who sent it.
    pub peer: IpAddr,
    /// What the peer calls itself.
    pub helo: &'a str,
    /// MAIL FROM.
    pub reverse_path: &'a ReversePath,
    /// Header and body as they came, with CRLF.
    pub message: &'a [u8],
    /// Our name: the authserv-id (RFC 8601 §2.5).
    pub host: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// Whose address it came from.
    pub peer: IpAddr,
    /// The local part of MAIL FROM, as it stands in addresses; empty for the null reverse path.
    pub local_part: String,
    /// Whether the peer's name leads back to it.
    pub iprev: Iprev,
    /// SPF of HELO.
    pub spf_helo: SpfCheck,
    /// SPF of MAIL FROM, or of `postmaster@HELO` where that is null.
    pub spf_mail_from: SpfCheck,
    /// The first ten signatures.
    pub dkim: Vec<DkimCheck>,
    /// Whether the author's domain stands behind it.
    pub dmarc: DmarcCheck,
    /// What hands on the way say.
    pub arc: ArcCheck,
}

/// Checks a message. What needs the DNS is asked for at the same time, but for DMARC, which comes last. Nothing fails: what the DNS owes is a temperror.
pub async fn authenticate(facts: &Facts<'_>, resolver: &dyn Resolver) -> Authentication {
    let peer = facts.peer.to_canonical();
    let asked = Asked {
        address: peer,
        helo: facts.helo,
        identity: Identity::Helo,
        local_part: "",
        domain: facts.helo,
        receiver: (facts.host, facts.now),
    };
    let address = facts.reverse_path.address();
    let local_part = address.map(|address| address.local_part.to_string()).unwrap_or_default();
    let mail_from = async {
        let address = address?;
        let (local_part, domain) = (address.local_part.as_str(), address.domain.as_str());
        Some(spf::check(resolver, Asked { identity: Identity::MailFrom, local_part, domain, ..asked }).await)
    };
    let (iprev, spf_helo, mail_from, dkim, arc) = futures_util::future::join5(
        iprev::check(resolver, peer),
        spf::check(resolver, asked),
        mail_from,
        dkim::verify(resolver, facts.message, facts.now),
        arc::validate(resolver, facts.message),
    )
    .await;
    // RFC 7208 §2.4: the null reverse path stands for postmaster@HELO.
    let spf_mail_from = mail_from.unwrap_or_else(|| SpfCheck { identity: Identity::MailFrom, ..spf_helo.clone() });
    let dmarc = dmarc::check(resolver, facts.message, &spf_mail_from, &dkim).await;
    Authentication { peer, local_part, iprev, spf_helo, spf_mail_from, dkim, dmarc, arc }
}

impl Authentication {
    /// What an Authentication-Results field says, without its name and last line end, folded. [`arc::seal`] takes the same.
    pub fn results(&self, host: &str) -> String {
        results::written(self, host)
    }

    /// The whole Authentication-Results field, with CRLF, to be put before the message (RFC 8601 §4: above the Received field that we add, or below; above is usual).
    pub fn field(&self, host: &str) -> String {
        format!("Authentication-Results: {}\r\n", self.results(host))
    }
}
