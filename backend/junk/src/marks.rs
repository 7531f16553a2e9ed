//! Facts of a message that are so or not, counted as words are.

macro_rules! marks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A fact of a message that the statistics weigh; none is good or bad by itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Mark {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Mark {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in models and catalogues.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

marks! {
    /// From is missing, or there are two.
    NoAuthor = "no-author",
    /// The author has no display name.
    NoAuthorName = "no-author-name",
    /// The display name is an address.
    AuthorNameIsAddress = "author-name-is-address",
    /// The display name is in capitals.
    AuthorNameShouts = "author-name-shouts",
    /// The local part has three digits or more.
    AuthorHasDigits = "author-has-digits",
    /// The domain of From is no domain.
    AuthorDomainIsBroken = "author-domain-is-broken",
    /// The domain has three digits or more.
    AuthorDomainHasDigits = "author-domain-has-digits",
    /// Replies go to another domain.
    RepliesElsewhere = "replies-elsewhere",
    /// Neither To nor Cc.
    NoRecipients = "no-recipients",
    /// To names a group without members.
    UndisclosedRecipients = "undisclosed-recipients",
    /// To and Cc name more than five.
    ManyRecipients = "many-recipients",
    /// To names the author.
    ToAuthor = "to-author",
    /// The name of somebody in To is an address or its local part.
    RecipientNameIsAddress = "recipient-name-is-address",
    /// Somebody in To has a name.
    RecipientHasName = "recipient-has-name",
    /// No Subject, or an empty one.
    NoSubject = "no-subject",
    /// Most letters of the subject are capitals.
    SubjectShouts = "subject-shouts",
    /// `!` in the subject.
    SubjectExclaims = "subject-exclaims",
    /// `?` in the subject.
    SubjectAsks = "subject-asks",
    /// A sum of money in the subject.
    SubjectHasMoney = "subject-has-money",
    /// Five blanks or more in the subject, mostly before a random word.
    SubjectHasGap = "subject-has-gap",
    /// The subject is in encoded words (RFC 2047) though ASCII would do.
    SubjectNeedlesslyEncoded = "subject-needlessly-encoded",
    /// Octets above 127 in the header without SMTPUTF8.
    RawOctetsInHeader = "raw-octets-in-header",
    /// `Re:`, and fields that name what it answers.
    Answers = "answers",
    /// `Re:`, and no field that names what it answers.
    PretendsToAnswer = "pretends-to-answer",
    /// Fields that name what it answers, without `Re:`.
    InThread = "in-thread",
    /// No Date.
    NoDate = "no-date",
    /// A Date that is none.
    BadDate = "bad-date",
    /// A Date without an offset, or with one that no place has.
    OddZone = "odd-zone",
    /// No Message-ID.
    NoMessageId = "no-message-id",
    /// A Message-ID that is none (RFC 5322 §3.6.4).
    BadMessageId = "bad-message-id",
    /// Its right side is the author's domain.
    MessageIdOfAuthor = "message-id-of-author",
    /// A host on the way gave an address for its name.
    HopIsAddress = "hop-is-address",
    /// A host on the way gave a name without a dot.
    HopIsBare = "hop-is-bare",
    /// A host on the way had no name in the DNS.
    HopIsUnknown = "hop-is-unknown",
    /// A host on the way gave another name than it has in the DNS.
    HopIsOther = "hop-is-other",
    /// A host on the way has a name as dial-up lines have.
    HopIsDynamic = "hop-is-dynamic",
    /// It came through a host of the author's domain.
    HopOfAuthor = "hop-of-author",
    /// It began as a page's form or a program on the host itself.
    OriginIsLocal = "origin-is-local",
    /// Dated a day or more after it arrived.
    DatedAhead = "dated-ahead",
    /// Dated a day or more before it arrived.
    DatedBehind = "dated-behind",
    /// Content-Type is missing.
    NoContentType = "no-content-type",
    /// A body in HTML, and no plain text beside it.
    HtmlOnly = "html-only",
    /// HTML and plain text.
    HtmlAndPlain = "html-and-plain",
    /// Text in base64.
    TextInBase64 = "text-in-base64",
    /// Text that calls itself ASCII and is not.
    LyingCharset = "lying-charset",
    /// No text at all.
    NoText = "no-text",
    /// Fewer than 20 words.
    FewWords = "few-words",
    /// More than 1,000 words.
    ManyWords = "many-words",
    /// One word of ten or more is in capitals.
    TextShouts = "text-shouts",
    /// One sentence of three or more ends with `!`.
    TextExclaims = "text-exclaims",
    /// Lines that quote another message.
    Quotes = "quotes",
    /// A signature behind `-- `.
    Signature = "signature",
    /// A signature that programs check: PGP's, or of S/MIME.
    Signed = "signed",
    /// Letters parted by marks.
    SpacedLetters = "spaced-letters",
    /// Words in disguise: letters of other scripts, invisible characters.
    DisguisedWords = "disguised-words",
    /// Words longer than any.
    LongWords = "long-words",
    /// A link to an address instead of a name.
    LinkToAddress = "link-to-address",
    /// A link with a port.
    LinkWithPort = "link-with-port",
    /// A link with a name before its host.
    LinkWithUser = "link-with-user",
    /// A link whose host is escaped or a number.
    LinkDisguised = "link-disguised",
    /// A link to a service that shortens links.
    LinkShortened = "link-shortened",
    /// Links to five hosts or more.
    ManyHosts = "many-hosts",
    /// Just one link.
    OneLink = "one-link",
    /// No link.
    NoLink = "no-link",
    /// A link to the author's domain.
    LinkToAuthor = "link-to-author",
    /// Links, and none to the author's domain.
    LinksElsewhere = "links-elsewhere",
    /// A link carries the recipient's address.
    LinkNamesRecipient = "link-names-recipient",
    /// An image is all there is.
    ImageOnly = "image-only",
    /// An image of a dot's size.
    TinyImage = "tiny-image",
    /// Forms to fill in.
    Form = "form",
    /// A script.
    Script = "script",
    /// A frame.
    Frame = "frame",
    /// Comments inside words.
    CommentInWord = "comment-in-word",
    /// Elements that nobody knows.
    UnknownElements = "unknown-elements",
    /// Text that nobody sees.
    HiddenText = "hidden-text",
    /// The address shown and the address led to differ.
    LinkMismatch = "link-mismatch",
    /// An attachment.
    HasAttachment = "has-attachment",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_differ() {
        let names: BTreeSet<&str> = Mark::ALL.iter().map(|mark| mark.name()).collect();
        assert_eq!(names.len(), Mark::ALL.len());
    }
}
