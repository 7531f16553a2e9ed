// The pages that are looked at. A new page is a line here: the picture's name, its path, and the least role that sees it (nobody
// must have signed in where none is said). `path` may be found on another page: [where, the link's selector]. `status` is 200
// unless said. A page without navigation of its own, such as a question before an act, stands here, too.
import { account, domain } from "./kit.mjs";

const OWNER = "owner";
const ADMIN = "domain_admin";
const DESK = "help_desk";
const USER = "user";

export const PAGES = [
  { name: "sign-in", path: "/sign-in" },
  { name: "link-void", path: "/link/used-long-ago", status: 404 },
  { name: "phone-void", path: "/phone/used-long-ago", status: 404 },
  { name: "absent", path: "/no-such-page", role: OWNER, status: 404 },
  { name: "overview", path: "/panel", role: DESK },
  { name: "domains", path: "/panel/domains", role: DESK },
  { name: "domains-removed", path: "/panel/domains?removed=1", role: DESK },
  { name: "domain-new", path: "/panel/domains/new", role: OWNER },
  { name: "domain", path: (house) => `/panel/domains/${domain(house)}`, role: DESK },
  { name: "domain-reports", path: (house) => `/panel/domains/${domain(house)}/reports`, role: ADMIN },
  { name: "domain-senders", path: (house) => `/panel/domains/${domain(house)}/senders`, role: ADMIN },
  { name: "domain-disable", path: (house) => `/panel/domains/${domain(house)}/disable`, role: OWNER },
  { name: "domain-remove", path: (house) => `/panel/domains/${domain(house)}/remove`, role: OWNER },
  { name: "dns", path: "/panel/dns", role: ADMIN },
  { name: "dns-none", path: "/panel/dns?q=nobody-has-this-name", role: ADMIN },
  { name: "dns-host", path: "/panel/dns/host", role: ADMIN },
  { name: "dns-domain", path: (house) => `/panel/dns/${domain(house)}`, role: ADMIN },
  { name: "dns-domain-split", path: (house) => `/panel/dns/${domain(house)}?names=whole&texts=split`, role: ADMIN },
  { name: "dns-push", path: (house) => `/panel/dns/${domain(house)}/push`, role: OWNER },
  { name: "dns-accounts", path: "/panel/dns/accounts", role: OWNER },
  { name: "dns-account-providers", path: "/panel/dns/accounts/new", role: OWNER },
  { name: "dns-account-new", path: "/panel/dns/accounts/new?provider=rfc2136", role: OWNER },
  { name: "dns-account-ovh", path: "/panel/dns/accounts/new?provider=ovh", role: OWNER },
  { name: "dns-receipts", path: "/panel/dns/receipts", role: OWNER },
  { name: "people", path: "/panel/people", role: DESK },
  { name: "people-none", path: "/panel/people?q=nobody-has-this-name", role: DESK },
  { name: "people-removed", path: "/panel/people?state=removed", role: DESK },
  { name: "people-import", path: "/panel/people/import", role: ADMIN },
  { name: "person-new", path: "/panel/people/new", role: ADMIN },
  { name: "person", path: (house) => `/panel/people/${person(house)}`, role: DESK },
  { name: "person-sign-in", path: (house) => `/panel/people/${person(house)}/sign-in`, role: DESK },
  { name: "person-link", path: (house) => `/panel/people/${person(house)}/sign-in/link`, role: DESK },
  { name: "person-role", path: (house) => `/panel/people/${person(house)}/role`, role: ADMIN },
  { name: "person-suspend", path: (house) => `/panel/people/${person(house)}/suspend`, role: ADMIN },
  { name: "person-remove", path: (house) => `/panel/people/${person(house)}/remove`, role: ADMIN },
  { name: "addresses", path: "/panel/addresses", role: DESK },
  { name: "address-new", path: "/panel/addresses/new", role: ADMIN },
  { name: "address", path: (house) => `/panel/addresses/team@${domain(house)}`, role: DESK },
  { name: "address-remove", path: (house) => `/panel/addresses/team@${domain(house)}/remove`, role: ADMIN },
  { name: "teams", path: "/panel/teams", role: DESK },
  { name: "team-new", path: "/panel/teams/new", role: ADMIN },
  { name: "lists", path: "/panel/lists", role: DESK },
  { name: "list-new", path: "/panel/lists/new", role: ADMIN },
  { name: "list", path: (house) => `/panel/lists/news@${domain(house)}`, role: DESK },
  { name: "list-members", path: (house) => `/panel/lists/news@${domain(house)}/members`, role: DESK },
  { name: "list-remove", path: (house) => `/panel/lists/news@${domain(house)}/remove`, role: ADMIN },
  { name: "list-leave", path: "/lists/leave/1-x" },
  { name: "address-try", path: (house) => `/panel/addresses/try?address=team@${domain(house)}`, role: DESK },
  { name: "queue", path: "/panel/queue", role: DESK },
  { name: "queue-none", path: "/panel/queue?q=nobody-has-this-name", role: DESK },
  { name: "holds", path: "/panel/holds", role: DESK },
  { name: "suppressed", path: "/panel/suppressed", role: OWNER },
  { name: "suppressed-none", path: "/panel/suppressed?q=nobody-has-this-name", role: OWNER },
  { name: "destination", path: "/panel/queue/destination", role: ADMIN },
  { name: "queue-message", path: ["/panel/queue", "main tbody .row-link"], role: DESK },
  { name: "messages", path: "/panel/messages", role: DESK },
  { name: "messages-bad", path: "/panel/messages?since=yesterday", role: DESK, status: 422 },
  { name: "message-test", path: "/panel/messages/judge", role: DESK },
  { name: "message", path: ["/panel/messages", "main tbody .row-link"], role: DESK },
  { name: "message-junk", path: ["/panel/messages?subject=closed", "main tbody .row-link"], role: DESK },
  { name: "message-refused", path: ["/panel/messages?subject=warning", "main tbody .row-link"], role: DESK },
  { name: "security", path: "/panel/security", role: DESK },
  { name: "security-senders", path: "/panel/security/senders", role: OWNER },
  { name: "certificates", path: "/panel/certificates", role: ADMIN },
  { name: "certificate-new", path: "/panel/certificates/new", role: OWNER },
  { name: "certificate-remove", path: ["/panel/certificates", "main tbody a[href$='/remove']"], role: OWNER },
  { name: "certificate-names", path: "/panel/certificates/names", role: ADMIN },
  { name: "certificate-orders", path: "/panel/certificates/orders", role: OWNER },
  { name: "certificate-doors", path: "/panel/certificates/doors?name=localhost", role: OWNER },
  { name: "activity", path: "/panel/activity", role: USER, as: OWNER },
  { name: "activity-entry", path: ["/panel/activity", "main tbody .row-link"], role: USER, as: OWNER },
  { name: "keys", path: "/panel/keys", role: DESK },
  { name: "key-new", path: "/panel/keys/new", role: DESK },
  { name: "webhooks", path: "/panel/webhooks", role: ADMIN },
  { name: "webhook-new", path: "/panel/webhooks/new", role: ADMIN },
  { name: "webhook", path: ["/panel/webhooks", "main tbody .row-link"], role: ADMIN },
  ...["house", "mail", "junk", "networks", "certificates", "sign-in", "keeping", "programs", "warnings"].map((section) => (
    { name: `settings-${section}`, path: `/panel/settings/${section}`, role: OWNER }
  )),
  { name: "settings-found", path: "/panel/settings?q=mail", role: OWNER },
  { name: "system", path: "/panel/system", role: OWNER },
  { name: "system-log", path: "/panel/system/log", role: OWNER },
  { name: "account", path: "/panel/account", role: USER },
  { name: "account-lists", path: "/panel/account/lists", role: USER },
  { name: "account-lists-run", path: "/panel/account/lists/run", role: USER },
  { name: "account-password", path: "/panel/account/password", role: USER },
  { name: "account-second-factor", path: "/panel/account/second-factor", role: USER },
  { name: "account-second-factor-remove", path: "/panel/account/second-factor/remove", role: USER },
  { name: "account-passkeys", path: "/panel/account/passkeys", role: USER },
  { name: "account-clients", path: "/panel/account/clients", role: USER },
  { name: "account-app-passwords", path: "/panel/account/app-passwords", role: USER },
  { name: "account-rules", path: "/panel/account/rules", role: USER },
  { name: "account-rule", path: "/panel/account/rules/rule", role: USER },
  { name: "account-absence", path: "/panel/account/rules/absence", role: USER },
  { name: "account-forwarding", path: "/panel/account/rules/forwarding", role: USER },
  { name: "account-script", path: "/panel/account/rules/script", role: USER },
  { name: "account-junk", path: "/panel/account/junk", role: USER },
  { name: "account-sending", path: "/panel/account/sending", role: USER },
  { name: "account-moving", path: "/panel/account/moving", role: USER },
  { name: "account-sessions", path: "/panel/account/sessions", role: USER },
  { name: "account-log-ins", path: "/panel/account/log-ins", role: USER },
  { name: "webmail", path: "/mail", role: USER },
  { name: "webmail-message", path: ["/mail", ".line-link"], role: USER },
  { name: "webmail-none", path: "/mail?q=nobody-has-this-name", role: USER },
  { name: "webmail-write", path: "/mail/write", role: USER },
  { name: "webmail-scheduled", path: "/mail/scheduled", role: USER },
  { name: "webmail-contacts", path: "/mail/contacts", role: USER },
  { name: "webmail-identities", path: "/mail/identities", role: USER },
  { name: "webmail-folders", path: "/mail/folders", role: USER },
  { name: "webmail-sharing", path: "/mail/sharing", role: USER },
  { name: "webmail-removed", path: "/mail/removed", role: USER },
  { name: "webmail-choices", path: "/mail/choices", role: USER },
  { name: "prove", path: "/prove?next=/panel/account", role: USER },
];

// From the least to the most: each sees what those before it see.
export const ROLES = [USER, DESK, ADMIN, OWNER];

// As whom a page is looked at: as who sees most of it.
export function viewer(page) {
  return page.as ?? (page.role === undefined || page.role === USER ? page.role : OWNER);
}

// Where the page stands in this house; `tab` finds out, where that must be found out.
export async function pathOf(page, house, tab) {
  if (typeof page.path === "string") return page.path;
  if (typeof page.path === "function") return page.path(house);
  const [where, link] = page.path;
  await tab.goto(where);
  return tab.locator(link).first().getAttribute("href", { timeout: 4000 });
}

function person(house) {
  return account(house, "user").address;
}
