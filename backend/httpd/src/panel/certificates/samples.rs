//! What samples of pages show.

use relais_model::Timestamp;
use relais_service::{CaView, CertificateRow, Moment, Role, Text};

use super::head::Head;
use crate::kit::Frame;

pub(super) fn at(days: i64) -> Moment {
    Moment(Timestamp::from_millis(1_795_428_000_000 + days * 86_400_000))
}

pub(super) fn certificate(source: &'static str, names: &[&str], days_left: u64) -> CertificateRow {
    let end = i64::try_from(days_left).unwrap();
    CertificateRow {
        id: "crt_1".to_owned(),
        source,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        issuer: "C=US, O=Let's Encrypt, CN=E7".to_owned(),
        not_before: at(end - 90),
        not_after: at(end),
        days_left,
        is_ending: days_left < 14,
        renews_at: (source == "acme").then(|| at(end - 30)),
        is_in_use: days_left > 0,
    }
}

pub(super) fn authority(is_enabled: bool, rests_until: Option<Moment>) -> CaView {
    CaView {
        is_enabled,
        directory_url: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
        terms_url: rests_until.is_none().then_some("https://letsencrypt.org/repository/"),
        contact: rests_until.is_some().then(|| "ann@example.org".to_owned()),
        account_since: rests_until.map(|_| at(-3)),
        rests_until,
        says: Text::new("certificate-ca-well"),
    }
}

/// Off, on, resting; and as a domain admin sees it.
pub(super) fn heads(frame: &Frame, current: &str) -> Vec<Head> {
    vec![
        Head::of(frame, Role::Owner, current, false, Some(authority(false, None))),
        Head::of(frame, Role::Owner, current, true, Some(authority(true, None))),
        Head::of(frame, Role::Owner, current, true, Some(authority(true, Some(at(1))))),
        Head::of(frame, Role::DomainAdmin, current, false, None),
    ]
}
