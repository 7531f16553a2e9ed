//! Mail on its way: `relais queue …`, `hold …`, `suppressed …` and `message …`.

use clap::{Args, Subcommand};

use super::ListArguments;

/// Which of the queue.
#[derive(Debug, Args)]
pub(crate) struct QueueSelection {
    /// Numbers as `list` shows them.
    pub(crate) ids: Vec<String>,
    /// All that waits for this destination.
    #[arg(long, value_name = "DOMAIN", conflicts_with = "ids")]
    pub(crate) destination: Option<String>,
    /// All of it.
    #[arg(long, conflicts_with_all = ["ids", "destination"])]
    pub(crate) all: bool,
}

/// `relais queue …`
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Lists what waits.
    List {
        /// Paging.
        #[command(flatten)]
        list: ListArguments,
        /// Only this destination.
        #[arg(long, value_name = "DOMAIN")]
        destination: Option<String>,
        /// Only this sender.
        #[arg(long, value_name = "ADDRESS")]
        sender: Option<String>,
    },
    /// Shows one message with its recipients and their last replies.
    Show {
        /// As `list` shows it.
        id: String,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Tries now.
    Retry(QueueSelection),
    /// Keeps it back until release.
    Hold(QueueSelection),
    /// Lets it go on.
    Release(QueueSelection),
    /// Takes it out; nobody is told.
    Remove(QueueSelection),
}

/// `relais hold …`
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Lists whose mail is held, and why.
    List(ListArguments),
    /// Shows what waits of one person.
    Show {
        /// Their address.
        address: String,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// It was them: lets their mail go on.
    Release {
        /// Their address.
        address: String,
    },
    /// It was not them: takes the mail away, and shuts out whoever is in their account.
    Drop {
        /// Their address.
        address: String,
        /// I mean it.
        #[arg(long)]
        yes: bool,
    },
}

/// `relais suppressed …`
#[derive(Debug, Subcommand)]
pub(crate) enum SuppressedCommand {
    /// Lists the addresses.
    List {
        /// Paging.
        #[command(flatten)]
        list: ListArguments,
        /// Only those with this in them.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Lets mail go to an address again.
    Remove {
        /// The address.
        address: String,
    },
}

/// `relais message …`
#[derive(Debug, Subcommand)]
pub(crate) enum MessageCommand {
    /// Tells each step of a message's way, or what became of all messages of an address.
    Trace {
        /// An address (sender or recipient), or an id as it stands in Received.
        wanted: String,
        /// Paging, of an address's messages.
        #[command(flatten)]
        list: ListArguments,
    },
}
