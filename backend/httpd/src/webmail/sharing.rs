//! With whom mailboxes are shared, what others share, and who writes from one's own address.

use askama::Template;
use axum::extract::{Path, State};
use relais_model::{Rights, Timestamp};
use relais_service::{Failure, Folder, MailboxOf, Moment, SenderLent, SendsAs, Share, ShareLevel, Text};
use serde::Deserialize;

use super::shell::{Shell, title};
use crate::kit::{
    Choice, Complaints, Form, Frame, Oops, Person, Routes, again, done, grantee_words, level_choices, level_words,
    may_words, sends_choices, sends_words, shown,
};
use crate::panel::done_undoably_since;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::MAIL_SHARING, show)
        .post(path::MAIL_SENDERS, lend)
        .get(path::MAIL_FOLDER_SHARING, folder)
        .post(path::MAIL_FOLDER_SHARING, share)
}

/// The mailboxes that one shares, or may share; and who writes from one's own address.
#[derive(Debug, Template)]
#[template(path = "webmail/sharing.html")]
struct SharingPage {
    frame: Frame,
    shell: Shell,
    complaints: Complaints,
    /// The way to a mailbox's page, and its title.
    folders: Vec<(String, String)>,
    senders: Vec<Row>,
    form: SenderForm,
    ways: Vec<Choice>,
}

/// With whom one mailbox is shared.
#[derive(Debug, Template)]
#[template(path = "webmail/folder_sharing.html")]
struct FolderPage {
    frame: Frame,
    shell: Shell,
    complaints: Complaints,
    title: String,
    here: String,
    rows: Vec<Row>,
    form: ShareForm,
    levels: Vec<Choice>,
}

/// Somebody, and what they may.
#[derive(Debug, Clone)]
struct Row {
    with: String,
    /// The same as people read it.
    who: String,
    may: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ShareForm {
    with: String,
    /// A level's name; empty: no longer shared with them.
    level: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SenderForm {
    with: String,
    /// `on_behalf` or `as`; empty: not any more.
    sends: String,
}

fn row(frame: &Frame, share: &Share) -> Row {
    let may = may_words(frame, level_words(frame, share.level, &share.rights), share.is_dormant);
    Row { who: grantee_words(frame, &share.with), with: share.with.clone(), may }
}

fn titled(frame: &Frame, folder: &Folder) -> String {
    let title = title(frame, folder);
    folder.shared.as_ref().map_or_else(|| title.clone(), |by| format!("{} · {title}", by.title()))
}

fn way(id: &str) -> String {
    format!("{}/sharing", path::of(path::MAIL_FOLDERS, id))
}

/// One's own mailboxes, and those of others that one administers.
async fn administered(person: &Person, web: &Web) -> Result<Vec<Folder>, Failure> {
    let mail = &web.service().mail;
    let shared = mail.shared_folders(&person.actor).await?;
    let administered = shared.into_iter().filter(|folder| folder.rights.has(Rights::ADMINISTER));
    Ok(mail.folders(&person.actor).await?.into_iter().chain(administered).collect())
}

async fn page(person: &Person, web: &Web, form: SenderForm, complaints: Complaints) -> Result<SharingPage, Failure> {
    let frame = person.frame(web);
    let shell = Shell::of(web, &frame, &person.actor, "").await?;
    let folders = administered(person, web).await?;
    let senders = web.service().senders(&person.actor, MailboxOf::Mine).await?;
    let sender = |lent: SenderLent| {
        let may = lent.sends.map(|sends| sends_words(&frame, sends)).unwrap_or_default();
        let may = may_words(&frame, may, lent.is_dormant);
        Row { who: grantee_words(&frame, &lent.with), with: lent.with, may }
    };
    Ok(SharingPage {
        folders: folders.iter().map(|folder| (way(&folder.id), titled(&frame, folder))).collect(),
        senders: senders.into_iter().map(sender).collect(),
        ways: sends_choices(&frame, &form.sends),
        form,
        complaints,
        shell,
        frame,
    })
}

async fn show(person: Person, State(web): State<Web>) -> Oops {
    Ok(shown(&page(&person, &web, SenderForm::default(), Complaints::default()).await?))
}

async fn lend(person: Person, State(web): State<Web>, Form(form): Form<SenderForm>) -> Oops {
    let (with, sends) = (form.with.trim().to_owned(), SendsAs::parse(&form.sends));
    let wanted = SenderLent { with, sends, ..SenderLent::default() };
    let since = web.now();
    match web.service().lend(&person.actor, MailboxOf::Mine, &wanted).await {
        Ok(_) => {
            let says = if wanted.sends.is_some() { "share-lent" } else { "share-withdrawn" };
            changed(&web, &person, path::MAIL_SHARING, Text::new(says).with("with", wanted.with), since).await
        }
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web, form, complaints).await?))
        }
    }
}

/// What was changed of one's own since then, with the way to take it back.
async fn changed(web: &Web, person: &Person, there: &str, text: Text, since: Timestamp) -> Oops {
    let me = person.actor.own()?.1.to_string();
    Ok(done_undoably_since(web, &person.actor, there, text, (me.as_str(), Some(Moment(since)))).await)
}

/// A mailbox that one sees; whether one may say with whom it is shared, the service decides.
async fn found(person: &Person, web: &Web, id: &str) -> Result<Folder, Failure> {
    let mail = &web.service().mail;
    let shared = mail.shared_folders(&person.actor).await?;
    let mut all = mail.folders(&person.actor).await?.into_iter().chain(shared);
    all.find(|folder| folder.id == id).ok_or_else(|| Failure::Absent(Text::new("mail-no-mailbox")))
}

async fn folder_page(
    person: &Person,
    web: &Web,
    folder: &Folder,
    form: ShareForm,
    complaints: Complaints,
) -> Result<FolderPage, Failure> {
    let frame = person.frame(web);
    let shares = web.service().shares(&person.actor, MailboxOf::Mine, folder.known_as()).await?;
    let shell = Shell::of(web, &frame, &person.actor, "").await?;
    Ok(FolderPage {
        title: titled(&frame, folder),
        here: way(&folder.id),
        rows: shares.iter().map(|share| row(&frame, share)).collect(),
        levels: level_choices(&frame, &form.level),
        form,
        complaints,
        shell,
        frame,
    })
}

async fn folder(person: Person, State(web): State<Web>, Path(mailbox): Path<String>) -> Oops {
    let folder = found(&person, &web, &mailbox).await?;
    Ok(shown(&folder_page(&person, &web, &folder, ShareForm::default(), Complaints::default()).await?))
}

async fn share(
    person: Person,
    State(web): State<Web>,
    Path(mailbox): Path<String>,
    Form(form): Form<ShareForm>,
) -> Oops {
    let folder = found(&person, &web, &mailbox).await?;
    let level = ShareLevel::parse(&form.level);
    let wanted = Share { with: form.with.trim().to_owned(), level, ..Share::default() };
    let since = web.now();
    match web.service().share(&person.actor, MailboxOf::Mine, folder.known_as(), &wanted).await {
        Ok(_) => {
            let says = if level.is_some() { "share-done" } else { "share-ended" };
            let (there, text) = (way(&folder.id), Text::new(says).with("with", wanted.with));
            // Another's mailbox is taken back by whose it is.
            if folder.shared.is_some() {
                Ok(done(&there, text))
            } else {
                changed(&web, &person, &there, text, since).await
            }
        }
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&folder_page(&person, &web, &folder, form, complaints).await?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    fn wrong(frame: &Frame) -> Complaints {
        let why = Text::new("share-nobody").with("name", "x");
        Complaints::of(frame, Failure::unfit("with", why)).unwrap()
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let page = |senders: Vec<Row>, complaints| SharingPage {
                folders: vec![(way("F1"), frame.say("webmail-inbox"))],
                senders,
                ways: sends_choices(&frame, "as"),
                form: SenderForm { with: "x".to_owned(), sends: "as".to_owned() },
                complaints,
                shell: shell(&frame, ""),
                frame: frame.clone(),
            };
            let may = sends_words(&frame, SendsAs::OnBehalf);
            let ben = Row { with: "ben@x.example".to_owned(), who: "ben@x.example".to_owned(), may };
            vec![page(Vec::new(), Complaints::default()), page(vec![ben], wrong(&frame))]
        });
        draw(|frame: Frame| {
            let page = |rows: Vec<Row>, complaints| FolderPage {
                title: frame.say("webmail-inbox"),
                here: way("F1"),
                rows,
                levels: level_choices(&frame, "write"),
                form: ShareForm { with: "x".to_owned(), level: "write".to_owned() },
                complaints,
                shell: shell(&frame, ""),
                frame: frame.clone(),
            };
            let share = |with: &str, rights: &str, is_dormant: bool| {
                let rights = Rights::parse(rights).unwrap();
                let (with, level) = (with.to_owned(), ShareLevel::of(rights));
                row(&frame, &Share { with, rights: rights.letters(), level, is_dormant })
            };
            let rows = vec![
                share("ben@x.example", "lrs", false),
                share("anyone", "lrp", false),
                share("cat@y.example", "lrs", true),
            ];
            vec![page(Vec::new(), Complaints::default()), page(rows, wrong(&frame))]
        });
    }
}
