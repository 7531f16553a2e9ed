//! `relais alias …` and `relais list …`.

use clap::{Args, Subcommand};

use super::ListArguments;

/// What is said of an alias.
#[derive(Debug, Args)]
pub(crate) struct AliasTerms {
    /// Who may send as it: targets, people, nobody.
    #[arg(long, value_name = "WHO")]
    pub(crate) senders: Option<String>,
    /// One of the people who may; stands once for each.
    #[arg(long = "sender", value_name = "ADDRESS")]
    pub(crate) sender_people: Vec<String>,
    /// Of regular expressions: those with smaller numbers are asked first.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) turn: Option<u32>,
    /// From when on its mail is refused, as 2027-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) ends: Option<String>,
    /// A note on it.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// What senders are told after its end, in plain letters.
    #[arg(long, value_name = "TEXT")]
    pub(crate) ended_text: Option<String>,
}

/// `relais alias …`
#[derive(Debug, Subcommand)]
pub(crate) enum AliasCommand {
    /// Makes an address lead to others, here or elsewhere.
    Add {
        /// The alias; or a wildcard, 'sales-*@example.org'; or a regular expression, '/sales-[0-9]+/@example.org'.
        address: String,
        /// Where to.
        #[arg(required = true)]
        targets: Vec<String>,
        #[command(flatten)]
        terms: AliasTerms,
    },
    /// Changes what is said of one; also brings one back that has ended.
    Change {
        /// Which.
        address: String,
        /// Where to: these instead of those that it has.
        #[arg(long = "to", value_name = "ADDRESS")]
        targets: Vec<String>,
        #[command(flatten)]
        terms: AliasTerms,
        /// It doesn't end.
        #[arg(long, conflicts_with = "ends")]
        endless: bool,
    },
    /// Whether a sample would fit a wildcard or a regular expression; nothing is saved. Ends with 1 where it would not.
    Try {
        /// As for `add`.
        address: String,
        /// An address, or what stands before its @.
        sample: String,
    },
    /// Lists them.
    List(ListArguments),
    /// Takes one away.
    Remove {
        /// Which.
        address: String,
    },
}

/// `relais list …`
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Makes a mailing list.
    Add {
        /// Its address.
        address: String,
        /// What it is about.
        #[arg(long, default_value = "")]
        title: String,
        /// Who may post: members, owners, moderated, anyone.
        #[arg(long, value_name = "WHO", default_value = "members")]
        posters: String,
        /// People subscribe themselves.
        #[arg(long)]
        open: bool,
        /// Who looks after it; stands once for each.
        #[arg(long = "owner", value_name = "ADDRESS")]
        owners: Vec<String>,
    },
    /// Lists them.
    List(ListArguments),
    /// Who is on one.
    Members {
        /// Which.
        list: String,
        #[command(flatten)]
        wanted: ListArguments,
    },
    /// Adds people to one.
    Join {
        /// Which.
        list: String,
        /// Who; none: as standard input says, one a line.
        members: Vec<String>,
    },
    /// Takes somebody off one.
    Leave {
        /// Which.
        list: String,
        /// Who.
        member: String,
    },
    /// All its addresses, one a line.
    Export {
        /// Which.
        list: String,
    },
    /// Posts that wait for an owner.
    Posts {
        /// Of which.
        list: String,
        #[command(flatten)]
        wanted: ListArguments,
    },
    /// Lets a post go out.
    Approve {
        /// Of which list.
        list: String,
        /// As `posts` shows it.
        post: String,
    },
    /// Turns a post away.
    Reject {
        /// Of which list.
        list: String,
        /// As `posts` shows it.
        post: String,
    },
    /// Takes one away, with its members.
    Remove {
        /// Which.
        list: String,
    },
}
