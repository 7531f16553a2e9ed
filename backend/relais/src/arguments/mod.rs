//! The command line's words. A file a noun, as in `commands`.

mod addresses;
mod certificates;
mod domains;
mod filters;
mod flow;
mod house;
mod moving;
mod people;
mod sharing;

use std::ffi::OsString;
use std::path::PathBuf;

use axum::http::Method;
use clap::{Args, Parser, Subcommand};

use crate::config::DEFAULT_PATH;

pub(crate) use addresses::{AliasCommand, AliasTerms, ListCommand};
pub(crate) use certificates::CertificateCommand;
pub(crate) use domains::{DnsCommand, DomainCommand};
pub(crate) use filters::{JudgeArguments, Recipes, SenderArguments, SenderCommand, SieveArguments, SieveCommand};
pub(crate) use flow::{HoldCommand, MessageCommand, QueueCommand, QueueSelection, SuppressedCommand};
pub(crate) use house::{ActivityCommand, IndexCommand, SettingsCommand};
pub(crate) use moving::{ExportArguments, ImportCommand, ImportImapArguments};
pub(crate) use people::{AccountCommand, AppPasswordCommand, KeyCommand};
pub(crate) use sharing::{ShareCommand, ShareTerms, TeamCommand};

/// Turns a bare Linux host into a complete mail system.
#[derive(Debug, Parser)]
#[command(name = "relais", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// The bootstrap file.
    #[arg(long, global = true, env = "RELAIS_CONFIG", default_value = DEFAULT_PATH, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server until SIGTERM.
    Serve,
    /// Runs a whole server on loopback with sample people and mail.
    Demo(DemoArguments),
    /// What is asked of the house, whether it serves now or not.
    #[command(flatten)]
    House(HouseCommand),
    /// Sends a message through every door of the running server, reads it at every other, and takes away what it made.
    SelfTest,
    /// Takes a message from standard input, as `sendmail` does; so it does, too, where it is called by that name.
    #[command(disable_help_flag = true)]
    Sendmail {
        /// As sendmail knows them: -t, -i, -f ADDRESS, -F NAME, recipients.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Reads the bootstrap file and says what is wrong with it.
    CheckConfig,
    /// Tells the version.
    Version,
}

/// What is asked of the house.
#[derive(Debug, Subcommand)]
pub(crate) enum HouseCommand {
    /// Domains whose mail is kept here.
    #[command(subcommand)]
    Domain(DomainCommand),
    /// People.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Mail that is brought along, from another server or from files. What stands here already isn't brought again.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Takes all mail and contacts of a person out, into a new folder of mbox files or a new Maildir.
    Export(ExportArguments),
    /// Addresses that lead to others.
    #[command(subcommand)]
    Alias(AliasCommand),
    /// Mailing lists.
    #[command(subcommand)]
    List(ListCommand),
    /// Teams: mailboxes that several read, with an address of their own.
    #[command(subcommand)]
    Team(TeamCommand),
    /// With whom mailboxes are shared, and who writes from whose address.
    #[command(subcommand)]
    Share(ShareCommand),
    /// Mail that waits to go out.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// People whose mail is held, since they sent as never before.
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Addresses elsewhere that mail is refused for, since other hosts refused them as nobody's.
    #[command(subcommand)]
    Suppressed(SuppressedCommand),
    /// Where did a message go?
    #[command(subcommand)]
    Message(MessageCommand),
    /// Tests a message: what would be done with it if it came now, and why. Nothing of it is kept. Ends with 1 where it would be refused.
    Judge(JudgeArguments),
    /// Senders who are let in or kept out, for a domain or for all.
    #[command(subcommand)]
    Sender(SenderCommand),
    /// Sieve scripts: what is done with mail as it comes.
    #[command(subcommand)]
    Sieve(SieveCommand),
    /// Certificates: what the doors show.
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Lists who may not log in now, because too many attempts failed.
    Bans {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Lets them log in again.
    Unban {
        /// A name, an address or a network as `bans` shows it, or `everybody`.
        #[arg(required_unless_present = "all")]
        target: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "target")]
        all: bool,
    },
    /// Who changed what, and undoing it.
    #[command(subcommand)]
    Activity(ActivityCommand),
    /// What is set for the whole house.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// What the DNS says of domains, and should.
    #[command(subcommand)]
    Dns(DnsCommand),
    /// The REST API's keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Makes the link by which a house without an owner is set up, once, within an hour; and says the fingerprint of the certificate behind it.
    SetupLink {
        /// Proposes the first domain on that page.
        #[arg(long)]
        domain: Option<String>,
        /// Proposes the owner's address.
        #[arg(long)]
        address: Option<String>,
    },
    /// Checks the database: counts, quota, dangling rows.
    CheckStore,
    /// Shows how the search index stands, or makes it anew.
    #[command(subcommand)]
    Index(IndexCommand),
    /// Asks the REST API itself, and prints its answer.
    Api {
        /// GET, POST, PUT, PATCH or DELETE.
        method: Method,
        /// Like /people/ann@example.org, with its query.
        path: String,
        /// The body, as JSON; `-` for standard input.
        body: Option<String>,
    },
}

/// `relais demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// One line of JSON instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Where it keeps its data; by default a temporary folder that goes away with it.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The first of eleven ports; each protocol has its own.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..=65_500))]
    pub(crate) port_base: u16,
    /// Only the people and their first mail: no second domain, no mail of the day, nothing in the queue.
    #[arg(long)]
    pub(crate) bare: bool,
    /// Another database than SQLite: a postgres:// URL, read from this environment variable.
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) database_from: Option<String>,
    /// The log's level, as `[log] level` takes it; by default warn, and info with --json.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    /// A piece of relais.toml that is added to the demo's own, for tests.
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,
}

/// Lists come in pages.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Only what comes after this one: the last of the page before.
    #[arg(long, value_name = "KEY")]
    pub(crate) after: Option<String>,
    /// Rows at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_words_fit_together() {
        Arguments::command().debug_assert();
    }
}
