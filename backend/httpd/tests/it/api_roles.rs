//! Each operation, as each kind of asker. An operation without a case here fails the test.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use relais_service::Role;
use serde_json::Value;

use crate::api_house::House;

/// Operation, path, body, and the status that an owner gets. In an order in which nothing takes away what the next needs.
const CASES: &[(&str, &str, &str, u16)] = &[
    ("overview_show", "/overview", "", 200),
    ("domains_list", "/domains", "", 200),
    ("domains_show", "/domains/house.example", "", 200),
    ("domains_reports", "/domains/house.example/reports", "", 200),
    ("domains_report_sources", "/domains/house.example/report-sources", "", 200),
    ("domains_going", "/domains/house.example/going", "", 200),
    ("domains_change", "/domains/house.example", r#"{"description":"ours"}"#, 200),
    ("domains_create", "/domains", r#"{"domain":"new.example"}"#, 201),
    ("domains_add_other_name", "/domains/house.example/other-names/haus.example", "", 200),
    ("domains_remove_other_name", "/domains/house.example/other-names/haus.example", "", 200),
    ("domains_remove", "/domains/spare.example", "", 204),
    ("domains_restore", "/domains/spare.example/restore", "", 200),
    ("dns_list", "/dns", "", 200),
    ("dns_host", "/dns/host", "", 200),
    ("dns_show", "/dns/house.example", "", 200),
    // This house has no address that is known, and doesn't look.
    ("dns_check_host", "/dns/host/check", "", 409),
    ("dns_check", "/dns/house.example/check", "", 409),
    ("dns_rotate_keys", "/dns/house.example/keys", "", 200),
    ("dns_host_zone_file", "/dns/host/zone-file", "", 200),
    ("dns_zone_file", "/dns/house.example/zone-file", "", 200),
    ("dns_turns", "/dns/house.example/turns", "", 200),
    ("dns_providers", "/dns/providers", "", 200),
    ("dns_accounts", "/dns/accounts", "", 200),
    ("dns_add_account", "/dns/accounts", r#"{"provider":"nobody","domain":"house.example","settings":{}}"#, 422),
    ("dns_account", "/dns/accounts/0", "", 404),
    ("dns_change_account", "/dns/accounts/0", r#"{"name":"Ours"}"#, 404),
    ("dns_remove_account", "/dns/accounts/0", "", 404),
    ("dns_preview_host", "/dns/host/preview", "{}", 409),
    ("dns_preview", "/dns/house.example/preview", "{}", 409),
    ("dns_push_host", "/dns/host/push", r#"{"plan":"0"}"#, 409),
    ("dns_push", "/dns/house.example/push", r#"{"plan":"0"}"#, 409),
    ("dns_receipts", "/dns/receipts", "", 200),
    ("dns_undo", "/dns/receipts/0/undo", "", 404),
    ("people_list", "/people", "", 200),
    ("people_show", "/people/ann@house.example", "", 200),
    ("people_going", "/people/ann@house.example/going", "", 200),
    ("people_change", "/people/ann@house.example", r#"{"name":"Ann"}"#, 200),
    ("people_create", "/people", r#"{"address":"bob@house.example"}"#, 201),
    ("people_import", "/people/import?dry_run=true", "address,name\ncarl@house.example,Carl\n", 200),
    ("people_set_password", "/people/ann@house.example/password", r#"{"password":"a quite long pass phrase"}"#, 204),
    ("people_password_link", "/people/ann@house.example/password-link", "", 201),
    ("people_sessions", "/people/ann@house.example/sessions", "", 200),
    ("people_end_sessions", "/people/ann@house.example/sessions", "", 200),
    ("people_remove_second_factor", "/people/ann@house.example/second-factor", "", 404),
    ("teams_list", "/teams", "", 200),
    ("teams_create", "/teams", r#"{"address":"help@house.example"}"#, 201),
    ("teams_show", "/teams/team@house.example", "", 200),
    ("teams_change", "/teams/team@house.example", r#"{"name":"Team"}"#, 200),
    (
        "teams_put_member",
        "/teams/team@house.example/members",
        r#"{"with":"ann@house.example","level":"write","sends":"as"}"#,
        200,
    ),
    ("teams_members", "/teams/team@house.example/members", "", 200),
    ("teams_remove_member", "/teams/team@house.example/members/ann@house.example", "", 204),
    ("sharing_persons_shares", "/people/team@house.example/shares?mailbox=INBOX", "", 200),
    (
        "sharing_persons_share",
        "/people/team@house.example/shares?mailbox=INBOX",
        r#"{"with":"ann@house.example","rights":"lr"}"#,
        200,
    ),
    ("sharing_persons_senders", "/people/team@house.example/senders", "", 200),
    (
        "sharing_persons_lend",
        "/people/team@house.example/senders",
        r#"{"with":"ann@house.example","sends":"on_behalf"}"#,
        200,
    ),
    ("sharing_shared_with_me", "/me/shared-mailboxes", "", 200),
    ("sharing_shares", "/me/shares?mailbox=INBOX", "", 200),
    ("sharing_share", "/me/shares?mailbox=INBOX", r#"{"with":"ann@house.example","level":"read"}"#, 200),
    ("sharing_senders", "/me/senders", "", 200),
    ("sharing_lend", "/me/senders", r#"{"with":"ann@house.example","sends":"as"}"#, 200),
    ("teams_remove", "/teams/team@house.example", "", 204),
    ("teams_restore", "/teams/team@house.example/restore", "", 200),
    ("addresses_list", "/addresses", "", 200),
    ("addresses_try_pattern", "/addresses/try?address=sales-*%40house.example&sample=sales-1", "", 200),
    ("addresses_show", "/addresses/sales@house.example", "", 200),
    ("addresses_resolve", "/addresses/sales@house.example/resolve", "", 200),
    ("addresses_leads_to", "/addresses/ann@house.example/leads-to", "", 200),
    ("addresses_create", "/addresses", r#"{"address":"info@house.example","targets":["ann@house.example"]}"#, 201),
    ("addresses_change", "/addresses/sales@house.example", r#"{"targets":["user@house.example"]}"#, 200),
    ("addresses_remove", "/addresses/sales@house.example", "", 204),
    ("lists_list", "/lists", "", 200),
    ("lists_create", "/lists", r#"{"address":"news@house.example","owners":["ann@house.example"]}"#, 201),
    ("lists_show", "/lists/list@house.example", "", 200),
    ("lists_change", "/lists/list@house.example", r#"{"title":"All"}"#, 200),
    ("lists_members", "/lists/list@house.example/members", "", 200),
    ("lists_put_members", "/lists/list@house.example/members", r#"{"members":"m@else.example"}"#, 200),
    ("lists_export", "/lists/list@house.example/members/export", "", 200),
    ("lists_remove_member", "/lists/list@house.example/members/m@else.example", "", 204),
    ("lists_posts", "/lists/list@house.example/posts", "", 200),
    ("lists_post", "/lists/list@house.example/posts/1f", "", 404),
    ("lists_approve", "/lists/list@house.example/posts/1f/approve", "", 404),
    ("lists_reject", "/lists/list@house.example/posts/1f/reject", "", 404),
    ("lists_own", "/me/lists", "", 200),
    ("lists_leave", "/me/lists/list@house.example", "", 404),
    ("lists_remove", "/lists/list@house.example", "", 204),
    ("people_remove", "/people/ann@house.example", "", 204),
    ("people_restore", "/people/ann@house.example/restore", "", 200),
    ("people_deleted_mail", "/people/ann@house.example/deleted-mail", "", 200),
    ("people_restore_mail", "/people/ann@house.example/deleted-mail/restore", "{}", 200),
    ("queue_list", "/queue", "", 200),
    ("queue_chart", "/queue/chart", "", 200),
    // This house delivers nothing.
    ("queue_destination", "/queue/destination?destination=example.org", "", 409),
    ("queue_show", "/queue/nothing", "", 404),
    ("queue_retry", "/queue/retry", r#"{"matching":{}}"#, 200),
    ("queue_hold", "/queue/hold", r#"{"matching":{}}"#, 200),
    ("queue_release", "/queue/release", r#"{"matching":{}}"#, 200),
    ("queue_remove", "/queue/remove", r#"{"matching":{}}"#, 200),
    ("messages_list", "/messages", "", 200),
    ("messages_show", "/messages/nothing", "", 404),
    // This house takes no mail in.
    (
        "messages_judge",
        "/messages/judge?recipient=ann@house.example&peer=192.0.2.9&sender=a@b.example",
        "From: a@b.example\r\n\r\nHello\r\n",
        409,
    ),
    ("messages_judge_again", "/messages/nothing/judge", "", 404),
    // This house reaches nobody.
    ("moving_own", "/me/import", "", 404),
    ("moving_start_own", "/me/import", r#"{"host":"imap.old.example","user":"ann","password":"x"}"#, 409),
    ("moving_stop_own", "/me/import", "", 409),
    ("moving_show", "/people/ann@house.example/import", "", 404),
    (
        "moving_start",
        "/people/ann@house.example/import",
        r#"{"host":"imap.old.example","user":"ann","password":"x"}"#,
        409,
    ),
    ("moving_stop", "/people/ann@house.example/import", "", 409),
    ("moving_file", "/people/ann@house.example/mail", "{\"mailbox\":\"INBOX\",\"size_octets\":8}\nA: b\r\n\r\n", 200),
    ("moving_take", "/people/ann@house.example/mail?mailbox=INBOX&uid=4", "", 200),
    ("moving_take_own", "/me/mail", "", 200),
    ("mail_messages", "/me/messages?q=is:unread+lunch&order=newest", "", 200),
    ("mail_message", "/me/messages/F1.1", "", 404),
    ("mail_deleted_mail", "/me/deleted-mail", "", 200),
    ("mail_deleted_mailboxes", "/me/deleted-mailboxes", "", 200),
    ("mail_restore_mail", "/me/deleted-mail/restore", r#"{"ids":["M1"]}"#, 200),
    ("mail_forget_mail", "/me/deleted-mail/M1", "", 404),
    ("mail_forget_all_mail", "/me/deleted-mail", "", 200),
    ("moving_take_own_contacts", "/me/contacts", "", 200),
    ("moving_file_own_contacts", "/me/contacts", "BEGIN:VCARD\r\nUID:ben\r\nFN:Ben\r\nEND:VCARD\r\n", 200),
    ("moving_take_contacts", "/people/ann@house.example/contacts?version=3", "", 200),
    (
        "moving_file_contacts",
        "/people/ann@house.example/contacts",
        "BEGIN:VCARD\r\nUID:ben\r\nFN:Ben\r\nEND:VCARD\r\n",
        200,
    ),
    ("sending_own", "/me/sending", "", 200),
    ("sending_sending", "/people/ann@house.example/sending", "", 200),
    ("sending_holds", "/holds", "", 200),
    ("sending_hold", "/people/ann@house.example/hold", "", 404),
    ("sending_release", "/people/ann@house.example/hold/release", "", 404),
    ("sending_drop_held", "/people/ann@house.example/hold/drop", "", 404),
    ("sending_suppressed", "/suppressed?search=ann", "", 200),
    ("sending_remove_suppressed", "/suppressed/nobody@else.example", "", 404),
    ("activity_list", "/activity", "", 200),
    ("activity_show", "/activity/0", "", 404),
    ("activity_undo", "/activity/0/undo", "", 404),
    ("keys_list", "/keys", "", 200),
    ("keys_create", "/keys", r#"{"name":"More","scopes":["queue:read"]}"#, 201),
    ("keys_revoke", "/keys/0", "", 404),
    ("webhooks_list", "/webhooks", "", 200),
    (
        "webhooks_create",
        "/webhooks",
        r#"{"url":"https://hooks.example/","events":["message.failed"],"domain":"house.example"}"#,
        201,
    ),
    ("webhooks_show", "/webhooks/wh_0", "", 404),
    ("webhooks_change", "/webhooks/wh_0", "{}", 404),
    ("webhooks_deliveries", "/webhooks/wh_0/deliveries", "", 404),
    ("webhooks_resend", "/webhooks/wh_0/deliveries/evt_0/resend", "", 404),
    ("webhooks_test", "/webhooks/wh_0/test", "", 404),
    ("webhooks_remove", "/webhooks/wh_0", "", 404),
    ("settings_list", "/settings", "", 200),
    ("settings_show", "/settings/warnings.queue_recipients", "", 200),
    ("settings_set", "/settings/warnings.queue_recipients", r#"{"value":"500"}"#, 200),
    ("system_show", "/system", "", 200),
    ("system_log", "/system/log", "", 200),
    ("security_show", "/security", "", 200),
    ("security_failed_logins", "/security/failed-logins", "", 200),
    ("security_lift_all_bans", "/security/bans", "", 200),
    ("system_index", "/system/index", "", 200),
    ("system_rebuild_index", "/system/index/rebuild", "", 200),
    ("system_check_store", "/system/check-store", "", 200),
    ("system_set_up_link", "/system/setup-link", "", 409),
    ("security_lift_ban", "/security/bans/192.0.2.9", "", 404),
    ("certificates_list", "/certificates", "", 200),
    ("certificates_bring", "/certificates", r#"{"chain":"none","key":""}"#, 422),
    ("certificates_show", "/certificates/0", "", 404),
    ("certificates_renew", "/certificates/0/renew", "", 404),
    ("certificates_remove", "/certificates/0", "", 404),
    ("certificates_names", "/certificates/names", "", 200),
    ("certificates_want", "/certificates/names", r#"{"name":"www.house.example","domain":"house.example"}"#, 201),
    ("certificates_unwant", "/certificates/names/www.house.example", "", 204),
    ("certificates_order", "/certificates/order", "{}", 409),
    ("certificates_orders", "/certificates/orders", "", 200),
    ("certificates_authority", "/certificates/authority", "", 200),
    ("certificates_doors", "/certificates/doors?name=mx.house.example", "", 200),
    ("people_app_passwords", "/people/ann@house.example/app-passwords", "", 200),
    (
        "people_add_app_password",
        "/people/ann@house.example/app-passwords",
        r#"{"name":"Fax","protocols":["imap"]}"#,
        201,
    ),
    ("people_remove_app_password", "/people/ann@house.example/app-passwords/Phone", "", 404),
    ("me_app_passwords", "/me/app-passwords", "", 200),
    ("me_add_app_password", "/me/app-passwords", r#"{"name":"Phone","protocols":["imap"]}"#, 201),
    ("me_remove_app_password", "/me/app-passwords/Phone", "", 204),
    ("junk_own", "/me/junk", "", 200),
    ("junk_await_code", "/me/junk/code", r#"{"waits":true}"#, 200),
    ("junk_forget", "/me/junk/learnt", "", 204),
    ("junk_own_rules", "/me/junk/senders", "", 200),
    ("junk_set_own_rule", "/me/junk/senders", r#"{"sender":"news.example","is_allowed":false}"#, 200),
    ("junk_remove_own_rule", "/me/junk/senders/news.example", "", 204),
    ("junk_domain_rules", "/domains/house.example/senders", "", 200),
    (
        "junk_set_domain_rule",
        "/domains/house.example/senders",
        r#"{"sender":"ann@friend.example","is_allowed":true}"#,
        200,
    ),
    ("junk_remove_domain_rule", "/domains/house.example/senders/ann@friend.example", "", 204),
    ("junk_house_rules", "/senders", "", 200),
    ("junk_set_house_rule", "/senders", r#"{"sender":"spam.example","is_allowed":false}"#, 200),
    ("junk_remove_house_rule", "/senders/spam.example", "", 204),
    ("scripts_rules", "/me/rules", "", 200),
    ("scripts_save_rules", "/me/rules", r#"{"rules":[{"name":"Team","is_on":true,"acts":[{"act":"delete"}]}]}"#, 200),
    ("scripts_try_rules", "/me/rules/try", r#"{"rules":[]}"#, 200),
    ("scripts_own", "/me/scripts", "", 200),
    ("scripts_check", "/me/scripts/check", r#"{"script":"keep"}"#, 200),
    ("scripts_try_script", "/me/scripts/try", r#"{"script":"discard;"}"#, 200),
    ("scripts_activate_own", "/me/scripts/active", r#"{"name":null}"#, 204),
    ("scripts_own_one", "/me/scripts/named/rules", "", 200),
    ("scripts_put_own", "/me/scripts/named/mine", r#"{"script":"keep;"}"#, 200),
    ("scripts_remove_own", "/me/scripts/named/mine", "", 204),
    ("scripts_persons", "/people/ann@house.example/scripts", "", 200),
    ("scripts_put_persons", "/people/ann@house.example/scripts/named/one", r#"{"script":"keep;"}"#, 200),
    ("scripts_activate_persons", "/people/ann@house.example/scripts/active", r#"{"name":null}"#, 204),
    ("scripts_persons_one", "/people/ann@house.example/scripts/named/one", "", 200),
    ("scripts_remove_persons", "/people/ann@house.example/scripts/named/one", "", 204),
    ("scripts_domains", "/domains/house.example/scripts", "", 200),
    ("scripts_put_domains", "/domains/house.example/scripts/named/before", r#"{"script":"keep;"}"#, 200),
    ("scripts_domains_one", "/domains/house.example/scripts/named/before", "", 200),
    ("scripts_remove_domains", "/domains/house.example/scripts/named/before", "", 204),
    ("scripts_house", "/scripts", "", 200),
    ("scripts_check_house", "/scripts/check", r#"{"script":"keep;"}"#, 200),
    ("scripts_put_house", "/scripts/named/after", r#"{"script":"keep;"}"#, 200),
    ("scripts_house_one", "/scripts/named/after", "", 200),
    ("scripts_remove_house", "/scripts/named/after", "", 204),
    ("me_log_ins", "/me/log-ins", "", 200),
    ("credentials_change_password", "/me/password", r#"{"password":"a quite long pass phrase"}"#, 204),
    ("credentials_second_factor", "/me/second-factor", "", 200),
    ("credentials_offer", "/me/second-factor", "", 201),
    ("credentials_confirm", "/me/second-factor", r#"{"code":"no code"}"#, 422),
    ("credentials_remove", "/me/second-factor", "", 404),
    ("credentials_renew", "/me/second-factor/recovery-codes", "", 404),
    ("credentials_passkeys", "/me/passkeys", "", 200),
    ("credentials_rename_passkey", "/me/passkeys/0", r#"{"name":"Phone"}"#, 404),
    ("credentials_remove_passkey", "/me/passkeys/0", "", 404),
    ("me_show", "/me", "", 200),
    ("me_change", "/me", r#"{"language":"fr"}"#, 200),
    ("me_sessions", "/me/sessions", "", 200),
    ("me_end_session", "/me/sessions/0", "", 404),
];

struct Operation {
    method: String,
    role: Role,
    scope: String,
}

async fn operations(house: &House) -> BTreeMap<String, Operation> {
    let document = house.ask("", "GET", "/openapi.json", "").await;
    assert_eq!((document.status, document.body["openapi"].as_str()), (StatusCode::OK, Some("3.1.0")));
    let paths = document.body["paths"].as_object().unwrap().clone();
    let methods = paths.into_iter().flat_map(|(_, methods)| methods.as_object().unwrap().clone());
    let read = |(method, operation): (String, Value)| {
        let scope = operation["security"][0]["key"][0].as_str().unwrap().to_owned();
        let role = Role::parse(operation["x-role"].as_str().unwrap()).unwrap();
        let id = operation["operationId"].as_str().unwrap().to_owned();
        (id, Operation { method: method.to_uppercase(), role, scope })
    };
    methods.map(read).collect()
}

#[tokio::test]
async fn every_operation_as_everybody() {
    let house = House::open().await;
    let operations = operations(&house).await;
    let known: Vec<&str> = CASES.iter().map(|(id, ..)| *id).collect();
    let forgotten: Vec<_> = operations.keys().filter(|id| !known.contains(&id.as_str())).collect();
    assert_eq!(
        (forgotten, known.len()),
        (Vec::new(), operations.len()),
        "operations without a case, or cases without one"
    );
    let mut keys = Vec::new();
    for (name, role) in
        [("user", Role::User), ("desk", Role::HelpDesk), ("admin", Role::DomainAdmin), ("owner", Role::Owner)]
    {
        keys.push((role, house.key(&format!("{name}@house.example"), role, "*").await));
    }
    let owner = keys.last().unwrap().1.clone();
    // One of each for all operations: nobody may have more than a hundred keys.
    let of_people = house.key("owner@house.example", Role::Owner, "people:write").await;
    let of_queue = house.key("owner@house.example", Role::Owner, "queue:write").await;
    for (id, path, body, status) in CASES {
        let operation = &operations[*id];
        // The clock goes on, so that no limit is met.
        house.clock.advance(std::time::Duration::from_mins(1));
        let nobody = house.ask("", &operation.method, path, body).await;
        assert_eq!((nobody.status.as_u16(), nobody.problem()), (401, "no-key"), "{id} as nobody");
        assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"relais\"");
        let wrong = house.ask("relais_wrong", &operation.method, path, body).await;
        assert_eq!((wrong.status.as_u16(), wrong.problem()), (401, "bad-key"), "{id} with a wrong key");
        let narrow = if operation.scope.starts_with("queue") { &of_people } else { &of_queue };
        let narrow = house.ask(narrow, &operation.method, path, body).await;
        assert_eq!((narrow.status.as_u16(), narrow.problem()), (403, "scope"), "{id} without the scope");
        assert!(narrow.header("www-authenticate").contains(&format!("scope=\"{}\"", operation.scope)));
        for (role, key) in keys.iter().filter(|(role, _)| *role < operation.role) {
            let answer = house.ask(key, &operation.method, path, body).await;
            assert_eq!((answer.status.as_u16(), answer.problem()), (403, "forbidden"), "{id} as {role:?}");
        }
        let answer = house.ask(&owner, &operation.method, path, body).await;
        assert_eq!(answer.status.as_u16(), *status, "{id} as an owner: {}", answer.body);
        let least = keys.iter().find(|(role, _)| *role == operation.role).unwrap();
        let answer = house.ask(&least.1, &operation.method, path, body).await;
        assert_ne!(answer.status.as_u16(), 401, "{id} as {:?}", least.0);
        assert!(answer.status.as_u16() < 500, "{id} as {:?}: {}", least.0, answer.body);
    }
}

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let house = House::open().await;
    let operations = operations(&house).await;
    let stranger = house.key("stranger@other.example", Role::DomainAdmin, "*").await;
    for (id, path, body, _) in CASES {
        let operation = &operations[*id];
        if operation.role > Role::DomainAdmin || !path.contains("house.example") || *id == "people_import" {
            continue;
        }
        house.clock.advance(std::time::Duration::from_mins(1));
        let answer = house.ask(&stranger, &operation.method, path, body).await;
        let is_hidden = answer.status == StatusCode::NOT_FOUND
            || (*id == "addresses_resolve" && answer.body["steps"].as_array().is_some_and(Vec::is_empty))
            || (*id == "addresses_resolve" && answer.body["mailboxes"].as_array().is_some_and(Vec::is_empty));
        assert!(is_hidden, "{id}: {} {}", answer.status, answer.body);
    }
    let people = house.ask(&stranger, "GET", "/people", "").await;
    assert_eq!(people.body["rows"].as_array().unwrap().len(), 1);
}

/// Decision 59: of who is of another tenant the API says what it says of nobody, at each door where somebody is given something.
#[tokio::test]
async fn nothing_is_shared_with_another_tenant() {
    let house = House::open().await;
    let operations = operations(&house).await;
    let owner = house.key("owner@house.example", Role::Owner, "*").await;
    let moved =
        house.ask(&owner, &operations["domains_change"].method, "/domains/other.example", r#"{"tenant":"other"}"#);
    assert_eq!(moved.await.body["tenant"], "other");
    for (id, path, body, _) in CASES {
        if !["teams_put_member", "sharing_persons_share", "sharing_persons_lend", "sharing_share", "sharing_lend"]
            .contains(id)
        {
            continue;
        }
        let told = async |with: &str| {
            house.clock.advance(std::time::Duration::from_mins(1));
            let body = body.replace("ann@house.example", with);
            let answer = house.ask(&owner, &operations[*id].method, path, &body).await;
            (answer.status.as_u16(), answer.body.to_string().replace(with, "WHOM"))
        };
        let (status, problem) = told("stranger@other.example").await;
        assert_eq!(status, 422, "{id}: {problem}");
        assert_eq!(told("nobody@other.example").await, (status, problem), "{id}");
    }
}
