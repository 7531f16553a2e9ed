//! The profile of Apple's programs (payload `com.apple.mail.managed`): signed where the house has something to sign with.

use askama::Template;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use relais_model::{Address, Secret};
use relais_service::{Failure, Text};

use super::seal::seal;
use crate::Web;

/// Where no password is given, it is asked for when the profile is installed.
#[derive(Debug, Template)]
#[template(path = "autoconfig/apple.xml", escape = "html")]
struct AppleProfile<'a> {
    address: String,
    name: String,
    host: String,
    imap_port: u16,
    smtp_port: u16,
    password: Option<&'a Secret>,
    /// The same for the same account, so that a second installation takes the place of the first.
    account_id: String,
    profile_id: String,
    organisation: String,
}

/// The profile of `address`, whose person is called `name`.
///
/// # Errors
/// [`Failure::Absent`] where the house doesn't open both doors with TLS from the first octet.
pub(crate) fn profile(
    web: &Web,
    address: &Address,
    name: &str,
    password: Option<&Secret>,
) -> Result<Response, Failure> {
    let (imap_port, smtp_port) = profile_ports(web)?;
    let address = relais_service::readable(address);
    let profile = AppleProfile {
        account_id: uuid(&address, "account"),
        profile_id: uuid(&address, "profile"),
        name: if name.is_empty() { address.clone() } else { name.to_owned() },
        address,
        host: web.host().as_str().to_owned(),
        imap_port,
        smtp_port,
        password,
        organisation: web.host().to_unicode(),
    };
    let xml = profile.render().map_err(|_| Failure::Failed)?;
    Ok(download(signed(web, xml.into_bytes())))
}

/// The ports that a profile names, for IMAP and SMTP with TLS from the first octet.
///
/// # Errors
/// [`Failure::Absent`] where one of them isn't open.
pub(crate) fn profile_ports(web: &Web) -> Result<(u16, u16), Failure> {
    let ports = web.ports();
    ports.imaps.zip(ports.submissions).ok_or_else(|| Failure::Absent(Text::new("clients-no-doors")))
}

/// Signed, or as it is: a device takes either, and says which it is.
fn signed(web: &Web, profile: Vec<u8>) -> Vec<u8> {
    let Some(certified) = web.certified() else { return profile };
    match seal(&profile, &certified, web.now()) {
        Ok(sealed) => sealed,
        Err(error) => {
            tracing::warn!(%error, "a profile for Apple's programs goes out unsigned");
            profile
        }
    }
}

fn download(profile: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/x-apple-aspen-config"),
        (CONTENT_DISPOSITION, "attachment; filename=\"relais.mobileconfig\""),
    ];
    (headers, profile).into_response()
}

/// An id in UUID's form (RFC 9562 §5.8), made from a name.
fn uuid(address: &str, what: &str) -> String {
    let hash = blake3::hash(format!("relais {what} {address}").as_bytes());
    let hex = hash.to_hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_uppercase();
    format!("{}-{}-8{}-A{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(password: Option<&Secret>) -> String {
        let profile = AppleProfile {
            address: "ann@example.org".to_owned(),
            name: "Ann <& \"Lee\"".to_owned(),
            host: "mx.example.org".to_owned(),
            imap_port: 993,
            smtp_port: 465,
            password,
            account_id: uuid("ann@example.org", "account"),
            profile_id: uuid("ann@example.org", "profile"),
            organisation: "mx.example.org".to_owned(),
        };
        profile.render().unwrap()
    }

    #[test]
    fn the_profile_escapes_what_people_are_called() {
        let xml = drawn(None);
        assert!(xml.contains("<string>Ann &#60;&#38; &#34;Lee&#34;</string>"), "{xml}");
        assert!(xml.starts_with("<?xml") && !xml.contains("<key>IncomingPassword</key>"), "{xml}");
    }

    #[test]
    fn the_profile_brings_a_password_along() {
        let xml = drawn(Some(&Secret::new("a<b")));
        assert!(xml.contains("\t<key>IncomingPassword</key><string>a&#60;b</string>\n"), "{xml}");
    }
}
