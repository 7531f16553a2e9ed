//! What samples of pages show.

use relais_model::Timestamp;
use relais_service::{ListPosters, ListView, Rows};

pub(super) const AT: Timestamp = Timestamp::from_millis(1_795_000_000_000);

pub(super) fn sample(posters: ListPosters) -> ListView {
    ListView {
        address: "team@example.org".to_owned(),
        title: "The team".to_owned(),
        posters,
        is_open: posters == ListPosters::Moderated,
        max_octets: 1024 * 1024,
        prefix: "[team]".to_owned(),
        members: 1200,
        held: 3,
        created_at: AT.into(),
        version: "1".to_owned(),
    }
}

pub(super) fn rows<T>(rows: Vec<T>) -> Rows<T> {
    Rows { rows, next: None }
}
