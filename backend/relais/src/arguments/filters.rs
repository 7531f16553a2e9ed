//! What is done with what comes: `relais sender …`, `sieve …` and `judge`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::ListArguments;

/// `relais sender …`
#[derive(Debug, Subcommand)]
pub(crate) enum SenderCommand {
    /// Lists them.
    List {
        /// Paging.
        #[command(flatten)]
        list: ListArguments,
        /// Of this domain; of the house where it isn't said.
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
        /// Only senders that contain this.
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
    },
    /// Lets one in, unless their name is forged.
    Allow(SenderArguments),
    /// Keeps one out.
    Block(SenderArguments),
    /// Lets the filter decide about one again.
    Remove(SenderArguments),
}

/// Which sender, for whom.
#[derive(Debug, Args)]
pub(crate) struct SenderArguments {
    /// An address, or a domain with all below it.
    pub(crate) sender: String,
    /// For this domain; for the house where it isn't said.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
}

/// `relais sieve …`
#[derive(Debug, Subcommand)]
pub(crate) enum SieveCommand {
    /// Lists them.
    List {
        /// Whose.
        #[command(flatten)]
        of: SieveArguments,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows one.
    Get {
        /// Its name.
        name: String,
        /// Whose.
        #[command(flatten)]
        of: SieveArguments,
    },
    /// Keeps one, in place of one that has the name. What is wrong with it is told with line and column.
    Put {
        /// Its name. Of a domain or the house `before` and `after` run, others can be included.
        name: String,
        /// Its file; `-` for standard input.
        file: PathBuf,
        /// And lets it run: of an account's.
        #[arg(long, requires = "account")]
        activate: bool,
        /// Whose.
        #[command(flatten)]
        of: SieveArguments,
    },
    /// What is wrong with a file; nothing is kept. Ends with 1 where it has faults.
    Check {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
    /// Makes a script of another filter's recipes, and shows it. What has no like in Sieve stands at its end, with its line and why; then it ends with 1.
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// What it is.
        #[arg(long)]
        from: Recipes,
    },
    /// Lets one of an account's run over mail that comes.
    Activate {
        /// Its name.
        name: String,
        /// Of this account.
        #[arg(long, value_name = "ADDRESS")]
        account: String,
    },
    /// Lets none of an account's run.
    Off {
        /// Of this account.
        #[arg(long, value_name = "ADDRESS")]
        account: String,
    },
    /// Removes one that isn't active.
    Remove {
        /// Its name.
        name: String,
        /// Whose.
        #[command(flatten)]
        of: SieveArguments,
    },
}

/// What other filters read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Recipes {
    /// `.forward`.
    Forward,
    /// `.procmailrc`.
    Procmail,
    /// `.mailfilter`.
    Maildrop,
}

/// Whose scripts; the house's where it isn't said.
#[derive(Debug, Args)]
pub(crate) struct SieveArguments {
    /// Of this account.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "domain")]
    pub(crate) account: Option<String>,
    /// Of this domain.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
}

/// `relais judge`
#[derive(Debug, Args)]
pub(crate) struct JudgeArguments {
    /// The message's file; `-` for standard input.
    pub(crate) file: PathBuf,
    /// To whom: an address here.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: String,
    /// Which of its Received fields tells how it came, counted from the top; 0: none.
    #[arg(long, value_name = "N")]
    pub(crate) hop: Option<u32>,
    /// From which IP address; what is left out of this and what follows, that field says.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) peer: Option<String>,
    /// What the host there calls itself.
    #[arg(long, value_name = "NAME")]
    pub(crate) hello: Option<String>,
    /// MAIL FROM; <> for a notice.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}
