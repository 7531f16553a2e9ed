//! `relais domain …` and `relais dns …`.

use clap::Subcommand;

use super::ListArguments;

/// `relais domain …`
#[derive(Debug, Subcommand)]
pub(crate) enum DomainCommand {
    /// Takes a domain in.
    Add {
        /// As A- or U-labels.
        domain: String,
        /// Where mail to unknown addresses of it goes.
        #[arg(long, value_name = "ADDRESS")]
        catch_all: Option<String>,
        /// Who reads postmaster@ of it.
        #[arg(long, value_name = "ADDRESS")]
        postmaster: Option<String>,
        /// Which tenant it is of: the same word as its other domains have. Nothing is shared across tenants.
        #[arg(long, value_name = "WORD", default_value = "", hide_default_value = true)]
        tenant: String,
    },
    /// Lists them.
    List(ListArguments),
    /// Gives a domain up. Refused while people or aliases are in it.
    Remove {
        /// Which.
        domain: String,
    },
}

/// `relais dns …`
#[derive(Debug, Subcommand)]
pub(crate) enum DnsCommand {
    /// Checks a domain's records, or the host's, and waits for the end. Ends with 1 where something is wrong.
    Check {
        /// The domain; `host` for the host.
        domain: String,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows the records that a domain wants.
    Records {
        /// The domain; `host` for the host.
        domain: String,
        /// As a zone file (RFC 1035), with those of the host that stand in the domain's zone.
        #[arg(long, conflicts_with = "json")]
        zone_file: bool,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows the keys that sign a domain's mail.
    Keys {
        /// The domain.
        domain: String,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Makes new keys for a domain now; they sign once their records are seen.
    Rotate {
        /// The domain.
        domain: String,
    },
}
