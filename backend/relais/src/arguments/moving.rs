//! `relais import …` and `relais export …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `relais import …`
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// From another IMAP server, with folders, flags and dates; the password there is asked for, or read from standard input.
    Imap(ImportImapArguments),
    /// From an mbox file, or from a folder of them that are named after their mailboxes; vCards among them become contacts.
    Mbox {
        /// Whose mail it becomes.
        address: String,
        /// The file or folder.
        path: PathBuf,
        /// Into this mailbox, where it is one file; INBOX if it isn't said.
        #[arg(long)]
        mailbox: Option<String>,
    },
    /// From a Maildir with its folders; its `contacts.vcf` becomes contacts.
    Maildir {
        /// Whose mail it becomes.
        address: String,
        /// The Maildir.
        path: PathBuf,
    },
    /// Contacts from a file of vCards. A card that is here already takes the new one's place.
    Vcard {
        /// Whose contacts they become.
        address: String,
        /// The file; `-` is standard input.
        path: PathBuf,
    },
    /// Tells how the import from another server stands.
    Status {
        /// Whose.
        address: String,
        /// JSON instead of sentences.
        #[arg(long)]
        json: bool,
    },
    /// Stops the import from another server. Begun again, it goes on where it was.
    Stop {
        /// Whose.
        address: String,
    },
}

/// Another server, and who one is there.
#[derive(Debug, Args)]
pub(crate) struct ImportImapArguments {
    /// Whose mail it becomes.
    pub(crate) address: String,
    /// The other server.
    #[arg(long)]
    pub(crate) host: String,
    /// Its port; 993, or 143 without TLS from the start.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// `tls`, `starttls`, or `none`, for networks that the settings allow.
    #[arg(long, default_value = "tls")]
    pub(crate) security: String,
    /// The name to log in with there.
    #[arg(long)]
    pub(crate) user: String,
    /// Waits for its end; ends with 1 where not all was brought.
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `relais export …`
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Whose mail.
    pub(crate) address: String,
    /// A file a mailbox, in a new folder, with `contacts.vcf`.
    #[arg(
        long,
        value_name = "FOLDER",
        required_unless_present_any = ["maildir", "vcard"],
        conflicts_with_all = ["maildir", "vcard"]
    )]
    pub(crate) mbox: Option<PathBuf>,
    /// A new Maildir, with `contacts.vcf`.
    #[arg(long, value_name = "FOLDER", conflicts_with = "vcard")]
    pub(crate) maildir: Option<PathBuf>,
    /// The contacts alone, in a new file of vCards.
    #[arg(long, value_name = "FILE")]
    pub(crate) vcard: Option<PathBuf>,
}
