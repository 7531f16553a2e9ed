//! What becomes of mail, as all pages show it.

use relais_service::{Explanation, MessageStep, Text};

use crate::kit::{Frame, State, Time};

/// One step of a message's way, on a timeline.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) tone: &'static str,
    pub(super) symbol: &'static str,
    pub(super) title: String,
    pub(super) at: Time,
    pub(super) meaning: String,
    pub(super) remote: String,
    /// What the other side said, word for word.
    pub(super) words: String,
}

impl Step {
    pub(super) fn of(frame: &Frame, step: MessageStep) -> Self {
        let title =
            Text::new("outcome-step").with("outcome", badge(frame, step.kind).text).with("recipient", step.recipient);
        Self {
            tone: tone(step.kind),
            symbol: symbol(step.kind),
            title: frame.tell(&title),
            at: frame.time(step.at.0),
            meaning: explained(frame, &step.explanation),
            remote: step.remote,
            words: step.words,
        }
    }
}

/// The word and colour of a kind of the trace: `queued`, `delivered`, `deferred`, `failed`, `refused`, `removed`.
pub(super) fn badge(frame: &Frame, kind: &str) -> State {
    match kind {
        "queued" => frame.state("info", "outcome-queued"),
        "delivered" => frame.state("ok", "outcome-delivered"),
        "deferred" => frame.state("wait", "outcome-deferred"),
        "failed" => frame.state("bad", "outcome-failed"),
        "refused" => frame.state("bad", "outcome-refused"),
        _ => frame.state("off", "outcome-removed"),
    }
}

/// Its icon, on a timeline.
pub(super) fn symbol(kind: &str) -> &'static str {
    match kind {
        "queued" => "queue",
        "delivered" => "check",
        "deferred" => "clock",
        "failed" => "failed",
        "refused" => "cross",
        _ => "trash",
    }
}

/// Its colour, on a timeline, which knows no waiting.
pub(super) fn tone(kind: &str) -> &'static str {
    match kind {
        "queued" => "info",
        "delivered" => "ok",
        "deferred" => "warn",
        "failed" | "refused" => "bad",
        _ => "",
    }
}

/// What a reply means and what can be done, as one paragraph.
pub(super) fn explained(frame: &Frame, explanation: &Explanation) -> String {
    let cause = frame.tell(&explanation.cause);
    match &explanation.advice {
        Some(advice) => format!("{cause} {}", frame.tell(advice)),
        None => cause,
    }
}

/// An address, or the words for the null reverse-path.
pub(super) fn sender(frame: &Frame, address: &str) -> String {
    if address.is_empty() || address == "<>" { frame.say("outcome-no-sender") } else { address.to_owned() }
}

/// A subject, or the words for none.
pub(super) fn subject(frame: &Frame, subject: Option<&str>) -> String {
    let written = subject.map(str::trim).filter(|subject| !subject.is_empty());
    written.map_or_else(|| frame.say("outcome-no-subject"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use relais_words::Language;

    use super::*;

    #[test]
    fn every_kind_has_words_and_an_icon() {
        let frame = Frame::sample(Language::English, relais_service::Role::Owner);
        for (kind, word) in [("queued", "Accepted"), ("deferred", "Will be tried again"), ("removed", "Removed")] {
            assert_eq!(badge(&frame, kind).text, word);
        }
        assert_eq!(sender(&frame, "<>"), "Relais (a notice)");
        assert_eq!(subject(&frame, Some("  ")), "(no subject)");
    }
}
