//! Where in a message a feature was found.

/// The place of a feature: the same word in the subject and in the body are two features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Place {
    /// Words of the author's display name.
    AuthorName,
    /// The author's domain, and the domains above it.
    AuthorDomain,
    /// Other domains that it has to do with: hosts on the way, the Message-ID's, where replies go.
    Host,
    /// The author's whole address. Learnt by accounts only.
    AuthorAddress,
    /// The list that the message came through. Learnt by accounts only.
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

    /// With which others it is weighed.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::AuthorAddress | Self::List => Kind::Personal,
            Self::Mark | Self::Form => Kind::Mark,
            Self::Host | Self::AuthorDomain => Kind::Identity,
            Self::Body => Kind::Word,
            Self::BodyPair => Kind::Pair,
            Self::Html | Self::Link | Self::LinkPath => Kind::Make,
            _ => Kind::Header,
        }
    }

    /// Whether two words make it.
    pub fn is_pair(self) -> bool {
        matches!(self, Self::SubjectPair | Self::BodyPair)
    }
}

/// Features of one kind are weighed among themselves, so that a long text does not drown its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words of the header.
    Header,
    /// Domains.
    Identity,
    /// Facts and forms.
    Mark,
    /// Words of the text.
    Word,
    /// Pairs of them.
    Pair,
    /// How the HTML is made and where it leads.
    Make,
    /// What only an account learns.
    Personal,
}

impl Kind {
    pub(crate) const COUNT: usize = 7;
}
