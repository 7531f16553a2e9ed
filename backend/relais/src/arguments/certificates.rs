//! `relais certificate …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::ListArguments;

/// `relais certificate …`
#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Lists those that are kept.
    List(ListArguments),
    /// Lists the names that certificates are wanted for, and how far each is.
    Names(ListArguments),
    /// Lists what came of the orders.
    Orders(ListArguments),
    /// Has names looked at and ordered now.
    Order {
        /// Which; all that wait or were refused where none is said.
        names: Vec<String>,
    },
    /// Renews an ordered one now.
    Renew {
        /// As `list` shows it.
        id: String,
    },
    /// Brings one; all doors show it at once.
    Upload {
        /// The certificate and those that certify it: PEM.
        #[arg(long, value_name = "FILE")]
        chain: PathBuf,
        /// Its private key: PEM. May be left out where it stands in the same file.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Removes one with its private key.
    Remove {
        /// As `list` shows it.
        id: String,
    },
    /// Knocks at each door with TLS, and tells what it shows.
    Doors {
        /// The name that is asked for; the house's own where it isn't said.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
}
