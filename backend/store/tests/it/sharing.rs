//! Mailboxes that others see: who may, what they do there, and what each has seen.

use relais_model::{Address, Domain, Rights, UidSet};
use relais_store::{
    AccountChange, AccountKey, AuditFilter, Author, ChangeError, DirectoryError, DomainChange, FlagChange, FlagOp,
    Grantee, Happened, Lent, MailboxKey, NewAccount, Page, Reach, Removal, Row, SharingError, Sight, Target,
};
use serde_json::{Value, json};

use crate::house::{DELETED, House, SEEN, append, delivery, keyword, message, name, on_both, set, uid};

fn letters(text: &str) -> Rights {
    Rights::parse(text).unwrap()
}

fn flags(op: FlagOp, flags: Vec<relais_model::Flag>) -> FlagChange {
    FlagChange { op, flags }
}

impl House {
    async fn share(&self, mailbox: MailboxKey, with: AccountKey, rights: &str) {
        let rights = letters(rights);
        let grantee = Grantee::Account(with);
        self.store.change_rights(mailbox, grantee, move |_| rights, &Author::house()).await.unwrap();
    }

    async fn team(&self, address: &str) -> AccountKey {
        let new = NewAccount::team(Address::parse(address).unwrap());
        self.store.add_account(new, &Author::house()).await.unwrap().key
    }

    async fn reach(&self, account: AccountKey, mailbox: MailboxKey) -> Reach {
        self.store.reach(account, mailbox).await.unwrap().unwrap()
    }

    async fn sight(&self, account: AccountKey, mailbox: MailboxKey) -> Sight {
        self.store.sight(account, mailbox).await.unwrap().unwrap()
    }

    /// What `account` has seen there: by a view that was kept true, and by one that is loaded anew.
    async fn seen(&self, account: AccountKey, mailbox: MailboxKey) -> String {
        seen(&self.sight(account, mailbox).await)
    }

    /// What the audit tells of these acts, before and after, the latest first.
    async fn noted(&self, act: &str) -> Vec<(Option<Value>, Option<Value>)> {
        let filter = AuditFilter { act: Some(act.to_owned()), ..AuditFilter::default() };
        let noted = self.store.audit(&filter, &Page::default()).await.unwrap().rows;
        noted.into_iter().map(|entry| (entry.before, entry.after)).collect()
    }

    async fn unseen(&self, account: AccountKey, mailbox: MailboxKey) -> u64 {
        self.store.shared_mailbox(account, mailbox).await.unwrap().unwrap().status.unseen
    }
}

fn seen(sight: &Sight) -> String {
    let is_seen = |row: &Row| sight.flags_of(row.flags).contains(&SEEN);
    sight.read(|rows| rows.iter().filter(is_seen).filter_map(|row| row.uid()).collect::<UidSet>()).to_string()
}

#[test]
fn rights_are_given_and_taken() {
    on_both(|house| async move {
        let (inbox, store, bert) = (house.inbox().await, &house.store, house.bert);
        let mut news = store.news();
        assert_eq!(store.rights(house.anna, inbox).await.unwrap(), Rights::ALL);
        assert_eq!(store.rights(bert, inbox).await.unwrap(), Rights::NONE);
        assert_eq!(store.reach(bert, inbox).await.unwrap(), None, "who has no right sees nothing");
        assert!(store.sight(bert, inbox).await.unwrap().is_none());
        assert!(store.shared_with(bert).await.unwrap().is_empty());
        house.share(inbox, bert, "lr").await;
        assert_eq!(news.try_recv().unwrap().what, Happened::Shared(Grantee::Account(bert)));
        let domain = store.account_by_key(bert).await.unwrap().unwrap().domain;
        let more = letters("si");
        let given = store.change_rights(inbox, Grantee::Domain(domain), move |_| more, &Author::house()).await.unwrap();
        assert_eq!(given, more);
        assert_eq!(store.rights(bert, inbox).await.unwrap(), letters("lrsi"), "the sum of what speaks of him");
        let names: Vec<String> = store.grants(inbox).await.unwrap().into_iter().map(|grant| grant.name).collect();
        assert_eq!(names, ["bert@house.example", "@house.example"]);
        let owner = store.change_rights(inbox, Grantee::Account(house.anna), |_| Rights::NONE, &Author::house()).await;
        assert!(matches!(owner, Err(SharingError::Owner)), "{owner:?}");
        let gone = MailboxKey::new(1);
        let gone = store.change_rights(gone, Grantee::Anyone, |_| Rights::ALL, &Author::house()).await;
        assert!(matches!(gone, Err(SharingError::NotFound)), "{gone:?}");
        house.share(inbox, bert, "").await;
        store.change_rights(inbox, Grantee::Domain(domain), |_| Rights::NONE, &Author::house()).await.unwrap();
        assert_eq!(store.rights(bert, inbox).await.unwrap(), Rights::NONE);
        // Who did what is written down, in names, the latest first.
        let told = |with: &str, rights: &str| {
            Some(json!({ "mailbox": "INBOX", "with": with, "rights": letters(rights).letters() }))
        };
        let (one, all) = ("bert@house.example", "@house.example");
        let expected = [
            (told(all, "si"), told(all, "")),
            (told(one, "lr"), told(one, "")),
            (told(all, ""), told(all, "si")),
            (told(one, ""), told(one, "lr")),
        ];
        assert_eq!(house.noted("mailbox.share").await, expected);
        house.check().await;
    });
}

#[test]
fn names_of_shared_mailboxes_lead_to_them() {
    on_both(|house| async move {
        let (store, bert) = (&house.store, house.bert);
        let team = house.team("sales@house.example").await;
        let offers = store.create_mailbox(team, &name("Offers"), None).await.unwrap().mailbox.key;
        house.share(offers, bert, "lrk").await;
        house.share(house.inbox().await, bert, "lr").await;
        let shared = store.shared_with(bert).await.unwrap();
        let names: Vec<String> = shared.iter().map(|mailbox| mailbox.name().unwrap().to_string()).collect();
        assert_eq!(names, ["Shared/sales/Offers", "Other Users/anna@house.example/INBOX"]);
        for mailbox in &shared {
            let whose = store.whose(bert, &mailbox.name().unwrap()).await.unwrap();
            assert_eq!(whose, (mailbox.status.mailbox.account, mailbox.status.mailbox.name.clone()));
        }
        let long = name("Shared/sales@house.example/Offers");
        assert_eq!(store.whose(bert, &long).await.unwrap(), (team, name("Offers")));
        for own in ["Shared/nobody/Offers", "Other Users/sales@house.example/Offers", "Shared/anna/INBOX", "Shared"] {
            assert_eq!(store.whose(bert, &name(own)).await.unwrap(), (bert, name(own)), "{own}");
        }
        // What somebody had before comes first.
        store.create_mailbox(bert, &name("Shared/sales/Offers"), None).await.unwrap();
        assert_eq!(store.whose(bert, &name("Shared/sales/Offers")).await.unwrap().0, bert);
        // RFC 4314 §4: what is made below it is shared as it is; what its owner makes beside it isn't.
        let below = store.create_mailbox(team, &name("Offers/2026"), None).await.unwrap().mailbox.key;
        assert_eq!(store.rights(bert, below).await.unwrap(), letters("lrk"));
        let beside = store.create_mailbox(team, &name("Beside"), None).await.unwrap().mailbox.key;
        assert_eq!(store.rights(bert, beside).await.unwrap(), Rights::NONE);
        let inbox = house.status(team, "INBOX").await.mailbox.key;
        house.share(inbox, bert, "lrk").await;
        let made = store.create_shared_mailbox(team, &name("By him")).await.unwrap().mailbox.key;
        assert_eq!(store.rights(bert, made).await.unwrap(), letters("lrk"));
        store.delete_mailbox(team, &name("Offers")).await.unwrap();
        store.rename_mailbox(team, &name("INBOX"), &name("Old")).await.unwrap();
        house.check().await;
    });
}

#[test]
fn nobody_logs_in_as_a_team() {
    on_both(|house| async move {
        let address = Address::parse("sales@house.example").unwrap();
        house.team("sales@house.example").await;
        let credential = house.store.credential(&address).await.unwrap().unwrap();
        assert!(credential.is_suspended && credential.hash.expose().is_empty());
        let hash = Some(relais_model::Secret::new("x"));
        let with_password =
            NewAccount { password_hash: hash, ..NewAccount::team(Address::parse("x@house.example").unwrap()) };
        assert!(house.store.add_account(with_password, &Author::house()).await.is_err());
        house.check().await;
    });
}

/// Each has seen what they have seen, however the view came to know it; and what changes has a new MODSEQ.
#[test]
fn seen_is_each_persons_own() {
    on_both(|house| async move {
        let (inbox, store, bert) = (house.inbox().await, &house.store, house.bert);
        house.fill(inbox, 0..6).await;
        house.share(inbox, bert, "lrs").await;
        let (anna, reach) = (house.reach(house.anna, inbox).await, house.reach(bert, inbox).await);
        store.store_flags(anna, set(&[(1, 2)]), flags(FlagOp::Add, vec![SEEN]), None).await.unwrap();
        let kept = house.sight(bert, inbox).await;
        let before = kept.highest_mod_seq();
        let stored = store.store_flags(reach, set(&[(2, 4)]), flags(FlagOp::Add, vec![SEEN]), None).await.unwrap();
        assert_eq!(stored.changed, set(&[(2, 4)]));
        assert!(stored.flipped.is_empty(), "they are no flags of the mailbox: {stored:?}");
        assert!(stored.mod_seq > before);
        assert_eq!(kept.changes_since(before, &set(&[(1, 6)])).flagged, set(&[(2, 4)]));
        assert_eq!((seen(&kept), house.seen(house.anna, inbox).await), ("2:4".to_owned(), "1:2".to_owned()));
        let again = store.store_flags(reach, set(&[(2, 3)]), flags(FlagOp::Add, vec![SEEN]), None).await.unwrap();
        assert!(again.changed.is_empty(), "what he has seen is seen: {again:?}");
        store.store_flags(reach, set(&[(3, 3)]), flags(FlagOp::Remove, vec![SEEN]), None).await.unwrap();
        store.store_flags(reach, set(&[(6, 6)]), flags(FlagOp::Replace, vec![SEEN]), None).await.unwrap();
        assert_eq!((seen(&kept), house.unseen(bert, inbox).await), ("2,4,6".to_owned(), 3));
        assert_eq!(house.status(house.anna, "INBOX").await.unseen, 4);
        // RFC 7162 §3.1.3.
        let since = Some(before);
        let late = store.store_flags(reach, set(&[(1, 2)]), flags(FlagOp::Remove, vec![SEEN]), since).await.unwrap();
        assert_eq!((late.changed, late.modified), (UidSet::new(), set(&[(2, 2)])));
        // The owner's change leaves his alone.
        store.store_flags(anna, set(&[(1, 6)]), flags(FlagOp::Remove, vec![SEEN]), None).await.unwrap();
        assert_eq!((seen(&kept), house.seen(house.anna, inbox).await), ("2,4,6".to_owned(), String::new()));
        store.store_flags(anna, set(&[(4, 4)]), flags(FlagOp::Add, vec![DELETED]), None).await.unwrap();
        store.expunge(anna, None).await.unwrap();
        assert_eq!((seen(&kept), house.unseen(bert, inbox).await), ("2,6".to_owned(), 3));
        drop(kept);
        house.check().await;
        let house = house.reopen().await;
        assert_eq!(house.seen(bert, inbox).await, "2,6", "the database says what the view said");
        house.check().await;
    });
}

/// RFC 4314 §4, as the writer keeps it for all who change mail.
#[test]
fn the_writer_keeps_rights() {
    on_both(|house| async move {
        let (inbox, store, bert) = (house.inbox().await, &house.store, house.bert);
        house.fill(inbox, 0..4).await;
        let own = house.status(bert, "Archive").await.mailbox.key;
        house.share(inbox, bert, "lr").await;
        let reach = house.reach(bert, inbox).await;
        let one = || set(&[(1, 1)]);
        for (op, flag) in [(FlagOp::Add, SEEN), (FlagOp::Remove, DELETED), (FlagOp::Replace, keyword("red"))] {
            let refused = store.store_flags(reach, one(), flags(op, vec![flag]), None).await;
            assert!(matches!(refused, Err(ChangeError::NoRight)), "{refused:?}");
        }
        assert!(matches!(store.append(reach, vec![append("x")]).await, Err(ChangeError::NoRight)));
        assert!(matches!(store.expunge(reach, None).await, Err(ChangeError::NoRight)));
        assert!(matches!(store.move_messages(reach, one(), own).await, Err(ChangeError::NoRight)));
        assert!(matches!(store.copy(own, one(), reach).await, Err(ChangeError::NoRight)));
        assert!(matches!(store.replace(reach, uid(1), own, append("x")).await, Err(ChangeError::NoRight)));
        assert_eq!(store.copy(reach, one(), own).await.unwrap().to, [uid(1)]);
        // Flags that may not be set are left as they are; the others change.
        house.share(inbox, bert, "lrti").await;
        let reach = house.reach(bert, inbox).await;
        store.store_flags(inbox, one(), flags(FlagOp::Replace, vec![SEEN, keyword("red")]), None).await.unwrap();
        let all = vec![SEEN, DELETED, keyword("blue")];
        store.store_flags(reach, one(), flags(FlagOp::Replace, all.clone()), None).await.unwrap();
        let view = store.view(inbox).await.unwrap().unwrap();
        let flags_of = |number| view.flags_of(view.read(|rows| rows.get(uid(number)).unwrap().flags));
        let (seen, red, deleted) = (flags_of(1).contains(&SEEN), flags_of(1).contains(&keyword("red")), DELETED);
        assert!(seen && red && flags_of(1).contains(&deleted) && flags_of(1).len() == 3, "{:?}", flags_of(1));
        let message = relais_store::Append { flags: all, ..append(&message(9)) };
        store.append(reach, vec![message]).await.unwrap();
        assert_eq!(flags_of(5), [DELETED]);
        assert_eq!(house.seen(bert, inbox).await, "", "he may not mark as seen");
        house.check().await;
    });
}

/// What is moved between accounts counts where it is, keeps what its mover has seen, and can be taken back by whom it left.
#[test]
fn messages_move_between_accounts() {
    on_both(|house| async move {
        let (inbox, store, bert) = (house.inbox().await, &house.store, house.bert);
        house.fill(inbox, 0..3).await;
        let own = house.status(bert, "INBOX").await.mailbox.key;
        house.share(inbox, bert, "lrswite").await;
        let reach = house.reach(bert, inbox).await;
        store.store_flags(inbox, set(&[(1, 1)]), flags(FlagOp::Add, vec![SEEN, keyword("red")]), None).await.unwrap();
        store.store_flags(reach, set(&[(2, 2)]), flags(FlagOp::Add, vec![SEEN]), None).await.unwrap();
        let moved = store.move_messages(reach, set(&[(1, 2)]), own).await.unwrap();
        assert_eq!((moved.from.len(), moved.to.len()), (2, 2));
        assert_eq!(house.seen(bert, own).await, "2", "what he had seen, and not what she had");
        assert_eq!(store.quota(house.anna).await.unwrap().unwrap().used_messages, 1);
        assert_eq!(store.quota(bert).await.unwrap().unwrap().used_messages, 2);
        let removed = store.removed_messages(house.anna, &Page::default()).await.unwrap().rows;
        assert_eq!(removed.len(), 2, "to the account that they left they are deleted");
        let back = store.move_messages(own, set(&[(1, 2)]), reach).await.unwrap();
        assert_eq!(back.to, [uid(4), uid(5)]);
        assert_eq!((house.seen(bert, inbox).await, house.seen(house.anna, inbox).await), ("5".into(), String::new()));
        assert_eq!(store.quota(bert).await.unwrap().unwrap().used_messages, 0);
        let seen = relais_store::Append { flags: vec![SEEN], ..append(&message(7)) };
        store.append(reach, vec![seen]).await.unwrap();
        assert_eq!(house.seen(bert, inbox).await, "5:6");
        assert_eq!(house.unseen(bert, inbox).await, 2);
        house.check().await;
    });
}

/// Rights, and what somebody has seen, go with the mailbox and with the person.
#[test]
fn nothing_is_left_of_who_goes() {
    on_both(|house| async move {
        let (store, bert) = (&house.store, house.bert);
        let team = house.team("sales@house.example").await;
        let inbox = house.status(team, "INBOX").await.mailbox.key;
        let offers = store.create_mailbox(team, &name("Offers"), None).await.unwrap().mailbox.key;
        for mailbox in [inbox, offers] {
            house.fill(mailbox, 0..3).await;
            for person in [bert, house.anna] {
                house.share(mailbox, person, "lrs").await;
                let reach = house.reach(person, mailbox).await;
                store.store_flags(reach, set(&[(1, 2)]), flags(FlagOp::Add, vec![SEEN]), None).await.unwrap();
            }
        }
        store.delete_mailbox(team, &name("Offers")).await.unwrap();
        house.check().await;
        let remove = |text: &str| {
            let address = Address::parse(text).unwrap();
            async move { store.remove_account(&address, None, &Author::house()).await.unwrap() }
        };
        remove("bert@house.example").await;
        house.purge().await;
        house.check().await;
        assert_eq!(store.grants(inbox).await.unwrap().len(), 1);
        remove("sales@house.example").await;
        assert_eq!(store.rights(house.anna, inbox).await.unwrap(), Rights::NONE, "who is removed shares nothing");
        assert!(store.shared_with(house.anna).await.unwrap().is_empty());
        house.purge().await;
        house.check().await;
    });
}

/// A session learns that its rights are others.
#[test]
fn who_looks_hears_of_changed_rights() {
    on_both(|house| async move {
        let (inbox, store, bert) = (house.inbox().await, &house.store, house.bert);
        house.share(inbox, bert, "lr").await;
        let mut sight = house.sight(bert, inbox).await;
        let mut told = sight.subscribe();
        told.mark_unchanged();
        assert!(!sight.is_stale());
        house.share(inbox, bert, "l").await;
        assert!(told.has_changed().unwrap() && sight.is_stale());
        store.look_again(&mut sight).await.unwrap();
        assert_eq!((sight.rights(), sight.is_stale()), (letters("l"), false));
        house.check().await;
    });
}

/// Each change of rights is in the activity, where other nodes find it; each tells it once, however often it looks.
#[test]
fn rights_that_change_at_one_node_are_heard_at_the_others() {
    on_both(|house| async move {
        let (inbox, store, bert, by) = (house.inbox().await, &house.store, house.bert, Author::house());
        let anna = Address::parse("anna@house.example").unwrap();
        house.share(inbox, bert, "lr").await;
        store.hear_rights().await.unwrap();
        let Some(other) = house.other_node().await else { return house.check().await };
        other.hear_rights().await.unwrap();
        let mut sight = other.sight(bert, inbox).await.unwrap().unwrap();
        let mut news = other.news();
        for (what, has) in
            [("less", "l"), ("nothing", ""), ("again", "lr"), ("its owner goes", ""), ("its owner is back", "lr")]
        {
            match what {
                "its owner goes" => store.remove_account(&anna, None, &by).await.unwrap(),
                "its owner is back" => store.restore_account(&anna, &by).await.unwrap(),
                _ => house.share(inbox, bert, has).await,
            }
            let mut told = sight.subscribe();
            told.mark_unchanged();
            assert!(!sight.is_stale(), "nobody has said it: {what}");
            other.hear_rights().await.unwrap();
            assert!(told.has_changed().unwrap() && sight.is_stale(), "{what}");
            other.look_again(&mut sight).await.unwrap();
            assert_eq!(sight.rights(), letters(has), "{what}");
            let heard = news.try_recv().unwrap();
            assert_eq!((heard.account, heard.what), (house.anna, Happened::Shared(Grantee::Account(bert))), "{what}");
            other.hear_rights().await.unwrap();
            assert!(!sight.is_stale() && news.try_recv().is_err(), "told once: {what}");
        }
        store.remove_domain(&anna.domain, Removal::WithContents, None, &by).await.unwrap();
        other.hear_rights().await.unwrap();
        other.look_again(&mut sight).await.unwrap();
        assert_eq!(sight.rights(), Rights::NONE, "its domain goes");
        store.restore_domain(&anna.domain, &by).await.unwrap();
        other.hear_rights().await.unwrap();
        other.look_again(&mut sight).await.unwrap();
        assert_eq!(sight.rights(), letters("lr"), "its domain is back");
        other.close().await;
        house.check().await;
    });
}

/// Owners that are removed share nothing, with those who look at this moment neither.
#[test]
fn who_looks_hears_that_the_owner_is_gone() {
    on_both(|house| async move {
        let (store, bert, mut news) = (&house.store, house.bert, house.store.news());
        let (address, by) = (Address::parse("sales@house.example").unwrap(), Author::house());
        let team = house.team("sales@house.example").await;
        let inbox = house.status(team, "INBOX").await.mailbox.key;
        house.share(inbox, bert, "lr").await;
        for what in ["the account", "its domain", "the account, as what is undone"] {
            let mut sight = house.sight(bert, inbox).await;
            let mut told = sight.subscribe();
            told.mark_unchanged();
            match what {
                "its domain" => store.remove_domain(&address.domain, Removal::WithContents, None, &by).await.unwrap(),
                "the account" => store.remove_account(&address, None, &by).await.unwrap(),
                _ => {
                    let filter = AuditFilter { act: Some("person.restore".to_owned()), ..AuditFilter::default() };
                    let restored = store.audit(&filter, &Page::default()).await.unwrap().rows;
                    store.undo(restored.first().unwrap().key, &by).await.unwrap();
                }
            }
            assert!(told.has_changed().unwrap() && sight.is_stale(), "{what}");
            store.look_again(&mut sight).await.unwrap();
            assert_eq!((sight.rights(), sight.is_stale()), (Rights::NONE, false), "{what}");
            match what {
                "its domain" => store.restore_domain(&address.domain, &by).await.unwrap(),
                _ => store.restore_account(&address, &by).await.unwrap(),
            }
            house.check().await;
        }
        let mut heard = 0;
        while let Ok(one) = news.try_recv() {
            assert_eq!((one.account, one.what), (team, Happened::Shared(Grantee::Account(bert))));
            heard += 1;
        }
        assert_eq!(heard, 4, "with whom it is shared, that it is; that its owner is gone; twice that they are back");
    });
}

/// Decision 59: who is of another tenant is nobody; and what was shared before a domain came to another one counts no longer, until it is back.
#[test]
fn nothing_is_shared_across_tenants() {
    on_both(|house| async move {
        let (inbox, store, anna, bert, by) =
            (house.inbox().await, &house.store, house.anna, house.bert, Author::house());
        let there = Domain::parse("there.example").unwrap();
        let of = |tenant: &str| DomainChange { tenant: Some(tenant.to_owned()), ..DomainChange::default() };
        let there_key = store.add_domain(&there, of("there"), &by).await.unwrap();
        let new = NewAccount::user(Address::parse("carl@there.example").unwrap());
        let carl = store.add_account(new, &by).await.unwrap().key;
        let named = async |text: &str| store.grantee(anna, text).await.unwrap();
        for text in ["carl@there.example", "@there.example", "nobody@there.example", "@nowhere.example"] {
            assert_eq!(named(text).await, None, "{text}");
        }
        assert_eq!(named("bert").await, Some(Grantee::Account(bert)));
        let annas = Address::parse("anna@house.example").unwrap();
        // Rights, mailboxes shown, whether one may be acted on, addresses lent, and whether one writes from anna's.
        let may = async |who: AccountKey| {
            let shown = store.shared_with(who).await.unwrap().len();
            let is_in_reach = store.reach(who, inbox).await.unwrap().is_some();
            let lent = store.lent_to(who).await.unwrap().len();
            let sends = store.sends_as(who, &annas).await.unwrap().is_some();
            (store.rights(who, inbox).await.unwrap().letters(), shown, is_in_reach, lent, sends)
        };
        let nothing = || (String::new(), 0, false, 0, false);
        let give = async |grantee: Grantee, rights: &str| {
            let rights = letters(rights);
            store.change_rights(inbox, grantee, move |_| rights, &by).await.unwrap();
            store.lend(anna, grantee, Some(Lent::As), &by).await.unwrap();
        };
        give(Grantee::Anyone, "lr").await;
        assert_eq!(may(bert).await, ("lr".to_owned(), 1, true, 1, true));
        assert_eq!(may(carl).await, nothing(), "anyone is anyone of anna's tenant");
        store.change_domain(&there, of(""), None, &by).await.unwrap();
        assert_eq!(named("carl@there.example").await, Some(Grantee::Account(carl)));
        assert_eq!(named("@there.example").await, Some(Grantee::Domain(there_key)));
        give(Grantee::Account(carl), "s").await;
        give(Grantee::Domain(there_key), "w").await;
        let all = || ("lrsw".to_owned(), 1, true, 1, true);
        assert_eq!(may(carl).await, all());
        let told = async || {
            let grants = store.grants(inbox).await.unwrap().into_iter().map(|grant| grant.name);
            let borrowers = store.borrowers(anna).await.unwrap().into_iter().map(|borrower| borrower.name);
            (grants.collect::<Vec<_>>().join(" "), borrowers.collect::<Vec<_>>().join(" "))
        };
        let mut sight = house.sight(carl, inbox).await;
        store.change_domain(&there, of("there"), None, &by).await.unwrap();
        assert!(sight.is_stale(), "who looks hears of it");
        store.look_again(&mut sight).await.unwrap();
        assert_eq!((sight.rights(), may(carl).await), (Rights::NONE, nothing()));
        assert_eq!(told().await, ("anyone".to_owned(), "anyone".to_owned()), "what doesn't count isn't told");
        let dormant = async || {
            let grants = store.dormant_grants(inbox).await.unwrap().into_iter().map(|grant| grant.name);
            let borrowers = store.dormant_borrowers(anna).await.unwrap().into_iter().map(|borrower| borrower.name);
            (grants.collect::<Vec<_>>().join(" "), borrowers.collect::<Vec<_>>().join(" "))
        };
        let crossing = "carl@there.example @there.example".to_owned();
        assert_eq!(dormant().await, (crossing.clone(), crossing), "but to whose it is");
        let noted = store.audit(&AuditFilter::default(), &Page::default()).await.unwrap();
        store.undo(noted.rows.first().unwrap().key, &by).await.unwrap();
        assert_eq!(may(carl).await, all(), "it was a slip");
        let rows = "carl@there.example @there.example anyone".to_owned();
        assert_eq!(told().await, (rows.clone(), rows));
        assert_eq!(dormant().await, (String::new(), String::new()));
        house.check().await;
    });
}

/// Giving and taking back, of rights as of an address, are undone where nothing came after, and undone again.
#[test]
fn sharing_and_lending_are_undone() {
    on_both(|house| async move {
        let (inbox, store, bert, anna, by) =
            (house.inbox().await, &house.store, house.bert, house.anna, Author::house());
        let last = || async {
            let noted = store.audit(&AuditFilter::default(), &Page::default()).await.unwrap();
            noted.rows.first().unwrap().key
        };
        house.share(inbox, bert, "lr").await;
        let mut sight = house.sight(bert, inbox).await;
        let (given, mut news) = (last().await, store.news());
        store.undo(given, &by).await.unwrap();
        assert_eq!(news.try_recv().unwrap().what, Happened::Shared(Grantee::Account(bert)), "he hears of it");
        assert!(sight.is_stale(), "and who looks looks no longer");
        store.look_again(&mut sight).await.unwrap();
        assert_eq!((sight.rights(), store.rights(bert, inbox).await.unwrap()), (Rights::NONE, Rights::NONE));
        let undoing = last().await;
        assert_eq!(store.audit_entry(undoing).await.unwrap().unwrap().undoes, Some(given));
        store.undo(undoing, &by).await.unwrap();
        assert_eq!(store.rights(bert, inbox).await.unwrap(), letters("lr"), "what undoes is undone, too");
        // Changed since.
        house.share(inbox, bert, "lrs").await;
        let more = last().await;
        house.share(inbox, bert, "").await;
        let taken = last().await;
        let changed = store.undo(more, &by).await;
        assert!(matches!(&changed, Err(DirectoryError::ChangedSince(what)) if what == &["rights"]), "{changed:?}");
        store.undo(taken, &by).await.unwrap();
        assert_eq!(store.rights(bert, inbox).await.unwrap(), letters("lrs"), "taking back is undone");
        // Another mailbox under the same name isn't the one that it was about.
        let own = store.create_mailbox(anna, &name("Plans"), None).await.unwrap().mailbox.key;
        house.share(own, bert, "lr").await;
        house.share(own, bert, "").await;
        let taken = last().await;
        store.delete_mailbox(anna, &name("Plans")).await.unwrap();
        let other = store.create_mailbox(anna, &name("Plans"), None).await.unwrap().mailbox.key;
        let changed = store.undo(taken, &by).await;
        assert!(matches!(&changed, Err(DirectoryError::ChangedSince(what)) if what == &["mailbox"]), "{changed:?}");
        assert_eq!(store.rights(bert, other).await.unwrap(), Rights::NONE);
        // An address.
        let address = Address::parse("anna@house.example").unwrap();
        let sends = || async { store.sends_as(bert, &address).await.unwrap() };
        store.lend(anna, Grantee::Account(bert), Some(Lent::OnBehalf), &by).await.unwrap();
        let lent = last().await;
        store.undo(lent, &by).await.unwrap();
        assert_eq!(sends().await, None);
        store.undo(last().await, &by).await.unwrap();
        assert_eq!(sends().await, Some(Lent::OnBehalf));
        store.lend(anna, Grantee::Account(bert), Some(Lent::As), &by).await.unwrap();
        let widened = last().await;
        store.lend(anna, Grantee::Account(bert), None, &by).await.unwrap();
        let taken = last().await;
        let changed = store.undo(widened, &by).await;
        assert!(matches!(&changed, Err(DirectoryError::ChangedSince(what)) if what == &["how"]), "{changed:?}");
        store.undo(taken, &by).await.unwrap();
        assert_eq!(sends().await, Some(Lent::As));
        house.check().await;
    });
}

/// RFC 5322 §3.6.2: whoever writes from another's address does it on their behalf, or as they. Of several rows the widest counts; aliases that lead
/// to what is lent are lent with it, others' never.
#[test]
fn addresses_are_lent() {
    on_both(|house| async move {
        let (store, bert, anna) = (&house.store, house.bert, house.anna);
        let team = house.team("sales@house.example").await;
        let alias = |name: &str, target: &str| {
            let (name, target) = (Address::parse(name).unwrap(), Address::parse(target).unwrap());
            async move { store.add_alias(&name, vec![target], &Author::house()).await.unwrap() }
        };
        alias("offers@house.example", "sales@house.example").await;
        let lend = |grantee, how| async move { store.lend(team, grantee, how, &Author::house()).await.unwrap() };
        let sends = |who: AccountKey, text: &'static str| async move {
            let address = Address::parse(text).unwrap();
            let how = store.sends_as(who, &address).await.unwrap();
            assert_eq!(store.may_send_as(who, &address).await.unwrap(), how == Some(Lent::As), "{text}");
            how
        };
        assert_eq!(sends(bert, "sales@house.example").await, None);
        assert_eq!(sends(bert, "bert@house.example").await, Some(Lent::As));
        let domain = store.account_by_key(bert).await.unwrap().unwrap().domain;
        lend(Grantee::Domain(domain), Some(Lent::OnBehalf)).await;
        lend(Grantee::Account(bert), Some(Lent::As)).await;
        for (account, text, expected) in [
            (bert, "sales@house.example", Some(Lent::As)),
            (bert, "Sales+more@house.example", Some(Lent::As)),
            (bert, "offers@house.example", Some(Lent::As)),
            (anna, "sales@house.example", Some(Lent::OnBehalf)),
            (anna, "offers@house.example", Some(Lent::OnBehalf)),
            (anna, "bert@house.example", None),
        ] {
            assert_eq!(sends(account, text).await, expected, "{text}");
        }
        let names: Vec<_> = store.borrowers(team).await.unwrap().into_iter().map(|one| (one.name, one.how)).collect();
        let expected = [("bert@house.example".to_owned(), Lent::As), ("@house.example".to_owned(), Lent::OnBehalf)];
        assert_eq!(names, expected);
        let borrowed = store.lent_to(anna).await.unwrap();
        assert_eq!(
            borrowed.iter().map(|one| (one.address.to_string(), one.how)).collect::<Vec<_>>(),
            [("sales@house.example".to_owned(), Lent::OnBehalf)]
        );
        let own = store.lend(team, Grantee::Account(team), Some(Lent::As), &Author::house()).await;
        assert!(matches!(own, Err(SharingError::Owner)), "{own:?}");
        lend(Grantee::Domain(domain), None).await;
        assert_eq!(sends(anna, "sales@house.example").await, None);
        let told = |with: &str, how: &str| Some(json!({ "with": with, "how": how }));
        let expected = [
            (told("@house.example", "on_behalf"), None),
            (None, told("bert@house.example", "as")),
            (None, told("@house.example", "on_behalf")),
        ];
        assert_eq!(house.noted("mailbox.lend").await, expected, "in names");
        house.check().await;
        store.remove_account(&Address::parse("sales@house.example").unwrap(), None, &Author::house()).await.unwrap();
        assert!(store.lent_to(bert).await.unwrap().is_empty(), "who is removed lends nothing");
        house.purge().await;
        house.check().await;
    });
}

/// A delivery into a mailbox of another's: within the rights there, at its owner's cost, and never lost.
#[test]
fn mail_is_delivered_into_what_is_shared() {
    on_both(|house| async move {
        let (inbox, store, bert) = (house.inbox().await, &house.store, house.bert);
        house.share(inbox, bert, "lr").await;
        let known = name("Other Users/anna@house.example/INBOX");
        let id = house.status(house.anna, "INBOX").await.mailbox.mailbox_id;
        assert_eq!(store.fillable(bert, &known).await.unwrap(), None, "who may read may not put anything there");
        assert_eq!(store.fillable_by_id(bert, &id).await.unwrap(), None);
        assert_eq!(store.fillable(bert, &name("INBOX")).await.unwrap(), None, "it is his own");
        house.share(inbox, bert, "lrsi").await;
        let reach = store.fillable(bert, &known).await.unwrap().unwrap();
        assert_eq!(reach, house.reach(bert, inbox).await);
        assert_eq!(store.fillable_by_id(bert, &id).await.unwrap(), Some((known, reach)));
        let to = |reach: Reach| relais_store::Delivery {
            mailbox: Target::Shared(reach),
            flags: vec![SEEN, keyword("red")],
            ..delivery(bert)
        };
        let accepted = house.accept(&message(1), vec![to(reach)]).await;
        assert_eq!(accepted.deliveries[0].unwrap().mailbox, inbox);
        assert_eq!(
            (house.seen(bert, inbox).await, house.seen(house.anna, inbox).await),
            ("1".to_owned(), String::new())
        );
        let flags = house.sight(house.anna, inbox).await.read(|rows| rows.get(uid(1)).unwrap().flags);
        assert_eq!(flags, 0, "`red` needs `w`");
        let used = async |account| store.quota(account).await.unwrap().unwrap().used_messages;
        assert_eq!((used(house.anna).await, used(bert).await), (1, 0), "the room is the owner's");
        // What isn't taken there goes into one's own INBOX.
        let change = AccountChange { quota_messages: Some(Some(1)), ..AccountChange::default() };
        let anna = Address::parse("anna@house.example").unwrap();
        store.change_account(&anna, change, None, &Author::house()).await.unwrap();
        let own = house.status(bert, "INBOX").await.mailbox.key;
        for reach in [reach, Reach { rights: letters("lrs"), ..reach }, Reach { mailbox: MailboxKey::new(1), ..reach }]
        {
            let accepted = house.accept(&message(2), vec![to(reach)]).await;
            assert_eq!(accepted.deliveries[0].unwrap().mailbox, own, "{reach:?}");
        }
        assert_eq!(house.status(house.anna, "INBOX").await.messages, 1);
        house.check().await;
    });
}
