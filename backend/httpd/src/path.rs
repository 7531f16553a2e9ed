//! Each path of the panel, once.

/// Leads to where the visitor belongs.
pub(crate) const HOME: &str = "/";
/// The first owner.
pub(crate) const SETUP: &str = "/setup/{token}";
pub(crate) const SETUP_PASSKEY_OPTIONS: &str = "/setup/{token}/passkey/options";
/// A new password, by a link.
pub(crate) const LINK: &str = "/link/{token}";
/// A phone's set-up, by a link.
pub(crate) const PHONE: &str = "/phone/{token}";

pub(crate) const SIGN_IN: &str = "/sign-in";
pub(crate) const SECOND: &str = "/sign-in/second";
pub(crate) const SECOND_PASSKEY: &str = "/sign-in/second/passkey";
pub(crate) const SECOND_PASSKEY_OPTIONS: &str = "/sign-in/second/passkey/options";
pub(crate) const SIGN_IN_PASSKEY: &str = "/sign-in/passkey";
pub(crate) const PASSKEY_OPTIONS: &str = "/sign-in/passkey/options";
pub(crate) const SIGN_OUT: &str = "/sign-out";
/// Who has signed in says again who they are.
pub(crate) const PROVE: &str = "/prove";
pub(crate) const PROVE_PASSKEY: &str = "/prove/passkey";
pub(crate) const PROVE_PASSKEY_OPTIONS: &str = "/prove/passkey/options";
/// Language and look.
pub(crate) const LOOK: &str = "/look";

pub(crate) const OVERVIEW: &str = "/panel";
pub(crate) const DOMAINS: &str = "/panel/domains";
pub(crate) const DNS: &str = "/panel/dns";
pub(crate) const PEOPLE: &str = "/panel/people";
pub(crate) const TEAMS: &str = "/panel/teams";
pub(crate) const ADDRESSES: &str = "/panel/addresses";
pub(crate) const LISTS: &str = "/panel/lists";
pub(crate) const QUEUE: &str = "/panel/queue";
/// Acts upon chosen mail, or upon all that a filter finds.
pub(crate) const QUEUE_ACTS: &str = "/panel/queue/acts";
pub(crate) const QUEUE_MESSAGE: &str = "/panel/queue/{id}";
/// People whose mail is held.
pub(crate) const HOLDS: &str = "/panel/holds";
/// Addresses elsewhere that are nobody's.
pub(crate) const SUPPRESSED: &str = "/panel/suppressed";
pub(crate) const SUPPRESSED_REMOVE: &str = "/panel/suppressed/remove";
pub(crate) const MESSAGES: &str = "/panel/messages";
pub(crate) const MESSAGE: &str = "/panel/messages/{id}";
/// What would be done with a message.
pub(crate) const JUDGE: &str = "/panel/messages/judge";
pub(crate) const JUDGE_AGAIN: &str = "/panel/messages/{id}/judge";
pub(crate) const SECURITY: &str = "/panel/security";
pub(crate) const SECURITY_LIFT: &str = "/panel/security/lift";
/// Senders who are let in or kept out, for all.
pub(crate) const HOUSE_SENDERS: &str = "/panel/security/senders";
pub(crate) const HOUSE_SENDERS_REMOVE: &str = "/panel/security/senders/remove";
pub(crate) const CERTIFICATES: &str = "/panel/certificates";
pub(crate) const CERTIFICATE_NEW: &str = "/panel/certificates/new";
pub(crate) const CERTIFICATE_RENEW: &str = "/panel/certificates/{id}/renew";
pub(crate) const CERTIFICATE_REMOVE: &str = "/panel/certificates/{id}/remove";
pub(crate) const CERTIFICATE_NAMES: &str = "/panel/certificates/names";
pub(crate) const CERTIFICATE_NAME_REMOVE: &str = "/panel/certificates/names/remove";
/// Has names ordered now.
pub(crate) const CERTIFICATE_ORDER: &str = "/panel/certificates/order";
/// The history of orders, and the CA.
pub(crate) const CERTIFICATE_ORDERS: &str = "/panel/certificates/orders";
/// Switches ordering on.
pub(crate) const CERTIFICATE_BEGIN: &str = "/panel/certificates/begin";
/// What the doors really show.
pub(crate) const CERTIFICATE_DOORS: &str = "/panel/certificates/doors";
pub(crate) const ACTIVITY: &str = "/panel/activity";
pub(crate) const KEYS: &str = "/panel/keys";
pub(crate) const WEBHOOKS: &str = "/panel/webhooks";
pub(crate) const WEBHOOK_NEW: &str = "/panel/webhooks/new";
pub(crate) const WEBHOOK: &str = "/panel/webhooks/{id}";
pub(crate) const WEBHOOK_EDIT: &str = "/panel/webhooks/{id}/edit";
pub(crate) const WEBHOOK_TEST: &str = "/panel/webhooks/{id}/test";
/// Told, or not told.
pub(crate) const WEBHOOK_SWITCH: &str = "/panel/webhooks/{id}/switch";
pub(crate) const WEBHOOK_RESEND: &str = "/panel/webhooks/{id}/resend";
pub(crate) const WEBHOOK_REMOVE: &str = "/panel/webhooks/{id}/remove";
pub(crate) const SETTINGS: &str = "/panel/settings";
pub(crate) const SETTINGS_SECTION: &str = "/panel/settings/{section}";
/// What would become of mail.
pub(crate) const DESTINATION: &str = "/panel/queue/destination";
pub(crate) const SYSTEM: &str = "/panel/system";
pub(crate) const SYSTEM_LOG: &str = "/panel/system/log";

/// One's own mail: leads to INBOX.
pub(crate) const MAIL: &str = "/mail";
/// A mailbox's list, by its MAILBOXID (RFC 8474).
pub(crate) const MAILBOX: &str = "/mail/{mailbox}";
/// The list, and one of its messages.
pub(crate) const MAIL_MESSAGE: &str = "/mail/{mailbox}/{uid}";
/// A message's HTML without teeth, for a frame of its own.
pub(crate) const MAIL_FRAME: &str = "/mail/{mailbox}/{uid}/frame";
pub(crate) const MAIL_PRINT: &str = "/mail/{mailbox}/{uid}/print";
pub(crate) const MAIL_SOURCE: &str = "/mail/{mailbox}/{uid}/source";
pub(crate) const MAIL_EML: &str = "/mail/{mailbox}/{uid}/message.eml";
pub(crate) const MAIL_FILE: &str = "/mail/{mailbox}/{uid}/files/{part}";
pub(crate) const MAIL_ZIP: &str = "/mail/{mailbox}/{uid}/files.zip";
/// Whether a sender's pictures are shown.
pub(crate) const MAIL_PICTURES: &str = "/mail/{mailbox}/{uid}/pictures";
/// Off a list, with one click.
pub(crate) const MAIL_LEAVE: &str = "/mail/{mailbox}/{uid}/leave";
/// How a search may go on.
pub(crate) const MAIL_SUGGESTIONS: &str = "/mail/suggestions";
/// What is answered to an invitation.
pub(crate) const MAIL_MEETING: &str = "/mail/{mailbox}/{uid}/meeting";
/// Whether somebody is told that their message was read.
pub(crate) const MAIL_RECEIPT: &str = "/mail/{mailbox}/{uid}/receipt";
pub(crate) const MAIL_ACTS: &str = "/mail/{mailbox}/acts";
pub(crate) const MAIL_UNDO: &str = "/mail/undo/{token}";
/// A new message, an answer, or a draft.
pub(crate) const MAIL_WRITE: &str = "/mail/write";
/// What an answer quotes, for a frame of its own.
pub(crate) const MAIL_QUOTE: &str = "/mail/write/quote";
/// Whom one knows.
pub(crate) const MAIL_CONTACTS: &str = "/mail/contacts";
pub(crate) const MAIL_CONTACT_REMOVE: &str = "/mail/contacts/remove";
pub(crate) const MAIL_CONTACTS_IMPORT: &str = "/mail/contacts/import";
pub(crate) const MAIL_CONTACTS_FILE: &str = "/mail/contacts/contacts.vcf";
/// What goes out later.
pub(crate) const MAIL_LATER: &str = "/mail/scheduled";
pub(crate) const MAIL_LATER_STOP: &str = "/mail/scheduled/{uid}/stop";
/// As whom one writes, and how.
pub(crate) const MAIL_IDENTITIES: &str = "/mail/identities";
pub(crate) const MAIL_IDENTITY_REMOVE: &str = "/mail/identities/remove";
pub(crate) const MAIL_WRITING_CHOICES: &str = "/mail/identities/choices";
/// Addresses that complete what is typed.
pub(crate) const MAIL_ADDRESSES: &str = "/mail/addresses";
/// Mailboxes, made and thrown away.
pub(crate) const MAIL_FOLDERS: &str = "/mail/folders";
pub(crate) const MAIL_FOLDER_RENAME: &str = "/mail/folders/{mailbox}/rename";
pub(crate) const MAIL_FOLDER_DELETE: &str = "/mail/folders/{mailbox}/delete";
pub(crate) const MAIL_FOLDER_USES: &str = "/mail/folders/uses";
pub(crate) const MAIL_FOLDER_SUBSCRIPTION: &str = "/mail/folders/{mailbox}/subscription";
/// With whom one shares, and what others share.
pub(crate) const MAIL_SHARING: &str = "/mail/sharing";
/// Who may write from one's own address.
pub(crate) const MAIL_SENDERS: &str = "/mail/sharing/senders";
/// With whom one mailbox is shared.
pub(crate) const MAIL_FOLDER_SHARING: &str = "/mail/folders/{mailbox}/sharing";
/// What was deleted, while it can be taken back.
pub(crate) const MAIL_REMOVED: &str = "/mail/removed";
/// What changes, as it happens.
pub(crate) const MAIL_EVENTS: &str = "/mail/events";
/// Pictures of others, fetched through us.
pub(crate) const MAIL_PICTURE: &str = "/mail/picture";
/// How one reads.
pub(crate) const MAIL_CHOICES: &str = "/mail/choices";

/// Everybody's own.
pub(crate) const ACCOUNT: &str = "/panel/account";
pub(crate) const OWN_PASSWORD: &str = "/panel/account/password";
pub(crate) const OWN_SECOND: &str = "/panel/account/second-factor";
pub(crate) const OWN_SECOND_OFFER: &str = "/panel/account/second-factor/offer";
pub(crate) const OWN_SECOND_CONFIRM: &str = "/panel/account/second-factor/confirm";
pub(crate) const OWN_SECOND_CODES: &str = "/panel/account/second-factor/codes";
pub(crate) const OWN_SECOND_REMOVE: &str = "/panel/account/second-factor/remove";
pub(crate) const OWN_PASSKEYS: &str = "/panel/account/passkeys";
pub(crate) const OWN_PASSKEYS_OPTIONS: &str = "/panel/account/passkeys/options";
pub(crate) const OWN_PASSKEY_RENAME: &str = "/panel/account/passkeys/{id}/rename";
pub(crate) const OWN_PASSKEY_REMOVE: &str = "/panel/account/passkeys/{id}/remove";
pub(crate) const OWN_APP_PASSWORDS: &str = "/panel/account/app-passwords";
pub(crate) const OWN_APP_PASSWORD_REMOVE: &str = "/panel/account/app-passwords/remove";
/// One's own rules.
pub(crate) const OWN_RULES: &str = "/panel/account/rules";
pub(crate) const OWN_RULES_TRY: &str = "/panel/account/rules/try";
pub(crate) const OWN_RULE: &str = "/panel/account/rules/rule";
pub(crate) const OWN_ABSENCE: &str = "/panel/account/rules/absence";
pub(crate) const OWN_FORWARDING: &str = "/panel/account/rules/forwarding";
pub(crate) const OWN_SCRIPT: &str = "/panel/account/rules/script";
/// One's own filter of junk.
pub(crate) const OWN_JUNK: &str = "/panel/account/junk";
pub(crate) const OWN_JUNK_REMOVE: &str = "/panel/account/junk/remove";
pub(crate) const OWN_JUNK_CODE: &str = "/panel/account/junk/code";
pub(crate) const OWN_JUNK_FORGET: &str = "/panel/account/junk/forget";
/// Mailing lists that one is on, and those that one looks after.
pub(crate) const OWN_LISTS: &str = "/panel/account/lists";
pub(crate) const OWN_LISTS_RUN: &str = "/panel/account/lists/run";
pub(crate) const OWN_LIST_LEAVE: &str = "/panel/account/lists/{list}/leave";
/// Mail that one brings along, and takes out.
pub(crate) const OWN_MOVING: &str = "/panel/account/moving";
pub(crate) const OWN_MOVING_STOP: &str = "/panel/account/moving/stop";
pub(crate) const OWN_MOVING_BRING: &str = "/panel/account/moving/file";
pub(crate) const OWN_MOVING_FILE: &str = "/panel/account/moving/mail.zip";
/// What one sends, of what one may.
pub(crate) const OWN_SENDING: &str = "/panel/account/sending";
pub(crate) const OWN_SESSIONS: &str = "/panel/account/sessions";
pub(crate) const OWN_SESSIONS_END: &str = "/panel/account/sessions/end";
pub(crate) const OWN_SESSIONS_END_OTHERS: &str = "/panel/account/sessions/end-others";
pub(crate) const OWN_LOG_INS: &str = "/panel/account/log-ins";
pub(crate) const OWN_CLIENTS: &str = "/panel/account/clients";
pub(crate) const OWN_PROFILE: &str = "/panel/account/clients/relais.mobileconfig";

/// A link for one's phone is made.
pub(crate) const OWN_PHONE: &str = "/panel/account/clients/phone";

pub(crate) const DOMAIN_NEW: &str = "/panel/domains/new";
pub(crate) const DOMAIN: &str = "/panel/domains/{domain}";
/// What others report of it.
pub(crate) const DOMAIN_REPORTS: &str = "/panel/domains/{domain}/reports";
/// Senders whom it lets in or keeps out.
pub(crate) const DOMAIN_SENDERS: &str = "/panel/domains/{domain}/senders";
pub(crate) const DOMAIN_SENDERS_REMOVE: &str = "/panel/domains/{domain}/senders/remove";
pub(crate) const DOMAIN_DISABLE: &str = "/panel/domains/{domain}/disable";
pub(crate) const DOMAIN_ENABLE: &str = "/panel/domains/{domain}/enable";
pub(crate) const DOMAIN_REMOVE: &str = "/panel/domains/{domain}/remove";
pub(crate) const DOMAIN_RESTORE: &str = "/panel/domains/{domain}/restore";
pub(crate) const DOMAIN_NAMES: &str = "/panel/domains/{domain}/names";
pub(crate) const DOMAIN_NAME_REMOVE: &str = "/panel/domains/{domain}/names/{name}/remove";

/// `host` in a domain's place is the host.
pub(crate) const DNS_DOMAIN: &str = "/panel/dns/{domain}";
/// Begins a check; asked for, it says whether one still runs.
pub(crate) const DNS_CHECK: &str = "/panel/dns/{domain}/check";
pub(crate) const DNS_ZONE_FILE: &str = "/panel/dns/{domain}/zone-file";
/// Makes new keys that sign.
pub(crate) const DNS_KEYS: &str = "/panel/dns/{domain}/keys";
/// What would be changed at a provider, and changing it.
pub(crate) const DNS_PUSH: &str = "/panel/dns/{domain}/push";
pub(crate) const DNS_ACCOUNTS: &str = "/panel/dns/accounts";
pub(crate) const DNS_ACCOUNT_NEW: &str = "/panel/dns/accounts/new";
pub(crate) const DNS_ACCOUNT: &str = "/panel/dns/accounts/{account}";
pub(crate) const DNS_ACCOUNT_REMOVE: &str = "/panel/dns/accounts/{account}/remove";
pub(crate) const DNS_RECEIPTS: &str = "/panel/dns/receipts";
pub(crate) const DNS_RECEIPT: &str = "/panel/dns/receipts/{id}";
pub(crate) const DNS_RECEIPT_UNDO: &str = "/panel/dns/receipts/{id}/undo";

pub(crate) const PERSON_NEW: &str = "/panel/people/new";
pub(crate) const PEOPLE_IMPORT: &str = "/panel/people/import";
pub(crate) const PEOPLE_ACTS: &str = "/panel/people/acts";
pub(crate) const PERSON: &str = "/panel/people/{address}";
pub(crate) const PERSON_POWER: &str = "/panel/people/{address}/role";
pub(crate) const PERSON_SUSPEND: &str = "/panel/people/{address}/suspend";
pub(crate) const PERSON_RESUME: &str = "/panel/people/{address}/resume";
pub(crate) const PERSON_REMOVE: &str = "/panel/people/{address}/remove";
/// What they deleted comes back.
pub(crate) const PERSON_MAIL_RESTORE: &str = "/panel/people/{address}/restore-mail";
pub(crate) const PERSON_RESTORE: &str = "/panel/people/{address}/restore";
/// Why their mail is held, and what can be done.
pub(crate) const PERSON_HOLD: &str = "/panel/people/{address}/hold";
pub(crate) const PERSON_HOLD_RELEASE: &str = "/panel/people/{address}/hold/release";
pub(crate) const PERSON_HOLD_DROP: &str = "/panel/people/{address}/hold/drop";
pub(crate) const PERSON_SIGN_IN: &str = "/panel/people/{address}/sign-in";
pub(crate) const PERSON_LINK: &str = "/panel/people/{address}/sign-in/link";
pub(crate) const PERSON_SECOND_OFF: &str = "/panel/people/{address}/sign-in/second/remove";
pub(crate) const PERSON_METHOD_REMOVE: &str = "/panel/people/{address}/sign-in/{kind}/{id}/remove";
pub(crate) const PERSON_SESSIONS_END: &str = "/panel/people/{address}/sign-in/sessions/end";

pub(crate) const ADDRESS_NEW: &str = "/panel/addresses/new";
pub(crate) const ADDRESS_TRY: &str = "/panel/addresses/try";
pub(crate) const ADDRESS: &str = "/panel/addresses/{address}";
pub(crate) const ADDRESS_REMOVE: &str = "/panel/addresses/{address}/remove";

pub(crate) const TEAM_NEW: &str = "/panel/teams/new";
pub(crate) const TEAM: &str = "/panel/teams/{team}";
pub(crate) const TEAM_MEMBERS: &str = "/panel/teams/{team}/members";
pub(crate) const TEAM_MEMBER_REMOVE: &str = "/panel/teams/{team}/members/remove";
pub(crate) const TEAM_REMOVE: &str = "/panel/teams/{team}/remove";

pub(crate) const LIST_NEW: &str = "/panel/lists/new";
pub(crate) const LIST: &str = "/panel/lists/{list}";
pub(crate) const LIST_MEMBERS: &str = "/panel/lists/{list}/members";
pub(crate) const LIST_MEMBER_REMOVE: &str = "/panel/lists/{list}/members/remove";
pub(crate) const LIST_POSTS: &str = "/panel/lists/{list}/posts";
pub(crate) const LIST_POST: &str = "/panel/lists/{list}/posts/{post}";
pub(crate) const LIST_REMOVE: &str = "/panel/lists/{list}/remove";
/// Where a member leaves, with what stands in each message that they get.
pub(crate) const LIST_LEAVE: &str = "/lists/leave/{mark}";
/// Where people ask to join an open list, or to leave it.
pub(crate) const LIST_JOIN: &str = "/lists/join/{list}";
/// Where they confirm it, with what stands in the letter that they get.
pub(crate) const LIST_CONFIRM: &str = "/lists/confirm/{list}/{mark}/{member}";

pub(crate) const ENTRY: &str = "/panel/activity/{entry}";
pub(crate) const ENTRY_UNDO: &str = "/panel/activity/{entry}/undo";

pub(crate) const KEY_NEW: &str = "/panel/keys/new";
pub(crate) const KEY_REVOKE: &str = "/panel/keys/{key}/revoke";

/// The API's reference.
pub(crate) const REFERENCE: &str = "/api/v1/";
pub(crate) const REFERENCE_BARE: &str = "/api/v1";
/// The operations of one group.
pub(crate) const REFERENCE_GROUP: &str = "/api/v1/reference/{group}";
/// What a problem's `type` leads to.
pub(crate) const PROBLEM: &str = "/api/v1/problems/{name}";

/// Mozilla's file, at `autoconfig.DOMAIN` and at the domain itself.
pub(crate) const MOZILLA: &str = "/mail/config-v1.1.xml";
pub(crate) const MOZILLA_WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
/// Microsoft's, which programs spell in any case.
pub(crate) const AUTODISCOVER: &str = "/autodiscover/autodiscover.xml";
pub(crate) const AUTODISCOVER_JSON: &str = "/autodiscover/autodiscover.json";
pub(crate) const AUTODISCOVER_JSON_OF: &str = "/autodiscover/autodiscover.json/v1.0/{email}";
/// At `mta-sts.DOMAIN`.
pub(crate) const MTA_STS: &str = "/.well-known/mta-sts.txt";

/// The path of one thing of a list: its name in it, spelled for a URL (RFC 3986 §3.3).
pub(crate) fn of(list: &str, name: &str) -> String {
    let mut path = format!("{list}/");
    for octet in name.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~@".contains(&octet) {
            path.push(char::from(octet));
        } else {
            path.push('%');
            path.push_str(&data_encoding::HEXUPPER.encode(&[octet]));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_segment() {
        assert_eq!(of(PEOPLE, "ann@example.org"), "/panel/people/ann@example.org");
        assert_eq!(of(PEOPLE, "a/b?c#d+e%@é.example"), "/panel/people/a%2Fb%3Fc%23d%2Be%25@%C3%A9.example");
    }
}
