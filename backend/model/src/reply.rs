//! SMTP's answers (RFC 5321 §4.2, RFC 3463).

use std::fmt;

/// What a reply means for the command, from its first digit (RFC 5321 §4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 2yz.
    Positive,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: try again later.
    Transient,
    /// 5yz: don't.
    Permanent,
}

/// `class.subject.detail` (RFC 3463 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedCode {
    /// 2, 4 or 5.
    pub class: u8,
    /// What it is about: 0 to 999.
    pub subject: u16,
    /// What exactly: 0 to 999.
    pub detail: u16,
}

impl EnhancedCode {
    /// The three numbers in order.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// Takes `5.1.1`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| {
            let fits = (1..=3).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
            fits.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let mut parts = text.split('.');
        let class = number(parts.next()?)?;
        let (subject, detail) = (number(parts.next()?)?, number(parts.next()?)?);
        let known = matches!(class, 2 | 4 | 5) && parts.next().is_none();
        known.then_some(Self { class: u8::try_from(class).ok()?, subject, detail })
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// One answer of an SMTP server: its code, its enhanced code, its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// Where the server gives one.
    pub enhanced: Option<EnhancedCode>,
    /// Without codes; lines parted by LF.
    pub text: String,
}

impl Reply {
    /// A reply with an enhanced code; `text` may hold several lines parted by LF.
    pub fn new(code: u16, enhanced: EnhancedCode, text: impl Into<String>) -> Self {
        Self { code, enhanced: Some(enhanced), text: text.into() }
    }

    /// From the first digit.
    pub const fn class(&self) -> Class {
        match self.code {
            0..=299 => Class::Positive,
            300..=399 => Class::Intermediate,
            400..=499 => Class::Transient,
            _ => Class::Permanent,
        }
    }

    /// 4yz.
    pub const fn is_transient(&self) -> bool {
        matches!(self.class(), Class::Transient)
    }

    /// 2yz.
    pub const fn is_positive(&self) -> bool {
        matches!(self.class(), Class::Positive)
    }
}

impl fmt::Display for Reply {
    /// On one line, for people: `550 5.1.1 No such mailbox`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for line in self.text.lines() {
            write!(f, " {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3463 §2.
    #[test]
    fn enhanced_codes_have_three_numbers() {
        assert_eq!(EnhancedCode::parse("5.1.1"), Some(EnhancedCode::new(5, 1, 1)));
        for bad in ["3.1.1", "5.1", "5.1.1.1", "5.1.1000", "5..1", "+5.1.1", ""] {
            assert_eq!(EnhancedCode::parse(bad), None, "{bad}");
        }
    }
}
