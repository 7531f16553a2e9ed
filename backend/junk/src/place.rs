//! Where in a message a feature was found.

/// The place of a feature: the same word in the subject and in the body are two features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Place {
    /// Words of the author's display name.
    AuthorName,
    /// The author's domain, and the domains above it.
    AuthorDomain,
    /// The author's whole address. Learnt by accounts only.
    AuthorAddress,
    /// The list that the message came through (RFC 2919). Learnt by accounts only.
    List,
    /// Words of the subject.
    Subject,
    /// Two words near each other in the subject.
    SubjectPair,
    /// The program that wrote it (X-Mailer, User-Agent).
    Mailer,
    /// The form of a header field: which characters a Message-ID or a boundary is made of, which fields there are.
    Form,
    /// A [`Mark`](crate::Mark).
    Mark,
    /// Words of the visible text.
    Body,
    /// Two words near each other in the visible text.
    BodyPair,
    /// Words in capitals.
    Shouted,
    /// Hosts that links lead to, and the domains above them.
    Link,
    /// Words in the paths of links.
    LinkPath,
    /// Elements and attributes of the HTML.
    Html,
    /// Kinds and endings of attachments.
    Attachment,
}

impl Place {
    /// Whether only an account learns it: who writes to whom says nothing about strangers' mail.
    pub fn is_personal(self) -> bool {
        matches!(self, Self::AuthorAddress | Self::List)
    }

    /// Whether it is found in many numbers in the body: these are weighed among themselves, so that a long text does not
    /// drown its header.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Body | Self::BodyPair)
    }

    /// Whether two words make it.
    pub fn is_pair(self) -> bool {
        matches!(self, Self::SubjectPair | Self::BodyPair)
    }
}
