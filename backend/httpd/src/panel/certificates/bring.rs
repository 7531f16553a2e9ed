//! Bringing a certificate of one's own. A private key goes in and never out.

use askama::Template;
use axum::extract::State;
use relais_service::{OwnCertificateForm, Text};

use crate::kit::{Complaints, Frame, Oops, Owner, Routes, Upload, again, done, shown};
use crate::{Web, path};

/// Octets of a chain that a form brings back, at most; longer ones are no certificates.
const KEPT_OCTETS: usize = 256 * 1024;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::CERTIFICATE_NEW, form).upload(path::CERTIFICATE_NEW, bring)
}

#[derive(Debug, Template)]
#[template(path = "panel/certificates/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    /// As it was pasted or sent, without any private key.
    chain: String,
}

async fn form(owner: Owner, State(web): State<Web>) -> Oops {
    // Asked before anything is pasted, which would be lost on the way.
    owner.actor.require_proof()?;
    Ok(shown(&NewPage { frame: owner.frame(&web), complaints: Complaints::default(), chain: String::new() }))
}

async fn bring(owner: Owner, State(web): State<Web>, mut upload: Upload) -> Oops {
    let mut either = |file: &str, pasted: &str| {
        let (file, pasted) = (upload.take(file), upload.take(pasted));
        if file.is_empty() { pasted } else { file }
    };
    let form = OwnCertificateForm { chain: either("chain_file", "chain"), key: either("key_file", "key") };
    match web.service().bring_certificate(&owner.actor, &form).await {
        Ok(_) => Ok(done(path::CERTIFICATES, Text::new("certificates-page-brought"))),
        Err(failure) => {
            let frame = owner.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&NewPage { frame, complaints, chain: without_keys(&form.chain) }))
        }
    }
}

/// The text without the private keys in it, and without what cannot be told from one; empty where it is too long to be any.
fn without_keys(text: &str) -> String {
    if KEPT_OCTETS < text.len() {
        return String::new();
    }
    let (mut kept, mut is_key) = (String::with_capacity(text.len()), false);
    for line in text.split_inclusive('\n') {
        let is_mark = line.contains("PRIVATE KEY");
        if !is_mark && !is_key {
            kept.push_str(line);
        }
        if is_mark {
            is_key = !line.contains("-----END");
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use relais_service::Failure;

    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn the_form_is_drawn() {
        draw(|frame| {
            let complaints =
                Complaints::of(&frame, Failure::unfit("key", Text::new("certificate-pem-no-key"))).unwrap();
            vec![
                NewPage { frame: frame.clone(), complaints: Complaints::default(), chain: String::new() },
                NewPage { frame, complaints, chain: "-----BEGIN CERTIFICATE-----\n</textarea>".to_owned() },
            ]
        });
    }

    /// A key that was pasted among the certificates is not sent back with them.
    #[test]
    fn a_form_that_is_shown_again_has_no_key() {
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN EC PRIVATE KEY-----\nSECRET\n-----END EC PRIVATE KEY-----\n";
        assert_eq!(without_keys(&format!("{certificate}{key}{certificate}")), certificate.repeat(2));
        assert_eq!(without_keys(&format!("{certificate}-----BEGIN PRIVATE KEY-----\nSECRET")), certificate);
        assert_eq!(without_keys("x -----BEGIN PRIVATE KEY-----SECRET-----END PRIVATE KEY-----\nrest"), "rest");
        assert_eq!(without_keys("what is this?\r\n"), "what is this?\r\n");
        assert_eq!(without_keys(&"x".repeat(KEPT_OCTETS + 1)), "");
    }
}
