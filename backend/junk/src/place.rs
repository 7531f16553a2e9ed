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
    /// How fields of the header are ordered, spelt and written.
    FieldForm,
    /// How the text is laid out: its lines, its share of capitals, runs of marks, forms of links.
    Layout,
    /// Four octets in a row of some fields of the header.
    FieldOctets,
    /// Four octets in a row of the text's beginning.
    TextOctets,
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
            Self::FieldForm => Kind::FieldForm,
            Self::Layout => Kind::Layout,
            Self::FieldOctets => Kind::FieldOctets,
            Self::TextOctets => Kind::TextOctets,
            _ => Kind::Header,
        }
    }

    /// Whether it tells how a message is made, and nothing that it says. There is much of it, and no account learns it.
    pub fn is_manner(self) -> bool {
        self.is_octets() || matches!(self, Self::FieldForm | Self::Layout)
    }

    /// Whether it is a few octets, which tell people nothing one by one.
    pub fn is_octets(self) -> bool {
        matches!(self, Self::FieldOctets | Self::TextOctets)
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
    /// How the header is written.
    FieldForm,
    /// How the text is laid out.
    Layout,
    /// Octets of the header.
    FieldOctets,
    /// Octets of the text.
    TextOctets,
}

impl Kind {
    pub(crate) const COUNT: usize = 11;
}
