//! docs/roles.md, line by line: each act as each role, with and without proof of who asks.

use std::fs;
use std::path::Path;

use relais_model::{MailboxName, ReversePath};
use relais_service::{
    ActivityWanted, Actor, AddressesWanted, AliasChange, DeletedWanted, DnsAccountChange, DnsPushForm, DnsWanted,
    DomainChange, DomainsWanted, Failure, JudgeWanted, ListChange, ListMembersForm, ListsWanted, MailFiled, MailboxOf,
    NewAlias, NewDomain, NewList, NewPerson, NewTeam, OwnChange, OwnListsWanted, Paging, Password, PatternTrial,
    PeopleWanted, PersonChange, Role, RulesOf, SenderLent, SenderRuleForm, SendsAs, Share, ShareLevel,
    SuppressedWanted, TeamChange, TeamMember, TeamsWanted,
};
use relais_store::{
    AuditFilter, Author, Grantee, HoldFacts, HoldReason, Lent, NewHeldPost, NewHold, NewMember, Page, Removal,
};

use crate::dns::new_account;
use crate::house::{House, address, domain};

#[tokio::test]
async fn the_matrix_is_kept() {
    let matrix = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/roles.md")).unwrap();
    let rows =
        matrix.lines().skip_while(|line| !line.starts_with("| act ")).skip(2).take_while(|line| line.starts_with('|'));
    let mut lines = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        for (role, expected) in Role::ALL.into_iter().zip(&cells[1..]) {
            for is_proven in [false, true] {
                if is_proven && *expected != "proof" {
                    continue;
                }
                let house = House::open().await;
                let before = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows.len();
                let actor = house.actor(role, is_proven).await;
                let found = match act(&house, &actor, cells[0]).await {
                    Ok(()) => "yes",
                    Err(Failure::Forbidden(_)) => "no",
                    Err(Failure::Unproven) => "proof",
                    Err(other) => panic!("{}, {role:?}: {other:?}", cells[0]),
                };
                let expected = if *expected == "proof" && is_proven { "yes" } else { *expected };
                assert_eq!(found, expected, "{}, {role:?}, proven: {is_proven}", cells[0]);
                let after = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows.len();
                let prepares = ["restore", "undo", "a person's held mail"].iter().any(|act| cells[0].contains(act));
                let prepares = usize::from(prepares);
                // A list, and who is on it.
                let is_of_list = cells[0].contains(" a list") && cells[0] != "add a list";
                let adds = match cells[0] {
                    "change an alias" | "remove an alias" => 1,
                    // The team.
                    "make a team" => 0,
                    of_team if of_team.contains(" a team") => 1,
                    _ => 2 * usize::from(is_of_list),
                };
                assert!(
                    found == "yes" || after == before + prepares + adds,
                    "{}: nothing is changed by who may not",
                    cells[0]
                );
            }
        }
        lines += 1;
    }
    assert!(lines > 25, "the table was read");
}

const FIRST: Paging = Paging { after: None, limit: 9 };

const UNKNOWN: &str = "the table has an act that no test knows";

/// Tries one act of the table; what it needs is there first. What one noun's function doesn't know is the next one's.
async fn act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    dns_act(house, actor, name).await
}

/// Who acts.
fn own(actor: &Actor) -> String {
    actor.account.as_ref().map(|(_, own)| own.to_string()).unwrap()
}

/// Somebody else.
fn person(actor: &Actor) -> &'static str {
    if own(actor) == "user@one.example" { "desk@one.example" } else { "user@one.example" }
}

/// To a user, other people aren't there.
fn others<T>(outcome: Result<T, Failure>, actor: &Actor) -> Result<(), Failure> {
    match outcome {
        Err(Failure::Absent(why)) if actor.role == Role::User => Err(Failure::Forbidden(why)),
        other => other.map(drop),
    }
}

async fn dns_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let dns = &house.service.dns;
    match name {
        "list the domains' DNS" => dns.list(actor, &DnsWanted::default()).await.map(drop),
        "show a domain's DNS" => dns.show(actor, "one.example").await.map(drop),
        "show the host's DNS" => dns.host(actor).await.map(drop),
        "check a domain's DNS" => dns.check(actor, Some("one.example")).await,
        "check the host's DNS" => dns.check(actor, None).await,
        "check all DNS" => dns.check_all(actor).await,
        "make new keys that sign" => dns.rotate_keys(actor, "one.example").await.map(drop),
        "take a domain's zone file" => dns.zone_file(actor, Some("one.example")).await.map(drop),
        "see how a domain's DNS turned" => dns.turns(actor, Some("one.example"), FIRST).await.map(drop),
        "list DNS providers" => dns.providers(actor).map(drop),
        "list accounts at DNS providers" => dns.accounts(actor, FIRST).await.map(drop),
        "list pushes of DNS records" => dns.pushes(actor, Some("one.example"), FIRST).await.map(drop),
        "add an account at a DNS provider" => dns.add_account(actor, new_account("one.example")).await.map(drop),
        _ => provider_act(house, actor, name).await,
    }
}

/// What needs an account at a provider, as there is none: who may is told so.
async fn provider_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (dns, form) = (&house.service.dns, DnsPushForm::default());
    let tried = match name {
        "change an account at a DNS provider" => {
            dns.change_account(actor, "1", DnsAccountChange::default()).await.map(drop)
        }
        "remove an account at a DNS provider" => dns.remove_account(actor, "1").await,
        "preview a push of DNS records" => dns.preview(actor, Some("one.example"), &form).await.map(drop),
        "push DNS records" => dns.push(actor, Some("one.example"), &form).await.map(drop),
        "put back what a push of DNS records changed" => dns.undo(actor, "1").await.map(drop),
        _ => return domain_act(house, actor, name).await,
    };
    match tried {
        Err(Failure::Absent(_) | Failure::Clash(_)) => Ok(()),
        other => other,
    }
}

async fn domain_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let domains = &house.service.domains;
    let change = |change| domains.change(actor, "one.example", change, None);
    let other = if actor.role == Role::Owner { "two.example" } else { "one.example" };
    match name {
        "list domains" => domains.list(actor, &DomainsWanted::default()).await.map(drop),
        "show a domain" => domains.show(actor, "one.example").await.map(drop),
        "add a domain" => {
            let new = NewDomain { domain: "new.example".to_owned(), ..NewDomain::default() };
            domains.create(actor, new).await.map(drop)
        }
        "change a domain" => {
            change(DomainChange { description: Some("x".into()), ..DomainChange::default() }).await.map(drop)
        }
        "limit a domain's people" => {
            change(DomainChange { max_people: Some(Some(9)), ..DomainChange::default() }).await.map(drop)
        }
        "say which tenant a domain is of" => {
            change(DomainChange { tenant: Some("one".into()), ..DomainChange::default() }).await.map(drop)
        }
        "disable a domain" => {
            let change = DomainChange { is_disabled: Some(true), ..DomainChange::default() };
            domains.change(actor, other, change, None).await.map(drop)
        }
        "give a domain another name" => domains.add_other_name(actor, "one.example", "o.example").await.map(drop),
        "remove a domain" => domains.remove(actor, other, None).await,
        "restore a domain" => {
            let gone = domain("two.example");
            house.store.remove_domain(&gone, Removal::WithContents, None, &Author::house()).await.unwrap();
            domains.restore(actor, "two.example").await.map(drop)
        }
        _ => person_act(house, actor, name).await,
    }
}

async fn person_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (people, person) = (&house.service.people, person(actor));
    let change = |change| people.change(actor, person, change, None);
    match name {
        "list people" => people.list(actor, &PeopleWanted::default()).await.map(drop),
        "show a person" => others(people.show(actor, person).await, actor),
        "show oneself" => people.show(actor, &own(actor)).await.map(drop),
        "change oneself" => {
            let change = OwnChange { theme: Some(Some("dark".into())), ..OwnChange::default() };
            people.change_own(actor, change, None).await.map(drop)
        }
        "add a person" => {
            let new: NewPerson = serde_json::from_str(r#"{"address": "new@one.example"}"#).unwrap();
            people.create(actor, new).await.map(drop)
        }
        "import people" => {
            let imported = people.import(actor, Password::new("address\nnew@one.example\n"), false).await?;
            assert_eq!(imported.added, ["new@one.example"]);
            Ok(())
        }
        "change a person" => change(PersonChange { name: Some("X".into()), ..PersonChange::default() }).await.map(drop),
        "suspend a person" => {
            change(PersonChange { is_suspended: Some(true), ..PersonChange::default() }).await.map(drop)
        }
        "make a domain admin" => {
            let (role, domains) = (Some(Role::DomainAdmin), Some(vec!["one.example".to_owned()]));
            change(PersonChange { role, domains, ..PersonChange::default() }).await.map(drop)
        }
        "make an owner" => change(PersonChange { role: Some(Role::Owner), ..PersonChange::default() }).await.map(drop),
        "remove a person" => people.remove(actor, person, None).await,
        "restore a person" => {
            house.store.remove_account(&address(person), None, &Author::house()).await.unwrap();
            people.restore(actor, person).await.map(drop)
        }
        _ => mail_act(house, actor, name).await,
    }
}

/// One's own mail, and what a person has: brought, taken out, deleted, sent, held.
async fn mail_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (service, person) = (&house.service, person(actor));
    match name {
        "bring one's own mail from another server" | "bring a person's mail from another server" => {
            let whose = if name.contains("own") { None } else { Some(person) };
            let form = serde_json::from_str(r#"{"host": "x.example", "user": "x", "password": "x"}"#).unwrap();
            match service.start_import(actor, whose, form).await {
                // This house reaches nobody.
                Err(Failure::Clash(_)) => Ok(()),
                other => other.map(drop),
            }
        }
        "file messages for a person" => {
            let row = b"{\"mailbox\":\"Old/Mail\",\"flags\":[\"\\\\Seen\"],\"copy\":1,\"size_octets\":8}\nA: b\r\n\r\n";
            assert_eq!(service.file_mail(actor, person, row).await?, MailFiled { filed: 1, already: 0 });
            assert_eq!(service.file_mail(actor, person, row).await?, MailFiled { filed: 0, already: 1 });
            Ok(())
        }
        "take one's own mail out" => service.take_mail(actor, None, None).await.map(drop),
        "take a person's mail out" => service.take_mail(actor, Some(person), None).await.map(drop),
        "see what a person deleted" => {
            others(service.deleted_mail(actor, person, &DeletedWanted::default()).await, actor)
        }
        "bring a person's deleted mail back" => {
            others(service.restore_mail(actor, person, &DeletedWanted::default()).await, actor)
        }
        "see what one sends oneself" => service.own_sending(actor).await.map(drop),
        "see what a person sends" => others(service.person_sending(actor, person).await, actor),
        "list held mail" => service.holds(actor, &FIRST).await.map(drop),
        "see a person's held mail" | "release a person's held mail" | "drop a person's held mail" => {
            let account = house.store.account(&address(person)).await.unwrap().unwrap().key;
            let facts = HoldFacts::default();
            house.store.raise_hold(NewHold { account, reason: HoldReason::Messages, facts, peer: None }).await.unwrap();
            match name {
                "see a person's held mail" => service.hold(actor, person).await.map(drop),
                "release a person's held mail" => service.release_hold(actor, person).await.map(drop),
                _ => service.drop_hold(actor, person).await.map(drop),
            }
        }
        _ => sender_act(house, actor, name).await,
    }
}

/// Who may send something here, and to whom the house sends.
async fn sender_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (service, rules) = (&house.service, RulesOf::Domain("one.example"));
    let rule = SenderRuleForm { sender: "news.example".to_owned(), is_allowed: true };
    match name {
        "test a message" => {
            let from = |text: &str| Some(text.to_owned());
            let (peer, sender) = (from("192.0.2.9"), from("a@b.example"));
            let wanted = JudgeWanted { recipient: person(actor).to_owned(), peer, sender, ..JudgeWanted::default() };
            match service.judge(actor, b"Subject: x\r\n\r\n", &wanted).await {
                // This house takes no mail in.
                Err(Failure::Clash(_)) => Ok(()),
                other => other.map(drop),
            }
        }
        "list a domain's senders" => service.sender_rules(actor, rules, None, &FIRST).await.map(drop),
        "let a sender in for a domain" => service.set_sender_rule(actor, rules, &rule).await.map(drop),
        "let a sender in for the house" => service.set_sender_rule(actor, RulesOf::House, &rule).await.map(drop),
        "list suppressed addresses" => service.suppressed(actor, &SuppressedWanted::default()).await.map(drop),
        "lift a suppressed address" => match service.remove_suppressed(actor, "x@else.example").await {
            Err(Failure::Absent(_)) => Ok(()),
            other => other,
        },
        _ => address_act(house, actor, name).await,
    }
}

async fn address_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (addresses, person) = (&house.service.addresses, person(actor));
    match name {
        "list addresses" => addresses.list(actor, &AddressesWanted::default()).await.map(drop),
        "try an address" => addresses.resolve(actor, person).await.map(drop),
        "try a pattern on a sample" => {
            let trial = PatternTrial { address: "x-*@one.example".into(), sample: "x-1".into() };
            addresses.try_pattern(actor, &trial).await.map(drop)
        }
        "add an alias" => {
            let (address, targets) = ("x@one.example".into(), vec![person.to_owned()]);
            addresses.create(actor, NewAlias { address, targets, ..NewAlias::default() }).await.map(drop)
        }
        "change an alias" | "remove an alias" => {
            let alias = address("x@one.example");
            house.store.add_alias(&alias, vec![address(person)], &Author::house()).await.unwrap();
            if name == "remove an alias" {
                return addresses.remove(actor, "x@one.example", None).await;
            }
            let change = AliasChange { targets: Some(vec!["y@else.example".into()]), ..AliasChange::default() };
            addresses.change(actor, "x@one.example", change, None).await.map(drop)
        }
        _ => sharing_act(house, actor, name).await,
    }
}

/// With somebody of another domain, who shares and lends.
async fn sharing_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (service, theirs) = (&house.service, MailboxOf::Account("user@one.example"));
    let with = || "far@two.example".to_owned();
    let share = Share { with: with(), level: Some(ShareLevel::Read), ..Share::default() };
    let lent = SenderLent { with: with(), sends: Some(SendsAs::OnBehalf), ..SenderLent::default() };
    match name {
        "share one's own mailbox" => service.share(actor, MailboxOf::Mine, "Archive", &share).await.map(drop),
        "share a person's mailbox" => service.share(actor, theirs, "Archive", &share).await.map(drop),
        "let somebody write from one's own address" => service.lend(actor, MailboxOf::Mine, &lent).await.map(drop),
        "let somebody write from a person's address" => service.lend(actor, theirs, &lent).await.map(drop),
        _ => team_act(house, actor, name).await,
    }
}

async fn team_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (teams, team) = (&house.service.teams, "x@one.example");
    match name {
        "list teams" => return teams.list(actor, &TeamsWanted::default()).await.map(drop),
        "make a team" => {
            return teams.create(actor, NewTeam { address: team.to_owned(), ..NewTeam::default() }).await.map(drop);
        }
        of_team if of_team.ends_with(" a team") => {}
        _ => return list_act(house, actor, name).await,
    }
    house.store.add_account(relais_store::NewAccount::team(address(team)), &Author::house()).await.unwrap();
    match name {
        "see who is in a team" => teams.members(actor, team).await.map(drop),
        "change a team" => {
            let change = TeamChange { name: Some("X".to_owned()), ..TeamChange::default() };
            teams.change(actor, team, change, None).await.map(drop)
        }
        "have somebody be in a team" => {
            let (with, level) = ("user@one.example".to_owned(), Some(ShareLevel::Read));
            teams.put_member(actor, team, &TeamMember { with, level, ..TeamMember::default() }).await.map(drop)
        }
        "take somebody out of a team" => teams.remove_member(actor, team, "user@one.example").await,
        "remove a team" => teams.remove(actor, team, None).await,
        other => panic!("{UNKNOWN}: {other}"),
    }
}

async fn list_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (lists, list, wanted, by) = (&house.service.lists, "x@one.example", ListsWanted::default(), Author::house());
    // Of a list that names the one who acts as its owner, the same acts.
    let (name, is_owner) = match name.strip_suffix(" that one looks after") {
        Some(name) => (name, true),
        None => (name, false),
    };
    match name {
        "list mailing lists" => return lists.list(actor, &wanted).await.map(drop),
        "list the lists that one is on" => return lists.own(actor, &OwnListsWanted::default()).await.map(drop),
        "add a list" => {
            return lists.create(actor, NewList { address: list.to_owned(), ..NewList::default() }).await.map(drop);
        }
        of_list if of_list.ends_with(" a list") || of_list == "see a list's posts that wait" => {}
        _ => return activity_act(house, actor, name).await,
    }
    let made = house.store.add_list(&address(list), relais_store::ListTerms::default(), &by).await.unwrap();
    let member = NewMember::reader(address("m@else.example"));
    let oneself = NewMember { is_owner, ..NewMember::reader(address(&own(actor))) };
    house.store.put_list_members(made.key, vec![member, oneself], &by).await.unwrap();
    match name {
        "see who is on a list" => lists.members(actor, list, &wanted).await.map(drop),
        "see a list's posts that wait" | "see the posts that wait of a list" => {
            lists.posts(actor, list, &wanted).await.map(drop)
        }
        "leave a list" => lists.leave_own(actor, list).await,
        "let larger messages through a list" => {
            let change = ListChange { max_octets: Some(10 * 1024 * 1024), ..ListChange::default() };
            lists.change(actor, list, change, None).await.map(drop)
        }
        "decide about a post of a list" => {
            let (author, subject) = ("x@else.example".to_owned(), "Hello".to_owned());
            let (trace, octets) = ("trace1".to_owned(), b"From: x@else.example\r\n\r\nHello\r\n".to_vec());
            let post = NewHeldPost { trace, author, subject, reverse_path: ReversePath::Null, octets };
            let post = house.store.hold_list_post(made.key, post).await.unwrap();
            lists.decide(actor, list, &post.post_id(), true).await
        }
        "undo the taking of somebody off a list" => {
            house.store.remove_list_member(made.key, &address("m@else.example"), &by).await.unwrap();
            undo_last(house, actor).await
        }
        "change a list" => lists.change(actor, list, ListChange::default(), None).await.map(drop),
        "add somebody to a list" => {
            let form = ListMembersForm { members: "a@else.example".into(), ..ListMembersForm::default() };
            lists.put_members(actor, list, &form).await.map(drop)
        }
        "take somebody off a list" => lists.remove_member(actor, list, "m@else.example").await,
        "take all addresses of a list" => lists.export(actor, list).await.map(drop),
        "remove a list" => lists.remove(actor, list, None).await,
        other => panic!("{UNKNOWN}: {other}"),
    }
}

async fn activity_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (activity, store, by) = (&house.service.activity, &house.store, Author::house());
    match name {
        "see the activity about oneself" => {
            let wanted = ActivityWanted { subject: Some(own(actor)), ..ActivityWanted::default() };
            let rows = activity.list(actor, &wanted).await?.rows;
            assert!(!rows.is_empty());
            return Ok(());
        }
        "undo a change of a person" => {
            let change = relais_store::AccountChange { is_suspended: Some(true), ..Default::default() };
            store.change_account(&address(person(actor)), change, None, &by).await.unwrap();
        }
        "undo a change of an alias" => {
            store.add_alias(&address("x@one.example"), vec![address(person(actor))], &by).await.unwrap();
        }
        "undo the adding of a domain" => {
            store.add_domain(&domain("new.example"), relais_store::DomainChange::default(), &by).await.unwrap();
        }
        "undo a share of one's own mailbox" => share_inbox(house, &own(actor)).await,
        "undo a share of a person's mailbox" => share_inbox(house, person(actor)).await,
        "undo a share of a team's mailbox" => {
            store.add_account(relais_store::NewAccount::team(address("x@one.example")), &by).await.unwrap();
            share_inbox(house, "x@one.example").await;
        }
        "undo the lending of one's own address" => lend(house, &own(actor)).await,
        "undo the lending of a person's address" => lend(house, person(actor)).await,
        other => panic!("{UNKNOWN}: {other}"),
    }
    undo_last(house, actor).await
}

async fn share_inbox(house: &House, of: &str) {
    let owner = house.store.account(&address(of)).await.unwrap().unwrap().key;
    let inbox = house.store.mailbox_key(owner, &MailboxName::inbox()).await.unwrap().unwrap();
    let rights = ShareLevel::Read.rights();
    house.store.change_rights(inbox, Grantee::Anyone, move |_| rights, &Author::house()).await.unwrap();
}

async fn lend(house: &House, of: &str) {
    let owner = house.store.account(&address(of)).await.unwrap().unwrap().key;
    house.store.lend(owner, Grantee::Anyone, Some(Lent::As), &Author::house()).await.unwrap();
}

/// Undoes what was done last.
async fn undo_last(house: &House, actor: &Actor) -> Result<(), Failure> {
    let entry = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows.swap_remove(0);
    match house.service.activity.undo(actor, &entry.key.entry_id()).await {
        // What isn't theirs to see isn't there for them.
        Err(Failure::Absent(why)) => Err(Failure::Forbidden(why)),
        other => other.map(drop),
    }
}
