//! Teams and shared mailboxes as people use them in a browser: who sees them, what each may do there, and in whose name one writes.

use std::sync::Arc;

use relais_model::{MailboxName, Rights, Uid, UidSet};
use relais_service::{
    Act, Actor, Chosen, DomainChange, Draft, Folder, ListWanted, MailWanted, MailboxOf, NewTeam, News, Paging, Place,
    Role, Search, SenderLent, SendsAs, Share, ShareLevel, TeamChange, TeamMember, TeamsWanted,
};
use relais_store::{Append, Content, MailboxKey};

use crate::house::{House, address, on_both, short};

const TEAM: &str = "sales@one.example";

/// A team, and user@one.example in it.
struct Team {
    house: Arc<House>,
    admin: Actor,
    user: Actor,
    desk: Actor,
}

impl Team {
    async fn of(house: Arc<House>) -> Self {
        let (admin, user) = (house.actor(Role::DomainAdmin, true).await, house.actor(Role::User, true).await);
        let desk = house.actor(Role::HelpDesk, true).await;
        let new = NewTeam { address: TEAM.to_owned(), name: "Sales".to_owned(), ..NewTeam::default() };
        house.service.teams.create(&admin, new).await.unwrap();
        Self { house, admin, user, desk }
    }

    async fn join(&self, with: &str, level: Option<ShareLevel>, sends: Option<SendsAs>) {
        let member = TeamMember { with: with.to_owned(), level, sends, ..TeamMember::default() };
        self.house.service.teams.put_member(&self.admin, TEAM, &member).await.unwrap();
    }

    async fn fill(&self, messages: usize) {
        for number in 1..=messages {
            self.put(&format!("From: p{number}@x.example\r\nTo: {TEAM}\r\nSubject: Offer {number}\r\n\r\nText\r\n"))
                .await;
        }
    }

    async fn put(&self, raw: &str) {
        let account = self.house.store.account(&address(TEAM)).await.unwrap().unwrap().key;
        let inbox = self.house.store.mailbox_key(account, &MailboxName::inbox()).await.unwrap().unwrap();
        let content = Content::prepare(raw.as_bytes().to_vec());
        let append = Append { content, flags: Vec::new(), internal_date: None };
        self.house.store.append(inbox, vec![append]).await.unwrap();
    }

    /// A shared mailbox of `who`, by its name.
    async fn shared(&self, who: &Actor, known_as: &str) -> Option<Folder> {
        let folders = self.house.service.mail.shared_folders(who).await.unwrap();
        folders.into_iter().find(|folder| folder.known_as() == known_as)
    }

    async fn inbox(&self, who: &Actor) -> Folder {
        self.shared(who, "Shared/sales/INBOX").await.unwrap()
    }

    async fn act(&self, who: &Actor, uids: &[u32], act: &Act) -> String {
        let inbox = self.inbox(who).await.id;
        let outcome = self.house.service.mail.act(who, &inbox, &Chosen::Messages(set(uids)), act).await;
        match outcome {
            Ok(done) => format!("{} {}", done.says.id, done.count),
            refused => short(refused),
        }
    }
}

fn set(uids: &[u32]) -> UidSet {
    uids.iter().filter_map(|uid| Uid::new(*uid)).collect()
}

/// Words for people are letters for IMAP, there and back.
#[test]
fn levels_are_rights() {
    let check = |level: ShareLevel, letters: &str| {
        let rights = Rights::parse(letters).unwrap();
        assert_eq!((level.rights(), ShareLevel::of(rights)), (rights, Some(level)), "{letters}");
    };
    check(ShareLevel::Read, "lrs");
    check(ShareLevel::Mark, "lrsw");
    check(ShareLevel::Write, "lrswikte");
    check(ShareLevel::Manage, "lrswipkxtea");
    for letters in ["", "l", "lrsa", "lrswi"] {
        assert_eq!(ShareLevel::of(Rights::parse(letters).unwrap()), None, "{letters}");
    }
}

/// Decision 59: who is of another tenant is answered as nobody is, whoever asks; only owners say who is of which.
#[test]
fn who_is_of_another_tenant_is_nobody() {
    on_both(|house| async move {
        let team = Team::of(Arc::clone(&house)).await;
        let service = &house.service;
        let owner = house.actor(Role::Owner, true).await;
        let of = |tenant: &str| DomainChange { tenant: Some(tenant.to_owned()), ..DomainChange::default() };
        assert_eq!(
            short(service.domains.change(&team.admin, "one.example", of("two"), None).await),
            "forbidden: failure-forbidden"
        );
        let moved = service.domains.change(&owner, "two.example", of(" two "), None).await.unwrap();
        assert_eq!(moved.tenant, "two");
        let tried = async |with: &str| {
            let with = with.to_owned();
            let share = Share { with: with.clone(), level: Some(ShareLevel::Read), ..Share::default() };
            let lent = SenderLent { with: with.clone(), sends: Some(SendsAs::As), ..SenderLent::default() };
            let member = TeamMember { with, level: Some(ShareLevel::Read), ..TeamMember::default() };
            [
                short(service.share(&team.user, MailboxOf::Mine, "INBOX", &share).await),
                short(service.share(&owner, MailboxOf::Account("user@one.example"), "INBOX", &share).await),
                short(service.lend(&team.user, MailboxOf::Mine, &lent).await),
                short(service.teams.put_member(&team.admin, TEAM, &member).await),
            ]
        };
        for with in ["far@two.example", "@two.example", "nobody@two.example", "@nowhere.example"] {
            assert_eq!(tried(with).await, ["unfit: with share-nobody"; 4], "{with}");
        }
        service.domains.change(&owner, "two.example", of(""), None).await.unwrap();
        assert_eq!(tried("far@two.example").await, ["done"; 4]);
        let told = async || {
            let shares = service.shares(&team.user, MailboxOf::Mine, "INBOX").await.unwrap();
            let senders = service.senders(&team.user, MailboxOf::Mine).await.unwrap();
            let members = service.teams.members(&team.admin, TEAM).await.unwrap();
            let shares = shares.into_iter().map(|share| (share.with, share.is_dormant));
            let senders = senders.into_iter().map(|sender| (sender.with, sender.is_dormant));
            let members = members.into_iter().map(|member| (member.with, member.is_dormant));
            shares.chain(senders).chain(members).collect::<Vec<_>>()
        };
        let far = |is_dormant: bool| vec![("far@two.example".to_owned(), is_dormant); 3];
        assert_eq!(told().await, far(false));
        service.domains.change(&owner, "two.example", of("two"), None).await.unwrap();
        assert_eq!(told().await, far(true), "whose it is is told what counts for nothing");
        assert_eq!(tried("far@two.example").await, ["unfit: with share-nobody"; 4], "it can't be given anew");
        // Who was given the right to say who sees it is told nothing: to them, nobody is there.
        let desk = Share { with: "desk@one.example".to_owned(), level: Some(ShareLevel::Manage), ..Share::default() };
        service.share(&team.user, MailboxOf::Mine, "INBOX", &desk).await.unwrap();
        let theirs = "Other Users/user@one.example/INBOX";
        let shares = service.shares(&team.desk, MailboxOf::Mine, theirs).await.unwrap();
        assert_eq!(shares.into_iter().map(|share| share.with).collect::<Vec<_>>(), ["desk@one.example"]);
        let end = Share { with: "far@two.example".to_owned(), ..Share::default() };
        assert_eq!(short(service.share(&team.desk, MailboxOf::Mine, theirs, &end).await), "unfit: with share-nobody");
        let gone = Share { with: "desk@one.example".to_owned(), ..Share::default() };
        service.share(&team.user, MailboxOf::Mine, "INBOX", &gone).await.unwrap();
        // Whose it is takes it back, each of the three; and then it is nobody's to take back.
        let withdrawn = SenderLent { with: "far@two.example".to_owned(), ..SenderLent::default() };
        service.share(&team.user, MailboxOf::Mine, "INBOX", &end).await.unwrap();
        service.lend(&team.user, MailboxOf::Mine, &withdrawn).await.unwrap();
        service.teams.remove_member(&team.admin, TEAM, "far@two.example").await.unwrap();
        assert!(told().await.is_empty());
        assert_eq!(short(service.share(&team.user, MailboxOf::Mine, "INBOX", &end).await), "unfit: with share-nobody");
        assert_eq!(short(service.lend(&team.user, MailboxOf::Mine, &withdrawn).await), "unfit: with share-nobody");
        service.domains.change(&owner, "two.example", of(""), None).await.unwrap();
        assert!(told().await.is_empty(), "nothing comes back with the tenant");
        // Out of a team, too, by saying that they may nothing.
        team.join("far@two.example", Some(ShareLevel::Read), Some(SendsAs::As)).await;
        service.domains.change(&owner, "two.example", of("two"), None).await.unwrap();
        team.join("far@two.example", None, None).await;
        assert!(told().await.is_empty());
    });
}

#[test]
fn a_team_is_made_and_kept_by_who_manages_its_domain() {
    on_both(|house| async move {
        let team = Team::of(house).await;
        let (teams, people) = (&team.house.service.teams, &team.house.service.people);
        let new = |text: &str| NewTeam { address: text.to_owned(), ..NewTeam::default() };
        assert_eq!(short(teams.create(&team.admin, new(TEAM)).await), "clash: address failure-address-taken");
        assert_eq!(
            short(teams.create(&team.admin, new("x@two.example")).await),
            "unfit: address failure-unknown-domain"
        );
        assert_eq!(short(teams.create(&team.user, new("x@one.example")).await), "forbidden: failure-forbidden");
        let listed = teams.list(&team.desk, &TeamsWanted::default()).await.unwrap().rows;
        assert_eq!(listed.iter().map(|team| team.address.as_str()).collect::<Vec<_>>(), [TEAM]);
        let persons = people.list(&team.admin, &relais_service::PeopleWanted::default()).await.unwrap().rows;
        assert!(persons.iter().all(|person| person.address != TEAM), "a team is nobody: {persons:?}");
        assert_eq!(short(teams.show(&team.admin, "user@one.example").await), "absent: failure-unknown-address");
        let change = TeamChange { name: Some("Verkauf".to_owned()), ..TeamChange::default() };
        assert_eq!(teams.change(&team.admin, TEAM, change, None).await.unwrap().name, "Verkauf");
        let rises =
            relais_service::PersonChange { role: Some(Role::HelpDesk), ..relais_service::PersonChange::default() };
        assert_eq!(short(people.change(&team.admin, TEAM, rises, None).await), "unfit: role team-no-role");

        team.join("user@one.example", Some(ShareLevel::Write), Some(SendsAs::As)).await;
        team.join("@one.example", Some(ShareLevel::Read), None).await;
        team.join("desk@one.example", None, Some(SendsAs::OnBehalf)).await;
        let members = teams.members(&team.desk, TEAM).await.unwrap();
        let told = |member: &TeamMember| (member.with.clone(), member.rights.clone(), member.sends);
        assert_eq!(
            members.iter().map(told).collect::<Vec<_>>(),
            [
                ("user@one.example".to_owned(), "lrswikte".to_owned(), Some(SendsAs::As)),
                ("@one.example".to_owned(), "lrs".to_owned(), None),
                ("desk@one.example".to_owned(), String::new(), Some(SendsAs::OnBehalf)),
            ]
        );
        let nobody = TeamMember { with: "x@one.example".to_owned(), ..TeamMember::default() };
        assert_eq!(short(teams.put_member(&team.admin, TEAM, &nobody).await), "unfit: with share-nobody");
        teams.remove_member(&team.admin, TEAM, "user@one.example").await.unwrap();
        teams.remove_member(&team.admin, TEAM, "@one.example").await.unwrap();
        assert!(team.house.service.mail.shared_folders(&team.user).await.unwrap().is_empty());
        teams.remove(&team.admin, TEAM, None).await.unwrap();
        assert_eq!(short(teams.show(&team.admin, TEAM).await), "absent: failure-unknown-address");
        assert_eq!(teams.restore(&team.admin, TEAM).await.unwrap().name, "Verkauf");
    });
}

/// Each level's acts, and what is refused: the buttons are one thing, the forms another.
#[test]
fn each_does_what_they_may_and_nothing_else() {
    on_both(|house| async move {
        let team = Team::of(house).await;
        team.fill(4).await;
        let folder = |place: &str| Act::Move(Place::Mailbox(place.to_owned()));
        let own = crate::mail::id(&team.house, &team.user, "Archive").await;
        let refused = "forbidden: mail-no-right";
        for (level, expected) in [
            (ShareLevel::Read, ["mail-done-read 1", refused, refused, refused, refused]),
            (ShareLevel::Mark, ["mail-done-read 1", "mail-done-star 1", refused, refused, refused]),
            (
                ShareLevel::Write,
                [
                    "mail-done-read 1",
                    "mail-done-star 1",
                    "mail-done-archived 1",
                    "mail-done-deleted 1",
                    "mail-done-moved 1",
                ],
            ),
        ] {
            team.join("user@one.example", Some(level), None).await;
            let acts = [Act::Read(true), Act::Star(true), Act::Move(Place::Archive), Act::Delete, folder(&own)];
            for (at, (act, expected)) in acts.iter().zip(expected).enumerate() {
                let uid = u32::try_from(at.saturating_sub(1)).unwrap() + 1;
                team.act(&team.user, &[uid], &Act::Read(false)).await;
                if matches!(act, Act::Star(true)) {
                    team.act(&team.user, &[uid], &Act::Star(false)).await;
                }
                assert_eq!(team.act(&team.user, &[uid], act).await, expected, "{level:?} {act:?}");
            }
        }
        let theirs = team.shared(&team.user, "Shared/sales/Archive").await.unwrap();
        assert_eq!((theirs.messages, team.shared(&team.user, "Shared/sales/Trash").await.unwrap().messages), (1, 1));
        let mail = &team.house.service.mail;
        let inbox = team.inbox(&team.user).await.id;
        let other = mail.list(&team.desk, &inbox, &ListWanted::default()).await;
        assert_eq!(short(other), "absent: mail-no-mailbox", "who has no right is told that there is nothing");
        let put = Act::Copy(Place::Mailbox(inbox.clone()));
        let desks = crate::mail::id(&team.house, &team.desk, "INBOX").await;
        let chosen = Chosen::Messages(set(&[1]));
        let put = mail.act(&team.desk, &desks, &chosen, &put).await;
        assert_eq!(short(put), "absent: mail-no-mailbox", "nor do they put anything there");
    });
}

/// What is read is each person's own; the count beside the mailbox says so.
#[test]
fn each_has_read_what_they_have_read() {
    on_both(|house| async move {
        let team = Team::of(house).await;
        team.fill(3).await;
        for who in ["user@one.example", "desk@one.example"] {
            team.join(who, Some(ShareLevel::Read), None).await;
        }
        let mail = &team.house.service.mail;
        let inbox = team.inbox(&team.user).await;
        assert_eq!((inbox.unseen, inbox.messages), (3, 3));
        let opened = mail.open(&team.user, &inbox.id, 2, true, true).await.unwrap();
        assert!(opened.flags.is_seen);
        assert_eq!((team.inbox(&team.user).await.unseen, team.inbox(&team.desk).await.unseen), (2, 3));
        let wanted = ListWanted { limit: 9, search: Search::parse("is:unread Offer"), ..ListWanted::default() };
        let uids = |page: relais_service::ListPage| page.rows.iter().map(|row| row.uid).collect::<Vec<_>>();
        let mut found = uids(mail.list(&team.user, &inbox.id, &wanted).await.unwrap());
        found.sort_unstable();
        assert_eq!(found, [1, 3], "search sees what this person has read");
        assert_eq!(uids(mail.list(&team.desk, &inbox.id, &wanted).await.unwrap()).len(), 3);
        let own = crate::mail::id(&team.house, &team.user, "INBOX").await;
        let elsewhere = mail.elsewhere(&team.user, &Search::parse("Offer").unwrap(), &own).await.unwrap();
        assert_eq!(
            elsewhere.iter().map(|one| (one.folder.known_as(), one.found)).collect::<Vec<_>>(),
            [("Shared/sales/INBOX", 3)]
        );
        let wanted = MailWanted { q: "is:unread Offer".to_owned(), ..MailWanted::default() };
        let page = mail.search(&team.user, &wanted, &Paging { after: None, limit: 9 }).await.unwrap();
        let mut found: Vec<_> = page.rows.iter().map(|row| (row.mailbox.as_str(), row.uid)).collect();
        found.sort_unstable();
        assert_eq!(found, [("Shared/sales/INBOX", 1), ("Shared/sales/INBOX", 3)], "and so do programs");
    });
}

/// What asks for a receipt is opened by each, and nobody is asked; what all of them find stays where it is.
#[test]
fn one_reader_does_not_speak_for_all() {
    on_both(|house| async move {
        let team = Team::of(house).await;
        let asks = format!(
            "From: p@x.example\r\nTo: {TEAM}\r\nDisposition-Notification-To: p@x.example\r\n\
             List-Unsubscribe: <https://x.example/off>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nSubject: Read?\r\n\r\nText\r\n"
        );
        team.put(&asks).await;
        for (who, level) in [("user@one.example", ShareLevel::Manage), ("desk@one.example", ShareLevel::Read)] {
            team.join(who, Some(level), None).await;
        }
        let (mail, inbox, now) = (&team.house.service.mail, team.inbox(&team.user).await.id, team.house.store.now());
        for who in [&team.user, &team.desk] {
            let opened = mail.open(who, &inbox, 1, false, false).await.unwrap();
            assert_eq!((&opened.receipt, opened.one_click()), (&None, None));
            assert_eq!(short(mail.answer_receipt(who, now, (&inbox, 1), None).await), "absent: mail-receipt-gone");
        }
        let tomorrow = Act::Snooze(now.plus(std::time::Duration::from_hours(24)));
        assert_eq!(team.act(&team.user, &[1], &tomorrow).await, "forbidden: mail-no-right");
        assert_eq!(team.inbox(&team.user).await.messages, 1);
    });
}

/// Between one's own mailboxes and others', there and back; and what is deleted is among what its owner deleted.
#[test]
fn moves_between_people_are_taken_back() {
    on_both(|house| async move {
        let team = Team::of(house).await;
        team.fill(2).await;
        team.join("user@one.example", Some(ShareLevel::Write), None).await;
        let (mail, user) = (&team.house.service.mail, &team.user);
        let inbox = team.inbox(user).await.id;
        let own = crate::mail::id(&team.house, user, "Archive").await;
        let chosen = Chosen::Messages(set(&[1]));
        let done = mail.act(user, &inbox, &chosen, &Act::Move(Place::Mailbox(own))).await.unwrap();
        assert_eq!(team.inbox(user).await.messages, 1);
        let undo = done.undo.unwrap();
        assert_eq!(short(mail.undo(&team.desk, &undo).await), "absent: mail-undo-gone", "it is of who did it");
        mail.undo(user, &undo).await.unwrap();
        assert_eq!(team.inbox(user).await.messages, 2);
        // Who lost the right meanwhile takes nothing back.
        let done = mail.act(user, &inbox, &Chosen::Messages(set(&[2])), &Act::Star(true)).await.unwrap();
        team.join("user@one.example", Some(ShareLevel::Read), None).await;
        assert_eq!(short(mail.undo(user, &done.undo.unwrap()).await), "forbidden: mail-no-right");
        // Rights to delete, and none in Trash: it goes at once, to be found by the owner alone.
        team.join("user@one.example", None, None).await;
        let share = Share { with: "user@one.example".to_owned(), rights: "lrte".to_owned(), ..Share::default() };
        let owner = team.house.actor(Role::Owner, true).await;
        team.house.service.share(&owner, MailboxOf::Account(TEAM), "INBOX", &share).await.unwrap();
        let own = mail.removed(user, None, None).await.unwrap().rows.len();
        assert_eq!(team.act(user, &[2], &Act::Delete).await, "mail-done-removed 1");
        assert_eq!(mail.removed(user, None, None).await.unwrap().rows.len(), own, "it is not among what they deleted");
        let all = relais_service::DeletedWanted::default();
        let back = team.house.service.restore_mail(&team.admin, TEAM, &all).await.unwrap().messages;
        assert!(back >= 1, "but among what the team did");
        assert_eq!(team.inbox(user).await.messages, 1 + back);
    });
}

/// Who hears of changes: those who may read, for as long as they may.
#[test]
fn news_of_a_team_are_heard_by_who_may_read() {
    on_both(|house| async move {
        let team = Team::of(house).await;
        team.join("user@one.example", Some(ShareLevel::Read), None).await;
        let mut news = team.house.service.mail.news(&team.user).await.unwrap();
        let inbox = team.inbox(&team.user).await.id;
        team.fill(1).await;
        let Some(News::Mailbox { id, arrived, .. }) = news.next().await else { panic!("missed") };
        assert_eq!((id, arrived), (inbox, 1));
        team.house.service.teams.remove_member(&team.admin, TEAM, "user@one.example").await.unwrap();
        team.fill(1).await;
        let own = MailboxKey::parse(&crate::mail::id(&team.house, &team.user, "INBOX").await).unwrap();
        let append = Append {
            content: Content::prepare(b"Subject: x\r\n\r\n".to_vec()),
            flags: Vec::new(),
            internal_date: None,
        };
        team.house.store.append(own, vec![append]).await.unwrap();
        let Some(News::Mailbox { id, .. }) = news.next().await else { panic!("missed") };
        assert_eq!(id, own.mailbox_id(), "of what is no longer shared nothing is heard");
    });
}

/// The identity is there without being made; on behalf of a team Sender says who wrote, and what comes back goes to them; both have a copy.
#[test]
fn one_writes_in_a_teams_name() {
    on_both(|house| async move {
        let team = Team::of(house).await;
        let (mail, user) = (&team.house.service.mail, &team.user);
        for (sends, level, sender, theirs) in [
            (SendsAs::OnBehalf, ShareLevel::Write, true, 1),
            (SendsAs::As, ShareLevel::Write, false, 2),
            (SendsAs::As, ShareLevel::Read, false, 2),
        ] {
            team.join("user@one.example", Some(level), Some(sends)).await;
            let identities = mail.identities(user).await.unwrap();
            let identity = identities.iter().find(|identity| identity.address == TEAM).unwrap();
            assert_eq!((identity.written(), identity.is_on_behalf), (format!("Sales <{TEAM}>"), sender));
            let draft = Draft {
                from: identity.written(),
                to: "desk@one.example".to_owned(),
                subject: format!("{sends:?}"),
                text: "Hello".to_owned(),
                ..Draft::default()
            };
            mail.send(user, team.house.store.now(), &draft, Vec::new()).await.unwrap();
            let inbox = crate::mail::id(&team.house, &team.desk, "INBOX").await;
            let wanted = ListWanted { limit: 1, ..ListWanted::default() };
            let newest = mail.list(&team.desk, &inbox, &wanted).await.unwrap().rows[0].uid;
            let raw = String::from_utf8(mail.raw(&team.desk, &inbox, newest).await.unwrap().octets).unwrap();
            assert!(raw.contains(&format!("\r\nFrom: Sales <{TEAM}>\r\n")), "{raw}");
            assert_eq!(raw.contains("\r\nSender: user@one.example\r\n"), sender, "{raw}");
            let path = if sender { "user@one.example" } else { TEAM };
            assert!(raw.contains(&format!("Return-Path: <{path}>\r\n")), "{raw}");
            let sent = team.shared(user, "Shared/sales/Sent").await.unwrap();
            assert_eq!(sent.messages, theirs, "where one may put something, the team has a copy");
        }
        team.join("user@one.example", Some(ShareLevel::Read), None).await;
        let draft = Draft { from: TEAM.to_owned(), to: "desk@one.example".to_owned(), ..Draft::default() };
        let refused = mail.send(user, team.house.store.now(), &draft, Vec::new()).await;
        assert_eq!(short(refused), "unfit: from mail-refused");
        let lent =
            SenderLent { with: "desk@one.example".to_owned(), sends: Some(SendsAs::As), ..SenderLent::default() };
        team.house.service.lend(user, MailboxOf::Mine, &lent).await.unwrap();
        let identities = mail.identities(&team.desk).await.unwrap();
        assert!(identities.iter().any(|identity| identity.address == "user@one.example" && identity.is_lent));
        let others = team.house.service.lend(&team.admin, MailboxOf::Account("user@one.example"), &lent).await;
        assert_eq!(short(others), "forbidden: failure-forbidden", "whose name it is says so, or an owner");
    });
}

/// One's own mailbox, in words and in letters; and one of a team's by who manages it.
#[test]
fn mailboxes_are_shared_by_whose_they_are() {
    on_both(|house| async move {
        let team = Team::of(house).await;
        let (service, user) = (&team.house.service, &team.user);
        let share = |with: &str, level: Option<ShareLevel>, rights: &str| Share {
            with: with.to_owned(),
            rights: rights.to_owned(),
            level,
            is_dormant: false,
        };
        let with_desk = share("desk@one.example", Some(ShareLevel::Mark), "");
        let told = service.share(user, MailboxOf::Mine, "Archive", &with_desk).await.unwrap();
        assert_eq!(told, [share("desk@one.example", Some(ShareLevel::Mark), "lrsw")]);
        let theirs = "Other Users/user@one.example/Archive";
        assert!(team.shared(&team.desk, theirs).await.is_some());
        for (with, level, rights, expected) in [
            ("nobody@one.example", None, "lr", "unfit: with share-nobody"),
            ("-desk@one.example", None, "lr", "unfit: with share-negative"),
            ("user@one.example", None, "lr", "unfit: with share-owner"),
            ("desk@one.example", None, "lrq", "unfit: rights share-rights"),
        ] {
            let refused = service.share(user, MailboxOf::Mine, "Archive", &share(with, level, rights)).await;
            assert_eq!(short(refused), expected, "{with} {rights}");
        }
        let on = service.share(&team.desk, MailboxOf::Mine, theirs, &share("anyone", Some(ShareLevel::Read), "")).await;
        assert_eq!(short(on), "forbidden: mail-no-right", "who reads doesn't share on");
        team.join("desk@one.example", Some(ShareLevel::Manage), None).await;
        let on = share("user@one.example", Some(ShareLevel::Read), "");
        service.share(&team.desk, MailboxOf::Mine, "Shared/sales/INBOX", &on).await.unwrap();
        assert!(team.shared(user, "Shared/sales/INBOX").await.is_some());
        service.share(user, MailboxOf::Mine, "Archive", &share("desk@one.example", None, "")).await.unwrap();
        assert!(team.shared(&team.desk, theirs).await.is_none());
    });
}
