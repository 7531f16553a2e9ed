//! The commands of SMTP and LMTP as parsed values (RFC 5321 §4.1, RFC 2033 §4).
//!
//! Decisions where the world differs from the standards:
//! - HELO, EHLO and LHLO take any printable word: machines that call themselves `MY_PC` or `10.0.0.1` send real mail, and
//!   RFC 5321 §4.1.4 forbids refusing them for it. What follows the word is passed over.
//! - No space may follow `FROM:` or `TO:`, and the angle brackets must be there (RFC 5321 §3.3 and errata): 501.
//! - White space at the end of a line is passed over (RFC 5321 §4.1.1).

use relais_model::{
    Address, BodyType, Domain, EnhancedCode, EnvelopeId, ForwardPath, LocalPart, Notify, OriginalRecipient, Reply, Ret,
    ReversePath, Secret,
};

use crate::xtext;

/// RFC 5321 §4.5.3.1.3: a path with its brackets.
const PATH_OCTETS: usize = 256;
/// RFC 3461 §4.2: an ORCPT parameter.
const ORIGINAL_RECIPIENT_OCTETS: usize = 500;
/// RFC 5321 §4.5.3.1.2: what HELO names itself.
const HELLO_OCTETS: usize = 255;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `HELO name` (RFC 5321 §4.1.1.1).
    Helo(String),
    /// `EHLO name` (RFC 5321 §4.1.1.1).
    Ehlo(String),
    /// `LHLO name` (RFC 2033 §4.1).
    Lhlo(String),
    /// `MAIL FROM:<path> parameters` (RFC 5321 §4.1.1.2).
    Mail(MailFrom),
    /// `RCPT TO:<path> parameters` (RFC 5321 §4.1.1.3).
    Rcpt(RcptTo),
    /// `DATA` (RFC 5321 §4.1.1.4).
    Data,
    /// `BDAT octets [LAST]` (RFC 3030 §2).
    Bdat {
        /// How many octets follow the line.
        octets: u64,
        /// Whether they are the message's last.
        last: bool,
    },
    /// `RSET` (RFC 5321 §4.1.1.5).
    Rset,
    /// `VRFY text` (RFC 5321 §4.1.1.6).
    Vrfy,
    /// `EXPN text` (RFC 5321 §4.1.1.7).
    Expn,
    /// `HELP [text]` (RFC 5321 §4.1.1.8).
    Help,
    /// `NOOP [text]` (RFC 5321 §4.1.1.9).
    Noop,
    /// `QUIT` (RFC 5321 §4.1.1.10).
    Quit,
    /// `STARTTLS` (RFC 3207 §4).
    StartTls,
    /// `AUTH mechanism [initial-response]` (RFC 4954 §4).
    Auth {
        /// In capitals.
        mechanism: String,
        /// Still in base64; `=` stands for the empty response.
        initial: Option<Secret>,
    },
}

/// MAIL's argument and parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFrom {
    /// The path; source routes are gone (RFC 5321 §3.3, appendix C).
    pub reverse_path: ReversePath,
    /// `SIZE=` (RFC 1870).
    pub declared_octets: Option<u64>,
    /// `BODY=` (RFC 6152, RFC 3030).
    pub body_type: BodyType,
    /// `SMTPUTF8` (RFC 6531).
    pub smtputf8: bool,
    /// `REQUIRETLS` (RFC 8689).
    pub require_tls: bool,
    /// `RET=` (RFC 3461 §4.3).
    pub ret: Option<Ret>,
    /// `ENVID=` (RFC 3461 §4.4).
    pub envelope_id: Option<EnvelopeId>,
    /// Whether there was any parameter: after HELO there must be none.
    pub is_extended: bool,
}

/// RCPT's argument and parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptTo {
    /// None for `<postmaster>` without a domain (RFC 5321 §4.5.1).
    pub address: Option<Address>,
    /// `NOTIFY=` (RFC 3461 §4.1).
    pub notify: Option<Notify>,
    /// `ORCPT=` (RFC 3461 §4.2).
    pub original: Option<OriginalRecipient>,
    /// Whether there was any parameter: after HELO there must be none.
    pub is_extended: bool,
}

impl RcptTo {
    /// As the envelope keeps it; `<postmaster>` is the one of `host`.
    ///
    /// # Errors
    /// Never in practice: `postmaster` is a local part.
    pub(crate) fn forward_path(self, host: &Domain) -> Result<ForwardPath, CommandError> {
        let address = match self.address {
            Some(address) => address,
            None => Address {
                local_part: LocalPart::parse("postmaster").map_err(|_| CommandError::Recipient)?,
                domain: host.clone(),
            },
        };
        Ok(ForwardPath { address, notify: self.notify, original: self.original })
    }
}

/// Why a line is no command; each variant is another reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Not UTF-8, or with a control character.
    #[error("a command is printable UTF-8 text")]
    Characters,
    /// No such verb.
    #[error("unknown command")]
    Unknown,
    /// HTTP: a browser was led here to say our commands for somebody (cross-protocol request forgery).
    #[error("this is no web server")]
    Http,
    /// The argument is missing or not as the standard writes it.
    #[error("syntax: {0}")]
    Syntax(&'static str),
    /// MAIL's address.
    #[error("the sender's address is not well formed")]
    Sender,
    /// RCPT's address.
    #[error("the recipient's address is not well formed")]
    Recipient,
    /// A parameter that we don't know (RFC 5321 §4.1.1.11).
    #[error("unknown parameter")]
    UnknownParameter,
    /// A parameter twice, or with a wrong value.
    #[error("a parameter has a wrong value, or stands twice")]
    Parameter,
    /// BDAT's size cannot be read: nobody knows where the next command begins.
    #[error("syntax: BDAT octets [LAST]")]
    ChunkSize,
}

impl CommandError {
    /// What follows may be no commands: close, and look at nothing more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Http | Self::ChunkSize)
    }

    /// What the peer hears.
    pub fn reply(self) -> Reply {
        let (code, enhanced) = match self {
            Self::Characters => (500, EnhancedCode::new(5, 5, 2)),
            Self::Unknown | Self::Http => (500, EnhancedCode::new(5, 5, 1)),
            Self::Syntax(_) => (501, EnhancedCode::new(5, 5, 2)),
            Self::Sender => (501, EnhancedCode::new(5, 1, 7)),
            Self::Recipient => (501, EnhancedCode::new(5, 1, 3)),
            Self::UnknownParameter => (555, EnhancedCode::new(5, 5, 4)),
            Self::Parameter | Self::ChunkSize => (501, EnhancedCode::new(5, 5, 4)),
        };
        let mut text = self.to_string();
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Reply::new(code, enhanced, text)
    }
}

impl Command {
    /// Takes one line without its CRLF. The entry point for fuzzing.
    ///
    /// # Errors
    /// [`CommandError::reply`] is the answer to each.
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        let text = std::str::from_utf8(line).map_err(|_| CommandError::Characters)?;
        if text.chars().any(|character| character.is_control() && character != '\t') {
            return Err(CommandError::Characters);
        }
        let text = text.trim_end_matches([' ', '\t']);
        let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
        let alone = |command: Self| match argument {
            "" => Ok(command),
            _ => Err(CommandError::Syntax("this command takes no argument")),
        };
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => hello(argument).map(Self::Helo),
            "EHLO" => hello(argument).map(Self::Ehlo),
            "LHLO" => hello(argument).map(Self::Lhlo),
            "MAIL" => mail(argument).map(Self::Mail),
            "RCPT" => rcpt(argument).map(Self::Rcpt),
            "DATA" => alone(Self::Data),
            "BDAT" => bdat(argument),
            "RSET" => alone(Self::Rset),
            "VRFY" if argument.is_empty() => Err(CommandError::Syntax("VRFY address")),
            "VRFY" => Ok(Self::Vrfy),
            "EXPN" => Ok(Self::Expn),
            "HELP" => Ok(Self::Help),
            "NOOP" => Ok(Self::Noop),
            "QUIT" => alone(Self::Quit),
            "STARTTLS" => alone(Self::StartTls),
            "AUTH" => auth(argument),
            "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" => Err(CommandError::Http),
            _ => Err(CommandError::Unknown),
        }
    }
}

fn hello(argument: &str) -> Result<String, CommandError> {
    match argument.split_whitespace().next() {
        Some(name) if name.len() <= HELLO_OCTETS => Ok(name.to_owned()),
        _ => Err(CommandError::Syntax("say your host name")),
    }
}

fn bdat(argument: &str) -> Result<Command, CommandError> {
    let mut words = argument.split_whitespace();
    let digits = words.next().unwrap_or_default();
    // Eighteen digits: far above any limit, far below an overflow.
    let is_number = (1..=18).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    let octets = if is_number { digits.parse().ok() } else { None };
    let last = match words.next() {
        None => Some(false),
        Some(word) => word.eq_ignore_ascii_case("LAST").then_some(true),
    };
    match (octets, last, words.next()) {
        (Some(octets), Some(last), None) => Ok(Command::Bdat { octets, last }),
        _ => Err(CommandError::ChunkSize),
    }
}

fn auth(argument: &str) -> Result<Command, CommandError> {
    let mut words = argument.split_whitespace();
    let mechanism = words.next().ok_or(CommandError::Syntax("AUTH mechanism"))?.to_ascii_uppercase();
    let initial = words.next().map(Secret::new);
    match words.next() {
        None => Ok(Command::Auth { mechanism, initial }),
        Some(_) => Err(CommandError::Syntax("AUTH mechanism [initial-response]")),
    }
}

fn mail(argument: &str) -> Result<MailFrom, CommandError> {
    let (path, parameters) = split_path(argument, "FROM:").ok_or(CommandError::Syntax("MAIL FROM:<address>"))?;
    let mut mail = MailFrom {
        reverse_path: match path {
            "" => ReversePath::Null,
            path => ReversePath::Address(address(path).ok_or(CommandError::Sender)?),
        },
        declared_octets: None,
        body_type: BodyType::SevenBit,
        smtputf8: false,
        require_tls: false,
        ret: None,
        envelope_id: None,
        is_extended: !parameters.is_empty(),
    };
    for (keyword, value) in split_parameters(parameters)? {
        match (keyword.as_str(), value) {
            ("SIZE", Some(value)) => mail.declared_octets = Some(size(value)?),
            ("BODY", Some(value)) => mail.body_type = body_type(value)?,
            ("SMTPUTF8", None) => mail.smtputf8 = true,
            ("REQUIRETLS", None) => mail.require_tls = true,
            ("RET", Some(value)) => mail.ret = Some(ret(value)?),
            ("ENVID", Some(value)) => {
                let id = xtext::decode(value).and_then(|id| EnvelopeId::parse(&id));
                mail.envelope_id = Some(id.ok_or(CommandError::Parameter)?);
            }
            // RFC 4954 §5: taken, checked for its coding, believed by nobody.
            ("AUTH", Some(value)) => drop(xtext::decode(value).ok_or(CommandError::Parameter)?),
            ("SIZE" | "BODY" | "SMTPUTF8" | "REQUIRETLS" | "RET" | "ENVID" | "AUTH", _) => {
                return Err(CommandError::Parameter);
            }
            _ => return Err(CommandError::UnknownParameter),
        }
    }
    Ok(mail)
}

fn rcpt(argument: &str) -> Result<RcptTo, CommandError> {
    let (path, parameters) = split_path(argument, "TO:").ok_or(CommandError::Syntax("RCPT TO:<address>"))?;
    let address = match path {
        path if path.eq_ignore_ascii_case("postmaster") => None,
        path => Some(address(path).ok_or(CommandError::Recipient)?),
    };
    let mut rcpt = RcptTo { address, notify: None, original: None, is_extended: !parameters.is_empty() };
    for (keyword, value) in split_parameters(parameters)? {
        match (keyword.as_str(), value) {
            ("NOTIFY", Some(value)) => rcpt.notify = Some(notify(value)?),
            ("ORCPT", Some(value)) => rcpt.original = Some(original_recipient(value)?),
            ("NOTIFY" | "ORCPT", None) => return Err(CommandError::Parameter),
            _ => return Err(CommandError::UnknownParameter),
        }
    }
    Ok(rcpt)
}

/// Parts `FROM:<path> parameters`; the path comes back without brackets and without a source route.
fn split_path<'a>(argument: &'a str, label: &str) -> Option<(&'a str, &'a str)> {
    let (found, rest) = argument.split_at_checked(label.len())?;
    let rest = rest.strip_prefix('<').filter(|_| found.eq_ignore_ascii_case(label))?;
    let end = path_end(rest).filter(|end| *end + 2 <= PATH_OCTETS)?;
    let (path, rest) = rest.split_at_checked(end)?;
    let rest = rest.strip_prefix('>')?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    Some((without_route(path)?, rest.trim_ascii()))
}

/// Where the closing bracket stands: one inside a quoted local part doesn't count.
fn path_end(text: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.bytes().position(|octet| {
        match octet {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'>' => return !is_quoted,
            _ => {}
        }
        false
    })
}

/// RFC 5321 appendix C: `@a,@b:c@d` is `c@d`. The route is checked for its shape only.
fn without_route(path: &str) -> Option<&str> {
    if !path.starts_with('@') {
        return Some(path);
    }
    let (route, path) = path.split_once(':')?;
    route.split(',').all(|hop| hop.strip_prefix('@').is_some_and(|hop| Domain::parse(hop).is_ok())).then_some(path)
}

fn address(text: &str) -> Option<Address> {
    Address::parse(text).ok()
}

/// Keywords in capitals, each once (RFC 5321 §4.1.2: esmtp-param).
fn split_parameters(text: &str) -> Result<Vec<(String, Option<&str>)>, CommandError> {
    let mut parameters: Vec<(String, Option<&str>)> = Vec::new();
    for word in text.split_ascii_whitespace() {
        let (keyword, value) = match word.split_once('=') {
            Some((keyword, value)) => (keyword.to_ascii_uppercase(), Some(value)),
            None => (word.to_ascii_uppercase(), None),
        };
        if value == Some("") || parameters.iter().any(|(known, _)| *known == keyword) {
            return Err(CommandError::Parameter);
        }
        parameters.push((keyword, value));
    }
    Ok(parameters)
}

/// RFC 1870 §3: up to 20 digits.
fn size(value: &str) -> Result<u64, CommandError> {
    let is_number = value.len() <= 20 && value.bytes().all(|digit| digit.is_ascii_digit());
    let size = is_number.then(|| value.parse().unwrap_or(u64::MAX));
    size.ok_or(CommandError::Parameter)
}

fn body_type(value: &str) -> Result<BodyType, CommandError> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(BodyType::SevenBit),
        "8BITMIME" => Ok(BodyType::EightBitMime),
        "BINARYMIME" => Ok(BodyType::BinaryMime),
        _ => Err(CommandError::Parameter),
    }
}

fn ret(value: &str) -> Result<Ret, CommandError> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Ok(Ret::Full),
        "HDRS" => Ok(Ret::Headers),
        _ => Err(CommandError::Parameter),
    }
}

/// RFC 3461 §4.1: NEVER alone, or a list of the others.
fn notify(value: &str) -> Result<Notify, CommandError> {
    let mut notify = Notify::NEVER;
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(notify);
    }
    for word in value.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return Err(CommandError::Parameter),
        }
    }
    Ok(notify)
}

fn original_recipient(value: &str) -> Result<OriginalRecipient, CommandError> {
    let decode = || {
        let (address_type, coded) = value.split_once(';').filter(|_| value.len() <= ORIGINAL_RECIPIENT_OCTETS)?;
        let address_type = address_type.to_ascii_lowercase();
        let is_atom = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        if address_type.is_empty() || !address_type.bytes().all(is_atom) {
            return None;
        }
        let address = if address_type == "utf-8" { xtext::decode_utf8_address } else { xtext::decode }(coded)?;
        // It is printed into DSNs: nothing that ends a line may come out of the coding.
        let is_printable = !address.is_empty() && !address.chars().any(char::is_control);
        is_printable.then_some(OriginalRecipient { address_type, address })
    };
    decode().ok_or(CommandError::Parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &Result<Command, CommandError>) {
        assert_eq!(Command::parse(line.as_bytes()), *expected, "{line}");
    }

    /// RFC 5321 §4.1.1, RFC 3030 §2, RFC 4954 §4. The rest stands in the transcripts.
    #[test]
    fn commands_know_no_case_and_forgive_white_space_at_the_end() {
        let auth =
            |initial: Option<&str>| Ok(Command::Auth { mechanism: "PLAIN".into(), initial: initial.map(Secret::new) });
        check("data", &Ok(Command::Data));
        check("QuIt \t ", &Ok(Command::Quit));
        check("EHLO  a", &Ok(Command::Ehlo("a".into())));
        check("bdat 5", &Ok(Command::Bdat { octets: 5, last: false }));
        check("BDAT 0 last", &Ok(Command::Bdat { octets: 0, last: true }));
        check("auth plain", &auth(None));
        check("AUTH PLAIN =", &auth(Some("=")));
        check("STARTTLS", &Ok(Command::StartTls));
        check(" DATA", &Err(CommandError::Unknown));
        check("DATA\tx", &Err(CommandError::Unknown));
        check("", &Err(CommandError::Unknown));
        for bad in ["BDAT", "BDAT -1", "BDAT 1 FIRST", "BDAT 1 LAST x", "BDAT 9999999999999999999", "BDAT 0x1"] {
            check(bad, &Err(CommandError::ChunkSize));
        }
    }

    /// RFC 5321 §4.5.3.1.3: a path has 256 octets with its brackets; a quoted bracket doesn't end it.
    #[test]
    fn paths_end_where_they_end() {
        assert_eq!(split_path("FROM:<a@b> SIZE=1", "FROM:"), Some(("a@b", "SIZE=1")));
        assert_eq!(split_path("from:<\"a>\\\"b\"@c>", "FROM:"), Some(("\"a>\\\"b\"@c", "")));
        assert_eq!(split_path("FROM:<a@b>x", "FROM:"), None);
        assert_eq!(split_path("FROM:<\"a@b>", "FROM:"), None);
        assert_eq!(split_path("FR\u{e4}M:<>", "FROM:"), None);
        assert!(split_path(&format!("TO:<{}>", "a".repeat(254)), "TO:").is_some());
        assert!(split_path(&format!("TO:<{}>", "a".repeat(255)), "TO:").is_none());
    }
}
