//! Faults, failures and what an import left out, as sentences of the catalogue (`templates/words`, `sieve.ftl`).

use std::borrow::Cow;

use relais_model::Said;

use crate::fault::Problem;
use crate::import::Reason;
use crate::limit;
use crate::outcome::Why;

/// A sentence whose name has a part that is made of words.
fn by(name: &str, words: &str) -> Said {
    Said { id: Cow::Owned(format!("sieve-{name}-{}", slug(words))), gaps: Vec::new() }
}

/// Words as a name: what are no letters or digits become hyphens.
fn slug(words: &str) -> String {
    let parts = words.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

impl Problem {
    /// What is wrong, for people.
    pub fn said(&self) -> Said {
        match self {
            Self::TooLong(octets) => {
                Said::new("sieve-too-long").number("octets", *octets).number("most", limit::SCRIPT_OCTETS)
            }
            Self::TooMuch(what) => by("too-much", what),
            Self::NoText => Said::new("sieve-no-text"),
            Self::Character(what) => Said::new("sieve-character").words("what", what),
            Self::Unended(what) => by("unended", what),
            Self::Number(value) => Said::new("sieve-number").words("value", value),
            Self::Expected { wanted, .. } => match *wanted {
                "`;`" => Said::new("sieve-expected-semicolon"),
                "`}`" => Said::new("sieve-expected-brace"),
                "`,` or `)`" | "`,` or `]`" => Said::new("sieve-expected-comma"),
                words => by("expected", words),
            },
            Self::UnknownCommand { name, .. } => Said::new("sieve-unknown-command").words("name", name),
            Self::UnknownTest { name, .. } => Said::new("sieve-unknown-test").words("name", name),
            Self::CommandAsTest(name) => Said::new("sieve-command-as-test").words("name", name),
            Self::TestAsCommand(name) => Said::new("sieve-test-as-command").words("name", name),
            Self::NeedsRequire { what, capability } => {
                Said::new("sieve-needs-require").words("what", what).words("capability", capability)
            }
            Self::UnknownCapability(name) => Said::new("sieve-unknown-capability").words("name", name),
            Self::RequireLate => Said::new("sieve-require-late"),
            Self::UnknownTag { tag, command } => {
                Said::new("sieve-unknown-tag").words("tag", tag).words("command", command)
            }
            Self::TagConflict(one, other) => Said::new("sieve-tag-conflict").words("one", one).words("other", other),
            Self::TagArgument { tag, wanted } => by("tag-wants", wanted).words("tag", tag),
            Self::Missing { command, wanted } | Self::WrongKind { command, wanted } => {
                by("wants", wanted).words("command", command)
            }
            Self::Surplus(command) => Said::new("sieve-surplus").words("command", command),
            Self::NoIf(name) => Said::new("sieve-no-if").words("name", name),
            Self::Value { value, kind } => by("value", kind).words("value", value),
            Self::Regex(value, why) => Said::new("sieve-regex").words("value", value).words("why", why),
            Self::Namespace(name) => Said::new("sieve-namespace").words("name", name),
            Self::LateGlobal(name) => Said::new("sieve-late-global").words("name", name),
            Self::NoLoop => Said::new("sieve-no-loop"),
            Self::Together(_) => Said::new("sieve-numeric-alone"),
            Self::NotThere(name) => Said::new("sieve-not-there").words("name", name),
            Self::Included(name) => Said::new("sieve-included").words("name", name),
            Self::Circular(name) => Said::new("sieve-circular").words("name", name),
            Self::TooManyIncludes => Said::new("sieve-too-many-includes"),
        }
    }

    /// What to do about it, for people; none where the fault says it already.
    pub fn advice(&self) -> Option<Said> {
        Some(match self {
            Self::TooMuch(_) => Said::new("sieve-hint-smaller"),
            Self::NoText => Said::new("sieve-hint-utf8"),
            Self::Character(_) => Said::new("sieve-hint-character"),
            Self::Unended("multi-line text") => Said::new("sieve-hint-text-end"),
            Self::Unended("comment") => Said::new("sieve-hint-comment-end"),
            Self::Unended(_) => Said::new("sieve-hint-string-end"),
            Self::Number(_) => Said::new("sieve-hint-number"),
            Self::Expected { wanted: "`;`", .. } => Said::new("sieve-hint-semicolon"),
            Self::UnknownCommand { near: Some(near), .. } | Self::UnknownTest { near: Some(near), .. } => {
                Said::new("sieve-hint-near").words("near", near)
            }
            Self::CommandAsTest(_) => Said::new("sieve-hint-test"),
            Self::TestAsCommand(name) => Said::new("sieve-hint-if").words("name", name),
            Self::NeedsRequire { capability, .. } => Said::new("sieve-hint-require").words("capability", capability),
            Self::UnknownCapability(_) => Said::new("sieve-hint-extensions"),
            Self::RequireLate => Said::new("sieve-hint-beginning"),
            Self::TagConflict(..) => Said::new("sieve-hint-leave-out"),
            Self::NoIf(_) => Said::new("sieve-hint-behind-if"),
            Self::Value { kind: "address", .. } => Said::new("sieve-hint-address"),
            Self::Value { kind: "comparator", .. } => Said::new("sieve-hint-comparators"),
            Self::LateGlobal(_) => Said::new("sieve-hint-global"),
            Self::NotThere(_) => Said::new("sieve-hint-not-there"),
            Self::Included(name) => Said::new("sieve-hint-included").words("name", name),
            _ => return None,
        })
    }
}

impl Why {
    /// Why a script failed, for its owner.
    pub fn said(&self) -> Said {
        match self {
            Self::Actions(most) => Said::new("sieve-failed-actions").number("most", *most),
            Self::Redirects(most) => Said::new("sieve-failed-redirects").number("most", *most),
            Self::TooMany(what) => by("failed-too-many", what),
            Self::Work => Said::new("sieve-failed-work"),
            Self::Conflict(one, other) => Said::new("sieve-failed-conflict").words("one", one).words("other", other),
            Self::Mailbox(name) => Said::new("sieve-failed-mailbox").words("name", name),
            Self::Value(value, kind) => by("value", kind).words("value", value),
            Self::Regex(why) => Said::new("sieve-failed-regex").words("why", why),
            Self::Said(text) => Said::new("sieve-failed-said").words("text", text),
            Self::Inapplicable(what) => Said::new("sieve-failed-inapplicable").words("what", what),
            Self::NotThere(name) => Said::new("sieve-failed-not-there").words("name", name),
            Self::Circular(name) => Said::new("sieve-circular").words("name", name),
            Self::Includes => Said::new("sieve-too-many-includes"),
        }
    }
}

impl Reason {
    /// Why something was not carried over, for who brings it.
    pub const fn said(self) -> Said {
        Said::new(match self {
            Self::Program => "sieve-import-program",
            Self::File => "sieve-import-file",
            Self::Other => "sieve-import-other",
            Self::Pattern => "sieve-import-pattern",
            Self::Unknown => "sieve-import-unknown",
            Self::Nearly => "sieve-import-nearly",
            Self::Address => "sieve-import-address",
            Self::TooLarge => "sieve-import-too-large",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ENGLISH: &str = include_str!("../../../templates/words/en/sieve.ftl");

    /// What is said is in the catalogue, with the same gaps. The words crate sees to it that both languages have it.
    #[track_caller]
    fn check(said: &Said) {
        let line = ENGLISH.lines().find(|line| line.split(" = ").next() == Some(&said.id));
        let line = line.unwrap_or_else(|| panic!("{} is not in the catalogue", said.id));
        let gaps: BTreeSet<&str> = said.gaps.iter().map(|(name, _)| name.as_ref()).collect();
        let wanted: BTreeSet<&str> = line.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
        assert_eq!(gaps, wanted, "{}", said.id);
    }

    #[test]
    fn every_fault_has_its_sentence() {
        // Each word that the sources give to a fault.
        let sources = [
            include_str!("lexer.rs"),
            include_str!("syntax.rs"),
            include_str!("form.rs"),
            include_str!("compile.rs"),
            include_str!("compile/acts.rs"),
            include_str!("compile/tests.rs"),
            include_str!("compile/values.rs"),
            include_str!("run/acts.rs"),
            include_str!("run/tests.rs"),
            include_str!("run.rs"),
            include_str!("template.rs"),
        ];
        let words = |marks: &[&str]| -> BTreeSet<&'static str> {
            let find = |mark: &str| -> Vec<&'static str> {
                let behind = sources.iter().flat_map(|source| source.split(mark).skip(1));
                behind.filter_map(|rest| rest.split('"').next()).map(|word| &*word.to_owned().leak()).collect()
            };
            marks.iter().flat_map(|mark| find(mark)).collect()
        };
        let mut count = 0;
        let mut told = |said: Said| {
            check(&said);
            count += 1;
        };
        for kind in words(&["kind: \""]) {
            told(Problem::Value { value: "x".into(), kind }.said());
        }
        for what in words(&["TooMuch(\""]) {
            told(Problem::TooMuch(what).said());
        }
        for what in words(&["TooMany(\""]) {
            told(Why::TooMany(what).said());
        }
        for what in words(&["Unended(\""]) {
            told(Problem::Unended(what).said());
        }
        for wanted in words(&["node, \"", "Missing { command: \":last\".into(), wanted: \"", "wanted: \"`:"]) {
            let wanted = if sources.iter().any(|source| source.contains(&format!("wanted: \"`:{wanted}"))) {
                format!("`:{wanted}").leak()
            } else {
                wanted
            };
            told(Problem::Missing { command: "x".into(), wanted }.said());
        }
        for wanted in words(&["expected(\"", "head(\"", "Problem::Expected { wanted: \""]) {
            told(Problem::Expected { wanted, found: String::new() }.said());
        }
        for want in [crate::form::Want::Number, crate::form::Want::String, crate::form::Want::Strings] {
            told(Problem::TagArgument { tag: "x".into(), wanted: want.describe() }.said());
            told(Problem::WrongKind { command: "x".into(), wanted: want.describe() }.said());
        }
        for kind in ["BY mode", "NOTIFY", "RET", "address", "time", "time zone", "field's name", "special use"] {
            told(Why::Value("x".into(), kind).said());
        }
        assert!(count > 60, "{count}");
    }

    #[test]
    fn the_rest_has_its_sentences() {
        let x = || "x".to_owned();
        for problem in [
            Problem::TooLong(1),
            Problem::TooMuch("octets of a string"),
            Problem::NoText,
            Problem::Character('x'),
            Problem::Unended("comment"),
            Problem::Unended("multi-line text"),
            Problem::Unended("string"),
            Problem::Number(x()),
            Problem::Expected { wanted: "`;`", found: x() },
            Problem::UnknownCommand { name: x(), near: Some("x") },
            Problem::UnknownTest { name: x(), near: None },
            Problem::CommandAsTest(x()),
            Problem::TestAsCommand(x()),
            Problem::NeedsRequire { what: x(), capability: x() },
            Problem::UnknownCapability(x()),
            Problem::RequireLate,
            Problem::UnknownTag { tag: x(), command: x() },
            Problem::TagConflict(x(), x()),
            Problem::Missing { command: x(), wanted: "an argument" },
            Problem::Surplus(x()),
            Problem::NoIf(x()),
            Problem::Value { value: x(), kind: "address" },
            Problem::Value { value: x(), kind: "comparator" },
            Problem::Regex(x(), x()),
            Problem::Namespace(x()),
            Problem::LateGlobal(x()),
            Problem::NoLoop,
            Problem::Together("x"),
            Problem::NotThere(x()),
            Problem::Included(x()),
            Problem::Circular(x()),
            Problem::TooManyIncludes,
        ] {
            check(&problem.said());
            let advice = problem.advice();
            advice.iter().for_each(check);
            let has_hint = !problem.hint().is_empty() && !matches!(problem, Problem::TooLong(_));
            assert_eq!(advice.is_some(), has_hint, "{problem:?}");
        }
        for why in [
            Why::Actions(1),
            Why::Redirects(1),
            Why::Work,
            Why::Conflict("x", "y"),
            Why::Mailbox(x()),
            Why::Regex(x()),
            Why::Said(x()),
            Why::Inapplicable("x"),
            Why::NotThere(x()),
            Why::Circular(x()),
            Why::Includes,
        ] {
            check(&why.said());
        }
        for reason in [
            Reason::Program,
            Reason::File,
            Reason::Other,
            Reason::Pattern,
            Reason::Unknown,
            Reason::Nearly,
            Reason::Address,
            Reason::TooLarge,
        ] {
            check(&reason.said());
        }
    }
}
