//! What others may do in a mailbox, in the words of pages.

use relais_service::{SendsAs, ShareLevel, Text};

use super::{Choice, Frame};

/// Somebody as people read it: `anyone` is a word of the protocol.
pub(crate) fn grantee_words(frame: &Frame, with: &str) -> String {
    if with == "anyone" { frame.say("share-anyone") } else { with.to_owned() }
}

/// What somebody may do, in words; letters where they were given one by one.
pub(crate) fn level_words(frame: &Frame, level: Option<ShareLevel>, rights: &str) -> String {
    match level {
        Some(level) => frame.say(&format!("share-level-{}", level.as_str())),
        None => frame.tell(&Text::new("share-letters").with("rights", rights)),
    }
}

/// What somebody may, in words; where that counts for nothing, with why.
pub(crate) fn may_words(frame: &Frame, may: String, is_dormant: bool) -> String {
    if is_dormant { frame.tell(&Text::new("share-dormant").with("may", may)) } else { may }
}

/// How somebody writes, in words.
pub(crate) fn sends_words(frame: &Frame, sends: SendsAs) -> String {
    frame.say(match sends {
        SendsAs::OnBehalf => "share-sends-on-behalf",
        SendsAs::As => "share-sends-as",
    })
}

/// What one may choose of them.
pub(crate) fn level_choices(frame: &Frame, chosen: &str) -> Vec<Choice> {
    let choice = |level: ShareLevel| Choice::new(level.as_str(), level_words(frame, Some(level), ""), chosen);
    ShareLevel::ALL.map(choice).to_vec()
}

/// How somebody may write, to be chosen.
pub(crate) fn sends_choices(frame: &Frame, chosen: &str) -> Vec<Choice> {
    let choice = |sends: SendsAs| Choice::new(sends.as_str(), sends_words(frame, sends), chosen);
    [SendsAs::OnBehalf, SendsAs::As].map(choice).to_vec()
}
