//! docs/roles.md, line by line: each act as each role, with and without proof of who asks.

use std::fs;
use std::path::Path;

use relais_service::{
    ActivityWanted, Actor, AddressesWanted, AliasChange, DeletedWanted, DnsAccountChange, DnsPushForm, DnsWanted,
    DomainChange, DomainsWanted, Failure, JudgeWanted, ListChange, ListMembersForm, ListsWanted, MailFiled, MailboxOf,
    NewAlias, NewDomain, NewList, NewPerson, NewTeam, OwnChange, Paging, Password, PatternTrial, PeopleWanted,
    PersonChange, Role, RulesOf, SenderLent, SenderRuleForm, SendsAs, Share, ShareLevel, SuppressedWanted, TeamChange,
    TeamMember, TeamsWanted,
};
use relais_store::{AuditFilter, Author, HoldFacts, HoldReason, NewHold, Page, Removal};

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

/// What needs an account at a provider, as there is none: who may is told so.
async fn dns_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (dns, form) = (&house.service.dns, DnsPushForm::default());
    let tried = match name {
        "change an account at a DNS provider" => {
            dns.change_account(actor, "1", DnsAccountChange::default()).await.map(drop)
        }
        "remove an account at a DNS provider" => dns.remove_account(actor, "1").await,
        "preview a push of DNS records" => dns.preview(actor, Some("one.example"), &form).await.map(drop),
        "push DNS records" => dns.push(actor, Some("one.example"), &form).await.map(drop),
        "put back what a push of DNS records changed" => dns.undo(actor, "1").await.map(drop),
        other => panic!("{other}"),
    };
    match tried {
        Err(Failure::Absent(_) | Failure::Clash(_)) => Ok(()),
        other => other,
    }
}

fn share_with_far() -> Share {
    Share { with: "far@two.example".to_owned(), level: Some(ShareLevel::Read), ..Share::default() }
}

fn lent_to_far() -> SenderLent {
    SenderLent { with: "far@two.example".to_owned(), sends: Some(SendsAs::OnBehalf) }
}

async fn team_act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let teams = &house.service.teams;
    let team = "x@one.example";
    if name == "make a team" {
        return teams.create(actor, NewTeam { address: team.to_owned(), ..NewTeam::default() }).await.map(drop);
    }
    house.store.add_account(relais_store::NewAccount::team(address(team)), &Author::house()).await.unwrap();
    match name {
        "see who is in a team" => teams.members(actor, team).await.map(drop),
        "change a team" => {
            let change = TeamChange { name: Some("X".to_owned()), ..TeamChange::default() };
            teams.change(actor, team, change, None).await.map(drop)
        }
        "have somebody be in a team" => {
            let member = TeamMember {
                with: "user@one.example".to_owned(),
                level: Some(ShareLevel::Read),
                ..TeamMember::default()
            };
            teams.put_member(actor, team, &member).await.map(drop)
        }
        "take somebody out of a team" => teams.remove_member(actor, team, "user@one.example").await,
        "remove a team" => teams.remove(actor, team, None).await,
        other => panic!("{other}"),
    }
}

/// Tries one act of the table; what it needs is there first.
fn sender_rule() -> SenderRuleForm {
    SenderRuleForm { sender: "news.example".to_owned(), is_allowed: true }
}

async fn act(house: &House, actor: &Actor, name: &str) -> Result<(), Failure> {
    let (service, store, by) = (&house.service, &house.store, Author::house());
    let own = actor.account.as_ref().map(|(_, own)| own.to_string()).unwrap();
    let person = if own == "user@one.example" { "desk@one.example" } else { "user@one.example" };
    let change_domain = |change| service.domains.change(actor, "one.example", change, None);
    let change_person = |change| service.people.change(actor, person, change, None);
    let one = || vec!["one.example".to_owned()];
    let new_person: NewPerson = serde_json::from_str(r#"{"address": "new@one.example"}"#).unwrap();
    match name {
        "list the domains' DNS" => service.dns.list(actor, &DnsWanted::default()).await.map(drop),
        "show a domain's DNS" => service.dns.show(actor, "one.example").await.map(drop),
        "show the host's DNS" => service.dns.host(actor).await.map(drop),
        "check a domain's DNS" => service.dns.check(actor, Some("one.example")).await,
        "check the host's DNS" => service.dns.check(actor, None).await,
        "check all DNS" => service.dns.check_all(actor).await,
        "make new keys that sign" => service.dns.rotate_keys(actor, "one.example").await.map(drop),
        "take a domain's zone file" => service.dns.zone_file(actor, Some("one.example")).await.map(drop),
        "see how a domain's DNS turned" => service.dns.turns(actor, Some("one.example"), FIRST).await.map(drop),
        "list DNS providers" => service.dns.providers(actor).map(drop),
        "list accounts at DNS providers" => service.dns.accounts(actor, FIRST).await.map(drop),
        "list pushes of DNS records" => service.dns.pushes(actor, Some("one.example"), FIRST).await.map(drop),
        "add an account at a DNS provider" => {
            service.dns.add_account(actor, new_account("one.example")).await.map(drop)
        }
        name if name.ends_with("at a DNS provider")
            || name.contains("push of DNS records")
            || name == "push DNS records" =>
        {
            dns_act(house, actor, name).await
        }
        "test a message" => {
            let from = |text: &str| Some(text.to_owned());
            let (peer, sender) = (from("192.0.2.9"), from("a@b.example"));
            let wanted = JudgeWanted { recipient: person.to_owned(), peer, sender, ..JudgeWanted::default() };
            match service.judge(actor, b"Subject: x\r\n\r\n", &wanted).await {
                // This house takes no mail in.
                Err(Failure::Clash(_)) => Ok(()),
                other => other.map(drop),
            }
        }
        "list a domain's senders" => {
            service.sender_rules(actor, RulesOf::Domain("one.example"), None, &FIRST).await.map(drop)
        }
        "let a sender in for a domain" => {
            service.set_sender_rule(actor, RulesOf::Domain("one.example"), &sender_rule()).await.map(drop)
        }
        "let a sender in for the house" => {
            service.set_sender_rule(actor, RulesOf::House, &sender_rule()).await.map(drop)
        }
        "list domains" => service.domains.list(actor, &DomainsWanted::default()).await.map(drop),
        "show a domain" => service.domains.show(actor, "one.example").await.map(drop),
        "add a domain" => {
            let new = NewDomain { domain: "new.example".to_owned(), ..NewDomain::default() };
            service.domains.create(actor, new).await.map(drop)
        }
        "change a domain" => {
            change_domain(DomainChange { description: Some("x".into()), ..DomainChange::default() }).await.map(drop)
        }
        "limit a domain's people" => {
            change_domain(DomainChange { max_people: Some(Some(9)), ..DomainChange::default() }).await.map(drop)
        }
        "disable a domain" => {
            let change = DomainChange { is_disabled: Some(true), ..DomainChange::default() };
            let name = if actor.role == Role::Owner { "two.example" } else { "one.example" };
            service.domains.change(actor, name, change, None).await.map(drop)
        }
        "give a domain another name" => {
            service.domains.add_other_name(actor, "one.example", "o.example").await.map(drop)
        }
        "remove a domain" => {
            let name = if actor.role == Role::Owner { "two.example" } else { "one.example" };
            service.domains.remove(actor, name, None).await
        }
        "restore a domain" => {
            store.remove_domain(&domain("two.example"), Removal::WithContents, None, &by).await.unwrap();
            service.domains.restore(actor, "two.example").await.map(drop)
        }
        "list people" => service.people.list(actor, &PeopleWanted::default()).await.map(drop),
        "show a person" => match service.people.show(actor, person).await {
            // Others aren't there for a user.
            Err(Failure::Absent(why)) if actor.role == Role::User => Err(Failure::Forbidden(why)),
            other => other.map(drop),
        },
        "show oneself" => service.people.show(actor, &own).await.map(drop),
        "change oneself" => {
            let change = OwnChange { theme: Some(Some("dark".into())), ..OwnChange::default() };
            service.people.change_own(actor, change, None).await.map(drop)
        }
        "add a person" => service.people.create(actor, new_person).await.map(drop),
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
        "import people" => {
            let imported = service.people.import(actor, Password::new("address\nnew@one.example\n"), false).await?;
            assert_eq!(imported.added, ["new@one.example"]);
            Ok(())
        }
        "change a person" => {
            change_person(PersonChange { name: Some("X".into()), ..PersonChange::default() }).await.map(drop)
        }
        "suspend a person" => {
            change_person(PersonChange { is_suspended: Some(true), ..PersonChange::default() }).await.map(drop)
        }
        "make a domain admin" => {
            let change =
                PersonChange { role: Some(Role::DomainAdmin), domains: Some(one()), ..PersonChange::default() };
            change_person(change).await.map(drop)
        }
        "make an owner" => {
            change_person(PersonChange { role: Some(Role::Owner), ..PersonChange::default() }).await.map(drop)
        }
        "remove a person" => service.people.remove(actor, person, None).await,
        "restore a person" => {
            store.remove_account(&address(person), None, &by).await.unwrap();
            service.people.restore(actor, person).await.map(drop)
        }
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
            let account = store.account(&address(person)).await.unwrap().unwrap().key;
            let facts = HoldFacts::default();
            store.raise_hold(NewHold { account, reason: HoldReason::Messages, facts, peer: None }).await.unwrap();
            match name {
                "see a person's held mail" => service.hold(actor, person).await.map(drop),
                "release a person's held mail" => service.release_hold(actor, person).await.map(drop),
                _ => service.drop_hold(actor, person).await.map(drop),
            }
        }
        "list suppressed addresses" => service.suppressed(actor, &SuppressedWanted::default()).await.map(drop),
        "lift a suppressed address" => match service.remove_suppressed(actor, "x@else.example").await {
            Err(Failure::Absent(_)) => Ok(()),
            other => other,
        },
        "list addresses" => service.addresses.list(actor, &AddressesWanted::default()).await.map(drop),
        "try an address" => service.addresses.resolve(actor, person).await.map(drop),
        "add an alias" => {
            let new =
                NewAlias { address: "x@one.example".into(), targets: vec![person.to_owned()], ..NewAlias::default() };
            service.addresses.create(actor, new).await.map(drop)
        }
        "list teams" => service.teams.list(actor, &TeamsWanted::default()).await.map(drop),
        of_team @ ("make a team"
        | "see who is in a team"
        | "change a team"
        | "have somebody be in a team"
        | "take somebody out of a team"
        | "remove a team") => team_act(house, actor, of_team).await,
        "share one's own mailbox" => {
            service.share(actor, MailboxOf::Mine, "Archive", &share_with_far()).await.map(drop)
        }
        "share a person's mailbox" => {
            let of = MailboxOf::Account("user@one.example");
            service.share(actor, of, "Archive", &share_with_far()).await.map(drop)
        }
        "let somebody write from one's own address" => {
            service.lend(actor, MailboxOf::Mine, &lent_to_far()).await.map(drop)
        }
        "let somebody write from a person's address" => {
            service.lend(actor, MailboxOf::Account("user@one.example"), &lent_to_far()).await.map(drop)
        }
        "list mailing lists" => service.lists.list(actor, &ListsWanted::default()).await.map(drop),
        "add a list" => {
            let new = NewList { address: "x@one.example".into(), ..NewList::default() };
            service.lists.create(actor, new).await.map(drop)
        }
        of_list @ ("see who is on a list"
        | "see a list's posts that wait"
        | "change a list"
        | "add somebody to a list"
        | "take somebody off a list"
        | "take all addresses of a list"
        | "remove a list") => {
            let list =
                store.add_list(&address("x@one.example"), relais_store::ListTerms::default(), &by).await.unwrap();
            let member = relais_store::NewMember::reader(address("m@else.example"));
            store.put_list_members(list.key, vec![member], &by).await.unwrap();
            let (lists, name, wanted) = (&service.lists, "x@one.example", ListsWanted::default());
            match of_list {
                "see who is on a list" => lists.members(actor, name, &wanted).await.map(drop),
                "see a list's posts that wait" => lists.posts(actor, name, &wanted).await.map(drop),
                "change a list" => lists.change(actor, name, ListChange::default(), None).await.map(drop),
                "add somebody to a list" => {
                    let form = ListMembersForm { members: "a@else.example".into(), ..ListMembersForm::default() };
                    lists.put_members(actor, name, &form).await.map(drop)
                }
                "take somebody off a list" => lists.remove_member(actor, name, "m@else.example").await,
                "take all addresses of a list" => lists.export(actor, name).await.map(drop),
                _ => lists.remove(actor, name, None).await,
            }
        }
        "try a pattern on a sample" => {
            let trial = PatternTrial { address: "x-*@one.example".into(), sample: "x-1".into() };
            service.addresses.try_pattern(actor, &trial).await.map(drop)
        }
        "change an alias" | "remove an alias" => {
            store.add_alias(&address("x@one.example"), vec![address(person)], &by).await.unwrap();
            if name == "remove an alias" {
                return service.addresses.remove(actor, "x@one.example", None).await;
            }
            let change = AliasChange { targets: Some(vec!["y@else.example".into()]), ..AliasChange::default() };
            service.addresses.change(actor, "x@one.example", change, None).await.map(drop)
        }
        "see the activity about oneself" => {
            let wanted = ActivityWanted { subject: Some(own), ..ActivityWanted::default() };
            let rows = service.activity.list(actor, &wanted).await?.rows;
            assert!(!rows.is_empty());
            Ok(())
        }
        undoing => {
            match undoing {
                "undo a change of a person" => {
                    let change = relais_store::AccountChange { is_suspended: Some(true), ..Default::default() };
                    store.change_account(&address(person), change, None, &by).await.unwrap();
                }
                "undo a change of an alias" => {
                    store.add_alias(&address("x@one.example"), vec![address(person)], &by).await.unwrap();
                }
                "undo the adding of a domain" => {
                    store.add_domain(&domain("new.example"), relais_store::DomainChange::default(), &by).await.unwrap();
                }
                other => panic!("the table has an act that no test knows: {other}"),
            }
            let entry = store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows.swap_remove(0);
            match service.activity.undo(actor, &entry.key.entry_id()).await {
                // What isn't theirs to see isn't there for them.
                Err(Failure::Absent(why)) => Err(Failure::Forbidden(why)),
                other => other.map(drop),
            }
        }
    }
}

/// To a user, other people aren't there.
fn others<T>(outcome: Result<T, Failure>, actor: &Actor) -> Result<(), Failure> {
    match outcome {
        Err(Failure::Absent(why)) if actor.role == Role::User => Err(Failure::Forbidden(why)),
        other => other.map(drop),
    }
}
