//! The question before an act that takes something away or lets someone in: a page of its own, which names what goes.

use askama::Template;
use serde::Deserialize;

use crate::kit::Frame;

/// The question.
#[derive(Debug, Template)]
#[template(path = "panel/question.html")]
pub(super) struct QuestionPage {
    pub(super) frame: Frame,
    pub(super) title: String,
    pub(super) text: String,
    /// What goes: a sentence each.
    pub(super) goes: Vec<String>,
    /// Where the answer is sent.
    pub(super) action: String,
    /// The button's words.
    pub(super) act: String,
    /// Where "cancel" leads.
    pub(super) back: String,
    /// `danger`, or `primary`.
    pub(super) kind: &'static str,
    /// Of what was looked at: what was changed since is not removed unseen. Empty where it doesn't matter.
    pub(super) version: String,
}

/// What a question about something with a version sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct VersionForm {
    pub(super) version: String,
}

impl VersionForm {
    /// None: whatever it is now.
    pub(super) fn version(&self) -> Option<&str> {
        Some(self.version.as_str()).filter(|version| !version.is_empty())
    }
}
