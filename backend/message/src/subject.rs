//! The base subject by which threads and sorts compare (RFC 5256 §2.1).

/// What is left of a subject without its marks of reply and forwarding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseSubject {
    /// In its own case.
    pub text: String,
    /// A mark of reply or forwarding was removed (RFC 5256 §2.1).
    pub is_reply: bool,
}

/// Takes the decoded subject (RFC 5256 §2.1 steps 1 to 6).
pub fn base_subject(subject: &str) -> BaseSubject {
    // Step 1: blanks become one space.
    let mut text = String::with_capacity(subject.len());
    for word in subject.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    let mut base = text.as_str();
    let mut is_reply = false;
    loop {
        // Step 2. Blanks beyond those of step 1 go first, or they would hide a trailer.
        base = base.trim();
        while let Some(before) = strip_suffix_nocase(base, "(fwd)") {
            base = before.trim_end();
            is_reply = true;
        }
        // Steps 3 to 5.
        loop {
            if let Some(rest) = without_leader(base) {
                base = rest;
                is_reply = true;
            } else if let Some(rest) = without_blob(base).filter(|rest| !rest.is_empty()) {
                base = rest;
            } else {
                break;
            }
        }
        // Step 6.
        match strip_prefix_nocase(base, "[fwd:").and_then(|rest| rest.strip_suffix(']')) {
            Some(inside) => {
                base = inside.trim();
                is_reply = true;
            }
            None => return BaseSubject { text: base.to_owned(), is_reply },
        }
    }
}

/// subj-leader, without its blobs: `[list] Re [2]: `.
fn without_leader(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(behind) = without_blob(rest) {
        rest = behind;
    }
    let rest = ["re", "fwd", "fw"].iter().find_map(|mark| strip_prefix_nocase(rest, mark))?.trim_start();
    let rest = without_blob(rest).unwrap_or(rest);
    Some(rest.strip_prefix(':')?.trim_start())
}

/// subj-blob: brackets without brackets inside, and blanks.
fn without_blob(text: &str) -> Option<&str> {
    let (inside, rest) = text.strip_prefix('[')?.split_once(']')?;
    (!inside.contains('[')).then(|| rest.trim_start())
}

fn strip_prefix_nocase<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix_nocase<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(subject: &str, text: &str, is_reply: bool) {
        assert_eq!(base_subject(subject), BaseSubject { text: text.to_owned(), is_reply }, "{subject}");
    }

    /// RFC 5256 §2.1.
    #[test]
    fn marks_of_reply_are_removed() {
        check("a", "a", false);
        check("Re: a", "a", true);
        check("RE : Fwd:  fw: a\t b", "a b", true);
        check("[foo] Fwd: [bar] Re: fw: b (fWd)  (fwd)", "b", true);
        check("b (a)", "b (a)", false);
        check("Re: [FWD: c]", "c", true);
        check("[xyz]", "[xyz]", false);
        check("[list] x", "x", false);
        check("[a] [b]", "[b]", false);
        check("Re [2]: x", "x", true);
        check("Ad: Re: Ad: x", "Ad: Re: Ad: x", false);
        check("re: [fwd: [fwd: re: [fwd: babylon]]]", "babylon", true);
        check("Re:", "", true);
        check("Reset", "Reset", false);
        check("(fwd)", "", true);
        check("b (fwd)\u{b}", "b", true);
        check("[a[b]] x", "[a[b]] x", false);
        check("é (fwd)", "é", true);
        check("", "", false);
    }
}
