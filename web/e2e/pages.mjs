// The pages that are looked at. A new page is a line here: its path, who looks at it (nobody where `role` is not said), and the
// picture's name. `path` may be made from what the house says of itself; `status` is 200 unless said; what `needs` is clicked first.
export const PAGES = [
  { name: "sign-in", path: "/sign-in" },
  { name: "absent", path: "/no-such-page", role: "owner", status: 404 },
  { name: "overview", path: "/panel", role: "owner" },
  { name: "domains", path: "/panel/domains", role: "owner" },
  { name: "domain-new", path: "/panel/domains/new", role: "owner" },
  { name: "domain", path: (house) => `/panel/domains/${domain(house)}`, role: "owner" },
  { name: "people", path: "/panel/people", role: "owner" },
  { name: "people-none", path: "/panel/people?q=nobody-has-this-name", role: "owner" },
  { name: "person-new", path: "/panel/people/new", role: "owner" },
  { name: "person", path: (house) => `/panel/people/${person(house)}`, role: "owner" },
  { name: "addresses", path: "/panel/addresses", role: "owner" },
  { name: "domains-removed", path: "/panel/domains?removed=1", role: "owner" },
  { name: "domain-disable", path: (house) => `/panel/domains/${domain(house)}/disable`, role: "owner" },
  { name: "people-import", path: "/panel/people/import", role: "owner" },
  { name: "person-sign-in", path: (house) => `/panel/people/${person(house)}/sign-in`, role: "owner" },
  { name: "person-suspend", path: (house) => `/panel/people/${person(house)}/suspend`, role: "owner" },
  { name: "alias-new", path: "/panel/addresses/new", role: "owner" },
  { name: "address-try", path: (house) => `/panel/addresses/try?address=${person(house)}`, role: "owner" },
  { name: "key-new", path: "/panel/keys/new", role: "owner" },
  { name: "queue", path: "/panel/queue", role: "owner" },
  { name: "queue-none", path: "/panel/queue?destination=nobody.example", role: "owner" },
  { name: "messages", path: "/panel/messages", role: "owner" },
  { name: "messages-wrong", path: "/panel/messages?since=yesterday", role: "owner", status: 422 },
  { name: "security", path: "/panel/security", role: "owner" },
  { name: "activity", path: "/panel/activity", role: "owner" },
  { name: "keys", path: "/panel/keys", role: "owner" },
  { name: "webhooks", path: "/panel/webhooks", role: "owner" },
  { name: "webhook-new", path: "/panel/webhooks/new", role: "owner" },
  { name: "settings", path: "/panel/settings/mail", role: "owner" },
  { name: "settings-found", path: "/panel/settings?q=session", role: "owner" },
  { name: "system", path: "/panel/system", role: "owner" },
  { name: "log", path: "/panel/system/log?level=debug", role: "owner" },
  { name: "account", path: "/panel/account", role: "user" },
];

// The roles whose navigation is walked.
export const ROLES = ["owner", "domain_admin", "help_desk", "user"];

export function pathOf(page, house) {
  return typeof page.path === "function" ? page.path(house) : page.path;
}

function domain(house) {
  return house.facts.accounts[0].address.split("@")[1];
}

function person(house) {
  return house.facts.accounts.at(-1).address;
}
