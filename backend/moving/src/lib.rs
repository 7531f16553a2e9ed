//! Moving: brings people's mail from another IMAP server, and reads and writes mbox and Maildir.
//!
//! ```text
//! Movers ─> run ─> dial: may that host be reached? TLS ─> source: log in, LIST, EXAMINE, UID FETCH ─> batch ─> store
//!                                                          wire: octets, bounded ─> answer: what was said
//! ```
//! - `movers`: who has a run under way; `progress`: how it stands. `run`: one run, folder by folder; `folders`: which is which here.
//! - `source`: the client's side of IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051), as far as reading mail needs it.
//! - `mbox`, `maildir`, `zip`, `unzip`: files; `bundle`: one that somebody hands over, whichever of these it is.
//!   `parcel`: messages in a row, with their folder, flags and date, as the API carries them.
//!
//! Invariants: nothing is changed at the source: folders are opened with EXAMINE, bodies read with BODY.PEEK. What another server says
//! is believed within named limits, and every wait for it ends. Of a run that ends anyhow, what was filed is noted, and what was
//! filed and not noted is found by its content: nothing comes twice. No password is kept.

mod answer;
mod bundle;
mod dial;
mod folders;
mod maildir;
mod mbox;
mod movers;
mod parcel;
mod progress;
mod run;
mod source;
mod unzip;
mod wire;
mod zip;

pub use bundle::{BundleError, Item, LeftOut, read_bundle};
pub use dial::{Dialer, Fault, Hosts, Security, Target};
pub use maildir::{MaildirMessage, folder_path, maildir_folders, maildir_messages, maildir_name};
pub use mbox::{MboxMessage, MboxReader, mbox_name, write_mbox};
pub use movers::{Movers, Room, StartError};
pub use parcel::{Copies, MESSAGE_OCTETS, Parcel, ParcelError, ParcelReader};
pub use progress::{Progress, Refusal, RunState, Trouble};
pub use zip::ZipWriter;
