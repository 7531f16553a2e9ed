//! `relais import …` and `relais export …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `relais import …`
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// From another IMAP server, with folders, flags and dates; the password there is asked for, or read from standard input.
    Imap(ImportImapArguments),
    /// From an mbox file, or from a folder of them that are named after their mailboxes.
    Mbox {
        /// Whose mail it becomes.
        address: String,
        /// The file or folder.
        path: PathBuf,
        /// Into this mailbox, where it is one file; INBOX if it isn't said.
        #[arg(long)]
        mailbox: Option<String>,
    },
    /// From a Maildir with its folders.
    Maildir {
        /// Whose mail it becomes.
        address: String,
        /// The Maildir.
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
    /// A file a mailbox, in a new folder.
    #[arg(long, value_name = "FOLDER", required_unless_present = "maildir", conflicts_with = "maildir")]
    pub(crate) mbox: Option<PathBuf>,
    /// A new Maildir.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) maildir: Option<PathBuf>,
}
