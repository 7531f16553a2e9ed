//! ACL (RFC 4314): what an account may do with a mailbox.
//!
//! Each mailbox has one owner, who has all rights and keeps them; nobody else can be given any, and LISTRIGHTS says so. Where
//! mailboxes are shared, [`Client::rights`] is what every command asks.

use relais_imap::command::{Acl, AclAct, Rights};
use relais_imap::response::{self, ResponseCode};

use super::{Client, Done, Halt};

impl Client {
    /// What this account may do with a mailbox of its own: everything.
    pub(super) const fn rights() -> Rights {
        Rights::ALL
    }

    /// GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS.
    pub(super) async fn acl(&mut self, acl: Acl) -> Result<Done, Halt> {
        let Acl { mailbox, act } = acl;
        self.mailbox(&mailbox).await?;
        let owner = self.identity.as_ref().map(|identity| identity.address.to_string()).unwrap_or_default();
        let utf8 = self.session.enabled().utf8();
        let rights_of =
            |identifier: &str| if identifier.eq_ignore_ascii_case(&owner) { Rights::ALL } else { Rights::NONE };
        match act {
            AclAct::Get => response::acl(&mut self.out, &mailbox, &owner, Self::rights(), utf8),
            AclAct::Mine => response::my_rights(&mut self.out, &mailbox, Self::rights(), utf8),
            AclAct::List(identifier) => {
                response::list_rights(&mut self.out, &mailbox, &identifier, rights_of(&identifier), utf8);
            }
            // What changes nothing is done.
            AclAct::Set(identifier, change) if change.apply(rights_of(&identifier)) == rights_of(&identifier) => {}
            AclAct::Delete(identifier) if rights_of(&identifier) == Rights::NONE => {}
            AclAct::Set(identifier, _) | AclAct::Delete(identifier) => {
                let text = if rights_of(&identifier) == Rights::ALL {
                    "The owner keeps all rights"
                } else {
                    "Mailboxes are their owner's alone"
                };
                return Err(Halt::no(ResponseCode::Cannot, text));
            }
        }
        Ok(Done::plain("So it is"))
    }
}
