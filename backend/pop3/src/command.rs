//! One command's line (RFC 1939 §9; RFC 2449 §4).

/// What the peer asks. Arguments are as they were sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Auth { mechanism: Option<&'a str>, initial: Option<&'a str> },
    Capa,
    Dele(u32),
    Lang(Option<&'a str>),
    List(Option<u32>),
    Noop,
    Pass(&'a str),
    Quit,
    Retr(u32),
    Rset,
    Stat,
    Stls,
    Top { number: u32, lines: u32 },
    Uidl(Option<u32>),
    User(&'a str),
    Utf8,
}

/// Why a line is no command; the text is told to the peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadCommand(pub(crate) &'static str);

const UNKNOWN: BadCommand = BadCommand("Unknown command");
const ARGUMENTS: BadCommand = BadCommand("These arguments don't fit the command");

impl<'a> Command<'a> {
    /// Takes a line without its line end.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, BadCommand> {
        // RFC 6856 §2.2: names and passwords may be in UTF-8; nothing else than UTF-8 ever fits.
        let line = str::from_utf8(line).map_err(|_| BadCommand("Only UTF-8 is understood"))?;
        let (keyword, rest) =
            line.split_once(' ').map_or((line.trim_end(), None), |(keyword, rest)| (keyword, Some(rest)));
        let is = |name: &str| keyword.eq_ignore_ascii_case(name);
        // RFC 1939 §7: a password may hold spaces, so all of the rest is the password.
        if is("PASS") {
            return rest.map(Self::Pass).ok_or(ARGUMENTS);
        }
        let mut words = rest.unwrap_or_default().split_ascii_whitespace();
        let command = if is("USER") {
            Self::User(words.next().ok_or(ARGUMENTS)?)
        } else if is("AUTH") {
            Self::Auth { mechanism: words.next(), initial: words.next() }
        } else if is("RETR") {
            Self::Retr(number(words.next())?)
        } else if is("DELE") {
            Self::Dele(number(words.next())?)
        } else if is("TOP") {
            Self::Top { number: number(words.next())?, lines: number(words.next())? }
        } else if is("LIST") {
            Self::List(optional(words.next())?)
        } else if is("UIDL") {
            Self::Uidl(optional(words.next())?)
        } else if is("LANG") {
            Self::Lang(words.next())
        } else if is("CAPA") {
            Self::Capa
        } else if is("NOOP") {
            Self::Noop
        } else if is("QUIT") {
            Self::Quit
        } else if is("RSET") {
            Self::Rset
        } else if is("STAT") {
            Self::Stat
        } else if is("STLS") {
            Self::Stls
        } else if is("UTF8") {
            Self::Utf8
        } else {
            return Err(UNKNOWN);
        };
        if words.next().is_some() { Err(ARGUMENTS) } else { Ok(command) }
    }
}

fn number(word: Option<&str>) -> Result<u32, BadCommand> {
    let word = word.filter(|word| word.bytes().all(|octet| octet.is_ascii_digit())).ok_or(ARGUMENTS)?;
    word.parse().map_err(|_| BadCommand("This number is too large"))
}

fn optional(word: Option<&str>) -> Result<Option<u32>, BadCommand> {
    word.map(|word| number(Some(word))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &Result<Command<'_>, BadCommand>) {
        assert_eq!(&Command::parse(line.as_bytes()), expected, "{line}");
    }

    /// RFC 1939 §3: keywords know no case.
    #[test]
    fn each_command_has_its_arguments() {
        check("retr 12", &Ok(Command::Retr(12)));
        check("Top 1 0", &Ok(Command::Top { number: 1, lines: 0 }));
        check("LIST ", &Ok(Command::List(None)));
        check("UIDL 7", &Ok(Command::Uidl(Some(7))));
        check("AUTH PLAIN =", &Ok(Command::Auth { mechanism: Some("PLAIN"), initial: Some("=") }));
        check("PASS  two  spaces ", &Ok(Command::Pass(" two  spaces ")));
        check("QUIT ", &Ok(Command::Quit));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for line in
            ["RETR", "RETR x", "RETR -1", "RETR +1", "TOP 1", "NOOP now", "PASS", "USER", "USER a b", "DELE 1 2"]
        {
            check(line, &Err(ARGUMENTS));
        }
        for line in ["", " ", "RETR1", "APOP a b", "XTND XMIT"] {
            check(line, &Err(UNKNOWN));
        }
        check("RETR 99999999999", &Err(BadCommand("This number is too large")));
    }
}
