//! A file of mail that somebody brings by a page: read beside the other work, filed piece by piece as what comes by the API.

use relais_model::MailboxName;
use relais_moving::{BundleError, Item, LeftOut, Parcel, read_bundle};
use relais_store::{Account, MAX_CONTACTS};
use tokio::sync::mpsc;

use super::{MailFiled, PIECE_MESSAGES, PIECE_OUT_OCTETS};
use crate::{Actor, Complaint, Failure, Role, Service, Text};

/// Octets of such a file.
pub const BUNDLE_OCTETS: usize = 64 * 1024 * 1024;
/// Parts that weren't taken and are named, at most; all are counted.
const NAMED: usize = 100;

/// What became of a file of mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleFiled {
    /// Of its messages.
    pub mail: MailFiled,
    /// Contacts that were kept, each in the place of the one that was there.
    pub contacts: u64,
    /// Parts that weren't taken.
    pub left_out: u64,
    /// The first hundred of those: as it is called there, and why.
    pub named: Vec<(String, Text)>,
}

impl BundleFiled {
    fn leave_out(&mut self, name: String, why: Text) {
        self.left_out += 1;
        if self.named.len() < NAMED {
            self.named.push((name, why));
        }
    }
}

impl Service {
    /// Files what a file holds in one's own account: an mbox, for `mailbox` (INBOX where that is empty), or a zip of mbox files, Maildirs and
    /// vCards, as an export makes it. What stands there already isn't filed again. Anybody.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `mailbox` or `file`; [`Failure::Clash`] where there is no room, for the account or on the disk. What came before
    /// the fault is filed; brought again, nothing is filed twice.
    pub async fn bring_bundle(&self, actor: &Actor, mailbox: &str, file: Vec<u8>) -> Result<BundleFiled, Failure> {
        let account = self.whose(actor, Role::User, None).await?;
        if file.is_empty() {
            return Err(Failure::unfit("file", Text::new("moving-file-none")));
        }
        let mailbox = if mailbox.trim().is_empty() { "INBOX" } else { mailbox.trim() };
        let mailbox = MailboxName::parse(mailbox)
            .map_err(|_| Failure::unfit("mailbox", Text::new("import-mailbox-name").with("name", mailbox)))?;
        self.store.note_moving(&actor.author(), "mail.file", &account).await?;
        let (batches, mut ready) = mpsc::channel(1);
        // It ends with this: once nobody takes a batch, it reads no more.
        let reading = tokio::task::spawn_blocking(move || read(&file, mailbox.as_str(), &batches));
        let mut filed = BundleFiled::default();
        while let Some(items) = ready.recv().await {
            self.file_items(&account, items, &mut filed).await.map_err(about_the_file)?;
        }
        reading.await.map_err(|_panicked| Failure::Failed)?.map_err(unread)?;
        Ok(filed)
    }

    async fn file_items(&self, account: &Account, items: Vec<Item>, filed: &mut BundleFiled) -> Result<(), Failure> {
        let mut parcels: Vec<Parcel> = Vec::new();
        for item in items {
            match item {
                Item::Mail(parcel) => parcels.push(parcel),
                Item::Cards { name, text } => self.file_cards(account, name, &text, filed).await?,
                Item::LeftOut { name, why } => filed.leave_out(name, left_out(why)),
            }
        }
        self.file_parcels(account, &parcels, &mut filed.mail).await
    }

    async fn file_cards(
        &self,
        account: &Account,
        name: String,
        text: &str,
        filed: &mut BundleFiled,
    ) -> Result<(), Failure> {
        let imported = match self.mail.keep_cards(account.key, text).await {
            Ok(imported) => imported,
            Err(Failure::Unfit(complaints)) => {
                for complaint in complaints {
                    filed.leave_out(name.clone(), complaint.why);
                }
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        filed.contacts += imported.kept;
        if imported.left_out > 0 {
            let most = Text::new("mail-contacts-too-many").with("most", MAX_CONTACTS.unsigned_abs());
            filed.leave_out(name, most);
            filed.left_out += imported.left_out - 1;
        }
        Ok(())
    }
}

/// Reads the file in batches, each of the size of a piece of the API's.
fn read(file: &[u8], mailbox: &str, batches: &mpsc::Sender<Vec<Item>>) -> Result<(), BundleError> {
    let (mut batch, mut octets) = (Vec::new(), 0);
    let mut take = |item: Item| {
        octets += size(&item);
        batch.push(item);
        if octets < PIECE_OUT_OCTETS && batch.len() < PIECE_MESSAGES {
            return true;
        }
        octets = 0;
        batches.blocking_send(std::mem::take(&mut batch)).is_ok()
    };
    let outcome = read_bundle(file, mailbox, &mut take);
    // What came before a fault is filed, too.
    if !batch.is_empty() && batches.blocking_send(batch).is_err() {
        return Err(BundleError::Stopped);
    }
    outcome
}

fn size(item: &Item) -> usize {
    match item {
        Item::Mail(parcel) => parcel.octets.len(),
        Item::Cards { text, .. } => text.len(),
        Item::LeftOut { .. } => 0,
    }
}

fn left_out(why: LeftOut) -> Text {
    Text::new(match why {
        LeftOut::TooLarge => "moving-left-too-large",
        LeftOut::NoMail => "moving-left-no-mail",
        LeftOut::Packing => "moving-left-packing",
        LeftOut::MailboxName => "moving-left-mailbox-name",
    })
}

fn unread(error: BundleError) -> Failure {
    let why = match error {
        BundleError::NoMail => "moving-file-no-mail",
        BundleError::Broken => "moving-file-broken",
        BundleError::TooLarge => "moving-file-unpacked",
        BundleError::TooMany => "moving-file-too-many",
        // Nobody stops it who asks for its outcome.
        BundleError::Stopped => return Failure::Failed,
    };
    Failure::unfit("file", Text::new(why))
}

/// A complaint about messages is one about the file here.
fn about_the_file(failure: Failure) -> Failure {
    match failure {
        Failure::Unfit(complaints) => Failure::Unfit(
            complaints.into_iter().map(|Complaint { why, .. }| Complaint { field: "file", why }).collect(),
        ),
        other => other,
    }
}
