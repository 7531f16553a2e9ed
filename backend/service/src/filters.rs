//! How the programs do that are asked about messages: ClamAV, rspamd, milters.

use std::sync::Arc;

use relais_filters::{Filters, State};
use relais_reception::filters_set;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{HealthCheck, Moment, Operations, Service, Text};

/// A filter that is set, looked at now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FilterView {
    /// `clamav`, `rspamd` or `milter`.
    pub kind: &'static str,
    /// As people call it.
    pub title: &'static str,
    /// Where it listens.
    #[schema(example = "unix:/run/clamav/clamd.ctl")]
    pub at: String,
    /// It answers.
    pub is_up: bool,
    /// That, in a sentence.
    pub says: Text,
    /// What it calls itself.
    pub version: Option<String>,
    /// Messages that it was asked about, since the program began.
    pub asked: u64,
    /// Those that it gave no answer to.
    pub unanswered: u64,
    /// What its last answer to a message took, in milliseconds.
    pub latency_ms: Option<u64>,
    /// When it gave no answer, the last time.
    pub last_trouble_at: Option<Moment>,
    /// Why that was, in a sentence.
    pub last_trouble: Option<Text>,
}

impl From<State> for FilterView {
    fn from(state: State) -> Self {
        let trouble = state.last_trouble.map(|(at, trouble)| (at, Text::from(trouble.said_of(state.kind))));
        let up = Text::new("filters-up").with("filter", state.kind.title());
        let (at, trouble) = trouble.unzip();
        Self {
            kind: state.kind.as_str(),
            title: state.kind.title(),
            at: state.at.to_string(),
            is_up: state.is_up,
            says: if state.is_up { up } else { trouble.clone().unwrap_or(up) },
            version: state.version,
            asked: state.asked,
            unanswered: state.unanswered,
            latency_ms: state.latency.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            last_trouble_at: at.map(Moment::from),
            last_trouble: trouble,
        }
    }
}

impl Operations {
    /// With what asks other programs about messages.
    #[must_use]
    pub fn with_filters(self, filters: Arc<Filters>) -> Self {
        Self { filters: Some(filters), ..self }
    }
}

impl Service {
    /// Each filter that is set, looked at now: for three seconds at most.
    pub(crate) async fn filters(&self) -> Vec<FilterView> {
        let Some(filters) = &self.operations.filters else { return Vec::new() };
        filters.look(&filters_set(&self.store.settings())).await.into_iter().map(FilterView::from).collect()
    }
}

/// All filters answer; nothing where none is set.
pub(crate) fn health(filters: &[FilterView]) -> Option<HealthCheck> {
    let is_well = filters.iter().all(|filter| filter.is_up);
    let says = Text::new(if is_well { "system-filters-well" } else { "system-filters-ill" });
    (!filters.is_empty()).then_some(HealthCheck { name: "filters", is_well, says })
}

#[cfg(test)]
mod tests {
    use relais_filters::{Kind, Trouble};
    use relais_model::{Endpoint, Timestamp};

    use super::*;

    #[test]
    fn a_filter_that_is_down_says_why() {
        let state = State {
            kind: Kind::Rspamd,
            at: Endpoint::parse("127.0.0.1:11333").unwrap(),
            is_up: false,
            version: None,
            asked: 3,
            unanswered: 1,
            latency: None,
            last_trouble: Some((Timestamp::from_seconds(7), Trouble::Unreachable("gone".to_owned()))),
        };
        let view = FilterView::from(state.clone());
        let expected = Text::new("filters-unreachable").with("filter", "rspamd").with("why", "gone");
        assert_eq!(
            (&view.says, view.last_trouble.as_ref(), view.at.as_str()),
            (&expected, Some(&expected), "127.0.0.1:11333")
        );
        assert_eq!(health(std::slice::from_ref(&view)).map(|check| check.is_well), Some(false));
        assert_eq!(health(&[]), None);
        let view = FilterView::from(State { is_up: true, ..state });
        assert_eq!(view.says, Text::new("filters-up").with("filter", "rspamd"));
    }
}
