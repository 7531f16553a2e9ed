//! Mail as its owner writes it: as whom, with formatting, and what is asked before it goes.

use std::sync::Arc;
use std::time::Duration;

use relais_reading::{Card, CardVersion, Letter};
use relais_service::{Actor, Answering, Draft, Mail, NewFile, Of, Quote, Role, WriterIdentity, WritingChoices};
use relais_store::{Append, Author, Content, MailboxKey};

use crate::house::{House, address, on_both, short};
use crate::mail::{id, quoting};

/// A stranger's message with HTML: teeth, a picture of its own and one of others.
const HOSTILE: &str = "From: Ann <ann@x.example>\nTo: user+shop@one.example\nSubject: Sale\nMessage-ID: <1@x>\n\
    Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n\
    <p onclick=\"x\">Buy<script>alert(1)</script> <img src=\"cid:dot@x\"><img src=\"https://t.example/t.gif\"></p>\n\
    --r\nContent-Type: image/gif\nContent-ID: <dot@x>\nContent-Transfer-Encoding: base64\n\nR0lG\n--r--\n";

struct Writer {
    house: Arc<House>,
    me: Actor,
}

impl Writer {
    async fn of(house: Arc<House>) -> Self {
        let me = house.actor(Role::User, true).await;
        Self { house, me }
    }

    fn mail(&self) -> &Mail {
        &self.house.service.mail
    }

    async fn put(&self, raw: &str) -> String {
        let inbox = id(&self.house, &self.me, "INBOX").await;
        let content = Content::prepare(raw.replace('\n', "\r\n").into_bytes());
        let append = Append { content, flags: Vec::new(), internal_date: None };
        self.house.store.append(MailboxKey::parse(&inbox).unwrap(), vec![append]).await.unwrap();
        inbox
    }

    async fn keep(&self, address: &str) -> String {
        let identity = WriterIdentity {
            name: "The Shop".to_owned(),
            address: address.to_owned(),
            reply_to: "desk@one.example".to_owned(),
            signature: "The Shop\n<b>".to_owned(),
            ..WriterIdentity::default()
        };
        short(self.mail().keep_identity(&self.me, identity).await)
    }

    /// The last message of a mailbox, as it stands there.
    async fn last(&self, who: &Actor, mailbox: &str) -> Vec<u8> {
        let id = id(&self.house, who, mailbox).await;
        let wanted = relais_service::ListWanted { limit: 9, ..relais_service::ListWanted::default() };
        let page = self.mail().list(who, &id, &wanted).await.unwrap();
        self.mail().raw(who, &id, page.rows[0].uid).await.unwrap().octets
    }
}

#[test]
fn people_write_as_who_they_may_be() {
    on_both(|house| async move {
        let writer = Writer::of(house).await;
        let (mail, me, store) = (writer.mail(), &writer.me, &writer.house.store);
        let own = mail.identities(me).await.unwrap();
        assert_eq!((own.len(), own[0].address.as_str(), own[0].is_own), (1, "user@one.example", true));
        assert_eq!(writer.keep("user+shop@one.example").await, "done");
        assert_eq!(writer.keep("desk@one.example").await, "unfit: address mail-identity-not-yours");
        assert_eq!(writer.keep("ann@x.example").await, "unfit: address mail-identity-not-yours");
        assert_eq!(writer.keep("nobody").await, "unfit: address mail-bad-address");
        let alias = address("sales@one.example");
        store.add_alias(&alias, vec![address("user@one.example")], &Author::house()).await.unwrap();
        assert_eq!(mail.other_addresses(me).await.unwrap(), ["sales@one.example"]);
        assert_eq!(writer.keep("sales@one.example").await, "done");
        assert_eq!(mail.identities(me).await.unwrap().len(), 3);
        assert_eq!(mail.other_addresses(me).await.unwrap(), Vec::<String>::new());
        store.remove_alias(&alias, None, &Author::house()).await.unwrap();
        let left = mail.identities(me).await.unwrap();
        assert!(
            left.iter().all(|identity| identity.address != "sales@one.example"),
            "whose alias it is no more: {left:?}"
        );
        mail.remove_identity(me, "user+shop@one.example").await.unwrap();
        assert_eq!(short(mail.remove_identity(me, "user+shop@one.example").await), "absent: mail-identity-gone");
    });
}

#[test]
fn an_answer_comes_from_the_address_that_was_written_to() {
    on_both(|house| async move {
        let writer = Writer::of(house).await;
        let (mail, me) = (writer.mail(), &writer.me);
        assert_eq!(writer.keep("user+shop@one.example").await, "done");
        let inbox = writer.put(HOSTILE).await;
        let of = Of { mailbox: inbox, uid: 1, how: Answering::Reply };
        let draft = mail.begin(me, Some(of.clone()), &quoting()).await.unwrap();
        assert_eq!(draft.from, "The Shop <user+shop@one.example>");
        assert!(draft.text.ends_with("\n> Buy\n\n-- \nThe Shop\n<b>"), "{:?}", draft.text);
        let html = draft.html.clone().unwrap();
        assert!(html.ends_with("<div data-signature=\"\">The&#32;Shop<br>&lt;b&gt;</div>"), "{html}");
        mail.choose_writing(me, WritingChoices { is_rich: false, undo_seconds: 0, ..WritingChoices::default() })
            .await
            .unwrap();
        let plain = mail.begin(me, Some(of), &quoting()).await.unwrap();
        assert_eq!(plain.html, None, "it is remembered");
        let draft = Draft { to: "desk@one.example".to_owned(), ..plain };
        mail.send(me, writer.house.store.now(), &draft, Vec::new()).await.unwrap();
        let desk = writer.house.actor(Role::HelpDesk, true).await;
        let raw = String::from_utf8(writer.last(&desk, "INBOX").await).unwrap();
        assert!(raw.contains("\r\nFrom: The Shop <user+shop@one.example>\r\nReply-To: desk@one.example\r\n"), "{raw}");
        assert!(raw.contains("format=flowed") && !raw.contains("multipart"), "{raw}");
    });
}

/// From the form to who reads it: own words, own pictures, what is quoted without its teeth; and a draft in between.
#[test]
fn a_message_with_formatting_goes_out_whole_and_clean() {
    on_both(|house| async move {
        let writer = Writer::of(house).await;
        let (mail, me) = (writer.mail(), &writer.me);
        let inbox = writer.put(HOSTILE).await;
        let of = Of { mailbox: inbox, uid: 1, how: Answering::Reply };
        let begun = mail.begin(me, Some(of), &quoting()).await.unwrap();
        let quote = mail.quote(me, &begun).await.unwrap();
        assert!(quote.contains("On some day, Ann wrote:") && quote.contains("data:image/gif;base64,R0lG"), "{quote}");
        assert!(!quote.contains("t.example") && !quote.contains("script") && !quote.contains("onclick"), "{quote}");
        let html = "<p>Yes, <b>please</b> <img src=\"data:image/png;base64,AQID\" onerror=\"x\"></p><script>1</script>";
        let draft = Draft { to: "desk@one.example".to_owned(), html: Some(html.to_owned()), ..begun };
        let file = NewFile { name: "a.txt".to_owned(), kind: "text/plain".to_owned(), octets: b"one".to_vec() };
        let saved = mail.save_draft(me, &draft, vec![file]).await.unwrap();
        let opened = mail.open_draft(me, saved).await.unwrap();
        assert_eq!(
            opened.html.as_deref(),
            Some("<p>Yes, <b>please</b> <img src=\"data:image/png;base64,AQID\"></p>"),
            "own words are apart from what is quoted"
        );
        assert_eq!(opened.files.len(), 1, "pictures of the text are no files");
        let text = opened.quote.clone().unwrap().text;
        assert!(text.contains("On some day, Ann wrote:\n> Buy"), "{text}");
        assert_eq!(mail.quote(me, &opened).await.unwrap().matches("R0lG").count(), 1);
        // Twice saved is as well as once.
        let saved = mail.save_draft(me, &opened, Vec::new()).await.unwrap();
        let opened = mail.open_draft(me, saved).await.unwrap();
        mail.send(me, writer.house.store.now(), &opened, Vec::new()).await.unwrap();
        let desk = writer.house.actor(Role::HelpDesk, true).await;
        let raw = writer.last(&desk, "INBOX").await;
        let letter = Letter::read(&raw);
        assert_eq!(letter.passages.len(), 1);
        let (plain, html) = (letter.passages[0].plain.clone().unwrap(), letter.passages[0].html.clone().unwrap());
        assert!(plain.starts_with("Yes, please") && plain.contains("On some day, Ann wrote:\n> Buy"), "{plain}");
        for teeth in ["script", "onclick", "onerror", "t.example", "data:"] {
            assert!(!html.contains(teeth), "{teeth}: {html}");
        }
        assert!(html.contains("<blockquote type=\"cite\">") && html.contains("src=\"cid:dot@x\""), "{html}");
        let inline: Vec<_> = letter.files.iter().filter(|file| file.is_inline).collect();
        assert_eq!(inline.len(), 2, "{inline:?}");
        assert!(inline.iter().all(|file| html.contains(&format!("cid:{}", file.content_id.clone().unwrap()))));
        assert_eq!(letter.attachments().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["a.txt"]);
        let without = Quote { is_kept: false, ..Quote::default() };
        let alone = Draft { id: String::new(), quote: Some(without), saved: None, files: Vec::new(), ..opened };
        mail.send(me, writer.house.store.now(), &alone, Vec::new()).await.unwrap();
        let raw = String::from_utf8(writer.last(&desk, "INBOX").await).unwrap();
        assert!(!raw.contains("Ann wrote"), "{raw}");
        assert_eq!(writer.house.store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn what_is_strange_is_asked_before_it_goes() {
    on_both(|house| async move {
        let writer = Writer::of(house).await;
        let (mail, me) = (writer.mail(), &writer.me);
        let doubts = async |to: &str, text: &str| {
            let draft = Draft { to: to.to_owned(), text: text.to_owned(), ..Draft::default() };
            let doubts = mail.doubts(me, &draft).await.unwrap();
            doubts.into_iter().map(|doubt| doubt.id.into_owned()).collect::<Vec<_>>().join(" ")
        };
        let (account, _) = me.account.clone().unwrap();
        writer.house.store.note_written(account, &[address("ann@gmail.example")]).await.unwrap();
        assert_eq!(doubts("ann@gmail.example", "Lunch?").await, "");
        assert_eq!(doubts("ann@gmial.example", "Lunch?").await, "mail-doubt-address");
        assert_eq!(doubts("anm@gmail.example", "Lunch?").await, "mail-doubt-address");
        assert_eq!(doubts("bob@y.example", "The plan is attached").await, "mail-doubt-no-file");
        let many: Vec<String> = (0..60).map(|number| format!("p{number}@y.example")).collect();
        assert_eq!(doubts(&many.join(", "), "Hi").await, "mail-doubt-seen mail-doubt-many");
        let file = relais_service::DraftFile { part: "2".to_owned(), name: "a".to_owned(), octets: 1 };
        let with_file = Draft { text: "attached".to_owned(), files: vec![file], ..Draft::default() };
        assert!(mail.doubts(me, &with_file).await.unwrap().is_empty());
    });
}

/// It waits as a draft; who changes it, or throws it away, stops it; what is refused then stays and says why.
#[test]
fn messages_go_later_and_can_be_stopped() {
    on_both(|house| async move {
        let writer = Writer::of(house).await;
        let (mail, me, store) = (writer.mail(), &writer.me, &writer.house.store);
        let desk = writer.house.actor(Role::HelpDesk, true).await;
        let received = async || {
            let wanted = relais_service::ListWanted { limit: 9, ..relais_service::ListWanted::default() };
            mail.list(&desk, &id(&writer.house, &desk, "INBOX").await, &wanted).await.unwrap().total
        };
        let new = async |to: &str| {
            let new = mail.begin(me, None, &quoting()).await.unwrap();
            Draft { to: to.to_owned(), subject: to.to_owned(), text: "Hi".to_owned(), ..new }
        };
        let since = store.now();
        let soon = since.plus(Duration::from_secs(10));
        let refused = async |to: &str, due| short(mail.send_later(me, since, &new(to).await, due).await);
        assert_eq!(refused("nobody@one.example", soon).await, "unfit: to mail-recipient-refused", "it is said at once");
        assert_eq!(
            refused("desk@one.example", since.minus(Duration::from_secs(1))).await,
            "unfit: due mail-later-bad-time"
        );
        let goes = mail.send_later(me, since, &new("desk@one.example").await, soon).await.unwrap();
        let stopped = mail.send_later(me, since, &new("desk@one.example").await, soon).await.unwrap();
        let changed = mail.send_later(me, since, &new("desk@one.example").await, soon).await.unwrap();
        let gone = mail.send_later(me, since, &new("desk@one.example").await, soon).await.unwrap();
        assert_eq!(mail.later_counts(me).await.unwrap(), (4, 0));
        assert_eq!(mail.post_due().await.unwrap(), Duration::from_secs(10));
        assert_eq!(received().await, 0);
        mail.stop_later(me, stopped).await.unwrap();
        assert_eq!(short(mail.stop_later(&desk, goes).await), "absent: mail-later-gone", "nobody stops another's");
        let draft = mail.open_draft(me, changed).await.unwrap();
        mail.save_draft(me, &draft, Vec::new()).await.unwrap();
        mail.discard_draft(me, gone).await.unwrap();
        assert_eq!(mail.later(me).await.unwrap().iter().map(|later| later.uid).collect::<Vec<_>>(), [goes]);
        writer.house.clock.advance(Duration::from_secs(10));
        mail.post_due().await.unwrap();
        assert_eq!(received().await, 1);
        assert_eq!(mail.later_counts(me).await.unwrap(), (0, 0));
        assert!(mail.due(me, goes).await.unwrap().is_none());
        // Whom it was for is gone when its time has come.
        let alias = address("sales@one.example");
        store.add_alias(&alias, vec![address("desk@one.example")], &Author::house()).await.unwrap();
        let due = store.now().plus(Duration::from_hours(1));
        let later = mail.send_later(me, since, &new("sales@one.example").await, due).await.unwrap();
        store.remove_alias(&alias, None, &Author::house()).await.unwrap();
        writer.house.clock.advance(Duration::from_hours(1));
        mail.post_due().await.unwrap();
        assert_eq!(received().await, 1);
        let left = mail.later(me).await.unwrap();
        assert_eq!(left[0].refused.as_ref().map(|why| &*why.id), Some("mail-recipient-refused"));
        assert_eq!((left[0].uid, mail.later_counts(me).await.unwrap()), (later, (0, 1)));
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn contacts_are_brought_completed_from_and_taken_away() {
    on_both(|house| async move {
        let writer = Writer::of(house).await;
        let (mail, me) = (writer.mail(), &writer.me);
        let cards = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nN:Lee;Ann;;;\r\nFN:Ann Lee\r\nEMAIL:ann@x.example\r\nCATEGORIES:Chess\r\n\
            BDAY:20000101\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:4.0\r\nFN:Roe, Bob\r\nEMAIL:bob@y.example\r\nCATEGORIES:Chess\r\nEND:VCARD\r\n";
        assert_eq!(short(mail.import_contacts(me, "no card").await), "unfit: file mail-contacts-no-card");
        let imported = mail.import_contacts(me, cards).await.unwrap();
        assert_eq!((imported.kept, imported.left_out), (2, 0));
        let page = mail.contacts(me, "", "", 0).await.unwrap();
        assert_eq!((page.total, page.groups.clone()), (2, vec![("chess".to_owned(), 2)]));
        let ann = mail.contacts(me, "ann@", "", 0).await.unwrap().rows.remove(0);
        assert_eq!(ann.uid, "1");
        let (account, _) = me.account.clone().unwrap();
        let written_to = ["ann@x.example", "annie@z.example"].map(address);
        writer.house.store.note_written(account, &written_to).await.unwrap();
        assert_eq!(mail.completions(me, "ann").await.unwrap(), ["Ann Lee <ann@x.example>", "annie@z.example"]);
        let group = mail.completions(me, "Chess").await.unwrap();
        assert_eq!(group, ["Ann Lee <ann@x.example>, \"Roe, Bob\" <bob@y.example>"]);
        let bad = Card { addresses: vec!["ann".to_owned()], ..ann.clone() };
        assert_eq!(short(mail.keep_contact(me, bad).await), "unfit: addresses mail-bad-address");
        assert_eq!(short(mail.keep_contact(me, Card::default()).await), "unfit: name mail-contact-nobody");
        mail.keep_contact(me, Card { name: "Ann Roe".to_owned(), others: Vec::new(), ..ann }).await.unwrap();
        let file = mail.export_contacts(me, CardVersion::Three).await.unwrap();
        assert!(
            file.contains("FN:Ann Roe\r\n") && file.contains("BDAY:20000101\r\n"),
            "what isn't shown stays: {file}"
        );
        assert!(!file.contains("N:Lee;Ann"), "but for what says another name: {file}");
        assert_eq!(file.matches("BEGIN:VCARD").count(), 2);
        let other = writer.house.actor(Role::HelpDesk, true).await;
        assert_eq!(mail.contacts(&other, "", "", 0).await.unwrap().total, 0);
        assert_eq!(short(mail.remove_contact(&other, "1").await), "absent: mail-contact-gone");
        mail.remove_contact(me, "1").await.unwrap();
        assert_eq!(mail.contacts(me, "", "", 0).await.unwrap().total, 1);
        assert_eq!(writer.house.store.check().await.unwrap(), Vec::<String>::new());
    });
}
