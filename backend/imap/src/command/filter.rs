//! Which mailboxes NOTIFY (RFC 5465 §6) and ESEARCH (RFC 7377 §2.2) mean.

use relais_model::MailboxName;

use super::reader::{Reader, Refusal};

/// `filter-mailboxes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxFilter {
    /// The one that is open.
    Selected,
    /// The same; what was expunged waits for a command that may tell it. NOTIFY's alone.
    SelectedDelayed,
    /// Those that mail may be delivered to.
    Inboxes,
    /// All of the account's own.
    Personal,
    /// Those that are subscribed to.
    Subscribed,
    /// These and all below them.
    Subtree(Vec<MailboxName>),
    /// These and what is one level below them. ESEARCH's alone.
    SubtreeOne(Vec<MailboxName>),
    /// These; `*` and `%` stand for themselves.
    Mailboxes(Vec<MailboxName>),
}

impl MailboxFilter {
    /// Whether it means the mailbox that is open.
    pub const fn is_selected(&self) -> bool {
        matches!(self, Self::Selected | Self::SelectedDelayed)
    }

    /// Whether it means the mailbox of this name. What is open has no name here.
    pub fn means(&self, name: &MailboxName, is_subscribed: bool) -> bool {
        let below = |parent: &MailboxName| {
            name.as_str()
                .strip_prefix(parent.as_str())
                .and_then(|rest| rest.strip_prefix(relais_model::HIERARCHY_SEPARATOR))
        };
        match self {
            Self::Selected | Self::SelectedDelayed => false,
            // RFC 5465 §6.3: filters may deliver into any.
            Self::Inboxes | Self::Personal => true,
            Self::Subscribed => is_subscribed,
            Self::Subtree(parents) => parents.iter().any(|parent| parent == name || below(parent).is_some()),
            Self::SubtreeOne(parents) => parents.iter().any(|parent| {
                parent == name || below(parent).is_some_and(|rest| !rest.contains(relais_model::HIERARCHY_SEPARATOR))
            }),
            Self::Mailboxes(names) => names.contains(name),
        }
    }
}

impl Reader<'_> {
    /// `filter-mailboxes`.
    pub(super) fn mailbox_filter(&mut self) -> Result<MailboxFilter, Refusal> {
        Ok(match self.word().as_str() {
            "SELECTED" => MailboxFilter::Selected,
            "SELECTED-DELAYED" => MailboxFilter::SelectedDelayed,
            "INBOXES" => MailboxFilter::Inboxes,
            "PERSONAL" => MailboxFilter::Personal,
            "SUBSCRIBED" => MailboxFilter::Subscribed,
            "SUBTREE" => MailboxFilter::Subtree(self.one_or_more_mailboxes()?),
            "SUBTREE-ONE" => MailboxFilter::SubtreeOne(self.one_or_more_mailboxes()?),
            "MAILBOXES" => MailboxFilter::Mailboxes(self.one_or_more_mailboxes()?),
            _ => return Err(self.bad("Which mailboxes is meant isn't known here")),
        })
    }

    fn one_or_more_mailboxes(&mut self) -> Result<Vec<MailboxName>, Refusal> {
        self.space()?;
        if self.peek() == Some(b'(') { self.list(Self::mailbox) } else { Ok(vec![self.mailbox()?]) }
    }

    /// `"(" filter-mailboxes *(SP filter-mailboxes) ")"` (RFC 7377 §4); no scope options are known.
    pub(super) fn source_mailboxes(&mut self) -> Result<Vec<MailboxFilter>, Refusal> {
        let filters = self.list(Self::mailbox_filter)?;
        if filters.contains(&MailboxFilter::SelectedDelayed) {
            return Err(self.bad("SELECTED-DELAYED belongs to NOTIFY"));
        }
        Ok(filters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_mean_mailboxes() {
        let name = |text: &str| MailboxName::parse(text).unwrap();
        let check = |filter: &MailboxFilter, yes: &[&str], no: &[&str]| {
            for (names, means) in [(yes, true), (no, false)] {
                for text in names {
                    assert_eq!(filter.means(&name(text), false), means, "{filter:?} {text}");
                }
            }
        };
        let lists = vec![name("Lists")];
        check(&MailboxFilter::Subtree(lists.clone()), &["Lists", "Lists/a", "Lists/a/b"], &["List", "Listsa", "INBOX"]);
        check(&MailboxFilter::SubtreeOne(lists.clone()), &["Lists", "Lists/a"], &["Lists/a/b", "Listsa"]);
        check(&MailboxFilter::Mailboxes(lists), &["Lists"], &["Lists/a"]);
        check(&MailboxFilter::Personal, &["INBOX", "Lists/a"], &[]);
        check(&MailboxFilter::Subscribed, &[], &["INBOX"]);
        check(&MailboxFilter::Selected, &[], &["INBOX"]);
    }
}
