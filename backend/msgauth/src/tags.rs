//! Lists of `tag=value; tag=value`, as DKIM, ARC and DMARC have them (RFC 6376 §3.2).

/// Tags past this number are not read: a signature holds fourteen.
const MOST_TAGS: usize = 64;

/// A list that was read, in its order. Names are as they stand, values without blanks around them and with folds inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tags<'a>(Vec<(&'a str, &'a str)>);

/// Why a text is no list of tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// A part without `=`, without a name, or with what may not stand in a value.
    #[error("`{0}` is no tag")]
    Tag(String),
    /// RFC 6376 §3.2: "Tags with duplicate names MUST NOT occur".
    #[error("the tag `{0}` stands twice")]
    Doubled(String),
    /// More than 64.
    #[error("there are too many tags")]
    TooMany,
}

impl TagsError {
    /// What is to blame, as it stands in the list.
    pub fn culprit(&self) -> String {
        match self {
            Self::Tag(part) => part.clone(),
            Self::Doubled(name) => format!("{name}="),
            Self::TooMany => ";".to_owned(),
        }
    }
}

impl<'a> Tags<'a> {
    /// Reads a list; only the last part may be empty.
    pub(crate) fn parse(text: &'a str) -> Result<Self, TagsError> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        let mut parts = text.split(';').peekable();
        while let Some(part) = parts.next() {
            let bare = part.trim_matches(is_blank);
            if bare.is_empty() && parts.peek().is_none() {
                break;
            }
            let wrong = || TagsError::Tag(bare.to_owned());
            let (name, value) = bare.split_once('=').ok_or_else(wrong)?;
            let (name, value) = (name.trim_matches(is_blank), value.trim_matches(is_blank));
            let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_');
            if !is_name || value.chars().any(|letter| letter.is_control() && !is_blank(letter)) {
                return Err(wrong());
            }
            if tags.iter().any(|(known, _)| *known == name) {
                return Err(TagsError::Doubled(name.to_owned()));
            }
            if tags.len() == MOST_TAGS {
                return Err(TagsError::TooMany);
            }
            tags.push((name, value));
        }
        Ok(Self(tags))
    }

    /// The value of the tag `name`.
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The value of the tag `name` without blanks inside: base64 and lists may be folded.
    pub(crate) fn compact(&self, name: &str) -> Option<String> {
        self.value(name).map(compact)
    }

    /// The first tag.
    pub(crate) fn first(&self) -> Option<(&'a str, &'a str)> {
        self.0.first().copied()
    }
}

/// Blanks and line ends: FWS (RFC 6376 §2.8).
pub(crate) const fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

/// Without blanks.
pub(crate) fn compact(text: &str) -> String {
    text.split(is_blank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_stand() {
        let tags = Tags::parse("v=DKIM1; k = rsa ;p=AB\r\n CD==;").unwrap();
        assert_eq!(tags.first(), Some(("v", "DKIM1")));
        assert_eq!(
            (tags.value("k"), tags.compact("p").as_deref(), tags.value("t")),
            (Some("rsa"), Some("ABCD=="), None)
        );
        assert_eq!(Tags::parse("v=1; v=1"), Err(TagsError::Doubled("v".into())));
        assert_eq!(Tags::parse("v=1; what"), Err(TagsError::Tag("what".into())));
        assert_eq!(Tags::parse("v=1;; a=1"), Err(TagsError::Tag(String::new())));
        assert_eq!(Tags::parse("=1"), Err(TagsError::Tag("=1".into())));
    }
}
