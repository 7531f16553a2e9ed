//! Leaving other people's lists with one click (RFC 8058): the house posts in its reader's stead, and says nothing of them but what the
//! message's own address says.

use relais_reading::ONE_CLICK;
use url::Url;

use crate::mail::{Genuine, MessageView};
use crate::{Actor, Failure, Networks, Parcel, Service, Text};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The list's host says that it took one off.
    pub is_left: bool,
    /// For the one who left.
    pub says: Text,
}

impl MessageView {
    /// Where a POST takes its reader off the list. None in Junk and in forgeries: they learn of nobody that somebody is there.
    pub fn one_click(&self) -> Option<Url> {
        let is_believed = !self.is_junk && self.genuine != Genuine::Forged;
        let url = self.letter.header.one_click.as_deref().filter(|_| is_believed)?;
        // The usual port alone, as for pictures: a message must not try the doors of other hosts through us.
        let is_fit = |url: &Url| url.scheme() == "https" && url.port().is_none() && url.username().is_empty();
        Url::parse(url).ok().filter(is_fit)
    }
}

impl Service {
    /// Leaves the list that a message came by. What the list's host answers counts, and where it would lead isn't followed.
    ///
    /// # Errors
    /// [`Failure::Absent`]: there is no such message, or it offers no such way.
    pub async fn leave_list(&self, me: &Actor, mailbox: &str, number: u32) -> Result<Leaving, Failure> {
        let view = self.mail.open(me, mailbox, number, false, false).await?;
        let url = view.one_click().ok_or_else(|| Failure::Absent(Text::new("mail-no-one-click")))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let parcel = Parcel { url, headers, body: ONE_CLICK.to_owned(), allowed: Networks::default() };
        let is_left = match self.send_parcel(parcel).await {
            Ok(status) => (200..300).contains(&status),
            Err(error) => {
                tracing::debug!(%error, "a list was not left");
                false
            }
        };
        let id = if is_left { "mail-list-left" } else { "mail-list-not-left" };
        Ok(Leaving { is_left, says: Text::new(id).with("host", host) })
    }
}
