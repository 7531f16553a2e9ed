//! Lists of `tag=value; tag=value`, as DKIM, DMARC, MTA-STS and TLS reports have them (RFC 6376 §3.2).

/// Tags past this number are not read: a record holds ten.
const MOST_TAGS: usize = 64;

/// A list that was read. Tags keep the order in which they stand; names are as they stand, values without space around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags<'a>(Vec<(&'a str, &'a str)>);

/// Why a text is no list of tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// A part without `=`, or without a name.
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
    /// What is to blame, as it stands in the record.
    pub fn culprit(&self) -> String {
        match self {
            Self::Tag(part) => part.clone(),
            Self::Doubled(name) => format!("{name}="),
            Self::TooMany => ";".to_owned(),
        }
    }
}

impl<'a> Tags<'a> {
    /// Reads a list; an empty part (as behind the last `;`) is passed over.
    pub fn parse(text: &'a str) -> Result<Self, TagsError> {
        let mut tags = Vec::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| TagsError::Tag(part.to_owned()))?;
            let (name, value) = (name.trim(), value.trim());
            let is_name =
                !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            if !is_name {
                return Err(TagsError::Tag(part.to_owned()));
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
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The first tag.
    pub fn first(&self) -> Option<(&'a str, &'a str)> {
        self.0.first().copied()
    }
}

/// Whether a text claims to be a record of this version: `v=VERSION` comes first, then nothing or `;`. What makes no such claim is another's record.
pub(crate) fn claims(text: &str, version: &str) -> bool {
    let rest = ["v", "=", version].into_iter().try_fold(text, |rest, mark| rest.trim_start().strip_prefix(mark));
    rest.map(str::trim_start).is_some_and(|rest| rest.is_empty() || rest.starts_with(';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_stand() {
        let tags = Tags::parse("v=DKIM1; k = rsa ;p=AB CD==;").unwrap();
        assert_eq!(tags.first(), Some(("v", "DKIM1")));
        assert_eq!((tags.value("k"), tags.value("p"), tags.value("t")), (Some("rsa"), Some("AB CD=="), None));
        assert_eq!(Tags::parse("v=1; v=1"), Err(TagsError::Doubled("v".into())));
        assert_eq!(Tags::parse("v=1; what"), Err(TagsError::Tag("what".into())));
        assert_eq!(Tags::parse("=1"), Err(TagsError::Tag("=1".into())));
        let many = |count: usize| (0..count).map(|number| format!("t{number}=")).collect::<Vec<_>>().join(";");
        assert!(Tags::parse(&many(MOST_TAGS)).is_ok());
        assert_eq!(Tags::parse(&many(MOST_TAGS + 1)), Err(TagsError::TooMany));
    }

    #[test]
    fn a_version_comes_first() {
        for text in ["v=DMARC1", "v=DMARC1; p=none", " v = DMARC1 ;p=none"] {
            assert!(claims(text, "DMARC1"), "{text}");
        }
        for text in ["v=DMARC12; p=none", "p=none; v=DMARC1", "", "v=spf1 -all"] {
            assert!(!claims(text, "DMARC1"), "{text}");
        }
    }
}
