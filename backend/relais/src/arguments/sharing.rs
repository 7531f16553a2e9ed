//! `relais team …` and `relais share …`.

use clap::{Args, Subcommand};

use super::ListArguments;

/// `relais team …`
#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// Makes one.
    Add {
        /// Its address.
        address: String,
        /// Its name.
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Lists them.
    List(ListArguments),
    /// Gives one another name.
    Rename {
        /// Which.
        team: String,
        /// Its name.
        name: String,
    },
    /// Who is in one, and what they may do.
    Members {
        /// Which.
        team: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Has somebody be in one, or changes what they may do.
    Join {
        /// Which.
        team: String,
        #[command(flatten)]
        terms: ShareTerms,
        /// How they write from its address: `on_behalf` of it, with a Sender of their own, or `as` it; none: not at all.
        #[arg(long, value_name = "HOW")]
        sends: Option<String>,
    },
    /// Takes somebody out of one.
    Leave {
        /// Which.
        team: String,
        /// Who: an address, @ and a domain, or anyone.
        who: String,
    },
    /// Takes one away, with its mail.
    Remove {
        /// Which.
        team: String,
    },
    /// Brings one back that was taken away.
    Restore {
        /// Which.
        team: String,
    },
}

/// Who may do what in a mailbox.
#[derive(Debug, Args)]
pub(crate) struct ShareTerms {
    /// Who: an address, @ and a domain for all its people, or anyone.
    pub(crate) who: String,
    /// What they may do: read, mark, write, manage.
    #[arg(long, value_name = "LEVEL", conflicts_with = "rights")]
    pub(crate) level: Option<String>,
    /// The same in letters of RFC 4314.
    #[arg(long, value_name = "LETTERS")]
    pub(crate) rights: Option<String>,
}

/// `relais share …`
#[derive(Debug, Subcommand)]
pub(crate) enum ShareCommand {
    /// With whom a mailbox is shared.
    List {
        /// Whose mailbox.
        owner: String,
        /// Its name.
        mailbox: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shares a mailbox with somebody, or changes what they may do.
    Add {
        /// Whose mailbox.
        owner: String,
        /// Its name.
        mailbox: String,
        #[command(flatten)]
        terms: ShareTerms,
    },
    /// Shares a mailbox with somebody no longer.
    Remove {
        /// Whose mailbox.
        owner: String,
        /// Its name.
        mailbox: String,
        /// With whom.
        who: String,
    },
    /// Who may write from an address that isn't theirs.
    Senders {
        /// Whose address.
        owner: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lets somebody write from another's address.
    Lend {
        /// Whose address.
        owner: String,
        /// Who: an address, @ and a domain for all its people, or anyone.
        who: String,
        /// `on_behalf` of it, with a Sender of their own, or `as` it.
        how: String,
    },
    /// Lets them no longer.
    Withdraw {
        /// Whose address.
        owner: String,
        /// Who.
        who: String,
    },
}
