// Senders who are let in or kept out: of a domain, of the house, and one's own.
import { check, domain, expect, inTab, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const as = (role, act) => inTab(browser, { role }, act);
  const name = async (tab, sender, rule) => {
    await tab.locator("input[name=sender]").fill(sender);
    await tab.locator(`#rule-${rule}`).check();
    await press(tab, "Name a sender");
  };

  await check("senders: a domain's page leads to its own, and one is named", () => as("domain_admin", async (tab) => {
    await tab.goto(`/panel/domains/${domain(house)}`);
    await tab.getByRole("link", { name: "Senders", exact: true }).click();
    await sees(tab, "Always refused");
    await name(tab, "spam.example", "block");
    await told(tab, "spam.example is kept out");
    await name(tab, "ann@friend.example", "allow");
    await told(tab, "ann@friend.example is let in");
    await sees(tab, "spam.example");
  }));
  await check("senders: one is found among others", () => as("domain_admin", async (tab) => {
    await tab.goto(`/panel/domains/${domain(house)}/senders?q=FRIEND`);
    expect((await tab.locator("main tbody tr").count()) === 1, "others are shown, too");
    await sees(tab, "ann@friend.example");
  }));
  await check("senders: what is no sender is told beside its field", () => as("domain_admin", async (tab) => {
    await tab.goto(`/panel/domains/${domain(house)}/senders`);
    await name(tab, "no sender", "block");
    await refused(tab, "neither an address nor a domain", { sender: "no sender" });
  }));
  await check("senders: the rule is taken away", () => as("domain_admin", async (tab) => {
    await tab.goto(`/panel/domains/${domain(house)}/senders`);
    await tab.locator("tr", { hasText: "spam.example" }).getByRole("button", { name: "Remove" }).click();
    await told(tab, "The filter decides about spam.example again");
    expect((await tab.locator("tr", { hasText: "spam.example" }).count()) === 0, "it still stands there");
  }));
  await check("senders: the owner names one for all", () => as("owner", async (tab) => {
    await tab.goto("/panel/security");
    await tab.getByRole("link", { name: "Senders", exact: true }).click();
    await name(tab, "junk.example", "block");
    await told(tab, "junk.example is kept out");
    await tab.goto("/panel/activity");
    await sees(tab, "junk.example");
  }));
}
