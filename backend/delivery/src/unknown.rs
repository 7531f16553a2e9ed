//! Whether a refusal says that there is nobody of this address, for good: that, and no policy, no full mailbox, no trouble.

use relais_model::Reply;

/// What hosts say without a code that tells (RFC 3463), or with one that says little.
const WORDS: [&str; 14] = [
    "user unknown",
    "unknown user",
    "unknown recipient",
    "recipient unknown",
    "unknown address",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such person",
    "no mailbox here",
    "does not exist",
    "doesn't exist",
    "not a valid mailbox",
    "recipient not found",
];

/// Facts: what was said, in whose words.
pub(crate) fn is_unknown(reply: &Reply) -> bool {
    if !(500..=599).contains(&reply.code) {
        return false;
    }
    let code = reply.enhanced.map(|enhanced| (enhanced.class, enhanced.subject, enhanced.detail));
    match code {
        // RFC 3463 §3.2: no such mailbox, no such system, the mailbox has moved; RFC 7505 §4.2: the domain takes no mail.
        Some((5, 1, 1 | 2 | 6 | 10)) => true,
        // What is only "other", or a syntax that the host's own words explain.
        None | Some((5, 0 | 1 | 5, 0)) => {
            let text = reply.text.to_lowercase();
            matches!(reply.code, 550 | 551 | 553) && WORDS.iter().any(|words| text.contains(words))
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use relais_model::EnhancedCode;

    use super::*;

    #[test]
    fn only_nobody_is_nobody() {
        let check = |code: u16, enhanced: Option<(u8, u16, u16)>, text: &str, expected: bool| {
            let enhanced = enhanced.map(|(class, subject, detail)| EnhancedCode::new(class, subject, detail));
            let reply = Reply { code, enhanced, text: text.to_owned() };
            assert_eq!(is_unknown(&reply), expected, "{reply}");
        };
        check(550, Some((5, 1, 1)), "The email account that you tried to reach does not exist", true);
        check(550, Some((5, 1, 1)), "", true);
        check(550, Some((5, 1, 2)), "No such domain", true);
        check(550, Some((5, 1, 6)), "Moved", true);
        check(556, Some((5, 1, 10)), "The domain takes no mail", true);
        check(550, None, "No such user here", true);
        check(550, Some((5, 5, 0)), "Requested action not taken: User Unknown", true);
        check(550, Some((5, 0, 0)), "Mailbox unavailable", false);
        check(550, None, "Requested action not taken: mailbox unavailable", false);
        check(550, Some((5, 7, 1)), "User unknown to our policy", false);
        check(550, Some((5, 2, 1)), "Mailbox disabled: no such user any more", false);
        check(550, Some((5, 4, 1)), "Recipient address rejected: Access denied", false);
        check(552, Some((5, 2, 2)), "Mailbox full", false);
        check(554, None, "No such user", false);
        check(450, Some((4, 1, 1)), "Unknown recipient", false);
        check(250, Some((2, 1, 5)), "", false);
    }
}
