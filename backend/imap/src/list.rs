//! What LIST and LSUB answer (RFC 9051 §6.3.9, RFC 3501 §6.3.9, RFC 5258, RFC 6154).
//!
//! Names are in UTF-8 here, decoded; levels are parted by `/`. No mailbox of ours is remote, so REMOTE selects what would
//! be selected without it, and `\Remote` is never told.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use relais_model::{HIERARCHY_SEPARATOR, MailboxName, SpecialUse};

/// A name of the account: a mailbox, or what is left of one that someone is subscribed to.
#[derive(Debug, Clone, Copy)]
pub struct ListMailbox<'a> {
    /// Its name.
    pub name: &'a MailboxName,
    /// Whether there is such a mailbox.
    pub exists: bool,
    /// Whether the account is subscribed to it.
    pub is_subscribed: bool,
    /// What it is for.
    pub special_use: Option<SpecialUse>,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command, given or not")]
pub struct ListQuery {
    /// Put before each pattern.
    pub reference: String,
    /// With `*` and `%`; one at least.
    pub patterns: Vec<String>,
    /// LSUB; the options below are then of no account.
    pub is_lsub: bool,
    /// The command has options or several patterns (RFC 5258 §3): a mailbox that doesn't exist is `\NonExistent` then, and
    /// `\Noselect` for those who know no more than RFC 3501.
    pub is_extended: bool,
    /// Selection option SUBSCRIBED.
    pub only_subscribed: bool,
    /// Selection option SPECIAL-USE (RFC 6154 §3).
    pub only_special_use: bool,
    /// Selection option RECURSIVEMATCH; goes with SUBSCRIBED.
    pub is_recursive: bool,
    /// Return option SUBSCRIBED; `only_subscribed` implies it.
    pub tell_subscribed: bool,
}

/// An attribute of a LIST response (RFC 9051 §7.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListAttribute {
    /// Subscribed to.
    Subscribed,
    /// No such mailbox.
    NonExistent,
    /// It cannot be selected.
    NoSelect,
    /// There are mailboxes below.
    HasChildren,
    /// There are none.
    HasNoChildren,
    /// What it is for (RFC 6154 §2).
    SpecialUse(SpecialUse),
}

impl ListAttribute {
    /// With its backslash.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "\\Subscribed",
            Self::NonExistent => "\\NonExistent",
            Self::NoSelect => "\\Noselect",
            Self::HasChildren => "\\HasChildren",
            Self::HasNoChildren => "\\HasNoChildren",
            Self::SpecialUse(special_use) => special_use.as_str(),
        }
    }
}

/// One LIST or LSUB response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow<'a> {
    /// In UTF-8; empty where only the separator was asked for.
    pub name: &'a str,
    /// In the order they are told.
    pub attributes: Vec<ListAttribute>,
    /// `("CHILDINFO" ("SUBSCRIBED"))` is told (RFC 5258 §3.5).
    pub has_child_info: bool,
    /// It meets the selection options itself, and isn't told of for its children's sake alone.
    pub is_selected: bool,
}

impl ListRow<'_> {
    /// Whether STATUS is told of it (RFC 5819 §2, §3).
    pub fn has_status(&self) -> bool {
        self.is_selected
            && !self.name.is_empty()
            && !self.attributes.iter().any(|one| matches!(one, ListAttribute::NonExistent | ListAttribute::NoSelect))
    }
}

/// The rows to be answered, each level's names in order, INBOX first.
pub fn list<'a>(mailboxes: &[ListMailbox<'a>], query: &ListQuery) -> Vec<ListRow<'a>> {
    if !query.is_extended && query.patterns.iter().all(String::is_empty) {
        // RFC 9051 §6.3.9: an empty pattern asks for the separator and the root of the name given.
        return vec![ListRow {
            name: "",
            attributes: vec![ListAttribute::NoSelect],
            has_child_info: false,
            is_selected: true,
        }];
    }
    let patterns: Vec<_> = query.patterns.iter().map(|pattern| Pattern::new(&query.reference, pattern)).collect();
    let names = gather(mailboxes, &patterns);
    names.into_iter().filter_map(|(Levels(name), facts)| facts.row(name, query)).collect()
}

/// What is known of a name, be it a mailbox or only a level above one.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Facts {
    is_matched: bool,
    /// By a pattern with `%` at its end.
    is_matched_as_level: bool,
    exists: bool,
    is_subscribed: bool,
    special_use: Option<SpecialUse>,
    /// At any depth, a mailbox that exists.
    has_children: bool,
    /// At any depth, a name subscribed to.
    has_subscribed: bool,
    /// The same, and no pattern matches that name.
    has_hidden_subscribed: bool,
    /// The same, where a pattern with `%` matches this name.
    is_above_hidden_by_percent: bool,
}

impl Facts {
    fn row<'a>(self, name: &'a str, query: &ListQuery) -> Option<ListRow<'a>> {
        if !self.is_matched {
            return None;
        }
        if query.is_lsub {
            return self.lsub_row(name);
        }
        // A name without mailbox is told of for what lies below it, or where subscriptions were asked for. RFC 9051 §6.3.9,
        // §7.3.1: those who know LIST-EXTENDED hear of such levels only where a pattern ends with `%`.
        let is_level = self.has_children && (!query.is_extended || self.is_matched_as_level);
        let is_wanted = if query.only_subscribed { self.is_subscribed } else { self.exists || is_level };
        let is_selected = is_wanted && (!query.only_special_use || self.special_use.is_some());
        // RFC 5258 §3.5: those returned for their children's sake alone have some that the patterns don't show.
        let has_child_info = query.is_recursive
            && query.only_subscribed
            && if is_selected { self.has_subscribed } else { self.has_hidden_subscribed };
        (is_selected || has_child_info).then(|| ListRow {
            name,
            attributes: self.attributes(query),
            has_child_info,
            is_selected,
        })
    }

    fn attributes(self, query: &ListQuery) -> Vec<ListAttribute> {
        let absent = if query.is_extended { ListAttribute::NonExistent } else { ListAttribute::NoSelect };
        let children = if self.has_children { ListAttribute::HasChildren } else { ListAttribute::HasNoChildren };
        let tells_subscribed = self.is_subscribed && (query.only_subscribed || query.tell_subscribed);
        [
            tells_subscribed.then_some(ListAttribute::Subscribed),
            (!self.exists).then_some(absent),
            Some(children),
            // RFC 6154 §2 lets us tell it without being asked, and clients are the better for it.
            self.special_use.map(ListAttribute::SpecialUse),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// RFC 3501 §6.3.9: with `%`, a name not subscribed to stands for those below that are, and cannot be selected.
    fn lsub_row(self, name: &str) -> Option<ListRow<'_>> {
        let attributes = if self.is_subscribed {
            Vec::new()
        } else if self.is_above_hidden_by_percent {
            vec![ListAttribute::NoSelect]
        } else {
            return None;
        };
        Some(ListRow { name, attributes, has_child_info: false, is_selected: true })
    }
}

/// Each name and each level above it, with what is known of them.
fn gather<'a>(mailboxes: &[ListMailbox<'a>], patterns: &[Pattern]) -> BTreeMap<Levels<'a>, Facts> {
    let mut names: BTreeMap<Levels<'a>, Facts> = BTreeMap::new();
    for mailbox in mailboxes.iter().filter(|mailbox| mailbox.exists || mailbox.is_subscribed) {
        let name = mailbox.name.as_str();
        let facts = names.entry(Levels(name)).or_default();
        facts.exists |= mailbox.exists;
        facts.is_subscribed |= mailbox.is_subscribed;
        facts.special_use = facts.special_use.or(mailbox.special_use);
        let is_hidden = mailbox.is_subscribed && !patterns.iter().any(|pattern| pattern.matches(name));
        for (at, _) in name.match_indices(HIERARCHY_SEPARATOR) {
            let above = names.entry(Levels(name.get(..at).unwrap_or_default())).or_default();
            above.has_children |= mailbox.exists;
            above.has_subscribed |= mailbox.is_subscribed;
            above.has_hidden_subscribed |= is_hidden;
        }
    }
    for (Levels(name), facts) in &mut names {
        let matching: Vec<&Pattern> = patterns.iter().filter(|pattern| pattern.matches(name)).collect();
        facts.is_matched = !matching.is_empty();
        facts.is_matched_as_level = matching.iter().any(|pattern| pattern.ends_with_percent());
        facts.is_above_hidden_by_percent =
            facts.has_hidden_subscribed && matching.iter().any(|pattern| pattern.has_percent());
    }
    names
}

/// A name that sorts level by level, INBOX first: what lies below a name follows it.
#[derive(Debug, PartialEq, Eq)]
struct Levels<'a>(&'a str);

impl Levels<'_> {
    fn key(&self) -> impl Iterator<Item = (bool, &str)> {
        self.0.split(HIERARCHY_SEPARATOR).enumerate().map(|(at, level)| (at != 0 || level != INBOX, level))
    }
}

impl Ord for Levels<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Levels<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const INBOX: &str = "INBOX";

/// A pattern, made ready to be matched in time linear in the name for each of its signs.
#[derive(Debug)]
struct Pattern {
    signs: Vec<Sign>,
    /// Octets that stand for themselves: no shorter name can match.
    literals: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Octet(u8),
    /// `%`: anything within a level.
    Percent,
    /// `*`: anything.
    Star,
}

impl Pattern {
    fn new(reference: &str, pattern: &str) -> Self {
        // RFC 9051 §6.3.9: the canonical pattern; names are normalised (§5.1), and it has to match them.
        let text = format!("{reference}{pattern}");
        let text = MailboxName::normalise(&text);
        let mut signs: Vec<Sign> = Vec::with_capacity(text.len());
        for octet in text.bytes() {
            let sign = match octet {
                b'*' => Sign::Star,
                b'%' => Sign::Percent,
                octet => Sign::Octet(octet),
            };
            // Two wildcards in a row mean no more than the wider one.
            match (signs.last_mut(), sign) {
                (Some(last @ (Sign::Star | Sign::Percent)), Sign::Star) => *last = Sign::Star,
                (Some(Sign::Star | Sign::Percent), Sign::Percent) => {}
                _ => signs.push(sign),
            }
        }
        let literals = signs.iter().filter(|sign| matches!(sign, Sign::Octet(_))).count();
        Self { signs, literals }
    }

    fn ends_with_percent(&self) -> bool {
        self.signs.last() == Some(&Sign::Percent)
    }

    fn has_percent(&self) -> bool {
        self.signs.contains(&Sign::Percent)
    }

    /// Follows all ways through the pattern at once: no pattern makes it go back.
    fn matches(&self, name: &str) -> bool {
        if self.literals > name.len() {
            return false;
        }
        // RFC 9051 §5.1: INBOX knows no case, as the first level of a name either.
        let is_inbox =
            name.strip_prefix(INBOX).is_some_and(|rest| rest.is_empty() || rest.starts_with(HIERARCHY_SEPARATOR));
        let caseless = if is_inbox { INBOX.len() } else { 0 };
        // Whether the signs before this place have matched the octets so far.
        let mut places = vec![false; self.signs.len() + 1];
        if let Some(first) = places.first_mut() {
            *first = true;
        }
        self.pass_wildcards(&mut places);
        let mut next = vec![false; places.len()];
        for (at, octet) in name.bytes().enumerate() {
            next.fill(false);
            for (place, sign) in self.signs.iter().enumerate().filter(|(place, _)| places.get(*place) == Some(&true)) {
                let reached = match sign {
                    Sign::Star => Some(place),
                    Sign::Percent => (octet != SEPARATOR).then_some(place),
                    Sign::Octet(wanted) => {
                        let is_same = *wanted == octet || (at < caseless && wanted.eq_ignore_ascii_case(&octet));
                        is_same.then_some(place + 1)
                    }
                };
                if let Some(next) = reached.and_then(|reached| next.get_mut(reached)) {
                    *next = true;
                }
            }
            self.pass_wildcards(&mut next);
            std::mem::swap(&mut places, &mut next);
        }
        places.last() == Some(&true)
    }

    /// A wildcard may stand for nothing.
    fn pass_wildcards(&self, places: &mut [bool]) {
        let mut passes = false;
        for (at, place) in places.iter_mut().enumerate() {
            *place |= passes;
            passes = *place && matches!(self.signs.get(at), Some(Sign::Star | Sign::Percent));
        }
    }
}

const SEPARATOR: u8 = HIERARCHY_SEPARATOR as u8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(pattern: &str) -> Pattern {
        Pattern::new("", pattern)
    }

    /// The plain definition, which goes back.
    fn matches_slowly(signs: &[Sign], name: &[u8]) -> bool {
        match (signs, name) {
            ([], _) => name.is_empty(),
            ([Sign::Octet(wanted), signs @ ..], [octet, name @ ..]) => wanted == octet && matches_slowly(signs, name),
            ([Sign::Octet(_), ..], []) => false,
            ([wildcard, rest @ ..], _) => {
                let may_take = name.first().is_some_and(|octet| *wildcard == Sign::Star || *octet != b'/');
                matches_slowly(rest, name) || (may_take && matches_slowly(signs, &name[1..]))
            }
        }
    }

    proptest! {
        #[test]
        fn matching_is_as_defined(signs in "[ab/%*]{0,8}", name in "[ab/]{0,8}") {
            let pattern = pattern(&signs);
            prop_assert_eq!(pattern.matches(&name), matches_slowly(&pattern.signs, name.as_bytes()));
        }
    }

    /// A pattern that makes naive matchers go on for ever.
    #[test]
    fn matching_takes_no_exponential_time() {
        assert!(!pattern(&"*a%".repeat(200)).matches(&"a".repeat(199)));
        assert!(!pattern(&format!("{}b", "*a%".repeat(300))).matches(&"a".repeat(1000)));
    }

    #[test]
    fn inbox_knows_no_case_in_patterns() {
        for text in ["inbox", "InB%", "*ox", "%"] {
            assert!(pattern(text).matches("INBOX"), "{text}");
        }
        assert!(pattern("inbox/a").matches("INBOX/a") && !pattern("inbox/A").matches("INBOX/a"));
        assert!(!pattern("inboxes").matches("INBOXES"));
    }

    /// RFC 9051 §5.1, §6.3.9: a pattern's spelling is of no account, and neither is where its reference ends.
    #[test]
    fn patterns_are_normalised() {
        for (reference, text) in
            [("", "Cafe\u{301}"), ("Cafe", "\u{301}"), ("", "C*\u{e9}"), ("Caf", "%"), ("", "%e\u{301}%")]
        {
            assert!(Pattern::new(reference, text).matches("Caf\u{e9}"), "{reference:?} {text:?}");
        }
        assert!(!pattern("Cafe%").matches("Caf\u{e9}"));
    }

    /// Names; `!` before one that doesn't exist, `+` before one subscribed to, `\Use ` before one with a use.
    fn mailboxes(text: &str) -> Vec<(MailboxName, bool, bool, Option<SpecialUse>)> {
        let parse = |word: &str| {
            let (special_use, word) =
                word.split_once(':').map_or((None, word), |(it, word)| (SpecialUse::parse(it), word));
            let name = MailboxName::parse(word.trim_start_matches(['!', '+'])).unwrap();
            (name, !word.contains('!'), word.contains('+'), special_use)
        };
        text.split(' ').map(parse).collect()
    }

    #[track_caller]
    fn check(text: &str, query: &ListQuery, expected: &[&str]) {
        let mailboxes = mailboxes(text);
        let mailboxes: Vec<_> = mailboxes
            .iter()
            .map(|(name, exists, is_subscribed, special_use)| ListMailbox {
                name,
                exists: *exists,
                is_subscribed: *is_subscribed,
                special_use: *special_use,
            })
            .collect();
        let write = |row: ListRow<'_>| {
            let attributes: Vec<_> = row.attributes.iter().map(|attribute| attribute.as_str()).collect();
            format!("({}) {}{}", attributes.join(" "), row.name, if row.has_child_info { " CHILDINFO" } else { "" })
        };
        assert_eq!(list(&mailboxes, query).into_iter().map(write).collect::<Vec<_>>(), expected, "{query:?}");
    }

    fn plain(pattern: &str) -> ListQuery {
        ListQuery { patterns: vec![pattern.to_owned()], ..ListQuery::default() }
    }

    fn lsub(pattern: &str) -> ListQuery {
        ListQuery { is_lsub: true, ..plain(pattern) }
    }

    fn extended(patterns: &[&str]) -> ListQuery {
        let patterns = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        ListQuery { patterns, is_extended: true, ..ListQuery::default() }
    }

    fn subscribed(patterns: &[&str]) -> ListQuery {
        ListQuery { only_subscribed: true, ..extended(patterns) }
    }

    fn recursive(patterns: &[&str]) -> ListQuery {
        ListQuery { is_recursive: true, ..subscribed(patterns) }
    }

    /// The facts of imaptest's `list`.
    #[test]
    fn imaptest_list() {
        let all = "m/test m/test2 m m/test3/test4/test5 INBOX";
        check(all, &plain(""), &["(\\Noselect) "]);
        let inbox = "(\\HasNoChildren) INBOX";
        check(all, &plain("INBOX"), &[inbox]);
        let (test, test2) = ("(\\HasNoChildren) m/test", "(\\HasNoChildren) m/test2");
        let (test3, test4) = ("(\\Noselect \\HasChildren) m/test3", "(\\Noselect \\HasChildren) m/test3/test4");
        let test5 = "(\\HasNoChildren) m/test3/test4/test5";
        check(all, &plain("m/%"), &[test, test2, test3]);
        check(all, &plain("m/%/%"), &[test4]);
        check(all, &plain("m/*"), &[test, test2, test3, test4, test5]);
        check(all, &ListQuery { reference: "m/".to_owned(), ..plain("*") }, &[test, test2, test3, test4, test5]);
        check(all, &plain("m/*test4"), &[test4]);
        check(all, &plain("m/*test*"), &[test, test2, test3, test4, test5]);
        check(all, &plain("m/%3/%"), &[test4]);
        check(all, &plain("m/%t*4"), &[test4]);
        check(all, &plain("%"), &[inbox, "(\\HasChildren) m"]);
    }

    /// The facts of imaptest's `listext`.
    #[test]
    fn imaptest_listext() {
        let all = "m +m/test1 m/test2 +m/test2/test1 m/test3 m/test4/test5 m/test4/test52 !+m/test6 +m/test7/test7 \
                   +m/test8/test8 +m/test8/test9";
        check(
            all,
            &extended(&["m/*2", "m/test3"]),
            &["(\\HasChildren) m/test2", "(\\HasNoChildren) m/test3", "(\\HasNoChildren) m/test4/test52"],
        );
        check(
            all,
            &subscribed(&["m/*"]),
            &[
                "(\\Subscribed \\HasNoChildren) m/test1",
                "(\\Subscribed \\HasNoChildren) m/test2/test1",
                "(\\Subscribed \\NonExistent \\HasNoChildren) m/test6",
                "(\\Subscribed \\HasNoChildren) m/test7/test7",
                "(\\Subscribed \\HasNoChildren) m/test8/test8",
                "(\\Subscribed \\HasNoChildren) m/test8/test9",
            ],
        );
        let test2 = "(\\HasChildren) m/test2 CHILDINFO";
        check(all, &recursive(&["m/test2%"]), &[test2]);
        check(all, &recursive(&["m*test7"]), &["(\\Subscribed \\HasNoChildren) m/test7/test7"]);
        check(
            all,
            &recursive(&["m*test8"]),
            &["(\\NonExistent \\HasChildren) m/test8 CHILDINFO", "(\\Subscribed \\HasNoChildren) m/test8/test8"],
        );
        check(all, &recursive(&["m/test2"]), &[test2]);
        check(all, &recursive(&["m/test2", "m/test2/test1"]), &["(\\Subscribed \\HasNoChildren) m/test2/test1"]);
        check(
            all,
            &ListQuery { tell_subscribed: true, ..extended(&["m/%"]) },
            &[
                "(\\Subscribed \\HasNoChildren) m/test1",
                "(\\HasChildren) m/test2",
                "(\\HasNoChildren) m/test3",
                "(\\NonExistent \\HasChildren) m/test4",
                "(\\NonExistent \\HasChildren) m/test7",
                "(\\NonExistent \\HasChildren) m/test8",
            ],
        );
    }

    /// The facts of imaptest's `subscribe`.
    #[test]
    fn imaptest_subscribe() {
        let all = "m +m/test m/test2 +m/test2/test m/test3 +m/test3/test3";
        check(all, &lsub("m/%"), &["() m/test", "(\\Noselect) m/test2", "(\\Noselect) m/test3"]);
        check(all, &lsub("*test"), &["() m/test", "() m/test2/test"]);
        check(all, &lsub("m/*"), &["() m/test", "() m/test2/test", "() m/test3/test3"]);
    }

    /// RFC 5258 §5, example 5: a parent that isn't there, of a mailbox that is not either.
    #[test]
    fn subscriptions_outlive_mailboxes() {
        check("!+Foo/Bar", &recursive(&["%"]), &["(\\NonExistent \\HasNoChildren) Foo CHILDINFO"]);
        check("!+Foo/Bar", &plain("*"), &[]);
        check("+Foo +Foo/Bar", &recursive(&["%"]), &["(\\Subscribed \\HasChildren) Foo CHILDINFO"]);
    }

    /// RFC 5258 §5, example 11.
    #[test]
    fn levels_are_for_percent() {
        let all = "music/rock";
        let (music, rock) = ("(\\NonExistent \\HasChildren) music", "(\\HasNoChildren) music/rock");
        check(all, &extended(&["*"]), &[rock]);
        check(all, &extended(&["%"]), &[music]);
        check(all, &plain("*"), &["(\\Noselect \\HasChildren) music", rock]);
    }

    /// RFC 6154 §5.
    #[test]
    fn uses_are_told_and_selected() {
        let all = "INBOX a b \\Sent:z \\Trash:b/c";
        check(
            all,
            &ListQuery { only_special_use: true, ..extended(&["*"]) },
            &["(\\HasNoChildren \\Trash) b/c", "(\\HasNoChildren \\Sent) z"],
        );
        check(
            all,
            &plain("%"),
            &["(\\HasNoChildren) INBOX", "(\\HasNoChildren) a", "(\\HasChildren) b", "(\\HasNoChildren \\Sent) z"],
        );
    }
}
