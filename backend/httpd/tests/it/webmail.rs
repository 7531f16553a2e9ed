//! What of a stranger's message reaches a browser, and under which rules.

use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use relais_model::{Address, Finding, ReversePath, Said, SpecialUse};
use relais_service::{Role, SendsAs, ShareLevel};
use relais_store::{Acceptance, Content, Delivery, JudgedAs, Judgement, Target, TraceId};

use crate::house::{Answer, Browser, House};

async fn reader() -> (House, Browser, String) {
    let house = House::open().await;
    let user = house.browser(Some(Role::User)).await;
    let inbox = house.fill("/mail/$inbox").await;
    (house, user, inbox)
}

fn header<'a>(answer: &'a Answer, name: &axum::http::HeaderName) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// A message's HTML has no script left, stands in a frame that is nobody's origin, and never in a page of ours.
#[tokio::test]
async fn html_has_a_frame_of_its_own() {
    let (_house, user, inbox) = reader().await;
    let page = user.get(&format!("{inbox}/1")).await;
    assert!(page.body.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""), "{}", page.body);
    assert!(!page.body.contains("tracker.example") && !page.body.contains("alert(1)"), "{}", page.body);
    assert!(header(&page, &CONTENT_SECURITY_POLICY).contains("frame-src 'self'"));
    let frame = user.get(&format!("{inbox}/1/frame")).await;
    assert!(frame.body.contains("<p>Hi<img>"), "{}", frame.body);
    assert!(!frame.body.contains("<script") && !frame.body.contains("tracker"), "{}", frame.body);
    let policy = header(&frame, &CONTENT_SECURITY_POLICY);
    for part in ["default-src 'none'", "form-action 'none'", "sandbox allow-popups", "frame-ancestors 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(
        !policy.contains("script-src") && !policy.contains("allow-same-origin") && !policy.contains("allow-scripts"),
        "{policy}"
    );
    assert_eq!(header(&frame, &X_FRAME_OPTIONS), "SAMEORIGIN");
}

/// Links of plain text are judged as those of HTML are: the page warns, and beside the link stands where it leads.
#[tokio::test]
async fn links_of_plain_text_are_looked_at_twice() {
    let (house, user, inbox) = reader().await;
    let raw =
        "From: a@else.example\nSubject: Log in\n\nAt https://bank.example@evil.example/x or at https://else.example/\n";
    house.file("user@one.example", raw).await;
    let page = user.get(&format!("{inbox}/2")).await.body;
    assert!(page.contains("Look twice before you follow a link"), "{page}");
    assert!(page.contains("What looks like an address leads to evil.example."), "{page}");
    assert_eq!(page.matches("class=\"leads-to\"").count(), 1, "{page}");
    assert!(page.contains("</a><span class=\"leads-to\">⚠&nbsp;evil.example</span> or at <a "), "{page}");
}

/// Pictures of others come by an address that only we can make.
#[tokio::test]
async fn pictures_come_by_sealed_addresses() {
    let (house, user, inbox) = reader().await;
    let frame = user.get(&format!("{inbox}/1/frame?pictures=1")).await;
    let start = frame.body.find("/mail/picture?").unwrap();
    let path = frame.body[start..].split('"').next().unwrap().replace("&amp;", "&");
    assert!(path.contains("tracker.example"), "{path}");
    let nobody = Browser::new(&house.router);
    let picture = nobody.get(&path).await;
    // This house reaches nobody: a dot that nobody sees stands for it.
    assert_eq!((picture.status.as_u16(), header(&picture, &CONTENT_TYPE)), (200, "image/gif"));
    let other = path.replace("tracker.example", "10.0.0.1");
    assert_eq!(nobody.get(&other).await.status.as_u16(), 403, "a seal is of one address");
}

/// A message comes in for the user by the door as `trace`, and is judged so; the way there.
async fn come_in(house: &House, trace: &str, mailbox: Target, judgement: Judgement) -> String {
    let recipient = Address::parse("user@one.example").unwrap();
    let account = house.store.account(&recipient).await.unwrap().unwrap().key;
    let raw = format!(
        "Received: from mx.x.example by mx.one.example with ESMTP id {trace}; Thu, 1 Jan 2026 00:00:00 +0000\r\n\
         From: Ann <ann@x.example>\r\nTo: user@one.example\r\nSubject: {trace}\r\n\r\nHello\r\n"
    );
    let acceptance = Acceptance {
        content: Content::prepare(raw.into_bytes()),
        reverse_path: ReversePath::Address(Address::parse("ann@x.example").unwrap()),
        deliveries: vec![Delivery { account, mailbox, flags: Vec::new(), internal_date: None, recipient }],
        outbound: None,
        trace: TraceId::parse(trace).unwrap(),
        from_peer: "192.0.2.1 (mx.x.example)".to_owned(),
        judgement: Some(judgement),
        submission: None,
    };
    let accepted = house.store.accept(acceptance).await.unwrap();
    let delivered = accepted.deliveries[0].as_ref().unwrap();
    format!("/mail/{}/{}", delivered.mailbox.mailbox_id(), delivered.uid.value())
}

/// Whom a message is really from stands beside its author; above one in Junk stands what led it there, and what else spoke against it.
#[tokio::test]
async fn what_was_found_is_told_to_who_reads() {
    let (house, user, _inbox) = reader().await;
    let by_dkim = Finding::new("dmarc", Said::new("auth-dmarc-by-dkim").words("domain", "x.example"));
    let proven = Judgement { judged_as: JudgedAs::Taken, score: None, findings: vec![by_dkim] };
    let page = user.get(&come_in(&house, "proven", Target::Inbox, proven).await).await.body;
    assert!(page.contains("Really from x.example") && !page.contains("Perhaps not from"), "{page}");
    assert!(!page.contains("Why this is in Junk"), "{page}");
    let findings = vec![
        Finding::new("spf", Said::new("auth-spf-no-record")),
        Finding::new("dmarc", Said::new("auth-dmarc-nothing-passed")),
        Finding::new("blocklist", Said::new("spam-listed").words("list", "bl.example").words("named", "192.0.2.1"))
            .worth(3.0),
        Finding::new(
            "dmarc",
            Said::new("auth-dispose-policy").words("domain", "x.example").words("policy", "quarantine"),
        )
        .deciding(),
    ];
    let junk = Judgement { judged_as: JudgedAs::Junk, score: Some(3.0), findings };
    let page = user.get(&come_in(&house, "forged", Target::Use(SpecialUse::Junk), junk).await).await.body;
    assert!(page.contains("Perhaps not from whom it says") && !page.contains("Really from"), "{page}");
    let reasons = "<strong>Why this is in Junk</strong><p>The policy of x.example asks to treat as junk what it doesn’t stand behind. \
                   The blocklist bl.example names 192.0.2.1.</p>";
    assert!(page.contains(reasons), "{page}");
}

/// `in:` leads to the mailbox that it names, with what is looked for there.
#[tokio::test]
async fn a_search_goes_to_the_mailbox_that_it_names() {
    let (house, user, inbox) = reader().await;
    let judged = Judgement { judged_as: JudgedAs::Junk, score: None, findings: Vec::new() };
    let offer = come_in(&house, "offer", Target::Use(SpecialUse::Junk), judged).await;
    let junk = offer.rsplit_once('/').unwrap().0;
    for (from, word, to) in [(&*inbox, "junk", junk), (junk, "inbox", &*inbox)] {
        let led = user.get(&format!("{from}?q=in:{word}+offer")).await.short();
        assert!(led.starts_with(&format!("303 {to}?")), "{led}");
        let page = user.get(led.trim_start_matches("303 ")).await;
        assert_eq!(page.status.as_u16(), 200, "{led}");
        assert_eq!(page.body.contains("data-uid=\"1\""), to == junk, "{led}: {}", page.body);
    }
}

/// Files of strangers are handed out to be kept; shown is only what runs nothing, under a name that leads nowhere.
#[tokio::test]
async fn files_are_kept_and_not_opened() {
    let (_house, user, inbox) = reader().await;
    for query in ["", "?view=1"] {
        let html = user.get(&format!("{inbox}/1/files/2{query}")).await;
        assert_eq!(header(&html, &CONTENT_TYPE), "application/octet-stream", "{query}");
        assert!(header(&html, &CONTENT_DISPOSITION).starts_with("attachment; filename=\"evil.html\""));
        assert_eq!(header(&html, &X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(header(&html, &CONTENT_SECURITY_POLICY).contains("sandbox"));
    }
    let picture = user.get(&format!("{inbox}/1/files/3?view=1")).await;
    assert_eq!(header(&picture, &CONTENT_TYPE), "image/png");
    assert!(header(&picture, &CONTENT_DISPOSITION).starts_with("inline;"));
    assert_eq!(picture.octets, b"\x89PNG\r\n\x1a\n");
    let eml = user.get(&format!("{inbox}/1/message.eml")).await;
    assert_eq!(header(&eml, &CONTENT_DISPOSITION), "attachment; filename=\"Sale.eml\"; filename*=UTF-8''Sale.eml");
    let zip = user.get(&format!("{inbox}/1/files.zip")).await;
    assert!(zip.octets.starts_with(b"PK\x03\x04") && header(&zip, &CONTENT_TYPE) == "application/zip");
    let source = user.get(&format!("{inbox}/1/source")).await;
    assert!(source.body.contains("&#60;script&#62;") && !source.body.contains("<script>"), "{}", source.body);
}

/// Without scripts: a form does it, the next page says so and takes it back.
#[tokio::test]
async fn acts_are_forms_and_are_taken_back() {
    let (_house, user, inbox) = reader().await;
    let done = user.post(&format!("{inbox}/acts"), "uid=1&act=archive&next=/mail").await;
    assert_eq!(done.short(), "303 /mail");
    let flash = done.headers.get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    let next = Browser { cookie: format!("{}; {flash}", user.cookie), ..user.clone() };
    let page = next.get("/mail").await;
    assert!(page.body.contains("1 message archived."), "{}", page.body);
    let undo = page.body.split("action=\"/mail/undo/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(user.get(&format!("{inbox}/1")).await.status.as_u16(), 404);
    assert_eq!(user.post(&format!("/mail/undo/{undo}"), "").await.status.as_u16(), 303);
    assert!(user.get(&inbox).await.body.contains("Sale"));
    let lines = user.get(&format!("{inbox}?part=list")).await.body;
    assert!(lines.contains("data-uid=\"2\"") && !lines.contains("<html"), "{lines}");
}

/// Without scripts: labels that are known are offered, one is put on, taken off and taken back; what is none is refused in words.
#[tokio::test]
async fn labels_are_put_on_and_taken_off() {
    let (_house, user, inbox) = reader().await;
    let told = async |form: &str| {
        let done = user.post(&format!("{inbox}/acts"), form).await;
        let flash = done.headers.get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
        let next = Browser { cookie: format!("{}; {flash}", user.cookie), ..user.clone() };
        next.get(&format!("{inbox}/1")).await.body
    };
    let is_on = |page: &str| page.contains("<span class=\"badge\">work</span>");
    let page = user.get(&format!("{inbox}/1")).await.body;
    for act in ["label", "unlabel"] {
        let button = format!("<button class=\"menu-item\" type=\"submit\" name=\"act\" value=\"{act}\">");
        assert_eq!(page.matches(&button).count(), 2, "above the list, and above the message: {page}");
    }
    assert!(!is_on(&page) && !page.contains("<option value=\"work\">"), "{page}");
    let page = told("uid=1&act=label&label=work&whom=one").await;
    assert!(page.contains("1 message labelled.") && is_on(&page), "{page}");
    assert_eq!(page.matches("<option value=\"work\">").count(), 2, "it is offered from now on: {page}");
    let page = told("uid=1&act=label&label=two+words&whom=one").await;
    assert!(page.contains("A label is one word"), "{page}");
    let page = told("uid=1&act=unlabel&label=work&whom=one").await;
    assert!(page.contains("1 message no longer labelled.") && !is_on(&page), "{page}");
    let undo = page.split("action=\"/mail/undo/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(user.post(&format!("/mail/undo/{undo}"), "").await.status.as_u16(), 303);
    assert!(is_on(&user.get(&format!("{inbox}/1")).await.body));
}

/// What is quoted never stands in the page where one writes: it has a frame, as when it is read.
#[tokio::test]
async fn what_is_quoted_has_a_frame_of_its_own() {
    let (_house, user, inbox) = reader().await;
    let of = format!("{}+1+reply", inbox.trim_start_matches("/mail/"));
    let page = user.get(&format!("/mail/write?of={of}")).await;
    assert!(page.body.contains("data-src=\"/mail/write/quote?of="), "{}", page.body);
    assert!(!page.body.contains("tracker.example") && !page.body.contains("alert(1)"), "{}", page.body);
    let frame = user.get(&format!("/mail/write/quote?of={of}")).await;
    assert!(frame.body.contains("<blockquote") && frame.body.contains("Hi<img>"), "{}", frame.body);
    assert!(!frame.body.contains("<script") && !frame.body.contains("tracker"), "{}", frame.body);
    assert!(header(&frame, &CONTENT_SECURITY_POLICY).contains("sandbox allow-popups"));
}

/// Without scripts: what is asked before, what is sent and stopped again, and what is typed is there all along.
#[tokio::test]
async fn what_is_sent_is_asked_about_and_can_be_stopped() {
    let (_house, user, _inbox) = reader().await;
    let fields = |act: &'static str, to: &'static str| {
        [
            ("id", "<1@one.example>"),
            ("to", to),
            ("subject", "Plan"),
            ("text", "See the attached plan"),
            ("format", "plain"),
            ("act", act),
        ]
    };
    let refused = user.post_fields("/mail/write", &fields("send", "nobody@one.example")).await;
    assert_eq!(refused.status.as_u16(), 422);
    let asked = user.post_fields("/mail/write", &fields("send", "desk@one.example")).await;
    assert_eq!(asked.status.as_u16(), 422);
    assert!(
        asked.body.contains("but none is attached") && asked.body.contains("value=\"send-sure\""),
        "{}",
        asked.body
    );
    assert!(
        asked.body.contains("See the attached plan") && !asked.body.contains("name=\"saved\" value=\"\""),
        "{}",
        asked.body
    );
    let sent = user.post_fields("/mail/write", &fields("send-sure", "desk@one.example")).await;
    assert_eq!(sent.short(), "303 /mail");
    let flash = sent.headers.get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    let next = Browser { cookie: format!("{}; {flash}", user.cookie), ..user.clone() };
    let page = next.get("/mail").await;
    assert!(page.body.contains("Sent in 10 seconds."), "{}", page.body);
    let stop = page.body.split("action=\"/mail/scheduled/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(user.get("/mail/scheduled").await.body.contains("desk@one.example"));
    let stopped = user.post(&format!("/mail/scheduled/{stop}"), "").await;
    let draft = stopped.short().trim_start_matches("303 ").to_owned();
    assert!(user.get(&draft).await.body.contains("See the attached plan"), "{draft}");
    assert_eq!(user.post(&format!("/mail/scheduled/{stop}"), "").await.status.as_u16(), 404);
    let mut later = fields("send-later-sure", "desk@one.example").to_vec();
    later.extend([("due", "2000-01-01T09:00"), ("zone", "0")]);
    assert!(user.post_fields("/mail/write", &later).await.body.contains("Choose a time"));
}

/// RFC 6154 §2: a folder that is chosen for a use is listed with it; what can't be chosen now is said, and what was chosen stands there still.
#[tokio::test]
async fn folders_are_chosen_for_a_use() {
    let (_house, user, inbox) = reader().await;
    let choose = async |name: &str, use_for: &str| {
        assert_eq!(user.post("/mail/folders", &format!("name={name}")).await.short(), "303 /mail/folders");
        let page = user.get("/mail/folders").await.body;
        let (before, _) = page.split_once(&format!("\">{name}</option>")).unwrap();
        let id = before.rsplit('"').next().unwrap().to_owned();
        (user.post("/mail/folders/uses", &format!("mailbox={id}&use_for={use_for}")).await, id)
    };
    let (done, _id) = choose("Kept", "archive").await;
    assert_eq!(done.short(), "303 /mail/folders");
    let page = user.get("/mail/folders").await.body;
    assert!(page.contains("Kept <small class=\"soft\">(Archive)</small>"), "{page}");
    user.post(&format!("{inbox}/acts"), "uid=1&act=junk&next=/mail").await;
    let (refused, id) = choose("Spam", "junk").await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(refused.body.contains("There is mail in the folder for junk."), "{}", refused.body);
    assert!(refused.body.contains(&format!("<option value=\"{id}\" selected>Spam")), "{}", refused.body);
    assert!(refused.body.contains("<option value=\"junk\" selected>"), "{}", refused.body);
}

/// Cards come as a file and go as one; between they complete what is typed.
#[tokio::test]
async fn contacts_come_and_go_as_cards() {
    let (_house, user, _inbox) = reader().await;
    let cards = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann <b>\r\nEMAIL:ann@x.example\r\nEND:VCARD\r\n";
    let brought = user.post_fields("/mail/contacts/import", &[("file", cards)]).await;
    assert_eq!(brought.short(), "303 /mail/contacts");
    let page = user.get("/mail/contacts?q=ann").await;
    assert!(page.body.contains("1 contact") && !page.body.contains("Ann <b>"), "{}", page.body);
    assert!(user.get("/mail/addresses?q=ann").await.body.contains("ann@x.example"));
    let file = user.get("/mail/contacts/contacts.vcf").await;
    assert_eq!(header(&file, &CONTENT_TYPE), "text/vcard; charset=utf-8");
    assert!(file.body.starts_with("BEGIN:VCARD\r\nVERSION:4.0\r\n") && file.body.contains("EMAIL:ann@x.example\r\n"));
}

/// Rights against buttons and forms: what one may not do isn't offered, and a form that asks for it all the same is refused in words; who has no
/// right is told that there is no such mailbox.
#[tokio::test]
async fn rights_stand_behind_the_buttons() {
    let house = House::open().await;
    let inbox = house.fill_team().await;
    let user = house.browser(Some(Role::User)).await;
    let button = |act: &str| format!("value=\"{act}\"");
    assert_eq!(user.get(&inbox).await.status.as_u16(), 404);
    assert_eq!(user.post(&format!("{inbox}/acts"), "uid=1&act=read&whom=one").await.status.as_u16(), 404);
    for (level, offered, refused) in [
        (ShareLevel::Read, &["unread"][..], &["star", "label", "archive", "junk", "delete", "move"][..]),
        (ShareLevel::Mark, &["unread", "star", "label"], &["archive", "junk", "delete", "move"]),
        (ShareLevel::Write, &["unread", "star", "label", "archive", "junk", "delete", "move"], &[]),
    ] {
        house.share_team("user@one.example", Some(level), None).await;
        let page = user.get(&format!("{inbox}/1")).await.body;
        assert!(page.contains("Offer") && page.contains("folders-shared"), "{page}");
        for act in offered {
            assert!(page.contains(&button(act)), "{level:?} is offered {act}");
        }
        for act in refused {
            assert!(!page.contains(&button(act)), "{level:?} isn't offered {act}");
            let own = house.fill("$inbox").await;
            let form = format!("uid=1&act={act}&label=work&whom=one&to={own}");
            let forged = user.post(&format!("{inbox}/acts"), &form).await;
            assert_eq!(forged.status.as_u16(), 403, "{level:?} {act}");
            assert!(forged.body.contains("You may not do that in this mailbox"), "{}", forged.body);
        }
    }
    let sharing = format!("/mail/folders{}/sharing", inbox.trim_start_matches("/mail"));
    assert_eq!(user.get(&sharing).await.status.as_u16(), 403, "who writes doesn't share on");
    assert_eq!(user.post(&sharing, "with=desk@one.example&level=read").await.status.as_u16(), 403);
    house.share_team("user@one.example", Some(ShareLevel::Manage), None).await;
    assert_eq!(user.post(&sharing, "with=desk@one.example&level=read").await.status.as_u16(), 303);
    let desk = house.browser(Some(Role::HelpDesk)).await;
    assert_eq!(desk.get(&inbox).await.status.as_u16(), 200);
}

/// What one lends, or whom one takes off a list that one looks after, is taken back from the page that says it.
#[tokio::test]
async fn sharing_and_lists_are_taken_back() {
    let house = House::open().await;
    let user = house.browser(Some(Role::User)).await;
    for (act, form, page, there) in [
        ("/mail/sharing/senders", "with=desk@one.example&sends=as", "/mail/sharing", "value=\"desk@one.example\""),
        (
            "/panel/lists/own@one.example/members/remove",
            "member=m@else.example",
            "/panel/lists/own@one.example/members",
            "m@else.example</th>",
        ),
    ] {
        let before = user.get(page).await.body.contains(there);
        let done = user.post(act, form).await;
        assert_eq!(done.short(), format!("303 {page}"));
        let flash = done.headers.get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
        let next = Browser { cookie: format!("{}; {flash}", user.cookie), ..user.clone() };
        let said = next.get(page).await.body;
        assert_eq!(said.contains(there), !before, "{act}: {said}");
        let undo = said.split("action=\"/panel/activity/").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(user.post(&format!("/panel/activity/{undo}"), "").await.status.as_u16(), 303, "{act}");
        assert_eq!(user.get(page).await.body.contains(there), before, "{act}");
    }
    // What changed nothing takes nothing back.
    house.clock.advance(std::time::Duration::from_mins(1));
    user.post("/mail/sharing/senders", "with=desk@one.example&sends=as").await;
    house.clock.advance(std::time::Duration::from_mins(1));
    let same = user.post("/mail/sharing/senders", "with=desk@one.example&sends=as").await;
    let flash = same.headers.get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    let next = Browser { cookie: format!("{}; {flash}", user.cookie), ..user.clone() };
    assert!(!next.get("/mail/sharing").await.body.contains("action=\"/panel/activity/"));
}

/// Who borrows an address may choose it, and is told where their own name will stand.
#[tokio::test]
async fn lent_addresses_can_be_chosen() {
    let house = House::open().await;
    let user = house.browser(Some(Role::User)).await;
    assert!(!user.get("/mail/write").await.body.contains("team@one.example"));
    house.share_team("user@one.example", None, Some(SendsAs::OnBehalf)).await;
    let page = user.get("/mail/write").await.body;
    assert!(page.contains("team@one.example (on behalf)</option>"), "{page}");
}
