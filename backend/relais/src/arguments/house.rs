//! `relais activity …`, `settings …` and `index …`.

use clap::Subcommand;

use super::ListArguments;

/// `relais activity …`
#[derive(Debug, Subcommand)]
pub(crate) enum ActivityCommand {
    /// Lists changes, the latest first.
    List(ListArguments),
    /// Undoes one, where what it changed is still as it left it.
    Undo {
        /// As `list` shows it.
        id: String,
    },
}

/// `relais settings …`
#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Lists all.
    List {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Tells the value of one.
    Get {
        /// Like `mail.message_octets`.
        name: String,
        /// JSON, with its range and default.
        #[arg(long)]
        json: bool,
    },
    /// Sets one; it is in force at once.
    Set {
        /// Like `mail.message_octets`.
        name: String,
        /// Like `25 MiB`, `15 min`, `true`.
        value: String,
    },
    /// Gives one its default again.
    Reset {
        /// Like `mail.message_octets`.
        name: String,
    },
}

/// `relais index …`
#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// How much is in it, and whether it is up to date.
    Status,
    /// Makes it anew, from the messages.
    Rebuild {
        /// Stays until it is done, and says how far it is.
        #[arg(long)]
        wait: bool,
    },
}
