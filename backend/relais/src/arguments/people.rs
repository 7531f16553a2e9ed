//! `relais account …` and `relais key …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::ListArguments;

/// `relais key …`
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Lists everybody's.
    List(ListArguments),
    /// Makes one for somebody; it is shown once.
    Add {
        /// Whose it shall be.
        owner: String,
        /// Of the program that will use it.
        name: String,
        /// The most that it may: `user`, `help_desk`, `domain_admin` or `owner`.
        #[arg(long, default_value = "user")]
        role: String,
        /// What it may be used for, like people:write; * for all. Repeatable.
        #[arg(long = "scope", required = true, value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Days that it lasts; for good where it isn't said.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// Takes one back.
    Revoke {
        /// As `list` shows it.
        id: String,
    },
}

/// `relais account …`
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Adds a person; the password is asked for, or read from standard input.
    Add {
        /// Their address.
        address: String,
        /// Their name.
        #[arg(long, default_value = "")]
        name: String,
        /// Like 500M or 10G; none: as the domain says.
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        quota: Option<u64>,
    },
    /// Lists them.
    List(ListArguments),
    /// Changes a password; asked for, or read from standard input.
    Passwd {
        /// Whose.
        address: String,
    },
    /// Says which extensions of IMAP a person's programs aren't told of; none: they are told of all that the house announces.
    Hide {
        /// Whose.
        address: String,
        /// Like CONDSTORE, as `imap.hidden` may have them.
        names: Vec<String>,
    },
    /// Passwords for mail programs, one a device.
    #[command(subcommand)]
    AppPassword(AppPasswordCommand),
    /// Removes a person and their mail.
    Remove {
        /// Who.
        address: String,
        /// Really.
        #[arg(long)]
        yes: bool,
    },
    /// Adds many from a CSV file: columns address, name, password or hash, quota.
    Import {
        /// `-` for standard input.
        file: PathBuf,
    },
}

/// `relais account app-password …`
#[derive(Debug, Subcommand)]
pub(crate) enum AppPasswordCommand {
    /// Makes one and tells it, once.
    Add {
        /// Whose.
        address: String,
        /// Of the program or device.
        #[arg(long)]
        name: String,
        /// What it is for: imap, pop3, smtp; by default all of them.
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        protocols: Option<Vec<String>>,
        /// A token, for programs that speak OAUTHBEARER or XOAUTH2.
        #[arg(long)]
        token: bool,
        /// Until the token ends; by default 365.
        #[arg(long, requires = "token")]
        days: Option<u32>,
    },
    /// Lists them; not the passwords themselves.
    List {
        /// Whose.
        address: String,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Takes one back.
    Remove {
        /// Whose.
        address: String,
        /// Which, as `list` shows it.
        name: String,
    },
}

/// `500M`, `10G`, `1048576`: octets, with binary multiples.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_uppercase();
    let shift = match unit.as_str() {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(format!("`{unit}` is no unit: K, M, G or T")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no size like 500M or 10G"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("10G"), Ok(10 << 30));
        assert_eq!(parse_size("17"), Ok(17));
        assert!(parse_size("10X").is_err() && parse_size("M").is_err() && parse_size("99999999999T").is_err());
    }
}
